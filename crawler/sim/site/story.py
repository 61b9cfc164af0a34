"""The value types of the fake site: stories, sections, options.

Facts about the site are hypotheses from the site dossier: URL forms and slugs (section 2), body shapes (section 6),
image URLs (section 7), section slugs (section 9).

Boundary: frozen values and pure functions; no clock, no randomness, no markup.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Literal
from urllib.parse import quote

from crawler.types import ArticleKind, Block, ImageBlock, Related

Era = Literal[1, 2, 3]
NotFound = Literal[404, 410, "soft", "home"]
Dialect = Literal["contents", "articles"]
Addresses = Literal["by id", "redirect", "strict"]

HANOI = timezone(timedelta(hours=7))  # no daylight saving time (dossier section 15)

#: Addresses that name another page, or none, when their escapes are decoded or their case or query is changed; and the
#: older forms of an article's address (dossier section 2).
AWKWARD_PATHS = (
    "/{slug}-caf%E9-post{id}.vnp",
    "/{slug}-r%26d-post{id}.vnp",
    "/{slug}-c%2B%2B-post{id}.vnp",
    "/{slug}-24%2F7-post{id}.vnp",
    "/{slug}-a+b%20c-post{id}.vnp",
    "/{slug}-v%c5%93ux-post{id}.vnp",
    "/{slug}-vœux-post{id}.vnp",
    "/{slug}-100%-de-%zz-post{id}.vnp",
    "/{slug}-(l'an)~[2026];|-post{id}.vnp",
    "/{slug}-post{id}.vnp?b=2&a=1+1&c=%2f",
    "/{slug}-%70ost-post{id}%2Evnp",
    "/{slug}-post{id}.VNP",
    "/{slug}-post{id}.vnp/",
    "/{slug}-post00{id}.vnp",
    "/post-{id}.vnp",
    "/{slug}/{id}.vnp",
    "/Home/{slug}/20119/{id}.vnplus",
)

#: End of each body shape (dossier section 6): about id 66,000, and the change of template at the end of 2023.
_ERA_1_ENDS = datetime(2015, 8, 1, tzinfo=HANOI)
_ERA_2_ENDS = datetime(2024, 1, 1, tzinfo=HANOI)
#: Before this date, slugs lose the hyphens inside words (dossier section 2; `park-hangseo/182029` is from May 2022).
_HYPHENS_KEPT_SINCE = datetime(2022, 6, 1, tzinfo=HANOI)


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the site. The story generator uses `key`; the pages use `name`, `slug` and the number `zone`."""

    key: str
    name: str
    slug: str
    zone: int


#: The slugs are the unverified candidates of dossier section 9; the zone numbers are made up.
SECTIONS: tuple[Section, ...] = (
    Section("politique", "Politique", "politique", 471),
    Section("economie", "Économie", "economie", 472),
    Section("societe", "Société", "societe", 473),
    Section("culture", "Culture", "culture", 474),
    Section("sports", "Sports", "sports", 475),
    Section("environnement", "Environnement", "environnement", 476),
    Section("international", "International", "international", 477),
    Section("sci-tech", "Sci-Tech", "sci-tech", 478),
    Section("tourisme", "Tourisme", "tourisme", 479),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of one fake site.

    Where the dossier is unsure how the real site behaves, an option chooses the behaviour.
    """

    era: Era | None = None  # one body shape for all pages
    sections: tuple[Section, ...] = SECTIONS
    no_feed: bool = False
    no_news_sitemap: bool = False
    no_sitemap: bool = False
    section_size: int = 30
    feed_size: int = 50
    home_size: int = 60
    validators: bool = False  # ETag, Last-Modified, 304; the real site probably has none (dossier section 14)
    not_found: NotFound = 404
    no_api: bool = False
    dialect: Dialect = "contents"  # of the list API (dossier section 10)
    addresses: Addresses = "by id"  # other URLs of an article: serve it, redirect to the canonical URL, or "not found"
    plain_menu: bool = False  # section links without `nav`, list or zone ids
    no_load_more: bool = False
    feeds_at: str = "/rss/"
    robots: tuple[str, ...] = ()  # additional lines of robots.txt
    overlap: int = 0  # every nth story is also listed in a second section; 0 means none
    only_in_section: int = 0  # every nth story is only in the lists of its section, but in no feed; 0 means none
    awkward: bool = False  # each generated story has only one address, in a form that breaks when it is re-encoded
    no_samples: bool = False  # only generated stories, so that tests need not visit the sample articles
    pictures_at: str = ""  # origin that serves the pictures; empty: the hosts of the real site
    history: int = 0  # additional generated stories, spread over 2010-2023

    def section(self, key: str) -> Section:
        """Return the section whose key is `key`, or the first section if the options contain no such section."""
        return next((s for s in self.sections if s.key == key), self.sections[0])

    def second_section(self, post_id: int, section: str) -> str:
        """Return the name of a second section that also lists the story.

        If there is none, return `section`, the name of the story's own section.
        """
        if not self.overlap or post_id % self.overlap:
            return section
        return self.sections[post_id // self.overlap % len(self.sections)].name

    def is_only_in_section(self, post_id: int) -> bool:
        """Whether only the lists of its section name the story, and the pages of the other stories in that section."""
        return bool(self.only_in_section) and post_id % self.only_in_section == 0


@dataclass(frozen=True, slots=True)
class Story:
    """One article as the editors wrote it. If `related` is None, `Voir plus` shows the newest stories of the section."""

    post_id: int
    slug: str
    section: str
    title: str
    lead: str | None
    blocks: tuple[Block, ...]
    published: datetime
    modified: datetime
    related: tuple[Related, ...] | None = None
    byline: str | None = None
    tags: tuple[str, ...] = ()
    era: Era = 3
    kind: ArticleKind = "article"
    awkward: bool = False  # see `Options.awkward`

    @property
    def pictures(self) -> tuple[ImageBlock, ...]:
        """The pictures of the story, in order."""
        return tuple(b for b in self.blocks if isinstance(b, ImageBlock))

    @property
    def picture(self) -> ImageBlock | None:
        """The first picture of the story, which is shown in lists; None if the story has no picture."""
        return next((b for b in self.blocks if isinstance(b, ImageBlock)), None)

    @property
    def path(self) -> str:
        """The canonical path of the story: in the present form (dossier section 2), unless it is an awkward one."""
        if self.awkward:
            return AWKWARD_PATHS[self.post_id % len(AWKWARD_PATHS)].format(slug=quote(self.slug), id=self.post_id)
        return f"/{quote(self.slug)}-post{self.post_id}.vnp"

    @property
    def sent_path(self) -> str:
        """The canonical path as a client has to send it: letters outside ASCII are escaped, and nothing else."""
        return re.sub(r"[^\x00-\x7f]", lambda letter: quote(letter[0]), self.path)

    def as_related(self) -> Related:
        """Return this story as an entry that other stories show under `Voir plus`.

        The entry has the caption of the story's picture (dossier section 8).
        """
        caption = self.picture.caption if self.picture else None
        return Related(self.title, self.lead or "", caption)


def era_of(published: datetime) -> Era:
    """Return which of the three body shapes (dossier section 6) the site used at the time `published`: 1, 2 or 3."""
    if published < _ERA_1_ENDS:
        return 1
    return 2 if published < _ERA_2_ENDS else 3


def slugify(title: str, published: datetime) -> str:
    """Return the slug that the site makes from a title (dossier section 2).

    Apostrophes are deleted. In articles from before June 2022, œ is kept and hyphens inside words are deleted.
    """
    hyphens_kept = published >= _HYPHENS_KEPT_SINCE
    text = title.lower().replace("đ", "d")
    text = text.replace("œ", "oe") if hyphens_kept else re.sub(r"(?<=\S)-(?=\S)", "", text)
    text = unicodedata.normalize("NFKD", text.replace("–", "-").replace("\u00a0", " "))
    text = "".join(c for c in text if c.isalnum() or c in " -")
    return re.sub(r"[ -]+", "-", text).strip("-")


def with_image_urls(story: Story) -> Story:
    """Return the story with a URL for each picture that has none.

    The URL has the form that the site used in the era of the story, even if `Options.era` sets another era for the
    pages.
    """
    number = 0
    blocks: list[Block] = []
    for block in story.blocks:
        number += isinstance(block, ImageBlock)
        if isinstance(block, ImageBlock) and block.url is None:
            blocks.append(replace(block, url=_image_url(story, number)))
        else:
            blocks.append(block)
    return replace(story, blocks=tuple(blocks))


def _image_url(story: Story, number: int) -> str:
    day = story.published
    name = f"{story.slug.encode('ascii', 'ignore').decode()[:40].strip('-')}-{number}.jpg"
    if story.era == 1:
        return f"https://cdnimgfr.vietnamplus.vn/t660/uploaded/fr/{day:%Y_%m_%d}/{name}"
    if story.era == 2:
        return f"https://mediafr.vietnamplus.vn/t870/uploaded/oivhvt/{day:%Y_%m_%d}/{name}"
    token = hashlib.shake_128(f"{story.post_id}/{number}".encode()).hexdigest(54)
    return f"https://mediafr.vietnamplus.vn/images/{token}/{name}.webp"
