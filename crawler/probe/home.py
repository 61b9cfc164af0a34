"""What is assumed of the home page, its menu, and the sections (dossier 9).

Boundary: pure checks; evidence in, verdicts out.
"""

from __future__ import annotations

import re

from crawler import urls
from crawler.probe.evidence import Evidence, Seen, confirmed, differs, named, path, slug, unknown
from crawler.probe.questions import sections, zones

#: dossier 9: candidates for the sections' slugs; not one of them was ever seen
SLUGS = frozenset(
    "politique economie societe culture sports sport environnement monde international sci-tech sciences technologie "
    "technologies tourisme sante education".split()
)
_LINKS = re.compile(r"""<a\b[^>]*\bhref=["']([^"'#]+)["']""", re.IGNORECASE)
_CONTROL = re.compile(r"<[^<>]*\bdata-page=[^<>]*>", re.IGNORECASE)
_CONTROL_PARTS = ("data-page", "data-zone", "data-type", "data-size", "data-layout")


def menu(evidence: Evidence) -> Seen:
    """Check that the menu names sections, under the slugs that were guessed."""
    if evidence.good("home") is None:
        return unknown(evidence.why("home"))
    slugs = [slug(s.url) for s in sections(evidence)]
    if not slugs:
        return _no_menu(evidence)
    seen = f"{len(slugs)} sections: {named(slugs, 12)}"
    if set(slugs) <= SLUGS:
        return confirmed(seen)
    return differs(seen, "nothing: polls follow the menu, whatever its slugs are")


def _no_menu(evidence: Evidence) -> Seen:
    """Look for links to sections anywhere on the home page, where the menu is not one that we know."""
    links = (urls.absolute(evidence.site.root, link) for link in _LINKS.findall(_html(evidence, "home")))
    own = {path(urls.canonical(u)) for u in links if u and evidence.site.owns(u) and urls.shape(u) == "section"}
    if not own:
        return differs("no menu, and no link to a section", "look at the site, and name its sections in [poll] add")
    return differs(
        f"no menu that is known; links elsewhere on the page: {named(sorted(own), 8)}",
        "name those that are sections in [poll] add, as below",
        {"poll": {"add": sorted(own)}},
    )


def zone_ids(evidence: Evidence) -> Seen:
    """Check that the menu carries zone ids."""
    if evidence.good("home") is None:
        return unknown(evidence.why("home"))
    if found := zones(evidence):
        return confirmed(named([f"{name} {zone}" for name, zone in found.items()], 5))
    return differs("no li[data-id] around the menu's links", "nothing; the list API cannot be asked for one section")


def stories(evidence: Evidence) -> Seen:
    """Check that the home page lists articles, and in which form their addresses are."""
    if evidence.good("home") is None:
        return unknown(evidence.why("home"))
    shown = evidence.stories("home", "home")
    if not shown:
        return differs("names no article", "look at the page in a browser: it may need scripts to show its lists")
    current = sum("-post" in path(s.url) for s in shown)
    seen = f"{len(shown)} articles, {current} as -post<ID>.vnp"
    if current == len(shown):
        return confirmed(seen)
    return differs(seen, "nothing: both forms are known, and the id says which article it is")


def load_more(evidence: Evidence) -> Seen:
    """Check the control that loads more of a section."""
    if evidence.good("section") is None:
        return unknown(evidence.why("section"))
    control = _CONTROL.search(_html(evidence, "section"))
    if control is None:
        return differs("no element with data-page", "nothing: sections are read on their first page alone")
    missing = [name for name in _CONTROL_PARTS if f"{name}=" not in control[0].lower()]
    if missing:
        return differs(f"a control without {named(missing)}", "see whether `further pages` works nevertheless")
    return confirmed(", ".join(_CONTROL_PARTS))


def further_pages(evidence: Evidence) -> Seen:
    """Check that what the control fetches is a fragment with other articles than the first page."""
    if evidence.good("more") is None:
        return unknown(evidence.why("section", "more"))
    first = {s.post_id for s in evidence.stories("section", "section")}
    more = {s.post_id for s in evidence.stories("more", "section")}
    if more - first:
        return confirmed(f"{len(more)} articles, {len(more - first)} of them not on the first page")
    seen = "the same articles again" if more else "an answer that names no article"
    return differs(seen, "gaps cannot be filled by paging back: the month's sitemap must fill them")


def _html(evidence: Evidence, key: str) -> str:
    answer = evidence.good(key)
    return answer.content.decode("utf-8", "replace") if answer else ""
