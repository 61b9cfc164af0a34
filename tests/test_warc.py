"""The WARC files: what is written, how files are chosen, crash repair, and the detection of damage."""

from __future__ import annotations

import gzip
import io
import os
import resource
import subprocess
import sys
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from support import NOW, ROOT, SITE, fetched, gzipped, random_bytes
from warcio.archiveiterator import ArchiveIterator
from warcio.digestverifyingreader import DigestChecker

from crawler.errors import WarcCorrupted, WarcError
from crawler.types import RawRef
from crawler.warc import Damage, Member, WarcStore, digest, find_record, repair_tail

HTML = "<html><title>Điện Biên Phủ</title></html>".encode()
FIRST = "2026/11/vna-20261121-000.warc.gz"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "warc"


def members(data):
    """Split a file into its gzip members, using only the standard library."""
    found = []
    while data:
        engine = zlib.decompressobj(wbits=31)
        content = engine.decompress(data)
        assert engine.eof
        found.append((data[: len(data) - len(engine.unused_data)], content))
        data = engine.unused_data
    return found


def library_view(path):
    """Return every record of a file as the WARC library reads it, with digests checked."""
    with path.open("rb") as file:
        checker = DigestChecker("raise")
        records = ArchiveIterator(file, check_digests=checker)
        found = [(r.rec_type, r.rec_headers, r.http_headers, r.content_stream().read()) for r in records]
        assert checker.passed is not False
    return found


def files(folder):
    return [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.warc.gz"))]


# --- what is written --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (HTML, None),
        (gzipped(HTML), "gzip"),
        (b"", None),
        (random_bytes(200_000), None),
        (b"\r\n\r\nWARC/1.1\r\n", None),
    ],
    ids=["plain", "gzipped", "empty", "large", "looks like a record"],
)
def test_a_record_reads_back_as_received(folder, body, coding):
    headers = (("Content-Type", "text/html"), *([("Content-Encoding", coding)] if coding else []))
    with WarcStore(folder) as store:
        ref = store.append(fetched(body, headers=headers))
        record = store.read(ref)
    assert (record.url, record.fetched_at, record.status) == (f"{SITE}/titre-post245060.vnp", NOW, 200)
    assert record.headers == headers
    assert record.body == body
    assert record.ref == ref
    assert ref == RawRef(FIRST, ref.offset, ref.length, digest(body))


def test_the_warc_library_reads_response_and_request(folder):
    with WarcStore(folder, software="test") as store:
        store.append(fetched(gzipped(HTML), headers=(("Content-Encoding", "gzip"),)))
    info, response, request = library_view(folder / FIRST)
    assert [r[0] for r in (info, response, request)] == ["warcinfo", "response", "request"]
    assert b"software: test" in info[3]
    assert response[1]["WARC-Payload-Digest"] == digest(gzipped(HTML))
    assert response[1]["WARC-Date"] == "2026-11-21T08:00:00.000000Z"
    assert response[1]["WARC-Target-URI"] == f"{SITE}/titre-post245060.vnp"
    assert response[3] == HTML, "the library removes the content coding"
    assert request[1]["WARC-Concurrent-To"] == response[1]["WARC-Record-ID"]
    assert request[2].statusline == "/titre-post245060.vnp HTTP/1.1"
    assert request[2]["User-Agent"] == "vna-archive/test"
    assert all(r[1].protocol == "WARC/1.1" for r in (info, response, request))


def test_one_gzip_member_per_record(folder):
    with WarcStore(folder) as store:
        refs = [store.append(fetched(random_bytes(n * 1000, n))) for n in range(4)]
    data = (folder / FIRST).read_bytes()
    parts = members(data)
    assert len(parts) == 1 + 2 * 4
    assert all(content.startswith(b"WARC/1.1\r\n") for _, content in parts)
    for ref, (raw, _) in zip(refs, parts[1::2], strict=True):
        assert data[ref.offset : ref.offset + ref.length] == raw


@pytest.mark.parametrize("size", [1, 2047, 2048, 2049, 65_535, 65_536, 200_000])
@pytest.mark.parametrize("kind", ["compressed", "text", "compressed in the middle", "text in the middle"])
def test_a_payload_that_cannot_be_compressed_is_stored(folder, kind, size):
    noise, text = random_bytes(size), b"<p>Un texte.</p>" * (size // 16)
    body = {
        "compressed": noise, "text": text, "compressed in the middle": text + noise + text,
        "text in the middle": noise + text + noise,
    }[kind]  # fmt: skip
    with WarcStore(folder) as store:
        ref = store.append(fetched(body))
        assert store.read(ref).body == body
    ((_, request), (_, record)) = members((folder / FIRST).read_bytes())[:0:-1]
    assert record.endswith(b"\r\n\r\n" + body + b"\r\n\r\n")
    assert b"WARC-Type: request" in request, "it follows directly"
    assert ref.length < len(body) + 600
    if kind == "text":
        assert ref.length < size / 10 + 600


def test_headers_are_stored_as_received(folder):
    headers = (
        ("content-TYPE", "text/html"),
        ("Set-Cookie", "a=1; Path=/"),
        ("Set-Cookie", "b=2"),
        ("X-Empty", ""),
        ("X-Latin", "caf\xe9"),
        ("X-Utf8", "Điện".encode().decode("latin-1")),
        ("X-Colons", "a: b: c"),
    )
    with WarcStore(folder) as store:
        ref = store.append(fetched(HTML, headers=headers, reason="C'est bon"))
        record = store.read(ref)
    _, content = members((folder / FIRST).read_bytes())[1]
    head = content.split(b"\r\n\r\n")[1]
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 C'est bon",
        *(f"{name}: {value}".encode("latin-1") for name, value in headers),
    ]
    assert [name for name, _ in record.headers] == [name for name, _ in headers]


@pytest.mark.parametrize("name", ["Transfer-Encoding", "content-length"])
def test_transfer_headers_are_stored_under_another_name(folder, name):
    """The client has decoded the chunks; with the original header, readers would decode them a second time."""
    value = "chunked" if name == "Transfer-Encoding" else "999999"
    with WarcStore(folder) as store:
        record = store.read(store.append(fetched(HTML, headers=((name, value),))))
    assert record.headers == ((f"X-Archive-Orig-{name}", value),)
    assert library_view(folder / FIRST)[1][3] == HTML


@pytest.mark.parametrize("status", [200, 304, 404, 500])
def test_any_status_is_stored(folder, status):
    with WarcStore(folder) as store:
        assert store.read(store.append(fetched(b"", status=status, reason=""))).status == status


def test_records_are_read_in_the_order_of_writing(folder):
    with WarcStore(folder, max_bytes=5000) as store:
        refs = [store.append(fetched(random_bytes(2000, n), fetched_at=NOW + timedelta(hours=6 * n))) for n in range(8)]
        found = list(store.records())
    assert [record.ref for record in found] == refs
    assert [record.body for record in found] == [random_bytes(2000, n) for n in range(8)]
    assert len(files(folder)) > 3


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("situation", "hours", "max_bytes", "expected"),
    [
        ("one day", (0, 1, 2), 10**9, [FIRST]),
        ("midnight", (0, 16), 10**9, [FIRST, "2026/11/vna-20261122-000.warc.gz"]),
        ("another month", (0, 24 * 10), 10**9, [FIRST, "2026/12/vna-20261201-000.warc.gz"]),
        ("full", (0, 0, 0), 1, [f"2026/11/vna-20261121-00{n}.warc.gz" for n in range(3)]),
    ],
)
def test_file_rotation(folder, situation, hours, max_bytes, expected):
    with WarcStore(folder, max_bytes=max_bytes) as store:
        refs = [store.append(fetched(HTML, fetched_at=NOW + timedelta(hours=h))) for h in hours]
        assert all(store.read(ref).body == HTML for ref in refs)
    assert files(folder) == expected
    assert all(library_view(folder / name)[0][0] == "warcinfo" for name in expected)


def test_the_next_run_continues_the_same_file(folder):
    refs = []
    for _ in range(3):
        with WarcStore(folder) as store:
            refs.append(store.append(fetched(HTML)))
    assert files(folder) == [FIRST]
    assert [r[0] for r in library_view(folder / FIRST)] == ["warcinfo", *["response", "request"] * 3]
    assert len({ref.offset for ref in refs}) == 3


def test_the_number_of_a_removed_file_is_not_reused(folder):
    with WarcStore(folder, max_bytes=1) as store:
        for _ in range(3):
            store.append(fetched(HTML))
    (folder / FIRST).unlink()
    with WarcStore(folder, max_bytes=1) as store:
        ref = store.append(fetched(HTML))
    assert ref.file == "2026/11/vna-20261121-003.warc.gz"


# --- a torn tail ------------------------------------------------------------------------------------------------------


def test_a_tail_cut_at_any_byte_is_repaired(folder):
    with WarcStore(folder) as store:
        store.append(fetched(HTML))
        good = (folder / FIRST).stat().st_size
        store.append(fetched(b"lost"))
    whole = (folder / FIRST).read_bytes()
    request_at = good + len(members(whole[good:])[0][0])
    for end in range(good + 1, len(whole)):
        (folder / FIRST).write_bytes(whole[:end])
        for torn in folder.rglob("*.torn"):
            torn.unlink()
        kept = request_at if end >= request_at else good
        assert repair_tail(folder / FIRST) == end - kept, end
        assert (folder / FIRST).read_bytes() == whole[:kept]
        torn = [path.read_bytes() for path in folder.rglob("*.torn")]
        assert torn == ([whole[kept:end]] if end > kept else []), "the cut bytes are saved next to the file"
    assert library_view(folder / FIRST)[1][3] == HTML


@pytest.mark.parametrize("missing", [1, 9, 300, 500, 700])
def test_the_next_run_continues_after_the_last_complete_record(folder, missing):
    with WarcStore(folder) as store:
        first = store.append(fetched(HTML))
        store.append(fetched(b"lost"))
    whole = (folder / FIRST).read_bytes()
    (folder / FIRST).write_bytes(whole[:-missing])
    with WarcStore(folder) as store:
        ref = store.append(fetched(b"next"))
        assert [store.read(r).body for r in (first, ref)] == [HTML, b"next"]
        assert list(store.records())[-1].ref == ref
    assert files(folder) == [FIRST]


@pytest.mark.parametrize("tail", [bytes(512), b"\x1f", b"\x1f\x8b\x08\x00", b"garbage", random_bytes(5000)])
def test_a_tail_of_garbage_is_cut(folder, tail):
    with WarcStore(folder) as store:
        ref = store.append(fetched(HTML))
    with (folder / FIRST).open("ab") as file:
        file.write(tail)
    assert repair_tail(folder / FIRST) == len(tail)
    assert repair_tail(folder / FIRST) == 0
    with WarcStore(folder) as store:
        assert store.read(ref).body == HTML


def test_an_empty_file_after_a_crash_is_used(folder):
    path = folder / FIRST
    path.parent.mkdir(parents=True)
    path.touch()
    with WarcStore(folder) as store:
        store.append(fetched(HTML))
    assert [r[0] for r in library_view(path)] == ["warcinfo", "response", "request"]


def test_damage_before_intact_records_is_not_cut(folder):
    """A flipped bit is not a crash: database rows refer to the records after it."""
    with WarcStore(folder) as store:
        refs = [store.append(fetched(random_bytes(300, n))) for n in range(3)]
    path = folder / FIRST
    damaged = bytearray(path.read_bytes())
    damaged[refs[0].offset + 50] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(WarcCorrupted, match="follow the damage") as caught:
        repair_tail(path)
    assert "verify" in caught.value.hint
    assert FIRST in str(caught.value)
    with WarcStore(folder) as store:
        ref = store.append(fetched(HTML))
        assert [store.read(r).body for r in (*refs[1:], ref)] == [random_bytes(300, 1), random_bytes(300, 2), HTML]
    assert path.read_bytes() == bytes(damaged)
    assert ref.file != FIRST, "no existing row may refer to a new record"


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0xFF, 0x01])
def test_a_flipped_byte_is_detected(folder, mask):
    with WarcStore(folder) as store:
        store.append(fetched(b"another"))
        ref = store.append(fetched(gzipped(HTML)))
        store.append(fetched(b"another"))
        path, before = folder / FIRST, store.read(ref)
        data = path.read_bytes()
        undetected = set()
        for position in range(ref.length):
            damaged = bytearray(data)
            damaged[ref.offset + position] ^= mask
            path.write_bytes(damaged)
            try:
                assert store.read(ref) == before, position
                undetected.add(position)
            except WarcCorrupted:
                pass
    assert undetected <= set(range(3, 10)), "flags, time and system in the gzip header do not affect the record"


@pytest.mark.parametrize(
    ("situation", "change"),
    [
        ("no such file", lambda r: RawRef("2026/11/none.warc.gz", r.offset, r.length, r.digest)),
        ("another offset", lambda r: RawRef(r.file, r.offset + 1, r.length, r.digest)),
        ("after the end", lambda r: RawRef(r.file, r.offset + 10**6, r.length, r.digest)),
        ("too short", lambda r: RawRef(r.file, r.offset, r.length - 1, r.digest)),
        ("the request", lambda r: RawRef(r.file, r.offset + r.length, r.length, r.digest)),
        ("the warcinfo", lambda r: RawRef(r.file, 0, r.offset, r.digest)),
        ("another digest", lambda r: RawRef(r.file, r.offset, r.length, digest(b"another"))),
    ],
)
def test_a_wrong_reference_is_an_error(folder, situation, change):
    with WarcStore(folder) as store:
        ref = store.append(fetched(HTML))
        with pytest.raises(WarcCorrupted) as caught:
            store.read(change(ref))
    assert "verify" in caught.value.hint


def test_a_missing_file_descriptor_is_not_reported_as_damage(folder):
    with WarcStore(folder) as store:
        ref = store.append(fetched())
        limits = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                store.read(ref)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert store.read(ref).status == 200


def test_reading_all_records_stops_at_damage(folder):
    with WarcStore(folder) as store:
        refs = [store.append(fetched(random_bytes(300, n))) for n in range(3)]
        damaged = bytearray((folder / FIRST).read_bytes())
        damaged[refs[1].offset + refs[1].length - 20] ^= 0xFF
        (folder / FIRST).write_bytes(damaged)
        records = store.records()
        assert next(records).ref == refs[0]
        with pytest.raises(WarcCorrupted):
            list(records)


def test_a_scan_continues_after_damage(folder):
    with WarcStore(folder) as store:
        refs = [store.append(fetched(random_bytes(300, n), fetched_at=NOW), f"page:{n}") for n in range(4)]
        store.note(f"{SITE}/x", NOW, "page:9", {"outcome": "Unreachable", "error": "a\n b"})
        whole = bytearray((folder / FIRST).read_bytes())
        whole[refs[1].offset + 20] ^= 0xFF
        (folder / FIRST).write_bytes(whole + b"\x1f\x8b\x08half")
        items = list(store.scan(FIRST))
        later = list(store.scan(FIRST, refs[3].offset))
    damaged = [(d.offset, d.offset + d.length, d.torn) for d in items if isinstance(d, Damage)]
    following = refs[1].offset + refs[1].length
    assert damaged == [(refs[1].offset, following, False), (len(whole), len(whole) + 7, True)]
    found = [m.record for m in items if isinstance(m, Member) and m.record is not None]
    assert [r.ref for r in found[:3]] == [refs[0], refs[2], refs[3]]
    assert (found[3].purpose, found[3].body) == ("page:9", b"outcome: Unreachable\r\nerror: a b\r\n")
    assert sum(item.length for item in items) == len(whole) + 7, "the items cover every byte"
    assert later == items[-len(later) :]


@pytest.mark.parametrize(
    "member",
    [gzip.compress(b"no record", mtime=0), gzip.compress(b"WARC/1.1\r\nWARC-Type: response\r\n\r\n", mtime=0)],
    ids=["not a record", "truncated header"],
)
def test_a_complete_member_that_is_not_a_record_is_damage(folder, member):
    path = folder / FIRST
    path.parent.mkdir(parents=True)
    path.write_bytes(member)
    with WarcStore(folder) as store:
        (damage,) = store.scan(FIRST)
    assert (damage.offset, damage.length, damage.torn) == (0, len(member), True)
    assert damage.reason


def test_a_record_larger_than_the_read_buffer(folder):
    with WarcStore(folder) as store:
        refs = [store.append(fetched(random_bytes(700_000, n))) for n in range(3)]
        assert [m.record.ref for m in store.scan(FIRST) if m.record] == refs


# --- records without rows, after a crash ------------------------------------------------------------------------------


def known(folder, end):
    return WarcStore(folder, known_end=lambda name: end if name == FIRST else 0)


def test_nothing_is_appended_after_responses_without_rows(folder):
    with WarcStore(folder) as store:
        first = store.append(fetched(HTML), "page:1")
        second = store.append(fetched(HTML), "page:2")
    end = first.offset + first.length
    with known(folder, end) as store:
        assert [r.purpose for r in store.records_without_rows(FIRST)] == ["page:2"]
        assert store.append(fetched(HTML)).file != FIRST
    with known(folder, second.offset + second.length) as store:
        assert store.records_without_rows(FIRST) == []
        assert store.append(fetched(HTML)).file == FIRST
    with known(folder, 10**9) as store:
        assert store.records_without_rows(FIRST) == []
        assert store.append(fetched(HTML)).file != FIRST, "a file that has become shorter is not continued"
    assert (folder / FIRST).stat().st_size < 10**9


def test_a_metadata_record_without_a_row_does_not_block_the_file(folder):
    with WarcStore(folder) as store:
        ref = store.append(fetched(HTML), "page:1")
        store.note(f"{SITE}/x", NOW, "page:2", {"outcome": "Unreachable", "error": "x"})
    with known(folder, ref.offset + ref.length) as store:
        assert [(r.purpose, r.warc_type) for r in store.records_without_rows(FIRST)] == [("page:2", "metadata")]
        assert store.append(fetched(HTML)).file == FIRST


def test_a_torn_tail_after_the_known_end_is_cut(folder):
    with WarcStore(folder) as store:
        ref = store.append(fetched(HTML), "page:1")
    size = (folder / FIRST).stat().st_size
    with (folder / FIRST).open("ab") as file:
        file.write(b"\x1f\x8b\x08half")
    with known(folder, ref.offset + ref.length) as store:
        assert store.records_without_rows(FIRST) == []
    assert (folder / FIRST).stat().st_size == size


def test_a_writer_holds_the_lock_of_its_file(folder):
    with WarcStore(folder) as one, WarcStore(folder) as other:
        one.append(fetched(HTML))
        with other.try_lock(FIRST) as locked:
            assert not locked
        one.close()
        with other.try_lock(FIRST) as locked:
            assert locked


# --- durability and disk errors ---------------------------------------------------------------------------------------


def test_the_bytes_are_on_the_disk_before_the_reference_is_returned(folder, monkeypatch):
    synced = {}

    def fsync(handle, really=os.fsync):
        synced[str(Path(f"/proc/self/fd/{handle}").readlink())] = os.fstat(handle).st_size
        really(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    with WarcStore(folder) as store:
        for n in range(3):
            synced.clear()
            ref = store.append(fetched(HTML))
            path = folder / ref.file
            assert synced[str(path)] >= ref.offset + ref.length
            assert (str(path.parent) in synced) == (n == 0), "the directory entry of a new file must also be synced"


@pytest.mark.parametrize("place", [".", "2026", "2026/11"])
def test_a_folder_that_cannot_be_created(folder, place):
    (folder / place).parent.mkdir(parents=True, exist_ok=True)
    (folder / place).touch()
    with WarcStore(folder) as store, pytest.raises(WarcError) as caught:
        store.append(fetched(HTML))
    assert "space" in caught.value.hint
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("size", [3000, 50_000], ids=["smaller than the buffer", "larger than the buffer"])
def test_a_full_disk(folder, size):
    """A limit on the file size simulates a full disk: the write fails half-way, and the next write repairs the file."""
    program = f"""
import pathlib, resource, sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from support import *
from crawler.errors import WarcError
from crawler.warc import WarcStore
with WarcStore(pathlib.Path({str(folder)!r})) as store:
    ref = store.append(fetched(random_bytes(1000, 1)))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2500, resource.RLIM_INFINITY))
    try:
        store.append(fetched(random_bytes({size}, 2)))
    except WarcError as error:
        print(error, "|", error.hint)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert store.read(ref).body == random_bytes(1000, 1)
    again = store.append(fetched(random_bytes({size}, 2)))
    assert store.read(again).body == random_bytes({size}, 2)
    assert [r.ref for r in store.records()] == [ref, again]
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout
    assert "stored data is safe" in done.stdout
    assert done.stderr == ""


def test_any_gzip_tool_can_read_the_file(folder):
    with WarcStore(folder) as store:
        store.append(fetched(HTML))
    whole = gzip.decompress((folder / FIRST).read_bytes())
    assert whole.count(b"WARC/1.1\r\n") == 3
    assert HTML in whole
    assert io.BytesIO(whole).readline() == b"WARC/1.1\r\n"


@pytest.mark.parametrize("before", [0, 1, (1 << 20) - 600, (1 << 20) - 512, (1 << 20) - 3, (1 << 20) - 1, 1 << 20])
def test_a_record_is_found_wherever_it_begins(before):
    """The search reads chunks of 1 MB; `before` is the number of bytes before the record."""
    magic = b"\x1f\x8b\x08"  # a gzip member begins with it, but these are not members
    noise = (bytes(before) + magic * 400)[-before:] if before else b""
    data = noise + gzipped(b"WARC/1.1\r\n" + random_bytes(2000)) + gzipped(b"WARC/1.1\r\n")
    assert find_record(io.BytesIO(data), 0) == before
    assert find_record(io.BytesIO(data), before) == before
    assert find_record(io.BytesIO(data), before + 1) == data.rindex(magic)
    assert find_record(io.BytesIO(data), 0, before) is None
    assert find_record(io.BytesIO(data), len(data)) is None
