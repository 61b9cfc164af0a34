"""The steps of a backfill plan, their order, and what a response means for a step.

Boundary: pure; arithmetic on days and ids. Days are days in Hanoi; a range includes its first and its last day.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple

from crawler import urls
from crawler.errors import NOT_FOUND, BadInput, NotAnArticle, ParseError, Rejection
from crawler.plan_values import BackfillRequest, NewStep, Step, StepKind, StepOutcome, Via
from crawler.schedule.backoff import retry_at
from crawler.site import FLOOR, HANOI, ID_ANCHORS, IDS_A_DAY, SITEMAP_INDEX, Site
from crawler.types import ErrorKind

IdVerdict = Literal["there", "absent", "unclear"]

#: The target of the step that checks whether the site answers requests by id: it has none.
NO_TARGET = "x"

_RANGE = 1000  # ids in one step
_SLACK = 1000  # ids: how far an id estimated from a date may be off, about three weeks; anchors are accurate to days
_MARGIN = 25  # ids to probe below the lowest and above the highest archived one of a range: about half a day
_NEVER = 1_000_000  # no article can have an id yet that is this far above the newest known one
_GIVE_UP = 8  # failures in a row after which a step is no longer retried: a person has to look at it

#: Why some methods cannot be limited to a section.
_WITHOUT_SECTIONS: Mapping[str | None, str] = {
    "sitemap": "a sitemap does not give the section of an article",
    "ids": "an id does not give the section of an article",
}


# --- requests and steps


def request(
    via: Via | None, since: date | None, until: date | None, section: str | None, *, oldest_first: bool, today: date
) -> BackfillRequest:
    """Complete a request, in which None stands for the default, and limit its days to those that can have articles.

    Raises:
        BadInput: the days are in the wrong order, no day is left, or the method cannot be limited to a section.

    """
    if since is not None and until is not None and since > until:
        raise BadInput(f"--since {since} is after --until {until}", "give the earlier day as --since")
    first, last = max(since or FLOOR, FLOOR), min(until or today, today)
    if first > last:
        raise BadInput(
            f"no article can have been published before {FLOOR} or after today, {today}",
            f"choose days between {FLOOR} and {today}",
        )
    if section is not None and via not in (None, "lists"):
        raise BadInput(
            f"--via {via} cannot be limited to a section: {_WITHOUT_SECTIONS[via]}",
            "use --via lists, or fetch all sections and filter when you search or export",
        )
    return BackfillRequest(via or ("lists" if section is not None else "sitemap"), first, last, section, oldest_first)


def first_steps(wanted: BackfillRequest, here: Site, sections: Iterable[tuple[StepKind, str]]) -> list[NewStep]:
    """Return the first steps of a plan, in order.

    The other steps are added when the sitemap index has been read, or when the site has answered requests by id.
    """
    if wanted.via == "lists":
        return [NewStep(kind, url) for kind, url in sections]
    return [NewStep("index", here.url(SITEMAP_INDEX)) if wanted.via == "sitemap" else NewStep("sonar", NO_TARGET)]


def step_failed(step: Step, now: datetime, error: str, *, absent: bool, kind: ErrorKind | None = None) -> StepOutcome:
    """Return the outcome of a step without a good response: it is retried with backoff, given up, or marked as absent.

    `absent`: whether the site has no such list, so that a retry is pointless.
    """
    if absent:
        return StepOutcome("absent", error=error, error_kind=kind)
    failures = step.failures + 1
    if failures >= _GIVE_UP:
        return StepOutcome("failed", step.cursor, step.found, failures, error=error, error_kind=kind)
    return StepOutcome(step.state, step.cursor, step.found, failures, retry_at(now, failures), error, kind)


# --- months and their sitemaps


class PlanMonth(NamedTuple):
    """A calendar month."""

    year: int
    month: int

    @property
    def first(self) -> date:
        """The first day of the month."""
        return date(self.year, self.month, 1)

    @property
    def next(self) -> PlanMonth:
        """The following month."""
        return PlanMonth(self.year + self.month // 12, self.month % 12 + 1)


def months(wanted: BackfillRequest) -> list[PlanMonth]:
    """Return the months that contain requested days, in the order of the plan."""
    found = []
    month = PlanMonth(wanted.since.year, wanted.since.month)
    while month.first <= wanted.until:
        found.append(month)
        month = month.next
    return found if wanted.oldest_first else found[::-1]


def month_sitemaps(
    wanted: BackfillRequest,
    here: Site,
    named: Iterable[tuple[tuple[int, int] | None, str]],
    absent: Collection[str] = (),
) -> list[NewStep]:
    """Return the steps that read the sitemaps of the requested months.

    `named` has the months and addresses in the sitemap index; it is empty if the index could not be read. If the index
    names no sitemap of a month, the usual address of such a sitemap is guessed, unless it is in `absent`. The sitemap of
    a month is used as a whole even if only some of its days are requested: it gives the time of the last edit of an
    article, not the publication time (dossier section 11).

    Without any month in the index, nothing says which sitemaps exist; the usual addresses then do not count as guesses,
    so that a plan that finds none of them is not reported as complete.
    """
    known: dict[tuple[int, int], list[str]] = {}
    for month, url in named:
        if month is not None and url not in known.setdefault(month, []):
            known[month].append(url)
    steps: list[NewStep] = []
    for month in months(wanted):
        if month in known:
            steps += [NewStep("sitemap", url) for url in known[month]]
        elif (usual := here.monthly_sitemap(*month)) not in absent:
            steps.append(NewStep("sitemap", usual, guessed=bool(known)))
    return steps


# --- ids and their days


def id_on(day: date) -> int:
    """Estimate the highest id in use at the start of a day, from known pairs of id and day (dossier section 3)."""
    days = [anchor.toordinal() for _, anchor in ID_ANCHORS]
    at = day.toordinal()
    above = bisect_right(days, at)
    if above == len(days):
        return ID_ANCHORS[-1][0] + (at - days[-1]) * IDS_A_DAY
    above = max(above, 1)
    (low, _), (high, _) = ID_ANCHORS[above - 1], ID_ANCHORS[above]
    return max(1, low + (at - days[above - 1]) * (high - low) // (days[above] - days[above - 1]))


def estimated_ids(wanted: BackfillRequest) -> tuple[int, int]:
    """Return the lowest and highest id that articles of the requested days may have, with a generous margin."""
    return max(1, id_on(wanted.since) - _SLACK), id_on(wanted.until + timedelta(days=1)) + _SLACK


def listed_ids(wanted: BackfillRequest) -> tuple[int, int]:
    """Return the lowest and highest id of the list items that are taken to belong to the requested days.

    List items have no date, so they are selected by id.
    """
    low, high = estimated_ids(wanted)
    return (1 if wanted.since <= FLOOR else low), high


def estimated_articles(first: date, last: date) -> int:
    """Estimate how many articles were published from `first` to `last`: as many as ids were used (dossier section 3).

    This is an upper bound, because not every id becomes an article.
    """
    return max(0, id_on(last + timedelta(days=1)) - id_on(first))


def ids_to_probe(wanted: BackfillRequest, held: tuple[int, int] | None, known: tuple[int, int]) -> tuple[int, int]:
    """Return the first and last id of the range whose unknown ids are to be probed.

    `held` is the lowest and highest archived id of the requested days, None if there is none. `known` is the lowest and
    highest of all known ids. Nothing is probed above the newest known id: what is not published yet is not missing.
    """
    first, last = estimated_ids(wanted) if held is None else (held[0] - _MARGIN, held[1] + _MARGIN)
    return max(first, known[0]), min(last, known[1])


def id_ranges(first: int, last: int, *, oldest_first: bool) -> list[str]:
    """Split the range of ids from `first` to `last` into shorter ranges, each of which is the target of one step."""
    starts = range(first, last + 1, _RANGE)
    targets = [format_id_range(start, min(start + _RANGE - 1, last)) for start in starts]
    return targets if oldest_first else targets[::-1]


def format_id_range(first: int, last: int) -> str:
    """Return a range of ids in the form in which a step stores its target, such as `1000-1999`."""
    return f"{first}-{last}"


def parse_id_range(target: str) -> tuple[int, int]:
    """Return the first and last id of a range that `format_id_range` wrote."""
    first, _, last = target.partition("-")
    return int(first), int(last)


def unknown_ids(target: str, known: Collection[int], *, oldest_first: bool) -> Iterator[int]:
    """Yield the ids of the range `target` that are not in `known`, in the order in which to probe them."""
    first, last = parse_id_range(target)
    ids: Sequence[int] = range(first, last + 1)
    yield from (i for i in (ids if oldest_first else reversed(ids)) if i not in known)


def impossible_id(newest: int) -> int:
    """Return an id that no article can have yet."""
    return newest + _NEVER


def id_verdict(post_id: int, status: int, address: str, result: int | ParseError | None) -> IdVerdict:
    """Return what a response to a request by id means.

    `address` is the URL of the response, after redirects. `result` is the id of the article on the page (None if the
    page does not give one), or the error that says why there is no article.

    An id is `absent` if the response says so (404, 410, a soft 404), redirects elsewhere or shows another article. Any
    other response without the article, such as a block page, is `unclear`.
    """
    if status in NOT_FOUND or urls.post_id(address) != post_id:
        return "absent"
    if status != 200:
        return "unclear"
    if isinstance(result, NotAnArticle):
        return "absent" if result.rejection is Rejection.SOFT_404 else "unclear"
    if not isinstance(result, int):
        return "unclear"
    return "there" if result == post_id else "absent"


def day_begins(now: datetime) -> datetime:
    """Return the instant at which the current day began in Hanoi."""
    return datetime.combine(now.astimezone(HANOI).date(), time(), HANOI)


# --- lists and their pages


@dataclass(frozen=True, slots=True)
class ListCursor:
    """How far a walk through the pages of a list has come.

    `next` is the URL of the next page: None before the first page and at the end. `pages` is the number of pages read.
    `before` has the ids on the page that was read last; it stays empty after the first page, because the sidebar there
    may list everything that the second page lists. `mark` is a checksum of an older page, to detect a cycle.
    """

    next: str | None = None
    pages: int = 0
    before: tuple[int, ...] = ()
    mark: int = 0


def next_cursor(cursor: ListCursor, ids: Sequence[int], more: str | None, lowest: int) -> ListCursor:
    """Return the cursor after a page that lists `ids` and links to the page `more`; its `next` is None at the end.

    The walk ends if there is no further page, if a page lists nothing that the previous page did not list, if the pages
    repeat in a cycle (Brent's method: one older page is remembered, at every power of two), or if all ids are below
    `lowest`.
    """
    total = zlib.crc32(repr(sorted(ids)).encode())
    ended = not ids or set(ids) <= set(cursor.before) or (cursor.pages and total == cursor.mark) or max(ids) < lowest
    pages = cursor.pages + 1
    is_power = pages & (pages - 1) == 0
    return ListCursor(
        None if ended else more, pages, tuple(ids) if cursor.pages else (), total if is_power else cursor.mark
    )


# --- duration


def duration(requests: int, rate: float, daily_cap: int, quiet_hours: tuple[time, time] | None) -> timedelta:
    """Return the shortest time in which `requests` requests can be sent, if no other process sends any.

    `rate` is in requests per second. A `rate` or `daily_cap` of 0 sets no limit. Nothing is sent in `quiet_hours`.
    """
    seconds = requests / rate if rate else 0.0
    if quiet_hours is not None:
        seconds /= 1 - _share_of_day(*quiet_hours)
    if daily_cap:
        seconds = max(seconds, (requests / daily_cap) * 86_400)
    return timedelta(seconds=round(seconds))


def _share_of_day(begin: time, end: time) -> float:
    """Return the share of a day (0 to 1) between `begin` and `end`; `end` may be on the next day."""
    minutes = (end.hour * 60 + end.minute - begin.hour * 60 - begin.minute) % 1440
    return minutes / 1440
