"""The reading room: opens the archive for each request, calls the page, and renders its template.

Each thread keeps one connection. A database that was replaced, as by `vna rebuild --replace`, is opened again. If the
archive cannot be read, a page that was shown before is shown again with a note.

Boundary: independent of the web server; `plugin` calls `answer` in a thread.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crawler import lexicon, query
from crawler.archive_files import WARC_FOLDER
from crawler.changes.kinds import Frequency
from crawler.clock import Clock, SystemClock, monotonic_seconds
from crawler.config import load_synonyms
from crawler.errors import SchemaTooNew, SchemaTooOld, StorageError, StorageUnavailable
from crawler.opening import reading_archive
from crawler.room import language, rendering
from crawler.room.language import _
from crawler.room.requests import Ask, BadRequest, NotHere, Page, RoomResponse, redirect
from crawler.storage import FILE, Archive
from crawler.warc import WarcStore

_KEPT = 100  # pages to show again if the archive cannot be read
_SECONDS = 2.0  # for the queries of one page
_WAIT = 1000  # milliseconds that a query waits for a lock


@dataclass(frozen=True)
class Desk:
    """What a page may use: the archive and its folder, the synonyms of the search, and the watched searches by name."""

    archive: Archive
    folder: Path
    synonyms: query.Synonyms
    watches: Mapping[str, str]

    @property
    def warc(self) -> WarcStore:
        """The WARC files of the archive."""
        return WarcStore(self.folder / WARC_FOLDER)

    def frequency(self) -> Frequency:
        """Return the function that tells how frequent a word is, by which changes are classified."""
        return lexicon.load().frequency


View = Callable[[Desk, Ask], "Page | RoomResponse"]


@dataclass
class _Connection:
    archive: Archive
    file: tuple[int, int]


@dataclass
class Room:
    """The reading room of one archive folder."""

    folder: Path
    config: Path | None = None
    watches: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self._threads = threading.local()
        self._synonyms = query.Synonyms(load_synonyms(self.config))
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], tuple[Page, str]] = OrderedDict()

    def answer(self, view: View, path: str, parameters: Mapping[str, list[str]], **request: Any) -> RoomResponse:
        """Return the response to a request. `request` has the headers, cookies, base address and path variables."""
        cookies, headers = request["cookies"], request["headers"]
        chosen = (parameters.get("lang") or [""])[0]
        code = language.choose((chosen, cookies.get("lang")), headers.get("accept-language", ""))
        theme = (parameters.get("theme") or [cookies.get("theme", "")])[0]
        ask = Ask(
            path,
            parameters,
            language.of(code),
            theme if theme in ("light", "dark") else "",
            request["base"],
            self.clock.now(),
            request["variables"],
        )
        if "theme" in parameters:  # a switch of the theme leads back to the page
            return redirect(ask.link(theme=None), {"theme": ask.theme or "auto"})
        found = self._rendered(view, ask)
        return replace(found, cookies={"lang": code}) if chosen == code else found

    def _rendered(self, view: View, ask: Ask) -> RoomResponse:
        key = (ask.path, tuple((name, *values) for name, values in ask.parameters.items() if name != "lang"))
        stale = None
        try:
            found = self._page(view, ask)
            if isinstance(found, RoomResponse):
                return found
            self._keep(key, found, ask)
        except StorageError as error:
            kept = self._kept.get(key)
            found, stale = kept if kept is not None else (_unreadable(error), None)
        return rendering.page(found, ask, stale)

    def _page(self, view: View, ask: Ask) -> Page | RoomResponse:
        try:
            archive = self._archive()
            deadline = monotonic_seconds() + _SECONDS
            finished = False
            with archive.reading(), archive.stoppable(lambda: monotonic_seconds() > deadline):
                found = view(Desk(archive, self.folder, self._synonyms, self.watches), ask)
                finished = True
            if finished:
                return found
        except BadRequest as error:
            return Page("problem.html", {"message": error.message, "detail": error.detail, "kind": "bad"}, 400)
        except NotHere as error:
            return Page("problem.html", {"message": error.message, "detail": "", "kind": "missing"}, 404)
        return Page("problem.html", {"message": _("This would take too long."), "detail": "", "kind": "long"}, 503)

    def _keep(self, key: tuple[Any, ...], page: Page, ask: Ask) -> None:
        if page.status != 200:
            return
        with self._lock:
            self._kept[key] = (page, ask.now.isoformat())
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)

    def _archive(self) -> Archive:
        """Return this thread's connection to the archive.

        Raises:
            StorageError: the archive cannot be opened.

        """
        try:
            status = (self.folder / FILE).stat()
            file = (status.st_dev, status.st_ino)
        except OSError:
            file = (0, 0)
        kept: _Connection | None = getattr(self._threads, "connection", None)
        if kept is not None and kept.file == file:
            return kept.archive
        if kept is not None:
            kept.archive.close()
            self._threads.connection = None
        archive = reading_archive(self.folder)
        archive.wait_at_most(_WAIT)
        self._threads.connection = _Connection(archive, file)
        return archive


def _unreadable(error: StorageError) -> Page:
    messages = {
        SchemaTooNew: _("A newer version of the program wrote this archive."),
        SchemaTooOld: _("An older version of the program wrote this archive, and it cannot be upgraded now."),
        StorageUnavailable: _("The archive is in use by another program, or its disk is not available."),
    }
    message = next(
        (text for kind, text in messages.items() if isinstance(error, kind)), _("The archive cannot be read.")
    )
    return Page("problem.html", {"message": message, "detail": f"{error} – {error.hint}", "kind": "archive"}, 503)
