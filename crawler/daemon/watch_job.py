"""The job `watch`: find new hits of the searches in `[watch]`, and send each to each recipient once.

A hit is marked before it is sent and again afterwards. If the process is killed in between, it is sent again, and the
message says so: nothing is lost. A recipient that cannot be reached does not delay the others.

Boundary: calls `storage`, `alerts` and `crawler.watches` in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from crawler import alerts, query, watches
from crawler.config import Config, load_synonyms
from crawler.errors import BadInput, NotDelivered
from crawler.pipeline import Run

Send = Callable[[Sequence[str], str, str], None]


def send_hits(run: Run, config: Config, send: Send = alerts.send) -> list[str]:
    """Find and send the hits that are due; return what went wrong, as messages for people."""
    if not config.alerts:
        return ["no recipients are configured for [watch]: [alerts] to is empty"]
    problems: list[str] = []
    synonyms = query.Synonyms(load_synonyms(config.file))
    for name, text in config.watches.items():
        try:
            match = query.parse(text, synonyms).match
        except BadInput as error:
            problems.append(f"[watch] {name}: {error}")
            continue
        _find(run, config, name, text, match)
        for address in config.alerts:
            problems += _send_due(run, config, name, address, send)
    return problems


def _find(run: Run, config: Config, name: str, text: str, match: str) -> None:
    now = run.clock.now()
    with run.archive.transaction():
        since = run.archive.begin_watch(name, text, now)
        recipients = [watches.recipient_key(address) for address in config.alerts]
        run.archive.add_watch_hits(name, match, since, recipients, now)


def _send_due(run: Run, config: Config, name: str, address: str, send: Send) -> list[str]:
    """Send a recipient the hits that are due, in messages of at most 50; return an error, if there was one."""
    recipient, now = watches.recipient_key(address), run.clock.now()
    while hits := _due(run, config, name, recipient, now):
        message = watches.digest(name, hits)
        run.archive.mark_hits(name, recipient, hits, begun=now, sent=None)
        try:
            send((address,), message.title, message.body)
        except NotDelivered as error:
            # A hit that an earlier process began to send may have arrived, so that it stays marked.
            new = [hit for hit in hits if not hit.is_begun]
            run.archive.mark_hits(name, recipient, new, begun=None, sent=None)
            return [f"[watch] {name}: {error}"]
        run.archive.mark_hits(name, recipient, hits, begun=now, sent=run.clock.now())
    return []


def _due(run: Run, config: Config, name: str, recipient: str, now: datetime) -> list[watches.Hit]:
    hits = run.archive.unsent_hits(name, recipient, watches.MOST_SENT)
    return hits if watches.is_due(hits, config.watch_every, now) else []
