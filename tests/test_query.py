"""The search box: what people type, as an expression that SQLite takes; and what is shown of a hit."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import fold, query
from crawler.errors import BadInput

ARTICLES = {
    1: ("Premier dialogue Vietnam-France", "La défense à Paris", "Le dialogue des Affaires étrangères a eu lieu."),
    2: ("Coopération avec la Chine", "Le riz", "Le Vietnam coopère. Un dialogue économique et du tourisme."),
    3: ("Victoire de Điện Biên Phủ", "Histoire", "Les vœux du Parti ; la coopérative de Huế."),
    4: ("Sommet de l'ASEAN", "Association des Nations de l’Asie du Sud-Est", "Le riz et la paix à Kuala Lumpur."),
}


@pytest.fixture(scope="module")
def table():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "create virtual table t using fts5(title, lead, text, tokenize='unicode61 remove_diacritics 2')"
        )
        rows = [(key, *map(fold.fold, columns)) for key, columns in ARTICLES.items()]
        connection.executemany("insert into t(rowid, title, lead, text) values (?, ?, ?, ?)", rows)
        yield connection


def found(table, text, *synonyms):
    match = query.parse(text, query.Synonyms(synonyms)).match
    return [key for (key,) in table.execute("select rowid from t where t match ? order by rowid", (match,))]


FINDS = {
    "one word": ("dialogue", [1, 2]),
    "two words: both": ("dialogue tourisme", [2]),
    "without accents": ("etrangeres", [1]),
    "another ending": ("victoires", [3]),
    "Vietnamese name, bare": ("dien bien phu", [3]),
    "in capitals": ("DIALOGUE", [1, 2]),
    "elided": ("l'asean", [4]),
    "phrase": ('"affaires étrangères"', [1]),
    "phrase in another order": ('"étrangères affaires"', []),
    "phrase in French quotes": ("« eu lieu »", [1]),
    "phrase without its end": ('"dialogue économique', [2]),
    "French quotes without their end": ("« dialogue des", [1]),
    "not this word": ("dialogue -tourisme", [1]),
    "not this phrase": ('dialogue -"affaires étrangères"', [2]),
    "two words that are not wanted": ("riz -paix -chine", []),
    "hyphen inside a word is no minus": ("vietnam-france", [1]),
    "hyphen behind a quote is no minus": ('"dialogue"-tourisme', [2]),
    "in the title": ("title:vietnam", [1]),
    "in the title, in French": ("titre:vietnam", [1]),
    "in the lead": ("chapeau:riz", [2]),
    "in the text": ("texte:riz", [4]),
    "column in capitals": ("TITLE:vietnam", [1]),
    "not in the title": ("vietnam -title:vietnam", [2]),
    "phrase in a column": ('title:"coopération avec"', [2]),
    "beginning of a word": ("coop*", [2, 3]),
    "beginning of a word in a column": ("title:coop*", [2]),
    "not what begins so": ("riz -coop*", [4]),
    "either": ("tourisme OR paix", [2, 4]),
    "either, in French": ("tourisme OU paix", [2, 4]),
    "either, as a sign": ("tourisme | paix", [2, 4]),
    "either, three times": ("tourisme OR paix OR huế", [2, 3, 4]),
    "either, then another word": ("tourisme OR paix vietnam", [2]),
    "either of two phrases": ('"eu lieu" OR "kuala lumpur"', [1, 4]),
    "both, said": ("dialogue AND tourisme", [2]),
    "both, said in French": ("dialogue ET tourisme", [2]),
    "or is a word when small": ("paix or", []),
    "operator at the start is a word": ("OR paix", []),
    "operator at the end": ("paix OR", [4]),
    "two operators: the last counts": ("tourisme OR AND paix", []),
    "unknown column is a word": ("vietnam:france", [1]),
    "unknown column with nothing but a star": ("vietnam:*", [1, 2]),
    "signs of the index's own language": ("(dialogue) {tourisme} ^riz + NEAR", []),
    "its quotes doubled": ('""dialogue""', [1, 2]),
    "punctuation is passed over": ("dialogue , ; !", [1, 2]),
    "punctuation in quotes is passed over": ('dialogue "!"', [1, 2]),
    "punctuation in a column is passed over": ("dialogue title:!", [1, 2]),
}


@pytest.mark.parametrize(("text", "expected"), FINDS.values(), ids=FINDS)
def test_finds(table, text, expected):
    assert found(table, text) == expected


# --- synonyms ---------------------------------------------------------------------------------------------------------

ASEAN = ("ASEAN", "Association des nations de l'Asie du Sud-Est")
RICE = ("riz", "paddy")
SYNONYMS = {
    "another name finds the printed one": ("paddy", [2, 4]),
    "a phrase stands for its abbreviation": ("title:ASEAN", [4]),
    "several words of a run": ("association des nations de l'asie du sud-est paix", [4]),
    "in a column": ("lead:asean", [4]),
    "not what it stands for": ("paix -paddy", []),
    "in quotes it stands for itself": ('"paddy"', []),
    "as a beginning it stands for itself": ("padd*", []),
    "either": ("paddy OR huế", [2, 3, 4]),
}


@pytest.mark.parametrize(("text", "expected"), SYNONYMS.values(), ids=SYNONYMS)
def test_synonyms(table, text, expected):
    assert found(table, text, ASEAN, RICE, ("!", "")) == expected


def test_a_word_of_two_groups_stands_for_both():
    synonyms = query.Synonyms([("a", "b"), ("b", "c")])
    assert query.parse("b", synonyms).match == '("b" OR "a" OR "c")'
    assert query.parse("a", synonyms).match == '("a" OR "b")'


def test_the_longest_synonym_wins():
    synonyms = query.Synonyms([("mer orientale", "mer de Chine"), ("mer", "océan")])
    assert query.parse("mer orientale", synonyms).hits == frozenset(fold.words("mer orientale chine de"))
    assert query.parse("mer calme", synonyms).hits == frozenset(fold.words("mer océan calme"))


# --- filters ----------------------------------------------------------------------------------------------------------


def test_filters_are_no_words():
    parsed = query.parse('riz section:"Le monde" since:2024-01-31 until:2024-12-31')
    assert parsed == query.Query('("riz")', frozenset({"riz"}), (), "Le monde", "2024-01-31", "2024-12-31")


def test_a_beginning_is_no_whole_word():
    assert query.parse("coop* riz") == query.Query('("coop" *) AND ("riz")', frozenset({"riz"}), ("coop",))


def test_filters_in_french_and_before_the_words():
    parsed = query.parse("rubrique:Sports depuis:2024-01-31 jusque:20241231 riz")
    assert (parsed.section, parsed.since, parsed.until) == ("Sports", "2024-01-31", "2024-12-31")


REFUSED = {
    "nothing": "",
    "spaces": "  \n",
    "punctuation": "?! ...",
    "only what is not wanted": "-tourisme",
    "only a filter": "section:Sports",
    "an empty phrase": '""',
    "a lone star": "*",
    "a day that is none": "riz since:2024-13-01",
    "a day in words": "riz until:hier",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused_with_a_hint(text):
    with pytest.raises(BadInput) as caught:
        query.parse(text)
    assert caught.value.hint


PIECES = st.sampled_from(
    '" - OR OU AND ET NOT NEAR( | & * coop* title: titre: lead: text: chapeau:* section: section:x since: since:2024-01-01 '
    "« » : ( ) { } ^ + , ' l' x-y vietnam:chine -title:x -\" étés 中文 ² \x00".split(" ")
)
TYPED = st.text(max_size=30) | st.lists(PIECES, max_size=10).map("".join) | st.lists(PIECES, max_size=10).map(" ".join)


@settings(max_examples=600, deadline=None)
@given(TYPED)
def test_whatever_is_typed_is_refused_or_taken_by_the_index(table, text):
    try:
        parsed = query.parse(text, query.Synonyms([RICE, ("étés", "coop x")]))
    except BadInput:
        return
    table.execute("select rowid from t where t match ?", (parsed.match,)).fetchall()
    plain = query.snippet([text], parsed, mark=("", ""))
    assert plain.removeprefix("… ").removesuffix(" …") in " ".join(text.split())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(alphabet="aeéèêioôuđœcdlnrst", min_size=2, max_size=9), min_size=1, max_size=6))
def test_a_text_is_found_by_its_own_words(words):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create virtual table t using fts5(title, lead, text)")
        connection.execute("insert into t values ('', '', ?)", (fold.fold(" ".join(words)),))
        for typed in (" ".join(words), f'"{" ".join(words)}"', f"text:{words[-1]}"):
            match = query.parse(typed).match
            assert connection.execute("select count(*) from t where t match ?", (match,)).fetchone() == (1,)


# --- snippets ---------------------------------------------------------------------------------------------------------

LONG = " ".join(f"mot{i}" for i in range(40))
SNIPPETS = {
    "hit marked as printed": (["Les Affaires étrangères du pays"], "etrangeres", "Les Affaires **étrangères** du pays"),
    "every hit": (["riz, riz et blé"], "riz", "**riz**, **riz** et blé"),
    "beginning of a word": (["La coopération avance"], "coop*", "La **coopération** avance"),
    "elided article stays": (["L’économie va"], "économie", "L’**économie** va"),
    "white space folded": (["Un\n\nriz \t blanc"], "riz", "Un **riz** blanc"),
    "hit in the second text": (["Un titre", "le riz"], "riz", "le **riz**"),
    "first text with a hit wins": (["le riz", "du riz"], "riz", "le **riz**"),
    "no hit: the beginning of the last text": (["Un titre", "Un texte"], "riz", "Un texte"),
    "no hit and an empty last text": (["Un titre", ""], "riz", "Un titre"),
    "nothing to show": (["", "..."], "riz", ""),
    "no text": ([], "riz", ""),
    "a word that is not wanted is not marked": (["riz et blé"], "riz -blé", "**riz** et blé"),
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
    assert query.snippet(texts, query.parse(typed)) == expected


def test_marks_are_the_callers():
    assert query.snippet(["le riz"], query.parse("riz"), mark=("<b>", "</b>")) == "le <b>riz</b>"


def test_a_filter_cannot_be_turned_round():
    with pytest.raises(BadInput, match="cannot be turned round"):
        query.parse("riz -section:Sports")


def test_an_exclusion_ends_an_either_or():
    assert query.parse("tourisme OR -riz paix").match == '(("tourism") AND ("paix")) NOT "riz"'
