"""Small pages for cases that the golden pages do not cover: unusual bodies, related stories, verdicts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.errors import MarkupDrift, NotAnArticle, ParseError, Rejection
from crawler.markup import ArticleSelectors, BodySelectors, Markup, RelatedSelectors
from crawler.parse.page import parse_page
from crawler.types import Related

ROOT = "https://fr.vietnamplus.vn"
URL = f"{ROOT}/a-post1.vnp"
NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
LAYOUT = Markup(
    "small", ArticleSelectors(("h1",), (".body",)),
    BodySelectors(
        noise=(".ad",), picture=("figure", ".photo"), bare_caption=(".photo",), caption=("figcaption", ".caption"), note=(".note",),
        player=(".player",), related=(".relate",),
    ),
    RelatedSelectors("Voir plus", item=(".story",), title=("h3",), summary=("p",)),
)  # fmt: skip
OG_ARTICLE = '<meta property="og:type" content="article">'


def parse(body, after="", url=URL, head=OG_ARTICLE, title="<h1>T</h1>"):
    page = f'<!doctype html><html><head>{head}</head><body><main>{title}<div class="body">{body}</div></main>{after}</body></html>'
    return parse_page(page.encode(), url, content_type=None, fetched_at=NOW, markups=[LAYOUT])


def blocks(body):
    """Return text blocks as strings and pictures as lists with their caption."""
    return [getattr(block, "text", None) or [getattr(block, "caption", None)] for block in parse(body).blocks]


IMG = '<img src="/1.jpg">'
CREDIT = "Un pont à Huế. Photo : VNA"
LONG = "Une phrase assez longue pour n’être pas une étiquette, et même plus longue que cela, dit que "
BODIES = {
    "link in a sentence": (f'<p>{LONG}<a href="/b-post2.vnp">le riz</a> pousse.</p>', [f"{LONG}le riz pousse."]),
    "tracking pixel": ('<p>Un.<img src="/x.gif" width="1" height="1"></p>', ["Un."]),
    "picture between two texts": (f"Un.{IMG}Deux.", ["Un.", [None], "Deux."]),
    "caption before its picture": (f"<figure><figcaption>C</figcaption>{IMG}</figure>", [["C"]]),
    "caption in two parts": (f"<figure>{IMG}<figcaption>C</figcaption><p class=caption>Photo : VNA</p></figure>", [["C Photo : VNA"]]),
    "caption of two paragraphs": (f"<figure>{IMG}<figcaption><p>C.</p><p>Photo : VNA</p></figcaption></figure>", [["C. Photo : VNA"]]),
    "caption of two lines": (f"<figure>{IMG}<figcaption>C.<div>Photo : VNA</div>2025</figcaption></figure>", [["C. Photo : VNA 2025"]]),
    "cells of several paragraphs": (
        "<table><tr><td><p>Un</p><p>deux</p></td><td><ul><li>3</li><li>4</li></ul></td></tr></table>", ["Un deux\t3 4"],
    ),
    "caption of a table": ("<table><caption>T<b>1</b></caption><tr><td>a</td><td>b</td></tr></table>", ["T1", "a\tb"]),
    "table with one filled column": ("<table><tr><td>Un.</td><td>&nbsp;</td></tr><tr><td>Deux.</td></tr></table>", ["Un.", "Deux."]),
    "columns of running text": (
        f"<table><tr><td><p>{LONG}</p><p>{LONG}</p><p>{LONG}</p></td><td><p>Un.</p></td></tr></table>", [LONG.strip()] * 3 + ["Un."],
    ),
    "columns of short paragraphs": ("<table><tr><td><p>Un.</p><p>Deux.</p></td><td>Trois.</td></tr></table>", ["Un. Deux.\tTrois."]),
    "heading without its end tag": ("<h3>Titre<p>Un.</p>\n<div></div>\n<p>Deux.</p></h3>", ["Titre", "Un.", "Deux."]),
    "menu, legend and title of a group": (
        "<menu>Un<li>deux</menu><fieldset><legend>Trois</legend>quatre</fieldset><hgroup>Cinq<p>six</p></hgroup>sept",
        ["Un", "deux", "Trois", "quatre", "Cinq", "six", "sept"],
    ),
    "inline elements in a caption": (f"<figure>{IMG}<figcaption><b>C</b>a<x-y>p</x-y> <i>d</i>e</figcaption></figure>", [["Cap de"]]),
    "bare caption after the picture element": (f'<div class="photo">{IMG}</div>{CREDIT}<p>Un.</p>', [[CREDIT], "Un."]),
    "bare caption inside the picture element": (f'<div class="photo">{IMG}{CREDIT}</div><p>Un.</p>', [[CREDIT], "Un."]),
    "bare caption after a picture without an element of its own": (f"<p>{IMG}</p><p><em>{CREDIT}</em></p><p>Un.</p>", [[CREDIT], "Un."]),
    "bare text in a picture element": (f"<figure>{IMG}Un pont.</figcaption></figure><p>Un.</p>", [["Un pont."], "Un."]),
    "bare text beside a caption": (f"<figure>{IMG}<figcaption>C</figcaption>Agrandir</figure><p>Un.</p>", [["C"], "Un."]),
    "bare caption in the next row of a table": (
        f"<table><tr><td>{IMG}</td></tr><tr><td>{CREDIT}</td></tr></table><p>Un.</p>", [[CREDIT], "Un."],
    ),
    "sentence about a source after a picture": (f"{IMG}<p>Selon la source : le port.</p>", [[None], "Selon la source : le port."]),
    "heading after a picture": (f"{IMG}<h3>Photo : la baie</h3>", [[None], "Photo : la baie"]),
    "only a credit after a picture": (f"{IMG}<p>Photo : VNA</p>", [["Photo : VNA"]]),
    "note between a picture and its caption": (f'<div class="photo">{IMG}</div><p class=note>N</p><p>{CREDIT}</p>', [[None], "N", CREDIT]),
    "table between a picture and its caption": (
        f"{IMG}<table><tr><td>a</td><td>b</td></tr></table><p>{CREDIT}</p>", [[None], "a\tb", CREDIT],
    ),
    "text without credit after a picture": (f'<div class="photo">{IMG}</div><p>Un.</p>', [[None], "Un."]),
    "long text with credit after a picture": (f'<div class="photo">{IMG}</div><p>{LONG * 5}Photo : VNA</p>', [[None], f"{LONG * 5}Photo : VNA"]),
    "dateline after a picture": (
        f'<div class="photo">{IMG}</div><p>Huế (VNA) - Un. Photo : VNA</p>', [[None], "Huế (VNA) - Un. Photo : VNA"],
    ),
    "caption element after its picture": (f"<figure>{IMG}</figure><p class=caption>C</p><p>Un.</p>", [["C"], "Un."]),
    "caption element without a picture": ("<p class=caption>C</p><p>Un.</p>", ["C", "Un."]),
    "caption element after a text": (f"{IMG}<p>Un.</p><p class=caption>C</p>", [[None], "Un.", "C"]),
    "empty note": ('<div class="note"> <b></b></div><p>Un.</p>', ["Un."]),
    "arrows without a link": ("<p>Un.</p><p>..&gt;&gt;</p>", ["Un."]),
    "pictures that a script adds": (
        f"<figure><noscript>{IMG}</noscript><figcaption>C</figcaption></figure><figure><noscript>{IMG}{IMG}</noscript></figure>",
        [["C"], [None], [None]],
    ),
    "tracking pixel of a player": ("<p>Un.</p><figure><iframe src=/x></iframe><noscript><img src=/p width=1></noscript></figure>", ["Un."]),
    "emoji that are pictures": (
        '<p>Vive <img class="emoji" alt="🇻🇳" src="/1.svg"> et <img src="https://s.w.org/emoji/1.png" alt="☀️">!</p>', ["Vive 🇻🇳 et ☀️!"],
    ),
    "picture with the class of an emoji and a name": ('<p>Un.<img class="emoji" alt="Le chat" src="/1.jpg"></p>', ["Un.", [None]]),
    "hidden mail address": ('<p>À <a class="__cf_email__" data-cfemail="6b02050d042b1d050a451d05">[email&#160;protected]</a>.</p>', ["À info@vna.vn."]),
    "broken hidden mail addresses": ('<p>À <a data-cfemail="6b0">[x]</a>, <a data-cfemail="">y</a>, <a data-cfemail="6b">z</a>.</p>', ["À [x], y, z."]),
    "tracking pixel in pixels": ('<p>Un.<img src="/x.gif" width="1px" height="1px"> Deux.</p>', ["Un. Deux."]),
    "tracking pixel by its style": ('<p>Un.<img src="/x.jpg" style="border:0; width:1px ; height:1px"> Deux.</p>', ["Un. Deux."]),
    "hidden tracking pixel": ('<p>Un.<img src="/p?c=2" style="display: none"> <img src="http://[x" hidden>Deux.</p>', ["Un. Deux."]),
    "hidden pictures": (
        '<p><img src="/1.jpg" style="display:none"><img data-src="/2" style="visibility:hidden"><img src="/3" style="color:red"></p>', [[None]] * 3,
    ),
    "ratio of a picture for phones": ('<amp-img src="/1.jpg" width="1" height="1" layout="responsive"></amp-img><p>Un.</p>', [[None], "Un."]),
    "advertising and frames for phones": (
        "<p>Un.</p><amp-ad><div placeholder>Publicité</div></amp-ad><amp-iframe src=/x><p placeholder>Attendez</p></amp-iframe>", ["Un."],
    ),
    "blank lines in a preformatted text": ("<pre>\nUn\nvers.\n \nDeux.\r\n\r\n\r\n\nTrois.\n\n</pre>Quatre.", ["Un vers.", "Deux.", "Trois.", "Quatre."]),
    "blank lines that a style keeps": ('<p style="White-Space : pre-line"><b>Un\n\ndeux</b>\n\ntrois</p>', ["Un", "deux", "trois"]),
    "blank lines around an element": ("<pre>Un\n\n<b>deux</b>\n\ntrois\n\nquatre</pre>", ["Un", "deux", "trois", "quatre"]),
    "blank lines that a style removes": ('<pre style="white-space: normal">Un\n\ndeux</pre><p>Trois\n\nquatre</p>', ["Un deux", "Trois quatre"]),
    "caption in the next row of a table": (f"<table><tr><td>{IMG}</td></tr><tr><td><i>Un pont</i></td></tr></table><p>Un.</p>", [["Un pont"], "Un."]),
    "table with all of the text": (f"<table><tr><td>{IMG}</td></tr><tr><td>Un.</td></tr></table>", [[None], "Un."]),
    "signed text in the next row of a table": (
        f"<table><tr><td>{IMG}</td></tr><tr><td>Un. -VNA</td></tr></table><p>Un.</p>", [[None], "Un. -VNA", "Un."],
    ),
    "text beside a picture": (f"<table><tr><td>{IMG}</td><td>Un pont</td></tr></table><p>Un.</p>", [[None], "Un pont", "Un."]),
    "two cells below a picture": (
        f"<table><tr><td>{IMG}</td></tr><tr><td>Un pont</td><td>Un lac</td></tr></table><p>Un.</p>", [[None], "Un pont", "Un lac", "Un."],
    ),
    "two pictures and a row": (
        f"<table><tr><td>{IMG}{IMG}</td></tr><tr><td>Un pont</td></tr></table><p>Un.</p>", [[None], [None], "Un pont", "Un."],
    ),
    "zero-width text": ("<p>\u200b</p><p>Un.</p>", ["Un."]),
}  # fmt: skip


PLACEHOLDER = "data:image/gif;base64,R0lGOD"
PICTURES = {
    "srcset": ('<img srcset="/s.jpg 480w, /l.jpg 1200w">', "l"),
    "densities": (f'<img src="{PLACEHOLDER}" data-srcset="/s.jpg, /l.jpg 1.5x">', "l"),
    "commas in the address": ('<img srcset="/a,b/s.jpg 1x,/a,b/l.jpg 2x">', "a,b/l"),
    "no space after the comma": ('<img srcset="/s.jpg 480w,/l.jpg 1200w,/m.jpg 800w">', "l"),
    "width and height": ('<img srcset="/l.jpg 1200w 800h, /s.jpg 480w 900h">', "l"),
    "comma at the end of the address": ('<img srcset=" , /s.jpg, /l.jpg\n1.5x ,">', "l"),
    "density below one": ('<img srcset="/s.jpg .5x, /l.jpg">', "l"),
    "sources of a picture": ('<picture><source srcset="/l.jpg 1x"><img></picture>', "l"),
    "an address of its own": ('<img src="/s.jpg" srcset="/l.jpg 2x">', "s"),
    "no usable address": (f'<img srcset="{PLACEHOLDER} 1x, ">', None),
    "srcset of another program": (f'<img src="{PLACEHOLDER}" data-lazy-srcset="/s.jpg 1x, /l.jpg 2x">', "l"),
    "copy for browsers without scripts": (f'<img src="{PLACEHOLDER}">\n<noscript><img src="/l.jpg"></noscript>', "l"),
    "copy before the picture": ('<noscript><img src="/l.jpg"></noscript><picture><img></picture>', "l"),
    "no picture in the copy": ("<noscript>x</noscript><img>", None),
    "an address before the copy": (
        '<img data-cfsrc="/l.jpg" style="display:none"><noscript><img src="/s.jpg"></noscript>',
        "l",
    ),
    "an address of mod_pagespeed": ('<img data-pagespeed-lazy-src="/l.jpg" src="/s.gif">', "l"),
}


@pytest.mark.parametrize(("html", "expected"), PICTURES.values(), ids=PICTURES)
def test_the_address_of_a_responsive_picture(html, expected):
    (image,) = parse(html).blocks
    assert image.url == (expected and f"{ROOT}/{expected}.jpg")


@pytest.mark.parametrize(("body", "expected"), BODIES.values(), ids=BODIES)
def test_body(body, expected):
    assert blocks(body) == expected


def test_paragraphs_in_a_heading_without_its_end_tag_are_paragraphs():
    article = parse("<h3>Titre<p>Un.</p><p>Deux.</p></h3><h3><p>Trois</p></h3><h4><div>Quatre</div></h4>")
    assert [block.type for block in article.blocks] == ["heading", "paragraph", "paragraph", "heading", "heading"]
    many = parse(f"<h3>Titre{'<p>Un.</p>' * 20_000}")
    assert [block.type for block in many.blocks[:2]] == ["heading", "paragraph"]


# --- related stories --------------------------------------------------------------------------------------------------


def story(number, title="S", summary="R"):
    return f'<div class="story"><h3><a href="/s-post{number}.vnp">{title}</a></h3><p>{summary}</p></div>'


def related(number, title="S", summary="R"):
    return Related(title, summary, None, f"{ROOT}/s-post{number}.vnp", number)


FEET = {
    "heading before its stories": (f"<h2>Voir plus</h2>{story(2)}{story(3)}", [related(2), related(3)]),
    "heading in one container with its stories": (f"<div><h2>Voir plus</h2>{story(2)}</div>", [related(2)]),
    "heading with punctuation": (f"<div><h2>» Voir plus :</h2>{story(2)}</div>", [related(2)]),
    "button before the heading": (f"<a>Voir plus</a><div><h2>Voir plus</h2>{story(2)}</div>", [related(2)]),
    "voir plus in a sentence": (f"<div><p>Voir plus loin que la mer, voir plus haut que le ciel, et voir</p>{story(2)}</div>", []),
    "voir plus without its own element": (f"<div>Voir plus {story(2)}</div>", [related(2)]),
    "voir plus at the end of a sentence": (f"<div><b>Un texte</b> voir plus {story(2)}</div>", []),
    "repeated story": (f"<div><h2>Voir plus</h2>{story(2)}{story(2, 'autre')}</div>", [related(2)]),
    "item without a link": (f'<div><h2>Voir plus</h2><div class="story"><h3>x</h3></div>{story(2)}</div>', [related(2)]),
    "item without a title": (f'<div><h2>Voir plus</h2><div class="story"><a href="/x"></a></div>{story(2)}</div>', [related(2)]),
    "summary that repeats the title": (f"<div><h2>Voir plus</h2>{story(2, 'S', 'S')}</div>", [related(2, summary="")]),
}  # fmt: skip


@pytest.mark.parametrize(("foot", "expected"), FEET.values(), ids=FEET)
def test_related_stories_at_the_foot(foot, expected):
    assert list(parse("<p>Un.</p>", foot).related) == expected


def test_related_links_inside_the_body_follow_once():
    links = '<p>Un.</p><p class="relate"><a href="/s-post2.vnp">S</a> <a href="/i-post4.vnp">I</a> <a title="J" href="/j-post5.vnp"></a></p>'
    article = parse(f"{links}<p>Deux.</p>", f"<div><h2>Voir plus</h2>{story(2)}</div>")
    assert [story.post_id for story in article.related] == [2, 4, 5]
    assert article.related[2].title == "J"
    assert article.text == "Un.\n\nDeux."


# --- verdicts ---------------------------------------------------------------------------------------------------------


def test_an_article_without_an_id_is_rejected():
    with pytest.raises(NotAnArticle) as caught:
        parse("<p>Un.</p>", url=f"{ROOT}/x/y.html")
    assert caught.value.rejection is Rejection.NO_POST_ID


@pytest.mark.parametrize("body", ["", "<p> </p>", '<div class="ad">x</div>'], ids=["empty", "blank", "only noise"])
def test_a_body_without_content_is_drift(body):
    with pytest.raises(MarkupDrift) as caught:
        parse(body, head=f'{OG_ARTICLE}<link rel="canonical" href="{URL}"><meta property="og:title" content="T">')
    assert caught.value.missing == ("body",)
    assert caught.value.article.title == "T"


PLAYERS = {
    "player of the layout": '<div class="player"></div>',
    "video that is loaded later": '<video data-src="/v.mp4"></video>',
    "YouTube": '<iframe src="https://www.youtube-nocookie.com/embed/x"></iframe>',
    "YouTube, loaded later": '<iframe src="about:blank" data-src="https://youtu.be/x"></iframe>',
    "TikTok": '<iframe src="https://www.tiktok.com/embed/v2/1"></iframe>',
    "address with video": '<iframe src="https://vnanet.vn/embed/Video/1"></iframe>',
    "Flash": '<object><param name="movie" value="/p.swf"><embed src="/p.swf" type="application/x-shockwave-flash"></object>',
    "embedded file": '<embed src="https://www.youtube.com/v/x">',
    "element of AMP": '<amp-youtube data-videoid="x"></amp-youtube>',
    "light player": '<p><lite-youtube videoid="x"></lite-youtube></p>',
}


@pytest.mark.parametrize("player", PLAYERS.values(), ids=PLAYERS)
def test_a_body_with_only_a_player_is_a_video(player):
    assert parse(player).kind == "video"
    assert blocks(f"Un.{player}Deux.") == ["Un.", "Deux."]


@pytest.mark.parametrize(
    "other", ['<iframe src="https://maps.example/embed"></iframe>', '<object data="/a.pdf"></object>']
)
def test_other_embedded_pages_are_no_players(other):
    assert blocks(f"Un{other}deux.") == ["Undeux."]
    with pytest.raises(MarkupDrift):
        parse(other, head=f'{OG_ARTICLE}<link rel="canonical" href="{URL}">')


# --- any page ---------------------------------------------------------------------------------------------------------

FRAGMENTS = [
    "<p>", "</p>", "<br>", "<figure>", "</figure>", "<figcaption>", IMG, "<h1>", "</h1>", '<div class="photo">', "</div>",
    '<div class="body">', '<p class="relate">', '<a href="/b-post2.vnp">', "</a>", '<div class="note">', '<div class="ad">', "<table>",
    "<tr><td>a<td>b", "</table>", "<li>", "<blockquote>", "Voir plus", "Lire aussi :", ">>", "Huế (VNA) - ", "-VNA", CREDIT, "\u00a0", "x",
    '<div class="player">', "<!--", "-->", "<noscript>", "<template>", "<svg>", '<div class="story"><h3>', "\ufdd0", "&nbsp;",
]  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=5), max_size=20).map("".join), st.booleans())
def test_any_page_is_parsed_or_rejected(body, at_foot):
    try:
        article = parse("<p>Un.</p>", body) if at_foot else parse(body)
    except ParseError:
        return
    assert article.title
    assert article.blocks or article.kind == "video"
    assert all(text.strip() == text != "" for text in article.paragraphs)
    assert len({story.url for story in article.related}) == len(article.related)


def test_many_comments_before_the_root_do_not_stall_the_parser():
    body = b"<!---->" * 100 + b"<html><title>Accueil</title><p>" + b"x" * 64
    with pytest.raises(NotAnArticle):
        parse_page(body, f"{ROOT}/a-post1.vnp", content_type=None, fetched_at=NOW, markups=())


@pytest.mark.parametrize(("last", "expected"), [("<ol><li>Un.</li><li>Deux.</li></ol>", "-VNA"), ("<p>Un.</p>", None)])
def test_a_list_of_footnotes_can_follow_the_signature(last, expected):
    assert parse(f"<p>Huế (VNA) - Un. -VNA</p>{IMG}{last}").signature == expected
    assert parse(f"<p>Un.</p>{last}").signature is None
