"""The frame around every page: head, header with its menu, sidebars, footer, scripts, trackers.

Boundary: takes the page context and the page's own parts, and returns a whole HTML page. The frame is padded to the
size measured on the real site: about 120 kB decoded, 25 kB compressed (dossier section 14). Other details from the
dossier: menu entries are `li[data-id]`, and each article link has the class `cms-link` (section 9); the header shows
the date of the request (section 15); the footer has an imprint made of `<p>` elements (section 5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache

from crawler.sim.site.markup import PIXEL, attr, text, time_tag, today
from crawler.sim.site.page_context import NAME, SLOGAN, PageContext
from crawler.sim.site.story import Section, Story
from crawler.sim.site.timeline import seeded_rng

_SIDEBAR_SIZE = 12
_FILLER_RULES = 700
_FILLER_SLOTS = 330
_SYLLABLES = ("box", "item", "head", "line", "list", "news", "zone", "card", "wrap", "icon", "tool", "foot", "menu")
_PROPERTIES = ("margin", "padding", "width", "height", "top", "left", "font-size", "line-height", "border-radius")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """The parts that differ from page to page, such as the title, the path and the main content."""

    title: str
    path: str
    main: str
    body_class: str
    description: str = SLOGAN
    meta: str = ""  # rendered tags for the head
    index: bool = True


def page(context: PageContext, parts: PageFrame) -> str:
    """Render a whole HTML page: the parts of this page inside the common frame."""
    salt = context.salt()
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="fr" class="fr">\n<head>\n',
            _head(context, parts),
            f'</head>\n<body class="{parts.body_class}">\n',
            _header(context),
            f'<div class="site-content"><div class="l-content">\n{parts.main}\n{_sidebar(context, salt)}\n</div></div>\n',
            _footer(context),
            _scripts(salt, context),
            "</body>\n</html>\n",
        )
    )


def _head(context: PageContext, parts: PageFrame) -> str:
    canonical = attr(context.url(parts.path))
    feed = "" if context.options.no_feed else _feed_link(context)
    return (
        f'<meta charset="utf-8">\n<title>{text(parts.title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="description" content="{attr(parts.description)}">\n'
        f'<meta name="robots" content="{"index,follow,max-image-preview:large" if parts.index else "noindex"}">\n'
        f'<link rel="canonical" href="{canonical}">\n'
        f'<meta property="og:url" content="{canonical}">\n<meta property="og:site_name" content="{NAME}">\n'
        f'<meta property="og:locale" content="fr_FR">\n{feed}{parts.meta}{_styles()}'
    )


def _feed_link(context: PageContext) -> str:
    href = context.url(f"{context.options.feeds_at}home.rss")
    return f'<link rel="alternate" type="application/rss+xml" title="{NAME} - À la une" href="{href}">\n'


def _header(context: PageContext) -> str:
    if context.options.plain_menu:
        return f'<div class="topbar">{_bare_links(context)}</div>\n'
    items = "".join(_menu_item(context, section) for section in context.options.sections)
    return (
        f'<header class="site-header"><div class="header__date">{today(context.now())}</div>'
        f'<a class="logo" href="{context.url("/")}" title="{NAME}"><span>{NAME}</span></a>'
        f'<form class="search" action="{context.url("/search.vnp")}"><input name="q" placeholder="Rechercher"></form>'
        f'<nav><ul class="menu"><li class="home" data-id="0"><a href="{context.url("/")}">Accueil</a></li>{items}'
        "</ul></nav></header>\n"
    )


def _bare_links(context: PageContext) -> str:
    return " ".join(f'<a href="{context.url(f"/{s.slug}/")}">{text(s.name)}</a>' for s in context.options.sections)


def _menu_item(context: PageContext, section: Section) -> str:
    href = context.url(f"/{section.slug}/")
    return f'<li data-id="{section.zone}"><a href="{href}" title="{attr(section.name)}">{text(section.name)}</a></li>'


# --- lists of stories (dossier sections 8, 9) ------------------------------------------------------------------------


def story_item(context: PageContext, story: Story) -> str:
    """Render a story as one item of a list of stories."""
    return item(
        url=context.url(story.path),
        title=story.title,
        summary=story.lead or "",
        image=(story.picture.url or "") if story.picture else "",
        alt=story.title,
        stamp=time_tag(story.published, "story__time"),
    )


def item(*, url: str, title: str, summary: str, image: str, alt: str, stamp: str = "") -> str:
    """Render one item of a list of stories: picture, heading, time, summary."""
    href, label = attr(url), attr(title)
    return (
        f'<article class="story"><figure class="story__thumb"><a class="cms-link" href="{href}" title="{label}">'
        f'<img class="lazyload" src="{PIXEL}" data-src="{attr(image)}" alt="{attr(alt)}"></a></figure>'
        f'<h2 class="story__heading"><a class="cms-link" href="{href}" title="{label}">{text(title)}</a></h2>{stamp}'
        f'<div class="story__summary">{text(summary)}</div></article>'
    )


def box(source: str, items: Iterable[str], heading: str = "", extra: str = "") -> str:
    """Render a box that contains list items, with a heading if there is one."""
    head = f'<h3 class="box-heading"><span class="title">{text(heading)}</span></h3>' if heading else ""
    return f'<div class="box-content" data-source="{source}">{head}\n' + "\n".join(items) + f"\n{extra}</div>"


def _sidebar(context: PageContext, salt: str) -> str:
    newest = context.world.newest(count=_SIDEBAR_SIZE)
    candidates = context.world.newest(count=3 * _SIDEBAR_SIZE)
    most_viewed = sorted(candidates, key=lambda s: s.post_id * 7919 % 1009)[:_SIDEBAR_SIZE]  # a fixed shuffle
    return (
        '<div class="sidebar sidebar-right">'
        f'<div class="banner ads" id="adsWeb_AdsRight1_{salt}"></div>\n'
        f"{box('latest-news', _headlines(context, newest), 'Dernières nouvelles')}\n"
        f'<div class="banner ads" id="adsWeb_AdsRight2_{salt}"></div>\n'
        f"{box('most-viewed', _headlines(context, most_viewed), 'Les plus lus')}\n</div>"
    )


def _headlines(context: PageContext, stories: Sequence[Story]) -> list[str]:
    return [_headline(context.url(story.path), story.title, story.published) for story in stories]


@lru_cache(maxsize=256)  # every page shows the same ones
def _headline(url: str, title: str, published: datetime) -> str:
    return (
        f'<article class="story story--text"><h3 class="story__heading"><a class="cms-link" '
        f'href="{attr(url)}" title="{attr(title)}">{text(title)}</a></h3>{time_tag(published, "story__time")}</article>'
    )


# --- footer and scripts ---------------------------------------------------------------------------------------------


def _footer(context: PageContext) -> str:
    links = f"{_bare_links(context)} "
    return (
        f'<footer class="site-footer"><div class="footer__sections">{links}<a href="{context.url("/rss.html")}">RSS</a></div>'
        "<p>© Vietnam+, Agence vietnamienne d'Information (VNA)</p>\n"
        "<p>Rédacteur en chef : la direction de la rédaction. Adjoints : le secrétariat de rédaction.</p>\n"
        "<p>Licence n° 0000/GP, délivrée par l'autorité de la presse.</p>\n"
        "<p>Publicité : 000.0000.0000. Téléphone : 000.0000.0000</p>\n"
        "<p>Toute reproduction sous quelque forme que ce soit est interdite sans accord écrit.</p></footer>\n"
    )


def _scripts(salt: str, context: PageContext) -> str:
    stamp = int(context.now().timestamp() * 1000)
    return (
        f'<script>window.__page = {{"rendered": {stamp}, "token": "{salt}"}};</script>\n{_ad_slots()}'
        f'<noscript><img height="1" width="1" alt="" src="https://stats.example.invalid/p.gif?r={salt}"></noscript>\n'
    )


@cache
def _styles() -> str:
    """Render an inline style sheet that is only there to give the page a realistic size."""
    rng = seeded_rng("styles")
    rules = (
        f".{rng.choice(_SYLLABLES)}-{rng.choice(_SYLLABLES)}__{rng.choice(_SYLLABLES)}"
        f"{{{rng.choice(_PROPERTIES)}:{rng.randrange(96)}px;color:#{rng.getrandbits(24):06x};"
        f"{rng.choice(_PROPERTIES)}:{rng.randrange(48)}px}}"
        for _ in range(_FILLER_RULES)
    )
    return "<style>\n" + "\n".join(rules) + "\n</style>\n"


@cache
def _ad_slots() -> str:
    """Render a script with a list of ad slots that is only there to give the page a realistic size."""
    rng = seeded_rng("slots")
    slots = (
        f'  {{"id": "Ads_{rng.choice(_SYLLABLES).title()}{n}", "token": "{rng.getrandbits(64):016x}", '
        f'"sizes": [[{rng.choice((300, 336, 728, 970))}, {rng.choice((90, 250, 280, 600))}]], "lazy": true, '
        f'"targeting": {{"zone": {rng.randrange(460, 490)}, "position": "{rng.choice(_SYLLABLES)}"}}}}'
        for n in range(_FILLER_SLOTS)
    )
    return "<script>\nvar adSlots = [\n" + ",\n".join(slots) + "\n];\n</script>\n"
