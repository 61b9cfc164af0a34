"""What people type into a search box, made into an FTS5 expression that is never a syntax error; and snippets.

```
words           all of them, in any order, accents and endings aside
"a phrase"      these words in this order
-word           not this word          (also -"a phrase")
title:word      in the title           (also lead:, text:)
coop*           words that begin so
a OR b          either
section:Sports  since:2024-01-01  until:2024-12-31
```
Boundary: strings in, values out; the folding is `fold`'s, as for the index.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from crawler import fold
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
_OPERATORS = {"OR": True, "OU": True, "|": True, "AND": False, "ET": False, "&": False}  # whether either side will do
_WORD = re.compile(r"[^\W_]+")
_AROUND = 12  # words of context on each side of a hit


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query: the FTS5 expression, the folded words that count as hits, and the filters."""

    match: str
    hits: frozenset[str]
    prefixes: tuple[str, ...] = ()
    section: str | None = None
    since: str | None = None
    until: str | None = None


def parse(text: str) -> Query:
    """Parse what a person typed.

    Raises:
        BadInput: nothing to look for is left (only exclusions, punctuation or filters), or a date is none.

    """
    parser = _Parser()
    for piece in _PIECE.finditer(text):
        parser.take(piece)
    if not parser.wanted:
        raise BadInput(
            f"nothing to look for in {text!r}", 'give at least one word, such as: vna search "diên biên phu" -tourisme'
        )
    return parser.query()


class _Parser:
    """Collects terms: `wanted` is a list of alternatives, all of which must be met."""

    def __init__(self) -> None:
        self.wanted: list[list[str]] = []
        self._unwanted: list[str] = []
        self._filters: dict[str, str] = {}
        self._hits: set[str] = set()
        self._prefixes: list[str] = []
        self._either = False

    def take(self, piece: re.Match[str]) -> None:
        filter_name = _FILTERS.get((piece["field"] or "").lower())
        if filter_name is not None:
            self._filters[filter_name] = _filter(filter_name, _content(piece))
        elif self.wanted and not piece["field"] and piece["word"] in _OPERATORS:
            self._either = _OPERATORS[piece["word"]]
        elif term := _term(piece):
            self._add(piece, term)

    def _add(self, piece: re.Match[str], term: str) -> None:
        if piece["minus"]:
            self._unwanted.append(term)
            return
        if self._either:
            self.wanted[-1].append(term)
        else:
            self.wanted.append([term])
        self._either = False
        words = _words(piece)
        if _is_prefix(piece):
            self._prefixes.append(words.pop())
        self._hits.update(words)

    def query(self) -> Query:
        match = " AND ".join(f"({' OR '.join(group)})" for group in self.wanted)
        for term in self._unwanted:
            match = f"({match}) NOT {term}"
        return Query(match, frozenset(self._hits), tuple(self._prefixes), **self._filters)


def snippet(text: str, query: Query, mark: tuple[str, str] = ("**", "**")) -> str:
    """Give the surroundings of the first hit in the original text, hits marked; the beginning when there is none."""
    found = list(_WORD.finditer(text))
    flags = [_is_hit(word[0], query) for word in found]
    first = flags.index(True) if True in flags else 0
    low, high = max(0, first - _AROUND), min(len(found), first + _AROUND + 1)
    if not found:
        return ""
    start, end = found[low].start(), found[high - 1].end()
    parts, position = [], start
    for word, hit in zip(found[low:high], flags[low:high], strict=True):
        if hit:
            parts += [text[position : word.start()], mark[0], word[0], mark[1]]
            position = word.end()
    body = " ".join("".join([*parts, text[position:end]]).split())
    return f"{'… ' if low else ''}{body}{' …' if high < len(found) else ''}"


def _content(piece: re.Match[str]) -> str:
    return next(value for name in ("phrase", "guillemets", "word") if (value := piece[name]) is not None)


def _filter(name: str, value: str) -> str:
    if name == "section":
        return value
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise BadInput(f"{name}:{value} is no date", f"write the day as in {name}:2024-01-31") from error


def _term(piece: re.Match[str]) -> str | None:
    """Give one term as FTS5 takes it: folded words in double quotes, so that no sign in it can be an operator."""
    column = _COLUMNS.get((piece["field"] or "").lower())
    words = _words(piece)
    if not words:
        return None
    quoted = f'"{" ".join(words)}"'
    if _is_prefix(piece):
        quoted += " *"
    return f"{column} : {quoted}" if column else quoted


def _words(piece: re.Match[str]) -> list[str]:
    content = _content(piece)
    if piece["field"] and piece["field"].lower() not in _COLUMNS:
        content = f"{piece['field']} {content}"  # `vietnam:chine` is two words, not an unknown column
    return fold.words(content)


def _is_prefix(piece: re.Match[str]) -> bool:
    return bool(piece["word"]) and piece["word"].endswith("*")


def _is_hit(word: str, query: Query) -> bool:
    return any(w in query.hits or w.startswith(query.prefixes) for w in fold.words(word))
