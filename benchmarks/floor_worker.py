"""Fetch and store the pages of a file of URLs with as little as possible: WORKER URLS DATABASE.

One socket, one request after the other, inflate, Lexbor's bare parse, one insert with one commit for each page.
"""

import http.client
import sqlite3
import sys
import zlib
from pathlib import Path
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser


def main() -> None:
    """Fetch and store the pages."""
    urls = [urlsplit(url) for url in Path(sys.argv[1]).read_text().split()]
    db = sqlite3.connect(sys.argv[2])
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE pages (url TEXT PRIMARY KEY, title TEXT, body BLOB)")
    connection = http.client.HTTPConnection(urls[0].netloc)
    for url in urls:
        connection.request("GET", url.path, headers={"Accept-Encoding": "gzip"})
        response = connection.getresponse()
        body = response.read()
        html = zlib.decompress(body, 31) if response.getheader("Content-Encoding") == "gzip" else body
        title = LexborHTMLParser(html.decode()).css_first("h1")
        db.execute("INSERT INTO pages VALUES (?, ?, ?)", (url.path, title and title.text(), body))
        db.commit()
    db.close()


if __name__ == "__main__":
    main()
