"""Decide whether an article is new, revised, unchanged, or a duplicate of another.

The site's post id identifies an article. Only a change of its content counts as a change, because the page's bytes
differ at every fetch (dossier sections 8 and 18.9). The comparison ignores Unicode normalisation, spaces and quote
styles, which may differ between renderings of the same text; spaces beside quotation marks, which belong to the style; and
the UTC offset of a time.

Boundary: pure functions; stored values and a new article in, a decision out.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal

from rapidfuzz import fuzz

from crawler import fold
from crawler.similarity import ComparedText, Similarity, text_digests
from crawler.site import HANOI
from crawler.types import Article, ImageBlock

#: In front of each fingerprint. Version 2 ignores the spaces beside quotation marks. A new version must equate whatever the
#: one before equates, or an upgrade makes revisions; and it needs a migration of the stored fingerprints.
FINGERPRINT_VERSION = 2
_PLAIN = {
    "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‑": "-", "\u200b": " ", "\ufeff": " ",
}  # fmt: skip
#: Further styles of quotation marks, apostrophes and dashes, and signs without width. They make no revision, but stay in the
#: fingerprint: see `FINGERPRINT_VERSION`.
_STYLES = str.maketrans(
    dict.fromkeys("\u02bc\u2032\u201b`\u00b4\uff07", "'")
    | dict.fromkeys("\u201e\u201f\u2033\u2039\u203a\uff02", '"')
    | dict.fromkeys("\u2010\u2012\u2015\u2212\ufe58\uff0d", "-")
    | dict.fromkeys("\u00ad\u200c\u200d\u200e\u200f\u2060", "")
    | {"…": "..."}
)
_MINUTE, _SECONDS = 16, slice(17, 19)  # of a time such as `2025-04-29T14:30:44+07:00`
_TWO_APOSTROPHES = re.compile("(?<!')''(?!')")
_SPACES_AT_QUOTES = re.compile(' ?" ?')
_SHINGLE = 3  # words
_HASH_BYTES = 8
#: For each bit of a byte, the most significant first, a table for `bytes.translate` that leaves only this bit.
_BITS = tuple(bytes(byte >> bit & 1 for byte in range(256)) for bit in reversed(range(8)))
_NEAR_RATIO = 90.0  # similarity from 0 to 100 by edit distance
_NEAR_DAYS = 3  # between two versions of one text; articles of a series differ only in figures, but are further apart
_SIGN_BIT = 1 << 63

Verdict = Literal["new", "revised", "unchanged", "duplicate"]


@dataclass(frozen=True, slots=True)
class Known:
    """What the archive holds of an article: its latest revision number and its fields as returned by `comparable`."""

    revision: int
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An archived article whose text is the same as that of the new article (`score` 1.0) or similar (0.9 to 1.0)."""

    id: int
    kind: Literal["same text", "near text"]
    score: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a parsed article: the verdict, the revision number to store and the names of changed fields."""

    verdict: Verdict
    revision: int
    changed: tuple[str, ...] = ()
    duplicates: tuple[Duplicate, ...] = ()


def decide(
    article: Article,
    known: Known | None,
    candidates: Iterable[ComparedText] = (),
    similar: Iterable[Similarity] = (),
    published_on: str | None = None,
    key: str | None = None,
) -> Decision:
    """Decide what to do with `article`; `known` is the archived article with the same post id, if there is one.

    If there is none, the article is compared with `candidates` to find duplicates; `similar` are its relations to them, as
    `similarity.similarities` returns them. `published_on` is its day of publication in Hanoi, None if unknown; `key` its
    `body_key`, if it has been computed.
    """
    if known is not None:
        changed = differences(known.fields, comparable(article))
        return Decision("revised", known.revision + 1, changed) if changed else Decision("unchanged", known.revision)
    versions = {number for one in similar if one.are_versions for number in (one.article, one.other)}
    duplicates = tuple(_duplicates(article, candidates, versions, published_on, key or body_key(article)))
    return Decision("duplicate" if duplicates else "new", 1, duplicates=duplicates)


def settled(article: Article, stored: Article, doubtful: Collection[str]) -> Article:
    """Return an article as read with a learned layout, with the `doubtful` fields as the archive has them.

    `stored` was read with another layout. Unless the page states a later change, a difference in these fields comes from
    the layout. The blocks are kept only if all that differs in them is doubtful.
    """
    kept: dict[str, Any] = {}
    if "published_at" in doubtful and stored.published_at:
        kept["published_at"] = stored.published_at
    if is_later(article.modified_at, stored.modified_at):
        return replace(article, **kept)
    kept |= {name: getattr(stored, name) for name in ("title", "lead") if name in doubtful}
    settled_article = replace(article, **kept)
    changed = set(differences(comparable(stored), comparable(settled_article))) & {"text", "captions", "kind"}
    if changed and changed - {"kind"} <= set(doubtful):
        return replace(settled_article, blocks=stored.blocks, kind=stored.kind)
    return settled_article


def is_later(time: str | None, other: str | None) -> bool:
    """Whether a page states a time of change that is later than another one, or the first one at all."""
    return time is not None and (other is None or datetime.fromisoformat(time) > datetime.fromisoformat(other))


@dataclass(frozen=True, slots=True)
class RevisionMoment:
    """One revision of an article: its number, the time when it was first seen, and its fingerprint."""

    revision: int
    seen_at: datetime
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Place:
    """The position of an old capture among the revisions of its article.

    - `unchanged`: the capture confirms `revision`.
    - `earlier`: the capture shows that `revision` was already online at an earlier time.
    - `inserted`: the capture is a new revision directly before `revision`.
    - `newest`: the capture is later than all revisions; `revision` is 0.
    """

    verdict: Literal["unchanged", "earlier", "inserted", "newest"]
    revision: int = 0


def place(fingerprint: str, at: datetime, timeline: Sequence[RevisionMoment]) -> Place:
    """Return the position of a capture among the revisions of its article (`timeline`, oldest first).

    `at` is the time of the capture. If the verdict is `newest`, the caller must use `decide` to compare the
    capture with the last revision.
    """
    after = next((i for i, moment in enumerate(timeline) if moment.seen_at > at), None)
    if after is None:
        return Place("newest")
    if after > 0 and timeline[after - 1].fingerprint == fingerprint:
        return Place("unchanged", timeline[after - 1].revision)
    same = timeline[after].fingerprint == fingerprint
    return Place("earlier" if same else "inserted", timeline[after].revision)


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """Return the sorted names of the fields that differ between two results of `comparable`, in more than their style.

    A field that only one of them contains is also a difference.
    """
    return tuple(name for name in sorted({*one, *other}) if _differ(name, one.get(name, ""), other.get(name, "")))


def _differ(name: str, one: str, other: str) -> bool:
    if one == other:
        return False
    if name == "published_at":
        return not _is_same_minute(one, other)
    return _in_plain_style(one) != _in_plain_style(other)


def _is_same_minute(one: str, other: str) -> bool:
    """Whether two times are in the same minute, and one has no seconds, as the visible times of the site."""
    return one[:_MINUTE] == other[:_MINUTE] and "00" in (one[_SECONDS], other[_SECONDS]) and one[19:] == other[19:]


def _in_plain_style(text: str) -> str:
    plain = _TWO_APOSTROPHES.sub('"', text.translate(_STYLES))
    return _SPACES_AT_QUOTES.sub('"', " ".join(plain.split()))


def comparable(article: Article) -> dict[str, str]:
    """Return the fields whose changes make a revision, normalised for comparison. Empty fields are left out.

    Pictures are compared only by their captions, because the site generates alt texts and one picture has several URLs
    (dossier section 7). Related stories are not compared, because the site shows the newest stories at the time of the
    fetch (dossier section 8).
    """
    fields = {
        "title": article.title,
        "lead": article.lead or "",
        "text": "\n".join(b.text for b in article.blocks if not isinstance(b, ImageBlock)),
        "captions": "\n".join(image.caption or "" for image in article.images),
        "published_at": _in_hanoi(article.published_at or ""),
        "kind": article.kind if article.kind != "article" else "",
    }
    # « quoted » and "quoted" are the same quotation
    plain = {name: _SPACES_AT_QUOTES.sub('"', normalised(value)) for name, value in fields.items()}
    return {name: text for name, text in plain.items() if text}


def _in_hanoi(stated: str) -> str:
    """Return a time (ISO 8601) as Hanoi time, because the same instant with another offset is not a change.

    The site states Hanoi time (dossier section 15), so the stored fingerprints stay as they are.
    """
    try:
        when = datetime.fromisoformat(stated)
        return when.astimezone(HANOI).isoformat() if when.tzinfo else stated
    except (ValueError, OverflowError):
        return stated


def fingerprint(article: Article) -> str:
    """Return the fingerprint of an article's content, with a version number in front. Empty fields do not affect it."""
    content = "\0".join(f"{name}\1{value}" for name, value in sorted(comparable(article).items()))
    return f"{FINGERPRINT_VERSION}:{hashlib.sha256(content.encode('utf-8', 'surrogatepass')).hexdigest()}"


def body_key(article: Article) -> str:
    """Return a hash of an article's title and text, so that equal articles with different ids can be found."""
    content = f"{normalised(article.title)}\0{normalised(article.text)}"
    return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(maxsize=2)  # asked for once to find similar articles and once to store the article
def simhash(text: str) -> int:
    """Return a 64-bit locality-sensitive hash of a text as a signed integer (SQLite has no unsigned integers).

    Similar texts have hashes that differ in few bits. The hash is computed from all sequences of three words of the
    text, without accents.
    """
    words = fold.letters(text).split()
    shingles = {" ".join(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1))}
    digests = b"".join(text_digests(shingles, _HASH_BYTES))
    unsigned = 0
    for position in range(_HASH_BYTES):  # most significant byte first
        column = digests[position::_HASH_BYTES]
        for bit in _BITS:
            unsigned = unsigned << 1 | (column.translate(bit).count(1) * 2 > len(shingles))
    return unsigned - (unsigned & _SIGN_BIT) * 2


def _duplicates(
    article: Article, candidates: Iterable[ComparedText], versions: Collection[int], published_on: str | None, key: str
) -> Iterable[Duplicate]:
    for other in candidates:
        if other.id == article.post_id:
            continue
        if other.body_key == key:
            yield Duplicate(other.id, "same text", 1.0)
        elif article.text and other.id in versions and _may_be_near(article, published_on, other):
            ratio = fuzz.ratio(normalised(article.text), normalised(other.text), score_cutoff=_NEAR_RATIO)
            if ratio:
                yield Duplicate(other.id, "near text", round(ratio / 100, 4))


def _may_be_near(article: Article, published_on: str | None, other: ComparedText) -> bool:
    """Whether two texts may be of the same days; an undated text may be if one of the two was imported without a post id."""
    if published_on is None or other.published_on is None:
        return article.post_id is None or other.id < 0
    return abs((date.fromisoformat(published_on) - date.fromisoformat(other.published_on)).days) <= _NEAR_DAYS


@lru_cache(maxsize=16)  # the texts of an article are compared, hashed with its title, and hashed for its fingerprint
def normalised(text: str) -> str:
    """Return a text without the differences that make no revision: spaces, quote styles, Unicode normalisation."""
    text = unicodedata.normalize("NFC", text)
    for sign, plain in _PLAIN.items():  # faster than a table for `str.translate`, which is asked for each character
        text = text.replace(sign, plain)
    return " ".join(text.split())
