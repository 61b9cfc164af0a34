"""Id probing: request unknown ids between known ones, at addresses with nothing but the id (dossier sections 2 and 3).

It is not known whether the site answers a request with an id but without the right slug. So once a day, before the
first such request, up to three archived articles and one id that cannot exist yet are requested. Ids are probed only if
the site returns one of the articles, and says that there is no article with the impossible id.

Boundary: only calls other modules in the right order; `crawler.plans` decides what a response means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crawler import plans, schedule
from crawler.backfill.work_item import WorkItem
from crawler.errors import MarkupDrift, NotAnArticle, StopError
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline import Capture, FetchFailure, Run, fetch, guarded, handle_response
from crawler.pipeline.articles import parse
from crawler.plan_values import BackfillRequest, NewStep, Plan, Step, StepOutcome
from crawler.plans import IdVerdict
from crawler.purpose import Purpose, PurposeKind
from crawler.storage import Archive
from crawler.types import Article, ErrorKind, PageForFetch, PageOutcome

SOURCE = "ids"  # the source of pages that id probing found
_SUPPORT = Purpose(PurposeKind.ID_SUPPORT)
_SUPPORT_STEP = 0  # position of the step that checks whether the site supports requests by id
_WITNESSES = 3  # archived articles to try in the check of support: one of them may have been removed in the meantime


@dataclass(frozen=True, slots=True)
class ProbedId:
    """The response to a request by id, what it means, and the article in it; `article` is None if there is none."""

    response: Capture
    verdict: IdVerdict
    article: Article | None


def requests_left(run: Run) -> bool:
    """Whether another request by id may be sent today (Hanoi time) without exceeding the daily limit."""
    since = plans.day_begins(run.clock.now())
    return run.archive.ids_asked_since(since, run.site.id_url_prefix) < run.settings.id_probes


def require_archived(archive: Archive | None) -> None:
    """Raise an error if the archive holds no article, because id probing needs one to compare with.

    Raises:
        StopError: the archive holds no article.

    """
    if archive is None or not archive.live_ids_near(1, 1):
        raise StopError(
            "the archive holds no article, so there are no known ids to search between",
            "run `vna poll` or `vna backfill` first",
        )


def check_support(run: Run, plan: Plan, step: Step) -> WorkItem | None:
    """Check once a day whether the site supports requests by id. The first time, add the ranges of ids to probe.

    Return None if there is nothing to check: the check was made today, the daily limit is reached, or no range is left.

    Raises:
        StopError: the site does not support requests by id, or the archive holds no article to try.

    """
    if _checked_today(run, step) or not requests_left(run):
        return None
    if step.found and not any(s.kind == "ids" and s.state == "todo" for s in run.archive.steps(plan.id)):
        return None

    def quarantine(message: str, now: datetime, _: int | None) -> WorkItem:
        return _save_failure(run, plan, step, run.site.root, message, ErrorKind.BUG, now)

    return guarded(run, _SUPPORT, lambda: _check_support(run, plan, step), quarantine)


def _check_support(run: Run, plan: Plan, step: Step) -> WorkItem:
    witness = _witness(run, plan, step)
    if isinstance(witness, FetchFailure):
        return _retry_later(run, plan, step, witness.error.url, witness)
    with run.transaction():
        if not step.found:
            run.archive.add_steps(plan.id, [NewStep("ids", target) for target in _targets(run, plan.request)])
        checked = StepOutcome("listed", {"day": _today(run)}, found=1)
        run.archive.save_step(plan.id, step.position, checked)
    detail = f"the site returns article {witness} by its id alone"
    return WorkItem(plan.id, "probe", Outcome(OutcomeKind.IDS_SUPPORTED, url=run.site.root, detail=detail))


def _witness(run: Run, plan: Plan, step: Step) -> int | FetchFailure:
    """Request archived articles by id alone, and return the id of the first one that the site serves.

    An impossible id is requested too, to check that the site returns nothing for it. If a request gets no usable
    response, return the failure.

    Raises:
        StopError: the site returns none of the archived articles, or it returns a page for the impossible id.

    """
    require_archived(run.archive)
    known = run.archive.live_ids_near(plans.estimated_ids(plan.request)[1], _WITNESSES)
    witness = None
    for post_id in known:
        probed = _request_support(run, post_id)
        if isinstance(probed, FetchFailure):
            return probed
        if probed.verdict == "there":
            witness = post_id
            break
    if witness is None:
        raise _unsupported(run, plan, step, f"archived articles are not found that way: {', '.join(map(str, known))}")
    _, newest = run.archive.ids_ends() or (1, witness)
    impossible = plans.impossible_id(newest)
    probed = _request_support(run, impossible)
    if isinstance(probed, FetchFailure):
        return probed
    if probed.verdict != "absent":
        raise _unsupported(run, plan, step, f"id {impossible} returns a page, although no article can have it yet")
    return witness


def probe_next(run: Run, plan: Plan, step: Step) -> WorkItem | None:
    """Probe the next id of a range; return None if no id is left, or if no request may be made now."""
    if not _checked_today(run, run.archive.step(plan.id, _SUPPORT_STEP)) or not requests_left(run):
        return None
    known = run.archive.ids_known(*plans.parse_id_range(step.target))
    for post_id in plans.unknown_ids(step.target, known, oldest_first=plan.request.oldest_first):
        with run.archive.claim(post_id) as claimed:
            if claimed and not run.archive.ids_known(post_id, post_id):
                return _probe(run, plan, step, post_id)
    with run.archive.transaction():
        run.archive.save_step(plan.id, step.position, StepOutcome("done", found=step.found))
    return None


def purpose_of(post_id: int) -> Purpose:
    """Return the purpose of a request by id, for the id `post_id`."""
    return Purpose(PurposeKind.ID, str(post_id))


def _request_support(run: Run, post_id: int) -> ProbedId | FetchFailure:
    url = run.site.article_by_id(post_id)
    purpose = Purpose(PurposeKind.ID_SUPPORT, str(post_id))
    response = fetch(run, url, purpose, failure_purpose=Purpose(PurposeKind.ID_SUPPORT, url))
    if isinstance(response, FetchFailure):
        return response
    with run.crash_marker.processing(str(_SUPPORT)):
        return judge(run, post_id, response)


def judge(run: Run, post_id: int, response: Capture) -> ProbedId:
    """Decide what an archived response to a request by id means."""
    article, result = None, None
    try:
        article = parse(run, response.fetched)
    except (NotAnArticle, MarkupDrift) as error:
        result = error
    found = article.post_id if article is not None else result
    verdict = plans.id_verdict(post_id, response.fetched.status, response.fetched.url, found)
    return ProbedId(response, verdict, article)


def store_probe(run: Run, post_id: int, probed: ProbedId) -> Outcome:
    """Store the result of a request by id. Needs an open transaction.

    An absent id is remembered, so that it is not requested again. For any other id, the row of a page is added.
    """
    response = probed.response
    address = run.site.article_by_id(post_id)
    if probed.verdict == "absent":
        run.archive.add_absent(post_id, address, response.at, run.capture_ids[response.ref])
        return Outcome(OutcomeKind.ABSENT, post_id)
    if probed.article is not None and probed.verdict == "there":
        address = probed.article.url or response.fetched.url
    page = PageForFetch(post_id, address, "known", 0, response.at, None, None)
    run.archive.add_page(page, SOURCE)
    return handle_response(run, page, response)


def quarantine_id(run: Run, post_id: int, message: str, now: datetime) -> None:
    """Record that the response to a request by id crashed the crawler. Needs an open transaction.

    The id gets a row in `pages`, so that it is retried like any other page.
    """
    page = run.archive.page(post_id)
    if page is None:
        page = PageForFetch(post_id, run.site.article_by_id(post_id), "known", 0, now, None, None)
        run.archive.add_page(page, SOURCE)
    run.archive.save_page(post_id, schedule.failed(page, now, message, kind=ErrorKind.BUG), now)


def _probe(run: Run, plan: Plan, step: Step, post_id: int) -> WorkItem:
    def quarantine(message: str, now: datetime, _: int | None) -> WorkItem:
        quarantine_id(run, post_id, message, now)
        run.archive.add_plan_pages(plan.id, step.position, [post_id])
        return WorkItem(plan.id, "probe", Outcome(OutcomeKind.FAILED, post_id, detail=message), "failed")

    return guarded(run, purpose_of(post_id), lambda: _fetch_and_store(run, plan, step, post_id), quarantine)


def _fetch_and_store(run: Run, plan: Plan, step: Step, post_id: int) -> WorkItem:
    address, purpose = run.site.article_by_id(post_id), purpose_of(post_id)
    response = fetch(run, address, purpose)
    if isinstance(response, FetchFailure):
        return _retry_later(run, plan, step, address, response, post_id)
    with run.crash_marker.processing(str(purpose)):
        probed = judge(run, post_id, response)
        with run.transaction():
            outcome = store_probe(run, post_id, probed)
            run.archive.add_plan_pages(plan.id, step.position, [post_id])
            there = probed.verdict == "there"
            run.archive.save_step(plan.id, step.position, StepOutcome("todo", found=step.found + there))
            if probed.verdict == "unclear":  # a block page, for example: check the support again before the next id
                run.archive.save_step(plan.id, _SUPPORT_STEP, StepOutcome("listed", found=1))
    return WorkItem(plan.id, "probe", outcome, run.archive.page_state(post_id), found=1)


def _retry_later(
    run: Run, plan: Plan, step: Step, address: str, failure: FetchFailure, post_id: int | None = None
) -> WorkItem:
    """Schedule a retry of a failed request.

    After too many failures, the id is marked as failed, and probing goes on with the next id.
    """
    with run.transaction():
        return _save_failure(run, plan, step, address, str(failure.error), failure.error.kind, failure.at, post_id)


def _save_failure(
    run: Run,
    plan: Plan,
    step: Step,
    address: str,
    message: str,
    kind: ErrorKind,
    now: datetime,
    post_id: int | None = None,
) -> WorkItem:
    outcome = plans.step_failed(step, now, message, absent=False, kind=kind)
    if post_id is not None and outcome.state == "failed":
        run.archive.add_page(PageForFetch(post_id, address, "known", 0, now, None, None), SOURCE)
        page = PageOutcome("failed", None, message, outcome.failures, error_kind=kind)
        run.archive.save_page(post_id, page, now)
        run.archive.add_plan_pages(plan.id, step.position, [post_id])
        outcome = StepOutcome("todo", found=step.found)
    run.archive.save_step(plan.id, step.position, outcome)
    return WorkItem(plan.id, "probe", Outcome(OutcomeKind.FAILED, url=address, detail=message))


def _unsupported(run: Run, plan: Plan, step: Step, why: str) -> StopError:
    """Record in the step that the site does not support requests by id, and return the error to raise."""
    with run.transaction():
        outcome = StepOutcome("failed", found=step.found, error=why, error_kind=ErrorKind.OTHER)
        run.archive.save_step(plan.id, step.position, outcome)
    return StopError(
        f"the site does not support requests by id alone: {why}",
        "use `vna backfill --via sitemap` or `vna backfill --via lists`, which send no requests by id",
    )


def id_range(archive: Archive, request: BackfillRequest) -> tuple[int, int]:
    """Return the first and last id of the range to probe. If nothing is to be probed, the last is below the first."""
    ends = archive.ids_ends()
    if ends is None:
        return 1, 0
    held = archive.ids_held(request.since, request.until, *plans.estimated_ids(request))
    return plans.ids_to_probe(request, held, ends)


def _targets(run: Run, request: BackfillRequest) -> list[str]:
    """Return the ranges of ids to probe. Those in open gaps between polls come first."""
    first, last = id_range(run.archive, request)
    gaps = [plans.format_id_range(*gap) for gap in run.archive.gap_spans(first, last)]
    return gaps + plans.id_ranges(first, last, oldest_first=request.oldest_first)


def _checked_today(run: Run, step: Step) -> bool:
    return step.state == "listed" and step.cursor.get("day") == _today(run)


def _today(run: Run) -> str:
    return plans.day_begins(run.clock.now()).date().isoformat()
