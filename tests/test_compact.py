"""Each text is stored once: generated columns of articles, and the views `related` and `revisions`."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler import identity, records
from crawler.identity import Decision
from crawler.storage import open_archive
from crawler.storage.articles import ArticleIntent
from crawler.storage.schema.m0008_compact import text_expression, text_of
from crawler.types import Article, ImageBlock, Reading, Related, TextBlock

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PICTURE = ImageBlock("http://x/a.jpg", 'Une "image"', 'Légende "text":"', "VNA")
STORY = Related("Un titre", "Un résumé", None, "http://x/post7.vnp", 7)


@pytest.fixture
def archive(tmp_path):
    with open_archive(tmp_path) as opened:
        yield opened


def text(*paragraphs, type_="paragraph"):
    return tuple(TextBlock(type_, paragraph) for paragraph in paragraphs)


def intent(key=1, *, number=1, clean=None, day=0, **fields):
    article = Article(**{"title": "Titre", "blocks": text("Un.", "Deux."), "post_id": key} | fields)
    return ArticleIntent(
        key=key, article=article, reading=Reading(article.text if clean is None else clean),
        decision=Decision("new" if number == 1 else "revised", number), fingerprint=identity.fingerprint(article),
        body_key=identity.body_key(article), simhash=1, published_on=None, parser=1, now=NOW + timedelta(days=day),
    )  # fmt: skip


def save(archive, *intents):
    with archive.transaction():
        for each in intents:
            archive.save_article(each)


def row(archive, sql, *values):
    return archive.db.execute(sql, values).fetchone()


def count(archive, table):
    return row(archive, f"SELECT count(*) FROM {table}")[0]


# --- text and clean ---------------------------------------------------------------------------------------------------

FOLLOWS = {
    "paragraphs": text("Un.", "Deux."),
    "a picture first": (PICTURE, *text("Un.")),
    "pictures first": (PICTURE, PICTURE, *text("Un.", "Deux.")),
    "other types": (*text("Un.", type_="heading"), *text("Deux.", type_="quote"), *text("3", "4", type_="list_item")),
    "quotation marks": text('Il dit "oui".', '"'),
    "line breaks": text("Un\nDeux\n\nTrois", "Quatre"),
    "other characters": text("Điện Biên", "🙂 \u2028 %_'"),
    "what looks like the end of a block": text('Un"},{"type":"paragraph","text":"Deux', '"}]'),
    "an empty text block": text("", "Un."),
    "nothing": (),
}
DOES_NOT_FOLLOW = {
    "a picture only": (PICTURE,),
    "a picture between paragraphs": (*text("Un."), PICTURE, *text("Deux.")),
    "a picture at the end": (*text("Un."), PICTURE),
    "a note": (*text("Un."), *text("Note", type_="note")),
    "a note first": (*text("Note", type_="note"), *text("Un.")),
    "a table": (*text("1 | 2", type_="table"), *text("Un.")),
    "a backslash": text("C:\\new", "\\", '\\"'),
    "control characters": text("\x00\x1b\t\x7f"),
}


@pytest.mark.parametrize("blocks", (FOLLOWS | DOES_NOT_FOLLOW).values(), ids=FOLLOWS | DOES_NOT_FOLLOW)
def test_the_text_is_that_of_the_blocks(archive, blocks):
    save(archive, intent(blocks=blocks))
    expected = Article("x", blocks=blocks).text
    stored = row(archive, "SELECT text, clean, blocks, own_text IS NULL, own_clean FROM articles")
    assert computed(archive, stored[2]) == text_of(stored[2])
    assert stored == (expected, expected, records.dump_blocks(blocks), blocks in FOLLOWS.values(), None)
    assert archive.article(1).reading.clean == expected


def test_the_text_of_any_blocks_is_exact(archive):
    rng = random.Random(7)

    def characters():
        return "".join(rng.choices('ab"\\\n\t{}[]:,é🙂\x00', k=rng.randrange(8)))

    def block():
        name = rng.choice(["paragraph", "heading", "note", "table", "image"])
        if name == "image":
            return ImageBlock(characters(), characters(), characters(), characters())
        return TextBlock(name, characters())

    wanted = {
        key: intent(key, blocks=tuple(block() for _ in range(rng.randrange(5))), clean=characters())
        for key in range(1, 200)
    }
    save(archive, *wanted.values())
    for key, text_, clean, blocks in archive.db.execute("SELECT id, text, clean, blocks FROM articles").fetchall():
        assert (text_, clean) == (wanted[key].article.text, wanted[key].reading.clean)
        assert archive.article(key).reading.clean == clean
        assert computed(archive, blocks) == text_of(blocks)


@pytest.mark.parametrize("blocks", ["", "[]", "{", '"text":"', '"text":"}', '[{"type":"paragraph","text":"a"}]x', "é"])
def test_the_text_of_damaged_blocks_is_computed_alike(archive, blocks):
    assert computed(archive, blocks) == text_of(blocks)


def computed(archive, blocks):
    return row(archive, f"SELECT {text_expression('?1')}", blocks)[0]


@pytest.mark.parametrize("clean", ["Un. Deux.", ""])
def test_a_repaired_text_is_stored_only_if_it_differs(archive, clean):
    save(archive, intent(clean=clean), intent(2))
    assert archive.db.execute("SELECT clean, own_clean FROM articles ORDER BY id").fetchall() == [
        (clean, clean), ("Un.\n\nDeux.", None),
    ]  # fmt: skip


# --- revisions --------------------------------------------------------------------------------------------------------

LATER = {
    "the text": {"blocks": text("Trois.")}, "the title": {"title": "Autre"}, "the lead": {"lead": "Chapeau"},
    "the address": {"url": "http://x/b"}, "the section": {"section": "Monde"}, "the author": {"byline": "X"},
    "the kind": {"kind": "photo"}, "a time": {"modified_at": "2026-01-01T00:00:00+07:00"},
}  # fmt: skip


@pytest.mark.parametrize("later", LATER.values(), ids=LATER)
def test_a_revision_shares_the_content_of_the_article_until_that_changes(archive, later):
    save(archive, intent())
    first = row(archive, "SELECT * FROM revisions WHERE revision = 1")
    assert row(archive, "SELECT blocks, title FROM stored_revisions") == (None, None)
    save(archive, intent(number=2, day=1, **later))
    assert row(archive, "SELECT * FROM revisions WHERE revision = 1") == first
    stored = archive.db.execute("SELECT blocks IS NULL FROM stored_revisions ORDER BY revision").fetchall()
    assert stored == [(0,), (1,)]
    names = ("url", "section", "kind", "title", "lead", "blocks", "byline", "modified_at")
    columns = ", ".join(names)
    newest = row(archive, f"SELECT {columns} FROM revisions WHERE revision = 2")
    assert newest == row(archive, f"SELECT {columns} FROM articles")


def test_a_revision_that_differs_only_in_its_tags_is_kept(archive):
    save(archive, intent(tags=("a",)), intent(number=2, tags=("b",), day=1), intent(number=3, title="Autre", day=2))
    found = archive.db.execute("SELECT revision, title, tags FROM revisions ORDER BY 1").fetchall()
    assert found == [(1, "Titre", '["a"]'), (2, "Titre", '["b"]'), (3, "Autre", "[]")]


def test_a_corrected_reading_corrects_the_last_revision(archive):
    save(archive, intent(), intent(number=2, title="Mal lu", day=1))
    with archive.transaction():
        archive.replace_reading(intent(number=2, title="Bien lu", day=1), images=())
    found = archive.db.execute(
        "SELECT r.title, s.title FROM revisions r JOIN stored_revisions s USING (article, revision)"
    )
    assert found.fetchall() == [("Titre", "Titre"), ("Bien lu", None)]


def test_an_older_revision_is_inserted_with_its_own_content(archive):
    save(archive, intent())
    with archive.transaction():
        archive.insert_revision(intent(title="Avant", day=-1), ["title"])
    assert archive.db.execute("SELECT revision, title FROM revisions ORDER BY 1").fetchall() == [
        (1, "Avant"),
        (2, "Titre"),
    ]


def test_the_view_of_revisions_can_be_written(archive):
    save(archive, intent(), intent(2))
    conn = archive.db.conn
    conn.execute("UPDATE revisions SET title = 'x' WHERE article = 1")
    assert row(archive, "SELECT title, blocks FROM revisions WHERE article = 1") == (
        "x",
        records.dump_blocks(text("Un.", "Deux.")),
    )
    assert row(archive, "SELECT title FROM articles WHERE id = 1") == ("Titre",)
    conn.execute("UPDATE revisions SET title = 'Titre' WHERE article = 1")
    assert row(archive, "SELECT blocks FROM stored_revisions WHERE article = 1") == (None,)
    conn.execute(
        "INSERT INTO revisions SELECT article, 2, seen_at, changed, fingerprint, url, section, kind, 'y', lead, blocks, byline, tags, published_at, modified_at, raw_id, known_at, NULL FROM revisions WHERE article = 1"
    )
    assert row(archive, "SELECT title, replaced_pictures FROM revisions WHERE revision = 2") == ("y", "[]")
    conn.execute("DELETE FROM revisions WHERE article = 2")
    assert count(archive, "revisions") == 2


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE revisions SET blocks = NULL", "UPDATE revisions SET kind = NULL", "UPDATE stored_revisions SET title = 'x'",
        "UPDATE stored_revisions SET blocks = '[]'",
    ],
)  # fmt: skip
def test_a_revision_without_content_of_its_own_has_none_at_all(archive, change):
    save(archive, intent())
    with pytest.raises(sqlite3.IntegrityError):
        archive.db.conn.execute(change)


# --- related stories --------------------------------------------------------------------------------------------------


def related(archive, key):
    sql = "SELECT title, summary, caption, url, post_id FROM related WHERE article = ? ORDER BY position"
    return tuple(Related(*values) for values in archive.db.execute(sql, [key]))


def test_a_story_is_stored_once(archive):
    others = [replace(STORY, **change) for change in (
        {"title": "x"}, {"summary": ""}, {"caption": ""}, {"url": None}, {"post_id": None},
    )]  # fmt: skip
    stories = (STORY, *others, STORY)
    save(archive, intent(related=stories), intent(2, related=stories))
    assert related(archive, 1) == related(archive, 2) == archive.article(2).article.related == stories
    assert (count(archive, "related"), count(archive, "related_stories")) == (14, 6)


def test_a_story_under_no_article_is_removed(archive):
    other = replace(STORY, title="Autre")
    save(archive, intent(related=(STORY, other)), intent(2, related=(STORY,)))
    save(archive, intent(number=2, related=(STORY,), day=1))
    assert related(archive, 1) == (STORY,)
    assert count(archive, "related_stories") == 1
    archive.db.conn.execute("DELETE FROM stored_revisions")
    archive.db.conn.execute("DELETE FROM articles WHERE id = 1")
    assert related(archive, 2) == (STORY,)
    archive.db.conn.execute("DELETE FROM articles")
    assert (count(archive, "related_links"), count(archive, "related_stories")) == (0, 0)


def test_the_stories_of_an_unchanged_page_are_not_written_again(archive):
    article = intent(related=(STORY, replace(STORY, title="Autre"))).article
    save(archive, intent(related=article.related))
    before = archive.db.conn.total_changes
    with archive.transaction():
        archive.touch_article(1, NOW, article)
    assert archive.db.conn.total_changes - before == 1  # only the time of the check
    with archive.transaction():
        archive.touch_article(1, NOW, replace(article, related=article.related[1:]))
    assert related(archive, 1) == article.related[1:]


def test_the_view_of_related_stories_can_be_written(archive):
    save(archive, intent(related=(STORY, replace(STORY, title="Autre"))), intent(2, related=(STORY,)))
    archive.db.conn.execute("UPDATE related SET title = 'x', position = position + 5 WHERE article = 1")
    assert related(archive, 1) == (replace(STORY, title="x"),) * 2
    assert related(archive, 2) == (STORY,)
    assert count(archive, "related_stories") == 2
    archive.db.conn.execute("DELETE FROM related")
    assert count(archive, "related_stories") == 0
