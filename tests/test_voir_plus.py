"""The stories under `Voir plus`, whatever elements contain the heading and the stories, inside or after the body."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler import config
from crawler.parse.page import parse_page

ROOT = "https://fr.vietnamplus.vn"
URL = f"{ROOT}/a-post1.vnp"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
MARKUPS = config.load_markups()

T2, T3 = "Un port à Haïphong", "Le café au plus haut"
S2, S3 = "Les quais accueillent des navires.", "La récolte a été bonne."
C2 = "Un quai du port. Photo : VNA"
U2, U3 = "/un-port-post2.vnp", "/le-cafe-post3.vnp"
IMG2 = f'<img data-src="/2.jpg" alt="{C2}">'
FULL = [(2, T2, S2, C2), (3, T3, S3, None)]
BARE = [(2, T2, "", None), (3, T3, "", None)]


def parse(body, after="", *, close="</div>", head="", before=""):
    page = (
        f'<!doctype html><html><head><meta property="og:type" content="article"><link rel="canonical" href="{URL}">{head}</head>'
        f'<body><div class="main-col">{before}<h1 class="article__title cms-title">Titre</h1><div class="article__sapo"><p>Chapeau.</p></div>'
        f'<div class="article__body">{body}{close}{after}</div></body></html>'
    )
    return parse_page(page.encode(), URL, content_type=None, fetched_at=NOW, markups=MARKUPS)


def stories(article):
    return [(story.post_id, story.title, story.summary, story.caption) for story in article.related]


def card(tag, url, title, summary, image=""):
    picture = f'<a href="{url}">{image}</a>' if image else ""
    return f'<{tag}>{picture}<h4><a href="{url}">{title}</a></h4><p>{summary}</p></{tag}>'


def cards(tag):
    return card(tag, U2, T2, S2, IMG2) + card(tag, U3, T3, S3)


LISTS = {
    "article cards": (cards("article"), FULL),
    "div cards": (f"<div>{cards('div')}</div>", FULL),
    "div cards without wrapper": (cards("div"), FULL),
    "deep wrappers": (f"<section><div><div>{cards('div')}</div></div></section>", FULL),
    "list": (f"<ul>{cards('li')}</ul>", FULL),
    "ordered list of links": (f'<ol><li><a href="{U2}">{T2}</a></li><li><a href="{U3}">{T3}</a></li></ol>', BARE),
    "list with text after the links": (
        f'<ul><li><a href="{U2}">{IMG2}</a><a href="{U2}">{T2}</a><br>{S2}</li><li><a href="{U3}">{T3}</a><br>{S3}</li></ul>', FULL,
    ),
    "definition list": (
        f'<dl><dt><a href="{U2}">{T2}</a></dt><dd>{S2}</dd><dt><a href="{U3}">{T3}</a></dt><dd>{S3}</dd></dl>',
        [(2, T2, S2, None), (3, T3, S3, None)],
    ),
    "table with a row per story": (
        (f'<table><tr><td><a href="{U2}">{IMG2}</a></td><td><a href="{U2}">{T2}</a><p>{S2}</p></td></tr>'
        f'<tr><td></td><td><a href="{U3}">{T3}</a><p>{S3}</p></td></tr></table>'), FULL,
    ),
    "table with a cell per story": (
        (f'<table><tr><td><a href="{U2}">{IMG2}</a><br><a href="{U2}">{T2}</a><br><span>{S2}</span></td>'
        f'<td><a href="{U3}">{T3}</a><br><span>{S3}</span></td></tr></table>'), FULL,
    ),
    "paragraphs of links": (f'<p><a href="{U2}">{T2}</a></p><p>• <a href="{U3}">{T3}</a></p>', BARE),
    "bare links": (f'<a href="{U2}">{T2}</a><br><a href="{U3}">{T3}</a>', BARE),
    "bare links in a wrapper": (f'<div><a href="{U2}">{T2}</a> | <a href="{U3}">{T3}</a></div>', BARE),
    "picture, title and summary as links": (
        (f'<div><a href="{U2}">{IMG2}</a><a href="{U2}">{T2}</a><a href="{U2}">{S2}</a></div>'
        f'<div><a href="{U3}"><img src="/3.jpg" alt="{T3}"></a><a href="{U3}">{T3}</a><a href="{U3}">{S3}</a></div>'), FULL,
    ),
    "three links each without wrapper": (
        f'<a href="{U2}">{IMG2}</a><a href="{U2}">{T2}</a><a href="{U2}">{S2}</a><a href="{U3}">{T3}</a><a href="{U3}">{S3}</a>', FULL,
    ),
    "one link around each card": (
        f'<div><a href="{U2}">{IMG2}<h3>{T2}</h3><p>{S2}</p></a></div><div><a href="{U3}"><span>{T3}</span><span>{S3}</span></a></div>', FULL,
    ),
    "title in an attribute": (f'<ul><li><a href="{U2}" title="{T2}">{IMG2}</a></li><li><a href="{U3}" title="{T3}"></a></li></ul>',
        [(2, T2, "", C2), (3, T3, "", None)]),
    "a date and a section link in each card": (
        (f'<div><a href="{U2}">{IMG2}</a><h4><a href="{U2}">{T2}</a></h4><a href="/economie/">Économie</a><time>21/11/2026 09:00</time><p>{S2}</p></div>'
        f'<div><h4><a href="{U3}">{T3}</a></h4><span>21/11/2026</span><p>{S3}</p></div>'), FULL,
    ),
    "repeated story": (f"{cards('article')}{card('article', '/autre/2.vnp', 'Un port', S2)}", FULL),
    "links to a list and outside": (
        f'<ul>{cards("li")}<li><a href="/economie/">Toute l’économie</a></li><li><a href="javascript:void(0)">Plus</a></li></ul>', FULL,
    ),
}  # fmt: skip
HEADINGS = {
    "h3": "<h3>Voir plus</h3>",
    "paragraph": "<p><strong>Voir plus</strong></p>",
    "link": '<a href="/economie/">VOIR PLUS</a>',
    "two spans": '<div class="x"><span>Voir</span> <span>plus</span></div>',
    "half a span and an arrow": "<h2><span>Voir</span>&nbsp;plus »</h2>",
    "nested": '<div><div class="t"><h2><a href="#"><b><i>Voir  plus</i></b></a></h2></div></div>',
    "count": "<b>Voir plus (12)</b>",
    "colon in a later element": "<h5>Voir plus<span> :</span></h5>",
    "wrapper with a further link": '<div><h3>Voir plus</h3><a href="/economie/">Tout</a></div>',
    "rule below": "<h6>→ Voir plus</h6><hr>",
}


@pytest.mark.parametrize(
    ("before", "is_heading"),
    [
        ("", True),
        ("<!-- liste -->", True),
        ("<!----> <!-- x --> ", True),
        ("<b>Un</b>", False),
        ("Un<!-- x -->", False),
    ],
)
def test_the_heading_may_be_text_at_the_start_of_a_box(before, is_heading):
    article = parse("<p>Un.</p><p>Deux. -VNA</p>", f"<div>{before}Voir plus{cards('article')}</div>")
    assert stories(article) == (FULL if is_heading else [])


@pytest.mark.parametrize("box", ["<p>Voir plus<b> ici</b></p>", "<div><span>Voir plus<i> ici</i></span></div>"])
def test_the_beginning_of_a_sentence_is_not_a_heading(box):
    article = parse("<p>Un.</p><p>Deux. -VNA</p>", box + cards("article"))
    assert stories(article) == []


PLACES = ["after the body", "in a box after the body", "in the body", "in a box in the body", "in an unclosed body"]


@pytest.mark.parametrize("heading", HEADINGS.values(), ids=HEADINGS)
@pytest.mark.parametrize("place", PLACES)
def test_stories_are_read_and_never_text(heading, place):
    """Each list occurs under each heading and at each place, but not all three in all combinations."""
    first = list(HEADINGS.values()).index(heading) + PLACES.index(place)
    for number, (listed, expected) in enumerate(LISTS.values(), start=first):
        if number % len(PLACES) == 0:
            check_stories(listed, expected, heading, place)


def check_stories(listed, expected, heading, place):
    block = f"<div>{heading}{listed}</div>" if "box" in place else heading + listed
    if "in the body" in place or "box in" in place:
        article = parse(f"<p>Un.</p>{block}<p>Deux. -VNA</p>")
    elif "unclosed" in place:
        article = parse(f"<p>Un.</p><p>Deux. -VNA</p>{block}", close="")
    else:
        article = parse("<p>Un.</p><p>Deux. -VNA</p>", block)
    assert stories(article) == expected
    assert article.text == "Un.\n\nDeux. -VNA"
    assert [block.type for block in article.blocks] == ["paragraph", "paragraph"]
    assert (article.title, article.lead, article.tags) == ("Titre", "Chapeau.", ())


ROW2, ROW3 = f'<tr><td><a href="{U2}">{T2}</a></td></tr>', f'<tr><td><a href="{U3}">{T3}</a></td></tr>'
CELLS = f'<td><a href="{U2}">{T2}</a></td><td><a href="{U3}">{T3}</a></td>'
OTHER = '<article class="story"><h2><a href="/z-post8.vnp">Z</a></h2></article>'
SENTENCE = f'<p><a href="{U2}">Le président</a> a déclaré que tout va bien.</p>'
LONG = "Une phrase longue qui résume la nouvelle pour le lecteur, avec beaucoup de mots et plus de soixante caractères."
BLOCKS = {
    "titles in bold letters": (
        f'<h3>Voir plus</h3><p><b><a href="{U2}">{T2}</a></b></p><p><b><a href="{U3}">{T3}</a></b></p>', BARE,
    ),
    "first row of a table": (f"<table><tr><td>Voir plus</td></tr>{ROW2}{ROW3}</table>", BARE),
    "head of a table": (f"<table><thead><tr><th>Voir plus</th></tr></thead><tbody>{ROW2}{ROW3}</tbody></table>", BARE),
    "cell beside the stories": (f"<table><tr><td>Voir plus</td>{CELLS}</tr></table>", BARE),
    "caption of a table": (f"<table><caption>Voir plus</caption><tr>{CELLS}</tr></table>", BARE),
    "legend": (f"<fieldset><legend>Voir plus</legend><ul>{cards('li')}</ul></fieldset>", FULL),
    "summary of details": (f"<details><summary>Voir plus</summary>{cards('div')}</details>", FULL),
    "figcaption": (f"<figure><figcaption>Voir plus</figcaption>{cards('div')}</figure>", FULL),
    "term of a list": (f'<dl><dt>Voir plus</dt><dd><a href="{U2}">{T2}</a></dd><dd><a href="{U3}">{T3}</a></dd></dl>', BARE),
    "first item of the list": (f'<ul><li>Voir plus</li><li><a href="{U2}">{T2}</a></li><li><a href="{U3}">{T3}</a></li></ul>', BARE),
    "item around the list": (f"<ul><li>Voir plus<ul>{cards('li')}</ul></li></ul>", FULL),
    "text before the list": (f"<div>Voir plus<ul>{cards('li')}</ul></div>", FULL),
    "accents and ellipsis": (f"<h3>Vôir plùs…</h3><ul>{cards('li')}</ul>", FULL),
    "summary rows": (f"<h3>Voir plus</h3><table>{ROW2}<tr><td>{S2}</td></tr>{ROW3}<tr><td>{S3}</td></tr></table>",
        [(2, T2, S2, None), (3, T3, S3, None)]),
    "titles that are no links": (
        (f'<h3>Voir plus</h3><div><h4>{T2}</h4><p>{S2}</p><a href="{U2}">Lire la suite</a></div>'
        f'<div><h4>{T3}</h4><p>{S3}</p><a href="{U3}">Lire la suite</a></div>'), [(2, T2, S2, None), (3, T3, S3, None)],
    ),
    "two blocks": ((f'<h3>Voir plus</h3><ul><li><a href="{U2}">{T2}</a></li></ul><h3>Voir plus</h3><ul><li><a href="{U2}">{T2}</a></li>'
        f'<li><a href="{U3}">{T3}</a></li></ul>'), BARE),
    "the article itself is a story like others": (f'<h3>Voir plus</h3><ul><li><a href="{URL}">Titre</a></li></ul>', [(1, "Titre", "", None)]),
    "links deep inside cards": (
        f'<h3>Voir plus</h3><div>{"<div>" * 40}<a href="{U2}">{T2}</a>{"</div>" * 40}</div><div><a href="{U3}">{T3}</a></div>',
        BARE,
    ),
    "deep box around the block": (
        f'{"<div>" * 40}<div><h3>Voir plus</h3><p><a href="{U2}">{T2}</a></p><p><a href="{U3}">{T3}</a></p></div>{"</div>" * 40}',
        BARE,
    ),
    "empty parts, comments and scripts": (
        (f'<h3>Voir plus</h3><ul><li><h4> </h4><a href="{U2}">{T2}</a><!-- x --><script>x</script></li>'
        f'<li><a href="{U3}">{T3}</a></li><li><a href="/leer-post7.vnp"></a></li></ul>'),
        BARE,
    ),
    "heading deep inside other elements": (f"{'<div>' * 40}<b>Voir plus</b>{'</div>' * 40}", []),
    "comments between the parts": (
        f'<div><!-- x --> Voir plus<p><a href="{U2}">{T2}</a></p><!-- y --><p><a href="{U3}">{T3}</a></p></div>',
        BARE,
    ),
    "very many siblings": (f"{'<i></i>' * 300}<h3>Voir plus</h3>{'<i></i>' * 500}", []),
    "no stories": ("<h3>Voir plus</h3>", []),
    "only a link to a section": ('<h3>Voir plus</h3><ul><li><a href="/economie/">Économie</a></li></ul>', []),
}  # fmt: skip


@pytest.mark.parametrize(("block", "expected"), BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("place", ["after the body", "in the body"])
def test_headings_in_other_elements(block, expected, place):
    article = parse("<p>Un.</p>", block) if place == "after the body" else parse(f"<p>Un.</p>{block}")
    assert stories(article) == expected
    assert article.text.removesuffix("\n\nÉconomie") == "Un."


FEET = {
    "box with a heading": f"<div><h3>Les plus lus</h3><ul><li>{OTHER}</li></ul></div>",
    "box with a heading and a plain link": '<div><h3>Les plus lus</h3><ul><li><a href="/z-post8.vnp">Z</a></li></ul></div>',
    "heading": f"<h3>Les plus lus</h3>{OTHER}",
    "bold line": f"<p><strong>Les plus lus</strong></p><ul><li>{OTHER}</li></ul>",
    "aside": f"<aside>{OTHER}</aside>",
    "sidebar": f'<div class="sidebar col-right">{OTHER}</div>',
    "footer": f"<footer>{OTHER}</footer>",
    "next article": f'<div><h1 class="article__title">Suivant</h1><div class="article__body"><p>Trois.</p></div>{OTHER}</div>',
}


@pytest.mark.parametrize("foot", FEET.values(), ids=FEET)
@pytest.mark.parametrize("wrapper", ["{}", "<div>{}</div>", '<div class="timeline"><div>{}</div></div>'])
def test_other_lists_after_the_block_are_not_related(foot, wrapper):
    article = parse("<p>Un.</p>", f"<h3>Voir plus</h3>{wrapper.format(cards('div'))}{foot}")
    assert stories(article) == FULL
    assert stories(parse("<p>Un.</p>", f"<p><a>Voir plus</a></p>{foot}")) == []


def test_a_button_at_the_end_of_another_list_is_no_heading():
    box = f'<div><h3>Les plus lus</h3><ul><li>{OTHER}</li></ul><a href="/x/">Voir plus</a></div>'
    assert stories(parse("<p>Un.</p>", f"{box}<ul><li><a href='/y-post7.vnp'>Y</a></li></ul>")) == []


BODIES = {
    "in a sentence": ('<p>On peut <a href="/g-post9.vnp">voir plus</a> de photos.</p><p>Deux.</p>', "On peut voir plus de photos.\n\nDeux."),
    "words in a sentence": ("<p>Il faut voir plus loin.</p><p>Deux.</p>", "Il faut voir plus loin.\n\nDeux."),
    "button to a gallery before a sentence with a link": (
        f'<p>Un.</p><p><a href="/photo/g-post9.vnp">Voir plus</a></p>{SENTENCE}<p>Fin.</p>',
        "Un.\n\nLe président a déclaré que tout va bien.\n\nFin.",
    ),
    "button to a section before a sentence with a link": (
        f'<p>Un.</p><p><a href="/photo/">Voir plus</a></p>{SENTENCE}<p>Fin.</p>', "Un.\n\nLe président a déclaré que tout va bien.\n\nFin.",
    ),
    "before a list of sentences": (
        f'<p>Un.</p><p>Voir plus</p><ul><li>Un point sur <a href="{U2}">le port</a> de Haïphong</li></ul><p>Fin.</p>',
        "Un.\n\nUn point sur le port de Haïphong\n\nFin.",
    ),
    "before loose text with a link": (
        f'<p>Un.</p><div><h3>Voir plus</h3>loin avec <a href="{U2}">le port</a></div>',
        "Un.\n\nloin avec le port",
    ),
    "before a link and very many parts": (
        f'<p>Un.</p><p>Lire aussi</p><p><a href="{U2}">{T2}</a>{"<i>-</i>" * 100}</p><p>Fin.</p>',
        None,
    ),
    "text after the stories": (f"<p>Un.</p><h3>Voir plus</h3>{cards('div')}<p>{LONG}</p><p>Fin.</p>", f"Un.\n\n{LONG}\n\nFin."),
    "text after one story": (f'<p>Un.</p><p>Voir plus</p><p><a href="{U2}">{T2}</a></p><p>{LONG}</p>', f"Un.\n\n{LONG}"),
    "stories with summaries to the end": (
        f'<p>Un.</p><p>Voir plus</p><p><a href="{U2}">{T2}</a></p><p>{LONG}</p><p><a href="{U3}">{T3}</a></p><p>{LONG}</p>', "Un.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "text"), BODIES.values(), ids=BODIES)
def test_the_articles_own_text_stays(body, text):
    found = parse(body).text
    assert found.startswith("Un.") and found.endswith("Fin.") if text is None else found == text


def test_an_element_for_a_lead_picture_may_be_empty():
    article = parse("<p>Un.</p>", before='<figure class="article__avatar"><figcaption>Légende</figcaption></figure>')
    assert (article.text, article.images) == ("Un.", ())


A, B = '<a href="/un-post11.vnp"{1}>{0}</a>', '<a href="/un/11.vnp"{1}>{0}</a>'
#: Two links to one story, and its title and summary.
IN_PARTS = {
    "in one word": (A.format("Un po", "") + A.format("rt", ""), "Un port", ""),
    "between words": (A.format("Un port ", "") + A.format("à Huê", ""), "Un port à Huê", ""),
    "space between": (A.format("Un port", "") + " \n " + A.format("<b>à Huê</b>", ""), "Un port à Huê", ""),
    "capital after a space": (A.format("Un port à ", "") + A.format("Huê", ""), "Un port à Huê", ""),
    "three links": (A.format("Un ", "") + A.format("port ", "") + A.format("neuf", ""), "Un port neuf", ""),
    "summary": (A.format("Un port", "") + " " + A.format("Il est neuf.", ""), "Un port", "Il est neuf."),
    "summary without a space": (A.format("Un port", "") + A.format("Il est neuf", ""), "Un port", "Il est neuf"),
    "sentences": (A.format("Est-il neuf ?", "") + " " + A.format("oui, il est neuf", ""), "Est-il neuf ?", "oui, il est neuf"),
    "another class": (A.format("Un port ", "") + A.format("est neuf", ' class="x"'), "Un port", "est neuf"),
    "text between": (A.format("Un port", "") + " | " + A.format("photos", ""), "Un port", "photos"),
    "invitation": (A.format("Un port", "") + " " + A.format("Lire la suite »", ""), "Un port", ""),
    "invitation in Vietnamese": (A.format("Un port", "") + " " + A.format("Xem thêm", ""), "Un port", ""),
}  # fmt: skip


@pytest.mark.parametrize(("links", "title", "summary"), IN_PARTS.values(), ids=IN_PARTS)
def test_links_to_one_story_that_follow_each_other(links, title, summary):
    article = parse("<p>Un.</p>", f"<h3>Voir plus</h3><ul><li>{links}</li><li><a href='{U3}'>{T3}</a></li></ul>")
    assert [(story.title, story.summary) for story in article.related] == [(title, summary), (T3, "")]


@pytest.mark.parametrize("links", [IN_PARTS["between words"][0], IN_PARTS["space between"][0]])
@pytest.mark.parametrize("box", ["<p>Lire aussi : {}</p>", "<p>&gt;&gt; {}</p>", '<div class="cms-relate">{}</div>'])
def test_links_in_the_body_to_one_story_that_follow_each_other(links, box):
    article = parse(f"<p>Un.</p>{box.format(links)}<p>Deux.</p>")
    assert [story.title for story in article.related] == ["Un port à Huê"]
    assert article.text == "Un.\n\nDeux."


def test_links_to_two_stories_are_two_stories():
    two = B.replace("11", "12").format("neuf", "")
    article = parse(f"<p>Un.</p><p>Lire aussi : {A.format('Un port ', '')}{two}</p>")
    assert [story.title for story in article.related] == ["Un port", "neuf"]


def test_very_many_parts_of_a_story_are_not_examined():
    article = parse("<p>Un.</p>", f'<h3>Voir plus</h3><a href="{U2}">{T2}</a>{"<i>-</i>" * 40}<p>{S2}</p>')
    assert stories(article) == [(2, T2, "", None)]


def test_a_title_without_its_end_tag_ends_where_the_summary_begins():
    item = f'<div class="story"><h2><a href="{U2}">{T2}</a><div class="story__summary">{S2}</div></div>'
    article = parse("<p>Un.</p>", f"<h3>Voir plus</h3>{item}")
    assert stories(article) == [(2, T2, S2, None)]


def test_a_label_is_no_title():
    """A link without its end tag is read again in the next paragraphs."""
    article = parse(f'<p>Un <a href="/x-post7.vnp">lien.</p><p>Lire aussi : <a href="{U2}">{T2}</a></p><p>Deux.</p>')
    assert [story.title for story in article.related] == [T2]


def test_an_empty_link_beside_the_heading_is_no_button():
    block = f'<div><h3>Voir plus</h3><a href="{U2}"></a></div><ul><li><a href="{U2}">{T2}</a></li></ul>'
    assert stories(parse("<p>Un.</p>", block)) == [(2, T2, "", None)]


@pytest.mark.parametrize("end", ["", "</a>"])
def test_a_link_around_a_story_without_elements_for_its_title(end):
    article = parse("<p>Un.</p>", f"<h3>Voir plus</h3><ul><li><a href='{U2}'>{T2}<p>{S2}</p>{end}</li></ul>")
    assert stories(article) == [(2, T2, S2, None)]
