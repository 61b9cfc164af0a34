"""When to come back to a page, and what an answer means for its row."""

from __future__ import annotations

from datetime import datetime, timedelta

from crawler.policy.retries import retry_at
from crawler.types import PageForFetch, PageOutcome, PageState

# Checks of a known article by its age: often while it is new, then ever more rarely.
_RECHECKS = (
    (timedelta(hours=3), timedelta(minutes=15)),
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=3)),
    (timedelta(days=30), timedelta(days=3)),
    (timedelta(days=365), timedelta(days=30)),
)
_GONE_PROBES = 3  # answers "gone", spaced by the retry interval, before the article is called gone (dossier 18.22)
_GIVE_UP = 8  # failed visits in a row before a page waits for a human


def next_check(now: datetime, published: datetime | None, first_seen: datetime) -> datetime | None:
    """Say when to look again at an article that was fetched well; None when it has settled.

    Age counts from publication, or from the first sighting when the publication time is unknown or lies ahead.
    """
    since = published if published is not None and published <= now else first_seen
    age = now - since
    return next((now + interval for limit, interval in _RECHECKS if age < limit), None)


def failed(page: PageForFetch, now: datetime, error: str, *, state: PageState = "failed") -> PageOutcome:
    """Give the row of a page that could not be had or read; what the archive holds of it is untouched.

    An article that is held stays live through failures; after many of them the page waits for somebody to ask.
    """
    failures = page.failures + 1
    held = page.state in ("live", "suspect")
    due = retry_at(now, failures) if failures < _GIVE_UP or held else None
    return PageOutcome(page.state if held else state, due, error, failures)


def gone(page: PageForFetch, now: datetime, error: str) -> PageOutcome:
    """Give the row of a page that answered 404 or 410: suspect at first, gone after repeats."""
    failures = page.failures + 1 if page.state in ("suspect", "gone") else 1  # other trouble before it is no probe
    if failures >= _GONE_PROBES:
        return PageOutcome("gone", None, error, failures)
    return PageOutcome("suspect", retry_at(now, failures), error, failures)
