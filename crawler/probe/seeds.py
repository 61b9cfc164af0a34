"""The seeds, five real articles whose texts are known: where to look them up, and how their live pages compare.

They are the strongest check that there is, because all other checks compare the site only with itself.

Boundary: pure; `pipeline.probe` sends the requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crawler import urls
from crawler.errors import MarkupDrift, NotAnArticle
from crawler.finding import Finding
from crawler.heal import compare
from crawler.heal.healing import Healing
from crawler.heal.text_index import squeeze
from crawler.probe.evidence import CheckResult, ProbeEvidence, confirmed, count, differs, path, unknown
from crawler.probe.questions import months
from crawler.types import Article, Sighting, SourceKind

MOST_REQUESTS = 12  # for the seeds, beyond those of the questions
#: The months of publication of the seeds in `seeds/`, concluded from the events in their texts, by the start of the file
#: name. The site may list an article in the month after it.
_MONTHS = {"000": (2018, 9), "001": (2023, 8), "002": (2023, 3), "003": (2021, 12), "004": (2023, 3)}
_MOST_MONTHS = 3  # sitemaps of months that are read for one seed, the likeliest first
_DOSSIER = "3"
_EXPECTED = "the live page has the text of the seed"
_FIELDS = {"title": "title", "lead": "lead", "text": "text", "captions": "captions"}
_LEARNED = "learned layout"
_SHOWN = 60  # characters of a value that differs
_LIST, _PAGE = "seed list: ", "seed "


def page_key(name: str) -> str:
    """Return the key of the response with the page of a seed."""
    return f"{_PAGE}{name}"


def list_key(url: str) -> str:
    """Return the key of a response that was requested to find seeds."""
    return f"{_LIST}{url}"


def addresses(evidence: ProbeEvidence, seeds: Mapping[str, Article]) -> dict[str, str]:
    """Return the addresses of the seeds that the lists read so far contain, by name.

    Titles, and the slugs of addresses, are compared without accents, case, punctuation and spaces.
    """
    wanted = {squeeze(article.title): name for name, article in seeds.items()}
    found: dict[str, str] = {}
    for story in _stories(evidence):
        for text in (story.title or "", urls.slug(story.url) or ""):
            name = wanted.get(squeeze(text))
            if name is not None:
                found.setdefault(name, story.url)
    return found


def _stories(evidence: ProbeEvidence) -> Iterator[Sighting]:
    yield from evidence.all_stories()
    for key in evidence.responses:
        if key.startswith("month:"):
            yield from evidence.stories(key, "sitemap")
        elif key.startswith(_LIST):
            yield from evidence.stories(key, _kind(key.removeprefix(_LIST)))


def _kind(url: str) -> SourceKind:
    return "section" if urls.shape(url) == "search" else "sitemap"


def next_list(evidence: ProbeEvidence, seeds: Mapping[str, Article]) -> str | None:
    """Return the address of the next list to read, so that a missing seed may be found; None if there is none.

    First the likeliest month of each seed, then the search for each, then further months.
    """
    found, asked = addresses(evidence, seeds), {r.url for r in evidence.responses.values() if r.url}
    missing = {name: article for name, article in seeds.items() if name not in found}
    nearest = [_nearest_months(evidence, name) for name in missing]
    candidates = [
        *(url for urls_ in nearest for url in urls_[:1]),
        *(evidence.site.search_page(article.title) for article in missing.values()),
        *(url for place in range(1, _MOST_MONTHS) for urls_ in nearest for url in urls_[place : place + 1]),
    ]
    return next((url for url in candidates if url not in asked), None)


def _nearest_months(evidence: ProbeEvidence, name: str) -> list[str]:
    """Return the addresses of the sitemaps in which a seed may be, the likeliest first; the later of two equal ones."""
    expected = _MONTHS.get(name)
    if expected is None:
        return []
    dated = [(_number(s.when) - _number(expected), s.url) for s in months(evidence) if s.when is not None]
    return [url for _, url in sorted(dated, key=lambda entry: (abs(entry[0]), -entry[0]))]


def _number(month: tuple[int, int]) -> int:
    return 12 * month[0] + month[1]


def verdicts(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many seeds have each verdict; empty if the probe did not look for seeds."""
    found = Counter(finding.verdict for finding in findings if finding.name.startswith(_PAGE))
    return {str(verdict): number for verdict, number in sorted(found.items())}


def judge(evidence: ProbeEvidence, seeds: Mapping[str, Article]) -> list[Finding]:
    """Return a finding for each seed: whether its live page, as read with the known layouts, has the known text."""
    findings = []
    for name, article in seeds.items():
        result = _compared(evidence, name, article)
        findings.append(Finding(page_key(name), _DOSSIER, _EXPECTED, result.verdict, result.seen, result.advice))
    return findings


def _compared(evidence: ProbeEvidence, name: str, seed: Article) -> CheckResult:
    asked = evidence.responses.get(page_key(name))
    if asked is None:
        return unknown("no list that was read contains the seed")
    live = evidence.article(page_key(name))
    if live is None:
        return unknown(evidence.failure(page_key(name)))
    at = path(asked.url or "")[-24:]
    if isinstance(live, NotAnArticle):
        return differs(f"…{at}: {live}", "look at the page: `vna status` lists it, and the WARC file contains it")
    found = live.article if isinstance(live, MarkupDrift) else live
    names = [n for n in _FIELDS if n != "captions" or isinstance(live, Article)]
    fields = {_FIELDS[n]: field_difference(n, seed, found) for n in names}
    seen = "; ".join(f"{field} {difference or 'equal'}" for field, difference in fields.items())
    if isinstance(live, MarkupDrift):
        return differs(f"…{at}: unknown layout; in the metadata: {seen}", "learn the layout: run `vna heal --adopt`")
    if any(fields.values()):
        return differs(
            f"…{at}: {live.markup}; {seen}",
            "compare the page with the seed: the agency may have edited the article, or the layout reads it wrongly",
        )
    return confirmed(f"…{at}: {live.markup}; {seen}; {count(len(live.paragraphs), 'paragraph')}")


def field_difference(name: str, seed: Article, found: Article) -> str | None:
    """Return how a field of a live page differs from the seed; None if it is equal apart from white space."""
    one, other = compare.value(name, seed), compare.value(name, found)
    if compare.without_space(one) == compare.without_space(other):
        return None
    if not other:
        return "not read"
    known, read = _first_difference(one, other)
    return f"differs ({_short(known)} is read as {_short(read)})"


def _first_difference(one: Any, other: Any) -> tuple[object, object]:
    """Return the first pair of items that differ, of two texts or sequences of texts."""
    if isinstance(one, str):
        return one, other
    known, read = list(one), list(other)
    place = next(
        (
            n
            for n in range(min(len(known), len(read)))
            if compare.without_space(known[n]) != compare.without_space(read[n])
        ),
        min(len(known), len(read)),
    )
    return (known[place : place + 1] or [None])[0], (read[place : place + 1] or [None])[0]


def _short(value: object) -> str:
    text = "nothing" if value is None else f"`{value}`"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 2]}…`"


# --- the layout that is learned from the seeds -------------------------------------------------------------------------


def next_article(evidence: ProbeEvidence, seeds: Mapping[str, Article]) -> str | None:
    """Return the address of a further article to fetch, because the layout must be learned; None if it is known.

    The newest articles are fetched; these are not in the form of the seeds, which are older.
    """
    if not in_unknown_layout(evidence, seeds):
        return None
    asked = {r.url for r in evidence.responses.values()}
    return next((story.url for story in evidence.all_stories() if story.url not in asked), None)


def further_key(url: str) -> str:
    """Return the key of the response with a further article."""
    return f"further article: {url}"


def in_unknown_layout(evidence: ProbeEvidence, seeds: Mapping[str, Article]) -> bool:
    """Whether the page of a seed is in an unknown layout."""
    return any(isinstance(evidence.article(page_key(name)), MarkupDrift) for name in seeds)


def learned(name: str, healing: Healing, least: float) -> Finding:
    """Return the finding that a layout was learned from the seeds and from the other pages of the probe."""
    seen = (
        f"{name}: {healing.complete} known articles, {healing.share:.0%} exact; {healing.further} further pages,"
        f" {len(healing.contradicted)} of them contradict it"
    )
    advice = (
        "adopt it: run `vna heal --adopt`, then poll"
        if healing.is_adoptable(least)
        else "poll, so that more pages can be compared, then run `vna heal --adopt`"
    )
    return Finding(_LEARNED, _DOSSIER, "not needed", "differs", seen, advice)


def not_learned(reason: str) -> Finding:
    """Return the finding that no layout could be learned from the seeds."""
    return Finding(_LEARNED, _DOSSIER, "not needed", "differs", reason, "write a layout: docs/new-layout.md")
