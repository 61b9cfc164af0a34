"""Render an archived article as text, JSON, Markdown or HTML, and the differences between two revisions.

Boundary: values in, strings and JSON values out.
"""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from crawler import records
from crawler.parse import seedtext
from crawler.types import Article, Block, ImageBlock, StoredArticle


def text(stored: StoredArticle) -> str:
    """Return the article as plain text in the seed format."""
    return seedtext.write(stored.article)


def as_json(stored: StoredArticle) -> dict[str, Any]:
    """Return the article as a JSON object, with the fields that the archive adds: revision, state, dates."""
    return records.stored_json(stored)


def markdown(stored: StoredArticle) -> str:
    """Return the article as Markdown, with its citation at the end."""
    article = stored.article
    parts = [f"# {article.title}"]
    if article.lead:
        parts.append(f"**{article.lead}**")
    for block in article.blocks:
        if isinstance(block, ImageBlock):
            parts.append(f"![{block.alt}]({block.url or ''})" + (f"\n*{block.caption}*" if block.caption else ""))
        else:
            parts.append(_MARKDOWN.get(block.type, "{}").format(block.text.replace("\n", "\n\n")))
    parts.append(f"---\n{citation(stored)}")
    return "\n\n".join(parts)


_MARKDOWN = {"heading": "## {}", "quote": "> {}", "list_item": "- {}"}


def as_html(stored: StoredArticle) -> str:
    """Return the article as a small HTML page. Only its pictures are loaded from other hosts."""
    article = stored.article
    body = "\n".join(_html_block(block) for block in article.blocks)
    lead = f"<p><strong>{html.escape(article.lead)}</strong></p>" if article.lead else ""
    return (
        f'<!doctype html>\n<html lang="fr"><meta charset="utf-8"><title>{html.escape(article.title)}</title>\n'
        f"<article>\n<h1>{html.escape(article.title)}</h1>\n{lead}\n{body}\n"
        f"<footer><p>{html.escape(citation(stored))}</p></footer>\n</article></html>"
    )


def _html_block(block: Block) -> str:
    if isinstance(block, ImageBlock):
        caption = f"<figcaption>{html.escape(block.caption)}</figcaption>" if block.caption else ""
        return f'<figure><img src="{html.escape(block.url or "")}" alt="{html.escape(block.alt)}">{caption}</figure>'
    return _HTML.get(block.type, "<p>{}</p>").format(html.escape(block.text))


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
    article = stored.article
    source = stored.fetched_url or article.url or "imported text"
    published = f", {article.published_at}" if article.published_at else ""
    return f"{article.title}. Agence vietnamienne d'information{published}. {source} (revision {stored.revision}, seen {stored.checked_at})"


def difference(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return the lines in which two revisions differ, each after the prefix `-` (old line) or `+` (new line).

    `old` and `new` are the database rows of the two revisions.
    """
    return list(_changed_lines(_lines(old), _lines(new)))


def _lines(row: dict[str, Any]) -> list[str]:
    article = Article(title=row["title"], lead=row["lead"], blocks=records.load_blocks(row["blocks"]))
    captions = [image.caption or "" for image in article.images]
    return [article.title, article.lead or "", *article.paragraphs, *captions, row["published_at"] or ""]


def _changed_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    changes = difflib.unified_diff(old, new, lineterm="", n=0)
    # The two file header lines are skipped by position: a removed line that starts with `--` would look like one.
    for line in islice(changes, 2, None):
        if not line.startswith("@@") and line[1:].strip():
            yield f"{line[0]} {line[1:]}"
