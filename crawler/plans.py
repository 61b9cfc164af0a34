"""What a backfill goes through, in which order, and what an answer means for its step. Arithmetic over days and ids.

Boundary: pure. Days are days in Hanoi, both ends included.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

from crawler import urls
from crawler.errors import BadInput, NotAnArticle, ParseError, Rejection
from crawler.schedule.backoff import retry_at
from crawler.site import FLOOR, HANOI, ID_ANCHORS, IDS_A_DAY, SITEMAP_INDEX, Site

Via = Literal["sitemap", "ids", "lists"]
StepKind = Literal["index", "sitemap", "section", "list", "sonar", "ids"]
StepState = Literal["todo", "listed", "done", "absent", "failed"]
Probed = Literal["there", "absent", "unclear"]

_CHUNK = 1000  # ids in one step
_SLACK = 1000  # ids by which a date may be off: three weeks, as the anchors are only good for days
_BESIDE = 25  # ids before the first and behind the last held article of a range: about half a day
_NEVER = 1_000_000  # beyond the newest known id, nothing can be
_GIVE_UP = 8  # failures in a row before a step waits for a human

#: Why some ways cannot be limited to a section.
_BLIND: Mapping[str | None, str] = {
    "sitemap": "a sitemap does not say which section an article is in",
    "ids": "an id does not say which section its article is in",
}


# --- what is asked for


@dataclass(frozen=True, slots=True)
class Asked:
    """What a backfill is to bring: the days, the way, the section, the order."""

    via: Via
    since: date
    until: date
    section: str | None = None
    oldest_first: bool = False


def asked(
    via: Via | None, since: date | None, until: date | None, section: str | None, *, oldest_first: bool, today: date
) -> Asked:
    """Fill in what was left open, and keep to what can be asked of the site.

    Raises:
        BadInput: no day lies in it, or a section of a channel that knows of none.

    """
    first, last = max(since or FLOOR, FLOOR), min(until or today, today)
    if first > last:
        raise BadInput(
            f"no day lies between {since or FLOOR} and {until or today}",
            f"the archive's days begin with {FLOOR} and end today, {today}",
        )
    if section is not None and via not in (None, "lists"):
        raise BadInput(
            f"--via {via} cannot be limited to a section: {_BLIND[via]}",
            "--via lists walks back through a section's own pages; or fetch all, and choose when you search or export",
        )
    return Asked(via or ("lists" if section is not None else "sitemap"), first, last, section, oldest_first)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it is stored."""

    id: int
    asked: Asked
    state: Literal["open", "done"]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan."""

    position: int
    kind: StepKind
    target: str
    state: StepState = "todo"
    cursor: Mapping[str, object] = field(default_factory=dict)
    found: int = 0
    failures: int = 0
    next_due_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What to write on a step after an answer."""

    state: StepState
    cursor: Mapping[str, object] = field(default_factory=dict)
    found: int = 0
    failures: int = 0
    next_due_at: datetime | None = None
    error: str | None = None


def first_steps(wanted: Asked, here: Site, sections: Iterable[tuple[StepKind, str]]) -> list[tuple[StepKind, str]]:
    """Give the steps that a plan begins with, in order; reading the index, or listening for ids, brings the others."""
    if wanted.via == "lists":
        return list(sections)
    return [("index", here.url(SITEMAP_INDEX))] if wanted.via == "sitemap" else [("sonar", "x")]


def step_failed(step: Step, now: datetime, error: str, *, absent: bool) -> StepOutcome:
    """Say what becomes of a step that got no good answer: it is tried again, ever more rarely, or is not there."""
    if absent:
        return StepOutcome("absent", error=error)
    failures = step.failures + 1
    if failures >= _GIVE_UP:
        return StepOutcome("failed", step.cursor, step.found, failures, error=error)
    return StepOutcome(step.state, step.cursor, step.found, failures, retry_at(now, failures), error)


# --- months and their sitemaps


class Month(NamedTuple):
    """A month of the calendar."""

    year: int
    month: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)


def months(wanted: Asked) -> list[Month]:
    """Give the months that have a day in the range, in the order of the plan."""
    found = []
    month = Month(wanted.since.year, wanted.since.month)
    while month.first <= wanted.until:
        found.append(month)
        month = month.next
    return found if wanted.oldest_first else found[::-1]


def sitemaps(wanted: Asked, here: Site, named: Iterable[tuple[tuple[int, int] | None, str]]) -> list[str]:
    """Give the sitemaps of the months: those that the index names, else the address that a month's is thought to have.

    A month is taken whole: a sitemap tells when an article was edited, not when it was published (dossier 11).
    """
    known: dict[tuple[int, int], list[str]] = {}
    for month, url in named:
        if month is not None and url not in known.setdefault(month, []):
            known[month].append(url)
    return [url for month in months(wanted) for url in known.get(month) or [here.monthly_sitemap(*month)]]


# --- ids and their days


def id_on(day: date) -> int:
    """Give the id that the sequence had reached when a day began, between the anchors in proportion (dossier 3)."""
    days = [anchor.toordinal() for _, anchor in ID_ANCHORS]
    at = day.toordinal()
    above = bisect_right(days, at)
    if above == len(days):
        return ID_ANCHORS[-1][0] + (at - days[-1]) * IDS_A_DAY
    above = max(above, 1)
    (low, _), (high, _) = ID_ANCHORS[above - 1], ID_ANCHORS[above]
    return max(1, low + (at - days[above - 1]) * (high - low) // (days[above] - days[above - 1]))


def ids_thought(wanted: Asked) -> tuple[int, int]:
    """Give the first and last id that articles of the range can be thought to have, generously."""
    return max(1, id_on(wanted.since) - _SLACK), id_on(wanted.until + timedelta(days=1)) + _SLACK


def ids_listed(wanted: Asked) -> tuple[int, int]:
    """Give the lowest and highest id that a list's items may have to count as of the range (they have no date)."""
    low, high = ids_thought(wanted)
    return (1 if wanted.since <= FLOOR else low), high


def thought_to_exist(first: date, last: date) -> int:
    """Say how many articles may have appeared in some days: no more than ids were used up (dossier 3)."""
    return max(0, id_on(last + timedelta(days=1)) - id_on(first))


def ids_to_ask(wanted: Asked, held: tuple[int, int] | None, known: tuple[int, int]) -> tuple[int, int]:
    """Give the first and last id of a range to look for holes in: around what is held of it, within what is known.

    Nothing is asked for beyond the newest known id: what is not published yet is not missing.
    """
    first, last = ids_thought(wanted) if held is None else (held[0] - _BESIDE, held[1] + _BESIDE)
    return max(first, known[0]), min(last, known[1])


def chunks(first: int, last: int, *, oldest_first: bool) -> list[str]:
    """Cut a range of ids into steps."""
    starts = range(first, last + 1, _CHUNK)
    targets = [span_text(start, min(start + _CHUNK - 1, last)) for start in starts]
    return targets if oldest_first else targets[::-1]


def span_text(first: int, last: int) -> str:
    """Write a range of ids as a step's target."""
    return f"{first}-{last}"


def span(target: str) -> tuple[int, int]:
    """Read a range of ids."""
    first, _, last = target.partition("-")
    return int(first), int(last)


def holes(target: str, known: Collection[int], *, oldest_first: bool) -> Iterator[int]:
    """Give the ids of a range that are not known, in the order in which to ask for them."""
    first, last = span(target)
    ids: Sequence[int] = range(first, last + 1)
    yield from (i for i in (ids if oldest_first else reversed(ids)) if i not in known)


def impossible(newest: int) -> int:
    """Give an id that no article can have yet."""
    return newest + _NEVER


def probed(post_id: int, status: int, address: str, read: int | ParseError | None) -> Probed:
    """Say what an answer to the question for an id means; `read` is the id of the article on the page, or why none.

    Not there is what says so (404, 410, a soft 404), what leads elsewhere, and what shows another article. Anything
    else, a block page say, proves nothing.
    """
    if status in (404, 410) or urls.post_id(address) != post_id:
        return "absent"
    if status != 200:
        return "unclear"
    if isinstance(read, NotAnArticle):
        return "absent" if read.rejection is Rejection.SOFT_404 else "unclear"
    if not isinstance(read, int):
        return "unclear"
    return "there" if read == post_id else "absent"


def day_begins(now: datetime) -> datetime:
    """Give the instant at which the Hanoi day began."""
    return datetime.combine(now.astimezone(HANOI).date(), time(), HANOI)


# --- lists and their pages


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a walk through a list has come; `before` holds the ids of the last page, `mark` a sum of an older one.

    The first page is left out of `before`: it is a whole page, whose sidebar may show all of the second.
    """

    next: str | None = None
    pages: int = 0
    before: tuple[int, ...] = ()
    mark: int = 0


def walked(walk: Walk, ids: Sequence[int], more: str | None, lowest: int) -> Walk:
    """Go on behind a page with these ids; `next` is None at the end of the walk.

    It ends where there is no more, where a page shows nothing that the one before it did not show, where pages come
    round again (Brent's method: one older page is remembered, at every power of two), and where everything is too old.
    """
    total = zlib.crc32(repr(sorted(ids)).encode())
    ended = not ids or set(ids) <= set(walk.before) or (walk.pages and total == walk.mark) or max(ids) < lowest
    pages = walk.pages + 1
    is_power = pages & (pages - 1) == 0
    return Walk(None if ended else more, pages, tuple(ids) if walk.pages else (), total if is_power else walk.mark)


# --- how much, how long


def duration(requests: int, rate: float, daily_cap: int, quiet_hours: tuple[time, time] | None) -> timedelta:
    """Say how long so many requests take at least, with the budget to themselves."""
    seconds = requests / rate if rate else 0.0
    if quiet_hours is not None:
        seconds /= 1 - _share(*quiet_hours)
    if daily_cap:
        seconds = max(seconds, (requests / daily_cap) * 86_400)
    return timedelta(seconds=round(seconds))


def _share(begin: time, end: time) -> float:
    """Give the part of a day between two times; they differ, and the second may be of the next day."""
    minutes = (end.hour * 60 + end.minute - begin.hour * 60 - begin.minute) % 1440
    return minutes / 1440
