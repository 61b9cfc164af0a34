"""Turn the seed articles, and the related stories listed under them, into stories of the fake site.

Ids and publication times are made up so that they agree with the known ids and dates (dossier section 3) and with the
events that the texts mention.

Boundary: reads the seed files through `crawler.parse.seedtext`; pure functions otherwise.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from crawler.parse import seedtext
from crawler.sim.site.newsroom import body_for
from crawler.sim.site.story import HANOI, Options, Story, era_of, slugify, with_image_urls
from crawler.sim.site.timeline import id_at
from crawler.types import Article, Block, ImageBlock, Related


def _hanoi(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HANOI)


#: By the number that starts the file name: publication time of the article, and of its newest `Voir plus` story.
_DATES = {
    "000": (_hanoi("2018-09-19T17:42:07"), _hanoi("2026-01-17T10:48:20")),
    "001": (_hanoi("2023-08-19T09:15:33"), _hanoi("2026-01-17T12:31:05")),
    "002": (_hanoi("2023-03-13T21:08:51"), _hanoi("2026-01-29T21:26:44")),
    "003": (_hanoi("2021-12-02T22:34:12"), _hanoi("2025-11-30T11:05:58")),
    "004": (_hanoi("2023-03-31T15:20:26"), _hanoi("2025-12-02T22:10:39")),
}
_DEFAULT_DATES = (_hanoi("2022-06-15T10:00:00"), _hanoi("2025-12-20T18:00:00"))
_INTERVAL = timedelta(hours=1, minutes=53, seconds=17)  # between two stories under `Voir plus`
_MORNING, _NIGHT = 6, timedelta(hours=8)
_TAGS = ("Vietnam", "défense", "dialogue")


def stories(folder: Path, options: Options) -> list[Story]:
    """Return a story for each seed article, and for each story listed under `Voir plus`, without repetitions.

    With the option `no_samples`, there are none.
    """
    if options.no_samples:
        return []
    section = options.section("politique").name
    found: list[Story] = []
    for path in sorted(folder.glob("*.txt")):
        article = seedtext.read(path.read_text("utf-8"))
        published, newest = _DATES.get(path.name[:3], _DEFAULT_DATES)
        found.append(_seed_story(article, published, section, _ids(found)))
        for n, related in enumerate(article.related):
            if related.title not in {s.title for s in found}:
                found.append(_related_story(related, _daytime(newest, n), section, _ids(found)))
    return found


def _daytime(newest: datetime, newer: int) -> datetime:
    """Return the publication time of a story under `Voir plus`; `newer` is the number of newer stories there.

    `newest` is the publication time of the newest story. No story is published at night.
    """
    moment = newest
    for _ in range(newer):
        moment -= _INTERVAL
        if moment.hour < _MORNING:
            moment -= _NIGHT
    return moment


def _ids(stories: list[Story]) -> set[int]:
    return {s.post_id for s in stories}


def _free_id(published: datetime, taken: set[int]) -> int:
    post_id = id_at(published)
    while post_id in taken:
        post_id += 1
    return post_id


def _seed_story(article: Article, published: datetime, section: str, taken: set[int]) -> Story:
    story = Story(
        post_id=_free_id(published, taken),
        slug=slugify(article.title, published),
        section=section,
        title=article.title,
        lead=article.lead,
        blocks=article.blocks,
        related=article.related,
        published=published,
        modified=published,
        tags=_TAGS,
        era=era_of(published),
    )
    return with_image_urls(story)


def _related_story(related: Related, published: datetime, section: str, taken: set[int]) -> Story:
    caption = related.caption
    picture: Block = ImageBlock(None, caption or related.title, caption)
    story = Story(
        post_id=_free_id(published, taken),
        slug=slugify(related.title, published),
        section=section,
        title=related.title,
        lead=related.summary or None,
        blocks=(picture, *body_for(related.title, related.summary, published)),
        published=published,
        modified=published,
        tags=("Vietnam", "actualité"),
    )
    return with_image_urls(replace(story, era=era_of(published)))
