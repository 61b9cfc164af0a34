"""Counts what the import of one file read, and what it skipped.

Boundary: values only; `crawler.warc.foreign` and `crawler.pipeline.captures` decide what is skipped.
"""

from __future__ import annotations

import bisect
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

_NAMED = 1000  # faults that are named; further ones are only counted, so that a damaged file needs little memory


class Skip(StrEnum):
    """Why a record is skipped. `description` is for people."""

    OTHER_RECORD = "other-record"
    OTHER_SITE = "other-site"
    OTHER_PAGE = "other-page"
    STATUS = "status"
    PARTIAL = "partial"
    REVISIT = "revisit"
    NO_RESPONSE = "no-response"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    TOO_LARGE = "too-large"
    LENGTH = "length"
    DAMAGED = "damaged"
    DIGEST = "digest"
    MALFORMED = "malformed"
    UNDATED = "undated"
    IMPLAUSIBLE = "implausible"
    FUTURE = "future"
    UNDECODABLE = "undecodable"
    UNREADABLE_DATA = "unreadable-data"

    @property
    def description(self) -> str:
        """The reason as a phrase."""
        return _DESCRIPTIONS[self]

    @property
    def is_fault(self) -> bool:
        """Whether the record may hide an article, so that a person must look at it."""
        return self not in _NORMAL


#: Records that no WARC file of a crawl is without, and that hold no article of the site.
_NORMAL = frozenset({Skip.OTHER_RECORD, Skip.OTHER_SITE, Skip.OTHER_PAGE, Skip.STATUS})

_DESCRIPTIONS = {
    Skip.OTHER_RECORD: "not a response (a request, metadata, ...)",
    Skip.OTHER_SITE: "an address of another site",
    Skip.OTHER_PAGE: "an address of this site that is not that of an article",
    Skip.STATUS: "HTTP status",
    Skip.PARTIAL: "only part of a response (HTTP status 206), or another status of success without the page",
    Skip.REVISIT: "revisit record without the response: neither these files nor the archive hold what it refers to",
    Skip.NO_RESPONSE: "no HTTP response",
    Skip.TRUNCATED: "truncated when it was captured",
    Skip.REWRITTEN: "rewritten by the Wayback Machine (download it with `id_` after the date in its address)",
    Skip.TOO_LARGE: "larger than the limit of 10,000,000 bytes",
    Skip.LENGTH: "its length does not match the file",
    Skip.DAMAGED: "in a damaged part of the file",
    Skip.DIGEST: "its content differs from its WARC-Block-Digest",
    Skip.MALFORMED: "malformed record",
    Skip.UNDATED: "no valid WARC-Date",
    Skip.IMPLAUSIBLE: "dated before the site existed",
    Skip.FUTURE: "dated in the future",
    Skip.UNDECODABLE: "the body cannot be decoded",
    Skip.UNREADABLE_DATA: "data between the records that is not a record",
}


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A skipped record that may hide an article; `record` is its number in the file, from 1 on."""

    record: int
    url: str
    reason: Skip
    detail: str = ""

    def __str__(self) -> str:
        """Return the record and the reason as text for people."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"record {self.record}{f', {self.url}' if self.url else ''}: {self.reason.description}{detail}"


@dataclass
class ImportTally:
    """Counts for one imported file: all records, the captures of wanted addresses, and the skipped ones, by reason.

    `faults` names skipped records that may hide an article, the first ones up to a limit; `fault_count` is the number of all of them.
    `damage` describes the first damage and the record before it; it is None if all of the file could be read. `error` is
    set if the file could not be read at all.
    """

    records: int = 0
    wanted: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    faults: list[SkippedRecord] = field(default_factory=list)
    fault_count: int = 0
    damage: str | None = None
    error: str | None = None

    def skip(self, reason: Skip, url: str = "", detail: str = "", *, record: int | None = None) -> None:
        """Count a skipped record, by default the one that was read last, and name it if it may hide an article."""
        self.skipped[f"{reason.description} {detail}" if reason is Skip.STATUS else reason.description] += 1
        if reason.is_fault:
            self.fault_count += 1
            number = self.records if record is None else record
            found = SkippedRecord(number, _short(url), reason, _short(detail))
            bisect.insort(
                self.faults, found, key=lambda fault: fault.record
            )  # some are found later than following ones
            del self.faults[_NAMED:]

    def damaged(self, why: str) -> None:
        """Note that the file is damaged after the record that was read last; only the first damage is described."""
        self.damage = self.damage or f"after record {self.records}: {_short(why)}"

    @property
    def needs_attention(self) -> bool:
        """Whether something was not read that may hide an article."""
        return bool(self.fault_count or self.damage or self.error)


def _short(text: str) -> str:
    """Return a text from a file as one line of at most 200 characters that can be printed."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split())[:200])
