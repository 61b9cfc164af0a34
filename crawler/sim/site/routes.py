"""Routing: choose the page for a request path.

Boundary: page context and request in, response out. `fake_site` applies faults and compresses responses; only sitemaps
are compressed here. URL forms follow dossier section 2; the docstrings of `pages` and `lists` name the other sections.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from crawler.sim.site import lists, pages
from crawler.sim.site.messages import (
    JSON,
    PLAIN,
    XML,
    SiteRequest,
    SiteResponse,
    always_gzip,
    make_response,
    redirect,
    with_validators,
)
from crawler.sim.site.page_context import PageContext
from crawler.sim.site.story import NotFound, Section, Story

Handler = Callable[[PageContext, SiteRequest, re.Match[str]], "SiteResponse | None"]

_PICTURES_MODIFIED = datetime(2010, 1, 1, tzinfo=UTC)
_REMOVED_AS: dict[int, NotFound] = {404: 404, 410: 410, 200: "soft", 302: "home"}


def route(context: PageContext, request: SiteRequest) -> SiteResponse:
    """Return the regular response to a request for a page, feed, sitemap or list of the site."""
    if request.method not in ("GET", "HEAD"):
        return make_response("<html><body><h1>405</h1></body></html>", status=405).with_headers(("Allow", "GET, HEAD"))
    path = urlsplit(request.path).path
    for pattern, handler in _ROUTES:
        if match := pattern.fullmatch(path):
            return handler(context, request, match) or not_found(context, context.options.not_found)
    return not_found(context, context.options.not_found)


def not_found(context: PageContext, how: NotFound) -> SiteResponse:
    """Return the response for a missing page, in the form `how`.

    The form that the real site uses is unknown (dossier section 14).
    """
    if how == "home":
        return redirect(context.url("/"))
    return make_response(pages.missing(context), status=200 if how == "soft" else how)


# --- pages ----------------------------------------------------------------------------------------------------------


def _home(context: PageContext, request: SiteRequest, _: re.Match[str]) -> SiteResponse:
    return _page(context, request, pages.home(context))


def _article(context: PageContext, request: SiteRequest, match: re.Match[str]) -> SiteResponse:
    """Return the page of the article whose id is in the path (dossier section 2).

    A wrong slug leads to the same page, with the right canonical URL, unless `Options.addresses` chooses another
    behaviour. A story with an awkward address has this address only.
    """
    post_id = int(match["id"])
    story = context.world.get(post_id)
    if story is None:
        return not_found(context, _REMOVED_AS.get(context.world.gone.get(post_id, 0), context.options.not_found))
    if story.awkward and request.path != story.sent_path:
        return _default_not_found(context)
    if context.options.addresses != "by id" and unquote(urlsplit(request.path).path) != unquote(story.path):
        if context.options.addresses == "redirect":
            return redirect(context.url(story.path), 301)
        return _default_not_found(context)
    response = make_response(pages.article(context, story))
    if not context.options.validators:
        return response
    return with_validators(response, request, repr(story), story.modified)


def _default_not_found(context: PageContext) -> SiteResponse:
    return not_found(context, context.options.not_found)


def _section(context: PageContext, request: SiteRequest, match: re.Match[str]) -> SiteResponse | None:
    section = _by_slug(context, match["slug"])
    return _page(context, request, pages.section_page(context, section)) if section else None


def _bare_section(context: PageContext, _: SiteRequest, match: re.Match[str]) -> SiteResponse | None:
    section = _by_slug(context, match["slug"])
    return redirect(context.url(f"/{section.slug}/"), 301) if section else None


def _topic(context: PageContext, request: SiteRequest, match: re.Match[str]) -> SiteResponse | None:
    topic = next((t for t in lists.TOPICS if t.zone == int(match["id"])), None)
    if topic is None:
        return None
    stories = lists.stories_of(context, topic, count=context.options.section_size)
    return _page(context, request, pages.topic_page(context, topic.title, lists.topic_path(context, topic), stories))


def _search(context: PageContext, request: SiteRequest, _: re.Match[str]) -> SiteResponse:
    term = _query(request, "q")
    found = lists.matching(context, term)[: context.options.section_size] if term else []
    return make_response(pages.search_page(context, term, found))


def _page(context: PageContext, request: SiteRequest, html: str) -> SiteResponse:
    return _with_list_validators(context, request, make_response(html))


def _with_list_validators(context: PageContext, request: SiteRequest, response: SiteResponse) -> SiteResponse:
    """Add validators to the response for a list if the options ask for them. Any change to a story changes the ETag."""
    if not context.options.validators:
        return response
    newest = max((s.modified for s in context.world.newest(count=1)), default=context.now())
    return with_validators(response, request, f"{request.path} {context.world.version}", newest)


def _by_slug(context: PageContext, slug: str) -> Section | None:
    return next((s for s in context.options.sections if s.slug == slug), None)


# --- machine-readable lists -----------------------------------------------------------------------------------------


def _zone(context: PageContext, request: SiteRequest, _: re.Match[str]) -> SiteResponse:
    """Return what the load-more button requests; an empty response marks the end of the list (dossier section 9)."""
    if context.options.no_load_more:
        return _default_not_found(context)
    number, size = _number(request, "page", 1), _number(request, "size", context.options.section_size)
    section = _by_zone(context, _number(request, "zone", 0))
    if section is None or number < 1 or size < 1:
        return make_response("")
    stories = context.world.newest(section.name, start=(number - 1) * size, count=size)
    return make_response(pages.fragment(context, stories))


def _more_news(context: PageContext, request: SiteRequest, match: re.Match[str]) -> SiteResponse | None:
    """Return one page of the JSON list API (dossier section 10)."""
    if context.options.no_api:
        return None
    number = max(int(match["page"]), 1)
    size = min(max(_number(request, "page_size", lists.PAGE_SIZE), 1), lists.PAGE_CAP)
    stories = _api_stories(context, match["kind"], int(match["id"]), (number - 1) * size, size + 1)
    phrase = _query(request, "phrase").casefold()
    shown = [s for s in stories[:size] if phrase in s.title.casefold()]
    return make_response(lists.api_list(context, shown, more=len(stories) > size), JSON)


def _api_stories(context: PageContext, kind: str, number: int, start: int, count: int) -> list[Story]:
    if kind == "zone":
        section = _by_zone(context, number)
        return context.world.newest(section.name, start=start, count=count) if section else []
    topic = next((t for t in lists.TOPICS if t.zone == number), None)
    return lists.stories_of(context, topic, start=start, count=count) if topic else []


def _robots(context: PageContext, _: SiteRequest, __: re.Match[str]) -> SiteResponse:
    return make_response(lists.robots(context), PLAIN)


def _index(context: PageContext, request: SiteRequest, _: re.Match[str]) -> SiteResponse | None:
    return (
        None
        if context.options.no_sitemap
        else _with_list_validators(context, request, make_response(lists.sitemap_index(context), XML))
    )


def _sitemap(context: PageContext, request: SiteRequest, match: re.Match[str]) -> SiteResponse | None:
    name = match["name"]
    if context.options.no_sitemap or (name == "google-news" and context.options.no_news_sitemap):
        return None
    match name:
        case "google-news":
            xml = lists.news_sitemap(context)
        case "categories":
            xml = lists.paths_sitemap(context, [f"/{s.slug}/" for s in context.options.sections])
        case _:
            xml = lists.paths_sitemap(context, [lists.topic_path(context, t) for t in lists.TOPICS])
    return _with_list_validators(context, request, always_gzip(make_response(xml, XML)))


def _month(context: PageContext, request: SiteRequest, match: re.Match[str]) -> SiteResponse | None:
    year, month = int(match["year"]), int(match["month"])
    if context.options.no_sitemap or (year, month) not in lists.months(context):
        return None
    return _with_list_validators(
        context, request, always_gzip(make_response(lists.month_sitemap(context, year, month), XML))
    )


def _feeds(context: PageContext, request: SiteRequest, _: re.Match[str]) -> SiteResponse:
    """Return the page that lists the feeds.

    If there are no feeds, the body is the name of a template, as on a sister site (dossier section 12).
    """
    if context.options.no_feed:
        return make_response("rss_list.html")
    return _page(context, request, pages.feed_index(context, lists.feeds(context)))


def _feed(context: PageContext, request: SiteRequest, match: re.Match[str]) -> SiteResponse | None:
    path = match[0]
    name = next((name for name, feed in lists.feeds(context) if feed == path), None)
    if context.options.no_feed or name is None:
        return make_response("", status=404)
    section = None if path == f"{context.options.feeds_at}home.rss" else name
    xml = lists.feed(context, name, context.world.newest(section, count=context.options.feed_size))
    return _with_list_validators(context, request, make_response(xml, XML))


def _by_zone(context: PageContext, zone: int) -> Section | None:
    return next((s for s in context.options.sections if s.zone == zone), None)


def _query(request: SiteRequest, name: str) -> str:
    return parse_qs(urlsplit(request.path).query).get(name, [""])[0]


def _picture(context: PageContext, request: SiteRequest, match: re.Match[str]) -> SiteResponse:
    """Return a picture; its address also encodes its size (dossier section 7), which the fake site ignores."""
    content_type, body = context.world.pictures.response(match[0])
    response = make_response(body, content_type)
    if not context.options.validators:
        return response
    return with_validators(response, request, hashlib.sha256(body).hexdigest(), _PICTURES_MODIFIED)


def _number(request: SiteRequest, name: str, default: int) -> int:
    value = _query(request, name)
    return int(value) if value.isdecimal() else default


_ROUTES: tuple[tuple[re.Pattern[str], Handler], ...] = tuple(
    (re.compile(pattern), handler)
    for pattern, handler in (
        (r"/", _home),
        (r"/robots\.txt", _robots),
        (r"/(?:images|uploaded|t\d+/uploaded)/.+\.(?:jpe?g|png|gif|webp)", _picture),
        (r"/sitemap\.xml", _index),
        (r"/sitemaps/news-(?P<year>\d{4})-(?P<month>[1-9]\d?)\.xml", _month),
        (r"/sitemaps/(?P<name>google-news|categories|topics)\.xml", _sitemap),
        (r"/rss\.html", _feeds),
        (r"/.+\.rss", _feed),
        (r"/api/get-zone", _zone),
        (r"/api/morenews-(?P<kind>zone|topic)-(?P<id>\d+)-(?P<page>\d+)\.html", _more_news),
        (r"/topic/[^/]+-(?P<id>\d+)\.vnp", _topic),
        (r"/search\.vnp", _search),
        (r"/[^/]+-post(?P<id>\d+)(?:\.|%2E)(?:vnp|VNP)/?", _article),
        (r"/[^/]+/(?P<id>\d+)\.vnp", _article),
        (r"/post-(?P<id>\d+)\.vnp", _article),
        (r"/Home/[^/]+/\d+/(?P<id>\d+)\.vnplus", _article),
        (r"/(?P<slug>[a-z-]+)/", _section),
        (r"/(?P<slug>[a-z-]+)", _bare_section),
    )
)
