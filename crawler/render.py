"""Render an archived article as text, JSON, Markdown or HTML.

Boundary: values in, strings and JSON values out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

from crawler import records, visible
from crawler.parse import seedtext
from crawler.types import BODY_TYPES, Article, Block, ImageBlock, StoredArticle, TextBlock


def text(stored: StoredArticle, *, clean: bool = False, related: bool = True) -> str:
    """Return the article as plain text in the seed format.

    With `clean`, the text is the repaired one; without `related`, it has no stories under `Voir plus`.
    """
    article = stored.article if related else replace(stored.article, related=())
    return seedtext.write(replace(article, blocks=clean_blocks(stored)) if clean else article)


def clean_blocks(stored: StoredArticle) -> tuple[Block, ...]:
    """Return the blocks of an article with the repaired text; blocks that are not part of its body stay as they are."""
    paragraphs = stored.reading.clean.split("\n\n") if stored.reading.clean else []
    blocks = stored.article.blocks
    if len(paragraphs) != len(stored.article.paragraphs):  # a repair joined or divided blocks: their types are unknown
        others = tuple(b for b in blocks if isinstance(b, ImageBlock) or b.type not in BODY_TYPES)
        return (*others, *(TextBlock("paragraph", paragraph) for paragraph in paragraphs))
    following = iter(paragraphs)
    return tuple(
        replace(b, text=next(following)) if isinstance(b, TextBlock) and b.type in BODY_TYPES else b for b in blocks
    )


def as_json(stored: StoredArticle) -> dict[str, Any]:
    """Return the article as a JSON object, with the fields that the archive adds: revision, state, dates."""
    return records.stored_json(stored)


def markdown(stored: StoredArticle) -> str:
    """Return the article as Markdown, with its citation at the end. No text of the article is read as Markdown or HTML."""
    article = stored.article
    parts = [f"# {_markdown_line(article.title)}"]
    if article.lead:
        parts.append(f"**{_markdown_line(article.lead)}**")
    for block in article.blocks:
        if isinstance(block, ImageBlock):
            caption = f"\n*{_markdown_line(block.caption)}*" if block.caption else ""
            parts.append(f"![{_markdown_line(block.alt)}]({_markdown_url(block.url)}){caption}")
        else:
            lines = "\n\n".join(_markdown_line(line) for line in block.text.split("\n"))
            parts.append(_MARKDOWN.get(block.type, "{}").format(lines))
    source = _source(stored)
    shown = source if _PLAIN_LINK.fullmatch(source) else _markdown_line(source)
    parts.append(f"---\n{_citation(stored, _markdown_line, shown)}")
    return "\n\n".join(parts)


_MARKDOWN = {"heading": "## {}", "quote": "> {}", "list_item": "- {}"}
#: What has a meaning anywhere in a line: of CommonMark, and of GitHub's tables, strikethrough and links without brackets.
_INLINE = re.compile(r"[\\`*_\[\]<>|~]|&(?=#|\w+;)|(?<=\w):(?=//)|(?<=\bwww)\.|(?<=\w)@(?=\w)", re.IGNORECASE)
#: What makes a heading, a list, a rule or a code block at the start of a line.
_LINE_START = re.compile(r"[#+=:-]|[0-9]+(?=[.)])")
#: An address with a host and no user name, or one relative to the page; `//host` and other schemes are neither.
_URL = re.compile(
    r"https?://[^/?#\s@\\]+(?:[/?#].*)?|(?![/\\]{2})[^:/?#\s\\]*(?:[/?#][^\s\\]*)?", re.IGNORECASE | re.DOTALL
)
_PLAIN_LINK = re.compile(r"https?://[a-z0-9.:-]+/[a-z0-9./_%?=-]*", re.IGNORECASE)  # nothing in it is Markdown
_ENTITY = re.compile(r"&(?=#?\w+;)")
_NOT_IN_URL = re.compile(r"[^!#$%&*+,./0-9:;=?@A-Z\[\]_a-z~-]")


def _markdown_line(text: str) -> str:
    """Return a text as one line of Markdown that shows the text itself."""
    cells = (" ".join(cell.split()) for cell in text.split("\t"))
    line = "\t".join(visible.line(_INLINE.sub(r"\\\g<0>", cell)) for cell in cells).strip()
    start = _LINE_START.match(line)
    if start is None:
        return line
    number = start[0] if start[0].isdecimal() else ""
    return f"{number}\\{line[len(number) :]}"


def _markdown_url(url: str | None) -> str:
    """Return the address of a picture with every character encoded that could end it in Markdown."""
    encoded = _NOT_IN_URL.sub(lambda match: quote(match[0]), web_url(url))
    return _ENTITY.sub(r"\\&", encoded)  # Markdown reads entities in an address, too


def web_url(url: str | None) -> str:
    """Return an address that a browser may load; an empty text for a script, for data and for what may deceive."""
    if not url or visible.line(url) != url:
        return ""
    return url if all(_URL.fullmatch(form) for form in (url, html.unescape(url), unquote(url))) else ""


def as_html(stored: StoredArticle) -> str:
    """Return the article as a small HTML page. Only its pictures are loaded from other hosts; nothing in it is executed."""
    article = stored.article
    return (
        f'<!doctype html>\n<html lang="fr"><meta charset="utf-8">{_POLICY}<title>{_html(article.title)}</title>\n'
        f"<article>\n<h1>{_html(article.title)}</h1>\n{html_body(article)}\n"
        f"<footer><p>{_html(citation(stored))}</p></footer>\n</article></html>"
    )


def html_body(article: Article) -> str:
    """Return the lead, texts and pictures of an article as HTML in which every value is escaped."""
    lead = f"<p><strong>{_html(article.lead)}</strong></p>" if article.lead else ""
    return f"{lead}\n" + "\n".join(_html_block(block) for block in article.blocks)


_POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src http: https:; '
    'base-uri \'none\'; form-action \'none\'"><meta name="referrer" content="no-referrer">'
)


def _html(text: str) -> str:
    return html.escape(visible.block(text))


def _html_block(block: Block) -> str:
    if isinstance(block, ImageBlock):
        caption = f"<figcaption>{_html(block.caption)}</figcaption>" if block.caption else ""
        return f'<figure><img src="{_html(web_url(block.url))}" alt="{_html(block.alt)}">{caption}</figure>'
    return _HTML.get(block.type, "<p>{}</p>").format(_html(block.text))


_HTML = {
    "heading": "<h2>{}</h2>",
    "quote": "<blockquote>{}</blockquote>",
    "list_item": "<ul><li>{}</li></ul>",
    "table": "<pre>{}</pre>",
}


def citation(stored: StoredArticle) -> str:
    """Return a citation of the article: title, agency, date, URL, revision and the time of the last check.

    The URL is the one that was fetched, because a reader can check it; the page may state another one as canonical. An
    article without a URL is cited as imported text.
    """
    return _citation(stored, str, _source(stored))


def _source(stored: StoredArticle) -> str:
    return stored.fetched_url or stored.article.url or "imported text"


def _citation(stored: StoredArticle, shown: Callable[[str], str], source: str) -> str:
    article = stored.article
    published = f", {shown(article.published_at)}" if article.published_at else ""
    return (
        f"{shown(article.title)}. Agence vietnamienne d'information{published}. {source} "
        f"(revision {stored.revision}, seen {stored.checked_at})"
    )
