"""Searches for the pages of `vna browse`: hits by key, facets, and the number of hits by month.

A search is bounded: facets are counted over at most `MOST_COUNTED` hits, the newest ones.

Boundary: only reads rows; `query` parses what the user typed.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlite_utils import Database

_FEW_DAYS = 31
MOST_COUNTED = 2000  # hits over which facets are counted
_RANK = "bm25(articles_fts, 10.0, 5.0, 1.0)"  # as `vna search --rank`
_IN_SECTION = (
    "EXISTS (SELECT 1 FROM sections s WHERE s.article = a.id AND s.section IN (SELECT value FROM json_each(:sections)))"
)
_COLUMNS = "id, url, section, kind, title, lead, clean, dateline_place, published_at, published_on, state, revision, first_seen_at"


class Sort(StrEnum):
    """The order of hits: by the site's own number (its order of publication) or by relevance."""

    NEWEST = "newest"
    OLDEST = "oldest"
    RELEVANCE = "relevance"


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions in addition to the words of a search; None means no condition. Both days (in Hanoi) are included."""

    section: str | None = None
    kind: str | None = None
    place: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Hits:
    """One page of hits, and the key with which the next page starts; None if this is the last page."""

    rows: Sequence[Mapping[str, Any]]
    next_key: str | None


@dataclass(frozen=True, slots=True)
class Facets:
    """The number of hits by section, year, kind and place, each with the largest numbers first.

    If `complete` is False, there are more than `counted` hits, and only the newest were counted.
    """

    counted: int
    complete: bool
    sections: Sequence[tuple[str, int]]
    years: Sequence[tuple[str, int]]
    kinds: Sequence[tuple[str, int]]
    places: Sequence[tuple[str, int]]


class Find:
    """Queries over the search index and the filters."""

    db: Database

    @abstractmethod
    def equal_section_names(self, section: str | None) -> str | None:
        """Return a JSON list of the section names that equal `section` if case and accents are ignored."""

    def find(self, match: str | None, filters: Filters, *, sort: Sort, key: str | None, limit: int) -> Hits:
        """Return at most `limit` articles that match an FTS5 expression (None: all articles) and the filters.

        `key` is the `next_key` of the page before; None for the first page.
        """
        sort = Sort.NEWEST if match is None and sort is Sort.RELEVANCE else sort
        tables, conditions, values = self._sources(match, filters)
        number = _number(tables)
        place, orders = (_RANK, f"place, {number} DESC") if sort is Sort.RELEVANCE else ("0", f"{number} DESC")
        if sort is Sort.OLDEST:
            orders = number
        if key is not None:
            conditions, values = _after(key, sort, number, conditions, values)
        sql = f"SELECT {number} AS id, {place} AS place FROM {tables} WHERE {' AND '.join(conditions)} ORDER BY {orders} LIMIT :limit"  # noqa: S608 - constants only
        found = list(self.db.execute(sql, values | {"limit": limit + 1}))
        rows = self._articles([row[0] for row in found[:limit]])
        is_last = len(found) <= limit
        return Hits(rows, None if is_last else _key(sort, *found[limit - 1]))

    def facets(self, match: str | None, filters: Filters) -> Facets:
        """Return the facets of a search, over at most `MOST_COUNTED` hits."""
        tables, conditions, values = self._sources(match, filters)
        number = _number(tables)
        if "articles a" not in tables:
            tables += f" CROSS JOIN articles a INDEXED BY articles_facets ON a.id = {number}"
        rows = list(
            self.db.execute(
                f"""SELECT substr(a.published_on, 1, 4), a.kind, a.dateline_place,
                      (SELECT json_group_array(s.section) FROM sections s WHERE s.article = a.id)
                    FROM {tables} WHERE {" AND ".join(conditions)} ORDER BY {number} DESC LIMIT :limit""",  # noqa: S608 - constants only
                values | {"limit": MOST_COUNTED + 1},
            )
        )
        counted = rows[:MOST_COUNTED]
        sections: Counter[str] = Counter()
        for group, count in Counter(row[3] for row in counted).items():
            sections.update(dict.fromkeys(_names(group), count))
        years, kinds, places = (Counter(row[n] for row in counted if row[n]) for n in range(3))
        return Facets(
            len(counted),
            len(rows) <= MOST_COUNTED,
            sections.most_common(),
            sorted(years.items(), reverse=True),
            kinds.most_common(),
            places.most_common(12),
        )

    def hits_per_period(self, match: str, filters: Filters, *, by_day: bool = False) -> dict[str, int]:
        """Return the number of hits of each month (such as `2024-01`) or day, without those that have none."""
        tables, conditions, values = self._sources(match, filters, always_join=True)
        rows = self.db.execute(
            f"SELECT substr(a.published_on, 1, {10 if by_day else 7}), count(*) FROM {tables} WHERE {' AND '.join(conditions)}"  # noqa: S608 - constants only
            " AND a.published_on IS NOT NULL GROUP BY 1 ORDER BY 1",
            values,
        )
        return {row[0]: row[1] for row in rows}

    def _articles(self, ids: Sequence[int]) -> list[dict[str, Any]]:
        marks = ", ".join("?" * len(ids))
        rows = {row["id"]: row for row in self.db.query(f"SELECT {_COLUMNS} FROM articles WHERE id IN ({marks})", ids)}  # noqa: S608 - constants only
        return [rows[number] for number in ids]

    def _sources(
        self, match: str | None, filters: Filters, *, always_join: bool = False
    ) -> tuple[str, list[str], dict[str, Any]]:
        """Return the tables, the conditions and their values; `articles` is only joined if a condition needs it."""
        conditions, values = ["TRUE"], {}
        tests = {
            "kind": (filters.kind, "a.kind = :kind"),
            "place": (filters.place, "a.dateline_place = :place"),
            "since": (filters.since, "a.published_on >= :since"),
            "until": (filters.until, "a.published_on <= :until"),
            "sections": (
                self.equal_section_names(filters.section),
                _IN_SECTION,
            ),
        }
        for name, (value, test) in tests.items():
            if value is not None:
                conditions.append(test)
                values[name] = value
        names = json.loads(values.get("sections", "null"))
        if names == []:
            conditions[0] = "FALSE"  # so that SQLite does not look for the section in each article
        if match is None and names is not None and len(names) == 1 and not _is_short(filters):
            # Otherwise, a section with few articles would take as long as reading all articles.
            conditions[conditions.index(_IN_SECTION)], values["section"] = "n.section = :section", names[0]
            tables = "sections n INDEXED BY sections_section CROSS JOIN articles a INDEXED BY articles_facets ON a.id = n.article"
            return tables, conditions, values
        if match is None:
            index = "articles_published_on" if _is_short(filters) else "articles_facets"
            return f"articles a INDEXED BY {index}", conditions, values
        values["match"] = match
        tables = "articles_fts"
        if len(conditions) > 1 or always_join:
            tables += " CROSS JOIN articles a INDEXED BY articles_facets ON a.id = articles_fts.rowid"
        return tables, [*conditions, "articles_fts MATCH :match"], values


def row_id(text: str) -> int:
    """Return the number of a row.

    Raises:
        ValueError: the text is not an integer of at most 64 bits, which is all that SQLite can compare.

    """
    number = int(text)
    if number.bit_length() > 63:
        raise ValueError("not a number of 64 bits")
    return number


def _is_short(filters: Filters) -> bool:
    """Whether the filters select a period of a few days, whose articles are found faster by day than by id."""
    if filters.since is None or filters.until is None:
        return False
    return (date.fromisoformat(filters.until) - date.fromisoformat(filters.since)).days < _FEW_DAYS


def _names(group: str) -> list[str]:
    return list(dict.fromkeys(json.loads(group)))


def _number(tables: str) -> str:
    """Return the column with the id of an article by which the first of these tables is ordered."""
    columns = {"articles_fts": "articles_fts.rowid", "sections": "n.article"}
    return columns.get(tables.partition(" ")[0], "a.id")


def _key(sort: Sort, number: int, place: float) -> str:
    return f"{place!r}_{number}" if sort is Sort.RELEVANCE else str(number)


def _after(
    key: str, sort: Sort, number: str, conditions: list[str], values: dict[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions and one that excludes the hits up to `key`.

    Raises:
        ValueError: the key is not one that `_key` returned.

    """
    if sort is Sort.RELEVANCE:
        place, _, last = key.rpartition("_")
        test = f"({_RANK} > :place OR ({_RANK} = :place AND {number} < :last))"
        return [*conditions, test], values | {"place": float(place), "last": row_id(last)}
    return [*conditions, f"{number} {'>' if sort is Sort.OLDEST else '<'} :last"], values | {"last": row_id(key)}
