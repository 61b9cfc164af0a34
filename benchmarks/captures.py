"""Import of a large foreign WARC file, 2 % of whose records are of the site, compared with only reading the file."""

from __future__ import annotations

import argparse
import io
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from benchmarks.poll import SEEDS
from crawler import app, config, urls
from crawler.outcome import Outcome
from crawler.pipeline import Silent
from crawler.pipeline.captures import CaptureBatch, CaptureImport
from crawler.sim.site import SiteRequest, build
from crawler.site import ROOT
from crawler.warc.foreign import captures
from crawler.warc.import_tally import ImportTally, Skip

SHARE = 50  # one in 50 records is of the site
FILLERS = 400  # different records of other sites; they are repeated


def member(url: str, body: bytes, at: datetime) -> bytes:
    """Return one record as Common Crawl writes it."""
    data = io.BytesIO()
    writer = WARCWriter(data, gzip=True, warc_version="WARC/1.0")
    http = StatusAndHeaders("200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1")
    when = {"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ")}
    writer.write_record(
        writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=http, warc_headers_dict=when)
    )
    return data.getvalue()


def foreign_records() -> list[bytes]:
    """Return pages of other sites, as long as news pages and hard to compress."""
    rng = random.Random(7)
    words = [f"{rng.getrandbits(30):x}" for _ in range(5000)]
    when = datetime(2021, 3, 4, tzinfo=UTC)
    bodies = (" ".join(rng.choices(words, k=rng.randrange(800, 4000))).encode() for _ in range(FILLERS))
    return [member(f"https://site{n}.example.org/article/{n}", body, when) for n, body in enumerate(bodies)]


def own_records(count: int) -> Iterator[bytes]:
    """Yield pages of the site, as another archive captured them."""
    site = build(ROOT.rstrip("/"), seeds_dir=SEEDS, articles=count, now=lambda: datetime(2026, 11, 21, 8, tzinfo=UTC))
    for post_id in site.ids()[-count:]:
        story = site.story(post_id)
        page = site.respond(SiteRequest("GET", story.path)).decoded
        yield member(site.url + story.path, page, story.published)


def write(path: Path, records: int) -> int:
    """Write the file and return its size in bytes."""
    fillers, own = foreign_records(), own_records(records // SHARE)
    with path.open("wb") as file:
        for n in range(records):
            file.write(next(own) if n % SHARE == 0 else fillers[n % len(fillers)])
    return path.stat().st_size


def resident() -> float:
    """Return the resident memory of this process in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Memory(Silent):
    """Records the memory at each capture."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def step(self, outcome: Outcome) -> None:
        del outcome
        self.seen.append(resident())


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--records", type=int, default=100_000)
    records = options.parse_args().records
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "CC-NEWS-like.warc.gz"
        size = write(path, records)
        print(f"{records} records, {size / 1e6:.0f} MB, one in {SHARE} of the site")
        measure_reading(path)
        measure_import(path, Path(folder) / "archive")


def unwanted(url: str) -> Skip | None:
    """Return why an address is not imported."""
    return None if urls.host(url) == urls.host(ROOT) else Skip.OTHER_SITE


def measure_reading(path: Path) -> None:
    """Compare `captures` with a bare reader, run alternately; print medians."""
    bare, own = [], []
    for _ in range(3):
        start = time.process_time()
        with path.open("rb") as file:
            count = sum(1 for _ in ArchiveIterator(file))
        bare.append(time.process_time() - start)
        start = time.process_time()
        tally = ImportTally()
        found = sum(1 for _ in captures(path, unwanted, tally))
        own.append(time.process_time() - start)
    one, other = sorted(bare)[1], sorted(own)[1]
    print(f"bare reader      {count / one:8.0f} records/s")
    print(
        f"captures() alone {count / other:8.0f} records/s, {found} of the site; {other / one:.2f} x the time of the bare reader"
    )


def measure_import(path: Path, archive: Path) -> None:
    """Measure a whole import, and its memory over time."""
    settings = config.load(None, config.Overrides(archive=archive))
    memory = Memory()
    start = time.process_time()
    with app.working(settings, "bench", memory, role="backfill") as work:
        result = CaptureImport(path.name)
        CaptureBatch(work).read(path, result)
    spent = time.process_time() - start
    seen = memory.seen
    tenths = [f"{max(seen[len(seen) * n // 10 : len(seen) * (n + 1) // 10]):.0f}" for n in range(10)]
    print(
        f"imported         {dict(result.verdicts)} in {spent:.0f} s CPU, {spent / max(1, len(seen)) * 1000:.1f} ms each"
    )
    print(f"maximum memory in each tenth of the file, MB: {' '.join(tenths)}")
