"""Conditional requests: when to send validators, and when the site's validators proved wrong.

A server that answers 304 although the page has changed would hide every correction. So each page is fetched in full at
regular intervals, and a page that changed although its validators did not is always fetched in full.

Boundary: pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

#: How long a 304 is trusted. Articles are corrected within their first days; lists change faster.
FULL_PAGE_EVERY = timedelta(days=1)
FULL_LIST_EVERY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Validators:
    """The validators of a response: its ETag and Last-Modified headers."""

    etag: str | None = None
    last_modified: str | None = None


class ValidatedRow(Protocol):
    """A page or a source: its validators, its last full response, and how often the validators were wrong."""

    @property
    def etag(self) -> str | None:
        """The last ETag received."""

    @property
    def last_modified(self) -> str | None:
        """The last Last-Modified received."""

    @property
    def checked_whole_at(self) -> datetime | None:
        """When the last full response came."""

    @property
    def lies(self) -> int:
        """How often the content changed although the validators did not."""


NO_VALIDATORS = Validators()


def to_send(row: ValidatedRow, now: datetime, full_every: timedelta) -> Validators:
    """Return the validators to send with a request; none if a full response is wanted."""
    fresh = row.checked_whole_at is not None and row.checked_whole_at <= now < row.checked_whole_at + full_every
    return Validators(row.etag, row.last_modified) if fresh and not row.lies else NO_VALIDATORS


def mismatch(row: ValidatedRow, received: Validators, *, changed: bool) -> bool:
    """Whether the content changed although the validators did not. If there is an ETag, the date is not compared."""
    if not changed or not (row.etag or row.last_modified):
        return False
    if row.etag or received.etag:
        return row.etag == received.etag
    return row.last_modified == received.last_modified
