"""Compare two revisions of an article: the changed words of each field, and the kinds of each change.

Boundary: pure functions; `crawler.changes.kinds` classifies the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from rapidfuzz.distance import Levenshtein

from crawler import identity
from crawler.changes.alignment import SentencePair, aligned
from crawler.changes.kinds import Fact, Frequency, Kind, changed_facts, facts, kinds_of_words
from crawler.changes.quotations import Quotations
from crawler.changes.tokens import Sentence, Token, sentences, tokenised
from crawler.changes.words import FUNCTION_WORDS
from crawler.pictures import Replacement
from crawler.types import BODY_TYPES, Article, TextBlock

Field = Literal["title", "lead", "text", "notes", "captions", "published_at", "kind", "pictures"]

_PLACES: dict[str, Kind] = {"title": Kind.HEADLINE, "lead": Kind.LEAD, "captions": Kind.CAPTION}
_Span = tuple[int, int, int, int]  # (i, j, k, m): the tokens `old[i:j]` became `new[k:m]`
_BRIDGE = 2  # function words between two changes that are shown as one


@dataclass(frozen=True, slots=True)
class Change:
    """One change between two revisions: the words before and after, with their offsets in the field, in characters.

    The fields are those of the JSON of an article. `text` is the body text; `captions` has the captions of all pictures,
    one on each line; `notes` has the notes and tables, separated by blank lines. One of the two sides is empty if words
    were added or removed; its offset is the place where they would be. For a replaced picture, `before` and `after` are
    the digests of the two, and the offsets are its position among the pictures of the article.
    """

    field: Field
    kinds: tuple[Kind, ...]
    before: str
    after: str
    before_offset: int
    after_offset: int


def changes_between(
    old: Article, new: Article, frequency: Frequency | None = None, replaced: Iterable[Replacement] = ()
) -> tuple[Change, ...]:
    """Return the changes from one revision to the next, field by field, in the order of the text.

    `frequency` returns how frequent a word is in French; without it, a similar word counts as a corrected typo more often.
    `replaced` has the pictures that were replaced: they cannot be seen in the articles, because a picture may have another
    address, and another picture the same.
    """
    found: list[Change] = []
    one, other = field_texts(old), field_texts(new)
    for field in (name for name in one if one[name] != other[name]):
        if field in ("published_at", "kind"):
            kind = Kind.DATE if field == "published_at" else Kind.STYLE
            found.append(_whole(field, (kind,), one, other))
        else:
            found += _in_field(field, one[field], other[field], frequency)
    seen = {_COMPARED.get(change.field, change.field) for change in found}
    missing = [
        name for name in identity.differences(identity.comparable(old), identity.comparable(new)) if name not in seen
    ]
    found += [_whole(name, (Kind.TYPO,), one, other) for name in missing]
    return (*found, *map(_replaced, replaced))


_COMPARED = {"notes": "text"}  # the field of `identity.comparable`


def kinds_of(changes: Iterable[Change]) -> tuple[Kind, ...]:
    """Return the kinds of all changes of a revision, each once, in the order of `Kind`."""
    found = {kind for change in changes for kind in change.kinds}
    return tuple(kind for kind in Kind if kind in found)


def is_silent(old_modified_at: str | None, new_modified_at: str | None) -> bool:
    """Whether an edit is silent: the page names the same time of the last edit as before, or none."""
    return old_modified_at == new_modified_at


def field_texts(article: Article) -> dict[Field, str]:
    """Return the texts to compare, by field: the texts to which the offsets of changes refer."""
    notes = [b.text for b in article.blocks if isinstance(b, TextBlock) and b.type not in BODY_TYPES]
    return {
        "title": article.title,
        "lead": article.lead or "",
        "text": article.text,
        "notes": "\n\n".join(notes),
        "captions": "\n".join(image.caption or "" for image in article.images),
        "published_at": article.published_at or "",
        "kind": article.kind,
    }


def _replaced(one: Replacement) -> Change:
    return Change("pictures", (Kind.PICTURE,), one.before, one.after, one.position, one.position)


def _whole(field: str, kinds: tuple[Kind, ...], old: dict[Field, str], new: dict[Field, str]) -> Change:
    name: Field = field  # type: ignore[assignment]  # the names of `identity.comparable` are among them
    return Change(name, kinds, old[name], new[name], 0, 0)


def _in_field(field: Field, old: str, new: str, frequency: Frequency | None) -> Iterator[Change]:
    comparison = _FieldComparison(field, old, new, frequency)
    if field in ("title", "lead"):  # one unit, even of several sentences
        one, other = ([Sentence(tokens, 0)] if (tokens := tuple(tokenised(t))) else [] for t in (old, new))
        pairs = [SentencePair(tuple(one), tuple(other))] if [s.key for s in one] != [s.key for s in other] else []
    else:
        one, other = sentences(old), sentences(new)
        pairs = aligned(one, other)
    places = _places_of_removed(one, other, pairs)
    for pair in pairs:
        yield from comparison.changes(pair, places.get(pair.old[0].start, 0) if pair.old else 0)


def _places_of_removed(
    old: Sequence[Sentence], new: Sequence[Sentence], pairs: Iterable[SentencePair]
) -> dict[int, int]:
    """Return for removed sentences, by their offset, where they would be in the new text: after the one before them."""
    differing = {s.start for pair in pairs for s in pair.old}, {s.start for pair in pairs for s in pair.new}
    equal = ([s for s in side if s.start not in starts] for side, starts in zip((old, new), differing, strict=True))
    ends = {a.start: b.end for a, b in zip(*equal, strict=True)}  # equal sentences are in the same order in both
    ends |= {s.start: pair.new[-1].end for pair in pairs if pair.new and not pair.moved for s in pair.old}
    places: dict[int, int] = {}
    place = 0
    for sentence in old:
        places[sentence.start] = place
        place = ends.get(sentence.start, place)
    return places


class _FieldComparison:
    """Compares the pairs of sentences of one field."""

    def __init__(self, field: Field, old: str, new: str, frequency: Frequency | None) -> None:
        self._field = field
        self._old, self._new = old, new
        self._frequency = frequency
        self._quoted = Quotations(old), Quotations(new)

    def changes(self, pair: SentencePair, place: int) -> Iterator[Change]:
        """Yield the changes of one pair. `place` is the offset in the new text at which removed sentences would be."""
        if not pair.new:
            yield self._placed((Kind.REMOVED,), _extent(_tokens(pair.old)), (place, place))
            return
        if not pair.old:
            yield self._change((Kind.ADDED,), (), _tokens(pair.new))
            return
        if pair.moved:
            yield self._change((Kind.MOVED,), _tokens(pair.old), _tokens(pair.new))
        yield from self._word_changes(_tokens(pair.old), _tokens(pair.new))

    def _word_changes(self, old: Sequence[Token], new: Sequence[Token]) -> Iterator[Change]:
        spans = list(_changed_spans(old, new))
        old_facts, new_facts = facts(old), facts(new)
        lost, gained = changed_facts(old_facts, new_facts)
        for i, j, k, m in spans:
            neighbours = (*old[max(0, i - 1) : i], *old[j : j + 1], *new[max(0, k - 1) : k], *new[m : m + 1])
            stated = _kinds(old_facts[i:j], lost) | _kinds(new_facts[k:m], gained)
            kinds = kinds_of_words(
                old[i:j], new[k:m], stated, neighbours=neighbours, places=len(spans), frequency=self._frequency
            )
            before, after = _extent(old, i, j), _extent(new, k, m)
            if self._quoted[0].contain(*before) or self._quoted[1].contain(*after):
                kinds = (Kind.QUOTE, *(kind for kind in kinds if kind in _BESIDE_QUOTE))
            yield self._placed(kinds, before, after)

    def _change(self, kinds: tuple[Kind, ...], old: Sequence[Token], new: Sequence[Token]) -> Change:
        return self._placed(kinds, _extent(old), _extent(new))

    def _placed(self, kinds: tuple[Kind, ...], before: tuple[int, int], after: tuple[int, int]) -> Change:
        place = _PLACES.get(self._field)
        if place is not None:
            kinds = (place, *(kind for kind in kinds if kind in _BESIDE_PLACE))
        old, new = self._old[slice(*before)], self._new[slice(*after)]
        return Change(self._field, kinds, old, new, before[0], after[0])


_BESIDE_QUOTE = frozenset({Kind.DATE, Kind.FIGURE, Kind.NAME, Kind.TYPO})
_BESIDE_PLACE = _BESIDE_QUOTE | {Kind.QUOTE}


def _tokens(side: Iterable[Sentence]) -> tuple[Token, ...]:
    return tuple(chain.from_iterable(sentence.tokens for sentence in side))


def _kinds(stated: Sequence[Fact | None], changed: set[Fact]) -> set[Kind]:
    return {fact[0] for fact in stated if fact in changed and fact is not None}


def _changed_spans(old: Sequence[Token], new: Sequence[Token]) -> Iterator[_Span]:
    """Yield the changed places; places with only a few function words between them are one."""
    current: _Span | None = None
    for operation in Levenshtein.opcodes([t.key for t in old], [t.key for t in new]):
        if operation.tag == "equal":
            continue
        span = operation.src_start, operation.src_end, operation.dest_start, operation.dest_end
        if current is not None:
            if _are_one(old, new, current, span):
                span = current[0], span[1], current[2], span[3]
            else:
                yield current
        current = span
    if current is not None:
        yield current


def _are_one(old: Sequence[Token], new: Sequence[Token], first: _Span, second: _Span) -> bool:
    between = old[first[1] : second[0]]
    if not between:
        return True
    is_bridge = len(between) <= _BRIDGE and not any(_is_content(token) for token in between)
    return is_bridge and all(_has_content(old, new, span) for span in (first, second))


def _has_content(old: Sequence[Token], new: Sequence[Token], span: _Span) -> bool:
    i, j, k, m = span
    return any(_is_content(token) for token in (*old[i:j], *new[k:m]))


def _is_content(token: Token) -> bool:
    return token.key[0].isalnum() and token.key.casefold() not in FUNCTION_WORDS


def _extent(tokens: Sequence[Token], start: int = 0, end: int | None = None) -> tuple[int, int]:
    """Return the offsets of `tokens[start:end]`; of an empty range, the end of the token before it."""
    end = len(tokens) if end is None else end
    if start < end:
        return tokens[start].start, tokens[end - 1].end
    place = tokens[start - 1].end if start else (tokens[0].start if tokens else 0)
    return place, place
