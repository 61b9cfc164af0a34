"""Entries of feeds, and the formats Atom, JSON Feed and OPML."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from crawler import feeds
from crawler.changes import Kind, changed_passages, changes_between, kinds_of
from crawler.feeds import Entry, Feed, Outline
from crawler.types import Article, Reading, StoredArticle, TextBlock

ATOM = {"a": "http://www.w3.org/2005/Atom"}
ARCHIVE = "0f0f0f0f-0000-4000-8000-000000000000"
SEEN = "2026-11-21T08:00:00Z"
ENTRY = Entry("urn:uuid:1", "Titre", SEEN, SEEN)


def stored(**changes):
    article = Article(
        title="Titre",
        lead=changes.pop("lead", "Chapeau"),
        blocks=changes.pop("blocks", (TextBlock("paragraph", "<b>Texte</b>"),)),
        url="https://fr.vietnamplus.vn/a-post1.vnp",
        section=changes.pop("section", "Politique"),
        published_at=changes.pop("published_at", "2026-11-21T14:00:00+07:00"),
    )
    return StoredArticle(1, article, Reading(article.text), 1, "live", SEEN, SEEN, 1, **changes)


# --- entries ----------------------------------------------------------------------------------------------------------


def test_an_id_depends_only_on_the_archive_and_the_subject():
    first = feeds.feed_id(ARCHIVE, "article", 1)
    assert first == feeds.feed_id(ARCHIVE, "article", 1)
    others = {feeds.feed_id(ARCHIVE, "article", 2), feeds.feed_id("x", "article", 1), feeds.feed_id(ARCHIVE, "edit", 1)}
    assert len({first, *others}) == 4
    assert first.startswith("urn:uuid:")
    assert len(first) == len("urn:uuid:") + 36


@pytest.mark.parametrize(
    ("published_at", "published"),
    [
        ("2026-11-21T14:00:00+07:00", "2026-11-21T07:00:00Z"),
        ("2026-11-21T14:00:00", SEEN),  # without an offset
        ("hier", SEEN),
        (None, SEEN),
        ("0001-01-01T00:00:00+07:00", SEEN),  # the year 0 in UTC
    ],
)
def test_an_article_without_a_valid_time_gets_that_of_its_first_capture(published_at, published):
    entry = feeds.article_entry(ARCHIVE, stored(published_at=published_at), SEEN)
    assert (entry.published, entry.updated) == (published, SEEN)


def test_an_article_is_an_entry_with_escaped_content():
    entry = feeds.article_entry(ARCHIVE, stored(), SEEN, "http://127.0.0.1:8001/article/1")
    assert entry.content == "<p><strong>Chapeau</strong></p>\n<p>&lt;b&gt;Texte&lt;/b&gt;</p>"
    assert (entry.address, entry.source) == ("http://127.0.0.1:8001/article/1", "https://fr.vietnamplus.vn/a-post1.vnp")
    assert (entry.summary, entry.tags) == ("Chapeau", ("Politique",))
    plain = feeds.article_entry(ARCHIVE, stored(lead=None, section=None), SEEN, full=False)
    assert (plain.content, plain.summary, plain.tags) == (None, "<b>Texte</b>", ())
    assert plain.address == plain.source
    assert feeds.article_entry(ARCHIVE, stored(lead=None, blocks=()), SEEN).summary == ""
    assert len(feeds.article_entry(ARCHIVE, stored(lead="mot " * 200), SEEN).summary) == 200


def edit(**changes):
    old, new = (Article("T", blocks=(TextBlock("paragraph", text),)) for text in ("Il y a 13 <b>", "Il y a 14 <b>"))
    found = changes_between(old, new)
    return {
        "id": 1, "revision": 2, "at": SEEN, "url": "https://fr.vietnamplus.vn/a-post1.vnp", "title": "T",
        "kinds": kinds_of(found), "passages": changed_passages(found, old, new),
    } | changes  # fmt: skip


def test_an_edit_shows_the_words_that_changed():
    entry = feeds.edit_entry(ARCHIVE, edit())
    assert entry.content == "<p>Il y a <del>13</del><ins>14</ins> &lt;b&gt;</p>"
    assert (entry.title, entry.updated, entry.summary) == ("Modifié : T", SEEN, "chiffre")
    assert entry.address == entry.source == "https://fr.vietnamplus.vn/a-post1.vnp"
    assert feeds.edit_entry(ARCHIVE, edit(url="javascript:x"), full=False).address is None
    assert feeds.edit_entry(ARCHIVE, edit(), full=False).content is None
    assert feeds.edit_entry(ARCHIVE, edit(revision=3)).id != entry.id


def test_a_feed_of_edits_names_its_kinds():
    titles = [
        feeds.edits_title(kinds, silent=silent) for kinds, silent in (((), False), ((Kind.FIGURE, Kind.NAME), True))
    ]
    assert titles == ["Modifications", "Modifications silencieuses : chiffre, nom"]


@pytest.mark.parametrize(("state", "word"), [("gone", "Retiré"), ("suspect", "Introuvable"), ("live", "De retour")])
def test_a_removal_is_an_entry(state, word):
    row = {"id": 1, "at": SEEN, "state": state, "title": "T", "url": None, "lead": None}
    entry = feeds.removal_entry(ARCHIVE, row)
    assert (entry.title, entry.address, entry.source, entry.summary) == (f"{word} : T", None, None, "")


def test_a_gap_changes_when_it_is_closed():
    row = {
        "source": "https://x/",
        "name": None,
        "opened_at": SEEN,
        "since": "s",
        "until": "u",
        "state": "open",
        "closed_at": None,
    }
    opened = feeds.gap_entry(ARCHIVE, row)
    closed = feeds.gap_entry(ARCHIVE, row | {"state": "closed", "closed_at": "2026-11-22T00:00:00Z", "name": "Sports"})
    assert (opened.id, opened.updated) == (closed.id, SEEN)
    assert (closed.title, closed.updated) == ("Lacune comblée : Sports", "2026-11-22T00:00:00Z")
    assert opened.title == "Lacune ouverte : https://x/"


# --- formats ----------------------------------------------------------------------------------------------------------


def test_atom_has_what_the_standard_requires():
    full = replace(ENTRY, address="http://a/1", source="http://b/1", summary="R", content="<p>x</p>", tags=("Sports",))
    others = [replace(ENTRY, updated="2026-11-22T00:00:00Z"), replace(ENTRY, address="http://a/2", summary="R")]
    feed = Feed("urn:uuid:0", "Flux", [full, *others], "http://a/feed", "http://a/")
    root = ET.fromstring(feeds.FORMATS["atom"](feed))
    assert [root.findtext(f"a:{name}", None, ATOM) for name in ("id", "title", "updated")] == [
        "urn:uuid:0", "Flux", "2026-11-22T00:00:00Z",
    ]  # fmt: skip
    first, second, third = root.findall("a:entry", ATOM)
    assert {one.get("rel"): one.get("href") for one in first.findall("a:link", ATOM)} == {
        "alternate": "http://a/1", "via": "http://b/1",
    }  # fmt: skip
    assert (first.findtext("a:content", None, ATOM), first.find("a:category", ATOM).get("term")) == (
        "<p>x</p>",
        "Sports",
    )
    assert second.findtext("a:content", None, ATOM) == "Titre", "an entry without a link must have content"
    assert (third.findtext("a:summary", None, ATOM), third.find("a:content", ATOM)) == ("R", None)
    empty = ET.fromstring(feeds.FORMATS["atom"](Feed("urn:uuid:0", "Flux", [])))
    assert empty.findtext("a:updated", None, ATOM) == "1970-01-01T00:00:00Z"


def test_json_feed_leaves_out_what_it_does_not_have():
    found = json.loads(feeds.FORMATS["json"](Feed("urn:uuid:0", "Flux", [ENTRY])))
    assert found["items"] == [
        {"id": "urn:uuid:1", "title": "Titre", "content_text": "Titre", "date_published": SEEN, "date_modified": SEEN}
    ]
    assert "feed_url" not in found
    one = replace(ENTRY, content="<p>x</p>", address="http://a", source="http://b", tags=("S",), summary="R")
    (item,) = json.loads(feeds.FORMATS["json"](Feed("u", "F", [one], "http://a/f", "http://a/")))["items"]
    assert (item["content_html"], item["external_url"], item["tags"]) == ("<p>x</p>", "http://b", ["S"])
    assert "content_text" not in item


@pytest.mark.parametrize("name", ["atom", "json"])
def test_no_control_character_breaks_a_feed(name):
    bad = "\x00\x1b\u202e\ufffe<&>]]>"
    entry = replace(
        ENTRY, title=f"{bad}\n" + "x" * 1000, summary=bad, content=bad, address="http://a/" + bad, tags=(bad,)
    )
    text = feeds.FORMATS[name](Feed("u", bad, [entry, replace(ENTRY, title=" ")]))
    assert not set(text) & set("\x00\x1b\u202e\ufffe")
    (json.loads if name == "json" else ET.fromstring)(text)


def test_the_title_of_a_search_names_its_words_and_filters():
    assert feeds.search_title("riz", None, "Paris") == "Agence vietnamienne d'information · riz · Paris"
    assert feeds.search_title("", None) == "Agence vietnamienne d'information"


def test_opml_lists_feeds():
    root = ET.fromstring(feeds.opml("Archive", [Outline("Sports & <x>", "http://a/f", "http://a/")]))
    (outline,) = root.iter("outline")
    assert outline.attrib == {
        "type": "rss", "text": "Sports & <x>", "title": "Sports & <x>", "xmlUrl": "http://a/f", "htmlUrl": "http://a/",
    }  # fmt: skip
