"""Fields of pages on which an end tag inside the lead, the tags or the related stories is surplus."""

from __future__ import annotations

import pytest
from test_other_articles import TAGS, column, content, parse

from crawler.parse import surplus

STORY = (
    '<article class="story"><h2 class="story__heading"><a href="/{0}-post{1}.vnp">Titre {0}</a></h2>'
    '<div class="story__summary">Résumé {0}.</div></article>'
)
ONE, TWO = STORY.format("un", 11), STORY.format("deux", 12)
BLOCK = f'<div class="more"><h3>Voir plus</h3>{ONE}{TWO}</div>'
BOTH = [("Titre un", "Résumé un."), ("Titre deux", "Résumé deux.")]
BODY_START = '<div class="article__body">'
LIST = '<ul class="list"><li><a href="/tags/x.vnp">Autre</a></li></ul>'


def problems(article, field):
    return [problem for problem in article.problems if problem.startswith(f"{field}:")]


@pytest.mark.parametrize(
    ("lead", "expected"),
    [
        ("</div><p>Chapeau.</p>", "Chapeau."),
        ("<p>Un.</p></div><p>Deux.</p><p>Trois.</p>", "Un. Deux. Trois."),
        ("Un.</div>Deux <b>et</b> <i>trois</i>.", "Un. Deux et trois."),
        ("<p>Un.</p></div></div><p>Deux.</p>", "Un. Deux."),
        ("Un.<!-- x --></div><ul><li>Deux</li><li>trois</li></ul>", "Un. Deux trois"),
    ],
)
def test_the_rest_of_the_lead_is_read(lead, expected):
    article = parse(column(content(lead=lead)))
    assert (article.title, article.lead, article.tags) == ("Titre", expected, ("Huê", "port"))
    assert [block.text for block in article.blocks] == ["Un.", "Deux."]
    assert problems(article, "lead") == [surplus.READ.format("lead")]


def test_the_rest_of_a_lead_that_stands_in_no_other_element():
    article = parse(content(lead="<p>Un.</p></div><p>Deux.</p>"))
    assert (article.lead, problems(article, "lead")) == ("Un. Deux.", [surplus.READ.format("lead")])


@pytest.mark.parametrize(
    "after", ['<p class="x">Deux.</p>', f"<p>{'Deux. ' * 400}</p>", '<p>Deux.</p><div class="share">Partager</div>']
)
def test_what_may_not_be_the_lead_is_a_problem(after):
    article = parse(column(content(lead=f"Un.</div>{after}")))
    assert (article.lead, problems(article, "lead")) == ("Un.", [surplus.LOST.format("lead")])


@pytest.mark.parametrize(
    "page",
    [
        column(content().replace(BODY_START, "<br>" * 300 + BODY_START)),
        column(content()) + "</div>",
        column(content(lead="<p>Un.</p>").replace(BODY_START, f"<p>Deux.</p>{BODY_START}")) + "</div>",
        f"<div><div>{content().replace(BODY_START, '</div>' + BODY_START)}</div>",
        column(content(body='<div class="article__sapo">Chapeau.</div><p>Un.</p><p>Deux.</p>', lead="")) + "</div>",
        column(content(lead="Un.</div><span>Deux.</span>").replace("</div><span>", "</div><!-- <div> --><span>")).replace("<div", "<div><div", 1),
    ],
    ids=["many lines", "elsewhere", "before the body", "a header", "in the body", "none is surplus"],
)  # fmt: skip
def test_what_follows_the_lead_otherwise_is_not_the_lead(page):
    article = parse(page)
    assert article.lead in ("Chapeau.", "Un.")
    assert problems(article, "lead") == []


@pytest.mark.parametrize(
    "tags",
    [
        TAGS.replace("<ul>", "<ul></div>"),
        TAGS.replace("<ul>", "</div><ul>"),
        TAGS.replace("</li>", "</li></div>", 1),
        TAGS.replace("</li>", "</li></div></div>", 1),
        '<div class="article__tag"><a href="/tag/a.vnp">Huê</a>,</div> <a href="/tag/b.vnp">port</a>, </div>',
        '<div class="article__tag"><a href="/x/a.vnp">Huê</a></div><a href="/x/b.vnp">port</a></div>',
        '<div class="article__tag"><a href="/tag/a.vnp">Huê</a></div><a href="/T%61g/b.vnp">port</a></div>',
        '<div class="article__tag"></div><a href="/x/a.vnp">#Huê</a> <a href="/y.vnp">#port</a></div>',
    ],
)
def test_the_rest_of_the_tags_is_read(tags):
    article = parse(column(content(tags=tags)))
    assert article.tags == ("Huê", "port")
    assert problems(article, "tags") == [surplus.READ.format("tags")]


def test_items_outside_of_a_list_show_that_an_end_tag_is_surplus():
    page = column(content(tags=TAGS.replace("</li>", "</li></div>", 1))).replace("<div", "<div><div", 1)
    assert parse(page).tags == ("Huê", "port")


def test_tags_that_may_be_those_of_something_else_are_a_problem():
    article = parse(column(content(tags=f'<div class="article__tag"></div>{LIST}<p>Texte.</p>')) + "</div>")
    assert (article.tags, problems(article, "tags")) == ((), [surplus.LOST.format("tags")])


@pytest.mark.parametrize(
    ("tags", "after", "end"),
    [
        (TAGS, LIST, ""),
        (TAGS, "<p>Texte.</p>", "</div>"),
        (TAGS, f"{LIST}<div>Texte</div>", "</div>"),
        ('<div class="article__tag"></div>', LIST, ""),
        ('<div class="article__tag"></div>', '<p><a href="/politique/">Politique</a></p>', "</div>"),
        ("", LIST, ""),
    ],
)
def test_what_follows_the_tags_otherwise_is_no_tag(tags, after, end):
    article = parse(column(content(tags=tags, after=after)) + end)
    assert article.tags == (("Huê", "port") if tags == TAGS else ())
    assert problems(article, "tags") == []


def related(article):
    return [(story.title, story.summary) for story in article.related]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("</article>", "</article></div>"),
        ("</article>", "</article></div></div>"),
        ("</h2>", "</h2></div>"),
        ('<h2 class="story__heading"', '</div><h2 class="story__heading"'),
        ("Résumé un.</div>", "Résumé un.</div></div>"),
    ],
)
@pytest.mark.parametrize("place", ["column", "page"])
def test_stories_after_a_surplus_end_tag_are_read(old, new, place):
    block = BLOCK.replace(old, new, 1)
    article = parse(column(content(after=block)) if place == "column" else column(content()) + block)
    assert related(article) == BOTH
    assert article.tags == ("Huê", "port")
    assert problems(article, "related") in ([], [surplus.READ.format("related")])


@pytest.mark.parametrize(
    "listed",
    [
        '<ul><li><a href="/un-post11.vnp">Titre un</a></li></div><li><a href="/deux-post12.vnp">Titre deux</a></li></ul>',
        '<a href="/un-post11.vnp">Titre un</a></div><a href="/deux-post12.vnp">Titre deux</a>',
        '<p><a href="/un-post11.vnp">Titre un</a></p></div><p><a href="/deux-post12.vnp">Titre deux</a></p>',
    ],
)
def test_lists_after_a_surplus_end_tag_are_read(listed):
    article = parse(column(content(after=f"<div><h3>Voir plus</h3>{listed}</div>")))
    assert related(article) == [("Titre un", ""), ("Titre deux", "")]


def test_a_summary_after_a_surplus_end_tag_is_read():
    article = parse(column(content(after=f"<div><h3>Voir plus</h3>{ONE.replace('</h2>', '</h2></div>')}</div>")))
    assert related(article) == BOTH[:1]


@pytest.mark.parametrize(
    "after",
    [
        "<p>Copyright.</p>",
        f"<aside>{TWO}</aside>",
        f'<div class="box"><h3>Les plus lus</h3>{TWO}</div>',
        "<h3>Autre</h3>",
        '<div class="x">Publicité</div>',
        "Texte nu.",
        f"<p>{'Un long texte. ' * 60}<a href='/trois-post13.vnp'>lien</a></p>",
    ],
)
@pytest.mark.parametrize("place", ["column", "page"])
def test_what_follows_the_stories_otherwise_is_no_story(after, place):
    block = f'<div class="more"><h3>Voir plus</h3>{ONE}</div>{after}'
    article = parse(column(content(after=block) if place == "column" else column(content()) + block) + "</div>")
    assert related(article) == BOTH[:1]


@pytest.mark.parametrize(
    ("html", "number"),
    [
        (b"<div></div>", 0),
        (b"<div></DIV></div ></div\n>", 2),
        (b"<div><div class=x></div>", 0),
        (b"<!-- </div> --></div>", 1),
        (b"<script>'</div>'</script><!-- <div> --></div>", 1),
        (b"</divx></dive></div/>", 1),
        (b"</div><!-- <div>", 1),
    ],
)
def test_surplus_end_tags_are_counted(html, number):
    assert surplus.surplus_ends(html, "div") == number


def crumb(html):
    return column(content().replace('<div class="breadcrumb"><a href="/x/">Titre section</a></div>', html))


@pytest.mark.parametrize(
    ("html", "section"),
    [
        ('<div class="breadcrumb"></div><h2><a href="/x/">Monde</a></h2></div>', "Monde"),
        ('<div class="breadcrumb"></div><a href="/">Accueil</a> &gt; <a href="/x/">Monde</a></div>', "Monde"),
        ('<div class="breadcrumb"><a href="/x/">Monde</a>', "Monde"),
        ('<div class="breadcrumb"></div><p>Texte</p><h2><a href="/x/">Monde</a></h2></div>', None),
        ('<div class="breadcrumb"></div><h2><a href="/a-post9.vnp">Monde</a></h2></div>', None),
        ("", None),
    ],
)
def test_the_section_in_a_breadcrumb_with_a_surplus_or_missing_end_tag(html, section):
    assert parse(crumb(html)).section == section


@pytest.mark.parametrize("label", ["<h3></div>Voir plus</h3>", "<div></div>Voir <b>plus</b> Voir plus<i></i></div>"])
def test_a_heading_without_its_stories_is_a_problem_if_an_end_tag_is_surplus(label):
    block = BLOCK.replace("<h3>Voir plus</h3>", label)
    article = parse(column(content(after=block)))
    assert (related(article), problems(article, "related")) in [([], [surplus.LOST.format("related")]), (BOTH, [])]
    assert problems(parse(column(content(after="<p>Voir plus</p>"))), "related") == []


def test_a_bare_text_with_the_signature_after_the_body_is_a_problem():
    page = column(content(body="<p>Un.</p><p></div>Trois. -VNA</p>", tags=""))
    lost = "text: 'Trois. -VNA' looks like the end of the article, but is outside the text that was read"
    assert lost in parse(page).problems
