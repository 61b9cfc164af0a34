"""The stories under an article (`Voir plus`, and the links in its text) as sightings (dossier 8).

Boundary: values only.
"""

from __future__ import annotations

from crawler.discover.found import article, once
from crawler.site import Site
from crawler.types import Article, Sighting

#: what the name of such a source begins with; the section whose newest stories they are follows
RELATED = "related:"


def related(page: Article, site: Site) -> tuple[str, tuple[Sighting, ...]]:
    """Give the articles of this site that a page names beside its own, and the name of the source that they are."""
    targets = ((story, article(site, site.root, story.url)) for story in page.related)
    found = [
        Sighting(target[0], target[1], story.title, story.summary or None)
        for story, target in targets
        if target is not None and target[1] != page.post_id
    ]
    return f"{RELATED}{page.section or ''}", once(found)
