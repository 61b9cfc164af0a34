"""When to come back to a page, and what an answer means for its row."""

from __future__ import annotations

from datetime import datetime, timedelta

from crawler import urls
from crawler.errors import Rejection
from crawler.schedule.backoff import retry_at
from crawler.types import PageForFetch, PageOutcome, PageState

# Checks of a known article by its age: often while it is new, then ever more rarely.
_RECHECKS = (
    (timedelta(hours=3), timedelta(minutes=15)),
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=3)),
    (timedelta(days=30), timedelta(days=3)),
    (timedelta(days=365), timedelta(days=30)),
)
# The same where a source says when a page was modified: the hint brings the edits at once, and a check has only to see
# whether the hints are true, and whether the page is still there.
_HINTED_RECHECKS = (
    (timedelta(hours=3), timedelta(hours=1)),
    (timedelta(days=1), timedelta(hours=6)),
    (timedelta(days=7), timedelta(days=1)),
    (timedelta(days=30), timedelta(days=7)),
    (timedelta(days=365), timedelta(days=60)),
)
# Answers "gone" (dossier 18.22): the second at least an hour after the first, the third a day after the second. A site
# in repair may say 404 of everything for an afternoon.
_PROBES = (timedelta(hours=1), timedelta(days=1))
# Pages that are not articles, to which a site redirects the address of an article that it removed (dossier section 18.22).
_REDIRECT_TARGETS = frozenset(
    {Rejection.HOME_PAGE, Rejection.SECTION_PAGE, Rejection.TOPIC_PAGE, Rejection.SEARCH_PAGE}
)
_GIVE_UP = 8  # failed visits in a row before a page waits until a source lists it once more, or somebody asks
_LEFT: tuple[PageState, ...] = ("gone", "failed", "drift", "rejected")  # where nothing is due any more


def next_check(
    now: datetime, published: datetime | None, first_seen: datetime, *, hinted: bool = False
) -> datetime | None:
    """Say when to look again at an article that was fetched well; None when it has settled.

    `hinted`: a source says when the page was modified, and was not found wrong about it.

    Age counts from publication, or from the first sighting when the publication time is unknown or lies ahead.
    """
    since = published if published is not None and published <= now else first_seen
    age = now - since
    table = _HINTED_RECHECKS if hinted else _RECHECKS
    return next((now + interval for limit, interval in table if age < limit), None)


def hinted(page: PageForFetch, *, missed: bool = False) -> bool:
    """Say whether the sources' hints tell of a page's edits; `missed`: they have just been seen not to."""
    return page.hinted_at is not None and not (page.unhinted or missed)


def unhinted(page: PageForFetch, *, changed: bool) -> bool:
    """Say whether a page changed after the last visit although the hints of its sources did not."""
    if not changed or page.hinted_at is None or page.last_fetched_at is None:
        return False
    return page.hinted_at <= datetime.fromisoformat(page.last_fetched_at)


def failed(page: PageForFetch, now: datetime, error: str, *, state: PageState = "failed") -> PageOutcome:
    """Give the row of a page that could not be had or read; what the archive holds of it is untouched.

    An article that is held stays live through failures; another page is given up after many (see `ask_again`). Trouble
    is no probe: a page under suspicion stays where it is, and one that is gone stays gone.
    """
    if page.state == "gone":
        return PageOutcome("gone", None, error, page.failures)
    if page.state == "suspect":
        return PageOutcome("suspect", now + _PROBES[0], error, page.failures)
    failures = page.failures + 1
    held = page.state == "live"
    due = retry_at(now, failures) if failures < _GIVE_UP or held else None
    return PageOutcome(page.state if held else state, due, error, failures)


def gone(page: PageForFetch, now: datetime, error: str) -> PageOutcome:
    """Give the row of a page that is not there: suspect at first, gone after probes that are spaced.

    `failures` counts the probes; one that comes too early, because somebody asked, is not counted.
    """
    if page.state == "gone":
        return PageOutcome("gone", None, error, page.failures + 1)
    probes = 1  # other trouble before it is no probe
    if page.state == "suspect":
        due = _last_visit(page, now) + _PROBES[min(page.failures, len(_PROBES)) - 1]
        if now < due:
            return PageOutcome("suspect", due, error, page.failures)
        probes = page.failures + 1
    if probes > len(_PROBES):
        return PageOutcome("gone", None, error, probes)
    return PageOutcome("suspect", now + _PROBES[probes - 1], error, probes)


def removed(page: PageForFetch, url: str, rejection: Rejection) -> str | None:
    """Return why a response that is not an article means that an archived one was removed; None if it does not.

    `url` is the address of the response, after redirects. A block page, a maintenance page or a PDF proves nothing.
    """
    if page.state not in ("live", "suspect", "gone"):
        return None
    if rejection is Rejection.SOFT_404:
        return "the page says that the article does not exist"
    if rejection in _REDIRECT_TARGETS and urls.post_id(url) != page.id:
        return f"redirects to {rejection.description} ({url})"
    return None


def ask_again(page: PageForFetch, now: datetime) -> bool:
    """Say whether to ask for a page that a source shows, and of which nothing is due: one that is gone, or was given up.

    Gone: at once, and if it stays so ever more rarely. Given up: after half a day and then ever more rarely, too; what
    the site lists is there, and a trouble that outlasted our patience may be over.
    """
    return page.state in _LEFT and retry_at(_last_visit(page, now), page.failures) <= now


def _last_visit(page: PageForFetch, now: datetime) -> datetime:
    return datetime.fromisoformat(page.last_fetched_at) if page.last_fetched_at else now
