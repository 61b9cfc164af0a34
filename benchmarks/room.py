"""The pages of `vna browse` in a large archive, compared with Datasette's bare table page in the same run.

./run.sh bench room                          20,000 articles
./run.sh bench room --articles 260000 --keep /tmp/large   (as many as the French edition has; filling takes ten minutes)

Each page is requested through the server's own code, without a socket, after one warm-up request; the pages take turns.
The bare page is the table `articles` in Datasette without plugins and metadata.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks import room_archive, search
from crawler.cli.serving import SETTINGS
from crawler.storage import FILE, open_archive

ROOT = Path(__file__).parents[1]
ROUNDS = 30
WORDS = (
    "Vietnam",
    "coopération",
    "étrangères",
    "crevettes",
    '"Premier ministre"',
    "saxophone",
    "tourisme Laos",
    "export*",
)
#: The largest allowed ratio of the median to that of the bare page.
GOALS = {"front": 3.0}
GOAL = 2.0
#: The pages of Datasette without plugins. The first is the peer of the ratios; neither has a goal.
BARE = {
    "bare table page": "/vna/articles",
    "the same, least work": "/vna/articles?_nosuggest=1&_nofacet=1&_nocount=1",
}


def pages(ids: Sequence[int], revised_ids: Sequence[int], rng: random.Random) -> dict[str, str]:
    """Return the address of each page, with articles and words drawn at random."""
    word, other, number, revised = rng.choice(WORDS), rng.choice(WORDS), rng.choice(ids), rng.choice(revised_ids)
    return {
        "front": "/",
        "article": f"/article/{number}",
        "article, hits marked": f"/article/{number}?q={word}",
        "revised article": f"/article/{revised}",
        "article as of a day": f"/article/{revised}?as_of=2026-11-22&known_at=2026-11-22",
        "citation": f"/article/{number}/cite.bib",
        "search": f"/find?q={word}",
        "search, filtered": f"/find?q={word}&section=Politique&year=2020",
        "section": "/find?section=Politique",
        "no such section": "/find?section=Autre",
        "search, oldest first": f"/find?q={word}&sort=oldest",
        "all articles": "/find",
        "timeline": f"/timeline?q={word}",
        "timeline, two terms": f"/timeline?q={word}&q={other}",
        "coverage": "/coverage",
        "changes": "/changes",
        "silent edits": "/changes?silent=1",
        "changes of a kind": "/changes?kind=figure",
        "changes of a rare kind": "/changes?kind=quote",
        "removed": "/removed",
        "prominence": "/prominence?on=2026-11-20",
        "random": "/random",
        "feed": f"/feed.atom?q={word}",
        "feed of edits": "/feed.atom?kind=edits",
        "table, with plugins": "/vna/articles",
        "table search": f"/vna/articles?_search={word}",
    }


def servers(folder: Path) -> tuple[Any, Any]:
    """Return Datasette without plugins, and with those of the project."""
    from datasette.app import Datasette

    os.environ |= {"VNA_HOSTS": "localhost", "VNA_CONFIG": str(ROOT / "config" / "crawler.toml")}
    metadata = yaml.safe_load((ROOT / "config" / "datasette.yaml").read_text("utf-8"))
    database = [str(folder / FILE)]
    bare = Datasette(database)
    bare.app()  # before the plugins of the other one are registered for the whole process
    plugins = str(ROOT / "config" / "datasette")
    settings = {name: value == "on" if value in ("on", "off") else value for name, value in SETTINGS.items()}
    return bare, Datasette(database, metadata=metadata, plugins_dir=plugins, settings=settings)


async def measure(folder: Path, ids: Sequence[int], revised: Sequence[int], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of each page, in the order of the requests."""
    bare, room = servers(folder)
    rng = random.Random(5)
    times: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        requests = [(name, bare, address) for name, address in BARE.items()]
        requests += [(name, room, address) for name, address in pages(ids, revised, rng).items()]
        for name, server, address in requests:
            start = time.perf_counter()
            response = await server.client.get(address)
            took = (time.perf_counter() - start) * 1000
            assert response.status_code in (200, 302), (response.status_code, address)
            if number:  # the first round warms the caches
                times.setdefault(name, []).append(took)
    return times


def main() -> int:
    """Fill or reuse an archive, measure, and print the table; return 1 if a page is slower than its goal."""
    parser = search.parser("room", __doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("--rounds must be at least 2: a percentile needs two values")
    with search.filled_folder(options.keep, lambda archive: room_archive.fill(archive, options.articles)) as folder:
        with open_archive(folder) as archive:
            ids = [row[0] for row in archive.db.execute("SELECT id FROM articles")]
            revised = [row[0] for row in archive.db.execute("SELECT article FROM revisions WHERE revision = 2")]
        print(f"{options.rounds} rounds")
        times = asyncio.run(measure(folder, ids, revised, options.rounds))
    base = statistics.median(times["bare table page"])
    slow = False
    for name, values in times.items():
        median, p95 = statistics.median(values), statistics.quantiles(values, n=20)[-1]
        ratio = median / base
        is_slow = name not in BARE and ratio > GOALS.get(name, GOAL)
        slow |= is_slow
        print(f"{name:22} median {median:8.1f}   p95 {p95:8.1f}   / bare {ratio:5.2f}{'  SLOW' * is_slow}")
    return int(slow)


if __name__ == "__main__":
    raise SystemExit(main())
