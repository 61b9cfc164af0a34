"""`vna browse`: serve the archive with Datasette.

Boundary: handles only arguments, output and the exit code; Datasette is a separate program.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from crawler.cli import output, state
from crawler.errors import StopError

#: Imports Datasette and the package before it changes the folder: modules must not be imported from the archive.
#: Datasette has no options for the limits of its web server: open connections, and bytes of a request without its body.
#: With rich, it would print the local variables of each rejected query, which takes longer than the query.
_START = """
import functools, os, sys
import crawler, datasette.cli, datasette.handle_exception
datasette.handle_exception.rich = None
server = datasette.cli.uvicorn
limits = {"limit_concurrency": 120, "http": "h11", "h11_max_incomplete_event_size": 16384, "server_header": False}
server.run = functools.partial(server.run, **limits)
os.chdir(sys.argv.pop(1))
sys.path[:] = filter(None, sys.path)
datasette.cli.cli()
"""


#: Settings of Datasette. The plugins in config/datasette/ limit what these do not.
SETTINGS = {
    "truncate_cells_html": 300,
    "max_returned_rows": 500,
    "sql_time_limit_ms": 1000,
    "facet_time_limit_ms": 200,
    "facet_suggest_time_limit_ms": 50,
    "num_sql_threads": 3,
    "max_csv_mb": 100,
    "allow_download": "off",
    "suggest_facets": "off",  # in a large archive, each suggestion takes until its time limit
}


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(browse)


def browse(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.", min=0, max=65535)] = 8001,
) -> None:
    """Serve the archive as pages to read, on this machine only.

    The pages are in French and English (docs/reading-room.md). Tables and SQL are at /vna.

    Example: vna browse --port 8001
    """
    from crawler import opening, resources
    from crawler.config import DEFAULT_FILE
    from crawler.storage import FILE
    from crawler.storage.base import is_immutable

    globals_ = state.of(context)
    folder = globals_.folder()
    opening.reading_archive(folder).close()  # raises if there is no archive
    if find_spec("datasette") is None:
        raise StopError("Datasette is not installed", "install it with: pip install 'vna-archive[browse]'")
    _require_free(port)
    # Datasette puts the path into an SQLite URI without quoting it, so it gets the mere name, and starts in the folder.
    serve = ["serve", *["-i"] * is_immutable(folder / FILE), FILE, "-p", str(port), "-h", "127.0.0.1"]
    serve += [word for name, value in SETTINGS.items() for word in ("--setting", name, str(value))]
    serve += ["--metadata", str(resources.datasette_metadata()), "--plugins-dir", str(resources.datasette_plugins())]
    # The plugin reads the synonyms beside this file, so that SQL finds the same articles as `vna search`.
    environment = os.environ | {
        "VNA_CONFIG": os.path.abspath(globals_.config or DEFAULT_FILE),  # noqa: PTH100 - keeps links
        "VNA_HOSTS": " ".join(globals_.load().hosts),
    }
    output.note(f"{FILE} at http://127.0.0.1:{port}/ (read-only); stop with Ctrl-C")
    # Replace this process, so that one signal ends both.
    os.execve(sys.executable, [sys.executable, "-c", _START, str(folder), *serve], environment)  # noqa: S606


def _require_free(port: int) -> None:
    """Raise an error if another program listens at a port of this machine; 0 stands for any free port.

    Raises:
        StopError: the port is taken.
        OSError: the port cannot be used, such as one below 1024.

    """
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server: a port may have just been closed
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise StopError(
                f"port {port} is in use: another program, perhaps another `vna browse`, listens there",
                f"open http://127.0.0.1:{port}/, stop that program, or choose another port with --port",
            ) from error
