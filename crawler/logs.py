"""The service's log on stderr: one event per line, as text or JSON, with the run and the address that it concerns.

The secrets that the caller passes in, and the credentials in any URL, are redacted, in lines from libraries, too. Line
breaks and control characters in a message become visible escapes, so that no message can forge another line. A message of
more than 4,000 characters is cut.

Boundary: configures the logging of the standard library; the other modules decide what to log.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from textwrap import indent
from typing import IO

from crawler import redact, visible

_PACKAGE = "crawler"
_LONGEST = 4_000  # characters of a message; journald cuts lines of 48 kB
_LONGEST_TRACE = 40_000
_LONGEST_READ = 200_000  # characters of a message of which secrets are searched: it takes up to a second
#: Python levels with their syslog priorities, from sd-daemon(3).
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.NOTSET, 7))

_bound: ContextVar[tuple[int | None, str | None]] = ContextVar("bound", default=(None, None))


@contextmanager
def bound(run: int | None = None, url: str | None = None) -> Iterator[None]:
    """Add a run id and a URL, if they are given, to every line that is logged in the block."""
    token = _bound.set((run, url))
    try:
        yield
    finally:
        _bound.reset(token)


def logger(name: str) -> logging.Logger:
    """Return the logger of one part of the program, such as "worker"."""
    return logging.getLogger(f"{_PACKAGE}.{name}")


def is_journal(stream: IO[str], environ: Mapping[str, str]) -> bool:
    """Whether a stream is connected to systemd's journal, according to JOURNAL_STREAM (systemd.exec(5))."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):  # closed, or not a real file
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


@contextmanager
def logging_to(
    stream: IO[str], form: str, secrets: Iterable[str] = (), *, verbose: bool = False, journal: bool = False
) -> Iterator[None]:
    """Log our own messages, and warnings of libraries, to a stream for the duration of the block.

    `form` is "json" or "human"; the texts in `secrets` are redacted; `verbose` adds debug messages. If `journal` is
    true, each line starts with its priority, which systemd's journal reads.
    """
    handler = (_ToJournal if journal else logging.StreamHandler)(stream)
    handler.setFormatter(formatter(form, secrets))
    handler.addFilter(_only_ours_or_warnings)
    root, package = logging.getLogger(), logging.getLogger(_PACKAGE)
    before = root.handlers[:], root.level, package.level
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns if a job is due while it is still running
    package.setLevel(logging.DEBUG if verbose else logging.INFO)
    try:
        yield
    finally:
        root.handlers[:], root.level, package.level = before


def set_format(form: str, secrets: Iterable[str]) -> None:
    """Change the format of the current log ("json" or "human") and the secrets that are redacted in it."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(formatter(form, secrets))


def formatter(form: str, secrets: Iterable[str] = ()) -> logging.Formatter:
    """Return the log formatter for the format `form` ("json" or "human"), which redacts the texts in `secrets`."""
    return (_Json if form == "json" else _Human)(secrets)


def _only_ours_or_warnings(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] == _PACKAGE


class _ToJournal(logging.StreamHandler[IO[str]]):
    """Writes the syslog priority before each line (see sd-daemon(3)), so that `journalctl -p warning` can filter."""

    def format(self, record: logging.LogRecord) -> str:
        level = next(number for least, number in _PRIORITIES if record.levelno >= least)
        return "\n".join(f"<{level}>{line}" for line in super().format(record).split("\n"))


class _Redacting(logging.Formatter):
    """Base class of both log formatters; redacts the given secrets, and credentials in URLs."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__()
        self._secrets = frozenset(secrets)

    def _line(self, text: str) -> str:
        """Return a text as a part of one line."""
        return visible.line(redact.redacted(text[:_LONGEST_READ], self._secrets), _LONGEST)

    def _trace(self, record: logging.LogRecord) -> str | None:
        """Return the traceback of a record with its last part, where the error is, if it is long."""
        if not record.exc_info:
            return None
        trace = redact.redacted(self.formatException(record.exc_info), self._secrets)
        return visible.block(trace if len(trace) <= _LONGEST_TRACE else f"…\n{trace[-_LONGEST_TRACE:]}")


class _Human(_Redacting):
    """Formats lines for people, such as `2026-01-31T08:15:00Z INFO new: 245060 Titre (https://..., run 12)`.

    The lines of a traceback are indented, so that none of them can pass for a line of the log.
    """

    def format(self, record: logging.LogRecord) -> str:
        run, url = _bound.get()
        message = record.getMessage()
        about = [url] if url and url not in message else []
        about += [f"run {run}"] if run else []
        line = f"{_timestamp(record)} {record.levelname} {self._line(message)}"
        if about:
            line += f" ({self._line(', '.join(about))})"
        if (trace := self._trace(record)) is not None:
            line += "\n" + indent(trace, "  ")
        return line


class _Json(_Redacting):
    """Formats each event as one line with a JSON object. A program that prints its values prints no control characters."""

    def format(self, record: logging.LogRecord) -> str:
        run, url = _bound.get()
        line = {
            "at": _timestamp(record),
            "level": record.levelname.lower(),
            "part": self._line(record.name.removeprefix(f"{_PACKAGE}.")),
            "message": self._line(record.getMessage()),
            "run": run,
            "url": None if url is None else self._line(url),
            "trace": self._trace(record),
        }
        return visible.json_text({key: value for key, value in line.items() if value is not None})


def _timestamp(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
