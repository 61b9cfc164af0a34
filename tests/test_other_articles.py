"""Tags and other fields are the article's own, also on pages with other articles and with missing or surplus end tags."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler import config
from crawler.parse.page import parse_page

URL = "https://fr.vietnamplus.vn/titre-post1.vnp"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
MARKUPS = config.load_markups()
TAGS = '<div class="article__tag"><ul><li><a href="/tag/a.vnp">#Huê</a></li><li><a href="/tag/b.vnp"># port </a></li></ul></div>'
FOREIGN_TAGS = '<div class="article__tag"><a href="/tag/z.vnp">Autre</a></div>'
BODY = "<p>Un.</p><p>Deux.</p>"
SIDEBAR = f'<div class="sidebar"><h3>Les plus lus</h3><article class="story"><h2><a href="/z-post9.vnp">Z</a></h2>{FOREIGN_TAGS}</article></div>'


def content(title="Titre", body=BODY, tags=TAGS, close="</div>", lead="Chapeau.", after=""):
    """Return the parts of an article without an element around them."""
    return (
        f'<div class="breadcrumb"><a href="/x/">{title} section</a></div><h1 class="article__title cms-title">{title}</h1>'
        f'<div class="article__meta"><span class="cms-author"></span><time class="time" datetime="2026-01-02T08:00:00+0700"></time></div>'
        f'<div class="article__sapo">{lead}</div><div class="article__body">{body}{close}<div class="article__source"></div>{tags}{after}'
    )


OTHER = (
    content("Suivant", '<p>Trois.</p><img src="/3.jpg">', FOREIGN_TAGS, lead="Autre chapeau.")
    .replace('<span class="cms-author">', '<span class="cms-author">Une autre')
    .replace("2026-01-02", "2026-02-03")
    .replace(
        '<div class="article__body">',
        '<figure class="article__avatar"><img src="/4.jpg"></figure><div class="article__body">',
    )
)


def parse(main):
    head = f'<title>Titre | Vietnam+ (VietnamPlus)</title><meta property="og:type" content="article"><link rel="canonical" href="{URL}">'
    page = f"<!doctype html><html><head>{head}</head><body>{main}<footer><p>Licence</p>{FOREIGN_TAGS}</footer></body></html>"
    return parse_page(page.encode(), URL, content_type=None, fetched_at=NOW, markups=MARKUPS)


def column(html):
    return f'<div class="main-col">{html}</div>'


PAGES = {
    "plain": column(content()),
    "sidebar in the column": column(content(after=SIDEBAR)),
    "sidebar after the column": column(content()) + SIDEBAR,
    "next article in a column of its own": column(content()) + column(OTHER),
    "next article inside the column": column(content() + column(OTHER)),
    "two next articles": column(content()) + column(OTHER) + column(OTHER.replace("Suivant", "Troisième")),
    "articles in one list": f"<div><article>{content()}</article><article>{OTHER}</article></div>",
    "next article without elements around": column(content() + OTHER),
    "previous article before it": column(OTHER) + column(content()),
    "previous article without elements around": column(OTHER + content()),
    "tags before the body": column(content(tags="").replace('<div class="article__body">', TAGS + '<div class="article__body">')),
    "tags in the header": column(content(tags="").replace('<div class="article__sapo">', TAGS + '<div class="article__sapo">')),
    "tags inside the body": column(content("Titre", BODY + TAGS, "")),
    "tags in a paragraph of the body": column(content("Titre", f"{BODY}<p>{TAGS}</p>", "")),
    "tags twice": column(content(after=TAGS)),
    "an empty tag": column(content(tags=TAGS.replace("<ul>", '<ul><li><a href="/tag/">#</a></li><li><a></a></li>'))),
    "body never closed": column(content(close="")),
    "body never closed, then a next article": column(content(close="")) + column(OTHER),
    "body never closed, with a next article in the column": column(content(close="") + column(OTHER)),
    "body never closed, with a next article without elements around": column(content(close="") + OTHER),
    "body never closed, then a sidebar": column(content(close="", after=SIDEBAR)),
    "body and column never closed": content(close="").join(["<div>", ""]),
    "paragraphs never closed": column(content(body="<p>Un.<p>Deux.")),
    "last paragraph never closed": column(content(body="<p>Un.</p><p>Deux.")),
    "surplus end tag after the body": column(content(close="</div></div>")),
    "three surplus end tags after the body": column(content(close="</div></div></div></div>")),
    "surplus end tags in the body": column(content(body="<p>Un.</p></span></section></p><p>Deux.</p></article>")),
    "a bold element never closed": column(content(body="<p>Un.</p><p><b>Deux.</p>")),
    "related stories with tags": column(
        content(after=f'<h3>Voir plus</h3><div><a href="/z-post9.vnp">Z</a>{FOREIGN_TAGS}<span class="cms-author">X</span></div>')
    ),
}  # fmt: skip


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_every_field_is_the_articles_own(page):
    article = parse(page)
    assert article.tags == ("Huê", "port")
    assert (article.title, article.lead, article.byline) == ("Titre", "Chapeau.", None)
    assert article.text == "Un.\n\nDeux."
    assert len(article.blocks) == 2
    assert (article.published_at or "").startswith("2026-01-02")


@pytest.mark.parametrize(
    "page",
    [
        column(content(tags="")) + column(OTHER),
        column(content(tags="") + column(OTHER)),
        column(content(tags="") + OTHER),
        column(content(tags="", close="") + OTHER),
        column(content(tags="", close="")) + column(OTHER),
        column(content(tags="", after=SIDEBAR)),
    ],
)
def test_an_article_without_tags_gets_none_from_others(page):
    assert parse(page).tags == ()


def test_an_article_without_lead_gets_none_from_the_next_one():
    assert parse(column(content(lead="") + OTHER)).lead is None


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("https://www.youtube.com/embed/x", "video"),
        ("//www.youtube-nocookie.com/embed/x", "video"),
        ("https://player.vimeo.com/video/1", "video"),
        ("https://www.dailymotion.com/embed/video/x", "video"),
        ("https://www.facebook.com/plugins/video.php?href=x", "video"),
        ("https://www.google.com/maps/embed?pb=x", "infographic"),
    ],
)
def test_an_embedded_player_without_text_is_a_video(address, kind):
    picture = '<img src="/1.jpg">' if kind == "infographic" else ""
    assert parse(column(content(body=f'<iframe src="{address}"></iframe>{picture}'))).kind == kind
