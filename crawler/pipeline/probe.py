"""The probe, the first contact with the site: ask its questions in order, archive the responses, store the findings.

```
question → address (may depend on earlier responses) → fetch and archive → evidence
evidence → judge → one transaction: findings
seeds → look up in sitemaps and the search → fetch → compare; if their layout is unknown, learn it
```

An article that is fetched for a question is processed like any other visit. If a question fails, the checks that need
its response stay unknown. If the run has to end early (no network, a pause that the host asked for, a signal), the
findings made so far are stored.

Boundary: only calls other modules in the right order; `crawler.probe` decides what to ask and what a response means.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crawler import urls
from crawler.errors import (
    Disallowed,
    FetchError,
    Interrupted,
    NothingToLearn,
    SitePaused,
    SiteUnavailable,
    StopError,
)
from crawler.fetch.client import resolve_host
from crawler.finding import Finding
from crawler.outcome import Outcome, OutcomeKind
from crawler.parser_process import discover, parse_page
from crawler.pipeline.fetching import Capture, FetchFailure, fetch
from crawler.pipeline.heal import MIN_EXACT, propose
from crawler.pipeline.pages import handle_response
from crawler.pipeline.run import Run, recorded
from crawler.probe import MOST_REQUESTS, QUESTIONS, ProbeEvidence, ProbeResponse, Question, Rules, judge
from crawler.probe import seeds as seeds_
from crawler.purpose import Purpose, PurposeKind
from crawler.schedule.conditional import NO_VALIDATORS, Validators
from crawler.types import Article, Fetched, PageForFetch

_PROBE = Purpose(PurposeKind.PROBE)


def run_probe(
    run: Run, find_host: Callable[[str], object] = resolve_host, seeds: Mapping[str, Article] | None = None
) -> list[Finding]:
    """Ask all questions of the probe, derive the findings from the responses, store the findings and return them.

    `seeds` contains articles whose texts are known, by name: they are looked up on the site, fetched and compared.
    `find_host` raises SiteUnavailable for a host name that cannot be resolved; nothing is requested from such a host.

    Raises:
        StopError: not all questions could be asked; the findings made so far are stored.

    """
    evidence = ProbeEvidence(run.site, run.layouts, run.clock.now(), parse_page, discover)
    known = seeds or {}
    with recorded(run, "probe"):
        run.progress.phase("questions", len(QUESTIONS) + len(known))
        try:
            for question in QUESTIONS:
                _go_on(run)
                asked = evidence.responses[question.key] = _ask(run, evidence, question, find_host)
                run.progress.step(_outcome(question.key, asked))
            _visit_seeds(run, evidence, known)
        except StopError:
            _store(run, evidence, known)
            raise
        return _store(run, evidence, known)


def _go_on(run: Run) -> None:
    if run.stopping():
        raise Interrupted(
            "stopped on request; the findings so far are stored", "run `vna probe` again to ask all questions"
        )


def _visit_seeds(run: Run, evidence: ProbeEvidence, known: Mapping[str, Article]) -> None:
    """Look up the seeds and fetch those that are found, with at most `seeds.MOST_REQUESTS` requests."""
    last = run.report.requests + seeds_.MOST_REQUESTS
    while (url := seeds_.next_list(evidence, known)) is not None and run.report.requests < last - len(known):
        _go_on(run)
        evidence.responses[seeds_.list_key(url)] = _response(run, url, _fetch_evidence)
    for name, url in seeds_.addresses(evidence, known).items():
        _go_on(run)
        if run.report.requests < last:
            key = seeds_.page_key(name)
            evidence.responses[key] = _response(run, url, visit)
            run.progress.step(_outcome(key, evidence.responses[key]))
    while (further := seeds_.next_article(evidence, known)) is not None and run.report.requests < last:
        _go_on(run)
        evidence.responses[seeds_.further_key(further)] = _response(run, further, visit)


def _response(run: Run, url: str, request: Callable[[Run, str], Fetched]) -> ProbeResponse:
    try:
        return ProbeResponse(url, request(run, url))
    except FetchError as error:
        return ProbeResponse(url, error=str(error), disallowed=isinstance(error, Disallowed))


def _ask(run: Run, evidence: ProbeEvidence, question: Question, find_host: Callable[[str], object]) -> ProbeResponse:
    url = question.address(evidence)
    if url is None:
        return ProbeResponse(error=question.without)
    if run.report.requests >= MOST_REQUESTS:
        return ProbeResponse(url, error=f"not asked: the limit of {MOST_REQUESTS} requests is reached")
    foreign = not run.site.owns(url)
    try:
        if foreign:
            find_host(url)
        response = visit(run, url) if question.visit else _fetch_evidence(run, url, _validators(evidence, question))
    except FetchError as error:
        if isinstance(error, Disallowed):
            _record_rules(run, evidence, url)
        return ProbeResponse(url, error=str(error), disallowed=isinstance(error, Disallowed))
    except SiteUnavailable as error:
        if not foreign or isinstance(error, SitePaused):
            raise
        return ProbeResponse(url, error=str(error))
    _record_rules(run, evidence, url)
    return ProbeResponse(url, response)


def _validators(evidence: ProbeEvidence, question: Question) -> Validators:
    before = evidence.response(question.validators) if question.validators else None
    return Validators(before.header("ETag"), before.header("Last-Modified")) if before else NO_VALIDATORS


def _fetch_evidence(run: Run, url: str, validators: Validators = NO_VALIDATORS) -> Fetched:
    """Fetch a response that only the probe uses."""
    response = _fetch(run, url, _PROBE, validators)
    with run.archive.transaction():
        run.write_pending()
    return response.fetched


def visit(run: Run, url: str) -> Fetched:
    """Fetch an article and process it like any visit. If no source has listed it, this response is its first sighting.

    Raises:
        FetchError: there was no usable response, or another process is visiting this page.

    """
    post_id = urls.post_id(url) or 0
    with run.archive.claim(post_id) as claimed:
        if not claimed:
            raise FetchError(url, "another process is visiting this page")
        response = _fetch(run, url, Purpose(PurposeKind.PROBED_PAGE, str(post_id)))
        page = run.archive.page(post_id) or PageForFetch(post_id, url, "known", 0, response.at, None, None)
        with run.archive.transaction():
            run.archive.add_page(page, str(_PROBE))
        handle_response(run, page, response)
    return response.fetched


def _fetch(run: Run, url: str, purpose: Purpose, validators: Validators = NO_VALIDATORS) -> Capture:
    response = fetch(run, url, purpose, validators, failure_purpose=_PROBE)
    if isinstance(response, FetchFailure):
        with run.archive.transaction():
            run.write_pending()
        raise response.error
    return response


def _record_rules(run: Run, evidence: ProbeEvidence, url: str) -> None:
    robots = run.fetcher.robots
    evidence.rules.setdefault(urls.origin(url), Rules(*robots.copy(url), robots.delay(url), robots.sitemaps(url)))


def _outcome(key: str, asked: ProbeResponse) -> Outcome:
    result = asked.error if asked.response is None else f"{asked.response.status} {asked.response.url}"
    return Outcome(OutcomeKind.PROBED, url=asked.url, detail=f"{key}: {result}")


def _store(run: Run, evidence: ProbeEvidence, known: Mapping[str, Article]) -> list[Finding]:
    """Derive the findings from the responses, store the findings, and return them.

    The findings get the time of the last response. If there was no response, nothing is stored.
    """
    findings = [*judge(evidence), *seeds_.judge(evidence, known)]
    if seeds_.in_unknown_layout(evidence, known):
        findings.append(_learned(run, known))
    times = [asked.response.fetched_at for asked in evidence.responses.values() if asked.response]
    if times:
        with run.archive.transaction():
            run.archive.save_findings(run.id, findings, max(times))
    return findings


def _learned(run: Run, known: Mapping[str, Article]) -> Finding:
    """Learn a layout from the pages of the probe, store it as a proposal, and return a finding that describes it."""
    try:
        proposal = propose(run, texts=tuple(known.values()))
    except NothingToLearn as error:
        return seeds_.not_learned(str(error))
    return seeds_.learned(proposal.name, proposal.healing, MIN_EXACT)
