"""More hostile answers of `benchmarks.bombs`: misuse of HTTP, of addresses, and of the trees that HTML parsers build.

Links and redirects lead to a port of this machine where a listener counts connections: there must be none.
"""

from __future__ import annotations

import gzip
import json
import random
import socket
import threading
import zlib
from functools import lru_cache

import zstandard

from benchmarks.bomb_answers import (
    API,
    ARTICLE,
    FEED,
    HOME,
    HTML,
    INDEX,
    JSON,
    MB,
    ROBOTS,
    RSS,
    SECTION,
    SITEMAP,
    XML,
    Answer,
    Body,
    Sender,
    Write,
    gzipped,
    head,
    page,
    raw,
    rss,
    urlset,
)


class Trap:
    """A port that nobody may connect to."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            self._socket.accept()[0].close()
            self.connections += 1


@lru_cache
def trap() -> Trap:
    """Return the one trap of this process."""
    return Trap()


def _addresses(port: int) -> list[str]:
    """Return forms of an address with `port` that are not the site's; some do not look like it."""
    own = "127.0.0.1"
    return [
        f"http://{own}:{port}/x-post1.vnp", f"//{own}:{port}/x-post1.vnp", f"/\\{own}:{port}/x-post1.vnp", f"\\\\{own}:{port}\\x-post1.vnp",
        f"http:\\\\{own}:{port}/x-post1.vnp", f"http:{own}:{port}/x-post1.vnp", f"http:///{own}:{port}/x-post1.vnp", f"ht\ntp://{own}:{port}/x-post1.vnp",
        f"http://127.1:{port}/x-post1.vnp", f"http://2130706433:{port}/x-post1.vnp", f"http://0x7f.1:{port}/x-post1.vnp",
        f"http://localhost:{port}/x-post1.vnp", f"http://localhost.:{port}/x-post1.vnp", f"http://[::ffff:{own}]:{port}/x-post1.vnp",
        f"http://[::1%25lo]:{port}/x-post1.vnp", f"http://[fe80::1%lo]:{port}/x-post1.vnp", f"http://{own}.:{port}/x-post1.vnp",
        f"http://user:secret@{own}:{port}/x-post1.vnp", f"http://@{own}:{port}/x-post1.vnp", f"http://{own}%3A{port}/x-post1.vnp",
        f"http://%31%32%37.0.0.1:{port}/x-post1.vnp", f"http://１２７.０.０.１:{port}/x-post1.vnp", f"http://127。0。0。1:{port}/x-post1.vnp",
        f"http://{own}:0{port}/x-post1.vnp", f"http://{own}:{port}#@{own}/x-post1.vnp", f"http://{own}:{port}?@{own}/x-post1.vnp",
        f"http://{own}:{port + 65536}/x-post1.vnp", f"https://{own}:{port}/x-post1.vnp", f"ftp://{own}:{port}/x-post1.vnp", f"file://{own}/etc/x-post1.vnp",
        "javascript:fetch('/x-post1.vnp')", "data:text/html,<a href=/x-post1.vnp>x", "http://fr.vietnamрlus.vn/x-post1.vnp", f"feed:http://{own}:{port}/x-post1.vnp",
    ]  # fmt: skip


def _links() -> str:
    return "".join(f'<article><a href="{url}">Un titre</a></article>' for url in _addresses(trap().port))


def _elsewhere() -> str:
    return f"http://127.0.0.1:{trap().port}/"


def _redirects(write: Write, path: str) -> None:
    """Redirect to one form after the other, chosen by the path."""
    forms = _addresses(trap().port)
    form = forms[sum(path.encode()) % len(forms)].replace("\n", "")
    write(b"HTTP/1.1 302 Found\r\nLocation: " + form.encode() + b"\r\nContent-Length: 0\r\n\r\n")


def _head(text: str, *headers: str) -> Sender:
    """Return a sender of a page with extra headers."""
    data = page(text)
    return raw(head(HTML, f"Content-Length: {len(data)}", *headers), data)


def _headers_elsewhere(write: Write, path: str) -> None:
    there = _elsewhere()
    headers = (
        f"Refresh: 0; url={there}",
        f"Link: <{there}>; rel=preload",
        f"Content-Location: {there}",
        f'Alt-Svc: h2=":{trap().port}"',
    )
    _head("<p>x</p>", *headers)(write, path)


def _status(line: str, *headers: str, body: bytes = b"") -> Sender:
    return raw("\r\n".join([line, *headers, f"Content-Length: {len(body)}", "", ""]).encode(), body)


def _zstd_window() -> bytes:
    """Return a zstd frame that asks for a window of 2 GB."""
    parameters = zstandard.ZstdCompressionParameters(window_log=31, compression_level=1)
    engine = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return engine.compress(page("<p>x</p>")) + engine.flush()


def _deflate_raw() -> bytes:
    engine = zlib.compressobj(9, wbits=-15)
    return b"".join([*(engine.compress(bytes(MB)) for _ in range(2000)), engine.flush()])


def _random_tags(number: int) -> str:
    """Return tags in random order, half of them end tags."""
    names = "b i a p div table tr td select option template svg math font nobr button form ul li h1 applet caption ruby rt frameset".split()
    rng = random.Random(1)
    return "".join(f"<{'/' * rng.randrange(2)}{rng.choice(names)}>" for _ in range(number))


_ADOPTION = "<b><p>" * 60 + "</b>" * 60


def _namespaces() -> bytes:
    names = "".join(f' xmlns:n{n}="urn:{n}"' for n in range(50_000))
    return rss("<item><link>/x-post1.vnp</link></item>").replace(b"<rss ", f"<rss{names} ".encode())


TRICKS = (
    # --- HTTP
    Answer("HTTP/0.9", ARTICLE, raw(page("<p>x</p>"))),
    Answer("HTTP/2 preface", FEED, raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", endless=bytes(65536), seconds=5)),
    Answer("HTTP/3.7", ARTICLE, raw(b"HTTP/3.7 200 OK\r\nContent-Length: 1\r\n\r\nx")),
    Answer("a TLS alert", ARTICLE, raw(b"\x15\x03\x03\x00\x02\x02\x28")),
    Answer("nothing, then the end", HOME, raw()),
    Answer("status 200 without a reason and headers", ARTICLE, raw(b"HTTP/1.1 200\r\n\r\n" + page("<p>x</p>"))),
    Answer("status 999", ARTICLE, _status("HTTP/1.1 999 X")),
    Answer("status 101 (upgrade)", SECTION, _status("HTTP/1.1 101 Switching", "Upgrade: h2c", "Connection: Upgrade")),
    Answer("status 204 with a body", FEED, _status("HTTP/1.1 204 No Content", body=rss("<item><link>/x-post1.vnp</link></item>"))),
    Answer("status 206, one byte of an article", ARTICLE, _status("HTTP/1.1 206 Partial", "Content-Range: bytes 0-0/9", body=b"<")),
    Answer("status 302 without Location", ARTICLE, _status("HTTP/1.1 302 Found")),
    Answer("status 300 with 1,000 Location headers", ARTICLE, _status("HTTP/1.1 300 Choices", *["Location: /a", "Location: /b"] * 500)),
    Answer("status 304 to everything", "/*", _status("HTTP/1.1 304 Not Modified", 'ETag: "x"'), ends_the_run=True),
    Answer("status 416", ARTICLE, _status("HTTP/1.1 416 Range", "Content-Range: bytes */0")),
    Answer("status 503, Retry-After of 10^30 s", ARTICLE, _status("HTTP/1.1 503 X", f"Retry-After: {10**30}")),
    Answer("status 429, Retry-After in the year 9999", FEED, _status("HTTP/1.1 429 X", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"), ends_the_run=True),
    Answer("Date, Last-Modified and ETag of nonsense", ARTICLE, _head("<p>x</p>", "Date: 99 Foo", "Last-Modified: \x7f", "ETag: " + "\\" * 60_000)),
    Answer("headers with NUL, controls and 8-bit names", ARTICLE, raw(b"HTTP/1.1 200 OK\r\nA\xff: b\x00c\x1b]52;c;x\x07\r\nContent-Length: 1\r\n\r\nx")),
    Answer("folded headers", ARTICLE, raw(b"HTTP/1.1 200 OK\r\nA: b\r\n" + b" c\r\n" * 50_000 + b"Content-Length: 1\r\n\r\nx")),
    Answer("Content-Length and chunked", ARTICLE, raw(head(HTML, "Content-Length: 5", "Transfer-Encoding: chunked"), b"5\r\n<p>x<\r\n0\r\n\r\n")),
    Answer("Transfer-Encoding: gzip, chunked", ARTICLE, raw(head(HTML, "Transfer-Encoding: gzip, chunked"), b"1\r\nx\r\n0\r\n\r\n")),
    Answer("a chunk of ffffffffffffffff bytes", ARTICLE, raw(head(HTML, "Transfer-Encoding: chunked"), b"ffffffffffffffff\r\nx")),
    Answer("Content-Length: -1", ARTICLE, raw(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx")),
    Answer("multipart/x-mixed-replace without end", ARTICLE, raw(head("multipart/x-mixed-replace; boundary=a"), endless=b"--a\r\n\r\n<p>x\r\n" * 5000, seconds=20)),
    Answer("Refresh, Link and Content-Location elsewhere", ARTICLE, _headers_elsewhere),
    Answer("redirects: 34 forms, articles", "/*-post*", _redirects, ends_the_run=True),
    Answer("redirects: 34 forms, lists", "/rss*", _redirects),
    Answer("redirects: 34 forms, robots.txt", ROBOTS, _redirects, ends_the_run=True),
    Answer("a cookie that must be sent back", ARTICLE, lambda write, path: _status("HTTP/1.1 302 Found", f"Location: {path}", "Set-Cookie: a=b; Max-Age=9")(write, path)),
    # --- content codings
    Answer("gzip with 9 MB of other data after it", ARTICLE, Body(lambda: gzip.compress(page("<p>x</p>")) + b"x" * 9 * MB, HTML, "gzip")),
    Answer("gzip with a name of 9 MB", ARTICLE, Body(lambda: b"\x1f\x8b\x08\x08\0\0\0\0\0\3" + b"x" * 9 * MB, HTML, "gzip")),
    Answer("deflate without a header, 2 GB", ARTICLE, Body(_deflate_raw, HTML, "deflate")),
    Answer("zstd with a window of 2 GB", ARTICLE, Body(_zstd_window, HTML, "zstd")),
    Answer("brotli, 400,000 empty blocks", ARTICLE, Body(lambda: b"\x06" * 400_000, HTML, "br")),
    Answer("identity, gzip, unknown", ARTICLE, Body(lambda: gzip.compress(b"x"), HTML, "identity, gzip, x-unknown")),
    Answer("five codings, 2 GB", SITEMAP, Body(lambda: gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzipped(bytes(MB), 2000))))), XML, ", ".join(["gzip"] * 5))),
    # --- addresses in documents
    Answer("34 forms of links on the home page", HOME, Body(lambda: page(_links()))),
    Answer("34 forms of links in a section", SECTION, Body(lambda: page(_links()))),
    Answer("34 forms of links in a feed", FEED, Body(lambda: rss("".join(f"<item><title>x</title><link><![CDATA[{url}]]></link></item>" for url in _addresses(trap().port))), RSS)),
    Answer("34 forms of links in the API", API, Body(lambda: json.dumps({"data": {"contents": [{"url": url, "title": "x"} for url in _addresses(trap().port)]}}).encode(), JSON)),
    Answer("34 forms of links in sitemaps", SITEMAP, Body(lambda: urlset("".join(f"<url><loc><![CDATA[{url}]]></loc></url>" for url in _addresses(trap().port))), XML)),
    Answer("<base href> elsewhere", HOME, Body(lambda: page('<a href="a-post1.vnp">x</a><a href="/politique/">y</a>', f'<base href="{_elsewhere()}">'))),
    Answer("meta refresh and canonical elsewhere", ARTICLE, Body(lambda: page("<p>x</p>", f'<meta http-equiv="refresh" content="0; url={_elsewhere()}"><link rel="canonical" href="{_elsewhere()}x-post1.vnp">'))),
    Answer("xml:base and atom links elsewhere", FEED, Body(lambda: b'<feed xmlns="http://www.w3.org/2005/Atom" xml:base="%b"><entry><title>x</title><link href="a-post1.vnp"/></entry></feed>' % _elsewhere().encode(), RSS)),
    Answer("robots.txt names sitemaps elsewhere", ROBOTS, Body(lambda: "".join(f"Sitemap: {url}\n" for url in _addresses(trap().port) if "\n" not in url).encode(), "text/plain")),
    Answer("addresses of 1 MB", HOME, Body(lambda: page("".join(f'<a href="/{"é/" * 200_000}x-post{n}.vnp">x</a>' for n in range(15))))),
    Answer("20,000 dots in addresses", HOME, Body(lambda: page("".join(f'<a href="{"../" * 600}x-post{n}.vnp">x</a>' for n in range(4000)))), requests=100),
    Answer("ids of 10^300", HOME, Body(lambda: page("".join(f'<a href="/x-post{"9" * n}.vnp">x</a>' for n in range(1, 300))))),
    # --- charsets
    Answer("UTF-7 with a script", ARTICLE, Body(lambda: b"+ADw-p+AD4-x" * 100_000, "text/html; charset=utf-7")),
    Answer("UTF-32", ARTICLE, Body(lambda: page("<p>x</p>" * 100_000).decode().encode("utf-32"), "text/html; charset=utf-32")),
    Answer("UTF-16 without a byte order mark, odd length", HOME, Body(lambda: page(_ADOPTION * 500).decode().encode("utf-16-le") + b"x", HTML)),
    Answer("9 MB of NUL", ARTICLE, Body(lambda: page("\0" * 9 * MB))),
    Answer("NUL inside tags", ARTICLE, Body(lambda: page("<\0b>" * 100_000 + "<b\0c>" * 100_000))),
    Answer("ISO-2022-JP escapes", ARTICLE, Body(lambda: b"\x1b$B" * 3_000_000, "text/html; charset=iso-2022-jp")),
    # --- trees
    Answer("HTML: adoption agency", ARTICLE, Body(lambda: page(_ADOPTION * 2_000))),
    Answer("HTML: adoption agency, 190 kB", ARTICLE, Body(lambda: page(_ADOPTION * 300))),
    Answer("HTML: foster parents", ARTICLE, Body(lambda: page("<table>" + "<table><b>x<i>y" * 15_000))),
    Answer("HTML: foster parents, text", ARTICLE, Body(lambda: page("<table><tr>" + "x<td></td></tr>y" * 100_000))),
    Answer("HTML: nested select", ARTICLE, Body(lambda: page("<select><option>" * 50_000))),
    Answer("HTML: nested templates", ARTICLE, Body(lambda: page("<template>" * 50_000))),
    Answer("HTML: template in table in template", HOME, Body(lambda: page("<table><template><tr><td>" * 15_000))),
    Answer("HTML: nested noscript", ARTICLE, Body(lambda: page("<noscript><p>" * 50_000))),
    Answer("HTML: foreign content and back", ARTICLE, Body(lambda: page("<svg><foreignObject><math><annotation-xml encoding='text/html'><b>" * 8_000))),
    Answer("HTML: CDATA in SVG", ARTICLE, Body(lambda: page("<svg><![CDATA[" + "<b>]]>" * 200_000))),
    Answer("HTML: one attribute 100,000 times", ARTICLE, Body(lambda: page("<p " + "class=a " * 100_000 + ">x</p>"))),
    Answer("HTML: 100,000 <body> and <html>", ARTICLE, Body(lambda: page("".join(f"<body a{n}><html b{n}>" for n in range(30_000))))),
    Answer("HTML: forms, buttons and rubies", ARTICLE, Body(lambda: page("<form><button><ruby><rt><rb>" * 20_000))),
    Answer("HTML: random tags", ARTICLE, Body(lambda: page(_random_tags(300_000)))),
    Answer("HTML: random tags, 60 kB", ARTICLE, Body(lambda: page(_random_tags(9_000)))),
    Answer("HTML: random tags, section", SECTION, Body(lambda: page(_random_tags(60_000)))),
    Answer("HTML: frameset", HOME, Body(lambda: b"<frameset>" * 100_000)),
    Answer("HTML: plaintext in the head", ARTICLE, Body(lambda: page("<p>x</p>", "<plaintext>" + "<b>" * 500_000))),
    # --- JSON and XML
    Answer("JSON-LD: numbers of 4,000 digits", ARTICLE, Body(lambda: page("<p>x</p>", f'<script type="application/ld+json">[{",".join(["9" * 4000] * 200)}]</script>'))),
    Answer("JSON-LD: @graph of 290,000 empty objects", ARTICLE, Body(lambda: page("<p>x</p>", '<script type="application/ld+json">{"@graph":[' + "{}," * 290_000 + "{}]}</script>"))),
    Answer("API: HTML with escapes, 20,000 tags", API, Body(lambda: json.dumps({"data": {"articles": "<b><p>" * 30_000}}).replace("<", "\\u003c").encode(), JSON)),
    Answer("API: one key 200,000 times", API, Body(lambda: b'{"data":{' + b'"contents":[],' * 200_000 + b'"a":1}}', JSON)),
    Answer("API: 1e999 and NaN as times", API, Body(lambda: json.dumps({"data": {"contents": [{"url": f"/x-post{n}.vnp", "date": 1e300 if n % 2 else float("nan")} for n in range(1000)]}}).encode(), JSON), requests=100),
    Answer("feed: 50,000 namespaces", FEED, Body(_namespaces, RSS)),
    Answer("feed: names of 1 MB", FEED, Body(lambda: rss("<item>" + f"<{'a' * MB}>" * 5 + "</item>"), RSS)),
    Answer("feed: HTML of 9 MB in a description", FEED, Body(lambda: rss(f"<item><link>/x-post1.vnp</link><description>{'&lt;b&gt;' * MB}</description></item>"), RSS)),
    Answer("feed: nested CDATA and comments", FEED, Body(lambda: rss("<!-- " * 500_000 + "<![CDATA[" * 300_000), RSS)),
    Answer("sitemap: parameter entities", SITEMAP, Body(lambda: b'<!DOCTYPE u [<!ENTITY % a "<!ENTITY &#37; b SYSTEM \'file:///etc/passwd\'>">%a;%b;]>' + urlset("<url><loc>&b;</loc></url>"), XML)),
    Answer("sitemap: times of the year 9999 and of nonsense", SITEMAP, Body(lambda: urlset("".join(f"<url><loc>/x-post{n}.vnp</loc><lastmod>{'9999-12-31' if n % 2 else '0' * 5000}</lastmod></url>" for n in range(1, 900))), XML), requests=100),
    Answer("sitemap index: 50,000 months of one address", INDEX, Body(lambda: urlset("<sitemap><loc>/sitemaps/news-2026-11.xml</loc></sitemap>" * 50_000, "sitemapindex"), XML)),
    Answer("robots.txt: Crawl-delay of 10^300", ROBOTS, Body(lambda: b"User-agent: *\nCrawl-delay: 1e300\nDisallow:\n", "text/plain"), ends_the_run=True),
    Answer("robots.txt: HTML of 500 kB", ROBOTS, Body(lambda: page("<p>x</p>" * 60_000), HTML)),
    Answer("robots.txt: UTF-16", ROBOTS, Body(lambda: ("User-agent: *\nDisallow: /\n" * 10_000).encode("utf-16"), "text/plain")),
)  # fmt: skip
