"""What the site takes away, what it brings back, and validators that lie: the page's part of a tick."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import SITE, intact, mounted, poll, rows, value, working
from test_pipeline import (  # noqa: F401 - fixtures
    change,
    clock,
    counts,
    evidence,
    first,
    held,
    only,
    state,
    stored,
)

from crawler import app
from crawler.clock import from_text
from crawler.pipeline.pages import ask_again
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.sim.site import Options, Request, Response
from crawler.sim.site.messages import answer, redirect
from crawler.types import Sighting


def states(archive, post_id):
    return state(archive, post_id), stored(archive, post_id).state


def to_section(site, _path):
    return redirect(f"{SITE}/politique/", 301)


def to_another(site, _path):
    return redirect(SITE + site.replica.story(site.replica.ids()[0]).path, 301)


def another_in_its_place(site, _path):
    return replace(site.replica.respond(Request("GET", site.replica.story(site.replica.ids()[0]).path)))


WAYS = {
    "404": 404,
    "410": 410,
    "a soft 404": 200,
    "sent home": 302,
    "sent to a section": to_section,
    "sent to another article": to_another,
    "another article in its place": another_in_its_place,
}


def take_away(site, post_id, way):
    if isinstance(way, int):
        site.replica.unpublish(post_id, way)
        return
    path = site.replica.story(post_id).path
    site.edit = lambda asked, given: way(site, path) if asked.path == path else given


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_of_taking_an_article_away(held, clock, way):  # noqa: F811
    """Suspect, suspect, gone; what was held stays, and `vna changes` tells of it."""
    seen = []
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        before = stored(held, post_id).article
        take_away(site, post_id, way)
        only(held, post_id)
        for _ in range(3):
            poll(held, clock)
            seen.append(states(held, post_id))
            clock.advance(minutes=1)
            assert counts(poll(held, clock)) == {}, "the probes are spaced"
            clock.advance(days=1)
    assert seen == [("suspect", "suspect"), ("suspect", "suspect"), ("gone", "gone")]
    assert value(held, "SELECT next_due_at FROM pages WHERE id = ?", post_id) is None
    assert value(held, "SELECT error FROM pages WHERE id = ?", post_id)
    assert stored(held, post_id).article == before
    with app.reading_archive(held) as opened:
        assert (post_id, "gone") in {(r["id"], r["what"]) for r in opened.changes(None, 50)}
    intact(held)


def test_three_probes_in_a_minute_are_one(held, clock):  # noqa: F811
    """Whoever asks, and however often: `vna poll --all`, or a source that gives a new modification time."""
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        path = site.replica.story(post_id).path
        site.replica.unpublish(post_id, 404)
        only(held, post_id)
        poll(held, clock)
        site.wire.clear()
        clock.advance(seconds=20)
        poll(held, clock, everything=True)
        assert site.wire.count(path) == 0
        for _ in range(3):
            clock.advance(seconds=20)
            change(held, "UPDATE pages SET next_due_at = '2026' WHERE id = ?", post_id)
            poll(held, clock)
        assert site.wire.count(path) == 3
    assert states(held, post_id) == ("suspect", "suspect")
    assert value(held, "SELECT failures FROM pages WHERE id = ?", post_id) == 1


def gone(archive, post_id, at):
    change(archive, "UPDATE pages SET state = 'gone', failures = 3, next_due_at = NULL, last_fetched_at = ? WHERE id = ?",
           at, post_id)  # fmt: skip
    change(archive, "UPDATE articles SET state = 'gone' WHERE id = ?", post_id)


def listed(archive, clock, post_id):  # noqa: F811
    """Have a source show a page; say whether it is due then."""
    with working(archive, clock) as context, context.archive.transaction():
        ask_again(context, [Sighting(f"{SITE}/x-post{post_id}.vnp", post_id), Sighting(f"{SITE}/topic/")], clock.now())
    return value(archive, "SELECT next_due_at IS NOT NULL FROM pages WHERE id = ?", post_id) == 1


def test_what_is_gone_and_is_listed_anew_comes_back(held, clock):  # noqa: F811
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        only(held)
        gone(held, post_id, clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"))
        assert not listed(held, clock, post_id), "it was asked for a moment ago"
        clock.advance(hours=1)
        assert listed(held, clock, post_id)
        assert counts(poll(held, clock)) == {"unchanged": 1}
    assert states(held, post_id) == ("live", "live")
    with app.reading_archive(held) as opened:
        assert opened.changes(None, 5) == []
    intact(held)


@pytest.mark.parametrize("trouble", ["failed", "drift", "rejected"])
def test_what_was_given_up_and_is_still_listed_is_asked_for_again(held, clock, trouble):  # noqa: F811
    """A page that failed for so long that nothing is due any more; the trouble may be over by then."""
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        only(held)
        change(held, "UPDATE pages SET state = ?, failures = 8, next_due_at = NULL, last_fetched_at = ? WHERE id = ?",
               trouble, clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"), post_id)  # fmt: skip
        clock.advance(hours=10)
        assert not listed(held, clock, post_id)
        clock.advance(hours=1)
        assert listed(held, clock, post_id)
        assert counts(poll(held, clock)) == {"unchanged": 1}
    assert states(held, post_id) == ("live", "live")


def test_that_it_was_gone_stays_known_when_it_is_back(held, clock):  # noqa: F811
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        path = site.replica.story(post_id).path
        site.edit = lambda asked, given: replace(given, status=404) if asked.path == path else given
        only(held, post_id)
        for _ in range(3):
            poll(held, clock)
            clock.advance(days=2)
        site.edit = None
        assert listed(held, clock, post_id)
        poll(held, clock)
    with app.reading_archive(held) as opened:
        found = [(r["id"], r["what"]) for r in opened.changes(None, 5)]
    assert found == [(post_id, "live"), (post_id, "gone")]
    intact(held)


@pytest.mark.parametrize("fault", ["error", "forbidden", "block"])
def test_trouble_with_what_is_gone_leaves_it_gone(held, clock, fault):  # noqa: F811
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        only(held)
        gone(held, post_id, "2026-01-01T00:00:00Z")
        site.replica.fault(fault, path=site.replica.story(post_id).path)
        assert listed(held, clock, post_id)
        poll(held, clock)
    assert states(held, post_id) == ("gone", "gone")
    assert value(held, "SELECT next_due_at FROM pages WHERE id = ?", post_id) is None


# --- validators -------------------------------------------------------------------------------------------------------

TAG = (("ETag", '"the same for ever"'),)


def lying(site, path):
    """Have a page answer 304 to everybody who knows its tag, whatever has become of it."""

    def edit(asked, given):
        if asked.path != path:
            return given
        return Response(304, TAG) if asked.header("If-None-Match") else given.adding(*TAG)

    site.edit = edit


def visit(archive, clock, post_id, **later):  # noqa: F811
    clock.advance(**later)
    only(archive, post_id)
    return counts(poll(archive, clock))


def test_a_lie_is_found_out_and_never_believed_again(held, clock):  # noqa: F811
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        lying(site, site.replica.story(post_id).path)
        visit(held, clock, post_id, hours=1)
        site.replica.revise(post_id, text="Une précision.")
        assert visit(held, clock, post_id, hours=1) == {"unchanged": 1}, "so it says"
        assert visit(held, clock, post_id, hours=23) == {"revised": 1}, "once a day the page itself is wanted"
        (row,) = rows(held, "SELECT * FROM pages WHERE id = ?", post_id)
        assert (row["lies"], row["etag"]) == (1, '"the same for ever"')
        assert from_text(row["checked_whole_at"]) == from_text(row["last_fetched_at"])
        site.replica.revise(post_id, text="Une autre précision.")
        assert visit(held, clock, post_id, minutes=15) == {"revised": 1}
        assert value(held, "SELECT lies FROM pages WHERE id = ?", post_id) == 2
        assert "If-None-Match" not in site.wire.requests[-1].headers
    intact(held)


def test_validators_that_are_true_cost_one_whole_page_a_day(tmp_path, clock):  # noqa: F811
    with mounted(clock, options=Options(validators=True)) as site:
        poll(tmp_path, clock)
        post_id = site.replica.ids()[-1]
        path = site.replica.story(post_id).path
        for _ in range(6):
            visit(tmp_path, clock, post_id, hours=8)
        site.replica.revise(post_id)
        assert visit(tmp_path, clock, post_id, hours=8) == {"revised": 1}
    asked = rows(tmp_path, "SELECT status FROM fetches WHERE url = ? ORDER BY id", SITE + path)
    assert [row["status"] for row in asked].count(200) == 4, "the first one, one a day, and the revision"
    assert value(tmp_path, "SELECT lies FROM pages WHERE id = ?", post_id) == 0


def test_304_of_a_page_that_is_not_held_is_no_answer(held, clock):  # noqa: F811
    with mounted(clock) as site:
        (post_id,) = site.replica.publish(1)
        story = site.replica.story(post_id)
        change(held, "INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (?, ?, 'known', ?, 'home')",
               post_id, SITE + story.path, "2026-11-21T08:00:00Z")  # fmt: skip
        site.edit = lambda asked, given: Response(304) if asked.path == story.path else given
        assert visit(held, clock, post_id, hours=1) == {"failed": 1}
    assert state(held, post_id) == "failed"


def test_a_page_that_answers_with_a_bare_word_is_kept(held, clock):  # noqa: F811
    """No removal: the answer says nothing of the article."""
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        path = site.replica.story(post_id).path
        site.edit = lambda asked, given: answer("article.html") if asked.path == path else given
        assert visit(held, clock, post_id, hours=1) == {"rejected": 1}
        assert evidence(held)[-1][0] == path
    assert states(held, post_id) == ("live", "live")


def test_a_list_that_lies_loses_nothing(held, clock):  # noqa: F811
    """Every six hours it is wanted whole; then the lie is found out, and it is always wanted whole."""
    feed = f"{SITE}/rss/home.rss"

    def look(**later):
        clock.advance(**later)
        only(held)
        change(held, "UPDATE sources SET next_due_at = iif(url = ?, '2026', '9999-01-01T00:00:00Z')", feed)
        with working(held, clock) as context, recorded(context, "poll"):
            poll_sources(context, ignore_due=False)
        return rows(held, "SELECT lies, fresh_items FROM sources WHERE url = ?", feed)[0]

    with mounted(clock) as site:
        lying(site, "/rss/home.rss")
        look(hours=1)
        (missed,) = site.replica.publish(1)
        assert look(hours=1)["lies"] == 0
        assert rows(held, "SELECT id FROM pages WHERE id = ?", missed) == [], "so it says"
        assert look(hours=6) == {"lies": 1, "fresh_items": 1}
        assert state(held, missed) == "known"
        (other,) = site.replica.publish(1)
        look(minutes=10)
        assert state(held, other) == "known"


def test_a_list_brings_back_what_is_gone(held, clock):  # noqa: F811
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        only(held)
        gone(held, post_id, "2026-01-01T00:00:00Z")
        change(
            held,
            "UPDATE sources SET next_due_at = iif(url = ?, '2026', '9999-01-01T00:00:00Z')",
            f"{SITE}/rss/home.rss",
        )
        clock.advance(hours=7)
        assert counts(poll(held, clock)) == {"unchanged": 1}
    assert states(held, post_id) == ("live", "live")
