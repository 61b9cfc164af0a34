"""Pictures as readers see them: in the commands, in evidence packs and in the reading room."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zipfile

import pytest

pytest.importorskip("jinja2")  # the reading room

from support import FakeClock, mounted, poll, rows, value, vna
from test_pictures import LEAD, SMALL, SVG, kept, with_pictures

from crawler.room.pages import article, pictures
from crawler.room.pages.pictures import as_picture
from crawler.room.room import Room


@pytest.fixture(scope="module")
def replaced(tmp_path_factory):
    """An archive with an article whose first picture was replaced; the archive and the id of the article."""
    folder, clock = tmp_path_factory.mktemp("replaced") / "archive", FakeClock()
    with mounted(clock, articles=2, options=SMALL) as site:
        key = with_pictures(site)
        poll(folder, clock, **LEAD)
        clock.advance(hours=26)
        site.fake_site.edit_picture(key, "in_place")
        poll(folder, clock, **LEAD)
    return folder, key


def test_commands_show_a_replaced_picture(replaced):
    archive, key = replaced
    first, second = json.loads(vna("--archive", archive, "history", key, "--json").out)
    (change,) = second["changes"]
    assert (first["kinds"], second["kinds"], second["silent"]) == ([], ["picture"], True)
    assert (change["field"], change["before_offset"]) == ("pictures", 0)
    assert {change["before"], change["after"]} == {
        row["digest"]
        for row in rows(
            archive, "SELECT digest FROM pictures WHERE digest IN (?, ?)", change["before"], change["after"]
        )
    }
    shown = vna("--archive", archive, "history", key).out
    assert f"pictures: [-{change['before']}-]{{+{change['after']}+}}  (picture)" in shown
    (row,) = json.loads(vna("--archive", archive, "changes", "--kind", "picture", "--json").out)
    assert (row["id"], row["changed"], row["kinds"]) == (key, ["pictures"], ["picture"])
    assert json.loads(vna("--archive", archive, "changes", "--kind", "caption", "--json").out) == []


def test_status_and_coverage_count_pictures(replaced):
    archive, _ = replaced
    counts = json.loads(vna("--archive", archive, "status", "--json").out)["pictures"]
    assert (counts["held"], counts["failed"], counts["places_held"]) == (3, 0, 2)
    assert counts["bytes"] == value(archive, "SELECT sum(size) FROM pictures")
    assert json.loads(vna("--archive", archive, "coverage", "--json").out)["pictures"] == counts
    assert "pictures   3 held" in vna("--archive", archive, "status").out
    assert "pictures of all articles: 3 held" in vna("--archive", archive, "coverage").out


def test_a_pack_has_the_records_of_all_pictures_of_its_article(replaced, tmp_path):
    archive, key = replaced
    pack = tmp_path / "pack.zip"
    assert vna("--archive", archive, "evidence", key, "--out", pack).code == 0
    assert vna("verify", pack).code == 0
    with zipfile.ZipFile(pack) as opened:
        captures = [json.loads(line) for line in opened.read(f"articles/{key}/captures.jsonl").splitlines()]
        (picture,) = [json.loads(line) for line in opened.read(f"articles/{key}/pictures.jsonl").splitlines()]
        told = json.loads(opened.read(f"articles/{key}/changes/2.json"))
        html = opened.read(f"articles/{key}/page.html").decode()
    digests = {row["digest"] for row in captures if (row["purpose"] or "").startswith("image:")}
    assert (len(digests), told["kinds"]) == (2, ["picture"])
    assert picture["digest"] == told["changes"][0]["after"]
    assert digests == {told["changes"][0]["before"], told["changes"][0]["after"]}
    assert html.count("data:image/webp;base64,") == 1


def test_the_reading_room_shows_the_picture_of_each_revision(replaced):
    archive, key = replaced
    room = Room(archive)

    def ask(path, view, **variables):
        request = {"headers": {}, "cookies": {}, "base": "http://127.0.0.1:8001", "variables": variables}
        parameters = {"as_of": [variables.pop("as_of")]} if "as_of" in variables else {}
        return room.answer(view, path, parameters, **request)

    seen = rows(archive, "SELECT seen_at FROM revisions WHERE article = ? ORDER BY revision", key)
    found = []
    for at in (seen[0]["seen_at"], seen[1]["seen_at"]):
        html = ask(f"/article/{key}", article.article, id=str(key), as_of=at).body.decode()
        (source,) = re.findall(r'<img src="(/picture/[A-Z2-7]{52})"', html)
        shown = ask(source, pictures.picture, digest=source.removeprefix("/picture/"))
        assert (shown.status, shown.content_type) == (200, "image/webp")
        assert shown.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert shown.headers["X-Content-Type-Options"] == "nosniff"
        found.append("sha256:" + base64.b32encode(hashlib.sha256(shown.body).digest()).decode())
    replacement = json.loads(
        value(archive, "SELECT replaced_pictures FROM revisions WHERE article = ? AND revision = 2", key)
    )[0]
    assert found == [replacement["before"], replacement["after"]]
    number = value(archive, "SELECT raw_id FROM pictures WHERE digest = ?", found[0])
    assert ask(f"/capture/{number}/page", article.archived_page, id=str(number)).content_type == "image/webp"
    assert ask("/picture/x", pictures.picture, digest="A" * 52).status == 404


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("JPEG with HTML in a comment", "image/jpeg"),
        ("GIF with HTML after it", "image/gif"),
        ("AVIF", "image/avif"),
        ("HEIC", None),
        ("TIFF", None),
    ],
)
def test_the_reading_room_serves_only_what_browsers_show_as_a_picture(name, shown):
    response = as_picture(kept()[name][0])
    assert (response and response.content_type) == shown
    assert [as_picture(body) for body in (SVG, b"<html>", b"")] == [None] * 3
