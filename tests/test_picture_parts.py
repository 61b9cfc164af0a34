"""The pure parts of pictures: headers of files, perceptual hashes, addresses, and when to request one again."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.changes import changed_passages, changes_between, kinds_of, marked_words
from crawler.pictures import (
    KeptPictures,
    Picture,
    PictureForFetch,
    Replacement,
    hash_of,
    is_same_picture,
    picture_address,
    read_header,
)
from crawler.purpose import Purpose
from crawler.schedule.conditional import Validators
from crawler.schedule.pictures import is_due, picture_failed, picture_held
from crawler.sim.site.encoders import Raster, gif, jpeg, png, webp
from crawler.site import picture_hosts
from crawler.types import Article, ErrorKind

RASTER = Raster(24, 16, tuple((x * 10, y * 15, 90) for y in range(16) for x in range(24)))
JPEG, PNG, GIF, WEBP = (encode(RASTER) for encode in (jpeg, png, gif, webp))
SIZE = (24, 16)


def box(*brands, size=None):
    content = b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])
    return struct.pack(">I", len(content) + 4 if size is None else size) + content


def webp_of(kind, data):
    return b"RIFF" + bytes(4) + b"WEBP" + kind + struct.pack("<I", len(data)) + data


FRAME = b"\xff\xc2\x00\x0b\x08\x00\x10\x00\x18\x01"
HEADERS = {
    "JPEG": (JPEG, "image/jpeg", SIZE),
    "progressive JPEG after a table, fill bytes and a restart": (
        b"\xff\xd8\xff\xdb\x00\x03\x00\xff\xff\xd0\xff\xc4\x00\x02" + FRAME, "image/jpeg", SIZE,
    ),
    "JPEG with a length of zero": (b"\xff\xd8\xff\xe0\x00\x00" + FRAME, "image/jpeg", SIZE),
    "JPEG with a thumbnail in a segment": (b"\xff\xd8\xff\xe1\x00\x0e" + FRAME.replace(b"\x18", b"\x01") + bytes(2) + FRAME, "image/jpeg", SIZE),
    "JPEG whose height comes later": (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x00\x00\x18\x01" + bytes(9), "image/jpeg", None),
    "JPEG without a frame": (b"\xff\xd8\xff\xda\x00\x08" + FRAME + bytes(9), "image/jpeg", None),
    "JPEG that ends": (JPEG[:40], "image/jpeg", None),
    "three bytes of JPEG": (b"\xff\xd8\xff", "image/jpeg", None),
    "PNG": (PNG, "image/png", SIZE),
    "PNG that ends": (PNG[:20], "image/png", None),
    "PNG of no width": (PNG[:16] + bytes(4) + PNG[20:], "image/png", None),
    "GIF": (GIF, "image/gif", SIZE),
    "older GIF": (b"GIF87a" + GIF[6:], "image/gif", SIZE),
    "GIF that ends": (GIF[:8], "image/gif", None),
    "lossless WebP": (WEBP, "image/webp", SIZE),
    "lossy WebP": (webp_of(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 24 | 1 << 14, 16)), "image/webp", SIZE),
    "extended WebP": (webp_of(b"VP8X", bytes(4) + b"\x17\0\0\x0f\0\0"), "image/webp", SIZE),
    "lossy WebP without its mark": (webp_of(b"VP8 ", bytes(10)), "image/webp", None),
    "lossless WebP without its mark": (webp_of(b"VP8L", bytes(10)), "image/webp", None),
    "unknown WebP": (webp_of(b"ANIM", bytes(10)), "image/webp", None),
    "WebP that ends": (WEBP[:22], "image/webp", None),
    "AVIF": (box(b"avif", b"mif1"), "image/avif", None),
    "AVIF by a compatible brand": (box(b"mif1", b"miaf", b"avif"), "image/avif", None),
    "HEIC": (box(b"heic", b"mif1"), "image/heic", None),
    "brands beyond the box": (box(b"heic", b"avif", size=16), "image/heic", None),
    "TIFF": (b"MM\0*" + bytes(20), "image/tiff", None),
}  # fmt: skip


@pytest.mark.parametrize(("body", "media_type", "size"), HEADERS.values(), ids=HEADERS)
def test_the_first_bytes_tell_the_format_and_the_size(body, media_type, size):
    found = read_header(body)
    assert (found.media_type, found.width, found.height) == (media_type, *(size or (None, None)))
    assert found.pixels == (size and size[0] * size[1])


NO_PICTURES = [
    b"", b"\xff\xd8", b"\xff\xd8<html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<?xml version='1.0'?><svg/>", b"<html>",
    b"\n\xff\xd8\xff", b"GIF90a" + bytes(20), b"\x89PNG\r\n\x1a\n" + bytes(20), b"\x89PNG\n\x1a\n" + PNG[7:], b"RIFF" + bytes(4) + b"WAVE",
    b"%PDF-1.7", b"BM" + bytes(50), box(b"mp42", b"isom"), box(b"qt  "), b"PK\3\4", b"\0" * 64, b"\xef\xbb\xbfGIF89a" + bytes(9),
]  # fmt: skip


@pytest.mark.parametrize("body", NO_PICTURES)
def test_nothing_else_is_a_picture(body):
    assert read_header(body) is None


@pytest.mark.parametrize("body", [JPEG, PNG, GIF, WEBP], ids=["JPEG", "PNG", "GIF", "WebP"])
def test_a_header_may_end_anywhere(body):
    assert {getattr(read_header(body[:end]), "width", None) for end in range(60)} <= {24, None}


# --- hashes -----------------------------------------------------------------------------------------------------------


def picture(grey, colours=(90, 90, 90), *, digest="a", width=30, height=20, crops=None):
    """Return a picture with the hash of a function of the place, or without one."""
    phash = (
        None if grey is None else hash_of(bytes(grey(x, y) for y in range(16) for x in range(17)), bytes(colours) * 16)
    )
    return Picture(digest, "image/jpeg", width, height, phash, crops or {})


def rising(x, y):
    return min(255, x * 15)


def falling(x, y):
    return 255 - min(255, x * 15)


def noisy(x, y):
    return min(255, x * 15 + (x * 7 + y * 5) % 3)


def flat(x, y):
    return 200 + (x + y) % 3


WHITE, BLUE = (250, 250, 250), (40, 40, 200)
PAIRS = {
    "the same bytes": (picture(None), picture(None), True),
    "no hash": (picture(None), picture(rising, digest="b"), None),
    "no hash on the other side": (picture(rising), picture(None, digest="b"), None),
    "noise": (picture(rising), picture(noisy, digest="b"), True),
    "noise in a flat picture": (picture(flat), picture(lambda x, y: 201 - (x * y) % 3, digest="b"), True),
    "another picture": (picture(rising), picture(falling, digest="b"), False),
    "the same shapes in another colour": (picture(rising), picture(rising, BLUE, digest="b"), False),
    "white and black": (picture(flat, WHITE), picture(flat, (0, 0, 0), digest="b"), False),
    "clearly brighter everywhere": (picture(rising), picture(rising, (125, 125, 125), digest="b"), False),
    "a little brighter": (picture(rising), picture(rising, (105, 100, 98), digest="b"), True),
    "the middle of the other": (
        picture(rising, crops={"16:9": picture(falling).phash}), picture(falling, digest="b", width=160, height=90), True,
    ),
    "the other is the middle": (
        picture(falling, width=1600, height=901), picture(rising, digest="b", crops={"16:9": picture(falling).phash}), True,
    ),
    "the middle, but without a size": (
        picture(rising, crops={"16:9": picture(falling).phash}), picture(falling, digest="b", width=None), False,
    ),
    "the middle in a shape that it does not have": (
        picture(rising, crops={"1:1": picture(falling).phash}), picture(falling, digest="b", width=160, height=90), False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other", "expected"), PAIRS.values(), ids=PAIRS)
def test_two_pictures_show_the_same(one, other, expected):
    assert is_same_picture(one, other) is expected


def test_hashes_of_another_version_are_not_compared():
    newer = Picture("b", "image/jpeg", 30, 20, picture(rising).phash.replace("1:", "2:", 1))
    assert is_same_picture(picture(rising), newer) is False


# --- addresses --------------------------------------------------------------------------------------------------------

ROOT = "https://fr.vietnamplus.vn/"
MEDIA = "https://mediafr.vietnamplus.vn"
ADDRESSES = [
    (f"{MEDIA}/a.jpg", f"{MEDIA}/a.jpg"),
    ("http://mediafr.vietnamplus.vn/a.jpg", f"{MEDIA}/a.jpg"),
    ("//mediafr.vietnamplus.vn//a.jpg", f"{MEDIA}//a.jpg"),
    ("/images/a.jpg", f"{ROOT}images/a.jpg"),
    ("http://fr.vietnamplus.vn/a.jpg", f"{ROOT}a.jpg"),
    ("https://media.vietnamplus.vn/a.jpg", None),
    (f"{MEDIA}:8443/a.jpg", None),
    ("data:image/gif;base64,R0", None),
    ("ftp://mediafr.vietnamplus.vn/a.jpg", None),
    ("", None),
    (None, None),
]


@pytest.mark.parametrize(("url", "expected"), ADDRESSES)
def test_pictures_come_from_the_site_and_from_configured_hosts(url, expected):
    assert picture_address(url, ROOT, [MEDIA]) == expected


def test_hosts_of_pictures_by_edition():
    assert picture_hosts(ROOT)[:2] == (MEDIA, "https://cdnimgfr.vietnamplus.vn")
    assert picture_hosts("http://127.0.0.1:8000/") == ()


def test_only_the_first_picture_or_all():
    assert [KeptPictures(keep).only_lead for keep in ("none", "lead", "all")] == [False, True, False]


# --- schedule ---------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 8, tzinfo=UTC)
DAY = timedelta(days=1)
KNOWN = PictureForFetch("u", "held", 0, NOW, None, "d", None, None)
NONE = PictureForFetch("u", "failed", 2, NOW, None, None, None, None)


@pytest.mark.parametrize(
    ("age", "wait"),
    [(0, 1), (0.5, 0.5), (1, 6), (2, 5), (7, 23), (29, 1), (30, None), (4_000, None)],
)
def test_a_picture_is_requested_again_while_its_article_is_new(age, wait):
    found = picture_held(NOW, NOW - age * DAY, "d", 3, Validators("e", "m"))
    assert (found.state, found.digest, found.raw_id, found.etag, found.last_modified) == ("held", "d", 3, "e", "m")
    assert found.next_due_at == (None if wait is None else NOW + wait * DAY)


@pytest.mark.parametrize(
    ("known", "due", "due_for_backfill"),
    [
        (None, True, True),
        (KNOWN, False, False),
        (replace(KNOWN, next_due_at=NOW), True, True),
        (replace(KNOWN, next_due_at=NOW + DAY), False, False),
        (replace(KNOWN, last_fetched_at=NOW - 9 * DAY), False, False),
        (NONE, False, False),
        (replace(NONE, last_fetched_at=NOW - DAY), False, True),
        (replace(NONE, last_fetched_at=NOW - DAY, next_due_at=NOW + DAY), False, False),
    ],
)
def test_what_was_given_up_is_requested_by_a_backfill_only(known, due, due_for_backfill):
    assert (is_due(known, NOW), is_due(known, NOW, retry_given_up=True)) == (due, due_for_backfill)


@pytest.mark.parametrize(
    ("known", "kind", "state", "failures", "wait"),
    [
        (None, ErrorKind.UNREACHABLE, "failed", 1, timedelta(hours=1)),
        (KNOWN, ErrorKind.HTTP_STATUS, "held", 1, timedelta(hours=1)),
        (NONE, ErrorKind.UNREADABLE, "failed", 3, 7 * DAY),
        (replace(NONE, failures=3), ErrorKind.UNREACHABLE, "failed", 4, None),
        (None, ErrorKind.TOO_LARGE, "failed", 1, None),
        (None, ErrorKind.REFUSED, "failed", 1, None),
        (None, ErrorKind.DISALLOWED, "failed", 1, None),
        (None, ErrorKind.BUG, "failed", 1, timedelta(hours=1)),
    ],
)
def test_a_failure_is_retried_three_times_unless_it_is_final(known, kind, state, failures, wait):
    found = picture_failed(known, NOW, "why", kind)
    assert (found.state, found.failures, found.error, found.error_kind) == (state, failures, "why", kind)
    assert found.next_due_at == (None if wait is None else NOW + wait)


# --- purposes and changes ---------------------------------------------------------------------------------------------


def test_the_purpose_of_a_request_for_a_picture():
    purpose = Purpose.image(f"{MEDIA}/a:b.jpg")
    assert str(purpose) == f"image:{MEDIA}/a:b.jpg"
    assert Purpose.parse(str(purpose)) == purpose


def test_a_replaced_picture_is_a_change_with_both_digests():
    article = Article("Titre")
    (change,) = changes_between(article, article, replaced=[Replacement(2, "sha256:A", "sha256:B")])
    assert (change.field, change.kinds, change.before, change.after) == (
        "pictures",
        ("picture",),
        "sha256:A",
        "sha256:B",
    )
    assert (change.before_offset, change.after_offset) == (2, 2)
    assert "".join(piece.bracketed for piece in marked_words(change, "")) == "[-sha256:A-]{+sha256:B+}"
    assert kinds_of([change]) == ("picture",)
    (passage,) = changed_passages([change], article, article)
    assert (passage.field, passage.kinds) == ("pictures", ("picture",))
    assert list(passage.pieces) == marked_words(change, "")
