"""The site's page elements as small functions: header, menus, lists and footer, and the parts of an article.

Written only from the description of the site, independently of the parser that the pages test.
"""

from __future__ import annotations

import json
from html import escape

SITE = "https://fr.vietnamplus.vn"
MEDIA = "https://mediafr.vietnamplus.vn/images"
HEX = "6f9d2c41b7a05e8830c1d4f2a9b6e7735518c0fd92ab34e16d70c8f5432190aebb17d6c3f08e5a29"
GIF = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

# --- one story in a list, and its expected item in `related` ---------------------------------------------------------


def story(title, href, *, alt=None, summary=None, picture=True, heading="h2", when=""):
    """Return one list item of the current template. `alt` defaults to the title, as for stories without a caption."""
    alt_text = escape(title if alt is None else alt)
    thumb = (
        f'<figure class="story__thumb"><a class="cms-link" href="{href}" title="{escape(title)}">'
        f'<img class="lazyload" src="{GIF}" data-src="{MEDIA}/{HEX}/vignette.jpg.webp" alt="{alt_text}"></a></figure>'
        if picture
        else ""
    )
    below = f'<div class="story__summary"><p>{escape(summary)}</p></div>' if summary is not None else ""
    return (
        f'<article class="story">{thumb}<{heading} class="story__heading"><a class="cms-link" href="{href}" '
        f'title="{escape(title)}">{escape(title)}</a></{heading}>{when}{below}</article>\n'
    )


def voir_plus(*stories, head='<h3 class="box-heading">Voir plus</h3>', container='div class="timeline"'):
    """Return the block at the foot of the page: a heading and the stories under it."""
    return f"<{container}>{head}<div>\n{''.join(stories)}</div></{container.split()[0]}>\n"


def rel(post_id, path, title, summary="", caption=None):
    """Return the expected item of `related` for one story."""
    return {"post_id": post_id, "url": SITE + path, "title": title, "summary": summary, "caption": caption}


QUAIS = (
    "/haiphong-inaugure-deux-nouveaux-quais-en-eau-profonde-post256101.vnp",
    "Haïphong inaugure deux nouveaux quais en eau profonde",
    "Les quais 3 et 4 du port de Lach Huyên peuvent accueillir des navires de 160.000 tonnes.",
    "Un porte-conteneurs au port de Lach Huyên. Photo : VNA",
)
COMMERCE = (
    "/le-commerce-vietnam-ue-en-hausse-de-12-post256088.vnp",
    "Le commerce Vietnam-UE en hausse de 12%",
    "Les échanges bilatéraux ont dépassé 60 milliards de dollars en dix mois.",
)
#: The two stories under "Voir plus" on most pages. The alt text of the second one repeats its title.
TWO_STORIES = voir_plus(
    story(QUAIS[1], QUAIS[0], summary=QUAIS[2], alt=QUAIS[3]),
    story(COMMERCE[1], COMMERCE[0], summary=COMMERCE[2]),
)
TWO_RELATED = [
    rel(256101, QUAIS[0], QUAIS[1], QUAIS[2], QUAIS[3]),
    rel(256088, COMMERCE[0], COMMERCE[1], COMMERCE[2]),
]

# --- head ------------------------------------------------------------------------------------------------------------


def meta(**pairs):
    """Return one <meta> per pair. `og__title` becomes `og:title`; pairs with None are left out."""
    tags = []
    for key, value in pairs.items():
        name = key.replace("__", ":")
        attribute = "property" if ":" in name else "name"
        if value is not None:
            tags.append(f'<meta {attribute}="{name}" content="{escape(value)}">\n')
    return "".join(tags)


def json_ld(data):
    """Return a JSON-LD script."""
    return f'<script type="application/ld+json">{json.dumps(data, ensure_ascii=False)}</script>\n'


def news_article(headline, **more):
    """Return the JSON-LD of an article. The site HTML-escapes the headline."""
    return {"@context": "https://schema.org", "@type": "NewsArticle", "headline": escape(headline)} | more


def breadcrumb_list(*names):
    """Return the JSON-LD breadcrumb."""
    items = [
        {"@type": "ListItem", "position": n, "item": {"@id": f"{SITE}/x{n}/", "name": name}}
        for n, name in enumerate(names, 1)
    ]
    return {"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": items}


ORGANISATION = json_ld(
    {"@context": "https://schema.org", "@type": "NewsMediaOrganization", "name": "Vietnam+ (VietnamPlus)", "url": SITE}
)

# --- page ------------------------------------------------------------------------------------------------------------

HEADER = """<header class="site-header"><div class="header__date">Mardi 01/12/2026 10:12</div>
<a class="logo" href="/"><img src="https://cdnstatic.vietnamplus.vn/assets/logo-fr.png" alt="Vietnam+"></a>
<ul class="menu"><li data-id="1"><a class="cms-link" href="/politique/">Politique</a></li>
<li data-id="2"><a class="cms-link" href="/economie/">Economie</a></li><li data-id="3"><a href="/monde/">Monde</a></li>
<li><a href="/video/">Vidéo</a></li></ul><form action="/search.vnp"><input name="q" placeholder="Recherche"></form></header>
<div class="ads banner" id="adsWeb_AdsTop"><script>window.adsQueue = ["<p>Publicité</p>"];</script></div>
"""
SIDEBAR = (
    '<div class="sidebar col-right"><div class="box-content" data-source="mostread"><h3 class="box-heading">Les plus lus</h3>\n'
    + story(
        "Cinq plages à découvrir cet hiver",
        "/cinq-plages-a-decouvrir-cet-hiver-post256040.vnp",
        summary="De Phu Quôc à Con Dao.",
        when='<time class="time" datetime="2026-11-30T09:00:00+0700" data-time="1796004000">30/11/2026 09:00</time>',
    )
    + story("Le café robusta au plus haut", "/le-cafe-robusta-au-plus-haut-post256044.vnp", picture=False)
    + '</div><div class="ads_right" id="adsWeb_AdsRight1"><p>Publicité</p></div></div>\n'
)
FOOTER = """<footer class="site-footer"><p>Vietnam+ (VietnamPlus), édité par l’Agence vietnamienne d’information (VNA)</p>
<p>Directeur de la publication : Trân Tiên Duân. Licence N° 1374/GP-BTTTT du 11 septembre 2008.</p>
<p>Publicité : 04.39411349. Copyright, VietnamPlus, TTXVN. Tous droits réservés.</p></footer>
<script src="https://cdnstatic.vietnamplus.vn/assets/app.min.js"></script>
"""


def document(head, main, *, header=HEADER, footer=FOOTER, lang="fr"):
    """Return a whole document."""
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n{head}</head>\n<body class="detail-page">\n{header}'
        f'<div class="l-content"><div class="container">\n{main}</div></div>\n{footer}</body>\n</html>\n'
    )


def figure(src, *, alt="", caption=None, cls="", attr="data-src"):
    """Return a picture of the current template. Without a caption, there is no <figcaption>."""
    under = f"<figcaption>{caption}</figcaption>" if caption is not None else ""
    class_attribute = f' class="{cls}"' if cls else ""
    return f'<figure{class_attribute}><img class="cms-photo" src="{GIF}" {attr}="{src}" alt="{escape(alt)}">{under}</figure>\n'


def table_picture(src, *, alt="", caption=None):
    """Return a picture of 2016-2023: a table with the caption in its second row."""
    row = f'<tr><td class="caption"><p>{caption}</p></td></tr>' if caption is not None else ""
    return (
        '<table class="picture" align="center"><tbody><tr><td class="pic"><a class="photo" href="#" data-index="0">'
        f'<img class="cms-photo" src="{GIF}" data-src="{src}" alt="{escape(alt)}" data-image-id="881" data-width="660" '
        f'data-height="440"></a></td></tr>{row}</tbody></table>\n'
    )


def time_tag(datetime="2025-04-29T14:30:44+0700", epoch="1745911844", shown="29/04/2025 14:30"):
    """Return the visible time. An attribute whose value is None is left out."""
    datetime_attribute = f' datetime="{datetime}"' if datetime is not None else ""
    epoch_attribute = f' data-time="{epoch}"' if epoch is not None else ""
    return f'<time class="time"{datetime_attribute}{epoch_attribute}>{shown}</time>'
