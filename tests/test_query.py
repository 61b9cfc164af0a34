"""Search queries: what they find, and that SQLite accepts every expression."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import days, fold, query, snippets
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
    "two words: both must match": ("dialogue tourisme", [2]),
    "without accents": ("etrangeres", [1]),
    "another word ending": ("victoires", [3]),
    "Vietnamese name without accents": ("dien bien phu", [3]),
    "in capitals": ("DIALOGUE", [1, 2]),
    "elided article": ("l'asean", [4]),
    "phrase": ('"affaires étrangères"', [1]),
    "phrase in another order": ('"étrangères affaires"', []),
    "phrase in French quotes": ("« eu lieu »", [1]),
    "phrase without closing quote": ('"dialogue économique', [2]),
    "French quotes without closing quote": ("« dialogue des", [1]),
    "excluded word": ("dialogue -tourisme", [1]),
    "excluded phrase": ('dialogue -"affaires étrangères"', [2]),
    "two excluded words": ("riz -paix -chine", []),
    "hyphen inside a word is not a minus": ("vietnam-france", [1]),
    "hyphen after a quote is not a minus": ('"dialogue"-tourisme', [2]),
    "in the title": ("title:vietnam", [1]),
    "in the title, in French": ("titre:vietnam", [1]),
    "in the lead": ("chapeau:riz", [2]),
    "in the text": ("texte:riz", [4]),
    "column name in capitals": ("TITLE:vietnam", [1]),
    "excluded in the title": ("vietnam -title:vietnam", [2]),
    "phrase in a column": ('title:"coopération avec"', [2]),
    "prefix": ("coop*", [2, 3]),
    "prefix in a column": ("title:coop*", [2]),
    "excluded prefix": ("riz -coop*", [4]),
    "prefix beyond the stem": ("économiq*", [2]),
    "prefix that ends in the middle of an ending": ("coopératio*", [2, 3]),
    "prefix whose word changes in the plural": ("étrangè*", [1]),
    "prefix beyond the stem in a column": ("title:coopératio*", [2]),
    "prefix after an elided article": ("d'associatio*", [4]),
    "excluded prefix beyond the stem": ("dialogue -tourism*", [1]),
    "NOT": ("dialogue NOT tourisme", [1]),
    "NOT in French": ("dialogue SAUF tourisme", [1]),
    "AND NOT": ("dialogue AND NOT tourisme", [1]),
    "NOT with a phrase": ('dialogue NOT "affaires étrangères"', [2]),
    "NOT with a prefix": ("riz NOT coop*", [4]),
    "NOT in the title": ("vietnam NOT title:vietnam", [2]),
    "NOT, then another word": ("riz NOT paix vietnam", [2]),
    "NOT at the start": ("NOT paix vietnam", [1, 2]),
    "NOT in French at the start": ("SAUF tourisme dialogue", [1]),
    "NOT after a filter and a word": ("section:Politique dialogue NOT tourisme", [1]),
    "NOT after a filter": ("since:2000 NOT tourisme dialogue", [1]),
    "NOT after an exclusion": ("-tourisme NOT paix vietnam", [1]),
    "NOT at the end": ("paix NOT", [4]),
    "lower-case not is a word": ("paix not", []),
    "OR": ("tourisme OR paix", [2, 4]),
    "OR in French": ("tourisme OU paix", [2, 4]),
    "OR as a symbol": ("tourisme | paix", [2, 4]),
    "OR with three words": ("tourisme OR paix OR huế", [2, 3, 4]),
    "OR, then another word": ("tourisme OR paix vietnam", [2]),
    "OR with phrases": ('"eu lieu" OR "kuala lumpur"', [1, 4]),
    "AND": ("dialogue AND tourisme", [2]),
    "AND in French": ("dialogue ET tourisme", [2]),
    "lower-case or is a word": ("paix or", []),
    "operator at the start is a word": ("OR paix", []),
    "operator at the end": ("paix OR", [4]),
    "two operators: the last one counts": ("tourisme OR AND paix", []),
    "group, then OR": ("(riz paix) OR huế", [3, 4]),
    "group after OR": ("huế OR (riz paix)", [3, 4]),
    "without the group, OR binds more tightly": ("riz paix OR huế", [4]),
    "group of alternatives": ("(tourisme OR paix) riz", [2, 4]),
    "two groups": ("(dialogue OR paix) (tourisme OR asean)", [2, 4]),
    "group with AND": ("(riz AND tourisme) OU victoire", [2, 3]),
    "groups inside each other": ("((riz paix) OR (dialogue -tourisme)) OR huế", [1, 3, 4]),
    "excluded group": ("riz -(tourisme OR paix)", []),
    "excluded group of two words": ("dialogue -(riz tourisme)", [1]),
    "NOT with a group": ("dialogue NOT (tourisme paix)", [1, 2]),
    "exclusion in a group": ("(dialogue -tourisme) OR huế", [1, 3]),
    "exclusion at the start of a group": ("(-tourisme dialogue) OR huế", [1, 3]),
    "NOT at the start of a group": ("(NOT tourisme dialogue) OR huế", [1, 3]),
    "excluded group with an exclusion": ("dialogue -(vietnam -tourisme)", [2]),
    "group in a column": ("title:(chine OR victoire)", [2, 3]),
    "excluded group in a column": ("vietnam -TITRE:(vietnam dialogue)", [2]),
    "column in a group in the same column": ("title:(titre:chine)", [2]),
    "group after an unknown column": ("vietnam:(france OR chine)", [1, 2]),
    "prefix and phrase in a group": ('("eu lieu" OR coop*) -riz', [1, 3]),
    "parenthesis that is not closed": ("(riz paix OR huế", [4]),
    "parenthesis that is not opened": ("1) riz", []),
    "two parentheses that are not opened": ("riz) paix)", [4]),
    "parentheses inside a word": ("dialogue(s) OR paix", [4]),
    "parentheses without words": ("riz () (!) paix", [4]),
    "parentheses in quotes": ('"(riz" "paix)"', [4]),
    "parentheses directly after a word": ("riz(paix tourisme)", []),
    "operator at the start of a group is a word": ("(OR paix)", []),
    "operator at the end of a group": ("(paix OR) riz", [4]),
    "ten levels": ("(" * 10 + "paix" + ")" * 10, [4]),
    "unknown column is a word": ("vietnam:france", [1]),
    "unknown column with only an asterisk": ("vietnam:*", [1, 2]),
    "FTS5 syntax": ("(dialogue) {tourisme} ^riz + NEAR", []),
    "doubled quotes": ('""dialogue""', [1, 2]),
    "punctuation is ignored": ("dialogue , ; !", [1, 2]),
    "punctuation in quotes is ignored": ('dialogue "!"', [1, 2]),
    "punctuation in a column is ignored": ("dialogue title:!", [1, 2]),
}


@pytest.mark.parametrize(("text", "expected"), FINDS.values(), ids=FINDS)
def test_query_finds(table, text, expected):
    assert found(table, text) == expected


# --- synonyms ---------------------------------------------------------------------------------------------------------

ASEAN = ("ASEAN", "Association des nations de l'Asie du Sud-Est")
RICE = ("riz", "paddy")
SYNONYMS = {
    "synonym of a printed word": ("paddy", [2, 4]),
    "abbreviation finds its phrase": ("title:ASEAN", [4]),
    "phrase of several words": ("association des nations de l'asie du sud-est paix", [4]),
    "in a column": ("lead:asean", [4]),
    "excluded synonym": ("paix -paddy", []),
    "not in quotes": ('"paddy"', []),
    "not as a prefix": ("padd*", []),
    "OR": ("paddy OR huế", [2, 3, 4]),
}


@pytest.mark.parametrize(("text", "expected"), SYNONYMS.values(), ids=SYNONYMS)
def test_synonyms(table, text, expected):
    assert found(table, text, ASEAN, RICE, ("!", "")) == expected


def test_a_word_in_two_groups_matches_both():
    synonyms = query.Synonyms([("a", "b"), ("b", "c")])
    assert query.parse("b", synonyms).match == '("b" OR "a" OR "c")'
    assert query.parse("a", synonyms).match == '("a" OR "b")'


def test_the_longest_synonym_wins():
    synonyms = query.Synonyms([("mer orientale", "mer de Chine"), ("mer", "océan")])
    assert query.parse("mer orientale", synonyms).hits == frozenset(fold.words("mer orientale chine de"))
    assert query.parse("mer calme", synonyms).hits == frozenset(fold.words("mer océan calme"))


# --- filters ----------------------------------------------------------------------------------------------------------


def test_filters_are_not_search_terms():
    parsed = query.parse('riz section:"Le monde" since:2024-01-31 until:2024-12-31')
    assert parsed == query.Query('("riz")', frozenset({"riz"}), (), "Le monde", "2024-01-31", "2024-12-31")


def test_a_prefix_is_not_a_whole_word():
    assert query.parse("coop* riz") == query.Query('("coop" *) AND ("riz")', frozenset({"riz"}), ("coop",))


def test_filters_in_french_before_the_words():
    parsed = query.parse("rubrique:Sports depuis:2024-01-31 jusque:20241231 riz")
    assert (parsed.section, parsed.since, parsed.until) == ("Sports", "2024-01-31", "2024-12-31")


INVALID = {
    "empty": "",
    "white space": "  \n",
    "punctuation": "?! ...",
    "only an excluded word": "-tourisme",
    "only a filter": "section:Sports",
    "empty phrase": '""',
    "only an asterisk": "*",
    "only NOT": "NOT paix",
    "only NOT in French": 'SAUF "diên biên phu"',
    "only NOT after a filter": "section:Sports NOT riz",
    "only exclusions": "-riz SAUF paix",
    "invalid date": "riz since:2024-13-01",
    "date in words": "riz until:hier",
    "parentheses without words": "() (!)",
    "only an excluded group": "-(riz paix)",
    "only exclusions in a group": "riz (-paix)",
    "only exclusions in an excluded group": "riz -(-paix)",
    "only NOT in a group": "riz (NOT paix)",
    "filter in a group": "(riz section:Sports) OR paix",
    "filter in a group that is not closed": "riz (since:2024",
    "filter of a group": "riz section:(Sports Politique)",
    "eleven levels": "(" * 11 + "riz",
}


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_an_invalid_query_is_rejected_with_a_hint(text):
    with pytest.raises((query.NoSearchTerm, query.Unreadable, days.NotADay)) as caught:
        query.parse(text)
    assert caught.value.hint


UNREADABLE = {
    "riz -section:Sports": (query.Mistake.EXCLUDED_FILTER, "-section:Sports"),
    "riz (since:2024 chine)": (query.Mistake.FILTER_IN_PARENTHESES, "since:2024"),
    "riz section:(Sports)": (query.Mistake.FILTER_OF_PARENTHESES, "section:("),
    "(" * 11 + "riz": (query.Mistake.TOO_DEEP, ""),
    "riz (-paix)": (query.Mistake.ONLY_EXCLUSIONS, ""),
}


@pytest.mark.parametrize(("text", "mistake"), UNREADABLE.items(), ids=UNREADABLE)
def test_the_mistake_of_a_query_is_a_value(text, mistake):
    with pytest.raises(query.Unreadable) as caught:
        query.parse(text)
    assert (caught.value.mistake, caught.value.part) == mistake
    assert {mistake for mistake, _ in UNREADABLE.values()} == set(query.Mistake)


PIECES = st.sampled_from(
    '" - OR OU AND ET NOT NEAR( -( title:( section:( x(s) | & * coop* title: titre: lead: text: chapeau:* section: section:x since: since:2024-01-01 '
    "« » : ( ) { } ^ + , ' l' x-y vietnam:chine -title:x -\" étés 中文 ² \x00".split(" ")
)
TYPED = st.text(max_size=30) | st.lists(PIECES, max_size=10).map("".join) | st.lists(PIECES, max_size=10).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(TYPED)
def test_any_query_is_rejected_or_accepted_by_sqlite(table, text):
    try:
        parsed = query.parse(text, query.Synonyms([RICE, ("étés", "coop x")]))
    except BadInput:
        return
    table.execute("select rowid from t where t match ?", (parsed.match,)).fetchall()
    plain = snippets.snippet([text], parsed, mark=("", ""))
    assert plain.removeprefix("… ").removesuffix(" …") in snippets.SPACES.sub(" ", text)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(alphabet="aeéèêioôuđœcdlnrst", min_size=2, max_size=9), min_size=1, max_size=6))
def test_a_text_is_found_by_its_own_words(words):
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create virtual table t using fts5(title, lead, text)")
        connection.execute("insert into t values ('', '', ?)", (fold.fold(" ".join(words)),))
        for typed in (" ".join(words), f'"{" ".join(words)}"', f"text:{words[-1]}"):
            match = query.parse(typed).match
            assert connection.execute("select count(*) from t where t match ?", (match,)).fetchone() == (1,)


@pytest.mark.parametrize("text", ["riz -section:Sports", "riz NOT section:Sports", "riz SAUF depuis:2024"])
def test_a_filter_cannot_be_excluded(text):
    with pytest.raises(BadInput, match="cannot be excluded"):
        query.parse(text)


def test_an_exclusion_ends_an_alternative():
    assert query.parse("tourisme OR -riz paix").match == '(("tourism") AND ("paix")) NOT ("riz")'
