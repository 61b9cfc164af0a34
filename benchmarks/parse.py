"""Parsing a page (decode, guard, head, blocks, related, times), compared with Lexbor alone, a minimal extraction and trafilatura.

./run.sh bench parse [--no-peer]   the first run installs trafilatura into `.venv-peers/`
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from benchmarks import profiles
from benchmarks.environments import PEERS, python_with
from benchmarks.report import Goal, Result, Row
from benchmarks.timing import interleaved, ratios
from crawler import config, records
from crawler.parse import seedtext
from crawler.parse.page import parse_page
from crawler.sim.site import Options, SiteRequest, build

SEEDS = Path(__file__).parent.parent / "seeds"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
_WORKER = Path(__file__).with_name("trafilatura_worker.py")
_TRAFILATURA = ["trafilatura==2.3.1", "lxml_html_clean"]
_BARE, _PAGE, _PEER = "Lexbor, parse only", "parse_page", "trafilatura, default settings"
_PEER_ROUNDS = 5


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


@contextmanager
def trafilatura(stored: Sequence[tuple[str, bytes]]) -> Iterator[Callable[[], float]]:
    """Yield a function that extracts the text of all pages with trafilatura, and returns the seconds of CPU time.

    Raises:
        InstallError: trafilatura cannot be installed.

    """
    python = python_with(_TRAFILATURA, PEERS / "trafilatura")
    with tempfile.TemporaryDirectory() as folder:
        for number, (_, body) in enumerate(stored):
            (Path(folder) / f"{number:04}.html").write_bytes(body)
        command = [python.as_posix(), _WORKER.as_posix(), folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
            assert worker.stdin is not None
            assert worker.stdout is not None
            asked, answered = worker.stdin, worker.stdout

            def extract() -> float:
                asked.write("\n")
                asked.flush()
                return float(answered.readline())

            yield extract


def compared(stored: Sequence[tuple[str, bytes]], parse: Callable[[], object]) -> tuple[list[float], list[float]]:
    """Return the seconds of trafilatura and of `parse` in each round."""
    with trafilatura(stored) as extract:
        extract()
        found = [(extract(), interleaved({_PAGE: parse}, 1)[_PAGE][0]) for _ in range(_PEER_ROUNDS)]
    return [one for one, _ in found], [other for _, other in found]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Define the options."""
    parser.add_argument("--no-peer", action="store_true", help="without trafilatura")


def run(options: argparse.Namespace) -> Result:
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
    goals = [Goal.of(f"{_PAGE} ÷ {_BARE}", ratios(found[_PAGE], found[_BARE]), at_most=4)]
    if not options.no_peer:
        found[_PEER], pages_ = compared(stored, parse)
        goals.append(Goal.of(f"{_PEER} ÷ {_PAGE}", ratios(found[_PEER], pages_), at_least=8))
    size = sum(len(body) for _, body in stored) / len(stored)
    return Result(
        "parse",
        "What does it cost to read all fields of an article from its page, compared with only parsing the HTML?",
        [Row.of(name, (s / len(stored) * 1000 for s in values), "ms a page") for name, values in found.items()],
        goals,
        notes=(
            f"{len(stored)} pages of the fake site, in the layouts of all eras, {size / 1000:.0f} kB on average; CPU time."
            " `parse_page` includes the checks that bound the cost of a hostile page. trafilatura extracts the text."
        ),
    ).explained(lambda: [profiles.of_call(_PAGE, parse)])
