"""Decide when the new hits of watched searches are sent, and write the messages.

Boundary: pure decisions and texts; `daemon.watch_job` finds the hits and sends the messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from crawler.site import HANOI

MOST_SENT = 50  # hits in one message


@dataclass(frozen=True, slots=True)
class Hit:
    """An article that a watched search found.

    `is_begun` is True if an earlier process began to send it and did not record the end.
    """

    article: int
    title: str
    url: str | None
    found_at: datetime
    is_begun: bool = False


@dataclass(frozen=True, slots=True)
class Digest:
    """A message with hits of one search."""

    title: str
    body: str


def recipient_key(address: str) -> str:
    """Return the text that stands for a recipient in the database, from which its address cannot be read."""
    return sha256(address.encode("utf-8")).hexdigest()[:16]


def is_due(hits: Sequence[Hit], every: str, now: datetime) -> bool:
    """Whether hits must be sent now: the first of them was found in an earlier hour or day (in Hanoi) than this one.

    If the clock was set back, the first one may have a later time than `now`; then they are sent at once.
    """
    return bool(hits) and _period(hits[0].found_at, every) != _period(now, every)


def _period(instant: datetime, every: str) -> str:
    return instant.astimezone(HANOI).strftime("%Y-%m-%d %H" if every == "hour" else "%Y-%m-%d")


def digest(name: str, hits: Sequence[Hit]) -> Digest:
    """Return the message with hits of the search `name`."""
    count = f"{len(hits)} nouvel article" if len(hits) == 1 else f"{len(hits)} nouveaux articles"
    lines = [f"{hit.title}\n{hit.url or f'article {hit.article}'}" for hit in hits]
    if any(hit.is_begun for hit in hits):
        lines.append("L'envoi précédent a été interrompu : une partie de ces articles a peut-être déjà été envoyée.")
    return Digest(f"{name} : {count}", "\n\n".join(lines))
