"""A scenario in which much goes wrong, run as a process: prints as JSON everything that is stored, except messages.

`test_messages.py` runs it twice: with the package as it is, and with a copy in which every message is gibberish.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path

from support import NOW, SEED_TEXTS, FakeClock, RecordedProgress, configured, mounted, rows, seeds_folder, working

from crawler import app, backfill, collect, opening, replay
from crawler.errors import StopError
from crawler.health.checks import conditions
from crawler.pipeline import import_file, recorded
from crawler.plan_values import BackfillRequest
from crawler.sim.site import SECTIONS, Options
from crawler.storage import FILE

QUERIES = {
    "pages": "SELECT id, state, next_due_at, failures, lies, unhinted, error_kind, error IS NULL FROM pages ORDER BY id",
    "sources": "SELECT url, state, next_due_at, failures, lies, items, error_kind, error IS NULL FROM sources ORDER BY url",
    "steps": "SELECT plan, kind, target, state, found, failures, error_kind FROM plan_steps ORDER BY plan, position",
    "plan_pages": "SELECT plan, page FROM plan_pages ORDER BY plan, page",
    "gaps": "SELECT source, since, until, state, closed_by, tried FROM gaps ORDER BY id",
    "articles": "SELECT id, revision, state, fingerprint FROM articles ORDER BY id",
    "duplicates": "SELECT article, other, kind FROM duplicates ORDER BY article, other",
    "raw": "SELECT url, status, purpose FROM raw ORDER BY id",
    "runs": "SELECT command, outcome FROM runs ORDER BY id",
}


def collected(archive: Path, clock: FakeClock, outcomes: Counter[str]) -> None:
    """Poll while articles change and disappear, and while responses fail in many ways."""

    def poll(*, everything: bool = False) -> None:
        with working(archive, clock) as run:
            collect.poll(run, ignore_due=everything)
            outcomes.update(outcome.kind for outcome in run.progress.outcomes)

    with working(archive, clock, command="import", role="text") as run:
        import_file(run, "seed.txt", SEED_TEXTS["001"])
    options = Options(section_size=2, no_api=True, sections=SECTIONS[:2], validators=True, overlap=5, history=2)
    with mounted(clock, articles=3, options=options, seeds=seeds_folder("001")) as mounted_site:
        site = mounted_site.fake_site
        poll()
        first, second, third, fourth, fifth, *_ = sorted(site.ids(), reverse=True)
        clock.advance(minutes=50)
        site.revise(first)
        site.unpublish(second, 404)
        site.unpublish(third, 302)
        site.fault("error", site.story(fourth).path, 4)
        site.fault("block", site.story(fifth).path, 2)
        site.fault("truncate", "/rss/*", 4)
        site.fault("throttle", "/economie*", 2)
        poll(everything=True)
        for hours in (6, 26):
            clock.advance(hours=hours)
            site.publish(3)
            site.fault("block", "/politique/*", 1)
            site.fault("error", "*page*", 3)
            poll()
        hidden = site.ids()[-2]
        site.hide(hidden)
        backfilled(archive, clock, outcomes)
        site.redesign()
        clock.advance(days=1)
        site.publish(2)
        poll()


def backfilled(archive: Path, clock: FakeClock, outcomes: Counter[str]) -> None:
    """Run a plan by sitemaps and one by ids."""
    with working(archive, clock, command="backfill", role="backfill") as run, recorded(run, "backfill"):
        for via in ("sitemap", "ids"):
            request = BackfillRequest(via, date(2026, 11, 1), date(2026, 11, 24))
            backfill.open_plan(run, request, until_given=True)
            try:
                while (item := backfill.advance(run)) is not None:
                    outcomes.update([item.outcome.kind])
            except StopError as error:
                outcomes.update([type(error).__name__])


def main(folder: Path) -> None:
    """Run the scenario in a folder and print what it left there."""
    archive, clock = folder / "archive", FakeClock(NOW)
    outcomes: Counter[str] = Counter()
    collected(archive, clock, outcomes)
    with app.rebuilding(configured(archive), archive / "rebuilt", RecordedProgress(), clock=clock) as run:
        rebuilt = replay.rebuild(run, archive / FILE)
    with opening.reading_archive(archive) as opened:
        facts = opened.health_facts(clock.now(), clock.now())
    found = {name: [list(row.values()) for row in rows(archive, sql)] for name, sql in QUERIES.items()}
    found["outcomes"] = sorted(outcomes.items())
    found["conditions"] = sorted(c.kind for c in conditions(facts) if c.failing)
    found["rebuild"] = [asdict(rebuilt.replayed), [table.table for table in rebuilt.differing]]
    print(json.dumps(found, default=str))  # noqa: T201 - the output of the process


if __name__ == "__main__":
    main(Path(sys.argv[1]))
