"""Visits to known pages: removed articles, articles that return, and validators that do not match the content."""

# ruff: noqa: F401, F811 - fixtures are imported by name

from __future__ import annotations

from dataclasses import replace

import pytest
from support import SITE, assert_intact, mounted, mounted_small, poll, rows, value, working
from test_pipeline import (
    archive,
    counts,
    execute,
    make_due,
    page_state,
    small_first_poll,
    stored_article,
    warc_responses,
)

from crawler import opening
from crawler.clock import from_text
from crawler.pipeline.pages import retry_abandoned
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import Options, SiteRequest, SiteResponse
from crawler.sim.site.messages import make_response, redirect
from crawler.types import ErrorKind, Sighting


def states(archive, post_id):
    return page_state(archive, post_id), stored_article(archive, post_id).state


def redirect_to_section(_site):
    return redirect(f"{SITE}/politique/", 301)


def redirect_to_another_article(site):
    return redirect(SITE + site.fake_site.story(site.fake_site.ids()[0]).path, 301)


def another_article(site):
    return site.fake_site.respond(SiteRequest("GET", site.fake_site.story(site.fake_site.ids()[0]).path))


REMOVALS = {
    "404": 404,
    "410": 410,
    "a soft 404": 200,
    "a redirect to the home page": 302,
    "a redirect to a section": redirect_to_section,
    "a redirect to another article": redirect_to_another_article,
    "another article at its address": another_article,
}


def remove(site, post_id, how):
    """Remove an article: unpublish it with an HTTP status, or replace its response by that of a function."""
    if isinstance(how, int):
        site.fake_site.unpublish(post_id, how)
        return
    path = site.fake_site.story(post_id).path
    site.edit = lambda request, response: how(site) if request.path == path else response


@pytest.mark.parametrize("how", REMOVALS.values(), ids=REMOVALS)
def test_a_removed_article_is_suspect_twice_and_then_gone(archive, clock, how):
    """The archived article remains, and `vna changes` lists the removal."""
    seen = []
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        before = stored_article(archive, post_id).article
        remove(site, post_id, how)
        make_due(archive, post_id)
        for _ in range(3):
            poll(archive, clock)
            seen.append(states(archive, post_id))
            clock.advance(minutes=1)
            assert counts(poll(archive, clock)) == {}, "the next check is not due yet"
            clock.advance(days=1)
    assert seen == [("suspect", "suspect"), ("suspect", "suspect"), ("gone", "gone")]
    assert value(archive, "SELECT next_due_at FROM pages WHERE id = ?", post_id) is None
    assert value(archive, "SELECT error FROM pages WHERE id = ?", post_id)
    assert stored_article(archive, post_id).article == before
    with opening.reading_archive(archive) as opened:
        assert (post_id, "gone") in {(r["id"], r["what"]) for r in opened.changes(None, 50)}
    assert_intact(archive)


def test_several_visits_within_a_minute_count_as_one_check(archive, clock):
    """A visit may have another reason: `vna poll --all`, or a source that gives a new modification time."""
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        path = site.fake_site.story(post_id).path
        site.fake_site.unpublish(post_id, 404)
        make_due(archive, post_id)
        poll(archive, clock)
        site.wire.clear()
        clock.advance(seconds=20)
        poll(archive, clock, everything=True)
        assert site.wire.count(path) == 0
        for _ in range(3):
            clock.advance(seconds=20)
            execute(archive, "UPDATE pages SET next_due_at = '2026' WHERE id = ?", post_id)
            poll(archive, clock)
        assert site.wire.count(path) == 3
    assert states(archive, post_id) == ("suspect", "suspect")
    assert value(archive, "SELECT failures FROM pages WHERE id = ?", post_id) == 1


def mark_gone(archive, post_id, at):
    """Write on the rows of an article that it is gone; `at` is the time of the last visit."""
    execute(archive, "UPDATE pages SET state = 'gone', failures = 3, next_due_at = NULL, last_fetched_at = ? WHERE id = ?",
           at, post_id)  # fmt: skip
    execute(archive, "UPDATE articles SET state = 'gone' WHERE id = ?", post_id)


def is_due_when_listed(archive, clock, post_id):
    """Let a source list a page; return whether the page is due then."""
    sightings = [Sighting(f"{SITE}/x-post{post_id}.vnp", post_id), Sighting(f"{SITE}/topic/")]
    with working(archive, clock) as run, run.archive.transaction():
        retry_abandoned(run, sightings, clock.now())
    return value(archive, "SELECT next_due_at IS NOT NULL FROM pages WHERE id = ?", post_id) == 1


def test_a_gone_article_that_is_listed_again_returns(archive, clock):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        make_due(archive)
        mark_gone(archive, post_id, clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        assert not is_due_when_listed(archive, clock, post_id), "it has just been visited"
        clock.advance(hours=1)
        assert is_due_when_listed(archive, clock, post_id)
        assert counts(poll(archive, clock)) == {"unchanged": 1}
    assert states(archive, post_id) == ("live", "live")
    with opening.reading_archive(archive) as opened:
        assert opened.changes(None, 5) == []
    assert_intact(archive)


@pytest.mark.parametrize("abandoned", ["failed", "drift", "rejected"])
def test_an_abandoned_page_that_is_listed_again_is_retried(archive, clock, abandoned):
    """After eight failures no further visit is scheduled, but the fault may have passed."""
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        make_due(archive)
        execute(archive, "UPDATE pages SET state = ?, failures = 8, next_due_at = NULL, last_fetched_at = ? WHERE id = ?",
               abandoned, clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"), post_id)  # fmt: skip
        clock.advance(hours=10)
        assert not is_due_when_listed(archive, clock, post_id)
        clock.advance(hours=1)
        assert is_due_when_listed(archive, clock, post_id)
        assert counts(poll(archive, clock)) == {"unchanged": 1}
    assert states(archive, post_id) == ("live", "live")


def test_changes_still_list_the_removal_after_the_article_returned(archive, clock):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        path = site.fake_site.story(post_id).path
        site.edit = lambda request, response: replace(response, status=404) if request.path == path else response
        make_due(archive, post_id)
        for _ in range(3):
            poll(archive, clock)
            clock.advance(days=2)
        site.edit = None
        assert is_due_when_listed(archive, clock, post_id)
        poll(archive, clock)
    with opening.reading_archive(archive) as opened:
        found = [(r["id"], r["what"]) for r in opened.changes(None, 5)]
    assert found == [(post_id, "live"), (post_id, "gone")]
    assert_intact(archive)


@pytest.mark.parametrize("fault", ["error", "forbidden", "block"])
def test_a_fault_does_not_change_the_state_of_a_gone_article(archive, clock, fault):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        make_due(archive)
        mark_gone(archive, post_id, "2026-01-01T00:00:00Z")
        site.fake_site.fault(fault, path=site.fake_site.story(post_id).path)
        assert is_due_when_listed(archive, clock, post_id)
        poll(archive, clock)
    assert states(archive, post_id) == ("gone", "gone")
    assert value(archive, "SELECT next_due_at FROM pages WHERE id = ?", post_id) is None


# --- validators -------------------------------------------------------------------------------------------------------

TAG = (("ETag", '"never changes"'),)


def keep_validators(site, path):
    """Let an address have the same ETag for ever, and respond 304 to it even if the content has changed."""

    def edit(request, response):
        if request.path != path:
            return response
        return SiteResponse(304, TAG) if request.header("If-None-Match") else response.with_headers(*TAG)

    site.edit = edit


def visit(archive, clock, post_id, **later):
    """Advance the clock, poll one page alone, and return the counts of the report."""
    clock.advance(**later)
    make_due(archive, post_id)
    return counts(poll(archive, clock))


def test_a_validator_mismatch_is_detected_and_the_validators_are_not_sent_again(archive, clock):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        keep_validators(site, site.fake_site.story(post_id).path)
        visit(archive, clock, post_id, hours=1)
        site.fake_site.revise(post_id, text="Une précision.")
        assert visit(archive, clock, post_id, hours=1) == {"unchanged": 1}, "the response is a 304"
        assert visit(archive, clock, post_id, hours=23) == {"revised": 1}, "once a day the full page is requested"
        (row,) = rows(archive, "SELECT * FROM pages WHERE id = ?", post_id)
        assert (row["lies"], row["etag"]) == (1, '"never changes"')
        assert from_text(row["checked_whole_at"]) == from_text(row["last_fetched_at"])
        site.fake_site.revise(post_id, text="Une autre précision.")
        assert visit(archive, clock, post_id, minutes=15) == {"revised": 1}
        assert value(archive, "SELECT lies FROM pages WHERE id = ?", post_id) == 2
        assert "If-None-Match" not in site.wire.requests[-1].headers
    assert_intact(archive)


def test_with_reliable_validators_one_full_page_a_day_is_fetched(tmp_path, clock):
    with mounted_small(clock, validators=True) as site:
        poll(tmp_path, clock)
        post_id = site.fake_site.ids()[-1]
        path = site.fake_site.story(post_id).path
        for _ in range(6):
            visit(tmp_path, clock, post_id, hours=8)
        site.fake_site.revise(post_id)
        assert visit(tmp_path, clock, post_id, hours=8) == {"revised": 1}
    requests = rows(tmp_path, "SELECT status FROM fetches WHERE url = ? ORDER BY id", SITE + path)
    assert [row["status"] for row in requests].count(200) == 4, "the first visit, one a day, and the revision"
    assert value(tmp_path, "SELECT lies FROM pages WHERE id = ?", post_id) == 0


def test_a_304_for_a_page_that_is_not_archived_is_a_failure(archive, clock):
    with mounted_small(clock) as site:
        (post_id,) = site.fake_site.publish(1)
        story = site.fake_site.story(post_id)
        execute(archive, "INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (?, ?, 'known', ?, 'home')",
               post_id, SITE + story.path, "2026-11-21T08:00:00Z")  # fmt: skip
        site.edit = lambda request, response: SiteResponse(304) if request.path == story.path else response
        assert visit(archive, clock, post_id, hours=1) == {"failed": 1}
    assert rows(archive, "SELECT state, error_kind FROM pages WHERE id = ?", post_id) == [
        {"state": "failed", "error_kind": ErrorKind.HTTP_STATUS}
    ]


def test_a_response_of_a_few_bytes_is_archived_but_does_not_count_as_a_removal(archive, clock):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        path = site.fake_site.story(post_id).path
        site.edit = lambda request, response: make_response("article.html") if request.path == path else response
        assert visit(archive, clock, post_id, hours=1) == {"rejected": 1}
        assert warc_responses(archive)[-1][0] == path
    assert states(archive, post_id) == ("live", "live")


def test_a_list_whose_validators_do_not_match_loses_no_article(archive, clock):
    """The full list is requested every six hours, and on every poll after a validator mismatch."""
    feed = f"{SITE}/rss/home.rss"

    def poll_feed(**later):
        clock.advance(**later)
        make_due(archive)
        execute(archive, "UPDATE sources SET next_due_at = iif(url = ?, '2026', '9999-01-01T00:00:00Z')", feed)
        with working(archive, clock) as run, recorded(run, "poll"):
            poll_sources(run, ignore_due=False)
        return rows(archive, "SELECT lies, fresh_items FROM sources WHERE url = ?", feed)[0]

    with mounted_small(clock) as site:
        keep_validators(site, "/rss/home.rss")
        poll_feed(hours=1)
        (missed,) = site.fake_site.publish(1)
        assert poll_feed(hours=1)["lies"] == 0
        assert rows(archive, "SELECT id FROM pages WHERE id = ?", missed) == [], "the response is a 304"
        assert poll_feed(hours=6) == {"lies": 1, "fresh_items": 1}
        assert page_state(archive, missed) == "known"
        (other,) = site.fake_site.publish(1)
        poll_feed(minutes=10)
        assert page_state(archive, other) == "known"


def test_a_gone_article_returns_when_a_feed_lists_it(archive, clock):
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[-1]
        make_due(archive)
        mark_gone(archive, post_id, "2026-01-01T00:00:00Z")
        execute(
            archive,
            "UPDATE sources SET next_due_at = iif(url = ?, '2026', '9999-01-01T00:00:00Z')",
            f"{SITE}/rss/home.rss",
        )
        clock.advance(hours=7)
        assert counts(poll(archive, clock)) == {"unchanged": 1}
    assert states(archive, post_id) == ("live", "live")


# --- all pages --------------------------------------------------------------------------------------------------------


def article_requests(site):
    return [path for path in site.wire.paths if path.endswith(".vnp")]


def test_polling_everything_visits_each_page_once_although_a_source_becomes_due(archive, clock):
    """The due source is polled at once, because news come first; then the run continues with the remaining pages."""

    def edit(request, response):
        if request.path.endswith(".vnp") and len(article_requests(site)) == 3:
            execute(archive, "UPDATE sources SET next_due_at = '2026' WHERE url = ?", f"{SITE}/rss/home.rss")
        return response

    with mounted_small(clock) as site:
        site.edit = edit
        poll(archive, clock, everything=True)
        visited = article_requests(site)
        assert site.wire.count("/rss/home.rss") == 2
    assert len(visited) == len(set(visited)) == value(archive, "SELECT count(*) FROM pages")
