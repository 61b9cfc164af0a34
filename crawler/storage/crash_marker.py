"""A file that names the item being processed, so that the next process knows which item crashed this one.

If the interpreter crashes, or the kernel kills it because memory runs out, nothing can be written any more. Therefore
the marker is written before an item is processed, and reset when the item has been processed. It is not a row of the
database, because a row would cost one transaction per page. Overwriting one line in an open file costs almost nothing.

An item may take 10 minutes of CPU time. Then the kernel ends the process, also if a library does not return, and the
marker counts this as a crash. `parser_process` has limits of its own; this one is for the repair and the database.

Boundary: one small file for each role (see `locks.Role`). `pipeline.quarantine` decides what happens to an item that
crashed the crawler.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from crawler import files
from crawler.storage.disk import not_writable
from crawler.storage.locks import Role

#: Seconds of CPU time for one item. An item that passed all checks takes at most 20 s.
MAX_SECONDS = 600.0


class CrashMarker:
    """The crash marker of one role, such as `collect`, in an archive; a context manager that closes the marker's file.

    Raises:
        StorageUnavailable: the marker file cannot be read or written.

    """

    def __init__(self, folder: Path, role: Role) -> None:
        self._folder = folder
        self._path = folder / "state" / f"in-hand-{role}"
        self._file: int | None = None
        self._item, self._crashes = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def crashes(self, item: str) -> int:
        """Return how many processes in a row have crashed while they processed `item`."""
        return self._crashes if item == self._item else 0

    @contextmanager
    def processing(self, item: str) -> Iterator[None]:
        """Record, for the duration of the block, that `item` is being processed.

        If the block uses more than `MAX_SECONDS` of CPU time, the signal SIGVTALRM ends the process. The block must not
        wait for the network, because a process may be killed for unrelated reasons while it waits.
        """
        crashes = self.crashes(item)
        self._write(item, crashes + 1)
        outer = signal.setitimer(signal.ITIMER_VIRTUAL, MAX_SECONDS)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, *outer)
            self._write(item, crashes)

    def clear(self) -> None:
        """Reset the marker and its number of crashes, because the item has been processed or quarantined."""
        self._write("", 0)

    def _read(self) -> tuple[str, int]:
        """Return the item and the number of crashes that are in the file; an empty text and 0 if there is no file."""
        with self._translated():
            try:
                content = files.read(self._path).decode()
            except FileNotFoundError:
                return "", 0
            count, _, item = content.partition("\n")[0].partition(" ")
        return item, int(count) if count.isdigit() else 0

    def _write(self, item: str, crashes: int) -> None:
        with self._translated():
            if self._file is None:
                # without `parents`: an archive folder that was moved away must not be recreated
                files.make_folder(self._path.parent, parents=False)
                self._file = files.open_to_overwrite(self._path)
            # the file is not truncated: only its first line counts
            os.pwrite(self._file, f"{crashes} {item}\n".encode(), 0)
        self._item, self._crashes = item, crashes

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn a system error in the block into `StorageUnavailable`."""
        try:
            yield
        except OSError as error:
            raise not_writable(self._folder, error) from error
