"""Identity decisions: what is a revision, what is not a change, and what is a duplicate."""

from __future__ import annotations

import random
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import identity, similarity
from crawler.identity import Decision, Duplicate, Known
from crawler.similarity import ComparedText
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
    "Unicode normalisation form": with_text(unicodedata.normalize("NFD", TEXT)),
    "white space": with_text("  " + TEXT.replace(" ", "\u00a0 \n")),
    "zero-width spaces": with_text(TEXT.replace(" ", " \u200b")),
    "straight quotes and dashes": replace(
        ARTICLE, title='Le Vietnam et la France " coopèrent "', lead="Un lead - court"
    ),
    "guillemets without inner spaces": replace(ARTICLE, title="Le Vietnam et la France «coopèrent»"),
    "guillemets with other spaces": replace(ARTICLE, title="Le Vietnam et la France «\u202fcoopèrent\u00a0»"),
    "straight quotes without inner spaces": replace(ARTICLE, title='Le Vietnam et la France "coopèrent"'),
    "curly quotes": replace(ARTICLE, title="Le Vietnam et la France “coopèrent”"),
    "curly quotes with one inner space": replace(ARTICLE, title="Le Vietnam et la France “ coopèrent”"),
    "no space before a quote": replace(ARTICLE, title='Le Vietnam et la France"coopèrent"'),
    "straight apostrophes": with_text(TEXT.replace("’", "'")),
    "related stories": replace(ARTICLE, related=()),
    "image URL and alt text": with_block(0, replace(IMAGE, url="https://x/2.jpg", alt="x hinh anh 1")),
    "section and tags": replace(ARTICLE, section="Monde", tags=("a",)),
    "layout, problems and provenance": replace(ARTICLE, markup="cms-2016", problems=("x",), provenance={"a": "b"}),
    "block type": with_block(1, TextBlock("quote", TEXT)),
    "publication time in UTC": replace(ARTICLE, published_at="2025-04-29T07:30:44+00:00"),
    "publication time with Z": replace(ARTICLE, published_at="2025-04-29T07:30:44Z"),
    "publication time with another offset": replace(ARTICLE, published_at="2025-04-29T09:30:44+02:00"),
    "publication time with a short offset": replace(ARTICLE, published_at="2025-04-29T14:30:44+0700"),
    "modification time": replace(ARTICLE, modified_at="2026-01-01T00:00:00+07:00"),
}


@pytest.mark.parametrize("article", UNCHANGED.values(), ids=UNCHANGED)
def test_changes_without_a_revision(article):
    assert identity.decide(article, known()) == Decision("unchanged", 3)
    assert identity.fingerprint(article) == identity.fingerprint(ARTICLE)


REVISED = {
    "title": (replace(ARTICLE, title="Autre"), ("title",)),
    "the words in quotes": (replace(ARTICLE, title="Le Vietnam et « la France coopèrent »"), ("title",)),
    "quotes removed": (replace(ARTICLE, title="Le Vietnam et la France coopèrent"), ("title",)),
    "one quote removed": (replace(ARTICLE, title="Le Vietnam et la France « coopèrent"), ("title",)),
    "two words in quotes glued": (replace(ARTICLE, title="Le Vietnam et laFrance « coopèrent »"), ("title",)),
    "lead": (replace(ARTICLE, lead="Autre"), ("lead",)),
    "removed lead": (replace(ARTICLE, lead=None), ("lead",)),
    "removed blocks": (replace(ARTICLE, blocks=()), ("captions", "text")),
    "one word": (with_text(TEXT.replace("trois", "quatre")), ("text",)),
    "capitals": (with_text(TEXT.upper()), ("text",)),
    "accents": (with_text(TEXT.replace("é", "e")), ("text",)),
    "note": (with_block(2, TextBlock("note", "Autre")), ("text",)),
    "caption": (with_block(0, replace(IMAGE, caption="Autre")), ("captions",)),
    "publication time": (replace(ARTICLE, published_at="2025-04-30T14:30:44+07:00"), ("published_at",)),
    "publication time of the same clock in UTC": (
        replace(ARTICLE, published_at="2025-04-29T14:30:44+00:00"),
        ("published_at",),
    ),
    "publication time beyond the calendar": (
        replace(ARTICLE, published_at="9999-12-31T23:59:59-05:00"),
        ("published_at",),
    ),
    "publication time that cannot be read": (replace(ARTICLE, published_at="x"), ("published_at",)),
    "publication time without an offset": (replace(ARTICLE, published_at="2025-04-29T14:30:44"), ("published_at",)),
    "kind": (replace(ARTICLE, kind="photo"), ("kind",)),
    "several fields": (replace(ARTICLE, title="A", lead="B", kind="video"), ("kind", "lead", "title")),
}


@pytest.mark.parametrize(("article", "changed"), REVISED.values(), ids=REVISED)
def test_a_revision_lists_the_changed_fields(article, changed):
    assert identity.decide(article, known()) == Decision("revised", 4, changed)


STYLES = {
    "low quotes": replace(ARTICLE, title="Le Vietnam et la France „coopèrent“"),
    "double primes": replace(ARTICLE, title="Le Vietnam et la France ″coopèrent″"),
    "single guillemets": replace(ARTICLE, title="Le Vietnam et la France ‹ coopèrent ›"),
    "two apostrophes": replace(ARTICLE, title="Le Vietnam et la France ''coopèrent''"),
    "two curly apostrophes": replace(ARTICLE, title="Le Vietnam et la France ’’coopèrent’’"),
    "minus sign": replace(ARTICLE, lead="Un lead \u2212 court"),
    "horizontal bar": replace(ARTICLE, lead="Un lead \u2015 court"),
    "hyphen": replace(ARTICLE, lead="Un lead \u2010 court"),
    "modifier letter": with_text(TEXT.replace("’", "\u02bc")),
    "prime": with_text(TEXT.replace("’", "\u2032")),
    "accents instead of apostrophes": with_text(TEXT.replace("’", "\u00b4")),
    "grave accents instead of apostrophes": with_text(TEXT.replace("’", "`")),
    "soft hyphens": with_text(TEXT.replace("r", "r\u00ad")),
    "marks of direction": with_text(f"\u200e{TEXT}\u200f"),
    "joiners": with_text(TEXT.replace("o", "\u2060o\u200d")),
}


@pytest.mark.parametrize("article", STYLES.values(), ids=STYLES)
def test_another_style_is_no_revision(article):
    assert identity.fingerprint(article) != identity.fingerprint(ARTICLE), "the fingerprint must show the style"
    assert identity.decide(article, known()) == Decision("unchanged", 3)


@pytest.mark.parametrize(
    ("time", "verdict"),
    [
        ("2025-04-29T14:30:00+07:00", "unchanged"),
        ("2025-04-29T07:30:00Z", "unchanged"),
        ("2025-04-29T14:30:45+07:00", "revised"),
        ("2025-04-29T14:31:00+07:00", "revised"),
        ("2025-04-29T14:30:00", "revised"),
        (None, "revised"),
    ],
)
def test_a_time_without_seconds_is_no_revision(time, verdict):
    assert ARTICLE.published_at == "2025-04-29T14:30:44+07:00"
    assert identity.decide(replace(ARTICLE, published_at=time), known()).verdict == verdict


def test_an_ellipsis_is_three_dots():
    one, other = with_text(f"{TEXT}…"), with_text(f"{TEXT}...")
    assert identity.decide(one, known(other)).verdict == "unchanged"
    assert identity.decide(one, known(with_text(f"{TEXT}."))).verdict == "revised"


def test_a_superscript_changed_to_a_letter_is_a_revision():
    old, new = (with_text(f"{TEXT} {ordinal}") for ordinal in ("14ᵉ", "14e"))
    assert identity.decide(new, known(old)).changed == ("text",)


@pytest.mark.parametrize("article", [article for article, _ in REVISED.values()], ids=REVISED)
def test_a_revision_has_another_fingerprint(article):
    assert identity.fingerprint(article) != identity.fingerprint(ARTICLE)


def test_filling_an_empty_field_is_a_revision():
    bare = replace(ARTICLE, lead=None)
    assert identity.decide(ARTICLE, known(bare)).changed == ("lead",)


def test_empty_fields_are_not_compared():
    assert identity.comparable(Article("T")) == {"title": "T"}
    assert identity.fingerprint(Article("T")).startswith(f"{identity.FINGERPRINT_VERSION}:")


def test_candidates_are_not_read_for_a_known_article():
    def candidates():
        raise AssertionError
        yield

    assert identity.decide(ARTICLE, known(), candidates()).verdict == "unchanged"


# --- duplicates -------------------------------------------------------------------------------------------------------


def candidate(article, key=20, day="2025-04-29"):
    return ComparedText(
        key, article.kind, None, article.title, "", article.text, "", day, body_key=identity.body_key(article)
    )


def decide(candidates, article=ARTICLE, day="2025-04-29"):
    """Decide about an article that is new, with its relations to the candidates, as the pipeline does."""
    similar = similarity.similarities(similarity.compared(article, article.post_id or 0), candidates)
    return identity.decide(article, None, candidates, similar, day)


OTHER = with_text("Le typhon a frappé la côte centrale ; trois personnes sont mortes et trente autres blessées. " * 4)
CHANGED_A_LITTLE = with_text(TEXT.replace("vingt communes", "vingt villes"))


def test_an_article_without_duplicates_is_new():
    assert decide([]) == Decision("new", 1)
    assert decide([candidate(OTHER)]) == Decision("new", 1)


def test_the_same_text_with_another_id_is_a_duplicate():
    article = replace(ARTICLE, lead=None, published_at=None)
    expected = Decision("duplicate", 1, duplicates=(Duplicate(20, "same text", 1.0),))
    assert decide([candidate(article)]) == expected


def test_a_similar_text_with_another_title_is_a_near_duplicate():
    article = replace(CHANGED_A_LITTLE, title="Un autre titre")
    decision = decide([candidate(OTHER, 19), candidate(article)])
    (duplicate,) = decision.duplicates
    assert decision.verdict == "duplicate"
    assert (duplicate.id, duplicate.kind) == (20, "near text")
    assert 0.9 <= duplicate.score < 1


def test_the_same_text_with_another_title_is_a_near_duplicate():
    (duplicate,) = decide([candidate(replace(ARTICLE, title="Autre"))]).duplicates
    assert duplicate == Duplicate(20, "near text", 1.0)


def test_an_article_is_not_a_duplicate_of_itself():
    assert decide([candidate(ARTICLE, key=10)]) == Decision("new", 1)


@pytest.mark.parametrize(
    ("key", "one", "other", "expected"),
    [
        (20, "2025-04-29", "2025-05-02", "duplicate"),
        (20, "2025-04-29", "2025-05-03", "new"),
        (20, None, "2025-04-29", "new"),
        (-1, "2025-04-29", None, "duplicate"),
    ],
)
def test_near_duplicates_are_of_the_same_days(key, one, other, expected):
    """Articles of a series, such as daily prices, have nearly the same words. An imported text may have no day."""
    assert decide([candidate(CHANGED_A_LITTLE, key, other)], day=one).verdict == expected


def test_a_version_with_too_many_other_words_is_no_near_duplicate():
    words = TEXT.split()
    words[::8] = ["x" * 15] * len(words[::8])
    assert decide([candidate(with_text(" ".join(words)))]).verdict == "new"


def test_an_undated_import_is_a_near_duplicate():
    imported = replace(ARTICLE, post_id=None)
    assert decide([candidate(CHANGED_A_LITTLE, day="2025-04-29")], imported, day=None).verdict == "duplicate"


def test_articles_without_text_are_duplicates_only_with_the_same_title():
    photo = Article("Une photo", kind="photo")
    assert decide([candidate(Article("Une autre", kind="photo"))], photo, day=None).verdict == "new"
    assert decide([candidate(photo)], photo, day=None).verdict == "duplicate"


def test_all_duplicates_are_listed():
    decision = decide([candidate(ARTICLE, 1), candidate(CHANGED_A_LITTLE, 2), candidate(OTHER, 3)])
    assert [(found.id, found.kind) for found in decision.duplicates] == [(1, "same text"), (2, "near text")]


def test_body_key_depends_only_on_title_and_text():
    assert identity.body_key(ARTICLE) == identity.body_key(replace(ARTICLE, lead=None, blocks=ARTICLE.blocks[1:2]))
    assert identity.body_key(ARTICLE) != identity.body_key(replace(ARTICLE, title="Autre"))
    assert identity.body_key(ARTICLE) != identity.body_key(OTHER)


# --- hashes -----------------------------------------------------------------------------------------------------------


def distance(one, other):
    """Return the number of bits in which two hashes differ."""
    return ((one ^ other) & ((1 << 64) - 1)).bit_count()


def test_similar_texts_have_near_hashes():
    long = TEXT * 3
    near = distance(identity.simhash(long), identity.simhash(long.replace("vingt communes", "vingt villes", 1)))
    far = distance(identity.simhash(TEXT), identity.simhash(OTHER.text))
    assert near <= 10 < far


def test_accents_case_and_spaces_do_not_change_the_hash():
    assert identity.simhash("Étrangères  L’UNION\nvœux") == identity.simhash("etrangeres l'union voeux")


@pytest.mark.parametrize("text", ["", "un", "un deux", "un deux trois", "un deux trois quatre"])
def test_short_texts_have_distinct_hashes(text):
    others = {"", "un", "un deux", "un deux trois", "un deux trois quatre"} - {text}
    assert identity.simhash(text) not in {identity.simhash(other) for other in others}


def test_the_hash_of_a_text_never_changes():
    """Archives store it."""
    text = "Le 12 mars, à Hanoï, le Premier ministre a reçu une délégation d’entreprises françaises."
    assert identity.simhash(text) == 6224549837103717077


@settings(max_examples=80, deadline=None)
@given(st.text())
def test_a_hash_fits_a_signed_column(one):
    assert -(1 << 63) <= identity.simhash(one) < 1 << 63


@settings(max_examples=80, deadline=None)
@given(st.text(), st.none() | st.text(), st.lists(st.text(), max_size=3))
def test_an_article_is_always_unchanged_against_itself(title, lead, texts):
    article = Article(title, lead, tuple(TextBlock("paragraph", text) for text in texts))
    assert identity.decide(article, known(article)) == Decision("unchanged", 3)


def test_normalised_text_has_plain_signs_and_single_spaces():
    rng = random.Random(1)
    signs = ["e\u0301", "a", "é", "  ", *"’‘“”«»–—‑\u200b\ufeff \u00a0\n\t\x1c\u2028"]
    table = str.maketrans(dict(zip("’‘“”«»–—‑", '\'\'""""---', strict=True)))
    for text in ("".join(rng.choices(signs, k=rng.randint(0, 12))) for _ in range(1000)):
        slow = re.sub(r"[\s\u200b\ufeff]+", " ", unicodedata.normalize("NFC", text).translate(table)).strip()
        assert identity.normalised(text) == slow
