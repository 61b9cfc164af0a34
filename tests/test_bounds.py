"""Hostile files take bounded time and memory, and what follows them is read."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest
from foreign_records import warc
from selectolax.lexbor import LexborHTMLParser
from test_voir_plus import parse

from crawler import discover
from crawler.discover.found import Discovery
from crawler.discover.problems import ProblemKind
from crawler.errors import BadInput, BodyTooLarge, NotAnArticle, Rejection
from crawler.fetch.inflate import inflate
from crawler.fetch.robots import affordable
from crawler.parse import head, page, seedtext
from crawler.types import Sighting
from crawler.warc.foreign import captures
from crawler.warc.import_tally import ImportTally
from crawler.warc.reading import MAX_RECORD, advance

RULES = "Disallow: /zz\n" * 20_000
AGENTS = "".join(f"User-agent: {n}\n" for n in range(14_000))
COSTLY = {
    "agents and rules": AGENTS + RULES,
    "sitemaps between the agents": AGENTS.replace("\n", "\nSitemap: /s\n") + RULES,
    "misspelt": AGENTS.replace("User-agent:", "Useragent") + RULES.replace("Disallow:", "disalow"),
    "patterns": "User-agent: *\n" + "Disallow: /*a\n" * 30_000,
    "one pattern": "User-agent: *\nDisallow: /" + "*a" * 200_000,
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_only_the_beginning_of_a_costly_robots_file_is_used(text):
    assert len(affordable(text)) < len(text)
    assert text.startswith(affordable(text))


def test_an_ordinary_robots_file_is_used_completely():
    text = ("User-agent: a\nUser-agent: b\n# x\n" + "Disallow: /x*\n" * 20 + "Crawl-delay: 1\n") * 100
    assert affordable(text) == text


@pytest.mark.edge
def test_many_gzip_members_are_read_in_linear_time_up_to_a_limit():
    start = time.process_time()
    assert inflate("u", gzip.compress(b"x") * 50_000, "gzip", 1_000_000) == b"x" * 50_000
    with pytest.raises(BodyTooLarge):
        inflate("u", gzip.compress(b"") * 100_001, "gzip", 1_000_000)
    assert time.process_time() - start < 5


def test_a_record_that_expands_too_much_ends_early_and_the_next_one_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("crawler.warc.inflow._FILE_ALLOWANCE", 10_000_000)
    engine = zlib.compressobj(9, wbits=31)
    bomb = engine.compress(warc(b"", 9, length=200_000_000)) + engine.compress(bytes(200_000_000)) + engine.flush()
    file = tmp_path / "x.warc.gz"
    file.write_bytes(gzip.compress(warc(None, 8)) + bomb + gzip.compress(warc(None, 10)))
    tally = ImportTally()
    assert len(list(captures(file, lambda _: None, tally))) == 2
    assert tally.damage


@pytest.mark.edge
def test_a_member_of_an_own_file_is_not_decompressed_beyond_the_largest_record():
    data = gzip.compress(bytes(MAX_RECORD + 1))
    with pytest.raises(ValueError, match="larger"):
        advance(zlib.decompressobj(wbits=31), data)


# --- limits of the pure readers, with small numbers -------------------------------------------------------------------


def test_only_the_first_articles_of_a_list_are_used():
    seen = [Sighting(f"https://fr.vietnamplus.vn/a-post{n}.vnp", n) for n in range(1, 6)]
    found = discover._limited(Discovery(tuple(seen)), 3)
    assert list(found.sightings) == seen[:3]
    (problem,) = found.problems
    assert (problem.kind, problem.count) == (ProblemKind.MORE_ARTICLES, 2)
    assert discover._limited(Discovery(tuple(seen)), 5) == Discovery(tuple(seen))


def test_large_metadata_and_titles_are_refused(monkeypatch):
    script = '<script type="application/ld+json">{"@type": "NewsArticle", "headline": "Un"}</script>'
    monkeypatch.setattr(head, "_MAX_LD", len(script))
    found = head.read(LexborHTMLParser(script * 5), "https://fr.vietnamplus.vn/a-post1.vnp")
    assert 0 < len(found.news) < 5
    assert found.problems
    monkeypatch.setattr(page, "_MAX_TITLE", 3)
    with pytest.raises(NotAnArticle) as caught:
        parse("<p>Un.</p>")
    assert caught.value.rejection is Rejection.UNSAFE


@pytest.mark.parametrize("limit", ["_MOST_LINES", "_LONGEST_LINE"])
def test_a_text_that_needs_much_memory_is_refused(monkeypatch, limit):
    monkeypatch.setattr(seedtext, limit, 2)
    with pytest.raises(BadInput, match="more than"):
        seedtext.check_format("Titre\n\nUn texte.\n\nEncore un.\n")
