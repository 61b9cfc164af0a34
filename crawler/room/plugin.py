"""The Datasette plugin: the addresses of the pages, and the conversion of Datasette's requests and responses.

`config/datasette/vna_room.py` passes the routes to Datasette. Pages are rendered in separate threads, so that a slow page
does not block Datasette's tables.

Boundary: asynchronous only because Datasette is; every page is an ordinary function.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from datasette import Response

from crawler import config
from crawler.room import rendering
from crawler.room.pages import article, coverage, events, feeds, front, pictures, proof, search
from crawler.room.requests import RoomResponse
from crawler.room.room import Room, View

_THREADS = 3
_MOST_PARAMETERS = 30
_YEAR = 365 * 24 * 3600  # seconds for which a choice of language and theme is remembered
_log = logging.getLogger(__name__)

#: The pages by address. A trailing slash is allowed.
ROUTES: tuple[tuple[str, View], ...] = (
    (r"/$", front.front),
    (r"/article/(?P<id>-?[0-9]{1,18})/?$", article.article),
    (r"/article/(?P<id>-?[0-9]{1,18})/cite\.(?P<format>txt|bib|ris|json)$", proof.cite),
    (r"/article/(?P<id>-?[0-9]{1,18})/evidence\.zip$", proof.evidence),
    (r"/capture/(?P<id>[0-9]{1,18})/?$", article.capture),
    (r"/capture/(?P<id>[0-9]{1,18})/page$", article.archived_page),
    (r"/picture/(?P<digest>[A-Z2-7]{52})$", pictures.picture),
    (r"/find/?$", search.find),
    (r"/find\.(?P<format>csv|jsonl)$", search.export_hits),
    (r"/timeline/?$", search.timeline),
    (r"/coverage/?$", coverage.coverage),
    (r"/changes/?$", events.changes),
    (r"/removed/?$", events.removed),
    (r"/prominence/?$", events.prominence),
    (r"/random/?$", front.random_article),
    (r"/help/?$", front.help_page),
    (r"/feed\.(?P<format>atom|json)$", feeds.feed),
    (r"/feeds\.opml$", feeds.outlines),
)


def routes(datasette: Any) -> list[tuple[str, Callable[..., Awaitable[Any]]]]:
    """Return the routes of the reading room and of its static files."""
    room = _room(datasette)
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="room")
    pages = [(pattern, _handler(room, threads, view)) for pattern, view in ROUTES] if room is not None else []
    static = (r"/-/room/(?P<name>[a-z]+\.[a-z]+)$", _static)
    if room is None:
        return [static]
    return [*pages, static, (_elsewhere(datasette.databases), _handler(room, threads, front.nothing))]


def _elsewhere(databases: Iterable[str]) -> str:
    """Return the pattern of all addresses that neither the reading room nor Datasette has."""
    own = ("-", r"\.json", r"favicon\.ico", r":memory:", *map(re.escape, databases))
    return rf"/(?!(?:{'|'.join(own)})(?:$|[^A-Za-z0-9_]))"


def _room(datasette: Any) -> Room | None:
    """Return the room of the first database that is a file; None if Datasette serves none."""
    path = next((database.path for database in datasette.databases.values() if database.path), None)
    if path is None:
        return None
    file = Path(os.environ["VNA_CONFIG"]) if "VNA_CONFIG" in os.environ else None
    watches = config.load(file).watches if file is not None and file.exists() else {}
    return Room(Path(path).absolute().parent, file, watches)


def _handler(room: Room, threads: ThreadPoolExecutor, view: View) -> Callable[..., Awaitable[Any]]:
    async def handle(request: Any) -> Any:
        scheme = request.headers.get("x-forwarded-proto", request.scheme)
        base = f"{'https' if scheme == 'https' else 'http'}://{request.host}"
        try:
            values = parse_qs(request.query_string, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
        except ValueError:
            return Response.text("too many parameters", status=400)
        arguments = {
            "headers": request.headers,
            "cookies": request.cookies,
            "base": base,
            "variables": request.url_vars,
        }
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(threads, lambda: room.answer(view, request.path, values, **arguments))
        if _is_current(answer.headers.get("ETag"), request.headers.get("if-none-match", "")):
            return Response(b"", status=304, headers=dict(answer.headers), content_type=answer.content_type)
        return _response(answer)

    return handle


def _is_current(tag: str | None, known: str) -> bool:
    """Whether the header If-None-Match names the tag of a response, also as a weak tag in a list (RFC 9110, 13.1.2)."""
    tags = [one.strip().removeprefix("W/") for one in known.split(",")]
    return tag is not None and (tag in tags or tags == ["*"])


async def _static(request: Any) -> Any:
    found = rendering.static_file(request.url_vars["name"])
    return Response.text("not found", status=404) if found is None else _response(found)


def _response(answer: RoomResponse) -> Any:
    response = Response(answer.body, answer.status, dict(answer.headers), answer.content_type)
    for name, value in answer.cookies.items():
        response.set_cookie(name, value, max_age=_YEAR, httponly=True, samesite="strict")
    return response
