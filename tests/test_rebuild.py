"""Rebuild and crash recovery: WARC records give the same rows again, and nothing is requested a second time."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from support import (
    NOW,
    ROOT,
    SEED_ARTICLES,
    SEED_TEXTS,
    SITE,
    FakeClock,
    InlineWorkers,
    RecordedProgress,
    assert_intact,
    configured,
    copy_archive,
    fetched,
    mounted,
    poll,
    rows,
    seeds_folder,
    value,
    vna,
    working,
)
from test_captures import capture_of, import_files

from crawler import app, backfill, collect, lexicon, replay, storage
from crawler.backfill import id_probe
from crawler.errors import (
    AlreadyRunning,
    BadStatus,
    BodyTooLarge,
    Interrupted,
    PageError,
    SitePaused,
    StorageError,
    Throttled,
    Unreachable,
)
from crawler.pipeline import archive_response, import_file
from crawler.pipeline.fetching import note_failure
from crawler.pipeline.run import recorded
from crawler.plan_values import BackfillRequest
from crawler.purpose import Purpose, PurposeKind
from crawler.replay import read_ahead
from crawler.replay.record_stream import FileStream, RecordStream, day_of
from crawler.replay.replayed_io import failure
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS
from crawler.storage import FILE, diff_db
from crawler.types import RawRef
from crawler.warc import Damage, Record, WarcStore

#: The forked children use no threads, so that the warning about them does not apply.
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


def rebuild(archive, clock, **options):
    """Rebuild the database in the folder `rebuilt` of the archive and compare it with the old one."""
    with app.rebuilding(configured(archive), archive / "rebuilt", RecordedProgress(), clock=clock) as run:
        return replay.rebuild(run, archive / FILE, **options)


def assert_rebuilt_equal(archive, clock, *, numbers=True):
    """Rebuild the database and assert that all rows are equal and, with `numbers`, that they keep their row numbers.

    The files are read ahead, in partitions of a few records. Other tests rebuild with one process.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(read_ahead, "Workers", InlineWorkers)
        patch.setattr(read_ahead, "_PARTITION", 10_000)
        report = rebuild(archive, clock, jobs=2)
    assert_equal(archive, report, numbers=numbers)
    return report


def assert_equal(archive, report, *, numbers=True):
    assert [(t.table, t.only_old, t.only_new, t.changed, dict(t.columns)) for t in report.differing] == []
    assert not numbers or {t.table: t.renumbered for t in report.tables if t.renumbered} == {}
    assert (report.replayed.damaged, report.unread) == (0, None)
    assert_intact(archive / "rebuilt")


def import_seeds(archive, clock, *names):
    with working(archive, clock, command="import", role="text") as run:
        for name in names:
            import_file(run, f"{name} à lire.txt", SEED_TEXTS[name])


@contextmanager
def small_site(clock, seeds=("000", "002"), **options):
    """Mount a fake site with two sections, some seeds and three new articles."""
    titles = {article.title for article in SEED_ARTICLES.values()}
    small = Options(section_size=2, no_api=True, sections=SECTIONS[:2], **options)
    with mounted(clock, articles=2, options=small, seeds=seeds_folder(*seeds)) as site:
        site.fake_site.publish(1)
        new = site.fake_site.ids()[-3:]
        for post_id in site.fake_site.ids():
            if post_id not in new and site.fake_site.story(post_id).title not in titles:
                site.fake_site.unpublish(post_id)
        yield site


def execute(archive, sql):
    with closing(sqlite3.connect(archive / FILE)) as db, db:
        db.execute(sql)


# --- a damaged or unfinished database ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "what", [*diff_db.EVIDENCE, *diff_db.LOGS, *diff_db.DERIVED, "articles.title", "pages.url", "raw.file"]
)
def test_a_rebuild_names_a_dropped_table_or_column(tmp_path, what):
    """Only the comparison is tried, with two equal databases of which one is then damaged."""
    table, _, column = what.partition(".")
    (tmp_path / "old").mkdir()
    with storage.open_archive(tmp_path) as archive:
        with archive.transaction():
            archive.db.conn.execute(
                "INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (1, 'u', 'known', 't', 's')"
            )
        archive.db.conn.execute("VACUUM INTO ?", [str(tmp_path / "old" / FILE)])
        with closing(sqlite3.connect(tmp_path / "old" / FILE)) as old:
            old.execute("PRAGMA foreign_keys = OFF")
            for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                old.execute(f"DROP TRIGGER {name}")
            (kind,) = old.execute("SELECT type FROM sqlite_master WHERE name = ?", [table]).fetchone()
            if column:
                old.executescript(f"ALTER TABLE {table} RENAME COLUMN {column} TO renamed;")
            else:
                old.execute(f"DROP {kind} {table}")
            old.commit()
        with diff_db.attached(archive.db, tmp_path / "old" / FILE), archive.transaction():
            diff_db.copy_logs(archive.db)
            differences = {found.table: found for found in diff_db.compare(archive.db)}
    if table == "pages":
        assert differences["pages"].differing
    assert set(differences) == {*diff_db.EVIDENCE, *diff_db.LOGS, *diff_db.DERIVED}


@pytest.mark.parametrize(
    ("row", "tables"),
    [("follow from the evidence", diff_db.EVIDENCE), ("record what was done", diff_db.LOGS), ("computed from", diff_db.DERIVED)],
)  # fmt: skip
def test_the_document_names_all_tables(row, tables):
    lines = (ROOT / "docs" / "rebuild.md").read_text("utf-8").splitlines()
    (cells,) = (line.split("|") for line in lines if line.startswith("| `") and row in line)
    assert re.findall(r"`(\w+)`", cells[1]) == list(tables)


def test_the_document_names_all_purposes():
    text = (ROOT / "docs" / "rebuild.md").read_text("utf-8").partition("## How a rebuild works")[0]
    assert [kind for kind in PurposeKind if not re.search(rf"`{kind}\b", text)] == []


def test_logs_are_copied_without_references_to_missing_rows(tmp_path):
    with storage.open_archive(tmp_path / "old") as old:
        old.db.conn.execute("PRAGMA foreign_keys = OFF")
        old.db.conn.executescript(
            """INSERT INTO runs VALUES (1, 'poll', 't', NULL, NULL, NULL);
            INSERT INTO fetches (run, url, at, size, seconds) VALUES (1, 'u', 't', 0, 0), (2, 'v', 't', 0, 0);
            INSERT INTO plan_pages VALUES (3, 4, 5);"""
        )
    with storage.open_archive(tmp_path) as new:
        with diff_db.attached(new.db, tmp_path / "old" / FILE), new.transaction():
            diff_db.copy_logs(new.db)
        assert [tuple(row) for row in new.db.execute("SELECT run, url FROM fetches")] == [(1, "u"), (None, "v")]
        assert new.db.execute("SELECT count(*) FROM plan_pages").fetchone() == (0,)


LOSSES = {
    "a record": ("raw", "DELETE FROM raw WHERE id = (SELECT max(id) FROM raw)"),
    "a date": ("raw", "UPDATE raw SET fetched_at = '2020-01-01T00:00:00Z' WHERE id = 1"),
    "an article": ("articles", "DELETE FROM articles WHERE id = (SELECT max(id) FROM articles)"),
    "a page": ("pages", "DELETE FROM pages WHERE id = (SELECT max(id) FROM pages)"),
    "a sighting": ("sightings", "DELETE FROM sightings WHERE page = (SELECT max(page) FROM sightings)"),
}


@pytest.fixture(scope="module")
def rebuilt_archive(tmp_path_factory):
    """An archive after a poll and a rebuild. Shared: tests change copies."""
    folder, clock = tmp_path_factory.mktemp("rebuilt") / "archive", FakeClock()
    with small_site(clock):
        poll(folder, clock)
    assert_rebuilt_equal(folder, clock)
    return folder


@pytest.mark.parametrize(("table", "sql"), LOSSES.values(), ids=LOSSES)
def test_what_only_the_old_database_knows_is_named(rebuilt_archive, archive, table, sql):
    copy_archive(rebuilt_archive, archive)
    with closing(sqlite3.connect(archive / "rebuilt" / FILE)) as db, db:
        db.execute(sql)
    with (
        closing(storage.open_archive(archive / "rebuilt")) as new,
        diff_db.attached(new.db, archive / FILE),
        new.transaction(),
    ):
        report = replay.RebuildReport(tables=diff_db.compare(new.db))
    assert table in [found.table for found in report.lost]
    assert all(found.lost_rows or found.changed_rows for found in report.lost)


def test_replace_is_refused_if_evidence_would_be_lost(archive, clock):
    with small_site(clock):
        poll(archive, clock)
    execute(
        archive,
        "INSERT INTO raw (url, fetched_at, status, file, offset, length, digest) SELECT url, fetched_at, status, file, 999999, length, digest FROM raw WHERE id = 1",
    )
    before = (archive / FILE).stat().st_ino
    refused = vna("--archive", archive, "rebuild", "--replace")
    assert refused.code == 5
    assert "raw: 1 row only in the old database" in refused.err
    assert "999999" in refused.err
    assert (archive / FILE).stat().st_ino == before
    shutil.rmtree(archive / "rebuilt")
    vna("--archive", archive, "rebuild", "--replace", "--accept-loss")
    assert (archive / FILE).stat().st_ino != before
    assert value(archive, "SELECT count(*) FROM raw WHERE offset = 999999") == 0


def test_a_rebuild_after_a_killed_one_starts_over(archive, clock):
    with small_site(clock):
        poll(archive, clock)
    folder = archive / "rebuilt"
    with app.rebuilding(configured(archive), folder, RecordedProgress(), clock=clock):
        assert not (folder / FILE).exists()
    (folder / FILE).unlink()
    (folder / "unfinished").mkdir()
    (folder / "unfinished" / FILE).write_bytes(b"half a database")
    assert_rebuilt_equal(archive, clock)
    assert not (folder / "unfinished").exists()


# --- the same rows ----------------------------------------------------------------------------------------------------


def test_a_response_that_crashes_the_rebuild_is_quarantined(archive, clock, monkeypatch, tmp_path):
    """All other records are replayed, but the new database does not replace the old one."""
    with small_site(clock) as site:
        poll(archive, clock)
        import_seeds(archive, clock, "002")
        crashing = max(site.fake_site.ids())
        import_files(archive, clock, capture_of(site, crashing, tmp_path))
    title = value(archive, "SELECT title FROM articles WHERE id = ?", crashing)

    def broken_repairer(words):
        original = repairer(words)

        def repair(article):
            if article.title == title:
                raise IndexError("list index out of range")
            return original(article)

        return repair

    repairer = app.repairer
    monkeypatch.setattr(app, "repairer", broken_repairer)
    report = rebuild(archive, clock)
    assert (report.replayed.bugs, type(report.bug)) == (2, IndexError)
    found = {t.table: (t.only_old, t.only_new) for t in report.differing}
    assert found["articles"] == (1, 0)
    assert not found.keys() & {"raw", "sources"}, (
        "the rows of the response and of the sources that list the article exist"
    )
    shutil.rmtree(archive / "rebuilt")
    done = command(archive, "rebuild", "--replace")
    assert done.code == 5
    assert "IndexError: list index out of range" in done.err
    assert "2 visits could not be replayed because of a bug" in done.err
    assert "articles: 1 row only in the old database" in done.err
    shutil.rmtree(archive / "rebuilt")
    monkeypatch.undo()
    assert_rebuilt_equal(archive, clock)


def test_a_rebuild_after_days_with_faults_is_equal(archive, clock):
    import_seeds(archive, clock, "001", "002")
    with small_site(clock, ("000", "001", "002", "003"), validators=True, overlap=5) as site:
        poll(archive, clock)
        first, second, third, fourth, *_ = sorted(site.fake_site.ids(), reverse=True)
        clock.advance(minutes=50)
        site.fake_site.revise(first)
        site.fake_site.unpublish(second, 404)
        site.fake_site.unpublish(third, 302)
        site.fake_site.fault("error", site.fake_site.story(fourth).path, 4)
        site.fake_site.fault("truncate", "/rss/*", 4)
        site.fake_site.fault("throttle", "/economie*", 2)
        poll(archive, clock, everything=True)
        import_seeds(archive, clock, "001", "003")
        for hours in (1, 6, 20):
            clock.advance(hours=hours)
            site.fake_site.publish(6)
            site.fake_site.fault("block", "/politique/*", 1)
            site.fake_site.fault("error", "*page*", 3)
            poll(archive, clock)
        site.fake_site.redesign()
        clock.advance(days=1)
        site.fake_site.publish(2)
        poll(archive, clock)
    report = assert_rebuilt_equal(archive, clock)
    assert (report.replayed.unasked, report.replayed.unfinished) == (0, 0)

    def count(sql):
        return value(archive, f"SELECT count(*) FROM {sql}")

    assert count("revisions WHERE revision > 1") > 0
    assert {r["state"] for r in rows(archive, "SELECT state FROM pages")} >= {"live", "gone", "drift"}
    assert count("raw WHERE status = 304") > 0
    assert count("raw WHERE status IN (301, 302)") > 0, "redirects"
    assert count("raw WHERE purpose LIKE 'source:%' AND purpose <> 'source:' || url AND status = 200") > 0, (
        "further pages"
    )
    assert count("fetches WHERE status IS NULL OR status >= 429") > 5, "failures"
    assert count("duplicates") == 3
    assert count("gaps") > 0
    assert value(archive / "rebuilt", "SELECT count(*) FROM fetches") == count("fetches"), (
        "the log of requests is copied"
    )


def test_a_rebuild_after_a_backfill_and_imported_captures(archive, clock, tmp_path):
    with small_site(clock, history=2) as site:
        captures = capture_of(site, site.fake_site.ids()[3], tmp_path)
        missing = site.fake_site.ids()[-2]
        site.fake_site.hide(missing)
        poll(archive, clock)
        import_files(archive, clock, captures)
        with working(archive, clock, command="backfill", role="backfill") as run, recorded(run, "backfill"):
            for via in ("sitemap", "ids"):
                request = BackfillRequest(via, date(2026, 11, 1), date(2026, 11, 21))
                backfill.open_plan(run, request, until_given=True)
                while backfill.advance(run):
                    pass
        import_files(archive, clock, captures)
    report = assert_rebuilt_equal(archive, clock)
    assert report.replayed.captures == 1
    assert value(archive / "rebuilt", "SELECT state FROM pages WHERE id = ?", missing) == "live"
    assert value(archive, "SELECT count(*) FROM pages WHERE state = 'absent'") > 0
    assert value(archive / "rebuilt", "SELECT count(*) FROM plan_pages") > 0, "plans are copied"


def test_a_rebuild_of_what_two_processes_wrote(archive, clock):
    """Row numbers may differ: they follow the order of the commits, which the WARC files do not contain."""
    with small_site(clock) as site, working(archive, clock) as one:
        with working(archive, clock, command="backfill", role="backfill") as other, recorded(other, "backfill"):
            request = BackfillRequest("sitemap", date(2025, 1, 1), date(2026, 11, 21))
            backfill.open_plan(other, request, until_given=True)
            backfill.advance(other)
            # The poll checks for a stop request before each item; the backfill advances there and the poll never stops.
            alternating = replace(one, stopping=lambda: not backfill.advance(other) and False)
            collect.poll(alternating)
        assert len(set(site.wire.paths)) > 20
    assert value(archive, "SELECT count(DISTINCT file) FROM raw") == 2
    assert_rebuilt_equal(archive, clock, numbers=False)


def test_records_without_a_purpose(archive, clock):
    """Version 0.1 did not write the purpose; it is derived from the address."""
    with small_site(clock):
        poll(archive, clock)
    held = rows(archive, "SELECT id, title, published_at, first_seen_at FROM articles")
    with WarcStore(archive / "warc") as store:
        (name,), records = store.names(), list(store.records())
    (archive / "warc" / name).unlink()
    with WarcStore(archive / "warc") as store:
        for record in records:
            store.append(fetched(record.body, url=record.url, fetched_at=record.fetched_at, status=record.status,
                                 headers=record.headers))  # fmt: skip
    (archive / FILE).unlink()
    report = rebuild(archive, clock)
    assert report.tables == []
    assert rows(archive / "rebuilt", "SELECT id, title, published_at, first_seen_at FROM articles") == held
    assert value(archive / "rebuilt", "SELECT count(*) FROM sources WHERE state = 'ok'") == 10


# --- the comparison of the databases ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """An archive after one poll with the lexicon that the command uses. Shared: tests change copies."""
    folder, clock = tmp_path_factory.mktemp("polled") / "archive", FakeClock()
    words = lexicon.load()
    with (
        small_site(clock),
        app.working(configured(folder), "poll", RecordedProgress(), clock=clock, lexicon=words) as run,
    ):
        collect.poll(run)
    return folder


def compare(folder, old):
    """Compare the database of one archive folder with that of another."""
    with storage.open_archive(folder) as new, diff_db.attached(new.db, old / FILE), new.transaction():
        return replay.RebuildReport(tables=diff_db.compare(new.db))


@pytest.mark.parametrize(
    ("table", "sql", "expected"),
    [
        ("articles", "UPDATE articles SET title = 'x' WHERE id = (SELECT max(id) FROM articles)", (0, 0, 1, {"title": 1})),
        ("articles", "UPDATE articles SET raw_id = raw_id - 1 WHERE id = (SELECT max(id) FROM articles)",
         (0, 0, 1, {"raw_id": 1})),
        ("images", "DELETE FROM images WHERE (article, position) IN (SELECT article, position FROM images LIMIT 1)", None),
        ("pages", "INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (1, 'u', 'known', 't', 's')",
         (1, 0, 0, {})),
        ("sources", "UPDATE sources SET next_due_at = NULL WHERE kind = 'home'", (0, 0, 1, {"next_due_at": 1})),
        ("sightings", "DELETE FROM sightings WHERE page = (SELECT max(page) FROM sightings)", None),
        ("gaps", "INSERT INTO gaps (source, opened_at, since, until, state) VALUES (1, 't', 't', 't', 'open')",
         (1, 0, 0, {})),
    ],
    ids=["a changed text", "a changed reference", "a missing row", "an extra row", "a changed due time", "missing rows",
         "an extra gap"],
)  # fmt: skip
def test_the_comparison_finds_a_difference(polled, tmp_path, table, sql, expected):
    old = shutil.copytree(polled, tmp_path / "old")
    execute(old, sql)
    report = compare(shutil.copytree(polled, tmp_path / "new"), old)
    (found,) = report.differing
    assert found.table == table
    if expected:
        assert (found.only_old, found.only_new, found.changed, dict(found.columns)) == expected
    else:
        assert found.only_new == found.differing > 0
    assert report.lost == ([found] if table == "pages" else [])


def test_row_numbers_may_differ_if_the_rows_are_equal(polled, tmp_path):
    old = shutil.copytree(polled, tmp_path / "old")
    with closing(sqlite3.connect(old / FILE)) as db, db:
        for table, columns in (("raw", ("articles.raw_id", "articles.last_raw_id", "revisions.raw_id", "pages.raw_id")),
                               ("sources", ("rhythms.source", "appearances.source", "gaps.source"))):  # fmt: skip
            db.execute(f"UPDATE {table} SET id = id + 1000")
            for column in columns:
                owner, name = column.split(".")
                db.execute(f"UPDATE {owner} SET {name} = {name} + 1000")
    report = compare(shutil.copytree(polled, tmp_path / "new"), old)
    assert report.differing == []
    assert {t.table: t.renumbered == t.new for t in report.tables if t.renumbered} == {"raw": True, "sources": True}


#: One change in the old database, one in the new database, and the columns in which the comparison finds a difference.
PAGE, SOURCE = "WHERE id = (SELECT max(id) FROM pages)", "WHERE kind = 'home'"
MESSAGES = {
    "reworded on a page": (f"pages SET error = 'a' {PAGE}", f"pages SET error = 'b' {PAGE}", {}),
    "on a page, in the old database only": (f"pages SET error = 'a' {PAGE}", None, {"error": 1}),
    "on a page, in the new database only": (None, f"pages SET error = 'b' {PAGE}", {"error": 1}),
    "reworded on a source": (f"sources SET error = 'a' {SOURCE}", f"sources SET error = 'b' {SOURCE}", {}),
    "on a source, in the new database only": (None, f"sources SET error = 'b' {SOURCE}", {"error": 1}),
    "no kind of error on a page of an older version": (None, f"pages SET error_kind = 'bug' {PAGE}", {}),
    "no kind of error on a source of an older version": (None, f"sources SET error_kind = 'bug' {SOURCE}", {}),
    "no kind of error on a page, in an archive of this version": (
        None, f"pages SET error_kind = 'bug' {PAGE}", {"error_kind": 1}
    ),
    "another kind of error": (
        f"pages SET error_kind = 'bug' {PAGE}", f"pages SET error_kind = 'other' {PAGE}", {"error_kind": 1}
    ),
    "no kind of error in the new database": (f"pages SET error_kind = 'bug' {PAGE}", None, {"error_kind": 1}),
}  # fmt: skip


@pytest.mark.parametrize(("in_old", "in_new", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_messages_are_compared_by_presence_and_kinds_of_errors_by_value(
    polled, tmp_path, in_old, in_new, expected, request
):
    old, new = shutil.copytree(polled, tmp_path / "old"), shutil.copytree(polled, tmp_path / "new")
    for archive, sql in ((old, in_old), (new, in_new)):
        if sql:
            execute(archive, f"UPDATE {sql}")
    if "older version" in request.node.name:
        execute(old, "UPDATE _sqlite_migrations SET applied_at = '2026-01-01 00:00:00+00:00' WHERE name = '0001_first'")
    columns = {}
    for table in compare(new, old).differing:
        columns |= table.columns
    assert columns == expected


@pytest.mark.parametrize(("note", "expected"), [("'b'", {}), ("NULL", {"note": 1})], ids=["reworded", "absent"])
def test_the_notes_of_gaps_are_compared_by_presence(polled, tmp_path, note, expected):
    old, new = shutil.copytree(polled, tmp_path / "old"), shutil.copytree(polled, tmp_path / "new")
    for archive, text in ((old, "'a'"), (new, note)):
        execute(
            archive,
            f"INSERT INTO gaps (source, opened_at, since, until, state, note) VALUES (1, 't', 't', 't', 'open', {text})",
        )
    assert [dict(table.columns) for table in compare(new, old).differing] == ([expected] if expected else [])


def test_every_table_is_evidence_or_a_log_or_derived(polled):
    known = {*diff_db.STORED, *diff_db.LOGS, *diff_db.DERIVED}
    found = {r["name"] for r in rows(polled, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {name for name in found if not name.startswith(("articles_fts", "sqlite_", "_sqlite_"))} == known


# --- processes killed after a record was written, before its row ------------------------------------------------------


class _KillingStore:
    """A WARC store that kills its process right after the record with number `at`."""

    def __init__(self, store, at):
        self._store, self._remaining = store, at

    def __getattr__(self, name):
        return getattr(self._store, name)

    def append(self, *args, **named):
        return self._counted(self._store.append(*args, **named))

    def note(self, *args, **named):
        return self._counted(self._store.note(*args, **named))

    def append_text(self, *args, **named):
        return self._counted(self._store.append_text(*args, **named))

    def _counted(self, result):
        self._remaining -= 1
        if not self._remaining:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def killed(archive, clock, at, work):
    """Run `work` in a process that is killed right after the record with number `at`; return whether it got there."""
    if (child := os.fork()) == 0:
        with working(archive, clock) as run:
            work(replace(run, warc=_KillingStore(run.warc, at)))
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


# The records: 1 robots.txt, 2 home page, 7-8 and 9-13 sections with further pages, 18-24 articles, 25 a failed request.
@pytest.mark.parametrize("at", [2, 9, 12, 18, 25])
def test_the_next_run_recovers_the_records_of_a_killed_one(archive, clock, tmp_path, at):
    log = tmp_path / "requests"

    def log_request(request, response):
        with log.open("a") as file:
            file.write(f"{request.path}\n")
        return response

    with small_site(clock, tuple(SEED_TEXTS)) as site:
        site.edit = log_request
        failing = site.fake_site.story(site.fake_site.ids()[0]).path
        site.fake_site.fault("error", failing, 3)
        assert killed(archive, clock, at, collect.poll)
        clock.advance(seconds=120)
        poll(archive, clock)
        paths = log.read_text().splitlines()
    assert len(paths) >= 25
    assert {path for path in paths if paths.count(path) > 1} <= {failing}
    assert value(archive, "SELECT count(*) FROM articles") >= 7
    assert value(archive, "SELECT count(*) FROM sources WHERE error LIKE 'further%'") == 0
    assert_rebuilt_equal(archive, clock)


def test_recovery_does_not_count_a_failed_visit_twice(archive, clock):
    with small_site(clock) as site:
        poll(archive, clock)
        post_id = site.fake_site.ids()[-1]
        site.fake_site.fault("error", site.fake_site.story(post_id).path)
        clock.advance(minutes=16)
        poll(archive, clock, everything=True)
        assert value(archive, "SELECT failures FROM pages WHERE id = ?", post_id) == 1
        for _ in range(2):
            with working(archive, clock) as run:
                assert replay.recover(run) == 0
        assert value(archive, "SELECT failures FROM pages WHERE id = ?", post_id) == 1


def test_recovery_completes_a_killed_import(archive, clock):
    def work(run):
        import_file(run, "à lire.txt", SEED_TEXTS["001"])

    assert killed(archive, clock, 1, work)
    with working(archive, clock) as run:
        assert value(archive, "SELECT count(*) FROM articles") == 0
        assert replay.recover(run) == 1
        assert replay.recover(run) == 0
    assert value(archive, "SELECT source_file FROM articles") == "à lire.txt"
    assert_rebuilt_equal(archive, clock)


def test_no_record_is_appended_behind_records_without_rows(archive, clock):
    """Recovery looks at the end of each file only. An import recovers nothing, so it starts a new file."""
    with small_site(clock):
        assert killed(archive, clock, 2, collect.poll)
        import_seeds(archive, clock, "001")
        assert value(archive, "SELECT file FROM raw").endswith("-001.warc.gz")
        with working(archive, clock) as run:
            assert replay.recover(run) > 0
    assert_intact(archive)


def test_recovery_skips_files_that_another_process_is_writing(archive, clock):
    with working(archive, clock) as one, working(archive, clock, command="backfill", role="backfill") as other:
        archive_response(one, fetched(url=f"{SITE}/?page=2"), Purpose.source(f"{SITE}/"))
        assert replay.recover(other) == 0
        one.warc.close()
        assert replay.recover(other) == 1


def test_one_process_at_a_time_recovers(archive, clock):
    with working(archive, clock) as run:
        archive_response(run, fetched(url=f"{SITE}/?page=2"), Purpose.source(f"{SITE}/"))
        to_child, from_child = os.pipe(), os.pipe()
        if (child := os.fork()) == 0:
            with storage.open_archive(archive) as opened, opened.claim(0) as claimed:
                os.write(from_child[1], b"1" if claimed else b"0")
                os.read(to_child[0], 1)
            os._exit(0)
        assert os.read(from_child[0], 1) == b"1"
        assert replay.recover(run) == 0
        os.write(to_child[1], b"x")
        os.waitpid(child, 0)
        assert replay.recover(run) == 1


def test_recovery_of_a_response_older_than_the_last_visit(archive, clock):
    """It gets its row in `raw`, but the rows of the page and of the source do not change."""
    with small_site(clock) as site:
        poll(archive, clock)
        post_id = site.fake_site.ids()[-1]
        before = rows(archive, "SELECT * FROM pages"), rows(archive, "SELECT * FROM sources")
        with working(archive, clock) as run:
            for purpose, url in ((f"page:{post_id}", f"{SITE}/a-post{post_id}.vnp"), (f"source:{SITE}/", f"{SITE}/")):
                run.warc.append(fetched(b"<p>", url=url, fetched_at=NOW - timedelta(hours=1)), purpose)
            run.warc.append(fetched(url=f"{SITE}/a-post77.vnp"), "page:77")
            run.warc.append(fetched(url=f"{SITE}/?page=9"), f"source:{SITE}/")
            assert replay.recover(run) == 4
        assert (rows(archive, "SELECT * FROM pages"), rows(archive, "SELECT * FROM sources")) == before
        assert value(archive, "SELECT count(*) FROM raw WHERE url LIKE '%page=9' OR url LIKE '%post77%'") == 2


def test_recovery_continues_a_list_that_was_cut_off(archive, clock):
    """The site asks for a pause in the middle of a section; the next run requests only the remaining pages."""
    with small_site(clock) as site:
        with working(archive, clock) as run:
            original, pages = run.fetcher.get, []

            def get(url, **named):
                if "page=" in url and (pages.append(url) or len(pages) == 2):
                    raise SitePaused("the site asked for a pause", "wait", clock.now())
                return original(url, **named)

            run.fetcher.get = get
            with pytest.raises(SitePaused):
                collect.poll(run)
            before = value(archive, "SELECT count(*) FROM raw")
        report = rebuild(archive, clock)
        assert (report.replayed.unfinished, report.differing) == (1, []), "left to the next run in both databases"
        shutil.rmtree(archive / "rebuilt")
        clock.advance(seconds=30)
        poll(archive, clock)
        assert value(archive, "SELECT count(*) FROM raw") > before
        assert [path for path in site.wire.paths if site.wire.count(path) > 1] == []
    assert_rebuilt_equal(archive, clock)


PURPOSES = [id_probe.purpose_of(77), Purpose.listing("sitemap", f"{SITE}/sitemaps/2021-03.xml")]


@pytest.mark.parametrize("purpose", PURPOSES, ids=["id probe", "sitemap of a backfill"])
def test_a_redirect_whose_target_was_not_archived(archive, clock, purpose):
    """The process was killed between the two appends: the redirect gets its row, and nothing else is stored."""
    moved = fetched(url=f"{SITE}/moved", status=301, reason="Moved", headers=(("Location", f"{SITE}/new"),))
    with mounted(clock), working(archive, clock) as run:
        run.warc.append(moved, str(purpose))
        run.warc.append(fetched(url=f"{SITE}/later", fetched_at=NOW + timedelta(minutes=1)), "page:78")
    report = rebuild(archive, clock)
    assert (report.replayed.bugs, report.replayed.visits, report.replayed.records) == (0, 1, 2)
    assert [row["status"] for row in rows(archive / "rebuilt", "SELECT status FROM raw ORDER BY id")] == [301, 200]


def test_many_damaged_sections_do_not_end_a_rebuild(archive, clock):
    """More than a batch of damaged sections, and then a record."""
    with working(archive, clock) as run:
        offsets = [run.warc.append(fetched(), "page:78").offset for _ in range(60)]
        good = run.warc.append(fetched(), "page:78")
        file = archive / "warc" / good.file
    data = bytearray(file.read_bytes())
    for offset in offsets:
        data[offset + 60] ^= 0xFF
    file.write_bytes(data)
    report = rebuild(archive, clock)
    assert report.replayed.damaged == 60
    assert (report.replayed.records, value(archive / "rebuilt", "SELECT max(offset) FROM raw")) == (1, good.offset)


# --- the order of the records -----------------------------------------------------------------------------------------


def record(minute, purpose, url="u", *, file="a", **changes):
    at = NOW + timedelta(minutes=minute)
    return replace(Record(url, at, 200, (), b"", RawRef(file, minute, 1, ""), "response", purpose=purpose), **changes)


def test_records_of_all_files_are_merged_in_the_order_of_writing():
    first = [record(0, "a0"), record(5, "a5"), record(3, "a3, after the clock was set back"), record(9, "a9")]
    second = [record(1, "b1"), Damage("b", 7, 1, "?", torn=False), record(6, "b6")]
    later = [
        record(1440, "c"),
        replace(record(-(10**6), "captured long ago"), written_at=NOW + timedelta(days=1, hours=1)),
    ]
    streams = [("20261122", later), ("20261121", first), ("20261121", second)]
    stream = RecordStream([FileStream(day, iter(records)) for day, records in streams])
    assert [getattr(item, "purpose", "damage") for item in stream] == [
        "a0", "b1", "damage", "a5", "a3, after the clock was set back", "b6", "a9", "c", "captured long ago",
    ]  # fmt: skip


def follow(stream, url):
    return [r.url for r in stream.follow(lambda r: r.url == url)]


def test_further_responses_are_found_in_the_same_file_or_in_the_next_one():
    """The process that wrote the first response continues in another file when its file is full or the day is over."""
    one = [record(0, "p", "1"), record(1, "robots", "r"), record(2, "p", "2"), record(3, "q", "4")]
    other = [record(1, "x", "5"), record(4, "p", "7")]
    next_day = [record(1441, "p", "8")]
    streams = [("20261121", one), ("20261121", other), ("20261122", next_day)]
    stream = RecordStream([FileStream(day, iter(records)) for day, records in streams])
    items = iter(stream)
    assert next(items).url == "1"
    assert follow(stream, "2") == ["r", "2"]
    assert follow(stream, "3") == []
    assert not stream.is_last()
    assert [next(items).url for _ in range(2)] == ["5", "4"]
    assert follow(stream, "7") == ["7"], "in another file of the same day"
    assert follow(stream, "8") == ["8"], "in the file of the next day"
    assert follow(stream, "9") == []
    assert stream.is_last()
    assert list(items) == []


@pytest.mark.parametrize(
    ("name", "day"),
    [("2026/11/vna-20261121-000.warc.gz", "20261121"), ("CC-NEWS-20210304.warc.gz", ""), ("x/vna-today.warc.gz", "")],
)
def test_the_day_in_the_name_of_a_file(name, day):
    assert day_of(name) == day


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("outcome: Unreachable\r\nerror: ConnectError: refused", "Unreachable", "ConnectError: refused"),
        ("outcome: BadStatus\r\nerror: HTTP status 500\r\nstatus: 500", "BadStatus", "HTTP status 500"),
        ("outcome: Throttled\r\nerror: HTTP status 429\r\nstatus: 429", "Throttled", "HTTP status 429"),
        ("outcome: Disallowed\r\nerror: disallowed by robots.txt", "Disallowed", "disallowed by robots.txt"),
        ("outcome: BodyTooLarge\r\nerror: over the limit", "BodyTooLarge", "over the limit"),
        ("outcome: FromTheFuture\r\nerror: a: b", "FetchError", "a: b"),
    ],
)
def test_a_recorded_failure_is_raised_again(body, kind, text):
    error = failure(record(0, "page:1", warc_type="metadata", body=body.encode()))
    assert (type(error).__name__, str(error), error.url) == (kind, text, "u")
    assert getattr(error, "status", 0) in (0, 429, 500)


@pytest.mark.parametrize(
    "error",
    [Unreachable(f"{SITE}/x", "ConnectError: refused"), BadStatus(f"{SITE}/x", 500), Throttled(f"{SITE}/x", 503), BodyTooLarge(f"{SITE}/x", "over")],
    ids=repr,
)  # fmt: skip
def test_a_failure_is_read_back_as_it_was_recorded(archive, clock, error):
    with working(archive, clock) as run:
        note_failure(run, error.url, error, Purpose.page(1))
        (name,) = run.warc.names()
        records = [item.record for item in run.warc.scan(name) if item.record is not None]
    found = failure(records[-1])
    assert (type(found), vars(found), str(found)) == (type(error), vars(error), str(error))


def test_the_message_of_a_failure_is_one_line():
    assert str(PageError("u", "a\n  b")) == "a b"


# --- the command ------------------------------------------------------------------------------------------------------


def command(archive, *words):
    return vna("--archive", archive, "--site", SITE, *words)


def test_the_command_compares_table_by_table(polled, tmp_path):
    archive = shutil.copytree(polled, tmp_path / "archive")
    done = command(archive, "rebuild")
    assert done.code == 0, done.out + done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert ["table", "kind", "old", "new", "differing", "only_old", "only_new", "where"] in lines
    assert [line[4] for line in lines if line[1:2] == ["evidence"]] == ["0"] * len(diff_db.EVIDENCE)
    assert (archive / "rebuilt" / FILE).exists()
    assert command(archive / "rebuilt", "status").code == 0, "the new folder is an archive like any other"
    refused = command(archive, "rebuild")
    assert (refused.code, "already holds a database" in refused.err) == (1, True)
    assert (archive / "rebuilt" / FILE).exists()


def test_the_new_database_replaces_the_old_one(polled, tmp_path):
    archive = shutil.copytree(polled, tmp_path / "archive")
    execute(archive, "UPDATE articles SET title = 'x'")
    done = command(archive, "rebuild", "--replace", "--json")
    assert (done.code, '"title": ' in done.out, "the database was replaced" in done.err) == (5, True, True)
    assert value(archive, "SELECT count(*) FROM articles WHERE title = 'x'") == 0
    (old,) = archive.glob(f"{FILE}.before-*Z")
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("SELECT count(*) FROM articles WHERE title <> 'x'").fetchone() == (0,)
    assert not (archive / "rebuilt").exists()
    assert_intact(archive)


def test_a_rebuild_that_was_killed_before_it_replaced_the_database_can_be_repeated(polled, tmp_path):
    archive = shutil.copytree(polled, tmp_path / "archive")
    assert command(archive, "rebuild").code == 0
    (archive / "rebuilt" / f"{FILE}-wal").write_bytes(b"of the killed process")
    chosen = command(archive, "rebuild", "--replace", "--into", archive / "rebuilt")
    assert (chosen.code, "already holds a database" in chosen.err) == (1, True), "a folder that the user chose"
    assert command(archive, "rebuild", "--replace").code == 0
    assert not (archive / "rebuilt").exists()
    assert_intact(archive)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
def test_a_file_of_another_database_is_neither_deleted_nor_left_beside_the_new_one(polled, tmp_path, suffix):
    archive, into = shutil.copytree(polled, tmp_path / "archive"), tmp_path / "into"
    into.mkdir()
    (into / f"{FILE}{suffix}").write_bytes(b"of another database")
    refused = command(archive, "rebuild", "--into", into)
    assert (refused.code, "already holds a database" in refused.err) == (1, True)
    assert (into / f"{FILE}{suffix}").read_bytes() == b"of another database"


def test_a_new_database_that_lacks_articles_replaces_nothing(polled, tmp_path):
    archive = shutil.copytree(polled, tmp_path / "archive")
    with WarcStore(archive / "warc") as store:
        (name,) = store.names()
    offset = value(archive, "SELECT r.offset FROM raw r JOIN articles a ON a.raw_id = r.id ORDER BY a.id LIMIT 1")
    damaged = bytearray((archive / "warc" / name).read_bytes())
    damaged[offset + 100] ^= 0xFF
    (archive / "warc" / name).write_bytes(damaged)
    done = command(archive, "rebuild", "--replace")
    assert (done.code, "1 damaged section of" in done.out) == (5, True)
    assert "articles: 1 row only in the old database" in done.err
    assert list(archive.glob(f"{FILE}.before-*")) == []


@pytest.mark.parametrize("old", ["missing", "garbage", "empty"])
def test_a_rebuild_without_a_readable_old_database(polled, tmp_path, old):
    archive = shutil.copytree(polled, tmp_path / "archive")
    held = value(archive, "SELECT count(*) FROM articles")
    (archive / FILE).unlink()
    if old == "garbage":
        (archive / FILE).write_bytes(b"no database " * 1000)
    if old == "empty":
        (archive / FILE).touch()
        assert command(archive, "rebuild").code == 0
        assert (archive / FILE).stat().st_size == 0
    done = command(archive, "rebuild", "--replace")
    assert done.code == 0, done.err
    assert ("not compared" in done.out) == (old == "garbage")
    assert value(archive, "SELECT count(*) FROM articles") == held
    assert len(list(archive.glob(f"{FILE}.before-*Z"))) == (old != "missing")
    assert_intact(archive)


def test_a_rebuild_that_fails_leaves_the_folder_unchanged(polled, tmp_path, clock):
    with pytest.raises(StorageError, match="no WARC files"):
        rebuild(tmp_path / "nothing", clock)
    assert not (tmp_path / "nothing").exists()
    archive = shutil.copytree(polled, tmp_path / "archive")
    with working(archive, clock), pytest.raises(AlreadyRunning):
        rebuild(archive, clock)
    with (
        pytest.raises(Interrupted),
        app.rebuilding(configured(archive), archive / "rebuilt", RecordedProgress(), clock=clock) as run,
    ):
        replay.rebuild(replace(run, stopping=lambda: True), archive / FILE)
    assert not (archive / "rebuilt").exists(), "a folder that the rebuild created is removed"
    existing = tmp_path / "existing"
    existing.mkdir()
    (existing / "a file of the user").touch()
    with pytest.raises(Interrupted), app.rebuilding(configured(archive), existing, RecordedProgress(), clock=clock):
        raise Interrupted("stop")
    assert (existing / "a file of the user").exists()
    assert not (existing / FILE).exists()
