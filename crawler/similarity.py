"""Find articles that share text: their passage hashes for the search, and the relation of two articles.

The passage hashes of a text are a sample of the hashes of its word sequences, chosen by value. Two texts with a common
passage have common hashes, wherever the passage is in them, so an index of hashes finds such articles without comparing
all texts. Numbers are left out of the sequences: `12` and `douze` are the same wire.

Boundary: pure functions; `crawler.storage.similar` keeps the index.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain, pairwise
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from crawler import fold
from crawler.numerals import NUMBER_WORDS
from crawler.types import Article

SimilarityKind = Literal["reissue", "cross-section", "extends", "digest-contains", "photo-version"]

_NUMBER = re.compile(r"\d+")
_SEQUENCE = 4  # words that are hashed together; changing 10 % of the words leaves two thirds of the sequences
_HASH_BYTES = 6  # 48 bits: 10 million hashes of an archive are still distinct, and an integer in SQLite is small
_SHARE = 12  # one sequence of so many is in the sample
_BOUND = ((1 << 8 * _HASH_BYTES) // _SHARE).to_bytes(_HASH_BYTES)  # the sample has the digests below it
_FEWEST = 8  # hashes of a short text: then those with the smallest values
_SHARED = 2  # common hashes from which two articles are compared; a common title counts as much
_MOST_COMPARED = 12  # articles that are compared with a new one
_CONTAINED = 0.4  # share of the sequences of the shorter text that must be in the longer one
_IN_ORDER = (
    0.8  # share of its words that must be there in the same order: texts of a series share scattered phrases only
)
_NEW_PASSAGE = 12  # words by which a text must be longer, all of them in one place, to extend another one
_SHORT = 60  # words; the words of a shorter text, such as a caption, are more often in the same order by chance
_IN_ORDER_SHORT = 0.95
_PART = 0.55  # ratio of the lengths below which the longer text is a digest, unless the titles are similar
_SIMILAR_TITLES = 60.0  # from 0 to 100
_LONGEST_PASSAGE = 300  # characters that are stored
_LONGEST_KEPT = 10_000  # characters of a text whose words are kept in memory; an article has up to 8,000

_WordSequence = tuple[str, ...]

_NUMBERS = frozenset(fold.letters(word) for word in NUMBER_WORDS)


@dataclass(frozen=True)
class ComparedText:
    """What is compared of an article: `id` is its id in the archive, `captions` those of all its pictures."""

    id: int
    kind: str
    section: str | None
    title: str
    lead: str
    text: str
    captions: str
    published_on: str | None = None
    body_key: str = ""

    @cached_property
    def words(self) -> list[str]:
        """The folded words of the body, or of lead and captions if there is none."""
        text = self.passage_text
        return _kept_words(text) if len(text) <= _LONGEST_KEPT else _words(text)

    @cached_property
    def distinct_words(self) -> frozenset[str]:
        """The folded words of the body."""
        return frozenset(self.words)

    @cached_property
    def passage_text(self) -> str:
        """The body text; for an article without one, the lead and the captions."""
        return self.text or "\n".join(part for part in (self.lead, self.captions) if part)

    @cached_property
    def sequences(self) -> list[_WordSequence]:
        """The word sequences of the body, in order."""
        return _sequences(self.words)

    @cached_property
    def distinct_sequences(self) -> frozenset[_WordSequence]:
        """The word sequences of the body."""
        return frozenset(self.sequences)

    @cached_property
    def all_sequences(self) -> frozenset[_WordSequence]:
        """The word sequences of all texts of the article."""
        others = (self.title, self.lead, self.captions)
        body = self.distinct_sequences if self.text else frozenset()  # else it is that of lead and captions together
        return body.union(*(_sequences(_words(part)) for part in others))


@dataclass(frozen=True, slots=True)
class Similarity:
    """A relation of two articles: `article` extends, contains, is the photo version of, or is the later id than `other`.

    `score` is the share of the words of the shorter text, or of the photo version, that are in the other text in the
    same order, from 0 to 1.
    `passage` is the longest common passage as it is in `article`, cut after 300 characters.
    """

    article: int
    other: int
    kind: SimilarityKind
    score: float
    passage: str

    @property
    def are_versions(self) -> bool:
        """Whether the two articles are versions of one text, in one section or in two."""
        return self.kind in ("reissue", "cross-section")


def compared(article: Article, key: int) -> ComparedText:
    """Return what is compared of an article; `key` is its id in the archive."""
    captions = "\n".join(image.caption for image in article.images if image.caption)
    return ComparedText(key, article.kind, article.section, article.title, article.lead or "", article.text, captions)


def passage_hashes(text: ComparedText) -> tuple[int, ...]:
    """Return the hashes by which an article is found; the first one is that of its title."""
    digests = text_digests(map(" ".join, text.all_sequences), _HASH_BYTES)
    chosen = sorted(digest for digest in digests if digest < _BOUND)
    if len(chosen) < _FEWEST:
        chosen = sorted(digests)[:_FEWEST]
    return tuple(dict.fromkeys([title_hash(text.title), *map(int.from_bytes, chosen)]))


def title_hash(title: str) -> int:
    """Return the hash of a title, which is distinct from those of word sequences."""
    (digest,) = text_digests(["\0" + " ".join(_words(title))], _HASH_BYTES)
    return int.from_bytes(digest)


def best_candidates(shared: Iterable[tuple[int, int]], key: int) -> list[int]:
    """Return the ids of the articles to compare with the article `key`.

    `shared` has pairs of an id and the number of hashes that this article shares; the hash of the title counts twice.
    """
    found = [(count, other) for other, count in shared if count >= _SHARED and other != key]
    return [other for _, other in sorted(found, key=lambda pair: (-pair[0], abs(pair[1] - key), pair[1]))][
        :_MOST_COMPARED
    ]


def similarities(text: ComparedText, others: Iterable[ComparedText]) -> tuple[Similarity, ...]:
    """Return the relations of an article to other ones, in the order of `others`; unrelated ones are left out."""
    return tuple(found for other in others if (found := relation(text, other)) is not None)


def relation(one: ComparedText, other: ComparedText) -> Similarity | None:
    """Return the relation of two articles, whichever is given first; None if they are not similar."""
    later, earlier = (one, other) if one.id > other.id else (other, one)
    if bool(one.text) != bool(other.text):
        return _photo_version(*((earlier, later) if later.text else (later, earlier)))
    longer, shorter = (later, earlier) if len(later.words) >= len(earlier.words) else (earlier, later)
    if _most_score(shorter, longer) < _IN_ORDER:  # most candidates end here, before their sequences are made
        return None
    if not shorter.sequences or _contained(shorter, longer) < _CONTAINED:
        return None
    score = _score(shorter, longer)
    if score < _IN_ORDER or not _is_certain(shorter, longer, score):
        return None
    is_same_title = fuzz.token_sort_ratio(longer.title, shorter.title) >= _SIMILAR_TITLES
    if not _is_extended(longer, shorter):
        is_moved = later.section is not None and earlier.section is not None and later.section != earlier.section
        return _similarity(later, earlier, "cross-section" if is_moved else "reissue", score)
    is_digest = len(shorter.words) < _PART * len(longer.words) and not is_same_title
    return _similarity(longer, shorter, "digest-contains" if is_digest else "extends", score)


def _is_extended(longer: ComparedText, shorter: ComparedText) -> bool:
    """Whether the longer text has a passage that the shorter one lacks, and not only other words in the same places."""
    start, end = _longest_run(longer.sequences, shorter.distinct_sequences, present=False)
    return end - start >= _NEW_PASSAGE and len(longer.words) - len(shorter.words) >= _NEW_PASSAGE


def _photo_version(photo: ComparedText, article: ComparedText) -> Similarity | None:
    """Return the relation of an article without text to one with text."""
    is_same_title = fold.words(photo.title) == fold.words(article.title)
    score = _score(photo, article)
    shared = len(photo.all_sequences & article.all_sequences) / max(1, len(photo.all_sequences))
    if not is_same_title and (shared < _CONTAINED or score < _IN_ORDER or not _is_certain(photo, article, score)):
        return None
    return _similarity(photo, article, "photo-version", score)


def _is_certain(shorter: ComparedText, longer: ComparedText, score: float) -> bool:
    """Whether a match is not due to chance: a short text, such as a caption, must match almost completely, with its numbers."""
    if len(shorter.words) >= _SHORT:
        return True
    one, other = (set(_NUMBER.findall(text.passage_text)) for text in (shorter, longer))
    return score >= _IN_ORDER_SHORT and len(one & other) * 2 >= min(len(one), len(other))


def _contained(shorter: ComparedText, longer: ComparedText) -> float:
    return len(shorter.distinct_sequences & longer.distinct_sequences) / len(shorter.distinct_sequences)


def _score(shorter: ComparedText, longer: ComparedText) -> float:
    """Return the share of the words of the shorter text that are in the longer one in the same order."""
    return round(LCSseq.similarity(shorter.words, longer.words) / max(1, len(shorter.words)), 4)


def _most_score(shorter: ComparedText, longer: ComparedText) -> float:
    """Return what `_score` cannot exceed: the share of the words of the shorter text that are in the longer one at all."""
    found = sum(map(longer.distinct_words.__contains__, shorter.words))
    return round(found / max(1, len(shorter.words)), 4)


def _similarity(article: ComparedText, other: ComparedText, kind: SimilarityKind, score: float) -> Similarity:
    return Similarity(article.id, other.id, kind, score, _passage(article, other))


def _passage(article: ComparedText, other: ComparedText) -> str:
    """Return the longest passage of `article` of which all word sequences are in `other`."""
    start, end = _longest_run(article.sequences, other.distinct_sequences, present=True)
    if start == end:
        return ""
    places = [m for m in fold.WORD.finditer(article.passage_text) if _folded(m[0])]
    passage = article.passage_text[places[start].start() : places[end + _SEQUENCE - 2].end()]
    return passage if len(passage) <= _LONGEST_PASSAGE else f"{passage[: _LONGEST_PASSAGE - 1]}…"


def _longest_run(
    sequences: Sequence[_WordSequence], others: AbstractSet[_WordSequence], *, present: bool
) -> tuple[int, int]:
    """Return the start and the end of the longest run of sequences that are all in `others`, or that are all not in it."""
    breaks = [-1, *(i for i, s in enumerate(sequences) if (s in others) is not present), len(sequences)]
    before, end = max(pairwise(breaks), key=lambda pair: pair[1] - pair[0])
    return before + 1, end


def _words(text: str) -> list[str]:
    return list(chain.from_iterable(map(_words_in_piece, text.split())))


#: An article is compared with those of the same days, and these with it.
_kept_words = lru_cache(maxsize=256)(_words)


@lru_cache(maxsize=1 << 14)  # pieces repeat: the words of a text are found in half the time with this cache
def _words_in_piece(piece: str) -> tuple[str, ...]:
    """Return the folded words in a piece of text without spaces."""
    return tuple(filter(None, map(_folded, fold.WORD.findall(piece))))


def _folded(word: str) -> str:
    """Return a word without accents; an empty text for a number."""
    plain = fold.letters(word)
    return "" if plain in _NUMBERS or any(c.isdigit() for c in plain) else plain


def _sequences(words: Sequence[str]) -> list[_WordSequence]:
    return list(zip(*(words[i:] for i in range(_SEQUENCE)), strict=False))


def text_digests(texts: Iterable[str], size: int) -> list[bytes]:
    """Return a digest of `size` bytes for each text."""
    empty = hashlib.blake2b(digest_size=size)  # a copy takes half the time of a new one
    found = []
    for text in texts:
        engine = empty.copy()
        engine.update(text.encode("utf-8", "surrogatepass"))
        found.append(engine.digest())
    return found
