"""Pictures of articles: requested, archived, compared, and the same rows again from the WARC files."""

from __future__ import annotations

import functools
import gzip
import io
import json
import shutil
import struct
import zlib
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

import pytest
from PIL import Image
from support import SITE, assert_intact, configured, mounted, poll, rows, value, vna, working
from test_rebuild import assert_rebuilt_equal, execute

from crawler import app, backfill, collect
from crawler.backfill.pictures import fetch_pictures
from crawler.errors import SitePaused, StopError
from crawler.parser_process import decode_picture, parent
from crawler.pictures import PictureProblem, read_header
from crawler.pipeline import fetch, reparse
from crawler.pipeline.pictures import visit_due_pictures, visit_picture
from crawler.pipeline.run import recorded
from crawler.plan_values import BackfillRequest
from crawler.purpose import Purpose
from crawler.replay import recover
from crawler.room.pages.pictures import picture as picture_page
from crawler.room.room import Room
from crawler.sim.site import Options
from crawler.sim.site.encoders import Raster, gif, jpeg, png, png_chunk, webp
from crawler.sim.site.messages import SiteResponse, redirect
from crawler.sim.site.story import SECTIONS
from crawler.storage.pictures import _carried
from crawler.types import ImageBlock

SMALL = Options(sections=SECTIONS[:1], section_size=6, feed_size=6, home_size=8, no_samples=True, no_api=True)
MEDIA = "https://mediafr.vietnamplus.vn"
LEAD = {"keep_pictures": "lead"}


@pytest.fixture
def archive(tmp_path):
    return tmp_path / "archive"


@pytest.fixture
def site(clock):
    with mounted(clock, articles=2, options=SMALL) as mounted_site:
        yield mounted_site


def with_pictures(site, least=1):
    """Return the id of a story with at least so many pictures."""
    return next(i for i in site.fake_site.ids()[::-1] if len(site.fake_site.story(i).pictures) >= least)


def requested(site):
    """Return the paths of the pictures that were requested."""
    return [r.url.path for r in site.wire.requests if r.url.host != "fr.vietnamplus.vn" and r.url.path != "/robots.txt"]


def revisions(archive, key):
    found = rows(archive, "SELECT revision, changed, replaced_pictures FROM revisions WHERE article = ?", key)
    return [(row["revision"], json.loads(row["changed"]), len(json.loads(row["replaced_pictures"]))) for row in found]


# --- what is kept -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keep", ["none", "lead", "all"])
def test_the_configured_pictures_are_kept_once(archive, clock, site, keep):
    for _ in range(2):
        poll(archive, clock, keep_pictures=keep)
        clock.advance(hours=1)
    stories = [site.fake_site.story(key) for key in site.fake_site.ids()]
    wanted = [image.url for story in stories for image in story.pictures[: {"none": 0, "lead": 1, "all": 99}[keep]]]
    held = rows(archive, "SELECT * FROM held_pictures")
    assert sorted(row["url"] for row in held) == sorted(wanted)
    assert len(requested(site)) == len(set(wanted))
    assert {(row["media_type"], row["width"], row["height"]) for row in held} <= {("image/webp", 48, 32)}
    assert value(archive, "SELECT count(*) FROM raw WHERE purpose LIKE 'image:%'") == len(set(wanted))
    assert_rebuilt_equal(archive, clock)  # with the default configuration: no row depends on `keep`


@pytest.mark.parametrize("is_retitled", [True, False])
def test_a_held_picture_that_another_article_shows_is_not_requested_again(archive, clock, site, is_retitled):
    """The second article shows the picture of the first one from now on: for it, that is another picture."""
    first, second = site.fake_site.ids()[-2:]
    poll(archive, clock, **LEAD)
    before = len(requested(site))
    old, new = (site.fake_site.story(key).picture.url.encode() for key in (second, first))
    site.edit = lambda request, response: (
        replace(response, headers=response.headers[:1], body=response.decoded.replace(old, new))
        if f"post{second}" in request.path
        else response
    )
    if is_retitled:
        site.fake_site.revise(second, "Un autre titre")
    clock.advance(hours=4)
    poll(archive, clock, **LEAD)
    assert len(requested(site)) == before
    digests = {
        row["article"]: row["digest"] for row in rows(archive, "SELECT article, digest FROM images WHERE position = 0")
    }
    assert digests[first] == digests[second]
    assert [changed for _, changed, _ in revisions(archive, second)][1:] == [["pictures", *["title"] * is_retitled]]
    assert_rebuilt_equal(archive, clock)


def test_pictures_of_other_hosts_are_not_requested(archive, clock, site):
    poll(archive, clock, picture_hosts=("https://other.example",), **LEAD)
    assert requested(site) == []
    assert value(archive, "SELECT count(*) FROM picture_addresses") == 0


def test_an_address_without_encryption_is_requested_with_it(archive, clock, site):
    site.edit = lambda request, response: (
        replace(
            response,
            headers=response.headers[:1],
            body=response.decoded.replace(MEDIA.encode(), MEDIA.replace("s:", ":").encode()),
        )
        if "-post" in request.path
        else response
    )
    poll(archive, clock, **LEAD)
    held = rows(archive, "SELECT url, fetched_url FROM held_pictures")
    assert held
    assert all(row["url"].startswith("http:") and row["fetched_url"].startswith("https:") for row in held)
    assert_rebuilt_equal(archive, clock)


#: Pictures as (address, caption) with the digest that each place had, then as they are on the page now; the digests now.
CARRIED = {
    "the same": ([("a", "x", "1")], [("a", "x")], ["1"]),
    "another address under the same caption": ([("a", "x", "1")], [("b", "x")], ["1"]),
    "the caption in other quotes and spaces": ([("a", "l'«x»", "1")], [("b", 'l’ "x"'.replace(" ", ""))], ["1"]),
    "another caption": ([("a", "x", "1")], [("b", "y")], [None]),
    "moved": ([("a", "x", "1"), ("b", "y", "2")], [("b", "y"), ("a", "x")], ["2", "1"]),
    "one more in front, without captions": ([("a", None, "1")], [("b", None), ("a", None)], [None, "1"]),
    "another one at the same position, without captions": ([("a", None, "1")], [("b", None)], ["1"]),
    "another one at another position, without captions": ([("a", "x", None), ("b", None, "1")], [("c", None)], [None]),
    "one caption for all, only the first is held": (
        [("a", "x", "1"), ("b", "x", None)], [("c", "x"), ("b", "x")], ["1", None],
    ),
    "one caption for all, both replaced": ([("a", "x", "1"), ("b", "x", "2")], [("c", "x"), ("d", "x")], ["1", "2"]),
    "one caption for all, one taken out": ([("a", "x", "1"), ("b", "x", "2")], [("b", "x")], ["2"]),
    "one replaced by two": ([("a", "x", "1")], [("b", "x"), ("c", "x")], ["1", None]),
    "no address": ([("a", "x", "1")], [(None, "x")], ["1"]),
    "all removed": ([("a", "x", "1")], [], []),
}  # fmt: skip


@pytest.mark.parametrize(("before", "now", "digests"), CARRIED.values(), ids=CARRIED)
def test_a_picture_stays_known_at_its_place(before, now, digests):
    names = ("url", "caption", "digest")
    held = [dict(zip(names, row, strict=True)) | {"position": place} for place, row in enumerate(before)]
    assert _carried(held, [ImageBlock(url, "", caption) for url, caption in now]) == digests


# --- replaced pictures ------------------------------------------------------------------------------------------------


#: What the editors do with the first pictures of a story, whether they also edit its title, and its revisions then.
EDITED = {
    "another address": (["replace"], False, [(1, [], 0), (2, ["pictures"], 1)]),
    "the same address": (["in_place"], False, [(1, [], 0), (2, ["pictures"], 1)]),
    "a copy at another address": (["copy"], False, [(1, [], 0)]),
    "a copy at the same address": (["recompress"], False, [(1, [], 0)]),
    "not changed": ([], False, [(1, [], 0)]),
    "two pictures at once": (["replace", "in_place"], False, [(1, [], 0), (2, ["pictures"], 2)]),
    "one replaced, one copied": (["copy", "replace"], False, [(1, [], 0), (2, ["pictures"], 1)]),
    "with the title": (["replace"], True, [(1, [], 0), (2, ["pictures", "title"], 1)]),
    "the title only": (["copy"], True, [(1, [], 0), (2, ["title"], 0)]),
}


def test_only_another_picture_makes_a_revision(archive, clock):
    with mounted(clock, articles=40, options=replace(SMALL, section_size=50, home_size=50)) as site:
        keys = [key for key in site.fake_site.ids() if 2 <= len(site.fake_site.story(key).pictures) <= 3]
        stories = dict(zip(EDITED, keys, strict=False))
        assert len(stories) == len(EDITED)
        for key in {*site.fake_site.ids()} - {*stories.values()}:
            site.fake_site.unpublish(key)
        poll(archive, clock, keep_pictures="all")
        clock.advance(days=3)
        for name, key in stories.items():
            edits, is_retitled, _ = EDITED[name]
            for number, how in enumerate(edits):
                site.fake_site.edit_picture(key, how, number)
            if is_retitled:
                site.fake_site.revise(key, f"Un titre tout autre : {name}")
        poll(archive, clock, keep_pictures="all")
        assert {name: revisions(archive, key) for name, key in stories.items()} == {
            name: expected for name, (*_, expected) in EDITED.items()
        }
        key = stories["another address"]
        blocks = json.loads(value(archive, "SELECT blocks FROM articles WHERE id = ?", key))
        assert [b["url"] for b in blocks if b["type"] == "image"] == [i.url for i in site.fake_site.story(key).pictures]
    assert_rebuilt_equal(archive, clock)
    assert_intact(archive)


def test_a_picture_that_is_replaced_soon_after_it_was_captured_makes_a_revision(archive, clock, site):
    """It does not belong to the revision that was just seen: that has shown the picture before."""
    key = with_pictures(site)
    poll(archive, clock, **LEAD)
    clock.advance(hours=1)
    story = site.fake_site.edit_picture(key, "in_place")
    with working(archive, clock, **LEAD) as run, recorded(run, "poll"):
        assert visit_picture(run, story.picture.url).kind == "revised"
    assert revisions(archive, key) == [(1, [], 0), (2, ["pictures"], 1)]
    with working(archive, clock, role="read") as run:
        assert reparse(run).false_revisions == 0, "its page shows the same content as before"
    assert revisions(archive, key) == [(1, [], 0), (2, ["pictures"], 1)]


def test_an_upgraded_archive_with_an_older_address_equals_its_rebuild(archive, clock, site):
    """Before schema 7, `images` kept the first address of a picture, even if the page showed another one later."""
    key = with_pictures(site)
    poll(archive, clock)
    before = site.fake_site.story(key).picture.url
    site.fake_site.edit_picture(key, "copy")
    clock.advance(hours=2)
    poll(archive, clock, everything=True)
    assert value(archive, "SELECT url FROM images WHERE article = ? AND position = 0", key) != before
    execute(archive, f"UPDATE images SET url = '{before}' WHERE article = {key} AND position = 0")
    execute(archive, "UPDATE _sqlite_migrations SET applied_at = '2026-01-01 00:00:00+00:00' WHERE name = '0001_first'")
    assert_rebuilt_equal(archive, clock)
    execute(archive, f"UPDATE images SET url = 'https://other.example/' WHERE article = {key} AND position = 0")
    shutil.rmtree(archive / "rebuilt")
    with pytest.raises(AssertionError):
        assert_rebuilt_equal(archive, clock)


def test_a_new_caption_is_another_place(archive, clock, site):
    """A picture and its caption that are replaced together are another picture, and the caption shows the edit."""
    key = with_pictures(site)
    poll(archive, clock, **LEAD)
    clock.advance(hours=26)
    site.fake_site.edit_picture(key, "replace")
    caption = site.fake_site.story(key).picture.caption.encode()
    site.edit = lambda request, response: (
        replace(response, headers=response.headers[:1], body=response.decoded.replace(caption, b"Une tout autre image"))
        if f"post{key}" in request.path
        else response
    )
    poll(archive, clock, **LEAD)
    assert [changed for _, changed, _ in revisions(archive, key)][1:] == [["captions"]]
    assert value(archive, "SELECT count(*) FROM held_pictures WHERE article = ?", key) == 1


def test_validators_spare_the_transfer(archive, clock):
    with mounted(clock, articles=2, options=replace(SMALL, validators=True)) as site:
        key = with_pictures(site)
        poll(archive, clock, **LEAD)
        clock.advance(hours=26)
        poll(archive, clock, **LEAD)
        statuses = rows(
            archive,
            "SELECT status FROM raw WHERE purpose = ? ORDER BY id",
            f"image:{site.fake_site.story(key).picture.url}",
        )
        assert [row["status"] for row in statuses] == [200, 304]
        assert_rebuilt_equal(archive, clock)


# --- what sites send instead of pictures ------------------------------------------------------------------------------

RASTER = Raster(48, 32, tuple(((x * 5) % 256, (y * 8) % 256, 90) for y in range(32) for x in range(48)))
BOMB = b"\x89PNG\r\n\x1a\n" + b"".join(
    png_chunk(*part)
    for part in (
        (b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1_000_000), 9) * 3),
        (b"IEND", b""),
    )
)
AVIF = b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(200)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


def pillow(name, size=(48, 32), mode="RGB", **options):
    out = io.BytesIO()
    Image.new(mode, size, 120).save(out, name, **options)
    return out.getvalue()


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.open(io.BytesIO(png(RASTER))).save(out, "JPEG", exif=exif)
    return out.getvalue()


def animated(name):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue", "green")]
    out = io.BytesIO()
    frames[0].save(out, name, save_all=True, append_images=frames[1:])
    return out.getvalue()


@functools.cache
def kept():
    """Return, by name, the body and the row of `pictures`: media type, size in pixels, whether there is a hash, problem."""
    return {
        "JPEG": (jpeg(RASTER), "image/jpeg", 48, True, None),
        "PNG": (png(RASTER), "image/png", 48, True, None),
        "GIF": (gif(RASTER), "image/gif", 48, True, None),
        "WebP": (webp(RASTER), "image/webp", 48, True, None),
        "truncated JPEG": (jpeg(RASTER)[:700], "image/jpeg", 48, False, "damaged"),
        "JPEG that is only a header": (jpeg(RASTER)[:30], "image/jpeg", None, False, "damaged"),
        "truncated PNG": (png(RASTER)[:60], "image/png", 48, False, "damaged"),
        "PNG bomb": (BOMB, "image/png", 50_000, False, "too-large"),
        "PNG without size": (png(RASTER)[:12] + b"IHDR" + bytes(8) + png(RASTER)[24:], "image/png", None, False, "damaged"),
        "CMYK JPEG": (pillow("JPEG", mode="CMYK"), "image/jpeg", 48, True, None),
        "grey JPEG": (pillow("JPEG", mode="L"), "image/jpeg", 48, True, None),
        "PNG of 16 bits": (pillow("PNG", mode="I;16"), "image/png", 48, True, None),
        "PNG of one bit": (pillow("PNG", mode="1"), "image/png", 48, True, None),
        "transparent PNG": (pillow("PNG", mode="RGBA"), "image/png", 48, True, None),
        "EXIF rotation": (rotated(), "image/jpeg", 48, True, None),
        "animated GIF": (animated("GIF"), "image/gif", 40, True, None),
        "animated WebP": (animated("WEBP"), "image/webp", 40, True, None),
        "JPEG with HTML in a comment": (jpeg(RASTER, comment=b"<script>alert(1)</script>"), "image/jpeg", 48, True, None),
        "GIF with HTML after it": (gif(RASTER) + b"<html><script>alert(1)</script>", "image/gif", 48, True, None),
        "AVIF": (AVIF, "image/avif", None, False, "format"),
        "HEIC": (HEIC, "image/heic", None, False, "format"),
        "TIFF": (b"II*\0" + bytes(100), "image/tiff", None, False, "format"),
    }  # fmt: skip


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
#: The response, and the kind of error in the row of the address.
NOT_KEPT = {
    "SVG with a script": (SiteResponse(200, (("Content-Type", "image/svg+xml"),), SVG), "unreadable"),
    "SVG declared as PNG": (SiteResponse(200, (("Content-Type", "image/png"),), SVG), "unreadable"),
    "HTML declared as JPEG": (SiteResponse(200, (("Content-Type", "image/jpeg"),), b"<html><body>x"), "unreadable"),
    "HTML that begins like a picture": (SiteResponse(200, (), b"\xff\xd8<html><script>"), "unreadable"),
    "nothing": (SiteResponse(200, (("Content-Type", "image/jpeg"),)), "unreadable"),
    "text": (SiteResponse(200, (), b"image.jpg"), "unreadable"),
    "404": (SiteResponse(404, (), b"not found"), "http-status"),
    "500": (SiteResponse(500, (), b"error"), "http-status"),
    "60 MB": (SiteResponse(200, (("Content-Type", "image/jpeg"),), b"\xff\xd8\xff" + bytes(60_000_000)), "too-large"),
    "endless stream": (SiteResponse(200, (("Content-Type", "image/jpeg"),), b"\xff\xd8\xff" * 4_000_000, chunked=True), "too-large"),
    "no response": (SiteResponse(200, (), b"", abort=True), "unreachable"),
    "cut off": (SiteResponse(200, (), png(RASTER), cut_after=50), "unreachable"),
    "a redirect to this machine": (redirect("http://127.0.0.1/a.jpg"), "refused"),
    "a redirect to the cloud's metadata": (redirect("http://169.254.169.254/latest/"), "refused"),
    "a redirect to another host": (redirect("https://evil.example/a.jpg"), "refused"),
    "a redirect without encryption": (redirect("http://mediafr.vietnamplus.vn/a.jpg"), "refused"),
    "a redirect to a file": (redirect("file:///etc/passwd"), "http-status"),
    "a redirect to an article": (redirect(f"{SITE}/x-post1.vnp"), "http-status"),
    "a redirect to itself": (redirect("a.jpg"), "other"),
}  # fmt: skip
ADDRESS = f"{MEDIA}/images/0a/a.jpg"


def visited(archive, clock, response, address=ADDRESS, **changes):
    """Request one picture, which has this response; return the outcome and the hosts that were connected."""
    with mounted(clock, options=SMALL) as site:
        site.edit = lambda request, regular: (
            response if "/images/" in request.path or "a.jpg" in request.path else regular
        )
        with working(archive, clock, **LEAD, attempts=1, **changes) as run, recorded(run, "poll"):
            outcome = visit_picture(run, address)
        return outcome, {request.url.host for request in site.wire.requests}


def test_the_bytes_decide_what_is_kept(archive, clock):
    """All in one archive: the same rows come out of a rebuild."""
    found = {}
    for number, (name, (body, *_)) in enumerate(kept().items()):
        address = f"{MEDIA}/images/{number}/a.jpg"
        visited(archive, clock, SiteResponse(200, (("Content-Type", "text/html"),), body), address)
        found[name] = rows(
            archive,
            """SELECT media_type, width, phash IS NOT NULL AS hashed, problem, size FROM picture_addresses a
               JOIN pictures p USING (digest) WHERE a.url = ? AND state = 'held'""",
            address,
        )
    assert {name: [(r["media_type"], r["width"], bool(r["hashed"]), r["problem"], r["size"]) for r in one] for name, one in found.items()} == {
        name: [(*expected, len(body))] for name, (body, *expected) in kept().items()
    }  # fmt: skip
    assert_rebuilt_equal(archive, clock)


def test_a_compressed_body_is_kept_as_received(archive, clock):
    """The request asks for no content coding, but a server may use one; the digest is that of the body as received."""
    body = gzip.compress(png(RASTER), mtime=0)
    visited(archive, clock, SiteResponse(200, (("Content-Encoding", "gzip"),), body))
    (row,) = rows(
        archive,
        "SELECT p.digest, p.size, p.width, p.phash IS NOT NULL AS hashed, r.digest AS captured FROM pictures p JOIN raw r ON r.id = raw_id",
    )
    assert (row["digest"], row["size"], row["width"], row["hashed"]) == (row["captured"], len(body), 48, 1)
    shown = Room(archive).answer(
        picture_page, "/", {}, headers={}, cookies={}, base="", variables={"digest": row["digest"][7:-4]}
    )
    assert (shown.content_type, shown.body) == ("image/png", png(RASTER))


def test_what_is_no_picture_is_not_kept_as_one(archive, clock):
    found = {}
    for number, (name, (response, _)) in enumerate(NOT_KEPT.items()):
        address = f"{MEDIA}/images/{number}/a.jpg"
        _, hosts = visited(archive, clock, response, address)
        assert hosts <= {"mediafr.vietnamplus.vn", "fr.vietnamplus.vn"}, name
        (row,) = rows(archive, "SELECT * FROM picture_addresses WHERE url = ?", address)
        assert (row["state"], row["digest"]) == ("failed", None), name
        found[name] = row["error_kind"]
        clock.advance(hours=2)
    assert found == {name: kind for name, (_, kind) in NOT_KEPT.items()}
    assert value(archive, "SELECT count(*) FROM pictures") == 0
    assert_rebuilt_equal(archive, clock)


def test_a_failure_keeps_the_picture_that_is_held(archive, clock):
    visited(archive, clock, SiteResponse(200, (), png(RASTER)))
    clock.advance(days=2)
    visited(archive, clock, SiteResponse(404))
    (row,) = rows(archive, "SELECT state, digest IS NOT NULL AS held, failures, error_kind FROM picture_addresses")
    assert tuple(row.values()) == ("held", 1, 1, "http-status")


@pytest.mark.parametrize("path", ["/images/*", "/robots.txt"])
def test_articles_do_not_wait_for_the_host_of_pictures(archive, clock, site, path):
    """If its robots.txt cannot be fetched, no picture is requested and none has failed."""

    def edit(request, response):
        is_down = request.header("Host") == "mediafr.vietnamplus.vn" and fnmatchcase(request.path, path)
        return SiteResponse(200, abort=True) if is_down else response

    site.edit = edit
    assert poll(archive, clock, attempts=1, **LEAD).new == 2
    states = [row["state"] for row in rows(archive, "SELECT state FROM picture_addresses")]
    assert states == ([] if path == "/robots.txt" else ["failed"] * 2)
    assert_rebuilt_equal(archive, clock)
    site.edit = None
    clock.advance(hours=4)
    with working(archive, clock, **LEAD) as run:
        run.pictures_unavailable = True  # as after an earlier run of the service
        collect.poll(run)
    assert value(archive, "SELECT count(*) FROM held_pictures") == 2


def test_news_come_before_pictures_that_are_due_again(archive, clock, site):
    poll(archive, clock, **LEAD)
    clock.advance(hours=26)
    with working(archive, clock, **LEAD) as run, recorded(run, "poll"):
        before = len(requested(site))
        visit_due_pictures(run)  # all sources are due, too
        assert len(requested(site)) == before
    poll(archive, clock, **LEAD)
    assert len(requested(site)) == before + 2


def test_a_picture_without_rows_is_ingested_at_the_next_start(archive, clock, site):
    poll(archive, clock)
    key = with_pictures(site)
    address = site.fake_site.story(key).picture.url
    with working(archive, clock, **LEAD) as run, recorded(run, "poll"):
        fetch(run, address, Purpose.image(address))
        run.drop_pending()  # as if the process had been killed here
    before = len(requested(site))
    clock.advance(hours=1)
    with working(archive, clock, **LEAD) as run, recorded(run, "poll"):
        recover(run)
    assert len(requested(site)) == before
    assert value(archive, "SELECT count(*) FROM held_pictures WHERE article = ?", key) == 1
    assert_rebuilt_equal(archive, clock)


def test_a_picture_that_crashes_the_crawler_is_quarantined(archive, clock, site, monkeypatch):
    def crash(*_):
        raise RuntimeError("a bug of the decoder")

    monkeypatch.setattr("crawler.pipeline.pictures.decode_picture", crash)
    with pytest.raises(RuntimeError):
        poll(archive, clock, **LEAD)
    monkeypatch.undo()
    (row,) = rows(archive, "SELECT state, error_kind, next_due_at IS NOT NULL FROM picture_addresses")
    assert tuple(row.values()) == ("failed", "bug", 1)
    poll(archive, clock, **LEAD)
    assert value(archive, "SELECT count(*) FROM articles") == 2


# --- pictures of articles that are held ---


def missing(archive):
    return value(archive, "SELECT count(*) FROM images WHERE digest IS NULL AND position = 0 AND url IS NOT NULL")


def test_a_backfill_fetches_what_is_missing_and_can_be_stopped(archive, clock):
    with mounted(clock, articles=6, options=replace(SMALL, section_size=10, home_size=10)) as site:
        poll(archive, clock)
        total = missing(archive)
        assert (total >= 5, requested(site)) == (True, [])
        with working(archive, clock, command="backfill", role="backfill", **LEAD) as run, recorded(run, "backfill"):
            run.stopping = lambda: missing(archive) <= total - 2
            assert fetch_pictures(run, None, None, waits=True).fetched == 2
        with working(archive, clock, command="backfill", role="backfill", **LEAD) as run, recorded(run, "backfill"):
            assert fetch_pictures(run, "2027-01-01", None, waits=True).fetched == 0
            assert fetch_pictures(run, None, None, waits=True).fetched == total - 2
            assert fetch_pictures(run, None, None, waits=True).fetched == 0
        assert missing(archive) == 0
        assert len(requested(site)) == len(set(requested(site))) == total
    assert_rebuilt_equal(archive, clock)


def test_a_backfill_waits_for_the_daily_cap_or_ends(archive, clock, site):
    poll(archive, clock)
    with (
        working(archive, clock, command="backfill", role="backfill", daily_cap=2, **LEAD) as run,
        recorded(run, "backfill"),
    ):
        with pytest.raises(SitePaused):
            fetch_pictures(run, None, None, waits=False)  # robots.txt and one picture
        assert fetch_pictures(run, None, None, waits=True).fetched == 1
    assert value(archive, "SELECT count(*) FROM picture_addresses WHERE state = 'failed'") == 0


def test_a_backfill_of_articles_fetches_their_pictures_too(archive, clock, site):
    with working(archive, clock, command="backfill", role="backfill", **LEAD) as run, recorded(run, "backfill"):
        request = BackfillRequest("sitemap", date(2026, 11, 1), date(2026, 11, 30))
        plan = backfill.open_plan(run, request, until_given=True).plan
        while backfill.advance(run, plan.id) is not None:
            pass
    assert (
        value(archive, "SELECT count(*) FROM held_pictures")
        == value(archive, "SELECT count(*) FROM images WHERE position = 0")
        >= 2
    )


def test_the_command_prints_what_it_fetched(archive, clock, site, tmp_path):
    poll(archive, clock)
    config = tmp_path / "config" / "crawler.toml"
    config.parent.mkdir()
    words = ("--config", config, "--archive", archive, "backfill", "--images", "--json")
    config.write_text('[site]\ncontact = "a@b.cd"\n')
    assert "keeps no pictures" in vna(*words).err
    config.write_text('[site]\ncontact = "a@b.cd"\n[archive]\nreserve = 0\n[images]\nkeep = "lead"\n')
    wanted = missing(archive)
    assert json.loads(vna(*words, "--dry-run").out) == {"requests": wanted, "bytes": None, "seconds": float(wanted)}
    assert vna(*words, "--via", "lists").code == 2


@pytest.mark.parametrize(("encode", "most"), [(png, 0), (webp, 0), (gif, 26), (jpeg, 20)])
def test_the_fake_site_serves_real_pictures(encode, most):
    """Another decoder reads what the site's own encoders write; GIF has few colours, and JPEG loses some detail."""
    decoded = Image.open(io.BytesIO(encode(RASTER))).convert("RGB")
    values = zip(decoded.tobytes(), (value for pixel in RASTER.pixels for value in pixel), strict=True)
    assert max(abs(one - other) for one, other in values) <= most


# --- decoding ---------------------------------------------------------------------------------------------------------


@pytest.mark.edge
def test_an_expensive_picture_is_decoded_in_a_process_of_its_own(monkeypatch):
    body = pillow("PNG", (2_500, 2_000))
    started = []
    run = parent._run
    monkeypatch.setattr(parent, "_run", lambda *files: started.append(1) or run(*files))
    assert decode_picture(body, read_header(body)).phash
    assert decode_picture(png(RASTER), read_header(png(RASTER))).phash
    assert started == [1]
    monkeypatch.setattr(parent, "LIMITS", replace(parent.LIMITS, memory=45_000_000))
    assert decode_picture(body, read_header(body)) is PictureProblem.STOPPED


def test_a_turned_picture_has_the_hash_that_a_viewer_sees():
    upright = Image.open(io.BytesIO(png(RASTER))).transpose(Image.Transpose.ROTATE_270)
    out = io.BytesIO()
    upright.save(out, "JPEG")
    one, other = (decode_picture(body, read_header(body)) for body in (rotated(), out.getvalue()))
    assert one.phash.split(":")[1] == other.phash.split(":")[1]


@pytest.mark.edge
@pytest.mark.parametrize(
    ("name", "size", "is_decoded"),
    [
        ("JPEG", (6_000, 4_000), True),
        ("WEBP", (3_200, 2_500), True),
        ("WEBP", (3_200, 2_501), False),
        ("PNG", (4_000, 3_001), False),
    ],
)
def test_the_largest_pictures_of_each_format_are_decoded_within_the_limits(name, size, is_decoded):
    body = pillow(name, size)
    found = decode_picture(body, read_header(body))
    assert (found is PictureProblem.TOO_LARGE) != is_decoded
    assert not is_decoded or found.phash


@pytest.mark.parametrize("size", [60, 60_000])
def test_a_frame_that_is_larger_than_the_header_says_is_not_decoded(size):
    """The size that was checked is that of the header; the decoder would take that of the frame."""
    body = bytearray(gif(RASTER))
    place = body.index(b",", 13 + 768)
    body[place + 5 : place + 9] = struct.pack("<HH", size, size)
    assert decode_picture(bytes(body), read_header(bytes(body))) is PictureProblem.DAMAGED


def test_without_the_library_a_message_says_what_to_install(archive, clock, monkeypatch):
    monkeypatch.setattr(parent, "find_spec", lambda _: None)
    with pytest.raises(StopError) as raised:
        app.require_contact(configured(archive, **LEAD))
    assert "vna-archive[images]" in raised.value.hint
    app.require_contact(configured(archive))


def test_a_rebuild_without_the_library_says_what_to_install(archive, clock, monkeypatch):
    visited(archive, clock, SiteResponse(200, (), png(RASTER)))
    monkeypatch.setattr(parent, "find_spec", lambda _: None)
    with pytest.raises(StopError) as raised:
        assert_rebuilt_equal(archive, clock)
    assert "vna-archive[images]" in raised.value.hint
