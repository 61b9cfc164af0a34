"""Find the words of a text that match a query, and extract snippets.

Boundary: a text and a parsed query in, positions and strings out. `query` parses what a user types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from crawler import fold
from crawler.query import Query

SPACES = re.compile(r"[^\S\u00a0\u202f]+")  # all but the no-break spaces of French typography
_CONTEXT_WORDS = 12  # on each side of the first hit in a snippet
_CONTEXT_LENGTH = 200  # characters that are searched for these words first
_AHEAD = re.compile(rf"[^\W_]+(?:[\W_]+[^\W_]+){{0,{_CONTEXT_WORDS}}}")
#: In a reversed text. Possessive, because a word could be divided among the repetitions in many ways.
_BACK = re.compile(rf"(?:[\W_]*+[^\W_]++){{0,{_CONTEXT_WORDS}}}+")


def snippet(texts: Iterable[str], query: Query, mark: tuple[str, str] = ("**", "**")) -> str:
    """Return an extract around the first word in `texts` that matches the query, with all matching words marked.

    If no text has a matching word (it may be in the title, for example), return the beginning of the last text that is
    not empty.
    """
    best = ""
    for text in texts:
        hit = next(_hits(text, query), None)
        first = hit or fold.WORD.search(text)
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
    found = fold.WORD.match(text, at)
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
    is_first, is_last = fold.WORD.search(text, 0, start) is None, fold.WORD.search(text, end) is None
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
