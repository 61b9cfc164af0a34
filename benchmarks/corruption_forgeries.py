"""More kinds of damage: what somebody tries who knows SQLite and the program, and single bits that flip."""

from __future__ import annotations

import gzip
import os
import random
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from benchmarks.corruption_kinds import (
    REFERENCES,
    Damage,
    Kind,
    WarcMembers,
    but,
    edited_record,
    is_record,
    one_value,
    read_members,
    sql_script,
    with_digests,
)
from crawler.storage import FILE
from crawler.storage.diff_db import EVIDENCE
from crawler.warc.seals import SEALS

_UNUSED = "it is not read: everything that is read is unchanged"
_FLIPS = 12  # bits for each file


def forgeries(archive: Path) -> Iterator[Kind]:
    """Yield all kinds of this module for an archive."""
    names = sorted(p.relative_to(archive / "warc").as_posix() for p in (archive / "warc").rglob("*.warc.gz"))
    yield from _characters(archive)
    yield from _rows(archive)
    yield from _schema(archive)
    yield from _database_file()
    yield from _records(names[1])
    yield from _seals(names)
    yield from _flipped_bits(archive, names)


# --- rows -------------------------------------------------------------------------------------------------------------


def _characters(archive: Path) -> Iterator[Kind]:
    article = one_value(archive, "SELECT max(id) FROM articles WHERE revision = 1 AND title LIKE '%é%'")
    texts = {
        "an accent written as two characters": "title = replace(title, 'é', 'e' || char(769))",
        "an invisible character inserted": "own_text = substr(text, 1, 5) || char(8203) || substr(text, 6)",
        "a space at the end of a title": "title = title || ' '",
        "a NUL character at the end of a text": "own_text = text || char(0) || 'x'",
        "all spaces replaced by no-break spaces": "own_text = replace(text, ' ', char(160))",
        "an address in capitals": "url = upper(url)",
        "JSON written in another way": "blocks = blocks || ' '",
        "a text stored as bytes": "title = CAST(title AS BLOB)",
        "a number of words with a fraction": "word_count = word_count + 0.5",
        "a publication time written with another offset": "published_at = replace(published_at, '+07:00', '+07:00:00')",
    }
    for name, change in texts.items():
        yield Kind(
            "characters", name, sql_script(f"UPDATE articles SET {change} WHERE id = {article}"), ("articles", article)
        )
    tag = f"UPDATE tags SET tag = CAST(tag AS BLOB) WHERE article = {article}"
    yield Kind("characters", "tags stored as bytes", sql_script(tag), ("tags", article))
    place = one_value(archive, "SELECT file FROM raw WHERE id = 5")
    yield Kind(
        "characters", "a digest that is a number", sql_script("UPDATE raw SET digest = 5 WHERE id = 5"), (place,)
    )
    yield Kind(
        "characters", "a status that is a text", sql_script("UPDATE raw SET status = 'x' WHERE id = 5"), ("raw", "id 5")
    )


def _rows(archive: Path) -> Iterator[Kind]:
    new = one_value(archive, "SELECT max(id) FROM articles WHERE revision = 1")
    gap = "INSERT INTO gaps (source, opened_at, since, until, state) VALUES (1, 't', 't', 't', 'open');"
    raw = "INSERT INTO raw (id, url, fetched_at, status, file, offset, length, digest) VALUES"
    unchecked = "PRAGMA foreign_keys = OFF;"
    scripts: dict[str, tuple[str, tuple[str, ...]]] = {
        "an article with a negative id": (
            f"INSERT INTO articles SELECT {but('articles', archive, {'id': '-7', 'url': 'NULL'})} FROM articles WHERE id = {new}", ("articles", "-7")),
        "a page with a negative id": ("INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (-5, 'u', 'known', 't', 's')", ("pages", "-5")),
        "a capture with a negative id": (f"{raw} (-1, 'u', 't', 200, 'x', 0, 1, 'd')", ("x",)),
        "a capture in no file": (f"{raw} (NULL, 'u', 't', 200, '', 0, 1, 'd')", ("raw",)),
        "a capture in a file outside the archive": (f"{raw} (NULL, 'u', 't', 200, '../../etc/passwd', 0, 1, 'd')", ("../../etc/passwd",)),
        "a tag of no article": (f"{unchecked} INSERT INTO tags VALUES (424242, 0, 'x')", ("tags", "424242")),
        "a sighting of no page": (f"{unchecked} INSERT INTO sightings (page, source, first_seen_at, last_seen_at) VALUES (424242, 's', 't', 't')", ("sightings", "424242")),
        "a searched text of no article": (f"{unchecked} INSERT INTO articles_folded VALUES (424242, 'x', '', 'x')", ("articles_folded", "424242")),
        "the same gap twice": (gap * 2, ("gaps", "opened_at t")),
        "a source that differs only in case": ("INSERT INTO sources (url, kind, state) SELECT upper(url), kind, 'new' FROM sources WHERE id = 2", ("sources", "HTTP://")),
        "a repair that changes nothing": (f"INSERT INTO repairs VALUES ({new}, 99, 'glue', 0, '', '')", ("repairs", new)),
        "a pair of copies reversed": ("UPDATE duplicates SET article = other, other = article", ("duplicates",)),
        "the rows of two tables exchanged": (
            "CREATE TEMP TABLE one AS SELECT article, tag FROM tags; DELETE FROM tags; INSERT INTO tags SELECT article, row_number() OVER (PARTITION BY article), section FROM sections; DELETE FROM sections; INSERT OR IGNORE INTO sections SELECT * FROM one", ("sections",)),
    }  # fmt: skip
    for name, (script, named) in scripts.items():
        yield Kind("invented rows", name, sql_script(script), named)
    renumbered = "; ".join(
        f"UPDATE {table} SET {column} = {column} + 100000" for table, column in (("raw", "id"), *REFERENCES)
    )
    yield Kind("invented rows", "all captures renumbered, with all references", sql_script(unchecked + renumbered), (), harmless="the numbers say only in which order rows were written; what they refer to is the same")  # fmt: skip
    for table, column in (("articles", "title"), ("tags", "tag"), ("raw", "digest"), ("raw", "file"), ("stored_revisions", "tags"), ("related_stories", "title"), ("rhythms", "items")):  # fmt: skip
        yield Kind("missing values", f"no {column} in one row of {table}", _null(table, column), (f"{table}.{column}",))


def _null(table: str, column: str) -> Damage:
    """Set a value to NULL although the table forbids it, and leave its definition as it was."""

    def damage(archive: Path) -> None:
        sql = one_value(archive, f"SELECT sql FROM sqlite_schema WHERE name = '{table}'")
        _redefine(archive, f"UPDATE sqlite_schema SET sql = replace(sql, ' NOT NULL,', ',') WHERE name = '{table}'")
        with closing(sqlite3.connect(archive / FILE)) as db, db:
            first = "article" if table in ("tags", "stored_revisions") else "source" if table == "rhythms" else "id"
            db.execute(f"UPDATE {table} SET {column} = NULL WHERE {first} = (SELECT max({first}) FROM {table})")
        _redefine(archive, "UPDATE sqlite_schema SET sql = ? WHERE name = ?", sql, table)

    return damage


def _redefine(archive: Path, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(archive / FILE)) as db, db:
        db.execute("PRAGMA writable_schema = ON")
        assert db.execute(statement, values).rowcount > 0, statement


# --- the schema and the file of the database --------------------------------------------------------------------------


def _schema(archive: Path) -> Iterator[Kind]:
    article = one_value(archive, "SELECT max(id) FROM articles")
    scripts = {
        "a computed column": ("ALTER TABLE articles ADD COLUMN x AS (title || 'x')", ("articles",)),
        "an index on other columns": ("DROP INDEX raw_url; CREATE INDEX raw_url ON raw (fetched_at, url)", ("raw_url",)),
        "an index of a part of the rows": ("DROP INDEX raw_url; CREATE INDEX raw_url ON raw (url, fetched_at) WHERE id > 5", ("raw_url",)),
        "an index with another order": ("DROP INDEX tags_tag; CREATE INDEX tags_tag ON tags (tag COLLATE NOCASE)", ("tags_tag",)),
        "a trigger that looks like one of Litestream": ("CREATE TRIGGER _litestream_x AFTER INSERT ON articles BEGIN UPDATE articles SET own_text = 'x' WHERE id = new.id; END", ("_litestream_x",)),
        "a view of a table": ("CREATE VIEW tagged AS SELECT * FROM tags", ("tagged",)),
        "two tables renamed to each other's names": ("PRAGMA foreign_keys = OFF; ALTER TABLE tags RENAME TO x; ALTER TABLE repairs RENAME TO tags; ALTER TABLE x RENAME TO repairs", ("tags",)),
        "the list of migrations emptied": ("DELETE FROM _sqlite_migrations", ("migrations",)),
        "the list of migrations dropped": ("DROP TABLE _sqlite_migrations", ("migrations",)),
        "a migration of the future": ("INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('vna', '0099_x', '2026')", ("_sqlite_migrations", "0099_x")),
        "the schema version of the future": ("PRAGMA user_version = 99", ("schema version 99",)),
        "the order of search results changed": ("INSERT INTO articles_fts (articles_fts, rank) VALUES ('rank', 'bm25(10.0, 5.0, 1.0)')", ("articles_fts_config",)),
    }  # fmt: skip
    for name, (script, named) in scripts.items():
        remedy = "restore" if name == "the schema version of the future" else "rebuild"
        yield Kind("schema", name, sql_script(script), named, remedy)
    entry = "INSERT INTO articles_fts (rowid, title, lead, text) VALUES (424242, 'x', '', '')"
    yield Kind("search index", "an entry of no article", sql_script(entry), ("articles_fts",), "reindex")
    edits = {
        "a condition of a table removed": ("articles", " CHECK (state IN ('live', 'suspect', 'gone'))", ""),
        "a trigger that stores something else": ("articles_folded_added", "new.text", "new.title"),
    }
    for name, (entry, old, new) in edits.items():
        change = f"UPDATE sqlite_schema SET sql = replace(sql, '{old.replace(chr(39), chr(39) * 2)}', '{new}') WHERE name = '{entry}'"
        yield Kind("schema", name, lambda folder, change=change: _redefine(folder, change), (entry,))
    for one, other in (("articles_section", "articles_published_on"), ("tags", "sections")):
        yield Kind("database file", f"the pages of {one} and {other} exchanged", _exchanged_pages(one, other), (FILE,))
    stale = f"DELETE FROM tags WHERE article = {article}"
    yield Kind(
        "database file", "an index that does not fit its table", _stale_index("tags_tag", "tags", stale), (FILE,)
    )


def _exchanged_pages(one: str, other: str) -> Damage:
    def damage(archive: Path) -> None:
        pages = [
            one_value(archive, f"SELECT rootpage FROM sqlite_schema WHERE name = '{name}'") for name in (one, other)
        ]
        for name, page in zip((other, one), pages, strict=True):
            _redefine(archive, f"UPDATE sqlite_schema SET rootpage = {page} WHERE name = '{name}'")

    return damage


def _stale_index(index: str, table: str, statement: str) -> Damage:
    """Change a table while one of its indexes is hidden."""

    def damage(archive: Path) -> None:
        sql = one_value(archive, f"SELECT sql FROM sqlite_schema WHERE name = '{index}'")
        page = one_value(archive, f"SELECT rootpage FROM sqlite_schema WHERE name = '{index}'")
        _redefine(archive, f"DELETE FROM sqlite_schema WHERE name = '{index}'")
        sql_script(statement)(archive)
        _redefine(archive, "INSERT INTO sqlite_schema VALUES ('index', ?, ?, ?, ?)", index, table, page, sql)

    return damage


def _database_file() -> Iterator[Kind]:
    yield Kind("database file", "the database emptied", _content(FILE, lambda _: b""), ("vna-",))
    yield Kind(
        "database file", "the first bytes overwritten", _content(FILE, lambda data: b"x" * 100 + data[100:]), (FILE,)
    )
    yield Kind("database file", "bytes appended to the database", _content(FILE, lambda data: data + b"x" * 4096), (), harmless=_UNUSED)  # fmt: skip
    yield Kind("database file", "the database rewritten by SQLite", sql_script("VACUUM"), (), harmless="the same rows")
    yield Kind("log", "the newer half of the log cut off", sql_script("DELETE FROM runs WHERE id > (SELECT max(id) / 2 FROM runs)"), ("fetches",))  # fmt: skip


def _content(name: str, change: Callable[[bytes], bytes]) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return damage


# --- records and seals ------------------------------------------------------------------------------------------------


def _records(name: str) -> Iterator[Kind]:
    page = is_record(b"response", b"VNA-Purpose: page:")
    for other in (b"revisit", b"resource", b"metadata", b"conversion"):
        damage = edited_record(
            name, page, lambda r, other=other: r.replace(b"WARC-Type: response", b"WARC-Type: " + other), fit=True
        )
        yield Kind("record", f"a response called a {other.decode()}, with fitting rows", damage, (name,), "restore")
    header = {
        "the settings of a run": (b'"list_pages":20', b'"list_pages":1'),
        "what a run excluded": (b'"exclude":[]', b'"exclude":["*"]'),
        "the clock period": (b"format: WARC", b"vna-clock-period: 3\r\nformat: WARC"),
    }
    for text, (old, new) in header.items():
        edit = edited_record(
            name, is_record(b"warcinfo"), lambda r, old=old, new=new: with_digests(r.replace(old, new)), fit=True
        )
        yield Kind("record", f"{text} changed in the header of a file", edit, (name, "at byte 0"), "restore")
    appended = {
        "bytes that are no record": lambda _: b"garbage",
        "zeros": lambda _: bytes(512),
        "something else that is compressed": lambda _: gzip.compress(b"x"),
        "a second header": lambda file: file.raw[0],
        "a request without a response": lambda file: file.raw[file.find(page) + 1],
        "a copy of a response and its request": lambda file: file.raw[file.find(page)] + file.raw[file.find(page) + 1],
    }
    for text, extra in appended.items():
        yield Kind("record", f"{text} appended to a file", _appended(name, extra), (name,), "warc")
    yield Kind("record", "nothing, compressed, appended to a file", _appended(name, lambda _: gzip.compress(b"")), (), harmless="no record")  # fmt: skip
    yield Kind("record", "two records compressed as one", _merged(name, page), (name,), "warc")
    yield Kind("file", "a file of copied records added", _copied(name), ("-009.warc.gz",), "warc")
    yield Kind("file", "a file replaced by a link to nothing", _dangling(name), (name,), "warc")
    yield Kind("file", "a file moved and linked", _linked(name), (), harmless="the same bytes under the same name")
    yield Kind("file", "a pipe with the name of a WARC file", lambda a: os.mkfifo((a / "warc" / name).with_name("vna-20261130-000.warc.gz")), (), harmless="nothing in it, and no row refers to it")  # fmt: skip


def _appended(name: str, extra: Callable[[WarcMembers], bytes]) -> Damage:
    def damage(archive: Path) -> None:
        with (archive / "warc" / name).open("ab") as file:
            file.write(extra(read_members(archive, name)))

    return damage


def _merged(name: str, wanted: Callable[[bytes], bool]) -> Damage:
    def damage(archive: Path) -> None:
        file = read_members(archive, name)
        at, parts = file.find(wanted), list(file.raw)
        parts[at : at + 2] = [gzip.compress(file.members[at] + file.members[at + 1], 9, mtime=0)]
        (archive / "warc" / name).write_bytes(b"".join(parts))

    return damage


def _copied(name: str) -> Damage:
    def damage(archive: Path) -> None:
        path = archive / "warc" / name
        path.with_name(path.name.replace("-000.", "-009.")).write_bytes(b"".join(read_members(archive, name).raw[:3]))

    return damage


def _dangling(name: str) -> Damage:
    def damage(archive: Path) -> None:
        path = archive / "warc" / name
        path.unlink()
        path.symlink_to("nowhere")

    return damage


def _linked(name: str) -> Damage:
    def damage(archive: Path) -> None:
        path = archive / "warc" / name
        path.symlink_to(path.rename(archive / "state" / "elsewhere.gz"))

    return damage


def _seals(names: list[str]) -> Iterator[Kind]:
    def text(old: str, new: str) -> Damage:
        return _content(SEALS, lambda data: data.replace(old.encode(), new.encode()))

    def cut(archive: Path) -> None:
        """Remove everything of the last day as well as it can be done, except from the log."""
        (archive / "warc" / names[-1]).unlink()
        lines = (archive / SEALS).read_text().splitlines(keepends=True)
        (archive / SEALS).write_text("".join(lines[:-1]))
        (archive / FILE).unlink()

    def everything(archive: Path) -> None:
        shutil.rmtree(archive / "warc")
        (archive / "warc").mkdir()
        (archive / SEALS).unlink()
        sql_script(";".join(f"DELETE FROM {table}" for table in EVIDENCE if table != "archive_identity"))(archive)

    line = (SEALS, "line 1")
    yield Kind("seal", "seals of bytes", _content(SEALS, lambda _: b"\xff\xfe\n" * 3), line, "seals")
    yield Kind("seal", "a seal of lists in lists", _content(SEALS, lambda _: b"[" * 100_000 + b"\n"), line, "seals")
    yield Kind("seal", "seals of files elsewhere", text("2026/11", "../2026"), line, "seals")
    yield Kind("seal", "a seal that begins before its file", text('"start":0', '"start":-5'), line, "seals")
    yield Kind("seal", "a seal with a text as a number", text('"start":0', '"start":"0"'), line, "seals")
    yield Kind("seal", "half of the last line cut off", _content(SEALS, lambda data: data[:-50]), (), harmless="the records of the last seal are sealed again; a kept digest shows it")  # fmt: skip
    yield Kind("seal", "the file of the seals removed", lambda folder: (folder / SEALS).unlink(), (), harmless="`vna verify` says that there are no seals; `vna backup` refuses to lose them")  # fmt: skip
    yield Kind("seal", "all records, rows and seals removed, the log left", everything, ("2026-11-21",), "restore")
    yield Kind("seal", "a day removed, with its seal and the database", cut, (names[-1][:7],), "restore", "an earlier state of the archive; a kept digest of the newest seal shows it")  # fmt: skip


# --- single bits ------------------------------------------------------------------------------------------------------


def _flipped_bits(archive: Path, names: list[str]) -> Iterator[Kind]:
    """Yield kinds that flip one bit at a random place in each file; those in unused bytes of the database are harmless."""
    chance = random.Random(15)
    for path in (FILE, SEALS, *(f"warc/{name}" for name in names)):
        size = (archive / path).stat().st_size
        for _ in range(_FLIPS):
            at, bit = chance.randrange(size), chance.randrange(8)
            damage = _content(
                path, lambda data, at=at, bit=bit: data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            )
            same = _same_rows(archive, damage) if path == FILE else ""
            named = () if path == FILE else (SEALS,) if path == SEALS else (path.removeprefix("warc/"),)
            remedy = {FILE: "rebuild", SEALS: "seals"}.get(path, "warc")
            yield Kind("bit", f"bit {bit} of byte {at} of {path}", damage, named, remedy, same)


def _same_rows(archive: Path, damage: Damage) -> str:
    """Return why a flipped bit is harmless: the tables of evidence have the same rows; empty if they do not."""
    copy = archive.with_name("flipped")
    copy.mkdir(exist_ok=True)
    shutil.copy(archive / FILE, copy / FILE)
    before = _dump(copy)
    damage(copy)
    after = _dump(copy)
    shutil.rmtree(copy)
    return _UNUSED if before == after is not None else ""


def _dump(folder: Path) -> list[str] | None:
    try:
        with closing(sqlite3.connect(folder / FILE)) as db:
            if db.execute("PRAGMA integrity_check").fetchone()[0] != "ok":
                return None
            rows = db.execute("SELECT type, name, sql FROM sqlite_schema")
            found = [f"{kind} {name} {re.sub('--.*', '', sql or '')}" for kind, name, sql in rows]  # without comments
            for table in (*EVIDENCE, "articles_fts_data", "articles_fts_idx", "articles_fts_docsize"):
                found += map(repr, db.execute(f"SELECT * FROM {table}"))
            return found
    except sqlite3.DatabaseError:
        return None
