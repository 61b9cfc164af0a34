"""Conditional requests: when to send validators, and when the site's word about them was untrue.

A server that says 304 of a page that has changed would hide every correction. So every page is asked for whole at
regular times, and one whose validators stayed the same while its content changed is always asked for whole.

Boundary: pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

#: how long an answer of 304 is taken at its word: an article is corrected within its first days, a list turns over faster
WHOLE_PAGE = timedelta(days=1)
WHOLE_LIST = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server calls a version of a page: its ETag, its Last-Modified."""

    etag: str | None = None
    last_modified: str | None = None


class Row(Protocol):
    """What is known of a page or a source: its validators, when it last came whole, how often they were a lie."""

    @property
    def etag(self) -> str | None:
        """The ETag that was given last."""

    @property
    def last_modified(self) -> str | None:
        """The Last-Modified that was given last."""

    @property
    def checked_whole_at(self) -> datetime | None:
        """When it last came whole."""

    @property
    def lies(self) -> int:
        """How often it had changed under its validators."""


_NONE = Validators()


def to_send(row: Row, now: datetime, every: timedelta) -> Validators:
    """Give the validators to send with a request; none when the whole page is wanted."""
    fresh = row.checked_whole_at is not None and row.checked_whole_at <= now < row.checked_whole_at + every
    return Validators(row.etag, row.last_modified) if fresh and not row.lies else _NONE


def lied(row: Row, given: Validators, *, changed: bool) -> bool:
    """Say whether content changed under the validators that were held; the ETag counts for more than the date."""
    if not changed or not (row.etag or row.last_modified):
        return False
    if row.etag or given.etag:
        return row.etag == given.etag
    return row.last_modified == given.last_modified
