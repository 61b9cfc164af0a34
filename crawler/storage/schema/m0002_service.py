"""Schema 2, for the service: publication rates, gaps, positions in lists, plans, coverage, findings, health."""

from __future__ import annotations

SECOND = """
-- Every archived response has a row in raw: pages, lists, robots.txt, probes. `purpose` is why it was requested.
-- `origin` is the collection that it was imported from, such as a file of Common Crawl; NULL for our own fetches.
ALTER TABLE raw ADD COLUMN purpose TEXT;
ALTER TABLE raw ADD COLUMN origin TEXT;

-- Article pages. New: the state `absent` (the id was requested and does not exist), the publication time given by a
-- source, the last fetch without validators, the number of validator mismatches.
CREATE TABLE pages_2 (
  id              INTEGER PRIMARY KEY,  -- post id
  url             TEXT NOT NULL,
  state           TEXT NOT NULL
                  CHECK (state IN ('known', 'live', 'suspect', 'gone', 'rejected', 'drift', 'failed', 'absent')),
  first_seen_at   TEXT NOT NULL,
  first_source    TEXT NOT NULL,
  hinted_at       TEXT,                 -- newest modification time given by a source
  published_hint  TEXT,                 -- publication time given by a source
  next_due_at     TEXT,                 -- NULL: no visit is scheduled, except by a plan
  last_fetched_at TEXT,
  checked_whole_at TEXT,                -- last fetch without validators
  lies            INTEGER NOT NULL DEFAULT 0,  -- validator mismatches: content changed under the same validators
  unhinted        INTEGER NOT NULL DEFAULT 0,  -- changes for which no source gave a new modification time
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

-- Sources to poll. New: an id for references from other tables, the list API, the data for the publication rate.
CREATE TABLE sources_2 (
  id              INTEGER PRIMARY KEY,
  url             TEXT NOT NULL UNIQUE,
  kind            TEXT NOT NULL
                  CHECK (kind IN ('home', 'section', 'feed', 'feed_index', 'news_sitemap', 'sitemap_index', 'sitemap',
                                  'list')),
  name            TEXT,
  zone            TEXT,                 -- the site's own number of a section, if a page gives it
  state           TEXT NOT NULL CHECK (state IN ('new', 'ok', 'failing', 'absent', 'excluded')),
  next_due_at     TEXT,                 -- NULL: not polled
  interval        INTEGER,              -- current poll interval in seconds
  last_checked_at TEXT,
  last_ok_at      TEXT,
  checked_whole_at TEXT,                -- last good response to a request without validators
  lies            INTEGER NOT NULL DEFAULT 0,  -- validator mismatches
  items           INTEGER,              -- articles in the last good response
  fresh_items     INTEGER,              -- articles in it that were new to the archive
  most_items      INTEGER,              -- maximum number of articles in one response
  newest_id       INTEGER,              -- newest article in the last good response
  middle_id       INTEGER,              -- oldest id of the newer half of that response; used to detect gaps
  learned_since   TEXT,                 -- start of the counting of its new articles in `rhythms`
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

-- New articles listed by each source, by weekday (0 = Monday) and hour in Hanoi: the data for its publication rate.
CREATE TABLE rhythms (
  source  INTEGER NOT NULL REFERENCES sources (id),
  weekday INTEGER NOT NULL CHECK (weekday BETWEEN 0 AND 6),
  hour    INTEGER NOT NULL CHECK (hour BETWEEN 0 AND 23),
  items   REAL NOT NULL,                -- articles new to this source; older weeks weigh less
  firsts  REAL NOT NULL,                -- those that this source was the first to list
  week    INTEGER NOT NULL,             -- week of the weights (whole weeks since Monday, 1 January of the year 1)
  PRIMARY KEY (source, weekday, hour)
) WITHOUT ROWID;

-- Removals and returns of article pages: each change of articles.state after the first value; append-only.
CREATE TABLE states (
  article    INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  at         TEXT NOT NULL,
  state      TEXT NOT NULL CHECK (state IN ('live', 'suspect', 'gone')),
  PRIMARY KEY (article, at)
) WITHOUT ROWID;
CREATE INDEX states_at ON states (at);
INSERT INTO states (article, at, state) SELECT id, checked_at, state FROM articles WHERE state <> 'live';

-- Position of an article on the home page or a section page, and for how long: one row while it stays the same.
CREATE TABLE appearances (
  source     INTEGER NOT NULL REFERENCES sources (id),
  last_seen_at TEXT NOT NULL,
  page       INTEGER NOT NULL REFERENCES pages (id),
  position   INTEGER NOT NULL,          -- 0 is the top
  seen_at    TEXT NOT NULL,             -- first seen at this position
  -- The key keeps the current rows of a source together. Its columns come first in the table because integrity_check of
  -- SQLite 3.40 reports false errors otherwise.
  PRIMARY KEY (source, last_seen_at, page)
) WITHOUT ROWID;
CREATE INDEX appearances_top ON appearances (seen_at) WHERE position = 0;

-- Two successive polls of a source without a common article: articles may have appeared and disappeared in between.
CREATE TABLE gaps (
  id         INTEGER PRIMARY KEY,
  source     INTEGER NOT NULL REFERENCES sources (id),
  opened_at  TEXT NOT NULL,
  since      TEXT NOT NULL,             -- last good poll before the gap
  until      TEXT NOT NULL,             -- first good poll after the gap
  after_id   INTEGER,                   -- newest article known from before the gap
  before_id  INTEGER,                   -- oldest article seen after the gap, without the older half of a section page
  state      TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  closed_at  TEXT,
  closed_by  TEXT CHECK (closed_by IN ('paging', 'sitemap', 'ids')),
  tried      INTEGER NOT NULL DEFAULT 0,  -- attempts to close it that failed
  note       TEXT                       -- what the gap is waiting for
);
CREATE INDEX gaps_open ON gaps (opened_at) WHERE state = 'open';

-- Results of `vna probe` for each assumption about the site.
CREATE TABLE findings (
  probe      INTEGER NOT NULL,          -- id of the run of the probe
  name       TEXT NOT NULL,
  dossier    TEXT NOT NULL,             -- section of the site dossier
  expected   TEXT NOT NULL,
  verdict    TEXT NOT NULL CHECK (verdict IN ('confirmed', 'differs', 'unknown')),
  seen       TEXT NOT NULL,
  advice     TEXT NOT NULL,             -- what to do about it; empty if nothing
  adopt      TEXT NOT NULL,             -- JSON: settings to change, by table of the configuration
  position   INTEGER NOT NULL,          -- in the order of the checks
  probed_at  TEXT NOT NULL,             -- time of the last response of the probe
  PRIMARY KEY (probe, name)
) WITHOUT ROWID;

-- A backfill plan: the request and its state.
CREATE TABLE plans (
  id         INTEGER PRIMARY KEY,
  via        TEXT NOT NULL CHECK (via IN ('sitemap', 'ids', 'lists')),
  since      TEXT NOT NULL,             -- days in Hanoi, both ends included
  until      TEXT NOT NULL,
  section    TEXT,
  oldest_first INTEGER NOT NULL DEFAULT 0,
  state      TEXT NOT NULL CHECK (state IN ('open', 'done')),
  created_at TEXT NOT NULL,
  ended_at   TEXT
);

-- One step of a plan: the sitemap index, the sitemap of a month, the list pages of a section, the check whether the
-- site answers requests by id alone (`sonar`), a range of ids. State `listed`: its pages are known but not all fetched.
CREATE TABLE plan_steps (
  plan       INTEGER NOT NULL REFERENCES plans (id),
  position   INTEGER NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('index', 'sitemap', 'section', 'list', 'sonar', 'ids')),
  target     TEXT NOT NULL,             -- address, or `first-last` for a range of ids
  state      TEXT NOT NULL CHECK (state IN ('todo', 'listed', 'done', 'absent', 'failed')),
  cursor     TEXT,                      -- JSON: where to continue inside the step
  found      INTEGER NOT NULL DEFAULT 0,
  failures   INTEGER NOT NULL DEFAULT 0,
  next_due_at TEXT,                     -- earliest time of the next attempt after a failure
  error      TEXT,
  PRIMARY KEY (plan, position)
) WITHOUT ROWID;

-- The pages that belong to a plan.
CREATE TABLE plan_pages (
  plan       INTEGER NOT NULL REFERENCES plans (id),
  page       INTEGER NOT NULL REFERENCES pages (id),
  step       INTEGER NOT NULL,
  PRIMARY KEY (plan, page)
) WITHOUT ROWID;
CREATE INDEX plan_pages_step ON plan_pages (plan, step, page);

-- The coverage ledger, by month of publication (in Hanoi) and section. Section '' is all sections, month '' is an
-- unknown month. Computed by `vna coverage` (docs/coverage.md). known = held + missing + (gone - gone_held).
CREATE TABLE coverage (
  month      TEXT NOT NULL,             -- 2026-01
  section    TEXT NOT NULL,
  known      INTEGER NOT NULL,
  held       INTEGER NOT NULL,
  missing    INTEGER NOT NULL,
  gone       INTEGER NOT NULL,          -- removed by the agency
  gone_held  INTEGER NOT NULL,          -- removed but held
  undated    INTEGER NOT NULL,          -- held, but the page gives no date
  absent     INTEGER,                   -- ids that were requested and do not exist; NULL for a section
  unasked    INTEGER,                   -- ids that no source lists and that were never requested; NULL for a section
  estimate   REAL,                      -- estimated number of articles, listed or not; NULL if it cannot be estimated
  low        INTEGER,                   -- lower bound of the 95 % interval
  high       INTEGER,                   -- upper bound
  method     TEXT CHECK (method IN ('chapman', 'chao')),
  channels   TEXT NOT NULL,             -- JSON: number of articles known from each channel
  computed_at TEXT NOT NULL,
  PRIMARY KEY (month, section)
) WITHOUT ROWID;

-- Articles that are known but not held, with the reason, as of the last computation of the ledger.
CREATE TABLE missing (
  page       INTEGER PRIMARY KEY REFERENCES pages (id),
  month      TEXT NOT NULL,
  section    TEXT,                      -- if a section's own page or feed listed it
  state      TEXT NOT NULL,             -- state of the page at that time
  error      TEXT
);
CREATE INDEX missing_month ON missing (month);

-- Dates implied by ids: bounds for undated articles, and articles whose date does not fit their id.
CREATE TABLE datings (
  article    INTEGER PRIMARY KEY REFERENCES articles (id) ON DELETE CASCADE,
  kind       TEXT NOT NULL CHECK (kind IN ('undated', 'back-dated', 'ahead')),
  after      TEXT,                      -- days in Hanoi between which the ids around it were published
  before     TEXT
);

-- The jobs of the service: last run and its result.
CREATE TABLE heartbeats (
  job        TEXT PRIMARY KEY,
  state      TEXT NOT NULL CHECK (state IN ('running', 'ok', 'paused', 'held', 'failed')),  -- held: the site stops it
  started_at TEXT NOT NULL,
  ended_at   TEXT,
  ok_at      TEXT,
  next_due_at TEXT,                     -- earliest next run; NULL: as soon as there is work
  failures   INTEGER NOT NULL DEFAULT 0,
  outcome    TEXT
) WITHOUT ROWID;

-- Incidents: failing health conditions from beginning to end. The beginning and the end are each reported once.
CREATE TABLE incidents (
  id         INTEGER PRIMARY KEY,
  kind       TEXT NOT NULL,
  subject    TEXT NOT NULL,
  detail     TEXT NOT NULL,
  opened_at  TEXT NOT NULL,
  seen_at    TEXT NOT NULL,             -- last check at which the condition failed
  told_at    TEXT,                      -- when the beginning was reported
  closed_at  TEXT,
  closed_told_at TEXT                   -- when the end was reported
);
CREATE UNIQUE INDEX incidents_open ON incidents (kind, subject) WHERE closed_at IS NULL;

-- The size of the archive on each day.
CREATE TABLE disk (
  day        TEXT PRIMARY KEY,          -- UTC
  warc_bytes INTEGER NOT NULL,
  db_bytes   INTEGER NOT NULL,
  free_bytes INTEGER NOT NULL
) WITHOUT ROWID;
"""
