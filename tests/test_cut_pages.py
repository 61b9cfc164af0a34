"""Pages that were cut off although the response looked complete: never taken for an edit by the agency."""

from __future__ import annotations

import pytest
from support import assert_intact, edited, mounted, poll, rows, value
from test_rebuild import assert_rebuilt_equal

from crawler.parse import ending
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS

SMALL = Options(sections=SECTIONS[:1], section_size=3, feed_size=3, home_size=3, no_api=True, no_samples=True)

ENDINGS = {
    b"<html><p>x</p></html>": False,
    b"<HTML><P>x</HTML>\n<!-- made by x -->": False,
    b"<html>" + b"x" * 9000 + b"</html>" + b"<script>1</script>" * 50: False,
    "<html><p>é</p></html>".encode("utf-16"): False,
    b"<html><p>x": True,
    b"<html></html>" + b"x" * 20_000: True,
    b"": True,
}


@pytest.mark.parametrize(("content", "expected"), ENDINGS.items(), ids=range(len(ENDINGS)))
def test_is_cut_off(content, expected):
    assert ending.is_cut_off(content) == expected


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


def cut_at(share):
    return lambda html: html[: int(len(html) * share)]


FEW_LISTS = {"exclude": ("/rss*", "/sitemap*"), "list_pages": 1}


def assert_no_revision(archive, clock, change, error_kind, *, rebuilt):
    """Poll an article several times while `change` damages its page, then once more; there must be no revision.

    With `rebuilt`, a rebuild must give the same rows. It takes half of the time, and does not depend on the damage.
    """
    with mounted(clock, articles=2, options=SMALL) as site:
        poll(archive, clock, **FEW_LISTS)
        post_id = site.fake_site.ids()[-1]
        site.edit = edited(site.fake_site.story(post_id).path, change)
        for _ in range(5):
            clock.advance(hours=1)
            poll(archive, clock, everything=True, **FEW_LISTS)
        (page,) = rows(archive, "SELECT state, error_kind, failures FROM pages WHERE id = ?", post_id)
        assert (page["state"], page["error_kind"], page["failures"]) == ("live", error_kind, 5)
        site.edit = None
        clock.advance(days=2)
        assert poll(archive, clock, everything=True, **FEW_LISTS).revised == 0
    assert value(archive, "SELECT count(*) FROM revisions WHERE article = ?", post_id) == 1
    assert value(archive, "SELECT error_kind FROM pages WHERE id = ?", post_id) is None
    if rebuilt:
        assert_rebuilt_equal(archive, clock)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.99])
def test_a_cut_page_of_an_archived_article_makes_no_revision(archive, clock, share):
    assert_no_revision(archive, clock, cut_at(share), "cut-off", rebuilt=share == 0.5)


def test_a_new_article_is_stored_when_its_page_arrives_whole(archive, clock):
    with mounted(clock, articles=1, options=SMALL) as site:
        post_id = site.fake_site.ids()[-1]
        site.edit = edited(site.fake_site.story(post_id).path, cut_at(0.8))
        poll(archive, clock)
        assert value(archive, "SELECT count(*) FROM articles WHERE id = ?", post_id) == 0
        site.edit = None
        clock.advance(hours=1)
        assert poll(archive, clock).new == 1
    assert value(archive, "SELECT revision FROM articles WHERE id = ?", post_id) == 1
    assert_intact(archive)


def test_a_site_whose_pages_have_no_end_tag_is_read_after_a_few_attempts(archive, clock):
    with mounted(clock, articles=1, options=SMALL) as site:
        post_id = site.fake_site.ids()[-1]
        path = site.fake_site.story(post_id).path
        site.edit = edited(path, lambda html: html.replace(b"</html>", b""))
        for _ in range(4):
            poll(archive, clock)
            clock.advance(hours=6)
        assert value(archive, "SELECT revision FROM articles WHERE id = ?", post_id) == 1
        site.fake_site.revise(post_id, title="Un autre titre")
        clock.advance(hours=6)
        assert poll(archive, clock, everything=True).revised == 1
    assert_intact(archive)
