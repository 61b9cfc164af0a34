"""Pages on which one sign of a tag is missing: no field changes without a problem."""

from __future__ import annotations

from dataclasses import fields

import pytest
from test_other_articles import MARKUPS, NOW, URL, column, content

from crawler.errors import MarkupDrift, NotAnArticle
from crawler.parse import damaged_tags
from crawler.parse.page import parse_page

BODY = (
    "<p>Un <em>port</em>.</p><h2>Titre</h2><ul><li>Deux.</li></ul><blockquote>Trois.</blockquote>"
    '<figure><img src="/1.jpg" alt="Quai"><figcaption>Un quai.</figcaption></figure>'
    "<table><tr><td>Quatre</td><td>4</td></tr></table><p>La fin du texte est ici. -VNA</p>"
)
RELATED = (
    '<div class="timeline"><h3>Voir plus</h3><article class="story"><h2><a href="/un-post7.vnp">Un autre titre</a></h2>'
    '<div class="story__summary"><p>Un résumé.</p></div></article></div>'
)
HEAD = f'<link rel="canonical" href="{URL}"><meta property="og:type" content="article">'
SECTION = '<meta property="article:section" content="Politique">'
NO_MATTER = {"problems", "provenance"}


def parse(main, head=HEAD):
    page = f"<!doctype html><html><head>{head}<title>Titre</title></head><body>{main}</body></html>"
    return parse_page(page.encode(), URL, content_type=None, fetched_at=NOW, markups=MARKUPS)


def changed_fields(one, other):
    names = (field.name for field in fields(one) if field.name not in NO_MATTER)
    return [name for name in names if getattr(one, name) != getattr(other, name)]


@pytest.mark.parametrize("sign", '<>"')
def test_no_field_changes_without_a_problem_where_a_sign_is_missing(sign):
    whole = column(content(body=BODY) + RELATED)
    expected = parse(whole)
    assert (len(expected.related), len(expected.tags), expected.problems) == (1, 2, ())
    silent = []
    for at in range(whole.index("<h1"), whole.index("</article></div>")):
        if whole[at] != sign:
            continue
        try:
            found = parse(whole[:at] + whole[at + 1 :])
        except (MarkupDrift, NotAnArticle):
            continue
        if not found.problems and (changed := changed_fields(found, expected)):
            silent.append((changed, whole[at - 30 : at], whole[at : at + 30]))
    assert silent == []


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("<p>Un./p><p>Deux.</p>", "/p>"),
        ("<p>Un.</p>p>Deux.</p>", "p>"),
        ("<p>Un.</p>\nimg class='x' src='/1.jpg'><p>Deux.</p>", "img class='"),
        ("<p>Un <em>port</em.</p><p>Deux.</p>", "</em.</p>"),
        ("<p Un.</p><p>Deux.</p>", "<p Un.</p>"),
        ('<h2 class="x>Titre</h2><p class="y">Un.</p>', '<h2 class="x>'),
        ('<h2 class=x">Titre</h2>', '<h2 class=x">'),
        ("<!-- --><script>if (a<b) c()</script><style>p>b {}</style><p>Un./P></p>", "/P>"),
    ],
)
def test_the_first_damaged_tag_is_shown(source, shown):
    (problem,) = damaged_tags.find(source.encode())
    assert problem.endswith(f": {shown!r}")


@pytest.mark.parametrize(
    "source",
    [
        "",
        "<p>Un.</p>",
        "<p>5 < 6 et 7 << 8, ou a>b -> c, avec p>0,05</p><",
        "<p>110 km/h> et x/y></p>",
        '<p title="a > b" data-x=\'<p>"\' hidden>27"</p>',
        "<p\n class = x / id=y>Un.<br/></p>>",
        '<img alt="Le film "Mai" est là" src="/1.jpg"><p>>',
        '<p a"b=1 title="x">Un.</p>',
        "<!-- <p </p --><script>if (a<b || '<p') c()</script><style>p>b {} div > p {}</style><p>Un.</p><!doctype html>",
        "<p>Un.</p><!-- <p",
    ],
)
def test_what_only_looks_like_a_damaged_tag(source):
    assert damaged_tags.find(source.encode()) == ()


@pytest.mark.parametrize(
    ("meta", "section", "is_damaged"),
    [
        (SECTION, "Politique", False),
        (SECTION.replace('="Pol', "=Pol"), "Politique", False),
        (SECTION.replace("Politique", "Hanoï 27&quot;"), 'Hanoï 27"', False),
        (SECTION.replace('"article', "article"), None, True),
        (SECTION.replace('section"', "section"), None, True),
        (SECTION.replace('que"', "que") + '<link rel="a">', None, True),
        (SECTION.replace(">", "") + '<meta name="x" content="y">', None, True),
    ],
)
def test_metadata_in_a_damaged_tag_is_not_read(meta, section, is_damaged):
    article = parse(column(content()).replace("Titre section", ""), HEAD + meta)
    assert article.section == section
    assert any(problem.startswith("metadata: a tag is damaged") for problem in article.problems) is is_damaged
