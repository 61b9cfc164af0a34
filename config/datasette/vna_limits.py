"""Datasette plugin: bounds the memory of SQL queries, and the time of single functions, which Datasette cannot interrupt.

Datasette itself ends a query after `sql_time_limit_ms`, but only between two steps of SQLite: a function call is one step.
"""

from __future__ import annotations

import sqlite3
import weakref
from json.encoder import encode_basestring_ascii

from datasette import hookimpl

LONGEST = 2_000_000  # bytes of one value or row: far more than the longest article; a page has at most 10 MB
RESULT = 8_000_000  # bytes of all rows of one query, as JSON
HEAP = 96_000_000  # bytes that SQLite may allocate in this process
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: LONGEST,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 50_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 500,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 100_000,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,  # a value of 2 MB is compared with such a pattern in about a second
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_DENIED_FUNCTIONS = frozenset({
    "load_extension", "fts3_tokenizer",
    "printf", "format",  # a width such as 2000000000 takes 7 s, even if the result is too long
    "json_patch",  # its time grows with the square of its arguments: 21 s for 2 MB
})  # fmt: skip
_DESCRIBING = frozenset({"foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_xinfo"})
_READING = frozenset({
    "data_version", "database_list", "function_list", "max_page_count", "page_count", "page_size", "schema_version",
})  # fmt: skip
_Value = str | bytes | int | float | None


@hookimpl(trylast=True)
def prepare_connection(conn: sqlite3.Connection, database: str) -> None:
    """Limit each connection to an archive. Datasette itself also writes to its databases in memory."""
    conn.execute(f"PRAGMA hard_heap_limit = {HEAP}")  # for the whole process; can only be lowered
    if database in ("_internal", "_memory"):
        return
    for name, limit in _LIMITS.items():
        conn.setlimit(name, limit)
    conn.execute("PRAGMA query_only = ON")
    conn.execute("PRAGMA temp_store = FILE")
    conn.execute("PRAGMA cache_size = -4000")  # KiB
    conn.row_factory = RowLimit(RESULT)
    # SQLite's own functions compare the texts at each position: 7 s for 1 MB.
    conn.create_function("instr", 2, instr, deterministic=True)
    conn.create_function("replace", 3, replace, deterministic=True)
    conn.create_function("trim", 2, lambda text, marks: _trim(text, marks, left=True, right=True), deterministic=True)
    conn.create_function("ltrim", 2, lambda text, marks: _trim(text, marks, left=True), deterministic=True)
    conn.create_function("rtrim", 2, lambda text, marks: _trim(text, marks, right=True), deterministic=True)
    conn.set_authorizer(authorize)


def authorize(action: int, first: str | None, second: str | None, _database: str | None, _source: str | None) -> int:
    """Return whether a statement may do something: read rows, and describe tables."""
    if action in (sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE):
        # SQLite asks this when it opens a full-text index. Datasette opens the database read-only.
        allowed = first == "sqlite_master"
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = first in _DESCRIBING or (first in _READING and second is None)
    else:
        allowed = action in _ALLOWED and not (action == sqlite3.SQLITE_FUNCTION and second in _DENIED_FUNCTIONS)
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


class RowLimit:
    """Row factory of a connection that ends a query when its rows have too many bytes.

    Datasette fetches all rows of a page at once: 500 rows of 2 MB would need 1 GB.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0
        self._cursor: weakref.ref[sqlite3.Cursor] | None = None

    def __call__(self, cursor: sqlite3.Cursor, values: tuple[_Value, ...]) -> sqlite3.Row:
        """Return a row, and count its bytes.

        Raises:
            sqlite3.OperationalError: the rows of this query have more bytes than the limit.

        """
        if self._cursor is None or self._cursor() is not cursor:
            self._cursor, self._bytes = weakref.ref(cursor), 0
        self._bytes += sum(map(_size, values))
        if self._bytes > self._limit:
            raise sqlite3.OperationalError(
                f"the rows have more than {self._limit // 1_000_000} MB: select fewer columns, or set a limit"
            )
        return sqlite3.Row(cursor, values)


def _size(value: _Value) -> int:
    if isinstance(value, str):
        return len(encode_basestring_ascii(value)) + 50
    return (len(value) * 4 // 3 if isinstance(value, bytes) else 0) + 50


def instr(text: _Value, part: _Value) -> int | None:
    """Return the position of the first occurrence of a part in a text, from 1; 0 if there is none."""
    if text is None or part is None:
        return None
    if isinstance(text, bytes) and isinstance(part, bytes):
        return text.find(part) + 1
    return _text(text).find(_text(part)) + 1


def replace(text: _Value, old: _Value, new: _Value) -> _Value:
    """Return a text in which each occurrence of `old` is replaced.

    Raises:
        ValueError: the result would be too long.

    """
    if text is None or old is None or new is None:
        return None
    whole, part, other = _text(text), _text(old), _text(new)
    if not part:
        return text
    if len(whole) + whole.count(part) * (len(other) - len(part)) > LONGEST:
        raise ValueError("the result is too long")
    return whole.replace(part, other)


def _trim(text: _Value, marks: _Value, *, left: bool = False, right: bool = False) -> str | None:
    if text is None or marks is None:
        return None
    whole, removed = _text(text), set(_text(marks))  # a set: `str.strip` searches all characters for each one
    start, end = 0, len(whole)
    while left and start < end and whole[start] in removed:
        start += 1
    while right and start < end and whole[end - 1] in removed:
        end -= 1
    return whole[start:end]


def _text(value: _Value) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
