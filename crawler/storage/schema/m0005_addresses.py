"""Schema 5 records how each source names a page, and by which form of its address a source is compared.

Existing sightings have no address, because no row says how the source named the page; the next poll adds it. The form
of a source's address follows from the address.

The SQL function `canonical_url` is `urls.canonical`; the migration registers it for its connection.
"""

from __future__ import annotations

FIFTH = """
-- The address under which the source named the page the last time; NULL if that was before schema 5.
ALTER TABLE sightings ADD COLUMN url TEXT;

-- The form of `url` for comparison: two spellings of one address are one source.
ALTER TABLE sources ADD COLUMN address TEXT;
UPDATE sources SET address = canonical_url(url);
CREATE INDEX sources_address ON sources (address);
"""
