"""Evidence packs: everything that the archive holds of some articles, in one ZIP file that anyone can check.

- `collect`: read rows and WARC records, and return the files of a pack
- `page`: the readable page of an article
- `pack`: write the files as a canonical ZIP file
- `wacz`: write WARC files, index and pages as one WACZ file
- `check_pack`: check a pack; also the script in each pack, which needs nothing but Python

Boundary: reads the archive and writes one file; nothing is fetched.
"""

from crawler.evidence.collect import collected
from crawler.evidence.pack import packed, save_pack
from crawler.evidence.wacz import write_wacz

__all__ = ["collected", "packed", "save_pack", "write_wacz"]
