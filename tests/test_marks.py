"""Marks in texts: repairs, hits, and the words that differ between two revisions."""

from __future__ import annotations

import pytest

from crawler import marks, query, records
from crawler.types import ImageBlock, Repair, TextBlock

BLOCKS = (
    TextBlock("heading", "Paris"),
    ImageBlock("https://x/a.jpg", "Alt", "Légende"),
    TextBlock("note", "Une note"),
    TextBlock("paragraph", "Les Affairesétrangères deHanoï."),
)
GLUED = Repair("glued", 11, "Affairesétrangères", "Affaires étrangères")
SPACE = Repair("space", 30, "deHanoï", "de Hanoï")


def shown(pieces):
    """Return marked texts as text: {hit}, [shown|other], -removed-, +added+."""
    forms = {"": "{0}", "hit": "{{{0}}}", "repair": "[{0}|{1}]", "removed": "-{0}-", "added": "+{0}+"}
    return "".join(forms[piece.kind].format(piece.text, piece.other) for piece in pieces)


@pytest.mark.parametrize(
    ("repaired", "last"),
    [
        (True, "Les [Affaires étrangères|Affairesétrangères] [de Hanoï|deHanoï]."),
        (False, "Les [Affairesétrangères|Affaires étrangères] [deHanoï|de Hanoï]."),
    ],
)
def test_repairs_are_marked_in_the_block_where_they_are(repaired, last):
    found = list(marks.passages(BLOCKS, (SPACE, GLUED), repaired=repaired))
    assert [shown(one.pieces) for one in found] == ["Paris", "", "Une note", last]
    assert [one.block for one in found] == list(BLOCKS)


@pytest.mark.parametrize(
    "repair",
    [
        Repair("a", 11, "Autre", "x"),  # the text says something else there
        Repair("a", 3, "is\n\nLes", "x"),  # over the end of a block
        Repair("a", 500, "Paris", "x"),
        Repair("a", 12, "ffaires", "x"),  # inside another repair
    ],
)
def test_a_repair_that_does_not_fit_is_left_out(repair):
    found = list(marks.passages(BLOCKS, (GLUED, repair), repaired=True))
    assert shown(found[-1].pieces) == "Les [Affaires étrangères|Affairesétrangères] deHanoï."


def test_a_repair_may_begin_or_end_a_block():
    (found,) = marks.passages((TextBlock("paragraph", "ab"),), (Repair("r", 0, "ab", "a b"),), repaired=True)
    assert shown(found.pieces) == "[a b|ab]"


@pytest.mark.parametrize(
    ("text", "words", "marked"),
    [
        ("Les Affaires étrangères.", "etrangere", "Les Affaires {étrangères}."),
        ("Coopération et coopérative", "coop*", "{Coopération} et {coopérative}"),
        ("Đà Nẵng", "da nang", "{Đà} {Nẵng}"),
        ("rien", "riz", "rien"),
        ("", "riz", ""),
    ],
)
def test_hits_are_marked_in_the_published_spelling(text, words, marked):
    assert shown(marks.hits(text, query.parse(words))) == marked
    assert shown(marks.hits(text, None)) == text


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ("navire 13 coulé", "navire 14 coulé", "navire -13-+14+ coulé"),
        ("97,6% des voix", "98,6% des voix", "-97,6-+98,6+% des voix"),
        ("", "neuf", "+neuf+"),
        ("vieux", "", "-vieux-"),
        ("même", "même", "même"),
        ("il a dit", "il n'a pas dit", "il +n'+a +pas +dit"),
    ],
)
def test_words_that_differ_are_marked(old, new, changed):
    assert shown(marks.words(old, new)) == changed


def test_very_long_passages_are_not_compared_word_by_word():
    old, new = "mot " * 4000, "mot " * 4001
    assert [piece.kind for piece in marks.words(old, new)] == ["removed", "added"]
    assert [piece.kind for piece in marks.words("", new)] == ["added"]


def test_long_unchanged_parts_are_shortened_around_the_changes():
    part = "mot " * 60
    pieces = (
        marks.MarkedText(part), marks.MarkedText("x", "removed"), marks.MarkedText(part), marks.MarkedText("y", "added"),
        marks.MarkedText("court"), marks.MarkedText("z", "added"), marks.MarkedText(part),
    )  # fmt: skip
    short = shown(marks.shortened(pieces, 8))
    assert short == "… mot mot -x-mot mot … mot mot +y+court+z+mot mot …"


def row(**changes):
    blocks = records.dump_blocks(changes.pop("blocks", BLOCKS))
    return {"title": "T", "lead": None, "blocks": blocks, "published_at": "2026"} | changes


def test_differences_name_the_field():
    new = row(
        title="U",
        lead="Chapeau",
        published_at=None,
        blocks=(TextBlock("heading", "Paris"), ImageBlock(None, "Alt"), TextBlock("paragraph", "Fin.")),
    )
    found = [(one.field, shown(one.pieces)) for one in marks.differences(row(), new)]
    assert found == [
        ("title", "-T-+U+"),
        ("lead", "+Chapeau+"),
        ("date", "-2026-"),
        ("text", "-Une note-+Fin.+"),
        ("text", "-Les Affairesétrangères deHanoï.-"),
        ("caption", "-Légende-+Alt+"),
    ]
    old = row()
    assert marks.edited(new | {f"old_{name}": value for name, value in old.items()}) == marks.differences(old, new)
    assert marks.differences(old, old) == []


def test_an_inserted_passage_is_added():
    longer = (*BLOCKS, TextBlock("paragraph", "Fin."))
    assert [shown(one.pieces) for one in marks.differences(row(), row(blocks=longer))] == ["+Fin.+"]
