"""Checks of the home page, its menu and the section pages (dossier section 9).

Boundary: pure checks. Each takes the responses of the probe (`ProbeEvidence`) and returns a `CheckResult`.
"""

from __future__ import annotations

import re

from crawler import urls
from crawler.probe.evidence import CheckResult, ProbeEvidence, confirmed, differs, named, path, slug, unknown
from crawler.probe.questions import sections, zones

#: Candidates for the slugs of sections (dossier section 9); none of them has been seen.
SLUGS = frozenset(
    "politique economie societe culture sports sport environnement monde international sci-tech sciences technologie "
    "technologies tourisme sante education".split()
)
_LINKS = re.compile(r"""<a\b[^<>]*\bhref=["']([^"'#<>]+)["']""", re.IGNORECASE)
_CONTROL = re.compile(r"<[^<>]*\bdata-page=[^<>]*>", re.IGNORECASE)
_CONTROL_PARTS = ("data-page", "data-zone", "data-type", "data-size", "data-layout")


def menu(evidence: ProbeEvidence) -> CheckResult:
    """Check that the menu of the home page lists sections, and that all their slugs are in `SLUGS`."""
    if evidence.ok("home") is None:
        return unknown(evidence.failure("home"))
    slugs = [slug(s.url) for s in sections(evidence)]
    if not slugs:
        return _no_menu(evidence)
    seen = f"{len(slugs)} sections: {named(slugs, 12)}"
    if set(slugs) <= SLUGS:
        return confirmed(seen)
    return differs(seen, "nothing to do: polls follow the menu, whatever its slugs are")


def _no_menu(evidence: ProbeEvidence) -> CheckResult:
    """Return the result for a home page without a known menu: the sections to which other links on it lead, if any."""
    links = (urls.absolute(evidence.site.root, link) for link in _LINKS.findall(_html(evidence, "home")))
    own = {path(urls.canonical(u)) for u in links if u and evidence.site.owns(u) and urls.shape(u) == "section"}
    if not own:
        return differs("no menu, and no link to a section", "look at the site and add its sections to [poll] add")
    return differs(
        f"no known menu; links elsewhere on the page: {named(sorted(own), 8)}",
        "add those that are sections to [poll] add, as in the settings below",
        {"poll": {"add": sorted(own)}},
    )


def zone_ids(evidence: ProbeEvidence) -> CheckResult:
    """Check that the menu contains zone ids, by which the list API identifies sections."""
    if evidence.ok("home") is None:
        return unknown(evidence.failure("home"))
    if found := zones(evidence):
        return confirmed(named([f"{name} {zone}" for name, zone in found.items()], 5))
    return differs(
        "no li[data-id] around the menu's links", "nothing to do, but the list API cannot be asked for a single section"
    )


def stories(evidence: ProbeEvidence) -> CheckResult:
    """Check that the home page lists articles, and that all their addresses have the current form (`-post<ID>.vnp`)."""
    if evidence.ok("home") is None:
        return unknown(evidence.failure("home"))
    shown = evidence.stories("home", "home")
    if not shown:
        return differs("lists no article", "look at the page in a browser: it may need scripts to show its lists")
    current = sum(urls.has_current_form(s.url) for s in shown)
    seen = f"{len(shown)} articles, {current} as -post<ID>.vnp"
    if current == len(shown):
        return confirmed(seen)
    return differs(seen, "nothing to do: both forms are supported, and the id identifies the article")


def load_more(evidence: ProbeEvidence) -> CheckResult:
    """Check that a section page has the control that loads more articles, with all expected attributes."""
    if evidence.ok("section") is None:
        return unknown(evidence.failure("section"))
    control = _CONTROL.search(_html(evidence, "section"))
    if control is None:
        return differs("no element with data-page", "nothing to do: only the first page of each section is read")
    missing = [name for name in _CONTROL_PARTS if f"{name}=" not in control[0].lower()]
    if missing:
        return differs(
            f"a control without {named(missing)}",
            "look at the check `further pages`: if it is confirmed, there is nothing to do",
        )
    return confirmed(", ".join(_CONTROL_PARTS))


def further_pages(evidence: ProbeEvidence) -> CheckResult:
    """Check that the load-more control of a section page loads articles that are not on its first page."""
    if evidence.ok("more") is None:
        return unknown(evidence.failure("section", "more"))
    first = {s.post_id for s in evidence.stories("section", "section")}
    more = {s.post_id for s in evidence.stories("more", "section")}
    if more - first:
        return confirmed(f"{len(more)} articles, {len(more - first)} of them not on the first page")
    seen = "the same articles again" if more else "a response that lists no article"
    return differs(seen, "paging back cannot fill gaps; they are filled from the month's sitemap")


def _html(evidence: ProbeEvidence, key: str) -> str:
    response = evidence.ok(key)
    return response.content.decode("utf-8", "replace") if response else ""
