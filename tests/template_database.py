"""New databases as copies of one that the migrations made: a copy takes 2 ms of CPU time, the migrations 25 ms.

Each process of the tests makes the template once, with the code of the program. Everything else about a new archive stays
real: the lock, the settings of the database, the files. Each copy gets an identity of its own, as each new archive does.
"""

from __future__ import annotations

import functools
import sqlite3
from uuid import uuid4

from sqlite_utils import Database

from crawler.storage import schema
from crawler.storage.schema.long_migration import Report

_apply = schema.apply
#: The table of migrations exists before the first one is applied.
_IS_NEW = "SELECT count(*) = 0 FROM sqlite_schema WHERE tbl_name <> '_sqlite_migrations'"


@functools.cache
def _template() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    _apply(Database(connection))
    return connection


def _copy_or_apply(db: Database, *report: Report) -> None:
    """Take the place of `schema.apply`: make a new database a copy of the template, and upgrade any other one."""
    if not db.execute(_IS_NEW).fetchone()[0]:
        _apply(db, *report)
        return
    _template().backup(db.conn)
    db.execute("UPDATE archive_identity SET id = ?", [str(uuid4())])
    db.conn.commit()


def use(*, copies: bool) -> None:
    """Make new databases as copies of the template from now on, or by the migrations."""
    schema.apply = _copy_or_apply if copies else _apply
