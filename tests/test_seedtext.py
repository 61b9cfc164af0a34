"""The seed text format: reading and writing the five seeds, special cases, and arbitrary texts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.errors import BadInput
from crawler.parse import seedtext
from crawler.types import Article, Dateline, ImageBlock, Related, TextBlock

SEEDS = {path.name[:3]: path.read_text("utf-8") for path in sorted((Path(__file__).parents[1] / "seeds").glob("*.txt"))}
#: For each seed: dateline, signature, number of pictures, `joint` of each picture (None: not checked), number of related stories.
FACTS = {
    "000": (Dateline("Paris", "19 septembre", "VNA"), "–VNA", 1, [""], 8),
    "001": (Dateline("Hanoï", None, "VNA"), "-VNA", 1, [" "], 9),
    "002": (Dateline("Hanoi", None, "VNA"), "– VNA", 2, None, 5),
    "003": (Dateline("Hanoï", None, "VNA"), "-VNA", 2, None, 10),
    "004": (Dateline("Washington", None, "VNA"), "-VNA", 2, None, 12),
}


def lines(text):
    """Return the lines that identify a document: each line stripped, blank lines dropped."""
    return [
        line.strip() for line in re.sub(r"\A[\s\ufeff]+", "", text).replace("\r\n", "\n").split("\n") if line.strip()
    ]


# --- the five seeds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_is_written_back_as_the_same_document(seed):
    once = seedtext.write(seedtext.read(SEEDS[seed]))
    assert lines(once) == lines(SEEDS[seed])
    assert seedtext.write(seedtext.read(once)) == once


@pytest.mark.parametrize("seed", SEEDS)
def test_fields_of_a_seed(seed):
    article = seedtext.read(SEEDS[seed])
    dateline, signature, pictures, joints, related = FACTS[seed]
    assert article.title == SEEDS[seed].partition("\n")[0]
    assert article.lead
    assert article.dateline == dateline
    assert article.signature == signature
    assert len(article.images) == pictures
    assert joints is None or [image.joint for image in article.images] == joints
    assert all(image.alt.startswith(article.title) and image.caption for image in article.images)
    assert len(article.related) == related
    assert "Voir plus" not in article.text


@pytest.mark.parametrize("seed", SEEDS)
def test_paragraphs_are_verbatim(seed):
    article = seedtext.read(SEEDS[seed])
    assert all(paragraph in SEEDS[seed] for paragraph in article.paragraphs)


def test_canonical_form_of_a_seed():
    article = seedtext.read(SEEDS["000"])
    text = seedtext.write(article)
    image = article.images[0]
    head = f"{article.title}\n\n{article.lead}\n{image.alt}{image.caption}\n\n{article.paragraphs[0]}\n\n{article.paragraphs[1]}"
    assert text.startswith(head)
    assert f"{article.paragraphs[-1]}\n\n\nVoir plus\n\n" in text
    assert not any(line != line.rstrip() or line == "\u00a0" for line in text.split("\n"))
    assert not text.endswith("\n")


def test_a_related_story_without_a_caption_repeats_its_title():
    second = seedtext.read(SEEDS["002"]).related[1]
    assert second.caption is None
    assert SEEDS["002"].count(second.title) == 2


# --- reading ----------------------------------------------------------------------------------------------------------

P = "paragraph"
READ = {
    "title only": ("T", Article("T")),
    "title and lead": ("T\n\nL", Article("T", "L")),
    "title, lead, paragraph": ("T\n\nL\n\nUn.", Article("T", "L", (TextBlock(P, "Un."),))),
    "Windows line ends and byte order mark": ("\ufeffT\r\n\r\nL\r\n", Article("T", "L")),
    "byte order mark after a blank line": ("\n\ufeffT\n\nL", Article("T", "L")),
    "blank lines before the title": ("\n\u00a0\nT", Article("T")),
    "no-break spaces at the ends of lines": ("T\n\n\u00a0L\u00a0\n\n\u00a0\n\nUn.\u00a0", Article("T", "L", (TextBlock(P, "Un."),))),
    "no-break space inside a line": ("T\n\nUne fin\u00a0!", Article("T", "Une fin\u00a0!")),
    "no lead: two blank lines": ("T\n\n\nUn.", Article("T", None, (TextBlock(P, "Un."),))),
    "no lead: picture first": (
        "T\n\nT ảnh 1 Photo : VNA",
        Article("T", None, (ImageBlock(None, "T ảnh 1", "Photo : VNA", "VNA", " "),)),
    ),
    "no lead: dateline first": (
        "T\n\nHuế (VNA) - Un. -VNA",
        Article("T", None, (TextBlock(P, "Huế (VNA) - Un. -VNA"),), dateline=Dateline("Huế", None, "VNA"), signature="-VNA"),
    ),
    "picture, caption without space": (
        "T\n\nL\nT ảnh 2(Source: x)",
        Article("T", "L", (ImageBlock(None, "T ảnh 2", "(Source: x)", "x"),)),
    ),
    "picture, no-break space before the caption": (
        "T\n\nL\nT ảnh 1\u00a0C",
        Article("T", "L", (ImageBlock(None, "T ảnh 1", "C", None, "\u00a0"),)),
    ),
    "picture in the older form, without caption": ("T\n\nL\nT hinh anh 3", Article("T", "L", (ImageBlock(None, "T hinh anh 3"),))),
    "picture line without the accents of the title": (
        "L'été à Đà Nẵng\n\nL\nL'ete a Da Nang hinh anh 1Légende",
        Article("L'été à Đà Nẵng", "L", (ImageBlock(None, "L'ete a Da Nang hinh anh 1", "Légende"),)),
    ),
    "picture line with other quotes and composed letters": (
        "L’e\u0301té «\u00a0vu\u00a0»\n\nL\nL'été \"vu\" hinh anh 2 C",
        Article("L’e\u0301té «\u00a0vu\u00a0»", "L", (ImageBlock(None, "L'été \"vu\" hinh anh 2", "C", None, " "),)),
    ),
    "title that ends like a picture line": (
        "Été ảnh 1\n\nL\nete anh 1 hinh anh 2C",
        Article("Été ảnh 1", "L", (ImageBlock(None, "ete anh 1 hinh anh 2", "C"),)),
    ),
    "picture line of another article": ("Été\n\nL\nhiver hinh anh 1", Article("Été", "L", (TextBlock(P, "hiver hinh anh 1"),))),
    "title without letters": ("?!\n\nL\n!! hinh anh 1", Article("?!", "L", (TextBlock(P, "!! hinh anh 1"),))),
    "source after the signature": (
        "T\n\nL\n\nUn. - VN A\n\nsource",
        Article("T", "L", (TextBlock(P, "Un. - VN A"), TextBlock(P, "source")), signature="- VN A"),
    ),
    "line that starts like a picture": ("T\n\nL\n\nT ảnh", Article("T", "L", (TextBlock(P, "T ảnh"),))),
    "regular expression characters in the title": (
        "T (1+1)? [x]\n\nL\nT (1+1)? [x] ảnh 1",
        Article("T (1+1)? [x]", "L", (ImageBlock(None, "T (1+1)? [x] ảnh 1"),)),
    ),
    "dateline and signature in different paragraphs": (
        "T\n\nL\n\nHanoï, 5 mai (VNA) - Un.\n\nDeux. -VNA",
        Article(
            "T", "L", (TextBlock(P, "Hanoï, 5 mai (VNA) - Un."), TextBlock(P, "Deux. -VNA")),
            dateline=Dateline("Hanoï", "5 mai", "VNA"), signature="-VNA",
        ),
    ),
    "related stories": (
        "T\n\nL\n\n\nVoir plus\n\nLégende\n\nA\n\nRésumé\n\nB\n\nB\n\nR",
        Article("T", "L", related=(Related("A", "Résumé", "Légende"), Related("B", "R"))),
    ),
    "related stories without blank lines": ("T\n\nL\nVoir plus\nA\nA\nR", Article("T", "L", related=(Related("A", "R"),))),
    "last related story without summary": (
        "T\n\nL\n\n\nVoir plus\n\nA\n\nA\n\nR\n\nB\n\nB",
        Article("T", "L", related=(Related("A", "R"), Related("B"))),
    ),
    "related story in the middle without summary": (
        "T\n\nL\n\n\nVoir plus\n\nA\n\nA\n\n\n\nB\n\nB\n\nR",
        Article("T", "L", related=(Related("A"), Related("B", "R"))),
    ),
    "three related stories without summaries": (
        "T\n\nL\n\n\nVoir plus\n\nA\n\nA\n\n\n\nB\n\nB\n\n\n\nC\n\nC",
        Article("T", "L", related=(Related("A"), Related("B"), Related("C"))),
    ),
    "Voir plus without stories": ("T\n\nL\n\nUn.\n\nVoir plus", Article("T", "L", (TextBlock(P, "Un."),))),
    "Voir plus as title": ("Voir plus\n\nL", Article("Voir plus", "L")),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_read(text, expected):
    assert seedtext.read(text) == expected


@pytest.mark.parametrize("text", [text for text, _ in READ.values()], ids=READ)
def test_a_parsed_text_is_written_back_as_the_same_document(text):
    article = seedtext.read(text)
    expected = lines(text)
    if expected[1:][-1:] == ["Voir plus"]:
        expected.pop()
    assert [line for line in lines(seedtext.write(article)) if line] == expected


INVALID = {
    "empty": "",
    "only blank lines": "\n \u00a0\n\t\n",
    "story with one line": "T\n\nL\n\nVoir plus\n\nA",
    "story with four lines": "T\n\nL\n\nVoir plus\n\nA\n\nA\n\nR\n\nReste",
    "four lines, gap where no summary is missing": "T\nVoir plus\nA\nA\nR\n\n\n\nReste",
}


@pytest.mark.parametrize("text", INVALID.values(), ids=INVALID)
def test_an_invalid_text_is_rejected_with_a_hint(text):
    with pytest.raises(BadInput) as caught:
        seedtext.read(text)
    assert caught.value.hint


# --- writing ----------------------------------------------------------------------------------------------------------

WRITTEN = {
    "title only": (Article("T"), "T"),
    "lead": (Article("T", "L"), "T\n\nL"),
    "no lead": (Article("T", None, (TextBlock(P, "Un."),)), "T\n\n\nUn."),
    "no lead, picture first": (Article("T", None, (ImageBlock(None, "T ảnh 1"),)), "T\n\n\nT ảnh 1"),
    "picture after the lead": (Article("T", "L", (ImageBlock(None, "T ảnh 1", "C"),)), "T\n\nL\nT ảnh 1C"),
    "picture between paragraphs": (
        Article("T", "L", (TextBlock(P, "Un."), ImageBlock(None, "T ảnh 1", "C", None, " "), TextBlock(P, "Deux."))),
        "T\n\nL\n\nUn.\n\nT ảnh 1 C\n\nDeux.",
    ),
    "heading, quote and list item": (
        Article("T", "L", (TextBlock("heading", "H"), TextBlock("quote", "Q"), TextBlock("list_item", "I"))),
        "T\n\nL\n\nH\n\nQ\n\nI",
    ),
    "notes and tables are left out": (
        Article("T", "L", (TextBlock("note", "N"), ImageBlock(None, "T ảnh 1"), TextBlock("table", "a\tb"), TextBlock(P, "Un."))),
        "T\n\nL\nT ảnh 1\n\nUn.",
    ),
    "alt that is not generated": (
        Article("T", "L", (ImageBlock(None, "ASEAN.jpg", "C"), ImageBlock(None, "", "D"))),
        "T\n\nL\nT ảnh 1C\n\nT ảnh 2D",
    ),
    "caption that starts with a digit": (
        Article("T", "L", (ImageBlock(None, "T ảnh 1", "20 ans de paix"),)),
        "T\n\nL\nT ảnh 1 20 ans de paix",
    ),
    "related stories": (
        Article("T", "L", related=(Related("A", "R", "C"), Related("B", "S"))),
        "T\n\nL\n\n\nVoir plus\n\nC\n\nA\n\nR\n\nB\n\nB\n\nS",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("article", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_write(article, expected):
    assert seedtext.write(article) == expected


# --- arbitrary texts and articles -------------------------------------------------------------------------------------

LINE = st.text(alphabet="abÉ (VNA)-–.,19:ảnh\u00a0", min_size=1, max_size=12).map(str.strip).filter(bool)
CAPTION = st.none() | LINE
IMAGE = st.builds(
    lambda alt, caption, joint: ImageBlock("u", alt, caption, None, joint if caption else ""),
    st.sampled_from(["T ảnh 1", "", "x.jpg", "a ảnh 7"]) | LINE, CAPTION, st.sampled_from(["", " "]),
)  # fmt: skip
TEXT = st.builds(TextBlock, st.sampled_from(["paragraph", "heading", "quote", "list_item", "note", "table"]), LINE)
STORY = st.builds(Related, LINE, LINE | st.just(""), CAPTION).filter(lambda story: story.caption != story.title)
ARTICLE = st.builds(
    lambda title, lead, blocks, related: Article(title, lead, tuple(blocks), tuple(related)),
    LINE | st.just("T"), CAPTION, st.lists(IMAGE | TEXT, max_size=6), st.lists(STORY, max_size=4),
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(ARTICLE)
def test_any_article_survives_writing_and_reading(article):
    text = seedtext.write(article)
    back = seedtext.read(text)
    assert seedtext.write(back) == text
    assert back.title == article.title
    assert back.related == article.related
    assert [image.caption for image in back.images] == [image.caption for image in article.images]


@settings(max_examples=120, deadline=None)
@given(ARTICLE.filter(lambda a: a.lead and not seedtext.structure.dateline(a.lead)))
def test_an_article_with_a_lead_keeps_lead_and_text(article):
    back = seedtext.read(seedtext.write(article))
    if not back.images or back.images[0].alt not in article.lead:
        assert back.lead == article.lead
        assert back.text == article.text


FRAGMENT = st.sampled_from(
    ["T", "T ảnh 1", "T ảnh 2 Une", "T ảnh 1(Source: x)", "T hinh anh 3 ", "Hanoï (VNA) - Un", "Un -VNA", "Voir plus", "x",
     "\n", "\n\n", "\n\n\n", "\n\n\n\n", "\n\u00a0\n", "\u00a0", "\t", "\r\n", "\x85", "\u2028", "\ufeff"]
)  # fmt: skip


@settings(max_examples=120, deadline=None)
@example("0\n0 ảnh 0\u00a00")
@example("0\nVoir plus\n0\n0\n0\n\n\n\n0")
@given(st.text(max_size=60) | st.lists(FRAGMENT, max_size=25).map("".join))
def test_any_text_is_rejected_or_preserved(text):
    try:
        article = seedtext.read(text)
    except BadInput:
        return
    once = seedtext.write(article)
    assert seedtext.write(seedtext.read(once)) == once
    kept = lines(text)
    if "Voir plus" in kept[1:] and not article.related:
        kept.pop()  # a `Voir plus` without stories is not written
    assert lines(once) == kept


# --- what is imported -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *SEEDS.values(),
        "T\n\nL",
        "T\n\n\nUn.",
        "\ufeffT\r\n\r\nL",
        "T\fT\n\nL",
        "<Vidéo> T\n\nL",
        "[Photo] T\n\nL",
        "T\x02\n\n" + "L" * 200,
    ],
)
def test_texts_in_the_format_are_accepted(text):
    seedtext.check_format(text)


@pytest.mark.parametrize(
    "text",
    ["", "\n\u00a0\n", "T", "T\n\n", "T\fU", "T\n\nL\f", "Voir plus\n\nA", "T\nL", "un,deux\n1,2\n", "x" * 501 + "\n\nL",
     "<!DOCTYPE html>\n\n<p>", "<html>\n\nx", "<?xml version='1.0'?>\n\nx", "<p>T</p>\n\nL", '{"a": 1}\n\nx', "{\n\n}", '[{"a": 1}]\n\nx',
     "%PDF-1.4\n\nx", "#!/bin/sh\n\nx", "T\n\nL\0", "T\x01\n\n\x02L\x03"],
)  # fmt: skip
def test_texts_in_other_formats_are_refused(text):
    with pytest.raises(BadInput, match="seed format") as caught:
        seedtext.check_format(text)
    assert "docs/seed-format.md" in caught.value.hint
