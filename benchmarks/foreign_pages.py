"""Learn layouts of pages that nobody here wrote: nine American publishers in four years, with texts written by hand.

The corpus is the part `Big9` of https://github.com/MSVCode/ir-research-data (Utomo and Leu 2019, "only for research
purpose"): 360 pages, ten for each publisher and year, each with its title and text as people copied them. It is not part
of this project. Get it with

    git clone https://github.com/MSVCode/ir-research-data DIR
    ./run.sh bench heal --foreign --corpus DIR

Each publisher in each year has a layout of its own. It is learned from six of the pages and their texts, and the other
four are read with it; then the same again with other pages. A text is exact if its letters and digits are
those of the text that people copied. AutoScraper learns from the same six pages, from three paragraphs of each; it returns
one text for each rule, or with `contain_sibling_leaves` all texts beside it, too. trafilatura learns nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers import PEERS, peer, token_f1
from crawler.errors import NotAnArticle
from crawler.heal.healing import heal
from crawler.heal.places import KnownPage
from crawler.heal.text_index import squeeze
from crawler.parse.page import open_page, read_with_layout
from crawler.site import FRENCH
from crawler.types import Article, TextBlock

DIGEST = "b4885870708915d7805706dda78fca9a6680fe06af184aef6806c4bac43d1fff"
YEARS = ("05", "09", "13", "17")
PUBLISHERS = {
    "Ars Technica": r"arstechnica\.com", "BBC": r"bbc\.co\.uk|bbc\.com", "CNN": r"cnn\.com", "Forbes": r"forbes\.com",
    "Fox News": r"foxnews\.com", "LA Times": r"latimes\.com", "NY Mag": r"nymag\.com|newyorkmetro\.com",
    "NY Post": r"nypost\.com", "Yahoo News": r"news\.yahoo\.com|yahoo\.com",
}  # fmt: skip
_SIBLINGS = "autoscraper with siblings"
_TRAINING, _FOLDS, _SHIFT = 6, 2, 5
_UNKNOWN = ("lead", "images", "captions", "byline", "section", "tags", "published_at")
_OWN = re.compile(
    rb'saved from url=\(\d+\)(\S+)|<link[^>]*rel="?canonical"?[^>]*href="([^"]+)|og:url" content="([^"]+)'
)
AT = datetime(2026, 11, 22, 6, tzinfo=UTC)


@dataclass(frozen=True)
class ForeignPage:
    """One page of the corpus: its HTML, and its title and paragraphs as people copied them."""

    name: str
    html: bytes
    title: str
    paragraphs: tuple[str, ...]


def run(corpus: Path) -> int:
    """Print a line for each publisher and the totals; return 1 if the files are not those of the corpus."""
    digest = _digest(corpus)
    if digest != DIGEST:
        print(f"{corpus} does not contain the corpus of this benchmark: digest {digest}")
        return 1
    groups = {key: pages for key, pages in sorted(_groups(corpus).items()) if len(pages) >= _TRAINING + 2}
    left_out = sum(map(len, _groups(corpus).values())) - sum(map(len, groups.values()))
    print(
        f"{len(groups)} layouts of {len(PUBLISHERS)} publishers, {sum(map(len, groups.values()))} pages; {left_out} pages left out"
    )
    totals: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    names = ("vna heal", "autoscraper", _SIBLINGS, "trafilatura")
    for (publisher, year), pages in groups.items():
        scores = _scores(pages)
        cells = "  ".join(f"{name}: {_cell(scores[name])}" for name in names)
        print(f"{publisher:13} 20{year} {len(pages):2} pages  {cells}", flush=True)
        for name, found in scores.items():
            totals[name] += found
    print("all: " + "  ".join(f"{name}: {_cell(totals[name])}" for name in names))
    return 0


def _cell(found: Sequence[tuple[bool, float]]) -> str:
    exact, f1 = sum(is_exact for is_exact, _ in found), sum(value for _, value in found) / max(1, len(found))
    return f"{exact:3} of {len(found):3} exact, F1 {f1:.3f}"


def _digest(corpus: Path) -> str:
    found = hashlib.sha256()
    for file in _files(corpus):
        found.update(
            f"{file.relative_to(corpus).as_posix()} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode()
        )
    return found.hexdigest()


def _files(corpus: Path) -> list[Path]:
    folders = [corpus / "Extraction" / f"big5-{year}" / part for year in YEARS for part in ("html", "gold")]
    return sorted(file for folder in folders for file in folder.glob("*"))


def _groups(corpus: Path) -> dict[tuple[str, str], list[ForeignPage]]:
    groups: dict[tuple[str, str], list[ForeignPage]] = defaultdict(list)
    for year in YEARS:
        folder = corpus / "Extraction" / f"big5-{year}"
        for file in sorted((folder / "html").iterdir()):
            gold = folder / "gold" / f"{file.stem}.txt"
            html = file.read_bytes()
            publisher = _publisher(html)
            lines = (
                [line.strip() for line in gold.read_bytes().decode("utf-8-sig", "replace").splitlines()]
                if gold.exists()
                else []
            )
            lines = [line for line in lines if line]
            if publisher and len(lines) > 1:
                groups[publisher, year].append(ForeignPage(file.stem, html, lines[0], tuple(lines[1:])))
    return groups


def _publisher(html: bytes) -> str | None:
    """Return the publisher of a page: from the address that the page states, otherwise from most of its links."""
    match = _OWN.search(html)
    own = next(filter(None, match.groups()), b"").decode("latin-1") if match else ""
    for name, pattern in PUBLISHERS.items():
        if re.search(pattern, own):
            return name
    text = html.decode("latin-1")
    counts = {name: len(re.findall(pattern, text)) for name, pattern in PUBLISHERS.items()}
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None


def _scores(pages: Sequence[ForeignPage]) -> dict[str, list[tuple[bool, float]]]:
    """Return for each program whether each unseen text was read exactly, and the token F1."""
    found: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    cases: list[dict[str, object]] = []
    unseen: list[ForeignPage] = []
    for fold in range(_FOLDS):
        order = [*pages[_SHIFT * fold :], *pages[: _SHIFT * fold]]
        training, rest = order[:_TRAINING], order[_TRAINING:]
        texts = _read(training, rest)
        found["vna heal"] += [_compared(page, text) for page, text in zip(rest, texts, strict=True)]
        examples = [{"html": _text(p.html), "paragraphs": _examples(p)} for p in training]
        for number, page in enumerate(rest):
            html = base64.b64encode(_text(page.html).encode()).decode()
            cases.append({"html": html, "url": "https://example.org/", "examples": examples if number == 0 else None})
        unseen += rest
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "cases.jsonl"
        file.write_text("\n".join(map(json.dumps, cases)), "utf-8")
        for name in ("autoscraper", "trafilatura"):
            results = peer(name, file) or [{}] * len(cases)
            found[name] += [_compared(p, r.get("paragraphs") or []) for p, r in zip(unseen, results, strict=True)]
            if name == "autoscraper":
                found[_SIBLINGS] += [
                    _compared(p, r.get("siblings") or []) for p, r in zip(unseen, results, strict=True)
                ]
    return found


def _examples(page: ForeignPage) -> list[str]:
    """Return three paragraphs of a page: AutoScraper finds the others by these, and takes minutes to learn from all."""
    return [page.paragraphs[place] for place in sorted({0, len(page.paragraphs) // 2, len(page.paragraphs) - 1})]


def _text(html: bytes) -> str:
    return " ".join(html.decode("utf-8", "replace").split())  # AutoScraper does not find a text that has line breaks


def _read(training: Sequence[ForeignPage], rest: Sequence[ForeignPage]) -> Iterator[list[str]]:
    """Yield the texts of the unseen pages as read with the layout learned from the others; none if nothing was learned."""
    known = [page for number, p in enumerate(training) if (page := _known(p, number)) is not None]
    layout = heal(known, "learned-1", "benchmark", AT.date()).layout
    for number, page in enumerate(rest):
        opened = _known(page, 100 + number)
        article = read_with_layout(opened.page, layout) if opened is not None and layout is not None else None
        yield list(article.paragraphs) if article is not None else []


def _known(page: ForeignPage, number: int) -> KnownPage | None:
    try:
        opened = open_page(page.html, f"https://fr.vietnamplus.vn/page-post{number + 1}.vnp", None, AT, FRENCH)
    except NotAnArticle:
        return None
    blocks = tuple(TextBlock("paragraph", text) for text in page.paragraphs)
    return KnownPage(opened, Article(page.title, blocks=blocks), unknown=_UNKNOWN, is_literal=False)


def _compared(page: ForeignPage, read: Sequence[str]) -> tuple[bool, float]:
    """Compare a text without its title, which the other programs may return as a part of it."""
    own = [text for text in read if squeeze(text) != squeeze(page.title)]
    is_exact = squeeze("".join(own)) == squeeze("".join(page.paragraphs))
    return is_exact, token_f1(list(page.paragraphs), own)


assert {"autoscraper", "trafilatura"} <= PEERS.keys()
