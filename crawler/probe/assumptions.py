"""What is assumed of the site, one by one: name, section of the dossier, what is expected, and the check of it.

Boundary: a table, and the two functions that go through it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from crawler.probe import api, feeds, home, hosts, pages, sitemaps
from crawler.probe.evidence import Evidence, Seen
from crawler.probe.questions import ERAS
from crawler.types import Finding


@dataclass(frozen=True, slots=True)
class Assumption:
    """One thing that the code takes for granted of the site."""

    name: str
    dossier: str
    expected: str
    check: Callable[[Evidence], Seen]


_LONG = 80  # characters
_CANDIDATES = "sections such as politique, economie, societe"
_READS = "a known layout finds title, body, section, time"

ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption("robots.txt", "13", "there, and closes nothing that is asked", hosts.rules),
    Assumption("Crawl-delay", "13", "none", hosts.crawl_delay),
    Assumption("AI crawlers", "13", "no group about them", hosts.ai_groups),
    Assumption("Sitemap line", "13", "/sitemap.xml", hosts.sitemap_line),
    Assumption("honest name", "14", "a crawler that says its name gets pages", hosts.honest_name),
    Assumption("Content-Type", "14", "text/html;charset=utf-8, gzip, no Content-Length", hosts.content_type),
    Assumption("validators", "14", "no ETag, no Last-Modified", hosts.validators),
    Assumption("304", "14", "never", hosts.not_modified),
    Assumption("caches, cookies", "14", "no header of a CDN, no cookie", hosts.headers),
    Assumption("sitemap index", "11", "/sitemap.xml, months as news-YYYY-M.xml", sitemaps.index),
    Assumption("sitemap span", "11", "2010 to this month", sitemaps.span),
    Assumption("news sitemap", "11", "the articles of the last days", sitemaps.news),
    Assumption("articles a day", "3", "40 to 50", sitemaps.per_day),
    Assumption("month's order", "11", "the newest at the end", sitemaps.order),
    Assumption("month's titles", "11", "image:title, as escaped CDATA", sitemaps.titles),
    Assumption("lastmod", "11", "the time of the last edit", sitemaps.lastmod),
    Assumption("month of 2010", "11", "still lists its articles", partial(sitemaps.past, "month:2010")),
    Assumption("month of 2016", "11", "still lists its articles", partial(sitemaps.past, "month:2016")),
    Assumption("home page", "9", "lists articles as -post<ID>.vnp", home.stories),
    Assumption("menu", "9", _CANDIDATES, home.menu),
    Assumption("zone ids", "9", "li[data-id] in the menu", home.zone_ids),
    Assumption("load-more", "9", "a control with page, zone, type, size, layout", home.load_more),
    Assumption("further pages", "9", "a fragment with other articles", home.further_pages),
    Assumption("feed links", "12", "the home page links /rss/home.rss", feeds.linked),
    Assumption("home feed", "12", "/rss/home.rss is a feed", feeds.home_feed),
    Assumption("feed size", "12", "50 items", feeds.size),
    Assumption("feed items", "12", "guid is the address, pubDate with +0700", feeds.form),
    Assumption("list of feeds", "12", "/rss.html lists them", feeds.listing),
    Assumption("article now", "5", _READS, partial(pages.era, "era:now")),
    *(Assumption(f"article {name}", "6", _READS, partial(pages.era, f"era:{name}")) for name, _, _ in ERAS),
    Assumption("article's head", "4", "title suffix, canonical, section, JSON-LD NewsArticle", pages.head),
    Assumption("published_at", "15", "meta article:published_time, +07:00", pages.published),
    Assumption("Voir plus", "8", "that heading, with stories, at the foot of each page", pages.voir_plus),
    Assumption("same page again", "18.9", "other bytes, the same article", pages.again),
    Assumption("older address", "2", "/<slug>/<ID>.vnp gives the article, too", pages.old_form),
    Assumption("wrong slug", "2", "the id alone decides", pages.wrong_slug),
    Assumption("id far ahead", "14", "404 or 410", partial(pages.not_found, "high id")),
    Assumption("id in a gap", "14", "404 or 410", partial(pages.not_found, "gap id")),
    Assumption("list API", "10", "fr-api., api-fr. or the site itself, robots.txt permitting", api.host),
    Assumption("list API items", "10", "data.contents with 24 fields each", api.items),
    Assumption("list API pages", "10", "50 items at most; load_more", api.paging),
    Assumption("infographic", "7", "read as pictures without text", partial(pages.media, "infographic")),
    Assumption("video", "7", "read as a player without text", partial(pages.media, "video")),
    Assumption("photo story", "7", "read as captioned pictures without text", partial(pages.media, "photo")),
)


def judge(evidence: Evidence) -> list[Finding]:
    """Hold every assumption against the answers."""
    findings = []
    for assumption in ASSUMPTIONS:
        said = assumption.check(evidence)
        findings.append(
            Finding(
                assumption.name,
                assumption.dossier,
                assumption.expected,
                said.verdict,
                said.seen,
                said.advice,
                said.adopt,
            )
        )
    return findings


def settings(findings: Sequence[Finding]) -> dict[str, dict[str, object]]:
    """Put together what all findings propose for the configuration; lists of one key are joined."""
    merged: dict[str, dict[str, object]] = {}
    for finding in findings:
        for table, keys in finding.adopt.items():
            target = merged.setdefault(table, {})
            for key, value in keys.items():
                before = target.get(key)
                joined = [*before, *value] if isinstance(before, list) and isinstance(value, list) else value
                target[key] = list(dict.fromkeys(joined)) if isinstance(joined, list) else joined
    return merged


def snippet(proposed: Mapping[str, Mapping[str, object]]) -> str:
    """Write settings as they go into the configuration file; empty when there are none."""
    tables = [
        "\n".join([f"[{table}]", *(f"{key} = {_value(value)}" for key, value in keys.items())])
        for table, keys in proposed.items()
    ]
    return "\n\n".join(tables)


def _value(value: object) -> str:
    """Write a value as TOML, which has its texts, numbers and flags in common with JSON; long lists take several lines."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, list) or len(line) < _LONG:
        return line
    return "\n".join(["[", *(f"  {json.dumps(item, ensure_ascii=False)}," for item in value), "]"])
