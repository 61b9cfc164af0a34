"""What the double of the site is made of: stories, sections, switches.

Boundary: frozen values and pure functions; no clock, no randomness, no markup.
Facts about the site are hypotheses of the site dossier: URL forms and slugs (section 2), eras (section 6),
image addresses (section 7), section slugs (section 9).
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

HANOI = timezone(timedelta(hours=7))  # no summer time (dossier 15)

#: Last day of each body shape (dossier 6: about id 66,000; then the switch at the turn of 2023).
_ERA_1_ENDS = datetime(2015, 8, 1, tzinfo=HANOI)
_ERA_2_ENDS = datetime(2024, 1, 1, tzinfo=HANOI)
#: Until then inner hyphens vanish from slugs (dossier 2; `park-hangseo/182029` is of May 2022).
_HYPHENS_KEPT_SINCE = datetime(2022, 6, 1, tzinfo=HANOI)


@dataclass(frozen=True, slots=True)
class Section:
    """One section. `key` is how the generator knows it; name, slug and zone are what the site shows."""

    key: str
    name: str
    slug: str
    zone: int


#: The slugs are the dossier's untested candidates (section 9); the zone numbers are made up.
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
    """Switches of one replica. What the dossier leaves open can be set either way."""

    era: Era | None = None  # force one body shape for all pages
    sections: tuple[Section, ...] = SECTIONS
    no_feed: bool = False
    no_news_sitemap: bool = False
    no_sitemap: bool = False
    section_size: int = 30
    feed_size: int = 50
    home_size: int = 60
    validators: bool = False  # ETag, Last-Modified, 304; the site is thought to have none (dossier 14)
    not_found: NotFound = 404
    no_api: bool = False
    dialect: Dialect = "contents"  # of the list API (dossier 10)
    addresses: Addresses = "by id"  # what an article's other addresses do: answer, lead to the true one, or nothing
    plain_menu: bool = False  # the sections as bare links, without `nav`, list or zone ids
    no_load_more: bool = False
    feeds_at: str = "/rss/"
    robots: tuple[str, ...] = ()  # more lines of robots.txt
    overlap: int = 0  # every so many stories stand in a second section, too; 0 is none
    history: int = 0  # generated stories spread over 2010-2023, beside the recent ones

    def section(self, key: str) -> Section:
        """Give the section with that key; a story of a section that is switched off goes to the first one."""
        return next((s for s in self.sections if s.key == key), self.sections[0])

    def second_section(self, post_id: int, section: str) -> str:
        """Give the name of the other section whose page shows a story; its own when there is none."""
        if not self.overlap or post_id % self.overlap:
            return section
        return self.sections[post_id // self.overlap % len(self.sections)].name


@dataclass(frozen=True, slots=True)
class Story:
    """One article as the editors wrote it; `related` is None when `Voir plus` shows the stories of the moment."""

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

    @property
    def picture(self) -> ImageBlock | None:
        """The picture that lists show."""
        return next((b for b in self.blocks if isinstance(b, ImageBlock)), None)

    @property
    def path(self) -> str:
        """The canonical form of today (dossier 2)."""
        return f"/{quote(self.slug)}-post{self.post_id}.vnp"

    @property
    def old_path(self) -> str:
        """The older form, same slug and same id (dossier 2)."""
        return f"/{quote(self.slug)}/{self.post_id}.vnp"

    def as_related(self) -> Related:
        """Show this story under another one; the caption is that of its picture (dossier 8)."""
        caption = self.picture.caption if self.picture else None
        return Related(self.title, self.lead or "", caption)


def era_of(published: datetime) -> Era:
    """Tell the body shape of a date."""
    if published < _ERA_1_ENDS:
        return 1
    return 2 if published < _ERA_2_ENDS else 3


def slugify(title: str, published: datetime) -> str:
    """Fold a title the way the site does (dossier 2): apostrophes deleted, œ overlooked in the old days."""
    hyphens_kept = published >= _HYPHENS_KEPT_SINCE
    text = title.lower().replace("đ", "d")
    text = text.replace("œ", "oe") if hyphens_kept else re.sub(r"(?<=\S)-(?=\S)", "", text)
    text = unicodedata.normalize("NFKD", text.replace("–", "-").replace("\u00a0", " "))
    text = "".join(c for c in text if c.isalnum() or c in " -")
    return re.sub(r"[ -]+", "-", text).strip("-")


def with_image_urls(story: Story) -> Story:
    """Give each picture without an address one of the story's own era; forcing an era does not change it."""
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
