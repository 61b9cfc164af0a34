"""Fields of pages on which an end tag is missing or surplus, and problems that name text which was not read."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser
from test_other_articles import BODY, OTHER, SIDEBAR, TAGS, column, content, parse

from crawler.parse import unread

SIGNED = "<p>Un.</p><p>Deux. -VNA</p>"
LOST = "text: 'Deux. -VNA' looks like the end of the article, but is outside the text that was read"


@pytest.mark.parametrize(
    ("end", "field", "expected"),
    [
        ("</h1>", "title", "Titre"),
        ("Chapeau.</div>", "lead", "Chapeau."),
        ("</time>", "title", "Titre"),
        ("</span>", "byline", None),
    ],
)
def test_a_field_ends_where_the_next_part_begins(end, field, expected):
    kept = end.removesuffix("</div>") if end.startswith("Chapeau") else ""
    article = parse(column(content(title="Titre").replace(end, kept, 1)))
    assert getattr(article, field) == expected
    assert [block.text for block in article.blocks] == ["Un.", "Deux."]
    assert article.problems[1:] == ()  # the page has no time of publication that is certain


@pytest.mark.parametrize(
    "title",
    ["Tit<b>re", "<span>Titre", "<b>Ti</b>t<i>r<u>e", '<a href="/x">Titre', "<b>Titre<p>", "<!-- x -->Titre<span>"],
)
def test_a_field_with_several_missing_end_tags(title):
    article = parse(column(content().replace("Titre</h1>", title)))
    assert (article.title, article.lead) == ("Titre", "Chapeau.")
    assert [block.text for block in article.blocks] == ["Un.", "Deux."]


def test_a_headline_in_an_element_of_its_own_without_its_end_tag():
    header, begin, body = content().partition('<div class="article__body">')
    article = parse(column(f"<div>{header.replace('</h1>', '')}</div>{begin}{body}"))
    assert (article.title, article.lead) == ("Titre", "Chapeau.")


def test_a_label_of_the_next_part_is_not_part_of_the_field():
    page = content().replace('</h1><div class="article__meta">', '<div class="article__meta">Publié le ')
    assert parse(column(page)).title == "Titre"


def test_a_field_in_a_block_without_end_tags():
    page = content(lead="<div>Chapeau.").replace("Chapeau.</div>", "Chapeau.")
    assert parse(column(page)).lead == "Chapeau."


def test_text_after_the_next_part_is_not_part_of_the_field():
    page = content().replace("Titre</h1>", 'Titre<span class="cms-author">A. B.</span> à Huê')
    assert parse(column(page)).title == "Titre"


def test_a_lead_of_paragraphs_without_its_end_tag():
    leading = "<p>Le premier point.</p><p>Le second.</p>"
    page = content(lead=leading).replace(
        f"{leading}</div>", f'{leading}<div class="article__avatar"><img src="/1.jpg"></div>'
    )
    assert parse(column(page)).lead == "Le premier point. Le second."


@pytest.mark.parametrize(
    ("name", "html", "expected"),
    [
        ("lead", "<ul><li>Un point</li><li>deux points</li></ul>", "Un point deux points"),
        ("title", "<div>Titre</div><div>en deux lignes</div>", "Titre en deux lignes"),
        ("title", "Tit<b>re</b><p>d<i>eux</i></p>", "Titre deux"),
    ],
)
def test_lines_of_a_field_are_kept_apart(name, html, expected):
    assert getattr(parse(column(content(**{name: html}))), name) == expected


HEADER = '<header><h1 class="article__title">Titre</h1>{}</header>'
META = '<div class="article__meta"><span class="cms-author">A. B.</span><time class="time" datetime="2026-01-02T08:00:00+0700">02/01</time></div>'


@pytest.mark.parametrize("tag", ["div", "p", "span"])
def test_a_lead_without_its_end_tag_in_an_element_that_ends(tag):
    lead = HEADER.format(f'<{tag} class="article__sapo">Chapeau.{META}')
    article = parse(column(f'{lead}<div class="article__body"><p>Un.</p></div>'))
    assert (article.title, article.lead, article.byline) == ("Titre", "Chapeau.", "A. B.")


def test_a_headline_without_its_end_tag_in_an_element_that_ends():
    page = HEADER.replace("</h1>", META).format("") + '<div class="article__body"><p>Un.</p></div>'
    assert parse(column(page)).title == "Titre"


def test_the_name_of_an_author_without_its_end_tag():
    page = content().replace('<span class="cms-author"></span>', '<span class="cms-author">A. B.')
    assert parse(column(page.replace('+0700">', '+0700">02/01/2026 08:00'))).byline == "A. B."


@pytest.mark.parametrize("empty", ["\u200b", " \ufeff ", "&nbsp;"])
def test_fields_without_visible_characters_are_empty(empty):
    page = content(lead=empty, tags=f'<div class="article__tag"><a>{empty}</a><a>\u200b＃Huê</a></div>')
    article = parse(column(page.replace('cms-author">', f'cms-author">{empty}')))
    assert (article.lead, article.byline, article.tags) == (None, None, ("Huê",))


def test_a_time_in_a_comment_of_a_reader_is_not_that_of_the_article():
    page = content(
        after='<div class="article__comment"><p>Bien.</p><time class="time" datetime="2026-05-01">1</time></div>'
    )
    article = parse(column(page.replace('<time class="time" datetime="2026-01-02T08:00:00+0700"></time>', "")))
    assert article.published_at is None


@pytest.mark.parametrize(
    ("situation", "body"),
    [
        ("surplus end tag", "<p>Un.</p></div><p>Deux. -VNA</p>"),
        ("several surplus end tags", "<p>Un.</p></div></div></div><p>Deux. -VNA</p>"),
        ("advertising without its end", '<p>Un.</p><div class="ads_middle"><p>Deux. -VNA</p>'),
        ("player without its end", "<p>Un.</p><video><p>Deux. -VNA</p>"),
        ("list of choices without its end", "<p>Un.</p><button>Partager<p>Deux. -VNA</p>"),
        (
            "picture without its end, bare text",
            '<img src="/0.jpg" alt=""><figure><img src="/1.jpg"><figcaption>C</figcaption>Deux. -VNA',
        ),
        ("note without its end", 'Un.<br><div class="cms-note"><p>Note.</p>Deux. -VNA'),
        ("picture without its end", '<p>Un.</p><figure><img src="/1.jpg"><p>Deux. -VNA</p>'),
    ],
)
def test_an_end_of_the_article_that_is_not_read_is_a_problem(situation, body):
    assert LOST in parse(column(content(body=body))).problems


@pytest.mark.parametrize(
    "page",
    [
        column(content(body=SIGNED)),
        column(content(body="<p>Un.</p><p>Source : VNA</p>")),
        column(content()) + column(OTHER.replace("Trois.", "Trois. -VNA")),
        column(content(after=SIDEBAR.replace("<h2>", "<p>Deux. -VNA</p><h2>"))),
    ],
    ids=["signed", "unsigned", "next article", "sidebar"],
)
def test_other_signatures_are_no_problem(page):
    assert not [problem for problem in parse(page).problems if problem.startswith("text:")]


@pytest.mark.parametrize(
    ("start", "name"),
    [("<!-- pub", "a comment"), ("<script>var a;", "<script>"), ("<style>", "<style>"), ("<textarea>", "<textarea>")],
)
def test_an_element_that_hides_the_end_of_the_page_is_a_problem(start, name):
    article = parse(column(content(body=f"<p>Un.</p>{start}<p>Deux. -VNA</p>")))
    assert [block.text for block in article.blocks] == ["Un."]
    assert f"page: {name} has no end, the rest of the page is lost" in article.problems


@pytest.mark.parametrize(
    "end", ["<script>a('</p>')</script>", "<!-- cache --></body></html><!-- </html> x -->", "<p>&lt;/html&gt; x</p>"]
)
def test_scripts_and_comments_with_an_end_are_no_problem(end):
    assert not [
        problem
        for problem in parse(column(content(body=BODY, tags=TAGS)) + end).problems
        if problem.startswith("page:")
    ]


@pytest.mark.parametrize(
    ("page", "is_lost"),
    [
        ("<p>Un.</p><!-- pub <p>Deux.</p></body></HTML> \n", True),
        ("<p>Un.</p><!-- pub <p>Deux.</p></body></html>\n<!-- cached in 3 ms -->", True),
        ("<p>Un.</p><iframe src=x><p>Deux.</p></body></html>", True),
        ("<p>Un.</p><p>&lt;/html&gt;", False),
        ("<p>Un.</p><!-- </html> is written by the footer -->", False),
        ("<p>Un.</p><script>write('</body></html>')</script></body></html>", False),
        ("", False),
    ],
)
def test_the_end_of_a_page(page, is_lost):
    assert bool(unread.swallowed_end(LexborHTMLParser(page), page.encode())) is is_lost


QUOTE_LOST = "text: <blockquote> does not end; only its first line is taken for a part of it"
ITEM_LOST = "text: <li> does not end; only its first line is taken for a part of it"
HEADING_LOST = "text: <h3> does not end; only its first line is taken for a part of it"
AFTER = "<p>Deux.</p><p>Trois. -VNA</p>"


@pytest.mark.parametrize(
    ("start", "types", "problem"),
    [
        ("<blockquote>Un.", ["quote"], QUOTE_LOST),
        ("<blockquote><p>Un.</p>", ["quote"], QUOTE_LOST),
        ("<blockquote>\n<!-- x --><p>Un.</p>\n", ["quote"], QUOTE_LOST),
        ("<section><blockquote><p>Un.</p>", ["quote"], QUOTE_LOST),
        ("<ul><li>Zéro</li><li>Un.", ["list_item", "list_item"], ITEM_LOST),
        ("<ol><li>Un.", ["list_item"], ITEM_LOST),
        ("<li>Un.", ["list_item"], ITEM_LOST),
        ("<h3>Un.", ["heading"], HEADING_LOST),
        ("<h3>Zéro</h3><h3>Un.", ["heading", "heading"], HEADING_LOST),
    ],
)
def test_paragraphs_after_a_quote_or_item_without_its_end_tag(start, types, problem):
    article = parse(column(content(body=start + AFTER)))
    assert [block.type for block in article.blocks] == [*types, "paragraph", "paragraph"]
    assert (article.signature, problem in article.problems) == ("-VNA", True)


@pytest.mark.parametrize(
    "body",
    [
        f"<blockquote><p>Un.</p>{AFTER}</blockquote>",
        f"<blockquote><p>Un.</p>{AFTER}</blockquote>\n<p> </p>",
        f"<blockquote><p>Un.</p><p>Deux.</p></blockquote>{AFTER}",
        f"<ul><li>Zéro<li>Un.</ul>{AFTER}",
        f"<ul><li>Zéro<li>Un.{AFTER}</ul>",
        f"<h3>Un.</h3>{AFTER}",
        f"<h3><p>Un.</p></h3>{AFTER}",
        f"<h3><p>Un.</p><p>Deux.</p></h3>{AFTER}",
        "<blockquote>Un.",
        "<ul><li>Zéro<li><p>Un.</p>",
    ],
)
def test_quotes_and_items_that_end_are_no_problem(body):
    page = column(content(body=body))
    assert not [problem for problem in parse(page).problems if problem.startswith("text: <")]


def test_a_name_of_the_agency_alone_may_be_anything():
    page = column(
        content(
            body="<p>Un.</p><div class='article__source'>VNA</div><figure><img src='/1.jpg'><figcaption>Vue - VNA</figcaption></figure>"
        )
    )
    assert not [problem for problem in parse(page).problems if problem.startswith("text:")]
