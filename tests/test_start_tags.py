"""Pages on which a start tag is missing: nothing is guessed, and a problem says what may be read as something else."""

from __future__ import annotations

import pytest
from test_other_articles import TAGS, column, content, parse

from crawler.parse import surplus

TAIL = "<p>Deux.</p><p>Trois. -VNA</p>"
LOOSE = "page: </{}> has no start tag, so its text may be read as something else"
PICTURE = '<figure class="article__avatar"><img src="/1.jpg"><figcaption>Un pont.</figcaption></figure>'


def added(page, whole):
    """Return the problems of `page` that the whole page does not have."""
    return [problem for problem in parse(page).problems if problem not in parse(whole).problems]


@pytest.mark.parametrize(
    ("body", "tag", "name"),
    [
        ("<p>Un.</p><h2>Titre</h2>", "<h2>", "h2"),
        ("<p>Un.</p><P>Deux.</p><h3 class='x'>Titre</h3>", "<h3 class='x'>", "h3"),
        ("<ul><li>Un.</li><li>Un.</li></ul>", "<li>", "li"),
        ("<blockquote><p>Un.</p></blockquote>", "<blockquote>", "blockquote"),
        ("<table><tr><td>Un</td><td>1</td></tr><tr><th>Deux</th><td>2</td></tr></table>", "<th>", "th"),
        ("<table><tr><td>Un</td><td>1</td></tr></table>", "<table>", "table"),
        ("<figure><img src='/1.jpg'><figcaption>Un.</figcaption></figure>", "<figcaption>", "figcaption"),
        ("Un.<p>Deux.</p>", "<p>", "p"),
        ('<p>Un <a href="/b-post2.vnp">deux</a>.</p>', '<a href="/b-post2.vnp">', "a"),
        ("<p>Un.</p><!-- </h3> --><script>'</h4>'</script><ul><li>Un.</li></ul>", "<li>", "li"),
    ],
)
def test_an_end_tag_without_its_start_tag_is_a_problem(body, tag, name):
    whole = column(content(body=body + TAIL))
    broken = whole.replace(tag, "", 1)
    assert not [problem for problem in parse(whole).problems if "has no start tag" in problem]
    assert LOOSE.format(name) in added(broken, whole)


def test_a_lead_picture_without_its_start_tag_is_a_problem():
    whole = column(content(body=TAIL).replace('<div class="article__body">', f'{PICTURE}<div class="article__body">'))
    assert added(whole.replace('<figure class="article__avatar">', ""), whole) == [LOOSE.format("figure")]


@pytest.mark.parametrize("body", ["", "<!-- -->", "<p></p><img src='/1.jpg'>", "<p>Un.</p></div></div></b>"])
def test_other_bodies_have_no_such_problem(body):
    page = column(content(body=body + "<img src='/2.jpg'>"))
    assert not [problem for problem in parse(page).problems if "has no start tag" in problem]


@pytest.mark.parametrize("title", ['<h1 class="article__title cms-title">', "<h1 itemprop=headline>"])
def test_the_headline_is_found_by_its_class_or_name(title):
    page = column(content(body="<p>Un.</p>Titre</h2>" + TAIL)).replace('<h1 class="article__title cms-title">', title)
    assert LOOSE.format("h2") in parse("<p></h2></p>" + page).problems


def test_a_lead_without_its_start_tag_is_a_problem():
    page = column(content(lead="<p>Chapeau.</p>")).replace('<div class="article__sapo">', "")
    assert parse(page).lead is None
    assert surplus.LOST_START.format("lead") in parse(page).problems


def test_a_page_without_a_lead_has_no_problem():
    article = parse(column(content(lead="")))
    assert article.lead is None
    assert not [problem for problem in article.problems if problem.startswith("lead:")]


def test_tags_without_their_start_tag_are_a_problem():
    page = column(content().replace('<div class="article__tag">', ""))
    assert parse(page).tags == ()
    assert surplus.LOST_START.format("tags") in parse(page).problems


def test_a_page_without_tags_has_no_problem():
    article = parse(column(content(tags="")))
    assert article.tags == ()
    assert not [problem for problem in article.problems if problem.startswith("tags:")]


def test_stories_after_the_tags_do_not_hide_a_missing_start_tag():
    stories = "".join(f'<article><h2><a href="/{i}-post{i}.vnp">{i}</a></h2></article>' for i in range(2, 40))
    whole = column(content(body="<p>Un.</p><h2>Titre</h2>" + TAIL, after=f"<div><h3>Voir plus</h3>{stories}</div>"))
    assert added(whole.replace("<h2>", "", 1), whole) == [LOOSE.format("h2")]


def test_a_tag_without_its_start_tag_is_a_problem():
    whole = column(content())
    broken = whole.replace('<a href="/tag/a.vnp">', "")
    assert parse(broken).tags == ("port",)
    assert added(broken, whole) == [LOOSE.format("a")]


def test_buttons_after_tags_without_their_end_tag_are_not_tags():
    button = '<div class="share"><a href="#">Partager</a></div>'
    page = column(content(tags=TAGS.removesuffix("</div>"), after=button))
    assert parse(page).tags == ("Huê", "port")


def test_tags_that_lead_nowhere_are_tags_if_all_do():
    tags = '<div class="article__tag"><a href="#">Huê,</a> <a href="#">port&nbsp;;</a></div>'
    assert parse(column(content(tags=tags))).tags == ("Huê", "port")
