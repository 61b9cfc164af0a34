"""The archive as of an instant equals what it was then: what the site said (valid time), what was known (system time)."""

from __future__ import annotations

import gzip
import json
import os
import random
from contextlib import closing
from datetime import timedelta

import pytest
from support import NOW, FakeClock, fetched, mounted_small, poll, rows, vna, working

from crawler import query
from crawler.clock import to_text
from crawler.pipeline.captures import CaptureBatch, CaptureImport
from crawler.selection import Selection
from crawler.storage import open_archive
from crawler.warc import WarcStore

WORDS = ("Vietnam", "ornithorynque", "coopération", "titre")
DAYS = int(os.environ.get("VNA_DAYS", "9"))  # `VNA_DAYS=30` takes half a minute
FIELDS = ("id", "title", "lead", "text", "state", "revision", "url", "section", "published_at")


def snapshot(folder):
    """Return the articles as exported now, and the hits of some searches."""
    with open_archive(folder, read_only=True) as archive:
        return [
            [[row[name] for name in FIELDS] for row in map(exported, archive.export())],
            [[hit["id"] for hit in search(archive, word)] for word in WORDS],
        ]


def as_of(folder, **times):
    with open_archive(folder, read_only=True) as archive:
        return [
            [[row[name] for name in FIELDS] for row in map(exported, archive.selected(Selection(**times)))],
            [[hit["id"] for hit in search(archive, word, **times)] for word in WORDS],
        ]


def exported(stored):
    return {
        "id": stored.id, "title": stored.article.title, "lead": stored.article.lead, "text": stored.article.text,
        "state": stored.state, "revision": stored.revision, "url": stored.article.url, "section": stored.article.section,
        "published_at": stored.article.published_at,
    }  # fmt: skip


def search(archive, word, **times):
    options = {"since": None, "until": None, "section": None, "limit": 500}
    match = query.parse(word).match
    return archive.search_as_of(match, **options, **times) if times else archive.search(match, rank=False, **options)


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    """An archive after some days with edits, removals and restorations, and a snapshot of each day."""
    folder, clock, rng = tmp_path_factory.mktemp("month") / "archive", FakeClock(), random.Random(4)
    snapshots = {}
    with mounted_small(clock, no_api=True) as site:
        fake = site.fake_site
        for post_id in sorted(fake.ids())[:-8]:
            fake.unpublish(post_id)
        removed = []
        for day in range(DAYS):
            alive = sorted(fake.ids())
            fake.revise(rng.choice(alive), title=f"Un ornithorynque du jour {day}" if day % 2 else None)
            if day % 5 == 2:
                removed.append(rng.choice(alive))
                fake.unpublish(removed[-1])
            poll(folder, clock, everything=True)
            snapshots[to_text(clock.now())] = snapshot(folder)
            clock.advance(days=1)
    return folder, snapshots


def test_every_day_is_what_it_was(month):
    folder, snapshots = month
    assert len({json.dumps(one) for one in snapshots.values()}) > DAYS * 0.8, "the days differ"
    for at, then in snapshots.items():
        assert as_of(folder, as_of=at, known_at=None) == then, at
        assert as_of(folder, as_of=None, known_at=at) == then, at


def test_removals_are_among_the_days(month):
    states = {row["state"] for row in rows(month[0], "SELECT state FROM states")}
    assert {"suspect", "gone"} <= states


def test_the_views_give_the_same(month):
    folder, snapshots = month
    at = list(snapshots)[-2]
    found = rows(
        folder,
        """SELECT v.article, v.revision, v.title, p.state FROM versions v JOIN presence p ON p.article = v.article
           WHERE v.valid_from <= ?1 AND (v.valid_until IS NULL OR v.valid_until > ?1) AND v.known_at <= ?1
           AND p.valid_from <= ?1 AND (p.valid_until IS NULL OR p.valid_until > ?1) ORDER BY v.article""",
        at,
    )
    then = [[one[0], one[5], one[1], one[4]] for one in snapshots[at][0]]
    assert [list(row.values()) for row in found] == then


def test_an_imported_capture_is_what_the_site_said_but_not_what_was_known(month, tmp_path):
    """A capture of an earlier time, with another title, is imported at the end of the month."""
    folder, snapshots = month
    key, first = (
        snapshots[max(snapshots)][0][-1][0],
        rows(folder, "SELECT * FROM revisions ORDER BY article DESC LIMIT 1")[0],
    )
    earlier = NOW - timedelta(days=400)
    with WarcStore(folder / "warc") as warc, open_archive(folder) as archive:
        stored = archive.revision(key, number=1)
        record = warc.read(archive.captures_of_revision(key, 1)[0])
        body = record.body
        if ("Content-Encoding", "gzip") in record.headers or ("content-encoding", "gzip") in record.headers:
            body = gzip.decompress(body)
    assert first["article"] == key
    page = body.replace(stored.article.title.encode(), b"Un titre de jadis")
    assert page != body
    source = tmp_path / "old"
    with closing(WarcStore(source)) as other:
        other.append(
            fetched(
                page,
                url=stored.fetched_url,
                target="/",
                headers=(("Content-Type", "text/html; charset=utf-8"),),
                fetched_at=earlier,
            )
        )
        (name,) = other.names()
    clock = FakeClock(NOW + timedelta(days=40))
    with working(folder, clock) as run:
        result = CaptureImport("old")
        CaptureBatch(run).read(source / name, result)
    assert sum(result.verdicts.values()) == 1, result
    then = to_text(earlier + timedelta(days=1))
    (found,) = as_of(folder, as_of=then, known_at=None)[0]
    assert (found[0], found[1]) == (key, "Un titre de jadis")
    assert as_of(folder, as_of=then, known_at=then) == [[], [[]] * len(WORDS)]
    newest = max(snapshots)
    known = as_of(folder, as_of=None, known_at=newest)[0]
    assert [row[:5] for row in known] == [row[:5] for row in snapshots[newest][0]]


def test_the_commands(month):
    folder, snapshots = month
    at = list(snapshots)[6]
    lines = vna("--archive", folder, "export", "--format", "jsonl", "--as-of", at).out.splitlines()
    assert [[json.loads(line)[name] for name in ("id", "title")] for line in lines] == [
        one[:2] for one in snapshots[at][0]
    ]
    found = json.loads(
        vna("--archive", folder, "search", "ornithorynque", "--known-at", at, "--json", "--limit", "500").out
    )
    assert [row["id"] for row in found] == snapshots[at][1][1]
    assert "**" in found[0]["snippet"] or found[0]["title"].startswith("Un ornithorynque")
    key = snapshots[at][0][0][0]
    shown = json.loads(vna("--archive", folder, "show", key, "--as-of", at, "--format", "json").out)
    assert (shown["title"], shown["state"]) == (snapshots[at][0][0][1], snapshots[at][0][0][4])
    before = vna("--archive", folder, "show", key, "--known-at", "2020-01-01")
    assert before.code == 1
    assert "known at 2020-01-01" in before.err
    assert vna("--archive", folder, "search", "x", "--rank", "--as-of", at).code == 2
    assert vna("--archive", folder, "export", "--format", "wacz", "--as-of", at, "--out", "x").code == 2
