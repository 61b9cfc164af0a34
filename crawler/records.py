"""An article as plain data: the JSON of the command contract, and back from the rows of the archive.

Boundary: values to dicts and back; names are the same in SQL, JSON and the docs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from crawler.repair import flags
from crawler.types import Article, Block, Dateline, ImageBlock, Reading, Related, TextBlock


def article_json(article: Article, *, key: int | None = None, reading: Reading | None = None) -> dict[str, Any]:
    """Give the JSON of an article (design, "JSON of an article"); `key` is its id in an archive, else the post id."""
    reading = reading or Reading(article.text)
    return {
        "id": article.post_id if key is None else key,
        "post_id": article.post_id,
        "url": article.url,
        "kind": article.kind,
        "section": article.section,
        "title": article.title,
        "lead": article.lead,
        "blocks": [block_json(block) for block in article.blocks],
        "dateline": asdict(article.dateline) if article.dateline else None,
        "signature": article.signature,
        "byline": article.byline,
        "tags": list(article.tags),
        "published_at": article.published_at,
        "published_raw": article.published_raw,
        "modified_at": article.modified_at,
        "related": [related_json(story) for story in article.related],
        "text": article.text,
        "clean": reading.clean,
        "repairs": [{"rule": r.rule, "before": r.before, "after": r.after} for r in reading.repairs],
        "markup": article.markup,
        "provenance": dict(article.provenance),
        "problems": [*dict.fromkeys((*article.problems, *flags(reading)))],
    }


def block_json(block: Block) -> dict[str, Any]:
    """Give one block as the contract names it."""
    if isinstance(block, ImageBlock):
        return {
            "type": "image",
            "url": block.url,
            "alt": block.alt,
            "caption": block.caption,
            "credit": block.credit,
        }
    return {"type": block.type, "text": block.text}


def related_json(story: Related) -> dict[str, Any]:
    """Give one story under `Voir plus` as the contract names it."""
    return {
        "post_id": story.post_id,
        "url": story.url,
        "title": story.title,
        "summary": story.summary,
        "caption": story.caption,
    }


def dump_blocks(blocks: Iterable[Block]) -> str:
    """Write blocks for the archive: the public JSON, plus the joint of a seed's image line where there is one."""
    return dump([
        block_json(b) | ({"joint": b.joint} if isinstance(b, ImageBlock) and b.joint else {}) for b in blocks
    ])  # fmt: skip


def load_blocks(text: str) -> tuple[Block, ...]:
    """Read what `dump_blocks` wrote."""
    return tuple(_block(data) for data in json.loads(text))


def _block(data: Mapping[str, Any]) -> Block:
    if data["type"] == "image":
        return ImageBlock(data["url"], data["alt"], data["caption"], data["credit"], data.get("joint", ""))
    return TextBlock(data["type"], data["text"])


def dump(value: Any) -> str:
    """Write a value as compact JSON in readable UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def dateline_of(place: str | None, date: str | None, agency: str | None) -> Dateline | None:
    """Build the dateline that three columns hold; None when all are empty."""
    return Dateline(place, date, agency) if place or date or agency else None
