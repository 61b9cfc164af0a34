"""`vna heal`: after a redesign the archive learns the new layout from its own articles, and nothing is lost or revised."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
from support import assert_intact, mounted, poll, rows, value, vna, working
from test_rebuild import assert_rebuilt_equal

from crawler import collect
from crawler.backup import back_up, restore
from crawler.daemon import healing, jobs
from crawler.pipeline import visit_page
from crawler.pipeline.heal import propose
from crawler.pipeline.run import recorded
from crawler.sim.site import Options, designs
from crawler.sim.site.story import SECTIONS
from crawler.types import ImageBlock, TextBlock

SMALL = Options(section_size=12, feed_size=12, home_size=16, no_api=True, no_samples=True, sections=SECTIONS[:2])


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


@contextmanager
def polled_site(archive, clock, articles=10):
    """Mount a fake site and archive all its articles."""
    with mounted(clock, articles=articles, options=SMALL) as site:
        poll(archive, clock)
        yield site


def heal(archive, clock, **options):
    with working(archive, clock, command="heal", role="read") as run:
        return propose(run, **options)


def read_exactly(archive, site, post_ids):
    """Return for each article whether the archive has it as its editors wrote it."""
    found = {}
    for post_id in post_ids:
        story = site.fake_site.story(post_id)
        (row,) = rows(archive, "SELECT title, lead, blocks FROM articles WHERE id = ?", post_id)
        blocks = json.loads(row["blocks"])
        found[post_id] = (row["title"], row["lead"]) == (story.title, story.lead) and (
            [b["text"] for b in blocks if b["type"] != "image"] == [b.text for b in story.blocks if isinstance(b, TextBlock)]
        ) and [b["caption"] for b in blocks if b["type"] == "image"] == [
            b.caption for b in story.blocks if isinstance(b, ImageBlock)
        ]  # fmt: skip
    return found


def test_after_a_redesign_all_articles_are_read_without_a_person(archive, clock, tmp_path):
    with polled_site(archive, clock, articles=18) as site:
        held = value(archive, "SELECT count(*) FROM articles")
        site.fake_site.redesign("lead-inside")
        clock.advance(hours=2)
        new = site.fake_site.publish(4)
        report = poll(archive, clock, everything=True)
        assert (report.new, report.rejected) == (0, held + len(new))

        proposal = heal(archive, clock, adopting=True)
        assert proposal.healing.share == 1.0, proposal.healing.differences
        assert proposal.adoption.verdicts == {"unchanged": held, "new": len(new)}
        assert proposal.adoption.unread == 0
        assert proposal.file.read_text() == proposal.text
        clock.advance(hours=2)
        later = site.fake_site.publish(3)
        site.fake_site.revise(new[0], title="Un titre corrigé")
        report = poll(archive, clock, everything=True)
        assert (report.new, report.revised, report.rejected) == (len(later), 1, 0)
        assert all(read_exactly(archive, site, [*new, *later]).values())
        assert value(archive, "SELECT count(*) FROM revisions WHERE revision > 1") == 1
    assert_intact(archive)
    assert_rebuilt_equal(archive, clock)
    assert value(archive / "rebuilt", "SELECT count(*) FROM articles WHERE markup LIKE 'learned-%'") == len(new) + len(
        later
    )

    back_up(archive, tmp_path / "backup", clock.now(), with_warc=True)
    restored = tmp_path / "restored"
    restore(tmp_path / "backup", restored)
    assert (restored / "markups" / proposal.file.name).read_text() == proposal.text
    with working(restored, clock) as run:
        assert proposal.name in [layout.name for layout in run.layouts]


def test_the_command_proposes_adopts_and_says_why_not(archive, clock):
    def command(*words):
        return vna("--archive", archive, "heal", *words)

    with polled_site(archive, clock, articles=9) as site:
        nothing = command()
        assert nothing.code == 1
        assert "no page is in an unknown layout" in nothing.err
        site.fake_site.redesign("captions-moved")
        new = site.fake_site.publish(1)
        clock.advance(minutes=40)
        poll(archive, clock)
        unknown = command()
        assert unknown.code == 1
        assert "the archive holds the article of none of them" in unknown.err
        poll(archive, clock, everything=True)
    proposed = command()
    assert proposed.code == 0, proposed.out
    assert "run `vna heal --adopt`" in proposed.err
    (file,) = (archive / "markups").iterdir()
    assert file.name.endswith(".toml.proposed")
    assert value(archive, "SELECT state FROM pages WHERE id = ?", new[0]) == "drift"
    adopted = command("--adopt", "--json")
    assert adopted.code == 0
    report = json.loads(adopted.out)
    assert (report["adopted"], report["exactness"], report["read"]["new"]) == (True, 1.0, 1)
    assert report["layout"] == (archive / "markups" / f"{report['name']}.toml").read_text()
    assert [file.name for file in (archive / "markups").iterdir()] == [f"{report['name']}.toml"]
    assert value(archive, "SELECT state FROM pages WHERE id = ?", new[0]) == "live"
    assert command().code == 1


def test_more_known_pages_than_are_used_for_learning_verify_the_layout(archive, clock, monkeypatch):
    monkeypatch.setattr("crawler.pipeline.heal._MOST_HELD", 9)
    with polled_site(archive, clock, articles=10) as site:
        held = value(archive, "SELECT count(*) FROM articles")
        site.fake_site.redesign("classes")
        clock.advance(hours=1)
        poll(archive, clock, everything=True)
    healing = heal(archive, clock).healing
    assert held > 9
    assert (healing.complete, healing.training + healing.verified) == (held, held)


def test_only_the_newest_proposal_is_kept(archive, clock):
    with working(archive, clock) as run:
        for name in ("learned-1", "learned-2"):
            newest = run.archive.keep_proposal(name, name)
        assert run.archive.proposals() == [newest]
        assert newest.read_text() == "learned-2"


def test_a_layout_that_is_not_exact_enough_is_not_adopted(archive, clock):
    with polled_site(archive, clock, articles=12) as site:
        site.edit = lambda _, response: replace(
            response, headers=without_coding(response), body=damaged(response.decoded)
        )
        site.fake_site.redesign("classes")
        clock.advance(hours=1)
        poll(archive, clock, everything=True)
    result = vna("--archive", archive, "heal", "--adopt")
    assert result.code == 5
    assert "captions differs on https://" in result.out
    assert "not exact enough to adopt" in result.err
    assert value(archive, "SELECT count(*) FROM raw WHERE url LIKE 'urn:vna-layout:%'") == 0


def without_coding(response):
    return tuple((k, v) for k, v in response.headers if k != "Content-Encoding")


def damaged(body):
    """Return a page that does not have the captions as the archive has them."""
    return body.replace(b"Photo", b"Image")


def test_the_service_checks_known_articles_again_and_adopts(archive, clock):
    with polled_site(archive, clock) as site, working(archive, clock, command="run") as run:
        assert not jobs.heal_due(run, clock.now())
        site.fake_site.redesign("classes")
        clock.advance(hours=1)
        new = site.fake_site.publish(3)
        collect.poll(run)
        assert jobs.heal_due(run, clock.now())
        asked = healing.work(run, adopting=False)
        assert "proposed (100.0% exact" in asked.outcome
        assert "run `vna heal --adopt`" in asked.outcome
        adopted = healing.work(run, adopting=True)
        assert adopted.outcome.startswith("learned-2026-11-21 adopted (100.0%")
        assert all(read_exactly(archive, site, new).values())
        assert jobs.heal_due(run, clock.now()), "the results of a learned layout are watched"
        assert healing.work(run, adopting=True).outcome == "no unknown layout"

        clock.advance(hours=1)
        site.fake_site.publish(6)
        collect.poll(run, ignore_due=True)
        for number, outcome in ((5, "no unknown layout"), (12, None)):
            for post_id in site.fake_site.ids()[-number:]:
                site.fake_site.revise(post_id, title=f"Un autre titre {post_id}, {number}")
            clock.advance(days=2)
            collect.poll(run, ignore_due=True)
            if outcome:  # these are less than 30 % of the articles
                assert healing.work(run, adopting=True).outcome == outcome
        withdrawn = healing.work(run, adopting=True)
        assert not withdrawn.ok
        assert "learned-2026-11-21 withdrawn: 12 of" in withdrawn.outcome
        assert run.layouts[-1].learned.until == clock.now()
        assert not jobs.heal_due(run, clock.now())


def test_known_articles_in_a_known_layout_are_not_all_checked_again(archive, clock):
    """Then the new pages are odd ones, and there is nothing to learn from the known articles."""
    with polled_site(archive, clock) as site, working(archive, clock, command="run") as run:
        known = {site.fake_site.story(post_id).path for post_id in site.fake_site.ids()}
        site.fake_site.redesign("classes")
        clock.advance(hours=1)
        site.fake_site.publish(jobs.FEWEST_DRIFTED)
        collect.poll(run)
        site.fake_site.clear()
        assert len(run.archive.drifted_pages()) >= jobs.FEWEST_DRIFTED
        site.wire.clear()
        healing.work(run, adopting=True)
        assert len([path for path in site.wire.paths if path in known]) == 5


def in_lists(kind):
    """Return an `edit` that redesigns the lists, but not the pages of articles."""

    def edit(_, response):
        if b'content="article"' in response.decoded or b"<html" not in response.decoded:
            return response
        body = designs.redesigned(response.decoded.decode(), designs.Design(kind, 1)).encode()
        return replace(response, headers=without_coding(response), body=body)

    return edit


def test_lists_without_addresses_are_read_again_without_a_person(archive, clock):
    with polled_site(archive, clock) as site, working(archive, clock, command="run") as run:
        site.edit = in_lists("list-ids")
        for _ in range(2):
            clock.advance(hours=1)
            collect.poll(run, ignore_due=True)
        assert jobs.heal_due(run, clock.now())
        assert "learned-2026-11-21-lists adopted (100.0%" in healing.work(run, adopting=True).outcome
        new = site.fake_site.publish(2)
        clock.advance(minutes=5)
        report = collect.poll(run)
        assert (report.revised, report.new) == (0, len(new))
        assert not run.archive.is_list_empty()
        assert run.archive.sighted(run.site.root, new) == set(new)
        assert value(archive, "SELECT count(*) FROM revisions WHERE revision > 1") == 0
    assert_rebuilt_equal(archive, clock)


def test_the_command_proposes_a_layout_of_lists(archive, clock):
    with polled_site(archive, clock) as site:
        site.edit = in_lists("list-keys")
        clock.advance(hours=1)
        poll(archive, clock, everything=True)
    proposed = vna("--archive", archive, "heal")
    assert proposed.code == 0, proposed.err
    assert "-lists: learned from 3 lists with 18 known articles, verified on 12 others" in proposed.out
    assert "id            12 of 12 exact" in proposed.out
    assert "run `vna heal --adopt`" in proposed.err
    adopted = vna("--archive", archive, "heal", "--adopt", "--json")
    report = json.loads(adopted.out)["lists"]
    assert (adopted.code, report["adopted"], report["exactness"], report["contradicted"]) == (0, True, 1.0, [])
    (file,) = (archive / "markups").iterdir()
    assert file.read_text() == report["layout"]


ODD = b"""<html><head><title>Titre</title><meta property='og:type' content='article'></head>
<body><p>Un texte dont le titre manque.</p></body></html>"""


def test_a_failed_visit_of_an_archived_page_is_no_unknown_layout(archive, clock):
    with polled_site(archive, clock, articles=1) as site, working(archive, clock, command="run") as run:
        site.edit = lambda _, response: replace(response, status=500)
        clock.advance(hours=2)
        page = run.archive.due_pages(clock.now(), ignore_due=True)[0]
        with recorded(run, "poll"):
            visit_page(run, page)
        assert run.archive.page(page.id).failures == 1
        assert run.archive.drifted_pages() == []


@pytest.mark.parametrize("failures", [1, 9])
def test_all_pages_are_read_soon_after_the_site_has_its_former_layout_again(archive, clock, failures):
    """Also after days, when the next retry of a page is days away, and if one odd page never gets a known layout."""
    with polled_site(archive, clock, articles=5) as site, working(archive, clock, command="run") as run:
        site.fake_site.redesign("classes")
        for _ in range(failures):
            clock.advance(hours=2)
            with recorded(run, "poll"):
                for page in run.archive.due_pages(clock.now(), ignore_due=True):
                    visit_page(run, page)
        assert len(run.archive.drifted_pages()) >= jobs.FEWEST_DRIFTED
        odd = run.archive.drifted_pages()[0].page.id  # the page that would always be visited first
        odd_path = site.fake_site.story(odd).path
        site.edit = lambda request, response: replace(
            response, headers=without_coding(response), body=ODD
        ) if request.path == odd_path else response  # fmt: skip
        site.fake_site.clear()
        for _ in range(3):
            clock.advance(minutes=61)
            if jobs.heal_due(run, clock.now()):
                healing.work(run, adopting=False)
        assert [drifted.page.id for drifted in run.archive.drifted_pages()] == [odd]
    assert_rebuilt_equal(archive, clock)
