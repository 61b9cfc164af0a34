"""`vna similar`: the articles that share text with one article.

Boundary: handles only arguments and output; `crawler.similarity` compares texts.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler import visible
from crawler.cli import layout, output, state, streams, values
from crawler.errors import ArticleNotFound

if TYPE_CHECKING:
    from crawler.similarity import Similarity

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

    Each is printed with its kind, its score and the longest common passage. The table `similar` and the view `similar_articles` have the relations that were found when articles were stored; this
    command also searches again, so that it finds those of articles from before schema 5.

    Example: vna similar 245060
    """
    from crawler import similarity

    number = values.article_key(context, key)
    with state.of(context).reading() as archive, archive.snapshot():
        text = next(iter(archive.compared_texts([number])), None)
        if text is None:
            raise ArticleNotFound(key)
        candidates = archive.candidates(number, similarity.passage_hashes(text), text.body_key)
        found = {_pair(one): one for one in (*archive.similar(number), *similarity.similarities(text, candidates))}
        others = {other.id: other for other in archive.compared_texts(sum(found, ()))}
    rows: list[dict[str, Any]] = [
        asdict(one)
        | {
            "id": other,
            "title": others[other].title,
            "published_on": others[other].published_on,
            "section": others[other].section,
            "what": _ROLES[one.kind][one.other == number],
        }
        for one in sorted(found.values(), key=lambda one: (-one.score, one.article, one.other))
        for other in (one.other if one.article == number else one.article,)
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


def _pair(one: Similarity) -> tuple[int, int]:
    return min(one.article, one.other), max(one.article, one.other)
