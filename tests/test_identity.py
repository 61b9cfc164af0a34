"""Is it the same article? Situations by name; what may vary without being a change."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import identity
from crawler.identity import Candidate, Decision, Known, Twin
from crawler.types import Article, ImageBlock, Related, TextBlock

WORDS = (
    "Le vice-ministre des Affaires étrangères a reçu hier à Hanoï une délégation venue de France pour parler du climat, "
    "de la recherche, des transports et de la santé. Les deux parties ont dit leur volonté d’élargir la coopération "
    "entre les régions, les écoles et les hôpitaux ; elles ont signé trois accords sur l’eau, le riz et la mer. "
)
TEXT = (
    WORDS
    + "Une rencontre est prévue au printemps prochain dans la ville de Huế avec les maires de vingt communes. -VNA"
)
ARTICLE = Article(
    "Le Vietnam et la France « coopèrent »",
    "Un lead – court",
    (
        ImageBlock("https://mediafr.vietnamplus.vn/1.jpg", "x ảnh 1", "À Hanoï. Photo : VNA", "VNA"),
        TextBlock("paragraph", TEXT),
        TextBlock("note", "Une note"),
    ),
    (Related("Autre", "R"),),
    post_id=10,
    published_at="2025-04-29T14:30:44+07:00",
)


def known(article=ARTICLE, revision=3):
    return Known(revision, identity.comparable(article))


def with_block(index, block):
    blocks = list(ARTICLE.blocks)
    blocks[index] = block
    return replace(ARTICLE, blocks=tuple(blocks))


def with_text(text):
    return with_block(1, TextBlock("paragraph", text))


IMAGE = ARTICLE.images[0]

# --- revisions --------------------------------------------------------------------------------------------------------

UNCHANGED = {
    "nothing changed": ARTICLE,
    "another Unicode form": with_text(unicodedata.normalize("NFD", TEXT)),
    "other spaces": with_text("  " + TEXT.replace(" ", "\u00a0 \n")),
    "zero-width space for a space": with_text(TEXT.replace(" ", " \u200b")),
    "straight quotes and dashes": replace(
        ARTICLE, title='Le Vietnam et la France " coopèrent "', lead="Un lead - court"
    ),
    "straight apostrophes": with_text(TEXT.replace("’", "'")),
    "other stories under the article": replace(ARTICLE, related=()),
    "another picture address and alt": with_block(0, replace(IMAGE, url="https://x/2.jpg", alt="x hinh anh 1")),
    "another section and other tags": replace(ARTICLE, section="Monde", tags=("a",)),
    "another reader of the page": replace(ARTICLE, markup="cms-2016", problems=("x",), provenance={"a": "b"}),
    "the type of a block": with_block(1, TextBlock("quote", TEXT)),
    "another time of change": replace(ARTICLE, modified_at="2026-01-01T00:00:00+07:00"),
}


@pytest.mark.parametrize("article", UNCHANGED.values(), ids=UNCHANGED)
def test_no_revision(article):
    assert identity.decide(article, known()) == Decision("unchanged", 3)
    assert identity.fingerprint(article) == identity.fingerprint(ARTICLE)


REVISED = {
    "title": (replace(ARTICLE, title="Autre"), ("title",)),
    "lead": (replace(ARTICLE, lead="Autre"), ("lead",)),
    "lead withdrawn": (replace(ARTICLE, lead=None), ("lead",)),
    "all text withdrawn": (replace(ARTICLE, blocks=()), ("captions", "text")),
    "a word of the text": (with_text(TEXT.replace("trois", "quatre")), ("text",)),
    "capitals": (with_text(TEXT.upper()), ("text",)),
    "accents": (with_text(TEXT.replace("é", "e")), ("text",)),
    "a note": (with_block(2, TextBlock("note", "Autre")), ("text",)),
    "a caption": (with_block(0, replace(IMAGE, caption="Autre")), ("captions",)),
    "date": (replace(ARTICLE, published_at="2025-04-30T14:30:44+07:00"), ("published_at",)),
    "kind": (replace(ARTICLE, kind="photo"), ("kind",)),
    "several": (replace(ARTICLE, title="A", lead="B", kind="video"), ("kind", "lead", "title")),
}


@pytest.mark.parametrize(("article", "changed"), REVISED.values(), ids=REVISED)
def test_a_revision_says_what_changed(article, changed):
    assert identity.decide(article, known()) == Decision("revised", 4, changed)


def test_a_superscript_set_plain_is_a_change():
    old, new = (with_text(f"{TEXT} {ordinal}") for ordinal in ("14ᵉ", "14e"))
    assert identity.decide(new, known(old)).changed == ("text",)


@pytest.mark.parametrize("article", [article for article, _ in REVISED.values()], ids=REVISED)
def test_a_revision_has_another_fingerprint(article):
    assert identity.fingerprint(article) != identity.fingerprint(ARTICLE)


def test_a_field_that_was_empty_is_a_change_when_it_is_filled():
    bare = replace(ARTICLE, lead=None)
    assert identity.decide(ARTICLE, known(bare)).changed == ("lead",)


def test_fields_that_are_empty_do_not_enter():
    assert identity.comparable(Article("T")) == {"title": "T"}
    assert identity.fingerprint(Article("T")).startswith(f"{identity.FINGERPRINT_VERSION}:")


def test_candidates_are_not_asked_about_a_known_article():
    def candidates():
        raise AssertionError
        yield

    assert identity.decide(ARTICLE, known(), candidates()).verdict == "unchanged"


# --- duplicates -------------------------------------------------------------------------------------------------------


def candidate(article, key=20):
    return Candidate(key, identity.body_key(article), identity.simhash(article.text), article.text)


OTHER = with_text("Le typhon a frappé la côte centrale ; trois personnes sont mortes et trente autres blessées. " * 4)
CHANGED_A_LITTLE = with_text(TEXT.replace("vingt communes", "vingt villes"))


def test_nobody_says_the_same():
    assert identity.decide(ARTICLE, None) == Decision("new", 1)
    assert identity.decide(ARTICLE, None, [candidate(OTHER)]) == Decision("new", 1)


def test_the_same_text_under_another_id():
    article = replace(ARTICLE, lead=None, published_at=None)
    expected = Decision("duplicate", 1, twins=(Twin(20, "same text", 1.0),))
    assert identity.decide(ARTICLE, None, [candidate(article)]) == expected


def test_nearly_the_same_text_under_another_title():
    article = replace(CHANGED_A_LITTLE, title="Un autre titre")
    decision = identity.decide(ARTICLE, None, [candidate(OTHER, 19), candidate(article)])
    (twin,) = decision.twins
    assert decision.verdict == "duplicate"
    assert (twin.id, twin.kind) == (20, "near text")
    assert 0.9 <= twin.score < 1


def test_the_same_text_under_another_title_is_near():
    (twin,) = identity.decide(ARTICLE, None, [candidate(replace(ARTICLE, title="Autre"))]).twins
    assert twin == Twin(20, "near text", 1.0)


def test_an_article_is_no_duplicate_of_itself():
    assert identity.decide(ARTICLE, None, [candidate(ARTICLE, key=10)]) == Decision("new", 1)


def test_a_hash_that_lies_is_caught_by_the_text():
    liar = Candidate(20, "", identity.simhash(TEXT), OTHER.text)
    assert identity.decide(ARTICLE, None, [liar]).verdict == "new"


def test_a_hash_that_is_far_spares_the_comparison():
    far = Candidate(20, "", ~identity.simhash(TEXT), TEXT)
    assert identity.decide(ARTICLE, None, [far]).verdict == "new"


def test_articles_without_text_meet_only_under_one_title():
    photo = Article("Une photo", kind="photo")
    assert identity.decide(photo, None, [candidate(Article("Une autre", kind="photo"))]).verdict == "new"
    assert identity.decide(photo, None, [candidate(photo)]).verdict == "duplicate"


def test_all_twins_are_named():
    decision = identity.decide(
        ARTICLE, None, [candidate(ARTICLE, 1), candidate(CHANGED_A_LITTLE, 2), candidate(OTHER, 3)]
    )
    assert [(twin.id, twin.kind) for twin in decision.twins] == [(1, "same text"), (2, "near text")]


def test_the_key_of_a_text_depends_on_title_and_text_alone():
    assert identity.body_key(ARTICLE) == identity.body_key(replace(ARTICLE, lead=None, blocks=ARTICLE.blocks[1:2]))
    assert identity.body_key(ARTICLE) != identity.body_key(replace(ARTICLE, title="Autre"))
    assert identity.body_key(ARTICLE) != identity.body_key(OTHER)


# --- hashes -----------------------------------------------------------------------------------------------------------


def test_near_texts_have_near_hashes():
    long = TEXT * 3
    near = identity.distance(
        identity.simhash(long), identity.simhash(long.replace("vingt communes", "vingt villes", 1))
    )
    far = identity.distance(identity.simhash(TEXT), identity.simhash(OTHER.text))
    assert near <= 10 < far


def test_distance_counts_bits_of_signed_numbers():
    assert identity.distance(0, 0) == 0
    assert identity.distance(-1, 0) == 64
    assert identity.distance(-1, -2) == 1
    assert identity.distance(-(1 << 63), 0) == 1


def test_how_a_text_is_typed_does_not_move_its_hash():
    assert identity.simhash("Étrangères  L’UNION\nvœux") == identity.simhash("etrangeres l'union voeux")


@pytest.mark.parametrize("text", ["", "un", "un deux", "un deux trois", "un deux trois quatre"])
def test_short_texts_have_a_hash_each(text):
    others = {"", "un", "un deux", "un deux trois", "un deux trois quatre"} - {text}
    assert identity.simhash(text) not in {identity.simhash(other) for other in others}


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text())
def test_a_hash_fits_a_signed_column_and_distance_is_symmetric(one, other):
    a, b = identity.simhash(one), identity.simhash(other)
    assert -(1 << 63) <= a < 1 << 63
    assert identity.distance(a, b) == identity.distance(b, a)
    assert identity.distance(a, a) == 0


@settings(max_examples=200, deadline=None)
@given(st.text(), st.none() | st.text(), st.lists(st.text(), max_size=3))
def test_an_article_is_always_unchanged_against_itself(title, lead, texts):
    article = Article(title, lead, tuple(TextBlock("paragraph", text) for text in texts))
    assert identity.decide(article, known(article)) == Decision("unchanged", 3)
