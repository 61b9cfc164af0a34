"""`vna export`: write articles to files.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli import output, state, streams, values


class ExportFormat(StrEnum):
    """Output format of `vna export`."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"
    text = "text"
    wacz = "wacz"


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(export)


def export(
    context: typer.Context,
    format_: Annotated[ExportFormat, typer.Option("--format", help="Output format.")],
    since: values.SinceOption = None,
    until: values.UntilOption = None,
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
    as_of: values.AsOfOption = None,
    known_at: values.KnownAtOption = None,
) -> None:
    """Export all articles, or those of a period.

    Example: vna export --format jsonl --since 2024-01-01 --out corpus.jsonl
    """
    from crawler import export as exporting

    if excel and format_ is not ExportFormat.csv:
        raise typer.BadParameter("only --format csv has a form for Excel", ctx=context, param_hint="--excel")
    write = exporting.excel_table if excel else exporting.WRITERS.get(format_.value)
    if write is None and (as_of or known_at):
        raise typer.BadParameter(f"{format_} has no form for an instant", ctx=context, param_hint="--as-of/--known-at")
    first, last = values.iso_period(since, until)
    if format_ is ExportFormat.wacz:
        count = _wacz(context, first, last, out)
    elif write is None:
        count = _dataset(context, first, last, out)
    else:
        with state.of(context).reading() as archive:
            if as_of or known_at:
                articles = archive.articles_as_of(**values.times(as_of, known_at), since=first, until=last)
            else:
                articles = archive.export(since=first, until=last)
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


def _wacz(context: typer.Context, since: str | None, until: str | None, out: Path | None) -> int:
    import crawler
    from crawler import opening
    from crawler.clock import SystemClock
    from crawler.evidence import write_wacz

    if out is None:
        raise typer.BadParameter("a WACZ file is binary: choose one with --out FILE", ctx=context, param_hint="--out")
    config = state.of(context).load()
    with opening.auditing(config) as (archive, warc):
        index = opening.cdxj_index(config, warc)
        index.update()
        software = f"vna-archive {crawler.__version__}"
        now = SystemClock().now()
        return write_wacz(archive, warc, index, out, since=since, until=until, now=now, software=software)
