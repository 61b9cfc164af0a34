"""The value of an option that names what a command writes, such as `--out`: `-` is standard output, `./-` a file.

Boundary: distinguishes standard output from files and folders, and opens text files; the commands write their content.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import typer

from crawler.cli import paths, streams

_STDOUT = Path("/dev/stdout")  # so that `-` and this path mean the same


def parsed(text: str) -> Path:
    """Return the path that the value of an option names."""
    return _STDOUT if text == "-" else paths.path(text)


def is_stdout(out: Path | None) -> bool:
    """Whether a path names the standard output of this process, as `-`, `/dev/stdout` and `/dev/fd/1` do."""
    from crawler.export import open_descriptor

    return out is not None and (out == _STDOUT or open_descriptor(out) == streams.STDOUT)


def place(out: Path | None) -> str:
    """Return the end of a message that says where something was written; empty for standard output."""
    return "" if out is None or is_stdout(out) else f" in {out}"


def refuse_stdout(context: typer.Context, out: Path | None, why: str, option: str = "--out") -> None:
    """Refuse standard output with the message `why`, as a usage error."""
    if is_stdout(out):
        raise typer.BadParameter(why, ctx=context, param_hint=option)


def check_binary(context: typer.Context, out: Path) -> None:
    """Refuse what cannot be a binary file: a terminal, and what a file would replace, such as a device or named pipe."""
    if is_stdout(out):
        problem = "the file is binary" if sys.stdout.isatty() else None
    else:
        problem = f"{out} is not a file" if out.exists() and not (out.is_file() or out.is_dir()) else None
    if problem is not None:
        raise typer.BadParameter(f"{problem}: choose one with --out FILE", ctx=context, param_hint="--out")


@contextmanager
def opened(out: Path) -> Iterator[IO[str]]:
    """Open standard output or a file for writing; a file gets its name when it is complete.

    Raises:
        BadInput: the file cannot be written.

    """
    from crawler.export import replacing

    if is_stdout(out):
        yield streams.utf8_stdout()
        return
    with replacing(out) as file:
        yield file


def write_binary(content: bytes) -> None:
    """Write binary data to standard output."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
