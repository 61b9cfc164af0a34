"""Which articles a command or a program asks for: the conditions of `vna export` and of the Python interface.

Boundary: pure; `storage` reads the articles.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

from crawler import days, fold
from crawler.errors import UnknownName
from crawler.query import Query
from crawler.types import ArticleKind

KINDS: tuple[str, ...] = get_args(ArticleKind)
STATES = ("live", "suspect", "gone")
_SHOWN = 60  # characters of a wrong name in a message
_NEAREST = 3
_ALL_SHOWN = 12  # names; a longer list is cut


@dataclass(frozen=True, slots=True)
class Selection:
    """Conditions on articles; an empty value means no condition.

    `match` is an FTS5 expression. `since` and `until` are days of publication in Hanoi (ISO 8601), both included; an
    article without a date has none. `sections`, `kinds` and `states` list the values that are accepted. With `as_of` or
    `known_at` (UTC, ISO 8601), the articles are as they were then: see `storage.as_of`. With `revisions`, all revisions of
    each article are wanted.
    """

    match: str | None = None
    since: str | None = None
    until: str | None = None
    sections: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    as_of: str | None = None
    known_at: str | None = None
    revisions: bool = False

    @property
    def is_of_an_instant(self) -> bool:
        """Whether the articles are wanted as they were at a time."""
        return self.as_of is not None or self.known_at is not None


EVERYTHING = Selection()


def select(
    words: Query | None,
    section_names: Callable[[], Sequence[str]],
    *,
    since: str | None = None,
    until: str | None = None,
    sections: Iterable[str] = (),
    kinds: Iterable[str] = (),
    states: Iterable[str] = (),
    as_of: str | None = None,
    known_at: str | None = None,
    revisions: bool = False,
) -> Selection:
    """Return the selection that a parsed query and other conditions describe; these replace the filters of the query.

    `section_names` returns the names of all sections; it is called only if a section is named.

    Raises:
        BadInput: the first day is after the last one.
        UnknownName: there is no such section, kind or state.

    """
    if words is not None:
        since, until = since or words.since, until or words.until
        sections = tuple(sections) or ((words.section,) if words.section else ())
    days.check_order(since, until)
    named = tuple(sections)
    return Selection(
        match=words.match if words is not None else None,
        since=since,
        until=until,
        sections=known("section", named, section_names()) if named else (),
        kinds=known("kind", kinds, KINDS),
        states=known("state", states, STATES),
        as_of=as_of,
        known_at=known_at,
        revisions=revisions,
    )


def known(what: str, wanted: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    """Return the members of `names` that equal one of the names in `wanted` if case and accents are ignored.

    `what` is the noun for such a name, such as `section`.

    Raises:
        UnknownName: no member equals one of them; the hint has the nearest members.

    """
    found: dict[str, None] = {}
    for name in wanted:
        equal = [one for one in names if fold.letters(one) == fold.letters(name)]
        if not equal:
            raise UnknownName(f"there is no {what} {name[:_SHOWN]!r}", nearest(name, names))
        found |= dict.fromkeys(equal)
    return tuple(found)


def nearest(name: str, names: Sequence[str]) -> str:
    """Return a hint with the names most similar to `name`; if none is similar, with all of them."""
    folded = {fold.letters(one): one for one in names}
    similar = difflib.get_close_matches(fold.letters(name[:_SHOWN]), folded, _NEAREST)
    if similar:
        return f"did you mean {' or '.join(folded[one] for one in similar)}?"
    if not names:
        return "the archive has none yet"
    return f"choose from {', '.join(names[:_ALL_SHOWN])}{', …' * (len(names) > _ALL_SHOWN)}"
