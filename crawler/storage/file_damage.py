"""SQLite's own check of a database file, without the search indexes, which can be made again from other tables.

Boundary: reads through an open connection.
"""

from __future__ import annotations

import sqlite3
from typing import Literal

Check = Literal["integrity_check", "quick_check"]


def file_damage(connection: sqlite3.Connection, check: Check) -> list[str]:
    """Return the messages of a check about damaged tables; an empty list if they are intact.

    From version 3.44 on, SQLite also checks the index of each virtual table. What it says about these alone is left out.

    Raises:
        sqlite3.DatabaseError: the file is too damaged to be checked, or the check was interrupted.

    """
    found = _messages(connection, check)
    if not found:
        return []
    virtual = [row[1] for row in connection.execute("PRAGMA main.table_list") if row[2] == "virtual"]
    of_indexes = {message for name in virtual for message in _messages(connection, f"{check}({name})")}
    return [message for message in found if message not in of_indexes]


def _messages(connection: sqlite3.Connection, check: str) -> list[str]:
    return [message for (message,) in connection.execute(f"PRAGMA {check}") if message != "ok"]
