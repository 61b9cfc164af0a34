"""What is assumed of the sitemaps (dossier 11).

Boundary: pure checks; evidence in, verdicts out.
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
from crawler.parse import times
from crawler.probe.evidence import Evidence, Seen, confirmed, count, differs, path, unknown
from crawler.probe.questions import ERAS, months
from crawler.types import Article, Sighting

_PER_DAY = (30, 70)  # dossier 3: 40-50 articles a day, with room for the season
_FLOOR = 2010  # dossier 11: the first year that is listed
_CDATA = b"&lt;![CDATA["
_SECONDS = 60  # two instants so near are the same


def index(evidence: Evidence) -> Seen:
    """Check that the sitemap index is where it is thought to be, and names unpadded months."""
    if evidence.answer("index") is None:
        return unknown(evidence.why("index"))
    listed, found = months(evidence), evidence.read("index", "index")
    if not listed:
        why = evidence.why("index") or (str(found) if not isinstance(found, Discovery) else "it names no month")
        return differs(why, "news comes from feeds and pages, the past from `vna backfill --via ids`")
    at = path(evidence.asked["index"].url or "")
    seen = f"{len(listed)} months, such as {path(listed[-1].url)}"
    if at != site.SITEMAP_INDEX:
        return differs(f"at {at}: {seen}", "nothing: polls look where robots.txt says")
    if any(re.search(r"[-_]0\d\.xml", s.url) for s in listed):
        return differs(f"{seen}, padded", "nothing: months are read in either form")
    return confirmed(seen)


def span(evidence: Evidence) -> Seen:
    """Check the first month that the index names, and that the present one is there."""
    listed = [s.when for s in months(evidence) if s.when]
    if not listed:
        return unknown(evidence.why("index") or "the index names no month")
    local = evidence.now.astimezone(site.HANOI)
    (first_year, first_month), last = listed[0], listed[-1]
    seen = f"{first_year}-{first_month} to {last[0]}-{last[1]}, {len(listed)} months"
    if last != (local.year, local.month):
        return differs(f"{seen}; not this one", "news comes from feeds and pages until the month appears")
    if first_year != _FLOOR:
        return differs(seen, f"backfill from {first_year}-{first_month:02} on; what is older needs `--via ids`")
    return confirmed(seen)


def news(evidence: Evidence) -> Seen:
    """Check that there is a news sitemap with the articles of the last days."""
    if evidence.answer("news") is None:
        return unknown(evidence.why("news"))
    listed, found = evidence.stories("news", "urlset"), evidence.read("news", "urlset")
    if not listed:
        why = evidence.why("news") or (str(found) if not isinstance(found, Discovery) else "it names no article")
        return differs(why, "nothing, if this month's sitemap or a feed is current: polls use what there is")
    dated = sorted(s.published_at for s in listed if s.published_at)
    since = f", since {dated[0].astimezone(site.HANOI):%d/%m %H:%M}" if dated else ", undated"
    return confirmed(f"{len(listed)} articles{since}")


def per_day(evidence: Evidence) -> Seen:
    """Check how many articles a day this month's sitemap names."""
    listed = evidence.stories("month:now", "urlset")
    days = Counter(day for s in listed if (day := _day(s)))
    whole = [days[day] for day in sorted(days)[1:-1]]  # the first and the last day may be cut
    if not whole:
        return unknown(evidence.why("month:now") or f"{len(listed)} articles, no whole day among them")
    typical = median(whole)
    seen = f"{len(listed)} articles, {typical:g} on a typical day"
    if _PER_DAY[0] <= typical <= _PER_DAY[1]:
        return confirmed(seen)
    return differs(seen, "look at `vna coverage` after a week: it compares the channels, and estimates what exists")


def past(key: str, evidence: Evidence) -> Seen:
    """Check that a month of the past still names its articles."""
    if evidence.answer(key) is None:
        return unknown(evidence.why(key))
    listed = evidence.stories(key, "urlset")
    at = path(evidence.asked[key].url or "")
    if not listed:
        return differs(f"{at}: {evidence.why(key) or 'no article in it'}", "backfill such months with `--via ids`")
    ids = sorted(s.post_id for s in listed if s.post_id is not None)
    return confirmed(f"{at}: {count(len(listed), 'article')}, ids {ids[0]} to {ids[-1]}")


def order(evidence: Evidence) -> Seen:
    """Check that a month is listed with the newest at its end."""
    ids = [s.post_id for s in evidence.stories("month:now", "urlset") if s.post_id is not None]
    if len(ids) < 3:
        return unknown(evidence.why("month:now") or "too few articles in it")
    rising = sum(a < b for a, b in pairwise(ids)) / (len(ids) - 1)
    seen = f"{rising:.0%} of the ids are larger than the one before"
    return confirmed(seen) if rising > 0.5 else differs(seen, "nothing: a sitemap is always read whole")


def titles(evidence: Evidence) -> Seen:
    """Check how a monthly sitemap writes titles."""
    answer, listed = evidence.good("month:now"), evidence.stories("month:now", "urlset")
    if answer is None or not listed:
        return unknown(evidence.why("month:now") or "no article in it")
    escaped = _CDATA in xml.utf8(answer.content, answer.url)
    form = "as escaped CDATA" if escaped else "not as escaped CDATA"
    with_title = sum(s.title is not None for s in listed)
    seen = f"{with_title} of {len(listed)} articles with a title, {form}"
    if with_title and escaped:
        return confirmed(seen)
    return differs(seen, "nothing: the title that counts is the page's")


def lastmod(evidence: Evidence) -> Seen:
    """Check what `lastmod` means, by the articles whose page names two different times."""
    meanings = {_meaning(story, article) for story, article in _dated(evidence)} - {None}
    if not meanings:
        return unknown("no article that was fetched names a modification time that differs from its publication")
    if meanings == {"modified"}:
        return confirmed("the time of the last edit")
    seen = "the time of publication" if meanings == {"published"} else "neither time of the page, or now this, now that"
    return differs(seen, "nothing: edits are found by rechecks; the sitemap does not show them")


def _dated(evidence: Evidence) -> Iterator[tuple[Sighting, Article]]:
    """Pair the articles that were fetched with what their sitemap says of them."""
    for era in ("now", *(name for name, _, _ in ERAS)):
        article = evidence.article(f"era:{era}")
        for story in evidence.stories(f"month:{era}", "urlset"):
            if isinstance(article, Article) and story.post_id == article.post_id:
                yield story, article


def _meaning(story: Sighting, article: Article) -> str | None:
    published, modified = (times.instant(t) if t else None for t in (article.published_at, article.modified_at))
    if story.modified_at is None or published is None or modified is None:
        return None
    if abs((modified - published).total_seconds()) < _SECONDS:
        return None
    near = {"modified": modified, "published": published}
    return next((n for n, t in near.items() if abs((t - story.modified_at).total_seconds()) < _SECONDS), "neither")


def _day(story: Sighting) -> str | None:
    when = story.published_at or story.modified_at
    return when.astimezone(site.HANOI).date().isoformat() if when else None
