"""Incidents: when a failing condition begins or ends an incident, and which incidents still need an alert.

A condition that keeps failing is one incident, from its first failure until it has not failed for `RESOLVE_AFTER`. So a
condition that fails and recovers every minute causes one alert for its beginning and one for its end.

Boundary: pure functions. They turn conditions, incidents and the current instant into changes to write and messages to
send.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from crawler.health.checks import span
from crawler.health.figures import Condition, Incident, IncidentChanges, Message

RESOLVE_AFTER = timedelta(minutes=10)  # an incident ends when its condition has not failed for this long
_STALE = timedelta(days=1)  # an end that could not be reported for this long is not reported any more


def find_changes(
    found: Iterable[Condition], open_: Iterable[Incident], now: datetime, resolve_after: timedelta = RESOLVE_AFTER
) -> IncidentChanges:
    """Compare the failing conditions in `found` with the open incidents `open_`; return the changes to write."""
    failing = {(c.kind, c.subject): c for c in found if c.failing}
    known = {(i.kind, i.subject): i for i in open_}
    return IncidentChanges(
        opened=tuple(condition for key, condition in failing.items() if key not in known),
        seen=tuple((incident.id, failing[key].detail) for key, incident in known.items() if key in failing),
        closed=tuple(i.id for key, i in known.items() if key not in failing and now - i.seen_at >= resolve_after),
    )


def compose_message(unreported: Sequence[Incident], now: datetime) -> Message | None:
    """Return one message about all incidents whose beginning or end was not reported; None if there are none.

    An incident that began and ended before it could be reported appears once, as resolved.
    """
    opened = [i for i in unreported if i.told_at is None and i.closed_at is None]
    closed = [i for i in unreported if i.closed_at is not None and now - i.closed_at <= _STALE]
    if not opened and not closed:
        return None
    return Message(
        title=_title(opened, closed),
        body="\n\n".join([*map(_opened, opened), *map(_resolved, closed)]),
        opened=tuple(i.id for i in (*opened, *closed) if i.told_at is None),
        closed=tuple(i.id for i in closed),
    )


def _title(opened: Sequence[Incident], closed: Sequence[Incident]) -> str:
    parts = []
    if opened:
        parts.append(f"incident: {_name(opened[0])}{_more(opened)}")
    if closed:
        parts.append(f"resolved: {_name(closed[0])}{_more(closed)}")
    return f"vna: {'; '.join(parts)}"


def _more(incidents: Sequence[Incident]) -> str:
    return f" and {len(incidents) - 1} more" if len(incidents) > 1 else ""


def _name(incident: Incident) -> str:
    return f"{incident.kind} {incident.subject}".strip()


def _opened(incident: Incident) -> str:
    return f"{_name(incident)}: open since {incident.opened_at:%Y-%m-%d %H:%M} UTC\n{incident.detail}"


def _resolved(incident: Incident) -> str:
    lasted = span((incident.closed_at or incident.seen_at) - incident.opened_at)
    last, _, _ = incident.detail.partition("\n")
    return f"{_name(incident)}: resolved after {lasted}\nlast message: {last}"
