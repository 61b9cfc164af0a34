"""Compare the rows of a database with the rows that a replay of the WARC files gives.

The WARC files are replayed into a temporary database, as for a rebuild. The comparison reads the database in one
transaction, and replays only the records that were processed when this transaction began. So other processes may work
meanwhile.

Boundary: reads the archive and writes only the temporary database. `verify` collects the faults.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from crawler import fold
from crawler.article_values import article_values
from crawler.clock import from_text, to_text
from crawler.discover.stories import RELATED
from crawler.identity import Decision
from crawler.parse.page import PARSER_VERSION
from crawler.pipeline import Run
from crawler.pipeline.articles import intent_of
from crawler.pipeline.stored_pages import Repairer
from crawler.purpose import Purpose, PurposeKind
from crawler.repair import flags
from crawler.repair.edits import apply
from crawler.replay.rebuild import NEVER_LOST, replay_files
from crawler.replay.record_stream import file_streams
from crawler.replay.verify_report import VerifyFault
from crawler.storage import Archive
from crawler.storage.diff_db import Comparison, RowDifference, attached
from crawler.types import Reading
from crawler.warc import Damage, Member, Record

_MOST_ROWS = 20  # rows that are reported for each table and kind of difference; the others are counted
_PAGES = (PurposeKind.PAGE, PurposeKind.ID, PurposeKind.PROBED_PAGE)
#: Columns and tables that depend on the lexicon.
_REPAIRED: Mapping[str, frozenset[str]] = {
    "articles": frozenset({"clean", "word_count", "problems"}),
    "articles_folded": frozenset({"text"}),
    "repairs": frozenset({"rule", "offset", "before", "after"}),
}
_LEXICAL = _REPAIRED["articles"] | {"repairs"}
_SCHEDULE = frozenset({"next_due_at", "interval"})
#: Tables whose rows belong to articles, and the columns with their ids.
_OF_ARTICLES = {
    "articles": ("id",), "articles_folded": ("id",), "images": ("article",), "related": ("article",),
    "tags": ("article",), "sections": ("article",), "revisions": ("article",), "repairs": ("article",),
    "duplicates": ("article", "other"), "passage_hashes": ("article",), "similar": ("article", "other"),
}  # fmt: skip

_RESTORE_FIRST = "restore the damaged or missing WARC files from a backup, then run `vna verify` again"
_REPLACE = "run `vna rebuild --replace`: it recreates the rows from the WARC files"
_REPARSE = "run `vna reparse`"
_UNPROVEN = (
    "the WARC files do not prove this row: if a WARC file was changed or lost, restore it from a backup; "
    "if the row is wrong, run `vna rebuild --replace --accept-loss`"
)
_DUE = (
    "only the time of the next visit differs, and no content: this is expected after an update of the program, and after a change "
    "of `[poll]` in the configuration or of the clock; every check reports it until `vna rebuild --replace` has computed these "
    "times again"
)
_READ_OTHERWISE = (
    "a story is seen in the related stories of an article, so these rows depend on how its page was read: differences are expected "
    "after an update of the program that reads related stories or sections otherwise; `vna rebuild --replace` computes the rows "
    "again, with `--accept-loss` if some are no longer found"
)
_ONE_CAUSE = (_RESTORE_FIRST, _REPARSE, _DUE, _READ_OTHERWISE)  # all rows with this advice are one fault


@dataclass(frozen=True, slots=True)
class Recomputation:
    """The run that replays the WARC files, and how texts are repaired.

    `run` has an empty temporary database and the WARC files of the archive. `has_lexicon`: whether it repairs texts
    with a lexicon. `plain` repairs texts without one.
    """

    run: Run
    plain: Repairer
    has_lexicon: bool


@dataclass
class RowCheck:
    """The result of the comparison.

    `unrepaired` is the number of articles whose text was repaired without a lexicon. `unaided` is the number of
    articles whose repairs could not be checked because no lexicon is installed here. `unasked` is the number of
    captures that this version and configuration would not have requested, and `bugs` the number of visits that crash
    this version.
    """

    faults: list[VerifyFault] = field(default_factory=list)
    unrepaired: int = 0
    unaided: int = 0
    unasked: int = 0
    bugs: int = 0


def check_rows(archive: Archive, recomputation: Recomputation, *, damaged: bool) -> RowCheck:
    """Replay the WARC files into a temporary database, and compare the rows of `archive` with it.

    `damaged`: whether records are damaged or missing, so that the rows that follow from them cannot be checked.

    Raises:
        Interrupted: a stop was requested.

    """
    run = recomputation.run
    if identity := archive.known_identity():
        run.archive.set_identity(identity)
    check = RowCheck()
    with attached(archive.db, run.archive.file, "replayed"), archive.snapshot():
        archive.known_identity()  # the first query starts the snapshot; files that are begun later have no rows in it
        names = run.warc.names()
        sizes = {name: run.warc.size(name) for name in names}
        ends = {name: archive.known_end(name) for name in names}

        def known_part(name: str) -> Iterator[Member | Damage]:
            return _known_part(archive, run.warc.scan(name), ends[name], max(ends[name], sizes[name]))

        report, _ = replay_files(run, file_streams(run.warc, names, known_part), sum(sizes.values()))
        check.unasked, check.bugs = report.unasked, report.bugs
        rows = Comparison(archive.db, "main", "replayed").rows()
        repairs = _RepairCheck(archive, recomputation)
        sorter = _Sorter(archive, damaged=damaged)
        for table, row in rows:
            if not repairs.explains(table, row):
                sorter.add(table, row)
        check.faults = sorter.faults()
        check.unrepaired, check.unaided = len(repairs.plain_ids), len(repairs.unaided_ids)
    return check


def _known_part(
    archive: Archive, items: Iterator[Member | Damage], known_end: int, end: int
) -> Iterator[Member | Damage]:
    """Yield the items of a file that were processed when the snapshot of the database began.

    These are the items up to the end of the last record with a row and, up to `end`, the notes on failed requests that
    have no rows, but a later visit time in the row of their page or source.
    """
    for item in items:
        if item.offset >= end:
            return
        if item.offset < known_end or (
            isinstance(item, Member) and item.record and _is_processed(archive, item.record)
        ):
            yield item


def _is_processed(archive: Archive, record: Record) -> bool:
    if record.purpose is None:
        return True
    purpose = Purpose.parse(record.purpose)
    if record.warc_type != "metadata" or purpose is None:
        return False
    if purpose.kind in _PAGES and purpose.post_id is not None:
        visited = archive.page_visited_at(purpose.post_id)
    else:
        visited = archive.source_checked_at(purpose.subject)
    return visited is not None and visited >= to_text(record.fetched_at)


class _RepairCheck:
    """Recognises differences of repaired texts that come from another lexicon and not from a changed row."""

    def __init__(self, live: Archive, recomputation: Recomputation) -> None:
        self._live = live
        self._replayed = recomputation.run.archive
        self._plain = recomputation.plain
        self._has_lexicon = recomputation.has_lexicon
        self._known: dict[int, bool] = {}
        self.plain_ids: set[int] = set()
        self.unaided_ids: set[int] = set()

    def explains(self, table: str, row: RowDifference) -> bool:
        """Whether the text of an article was repaired without a lexicon, or with one that is not installed here."""
        if table not in _REPAIRED or not set(row.columns) <= _REPAIRED[table]:
            return False
        if table != "repairs" and not row.columns:
            return False
        key = int(str(row.key[_OF_ARTICLES[table][0]]))
        if key not in self._known:
            self._known[key] = self._is_explained(key)
        return self._known[key]

    def _is_explained(self, key: int) -> bool:
        replayed, reading = self._replayed.article(key), self._live.stored_reading(key)
        if replayed is None or reading is None:
            return False
        if self._has_lexicon:
            reading, ids = self._plain(replayed.article), self.plain_ids
        elif _is_consistent(replayed.article.text, reading):
            ids = self.unaided_ids
        else:
            return False
        decision = Decision("unchanged", replayed.revision)
        of_page = [problem for problem in replayed.article.problems if problem not in flags(replayed.reading)]
        article = replace(replayed.article, problems=tuple(of_page))
        intent = intent_of(
            article, article_values(article, reading), decision, from_text(replayed.checked_at), key, None
        )
        if _LEXICAL & self._live.differing_columns(intent) or self._live.folded_text(key) != fold.fold(reading.clean):
            return False
        ids.add(key)
        return True


def _is_consistent(text: str, reading: Reading) -> bool:
    try:
        return apply(text, reading.repairs) == reading.clean
    except ValueError:
        return False


class _Sorter:
    """Sorts differing rows into faults: one for each of the first rows of a kind, one for the rest."""

    def __init__(self, archive: Archive, *, damaged: bool) -> None:
        self._archive = archive
        self._damaged = damaged
        self._outdated = archive.to_reparse(PARSER_VERSION)
        self._named: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
        self._counts: dict[tuple[str, str, str], int] = {}

    def add(self, table: str, row: RowDifference) -> None:
        """Count a differing row."""
        what, advice = self._kind(table, row)
        kind = (what, table, advice)
        self._counts[kind] = self._counts.get(kind, 0) + 1
        named = self._named.setdefault(kind, [])
        if len(named) < _MOST_ROWS:
            columns = f" ({', '.join(row.columns)})" if advice == _DUE else ""
            named.append((f"{_place(table, row)}{columns}", _detail(row)))

    def faults(self) -> list[VerifyFault]:
        """Return the faults."""
        found: list[VerifyFault] = []
        for (what, table, advice), named in self._named.items():
            rest = self._counts[what, table, advice] - len(named)
            if advice in _ONE_CAUSE:
                places = "; ".join(place for place, _ in named)
                detail = f"{len(named) + rest} rows: {places}{' ...' * bool(rest)}"
                found.append(VerifyFault(what, table, detail, advice, table))
                continue
            found += [VerifyFault(what, f"{table}: {place}", detail, advice, table) for place, detail in named]
            if rest:
                found.append(VerifyFault(what, table, f"{rest} more rows", advice, table))
        return found

    def _kind(self, table: str, row: RowDifference) -> tuple[str, str]:
        """Return what is wrong with a row, and what to do about it."""
        if self._damaged:
            return "rows that depend on damaged evidence", _RESTORE_FIRST
        if any(row.key[name] in self._outdated for name in _OF_ARTICLES.get(table, ())):
            return "rows written by another version of the parser", _REPARSE
        if table == "sightings" and str(row.key["source"]).startswith(RELATED):
            return "different sightings in related stories", _READ_OTHERWISE
        if row.only_old or row.only_new:
            unproven = _UNPROVEN if table in NEVER_LOST else _REPLACE
            return ("row without evidence", unproven) if row.only_old else ("missing row", _REPLACE)
        if set(row.columns) <= _SCHEDULE:
            return "different schedule", _DUE
        return "changed row", _UNPROVEN if table == "raw" else _REPLACE


def _place(table: str, row: RowDifference) -> str:
    if table == "raw":
        return f"{row.key['file']} at byte {row.key['offset']}"
    return ", ".join(f"{name} {value}" for name, value in row.key.items())


def _detail(row: RowDifference) -> str:
    if row.only_old:
        return "the WARC files give no such row"
    if row.only_new:
        return "the WARC files give this row, but the database lacks it"
    return f"{', '.join(row.columns)}: the WARC files give another value"
