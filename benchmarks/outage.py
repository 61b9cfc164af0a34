"""Two days without the crawler, on a real socket: a gap is opened, filled and closed; without the sitemap it stays open.

Crawler and site share one clock.
"""

from __future__ import annotations

import argparse
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
from crawler import app, collect, config, opening
from crawler.pipeline import Silent
from crawler.sim.site import Options, build, serve
from crawler.sim.site.server import Serving

OUTAGE = timedelta(days=2)
#: The feed has 30 articles (half a day), the lists are shorter than the outage, and their further pages fail: only the
#: sitemap lists all articles.
OPTIONS = Options(era=3, feed_size=30, home_size=30, section_size=8, no_news_sitemap=True)
LOAD_MORE = "/api/get-zone*"


@contextmanager
def polled_site() -> Iterator[tuple[Serving, Path, SharedClock, Callable[[], None]]]:
    """Serve a site and poll it once; yield also a function that polls it again."""
    clock = SharedClock()
    with (
        serve(lambda url: build(url, seeds_dir=SEEDS, articles=60, now=clock.now, options=OPTIONS)) as site,
        tempfile.TemporaryDirectory() as folder,
    ):
        settings = config.load(None, config.Overrides(archive=Path(folder), site=site.url, rate=1))

        def tick() -> None:
            with app.working(settings, "bench", Silent(), clock=clock) as work:
                collect.poll(work)

        tick()
        site.fake_site.fault("error", path=LOAD_MORE)
        yield site, Path(folder), clock, tick


def outage(site: Serving, clock: SharedClock) -> set[int]:
    """Advance the clock by two days; return the ids published in that time."""
    published = site.fake_site.plan(clock.now() + OUTAGE)
    clock.sleep(OUTAGE.total_seconds())
    return set(published)


def show(folder: Path, site: Serving, published: set[int]) -> None:
    """Print the gaps and the number of missing articles."""
    with opening.reading_archive(folder) as archive:
        held = {row["id"] for row in archive.db.query("SELECT id FROM articles")}
        for row in archive.db.query("SELECT g.*, s.url FROM gaps g JOIN sources s ON s.id = g.source ORDER BY g.id"):
            end = f"closed {row['closed_at']} by {row['closed_by']}" if row["closed_at"] else f"open: {row['note']}"
            path = row["url"].removeprefix(site.url)
            print(
                f"  gap {path:20} {row['since']} to {row['until']}, ids {row['after_id']} to {row['before_id']}; {end}"
            )
    print(
        f"  published during the outage {len(published)}, archived {len(published & held)}, missing {len(published - held)}"
    )


def status(folder: Path, site: Serving) -> None:
    """Print what `vna status` shows about gaps, as text and as JSON."""
    command = [sys.executable, "-m", "crawler", "--archive", str(folder), "--site", site.url, "status"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    at = text.index("open gaps")
    print("  vna status:", *text[at:].split("\n\n")[0].splitlines(), sep="\n    ")
    found = json.loads(subprocess.run([*command, "--json"], check=True, capture_output=True, text=True).stdout)
    print(f"  vna status --json: {len(found['gaps'])} gaps, the first: {json.dumps(found['gaps'][0])}")


def main() -> None:
    """Print both cases."""
    argparse.ArgumentParser(prog="outage", description=__doc__).parse_args()
    print("outage of two days; the feed shows half a day, the sitemap of the month is available:")
    with polled_site() as (site, folder, clock, tick):
        published = outage(site, clock)
        tick()
        show(folder, site, published)
    print("the same, but the sitemaps return status 500:")
    with polled_site() as (site, folder, clock, tick):
        site.fake_site.fault("error", path="/sitemap*")
        published = outage(site, clock)
        tick()
        show(folder, site, published)
        status(folder, site)
        print("seven hours later, the sitemaps are available again:")
        site.fake_site.clear()
        site.fake_site.fault("error", path=LOAD_MORE)
        clock.sleep(7 * 3600)
        tick()
        show(folder, site, published)
