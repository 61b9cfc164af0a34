"""A whole poll (fetch, WARC, parse, repair, decide, SQLite with index), compared with only fetching the same pages."""

from __future__ import annotations

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

from crawler import app, collect, config, lexicon
from crawler.pipeline import Silent
from crawler.sim.site import build, serve

SEEDS = Path(__file__).parent.parent / "seeds"
ARTICLES = 200


def main() -> None:
    """Print the table."""
    words = lexicon.load()
    with (
        serve(lambda url: build(url, seeds_dir=SEEDS, articles=ARTICLES, now=lambda: datetime.now(UTC))) as site,
        tempfile.TemporaryDirectory() as folder,
    ):
        paths = [site.fake_site.story(i).path for i in site.fake_site.ids()]
        with httpx.Client(headers={"Accept-Encoding": "gzip"}) as client:
            start = time.process_time()
            for path in paths:
                client.get(site.url.rstrip("/") + path)
            fetching = time.process_time() - start
        settings = config.load(None, config.Overrides(archive=Path(folder), site=site.url, rate=0))
        for name in ("first poll, everything new", "second poll, nothing new"):
            start = time.process_time()
            with app.working(settings, "bench", Silent(), lexicon=words) as work:
                report = collect.poll(work, ignore_due=True)
            spent = time.process_time() - start
            print(
                f"{name:30} {report.new:4} new {report.unchanged:4} unchanged, {report.requests} requests,"
                f" {report.bytes / 1e6:.1f} MB; {spent / len(paths) * 1000:6.1f} ms per page, {spent / fetching:5.1f} x fetching"
            )
    print(f"(fetching alone: {fetching / len(paths) * 1000:.1f} ms per page; all figures include the fake site)")
