"""What is assumed of the JSON list API (dossier 10).

Boundary: pure checks; evidence in, verdicts out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from crawler import urls
from crawler.probe.evidence import Evidence, Seen, confirmed, differs, named, unknown
from crawler.probe.questions import API_KEYS, ASKED_SIZE, api_key

_CAP = 50
_CLOSED = re.compile(r"^\s*disallow\s*:\s*/api/", re.IGNORECASE | re.MULTILINE)
_FIELDS = ("content_id", "title", "description", "date", "update_time", "url", "zone")


def host(evidence: Evidence) -> Seen:
    """Check on which host the list API answers, robots.txt permitting."""
    key = api_key(evidence)
    if key is None:
        tried = [evidence.asked.get(key) for key in API_KEYS]
        each = [f"{urls.host(a.url)}: {a.trouble or _status(a.answer)}" for a in tried if a and a.url]
        if not any(a and a.answer for a in tried):
            return unknown("; ".join(each) or "not asked")
        return differs("; ".join(each), "leave [poll] list_api off: sitemaps, feeds and pages carry the polls")
    origin = urls.origin(evidence.asked[key].url or "")
    seen = f"{origin}, without a Referer"
    if _CLOSED.search(evidence.rules[origin].text if origin in evidence.rules else ""):
        return Seen(
            "confirmed", seen, "leave it off: robots.txt closes /Api/, which is this address but for its spelling"
        )
    adopt = {"poll": {"list_api": True, "api_hosts": [f"{origin}/"]}}
    return Seen("confirmed", seen, "nothing needs it; robots.txt allows it, so it may be polled, too, as below", adopt)


def items(evidence: Evidence) -> Seen:
    """Check dialect and fields of an answer of the list API."""
    key = api_key(evidence)
    data = _data(evidence, key) if key else None
    if data is None:
        return unknown("no list API answered")
    contents = data.get("contents")
    if not isinstance(contents, list):
        return differs(f"the older dialect: {named(sorted(data))}", "nothing: both dialects are read")
    first = contents[0] if contents and isinstance(contents[0], Mapping) else {}
    lacks = [name for name in _FIELDS if name not in first]
    seen = f"{len(contents)} items; date is {type(first.get('date')).__name__}, url {str(first.get('url'))[:16]}…"
    if lacks:
        return differs(f"{seen}; without {named(lacks)}", "compare one answer with docs/site-facts.md, section 10")
    return confirmed(seen)


def paging(evidence: Evidence) -> Seen:
    """Check how many items a zone list gives at once, and that it says whether there are more."""
    data = _data(evidence, "zone list")
    if data is None:
        return unknown(evidence.why("zone list") or "the zone list is JSON of another form")
    contents, more = data.get("contents"), data.get("load_more", data.get("hasMoreContent"))
    count = len(contents) if isinstance(contents, list) else None
    seen = f"{'an HTML list' if count is None else f'{count} items'} for {ASKED_SIZE} asked; more: {json.dumps(more)}"
    if (count is None or count <= _CAP) and isinstance(more, bool):
        return confirmed(seen)
    return differs(seen, "nothing: lists are read until one is empty or repeats itself")


def _data(evidence: Evidence, key: str) -> Mapping[str, Any] | None:
    answer = evidence.good(key)
    try:
        envelope = json.loads(answer.content) if answer else None
    except (ValueError, RecursionError):
        return None
    data = envelope.get("data") if isinstance(envelope, dict) and not envelope.get("error_code") else None
    return data if isinstance(data, dict) else None


def _status(answer: Any) -> str:
    return f"HTTP status {answer.status}, no JSON" if answer else "no answer"
