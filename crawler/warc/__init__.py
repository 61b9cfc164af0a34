"""Evidence: every answer of the site, as received, in WARC files (ISO 28500, version 1.1).

One gzip member a record; the body keeps the content coding it was sent with; the transfer coding is undone by the HTTP
client, so its header is kept under another name. A `RawRef` is handed out only after the bytes are on the disk.

Beside the answers stand `metadata` records of visits that got none, and `resource` records of imported texts: with them
the database can be made anew from these files alone. `VNA-Purpose` says what a record was asked for.

Boundary: the only unit that knows the WARC library. It knows nothing of articles.
"""

from crawler.warc.members import digest
from crawler.warc.reading import Record, read_file
from crawler.warc.scan import Damage, Member
from crawler.warc.store import WarcStore
from crawler.warc.tail import repair_tail

__all__ = ["Damage", "Member", "Record", "WarcStore", "digest", "read_file", "repair_tail"]
