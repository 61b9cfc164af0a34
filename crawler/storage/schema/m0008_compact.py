"""Schema 8 stores each text once: an article takes half the bytes, and every table is read as before.

- `articles.text` follows from `blocks`, and `clean` from `text`: both are generated columns. `own_text` and `own_clean` have
  the texts for which this is not so.
- `related` is a view: each story is in `related_stories` once, and `related_links` says which articles show it.
- `revisions` is a view: a row of `stored_revisions` without `blocks` has the content of the row in `articles`, and gets a
  copy of that content before the row changes.
- `images`, `articles_folded` and `stored_revisions` are no longer stored in the order of the ids. Polls store the newest
  article first, and SQLite leaves half of each page empty if rows arrive in descending order.

Triggers make the views writable, so that no other code knows how the rows are stored.

Boundary: SQL and the batches of the migration; `long_migration` runs them.
"""

from __future__ import annotations

from sqlite3 import Connection

from crawler.storage.schema.long_migration import LongMigration

_BODY_TYPES = ("paragraph", "heading", "quote", "list_item")  # as `types.BODY_TYPES` when this schema was released
_FIRST, _END = '"text":"', '"}]'
_SEPARATORS = tuple(f'"}},{{"type":"{name}","text":"' for name in _BODY_TYPES)
_BATCH = 200  # articles; about 5 MB of rows
_LARGEST = (1 << 63) - 1

_CONTENT = ("url", "section", "kind", "title", "lead", "blocks", "byline", "published_at", "modified_at")
_OTHERS = ("seen_at", "changed", "fingerprint", "tags", "raw_id", "known_at", "replaced_pictures")
_REVISION = ("article", "revision", *_OTHERS, *_CONTENT)
_STORY = ("post_id", "url", "title", "summary", "caption")


def text_expression(blocks: str = "blocks") -> str:
    """Return the SQL expression of the text that follows from `blocks`, an SQL expression of the JSON of an article's blocks.

    It is the text of the article unless there is no text block, a block that does not belong to the text, a picture after the
    first text, or an escape sequence other than that of a quotation mark or a line break. It must never change: the stored
    texts depend on it.
    """
    start = f"instr({blocks}, '{_FIRST}') + {len(_FIRST)}"
    found = f"substr({blocks}, {start}, max(0, length({blocks}) - {len(_END) - 1} - ({start})))"
    for separator in _SEPARATORS:
        found = f"replace({found},\n    '{separator}', char(10, 10))"
    return f"replace(replace({found}, '\\n', char(10)), '\\\"', '\"')"


def text_of(blocks: str) -> str:
    """Return the value of `text_expression` for the JSON of an article's blocks."""
    start = blocks.find(_FIRST) + len(_FIRST)
    found = blocks[start : max(start, len(blocks) - len(_END))]
    for separator in _SEPARATORS:
        found = found.replace(separator, "\n\n")
    return found.replace("\\n", "\n").replace('\\"', '"')


def _same(columns: tuple[str, ...], one: str, other: str) -> str:
    """Return the SQL condition that two rows have the same values in `columns`."""
    return " AND ".join(f"{one}.{name} IS {other}.{name}" for name in columns)


def _list(columns: tuple[str, ...], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{name}" for name in columns)


_NEW = f"""
DROP VIEW IF EXISTS versions;
DROP VIEW IF EXISTS presence;
DROP VIEW IF EXISTS similar_articles;
DROP VIEW IF EXISTS held_pictures;
DROP TRIGGER IF EXISTS articles_per_day_added;
DROP TRIGGER IF EXISTS articles_per_day_removed;
DROP TRIGGER IF EXISTS articles_per_day_changed;
DROP TRIGGER IF EXISTS articles_folded_added;
DROP TRIGGER IF EXISTS articles_folded_removed;
DROP TRIGGER IF EXISTS articles_folded_changed;
DROP INDEX IF EXISTS articles_published_on;
DROP INDEX IF EXISTS articles_section;
DROP INDEX IF EXISTS articles_body_key;
DROP INDEX IF EXISTS articles_facets;
DROP INDEX IF EXISTS images_url;
DROP INDEX IF EXISTS related_post_id;
DROP INDEX IF EXISTS revisions_seen_at;
DROP INDEX IF EXISTS revisions_later;
DROP INDEX IF EXISTS revisions_raw_id;
ALTER TABLE articles RENAME TO articles_7;
ALTER TABLE articles_folded RENAME TO articles_folded_7;
ALTER TABLE images RENAME TO images_7;
ALTER TABLE related RENAME TO related_7;
ALTER TABLE revisions RENAME TO revisions_7;

-- One article. id is the site's post id; imported texts without a post id have negative ids.
CREATE TABLE articles_8 (
  id              INTEGER PRIMARY KEY,
  url             TEXT UNIQUE,
  section         TEXT,
  kind            TEXT NOT NULL,
  title           TEXT NOT NULL,
  lead            TEXT,
  text            TEXT AS (coalesce(own_text, {text_expression()})) VIRTUAL,  -- verbatim text; blank line between blocks
  clean           TEXT AS (coalesce(own_clean, text)) VIRTUAL,  -- repaired text
  blocks          TEXT NOT NULL,        -- JSON
  dateline_place  TEXT,
  dateline_date   TEXT,
  agency          TEXT,
  signature       TEXT,
  byline          TEXT,
  published_at    TEXT,
  published_raw   TEXT,
  published_on    TEXT,
  modified_at     TEXT,
  first_seen_at   TEXT NOT NULL,
  checked_at      TEXT NOT NULL,
  revision        INTEGER NOT NULL,
  fingerprint     TEXT NOT NULL,        -- versioned hash of the content
  body_key        TEXT NOT NULL,        -- hash of title and text only: finds equal texts under different ids
  simhash         INTEGER NOT NULL,     -- similar texts differ in few bits
  state           TEXT NOT NULL CHECK (state IN ('live', 'suspect', 'gone')),
  markup          TEXT,
  parser          INTEGER NOT NULL,
  provenance      TEXT NOT NULL,        -- JSON
  problems        TEXT NOT NULL,        -- JSON
  raw_id          INTEGER REFERENCES raw (id),  -- first capture with the current content
  last_raw_id     INTEGER REFERENCES raw (id),  -- last capture with it; the related stories are those of this capture
  source_file     TEXT,                 -- file of an imported text
  word_count      INTEGER NOT NULL DEFAULT 0,  -- of clean
  own_text        TEXT,                 -- the text, if it does not follow from blocks
  own_clean       TEXT                  -- the repaired text, if it differs from text
);

-- The pictures of an article. `digest` is that of the picture that the current revision shows at this place, if it is held. A
-- copy of it in another size or format that the site showed later has rows in picture_addresses and pictures, and does not
-- replace it here.
CREATE TABLE images (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  url      TEXT,
  alt      TEXT NOT NULL,
  caption  TEXT,
  credit   TEXT,
  digest   TEXT REFERENCES pictures (digest),
  PRIMARY KEY (article, position)
);

-- The different stories that the site lists under articles.
CREATE TABLE related_stories (
  id       INTEGER PRIMARY KEY,
  post_id  INTEGER,
  url      TEXT,
  title    TEXT NOT NULL,
  summary  TEXT NOT NULL,
  caption  TEXT
);
CREATE INDEX related_stories_post_id ON related_stories (post_id, title);

-- Which stories the site listed under an article when it was last captured.
CREATE TABLE related_links (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  story    INTEGER NOT NULL REFERENCES related_stories (id),
  PRIMARY KEY (article, position)
) WITHOUT ROWID;

-- The rows of the view `revisions`. Without blocks, the columns from url to modified_at are those of the row in articles.
CREATE TABLE stored_revisions (
  article      INTEGER NOT NULL REFERENCES articles (id),
  revision     INTEGER NOT NULL,
  seen_at      TEXT NOT NULL,
  changed      TEXT NOT NULL,           -- JSON list of field names
  fingerprint  TEXT NOT NULL,
  tags         TEXT NOT NULL,           -- JSON
  raw_id       INTEGER REFERENCES raw (id),
  known_at     TEXT,                    -- when the archive got it; seen_at: the first time that the site is known to have shown it
  replaced_pictures TEXT NOT NULL DEFAULT '[]',  -- JSON list of (position, before, after), with the two digests
  url          TEXT,
  section      TEXT,
  kind         TEXT,
  title        TEXT,
  lead         TEXT,
  blocks       TEXT,                    -- JSON
  byline       TEXT,
  published_at TEXT,
  modified_at  TEXT,
  PRIMARY KEY (article, revision),
  CHECK (iif(blocks IS NULL, coalesce(url, section, kind, title, lead, byline, published_at, modified_at) IS NULL,
             kind IS NOT NULL AND title IS NOT NULL))
);

-- Folded text (no accents, œ as oe, word stems), for the search index only; the readable text is in articles. INT, because
-- the rows of a table with an INTEGER PRIMARY KEY are stored in the order of the key.
CREATE TABLE articles_folded (
  id    INT PRIMARY KEY NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  lead  TEXT NOT NULL,
  text  TEXT NOT NULL
);
"""

_ARTICLE = (
    "id", "url", "section", "kind", "title", "lead", "blocks", "dateline_place", "dateline_date", "agency", "signature",
    "byline", "published_at", "published_raw", "published_on", "modified_at", "first_seen_at", "checked_at", "revision",
    "fingerprint", "body_key", "simhash", "state", "markup", "parser", "provenance", "problems", "raw_id", "last_raw_id",
    "source_file", "word_count",
)  # fmt: skip
_SAME_STORY = _same(_STORY, "s", "r")
#: Moves the rows of the articles up to the id `:last`. A revision shares the content of its article if it is the same.
_MOVE = (
    f"""INSERT INTO articles_8 ({_list(_ARTICLE)}, own_text, own_clean)
        SELECT {_list(_ARTICLE)}, nullif(text, {text_expression()}), nullif(clean, text)
        FROM articles_7 WHERE id <= :last ORDER BY id""",  # noqa: S608 - fixed names
    f"""INSERT INTO stored_revisions ({_list(_REVISION)})
        SELECT {_list(("article", "revision", *_OTHERS), "v.")}, {", ".join(f"iif(a.id IS NULL, v.{c}, NULL)" for c in _CONTENT)}
        FROM revisions_7 v LEFT JOIN articles_7 a ON a.id = v.article AND {_same(_CONTENT, "a", "v")}
        WHERE v.article <= :last ORDER BY v.article, v.revision""",  # noqa: S608 - fixed names
    f"""INSERT INTO related_stories ({_list(_STORY)})
        SELECT DISTINCT {_list(_STORY)} FROM related_7 r WHERE article <= :last
        AND NOT EXISTS (SELECT 1 FROM related_stories s WHERE {_SAME_STORY})""",  # noqa: S608 - fixed names
    f"""INSERT INTO related_links (article, position, story)
        SELECT article, position, (SELECT min(id) FROM related_stories s WHERE {_SAME_STORY}) FROM related_7 r WHERE article <= :last""",  # noqa: S608 - fixed names
    """INSERT INTO images (article, position, url, alt, caption, credit, digest)
       SELECT article, position, url, alt, caption, credit, digest FROM images_7 WHERE article <= :last ORDER BY 1, 2""",
    """INSERT INTO articles_folded (id, title, lead, text)
       SELECT id, title, lead, text FROM articles_folded_7 WHERE id <= :last ORDER BY id""",
    "DELETE FROM articles_7 WHERE id <= :last",
    "DELETE FROM revisions_7 WHERE article <= :last",
    "DELETE FROM related_7 WHERE article <= :last",
    "DELETE FROM images_7 WHERE article <= :last",
    "DELETE FROM articles_folded_7 WHERE id <= :last",
)

_INDEXES = """
CREATE INDEX IF NOT EXISTS articles_published_on ON articles_8 (published_on);
CREATE INDEX IF NOT EXISTS articles_section ON articles_8 (section, published_on);
CREATE INDEX IF NOT EXISTS articles_body_key ON articles_8 (body_key);
CREATE INDEX IF NOT EXISTS articles_facets ON articles_8 (id, published_on, section, kind, dateline_place);
CREATE INDEX IF NOT EXISTS images_url ON images (url) WHERE url IS NOT NULL;
CREATE INDEX IF NOT EXISTS related_links_story ON related_links (story);
CREATE INDEX IF NOT EXISTS revisions_seen_at ON stored_revisions (seen_at);
CREATE INDEX IF NOT EXISTS revisions_later ON stored_revisions (seen_at, article, revision) WHERE revision > 1;
CREATE INDEX IF NOT EXISTS revisions_raw_id ON stored_revisions (raw_id);
"""

_NEW_STORY = _same(_STORY, "s", "new")
_ADD_LINK = f"""
  INSERT INTO related_stories ({_list(_STORY)})
  SELECT {_list(_STORY, "new.")} WHERE NOT EXISTS (SELECT 1 FROM related_stories s WHERE {_NEW_STORY});
  INSERT INTO related_links (article, position, story)
  SELECT new.article, new.position, min(s.id) FROM related_stories s WHERE {_NEW_STORY};
"""  # noqa: S608 - fixed names
_NEW_REVISION = f"""SELECT {_list(("article", "revision"), "new.")}, {_list(_OTHERS[:-1], "new.")},
    coalesce(new.replaced_pictures, '[]'), {", ".join(f"iif(a.id IS NULL, new.{name}, NULL)" for name in _CONTENT)}
  FROM (SELECT 1) LEFT JOIN articles a ON a.id = new.article AND {_same(_CONTENT, "a", "new")}"""  # noqa: S608 - fixed names
_NEEDS_BLOCKS = "SELECT RAISE(ABORT, 'a revision needs blocks') WHERE new.blocks IS NULL;"
_READ_REVISION = {name: f"iif(v.blocks IS NULL, a.{name}, v.{name}) AS {name}" for name in _CONTENT}
_REVISION_COLUMNS = (  # in the order that the table had
    "article", "revision", "seen_at", "changed", "fingerprint", "url", "section", "kind", "title", "lead", "blocks", "byline",
    "tags", "published_at", "modified_at", "raw_id", "known_at", "replaced_pictures",
)  # fmt: skip

_FINISH = f"""
DROP TABLE articles_7;
DROP TABLE revisions_7;
DROP TABLE related_7;
DROP TABLE images_7;
DROP TABLE articles_folded_7;
ALTER TABLE articles_8 RENAME TO articles;

CREATE TRIGGER articles_per_day_added AFTER INSERT ON articles WHEN new.published_on IS NOT NULL BEGIN
  INSERT INTO articles_per_day (day, articles) VALUES (new.published_on, 1)
  ON CONFLICT (day) DO UPDATE SET articles = articles + 1;
END;
CREATE TRIGGER articles_per_day_removed AFTER DELETE ON articles WHEN old.published_on IS NOT NULL BEGIN
  UPDATE articles_per_day SET articles = articles - 1 WHERE day = old.published_on;
  DELETE FROM articles_per_day WHERE day = old.published_on AND articles = 0;
END;
CREATE TRIGGER articles_per_day_changed AFTER UPDATE OF published_on ON articles
WHEN new.published_on IS NOT old.published_on BEGIN
  UPDATE articles_per_day SET articles = articles - 1 WHERE day = old.published_on;
  DELETE FROM articles_per_day WHERE day = old.published_on AND articles = 0;
  INSERT INTO articles_per_day (day, articles) SELECT new.published_on, 1 WHERE new.published_on IS NOT NULL
  ON CONFLICT (day) DO UPDATE SET articles = articles + 1;
END;
CREATE TRIGGER articles_folded_added AFTER INSERT ON articles_folded BEGIN
  INSERT INTO articles_fts (rowid, title, lead, text) VALUES (new.id, new.title, new.lead, new.text);
END;
CREATE TRIGGER articles_folded_removed AFTER DELETE ON articles_folded BEGIN
  INSERT INTO articles_fts (articles_fts, rowid, title, lead, text)
  VALUES ('delete', old.id, old.title, old.lead, old.text);
END;
CREATE TRIGGER articles_folded_changed AFTER UPDATE ON articles_folded BEGIN
  INSERT INTO articles_fts (articles_fts, rowid, title, lead, text)
  VALUES ('delete', old.id, old.title, old.lead, old.text);
  INSERT INTO articles_fts (rowid, title, lead, text) VALUES (new.id, new.title, new.lead, new.text);
END;

-- Before the content of an article changes, the revisions that share it get a copy.
CREATE TRIGGER articles_content_changed BEFORE UPDATE OF id, {_list(_CONTENT)} ON articles
WHEN NOT ({_same(("id", *_CONTENT), "new", "old")}) BEGIN
  UPDATE stored_revisions SET {", ".join(f"{name} = old.{name}" for name in _CONTENT)}
  WHERE article = old.id AND blocks IS NULL;
END;
-- A story under no article is removed.
CREATE TRIGGER related_links_removed AFTER DELETE ON related_links
WHEN NOT EXISTS (SELECT 1 FROM related_links WHERE story = old.story) BEGIN
  DELETE FROM related_stories WHERE id = old.story;
END;

-- The stories that the site listed under the article when it was last captured.
CREATE VIEW related AS
  SELECT l.article, l.position, {_list(_STORY, "s.")}
  FROM related_links l JOIN related_stories s ON s.id = l.story;
CREATE TRIGGER related_added INSTEAD OF INSERT ON related BEGIN{_ADD_LINK}END;
CREATE TRIGGER related_removed INSTEAD OF DELETE ON related BEGIN
  DELETE FROM related_links WHERE article = old.article AND position = old.position;
END;
CREATE TRIGGER related_changed INSTEAD OF UPDATE ON related BEGIN
  DELETE FROM related_links WHERE article = old.article AND position = old.position;{_ADD_LINK}END;

-- The versions of an article's content, each with the time when it was first seen; append-only.
CREATE VIEW revisions AS
  SELECT {", ".join(_READ_REVISION.get(name, f"v.{name}") for name in _REVISION_COLUMNS)}
  FROM stored_revisions v LEFT JOIN articles a ON a.id = v.article;
CREATE TRIGGER revisions_added INSTEAD OF INSERT ON revisions BEGIN
  {_NEEDS_BLOCKS}
  INSERT INTO stored_revisions ({_list(_REVISION)}) {_NEW_REVISION};
END;
CREATE TRIGGER revisions_removed INSTEAD OF DELETE ON revisions BEGIN
  DELETE FROM stored_revisions WHERE article = old.article AND revision = old.revision;
END;
CREATE TRIGGER revisions_changed INSTEAD OF UPDATE ON revisions BEGIN
  {_NEEDS_BLOCKS}
  UPDATE stored_revisions SET ({_list(_REVISION)}) = ({_NEW_REVISION})
  WHERE article = old.article AND revision = old.revision;
END;

-- What the site said when: each revision with the time until which it was the newest one; NULL: until now.
-- WHERE valid_from <= T AND (valid_until IS NULL OR valid_until > T) gives what the site said at the time T;
-- AND known_at <= T leaves out what the archive did not know yet.
CREATE VIEW versions AS
  SELECT v.article, v.revision, v.seen_at AS valid_from,
    (SELECT min(seen_at) FROM stored_revisions n WHERE n.article = v.article AND n.revision > v.revision) AS valid_until,
    v.known_at, v.title, v.lead, v.url, v.section, v.kind, v.published_at, v.modified_at, v.changed, v.blocks
  FROM revisions v;

-- In which state an article was when, with the same two times.
CREATE VIEW presence AS
  SELECT article, state, at AS valid_from,
    (SELECT min(at) FROM states n WHERE n.article = s.article AND n.at > s.at) AS valid_until
  FROM states s
  UNION ALL
  SELECT id, 'live', first_seen_at, (SELECT min(at) FROM states WHERE article = a.id) FROM articles a;

-- The pairs of `similar` from both sides, with titles. `role` is what the first article is to the second one.
CREATE VIEW similar_articles AS
  SELECT s.article, s.kind, 'this' AS role, s.score, s.other, a.title, b.title AS other_title, s.passage
  FROM similar s JOIN articles a ON a.id = s.article JOIN articles b ON b.id = s.other
  UNION ALL
  SELECT s.other, s.kind, 'other', s.score, s.article, b.title, a.title, s.passage
  FROM similar s JOIN articles a ON a.id = s.article JOIN articles b ON b.id = s.other;

-- The pictures of the articles that are held, with their place in the WARC files.
CREATE VIEW held_pictures AS
  SELECT i.article, i.position, i.url, i.caption, i.credit, p.digest, p.media_type, p.size, p.width, p.height, p.phash,
    p.problem, r.url AS fetched_url, r.fetched_at, r.file, r.offset, r.length
  FROM images i JOIN pictures p ON p.digest = i.digest JOIN raw r ON r.id = p.raw_id;
"""  # noqa: S608 - fixed names


def _move(db: Connection) -> int:
    """Move the rows of the next articles; return the number of articles."""
    last, articles = db.execute(
        "SELECT max(id), count(*) FROM (SELECT id FROM articles_7 ORDER BY id LIMIT ?)", (_BATCH,)
    ).fetchone()
    for statement in _MOVE:  # at the end, also the rows that belong to no article
        db.execute(statement, {"last": last if articles else _LARGEST})
    return int(articles)


EIGHTH = LongMigration(8, "SELECT count(*) FROM articles", _NEW, _move, _INDEXES, _FINISH)
