"""What was lost: the truth about a site held against what an archive has of it.

The truth is the site's own: what each article said from when on, what of it a reader was shown, when its page was there.
Nothing of it is taken from the archive, so that both cannot be wrong in the same way. Texts are compared to the letter.

Boundary: pure; truth and holdings in, an account out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler.types import BODY_TYPES, Block, ImageBlock, TextBlock

#: A page that was there so long, while it could be asked for, must be held: no list is looked at more rarely.
LONG_ENOUGH = timedelta(hours=6)
#: So long after it was taken away, a page must be known as gone: a look within a day, and three answers over 25 hours.
CERTAIN = timedelta(hours=60)


@dataclass(frozen=True, slots=True)
class Said:
    """What an article says, to the letter: the texts of its body, and the captions of its pictures, in order."""

    title: str
    lead: str
    texts: tuple[str, ...]
    captions: tuple[str, ...] = ()

    @classmethod
    def of(cls, title: str, lead: str | None, blocks: Iterable[Block]) -> Said:
        """Take it from an article's parts."""
        kept = tuple(blocks)
        texts = tuple(block.text for block in kept if isinstance(block, TextBlock) and block.type in BODY_TYPES)
        return cls(title, lead or "", texts, tuple(b.caption or "" for b in kept if isinstance(b, ImageBlock)))


@dataclass(frozen=True, slots=True)
class Span:
    """A time from an instant on; `end` is None when it has none yet."""

    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """What an article said since an instant; `shown` says whether a reader was given it whole."""

    said: Said
    since: datetime
    shown: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """One article as the site knows it: all that it said, when its page was there, of which other one it is a copy."""

    id: int
    versions: tuple[Version, ...]
    online: tuple[Span, ...]
    copy_of: int | None = None

    @property
    def removed_at(self) -> datetime | None:
        """When its page was taken away; None while it is there."""
        return self.online[-1].end


@dataclass(frozen=True, slots=True)
class Holding:
    """One article as an archive has it: its state, what it says now, and its revisions, oldest first."""

    id: int
    url: str
    state: str
    said: Said
    revisions: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Archive:
    """What an archive has: articles, pairs of them that it takes for the same, what its verification found."""

    holdings: Sequence[Holding]
    pairs: frozenset[frozenset[int]] = frozenset()
    faults: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """One thing in an account: its kind, the article if it is about one, and words."""

    kind: str
    id: int | None
    says: str


@dataclass(frozen=True, slots=True)
class Account:
    """What came of it. `lost` should be empty; `unseen` is what nobody who polls could have, and is no loss of ours."""

    published: int
    held: int
    shown: int
    revisions: int
    removed: int
    tombstones: int
    copies: int
    lost: tuple[Note, ...]
    unseen: tuple[Note, ...]


def settle(truths: Iterable[Truth], archive: Archive, blind: Sequence[Span], now: datetime) -> Account:
    """Compare. `blind` are the times in which the site could not be asked, or nobody asked."""
    known = {truth.id: truth for truth in truths}
    held = {holding.id: holding for holding in archive.holdings}
    lost, unseen = list(_foreign(known, archive.holdings)), list[Note]()
    for truth in known.values():
        holding = held.get(truth.id)
        if holding is None:
            (unseen if _hopeless(truth, blind, now) else lost).append(_missing(truth))
        else:
            lost += _losses(truth, holding, now)
            unseen += _never_shown(truth, holding, now)
    lost += _twins(known, held, archive.pairs)
    lost += [Note("evidence", None, fault) for fault in archive.faults]
    there = [held[i] for i in known if i in held]
    removed = [truth for truth in known.values() if truth.removed_at is not None]
    return Account(
        published=len(known),
        held=len(there),
        shown=sum(len(_shown(truth)) for truth in known.values()),
        revisions=sum(len(holding.revisions) for holding in there),
        removed=len(removed),
        tombstones=sum(held[t.id].state == "gone" for t in removed if t.id in held),
        copies=sum(truth.copy_of is not None for truth in known.values()),
        lost=tuple(lost),
        unseen=tuple(unseen),
    )


# --- one article ------------------------------------------------------------------------------------------------------


def _losses(truth: Truth, holding: Holding, now: datetime) -> Iterator[Note]:
    yield from _wrong_state(truth, holding, now)
    every = [version.said for version in truth.versions]
    if missing := _not_in_order(_shown(truth), holding.revisions):
        first = next(v for v in truth.versions if v.shown and v.said == missing[0])
        yield Note(
            "revision", truth.id, f"{len(missing)} that were shown are not held, the first of {_when(first.since)}"
        )
    if false := _not_in_order(holding.revisions, every):
        yield Note("false revision", truth.id, f"{len(false)} say what the article never said: {_title(false[0])}")
    if truth.removed_at is None and holding.said != every[-1]:
        what = ", ".join(_differing(every[-1], holding.said))
        yield Note("text", truth.id, f"is not what the site shows since {_when(truth.versions[-1].since)}: {what}")
    if holding.revisions[-1:] != (holding.said,):
        yield Note("text", truth.id, "is not what its last revision says")


def _wrong_state(truth: Truth, holding: Holding, now: datetime) -> Iterator[Note]:
    removed = truth.removed_at
    if removed is None and holding.state != "live":
        yield Note("state", truth.id, f"its page is there, and it is held as {holding.state}")
    if removed is not None and now - removed > CERTAIN and holding.state != "gone":
        yield Note("state", truth.id, f"was removed {_when(removed)}, and is held as {holding.state}")


def _missing(truth: Truth) -> Note:
    spans = ", ".join(f"{_when(span.begin)} to {_when(span.end) if span.end else 'now'}" for span in truth.online)
    return Note("article", truth.id, f"is not held; its page was there {spans}: {_title(truth.versions[-1].said)}")


def _hopeless(truth: Truth, blind: Sequence[Span], now: datetime) -> bool:
    """Say whether an article went away before anybody could have had it."""
    seen = sum((_length(span, now) - _overlap(span, blind, now) for span in truth.online), timedelta())
    return truth.removed_at is not None and seen < LONG_ENOUGH


def _never_shown(truth: Truth, holding: Holding, now: datetime) -> Iterator[Note]:
    """Name what stood for so short a time that it was replaced between two looks."""
    ends = [*(version.since for version in truth.versions[1:]), truth.removed_at or now]
    for version, end in zip(truth.versions, ends, strict=True):
        if not version.shown and version.said not in holding.revisions:
            stood = int((end - version.since).total_seconds() // 60)
            yield Note("version", truth.id, f"stood for {stood} min from {_when(version.since)} on: between two looks")


def _shown(truth: Truth) -> list[Said]:
    """Give what a reader was shown, each once for as long as nothing else was."""
    said: list[Said] = []
    for version in truth.versions:
        if version.shown and said[-1:] != [version.said]:
            said.append(version.said)
    return said


def _not_in_order(wanted: Iterable[Said], among: Sequence[Said]) -> list[Said]:
    """Give what of `wanted` does not stand in `among` in the same order."""
    place, missing = 0, []
    for said in wanted:
        try:
            place = among.index(said, place) + 1
        except ValueError:
            missing.append(said)
    return missing


def _differing(one: Said, other: Said) -> list[str]:
    return [name for name in ("title", "lead", "texts", "captions") if getattr(one, name) != getattr(other, name)]


# --- several articles -------------------------------------------------------------------------------------------------


def _foreign(known: Mapping[int, Truth], holdings: Sequence[Holding]) -> Iterator[Note]:
    """Name what the site never published, and what is held twice."""
    for holding in holdings:
        if holding.id not in known:
            yield Note("article", holding.id, f"was never published: {holding.url}")
    for url, count in Counter(holding.url for holding in holdings).items():
        if count > 1:
            yield Note("twice", None, f"{count} articles are held under one address: {url}")


def _twins(known: Mapping[int, Truth], held: Mapping[int, Holding], pairs: frozenset[frozenset[int]]) -> Iterator[Note]:
    """Name copies that were not recognised, and articles that were taken for copies."""
    true = {frozenset((truth.id, truth.copy_of)) for truth in known.values() if truth.copy_of is not None}
    for pair in sorted(map(sorted, true - pairs)):
        if all(i in held for i in pair):
            yield Note("copy", pair[-1], f"says the same as {pair[0]}, and is not recognised")
    for pair in sorted(map(sorted, pairs - true)):
        yield Note("copy", pair[-1], f"does not say the same as {pair[0]}, and is taken for a copy of it")


# --- time -------------------------------------------------------------------------------------------------------------


def _length(span: Span, now: datetime) -> timedelta:
    return (span.end or now) - span.begin


def _overlap(span: Span, others: Iterable[Span], now: datetime) -> timedelta:
    """Give how much of a time lies in others that do not meet one another."""
    common = (min(span.end or now, o.end or now) - max(span.begin, o.begin) for o in others)
    return sum((length for length in common if length > timedelta()), timedelta())


def _when(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%MZ}"


def _title(said: Said) -> str:
    return said.title if len(said.title) <= 60 else f"{said.title[:59]}…"
