"""Asking for ids that no list names: holes between known ids, one address each, by the id alone (dossier 2, 3).

Whether the site answers to an id under a wrong name is not known. So before the first question of a day two answers are
looked at: that for an article which is surely there, and that for an id which cannot be. If the first is not the
article, or the second is one, nothing can be heard, and nothing is concluded.

Boundary: order only; what an answer means is `policy.plans`'s.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from crawler import plans, schedule
from crawler.backfill.work_item import Unit
from crawler.errors import FetchError, MarkupDrift, NotAnArticle, StopError
from crawler.pipeline import Context, guarded, take_answer
from crawler.plans import Asked, Plan, Probed, Step, StepOutcome
from crawler.storage import Archive
from crawler.types import Article, Fetched, PageForFetch, PageOutcome, RawRef

SOURCE = "ids"
_LISTENING = "sonar"
_LISTEN_FIRST = 0  # position of the step
_WITNESSES = 3  # held articles that are asked for: one may have been taken away meanwhile


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking for an id, and what it means."""

    fetched: Fetched
    ref: RawRef
    verdict: Probed
    article: Article | None


def may_ask(context: Context) -> bool:
    """Say whether the day's requests for ids are not used up."""
    since = plans.day_begins(context.clock.now())
    return context.archive.ids_asked_since(since, context.site.guesses) < context.id_probes


def require_held(archive: Archive | None) -> None:
    """Refuse to ask for ids while there is no article to compare with.

    Raises:
        StopError: none is held.

    """
    if archive is None or not archive.live_ids_near(1, 1):
        raise StopError(
            "no article is held, so there are no known ids to look for holes between",
            "run `vna poll` or `vna backfill` first",
        )


def listen(context: Context, plan: Plan, step: Step) -> Unit | None:
    """Look, once a day, whether the site answers to ids; the first time, say which ones to ask for.

    Raises:
        StopError: it does not, or no article is held that could be asked for.

    """
    if _heard_today(context, step) or not may_ask(context):
        return None
    if step.found and not any(s.kind == "ids" and s.state == "todo" for s in context.archive.steps(plan.id)):
        return None

    def aside(words: str, now: datetime, _: int | None) -> Unit:
        return _save_failure(context, plan, step, context.site.root, words, now)

    return guarded(context, _LISTENING, lambda: _listened(context, plan, step), aside)


def _listened(context: Context, plan: Plan, step: Step) -> Unit:
    try:
        known = _heard(context, plan, step)
    except FetchError as error:
        return _postponed(context, plan, step, error.url, error)
    with context.written():
        if not step.found:
            context.archive.add_steps(plan.id, [("ids", target) for target in _targets(context, plan.asked)])
        heard = StepOutcome("listed", {"day": _today(context)}, found=1)
        context.archive.save_step(plan.id, step.position, heard)
    return Unit(plan.id, "probe", f"listening: the site answers to {known} by its id alone", context.site.root)


def _heard(context: Context, plan: Plan, step: Step) -> int:
    """Ask for articles that are held until one answers, then for what cannot be; give the article that answered.

    Raises:
        StopError: none answered, or what cannot be did.
        FetchError: there was no answer at all.

    """
    require_held(context.archive)
    known = context.archive.live_ids_near(plans.ids_thought(plan.asked)[1], _WITNESSES)
    heard = next((i for i in known if _listened_to(context, i).verdict == "there"), None)
    if heard is None:
        raise _deaf(context, plan, step, f"articles are held, and not found that way: {', '.join(map(str, known))}")
    _, newest = context.archive.ids_ends() or (1, heard)
    nobody = plans.impossible(newest)
    if _listened_to(context, nobody).verdict != "absent":
        raise _deaf(context, plan, step, f"{nobody} is answered with a page, though nothing can have that id yet")
    return heard


def ask_next(context: Context, plan: Plan, step: Step) -> Unit | None:
    """Ask for the next id of a range; None when it has no hole left, or nothing may be asked now."""
    if not _heard_today(context, context.archive.step(plan.id, _LISTEN_FIRST)) or not may_ask(context):
        return None
    known = context.archive.ids_known(*plans.span(step.target))
    for post_id in plans.holes(step.target, known, oldest_first=plan.asked.oldest_first):
        with context.archive.claim(post_id) as claimed:
            if claimed and not context.archive.ids_known(post_id, post_id):
                return _probe(context, plan, step, post_id)
    with context.archive.transaction():
        context.archive.save_step(plan.id, step.position, StepOutcome("done", found=step.found))
    return None


def purpose_of(post_id: int) -> str:
    """Say in the WARC what an id was asked for."""
    return f"id:{post_id}"


def _listened_to(context: Context, post_id: int) -> Answer:
    return ask(context, post_id, f"{_LISTENING}:{post_id}", _LISTENING)


def ask(context: Context, post_id: int, purpose: str, in_hand: str) -> Answer:
    """Ask for an id and keep the answer; `in_hand` is what is noted while it is looked at.

    Raises:
        FetchError: there was none.

    """
    fetched = context.fetcher.get(context.site.article_by_id(post_id))
    ref = context.keep(fetched, purpose)
    with context.in_hand.taking(in_hand):
        return judged(context, post_id, fetched, ref)


def judged(context: Context, post_id: int, fetched: Fetched, ref: RawRef) -> Answer:
    """Say what an answer that is kept means."""
    article, read = None, None
    try:
        article = context.parse(fetched)
    except (NotAnArticle, MarkupDrift) as error:
        read = error
    found = article.post_id if article is not None else read
    return Answer(fetched, ref, plans.probed(post_id, fetched.status, fetched.url, found), article)


def take_probe(context: Context, post_id: int, answer: Answer) -> str:
    """Take in an answer to the question for an id; give what came of it in words. The caller holds the transaction.

    What is not there is remembered, so that it is not asked for again; what is there, or cannot be told, is a page.
    """
    now = answer.fetched.fetched_at
    address = context.site.article_by_id(post_id)
    if answer.verdict == "absent":
        raw_id = context.raw_id(answer.fetched, answer.ref, purpose_of(post_id))
        context.archive.add_absent(post_id, address, now, raw_id)
        return f"absent: {post_id}"
    if answer.article is not None and answer.verdict == "there":
        address = answer.article.url or answer.fetched.url
    page = PageForFetch(post_id, address, "known", 0, now, None, None)
    context.archive.add_page(page, SOURCE)
    return take_answer(context, page, answer.fetched, answer.ref)


def put_off(context: Context, post_id: int, words: str, now: datetime) -> None:
    """Write that a bug kept the answer to an id from being taken in: it is a page, to be asked for as others are.

    The caller holds the transaction.
    """
    page = context.archive.page(post_id)
    if page is None:
        page = PageForFetch(post_id, context.site.article_by_id(post_id), "known", 0, now, None, None)
        context.archive.add_page(page, SOURCE)
    context.archive.save_page(post_id, schedule.failed(page, now, words), now)


def _probe(context: Context, plan: Plan, step: Step, post_id: int) -> Unit:
    def aside(words: str, now: datetime, _: int | None) -> Unit:
        put_off(context, post_id, words, now)
        context.archive.add_plan_pages(plan.id, step.position, [post_id])
        return Unit(plan.id, "probe", f"failed: {post_id}: {words}", context.site.article_by_id(post_id), "failed")

    return guarded(context, purpose_of(post_id), lambda: _probed(context, plan, step, post_id), aside)


def _probed(context: Context, plan: Plan, step: Step, post_id: int) -> Unit:
    address = context.site.article_by_id(post_id)
    try:
        answer = ask(context, post_id, purpose_of(post_id), purpose_of(post_id))
    except FetchError as error:
        return _postponed(context, plan, step, address, error, post_id)
    with context.in_hand.taking(purpose_of(post_id)), context.written():
        what = take_probe(context, post_id, answer)
        context.archive.add_plan_pages(plan.id, step.position, [post_id])
        there = answer.verdict == "there"
        context.archive.save_step(plan.id, step.position, StepOutcome("todo", found=step.found + there))
        if answer.verdict == "unclear":  # a block page, say: before the next question, listen again
            context.archive.save_step(plan.id, _LISTEN_FIRST, StepOutcome("listed", found=1))
    return Unit(plan.id, "probe", what, address, context.archive.page_state(post_id), found=1)


def _postponed(
    context: Context, plan: Plan, step: Step, address: str, error: FetchError, post_id: int | None = None
) -> Unit:
    """Try again later; an id that never gets an answer is left to a human, so that the others have their turn."""
    now = context.keep_failure(address, error, f"{_LISTENING}:{address}" if post_id is None else purpose_of(post_id))
    with context.written():
        return _save_failure(context, plan, step, address, str(error), now, post_id)


def _save_failure(
    context: Context, plan: Plan, step: Step, address: str, words: str, now: datetime, post_id: int | None = None
) -> Unit:
    outcome = plans.step_failed(step, now, words, absent=False)
    if post_id is not None and outcome.state == "failed":
        context.archive.add_page(PageForFetch(post_id, address, "known", 0, now, None, None), SOURCE)
        context.archive.save_page(post_id, PageOutcome("failed", None, words, outcome.failures), now)
        context.archive.add_plan_pages(plan.id, step.position, [post_id])
        outcome = StepOutcome("todo", found=step.found)
    context.archive.save_step(plan.id, step.position, outcome)
    return Unit(plan.id, "probe", f"failed: {address}: {words}", address)


def _deaf(context: Context, plan: Plan, step: Step, why: str) -> StopError:
    """Write that the site does not answer to ids, and word it."""
    with context.written():
        context.archive.save_step(plan.id, step.position, StepOutcome("failed", found=step.found, error=why))
    return StopError(
        f"the site cannot be asked by id alone: {why}",
        "holes between ids cannot be told from articles here; `vna backfill --via sitemap` and --via lists do not need it",
    )


def span(archive: Archive, asked: Asked) -> tuple[int, int]:
    """Give the first and last id of a range to look for holes in; the last is before the first when there are none."""
    ends = archive.ids_ends()
    if ends is None:
        return 1, 0
    held = archive.ids_held(asked.since, asked.until, *plans.ids_thought(asked))
    return plans.ids_to_ask(asked, held, ends)


def _targets(context: Context, asked: Asked) -> list[str]:
    """Give the ranges to ask in: the open gaps of the polls before the others."""
    first, last = span(context.archive, asked)
    gaps = [plans.span_text(*gap) for gap in context.archive.gap_spans(first, last)]
    return gaps + plans.chunks(first, last, oldest_first=asked.oldest_first)


def _heard_today(context: Context, step: Step) -> bool:
    return step.state == "listed" and step.cursor.get("day") == _today(context)


def _today(context: Context) -> str:
    return plans.day_begins(context.clock.now()).date().isoformat()
