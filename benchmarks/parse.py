"""Parsing a page (decode, guard, head, blocks, related, times), compared with Lexbor alone and a minimal extraction."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from benchmarks import profiles
from benchmarks.report import Goal, Result, Row
from benchmarks.timing import interleaved, ratios
from crawler import config, records
from crawler.parse import seedtext
from crawler.parse.page import parse_page
from crawler.sim.site import Options, SiteRequest, build

SEEDS = Path(__file__).parent.parent / "seeds"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
_BARE, _PAGE = "Lexbor, parse only", "parse_page"


def pages(count: int = 60) -> list[tuple[str, bytes]]:
    """Return pages of the fake site, in all eras, with their URLs."""
    site = build(
        "http://127.0.0.1:1/", seeds_dir=SEEDS, articles=count, now=lambda: NOW, options=Options(history=count)
    )
    found = []
    for post_id in site.ids()[: count * 2]:
        path = site.story(post_id).path
        found.append((f"http://127.0.0.1:1{path}", site.respond(SiteRequest("GET", path)).decoded))
    return found


def run(_options: argparse.Namespace) -> Result:
    """Measure the CPU time of reading a page."""
    stored = pages()
    markups = config.load_markups()

    def minimal() -> None:
        for _, body in stored:
            tree = LexborHTMLParser(body.decode())
            title, text = tree.css_first("h1.article__title"), tree.css_first(".article__body")
            _ = title and title.text(), [p.text() for p in text.css("p")] if text else []

    def parse() -> None:
        for url, body in stored:
            parse_page(body, url, content_type=None, fetched_at=NOW, markups=markups)

    def parse_and_write() -> None:
        for url, body in stored:
            article = parse_page(body, url, content_type=None, fetched_at=NOW, markups=markups)
            records.article_json(article)
            seedtext.write(article)

    found = interleaved(
        {
            _BARE: lambda: [LexborHTMLParser(body.decode()) for _, body in stored],
            "Lexbor, two selectors and the paragraphs": minimal,
            _PAGE: parse,
            "parse_page, JSON and seed text": parse_and_write,
        }
    )
    size = sum(len(body) for _, body in stored) / len(stored)
    return Result(
        "parse",
        "What does it cost to read all fields of an article from its page, compared with only parsing the HTML?",
        [Row.of(name, (s / len(stored) * 1000 for s in values), "ms a page") for name, values in found.items()],
        [Goal.of("parse_page ÷ Lexbor, parse only", ratios(found[_PAGE], found[_BARE]), at_most=4)],
        notes=(
            f"{len(stored)} pages of the fake site, in the layouts of all eras, {size / 1000:.0f} kB on average; CPU time."
            " `parse_page` includes the checks that bound the cost of a hostile page."
        ),
    ).explained(lambda: [profiles.of_call("parse_page", parse)])
