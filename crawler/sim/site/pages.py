"""The HTML pages of the fake site: articles, home, sections, topics, search, the 404 page and the bot wall.

Boundary: page context in, HTML text out. Markup and endpoints follow the site dossier: article head (section 4),
article DOM (section 5), `Voir plus` (section 8), section pages and the load-more button (section 9), topics and search
(section 2).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape

from crawler.sim.site import body
from crawler.sim.site.chrome import PageFrame, box, item, page, story_item
from crawler.sim.site.markup import attr, compact, iso, query, text, time_tag
from crawler.sim.site.page_context import NAME, SLOGAN, PageContext
from crawler.sim.site.story import Section, Story
from crawler.sim.site.timeline import seeded_rng

_RELATE_SHARE = 0.12  # share of the generated stories with a related link inside the body
_VOIR_PLUS = "Voir plus"


def article(context: PageContext, story: Story) -> str:
    """Render the page of a story."""
    era = context.options.era or story.era
    parts = body.render(story, era, body.Noise(context.salt(), _relate(context, story)))
    main = "\n".join(
        (
            '<div class="main-col content-col">',
            _breadcrumb(context, story),
            f'<h1 class="article__title cms-title">{text(story.title)}</h1>',
            _meta_line(story),
            _sapo(story),
            parts.avatar,
            '<div class="article__body zce-content-body cms-body" itemprop="articleBody">',
            parts.html,
            "</div>",
            '<div class="article__source"></div>',
            _tags(context, story),
            _voir_plus(context, story),
            "</div>",
        )
    )
    return page(
        context,
        PageFrame(
            title=f"{story.title} | {NAME}",
            path=story.path,
            main=main,
            body_class="detail-page",
            description=story.lead or SLOGAN,
            meta=_article_meta(context, story),
        ),
    )


# --- the article's head ---------------------------------------------------------------------------------------------


def _article_meta(context: PageContext, story: Story) -> str:
    image = (story.picture.url or "") if story.picture else ""
    properties = {
        "og:type": "article",
        "og:title": story.title,
        "og:description": story.lead or SLOGAN,
        "og:image": image,
        "article:published_time": iso(story.published),
        "article:modified_time": iso(story.modified),
        "article:section": story.section,
    }
    tags = (f'<meta property="{name}" content="{attr(value)}">' for name, value in properties.items() if value)
    keywords = f'<meta name="keywords" content="{attr(", ".join(story.tags))}">'
    return "\n".join((keywords, *tags, _json_ld(_news_article(context, story)), _json_ld(_crumbs(context, story)), ""))


def _news_article(context: PageContext, story: Story) -> dict[str, object]:
    """Return the JSON-LD object `NewsArticle`; its headline is HTML-escaped, as on the site (dossier section 4)."""
    return {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "mainEntityOfPage": {"@type": "WebPage", "@id": context.url(story.path)},
        "headline": escape(story.title),
        "description": escape(story.lead or ""),
        "image": {"@type": "ImageObject", "url": (story.picture.url or "") if story.picture else ""},
        "datePublished": iso(story.published),
        "dateModified": iso(story.modified),
        "author": {"@type": "Person", "name": story.byline or ""},
        "publisher": {"@type": "Organization", "name": NAME, "url": context.url("/")},
    }


def _crumbs(context: PageContext, story: Story) -> dict[str, object]:
    section = context.section_named(story.section)
    crumbs = (("Accueil", context.url("/")), (section.name, context.url(f"/{section.slug}/")))
    return {
        "@context": "https://schema.org",
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": n, "item": {"@id": url, "name": name}}
            for n, (name, url) in enumerate(crumbs, 1)
        ],
    }


def _json_ld(value: dict[str, object]) -> str:
    content = json.dumps(value, ensure_ascii=False).replace("</", "<\\/")
    return f'<script type="application/ld+json">{content}</script>'


# --- the article's parts --------------------------------------------------------------------------------------------


def _breadcrumb(context: PageContext, story: Story) -> str:
    section = context.section_named(story.section)
    link = f'<a href="{context.url(f"/{section.slug}/")}">{text(section.name)}</a>'
    return f'<div class="breadcrumb breadcrumb-detail"><h2>{link}</h2></div>'


def _meta_line(story: Story) -> str:
    return (
        f'<div class="article__meta"><span class="author cms-author">{text(story.byline or "")}</span>'
        f'<meta class="cms-date" itemprop="datePublished" content="{compact(story.published)}">'
        f"{time_tag(story.published)}</div>"
    )


def _sapo(story: Story) -> str:
    return f'<div class="article__sapo cms-desc"><p>{text(story.lead)}</p></div>' if story.lead else ""


def _tags(context: PageContext, story: Story) -> str:
    links = " ".join(f'<a href="{context.url("/search.vnp?q=" + query(t))}">#{text(t)}</a>' for t in story.tags)
    return f'<div class="article__tag">{links}</div>' if links else ""


def _relate(context: PageContext, story: Story) -> str:
    rng = seeded_rng("relate", story.post_id)
    if story.related is not None or rng.random() > _RELATE_SHARE:
        return ""
    other = rng.choice(context.newest_in_section(story) or [story])
    url, title = attr(context.url(other.path)), attr(other.title)
    return f'<a class="cms-relate" href="{url}" title="{title}">Lire aussi : {text(other.title)}</a>'


def _voir_plus(context: PageContext, story: Story) -> str:
    items = [
        item(
            url=context.url(other.path if other else "/"),
            title=related.title,
            summary=related.summary,
            image=(other.picture.url or "") if other and other.picture else "",
            alt=related.caption or related.title,
        )
        for related, other in context.related_stories(story)
    ]
    zone = context.section_named(story.section).zone
    return f'<div class="timeline abf-cate">{box(f"zone-timeline-{zone}", items, _VOIR_PLUS)}</div>'


# --- lists ----------------------------------------------------------------------------------------------------------


def home(context: PageContext) -> str:
    """Render the home page: the newest stories, then a box for each section."""
    stories = context.world.newest(count=context.options.home_size)
    boxes = [box("home-latest", _items(context, stories), "À la une")]
    for section in context.options.sections:
        newest = [
            story
            for story in context.world.newest(section.name, count=3)
            if not context.options.is_only_in_section(story.post_id)
        ]
        boxes.append(box(f"zone-{section.zone}", _items(context, newest), section.name))
    return page(context, PageFrame(title=NAME, path="/", main=_list_main(boxes), body_class="home-page"))


def section_page(context: PageContext, section: Section) -> str:
    """Render the first page of a section, with its load-more button."""
    size = context.options.section_size
    stories = context.world.newest(section.name, count=size)
    source, more = f"zone-timeline-{section.zone}", "" if context.options.no_load_more else _more(section, size)
    boxes = [f"<h1>{text(section.name)}</h1>", box(source, _items(context, stories), extra=more)]
    title = f"{section.name} | {NAME}"
    return page(
        context, PageFrame(title=title, path=f"/{section.slug}/", main=_list_main(boxes), body_class="category-page")
    )


def _more(section: Section, size: int) -> str:
    return (
        f'<button type="button" class="view-more control__loadmore" data-page="2" data-zone="{section.zone}" '
        f'data-type="zone" data-size="{size}" data-layout="timeline">Voir davantage</button>'
    )


def fragment(context: PageContext, stories: Sequence[Story]) -> str:
    """Render what the load-more button fetches: list items alone, without the rest of a page."""
    return "\n".join(_items(context, stories))


def topic_page(context: PageContext, title: str, path: str, stories: Sequence[Story]) -> str:
    """Render the page of a topic: its title and a list of its stories."""
    boxes = [f"<h1>{text(title)}</h1>", box("topic-timeline", _items(context, stories))]
    return page(
        context, PageFrame(title=f"{title} | {NAME}", path=path, main=_list_main(boxes), body_class="topic-page")
    )


def search_page(context: PageContext, term: str, stories: Sequence[Story]) -> str:
    """Render the page that the site's own search returns for `term`, with the stories found."""
    boxes = [f'<div class="search-result"><strong>{len(stories)}</strong> résultats</div>']
    boxes.append(box("search", _items(context, stories)))
    path = f"/search.vnp?q={query(term)}"
    title = f"{term} | {NAME}"
    return page(
        context, PageFrame(title=title, path=path, main=_list_main(boxes), body_class="search-page", index=False)
    )


def feed_index(context: PageContext, feeds: Sequence[tuple[str, str]]) -> str:
    """Render the page that lists the feeds."""
    links = (f'<li><a href="{context.url(path)}">{text(name)}</a></li>' for name, path in feeds)
    main = f'<div class="main-col"><h1>RSS</h1><ul class="rss-list">{"".join(links)}</ul></div>'
    return page(context, PageFrame(title=f"RSS | {NAME}", path="/rss.html", main=main, body_class="rss-page"))


def _items(context: PageContext, stories: Sequence[Story]) -> list[str]:
    return [story_item(context, s) for s in stories]


def _list_main(boxes: Sequence[str]) -> str:
    return '<div class="main-col">' + "\n".join(boxes) + "</div>"


# --- other pages -----------------------------------------------------------------------------------------------------


def missing(context: PageContext) -> str:
    """Render the 404 page."""
    main = (
        '<div class="main-col error-page"><h1>404</h1><div class="message">La page demandée est introuvable. '
        f'<a href="{context.url("/")}">Retour à l\'accueil</a></div></div>'
    )
    return page(
        context,
        PageFrame(title=f"Page introuvable | {NAME}", path="/404", main=main, body_class="error", index=False),
    )


def bot_wall(context: PageContext) -> str:
    """Render the page of a bot wall, which is served instead of another page, with status 200."""
    salt = context.salt()
    return (
        "<!DOCTYPE html><html><head><title>Just a moment...</title><meta name='robots' content='noindex'></head><body>"
        "<h1>Vérification de votre navigateur</h1><p>Activez JavaScript et les cookies pour continuer.</p>"
        f"<script>window._challenge = {{token: '{salt}', ray: '{salt[:8]}'}};</script><p>Ray ID : {salt}</p></body></html>"
    )
