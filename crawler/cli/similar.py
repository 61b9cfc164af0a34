"""`vna similar`: the articles that share text with one article.

Boundary: handles only arguments and output; `crawler.storage.similar` finds the articles.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from crawler import visible
from crawler.cli import layout, output, state, streams, values
from crawler.errors import ArticleNotFound

#: What the first article of a pair is to the second one, and what the second one is to the first.
_ROLES = {
    "reissue": ("the same text again", "the same text again"),
    "cross-section": ("the same text in another section", "the same text in another section"),
    "extends": ("extended in this article", "extends this article"),
    "digest-contains": ("contained in this digest", "a digest that contains this article"),
    "photo-version": ("this is its photo version", "its photo version"),
}


def register(app: typer.Typer) -> None:
    """Add the command of this module to `app`."""
    app.command(context_settings=values.NEGATIVE_IDS)(similar)


def similar(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The article's id, or its address.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print the articles that share text with one article.

    Each is printed with its kind, its score and the longest common passage. The table `similar` and the view
    `similar_articles` have the relations that were found when articles were stored. This command searches again, so that
    it also finds the relations of articles that were stored before schema 6.

    Example: vna similar 245060
    """
    number = values.article_key(context, key)
    with state.of(context).reading() as archive, archive.snapshot():
        if archive.article(number) is None:
            raise ArticleNotFound(key)
        found = archive.similar_articles(number)
    rows: list[dict[str, Any]] = [
        asdict(one)
        | {
            "id": other.id,
            "title": other.title,
            "published_on": other.published_on,
            "section": other.section,
            "what": _ROLES[one.kind][one.other == number],
        }
        for one, other in found
    ]
    if as_json:
        output.json_block(rows)
        return
    streams.page()
    for row in rows:
        output.text(
            f"{row['id']:>8}  {row['published_on'] or '          '}  {row['score']:.2f}  {row['kind']}: {row['what']}"
        )
        title = visible.line(row["title"])
        layout.paragraph(title, indent=10, spans=(layout.ColouredSpan(0, len(title), layout.BOLD),))
        if row["passage"]:
            layout.paragraph(visible.line(f"« {' '.join(row['passage'].split())} »"), indent=10)
    output.note(output.count(len(rows), "similar article"))
