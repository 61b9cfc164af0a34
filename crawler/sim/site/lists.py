"""The machine-readable endpoints: sitemaps, feeds, robots.txt and the JSON list API.

Boundary: page context in, text out. Formats follow the site dossier: list API (section 10), sitemaps (section 11),
feeds (section 12), robots.txt (section 13).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from xml.sax.saxutils import escape

from crawler.sim.site import pages
from crawler.sim.site.markup import iso, rfc822
from crawler.sim.site.page_context import NAME, PageContext
from crawler.sim.site.story import HANOI, Section, Story, slugify

XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS_AGE = timedelta(days=2)
PAGE_SIZE, PAGE_CAP = 40, 50  # default and largest number of stories in a page of the list API


@dataclass(frozen=True, slots=True)
class ApiTopic:
    """A topic of the site. A story belongs to it if its title contains `word`; all stories do if `word` is empty."""

    zone: int
    title: str
    word: str


TOPICS = (
    ApiTopic(107, "Dernières nouvelles", ""),
    ApiTopic(135, "Édification du Parti", "parti"),
    ApiTopic(142, "Mer Orientale et défense", "défense"),
    ApiTopic(151, "Commerce extérieur", "export"),
)


def topic_path(context: PageContext, topic: ApiTopic) -> str:
    """Return the path of the page of a topic."""
    return f"/topic/{slugify(topic.title, context.now())}-{topic.zone}.vnp"


def stories_of(context: PageContext, topic: ApiTopic, *, start: int = 0, count: int = PAGE_SIZE) -> list[Story]:
    """Skip the newest `start` stories of a topic, and return the next `count` of them, newest first."""
    if not topic.word:
        return context.world.newest(start=start, count=count)
    return matching(context, topic.word)[start : start + count]


def matching(context: PageContext, word: str) -> list[Story]:
    """Search the newest 1,000 stories, and return those whose title contains `word`, newest first."""
    wanted = word.casefold()
    return [s for s in context.world.newest(count=1000) if wanted in s.title.casefold()]


# --- robots.txt and sitemaps ----------------------------------------------------------------------------------------


def robots(context: PageContext) -> str:
    """Render a robots.txt like that of the Vietnamese edition (dossier section 13)."""
    allowed = ("/*.js", "/*.css", "/*.jpg")
    disallowed = ("/Api/", "/Utilities/", "*Counter.aspx*", "*/avatar.aspx*", "/raovat/tim-kiem/", "/raovat/dang-tin/")
    lines = ["User-agent: *", *(f"Allow: {p}" for p in allowed), *(f"Disallow: {p}" for p in disallowed)]
    lines += context.options.robots
    if not context.options.no_sitemap:
        lines += ["", f"Sitemap: {context.url('/sitemap.xml')}"]
    return "\n".join(lines) + "\n"


def sitemap_index(context: PageContext) -> str:
    """Render the sitemap index, newest month first. Months have no leading zero: `news-2025-4`."""
    names = ["categories", "topics"]
    if not context.options.no_news_sitemap:
        names.append("google-news")
    names += [f"news-{year}-{month}" for year, month in reversed(months(context))]
    now = iso(context.now())
    entries = (
        f"<sitemap><loc>{context.url(f'/sitemaps/{n}.xml')}</loc><lastmod>{now}</lastmod></sitemap>" for n in names
    )
    return f'{XML}<sitemapindex xmlns="{_SCHEMA}">\n' + "\n".join(entries) + "\n</sitemapindex>\n"


def months(context: PageContext) -> list[tuple[int, int]]:
    """Return each month that has stories, and the current month, as pairs of year and month, oldest first."""
    now = context.now().astimezone(HANOI)
    found = {(e.published.year, e.published.month) for e in context.world.in_sitemaps()}
    return sorted(found | {(now.year, now.month)})


def month_sitemap(context: PageContext, year: int, month: int) -> str:
    """Render the sitemap of one month, oldest story first.

    The titles of images are CDATA sections whose markers are escaped (dossier section 11).
    """
    stories = [
        context.world.story(e.post_id)
        for e in context.world.in_sitemaps()
        if (e.published.year, e.published.month) == (year, month)
    ]
    extra = ' xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'
    return _urlset((_month_url(context, s) for s in stories), extra)


def _month_url(context: PageContext, story: Story) -> str:
    return f"<url><loc>{_loc(context, story)}</loc><lastmod>{iso(story.modified)}</lastmod>{_image(story)}</url>"


def _image(story: Story) -> str:
    if story.picture is None:
        return ""
    title = f"&lt;![CDATA[{escape(story.title)}]]&gt;"
    loc = escape(story.picture.url or "")
    return f"<image:image><image:loc>{loc}</image:loc><image:title>{title}</image:title></image:image>"


def news_sitemap(context: PageContext) -> str:
    """Render the news sitemap: the stories of the last two days, newest first."""
    since = context.now() - _NEWS_AGE
    recent = []
    for entry in reversed(context.world.in_sitemaps()):
        if entry.published < since:
            break
        recent.append(context.world.story(entry.post_id))
    extra = ' xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"'
    return _urlset((_news_url(context, s) for s in recent), extra)


def _news_url(context: PageContext, story: Story) -> str:
    return (
        f"<url><loc>{_loc(context, story)}</loc><lastmod>{iso(story.modified)}</lastmod><news:news><news:publication>"
        f"<news:name>{NAME}</news:name><news:language>fr</news:language></news:publication>"
        f"<news:publication_date>{iso(story.published)}</news:publication_date>"
        f"<news:title>{cdata(story.title)}</news:title></news:news></url>"
    )


def paths_sitemap(context: PageContext, paths: Iterable[str]) -> str:
    """Render a sitemap that lists the section pages or topic pages in `paths`."""
    return _urlset(f"<url><loc>{escape(context.url(p))}</loc><changefreq>hourly</changefreq></url>" for p in paths)


def _urlset(urls: Iterable[str], extra: str = "") -> str:
    return f'{XML}<urlset xmlns="{_SCHEMA}"{extra}>\n' + "\n".join(urls) + "\n</urlset>\n"


def _loc(context: PageContext, story: Story) -> str:
    return escape(context.url(story.path))


def cdata(value: str) -> str:
    """Return a text as a CDATA section."""
    return f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"


# --- feeds ----------------------------------------------------------------------------------------------------------


def feeds(context: PageContext) -> list[tuple[str, str]]:
    """Return the name and the path of each RSS feed."""
    folder = context.options.feeds_at
    return [("À la une", f"{folder}home.rss"), *((s.name, f"{folder}{s.slug}.rss") for s in context.options.sections)]


def feed(context: PageContext, name: str, stories: Sequence[Story]) -> str:
    """Render the RSS feed named `name`, with those of the given stories that feeds list."""
    items = "\n".join(_feed_item(context, s) for s in stories if not context.options.is_only_in_section(s.post_id))
    return (
        f'{XML}<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel>\n'
        f"<title>{escape(name)} - {NAME}</title><link>{context.url('/')}</link><language>fr</language>"
        f"<description>{escape(name)}</description><lastBuildDate>{rfc822(context.now())}</lastBuildDate>\n"
        f"{items}\n</channel></rss>\n"
    )


def _feed_item(context: PageContext, story: Story) -> str:
    url = _loc(context, story)
    image = f'<a href="{url}"><img src="{escape(story.picture.url or "")}"></a>' if story.picture else ""
    return (
        f'<item><title>{cdata(story.title)}</title><link>{url}</link><guid isPermaLink="true">{url}</guid>'
        f"<pubDate>{rfc822(story.published)}</pubDate><category>{escape(story.section)}</category>"
        f"<description>{cdata(image + escape(story.lead or ''))}</description></item>"
    )


# --- the JSON list API ----------------------------------------------------------------------------------------------


def api_list(context: PageContext, stories: Sequence[Story], *, more: bool) -> str:
    """Render one page of the JSON list API, in the format that `Options.dialect` chooses.

    `more` is true if further pages follow.
    """
    data: dict[str, object]
    if context.options.dialect == "contents":
        data = {"contents": [_content(context, s) for s in stories], "load_more": more}
    else:
        data = {"articles": pages.fragment(context, stories), "hasMoreContent": more}
    envelope = {"data": data, "error_code": 0, "error_message": "", "server_time": int(context.now().timestamp())}
    return json.dumps(envelope, ensure_ascii=False)


def _content(context: PageContext, story: Story) -> dict[str, object]:
    """Return a story as an item of the list API, with the 24 fields that a sister site uses (dossier section 10).

    Some stories have no field `zone`.
    """
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
        item["zone"] = _zone(context.section_named(story.section))
    return item


def _zone(section: Section) -> dict[str, object]:
    return {"zone_id": section.zone, "parent_id": 0, "name": section.name, "url": f"/{section.slug}/"}
