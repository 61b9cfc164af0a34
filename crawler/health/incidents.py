"""From conditions to incidents: what begins, what goes on, what is over, and who is still to be told of it.

One trouble is one incident, from the moment it is seen until it has not been seen for a while; so a trouble that comes
and goes every minute is told once, and its end once.

Boundary: pure; conditions, rows and now in, intents out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.health.checks import Condition, span

SETTLED = timedelta(minutes=10)  # so long must a trouble be away before it is over
_STALE = timedelta(days=1)  # what was over so long ago is no news, when nobody could be told of it


@dataclass(frozen=True, slots=True)
class Incident:
    """A trouble from its beginning to its end, as its row says."""

    id: int
    kind: str
    subject: str
    detail: str
    opened_at: datetime
    seen_at: datetime
    told_at: datetime | None = None
    closed_at: datetime | None = None
    closed_told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What to write: troubles to open, ids of incidents that go on (with today's words), ids of those that are over."""

    opened: tuple[Condition, ...] = ()
    seen: tuple[tuple[int, str], ...] = ()
    closed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """What to tell, and of which incidents: their beginning (`told`) and their end (`over`)."""

    title: str
    body: str
    told: tuple[int, ...]
    over: tuple[int, ...]


def changes(
    found: Iterable[Condition], open_: Iterable[Incident], now: datetime, settled: timedelta = SETTLED
) -> Changes:
    """Compare what is red with the incidents that are open."""
    red = {(c.kind, c.subject): c for c in found if c.red}
    known = {(i.kind, i.subject): i for i in open_}
    return Changes(
        opened=tuple(condition for key, condition in red.items() if key not in known),
        seen=tuple((incident.id, detail(red[key])) for key, incident in known.items() if key in red),
        closed=tuple(i.id for key, i in known.items() if key not in red and now - i.seen_at >= settled),
    )


def detail(condition: Condition) -> str:
    """Write what an incident's row says: the trouble, and what to do."""
    return f"{condition.says}\n{condition.do}"


def message(untold: Sequence[Incident], now: datetime) -> Message | None:
    """Word one message of everything that nobody has been told yet; None when there is nothing."""
    begun = [i for i in untold if i.told_at is None and i.closed_at is None]
    ended = [i for i in untold if i.closed_at is not None and now - i.closed_at <= _STALE]
    if not begun and not ended:
        return None
    return Message(
        title=_title(begun, ended),
        body="\n\n".join([*map(_begun, begun), *map(_ended, ended)]),
        told=tuple(i.id for i in (*begun, *ended) if i.told_at is None),
        over=tuple(i.id for i in ended),
    )


def _title(begun: Sequence[Incident], ended: Sequence[Incident]) -> str:
    parts = []
    if begun:
        parts.append(f"trouble: {_name(begun[0])}{_more(begun)}")
    if ended:
        parts.append(f"well again: {_name(ended[0])}{_more(ended)}")
    return f"vna: {'; '.join(parts)}"


def _more(incidents: Sequence[Incident]) -> str:
    return f" and {len(incidents) - 1} more" if len(incidents) > 1 else ""


def _name(incident: Incident) -> str:
    return f"{incident.kind} {incident.subject}".strip()


def _begun(incident: Incident) -> str:
    return f"{_name(incident)}, since {incident.opened_at:%Y-%m-%d %H:%M} UTC\n{incident.detail}"


def _ended(incident: Incident) -> str:
    lasted = span((incident.closed_at or incident.seen_at) - incident.opened_at)
    first, _, _ = incident.detail.partition("\n")
    return f"{_name(incident)}: over, after {lasted}\nit was: {first}"
