"""All stories of one fake site, in order of publication, and what its editors can do with them.

The text of a generated story is written when the story is first requested.

Boundary: in memory only; the caller passes the time.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from crawler.errors import BadInput
from crawler.sim.site import newsroom
from crawler.sim.site.newsroom import Assignment
from crawler.sim.site.pictures import PictureDesk, moved_pictures
from crawler.sim.site.story import HANOI, Options, Story, slugify
from crawler.sim.site.timeline import Slot, id_at, seeded_rng
from crawler.types import Block, ImageBlock, TextBlock

_FIRST_NUMBER = re.compile(r"(?<![\w.,])\d+")


@dataclass(frozen=True, order=True, slots=True)
class WorldEntry:
    """A story as an entry in the lists of the site: publication time, id and section."""

    published: datetime
    post_id: int
    section: str


class World:
    """The stories of one fake site: those that are online, those that were removed, and those that are planned."""

    def __init__(self, written: Iterable[Story], assigned: Iterable[Assignment], seed: int, options: Options) -> None:
        self._options = options
        self._seed = seed
        self._stories = {s.post_id: moved_pictures(s, options.pictures_at) for s in written}
        self.pictures = PictureDesk()
        self.by_first_title = {s.title: s.post_id for s in self._stories.values()}  # without the generated stories
        self._assignments = {a.slot.post_id: a for a in assigned}
        self.gone: dict[int, int] = {}  # post id -> status of the page of a removed story
        self._planned: list[Assignment] = []  # sorted by time, the next story last
        self.omitted: set[int] = set()  # not in the sitemaps
        self._hidden: list[WorldEntry] = []  # online, but in no list
        self.version = 0  # increases with every change; part of the ETag of lists
        known = map(_entry_of_story, self._stories.values())
        self._entries = sorted([*known, *map(self._entry, self._assignments.values())])

    def _entry(self, assignment: Assignment) -> WorldEntry:
        section = self._options.section(assignment.section).name
        return WorldEntry(assignment.slot.published, assignment.slot.post_id, section)

    @cached_property
    def _by_section(self) -> dict[str, list[WorldEntry]]:
        lists: dict[str, list[WorldEntry]] = {}
        for entry in self._entries:
            for section in {entry.section, self._options.second_section(entry.post_id, entry.section)}:
                lists.setdefault(section, []).append(entry)
        return lists

    def ids(self) -> list[int]:
        """Return the ids of the stories that are online, oldest first."""
        return [e.post_id for e in sorted([*self._entries, *self._hidden])]

    def entries(self) -> list[WorldEntry]:
        """Return all stories that the lists of the site may show, oldest first."""
        return self._entries

    def in_sitemaps(self) -> list[WorldEntry]:
        """Return the stories that the sitemaps show, oldest first."""
        return [e for e in self._in_general_lists() if e.post_id not in self.omitted]

    def _in_general_lists(self) -> list[WorldEntry]:
        if not self._options.only_in_section:
            return self._entries
        return [e for e in self._entries if not self._options.is_only_in_section(e.post_id)]

    def get(self, post_id: int) -> Story | None:
        """Return the story with the id `post_id`, or None if no such story is online."""
        if post_id in self.gone:
            return None
        if post_id not in self._stories and post_id in self._assignments:
            written = newsroom.write(self._assignments[post_id], self._options)
            self._stories[post_id] = moved_pictures(written, self._options.pictures_at)
        return self._stories.get(post_id)

    def story(self, post_id: int) -> Story:
        """Return the story with the id `post_id`.

        Raises:
            BadInput: no story with this id is online.

        """
        story = self.get(post_id)
        if story is None:
            raise BadInput(
                f"no story with id {post_id} is online",
                "use an id that GET <control>/state lists under 'articles'",
            )
        return story

    def newest(self, section: str | None = None, *, start: int = 0, count: int | None = None) -> list[Story]:
        """Return `count` stories of one section or of all, newest first; the first `start` stories are skipped."""
        entries = self._in_general_lists() if section is None else self._by_section.get(section, [])
        stop = len(entries) if count is None else min(start + count, len(entries))
        return [self.story(entries[-1 - n].post_id) for n in range(start, stop)]

    def plan(self, assigned: Iterable[Assignment]) -> None:
        """Add stories that are not online yet; `advance` puts them online at their publication time."""
        self._planned = sorted([*self._planned, *assigned], key=lambda a: a.slot.published, reverse=True)

    def advance(self, now: datetime) -> None:
        """Put online all planned stories whose publication time is `now` or earlier."""
        if not self._planned or self._planned[-1].slot.published > now:
            return
        while self._planned and self._planned[-1].slot.published <= now:
            assignment = self._planned.pop()
            self._assignments[assignment.slot.post_id] = assignment
            insort(self._entries, self._entry(assignment))
        self._changed()

    def publish(self, count: int, now: datetime) -> list[int]:
        """Put `count` new stories online, dated now, and return their ids."""
        published = now.astimezone(HANOI).replace(microsecond=0)
        ids = []
        for _ in range(count):
            post_id = self._next_id(published)
            self._assignments[post_id] = assignment = newsroom.assign(Slot(post_id, published), self._seed)
            insort(self._entries, self._entry(assignment))
            ids.append(post_id)
        self._changed()
        return ids

    def _next_id(self, published: datetime) -> int:
        planned = (a.slot.post_id for a in self._planned)
        newest = max([*self._assignments, *self._stories, *planned], default=id_at(published))
        return newest + seeded_rng(self._seed, "gap", newest).choice((1, 1, 1, 1, 2))

    def revise(
        self, post_id: int, now: datetime, title: str | None = None, text: str | None = None, *, silent: bool = False
    ) -> Story:
        """Change a story and return it: replace its title, or insert the paragraph `text` before the last one.

        If neither is given, correct a detail in the body. If `silent` is true, the modification date stays the same.
        """
        story = self.story(post_id)
        modified = story.modified if silent else max(now.astimezone(HANOI).replace(microsecond=0), story.published)
        revised = replace(story, modified=modified)
        if title is not None:
            revised = _retitled(revised, title)
        if text is not None:
            revised = replace(revised, blocks=_with_paragraph(revised.blocks, text))
        if title is None and text is None:
            revised = replace(revised, blocks=_corrected(revised.blocks))
        self._stories[post_id] = revised
        self._changed()
        return revised

    def edit_picture(self, post_id: int, number: int, how: str) -> Story:
        """Change a picture of a story and return the story; see `PictureDesk.edit`. The modification date stays the same.

        Raises:
            BadInput: there is no such story, picture or edit.

        """
        self._stories[post_id] = story = self.pictures.edit(self.story(post_id), number, how)
        self._changed()
        return story

    def unpublish(self, post_id: int, status: int) -> None:
        """Take a story offline. From now on, the response to a request for its page has the HTTP status `status`."""
        story = self.story(post_id)
        entry = _entry_of_story(story)
        (self._hidden if entry in self._hidden else self._entries).remove(entry)
        self.gone[post_id] = status
        self._changed()

    def republish(self, post_id: int) -> None:
        """Put a story that was taken offline back online.

        Raises:
            BadInput: the story was not taken offline.

        """
        if post_id not in self.gone:
            raise BadInput(
                f"story {post_id} was not taken offline",
                "use an id that GET <control>/state lists under 'gone'",
            )
        del self.gone[post_id]
        insort(self._entries, _entry_of_story(self.story(post_id)))
        self._changed()

    def copy(self, post_id: int, now: datetime) -> int:
        """Publish the text of a story again under a new id, dated now; return the new id."""
        published = now.astimezone(HANOI).replace(microsecond=0)
        story = replace(self.story(post_id), post_id=self._next_id(published), published=published, modified=published)
        self._stories[story.post_id] = story
        insort(self._entries, _entry_of_story(story))
        self._changed()
        return story.post_id

    def hide(self, post_id: int, *, everywhere: bool) -> None:
        """Remove a story from the sitemaps; if `everywhere` is true, also from all other lists.

        Its page stays online.
        """
        entry = _entry_of_story(self.story(post_id))
        self.omitted.add(post_id)
        if everywhere and entry in self._entries:
            self._entries.remove(entry)
            self._hidden.append(entry)
        self._changed()

    def _changed(self) -> None:
        self.version += 1
        self.__dict__.pop("_by_section", None)


def _entry_of_story(story: Story) -> WorldEntry:
    return WorldEntry(story.published, story.post_id, story.section)


def _retitled(story: Story, title: str) -> Story:
    """Return the story with a new title, and the slug and alt texts made from it (dossier sections 6 and 18.12)."""
    blocks = tuple(
        replace(b, alt=title + b.alt.removeprefix(story.title))
        if isinstance(b, ImageBlock) and b.alt.startswith(story.title)
        else b
        for b in story.blocks
    )
    return replace(story, title=title, slug=slugify(title, story.published), blocks=blocks)


def _with_paragraph(blocks: tuple[Block, ...], text: str) -> tuple[Block, ...]:
    """Return the blocks with a new paragraph before the last paragraph, which contains the signature.

    If there are fewer than two paragraphs, the new one is appended.
    """
    places = [i for i, b in enumerate(blocks) if isinstance(b, TextBlock) and b.type == "paragraph"]
    at = places[-1] if len(places) > 1 else len(blocks)
    return (*blocks[:at], TextBlock("paragraph", text), *blocks[at:])


def _corrected(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return corrected blocks: in the last paragraph that contains a number, the first number is increased by 1.

    If no paragraph contains a number, a paragraph is added instead.
    """
    for i in reversed(range(len(blocks))):
        block = blocks[i]
        if isinstance(block, TextBlock) and block.type == "paragraph" and (found := _FIRST_NUMBER.search(block.text)):
            start, end = found.span()
            text = f"{block.text[:start]}{int(found[0]) + 1}{block.text[end:]}"
            return (*blocks[:i], replace(block, text=text), *blocks[i + 1 :])
    return _with_paragraph(blocks, "Les organisateurs ont depuis confirmé cette information auprès de l'agence.")
