"""Strings that no database or file can store, in every part of a response, from the poll to the export."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support import mounted, poll, rows, vna, working
from test_rebuild import assert_rebuilt_equal

from crawler.pipeline.reparse import reparse
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS

SMALL = Options(sections=SECTIONS[:1], section_size=8, feed_size=8, home_size=10, no_samples=True)
HALF = "&#xD83D;"
UNSTORABLE = json.dumps(
    {
        "@type": "NewsArticle",
        "articleSection": "Poli\ud83dtique\0",
        "headline": "\ude00",
        "author": {"name": "\ud83d"},
        "dateModified": "\ud83d",
        "description": [["x"] * 3],
        "n": float("nan"),
    }
)


def with_unusual_strings(request, response):
    """Put halves of characters, NUL and numbers out of range into each HTML page."""
    if b"<head>" not in response.decoded:
        return response
    head = f'<script type="application/ld+json">{UNSTORABLE}</script><script type="application/ld+json">{{"a": {"9" * 5000}}}</script>'
    head += f'<meta property="article:section" content="Sec{HALF}tion\0"><script type="application/ld+json">{"[" * 5000}</script>'
    body = response.decoded.replace(b"<head>", b"<head>" + head.encode(), 1)
    body = body.replace(b"</h1>", f"{HALF}&#x110000;\0&#0;&#xFFFE;</h1>".encode()).replace(
        b"</p>", f"{HALF}</p>".encode()
    )
    body = body.replace(b'alt="', f'alt="{HALF}\0'.encode()).replace(b'href="/', f'title="{HALF}" href="/'.encode())
    headers = tuple((k, v) for k, v in response.headers if k not in ("Content-Encoding", "ETag", "Last-Modified"))
    return replace(response, headers=(*headers, ("ETag", '"\ud83d"'.encode("utf-8", "surrogatepass"))), body=body)


@pytest.fixture
def archive(tmp_path, clock):
    folder = tmp_path / "archive"
    with mounted(clock, articles=6, options=SMALL) as site:
        site.edit = with_unusual_strings
        poll(folder, clock)
        clock.advance(hours=1)
        poll(folder, clock, everything=True)
    return folder


def test_the_articles_are_stored_with_a_problem(archive, clock, tmp_path):
    stored = rows(archive, "SELECT id, title, section, problems FROM articles")
    assert len(stored) >= 6
    for row in stored:
        assert row["section"] == "Sec\ufffdtion\ufffd"
        assert "halves of characters" in row["problems"]
        assert "nested more than" in row["problems"]
        assert "a character that does not exist" in row["problems"]
        assert "\ufffd" in row["title"]
        assert "\0" not in row["title"]
    assert {r["state"] for r in rows(archive, "SELECT state FROM pages")} == {"live"}
    with working(archive, clock, command="reparse") as run:
        reparse(run)
    assert_rebuilt_equal(archive, clock)
    number = stored[0]["id"]
    for command in (
        ("show", number),
        ("show", number, "--format", "json"),
        ("search", "Sec"),
        ("status",),
        *(("export", "--format", name, "--out", tmp_path / name) for name in ("jsonl", "csv", "parquet", "text")),
    ):
        assert vna("--archive", archive, *command).code in (0, 5), command
