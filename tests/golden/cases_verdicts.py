"""Layout drift (the page declares an article, but has no known layout) and pages that are not articles."""

from __future__ import annotations

import json
from html import escape

from chrome import ORGANISATION, SIDEBAR, SITE, breadcrumb_list, document, json_ld, meta, news_article, story
from kit import BODY, BODY_TAG, LEAD, P1, P2, P3, PUBLISHED, STANDARD, TITLE, URL, article_head, article_page, case

# --- drift -----------------------------------------------------------------------------------------------------------

FOUND = {
    "post_id": 245060,
    "section": "Politique",
    "title": TITLE,
    "published_at": PUBLISHED,
    "blocks": [],
    "text": "",
}
NEW_MARKUP = (
    f'<main class="nx-page"><p class="nx-kicker">Politique</p><h1 class="nx-hl">{TITLE}</h1><p class="nx-intro">{LEAD}</p>'
    f'<div class="nx-rich"><p>{P1}</p><p>{P2}</p><p>{P3}</p></div></main>'
)
NEW_CHROME = {
    "header": '<nav class="nx-nav"><a href="/politique/">Politique</a></nav>',
    "footer": '<footer class="nx-foot"><p>VNA</p></footer>',
}


def new_layout(main=NEW_MARKUP, **head):
    """Return the article in a layout where every class name is new."""
    return document(article_head(**{"title": TITLE, "lead": LEAD, "url": URL} | head), main, **NEW_CHROME)


case(
    "drift_redesign",
    new_layout(),
    "every class name is new; NewsArticle and og:type declare an article: the metadata is reported, the body is not guessed",
    "4 5",
    FOUND,
    code=4,
)
case(
    "drift_redesign_json_ld_only",
    document(
        "<title>Vietnam+</title>"
        + json_ld(news_article("L'ASEAN & l’UE : « R&D »", datePublished=PUBLISHED))
        + json_ld(breadcrumb_list("Monde")),
        '<div class="nx"><h2 class="nx-h">L’ASEAN</h2><div>Texte.</div></div>',
        **NEW_CHROME,
    ),
    "only JSON-LD declares an article; its HTML-escaped headline is decoded",
    "4",
    {
        "post_id": 245060,
        "title": "L'ASEAN & l’UE : « R&D »",
        "published_at": PUBLISHED,
        "section": "Monde",
        "blocks": [],
    },
    code=4,
)
case(
    "drift_redesign_open_graph_only",
    new_layout(ld="", canonical=None),
    "only og:type and og:title declare an article",
    "4",
    FOUND,
    code=4,
)
case(
    "drift_redesign_canonical_only",
    document(
        f'<title>{TITLE} | Vietnam+ (VietnamPlus)</title><link rel="canonical" href="{URL}">', NEW_MARKUP, **NEW_CHROME
    ),
    "only the canonical link, an article URL, shows that this is an article; the source of the title is not checked",
    "2 4",
    {"post_id": 245060, "published_at": None, "blocks": [], "text": ""},
    code=4,
)
case(
    "drift_amp",
    f'<!doctype html><html amp lang="fr"><head><meta charset="utf-8"><script async src="https://cdn.ampproject.org/v0.js"></script>'
    f"<title>{TITLE}</title><link rel='canonical' href='{URL}'>"
    + meta(article__section="Politique")
    + json_ld(news_article(TITLE, datePublished=PUBLISHED))
    + f'</head><body><header><h1>{TITLE}</h1></header><amp-img src="/p.jpg" width="6" height="4"></amp-img><div class="content">{BODY}'
    "</div><amp-ad></amp-ad></body></html>",
    "an AMP page: no known class",
    "4 18",
    FOUND,
    code=4,
)
case(
    "drift_body_renamed",
    article_page(body_tag='<div class="story-content cms-content-v2">', avatar=""),
    "title and lead have known classes, but the body's container has a new class and no itemprop",
    "5",
    FOUND | {"lead": LEAD},
    code=4,
)
case(
    "drift_body_renamed_sidebar_has_paragraphs",
    article_page(
        body_tag='<div class="story-content">',
        after='<div class="sidebar"><div class="cms-body-list"><p>Texte étranger qui n’est pas l’article.</p></div></div>',
    ),
    "the body's container has a new class; paragraphs elsewhere on the page are not used instead",
    "5",
    FOUND,
    code=4,
    excludes={"text": ["Texte étranger"]},
)
case(
    "drift_body_loaded_by_script",
    article_page("").replace(f"{BODY_TAG}\n</div>", '<div id="app-body" data-api="/api/content/245060"></div>'),
    "the body is loaded by a script: an empty page that declares an article",
    "5 18",
    FOUND,
    code=4,
)

# --- pages of the site that are not articles -------------------------------------------------------------------------

STORIES = "".join(
    story(f"Nouvelle {n}", f"/nouvelle-{n}-post2560{n:02}.vnp", summary=f"Résumé {n}.") for n in range(1, 9)
)


def list_page(title, url, *, above="", head="", stories=STORIES):
    """Return a page of the site that lists stories."""
    return document(
        f'<meta charset="utf-8"><title>{escape(title)} | Vietnam+ (VietnamPlus)</title><link rel="canonical" href="{url}">'
        + meta(og__type="website", og__title=title, og__url=url)
        + head
        + ORGANISATION,
        f'<div class="main-col content-col">{above}<div class="timeline">{stories}</div><button data-page="2">Voir plus</button></div>{SIDEBAR}',
    )


def rejected(name, page, about, dossier, url=URL, **more):
    """Register a page that is not an article."""
    case(name, page, about, dossier, code=3, url=url, **more)


HOME = list_page("Vietnam+", SITE + "/", head=json_ld({"@type": "WebSite", "name": "Vietnam+", "url": SITE}))
rejected("list_home", HOME, "the home page", "9", SITE + "/")
rejected(
    "list_home_at_article_url",
    HOME,
    "an article's URL returns the home page with status 200 (redirect, or removed article)",
    "14 18.16 18.22",
)
SECTION = SITE + "/politique/"
rejected(
    "list_section",
    list_page(
        "Politique",
        SECTION,
        above='<h1 class="title"><a href="/politique/">Politique</a></h1>',
        head=json_ld(breadcrumb_list("Politique")),
    ),
    "a section list",
    "9",
    SECTION,
)
rejected(
    "list_section_at_article_url",
    list_page("Politique", SECTION),
    "an article's URL returns its section page",
    "18.16 18.22",
)
rejected(
    "list_section_with_title_classes",
    list_page(
        "Politique",
        SECTION,
        above='<article class="story story--featured"><h1 class="article__title cms-title"><a class="cms-link" href="/une-post256030.vnp">'
        'La une du jour</a></h1><div class="article__sapo cms-desc">Chapeau de la une.</div></article>',
    ),
    "a section list whose featured story has the title and lead classes of an article",
    "5 9",
    SECTION,
)
TOPIC = SITE + "/topic/edification-du-parti-135.vnp"
rejected(
    "list_topic",
    list_page(
        "Edification du Parti",
        TOPIC,
        above='<h1 class="topic-title">Edification du Parti</h1><div class="cms-desc">Dossier spécial.</div>',
    ),
    "a topic page: its URL ends with a number and .vnp",
    "2 18.20",
    TOPIC,
)
rejected("list_topic_old_form", list_page("ASEAN", SITE + "/chude/asean/135.vnp"), "a topic page with the old URL form", "2 18.20",
           SITE + "/chude/asean/135.vnp")  # fmt: skip
SEARCH = SITE + "/search.vnp?q=caf%C3%A9"
rejected(
    "list_search",
    list_page("café", SEARCH, above="<h1>café</h1><p>1.204 + résultats</p>"),
    "a search page",
    "2 18.20",
    SEARCH,
)
rejected("list_search_empty", list_page("zzz", SEARCH, above="<h1>zzz</h1><p>0 résultat</p>", stories=""), "a search without results", "2",
           SEARCH)  # fmt: skip
TAG = SITE + "/tag/haiphong-tag881.vnp"
rejected(
    "list_tag",
    list_page("#Haïphong", TAG, above='<h1 class="cms-title">#Haïphong</h1>'),
    "a tag page whose h1 has the class cms-title",
    "18.20",
    TAG,
)
AUTHOR = SITE + "/auteur/nguyen-thi-hoa-12.vnp"
rejected(
    "list_author",
    list_page(
        "Nguyên Thi Hoa",
        AUTHOR,
        above='<h1>Nguyên Thi Hoa</h1><a class="cms-author" href="#">Nguyên Thi Hoa</a><p>Journaliste à Hanoï.</p>',
    ),
    "an author page",
    "18.20",
    AUTHOR,
)
ENGLISH = "https://en.vietnamplus.vn/vietnam-france-boost-port-cooperation-post335001.vnp"
rejected(
    "other_edition",
    article_page(
        "<p>Hanoi (VNA) - A delegation from the Port of Le Havre visited Hai Phong.</p>",
        url=ENGLISH,
        title="Vietnam, France boost port cooperation",
        lead="The visit took place from April 27 to 29.",
        section="Politics",
    ).replace('lang="fr"', 'lang="en"'),
    "an article of the English edition: same markup, but another id sequence",
    "1 2",
    ENGLISH,
)

# --- soft 404 --------------------------------------------------------------------------------------------------------


def soft_404(text, title):
    """Return an error page with the site's usual header, lists and footer."""
    return document(
        f'<meta charset="utf-8"><title>{title}</title>' + ORGANISATION,
        f'<div class="main-col content-col"><div class="error-page"><h1>404</h1><p>{text}</p><a href="/">Accueil</a></div>'
        f'<div class="timeline">{STORIES}</div></div>{SIDEBAR}',
    )


for name, text, title in (
    ("vietnamese", "Trang không tồn tại hoặc đã bị xóa.", "Vietnam+ (VietnamPlus)"),
    ("french", "Page introuvable. L’article demandé n’existe plus.", "Page introuvable | Vietnam+ (VietnamPlus)"),
):
    rejected(
        f"soft_404_{name}",
        soft_404(text, title),
        "status 200, but the page says that the article does not exist",
        "14 18.22",
    )
rejected(
    "soft_404_nginx",
    "<html>\r\n<head><title>404 Not Found</title></head>\r\n<body>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
    "a bare web server error with status 200",
    "14 18.22",
)
rejected(
    "soft_404_empty_template",
    document("<meta charset='utf-8'><title> | Vietnam+ (VietnamPlus)</title>" + meta(og__type="website"),
             '<div class="main-col content-col"><h1 class="article__title cms-title"></h1><div class="article__sapo cms-desc"></div>'
             f"{BODY_TAG}</div></div>{SIDEBAR}"),
    "an empty article template: no title, text or picture, and nothing declares an article",
    "14 18.22",
)  # fmt: skip

# --- block pages -----------------------------------------------------------------------------------------------------

for name, page in {
    "cloudflare": '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title><meta name="robots" content="noindex,nofollow">'
    '<meta http-equiv="refresh" content="390"></head><body class="no-js"><div class="main-wrapper"><h1 class="zone-name-title">fr.vietnamplus.vn'
    '</h1><h2 id="challenge-running">Checking if the site connection is secure</h2><noscript>Enable JavaScript and cookies to continue'
    '</noscript></div><script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1?ray=8f0"></script></body></html>',
    "access_denied": "<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\nYou don't have permission to access "
    f'"{URL}" on this server.<P>\nReference&#32;&#35;18&#46;5d2e1602\n</BODY>\n</HTML>',
    "captcha": '<html><head><title>Vérification</title></head><body><form id="captcha-form" method="post"><h1>Êtes-vous un robot ?</h1>'
    '<div class="g-recaptcha" data-sitekey="x"></div><p>Saisissez les caractères.</p></form></body></html>',
    "js_challenge": '<html><body><script>document.cookie="D1N=0a1b2c; path=/";window.location.reload(true);</script></body></html>',
    "waf_vietnamese": "<html><head><title>Thông báo</title></head><body><h3>Truy cập của bạn bị từ chối (Request rejected)</h3>"
    "<p>Support ID: 1029384756</p></body></html>",
}.items():
    rejected(f"block_{name}", page, f"a block page ({name}) at an article's URL", "14 18.16", content_type="text/html")

# --- not an HTML page ------------------------------------------------------------------------------------------------

ITEM = f"<item><title>{TITLE}</title><link>{URL}</link><description>{LEAD}</description><pubDate>Tue, 29 Apr 2025 14:30:44 +0700</pubDate></item>"
for name, content, content_type, about in (
    ("empty", b"", "text/html;charset=utf-8", "no bytes"),
    ("blank", b" \r\n\r\n ", "text/html;charset=utf-8", "only white space"),
    ("dozen_bytes", b"rss_home.html", "text/html;charset=utf-8", "a template's name instead of a page"),
    ("plain_text", b"Le Vietnam et la France. -VNA", "text/plain; charset=utf-8", "a line of plain text"),
    ("json_error", b'{"data":null,"error_code":404,"error_message":"not found"}', "application/json", "a JSON error"),
    (
        "json_with_html",
        json.dumps(
            {"data": {"articles": f'<article class="story">{BODY}</article>', "hasMoreContent": True}, "error_code": 0}
        ).encode(),
        "application/json; charset=utf-8",
        "a JSON response that contains HTML",
    ),
    (
        "rss",
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Vietnam+</title>{ITEM}</channel></rss>'.encode(),
        "text/xml; charset=utf-8",
        "a feed at an article's URL",
    ),
    (
        "rss_labelled_html",
        f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel><title>Vietnam+</title>{ITEM}</channel></rss>'.encode(),
        "text/html;charset=utf-8",
        "a feed declared as HTML, with an item for this article",
    ),
    (
        "sitemap",
        f'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>{URL}</loc></url></urlset>'.encode(),
        "application/xml",
        "a sitemap",
    ),
    (
        "pdf",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog>>\nendobj\n\x00\xff\xfe\ntrailer\n%%EOF\n",
        "application/pdf",
        "a PDF",
    ),
    ("pdf_labelled_html", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n<p>x</p>\n%%EOF\n", "text/html", "a PDF declared as HTML"),
    ("jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00" + bytes(range(256)) * 4, "image/jpeg", "a picture"),
    (
        "gzip_not_inflated",
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + bytes(range(255, 0, -1)),
        "text/html",
        "a body that is still compressed",
    ),
    (
        "fragment",
        STORIES.encode(),
        "text/html;charset=utf-8",
        "an HTML fragment of list items, as returned by the zone API",
    ),
):
    rejected(f"not_html_{name}", content, about, "10 12 14 18.16", content_type=content_type)
rejected("not_html_json_null_header", b"[]", "two bytes of JSON without a header", "18.16", content_type=None)

# --- articles nevertheless -------------------------------------------------------------------------------------------

case(
    "article_without_any_metadata",
    document(
        f'<meta charset="utf-8"><title>{TITLE}</title>',
        f'<h1 class="article__title cms-title">{TITLE}</h1><div class="article__sapo cms-desc">{LEAD}</div>{BODY_TAG}{BODY}</div>',
    ),
    "no canonical link, OpenGraph, JSON-LD or time: known markup at an article's URL is an article",
    "5",
    STANDARD | {"section": None, "published_at": None, "related": []},
    problems=True,
)
case(
    "article_og_type_website",
    article_page(og_type="website"),
    "og:type is website, but the markup is that of an article: an article",
    "4 5",
    STANDARD,
)
case(
    "article_with_refresh_and_noscript",
    article_page(
        extra='<meta http-equiv="refresh" content="900"><noscript><style>.lazy{display:none}</style></noscript>'
    ),
    "a page that reloads itself and has a <noscript> in its head is not a block page",
    "14",
    STANDARD,
)
