"""`vna reparse` removes the revisions that earlier versions made of pages that were damaged in transit."""

from __future__ import annotations

import re

import pytest
from support import edited, mounted, poll, rows, value, working
from test_cut_pages import SMALL
from test_garbled_pages import DAMAGE
from test_verify_rows import take_back_to_schema_5, verified

from crawler import identity
from crawler.parse import ending, garbled
from crawler.pipeline import reparse


def cut_after(count):
    """Return a function that cuts a page after this number of paragraphs."""
    return lambda html: b"</p>".join(html.split(b"</p>")[:count]) + b"</p>"


PAGES = {
    "cut": [cut_after(4)],
    "garbled": [lambda html: DAMAGE["question marks"](html.decode())],
    "cut twice": [cut_after(4), cut_after(3)],
    "cut, whole, garbled": [cut_after(4), None, lambda html: DAMAGE["replacement characters"](html.decode())],
}


@pytest.fixture
def revised(tmp_path, clock, monkeypatch):
    """Return a function that polls an article as an earlier version did, with each of the given changes of its page."""
    archive = tmp_path / "archive"

    def visit(changes, *, whole_at_the_end):
        with mounted(clock, articles=1, options=SMALL) as site, monkeypatch.context() as patch:
            ids = sorted(site.fake_site.ids())
            for post_id in ids[:-1]:
                site.fake_site.unpublish(post_id)
            patch.setattr(ending, "is_cut_off", lambda _: False)
            patch.setattr(garbled.GarbledText, "is_only_difference_to", lambda *_: False)
            patch.setattr(garbled.GarbledText, "is_more_than", lambda *_: False)
            poll(archive, clock)
            site.fake_site.revise(ids[-1], title="Un titre que l'agence a changé")
            for change in (None, *changes, *([None] if whole_at_the_end else [])):
                clock.advance(hours=1)
                site.edit = edited(site.fake_site.story(ids[-1]).path, change) if change else None
                poll(archive, clock, everything=True)
        return archive, ids[-1]

    return visit


def test_a_revision_of_other_quotation_marks_by_an_earlier_version_is_removed(tmp_path, clock, monkeypatch):
    archive = tmp_path / "archive"
    titles = ["Il dit « oui » et part", 'Il dit "oui" et part', "Il ne dit rien"]
    with mounted(clock, articles=1, options=SMALL) as site, monkeypatch.context() as patch:
        patch.setattr(identity, "_SPACES_AT_QUOTES", re.compile("(?!)"))
        *others, key = sorted(site.fake_site.ids())
        for post_id in others:
            site.fake_site.unpublish(post_id)
        for title in titles:
            site.fake_site.revise(key, title=title)
            poll(archive, clock, everything=True)
            clock.advance(hours=1)
    assert revisions(archive, key) == 3
    take_back_to_schema_5(archive)  # the next command upgrades the archive
    faults = verified(archive).faults
    assert {"vna reparse" in fault.advice for fault in faults} == {True}
    assert reparsed(archive, clock) == 1
    assert revisions(archive, key) == 2
    assert verified(archive).faults == []


def revisions(archive, key):
    return value(archive, "SELECT count(*) FROM revisions WHERE article = ?", key)


def reparsed(archive, clock, **options):
    with working(archive, clock, command="reparse", role="read") as run:
        return reparse(run, **options).false_revisions


@pytest.mark.parametrize("name", list(PAGES)[1:])
def test_revisions_of_damaged_pages_are_removed(revised, clock, name):
    archive, key = revised(PAGES[name], whole_at_the_end=True)
    before = revisions(archive, key)
    assert before > 2
    assert reparsed(archive, clock, dry_run=True) == before - 2
    assert reparsed(archive, clock) == before - 2
    assert revisions(archive, key) == 2, "the edit by the agency stays"
    assert [f for f in verified(archive).faults if f.table not in ("pages", "sources")] == []
    assert reparsed(archive, clock) == 0


@pytest.mark.parametrize("name", ["cut"])
def test_the_text_that_a_damaged_page_overwrote_is_restored(revised, clock, name):
    archive, key = revised(PAGES[name], whole_at_the_end=False)
    (article,) = rows(archive, "SELECT text, title FROM articles WHERE id = ?", key)
    reparsed(archive, clock)
    (after,) = rows(archive, "SELECT text, title FROM articles WHERE id = ?", key)
    assert after != article
    assert after["title"] == "Un titre que l'agence a changé"
    assert [f for f in verified(archive).faults if f.table != "pages"] == []
