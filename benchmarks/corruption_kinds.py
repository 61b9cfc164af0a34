"""The kinds of damage that the corruption benchmark plants: in rows, in the schema, in WARC records, in seals."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crawler.storage import FILE
from crawler.storage.diff_db import EVIDENCE, STORED
from crawler.storage.schema_check import VIEWS
from crawler.warc.seals import SEALS

Damage = Callable[[Path], None]
#: The columns that refer to captures, by table.
REFERENCES = (("articles", "raw_id"), ("articles", "last_raw_id"), ("revisions", "raw_id"), ("pages", "raw_id"))


@dataclass(frozen=True)
class Kind:
    """One kind of damage: what is changed, the texts that the finding must contain, and how it is put right.

    `remedy` is `rebuild`, `reparse`, `reindex`, `poll`, `warc` (the WARC files are copied back from a backup), `seals`
    (the file of the seals) or `restore` (the whole archive). `harmless` is the reason why nothing needs to be found; empty
    if the damage must be found.
    """

    group: str
    name: str
    damage: Damage
    named: tuple[str, ...]
    remedy: str = "rebuild"
    harmless: str = ""


# --- rows -------------------------------------------------------------------------------------------------------------

_REMEDIES = {
    "an article marked as read by an older parser": "reparse",
}
_SKIPPED = {("raw", "id"), ("sources", "id"), ("gaps", "id")}
_MESSAGES = "a message for people, which every version words in its own way; its kind is compared"
_OTHER_VALUES = {
    "state": ("live", "gone", "ok", "failing", "closed"),
    "kind": ("near text", "section", "same text", "extends"),
}
_TIME = "2020-01-02T03:04:05Z"


def changed_columns(archive: Path) -> Iterator[Kind]:
    """Yield one kind for each column of each table of evidence: its value changes in one row."""
    with closing(sqlite3.connect(archive / FILE)) as db:
        for table, natural in EVIDENCE.items():
            info = db.execute(f"PRAGMA table_info({table})").fetchall()
            key = [row[1] for row in sorted(info, key=lambda row: row[5]) if row[5]] or list(
                natural or ()
            )  # a view has none
            shown = list(natural or key)
            for _, column, *_ in info:
                if column in key or (table, column) in _SKIPPED:
                    continue
                row = db.execute(
                    f"SELECT {', '.join(key)}, {', '.join(shown)}, {column} FROM {table}"
                    f" ORDER BY {column} IS NULL, {', '.join(f'{name} DESC' for name in key)} LIMIT 1"
                ).fetchone()
                if row is None:
                    continue
                where = " AND ".join(f"{name} = ?" for name in key)
                values = [*row[: len(key)]]
                new = _other(db, table, column, row[-1])
                named = (*([table] if table != "raw" else []), *(str(value) for value in row[len(key) : -1]))
                if (table, column) == ("raw", "file"):  # the other row of its place is missing
                    named = (str(row[-1]),)
                yield Kind(
                    "changed column", f"{table}.{column}",
                    _sql((f"UPDATE {table} SET {column} = ? WHERE {where}", [new, *values])),
                    named, harmless=_MESSAGES if column == "error" and row[-1] is not None else "",
                )  # fmt: skip


def _other(db: sqlite3.Connection, table: str, column: str, value: object) -> object:
    if column in _OTHER_VALUES and not (table == "articles" and column == "kind"):
        for other in _OTHER_VALUES[column]:
            sql = db.execute("SELECT sql FROM sqlite_master WHERE name = ?", [table]).fetchone()[0]
            if other != value and f"'{other}'" in sql:
                return other
    if column.endswith("_at") or column in ("since", "until"):
        return _TIME
    if isinstance(value, int | float):
        return value - 1 if column.endswith("raw_id") else value + 1
    if value is None:
        return 1 if column.endswith("_id") else "invented"
    return f"{value[:-1]}x" if isinstance(value, str) and value else "x"


def _sql(*statements: tuple[str, Sequence[object]] | str) -> Damage:
    """Return a damage that executes SQL statements; references are not checked."""

    def damage(archive: Path) -> None:
        with closing(sqlite3.connect(archive / FILE)) as db, db:
            for statement in statements:
                sql, values = (statement, ()) if isinstance(statement, str) else statement
                db.execute(sql, values)

    return damage


def sql_script(script: str) -> Damage:
    def damage(archive: Path) -> None:
        with closing(sqlite3.connect(archive / FILE)) as db:
            db.executescript(script)

    return damage


def rows(archive: Path) -> list[Kind]:
    """Return the kinds that delete, add, exchange or rewrite rows."""
    one = partial(one_value, archive)
    new = one("SELECT max(id) FROM articles WHERE revision = 1")
    old = one("SELECT id FROM articles WHERE revision = 3 LIMIT 1")
    gone = one("SELECT id FROM articles WHERE state = 'gone' LIMIT 1")
    other = one(f"SELECT max(id) FROM articles WHERE revision = 1 AND id < {new}")
    repaired = one("SELECT max(article) FROM repairs")
    unread = one(f"SELECT coalesce((SELECT id FROM pages WHERE id NOT IN (SELECT id FROM articles) LIMIT 1), {new})")
    source = one("SELECT url FROM sources WHERE state = 'ok' LIMIT 1")
    raw = one(f"SELECT raw_id FROM articles WHERE id = {new}")
    place = one(f"SELECT file || ' at byte ' || offset FROM raw WHERE id = {raw}")
    second = one(f"SELECT raw_id FROM articles WHERE id = {other}")
    second_place = one(f"SELECT file || ' at byte ' || offset FROM raw WHERE id = {second}")
    robots = one("SELECT id FROM raw WHERE purpose = 'robots' LIMIT 1")
    robots_place = one(f"SELECT file || ' at byte ' || offset FROM raw WHERE id = {robots}")
    day = one("SELECT min(file) FROM raw")
    parts = "images related tags sections repairs".split()
    everything = f"DELETE FROM articles WHERE id = {new}"
    trail = [f"DELETE FROM {t} WHERE article = {new}" for t in (*parts, "revisions", "states", "duplicates")]
    trail += [f"DELETE FROM {t} WHERE {new} IN (article, other)" for t in ("duplicates", "similar")]
    trail += [f"DELETE FROM passage_hashes WHERE article = {new}"]
    trail += [f"DELETE FROM articles_folded WHERE id = {new}", everything]
    table_rows = [
        ("an article and all its parts deleted", [*trail], ("articles", new)),
        ("an article deleted with its page and sightings", [*trail, f"DELETE FROM sightings WHERE page = {new}", f"DELETE FROM appearances WHERE page = {new}", f"DELETE FROM pages WHERE id = {new}"], ("pages", new)),
        ("a passage hash invented", [f"INSERT INTO passage_hashes VALUES (7, {new})"], ("passage_hashes", "hash 7")),
        ("the passage hashes of an article deleted", [f"DELETE FROM passage_hashes WHERE article = {new}"], ("passage_hashes", new)),
        ("similar articles invented", [f"INSERT INTO similar VALUES ({new}, {old}, 'extends', 1, 'x')"], ("similar", new)),
        ("all similar articles deleted", ["DELETE FROM similar"], ("similar",)),
        ("an article invented", [f"INSERT INTO articles SELECT {but('articles', archive, {'id': '999999', 'url': repr('http://x.example/y-post999999.vnp')})} FROM articles WHERE id = {new}",
                                 f"INSERT INTO revisions SELECT {but('revisions', archive, {'article': '999999'})} FROM revisions WHERE article = {new}",
                                 f"INSERT INTO articles_folded SELECT 999999, title, lead, text FROM articles_folded WHERE id = {new}"], ("articles", "999999")),
        ("an old revision deleted and the others renumbered", [f"DELETE FROM revisions WHERE article = {old} AND revision = 1", f"UPDATE revisions SET revision = revision - 1 WHERE article = {old}", f"UPDATE articles SET revision = 2 WHERE id = {old}"], ("revisions", old)),
        ("the newest revision deleted and the article set back", [f"DELETE FROM revisions WHERE article = {old} AND revision = 3", f"UPDATE articles SET revision = 2, fingerprint = (SELECT fingerprint FROM revisions WHERE article = {old} AND revision = 2) WHERE id = {old}"], ("revisions", old)),
        ("a revision invented", [f"INSERT INTO revisions SELECT {but('revisions', archive, {'revision': '2'})} FROM revisions WHERE article = {new}", f"UPDATE articles SET revision = 2 WHERE id = {new}"], ("revisions", new)),
        ("an old revision rewritten", [f"UPDATE revisions SET title = 'x', blocks = '[]' WHERE article = {old} AND revision = 1"], ("revisions", old)),
        ("the content of an old revision deleted, so that it is that of the article", [f"UPDATE stored_revisions SET (url, section, kind, title, lead, blocks, byline, published_at, modified_at) = (SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) WHERE article = {old} AND revision = 1"], ("revisions", old)),
        ("a story under no article", ["INSERT INTO related_stories (id, title, summary) VALUES (424242, 'x', '')"], ("related_stories", "424242")),
        ("a story changed in all articles", ["UPDATE related_stories SET title = 'x'"], ("related",)),
        ("two revisions exchanged", [f"UPDATE revisions SET revision = -revision WHERE article = {old} AND revision < 3", f"UPDATE revisions SET revision = 3 + revision WHERE article = {old} AND revision < 0"], ("revisions", old)),
        ("the times of two revisions exchanged", [f"UPDATE revisions SET seen_at = iif(revision = 1, (SELECT seen_at FROM revisions WHERE article = {old} AND revision = 2), '{_TIME}') WHERE article = {old} AND revision < 3"], ("revisions", old)),
        ("two articles exchanged", [f"UPDATE articles SET id = -99 WHERE id = {new}", f"UPDATE articles SET id = {new} WHERE id = {other}", f"UPDATE articles SET id = {other} WHERE id = -99"], ("articles", new)),
        ("texts of two articles exchanged", [f"CREATE TEMP TABLE one AS SELECT text FROM articles WHERE id = {new}", f"UPDATE articles SET own_text = (SELECT text FROM articles WHERE id = {other}) WHERE id = {new}", f"UPDATE articles SET own_text = (SELECT text FROM one) WHERE id = {other}"], ("articles", new)),
        ("one letter of every text changed", ["UPDATE articles SET own_text = replace(text, 'e', 'é')"], ("articles", new)),
        ("one bit of a text flipped", [f"UPDATE articles SET own_text = char(unicode(text) + 1) || substr(text, 2) WHERE id = {new}"], ("articles", new)),
        ("a text replaced everywhere it is kept", [f"UPDATE articles SET own_text = 'x', own_clean = 'x', blocks = '[]', word_count = 1 WHERE id = {new}", f"UPDATE revisions SET blocks = '[]' WHERE article = {new}", f"UPDATE articles_folded SET text = 'x' WHERE id = {new}"], ("articles", new)),
        ("a text and its fingerprint replaced", [f"UPDATE articles SET title = 'x', fingerprint = '3:x', body_key = 'x' WHERE id = {new}", f"UPDATE revisions SET title = 'x', fingerprint = '3:x' WHERE article = {new}"], ("articles", new)),
        ("a repaired text and its repairs changed to fit each other", [f"DELETE FROM repairs WHERE article = {repaired}", f"UPDATE articles SET own_clean = 'x' || substr(text, 2) WHERE id = {repaired}", f"INSERT INTO repairs SELECT id, 0, 'wrap', 0, substr(text, 1, 1), 'x' FROM articles WHERE id = {repaired}"], ("articles", repaired)),
        ("the repairs of an article deleted and the text unrepaired", [f"DELETE FROM repairs WHERE article = {repaired}", f"UPDATE articles SET own_clean = NULL WHERE id = {repaired}"], ("articles", repaired)),
        ("the clean text set to the empty text", [f"UPDATE articles SET own_clean = '' WHERE id = {new}"], ("articles", new)),
        ("a removal hidden", [f"UPDATE articles SET state = 'live' WHERE id = {gone}", f"DELETE FROM states WHERE article = {gone}", f"UPDATE pages SET state = 'live' WHERE id = {gone}"], ("articles", gone)),
        ("a removal invented", [f"UPDATE articles SET state = 'gone' WHERE id = {new}", f"INSERT INTO states VALUES ({new}, '{_TIME}', 'gone')", f"UPDATE pages SET state = 'gone', next_due_at = NULL WHERE id = {new}"], ("articles", new)),
        ("an article moved to another section", [f"UPDATE articles SET section = 'Sport' WHERE id = {new}", f"UPDATE sections SET section = 'Sport' WHERE article = {new}", f"UPDATE revisions SET section = 'Sport' WHERE article = {new}"], ("articles", new)),
        ("an article dated back everywhere", [f"UPDATE articles SET published_at = '{_TIME}', published_on = '2020-01-02' WHERE id = {new}", f"UPDATE revisions SET published_at = '{_TIME}' WHERE article = {new}"], ("articles", new)),
        ("an article marked as read by an older parser", [f"UPDATE articles SET parser = 0, own_text = 'x' WHERE id = {new}"], ("articles", new)),
        ("an article marked as imported", [f"UPDATE articles SET source_file = 'x.txt' WHERE id = {new}"], ("articles", new)),
        ("the capture of an article exchanged with another", [f"UPDATE articles SET raw_id = {second} WHERE id = {new}", f"UPDATE revisions SET raw_id = {second} WHERE article = {new}"], ("articles", new)),
        ("the page of an article forgotten", [f"UPDATE pages SET raw_id = NULL, etag = NULL, last_fetched_at = NULL WHERE id = {new}"], ("pages", new)),
        ("a page that is never due again", [f"UPDATE pages SET next_due_at = NULL WHERE id = {new}"], ("pages", new)),
        ("a page that is due in ten years", [f"UPDATE pages SET next_due_at = '2036-01-01T00:00:00Z' WHERE id = {unread}"], ("pages", unread)),
        ("a page invented", ["INSERT INTO pages (id, url, state, first_seen_at, first_source) VALUES (1, 'u', 'known', 't', 's')"], ("pages", "id 1")),
        ("a source deleted", [f"DELETE FROM {t} WHERE source = (SELECT id FROM sources WHERE url = '{source}')" for t in ("rhythms", "appearances", "gaps")] + [f"DELETE FROM sources WHERE url = '{source}'"], ("sources", source)),
        ("a source that is never polled again", [f"UPDATE sources SET state = 'excluded', next_due_at = NULL WHERE url = '{source}'"], ("sources", source)),
        ("a source invented", ["INSERT INTO sources (url, kind, state) VALUES ('http://x.example/rss', 'feed', 'new')"], ("sources", "http://x.example/rss")),
        ("a gap invented", ["INSERT INTO gaps (source, opened_at, since, until, state) VALUES (1, 't', 't', 't', 'open')"], ("gaps", "opened_at t")),
        ("another identity of the archive", ["UPDATE archive_identity SET id = '00000000-0000-4000-8000-000000000000'"], (day, "belongs to archive")),
        ("a row of a capture deleted", [f"DELETE FROM raw WHERE id = {robots}"], tuple(robots_place.split(" at byte "))[:1]),
        ("a row of a capture invented", [f"INSERT INTO raw (url, fetched_at, status, file, offset, length, digest) SELECT url, fetched_at, status, file, offset + 1, length, digest FROM raw WHERE id = {raw}"], (place.rpartition(" ")[0], str(int(place.rpartition(" ")[2]) + 1))),
        ("the rows of two captures exchanged", _exchange(raw, second), (place,)),
        ("the ids of two captures exchanged", [f"UPDATE raw SET id = -5 WHERE id = {raw}", f"UPDATE raw SET id = {raw} WHERE id = {second}", f"UPDATE raw SET id = {second} WHERE id = -5"], ("articles", new)),
        ("a capture dated back", [f"UPDATE raw SET fetched_at = '{_TIME}' WHERE id = {raw}"], (place,)),
        ("a capture with another purpose", [f"UPDATE raw SET purpose = 'robots' WHERE id = {raw}"], (place,)),
        ("a capture said to be imported", [f"UPDATE raw SET origin = 'CC-NEWS' WHERE id = {second}"], (second_place,)),
        ("every row of a file deleted", [f"DELETE FROM raw WHERE file = '{day}'"], (day,)),
        ("the last rows of all files deleted", ["DELETE FROM raw WHERE (file, offset) IN (SELECT file, max(offset) FROM raw GROUP BY file)"], (day,)),
        ("the names of two files exchanged", ["UPDATE raw SET file = replace(file, '20261121', '2026112X') WHERE file LIKE '%20261121%'"], (day,)),
    ]  # fmt: skip
    found = [Kind("rows", name, _sql(*sql), named, _REMEDIES.get(name, "rebuild")) for name, sql, named in table_rows]
    found += [
        Kind("rows", f"all rows of {table} deleted", _sql(f"DELETE FROM {table}"), (table,))
        for table in (*parts, "states", "duplicates", "sightings", "appearances", "rhythms", "articles_folded")
    ]
    found += [
        Kind(
            "rows",
            f"the rows of one article in {table} deleted",
            _sql(f"DELETE FROM {table} WHERE article = (SELECT max(article) FROM {table})"),
            (table, one_id),
        )
        for table in parts
        for one_id in [one_value(archive, f"SELECT max(article) FROM {table}")]
    ]
    found += [
        Kind("rows", f"the positions in {table} reversed", _sql(f"UPDATE {table} SET position = -position - 1 WHERE article = {article}", f"UPDATE {table} SET position = (SELECT count(*) FROM {table} WHERE article = {article}) + position WHERE article = {article} AND position < 0"), (table, article))
        for table in ("images", "related", "tags", "repairs")
        for article in [one_value(archive, f"SELECT article FROM {table} GROUP BY article ORDER BY count(*) DESC LIMIT 1")]
    ]  # fmt: skip
    return found


def _exchange(one: str, other: str) -> list[str]:
    columns = ("file", "offset", "length", "digest")
    with_other = ", ".join(f"{c} = (SELECT {c} FROM exchanged WHERE id = {other})" for c in columns)
    with_one = ", ".join(f"{c} = (SELECT {c} FROM exchanged WHERE id = {one})" for c in columns)
    return [
        f"CREATE TEMP TABLE exchanged AS SELECT * FROM raw WHERE id IN ({one}, {other})",
        f"UPDATE raw SET offset = -2 WHERE id = {other}",
        f"UPDATE raw SET {with_other} WHERE id = {one}",
        f"UPDATE raw SET {with_one} WHERE id = {other}",
    ]


def one_value(archive: Path, sql: str) -> str:
    with closing(sqlite3.connect(archive / FILE)) as db:
        return str(db.execute(sql).fetchone()[0])


def but(table: str, archive: Path, values: dict[str, str]) -> str:
    """Return the columns of a table that are not computed, for a SELECT, some of them replaced by other values."""
    with closing(sqlite3.connect(archive / FILE)) as db:
        return ", ".join(values.get(row[1], row[1]) for row in db.execute(f"PRAGMA table_info({table})"))


def schema(archive: Path) -> list[Kind]:
    """Return the kinds of damage of the schema, the search index and the file of the database."""
    article = one_value(archive, "SELECT max(id) FROM articles")
    scripts = {
        "a trigger dropped": ("DROP TRIGGER articles_folded_changed", ("articles_folded_changed",)),
        "a trigger replaced by one that does nothing": ("DROP TRIGGER articles_folded_added; CREATE TRIGGER articles_folded_added AFTER INSERT ON articles_folded BEGIN SELECT 1; END", ("articles_folded_added",)),
        "a foreign trigger": ("CREATE TRIGGER sly AFTER UPDATE ON articles BEGIN UPDATE articles SET own_text = 'x' WHERE id = new.id; END", ("sly",)),
        "a foreign view": ("CREATE VIEW sly AS SELECT 1", ("sly",)),
        "a foreign table": ("CREATE TABLE sly (x)", ("sly",)),
        "a foreign index": ("CREATE INDEX sly ON articles (title)", ("sly",)),
        "an index dropped": ("DROP INDEX raw_url", ("raw_url",)),
        "a unique index replaced": ("DROP INDEX archive_identity_single; CREATE INDEX archive_identity_single ON archive_identity ((1))", ("archive_identity_single",)),
        "a column dropped": ("ALTER TABLE images DROP COLUMN alt", ("images",)),
        "a column renamed": ("ALTER TABLE articles RENAME COLUMN byline TO author", ("articles",)),
        "a column added": ("ALTER TABLE articles ADD COLUMN sly TEXT", ("articles",)),
        **{f"the table {table} dropped": (f"PRAGMA foreign_keys = OFF; {'DROP TRIGGER articles_folded_added; DROP TRIGGER articles_folded_removed; DROP TRIGGER articles_folded_changed;' if table == 'articles_folded' else ''} DROP TABLE {table}", (table,)) for table in (*STORED, "fetches", "coverage")},
        **{f"the view {view} dropped": (f"DROP VIEW {view}", (view,)) for view in VIEWS},
        "the search index dropped": ("DROP TABLE articles_fts", ("articles_fts",)),
    }  # fmt: skip
    found = [Kind("schema", name, sql_script(script), named) for name, (script, named) in scripts.items()]
    without_triggers = (
        "DROP TRIGGER articles_folded_changed; UPDATE articles_folded SET text = 'x' WHERE id = {id}; CREATE TRIGGER articles_folded_changed AFTER UPDATE ON articles_folded BEGIN\n"
        "  INSERT INTO articles_fts (articles_fts, rowid, title, lead, text)\n  VALUES ('delete', old.id, old.title, old.lead, old.text);\n"
        "  INSERT INTO articles_fts (rowid, title, lead, text) VALUES (new.id, new.title, new.lead, new.text);\nEND"
    )
    index = [
        ("the indexed text changed by way of its table", f"UPDATE articles_folded SET text = 'x' WHERE id = {article}", ("articles_folded", article), "rebuild"),
        ("the indexed text changed behind the index", without_triggers.format(id=article), ("articles_folded", article), "rebuild"),
        ("a word added to the index", f"INSERT INTO articles_fts (rowid, title, lead, text) VALUES ({article}, 'sly', '', '')", ("articles_fts",), "reindex"),
        ("an entry taken out of the index", f"INSERT INTO articles_fts (articles_fts, rowid, title, lead, text) SELECT 'delete', id, title, lead, text FROM articles_folded WHERE id = {article}", ("articles_fts",), "reindex"),
        ("the blocks of the index deleted", "DELETE FROM articles_fts_data WHERE id > 10", ("articles_fts",), "reindex"),
        ("the sizes in the index deleted", "DELETE FROM articles_fts_docsize", ("articles_fts",), "reindex"),
    ]  # fmt: skip
    found += [Kind("search index", name, sql_script(sql), named, remedy) for name, sql, named, remedy in index]
    return [
        *found,
        Kind("database file", "a page of the database overwritten", _overwritten_page, ("vna.db",)),
        Kind("database file", "the database cut in half", _cut_database, ("vna.db",)),
        Kind("database file", "a bit of a text flipped in the file", _flip_text, ("articles",)),
        Kind("log", "a row of the log of requests deleted", _sql("DELETE FROM fetches WHERE id = 1"), (), harmless="a log of what the program did; not evidence"),
        Kind("log", "the statistics of the query planner changed", sql_script("ANALYZE"), (), harmless="SQLite's own statistics"),
        Kind("log", "the coverage ledger emptied", _sql("DELETE FROM coverage"), (), harmless="computed again each day by `vna coverage`"),
    ]  # fmt: skip


def _overwritten_page(archive: Path) -> None:
    _checkpoint(archive)
    data = bytearray((archive / FILE).read_bytes())
    root = int(one_value(archive, "SELECT rootpage FROM sqlite_master WHERE name = 'articles'"))
    data[(root - 1) * 4096 + 8 : (root - 1) * 4096 + 60] = bytes(52)
    (archive / FILE).write_bytes(data)


def _cut_database(archive: Path) -> None:
    _checkpoint(archive)
    data = (archive / FILE).read_bytes()
    (archive / FILE).write_bytes(data[: len(data) // 8192 * 4096])


def _flip_text(archive: Path) -> None:
    _checkpoint(archive)
    data = bytearray((archive / FILE).read_bytes())
    text = one_value(archive, "SELECT substr(text, 30, 40) FROM articles ORDER BY id DESC LIMIT 1").encode()
    at = data.find(text)
    while at >= 0:  # wherever the text is kept
        data[at + 5] ^= 1
        at = data.find(text)
    (archive / FILE).write_bytes(data)


def _checkpoint(archive: Path) -> None:
    with closing(sqlite3.connect(archive / FILE)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


# --- records ----------------------------------------------------------------------------------------------------------


@dataclass
class WarcMembers:
    """The gzip members of a WARC file, as decompressed bytes; `offsets` has their places before any change."""

    name: str
    members: list[bytes]
    offsets: list[int]
    raw: list[bytes]

    def find(self, wanted: Callable[[bytes], bool], number: int = 0) -> int:
        """Return the index of a member; `number` counts from 0."""
        return [i for i, member in enumerate(self.members) if wanted(member)][number]


def read_members(archive: Path, name: str) -> WarcMembers:
    data, found = (archive / "warc" / name).read_bytes(), WarcMembers(name, [], [], [])
    position = 0
    while data:
        engine = zlib.decompressobj(wbits=31)
        found.members.append(engine.decompress(data))
        size = len(data) - len(engine.unused_data)
        found.offsets.append(position)
        found.raw.append(data[:size])
        position, data = position + size, engine.unused_data
    return found


def _write(archive: Path, file: WarcMembers, order: Sequence[int], changed: dict[int, bytes], *, fit: bool) -> None:
    """Write the members in the order `order`, some of them changed; if `fit`, correct the rows as a forger would."""
    position, places, parts = 0, {}, []
    for index in order:
        data = gzip.compress(changed[index], 9, mtime=0) if index in changed else file.raw[index]
        places[file.offsets[index]] = (position, len(data), changed.get(index))
        parts.append(data)
        position += len(data)
    (archive / "warc" / file.name).write_bytes(b"".join(parts))
    if not fit:
        return
    with closing(sqlite3.connect(archive / FILE)) as db, db:
        rows_ = db.execute("SELECT id, offset FROM raw WHERE file = ?", [file.name]).fetchall()
        db.execute("UPDATE raw SET offset = -offset - 1 WHERE file = ?", [file.name])
        for row, offset in rows_:
            if offset not in places:
                for table, column in REFERENCES:
                    db.execute(f"UPDATE {table} SET {column} = NULL WHERE {column} = ?", [row])
                db.execute("DELETE FROM raw WHERE id = ?", [row])
                continue
            place, length, text = places[offset]
            db.execute("UPDATE raw SET offset = ?, length = ? WHERE id = ?", [place, length, row])
            if text is not None:
                digest = re.search(rb"WARC-Payload-Digest: (sha256:\S+)", text)
                date = re.search(rb"WARC-Date: (\S{19})", text)
                purpose = re.search(rb"VNA-Purpose: (\S+)", text)
                db.execute(
                    "UPDATE raw SET digest = coalesce(?, digest), fetched_at = coalesce(?, fetched_at), purpose = ? WHERE id = ?",
                    [
                        digest and digest[1].decode(),
                        date and date[1].decode() + "Z",
                        purpose and purpose[1].decode(),
                        row,
                    ],
                )


def with_digests(record: bytes) -> bytes:
    """Correct length and digests of a changed record."""
    head, _, block = record.partition(b"\r\n\r\n")
    block = block[:-4]
    http = block.startswith(b"HTTP/")
    payload = block.partition(b"\r\n\r\n")[2] if http else block
    sha1 = b"sha1:" + base64.b32encode(hashlib.sha1(block).digest())
    own = b"sha256:" + base64.b32encode(hashlib.sha256(payload).digest())
    head = re.sub(rb"(WARC-Block-Digest: )\S+", lambda m: m[1] + sha1, head)
    head = re.sub(rb"(WARC-Payload-Digest: )sha256:\S+", lambda m: m[1] + own, head)
    head = re.sub(rb"(WARC-Payload-Digest: )sha1:\S+", lambda m: m[1] + sha1, head) if not http else head
    head = re.sub(rb"(Content-Length: )\d+$", lambda m: m[1] + str(len(block)).encode(), head, flags=re.MULTILINE)
    return head + b"\r\n\r\n" + block + b"\r\n\r\n"


def is_record(kind: bytes, *texts: bytes) -> Callable[[bytes], bool]:
    return lambda record: b"WARC-Type: " + kind + b"\r\n" in record and all(text in record for text in texts)


def edited_record(name: str, wanted: Callable[[bytes], bool], edit: Callable[[bytes], bytes], *, fit: bool) -> Damage:
    def damage(archive: Path) -> None:
        file = read_members(archive, name)
        index = file.find(wanted)
        changed = edit(file.members[index])
        assert changed != file.members[index], "the record was not changed"
        _write(archive, file, range(len(file.members)), {index: changed}, fit=fit)

    return damage


def _reordered(name: str, order: Callable[[WarcMembers], list[int]], *, fit: bool) -> Damage:
    def damage(archive: Path) -> None:
        file = read_members(archive, name)
        _write(archive, file, order(file), {}, fit=fit)

    return damage


def _text_edit(record: bytes) -> bytes:
    """Change a word of the page, and all digests."""
    head, _, block = record.partition(b"\r\n\r\n")
    http, _, body = block[:-4].partition(b"\r\n\r\n")
    zipped = body[:2] == b"\x1f\x8b"
    page = gzip.decompress(body) if zipped else body
    page = page.replace(b"Vietnam", b"Laos", 3) if b"Vietnam" in page else page.replace(b"Le ", b"La ", 3)
    return with_digests(head + b"\r\n\r\n" + http + b"\r\n\r\n" + (gzip.compress(page, mtime=0) if zipped else page) + b"\r\n\r\n")  # fmt: skip


def _same_page(text: bytes) -> bytes:
    """Compress the body of a page again: the same page, but other bytes."""
    head, _, block = text.partition(b"\r\n\r\n")
    http, _, body = block[:-4].partition(b"\r\n\r\n")
    body = gzip.compress(gzip.decompress(body), 1, mtime=1) if body[:2] == b"\x1f\x8b" else body + b"\n"
    return with_digests(head + b"\r\n\r\n" + http + b"\r\n\r\n" + body + b"\r\n\r\n")


def _sub(pattern: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda record: with_digests(re.sub(pattern, new, record, count=1))


def records(archive: Path) -> list[Kind]:
    """Return the kinds of damage of WARC files, with rows that a forger corrected to fit (`fit`) and without."""
    names = sorted(p.relative_to(archive / "warc").as_posix() for p in (archive / "warc").rglob("*.warc.gz"))
    name, last = names[2], names[-1]
    page = is_record(b"response", b"VNA-Purpose: page:")
    source = is_record(b"response", b"VNA-Purpose: source:", b" 200 OK")
    edits = {
        "a text changed": (page, _text_edit),
        "a list changed": (source, _text_edit),
        "the bytes of a page changed, not its text": (page, _same_page),
        "a capture dated back": (page, _sub(rb"WARC-Date: 2026", b"WARC-Date: 2025")),
        "a capture dated by a millionth of a second": (page, lambda r: with_digests(re.sub(rb"(WARC-Date: \S+\.)\d{6}Z", rb"\g<1>123456Z", r))),
        "a record id changed": (page, _sub(rb"(WARC-Record-ID: <urn:uuid:)....", rb"\g<1>0000")),
        "a purpose changed": (page, _sub(rb"VNA-Purpose: page:\d+", b"VNA-Purpose: page:1")),
        "a purpose removed": (page, _sub(rb"VNA-Purpose: page:\d+\r\n", b"")),
        "an address changed": (page, _sub(rb"WARC-Target-URI: (\S+)", rb"WARC-Target-URI: \1x")),
        "an HTTP header changed": (page, _sub(rb"ETag: \S+", b'ETag: "0"')),
        "an HTTP header added": (page, _sub(rb"(HTTP/1.1 200 OK\r\n)", rb"\1X-Sly: 1\r\n")),
        "an HTTP status changed": (page, _sub(rb"HTTP/1.1 200 OK", b"HTTP/1.1 203 OK")),
        "a response marked as imported": (page, _sub(rb"VNA-Purpose", b"VNA-Origin: CC-NEWS\r\nVNA-Purpose")),
        "a request changed": (is_record(b"request", b"-post"), _sub(rb"User-Agent: \S+", b"User-Agent: sly")),
        "a request dated back": (is_record(b"request"), _sub(rb"WARC-Date: 2026", b"WARC-Date: 2025")),
        "a request that names another response": (is_record(b"request"), _sub(rb"(WARC-Concurrent-To: <urn:uuid:)....", rb"\g<1>0000")),
        "a failed request rewritten": (is_record(b"metadata"), _sub(rb"error: .*", b"error: x")),
        "the header of a file changed": (is_record(b"warcinfo"), _sub(rb"software: \S+", b"software: sly")),
        "a file with the identity of another archive": (is_record(b"warcinfo"), _sub(rb"vna-archive-id: urn:uuid:....", b"vna-archive-id: urn:uuid:0000")),
    }  # fmt: skip
    found: list[Kind] = []
    whole = read_members(archive, name)
    for text, (wanted, edit) in edits.items():
        named = (name, f"at byte {whole.offsets[whole.find(wanted)]}")
        for fit in (False, True):
            how = "with fitting digests and rows" if fit else "with fitting digests"
            damage = edited_record(name, wanted, edit, fit=fit)
            found.append(Kind("record", f"{text}, {how}", damage, named, "restore" if fit else "warc"))
    imported = is_record(b"resource")
    found += [
        Kind("record", "an imported text changed, with fitting digests and rows", edited_record(names[0], imported, _sub(rb"Vietnam", b"Laos"), fit=True), (names[0],), "restore"),
    ]  # fmt: skip

    def without(wanted: Callable[[bytes], bool], more: int = 0) -> Callable[[WarcMembers], list[int]]:
        def order(file: WarcMembers) -> list[int]:
            at = file.find(wanted)
            return [i for i in range(len(file.members)) if not at <= i <= at + more]

        return order

    def exchanged(wanted: Callable[[bytes], bool], width: int = 1) -> Callable[[WarcMembers], list[int]]:
        def order(file: WarcMembers) -> list[int]:
            one, other = file.find(wanted), file.find(wanted, 1)
            found = list(range(len(file.members)))
            found[one : one + width], found[other : other + width] = (
                found[other : other + width],
                found[one : one + width],
            )
            return found

        return order

    orders = {
        "a response and its request taken out": without(page, 1),
        "a list and its request taken out": without(source, 1),
        "a response taken out, its request left": without(page),
        "a request taken out": without(is_record(b"request", b"-post")),
        "a failed request taken out": without(is_record(b"metadata")),
        "the header of a file taken out": without(is_record(b"warcinfo")),
        "two responses exchanged": exchanged(page),
        "two visits exchanged": exchanged(page, 2),
        "two requests exchanged": exchanged(is_record(b"request", b"-post")),
        "two notes on failed requests exchanged": exchanged(is_record(b"metadata")),
        "a record repeated": lambda file: [*range(len(file.members)), *([file.find(page), file.find(page) + 1])],
        "the last records cut off": lambda file: list(range(len(file.members) - 2)),
        "the last request cut off": lambda file: list(range(len(file.members) - 1)),
    }
    for text, order in orders.items():
        for fit in (False, True):
            how = ", with fitting rows" if fit else ""
            found.append(
                Kind("record", text + how, _reordered(name, order, fit=fit), (name,), "restore" if fit else "warc")
            )
    return found + _files(name, last)


def _changed_bytes(name: str, change: Callable[[bytearray], bytes | bytearray]) -> Damage:
    def damage(folder: Path) -> None:
        path = folder / "warc" / name
        path.write_bytes(change(bytearray(path.read_bytes())))

    return damage


def _flipped(name: str, part: float) -> Damage:
    def change(data: bytearray) -> bytearray:
        data[int(len(data) * part)] ^= 1
        return data

    return _changed_bytes(name, change)


def _removed(name: str) -> Damage:
    return lambda folder: (folder / "warc" / name).unlink()


def _removed_with_rows(name: str) -> Damage:
    """Remove a file, its rows and the references to them."""

    def damage(folder: Path) -> None:
        (folder / "warc" / name).unlink()
        with closing(sqlite3.connect(folder / FILE)) as db, db:
            for table, column in REFERENCES:
                sql = f"UPDATE {table} SET {column} = NULL WHERE {column} IN (SELECT id FROM raw WHERE file = ?)"
                db.execute(sql, [name])
            db.execute("DELETE FROM raw WHERE file = ?", [name])

    return damage


def _rebuilt_without(name: str) -> Damage:
    """Remove a file and all that follows from it, as somebody can who has the program."""

    def damage(folder: Path) -> None:
        from benchmarks.corruption import rebuilt  # it imports this module

        (folder / "warc" / name).unlink()
        (folder / FILE).unlink()
        rebuilt(folder)

    return damage


def _renamed(name: str) -> Damage:
    def damage(folder: Path) -> None:
        (folder / "warc" / name).rename(folder / "warc" / name.replace("-000.", "-007."))

    return damage


def _swapped(name: str, other: str) -> Damage:
    def damage(folder: Path) -> None:
        one, two = folder / "warc" / name, folder / "warc" / other
        data = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(data)

    return damage


def _line(change: Callable[[list[str]], list[str]]) -> Damage:
    """Change the lines of the file of the seals."""

    def damage(folder: Path) -> None:
        path = folder / SEALS
        path.write_text("".join(f"{text}\n" for text in change(path.read_text().splitlines())))

    return damage


def _files(name: str, last: str) -> list[Kind]:
    """Return the kinds of damage of whole files and of the seals."""
    return [
        *(Kind("file", f"a bit flipped at {part:.0%} of a file", _flipped(name, part), (name,), "warc") for part in (0.0, 0.01, 0.25, 0.5, 0.75, 0.99)),
        Kind("file", "a file cut in half", _changed_bytes(name, lambda d: d[: len(d) // 2]), (name,), "warc"),
        Kind("file", "a file emptied", _changed_bytes(name, lambda _: b""), (name,), "warc"),
        Kind("file", "zeros in the middle of a file", _changed_bytes(name, lambda d: d[: len(d) // 2] + bytes(4096) + d[len(d) // 2 + 4096 :]), (name,), "warc"),
        Kind("file", "a byte inserted", _changed_bytes(name, lambda d: d[: len(d) // 3] + b"x" + d[len(d) // 3 :]), (name,), "warc"),
        Kind("file", "a file removed", _removed(name), (name,), "warc"),
        Kind("file", "the last file removed", _removed(last), (last,), "warc"),
        Kind("file", "a file removed together with its rows", _removed_with_rows(name), (name,), "restore"),
        Kind("file", "the last file removed together with its rows", _removed_with_rows(last), (last,), "restore"),
        Kind("file", "the last file removed, and the database rebuilt without it", _rebuilt_without(last), (last,), "restore"),
        Kind("file", "a file renamed", _renamed(name), (name,), "restore"),
        Kind("file", "two files exchanged", _swapped(name, last), (name,), "warc"),
        Kind("file", "an incomplete record at the end", _changed_bytes(last, lambda d: d + b"\x1f\x8b\x08\x00half a record"), (last,), "poll"),
        Kind("seal", "a seal changed", _line(lambda lines: [lines[0].replace('"end":', '"end":1'), *lines[1:]]), (SEALS, "line 1"), "seals"),
        Kind("seal", "a root changed", _line(lambda lines: [lines[0].replace('"root":"', '"root":"0', 1), *lines[1:]]), (SEALS, "line 1"), "seals"),
        Kind("seal", "a sealed row taken out", _line(lambda lines: [re.sub('"rows":"[0-9a-f]{64}', '"rows":"', lines[0]), *lines[1:]]), (SEALS, "line 1"), "seals"),
        Kind("seal", "a seal taken out", _line(lambda lines: [*lines[:1], *lines[2:]]), (SEALS, "line 2"), "seals"),
        Kind("seal", "two seals exchanged", _line(lambda lines: [lines[1], lines[0], *lines[2:]]), (SEALS, "line 1"), "seals"),
        Kind("seal", "a line that is not a seal", _line(lambda lines: [*lines, "x"]), (SEALS, "the line is not a seal"), "seals"),
        Kind("seal", "the newest seal taken out", _line(lambda lines: lines[:-1]), (), "seals", "the chain before it is whole; a kept or published digest of the newest seal shows it"),
    ]  # fmt: skip
