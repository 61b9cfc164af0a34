"""Captures of other collections: read from real WARC files and inserted into the history of their article."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
import zstandard
from foreign_records import chunked, http, members, page, warc
from support import (
    NOW,
    SITE,
    RecordedProgress,
    assert_intact,
    configured,
    gzipped,
    mounted,
    mounted_small,
    poll,
    rows,
    value,
    vna,
    working,
    write_crash_marker,
)
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler import app, replay
from crawler.clock import StoppableClock
from crawler.errors import BadInput, BodyTooLarge
from crawler.identity import Place, RevisionMoment, place
from crawler.pipeline import captures, import_file, reparse
from crawler.pipeline.stored_pages import response_of
from crawler.sim.site import SECTIONS, Options
from crawler.site import Site
from crawler.storage import FILE
from crawler.types import ErrorKind, RawRef
from crawler.warc import Record, WarcStore
from crawler.warc.foreign import captures as read
from crawler.warc.import_tally import ImportTally, Skip

OLD = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)


class WarcBuilder:
    """Builds a WARC file as another crawler writes it."""

    def __init__(self, *, gzipped=True):
        self.data = io.BytesIO()
        self._writer = WARCWriter(self.data, gzip=gzipped, warc_version="WARC/1.0")

    def add(self, url, body=b"<html>", *, at=OLD, status="200 OK", headers=(), warc=(), kind="response"):
        http = StatusAndHeaders(status, [("Content-Type", "text/html; charset=utf-8"), *headers], protocol="HTTP/1.1")
        extra = {"WARC-Date": at.strftime("%Y-%m-%dT%H:%M:%SZ"), **dict(warc)}
        record = self._writer.create_warc_record(
            url, kind, payload=io.BytesIO(body), length=len(body), http_headers=http, warc_headers_dict=extra
        )
        self._writer.write_record(record)
        return self

    def write(self, path):
        path.write_bytes(self.data.getvalue())
        return path


def read_all(path):
    """Return the captures of this site in a file as records, and the tally."""
    tally = ImportTally()
    found = read(path, lambda url: None if "vietnamplus" in url else Skip.OTHER_SITE, tally)
    return [capture.record for capture in found], tally


# --- reading files ----------------------------------------------------------------------------------------------------

PAGE = f"{SITE}/titre-post245060.vnp"


@pytest.mark.parametrize("form", ["gzip per record", "plain", "gzip of the whole file"])
def test_all_forms_of_compression(tmp_path, form):
    builder = WarcBuilder(gzipped=form == "gzip per record")
    builder.add("https://elsewhere.example/", b"other").add(PAGE, b"<p>one</p>").add(f"{PAGE}?2", b"<p>two</p>")
    path = builder.write(tmp_path / "a.warc.gz")
    if form == "gzip of the whole file":
        path.write_bytes(gzip.compress(path.read_bytes()))
    found, tally = read_all(path)
    assert [(r.url, r.body, r.fetched_at, r.status) for r in found] == [
        (PAGE, b"<p>one</p>", OLD, 200),
        (f"{PAGE}?2", b"<p>two</p>", OLD, 200),
    ]
    assert (tally.records, tally.wanted, tally.damage) == (3, 2, None)
    assert {r.origin for r in found} == {"a.warc.gz"}


@pytest.mark.parametrize(
    ("situation", "record", "reason"),
    [
        ("larger than the limit", {"body": b"x" * 10_000_001}, "limit"),
        ("truncated", {"warc": {"WARC-Truncated": "length"}}, "truncated"),
    ],
)
def test_unusable_captures_are_counted_by_reason(tmp_path, situation, record, reason):
    found, tally = read_all(WarcBuilder().add(PAGE, **record).write(tmp_path / "a.warc.gz"))
    assert found == []
    assert tally.wanted == 1
    assert [reason in skipped for skipped in tally.skipped] == [True], situation


@pytest.mark.parametrize(("origin", "is_read"), [(None, True), ("a.warc.gz", False)])
def test_an_imported_body_has_a_limit_when_it_is_decompressed(origin, is_read):
    """No limit was applied when another collection received it. The crawler applied one to what it received itself."""
    body = gzipped(bytes(10_000_001))
    coded = (("Content-Encoding", "gzip"),)
    record = Record(PAGE, OLD, 200, coded, body, RawRef("x.warc.gz", 0, 1, ""), "response", origin=origin)
    with nullcontext() if is_read else pytest.raises(BodyTooLarge):
        assert len(response_of(record).content) == 10_000_001


@pytest.mark.parametrize(
    "malformed",
    [
        {"warc": {"WARC-Date": "yesterday"}},
        {"status": "OK 200"},
        {"body": b"5\r\nabc", "headers": [("Transfer-Encoding", "chunked")]},
    ],
    ids=["invalid date", "invalid status", "truncated chunks"],
)
def test_a_malformed_record_does_not_hide_the_next_ones(tmp_path, malformed):
    builder = (
        WarcBuilder().add(PAGE, b"one").add(f"{PAGE}?2", **{"body": b"two", **malformed}).add(f"{PAGE}?3", b"three")
    )
    found, tally = read_all(builder.write(tmp_path / "a.warc.gz"))
    assert [r.body for r in found if not r.url.endswith("?2")] == [b"one", b"three"]
    assert tally.damage is None
    assert len(found) + sum(tally.skipped.values()) == 3


@pytest.mark.parametrize(
    ("address", "headers", "when"),
    [
        ("https://web.archive.org/web/20190102030405id_/" + PAGE, [], datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (
            "http://web.archive.org/web/20190102030405id_/" + PAGE,
            [("Memento-Datetime", "Wed, 02 Jan 2019 03:04:09 GMT")],
            datetime(2019, 1, 2, 3, 4, 9, tzinfo=UTC),
        ),
        ("https://web.archive.org/web/20190102id_/" + PAGE, [], datetime(2019, 1, 2, tzinfo=UTC)),
        ("http://web.archive.org:80/web/2019id_/" + PAGE, [], datetime(2019, 1, 1, tzinfo=UTC)),
        (
            "https://wayback.archive.org/web/20190102030405id_/" + PAGE.removeprefix("https://"),
            [],
            datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC),
        ),
        ("https://web.archive.org/web/20190102030405/" + PAGE, [], None),
        ("https://web.archive.org/web/2019/" + PAGE, [], None),
        ("https://web.archive.org/web/20190102030405if_/" + PAGE, [], None),
    ],
    ids=[
        "original",
        "original with Memento-Datetime",
        "a day",
        "a year",
        "another host, no scheme",
        "rewritten",
        "rewritten, a year",
        "rewritten for a frame",
    ],
)
def test_wayback_machine_downloads(tmp_path, address, headers, when):
    found, tally = read_all(WarcBuilder().add(address, at=NOW, headers=headers).write(tmp_path / "a.warc.gz"))
    assert [(r.url, r.fetched_at) for r in found] == ([(PAGE, when)] if when else [])
    assert [("id_" in reason) for reason in tally.skipped] == ([] if when else [True])


def test_chunks_are_decoded_and_the_content_coding_is_kept(tmp_path):
    body = gzip.compress(b"<p>un</p>", mtime=0)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    headers = [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")]
    ((record,), _) = read_all(WarcBuilder().add(PAGE, chunked, headers=headers).write(tmp_path / "a.warc.gz"))
    assert record.body == body


@pytest.mark.parametrize("gzipped", [True, False])
def test_a_truncated_file_yields_the_records_before_the_damage(tmp_path, gzipped):
    path = (
        WarcBuilder(gzipped=gzipped).add(PAGE, b"x" * 500).add(PAGE, bytes(range(256)) * 40).write(tmp_path / "a.warc")
    )
    path.write_bytes(path.read_bytes()[:-200])
    found, tally = read_all(path)
    assert [r.body for r in found] == [b"x" * 500]
    assert tally.damage.startswith("after record 2: ")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        read_all(tmp_path / "none")


# --- where a capture goes in the history ------------------------------------------------------------------------------


def at(day):
    return NOW + timedelta(days=day)


TIMELINE = (RevisionMoment(1, at(10), "a"), RevisionMoment(2, at(20), "b"), RevisionMoment(3, at(30), "c"))


@pytest.mark.parametrize(
    ("situation", "fingerprint", "day", "expected"),
    [
        ("before the first, same text", "a", 5, Place("earlier", 1)),
        ("before the first, another text", "z", 5, Place("inserted", 1)),
        ("before the first, text of a later one", "b", 5, Place("inserted", 1)),
        ("at the first", "a", 10, Place("unchanged", 1)),
        ("between, text of the one before", "a", 15, Place("unchanged", 1)),
        ("between, text of the one after", "b", 15, Place("earlier", 2)),
        ("between, another text", "z", 15, Place("inserted", 2)),
        ("after the last, same text", "c", 35, Place("newest")),
        ("after the last, another text", "z", 35, Place("newest")),
    ],
)
def test_place_in_the_history(situation, fingerprint, day, expected):
    assert place(fingerprint, at(day), TIMELINE) == expected, situation


# --- into an archive --------------------------------------------------------------------------------------------------


def capture_of(site, post_id, tmp_path, *, when=OLD, name="CC-NEWS-20210304.warc.gz", **record):
    """Write the current page of a story to a WARC file of another collection."""
    story = site.fake_site.story(post_id)
    from crawler.sim.site import SiteRequest  # noqa: PLC0415 - only used here

    body = site.fake_site.respond(SiteRequest("GET", story.path)).decoded
    return (
        WarcBuilder()
        .add("https://other.example/", b"x")
        .add(SITE + story.path, body, at=when, **record)
        .write(tmp_path / name)
    )


def import_files(archive, clock, *paths):
    """Import captures from WARC files; return the result for each file."""
    with working(archive, clock, command="backfill", role="backfill") as run:
        results = [captures.CaptureImport(path.name) for path in paths]
        batch = captures.CaptureBatch(run)
        for path, result in zip(paths, results, strict=True):
            batch.read(path, result)
        batch.finish()
    return results


def test_an_article_from_another_collection_only(tmp_path, clock):
    """It is archived with the date of the capture; its WARC record names the collection."""
    archive = tmp_path / "a"
    with mounted_small(clock) as site:
        post_id = site.fake_site.ids()[0]
        path = capture_of(site, post_id, tmp_path)
    (result,) = import_files(archive, clock, path)
    assert dict(result.verdicts) == {"new": 1}
    (article,) = rows(archive, "SELECT id, first_seen_at, checked_at, revision FROM articles")
    assert article == {
        "id": post_id,
        "first_seen_at": "2021-03-04T05:06:07Z",
        "checked_at": "2021-03-04T05:06:07Z",
        "revision": 1,
    }
    (raw,) = rows(archive, "SELECT fetched_at, purpose, origin FROM raw")
    assert raw == {"fetched_at": "2021-03-04T05:06:07Z", "purpose": f"capture:{post_id}", "origin": path.name}
    assert value(archive, "SELECT source FROM sightings") == f"warc:{path.name}"
    assert_intact(archive)
    with WarcStore(archive / "warc") as store:
        (record,) = store.records()
    assert (record.origin, record.written_at, record.fetched_at) == (path.name, NOW, OLD)


def test_a_second_import_changes_nothing(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted_small(clock) as site:
        path = capture_of(site, site.fake_site.ids()[0], tmp_path)
    import_files(archive, clock, path)
    before = rows(archive, "SELECT * FROM raw"), rows(archive, "SELECT * FROM revisions")
    (again,) = import_files(archive, clock, path)
    assert dict(again.verdicts) == {"known": 1}
    assert (rows(archive, "SELECT * FROM raw"), rows(archive, "SELECT * FROM revisions")) == before


FEW = Options(sections=SECTIONS[:1], section_size=4, feed_size=4, home_size=4, no_samples=True)


@pytest.fixture
def held(tmp_path, clock):
    """An archive that polled the site, and captures of one article before and after it was changed."""
    archive = tmp_path / "a"
    with mounted(clock, articles=2, options=FEW) as site:
        post_id = site.fake_site.ids()[-1]
        first = capture_of(site, post_id, tmp_path, when=NOW - timedelta(days=3), name="first.warc.gz")
        site.fake_site.revise(post_id, title="Un titre corrigé")
        second = capture_of(site, post_id, tmp_path, when=NOW - timedelta(days=2), name="second.warc.gz")
        site.fake_site.revise(post_id, title="Un titre corrigé deux fois")
        third = capture_of(site, post_id, tmp_path, when=NOW - timedelta(days=1), name="third.warc.gz")
        poll(archive, clock)
    return archive, post_id, {"first": first, "second": second, "third": third}


def history(archive, post_id):
    found = rows(archive, "SELECT revision, seen_at, title, changed FROM revisions WHERE article = ?", post_id)
    return [(row["revision"], row["seen_at"][:10], row["title"][-20:], row["changed"]) for row in found]


@pytest.mark.parametrize(
    "order", [("first", "second", "third"), ("third", "second", "first"), ("second", "first", "third")]
)
def test_captures_fill_the_history_in_any_order(held, clock, order):
    archive, post_id, files = held
    title = value(archive, "SELECT title FROM articles WHERE id = ?", post_id)
    import_files(archive, clock, *(files[name] for name in order))
    found = history(archive, post_id)
    assert [(number, day) for number, day, _, _ in found] == [(1, "2026-11-18"), (2, "2026-11-19"), (3, "2026-11-20")]
    assert [changed for _, _, _, changed in found] == ["[]", '["title"]', '["title"]']
    assert found[1][2] == "Un titre corrigé"
    assert found[2][2] == title[-20:]
    assert value(archive, "SELECT revision FROM articles WHERE id = ?", post_id) == 3
    assert value(archive, "SELECT first_seen_at FROM articles WHERE id = ?", post_id)[:10] == "2026-11-18"
    assert value(archive, "SELECT title FROM articles WHERE id = ?", post_id) == title, "the current title is unchanged"
    assert_intact(archive)


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_a_capture_in_another_style_is_no_revision(tmp_path, clock, order):
    archive = tmp_path / "a"
    with mounted(clock, articles=2, options=FEW) as site:
        post_id = site.fake_site.ids()[-1]
        site.fake_site.revise(post_id, title="Un titre ''corrigé'' \u2212 hier")
        files = {"first": capture_of(site, post_id, tmp_path, when=NOW - timedelta(days=3), name="first.warc.gz")}
        site.fake_site.revise(post_id, title="Un titre ″corrigé″ \u2015 hier")
        files["second"] = capture_of(site, post_id, tmp_path, when=NOW - timedelta(days=2), name="second.warc.gz")
        site.fake_site.revise(post_id, title="Un titre « corrigé » – hier")
        poll(archive, clock)
    import_files(archive, clock, *(files[name] for name in order))
    assert [(number, day) for number, day, _, _ in history(archive, post_id)] == [(1, "2026-11-18")]
    assert_intact(archive)
    with working(archive, clock, role="read") as run:
        assert reparse(run, dry_run=True).differing == 0, "the text stays that of the capture from which it was read"


def test_an_import_does_not_change_the_schedule_of_a_live_page(held, clock):
    archive, post_id, files = held
    before = rows(archive, "SELECT * FROM pages WHERE id = ?", post_id)
    import_files(archive, clock, files["first"])
    assert rows(archive, "SELECT * FROM pages WHERE id = ?", post_id) == before


@pytest.mark.parametrize(
    ("situation", "record", "counted"),
    [
        ("a redirect", {"status": "301 Moved"}, "HTTP status 301"),
        ("a page that is gone", {"status": "404 Not Found"}, "HTTP status 404"),
        ("part of a page", {"status": "206 Partial Content"}, "only part of a response"),
    ],
)
def test_responses_without_a_page_are_skipped(tmp_path, clock, situation, record, counted):
    archive = tmp_path / "a"
    with mounted_small(clock) as site:
        path = capture_of(site, site.fake_site.ids()[0], tmp_path, **record)
    (result,) = import_files(archive, clock, path)
    assert [r.startswith(counted) for r in result.tally.skipped if r != Skip.OTHER_SITE.description] == [True], (
        situation
    )
    assert result.tally.needs_attention == (counted[:4] != "HTTP")
    assert value(archive, "SELECT count(*) FROM raw") == 0


def test_an_unreadable_capture_is_archived_and_listed(tmp_path, clock):
    archive = tmp_path / "a"
    (result,) = import_files(
        archive, clock, WarcBuilder().add(PAGE, b"<html><body>Un mur").write(tmp_path / "unreadable.warc.gz")
    )
    assert dict(result.verdicts) == {"unread": 1}
    assert rows(archive, "SELECT state, error, error_kind FROM pages") == [
        {
            "state": "drift",
            "error": "captured by unreadable.warc.gz, but not parsed",
            "error_kind": ErrorKind.UNREADABLE,
        }
    ]
    assert value(archive, "SELECT count(*) FROM raw") == 1


def test_a_capture_that_crashed_the_interpreter_is_quarantined(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted_small(clock) as site:
        one, other = site.fake_site.ids()[:2]
        paths = [capture_of(site, post_id, tmp_path, name=f"{post_id}.warc.gz") for post_id in (one, other)]
    write_crash_marker(archive, f"capture:{one}", 3, role="backfill")
    results = import_files(archive, clock, *paths)
    assert [dict(result.verdicts) for result in results] == [{"unread": 1}, {"new": 1}]
    (page,) = rows(archive, "SELECT state, error, error_kind FROM pages WHERE id = ?", one)
    assert page == {
        "state": "failed",
        "error": "a bug: the process crashed on this 3 times",
        "error_kind": ErrorKind.BUG,
    }
    assert [dict(result.verdicts) for result in import_files(archive, clock, *paths)] == [{"known": 1}] * 2
    with working(archive, clock, role="read") as run:
        assert reparse(run).newly_read == 1
    assert_intact(archive)


def test_a_capture_is_named_in_the_crash_marker_while_it_is_processed(tmp_path, clock, monkeypatch):
    archive = tmp_path / "a"
    with mounted_small(clock) as site:
        one, other = site.fake_site.ids()[:2]
        paths = [capture_of(site, post_id, tmp_path, name=f"{post_id}.warc.gz") for post_id in (one, other)]
    marker = archive / "state" / "in-hand-backfill"
    original, seen = captures.parse, []

    def parse(*arguments):
        seen.append(marker.read_text().partition("\n")[0])
        if len(seen) == 2:
            raise IndexError("a bug")
        return original(*arguments)

    monkeypatch.setattr(captures, "parse", parse)
    with pytest.raises(IndexError):
        import_files(archive, clock, *paths)
    assert seen == [f"1 capture:{one}", f"1 capture:{other}"]
    assert value(archive, "SELECT error FROM pages WHERE id = ?", other) == "a bug: IndexError: a bug"
    assert [dict(result.verdicts) for result in import_files(archive, clock, *paths)] == [{"known": 1}] * 2


def test_a_text_that_crashed_the_interpreter_is_refused_and_the_others_are_imported(tmp_path, clock):
    write_crash_marker(tmp_path, "import:one.txt", 3, role="text")
    with working(tmp_path, clock, command="import", role="text") as run:
        with pytest.raises(BadInput, match="crashed on this file 3 times"):
            import_file(run, "one.txt", "Un\n\nUn texte.\n")
        assert import_file(run, "other.txt", "Autre\n\nUn autre texte.\n")[0].verdict == "new"
        assert import_file(run, "one.txt", "Un\n\nUn texte.\n")[0].verdict == "new", "it is tried again"


# --- odd files, the rebuild and a second import -------------------------------------------------------------------------

CASES = Path(__file__).parent / "data" / "warc"
REVISITED = (
    "WARC-Refers-To-Target-URI: http://fr.vietnamplus.vn/titre-post8.vnp",
    "WARC-Refers-To-Date: 2020-01-02T03:04:05",
)


def file_of(tmp_path, *records, name="a.warc.gz"):
    path = tmp_path / name
    path.write_bytes(members(*records))
    return path


def assert_stable(archive, clock, *paths):
    """Assert that the archive is intact, that a rebuild gives the same rows, and that a second import changes nothing."""
    assert_intact(archive)
    with app.rebuilding(configured(archive), archive / "rebuilt", RecordedProgress(), clock=clock) as run:
        report = replay.rebuild(run, archive / FILE)
    assert [(t.table, t.only_old, t.only_new) for t in report.differing] == []
    before = value(archive, "SELECT count(*) FROM raw")
    again = import_files(archive, clock, *paths)
    assert {verdict for result in again for verdict in result.verdicts} <= {"known"}
    assert value(archive, "SELECT count(*) FROM raw") == before


@pytest.mark.parametrize(
    ("situation", "record"),
    [
        ("says gzip, is plain", warc(http(page(), "Content-Encoding: gzip"))),
        ("Brotli", warc(http(brotli.compress(page()), "Content-Encoding: br"))),
        ("Zstandard", warc(http(zstandard.compress(page()), "Content-Encoding: zstd"))),
        ("two header lines", warc(http(brotli.compress(gzip.compress(page(), mtime=0)), "Content-Encoding: gzip", "Content-Encoding: br"))),
        ("chunks", warc(http(chunked(page()), "Transfer-Encoding: chunked"))),
        ("a date without a zone", warc(date="2020-01-02T03:04:05")),
        ("a year", warc(date="2020")),
        ("bytes in headers that are no text", warc(http(page(), "X: caf\xe9 \x80\x01", status=b"HTTP/2 200 \xe9\x81"))),
        ("an address in brackets", warc(url="<http://FR.vietnamplus.vn:80/titre-post8.vnp>")),
        ("an unreadable page", warc(http(b"<html><body>Un mur"))),
    ],
)  # fmt: skip
def test_an_odd_record_is_stored_as_it_is_and_rebuilt_equal(tmp_path, clock, situation, record):
    archive, path = tmp_path / "a", file_of(tmp_path, record)
    (result,) = import_files(archive, clock, path)
    assert dict(result.verdicts) == {"unread" if "unreadable" in situation else "new": 1}, (situation, result.tally)
    assert_stable(archive, clock, path)


def test_captures_after_the_future_and_before_the_site_are_refused(tmp_path, clock):
    archive = tmp_path / "a"
    dates = {
        8: "2099-01-02T03:04:05Z",
        9: "2026-11-21T08:06:00Z",
        10: "2026-11-21T08:04:00Z",
        11: "1970-01-01",
        12: "2008-12-31T23:59:59Z",
    }
    path = file_of(tmp_path, *(warc(None, n, date=date) for n, date in dates.items()))
    (result,) = import_files(archive, clock, path)
    assert [(fault.record, fault.reason) for fault in result.tally.faults] == [
        (1, Skip.FUTURE), (2, Skip.FUTURE), (4, Skip.IMPLAUSIBLE), (5, Skip.IMPLAUSIBLE)
    ]  # fmt: skip
    assert [row["url"] for row in rows(archive, "SELECT url FROM raw")] == [f"{SITE}/titre-post10.vnp"]
    assert_stable(archive, clock, path)


def test_the_examples(tmp_path, clock):
    archive = tmp_path / "a"
    paths = [CASES / f"{name}.warc.gz" for name in ("gzip-lie", "nozone", "future")]
    found = import_files(archive, clock, *paths)
    assert [dict(result.verdicts) for result in found] == [{"new": 1}, {"new": 1}, {}]
    assert [fault.reason for result in found for fault in result.tally.faults] == [Skip.FUTURE]
    assert rows(archive, "SELECT id, first_seen_at FROM articles ORDER BY id") == [
        {"id": 3, "first_seen_at": "2020-01-02T03:04:05Z"},
        {"id": 8, "first_seen_at": "2020-01-02T03:04:05Z"},
    ]
    assert_stable(archive, clock, *paths)


def test_a_date_without_a_zone_does_not_depend_on_the_zone_of_the_machine(tmp_path):
    """A process of its own, because the zone of this one must not change."""
    code = "from crawler.warc.dates import from_warc_date as f; print(f('2020-01-02T03:04:05').isoformat())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "2020-01-02T03:04:05+00:00\n", done.stderr


def test_a_rebuild_makes_no_article_of_a_future_capture(tmp_path, clock):
    """An archive may hold such a capture from a version that did not refuse it."""
    archive = tmp_path / "a"
    with working(archive, clock) as run:
        for n, at in ((8, NOW + timedelta(days=9999)), (9, OLD)):
            fetched = replace(response_of(read_all(file_of(tmp_path, warc(None, n)))[0][0]), fetched_at=at)
            run.warc.append(fetched, f"capture:{n}", origin="a.warc.gz", written_at=NOW)
    for _ in range(2):
        shutil.rmtree(archive / "rebuilt", ignore_errors=True)
        with app.rebuilding(configured(archive), archive / "rebuilt", RecordedProgress(), clock=clock) as run:
            report = replay.rebuild(run, archive / FILE)
        assert (report.replayed.future, report.replayed.captures, report.replayed.unasked) == (1, 1, 0)
        assert value(archive / "rebuilt", "SELECT group_concat(id) FROM articles") == "9"
        assert value(archive / "rebuilt", "SELECT count(*) FROM raw") == 2
    done = vna("--archive", archive, "rebuild", "--into", tmp_path / "new")
    assert done.code == 5
    assert "1 imported capture dated after the import" in done.out


@pytest.mark.parametrize("purpose", ["page:x", "page:", "id:-1", "id:²", "probed:one", "page:9999999999999999999999"])
def test_a_rebuild_keeps_the_row_of_a_record_with_a_malformed_purpose(tmp_path, clock, purpose):
    archive = tmp_path / "a"
    with working(archive, clock) as run:
        run.warc.append(response_of(read_all(file_of(tmp_path, warc()))[0][0]), purpose)
    with app.rebuilding(configured(archive), archive / "rebuilt", RecordedProgress(), clock=clock) as run:
        report = replay.rebuild(run, archive / FILE)
    assert (report.replayed.unasked, report.replayed.bugs) == (1, 0)
    assert value(archive / "rebuilt", "SELECT count(*) FROM raw") == 1


@pytest.mark.parametrize(
    ("situation", "fields"),
    [
        ("by address and time", REVISITED),
        ("by digest", ["WARC-Payload-Digest: sha1:AB"]),
        ("by record id", ["WARC-Refers-To: <urn:uuid:00000000-0000-0000-0000-000000000008>"]),
    ],
)
@pytest.mark.parametrize("order", ["before", "after", "other file"])
def test_a_revisit_is_imported_with_the_response_that_it_refers_to(tmp_path, clock, situation, fields, order):
    archive = tmp_path / "a"
    response = warc(None, 8, "WARC-Payload-Digest: sha1:AB")
    revisit = warc(b"", 8, *fields, kind="revisit", date="2020-06-01")
    two = {"before": [(revisit, response)], "after": [(response, revisit)], "other file": [(revisit,), (response,)]}
    paths = [file_of(tmp_path, *records, name=f"{n}.warc.gz") for n, records in enumerate(two[order])]
    results = import_files(archive, clock, *paths)
    assert sum((result.verdicts for result in results), Counter()) == {"new": 1, "unchanged": 1}, situation
    assert [row["fetched_at"][:10] for row in rows(archive, "SELECT fetched_at FROM raw ORDER BY id")] == [
        "2020-01-02",
        "2020-06-01",
    ]
    assert value(archive, "SELECT checked_at FROM articles") == "2020-06-01T00:00:00Z"
    assert_stable(archive, clock, *paths)


def test_a_revisit_of_what_an_earlier_import_stored(tmp_path, clock):
    archive = tmp_path / "a"
    import_files(archive, clock, file_of(tmp_path, warc()))
    (result,) = import_files(
        archive, clock, file_of(tmp_path, warc(b"", 8, *REVISITED, kind="revisit", date="2020-06-01"))
    )
    assert dict(result.verdicts) == {"unchanged": 1}


@pytest.mark.parametrize("fields", [(), REVISITED, ("WARC-Refers-To-Date: never",), ("WARC-Payload-Digest: sha1:XY",)])
def test_a_revisit_of_an_unknown_response_is_a_fault(tmp_path, clock, fields):
    (result,) = import_files(tmp_path / "a", clock, file_of(tmp_path, warc(b"", 8, *fields, kind="revisit")))
    assert [(fault.record, fault.reason) for fault in result.tally.faults] == [(1, Skip.REVISIT)]


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_imports_several_files(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted_small(clock) as site:
        ids = site.fake_site.ids()
        files = [capture_of(site, post_id, tmp_path, name=f"{post_id}.warc.gz") for post_id in ids[:2]]
    done = vna("--archive", archive, "backfill", "--warc", files[0], "--warc", files[1], "--json")
    assert done.code == 0, done
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["records"], one["wanted"], one["verdicts"]) for one in found] == [(2, 1, {"new": 1})] * 2
    done = vna("--archive", archive, "backfill", "--warc", files[0])
    assert "1 known" in done.out
    assert value(archive, "SELECT count(*) FROM articles") == 2


def test_the_command_reports_skipped_captures_and_damage(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted_small(clock) as site:
        first, second = site.fake_site.ids()[:2]
        whole = capture_of(site, first, tmp_path, status="404 Not Found")
        cut = capture_of(site, second, tmp_path, name="cut.warc.gz")
    cut.write_bytes(cut.read_bytes()[:-400])
    done = vna("--archive", archive, "backfill", "--warc", whole, "--warc", cut)
    assert done.code == 5, done
    assert "skipped 1: HTTP status 404" in done.out
    assert "cut.warc.gz is damaged after record" in done.err


def test_a_file_that_cannot_be_read_does_not_stop_the_import(tmp_path):
    """It is named, the others are imported, and the exit code is 5; 1 if no file could be read."""
    loop, folder, empty, none = (tmp_path / name for name in ("loop.warc", "folder.warc", "empty.warc", "*.warc.gz"))
    loop.symlink_to(loop)
    folder.mkdir()
    empty.touch()
    good = tmp_path / "good.warc.gz"
    good.write_bytes(members(warc()))
    bad = [word for path in (loop, folder, empty, none) for word in ("--warc", path)]
    done = vna("--archive", tmp_path / "a", "backfill", *bad, "--warc", good, "--json")
    assert done.code == 5
    found = [json.loads(line) for line in done.out.splitlines()]
    assert [row["error"] is not None for row in found] == [True] * 4 + [False]
    assert found[-1]["verdicts"] == {"new": 1}
    for path in (loop, folder, empty, none):
        assert str(path) in done.err
    done = vna("--archive", tmp_path / "a", "backfill", *bad)
    assert done.code == 1
    assert "hint: check the path" in done.err


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_stop_is_noticed_before_the_end_of_a_file_without_articles(tmp_path, monkeypatch, jobs):
    """It ends the import without an error, and the rows of the captures before it stay."""
    path, clocks = tmp_path / "a.warc", []
    other = warc(b"HTTP/1.1 200 OK\r\n\r\nx", url="https://elsewhere.example/")
    path.write_bytes(warc() + other * 4000)

    class Watched(StoppableClock):
        def __init__(self):
            super().__init__()
            clocks.append(self)

    def judged(site, url, owns=Site.owns):
        if "elsewhere" in url:
            clocks[0].stop()  # as a signal does, while the first record of another site is read
        return owns(site, url)

    monkeypatch.setattr("crawler.clock.StoppableClock", Watched)
    monkeypatch.setattr(Site, "owns", judged)
    done = vna("--archive", tmp_path / "a", "backfill", "--warc", path, "--json", "--jobs", jobs)
    assert (done.code, "stopped; run the same command again" in done.err) == (5, True), done
    found = json.loads(done.out)
    assert found["error"] is None
    assert found["records"] < 1000, found


def test_skipped_records_that_may_hide_an_article_are_named(tmp_path):
    path = tmp_path / "a.warc.gz"
    others = [warc(url=f"https://elsewhere.example/{n}") for n in range(30)]
    path.write_bytes(members(*others, warc(url=f"{SITE}/politique/"), warc(kind="request"), warc()))
    done = vna("--archive", tmp_path / "a", "backfill", "--warc", path)
    assert done.code == 0, "records of other sites are normal"
    assert "skipped 30: an address of another site" in done.out
    path.write_bytes(members(*(warc(date="never", post_id=n) for n in range(1, 31)), warc()))
    done = vna("--archive", tmp_path / "a", "backfill", "--warc", path)
    assert done.code == 5
    assert done.err.count("no valid WARC-Date") == 20
    assert "10 more records" in done.err
    found = json.loads(vna("--archive", tmp_path / "a", "backfill", "--warc", path, "--json").out)
    assert found["passed"] == {"no valid WARC-Date": 30}
    assert (found["fault_count"], len(found["faults"]), found["faults"][29]["record"]) == (30, 30, 30)


@pytest.mark.parametrize("words", [["--via", "ids"], ["--since", "2024-01-01"], ["--dry-run"], ["--captures"]], ids=str)
def test_conflicting_options(tmp_path, words):
    assert vna("--archive", tmp_path, "backfill", "--warc", tmp_path / "x.warc", *words).code == 2


def test_the_command_rejects_a_file_that_is_not_warc(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK")
    done = vna("--archive", tmp_path / "a", "backfill", "--warc", tmp_path / "x.zip")
    assert done.code == 1
    assert "not a WARC file" in done.err
    assert "hint" in done.err


def test_addresses_of_captures_of_missing_articles(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted_small(clock) as site:
        ids = site.fake_site.ids()
        story = site.fake_site.story(ids[-1])
        lost = story.path
        site.fake_site.fault("error", path=lost)
        poll(archive, clock)
    done = vna("--archive", archive, "backfill", "--captures")
    assert done.code == 0
    assert done.out == f"https://web.archive.org/web/{story.published:%Y%m}15id_/{SITE}{lost}\n"
    assert vna("--archive", archive, "backfill", "--captures", "--since", f"{story.published:%Y}-12-31").out == ""
