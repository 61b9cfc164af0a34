"""Run SQL scripts inside a transaction.

Boundary: splits scripts and executes them; the caller begins and ends the transaction.
"""

from __future__ import annotations

from sqlite3 import Connection


def run_script(db: Connection, script: str) -> None:
    """Execute the statements of a script.

    Not `executescript`: that first commits the open transaction, but a step of a migration must be all or nothing.
    """
    for statement in statements(script):
        db.execute(statement)


def statements(script: str) -> list[str]:
    """Split an SQL script into statements. A statement ends with a semicolon at the end of a line."""
    found: list[str] = []
    current: list[str] = []
    for line in script.splitlines():
        current.append(line)
        in_trigger = any(part.startswith("CREATE TRIGGER") for part in current)
        if line.rstrip().endswith("END;" if in_trigger else ";"):
            found.append("\n".join(current))
            current = []
    return found
