"""Datasette plugin: the SQL function `vna_match(query)`, so that SQL finds the same articles as `vna search`.

select a.* from articles_fts join articles a on a.id = articles_fts.rowid
where articles_fts match vna_match('"affaires étrangères" -Cuba') order by a.id desc
"""

import os
import sqlite3
from pathlib import Path

from datasette import hookimpl

from crawler import config, query
from crawler.errors import StopError

# `vna browse` sets VNA_CONFIG. Without it, the synonyms are those of the folder above this one.
_CONFIG = os.environ.get("VNA_CONFIG") or Path(__file__).parent.parent / "crawler.toml"
_SYNONYMS = query.Synonyms(config.load_synonyms(Path(_CONFIG)))
_NO_MATCH = '"\ufdd0"'  # a noncharacter, which no text contains


def vna_match(text: str | None) -> str:
    """Return the FTS5 expression of a query, or one that matches nothing if the query has no search term."""
    try:
        return query.parse(text or "", _SYNONYMS).match
    except StopError:
        return _NO_MATCH


@hookimpl(trylast=True)
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Register the function on each connection of Datasette.

    Datasette registers `escape_fts` for the search boxes of its tables before this; the function takes its place, so that
    a search box finds the same articles as `vna search`.
    """
    for name in ("vna_match", "escape_fts"):
        conn.create_function(name, 1, vna_match, deterministic=True)
