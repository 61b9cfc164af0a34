"""Request the pictures of articles that the archive holds already.

There is no plan: what is missing follows from the rows, so that this can be stopped and run again at any time.

Boundary: only calls other modules in the right order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crawler.errors import SitePaused
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import Run
from crawler.pipeline.pictures import visit_picture, wanted_address

_STEP = 1.0  # seconds after which a wait looks whether a stop was requested


@dataclass
class PictureTally:
    """How many pictures were fetched, and how many requests gave none."""

    fetched: int = 0
    failed: int = 0


def missing_pictures(run: Run, since: str | None, until: str | None) -> Iterator[str]:
    """Yield the addresses of the pictures to request now, those of the newest articles first, each once.

    `since` and `until` are days of publication in Hanoi, both included.
    """
    seen: set[str] = set()
    only_lead = run.settings.pictures.only_lead
    for url in run.archive.images_without_picture(only_lead=only_lead, since=since, until=until):
        address = wanted_address(run, url, retry_given_up=True)
        if address is not None and address not in seen:
            seen.add(address)
            yield address


def fetch_pictures(run: Run, since: str | None, until: str | None, *, waits: bool) -> PictureTally:
    """Request the missing pictures until all were requested, or a stop is requested.

    If no request is allowed now and `waits` is true, wait until one is.

    Raises:
        SitePaused: `waits` is false, and no request may be sent for more than two minutes.
        StopError: the work cannot continue.

    """
    run.progress.phase("pictures", sum(1 for _ in missing_pictures(run, since, until)))
    tally = PictureTally()
    for address in missing_pictures(run, since, until):
        outcome = _visit(run, address, waits=waits)
        if outcome is None:
            break
        tally.failed += outcome.kind is OutcomeKind.FAILED
        tally.fetched += outcome.kind not in (OutcomeKind.FAILED, OutcomeKind.SKIPPED)
        run.progress.step(outcome)
    return tally


def _visit(run: Run, address: str, *, waits: bool) -> Outcome | None:
    """Request a picture, if necessary after a wait; return None if a stop was requested."""
    while not run.stopping():
        try:
            return visit_picture(run, address)
        except SitePaused as pause:
            if not waits:
                raise
            run.progress.step(Outcome(OutcomeKind.WAITING, url=address, detail=str(pause)))
            while run.clock.now() < pause.until and not run.stopping():
                run.clock.sleep(_STEP)
    return None
