"""Checks of the sitemaps (dossier section 11).

Boundary: pure checks. Each takes the responses of the probe (`ProbeEvidence`) and returns a `CheckResult`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from statistics import median

from crawler import site
from crawler.discover import xml
from crawler.discover.found import Discovery
from crawler.discover.problems import Problems
from crawler.parse import times
from crawler.probe.evidence import CheckResult, ProbeEvidence, confirmed, count, differs, path, unknown
from crawler.probe.questions import ERAS, months
from crawler.types import Article, Sighting

_PER_DAY = (30, 70)  # 40 to 50 articles a day (dossier section 3), with a margin for the season
_FIRST_YEAR = 2010  # the first listed year (dossier section 11)
_CDATA = b"&lt;![CDATA["
_TOLERANCE = 60  # seconds within which two times count as the same


def index(evidence: ProbeEvidence) -> CheckResult:
    """Check that the sitemap index is at the expected address, and that its months have no leading zero (`2026-1`)."""
    if evidence.response("index") is None:
        return unknown(evidence.failure("index"))
    listed, found = months(evidence), evidence.read("index", "sitemap_index")
    if not listed:
        why = evidence.failure("index") or (str(found) if not isinstance(found, Discovery) else "it lists no month")
        return differs(why, "use `vna backfill --via ids` for the past; polls find new articles in feeds and pages")
    at = path(evidence.responses["index"].url or "")
    seen = f"{len(listed)} months, such as {path(listed[-1].url)}"
    if at != site.SITEMAP_INDEX:
        return differs(f"at {at}: {seen}", "nothing to do: polls use the address in robots.txt")
    if any(re.search(r"[-_]0\d\.xml", s.url) for s in listed):
        return differs(f"{seen}, with a leading zero", "nothing to do: both forms are supported")
    return confirmed(seen)


def span(evidence: ProbeEvidence) -> CheckResult:
    """Check that the sitemap index begins with the expected year and ends with the current month."""
    listed = [s.when for s in months(evidence) if s.when]
    if not listed:
        return unknown(evidence.failure("index") or "the index lists no month")
    local = evidence.now.astimezone(site.HANOI)
    (first_year, first_month), last = listed[0], listed[-1]
    seen = f"{first_year}-{first_month} to {last[0]}-{last[1]}, {len(listed)} months"
    if last != (local.year, local.month):
        return differs(
            f"{seen}; the current month is missing", "nothing to do: polls use feeds and pages until the month appears"
        )
    if first_year != _FIRST_YEAR:
        return differs(
            seen, f"backfill from {first_year}-{first_month:02} on; use `vna backfill --via ids` for older articles"
        )
    return confirmed(seen)


def news(evidence: ProbeEvidence) -> CheckResult:
    """Check that there is a news sitemap, which lists the articles of the last days."""
    if evidence.response("news") is None:
        return unknown(evidence.failure("news"))
    listed, found = evidence.stories("news", "news_sitemap"), evidence.read("news", "news_sitemap")
    if not listed:
        why = evidence.failure("news") or (str(found) if not isinstance(found, Discovery) else "it lists no article")
        return differs(
            why, "nothing to do if the current month's sitemap or a feed is current: polls use these instead"
        )
    dated = sorted(s.published_at for s in listed if s.published_at)
    since = f", since {dated[0].astimezone(site.HANOI):%d/%m %H:%M}" if dated else ", undated"
    return confirmed(f"{len(listed)} articles{since}")


def per_day(evidence: ProbeEvidence) -> CheckResult:
    """Check that the number of articles per day in the current month's sitemap is in the expected range."""
    listed = evidence.stories("month:now", "sitemap")
    days = Counter(day for s in listed if (day := _day(s)))
    whole = [days[day] for day in sorted(days)[1:-1]]  # the first and the last day may be incomplete
    if not whole:
        return unknown(evidence.failure("month:now") or f"{count(len(listed), 'article')}, but no complete day")
    typical = median(whole)
    seen = f"{len(listed)} articles, {typical:g} on a typical day"
    if _PER_DAY[0] <= typical <= _PER_DAY[1]:
        return confirmed(seen)
    return differs(
        seen, "look at `vna coverage` after a week: it compares the sources and estimates how many articles exist"
    )


def past(key: str, evidence: ProbeEvidence) -> CheckResult:
    """Check that the sitemap of a past month still lists its articles."""
    if evidence.response(key) is None:
        return unknown(evidence.failure(key))
    listed = evidence.stories(key, "sitemap")
    at = path(evidence.responses[key].url or "")
    if not listed:
        return differs(
            f"{at}: {evidence.failure(key) or 'no article in it'}", "backfill such months with `vna backfill --via ids`"
        )
    ids = sorted(s.post_id for s in listed if s.post_id is not None)
    return confirmed(f"{at}: {count(len(listed), 'article')}, ids {ids[0]} to {ids[-1]}")


def order(evidence: ProbeEvidence) -> CheckResult:
    """Check that a monthly sitemap has its newest articles at the end."""
    ids = [s.post_id for s in evidence.stories("month:now", "sitemap") if s.post_id is not None]
    if len(ids) < 3:
        return unknown(evidence.failure("month:now") or "too few articles in it")
    rising = sum(a < b for a, b in pairwise(ids)) / (len(ids) - 1)
    seen = f"{rising:.0%} of the ids are larger than the one before"
    return confirmed(seen) if rising > 0.5 else differs(seen, "nothing to do: sitemaps are always read to their end")


def titles(evidence: ProbeEvidence) -> CheckResult:
    """Check that a monthly sitemap gives titles, written as escaped CDATA."""
    response, listed = evidence.ok("month:now"), evidence.stories("month:now", "sitemap")
    if response is None or not listed:
        return unknown(evidence.failure("month:now") or "no article in it")
    escaped = _CDATA in xml.to_utf8(response.content, Problems())
    form = "as escaped CDATA" if escaped else "not as escaped CDATA"
    with_title = sum(s.title is not None for s in listed)
    seen = f"{with_title} of {len(listed)} articles with a title, {form}"
    if with_title and escaped:
        return confirmed(seen)
    return differs(seen, "nothing to do: the title on the page counts")


def lastmod(evidence: ProbeEvidence) -> CheckResult:
    """Check that `lastmod` is the time of the last edit, using fetched articles that were edited after publication."""
    meanings = {_meaning(story, article) for story, article in _dated(evidence)} - {None}
    if not meanings:
        return unknown("no fetched article has a modification time that differs from its publication time")
    if meanings == {"modified"}:
        return confirmed("the time of the last edit")
    seen = (
        "the time of publication" if meanings == {"published"} else "neither time of the page, or not always the same"
    )
    return differs(seen, "nothing to do: rechecks find edits, although the sitemap does not show them")


def _dated(evidence: ProbeEvidence) -> Iterator[tuple[Sighting, Article]]:
    """Yield pairs of an entry in a monthly sitemap and the fetched article that it lists."""
    for era in ("now", *(name for name, _, _ in ERAS)):
        article = evidence.article(f"era:{era}")
        for story in evidence.stories(f"month:{era}", "sitemap"):
            if isinstance(article, Article) and story.post_id == article.post_id:
                yield story, article


def _meaning(story: Sighting, article: Article) -> str | None:
    published, modified = (times.instant(t) if t else None for t in (article.published_at, article.modified_at))
    if story.modified_at is None or published is None or modified is None:
        return None
    if abs((modified - published).total_seconds()) < _TOLERANCE:
        return None
    near = {"modified": modified, "published": published}
    return next((n for n, t in near.items() if abs((t - story.modified_at).total_seconds()) < _TOLERANCE), "neither")


def _day(story: Sighting) -> str | None:
    when = story.published_at or story.modified_at
    return when.astimezone(site.HANOI).date().isoformat() if when else None
