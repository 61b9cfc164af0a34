"""Marked texts: repairs and hits, and how long ones are cut."""

from __future__ import annotations

import pytest

from crawler import marks, query
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
    forms = {"": "{0}", "repair": "[{0}|{1}]", "removed": "-{0}-", "added": "+{0}+"}
    texts = [(forms[piece.kind].format(piece.text, piece.other), piece.is_hit) for piece in pieces]
    return "".join(f"{{{text}}}" if is_hit else text for text, is_hit in texts)


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
    ("words", "marked"),
    [
        ("affaires", "Les {[Affaires|Affairesétrangères]}[ étrangères|Affairesétrangères] [de Hanoï|deHanoï]."),
        ("hanoi les", "{Les} [Affaires étrangères|Affairesétrangères] [de |deHanoï]{[Hanoï|deHanoï]}."),
        ("paris", "Les [Affaires étrangères|Affairesétrangères] [de Hanoï|deHanoï]."),
    ],
)
def test_hits_are_marked_beside_repairs(words, marked):
    last = list(marks.passages(BLOCKS, (SPACE, GLUED), repaired=True))[-1]
    assert shown(marks.with_hits(last.pieces, query.parse(words))) == marked


def test_a_hit_may_reach_over_several_marks():
    pieces = (
        marks.MarkedText("deHa", "repair", "de Ha"),
        marks.MarkedText("noi dort"),
        marks.MarkedText("", "repair", "x"),
    )
    assert shown(marks.with_hits(pieces, query.parse("deha*"))) == "{[deHa|de Ha]}{noi} dort[|x]"


def test_long_unchanged_parts_are_shortened_around_the_changes():
    part = "mot " * 60
    pieces = (
        marks.MarkedText(part), marks.MarkedText("x", "removed"), marks.MarkedText(part), marks.MarkedText("y", "added"),
        marks.MarkedText("court"), marks.MarkedText("z", "added"), marks.MarkedText(part),
    )  # fmt: skip
    short = shown(marks.shortened(pieces, 8))
    assert short == "… mot mot -x-mot mot … mot mot +y+court+z+mot mot …"


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("un deux trois et encore beaucoup de quatre cinq", "un deux … cinq"),
        ("un deux3 trois et encore beaucoup de quatr cinq6", "un deux3 … cinq6"),  # between two words
        ("x" * 50, f"{'x' * 8} … {'x' * 8}"),
    ],
)
def test_texts_are_cut_between_words(text, cut):
    change = marks.MarkedText("!", "added")
    assert shown(marks.shortened((change, marks.MarkedText(text), change), 8)[1:2]) == cut


def test_long_changes_are_cut():
    pieces = (marks.MarkedText("mot " * 10, "added"), marks.MarkedText("mot", "removed"))
    assert shown(marks.shortened(pieces, longest=11)) == "+mot mot mot …+-mot-"


def test_brackets_show_changes_without_colours():
    pieces = (marks.MarkedText("le "), marks.MarkedText("13", "removed"), marks.MarkedText("14", "added"))
    assert "".join(piece.bracketed for piece in pieces) == "le [-13-]{+14+}"
