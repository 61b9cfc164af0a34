"""One typical page for each kind of body as the site serves it today, and variants of the old bodies."""

from __future__ import annotations

from chrome import HEX, MEDIA, TWO_RELATED, figure, json_ld, table_picture, time_tag
from kit import BODY_TAG, LEAD, P1, P2, P3, STANDARD, article_page, body, case, h, img, p

# --- 2024 and later --------------------------------------------------------------------------------------------------

AVATAR = f"{MEDIA}/{HEX}/le-havre-haiphong.jpg.webp"
INSIDE = f"{MEDIA}/{HEX}00ff/terminal.jpg"
CAPTION_1 = "La délégation du Havre au siège du Comité populaire de Haïphong. Photo : VNA"
CAPTION_2 = "Le terminal TC-HICT. Photo: VNA"
case(
    "era3_typical",
    article_page(
        f"<p>{P1}</p>\n{figure(INSIDE, alt='terminal.jpg', caption=CAPTION_2)}<h2>Des liens anciens</h2>\n"
        f"<p>{P2}</p>\n<p>{P3}</p>\n",
        avatar=figure(AVATAR, alt=CAPTION_1, caption=CAPTION_1, cls="article__avatar"),
        tags=("#Haïphong", "#Le Havre", "#port"),
    ),
    "2024 and later: lead picture, figure in the body, sub-heading, tags, empty byline; no problems",
    "4 5 6 7 8 18.8",
    STANDARD
    | {
        "id": 245060,
        **body(
            img(AVATAR, alt=CAPTION_1, caption=CAPTION_1, credit="VNA"),
            p(P1),
            img(INSIDE, alt="terminal.jpg", caption=CAPTION_2, credit="VNA"),
            h("Des liens anciens"),
            p(P2),
            p(P3),
        ),
        "published_raw": "2025-04-29T14:30:44+07:00",
        "modified_at": None,
        "tags": ["Haïphong", "Le Havre", "port"],
        "problems": [],
    },
    present=["markup", "provenance.title", "provenance.published_at"],
)

# --- 2016 to 2023 ----------------------------------------------------------------------------------------------------

URL_2018 = "https://fr.vietnamplus.vn/hue-accueille-un-forum-sur-la-conservation-du-patrimoine/108414.vnp"
TITLE_2018 = "Huê accueille un forum sur la conservation du patrimoine"
LEAD_2018 = "Un forum international sur la conservation des citadelles s’est ouvert le 19 septembre à Huê."
ALT_2018 = TITLE_2018 + " ảnh 1"
PIC_2018 = "https://mediafr.vietnamplus.vn/t660/uploaded/wbxx/2018_09_20/hue_forum.jpg"
GLUED = (
    "Huê, 20 septembre (VNA) - Un forum international sur la conservationdes citadelles s’est ouvert le 19 septembre à Huê, "
    "en présence d’experts de douzepays."
)
GLUED_2 = (
    "Les participants ont salué le rôle des habitants dans la protection desremparts.Ils visiteront la Cité pourpre."
)
END_2018 = "Le prochain forum aura lieu à Kyoto, au Japon. – VNA"
case(
    "era2_typical",
    article_page(
        table_picture(PIC_2018, alt=ALT_2018, caption="Vue de la Cité impériale de Huê. Photo: VNA")
        + f'<p style="text-align:justify">{GLUED}</p>\n<p>&nbsp;</p>\n<p>{GLUED_2}</p>\n<p>{END_2018}</p>\n',
        url=URL_2018,
        title=TITLE_2018,
        lead=LEAD_2018,
        lead_html=f'<h2 class="article__sapo cms-desc">{LEAD_2018}</h2>',
        published="2018-09-20T10:12:00+07:00",
        section="Culture",
        time=time_tag("2018-09-20T10:12:00+0700", None, "20/09/2018 10:12"),
    ),
    "2016-2023: picture in a table, generated alt, glued words unchanged, dateline with a date; old URL form (`url` not checked)",
    "6 7 16 18.5 18.6 18.17",
    {
        "post_id": 108414,
        "kind": "article",
        "section": "Culture",
        "title": TITLE_2018,
        "lead": LEAD_2018,
        **body(
            img(PIC_2018, alt=ALT_2018, caption="Vue de la Cité impériale de Huê. Photo: VNA", credit="VNA"),
            p(GLUED),
            p(GLUED_2),
            p(END_2018),
        ),
        "dateline": {"place": "Huê", "date": "20 septembre", "agency": "VNA"},
        "signature": "– VNA",
        "byline": None,
        "tags": [],
        "published_at": "2018-09-20T10:12:00+07:00",
        "related": TWO_RELATED,
    },
)

# --- 2010 to 2015 ----------------------------------------------------------------------------------------------------

URL_2012 = "https://fr.vietnamplus.vn/la-production-de-cacao-progresse-a-ben-tre-post37353.vnp"
TITLE_2012 = "La production de cacao progresse à Bên Tre"
LEAD_2012 = "La province de Bên Tre compte désormais plus de 5.000 hectares de cacaoyers sous les cocotiers."
OLD_1 = (
    "Les planteurs ont récolté cette année 1.568 tonnes defèves sèches, soit une hausse de ( 38,4%) par rapport à 2011."
)
OLD_2 = (
    '"Le cacao pousse bien à l\'ombre des cocotiers", explique M. Trân Van Ba, agriculteur du district de Châu Thành.'
)
OLD_3 = "La province vise 10.000 hectares en 2015. -AVI"
PIC_2012 = "http://images.vietnamplus.vn/Images/2012/12/20/cacao_bentre.jpg"
CAPTION_2012 = "Récolte du cacao à Bên Tre. Photo: AVI"


def page_2012(text, body_tag=BODY_TAG):
    """Return a page of December 2012 with this body."""
    return article_page(
        text, url=URL_2012, title=TITLE_2012, lead=LEAD_2012, published="2012-12-20T15:05:00+07:00", section="Economie",
        time=time_tag("2012-12-20T15:05:00+0700", "1355990700", "20/12/2012 15:05"), body_tag=body_tag,
    )  # fmt: skip


EXPECT_2012 = {
    "post_id": 37353,
    "url": URL_2012,
    "kind": "article",
    "section": "Economie",
    "title": TITLE_2012,
    "lead": LEAD_2012,
    "dateline": None,
    "signature": "-AVI",
    "byline": None,
    "tags": [],
    "published_at": "2012-12-20T15:05:00+07:00",
    "related": TWO_RELATED,
}
case(
    "era1_typical",
    page_2012(
        f'<div class="article-photo"><a rel="photoslide" href="{PIC_2012}"><img src="{PIC_2012}" alt=""></a></div>'
        f"{CAPTION_2012}<br><br>\n{LEAD_2012}<br>\n<br>\n{OLD_1}<br /><br />{OLD_2}<br>\n&nbsp;<br>{OLD_3}\n"
    ),
    "2010-2015: no <p>, text between <br>, bare caption after the picture, lead repeated verbatim, -AVI",
    "6 16 18.2 18.5 18.6",
    EXPECT_2012
    | body(img(PIC_2012, alt="", caption=CAPTION_2012, credit="AVI"), p(LEAD_2012), p(OLD_1), p(OLD_2), p(OLD_3)),
)
case(
    "era1_caption_inside_photo",
    page_2012(
        f'<div class="article-photo"><a rel="photoslide" href="{PIC_2012}"><img src="{PIC_2012}" alt=""></a>{CAPTION_2012}'
        f"</div>\n{LEAD_2012}<br><br>{OLD_1}<br><br>{OLD_3}"
    ),
    "2010-2015: the bare caption is inside div.article-photo, after the link",
    "6 18.6",
    EXPECT_2012 | body(img(PIC_2012, alt="", caption=CAPTION_2012, credit="AVI"), p(LEAD_2012), p(OLD_1), p(OLD_3)),
)
case(
    "era1_photo_without_caption",
    page_2012(
        f'<div class="article-photo"><a rel="photoslide" href="{PIC_2012}"><img src="{PIC_2012}" alt=""></a></div>\n<br>\n'
        f"<br>\n{LEAD_2012} {OLD_1}<br><br>{OLD_2}<br><br>{OLD_3}"
    ),
    "2010-2015: the text after div.article-photo and a blank line is body text, not a caption, and must not be lost; "
    "the picture's caption is not checked",
    "6 18.6",
    EXPECT_2012,
    contains={"text": [OLD_1, OLD_2, OLD_3]},
)
case(
    "era1_photo_before_p",
    page_2012(
        f'<div class="article-photo"><a rel="photoslide" href="{PIC_2012}"><img src="{PIC_2012}" alt=""></a></div>'
        f"<p>{LEAD_2012}</p><p>{OLD_1}</p><p>{OLD_3}</p>"
    ),
    "div.article-photo without bare text, then <p>: the first paragraph is not a caption",
    "6 18.6",
    EXPECT_2012 | body(img(PIC_2012, alt="", caption=None, credit=None), p(LEAD_2012), p(OLD_1), p(OLD_3)),
)
case(
    "era1_div_justify",
    page_2012(
        f'<div align="justify">{LEAD_2012}<br>\n<br>\n{OLD_1}</div>\n<div align="justify">{OLD_2}</div>'
        f'<div align="justify"><br></div><div align="justify">{OLD_3}</div>'
    ),
    "2010-2015: paragraphs in div[align=justify], one of them split by <br>",
    "6 18.2",
    EXPECT_2012 | body(p(LEAD_2012), p(OLD_1), p(OLD_2), p(OLD_3)),
)
case(
    "era1_wrapped_lines",
    page_2012(
        "La province de Bên Tre compte désormais plus\nde 5.000 hectares de cacaoyers\r\n   sous les cocotiers.\n<br>\n<br>\n\t"
        + OLD_1.replace(" ", "\n", 6)
        + f"\n\n<br><br>{OLD_3}"
    ),
    "2010-2015: source lines wrapped at 40-80 columns: a newline or tab becomes a space and never ends a paragraph",
    "6 16 18.2",
    EXPECT_2012 | body(p(LEAD_2012), p(OLD_1), p(OLD_3)),
)
case(
    "era1_nested_cms_body",
    page_2012(
        f'<div class="cms-body">{LEAD_2012}<br><br><b>{OLD_1}</b><br><br>{OLD_2}<br><br>{OLD_3}</div>',
        '<div class="article__body">',
    ),
    "older template: the text is in a nested .article__body > .cms-body and is read once",
    "5 6 18.2",
    EXPECT_2012 | body(p(LEAD_2012), p(OLD_1), p(OLD_2), p(OLD_3)),
)
case(
    "era1_center_and_font",
    page_2012(
        f'<font face="Arial" size="2">{LEAD_2012}<br><br>\n<center><b>Un fruit d’avenir</b></center>\n{OLD_1}<br><br>'
        f"<font color=red>{OLD_2.replace(', ', '</font>, ', 1)}<br><br>{OLD_3}</font>"
    ),
    "2010-2015: <font> and <center>; a centred line between text nodes is a separate paragraph",
    "6 18.2",
    EXPECT_2012 | body(p(LEAD_2012), p("Un fruit d’avenir"), p(OLD_1), p(OLD_2), p(OLD_3)),
)

# --- bodies that may occur in any year -------------------------------------------------------------------------------

case(
    "body_text_nodes_beside_p",
    article_page(f"{P1}\n<p>{P2}</p>\n  Le <em>Havre</em> accueillera une mission retour.<br>\n{P3}\n"),
    "bare text nodes before, between and after <p>: each is a paragraph, and inline tags do not split it",
    "5 6 18.2",
    STANDARD | body(p(P1), p(P2), p("Le Havre accueillera une mission retour."), p(P3)),
)
case(
    "body_one_p_many_br",
    article_page(f"<p>{P1}<br>\n<br>{P2}<br/>{P3}</p>"),
    "the whole body in one <p>: every <br> separates paragraphs",
    "6 18.2",
    STANDARD,
)
case(
    "body_div_paragraphs",
    article_page(f"<div><div>{P1}</div>\n<div><span>{P2}</span></div><section><p>{P3}</p></section></div>"),
    "div paragraphs nested in wrappers",
    "5 6 18.2",
    STANDARD,
)
case(
    "body_nested_twice_same_class",
    article_page(f'<div class="article__body cms-body"><p>{P1}</p><p>{P2}</p></div><p>{P3}</p>'),
    "nested bodies with the same class: every paragraph is read once",
    "5 18.2",
    STANDARD,
)
case(
    "body_by_itemprop_only",
    article_page(body_tag='<section class="x-content" itemprop="articleBody">'),
    "the body has a new class but still [itemprop=articleBody]: readable",
    "5",
    STANDARD,
)
case(
    "body_by_class_only",
    article_page(body_tag='<div class="article__body">'),
    "the body has only the class article__body",
    "5",
    STANDARD,
)
LONGFORM = f"<p>{P1}</p><h2>Le Havre, port jumeau</h2><p>{P2}</p><p>{P3}</p>"
case(
    "longform_class_added",
    article_page(LONGFORM, body_tag='<div class="article__body zce-content-body cms-body e-magazine__body">'),
    "longform: e-magazine__body in addition to the known classes",
    "7 18.3",
    STANDARD | body(p(P1), h("Le Havre, port jumeau"), p(P2), p(P3)),
)
case(
    "longform_emagazine_body",
    article_page(
        LONGFORM,
        title_html='<h1 class="e-magazine__title cms-title">Le Vietnam et la France renforcent leur coopération portuaire</h1>',
        body_tag='<div class="e-magazine__body cms-body">',
    ),
    "longform: e-magazine__body instead of article__body, h1.cms-title",
    "5 7 18.3",
    STANDARD | body(p(P1), h("Le Havre, port jumeau"), p(P2), p(P3)),
)
BRIEF = "Hanoï (VNA) - Le séisme de magnitude 3,2 survenu mardi à Kon Tum n’a fait aucun dégât. Les autorités restent vigilantes. -VNA"
case(
    "brief_two_sentences",
    article_page(f"<p>{BRIEF}</p>", lead=None),
    "two sentences are a complete article",
    "6 18.4",
    STANDARD | {"lead": None, **body(p(BRIEF))},
)
NUMBERED = (
    "1. L’Assemblée nationale s’est réunie à huis clos.",
    "2. Le dông est resté stable.",
    "3. Le typhon s’éloigne.",
)
case(
    "brief_numbered_by_hand",
    article_page("<p>" + "<br>".join(NUMBERED) + "</p>"),
    "a body that is only a manually numbered list: paragraphs, no signature, no dateline",
    "18.4",
    STANDARD | {**body(*map(p, NUMBERED)), "dateline": None, "signature": None},
)
case(
    "lead_repeated_verbatim",
    article_page(f"<p>{LEAD}</p><p>{P2}</p><p>{P3}</p>"),
    "the lead is repeated verbatim as the first paragraph: both are kept",
    "6 18.5",
    STANDARD | {**body(p(LEAD), p(P2), p(P3)), "dateline": None},
)
case(
    "lead_repeated_after_dateline",
    article_page(f"<p>Hanoï (VNA) – {LEAD}</p><p>{P2}</p><p>{P3}</p>"),
    "the lead is repeated after a dateline with an en dash: both are kept",
    "6 18.5",
    STANDARD | body(p(f"Hanoï (VNA) – {LEAD}"), p(P2), p(P3)),
)
case(
    "body_long",
    article_page("".join(f"<p>Alinéa numéro {n} du texte intégral de la résolution.</p>\n" for n in range(1, 401))),
    "four hundred paragraphs, in order and complete",
    "18",
    STANDARD
    | body(*(p(f"Alinéa numéro {n} du texte intégral de la résolution.") for n in range(1, 401)))
    | {"dateline": None, "signature": None},
)
case(
    "body_between_json_scripts",
    article_page(
        "<p>" + P1 + "</p>" + json_ld({"@type": "ImageObject", "caption": "Ne pas lire"}) + f"<p>{P2}</p><p>{P3}</p>"
    ),
    "a JSON-LD script inside the body is not text",
    "5 18.17",
    STANDARD,
)
