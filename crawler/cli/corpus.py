"""Commands that read articles: `vna show`, `search`, `history`, `changes` and `export`.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from crawler.cli import output, state, streams
from crawler.errors import ArticleNotFound, BadInput


class ShowFormat(StrEnum):
    """Output format of `vna show`."""

    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"


class ExportFormat(StrEnum):
    """Output format of `vna export`."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"
    text = "text"


Since = Annotated[
    str | None,
    typer.Option("--since", help="First day of publication (Hanoi time), such as 2024-01-31.", metavar="DAY"),
]
Until = Annotated[str | None, typer.Option("--until", help="Last day of publication.", metavar="DAY")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_ID = re.compile(r"-?[0-9]{1,18}")  # any number of 18 digits fits into SQLite's 64 bits; ids have 6
_MOST = 1_000_000
NEGATIVE_IDS = {"ignore_unknown_options": True}  # in `vna show -3`, -3 is the id of an imported text, not an option


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command(context_settings=NEGATIVE_IDS)(show)
    app.command(context_settings=NEGATIVE_IDS)(search)
    app.command(context_settings=NEGATIVE_IDS)(history)
    for command in (changes, export):
        app.command()(command)


def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The article's id, or its address.")],
    format_: Annotated[ShowFormat, typer.Option("--format", help="Output format.")] = ShowFormat.text,
    revision: Annotated[
        int | None, typer.Option("--revision", min=1, max=_MOST, help="Print this revision instead of the current one.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="T", help="Print the revision that was the newest at this time (ISO 8601)."),
    ] = None,
) -> None:
    """Print one article.

    Example: vna show 245060 --format markdown
    """
    from crawler import render

    with state.of(context).reading() as archive:
        number = _key(context, key)
        if revision is None and as_of is None:
            stored = archive.article(number)
        else:
            stored = archive.revision(number, number=revision, as_of=_instant(as_of))
        if stored is None:
            version = [f" with revision {revision}"] * (revision is not None) + [f" as of {as_of}"] * (
                as_of is not None
            )
            raise ArticleNotFound(key + "".join(version))
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
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="Maximum number of articles.")] = 20,
    rank: Annotated[bool, typer.Option("--rank", help="Sort by relevance instead of date.")] = False,
    as_json: Json = False,
) -> None:
    """Search titles, leads and texts.

    Accents, ligatures and word endings do not matter. Newest articles come first.

    Example: vna search '"affaires étrangères" -Cuba' --since 2018-01-01
    """
    from crawler import config, query

    if misspelt := next((word for word in words if word.startswith("--")), None):
        raise typer.BadParameter(f"no such option: {misspelt}", ctx=context)
    wanted = query.parse(" ".join(words), query.Synonyms(config.load_synonyms(state.of(context).config)))
    with state.of(context).reading() as archive:
        found = archive.search(
            wanted.match,
            since=_day(since) or wanted.since,
            until=_day(until) or wanted.until,
            section=section or wanted.section,
            limit=limit,
            rank=rank,
        )
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


def history(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The article's id, or its address.")],
    as_json: Json = False,
) -> None:
    """Print the revisions of one article and what changed in each.

    Example: vna history 245060
    """
    from crawler import render

    with state.of(context).reading() as archive:
        revisions = archive.history(_key(context, key))
    if not revisions:
        raise ArticleNotFound(key)
    if as_json:
        output.json_block([row | {"blocks": json.loads(row["blocks"])} for row in revisions])
        return
    previous: dict[str, Any] | None = None
    for row in revisions:
        changed = f"  changed: {', '.join(row['changed'])}" if row["changed"] else ""
        output.text(f"revision {row['revision']}  seen {row['seen_at']}  {row['title']}{changed}")
        for line in render.difference(previous, row) if previous else ():
            output.text(f"  {line}")
        previous = row


def changes(
    context: typer.Context,
    since: Annotated[
        str | None, typer.Option("--since", metavar="T", help="Print only changes seen since this time (ISO 8601).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="Maximum number of changes.")] = 50,
    as_json: Json = False,
) -> None:
    """Print what the agency changed or removed, newest first.

    Example: vna changes --since 2026-01-01
    """
    with state.of(context).reading() as archive:
        rows = archive.changes(_instant(since), limit)
    if as_json:
        output.json_block(rows)
        return
    output.table(
        [row | {"changed": ", ".join(row["changed"])} for row in rows],
        ("at", "what", "id", "revision", "changed", "title"),
    )


def export(
    context: typer.Context,
    format_: Annotated[ExportFormat, typer.Option("--format", help="Output format.")],
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Output file; with --format text, a folder for one file per article; with --format parquet, the folder"
            " of the dataset. "
            "[default: stdout]",
        ),
    ] = None,
    excel: Annotated[
        bool,
        typer.Option(
            "--excel",
            help="With --format csv: write a file for Excel, in which no text is calculated as a formula. Without it,"
            " every value is exact.",
        ),
    ] = False,
) -> None:
    """Export all articles, or those of a period.

    Example: vna export --format jsonl --since 2024-01-01 --out corpus.jsonl
    """
    from crawler import export as exporting

    if excel and format_ is not ExportFormat.csv:
        raise typer.BadParameter("only --format csv has a form for Excel", ctx=context, param_hint="--excel")
    write = exporting.excel_table if excel else exporting.WRITERS.get(format_.value)
    if write is None:
        count = _dataset(context, _day(since), _day(until), out)
    else:
        with state.of(context).reading() as archive:
            articles = archive.export(since=_day(since), until=_day(until))
            if out is None or exporting.open_descriptor(out) == streams.STDOUT:
                shown = streams.while_writable(articles)
                count = write(shown, streams.utf8_stdout())
            elif format_ is ExportFormat.text:
                count = exporting.text_files(articles, out)
            else:
                with exporting.replacing(out) as file:
                    count = write(articles, file)
    if streams.is_writable():
        output.note(output.count(count, "article") + (f" in {out}" if out else ""))


def _dataset(context: typer.Context, since: str | None, until: str | None, out: Path | None) -> int:
    from crawler import dataset

    if out is None:
        raise typer.BadParameter(
            "a Parquet dataset is a folder: choose one with --out DIR", ctx=context, param_hint="--out"
        )
    with state.of(context).reading() as archive:
        return dataset.write(archive.export(since=since, until=until, by_day=True), out)


def _key(context: typer.Context, value: str) -> int:
    """Return the id of an article that is given by its id or its address."""
    from crawler import urls
    from crawler.site import Site

    if _ID.fullmatch(value):
        return int(value)
    foreign = Site(state.of(context).load().root).is_other_edition(value)
    found = None if foreign else urls.post_id(value)
    if found is None:
        raise BadInput(f"{value} is neither an id nor the address of an article", "find ids with `vna search`")
    return found


def _day(value: str | None) -> str | None:
    try:
        return date.fromisoformat(value).isoformat() if value else None
    except ValueError as error:
        raise BadInput(f"{value} is not a day", "write the day as 2024-01-31") from error


def _instant(value: str | None) -> str | None:
    from crawler.clock import to_text

    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
        return to_text(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:  # overflow: early in the year 1 in Hanoi is the year 0 in UTC
        raise BadInput(f"{value} is not a time", "write the time as 2026-01-31 or 2026-01-31T08:15:00Z") from error
