"""Redesign a fake site and run `vna heal`: what is read exactly before and after, without a person.

For each kind of redesign: the archive polls, the site is redesigned, the archive polls again (all pages are in an
unknown layout), `vna heal --adopt` learns, and articles published later are polled. `--random N` tries N random redesigns
without an archive: a layout is learned from half of the pages and tried on the others. `--kind KIND` runs one kind.
`--foreign --corpus DIR` learns layouts of pages of other publishers; see `benchmarks/foreign_pages.py`.
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import foreign_pages
from crawler import app, collect, config
from crawler.config import Config
from crawler.heal import compare
from crawler.heal.healing import heal
from crawler.heal.places import KnownPage
from crawler.parse.page import open_page, parse_page, read_with_layout
from crawler.pipeline import Silent
from crawler.pipeline.heal import propose
from crawler.sim.site import FakeSite, Options, Serving, SiteRequest, build, designs, serve
from crawler.site import Site
from crawler.types import Article, ImageBlock, TextBlock

SEEDS = Path(__file__).parent.parent / "seeds"
ARTICLES, LATER = 60, 20
LEAST = 0.98
_EVERY = 10  # random redesigns, after which the totals are printed


def main() -> int:
    """Print the tables; return 1 if a layout is not adopted, makes revisions or reads too few later articles exactly.

    A random redesign fails only if its layout is adopted wrongly: a layout that is only proposed does no harm.
    """
    parser = argparse.ArgumentParser(prog="heal", description=__doc__)
    parser.add_argument("--random", type=int, default=0, metavar="N", help="number of random redesigns")
    parser.add_argument(
        "--kind", choices=(*designs.KINDS, *designs.MOVED_KINDS), action="append", help="only this kind"
    )
    parser.add_argument("--foreign", action="store_true", help="pages of other publishers")
    parser.add_argument("--corpus", type=Path, help="folder of the corpus of these pages")
    chosen = parser.parse_args()
    if chosen.foreign != (chosen.corpus is not None):
        parser.error("--foreign and --corpus belong together; benchmarks/foreign_pages.py names the corpus")
    if chosen.foreign:
        return foreign_pages.run(chosen.corpus)
    kinds = chosen.kind or (
        [] if chosen.random else [kind for kind in (*designs.KINDS, *designs.MOVED_KINDS) if kind != "random"]
    )
    failed = False
    for kind in kinds:
        failed |= _kind(kind)
    if chosen.random:
        failed |= _random(chosen.random)
    return int(failed)


# --- one kind, with an archive ----------------------------------------------------------------------------------------


def _kind(kind: str) -> bool:
    options = Options(no_api=True)
    now = [datetime.now(UTC) - timedelta(hours=6)]

    def make(url: str) -> FakeSite:
        return build(url, seeds_dir=SEEDS, articles=ARTICLES, now=lambda: now[0], options=options)

    with serve(make) as site, tempfile.TemporaryDirectory() as folder:
        settings = config.load(None, config.Overrides(archive=Path(folder), site=site.url, rate=0))
        _poll(settings)
        known = _count(settings, "SELECT count(*) FROM articles")
        time.sleep(1.1)  # times are stored in whole seconds, and no site changes its layout in the second of a capture
        site.fake_site.redesign(kind)
        before = _poll(settings)
        start = time.monotonic()
        with app.working(settings, "heal", Silent(), role="read") as run:
            proposal = propose(run, adopting=True, least=LEAST)
        seconds = time.monotonic() - start
        healing = proposal.healing
        now[0] += timedelta(hours=3)
        later = site.fake_site.publish(LATER)
        after = _poll(settings)
        false_revisions = _count(settings, "SELECT count(*) FROM revisions WHERE revision > 1")
        exact = sum(_stored_exactly(settings, site, later))
    worst = min(healing.exact.items(), key=lambda item: item[1][0] / max(1, item[1][1]), default=("", (0, 0)))
    print(
        f"{kind:15} known {known:3}, unread before {before.rejected:3}, learned from {healing.training:2}, kept apart"
        f" {healing.verified:2}, exact {healing.share:6.1%} (least: {worst[0]}), {seconds:4.1f} s,"
        f" {'adopted' if proposal.adoption else 'PROPOSED'}, still unread {after.rejected}, false revisions"
        f" {false_revisions}, later exact {exact} of {len(later)}",
        flush=True,
    )
    return proposal.adoption is None or false_revisions > 0 or exact < LEAST * len(later)


def _poll(settings: Config):
    with app.working(settings, "bench", Silent()) as run:
        return collect.poll(run, ignore_due=True)


def _count(settings: Config, sql: str) -> int:
    with app.reading_archive(settings.archive) as archive:
        return int(archive.db.execute(sql).fetchone()[0])


def _stored_exactly(settings: Config, site: Serving, post_ids: list[int]) -> Iterator[bool]:
    with app.reading_archive(settings.archive) as archive:
        for post_id in post_ids:
            stored, story = archive.article(post_id), site.fake_site.story(post_id)
            yield stored is not None and _texts(stored.article) == (
                story.title,
                story.lead,
                [b.text for b in story.blocks if isinstance(b, TextBlock)],
                [b.caption for b in story.blocks if isinstance(b, ImageBlock)],
            )


def _texts(article: Article) -> tuple[object, ...]:
    texts = [b.text for b in article.blocks if isinstance(b, TextBlock)]
    return article.title, article.lead, texts, [image.caption for image in article.images]


# --- random redesigns, pages only ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Original:
    url: str
    html: str
    article: Article


def _originals() -> list[_Original]:
    at, edition = datetime(2026, 11, 22, 6, 0, tzinfo=UTC), Site("https://fr.vietnamplus.vn/")
    markups = config.load_markups()
    site = build(edition.root.rstrip("/"), seeds_dir=SEEDS, articles=ARTICLES, now=lambda: at)
    found = []
    for post_id in sorted(site.ids(), key=lambda i: i * 7919 % 1000):
        path = site.story(post_id).path
        html, url = site.respond(SiteRequest("GET", path)).decoded, f"{edition.root.rstrip('/')}{path}"
        article = parse_page(html, url, content_type=None, fetched_at=at, markups=markups, edition=edition)
        found.append(_Original(url, html.decode(), article))
    return found


@dataclass
class _Totals:
    """The results of the random redesigns that were tried so far."""

    planned: int
    pages: int  # in each redesign
    seconds: float = 0.0  # the longest time for one
    results: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Return the line to print; it is also printed when the benchmark is interrupted."""
        counts = ", ".join(f"{self.results[name]} {name}" for name in ("adopted", "proposed", "wrongly adopted"))
        tried = self.results["adopted"] + self.results["proposed"]
        return f"random: {tried} of {self.planned} redesigns: {counts}; longest {self.seconds:.1f} s for {self.pages} pages"


def _random(number: int) -> bool:
    originals = _originals()
    half = len(originals) // 2
    totals = _Totals(number, half)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `timeout` sends it
    try:
        for seed in range(1, number + 1):
            _one_random(seed, originals[:half], originals[half:], totals)
            if seed % _EVERY == 0 and seed < number:
                print(totals, flush=True)
    finally:
        print(totals, flush=True)
    return totals.results["wrongly adopted"] > 0


def _one_random(seed: int, known: list[_Original], others: list[_Original], totals: _Totals) -> None:
    """Learn a layout in a random design from `known` pages, and try it on others."""
    at, edition = datetime(2026, 11, 22, 6, 0, tzinfo=UTC), Site("https://fr.vietnamplus.vn/")
    design = designs.Design("random", seed)
    training, rest = (
        [
            KnownPage(open_page(designs.redesigned(o.html, design).encode(), o.url, None, at, edition), o.article)
            for o in originals
        ]
        for originals in (known, others)
    )
    start = time.monotonic()
    healing = heal(training, "learned-1", "benchmark", at.date())
    totals.seconds = max(totals.seconds, time.monotonic() - start)
    assert healing.layout is not None, design
    exact = Counter[str]()
    for page in rest:
        found = read_with_layout(page.page, healing.layout)
        exact.update(name for name, is_exact in compare.exact(page, found).items() if is_exact)
    least = min(exact[name] for name in ("title", "lead", "text", "captions", "published_at")) / len(rest)
    adopted = healing.is_adoptable(LEAST)
    totals.results["adopted" if adopted else "proposed"] += 1
    wrongly = adopted and least < 0.9  # below what a sample of this size allows
    totals.results["wrongly adopted"] += wrongly
    if wrongly or not adopted:
        print(f"  seed {seed}: verified {healing.share:.1%}, others {least:.1%}", flush=True)
