"""Writes the generated stories: a place in the day (`timeline.Slot`) in, a `Story` out.

Boundary: deterministic from the seed number and the id; no clock. Everything French is in `data/topics.txt` and
`data/words.txt`. The shapes follow the site dossier: datelines, signatures, restated leads and briefs (sections 6,
16), captions with their credit and generated alts (section 6), stories without text (section 7).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

from crawler.sim.site.grammar import NBSP, Text, lines, words
from crawler.sim.site.story import Options, Story, era_of, slugify, with_image_urls
from crawler.sim.site.timeline import Slot, chance
from crawler.types import ArticleKind, Block, ImageBlock, TextBlock

_DATELINES_SINCE = 2016  # dossier 6
_AVI_UNTIL = 2013  # dossier 16: the agency's French acronym
_SECTION_WEIGHTS = {
    "politique": 26,
    "economie": 22,
    "societe": 14,
    "culture": 9,
    "sports": 6,
    "environnement": 6,
    "international": 7,
    "sci-tech": 5,
    "tourisme": 5,
}
_KINDS: tuple[ArticleKind, ...] = ("article", "photo", "video", "infographic")
_KIND_WEIGHTS = (94, 2, 2, 2)
_GLUED_SHARE = 0.5  # of the stories before 2024
_LINE = re.compile(r"(.{70,76}\S) (?=\S)")
_BRIEF_SHARE = 0.08
_SERIES = ("📝Édito: ", "📝Focus : ", "📝Idées : ")
_SERIES_SHARE = 0.01


@dataclass(slots=True)
class Topic:
    """The templates of one topic, by their letter."""

    section: str
    name: str
    tags: tuple[str, ...]
    templates: dict[str, list[str]] = field(default_factory=lambda: {letter: [] for letter in "TLSCH"})


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a story will be about; enough to list it by section without writing it."""

    slot: Slot
    section: str
    kind: ArticleKind
    seed: int


@cache
def topics() -> dict[str, list[Topic]]:
    """Read the topics of each section; the one named `*` comes last and holds what any story may say."""
    found: dict[str, list[Topic]] = {}
    topic: Topic | None = None
    for line in lines("topics.txt"):
        if line.startswith("== "):
            topic = _topic(line)
            found.setdefault(topic.section, []).append(topic)
        elif topic:
            topic.templates[line[0]].append(line[2:])
    return found


def _topic(heading: str) -> Topic:
    head, _, tags = heading[3:].partition("|")
    section, name = head.split()
    return Topic(section, name, tuple(t.strip() for t in tags.split(",") if t.strip()))


def assign(slot: Slot, seed: int) -> Assignment:
    """Choose section and kind."""
    rng = chance(seed, "assignment", slot.post_id)
    section = rng.choices(tuple(_SECTION_WEIGHTS), tuple(_SECTION_WEIGHTS.values()))[0]
    return Assignment(slot, section, rng.choices(_KINDS, _KIND_WEIGHTS)[0], seed)


def write(assignment: Assignment, options: Options) -> Story:
    """Write the story."""
    return _Desk(assignment).story(options.section(assignment.section).name)


def body_for(title: str, lead: str, published: datetime) -> tuple[Block, ...]:
    """Write a body under a given headline of the political desk (the stories that the seeds show)."""
    desk = _Desk(Assignment(Slot(0, published), "politique", "article", 0), title)
    return tuple(TextBlock("paragraph", p) for p in desk.paragraphs(lead, brief=False))


class _Desk:
    """One story in the making."""

    def __init__(self, assignment: Assignment, *key: object) -> None:
        self.slot, self.kind = assignment.slot, assignment.kind
        self.rng: random.Random = chance(assignment.seed, "story", self.slot.post_id, *key)
        *specific, self.common = topics()[assignment.section]
        self.topic: Topic = self.rng.choice(specific)
        self.text = Text(self.rng, words())
        self.era = era_of(self.slot.published)
        self.spaced = self.rng.random() < 0.7  # no-break spaces inside guillemets, as typographers have it
        self.headline = self.rng.randrange(len(self.topic.templates["T"]))
        self.pool = self.pooled()

    def story(self, section: str) -> Story:
        title = self.title()
        lead = self.lead() if self.rng.random() > 0.02 else None  # some have none (dossier 18.5)
        brief = self.rng.random() < _BRIEF_SHARE
        blocks = self.blocks(title, lead, brief=brief)
        published = self.slot.published
        story = Story(
            post_id=self.slot.post_id,
            slug=slugify(title, published),
            section=section,
            title=title,
            lead=self.typeset(lead) if lead else None,
            blocks=tuple(blocks),
            published=published,
            modified=published,
            byline=self.byline(),
            tags=self.topic.tags,
            era=self.era,
            kind=self.kind,
        )
        return with_image_urls(story)

    def title(self) -> str:
        prefix = self.rng.choice(_SERIES) if self.rng.random() < _SERIES_SHARE else ""
        return prefix + self.typeset(self.text.write(self.topic.templates["T"][self.headline]))

    def lead(self) -> str:
        """Write the lead that goes with the headline: the lists of a topic run in parallel."""
        leads = self.topic.templates["L"]
        return self.text.write(leads[self.headline % len(leads)])

    def byline(self) -> str | None:
        """Agency copy is usually unsigned (dossier 5)."""
        return self.text.write("{reporter}") if self.rng.random() < 0.1 else None

    def blocks(self, title: str, lead: str | None, *, brief: bool) -> list[Block]:
        if self.kind == "article":
            return self.article(title, lead, brief=brief)
        number = {"photo": self.rng.randint(5, 12), "infographic": 1, "video": 1}[self.kind]
        pictures = [self.picture(title, n) for n in range(1, number + 1)]
        if self.kind == "infographic":
            return [replace(p, caption=None, credit=None) for p in pictures]
        return list(pictures)

    def article(self, title: str, lead: str | None, *, brief: bool) -> list[Block]:
        paragraphs: list[Block] = [TextBlock("paragraph", p) for p in self.paragraphs(lead, brief=brief)]
        if not brief:
            self.decorate(paragraphs)
        number = 0 if brief else self.rng.choice((0, 1, 1, 1, 2, 3))
        for n in range(1, number + 1):
            place = 0 if n == 1 else self.rng.randint(1, len(paragraphs) - 1)
            paragraphs.insert(place, self.picture(title, n))
        return _renumbered(title, paragraphs) if self.era < 3 else paragraphs

    def decorate(self, blocks: list[Block]) -> None:
        """Add what only some stories have: a subheading, a quotation set apart, a side note, a list."""
        dice, last = self.rng.random(), len(blocks) - 1
        if self.topic.templates["H"] and dice < 0.3 and last > 2:
            blocks.insert(last - 1, TextBlock("heading", self.typeset(self.one("H"))))
        elif 0.3 < dice < 0.36:
            blocks.insert(last, TextBlock("quote", self.sentence()))
        elif 0.36 < dice < 0.4:
            blocks.insert(last, TextBlock("note", self.sentence()))
        elif 0.4 < dice < 0.44:
            blocks[last:last] = [TextBlock("list_item", self.sentence()) for _ in range(3)]

    def paragraphs(self, lead: str | None, *, brief: bool) -> list[str]:
        first = self.dateline() + (lead or self.lead()) + (f" {self.raw_sentence()}" if brief else "")
        rest = [] if brief else self.grouped()
        texts = [self.typeset(t) for t in [first, *rest]]
        if self.era < 3 and self.rng.random() < _GLUED_SHARE:
            texts = [self.glued(t) for t in texts]
        texts[-1] += self.signature()
        return texts

    def glued(self, text: str) -> str:
        """Lose line ends, as older texts did: the words on both sides stick together (dossier 6, 16)."""
        return _LINE.sub(lambda line: line[1] if self.rng.random() < 0.5 else line[0], text)

    def grouped(self) -> list[str]:
        """Make paragraphs of one to three sentences."""
        wanted = self.rng.randint(4, 9)
        return [" ".join(self.raw_sentence() for _ in range(self.rng.choice((1, 1, 2, 2, 3)))) for _ in range(wanted)]

    def pooled(self) -> list[str]:
        """Put the templates of sentences in order: mostly the topic's, some that fit any story, then what is left."""
        own, common = (self.rng.sample(t.templates["S"], len(t.templates["S"])) for t in (self.topic, self.common))
        cut = self.rng.randint(4, 9)
        return [*own[:cut], *common[:4], *own[cut:], *common[4:]]

    def raw_sentence(self) -> str:
        self.pool = self.pool or self.pooled()
        return self.text.write(self.pool.pop(0))

    def sentence(self) -> str:
        return self.typeset(self.raw_sentence())

    def dateline(self) -> str:
        year = self.slot.published.year
        if year < _DATELINES_SINCE:
            return ""
        place = self.rng.choice(("Hanoï", "Hanoï", "Hanoi", self.text.write("{city}"), self.text.write("{place}")))
        return f"{place} (VNA) {self.rng.choice('--–')} "

    def signature(self) -> str:
        text = self.text.write("{signature}")
        year = self.slot.published.year
        return " " + (text.replace("VNA", "AVI") if year < _AVI_UNTIL else text)

    def picture(self, title: str, number: int) -> ImageBlock:
        caption = self.caption()
        alt = caption if number == 1 else f"{slugify(title, self.slot.published)[:24]}-{number}.jpg"
        if self.era < 3:
            alt = "" if self.era == 1 else f"{title} ảnh {number}"
        credit = caption.rpartition("hoto")[2].lstrip(f"{NBSP} :").rstrip(")")
        return ImageBlock(None, alt, caption, credit)

    def caption(self) -> str:
        """Write a caption; those of a photo story tell the story."""
        if self.kind == "photo":
            return self.typeset(f"{self.raw_sentence()} {self.text.write('{credit}')}")
        return self.typeset(self.one("C"))

    def one(self, letter: str) -> str:
        return self.text.write(self.rng.choice(self.topic.templates[letter]))

    def typeset(self, text: str) -> str:
        """Set quotes; apostrophes are mixed on the site, even in one text (dossier 16)."""
        if self.spaced:
            text = text.replace("« ", f"«{NBSP}").replace(" »", f"{NBSP}»")
        return text.replace("'", "’") if self.rng.random() < 0.6 else text


def _renumbered(title: str, blocks: list[Block]) -> list[Block]:
    """Count the generated alts in reading order."""
    result: list[Block] = []
    number = 0
    for block in blocks:
        if isinstance(block, ImageBlock):
            number += 1
            result.append(replace(block, alt=f"{title} ảnh {number}" if block.alt else ""))
        else:
            result.append(block)
    return result
