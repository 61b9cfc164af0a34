"""`vna reparse`: what it reports and what it writes, in one process or in several."""

from __future__ import annotations

import json

import pytest
from support import FakeClock, assert_intact, copy_archive, mounted, poll, rows, value, vna, working

from crawler import pipeline


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """An archive after two days of polling, with one revised article and one page that cannot be parsed."""
    archive = tmp_path_factory.mktemp("polled") / "archive"
    clock = FakeClock()
    with mounted(clock) as site:
        poll(archive, clock)
        site.fake_site.revise(site.fake_site.ids()[-1], title="Un titre corrigé")
        site.fake_site.fault("block", path=site.fake_site.story(site.fake_site.ids()[-2]).path)
        clock.advance(days=1)
        poll(archive, clock, everything=True)
    return archive


@pytest.fixture
def archive(polled, tmp_path):
    return copy_archive(polled, tmp_path / "archive")


def spoil(archive, sql):
    """Change rows to what an older parser might have read."""
    with working(archive, FakeClock()) as context, context.archive.transaction():
        context.archive.db.conn.execute(sql)


def reparsed(archive, **options):
    with working(archive, FakeClock(), role="read") as context:
        return pipeline.reparse(context, **options)


def content(archive):
    return {
        table: rows(archive, f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("articles", "revisions", "images")
    }


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_newer_parser_corrects_revisions_and_adds_none(archive, tmp_path, jobs):
    good = content(archive)
    spoil(archive, "UPDATE articles SET lead = 'gelesen', parser = 0 WHERE id % 2")
    spoil(archive, "UPDATE revisions SET lead = 'gelesen' WHERE article % 2")
    report = reparsed(archive, jobs=jobs)
    assert report.differing > 10
    assert (report.fields["lead"], report.damaged) == (report.differing, 0)
    assert content(archive)["revisions"] == good["revisions"]
    assert [r["lead"] for r in content(archive)["articles"]] == [r["lead"] for r in good["articles"]]
    assert_intact(archive)


def test_a_dry_run_prints_the_differences_and_writes_nothing(archive):
    spoil(archive, "UPDATE articles SET lead = 'gelesen'")
    before = content(archive)
    done = vna("--archive", archive, "reparse", "--dry-run")
    assert done.code == 0
    assert "dry run" in done.out
    assert "- gelesen" in done.out
    assert content(archive) == before


def test_a_damaged_capture_is_reported_and_its_article_is_kept(archive):
    raw = rows(archive, "SELECT r.file, r.offset, a.id FROM articles a JOIN raw r ON r.id = a.last_raw_id LIMIT 1")[0]
    path = archive / "warc" / raw["file"]
    data = bytearray(path.read_bytes())
    data[raw["offset"] + 300] ^= 1
    path.write_bytes(data)
    before = content(archive)
    assert reparsed(archive).damaged == 1
    assert content(archive) == before
    for options in ([], ["--json"]):
        done = vna("--archive", archive, "reparse", "--dry-run", *options)
        assert done.code == 5
        assert "vna verify" in done.err
    assert json.loads(done.out)["damaged"] == 1


REVISED = """
INSERT INTO revisions SELECT article, revision + 1, seen_at, changed, fingerprint, url, section, kind, 'neu', lead, blocks,
byline, tags, published_at, modified_at, raw_id, known_at, replaced_pictures FROM revisions
"""


def test_a_revision_that_arrives_during_the_reparse_is_kept(archive):
    """The service writes a new revision after reparse has read the old page and before it writes the correction."""
    clock = FakeClock()
    clock.advance(days=3)
    newest = value(archive, "SELECT max(id) FROM articles WHERE state = 'live'")
    spoil(archive, f"UPDATE articles SET parser = 0 WHERE id = {newest}")

    with working(archive, clock, role="read") as context:
        read = context.make_reader()

        class InterruptedReader:
            """A reader that lets the service write before it returns its first result."""

            interrupted = False

            def read_revision(self, captures):
                if not self.interrupted:
                    self.interrupted = True
                    spoil(archive, f"{REVISED} WHERE article = {newest} ORDER BY revision DESC LIMIT 1")
                    spoil(archive, f"UPDATE articles SET revision = revision + 1, title = 'neu' WHERE id = {newest}")
                return read.read_revision(captures)

        context.make_reader = InterruptedReader
        pipeline.reparse(context)
    assert value(archive, "SELECT title FROM articles WHERE id = ?", newest) == "neu"


def test_a_page_that_still_cannot_be_parsed_is_counted(archive):
    done = vna("--archive", archive, "reparse", "--json")
    assert json.loads(done.out)["still_unread"] == value(
        archive, "SELECT count(*) FROM pages WHERE state IN ('drift', 'rejected')"
    )
