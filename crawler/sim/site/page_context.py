"""The data from which pages of the fake site are rendered: stories, clock, address, and a token for each fetch.

Boundary: no markup; in memory only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from crawler.sim.site.story import Options, Section, Story
from crawler.sim.site.timeline import seeded_rng
from crawler.sim.site.world import World
from crawler.types import Related

NAME = "Vietnam+ (VietnamPlus)"  # suffix of page titles (dossier section 4)
SLOGAN = "Vietnam+, le journal électronique de l'Agence vietnamienne d'Information en langue française."


@dataclass(slots=True)
class PageContext:
    """The data from which pages of the fake site are rendered. `base` is its root URL, without a final slash."""

    base: str
    world: World
    options: Options
    now: Callable[[], datetime]
    seed: int
    _fetches: count[int] = field(default_factory=lambda: count(1))

    def url(self, path: str) -> str:
        """Return the absolute URL of a path on the site."""
        return self.base + path

    def salt(self) -> str:
        """Return a token for one page; it differs at each fetch (dossier section 18.9)."""
        return f"{seeded_rng(self.seed, 'fetch', next(self._fetches)).getrandbits(48):012x}"

    def section_named(self, name: str) -> Section:
        """Return the section named `name`, or the first section if none has this name."""
        return next((s for s in self.options.sections if s.name == name), self.options.sections[0])

    def related_stories(self, story: Story) -> list[tuple[Related, Story | None]]:
        """Return what the page of a story shows under `Voir plus` (dossier section 8).

        These are the related stories fixed for this story or, if none are fixed, the newest stories of its section.
        Each entry is paired with the story on the site, or with None if the site does not have that story.
        """
        if story.related is None:
            return [(s.as_related(), s) for s in self.newest_in_section(story)]
        ids = self.world.by_first_title
        return [(r, self.world.get(ids[r.title]) if r.title in ids else None) for r in story.related]

    def newest_in_section(self, story: Story) -> list[Story]:
        """Return the three to ten newest stories in the section of `story`, without `story` itself."""
        wanted = 3 + story.post_id % 8
        newest = self.world.newest(story.section, count=wanted + 1)
        return [s for s in newest if s.post_id != story.post_id][:wanted]
