"""Learning from few known texts and from pages of unknown articles: guesses, contradictions, and the decision."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from test_heal_parts import PARAGRAPHS, known, page

from crawler import markup
from crawler.heal import few_texts, healing, provisional, scripts
from crawler.heal.places import KnownPage, find
from crawler.types import Article, TextBlock

LAYOUT = markup.Markup(
    "learned-1", markup.ArticleSelectors(("h1",), (".b",)), markup.BodySelectors(picture=("figure",))
)
TITLE = "Le titre de la page 1"
TEXT = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
PARTS = "".join(f"<div class=part><p>{text}</p></div>" for text in PARAGRAPHS)
KINDS = provisional.kinds_of([find(known(f"<h1>{TITLE}</h1><div class=b>{TEXT}</div>"))])
META = '<meta property=og:image content="/a.jpg"><meta name=keywords content="Vietnam, défense">'
SIGNED = (
    "Hanoï (VNA) - Le premier alinéa de cet article est long.",
    "Le second alinéa de cet article est long. –VNA",
)


def place(html, title=TITLE, head=META):
    return find(KnownPage(page(f"{head}<h1>{TITLE}</h1>{html}"), Article(title), complete=False))


def guessed(html, **options):
    return provisional.guess(place(html, **options), LAYOUT, frozenset({"abonnezvousalalettren"}), KINDS).article


def test_the_kinds_of_known_paragraphs_and_of_what_is_around_them():
    inner = known(f"<h1>{TITLE}</h1><div class=b>{PARTS}</div>")
    assert provisional.kinds_of([find(inner)]) == {("p", ""), ("div", "part")}
    bare = known(f"<h1>{TITLE}</h1><div class=b>{'<br>'.join(PARAGRAPHS)}</div>")
    assert provisional.kinds_of([find(bare)]) == frozenset()


CAPTIONS = {
    "inside the element with the picture": ("<figure><img src=/a.jpg><b>Légende</b></figure>", "Légende"),
    "of another kind, after it": ("<figure><img src=/a.jpg></figure>\n<div class=l>Légende</div>", "Légende"),
    "a paragraph after it, with a credit": ("<figure><img src=/a.jpg></figure><p>À Hué. Photo : VNA</p>", "À Hué. Photo : VNA"),
    "bare text after it, with a credit": ("<figure><img src=/a.jpg></figure>À Hué. Photo : VNA<br>", "À Hué. Photo : VNA"),
    "a paragraph after it": ("<figure><img src=/a.jpg></figure><p>Un alinéa.</p>", None),
    "too long": (f"<figure><img src=/a.jpg><b>{'Un mot. ' * 90}</b></figure>", None),
    "nothing after it": ("<figure><img src=/a.jpg></figure>", None),
    "far inside elements of its own": ("<div><div><div><div><div><div><div><img src=/a.jpg>" + "</div>" * 7, None),
    "two pictures in one element": ("<div><img src=/a.jpg><img src=/b.jpg>Légende</div>", None),
    "the element around the text": (f"<div class=c><img src=/a.jpg></div><div class=d>{TEXT}</div>", None),
}  # fmt: skip


@pytest.mark.parametrize(("html", "caption"), CAPTIONS.values(), ids=CAPTIONS)
def test_the_caption_of_the_picture_in_the_metadata(html, caption):
    article = guessed(f"<div class=b>{TEXT}{html}</div>" if "class=d" not in html else f"<div class=b>{html}</div>")
    assert {i.url: i.caption for i in article.images}["https://fr.vietnamplus.vn/a.jpg"] == caption
    assert article.paragraphs[:2] == PARAGRAPHS
    assert caption is None or caption not in article.paragraphs


@pytest.mark.parametrize(
    ("value", "stated"),
    [
        ({"url": "/c.jpg"}, True),
        ([{"url": "/c.jpg"}], True),
        ("/c.jpg", True),
        ({"width": 3}, False),
        ([], False),
    ],
)
def test_the_picture_in_the_metadata(value, stated):
    news = json.dumps({"@type": "NewsArticle", "headline": TITLE, "image": value})
    head = f'<script type="application/ld+json">{news}</script>'
    images = provisional.stated(place("<div class=b></div>", head=head).known).article.images
    assert [i.url for i in images] == ["https://fr.vietnamplus.vn/c.jpg"] * stated


BOXES = {
    "a box of another kind is a note": ("<div class=n><p>À savoir.</p><p>Autre chose.</p></div>", ["À savoir. Autre chose."]),
    "a box with controls is not": ("<div class=n><p>Lecteur</p><button>Lire</button></div>", []),
    "a list is text": ("<ul><li>Un point</li></ul>", None),
    "a box with the signature is text": ("<div class=n><p>La suite. –VNA</p></div>", None),
    "a repeated notice is neither": ("<p>Abonnez-vous à la lettre n° 12</p>", []),
}  # fmt: skip


@pytest.mark.parametrize(("html", "notes"), BOXES.values(), ids=BOXES)
def test_boxes_inside_the_body(html, notes):
    more = "".join(f"<p>Alinéa {n} de cet article.</p>" for n in range(3))
    article = guessed(f"<div class=b>{TEXT}{html}{more}</div>")
    assert [b.text for b in article.blocks if isinstance(b, TextBlock) and b.type == "note"] == (notes or [])
    assert len(article.paragraphs) == 5 + (notes is None)


def test_keywords_are_tags_if_the_page_links_to_all_of_them():
    links = "<a href=/t/1>#Vietnam</a><a href=/t/2>#défense</a>"
    assert guessed(f"<div class=b>{TEXT}</div>{links}").tags == ("Vietnam", "défense")
    assert guessed(f"<div class=b>{TEXT}</div>").tags == ()
    assert guessed(f"<p>{TEXT}</p>{links}").tags == ("Vietnam", "défense")  # the layout does not read the page


def test_texts_on_several_pages_are_repeated():
    def article(*texts):
        return Article("", blocks=tuple(TextBlock("paragraph", text) for text in texts))

    pages = [article("Notre dossier n° 1", "–VNA", "Un début"), article("Notre dossier n° 2", "–VNA", "Un début")]
    assert provisional.repeated(pages, [article("Un début")]) == {"notredossiern", ""}
    assert provisional.outline("Un alinéa. –VNA") == ""


# --- contradictions ---------------------------------------------------------------------------------------------------


def article(*texts):
    return Article(TITLE, blocks=tuple(TextBlock("paragraph", text) for text in texts))


CONTRADICTIONS = {
    "nothing": (SIGNED, None, None),
    "text before the dateline": (("Publicité", *SIGNED), None, few_texts.TEXT_BEFORE),
    "text after the signature": ((*SIGNED, "Un", "Deux", "Trois", "Quatre"), None, few_texts.TEXT_AFTER),
    "a repeated text": ((SIGNED[0], "Notre dossier", SIGNED[1]), None, few_texts.REPEATED),
    "the text of the metadata": (("Un.", "Deux."), "Un. Deux.", None),
    "another text than the metadata": (("Un.",), "Un. Deux.", few_texts.OTHER_TEXT),
    "no text": ((), None, None),
}


@pytest.mark.parametrize(("texts", "stated", "expected"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_contradictions(texts, stated, expected):
    news = json.dumps({"@type": "NewsArticle", "headline": TITLE, "articleBody": stated})
    head = f'<script type="application/ld+json">{news}</script>' if stated else ""
    k = KnownPage(page(f"{head}<h1>{TITLE}</h1>"), Article(TITLE), complete=False)
    assert few_texts.contradiction(k, article(*texts), frozenset({"notredossier", ""})) == expected
    assert few_texts.is_proven(k, article(*texts)) == (
        texts == SIGNED or stated is not None or "Notre dossier" in texts
    )


@pytest.mark.parametrize(
    ("texts", "lead", "proven"),
    [
        (("Le chapeau de cet article est répété.", "La fin. /VNA"), "Le chapeau de cet article", True),
        (("Le chapeau de cet article est répété.", "La fin."), "Le chapeau de cet article", False),
        (("Un autre début de cet article.", "La fin. /VNA"), "Le chapeau de cet article", False),
        (("Un autre début de cet article.", "La fin. /VNA"), None, False),
    ],
)
def test_both_ends_of_a_text_are_proven(texts, lead, proven):
    k = KnownPage(page(f"<h1>{TITLE}</h1>"), Article(TITLE, lead), complete=False)
    assert few_texts.is_proven(k, article(*texts)) is proven
    assert few_texts.contradiction(k, None, frozenset()) == few_texts.NOT_READ
    assert not few_texts.is_proven(k, None)


# --- the decision -----------------------------------------------------------------------------------------------------

AGREED = {"further": 4, "proven": 2, "contradicted": [], "exact": {"text": (5, 5), "published_at": (5, 5)}}


@pytest.mark.parametrize(
    ("changes", "adoptable"),
    [
        ({}, True),
        ({"further": 3}, False),
        ({"proven": 1}, False),
        ({"contradicted": [("url", few_texts.NOT_READ)]}, False),
        ({"further": 50, "proven": 25, "contradicted": [("url", few_texts.NOT_READ)]}, True),
        ({"exact": {"text": (5, 5)}}, False),
        ({"exact": {"text": (4, 4), "published_at": (5, 5)}}, False),
        ({"complete": 4}, False),
    ],
)
def test_few_texts_suffice_if_enough_other_pages_agree(changes, adoptable):
    found = healing.Healing(LAYOUT, is_by_turns=True, **({"complete": 5} | AGREED | changes))
    assert found.is_adoptable(0.98) is adoptable


def numbered(number, **fields):
    texts = tuple(f"{text} Numéro {number}." for text in SIGNED)
    body = "".join(f"<p>{text}</p>" for text in texts)
    title = f"<h1>Le titre de la page {number}</h1>"
    return known(f"{title}<p class=s>Recevez la lettre</p><div class=b>{body}</div>", number, texts=texts, **fields)


def test_a_page_that_contradicts_the_layout_is_named(monkeypatch):
    monkeypatch.setattr(few_texts, "_ROUNDS", 0)  # without guesses
    pages = [numbered(n) for n in range(1, 6)]
    other = page("<h1>Le titre de la page 9</h1><div class=x>Autre chose</div>", 9)
    pages.append(KnownPage(other, Article("Le titre de la page 9"), complete=False))
    result = healing.heal(pages, "learned-1", "a test", date(2026, 11, 22))
    assert (result.is_by_turns, result.complete, result.share) == (True, 5, 1.0)
    assert result.contradicted == [(other.url, few_texts.NOT_READ)]


def test_a_text_that_the_final_layout_does_not_read_is_not_exact():
    pages = [numbered(n) for n in range(1, 6)]
    pages[4] = replace(pages[4], article=replace(pages[4].article, lead="Un chapeau qui manque"))
    result = healing.heal(pages, "learned-1", "a test", date(2026, 11, 22))
    assert result.exact["lead"] in ((4, 5), (4, 4))


def test_the_caption_in_a_script_stands_beside_the_address_of_the_picture():
    def scripted(number, **photo):
        data = {"title": f"Titre {number}", "body": f"<p>{PARAGRAPHS[0]} {number}</p>"} | (
            {"photo": photo} if photo else {}
        )
        html = f"<div id=root></div><script id=d type=application/json>{json.dumps(data)}</script>"
        texts = (TextBlock("paragraph", f"{PARAGRAPHS[0]} {number}"),)
        head = '<meta property=og:image content="https://fr.vietnamplus.vn/a.jpg">' if photo else ""
        return KnownPage(page(head + html, number), Article(f"Titre {number}", blocks=texts))

    complete = [scripted(n) for n in (1, 2)]
    further = [provisional.stated(replace(scripted(3, src="https://fr.vietnamplus.vn/a.jpg", legend="Une légende")))]
    paths = scripts.learn(complete, further)
    assert (paths.picture, paths.caption, paths.body) == ("/photo/src", "/photo/legend", "/body")
    two = [provisional.stated(scripted(3, src="https://fr.vietnamplus.vn/a.jpg", legend="Une", alt="Deux"))]
    assert scripts.learn(complete, two).caption == ""
    other = [replace(further[0], article=replace(further[0].article, title="Un autre titre"))]
    assert scripts.learn(complete, other).picture == ""
