"""Pages with characters that were damaged in transit: never taken for an edit by the agency."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import SEED_ARTICLES, edited, mounted, poll, value
from test_cut_pages import SMALL, assert_no_revision

from crawler.parse.garbled import GarbledText

DAMAGE = {
    "windows-1252 declared as UTF-8": lambda text: text.encode("cp1252", "xmlcharrefreplace"),
    "question marks": lambda text: text.encode("ascii", "replace"),
    "replacement characters": lambda text: text.encode("ascii", "replace").replace(b"?", b"\xef\xbf\xbd"),
    "UTF-8 read as latin-1": lambda text: text.encode().decode("latin-1").encode(),
    "UTF-8 read as windows-1252": lambda text: text.encode().decode("cp1252", "replace").encode(),
}
damages = pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


@damages
def test_a_garbled_page_of_an_archived_article_makes_no_revision(archive, clock, damage):
    rebuilt = damage is DAMAGE["question marks"]
    assert_no_revision(archive, clock, lambda html: damage(html.decode()), "garbled", rebuilt=rebuilt)


@damages
def test_a_new_article_is_stored_when_its_page_arrives_undamaged(archive, clock, damage):
    with mounted(clock, articles=1, options=SMALL) as site:
        post_id = site.fake_site.ids()[-1]
        site.edit = edited(site.fake_site.story(post_id).path, lambda html: damage(html.decode()))
        poll(archive, clock)
        assert value(archive, "SELECT count(*) FROM articles") == 0
        site.edit = None
        clock.advance(hours=1)
        assert poll(archive, clock).new == 1
    assert value(archive, "SELECT revision FROM articles WHERE id = ?", post_id) == 1


def test_an_article_that_the_site_itself_garbles_is_stored_after_a_few_attempts(archive, clock):
    with mounted(clock, articles=1, options=SMALL) as site:
        path = site.fake_site.story(site.fake_site.ids()[-1]).path
        site.edit = edited(path, lambda html: DAMAGE["question marks"](html.decode()))
        for _ in range(4):
            clock.advance(days=1)
            poll(archive, clock, everything=True)
        assert value(archive, "SELECT count(*) FROM articles") == 1


ARTICLE = SEED_ARTICLES["001"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("L'année dernière à Hué", False),
        ("L’annee derniere a Hue", False),
        ("L’année dernière à Hué ?", False),
        ("L’ann\ufffde derni\ufffdre \ufffd Hu\ufffd", True),
        ("L?ann?e derni?re ? Hu?", True),
        ("Lâ€™annÃ©e derniÃ¨re Ã\u00a0 HuÃ©", True),
        ("L?ann?e derni?re ? Da Nang", False),
    ],
)
def test_damage_is_the_only_difference(title, expected):
    earlier = replace(ARTICLE, title="L’année dernière à Hué")
    article = replace(ARTICLE, title=title)
    assert GarbledText(article, title.encode(), None).is_only_difference_to(earlier) == expected
    assert not GarbledText(earlier, b"", None).is_only_difference_to(article)


def damage(title, page=b""):
    return GarbledText(replace(ARTICLE, title=title), page, None)


def test_many_damaged_characters_are_needed():
    assert not GarbledText(ARTICLE, b"", None).is_much()
    assert not damage("Qui?quoi?").is_much()
    assert not damage("Qui?Quoi?Quand?Où?").is_much(), "words run together, as after lost line breaks"
    worse = damage("L?ann?e derni?re")
    assert worse.is_much()
    assert worse.is_more_than(ARTICLE)
    assert not worse.is_more_than(replace(ARTICLE, title="L?ann?e derni?re"))


def test_characters_that_the_page_itself_names_wrongly_are_no_damage():
    assert not damage("\ufffd\ufffd\ufffd", b"&#xD83D;&#xD83D;&#xD83D;").is_much()
    assert damage("\ufffd\ufffd\ufffd", b"<meta charset=utf-8>\xe9\xe9\xe9").is_much()
