"""`vna browse`: serve the archive with Datasette.

Boundary: handles only arguments, output and the exit code; Datasette is a separate program.
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


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(browse)


def browse(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.", min=0, max=65535)] = 8001,
) -> None:
    """Serve the archive in Datasette on this machine, read-only.

    Example: vna browse --port 8001
    """
    from crawler import resources
    from crawler.config import DEFAULT_FILE
    from crawler.storage import FILE

    globals_ = state.of(context)
    with globals_.reading() as archive:
        file = Path(archive.db.execute("PRAGMA database_list").fetchone()[2])
    if find_spec("datasette") is None:
        raise StopError("Datasette is not installed", "install it with: pip install 'vna-archive[browse]'")
    command = [sys.executable, "-m", "datasette", "serve", str(file), "-p", str(port), "-h", "127.0.0.1"]
    command += ["--setting", "truncate_cells_html", "300", "--setting", "max_returned_rows", "1000"]
    command += ["--metadata", str(resources.datasette_metadata()), "--plugins-dir", str(resources.datasette_plugins())]
    # The plugin reads the synonyms beside this file, so that SQL finds the same articles as `vna search`.
    environment = os.environ | {"VNA_CONFIG": str(globals_.config or DEFAULT_FILE)}
    output.note(f"{FILE} at http://127.0.0.1:{port}/ (read-only); stop with Ctrl-C")
    sys.stderr.flush()
    os.execve(sys.executable, command, environment)  # noqa: S606 - replace this process, so that one signal ends both
