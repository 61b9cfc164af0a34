"""Title, lead, byline, tags and section."""

from __future__ import annotations

from chrome import QUAIS, breadcrumb_list, json_ld, news_article, story
from kit import LEAD, STANDARD, TITLE, article_page, case, without

SIDE = "Le pont de Long Biên bientôt restauré"

# --- title -----------------------------------------------------------------------------------------------------------

case(
    "title_header_class",
    article_page(title_html=f'<h1 class="article__header cms-title">{TITLE}</h1>'),
    "variant of the template: h1.article__header.cms-title",
    "5",
    STANDARD,
)
case(
    "title_only_cms_title",
    article_page(title_html=f'<h1 class="cms-title">{TITLE}</h1>'),
    "only h1.cms-title",
    "5",
    STANDARD,
)
case(
    "title_class_on_sidebar_story",
    article_page(
        before=f'<div class="sidebar"><article class="story"><h3 class="article__title cms-title"><a class="cms-link" '
        f'href="/x-post256001.vnp">{SIDE}</a></h3><div class="article__sapo cms-desc">Chapeau étranger.</div></article></div>'
    ),
    "a sidebar story before the article has the title and lead classes on other elements",
    "5 18.8",
    STANDARD,
)
case(
    "title_class_on_sidebar_h1",
    article_page(
        before=f'<aside class="sidebar"><article class="story"><h1 class="article__title cms-title"><a class="cms-link" '
        f'href="/x-post256001.vnp">{SIDE}</a></h1></article></aside>'
    ),
    "a sidebar story before the article is an h1 with the title class: the headline in the article's column is used",
    "5 18.8",
    STANDARD,
)
case(
    "title_logo_h1_before",
    article_page(before='<h1 class="logo"><a href="/">Vietnam+ (VietnamPlus)</a></h1>'),
    "the site's logo is also an h1",
    "5",
    STANDARD,
)
case(
    "title_inner_markup",
    article_page(
        title_html='<h1 class="article__title cms-title">\n   Le <em>Vietnam</em> et la France\n\trenforcent <!-- x -->leur\r\n'
        "   coopération portuaire&nbsp; </h1>"
    ),
    "inline tags, line breaks, a comment and a trailing NBSP inside the headline",
    "5",
    STANDARD,
)
case(
    "title_br",
    article_page(
        title_html='<h1 class="article__title cms-title">Le Vietnam et la France<br>renforcent leur coopération portuaire</h1>'
    ),
    "a <br> inside the headline becomes a space",
    "5",
    STANDARD,
)
case(
    "title_differs_from_head",
    article_page(
        ld=json_ld(news_article("Titre court pour les moteurs")),
        extra='<meta property="og:title" content="Titre court pour les réseaux">',
    ),
    "headline, JSON-LD and og:title differ: the page's own headline is the title",
    "4 5",
    STANDARD,
)

# --- lead ------------------------------------------------------------------------------------------------------------

for name, html in {
    "h2": f'<h2 class="article__sapo cms-desc">{LEAD}</h2>',
    "div_text": f'<div class="article__sapo cms-desc">\n{LEAD}\n</div>',
    "inner_p": f'<div class="article__sapo cms-desc"><p>{LEAD}</p></div>',
    "h2_inner_strong": f'<h2 class="article__sapo cms-desc"><strong>{LEAD[:30]}</strong>{LEAD[30:]}</h2>',
}.items():
    case(f"lead_{name}", article_page(lead_html=html), f"the lead in the form '{name}'", "5 18.5", STANDARD)
for name, html in {
    "absent": "",
    "empty": '<div class="article__sapo cms-desc"></div>',
    "blank": '<h2 class="article__sapo cms-desc"><p>&nbsp;</p> </h2>',
}.items():
    case(
        f"lead_{name}",
        article_page(lead_html=html),
        f"the lead element is {name} although the head has a description: null",
        "4 5 18.5",
        STANDARD | {"lead": None},
    )

# --- byline, tags ----------------------------------------------------------------------------------------------------

for name, html, expected in (
    ("link", '<a class="cms-author" href="/auteur/x-12.vnp">Nguyên Thi Hoa</a>', "Nguyên Thi Hoa"),
    ("span", '<span class="author cms-author">\n Nguyên Thi Hoa </span>', "Nguyên Thi Hoa"),
    ("blank", '<span class="author cms-author">&nbsp;\n</span>', None),
    ("absent", "", None),
):
    case(f"byline_{name}", article_page(byline=html), f"byline: {name}", "5", STANDARD | {"byline": expected})
case(
    "byline_of_a_comment_author",
    article_page(after_body='<div class="comment"><span class="author">Lecteur du Havre</span><p>Bravo !</p></div>'),
    "the class author on a reader's comment is not the byline",
    "5",
    STANDARD,
)
case(
    "tags",
    article_page(tags=("#Haïphong", "# Le Havre ", "coopération portuaire", "#", "#ASEAN+3")),
    "the # of tags is removed, with or without a space after it; an empty tag is dropped; an inner + is kept",
    "5",
    STANDARD | {"tags": ["Haïphong", "Le Havre", "coopération portuaire", "ASEAN+3"]},
)

# --- section ---------------------------------------------------------------------------------------------------------

case(
    "section_meta_wins",
    article_page(section="Environnement & climat", ld=json_ld(breadcrumb_list("Accueil", "Monde")), crumb="Société"),
    "article:section is preferred to JSON-LD and the breadcrumb; its entity is decoded",
    "4 5",
    STANDARD | {"section": "Environnement & climat"},
)
case(
    "section_from_json_ld",
    article_page(section=None, ld=json_ld(news_article(TITLE)) + json_ld(breadcrumb_list("Economie")), crumb="Société"),
    "no article:section: the JSON-LD breadcrumb is preferred to the visible one",
    "4 5",
    STANDARD | {"section": "Economie"},
)
case(
    "section_from_json_ld_with_home",
    article_page(section=None, ld=json_ld(breadcrumb_list("Accueil", "Economie")), crumb="Société"),
    "the JSON-LD breadcrumb starts with the home page, which is not a section",
    "4 5",
    STANDARD | {"section": "Economie"},
)
case(
    "section_from_breadcrumb",
    article_page(section=None, ld="", crumb="Société"),
    "neither article:section nor JSON-LD: the visible breadcrumb is used",
    "5",
    STANDARD | {"section": "Société"},
)
case(
    "section_none",
    article_page(section=None, ld="", crumb=""),
    "no section of the article, although menus and sidebars name many: null",
    "5",
    STANDARD | {"section": None},
)
case(
    "section_meta_empty",
    article_page(section=" ", ld=json_ld(breadcrumb_list("Economie"))),
    "blank article:section: the next source is used",
    "4",
    STANDARD | {"section": "Economie"},
)
case(
    "story_list_inside_column_before_body",
    article_page(avatar='<div class="article__related">' + story(QUAIS[1], QUAIS[0], summary=QUAIS[2]) + "</div>"),
    "a list of stories between lead and body is not used for title, lead or body; whether it is related is not checked",
    "5 8",
    without("related"),
    related_among=STANDARD["related"],
)
