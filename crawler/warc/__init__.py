"""Stores every response of the site as received, as evidence, in WARC files (ISO 28500, version 1.1).

Each record is one gzip member. The body keeps its content coding, but not its transfer coding, which the HTTP client
removes, so the headers Transfer-Encoding and Content-Length are stored under other names. The position of a new record
(`RawRef`) is returned only after its bytes are on the disk.

The files also contain a `metadata` record for each request without a usable response, and a `resource` record for each
imported file, so that the database can be rebuilt from the WARC files alone. The header `VNA-Purpose` of a record says
why it was written.

Boundary: the only package that uses the WARC library. It knows nothing about articles.
"""

from crawler.warc.cdxj import CdxjIndex
from crawler.warc.members import digest
from crawler.warc.reading import Record, read_file
from crawler.warc.scan import Damage, Member, RecordHead, scan_file
from crawler.warc.store import WarcStore
from crawler.warc.tail import find_record, repair_tail

__all__ = [
    "CdxjIndex",
    "Damage",
    "Member",
    "Record",
    "RecordHead",
    "WarcStore",
    "digest",
    "find_record",
    "read_file",
    "repair_tail",
    "scan_file",
]
