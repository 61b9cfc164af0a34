"""Telling each address what it has not been told: once, also while another address takes nothing.

Who took what is remembered here only until everybody has: then it is on the incidents' rows. An address that refuses is
asked again after ever longer times, and keeps nobody else waiting.

Boundary: order and that memory; the wording is `policy`'s, the sending `alerts`'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crawler import alerts, schedule
from crawler.errors import NotTold
from crawler.health import incidents
from crawler.health.incidents import Incident, Message

_LONGEST_RETRY = timedelta(hours=1)


@dataclass
class _Listener:
    """What one address took, as ids of incidents and whether it was of their end; and how often it refused in a row."""

    heard: set[tuple[int, bool]] = field(default_factory=set)
    failures: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What came of it: who refused, in words, and whether nobody is left to be told."""

    refused: tuple[NotTold, ...]
    everybody: bool


class Telling:
    """Tells of incidents."""

    def __init__(self) -> None:
        self._listeners: defaultdict[str, _Listener] = defaultdict(_Listener)

    def tell(self, addresses: Sequence[str], untold: Sequence[Incident], now: datetime) -> Told:
        """Send each address one message of all that it was not told."""
        waiting, refused = False, []
        for address in addresses:
            listener = self._listeners[address]
            message = incidents.message([i for i in untold if _key(i) not in listener.heard], now)
            if message is None:
                continue
            if listener.due_at is not None and now < listener.due_at <= now + _LONGEST_RETRY:
                waiting = True
                continue
            if (error := _sent(address, message)) is not None:
                refused.append(error)
                listener.failures += 1
                listener.due_at = min(schedule.retry_at(now, listener.failures), now + _LONGEST_RETRY)
                continue
            listener.failures, listener.due_at = 0, None
            listener.heard |= {_key(i) for i in untold if i.id in {*message.told, *message.over}}
        everybody = not refused and not waiting
        if everybody:
            self._listeners.clear()
        return Told(tuple(refused), everybody)


def _key(incident: Incident) -> tuple[int, bool]:
    return incident.id, incident.closed_at is not None


def _sent(address: str, message: Message) -> NotTold | None:
    try:
        alerts.send((address,), message.title, message.body)
    except NotTold as error:
        return error
    return None
