"""URLs of the site: canonical form, post id, and the kind of page that a URL names.

Boundary: strings only; nothing is fetched. Dossier section 2 describes the forms of the URLs.
"""

from __future__ import annotations

import functools
import re
from typing import Literal
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

PageShape = Literal["article", "topic", "search", "feed", "sitemap", "home", "section", "other"]

# Dossier section 2: `/<slug>-post<ID>.vnp` (current form) and `/<slug>/<ID>.vnp` (older form) name the same article.
_ARTICLE = re.compile(r"^/(?P<slug>[^/]+?)(?P<form>-post|/)(?P<id>\d{1,12})\.vnp$")
# First path segments of lists whose URLs also end in `.vnp` (dossier section 18.20).
_NOT_ARTICLES = ("topic", "chude", "search", "timkiem", "tag", "tags", "tac-gia", "author")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOOPBACK = re.compile(r"127(?:\.\d{1,3}){3}|localhost|::1")
_SAFE = "/-._~!$&'()*+,;=:@"  # characters that RFC 3986 allows unescaped in a path


def post_id(url: str) -> int | None:
    """Return the post id in the URL of an article, in either of its two forms; None for any other URL."""
    match = _article_match(_split(url).path)
    return int(match["id"]) if match else None


def slug(url: str) -> str | None:
    """Return the slug in the URL of an article, in either of its two forms; None for any other URL."""
    match = _article_match(_split(url).path)
    return match["slug"] if match else None


def has_current_form(url: str) -> bool:
    """Whether a URL names an article in the current form, `/<slug>-post<ID>.vnp`."""
    match = _article_match(_split(url).path)
    return match is not None and match["form"] == "-post"


def shape(url: str) -> PageShape:
    """Return the kind of page that a URL of the site names, judged by the URL alone."""
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


@functools.lru_cache(maxsize=8192)  # successive polls list the same links
def canonical(url: str) -> str:
    """Return the canonical form of a URL. A URL that is already canonical is returned unchanged.

    - The scheme and host are in lower case. The scheme is https unless the host is a loopback address.
    - The user name, password, default port and fragment are removed, and for an article also the query.
    - Percent-encoding is normalised (`v%C5%93ux`, dossier section 2). Repeated slashes become one.
    - The mobile host prefix `m.` is removed (dossier section 18.19).

    The two forms of an article's URL are not converted into each other, because it is unknown which of them the site
    serves today. Their `post_id` shows that they name the same article.
    """
    parts = _split(url)
    host = re.sub(r"^(?:m\.)+", "", _hostname(parts))
    scheme = parts.scheme.lower() if is_loopback(url) else "https"
    port = _port(parts)
    netloc = f"[{host}]" if ":" in host else host
    if port is not None and port not in _DEFAULT_PORTS.values():
        netloc += f":{port}"
    path = quote(re.sub(r"/{2,}", "/", unquote(parts.path)) or "/", safe=_SAFE)
    query = "" if _article_match(path) else quote(parts.query, safe=_SAFE + "?%")
    return urlunsplit((scheme, netloc, path, query, ""))


def absolute(base: str, link: str | None) -> str | None:
    """Return the absolute URL of `link` on the page `base`; None if it is not an http or https URL with a host."""
    try:
        url = urljoin(base, (link or "").strip())
        return url if urlsplit(url).scheme in _DEFAULT_PORTS and urlsplit(url).hostname and link else None
    except ValueError:  # urllib rejects brackets that do not contain an IPv6 address
        return None


def section_path(url: str) -> str:
    """Return the decoded path of a section URL without slashes at its ends and without `.vnp`.

    `/politique/` and `/politique.vnp` both give `politique`.
    """
    return unquote(_split(url).path).strip("/").removesuffix(".vnp")


def host(url: str) -> str:
    """Return the host of a URL in lower case, without its port; empty if there is none."""
    return _hostname(_split(url))


def origin(url: str) -> str:
    """Return the origin of a URL (scheme, host and port) in lower case; a robots.txt file applies to one origin."""
    parts = _split(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def is_loopback(url: str) -> bool:
    """Whether the host of a URL is a loopback address of this machine."""
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


def _hostname(parts: SplitResult) -> str:
    # urllib takes a `%` in a host for the start of an IPv6 zone id and leaves the case of everything after it.
    return (parts.hostname or "").lower()


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        return None
