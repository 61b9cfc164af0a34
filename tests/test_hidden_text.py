"""Text of an article that a browser does not show because something before it has no end is named as a problem."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser
from test_other_articles import column, content, parse

from crawler.parse import unread

ENDS = "does not end, and hides text up to the next one: 'Deux, perdu."
HIDDEN = {
    "comment": ("<!-- pub <p>Deux, perdu.</p><!-- fin -->", "a comment does not end, and hides text up to the next one: '"),
    "comment with a wrong end": ("<!-- pub -><p>Deux, perdu.</p><!-- fin -->", "a comment does not end"),
    "iframe": ('<iframe src="/x"><p>Deux, perdu.</p><iframe src="/y"></iframe>', f"<iframe> {ENDS}"),
    "iframe that ends itself": ('<iframe src="/x"/><p>Deux, perdu.</p><IFRAME src="/y"></iframe>', f"<iframe> {ENDS}"),
    "style": ("<style>.a{}<p>Deux, perdu.</p><style>.b{}</style>", "<style> does not end"),
    "script": ('<script src="/x.js"/><p>Deux, perdu.</p><script>a()</script>', f"<script> {ENDS}"),
    "list of choices": ("<textarea><p>Deux, perdu.</p><textarea></textarea>", f"<textarea> {ENDS}"),
    "quotation mark of a class": (
        '<p class="a>Deux, perdu.</p><p class="b">Trois.</p>', f"a tag or the value of an attribute {ENDS}",
    ),
    "apostrophe of an address": (
        "<p><a href='/x-post2.vnp>Deux, perdu.</a></p><p><a href='/y-post3.vnp'>Trois</a></p>", f"a tag or the value of an attribute {ENDS}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("hiding", "problem"), HIDDEN.values(), ids=HIDDEN)
def test_hidden_text_is_a_problem(hiding, problem):
    article = parse(column(content(body=f"<p>Un.</p>{hiding}<p>Quatre. -VNA</p>")))
    assert "perdu" not in article.text
    found = [text for text in article.problems if text.startswith("text: ")]
    assert len(found) == 1
    assert found[0].startswith(f"text: {problem}")


def test_the_text_of_a_tag_without_its_end_is_a_problem():
    article = parse(column(content(body="<p>Un.</p><p Deux est perdu</p><p>Trois. -VNA</p>")))
    assert article.text == "Un.\n\nTrois. -VNA"
    assert any(
        "a tag or the value of an attribute does not end" in problem and "perdu" in problem
        for problem in article.problems
    )


@pytest.mark.parametrize("place", ["<nav>", "<footer>", '<div class="sidebar">'])
def test_an_end_of_the_text_in_another_part_of_the_page_is_a_problem(place):
    article = parse(column(content(body=f"<p>Un.</p>{place}<p>Deux. -VNA</p>", close="")))
    assert article.text == "Un."
    assert any(problem.startswith("text: 'Deux. -VNA'") for problem in article.problems)


def test_a_script_without_its_end_beside_the_text_is_a_problem():
    page = content(after="<script>a()</script>").replace(
        '<div class="article__source">', '<script>a()<div class="article__source">'
    )
    article = parse(column(page))
    assert article.tags == ()
    assert "page: <script> does not end, and hides up to the next one: 'a() #Huê # port'" in article.problems
    plain = parse(column(page.replace("<script>a()<div", "<script>'<script>'</script><div")))
    assert [problem for problem in plain.problems if "script" in problem] == []


SHOWN = {
    "comment": "<!-- <p>Ancien.</p> -->",
    "comment with another opening": "<!-- pub <!-- x -->",
    "comments of a template": "<!-- a --><!-- b --><!--[if IE]><p>x</p><![endif]-->",
    "script that writes another one": "<script>document.write('<p></p><script src=x><\\/script>')</script>",
    "script with markup": "<script>var a = '<p>x</p>';</script>",
    "embedding code to copy": '<textarea><p>x</p><iframe src="x"></iframe></textarea>',
    "fallback of an iframe": "<iframe src=x><p>Votre navigateur</p></iframe>",
    "markup in an attribute": '<p data-html="<b>gras</b>" title="a > b">Deux.</p>',
    "quotation mark in a name": '<p a"b=1 title="x">Deux.</p>',
    "template": "<template><p>x</p></template>",
    "two templates, and one in a script": "<template>x</template><script>a('<template>')</script><p>Deux.</p>",
}


@pytest.mark.parametrize("markup", SHOWN.values(), ids=SHOWN)
def test_what_a_page_hides_on_purpose_is_no_problem(markup):
    article = parse(column(content(body=f"<p>Un.</p>{markup}<p>Trois. -VNA</p>")))
    assert [text for text in article.problems if text.startswith(("text: ", "page: "))] == []
    assert article.signature == "-VNA"


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("<p>Un.</p><template><p>Deux.</p></body></html>", "<template>"),
        ('<p>Un.</p><p><a href="/x>Deux.</a></p></body></html>', "the value of an attribute"),
        ("<p>Un.</p><p><a href='/x>Deux.</a></p></body></html>", "the value of an attribute"),
        ('<p>Un.</p><p><a href="/x">Deux.</a></p></body></html>', None),
        ("<p>Un.</p><template><p>Deux.</p></template></body></html>", None),
        ("<p>x=</p></body></html>", None),
        ('<p>x="</p></body></html>', None),
        ('<p class="a">x</p><!-- b=" --></body></html>', None),
        ("<script>var a = 'b=\"'</script></body></html>", None),
    ],
)
def test_the_end_of_a_page_in_a_template_or_an_attribute(page, name):
    expected = (f"page: {name} has no end, the rest of the page is lost",) if name else ()
    assert unread.swallowed_end(LexborHTMLParser(page), page.encode()) == expected


@pytest.mark.parametrize("foot", ['class="footer"', 'id="footer"', 'class="l-footer site"', 'class="site-copyright"'])
def test_the_imprint_is_not_the_end_of_the_article(foot):
    page = column(content(body="<p>Un.</p>")) + f"<div {foot}><p>Copyright 2026. VNA</p></div>"
    assert [text for text in parse(page).problems if text.startswith("text: ")] == []
    lost = parse(page.replace(foot, 'class="autre"')).problems
    assert any(text.startswith("text: 'Copyright 2026. VNA'") for text in lost)
