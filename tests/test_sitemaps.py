"""Sitemaps: namespaces, titles, damaged files, plain text, and files made to exhaust memory or time."""

from __future__ import annotations

import gzip
import time
import zlib
from pathlib import Path

import pytest
from test_discover import NAMESPACES, ROOT, ids, loc, read, titles

from crawler.discover import sitemaps, xml, xml_reader, xml_text
from crawler.discover.problems import Problem, Problems, summary
from crawler.discover.problems import ProblemKind as Kind
from crawler.errors import UnreadableSource

DATA = Path(__file__).parent / "data" / "sitemaps"
MONTH = f"{ROOT}/sitemaps/news-2026-11.xml"
POST = f"{ROOT}/titre-post{{}}.vnp"
NEWS_NS, IMAGE_NS = "http://www.google.com/schemas/sitemap-news/0.9", "http://www.google.com/schemas/sitemap-image/1.1"


def month(body):
    return read("sitemap", body, MONTH)


def kinds(discovery):
    return [problem.kind for problem in discovery.problems]


def url(number, extra=""):
    return f"<url><loc>{POST.format(number)}</loc>{extra}</url>"


def whole(entries, attributes=NAMESPACES):
    return f"<urlset {attributes}>{entries}</urlset>"


REAL = {
    "image-before-loc.xml": ([1, 2], []),
    "nested-urlset.xml": ([5, 6], [Kind.NO_NAMESPACE, Kind.NESTED_ROOTS]),
    "unbound.xml": ([4], [Kind.UNBOUND_PREFIX]),
    "php-before.xml": ([13], [Kind.TEXT_BEFORE]),
    "entity.xml": ([16], [Kind.ENTITIES]),
    "cut.xml": ([8, 9], [Kind.CUT_OFF]),
}


@pytest.mark.parametrize(("file", "expected"), REAL.items(), ids=REAL)
def test_real_sitemaps(file, expected):
    found = month((DATA / file).read_bytes())
    assert (ids(found), kinds(found)) == expected


SITEMAP_NS = 'xmlns:s="http://www.sitemaps.org/schemas/sitemap/0.9"'
IMAGE = "<{0}image><{0}loc>" + POST.format(9) + "</{0}loc><{0}title>Photo</{0}title></{0}image>"
DEFAULT_IMAGE = IMAGE.format("").replace("<image>", f'<image xmlns="{IMAGE_NS}">')
MANY_PREFIXES = " ".join(f'xmlns:p{number}="x"' for number in range(60))
VOCABULARIES = {
    "image with another prefix": (whole(f"<url>{IMAGE.format('i:')}{loc('/a-post1.vnp')}</url>", f'{NAMESPACES} xmlns:i="{IMAGE_NS}"'), []),
    "image with its own default namespace": (whole(f"<url>{DEFAULT_IMAGE}{loc('/a-post1.vnp')}</url>"), []),
    "image with an unbound prefix": (
        whole(f"<url>{IMAGE.format('image:')}{loc('/a-post1.vnp')}</url>", NAMESPACES.partition(" ")[0]), [Kind.UNBOUND_PREFIX]
    ),
    "unknown vocabulary": (whole(f"<url>{IMAGE.format('x:')}{loc('/a-post1.vnp')}</url>", f'{NAMESPACES} xmlns:x="urn:x"'), []),
    "unknown unbound prefix": (whole(f"<url>{IMAGE.format('x:')}{loc('/a-post1.vnp')}</url>"), [Kind.UNBOUND_PREFIX]),
    "prefix for the sitemap": (f"<s:urlset {SITEMAP_NS}><s:url><s:loc>{POST.format(1)}</s:loc></s:url></s:urlset>", []),
    "unbound prefix for the sitemap": (
        f"<s:urlset><s:url><s:loc>{POST.format(1)}</s:loc></s:url></s:urlset>", [Kind.UNBOUND_PREFIX]
    ),
    "another namespace for the sitemap": (whole(url(1), 'xmlns="urn:sitemap"'), []),
    "too many namespaces": (whole(f"<x {MANY_PREFIXES}/>{url(1)}"), []),
    "alternate languages": (
        whole(url(1, f'<x:link rel="alternate" hreflang="en" href="{POST.format(9)}"/>'), f'{NAMESPACES} xmlns:x="http://www.w3.org/1999/xhtml"'),
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("body", "problems"), VOCABULARIES.values(), ids=VOCABULARIES)
def test_vocabularies_are_told_apart(body, problems):
    found = month(body)
    assert (titles(found), kinds(found)) == ({1: None}, problems)


ESCAPED = "<image:image><image:title>&lt;![CDATA[De l'image]]&gt;</image:title></image:image>"
NEWS_TITLE = "<news:news><news:title>Des nouvelles</news:title></news:news>"
TITLES = {
    "of a picture": ("<image:image><image:title>Photo</image:title></image:image>", None),
    "of a picture, in CDATA": ("<image:title><![CDATA[Photo]]></image:title>", None),
    "as escaped CDATA": (ESCAPED, "De l'image"),
    "of the news first": (ESCAPED + NEWS_TITLE, "Des nouvelles"),
    "of the news without its container": ("<news:title>Des nouvelles</news:title>", "Des nouvelles"),
    "escaped twice": ("<news:title>L&amp;#39;eau &amp;amp; le th&amp;eacute;</news:title>", "L'eau & le thé"),
    "of the news, escaped in CDATA": ("<news:title><![CDATA[Th&eacute; &amp; R&D]]></news:title>", "Thé & R&D"),
    "as escaped CDATA, escaped twice": (
        ESCAPED.replace("image]", "image &amp;amp; l&amp;#39;eau]"),
        "De l'image & l'eau",
    ),
    "of a video": ('<v:title xmlns:v="http://www.google.com/schemas/sitemap-video/1.1">V</v:title>', None),
    "empty, then of an image": (f"<news:title> </news:title>{ESCAPED}", "De l'image"),
}


@pytest.mark.parametrize(("extra", "expected"), TITLES.values(), ids=TITLES)
def test_the_title_of_an_entry(extra, expected):
    assert titles(month(whole(url(1, extra)))) == {1: expected}


INDEX_ENTRY = f"<sitemap><loc>{ROOT}/sitemaps/news-2026-10.xml</loc></sitemap>"
DAMAGED = {
    "two root elements": (whole(url(1)) + whole(url(2)), [1, 2], [Kind.SEVERAL_ROOTS]),
    "other content after": (whole(url(1)) + "<script>x</script> y", [1], [Kind.TEXT_AFTER]),
    "wrong end tag": (whole(f"{url(1)}<url><loc>{POST.format(2)}</lok></url>{url(3)}"), [1, 2, 3], [Kind.BAD_TAGS]),
    "end tag missing after an entry": (whole(f"<url>{loc('/a-post1.vnp')}{url(2)}"), [1, 2], [Kind.BAD_TAGS]),
    "end tag missing after the URL": (
        whole(f"<url><loc>{POST.format(1)}<lastmod>2026-11-01</lastmod></url>{url(2)}"), [1, 2], [Kind.BAD_TAGS]
    ),
    "two URLs in an entry": (whole(f"<url>{loc('/a-post1.vnp')}{loc('/b-post2.vnp')}</url>{url(3)}"), [1, 2, 3], [Kind.BAD_TAGS]),
    "tags missing between entries": (
        whole(f"<url>{loc('/a-post1.vnp')}<lastmod>2026-11-01</lastmod>{loc('/b-post2.vnp')}{loc('/c-post3.vnp')}</url>"),
        [1, 2, 3],
        [Kind.BAD_TAGS],
    ),
    "two URLs of one article": (whole(f"<url>{loc('/a-post1.vnp')}{loc('/a/1.vnp')}</url>"), [1], []),
    "an article and another page": (whole(f"<url>{loc('/politique/')}{loc('/a-post1.vnp')}</url>"), [1], []),
    "elements inside the URL": (whole(f"<url><loc>{POST.format(1)}<x>y</x>z</loc></url>"), [1], []),
    "end tag of nothing": (whole(f"</x>{url(1)}"), [1], [Kind.BAD_TAGS]),
    "end tag before": ("</x>" + whole(url(1)), [1], [Kind.TEXT_BEFORE]),
    "lone angle bracket": (whole(f"a < b {url(1)}"), [1], [Kind.BAD_TAGS]),
    "unclosed quotation mark": (whole(f'<x a="b>{url(1)}'), [1], [Kind.BAD_TAGS]),
    "upper case": (whole(url(1)).replace("url", "URL").replace("loc>", "LOC>"), [1], [Kind.UPPER_CASE]),
    "no namespace": (whole(url(1), ""), [1], [Kind.NO_NAMESPACE]),
    "nested twice": (whole(whole(whole(url(1)) + url(2))), [1, 2], [Kind.NESTED_ROOTS]),
    "sitemaps among articles": (whole(url(1) + INDEX_ENTRY), [1], [Kind.MIXED_ENTRIES]),
    "articles in an index": (f"<sitemapindex {NAMESPACES}>{INDEX_ENTRY}{url(1)}</sitemapindex>", [1], [Kind.MIXED_ENTRIES]),
    "control characters": (whole(url(1)).replace("titre", "ti\x00\x0btre"), [1], [Kind.CONTROL_CHARACTERS]),
    "ampersands": (whole(f"<url><loc>{POST.format(1)}?a=1&b=2&copy=3</loc></url>"), [1], [Kind.AMPERSANDS]),
    "entry without a URL": (whole(f"<url><lastmod>2026-11-01</lastmod></url>{url(1)}"), [1], [Kind.NO_LINK]),
    "entry with only a picture": (whole(f"<url>{IMAGE.format('image:')}</url>{url(1)}"), [1], [Kind.NO_LINK]),
    "sitemap without a URL": (whole(f"<sitemap/>{url(1)}"), [1], [Kind.NO_LINK, Kind.MIXED_ENTRIES]),
    "URL that is too long": (whole(f"<url><loc>{ROOT}/{'x' * 3000}-post9.vnp</loc></url>{url(1)}"), [1], [Kind.NO_LINK]),
    "lastmod ahead of now": (whole(url(1, "<lastmod>2027-01-01</lastmod>")), [1], [Kind.DATES]),
    "cut in a tag": (whole(url(1) + url(2))[:-12], [1, 2], [Kind.CUT_OFF]),
    "cut in an end tag": (whole(url(1) + url(2))[:-17], [1], [Kind.CUT_OFF]),
    "cut after a URL": (whole(url(1) + url(2, "<lastmod>2026-11")) [:-15], [1, 2], [Kind.CUT_OFF]),
    "cut in a comment": (f"<urlset {NAMESPACES}>{url(1)}<!-- {url(2)}", [1], [Kind.CUT_OFF]),
    "comment without an end": (whole(f"{url(1)}<!-- {url(2)}{url(3)}"), [1, 2, 3], [Kind.BAD_TAGS]),
    "comment that ends with the next one": (whole(f"{url(1)}<!-- {url(2)}<!-- x -->{url(3)}"), [1, 2, 3], [Kind.BAD_TAGS]),
    "comment without an end before the data": (f"<!-- x {whole(url(1))}", [1], [Kind.BAD_TAGS, Kind.TEXT_BEFORE]),
    "instruction without an end": (whole(f"{url(1)}<?php echo {url(2)}"), [1, 2], [Kind.BAD_TAGS]),
    "instruction without an end before the data": (f'<?xml version="1.0"{whole(url(1))}', [1], [Kind.BAD_TAGS]),
    "document type without an end": (f"<!DOCTYPE urlset{whole(url(1))}", [1], [Kind.BAD_TAGS]),
    "declarations without an end": (f"<!DOCTYPE urlset [{whole(url(1))}", [1], [Kind.ENTITIES]),
    "many document types": (f"{'<!DOCTYPE urlset>' * 9}{whole(url(1))}", [1], []),
    "cut in CDATA": (f"<urlset {NAMESPACES}>{url(1)}<url><loc><![CDATA[{POST.format(2)}", [1], [Kind.CUT_OFF]),
    "instruction that is not closed": (f"<?php x>{whole(url(1))}<?y>", [1], []),
    "other declarations": (f"<!ELEMENT x>{whole(url(1))}", [1], []),
    "comments and instructions": (f"<?xml-stylesheet href='x'?><!-- {url(9)} -->{whole(url(1))}", [1], []),
    "CDATA": (whole(f"<url><loc><![CDATA[{POST.format(1)}]]></loc></url>"), [1], []),
    "escaped CDATA, host without a scheme": (
        whole(f"<url><loc>&lt;![CDATA[{POST.format(1)}]]&gt;</loc></url><url><loc>fr.vietnamplus.vn/a-post2.vnp</loc></url>"), [1, 2], []
    ),
    "an article as a sitemap": (
        whole(f"<sitemap><loc>{POST.format(1)}</loc></sitemap>{url(2)}"), [1, 2], [Kind.MIXED_ENTRIES]
    ),
    "URL over two lines": (whole(f"<url><loc>{ROOT}/titre-\n  post1.vnp</loc></url>"), [1], []),
}  # fmt: skip


@pytest.mark.parametrize(("body", "expected", "problems"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_sitemap_is_read_as_far_as_possible(body, expected, problems):
    found = month(body)
    assert (ids(found), kinds(found)) == (expected, problems)


def test_sitemaps_among_articles_become_sources():
    assert [s.url for s in month(DAMAGED["sitemaps among articles"][0]).sources] == [
        f"{ROOT}/sitemaps/news-2026-10.xml"
    ]


OTHER_MONTH = f"{ROOT}/sitemaps/news-2026-10.xml"
NAMED = {
    "entries of articles in an index": f"<sitemapindex {NAMESPACES}><url><loc>{OTHER_MONTH}</loc></url></sitemapindex>",
    "the sitemap itself": f"<sitemapindex {NAMESPACES}><sitemap><loc>{MONTH}</loc></sitemap>{INDEX_ENTRY}</sitemapindex>",
    "lines": f"{OTHER_MONTH}\n{ROOT}/politique/\n{ROOT}/sitemaps/categories.xml\n{MONTH}\nhttps://example.org/a.xml\n",
}


@pytest.mark.parametrize("body", NAMED.values(), ids=NAMED)
def test_the_sitemaps_that_a_sitemap_names(body):
    assert [s.url for s in month(body).sources] == [OTHER_MONTH]


def test_an_index_that_names_only_itself_is_unreadable():
    with pytest.raises(UnreadableSource, match="empty <sitemapindex>"):
        month(f"<sitemapindex {NAMESPACES}><sitemap><loc>{MONTH}</loc></sitemap></sitemapindex>")


def test_a_prefix_that_is_bound_to_the_namespace_of_sitemaps():
    body = whole(
        url(1, "<news:publication_date>2026-11-20</news:publication_date>"),
        NAMESPACES.replace(NEWS_NS, SITEMAP_NS.split('"')[1]),
    )
    (sighting,) = month(body).sightings
    assert (str(sighting.published_at)[:10], kinds(month(body))) == ("2026-11-20", [])


def test_several_urls_in_a_line():
    assert ids(month(f"{POST.format(1)} {POST.format(2)}\n")) == [1, 2]


def test_an_index_in_place_of_a_month():
    body = f"<sitemapindex {NAMESPACES}>{{}}</sitemapindex>"
    assert month(body.format(INDEX_ENTRY)).sources
    with pytest.raises(UnreadableSource):
        month(body.format(""))


SECRET = '<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;'
ENTITIES = {
    "internal": ('<!ENTITY a "Un titre">', "&a;", "&a;"),
    "external": (SECRET, "&f;", "&f;"),
    "a name of HTML": ('<!ENTITY eacute "x">', "caf&eacute;", "café"),
    "nested": ('<!ENTITY a "aa"><!ENTITY b "&a;&a;">', "&b;&b;", "&b;&b;"),
    "an entry in a declaration": (f"<!ENTITY a ']><urlset>{url(9)}</urlset>'>", "T", "T"),
    "a comment with a quotation mark": ("<!-- l'eau --><!ENTITY a 'b'>", "T", "T"),
    "an unclosed quotation mark": ("<!ENTITY a 'b>", "T", "T"),
}


@pytest.mark.parametrize(("declarations", "title", "expected"), ENTITIES.values(), ids=ENTITIES)
def test_no_entity_is_expanded(declarations, title, expected):
    body = whole(url(1, f"<news:title>{title}</news:title>"))
    found = month(f"<!DOCTYPE urlset [{declarations}]>{body}")
    assert (titles(found), kinds(found)) == ({1: expected}, [Kind.ENTITIES])


@pytest.mark.parametrize("start", ["<!DOCTYPE urlset [<!ENTITY a 'b'", "<!DOCTYPE urlset", "<!DOCTYPE urlset [ ' "])
def test_a_document_type_without_an_end(start):
    with pytest.raises(UnreadableSource):
        month(start)


CHARACTERS = {"&#233;": "é", "&#xE9;": "é", "&#146;": "’", "&#0;": "\ufffd", "&#xD800;": "\ufffd", "&#1;": "\ufffd"}
CHARACTERS |= {"&nada;": "&nada;", "&apos;": "'", "&#99999999;": "&#99999999;", "R&D": "R&D", "&LT;": "&LT;"}


@pytest.mark.parametrize(("text", "expected"), CHARACTERS.items(), ids=CHARACTERS)
def test_references_to_characters(text, expected):
    assert titles(month(whole(url(1, f"<news:title>a{text}b</news:title>")))) == {1: f"a{expected}b"}


ACCENTS = whole(url(1, "<news:title>Été à Đà Nẵng</news:title>"))
LATIN = whole(url(1, "<news:title>Été</news:title>"))


def declared(name, body):
    return f'<?xml version="1.0" encoding="{name}"?>{body}'


ENCODINGS = {
    "UTF-8": (declared("utf-8", ACCENTS).encode(), "Été à Đà Nẵng", []),
    "UTF-8 declared as Latin-1": (declared("iso-8859-1", ACCENTS).encode(), "Été à Đà Nẵng", [Kind.ENCODING]),
    "UTF-8 declared as nonsense": (declared("klingon", ACCENTS).encode(), "Été à Đà Nẵng", [Kind.ENCODING]),
    "ASCII declared as Latin-1": (declared("iso-8859-1", whole(url(1))).encode(), None, []),
    "Latin-1": (declared("iso-8859-1", LATIN).encode("latin-1"), "Été", []),
    "windows-1252 without a declaration": (LATIN.encode("cp1252"), "Été", [Kind.ENCODING]),
    "windows-1252 declared as UTF-8": (declared("utf-8", LATIN).encode("cp1252"), "Été", [Kind.ENCODING]),
    "a bad byte in UTF-8": (ACCENTS.encode().replace(b"N", b"\xff"), "Été à Đà \ufffdẵng", [Kind.ENCODING]),
    "an unsafe codec": (declared("punycode", LATIN).encode("latin-1"), "Été", [Kind.ENCODING]),
    "UTF-16": (declared("utf-16", ACCENTS).encode("utf-16"), "Été à Đà Nẵng", []),
    "UTF-32": (ACCENTS.encode("utf-32"), "Été à Đà Nẵng", []),
}


@pytest.mark.parametrize(("body", "title", "problems"), ENCODINGS.values(), ids=ENCODINGS)
def test_encodings(body, title, problems):
    found = month(body)
    assert (titles(found), kinds(found)) == ({1: title}, problems)


MANY = whole("".join(url(number) for number in range(1, 400))).encode()
DAMAGED_GZIP = {
    "cut": gzip.compress(MANY)[:-300],
    "without its trailer": gzip.compress(MANY)[:-8],
    "wrong checksum": gzip.compress(MANY)[:-8] + b"x" * 8,
}


@pytest.mark.parametrize("body", DAMAGED_GZIP.values(), ids=DAMAGED_GZIP)
def test_damaged_gzip_is_read_as_far_as_possible(body):
    found = month(body)
    assert Kind.BAD_GZIP in kinds(found)
    assert ids(found)[:100] == [*range(1, 101)]


def test_several_gzip_members():
    half = len(MANY) // 2
    assert len(month(gzip.compress(MANY[:half]) + gzip.compress(MANY[half:])).sightings) == 399


@pytest.mark.parametrize(
    ("body", "expected", "problems"),
    [
        (f"{POST.format(1)}\r\n{POST.format(2)}\n\n{ROOT}/politique/\n", [1, 2], []),
        (f"\ufeff{POST.format(1)}\nnot a URL\n/titre-post2.vnp", [1], [Kind.NO_LINK]),
        (f"# novembre\n\n {POST.format(1)}\n{POST.format(2)}\n", [1, 2], [Kind.TEXT_BEFORE]),
        (f"PHP Notice: x in /a.php\n{ROOT}/{POST.format(1)}\n", [1], [Kind.TEXT_BEFORE]),
    ],
)
def test_a_sitemap_in_plain_text(body, expected, problems):
    found = month(body)
    assert (ids(found), kinds(found)) == (expected, problems)


@pytest.mark.parametrize("body", [f"var a;\n{ROOT}/politique/\n", "Not found\nhttps://example.org/\n"])
def test_other_text_is_no_sitemap(body):
    with pytest.raises(UnreadableSource, match="no entry of the sitemap can be used"):
        month(body)
    assert kinds(month(body.partition("\n")[2])) == []


# --- hostile files ----------------------------------------------------------------------------------------------------

REPEATED = {
    "elements": "<a/>",
    "nested elements": "<a>",
    "entries": url(2),
    "comments": "<!---->",
    "instructions": "<?a?>",
    "open instructions": "<?a>",
    "end tags": "</a>",
    "quotation marks": "<a '",
    "attributes": '<a b="c" ',
    "angle brackets": "< ",
    "references": "&a;",
    "declarations": "<!a>",
    "prefixes": "<p:a/>",
}


@pytest.mark.parametrize("piece", REPEATED.values(), ids=REPEATED)
def test_repeated_pieces_end_at_a_limit(piece, monkeypatch):
    """The limits are smaller than the real ones, so that the test is fast."""
    monkeypatch.setattr(xml_reader, "_MAX_TAGS", 2_000)
    monkeypatch.setattr(xml_reader, "_MAX_ENTRIES", 1_000)
    found = month(f"<urlset {NAMESPACES}>{url(1)}<url>{piece * 20_000}")
    assert ids(found)[0] == 1
    assert set(kinds(found)) & {Kind.TOO_LARGE, Kind.CUT_OFF}


def entry(extra):
    return whole(url(1, extra) + url(2))


LIMITS = {
    "depth": (entry("<a>" * 300 + "</a>" * 300), [], [Kind.TOO_LARGE]),
    "elements in one entry": (entry("<a/>" * 3_000), [1, 2], [Kind.TOO_LARGE]),
    "texts in one entry": (entry("<lastmod></lastmod>" * 3_000), [1, 2], [Kind.TOO_LARGE]),
    "one text": (entry(f"<title>{'x' * 70_000}</title>"), [1, 2], [Kind.TOO_LARGE]),
    "one text in pieces": (entry(f"<title>{'<!---->'.join(['x' * 9_000] * 9)}</title>"), [1, 2], [Kind.TOO_LARGE]),
    "one attribute": (entry(f'<a b="{"x" * 20_000}"/>'), [1, 2], [Kind.TOO_LARGE]),
    "attributes of one element": (entry("<a " + 'b="c" ' * 500 + "/>"), [1, 2], []),
    "prefixes": (whole(url(1) + "".join(f"<p{number}:a/>" for number in range(60))), [1], [Kind.UNBOUND_PREFIX]),
    "names": (whole("".join(f"<a{number}/>" for number in range(1_200)) + url(1)), [1], []),
}


@pytest.mark.parametrize(("body", "expected", "problems"), LIMITS.values(), ids=LIMITS)
def test_limits(body, expected, problems):
    if not expected:
        with pytest.raises(UnreadableSource, match="too large"):
            month(body)
        return
    found = month(body)
    assert (ids(found), kinds(found)) == (expected, problems)


def test_the_limit_of_all_texts(monkeypatch):
    monkeypatch.setattr(xml_reader, "_MAX_TEXTS", 1_000)
    found = month(MANY)
    assert 10 < len(found.sightings) < 40
    assert kinds(found) == [Kind.TOO_LARGE, Kind.NO_LINK]


def test_a_decompression_bomb_stops_at_the_limit(monkeypatch):
    monkeypatch.setattr(xml, "_MAX_INFLATED", 1_000_000)
    engine = zlib.compressobj(9, wbits=31)
    bomb = engine.compress(MANY) + b"".join(engine.compress(b" " * 1_000_000) for _ in range(50)) + engine.flush()
    assert len(bomb) < 100_000
    problems = Problems()
    assert len(xml.to_utf8(bomb, problems)) == 1_000_000
    assert [problem.kind for problem in problems.found] == [Kind.TOO_LARGE]
    assert len(month(bomb).sightings) == 399


def test_a_conversion_stops_at_the_limit(monkeypatch):
    monkeypatch.setattr(xml, "_MAX_INFLATED", 100_000)
    problems = Problems()
    assert len(xml.to_utf8(("x" * 900_000).encode("utf-16"), problems)) < 300_000
    assert [problem.kind for problem in problems.found] == [Kind.TOO_LARGE]


def test_many_gzip_members_stop_at_the_limit():
    found = month(gzip.compress(MANY) + gzip.compress(b" ") * 200)
    assert (len(found.sightings), kinds(found)) == (399, [Kind.TOO_LARGE])


def test_an_index_names_a_limited_number_of_sitemaps(monkeypatch):
    monkeypatch.setattr(sitemaps, "_MAX_SITEMAPS", 5)
    entries = "".join(f"<sitemap><loc>{ROOT}/sitemaps/{number}.xml</loc></sitemap>" for number in range(9))
    found = read("sitemap_index", f"<sitemapindex {NAMESPACES}>{entries}</sitemapindex>", f"{ROOT}/sitemap.xml")
    assert (len(found.sources), kinds(found)) == (5, [Kind.TOO_LARGE])


def test_long_declarations_are_skipped_fast():
    quoted = "<!ENTITY a '<!-- '>" * (xml_text._DECLARATIONS_REACH // 10)
    assert ids(month(f"<!DOCTYPE urlset [{quoted}]>{whole(url(1))}")) == [1]


@pytest.mark.parametrize("form", ["<!DOCTYPE[>", "<!DOCTYPE [<!-->", "<!-- -", "<!-- <!--", "<?", "<![CDATA["])
def test_markup_without_an_end_is_read_fast(form):
    """The search for the end of each may read the rest of the file."""
    start = time.process_time()
    assert 1 in ids(month(f"<urlset {NAMESPACES}>{url(1)}{form * 30_000}"))
    assert time.process_time() - start < 10  # without limits, minutes


# --- messages ---------------------------------------------------------------------------------------------------------


def test_a_summary_names_all_problems():
    assert summary([]) is None
    assert summary([Problem(Kind.CUT_OFF), Problem(Kind.NO_LINK, 2, "T")]) == (
        "the file is damaged: it is cut off; entries without a usable link: 2 (first: 'T')"
    )
    assert summary([Problem(Kind.DATES, 1, "hier")]) == "not all of it can be used: doubtful dates: 1 (first: 'hier')"


def test_every_kind_of_problem_has_a_description():
    assert all(kind.description for kind in Kind)


def test_which_problems_lose_entries():
    losses = {Kind.CUT_OFF, Kind.BAD_GZIP, Kind.TOO_LARGE, Kind.NO_LINK, Kind.MORE_ARTICLES}
    assert {kind for kind in Kind if kind.loses_entries} == losses
