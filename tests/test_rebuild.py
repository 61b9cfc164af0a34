"""The database made anew from the WARC files, and what a killed process left over: the same rows, no second request."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import date, timedelta

import pytest
from support import (
    NOW,
    SEED_ARTICLES,
    SEED_TEXTS,
    SITE,
    FakeClock,
    Watch,
    fetched,
    intact,
    mounted,
    poll,
    rows,
    settled,
    value,
    vna,
    working,
)
from test_captures import capture_of, take

from crawler import app, backfill, lexicon, pipeline, replay, storage
from crawler.errors import AlreadyRunning, Interrupted, PageError, SitePaused, StorageError
from crawler.pipeline.run import recorded
from crawler.plans import Asked
from crawler.replay.record_stream import Reel, Strip, day_of
from crawler.replay.replayed_io import failure
from crawler.sim.site import Options
from crawler.sim.site.story import SECTIONS
from crawler.storage import FILE, diff_db
from crawler.types import RawRef
from crawler.warc import Damage, Record, WarcStore

#: the children of these forks do nothing with threads
pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


def rebuilt(archive, clock):
    with app.rebuilding(settled(archive), archive / "rebuilt", Watch(), clock=clock) as context:
        return replay.rebuild(context, archive / FILE)


def equal(archive, clock, *, numbers=True):
    """Rebuild and say that every row is the same, with its number."""
    made = rebuilt(archive, clock)
    assert [(t.table, t.only_old, t.only_new, t.changed, dict(t.columns)) for t in made.differing] == []
    assert not numbers or {t.table: t.renumbered for t in made.tables if t.renumbered} == {}
    assert (made.played.damaged, made.unread) == (0, None)
    intact(archive / "rebuilt")
    return made


def imported(archive, clock, *names):
    with working(archive, clock, command="import", role="text") as context:
        for name in names:
            pipeline.import_file(context, f"{name} à lire.txt", SEED_TEXTS[name])


@contextmanager
def small(clock, **options):
    """A site of two sections with the five seeds and three new articles."""
    seeds = {article.title for article in SEED_ARTICLES.values()}
    chosen = Options(section_size=2, no_api=True, sections=SECTIONS[:2], **options)
    with mounted(clock, articles=2, options=chosen) as site:
        site.replica.publish(1)
        new = site.replica.ids()[-3:]
        for post_id in site.replica.ids():
            if post_id not in new and site.replica.story(post_id).title not in seeds:
                site.replica.unpublish(post_id)
        yield site


def change(archive, sql):
    with closing(sqlite3.connect(archive / FILE)) as db, db:
        db.execute(sql)


# --- the same rows ----------------------------------------------------------------------------------------------------


def test_a_bug_over_one_answer_keeps_no_other_from_being_taken_in(archive, clock, monkeypatch, tmp_path):
    with small(clock) as site:
        poll(archive, clock)
        imported(archive, clock, "002")
        poisoned = max(site.replica.ids())
        take(archive, clock, capture_of(site, poisoned, tmp_path))
    title = value(archive, "SELECT title FROM articles WHERE id = ?", poisoned)

    def broken(words):
        really = repairer(words)

        def repair(article):
            if article.title == title:
                raise IndexError("list index out of range")
            return really(article)

        return repair

    repairer = app.repairer
    monkeypatch.setattr(app, "repairer", broken)
    made = rebuilt(archive, clock)
    assert (made.played.bugs, type(made.bug)) == (2, IndexError)
    found = {t.table: (t.only_old, t.only_new) for t in made.differing}
    assert found["articles"] == (1, 0)
    assert not found.keys() & {"raw", "sources"}, "the answer has its row, and what names the article, too"
    shutil.rmtree(archive / "rebuilt")
    done = command(archive, "rebuild", "--replace")
    assert done.code == 5
    assert "IndexError: list index out of range" in done.err
    assert "a bug kept 2 visits from being taken in" in done.err
    assert "not replaced: 1 rows of articles" in done.err
    shutil.rmtree(archive / "rebuilt")
    monkeypatch.undo()
    equal(archive, clock)


def test_days_of_trouble(archive, clock):
    imported(archive, clock, "001", "002")
    with small(clock, validators=True, overlap=5) as site:
        poll(archive, clock)
        first, second, third, fourth, *_ = sorted(site.replica.ids(), reverse=True)
        clock.advance(minutes=50)
        site.replica.revise(first)
        site.replica.unpublish(second, 404)
        site.replica.unpublish(third, 302)
        site.replica.fault("error", site.replica.story(fourth).path, 4)
        site.replica.fault("truncate", "/rss/*", 4)
        site.replica.fault("throttle", "/economie*", 2)
        poll(archive, clock, everything=True)
        imported(archive, clock, "001", "003")
        for hours in (1, 6, 20):
            clock.advance(hours=hours)
            site.replica.publish(6)
            site.replica.fault("block", "/politique/*", 1)
            site.replica.fault("error", "*page*", 3)
            poll(archive, clock)
        site.replica.redesign()
        clock.advance(days=1)
        site.replica.publish(2)
        poll(archive, clock)
    made = equal(archive, clock)
    assert (made.played.unasked, made.played.unfinished) == (0, 0)

    def many(sql):
        return value(archive, f"SELECT count(*) FROM {sql}")

    assert many("revisions WHERE revision > 1") > 0
    assert {r["state"] for r in rows(archive, "SELECT state FROM pages")} >= {"live", "gone", "drift"}
    assert many("raw WHERE status = 304") > 0
    assert many("raw WHERE status IN (301, 302)") > 0, "redirects"
    assert many("raw WHERE purpose LIKE 'source:%' AND purpose <> 'source:' || url AND status = 200") > 0, "walks"
    assert many("fetches WHERE status IS NULL OR status >= 429") > 5, "failures"
    assert many("duplicates") == 3
    assert many("gaps") > 0
    assert value(archive / "rebuilt", "SELECT count(*) FROM fetches") == many("fetches"), "the log is taken over"


def test_a_backfill_and_captures_of_others(archive, clock, tmp_path):
    with small(clock, history=2) as site:
        theirs = capture_of(site, site.replica.ids()[3], tmp_path)
        missing = site.replica.ids()[-2]
        site.replica.hide(missing)
        poll(archive, clock)
        take(archive, clock, theirs)
        with working(archive, clock, command="backfill", role="backfill") as context, recorded(context, "backfill"):
            for via in ("sitemap", "ids"):
                backfill.begin(context, Asked(via, date(2026, 11, 1), date(2026, 11, 21)), until_given=True)
                while backfill.advance(context):
                    pass
        take(archive, clock, theirs)
    made = equal(archive, clock)
    assert made.played.captures == 1
    assert value(archive / "rebuilt", "SELECT state FROM pages WHERE id = ?", missing) == "live"
    assert value(archive, "SELECT count(*) FROM pages WHERE state = 'absent'") > 0
    assert value(archive / "rebuilt", "SELECT count(*) FROM plan_pages") > 0, "plans are taken over"


def test_two_processes_at_once(archive, clock):
    """Their numbers come in the order of their commits, which no file tells; everything else is the same."""
    with small(clock) as site, working(archive, clock) as one:
        with working(archive, clock, command="backfill", role="backfill") as other, recorded(other, "backfill"):
            backfill.begin(other, Asked("sitemap", date(2025, 1, 1), date(2026, 11, 21)), until_given=True)
            backfill.advance(other)
            poll_one = replace(one, stopping=lambda: not backfill.advance(other) and False)
            pipeline.poll(poll_one)
        assert len(set(site.wire.paths)) > 20
    assert value(archive, "SELECT count(DISTINCT file) FROM raw") == 2
    equal(archive, clock, numbers=False)


def test_answers_without_a_purpose(archive, clock):
    """Version 0.1 did not write it down; addresses tell."""
    with small(clock):
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
    made = rebuilt(archive, clock)
    assert made.tables == []
    assert rows(archive / "rebuilt", "SELECT id, title, published_at, first_seen_at FROM articles") == held
    assert value(archive / "rebuilt", "SELECT count(*) FROM sources WHERE state = 'ok'") == 10


# --- what the comparison sees -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def polled(tmp_path_factory):
    """An archive after one poll, to copy; read with the lexicon that the command uses."""
    folder, clock = tmp_path_factory.mktemp("polled") / "archive", FakeClock()
    with small(clock), app.working(settled(folder), "poll", Watch(), clock=clock, lexicon=lexicon.load()) as context:
        pipeline.poll(context)
    return folder


def compared(folder, old):
    with storage.open_archive(folder) as new, diff_db.beside(new.db, old / FILE), new.transaction():
        return replay.Rebuilt(tables=diff_db.compare(new.db))


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
    ids=["a text", "a reference", "a row less", "a row more", "a due time", "rows less", "a gap"],
)  # fmt: skip
def test_a_row_that_the_evidence_does_not_give(polled, tmp_path, table, sql, expected):
    old = shutil.copytree(polled, tmp_path / "old")
    change(old, sql)
    made = compared(shutil.copytree(polled, tmp_path / "new"), old)
    (found,) = made.differing
    assert found.table == table
    if expected:
        assert (found.only_old, found.only_new, found.changed, dict(found.columns)) == expected
    else:
        assert found.only_new == found.differing > 0
    assert made.lost == []


def test_numbers_may_differ_where_what_they_stand_for_is_the_same(polled, tmp_path):
    old = shutil.copytree(polled, tmp_path / "old")
    with closing(sqlite3.connect(old / FILE)) as db, db:
        for table, columns in (("raw", ("articles.raw_id", "articles.last_raw_id", "revisions.raw_id", "pages.raw_id")),
                               ("sources", ("rhythms.source", "appearances.source", "gaps.source"))):  # fmt: skip
            db.execute(f"UPDATE {table} SET id = id + 1000")
            for column in columns:
                owner, name = column.split(".")
                db.execute(f"UPDATE {owner} SET {name} = {name} + 1000")
    made = compared(shutil.copytree(polled, tmp_path / "new"), old)
    assert made.differing == []
    assert {t.table: t.renumbered == t.new for t in made.tables if t.renumbered} == {"raw": True, "sources": True}


def test_every_table_is_evidence_or_a_log_or_derived(polled):
    known = {*diff_db.EVIDENCE, *diff_db.LOGS, *diff_db.DERIVED}
    found = {r["name"] for r in rows(polled, "SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {name for name in found if not name.startswith(("articles_fts", "sqlite_", "_sqlite_"))} == known


# --- killed between the evidence and the rows ---------------------------------------------------------------------------


class _Dying:
    """A store whose process is killed right after it has written a record."""

    def __init__(self, store, at):
        self._store, self._left = store, at

    def __getattr__(self, name):
        return getattr(self._store, name)

    def append(self, *args, **named):
        return self._counted(self._store.append(*args, **named))

    def note(self, *args, **named):
        return self._counted(self._store.note(*args, **named))

    def keep_text(self, *args, **named):
        return self._counted(self._store.keep_text(*args, **named))

    def _counted(self, result):
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def killed(archive, clock, at, work):
    """Do some work in a process of its own, which is killed at the record of that number; say whether it was."""
    if (child := os.fork()) == 0:
        with working(archive, clock) as context:
            work(replace(context, warc=_Dying(context.warc, at)))
        os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


# 1 robots.txt, 2 home page, 7-8 and 9-13 a section with its further pages, 18 ... articles, the last one failing
@pytest.mark.parametrize("at", [2, 9, 12, 18, 25])
def test_killed_at_a_record_and_started_again(archive, clock, tmp_path, at):
    asked = tmp_path / "asked"

    def note(request, response):
        with asked.open("a") as file:
            file.write(f"{request.path}\n")
        return response

    with small(clock) as site:
        site.edit = note
        failing = site.replica.story(site.replica.ids()[0]).path
        site.replica.fault("error", failing, 3)
        assert killed(archive, clock, at, pipeline.poll)
        clock.advance(seconds=120)
        poll(archive, clock)
        paths = asked.read_text().splitlines()
    assert len(paths) >= 25
    assert {path for path in paths if paths.count(path) > 1} <= {failing}
    assert value(archive, "SELECT count(*) FROM articles") >= 7
    assert value(archive, "SELECT count(*) FROM sources WHERE error LIKE 'further%'") == 0
    equal(archive, clock)


def test_a_failed_visit_that_was_noted_is_not_counted_twice(archive, clock):
    with small(clock) as site:
        poll(archive, clock)
        post_id = site.replica.ids()[-1]
        site.replica.fault("error", site.replica.story(post_id).path)
        clock.advance(minutes=16)
        poll(archive, clock, everything=True)
        assert value(archive, "SELECT failures FROM pages WHERE id = ?", post_id) == 1
        for _ in range(2):
            with working(archive, clock) as context:
                assert replay.recover(context) == 0
        assert value(archive, "SELECT failures FROM pages WHERE id = ?", post_id) == 1


def test_an_import_that_was_cut_off(archive, clock):
    def work(context):
        pipeline.import_file(context, "à lire.txt", SEED_TEXTS["001"])

    assert killed(archive, clock, 1, work)
    with working(archive, clock) as context:
        assert value(archive, "SELECT count(*) FROM articles") == 0
        assert replay.recover(context) == 1
        assert replay.recover(context) == 0
    assert value(archive, "SELECT source_file FROM articles") == "à lire.txt"
    equal(archive, clock)


def test_nobody_writes_behind_what_is_left_over(archive, clock):
    """An import takes nothing in, and hides nothing either."""
    with small(clock):
        assert killed(archive, clock, 2, pipeline.poll)
        imported(archive, clock, "001")
        assert value(archive, "SELECT file FROM raw").endswith("-001.warc.gz")
        with working(archive, clock) as context:
            assert replay.recover(context) > 0
    intact(archive)


def test_what_another_process_is_writing_is_left_to_it(archive, clock):
    with working(archive, clock) as one, working(archive, clock, command="backfill", role="backfill") as other:
        one.keep(fetched(url=f"{SITE}/?page=2"), f"source:{SITE}/")
        assert replay.recover(other) == 0
        one.warc.close()
        assert replay.recover(other) == 1


def test_one_process_at_a_time_takes_in(archive, clock):
    with working(archive, clock) as context:
        context.keep(fetched(url=f"{SITE}/?page=2"), f"source:{SITE}/")
        ours, theirs = os.pipe(), os.pipe()
        if (child := os.fork()) == 0:
            with storage.open_archive(archive) as opened, opened.claim(0) as claimed:
                os.write(theirs[1], b"1" if claimed else b"0")
                os.read(ours[0], 1)
            os._exit(0)
        assert os.read(theirs[0], 1) == b"1"
        assert replay.recover(context) == 0
        os.write(ours[1], b"x")
        os.waitpid(child, 0)
        assert replay.recover(context) == 1


def test_an_answer_older_than_its_row_is_a_row_and_no_visit(archive, clock):
    with small(clock) as site:
        poll(archive, clock)
        post_id = site.replica.ids()[-1]
        before = rows(archive, "SELECT * FROM pages"), rows(archive, "SELECT * FROM sources")
        with working(archive, clock) as context:
            for purpose, url in ((f"page:{post_id}", f"{SITE}/a-post{post_id}.vnp"), (f"source:{SITE}/", f"{SITE}/")):
                context.warc.append(fetched(b"<p>", url=url, fetched_at=NOW - timedelta(hours=1)), purpose)
            context.warc.append(fetched(url=f"{SITE}/a-post77.vnp"), "page:77")
            context.warc.append(fetched(url=f"{SITE}/?page=9"), f"source:{SITE}/")
            assert replay.recover(context) == 4
        assert (rows(archive, "SELECT * FROM pages"), rows(archive, "SELECT * FROM sources")) == before
        assert value(archive, "SELECT count(*) FROM raw WHERE url LIKE '%page=9' OR url LIKE '%post77%'") == 2


def test_a_walk_that_the_site_paused_goes_on_where_it_was(archive, clock):
    with small(clock) as site:
        with working(archive, clock) as context:
            get, pages = context.fetcher.get, []

            def until_a_further_page(url, **named):
                if "page=" in url and (pages.append(url) or len(pages) == 2):
                    raise SitePaused("it asked for patience", "later", clock.now())
                return get(url, **named)

            context.fetcher.get = until_a_further_page
            with pytest.raises(SitePaused):
                pipeline.poll(context)
            cut = value(archive, "SELECT count(*) FROM raw")
        made = rebuilt(archive, clock)
        assert (made.played.unfinished, made.differing) == (1, []), "left for the next run, as in the old one"
        shutil.rmtree(archive / "rebuilt")
        clock.advance(seconds=30)
        poll(archive, clock)
        assert value(archive, "SELECT count(*) FROM raw") > cut
        assert [path for path in site.wire.paths if site.wire.count(path) > 1] == []
    equal(archive, clock)


# --- one visit --------------------------------------------------------------------------------------------------------


def record(minute, purpose, url="u", *, file="a", **changes):
    at = NOW + timedelta(minutes=minute)
    return replace(Record(url, at, 200, (), b"", RawRef(file, minute, 1, ""), "response", purpose=purpose), **changes)


def test_records_of_all_files_come_in_the_order_of_writing():
    first = [record(0, "a0"), record(5, "a5"), record(3, "a3, after the clock was set back"), record(9, "a9")]
    second = [record(1, "b1"), Damage("b", 7, 1, "?", torn=False), record(6, "b6")]
    later = [
        record(1440, "c"),
        replace(record(-(10**6), "captured long ago"), written_at=NOW + timedelta(days=1, hours=1)),
    ]
    reel = Reel([Strip("20261122", iter(later)), Strip("20261121", iter(first)), Strip("20261121", iter(second))])
    assert [getattr(item, "purpose", "damage") for item in reel] == [
        "a0", "b1", "damage", "a5", "a3, after the clock was set back", "b6", "a9", "c", "captured long ago",
    ]  # fmt: skip


def follow(reel, url):
    return [r.url for r in reel.follow(lambda r: r.url == url)]


def test_further_answers_come_from_the_file_of_the_first_or_where_the_process_went_on():
    here = [record(0, "p", "1"), record(1, "robots", "r"), record(2, "p", "2"), record(3, "q", "4")]
    beside = [record(1, "x", "5"), record(4, "p", "7")]
    reel = Reel(
        [
            Strip("20261121", iter(here)),
            Strip("20261121", iter(beside)),
            Strip("20261122", iter([record(1441, "p", "8")])),
        ]
    )
    items = iter(reel)
    assert next(items).url == "1"
    assert follow(reel, "2") == ["r", "2"]
    assert follow(reel, "3") == []
    assert not reel.is_last()
    assert [next(items).url for _ in range(2)] == ["5", "4"]
    assert follow(reel, "7") == ["7"], "in another file of the day"
    assert follow(reel, "8") == ["8"], "in the next day's file"
    assert follow(reel, "9") == []
    assert reel.is_last()
    assert list(items) == []


@pytest.mark.parametrize(
    ("name", "day"),
    [("2026/11/vna-20261121-000.warc.gz", "20261121"), ("CC-NEWS-20210304.warc.gz", ""), ("x/vna-today.warc.gz", "")],
)
def test_the_day_of_a_file(name, day):
    assert day_of(name) == day


@pytest.mark.parametrize(
    ("body", "kind", "text"),
    [
        ("outcome: Unreachable\r\nerror: ConnectError: refused", "Unreachable", "ConnectError: refused"),
        ("outcome: BadStatus\r\nerror: HTTP status 500\r\nstatus: 500", "BadStatus", "HTTP status 500"),
        ("outcome: Throttled\r\nerror: HTTP status 429\r\nstatus: 429", "Throttled", "HTTP status 429"),
        ("outcome: Disallowed\r\nerror: robots.txt does not allow it", "Disallowed", "robots.txt does not allow it"),
        ("outcome: BodyTooLarge\r\nerror: over the cap", "BodyTooLarge", "over the cap"),
        ("outcome: FromTheFuture\r\nerror: a: b", "FetchError", "a: b"),
    ],
)
def test_a_failure_is_the_same_failure_again(body, kind, text):
    error = failure(record(0, "page:1", warc_type="metadata", body=body.encode()))
    assert (type(error).__name__, str(error), error.url) == (kind, text, "u")
    assert getattr(error, "status", 0) in (0, 429, 500)


def test_a_failure_is_one_line():
    assert str(PageError("u", "a\n  b")) == "a b"


# --- the folder, and the command --------------------------------------------------------------------------------------


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
    assert command(archive / "rebuilt", "status").code == 0, "it is an archive like any other"
    refused = command(archive, "rebuild")
    assert (refused.code, "holds a database already" in refused.err) == (1, True)
    assert (archive / "rebuilt" / FILE).exists()


def test_the_new_database_in_the_place_of_the_old(polled, tmp_path):
    archive = shutil.copytree(polled, tmp_path / "archive")
    change(archive, "UPDATE articles SET title = 'x'")
    done = command(archive, "rebuild", "--replace", "--json")
    assert (done.code, '"title": ' in done.out, "in its place" in done.err) == (5, True, True)
    assert value(archive, "SELECT count(*) FROM articles WHERE title = 'x'") == 0
    (aside,) = archive.glob(f"{FILE}.before-*Z")
    with closing(sqlite3.connect(aside)) as db:
        assert db.execute("SELECT count(*) FROM articles WHERE title <> 'x'").fetchone() == (0,)
    assert not (archive / "rebuilt").exists()
    intact(archive)


def test_a_new_database_that_lacks_articles_takes_no_place(polled, tmp_path):
    archive = shutil.copytree(polled, tmp_path / "archive")
    with WarcStore(archive / "warc") as store:
        (name,) = store.names()
    page = value(archive, "SELECT r.offset FROM raw r JOIN articles a ON a.raw_id = r.id ORDER BY a.id LIMIT 1")
    damaged = bytearray((archive / "warc" / name).read_bytes())
    damaged[page + 100] ^= 0xFF
    (archive / "warc" / name).write_bytes(damaged)
    done = command(archive, "rebuild", "--replace")
    assert (done.code, "1 damaged stretches" in done.out) == (5, True)
    assert "not replaced: 1 rows of articles" in done.err
    assert list(archive.glob(f"{FILE}.before-*")) == []


@pytest.mark.parametrize("old", ["missing", "garbage"])
def test_without_a_database_that_can_be_read(polled, tmp_path, old):
    archive = shutil.copytree(polled, tmp_path / "archive")
    held = value(archive, "SELECT count(*) FROM articles")
    (archive / FILE).unlink()
    if old == "garbage":
        (archive / FILE).write_bytes(b"no database " * 1000)
    done = command(archive, "rebuild", "--replace")
    assert done.code == 0, done.err
    assert ("not compared" in done.out) == (old == "garbage")
    assert value(archive, "SELECT count(*) FROM articles") == held
    assert len(list(archive.glob(f"{FILE}.before-*Z"))) == (old == "garbage")
    intact(archive)


def test_what_cannot_be_done(polled, tmp_path, clock):
    with pytest.raises(StorageError, match="no WARC files"):
        rebuilt(tmp_path / "nothing", clock)
    assert not (tmp_path / "nothing").exists()
    archive = shutil.copytree(polled, tmp_path / "archive")
    with working(archive, clock), pytest.raises(AlreadyRunning):
        rebuilt(archive, clock)
    with (
        pytest.raises(Interrupted),
        app.rebuilding(settled(archive), archive / "rebuilt", Watch(), clock=clock) as context,
    ):
        replay.rebuild(replace(context, stopping=lambda: True), archive / FILE)
    assert not (archive / "rebuilt").exists(), "it is as it was before"
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "a letter").touch()
    with pytest.raises(Interrupted), app.rebuilding(settled(archive), mine, Watch(), clock=clock) as context:
        raise Interrupted("stop")
    assert (mine / "a letter").exists()
    assert not (mine / FILE).exists()
