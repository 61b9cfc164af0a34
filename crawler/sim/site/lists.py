"""The endpoints for machines: sitemaps, feeds, robots.txt and the JSON list API.

Boundary: site in, text out. Shapes follow the site dossier: list API (section 10), sitemaps (11), feeds (12),
robots.txt (13).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from xml.sax.saxutils import escape

from crawler.sim.site import pages
from crawler.sim.site.markup import iso, rfc822
from crawler.sim.site.page_context import NAME, Site
from crawler.sim.site.story import HANOI, Section, Story, slugify

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS_AGE = timedelta(days=2)
PAGE_SIZE, PAGE_CAP = 40, 50  # of the list API


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic page; stories belong to it when a word is in their title. 107 is the latest news (dossier 2)."""

    zone: int
    title: str
    word: str


TOPICS = (
    Topic(107, "Dernières nouvelles", ""),
    Topic(135, "Édification du Parti", "parti"),
    Topic(142, "Mer Orientale et défense", "défense"),
    Topic(151, "Commerce extérieur", "export"),
)


def topic_path(site: Site, topic: Topic) -> str:
    """Give the address of a topic page."""
    return f"/topic/{slugify(topic.title, site.now())}-{topic.zone}.vnp"


def stories_of(site: Site, topic: Topic, *, start: int = 0, count: int = PAGE_SIZE) -> list[Story]:
    """Give the stories of a topic, newest first."""
    if not topic.word:
        return site.world.newest(start=start, count=count)
    return matching(site, topic.word)[start : start + count]


def matching(site: Site, word: str) -> list[Story]:
    """Give the recent stories whose title has the word."""
    wanted = word.casefold()
    return [s for s in site.world.newest(count=1000) if wanted in s.title.casefold()]


# --- robots.txt and sitemaps ----------------------------------------------------------------------------------------


def robots(site: Site) -> str:
    """Write robots.txt after the stored copy of the Vietnamese edition."""
    allowed = ("/*.js", "/*.css", "/*.jpg")
    closed = ("/Api/", "/Utilities/", "*Counter.aspx*", "*/avatar.aspx*", "/raovat/tim-kiem/", "/raovat/dang-tin/")
    lines = ["User-agent: *", *(f"Allow: {p}" for p in allowed), *(f"Disallow: {p}" for p in closed)]
    lines += site.options.robots
    if not site.options.no_sitemap:
        lines += ["", f"Sitemap: {site.url('/sitemap.xml')}"]
    return "\n".join(lines) + "\n"


def sitemap_index(site: Site) -> str:
    """Write the index: the months without padding, newest first."""
    names = ["categories", "topics"]
    if not site.options.no_news_sitemap:
        names.append("google-news")
    names += [f"news-{year}-{month}" for year, month in reversed(months(site))]
    now = iso(site.now())
    entries = (f"<sitemap><loc>{site.url(f'/sitemaps/{n}.xml')}</loc><lastmod>{now}</lastmod></sitemap>" for n in names)
    return f'{XML}<sitemapindex xmlns="{_SCHEMA}">\n' + "\n".join(entries) + "\n</sitemapindex>\n"


def months(site: Site) -> list[tuple[int, int]]:
    """Give the months that have stories, and the current one, oldest first."""
    now = site.now().astimezone(HANOI)
    found = {(e.published.year, e.published.month) for e in site.world.in_sitemaps()}
    return sorted(found | {(now.year, now.month)})


def month_sitemap(site: Site, year: int, month: int) -> str:
    """Write one month, oldest first; titles are CDATA with its marks escaped."""
    stories = [
        site.world.story(e.post_id)
        for e in site.world.in_sitemaps()
        if (e.published.year, e.published.month) == (year, month)
    ]
    extra = ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
    return _urlset((_month_url(site, s) for s in stories), extra)


def _month_url(site: Site, story: Story) -> str:
    return f"<url><loc>{_loc(site, story)}</loc><lastmod>{iso(story.modified)}</lastmod>{_image(story)}</url>"


def _image(story: Story) -> str:
    if story.picture is None:
        return ""
    title = f"&lt;![CDATA[{escape(story.title)}]]&gt;"
    loc = escape(story.picture.url or "")
    return f"<image:image><image:loc>{loc}</image:loc><image:title>{title}</image:title></image:image>"


def news_sitemap(site: Site) -> str:
    """Write the stories of the last two days, newest first."""
    since = site.now() - _NEWS_AGE
    recent = []
    for entry in reversed(site.world.in_sitemaps()):
        if entry.published < since:
            break
        recent.append(site.world.story(entry.post_id))
    extra = ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    return _urlset((_news_url(site, s) for s in recent), extra)


def _news_url(site: Site, story: Story) -> str:
    return (
        f"<url><loc>{_loc(site, story)}</loc><lastmod>{iso(story.modified)}</lastmod><news:news><news:publication>"
        f"<news:name>{NAME}</news:name><news:language>fr</news:language></news:publication>"
        f"<news:publication_date>{iso(story.published)}</news:publication_date>"
        f"<news:title>{cdata(story.title)}</news:title></news:news></url>"
    )


def place_sitemap(site: Site, paths: Iterable[str]) -> str:
    """Write the sections or the topics."""
    return _urlset(f"<url><loc>{escape(site.url(p))}</loc><changefreq>hourly</changefreq></url>" for p in paths)


def _urlset(urls: Iterable[str], extra: str = "") -> str:
    return f'{XML}<urlset xmlns="{_SCHEMA}"{extra}>\n' + "\n".join(urls) + "\n</urlset>\n"


def _loc(site: Site, story: Story) -> str:
    return escape(site.url(story.path))


def cdata(value: str) -> str:
    """Write a true CDATA section."""
    return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"


# --- feeds ----------------------------------------------------------------------------------------------------------


def feeds(site: Site) -> list[tuple[str, str]]:
    """Give name and address of each feed."""
    at = site.options.feeds_at
    return [("À la une", f"{at}home.rss"), *((s.name, f"{at}{s.slug}.rss") for s in site.options.sections)]


def feed(site: Site, name: str, stories: Sequence[Story]) -> str:
    """Write an RSS feed."""
    items = "\n".join(_feed_item(site, s) for s in stories)
    return (
        f'{XML}<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>\n'
        f"<title>{escape(name)} - {NAME}</title><link>{site.url('/')}</link><language>fr</language>"
        f"<description>{escape(name)}</description><lastBuildDate>{rfc822(site.now())}</lastBuildDate>\n"
        f"{items}\n</channel></rss>\n"
    )


def _feed_item(site: Site, story: Story) -> str:
    url = _loc(site, story)
    image = f'<a href="{url}"><img src="{escape(story.picture.url or "")}"></a>' if story.picture else ""
    return (
        f'<item><title>{cdata(story.title)}</title><link>{url}</link><guid isPermaLink="true">{url}</guid>'
        f"<pubDate>{rfc822(story.published)}</pubDate><category>{escape(story.section)}</category>"
        f"<description>{cdata(image + escape(story.lead or ''))}</description></item>"
    )


# --- the JSON list API ----------------------------------------------------------------------------------------------


def api_list(site: Site, stories: Sequence[Story], *, more: bool) -> str:
    """Write one page of the list API in the dialect of this replica."""
    data: dict[str, object]
    if site.options.dialect == "contents":
        data = {"contents": [_content(site, s) for s in stories], "load_more": more}
    else:
        data = {"articles": pages.fragment(site, stories), "hasMoreContent": more}
    envelope = {"data": data, "error_code": 0, "error_message": "", "server_time": int(site.now().timestamp())}
    return json.dumps(envelope, ensure_ascii=False)


def _content(site: Site, story: Story) -> dict[str, object]:
    """Build one item with the 24 fields that a sister site has; `zone` can be missing."""
    picture = story.picture
    flags = {f"show_{name}": 1 for name in ("title", "sapo", "avatar", "comment", "ads", "audio")}
    item: dict[str, object] = {
        "content_id": story.post_id,
        "title": story.title,
        "sub_title": "",
        "description": f"<p>{escape(story.lead or '')}</p>",
        "date": int(story.published.timestamp()),
        "update_time": int(story.modified.timestamp()),
        "avatar_url": picture.url if picture else "",
        "avatar_description": (picture.caption or "") if picture else "",
        "url": story.path,
        "redirect_link": "",
        "frame_link": "",
        "display_type": 0,
        "attributes": 0,
        "content_type": {"article": 1, "photo": 2, "video": 3, "infographic": 4}[story.kind],
        "content_icon": "",
        "source": "",
        "source_url": "",
        **flags,
    }
    if story.post_id % 17:
        item["zone"] = _zone(site.section_named(story.section))
    return item


def _zone(section: Section) -> dict[str, object]:
    return {"zone_id": section.zone, "parent_id": 0, "name": section.name, "url": f"/{section.slug}/"}
