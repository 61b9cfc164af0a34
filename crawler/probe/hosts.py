"""Checks of the host: robots.txt (dossier section 13), HTTP headers and validators (section 14).

Boundary: pure checks. Each takes the responses of the probe (`ProbeEvidence`) and returns a `CheckResult`.
"""

from __future__ import annotations

import re
from collections import Counter

from crawler import site, urls
from crawler.errors import NotAnArticle, Rejection
from crawler.probe.evidence import (
    CheckResult,
    ProbeEvidence,
    ProbeResponse,
    Rules,
    confirmed,
    count,
    differs,
    named,
    path,
    unknown,
)
from crawler.probe.questions import sitemap_lines

_AI = re.compile(
    r"gptbot|chatgpt|oai-search|ccbot|claude|anthropic|google-extended|bytespider|perplexity|applebot-extended|amazonbot"
    r"|meta-external|facebookbot|cohere|diffbot|omgili|ai2bot|petalbot|deepseek|mistral",
    re.IGNORECASE,
)
_GROUP = re.compile(r"^\s*user-agent\s*:\s*([^\s#]+)", re.IGNORECASE | re.MULTILINE)
_DEFAULT_DELAY = 1.0  # seconds between requests, if [politeness] rate is not changed
_REFUSED = (401, 403, 451)
_CACHES = ("Via", "Age", "X-Cache", "X-Cache-Status", "CF-Ray", "CF-Cache-Status", "X-CDN", "X-Varnish", "X-Served-By")


def rules(evidence: ProbeEvidence) -> CheckResult:
    """Check that robots.txt exists and allows every address of this probe."""
    found = _rules(evidence)
    if found is None:
        return unknown("robots.txt could not be fetched")
    disallowed = [path(a.url) for a in _of_site(evidence) if a.disallowed and a.url]
    if disallowed:
        return differs(
            f"disallows {named(disallowed, 3)}",
            "exclude these addresses with the settings below: they are never fetched, and their polls would fail",
            {"poll": {"exclude": sorted({re.sub(r"\?.*", "", p) for p in disallowed})}},
        )
    if found.status != 200:
        return differs(f"HTTP status {found.status}", "nothing to do: a 4xx status allows everything (RFC 9309)")
    lines = re.findall(r"^\s*(?:dis)?allow\s*:", found.text, re.IGNORECASE | re.MULTILINE)
    return confirmed(f"{len(lines)} rules, which allow everything that was requested")


def crawl_delay(evidence: ProbeEvidence) -> CheckResult:
    """Check that robots.txt has no Crawl-delay."""
    found = _rules(evidence)
    if found is None:
        return unknown("robots.txt could not be fetched")
    if not found.delay:
        return confirmed("none")
    seen = f"{found.delay:g} seconds between requests"
    if found.delay <= _DEFAULT_DELAY:
        return differs(seen, "nothing to do: the default rate is not faster")
    rate = float(f"{1 / found.delay:.3g}")
    advice = "optional: the delay is always obeyed; with the rate below, time estimates are right, too"
    return differs(seen, advice, {"politeness": {"rate": rate}})


def ai_groups(evidence: ProbeEvidence) -> CheckResult:
    """Check that robots.txt has no rules for crawlers that collect texts for language models."""
    found = _rules(evidence)
    if found is None:
        return unknown("robots.txt could not be fetched")
    groups = [name for name in _GROUP.findall(found.text) if _AI.search(name)]
    if not groups:
        return confirmed("none")
    return differs(
        f"groups for {named(groups, 4)}",
        "the rules for `*` are obeyed; respect these rules, too, when you use the texts",
    )


def sitemap_line(evidence: ProbeEvidence) -> CheckResult:
    """Check that robots.txt names the sitemap index, at the expected address."""
    if _rules(evidence) is None:
        return unknown("robots.txt could not be fetched")
    lines = [path(url) for url in sitemap_lines(evidence)]
    if site.SITEMAP_INDEX in lines:
        return confirmed(named(lines, 3))
    return differs(
        f"names {named(lines, 2)}" if lines else "names no sitemap",
        "nothing to do: the sitemaps themselves are checked separately",
    )


def _is_block_page(article: object) -> bool:
    return isinstance(article, NotAnArticle) and article.rejection is Rejection.BLOCK_PAGE


def honest_name(evidence: ProbeEvidence) -> CheckResult:
    """Check that the site serves pages to a crawler with an honest User-Agent."""
    responses = [a.response for a in _of_site(evidence) if a.response]
    refused = Counter(a.status for a in responses if a.status in _REFUSED)
    keys = [key for key in evidence.responses if key.startswith("era:")]
    block_pages = [key for key in keys if _is_block_page(evidence.article(key))]
    if not responses:
        return unknown("no response")
    if not refused and not block_pages:
        return confirmed(f"{count(len(responses), 'response')}, none refused")
    statuses = [f"{n} x HTTP status {status}" for status, n in refused.items()]
    return differs(
        "; ".join([*statuses, *([count(len(block_pages), "block page")] if block_pages else [])]),
        "stop, and write to the operators of the site; do not pretend to be a browser",
    )


def content_type(evidence: ProbeEvidence) -> CheckResult:
    """Check that the home page is sent as HTML in UTF-8, and report its compression and length."""
    response = evidence.ok("home")
    if response is None:
        return unknown(evidence.failure("home"))
    kind = response.header("Content-Type") or "no Content-Type"
    coding = response.header("Content-Encoding") or "not compressed"
    length = "with" if response.header("Content-Length") else "no"
    sent = f"{len(response.content)} bytes, {len(response.body)} as sent"
    seen = f"{kind}; {coding}; {length} Content-Length; {sent}"
    if re.match(r"text/html\s*;\s*charset=\"?utf-8", kind, re.IGNORECASE):
        return confirmed(seen)
    return differs(seen, "check an article with accents: this header decides how pages are decoded")


def validators(evidence: ProbeEvidence) -> CheckResult:
    """Check that pages have no validators (ETag and Last-Modified)."""
    response = evidence.ok("era:now") or evidence.ok("home")
    if response is None:
        return unknown(evidence.failure("era:now"))
    found = [f"{name}: {value}" for name in ("ETag", "Last-Modified") if (value := response.header(name))]
    if not found:
        return confirmed("neither ETag nor Last-Modified")
    return differs(
        "; ".join(found), "nothing to do: validators are used, and each page is still fetched in full from time to time"
    )


def not_modified(evidence: ProbeEvidence) -> CheckResult:
    """Check that the site does not respond to a conditional request with status 304."""
    response, asked = evidence.response("conditional"), evidence.responses.get("conditional")
    if evidence.ok("era:now") is not None and asked is not None and asked.url is None:
        return confirmed("no validators for a conditional request")
    if response is None:
        return unknown(evidence.failure("conditional"))
    if response.status == 304:
        return differs(
            "304 to the current validators", "nothing to do: polls get cheaper, and changes behind a 304 are detected"
        )
    return confirmed(f"HTTP status {response.status} to the current validators")


def headers(evidence: ProbeEvidence) -> CheckResult:
    """Check that the response headers show neither a cookie nor a cache in front of the site."""
    response = evidence.ok("home")
    if response is None:
        return unknown(evidence.failure("home"))
    cookies = ["Set-Cookie"] if response.header("Set-Cookie") else []
    caches = [f"{name}: {value}" for name in _CACHES if (value := response.header(name))]
    plain = [f"{n}: {v}" for n in ("Server", "Vary", "Cache-Control") if (v := response.header(n))]
    seen = "; ".join([*cookies, *caches, *plain]) or "no cookies, no cache headers"
    if cookies or caches:
        return differs(
            seen, "edits may show late, because a cache can serve old pages; see the check `same page again`"
        )
    return confirmed(seen)


def _rules(evidence: ProbeEvidence) -> Rules | None:
    return evidence.rules.get(urls.origin(evidence.site.root))


def _of_site(evidence: ProbeEvidence) -> list[ProbeResponse]:
    return [a for a in evidence.responses.values() if a.url and evidence.site.owns(a.url)]
