"""Invalid HTML and truncated pages."""

from __future__ import annotations

import re

from chrome import HEX, MEDIA
from kit import BODY_TAG, P1, P2, P3, STANDARD, TITLE, article_page, body, case, img, p

PAGE = article_page()

case(
    "html_unclosed_p_and_b",
    article_page(f"<p>{P1}\n<p><span>{P2}\n<p>{P3}\n"),
    "unclosed paragraphs",
    "18",
    STANDARD,
)
case(
    "html_unclosed_bold_over_paragraphs",
    article_page(f"<p><b>{P1}</p><p>{P2}</p><p><i>{P3}</b></p>"),
    "inline tags closed in the wrong place or not at all",
    "18",
    STANDARD,
)
case(
    "html_no_closing_body",
    PAGE.replace("</body>", "").replace("</head>", "").replace('<body class="detail-page">', ""),
    "no </head>, no <body>, no </body>",
    "18",
    STANDARD,
)
case(
    "html_upper_case_single_quotes",
    re.sub(r'="([^"\']*)"', r"='\1'", re.sub(r"</?[a-z][a-z0-9]*", lambda tag: tag.group().upper(), PAGE)),
    "tags in upper case, attributes in single quotes",
    "18",
    STANDARD,
)
case(
    "html_unquoted_attributes",
    article_page(
        title_html=f"<h1 class=cms-title>{TITLE}</h1>",
        body_tag="<div id=main class=article__body itemprop=articleBody>",
        byline="<a class=cms-author href=/auteur/x>Lê Lan</a>",
    ),
    "attributes without quotes",
    "18",
    STANDARD | {"byline": "Lê Lan"},
)
case(
    "html_attribute_spacing",
    article_page(
        title_html=f'<h1\n  class = " article__title\n cms-title "\n>{TITLE}</h1 >',
        body_tag='<div  class="\tcms-body  article__body\n" itemprop = "articleBody" >',
    ),
    "white space around = and inside class lists, classes in a different order",
    "5 18",
    STANDARD,
)
PICTURE = f"{MEDIA}/{HEX}/premier.jpg"
case(
    "html_duplicate_attributes",
    article_page(
        f'<p class="a" class="ads banner">{P1}</p><figure><img data-src="{PICTURE}" data-src="{MEDIA}/x/second.jpg" alt=""></figure>'
        f"<p>{P2}</p><p>{P3}</p>",
        title_html=f'<h1 class="article__title cms-title" class="hidden">{TITLE}</h1>',
    ),
    "a repeated attribute: the first value is used",
    "18",
    STANDARD | body(p(P1), img(PICTURE, alt="", caption=None, credit=None), p(P2), p(P3)),
)
case(
    "html_p_around_lists_and_tables",
    article_page(f"<p>{P1}<ul><li>Un</ul></p><p>{P2}</p><p>{P3}</p></p></p>"),
    "a list inside a <p>, an unclosed <li>, stray </p>: no empty paragraphs",
    "18",
    STANDARD | body(p(P1), {"type": "list_item", "text": "Un"}, p(P2), p(P3)),
)
case(
    "html_comment_variants",
    article_page(f"<p>{P1}</p><!-- a -- b --><!--> <p>{P2}</p><!----><p>{P3}</p><![CDATA[ x ]]>"),
    "unusual but legal comment endings, a CDATA section outside XML",
    "16",
    STANDARD,
)
case(
    "html_xhtml_prolog",
    '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n' + PAGE.removeprefix("<!DOCTYPE html>\n"),
    "XHTML prolog and doctype before the page",
    "18",
    STANDARD,
)
case(
    "html_meta_in_body",
    PAGE.replace("</head>", "").replace('<link rel="canonical"', '<div class="x"></div><link rel="canonical"'),
    "a stray element in the head moves the meta elements into the body: they are still used",
    "4 18",
    STANDARD,
)
case(
    "html_canonical_and_meta_inside_comment",
    PAGE.replace(
        "</title>",
        '</title><!-- <link rel="canonical" href="https://fr.vietnamplus.vn/x-post1.vnp">'
        '<meta property="article:published_time" content="1999-01-01T00:00:00+07:00"> -->',
    ),
    "a canonical link and a time inside a comment are ignored",
    "4 18",
    STANDARD,
)
LATE = PAGE.index(P3) + 30
case(
    "truncated_in_body",
    PAGE.encode()[: len(PAGE[:LATE].encode())],
    "truncated inside the last paragraph: the available text is read, and the missing end is a problem",
    "14 18.10",
    {
        key: STANDARD[key]
        for key in ("post_id", "url", "kind", "section", "title", "lead", "dateline", "byline", "published_at")
    }
    | {"related": []},
    contains={"text": [P1, P2]},
    problems=True,
)
case(
    "truncated_in_character",
    PAGE.encode()[: PAGE.encode().index("protocole d’accord".encode()) + len(b"protocole d") + 1],
    "truncated between the bytes of one character",
    "14 18.10 18.18",
    {"post_id": 245060, "title": TITLE, "published_at": STANDARD["published_at"]},
    contains={"text": [P1, P2]},
    problems=True,
)
case(
    "truncated_in_head",
    PAGE[: PAGE.index('<script type="application/ld+json">')],
    "truncated in the head after the meta elements that declare an article: their fields are reported, the body is missing",
    "14 18.10",
    {
        "post_id": 245060,
        "title": TITLE,
        "published_at": STANDARD["published_at"],
        "section": "Politique",
        "blocks": [],
        "text": "",
    },
    code=4,
)
case(
    "truncated_before_body",
    PAGE[: PAGE.index(BODY_TAG)],
    "truncated after the lead, before the body: layout drift",
    "14 18.10",
    {"post_id": 245060, "title": TITLE, "blocks": [], "text": ""},
    code=4,
)
case(
    "truncated_before_anything",
    '<!DOCTYPE html>\n<html lang="fr">\n<head>\n<meta charset="utf-8">\n<title>Le Viet',
    "truncated in the title: nothing declares an article",
    "14 18.10",
    code=3,
)
