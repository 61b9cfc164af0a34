"""Pages as older systems, proxies, mirrors and editors change them, read with the layouts of the package."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crawler import config, urls
from crawler.parse.page import parse_page

ROOT = "https://fr.vietnamplus.vn"
URL = f"{ROOT}/le-port-post300001.vnp"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
OWN, OTHER = "2026-11-20T08:30:00+07:00", "2026-11-30T10:00:00+07:00"
TITLE = "Le port de Haïphong accueille son millionième conteneur"
TEXT = "<p>Hanoï (VNA) - Le port est ouvert.</p><p>Fin. -VNA</p>"
LAYOUTS = config.load_markups()


TIME = f'<time class="time" datetime="{OWN}">20/11/2026 08:30</time>'


def parse(
    body=TEXT,
    *,
    url=URL,
    time=TIME,
    head="",
    before="",
    crumbs="",
    after="",
    canonical=f'<link rel="canonical" href="{URL}">',
):
    page = (
        f'<!doctype html><html><head><meta charset="utf-8">{canonical}{head}</head><body>{before}<div class="content-col">'
        f'<div class="breadcrumb">{crumbs}</div><h1 class="article__title cms-title">{TITLE}</h1><div class="article__meta">'
        f'{time}</div><div class="article__body cms-body">{body}</div></div>'
        f"{after}</body></html>"
    )
    return parse_page(page.encode(), url, content_type=None, fetched_at=NOW, markups=LAYOUTS)


def picture(name, attributes=""):
    return f'<div {attributes}><figure><img src="/{name}.jpg"><figcaption>{name}</figcaption></figure></div>'


COPIES = ("slick-slide slick-cloned", "swiper-slide swiper-slide-duplicate", "owl-item cloned")


@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("box", ["", 'class="gallery"'])
def test_the_copies_of_a_carousel_are_left_out(copy, box):
    slides = picture("B", f'class="{copy}"') + picture("A") + picture("B") + picture("A", f'class="{copy}"')
    article = parse(f"<div {box}>{slides}</div>{TEXT}")
    assert [image.caption for image in article.images] == ["A", "B"]


@pytest.mark.parametrize(
    "links",
    [
        '<div class="pagination">1 <a href="?page=2">2</a> <a href="?page=2">Suivant</a></div>',
        '<ul class="pager"><li>1</li><li><a href="?page=2">2</a></li></ul>',
    ],
)
def test_links_to_the_other_pages_of_a_text_are_no_text(links):
    article = parse(TEXT + links)
    assert (len(article.blocks), article.signature) == (2, "-VNA")


def test_the_caption_of_a_picture_in_wordpress():
    article = parse(f'<div class="wp-caption"><img src="/a.jpg"><p class="wp-caption-text">Un pont.</p></div>{TEXT}')
    assert [image.caption for image in article.images] == ["Un pont."]


def test_an_embedded_post_can_follow_the_signature():
    post = '<blockquote class="twitter-tweet"><p>Merci.</p>&mdash; VNA (@vna) <a href="https://t.co/x">20 novembre</a></blockquote>'
    assert parse(TEXT + post).signature == "-VNA"
    assert parse(f"{TEXT}{post}<p>Rectificatif : lire 13.</p>").signature == "-VNA"
    assert parse(f"{TEXT}<p>Suite.</p>{post}").signature is None
    assert parse(f"{TEXT}{post}<p>Suite.</p>").signature is None


@pytest.mark.parametrize(
    ("caption", "kind"),
    [("Infographie : VNA", "infographic"), ("(Graphique : VNA)", "infographic"), ("Source : VNA", "photo")],
)
def test_the_credit_of_an_infographic_is_no_text(caption, kind):
    article = parse(f'<p><img src="/a.jpg"></p><p>{caption}</p>')
    assert (article.kind, article.images[0].credit) == (kind, "VNA")


def test_a_frame_for_phones_may_be_a_player():
    assert parse('<amp-iframe src="https://www.youtube.com/embed/x"></amp-iframe>').kind == "video"


# --- times and sections that are stated elsewhere ---------------------------------------------------------------------

META = f'<meta itemprop="datePublished" content="{OTHER}"><meta itemprop="dateModified" content="{OTHER}">'
STORIES = {
    "item with a type": f'<div itemscope itemtype="http://schema.org/NewsArticle">{META}<a href="/b-post2.vnp">B</a></div>',
    "article element": f'<article class="story">{META}<h2><a href="/b-post2.vnp">B</a></h2></article>',
    "list item": f"<ul><li><p>{META}B</p></li></ul>",
    "many": f"<ul>{f'<li>{META}</li>' * 150}</ul>{META}",
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
@pytest.mark.parametrize("place", ["before", "after"])
def test_the_times_of_a_story_in_a_list_are_not_those_of_the_article(story, place):
    article = parse(**{place: story})
    assert (article.published_at, article.modified_at) == (OWN, None)


@pytest.mark.parametrize(
    "around",
    [{"head": META}, {"before": META}, {"before": f'<article itemscope>{META}<h1 class="logo">V</h1></article>'}],
)
def test_the_times_of_the_page_or_of_a_whole_article_are_used(around):
    assert parse(**around).modified_at == OTHER


SHOWN = {
    "microdata": f'<time class="time" itemprop="datePublished" content="{OTHER}">lundi</time>',
    "microdata of another element": f'<span class="article__date" itemprop="datePublished" content="{OTHER}">lundi</span>',
    "hAtom": f'<span class="article__date"><abbr class="published" title="{OTHER}">lundi</abbr></span>',
    "title": '<time class="time" title="30/11/2026 10:00">il y a 2 heures</time>',
    "title of an element inside": '<time class="time"><i title="x"></i><i title="30/11/2026 10:00">hier</i></time>',
}


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_a_time_in_an_attribute_of_an_older_format(shown):
    article = parse(time=shown)
    assert (article.published_at, article.problems) == (OTHER, ())


def test_the_title_of_a_link_beside_a_time_is_not_read():
    shown = f'<span class="article__date">20/11/2026 08:30 <a href="/b-post2.vnp" title="{OTHER}">lire</a></span>'
    assert parse(time=shown).published_at == OWN


def test_the_usual_attributes_of_a_time_are_trusted_first():
    assert parse(time=f'<time class="time" datetime="{OWN}" title="{OTHER}">lundi</time>').published_at == OWN


NAMES = (
    "article:published",
    "og:pubdate",
    "sailthru.date",
    "DC.date.created",
    "dcterms.created",
    "DC.date",
    "dcterms.date",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_of_the_time_in_the_metadata(name):
    assert parse(time="", head=f'<meta name="{name}" content="{OTHER}">').published_at == OTHER


def ld(data):
    return f'<script type="application/ld+json">{data}</script>'


CRUMBS = '{"@type":"BreadcrumbList","itemListElement":[{"@type":"ListItem","position":1,%s}]}'
NAMED = CRUMBS % '"name":"Monde"'
SECTIONS = {
    "escaped twice": ({"head": '<meta property="article:section" content="Soci&amp;eacute;t&amp;eacute;">'}, "Société"),
    "home page": ({"head": '<meta property="article:section" content="Accueil">', "crumbs": "<a>Monde</a>"}, "Monde"),
    "breadcrumbs of the page": ({"head": ld(f'{{"@type":"WebPage","breadcrumb":{NAMED}}}')}, "Monde"),
    "breadcrumbs of the main page of an article": (
        {"head": ld(f'{{"@type":"NewsArticle","url":"{URL}","mainEntityOfPage":{{"@id":"{URL}","breadcrumb":{NAMED}}}}}')}, "Monde",
    ),
    "breadcrumb without a name": (
        {"head": ld(CRUMBS % f'"item":"{ROOT}/monde/"'), "crumbs": "<a>Asie</a>"}, "Asie",
    ),
    "name of the item": ({"head": ld(CRUMBS % f'"item":{{"@id":"{ROOT}/monde/","name":"Monde"}}')}, "Monde"),
    "title that is cut": ({"head": f"<title>{TITLE}</title>", "crumbs": "<a>Monde</a><a>Le port de Haïphong...</a>"}, "Monde"),
    "title that is cut, other sign": ({"head": f"<title>{TITLE}</title>", "crumbs": "<a>Monde</a><a>LE PORT DE …</a>"}, "Monde"),
    "address in the metadata": (
        {"head": f'<meta property="article:section" content="{ROOT}/monde/">', "crumbs": "<a>Asie</a>"}, "Asie",
    ),
    "home page by another name": ({"crumbs": "<a>Page d’accueil</a>"}, None),
    "signs around the name": ({"crumbs": "<a>Accueil ›</a><a>› Monde&nbsp;»</a>"}, "Monde"),
    "short name with the sign": ({"head": f"<title>{TITLE}</title>", "crumbs": "<a>Monde</a><a>Le port…</a>"}, "Le port…"),
    "another name with the sign": ({"head": f"<title>{TITLE}</title>", "crumbs": "<a>Monde</a><a>Le port de Huê…</a>"}, "Le port de Huê…"),
}  # fmt: skip


@pytest.mark.parametrize(("page", "expected"), SECTIONS.values(), ids=SECTIONS)
def test_the_section(page, expected):
    assert parse(**page).section == expected


def test_a_title_that_is_escaped_twice_in_the_metadata_is_the_headline():
    meta = f'<meta property="og:title" content="{TITLE.replace("ï", "&amp;iuml;")}">'
    assert parse(head=meta, crumbs='<h1 class="article__title">Autre</h1>').title == TITLE


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("relation", ["canonical", "Canonical", "canonical shortlink"])
def test_the_canonical_link(relation):
    article = parse(url=f"{ROOT}/amp.aspx?x=1", canonical=f'<link rel="{relation}" href="{URL}">')
    assert (article.post_id, article.url) == (300001, URL)


COPY = "https://web.archive.org/web/20261121103000"


def test_a_copy_of_the_wayback_machine():
    """Its links lead to the original pages, and its canonical link is that of the original."""
    stories = "".join(
        f'<article class="story"><h2><a href="{start}/{ROOT}/b-post{number}.vnp">B</a></h2></article>'
        for number, start in ((2, COPY), (3, "/web/20261121103000"))
    )
    article = parse(
        f'<figure><img src="{COPY}im_/{ROOT}/a.jpg"></figure>{TEXT}',
        canonical=f'<link rel="canonical" href="{COPY}/{URL}">',
        after=f"<div><h3>Voir plus</h3>{stories}</div>",
    )
    assert (article.url, article.problems) == (URL, ())
    assert [image.url for image in article.images] == [f"{ROOT}/a.jpg"]
    assert [(story.post_id, story.url) for story in article.related] == [
        (number, f"{ROOT}/b-post{number}.vnp") for number in (2, 3)
    ]


def test_a_base_element_in_a_copy_of_the_wayback_machine():
    story = '<div><h3>Voir plus</h3><a href="b-post2.vnp">B</a></div>'
    article = parse(head=f'<base href="{COPY}/{ROOT}/">', canonical="", after=story)
    assert [story.url for story in article.related] == [f"{ROOT}/b-post2.vnp"]


@pytest.mark.parametrize(
    "url", [URL, f"{ROOT}/web/2026/le-port-post1.vnp", f"{ROOT}/?u=/web/20261121/{URL}", f"{COPY}/mailto:x"]
)
def test_other_addresses_are_no_copies(url):
    assert urls.original(url) == url


@pytest.mark.parametrize(
    ("text", "named"), [("L\u0092eau", True), ("L’eau « bleue »\u00a0!", False), ("L&#146;eau", False)]
)
def test_control_characters_in_place_of_punctuation_are_a_problem(text, named):
    article = parse(f"<p>{text}</p>{TEXT}")
    assert any("control characters" in problem for problem in article.problems) is named


@pytest.mark.parametrize(
    "code", ["<?php echo 1 ?>", "<?import x>", '<?xml:namespace prefix = o ns = "urn:x" />', "<?>"]
)
@pytest.mark.parametrize("place", ["before", "after", "head", "crumbs", "body", "end"])
def test_code_of_a_program_is_no_text(code, place):
    """HTML takes it for a processing instruction or a comment."""
    inside = {"body": f"<p>Un{code}deux.</p>{TEXT}", "end": TEXT + code}
    article = parse(inside[place]) if place in inside else parse(**{place: code})
    assert (article.title, article.section, article.problems) == (TITLE, None, ())
    assert article.text.replace("Undeux.\n\n", "") == "Hanoï (VNA) - Le port est ouvert.\n\nFin. -VNA"
