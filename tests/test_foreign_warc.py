"""WARC files of other programs: encodings, dates, framing and damage, read record by record."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from datetime import UTC, datetime

import brotli
import pytest
import zstandard
from foreign_records import SITE, address, arc, arc_head, chunked, http, members, page, warc
from hypothesis import given
from hypothesis import strategies as st

from crawler import urls
from crawler.errors import BadInput, BodyTooLarge, FetchError, Interrupted
from crawler.pipeline.stored_pages import response_of
from crawler.warc.dates import from_warc_date
from crawler.warc.foreign import captures
from crawler.warc.import_tally import ImportTally, Skip

PAGE = page()
OTHER = warc(b"HTTP/1.1 200 OK\r\n\r\nx", url="https://elsewhere.example/post.vnp")


def judge(url):
    """Return why an address is unwanted, as the import does."""
    if "vietnamplus" not in url.lower():
        return Skip.OTHER_SITE
    return None if urls.post_id(urls.canonical(url)) else Skip.OTHER_PAGE


def read(tmp_path, data, name="a.warc.gz"):
    """Return the post ids of the captures in a file, and the tally."""
    path = tmp_path / name
    path.write_bytes(data)
    tally = ImportTally()
    found = list(captures(path, judge, tally))
    return found, tally


def ids(found):
    return [urls.post_id(capture.record.url) for capture in found]


def reasons(tally):
    return [fault.reason for fault in tally.faults]


# --- content and transfer codings -------------------------------------------------------------------------------------


def raw_deflate(data):
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(data) + engine.flush()


GZIP = gzip.compress(PAGE, mtime=0)

READABLE = [
    ("gzip", GZIP),
    ("x-gzip", GZIP),
    ("GZip", GZIP),
    ("deflate", zlib.compress(PAGE)),
    ("deflate", raw_deflate(PAGE)),
    ("br", brotli.compress(PAGE)),
    ("zstd", zstandard.compress(PAGE)),
    ("gzip, br", brotli.compress(GZIP)),
    ("br,gzip", gzip.compress(brotli.compress(PAGE), mtime=0)),
    ("identity", PAGE),
    ("utf-8", PAGE),
    (None, PAGE),
    # the header contradicts the body
    ("gzip", PAGE),
    ("gzip", b"\xef\xbb\xbf\r\n" + PAGE),
    ("deflate", PAGE),
    ("br", PAGE),
    ("zstd", PAGE),
    ("gzip, br", PAGE),
    ("gzip, br", GZIP),
    ("unheard-of", PAGE),
    ("br", GZIP),
    ("deflate", GZIP),
    ("gzip", zlib.compress(PAGE)),
    ("gzip", gzip.compress(GZIP, mtime=0)),
    ("gzip", zstandard.compress(PAGE)),
    (None, GZIP),
    (None, zstandard.compress(PAGE)),
    (None, zlib.compress(PAGE)),
    (None, zlib.compress(PAGE, 9)),
    (None, brotli.compress(PAGE)),
    ("gzip", brotli.compress(PAGE)),
    ("identity", brotli.compress(PAGE, quality=0)),
    ("identity", b"\x78\x9c" + PAGE),
    # odd spellings
    ("brotli", brotli.compress(PAGE)),
    ("Zstandard", zstandard.compress(PAGE)),
    ('"br"', brotli.compress(PAGE)),
    ("br;q=1.0, identity", brotli.compress(PAGE)),
]


@pytest.mark.parametrize(("coding", "body"), READABLE)
def test_a_body_is_decoded_whatever_its_header_says(tmp_path, coding, body):
    headers = [f"Content-Encoding: {coding}"] if coding else []
    ((capture,), tally) = read(tmp_path, members(warc(http(body, *headers))))
    assert capture.record.body == body, "the body is kept as it was received"
    assert response_of(capture.record).content.removeprefix(b"\xef\xbb\xbf\r\n").removeprefix(b"\x78\x9c") == PAGE
    assert not tally.needs_attention


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", GZIP[:-100]),
        ("br", brotli.compress(PAGE)[:-20]),
        ("zstd", zstandard.compress(PAGE)[:-20]),
        ("deflate", raw_deflate(PAGE)[:-20]),
        ("br", b"\x07" + b"\xff" * 50),
        ("zstd", b"\x28\xb5\x2f\xfd" + b"\xff" * 50),
        ("unheard-of", b"\x01\x02" + PAGE),
        (",".join(["gzip"] * 6), GZIP),
    ],
)
def test_a_damaged_or_unknown_coding_is_an_error(tmp_path, coding, body):
    ((capture,), _) = read(tmp_path, members(warc(http(body, f"Content-Encoding: {coding}"))))
    with pytest.raises(FetchError):
        response_of(capture.record)


def bomb(coding):
    zeros = bytes(40_000_000)
    inner = {"gzip": gzip.compress, "br": lambda b: brotli.compress(b, quality=5), "zstd": zstandard.compress}
    for name in coding.split(","):
        zeros = inner[name](zeros)
    return zeros


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd", "gzip,gzip", "br,gzip", "gzip,br", "zstd,br"])
def test_a_decompression_bomb_is_stopped(tmp_path, coding):
    data = members(warc(http(chunked(bomb(coding)), f"Content-Encoding: {coding}", "Transfer-Encoding: chunked")))
    ((capture,), _) = read(tmp_path, data)
    with pytest.raises(BodyTooLarge):
        response_of(capture.record)


@pytest.mark.parametrize(
    ("situation", "body", "header"),
    [
        ("in chunks", chunked(PAGE), "chunked"),
        ("in chunks, header in upper case", chunked(PAGE), "CHUNKED"),
        ("chunks already joined", PAGE, "chunked"),
        ("in chunks without a header", chunked(PAGE), None),
        ("with an extension and a trailer", b"%x;a=b\r\n%b\r\n0\r\nX: y\r\n\r\n" % (len(PAGE), PAGE), "chunked"),
        ("with a long size", b"000000000%x\r\n%b\r\n0000000000000\r\n\r\n" % (len(PAGE), PAGE), "chunked"),
        ("with bare line feeds", b"%x\n%b\n0\n\n" % (len(PAGE), PAGE), "chunked"),
        ("with an empty line missing at the end", chunked(PAGE, end=b"0\r\n"), "chunked"),
    ],
)
def test_chunks_are_joined_if_there_are_any(tmp_path, situation, body, header):
    headers = [f"Transfer-Encoding: {header}"] if header else []
    ((capture,), tally) = read(tmp_path, members(warc(http(body, *headers))))
    assert capture.record.body == PAGE, situation
    assert not tally.needs_attention


@pytest.mark.parametrize(
    "body",
    [chunked(PAGE, end=b""), chunked(PAGE)[:-90], b"ffffffff\r\n" + PAGE, chunked(PAGE) + b"more data"],
    ids=["no last chunk", "cut off", "size too large", "data after the last chunk"],
)
def test_broken_chunks_are_a_fault(tmp_path, body):
    found, tally = read(tmp_path, members(warc(http(body, "Transfer-Encoding: chunked")), warc(None, 9)))
    assert (ids(found), reasons(tally)) == ([9], [Skip.MALFORMED])


@pytest.mark.parametrize(
    ("declared", "body", "kept"),
    [
        (len(PAGE), PAGE, True),
        (9, PAGE, True),
        (10**9, PAGE, True),
        ("many", PAGE, True),
        (len(PAGE), PAGE[:-100], False),
    ],
    ids=["right", "too small", "too large", "no number", "page cut off"],
)
def test_a_content_length_that_contradicts_the_body(tmp_path, declared, body, kept):
    found, tally = read(tmp_path, members(warc(http(body, f"Content-Length: {declared}"))))
    assert (len(found), reasons(tally)) == ((1, []) if kept else (0, [Skip.TRUNCATED]))


# --- heads ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"HTTP/1.1 200 OK", (200, "OK")),
        (b"HTTP/1.0 200", (200, "")),
        (b"HTTP/2 200", (200, "")),
        (b"HTTP/2 200 ", (200, "")),
        (b"HTTP/3 200 OK", (200, "OK")),
        (b"http/1.1  200  Tout va bien", (200, "Tout va bien")),
        (b"HTTP/1.1 404 Introuv\xe9", (404, "Introuv\xe9")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", (200, "OK")),
        (b"HTTP/1.0 200 Connection established\r\n\r\nHTTP/1.1 200 OK", (200, "OK")),
        (b"HTTP/1.0 200 Connection established", (200, "Connection established")),
    ],
)
def test_status_lines(tmp_path, line, expected):
    ((capture,), _) = read(tmp_path, members(warc(http(PAGE, status=line))))
    assert (capture.record.status, capture.record.reason, capture.record.body) == (*expected, PAGE)


@pytest.mark.parametrize(
    "block", [PAGE, b"", b"OK 200\r\n\r\n" + PAGE, b"HTTP/1.1 20 OK\r\n\r\n" + PAGE, b"\0" * 300_000]
)
def test_a_response_without_a_status_is_a_fault(tmp_path, block):
    found, tally = read(tmp_path, members(warc(block), warc(None, 9)))
    assert (ids(found), reasons(tally)) == ([9], [Skip.NO_RESPONSE])


def test_odd_http_headers_are_kept_byte_by_byte(tmp_path):
    head = (
        b"HTTP/1.1 200 OK\ncontent-TYPE : text/html;\n charset=utf-8\nno colon\nX-Latin: caf\xe9\n"
        b"X-Utf: caf\xc3\xa9\nX-CR: a\rb\n: no name\nX-Empty:\n\n"
    )
    ((capture,), _) = read(tmp_path, members(warc(head + PAGE)))
    assert capture.record.headers == (
        ("content-TYPE", "text/html; charset=utf-8"),
        ("X-Latin", "caf\xe9"),
        ("X-Utf", "caf\xc3\xa9"),
        ("X-CR", "a b"),
        ("X-Empty", ""),
    )


@pytest.mark.parametrize("version", ["WARC/0.17", "WARC/0.18", "WARC/1.0", "WARC/1.1", "warc/1.0", "WARC/2.0"])
@pytest.mark.parametrize("eol", ["\r\n", "\n"])
def test_versions_and_line_ends_of_warc_headers(tmp_path, version, eol):
    found, tally = read(tmp_path, members(warc(version=version, eol=eol), warc(None, 9)))
    assert (ids(found), tally.needs_attention) == ([8, 9], False)


def test_warc_headers_in_odd_case_and_folded(tmp_path):
    record = warc().replace(b"WARC-Target-URI: ", b"warc-target-uri:\r\n ").replace(b"WARC-Type", b"WARC-TYPE")
    found, _ = read(tmp_path, members(record.replace(b"Content-Length", b"content-length")))
    assert ids(found) == [8]


@pytest.mark.parametrize(
    "url",
    [
        "<https://fr.vietnamplus.vn/titre-post8.vnp>",
        "http://fr.vietnamplus.vn/titre-post8.vnp",
        "http://fr.vietnamplus.vn:80/titre-post8.vnp",
        "https://FR.VietnamPlus.VN:443/titre-post8.vnp",
        " https://fr.vietnamplus.vn/titre-post8.vnp ",
        "https://fr.vietnamplus.vn/un titre-post8.vnp",
    ],
)
def test_forms_of_the_address(tmp_path, url):
    found, tally = read(tmp_path, members(warc(url=url)))
    assert ([urls.canonical(c.record.url)[-9:] for c in found], tally.wanted) == (["post8.vnp"], 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/a-post1.vnp",
        "urn:x",
        "https://fr.vietnamplus.vn/",
        SITE + "/x" * 9000,
    ],
)
def test_addresses_that_are_no_articles_are_normal(tmp_path, url):
    found, tally = read(tmp_path, members(warc(url=url)))
    assert (found, tally.needs_attention, sum(tally.skipped.values())) == ([], False, 1)


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("request", None), ("metadata", None), ("warcinfo", None), ("made-up", None),
     ("resource", Skip.NO_RESPONSE), ("conversion", Skip.NO_RESPONSE), ("continuation", Skip.NO_RESPONSE)],
)  # fmt: skip
def test_records_of_other_types(tmp_path, kind, fault):
    found, tally = read(tmp_path, members(warc(kind=kind), warc(None, 9)))
    assert (ids(found), reasons(tally)) == ([9], [fault] if fault else [])
    assert sum(tally.skipped.values()) == 1


def test_the_first_segment_of_a_response_is_truncated(tmp_path):
    first = warc(http(PAGE[:300]), 8, "WARC-Segment-Number: 1")
    rest = warc(
        PAGE[300:], 8, "WARC-Segment-Number: 2", f"WARC-Segment-Total-Length: {len(http(PAGE))}", kind="continuation"
    )
    found, tally = read(tmp_path, members(first, rest, warc(None, 9)))
    assert (ids(found), reasons(tally)) == ([9], [Skip.TRUNCATED, Skip.TRUNCATED])


@pytest.mark.parametrize(
    ("algorithm", "encode", "kept"),
    [
        ("sha1", lambda d: base64.b32encode(d).decode(), True),
        ("SHA-1", lambda d: d.hex(), True),
        ("sha256", lambda d: d.hex().upper(), True),
        ("md5", lambda d: base64.b64encode(d).decode(), True),
        ("sha1", lambda d: base64.b32encode(d[::-1]).decode(), False),
        ("sha256", lambda d: "", True),
        ("sha256", lambda d: "!", False),
        ("crc32", lambda d: "0", True),
    ],
)
def test_block_digests(tmp_path, algorithm, encode, kept):
    block = http(PAGE)
    name = algorithm.lower().replace("-", "")
    found = hashlib.new(name, block).digest() if name != "crc32" else b""
    captured, tally = read(
        tmp_path, members(warc(block, 8, f"WARC-Block-Digest: {algorithm}:{encode(found)}"), warc(None, 9))
    )
    assert ids(captured) == ([8, 9] if kept else [9])
    assert reasons(tally) == ([] if kept else [Skip.DIGEST])


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-01-02T03:04:05Z", (2020, 1, 2, 3, 4, 5)),
        ("2020-01-02T03:04:05", (2020, 1, 2, 3, 4, 5)),
        ("2020-01-02t03:04:05z", (2020, 1, 2, 3, 4, 5)),
        ("2020-01-02 03:04:05 UTC", (2020, 1, 2, 3, 4, 5)),
        ("2020-01-02T03:04Z", (2020, 1, 2, 3, 4)),
        ("2020-01-02", (2020, 1, 2)),
        ("2020-03", (2020, 3, 1)),
        ("2020", (2020, 1, 1)),
        ("2020-01-02T03:04:05.1Z", (2020, 1, 2, 3, 4, 5, 100_000)),
        ("2020-01-02T03:04:05.123456789Z", (2020, 1, 2, 3, 4, 5, 123_456)),
        ("2020-01-02T03:04:05+07:00", (2020, 1, 1, 20, 4, 5)),
        ("2020-01-02T03:04:05-0330", (2020, 1, 2, 6, 34, 5)),
        ("20200102030405", (2020, 1, 2, 3, 4, 5)),
        ("20200102", (2020, 1, 2)),
        ("2016-12-31T23:59:60Z", (2016, 12, 31, 23, 59, 59)),
    ],
)
def test_dates_of_records(text, expected):
    assert from_warc_date(text) == datetime(*expected, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [None, "", "yesterday", "2020-13-01", "2020-02-30", "2020-01-02T25:00:00Z", "0001-01-01T00:00:00+07:00", "٢٠٢٠",
     "2020-1-2", "2020-01-02T03:04:05+99:00", "Thu, 02 Jan 2020 03:04:05 GMT", "1577934245"],
)  # fmt: skip
def test_a_record_without_a_valid_date_is_a_fault(tmp_path, text):
    with pytest.raises(ValueError):
        from_warc_date(text)
    found, tally = read(tmp_path, members(warc(date=text), warc(None, 9)))
    assert (ids(found), reasons(tally)) == ([9], [Skip.UNDATED])


@given(st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.timezones()))  # noqa: DTZ001 - Hypothesis wants it so
def test_a_date_with_an_offset_is_read_as_python_reads_it(at):
    text = at.isoformat()
    try:
        expected = datetime.fromisoformat(text).astimezone(UTC)
    except OverflowError:
        return
    if at.utcoffset().total_seconds() % 60 == 0:
        assert from_warc_date(text) == expected


# --- files ------------------------------------------------------------------------------------------------------------

BOTH = (warc(), warc(None, 9))


def zstd_with_dictionary(*, compressed):
    trained = zstandard.train_dictionary(2000, [BOTH[0][i : i + 100] for i in range(0, 900, 10)] * 10)
    engine, content = zstandard.ZstdCompressor(dict_data=trained), trained.as_bytes()
    content = zstandard.compress(content) if compressed else content
    head = b"\x5d\x2a\x4d\x18" + len(content).to_bytes(4, "little")
    return head + content + b"".join(engine.compress(record) for record in BOTH)


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ("a gzip member for each record", members(*BOTH)),
        ("one gzip member", members(b"".join(BOTH))),
        ("gzip members of any size", members(*(b"".join(BOTH)[i : i + 700] for i in range(0, 4000, 700)))),
        ("gzip with zero bytes between members", b"\0\0\0\0".join(members(r) for r in BOTH) + bytes(200_000)),
        ("not compressed", b"".join(BOTH)),
        ("not compressed, with a byte order mark and empty lines", b"\xef\xbb\xbf\r\n\r\n" + b"\r\n".join(BOTH)),
        ("without empty lines after a record", b"".join(r.removesuffix(b"\r\n\r\n") for r in BOTH)),
        ("a Zstandard frame for each record", b"".join(map(zstandard.compress, BOTH))),
        ("one Zstandard frame", zstandard.compress(b"".join(BOTH))),
        ("Zstandard with a dictionary", zstd_with_dictionary(compressed=False)),
        ("Zstandard with a compressed dictionary", zstd_with_dictionary(compressed=True)),
        ("ARC", arc_head() + arc() + arc(9, "20200102")),
        ("ARC, a gzip member for each record", members(arc_head(), arc(), arc(9))),
        ("ARC, one gzip member", members(arc_head() + arc() + arc(9))),
        (
            "ARC of version 2",
            arc_head()
            + b"".join(a.replace(b" text/html ", b" text/html 200 CHECK - 0 a.arc ", 1) for a in (arc(), arc(9))),
        ),
        (
            "ARC with a parameter of the type",
            arc_head() + arc().replace(b" text/html", b" text/html; charset=utf-8", 1) + arc(9),
        ),
        ("ARC without a type", arc_head() + arc().replace(b" text/html", b" ", 1) + arc(9)),
    ],
)
def test_forms_of_a_file(tmp_path, form, data):
    found, tally = read(tmp_path, data)
    assert ids(found) == [8, 9], form
    assert [c.record.body for c in found] == [page(8), page(9)]
    assert found[0].record.fetched_at == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert not tally.needs_attention, (tally.faults, tally.damage)


@pytest.mark.parametrize(
    ("situation", "bad", "faults"),
    [
        ("length too small", warc(length=700), [Skip.LENGTH]),
        ("length too large", warc(length=len(http(PAGE)) + 300), [Skip.LENGTH]),
        ("length that takes a letter of the next record", warc(length=len(http(PAGE)) + 5), [Skip.LENGTH]),
        ("length that takes most of the next mark", warc(length=len(http(PAGE)) + 9), [Skip.LENGTH]),
        ("length of 10^18", warc(length=10**18), None),
        ("negative length", warc(length=-5), None),
        ("length that is no number", warc(length="1_000"), None),
        ("no length", warc().replace(b"Content-Length", b"X-Length", 1), None),
        ("headers of 1 MB", warc(None, 8, "X: " + "y" * 1_000_000), [Skip.MALFORMED]),
        ("a million headers", warc(None, 8, *["X:"] * 300_000), [Skip.MALFORMED]),
        ("HTTP headers of 1 MB", warc(http(PAGE, "X: " + "y" * 1_000_000)), [Skip.MALFORMED]),
        ("a response of 11 MB", warc(http(b"<p>" * 3_700_000)), [Skip.TOO_LARGE]),
        ("no address", warc(url=""), [Skip.MALFORMED]),
        ("no type", warc().replace(b"WARC-Type", b"X-Type"), [Skip.NO_RESPONSE]),
    ],
)
@pytest.mark.parametrize("form", ["members", "plain"])
def test_a_faulty_record_does_not_hide_the_next_ones(tmp_path, form, situation, bad, faults):
    records = [warc(None, 7), bad, warc(None, 9), OTHER, warc(None, 10)]
    found, tally = read(tmp_path, members(*records) if form == "members" else b"".join(records))
    assert ids(found) == [7, 9, 10], situation
    assert tally.needs_attention
    if faults is not None:
        assert reasons(tally)[:1] == faults


def test_an_arc_record_with_spaces_in_its_address(tmp_path):
    found, _ = read(tmp_path, arc_head() + arc().replace(b"/titre-", b"/un titre-", 1) + arc(9))
    assert [c.record.url for c in found] == [f"{SITE}/un%20titre-post8.vnp", address(9)]


def test_an_arc_record_after_one_that_cannot_be_read(tmp_path):
    found, tally = read(tmp_path, arc_head() + arc(7) + arc(date="0") + arc(9))
    assert (ids(found), reasons(tally)) == ([7, 9], [Skip.UNREADABLE_DATA])


def test_a_length_of_another_site_does_not_hide_the_next_records(tmp_path):
    other = warc(b"HTTP/1.1 200 OK\r\n\r\nx", url="https://elsewhere.example/", length=10**18)
    found, _ = read(tmp_path, members(other, warc(None, 9)))
    assert ids(found) == [9]


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


def test_records_after_a_damaged_gzip_member_are_read(tmp_path):
    one, two, three = (members(warc(None, n)) for n in (7, 8, 9))
    for at in range(len(one) + 4, len(one) + len(two), 37):
        found, tally = read(tmp_path, flipped(one + two + three, at))
        assert [i for i in ids(found) if i != 8] == [7, 9], at
        assert tally.needs_attention or ids(found) == [7, 8, 9]


def test_a_wrong_checksum_is_damage(tmp_path):
    one, two, three = (members(warc(None, n)) for n in (7, 8, 9))
    found, tally = read(tmp_path, flipped(one + two + three, len(one + two) - 6))
    assert ids(found) == [7, 9]
    assert "damaged" in tally.damage


@pytest.mark.parametrize("form", [members, lambda *r: b"".join(r), lambda *r: b"".join(map(zstandard.compress, r))])
def test_a_file_that_ends_in_a_record(tmp_path, form):
    data = form(warc(None, 7), warc(None, 8))
    for cut in (5, 30, 200):
        found, tally = read(tmp_path, data[:-cut])
        assert 8 not in ids(found) or cut == 5
        assert tally.needs_attention or ids(found) == [7, 8], cut


@pytest.mark.parametrize("data", [b"<html>" * 500_000 + b"\n", b"x\n", b"x" * 65_535 + b"\n", b"x\n\ny\r\n" * 300_000])
def test_data_that_is_no_record_between_records(tmp_path, data):
    found, tally = read(tmp_path, warc(None, 7) + data + warc(None, 9))
    assert (ids(found), reasons(tally)) == ([7, 9], [Skip.UNREADABLE_DATA])


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f", b"<html>", b"PK\3\4 zip", b"\x89PNG\r\n", b"\n\n\n", bytes(100_000), gzip.compress(b"<html>" * 99, mtime=0), gzip.compress(b"", mtime=0),
     b"\x1f\x8b\x08" + b"\xff" * 50, b"\x28\xb5\x2f\xfd" + b"\xff" * 50, b"https://a.example/ is no record\n", b"BZh91AY&SY", b"\xfd7zXZ\0"],
)  # fmt: skip
def test_a_file_that_is_no_warc_file_is_named(tmp_path, content):
    with pytest.raises(BadInput, match=r"a\.warc\.gz") as caught:
        read(tmp_path, content)
    assert caught.value.hint


def test_a_file_name_cannot_add_a_header(tmp_path):
    ((capture,), _) = read(tmp_path, members(warc()), "a\r\nVNA-Purpose: page:1.warc.gz")
    assert capture.record.origin == "a VNA-Purpose: page:1.warc.gz"


# --- revisits ---------------------------------------------------------------------------------------------------------


def test_what_a_revisit_refers_to(tmp_path):
    revisit = warc(
        b"",
        8,
        "WARC-Payload-Digest: sha1:ABC",
        "WARC-Refers-To: <urn:uuid:1>",
        f"WARC-Refers-To-Target-URI: <{address(8)}>",
        "WARC-Refers-To-Date: 2019-01-01",
        kind="revisit",
    )
    ((capture,), _) = read(tmp_path, members(revisit))
    assert capture.names == ("sha1:abc", "urn:uuid:1")
    assert capture.refers_to == (address(8), datetime(2019, 1, 1, tzinfo=UTC))


# --- a request to stop ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        warc(b"HTTP/1.1 200 OK\r\n\r\nx", url="https://elsewhere.example/") * 4000,
        members(*[warc(b"HTTP/1.1 200 OK\r\n\r\nx", url="https://elsewhere.example/")] * 4000),
        zstandard.compress(OTHER) * 10_000,
        warc(b"x" * 1_000_000, url="https://elsewhere.example/"),
        OTHER + b"no record\n" * 100_000,
        OTHER + bytes(1_000_000),
    ],
    ids=["records", "gzip members", "Zstandard frames", "one record", "no records", "zeros"],
)
def test_a_stop_is_noticed_although_nothing_is_wanted(tmp_path, data):
    path, calls, tally = tmp_path / "a.warc", [], ImportTally()
    path.write_bytes(data)

    def stopping():
        calls.append(path)
        return len(calls) == 3

    with pytest.raises(Interrupted):
        list(captures(path, judge, tally, stopping))
    assert len(calls) == 3
    assert tally.records < 4000
    assert (tally.damage, tally.faults) == (None, [])
