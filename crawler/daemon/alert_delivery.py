"""Alert delivery: send each recipient every incident once, even while another recipient cannot be reached.

The incidents that each recipient has received are kept in memory. Once all recipients have received all incidents, the
rows of the incidents are marked as reported. A failing recipient is retried with exponential backoff and does not delay
the others.

Boundary: decides who receives what, and when. `health.incidents` writes the messages, `alerts` sends them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crawler import alerts, schedule
from crawler.errors import NotDelivered
from crawler.health import incidents
from crawler.health.figures import Incident, Message

_LONGEST_RETRY = timedelta(hours=1)


@dataclass
class _Recipient:
    """Delivery state of one address.

    `received` contains a pair for each report that the address has received: the id of the incident, and whether the
    report was about its end. `failures` counts failed deliveries in a row; the next attempt is made at `due_at`.
    """

    received: set[tuple[int, bool]] = field(default_factory=set)
    failures: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Result of one delivery: an error for each failed address, and whether all addresses have all incidents."""

    errors: tuple[NotDelivered, ...]
    complete: bool


class AlertDelivery:
    """Delivers alerts about incidents to the configured addresses."""

    def __init__(self) -> None:
        self._recipients: defaultdict[str, _Recipient] = defaultdict(_Recipient)

    def deliver(self, addresses: Sequence[str], unreported: Sequence[Incident], now: datetime) -> Delivery:
        """Send each address one message about the `unreported` incidents that it has not been told about.

        Failures are returned, not raised. An address that failed is skipped until its next attempt is due.
        """
        waiting, errors = False, []
        for address in addresses:
            recipient = self._recipients[address]
            message = incidents.compose_message([i for i in unreported if _key(i) not in recipient.received], now)
            if message is None:
                continue
            # the upper bound ends the wait if the clock was set back: `due_at` may then be days ahead
            if recipient.due_at is not None and now < recipient.due_at <= now + _LONGEST_RETRY:
                waiting = True
                continue
            if (error := _send(address, message)) is not None:
                errors.append(error)
                recipient.failures += 1
                recipient.due_at = min(schedule.retry_at(now, recipient.failures), now + _LONGEST_RETRY)
                continue
            recipient.failures, recipient.due_at = 0, None
            recipient.received |= {_key(i) for i in unreported if i.id in {*message.opened, *message.closed}}
        complete = not errors and not waiting
        if complete:
            self._recipients.clear()
        return Delivery(tuple(errors), complete)


def _key(incident: Incident) -> tuple[int, bool]:
    return incident.id, incident.closed_at is not None


def _send(address: str, message: Message) -> NotDelivered | None:
    try:
        alerts.send((address,), message.title, message.body)
    except NotDelivered as error:
        return error
    return None
