"""The search language: parse user input into a valid FTS5 expression, and extract snippets.

```
words           all of these words, in any order; accents and word endings are ignored
"a phrase"      these words in this order
-word           exclude this word      (also -"a phrase", NOT word)
title:word      only in the title      (also lead:, text:)
coop*           words that start with "coop", and other forms of these words
a OR b          either word
section:Sports  since:2024-01-01  until:2024-12-31    (also a month, a year, today, yesterday, 3d)
```
A word or phrase outside quotes also matches its synonyms.

Boundary: strings in, values out. `fold` folds the words, as for the search index.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from crawler import days, fold
from crawler.errors import BadInput

_PIECE = re.compile(
    r"""(?P<minus>(?<!\S)-)?
    (?:(?P<field>[A-Za-zÀ-ÿ]+):(?=\S))?
    (?:"(?P<phrase>[^"]*)"?|«\s*(?P<guillemets>[^»]*)»?|(?P<word>[^\s"«]+))""",
    re.VERBOSE,
)
_COLUMNS = {"title": "title", "titre": "title", "lead": "lead", "chapeau": "lead", "text": "text", "texte": "text"}
_FILTERS = {
    "section": "section", "rubrique": "section",
    "since": "since", "depuis": "since",
    "until": "until", "jusque": "until",
}  # fmt: skip
# True: it is enough that an article matches one of the two sides.
_OPERATORS = {"OR": True, "OU": True, "|": True, "AND": False, "ET": False, "&": False}
_EXCLUDING = frozenset({"NOT", "SAUF"})  # like a minus sign before the next term
_WORD = re.compile(r"[^\W_]+")
SPACES = re.compile(r"[^\S\u00a0\u202f]+")  # all but the no-break spaces of French typography
_SHOWN = 80  # characters of a query in a message
_CONTEXT_WORDS = 12  # on each side of the first hit in a snippet
_CONTEXT_LENGTH = 200  # characters that are searched for these words first
_AHEAD = re.compile(rf"[^\W_]+(?:[\W_]+[^\W_]+){{0,{_CONTEXT_WORDS}}}")
#: In a reversed text. Possessive, because a word could be divided among the repetitions in many ways.
_BACK = re.compile(rf"(?:[\W_]*+[^\W_]++){{0,{_CONTEXT_WORDS}}}+")


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


def parse(text: str, synonyms: Synonyms = NO_SYNONYMS, today: date | None = None) -> Query:
    """Parse a query typed by a user. Without the present day `today`, filters must name days by date.

    Raises:
        BadInput: the query has no search term (only exclusions, punctuation or filters), an excluded filter, or an
            invalid date.

    """
    parser = _Parser(synonyms, today)
    for piece in _PIECE.finditer(text):
        parser.add(piece)
    parser.finish_run()
    if not parser.wanted:
        raise BadInput(
            f"no search term in {text[:_SHOWN]!r}{' …' * (len(text) > _SHOWN)}",
            'give at least one word to search for, as in: vna search "diên biên phu" -tourisme',
        )
    return parser.query()


class _Parser:
    """Collects the terms of a query.

    Each item of `wanted` is a list of alternative terms. An article must match at least one term of every item.
    """

    def __init__(self, synonyms: Synonyms, today: date | None) -> None:
        self._today = today
        self.wanted: list[list[str]] = []
        self._synonyms = synonyms
        self._unwanted: list[str] = []
        self._filters: dict[str, str] = {}
        self._hits: set[str] = set()
        self._prefixes: list[str] = []
        self._either = False  # the last operator was OR: the next term is an alternative to the previous one
        self._excluding = False  # the last operator was NOT
        self._run: list[tuple[str, ...]] = []  # consecutive plain words: a synonym may span several

    def add(self, piece: re.Match[str]) -> None:
        """Process the next piece of the query: a word, a phrase, an operator or a filter."""
        filter_name = _FILTERS.get((piece["field"] or "").lower())
        if filter_name is not None and (piece["minus"] or self._excluding):
            raise BadInput(
                f"a filter cannot be excluded: {piece[0]}",
                f"remove the minus sign or NOT, or exclude the word itself: -{_content(piece)}",
            )
        if filter_name is not None:
            self._filters[filter_name] = _filter(filter_name, _content(piece), self._today)
        elif (self.wanted or self._run) and not piece["field"] and piece["word"] in _OPERATORS:
            self.finish_run()
            self._either = _OPERATORS[piece["word"]]
        elif self._has_begun() and not (piece["field"] or piece["minus"]) and piece["word"] in _EXCLUDING:
            self.finish_run()
            self._excluding = True
        elif _is_plain(piece) and not self._excluding:
            self._run.append(tuple(fold.words(piece["word"])))
        else:
            self.finish_run()
            self._add_term(piece)

    def _has_begun(self) -> bool:
        """Whether a piece was read already: NOT is an operator only after one."""
        return bool(self.wanted or self._run or self._unwanted or self._filters)

    def finish_run(self) -> None:
        """Split the collected words into terms, left to right: the longest phrase that has synonyms, else one word."""
        run, self._run = [words for words in self._run if words], []
        while run:
            length, group = self._longest_synonym(run)
            words = tuple(word for part in run[:length] for word in part)
            self._want([_quoted(member) for member in group or [words]])
            self._hits.update(word for member in group or [words] for word in member)
            del run[:length]

    def _longest_synonym(self, run: list[tuple[str, ...]]) -> tuple[int, list[tuple[str, ...]]]:
        for length in range(min(len(run), self._synonyms.longest), 0, -1):
            if group := self._synonyms.of(tuple(word for part in run[:length] for word in part)):
                return length, group
        return 1, []

    def _add_term(self, piece: re.Match[str]) -> None:
        """Add the term of a piece other than a plain word: phrase, prefix, exclusion or word in one column."""
        words = _words(piece)
        if not words:
            return
        in_quotes = piece["word"] is None or _is_prefix(piece)
        group = [] if in_quotes else self._synonyms.of(words)
        term = _term(piece, group or [words])
        if piece["minus"] or self._excluding:
            self._unwanted.append(term)
            self._either = self._excluding = False
            return
        self._want([term])
        self._hits.update(word for member in group or [words] for word in member)
        if _is_prefix(piece):
            self._prefixes.append(words[-1])
            self._hits.discard(words[-1])
            self._hits.update(fold.short_stems(words[-1]))

    def _want(self, terms: list[str]) -> None:
        if self._either and self.wanted:
            self.wanted[-1] += terms
        else:
            self.wanted.append(terms)
        self._either = False

    def query(self) -> Query:
        """Return the parsed query."""
        match = " AND ".join(f"({' OR '.join(group)})" for group in self.wanted)
        if self._unwanted:  # one NOT for all: FTS5 limits the depth of an expression, but not the length of a list
            match = f"({match}) NOT ({' OR '.join(self._unwanted)})"
        return Query(match, frozenset(self._hits), tuple(self._prefixes), **self._filters)


def snippet(texts: Iterable[str], query: Query, mark: tuple[str, str] = ("**", "**")) -> str:
    """Return an extract around the first word in `texts` that matches the query, with all matching words marked.

    If no text has a matching word (it may be in the title, for example), return the beginning of the last text that is
    not empty.
    """
    best = ""
    for text in texts:
        hit = next(_hits(text, query), None)
        first = hit or _WORD.search(text)
        if first is not None:
            best = _window(text, first.start(), query, mark)
        if hit is not None:
            break
    return best


def spans(text: str, query: Query) -> list[tuple[int, int]]:
    """Return the start and the end of each word of a text that matches the query."""
    return [word.span() for word in _hits(text, query)]


def mentions(text: str, query: Query) -> bool:
    """Whether a text contains one of the words that the query looks for."""
    return next(_hits(text, query), None) is not None


def _hits(text: str, query: Query, start: int = 0, end: int | None = None) -> Iterator[re.Match[str]]:
    """Yield the words of a text, or of a part of it, that match the query."""
    for found in _candidates(query.hits, query.prefixes).finditer(text, start, len(text) if end is None else end):
        word = found if _starts_word(text, found.start()) else _word_around(text, found.start())
        for form in fold.folded(word[0]):
            if form in query.hits or form.startswith(query.prefixes):
                yield word
                break


@lru_cache(maxsize=64)
def _candidates(hits: frozenset[str], prefixes: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern that finds all words that may match, and few others: folding a word takes much longer."""
    return fold.beginning((*hits, *prefixes))


def _starts_word(text: str, at: int) -> bool:
    return at == 0 or not text[at - 1].isalnum()


def _word_around(text: str, at: int) -> re.Match[str]:
    """Return the word to which the character at a position belongs."""
    while not _starts_word(text, at):
        at -= 1
    found = _WORD.match(text, at)
    assert found is not None
    return found


def _window(text: str, at: int, query: Query, mark: tuple[str, str]) -> str:
    position = start = _context_start(text, at)
    ahead = _AHEAD.match(text, at)
    assert ahead is not None  # there is a word at this position
    end = ahead.end()
    parts = []
    for word in _hits(text, query, start, end):
        parts += [text[position : word.start()], mark[0], word[0], mark[1]]
        position = word.end()
    body = SPACES.sub(" ", "".join([*parts, text[position:end]]))
    is_first, is_last = _WORD.search(text, 0, start) is None, _WORD.search(text, end) is None
    return f"{'' if is_first else '… '}{body}{'' if is_last else ' …'}"


def _context_start(text: str, at: int) -> int:
    """Return where the words begin that a snippet shows before a position."""
    length = _CONTEXT_LENGTH
    while True:
        before = text[max(0, at - length) : at][::-1]
        found = _BACK.match(before)
        assert found is not None  # it matches the empty text
        if found.end() < len(before) or length >= at:
            return at - found.end()
        length *= 2


def _content(piece: re.Match[str]) -> str:
    return next(value for name in ("phrase", "guillemets", "word") if (value := piece[name]) is not None)


def _filter(name: str, value: str, today: date | None) -> str:
    if name == "section":
        return value
    found = days.period(value, today, f"{name}:")
    return (found.first if name == "since" else found.last).isoformat()


def _words(piece: re.Match[str]) -> tuple[str, ...]:
    field = piece["field"] or ""
    if field and field.lower() not in _COLUMNS:
        field += " "  # `vietnam:chine` is two words, not an unknown column
    else:
        field = ""
    if _is_prefix(piece):
        *before, start = _WORD.findall(fold.plain(field + _content(piece))) or [""]
        return (*map(fold.stem, before), start) if start else ()
    return tuple(fold.words(field + _content(piece)))


def _term(piece: re.Match[str], group: list[tuple[str, ...]]) -> str:
    """Return one search term in FTS5 syntax, in double quotes, so that FTS5 treats no word in it as an operator."""
    column = _COLUMNS.get((piece["field"] or "").lower())
    terms = [_quoted(member) for member in group]
    if _is_prefix(piece):
        *before, start = group[0]
        terms = [f"{terms[0]} *", *(_quoted((*before, stem)) for stem in fold.short_stems(start))]
    term = " OR ".join(terms)
    if len(terms) > 1:
        term = f"({term})"
    return f"{column} : {term}" if column else term


def _quoted(words: Iterable[str]) -> str:
    return f'"{" ".join(words)}"'


def _is_plain(piece: re.Match[str]) -> bool:
    return piece["word"] is not None and not (piece["field"] or piece["minus"] or _is_prefix(piece))


def _is_prefix(piece: re.Match[str]) -> bool:
    return bool(piece["word"]) and piece["word"].endswith("*")
