"""Evidence packs: what is in them, and what the check of a changed pack names."""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import re
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import pytest
from support import FakeClock, mounted_small, on_terminal, poll, process, rows, sealed, value, vna
from warcio.archiveiterator import ArchiveIterator

from crawler.evidence import check_pack, packed

ARTICLE = 108403  # the first seed's id on the fake site


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """An archive with an article that was revised; a seal covers the first revision."""
    folder, clock = tmp_path_factory.mktemp("evidence") / "archive", FakeClock()
    with mounted_small(clock, no_api=True) as site:
        for post_id in set(site.fake_site.ids()) - {ARTICLE, *site.fake_site.ids()[:2]}:
            site.fake_site.unpublish(post_id)
        poll(folder, clock)
        sealed(folder, clock)
        site.fake_site.revise(ARTICLE, title="Un autre <titre>")
        clock.advance(hours=1)
        poll(folder, clock, everything=True)
    return folder


@pytest.fixture(scope="module")
def pack(archive, tmp_path_factory):
    """A pack of the article, as a file."""
    target = tmp_path_factory.mktemp("pack") / "pack.zip"
    done = vna("--archive", archive, "evidence", ARTICLE, "--out", target)
    assert done.code == 0, done.err
    return target


def names_of(pack):
    with zipfile.ZipFile(pack) as opened:
        return opened.namelist()


def content(pack, name):
    with zipfile.ZipFile(pack) as opened:
        return opened.read(name)


def faults(pack, changed, tmp_path):
    """Return the faults of a pack with the bytes `changed`."""
    file = tmp_path / "changed.zip"
    file.write_bytes(changed)
    return check_pack.check(file)[1]


def test_a_pack_has_all_captures_and_revisions(archive, pack):
    folder = f"articles/{ARTICLE}"
    captures = [json.loads(line) for line in content(pack, f"{folder}/captures.jsonl").splitlines()]
    count = value(archive, "SELECT count(*) FROM raw WHERE purpose = ?", f"page:{ARTICLE}")
    assert len(captures) == count >= 2
    digests = {row["digest"] for row in rows(archive, "SELECT digest FROM raw")}
    assert {row["digest"] for row in captures} <= digests
    records = list(ArchiveIterator(io.BytesIO(content(pack, f"{folder}/records.warc.gz")), check_digests="raise"))
    assert [record.rec_type for record in records] == ["response", "request"] * count
    revisions = [json.loads(content(pack, f"{folder}/revisions/{n}.json")) for n in (1, 2)]
    assert revisions[1]["title"] == "Un autre <titre>"
    assert [one["capture"] for one in revisions] == [captures[0]["digest"], captures[-1]["digest"]]
    assert json.loads(content(pack, f"{folder}/changes/2.json"))["kinds"][0] == "headline"
    events = [event["event"] for event in json.loads(content(pack, f"{folder}/timeline.json"))]
    assert {"listed", "capture", "revision"} == set(events)
    page = content(pack, f"{folder}/page.html").decode()
    assert "Un autre &lt;titre&gt;" in page
    assert not re.search(r"<script|src=|href=", page), "it loads nothing"


def test_the_same_archive_gives_the_same_bytes(archive, pack, tmp_path):
    assert vna("--archive", archive, "evidence", ARTICLE, "--out", tmp_path / "again.zip").code == 0
    assert (tmp_path / "again.zip").read_bytes() == pack.read_bytes()


def test_a_pack_on_standard_output(archive, pack):
    with process("--archive", archive, "evidence", ARTICLE, "--out", "-") as running:
        out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (0, pack.read_bytes()), err
    assert "binary" in on_terminal("--archive", archive, "evidence", str(ARTICLE), "--out", "-")


def test_a_pack_is_checked_with_python_alone(pack, tmp_path):
    script = tmp_path / "check_pack.py"
    script.write_bytes(content(pack, "check_pack.py"))
    command = [sys.executable, "-I", "-S", str(script)]
    done = subprocess.run([*command, str(pack)], capture_output=True, text=True, check=False, env={})
    assert (done.returncode, done.stderr) == (0, "")
    assert str(ARTICLE) in done.stdout
    broken = tmp_path / "broken.zip"
    broken.write_bytes(pack.read_bytes()[:-1])
    assert subprocess.run([*command, str(broken)], capture_output=True, check=False, env={}).returncode == 5
    assert subprocess.run(command, capture_output=True, check=False, env={}).returncode == 2


def test_the_check_of_a_pack_as_a_command(pack, tmp_path):
    assert vna("verify", pack).code == 0
    broken = tmp_path / "broken.zip"
    broken.write_bytes(pack.read_bytes() + b"x")
    found = vna("verify", broken, "--json")
    assert found.code == 5
    assert json.loads(found.out)["faults"] == ["1 additional bytes at the end of the file"]
    assert "additional bytes" in vna("verify", broken).out
    assert vna("verify", pack, "--sample", "3").code == 2


def test_every_changed_byte_is_found_and_named(pack, tmp_path):
    original, rng = pack.read_bytes(), random.Random(5)
    manifest_end = original.index(b"PK\3\4", 10)
    directory = original.rindex(b"PK\1\2\x14", 0, original.index(b"PK\1\2"[:4]) + 6)
    places = [rng.randrange(len(original)) for _ in range(40)]
    places += [*range(0, 44, 3), *range(directory, directory + 40, 5), *range(len(original) - 93, len(original), 7)]
    places += [rng.randrange(manifest_end) for _ in range(5)]
    for place in places:
        changed = bytearray(original)
        changed[place] ^= rng.randrange(1, 256)
        assert faults(pack, bytes(changed), tmp_path), f"byte {place}"


def test_a_changed_row_is_named(pack, tmp_path):
    data = pack.read_bytes()
    second = data.index(b'"status"', data.index(b"captures.jsonl", data.index(b"PK\3\4", 10)) + 1)
    (fault,) = faults(pack, data[:second] + b"'" + data[second + 1 :], tmp_path)
    assert fault == f"articles/{ARTICLE}/captures.jsonl differs from its digest in manifest.json: row 1"


def repacked(pack, tmp_path, change, compression=zipfile.ZIP_STORED):
    """Pack the files again with another program, changed by `change`, which gets and returns the files by name."""
    files = change({name: content(pack, name) for name in names_of(pack)})
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", compression) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return faults(pack, target.getvalue(), tmp_path)


REPACKED = {
    "additional file: x.txt": lambda files: files | {"x.txt": b"x"},
    "missing file: README.md": lambda files: {n: d for n, d in files.items() if n != "README.md"},
    "README.md has 3 bytes instead of": lambda files: files | {"README.md": b"abc"},
    "check_pack.py differs from its digest": lambda files: files | {"check_pack.py": files["check_pack.py"].swapcase()},
}


@pytest.mark.parametrize(("expected", "change"), REPACKED.items(), ids=REPACKED)
def test_files_that_were_added_removed_or_changed_are_named(pack, tmp_path, expected, change):
    found = repacked(pack, tmp_path, change)
    assert any(fault.startswith(expected) for fault in found), found


def test_a_compressed_pack_is_not_unpacked(pack, tmp_path):
    (fault,) = repacked(pack, tmp_path, dict, zipfile.ZIP_DEFLATED)
    assert fault.startswith("the files are compressed")


def made(contents, **facts):
    return packed(contents, {"format": 1, "articles": [], **facts})


def plain_zip(name, data):
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(name, data)
    return target.getvalue()


def marked(manifest, **files):
    """Return a pack with the bytes `manifest` in place of its manifest; its digest is right."""
    parts, directory, position = [], b"", 0
    for name, data in {"manifest.json": manifest, **files}.items():
        directory += check_pack.directory_entry(name, len(data), zlib.crc32(data), position)
        parts += [check_pack.local_header(name, len(data), zlib.crc32(data)), data]
        position = sum(map(len, parts))
    return b"".join([*parts, directory, check_pack.end_record(len(files) + 1, position, len(directory), manifest)])


def listing(**changes):
    """Return a manifest that lists one file, with changed fields of this file."""
    entry = {"name": "x.txt", "size": 1, "crc32": zlib.crc32(b"x"), "sha256": hashlib.sha256(b"x").hexdigest()}
    return json.dumps({"format": 1, "articles": [], "files": [entry | changes]}).encode()


NOT_JSON, NO_MANIFEST = "manifest.json is not JSON in UTF-8, or has too many levels", "its format, files or articles"
#: The manifest of a file that is marked as a pack: its content and the fault.
DAMAGED_MANIFESTS = {
    "text": (b"no JSON", NOT_JSON),
    "nothing": (b"", NOT_JSON),
    "not UTF-8": (b'{"format": 1, "articles": [], "files": [], "x": "\xe9"}', NOT_JSON),
    "UTF-16": (listing().decode().encode("utf-16"), NOT_JSON),
    "deep lists": (b"[" * 100_000 + b"]" * 100_000, NOT_JSON),
    "many lists": (b"[" + b"[]," * 700_000 + b"[]]", "manifest.json has more values than that of any pack"),
    "a number of 5,000 digits": (b'{"format": ' + b"9" * 5000 + b"}", NOT_JSON),
    "a list": (b"[]", NO_MANIFEST),
    "a number": (b"7", NO_MANIFEST),
    "null": (b"null", NO_MANIFEST),
    "no format": (b'{"articles": [], "files": []}', NO_MANIFEST),
    "a format that is a text": (b'{"format": "1", "articles": [], "files": []}', NO_MANIFEST),
    "a format that is no number": (b'{"format": NaN, "articles": [], "files": []}', NO_MANIFEST),
    "files that are no objects": (b'{"format": 1, "articles": [], "files": [[]]}', NO_MANIFEST),
    "more files than a ZIP file can have": (b'{"format": 1, "articles": [], "files": [' + b"0," * 65_535 + b"0]}", NO_MANIFEST),
    "articles that are no numbers": (b'{"format": 1, "articles": ["("], "files": []}', NO_MANIFEST),
    "articles that are no list": (b'{"format": 1, "articles": 7, "files": []}', NO_MANIFEST),
    "a name with a lone surrogate": (listing(name="\ud800"), NO_MANIFEST),
    "a name with an escape sequence": (listing(name="\x1b[2J"), NO_MANIFEST),
    "a name of 70,000 characters": (listing(name="x" * 70_000), NO_MANIFEST),
    "a negative size": (listing(size=-1), NO_MANIFEST),
    "a size that is no number": (listing(size=float("nan")), NO_MANIFEST),
    "a digest that is none": (listing(sha256=None), NO_MANIFEST),
}  # fmt: skip


@pytest.mark.parametrize(("manifest", "fault"), DAMAGED_MANIFESTS.values(), ids=DAMAGED_MANIFESTS)
def test_a_pack_with_a_manifest_that_is_none_is_damaged(tmp_path, manifest, fault):
    file = tmp_path / "x.zip"
    file.write_bytes(marked(manifest, **{"x.txt": b"x"}))
    found = vna("verify", file, "--json")
    (said,) = json.loads(found.out)["faults"]
    assert (found.code, fault in said) == (5, True), said
    assert check_pack.main([str(file)]) == 5


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("manifest", [b"no JSON", b"[]", b"\xe9", b"", None, b"0" * 60_000_000], ids=range(6))
def test_a_pack_that_another_program_packed_without_its_manifest_is_damaged(pack, tmp_path, manifest, compression):
    def change(files):
        others = {name: data for name, data in files.items() if name != "manifest.json"}
        return others if manifest is None else {"manifest.json": manifest, **others}

    (fault,) = repacked(pack, tmp_path, change, compression)
    assert "manifest.json" in fault


def test_a_wrong_crc_32_in_a_manifest_is_named(tmp_path):
    manifest = listing(crc32=1)
    data = marked(manifest, **{"x.txt": b"x"}).replace(struct.pack("<L", zlib.crc32(b"x")), struct.pack("<L", 1))
    file = tmp_path / "x.zip"
    file.write_bytes(data)
    assert check_pack.check(file)[1] == ["x.txt differs from its digest in manifest.json"]


def test_no_escape_sequence_of_a_pack_reaches_the_terminal(pack, tmp_path, capsys):
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as changed:
        for name in names_of(pack):
            changed.writestr(name, content(pack, name))
        changed.writestr("\x1b]0;x\x07é\n", b"")
    assert check_pack.main([str(file)]) == 5
    assert r"additional file: \x1b]0;x\x07\xe9\n" in capsys.readouterr().out.splitlines()


REFUSED = {
    "a newer version": (made({}, format=2), "a newer version wrote it (format 2)"),
    "no manifest": (plain_zip("x.txt", b"x"), "not an evidence pack"),
    "another file": (b"PDF", "not an evidence pack"),
    "an empty file": (b"", "not an evidence pack"),
    "a bomb": (lambda: plain_zip("manifest.json", b"0" * 60_000_000), "larger than that of any pack"),
    "a manifest of something else": (
        plain_zip("manifest.json", b'{"manifest_version": 3}'),
        "manifest.json is not that",
    ),
    "a manifest that is not JSON": (plain_zip("manifest.json", b"CACHE MANIFEST"), "manifest.json is not JSON"),
}


@pytest.mark.parametrize(("data", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_pack_is_refused(tmp_path, data, message):
    file = tmp_path / "x.zip"
    file.write_bytes(data() if callable(data) else data)
    refused = vna("verify", file)
    assert refused.code == 1
    assert message in refused.err
    assert check_pack.main([str(file)]) == 1


def test_what_is_not_a_regular_file_is_refused_at_once(tmp_path):
    pipe, folder, server = tmp_path / "pipe", tmp_path / "a folder", socket.socket(socket.AF_UNIX)
    os.mkfifo(pipe)
    folder.mkdir()
    (tmp_path / "link").symlink_to(pipe)
    with server:
        server.bind(str(tmp_path / "socket"))
        for path in (pipe, tmp_path / "link", tmp_path / "socket", Path("/dev/zero"), Path("/dev/null")):
            refused = vna("verify", path)
            assert (refused.code, "not a regular file" in refused.err) == (1, True), path
            assert check_pack.main([str(path)]) == 1
    refused = vna("verify", folder)
    assert (refused.code, f"vna --archive '{folder}' verify" in refused.err) == (1, True), refused.err
    assert vna("verify", tmp_path / "none.zip").code == 1


def test_records_that_differ_from_their_rows_are_named(pack, tmp_path):
    """A pack whose digests are right, but whose rows and records do not fit each other."""
    folder = f"articles/{ARTICLE}"
    files = {name: content(pack, name) for name in names_of(pack) if name != "manifest.json"}
    captures = [json.loads(line) for line in files[f"{folder}/captures.jsonl"].splitlines()]

    def found(**changes):
        return faults(
            pack, made(files | {f"{folder}/{n}": d for n, d in changes.items()}, articles=[ARTICLE]), tmp_path
        )

    def rows_with(**changes):
        return b"".join(json.dumps({**row, **changes}).encode() + b"\n" for row in captures)

    assert found() == []
    for changes, message in (
        ({"url": "https://x/"}, "another address"),
        ({"digest": "sha256:A"}, "the SHA-256 of the response"),
        ({"length": 9}, "incomplete"),
        ({"pack_offset": 1}, "cannot be decompressed"),
        ({"pack_offset": None}, "cannot be read"),
    ):
        assert message in " ".join(found(**{"captures.jsonl": rows_with(**changes)})), changes
    assert "its text differs" in found(**{"revisions/1.txt": b"x"})[0]
    assert "cannot be read" in found(**{"revisions/1.json": b"{}"})[0]
    del files[f"{folder}/records.warc.gz"]
    assert "records.warc.gz" in found()[0]


def test_which_articles_are_packed(archive, tmp_path):
    def pack(*words):
        return vna("--archive", archive, "evidence", *words, "--out", tmp_path / "x.zip")

    assert pack("Vietnam").code == 0
    assert len(json.loads(content(tmp_path / "x.zip", "manifest.json"))["articles"]) > 1
    assert "raise --limit" in pack("Vietnam", "--limit", "1").err
    assert "no article matches" in pack("xylophone").err
    assert pack("999").code == 1
    assert "choose another path" in vna("--archive", archive, "evidence", ARTICLE, "--out", tmp_path / "no" / "x").err


def test_the_seals_that_cover_a_pack_are_named(archive, pack, tmp_path):
    """Two records and a revision are sealed; those of the second day are not yet."""
    seal = json.loads((archive / "seals.jsonl").read_text())
    _, _, notes = check_pack.check(pack)
    assert notes == [
        f"sealed on 2026-11-21, root {seal['root']}, seal {seal['digest']}: 3 records and revisions",
        "not sealed yet: 3 records and revisions",
    ]
    assert set(notes) <= set(vna("verify", pack).out.splitlines())
    assert json.loads(vna("verify", pack, "--json").out)["seals"] == notes


def test_a_pack_of_an_archive_with_a_damaged_seal_is_refused(archive, tmp_path):
    path = archive / "seals.jsonl"
    original = path.read_bytes()
    path.write_bytes(original.replace(b'"at":"2026', b'"at":"2025'))
    try:
        refused = vna("--archive", archive, "evidence", ARTICLE, "--out", tmp_path / "x.zip")
    finally:
        path.write_bytes(original)
    assert (refused.code, "seals.jsonl, line 1 is damaged" in refused.err) == (1, True)


def test_a_damaged_record_does_not_prevent_a_pack_of_another_article(archive, tmp_path):
    folder = shutil.copytree(archive, tmp_path / "archive")
    (robots,) = rows(folder, "SELECT file, offset, length FROM raw WHERE purpose = 'robots'")
    path = folder / "warc" / robots["file"]
    data = bytearray(path.read_bytes())
    data[robots["offset"] + robots["length"] - 6] ^= 1
    path.write_bytes(data)
    assert vna("--archive", folder, "evidence", ARTICLE, "--out", tmp_path / "x.zip").code == 0
    _, found, notes = check_pack.check(tmp_path / "x.zip")
    assert found == []
    assert sum(note.startswith("sealed, but not proved") for note in notes) == 1


def exchanged(old, new):
    return lambda data: data.replace(old, new, 1)


def without_a_line(number):
    return lambda data: b"".join(line for at, line in enumerate(data.splitlines(keepends=True)) if at != number)


FOLDER = f"articles/{ARTICLE}"
#: Changes of a pack whose digests are right: the file, the change, and what is named.
FORGED = {
    "a step of a path": (f"{FOLDER}/proofs.jsonl", lambda data: re.sub(rb'\["[LR]', lambda found: b'["R' if found[0] == b'["L' else b'["L', data), "row 1: its path does not lead to the root"),
    "an empty path": (f"{FOLDER}/proofs.jsonl", lambda data: re.sub(rb'"path":\[.+?\]', b'"path":[]', data), "row 1: its path does not lead to the root"),
    "another seal": (f"{FOLDER}/proofs.jsonl", exchanged(b'"seal":"', b'"seal":"0'), "row 1: its path does not lead to the root"),
    "another place of a record": (f"{FOLDER}/proofs.jsonl", exchanged(b'"offset":', b'"offset":1'), "row 1: its path does not lead to the root"),
    "a proof left out": (f"{FOLDER}/proofs.jsonl", without_a_line(0), "not every record and revision has one row"),
    "the proof of a revision left out": (f"{FOLDER}/proofs.jsonl", without_a_line(5), "not every record and revision has one row"),
    "a proof that is none": (f"{FOLDER}/proofs.jsonl", lambda data: data + b"7\n", "cannot be read"),
    "the row of a revision": (f"{FOLDER}/revisions.jsonl", exchanged(b'"byline":', b'"byline": '), "row 5: its path does not lead to the root"),
    "the title of a revision": (f"{FOLDER}/revisions/1.json", exchanged(b'"title": "', b'"title": "X'), "it differs from row 1"),
    "a root": ("seals.jsonl", exchanged(b'"root":"', b'"root":"0'), "row 1: the seal does not continue the chain"),
    "the day of a seal": ("seals.jsonl", exchanged(b'"at":"2026', b'"at":"2025'), "row 1: the seal does not continue the chain"),
    "deep lists": (f"{FOLDER}/proofs.jsonl", lambda data: b"[" * 100_000 + b"\n" + data, "cannot be read"),
    "a seal of deep lists": ("seals.jsonl", lambda data: data + b"[" * 100_000 + b"\n", "row 2: not a seal"),
    "no seals": ("seals.jsonl", lambda _: b"", "row 1: its path does not lead to the root"),
    "seals that are none": ("seals.jsonl", lambda data: data + b"[]\n", "row 2: not a seal"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "change", "message"), FORGED.values(), ids=FORGED)
def test_what_does_not_fit_the_seals_is_named(pack, tmp_path, name, change, message):
    files = {one: content(pack, one) for one in names_of(pack) if one != "manifest.json"}
    files[name] = change(files[name])
    found = faults(pack, packed(files, {"format": 1, "articles": [ARTICLE]}), tmp_path)
    assert message in " ".join(found), found


OTHER = "articles/7"
#: Changes of the files of a pack whose digests are right: what the files become, the listed articles, what is named.
UNLISTED = {
    "an article": (lambda files: files, [], f"{FOLDER}: not part of a pack of the articles that manifest.json names"),
    "a copy of an article": (
        lambda files: files | {name.replace(FOLDER, OTHER): data for name, data in files.items() if FOLDER in name},
        [ARTICLE],
        f"{OTHER}: not part of a pack of the articles that manifest.json names",
    ),
    "an article under another id": (
        lambda files: {name.replace(FOLDER, OTHER): data for name, data in files.items()},
        [7],
        f"{OTHER}/revisions/1.json: it differs from row 1 of revisions.jsonl",
    ),
    "an article of which only a page is there": (
        lambda files: files | {f"{OTHER}/page.html": b"x"},
        [ARTICLE],
        f"{OTHER}: not part of a pack of the articles that manifest.json names",
    ),
    "a folder with a similar name": (
        lambda files: files | {f"{FOLDER}0/page.html": b"x"},
        [ARTICLE],
        f"{FOLDER}0: not part of a pack of the articles that manifest.json names",
    ),
    "a file": (lambda files: files | {"x.txt": b"x"}, [ARTICLE], "x.txt: not part of a pack of the articles"),
    "a file above all folders": (lambda files: files | {"../x": b"x"}, [ARTICLE], "../x: not part of a pack"),
    "a time stamp of no seal": (lambda files: files | {"timestamps/x": b"x"}, [ARTICLE], "timestamps/x: not part"),
    "a second manifest": (
        lambda files: files | {"manifest.json": b"{}"},
        [ARTICLE],
        "manifest.json lists manifest.json 2 times",
    ),
    "an additional revision": (
        lambda files: files | {f"{FOLDER}/revisions/3.{end}": files[f"{FOLDER}/revisions/2.{end}"] for end in ("json", "txt")},
        [ARTICLE],
        f"{FOLDER}/revisions.jsonl: not every revision of the pack has one row",
    ),
    "a revision twice": (
        lambda files: files | {f"{FOLDER}/revisions/1.{end}": files[f"{FOLDER}/revisions/2.{end}"] for end in ("json", "txt")},
        [ARTICLE],
        f"{FOLDER}/revisions/1.json: it differs from row 1 of revisions.jsonl",
    ),
    "a revision left out": (
        lambda files: {name: data for name, data in files.items() if "/revisions/2." not in name},
        [ARTICLE],
        f"the files of article {ARTICLE} are incomplete or cannot be read",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "articles", "message"), UNLISTED.values(), ids=UNLISTED)
def test_a_pack_with_other_files_than_those_of_its_articles_is_not_intact(pack, tmp_path, change, articles, message):
    files = change({one: content(pack, one) for one in names_of(pack) if one != "manifest.json"})
    file = tmp_path / "x.zip"
    file.write_bytes(packed(files, {"format": 1, "articles": articles}))
    found = vna("verify", file, "--json")
    assert found.code == 5
    assert any(fault.startswith(message) for fault in json.loads(found.out)["faults"]), found.out
    assert check_pack.main([str(file)]) == 5


def test_an_imported_text_has_evidence_too(tmp_path, archive):
    text = Path(archive).parent / "text.txt"
    text.write_text("Un titre\n\nUn chapeau.\n\nHanoï (VNA) - Un texte. -VNA\n", "utf-8")
    assert vna("--archive", tmp_path / "a", "import", text).code == 0
    assert vna("--archive", tmp_path / "a", "evidence", "-1", "--out", tmp_path / "x.zip").code == 0
    assert vna("verify", tmp_path / "x.zip").code == 0


def test_citations_name_the_capture(archive):
    row = rows(archive, "SELECT r.url, r.fetched_at, r.digest FROM revisions v JOIN raw r ON r.id = v.raw_id WHERE v.article = ? ORDER BY revision", ARTICLE)  # fmt: skip
    for format_ in ("text", "bibtex", "ris", "csl-json"):
        shown = vna("--archive", archive, "cite", ARTICLE, "--format", format_).out
        for part in (row[-1]["url"], row[-1]["fetched_at"], row[-1]["digest"], "Un autre"):
            assert part in shown, (format_, part)
    earlier = vna("--archive", archive, "cite", ARTICLE, "--as-of", "2026-11-21T08:10").out
    assert row[0]["fetched_at"] in earlier
    before = vna("--archive", archive, "cite", ARTICLE, "--as-of", "2020-01-01")
    assert before.code == 1
    assert "as of 2020-01-01" in before.err
    assert f"vna history {ARTICLE}" in before.err


def test_captures_from_before_purposes_were_written_are_in_the_pack(archive, pack, tmp_path):
    folder = shutil.copytree(archive, tmp_path / "old")
    with closing(sqlite3.connect(folder / "vna.db")) as db:
        db.execute("UPDATE raw SET purpose = NULL")
        db.commit()
    assert vna("--archive", folder, "evidence", ARTICLE, "--out", tmp_path / "old.zip").code == 0
    name = f"articles/{ARTICLE}/records.warc.gz"
    assert content(tmp_path / "old.zip", name) == content(pack, name)
