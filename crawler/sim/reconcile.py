"""Reconcile an archive with the ground truth: which articles, versions and removals did the archive miss?

The ground truth comes from the fake site alone: which text each article had at which time, which of these versions a
client received, and when the page was online. None of it is taken from the archive, so that one bug cannot falsify both
sides in the same way. Texts are compared character by character, and all other fields value by value.

Boundary: pure functions that take the ground truth and the contents of an archive, and return a reconciliation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crawler.types import BODY_TYPES, Block, ImageBlock, TextBlock

#: An article must be held if its page was reachable for this long: no list is polled less often.
HELD_AFTER = timedelta(hours=6)
#: An article must be `gone` this long after its removal: a recheck within a day, then three responses over 25 hours.
GONE_AFTER = timedelta(hours=60)
#: An article may be `gone` only after this many "not found" responses, the last one this long after the first one.
GONE_RESPONSES, GONE_PERIOD = 3, timedelta(hours=25)
_SHOWN_VALUE = 80  # characters of a value in a message

#: Fields by name, each with the values that are right. There are several if the site cannot know which one is, for
#: example because a client that was killed may or may not have stored the response.
RightValues = Mapping[str, Collection[object]]


@dataclass(frozen=True, slots=True)
class PublishedText:
    """The exact text of an article: title, lead, text blocks of the body, and picture captions, in order."""

    title: str
    lead: str
    texts: tuple[str, ...]
    captions: tuple[str, ...] = ()

    @classmethod
    def from_blocks(cls, title: str, lead: str | None, blocks: Iterable[Block]) -> PublishedText:
        """Return the text of an article that has the given title, lead and blocks."""
        all_blocks = tuple(blocks)
        texts = tuple(b.text for b in all_blocks if isinstance(b, TextBlock) and b.type in BODY_TYPES)
        return cls(title, lead or "", texts, tuple(b.caption or "" for b in all_blocks if isinstance(b, ImageBlock)))


@dataclass(frozen=True, slots=True)
class Span:
    """A period of time; `end` is None if the period has not ended yet."""

    begin: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an article: its text, published at `since`. `shown` is true if a client received it undamaged.

    `fields` are the right values of the fields of its revision, and `current` those of the article, if this version is
    its newest one in the archive.
    """

    text: PublishedText
    since: datetime
    shown: bool = False
    fields: RightValues = field(default_factory=dict)
    current: RightValues = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroundTruth:
    """One article according to the site: its versions, and the periods when its page was online.

    `copy_of` is the id of the article whose text this one repeats; None if the article is not a copy. `not_found` are
    the times of the responses that said that the page does not exist; None if they were not recorded.
    """

    id: int
    versions: tuple[Version, ...]
    online: tuple[Span, ...]
    copy_of: int | None = None
    not_found: tuple[datetime, ...] | None = None

    @property
    def removed_at(self) -> datetime | None:
        """The time when the page was removed, or None if it is online."""
        return self.online[-1].end


@dataclass(frozen=True, slots=True)
class HeldArticle:
    """One article in the archive: its state, its current text, and its revisions, oldest first.

    `fields` are the other fields of the article, and `revision_fields` those of each revision.
    """

    id: int
    url: str
    state: str
    text: PublishedText
    revisions: tuple[PublishedText, ...]
    fields: Mapping[str, object] = field(default_factory=dict)
    revision_fields: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class ArchiveContents:
    """The contents of an archive: its articles, the pairs marked as duplicates, and the faults that `verify` found."""

    articles: Sequence[HeldArticle]
    pairs: frozenset[frozenset[int]] = frozenset()
    faults: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One difference between site and archive, with a message; `id` is None if it does not concern a single article."""

    kind: str
    id: int | None
    says: str  # the message; the name is a key in the output of `vna drill --json`


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result of comparing an archive with the ground truth.

    `published` is the number of articles on the site, and `held` how many of them are in the archive. `shown` is the
    number of versions that clients received, `revisions` the number of versions in the archive. `removed` is the number
    of removed articles, and `tombstones` how many of them the archive marks as gone. `copies` is the number of articles
    that repeat the text of another one. `lost` lists all errors of the archive and should be empty. `unseen` lists what
    no crawler could have archived, such as a version that was replaced between two polls.
    """

    published: int
    held: int
    shown: int
    revisions: int
    removed: int
    tombstones: int
    copies: int
    lost: tuple[Discrepancy, ...]
    unseen: tuple[Discrepancy, ...]


def reconcile(
    truths: Iterable[GroundTruth], archive: ArchiveContents, outages: Sequence[Span], now: datetime
) -> Reconciliation:
    """Compare the archive with the ground truth. `outages` lists the periods when the site or the service was down."""
    known = {truth.id: truth for truth in truths}
    held = {article.id: article for article in archive.articles}
    lost, unseen = list(_unknown(known, archive.articles)), list[Discrepancy]()
    for truth in known.values():
        article = held.get(truth.id)
        if article is None:
            (unseen if _unobtainable(truth, outages, now) else lost).append(_missing(truth))
        else:
            lost += _losses(truth, article, now)
            unseen += _never_shown(truth, article, now)
    lost += _wrong_copies(known, held, archive.pairs)
    lost += [Discrepancy("evidence", None, fault) for fault in archive.faults]
    published_and_held = [held[i] for i in known if i in held]
    removed = [truth for truth in known.values() if truth.removed_at is not None]
    return Reconciliation(
        published=len(known),
        held=len(published_and_held),
        shown=sum(len(_shown(truth)) for truth in known.values()),
        revisions=sum(len(article.revisions) for article in published_and_held),
        removed=len(removed),
        tombstones=sum(held[t.id].state == "gone" for t in removed if t.id in held),
        copies=sum(truth.copy_of is not None for truth in known.values()),
        lost=tuple(lost),
        unseen=tuple(unseen),
    )


# --- one article ------------------------------------------------------------------------------------------------------


def _losses(truth: GroundTruth, article: HeldArticle, now: datetime) -> Iterator[Discrepancy]:
    yield from _wrong_state(truth, article, now)
    published = [version.text for version in truth.versions]
    if missing := _not_in_order(_shown(truth), article.revisions):
        first = next(v for v in truth.versions if v.shown and v.text == missing[0])
        yield Discrepancy(
            "revision",
            truth.id,
            f"{len(missing)} versions were served but are not held, the first one published at {_when(first.since)}",
        )
    if false := _not_in_order(article.revisions, published):
        yield Discrepancy(
            "false revision",
            truth.id,
            f"{len(false)} revisions hold a text that was never published: {_short_title(false[0])}",
        )
    if truth.removed_at is None and article.text != published[-1]:
        fields = ", ".join(_different_fields(published[-1], article.text))
        yield Discrepancy(
            "text", truth.id, f"differs from the site's text since {_when(truth.versions[-1].since)}: {fields}"
        )
    if article.revisions[-1:] != (article.text,):
        yield Discrepancy("text", truth.id, "differs from the last revision")
    yield from _wrong_fields(truth, article)


def _wrong_state(truth: GroundTruth, article: HeldArticle, now: datetime) -> Iterator[Discrepancy]:
    removed = truth.removed_at
    if removed is None and article.state != "live":
        yield Discrepancy("state", truth.id, f"the page is online, but the state is {article.state}")
    if removed is not None and now - removed > GONE_AFTER and article.state != "gone":
        yield Discrepancy("state", truth.id, f"removed at {_when(removed)}, but the state is {article.state}")

    if article.state == "gone" and truth.not_found is not None and not _is_confirmed(truth.not_found):
        times = ", ".join(map(_when, truth.not_found)) or "none"
        yield Discrepancy(
            "state",
            truth.id,
            f"gone, although the site did not say {GONE_RESPONSES} times over "
            f"{GONE_PERIOD.total_seconds() / 3600:.0f} hours that the page does not exist: {times}",
        )


def _is_confirmed(not_found: Sequence[datetime]) -> bool:
    return len(not_found) >= GONE_RESPONSES and not_found[-1] - not_found[0] >= GONE_PERIOD


def _wrong_fields(truth: GroundTruth, article: HeldArticle) -> Iterator[Discrepancy]:
    """Yield the fields of an article and of its revisions that differ from those of the version with the same text."""
    if candidates := [version.current for version in truth.versions if version.text == article.text]:
        yield from _differences(truth.id, "the article", candidates, article.fields)
    held = zip(article.revisions, article.revision_fields, strict=False)
    for number, (text, fields) in enumerate(held, 1):
        if candidates := [version.fields for version in truth.versions if version.text == text]:
            yield from _differences(truth.id, f"revision {number}", candidates, fields)


def _differences(
    post_id: int, what: str, candidates: Sequence[RightValues], held: Mapping[str, object]
) -> Iterator[Discrepancy]:
    """Compare with the candidate that has the fewest differences; a text may have been published more than once."""
    wrong = min(
        ({name: right for name, right in fields.items() if held.get(name) not in right} for fields in candidates),
        key=len,
    )
    for name, right in wrong.items():
        published = " or ".join(sorted(map(_short_value, right))) or "nothing"
        says = f"{name} of {what} is {_short_value(held.get(name))} instead of {published}"
        yield Discrepancy("field", post_id, says)


def _missing(truth: GroundTruth) -> Discrepancy:
    spans = ", ".join(f"{_when(span.begin)} to {_when(span.end) if span.end else 'now'}" for span in truth.online)
    title = _short_title(truth.versions[-1].text)
    return Discrepancy("article", truth.id, f"not held; its page was online {spans}: {title}")


def _unobtainable(truth: GroundTruth, outages: Sequence[Span], now: datetime) -> bool:
    """Whether an article was removed before the service had enough time to fetch it."""
    reachable = sum((_length(span, now) - _overlap(span, outages, now) for span in truth.online), timedelta())
    return truth.removed_at is not None and reachable < HELD_AFTER


def _never_shown(truth: GroundTruth, article: HeldArticle, now: datetime) -> Iterator[Discrepancy]:
    """Yield the versions that were replaced or removed before any client received them."""
    ends = [*(version.since for version in truth.versions[1:]), truth.removed_at or now]
    for version, end in zip(truth.versions, ends, strict=True):
        if not version.shown and version.text not in article.revisions:
            minutes = int((end - version.since).total_seconds() // 60)
            yield Discrepancy(
                "version", truth.id, f"online for {minutes} min from {_when(version.since)}, between two polls"
            )


def _shown(truth: GroundTruth) -> list[PublishedText]:
    """Return the texts of an article that clients received, in order; consecutive equal texts count once."""
    texts: list[PublishedText] = []
    for version in truth.versions:
        if version.shown and texts[-1:] != [version.text]:
            texts.append(version.text)
    return texts


def _not_in_order(wanted: Iterable[PublishedText], among: Sequence[PublishedText]) -> list[PublishedText]:
    """Return the texts in `wanted` that are missing from `among`.

    A text that `among` contains, but not in the order of `wanted`, counts as missing.
    """
    place, missing = 0, []
    for text in wanted:
        try:
            place = among.index(text, place) + 1
        except ValueError:
            missing.append(text)
    return missing


def _different_fields(one: PublishedText, other: PublishedText) -> list[str]:
    return [name for name in ("title", "lead", "texts", "captions") if getattr(one, name) != getattr(other, name)]


# --- several articles -------------------------------------------------------------------------------------------------


def _unknown(known: Mapping[int, GroundTruth], articles: Sequence[HeldArticle]) -> Iterator[Discrepancy]:
    """Yield the archived articles that the site never published, and the URLs that several archived articles share."""
    for article in articles:
        if article.id not in known:
            yield Discrepancy("article", article.id, f"never published: {article.url}")
    for url, count in Counter(article.url for article in articles).items():
        if count > 1:
            yield Discrepancy("twice", None, f"{count} articles have the same URL: {url}")


def _wrong_copies(
    known: Mapping[int, GroundTruth], held: Mapping[int, HeldArticle], pairs: frozenset[frozenset[int]]
) -> Iterator[Discrepancy]:
    """Yield the copies that the archive did not recognise, and the articles that it wrongly marked as copies."""
    true = {frozenset((truth.id, truth.copy_of)) for truth in known.values() if truth.copy_of is not None}
    for pair in sorted(map(sorted, true - pairs)):
        if all(i in held for i in pair):
            yield Discrepancy("copy", pair[-1], f"has the same text as {pair[0]}, but is not marked as its duplicate")
    for pair in sorted(map(sorted, pairs - true)):
        yield Discrepancy("copy", pair[-1], f"is marked as a duplicate of {pair[0]}, but has another text")


# --- time -------------------------------------------------------------------------------------------------------------


def _length(span: Span, now: datetime) -> timedelta:
    return (span.end or now) - span.begin


def _overlap(span: Span, others: Iterable[Span], now: datetime) -> timedelta:
    """Return how much time `span` has in common with the spans in `others`, which must not overlap one another."""
    common = (min(span.end or now, o.end or now) - max(span.begin, o.begin) for o in others)
    return sum((length for length in common if length > timedelta()), timedelta())


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def _short_title(text: PublishedText) -> str:
    return text.title if len(text.title) <= 60 else f"{text.title[:59]}…"


def _short_value(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_VALUE else f"{text[: _SHOWN_VALUE - 1]}…"
