"""The service's job `heal`: after a redesign, check known articles again, learn the new layout, propose or adopt it.

It also learns the layout of lists that have stopped naming articles.

Boundary: decides when and how much; `pipeline.heal` and `pipeline.heal_lists` learn, `pipeline.layouts` adopts and
withdraws.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from crawler import app
from crawler.clock import from_text
from crawler.daemon.job_result import JobResult
from crawler.daemon.jobs import FEWEST_DRIFTED
from crawler.errors import NothingToLearn
from crawler.health.checks import plural
from crawler.outcome import OutcomeKind
from crawler.pipeline import Run, visit_page
from crawler.pipeline.heal import MIN_EXACT, Proposal, propose
from crawler.pipeline.heal_lists import ListProposal, propose_lists
from crawler.pipeline.layouts import withdraw
from crawler.pipeline.run import recorded

_RECHECKS = 30  # known articles that are checked again, at most, so that there is something to learn from
_FIRST = 5  # rechecks after which a layout must be unknown on one of them, to go on
_READ = (OutcomeKind.NEW, OutcomeKind.REVISED, OutcomeKind.UNCHANGED, OutcomeKind.DUPLICATE)  # a known layout fits
_AGAIN, _LATER = timedelta(hours=1), timedelta(days=1)
_FEWEST_REVISED, _MOST_REVISED = 5, 0.3  # rechecks that differ, number and share, at which a layout is withdrawn


def work(run: Run, *, adopting: bool) -> JobResult:
    """Withdraw a learned layout that reads worse than before; then learn the layout of the pages in an unknown one."""
    with recorded(run, "heal"):
        lists = _learn_lists(run, adopting=adopting) if run.archive.is_list_empty() else ""
        result = _learn_pages(run, adopting=adopting)
    return replace(result, outcome=f"{result.outcome}; {lists}") if lists else result


def _learn_lists(run: Run, *, adopting: bool) -> str:
    """Learn the layout of the lists that have stopped naming articles; return a text that says what was learned."""
    try:
        return _described(propose_lists(run, adopting=adopting, least=MIN_EXACT))
    except NothingToLearn as error:
        return f"no layout of lists learned: {error}"


def _learn_pages(run: Run, *, adopting: bool) -> JobResult:
    now = run.clock.now()
    withdrawn = _withdrawn(run, now)
    ended = _check_drifted(run, now)
    drifted = run.archive.drifted_pages(FEWEST_DRIFTED)
    if withdrawn or len(drifted) < FEWEST_DRIFTED:
        return JobResult(withdrawn or "no unknown layout", now + _AGAIN, ok=not withdrawn)
    if ended:
        return JobResult("pages have a known layout again; the others are visited next", now + _AGAIN)
    _check_again(run)
    try:
        proposal = propose(run, adopting=adopting, texts=tuple(app.seeds().values()))
    except NothingToLearn as error:
        return JobResult(f"no layout learned: {error}", run.clock.now() + _LATER)
    return JobResult(_described(proposal), run.clock.now() + _AGAIN)


def _withdrawn(run: Run, now: datetime) -> str:
    """Withdraw the learned layouts with which many rechecked articles differ; return a text that says so."""
    found = []
    for layout in run.layouts:
        if layout.learned is None or layout.learned.until is not None:
            continue
        revised, checked = run.archive.revised_share(layout.name, max(now - _LATER, layout.learned.since))
        if revised >= _FEWEST_REVISED and revised > _MOST_REVISED * checked:
            withdraw(run, layout)
            found.append(f"{layout.name} withdrawn: {revised} of {checked} rechecked articles differ")
    return "; ".join(found)


def _check_drifted(run: Run, now: datetime) -> bool:
    """Visit pages in an unknown layout again until one is not read; at most 30. Return whether all were read.

    Their retries may be days apart, so without this check they would stay unread as long again after the site has
    returned to a known layout. Those that were visited longest ago come first, so that no odd page hides the others.
    """
    visited = [
        (from_text(d.page.last_fetched_at), d.page) for d in run.archive.drifted_pages() if d.page.last_fetched_at
    ]
    waiting = sorted((visit for visit in visited if visit[0] <= now - _AGAIN), key=lambda visit: visit[0])
    chosen = [page for _, page in waiting[:_RECHECKS]]
    return bool(chosen) and all(not run.stopping() and visit_page(run, page).kind in _READ for page in chosen)


def _check_again(run: Run) -> None:
    """Visit known articles of many forms, so that the layout can be learned from them; at most 30 for one redesign."""
    held = _held(run)
    for number, page in enumerate(run.archive.varied_pages(_RECHECKS - held), start=1):
        if run.stopping():
            return
        visit_page(run, page)
        if number == _FIRST and held == _held(run):
            return  # known articles still have a known layout


def _held(run: Run) -> int:
    """Return how many known articles are in an unknown layout now; at most 30 are counted."""
    return sum(drifted.is_held for drifted in run.archive.drifted_pages(_RECHECKS))


def _described(proposal: Proposal | ListProposal) -> str:
    healing, what = proposal.healing, "article" if isinstance(proposal, ListProposal) else "page"
    figure = f"{healing.share:.1%} exact on {plural(healing.verified, what)} kept apart"
    if proposal.adoption is not None:
        read = sum(proposal.adoption.verdicts.values())
        again = "" if isinstance(proposal, ListProposal) else f" {plural(read, 'page')} read again;"
        return f"{proposal.name} adopted ({figure});{again} {proposal.file}"
    enough = (
        "run `vna heal --adopt`"
        if healing.is_adoptable(MIN_EXACT)
        else "check it: it is not exact enough to adopt, or verified on too few pages"
    )
    return f"{proposal.name} proposed ({figure}) in {proposal.file}; {enough}"
