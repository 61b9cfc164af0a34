"""Lists that name their stories only by ids: where the ids are is learned from the stories that are known."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from selectolax.lexbor import LexborHTMLParser
from support import SEEDS, SITE

from crawler import markup
from crawler.discover import discover
from crawler.errors import ConfigError, EmptySource
from crawler.heal import layout_file, list_places, lists
from crawler.heal.lists import KnownList
from crawler.markup import Learned, ListSelectors, Names
from crawler.sim.site import Options, SiteRequest, build, designs
from crawler.site import FRENCH
from crawler.types import SourceForPoll

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
URL = "https://fr.vietnamplus.vn/politique/"
STORIES = {245_000 - 7 * n: f"Le titre numéro {n} de cette liste" for n in range(24)}
NEW = 245_060  # a story that the archive does not know yet
FRAME = """<header><nav><li data-id="471" class="item">Politique</li>{nav}</nav></header><main>{main}</main>
<div class="box" data-id="20263">Les plus lus</div><footer data-id="{footer}">Mentions</footer>"""


def cards(form, stories=STORIES, **parts):
    entries = {NEW: "Un titre encore inconnu", **stories} if stories is STORIES else stories
    main = "\n".join(form.format(id=i, title=t) for i, t in entries.items())
    return FRAME.format(**{"nav": "", "main": main, "footer": 245_000, **parts})


def data(value, start=""):
    return f"<div id=root></div><script>{start}{json.dumps(value)}</script>"


ENTRIES = [{"id": i, "name": t, "slug": t.lower().replace(" ", "-")} for i, t in STORIES.items()]
FORMS = {
    "on_the_card": cards('<div class="item" data-id="{id}"><img><h3>{title}</h3><p>Un résumé.</p></div>'),
    "on_the_headline": cards('<div class="item"><img><b data-ref="{id}">{title}</b></div>'),
    "not_in_another_box": cards('<div data-id="{id}"><h3>{title}</h3></div>'),
    "beside_the_headline": cards('<div class="item"><i data-ref="{id}"></i><b>{title}</b></div>'),
    "address_of_another_form": cards('<a href="/lire-{id}.html"><img></a><a href="/lire-{id}.html">{title}</a>'),
    "first_number": cards('<a href="/article/{id}/covid-2019">{title}</a>'),
    "a_year_in_one_address": cards('<a href="/article/{id}/an">{title}</a>').replace(
        f"{list(STORIES)[8]}/an", f"{list(STORIES)[8]}/an-2026"
    ),
    "in_code": cards("<span onclick=\"show('{id}')\">{title}</span>"),
    "in_a_class": cards('<div class="post post-{id}"><h3>{title}</h3></div>'),
    "no_headlines": cards('<div class="item" data-id="{id}"><img></div>'),
    "in_a_script": data({"props": {"stories": [*ENTRIES, {"name": "Une publicité"}]}}),
    "in_boxes_of_a_script": data({"b": [{"zone": 471, "e": [{"post": e} for e in ENTRIES[n::2]]} for n in range(2)]}),
    "in_an_array": data([{"k": str(e["id"]), "t": e["name"]} for e in ENTRIES], "window.list = "),
    "by_key_in_a_script": data({"byId": {str(e["id"]): e for e in ENTRIES}}),
}


def known(html, **changes):
    page = KnownList(URL, LexborHTMLParser(html), AT, STORIES, tuple(STORIES))
    return replace(page, **changes)


def heal(*pages):
    return lists.heal(pages, "learned-1-lists", "test", date(2026, 11, 22))


def read(html, layout=None):
    source = SourceForPoll(URL, "section", None, "ok", 0, None, None)
    layouts = markup.list_selectors([layout], AT) if layout else ()
    return discover(source, html.encode(), URL, FRENCH, AT, layouts=layouts).sightings


@pytest.mark.parametrize("html", FORMS.values(), ids=FORMS)
def test_stories_are_read_where_known_ones_stand(html):
    with pytest.raises(EmptySource):
        read(html)
    healing = heal(known(html))
    assert healing.is_adoptable(0.98), healing
    learned = replace(healing.layout, learned=Learned(AT))
    stored = markup.load("learned", layout_file.write_lists(healing, learned))
    assert stored == learned
    found = {seen.post_id: seen for seen in read(html, stored)}
    assert found.keys() - {NEW} == STORIES.keys()
    assert (NEW in found) == ("main" in html)
    if "<img></div>" not in html:
        assert {i: seen.title for i, seen in found.items() if i != NEW} == STORIES
    assert found[245_000].url == "https://fr.vietnamplus.vn/post-245000.vnp"


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        ("list-ids", 1),
        ("list-keys", 1),
        *(pytest.param("list-addresses", seed, marks=pytest.mark.edge) for seed in (1, 2)),
    ],
)
def test_redesigned_lists_of_the_fake_site(kind, seed):
    site = build(SITE, seeds_dir=SEEDS, articles=40, now=lambda: AT, options=Options(no_samples=True, home_size=30))
    html = site.respond(SiteRequest("GET", "/")).decoded.decode()
    listed = tuple(seen.post_id for seen in read(html))
    titles = {i: site.story(i).title for i in listed}
    redesigned = designs.redesigned(html, designs.Design(kind, seed))
    with pytest.raises(EmptySource):
        read(redesigned)
    healing = heal(known(redesigned, known=titles, listed=listed))
    assert healing.is_adoptable(0.98), healing
    found = read(redesigned, replace(healing.layout, learned=Learned(AT)))
    assert {seen.post_id: seen.title for seen in found} == titles


CARD = '<div class="item" data-id="{id}"><h3>{title}</h3></div>'
LOW = dict(list(STORIES.items())[12:])
FEW = dict(list(STORIES.items())[:8])
OTHERS = {i + n: t for i, t in STORIES.items() for n in (1, 2)}
LINKS = "".join(f'<a href="/a-post{i}.vnp">{t}</a>' for i, t in STORIES.items())


@pytest.mark.parametrize(
    ("html", "reason"),
    [
        (cards(CARD, LOW), lists.NOT_THE_LIST),  # only a box of other stories is left
        (cards(CARD, {**OTHERS, **STORIES}), lists.UNKNOWN),
        (cards(CARD, FEW), None),  # too few for verification
        (cards("", nav="".join(CARD.format(id=i, title=t) for i, t in STORIES.items())), lists.NOT_FOUND),
        (cards('<div style="top: {id}px">{title}</div>'), lists.NOT_FOUND),
        (cards("{id} {title}"), lists.NOT_FOUND),
        (data({"n": [[e["id"], e["name"]] for e in ENTRIES]}), None),  # ids and titles have no names
        (data({"stories": [json.dumps(e) for e in ENTRIES]}), lists.NOT_FOUND),
        (data({str(n): e for n, e in enumerate(ENTRIES[:1])}), lists.NOT_FOUND),
    ],
)
def test_what_is_not_the_list_is_not_adopted(html, reason):
    healing = heal(known(html))
    assert not healing.is_adoptable(0.98)
    assert [why for _, why in healing.contradicted] == ([reason] if reason else [])


def test_headlines_that_differ_from_the_known_ones_are_not_adopted():
    changed = {**STORIES, **{i: f"{t} corrigé" for i, t in STORIES.items() if i in list(STORIES)[::3]}}
    html = cards('<div class="item" data-id="{id}"><h3>{title}</h3></div>', changed)
    healing = heal(known(html + "".join(f"<p>{t}</p>" for t in STORIES.values())))
    assert healing.exact["id"][0] == healing.exact["id"][1]
    assert not healing.is_adoptable(0.98)


def test_stories_with_links_teach_nothing():
    healing = heal(known(cards(LINKS), linked=frozenset(STORIES)))
    assert (healing.layout, healing.share, healing.verified) == (None, 0.0, 0)


def test_links_beside_the_list_are_read_too():
    upper, lower = dict(list(STORIES.items())[:18]), dict(list(STORIES.items())[18:])
    links = "".join(f'<a href="/a-post{i}.vnp">{t}</a>' for i, t in lower.items())
    html = cards(CARD, upper, nav=links)
    assert {seen.post_id for seen in read(html)} == lower.keys()
    healing = heal(known(html, linked=frozenset(lower)))
    assert healing.is_adoptable(0.98)
    assert {seen.post_id for seen in read(html, replace(healing.layout, learned=Learned(AT)))} == STORIES.keys()


def test_articles_that_are_not_read_yet_have_no_known_headline():
    titles = {i: None if i in list(STORIES)[::4] else t for i, t in STORIES.items()}
    healing = heal(known(FORMS["on_the_card"], known=titles))
    assert healing.is_adoptable(0.98)
    assert healing.exact["title"][1] < healing.exact["id"][1]


def test_one_layout_for_several_lists():
    other = cards('<li class="other" data-key="{id}">{title}</li>')
    healing = heal(known(FORMS["on_the_card"]), known(other, url=f"{URL}2"))
    assert healing.layout.lists.item == ("div.item",)
    assert [why for _, why in healing.contradicted] == [lists.NOT_FOUND]
    assert heal(known(FORMS["in_a_script"]), known(FORMS["in_a_script"], url=f"{URL}2")).is_adoptable(0.98)


def test_a_list_without_earlier_stories_is_compared_with_the_known_ones():
    assert heal(known(FORMS["on_the_card"], listed=())).is_adoptable(0.98)


def test_selectors_that_the_parser_does_not_support_are_not_used(monkeypatch):
    monkeypatch.setattr(list_places.selectors_of, "of", lambda _: {"[[": 1.0})
    page = list_places.opened(LexborHTMLParser(FORMS["on_the_card"]), STORIES)
    page.index.selectors = lambda _: {"[[": 1.0}
    assert list_places.choose([page], [STORIES]) is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("item = ['div']", "incomplete"),
        ("script = ['script']\nstories = ['x']\nstory_id = 'id'", "must be a list of paths"),
        ("item = ['div']\nid = ['data-id']\nnumber = 'third'", "must be one of first, last"),
    ],
)
def test_a_table_of_lists_is_checked(table, message):
    with pytest.raises(ConfigError, match=message):
        markup.load("x.toml", f"name = 'x'\n[lists]\n{table}\n")


def test_an_item_without_a_number_is_no_story():
    layout = ListSelectors(item=("li",), id=Names(("data-id", "id")), title=("b",))
    tree = LexborHTMLParser(
        "<li><b>a</b></li><li id='x'><i data-id='245001'></i></li><li><i id='n-245002'></i><b>c</b></li>"
    )
    assert list(list_places.listed_ids.read(tree, layout)) == [(245_002, "c")]
