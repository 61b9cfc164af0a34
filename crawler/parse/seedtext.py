"""The seed text format, in and out (shared format of the archive: `seeds/`, `vna show --format text`, `vna import`).

Boundary: strings only. Reading keeps every line verbatim but for white space at its ends; writing is canonical, so
`write(read(text))` is the same document as `text`, and doing it again changes no byte.

Two things that the format leaves open are settled here:

- *No lead.* `title LF LF body` cannot be told from `title LF LF lead`. Written out, a missing lead is an empty line
  in its place (two blank lines after the title, the same document); read in, a first block that is an image line or
  opens with a dateline is body, not lead.
- *Pictures without a generated alt.* An image line is known by its prefix `<title> ảnh N`. A picture whose alt is
  something else (a file name, the caption again: pages since 2024) is written with that prefix and its own number,
  otherwise the line would come back as a paragraph.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from crawler.errors import BadInput
from crawler.parse import structure
from crawler.types import Article, Block, ImageBlock, Related, TextBlock

RELATED_HEADING = "Voir plus"
SEPARATOR = "\f"  # between several documents in one file
_BLANK = " \t\u00a0"
_START = re.compile(r"\A[\s\ufeff]+")  # a byte order mark stands at the very start, or behind blank lines put before it
_FIELDS = 3  # of a related story: picture line, title, summary
_EMPTY_SUMMARY_GAP = 3  # blank lines that a missing summary leaves between two stories


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    gap: int  # blank lines before it


def read(text: str) -> Article:
    """Read one document.

    Raises:
        BadInput: the text has no title, or its `Voir plus` part is not made of stories.

    """
    lines = _lines(text)
    if not lines:
        raise BadInput(
            "the text is empty: a document starts with its title",
            "see docs/seed-format.md for the format, or seeds/ for five examples",
        )
    title, rest = lines[0].text, lines[1:]
    cut = next((i for i, line in enumerate(rest) if line.text == RELATED_HEADING), len(rest))
    body, related = rest[:cut], rest[cut + 1 :]
    lead = None
    if body and _is_lead(title, body[0]):
        lead, body = body[0].text, body[1:]
    blocks = tuple(_block(title, line.text) for line in body)
    paragraphs = [b.text for b in blocks if isinstance(b, TextBlock)]
    return Article(
        title=title,
        lead=lead,
        blocks=blocks,
        related=_related(related),
        dateline=structure.dateline(paragraphs[0]) if paragraphs else None,
        signature=structure.signature(paragraphs[-1]) if paragraphs else None,
    )


def write(article: Article) -> str:
    """Write the canonical form; UTF-8 and NFC are the caller's `encode`, there is no final newline."""
    parts = [article.title, "\n\n", article.lead or ""]
    number = 0
    previous_is_lead = True
    for block in article.blocks:
        if isinstance(block, ImageBlock):
            number += 1
            line = image_line(article.title, block, number)
            parts += ["\n" if previous_is_lead else "\n\n", line]
        elif block.type in ("note", "table"):
            continue  # kept beside the body, not in it
        else:
            parts += ["\n" if previous_is_lead and not article.lead else "\n\n", block.text]
        previous_is_lead = False
    if article.related:
        parts.append(f"\n\n\n{RELATED_HEADING}")
        for story in article.related:
            parts += [f"\n\n{line}" for line in (story.caption or story.title, story.title, story.summary)]
    return "".join(parts).rstrip()


def image_line(title: str, image: ImageBlock, number: int) -> str:
    """Write one picture as its line; `number` stands in where the alt is not of the generated form."""
    alt = image.alt if _image_pattern(title).fullmatch(image.alt) else f"{title} ảnh {number}"
    caption = image.caption or ""
    joint = image.joint or " " * caption[:1].isdigit()  # `ảnh 1` before `20 ans de paix` is not `ảnh 120`
    return f"{alt}{joint}{caption}".strip(_BLANK)


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    gap = 0
    for raw in _START.sub("", text).replace("\r\n", "\n").split("\n"):
        line = raw.strip()
        if line:
            lines.append(_Line(line, gap))
            gap = 0
        else:
            gap += 1
    return lines


def _image_pattern(title: str) -> re.Pattern[str]:
    return re.compile(rf"({re.escape(title)} (?:ảnh|hinh anh) \d+)(\s*)(.*)", re.DOTALL)


def _is_lead(title: str, first: _Line) -> bool:
    return not (
        first.gap > 1  # the empty line of a missing lead
        or _image_pattern(title).fullmatch(first.text)
        or structure.dateline(first.text)
    )


def _block(title: str, line: str) -> Block:
    match = _image_pattern(title).fullmatch(line)
    if match is None:
        return TextBlock("paragraph", line)
    caption = match[3].strip() or None
    return ImageBlock(None, match[1], caption, structure.credit(caption), match[2] if caption else "")


def _related(lines: list[_Line]) -> tuple[Related, ...]:
    fields = [line.text for line in lines]
    if len(fields) % _FIELDS or any(line.gap == _EMPTY_SUMMARY_GAP for line in lines[1:]):
        fields = _with_empty_summaries(lines)
    if len(fields) % _FIELDS:
        raise BadInput(
            f"the {RELATED_HEADING!r} part has {len(fields)} lines, but each story takes {_FIELDS}: "
            "picture caption, title, summary",
            f"check the lines after {RELATED_HEADING!r}; an item without a caption repeats its title there",
        )
    stories = [fields[i : i + _FIELDS] for i in range(0, len(fields), _FIELDS)]
    return tuple(Related(title, summary, caption if caption != title else None) for caption, title, summary in stories)


def _with_empty_summaries(lines: list[_Line]) -> list[str]:
    """Put an empty field where the blank lines of a missing summary stand, and after a last title."""
    fields = [lines[0].text]
    for _, line in pairwise(lines):
        fields += [""] * (line.gap == _EMPTY_SUMMARY_GAP and _awaits_summary(fields)) + [line.text]
    return fields + [""] * _awaits_summary(fields)


def _awaits_summary(fields: list[str]) -> bool:
    return len(fields) % _FIELDS == _FIELDS - 1
