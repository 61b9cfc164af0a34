"""URLs of the site: the address to request, the form for comparison, the post id, and the kind of page.

An address is requested as the site names it: `absolute` does what a browser does with a link (WHATWG URL standard), and
nothing else. A percent escape is never decoded, because `%26` and `&`, or `%E9` and `%C3%A9`, may be different pages.
Two addresses are compared by their `post_id` or, if they name no article, by their `canonical` form, which is never
requested.

Boundary: strings only; nothing is fetched. Dossier section 2 describes the forms of the URLs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Literal, NamedTuple
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

import ada_url

PageShape = Literal["article", "topic", "search", "feed", "sitemap", "home", "section", "other"]
ArticleForm = Literal["current", "older", "no slug", "2011", "print"]

# Ids beyond twelve digits are not ids: they would not fit into the columns of the database.
_ID = r"0*(?P<id>[1-9][0-9]{0,11})"
# Dossier section 2: `/<slug>-post<ID>.vnp`, `/<slug>/<ID>.vnp`, `/post-<ID>.vnp` and `/Home/<Slug>/<YYYYM>/<ID>.vnplus`
# name the same article. The site routes without regard to case.
_ARTICLES: Mapping[ArticleForm, re.Pattern[str]] = {
    "current": re.compile(rf"/(?P<slug>[^/]*)-post{_ID}\.vnp/?", re.IGNORECASE),
    "no slug": re.compile(rf"/(?P<slug>)post-{_ID}\.vnp/?", re.IGNORECASE),
    "older": re.compile(rf"/(?P<slug>[^/]+)/{_ID}\.vnp/?", re.IGNORECASE),
    "2011": re.compile(rf"/home/(?P<slug>[^/]+)/20[0-9]{{2}}(?:0?[1-9]|1[0-2])/{_ID}\.vnplus/?", re.IGNORECASE),
}
# Dossier section 2: the old print page, `/Utilities/Print.aspx?contentid=<ID>`.
_PRINT = re.compile(r"(?:/[^/]*)*/print\.aspx", re.IGNORECASE)
_PRINT_ID = "contentid"
# First path segments of lists whose URLs also end in `.vnp` (dossier section 18.20).
_NOT_ARTICLES = ("topic", "chude", "search", "timkiem", "tag", "tags", "tac-gia", "author")
# The second alternative has the pages of a list: `/politique/page2.vnp`, `/Home/Politique/Trang-2.vnplus`.
_SECTION = re.compile(
    r"/[^/.]+(?:/[^/.]+)*/?|/[^/]+/page[0-9]+\.vnp/?|/[^/]+\.vnp/?|/home/[^/]+(?:/trang-[0-9]+)?\.vnplus/?",
    re.IGNORECASE,
)
# An article's address whose number is not a post id: 0, a negative number, too many digits, digits outside ASCII, or no slug
# in the older form.
_WITHOUT_VALID_ID = re.compile(r"/(?:[^/]*-)?post-?(?:[0-9]|%[0-9A-F]{2})+\.vnp/?|/-?[0-9]+\.vnp/?", re.IGNORECASE)
# What the Wayback Machine writes before the links of a page: its address, the time, and for some a flag such as `im_`.
_ARCHIVED = re.compile(r"https?://[^/]+/web/[0-9]{4,14}(?:[a-z]{2}_)?/(?=https?://)", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = re.compile(r"127(?:\.\d{1,3}){3}|localhost|::1")
_NOT_IN_NAME = re.compile(r"(?:[^a-z0-9.]|\.{2,})+")
_LONGEST_NAME = 100  # characters; a file name may have 255 bytes
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_UNRESERVED = "-._~!$'()*,:@"  # besides letters and digits: characters that mean the same with and without an escape
_SAFE = f"/{_UNRESERVED}&+;=%"  # characters that the canonical form does not escape
#: Forms of an article's address, the one that the site uses today first.
_PREFERRED: tuple[ArticleForm, ...] = ("current", "older", "no slug", "2011", "print")


class _ArticleAddress(NamedTuple):
    form: ArticleForm
    slug: str
    id: int


def post_id(url: str) -> int | None:
    """Return the post id in the URL of an article, in any of its forms; None for any other URL."""
    found = _article(url)
    return found.id if found else None


def slug(url: str) -> str | None:
    """Return the slug in the URL of an article (empty if it has none); None for any other URL."""
    found = _article(url)
    return found.slug if found else None


def has_current_form(url: str) -> bool:
    """Whether a URL names an article in the current form, `/<slug>-post<ID>.vnp`."""
    found = _article(url)
    return found is not None and found.form == "current"


def is_print_page(url: str) -> bool:
    """Whether a URL names the print page of an article, which robots.txt disallows (dossier section 13)."""
    found = _article(url)
    return found is not None and found.form == "print"


def replaces(named: str, stored: str) -> bool:
    """Whether the address `named` of an article may replace the address `stored`.

    The current form replaces any other. An older form, which may come from an old link, does not replace a newer one. In
    the same form, an address with a query (such as `?utm_source=rss`) does not replace one without.
    """
    return _rank(named) <= _rank(stored)


def next_address(address: str, others: Iterable[str]) -> str | None:
    """Return the address to try after `address` did not lead to the article; None if there is no other one.

    `others` are the addresses under which the site named the article. Repeated calls return each of them in turn.
    """
    cycle = sorted({address, *others}, key=lambda url: (_rank(url), url))
    following = cycle[(cycle.index(address) + 1) % len(cycle)]
    return following if following != address else None


def shape(url: str) -> PageShape:
    """Return the kind of page that a URL of the site names, judged by the URL alone."""
    path = _comparable_path(_split(url).path)
    first = _first_part(path)
    if path == "/":
        return "home"
    if _article(url) is not None:
        return "article"
    if first.partition(".")[0] in _NOT_ARTICLES:
        return "search" if first.startswith(("search", "timkiem")) else "topic"
    if path.lower().endswith((".rss", "/rss.html")):
        return "feed"
    if path.lower().endswith(".xml"):
        return "sitemap"
    return "section" if _SECTION.fullmatch(path) and not _WITHOUT_VALID_ID.fullmatch(path) else "other"


def first_part(url: str) -> str:
    """Return the first part of the path of a URL in lower case, such as `tag` for `/Tag/asean-12.vnp`; it may be empty."""
    return _first_part(_comparable_path(_split(url).path))


@functools.lru_cache(maxsize=8192)  # successive polls list the same links
def canonical(url: str) -> str:
    """Return the form of a URL for comparison; it is never requested. A URL in this form is returned unchanged.

    - The scheme and host are in lower case. The scheme is https unless the host is a loopback address.
    - The user name, password, default port and fragment are removed, and for an article also the query.
    - Percent escapes have capitals, and are decoded if the character has no special meaning: `%41` becomes `A`, but
      `%2F` and `%26` stay. Repeated slashes become one.
    - The mobile host prefix `m.` (dossier section 18.19) and a dot at the end of the host are removed.

    The forms of an article's URL are not converted into each other: their `post_id` shows that they name the same
    article.
    """
    parts = _split(url)
    found = _article(url)
    query = "" if found is not None and found.form != "print" else _normalised(parts.query, "?")
    return _canonical_origin(parts, url) + urlunsplit(("", "", _comparable_path(parts.path), query, ""))


def citable(url: str) -> str:
    """Return a URL as it may be cited: with https and without the mobile host, as far as it is the site's.

    Path and query stay as they are.
    """
    parts = _split(url)
    return _canonical_origin(parts, url) + urlunsplit(("", "", parts.path or "/", parts.query, ""))


def reencoded(url: str) -> str:
    """Return the address under which versions before schema 4 stored an imported capture.

    They decoded the path and encoded it again, and removed the query of an article.
    """
    parts = _split(url)
    path = quote(re.sub(r"/{2,}", "/", unquote(parts.path)), safe=f"/{_UNRESERVED}&+;=")
    return _canonical_origin(parts, url) + path


@functools.lru_cache(maxsize=8192)  # successive pages and polls have the same links
def absolute(base: str, link: str | None) -> str | None:
    """Return the URL that a browser requests for `link` on the page `base`; None if there is none with http or https.

    The link is handled by the WHATWG URL standard: it is trimmed and resolved, dot segments and backslashes are
    resolved, and what cannot be sent, such as a space or a letter outside ASCII, becomes a percent escape. Existing
    escapes stay as they are. The fragment, the user name and the password are removed.
    """
    if not link:
        return None
    known = _base(base)
    try:
        found = ada_url.join_url(known, _scalar(link)) if known is not None else ada_url.normalize_url(_scalar(link))
    except ValueError:
        return None
    if not found.startswith(("http://", "https://")):
        return None
    if "@" in found.split("/", 3)[2]:  # of the host: after a user name or a password, which it ends
        url = ada_url.URL(found)
        url.username, url.password = "", ""
        found = str(url.href)
    return str(found.partition("#")[0])


def original(url: str) -> str:
    """Return the URL of the page of which `url` is an archived copy, such as `…/web/20150326/https://…`, or else `url`."""
    copy = _ARCHIVED.match(url) if "/web/" in url else None
    return url[copy.end() :] if copy is not None else url


@functools.lru_cache(maxsize=64)  # the links of a page have the same one
def _base(url: str) -> str | None:
    """Return the URL against which links are resolved; None if it is not a URL, so that a link must be absolute."""
    plain = _scalar(url)
    return plain if ada_url.check_url(plain) else None


def path_and_query(url: str) -> str:
    """Return what follows the host in a URL that `absolute` returned: the target of its request line."""
    return "/" + url.split("/", 3)[3]


def section_path(url: str) -> str:
    """Return the decoded path of a section URL without slashes at its ends and without its extension.

    `/politique/`, `/politique.vnp` and `/Home/politique.vnplus` all give `politique`.
    """
    path = unquote(_split(url).path).strip("/")
    return re.sub(r"^home/(?=.*\.vnplus$)|\.vnp(?:lus)?$", "", path, flags=re.IGNORECASE)


@functools.lru_cache(maxsize=8192)
def host(url: str) -> str:
    """Return the host of a URL in lower case, without its port and a dot at its end; empty if there is none."""
    return _hostname(_split(url))


@functools.lru_cache(maxsize=8192)
def origin(url: str) -> str:
    """Return the origin of a URL (scheme, host and port) in lower case; a robots.txt file applies to one origin."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def file_name(origin: str) -> str:
    """Return an origin as a part of a file name: letters, digits, single dots and hyphens, at most 100 characters.

    A longer origin is cut and ends in its hash, so that two of them get two names. A user name and a password are left out.
    """
    scheme, slashes, authority = origin.lower().rpartition("//")
    name = _NOT_IN_NAME.sub("-", f"{scheme}{slashes}{authority.rpartition('@')[2]}")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[: _LONGEST_NAME - 17]}-{sha256(name.encode()).hexdigest()[:16]}"


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is a loopback address of this machine."""
    return _LOOPBACK.fullmatch(host(url)) is not None


@functools.lru_cache(maxsize=8192)
def _article(url: str) -> _ArticleAddress | None:
    parts = _split(url)
    path = _comparable_path(parts.path)
    for form, pattern in _ARTICLES.items():
        match = pattern.fullmatch(path)
        if match and not (form == "older" and match["slug"].lower() in _NOT_ARTICLES):
            return _ArticleAddress(form, match["slug"], int(match["id"]))
    if _PRINT.fullmatch(path):
        values = (value for name, value in parse_qsl(parts.query) if name.lower() == _PRINT_ID)
        number = re.fullmatch(_ID, next(values, ""))
        return _ArticleAddress("print", "", int(number["id"])) if number else None
    return None


def _rank(url: str) -> tuple[int, bool]:
    """Return the place of an article's address in the order of preference; the lowest is preferred."""
    found = _article(url)
    return _PREFERRED.index(found.form) if found else len(_PREFERRED), "?" in url


def _first_part(path: str) -> str:
    return path.strip("/").partition("/")[0].lower()


def _comparable_path(path: str) -> str:
    return _normalised(re.sub(r"/{2,}", "/", f"/{path}"), "")


def _normalised(text: str, safe: str) -> str:
    return quote(_ESCAPE.sub(_comparable_escape, text), safe=_SAFE + safe, errors="replace")


def _comparable_escape(match: re.Match[str]) -> str:
    """Return a percent escape for comparison; a percent sign without two digits is an escaped percent sign."""
    character = chr(int(match[1], 16)) if match[1] else "%"
    plain = character.isascii() and (character.isalnum() or character in _UNRESERVED)
    return character if plain else f"%{ord(character):02X}"


def _canonical_origin(parts: SplitResult, url: str) -> str:
    name = re.sub(r"^(?:m\.)+", "", _hostname(parts))
    scheme = parts.scheme.lower() if parts.scheme and is_loopback(url) else "https"
    port = _port(parts)
    netloc = f"[{name}]" if ":" in name else name
    if port is not None and port not in _DEFAULT_PORTS.values():
        netloc += f":{port}"
    return f"{scheme}://{netloc}"


def _scalar(text: str) -> str:
    """Return a text in which U+FFFD replaces lone surrogates, which cannot be encoded."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return urlsplit("")


def _hostname(parts: SplitResult) -> str:
    # urllib takes a `%` in a host for the start of an IPv6 zone id and leaves the case of everything after it. A dot at the
    # end says that the name is complete (RFC 1034, section 3.1): it is the same host.
    return (parts.hostname or "").lower().removesuffix(".")


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return None
