"""What every page of the replica needs at hand: the world, the clock, the address, and something that differs each time.

Boundary: no markup here; memory only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from crawler.sim.site.story import Options, Section, Story
from crawler.sim.site.timeline import chance
from crawler.sim.site.world import World
from crawler.types import Related

NAME = "Vietnam+ (VietnamPlus)"  # what titles end in (dossier 4)
SLOGAN = "Vietnam+, le journal électronique de l'Agence vietnamienne d'Information en langue française."


@dataclass(slots=True)
class Site:
    """The site as one request sees it. `base` has no slash at its end."""

    base: str
    world: World
    options: Options
    now: Callable[[], datetime]
    seed: int
    _fetches: count[int] = field(default_factory=lambda: count(1))

    def url(self, path: str) -> str:
        """Make a path absolute on the host that serves it."""
        return self.base + path

    def salt(self) -> str:
        """Give the token that differs at each fetch (dossier 18.9)."""
        return f"{chance(self.seed, 'fetch', next(self._fetches)).getrandbits(48):012x}"

    def section_named(self, name: str) -> Section:
        """Give the section of a story."""
        return next((s for s in self.options.sections if s.name == name), self.options.sections[0])

    def under(self, story: Story) -> list[tuple[Related, Story | None]]:
        """Give what `Voir plus` shows: the pinned stories, or the newest of the section now (dossier 8)."""
        if story.related is None:
            return [(s.as_related(), s) for s in self.newest_beside(story)]
        ids = self.world.by_first_title
        return [(r, self.world.get(ids[r.title]) if r.title in ids else None) for r in story.related]

    def newest_beside(self, story: Story) -> list[Story]:
        """Give the three to ten newest stories of the section, without the story itself."""
        wanted = 3 + story.post_id % 8
        newest = self.world.newest(story.section, count=wanted + 1)
        return [s for s in newest if s.post_id != story.post_id][:wanted]
