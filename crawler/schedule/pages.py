"""When to fetch an article page again, and what a response means for its row.

Boundary: pure functions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crawler import urls
from crawler.errors import Rejection
from crawler.schedule.backoff import retry_at
from crawler.types import ErrorKind, PageForFetch, PageOutcome, PageState

# A known article is checked again when its age has grown by a factor, because most edits are made soon after publication
# and few after days. Each check costs the site a page. An edit is found at the latest when the article is that factor
# older than at the edit; versions that were replaced earlier are lost.
_LAST_AGE = timedelta(days=365)
#: Visits to a page that is cut off or garbled, after which it is accepted, unless the archive has a better one.
FAULT_RETRIES = 3
#: States of a page that an imported capture with an article makes live.
UNREAD: tuple[PageState, ...] = ("known", "absent", "failed", "drift", "rejected")


@dataclass(frozen=True, slots=True)
class _Rechecks:
    """The shortest and the longest interval between two checks; in between, the interval as a share of the age."""

    shortest: timedelta
    share_of_age: float
    longest: timedelta


#: Without a modification time from a source, only checks find edits: 19 in the first month.
_RECHECKS = _Rechecks(timedelta(minutes=15), 0.5, timedelta(days=30))
#: With one, an edit is fetched as soon as that time changes. A check only has to find out whether the hint is reliable and
#: whether the page still exists: about 1, 3, 10 and 30 hours and 4, 11 and 34 days after publication.
_HINTED_RECHECKS = _Rechecks(timedelta(hours=1), 2.0, timedelta(days=60))
# Waits between "not found" responses (dossier section 18.22): the second at least an hour after the first, the third a day
# after the second. A site under maintenance may return 404 for everything for an afternoon.
_CONFIRMATIONS = (timedelta(hours=1), timedelta(days=1))
# Pages to which a site redirects the address of an article that it removed (dossier section 18.22).
_REDIRECT_TARGETS = frozenset(
    {Rejection.HOME_PAGE, Rejection.SECTION_PAGE, Rejection.TOPIC_PAGE, Rejection.SEARCH_PAGE}
)
_GIVE_UP = 8  # failures in a row; then the page waits until a source lists it again
_ABANDONED: tuple[PageState, ...] = ("gone", "failed", "drift", "rejected")  # states in which no visit may be scheduled


def next_check(
    now: datetime, published: datetime | None, first_seen: datetime, *, hinted: bool = False
) -> datetime | None:
    """Return when to check an article again after a successful fetch; None once the article is a year old.

    Age counts from publication, or from the first sighting if the publication time is unknown or in the future.
    `hinted`: whether a source gives a modification time of the article that has been reliable so far.
    """
    since = published if published is not None and published <= now else first_seen
    age = now - since
    if age >= _LAST_AGE:
        return None
    rule = _HINTED_RECHECKS if hinted else _RECHECKS
    return now + max(rule.shortest, min(_in_whole_seconds(age * rule.share_of_age), rule.longest))


def _in_whole_seconds(span: timedelta) -> timedelta:
    return timedelta(seconds=round(span.total_seconds()))  # due times are stored in whole seconds


def has_lastmod_hint(page: PageForFetch, *, missed: bool = False) -> bool:
    """Whether a page has a reliable lastmod hint: one that has missed no edit. `missed`: whether it just missed one."""
    return page.hinted_at is not None and not (page.unhinted or missed)


def missed_edit(page: PageForFetch, *, changed: bool) -> bool:
    """Whether a page changed after the last visit although the modification time that its sources give did not."""
    if not changed or page.hinted_at is None or page.last_fetched_at is None:
        return False
    return page.hinted_at <= datetime.fromisoformat(page.last_fetched_at)


def failed(
    page: PageForFetch, now: datetime, error: str, *, state: PageState = "failed", kind: ErrorKind | None = None
) -> PageOutcome:
    """Return the changes to the row of a page that could not be fetched or parsed. Its archived article is not touched.

    A failure does not count as "not found": a live page stays live, a suspect page stays suspect, a gone page stays
    gone. Any other page changes to the state `state`, and is abandoned after eight failures (see `should_retry`).
    """
    if page.state == "gone":
        return PageOutcome("gone", None, error, page.failures, error_kind=kind)
    if page.state == "suspect":
        return PageOutcome("suspect", now + _CONFIRMATIONS[0], error, page.failures, error_kind=kind)
    failures = page.failures + 1
    archived = page.state == "live"
    due = retry_at(now, failures) if failures < _GIVE_UP or archived else None
    return PageOutcome(page.state if archived else state, due, error, failures, error_kind=kind)


def gone(page: PageForFetch, now: datetime, error: str, other: str | None = None) -> PageOutcome:
    """Return the changes to the row of a page that was not found: suspect at first, gone after two confirmations.

    The column `failures` counts the "not found" responses. If the page was visited for another reason before the next
    confirmation is due, the response is not counted.

    `other` is another address under which the site named the page. It is requested at the next visit, and at once if the
    page was not suspect, so that a wrong spelling is not mistaken for a removal.
    """
    kind = ErrorKind.REMOVED
    if page.state == "gone":
        return PageOutcome("gone", None, error, page.failures + 1, url=other, error_kind=kind)
    count = 1  # earlier failures of other kinds do not count
    if page.state == "suspect":
        due = _last_visit(page, now) + _CONFIRMATIONS[min(page.failures, len(_CONFIRMATIONS)) - 1]
        if now < due:
            return PageOutcome("suspect", due, error, page.failures, url=other, error_kind=kind)
        count = page.failures + 1
    if count > len(_CONFIRMATIONS):
        return PageOutcome("gone", None, error, count, url=other, error_kind=kind)
    wait = timedelta() if other is not None and page.state != "suspect" else _CONFIRMATIONS[count - 1]
    return PageOutcome("suspect", now + wait, error, count, url=other, error_kind=kind)


def removal_reason(page: PageForFetch, url: str, rejection: Rejection) -> str | None:
    """Return why a response without an article shows that an archived article was removed; None if it shows nothing.

    `url` is the address of the response, after redirects. A block page, a maintenance page or a PDF proves nothing.
    """
    if page.state not in ("live", "suspect", "gone") or not leads_elsewhere(page, url, rejection):
        return None
    if rejection is Rejection.SOFT_404:
        return "the page says that the article does not exist"
    return f"redirects to {rejection.description} ({url})"


def leads_elsewhere(page: PageForFetch, url: str, rejection: Rejection) -> bool:
    """Whether a response without an article says that the requested address names no article.

    `url` is the address of the response, after redirects.
    """
    return rejection is Rejection.SOFT_404 or (rejection in _REDIRECT_TARGETS and urls.post_id(url) != page.id)


def should_retry(page: PageForFetch, now: datetime) -> bool:
    """Whether to fetch a page that a source lists although the page is gone or was abandoned.

    A gone page is fetched 20 minutes after its last visit, an abandoned one after about half a day; the wait doubles
    with each further failure. Because the site lists the page, it probably exists: a fault may have lasted longer than
    the retries.
    """
    return page.state in _ABANDONED and retry_at(_last_visit(page, now), page.failures) <= now


def _last_visit(page: PageForFetch, now: datetime) -> datetime:
    return datetime.fromisoformat(page.last_fetched_at) if page.last_fetched_at else now
