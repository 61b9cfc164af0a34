"""Datasette plugin: the SQL function `vna_match(query)`, so that SQL finds what `vna search` finds.

select a.* from articles_fts join articles a on a.id = articles_fts.rowid
where articles_fts match vna_match('"affaires étrangères" -Cuba') order by a.id desc
"""

import sqlite3
from pathlib import Path

from datasette import hookimpl

from crawler import config, query
from crawler.errors import StopError

_SYNONYMS = query.Synonyms(config.load_synonyms(Path(__file__).parent.parent / "crawler.toml"))
_NOTHING = '"\ufdd0"'  # a noncharacter: no text can hold it


def vna_match(text: str | None) -> str:
    """Give the FTS5 expression of a query; one that matches nothing when there is nothing to look for."""
    try:
        return query.parse(text or "", _SYNONYMS).match
    except StopError:
        return _NOTHING


@hookimpl
def prepare_connection(conn: sqlite3.Connection) -> None:
    """Give each of Datasette's connections the function."""
    try:
        conn.create_function("vna_match", 1, vna_match, deterministic=True)
    except sqlite3.NotSupportedError:  # an SQLite without deterministic functions
        conn.create_function("vna_match", 1, vna_match)
