"""What is being taken in, noted beside the database: so the next process knows over what the one before it came to its end.

A crash of the interpreter, or the kernel's when memory runs out, leaves no time for a row. The note needs none: it is
there before, and gone after. It is no row, as it says nothing of the site and would cost a transaction a page; it is one
line at the beginning of a file that stays open, so it costs next to nothing.

Boundary: one small file for each role; what is done about an answer that ends processes is decided elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from crawler.storage.base import not_writable
from crawler.storage.locks import Role


class InHand:
    """The note of the one process that holds a role in an archive, while the block lasts.

    Raises:
        StorageUnavailable: the note cannot be read or written.

    """

    def __init__(self, folder: Path, role: Role) -> None:
        self._folder = folder
        self._path = folder / "state" / f"in-hand-{role}"
        self._file: int | None = None
        self._what, self._ends = self._left()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def ends(self, what: str) -> int:
        """Give how many processes in a row have ended over something."""
        return self._ends if what == self._what else 0

    @contextmanager
    def taking(self, what: str) -> Iterator[None]:
        """Note what is being taken in while the block lasts: not while the network is waited for, when any end may come."""
        ends = self.ends(what)
        self._write(what, ends + 1)
        try:
            yield
        finally:
            self._write(what, ends)

    def over(self) -> None:
        """Forget the ends: what ended processes is taken in, or put off."""
        self._write("", 0)

    def _left(self) -> tuple[str, int]:
        """Read what the process before left."""
        with self._usable():
            if not self._path.exists():
                return "", 0
            count, _, what = self._path.read_text("utf-8").partition("\n")[0].partition(" ")
        return what, int(count) if count.isdigit() else 0

    def _write(self, what: str, ends: int) -> None:
        with self._usable():
            if self._file is None:
                self._path.parent.mkdir(exist_ok=True)  # not its parents: an archive moved away is not made anew
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
            os.pwrite(self._file, f"{ends} {what}\n".encode(), 0)
        self._what, self._ends = what, ends

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise not_writable(self._folder, error) from error
