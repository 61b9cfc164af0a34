"""The parts of learning a layout, each on small pages: places, selectors, noise, scripts; and how a layout is used."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler import identity, markup
from crawler.errors import ConfigError
from crawler.heal import compare, healing, induce, learn, scripts, selectors, text_index
from crawler.heal.places import KnownPage, Places, find
from crawler.markup import ArticleSelectors, DataPaths, Learned, Markup
from crawler.parse import head as head_reader
from crawler.parse import script_data
from crawler.parse.frame import PageTree
from crawler.parse.page import read_with_layout
from crawler.types import Article, ImageBlock, TextBlock

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
URL = "https://fr.vietnamplus.vn/titre-post{}.vnp"
PARAGRAPHS = (
    "Le premier alinéa de cet article est assez long.",
    "Le second alinéa de cet article est long, lui aussi.",
)
SMALL = 'name = "learned-1"\n[article]\ntitle = ["h1"]\nbody = [".b"]\n'


def page(html, number=1):
    url = URL.format(number)
    tree = LexborHTMLParser(html)
    return PageTree(tree, head_reader.read(tree, url), url, AT, number, ())


def known(html, number=1, **fields):
    """Return a page whose article has a title, two paragraphs and the given fields."""
    blocks = (*fields.pop("images", ()), *(TextBlock("paragraph", text) for text in fields.pop("texts", PARAGRAPHS)))
    return KnownPage(page(html, number), Article(title=f"Le titre de la page {number}", blocks=blocks, **fields))


def article_page(number, body="", before="", after=""):
    text = body or "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    return f"<h1>Le titre de la page {number}</h1>{before}<div class=b>{text}</div>{after}"


def learned(pages):
    places = [find(k) for k in pages]
    assert all(isinstance(place, Places) for place in places), places
    return learn.learn(places, "learned-1", "a test", date(2026, 11, 22))


def read(layout, k):
    found = read_with_layout(k.page, layout)
    assert found is not None
    return found


# --- places -----------------------------------------------------------------------------------------------------------


def test_an_article_of_one_paragraph_has_the_element_around_it_as_body():
    place = find(known(article_page(1, f"<p>{PARAGRAPHS[0]}</p>"), texts=PARAGRAPHS[:1]))
    assert [node.attributes.get("class") for node in place.body[:1]] == ["b"]


def test_a_body_that_advertising_splits():
    parts = "<div class=b><p>{}</p></div><div class=ad-7>Publicité</div><div class=b><p>{}</p></div>".format(
        *PARAGRAPHS
    )
    pages = [known(f"<main><h1>Le titre de la page {n}</h1>{parts}</main>", n) for n in (1, 2)]
    layout = learned(pages)
    assert layout.article.body == (".b",)
    assert read(layout, pages[0]).paragraphs == PARAGRAPHS


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        ("<h1>Un autre titre</h1>", "the known title is not on the page"),
        ("<h1>Le titre de la page 1</h1><p>Autre chose</p>", "the known paragraphs are not on the page"),
        ("<a>Le titre de la page 1</a>", "the known title is not on the page"),
        ("<frameset></frameset>", "the known title is not on the page"),
    ],
)
def test_a_page_without_the_known_article_is_not_used(html, reason):
    assert find(known(html)) == reason


def test_a_page_with_too_many_nodes_is_not_examined(monkeypatch):
    monkeypatch.setattr(text_index, "_MOST_NODES", 3)
    assert find(known(article_page(1))) == "the known title is not on the page"


def test_a_long_text_is_not_compared(monkeypatch):
    monkeypatch.setattr(text_index, "_LONGEST", 30)
    index = text_index.build(LexborHTMLParser(article_page(1)))
    assert index.find("Le titre de la page 1")
    assert not index.find(PARAGRAPHS[0])


# --- selectors --------------------------------------------------------------------------------------------------------

NODES = {
    "an attribute with a meaning": ('<p id=x class="a" itemprop="articleBody">', '[itemprop="articleBody"]'),
    "an id": ('<p id="text" class="a">', "#text"),
    "an id with the number of the article": ('<p id="text-245060" class="a">', ".a"),
    "a readable class before a generated one": ('<p class="css-1x2y3z4 a">', ".a"),
    "an element name before a generated class": ('<h1 class="css-1x2y3z4">', "h1"),
    "a numbered class": ('<div class="ad-7">', ".ad-7"),
    "a link to a tag": ('<a href="/tag/vietnam">', 'a[href*="/tag/"]'),
}


@pytest.mark.parametrize(("html", "cheapest"), NODES.values(), ids=NODES)
def test_the_cheapest_selector(html, cheapest):
    tree = LexborHTMLParser(f"<section>{html}x")
    node = tree.css_first("section > *")
    costs = selectors.of(node)
    assert min(costs, key=lambda s: costs[s]) == cheapest
    assert all(any(n.mem_id == node.mem_id for n in tree.css(s)) for s in costs)


def test_selectors_that_the_parser_does_not_support_are_not_used():
    pages = [known(article_page(n, before="<o:p>Le chapeau</o:p>"), n, lead="Le chapeau") for n in (1, 2)]
    places = [find(k) for k in pages]
    chosen = induce.choose(places, [p.lead for p in places], name="lead", within=True)
    assert "o:p" not in chosen
    assert induce.harmless(places, ("o:p", "aside"), [frozenset(), frozenset()]) == ("aside",)


def test_at_most_three_selectors_for_a_field():
    leads = ("<p class=one>{}</p>", "<b id=two>{}</b>", "<i class=three>{}</i>", "<em id=four>{}</em>")
    pages = [
        known(article_page(n, before=leads[n].format("Le chapeau")), n, lead="Le chapeau") for n in range(len(leads))
    ]
    places = [find(k) for k in pages]
    assert len(induce.choose(places, [p.lead[:1] for p in places])) == 3


def test_only_what_can_be_told_from_the_article_is_selected():
    same = "".join(f"<section><u class=bad>{letter}</u></section>" for letter in "yz")
    places = [find(known(article_page(1, after=f"<p><u class=good>x</u></p>{same}")))]
    good, bad, article = places[0].known.page.tree.css("u")
    assert induce.cover(places, [[[good], [bad]]], [frozenset({article.mem_id})]) == (".good",)


def test_groups_that_no_selector_finds_are_left_out():
    places = [find(known(article_page(1, after="<i>x</i>")))]
    italic = places[0].known.page.tree.css("i")
    assert induce.cover(places, [[italic, []]], [frozenset()])
    assert induce.cover(places, [[italic]], [frozenset(n.mem_id for n in italic)]) == ()


# --- what is in the body ----------------------------------------------------------------------------------------------

CAPTION = "Une photo de Hanoï, prise hier. Photo : VNA"
PICTURES = {
    "inside the element of the picture": f"<div class=photo><img src=/a.jpg>{CAPTION}</div>",
    "after the element of the picture": f"<div class=photo><img src=/a.jpg></div>{CAPTION}<br>",
    "after a line break": f"<div class=photo><img src=/a.jpg></div><br>{CAPTION}<br>",
    "in an attribute of the picture": f'<div><img src=/a.jpg alt="{CAPTION}"></div>',
    "in an attribute around the picture": f'<div data-legend="{CAPTION}"><img src=/a.jpg></div>',
    "in an element after the picture": f"<div><img src=/a.jpg></div><small>{CAPTION}</small>",
    "in emphasis in the same paragraph": f"<p><img src=/a.jpg><br><em>{CAPTION}</em></p>",
}


@pytest.mark.parametrize("html", PICTURES.values(), ids=PICTURES)
def test_captions(html):
    image = ImageBlock("https://fr.vietnamplus.vn/a.jpg", "", CAPTION)
    text = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    pages = [known(article_page(n, f"{html}{text}"), n, images=[image]) for n in (1, 2, 3)]
    found = read(learned(pages), pages[0])
    assert [i.caption for i in found.images] == [CAPTION]
    assert found.paragraphs == PARAGRAPHS


def test_a_caption_that_stands_beside_no_picture_is_not_learned():
    image = ImageBlock("https://fr.vietnamplus.vn/a.jpg", "", CAPTION)
    text = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    layout = learned([known(article_page(n, f"{text}{CAPTION}"), n, images=[image]) for n in (1, 2)])
    assert layout.body.bare_caption == ()


def test_a_lead_picture_outside_the_body_with_its_caption():
    image = ImageBlock("https://fr.vietnamplus.vn/a.jpg", "", CAPTION)
    before = f"<figure><img src=/a.jpg></figure><p class=c>{CAPTION}</p>"
    pages = [known(article_page(n, before=before), n, images=[image]) for n in (1, 2, 3)]
    found = read(learned(pages), pages[0])
    assert [(i.url, i.caption) for i in found.images] == [(image.url, CAPTION)]


@pytest.mark.parametrize("rare", range(9))
def test_pages_with_pictures_in_other_elements_are_used_for_learning(rare):
    """Wherever the only page whose picture is in a table stands in the order, it is not kept apart."""
    text = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    pages = [
        known(
            article_page(n, (f"<table><td><img src=/{n}.jpg></table>" if n == rare else f"<figure><img src=/{n}.jpg></figure>") + text),
            n,
            images=[ImageBlock(f"https://fr.vietnamplus.vn/{n}.jpg", "", None)],
        )
        for n in range(9)
    ]  # fmt: skip
    apart = healing._kept_apart([find(k) for k in pages])
    assert len(apart) == 3
    assert pages[rare] not in [place.known for place in apart]


def test_notes_and_noise_and_related_links():
    link = '<div class=more><a href="/autre-post99.vnp">Un autre article</a></div>'
    note = "<div class=note><p>Une note à côté du texte.</p></div>"
    ads = "".join(f"<div class=ad-{n}><p>Publicité</p></div>" for n in (3, 8))
    text = f"<p>{PARAGRAPHS[0]}</p>{link}{note}{ads}<p>{PARAGRAPHS[1]}</p>"
    pages = [known(article_page(n, text, after="<p>Publicité</p>"), n) for n in (1, 2, 3)]
    pages = [
        replace(
            k, article=replace(k.article, blocks=(*k.article.blocks, TextBlock("note", "Une note à côté du texte.")))
        )
        for k in pages
    ]
    layout = learned(pages)
    found = read(layout, pages[0])
    assert found.paragraphs == PARAGRAPHS
    assert [b.text for b in found.blocks if isinstance(b, TextBlock) and b.type == "note"] == [
        "Une note à côté du texte."
    ]
    assert [story.title for story in found.related] == ["Un autre article"]
    assert layout.body.related
    assert all(not s.startswith("p") for s in layout.body.noise)


@pytest.mark.parametrize(("unknown", "pictures"), [((), 0), (("images",), 2)])
def test_pictures_that_are_not_known_are_noise_only_if_all_pictures_are_known(unknown, pictures):
    icon, ad = "<img src=/icon.png>", "<div class=ad><img src=/ad.png></div>"
    text = f"<p>{PARAGRAPHS[0]}{icon}</p>{ad}<p>{PARAGRAPHS[1]}</p>"
    pages = [replace(known(article_page(n, text), n), unknown=unknown) for n in (1, 2)]
    assert len(read(learned(pages), pages[0]).images) == pictures


def test_parts_of_a_known_paragraph_are_no_noise():
    first, second = PARAGRAPHS[0][:20], PARAGRAPHS[0][20:]
    text = f"<p><span>{first}</span><br><span>{second}</span></p><p>{PARAGRAPHS[1]}</p>"
    pages = [known(article_page(n, text), n) for n in (1, 2)]
    assert read(learned(pages), pages[0]).paragraphs == (first.strip(), second.strip(), PARAGRAPHS[1])


def test_noise_that_cannot_be_selected_ends_the_search():
    """A text that differs from page to page and is among the paragraphs cannot be told from them."""
    pages = [known(article_page(n, f"<p>{PARAGRAPHS[0]}</p><p>Bruit {n}</p><p>{PARAGRAPHS[1]}</p>"), n) for n in (1, 2)]
    assert len(read(learned(pages), pages[0]).paragraphs) == 3


def test_a_lead_selector_that_finds_the_body_gives_no_lead():
    layout = Markup("x", ArticleSelectors(title=("h1",), body=(".b",), lead=("div",)))
    assert read(layout, known(article_page(1))).lead is None


@pytest.mark.parametrize(
    ("html", "is_edited"),
    [
        ("<p>Un texte inconnu.</p>", True),
        ("<p class=x>Un texte inconnu.</p>", False),
        ("<div><p>Un texte inconnu.</p></div>", False),
    ],
)
def test_unknown_text_is_an_edit_only_in_elements_like_the_known_ones(html, is_edited):
    text = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
    k = known(article_page(1, f"{text}{html}"))
    found = replace(k.article, blocks=(*k.article.blocks, TextBlock("paragraph", "Un texte inconnu.")))
    assert compare.is_edited(find(k), "text", found) is is_edited


# --- scripts ----------------------------------------------------------------------------------------------------------


def shell(number, data, start=""):
    return f'<div id=root></div><script id="data" type="application/json">{start}{json.dumps(data)}</script>'


def data_of(number):
    return {
        "kind": "detail",
        "articles": [{"head": f"Le titre de la page {number}", "sapo": "Le chapeau", "at": "2026-11-22T10:00:00+07:00",
                      "photo": "https://fr.vietnamplus.vn/a.jpg", "tags": [{"name": "Hanoï"}, {"name": "Huê"}],
                      "text": [{"p": text} for text in PARAGRAPHS]}],
    }  # fmt: skip


@pytest.mark.parametrize("start", ["", "window.__DATA__ = "])
def test_an_article_in_a_script(start):
    image = ImageBlock("https://fr.vietnamplus.vn/a.jpg", "", None)
    pages = [
        known(shell(n, data_of(n), start), n, images=[image], lead="Le chapeau", tags=("Hanoï", "Huê"),
              published_at="2026-11-22T10:00:00+07:00")
        for n in range(1, 10)
    ]  # fmt: skip
    result = healing.heal(pages, "learned-1", "a test", date(2026, 11, 22))
    assert result.share == 1.0, result.differences
    assert result.layout.data == DataPaths(
        script=("#data",), title="/articles/*/head", lead="/articles/*/sapo", time="/articles/*/at",
        picture="/articles/*/photo", tags="/articles/*/tags/*/name", body="/articles/*/text/*/p",
    ) or result.layout.data.title == "/articles/0/head"  # fmt: skip
    assert read(result.layout, pages[0]).paragraphs == PARAGRAPHS
    result.verify(pages[0])
    result.verify(known("<h1>Le titre de la page 1</h1>"))
    assert result.unusable == [(URL.format(1), healing.OTHER_LAYOUT)]
    assert read_with_layout(page(article_page(1)), result.layout) is None


def test_scripts_without_the_article():
    assert scripts.learn([known(shell(1, {"title": "Autre"}))]) is None
    assert scripts.learn([known("<script>var x = 1;</script><script>{broken}</script>")]) is None
    assert scripts.learn([known(shell(1, data_of(1)), texts=())]) is None


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b", ["x"]),
        ("/list/1", ["two"]),
        ("/list/*", ["one", "two"]),
        ("/list/9", []),
        ("/list/x", []),
        ("/a/*", ["x"]),
        ("/a/b/c", []),
        ("/missing", []),
        ("/empty", []),
    ],
)
def test_values_at_a_path(path, expected):
    data = {"a": {"b": "x"}, "list": ["one", "two"], "empty": " "}
    assert list(script_data.values(data, path)) == expected


def test_a_script_that_would_harm_the_parser_is_not_read(monkeypatch):
    paths = DataPaths(script=("script",), title="/t", body="/b")
    assert script_data.opened(page(shell(1, {"t": "Titre", "b": "x"})), paths) is not None
    monkeypatch.setattr(script_data.guard, "hazard", lambda _: "nested too deep")
    assert script_data.opened(page(shell(1, {"t": "Titre", "b": "x"})), paths) is None


# --- a learned layout in use ------------------------------------------------------------------------------------------


def layout_of(name="learned-1", since=AT, until=None):
    return Markup(name, ArticleSelectors(("h1",), (".b",)), learned=Learned(since, until))


def test_learned_layouts_are_tried_last_and_only_in_their_time():
    written = Markup("cms-2024", ArticleSelectors(("h1",), (".b",)), valid_until=date(2024, 1, 1))
    later = AT.replace(day=23)
    old, new, ended = layout_of(), layout_of("learned-2", later), layout_of("learned-3", until=AT)
    every = [old, new, ended, written]
    assert markup.choose(every, AT.replace(hour=5)) == (written,)
    assert markup.choose(every, AT) == (written, ended, old)
    assert markup.choose(every, later) == (written, new, old)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", "learned.since: missing"),
        ("since = 2026-11-22", "learned.since: must be a time"),
        ("since = 2026-11-22T06:00:00", "learned.since: must be a time"),
        ("since = 2026-11-22T06:00:00Z\nuntil = true", "learned.until: must be a time"),
        ("since = 2026-11-22T06:00:00Z\ndoubtful = 3", "learned.doubtful: must be a list"),
    ],
)
def test_the_table_of_a_learned_layout_is_checked(table, message):
    with pytest.raises(ConfigError, match=message):
        markup.load("x.toml", f"{SMALL}[learned]\n{table}")


STORED = Article(
    title="Titre", lead="Chapeau", published_at="2026-11-22T10:00:44+07:00", modified_at="2026-11-22T11:00:00+07:00",
    blocks=(ImageBlock(None, "", "Légende"), TextBlock("paragraph", "Texte")),
)  # fmt: skip
READ = replace(STORED, published_at="2026-11-22T10:00:00+07:00", blocks=(ImageBlock(None, "", None), STORED.blocks[1]))


@pytest.mark.parametrize(
    ("changes", "doubtful", "revised"),
    [
        ({}, ("published_at", "captions"), False),
        ({}, ("published_at",), True),
        ({"lead": "Autre"}, ("published_at", "captions", "lead"), False),
        ({"lead": "Autre"}, ("published_at", "captions"), True),
        ({"lead": "Autre", "modified_at": "2026-11-22T12:00:00+07:00"}, ("published_at", "captions", "lead"), True),
        ({"modified_at": None}, ("published_at", "captions"), False),
    ],
)
def test_a_difference_in_doubtful_fields_is_no_revision(changes, doubtful, revised):
    article = identity.settled(replace(READ, **changes), STORED, doubtful)
    assert article.published_at == STORED.published_at
    assert (identity.fingerprint(article) != identity.fingerprint(STORED)) is revised


def test_a_page_states_that_it_was_changed_for_the_first_time():
    changed = replace(READ, modified_at="2026-11-22T12:00:00+07:00", lead="Autre")
    assert identity.settled(changed, replace(STORED, modified_at=None), ("lead",)).lead == "Autre"
    assert (
        identity.settled(READ, replace(STORED, published_at=None), ("published_at",)).published_at == READ.published_at
    )


# --- the headline and the body ----------------------------------------------------------------------------------------


def test_a_headline_among_the_paragraphs():
    """The element around both is the body; its other parts are read from it, too."""

    def flat(number):
        texts = tuple(f"{text} Numéro {number}." for text in (*PARAGRAPHS, "Un dernier alinéa."))
        lead, who = f"Le chapeau de l'article {number}.", f"Auteur {'ABC'[number - 1]}"
        head = f"<h1>Le titre de la page {number}</h1><p class=l>{lead}</p><span class=w>{who}</span>"
        body = "".join(f"<p>{text}</p>" for text in texts)
        return known(
            f"<main><nav>Menu</nav><div class=a>{head}{body}</div></main>", number, texts=texts, lead=lead, byline=who
        )

    pages = [flat(n) for n in (1, 2, 3)]
    layout = learned(pages)
    assert (layout.article.body, layout.article.inner_title) == ((".a",), ("h1",))
    for k in pages:
        found = read(layout, k)
        assert (found.title, found.lead, found.byline, found.paragraphs) == (
            k.article.title, k.article.lead, k.article.byline, k.article.paragraphs
        )  # fmt: skip
    assert read_with_layout(page("<div class=a><p>Sans titre</p></div>"), layout) is None
    assert read_with_layout(page("<h1>Le titre</h1>"), layout) is None


def test_a_paragraph_beside_the_headline_does_not_hide_the_body():
    texts = (*PARAGRAPHS, "Un troisième alinéa, assez long lui aussi.")
    head = f"<header><h1>Le titre de la page 1</h1><h2>{texts[0]}</h2></header>"
    place = find(
        known(f"<main>{head}<section class=s><p>{texts[1]}</p><p>{texts[2]}</p></section></main>", texts=texts)
    )
    assert place.body[0].attributes.get("class") == "s"
    assert len(place.paragraphs) == 2
