"""Folding: a query and the matching text must have the same folded form."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from snowballstemmer.french_stemmer import FrenchStemmer
from support import SEEDS

from crawler import fold

SAME = {
    "accents": ("Affaires étrangères", "affaires etrangeres"),
    "Vietnamese letters": ("Điện Biên Phủ", "dien bien phu"),
    "Icelandic letter instead of the Vietnamese one": ("Ðiện Biên Phủ", "Điện Biên Phủ"),
    "partly accented Vietnamese": ("Diên Biên Phu", "Điện Biên Phủ"),
    "decomposed text": (unicodedata.normalize("NFD", "Hà Nội"), "Hà Nội"),
    "ligature": ("vœux", "voeux"),
    "capital ligature": ("ŒUVRE", "oeuvre"),
    "Danish letter, accented": ("Ǿ", "o"),
    "ligature, accented": ("Ǽ", "ae"),
    "sharp s": ("Straße", "strasse"),
    "Polish letter": ("Łódź", "lodz"),
    "superscripts of ordinals": ("14ᵉ et 1ʳᵉ", "14e et 1re"),
    "curly apostrophe": ("aujourd’hui", "aujourd'hui"),
    "soft hyphen": ("inter\u00adnational", "international"),
    "zero-width space": ("inter\u200bnational", "international"),
    "byte order mark": ("\ufeffinternational", "international"),
    "zero-width joiners": ("inter\u200c\u200dnational", "international"),
    "elided article": ("l'économie", "economie"),
    "elided article, curly apostrophe": ("L’Économie", "economie"),
    "modifier letter apostrophe": ("lʼéconomie", "economie"),
    "elided conjunction": ("lorsqu'économie", "economie"),
    "plural": ("relations", "relation"),
    "verb ending": ("annonçait", "annonce"),
    "adjective ending": ("nationales", "national"),
    "non-breaking hyphen": ("Asie‑Pacifique", "Asie-Pacifique"),
    "en dash": ("Vietnam–France", "Vietnam-France"),
    "em dash": ("Vietnam—France", "Vietnam - France"),
    "underscore": ("mot_mot", "mot mot"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_same_folded_form(one, other):
    assert fold.fold(one) == fold.fold(other) != ""


DIFFERENT = {
    "short words keep their endings": ("des", "de"),
    "numbers": ("2024", "2025"),
    "words with a common prefix": ("chinois", "chine"),
    "apostrophe inside a word is not an elision": ("aujourd'hui", "hui"),
}


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_different_folded_form(one, other):
    assert fold.fold(one) != fold.fold(other)


def test_words_are_split_and_in_order():
    assert fold.words("L’Union, qu'il (2025) dit : « non ».") == ["union", "il", "2025", "dit", "non"]
    assert fold.fold("Un, deux") == "un deux"
    assert fold.words("aujourd'hui") == ["aujourd", "hui"]
    assert fold.folded("Vietnam–France") == ("vietnam", "franc")


def test_letters_change_nothing_but_letters_and_quotes():
    assert fold.letters("« L’ÉTÉ » – 18,7%") == "« l'ete » - 18,7%"


def test_plain_removes_elided_articles_and_keeps_punctuation():
    assert fold.plain("L’été, d'Asie.") == " ete,  asie."


def test_stem_keeps_short_words_and_words_with_digits():
    assert [fold.stem(word) for word in ("des", "b2b2", "2024", "notes")] == ["des", "b2b2", "2024", "not"]


def test_stems_do_not_depend_on_the_compiled_stemmer():
    """The search index may be read where only the stemmer in Python is installed."""
    text = " ".join(path.read_text("utf-8") for path in sorted(SEEDS.glob("*.txt")))
    words = {word for word in fold.plain(text).split() if word.isalpha() and len(word) > 3}
    pure = FrenchStemmer()
    assert len(words) > 1000
    assert {word: fold.stem(word) for word in words} == {word: pure.stemWord(word) for word in words}


@settings(max_examples=120, deadline=None)
@given(st.text())
def test_letters_is_idempotent(text):
    assert fold.letters(fold.letters(text)) == fold.letters(text)


@settings(max_examples=120, deadline=None)
@given(st.text())
def test_unicode_normalisation_makes_no_difference(text):
    assert fold.fold(unicodedata.normalize("NFD", text)) == fold.fold(text)


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="aàâæçéèêëîïôœùûüÿđơưỷAÀÆÉŒĐƠƯ 'l’-,."))
def test_capitals_and_accents_make_no_difference(text):
    assert fold.words(text.upper()) == fold.words(text) == fold.words(fold.letters(text))


@settings(max_examples=80, deadline=None)
@given(st.text())
def test_folded_text_has_only_words_and_single_spaces(text):
    folded = fold.fold(text)
    assert folded.split() == fold.words(text)
    assert "  " not in folded
    assert not any(unicodedata.combining(c) for c in folded)


WORDS = """coopération investissement développement gouvernement relations nationalisme internationale économique touristique religieux
journaux chevaux parlementaire délégation culturelle villageois agriculture communication élevage pêcheurs finissaient heureusement
constamment récemment technologie solution confiance présence activité mobilité négociatrice"""


@pytest.mark.parametrize("word", WORDS.split())
def test_every_start_of_a_word_leads_to_its_stem(word):
    plain = fold.letters(word)
    for length in range(3, len(plain) + 1):
        start = plain[:length]
        assert fold.stem(plain).startswith(start) or fold.stem(plain) in fold.short_stems(start)


@pytest.mark.parametrize(
    ("start", "expected"), [("coop", ()), ("investissem", ("invest",)), ("journau", ("journal",)), ("xyz", ())]
)
def test_short_stems(start, expected):
    assert fold.short_stems(start) == expected
