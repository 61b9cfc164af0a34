"""What the driver and its workers exchange.

Boundary: values only. They are pickled; both sides must have the same version of the program.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from crawler.errors import StopError
from crawler.markup import Markup
from crawler.pipeline.stored_pages import Repairer
from crawler.site import Site
from crawler.warc import Damage


class CodeVersion(NamedTuple):
    """The versions on which the rows depend: of the program, of the parser, and the digest of the lexicon."""

    program: str
    parser: int
    lexicon: str

    def __str__(self) -> str:
        """Return the versions for a message."""
        return f"version {self.program} (parser {self.parser}, lexicon {self.lexicon[:8]})"


@dataclass(frozen=True, slots=True)
class BulkSettings:
    """How pages are read: with which code, for which site, with which layouts.

    `make_repairer` returns the function that repairs an article. It is a function of a module, so that each worker can
    import it; `code` must be the version of the worker.
    """

    code: CodeVersion
    site: Site
    markups: tuple[Markup, ...]
    make_repairer: Callable[[], Repairer]


@dataclass(frozen=True, slots=True)
class Partition:
    """The part of a WARC file whose records begin at the byte offsets from `start` to `end`, without `end`.

    `is_exact`: whether a record begins at `start`; otherwise the first one after it is searched.
    """

    file: str
    start: int
    end: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class ReadTask:
    """A partition to read."""

    settings: BulkSettings
    partition: Partition

    def __str__(self) -> str:
        """Return what is read, for a message."""
        return f"{self.partition.file}, bytes {self.partition.start} to {self.partition.end}"


@dataclass(frozen=True, slots=True)
class WriteTask:
    """The articles of one month, packed, in the order of the file. `code` is the version of the program."""

    code: CodeVersion
    month: str
    articles: tuple[bytes, ...] = field(repr=False)

    def __str__(self) -> str:
        """Return what is written, for a message."""
        return self.month


Task = ReadTask | WriteTask


class PackedVisit(NamedTuple):
    """A visit, packed, with the values by which visits are grouped."""

    page: int
    key: int
    packed: bytes


class Layout(NamedTuple):
    """The file of a learned layout, when it was archived, and the byte offset of its record."""

    at: datetime
    offset: int
    text: str


class LeftOut(NamedTuple):
    """A page that could not be read because of a bug or a crash: where its record is, and what happened."""

    file: str
    offset: int
    url: str
    why: str


@dataclass(frozen=True, slots=True)
class PartitionRead:
    """What a worker found in a partition.

    `began` is the byte offset of its first record, None if no record begins in it; `ended` is the byte offset after its
    last one. `rejected` has the number of pages without an article by reason. `has_drift`: whether a page has an unknown
    or a learned layout, so that other learned layouts may read it differently.
    """

    began: int | None
    ended: int
    records: int = 0
    pages: int = 0
    visits: tuple[PackedVisit, ...] = field(default=(), repr=False)
    rejected: Mapping[str, int] = field(default_factory=dict)
    damage: tuple[Damage, ...] = ()
    layouts: tuple[Layout, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    has_drift: bool = False


@dataclass(frozen=True, slots=True)
class MonthWritten:
    """The Parquet file of one month."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class OtherCode:
    """The worker has other code than the driver, so it has read nothing."""

    code: CodeVersion


@dataclass(frozen=True, slots=True)
class Failed:
    """The task cannot be done by any worker: why, and what to do."""

    message: str
    hint: str

    @classmethod
    def of(cls, error: OSError | StopError, what: object) -> Failed:
        """Return the failure for an error that occurred while `what` was read or written."""
        if isinstance(error, StopError):
            return cls(str(error), error.hint)
        return cls(f"cannot read {what}: {error}", "check the file and the connection, then start again")


Result = PartitionRead | MonthWritten | OtherCode | Failed


def pack(value: object) -> bytes:
    """Return a value as compressed bytes."""
    return zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), 1)


def unpack(data: bytes) -> Any:
    """Return the value that `pack` packed in this run."""
    return pickle.loads(zlib.decompress(data))  # noqa: S301 - from this program's own workers
