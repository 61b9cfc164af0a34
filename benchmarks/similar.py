"""Find articles that share text: precision and recall on generated wires, and the cost of an article as the archive grows.

./run.sh bench similar                                  600 wires, and the cost at 2,000 and 10,000 articles
./run.sh bench similar --sizes 10000 100000 260000      takes ten minutes
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from benchmarks.search import NOW, SEEDS, fill_index, words
from crawler import identity, similarity
from crawler.identity import Decision
from crawler.numerals import NUMBER_WORDS
from crawler.sim.site import build
from crawler.storage import Archive, open_archive
from crawler.storage.articles import ArticleIntent
from crawler.types import Article, ImageBlock, Reading, TextBlock

MEASURED = 300  # articles whose cost is measured at each size, in the middle of the others
_NAMES = {value: word for word, value in NUMBER_WORDS.items() if value.isdigit()}


def intent(article: Article, key: int, similar: tuple[similarity.Similarity, ...] = ()) -> ArticleIntent:
    return ArticleIntent(
        key=key, article=article, reading=Reading(article.text), decision=Decision("new", 1), fingerprint="",
        body_key=identity.body_key(article), simhash=identity.simhash(article.text),
        published_on=(article.published_at or "")[:10] or None, parser=1, now=NOW, similar=similar,
    )  # fmt: skip


def related(archive: Archive, article: Article, key: int) -> tuple[similarity.Similarity, ...]:
    """Return the relations of an article, found as the pipeline finds them."""
    text = similarity.compared(article, key)
    candidates = archive.candidates(key, similarity.passage_hashes(text), identity.body_key(article))
    found = similarity.similarities(text, candidates)
    identity.decide(article, None, candidates, found, (article.published_at or "")[:10] or None)
    return found


def store(archive: Archive, article: Article, key: int) -> tuple[similarity.Similarity, ...]:
    """Find the relations of an article and save it, as the pipeline does; return the relations."""
    found = related(archive, article, key)
    archive.save_article(intent(article, key, found))
    return found


# --- precision and recall ---------------------------------------------------------------------------------------------


def changed(text: str, share: float, rng: random.Random, filler: list[str]) -> str:
    parts = text.split(" ")
    for place in rng.sample(range(len(parts)), round(len(parts) * share)):
        parts[place] = rng.choice(filler)
    return " ".join(parts)


def translated(text: str) -> str:
    """Write small numbers as words."""
    return " ".join(_NAMES.get(part, part) for part in text.split(" "))


def with_body(article: Article, paragraphs: list[str], **values: object) -> Article:
    return replace(article, blocks=tuple(TextBlock("paragraph", p) for p in paragraphs), **values)


def wires(count: int, rng: random.Random) -> Iterator[tuple[Article, list[tuple[int, str]]]]:
    """Yield articles, each with the numbers of earlier articles that it is related to and the kinds of the relations."""
    site = build("http://127.0.0.1:1/", seeds_dir=SEEDS, articles=6 * count, now=lambda: NOW)
    stories = [site.story(post_id) for post_id in site.ids()]
    bodies = [
        Article(
            title=s.title, lead=s.lead, blocks=tuple(b for b in s.blocks if isinstance(b, TextBlock)), section=s.section
        )
        for s in stories
    ]
    fresh = deque(a for a in bodies if len(a.text) > 600)
    filler = words()(rng).split()
    waiting: deque[tuple[int, int, Article]] = deque()
    for number in range(count):
        if waiting and waiting[0][0] <= number:
            _, origin, article = waiting.popleft()
            yield _version(article, origin, number, rng, filler, fresh)
        else:
            article = fresh.popleft()
            waiting.append((number + rng.randint(5, 60), number, article))
            yield article, []


def _version(
    article: Article, origin: int, number: int, rng: random.Random, filler: list[str], fresh: deque[Article]
) -> tuple[Article, list[tuple[int, str]]]:
    paragraphs = list(article.paragraphs)
    way = number % 5
    if way == 0:
        share = rng.uniform(0.02, 0.10)
        return with_body(article, [changed(p, share, rng, filler) for p in paragraphs]), [(origin, "reissue")]
    if way == 1:
        more = list(fresh.popleft().paragraphs[1:3])
        return with_body(article, [*paragraphs, *more]), [(origin, "extends")]
    if way == 2:
        others = [p for _ in range(2) for p in fresh.popleft().paragraphs]
        return with_body(article, [*paragraphs, *others], title="L'actualité du jour en bref"), [
            (origin, "digest-contains")
        ]
    if way == 3:
        section = "Sports" if article.section != "Sports" else "Culture"
        return with_body(article, [translated(p) for p in paragraphs], section=section), [(origin, "cross-section")]
    image = ImageBlock("https://mediafr.vietnamplus.vn/1.jpg", "", paragraphs[0][:200])
    return replace(article, kind="photo", blocks=(image,)), [(origin, "photo-version")]


def quality(count: int) -> None:
    rng = random.Random(11)
    with tempfile.TemporaryDirectory() as folder, open_archive(Path(folder)) as archive, archive.transaction():
        right: set[tuple[int, int, str]] = set()
        found: set[tuple[int, int, str]] = set()
        for number, (article, related) in enumerate(wires(count, rng)):
            right |= {(number + 1, origin + 1, kind) for origin, kind in related}
            for one in store(archive, article, number + 1):
                found.add((max(one.article, one.other), min(one.article, one.other), one.kind))
    pairs, found_pairs = {r[:2] for r in right}, {f[:2] for f in found}
    hit = len(pairs & found_pairs)
    print(
        f"{count} articles, {len(pairs)} related pairs: precision {hit / max(1, len(found_pairs)):.3f}, recall {hit / len(pairs):.3f}"
    )
    print(f"with the right kind: {len(right & found)} of {len(right)}")
    kinds = Counter(kind for *_, kind in right)
    for kind, total in kinds.items():
        print(f"  {kind:16} {sum(k == kind for *_, k in right & found):4} of {total}")
    print(f"  false pairs by kind: {dict(Counter(k for a, b, k in found if (a, b) not in pairs))}")


# --- cost -------------------------------------------------------------------------------------------------------------


def stream(count: int, recurring: int = 100) -> Iterator[Article]:
    """Yield articles of 280 words, each with a paragraph of those that recur; every tenth one is a version of another."""
    site = build("http://127.0.0.1:1/", seeds_dir=SEEDS, articles=recurring, now=lambda: NOW)
    shared = [site.story(post_id).blocks[0] for post_id in site.ids()]
    rng, filler = random.Random(7), words()
    recent: deque[Article] = deque(maxlen=100)
    for number in range(count):
        if number % 10 == 9:
            article = recent[0]
            parts = [changed(p, 0.05, rng, filler(rng).split()) for p in article.paragraphs]
            article = with_body(article, parts)
        else:
            paragraphs = [TextBlock("paragraph", filler(rng)) for _ in range(3)]
            blocks = (*paragraphs, shared[number % len(shared)])
            published = (NOW - timedelta(minutes=30 * (count - number))).isoformat()
            article = Article(filler(rng)[:60], "Un chapeau.", blocks, section="Politique", published_at=published)
            recent.append(article)
        yield article


def cost(sizes: list[int], folder: Path) -> None:
    """Fill an archive, and measure the cost of an article at each size; see `stream`."""
    means = []
    with open_archive(folder) as archive:
        numbered = enumerate(stream(max(sizes) + MEASURED * len(sizes)), start=1)
        for size in sizes:
            filler = (
                replace(one, post_id=n) for n, one in itertools.islice(numbered, size - archive.db["articles"].count)
            )
            fill_index(archive, filler, compared=True)
            times, search = [], []
            for number, article in itertools.islice(numbered, MEASURED):
                text = similarity.compared(article, number)
                start = time.process_time()
                with archive.transaction():
                    store(archive, article, number)
                times.append(time.process_time() - start)
                start = time.process_time()
                candidates = archive.candidates(number, similarity.passage_hashes(text), identity.body_key(article))
                similarity.similarities(text, candidates)
                search.append(time.process_time() - start)
            means.append(statistics.fmean(search))
            print(
                f"{size:8} articles: {statistics.fmean(times) * 1000:6.2f} ms CPU to store one,"
                f" of it {statistics.fmean(search) * 1000:6.2f} ms to find what it shares",
                flush=True,
            )
    print(f"ratio of the last to the first: {means[-1] / means[0]:.2f}")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--wires", type=int, default=600)
    parser.add_argument("--sizes", type=int, nargs="*", default=[2000, 10_000])
    options = parser.parse_args()
    if options.wires:
        quality(options.wires)
    if options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            cost(options.sizes, Path(folder))
    return 0
