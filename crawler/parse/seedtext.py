"""Read and write the seed format, a plain-text format used by `seeds/`, `vna show --format text` and `vna import`.

`docs/seed-format.md` describes the format. Reading keeps every line verbatim, except for white space at its ends.
Writing produces a canonical form: `write(read(text))` describes the same article as `text`, and reading and writing
this result again does not change it.

Two rules complete the format:

- *Missing lead.* A title, an empty line and a lead look the same as a title, an empty line and a body. Therefore, a
  missing lead is written as an empty line, so that two blank lines follow the title. When a text is read, the first
  block after the title is body, not lead, if it is an image line or starts with a dateline.
- *Pictures without a generated alt text.* An image line is recognised by its prefix `<title> ảnh N`. If a picture has
  another alt text (since 2024, a file name or the caption), this prefix is written instead, with the position of the
  picture as N. Otherwise, the line would be read as a paragraph.

Boundary: strings only.
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
_START = re.compile(r"\A[\s\ufeff]+")  # a byte order mark may follow blank lines that were inserted before it
_FIELDS = 3  # lines of a related story: caption, title, summary
_EMPTY_SUMMARY_GAP = 3  # blank lines between two stories if the summary of the first is missing


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    gap: int  # number of blank lines before it


def read(text: str) -> Article:
    """Parse one document in the seed format into an article.

    Raises:
        BadInput: the text has no title, or its `Voir plus` part has lines that do not form stories.

    """
    lines = _lines(text)
    if not lines:
        raise BadInput(
            "the text is empty: a document must start with its title",
            "see docs/seed-format.md for the format and seeds/ for five examples",
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
    """Return an article in the canonical seed format, without a final newline.

    Characters are not normalised. Notes and tables are left out, because the format has no form for them.
    """
    parts = [article.title, "\n\n", article.lead or ""]
    number = 0
    previous_is_lead = True
    for block in article.blocks:
        if isinstance(block, ImageBlock):
            number += 1
            line = image_line(article.title, block, number)
            parts += ["\n" if previous_is_lead else "\n\n", line]
        elif block.type in ("note", "table"):
            continue  # not part of the format
        else:
            parts += ["\n" if previous_is_lead and not article.lead else "\n\n", block.text]
        previous_is_lead = False
    if article.related:
        parts.append(f"\n\n\n{RELATED_HEADING}")
        for story in article.related:
            parts += [f"\n\n{line}" for line in (story.caption or story.title, story.title, story.summary)]
    return "".join(parts).rstrip()


def image_line(title: str, image: ImageBlock, number: int) -> str:
    """Return the line for one picture: its alt text and its caption.

    If the alt text does not have the form `<title> ảnh N`, it is replaced by this form with `number` as N.
    """
    alt = image.alt if _image_pattern(title).fullmatch(image.alt) else f"{title} ảnh {number}"
    caption = image.caption or ""
    joint = image.joint or " " * caption[:1].isdigit()  # keep `ảnh 1` and `20 ans de paix` apart: not `ảnh 120`
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
            f"the {RELATED_HEADING!r} part has {len(fields)} lines, but each story needs {_FIELDS} lines: "
            "picture caption, title, summary",
            f"check the lines after {RELATED_HEADING!r}; if a story has no picture caption, write its title instead",
        )
    stories = [fields[i : i + _FIELDS] for i in range(0, len(fields), _FIELDS)]
    return tuple(Related(title, summary, caption if caption != title else None) for caption, title, summary in stories)


def _with_empty_summaries(lines: list[_Line]) -> list[str]:
    """Return the texts of `lines`, with an empty text inserted for the summary of each story that has none.

    The title of a story without a summary is followed by three blank lines, or is the last line.
    """
    fields = [lines[0].text]
    for _, line in pairwise(lines):
        fields += [""] * (line.gap == _EMPTY_SUMMARY_GAP and _awaits_summary(fields)) + [line.text]
    return fields + [""] * _awaits_summary(fields)


def _awaits_summary(fields: list[str]) -> bool:
    return len(fields) % _FIELDS == _FIELDS - 1
