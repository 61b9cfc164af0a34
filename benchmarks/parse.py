"""Parsing a page (decode, guard, head, blocks, related, times), compared with Lexbor alone and a minimal extraction."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from benchmarks.timing import medians, table
from crawler import config, records
from crawler.parse import seedtext
from crawler.parse.page import parse_page
from crawler.sim.site import Options, SiteRequest, build

SEEDS = Path(__file__).parent.parent / "seeds"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


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


def main() -> None:
    """Print the table."""
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

    size = sum(len(body) for _, body in stored) / len(stored)
    print(f"{len(stored)} pages of the fake site, {size / 1000:.0f} kB on average")
    found = medians(
        {
            "Lexbor, parse only": lambda: [LexborHTMLParser(body.decode()) for _, body in stored],
            "Lexbor, two selectors and the paragraphs": minimal,
            "parse_page": parse,
            "parse_page, JSON and seed text": parse_and_write,
        }
    )
    table(found, len(stored), "Lexbor, parse only")
