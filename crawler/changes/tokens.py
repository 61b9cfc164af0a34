"""Split a text into paragraphs, sentences and tokens with their offsets.

A token is a word, a number, a time or date in digits, or a punctuation mark. French elided words (`l'`) are tokens of
their own, so that `l'accord` and `cet accord` differ in one token.

Boundary: strings in, values out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from crawler import identity

#: A letter with the combining marks of its decomposed form, as in decomposed Vietnamese names.
_LETTER = r"[^\W\d_][\u0300-\u036f]*"
_TOKEN = re.compile(
    rf"""\d{{1,4}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}(?!\d)           # 05/06/2025, 2025-06-05
    | \d{{1,2}}\s?h\s?(?:\d{{2}})?(?![\w])                  # 14h30, 9 h
    | \d{{1,3}}(?:[\u0020\u00a0\u202f.]\d{{3}})+(?:,\d+)?(?!\d)  # 1 200, 45.000
    | \d+(?:[.,]\d+)?(?:ers?|res?|ème|e|ᵉ)?(?!\w)              # 3,2 or 14e
    | \d+
    | aujourd['’ʼ]hui | (?:{_LETTER})+(?:-(?:{_LETTER})+)*(?:['’ʼ](?=\w))?
    | \S""",
    re.VERBOSE | re.IGNORECASE,
)
_NUMBER = re.compile(r"\d")
_PARAGRAPH = re.compile(r"[^\n]+")
#: The end of a sentence: a full stop or similar, closing quotes, white space, and then the start of another sentence.
_SENTENCE_END = re.compile(r"(?<=[.!?…])(?:\s*[»”\"])?(?P<space>\s+)(?=[«“\"]?\s?[^\W_a-zß-öø-ÿ])")
#: Words before a full stop that do not end a sentence: titles, initials, abbreviations.
_ABBREVIATION = re.compile(r"(?:^|[\s(])(?:M|MM|Dr|Pr|St|Ste|av|art|no|n|vol|cf|[A-ZĐ])\.$")


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its text, its position in the field, and the key by which it is compared."""

    text: str
    start: int
    end: int
    key: str

    @property
    def is_word(self) -> bool:
        """Whether the token is a word."""
        return self.text[0].isalpha()

    @property
    def is_number(self) -> bool:
        """Whether the token contains digits."""
        return _NUMBER.search(self.text) is not None

    @property
    def is_capitalised(self) -> bool:
        """Whether the token is a word with a capital first letter."""
        return self.text[0].isupper()


@dataclass(frozen=True)
class Sentence:
    """The tokens of one sentence; `paragraph` is the number of its paragraph in the field, from 0."""

    tokens: tuple[Token, ...]
    paragraph: int

    @property
    def start(self) -> int:
        """The offset of the first character."""
        return self.tokens[0].start

    @property
    def end(self) -> int:
        """The offset after the last character."""
        return self.tokens[-1].end

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """The keys of the tokens."""
        return tuple(token.key for token in self.tokens)

    @cached_property
    def key(self) -> str:
        """The text for the comparison of whole sentences."""
        return " ".join(self.keys)


def sentences(text: str) -> list[Sentence]:
    """Return the sentences of a text whose paragraphs are separated by line ends."""
    found = []
    for number, paragraph in enumerate(_PARAGRAPH.finditer(text)):
        for start, end in _sentence_spans(paragraph[0]):
            offset = paragraph.start() + start
            tokens = tuple(tokenised(paragraph[0][start:end], offset))
            if tokens:
                found.append(Sentence(tokens, number))
    return found


def tokenised(text: str, offset: int = 0) -> Iterator[Token]:
    """Yield the tokens of a text that begins at `offset` in its field; invisible characters are not tokens."""
    for match in _TOKEN.finditer(text):
        word = match[0]
        key = word if word.isascii() and word.isalnum() else _key(word)
        if key:
            yield Token(word, offset + match.start(), offset + match.end(), key)


#: Two revisions of an article have most words in common.
_key = lru_cache(maxsize=1 << 13)(identity.normalised)


def plain_letters(word: str) -> str:
    """Return a word in lower case without accents, as one character for each letter."""
    decomposed = unicodedata.normalize("NFD", word.casefold().replace("đ", "d"))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def _sentence_spans(paragraph: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _SENTENCE_END.finditer(paragraph):
        if _ABBREVIATION.search(paragraph[: match.start()][-5:]):
            continue
        yield start, match.start("space")
        start = match.end()
    yield start, len(paragraph)
