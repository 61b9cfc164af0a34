"""What all visits to some pages say about the articles, without a database. `tests/test_bulk.py` compares it with one."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.article_history import Visit, connected, current_articles
from crawler.errors import Rejection
from crawler.markup import Learned, Names
from crawler.parse.garbled import GarbledText
from crawler.types import Article, Reading, Related, TextBlock

NOW = datetime(2026, 11, 22, 8, 0, 0, 500, tzinfo=UTC)
URL = "https://fr.vietnamplus.vn/titre-post7.vnp"


def article(text="Le texte.", **fields):
    return Article(
        **{"title": "Titre", "markup": "cms-2024", "post_id": 7, "blocks": (TextBlock("paragraph", text),)} | fields
    )


def visit(hours, shown=None, status=200, page=7, **fields):
    reading = Reading(shown.text) if shown is not None else None
    return Visit(
        page, NOW + timedelta(hours=hours), ("a.warc.gz", int(hours * 10)), URL, status, shown, reading, **fields
    )


def current(*visits, learned=None):
    shuffled = random.Random(1).sample(visits, len(visits))
    return current_articles(shuffled, learned or {})


def summary(*visits, **options):
    """Return revision, state, and the hours of the first sighting, the last check and the revision, of article 7."""
    found = current(*visits, **options)[7]
    hours = [(at - NOW) / timedelta(hours=1) for at in (found.first_seen_at, found.checked_at, found.shown.at)]
    return found.revision, found.state, *hours


A, B = article(), article("Un autre texte.")
NOT_THERE = [visit(1, status=404), visit(3, status=410), visit(28, status=404)]
GARBLED = article("Le texte dé?ruit, abîm?é, ab?mé et pe?du. L?autre.")


def garbled(shown):
    return GarbledText(shown, shown.text.encode(), None)


@pytest.mark.parametrize(
    ("visits", "expected"),
    [
        ([visit(0, A)], (1, "live", 0, 0, 0)),
        ([visit(0, A), visit(1, A)], (1, "live", 0, 1, 0)),
        ([visit(0, A), visit(1, B), visit(2, B)], (2, "live", 0, 2, 1)),
        ([visit(0, A), visit(1, B), visit(2, A)], (3, "live", 0, 2, 2)),
        ([visit(0, A), visit(1, status=304)], (1, "live", 0, 1, 0)),
        ([visit(0, status=304), visit(1, A)], (1, "live", 1, 1, 1)),
        ([visit(0, A), visit(1, status=500), visit(2, status=0)], (1, "live", 0, 0, 0)),
        ([visit(0, A), visit(1, status=302)], (1, "live", 0, 0, 0)),
        ([visit(0, A), visit(1, status=404)], (1, "suspect", 0, 1, 0)),
        ([visit(0, A), visit(1, status=404), visit(1.5, status=404)], (1, "suspect", 0, 1.5, 0)),
        ([visit(0, A), *NOT_THERE], (1, "gone", 0, 28, 0)),
        ([visit(0, A), *NOT_THERE, visit(29, A)], (1, "live", 0, 29, 0)),
        ([visit(0, A), visit(1, status=404), visit(2, status=500), visit(3, status=304)], (1, "live", 0, 3, 0)),
        ([visit(0, status=404), visit(1, A)], (1, "live", 1, 1, 1)),
        # pages without an article
        ([visit(0, A), visit(1, rejection=Rejection.SOFT_404)], (1, "suspect", 0, 1, 0)),
        ([visit(0, A), visit(1, rejection=Rejection.BLOCK_PAGE)], (1, "live", 0, 0, 0)),
        ([visit(0, A), visit(1)], (1, "live", 0, 0, 0)),
        ([visit(0), visit(1, A)], (1, "live", 1, 1, 1)),
        # faults of the transfer
        ([visit(0, A), visit(1, B, is_cut_off=True)], (1, "live", 0, 0, 0)),
        ([visit(0, A), visit(1, is_cut_off=True)], (1, "live", 0, 0, 0)),
        ([visit(n, A, is_cut_off=True) for n in range(5)], (1, "live", 3, 4, 3)),
        ([*(visit(n, A, is_cut_off=True) for n in range(4)), visit(4, B, is_cut_off=True)], (2, "live", 3, 4, 4)),
        ([visit(0, A), visit(1, GARBLED, garbled=garbled(GARBLED))], (1, "live", 0, 0, 0)),
        ([visit(n, GARBLED, garbled=garbled(GARBLED)) for n in range(5)], (1, "live", 3, 4, 3)),
        # imported captures
        ([visit(0, A, is_import=True), visit(1, B)], (2, "live", 0, 1, 1)),
        ([visit(0, A), visit(1, B, is_import=True)], (2, "live", 0, 1, 1)),
        ([visit(0, A), visit(1, is_import=True)], (1, "live", 0, 0, 0)),
    ],
)  # fmt: skip
def test_the_visits_to_one_page(visits, expected):
    assert summary(*visits) == expected


def test_an_article_without_a_post_id_gets_the_id_of_its_page():
    assert current(visit(0, article(post_id=None)))[7].article.post_id is None


def test_the_related_stories_are_those_of_the_last_page_that_has_some():
    one, two = article(related=(Related("Un"),)), article(related=(Related("Deux"),))
    found = current(visit(0, one), visit(1, two), visit(2, A))[7]
    assert (found.article.related, found.shown.at, found.revision) == (two.related, NOW, 1)


def test_a_page_that_leads_to_another_article_is_not_there():
    other = article(post_id=8)
    found = current(visit(0, A), visit(1, other))
    assert {key: (one.state, one.revision) for key, one in found.items()} == {7: ("suspect", 1), 8: ("live", 1)}
    assert set(current(visit(1, other))) == {8}


LEARNED = {"learned-1": Learned(NOW, doubtful=Names(("title", "text")))}


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (article(title="Titre - VNA", markup="learned-1"), (1, "Titre", True)),
        (article(published_at="2026-11-22T08:00:00+07:00", markup="learned-1"), (2, "Titre", False)),
        (article(title="Titre - VNA", markup="cms-2016"), (2, "Titre - VNA", True)),
    ],
)
def test_doubtful_fields_of_a_learned_layout_make_no_revision(later, expected):
    found = current(visit(0, A), visit(1, later), learned=LEARNED)[7]
    assert (found.revision, found.article.title, found.reading is not None) == expected


def test_visits_are_grouped_by_the_pages_and_articles_that_they_connect():
    visits = [
        visit(n, article(post_id=key), page=page)
        for n, (page, key) in enumerate([(1, 1), (2, 3), (3, 4), (5, 5), (1, 1), (4, 4)])
    ]
    groups = [sorted({(one.page, one.key) for one in group}) for group in connected(visits)]
    assert sorted(groups) == [[(1, 1)], [(2, 3), (3, 4), (4, 4)], [(5, 5)]]
    assert sum(len(group) for group in connected(visits)) == len(visits)
    assert list(connected([])) == []


def test_the_place_decides_the_order_of_visits_at_the_same_time():
    first, second = visit(0, A), replace(visit(0, B), place=("b.warc.gz", 0))
    assert current(second, first)[7].article == B
