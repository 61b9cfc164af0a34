"""The table of the troubles of a drill: how often each one happened, what it cost, and how long the recovery took.

A trouble is either a fault of the site, which its request log shows, or an event such as a killed process. A loss is
counted for each trouble of the scenario in which the article was last published, changed or removed.

Boundary: pure functions; `runner` collects the values.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crawler.sim.drill.requests import HARMLESS, LoggedRequest
from crawler.sim.reconcile import Discrepancy

#: The names of the faults of the site in the table.
NAMES: Mapping[str, str] = {
    "throttle": "status 429 with Retry-After",
    "throttle_bare": "status 429 without Retry-After",
    "unavailable": "status 503 with Retry-After",
    "unavailable_bare": "status 503 without Retry-After",
    "error": "status 500",
    "forbidden": "status 403",
    "down": "connection closed without a response",
    "truncate": "connection closed in the middle of the body",
    "reset": "connection reset in the middle of the body",
    "slow": "slow body",
    "hang": "no response at all",
    "block": "bot wall with status 200",
    "captcha": "captcha with status 200",
    "consent": "consent page with status 200",
    "soft_404": "'not found' page with status 200",
    "empty": "empty page",
    "garbage": "random bytes",
    "cut_gzip": "truncated gzip data",
    "short": "fewer bytes than Content-Length says",
    "not_html": "a PDF instead of the page",
    "charset": "another charset, as declared",
    "false_charset": "another charset than declared",
    "endless": "endless body",
    "bomb": "decompression bomb",
    "loop": "redirect loop",
    "excursion": "redirect to another host",
}
_TWICE = frozenset({"twice", "false revision"})
_MISREAD = frozenset({"text", "field"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """One event that disturbed the service, from `begin` to `end`."""

    name: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class TroubleRow:
    """One row of the table: how often a trouble happened, and the numbers of articles lost, stored twice and misread.

    `recovery` is the longest time in minutes until the site could answer the same request, or after an event any
    request; None if nothing was requested afterwards.
    """

    trouble: str
    times: int
    lost: int
    twice: int
    misread: int
    recovery: float | None


def table(
    troubles: Iterable[Trouble],
    log: Sequence[LoggedRequest],
    lost: Iterable[Discrepancy],
    changed_at: Mapping[int, datetime],
    days: Sequence[datetime],
) -> list[TroubleRow]:
    """Return a row for each trouble that happened, in the order of its first occurrence.

    `changed_at` gives the last change of each article, and `days` the first moment of each scenario.
    """
    found = [*((trouble, "") for trouble in troubles)]
    found += [(Trouble(NAMES[r.fault], r.at, r.at), r.path) for r in log if r.fault is not None]
    periods: dict[str, set[int]] = {}
    recoveries: dict[str, dict[tuple[str, datetime], float]] = {}
    by_path = _answers(log)
    for trouble, path in sorted(found, key=lambda item: item[0].begin):
        inside = range(bisect_right(days, trouble.begin), bisect_right(days, trouble.end) + 1)
        periods.setdefault(trouble.name, set()).update(inside)
        answers, minutes = by_path.get(path, []), recoveries.setdefault(trouble.name, {})
        if (place := bisect_left(answers, trouble.end)) < len(answers):
            # of several faults before the same answer, the last one counts
            minutes[path, answers[place]] = (answers[place] - trouble.end).total_seconds() / 60
    losses = [(i.kind, bisect_right(days, changed_at[i.id])) for i in lost if i.id is not None and i.id in changed_at]

    def number(kinds: Collection[str], inside: set[int]) -> int:
        return sum(kind in kinds and scenario in inside for kind, scenario in losses)

    return [
        TroubleRow(
            name,
            times=sum(trouble.name == name for trouble, _ in found),
            lost=number({kind for kind, _ in losses} - _TWICE - _MISREAD, inside),
            twice=number(_TWICE, inside),
            misread=number(_MISREAD, inside),
            recovery=round(max(recoveries[name].values()), 1) if recoveries[name] else None,
        )
        for name, inside in periods.items()
    ]


def _answers(log: Sequence[LoggedRequest]) -> dict[str, list[datetime]]:
    """Return the times of the good responses, by path; for the empty path, those of all paths."""
    answers: dict[str, list[datetime]] = {"": []}
    for request in log:
        if request.fault in HARMLESS and not request.failed:
            answers.setdefault(request.path, []).append(request.at)
            answers[""].append(request.at)
    return answers
