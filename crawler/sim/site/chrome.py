"""The frame around every page: head, header with its menu, sidebars, footer, scripts, trackers.

Boundary: site and a page's own parts in, a whole HTML page out. The frame is padded to the size that was measured
on the real site: about 120 kB decoded, 25 kB as sent (dossier 14). Menu: `li[data-id]` (9); header with the date of
the visit (15); imprint made of `<p>`s in the footer (5); every article link carries `cms-link` (9).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from crawler.sim.site.markup import PIXEL, attr, text, time_tag, today
from crawler.sim.site.page_context import NAME, SLOGAN, Site
from crawler.sim.site.story import Section, Story
from crawler.sim.site.timeline import chance

_SIDEBAR_SIZE = 12
_FILLER_RULES = 700
_FILLER_SLOTS = 330
_SYLLABLES = ("box", "item", "head", "line", "list", "news", "zone", "card", "wrap", "icon", "tool", "foot", "menu")
_PROPERTIES = ("margin", "padding", "width", "height", "top", "left", "font-size", "line-height", "border-radius")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The parts of a page that are its own."""

    title: str
    path: str
    main: str
    body_class: str
    description: str = SLOGAN
    meta: str = ""  # finished tags for the head
    index: bool = True


def page(site: Site, parts: Page) -> str:
    """Put a whole page together."""
    salt = site.salt()
    return "".join(
        (
            '<!DOCTYPE html>\n<html lang="fr" class="fr">\n<head>\n',
            _head(site, parts),
            f'</head>\n<body class="{parts.body_class}">\n',
            _header(site),
            f'<div class="site-content"><div class="l-content">\n{parts.main}\n{_sidebar(site, salt)}\n</div></div>\n',
            _footer(site),
            _scripts(salt, site),
            "</body>\n</html>\n",
        )
    )


def _head(site: Site, parts: Page) -> str:
    canonical = attr(site.url(parts.path))
    feed = "" if site.options.no_feed else _feed_link(site)
    return (
        f'<meta charset="utf-8">\n<title>{text(parts.title)}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="description" content="{attr(parts.description)}">\n'
        f'<meta name="robots" content="{"index,follow,max-image-preview:large" if parts.index else "noindex"}">\n'
        f'<link rel="canonical" href="{canonical}">\n'
        f'<meta property="og:url" content="{canonical}">\n<meta property="og:site_name" content="{NAME}">\n'
        f'<meta property="og:locale" content="fr_FR">\n{feed}{parts.meta}{_styles()}'
    )


def _feed_link(site: Site) -> str:
    href = site.url(f"{site.options.feeds_at}home.rss")
    return f'<link rel="alternate" type="application/rss+xml" title="{NAME} - À la une" href="{href}">\n'


def _header(site: Site) -> str:
    if site.options.plain_menu:
        return f'<div class="topbar">{_bare_links(site)}</div>\n'
    items = "".join(_menu_item(site, section) for section in site.options.sections)
    return (
        f'<header class="site-header"><div class="header__date">{today(site.now())}</div>'
        f'<a class="logo" href="{site.url("/")}" title="{NAME}"><span>{NAME}</span></a>'
        f'<form class="search" action="{site.url("/search.vnp")}"><input name="q" placeholder="Rechercher"></form>'
        f'<nav><ul class="menu"><li class="home" data-id="0"><a href="{site.url("/")}">Accueil</a></li>{items}'
        "</ul></nav></header>\n"
    )


def _bare_links(site: Site) -> str:
    return " ".join(f'<a href="{site.url(f"/{s.slug}/")}">{text(s.name)}</a>' for s in site.options.sections)


def _menu_item(site: Site, section: Section) -> str:
    href = site.url(f"/{section.slug}/")
    return f'<li data-id="{section.zone}"><a href="{href}" title="{attr(section.name)}">{text(section.name)}</a></li>'


# --- lists of stories (dossier 8, 9) --------------------------------------------------------------------------------


def story_item(site: Site, story: Story) -> str:
    """Write a story the way lists show it."""
    return item(
        url=site.url(story.path),
        title=story.title,
        summary=story.lead or "",
        image=(story.picture.url or "") if story.picture else "",
        alt=story.title,
        stamp=time_tag(story.published, "story__time"),
    )


def item(*, url: str, title: str, summary: str, image: str, alt: str, stamp: str = "") -> str:
    """Write one list item: picture, heading, summary."""
    href, label = attr(url), attr(title)
    return (
        f'<article class="story"><figure class="story__thumb"><a class="cms-link" href="{href}" title="{label}">'
        f'<img class="lazyload" src="{PIXEL}" data-src="{attr(image)}" alt="{attr(alt)}"></a></figure>'
        f'<h2 class="story__heading"><a class="cms-link" href="{href}" title="{label}">{text(title)}</a></h2>{stamp}'
        f'<div class="story__summary">{text(summary)}</div></article>'
    )


def box(source: str, items: Iterable[str], heading: str = "", extra: str = "") -> str:
    """Write a box of list items."""
    head = f'<h3 class="box-heading"><span class="title">{text(heading)}</span></h3>' if heading else ""
    return f'<div class="box-content" data-source="{source}">{head}\n' + "\n".join(items) + f"\n{extra}</div>"


def _sidebar(site: Site, salt: str) -> str:
    newest = site.world.newest(count=_SIDEBAR_SIZE)
    read = sorted(site.world.newest(count=3 * _SIDEBAR_SIZE), key=lambda s: s.post_id * 7919 % 1009)[:_SIDEBAR_SIZE]
    return (
        '<div class="sidebar sidebar-right">'
        f'<div class="banner ads" id="adsWeb_AdsRight1_{salt}"></div>\n'
        f"{box('latest-news', _briefly(site, newest), 'Dernières nouvelles')}\n"
        f'<div class="banner ads" id="adsWeb_AdsRight2_{salt}"></div>\n'
        f"{box('most-viewed', _briefly(site, read), 'Les plus lus')}\n</div>"
    )


def _briefly(site: Site, stories: Sequence[Story]) -> list[str]:
    return [
        f'<article class="story story--text"><h3 class="story__heading"><a class="cms-link" '
        f'href="{attr(site.url(s.path))}" title="{attr(s.title)}">{text(s.title)}</a></h3>'
        f"{time_tag(s.published, 'story__time')}</article>"
        for s in stories
    ]


# --- below and behind -----------------------------------------------------------------------------------------------


def _footer(site: Site) -> str:
    links = f"{_bare_links(site)} "
    return (
        f'<footer class="site-footer"><div class="footer__sections">{links}<a href="{site.url("/rss.html")}">RSS</a></div>'
        "<p>© Vietnam+, Agence vietnamienne d'Information (VNA)</p>\n"
        "<p>Rédacteur en chef : la direction de la rédaction. Adjoints : le secrétariat de rédaction.</p>\n"
        "<p>Licence n° 0000/GP, délivrée par l'autorité de la presse.</p>\n"
        "<p>Publicité : 000.0000.0000. Téléphone : 000.0000.0000</p>\n"
        "<p>Toute reproduction sous quelque forme que ce soit est interdite sans accord écrit.</p></footer>\n"
    )


def _scripts(salt: str, site: Site) -> str:
    stamp = int(site.now().timestamp() * 1000)
    return (
        f'<script>window.__page = {{"rendered": {stamp}, "token": "{salt}"}};</script>\n{_ad_slots()}'
        f'<noscript><img height="1" width="1" alt="" src="https://stats.example.invalid/p.gif?r={salt}"></noscript>\n'
    )


@cache
def _styles() -> str:
    """Write the style sheet that the page carries along."""
    rng = chance("styles")
    rules = (
        f".{rng.choice(_SYLLABLES)}-{rng.choice(_SYLLABLES)}__{rng.choice(_SYLLABLES)}"
        f"{{{rng.choice(_PROPERTIES)}:{rng.randrange(96)}px;color:#{rng.getrandbits(24):06x};"
        f"{rng.choice(_PROPERTIES)}:{rng.randrange(48)}px}}"
        for _ in range(_FILLER_RULES)
    )
    return "<style>\n" + "\n".join(rules) + "\n</style>\n"


@cache
def _ad_slots() -> str:
    """Write the table of advertising places that the page carries along."""
    rng = chance("slots")
    places = (
        f'  {{"id": "Ads_{rng.choice(_SYLLABLES).title()}{n}", "token": "{rng.getrandbits(64):016x}", '
        f'"sizes": [[{rng.choice((300, 336, 728, 970))}, {rng.choice((90, 250, 280, 600))}]], "lazy": true, '
        f'"targeting": {{"zone": {rng.randrange(460, 490)}, "position": "{rng.choice(_SYLLABLES)}"}}}}'
        for n in range(_FILLER_SLOTS)
    )
    return "<script>\nvar adSlots = [\n" + ",\n".join(places) + "\n];\n</script>\n"
