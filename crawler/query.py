"""The search language: parse user input into a valid FTS5 expression.

```
words           all of these words, in any order; accents and word endings are ignored
"a phrase"      these words in this order
-word           exclude this word      (also -"a phrase", NOT word)
title:word      only in the title      (also lead:, text:)
coop*           words that start with "coop", and other forms of these words
a OR b          either word; `a OR b c` means (a OR b) and c
(a b) OR c      parentheses group; also -(a b), NOT (a b), title:(a b)
section:Sports  since:2024-01-01  until:2024-12-31    (also a month, a year, today, yesterday, 3d)
```
A word or phrase outside quotes also matches its synonyms.

Boundary: strings in, values out. `fold` folds the words, as for the search index; `snippets` finds the words of a text that match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import Enum

from crawler import days, fold
from crawler.errors import BadInput

_COLUMNS = {"title": "title", "titre": "title", "lead": "lead", "chapeau": "lead", "text": "text", "texte": "text"}
_FILTERS = {
    "section": "section", "rubrique": "section", "since": "since", "depuis": "since", "until": "until", "jusque": "until",
}  # fmt: skip
_PIECE = re.compile(
    rf"""(?P<minus>(?<![^\s(])-)?
    (?:(?:(?P<scope>(?i:{"|".join(_COLUMNS | _FILTERS)})):)?(?P<opening>\()|(?P<closing>\))
    |(?:(?P<field>[A-Za-zÀ-ÿ]+):(?=[^\s()]))?
    (?:"(?P<phrase>[^"]*)"?|«\s*(?P<guillemets>[^»]*)»?
    |(?P<word>[^\s"«()]+(?:\([^\s"«()]*\)[^\s"«()]*)*)))  # parentheses within a word belong to it: `ministre(s)`""",
    re.VERBOSE,
)
# True: it is enough that an article matches one of the two sides.
_OPERATORS = {"OR": True, "OU": True, "|": True, "AND": False, "ET": False, "&": False}
_EXCLUDING = frozenset({"NOT", "SAUF"})  # like a minus sign before the next term
_DEPTH = 10  # levels of parentheses; the parser of SQLite fails from about 20 on
_SHOWN = 80  # characters of a query in a message


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query.

    `match` is the FTS5 expression. Snippets mark the words in `hits` (folded) and the words that begin with one of the
    `prefixes`. The other fields are filters; `since` and `until` are ISO dates, both inclusive.
    """

    match: str
    hits: frozenset[str]
    prefixes: tuple[str, ...] = ()
    section: str | None = None
    since: str | None = None
    until: str | None = None


class Synonyms:
    """Groups of words and phrases that are synonyms; they are compared in folded form."""

    def __init__(self, groups: Iterable[Iterable[str]] = ()) -> None:
        self._groups: dict[tuple[str, ...], frozenset[tuple[str, ...]]] = {}
        for group in groups:
            members = frozenset(tuple(fold.words(phrase)) for phrase in group) - {()}
            for member in members:
                self._groups[member] = self._groups.get(member, frozenset()) | members
        self.longest = max(map(len, self._groups), default=0)  # in words

    def of(self, words: tuple[str, ...]) -> list[tuple[str, ...]]:
        """Return the phrase `words`, followed by its synonyms; an empty list if the phrase has no synonyms."""
        return [words, *sorted(self._groups[words] - {words})] if words in self._groups else []


NO_SYNONYMS = Synonyms()


class NoSearchTerm(BadInput):
    """The query has no search term: only exclusions, punctuation or filters."""


class Mistake(Enum):
    """Why a query cannot be read."""

    EXCLUDED_FILTER = "excluded filter"
    FILTER_IN_PARENTHESES = "filter in parentheses"
    FILTER_OF_PARENTHESES = "filter of parentheses"
    TOO_DEEP = "too many levels of parentheses"
    ONLY_EXCLUSIONS = "parentheses with only exclusions"


class Unreadable(BadInput):
    """A filter or parentheses of a query cannot be used. `part` is the filter; empty for parentheses."""

    def __init__(self, mistake: Mistake, message: str, hint: str, part: str = "") -> None:
        super().__init__(f"{message}: {part}" if part else message, hint)
        self.mistake = mistake
        self.part = part


def parse(text: str, synonyms: Synonyms = NO_SYNONYMS, today: date | None = None) -> Query:
    """Parse a query typed by a user. Without the present day `today`, filters must name days by date.

    Raises:
        NoSearchTerm: the query has no search term.
        NotADay: a filter names no day.
        Unreadable: a filter or parentheses cannot be used where they stand.

    """
    parser = _Parser(synonyms, today)
    for piece in _PIECE.finditer(text):
        parser.add(piece)
    query = parser.query()
    if query is None:
        raise NoSearchTerm(
            f"no search term in {text[:_SHOWN]!r}{' …' * (len(text) > _SHOWN)}",
            'give at least one word to search for, as in: vna search "diên biên phu" -tourisme',
        )
    return query


@dataclass(slots=True)
class _Group:
    """The terms between two parentheses, or of the whole query.

    Each item of `wanted` is a list of alternative terms. An article must match at least one term of every item, and none
    in `unwanted`.
    """

    column: str | None = None
    excluded: bool = False
    wanted: list[list[str]] = field(default_factory=list)
    unwanted: list[str] = field(default_factory=list)
    hits: set[str] = field(default_factory=set)
    prefixes: list[str] = field(default_factory=list)
    either: bool = False  # the last operator was OR: the next term is an alternative to the previous one
    excluding: bool = False  # the last operator was NOT
    run: list[tuple[str, ...]] = field(default_factory=list)  # consecutive plain words: a synonym may span several

    def want(self, terms: list[str]) -> None:
        """Add alternative terms; after OR, they are further alternatives of the last item."""
        if self.either and self.wanted:
            self.wanted[-1] += terms
        else:
            self.wanted.append(terms)
        self.either = False

    def exclude(self, term: str) -> None:
        """Add a term that no article may match."""
        self.unwanted.append(term)
        self.either = self.excluding = False

    def excludes(self, piece: re.Match[str]) -> bool:
        """Whether a piece of the group is excluded."""
        return bool(piece["minus"]) or self.excluding

    def match(self) -> str:
        """Return the FTS5 expression of the group."""
        match = " AND ".join(f"({' OR '.join(item)})" for item in self.wanted)
        if self.unwanted:  # one NOT for all: FTS5 limits the depth of an expression, but not the length of a list
            match = f"({match}) NOT ({' OR '.join(self.unwanted)})"
        return match


class _Parser:
    """Collects the terms of a query. The last item of `_open` is the innermost group that is not closed yet."""

    def __init__(self, synonyms: Synonyms, today: date | None) -> None:
        self._today = today
        self._synonyms = synonyms
        self._filters: dict[str, str] = {}
        self._open = [_Group()]

    def add(self, piece: re.Match[str]) -> None:
        """Process the next piece of the query: a word, a phrase, an operator, a filter or a parenthesis."""
        group = self._open[-1]
        word = None if piece["field"] else piece["word"]
        if piece["opening"]:
            self._finish_run()
            self._add_group(piece)
        elif piece["closing"]:
            if len(self._open) > 1:  # otherwise it is punctuation, as in `1) riz`
                self._close()
        elif (piece["field"] or "").lower() in _FILTERS:
            self._add_filter(piece)
        elif word in _OPERATORS and (group.wanted or group.run):
            self._finish_run()
            group.either = _OPERATORS[word]
        elif word in _EXCLUDING and not piece["minus"]:
            self._finish_run()
            group.excluding = True
        elif _is_plain(piece) and not group.excluding:
            group.run.append(tuple(fold.words(piece["word"])))
        else:
            self._finish_run()
            self._add_term(piece)

    def query(self) -> Query | None:
        """Return the parsed query; None if it has no search term. Groups that are still open end here."""
        self._finish_run()
        while len(self._open) > 1:
            self._close()
        (group,) = self._open
        if not group.wanted:
            return None
        return Query(group.match(), frozenset(group.hits), tuple(group.prefixes), **self._filters)

    def _add_filter(self, piece: re.Match[str]) -> None:
        if self._open[-1].excludes(piece):
            hint = f"remove the minus sign or NOT, or exclude the word itself: -{_content(piece)}"
            raise Unreadable(Mistake.EXCLUDED_FILTER, "a filter cannot be excluded", hint, piece[0])
        if len(self._open) > 1:
            hint = "write it outside of the parentheses"
            raise Unreadable(Mistake.FILTER_IN_PARENTHESES, "a filter cannot be in parentheses", hint, piece[0])
        name = _FILTERS[piece["field"].lower()]
        self._filters[name] = _filter(name, _content(piece), self._today)

    def _add_group(self, piece: re.Match[str]) -> None:
        if len(self._open) > _DEPTH:
            hint = "write the query with fewer levels"
            raise Unreadable(Mistake.TOO_DEEP, f"parentheses more than {_DEPTH} levels deep", hint)
        scope = (piece["scope"] or "").lower()
        if scope in _FILTERS:
            hint = f"write it without parentheses: {scope}:…"
            raise Unreadable(Mistake.FILTER_OF_PARENTHESES, "a filter has one value", hint, piece[0])
        self._open.append(_Group(_COLUMNS.get(scope), self._open[-1].excludes(piece)))

    def _close(self) -> None:
        """Close the innermost group, which becomes one term of the group around it."""
        self._finish_run()
        group, outer = self._open.pop(), self._open[-1]
        if not group.wanted and not group.unwanted:
            return  # only punctuation
        if not group.wanted:
            hint = "write the exclusions outside: riz -chine -japon"
            raise Unreadable(Mistake.ONLY_EXCLUSIONS, "parentheses with only excluded words", hint)
        term = f"{group.column} : ({group.match()})" if group.column else f"({group.match()})"
        if group.excluded:
            outer.exclude(term)
        else:
            outer.want([term])
            outer.hits |= group.hits
            outer.prefixes += group.prefixes

    def _finish_run(self) -> None:
        """Split the collected words into terms, left to right: the longest phrase that has synonyms, else one word."""
        group = self._open[-1]
        run, group.run = [words for words in group.run if words], []
        while run:
            length, synonyms = self._longest_synonym(run)
            words = tuple(word for part in run[:length] for word in part)
            group.want([_quoted(member) for member in synonyms or [words]])
            group.hits.update(word for member in synonyms or [words] for word in member)
            del run[:length]

    def _longest_synonym(self, run: list[tuple[str, ...]]) -> tuple[int, list[tuple[str, ...]]]:
        for length in range(min(len(run), self._synonyms.longest), 0, -1):
            if found := self._synonyms.of(tuple(word for part in run[:length] for word in part)):
                return length, found
        return 1, []

    def _add_term(self, piece: re.Match[str]) -> None:
        """Add the term of a piece other than a plain word: phrase, prefix, exclusion or word in one column."""
        words = _words(piece)
        if not words:
            return
        group = self._open[-1]
        in_quotes = piece["word"] is None or _is_prefix(piece)
        phrases = (self._synonyms.of(words) if not in_quotes else []) or [words]
        term = _term(piece, phrases)
        if group.excludes(piece):
            group.exclude(term)
            return
        group.want([term])
        group.hits.update(word for phrase in phrases for word in phrase)
        if _is_prefix(piece):
            group.prefixes.append(words[-1])
            group.hits.discard(words[-1])
            group.hits.update(fold.short_stems(words[-1]))


def _content(piece: re.Match[str]) -> str:
    return next(value for name in ("phrase", "guillemets", "word") if (value := piece[name]) is not None)


def _filter(name: str, value: str, today: date | None) -> str:
    if name == "section":
        return value
    found = days.period(value, today, f"{name}:")
    return (found.first if name == "since" else found.last).isoformat()


def _words(piece: re.Match[str]) -> tuple[str, ...]:
    # `vietnam:chine` is two words, not an unknown column
    text = f"{piece['field']} {_content(piece)}" if piece["field"] and not _column(piece) else _content(piece)
    if _is_prefix(piece):
        *before, start = fold.WORD.findall(fold.plain(text)) or [""]
        return (*map(fold.stem, before), start) if start else ()
    return tuple(fold.words(text))


def _term(piece: re.Match[str], group: list[tuple[str, ...]]) -> str:
    """Return one search term in FTS5 syntax, in double quotes, so that FTS5 treats no word in it as an operator."""
    column = _column(piece)
    terms = [_quoted(member) for member in group]
    if _is_prefix(piece):
        *before, start = group[0]
        terms = [f"{terms[0]} *", *(_quoted((*before, stem)) for stem in fold.short_stems(start))]
    term = " OR ".join(terms)
    if len(terms) > 1:
        term = f"({term})"
    return f"{column} : {term}" if column else term


def _column(piece: re.Match[str]) -> str | None:
    return _COLUMNS.get((piece["field"] or "").lower())


def _quoted(words: Iterable[str]) -> str:
    return f'"{" ".join(words)}"'


def _is_plain(piece: re.Match[str]) -> bool:
    return piece["word"] is not None and not (piece["field"] or piece["minus"] or _is_prefix(piece))


def _is_prefix(piece: re.Match[str]) -> bool:
    return bool(piece["word"]) and piece["word"].endswith("*")
