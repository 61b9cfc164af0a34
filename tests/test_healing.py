"""Learning a layout from pages whose articles are known: every kind of redesign, and misleading pages."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache

import pytest
from support import MARKUPS, SEEDS, SITE

from crawler import markup
from crawler.heal import compare, healing, layout_file
from crawler.heal.places import KnownPage
from crawler.markup import Learned, Names
from crawler.parse.page import metadata_article, open_page, parse_page, read_with_layout
from crawler.sim.site import Options, SiteRequest, build, designs
from crawler.site import FRENCH

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
#: The other designs are learned by the same code, and run without coverage.
MEASURED = ("bare", "captions-moved", "shell")
KINDS = [
    pytest.param(kind, marks=() if kind in MEASURED else pytest.mark.edge) for kind in designs.KINDS if kind != "random"
]


@cache
def originals():
    """Return the HTML and the article of some pages of the fake site in its first design, by address."""
    site = build(SITE, seeds_dir=SEEDS, articles=15, now=lambda: AT, options=Options(no_samples=True))
    found = {}
    for post_id in site.ids()[-15:]:
        url = f"{SITE}{site.story(post_id).path}"
        html = site.respond(SiteRequest("GET", site.story(post_id).path)).decoded
        found[url] = html.decode(), parse_page(html, url, content_type=None, fetched_at=AT, markups=MARKUPS)
    return found


def opened(url, html):
    return open_page(html.encode(), url, None, AT, FRENCH)


def pages(kind, seed=1, edit=None):
    """Return the pages in a design; `edit` may change the HTML of each by number."""
    found = []
    for number, (url, (html, article)) in enumerate(originals().items()):
        shown = designs.redesigned(html, designs.Design(kind, seed))
        found.append(KnownPage(opened(url, edit(number, shown) if edit else shown), article))
    return found


def heal(known):
    return healing.heal(known, "learned-1", "a test", date(2026, 11, 22))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_redesign_is_learned(kind):
    known = pages(kind)
    unread = [k for k in known if all(read_with_layout(k.page, layout) is None for layout in MARKUPS)]
    assert len(unread) == len(known)
    result = heal(known)
    assert result.share == 1.0, result.differences
    assert result.is_adoptable(0.98)
    assert result.verified >= len(known) / 3
    assert result.earliest == AT
    text = layout_file.write(result, replace(result.layout, learned=Learned(AT, doubtful=Names(result.doubtful))))
    again = markup.load("x", text)
    assert again == replace(result.layout, learned=Learned(AT, doubtful=Names(result.doubtful)))
    assert text.startswith("# Learned by `vna heal`")


ODD = 9  # the number of the page that is unlike the others


def json_of_another_article(html):
    return html.replace('"headline":"', '"headline":"Un tout autre titre, ', 1)


def with_paragraph(html):
    """Insert a paragraph before the last one, as the agency does, but leave the time of change as it is."""
    start = html.rindex("<p>", 0, html.index("Voir plus"))
    return f"{html[:start]}<p>Un alinéa ajouté depuis par la rédaction.</p>\n{html[start:]}"


def another_design(html):
    return designs.redesigned(html, designs.Design("nested", 99))


def soft_404(_):
    return (
        "<html><head><title>Page introuvable</title><meta property='og:type' content='article'></head>"
        "<body><h1>Page introuvable</h1><p>Cette page n'existe plus.</p></body></html>"
    )


def edited_later(html):
    """Change a paragraph, and the time of change in the metadata."""
    html = (
        with_paragraph(html)
        .replace("Un alinéa ajouté", "Publicité : un alinéa ajouté")
        .replace("<p>Publicité", "<p class=x>Publicité")
    )
    return re.sub(r'("article:modified_time" content=")[^"]*', r"\g<1>2026-11-22T12:59:59+07:00", html)


MISLEADING = {
    "a known article that was edited": (edited_later, healing.EDITED),
    "JSON-LD of another article": (json_of_another_article, None),
    "a known article with a further paragraph": (with_paragraph, healing.EDITED),
    "a soft 404": (soft_404, "the known title is not on the page"),
}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(*case, id=name, marks=() if name == "a known article that was edited" else pytest.mark.edge)
        for name, case in MISLEADING.items()
    ],
)
def test_a_misleading_page_does_not_spoil_the_layout(change, reason):
    known = pages("classes", edit=lambda number, html: change(html) if number == ODD else html)
    result = heal(known)
    assert result.is_adoptable(0.98), result.differences
    named = dict([*result.unusable, *result.outvoted])
    assert named.get(known[ODD].page.url) == reason
    assert len(named) == (reason is not None)


@pytest.mark.edge
def test_pages_in_one_form_are_learned():
    def in_a_form(_, html):
        html = re.sub("</?form[^>]*>", "", html)
        return re.sub("<body[^>]*>", '<body><form id="aspnetForm"><input type="hidden" name="__VIEWSTATE">', html)

    assert heal(pages("classes", edit=in_a_form)).share == 1.0


@pytest.mark.edge
def test_a_page_of_another_design_is_outvoted():
    known = pages("classes")
    url, (html, article) = list(originals().items())[ODD]
    known[ODD] = KnownPage(opened(url, another_design(html)), article)
    result = heal(known)
    assert result.is_adoptable(0.98), result.differences
    assert result.outvoted == [(url, healing.OTHER_LAYOUT)]


def test_too_few_pages_are_proposed_but_not_adopted():
    result = heal(pages("classes")[:4])
    assert result.layout is not None
    assert not result.is_adoptable(0.0)


@pytest.mark.parametrize(
    ("complete", "texts", "share", "adoptable"),
    [(5, 3, 1.0, True), (4, 3, 1.0, False), (5, 2, 1.0, False), (5, 3, 0.5, False)],
)
def test_a_layout_is_adoptable_if_it_is_exact_and_enough_articles_are_known(complete, texts, share, adoptable):
    layout = markup.Markup("learned-1", markup.ArticleSelectors(("h1",), (".b",)))
    exact = {"title": (int(100 * share), 100), "text": (texts, texts)}
    assert healing.Healing(layout, complete=complete, exact=exact).is_adoptable(0.98) is adoptable


@pytest.mark.parametrize("known", [[], "none is on its page"], ids=["no pages", "other articles"])
def test_nothing_to_learn(known):
    articles = [article for _, article in originals().values()]
    mixed = [replace(k, article=articles[n - 1]) for n, k in enumerate(pages("classes")[:6])] if known else []
    result = heal(mixed)
    assert result.layout is None
    assert result.share == 0
    assert bool(result.unusable) == bool(mixed)


def test_pages_with_known_metadata_only_help_to_verify():
    known = pages("classes")
    for number in range(0, len(known), 2):
        page = known[number].page
        known[number] = KnownPage(page, metadata_article(page), complete=False)
    result = heal(known)
    assert result.complete == len(known) // 2
    assert result.is_adoptable(0.98), result.differences
    assert result.exact["title"][1] > result.exact["text"][1]


@pytest.mark.edge
def test_a_field_that_cannot_be_read_is_named():
    known = [replace(k, article=replace(k.article, lead="Un autre chapeau")) for k in pages("classes")]
    result = heal(known)
    assert not result.is_adoptable(0.98)
    assert {d.field for d in result.differences} == {"lead"}
    assert "lead" in result.doubtful
    assert result.differences[0].known == "Un autre chapeau"


def test_a_field_that_no_page_shows_any_more_is_left_out():
    known = [replace(k, article=replace(k.article, byline="Quelqu'un d'autre")) for k in pages("classes")[:11]]
    result = heal(known)
    assert result.is_adoptable(0.98)
    assert (result.not_shown, "byline" in result.exact) == (("byline",), False)
    assert "no page shows these fields any more: byline" in layout_file.write(result, result.layout).lower()


@pytest.mark.edge
def test_imported_texts_have_no_picture_addresses():
    known = []
    for k in pages("classes"):
        images = [replace(b, url=None) if hasattr(b, "caption") else b for b in k.article.blocks]
        known.append(replace(k, article=replace(k.article, blocks=tuple(images), byline=None, tags=()),
                             unknown=("images", "byline", "tags")))  # fmt: skip
    result = heal(known)
    assert result.is_adoptable(0.98), result.differences
    assert "images" not in result.exact
    assert result.exact["captions"][0] > 0


@pytest.mark.parametrize(
    ("known", "read", "expected"),
    [
        ("2026-11-22T10:00:44+07:00", "2026-11-22T10:00:00+07:00", True),
        ("2026-11-22T10:00:44+07:00", "2026-11-22T03:00:10+00:00", True),
        ("2026-11-22T10:00:44+07:00", "2026-11-22T10:02:00+07:00", False),
        ("2026-11-22T10:00:44+07:00", None, False),
    ],
)
def test_a_time_is_exact_to_the_minute(known, read, expected):
    page = pages("classes")[0]
    article = replace(page.article, published_at=known)
    found = replace(article, published_at=read)
    assert compare.exact(replace(page, article=article), found)["published_at"] is expected
