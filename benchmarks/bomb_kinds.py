"""The hostile answers of `benchmarks.bombs`: what is sent at which address."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import brotli
import zstandard

from crawler.parse import guard

Write = Callable[[bytes], object]
Sender = Callable[[Write, str], None]

_POLL = ("poll", "--all")
_PROBE = ("probe",)
MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """A bomb at `path` (`ARTICLE`: the address of a new article) while `command` runs.

    `ends_the_run`: no other page can be archived, because the command archives none, or robots.txt is unavailable.
    `requests`: the most requests of the run. The answer lists thousands of pages, and each request for one of them costs
    5 ms; this is not the cost of the answer.
    """

    name: str
    path: str
    send: Sender
    command: tuple[str, ...] = _POLL
    ends_the_run: bool = False
    requests: int = 0


def _head(content_type: str, *headers: str) -> bytes:
    return "\r\n".join(
        ["HTTP/1.1 200 OK", f"Content-Type: {content_type}", "Connection: close", *headers, "", ""]
    ).encode("latin-1")


class Body:
    """Sends a whole answer; `prepare` makes it, so that the client does not wait for that."""

    def __init__(
        self, body: Callable[[], bytes], content_type: str = "text/html; charset=utf-8", coding: str = ""
    ) -> None:
        self._make = body
        self._type, self._coding = content_type, coding
        self._data = b""

    def prepare(self) -> None:
        """Make the answer."""
        self._data = self._make()

    def __call__(self, write: Write, _path: str) -> None:
        """Send the answer."""
        extra = [f"Content-Encoding: {self._coding}"] if self._coding else []
        write(_head(self._type, f"Content-Length: {len(self._data)}", *extra))
        write(self._data)


def _raw(*pieces: bytes, endless: bytes = b"", pause: float = 0.0, seconds: float = 60.0) -> Sender:
    """Return a sender of raw bytes; `endless` is repeated until the client closes the connection."""

    def send(write: Write, _path: str) -> None:
        for piece in pieces:
            write(piece)
        end = time.monotonic() + seconds
        while endless and time.monotonic() < end:
            write(endless)
            if pause:
                time.sleep(pause)

    return send


def gzipped(piece: bytes, times: int) -> bytes:
    """Return `piece`, repeated, as one gzip member."""
    engine = zlib.compressobj(9, wbits=31)
    return b"".join([*(engine.compress(piece) for _ in range(times)), engine.flush()])


def _brotli(piece: bytes, times: int) -> bytes:
    engine = brotli.Compressor(quality=5)
    return b"".join([*(engine.process(piece) for _ in range(times)), engine.finish()])


def _zstd(piece: bytes, times: int) -> bytes:
    engine = zstandard.ZstdCompressor().compressobj()
    return b"".join([*(engine.compress(piece) for _ in range(times)), engine.flush()])


def _many_members(number: int) -> bytes:
    return gzip.compress(b"") * number


def _page(inner: str, head: str = "") -> bytes:
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8"><meta property="og:type" content="article">'
        f'<title>T</title>{head}</head><body><main><h1 class="article__title">Un titre</h1>'
        f'<div class="article__body">{inner}</div></main></body></html>'
    ).encode()


def _urlset(inner: str, root: str = "urlset") -> bytes:
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    return f'<?xml version="1.0" encoding="utf-8"?><{root} {space}>{inner}</{root}>'.encode()


def _rss(inner: str, before: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<rss version="2.0"><channel><title>x</title>{inner}</channel></rss>'.encode()


def _urls(number: int) -> str:
    return "".join(f"<url><loc>/x-post{n}.vnp</loc></url>" for n in range(1, number + 1))


def _largest(page: Callable[[int], bytes]) -> Callable[[], bytes]:
    """Return a function that returns the largest page that `guard` accepts, of at most 9.9 MB."""

    def accepted(number: int) -> bool:
        body = page(number)
        return len(body) < 9.9 * MB and guard.hazard(body.decode()) is None

    def search() -> bytes:
        low = 1
        while accepted(low * 2):
            low *= 2
        step = low // 2
        while step > low // 64:
            low, step = (low + step if accepted(low + step) else low), step // 2
        return page(low)

    return search


def _chain(write: Write, path: str) -> None:
    """Redirect to the same path with a longer query, with a body of 9 MB each."""
    body = b"x" * (9 * MB)
    write(f"HTTP/1.1 302 Found\r\nLocation: {path}?{'a' * 50}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
    write(body)


def _loop(write: Write, path: str) -> None:
    write(f"HTTP/1.1 301 Moved\r\nLocation: {path}\r\nContent-Length: 0\r\n\r\n".encode())


def _next_pages(write: Write, path: str) -> None:
    """Send a section page that lists new articles and names a further page, without end."""
    number = sum(path.encode()) * 1000 + len(path)
    links = "".join(
        f'<article><a href="/un-titre-{n}-post{900_000 + number + n}.vnp">Un titre</a></article>' for n in range(20)
    )
    data = _page(links + f'<a rel="next" class="next" href="{path}x">Suivant</a>')
    write(_head("text/html", f"Content-Length: {len(data)}") + data)


def _links(number: int) -> str:
    return "".join(f'<a href="/x-post{n}.vnp">x</a>' for n in range(1, number + 1))


def _robots(lines: Callable[[], str]) -> Body:
    return Body(lambda: lines().encode(), "text/plain")


def _svg(number: int) -> str:
    return "<svg>" + "<g>" * number + "</g>" * number + "</svg>"


XML, HTML, JSON, RSS = "text/xml", "text/html; charset=utf-8", "application/json", "application/rss+xml"
SITEMAP, INDEX, NEWS, FEED, SECTION, API = (
    "/sitemaps/*",
    "/sitemap.xml",
    "/sitemaps/news*",
    "/rss/*",
    "/politique/",
    "/api/*",
)
ARTICLE, HOME, ROBOTS = "ARTICLE", "/", "/robots.txt"

_TEXTS = {
    "spaces": " ", "digits": "1", "dots": ".", "quotes": '"', "apostrophes": "l'", "dashes": "- ", "brackets": "(", "commas": "1,",
    "capitals": "A/", "accents": "e\u0301", "arrows": "&gt;&gt;", "agencies": "(VNA) - ", "Lire aussi": "Lire aussi : ",
}  # fmt: skip
_ACCEPTED: dict[str, Callable[[int], str]] = {
    "paragraphs": lambda n: "<p>Le gouvernement vietnamien.</p>" * n,
    "shortest paragraphs": lambda n: "<p>x</p>" * n,
    "list items": lambda n: "<ul>" + "<li>Un texte.</li>" * n + "</ul>",
    "cells": lambda n: "<table><tr>" + "<td>x</td>" * n + "</tr></table>",
    "lines": lambda n: "<p>" + "Un texte.<br>" * n + "</p>",
    "pictures": lambda n: "<p>x</p>" + "<figure><img src='/a.jpg'><figcaption>Photo</figcaption></figure>" * n,
    "bold words": lambda n: "<p>" + "<b>Un</b> texte. " * n + "</p>",
    "nested elements": lambda n: "<p>x</p>" + "<div>" * n + "x" + "</div>" * n,
    "related stories": lambda n: (
        "<p>x</p>" + "".join(f"<p>Lire aussi : <a href='/a-{i}'>Un titre</a></p>" for i in range(n))
    ),
    "one paragraph": lambda n: "<p>" + "Le gouvernement vietnamien. " * n + "</p>",
    "one paragraph, Vietnamese": lambda n: "<p>" + "Chính phủ Việt Nam. " * n + "</p>",
    "one paragraph, emoji": lambda n: "<p>" + "Un \U0001f4dd. " * n + "</p>",
    "one paragraph, glued words": lambda n: "<p>" + "gouvernementvietnamien " * n + "</p>",
    "distinct attributes": lambda n: "<p " + " ".join(f"a{i}" for i in range(n)) + ">x</p>",
    "distinct formatting": lambda n: "<p>" + "".join(f"<b a{i}>" for i in range(n)) + "x</p>",
    "hidden elements": lambda n: "<p>x" + "<span style='display:none'>y</span>" * n + "</p>",
    "headings of Voir plus": lambda n: "<p>x</p>" + "<h3>Voir plus</h3><div><a href='/a-post3.vnp'>x</a></div>" * n,
}

ANSWERS = (
    # --- compression
    Answer("gzip: 62 kB of sitemap, 60 MB inflated", SITEMAP, Body(lambda: gzipped(b"<url><loc>" * 1000, 6000), XML, "gzip")),
    Answer("gzip: sitemap just below the limit, tags only", SITEMAP, Body(lambda: gzipped(b"<a>" * 1000, 3300), XML, "gzip")),
    Answer("gzip: 180 kB feed, items without end tags", FEED, Body(lambda: gzipped(b"<rss><channel>" + b"<item><title>" * 700_000, 1), RSS, "gzip")),
    Answer("gzip: inside gzip inside gzip", ARTICLE, Body(lambda: gzip.compress(gzip.compress(gzipped(bytes(MB), 1000))), HTML, "gzip, gzip, gzip")),
    Answer("gzip: 400,000 empty members (8 MB)", ARTICLE, Body(lambda: _many_members(400_000), HTML, "gzip")),
    Answer("gzip: 400,000 empty members, not declared", SITEMAP, Body(lambda: _many_members(400_000), XML)),
    Answer("gzip: one file of a sitemap, undeclared, 5 GB", SITEMAP, Body(lambda: gzipped(bytes(MB), 5000), "application/gzip")),
    Answer("deflate: 10 MB sent, 10 GB inflated", ARTICLE, Body(lambda: zlib.compress(bytes(100 * MB), 9) * 100, HTML, "deflate")),
    Answer("brotli: 10 GB, not asked for", ARTICLE, Body(lambda: _brotli(bytes(10 * MB), 1000), HTML, "br")),
    Answer("zstd: 10 GB, not asked for", SECTION, Body(lambda: _zstd(bytes(10 * MB), 1000), HTML, "zstd")),
    Answer("200 content codings", ARTICLE, Body(lambda: b"x", HTML, ", ".join(["gzip"] * 200))),
    # --- transfer
    Answer("chunked body without end", ARTICLE, _raw(_head(HTML, "Transfer-Encoding: chunked"), endless=b"10000\r\n" + b"x" * 65536 + b"\r\n")),
    Answer("chunks of one byte", ARTICLE, _raw(_head(HTML, "Transfer-Encoding: chunked"), endless=b"1\r\nx\r\n" * 10_000)),
    Answer("chunk extensions without end", ARTICLE, _raw(_head(HTML, "Transfer-Encoding: chunked"), b"1;", endless=b"x" * 65536)),
    Answer("trailers without end", ARTICLE, _raw(_head(HTML, "Transfer-Encoding: chunked"), b"0\r\n", endless=b"a: b\r\n" * 10_000)),
    Answer("body sent byte by byte", ARTICLE, _raw(_head(HTML), endless=b"x", pause=0.5)),
    Answer("headers sent byte by byte", ARTICLE, _raw(b"HTTP/1.1 200 OK\r\n", endless=b"a", pause=0.5)),
    Answer("headers without end", FEED, _raw(b"HTTP/1.1 200 OK\r\n", endless=b"a: b\r\n" * 10_000)),
    Answer("one header of 100 MB", ARTICLE, _raw(b"HTTP/1.1 200 OK\r\nA: ", *[b"x" * MB] * 100, b"\r\n\r\n")),
    Answer("100,000 headers", ARTICLE, _raw(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 100_000 + b"Content-Length: 0\r\n\r\n")),
    Answer("15,000 headers", ARTICLE, _raw(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 15_000 + b"Content-Length: 1\r\n\r\nx")),
    Answer("10,000 cookies", ARTICLE, _raw(b"HTTP/1.1 200 OK\r\n" + b"Set-Cookie: a=b\r\n" * 5_000 + b"Content-Length: 1\r\n\r\nx")),
    Answer("interim responses without end", ARTICLE, _raw(endless=b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" * 1000)),
    Answer("status line of 50 MB", ARTICLE, _raw(b"HTTP/1.1 200 ", endless=b"x" * MB)),
    Answer("Content-Length of 10^18, then the end", ARTICLE, _raw(_head(HTML, f"Content-Length: {10**18}"), b"<p>x")),
    Answer("Content-Length of 4,000 digits", ARTICLE, _raw(_head(HTML, f"Content-Length: {'9' * 4000}"), b"<p>x")),
    Answer("Content-Length of 1, body without end", ARTICLE, _raw(_head(HTML, "Content-Length: 1"), endless=b"x" * 65536)),
    Answer("two Content-Length", ARTICLE, _raw(_head(HTML, "Content-Length: 1", "Content-Length: 900000000"), endless=b"x" * 65536)),
    # --- redirects
    Answer("redirect loop", ARTICLE, _loop),
    Answer("redirect chain, 9 MB each", "/politique/*", _chain),
    Answer("a Location of 90 kB", ARTICLE, _raw(f"HTTP/1.1 302 Found\r\nLocation: /{'a/../' * 18_000}\r\nContent-Length: 0\r\n\r\n".encode())),
    Answer("redirect loop of a sitemap", SITEMAP, _loop),
    # --- pages
    Answer("HTML: 100,000 nested elements", ARTICLE, Body(lambda: _page("<div>" * 100_000))),
    Answer("HTML: 10 MB of nested elements", SECTION, Body(lambda: b"<i>" * 3_300_000)),
    Answer("HTML: 500,000 attributes without quotes", ARTICLE, Body(lambda: _page("<p " + " ".join(f"a{n}=b" for n in range(500_000)) + ">x"))),
    Answer("HTML: attributes with '>'", ARTICLE, Body(lambda: _page("<p " + "".join(f"a{n}='>'" for n in range(500_000)) + ">x"))),
    Answer("HTML: attributes, on the home page", HOME, Body(lambda: _page("<p " + "".join(f"a{n}='>'" for n in range(500_000)) + ">x"))),
    Answer("HTML: SVG, 100,000 levels", ARTICLE, Body(lambda: _page(_svg(100_000)))),
    Answer("HTML: MathML, 100,000 levels", ARTICLE, Body(lambda: _page("<math>" + "<mi>" * 100_000))),
    Answer("HTML: 9 MB of entities", ARTICLE, Body(lambda: _page("<p>" + "&amp;" * 1_800_000))),
    Answer("HTML: a title of 9 MB", ARTICLE, Body(lambda: _page("<p>x</p>").replace(b"Un titre", b"Un titre " * MB))),
    Answer("HTML: a table of 100,000 cells", ARTICLE, Body(lambda: _page("<table>" + "<tr>" + "<td>x" * 100 + "</tr>") * 1 + b"<tr><td>x" * 100_000)),
    Answer("HTML: 9 MB of one word (repair)", ARTICLE, Body(lambda: _page("<p>" + "Hanoï" * 1_800_000 + "</p>"))),
    Answer("HTML: 9 MB of glued words (repair)", ARTICLE, Body(lambda: _page("<p>" + "gouvernementvietnamien " * 390_000 + "</p>"))),
    Answer("HTML: 100,000 paragraphs", ARTICLE, Body(lambda: _page("<p>Le gouvernement vietnamien.</p>" * 100_000))),
    Answer("HTML: UTF-7 and UTF-16 declared", ARTICLE, Body(lambda: _page("<p>x" * 500_000), "text/html; charset=utf-7")),
    Answer("HTML: 9 MB of UTF-16 emoji", ARTICLE, Body(lambda: "\ufeff<p>\U0001f4dd".encode("utf-16-le") + "\U0001f4dd".encode("utf-16-le") * 2_200_000, "text/html")),
    Answer("HTML: 3 million byte order marks", ARTICLE, Body(lambda: b"\xef\xbb\xbf" * 3_000_000)),
    Answer("HTML: data: URIs of 9 MB", ARTICLE, Body(lambda: _page(f"<figure><img src='data:image/png;base64,{'A' * 9 * MB}'></figure><p>x"))),
    Answer("HTML: 100,000 links on the home page", HOME, Body(lambda: _page(_links(100_000))), requests=400),
    Answer("HTML: 100,000 links on a section page", SECTION, Body(lambda: _page(_links(100_000))), requests=400),
    Answer("HTML: 50,000 related stories", ARTICLE, Body(lambda: _page("<p>x</p>" + f'<div class="cms-relate">{_links(50_000)}</div>')), requests=400),
    Answer("HTML: formatting elements left open", ARTICLE, Body(lambda: _page("".join(f"<b a{n}>" for n in range(60_000)) + "<p>x</p>" * 60_000))),
    Answer("HTML: one tag of 9 MB", ARTICLE, Body(lambda: _page(f"<p class='{'a ' * 4_500_000}'>x</p>"))),
    Answer("HTML: 100,000 sections on the home page", HOME, Body(lambda: _page("<nav>" + "".join(f'<li><a href="/s{n}/">x</a>' for n in range(100_000))))),
    Answer("HTML: JSON-LD of 100,000 levels", ARTICLE, Body(lambda: _page("<p>x", f'<script type="application/ld+json">{"[" * 100_000}</script>'))),
    Answer("HTML: JSON-LD of 3.9 MB", ARTICLE, Body(lambda: _page("<p>x", f'<script type="application/ld+json">[{"[]," * 1_290_000}[]]</script>'))),
    Answer("HTML: 9 MB of one stylesheet and comments", ARTICLE, Body(lambda: _page("<!--" * 1_000_000 + "<style>" + "a" * 4 * MB))),
    *(Answer(f"text: 1 MB of {name}", ARTICLE, Body(lambda text=text: _page(f"<p>Hanoï (VNA) - Un {text * (MB // len(text))}x</p>"))) for name, text in _TEXTS.items()),
    *(Answer(f"largest accepted: {name}", ARTICLE, Body(_largest(lambda n, page=page: _page(page(n))))) for name, page in _ACCEPTED.items()),
    Answer("list pages without end", "/politique/*", _next_pages),
    # --- feeds, sitemaps, API
    Answer("sitemap: 150,000 articles", SITEMAP, Body(lambda: _urlset(_urls(150_000)), XML), requests=400),
    Answer("feed: 60,000 articles", FEED, Body(lambda: _rss("".join(f"<item><link>/x-post{n}.vnp</link></item>" for n in range(1, 60_001))), RSS), requests=400),
    Answer("feed: one item of 9 MB", FEED, Body(lambda: _rss(f"<item><link>/x-post7.vnp</link><title>{'x ' * 2 * MB}</title><description>{'&lt;p&gt;x' * 500_000}</description></item>"), RSS)),
    Answer("feed: external entities", FEED, Body(lambda: _rss("<item><title>&e;&r;</title></item>", '<!DOCTYPE rss [<!ENTITY e SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd">%p;]>'), RSS)),
    Answer("sitemap: 10^6 empty entries", SITEMAP, Body(lambda: _urlset("<url/>" * 1_000_000), XML)),
    Answer("sitemap index: 10^5 children", INDEX, Body(lambda: _urlset("".join(f"<sitemap><loc>/sitemaps/{n}.xml</loc></sitemap>" for n in range(100_000)), "sitemapindex"), XML)),
    Answer("sitemap index: names itself", INDEX, Body(lambda: _urlset("<sitemap><loc>/sitemap.xml</loc></sitemap>" * 50_000, "sitemapindex"), XML)),
    Answer("feed: entities (billion laughs)", FEED, Body(lambda: _rss("<item><title>&h;</title></item>" * 100_000, "<!DOCTYPE rss [" + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefg", "bcdefgh", strict=True)) + "]>"), RSS)),
    Answer("feed: 3 million nested elements", FEED, Body(lambda: _rss("<a>" * 3_000_000), RSS)),
    Answer("feed: attributes", FEED, Body(lambda: _rss("<item " + " ".join(f"a{n}='x'" for n in range(600_000)) + "/>"), RSS)),
    Answer("feed: 9 MB without '>'", FEED, Body(lambda: _rss("<a " * 3_000_000), RSS)),
    Answer("feed: 9 MB of '<'", FEED, Body(lambda: _rss("<" * 9_000_000), RSS)),
    Answer("feed: 9 MB of quotes", FEED, Body(lambda: _rss("<a '" * 2_200_000), RSS)),
    Answer("API: 100,000 levels", API, Body(lambda: b"[" * 100_000, JSON)),
    Answer("API: 9 MB of empty lists", API, Body(lambda: b"[" + b"[]," * 3_000_000 + b"[]]", JSON)),
    Answer("API: 3.9 MB of empty lists", API, Body(lambda: b"[" + b"[]," * 1_290_000 + b"[]]", JSON)),
    Answer("API: a number of 3 million digits", API, Body(lambda: b'{"a":' + b"9" * 3_000_000 + b"}", JSON)),
    # --- robots.txt
    Answer("robots.txt: 50 MB", ROBOTS, _robots(lambda: "# x\n" * 12_500_000), ends_the_run=True),
    Answer("robots.txt: 10^6 rules (9 MB)", ROBOTS, _robots(lambda: "User-agent: *\n" + "Allow:/a\n" * 1_000_000)),
    Answer("robots.txt: 17,000 agents, 20,000 rules", ROBOTS, _robots(lambda: "".join(f"User-agent:{n}\n" for n in range(14_000)) + "Disallow:/zz\n" * 20_000)),
    Answer("robots.txt: repeated agents", ROBOTS, _robots(lambda: "".join(f"User-agent:{n}\n" for n in range(15_000)) * 2)),
    Answer("robots.txt: one line of 9 MB", ROBOTS, _robots(lambda: "User-agent: *\nDisallow: /zz" + "é" * 4_500_000)),
    Answer("robots.txt: *a*a*a...$", ROBOTS, _robots(lambda: "User-agent: *\n" + f"Disallow: /{'*a' * 1000}zz$\n" * 500)),
    Answer("robots.txt: 40,000 patterns with *", ROBOTS, _robots(lambda: "User-agent: *\n" + "".join(f"Disallow:/*z{n}\n" for n in range(30_000)))),
    Answer("robots.txt: 25,000 sitemaps", ROBOTS, _robots(lambda: "".join(f"Sitemap:http://127.0.0.1/s{n}.xml\n" for n in range(15_000)))),
    # --- probe
    Answer("probe: home page of 9 MB", HOME, Body(lambda: _page("<a href='/x-post1.vnp'>x</a>" * 320_000)), _PROBE, ends_the_run=True),
    Answer("probe: sitemap of 9 MB", INDEX, Body(lambda: _urlset("<sitemap><loc>/s.xml</loc></sitemap>" * 230_000, "sitemapindex"), XML), _PROBE, ends_the_run=True),
    Answer("probe: robots.txt, agents and rules", ROBOTS, _robots(lambda: "".join(f"User-agent:{n}\n" for n in range(14_000)) + "Disallow:/zz\n" * 20_000), _PROBE, ends_the_run=True),
    Answer("probe: feeds of 9 MB", FEED, Body(lambda: _rss("<item><link>/x-post1.vnp</link></item>" * 230_000), RSS), _PROBE, ends_the_run=True),
)  # fmt: skip
