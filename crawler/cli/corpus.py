"""Commands that read the archive: show, search, history, changes, status, export.

Boundary: arguments, output, exit code.
"""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from crawler.cli import output, state
from crawler.errors import ArticleNotFound, BadInput


class ShowFormat(StrEnum):
    """How `vna show` prints an article."""

    text = "text"
    json = "json"
    markdown = "markdown"
    html = "html"


class ExportFormat(StrEnum):
    """How `vna export` writes the corpus."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"
    text = "text"


Since = Annotated[str | None, typer.Option("--since", help="First day, as 2024-01-31 (in Hanoi).", metavar="DAY")]
Until = Annotated[str | None, typer.Option("--until", help="Last day.", metavar="DAY")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_ID = re.compile(r"-?[0-9]{1,18}")  # more digits than any id has would not fit into the database
_MOST = 1_000_000
NEGATIVE_IDS = {"ignore_unknown_options": True}  # `vna show -3`: the id of an imported text is no option


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(context_settings=NEGATIVE_IDS)(show)
    app.command(context_settings=NEGATIVE_IDS)(search)
    app.command(context_settings=NEGATIVE_IDS)(history)
    for command in (changes, export):
        app.command()(command)


def show(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The article's id, or its address.")],
    format_: Annotated[ShowFormat, typer.Option("--format", help="How to print it.")] = ShowFormat.text,
    revision: Annotated[
        int | None, typer.Option("--revision", min=1, max=_MOST, help="As it stood in this revision.")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="T", help="As it stood at this instant (ISO 8601).")
    ] = None,
) -> None:
    """Print one article.

    Example: vna show 245060 --format markdown
    """
    from crawler import render

    with state.of(context).reading() as archive:
        number = _key(key)
        if revision is None and as_of is None:
            stored = archive.article(number)
        else:
            stored = archive.revision(number, number=revision, as_of=_instant(as_of))
        if stored is None:
            asked = [f" in revision {revision}"] * (revision is not None) + [f" as of {as_of}"] * (as_of is not None)
            raise ArticleNotFound(key + "".join(asked))
    if format_ is ShowFormat.json:
        output.json_block(render.as_json(stored))
        return
    writers = {ShowFormat.text: render.text, ShowFormat.markdown: render.markdown, ShowFormat.html: render.as_html}
    output.text(writers[format_](stored))


def search(
    context: typer.Context,
    words: Annotated[list[str], typer.Argument(metavar="QUERY", help='Words, "phrases", -not, title:word, prefix*.')],
    since: Since = None,
    until: Until = None,
    section: Annotated[str | None, typer.Option("--section", help="Only this section.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="At most so many articles.")] = 20,
    rank: Annotated[bool, typer.Option("--rank", help="Best matches first, instead of newest.")] = False,
    as_json: Json = False,
) -> None:
    """Search titles, leads and texts; accents, ligatures and endings do not matter.

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
        output.text(
            f"{row['id']:>8}  {row['published_on'] or '          '}  {row['title']}\n          {row['snippet']}"
        )
    output.note(
        f"{len(found)} article{'s' * (len(found) != 1)}" + (", there may be more: --limit" * (len(found) == limit))
    )


def history(
    context: typer.Context,
    key: Annotated[str, typer.Argument(metavar="ID", help="The article's id, or its address.")],
    as_json: Json = False,
) -> None:
    """Print the revisions of one article, and what changed in each.

    Example: vna history 245060
    """
    from crawler import render

    with state.of(context).reading() as archive:
        revisions = archive.history(_key(key))
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
        str | None, typer.Option("--since", metavar="T", help="Only what was seen since (ISO 8601).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="At most so many.")] = 50,
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
    format_: Annotated[ExportFormat, typer.Option("--format", help="How to write it.")],
    since: Since = None,
    until: Until = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="A file; for text a folder, one file an article; for parquet a folder, the dataset. [default: stdout]",
        ),
    ] = None,
) -> None:
    """Write the corpus.

    Example: vna export --format jsonl --since 2024-01-01 --out corpus.jsonl
    """
    from crawler import export as exporting

    if format_ is ExportFormat.parquet:
        count = _dataset(context, _day(since), _day(until), out)
    else:
        with state.of(context).reading() as archive:
            articles = archive.export(since=_day(since), until=_day(until))
            if out is None:
                count = exporting.WRITERS[format_.value](articles, sys.stdout)
            elif format_ is ExportFormat.text:
                count = exporting.text_files(articles, out)
            else:
                with exporting.replacing(out) as file:
                    count = exporting.WRITERS[format_.value](articles, file)
    output.note(f"{count} articles" + (f" in {out}" if out else ""))


def _dataset(context: typer.Context, since: str | None, until: str | None, out: Path | None) -> int:
    from crawler import dataset

    if out is None:
        raise typer.BadParameter(
            "a Parquet dataset is a folder: name it with --out DIR", ctx=context, param_hint="--out"
        )
    with state.of(context).reading() as archive:
        return dataset.write(archive.export(since=since, until=until, by_day=True), out)


def _key(value: str) -> int:
    """Read an id, or the address of an article."""
    from crawler import urls

    if _ID.fullmatch(value):
        return int(value)
    found = urls.post_id(value)
    if found is None:
        raise BadInput(f"{value} is neither an id nor the address of an article", "`vna search` finds ids")
    return found


def _day(value: str | None) -> str | None:
    try:
        return date.fromisoformat(value).isoformat() if value else None
    except ValueError as error:
        raise BadInput(f"{value} is no day", "write it as 2024-01-31") from error


def _instant(value: str | None) -> str | None:
    from crawler.clock import to_text

    if value is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
        return to_text(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:  # the year 1 in Hanoi is the year 0 in UTC
        raise BadInput(f"{value} is no instant", "write it as 2026-01-31 or 2026-01-31T08:15:00Z") from error
