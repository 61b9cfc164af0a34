"""A redesign that moves one field, while a known layout still fits: it is noticed, makes no revision, and is learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from selectolax.lexbor import LexborHTMLParser
from support import MARKUPS, edited, mounted, poll, rows, value, working
from test_heal import SMALL, read_exactly
from test_healing import opened, originals, pages
from test_rebuild import assert_rebuilt_equal

from crawler import markup
from crawler.daemon import healing as job
from crawler.heal import healing, layout_file, moved
from crawler.heal.places import KnownPage
from crawler.health.checks import conditions
from crawler.markup import Learned, Names
from crawler.parse import head as head_reader
from crawler.parse.frame import PageTree
from crawler.parse.page import read_with_layout
from crawler.pipeline import visit_page
from crawler.pipeline.run import recorded
from crawler.sim.site import designs
from crawler.types import Article, ImageBlock, TextBlock

AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
FIELDS = {"move-captions": "captions", "move-lead": "lead", "move-date": "published_at"}
LEAD_INSIDE = 1  # the seed of the design with the lead in the body
URL = "https://fr.vietnamplus.vn/titre-post1.vnp"
TITLE, LEAD = "Le titre de cet article", "Le chapeau de cet article est assez long."
FIRST, SECOND = "Le premier alinéa de cet article est assez long.", "Le second alinéa de cet article est assez long."
CAPTION = "La légende de la photo. Photo : VNA"


def article(**changes):
    picture = ImageBlock("https://fr.vietnamplus.vn/a.jpg", caption=CAPTION)
    blocks = changes.pop("blocks", (picture, TextBlock("paragraph", FIRST), TextBlock("paragraph", SECOND)))
    known = Article(TITLE, lead=LEAD, blocks=blocks, published_at="2026-11-21T10:20:30+07:00")
    return replace(known, **changes)


def without(*texts):
    blocks = (
        replace(b, caption=None) if isinstance(b, ImageBlock) and CAPTION in texts else b for b in article().blocks
    )
    return tuple(b for b in blocks if not (isinstance(b, TextBlock) and b.text in texts))


def page(body):
    tree = LexborHTMLParser(f"<body><h1>{TITLE}</h1>{body}</body>")
    return PageTree(tree, head_reader.read(tree, URL), URL, AT, 1, ())


@pytest.mark.parametrize(
    ("read", "body", "expected"),
    [
        (article(), f"<p>{LEAD}</p>", ()),
        (article(lead=None), f"<b>{LEAD}</b>", ("lead",)),
        (article(lead=None), "<p>Un texte</p>", ()),  # the agency removed it
        (article(lead="Un autre chapeau, bien plus court."), "<p>Un texte</p>", ()),
        (article(lead=FIRST), f"<b>{LEAD}</b>", ("lead",)),
        (article(lead=None), f"<a href='/x'>{LEAD}</a><aside><p>{LEAD}</p></aside>", ()),
        (article(title="Un autre titre"), "", ("title",)),
        (article(blocks=without(CAPTION)), f"<i>{CAPTION}</i>", ("captions",)),
        (article(blocks=without(CAPTION)), f"<p><img data-legend='{CAPTION}'></p>", ("captions",)),
        (article(blocks=without(CAPTION)), f"<p><img alt='{CAPTION}'></p>", ()),
        (article(blocks=without(CAPTION), lead=None), f"<i>{CAPTION}</i><b>{LEAD}</b>", ("captions", "lead")),
        (article(blocks=without(SECOND)), f"<p>{SECOND}</p>", ("text",)),
        (article(blocks=without(SECOND)), "", ()),
        (article(blocks=(*without(SECOND), TextBlock("note", SECOND))), f"<p>{SECOND}</p>", ()),
        (article(published_at=None), "<i>21/11/2026 10:20</i>", ("published_at",)),
        (article(published_at="2026-11-21T11:00:00+07:00"), "<i>21/11/2026 10:20</i>", ("published_at",)),
        (article(published_at="2026-11-21T10:20:00+07:00"), "<i>21/11/2026 10:20</i>", ()),
        (article(published_at=None), "<i>22/11/2026 10:20</i>", ()),
    ],
)
def test_a_field_is_moved_if_its_value_stands_elsewhere(read, body, expected):
    assert moved.fields(page(body), article(), read) == expected


def test_a_value_that_is_equal_to_another_text_is_not_moved():
    known = article(lead=FIRST)
    assert moved.fields(page(f"<p>{FIRST}</p>"), known, replace(known, lead=None)) == ()
    assert moved.fields(page(f"<p>{TITLE}</p>"), article(lead=None, published_at=None), article(title="Autre")) == (
        "title",
    )


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        ("move-date", 1),
        pytest.param("move-captions", 1, marks=pytest.mark.edge),
        pytest.param("move-captions", 2, marks=pytest.mark.edge),
        pytest.param("move-lead", 1, marks=pytest.mark.edge),
        pytest.param("move-lead", 4, marks=pytest.mark.edge),
    ],
)
def test_the_known_layout_is_amended(kind, seed):
    known = pages(kind, seed)
    layouts = markup.choose(MARKUPS, AT)
    result = healing.heal(known, "learned-1", "a test", date(2026, 11, 22), layouts)
    assert result.base.name == "cms-2024"
    assert result.is_adoptable(0.98), result.differences
    learned = replace(result.layout, learned=Learned(AT, replaces=Names(("cms-2024",))), valid_from=date(2026, 11, 22))
    text = layout_file.write(result, learned)
    assert "# The layout 'cms-2024' still fits the pages" in text
    stored = markup.load("learned", text)
    names = [layout.name for layout in markup.choose((*MARKUPS, stored), AT)]
    assert names.index("learned-1") == names.index("cms-2024") - 1
    for url, (html, expected) in list(originals().items())[:5]:  # a page in the former design
        former = read_with_layout(opened(url, html), stored)
        assert (former.lead, former.text, former.published_at) == (expected.lead, expected.text, expected.published_at)


@pytest.mark.edge
def test_a_field_that_moved_on_one_page_only_does_not_amend_a_layout():
    known = [
        *pages("move-lead")[:1],
        *(KnownPage(opened(u, html), a) for u, (html, a) in list(originals().items())[1:]),
    ]
    assert healing.heal(known, "learned-1", "a test", date(2026, 11, 22), markup.choose(MARKUPS, AT)).base is None


def test_a_text_in_two_boxes_is_proposed_but_not_adopted():
    def in_two_boxes(_, html):
        return html.replace("</p>\n<p", "</p>\n</div>\n<div class=rest>\n<p", 1)

    result = healing.heal(pages("move-date", 1, in_two_boxes), "learned-1", "a test", date(2026, 11, 22), MARKUPS)
    assert not result.is_adoptable(0.98)
    assert {difference.field for difference in result.differences} >= {"text"}


# --- in the archive ---------------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


@pytest.mark.parametrize("kind", designs.MOVED_KINDS)
def test_a_moved_field_makes_no_revision_and_is_learned(kind, archive, clock):
    with mounted(clock, articles=8, options=SMALL) as site:
        poll(archive, clock)
        clock.advance(hours=2)
        site.fake_site.redesign(kind, 1)
        early = site.fake_site.publish(2)  # read with the known layout, before any known article shows the change
        report = poll(archive, clock, everything=True)
        assert (report.new, report.revised) == (2, 0)
        assert report.rejected >= 5
        with working(archive, clock, command="run") as run:
            drift = next(c for c in conditions(run.archive.health_facts(clock.now(), clock.now())) if c.kind == "drift")
            assert drift.failing
            assert f"no longer where they were: {FIELDS[kind]}" in drift.message
            assert "adopted (100.0%" in job.work(run, adopting=True).outcome
            assert run.archive.drifted_pages() == []
        clock.advance(hours=2)
        later = site.fake_site.publish(2)
        report = poll(archive, clock, everything=True)
        assert (report.new, report.revised, report.rejected) == (2, 0, 0)
        assert all(read_exactly(archive, site, [*early, *later]).values())
        assert value(archive, "SELECT count(*) FROM articles WHERE published_at IS NULL") == 0
        assert value(archive, "SELECT count(*) FROM revisions WHERE revision > 1") == 0
    if kind == "move-lead":
        assert_rebuilt_equal(archive, clock)


def lead_into_body(html):
    return designs.redesigned(html.decode(), designs.Design("move-lead", LEAD_INSIDE)).encode()


@pytest.mark.parametrize(
    ("change", "visits"),
    [
        (lead_into_body, 7),
        (lambda html: html.replace(b'sapo cms-desc"><p>', b'sapo cms-desc"><p>Selon nos sources, '), 1),
    ],
)
def test_an_edit_of_one_lead_is_a_revision_and_no_drift(change, visits, archive, clock):
    """If the old lead is elsewhere on the page, the edit is recorded after some visits, as no other article follows."""
    with mounted(clock, articles=3, options=SMALL) as site:
        poll(archive, clock)
        post_id = rows(archive, "SELECT id FROM articles WHERE lead IS NOT NULL ORDER BY id DESC")[0]["id"]
        site.edit = edited(site.fake_site.story(post_id).path, change)
        for visit in range(1, visits + 1):
            clock.advance(hours=2)
            with working(archive, clock, command="poll") as run, recorded(run, "poll"):
                revised = visit_page(run, run.archive.page(post_id)).kind == "revised"
                facts = run.archive.health_facts(clock.now(), clock.now())
            assert revised == (visit == visits)
            assert not any(c.failing for c in conditions(facts) if c.kind == "drift")
    assert value(archive, "SELECT changed FROM revisions WHERE article = ? AND revision = 2", post_id)
    assert_rebuilt_equal(archive, clock)


def test_a_page_that_states_a_later_change_was_edited(archive, clock):
    with mounted(clock, articles=3, options=SMALL) as site:
        poll(archive, clock)
        post_id = rows(archive, "SELECT id FROM articles WHERE lead IS NOT NULL ORDER BY id DESC")[0]["id"]
        clock.advance(hours=2)
        site.fake_site.revise(post_id)
        site.edit = edited(site.fake_site.story(post_id).path, lead_into_body)
        assert poll(archive, clock, everything=True).revised == 1
