"""Schema 4 adds the identity of the archive.

The SQL function `random_uuid` returns a new random UUID; the migration registers it for its connection.
"""

from __future__ import annotations

FOURTH = """
-- The identity of the archive: a random UUID, which moved, copied, rebuilt and restored archives keep.
CREATE TABLE archive_identity (
  id         TEXT PRIMARY KEY
) WITHOUT ROWID;
-- allows only one row
CREATE UNIQUE INDEX archive_identity_single ON archive_identity ((1));
INSERT INTO archive_identity (id) VALUES (random_uuid());
"""
