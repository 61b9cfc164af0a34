"""URLs of the site: the post id in them, what is an article and what only looks like one, one canonical spelling.

Boundary: strings only; nothing is fetched. The forms are those of the dossier, section 2.
"""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

PageShape = Literal["article", "topic", "search", "feed", "sitemap", "home", "section", "other"]

# dossier 2: `/<slug>-post<ID>.vnp` (current) and `/<slug>/<ID>.vnp` (older), same id and slug
_ARTICLE = re.compile(r"^/(?P<slug>[^/]+?)(?:-post|/)(?P<id>\d{1,12})\.vnp$")
_NOT_ARTICLES = ("topic", "chude", "search", "timkiem", "tag", "tags", "tac-gia", "author")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = re.compile(r"127(?:\.\d{1,3}){3}|localhost|::1")
_SAFE = "/-._~!$&'()*+,;=:@"  # what RFC 3986 lets stand in a path


def post_id(url: str) -> int | None:
    """Give the site's numeric id of an article URL, in either form; None for any other URL."""
    match = _article_match(_split(url).path)
    return int(match["id"]) if match else None


def shape(url: str) -> PageShape:
    """Say what kind of page a URL of the site names, by its form alone."""
    path = unquote(_split(url).path) or "/"
    first = path.strip("/").split("/")[0].lower()
    if path == "/":
        return "home"
    if first.partition(".")[0] in _NOT_ARTICLES:
        return "search" if first.startswith(("search", "timkiem")) else "topic"
    if _article_match(path):
        return "article"
    if path.endswith((".rss", "/rss.html")):
        return "feed"
    if path.endswith(".xml"):
        return "sitemap"
    return "section" if re.fullmatch(r"/[^/.]+(?:/[^/.]+)*/?|/[^/]+\.vnp", path) else "other"


def canonical(url: str) -> str:
    """Give the one spelling of an address; idempotent.

    Scheme and host in lower case, https unless the host is loopback, no default port, no fragment, percent-encoding
    normalised (dossier 2: `v%C5%93ux`), doubled slashes folded; an article loses its query. A mobile host (`m.`) is the
    same site (dossier 18.19). The two forms of an article's address stay apart: which of them the site answers today is
    not known, so nothing is asked for that no page has named. That they are one article is said by `post_id`.
    """
    parts = _split(url)
    host = re.sub(r"^(?:m\.)+", "", parts.hostname or "")
    scheme = parts.scheme.lower() if is_loopback(url) else "https"
    port = _port(parts)
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port not in _DEFAULT_PORTS.values():
        netloc += f":{port}"
    path = quote(re.sub(r"/{2,}", "/", unquote(parts.path)) or "/", safe=_SAFE)
    query = "" if _article_match(path) else quote(parts.query, safe=_SAFE + "?%")
    return urlunsplit((scheme, netloc, path, query, ""))


def absolute(base: str, link: str | None) -> str | None:
    """Resolve a link found on page `base`; None when it leads to no web page."""
    try:
        url = urljoin(base, (link or "").strip())
        return url if urlsplit(url).scheme in _DEFAULT_PORTS and urlsplit(url).hostname and link else None
    except ValueError:  # urllib refuses brackets that hold no IPv6 address
        return None


def place(url: str) -> str:
    """Give the path of a section's address without its ends: `/politique/` and `/politique.vnp` are one place."""
    return unquote(_split(url).path).strip("/").removesuffix(".vnp")


def host(url: str) -> str:
    """Give the host of a URL in lower case, without its port; empty when there is none."""
    return _split(url).hostname or ""


def origin(url: str) -> str:
    """Give scheme, host and port of a URL: what robots.txt and the request budget belong to."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_loopback(url: str) -> bool:
    """Say whether a URL stays on this machine."""
    return _LOOPBACK.fullmatch(host(url)) is not None


def _article_match(path: str) -> re.Match[str] | None:
    match = _ARTICLE.match(path)
    if match is None or match["slug"].lower() in _NOT_ARTICLES:
        return None
    return match


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url.strip())
    except ValueError:
        return urlsplit("")


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return None
