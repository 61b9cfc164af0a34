"""Which path leads to which page.

Boundary: site and request in, response out; no faults, no compression but that of the sitemaps.
URL forms are section 2 of the site dossier; the rest is named in `pages` and `lists`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

from crawler.sim.site import lists, pages
from crawler.sim.site.messages import JSON, PLAIN, XML, Request, Response, answer, forced_gzip, redirect, validated
from crawler.sim.site.page_context import Site
from crawler.sim.site.story import NotFound, Section, Story

Handler = Callable[[Site, Request, re.Match[str]], "Response | None"]

_GONE_AS: dict[int, NotFound] = {404: 404, 410: 410, 200: "soft", 302: "home"}


def route(site: Site, request: Request) -> Response:
    """Answer a request of a reader."""
    if request.method not in ("GET", "HEAD"):
        return answer("<html><body><h1>405</h1></body></html>", status=405).adding(("Allow", "GET, HEAD"))
    path = urlsplit(request.path).path
    for pattern, handler in _ROUTES:
        if match := pattern.fullmatch(path):
            return handler(site, request, match) or not_found(site, site.options.not_found)
    return not_found(site, site.options.not_found)


def not_found(site: Site, how: NotFound) -> Response:
    """Say that there is nothing; the site's own way is unknown (dossier 14)."""
    if how == "home":
        return redirect(site.url("/"))
    return answer(pages.missing(site), status=200 if how == "soft" else how)


# --- pages ----------------------------------------------------------------------------------------------------------


def _home(site: Site, request: Request, _: re.Match[str]) -> Response:
    return _page(site, request, pages.home(site))


def _article(site: Site, request: Request, match: re.Match[str]) -> Response:
    """Answer by the id alone: a wrong slug still gets the page, with the true canonical address (dossier 2)."""
    post_id = int(match["id"])
    story = site.world.get(post_id)
    if story is None:
        return not_found(site, _GONE_AS.get(site.world.gone.get(post_id, 0), site.options.not_found))
    if site.options.addresses != "by id" and unquote(urlsplit(request.path).path) != unquote(story.path):
        return redirect(site.url(story.path), 301) if site.options.addresses == "redirect" else _nothing(site)
    response = answer(pages.article(site, story))
    if not site.options.validators:
        return response
    return validated(response, request, repr(story), story.modified)


def _nothing(site: Site) -> Response:
    return not_found(site, site.options.not_found)


def _section(site: Site, request: Request, match: re.Match[str]) -> Response | None:
    section = _by_slug(site, match["slug"])
    return _page(site, request, pages.section_page(site, section)) if section else None


def _bare_section(site: Site, _: Request, match: re.Match[str]) -> Response | None:
    section = _by_slug(site, match["slug"])
    return redirect(site.url(f"/{section.slug}/"), 301) if section else None


def _topic(site: Site, request: Request, match: re.Match[str]) -> Response | None:
    topic = next((t for t in lists.TOPICS if t.zone == int(match["id"])), None)
    if topic is None:
        return None
    stories = lists.stories_of(site, topic, count=site.options.section_size)
    return _page(site, request, pages.topic_page(site, topic.title, lists.topic_path(site, topic), stories))


def _search(site: Site, request: Request, _: re.Match[str]) -> Response:
    term = _query(request, "q")
    found = lists.matching(site, term)[: site.options.section_size] if term else []
    return answer(pages.search_page(site, term, found))


def _page(site: Site, request: Request, html: str) -> Response:
    return _tagged(site, request, answer(html))


def _tagged(site: Site, request: Request, response: Response) -> Response:
    """Validate a list: it is another one when the world has changed."""
    if not site.options.validators:
        return response
    newest = max((s.modified for s in site.world.newest(count=1)), default=site.now())
    return validated(response, request, f"{request.path} {site.world.version}", newest)


def _by_slug(site: Site, slug: str) -> Section | None:
    return next((s for s in site.options.sections if s.slug == slug), None)


# --- lists for machines ---------------------------------------------------------------------------------------------


def _zone(site: Site, request: Request, _: re.Match[str]) -> Response:
    """Answer the load-more control; an empty fragment is the end (dossier 9)."""
    if site.options.no_load_more:
        return _nothing(site)
    number, size = _number(request, "page", 1), _number(request, "size", site.options.section_size)
    section = _by_zone(site, _number(request, "zone", 0))
    if section is None or number < 1 or size < 1:
        return answer("")
    stories = site.world.newest(section.name, start=(number - 1) * size, count=size)
    return answer(pages.fragment(site, stories))


def _more_news(site: Site, request: Request, match: re.Match[str]) -> Response | None:
    """Answer the JSON list API (dossier 10)."""
    if site.options.no_api:
        return None
    number = max(int(match["page"]), 1)
    size = min(max(_number(request, "page_size", lists.PAGE_SIZE), 1), lists.PAGE_CAP)
    stories = _listed(site, match["kind"], int(match["id"]), (number - 1) * size, size + 1)
    phrase = _query(request, "phrase").casefold()
    shown = [s for s in stories[:size] if phrase in s.title.casefold()]
    return answer(lists.api_list(site, shown, more=len(stories) > size), JSON)


def _listed(site: Site, kind: str, number: int, start: int, count: int) -> list[Story]:
    if kind == "zone":
        section = _by_zone(site, number)
        return site.world.newest(section.name, start=start, count=count) if section else []
    topic = next((t for t in lists.TOPICS if t.zone == number), None)
    return lists.stories_of(site, topic, start=start, count=count) if topic else []


def _robots(site: Site, _: Request, __: re.Match[str]) -> Response:
    return answer(lists.robots(site), PLAIN)


def _index(site: Site, request: Request, _: re.Match[str]) -> Response | None:
    return None if site.options.no_sitemap else _tagged(site, request, answer(lists.sitemap_index(site), XML))


def _sitemap(site: Site, request: Request, match: re.Match[str]) -> Response | None:
    name = match["name"]
    if site.options.no_sitemap or (name == "google-news" and site.options.no_news_sitemap):
        return None
    match name:
        case "google-news":
            xml = lists.news_sitemap(site)
        case "categories":
            xml = lists.place_sitemap(site, [f"/{s.slug}/" for s in site.options.sections])
        case _:
            xml = lists.place_sitemap(site, [lists.topic_path(site, t) for t in lists.TOPICS])
    return _tagged(site, request, forced_gzip(answer(xml, XML)))


def _month(site: Site, request: Request, match: re.Match[str]) -> Response | None:
    year, month = int(match["year"]), int(match["month"])
    if site.options.no_sitemap or (year, month) not in lists.months(site):
        return None
    return _tagged(site, request, forced_gzip(answer(lists.month_sitemap(site, year, month), XML)))


def _feeds(site: Site, request: Request, _: re.Match[str]) -> Response:
    """List the feeds; without any, answer with the name of a template, as a sister site does (dossier 12)."""
    if site.options.no_feed:
        return answer("rss_list.html")
    return _page(site, request, pages.feed_index(site, lists.feeds(site)))


def _feed(site: Site, request: Request, match: re.Match[str]) -> Response | None:
    path = match[0]
    name = next((name for name, feed in lists.feeds(site) if feed == path), None)
    if site.options.no_feed or name is None:
        return answer("", status=404)
    section = None if path == f"{site.options.feeds_at}home.rss" else name
    xml = lists.feed(site, name, site.world.newest(section, count=site.options.feed_size))
    return _tagged(site, request, answer(xml, XML))


def _by_zone(site: Site, zone: int) -> Section | None:
    return next((s for s in site.options.sections if s.zone == zone), None)


def _query(request: Request, name: str) -> str:
    return parse_qs(urlsplit(request.path).query).get(name, [""])[0]


def _number(request: Request, name: str, default: int) -> int:
    value = _query(request, name)
    return int(value) if value.isdecimal() else default


_ROUTES: tuple[tuple[re.Pattern[str], Handler], ...] = tuple(
    (re.compile(pattern), handler)
    for pattern, handler in (
        (r"/", _home),
        (r"/robots\.txt", _robots),
        (r"/sitemap\.xml", _index),
        (r"/sitemaps/news-(?P<year>\d{4})-(?P<month>[1-9]\d?)\.xml", _month),
        (r"/sitemaps/(?P<name>google-news|categories|topics)\.xml", _sitemap),
        (r"/rss\.html", _feeds),
        (r"/.+\.rss", _feed),
        (r"/api/get-zone", _zone),
        (r"/api/morenews-(?P<kind>zone|topic)-(?P<id>\d+)-(?P<page>\d+)\.html", _more_news),
        (r"/topic/[^/]+-(?P<id>\d+)\.vnp", _topic),
        (r"/search\.vnp", _search),
        (r"/[^/]+-post(?P<id>\d+)\.vnp", _article),
        (r"/[^/]+/(?P<id>\d+)\.vnp", _article),
        (r"/(?P<slug>[a-z-]+)/", _section),
        (r"/(?P<slug>[a-z-]+)", _bare_section),
    )
)
