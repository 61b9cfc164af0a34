"""Schema 1: articles and what hangs on them, the frontier, the log of requests, the search index."""

from __future__ import annotations

FIRST = """
-- One response in the WARC files: where the bytes are.
CREATE TABLE raw (
  id          INTEGER PRIMARY KEY,
  url         TEXT NOT NULL,
  fetched_at  TEXT NOT NULL,
  status      INTEGER NOT NULL,
  file        TEXT NOT NULL,            -- below the archive's warc/
  offset      INTEGER NOT NULL,
  length      INTEGER NOT NULL,
  digest      TEXT NOT NULL,            -- of the body as received, sha256:BASE32
  UNIQUE (file, offset)
);
CREATE INDEX raw_url ON raw (url, fetched_at);

-- One article. id is the site's post id; texts without one (imports) have negative ids.
CREATE TABLE articles (
  id              INTEGER PRIMARY KEY,
  url             TEXT UNIQUE,
  section         TEXT,
  kind            TEXT NOT NULL,
  title           TEXT NOT NULL,
  lead            TEXT,
  text            TEXT NOT NULL,        -- verbatim body, blank line between blocks
  clean           TEXT NOT NULL,        -- repaired reading of text
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
  fingerprint     TEXT NOT NULL,        -- versioned, of what the article says
  body_key        TEXT NOT NULL,        -- of title and text alone: equal texts under different ids
  simhash         INTEGER NOT NULL,     -- near texts differ in few bits
  state           TEXT NOT NULL CHECK (state IN ('live', 'suspect', 'gone')),
  markup          TEXT,
  parser          INTEGER NOT NULL,
  provenance      TEXT NOT NULL,        -- JSON
  problems        TEXT NOT NULL,        -- JSON
  raw_id          INTEGER REFERENCES raw (id),  -- the page that first said this
  last_raw_id     INTEGER REFERENCES raw (id),  -- the last one that did; the related stories are of that moment
  source_file     TEXT                  -- of an imported text
);
CREATE INDEX articles_published_on ON articles (published_on);
CREATE INDEX articles_section ON articles (section, published_on);
CREATE INDEX articles_body_key ON articles (body_key);

CREATE TABLE images (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  url      TEXT,
  alt      TEXT NOT NULL,
  caption  TEXT,
  credit   TEXT,
  PRIMARY KEY (article, position)
) WITHOUT ROWID;

-- The stories that the site showed under the article when it was fetched.
CREATE TABLE related (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  post_id  INTEGER,
  url      TEXT,
  title    TEXT NOT NULL,
  summary  TEXT NOT NULL,
  caption  TEXT,
  PRIMARY KEY (article, position)
) WITHOUT ROWID;
CREATE INDEX related_post_id ON related (post_id);

CREATE TABLE tags (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  tag      TEXT NOT NULL,
  PRIMARY KEY (article, position)
) WITHOUT ROWID;
CREATE INDEX tags_tag ON tags (tag);

-- An article may be seen in several sections.
CREATE TABLE sections (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  section  TEXT NOT NULL,
  PRIMARY KEY (article, section)
) WITHOUT ROWID;

-- What the article said, each time it said something new; append-only.
CREATE TABLE revisions (
  article      INTEGER NOT NULL REFERENCES articles (id),
  revision     INTEGER NOT NULL,
  seen_at      TEXT NOT NULL,
  changed      TEXT NOT NULL,           -- JSON list of field names
  fingerprint  TEXT NOT NULL,
  url          TEXT,
  section      TEXT,
  kind         TEXT NOT NULL,
  title        TEXT NOT NULL,
  lead         TEXT,
  blocks       TEXT NOT NULL,           -- JSON
  byline       TEXT,
  tags         TEXT NOT NULL,           -- JSON
  published_at TEXT,
  modified_at  TEXT,
  raw_id       INTEGER REFERENCES raw (id),
  PRIMARY KEY (article, revision)
) WITHOUT ROWID;
CREATE INDEX revisions_seen_at ON revisions (seen_at);

-- Two articles that say the same; both are kept.
CREATE TABLE duplicates (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  other    INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  kind     TEXT NOT NULL CHECK (kind IN ('same text', 'near text')),
  score    REAL NOT NULL,               -- 1 for the same text
  PRIMARY KEY (article, other)
) WITHOUT ROWID;

-- The edits that lead from text to clean.
CREATE TABLE repairs (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  rule     TEXT NOT NULL,
  offset   INTEGER NOT NULL,            -- characters into text
  before   TEXT NOT NULL,
  after    TEXT NOT NULL,
  PRIMARY KEY (article, position)
) WITHOUT ROWID;

-- Every article page that some source says exists: the frontier and its state.
CREATE TABLE pages (
  id              INTEGER PRIMARY KEY,  -- post id
  url             TEXT NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('known', 'live', 'suspect', 'gone', 'rejected', 'drift', 'failed')),
  first_seen_at   TEXT NOT NULL,
  first_source    TEXT NOT NULL,
  hinted_at       TEXT,                 -- newest modification time that a source gave
  next_due_at     TEXT,                 -- NULL: not before somebody asks for it
  last_fetched_at TEXT,
  failures        INTEGER NOT NULL DEFAULT 0,
  error           TEXT,
  raw_id          INTEGER REFERENCES raw (id),
  etag            TEXT,
  last_modified   TEXT
);
CREATE INDEX pages_due ON pages (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX pages_state ON pages (state);

-- Which source named which page.
CREATE TABLE sightings (
  page          INTEGER NOT NULL REFERENCES pages (id),
  source        TEXT NOT NULL,
  first_seen_at TEXT NOT NULL,
  last_seen_at  TEXT NOT NULL,
  position      INTEGER,
  PRIMARY KEY (page, source)
) WITHOUT ROWID;

-- Home page, sections, feeds, sitemaps: what is polled, and how it went.
CREATE TABLE sources (
  url             TEXT PRIMARY KEY,
  kind            TEXT NOT NULL CHECK (kind IN ('home', 'section', 'feed', 'news_sitemap', 'sitemap_index', 'sitemap')),
  name            TEXT,
  state           TEXT NOT NULL CHECK (state IN ('new', 'ok', 'failing', 'absent', 'excluded')),
  next_due_at     TEXT,                 -- NULL: not polled
  last_checked_at TEXT,
  last_ok_at      TEXT,
  items           INTEGER,              -- of the last good answer
  fresh_items     INTEGER,              -- of those, not known before
  failures        INTEGER NOT NULL DEFAULT 0,
  error           TEXT,
  etag            TEXT,
  last_modified   TEXT
) WITHOUT ROWID;

CREATE TABLE runs (
  id         INTEGER PRIMARY KEY,
  command    TEXT NOT NULL,
  started_at TEXT NOT NULL,
  ended_at   TEXT,
  outcome    TEXT,
  report     TEXT                       -- JSON
);

-- Every request.
CREATE TABLE fetches (
  id      INTEGER PRIMARY KEY,
  run     INTEGER REFERENCES runs (id),
  url     TEXT NOT NULL,
  at      TEXT NOT NULL,
  status  INTEGER,
  size    INTEGER NOT NULL,             -- bytes as received
  seconds REAL NOT NULL,
  error   TEXT
);
CREATE INDEX fetches_at ON fetches (at);

-- Folded text, made for the index alone (accents off, œ as oe, stems): what people see is in articles.
CREATE TABLE articles_folded (
  id    INTEGER PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
  title TEXT NOT NULL,
  lead  TEXT NOT NULL,
  text  TEXT NOT NULL
);
CREATE VIRTUAL TABLE articles_fts USING fts5 (
  title, lead, text, content='articles_folded', content_rowid='id', tokenize='unicode61 remove_diacritics 2'
);
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
"""
