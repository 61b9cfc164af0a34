"""The readable page of an article in an evidence pack: all revisions, what changed, the timeline and the captures.

Boundary: values in, HTML out. The page is one file: it loads nothing and executes nothing.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crawler import visible
from crawler.changes import Change, field_texts, marked_words
from crawler.types import Article, ImageBlock, StoredArticle

_HEAD = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ max-width: 44em; margin: 2em auto; padding: 0 1em; font: 1.05em/1.55 Charter, Georgia, serif; color: #1c1c1c; background: #fff }}
table {{ border-collapse: collapse; font: .8em/1.4 system-ui, sans-serif; width: 100% }}
td, th {{ border-bottom: 1px solid #ccc; padding: .3em .6em .3em 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }}
del {{ background: #fbe3e1 }} ins {{ background: #dff2e0 }} figcaption, .meta {{ color: #555; font-size: .85em }}
</style></head><body>
"""


def page(
    revisions: Sequence[StoredArticle],
    changes: Mapping[int, Sequence[Change]],
    timeline: Iterable[Mapping[str, Any]],
    captures: Iterable[Mapping[str, Any]],
) -> str:
    """Return the page. `revisions` are all revisions, oldest first; `changes` has those of each later revision."""
    newest = revisions[-1]
    parts = [_HEAD.format(title=_text(newest.article.title))]
    for stored in reversed(revisions):
        is_newest = stored is newest
        label = f"Revision {stored.revision} of {newest.revision}, seen {stored.checked_at}; article {stored.id}, {stored.state}"
        parts.append(
            f'<section><p class="meta">{_text(label)}</p>\n{_article(stored.article, "h1" if is_newest else "h2")}'
        )
        if found := changes.get(stored.revision):
            texts = field_texts(stored.article)
            parts.append("<h3>Changed since the revision before</h3><ul>")
            parts += [_change(change, texts[change.field]) for change in found]
            parts.append("</ul>")
        parts.append("</section>")
    parts.append("<h2>Timeline</h2>" + _table(timeline, ("at", "event", "detail")))
    parts.append("<h2>Captures</h2>" + _table(captures, ("fetched_at", "status", "url", "digest")))
    return "\n".join([*parts, "</body></html>\n"])


def _article(article: Article, heading: str) -> str:
    parts = [f"<{heading}>{_text(article.title)}</{heading}>"]
    if article.published_at:
        parts.append(f'<p class="meta">{_text(article.published_at)}</p>')
    if article.lead:
        parts.append(f"<p><strong>{_text(article.lead)}</strong></p>")
    for block in article.blocks:
        if isinstance(block, ImageBlock):
            parts.append(
                f"<figure><figcaption>[{_text(block.url or 'picture')}] {_text(block.caption or '')}</figcaption></figure>"
            )
        else:
            tag = {"heading": "h3", "quote": "blockquote"}.get(block.type, "p")
            parts.append(f"<{tag}>{_text(block.text)}</{tag}>")
    return "\n".join(parts)


def _change(change: Change, text: str) -> str:
    tags = {"": "{}", "removed": "<del>{}</del>", "added": "<ins>{}</ins>"}
    shown = "".join(tags[piece.kind].format(_text(piece.text)) for piece in marked_words(change, text))
    return f'<li>{shown} <span class="meta">({_text(change.field)}: {_text(", ".join(change.kinds))})</span></li>'


def _table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> str:
    head = "".join(f"<th>{column}</th>" for column in columns)
    body = "\n".join("<tr>" + "".join(f"<td>{_text(str(row[c]))}</td>" for c in columns) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _text(text: str) -> str:
    return html.escape(visible.block(text))
