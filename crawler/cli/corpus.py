"""Commands that read articles: `vna show` and `search`.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from crawler.cli import output, state, values
from crawler.errors import ArticleNotFound


class ShowFormat(StrEnum):
    """Output format of `vna show`."""

    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"


Since = Annotated[
    str | None,
    typer.Option("--since", help="First day of publication (Hanoi time), such as 2024-01-31.", metavar="DAY"),
]
Until = Annotated[str | None, typer.Option("--until", help="Last day of publication.", metavar="DAY")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(context_settings=values.NEGATIVE_IDS)(show)
    app.command(context_settings=values.NEGATIVE_IDS)(search)


def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The article's id, or its address.")],
    format_: Annotated[ShowFormat, typer.Option("--format", help="Output format.")] = ShowFormat.text,
    revision: Annotated[
        int | None,
        typer.Option("--revision", min=1, max=values.MOST, help="Print this revision instead of the current one."),
    ] = None,
    as_of: values.AsOfOption = None,
    known_at: values.KnownAtOption = None,
) -> None:
    """Print one article.

    Example: vna show 245060 --format markdown
    """
    from crawler import render

    with state.of(context).reading() as archive:
        number = values.article_key(context, key)
        if revision is None and as_of is None and known_at is None:
            stored = archive.article(number)
        else:
            stored = archive.revision(number, number=revision, **values.times(as_of, known_at))
        if stored is None:
            wanted = {"with revision": revision, "as of": as_of, "known at": known_at}
            raise ArticleNotFound(
                key + "".join(f" {name} {value}" for name, value in wanted.items() if value is not None)
            )
    if format_ is ShowFormat.json:
        output.json_block(render.as_json(stored))
        return
    writers = {ShowFormat.text: render.text, ShowFormat.markdown: render.markdown, ShowFormat.html: render.as_html}
    output.lines(writers[format_](stored))


def search(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY", help='Words to find; also "exact phrase", -excluded, title:word, prefix*, a OR b.'
        ),
    ],
    since: Since = None,
    until: Until = None,
    section: Annotated[str | None, typer.Option("--section", help="Search only this section.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=values.MOST, help="Maximum number of articles.")] = 20,
    rank: Annotated[bool, typer.Option("--rank", help="Sort by relevance instead of date.")] = False,
    as_of: values.AsOfOption = None,
    known_at: values.KnownAtOption = None,
    as_json: Json = False,
) -> None:
    """Search titles, leads and texts.

    Accents, ligatures and word endings do not matter. Newest articles come first.

    Example: vna search '"affaires étrangères" -Cuba' --since 2018-01-01
    """
    from crawler import config, query

    if misspelt := next((word for word in words if word.startswith("--")), None):
        raise typer.BadParameter(f"no such option: {misspelt}", ctx=context)
    if rank and (as_of or known_at):
        raise typer.BadParameter("old texts are sorted by date only", ctx=context, param_hint="--rank")
    wanted = query.parse(" ".join(words), query.Synonyms(config.load_synonyms(state.of(context).config)))
    with state.of(context).reading() as archive:
        filters = {
            "since": values.day(since) or wanted.since,
            "until": values.day(until) or wanted.until,
            "section": section or wanted.section,
        }
        if as_of or known_at:
            found = archive.search_as_of(wanted.match, **filters, **values.times(as_of, known_at), limit=limit)
        else:
            found = archive.search(wanted.match, **filters, limit=limit, rank=rank)
    for row in found:
        row["snippet"] = query.snippet((row["lead"] or "", row["clean"]), wanted)
        del row["clean"]
    if as_json:
        output.json_block(found)
        return
    for row in found:
        output.text(f"{row['id']:>8}  {row['published_on'] or '          '}  {row['title']}")
        output.text(f"          {row['snippet']}")
    more = "; there may be more: raise --limit" if len(found) == limit else ""
    output.note(f"{output.count(len(found), 'article')}{more}")
