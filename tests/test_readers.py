"""The rows for the pages of `vna browse`: removals, positions on the home page, gaps, and the articles around one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support import NOW

from crawler import identity
from crawler.clock import to_text
from crawler.identity import Decision
from crawler.storage import open_archive
from crawler.storage.articles import ArticleIntent
from crawler.storage.readers import Filters, Sort, find
from crawler.types import Article, Reading, TextBlock

HOURS = [to_text(NOW + timedelta(hours=n)) for n in range(6)]


@pytest.fixture
def archive(tmp_path):
    """An archive with the articles 1 to 4: the second one is of another section, the others of the same day."""
    with open_archive(tmp_path) as opened:
        with opened.transaction():
            for key, section in ((1, "Sports"), (2, "Politique"), (3, "Sports"), (4, "Sports")):
                article = Article(
                    title=f"Titre {key}", blocks=(TextBlock("paragraph", "riz"),), post_id=key, section=section
                )
                opened.save_article(
                    ArticleIntent(
                        key=key, article=article, reading=Reading("riz"), decision=Decision("new", 1), fingerprint=str(key),
                        body_key=identity.body_key(article), simhash=0, published_on="2026-11-21", parser=1, now=NOW,
                    )
                )  # fmt: skip
        yield opened


@pytest.mark.parametrize(
    ("states", "listed"),
    [
        (["suspect"], ["suspect"]),
        (["suspect", "live"], []),
        (["suspect", "gone"], ["gone"]),
        (["suspect", "gone", "live"], ["live", "gone"]),
        (["gone", "suspect"], ["suspect", "gone"]),
    ],
)
def test_a_removal_is_listed_and_a_short_absence_is_not(archive, states, listed):
    with archive.transaction():
        archive.db.conn.execute("DELETE FROM states")
        for at, state in zip(HOURS, states, strict=False):
            archive.db.conn.execute("INSERT INTO states (article, at, state) VALUES (1, ?, ?)", (at, state))
    assert [row["state"] for row in archive.removals(limit=9)] == listed
    assert archive.removals(since=HOURS[5], limit=9) == []


def test_an_article_has_neighbours_by_number_section_and_day(archive):
    assert [archive.beside(key) for key in (1, 2, 4)] == [(None, 2), (1, 3), (3, None)]
    assert [row["id"] for row in archive.same_day(3, "Sports", "2026-11-21")] == [4, 1]
    assert archive.same_day(3, "Sports", "2026-11-22") == []


def test_the_leading_stories_are_those_of_the_period_and_the_first_positions(archive):
    rows = [(1, HOURS[2], 1, 0, HOURS[0]), (1, HOURS[2], 2, 5, HOURS[0]), (1, HOURS[5], 3, 0, HOURS[4])]
    rows += [(2, HOURS[2], 4, 0, HOURS[0])]
    with archive.transaction():
        for number, kind in ((1, "home"), (2, "section")):
            archive.db.conn.execute(
                "INSERT INTO sources (id, url, kind, state) VALUES (?, ?, ?, 'ok')",
                (number, f"https://x/{number}", kind),
            )
        archive.db.conn.execute(
            "INSERT INTO pages (id, url, state, first_seen_at, first_source) SELECT id, id, 'live', ?, '' FROM articles",
            (HOURS[0],),
        )
        archive.db.conn.executemany(
            "INSERT INTO appearances (source, last_seen_at, page, position, seen_at) VALUES (?, ?, ?, ?, ?)", rows
        )
    assert [row["id"] for row in archive.leading(HOURS[1], HOURS[3], 5)] == [1]
    assert [row["id"] for row in archive.leading(HOURS[1], HOURS[5], 6)] == [1, 3, 2]
    assert archive.leading(HOURS[3], HOURS[4], 5) == []


def test_open_gaps_come_first(archive):
    with archive.transaction():
        archive.db.conn.execute("INSERT INTO sources (id, url, kind, state) VALUES (1, 'https://x/', 'home', 'ok')")
        for number, state in enumerate(("open", "closed", "open")):
            archive.db.conn.execute(
                "INSERT INTO gaps (source, opened_at, since, until, state) VALUES (1, ?, ?, ?, ?)",
                (HOURS[number], HOURS[number], HOURS[number], state),
            )
    assert [row["opened_at"] for row in archive.newest_gaps(9)] == [HOURS[2], HOURS[0], HOURS[1]]


@pytest.mark.parametrize("match", [None, "riz"])
@pytest.mark.parametrize(("section", "ids"), [("sports", [4, 3, 1]), ("Politique", [2]), ("Culture", [])])
def test_a_section_has_its_articles_whatever_the_order(archive, match, section, ids):
    for filters in (Filters(section=section), Filters(section=section, since="2026-11-01", until="2026-12-20")):
        for sort, expected in ((Sort.NEWEST, ids), (Sort.OLDEST, ids[::-1])):
            first = archive.find(match, filters, sort=sort, key=None, limit=2)
            key = first.next_key
            rest = archive.find(match, filters, sort=sort, key=key, limit=2).rows if key else ()
            assert [row["id"] for row in (*first.rows, *rest)] == expected
        assert len(archive.find(match, filters, sort=Sort.RELEVANCE, key=None, limit=9).rows) == len(ids)
        assert archive.facets(match, filters).counted == len(ids)


def test_names_that_differ_in_case_are_one_section(archive):
    with archive.transaction():
        archive.db.conn.execute("INSERT INTO sections (article, section) VALUES (2, 'SPORTS')")
        archive.db.conn.execute("INSERT INTO sections (article, section) VALUES (3, 'SPORTS')")
    found = archive.find(None, Filters(section="Sports"), sort=Sort.NEWEST, key=None, limit=9)
    assert [row["id"] for row in found.rows] == [4, 3, 2, 1]


def test_facets_say_when_they_do_not_count_all_hits(archive, monkeypatch):
    for most, counted, complete in ((4, 4, True), (3, 3, False)):
        monkeypatch.setattr(find, "MOST_COUNTED", most)
        facets = archive.facets("riz", Filters())
        assert (facets.counted, facets.complete) == (counted, complete)
    assert facets.sections == [("Sports", 2), ("Politique", 1)]


@pytest.mark.parametrize(("sort", "ids"), [(Sort.NEWEST, [4, 3]), (Sort.OLDEST, [1, 2])])
def test_hits_are_in_the_order_that_was_asked_for(archive, sort, ids):
    assert [row["id"] for row in archive.find("riz", Filters(), sort=sort, key=None, limit=2).rows] == ids
