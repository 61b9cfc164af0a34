"""Records taken in by the code that took them in when they were fetched.

```
page:ID       a page's visit                  source:URL  a list's visit, its further pages
plan:KIND:URL one list of a backfill          id:ID       an id that no list named
capture:ID    a capture of another collection import      the texts of a file
robots, ...   a row that says where the answer is
```
Boundary: what a record was asked for decides which journey it goes on; what it means is the pipeline's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from urllib.parse import unquote, urlsplit

from crawler import urls
from crawler.backfill import id_probe, listing
from crawler.clock import to_text
from crawler.errors import BadInput, BadStatus, FetchError, UnreadableSource
from crawler.pipeline import Context, guarded, import_file
from crawler.pipeline.captures import store_capture
from crawler.pipeline.pages import visit_page
from crawler.pipeline.probe import visit
from crawler.pipeline.run import ROBOTS, is_bug
from crawler.pipeline.source_selection import configure
from crawler.pipeline.sources import standing, visit_source
from crawler.pipeline.stored_pages import answer
from crawler.replay.record_stream import Reel
from crawler.replay.replayed_io import Stage, Unfinished, staged
from crawler.types import SourceForPoll, SourceKind
from crawler.warc import Damage, Record

_IMPORT = "urn:vna-import:"
_NOTED = "metadata"  # a failed visit; no row points at it


@dataclass
class Played:
    """What became of the records.

    `unasked` are answers that today's code would not have asked for; `unfinished` are visits of which the files hold
    the beginning alone, left for the next run to go on with; `bugs` are visits over which this program would have ended.
    """

    records: int = 0
    visits: int = 0
    captures: int = 0
    imports: int = 0
    robots: int = 0
    unasked: int = 0
    unfinished: int = 0
    damaged: int = 0
    bugs: int = 0

    @property
    def taken(self) -> int:
        """How much of it is in the database now that was not."""
        return self.visits + self.captures + self.imports + self.robots + self.unasked


class Player:
    """Plays a reel into an archive; `live` is the run that goes on with visits that were cut off, if there is one.

    Without one, a visit that ends in a bug is put off, and the others are played all the same: `bug` is the first.
    """

    def __init__(self, context: Context, reel: Reel, live: Context | None = None) -> None:
        self.report = Played()
        self.bug: Exception | None = None
        self.reel = reel
        self._live = live
        self._stage = Stage(reel, live)
        self._context = staged(context, self._stage)
        self._archive = context.archive
        self._journeys: dict[str, Callable[[Record, str], bool]] = {
            "page": self._page,
            "source": self._source,
            "plan": self._list,
            "id": self._id,
            "probed": self._probed,
            "capture": self._capture,
            "import": self._import,
        }

    def play_all(self) -> None:
        """Take in everything."""
        for item in self.reel:
            self.play(item)

    def play(self, item: Record | Damage) -> None:
        """Take in one record, and those behind it that belong to the same visit."""
        if isinstance(item, Damage):
            self.report.damaged += 1
            return
        if self._purpose(item) == ROBOTS:  # asked for on the way to the answer behind it, and kept with that
            visit = [item, *self.reel.behind(lambda record: record.purpose != ROBOTS)]
        else:
            visit = [item]
        self._stage.begin(visit)
        record = visit[-1]
        kind, _, subject = self._purpose(record).partition(":")
        journey = self._journeys.get(kind)
        try:
            asked = journey is not None and self._travel(journey, record, subject)
        except Unfinished:
            self._context.forget()
            self.report.unfinished += 1
            return
        except Exception as error:
            if self._live is not None or not is_bug(self._context, error):
                raise
            self.report.bugs += 1
            self.bug = self.bug or error
            self._context.forget()
            self._stage.kept.clear()  # rows that were undone with it
            asked = True
        self.report.records += len(self._stage.script)
        self._enter_the_rest(asked=asked or kind not in self._journeys)

    def _travel(self, journey: Callable[[Record, str], bool], record: Record, subject: str) -> bool:
        """Go through a visit; when it wants more than was kept, and other answers follow, it ends where it ended then."""
        try:
            return journey(record, subject)
        except Unfinished:
            if self.reel.is_last():
                raise
            self._context.forget()
            self._stage.rewind()
            return journey(record, subject)

    # --- journeys: each says whether it wanted the record

    def _page(self, record: Record, subject: str) -> bool:
        page = self._archive.page(int(subject))
        if page is None or self._is_late(record, page.last_fetched_at):
            return False
        self._context.progress.step(visit_page(self._context, page), page.url)
        self.report.visits += 1
        return True

    def _source(self, record: Record, url: str) -> bool:
        if record.url != url:
            return False
        source = self._archive.source(url) or self._configured(record, url)
        if source is None or self._is_late(record, self._archive.source_checked_at(url)):
            return False
        self._context.progress.step(visit_source(self._context, source), url)
        self.report.visits += 1
        return True

    def _list(self, record: Record, subject: str) -> bool:
        """Take in what a list of a backfill names; how far the plan came with it is no evidence."""
        name, _, source = subject.partition(":")
        kind = next((k for k in get_args(SourceKind) if k == name), None)
        if kind is None or record.warc_type == _NOTED:
            return record.warc_type == _NOTED

        def aside(words: str, now: datetime, _: int | None) -> None:
            listing.put_off(self._context, kind, source, words, now)

        purpose = listing.purpose_of(kind, source)
        guarded(self._context, purpose, lambda: self._take_list(record, kind, source), aside)
        self.report.visits += 1
        return True

    def _take_list(self, record: Record, kind: SourceKind, source: str) -> None:
        fetched = self._context.fetcher.get(record.url)
        self._context.keep(fetched, listing.purpose_of(kind, source))
        try:
            found = listing.read(self._context, kind, source, record.url, fetched)
        except (BadStatus, UnreadableSource):
            found = None
        with self._context.in_hand.taking(listing.purpose_of(kind, source)), self._context.written():
            if found is not None:
                listing.take_list(self._context, kind, source, fetched, found)

    def _id(self, record: Record, subject: str) -> bool:
        post_id = int(subject)
        page = self._archive.page(post_id)
        if record.warc_type == _NOTED or (page is not None and self._is_late(record, page.last_fetched_at)):
            return record.warc_type == _NOTED

        def aside(words: str, now: datetime, _: int | None) -> str:
            id_probe.put_off(self._context, post_id, words, now)
            return f"failed: {post_id}: {words}"

        purpose = id_probe.purpose_of(post_id)
        said = guarded(self._context, purpose, lambda: self._take_probe(record, post_id), aside)
        self._context.progress.step(said, record.url)
        self.report.visits += 1
        return True

    def _take_probe(self, record: Record, post_id: int) -> str:
        fetched = self._context.fetcher.get(record.url)
        purpose = id_probe.purpose_of(post_id)
        ref = self._context.keep(fetched, purpose)
        with self._context.in_hand.taking(purpose):
            told = id_probe.judged(self._context, post_id, fetched, ref)
            with self._context.written():
                return id_probe.take_probe(self._context, post_id, told)

    def _probed(self, record: Record, subject: str) -> bool:
        page = self._archive.page(int(subject))
        if page is not None and self._is_late(record, page.last_fetched_at):
            return False
        self._context.progress.step(visit(self._context, record.url).url, record.url)
        self.report.visits += 1
        return True

    def _capture(self, record: Record, _: str) -> bool:
        try:
            fetched = answer(record)
        except FetchError:  # a coding that this version cannot undo
            return False
        self._stage.kept.add(record.ref)
        said = store_capture(self._context, fetched, record.ref, record.origin or "")
        self._context.progress.step(f"{said}: {record.url}", record.url)
        self.report.captures += 1
        return True

    def _import(self, record: Record, _: str) -> bool:
        name = unquote(record.url.removeprefix(_IMPORT))
        try:
            import_file(self._context, name, record.body.decode("utf-8"))
        except BadInput:  # the format was another one then; the text has its row, and can be looked at
            return False
        self.report.imports += 1
        return True

    def _is_late(self, record: Record, visited: str | None) -> bool:
        """Say whether an answer that was left over is older than what its row says of a visit since."""
        return self._live is not None and visited is not None and visited >= to_text(record.fetched_at)

    def _configured(self, record: Record, url: str) -> SourceForPoll | None:
        """Add the sources that nothing names but the program and its configuration, as a poll does."""
        with self._archive.transaction():
            self._archive.add_sources(standing(self._context), record.fetched_at)
        configure(self._context, record.fetched_at)
        return self._archive.source(url)

    # --- what no journey kept

    def _enter_the_rest(self, *, asked: bool) -> None:
        """Write rows of what no visit kept: every answer has one, so that it can be found."""
        rest = [r for r in self._stage.script if r.ref not in self._stage.kept and r.warc_type != _NOTED]
        if not rest:
            return
        with self._archive.transaction():
            for record in rest:
                self._enter(record)
        self.report.unasked += 0 if asked else len(rest)

    def _enter(self, record: Record) -> None:
        purpose = self._purpose(record)
        if purpose == ROBOTS:
            self._context.enter(answer(record), record.ref, purpose)
            self.report.robots += 1
        else:
            self._archive.add_raw(
                record.url, record.fetched_at, record.status, record.ref, record.purpose, record.origin
            )

    def _purpose(self, record: Record) -> str:
        """Say what a record was asked for; version 0.1 did not write it down, but its addresses tell."""
        if record.purpose is not None:
            return record.purpose
        if urlsplit(record.url).path == "/robots.txt":
            return ROBOTS
        post_id = urls.post_id(record.url)
        return f"source:{record.url}" if post_id is None else f"page:{post_id}"
