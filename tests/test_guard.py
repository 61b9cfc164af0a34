"""Pages that cost too much to parse are refused, in linear time; large and deeply nested pages are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler import config
from crawler.errors import NotAnArticle, ParserStopped, Rejection, SourceReaderStopped
from crawler.parse import guard
from crawler.parse.page import parse_page
from crawler.types import ErrorKind

URL = "https://fr.vietnamplus.vn/a-post1.vnp"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
MARKUPS = config.load_markups()


def parse(body, after=""):
    page = (
        '<!doctype html><html><head><meta property="og:type" content="article"></head><body><main><h1 class="article__title">T</h1>'
        f'<div class="article__body">{body}</div></main>{after}</body></html>'
    )
    return parse_page(page.encode(), URL, content_type=None, fetched_at=NOW, markups=MARKUPS)


HARMLESS = {
    "ordinary page": "<main><p class='a b'>Une phrase.</p></main>" * 100,
    "3.1 MB of paragraphs": f"<p>{'Une phrase. ' * 9}</p>" * 27_000,
    "1 MB of short paragraphs": "<p>x</p>" * 120_000,
    "3,000 nested elements": "<div>" * 3_000,
    "many closed elements": "<div>x</div>" * 100_000,
    "unclosed paragraphs, items and cells": "<table><tr><td><p>x<td>y</table><ul><li>x<li><p>y</ul><dl><dt>a<dd>b</dl>" * 10_000,
    "misnested formatting": "<p><b>x<i>y</b>z</i></p><p><b>x</p><p>y</b></p>" * 5_000,
    "links in text": "<p>x <a href='/a?b=1&c=2' title=\"a > b\">y <b>z</b></a> x</p>" * 20_000,
    "icons": '<a href="/x"><svg viewBox="0 0 1 1"><title>x</title><g><path d="M0"/><path d="M1"></g></svg></a>' * 10_000,
    "scripts with markup": "<script>var a = '<div><b>';</script><style>a>b{}</style>" * 20_000,
    "a script without an end": "<script>" + "<div><!-- <script>" * 150_000,
    "commented markup": "<!-- <div><b x> -->" * 50_000,
    "unclosed spans in closed blocks": "<div><span>x</div>" * 3_000,
    "maximum number of attributes": "<p " + " ".join(f"a{i}" for i in range(20_000)) + ">",
    "icons with end tags": '<svg><path d="M0"></path><g></g></svg><svg/>' * 10_000,
    "closed elements that must not be broken": "<nobr>x</nobr> " * 15_000,
    "plain text": "<plaintext>" + "<div>" * 150_000,
    "equal formatting elements": ("<b>" * 5 + "x" + "</b>" * 5) * 10_000,
    "formatting elements in cells": "<table><tr><td><b>x</td><td><b>y</b></td></tr></table>" * 5_000,
    "one long attribute": f"<img src='data:{'x' * 3_000_000}'>",
    "one long text": "x é " * 1_000_000,
    "entities and NULs": "&amp;\0" * 300_000,
    "long doctype": f"<!doctype {'x' * 1_000_000}>",
    "end tags without start tags": "</b></div>" * 20_000,
    "no tags": "x < y " * 100_000,
    "empty": "",
}  # fmt: skip


def formatting(number):
    return "".join(f"<b a{i}>" for i in range(number))


DIVS, ATTRIBUTES = "<div>" * 150_000, " ".join(f"a{i}" for i in range(150_000))
HAZARDS = {
    "nested elements": DIVS,
    "elements nested by an optional end tag": "<rt>" * 150_000,
    "elements nested in alternation": "<p><button><ul><li>" * 40_000,
    "nested tables": "<table><tr><td>" * 60_000,
    "end tags that close nothing": "<span><div></span>" * 60_000,
    "end tags of forms that close nothing": "<form><table><td></form></td></table></form>" * 60_000,
    "cells outside a table": "<td><div></td>" * 80_000,
    "end tags with attributes": ("<span><div></span a='>'>" * 60_000),
    "options of a menu": "<select>" + "<option>" * 150_000,
    "after a quoted sign": "<p a='>' b=\"<!--\">" + DIVS,
    "after quotes in a name": '<p a"b>' + DIVS + '">',
    "after a quote in an unquoted value": "<p a=b'>" + DIVS + "'>",
    "after short comments": "<!--><!---><!--a--!>" + DIVS + "-->",
    "after a script in a script": "<script><!--<script></script>--></script>" + DIVS,
    "after a script that only looks open": "<script><!-- <script --></script>" + DIVS,
    "after an end tag in an attribute": '<title a="</title>"></title>' + DIVS,
    "in a style inside SVG": "<svg><style>" + "<g>" * 150_000,
    "in a title inside SVG": "<svg><title>" + DIVS,
    "after CDATA inside SVG": "<svg><![CDATA[>]]>" + "<g>" * 150_000,
    "after a paragraph that ends SVG": "<svg><p></p>" + "<path/>" * 150_000,
    "after SVG that is not empty": "<svg a=/>" + "<g>" * 150_000,
    "void elements inside SVG": "<svg>" + "<input>" * 150_000,
    "in MathML": "<math>" + "<mi>" * 150_000,
    "in a style that a template ignores": "<template><col><style></template>" + DIVS,
    "in a style that a frameset ignores": "<frameset><style>" + "<frameset>" * 150_000,
    "after NUL characters": "<di\0v>" * 150_000,
    "tags with lone surrogates": "<\ud800div>" * 150_000,
    "a void element with a Kelvin sign": "<lin\u212a>" * 150_000,
    "attributes": f"<p {ATTRIBUTES}>",
    "attributes of an end tag": f"</p {ATTRIBUTES}>",
    "attributes separated by slashes": f"<p/{ATTRIBUTES.replace(' ', '/')}>",
    "attributes with quoted signs": "<p " + "".join(f"a{i}='>'" for i in range(150_000)) + ">",
    "repeated attributes": f"<p {ATTRIBUTES[:400_000]} {'a ' * 150_000}>",
    "attributes of a tag without an end": f"<p {ATTRIBUTES}",
    "attributes of many body tags": "".join(f"<body a{i}>" for i in range(150_000)),
    "attributes of a script": f"<script {ATTRIBUTES}></script>",
    "attributes inside SVG": f"<svg><path {ATTRIBUTES}/></svg>",
    "distinct formatting elements": formatting(60_000),
    "formatting elements left open": f"<p>{formatting(1_000)}</p>" + "<p>x</p>" * 1_000,
    "formatting elements left open, end tags only": f"<p>{formatting(1_000)}</p>" + "<div></div>x" * 1_000,
    "formatting elements in a table": f"<table>{formatting(1_000)}" + "<col>x" * 1_000,
    "a link with a long address left open": f"<p><a href='{'x' * 100_000}'></p>" + "<p>x</p>" * 2_000,
    "many empty elements": "<b></b>" * 550_000,
    "comments": "<!---->" * 1_200_000,
    "lines of a paragraph": "Un texte.<br>" * 250_000,
    "bold words": "<b>Un</b> texte. " * 250_000,
    "text that Python stores with four bytes": "x\U0001f4dd" * 4_000_000,
}  # fmt: skip


@pytest.mark.parametrize("page", [*HAZARDS.values(), *HARMLESS.values()], ids=[*HAZARDS, *HARMLESS])
def test_the_beginning_of_any_page_is_cheap(page):
    """Each of these pages is refused for its size; tests/test_large_pages.py tests the whole pages."""
    assert guard._Estimate(page[:8_000]).excess() is None


@pytest.mark.parametrize(
    ("page", "part"),
    [
        (HAZARDS["attributes"], "attributes of one tag"),
        (HAZARDS["nested elements"], "nested elements"),
        (HAZARDS["distinct formatting elements"], "open formatting elements"),
        (HAZARDS["formatting elements left open"], "formatting elements copied"),
        (HAZARDS["text that Python stores with four bytes"], "text"),
    ],
)
def test_the_reason_names_the_largest_cost(page, part):
    assert part in guard.hazard(page.encode())


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p><b>x</b><i class='a'>y</i></p>" * 50, None),  # so few tags are not counted one by one
        ("<p><a href='/x'>x</a></p>" * 50, None),
        (f"<b {' '.join(f'a{i}' for i in range(20))}>x</b>" * 50, None),
        (f"<math>{'<b a0>' * 7}{'<mi>' * 20_000}", None),
        (f"<math>{'<b a0>' * 9}{' ' * 200_000}<mi {' '.join(f'a{i}' for i in range(90_000))}>", "attributes"),
    ],
    ids=["formatting", "links", "unusual attributes", "in MathML", "attributes in MathML"],
)
def test_small_pages(page, expected):
    found = guard.hazard(page.encode())
    assert (found or "").startswith(expected or "")
    assert (found is None) == (expected is None)


NAMES = (
    "a b i font nobr p div span li ul td tr tbody table caption col colgroup th select option optgroup button form template svg math path g "
    "title desc style script textarea h1 dd dt dl object marquee section rt ruby body html br img input foreignObject mi frameset pre hr"
).split()  # fmt: skip
TOKENS = st.sampled_from(NAMES).flatmap(
    lambda name: st.sampled_from([f"<{name}>", f"</{name}>", f"</{name}>", f"<{name} x=1>", f'<{name} a="><b>">', f"<{name}/>"])
) | st.sampled_from(["x", "<!--", "-->", "<![CDATA[", "]]>", '"', "'", '<p "=">', "</", "<?", "&lt;"])  # fmt: skip


def depth_and_size(html):
    deepest = size = 0
    root = LexborHTMLParser(html).root
    stack = [(root, 1)] if root else []
    while stack:
        node, depth = stack.pop()
        deepest, size = max(deepest, depth), size + 1
        stack += [(child, depth + 1) for child in node.iter()]
    return deepest, size


def assert_estimate_is_not_below_the_tree(start, repeated):
    """Repetition makes a leak of one element in each round visible."""
    html = start + repeated * 60
    estimate = guard._Estimate(html)
    depths = []
    count = estimate._count_attributes
    estimate._count_attributes = lambda *tag: depths.append(len(estimate._open)) or count(*tag)
    worst = estimate._assume_the_worst
    estimate._assume_the_worst = lambda at: depths.append(len(estimate._open) + html[at:].count("<")) or worst(at)
    estimate.excess()
    deepest, size = depth_and_size(html)
    assert deepest <= 2 * max(depths, default=0) + 40
    assert size <= 1.5 * (estimate._tags + estimate._copied / guard._COPY_BYTES) + 60


@settings(max_examples=120, deadline=None)
@given(st.lists(TOKENS, max_size=5).map("".join), st.lists(TOKENS, min_size=1, max_size=9).map("".join))
def test_the_estimate_is_not_below_the_tree(start, repeated):
    assert_estimate_is_not_below_the_tree(start, repeated)


@pytest.mark.parametrize("repeated", ["<b><object></b>", "<b><object><p></b></object>", "<b><table><td></b></table>"])
def test_the_end_tag_of_a_formatting_element_that_is_out_of_reach(repeated):
    assert_estimate_is_not_below_the_tree("", repeated)


def test_an_unsafe_page_is_rejected_before_it_is_parsed():
    with pytest.raises(NotAnArticle) as caught:
        parse(DIVS)
    assert caught.value.rejection is Rejection.UNSAFE


#: Pages of unusual attributes, and whether counting shows that they are cheap.
UNUSUAL = {
    "a few": ("<p><font color=red face='a\"b'>x</font></p>" * 50, True),
    "with `>` in a value": ("<p><b title='a > b'>x</b></p>" * 50, True),
    "and usual ones": ("<p><b x=y><i class='a'>x</i></b></p>" * 50, True),
    "in a comment": ("<!-- <b x=y> -->" * 50, True),
    "without an end": ("<p>x</p>" * 50 + "<b x='", True),
    "many elements": ("<b x=y>" * 201, False),
    "many attributes": (f"<b {' '.join(f'a{n}=b' for n in range(3_000))}>{'<p>' * 1_000}", False),
    "long values": (f"<b x=\"{'>' * 100_000}\">{'<p>' * 1_000}", False),
}  # fmt: skip


@pytest.mark.parametrize(("page", "cheap"), UNUSUAL.values(), ids=UNUSUAL)
def test_unusual_attributes_are_counted_one_by_one(page, cheap):
    assert guard.is_cheap(page.encode()) == cheap


def test_the_errors_of_a_stopped_parser_process():
    page, source = ParserStopped("u", "it crashed"), SourceReaderStopped("u", "it crashed")
    assert (page.kind, page.rejection, source.kind) == (ErrorKind.BUG, Rejection.UNSAFE, ErrorKind.BUG)
    assert str(page) == "not an article: a page that is not safe to parse: it crashed"
    assert str(source) == "not safe to parse: it crashed"
