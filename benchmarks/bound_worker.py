"""Read WARC files and store their pages with as little as possible: WORKER FOLDER DATABASE.

One pass with warcio, inflate, Lexbor's bare parse, one insert for each page and one commit for 50 of them.
"""

import sqlite3
import sys
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser
from warcio.archiveiterator import ArchiveIterator

_BATCH = 50


def main() -> None:
    """Read and store the pages."""
    db = sqlite3.connect(sys.argv[2])
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE pages (url TEXT, title TEXT, body BLOB)")
    count = 0
    for path in sorted(Path(sys.argv[1]).rglob("*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file):
                if record.rec_type != "response":
                    continue
                body = record.content_stream().read()
                title = LexborHTMLParser(body).css_first("h1")
                url = record.rec_headers.get_header("WARC-Target-URI")
                db.execute("INSERT INTO pages VALUES (?, ?, ?)", (url, title and title.text(), body))
                count += 1
                if count % _BATCH == 0:
                    db.commit()
    db.commit()
    db.close()


if __name__ == "__main__":
    main()
