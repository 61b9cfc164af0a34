"""Checks of article pages (dossier sections 4 to 8 and 15): head, layout, media, foot, dates.

The pages are parsed by the parser that also fills the archive.

Boundary: pure checks. Each takes the responses of the probe (`ProbeEvidence`) and returns a `CheckResult`.
"""

from __future__ import annotations

import re
from collections import Counter

from crawler import identity, site, urls
from crawler.errors import NOT_FOUND, MarkupDrift, NotAnArticle
from crawler.parse import json_text
from crawler.probe.evidence import CheckResult, ProbeEvidence, confirmed, count, differs, named, path, unknown
from crawler.probe.questions import ERAS
from crawler.types import Article

NEW_LAYOUT = "write a layout file for this page: docs/new-layout.md"
_LOOK = "look at the page: `vna status` lists it, and the WARC file contains it"
_UNLISTED = "the lists are incomplete: fetch unlisted articles with `vna backfill --via ids`"
_UNREAD = "the article cannot be parsed"
_REQUIRED = ("title", "blocks", "section", "published_at")  # an article without one of these contradicts the assumption
_OPTIONAL = ("lead", "images", "byline", "tags", "related")  # reported when missing, so that a person can compare
_LABELS = {"blocks": "body", "published_at": "publication time", "images": "pictures", "related": "Voir plus"}
_TRUSTED = "meta article:published_time"  # first in the order of trust (dossier section 15)
_OFFSET = "+07:00"
_LD = re.compile(r"<script\b[^>]*ld\+json[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"Voir\s+plus", re.IGNORECASE)
_REACH = 20_000  # characters before the heading
_CLASSED = re.compile(r"""<(\w++)\b[^<>]*\bclass=["']([^"'<>]++)["'][^<>]*+>""")
_TAG = re.compile(r"<([a-z][a-z0-9]*)\b", re.IGNORECASE)
#: The advice when the site does not serve an article at another form of its address.
_ADDRESS_ADVICE = {
    "older address": "nothing to do: addresses are stored as the site lists them; old links elsewhere may be dead",
    "wrong slug": "use `vna backfill --via sitemap` or `--via lists`: `--via ids` cannot work without the slug",
}
_ERA_KEYS = ("era:now", *(f"era:{name}" for name, _, _ in ERAS))


def era(key: str, evidence: ProbeEvidence) -> CheckResult:
    """Check that the sample article from one year is parsed with all required fields, and report missing fields."""
    article = evidence.article(key)
    if article is None:
        return unknown(evidence.failure(key))
    at = path(evidence.responses[key].url or "")[-24:]
    if isinstance(article, MarkupDrift):
        found = sorted(article.article.provenance)
        return differs(
            f"…{at}: no {', no '.join(article.missing)}; by fallback: {named(found) or 'nothing'}", NEW_LAYOUT
        )
    if isinstance(article, NotAnArticle):
        return differs(f"…{at}: {article}", _LOOK)
    lacks = [_LABELS.get(name, name) for name in (*_REQUIRED, *_OPTIONAL) if not getattr(article, name)]
    seen = f"…{at}: {article.markup}, {_size(article)}"
    seen += f"; without {', '.join(lacks)}" if lacks else ""
    missing = [name for name in _REQUIRED if not getattr(article, name)]
    return differs(seen, NEW_LAYOUT) if missing else confirmed(seen)


def _size(article: Article) -> str:
    return f"{article.kind}, {count(len(article.paragraphs), 'paragraph')}, {count(len(article.images), 'picture')}"


def published(evidence: ProbeEvidence) -> CheckResult:
    """Check that the expected element gives the publication time, with the UTC offset of Hanoi."""
    articles = _articles(evidence)
    if not articles:
        return unknown(evidence.failure("era:now") or _UNREAD)
    sources = Counter(a.provenance.get("published_at", "no element") for a in articles)
    offsets = Counter((a.published_raw or "")[-6:] for a in articles)
    seen = ", ".join(f"{n} x {source}" for source, n in sources.most_common())
    if set(sources) == {_TRUSTED} and set(offsets) == {_OFFSET}:
        return confirmed(f"{seen}, {_OFFSET}")
    raw = articles[0].published_raw
    return differs(
        f"{seen}; written as {raw}",
        "compare with the time shown on the page; a time without offset counts as Hanoi time",
    )


def head(evidence: ProbeEvidence) -> CheckResult:
    """Check that the head of a page contains the title suffix, the canonical address, the section and JSON-LD."""
    response = evidence.ok("era:now")
    if response is None:
        return unknown(evidence.failure("era:now"))
    html = response.content.decode("utf-8", "replace")
    title = re.search(r"<title>(.*?)</title>", html, re.DOTALL)
    parts = {
        "title suffix": title is not None and re.search(site.TITLE_SUFFIX, title[1].strip()) is not None,
        "canonical": re.search(r'rel=["\']canonical', html) is not None,
        "article:section": "article:section" in html,
        "JSON-LD NewsArticle": any("NewsArticle" in script for script in _LD.findall(html)),
    }
    extras = [name for name in ("article:modified_time", "hreflang", "amphtml") if name in html]
    lacks = [name for name, found in parts.items() if not found]
    keys = named(sorted(_ld_keys(html)), 12)
    seen = f"also {', '.join(extras) or 'none of modified_time, hreflang, AMP'}; JSON-LD: {keys or 'none'}"
    if lacks:
        return differs(f"without {', '.join(lacks)}; {seen}", "nothing to do if the articles of this probe are parsed")
    return confirmed(seen)


def _ld_keys(html: str) -> set[str]:
    keys: set[str] = set()
    for script in _LD.findall(html):
        try:
            value = json_text.load(script).value
        except ValueError:
            continue
        if isinstance(value, dict) and value.get("@type") == "NewsArticle":
            keys |= {key for key in value if not key.startswith("@")}
    return keys


def voir_plus(evidence: ProbeEvidence) -> CheckResult:
    """Check that each page lists articles under the heading `Voir plus`, and report the element that contains them."""
    articles = _articles(evidence)
    if not articles:
        return unknown(evidence.failure("era:now") or _UNREAD)
    counts = [len(a.related) for a in articles]
    container = next((c for key in _ERA_KEYS if (c := _container(evidence, key))), "heading not on the page")
    seen = f"{min(counts)} to {max(counts)} stories; in {container}"
    if all(counts):
        return confirmed(seen)
    return differs(
        f"{seen}; none on {counts.count(0)} of {len(counts)} pages",
        "check a page: its related stories may be part of the text. The layout file sets the heading under [related]",
    )


def _container(evidence: ProbeEvidence, key: str) -> str | None:
    """Return the last three elements with a class attribute before the heading `Voir plus`; None if there are none."""
    response = evidence.ok(key)
    html = response.content.decode("utf-8", "replace") if response else ""
    found = _HEADING.search(html)
    opened = _CLASSED.findall(html[max(0, found.start() - _REACH) : found.start()])[-3:] if found else []
    return " > ".join(f"{tag}.{'.'.join(classes.split()[:2])}" for tag, classes in opened) or None


# --- addresses


def old_form(evidence: ProbeEvidence) -> CheckResult:
    """Check that the older form of an article's address serves the same article."""
    return _same_article(evidence, "older address")


def wrong_slug(evidence: ProbeEvidence) -> CheckResult:
    """Check that the id alone selects an article, even if the slug in the address is wrong."""
    return _same_article(evidence, "wrong slug")


def _same_article(evidence: ProbeEvidence, key: str) -> CheckResult:
    response = evidence.response(key)
    if response is None or not isinstance(evidence.article("era:now"), Article):
        return unknown(_UNREAD if response else evidence.failure(key))
    wanted, article = urls.post_id(evidence.responses[key].url or ""), evidence.article(key)
    hops = "".join(f"HTTP status {hop.status}, then " for hop in response.hops)
    if isinstance(article, Article) and article.post_id == wanted:
        seen = f"{hops}{response.status}, the article; canonical {path(article.url or '')[-28:]}"
        return (
            differs(seen, "nothing to do: redirects are followed, and the id identifies the article")
            if hops
            else confirmed(seen)
        )
    other = f"the article {article.post_id}" if isinstance(article, Article) else str(article or "no page")
    return differs(f"{hops}{response.status}, {other}", _ADDRESS_ADVICE[key])


def not_found(key: str, evidence: ProbeEvidence) -> CheckResult:
    """Check that the site responds with status 404 or 410 to an id that does not exist."""
    response = evidence.response(key)
    if response is None:
        return unknown(evidence.failure(key))
    asked = urls.post_id(evidence.responses[key].url or "")
    hops = "".join(f"{hop.status} to {path(response.url)}, then " for hop in response.hops[:1])
    article = evidence.article(key)
    if response.status in NOT_FOUND and not hops:
        return confirmed(f"HTTP status {response.status}")
    if isinstance(article, Article) and article.post_id == asked:
        return differs(f"{hops}{response.status}: an article that no list names", _UNLISTED)
    reason = f"; {article}" if isinstance(article, NotAnArticle) else ""
    return differs(
        f"{hops}HTTP status {response.status}{reason}",
        "nothing to do if this is recognised as a soft 404 or as another page; otherwise, removals are not noticed",
    )


# --- the same page twice


def again(evidence: ProbeEvidence) -> CheckResult:
    """Check that a second fetch of a page gives the same article, even if the bytes of the page differ."""
    first, second = evidence.ok("era:now"), evidence.ok("again")
    if first is None or second is None:
        return unknown(evidence.failure("era:now", "again"))
    one, other = evidence.article("era:now"), evidence.article("again")
    if not isinstance(one, Article) or not isinstance(other, Article):
        return unknown(_UNREAD)
    minutes = (second.fetched_at - first.fetched_at).total_seconds() / 60
    seen = f"after {minutes:.0f} minutes: {_changes(first.content, second.content)}"
    if identity.fingerprint(one) != identity.fingerprint(other):
        changed = [n for n, v in identity.comparable(one).items() if identity.comparable(other).get(n) != v]
        advice = "check whether the article was just edited; if not, the layout file selects too much of the page"
        return differs(f"{seen}; article: {named(changed)}", advice)
    return confirmed(f"{seen}; article unchanged")


def _changes(one: bytes, other: bytes) -> str:
    """Describe how two pages differ: the number of pieces of markup that only one of them has, by element."""
    pieces = [Counter(re.split(r"(?=<)", page.decode("utf-8", "replace"))) for page in (one, other)]
    changed = (pieces[0] - pieces[1]) + (pieces[1] - pieces[0])
    if not changed:
        return "the same bytes"
    tags = Counter(m[1].lower() if (m := _TAG.match(piece)) else "text" for piece in changed.elements())
    return "changed " + ", ".join(f"{n} x {tag}" for tag, n in tags.most_common(4))


# --- pages without text


def media(kind: str, evidence: ProbeEvidence) -> CheckResult:
    """Check that an article of pictures or video is recognised as being of the kind `kind`, unless it has text."""
    key = f"media:{kind}"
    article = evidence.article(key)
    if article is None:
        return unknown(evidence.failure(key))
    at = path(evidence.responses[key].url or "")[-24:]
    if isinstance(article, MarkupDrift):
        return differs(f"…{at}: {article}", NEW_LAYOUT)
    if isinstance(article, NotAnArticle):
        return differs(f"…{at}: {article}", _LOOK)
    seen = f"…{at}: {_size(article)}"
    if article.kind == kind or article.paragraphs:
        return confirmed(seen)
    return differs(seen, NEW_LAYOUT)


def _articles(evidence: ProbeEvidence) -> list[Article]:
    return [a for key in _ERA_KEYS if isinstance(a := evidence.article(key), Article)]
