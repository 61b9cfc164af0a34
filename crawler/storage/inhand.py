"""What is being taken in, noted beside the database: so the next process knows over what the one before it came to its end.

A crash of the interpreter, or the kernel's when memory runs out, leaves no time for a row. The note needs none: it is
there before, and gone after. It is no row, as it says nothing of the site and would cost a transaction a page.

Boundary: one small file for each role; what is done about an answer that ends processes is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crawler.storage.base import not_writable
from crawler.storage.locks import Role


class InHand:
    """The note of the one process that holds a role in an archive. All raise `StorageUnavailable` if it cannot be written."""

    def __init__(self, folder: Path, role: Role) -> None:
        self._folder = folder
        self._file = folder / "state" / f"in-hand-{role}"

    def ends(self, what: str) -> int:
        """Give how many processes in a row have ended over something."""
        with self._usable():
            if not self._file.exists():
                return 0
            count, _, noted = self._file.read_text("utf-8").partition(" ")
            return int(count) if noted == what and count.isdigit() else 0

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

    def _write(self, what: str, ends: int) -> None:
        with self._usable():
            if ends:
                self._file.parent.mkdir(
                    exist_ok=True
                )  # not its parents: an archive that was moved away is not made anew
                self._file.write_text(f"{ends} {what}", "utf-8")
            else:
                self._file.unlink(missing_ok=True)

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise not_writable(self._folder, error) from error
