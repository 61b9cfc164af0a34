"""Links to related stories inside the body, after labels and arrows, are no text of the article."""

from __future__ import annotations

import unicodedata

import pytest
from test_voir_plus import IMG2, ROOT, S2, T2, T3, U2, U3, cards, parse, stories

from crawler.parse import read_also

LINK, LINK3 = f'<a href="{U2}">{T2}</a>', f'<a href="{U3}">{T3}</a>'
SENTENCE = "Le président a déclaré hier que tout va bien."


def texts(article):
    return [getattr(block, "text", None) for block in article.blocks]


LABELS = [
    "À lire aussi :", "À LIRE ÉGALEMENT |", "A lire aussi", "Lisez aussi :", "(Re)lire :", "À lire :", "Voir :", "Lire la suite :",
    "Lire notre dossier :", "Dossier :", "À lire sur le même sujet :", "Sur le même thème :", "Dans le même dossier :", "Articles liés :",
    "Informations connexes :", "En savoir plus :", "Pour aller plus loin :", "Read also:", "Related news:", "Xem thêm:", "Đọc thêm:",
    "Tin liên quan:", "☞ Lire aussi :", "\u200bÀ lire aussi\u00a0:", unicodedata.normalize("NFD", "À lire également :"), "&gt;&gt;&gt; Voir aussi:",
    "À découvrir :", "Retrouvez également :", "Dans la même rubrique :", "Ne manquez pas :", "Articles à lire :", "»", "&gt;", "►", "👉", "➡\ufe0f", "⇒", "→",
]  # fmt: skip


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize(
    "form", ["<p>{} {}</p>", "<p><strong>{}</strong> {}</p>", "<blockquote><p>{} {} (20/11/2026)</p></blockquote>"]
)
def test_a_link_after_a_label_or_an_arrow_is_related(label, form):
    article = parse(f"<p>Un.</p>{form.format(label, LINK)}<p>Deux.</p>")
    assert [story.title for story in article.related] == [T2]
    assert texts(article) == ["Un.", "Deux."]


BLOCKS = {
    "two links": f"<p>À lire aussi : {LINK}, {LINK3}</p>",
    "two links after arrows": f"<p>&gt;&gt; {LINK} | {LINK3}</p>",
    "two links after a label on its own line": f"<p>À lire aussi</p><p>{LINK} et {LINK3}</p>",
    "list": f"<p><b>À lire aussi</b></p><ul><li>{LINK}</li><li>{LINK3}</li></ul>",
    "table": f"<table><tr><td>Lire aussi</td></tr><tr><td>{LINK}</td></tr><tr><td>{LINK3}</td></tr></table>",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
def test_several_links_after_a_label(block):
    article = parse(f"<p>Un.</p>{block}<p>Deux.</p>")
    assert [story.title for story in article.related] == [T2, T3]
    assert texts(article) == ["Un.", "Deux."]


CARDS = {
    "in a box": f"<div><h3>À lire aussi</h3>{cards('div')}</div>",
    "after a paragraph": f"<p><strong>À lire aussi :</strong></p><div>{cards('div')}</div>",
    "stories of the layout": f'<div><h3>Sur le même sujet</h3>{cards("article").replace("<article", chr(60) + "article class=story")}</div>',
    "items of a list": f"<h3>Articles connexes</h3><ul>{cards('li')}</ul>",
    "pictures with captions": (
        f'<p>À lire aussi</p><figure><a href="{U2}">{IMG2}</a><figcaption>{LINK}</figcaption></figure><div><h4>{LINK3}</h4></div>'
    ),
}  # fmt: skip


@pytest.mark.parametrize("block", CARDS.values(), ids=CARDS)
def test_cards_after_a_label_are_related(block):
    article = parse(
        f"<p>Un.</p>{block}<p>{SENTENCE}</p>", "<h3>Voir plus</h3><ul><li><a href='/z-post9.vnp'>Z</a></li></ul>"
    )
    assert [story.title for story in article.related] == ["Z", T2, T3]
    assert texts(article) == ["Un.", SENTENCE]


OWN_TEXT = {
    "arrow of a list with a sentence": (
        f"<p>&gt; {LINK} accueille deux navires.</p>",
        f"> {T2} accueille deux navires.",
    ),
    "label in a sentence": (f"<p>Ils aiment lire aussi {LINK} le soir.</p>", f"Ils aiment lire aussi {T2} le soir."),
    "label without a link": ("<p>À lire : le dernier roman.</p>", "À lire : le dernier roman."),
    "label of a list without links": ("<p>À lire :</p>", "À lire :"),
    "sentence after the label": (
        f"<p>À lire aussi</p><p>{LINK} accueille deux navires.</p>",
        f"{T2} accueille deux navires.",
    ),
    "sentence after a label without a colon": (
        f"<p>Lire aussi {LINK} est un plaisir du soir.</p>",
        f"Lire aussi {T2} est un plaisir du soir.",
    ),
    "sentence after a word with a colon": (
        f"<p>Dossier : {LINK} et ses deux quais neufs.</p>",
        f"Dossier : {T2} et ses deux quais neufs.",
    ),
    "heading of the article": ("<h2>Pour aller plus loin</h2>", "Pour aller plus loin"),
    "heading before a sentence with a link": (
        f"<h2>Sujets connexes</h2><p>{LINK} a deux quais neufs depuis hier.</p>",
        None,
    ),
    "section after arrows": ('<p>&gt;&gt; <a href="/politique/">Politique</a></p>', ">> Politique"),
    "link that leads nowhere": ('<p>À lire aussi : <a href="mailto:a@b.vn">Autre</a></p>', "À lire aussi : Autre"),
    "link to another site in a sentence": (
        '<p>En savoir plus : <a href="https://example.org/x">le site</a> de la province de Huê.</p>',
        "En savoir plus : le site de la province de Huê.",
    ),
}


@pytest.mark.parametrize(("block", "text"), OWN_TEXT.values(), ids=OWN_TEXT)
def test_the_articles_own_text_stays(block, text):
    article = parse(f"<p>Un.</p>{block}<p>Deux.</p>")
    assert article.related == ()
    own = [text] if text else ["Sujets connexes", f"{T2} a deux quais neufs depuis hier."]
    assert texts(article) == ["Un.", *own, "Deux."]


def test_text_after_a_label_with_a_colon_and_its_link_stays():
    article = parse(f"<p>Un.</p><p>À lire aussi : {LINK}, un reportage en trois parties.</p>")
    assert [story.title for story in article.related] == [T2]
    assert "un reportage en trois parties." in article.text


def test_a_label_may_stand_before_a_link_to_another_site():
    article = parse('<p>Un.</p><p>À lire aussi : <a href="https://lecourrier.vn/x/1.html">Autre</a></p>')
    assert [(story.title, story.url, story.post_id) for story in article.related] == [
        ("Autre", "https://lecourrier.vn/x/1.html", None)
    ]
    assert texts(article) == ["Un."]


def test_a_post_id_of_another_edition_is_none_of_this_site():
    there = f"https://en.vietnamplus.vn{U2}"
    article = parse(
        f'<p>Un.</p><p>À lire aussi : <a href="{there}">{T2}</a></p>',
        f'<h3>Voir plus</h3><ul><li><a href="{there}">{T2}</a><p>{S2}</p></li><li>{LINK}</li><li><a href="https://m.fr.vietnamplus.vn{U3}">{T3}</a></li></ul>',
    )
    assert [(story.url, story.post_id) for story in article.related] == [
        (there, None), (f"{ROOT}{U2}", 2), (f"https://m.fr.vietnamplus.vn{U3}", 3),
    ]  # fmt: skip
    assert texts(article) == ["Un."]


@pytest.mark.parametrize(("alt", "expected"), [("", [2]), ("Voir plus", [])])
def test_a_heading_may_have_an_icon(alt, expected):
    heading = f'<h3><img src="/i.png" alt="{alt}">Voir plus</h3>'
    assert [story[0] for story in stories(parse("<p>Un.</p>", f"{heading}<ul><li>{LINK}</li></ul>"))] == expected


def test_a_link_may_begin_with_its_label():
    article = parse(f'<p>Un.</p><p><a href="{U2}">Lire aussi : {T2}</a></p><p>Deux.</p>')
    assert [story.title for story in article.related] == [T2]
    assert texts(article) == ["Un.", "Deux."]


@pytest.mark.parametrize("arrows", ["&gt;&gt;", "»» ", "→ ", "👉"])
def test_a_link_may_begin_with_arrows(arrows):
    article = parse(f'<p>Un.</p><p><a href="{U2}">{arrows}{T2}</a></p><p>Deux.</p>')
    assert [story.title for story in article.related] == [T2]
    assert texts(article) == ["Un.", "Deux."]


def test_a_link_that_is_only_a_label_or_an_arrow_is_kept():
    assert [read_also.without_label(text) for text in ("Lire aussi :", ">>", "> Titre")] == [
        "Lire aussi :",
        ">>",
        "> Titre",
    ]


@pytest.mark.parametrize("label", ["<b>Voir plus</b><br>", "Voir plus<br>"])
@pytest.mark.parametrize("sign", ["-", "•", "–&nbsp;", ""])
def test_signs_before_the_stories_of_a_list_of_lines_are_no_text(label, sign):
    article = parse(f"Un.<br>Fin. -VNA<br><br>{label}{sign} {LINK}<br>{sign} {LINK3}")
    assert ([story.title for story in article.related], article.signature) == ([T2, T3], "-VNA")
    assert texts(article) == ["Un.", "Fin. -VNA"]


def test_very_many_parts_after_a_link_are_not_examined():
    article = parse(f"<p>Un.</p><p>À lire : {LINK}{'<i>-</i>' * 100}</p><p>Deux.</p>")
    assert [story.post_id for story in article.related] == [2]


def test_a_related_link_that_leads_nowhere_is_left_out():
    article = parse(f'<p>Un.</p><div class="cms-relate"><a href="mailto:a@b.vn">X</a><a href="{U2}"></a>{LINK3}</div>')
    assert [story.post_id for story in article.related] == [3]
