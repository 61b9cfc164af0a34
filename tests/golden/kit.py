"""The standard article, its page, and helpers that describe the expected result of a case.

Most cases are the standard article with one change, so that a failure points at that change.
"""

from __future__ import annotations

from html import escape

from chrome import ORGANISATION, SIDEBAR, TWO_RELATED, TWO_STORIES, breadcrumb_list, document, json_ld, meta, time_tag
from chrome import news_article as news_article_ld

HTML = "text/html;charset=utf-8"
FETCHED = "2026-12-01T03:15:00+00:00"
URL = "https://fr.vietnamplus.vn/le-vietnam-et-la-france-renforcent-leur-cooperation-portuaire-post245060.vnp"
OLD_URL = "https://fr.vietnamplus.vn/le-vietnam-et-la-france-renforcent-leur-cooperation-portuaire/245060.vnp"

TITLE = "Le Vietnam et la France renforcent leur coopération portuaire"
LEAD = "Une délégation du port du Havre a visité Haïphong afin d’étudier de nouveaux partenariats logistiques."
P1 = (
    "Hanoï (VNA) - Une délégation du port du Havre a effectué du 27 au 29 avril une visite de travail à Haïphong, "
    "où elle a rencontré les autorités municipales."
)
P2 = (
    "Les deux parties ont évoqué la formation des pilotes, la gestion numérique des escales et la réduction des "
    "émissions à quai."
)
P3 = "Un protocole d’accord devrait être signé avant la fin de l’année, ont indiqué les organisateurs. -VNA"
BODY = f"<p>{P1}</p>\n<p>{P2}</p>\n<p>{P3}</p>\n"
PUBLISHED = "2025-04-29T14:30:44+07:00"
DATELINE = {"place": "Hanoï", "date": None, "agency": "VNA"}

SITE_DESCRIPTION = "Vietnam+ (VietnamPlus), site d’information de l’Agence vietnamienne d’information (VNA)."
BODY_TAG = '<div class="article__body zce-content-body cms-body" itemprop="articleBody">'

# --- expected results ------------------------------------------------------------------------------------------------


def p(text):
    """Return an expected paragraph."""
    return {"type": "paragraph", "text": text}


def h(text):
    """Return an expected heading."""
    return {"type": "heading", "text": text}


def quote(text):
    """Return an expected quote."""
    return {"type": "quote", "text": text}


def li(text):
    """Return an expected list item."""
    return {"type": "list_item", "text": text}


def table(*rows):
    """Return an expected data table; each row is a sequence of cells."""
    return {"type": "table", "text": "\n".join("\t".join(row) for row in rows)}


def note(*paragraphs):
    """Return an expected side note."""
    return {"type": "note", "text": "\n".join(paragraphs)}


def img(url, **fields):
    """Return an expected picture. Fields that are not given are not checked."""
    return {"type": "image", "url": url} | fields


def body(*blocks):
    """Return the expected `blocks` and the `text` that results from them."""
    read = [b["text"] for b in blocks if b["type"] in {"paragraph", "heading", "quote", "list_item"}]
    return {"blocks": list(blocks), "text": "\n\n".join(read)}


#: The expected fields of the standard article. A case overrides the fields that it changes and uses `without` for fields
#: that it does not check.
STANDARD = {
    "post_id": 245060,
    "url": URL,
    "kind": "article",
    "section": "Politique",
    "title": TITLE,
    "lead": LEAD,
    **body(p(P1), p(P2), p(P3)),
    "dateline": DATELINE,
    "signature": "-VNA",
    "byline": None,
    "tags": [],
    "published_at": PUBLISHED,
    "related": TWO_RELATED,
}


def without(*names, **changes):
    """Return the expected standard article without the fields `names` and with these changes."""
    return {key: value for key, value in (STANDARD | changes).items() if key not in names}


# --- the page --------------------------------------------------------------------------------------------------------

SAME = "same"


def article_head(
    *,
    title,
    lead,
    url,
    canonical=SAME,
    published=PUBLISHED,
    section="Politique",
    ld=None,
    extra="",
    og_type="article",
    charset='<meta charset="utf-8">\n',
):
    """Return the content of <head> of an article page."""
    link = url if canonical == SAME else canonical
    return (
        charset
        + f"<title>{escape(title)} | Vietnam+ (VietnamPlus)</title>\n"
        + meta(description=lead or SITE_DESCRIPTION, keywords="Vietnam, VNA")
        + (f'<link rel="canonical" href="{link}">\n' if link is not None else "")
        + meta(og__type=og_type, og__title=title, og__description=lead or SITE_DESCRIPTION, og__url=link)
        + meta(article__published_time=published, article__section=section)
        + extra
        + ORGANISATION
        + (json_ld(news_article_ld(title)) + json_ld(breadcrumb_list(section or "Politique")) if ld is None else ld)
    )


def article_main(
    text=BODY,
    *,
    title=TITLE,
    lead=LEAD,
    title_html=None,
    lead_html=None,
    time=None,
    avatar="",
    tags=(),
    crumb="Politique",
    byline='<span class="author cms-author"></span>',
    body_tag=BODY_TAG,
    related=TWO_STORIES,
    after_body="",
):
    """Return the column of one article. `title_html`, `lead_html` and `byline` replace the whole element."""
    trail = f'<div class="breadcrumb breadcrumb-detail"><h2><a href="/x/">{crumb}</a></h2></div>\n' if crumb else ""
    headline = f'<h1 class="article__title cms-title">{escape(title)}</h1>\n' if title_html is None else title_html
    sapo = (
        f'<div class="article__sapo cms-desc"><p>{escape(lead or "")}</p></div>\n' if lead_html is None else lead_html
    )
    links = "".join(f'<li><a href="/tag/x-tag{n}.vnp">{tag}</a></li>' for n, tag in enumerate(tags, 1))
    return (
        f'<div class="main-col content-col">\n{trail}{headline}<div class="article__meta">{byline}'
        f"{time_tag() if time is None else time}</div>\n{sapo}{avatar}{body_tag}\n{text}</{body_tag[1:].split()[0].rstrip('>')}>\n"
        f'{after_body}<div class="article__source"></div>\n'
        + (f'<div class="article__tag"><ul>{links}</ul></div>\n' if tags else "")
        + f'<div class="article__social"><a href="#">Partager</a></div>\n{related}</div>\n'
    )


HEAD_OPTIONS = {"canonical", "published", "section", "ld", "extra", "og_type", "charset"}


def article_page(text=BODY, *, url=URL, title=TITLE, lead=LEAD, before="", after="", sidebar=SIDEBAR, **options):
    """Return a whole article page. The options are those of `article_head` and `article_main`."""
    head_options = {key: options.pop(key) for key in HEAD_OPTIONS & options.keys()}
    head = article_head(title=title, lead=lead, url=url, **head_options)
    return document(head, before + article_main(text, title=title, lead=lead, **options) + after + sidebar)


# --- cases -----------------------------------------------------------------------------------------------------------

CASES = {}
#: Checks in addition to `expect` (see README.md).
CHECKS = {
    "contains", "excludes", "same_instant", "present", "problems", "related_prefix", "related_among", "missing_contains",
    "reason_contains",
}  # fmt: skip


def case(name, page, about, dossier, expect=None, *, code=0, url=URL, content_type=HTML, fetched_at=FETCHED, **checks):
    """Register a case. `page` is a string (stored as UTF-8) or bytes."""
    if name in CASES or checks.keys() - CHECKS:
        raise ValueError(name, checks)
    about_page = {"url": url, "content_type": content_type, "fetched_at": fetched_at, "about": about}
    expected = {"dossier": dossier.split(), "exit": code, "expect": expect or {}, **checks}
    CASES[name] = (page.encode() if isinstance(page, str) else page, about_page | expected)
