"""Datasette plugin: which columns a table shows first, and links from its rows to the reading room.

The search box of `articles` is answered by `vna_match`: Datasette quotes the words with its function `escape_fts`, which
`vna_match.py` replaces.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from datasette import hookimpl
from markupsafe import Markup

from crawler import visible

#: The columns shown if the address names none: all columns of an article would be 40 kB for each row.
COLUMNS = {
    "articles": ("id", "published_on", "section", "kind", "title", "lead", "dateline_place", "state", "revision"),
    "revisions": ("article", "revision", "seen_at", "changed", "title", "modified_at"),
    "pages": ("id", "url", "state", "first_seen_at", "last_fetched_at", "next_due_at", "failures", "error"),
}
_LONGEST = 300  # characters of a title
_ARTICLE_COLUMNS = {(table, "article") for table in ("revisions", "states", "repairs", "tags")}

App = Callable[[MutableMapping[str, Any], Any, Any], Awaitable[None]]


@hookimpl
def asgi_wrapper() -> Callable[[App], App]:
    """Return the function that adds the default columns to the bare address of a table."""
    return _with_default_columns


def _with_default_columns(app: App) -> App:
    async def respond(scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        table = scope.get("path", "").removeprefix("/vna/")
        if table in COLUMNS and not scope["query_string"]:
            scope = {**scope, "query_string": "&".join(f"_col={name}" for name in COLUMNS[table]).encode()}
        await app(scope, receive, send)

    return respond


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None) -> Markup | None:
    """Return a link to the page of an article in the reading room; None for all other cells."""
    if table == "articles" and column == "title" and "id" in row.keys():  # noqa: SIM118 - a row of SQLite
        title = visible.line(str(value), _LONGEST) or "–"
        return Markup('<a href="/article/{}">{}</a>').format(row["id"], title)
    is_article = (table, column) in _ARTICLE_COLUMNS or (table is None and column == "id")
    return Markup('<a href="/article/{0}">{0}</a>').format(value) if is_article and isinstance(value, int) else None
