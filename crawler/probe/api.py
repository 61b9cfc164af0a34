"""Checks of the JSON list API (dossier section 10).

Boundary: pure checks. Each takes the responses of the probe (`ProbeEvidence`) and returns a `CheckResult`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from crawler import urls
from crawler.discover.api import envelope_data
from crawler.discover.problems import Problems
from crawler.errors import UnreadableSource
from crawler.probe.evidence import CheckResult, ProbeEvidence, confirmed, differs, named, unknown
from crawler.probe.questions import API_KEYS, ASKED_SIZE, api_key

_CAP = 50
_DISALLOWED = re.compile(r"^\s*disallow\s*:\s*/api/", re.IGNORECASE | re.MULTILINE)
_FIELDS = ("content_id", "title", "description", "date", "update_time", "url", "zone")


def host(evidence: ProbeEvidence) -> CheckResult:
    """Check that a host serves the list API, and report whether its robots.txt allows the requests."""
    key = api_key(evidence)
    if key is None:
        tried = [evidence.responses.get(key) for key in API_KEYS]
        results = [f"{urls.host(a.url)}: {a.error or _status(a.response)}" for a in tried if a and a.url]
        if not any(a and a.response for a in tried):
            return unknown("; ".join(results) or "not asked")
        return differs("; ".join(results), "leave [poll] list_api off: polls work with sitemaps, feeds and pages")
    origin = urls.origin(evidence.responses[key].url or "")
    seen = f"{origin}, without a Referer"
    if _DISALLOWED.search(evidence.rules[origin].text if origin in evidence.rules else ""):
        advice = "leave [poll] list_api off: robots.txt disallows /Api/, which differs from /api/ only in its capital"
        return CheckResult("confirmed", seen, advice)
    adopt = {"poll": {"list_api": True, "api_hosts": [f"{origin}/"]}}
    return CheckResult(
        "confirmed", seen, "optional: robots.txt allows it, so it can be polled with the settings below", adopt
    )


def items(evidence: ProbeEvidence) -> CheckResult:
    """Check that a list API response has the newer of two known forms, and that its items have the expected fields."""
    key = api_key(evidence)
    data = _data(evidence, key) if key else None
    if data is None:
        return unknown("no host serves the list API")
    contents = data.get("contents")
    if not isinstance(contents, list):
        return differs(f"the older dialect: {named(sorted(data))}", "nothing to do: both dialects are supported")
    first = contents[0] if contents and isinstance(contents[0], Mapping) else {}
    lacks = [name for name in _FIELDS if name not in first]
    seen = f"{len(contents)} items; date is {type(first.get('date')).__name__}, url {str(first.get('url'))[:16]}…"
    if lacks:
        return differs(f"{seen}; without {named(lacks)}", "compare a response with docs/site-dossier.md, section 10")
    return confirmed(seen)


def paging(evidence: ProbeEvidence) -> CheckResult:
    """Check that the API's list of one section has at most 50 items, and that it states whether there are more."""
    data = _data(evidence, "zone list")
    if data is None:
        return unknown(evidence.failure("zone list") or "the zone list is not JSON in a known form")
    contents, more = data.get("contents"), data.get("load_more", data.get("hasMoreContent"))
    count = len(contents) if isinstance(contents, list) else None
    seen = (
        f"{'an HTML list' if count is None else f'{count} items'} for {ASKED_SIZE} requested; more: {json.dumps(more)}"
    )
    if (count is None or count <= _CAP) and isinstance(more, bool):
        return confirmed(seen)
    return differs(seen, "nothing to do: lists are paged until one is empty or repeats itself")


def _data(evidence: ProbeEvidence, key: str) -> Mapping[str, Any] | None:
    response = evidence.ok(key)
    try:
        return (envelope_data(response.content, response.url, Problems()) or None) if response else None
    except UnreadableSource:
        return None


def _status(response: Any) -> str:
    return f"HTTP status {response.status}, no JSON" if response else "no response"
