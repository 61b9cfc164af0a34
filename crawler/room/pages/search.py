"""The search page, the export of its hits, and the timeline of terms.

Boundary: reads rows and arranges them; `query` parses what the reader typed.
"""

from __future__ import annotations

import io
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from crawler import days, export, marks, query, selection, snippets, visible
from crawler.errors import UnknownName
from crawler.room import charts, rendering
from crawler.room.language import _
from crawler.room.requests import LONGEST, WRITTEN_DAY, Ask, BadRequest, Page, RoomResponse
from crawler.room.room import Desk
from crawler.storage.readers import Filters, Sort
from crawler.types import StoredArticle

_LIMIT = 20
_EXPORTED = 1000
MOST_TERMS = 4
_MOST_DAYS = 93  # a timeline of a shorter period has a point for each day
_MOST_MONTHS = 600
_MARKS = ("\ue000", "\ue001")  # `visible` replaces these characters in texts, so that only ours remain
_FILTERS = ("section", "kind", "place", "year", "month", "since", "until")
_MISTAKES = {
    query.Mistake.EXCLUDED_FILTER: _("A filter cannot be excluded: remove the minus sign or NOT before it."),
    query.Mistake.FILTER_IN_PARENTHESES: _("A filter cannot be in parentheses: write it outside of them."),
    query.Mistake.FILTER_OF_PARENTHESES: _("A filter has one value: write it without parentheses."),
    query.Mistake.TOO_DEEP: _("This search has too many levels of parentheses: write it with fewer."),
    query.Mistake.ONLY_EXCLUSIONS: _(
        "Parentheses cannot have only excluded words: write the exclusions outside of them."
    ),
}
#: The parameters that select articles, besides their kind.
PARAMETERS = ("q", *(name for name in _FILTERS if name != "kind"))


@dataclass(frozen=True)
class Search:
    """A search, as given in the address of a page. `wanted` is None if it has no words."""

    text: str
    wanted: query.Query | None
    filters: Filters

    @property
    def parameters(self) -> dict[str, str | None]:
        """The parameters of an address with the same search, such as that of its feed."""
        return {"q": self.text, **asdict(self.filters)}

    @property
    def match(self) -> str | None:
        """The FTS5 expression; None if the search has no words."""
        return self.wanted.match if self.wanted else None


def asked(desk: Desk, ask: Ask, text: str | None = None) -> Search:
    """Return the search of a request; `text` replaces its words.

    Raises:
        BadRequest: the words or a filter cannot be read.

    """
    text = (ask.get("q") or "") if text is None else text
    wanted = parsed(text, desk.synonyms, ask.today)
    since, until = _period(ask)
    filters = Filters(
        _section(desk, ask.get("section") or (wanted.section if wanted else None)),
        _kind(ask),
        ask.get("place"),
        ask.day("since") or since or (wanted.since if wanted else None),
        ask.last_day("until") or until or (wanted.until if wanted else None),
    )
    _check_order(filters.since, filters.until)
    return Search(text, wanted, filters)


def _section(desk: Desk, name: str | None) -> str | None:
    """Return the name of a section as the archive or the site spells it; case and accents are ignored."""
    if name is None:
        return None
    names = desk.archive.known_section_names()
    try:
        return selection.known("section", [name], names)[0]
    except UnknownName as error:
        raise BadRequest(_("There is no such section. The sections are:"), ", ".join(names)) from error


def _kind(ask: Ask) -> str | None:
    kind = ask.get("kind")
    if kind is not None and kind not in selection.KINDS:
        raise BadRequest(_("There is no such kind. The kinds are:"), ", ".join(selection.KINDS))
    return kind


def _check_order(since: str | None, until: str | None) -> None:
    if since is not None and until is not None and since > until:
        raise BadRequest(_("The period ends before it begins."), f"{since} – {until}")


def parsed(text: str, synonyms: query.Synonyms, today: str) -> query.Query | None:
    """Return what a reader typed as a query; None if it is empty. `today` is the present day in Hanoi.

    Raises:
        BadRequest: it cannot be read.

    """
    if not text:
        return None
    try:
        return query.parse(text, synonyms, date.fromisoformat(today))
    except query.NoSearchTerm as error:
        raise BadRequest(_("A search needs at least one word to look for."), text) from error
    except days.NotADay as error:
        raise BadRequest(WRITTEN_DAY, text) from error
    except query.Unreadable as error:
        raise BadRequest(_MISTAKES[error.mistake], error.part) from error


def _period(ask: Ask) -> tuple[str | None, str | None]:
    """Return the first and the last day of the year or month in the address."""
    month, year = ask.month("month"), ask.get("year")
    if month is not None:
        last = monthrange(int(month[:4]), int(month[5:]))[1]
        return f"{month}-01", f"{month}-{last:02}"
    if year is None:
        return None, None
    try:
        first = date(int(year), 1, 1)
    except (ValueError, OverflowError) as error:
        raise BadRequest(_("A month is written as 2024-01, a year as 2024."), year) from error
    return first.isoformat(), first.replace(month=12, day=31).isoformat()


def find(desk: Desk, ask: Ask) -> Page:
    """Return one page of hits with their facets."""
    search = asked(desk, ask)
    sort = _sort(ask)
    try:
        hits = desk.archive.find(search.match, search.filters, sort=sort, key=ask.get("key"), limit=_LIMIT)
    except ValueError as error:
        raise BadRequest(_("This page of the list does not exist."), ask.get("key") or "") from error
    return Page(
        "find.html",
        {
            "search": search,
            "sort": sort.value,
            "hits": [_hit(dict(row), search.wanted) for row in hits.rows],
            "next_key": hits.next_key,
            "is_first": ask.get("key") is None,
            "facets": desk.archive.facets(search.match, search.filters),
            "used": {name: value for name in _FILTERS if (value := ask.get(name))} | _named_days(ask),
            "sections": desk.archive.section_names(),
            "exported": _EXPORTED,
        },
    )


def _named_days(ask: Ask) -> dict[str, str]:
    """Return the days that the filters of a request name, such as today as a date."""
    named = {"since": ask.day("since"), "until": ask.last_day("until")}
    return {name: day for name, day in named.items() if day}


def _sort(ask: Ask) -> Sort:
    try:
        return Sort(ask.get("sort") or Sort.NEWEST)
    except ValueError as error:
        raise BadRequest(_("The order is newest, oldest or relevance."), ask.get("sort") or "") from error


def _hit(row: dict[str, Any], wanted: query.Query | None) -> dict[str, Any]:
    """Return a hit with marked title and extract, both in the published spelling except for repairs."""
    title = rendering.one_line(row["title"])
    row["marked_title"] = marks.hits(title[:300] + "…" * (len(title) > 300), wanted)
    texts = [visible.block(text) for text in (row["lead"] or "", row["clean"])]
    if wanted is None:
        row["extract"] = (marks.MarkedText(texts[0][:300] or texts[1][:300]),)
    else:
        row["extract"] = tuple(_pieces(snippets.snippet(texts, wanted, _MARKS)))
    return row


def _pieces(text: str) -> Iterator[marks.MarkedText]:
    for number, part in enumerate(text.replace(_MARKS[1], _MARKS[0]).split(_MARKS[0])):
        if part:
            yield marks.MarkedText(part, is_hit=bool(number % 2))


def export_hits(desk: Desk, ask: Ask) -> RoomResponse:
    """Return the first 1,000 hits as a CSV or JSON Lines file, with the columns of `vna export`."""
    search, form = asked(desk, ask), ask.variables["format"]
    hits = desk.archive.find(search.match, search.filters, sort=_sort(ask), key=None, limit=_EXPORTED)
    found = [stored for row in hits.rows if (stored := desk.archive.article(row["id"])) is not None]
    out = io.StringIO()
    _WRITERS[form](iter(found), out)
    return RoomResponse(
        200,
        "text/csv; charset=utf-8" if form == "csv" else "application/jsonl; charset=utf-8",
        out.getvalue().encode("utf-8"),
        {"Content-Disposition": f'attachment; filename="articles.{form}"'},
    )


_WRITERS = {"csv": export.excel_table, "jsonl": export.jsonl}


def timeline(desk: Desk, ask: Ask) -> Page:
    """Return the hits of up to four terms by month, beside the number of all articles."""
    texts = ask.all("q")
    if len(texts) > MOST_TERMS:
        raise BadRequest(_("A timeline compares at most four searches."), " · ".join(texts)[:LONGEST])
    per_month = desk.archive.per_month()
    first, last = _ends(ask, per_month)
    by_day = (date.fromisoformat(last) - date.fromisoformat(first)).days < _MOST_DAYS
    periods = charts.days_between(first, last) if by_day else charts.months_between(first[:7], last[:7])[-_MOST_MONTHS:]
    totals = desk.archive.per_day(first, last) if by_day else per_month
    terms = []
    for text in texts:
        search = asked(desk, ask, text)
        if search.match is not None:
            terms.append((text, desk.archive.hits_per_period(search.match, search.filters, by_day=by_day)))
    return Page(
        "timeline.html",
        {
            "texts": texts,
            "terms": terms,
            "periods": periods,
            "by_day": by_day,
            "totals": totals,
            "sums": [sum(hits.get(period, 0) for period in periods) for _text, hits in terms],
            "chart": charts.lines(periods, terms, totals, ask.language) if terms else None,
            "most_terms": MOST_TERMS,
            "dashes": charts.DASHES,
        },
    )


def _ends(ask: Ask, per_month: Iterable[str]) -> tuple[str, str]:
    """Return the first and the last day of a timeline."""
    oldest = ask.oldest_month(min(per_month, default=ask.today[:7]))
    since, until = ask.day("since"), ask.last_day("until")
    _check_order(since, until)
    newest = days.period(max(per_month, default=ask.today[:7]), None).last.isoformat()
    first = since or f"{oldest}-01"
    last = min(until or ask.today, max(ask.today, newest))  # later months are empty, and push out those before
    return (first, last) if first <= last else (last, first)


def newest(desk: Desk, search: Search, limit: int) -> list[tuple[StoredArticle, str]]:
    """Return the newest hits of a search, each with the time when its current content was first seen."""
    hits = desk.archive.find(search.match, search.filters, sort=Sort.NEWEST, key=None, limit=limit)
    return desk.archive.with_seen_at([row["id"] for row in hits.rows])
