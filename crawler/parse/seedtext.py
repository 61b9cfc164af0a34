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

from crawler import fold
from crawler.errors import BadInput
from crawler.parse import structure
from crawler.types import Article, Block, ImageBlock, Related, TextBlock

RELATED_HEADING = "Voir plus"
SEPARATOR = "\f"  # between several documents in one file
_BLANK = " \t\u00a0"
_START = re.compile(r"\A[\s\ufeff]+")  # a byte order mark may follow blank lines that were inserted before it
_IMAGE_NUMBER = re.compile(r"[ \u00a0](?:ảnh|hình ảnh|hinh anh|anh) [0-9]+(?=(?P<joint>\s*))")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_MARKUP = re.compile(
    r"<(?:!doctype|!--|\?xml|/?(?:html|head|body|div|p|span|article|section|rss|feed|urlset|svg|script|meta|table)\b)"
    r"|\{\s*(?:[\"'}\\]|$)|\[\s*(?:[\"{\]]|$)|%PDF-|#!|---$",
    re.IGNORECASE,
)
_LONGEST_LINE = 1_000_000  # characters; a paragraph has a few thousand
_MOST_LINES = 200_000  # of one file, with the empty ones; a text has about 60
_LONGEST_TITLE = 500  # characters; the longest title seen has about 200
_FIELDS = 3  # lines of a related story: caption, title, summary
_EMPTY_SUMMARY = 3  # blank lines between two stories if the summary of the first is missing


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    blanks: int  # number of blank lines before it


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
        signature=structure.signature_of(paragraphs),
    )


def check_format(text: str) -> None:
    """Check that the content of a file looks like documents in the seed format, before it is imported.

    `read` accepts more, because texts that were imported before must stay readable.

    Raises:
        BadInput: a document is binary data or markup, or does not begin with a title and an empty line; the whole
            file has nothing but titles; or it would need too much memory.

    """
    if text.count("\n") > _MOST_LINES or max(map(len, text.splitlines()), default=0) > _LONGEST_LINE:
        raise BadInput(
            f"the file has more than {_MOST_LINES} lines, or a line of more than {_LONGEST_LINE} characters",
            "split the file: a form feed may separate its texts",
        )
    documents = [_lines(document) for document in text.split(SEPARATOR)]
    problem = next((found for lines in documents if (found := _problem(lines))), None)
    if "\0" in text or len(_CONTROL.findall(text)) > len(text) / 100:
        problem = "it has control characters, as binary files do"
    elif problem is None and all(len(lines) < 2 for lines in documents):
        problem = "there is no text after the title"
    if problem is not None:
        raise BadInput(
            f"not a text in the seed format: {problem}",
            "see docs/seed-format.md for the format and seeds/ for five examples",
        )


def _problem(lines: list[_Line]) -> str | None:
    title = lines[0].text if lines else RELATED_HEADING
    if _MARKUP.match(title):
        return "it begins like HTML, XML, JSON or another markup"
    if title == RELATED_HEADING:
        return "it has no title"
    if len(title) > _LONGEST_TITLE:
        return f"its first line has {len(title)} characters, so it is not a title"
    if len(lines) > 1 and not lines[1].blanks:
        return "there is no empty line between the title and the text"
    return None


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
    parts = _split_image(title, image.alt)
    alt = image.alt if parts is not None and parts[0] == image.alt else f"{title} ảnh {number}"
    caption = image.caption or ""
    joint = image.joint or " " * caption[:1].isdigit()  # keep `ảnh 1` and `20 ans de paix` apart: not `ảnh 120`
    return f"{alt}{joint}{caption}".strip(_BLANK)


def _lines(text: str) -> list[_Line]:
    lines: list[_Line] = []
    blanks = 0
    for raw in _START.sub("", text).replace("\r\n", "\n").split("\n"):
        line = raw.strip()
        if line:
            lines.append(_Line(line, blanks))
            blanks = 0
        else:
            blanks += 1
    return lines


def _split_image(title: str, line: str) -> tuple[str, str, str] | None:
    """Return the alt text of a picture line, the white space after it, and the caption; None for any other line.

    The title in the alt text may have lost its accents, as in old renderings (dossier section 16), or its punctuation.
    """
    key = _key(title)
    for match in _IMAGE_NUMBER.finditer(line):
        start = line[: match.start()]
        if start == title or (key and _key(start) == key):
            return line[: match.end()], match["joint"], line[match.end("joint") :]
    return None


def _key(text: str) -> str:
    """Return the letters and digits of a text, without accents and in lower case."""
    return "".join(c for c in fold.letters(text) if c.isalnum())


def _is_lead(title: str, first: _Line) -> bool:
    return not (
        first.blanks > 1  # the empty line of a missing lead
        or _split_image(title, first.text)
        or structure.dateline(first.text)
    )


def _block(title: str, line: str) -> Block:
    parts = _split_image(title, line)
    if parts is None:
        return TextBlock("paragraph", line)
    alt, joint, rest = parts
    caption = rest.strip() or None
    return ImageBlock(None, alt, caption, structure.credit(caption), joint if caption else "")


def _related(lines: list[_Line]) -> tuple[Related, ...]:
    fields = [line.text for line in lines]
    if len(fields) % _FIELDS or any(line.blanks == _EMPTY_SUMMARY for line in lines[1:]):
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
        fields += [""] * (line.blanks == _EMPTY_SUMMARY and _awaits_summary(fields)) + [line.text]
    return fields + [""] * _awaits_summary(fields)


def _awaits_summary(fields: list[str]) -> bool:
    return len(fields) % _FIELDS == _FIELDS - 1
