"""Two days without the crawler, on a real socket: the gap is opened, filled and closed; with the sitemap down it stays open.

One clock is shared by the crawler and the site.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from benchmarks.month import SharedClock
from benchmarks.poll import SEEDS
from crawler import app, config, pipeline
from crawler.pipeline import Silent
from crawler.sim.site import Options, build, serve
from crawler.sim.site.server import Serving

OUTAGE = timedelta(days=2)
#: A feed of 30, half a day; lists shorter than the outage; further pages fail, so that only the sitemap has it all.
OPTIONS = Options(era=3, feed_size=30, home_size=30, section_size=8, no_news_sitemap=True)
FURTHER = "/api/get-zone*"


@contextmanager
def watched() -> Iterator[tuple[Serving, Path, SharedClock, Callable[[], None]]]:
    """Serve a site and look at it once; give also what makes one tick."""
    clock = SharedClock()
    with (
        serve(lambda url: build(url, seeds_dir=SEEDS, articles=60, now=clock.now, options=OPTIONS)) as site,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = config.load(None, config.Overrides(archive=Path(folder), site=site.url, rate=1))

        def tick() -> None:
            with app.working(settings, "bench", Silent(), clock=clock) as work:
                pipeline.poll(work)

        tick()
        site.replica.fault("error", path=FURTHER)
        yield site, Path(folder), clock, tick


def outage(site: Serving, clock: SharedClock) -> set[int]:
    """Let two days pass; give what was published in them."""
    published = site.replica.plan(clock.now() + OUTAGE)
    clock.sleep(OUTAGE.total_seconds())
    return set(published)


def show(folder: Path, site: Serving, published: set[int]) -> None:
    """Print the gaps and what is missing."""
    with app.reading_archive(folder) as archive:
        held = {row["id"] for row in archive.db.query("SELECT id FROM articles")}
        for row in archive.db.query("SELECT g.*, s.url FROM gaps g JOIN sources s ON s.id = g.source ORDER BY g.id"):
            end = f"closed {row['closed_at']} by {row['closed_by']}" if row["closed_at"] else f"open: {row['note']}"
            path = row["url"].removeprefix(site.url)
            print(
                f"  gap {path:20} {row['since']} to {row['until']}, ids {row['after_id']} to {row['before_id']}; {end}"
            )
    print(f"  published meanwhile {len(published)}, archived {len(published & held)}, missing {len(published - held)}")


def status(folder: Path, site: Serving) -> None:
    """Print what `vna status` says of gaps, in words and in JSON."""
    command = [sys.executable, "-m", "crawler", "--archive", str(folder), "--site", site.url, "status"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    at = text.index("open gaps")
    print("  vna status:", *text[at:].split("\n\n")[0].splitlines(), sep="\n    ")
    found = json.loads(subprocess.run([*command, "--json"], check=True, capture_output=True, text=True).stdout)
    print(f"  vna status --json: {len(found['gaps'])} gaps, the first: {json.dumps(found['gaps'][0])}")


def main() -> None:
    """Print both stories."""
    print("two days of outage, the feed shows half a day, the month's sitemap answers:")
    with watched() as (site, folder, clock, tick):
        published = outage(site, clock)
        tick()
        show(folder, site, published)
    print("the same, and the sitemaps answer 500:")
    with watched() as (site, folder, clock, tick):
        site.replica.fault("error", path="/sitemap*")
        published = outage(site, clock)
        tick()
        show(folder, site, published)
        status(folder, site)
        print("the sitemaps are back, seven hours later:")
        site.replica.clear()
        site.replica.fault("error", path=FURTHER)
        clock.sleep(7 * 3600)
        tick()
        show(folder, site, published)
