"""The parser has quick tests that leave out work; each gives what the full definition gives, for random inputs."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler import config
from crawler.markup import RelatedSelectors
from crawler.parse import body, decode, dom, guard, head, related, time_text
from crawler.parse.page import parse_page

MARKUPS = config.load_markups()
URL = "https://fr.vietnamplus.vn/a-post1.vnp"


def texts(alphabet, number, longest, seed=1):
    """Return random texts of pieces of `alphabet`."""
    rng = random.Random(seed)
    return ["".join(rng.choices(alphabet, k=rng.randint(0, longest))) for _ in range(number)]


def parse(content):
    page = f'<meta property="og:type" content="article"><h1 class="article__title">T</h1><div class="article__body">{content}</div>'
    return parse_page(
        page.encode(), URL, content_type=None, fetched_at=datetime(2026, 11, 21, tzinfo=UTC), markups=MARKUPS
    )


@pytest.mark.edge
def test_white_space_collapses_as_the_pattern_does():
    for text in texts([" ", "  ", "\n", "\t", "\r\n", "\f", "\v", "\u00a0", "\u2028", "\x1c", "é", "a"], 2000, 12):
        assert dom.collapse(text) == re.sub(r"[ \t\n\r\f\v]+", " ", text).strip()


def slow_text(node, skip, root=True):
    if node.is_text_node:
        return "" if node.mem_id in skip else node.text_content or ""
    if node.tag == "br":
        return " "
    edge = " " if node.tag in dom.BREAKING else ""
    if not node.is_element_node or node.mem_id in skip or (not root and dom.is_silent(node)):
        return "" if root else edge
    return f"{edge}{''.join(slow_text(child, skip, root=False) for child in dom.children(node))}{edge}"


PIECES = ("<p>", "</p>", "<b>", "</b>", "<br>", "<i hidden>", "</i>", "<span style='display:none'>", "<span style>", "</span>", "<script>x</script>",
          "<div>", "</div>", "<!-- c -->", "a", " é ", "<video>", "</video>", "<table><td>", "</table>", "<template>t</template>")  # fmt: skip


@pytest.mark.edge
def test_the_text_of_an_element_is_that_of_its_visible_nodes_in_order():
    for html in texts(PIECES, 400, 25):
        nodes = list(LexborHTMLParser(html).root.traverse(include_text=True))
        skip = frozenset(node.mem_id for node in nodes[3::7])
        for node in nodes[::3]:
            assert dom.raw_text(node, skip) == slow_text(node, skip)


@pytest.mark.edge
def test_a_text_with_mojibake_has_one_of_its_signs():
    alphabet = "Ã€źĂÂð¿©â™œđŸ»\u00a0\u0093e "
    found = [text for text in texts(alphabet, 3000, 6) if decode.MOJIBAKE.search(text)]
    assert len(found) > 100
    assert all(set(text) & set(decode._SIGNS_OF_DAMAGE) for text in found)


PIECES_OF_HEADS = (
    b'<meta charset="utf-8">', b"<meta charset=utf-8>", b"<META CHARSET='UTF-8'>", b'<meta charset="latin1">', b"<!--", b"-->", b"<script>",
    b'<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1">', b'<?xml version="1.0" encoding="iso-8859-1"?>', b"</script>",
    b"<title>charset</title>", b'<meta name=x content="charset=latin1">', b"<p>", "é".encode(), "Ã©".encode(), "\ufffd".encode(), b"\xe9", b"&#0;",
    b"&#xd800;", b"&#233;", "€".encode(), b"\xef\xbb\xbf", b"<\0p\0", "\u1ec7".encode() * 9000,
)  # fmt: skip
HEADERS = (
    None,
    "text/html",
    "text/html; charset=utf-8",
    "text/html; charset=UTF-8",
    "text/html; charset=iso-8859-1",
)


@pytest.mark.edge
def test_usual_pages_are_decoded_as_any_page(monkeypatch):
    rng = random.Random(1)
    pages = [(b"".join(rng.choices(PIECES_OF_HEADS, k=rng.randint(0, 6))), rng.choice(HEADERS)) for _ in range(1500)]
    assert sum(decode._is_usual(*page) for page in pages) > 50
    quick = [decode.decode(*page) for page in pages]
    monkeypatch.setattr(decode, "_is_usual", lambda *_: False)
    assert [decode.decode(*page) for page in pages] == quick


@pytest.mark.edge
@pytest.mark.parametrize("name", ["b", "a", "font"])
def test_a_page_that_counting_shows_to_be_cheap_has_a_low_estimate(name):
    rng = random.Random(1)
    cheap = 0
    for _ in range(60):
        tags = "".join(
            f"<{name} {' '.join(f'a{rng.randint(0, 60)}={chr(34)}{rng.randint(0, 9)}{chr(34)}' for _ in range(rng.randint(0, 14)))}>"
            for _ in range(rng.choice((3, 40, 190)))
        )
        html = f"<p>{tags}" + "<p>x</p>" * rng.choice((10, 200, 2000))
        if guard.is_cheap(html.encode()):
            assert guard._Estimate(html).excess() is None
            cheap += 1
    assert cheap > 10


@pytest.mark.edge
def test_a_text_with_more_letters_than_the_heading_is_not_the_heading():
    pattern = related._longer_than(len("voir plus"))
    pieces = ("Voir", " plus", "voir ", "PLUS", "(12)", " >>", "é", "\u00ad", "x", "...", "3 ", "Ｖ")
    rejected = [text for text in texts(pieces, 3000, 8) if pattern.match(text)]
    assert len(rejected) > 300
    assert all(len(related._comparable(text)) > len("voir plus") for text in rejected)


@pytest.mark.parametrize("before", ["", "<!--", "// <![CDATA[", "<![CDATA[", " \n"])
@pytest.mark.parametrize("after", ["", "-->", "//]]>", "]]>", ";", " ; \n"])
def test_json_ld_is_read_whatever_is_wrapped_around_it(before, after):
    tree = LexborHTMLParser(
        f'<script type="application/ld+json">{before}{{"@type": "NewsArticle", "headline": "T"}}{after}</script>'
    )
    assert [news["headline"] for news in head.read(tree, URL).news] == ["T"]


def test_only_picture_elements_for_phones_are_replaced():
    article = parse("<p>x</p><amp-img src='/a.jpg'></amp-img><p>La balise &lt;amp-img&gt; remplace img.</p>")
    assert [image.url for image in article.images] == ["https://fr.vietnamplus.vn/a.jpg"]
    assert article.paragraphs == ("x", "La balise <amp-img> remplace img.")


def test_links_inside_a_link_are_stories_of_their_own():
    card = '<a href="/un-post2.vnp">Un<table><td><a href="/deux-post3.vnp">Deux</a></td></table></a>'
    tree = LexborHTMLParser(f"<div><div id=body>x</div><h3>Voir plus</h3><div>{card}</div></div>")
    found = related.read(
        tree, tree.css_first("#body"), RelatedSelectors(), lambda link: f"https://fr.vietnamplus.vn{link}"
    )
    assert [story.post_id for story in found.stories] == [2, 3]


def test_a_place_of_pictures_may_have_none():
    figure = LexborHTMLParser("<figure><figcaption>Une légende</figcaption></figure>").css_first("figure")
    assert body.pictures(figure, MARKUPS[0], str) == []


@pytest.mark.edge
def test_times_as_the_site_shows_them_are_read_like_any_text():
    rng = random.Random(1)
    for _ in range(2000):
        day, month, hour, minute = rng.randint(0, 32), rng.randint(0, 13), rng.randint(0, 25), rng.randint(0, 61)
        shown = f"{day:02}/{month:02}/{rng.choice((1000, 1989, 2004, 2023, 2100, 2101))} {hour:02}:{minute:02}"
        assert time_text.read(shown) == time_text._from_text(shown)


def test_there_is_no_heading_after_an_element_of_another_page():
    tree, other = LexborHTMLParser("<p>x</p><h3>Voir plus</h3>"), LexborHTMLParser("<p>x</p>")
    assert list(related._headings(related._short_texts_after(tree, tree.css_first("p")), "Voir plus"))
    assert related._short_texts_after(tree, other.css_first("p")) == []
