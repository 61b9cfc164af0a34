"""Convert the related stories of an article (`Voir plus`, and links in its text) into sightings (dossier section 8).

Boundary: values only.
"""

from __future__ import annotations

from crawler.discover.found import article_link, deduplicate
from crawler.site import Site
from crawler.types import Article, Sighting

#: Prefix of the source name. The section follows, because `Voir plus` shows the newest stories of the section.
RELATED = "related:"


def related(page: Article, site: Site) -> tuple[str, tuple[Sighting, ...]]:
    """Return the source name to store for the related stories of `page`, and a sighting of each of them.

    Stories on other sites and the article itself are left out.
    """
    targets = ((story, article_link(site, site.root, story.url)) for story in page.related)
    found = [
        Sighting(target[0], target[1], story.title, story.summary or None)
        for story, target in targets
        if target is not None and target[1] != page.post_id
    ]
    return f"{RELATED}{page.section or ''}", deduplicate(found)
