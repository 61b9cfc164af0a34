"""The standard streams of the process: which characters they can show, and what happens if they cannot be written.

A command never fails because of a character that a stream cannot encode: the number of the character is written instead,
after a backslash. No control character reaches a terminal, and no password reaches stderr, even in a traceback. A stream
that cannot be written does not stop a command either, because the command may collect or check something. The rest of
its output is discarded, and `finish` raises the error of stdout at the end.

Boundary: replaces `sys.stdin`, `sys.stdout` and `sys.stderr`; `crawler.cli.output` writes to them.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import select
import shutil
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO, TypeVar, cast

from crawler import redact, visible
from crawler.cli import pager
from crawler.errors import StopError

_T = TypeVar("_T")
_STDIN, STDOUT, _STDERR = range(3)
_SHOWN = "backslashreplace"  # loses nothing, unlike `?`; inside JSON, a lone surrogate becomes a valid escape


_secrets: frozenset[str] = frozenset()  # of the configuration and the environment


class _Terminal(io.TextIOWrapper):
    """A text stream for people: control characters become visible escapes, see `crawler.visible`."""

    def write(self, text: str, /) -> int:
        """Write a text of any number of lines; return the number of characters in it."""
        super().write(visible.block(text.replace("\r\n", "\n")))
        return len(text)

    def write_coloured(self, text: str, colour: str) -> None:
        """Write a part of a line in a terminal colour (SGR), such as `1;31`."""
        super().write(f"\x1b[{colour}m{visible.line(text)}\x1b[0m")


class _Messages(_Terminal):
    """A stream for messages: known secrets, and what looks like credentials, are redacted, too."""

    def write(self, text: str, /) -> int:
        """Write a text of any number of lines; return the number of characters in it."""
        super().write(redact.redacted(text, _secrets))
        return len(text)


class _CollectedOutput(_Terminal):
    """Collects what is printed on a terminal."""

    def __init__(self, terminal: _Terminal) -> None:
        self.terminal = terminal
        self._collected = io.BytesIO()
        super().__init__(self._collected, encoding=terminal.encoding, errors=_SHOWN, newline="\n")

    def isatty(self) -> bool:
        """Return True: the text is for a terminal."""
        return True

    def text(self) -> bytes:
        """Return what was printed so far."""
        self.flush()
        return self._collected.getvalue()


class _Stream(io.FileIO):
    """Writes to an open file descriptor. After the first error, which is kept in `error`, discards everything."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.error: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write all bytes or fewer; return how many were written or discarded."""
        while self.error is None:
            try:
                written = super().write(data)
            except OSError as error:
                self.error = error
                break
            if written is not None:
                return written
            select.select([], [self], [])  # non-blocking, and full: another program that shares it made it so
        return memoryview(data).nbytes


def prepare() -> None:
    """Replace the standard streams of this process with streams that never raise an exception when they are written."""
    for descriptor in (_STDIN, STDOUT, _STDERR):
        _occupy(descriptor)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(_STDIN, closefd=False)), encoding="utf-8")
    if sys.stdout is sys.__stdout__:  # a test may have replaced it
        kind = _Terminal if os.isatty(STDOUT) else io.TextIOWrapper
        sys.stdout = _text_stream(STDOUT, sys.stdout, kind, line_buffering=False)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _text_stream(_STDERR, sys.stderr, _Messages, line_buffering=True)


def redact_secrets(secrets: Iterable[str]) -> None:
    """Redact these texts in all messages from now on."""
    global _secrets  # noqa: PLW0603 - the standard streams belong to the process, too
    _secrets = frozenset(secrets)


def for_bars() -> TextIO:
    """Return a stream on stderr that passes control characters on, for bars that move the cursor."""
    if not isinstance(sys.stderr, _Messages):
        return sys.stderr
    return _text_stream(_STDERR, sys.stderr, io.TextIOWrapper, line_buffering=True)


class ShownOn:
    """Passes what is written on to another stream, without control characters and secrets."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text of any number of lines; return the number of characters in it."""
        self._stream.write(visible.block(redact.redacted(text, _secrets)))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def page() -> None:
    """Collect what is printed on a terminal from now on, so that `finish` can show it in a pager if it is long."""
    if isinstance(sys.stdout, _Terminal) and not isinstance(sys.stdout, _CollectedOutput) and pager.command():
        sys.stdout = _CollectedOutput(sys.stdout)


def write_message(text: str) -> None:
    """Print a message: on stderr, or below what is collected for the same terminal."""
    if isinstance(sys.stdout, _CollectedOutput) and sys.stderr.isatty():
        sys.stdout.write(redact.redacted(text, _secrets))
    else:
        sys.stderr.write(text)


def _print_page(collected: _CollectedOutput) -> None:
    sys.stdout = collected.terminal
    text = collected.text()
    is_long = text.count(b"\n") >= shutil.get_terminal_size().lines
    if not (is_long and (words := pager.command()) and pager.show(text, words)):
        sys.stdout.buffer.write(text)


def finish() -> None:
    """Show what was collected in a pager, and flush stdout, at the end of a command.

    Raises:
        StopError: the output is incomplete. If only its reader has stopped reading, such as `head`, this is not an error.

    """
    if isinstance(sys.stdout, _CollectedOutput):
        _print_page(sys.stdout)
    sys.stdout.flush()
    error = _error(sys.stdout)
    if error is not None and error.errno != errno.EPIPE:
        raise StopError(
            f"cannot write to standard output: {error.strerror}",
            "the output is incomplete, but completed work is stored: correct the redirection, then run the command again",
        )


def is_coloured() -> bool:
    """Whether data is printed in colours: on a terminal, unless NO_COLOR is set (https://no-color.org)."""
    return isinstance(sys.stdout, _Terminal) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write_pieces(pieces: Iterable[tuple[str, str | None]]) -> None:
    """Print the pieces of one line, each in its terminal colour if there are colours; None is the usual colour."""
    coloured = is_coloured()
    for text, colour in pieces:
        if coloured and colour is not None and isinstance(sys.stdout, _Terminal):
            sys.stdout.write_coloured(text, colour)
        else:
            sys.stdout.write(visible.line(text))
    sys.stdout.write("\n")


def discard() -> None:
    """Discard what stdout has not written yet, and what is printed from now on, because a signal ends the command."""
    raw = _raw(sys.stdout)
    if raw is not None:
        raw.error = BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def is_writable() -> bool:
    """Whether everything that was written to stdout so far could be written, as far as is known yet."""
    return _error(sys.stdout) is None


def while_writable(items: Iterable[_T]) -> Iterator[_T]:
    """Yield the items until stdout cannot be written any more, for commands that do nothing besides printing them."""
    for item in items:
        yield item
        if not is_writable():
            return


def is_utf8(stream: TextIO) -> bool:
    """Whether a stream encodes text as UTF-8, so that it can show every character."""
    return codecs.lookup(stream.encoding or "utf-8").name == "utf-8"


def utf8_stdout() -> TextIO:
    """Return stdout for the export of a file; unless it is a terminal, its encoding is UTF-8 from now on."""
    if not sys.stdout.isatty() and not is_utf8(sys.stdout):
        cast("io.TextIOWrapper", sys.stdout).reconfigure(encoding="utf-8", errors=_SHOWN)
    return sys.stdout


def _occupy(descriptor: int) -> None:
    """Open a standard stream that is closed (`>&-`) in the wrong direction, so that its use fails as if it were closed.

    Otherwise the next file to be opened, such as a WARC file, would get this descriptor, and messages would be written
    into that file.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        # the lowest free descriptor, which is this one: `prepare` starts with 0
        os.open(os.devnull, os.O_WRONLY if descriptor == _STDIN else os.O_RDONLY)
        os.set_inheritable(descriptor, True)


def _text_stream(
    descriptor: int, before: TextIO | None, kind: type[io.TextIOWrapper], *, line_buffering: bool
) -> io.TextIOWrapper:
    return kind(
        io.BufferedWriter(_Stream(descriptor)),
        encoding=before.encoding if before else "utf-8",
        errors=_SHOWN,
        newline="\n",
        line_buffering=line_buffering or os.isatty(descriptor),
        write_through=bool(getattr(before, "write_through", False)),
    )


def _error(stream: TextIO) -> OSError | None:
    raw = _raw(stream)
    return raw.error if raw is not None else None


def _raw(stream: TextIO) -> _Stream | None:
    """Return the stream below a text stream; None if `prepare` has not replaced it."""
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Stream) else None
