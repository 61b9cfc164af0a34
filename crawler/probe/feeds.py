"""What is assumed of the feeds (dossier 12).

Boundary: pure checks; evidence in, verdicts out.
"""

from __future__ import annotations

import re

from crawler import site, urls
from crawler.discover.found import Discovery
from crawler.probe.evidence import OK, Evidence, Seen, confirmed, differs, named, path, unknown
from crawler.probe.questions import linked_feeds

_SIZE = 50
_GUID = re.compile(rb"<guid\b[^>]*>\s*(?:<!\[CDATA\[)?\s*([^<\]]+)", re.IGNORECASE)
_DATE = re.compile(rb"<pubDate>\s*(?:<!\[CDATA\[)?\s*([^<\]]+)", re.IGNORECASE)
_OFFSET = re.compile(r"([+-]\d{4}|[A-Z]{1,4})\s*$")


def home_feed(evidence: Evidence) -> Seen:
    """Check that the home feed is where it is thought to be, and is one."""
    answer = evidence.answer("feed")
    if answer is None:
        return unknown(evidence.why("feed"))
    items = evidence.stories("feed", "feed")
    kind = answer.header("Content-Type") or "no Content-Type"
    found = evidence.read("feed", "feed")
    if isinstance(found, Discovery) and found.doubt:
        return differs(found.doubt, "nothing: its articles are taken, but no gap is concluded from it")
    at = path(evidence.asked["feed"].url or "")
    if items and at != site.HOME_FEED:
        return differs(f"at {at}: {len(items)} items, {kind}", "nothing: polls follow the link of the home page")
    if items:
        return confirmed(f"{len(items)} items, {kind}")
    why = evidence.why("feed") or (str(found) if not isinstance(found, Discovery) else f"no item of this site, {kind}")
    if answer.status == OK:
        advice = "leave it out of the polls, as below: it answers, but is no feed, and would be trouble at every poll"
        return differs(why, advice, {"poll": {"exclude": [at]}})
    return differs(why, "nothing: polls use sitemaps, pages, and the feeds that /rss.html lists")


def size(evidence: Evidence) -> Seen:
    """Check how far back the home feed reaches."""
    items = evidence.stories("feed", "feed")
    if not items:
        return unknown(evidence.why("feed") or "it is no feed")
    if len(items) == _SIZE:
        return confirmed(f"{len(items)} items")
    return differs(f"{len(items)} items", "nothing: how often it is polled is learned from what it shows")


def form(evidence: Evidence) -> Seen:
    """Check what identifies an item, and how its date is written."""
    answer = evidence.good("feed")
    if answer is None or not evidence.stories("feed", "feed"):
        return unknown(evidence.why("feed") or "it is no feed")
    guid, date = _GUID.search(answer.content), _DATE.search(answer.content)
    raw = date[1].decode("utf-8", "replace").strip() if date else "no pubDate"
    offset = _OFFSET.search(raw)
    is_link = guid is not None and urls.post_id(guid[1].decode("utf-8", "replace")) is not None
    seen = f"{'guid is the address' if is_link else 'guid is not the address'}; {raw}"
    if is_link and offset and offset[1] in ("+0700", "GMT", "Z", "UTC"):
        return confirmed(seen)
    return differs(seen, "compare with the article's page: dates of feeds are hints, the page decides")


def linked(evidence: Evidence) -> Seen:
    """Check that the home page links its feed."""
    if evidence.good("home") is None:
        return unknown(evidence.why("home"))
    found = [path(url) for url in linked_feeds(evidence)]
    if site.HOME_FEED in found:
        return confirmed(named(found, 4))
    if not found:
        return differs("links none", "nothing: /rss/home.rss and /rss.html are asked for in any case")
    return differs(named(found, 4), "nothing: polls follow these links")


def listing(evidence: Evidence) -> Seen:
    """Check that /rss.html lists the feeds."""
    if evidence.answer("feeds") is None:
        return unknown(evidence.why("feeds"))
    found = _listed(evidence)
    if found:
        return confirmed(f"{len(found)} feeds: {named(found, 3)}")
    answer = evidence.good("feeds")
    seen = f"{len(answer.content)} bytes that name no feed" if answer else evidence.why("feeds")
    return differs(seen, "nothing: a list of feeds is of use only where the home feed is missing")


def _listed(evidence: Evidence) -> list[str]:
    """Give the paths of the feeds that /rss.html names."""
    found = evidence.read("feeds", "feed_index")
    return [path(s.url) for s in found.sources if s.kind == "feed"] if isinstance(found, Discovery) else []
