"""After an update of the parser, `vna reparse` and each poll correct what an older one read: as a rebuild would."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from support import FakeClock, copy_archive, edited, mounted_small, poll, rows, working
from test_captures import capture_of, import_files
from test_verify_rows import verified

from crawler import pipeline
from crawler.pipeline import articles, stored_pages
from crawler.sim.site import SiteRequest
from crawler.types import TextBlock

#: What an older parser read, by what today's parser reads; each is used for some articles.
FAULTS = (
    lambda article: article,
    lambda article: replace(article, lead=None, tags=()),
    lambda article: replace(article, blocks=tuple(block for block in article.blocks if isinstance(block, TextBlock))),
    lambda article: replace(article, blocks=article.blocks[:-1]),
    lambda article: replace(article, title=f"{article.title} (lu)"),
)
#: The same with fields by which the archive also schedules visits and finds articles.
FAULTS_WITH_EFFECTS = (
    lambda article: replace(article, published_at=None, published_raw=None),
    lambda article: replace(article, related=()),
    lambda article: replace(article, section=None),
)


def older_parser(faults):
    """Return a function that parses pages as an older parser might have done; each of `faults` changes some articles."""
    parse = stored_pages.parse_page

    def parse_page(*given, **options):
        article = parse(*given, **options)
        return faults[article.post_id % len(faults)](article)

    return parse_page


def shown_on(day, site, *, last_has_stories):
    """Return a function that changes what pages show besides their content: times of change, related stories and pictures.

    Two articles have the same title and text.
    """
    one, other = map(site.fake_site.story, sorted(site.fake_site.ids())[-2:])

    def change(body):
        body = re.sub(rb'("article:modified_time" content="[^"]*):\d\d\+', rb"\1:%02d+" % day, body)
        body = body.replace(b"/photos/", b"/photos/%d/" % day)
        has_stories = day < 3 or last_has_stories
        return body if has_stories else re.sub(rb'<article class="story".*?</article>', b"", body, flags=re.DOTALL)

    def twin(_):
        body = site.fake_site.respond(SiteRequest("GET", one.path)).decoded.replace(
            one.path.encode(), other.path.encode()
        )
        return change(body.replace(b"%d" % one.post_id, b"%d" % other.post_id))

    def edit(request, response):
        if "-post" not in request.path:
            return response
        return edited(request.path, twin if request.path == other.path else change)(request, response)

    return edit


@contextmanager
def collected(archive, faults, *, last_has_stories):
    """Collect days 1 to 3 with an older parser, with a new article a day and one revision; yield the clock.

    Then an earlier capture of an article is imported.
    """
    clock = FakeClock()
    with mounted_small(clock) as site:
        edits = [shown_on(day, site, last_has_stories=last_has_stories) for day in (1, 2, 3)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(stored_pages, "parse_page", older_parser(faults))
            patch.setattr(articles, "PARSER_VERSION", 0)
            for site.edit in edits:
                poll(archive, clock, everything=True)
                site.fake_site.publish(1)
                if site.edit is edits[0]:
                    site.fake_site.revise(site.fake_site.ids()[0], title="Un titre corrigé")
                clock.advance(days=1)
            earlier = capture_of(
                site, sorted(site.fake_site.ids())[1], archive.parent, when=clock.now() - timedelta(days=9)
            )
            (result,) = import_files(archive, clock, earlier)
            assert result.verdicts == {"earlier": 1}
        yield clock


def reparsed(archive, clock):
    with working(archive, clock, role="read") as run:
        return pipeline.reparse(run)


@pytest.fixture(scope="module")
def read_by_older(tmp_path_factory):
    archive = tmp_path_factory.mktemp("older") / "archive"
    with collected(archive, FAULTS, last_has_stories=False) as clock:
        yield archive, clock


@pytest.fixture
def archive(read_by_older, tmp_path):
    return copy_archive(read_by_older[0], tmp_path / "archive")


@pytest.fixture
def clock(read_by_older):
    return read_by_older[1]


def test_after_a_reparse_the_rows_are_those_of_a_rebuild(archive, clock):
    assert rows(archive, "SELECT kind FROM duplicates") != [{"kind": "same text"}]
    assert len(rows(archive, "SELECT 1 FROM articles WHERE last_raw_id <> raw_id")) > 5
    report = reparsed(archive, clock)
    assert (report.differing > 5, report.damaged) == (True, 0)
    assert verified(archive).faults == []
    assert rows(archive, "SELECT kind FROM duplicates") == [{"kind": "same text"}]


def test_after_a_poll_the_rows_are_those_of_a_rebuild(archive, clock):
    report = poll(archive, clock, everything=True)
    assert (report.unchanged > 5, report.revised) == (True, 0)
    assert verified(archive).faults == []


@pytest.mark.parametrize(("damaged", "revised"), [("last_raw_id", False), ("raw_id", True)])
def test_a_poll_needs_only_the_first_capture(archive, clock, damaged, revised):
    with working(archive, clock) as run, run.archive.transaction():
        ids = f"SELECT {damaged} FROM articles WHERE last_raw_id <> raw_id"
        run.archive.db.conn.execute(f"UPDATE raw SET digest = 'sha256:x' WHERE id IN ({ids})")
    assert (poll(archive, clock, everything=True).revised > 5) is revised


def test_what_an_older_reading_has_changed_elsewhere_is_one_fault_a_table(tmp_path):
    archive = tmp_path / "archive"
    with collected(archive, FAULTS_WITH_EFFECTS, last_has_stories=True) as clock:
        reparsed(archive, clock)
    schedule, sightings = verified(archive).faults
    assert (schedule.what, sightings.what) == ("different schedule", "different sightings in related stories")
    for fault in (schedule, sightings):
        assert "after an update of the program" in fault.advice
        assert "rows: " in fault.detail
