"""What rendering a page of the fake site needs: the stories, the clock, the address, a token that changes every time.

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
    """The fake site as the page renderers see it. `base` is its root URL, without a final slash."""

    base: str
    world: World
    options: Options
    now: Callable[[], datetime]
    seed: int
    _fetches: count[int] = field(default_factory=lambda: count(1))

    def url(self, path: str) -> str:
        """Return the absolute URL of a path."""
        return self.base + path

    def salt(self) -> str:
        """Return a token that differs at each fetch (dossier section 18.9)."""
        return f"{seeded_rng(self.seed, 'fetch', next(self._fetches)).getrandbits(48):012x}"

    def section_named(self, name: str) -> Section:
        """Return the section with this name, or the first section if there is none."""
        return next((s for s in self.options.sections if s.name == name), self.options.sections[0])

    def related_stories(self, story: Story) -> list[tuple[Related, Story | None]]:
        """Return what `Voir plus` shows: the pinned stories, or the newest ones of the section (dossier section 8).

        Each entry comes with its story, or None if the site does not have it.
        """
        if story.related is None:
            return [(s.as_related(), s) for s in self.newest_in_section(story)]
        ids = self.world.by_first_title
        return [(r, self.world.get(ids[r.title]) if r.title in ids else None) for r in story.related]

    def newest_in_section(self, story: Story) -> list[Story]:
        """Return the three to ten newest stories of the section, without the story itself."""
        wanted = 3 + story.post_id % 8
        newest = self.world.newest(story.section, count=wanted + 1)
        return [s for s in newest if s.post_id != story.post_id][:wanted]
