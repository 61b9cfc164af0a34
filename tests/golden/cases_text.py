"""Datelines, signatures, and typing errors of the agency that must be kept unchanged."""

from __future__ import annotations

import unicodedata

from chrome import HEX, MEDIA, figure
from kit import LEAD, P1, P2, P3, STANDARD, article_page, body, case, h, img, li, p, table


def first(text):
    """Return the standard page with `text` as its first paragraph, and its expected article."""
    end = "Les travaux dureront deux ans."
    return article_page(f"<p>{text}</p><p>{P2}</p><p>{end}</p>"), STANDARD | body(p(text), p(P2), p(end)) | {
        "signature": None
    }


def last(text):
    """Return the standard page with `text` as its last paragraph, and its expected article."""
    return article_page(f"<p>{P1}</p><p>{P2}</p><p>{text}</p>"), STANDARD | body(p(P1), p(P2), p(text))


DATELINES = {
    "place_and_date": ("Paris, 19 septembre (VNA) - Le dialogue a eu lieu.", ("Paris", "19 septembre", "VNA")),
    "no_space": ("Hanoï(VNA) - Le dialogue a eu lieu à Hanoï.", ("Hanoï", None, "VNA")),
    "en_dash": ("Hô Chi Minh-Ville (VNA) – Le marché a ouvert.", ("Hô Chi Minh-Ville", None, "VNA")),
    "avi": ("Hanoi, 2 février (AVI) - Le Têt approche.", ("Hanoi", "2 février", "AVI")),
    "joint_agency": ("Vientiane (CPV/VNA) - La réunion s’est ouverte.", ("Vientiane", None, "CPV/VNA")),
    "bold": ("Washington (VNA) - Le sommet a commencé.", ("Washington", None, "VNA")),
}
for name, (text, (place, date, agency)) in DATELINES.items():
    page, expect = first(text)
    if name == "bold":
        page = page.replace("Washington (VNA) -", "<strong>Washington <em>(VNA)</em> -</strong>")
    case(
        f"dateline_{name}",
        page,
        f"dateline {text.split(')')[0]})",
        "6 16",
        expect | {"dateline": {"place": place, "date": date, "agency": agency}},
    )
for name, text in {
    "absent": "Le dialogue a eu lieu lundi à Paris.",
    "agency_in_prose": "Le ministre a répondu à l’Agence vietnamienne d’information (VNA) - une première - avant son départ.",
}.items():
    page, expect = first(text)
    case(
        f"dateline_{name}",
        page,
        "no dateline at the start of the first paragraph: null, even if the sentence names the agency",
        "6 16",
        expect | {"dateline": None},
    )

SIGNATURES = {
    "hyphen": ("Le chantier finira en 2027. -VNA", "-VNA"),
    "hyphen_space": ("Le chantier finira en 2027. - VNA", "- VNA"),
    "en_dash_glued": ("Le chantier finira en 2027. –VNA", "–VNA"),
    "en_dash_space": ("Le chantier finira en 2027. – VNA", "– VNA"),
    "dots": ("Le chantier finira en 2027... -VNA", "-VNA"),
    "avi": ("Le chantier finira en 2012. -AVI", "-AVI"),
    "slash": ("Le chantier finira en 2027. CPV/VNA", "CPV/VNA"),
    "dash_and_slash": ("Le chantier finira en 2027. - NDEL/VNA", "- NDEL/VNA"),
    "glued_to_word": ("Le chantier coûtera 3.200 milliards de dongs.VNA", "VNA"),
    "dash_glued_to_word": ("Le chantier coûtera 3.200 milliards de dongs.-VNA", "-VNA"),
    "none": ("Le chantier finira en 2027.", None),
    "agency_ends_sentence": ("Il l’a déclaré dans un entretien accordé à la VNA", None),
    "agency_ends_sentence_with_stop": ("Il l’a déclaré hier au correspondant de la VNA.", None),
}
for name, (text, signature) in SIGNATURES.items():
    page, expect = last(text)
    case(f"signature_{name}", page, f"the body ends with: …{text[-28:]}", "16", expect | {"signature": signature})

page, expect = last("– VNA")
case("signature_alone", page, "a signature alone in a paragraph is a paragraph", "16", expect | {"signature": "– VNA"})
case(
    "signature_bold_right",
    article_page(f'<p>{P1}</p><p>{P2}</p><p align="right"><strong>-VNA</strong></p><p>&nbsp;</p>'),
    "a signature alone, bold and right-aligned, followed by an empty paragraph",
    "16",
    STANDARD | body(p(P1), p(P2), p("-VNA")),
)
PICTURE = f"{MEDIA}/{HEX}/fin.jpg"
case(
    "signature_before_picture",
    article_page(f"<p>{P1}</p><p>{P2} -VNA</p>" + figure(PICTURE, caption="La délégation à Haïphong. Photo : VNA")),
    "the signature ends the last text, although a picture follows whose caption ends with VNA",
    "5 16",
    STANDARD
    | body(
        p(P1),
        p(f"{P2} -VNA"),
        {
            "type": "image",
            "url": PICTURE,
            "alt": "",
            "caption": "La délégation à Haïphong. Photo : VNA",
            "credit": "VNA",
        },
    ),
)

# --- errors that are kept --------------------------------------------------------------------------------------------

GLUED = "Le chefadjoint a présenté ses messages desympathie.Lors de la rencontre, le Partiet l’Etat l’ont remercié."
case(
    "quirk_glued_words",
    article_page(f"<p>{GLUED}</p><p>La stratégiede coopération est un pilieressentiel.</p>", lead=None),
    "glued words are kept in `text`; they are separated in `clean`, and the repairs are listed",
    "16 18.17",
    STANDARD
    | body(p(GLUED), p("La stratégiede coopération est un pilieressentiel."))
    | {"lead": None, "dateline": None, "signature": None},
    contains={"clean": ["La stratégie de coopération", "un pilier essentiel"]},
    present=["repairs"],
)
case(
    "quirk_sound_text_needs_no_repair",
    article_page("<p>Le port a reçu trois navires.</p><p>Le trafic augmente.</p>", lead=None),
    "a text without errors: `clean` is equal to it and no repair is listed",
    "16",
    STANDARD
    | body(p("Le port a reçu trois navires."), p("Le trafic augmente."))
    | {"lead": None, "dateline": None, "signature": None}
    | {"clean": "Le port a reçu trois navires.\n\nLe trafic augmente.", "repairs": [], "word_count": 9},
)
SPLIT = "Le 45 e anniversaire du P rincipe de l’ Organisation, soit une hausse de ( 38,4%) et 1.568 milliards de đồng."
case(
    "quirk_split_words_and_lost_plus",
    first(SPLIT)[0],
    "split words and a lost plus sign are kept",
    "16 18.17",
    first(SPLIT)[1] | {"dateline": None},
)
UNICODE = (
    "Le 14ᵉ Congrès 📝 et le XVIᵉ siècle : ''Diên Biên Phu'', “Điện Biên Phủ”, "
    "co\u200bopération, por\u00adtuaire, "
    + unicodedata.normalize("NFD", "Trần Hưng Đạo")
    + ", d'Etat et d’État\u202f; fin\u2026"
)
case(
    "quirk_unicode",
    first(UNICODE)[0],
    "superscript letters, emoji, doubled apostrophes, NFC and NFD, zero-width space, soft hyphen, narrow NBSP: all kept",
    "16 18.17",
    first(UNICODE)[1] | {"dateline": None},
)
case(
    "title_emoji_label",
    article_page(
        title="📝Édito: Haïphong, « porte » de l'Asie",
        lead="📝Idées : " + LEAD,
    ),
    "series label with emoji in the headline and the lead, correctly encoded: no problem",
    "16",
    STANDARD | {"title": "📝Édito: Haïphong, « porte » de l'Asie", "lead": "📝Idées : " + LEAD, "problems": []},
)
NFD_TITLE = unicodedata.normalize("NFD", "Đà Nẵng reçoit une délégation de Nîmes")
case(
    "title_nfd",
    article_page(title=NFD_TITLE),
    "a title in NFD is kept unchanged",
    "16 18.17",
    STANDARD | {"title": NFD_TITLE},
)
case(
    "entities",
    article_page(
        "<p>Hanoï (VNA)&nbsp;- L&rsquo;ASEAN &amp; l&#8217;UE&#x202F;: R&amp;amp;D, 5 &lt; 7, &laquo;&nbsp;oui&nbsp;&raquo; "
        "&oelig;uvre &euro;&hellip; A&eacuteroport AT&T &copy2026 &#146;fin&#146;</p>",
        title_html='<h1 class="article__title cms-title">L&#39;ASEAN &amp; l&#x2019;UE&nbsp;: &quot;c&oelig;ur&quot; du R&amp;D</h1>',
    ),
    "entities: named, decimal, hexadecimal, without semicolon, doubly escaped (&amp;amp; gives &amp;), windows-1252 range",
    "4 16 18.17",
    STANDARD
    | body(
        p(
            "Hanoï (VNA)\u00a0- L’ASEAN & l’UE\u202f: R&amp;D, 5 < 7, «\u00a0oui\u00a0» œuvre €… Aéroport AT&T ©2026 ’fin’",
        )
    )
    | {"title": 'L\'ASEAN & l’UE\u00a0: "cœur" du R&D', "signature": None},
)
SUPERSCRIPTS = "10<sup>9</sup> kWh, 331 000 km<sup>2</sup>, note<sup>1</sup>, CO<sub>2</sub>, XIX<sup>e</sup> siècle"
READ = "10^9 kWh, 331 000 km2, note 1, CO2, XIXe siècle"
PORT = "https://mediafr.vietnamplus.vn/t660/uploaded/wbxx/2026_01_02/quai.jpg"
case(
    "superscripts_everywhere",
    article_page(
        f"<p>{P1}</p><h2>{SUPERSCRIPTS}</h2><ul><li>{SUPERSCRIPTS}</li></ul>{figure(PORT, caption=SUPERSCRIPTS)}"
        f"<table><tr><td>{SUPERSCRIPTS}</td><td>5</td></tr></table><p>{P3}</p>",
        title_html=f'<h1 class="article__title cms-title">{SUPERSCRIPTS}</h1>',
        lead_html=f'<div class="article__sapo cms-desc">{SUPERSCRIPTS}</div>',
    ),
    "superscripts and subscripts in the title, the lead, a heading, a list, a caption and a table: powers and footnote "
    "marks keep a distance, units, ordinals and formulas do not",
    "16",
    STANDARD
    | body(p(P1), h(READ), li(READ), img(PORT, caption=READ), table([READ, "5"]), p(P3))
    | {"title": READ, "lead": READ, "problems": []},
)
CORRECTED = (
    "Le trafic augmente de <del>12</del> <ins>15</ins> %, selon <s>le port</s><ins datetime=2026>la douane</ins>."
)
ADVERT = '<ins class="adsbygoogle" data-ad-client="ca-1">Publicité</ins>'
case(
    "corrections",
    article_page(f"<p>{P1}</p><p>{CORRECTED}{ADVERT}</p><p>{P3}</p>"),
    "a correction in the text: inserted text stays, deleted text beside it is left out and is a problem; an `ins` with "
    "advertising is left out",
    "16",
    STANDARD | body(p(P1), p("Le trafic augmente de 15 %, selon la douane."), p(P3)),
    problems=True,
)
case(
    "deleted_paragraph",
    article_page(f"<p>{P1}</p><p><del>{P2}</del></p><p>{P3}</p>"),
    "a paragraph that consists only of deleted text: kept, and a problem, because an unclosed `del` looks the same",
    "16",
    STANDARD,
    problems=True,
)
case(
    "hidden_span",
    article_page(f'<p>{P1}</p><p>{P2}<span style="display: none">mso</span></p><p>{P3}</p>'),
    "text that the page hides inside a paragraph is left out, and is a problem",
    "16",
    STANDARD,
    problems=True,
)
