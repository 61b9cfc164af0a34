"""Relations of two articles that share text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import fold, similarity
from crawler.similarity import ComparedText, relation
from crawler.types import Article, ImageBlock, TextBlock

FIRST = (
    "Le ministère de l'Agriculture a annoncé la fin de la campagne dans le delta, où les paysans ont rentré leurs gerbes avant"
    " les grandes marées. Les greniers du district sont pleins et les acheteurs venus de la capitale attendent sur les quais."
)
SECOND = (
    "Dans les ports du Centre, la flotte reste à quai jusqu'à nouvel ordre. Les capitaines redoutent une houle plus forte que"
    " celle de la semaine passée, et les familles réparent les filets en écoutant la radio du phare toute la journée."
)
THIRD = (
    "Une compagnie de marionnettes sur l'eau part en tournée à travers l'Europe avec un répertoire ancien, transmis par trois"
    " générations d'artisans qui sculptent encore leurs personnages dans le bois de jaquier, au bord du même étang."
)


def text(key, *paragraphs, title="Un titre", section=None, kind="article", lead="", captions=""):
    return ComparedText(key, kind, section, title, lead, "\n\n".join(paragraphs), captions)


WIRE = text(10, FIRST, SECOND)
REWORDED = FIRST.replace("annoncé", "confirmé").replace("grandes", "hautes").replace("quais", "pontons")
NUMBERS = "Les 12 communes ont reçu 20 tonnes de semences et trois camions."
PHOTO = text(9, kind="photo", captions=FIRST.partition(" où")[0])

RELATIONS = {
    "the same text": (WIRE, text(9, FIRST, SECOND, title="Autre"), (10, 9, "reissue")),
    "some other words": (WIRE, text(12, REWORDED, SECOND), (12, 10, "reissue")),
    "another section": (replace(WIRE, section="Monde"), text(9, FIRST, SECOND, section="Culture"), (10, 9, "cross-section")),
    "a section is unknown": (replace(WIRE, section="Monde"), text(9, FIRST, SECOND), (10, 9, "reissue")),
    "a new paragraph": (WIRE, text(9, FIRST, SECOND, THIRD), (9, 10, "extends")),
    "a new paragraph in the newer one": (text(12, THIRD, FIRST, SECOND), WIRE, (12, 10, "extends")),
    "a long addition under one title": (text(12, FIRST, SECOND, THIRD), text(9, FIRST), (12, 9, "extends")),
    "a digest": (text(12, FIRST, SECOND, THIRD, title="En bref"), text(9, FIRST), (12, 9, "digest-contains")),
    "numerals as words": (
        text(10, FIRST, NUMBERS), text(9, FIRST, NUMBERS.replace("12", "douze").replace("20", "vingt")), (10, 9, "reissue"),
    ),
    "a photo version with the same title": (replace(WIRE, title="Les quais"), text(9, kind="photo", title="Les Quais"), (9, 10, "photo-version")),
    "a photo version with the lead as caption": (replace(PHOTO, title="Autre"), replace(WIRE, id=8), (9, 8, "photo-version")),
    "another text": (WIRE, text(9, THIRD), None),
    "the same phrases in another order": (text(10, SECOND, THIRD, FIRST), text(9, *reversed([*FIRST.split(". "), *SECOND.split(". "), *THIRD.split(", ")])), None),
    "the same words in another order": (WIRE, text(9, " ".join(reversed(f"{FIRST} {SECOND}".split()))), None),
    "texts of two words": (text(10, "Bonne année"), text(9, "Bonne année"), None),
    "a photo of something else": (replace(PHOTO, title="Autre", captions=THIRD[:90]), WIRE, None),
    "captions that differ in their figures": (
        text(10, kind="photo", captions="La crue a fait 12 morts et 30 blessés dans la vallée, selon un bilan des secours."),
        text(9, kind="photo", captions="La crue a fait 45 morts et 67 blessés dans la vallée, selon un bilan des secours."), None,
    ),
    "no text at all": (text(10, kind="photo"), text(9, kind="photo"), None),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "expected"), RELATIONS.values(), ids=RELATIONS)
def test_relations(one, other, expected):
    found = relation(one, other)
    assert (found and (found.article, found.other, found.kind)) == expected
    assert relation(other, one) == found, "whichever article was stored first"


def test_the_passage_and_the_score():
    found = relation(text(12, REWORDED, SECOND), WIRE)
    assert found.passage == f"{SECOND[:-1]}"[: len(found.passage)]
    assert 0.9 < found.score < 1
    assert relation(WIRE, text(9, FIRST, SECOND)).score == 1
    long = relation(text(2, FIRST, SECOND, THIRD), text(1, FIRST, SECOND, THIRD)).passage
    assert long == f"{FIRST}\n\n{SECOND}"[:299] + "…"


def test_a_passage_is_empty_if_only_the_title_is_common():
    assert relation(replace(WIRE, title="Les quais"), text(9, kind="photo", title="Les quais")).passage == ""


def test_similarities_leave_out_unrelated_articles():
    assert [s.other for s in similarity.similarities(WIRE, [text(8, THIRD), text(9, FIRST, SECOND)])] == [9]


def test_what_is_compared_of_an_article():
    blocks = (
        TextBlock("paragraph", "Un."),
        ImageBlock(None, "", "Une légende"),
        ImageBlock(None, ""),
        TextBlock("note", "N"),
    )
    article = Article("T", None, blocks, section="Monde")
    assert similarity.compared(article, 7) == ComparedText(7, "article", "Monde", "T", "", "Un.", "Une légende")


def test_hashes_of_short_and_long_texts():
    assert len(similarity.passage_hashes(text(1))) == 1, "that of the title"
    short = similarity.passage_hashes(text(1, FIRST[:120]))
    assert len(short) == 9
    long = " ".join(f"mot{i:b}".translate({48: "a", 49: "b"}) for i in range(1000))
    assert 50 < len(similarity.passage_hashes(text(1, long))) < 120, "one of twelve sequences"
    assert set(short[1:]) & set(similarity.passage_hashes(text(2, THIRD, SECOND, FIRST[:120])))


def test_the_hashes_of_a_text_never_change():
    """Archives store them."""
    passage = "Le 12 mars, à Hanoï, le Premier ministre a reçu une délégation d’entreprises françaises."
    assert similarity.passage_hashes(text(1, passage, title="Réception à Hanoï")) == (
        *(56565491940489, 5110386868278, 17365529096467, 49534068951498, 79429628163840),
        *(83563903426689, 94095996135226, 123084214160487, 132829944935049),
    )


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(" \n\t\u00a0\u2028\x1caBé'’-_.½12²ﬁ\u0301\ud800Σσ"), max_size=40))
def test_the_words_of_a_text_are_those_of_its_pieces(content):
    plain = [fold.letters(word) for word in re.findall(r"[^\W_]+", content)]
    assert text(1, content).words == [word for word in plain if word and not any(c.isdigit() for c in word)]


def test_only_words_of_texts_as_long_as_an_article_are_kept():
    for length, kept in ((10_000, 1), (10_001, 0)):
        similarity._kept_words.cache_clear()
        assert text(1, "a " * (length // 2) + "b" * (length % 2)).words[:2] == ["a", "a"]
        assert similarity._kept_words.cache_info().currsize == kept


def test_the_best_candidates_share_most_and_are_near():
    assert similarity.best_candidates([(1, 5), (2, 1), (3, 7), (10, 9)], 10) == [3, 1]
    assert similarity.best_candidates([(key, 2) for key in range(40)], 20)[:2] == [19, 21]
