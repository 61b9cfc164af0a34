"""Commands that read articles: `vna latest`, `search` and `show`.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler import visible
from crawler.cli import layout, output, state, streams, values
from crawler.errors import ArticleNotFound, BadInput

if TYPE_CHECKING:
    from crawler.query import Query
    from crawler.storage import Archive
    from crawler.types import StoredArticle

_SHOWN = 80  # characters of a query in a message
_INDENT = 10  # of the texts below the id of an article


class ShowFormat(StrEnum):
    """Output format of `vna show`."""

    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(latest)
    app.command(context_settings=values.NEGATIVE_IDS)(search)
    app.command(context_settings=values.NEGATIVE_IDS)(show)


def latest(
    context: typer.Context,
    section: Annotated[str | None, typer.Option("--section", help="Print only articles of this section.")] = None,
    since: values.SinceOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=values.MOST, help="Maximum number of articles.")] = 20,
    as_json: Json = False,
) -> None:
    """Print the newest articles by day of publication.

    Example: vna latest --section Politique --since today
    """
    first, _ = values.iso_period(since, None)
    with state.of(context).reading() as archive:
        found = archive.latest(values.section(archive, section), first, limit)
        told = "" if found else _nothing(archive, "0 articles", {"in section": section, "since": first})
    if as_json:
        output.json_block(found)
        return
    streams.page()
    if found:
        rows = [row | {"published": (row["published_at"] or "")[:16].replace("T", " ")} for row in found]
        layout.table(rows, ("id", "published", "section", "title"), bold="title")
    output.note(told or _counted(found, limit))


def search(
    context: typer.Context,
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="QUERY...",
            help=(
                'Words to find; also "exact phrase", -excluded, NOT excluded, title:word, prefix*, a OR b, (a b) OR c.'
            ),
        ),
    ],
    since: values.SinceOption = None,
    until: values.UntilOption = None,
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
    from crawler import days, snippets

    if rank and (as_of or known_at):
        raise typer.BadParameter("old texts are sorted by date only", ctx=context, param_hint="--rank")
    text = values.query_text(context, words)
    wanted = values.search_query(context, text)
    first, last = values.iso_period(since, until)
    first, last = first or wanted.since, last or wanted.until
    days.check_order(first, last)
    with state.of(context).reading() as archive:
        name = values.section(archive, section or wanted.section)
        if as_of or known_at:
            times = values.times(as_of, known_at)
            found = archive.search_as_of(wanted.match, since=first, until=last, section=name, limit=limit, **times)
        else:
            found = archive.search(wanted.match, since=first, until=last, section=name, limit=limit, rank=rank)
        asked = {"in section": name, "since": first, "until": last, "as of": as_of, "known at": known_at}
        told = "" if found else _nothing(archive, f"0 articles match {visible.line(text, _SHOWN)}", asked)
    if as_json:
        output.json_block([_with_snippet(row, snippets.snippet(_texts(row), wanted)) for row in found])
        return
    streams.page()
    for row in found:
        _print_hit(row, wanted)
    output.note(told or _counted(found, limit))


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
            told = key + "".join(f" {name} {value}" for name, value in wanted.items() if value is not None)
            if archive.article(number) is not None:
                raise BadInput(f"no article {told} in this archive", f"see its revisions with `vna history {key}`")
            raise ArticleNotFound(told)
    if format_ is ShowFormat.json:
        output.json_block(render.as_json(stored))
        return
    streams.page()
    if format_ is ShowFormat.text:
        _print_article(stored, render.text(stored))
    else:
        output.lines(render.markdown(stored) if format_ is ShowFormat.markdown else render.as_html(stored))


def _texts(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["lead"] or "", row["clean"]


def _with_snippet(row: Mapping[str, Any], snippet: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "clean"} | {"snippet": snippet}


def _print_hit(row: Mapping[str, Any], wanted: Query) -> None:
    """Print a hit: id, day and section, title, extract. In a pipe, the first line also has the title instead of the section."""
    from crawler import snippets

    marks = ("", "") if streams.is_coloured() else ("**", "**")
    snippet = visible.line(snippets.snippet(_texts(row), wanted, marks))
    title, day = visible.line(row["title"]), row["published_on"] or " " * 10
    if not layout.is_terminal():
        output.text(f"{row['id']:>8}  {day}  {title}")
        output.text(f"{' ' * _INDENT}{snippet}")
        return
    layout.paragraph(f"{row['id']:>8}  {day}  {visible.line(row['section'] or '')}")
    layout.paragraph(title, indent=_INDENT, spans=_hits(title, wanted, layout.BOLD))
    layout.paragraph(snippet, indent=_INDENT, spans=_hits(snippet, wanted))


def _hits(text: str, wanted: Query, colour: str = "") -> list[layout.ColouredSpan]:
    """Return the colours of the words that match; the rest of the text has the colour `colour`, if that is not empty."""
    from crawler import snippets

    spans = []
    position = 0
    for start, end in [*snippets.spans(text, wanted), (len(text), len(text))]:
        if colour:
            spans.append(layout.ColouredSpan(position, start, colour))
        spans.append(layout.ColouredSpan(start, end, layout.HIT))
        position = end
    return spans


def _print_article(stored: StoredArticle, text: str) -> None:
    """Print an article with a line about it; in a pipe, this line goes to stderr, so that stdout has the text alone."""
    article = stored.article
    parts = (
        str(stored.id),
        (article.published_at or "no date")[:16].replace("T", " "),
        article.section or "no section",
        f"revision {stored.revision}",
        stored.state,
        stored.fetched_url or article.url or "imported text",
    )
    if not layout.is_terminal():
        output.note(" · ".join(parts))
        output.lines(text)
        return
    about = visible.line(" · ".join(parts))
    layout.paragraph(about, spans=(layout.ColouredSpan(0, len(about), layout.DIM),))
    output.text("")
    for line in text.split("\n"):
        shown = visible.block(line)
        is_title = line == article.title
        layout.paragraph(shown, spans=(layout.ColouredSpan(0, len(shown), layout.BOLD),) if is_title else ())


def _counted(found: Sequence[Mapping[str, Any]], limit: int) -> str:
    more = "; there may be more: raise --limit" if len(found) == limit else ""
    return f"{output.count(len(found), 'article')}{more}"


def _nothing(archive: Archive, found: str, asked: Mapping[str, str | None]) -> str:
    """Return a message that nothing was found, with what was searched for and what the archive contains."""
    count, first, last = archive.extent()
    held = f"{count:,} articles from {first} to {last}" if first else f"{count:,} articles"
    return f"{found}{output.criteria(asked)}; the archive contains {held}"
