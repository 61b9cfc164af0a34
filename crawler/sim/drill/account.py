"""The account of a drill: everything that was lost, by all promises that a drill checks.

```
reconciliation   every article, version, field and removal of the site against the archive
responses        every whole response that a client received is archived
verify           the WARC files and the database are intact
manners          the promises to the site, by its own request log
durability       the settings of the database
rebuild          a database rebuilt from the WARC files alone has the same rows
```
Boundary: calls the checks; the service must be stopped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from crawler import app, opening
from crawler.pipeline import Silent
from crawler.repair.lexicon import Lexicon
from crawler.replay import rebuild
from crawler.sim.drill.contents import contents, gaps, requested_urls, responses
from crawler.sim.drill.drill import Drill
from crawler.sim.drill.power import unsafe_settings
from crawler.sim.drill.requests import Manners, misbehaviour, unarchived
from crawler.sim.reconcile import Discrepancy, Reconciliation, reconcile
from crawler.storage import FILE

AGENT = "vna"  # the name in each request


@dataclass(frozen=True, slots=True)
class Account:
    """The reconciliation with all losses, and the figures of the archive as in `DrillResult`."""

    reconciliation: Reconciliation
    files: int
    records: int
    gaps: int
    open_gaps: tuple[str, ...]


def account(drill: Drill, lexicon: Lexicon | None, missing_alarms: list[Discrepancy]) -> Account:
    """Return the account of a drill whose service is stopped. `lexicon` is that of the service."""
    with drill.service.archive() as archive:
        number, still_open = gaps(archive)
    held, verified = contents(drill.service.config)
    found = reconcile(drill.agency.truths(), held, drill.outages, drill.clock.true())
    lost = (*found.lost, *missing_alarms, *_other_losses(drill), *_differences(drill, lexicon))
    return Account(replace(found, lost=lost), verified.files, verified.records, number, still_open)


def _other_losses(drill: Drill) -> Iterator[Discrepancy]:
    log, config = drill.agency.log, drill.service.config
    with opening.writing_archive(config.archive) as archive:
        yield from unarchived(log, responses(archive))
        yield from unsafe_settings(archive)
        elsewhere = [url for url in requested_urls(archive) if not url.startswith(f"{drill.agency.url}/")]
    if elsewhere:
        yield Discrepancy("manners", None, f"{len(elsewhere)} requests to other hosts, for example to {elsewhere[0]}")
    yield from misbehaviour(log, Manners(1 / config.rate, AGENT, drill.limits))


def _differences(drill: Drill, lexicon: Lexicon | None) -> Iterator[Discrepancy]:
    """Rebuild the database from the WARC files, and yield the tables that are not equal to those of the archive."""
    config = drill.service.config
    into = config.archive / "rebuilt"
    with app.rebuilding(config, into, Silent(), clock=drill.clock, lexicon=lexicon) as run:
        report = rebuild(run, config.archive / FILE)
    if report.bug is not None or report.unread is not None:
        yield Discrepancy("rebuild", None, f"the database could not be rebuilt: {report.bug or report.unread}")
    for table in report.differing:
        columns = ", ".join(table.columns) or "rows"
        says = f"{table.differing} rows of {table.table} differ from the WARC files in {columns}"
        yield Discrepancy("rebuild", None, f"{says}: {', '.join((*table.lost_rows, *table.changed_rows))}")
