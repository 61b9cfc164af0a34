"""Schema 6 adds the index of passage hashes, by which articles that share text are found, the pairs of such articles, the
time from which the archive knew a revision, and an index by which the captures of an article are found.

The SQL function `passage_hashes_of` is `similarity.passage_hashes`; the migration registers it for its connection. Pairs of
older articles are not searched for here: `vna similar` finds them by the index, and `vna rebuild` writes all of them.
"""

from __future__ import annotations

SIXTH = """
-- Which articles have which passages: a sample of the hashes of their word sequences (crawler/similarity.py).
CREATE TABLE passage_hashes (
  hash    INTEGER NOT NULL,
  article INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  PRIMARY KEY (hash, article)
) WITHOUT ROWID;
INSERT INTO passage_hashes (hash, article)
  SELECT DISTINCT value, a.id FROM articles a, json_each(passage_hashes_of(a.id, a.kind, a.title, a.lead, a.blocks))
  ORDER BY 1, 2;

-- Pairs of articles that share text; both articles stay in the archive. `article` extends `other`, contains it in a digest,
-- or is its photo version; of two versions of one text, `article` has the higher id.
CREATE TABLE similar (
  article INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  other   INTEGER NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
  kind    TEXT NOT NULL
          CHECK (kind IN ('reissue', 'cross-section', 'extends', 'digest-contains', 'photo-version')),
  score   REAL NOT NULL,                -- share of the words of the shorter text that are in the longer one
  passage TEXT NOT NULL,                -- the longest common passage, as it stands in `article`
  PRIMARY KEY (article, other)
) WITHOUT ROWID;
CREATE INDEX similar_other ON similar (other);

-- When the archive got the revision: the time of the capture, or that of the import of an imported capture. `seen_at` is the
-- first time at which the site is known to have shown it.
ALTER TABLE revisions ADD COLUMN known_at TEXT;
UPDATE revisions SET known_at = seen_at;

-- The captures of an article have purposes such as `page:245060`; without this index, an evidence pack reads all rows.
CREATE INDEX raw_purpose ON raw (purpose);

-- What the site said when: each revision with the time until which it was the newest one; NULL: until now.
-- WHERE valid_from <= T AND (valid_until IS NULL OR valid_until > T) gives what the site said at the time T;
-- AND known_at <= T leaves out what the archive did not know yet.
CREATE VIEW versions AS
  SELECT v.article, v.revision, v.seen_at AS valid_from,
    (SELECT min(seen_at) FROM revisions n WHERE n.article = v.article AND n.revision > v.revision) AS valid_until,
    v.known_at, v.title, v.lead, v.url, v.section, v.kind, v.published_at, v.modified_at, v.changed, v.blocks
  FROM revisions v;

-- In which state an article was when, with the same two times.
CREATE VIEW presence AS
  SELECT article, state, at AS valid_from,
    (SELECT min(at) FROM states n WHERE n.article = s.article AND n.at > s.at) AS valid_until
  FROM states s
  UNION ALL
  SELECT id, 'live', first_seen_at, (SELECT min(at) FROM states WHERE article = a.id) FROM articles a;

-- The same pairs from both sides, with titles. `role` is what the first article is to the second one.
CREATE VIEW similar_articles AS
  SELECT s.article, s.kind, 'this' AS role, s.score, s.other, a.title, b.title AS other_title, s.passage
  FROM similar s JOIN articles a ON a.id = s.article JOIN articles b ON b.id = s.other
  UNION ALL
  SELECT s.other, s.kind, 'other', s.score, s.article, b.title, a.title, s.passage
  FROM similar s JOIN articles a ON a.id = s.article JOIN articles b ON b.id = s.other;
"""
