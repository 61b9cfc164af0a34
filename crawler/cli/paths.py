"""The paths that arguments and options name.

`-` is standard input or output, and `./-` a file or folder of this name. An empty path is an error: it comes from a
variable of the shell that is not set, and would otherwise mean the current folder.

Boundary: reads arguments; opens only standard input and what a command reads.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import typer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_STREAM = "-"


@dataclass(frozen=True, slots=True)
class Source:
    """What a command reads: a file, or standard input if `path` is None."""

    path: Path | None = None

    @property
    def name(self) -> str:
        """The name of the file without its folder; `-` for standard input."""
        return _STREAM if self.path is None else self.path.name

    @property
    def given(self) -> str:
        """The path as JSON gives it; `-` for standard input."""
        return _STREAM if self.path is None else str(self.path)

    def __str__(self) -> str:
        """Return the path as messages name it."""
        return "standard input" if self.path is None else str(self.path)

    def opened(self) -> AbstractContextManager[BinaryIO]:
        """Open the file for reading; standard input stays open at the end.

        Raises:
            OSError: the file cannot be opened.

        """
        return nullcontext(sys.stdin.buffer) if self.path is None else self.path.open("rb")


def path(text: str) -> Path:
    """Return the path that an argument names."""
    if not text:
        raise typer.BadParameter("it is empty")
    return Path(text)


def source(text: str) -> Source:
    """Return the file to read that an argument names; `-` is standard input."""
    return Source() if text == _STREAM else Source(path(text))


def file(text: str) -> Path:
    """Return the file that an argument names, of a command that cannot read standard input."""
    if text == _STREAM:
        raise typer.BadParameter("standard input cannot be read here: give a file, or ./- for a file named -")
    return path(text)


def folder(text: str) -> Path:
    """Return the folder that an argument names."""
    if text == _STREAM:
        raise typer.BadParameter("standard output is not a folder: give a folder, or ./- for a folder named -")
    return path(text)
