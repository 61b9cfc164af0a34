"""What is going on in the archive.

Boundary: arguments and output.
"""

from __future__ import annotations

from typing import Annotated

import typer

from crawler.cli import output, state

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(status)


def status(context: typer.Context, as_json: Json = False) -> None:
    """Print what is in the archive, how the sources are, and what needs a look.

    Example: vna status --json
    """
    with state.of(context).reading() as archive:
        found = archive.status()
    if as_json:
        output.json_block(found)
        return
    output.text(f"articles   {found['articles']}  ({found['oldest'] or 'no day'} to {found['newest'] or 'no day'})")
    output.text(f"revisions  {found['revisions']}   duplicates {found['duplicates']}")
    share = found["broken"] / found["articles"] if found["articles"] else 0
    output.text(f"broken     {found['broken']} articles arrived with words run together ({share:.0%})")
    output.text("pages      " + (", ".join(f"{n} {name}" for name, n in found["pages"].items()) or "none"))
    output.text(f"requests   {found['requests']}, {output.size(found['bytes'])}")
    if run := found["last_run"]:
        output.text(f"last run   {run['command']}, {run['outcome'] or 'unfinished'}, started {run['started_at']}")
    if found["sources"]:
        output.text("")
        output.table(found["sources"], ("kind", "state", "items", "last_ok_at", "url", "error"))
    if found["attention"]:
        output.text("\nneeds a look:")
        output.table(found["attention"], ("state", "id", "url", "error"))
