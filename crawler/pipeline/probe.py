"""First contact: the questions of the probe in their order, each answer kept, what they say of each assumption stored.

```
question | address, from the answers before it | fetch | keep | (an article: stored like any other visit) | evidence
evidence | judge | one transaction: findings
```
A question that fails leaves its checks unknown. What ends the run (no network, a pause that the host asked for, a
signal) ends the questions, too; what was found until then is stored.

Boundary: order only; what is asked, and what an answer means, is `probe`'s.
"""

from __future__ import annotations

from collections.abc import Callable

from crawler import urls
from crawler.errors import Disallowed, FetchError, Interrupted, SitePaused, SiteUnavailable, StopError
from crawler.fetch import look_up
from crawler.pipeline.pages import take_answer
from crawler.pipeline.run import Context, recorded
from crawler.probe import MOST_REQUESTS, QUESTIONS, Asked, Evidence, Question, Rules, judge
from crawler.types import Fetched, Finding, PageForFetch

PURPOSE = "probe"
VISIT = "probed"  # with the id behind it: an article that is stored like any other, though no list may have named it


def run_probe(context: Context, find_host: Callable[[str], object] = look_up) -> list[Finding]:
    """Ask, judge, store; give what was found. `find_host` fails where a host has no address: it is not asked then.

    Raises:
        StopError: the questions could not be gone through; what was found before is stored.

    """
    evidence = Evidence(context.site, context.markups, context.clock.now())
    with recorded(context, "probe"):
        context.progress.phase("questions", len(QUESTIONS))
        try:
            for question in QUESTIONS:
                _stop_if_asked(context)
                asked = evidence.asked[question.key] = _asked(context, evidence, question, find_host)
                context.progress.step(f"{question.key}: {_outcome(asked)}", asked.url)
        except StopError:
            _store(context, evidence)
            raise
        return _store(context, evidence)


def _stop_if_asked(context: Context) -> None:
    if context.stopping():
        raise Interrupted("asked to stop; what was found until now is stored", "`vna probe` asks everything again")


def _asked(context: Context, evidence: Evidence, question: Question, find_host: Callable[[str], object]) -> Asked:
    url = question.address(evidence)
    if url is None:
        return Asked(trouble=question.without)
    if context.report.requests >= MOST_REQUESTS:
        return Asked(url, trouble=f"the {MOST_REQUESTS} requests of a probe were spent")
    foreign = not context.site.owns(url)
    try:
        if foreign:
            find_host(url)
        answer = visit(context, url) if question.visit else _fetched(context, evidence, question, url)
    except FetchError as error:
        if isinstance(error, Disallowed):
            _learn_rules(context, evidence, url)
        return Asked(url, trouble=str(error), disallowed=isinstance(error, Disallowed))
    except SiteUnavailable as error:
        if not foreign or isinstance(error, SitePaused):
            raise
        return Asked(url, trouble=str(error))
    _learn_rules(context, evidence, url)
    return Asked(url, answer)


def _fetched(context: Context, evidence: Evidence, question: Question, url: str) -> Fetched:
    """Ask for something that is evidence of the probe alone."""
    before = evidence.answer(question.validators) if question.validators else None
    etag, modified = (before.header("ETag"), before.header("Last-Modified")) if before else (None, None)
    answer = _had(context, url, etag, modified)
    context.keep(answer, PURPOSE)
    with context.archive.transaction():
        context.log()
    return answer


def visit(context: Context, url: str) -> Fetched:
    """Ask for an article; what comes is stored as after any visit, first seen by this answer if nobody knew of it.

    Raises:
        FetchError: there was no answer.

    """
    post_id = urls.post_id(url) or 0
    with context.archive.claim(post_id) as claimed:
        if not claimed:
            raise FetchError(url, "another process is at this page")
        answer = _had(context, url)
        page = context.archive.page(post_id) or PageForFetch(post_id, url, "known", 0, answer.fetched_at, None, None)
        ref = context.keep(answer, f"{VISIT}:{post_id}")
        with context.archive.transaction():
            context.archive.add_page(page, PURPOSE)
        take_answer(context, page, answer, ref)
    return answer


def _had(context: Context, url: str, etag: str | None = None, modified: str | None = None) -> Fetched:
    try:
        return context.fetcher.get(url, etag=etag, last_modified=modified)
    except FetchError as error:
        context.keep_failure(url, error, PURPOSE)
        with context.archive.transaction():
            context.log()
        raise


def _learn_rules(context: Context, evidence: Evidence, url: str) -> None:
    robots = context.fetcher.robots
    evidence.rules.setdefault(urls.origin(url), Rules(*robots.copy(url), robots.delay(url), robots.sitemaps(url)))


def _outcome(asked: Asked) -> str:
    if asked.answer is None:
        return asked.trouble
    return f"{asked.answer.status} {asked.answer.url}"


def _store(context: Context, evidence: Evidence) -> list[Finding]:
    """Judge, and store what was found, dated by the last answer; a probe without a single answer leaves nothing."""
    findings = judge(evidence)
    answers = [asked.answer.fetched_at for asked in evidence.asked.values() if asked.answer]
    if answers:
        with context.archive.transaction():
            context.archive.save_findings(context.run, findings, max(answers))
    return findings
