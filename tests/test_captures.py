"""Captures of others: read from real WARC files of every make, and put where they belong in an article's history."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from support import NOW, SITE, FakeClock, intact, mounted, poll, rows, value, vna, working
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from crawler.errors import BadInput
from crawler.identity import Place, Said, place
from crawler.pipeline import captures
from crawler.warc import WarcStore
from crawler.warc.foreign import Tally
from crawler.warc.foreign import captures as read

OLD = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)


class Made:
    """A WARC file in the making, as somebody else's crawler writes it."""

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


def all_of(path, wanted=lambda url: "vietnamplus" in url):
    tally = Tally()
    return list(read(path, wanted, tally)), tally


# --- reading files ----------------------------------------------------------------------------------------------------

PAGE = f"{SITE}/titre-post245060.vnp"


@pytest.mark.parametrize("form", ["gzip by record", "plain", "gzip as a whole"])
def test_every_form_of_file(tmp_path, form):
    made = Made(gzipped=form == "gzip by record")
    made.add("https://elsewhere.example/", b"other").add(PAGE, b"<p>one</p>").add(f"{PAGE}?2", b"<p>two</p>")
    path = made.write(tmp_path / "a.warc.gz")
    if form == "gzip as a whole":
        path.write_bytes(gzip.compress(path.read_bytes()))
    found, tally = all_of(path)
    assert [(r.url, r.body, r.fetched_at, r.status) for r in found] == [
        (PAGE, b"<p>one</p>", OLD, 200),
        (f"{PAGE}?2", b"<p>two</p>", OLD, 200),
    ]
    assert (tally.records, tally.wanted, tally.damage) == (3, 2, None)
    assert {r.origin for r in found} == {"a.warc.gz"}


@pytest.mark.parametrize(
    ("situation", "record", "reason"),
    [
        ("revisit", {"kind": "revisit"}, "revisit"),
        ("cut", {"warc": {"WARC-Truncated": "length"}}, "cut by whoever"),
    ],
)
def test_what_cannot_be_taken_is_counted_with_its_reason(tmp_path, situation, record, reason):
    found, tally = all_of(Made().add(PAGE, **record).write(tmp_path / "a.warc.gz"))
    assert found == []
    assert tally.wanted == 1
    assert [reason in why for why in tally.passed] == [True], situation


@pytest.mark.parametrize(
    "odd",
    [
        {"warc": {"WARC-Date": "yesterday"}},
        {"status": "OK 200"},
        {"body": b"5\r\nabc", "headers": [("Transfer-Encoding", "chunked")]},
    ],
    ids=["no date", "no status", "chunks that break off"],
)
def test_one_odd_record_does_not_hide_those_behind_it(tmp_path, odd):
    made = Made().add(PAGE, b"one").add(f"{PAGE}?2", **{"body": b"odd", **odd}).add(f"{PAGE}?3", b"three")
    found, tally = all_of(made.write(tmp_path / "a.warc.gz"))
    assert [r.body for r in found if not r.url.endswith("?2")] == [b"one", b"three"]
    assert tally.damage is None
    assert len(found) + sum(tally.passed.values()) == 3


@pytest.mark.parametrize(
    ("address", "headers", "when"),
    [
        ("https://web.archive.org/web/20190102030405id_/" + PAGE, [], datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (
            "http://web.archive.org/web/20190102030405id_/" + PAGE,
            [("Memento-Datetime", "Wed, 02 Jan 2019 03:04:09 GMT")],
            datetime(2019, 1, 2, 3, 4, 9, tzinfo=UTC),
        ),
        ("https://web.archive.org/web/20190102030405/" + PAGE, [], None),
        ("https://web.archive.org/web/20190102030405if_/" + PAGE, [], None),
    ],
    ids=["as captured", "with the date of the capture", "rewritten", "rewritten for a frame"],
)
def test_downloads_from_the_wayback_machine(tmp_path, address, headers, when):
    found, tally = all_of(Made().add(address, at=NOW, headers=headers).write(tmp_path / "a.warc.gz"))
    assert [(r.url, r.fetched_at) for r in found] == ([(PAGE, when)] if when else [])
    assert [("id_" in why) for why in tally.passed] == ([] if when else [True])


def test_chunks_of_the_connection_are_undone_and_the_content_coding_is_kept(tmp_path):
    body = gzip.compress(b"<p>un</p>", mtime=0)
    chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    headers = [("Transfer-Encoding", "chunked"), ("Content-Encoding", "gzip")]
    ((record,), _) = all_of(Made().add(PAGE, chunked, headers=headers).write(tmp_path / "a.warc.gz"))
    assert record.body == body


@pytest.mark.parametrize("gzipped", [True, False])
def test_a_file_that_is_cut_gives_what_stands_before(tmp_path, gzipped):
    path = Made(gzipped=gzipped).add(PAGE, b"x" * 500).add(PAGE, bytes(range(256)) * 40).write(tmp_path / "a.warc")
    path.write_bytes(path.read_bytes()[:-200])
    found, tally = all_of(path)
    assert [r.body for r in found] == [b"x" * 500]
    assert tally.damage.startswith("behind record 2: ")


@pytest.mark.parametrize("content", [b"", b"<html>", b"PK\3\4 zip"])
def test_what_is_no_warc_file(tmp_path, content):
    path = tmp_path / "a.warc.gz"
    path.write_bytes(content)
    with pytest.raises(BadInput, match="no WARC file"):
        all_of(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        all_of(tmp_path / "none")


# --- where a capture belongs ------------------------------------------------------------------------------------------


def at(day):
    return NOW + timedelta(days=day)


TIMELINE = (Said(1, at(10), "a"), Said(2, at(20), "b"), Said(3, at(30), "c"))


@pytest.mark.parametrize(
    ("situation", "fingerprint", "day", "expected"),
    [
        ("before the first, the same", "a", 5, Place("earlier", 1)),
        ("before the first, something else", "z", 5, Place("inserted", 1)),
        ("before the first, what a later one says", "b", 5, Place("inserted", 1)),
        ("at the first", "a", 10, Place("unchanged", 1)),
        ("between, like the one before", "a", 15, Place("unchanged", 1)),
        ("between, like the one behind", "b", 15, Place("earlier", 2)),
        ("between, like neither", "z", 15, Place("inserted", 2)),
        ("behind the last", "c", 35, Place("newest")),
        ("behind the last, something else", "z", 35, Place("newest")),
    ],
)
def test_place(situation, fingerprint, day, expected):
    assert place(fingerprint, at(day), TIMELINE) == expected, situation


# --- into an archive --------------------------------------------------------------------------------------------------


@pytest.fixture
def clock():
    return FakeClock()


def capture_of(site, post_id, tmp_path, *, when=OLD, name="CC-NEWS-20210304.warc.gz", **record):
    """The page of a story as it stands now, in a file of somebody else's."""
    story = site.replica.story(post_id)
    from crawler.sim.site import Request  # noqa: PLC0415 - used here alone

    body = site.replica.respond(Request("GET", story.path)).decoded
    return (
        Made()
        .add("https://other.example/", b"x")
        .add(SITE + story.path, body, at=when, **record)
        .write(tmp_path / name)
    )


def take(archive, clock, *paths):
    with working(archive, clock, command="backfill", role="backfill") as context:
        taken = [captures.Taken(path.name) for path in paths]
        for path, one in zip(paths, taken, strict=True):
            captures.take_over(context, path, one)
    return taken


def test_an_article_that_only_others_have(tmp_path, clock):
    """It is held, with their date; the evidence names the collection, and reads back."""
    archive = tmp_path / "a"
    with mounted(clock) as site:
        post_id = site.replica.ids()[0]
        path = capture_of(site, post_id, tmp_path)
    (taken,) = take(archive, clock, path)
    assert dict(taken.verdicts) == {"new": 1}
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
    intact(archive)
    with WarcStore(archive / "warc") as store:
        (record,) = store.records()
    assert (record.origin, record.written_at, record.fetched_at) == (path.name, NOW, OLD)


def test_taking_over_twice_is_taking_over_once(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted(clock) as site:
        path = capture_of(site, site.replica.ids()[0], tmp_path)
    take(archive, clock, path)
    before = rows(archive, "SELECT * FROM raw"), rows(archive, "SELECT * FROM revisions")
    (again,) = take(archive, clock, path)
    assert dict(again.verdicts) == {"known": 1}
    assert (rows(archive, "SELECT * FROM raw"), rows(archive, "SELECT * FROM revisions")) == before


@pytest.fixture
def held(tmp_path, clock):
    """An archive that polled the site, and captures of one article before and after the agency changed it."""
    archive = tmp_path / "a"
    with mounted(clock) as site:
        post_id = site.replica.ids()[-1]
        first = capture_of(site, post_id, tmp_path, when=NOW - timedelta(days=3), name="first.warc.gz")
        site.replica.revise(post_id, title="Un titre corrigé")
        second = capture_of(site, post_id, tmp_path, when=NOW - timedelta(days=2), name="second.warc.gz")
        site.replica.revise(post_id, title="Un titre corrigé deux fois")
        third = capture_of(site, post_id, tmp_path, when=NOW - timedelta(days=1), name="third.warc.gz")
        poll(archive, clock)
    return archive, post_id, {"first": first, "second": second, "third": third}


def history(archive, post_id):
    found = rows(archive, "SELECT revision, seen_at, title, changed FROM revisions WHERE article = ?", post_id)
    return [(row["revision"], row["seen_at"][:10], row["title"][-20:], row["changed"]) for row in found]


@pytest.mark.parametrize(
    "order", [("first", "second", "third"), ("third", "second", "first"), ("second", "first", "third")]
)
def test_captures_fill_the_history_whatever_their_order(held, clock, order):
    archive, post_id, files = held
    title = value(archive, "SELECT title FROM articles WHERE id = ?", post_id)
    take(archive, clock, *(files[name] for name in order))
    found = history(archive, post_id)
    assert [(number, day) for number, day, _, _ in found] == [(1, "2026-11-18"), (2, "2026-11-19"), (3, "2026-11-20")]
    assert [changed for _, _, _, changed in found] == ["[]", '["title"]', '["title"]']
    assert found[1][2] == "Un titre corrigé"
    assert found[2][2] == title[-20:]
    assert value(archive, "SELECT revision FROM articles WHERE id = ?", post_id) == 3
    assert value(archive, "SELECT first_seen_at FROM articles WHERE id = ?", post_id)[:10] == "2026-11-18"
    assert value(archive, "SELECT title FROM articles WHERE id = ?", post_id) == title, "what stands now stays"
    intact(archive)


def test_a_live_page_keeps_its_schedule(held, clock):
    archive, post_id, files = held
    before = rows(archive, "SELECT * FROM pages WHERE id = ?", post_id)
    take(archive, clock, files["first"])
    assert rows(archive, "SELECT * FROM pages WHERE id = ?", post_id) == before


@pytest.mark.parametrize(
    ("situation", "record", "counted"),
    [
        ("a redirect", {"status": "301 Moved"}, "HTTP status 301"),
        ("a page that is gone", {"status": "404 Not Found"}, "HTTP status 404"),
        ("a coding that is not known", {"headers": [("Content-Encoding", "br")]}, "the body cannot be read"),
        ("damaged gzip", {"headers": [("Content-Encoding", "gzip")]}, "the body cannot be read"),
    ],
)
def test_answers_that_are_no_page(tmp_path, clock, situation, record, counted):
    archive = tmp_path / "a"
    with mounted(clock) as site:
        path = capture_of(site, site.replica.ids()[0], tmp_path, **record)
    (taken,) = take(archive, clock, path)
    assert [why.startswith(counted) for why in taken.tally.passed] == [True], situation
    assert value(archive, "SELECT count(*) FROM raw") == 0


def test_a_capture_that_cannot_be_read_is_kept_and_listed(tmp_path, clock):
    archive = tmp_path / "a"
    (taken,) = take(archive, clock, Made().add(PAGE, b"<html><body>Un mur").write(tmp_path / "wall.warc.gz"))
    assert dict(taken.verdicts) == {"unread": 1}
    assert rows(archive, "SELECT state, error FROM pages") == [
        {"state": "drift", "error": "captured by wall.warc.gz, but not read"}
    ]
    assert value(archive, "SELECT count(*) FROM raw") == 1


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_takes_over_file_after_file(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted(clock) as site:
        ids = site.replica.ids()
        files = [capture_of(site, post_id, tmp_path, name=f"{post_id}.warc.gz") for post_id in ids[:2]]
    done = vna("--archive", archive, "backfill", "--warc", files[0], "--warc", files[1], "--json")
    assert done.code == 0, done
    told = [json.loads(line) for line in done.out.splitlines()]
    assert [(one["records"], one["wanted"], one["verdicts"]) for one in told] == [(2, 1, {"new": 1})] * 2
    done = vna("--archive", archive, "backfill", "--warc", files[0])
    assert "1 known" in done.out
    assert value(archive, "SELECT count(*) FROM articles") == 2


def test_the_command_says_what_it_could_not_take(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted(clock) as site:
        first, second = site.replica.ids()[:2]
        whole = capture_of(site, first, tmp_path, status="404 Not Found")
        cut = capture_of(site, second, tmp_path, name="cut.warc.gz")
    cut.write_bytes(cut.read_bytes()[:-400])
    done = vna("--archive", archive, "backfill", "--warc", whole, "--warc", cut)
    assert done.code == 5, done
    assert "passed over 1: HTTP status 404" in done.out
    assert "cut.warc.gz is damaged behind record" in done.err


@pytest.mark.parametrize("words", [["--via", "ids"], ["--since", "2024-01-01"], ["--dry-run"], ["--captures"]], ids=str)
def test_options_that_do_not_go_together(tmp_path, words):
    assert vna("--archive", tmp_path, "backfill", "--warc", tmp_path / "x.warc", *words).code == 2


def test_a_file_of_something_else(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK")
    done = vna("--archive", tmp_path / "a", "backfill", "--warc", tmp_path / "x.zip")
    assert done.code == 1
    assert "no WARC file" in done.err


def test_where_captures_of_the_missing_may_be_had(tmp_path, clock):
    archive = tmp_path / "a"
    with mounted(clock) as site:
        ids = site.replica.ids()
        story = site.replica.story(ids[-1])
        lost = story.path
        site.replica.fault("error", path=lost)
        poll(archive, clock)
    done = vna("--archive", archive, "backfill", "--captures")
    assert done.code == 0
    assert done.out == f"https://web.archive.org/web/{story.published:%Y%m}15id_/{SITE}{lost}\n"
    assert vna("--archive", archive, "backfill", "--captures", "--since", f"{story.published:%Y}-12-31").out == ""
