"""Schema 7 adds the pictures that are kept as evidence: their bytes, the addresses that gave them, and their places.

A picture is identified by the digest of its bytes, because several articles may show it, and because one picture has several
addresses. Without `[images] keep` in the configuration, these tables stay empty.
"""

from __future__ import annotations

SEVENTH = """
-- The pictures whose bytes are in the WARC files.
CREATE TABLE pictures (
  digest     TEXT PRIMARY KEY,          -- of the body as received, as in raw.digest
  media_type TEXT NOT NULL,             -- by the first bytes, whatever the server called it
  size       INTEGER NOT NULL,          -- bytes
  width      INTEGER,                   -- pixels as stored, before any rotation
  height     INTEGER,
  phash      TEXT,                      -- perceptual hash (crawler/pictures/hashes.py)
  crops      TEXT NOT NULL,             -- JSON: the hash of the middle of the picture, by shape
  problem    TEXT CHECK (problem IN ('format', 'damaged', 'too-large', 'stopped')),  -- why there is no size or hash
  raw_id     INTEGER NOT NULL REFERENCES raw (id)  -- first capture
) WITHOUT ROWID;

-- The addresses from which pictures were requested, and when to request them again.
CREATE TABLE picture_addresses (
  url             TEXT PRIMARY KEY,
  state           TEXT NOT NULL CHECK (state IN ('held', 'failed')),
  last_fetched_at TEXT NOT NULL,
  next_due_at     TEXT,                 -- NULL: not requested again
  failures        INTEGER NOT NULL,     -- in a row
  error           TEXT,
  error_kind      TEXT,
  raw_id          INTEGER REFERENCES raw (id),  -- last capture that gave a picture
  digest          TEXT REFERENCES pictures (digest),  -- that picture
  etag            TEXT,
  last_modified   TEXT
) WITHOUT ROWID;
CREATE INDEX picture_addresses_due ON picture_addresses (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE INDEX raw_picture ON raw (purpose, fetched_at) WHERE purpose >= 'image:' AND purpose < 'image;';

-- The picture that the current revision shows at this place, if it is held. A copy of it in another size or format that the
-- site showed later has rows in picture_addresses and pictures, and does not replace it here.
ALTER TABLE images ADD COLUMN digest TEXT REFERENCES pictures (digest);
CREATE INDEX images_url ON images (url) WHERE url IS NOT NULL;

-- The pictures that were replaced with this revision: JSON list of {position, before, after}, with the two digests.
ALTER TABLE revisions ADD COLUMN replaced_pictures TEXT NOT NULL DEFAULT '[]';

-- The pictures of the articles that are held, with their place in the WARC files.
CREATE VIEW held_pictures AS
  SELECT i.article, i.position, i.url, i.caption, i.credit, p.digest, p.media_type, p.size, p.width, p.height, p.phash,
    p.problem, r.url AS fetched_url, r.fetched_at, r.file, r.offset, r.length
  FROM images i JOIN pictures p ON p.digest = i.digest JOIN raw r ON r.id = p.raw_id;
"""
