"""The right values of the fields of an article, from the story on the site, and the values that an archive holds.

The right values are written down without the code of the crawler, so that a bug in it cannot change both sides. Both
functions use the same names of fields. Most are those of the columns; others combine a table or check a property:

```
images, tags, related, sections   the rows of the tables
blocks, parts                     the types, texts and pictures of the body in reading order
found_by_title                    whether the search for the words of the title finds the article
repairs_fit                       whether the stored repairs turn `text` into `clean`
raw, raw_at, last_raw             digest and time of the responses that the article or revision refers to
page_state_fits, word_count_fits  whether other columns agree with the article
```
Boundary: reads stories and rows; `crawler.sim.reconcile` compares the values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crawler import query, records
from crawler.sim.site import Story
from crawler.storage import Archive
from crawler.types import BODY_TYPES, Block, ImageBlock, Related, TextBlock

#: A paragraph with two glued sentences that the drill publishes, and how a reader would write it.
GLUED = "Les travaux ont repris lundi.Ils dureront deux mois et emploieront trois cents personnes."
REPAIRED = GLUED.replace("lundi.Ils", "lundi. Ils")

_DATELINE = re.compile(r"(.+?) \((VNA|AVI)\) [-–] ")
_SIGNATURE = re.compile(r"(?:[-–] ?|[A-Z]{3}/)(?:VNA|AVI)$")
_ANY_WORD = re.compile(r"\w+")
_COUNT_TOLERANCE = 40  # words; hyphens and numbers are counted in another way
_CREDIT = re.compile(r"(?:Photo[^:]*|Source)\s*:\s*([^()]+)\)?$")
_WORDS = re.compile(r"(?<!\w)[^\W\d_]{4,}(?![\w'’])")  # shorter words may be operators, such as `ou`


def right_values(story: Story, url: str) -> dict[str, tuple[object, ...]]:
    """Return the right values of the fields of the article `story`, whose page is at `url`.

    The exact repaired text of a story from before 2024 is not known, because such stories have glued words.
    """
    story = replace(story, blocks=_with_credits(story.blocks))
    texts = [b.text for b in story.blocks if isinstance(b, TextBlock) and b.type in BODY_TYPES]
    text = "\n\n".join(texts)
    values: dict[str, object] = {
        **right_revision_values(story, url),
        "text": text,
        "letters": _letters(text),  # of `clean`: a repair may only add or remove spaces
        "sections": (story.section,),
        "images": tuple(b for b in _blocks(story.blocks) if b[0] == "image"),
        "published_on": f"{story.published:%Y-%m-%d}",
        "found_by_title": True,
        "repairs_fit": True,
        "revision_fields": True,
        "page_state_fits": True,
        "word_count_fits": True,
    }
    if story.era == 3:
        values["clean"] = text.replace(GLUED, REPAIRED)
        dateline = _DATELINE.match(text)
        values["dateline"] = (dateline[1], dateline[2]) if dateline else (None, None)
        signature = _SIGNATURE.search(text)
        values["signature"] = signature[0] if signature else None
    return {name: (value,) for name, value in values.items()}


def right_revision_values(story: Story, url: str) -> dict[str, object]:
    """Return the right value of each field that every revision of an article has."""
    return {
        "url": url,
        "kind": _kind(story),
        "section": story.section,
        "byline": story.byline,
        "tags": story.tags,
        "published_at": story.published.isoformat(timespec="seconds"),
        "modified_at": story.modified.isoformat(timespec="seconds"),
        "blocks": _blocks(_with_credits(story.blocks)),
    }


def right_related(stories: tuple[Related, ...]) -> tuple[tuple[str, str], ...]:
    """Return the title and the summary of each story that a page shows under `Voir plus`."""
    return tuple((story.title, story.summary) for story in stories)


def held_values(archive: Archive, post_id: int) -> dict[str, object]:
    """Return the values of the fields of one article in an archive."""
    (row,) = archive.db.query("SELECT * FROM articles WHERE id = ?", [post_id])
    repairs = _rows(archive, "SELECT offset, before, after FROM repairs WHERE article = ? ORDER BY position", post_id)
    images = _rows(archive, "SELECT url, alt, caption, credit FROM images WHERE article = ? ORDER BY position", post_id)
    return {
        **_common_values(archive, row),
        "tags": _column(archive, "SELECT tag FROM tags WHERE article = ? ORDER BY position", post_id),
        "related": _rows(archive, "SELECT title, summary FROM related WHERE article = ? ORDER BY position", post_id),
        "sections": _column(archive, "SELECT section FROM sections WHERE article = ?", post_id),
        "images": tuple(("image", *image) for image in images),
        "text": row["text"],
        "letters": _letters(row["clean"]),
        "clean": row["clean"],
        "dateline": (row["dateline_place"], row["agency"]),
        "signature": row["signature"],
        "published_on": row["published_on"],
        "first_seen_at": row["first_seen_at"],
        "checked_at": row["checked_at"],
        "page_state_fits": _column(archive, "SELECT state FROM pages WHERE id = ?", post_id) == (row["state"],),
        "word_count_fits": abs(row["word_count"] - len(_ANY_WORD.findall(row["clean"]))) <= _COUNT_TOLERANCE,
        "last_raw": next(iter(_column(archive, "SELECT digest FROM raw WHERE id = ?", row["last_raw_id"])), None),
        "found_by_title": _is_found(archive, post_id, row["title"]),
        "repairs_fit": _repaired(row["text"], repairs) == row["clean"],
        "revision_fields": _has_last_revision(archive, row),
    }


def held_revision_values(archive: Archive, row: Mapping[str, Any]) -> dict[str, object]:
    """Return the values of the fields of one revision, whose row `Archive.history` returned."""
    return {**_common_values(archive, row), "tags": tuple(row["tags"]), "seen_at": row["seen_at"]}


def _common_values(archive: Archive, row: Mapping[str, Any]) -> dict[str, object]:
    names = ("url", "kind", "section", "byline", "published_at", "modified_at")
    raw = next(iter(_rows(archive, "SELECT digest, fetched_at FROM raw WHERE id = ?", row["raw_id"])), (None, None))
    blocks = _blocks(records.load_blocks(row["blocks"]))
    return {name: row[name] for name in names} | {"blocks": blocks, "raw": raw[0], "raw_at": raw[1]}


def _has_last_revision(archive: Archive, row: Mapping[str, Any]) -> bool:
    """Whether the number and the fingerprint of an article are those of its last revision."""
    last = _rows(
        archive,
        "SELECT revision, fingerprint FROM revisions WHERE article = ? ORDER BY revision DESC LIMIT 1",
        row["id"],
    )
    return last == ((row["revision"], row["fingerprint"]),)


def machine_time(moment: datetime) -> str:
    """Return an instant in UTC as the archive stores it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


# --- parts ------------------------------------------------------------------------------------------------------------


def _kind(story: Story) -> str:
    """Return the kind that a reader sees: a picture or video to which the editors added a paragraph is an article."""
    has_text = any(isinstance(block, TextBlock) and block.type in BODY_TYPES for block in story.blocks)
    return "article" if has_text else story.kind


def _blocks(blocks: tuple[Block, ...]) -> tuple[tuple[str | None, ...], ...]:
    return tuple(
        ("image", b.url, b.alt, b.caption, b.credit) if isinstance(b, ImageBlock) else (b.type, b.text) for b in blocks
    )


def _with_credits(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Return blocks in which each picture has its credit: the end of its caption after `Photo :`."""
    return tuple(
        replace(b, credit=found[1]) if isinstance(b, ImageBlock) and (found := _CREDIT.search(b.caption or "")) else b
        for b in blocks
    )


def _letters(text: str) -> str:
    """Return a text without its spaces."""
    return "".join(text.split())


def _is_found(archive: Archive, post_id: int, title: str) -> bool:
    match = query.parse(" ".join(_WORDS.findall(title))).match
    hits = archive.search(match, since=None, until=None, section=None, limit=1000, rank=False)
    return any(hit["id"] == post_id for hit in hits)


def _repaired(text: str, repairs: tuple[tuple[Any, ...], ...]) -> str | None:
    """Apply repairs, each of which names its position in the text; return None if the text differs there."""
    result, end = "", 0
    for offset, before, after in repairs:
        if offset < end or text[offset : offset + len(before)] != before:
            return None
        result += text[end:offset] + after
        end = offset + len(before)
    return result + text[end:]


def _rows(archive: Archive, sql: str, *values: object) -> tuple[tuple[Any, ...], ...]:
    return tuple(map(tuple, archive.db.execute(sql, values).fetchall()))


def _column(archive: Archive, sql: str, *values: object) -> tuple[Any, ...]:
    return tuple(row[0] for row in _rows(archive, sql, *values))
