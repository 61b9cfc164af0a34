"""The "Voir plus" block. Its container is unknown, so it must be found by its heading and the stories under it."""

from __future__ import annotations

from chrome import COMMERCE, QUAIS, SITE, TWO_RELATED, TWO_STORIES, figure, rel, story, voir_plus
from kit import STANDARD, article_page, case, without

FIRST = story(QUAIS[1], QUAIS[0], summary=QUAIS[2], alt=QUAIS[3])
SECOND = story(COMMERCE[1], COMMERCE[0], summary=COMMERCE[2])


def foot(name, html, about, related=TWO_RELATED, dossier="8", **checks):
    """Register a case with `html` at the foot of the article's column."""
    expect = without("related") if related is None else STANDARD | {"related": related}
    case(f"voir_plus_{name}", article_page(related=html), about, dossier, expect, **checks)


for name, container in {
    "timeline": 'div class="timeline"',
    "abf_cate": 'div class="abf-cate"',
    "zone": 'section class="zone zone--timeline" id="abf-cate"',
    "unknown_class": 'div class="q7-mod x"',
    "no_class": "div",
}.items():
    foot(f"in_{name}", voir_plus(FIRST, SECOND, container=container), f"container: {container}")
for name, head in {
    "h2": '<h2 class="title">Voir plus</h2>',
    "h4_span": "<h4><span>Voir</span> <span>plus</span></h4>",
    "div": '<div class="box-heading"> Voir plus\n</div>',
    "p_strong": "<p><strong>Voir plus</strong></p>",
    "link": '<h3 class="box-heading"><a class="cms-link" href="/politique/" title="Voir plus">Voir plus</a></h3>',
    "nbsp": "<h3>Voir&nbsp;plus</h3>",
    "colon": "<h3>Voir plus :</h3>",
}.items():
    foot(f"head_{name}", voir_plus(FIRST, SECOND, head=head), f"heading as {name}; a link in it is not a story")

foot("none", "", "no block: an empty list, although the sidebar has stories", [])
foot("empty", voir_plus(), "the heading without stories", [])
foot(
    "items_without_parts",
    voir_plus(
        story("Sans résumé", "/sans-resume-post256001.vnp", alt="Une rue de Hanoï. Photo: VNA"),
        story("Sans image", "/sans-image-post256002.vnp", picture=False, summary="Un résumé."),
        story("Ni l’un ni l’autre", "/ni-l-un-ni-lautre-post256003.vnp", picture=False),
        story("Légende vide", "/legende-vide-post256004.vnp", alt="", summary=""),
        story("Légende égale au titre", "/legende-egale-post256005.vnp", summary="Autre résumé."),
    ),
    "stories without summary, without picture, without both, with an empty alt, with an alt equal to the title",
    [
        rel(256001, "/sans-resume-post256001.vnp", "Sans résumé", "", "Une rue de Hanoï. Photo: VNA"),
        rel(256002, "/sans-image-post256002.vnp", "Sans image", "Un résumé."),
        rel(256003, "/ni-l-un-ni-lautre-post256003.vnp", "Ni l’un ni l’autre"),
        rel(256004, "/legende-vide-post256004.vnp", "Légende vide"),
        rel(256005, "/legende-egale-post256005.vnp", "Légende égale au titre", "Autre résumé."),
    ],
)
foot(
    "duplicates",
    voir_plus(FIRST, SECOND, FIRST, story(COMMERCE[1], "/le-commerce-vietnam-ue-en-hausse-de-12/256088.vnp")),
    "a repeated story, also with its old URL form: each story once, in order of first appearance",
    dossier="8 18.1",
)
foot(
    "old_url_form",
    voir_plus(story("Une exposition à Nîmes", "/une-exposition-a-nimes/211594.vnp", summary="Jusqu’en mai.")),
    "a story linked with the old URL form: its id is found",
    [{"post_id": 211594, "title": "Une exposition à Nîmes", "summary": "Jusqu’en mai.", "caption": None}],
    dossier="2 8",
)
foot(
    "absolute_and_query",
    voir_plus(story(QUAIS[1], SITE + QUAIS[0], summary=QUAIS[2], alt=QUAIS[3]), SECOND),
    "one absolute and one relative link: both are stored as absolute URLs",
)
foot(
    "link_outside",
    voir_plus(FIRST, story("Offre spéciale des hôtels", "https://annonceur.example/offre", summary="Publi."), SECOND),
    "one item leads to another site (sponsored): the other two are listed in order; whether it is listed is not checked",
    None,
    dossier="8 18.21",
    related_among=TWO_RELATED,
)
foot(
    "load_more_button",
    voir_plus(FIRST, SECOND)
    + '<div class="control__loadmore"><button class="btn" data-page="2" data-zone="1">Voir plus</button></div>',
    "a load-more button with the same text after the stories",
)
foot(
    "load_more_link_in_block",
    voir_plus(
        FIRST, SECOND, '<div class="more"><a class="cms-link" href="/politique/" title="Voir plus">Voir plus</a></div>'
    ),
    "a link to the section with the same text after the stories is not a story",
)
case(
    "voir_plus_button_before_and_sidebar_before",
    article_page(
        before='<div class="sidebar"><div class="box-content"><h3 class="box-heading">Les plus lus</h3>'
        + story("Cinq recettes du Têt", "/cinq-recettes-du-tet-post256020.vnp", summary="De banh chung à mut.")
        + '<a class="btn-more" href="/societe/">Voir plus</a></div></div>'
    ),
    "a sidebar list before the article ends with a button with the same text: only the block at the foot is related",
    "8",
    STANDARD,
)
case(
    "voir_plus_button_only",
    article_page(
        related="",
        before='<div class="sidebar"><div class="box-content"><h3 class="box-heading">Les plus lus</h3>'
        + story("Cinq recettes du Têt", "/cinq-recettes-du-tet-post256020.vnp")
        + '<a class="btn-more" href="/societe/">Voir plus</a></div></div>',
    ),
    "only a sidebar list with a button with this text, before the article: no related stories",
    "8",
    STANDARD | {"related": []},
)
foot(
    "stories_as_list_items",
    '<div class="z1"><h3>Voir plus</h3><ul>'
    f'<li><a href="{QUAIS[0]}"><img src="/v.jpg" alt="{QUAIS[3]}"></a><h3><a href="{QUAIS[0]}">{QUAIS[1]}</a></h3><p>{QUAIS[2]}</p></li>'
    f'<li><h3><a href="{COMMERCE[0]}">{COMMERCE[1]}</a></h3><p>{COMMERCE[2]}</p></li></ul></div>',
    "stories as plain list items without known classes: at least id, URL and title of each, in order",
    None,
    related_among=[{key: item[key] for key in ("post_id", "url", "title")} for item in TWO_RELATED],
)
foot(
    "title_attribute_and_entities",
    voir_plus(
        story(
            "L’ASEAN & l'UE : « R&D »",
            "/lasean-et-lue-post256012.vnp",
            alt="Le siège de l’ASEAN. Photo : VNA",
            summary="Pôle R&D.",
        )
    ),
    "entities in title, summary and alt",
    [
        rel(
            256012,
            "/lasean-et-lue-post256012.vnp",
            "L’ASEAN & l'UE : « R&D »",
            "Pôle R&D.",
            "Le siège de l’ASEAN. Photo : VNA",
        )
    ],
)
foot(
    "summary_with_white_space",
    voir_plus(
        story(QUAIS[1], QUAIS[0], alt=QUAIS[3], summary="\n   " + QUAIS[2].replace(" ", "\n  ", 3) + "  \n").replace(
            QUAIS[1] + "</a>", "\n  " + QUAIS[1] + "\n</a>"
        ),
        SECOND,
    ),
    "source newlines and indentation in title and summary",
)
foot(
    "other_block_after",
    TWO_STORIES
    + '<div class="box-content"><h3 class="box-heading">Dernières nouvelles</h3>'
    + story("Pluies sur le Centre", "/pluies-sur-le-centre-post256200.vnp")
    + "</div>",
    "another list with its own heading follows: not part of the block",
)
foot(
    "twelve_stories",
    voir_plus(
        *(story(f"Nouvelle {n}", f"/nouvelle-{n}-post25600{n:02}.vnp", summary=f"Résumé {n}.") for n in range(1, 13))
    ),
    "twelve stories in order",
    [rel(2560000 + n, f"/nouvelle-{n}-post25600{n:02}.vnp", f"Nouvelle {n}", f"Résumé {n}.") for n in range(1, 13)],
)
foot(
    "picture_stories",
    voir_plus(FIRST + figure("https://mediafr.vietnamplus.vn/images/00/p.jpg", caption="Une publicité"), SECOND),
    "a separate picture between the stories is neither a story nor an image of the article",
)
