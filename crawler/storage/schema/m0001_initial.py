"""Schema 1: articles and their parts, the pages and sources, the request log, the search index."""

from __future__ import annotations

FIRST = """
-- Location of one capture: a response archived in the WARC files.
CREATE TABLE raw (
  id          INTEGER PRIMARY KEY,
  url         TEXT NOT NULL,
  fetched_at  TEXT NOT NULL,
  status      INTEGER NOT NULL,
  file        TEXT NOT NULL,            -- relative to the archive's warc/
  offset      INTEGER NOT NULL,
  length      INTEGER NOT NULL,
  digest      TEXT NOT NULL,            -- of the body as received, sha256:BASE32
  UNIQUE (file, offset)
);
CREATE INDEX raw_url ON raw (url, fetched_at);

-- One article. id is the site's post id; imported texts without a post id have negative ids.
CREATE TABLE articles (
  id              INTEGER PRIMARY KEY,
  url             TEXT UNIQUE,
  section         TEXT,
  kind            TEXT NOT NULL,
  title           TEXT NOT NULL,
  lead            TEXT,
  text            TEXT NOT NULL,        -- verbatim text; blank line between blocks
  clean           TEXT NOT NULL,        -- repaired text
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
  source_file     TEXT                  -- file of an imported text
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

-- The stories that the site listed under the article when it was last captured.
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

-- The sections of an article; the site may show one article in several sections.
CREATE TABLE sections (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  section  TEXT NOT NULL,
  PRIMARY KEY (article, section)
) WITHOUT ROWID;

-- The versions of an article's content, each with the time when it was first seen; append-only.
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

-- Pairs of articles with the same or a similar text; both articles stay in the archive.
CREATE TABLE duplicates (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  other    INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  kind     TEXT NOT NULL CHECK (kind IN ('same text', 'near text')),
  score    REAL NOT NULL,               -- similarity; 1 for the same text
  PRIMARY KEY (article, other)
) WITHOUT ROWID;

-- The edits that produce the repaired text (clean) from the verbatim text (text).
CREATE TABLE repairs (
  article  INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  rule     TEXT NOT NULL,
  offset   INTEGER NOT NULL,            -- in characters of text
  before   TEXT NOT NULL,
  after    TEXT NOT NULL,
  PRIMARY KEY (article, position)
) WITHOUT ROWID;

-- The article pages that a source has listed: the crawl frontier and its state.
CREATE TABLE pages (
  id              INTEGER PRIMARY KEY,  -- post id
  url             TEXT NOT NULL,
  state           TEXT NOT NULL CHECK (state IN ('known', 'live', 'suspect', 'gone', 'rejected', 'drift', 'failed')),
  first_seen_at   TEXT NOT NULL,
  first_source    TEXT NOT NULL,
  hinted_at       TEXT,                 -- newest modification time given by a source
  next_due_at     TEXT,                 -- NULL: no visit is scheduled
  last_fetched_at TEXT,
  failures        INTEGER NOT NULL DEFAULT 0,
  error           TEXT,
  raw_id          INTEGER REFERENCES raw (id),
  etag            TEXT,
  last_modified   TEXT
);
CREATE INDEX pages_due ON pages (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX pages_state ON pages (state);

-- Which source listed which page.
CREATE TABLE sightings (
  page          INTEGER NOT NULL REFERENCES pages (id),
  source        TEXT NOT NULL,
  first_seen_at TEXT NOT NULL,
  last_seen_at  TEXT NOT NULL,
  position      INTEGER,
  PRIMARY KEY (page, source)
) WITHOUT ROWID;

-- Home page, sections, feeds, sitemaps: the sources to poll, and the result of the last poll.
CREATE TABLE sources (
  url             TEXT PRIMARY KEY,
  kind            TEXT NOT NULL CHECK (kind IN ('home', 'section', 'feed', 'news_sitemap', 'sitemap_index', 'sitemap')),
  name            TEXT,
  state           TEXT NOT NULL CHECK (state IN ('new', 'ok', 'failing', 'absent', 'excluded')),
  next_due_at     TEXT,                 -- NULL: not polled
  last_checked_at TEXT,
  last_ok_at      TEXT,
  items           INTEGER,              -- articles in the last good response
  fresh_items     INTEGER,              -- articles in it that were new to the archive
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

-- The log of all HTTP requests.
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

-- Folded text (no accents, œ as oe, word stems), for the search index only; the readable text is in articles.
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
