"""Snippets, and the words of a text that match a query."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import fold, query, snippets
from crawler.errors import BadInput

LONG = " ".join(f"mot{i}" for i in range(40))
SNIPPETS = {
    "hit marked in the original text": (["Les Affaires étrangères du pays"], "etrangeres", "Les Affaires **étrangères** du pays"),
    "all hits marked": (["riz, riz et blé"], "riz", "**riz**, **riz** et blé"),
    "prefix": (["La coopération avance"], "coop*", "La **coopération** avance"),
    "elided article is kept": (["L’économie va"], "économie", "L’**économie** va"),
    "white space collapsed": (["Un\n\nriz \t blanc"], "riz", "Un **riz** blanc"),
    "hit in the second text": (["Un titre", "le riz"], "riz", "le **riz**"),
    "first text with a hit is used": (["le riz", "du riz"], "riz", "le **riz**"),
    "no hit: start of the last text": (["Un titre", "Un texte"], "riz", "Un texte"),
    "no hit and an empty last text": (["Un titre", ""], "riz", "Un titre"),
    "texts without words": (["", "..."], "riz", ""),
    "no texts": ([], "riz", ""),
    "words of a group": (["riz et blé"], "(riz blé) OR orge", "**riz** et **blé**"),
    "excluded group is not marked": (["riz et blé"], "riz -(blé orge*)", "**riz** et blé"),
    "excluded word is not marked": (["riz et blé"], "riz -blé", "**riz** et blé"),
    "hit at the start": ([LONG], "mot0", "**mot0** " + " ".join(f"mot{i}" for i in range(1, 13)) + " …"),
    "hit at the end": ([LONG], "mot39", "… " + " ".join(f"mot{i}" for i in range(27, 39)) + " **mot39**"),
    "hit in the middle": (
        [LONG],
        "mot20",
        "… " + " ".join(f"mot{i}" for i in range(8, 20)) + " **mot20** " + " ".join(f"mot{i}" for i in range(21, 33)) + " …",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("texts", "typed", "expected"), SNIPPETS.values(), ids=SNIPPETS)
def test_snippet(texts, typed, expected):
    assert snippets.snippet(texts, query.parse(typed)) == expected


def test_the_words_before_a_hit_are_found_at_any_distance():
    long = " ".join(f"{'x' * 30}{n}" for n in range(30))
    assert snippets.snippet([f"{long} riz"], query.parse("riz")) == f"… {' '.join(long.split()[-12:])} **riz**"


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet="abcdeéœﬁ½²ẞİKŀ⅓ʼ」\u0327'- _1\n", max_size=60),
    st.text(alphabet="abcdeéœﬁ½²ẞİKŀ⅓ʼ\u0327'* 1", max_size=8),
)
def test_no_word_that_matches_is_passed_over(text, typed):
    try:
        wanted = query.parse(typed)
    except BadInput:
        return
    all_words = [
        found.span()
        for found in re.finditer(r"[^\W_]+", text)
        if any(word in wanted.hits or word.startswith(wanted.prefixes) for word in fold.folded(found[0]))
    ]
    assert snippets.spans(text, wanted) == all_words
    assert snippets.mentions(text, wanted) == bool(all_words)


MARKED = {
    "ligature as the second letter": ("des cœurs vaillants", "coeurs", ["cœurs"]),
    "ligature as the third letter": ("une manœuvre", "manoeuvre", ["manœuvre"]),
    "ligature at the start": ("Œuvres d'art", "oeuvres", ["Œuvres"]),
    "accented capital": ("ÉTRANGÈRES", "etrangeres", ["ÉTRANGÈRES"]),
    "Vietnamese letters": ("à Điện Biên", "dien", ["Điện"]),
    "fraction within a word": ("5½ et 5⅓", "3", ["5⅓"]),
    "letter that is folded to two words": ("la coŀlecció", "leccio", ["coŀlecció"]),
    "full-width letters": ("un ＡＳＥＡＮ", "asean", ["ＡＳＥＡＮ"]),
    "Kelvin sign": ("5 K", "k", ["K"]),
    "other scripts": ("le 日本 et Москва", "日本 OR москва", ["日本", "Москва"]),
    "after a bracket of another script": ("「paix」", "paix", ["paix"]),
    "underscores": ("_paix_durable", "paix durable", ["paix", "durable"]),
    "combining cedilla": ("x\u0327y", "x", ["x"]),
    "longer word": ("paix, paixhans", "paix", ["paix"]),
    "prefix of six letters": ("défensif, défenseurs, défaite", "défens*", ["défensif", "défenseurs"]),
    "prefix beyond the stem": (
        "l'investissement, il investit, un inventaire",
        "investissem*",
        ["investissement", "investit"],
    ),
    "prefix of one letter": ("un riz, des rizières", "r*", ["riz", "rizières"]),
}


@pytest.mark.parametrize(("text", "typed", "marked"), MARKED.values(), ids=MARKED)
def test_words_that_match(text, typed, marked):
    assert [text[start:end] for start, end in snippets.spans(text, query.parse(typed))] == marked


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=string.ascii_letters + string.digits, min_size=1, max_size=14))
def test_folding_keeps_the_first_letters(word):
    """`fold.beginning` depends on it."""
    (found,) = fold.folded(word)
    sure = 3 if len(found) >= 6 else 2
    assert found[:sure] == word[:sure].lower()


def test_snippet_with_other_marks():
    assert snippets.snippet(["le riz"], query.parse("riz"), mark=("<b>", "</b>")) == "le <b>riz</b>"


@pytest.mark.parametrize(("text", "expected"), [("La défense nationale", True), ("Le riz", False), ("", False)])
def test_a_text_that_mentions_a_word_of_the_query(text, expected):
    assert snippets.mentions(text, query.parse("defenses")) is expected
