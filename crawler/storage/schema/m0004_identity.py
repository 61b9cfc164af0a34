"""Schema 4 adds the identity of the archive, records how each source names a page, and marks guesses in backfill plans.

- `archive_identity`: the SQL function `random_uuid` returns a new random UUID; the migration registers it for its
  connection. `clock_period` counts how often the system clock was set back.
- `sightings.url`: existing sightings have no address, because no row says how the source named the page; the next poll
  adds it.
- `sources.address`: follows from the address. The SQL function `canonical_url` is `urls.canonical`; the migration
  registers it for its connection.
- `plan_steps.guessed`: until then, a plan requested the sitemap of each month at its usual address if the sitemap index
  did not name it, and counted a missing one as a failure. A row in `sources` tells them apart: each list that an index
  names has one.
"""

from __future__ import annotations

FOURTH = """
-- The identity of the archive: a random UUID, which moved, copied, rebuilt and restored archives keep.
CREATE TABLE archive_identity (
  id           TEXT PRIMARY KEY,
  clock_period INTEGER NOT NULL DEFAULT 0  -- how often the system clock was set back while the archive was collected
) WITHOUT ROWID;
-- allows only one row
CREATE UNIQUE INDEX archive_identity_single ON archive_identity ((1));
INSERT INTO archive_identity (id) VALUES (random_uuid());

-- The address under which the source named the page the last time; NULL if that was before schema 4.
ALTER TABLE sightings ADD COLUMN url TEXT;

-- The form of `url` for comparison: two spellings of one address are one source.
ALTER TABLE sources ADD COLUMN address TEXT;
UPDATE sources SET address = canonical_url(url);
CREATE INDEX sources_address ON sources (address);

-- 1: the usual address of a list that the site does not name. It is requested once; without a list there, nothing fails.
ALTER TABLE plan_steps ADD COLUMN guessed INTEGER NOT NULL DEFAULT 0;
UPDATE plan_steps SET guessed = 1
  WHERE kind = 'sitemap' AND target NOT IN (SELECT url FROM sources)
    AND EXISTS (SELECT 1 FROM plan_steps i WHERE i.plan = plan_steps.plan AND i.kind = 'index' AND i.state = 'done' AND i.found > 0);
"""
