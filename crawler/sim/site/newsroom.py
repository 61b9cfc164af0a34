"""Generate stories: make a `Story` from an id and a publication time (`timeline.Slot`).

The French texts are in `data/topics.txt` and `data/words.txt`. The following features are taken from the site dossier:
datelines, signatures, briefs, and leads that are repeated in the body (sections 6 and 16); captions with credits, and
generated alt texts (section 6); stories without text (section 7).

Boundary: reads no clock; the story depends only on the seed number, the id and the publication time.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache

from crawler.sim.site.grammar import NBSP, TemplateFiller, lines, word_lists
from crawler.sim.site.story import Options, Story, era_of, slugify, with_image_urls
from crawler.sim.site.timeline import Slot, seeded_rng
from crawler.types import ArticleKind, Block, ImageBlock, TextBlock

_DATELINES_SINCE = 2016  # dossier section 6
_AVI_UNTIL = 2013  # the agency signed with its French acronym (dossier section 16)
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
_GLUED_SHARE = 0.5  # share of the stories before 2024 that have glued words
_LINE = re.compile(r"(.{70,76}\S) (?=\S)")
_BRIEF_SHARE = 0.08
_SERIES = ("📝Édito: ", "📝Focus : ", "📝Idées : ")
_SERIES_SHARE = 0.01


@dataclass(slots=True)
class Topic:
    """The templates of one topic, by letter: T for titles, L leads, S sentences, C captions, H subheadings."""

    section: str
    name: str
    tags: tuple[str, ...]
    templates: dict[str, list[str]] = field(default_factory=lambda: {letter: [] for letter in "TLSCH"})


@dataclass(frozen=True, slots=True)
class Assignment:
    """A story that is not written yet.

    Its section and kind are known, so that it can be listed before its text exists.
    """

    slot: Slot
    section: str
    kind: ArticleKind
    seed: int


@cache
def topics() -> dict[str, list[Topic]]:
    """Return the topics of each section.

    The last topic of a section, named `*`, has templates that fit all its stories.
    """
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
    """Choose the section and the kind of a story from its id, and return them with the id and publication time."""
    rng = seeded_rng(seed, "assignment", slot.post_id)
    section = rng.choices(tuple(_SECTION_WEIGHTS), tuple(_SECTION_WEIGHTS.values()))[0]
    return Assignment(slot, section, rng.choices(_KINDS, _KIND_WEIGHTS)[0], seed)


def write(assignment: Assignment, options: Options) -> Story:
    """Generate the story that `assignment` describes."""
    story = _StoryWriter(assignment).story(options.section(assignment.section).name)
    return replace(story, awkward=options.awkward)


@cache  # the same hundred bodies are needed for each fake site of a process
def body_for(title: str, lead: str, published: datetime) -> tuple[Block, ...]:
    """Generate the body of a political story from its title and lead.

    This is needed for the related stories of the seed articles, because only their titles and leads are known.
    """
    writer = _StoryWriter(Assignment(Slot(0, published), "politique", "article", 0), title)
    return tuple(TextBlock("paragraph", p) for p in writer.paragraphs(lead, brief=False))


class _StoryWriter:
    """Generates one story.

    Do not change the order of the random draws: a seed number must always give the same stories.
    """

    def __init__(self, assignment: Assignment, *key: object) -> None:
        self.slot, self.kind = assignment.slot, assignment.kind
        self.rng: random.Random = seeded_rng(assignment.seed, "story", self.slot.post_id, *key)
        *specific, self.common = topics()[assignment.section]
        self.topic: Topic = self.rng.choice(specific)
        self.text = TemplateFiller(self.rng, word_lists())
        self.era = era_of(self.slot.published)
        self.spaced = self.rng.random() < 0.7  # no-break spaces inside guillemets
        self.headline = self.rng.randrange(len(self.topic.templates["T"]))
        self.remaining = self.sentence_templates()

    def story(self, section: str) -> Story:
        title = self.title()
        lead = self.lead() if self.rng.random() > 0.02 else None  # some stories have no lead (dossier section 18.5)
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
        return prefix + self.typeset(self.text.fill(self.topic.templates["T"][self.headline]))

    def lead(self) -> str:
        """Return the lead that matches the headline: the first lead of a topic belongs to its first title, and so on."""
        leads = self.topic.templates["L"]
        return self.text.fill(leads[self.headline % len(leads)])

    def byline(self) -> str | None:
        """Return a byline for one story in ten, otherwise None; agency texts are usually unsigned (dossier section 5)."""
        return self.text.fill("{reporter}") if self.rng.random() < 0.1 else None

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
        """Insert a subheading, a quotation, a side note or a list into the blocks of some stories."""
        draw, last = self.rng.random(), len(blocks) - 1
        if self.topic.templates["H"] and draw < 0.3 and last > 2:
            blocks.insert(last - 1, TextBlock("heading", self.typeset(self.filled("H"))))
        elif 0.3 < draw < 0.36:
            blocks.insert(last, TextBlock("quote", self.sentence()))
        elif 0.36 < draw < 0.4:
            blocks.insert(last, TextBlock("note", self.sentence()))
        elif 0.4 < draw < 0.44:
            blocks[last:last] = [TextBlock("list_item", self.sentence()) for _ in range(3)]

    def paragraphs(self, lead: str | None, *, brief: bool) -> list[str]:
        first = self.dateline() + (lead or self.lead()) + (f" {self.raw_sentence()}" if brief else "")
        rest = [] if brief else self.further_paragraphs()
        texts = [self.typeset(t) for t in [first, *rest]]
        if self.era < 3 and self.rng.random() < _GLUED_SHARE:
            texts = [self.glued(t) for t in texts]
        texts[-1] += self.signature()
        return texts

    def glued(self, text: str) -> str:
        """Delete some spaces at line ends, so that words run together as in older texts (dossier sections 6 and 16)."""
        return _LINE.sub(lambda line: line[1] if self.rng.random() < 0.5 else line[0], text)

    def further_paragraphs(self) -> list[str]:
        """Return the paragraphs that follow the first one: four to nine paragraphs of one to three sentences."""
        wanted = self.rng.randint(4, 9)
        return [" ".join(self.raw_sentence() for _ in range(self.rng.choice((1, 1, 2, 2, 3)))) for _ in range(wanted)]

    def sentence_templates(self) -> list[str]:
        """Return all sentence templates in order of use.

        First some from the topic, then four that fit any story, then the rest from the topic, then all others.
        """
        own, common = (self.rng.sample(t.templates["S"], len(t.templates["S"])) for t in (self.topic, self.common))
        cut = self.rng.randint(4, 9)
        return [*own[:cut], *common[:4], *own[cut:], *common[4:]]

    def raw_sentence(self) -> str:
        self.remaining = self.remaining or self.sentence_templates()
        return self.text.fill(self.remaining.pop(0))

    def sentence(self) -> str:
        return self.typeset(self.raw_sentence())

    def dateline(self) -> str:
        year = self.slot.published.year
        if year < _DATELINES_SINCE:
            return ""
        place = self.rng.choice(("Hanoï", "Hanoï", "Hanoi", self.text.fill("{city}"), self.text.fill("{place}")))
        return f"{place} (VNA) {self.rng.choice('--–')} "

    def signature(self) -> str:
        text = self.text.fill("{signature}")
        year = self.slot.published.year
        return " " + (text.replace("VNA", "AVI") if year < _AVI_UNTIL else text)

    def picture(self, title: str, number: int) -> ImageBlock:
        caption = self.caption()
        alt = caption if number == 1 else f"{slugify(title, self.slot.published)[:24]}-{number}.jpg"
        if self.era < 3:
            alt = "" if self.era == 1 else f"{title} ảnh {number}"
        # The credit is what follows "Photo" or "photo".
        credit = caption.rpartition("hoto")[2].lstrip(f"{NBSP} :").rstrip(")")
        return ImageBlock(None, alt, caption, credit)

    def caption(self) -> str:
        """Return a caption.

        In a photo story, it contains a sentence of the story, because the story has no other text.
        """
        if self.kind == "photo":
            return self.typeset(f"{self.raw_sentence()} {self.text.fill('{credit}')}")
        return self.typeset(self.filled("C"))

    def filled(self, letter: str) -> str:
        return self.text.fill(self.rng.choice(self.topic.templates[letter]))

    def typeset(self, text: str) -> str:
        """Return a text with no-break spaces inside guillemets (in some stories), and straight or curly apostrophes.

        The site uses both kinds of apostrophe, even within a text (dossier section 16).
        """
        if self.spaced:
            text = text.replace("« ", f"«{NBSP}").replace(" »", f"{NBSP}»")
        return text.replace("'", "’") if self.rng.random() < 0.6 else text


def _renumbered(title: str, blocks: list[Block]) -> list[Block]:
    """Renumber the generated alt texts of the images in reading order."""
    result: list[Block] = []
    number = 0
    for block in blocks:
        if isinstance(block, ImageBlock):
            number += 1
            result.append(replace(block, alt=f"{title} ảnh {number}" if block.alt else ""))
        else:
            result.append(block)
    return result
