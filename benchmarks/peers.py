"""Field-by-field comparison with general extractors, on the golden pages and on pages of the fake site, in one run.

The first run installs the peers into `.venv-peers/`, which takes some minutes.

    ./run.sh bench peers            all peers
    ./run.sh bench peers trafilatura readability
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import environments
from benchmarks.parse import NOW, SEEDS
from crawler import config
from crawler.errors import ParseError
from crawler.parse import times
from crawler.parse.page import parse_page
from crawler.sim.site import Options, SiteRequest, build
from crawler.types import ImageBlock, TextBlock

ROOT = Path(__file__).parent.parent
WORKER = Path(__file__).parent / "peer_worker.py"
PEERS = {
    "trafilatura": ["trafilatura==2.3.1", "lxml_html_clean"],
    "newspaper4k": ["newspaper4k==0.9.6"],
    "news-please": ["news-please==1.6.16"],
    "readability": ["readability-lxml==0.9", "lxml_html_clean"],
    "fundus": ["fundus==0.5.7", "curl-cffi==0.15.0"],
    # Its rules require the attributes of elements without class and style to be empty, which newer versions of
    # Beautiful Soup do not equate with missing ones: with these it finds nothing.
    "autoscraper": ["autoscraper==1.1.14", "beautifulsoup4<4.13", "lxml_html_clean"],
}
#: Peers that must be shown examples of each site, so that they are only used by `./run.sh bench heal --foreign`.
LEARNING = ("autoscraper",)
#: Fields that a peer does not extract according to its documentation: shown as a dash, not as a miss.
UNSUPPORTED = {
    "trafilatura": {"captions"},
    "newspaper4k": {"captions"},
    "news-please": {"captions"},
    "readability": {"lead", "captions", "instant"},
    "fundus": {"paragraphs", "captions", "F1"},
}
FIELDS = ("title", "lead", "paragraphs", "captions", "instant")


@dataclass(frozen=True)
class Case:
    name: str
    url: str
    content_type: str | None
    html: str
    title: str | None
    lead: str | None
    paragraphs: list[str] | None
    captions: list[str] | None
    instant: str | None
    known: tuple[str, ...]  # the fields with a known value


def golden() -> Iterable[Case]:
    """Yield the golden pages that are articles."""
    for file in sorted((ROOT / "tests/golden/pages").glob("*.json")):
        case = json.loads(file.read_text("utf-8"))
        expect = case["expect"]
        if case["exit"] != 0 or "title" not in expect or "blocks" not in expect:
            continue
        body = gzip.decompress(file.with_name(f"{file.stem}.html.gz").read_bytes())
        blocks = expect["blocks"]
        images = [b for b in blocks if b["type"] == "image"]
        known = [f for f in FIELDS if {"instant": "published_at"}.get(f, f) in expect or f == "paragraphs"]
        known += ["captions"] * all("caption" in b for b in images)
        yield Case(
            file.stem,
            case["url"],
            case["content_type"],
            base64.b64encode(body).decode(),
            expect["title"],
            expect.get("lead"),
            [b["text"] for b in blocks if b["type"] in ("paragraph", "heading", "quote", "list_item")],
            [b["caption"] for b in images if b.get("caption")],
            expect.get("published_at"),
            tuple(known),
        )


def generated() -> Iterable[Case]:
    """Yield pages of the fake site in all eras; the expected values come from the generated story, not from a parser."""
    site = build("http://127.0.0.1:1/", seeds_dir=SEEDS, articles=60, now=lambda: NOW, options=Options(history=60))
    for post_id in site.ids():
        story = site.story(post_id)
        texts = [b.text for b in story.blocks if isinstance(b, TextBlock) and b.type not in ("note", "table")]
        captions = [b.caption for b in story.blocks if isinstance(b, ImageBlock) and b.caption]
        body = site.respond(SiteRequest("GET", story.path)).decoded
        published = story.published.isoformat()
        yield Case(
            f"fake-site-{post_id}", f"http://127.0.0.1:1{story.path}", None, base64.b64encode(body).decode(),
            story.title, story.lead, texts, captions, published, FIELDS,
        )  # fmt: skip


def ours(cases: Iterable[Case]) -> list[dict[str, Any]]:
    """Return the results of this project's parser."""
    markups = config.load_markups()
    found = []
    for case in cases:
        try:
            article = parse_page(
                base64.b64decode(case.html), case.url, content_type=case.content_type, markups=markups,
                fetched_at=datetime(2026, 12, 1, tzinfo=UTC),
            )  # fmt: skip
        except ParseError as error:
            found.append({"error": str(error)})
            continue
        found.append(
            {
                "title": article.title,
                "lead": article.lead,
                "paragraphs": list(article.paragraphs),
                "captions": [i.caption for i in article.images if i.caption],
                "instant": article.published_at,
            }
        )
    return found


def peer(name: str, file: Path) -> list[dict[str, Any]] | None:
    """Return the results of one peer, run in its own environment; None if it fails."""
    python = environments.python_with(PEERS[name], environments.PEERS / name)
    done = subprocess.run([python, WORKER, name, file], capture_output=True, text=True, check=False, timeout=1800)
    if done.returncode:
        print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def row(cases: list[Case], found: list[dict[str, Any]]) -> dict[str, float]:
    """Return the share of exact matches for each field, and the mean token F1 of the body."""
    shares: dict[str, float] = {}
    for name in FIELDS:
        relevant = [(c, f) for c, f in zip(cases, found, strict=True) if name in c.known]
        right = sum(_same(name, getattr(c, name), f.get(name)) for c, f in relevant)
        shares[name] = right / len(relevant)
    shares["F1"] = sum(
        token_f1(c.paragraphs or [], f.get("paragraphs") or []) for c, f in zip(cases, found, strict=True)
    ) / len(cases)
    return shares


def _same(name: str, expected: Any, got: Any) -> bool:
    if name == "instant":
        one, other = (times.instant(value) if value else None for value in (expected, got))
        return one == other
    return (expected or None) == (got or None)


def token_f1(expected: list[str], got: list[str]) -> float:
    """Return the F1 of the words of two texts, as multisets."""
    one, other = (Counter(" ".join(parts).split()) for parts in (expected, got))
    common = sum((one & other).values())
    total = sum(one.values()) + sum(other.values())
    return 2 * common / total if total else 1.0


def main() -> int:
    """Print one table for each set of pages; return 2 if a name on the command line is not a peer."""
    names = sys.argv[1:] or [name for name in PEERS if name not in LEARNING]
    if unknown := [name for name in names if name not in PEERS]:
        sys.stderr.write(f"no peer {', '.join(unknown)}; choose from {', '.join(PEERS)}\n")
        return 2
    for title, cases in (("golden pages", list(golden())), ("pages of the fake site", list(generated()))):
        print(f"\n{title}: {len(cases)} articles; share of exact matches, and token F1 of the body")
        print(f"{'':14}" + "".join(f"{name:>12}" for name in (*FIELDS, "F1")))
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "cases.jsonl"
            file.write_text("\n".join(json.dumps(asdict(case)) for case in cases), "utf-8")
            results = {"this parser": ours(cases)} | {name: peer(name, file) for name in names}
        for name, found in results.items():
            if found is not None:
                shares = row(cases, found)
                unsupported = UNSUPPORTED.get(name, set())
                cells = (f"{'-' if f in unsupported else f'{shares[f]:.3f}':>12}" for f in (*FIELDS, "F1"))
                print(f"{name:14}" + "".join(cells), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
