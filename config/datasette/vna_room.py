"""Datasette plugin: the pages of the reading room (docs/reading-room.md), which replace Datasette's home page."""

from __future__ import annotations

from typing import Any

from datasette import hookimpl

from crawler.room.plugin import routes


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Any]]:
    """Return the addresses of the pages, each with its function."""
    return list(routes(datasette))
