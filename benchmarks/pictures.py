"""The cost of keeping pictures: CPU time and bytes for each article and picture on the fake site, and of decoding.

./run.sh bench pictures
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from benchmarks.timing import medians, table
from crawler import app, collect, config
from crawler.parser_process import decode_picture
from crawler.pictures import read_header
from crawler.pipeline import Silent
from crawler.sim.site import Options, build, serve
from crawler.sim.site.pictures import ShownPicture, encoded

SEEDS = Path(__file__).parent.parent / "seeds"
ARTICLES = 60
ROUNDS = 3
BOUND_MS = 25.0  # CPU time of one picture from the request to the rows, with fsync


def polled(keep: str) -> tuple[float, int, int, int, int]:
    """Poll a new archive; return CPU seconds, articles, pictures, and the bytes of the WARC files and the database."""
    options = Options(no_samples=True, no_api=True, section_size=ARTICLES, home_size=ARTICLES, feed_size=ARTICLES)
    with (
        serve(
            lambda url: build(url, seeds_dir=SEEDS, articles=ARTICLES, now=lambda: datetime.now(UTC), options=options)
        ) as site,
        tempfile.TemporaryDirectory() as folder,
    ):
        for key in site.fake_site.ids():  # the site encodes its pictures in Python: not part of the cost
            for picture in site.fake_site.story(key).pictures:
                path = (picture.url or "").removeprefix(site.url.rstrip("/"))
                encoded(ShownPicture(path), "." + path.rpartition(".")[2])
        settings = config.load(None, config.Overrides(archive=Path(folder), site=site.url, rate=0))
        start = time.process_time()
        with app.working(replace(settings, keep_pictures=keep), "bench", Silent()) as run:
            report = collect.poll(run)
            spent = time.process_time() - start
            pictures = run.archive.picture_counts()["held"]
        sizes = [sum(f.stat().st_size for f in Path(folder).rglob(name)) for name in ("*.warc.gz", "vna.db*")]
    return spent, report.new, pictures, sizes[0], sizes[1]


def photo(width: int, height: int) -> bytes:
    """Return a JPEG with as much detail as a photograph has: 100 kB at 1000 x 667."""
    noise = Image.frombytes(
        "RGB", (width // 4, height // 4), random.Random(1).randbytes(width // 4 * (height // 4) * 3)
    )
    out = io.BytesIO()
    noise.resize((width, height), Image.Resampling.BICUBIC).save(out, "JPEG", quality=75)
    return out.getvalue()


def main() -> int:
    """Print the tables; return 1 if a picture costs more than the bound."""
    argparse.ArgumentParser(prog="pictures", description=__doc__).parse_args()
    rounds = [(polled("none"), polled("lead")) for _ in range(ROUNDS)]
    (_, articles, _, warc, base), (_, _, pictures, more_warc, more_base) = rounds[-1]
    cost = statistics.median(with_[0] - without[0] for without, with_ in rounds) / pictures * 1000
    print(f'{articles} articles, {pictures} pictures at keep = "lead", {ROUNDS} pairs of polls')
    print(f"CPU time of a picture, with the fake site:   {cost:6.1f} ms (bound: {BOUND_MS:.0f} ms)")
    print(f"CPU time of an article without its picture:  {rounds[-1][0][0] / articles * 1000:6.1f} ms")
    print(f"WARC bytes of an article: {warc / articles:8.0f}, with its picture {more_warc / articles:8.0f}")
    print(f"database bytes:           {base / articles:8.0f}, with its picture {more_base / articles:8.0f}")
    print("\ndecoding and hashing:")
    bodies = {
        "1000 x 667 JPEG": photo(1000, 667),
        "2000 x 1333 JPEG": photo(2000, 1333),
        "6000 x 4000 JPEG": photo(6000, 4000),
    }
    found = medians(
        {
            f"{name}, {len(body) // 1000} kB": lambda b=body: decode_picture(b, read_header(b))
            for name, body in bodies.items()
        },
        3,
    )
    table(found, 1, next(iter(found)))
    print("(the last one in the parser process, whose own CPU time is not counted)")
    return int(cost > BOUND_MS)
