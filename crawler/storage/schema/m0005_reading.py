"""Schema 5 lets pages for readers be answered without counting all rows, and stores the hits of watched searches.

- `articles_per_day` is kept by triggers, so that it always equals the count of the rows of `articles`.
- `articles_facets` contains every column that a filter or facet of a search reads. A row of `articles` is about 10 kB
  long, so that reading these columns from the table itself is twenty times slower.
"""

from __future__ import annotations

FIFTH = """
-- The number of articles by day of publication (in Hanoi). A day without articles has no row.
CREATE TABLE articles_per_day (
  day      TEXT PRIMARY KEY,
  articles INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO articles_per_day (day, articles)
  SELECT published_on, count(*) FROM articles WHERE published_on IS NOT NULL GROUP BY published_on;
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

CREATE INDEX articles_facets ON articles (id, published_on, section, kind, dateline_place);
CREATE INDEX sections_section ON sections (section);
CREATE INDEX revisions_later ON revisions (seen_at, article, revision) WHERE revision > 1;
CREATE INDEX appearances_page ON appearances (page);

-- The searches in [watch] of the configuration, each since when its hits are sent. A search whose query changes starts again.
CREATE TABLE watches (
  name       TEXT PRIMARY KEY,
  query      TEXT NOT NULL,
  since      TEXT NOT NULL
) WITHOUT ROWID;

-- The articles that a watched search has found, once for each recipient. A recipient is stored as a hash of its address,
-- because the address may contain a password.
CREATE TABLE watch_hits (
  watch      TEXT NOT NULL,
  article    INTEGER NOT NULL,
  recipient  TEXT NOT NULL,
  found_at   TEXT NOT NULL,
  begun_at   TEXT,                      -- when sending began; without sent_at, it is not known whether it was sent
  sent_at    TEXT,
  PRIMARY KEY (watch, article, recipient)
) WITHOUT ROWID;
CREATE INDEX watch_hits_unsent ON watch_hits (watch, recipient) WHERE sent_at IS NULL;
"""
