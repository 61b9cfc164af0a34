"""How many words a French text has: elisions, apostrophes, hyphens, numbers, punctuation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import SEED_ARTICLES

from crawler.word_count import count_words

COUNTS = {
    "": 0,
    " \n\t": 0,
    "Hanoï": 1,
    "Điện Biên Phủ": 3,
    "Un deux.\n\nTrois": 3,
    # an elided word is a word of its own
    "l'État": 2,
    "L’État": 2,
    "d'Hanoï": 2,
    "qu'il": 2,
    "QU'IL": 2,
    "jusqu'en": 2,
    "lorsqu'elle": 2,
    "puisqu'on": 2,
    "quoiqu'il": 2,
    "d'1,5 million": 3,
    "d'Âu Cơ": 3,
    "l'œuvre": 2,
    "s'y": 2,
    "qu'aujourd'hui": 2,
    "c'est-à-dire": 2,
    # any other apostrophe joins
    "aujourd'hui": 1,
    "aujourdʼhui": 1,
    "presqu'île": 1,
    "quelqu'un": 1,
    "H'Mông": 1,
    "M'nông": 1,
    "N’Djamena": 1,
    "chef-d'œuvre": 1,
    # an apostrophe outside a word is punctuation
    "'mot'": 1,
    "l' État": 2,
    "l'": 1,
    "d''": 1,
    # hyphens and dashes
    "sud-coréens": 1,
    "Bà Rịa-Vũng Tàu": 3,
    "donne-t-il": 1,
    "Covid-19": 1,
    "2020-2025": 1,
    "sud‑coréens": 1,
    "Hanoï - Hué": 2,
    "Hanoï–Hué": 2,
    "(VNA)-Hanoï": 2,
    # numbers
    "20.000": 1,
    "3,5": 1,
    "1.234.567,89": 1,
    "20 000": 1,
    "20\u00a0000 personnes": 2,
    "20\u202f000\u202f000": 1,
    "20 000,5": 1,
    "en 2025 300 personnes": 4,
    "Covid-19 300 cas": 3,
    "12 3000": 2,
    "14h30": 1,
    "14:30": 2,
    "5G": 1,
    "km²": 1,
    "1er": 1,
    "fin.Début": 2,
    # punctuation and symbols alone are no words
    "« - » … – ! ? / % $ & @ #": 0,
    "'": 0,
    "___": 0,
    "5 %": 1,
    "🦐": 0,
    # invisible characters and combining accents do not end a word
    "e\u0301tat": 1,
    "infor\u00admation": 1,
    "mot\u200bmot": 1,
}


@pytest.mark.parametrize(("text", "count"), COUNTS.items(), ids=map(ascii, COUNTS))
def test_count(text, count):
    assert count_words(text) == count


def test_a_sentence_of_the_site():
    text = (
        "Hanoï, 2 mai (VNA) - Le Premier ministre s'est entretenu jeudi avec l'ambassadeur sud-coréen, "
        "qui a salué les 20.000 étudiants d'aujourd'hui."
    )
    assert count_words(text) == len(
        "Hanoï 2 mai VNA Le Premier ministre s est entretenu jeudi avec l ambassadeur sud-coréen "
        "qui a salué les 20.000 étudiants d aujourd'hui".split()
    )


@pytest.mark.parametrize("article", SEED_ARTICLES.values(), ids=SEED_ARTICLES)
def test_the_count_of_a_seed_is_close_to_the_number_of_its_spaces(article):
    """Elisions add words and lone signs remove some: at most a tenth of the words of the five seeds."""
    pieces = len(article.text.split())
    assert pieces * 0.97 <= count_words(article.text) <= pieces * 1.1


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30))
def test_lines_are_counted_apart(one, other):
    assert count_words(f"{one}\n{other}") == count_words(one) + count_words(other)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=40))
def test_there_are_words_where_there_are_letters_or_digits(text):
    assert bool(count_words(text)) == any(c.isalnum() for c in text)
