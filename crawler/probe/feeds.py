"""Checks of the feeds (dossier section 12).

Boundary: pure checks. Each takes the responses of the probe (`ProbeEvidence`) and returns a `CheckResult`.
"""

from __future__ import annotations

import re

from crawler import site, urls
from crawler.discover.found import Discovery
from crawler.probe.evidence import OK, CheckResult, ProbeEvidence, confirmed, differs, named, path, unknown
from crawler.probe.questions import linked_feeds

_SIZE = 50
_GUID = re.compile(rb"<guid\b[^<>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]]+)", re.IGNORECASE)
_DATE = re.compile(rb"<pubDate>\s*(?:<!\[CDATA\[)?\s*([^<\]]+)", re.IGNORECASE)
_OFFSET = re.compile(r"([+-]\d{4}|[A-Z]{1,4})\s*$")


def home_feed(evidence: ProbeEvidence) -> CheckResult:
    """Check that the home feed is at the expected address and is a feed."""
    response = evidence.response("feed")
    if response is None:
        return unknown(evidence.failure("feed"))
    items = evidence.stories("feed", "feed")
    kind = response.header("Content-Type") or "no Content-Type"
    found = evidence.read("feed", "feed")
    if isinstance(found, Discovery) and found.doubt:
        return differs(found.doubt, "nothing to do: its articles are used, but gaps are not derived from it")
    at = path(evidence.responses["feed"].url or "")
    if items and at != site.HOME_FEED:
        return differs(f"at {at}: {len(items)} items, {kind}", "nothing to do: polls follow the link on the home page")
    if items:
        return confirmed(f"{len(items)} items, {kind}")
    why = evidence.failure("feed") or (
        str(found) if not isinstance(found, Discovery) else f"no item of this site, {kind}"
    )
    if response.status == OK:
        advice = "exclude it with the settings below: it is not a feed, so every poll of it would fail"
        return differs(why, advice, {"poll": {"exclude": [at]}})
    return differs(why, "nothing to do: polls use sitemaps, pages, and the feeds that /rss.html lists")


def size(evidence: ProbeEvidence) -> CheckResult:
    """Check that the home feed has the expected number of items."""
    items = evidence.stories("feed", "feed")
    if not items:
        return unknown(evidence.failure("feed") or "it is not a feed")
    if len(items) == _SIZE:
        return confirmed(f"{len(items)} items")
    return differs(f"{len(items)} items", "nothing to do: the poll interval adapts to what the feed shows")


def form(evidence: ProbeEvidence) -> CheckResult:
    """Check that the guid of a feed item is an article's address, and that its date has a known UTC offset."""
    response = evidence.ok("feed")
    if response is None or not evidence.stories("feed", "feed"):
        return unknown(evidence.failure("feed") or "it is not a feed")
    guid, date = _GUID.search(response.content), _DATE.search(response.content)
    raw = date[1].decode("utf-8", "replace").strip() if date else "no pubDate"
    offset = _OFFSET.search(raw)
    is_link = guid is not None and urls.post_id(guid[1].decode("utf-8", "replace")) is not None
    seen = f"{'guid is the address' if is_link else 'guid is not the address'}; {raw}"
    if is_link and offset and offset[1] in ("+0700", "GMT", "Z", "UTC"):
        return confirmed(seen)
    return differs(seen, "compare with the page of the article; its date is used, the date of the feed is only a hint")


def linked(evidence: ProbeEvidence) -> CheckResult:
    """Check that the home page links to the home feed."""
    if evidence.ok("home") is None:
        return unknown(evidence.failure("home"))
    found = [path(url) for url in linked_feeds(evidence)]
    if site.HOME_FEED in found:
        return confirmed(named(found, 4))
    if not found:
        return differs("links to no feed", "nothing to do: /rss/home.rss and /rss.html are requested anyway")
    return differs(named(found, 4), "nothing to do: polls follow these links")


def listing(evidence: ProbeEvidence) -> CheckResult:
    """Check that the page /rss.html lists the feeds."""
    if evidence.response("feeds") is None:
        return unknown(evidence.failure("feeds"))
    found = _listed(evidence)
    if found:
        return confirmed(f"{len(found)} feeds: {named(found, 3)}")
    response = evidence.ok("feeds")
    seen = f"{len(response.content)} bytes that list no feed" if response else evidence.failure("feeds")
    return differs(seen, "nothing to do: the list of feeds is needed only without a home feed")


def _listed(evidence: ProbeEvidence) -> list[str]:
    """Return the paths of the feeds that the page /rss.html lists."""
    found = evidence.read("feeds", "feed_index")
    return [path(s.url) for s in found.sources if s.kind == "feed"] if isinstance(found, Discovery) else []
