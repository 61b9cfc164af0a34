"""The table of assumptions about the site: name, dossier section, expectation, and check.

Boundary: the table, and the functions that turn it into findings and settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from crawler.finding import Finding
from crawler.probe import api, feeds, home, hosts, pages, sitemaps
from crawler.probe.evidence import CheckResult, ProbeEvidence
from crawler.probe.questions import ERAS


@dataclass(frozen=True, slots=True)
class Assumption:
    """One assumption of the code about the site. `dossier` is the number of its section in docs/site-dossier.md."""

    name: str
    dossier: str
    expected: str
    check: Callable[[ProbeEvidence], CheckResult]


_LONG = 80  # characters from which on a list takes several lines
_CANDIDATES = "sections such as politique, economie, societe"
_READS = "a known layout finds title, body, section and time"

ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption("robots.txt", "13", "present, and allows everything that is polled", hosts.rules),
    Assumption("Crawl-delay", "13", "none", hosts.crawl_delay),
    Assumption("AI crawlers", "13", "no group for them", hosts.ai_groups),
    Assumption("Sitemap line", "13", "/sitemap.xml", hosts.sitemap_line),
    Assumption("honest name", "14", "a crawler with an honest User-Agent receives pages", hosts.honest_name),
    Assumption("Content-Type", "14", "text/html;charset=utf-8, gzip, no Content-Length", hosts.content_type),
    Assumption("validators", "14", "no ETag, no Last-Modified", hosts.validators),
    Assumption("304", "14", "never", hosts.not_modified),
    Assumption("caches, cookies", "14", "no CDN headers, no cookies", hosts.headers),
    Assumption("sitemap index", "11", "/sitemap.xml, months as news-YYYY-M.xml", sitemaps.index),
    Assumption("sitemap span", "11", "2010 to this month", sitemaps.span),
    Assumption("news sitemap", "11", "lists the articles of the last days", sitemaps.news),
    Assumption("articles a day", "3", "40 to 50", sitemaps.per_day),
    Assumption("month's order", "11", "newest article at the end", sitemaps.order),
    Assumption("month's titles", "11", "image:title, as escaped CDATA", sitemaps.titles),
    Assumption("lastmod", "11", "the time of the last edit", sitemaps.lastmod),
    Assumption("month of 2010", "11", "still lists its articles", partial(sitemaps.past, "month:2010")),
    Assumption("month of 2016", "11", "still lists its articles", partial(sitemaps.past, "month:2016")),
    Assumption("home page", "9", "lists articles as -post<ID>.vnp", home.stories),
    Assumption("menu", "9", _CANDIDATES, home.menu),
    Assumption("zone ids", "9", "li[data-id] in the menu", home.zone_ids),
    Assumption("load-more", "9", "a control with page, zone, type, size and layout", home.load_more),
    Assumption("further pages", "9", "a fragment with more articles", home.further_pages),
    Assumption("feed links", "12", "the home page links to /rss/home.rss", feeds.linked),
    Assumption("home feed", "12", "/rss/home.rss is a feed", feeds.home_feed),
    Assumption("feed size", "12", "50 items", feeds.size),
    Assumption("feed items", "12", "guid is the address, pubDate with +0700", feeds.form),
    Assumption("list of feeds", "12", "/rss.html lists them", feeds.listing),
    Assumption("article now", "5", _READS, partial(pages.era, "era:now")),
    *(Assumption(f"article {name}", "6", _READS, partial(pages.era, f"era:{name}")) for name, _, _ in ERAS),
    Assumption("article's head", "4", "title suffix, canonical, section, JSON-LD NewsArticle", pages.head),
    Assumption("published_at", "15", "meta article:published_time, +07:00", pages.published),
    Assumption("Voir plus", "8", "this heading, with stories, at the foot of each page", pages.voir_plus),
    Assumption("same page again", "18.9", "different bytes, same article", pages.again),
    Assumption("older address", "2", "/<slug>/<ID>.vnp also serves the article", pages.old_form),
    Assumption("wrong slug", "2", "the id alone selects the article", pages.wrong_slug),
    Assumption("id far ahead", "14", "404 or 410", partial(pages.not_found, "id far ahead")),
    Assumption("unlisted id", "14", "404 or 410", partial(pages.not_found, "unlisted id")),
    Assumption("list API", "10", "on fr-api., api-fr. or the site itself, if robots.txt allows it", api.host),
    Assumption("list API items", "10", "data.contents with 24 fields each", api.items),
    Assumption("list API pages", "10", "at most 50 items, and load_more", api.paging),
    Assumption("infographic", "7", "recognised as pictures without text", partial(pages.media, "infographic")),
    Assumption("video", "7", "recognised as a player without text", partial(pages.media, "video")),
    Assumption("photo story", "7", "recognised as captioned pictures without text", partial(pages.media, "photo")),
)


def judge(evidence: ProbeEvidence) -> list[Finding]:
    """Check each assumption against the responses, and return one finding for each."""
    findings = []
    for assumption in ASSUMPTIONS:
        result = assumption.check(evidence)
        findings.append(
            Finding(
                assumption.name,
                assumption.dossier,
                assumption.expected,
                result.verdict,
                result.seen,
                result.advice,
                result.adopt,
            )
        )
    return findings


def settings(findings: Sequence[Finding]) -> dict[str, dict[str, object]]:
    """Return the settings that the findings propose, by table and key; lists for the same key are joined."""
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
    """Return the proposed settings as TOML for the configuration file; an empty string if there are none."""
    tables = [
        "\n".join([f"[{table}]", *(f"{key} = {_value(value)}" for key, value in keys.items())])
        for table, keys in proposed.items()
    ]
    return "\n\n".join(tables)


def _value(value: object) -> str:
    """Return a value as TOML, in which strings, numbers and booleans are written as in JSON."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, list) or len(line) < _LONG:
        return line
    return "\n".join(["[", *(f"  {json.dumps(item, ensure_ascii=False)}," for item in value), "]"])
