"""Bodies with blocks other than paragraphs, and elements inside the body that are not part of it."""

from __future__ import annotations

from chrome import COMMERCE, HEX, MEDIA, QUAIS, TWO_STORIES, story
from kit import (
    BODY_TAG,
    P1,
    P2,
    P3,
    STANDARD,
    article_main,
    article_page,
    body,
    case,
    h,
    li,
    note,
    p,
    quote,
    table,
    without,
)


def around(html):
    """Return the standard body with `html` between its second and third paragraph."""
    return f"<p>{P1}</p>\n<p>{P2}</p>\n{html}\n<p>{P3}</p>\n"


def with_blocks(*blocks):
    """Return the expected standard article with these blocks between its second and third paragraph."""
    return STANDARD | body(p(P1), p(P2), *blocks, p(P3))


# --- headings, quotes, lists, tables, notes --------------------------------------------------------------------------

case(
    "blocks_heading_quote_list",
    article_page(
        around(
            "<h2>Un port tourné vers la mer</h2><h3><strong>Trois priorités</strong></h3>\n<ul>\n<li>Former les pilotes</li>\n"
            "<li><p>Réduire   les\némissions</p></li></ul><ol><li>Numériser les <em>escales</em></li></ol>"
            "<blockquote>« Haïphong est notre premier partenaire en Asie du Sud-Est »</blockquote>"
            "<blockquote><p>« Nous reviendrons »</p></blockquote><h4>Perspectives</h4>"
        )
    ),
    "headings h2-h4, list items of ul and ol, quotes with and without <p>, all in reading order",
    "5",
    with_blocks(
        h("Un port tourné vers la mer"),
        h("Trois priorités"),
        li("Former les pilotes"),
        li("Réduire les émissions"),
        li("Numériser les escales"),
        quote("« Haïphong est notre premier partenaire en Asie du Sud-Est »"),
        quote("« Nous reviendrons »"),
        h("Perspectives"),
    ),
)
case(
    "blocks_bold_line_is_paragraph",
    article_page(around("<p><strong>Une coopération ancienne</strong></p>")),
    "a bold line in a <p> is a paragraph; only heading elements are headings",
    "5",
    with_blocks(p("Une coopération ancienne")),
)
case(
    "blocks_data_table",
    article_page(
        around(
            "<table border='1'><thead><tr><th>Année</th><th>Trafic\n (millions de tonnes)</th><th>Hausse</th></tr></thead>"
            "<tbody><tr><td><p>2023</p></td><td>142,8</td><td></td></tr><tr><td>2024</td><td>157</td><td><b>+9,9%</b></td>"
            "</tr></tbody></table>"
        )
    ),
    "a data table inside the body is one table block: rows separated by newlines, cells by tabs, empty cells kept; "
    "its cells are not body text",
    "5",
    with_blocks(
        table(("Année", "Trafic (millions de tonnes)", "Hausse"), ("2023", "142,8", ""), ("2024", "157", "+9,9%"))
    ),
)
case(
    "blocks_layout_table_around",
    article_page(
        f'<table width="100%" cellpadding="0"><tbody><tr><td>\n<p>{P1}</p>\n<p>{P2}</p>\n<p>{P3}</p>\n</td></tr></tbody></table>'
    ),
    "a one-cell table around the whole body is a layout table: its paragraphs are the body",
    "5 6",
    STANDARD,
)
case(
    "blocks_layout_table_br",
    article_page(f"<table><tr><td>{P1}<br><br>{P2}<br><br>{P3}</td></tr></table>"),
    "a one-cell table around text and <br>",
    "6 18.2",
    STANDARD,
)
case(
    "blocks_data_table_in_layout_table",
    article_page(
        f"<table><tbody><tr><td><p>{P1}</p><p>{P2}</p><table><tr><td>2023</td><td>142,8</td></tr><tr><td>2024</td><td>157,0</td></tr>"
        f"</table><p>{P3}</p></td></tr></tbody></table>"
    ),
    "a data table inside a layout table: paragraphs and one table block",
    "5 6",
    with_blocks(table(("2023", "142,8"), ("2024", "157,0"))),
)
case(
    "blocks_notes",
    article_page(
        around(
            '<div class="notebox cms-note"><p>Le port du Havre est le premier port de conteneurs de France.</p>\n'
            "<p>Il emploie 32.000 personnes.</p></div><p>La visite s’est achevée par une signature.</p>"
            '<div class="notebox cms-note">Haïphong compte <b>98</b> quais.</div>'
        )
    ),
    "two side notes: each becomes one note block in its place, with paragraphs joined by newlines, and is not body text",
    "5",
    with_blocks(
        note("Le port du Havre est le premier port de conteneurs de France.", "Il emploie 32.000 personnes."),
        p("La visite s’est achevée par une signature."),
        note("Haïphong compte 98 quais."),
    ),
)

# --- never part of the body ------------------------------------------------------------------------------------------

case(
    "noise_comments_scripts_styles",
    article_page(
        around(
            "<!-- <p>Ancienne version du texte</p> --><script>document.write('<p>Publicité écrite</p>');</script>"
            "<style>p.x { color: red }</style><p>Les quais seront<!-- à vérifier --> électrifiés<script>track(1)</script>.</p>"
            "<!--[if gte mso 9]><xml><w:WordDocument>Normal 0 21</w:WordDocument></xml><![endif]--><template><p>Gabarit</p></template>"
        )
    ),
    "comments, scripts, styles and templates between and inside paragraphs",
    "5 16 18.8",
    with_blocks(p("Les quais seront électrifiés.")),
)
case(
    "noise_iframe_noscript_video_fallback",
    article_page(
        around(
            '<p><iframe src="https://www.youtube.com/embed/abc">Votre navigateur ne prend pas en charge les cadres.</iframe></p>'
            '<noscript>Activez JavaScript pour lire la suite.</noscript><video controls src="/v.mp4"><p>Vidéo non prise en charge.'
            '</p></video><object data="x.swf"><p>Installez Flash Player.</p></object>'
        )
    ),
    "fallback texts of embedded players and frames are not article text",
    "5 7",
    STANDARD,
)
case(
    "noise_ads",
    article_page(
        '<div class="ads banner">Publicité haute</div>'
        + around(
            '<div class="ads_middle"><p>Publicité</p><a href="https://annonceur.example/x">Achetez maintenant</a></div>'
            '<div id="adsWeb_AdsInpage2"><div><p>Contenu sponsorisé</p></div></div><p>Le port compte vingt portiques.'
            '<span class="ads banner">Offre spéciale</span></p>'
        )
    ),
    "the three known ad containers, including one before the first paragraph and one inside a paragraph",
    "5 18.8",
    with_blocks(p("Le port compte vingt portiques.")),
)
case(
    "noise_ads_lookalikes",
    article_page(
        around(
            '<p class="downloads leads">Les documents sont publiés en ligne.</p><div class="headsup">Accès par la route 5.</div>'
            '<p id="roads_2">Les camions attendent moins de deux heures.</p><p class="related-work">Les travaux suivent.</p>'
        )
    ),
    "elements whose classes or ids merely contain the letters 'ads' or 'related' are kept",
    "5",
    with_blocks(
        p("Les documents sont publiés en ligne."),
        p("Accès par la route 5."),
        p("Les camions attendent moins de deux heures."),
        p("Les travaux suivent."),
    ),
)
RELATE = f'<a class="cms-relate" href="{QUAIS[0]}" title="x">{QUAIS[1]}</a>'
case(
    "relate_inside_paragraph",
    article_page(around(f"<p>Le chantier a commencé en mars. {RELATE} Il durera deux ans.</p>")),
    "a related link inside a paragraph is removed and the paragraph is kept; whether it is added to related is not checked",
    "5 18.8",
    without("related", **with_blocks(p("Le chantier a commencé en mars. Il durera deux ans."))),
    related_prefix=STANDARD["related"],
)
case(
    "relate_alone_and_orphans",
    article_page(
        around(
            f'<p>{RELATE}</p><p>{RELATE} ..&gt;&gt;</p><p>&gt;&gt; {RELATE}</p><div class="article-relate"><h3>Sur le même sujet</h3>'
            f'<a href="{COMMERCE[0]}">{COMMERCE[1]}</a></div>'
        )
    ),
    "related links alone, with leftover arrows, and the related box are not body text",
    "5 18.8",
    without("related"),
    related_prefix=STANDARD["related"],
)
case(
    "relate_container_class",
    article_page(
        around(f'<div class="cms-relate"><p>À ce sujet</p><ul><li><a href="{QUAIS[0]}">{QUAIS[1]}</a></li></ul></div>')
    ),
    "cms-relate on a container: its paragraph and list are not body text",
    "5 18.8",
    without("related"),
    related_prefix=STANDARD["related"],
)
case(
    "lire_aussi",
    article_page(
        around(
            f'<p><strong>Lire aussi :</strong> <a href="{COMMERCE[0]}">{COMMERCE[1]}</a></p>'
            f'<p>Lire aussi&nbsp;: <a class="cms-relate" href="{QUAIS[0]}">{QUAIS[1]}</a></p>'
        )
    ),
    "'Lire aussi' lines with a link, with and without the class cms-relate, are not body text",
    "8 18.8",
    without("related"),
    related_prefix=STANDARD["related"],
)
case(
    "lire_aussi_after_signature",
    article_page(
        f'<p>{P1}</p><p>{P2}</p><p>{P3}</p><p>&gt;&gt; <a href="{COMMERCE[0]}">{COMMERCE[1]}</a></p><p>Lire aussi :</p>'
        f'<ul><li><a href="{QUAIS[0]}">{QUAIS[1]}</a></li></ul>'
    ),
    "after the signature, a link after arrows and 'Lire aussi :' with a list of links: not body text, and the signature is found",
    "8 16 18.8",
    without("related"),
    related_prefix=STANDARD["related"],
)
PROSE_1 = "Lire aussi les textes anciens est un plaisir, a confié le bibliothécaire du port."
PROSE_2 = "Les visiteurs peuvent voir plus de trois cents cartes et lire aussi des journaux de bord."
case(
    "lire_aussi_and_voir_plus_as_prose",
    article_page(around(f"<p>{PROSE_1}</p><h3>Voir plus grand pour les ports</h3><p>{PROSE_2}</p>")),
    "the words 'lire aussi' and 'voir plus' in prose and in a sub-heading remove nothing and start no list",
    "8",
    with_blocks(p(PROSE_1), h("Voir plus grand pour les ports"), p(PROSE_2)),
)
case(
    "inline_links_kept",
    article_page(
        around(
            '<p>Le <a href="/topic/ports-du-vietnam-88.vnp">port de Haïphong</a> et celui de <a class="cms-link" '
            'href="https://www.haropaport.com/">HAROPA</a> coopèrent depuis <a href="/accord-post190103.vnp">2022</a>.</p>'
        )
    ),
    "ordinary links in a sentence are text, including links to other articles",
    "5",
    with_blocks(p("Le port de Haïphong et celui de HAROPA coopèrent depuis 2022.")),
)
case(
    "voir_plus_inside_body",
    article_page(f"<p>{P1}</p><p>{P2}</p><p>{P3}</p>\n{TWO_STORIES}", related=""),
    "the 'Voir plus' block is inside the body: it is related, not body text, and the signature before it is found",
    "8 18.8",
    STANDARD,
)
case(
    "stories_after_signature_without_heading",
    article_page(
        f"<p>{P1}</p><p>{P2}</p><p>{P3}</p>\n" + story(QUAIS[1], QUAIS[0], summary=QUAIS[2], alt=QUAIS[3]), related=""
    ),
    "another story in the body after the signature, without a heading, is not body text; whether it is related is not checked",
    "8 18.8",
    without("related"),
)
OTHER = article_main(
    "<p>Cân Tho (VNA) - Le marché flottant attire les visiteurs.</p><p>Il ouvre dès cinq heures. – VNA</p>",
    title="Le marché flottant de Cai Rang renaît",
    lead="Autre chapeau.",
    byline='<a class="cms-author" href="/auteur/x">Minh Anh</a>',
    tags=("#Cân Tho",),
    crumb="Culture",
    related="",
    body_tag=BODY_TAG,
)
case(
    "second_article_preloaded",
    article_page(after=f'<div class="infinite-scroll" data-next="255790">{OTHER}</div>'),
    "the next article is preloaded in the same page with the same classes (infinite scroll): no field contains any of it",
    "18.8",
    STANDARD,
)
case(
    "second_article_preloaded_first_lacks_fields",
    article_page(after=OTHER, lead=None, lead_html="", related=""),
    "the lead, byline and tags of a preloaded next article are not used for an article without them",
    "18.5 18.8",
    STANDARD | {"lead": None, "related": []},
)

# --- inline markup and white space -----------------------------------------------------------------------------------

case(
    "inline_tags_add_no_space",
    article_page(
        around(
            "<p><b>L</b>e 45<sup>e</sup> anniversaire a été <i>célé</i><i>bré</i> à Hô Chi Minh<wbr>-Ville.<strong>Lors</strong>de la "
            "fête, CO<sub>2</sub> et <u>bruit</u> ont baissé.</p>"
        )
    ),
    "inline tags neither add nor remove spaces: drop cap, superscript, <wbr>, glued words kept",
    "16 18.17",
    with_blocks(p("Le 45e anniversaire a été célébré à Hô Chi Minh-Ville.Lorsde la fête, CO2 et bruit ont baissé.")),
)
case(
    "word_paste",
    article_page(
        around(
            '<p class="MsoNormal" style="mso-margin-top-alt:auto"><span lang="FR" style="font-family:&quot;Times New Roman&quot;">'
            'Le <st1:place w:st="on">Havre</st1:place> et\n  Haïphong<span style="mso-spacerun:yes">  </span>sont jumelés.<o:p></o:p>'
            '</span></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
        )
    ),
    "text pasted from a word processor: unknown tags, wrapped lines, an empty paragraph with one NBSP",
    "6 16",
    with_blocks(p("Le Havre et Haïphong sont jumelés.")),
)
case(
    "empty_paragraphs_dropped",
    article_page(
        around(
            "<p></p><p> \n </p><p>&nbsp;</p><p><br></p><p>&nbsp; &nbsp;</p><h2>&nbsp;</h2><ul><li></li></ul><div>\u00a0</div>"
        )
    ),
    "blocks with only spaces and NBSP are dropped, whatever their tag",
    "16",
    STANDARD,
)
case(
    "nbsp_kept_inside",
    article_page(
        around(
            "<p>&nbsp; Le taux atteint 18,7\u00a0% : « une\u00a0première »\u00a0; merci\u00a0! \u00a0</p><p>Deux \u00a0 espaces</p>"
        )
    ),
    "NBSP inside a line is kept, both ends are stripped; ASCII white space around a NBSP collapses, the NBSP is kept",
    "16 18.17",
    with_blocks(p("Le taux atteint 18,7\u00a0% : « une\u00a0première »\u00a0; merci\u00a0!"), p("Deux \u00a0 espaces")),
)
case(
    "deep_nesting",
    article_page(
        around(
            "<div>" * 300 + "<p>" + "<span>" * 1500 + "Au fond du texte." + "</span>" * 1500 + "</p>" + "</div>" * 300
        )
    ),
    "pasted text nested 1,800 tags deep is read without a crash",
    "18",
    with_blocks(p("Au fond du texte.")),
)
case(
    "div_inside_paragraph",
    article_page(around("<p>Avant la boîte<div>Dans la boîte</div>Après la boîte</p>")),
    "a <div> inside a <p> closes it: three paragraphs in order",
    "18.2",
    with_blocks(p("Avant la boîte"), p("Dans la boîte"), p("Après la boîte")),
)
case(
    "social_and_source_boxes_outside_body",
    article_page(
        after_body='<div class="article__comment"><p>Commentaires (3)</p><p>Bravo à Haïphong !</p></div>'
        f'<div class="article__more"><p>Suivez-nous sur <a href="https://t.me/x">Telegram</a></p><img src="{MEDIA}/{HEX}/qr.png"></div>'
    ),
    "paragraphs and pictures outside the body (comments, follow-us box, footer imprint) are not read",
    "5",
    STANDARD,
)
case(
    "body_mentions_block_page_words",
    article_page(
        around(
            "<p>Le site affichait « Access denied » puis « Page introuvable » et un captcha Cloudflare, a dit l’expert.</p>"
        ),
        title="Page introuvable : quand le captcha décourage l’usager (erreur 404)",
    ),
    "an article about error pages, captchas and 404s is accepted as an article",
    "14 18.22",
    with_blocks(
        p("Le site affichait « Access denied » puis « Page introuvable » et un captcha Cloudflare, a dit l’expert.")
    )
    | {"title": "Page introuvable : quand le captcha décourage l’usager (erreur 404)"},
)
