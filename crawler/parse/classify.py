"""Recognise pages that are not articles, and return the reason as a `Rejection`.

The patterns are hypotheses (dossier sections 12, 14 and 18.16), because nobody has seen the site's own "not found" page
or the page that it shows to blocked clients.

Boundary: looks only at the bytes, URL, metadata and visible text of a page.
"""

from __future__ import annotations

import re
import unicodedata

from selectolax.lexbor import LexborHTMLParser

from crawler import urls
from crawler.errors import Rejection
from crawler.parse import dom
from crawler.parse.head import Head

_TINY = 64  # bytes; on a sister site, a 12-byte response with status 200 was a template name (dossier section 12)
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
    r"internal server error|bad gateway|service unavailable|gateway time-?out|maintenance|runtime error"
    r"|\b(?:erreur|error|http|code|statut?s?)\W{0,3}50[0234]\b|\b50[0234]\W{0,3}(?:erreur|error)|^\W*50[0234]\W*(?:$|[|–-])"
)
# Sentences that also occur in articles, so they count only on pages without much other text.
_BLOCKED_SENTENCE = re.compile(
    r"vous (?:etes (?:bien )?(?:un )?humain|n.etes pas un robot|avez ete bloque)|acces (?:interdit|bloque)|trop de requetes"
    r"|adresse ip .{0,20}(?:bloque|interdite)|pardon our interruption|verification de securite|dang kiem tra trinh duyet"
    r"|khong phai la robot|ban da bi chan"
)
_NOT_FOUND_SENTENCE = re.compile(
    r"(?:page|article|contenu|document)\b(?:(?!temporaire|momentane)[^.!?]){0,60}"
    r"(?:indisponible|supprime|retire\b|retiree?|(?:plus|pas) (?:disponible|accessible|en ligne|encore publie)|inaccessible)"
    r"|ne trouvons pas|410 gone|(?:lien|adresse)\b[^.!?]{0,40}(?:incorrecte?|rompue?|invalide|errone)"
    r"|(?:could not|cannot|can.t) be found|does not exist|no longer exists|has been (?:removed|deleted)"
    r"|(?:bai viet|tin bai|noi dung|trang|duong dan)\b[^.!?]{0,40}(?:khong con|da bi (?:go|xoa)|da (?:go|xoa))"
)
_ERROR_SENTENCE = re.compile(
    r"(?:temporairement|momentanement) (?:indisponible|inaccessible)|server error|dang bao tri|loi he thong"
)
_BY_SHAPE = {
    "home": Rejection.HOME_PAGE,
    "section": Rejection.SECTION_PAGE,
    "topic": Rejection.TOPIC_PAGE,
    "search": Rejection.SEARCH_PAGE,
    "feed": Rejection.FEED,
    "sitemap": Rejection.SITEMAP,
}
_SHORT_PAGE = 3_000  # characters of visible text; block and error pages are short
_FEW_WORDS = 600  # characters of visible text; an article has more
_BODY, _MESSAGE = "[itemprop=articleBody], .article__body, .cms-body", 150  # characters of visible text
_ANY = 10**9  # characters; no page is longer
#: Each row has a pattern and the rejection that it shows. It ends with two limits for the characters of visible text: on a
#: page up to the first limit, the titles are searched; on a page up to the second one, the whole text is searched, too.
_BY_TEXT = (
    (_BLOCKED, Rejection.BLOCK_PAGE, _ANY, _SHORT_PAGE),
    (_NOT_FOUND, Rejection.SOFT_404, _ANY, _SHORT_PAGE),
    (_ERROR, Rejection.ERROR_PAGE, _ANY, _SHORT_PAGE),
    (_BLOCKED_SENTENCE, Rejection.BLOCK_PAGE, _SHORT_PAGE, _FEW_WORDS),
    (_NOT_FOUND_SENTENCE, Rejection.SOFT_404, _SHORT_PAGE, _FEW_WORDS),
    (_ERROR_SENTENCE, Rejection.ERROR_PAGE, _SHORT_PAGE, _FEW_WORDS),
)


def of_bytes(body: bytes) -> tuple[Rejection, str] | None:
    """Return the reason why `body` cannot be an HTML page; None if it may be one.

    The reason is a rejection and a description to show to users.
    """
    start = body[:1024].lstrip(b"\xef\xbb\xbf")
    if len(body.strip()) < _TINY:
        if not body.strip():
            return Rejection.EMPTY, f"{Rejection.EMPTY.description} ({len(body)} bytes)"
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
    """Return the reason why a page is not an article; None if nothing shows that it is not.

    A page that neither declares itself an article nor has the text of one is rejected if its title or headings contain
    words that are typical of block, error or not-found pages. If the page is short, its whole text is searched for them.
    Any page is rejected if the form of its own URL shows that it is another kind of page, such as a section. Its own URL
    is the canonical link if this has the same host as `url`, else `url`.
    """
    # A real headline may contain any of these words, so they count only if nothing shows that the page is an article.
    if not head.declares_article() and not _has_text_of_article(tree):
        titles, visible = _titles(tree, head), dom.text(tree.body) if tree.body else ""
        length = len(visible)
        plain = f"{titles} {_without_accents(visible)}" if length <= _SHORT_PAGE else titles
        for pattern, rejection, most_for_titles, most_for_text in _BY_TEXT:
            if length <= most_for_titles and pattern.search(plain if length <= most_for_text else titles):
                return rejection
    return _of_url(head, url)


def _has_text_of_article(tree: LexborHTMLParser) -> bool:
    """Whether a page has a body of an article, with more text than the message on a page of another kind."""
    return any(len(dom.text(body)) > _MESSAGE for body in tree.css(_BODY)[:1])


def _titles(tree: LexborHTMLParser, head: Head) -> str:
    return _without_accents(" ".join([head.title or "", *(dom.text(n) for n in tree.css("h1, h2")[:3])]))


def of_shape(url: str) -> Rejection | None:
    """Return the rejection for a URL whose form alone shows that it names no article; None if it may name one."""
    return _BY_SHAPE.get(urls.shape(url))


def _of_url(head: Head, url: str) -> Rejection | None:
    if head.canonical is None or urls.host(head.canonical).removeprefix("m.") != urls.host(url).removeprefix("m."):
        return None if urls.post_id(url) is not None else of_shape(url)
    return of_shape(head.canonical)


def _without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))
