"""Feeds: which link of an item is the article, which text is its title, which time is its time, and what is doubtful."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_discover import ROOT, ids, read

from crawler.discover.problems import ProblemKind as Kind
from crawler.errors import UnreadableSource

DATA = Path(__file__).parent / "data" / "feeds"
HOME = f"{ROOT}/rss/home.rss"
POST = f"{ROOT}/titre-post{{}}.vnp"
ATOM = "http://www.w3.org/2005/Atom"
FEEDBURNER = 'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'
DC = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'


def feed(body):
    return read("feed", body, HOME)


def kinds(discovery):
    return [problem.kind for problem in discovery.problems]


def atom(entry, attributes=f'xmlns="{ATOM}"'):
    return f"<?xml version='1.0'?><feed {attributes}><title>V</title><entry><title>T</title>{entry}</entry></feed>"


def rss(item, attributes=f'xmlns:atom="{ATOM}"'):
    start = f"<?xml version='1.0'?><rss version='2.0' {attributes}><channel><title>V</title><link>{ROOT}/</link>"
    return f"{start}<item>{item}</item></channel></rss>"


def href(number, attributes=""):
    return f'<link {attributes} href="{POST.format(number)}"/>'


def link(number):
    return f"<link>{POST.format(number)}</link>"


@pytest.mark.parametrize(
    ("file", "expected"),
    [("norel.atom", [5]), ("self.atom", [5]), ("related.rss", [11, 12, 13]), ("date-hints.rss", [1, 2, 3, 4, 5])],
)
def test_real_feeds(file, expected):
    found = feed((DATA / file).read_bytes())
    assert (ids(found), found.problems) == (expected, ())


def test_times_of_a_real_feed():
    """A zone by name, no zone, the day first, another zone by name; the guid of the last item is no date."""
    found = feed((DATA / "date-hints.rss").read_bytes())
    three, half_past_seven = datetime(2026, 11, 20, 3, tzinfo=UTC), datetime(2026, 11, 5, 7, 30, tzinfo=UTC)
    assert [s.published_at for s in found.sightings] == [three, three, half_past_seven, three, None]


IANA = "http://www.iana.org/assignments/relation/"
ATOM_LINKS = {
    "relation in upper case": atom(href(9, 'rel="SELF"') + href(5, 'rel="Alternate"')),
    "relation as a URI": atom(href(9, f'rel="{IANA}related"') + href(5, f'rel="{IANA}alternate"')),
    "empty relation": atom(href(9, 'rel="edit"') + href(5, 'rel=""')),
    "HTML before other types": atom(href(9, 'type="application/pdf"') + href(5, 'type="text/html; charset=utf-8"')),
    "XHTML before no type": atom(href(9) + href(5, 'type="application/xhtml+xml"')),
    "French before other languages": atom(href(9, 'hreflang="en"') + href(5, 'hreflang="fr-FR"')),
    "the first of equals": atom(href(5) + href(9)),
    "xml:base of the feed": atom('<link href="titre-post5.vnp"/>', f'xmlns="{ATOM}" xml:base="{ROOT}/"'),
    "xml:base of the feed and of the link": atom(
        '<link xml:base="../" href="titre-post5.vnp"/>', f'xmlns="{ATOM}" xml:base="{ROOT}/politique/"'
    ),
    "relative without xml:base": atom('<link href="/titre-post5.vnp"/>'),
    "URL as text": atom(link(5)),
    "only the id": atom(f"<id>{POST.format(5)}</id>"),
    "source of a copied entry": atom(f"<source>{href(9)}<id>{POST.format(9)}</id></source>{href(5)}"),
    "prefix for Atom": f'<a:feed xmlns:a="{ATOM}"><a:entry><a:link href="{POST.format(5)}"/></a:entry></a:feed>',
}
RSS_LINKS = {
    "related link of Atom": rss(f'<atom:link rel="related" href="{POST.format(9)}"/>{link(5)}'),
    "link of Atom before that of RSS": rss(f'<atom:link href="{POST.format(9)}"/>{link(5)}'),
    "only a link of Atom": rss(f'<atom:link rel="alternate" href="{POST.format(5)}"/>'),
    "empty link, permalink guid": rss(f"<link></link><guid>{POST.format(5)}</guid>"),
    "no link, permalink guid": rss(f'<guid isPermaLink="TRUE"> {POST.format(5)} </guid>'),
    "guid that is no permalink": rss(f'<guid isPermaLink="False">{POST.format(9)}</guid>{link(5)}'),
    "CDATA and white space": rss(f"<link>\n <![CDATA[ {POST.format(5)} ]]>\n</link>"),
    "line break in the URL": rss(f"<link>{ROOT}/titre-\n    post5.vnp</link>"),
    "link as an attribute": rss(href(5)),
    "escaped CDATA": rss(f"<link>&lt;![CDATA[{POST.format(5)}]]&gt;</link>"),
    "signs around the URL": rss(f'<link>\ufeff"\u200b{POST.format(5)}\u00a0"</link>'),
    "angle brackets around the URL": rss(f"<link>&lt;{POST.format(5)}&gt;</link>"),
    "host without a scheme": rss("<link>fr.vietnamplus.vn/titre-post5.vnp</link>"),
    "URL in the query of another": rss(
        f"<link>https://www.google.com/url?sa=t&amp;q={POST.format(5)}&amp;url=https%3A%2F%2Fexample.org</link>"
    ),
    "root before the URL": rss(f"<link>{ROOT}/{POST.format(5)}</link>"),
    "root before the URL, without a slash": rss(f"<link>{ROOT}{POST.format(5)}</link>"),
    "scheme twice": rss(f"<link>https://{POST.format(5)}?a=http://example.org/</link>"),
    "one slash": rss("<link>https:/fr.vietnamplus.vn/titre-post5.vnp</link>"),
    "escaped as a whole": rss("<link>https%3A%2F%2Ffr.vietnamplus.vn%2Ftitre-post5.vnp</link>"),
    "of an archived page": rss(f"<link>https://web.archive.org/web/20261120103000/{POST.format(5)}</link>"),
    "RSS 0.90": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">'
        f"<channel><title>V</title></channel><item><title>T</title>{link(5)}</item></rdf:RDF>"
    ),
    "original of a redirecting link": rss(
        f"<link>https://feeds.example.org/~r/1</link><feedburner:origLink>{POST.format(5)}</feedburner:origLink>", FEEDBURNER
    ),
    "link of another vocabulary": rss(f"<x:link>{POST.format(9)}</x:link>{link(5)}", 'xmlns:x="urn:x"'),
    "enclosure and comments": rss(f'<enclosure url="{POST.format(9)}"/><comments>{POST.format(9)}</comments>{link(5)}'),
    "link of the picture": rss(f"<image>{link(9)}</image>{link(5)}"),
    "RSS 1.0": (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        f'<channel><items><rdf:Seq><rdf:li rdf:resource="{POST.format(9)}"/></rdf:Seq></items></channel>'
        f'<item rdf:about="{POST.format(5)}"><title>T</title></item></rdf:RDF>'
    ),
}  # fmt: skip


@pytest.mark.parametrize("body", [*ATOM_LINKS.values(), *RSS_LINKS.values()], ids=[*ATOM_LINKS, *RSS_LINKS])
def test_the_link_of_an_item(body):
    found = feed(body)
    assert (ids(found), found.problems) == ([5], ())


OTHER_RELATIONS = ("self", "enclosure", "related", "edit", "via", "replies", "next", "payment")
WITHOUT_LINK = {
    "only other relations": atom("".join(href(9, f'rel="{relation}"') for relation in OTHER_RELATIONS)),
    "guid that is no permalink": rss(f'<title>T</title><guid isPermaLink="false">{POST.format(9)}</guid>'),
    "guid that is a number": rss("<title>T</title><guid>241105</guid>"),
    "another vocabulary": rss(f"<title>T</title><x:link>{POST.format(9)}</x:link>", 'xmlns:x="urn:x"'),
    "not a web address": rss("<title>T</title><link>javascript:void(0)</link>"),
    "too long": rss(f"<title>T</title><link>{ROOT}/{'x' * 3000}-post9.vnp</link>"),
    "no link": rss("<title>T</title>"),
}


@pytest.mark.parametrize("body", WITHOUT_LINK.values(), ids=WITHOUT_LINK)
def test_an_item_without_a_usable_link_is_counted(body):
    (problem,) = feed(body).problems
    assert (problem.kind, problem.count, problem.example) == (Kind.NO_LINK, 1, "T")
    assert str(problem) == "entries without a usable link: 1 (first: 'T')"


def test_a_feed_without_any_article_of_the_site_is_noted():
    elsewhere = rss("<link>https://sponsor.example.org/x</link>")
    assert kinds(feed(elsewhere)) == [Kind.NO_ARTICLES]
    assert kinds(feed(elsewhere.replace("</channel>", f"<item>{link(5)}</item></channel>"))) == []


TITLES = {
    "media:title is of the picture": (
        rss(f"<media:content><media:title>M</media:title></media:content><media:title>M</media:title>{link(5)}<title>T</title>", MEDIA),
        "T",
    ),
    "only media:title": (rss(f"<media:title>M</media:title>{link(5)}", MEDIA), None),
    "dc:title": (rss(f"<dc:title>T</dc:title>{link(5)}", DC), "T"),
    "XHTML": (
        atom(href(5)).replace("<title>T</title>", '<title><div xmlns="http://www.w3.org/1999/xhtml">Le <b>riz</b> vert</div></title>'),
        "Le riz vert",
    ),
    "another field inside": (rss(f"<title>T<dc:date>2026-11-20</dc:date></title>{link(5)}", DC), "T"),
    "HTML entity": (rss(f"{link(5)}<title>Caf&eacute;&nbsp;noir</title>"), "Café\xa0noir"),
    "escaped twice": (rss(f"{link(5)}<title>L&amp;amp;#039;eau</title>"), "L'eau"),
    "escaped twice, in CDATA": (rss(f"{link(5)}<title><![CDATA[Soci&amp;eacute;t&amp;eacute;]]></title>"), "Société"),
    "markup inside a word": (rss(f"{link(5)}<title><![CDATA[L'<b>eau</b> du <i>M</i>ékong<sup>2</sup>]]></title>"), "L'eau du Mékong2"),
    "lines of markup": (rss(f"{link(5)}<title><![CDATA[<p>Le riz</p><p>vert</p>et<br/>bon<!-- x -->]]></title>"), "Le riz vert et bon"),
    "tags that are escaped twice": (rss(f"{link(5)}<title>&amp;lt;p&amp;gt;Le &amp;lt;b&amp;gt;riz&amp;lt;/b&amp;gt;&amp;lt;br/&amp;gt;vert</title>"), "Le riz vert"),
    "signs that are escaped twice": (rss(f"{link(5)}<title>a &amp;lt; b, c &amp;lt;d&amp;gt;</title>"), "a < b, c <d>"),
    "scripts, styles and comments": (
        rss(f"{link(5)}<title><![CDATA[Le <SCRIPT a>x('<b>')</script >riz<style>p{{}}</style><!-- a > b --> vert]]></title>"), "Le riz vert",
    ),
    "script without an end": (rss(f"{link(5)}<title><![CDATA[Le riz<script>x()]]></title>"), "Le rizx()"),
    "signs that are no tags": (rss(f"{link(5)}<title><![CDATA[PIB < 5 % et prix > 3 %, a<3 et b>2]]></title>"), "PIB < 5 % et prix > 3 %, a<3 et b>2"),
    "many angle brackets": (rss(f"{link(5)}<title><![CDATA[a {'<' * 60000}]]></title>"), f"a {'<' * 60000}"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), TITLES.values(), ids=TITLES)
def test_the_title_of_an_item(body, expected):
    (sighting,) = feed(body).sightings
    assert sighting.title == expected


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ITEM_TIMES = {
    "published before updated": (atom(f"{href(5)}<updated>2026-11-21T00:00:00Z</updated><published>2026-11-20T12:00:00Z</published>"), NOON, []),
    "only updated": (atom(f"{href(5)}<updated>2026-11-20T12:00:00Z</updated>"), NOON, []),
    "Dublin Core": (rss(f"{link(5)}<dc:date>2026-11-20T12:00:00Z</dc:date>", DC), NOON, []),
    "pubDate before Dublin Core": (
        rss(f"{link(5)}<dc:date>2026-11-21</dc:date><pubDate>Fri, 20 Nov 2026 12:00:00 GMT</pubDate>", DC), NOON, []
    ),
    "time of another element": (rss(f"{link(5)}<source><pubDate>Fri, 20 Nov 2026 12:00:00 GMT</pubDate></source>"), None, []),
    "doubtful, and Dublin Core": (rss(f"{link(5)}<pubDate>hier</pubDate><dc:date>2026-11-20T12:00:00Z</dc:date>", DC), NOON, [Kind.DATES]),
    "impossible": (rss(f"{link(5)}<pubDate>31/02/2026</pubDate>"), None, [Kind.DATES]),
    "month first": (rss(f"{link(5)}<pubDate>11/20/2026 12:00</pubDate>"), None, [Kind.DATES]),
    "far ahead": (rss(f"{link(5)}<pubDate>Fri, 27 Nov 2026 12:00:00 GMT</pubDate>"), None, [Kind.DATES]),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected", "problems"), ITEM_TIMES.values(), ids=ITEM_TIMES)
def test_the_time_of_an_item(body, expected, problems):
    found = feed(body)
    assert ([s.published_at for s in found.sightings], kinds(found)) == ([expected], problems)


DAMAGED = {
    "message before": ("PHP Warning: x in <b>/a</b>\n" + rss(link(5)), [5], [Kind.TEXT_BEFORE]),
    "two feeds": (rss(link(5)) + rss(link(6)), [5, 6], [Kind.SEVERAL_ROOTS]),
    "cut after an item": (rss(link(5))[:-16], [5], [Kind.CUT_OFF]),
    "cut in an item": (rss(link(5))[:-16] + "<item><title>T</title><link>https://fr.vie", [5], [Kind.CUT_OFF]),
    "end tag missing": (rss(f"<title>T{link(5)}<pubDate>2026-11-20</pubDate>"), [5], [Kind.BAD_TAGS]),
    "items without end tags": (rss(f"{link(5)}<item>{link(6)}"), [5, 6], [Kind.BAD_TAGS]),
    "CDATA without an end": (rss(f"<title><![CDATA[T</title>{link(5)}") + rss(f"<title>U</title>{link(6)}"), [5, 6], [Kind.CUT_OFF, Kind.SEVERAL_ROOTS]),
    "CDATA that ends in the next item": (
        rss(f"<title><![CDATA[T</title>{link(5)}</item><item><title><![CDATA[U]]></title>{link(6)}"), [5, 6], [Kind.BAD_TAGS]
    ),
    "end tag in CDATA": (rss(f"<title><![CDATA[T</title> ]]></title>{link(5)}"), [5], []),
    "CDATA outside of elements": (f"<![CDATA[x]]>{rss(link(5))}", [5], [Kind.TEXT_BEFORE]),
    "read as HTML": (rss(f"<title>T</title><link/>{POST.format(5)}<guid>x</guid>"), [5], [Kind.BAD_TAGS]),
    "Atom read as HTML": (atom(f"<link/>\n {POST.format(5)}\n <id>x</id>"), [5], [Kind.BAD_TAGS]),
    "text after an empty link and another element": (rss(f"<link/><x/>{POST.format(9)}{link(5)}"), [5], []),
    "empty link": (rss(f"<link/>\n<title>T</title>{link(5)}"), [5], []),
    "HTML in a description": (rss(f"{link(5)}<description><p>a<br>b</description>"), [5], [Kind.BAD_TAGS]),
    "unbound prefix": (rss(f"{link(5)}<media:title>M</media:title>"), [5], [Kind.UNBOUND_PREFIX]),
    "no namespace": (atom(href(5), ""), [5], [Kind.NO_NAMESPACE]),
    "tags in upper case": (rss(link(5)).replace("rss", "RSS").replace("item", "ITEM").replace("link", "LINK"), [5], [Kind.UPPER_CASE]),
    "entity": (f"<!DOCTYPE rss [<!ENTITY a 'b'>]>{rss(link(5))}", [5], [Kind.ENTITIES]),
    "external document type": (f"<!DOCTYPE rss PUBLIC 'a' 'http://127.0.0.1/x.dtd'>{rss(link(5))}", [5], []),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected", "problems"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_feed_is_read_as_far_as_possible(body, expected, problems):
    found = feed(body)
    assert (ids(found), kinds(found)) == (expected, problems)


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("<p>Le <b>r</b>iz<br/>bon</p><p>et le thé</p>vert", "Le riz bon et le thé vert"),
        ("<ul><li>Le riz</li><li>le thé</li></ul>", "Le riz le thé"),
    ],
)
def test_lines_of_a_description_are_kept_apart(description, expected):
    (sighting,) = feed(rss(f"{link(5)}<description>{description}</description>")).sightings
    assert sighting.summary == expected


@pytest.mark.parametrize("body", ["<html><body>404", "<!DOCTYPE html><p>404", "<body>404</body>"])
def test_html_is_called_html(body):
    with pytest.raises(UnreadableSource, match="got an HTML page"):
        feed(body)


# --- JSON Feed --------------------------------------------------------------------------------------------------------


def json_feed(*items, version="https://jsonfeed.org/version/1.1"):
    return json.dumps({"version": version, "title": "V", "items": items})


@pytest.mark.parametrize(("encoding", "problems"), [("utf-8", []), ("latin-1", [Kind.LOST_CHARACTERS])])
def test_the_encoding_of_a_json_feed(encoding, problems):
    body = json_feed({"id": "1", "url": POST.format(5), "title": "TITRE"}).replace("TITRE", "Été")
    found = feed(body.encode(encoding))
    assert (ids(found), kinds(found)) == ([5], problems)


@pytest.mark.parametrize(
    ("around", "kind"),
    [
        ("<br />\n<b>Warning</b>: x in <b>/a.php</b> on line <b>1</b><br />\n{}", Kind.TEXT_BEFORE),
        ("PHP Notice: x\n{}", Kind.TEXT_BEFORE),
        ("\ufeff<!-- 0.1 s -->{}", Kind.TEXT_BEFORE),
        ("callback({});", Kind.TEXT_BEFORE),
        ("{}\n<!-- 0.1 s -->", Kind.TEXT_AFTER),
    ],
)
@pytest.mark.parametrize("packed", [bytes, gzip.compress])
def test_a_json_feed_with_other_content_around_it(around, kind, packed):
    """As in XML, it is left out, and is a problem of the feed."""
    body = around.format(json_feed({"url": POST.format(5), "content_html": "<p>{x} <a href='/y'>z</a></p>"}))
    found = feed(packed(body.encode()))
    assert (ids(found), kinds(found)) == ([5], [kind])


@pytest.mark.parametrize("feed_end", [",]}", ",/* fin */]}"])
def test_usual_faults_of_json_are_corrected(feed_end):
    found = feed(json_feed({"url": POST.format(5)}).replace("]}", feed_end))
    assert (ids(found), kinds(found)) == ([5], [Kind.FAULTY_JSON])


def test_faulty_json_is_no_feed_if_it_is_large_or_has_several_documents():
    body = json_feed({"url": POST.format(5)})
    for faulty in (body * 2, body.replace("]}", f",{' ' * 1_000_000}]}}")):
        with pytest.raises(UnreadableSource, match="got something else"):
            feed(faulty)


@pytest.mark.parametrize("body", ["<html>{}", "<br />Warning {", "x {'a': 1}", '<br />{"version": "1", "items": []}'])
def test_other_text_with_braces_is_no_feed(body):
    with pytest.raises(UnreadableSource, match=r"expected a feed, got (an HTML page|something else)"):
        feed(body)


@pytest.mark.parametrize(
    "encode", [gzip.compress, lambda body: gzip.compress(gzip.compress(body))], ids=["once", "twice"]
)
@pytest.mark.parametrize("body", [json_feed({"url": POST.format(5)}), rss(link(5))], ids=["JSON", "RSS"])
def test_a_feed_that_is_compressed_although_no_header_says_so(encode, body):
    found = feed(encode(body.encode()))
    assert (ids(found), found.problems) == ([5], ())


def test_data_that_is_compressed_again_and_again_is_no_feed():
    body = rss(link(5)).encode()
    for _ in range(7):
        body = gzip.compress(body)
    with pytest.raises(UnreadableSource, match="got something else"):
        feed(body)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_a_json_feed_in_another_encoding(encoding):
    assert ids(feed(json_feed({"url": POST.format(5)}).encode(encoding))) == [5]


JSON_ITEMS = {
    "host without a scheme": ({"url": "fr.vietnamplus.vn/titre-post5.vnp"}, [5]),
    "url": ({"id": "1", "url": "/titre-post5.vnp"}, [5]),
    "root before the URL": ({"id": "1", "url": f"{ROOT}/{POST.format(5)}"}, [5]),
    "external_url": ({"id": "1", "external_url": POST.format(5)}, [5]),
    "url before external_url": ({"id": "1", "url": POST.format(5), "external_url": POST.format(9)}, [5]),
    "only the id": ({"id": POST.format(5)}, [5]),
    "an id that is no URL": ({"id": "titre-post5.vnp"}, []),
    "a number as the URL": ({"id": "1", "url": 5}, []),
    "not an object": (7, []),
}


@pytest.mark.parametrize(("item", "expected"), JSON_ITEMS.values(), ids=JSON_ITEMS)
def test_items_of_a_json_feed(item, expected):
    assert ids(feed(json_feed(item))) == expected


def test_item_of_a_json_feed():
    item = {"url": POST.format(5), "title": "T \ud800", "summary": "<p>S</p>", "date_published": "2026-11-20T12:00:00Z"}
    (sighting,) = feed(json_feed(item)).sightings
    assert (sighting.title, sighting.summary, sighting.published_at) == ("T \ufffd", "S", NOON)


@pytest.mark.parametrize("stated", [1795176000, 1795176000.5, " 2026-11-20T12:00:00Z"])
def test_the_time_of_an_item_of_a_json_feed(stated):
    (sighting,) = feed(json_feed({"url": POST.format(5), "date_published": stated})).sightings
    assert sighting.published_at == NOON


@pytest.mark.parametrize(
    "body",
    ["{}", "{", '{"items": []}', json_feed(version="x"), '{"a":' * 100_000, '{"version": ' + " " * 4_000_000 + "1}"],
)
def test_other_json_is_rejected(body):
    with pytest.raises(UnreadableSource):
        feed(body)
