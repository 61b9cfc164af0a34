"""`vna verify` compares rows with what the WARC files give, and WARC records with their seals."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import sqlite3
import zlib
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
from support import (
    NOW,
    SEED_TEXTS,
    SITE,
    FakeClock,
    RecordedProgress,
    configured,
    fetched,
    mounted,
    poll,
    rows,
    sealed,
    take_back_to_schema_7,
    value,
    vna,
    working,
)

from crawler import app, merkle, replay
from crawler.errors import SitePaused, WarcError
from crawler.pipeline import captures, import_file
from crawler.purpose import Purpose
from crawler.repair import GLUE
from crawler.repair.edits import apply
from crawler.replay import Recomputation, Seals, recover
from crawler.sim.site import Options, SiteRequest
from crawler.sim.site.story import SECTIONS
from crawler.storage import FILE, open_archive, replace_db
from crawler.types import Reading, Repair
from crawler.warc import WarcStore
from crawler.warc.seals import check_seals

PLAIN = app.repairer(None)


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    """An archive of two days with a revision, a removal, a reissue, an imported text, an imported capture and a seal for
    each day.
    """
    folder, clock = tmp_path_factory.mktemp("intact") / "archive", FakeClock()
    small = Options(section_size=2, no_api=True, sections=SECTIONS[:1])
    with mounted(clock, articles=3, options=small) as site:
        other = min(site.fake_site.ids())
        held = sorted(site.fake_site.ids())[-8:]
        old_page = site.fake_site.respond(SiteRequest("GET", f"/x-post{other}.vnp")).decoded
        for post_id in site.fake_site.ids():
            if post_id not in {other, *held}:
                site.fake_site.unpublish(post_id)
        with working(folder, clock, command="import", role="text") as run:
            import_file(run, "texte.txt", SEED_TEXTS["002"])
            old = {"url": f"{SITE}/x-post{other}.vnp", "fetched_at": NOW - timedelta(days=700), "request_headers": ()}
            capture = fetched(old_page, **old)
            ref = run.warc.append(capture, str(captures.purpose(other)), origin="x.warc", written_at=clock.now())
            assert captures.store_capture(run, capture, ref, "x.warc", clock.now()) == "new"
        poll(folder, clock)
        sealed(folder, clock)
        clock.advance(days=1)
        site.fake_site.revise(held[0], text="Le texte a changé. Il est plus court.")
        site.fake_site.unpublish(held[1], 404)
        site.fake_site.copy(held[2])
        poll(folder, clock, everything=True)
        sealed(folder, clock)
    return folder


@pytest.fixture
def archive(intact, tmp_path):
    return shutil.copytree(intact, tmp_path / "archive")


def verified(folder, *, repair=PLAIN, has_lexicon=False, **options):
    with (
        open_archive(folder) as opened,
        WarcStore(folder / "warc") as warc,
        app.replaying(configured(folder), RecordedProgress(), clock=FakeClock()) as run,
    ):
        recomputation = Recomputation(replace(run, repair=repair), PLAIN, has_lexicon=has_lexicon)
        return replay.verify(
            opened, warc, RecordedProgress(), recomputation=recomputation, seals=Seals(folder), **options
        )


def change(folder, *statements):
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        for sql in statements:
            db.execute(sql)


def article(number):
    """Return an SQL expression for the id of a fetched article; number 0 is the newest one."""
    return f"(SELECT id FROM articles WHERE id > 0 ORDER BY id DESC LIMIT 1 OFFSET {number})"


REVISED = "(SELECT article FROM revisions WHERE revision = 2)"
GONE = "(SELECT article FROM states)"
SOURCE = "(SELECT min(source) FROM rhythms)"
COPY = "(SELECT article FROM similar)"
HASH = f"(SELECT min(hash) FROM passage_hashes WHERE article = {article(3)})"
#: Changes of different rows: the statement, the table, the id of the row, and what the fault and its advice say.
CHANGES = {
    "a text": (f"UPDATE articles SET own_text = 'x' WHERE id = {article(0)}", "articles", article(0), "text", "rebuild --replace"),
    "a repaired text": (f"UPDATE articles SET own_clean = 'x' WHERE id = {article(1)}", "articles", article(1), "clean", "rebuild --replace"),
    "JSON that cannot be read": (f"UPDATE articles SET problems = '[x' WHERE id = {article(2)}", "articles", article(2), "problems", "rebuild --replace"),
    "an old revision": (f"UPDATE revisions SET title = 'x' WHERE article = {REVISED} AND revision = 1", "revisions", REVISED, "title", "rebuild --replace"),
    "a story under no article": ("INSERT INTO related_stories (id, title, summary) VALUES (424242, 'x', '')", "related_stories", "424242", "no version", "rebuild --replace"),
    "a story": ("UPDATE related_stories SET summary = 'x' WHERE id = (SELECT story FROM related_links LIMIT 1)", "related", "(SELECT article FROM related_links LIMIT 1)", "summary", "rebuild --replace"),
    "a removal hidden": (f"UPDATE articles SET state = 'live' WHERE id = {GONE}", "articles", GONE, "state", "rebuild --replace"),
    "images deleted": (f"DELETE FROM images WHERE article = {article(3)}", "images", article(3), "lacks it", "rebuild --replace"),
    "a tag invented": (f"INSERT INTO tags VALUES ({article(3)}, 99, 'x')", "tags", article(3), "give no such row", "rebuild --replace"),
    "a page invented": ("INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (9, 'u', 'known', 't', 's')", "pages", "9", "give no such row", "--accept-loss"),
    "the indexed text": (f"UPDATE articles_folded SET text = 'x' WHERE id = {article(3)}", "articles_folded", article(3), "text", "rebuild --replace"),
    "a sighting": (f"UPDATE sightings SET first_seen_at = 'x' WHERE page = {article(4)}", "sightings", article(4), "first_seen_at", "rebuild --replace"),
    "a due time": (f"UPDATE pages SET next_due_at = NULL WHERE id = {article(4)}", "pages", article(4), "next_due_at", "[poll]"),
    "a publication rate": (f"UPDATE rhythms SET items = 99 WHERE source = {SOURCE}", "rhythms", SOURCE, "items", "rebuild --replace"),
    "the time from which a revision was known": (f"UPDATE revisions SET known_at = '2020-01-01T00:00:00Z' WHERE article = {REVISED} AND revision = 2", "revisions", REVISED, "known_at", "rebuild --replace"),
    "a passage hash deleted": (f"DELETE FROM passage_hashes WHERE hash = {HASH} AND article = {article(3)}", "passage_hashes", HASH, "lacks it", "rebuild --replace"),
    "a passage hash invented": (f"INSERT INTO passage_hashes VALUES (7, {article(3)})", "passage_hashes", "'hash 7, '", "give no such row", "rebuild --replace"),
    "the kind of similar articles": (f"UPDATE similar SET kind = 'extends' WHERE article = {COPY}", "similar", COPY, "kind", "rebuild --replace"),
    "similar articles invented": (f"INSERT INTO similar VALUES ({article(2)}, {article(4)}, 'reissue', 1, 'x')", "similar", article(4), "give no such row", "rebuild --replace"),
    "the date of a capture": ("UPDATE raw SET fetched_at = '2020-01-01T00:00:00Z' WHERE id = 3", "raw", "(SELECT offset FROM raw WHERE id = 3)", "fetched_at", "--accept-loss"),
    "an older parser": (f"UPDATE articles SET parser = 0, lead = 'x' WHERE id = {article(5)}", "articles", article(5), "rows", "vna reparse"),
}  # fmt: skip


@pytest.fixture(scope="module")
def changed(intact, tmp_path_factory):
    """The archive with all changes of `CHANGES`, and what a check of it finds."""
    folder = shutil.copytree(intact, tmp_path_factory.mktemp("changed") / "archive")
    ids = {name: value(folder, f"SELECT {sql}") for name, (_, _, sql, *_) in CHANGES.items()}
    change(folder, *(statement for statement, *_ in CHANGES.values()))
    return ids, verified(folder)


def test_an_intact_archive_has_no_faults(archive):
    found = verified(archive)
    assert found.faults == []
    assert (found.recomputed, found.finished, found.unasked, found.bugs) == (True, True, 0, 0)
    assert sorted(path.name for path in archive.glob(".verify*")) == []
    assert value(archive, "SELECT count(*) FROM states") == 1
    assert value(archive, "SELECT max(revision) FROM articles") == 2


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_row_is_named(changed, name):
    ids, found = changed
    _, table, _, detail, advice = CHANGES[name]
    faults = [
        f for f in found.faults if f.table == table and str(ids[name]) in f.where + f.detail and detail in f.detail
    ]
    assert [advice in fault.advice for fault in faults] == [True] * len(faults) != [], found.faults


def test_nothing_but_the_changed_rows_is_reported(changed):
    _, found = changed
    assert {fault.table for fault in found.faults if fault.table} == {table for _, table, *_ in CHANGES.values()}


#: Takes schemas 7 and 6 back in a database of schema 7, and dates the earlier migrations a year ago, as in an archive of an older version.
SCHEMA_5 = (
    "DROP VIEW similar_articles", "DROP VIEW presence", "DROP VIEW versions", "DROP TABLE similar",
    "DROP TABLE passage_hashes", "DROP INDEX revisions_raw_id", "DROP INDEX raw_purpose",
    "DROP VIEW held_pictures", "DROP INDEX images_url", "ALTER TABLE images DROP COLUMN digest",
    "DROP TABLE picture_addresses", "DROP TABLE pictures", "DROP INDEX raw_picture",
    "ALTER TABLE revisions DROP COLUMN replaced_pictures", "ALTER TABLE revisions DROP COLUMN known_at", "PRAGMA user_version = 5",
    "DELETE FROM _sqlite_migrations WHERE name > '0006'", "UPDATE _sqlite_migrations SET applied_at = '2025-01-01'",
)  # fmt: skip


def take_back_to_schema_5(folder):
    take_back_to_schema_7(folder)
    change(folder, *SCHEMA_5)


def test_an_upgraded_archive_has_no_faults(archive):
    """Pairs of articles from before schema 6 are not searched for, and are no fault."""
    take_back_to_schema_5(archive)
    assert verified(archive).faults == []
    assert value(archive, "SELECT count(*) FROM similar") == 0
    change(
        archive,
        f"UPDATE revisions SET known_at = '2020' WHERE article = {REVISED}",
        f"INSERT INTO similar VALUES ({article(2)}, {article(4)}, 'reissue', 1, 'x')",
    )
    assert {fault.table for fault in verified(archive).faults} == {"revisions", "similar"}


@pytest.mark.parametrize("table", ["articles", "rhythms"])
def test_of_many_changed_rows_some_are_named_and_the_others_counted(archive, table):
    change(archive, f"UPDATE {table} SET {'title = title || 1' if table == 'articles' else 'items = items + 1'}")
    faults = [f for f in verified(archive).faults if f.table == table]
    count = value(archive, f"SELECT count(*) FROM {table}")
    assert len(faults) == min(count, 21)
    assert count <= 20 or faults[-1].detail == f"{count - 20} more rows"


def test_other_due_times_are_one_fault_of_each_table(archive):
    later = "next_due_at = '2099-01-01T00:00:00Z'"
    change(archive, f"UPDATE pages SET {later}", f"UPDATE sources SET {later}, interval = 7")
    pages, sources = verified(archive).faults
    assert (pages.what, pages.table) == ("different schedule", "pages")
    assert (sources.what, sources.table) == ("different schedule", "sources")
    assert pages.detail.startswith(f"{value(archive, 'SELECT count(*) FROM pages')} rows: id ")
    assert "(next_due_at, interval)" in sources.detail
    assert "after an update of the program" in pages.advice


def test_rows_that_depend_on_damaged_evidence_are_named_together(archive):
    path = archive / "warc" / value(archive, "SELECT max(file) FROM raw")
    path.unlink()
    found = verified(archive)
    assert found.evidence_lost
    depending = [fault for fault in found.faults if fault.table]
    assert len({fault.table for fault in depending}) == len(depending) > 3
    assert all("restore" in fault.advice for fault in depending)


# --- the repaired text ------------------------------------------------------------------------------------------------


def with_lexicon(article):
    """Repair a text as if a lexicon were installed: enough edits for a flag among the problems."""
    rule, text = min(GLUE), article.text
    edits = tuple(Repair(rule, at, text[at], f"{text[at]} ") for at in range(3))
    return Reading(apply(text, edits), edits)


def test_texts_that_were_repaired_without_a_lexicon_are_no_fault(archive):
    found = verified(archive, repair=with_lexicon, has_lexicon=True)
    assert (found.faults, found.unaided) == ([], 0)
    assert found.unrepaired == value(archive, "SELECT count(*) FROM articles")


def test_repairs_that_fit_the_text_are_not_checked_without_a_lexicon(archive):
    """Without the lexicon that made them, only their own consistency can be checked."""
    change(archive, f"UPDATE articles SET own_clean = clean || 'x' WHERE id = {article(0)}")
    found = verified(archive, repair=with_lexicon)
    assert found.unaided == value(archive, "SELECT count(*) FROM articles") - 1
    key = value(archive, f"SELECT {article(0)}")
    assert {fault.table for fault in found.faults} == {"articles", "articles_folded", "repairs"}
    assert all(str(key) in fault.where for fault in found.faults)


# --- the schema -------------------------------------------------------------------------------------------------------

SCHEMAS = {
    "a trigger dropped": ("DROP TRIGGER articles_folded_changed", "missing trigger", "articles_folded_changed"),
    "a foreign trigger": ("CREATE TRIGGER x AFTER UPDATE ON articles BEGIN SELECT 1; END", "unknown trigger", "x"),
    "a foreign table": ("CREATE TABLE x (y)", "unknown table", "x"),
    "an index dropped": ("DROP INDEX raw_url", "missing index", "raw_url"),
    "a table dropped": ("DROP TABLE tags", "missing table", "tags"),
    "a column renamed": ("ALTER TABLE raw RENAME COLUMN origin TO x", "different table", "raw"),
}


@pytest.mark.parametrize(("sql", "what", "where"), SCHEMAS.values(), ids=SCHEMAS)
def test_a_changed_schema_is_named(archive, sql, what, where):
    change(archive, sql)
    with open_archive(archive) as opened, WarcStore(archive / "warc") as warc:
        found = replay.verify(opened, warc, RecordedProgress(), sample=1)
    assert (what, where) in [(fault.what, fault.where) for fault in found.faults]
    assert found.finished


TYPES = {
    "a text as a position": ("UPDATE raw SET offset = 'x' WHERE id = 3", "raw: id 3"),
    "a number as a text": ("UPDATE articles SET id = id, title = x'00' WHERE id < 0", "articles: id -1"),
    "no identity": ("DELETE FROM archive_identity", "archive_identity"),
}


@pytest.mark.parametrize(("sql", "where"), TYPES.values(), ids=TYPES)
def test_values_that_cannot_be_read_are_named(archive, sql, where):
    change(archive, sql)
    faults = verified(archive).faults
    assert where in [fault.where for fault in faults]


# --- other processes --------------------------------------------------------------------------------------------------


def test_records_of_unfinished_visits_are_not_replayed(archive):
    """A finished visit without a response is replayed, one that is not finished is not."""
    clock = FakeClock()
    clock.advance(days=3)
    with mounted(clock, options=Options(no_api=True, sections=SECTIONS[:1])) as site:
        site.fake_site.fault("error", "*", 999)
        with pytest.raises(SitePaused):
            poll(archive, clock)
    assert value(archive, "SELECT count(*) FROM sources WHERE failures > 0") > 0
    key, page = value(archive, f"SELECT {article(0)}"), value(archive, f"SELECT url FROM pages WHERE id = {article(0)}")
    with working(archive, clock) as run:
        run.warc.append(fetched(url=page, fetched_at=clock.now()), str(Purpose.page(key)))
        fields = {"outcome": "Unreachable", "error": "x"}
        run.warc.note(page, clock.now() + timedelta(hours=1), str(Purpose.page(key)), fields)
        assert verified(archive).faults == []


def test_what_a_killed_check_left_is_deleted(archive):
    left = archive / ".verify-killed"
    left.mkdir()
    (left / FILE).write_bytes(b"half a database")
    assert verified(archive).faults == []
    assert not left.exists()


def test_the_folder_of_a_check_that_is_running_is_not_deleted(archive):
    with replace_db.temporary_folder(archive) as folder:
        assert verified(archive).faults == []
        assert folder.exists()
    assert not folder.exists()


# --- a sample ---------------------------------------------------------------------------------------------------------

SAMPLED = {
    "a text": f"UPDATE articles SET own_text = 'x' WHERE id = {article(0)}",
    "a fingerprint": f"UPDATE articles SET fingerprint = 'x' WHERE id = {article(1)}",
    "an old revision": f"UPDATE revisions SET blocks = '[]' WHERE article = {REVISED} AND revision = 1",
    "a tag": f"INSERT INTO tags VALUES ({article(2)}, 99, 'x')",
    "a date": f"UPDATE articles SET published_on = '2020-01-01' WHERE id = {article(3)}",
    "JSON that cannot be read": f"UPDATE articles SET blocks = 'x' WHERE id = {article(4)}",
    "a passage hash": f"DELETE FROM passage_hashes WHERE article = {article(5)}",
}


def sampled(folder, count, shift=0):
    reader = app.reader(configured(folder), repairing=False)
    with open_archive(folder) as opened, WarcStore(folder / "warc") as warc:
        return replay.verify(opened, warc, RecordedProgress(), sample=count, shift=shift, reader=reader).faults


def test_a_sample_of_articles_is_compared_with_their_pages(archive):
    assert sampled(archive, 1000) == []
    change(archive, *SAMPLED.values())
    faults = [fault for fault in sampled(archive, 1000) if fault.table]
    assert [fault.what for fault in faults] == ["changed row"] * len(SAMPLED)
    count = value(archive, "SELECT count(*) FROM articles")
    parts = [sampled(archive, count // 2, shift) for shift in (0, 1)]
    assert sorted(f.where for part in parts for f in part if f.table) == sorted(f.where for f in faults)
    assert all(parts)


# --- records and seals ------------------------------------------------------------------------------------------------


def edit_header(path, old, new, *, everywhere=False):
    """Change bytes in the header of the first record that contains them, or of all; no digest covers them."""
    data, parts, count = path.read_bytes(), [], 0
    while data:
        engine = zlib.decompressobj(wbits=31)
        text = engine.decompress(data)
        part, data = data[: len(data) - len(engine.unused_data)], engine.unused_data
        if old in text and (everywhere or not count):
            part, count = gzip.compress(text.replace(old, new, 1), 9, mtime=0), count + 1
        parts.append(part)
    assert count
    path.write_bytes(b"".join(parts))
    return count


def first_file(archive):
    return archive / "warc" / value(archive, "SELECT min(file) FROM raw")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"software: vna", b"software: xna", "sealed record changed"),
        (b"WARC-Concurrent-To: <urn:uuid:", b"WARC-Concurrent-To: <urn:uuid:0", "unpaired record"),
    ],
)
def test_a_changed_header_is_found(archive, old, new, what):
    path = first_file(archive)
    edit_header(path, old, new)
    faults = [f for f in verified(archive, since="20261101").faults if f.what == what] if "un" in what else []
    with WarcStore(archive / "warc") as warc, open_archive(archive) as opened:
        faults += replay.verify(opened, warc, RecordedProgress(), sample=1, shift=0, seals=Seals(archive)).faults
    assert what in [fault.what for fault in faults]
    assert all(path.name in fault.where for fault in faults)


def test_of_many_unpaired_records_some_are_named_and_the_others_counted(archive):
    path = first_file(archive)
    count = edit_header(path, b"WARC-Concurrent-To: <urn:uuid:", b"WARC-Concurrent-To: <urn:uuid:0", everywhere=True)
    faults = [fault for fault in verified(archive, since="20261101").faults if fault.what == "unpaired record"]
    assert (len(faults), faults[-1].detail.partition(" ")[0]) == (6, str(count - 5))


def faults_in_files(archive):
    """Return what is wrong with the WARC files of an archive."""
    return [fault.what for fault in verified(archive, since="20261101").faults]


@pytest.mark.parametrize(
    ("left", "has_row", "faults"),
    [(10, True, []), (10, False, ["torn tail", "captures not ingested"]), (0, False, ["captures not ingested"])],
)
def test_a_response_whose_request_was_cut_off_by_a_crash_is_no_unpaired_record(archive, left, has_row, faults):
    with working(archive, FakeClock()) as run:
        ref = run.warc.append(fetched(url=f"{SITE}/robots.txt", fetched_at=run.clock.now()), "robots")
    end = ref.offset + ref.length
    os.truncate(archive / "warc" / ref.file, end + left)
    if has_row:
        with WarcStore(archive / "warc", known_end=lambda _: 0) as warc:
            assert warc.records_without_rows(ref.file)  # cuts the request off
        with working(archive, FakeClock()) as run:
            recover(run)
    assert faults_in_files(archive) == faults


def test_an_imported_capture_needs_no_request(archive):
    now = FakeClock().now()
    with WarcStore(archive / "warc") as warc:
        capture = replace(fetched(fetched_at=now), request_headers=())
        warc.append(capture, "capture:1", origin="elsewhere", written_at=now)
        warc.append(fetched(fetched_at=now), "page:1")
    assert faults_in_files(archive) == ["captures not ingested"]


@pytest.mark.parametrize(("shift", "found"), [(0, True), (1, False), (4, True)])
def test_a_sample_checks_each_fourth_seal(archive, shift, found):
    edit_header(first_file(archive), b"software: vna", b"software: xna")
    with WarcStore(archive / "warc") as warc, open_archive(archive) as opened:
        faults = replay.verify(opened, warc, RecordedProgress(), sample=1, shift=shift, seals=Seals(archive)).faults
    assert ("sealed record changed" in [fault.what for fault in faults]) == found


def test_a_second_header_in_a_file_is_found(archive):
    path = first_file(archive)
    with WarcStore(archive / "warc") as warc:
        head = next(warc.scan(warc.names()[0]))
    path.write_bytes(path.read_bytes() + path.read_bytes()[: head.length])
    assert faults_in_files(archive) == ["unpaired record"]


@pytest.mark.parametrize(("days", "faults"), [(1, []), (2, ["missing file"])])
def test_requests_of_a_day_may_be_in_the_file_of_the_next_day(archive, days, faults):
    day = value(archive, "SELECT date(min(fetched_at), ?) FROM raw WHERE origin IS NULL", f"-{days} days")
    change(archive, f"UPDATE fetches SET at = '{day}T23:59:59Z' WHERE id = 3")
    assert faults_in_files(archive) == faults


def test_files_of_other_archives_are_not_sealed(archive):
    clock = FakeClock()
    with WarcStore(archive / "warc", identity="00000000-0000-4000-8000-000000000000") as warc:
        other = warc.append(fetched(fetched_at=clock.now()), "page:1").file
    with WarcStore(archive / "warc") as warc:
        assert other in warc.names()
    assert sealed(archive, clock) is None


def test_a_missing_file_is_reported_once_for_all_its_seals(archive):
    clock = FakeClock()
    with WarcStore(archive / "warc") as warc:
        name = warc.append(fetched(fetched_at=clock.now()), "page:1").file
    assert sealed(archive, clock) is not None
    (archive / "warc" / name).unlink()
    seals, _ = Seals(archive).read()
    assert sum(part.file == name for seal in seals for part in seal.parts) == 2
    with WarcStore(archive / "warc") as warc:
        assert [(fault.what, fault.where) for fault in check_seals(seals, warc)] == [("sealed file missing", name)]


def edit_lines(archive, change_lines):
    path = archive / "seals.jsonl"
    path.write_text("".join(f"{line}\n" for line in change_lines(path.read_text().splitlines())))


CHAINS = {
    "a changed line": (lambda lines: [lines[0].replace('"start":0', '"start":1'), lines[1]], "damaged seal", "line 1"),
    "a missing line": (lambda lines: lines[1:], "broken chain of seals", "line 1"),
    "a changed root": (lambda lines: [lines[0].replace('"root":"', '"root":"0'), lines[1]], "damaged seal", "line 1"),
    "a row left out": (
        lambda lines: [re.sub('"rows":"[0-9a-f]{64}', '"rows":"', lines[0]), lines[1]],
        "damaged seal",
        "line 1",
    ),
    "something else": (lambda lines: [*lines, "{}"], "damaged seal", "line 3"),
    "exchanged lines": (lambda lines: lines[::-1], "broken chain of seals", "line 1"),
}


@pytest.mark.parametrize(("edit", "what", "where"), CHAINS.values(), ids=CHAINS)
def test_a_damaged_chain_of_seals_is_named_and_not_continued(archive, edit, what, where):
    edit_lines(archive, edit)
    _, faults = Seals(archive).read()
    assert (what, f"seals.jsonl, {where}") in [(fault.what, fault.where) for fault in faults]
    with pytest.raises(WarcError, match="nothing is sealed"):
        sealed(archive, FakeClock())


def test_a_sealed_file_that_is_missing_is_reported_without_its_rows(archive):
    path = first_file(archive)
    path.unlink()
    change(archive, "DELETE FROM raw WHERE file = (SELECT min(file) FROM raw)")
    seals = Seals(archive)
    with WarcStore(archive / "warc") as warc, open_archive(archive) as opened:
        found = replay.verify(opened, warc, RecordedProgress(), seals=seals)
    assert ("sealed file missing", True) in [(f.what, path.name in f.where) for f in found.faults]


def test_a_seal_covers_only_new_complete_records(archive):
    clock = FakeClock()
    assert sealed(archive, clock) is None
    with WarcStore(archive / "warc") as warc:
        warc.append(fetched(fetched_at=clock.now()), "page:1")
    with first_file(archive).open("ab") as file:
        file.write(b"\x1f\x8b\x08\x00half a record")
    before, _ = Seals(archive).read()
    seal = sealed(archive, clock)
    (part,) = seal.parts
    assert part.start == max(p.end for s in before for p in s.parts if p.file == part.file)
    assert part.end == first_file(archive).stat().st_size - 17
    assert seal.previous == before[-1].digest
    assert len(part.records) == 2 * 8


def written(seal):
    line = {"at": seal.at, "previous": seal.previous, **seal.content, "digest": seal.digest}
    return json.dumps(line | ({"root": seal.root} if seal.root else {})) + "\n"


def test_seals_of_the_first_version_are_continued_by_a_seal_of_all_records(archive):
    path, seals = archive / "seals.jsonl", Seals(archive)
    old = []
    for seal in seals.read()[0]:
        parts = tuple(replace(part, root="") for part in seal.parts)
        old.append(replace(seal, previous=old[-1].digest if old else "", parts=parts, rows=(), root=""))
    path.write_text("".join(map(written, old)))
    assert verified(archive).faults == []
    seal = sealed(archive, FakeClock())
    assert {(part.file, part.start) for part in seal.parts} == {(name, 0) for name in sealed_files(archive)}
    assert len(seal.rows) == value(archive, "SELECT count(*) FROM revisions")
    assert verified(archive).faults == []


def sealed_files(archive):
    return [path.relative_to(archive / "warc").as_posix() for path in (archive / "warc").rglob("*.warc.gz")]


def test_a_seal_with_another_tree_than_that_of_its_records_is_named(archive):
    """Somebody computed the digests of the seals again."""
    first, second = Seals(archive).read()[0]
    wrong = replace(first, parts=(replace(first.parts[0], root="0" * 64), *first.parts[1:]))
    wrong = replace(wrong, root=merkle.Tree(wrong.branches).root)
    (archive / "seals.jsonl").write_text(written(wrong) + written(replace(second, previous=wrong.digest)))
    (fault,) = verified(archive).faults
    assert (fault.what, first.parts[0].file in fault.detail) == ("damaged seal", True)


def test_an_incomplete_line_is_no_seal_and_is_replaced_by_the_next_one(archive):
    """The disk was full, or another process is writing the line."""
    path = archive / "seals.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert [len(part) for part in Seals(archive).read()] == [1, 0]
    assert sealed(archive, FakeClock()) is not None
    assert [len(part) for part in Seals(archive).read()] == [2, 0]


def test_the_rows_are_compared_only_if_all_files_are_checked(archive):
    change(archive, f"UPDATE articles SET own_text = 'x' WHERE id = {article(0)}")
    since = verified(archive, since="20261121")
    assert (since.faults, since.recomputed, since.records > 0) == ([], False, True)
    assert verified(archive).recomputed


def test_the_command_seals_a_sound_archive(archive):
    def command(*words):
        return vna("--archive", archive, "--site", SITE, "verify", *words)

    (archive / "seals.jsonl").unlink()
    done = command("--seal", "--json")
    assert done.code == 0, done.out
    (seal,), faults = Seals(archive).read()
    assert (done.code, json.loads(done.out)["seal"], faults) == (0, seal.digest, [])
    assert "there are no seals" in done.err
    again = command("--seal").err
    assert ("nothing new to seal" in again, seal.digest in again) == (True, True)
    (archive / "seals.jsonl").unlink()
    change(archive, f"UPDATE articles SET own_text = 'x' WHERE id = {article(0)}")
    done = command("--seal")
    assert (done.code, (archive / "seals.jsonl").exists()) == (5, False)
    assert "not sealed" in done.err
    assert "articles: id" in done.out


# --- advice that helps ------------------------------------------------------------------------------------------------


def test_texts_without_evidence_get_it_when_they_are_imported_again(archive):
    """Version 0.1 kept no evidence of imported texts."""
    change(
        archive,
        "UPDATE articles SET raw_id = NULL, last_raw_id = NULL, first_seen_at = '2026-01-01T00:00:00Z' WHERE id < 0",
        "UPDATE revisions SET raw_id = NULL, seen_at = '2026-01-01T00:00:00Z' WHERE article < 0",
        "UPDATE _sqlite_migrations SET applied_at = '2026-01-01 00:00:00+00:00' WHERE name = '0001_first'",
    )
    (fault,) = (f for f in verified(archive).faults if not f.table)
    assert (fault.what, "import the same files again" in fault.advice) == ("articles without evidence", True)
    with working(archive, FakeClock(), command="import", role="text") as run:
        import_file(run, "texte.txt", SEED_TEXTS["002"])
    assert [f for f in verified(archive).faults if not f.table] == []
    assert rows(archive, "SELECT id FROM articles WHERE raw_id IS NULL") == []
