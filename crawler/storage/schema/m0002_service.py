"""Schema 2: what a service needs: learned rhythms, gaps, places in lists, plans, the ledger, findings, health."""

from __future__ import annotations

SECOND = """
-- Every answer that was kept has a row here: a page, a list, a robots.txt, a probe. `purpose` is what it was asked for,
-- `origin` the collection that it was taken over from (a file of Common Crawl, say); NULL for our own fetches.
ALTER TABLE raw ADD COLUMN purpose TEXT;
ALTER TABLE raw ADD COLUMN origin TEXT;

-- Article pages. New: the state `absent` (an id that was asked for and is not there), when a source says it was
-- published, when it was last fetched without validators, how often a 304 was a lie.
CREATE TABLE pages_2 (
  id              INTEGER PRIMARY KEY,  -- post id
  url             TEXT NOT NULL,
  state           TEXT NOT NULL
                  CHECK (state IN ('known', 'live', 'suspect', 'gone', 'rejected', 'drift', 'failed', 'absent')),
  first_seen_at   TEXT NOT NULL,
  first_source    TEXT NOT NULL,
  hinted_at       TEXT,                 -- newest modification time that a source gave
  published_hint  TEXT,                 -- publication time that a source gave
  next_due_at     TEXT,                 -- NULL: not before somebody asks for it, or a plan comes to it
  last_fetched_at TEXT,
  checked_whole_at TEXT,                -- last fetch without validators
  lies            INTEGER NOT NULL DEFAULT 0,  -- times that 304 was said of a page that had changed
  unhinted        INTEGER NOT NULL DEFAULT 0,  -- times that it had changed and no source had said so
  failures        INTEGER NOT NULL DEFAULT 0,
  error           TEXT,
  raw_id          INTEGER REFERENCES raw (id),
  etag            TEXT,
  last_modified   TEXT
);
INSERT INTO pages_2 (id, url, state, first_seen_at, first_source, hinted_at, next_due_at, last_fetched_at, failures, error,
                     raw_id, etag, last_modified)
  SELECT id, url, state, first_seen_at, first_source, hinted_at, next_due_at, last_fetched_at, failures, error,
         raw_id, etag, last_modified FROM pages;
DROP TABLE pages;
ALTER TABLE pages_2 RENAME TO pages;
CREATE INDEX pages_due ON pages (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX pages_state ON pages (state);
CREATE INDEX pages_fetched ON pages (last_fetched_at, state, failures) WHERE last_fetched_at IS NOT NULL;

-- What is polled. New: a number for the tables that refer to it, the list API, what was learned of its rhythm.
CREATE TABLE sources_2 (
  id              INTEGER PRIMARY KEY,
  url             TEXT NOT NULL UNIQUE,
  kind            TEXT NOT NULL
                  CHECK (kind IN ('home', 'section', 'feed', 'feed_index', 'news_sitemap', 'sitemap_index', 'sitemap',
                                  'list')),
  name            TEXT,
  zone            TEXT,                 -- the site's own number of a section, where a page names it
  state           TEXT NOT NULL CHECK (state IN ('new', 'ok', 'failing', 'absent', 'excluded')),
  next_due_at     TEXT,                 -- NULL: not polled
  interval        INTEGER,              -- seconds, as last decided
  last_checked_at TEXT,
  last_ok_at      TEXT,
  checked_whole_at TEXT,                -- last good answer to a request without validators
  lies            INTEGER NOT NULL DEFAULT 0,
  items           INTEGER,              -- of the last good answer
  fresh_items     INTEGER,              -- of those, not known before
  most_items      INTEGER,              -- ever in one answer
  newest_id       INTEGER,              -- newest article of the last good answer
  middle_id       INTEGER,              -- half of that answer is newer: what the next one should share some of
  learned_since   TEXT,                 -- since when its new articles are counted in `rhythms`
  failures        INTEGER NOT NULL DEFAULT 0,
  error           TEXT,
  etag            TEXT,
  last_modified   TEXT
);
INSERT INTO sources_2 (url, kind, name, state, next_due_at, last_checked_at, last_ok_at, items, fresh_items, most_items,
                       failures, error, etag, last_modified)
  SELECT url, kind, name, state, next_due_at, last_checked_at, last_ok_at, items, fresh_items, items,
         failures, error, etag, last_modified FROM sources;
DROP TABLE sources;
ALTER TABLE sources_2 RENAME TO sources;
CREATE INDEX sources_due ON sources (next_due_at) WHERE next_due_at IS NOT NULL;

-- New articles that each source showed, by weekday and hour in Hanoi (0 = Monday): the rhythm learned.
CREATE TABLE rhythms (
  source  INTEGER NOT NULL REFERENCES sources (id),
  weekday INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 6),
  hour    INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 23),
  items   REAL NOT NULL,                -- new to this source, older weeks counting less
  firsts  REAL NOT NULL,                -- of those, new to all: what it was the first to show
  week    INTEGER NOT NULL,             -- as of which week (whole weeks since Monday, 1 January of the year 1)
  PRIMARY KEY (source, weekday, hour)
) WITHOUT ROWID;

-- When an article's page went, and when it came back: each change of articles.state but the first; append-only.
CREATE TABLE states (
  article    INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  at         TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('live', 'suspect', 'gone')),
  PRIMARY KEY (article, at)
) WITHOUT ROWID;
CREATE INDEX states_at ON states (at);
INSERT INTO states (article, at, state) SELECT id, checked_at, state FROM articles WHERE state <> 'live';

-- Where an article stood on the home page or a section page, and for how long: one row while it keeps its place.
CREATE TABLE appearances (
  source     INTEGER NOT NULL REFERENCES sources (id),
  last_seen_at TEXT NOT NULL,
  page       INTEGER NOT NULL REFERENCES pages (id),
  position   INTEGER NOT NULL,          -- 0 is the top
  seen_at    TEXT NOT NULL,             -- first seen at this place
  -- What holds now lies together. The columns of the key stand first: SQLite 3.40 checks the table wrongly otherwise.
  PRIMARY KEY (source, last_seen_at, page)
) WITHOUT ROWID;
CREATE INDEX appearances_top ON appearances (seen_at) WHERE position = 0;

-- A poll that shared no item with the one before: something may have come and gone between them.
CREATE TABLE gaps (
  id         INTEGER PRIMARY KEY,
  source     INTEGER NOT NULL REFERENCES sources (id),
  opened_at  TEXT NOT NULL,
  since      TEXT NOT NULL,             -- last good poll before the gap
  until      TEXT NOT NULL,             -- first good poll after it
  after_id   INTEGER,                   -- newest article known from before
  before_id  INTEGER,                   -- oldest article seen after, leaving out the older half of a section page
  state      TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  closed_at  TEXT,
  closed_by  TEXT CHECK (closed_by IN ('paging', 'sitemap', 'ids')),
  tried      INTEGER NOT NULL DEFAULT 0,  -- answers and failures since that could have closed it, and did not
  note       TEXT                       -- what it is waiting for
);
CREATE INDEX gaps_open ON gaps (opened_at) WHERE state = 'open';

-- What the first-contact check found of each assumption about the site.
CREATE TABLE findings (
  probe      INTEGER NOT NULL,          -- the run that asked
  name       TEXT NOT NULL,
  dossier    TEXT NOT NULL,             -- section of the site dossier
  expected   TEXT NOT NULL,
  verdict    TEXT NOT NULL CHECK (verdict IN ('confirmed', 'differs', 'unknown')),
  seen       TEXT NOT NULL,
  advice     TEXT NOT NULL,             -- what to do about it; empty when nothing
  adopt      TEXT NOT NULL,             -- JSON: settings to take over, by table of the configuration
  position   INTEGER NOT NULL,          -- in the order of the checks
  probed_at  TEXT NOT NULL,             -- when the last answer of the probe came
  PRIMARY KEY (probe, name)
) WITHOUT ROWID;

-- A backfill: what was asked for, and how far it is.
CREATE TABLE plans (
  id         INTEGER PRIMARY KEY,
  via        TEXT NOT NULL CHECK (via IN ('sitemap', 'ids', 'lists')),
  since      TEXT NOT NULL,             -- days in Hanoi, both included
  until      TEXT NOT NULL,
  section    TEXT,
  oldest_first INTEGER NOT NULL DEFAULT 0,
  state      TEXT NOT NULL CHECK (state IN ('open', 'done')),
  created_at TEXT NOT NULL,
  ended_at   TEXT
);

-- One step of a plan: the sitemap index, a month's sitemap, a section's list pages, a look whether ids can be asked for,
-- a range of ids. `listed`: what it names is known, but not all of it is fetched.
CREATE TABLE plan_steps (
  plan       INTEGER NOT NULL REFERENCES plans (id),
  position   INTEGER NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('index', 'sitemap', 'section', 'list', 'sonar', 'ids')),
  target     TEXT NOT NULL,             -- address, or `first-last` of a range of ids
  state      TEXT NOT NULL CHECK (state IN ('todo', 'listed', 'done', 'absent', 'failed')),
  cursor     TEXT,                      -- JSON: where to go on inside the step
  found      INTEGER NOT NULL DEFAULT 0,
  failures   INTEGER NOT NULL DEFAULT 0,
  next_due_at TEXT,                     -- not before, after a failure
  error      TEXT,
  PRIMARY KEY (plan, position)
) WITHOUT ROWID;

-- The pages that a plan is about.
CREATE TABLE plan_pages (
  plan       INTEGER NOT NULL REFERENCES plans (id),
  page       INTEGER NOT NULL REFERENCES pages (id),
  step       INTEGER NOT NULL,
  PRIMARY KEY (plan, page)
) WITHOUT ROWID;
CREATE INDEX plan_pages_step ON plan_pages (plan, step, page);

-- The ledger: a month (of the publication, in Hanoi) and a section; section '' is all of them, month '' is where nothing
-- tells it. Worked out anew by `vna coverage` (docs/coverage.md). known = held + missing + (gone - gone_held).
CREATE TABLE coverage (
  month      TEXT NOT NULL,             -- 2026-01
  section    TEXT NOT NULL,
  known      INTEGER NOT NULL,
  held       INTEGER NOT NULL,
  missing    INTEGER NOT NULL,
  gone       INTEGER NOT NULL,          -- removed by the agency
  gone_held  INTEGER NOT NULL,          -- of those, held
  undated    INTEGER NOT NULL,          -- held, but the page names no date
  absent     INTEGER,                   -- ids that were asked for and are not there; NULL for a section
  unasked    INTEGER,                   -- ids that nobody knows and nobody asked for; NULL for a section
  estimate   REAL,                      -- how many exist, listed or not; NULL where the lists do not tell
  low        INTEGER,                   -- of the 95 % interval
  high       INTEGER,
  method     TEXT CHECK (method IN ('chapman', 'chao')),
  channels   TEXT NOT NULL,             -- JSON: articles known by each channel
  computed_at TEXT NOT NULL,
  PRIMARY KEY (month, section)
) WITHOUT ROWID;

-- Articles that are known and not held, as the ledger last had it, with the reason.
CREATE TABLE missing (
  page       INTEGER PRIMARY KEY REFERENCES pages (id),
  month      TEXT NOT NULL,
  section    TEXT,                      -- where a section's own page or feed named it
  state      TEXT NOT NULL,             -- of the page, when the ledger was made
  error      TEXT
);
CREATE INDEX missing_month ON missing (month);

-- What the ids say of dates: bounds of an undated article, or that a date does not fit its id.
CREATE TABLE datings (
  article    INTEGER PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
  kind       TEXT NOT NULL CHECK (kind IN ('undated', 'back-dated', 'ahead')),
  after      TEXT,                      -- days in Hanoi between which the ids around it were published
  before     TEXT
);

-- Each job of the service: when it last did its work, and how it went.
CREATE TABLE heartbeats (
  job        TEXT PRIMARY KEY,
  state      TEXT NOT NULL CHECK (state IN ('running', 'ok', 'paused', 'held', 'failed')),  -- held up by the site
  started_at TEXT NOT NULL,
  ended_at   TEXT,
  ok_at      TEXT,
  next_due_at TEXT,                     -- not before; NULL: as soon as there is work
  failures   INTEGER NOT NULL DEFAULT 0,
  outcome    TEXT
) WITHOUT ROWID;

-- Trouble, from its beginning to its end; somebody is told once of each.
CREATE TABLE incidents (
  id         INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  detail     TEXT NOT NULL,
  opened_at  TEXT NOT NULL,
  seen_at    TEXT NOT NULL,             -- last time that it was so
  told_at    TEXT,
  closed_at  TEXT,
  closed_told_at TEXT
);
CREATE UNIQUE INDEX incidents_open ON incidents (kind, subject) WHERE closed_at IS NULL;

-- The size of the archive, day by day.
CREATE TABLE disk (
  day        TEXT PRIMARY KEY,          -- UTC
  warc_bytes INTEGER NOT NULL,
  db_bytes   INTEGER NOT NULL,
  free_bytes INTEGER NOT NULL
) WITHOUT ROWID;
"""
