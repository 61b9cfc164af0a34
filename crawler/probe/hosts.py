"""What is assumed of the host: robots.txt (dossier 13), headers and validators (14).

Boundary: pure checks; evidence in, verdicts out.
"""

from __future__ import annotations

import re
from collections import Counter

from crawler import site, urls
from crawler.errors import NotAnArticle, Rejection
from crawler.probe.evidence import Asked, Evidence, Rules, Seen, confirmed, differs, named, path, unknown
from crawler.probe.questions import sitemap_lines

_AI = re.compile(
    r"gptbot|chatgpt|oai-search|ccbot|claude|anthropic|google-extended|bytespider|perplexity|applebot-extended|amazonbot"
    r"|meta-external|facebookbot|cohere|diffbot|omgili|ai2bot|petalbot|deepseek|mistral",
    re.IGNORECASE,
)
_GROUP = re.compile(r"^\s*user-agent\s*:\s*([^\s#]+)", re.IGNORECASE | re.MULTILINE)
_OUR_DELAY = 1.0  # seconds, unless configured otherwise
_REFUSED = (401, 403, 451)
_CACHES = ("Via", "Age", "X-Cache", "X-Cache-Status", "CF-Ray", "CF-Cache-Status", "X-CDN", "X-Varnish", "X-Served-By")


def rules(evidence: Evidence) -> Seen:
    """Check that robots.txt is there and leaves open what is asked."""
    found = _rules(evidence)
    if found is None:
        return unknown("robots.txt could not be had")
    closed = [path(a.url) for a in _of_site(evidence) if a.disallowed and a.url]
    if closed:
        return differs(
            f"closes {named(closed, 3)}",
            "these are not asked for; leave them out of the polls, so that nothing waits for them",
            {"poll": {"exclude": sorted({re.sub(r"\?.*", "", p) for p in closed})}},
        )
    if found.status != 200:
        return differs(f"HTTP status {found.status}", "nothing: a 4xx allows everything (RFC 9309)")
    lines = re.findall(r"^\s*(?:dis)?allow\s*:", found.text, re.IGNORECASE | re.MULTILINE)
    return confirmed(f"{len(lines)} rules; nothing that was asked for is closed")


def crawl_delay(evidence: Evidence) -> Seen:
    """Check that no Crawl-delay is asked for."""
    found = _rules(evidence)
    if found is None:
        return unknown("robots.txt could not be had")
    if not found.delay:
        return confirmed("none")
    seen = f"{found.delay:g} seconds between requests"
    if found.delay <= _OUR_DELAY:
        return differs(seen, "nothing: we ask more slowly")
    rate = float(f"{1 / found.delay:.3g}")
    advice = "it is kept in any case; with the rate in the configuration, estimates of time are right, too"
    return differs(seen, advice, {"politeness": {"rate": rate}})


def ai_groups(evidence: Evidence) -> Seen:
    """Check that robots.txt says nothing of crawlers that feed language models."""
    found = _rules(evidence)
    if found is None:
        return unknown("robots.txt could not be had")
    groups = [name for name in _GROUP.findall(found.text) if _AI.search(name)]
    if not groups:
        return confirmed("none")
    return differs(
        f"groups for {named(groups, 4)}",
        "the rules for `*` are kept; respect the wish also in what the texts are used for",
    )


def sitemap_line(evidence: Evidence) -> Seen:
    """Check that robots.txt names the sitemap index where it is thought to be."""
    if _rules(evidence) is None:
        return unknown("robots.txt could not be had")
    lines = [path(url) for url in sitemap_lines(evidence)]
    if site.SITEMAP_INDEX in lines:
        return confirmed(named(lines, 3))
    return differs(
        f"names {named(lines, 2)}" if lines else "names none",
        "nothing: the sitemaps themselves are checked below",
    )


def _is_block_page(article: object) -> bool:
    return isinstance(article, NotAnArticle) and article.rejection is Rejection.BLOCK_PAGE


def honest_name(evidence: Evidence) -> Seen:
    """Check that a crawler that says its name gets pages."""
    answers = [a.answer for a in _of_site(evidence) if a.answer]
    refused = Counter(a.status for a in answers if a.status in _REFUSED)
    keys = [key for key in evidence.asked if key.startswith("era:")]
    walls = [key for key in keys if _is_block_page(evidence.article(key))]
    if not answers:
        return unknown("no answer came")
    if not refused and not walls:
        return confirmed(f"{len(answers)} answers, none refused")
    statuses = [f"{n} x HTTP status {status}" for status, n in refused.items()]
    return differs(
        "; ".join([*statuses, *([f"{len(walls)} block pages"] if walls else [])]),
        "stop, and write to the site's operators with the contact that you send; do not pose as a browser",
    )


def content_type(evidence: Evidence) -> Seen:
    """Check type, charset and framing of a page."""
    answer = evidence.good("home")
    if answer is None:
        return unknown(evidence.why("home"))
    kind = answer.header("Content-Type") or "no Content-Type"
    coding = answer.header("Content-Encoding") or "not compressed"
    length = "with" if answer.header("Content-Length") else "no"
    sent = f"{len(answer.content)} bytes, {len(answer.body)} as sent"
    seen = f"{kind}; {coding}; {length} Content-Length; {sent}"
    if re.match(r"text/html\s*;\s*charset=\"?utf-8", kind, re.IGNORECASE):
        return confirmed(seen)
    return differs(seen, "look at an article with accents: pages are decoded by this header")


def validators(evidence: Evidence) -> Seen:
    """Check that pages carry no validators."""
    answer = evidence.good("era:now") or evidence.good("home")
    if answer is None:
        return unknown(evidence.why("era:now"))
    found = [f"{name}: {value}" for name in ("ETag", "Last-Modified") if (value := answer.header(name))]
    if not found:
        return confirmed("neither ETag nor Last-Modified")
    return differs("; ".join(found), "nothing: they are sent back, and each page is fetched whole from time to time")


def not_modified(evidence: Evidence) -> Seen:
    """Check whether a conditional request is answered by 304."""
    first, answer = evidence.good("era:now"), evidence.answer("conditional")
    if first is not None and answer is None and "carry no" in evidence.asked["conditional"].trouble:
        return confirmed("no validators to ask with")
    if answer is None:
        return unknown(evidence.why("conditional"))
    if answer.status == 304:
        return differs("304 to the validators just given", "nothing: polls get cheaper, and a lie is noticed")
    return confirmed(f"HTTP status {answer.status} to the validators just given")


def headers(evidence: Evidence) -> Seen:
    """Check that no header speaks of cookies or of a cache between us and the site."""
    answer = evidence.good("home")
    if answer is None:
        return unknown(evidence.why("home"))
    cookies = ["Set-Cookie"] if answer.header("Set-Cookie") else []
    caches = [f"{name}: {value}" for name in _CACHES if (value := answer.header(name))]
    plain = [f"{n}: {v}" for n in ("Server", "Vary", "Cache-Control") if (v := answer.header(n))]
    seen = "; ".join([*cookies, *caches, *plain]) or "none of them"
    if cookies or caches:
        return differs(seen, "a cache can serve old pages: compare `same page again`, and expect edits to show late")
    return confirmed(seen)


def _rules(evidence: Evidence) -> Rules | None:
    return evidence.rules.get(urls.origin(evidence.site.root))


def _of_site(evidence: Evidence) -> list[Asked]:
    return [a for a in evidence.asked.values() if a.url and evidence.site.owns(a.url)]
