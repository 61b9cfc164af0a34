"""What a page is when it is no article: a reason in words, for the row and for a human.

Boundary: looks at bytes, address and visible marks only. The marks are hypotheses (dossier 12, 14, 18.16): the site's
own "not found" and block pages have never been seen from here.
"""

from __future__ import annotations

import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser

from crawler import urls
from crawler.errors import Rejection
from crawler.parse import dom
from crawler.parse.head import Head

_TINY = 64  # bytes; dossier 12: a 200 of a dozen bytes is a template name, not a page
_SIGNATURES = (
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"PK\x03\x04", "a ZIP file"),
    (b"\x1f\x8b", "compressed data"),
)
_XML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*+-->\s*+)*+<(rss|feed|urlset|sitemapindex|rdf:RDF)\b", re.DOTALL
)
_JSON = re.compile(rb"\s*[\[{]\s*[\"\]}\[{]")
_BLOCKED = re.compile(
    r"access denied|acces refuse|attention required|captcha|are you (?:a )?(?:human|robot)|verify you are human"
    r"|checking your browser|just a moment|enable javascript and cookies|ddos protection|request blocked"
    r"|unusual traffic|too many requests|forbidden|security check|bot detection|incident id|ray id"
)
_NOT_FOUND = re.compile(
    r"page (?:introuvable|non trouvee|not found)|introuvable|n.existe (?:pas|plus)|not found|\b404\b|khong ton tai"
    r"|khong tim thay|duong dan .{0,20}khong|erreur 404|no longer available|contenu .{0,20}supprime"
)
_ERROR = re.compile(
    r"internal server error|bad gateway|service unavailable|gateway time-?out|\b50[0234]\b|maintenance|runtime error"
)
_SHAPES = {
    "home": Rejection.HOME_PAGE,
    "section": Rejection.SECTION_PAGE,
    "topic": Rejection.TOPIC_PAGE,
    "search": Rejection.SEARCH_PAGE,
    "feed": Rejection.FEED,
    "sitemap": Rejection.SITEMAP,
}
_WORDED = (
    (_BLOCKED, Rejection.BLOCK_PAGE),
    (_NOT_FOUND, Rejection.SOFT_404),
    (_ERROR, Rejection.ERROR_PAGE),
)
_PLAIN_PAGE = 3_000  # characters of visible text; block and error pages say little


def of_bytes(body: bytes) -> tuple[Rejection, str] | None:
    """Return why a body cannot be an HTML page, with a description for people; None if it may be one."""
    start = body[:1024].lstrip(b"\xef\xbb\xbf")
    if len(body.strip()) < _TINY:
        if not body.strip():
            return Rejection.EMPTY, f"an empty response ({len(body)} bytes)"
        return Rejection.TINY, f"only {len(body)} bytes"
    for magic, name in _SIGNATURES:
        if start.startswith(magic):
            return Rejection.BINARY, name
    if match := _XML.match(start):
        return Rejection.XML, f"XML ({match[1].decode()}), a feed or a sitemap"
    if _JSON.match(start):
        return Rejection.JSON, Rejection.JSON.description
    return None


def of_page(tree: LexborHTMLParser, head: Head, url: str) -> Rejection | None:
    """Say what a page says or shows itself to be when that is no article; None without such a mark.

    A canonical address that names another kind of page is such a statement; so are the words of block, error and
    not-found pages, looked for in title and headings, and in the whole text only where that is short.
    """
    # a real headline may hold any of these words, so they count only where the page does not call itself an article
    if not head.says_article():
        marks = _marks(tree, head)
        for pattern, rejection in _WORDED:
            if pattern.search(marks):
                return rejection
    return _of_address(head, url)


def _marks(tree: LexborHTMLParser, head: Head) -> str:
    visible = dom.text(tree.body) if tree.body else ""
    titles = " ".join([head.title or "", *(dom.text(n) for n in tree.css("h1, h2")[:3])])
    return _plain(titles if len(visible) > _PLAIN_PAGE else f"{titles} {visible}")


def of_shape(url: str) -> Rejection | None:
    """Return what kind of page an address names by its form; None if that may be an article."""
    return _SHAPES.get(urls.shape(url))


def _of_address(head: Head, url: str) -> Rejection | None:
    if head.canonical is None or urls.host(head.canonical).removeprefix("m.") != urls.host(url).removeprefix("m."):
        return None if urls.post_id(url) is not None else of_shape(url)
    return of_shape(head.canonical)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))
