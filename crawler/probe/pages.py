"""What is assumed of article pages: head (dossier 4), layout and shapes (5, 6), media (7), the foot (8), dates (15).

Boundary: pure checks; evidence in, verdicts out. Pages are read by the same parser that the archive uses.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from crawler import identity, site, urls
from crawler.errors import MarkupDrift, NotAnArticle
from crawler.probe.evidence import Evidence, Seen, confirmed, count, differs, named, path, unknown
from crawler.probe.questions import ERAS
from crawler.types import Article

NEW_LAYOUT = "write a layout file for this page: docs/new-layout.md"
_LOOK = "look at the page: `vna status` lists it, and the WARC file has it"
_UNLISTED = "the lists are not whole: fill the gaps between the ids with `vna backfill --via ids`"
_UNREAD = "the article cannot be read"
_REQUIRED = ("title", "blocks", "section", "published_at")  # an article without one of these needs a look
_WELCOME = ("lead", "images", "byline", "tags", "related")  # may be missing; said, so that somebody can compare
_WORDS = {"blocks": "body", "published_at": "publication time", "images": "pictures", "related": "Voir plus"}
_TRUSTED = "meta article:published_time"  # dossier 15: first in the order of trust
_OFFSET = "+07:00"
_LD = re.compile(r"<script\b[^>]*ld\+json[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_HEADING = re.compile(r"Voir\s+plus", re.IGNORECASE)
_CLASSED = re.compile(r"""<(\w+)\b[^>]*\bclass=["']([^"']+)["'][^>]*>""")
_TAG = re.compile(r"<([a-z][a-z0-9]*)\b", re.IGNORECASE)
#: what hangs on an assumption about addresses
_BY_NAME = {
    "old form": "nothing: an address keeps the form in which the site names it; old links in other works may be dead",
    "wrong slug": "`vna backfill --via ids` cannot work: it asks by the id alone; use --via sitemap or --via lists",
}
_ERA_KEYS = ("era:now", *(f"era:{name}" for name, _, _ in ERAS))


def era(key: str, evidence: Evidence) -> Seen:
    """Check that an article of some year reads: with which layout, and what it lacks."""
    article = evidence.article(key)
    if article is None:
        return unknown(evidence.why(key))
    at = path(evidence.asked[key].url or "")[-24:]
    if isinstance(article, MarkupDrift):
        found = sorted(article.article.provenance)
        return differs(
            f"…{at}: no {', no '.join(article.missing)}; by fallback: {named(found) or 'nothing'}", NEW_LAYOUT
        )
    if isinstance(article, NotAnArticle):
        return differs(f"…{at}: {article}", _LOOK)
    lacks = [_WORDS.get(name, name) for name in (*_REQUIRED, *_WELCOME) if not getattr(article, name)]
    seen = f"…{at}: {article.markup}, {_size(article)}"
    seen += f"; without {', '.join(lacks)}" if lacks else ""
    missing = [name for name in _REQUIRED if not getattr(article, name)]
    return differs(seen, NEW_LAYOUT) if missing else confirmed(seen)


def _size(article: Article) -> str:
    return f"{article.kind}, {count(len(article.paragraphs), 'paragraph')}, {count(len(article.images), 'picture')}"


def published(evidence: Evidence) -> Seen:
    """Check where publication times come from, and their offset."""
    articles = _articles(evidence)
    if not articles:
        return unknown(evidence.why("era:now") or _UNREAD)
    sources = Counter(a.provenance.get("published_at", "nowhere") for a in articles)
    offsets = Counter((a.published_raw or "")[-6:] for a in articles)
    seen = ", ".join(f"{n} x {source}" for source, n in sources.most_common())
    if set(sources) == {_TRUSTED} and set(offsets) == {_OFFSET}:
        return confirmed(f"{seen}, {_OFFSET}")
    raw = articles[0].published_raw
    return differs(
        f"{seen}; written as {raw}", "compare with the time that a reader sees; a time without offset is Hanoi's"
    )


def head(evidence: Evidence) -> Seen:
    """Check the head of a page: title suffix, canonical address, JSON-LD."""
    answer = evidence.good("era:now")
    if answer is None:
        return unknown(evidence.why("era:now"))
    html = answer.content.decode("utf-8", "replace")
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
        return differs(f"without {', '.join(lacks)}; {seen}", "nothing, if the articles above read well")
    return confirmed(seen)


def _ld_keys(html: str) -> set[str]:
    keys: set[str] = set()
    for script in _LD.findall(html):
        try:
            value = json.loads(script, strict=False)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and value.get("@type") == "NewsArticle":
            keys |= {key for key in value if not key.startswith("@")}
    return keys


def voir_plus(evidence: Evidence) -> Seen:
    """Check that pages end in a block `Voir plus`, and say in which element."""
    articles = _articles(evidence)
    if not articles:
        return unknown(evidence.why("era:now") or _UNREAD)
    counts = [len(a.related) for a in articles]
    container = next((c for key in _ERA_KEYS if (c := _container(evidence, key))), "heading not on the page")
    seen = f"{min(counts)} to {max(counts)} stories; in {container}"
    if all(counts):
        return confirmed(seen)
    return differs(
        f"{seen}; none on {counts.count(0)} of {len(counts)} pages",
        "compare a page: its stories may have run into the text. The heading is [related] in the layout file",
    )


def _container(evidence: Evidence, key: str) -> str | None:
    """Name the elements with a class that open before the heading, nearest last."""
    answer = evidence.good(key)
    html = answer.content.decode("utf-8", "replace") if answer else ""
    found = _HEADING.search(html)
    opened = _CLASSED.findall(html[: found.start()])[-3:] if found else []
    return " > ".join(f"{tag}.{'.'.join(classes.split()[:2])}" for tag, classes in opened) or None


# --- addresses


def old_form(evidence: Evidence) -> Seen:
    """Check that the older form of an address gives the same article."""
    return _same(evidence, "old form")


def wrong_slug(evidence: Evidence) -> Seen:
    """Check that the id alone decides."""
    return _same(evidence, "wrong slug")


def _same(evidence: Evidence, key: str) -> Seen:
    answer = evidence.answer(key)
    if answer is None or not isinstance(evidence.article("era:now"), Article):
        return unknown(_UNREAD if answer else evidence.why(key))
    wanted, article = urls.post_id(evidence.asked[key].url or ""), evidence.article(key)
    hops = "".join(f"HTTP status {hop.status}, then " for hop in answer.hops)
    if isinstance(article, Article) and article.post_id == wanted:
        seen = f"{hops}{answer.status}, the article; canonical {path(article.url or '')[-28:]}"
        return differs(seen, "nothing: redirects are followed, and the id decides") if hops else confirmed(seen)
    other = f"the article {article.post_id}" if isinstance(article, Article) else str(article or "no page")
    return differs(f"{hops}{answer.status}, {other}", _BY_NAME[key])


def not_found(key: str, evidence: Evidence) -> Seen:
    """Check how an id that is not there answers."""
    answer = evidence.answer(key)
    if answer is None:
        return unknown(evidence.why(key))
    asked = urls.post_id(evidence.asked[key].url or "")
    hops = "".join(f"{hop.status} to {path(answer.url)}, then " for hop in answer.hops[:1])
    article = evidence.article(key)
    if answer.status in {404, 410} and not hops:
        return confirmed(f"HTTP status {answer.status}")
    if isinstance(article, Article) and article.post_id == asked:
        return differs(f"{hops}{answer.status}: an article that no list names", _UNLISTED)
    says = f"; {article}" if isinstance(article, NotAnArticle) else ""
    return differs(
        f"{hops}HTTP status {answer.status}{says}",
        "nothing, if it is read as a soft 404 or as another page: a held article that answers so counts as removed",
    )


# --- the same page twice


def again(evidence: Evidence) -> Seen:
    """Check that the bytes of a page change between two fetches, and the article does not."""
    first, second = evidence.good("era:now"), evidence.good("again")
    if first is None or second is None:
        return unknown(evidence.why("era:now", "again"))
    one, other = evidence.article("era:now"), evidence.article("again")
    if not isinstance(one, Article) or not isinstance(other, Article):
        return unknown(_UNREAD)
    minutes = (second.fetched_at - first.fetched_at).total_seconds() / 60
    seen = f"after {minutes:.0f} minutes: {_changes(first.content, second.content)}"
    if identity.fingerprint(one) != identity.fingerprint(other):
        changed = [n for n, v in identity.comparable(one).items() if identity.comparable(other).get(n) != v]
        advice = "see whether it was edited just now; if not, its layout takes in what is not the article's"
        return differs(f"{seen}; article: {named(changed)}", advice)
    return confirmed(f"{seen}; article the same")


def _changes(one: bytes, other: bytes) -> str:
    """Count the pieces of markup that only one of two pages has, by their element."""
    pieces = [Counter(re.split(r"(?=<)", page.decode("utf-8", "replace"))) for page in (one, other)]
    changed = (pieces[0] - pieces[1]) + (pieces[1] - pieces[0])
    if not changed:
        return "the same bytes"
    tags = Counter(m[1].lower() if (m := _TAG.match(piece)) else "text" for piece in changed.elements())
    return "changed " + ", ".join(f"{n} x {tag}" for tag, n in tags.most_common(4))


# --- pages without text


def media(kind: str, evidence: Evidence) -> Seen:
    """Check that a page of pictures or with a player is read as one."""
    key = f"media:{kind}"
    article = evidence.article(key)
    if article is None:
        return unknown(evidence.why(key))
    at = path(evidence.asked[key].url or "")[-24:]
    if isinstance(article, MarkupDrift):
        return differs(f"…{at}: {article}", NEW_LAYOUT)
    if isinstance(article, NotAnArticle):
        return differs(f"…{at}: {article}", _LOOK)
    seen = f"…{at}: {_size(article)}"
    if article.kind == kind or article.paragraphs:
        return confirmed(seen)
    return differs(seen, NEW_LAYOUT)


def _articles(evidence: Evidence) -> list[Article]:
    return [a for key in _ERA_KEYS if isinstance(a := evidence.article(key), Article)]
