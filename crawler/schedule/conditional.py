"""Conditional requests: when to send validators, and when the validators of a site are wrong.

A server that answers 304 although the page has changed would hide every correction. So each page is fetched in full at
regular intervals, and a page that once changed although its validators did not is always fetched in full.

Boundary: pure functions.
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
    """What conditional requests need from the row of a page or source."""

    @property
    def etag(self) -> str | None:
        """The ETag header that was received last."""

    @property
    def last_modified(self) -> str | None:
        """The Last-Modified header that was received last."""

    @property
    def checked_whole_at(self) -> datetime | None:
        """When the last full response (no 304) was received."""

    @property
    def lies(self) -> int:
        """How often the content changed although the validators did not."""


NO_VALIDATORS = Validators()


def to_send(row: ValidatedRow, now: datetime, full_every: timedelta) -> Validators:
    """Return the validators to send with a request; none if a full response is due or validators were once wrong."""
    fresh = row.checked_whole_at is not None and row.checked_whole_at <= now < row.checked_whole_at + full_every
    return Validators(row.etag, row.last_modified) if fresh and not row.lies else NO_VALIDATORS


def mismatch(row: ValidatedRow, received: Validators, *, changed: bool) -> bool:
    """Whether the content changed although the validators did not. Last-Modified counts only if there is no ETag."""
    if not changed or not (row.etag or row.last_modified):
        return False
    if row.etag or received.etag:
        return row.etag == received.etag
    return row.last_modified == received.last_modified
