"""Commands that serve something: the replica of the site, Datasette on the archive, the demo.

Boundary: arguments, output, exit code.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli import output, state
from crawler.errors import StopError

_DATASETTE = Path(__file__).resolve().parents[2] / "config"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(browse)


def browse(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.", min=0, max=65535)] = 8001,
) -> None:
    """Open the archive in Datasette, read-only, until interrupted.

    Example: vna browse --port 8001
    """
    from crawler.storage import FILE

    with state.of(context).reading() as archive:
        file = Path(archive.db.execute("PRAGMA database_list").fetchone()[2])
    if find_spec("datasette") is None:
        raise StopError("Datasette is not installed", "install it beside the archive: pip install 'crawler[browse]'")
    settings = ["--setting", "truncate_cells_html", "300", "--setting", "max_returned_rows", "1000"]
    metadata = ["--metadata", str(_DATASETTE / "datasette.yaml")] if _DATASETTE.exists() else []
    metadata += ["--plugins-dir", str(_DATASETTE / "datasette")] if _DATASETTE.exists() else []
    output.note(f"{FILE} at http://127.0.0.1:{port}/ (read-only); Ctrl-C ends it")
    command = [sys.executable, "-m", "datasette", "serve", str(file), "-p", str(port), "-h", "127.0.0.1"]
    sys.stderr.flush()
    os.execv(sys.executable, [*command, *settings, *metadata])  # noqa: S606 - one process, so that one signal ends it
