"""Commands that need no network: `vna parse`, `repair`, `import` and `reparse`.

Boundary: handles only arguments, files, output and the exit code.
"""

from __future__ import annotations

import gzip
import io
import zlib
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import bulk, destination, output, paths, state, values
from crawler.cli.values import JobsOption
from crawler.errors import BadInput, MarkupDrift, NotAnArticle

_NEEDS_ATTENTION = 5
_MAX_TEXTS = 10_000_000  # bytes of a file with texts to import
_MAX_LINES = 100_000_000  # bytes of a file with lines to repair

if TYPE_CHECKING:
    from crawler.pipeline import Reparsed
    from crawler.types import Article, Reading


class ParseFormat(StrEnum):
    """Output format of `vna parse`."""

    json = "json"
    text = "text"


def _utf_8(value: str | None) -> str | None:
    """Return an argument, or refuse it if it contains bytes that are not UTF-8."""
    if value is not None and not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise typer.BadParameter("it contains bytes that are not UTF-8")
    return value


def _address(value: str) -> str:
    """Return the address of a page; refuse a value that is not a web address."""
    from crawler import urls

    _utf_8(value)
    if urls.absolute(value, value) is None:
        raise typer.BadParameter(f"{value} is not a web address; write it with https://")
    return value


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(parse)
    app.command()(repair)
    app.command("import")(import_texts)
    app.command()(reparse)


def parse(
    context: typer.Context,
    file: Annotated[
        paths.Source,
        typer.Argument(
            metavar="FILE",
            parser=paths.source,
            help="HTML file of the page, plain or gzipped; - means standard input.",
        ),
    ],
    url: Annotated[str, typer.Option("--url", callback=_address, help="Address from which the page was fetched.")],
    fetched_at: Annotated[
        str | None,
        typer.Option("--fetched-at", help="Time of the fetch (ISO 8601), which selects the layout. [default: now]"),
    ] = None,
    format_: Annotated[ParseFormat, typer.Option("--format", help="Output format.")] = ParseFormat.json,
    content_type: Annotated[
        str | None, typer.Option("--content-type", callback=_utf_8, help="Content-Type header of the response.")
    ] = None,
) -> None:
    """Parse one saved page and print the article, offline.

    Exit code 3 means that the page is not an article. Exit code 4 means layout drift: the page is an article, but its
    layout is unknown.

    Example: vna parse page.html --url https://fr.vietnamplus.vn/titre-post245060.vnp
    """
    from crawler import app
    from crawler.parser_process import parse_page
    from crawler.site import Site

    settings = state.of(context).load()
    named = values.instant(fetched_at, label="--fetched-at ")
    fetched = datetime.fromisoformat(named) if named else datetime.now(UTC)
    body = _bytes(file, settings.max_body, "raise `[politeness] max_body`")
    try:
        article = parse_page(
            body,
            url,
            content_type=content_type,
            fetched_at=fetched,
            markups=settings.markups,
            edition=Site(settings.root),
        )
    except NotAnArticle as error:
        output.note(f"vna: {error}")
        raise typer.Exit(3) from error
    except MarkupDrift as error:
        output.note(f"vna: {error}")
        output.note(
            "  hint: describe the layout as in docs/new-layout.md; the output contains only the metadata in the head of"
            " the page"
        )
        _print_article(error.article, format_, None)
        raise typer.Exit(4) from error
    _print_article(article, format_, app.repairer(state.lexicon())(article))


def _print_article(article: Article, format_: ParseFormat, reading: Reading | None) -> None:
    from crawler import records
    from crawler.parse import seedtext

    if format_ is ParseFormat.text:
        output.lines(seedtext.write(article))
    else:
        output.json_block(records.article_json(article, reading=reading))


def repair(
    file: Annotated[
        paths.Source | None,
        typer.Argument(
            metavar="[FILE]",
            parser=paths.source,
            help="Text file with one block (such as a paragraph) per line. [default: standard input]",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the repaired text and the repairs of each line as JSON.")
    ] = False,
) -> None:
    """Print the repaired text of each line of a file, offline.

    Example: echo "la stratégiede sécurité" | vna repair
    """
    from crawler import repair as repairing

    lexicon = state.lexicon()
    text = _text(file or paths.Source(), _MAX_LINES, "split the file")
    for line in text.removesuffix("\n").split("\n") if text else ():
        reading = repairing.repair(line, lexicon)
        if as_json:
            edits = [
                {"rule": r.rule, "offset": r.offset, "before": r.before, "after": r.after} for r in reading.repairs
            ]
            output.json_line({"text": line, "clean": reading.clean, "repairs": edits})
        else:
            output.exact(reading.clean)


def import_texts(
    context: typer.Context,
    files: Annotated[
        list[paths.Source],
        typer.Argument(
            metavar="FILE...",
            parser=paths.source,
            help="Text files in the seed format; form feeds separate the texts in a file. - means standard input.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per text.")] = False,
) -> None:
    """Import plain texts in the seed format.

    The files in seeds/ show this format. The imported texts get negative ids. Importing a text again changes nothing.
    A file that is not in this format is refused as a whole, and the others are imported: exit code 5, or 1 if all are
    refused.

    Example: vna import seeds/*.txt
    """
    from crawler import app, pipeline
    from crawler.cli.progress import Lines
    from crawler.parse import seedtext

    globals_ = state.of(context)
    refused = 0
    with app.working(globals_.load(), "import", Lines(globals_.verbose), role="text", lexicon=state.lexicon()) as work:
        for file in files:
            prefix = ""  # the message of a read error already names the file
            try:
                text = _text(file, _MAX_TEXTS, "split the file: a form feed may separate its texts")
                prefix = f"{file}: "
                seedtext.check_format(text)
                imported = pipeline.import_file(work, file.name, text)
            except BadInput as error:
                refused += 1
                output.note(f"vna: {prefix}{error}")
                output.note(f"  hint: {error.hint}")
                continue
            for done in imported:
                if as_json:
                    output.json_line({"file": file.given, "id": done.key, "verdict": done.verdict, "title": done.title})
                else:
                    output.text(f"{done.key}  {done.verdict}  {done.title}")
    if refused:
        others = "" if refused == len(files) else "; the others are stored"
        output.note(f"{refused} of {output.count(len(files), 'file')} not imported{others}")
        raise typer.Exit(1 if refused == len(files) else _NEEDS_ATTENTION)


def reparse(
    context: typer.Context,
    since: Annotated[
        str | None,
        typer.Option(
            "--since", metavar="T", help="Parse only pages fetched since this time: ISO 8601, or a day such as 3d."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report the differences without writing them.")] = False,
    jobs: JobsOption = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DATASET",
            parser=destination.parsed,
            help="Write the articles that the WARC files contain to this folder, a Parquet dataset, and leave the database"
            " as it is.",
        ),
    ] = None,
    engine: Annotated[
        bulk.EngineName, typer.Option("--engine", help="With --out: what runs the processes that parse.")
    ] = bulk.EngineName.local,
    scheduler: Annotated[
        str | None,
        typer.Option(
            "--scheduler",
            metavar="ADDRESS",
            help="With --engine dask: the scheduler, such as tcp://10.0.0.1:8786. [default: one on this machine]",
        ),
    ] = None,
    warc: Annotated[
        str | None,
        typer.Option(
            "--warc",
            metavar="SOURCE",
            help="With --out: a folder with WARC files of vna, or an address of one, such as s3://bucket/warc."
            " [default: that of the archive]",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Parse the stored pages again, offline.

    Uses the current parser and layouts, and updates the articles. Never creates a revision, because the agency
    changed nothing; removes revisions that earlier versions made of pages that were cut off or garbled in transit.
    Exit code 5 means that a page can no longer be parsed, or cannot be read from the WARC files.

    With --out, no database is read or written: a dataset is made of the WARC files alone, on as many machines as there
    are; docs/scale.md explains it. Exit code 5 then means that a part of the WARC files or a page could not be read.

    Example: vna reparse --since 2026-11-01 --dry-run
    """
    given = {"--engine": engine is not bulk.EngineName.local, "--scheduler": scheduler, "--warc": warc}
    if out is not None:
        destination.refuse_stdout(context, out, "a dataset is a folder: choose one with --out DATASET")
        bulk.check_options(context, engine, scheduler, {"--since": since, "--dry-run": dry_run})
        bulk.reparse_into(context, out, bulk.Request(engine, scheduler, warc, jobs), as_json=as_json)
        return
    bulk.refuse(context, given, "needs --out DATASET")
    _reparse_stored(context, since, dry_run=dry_run, jobs=jobs, as_json=as_json)


def _reparse_stored(context: typer.Context, since: str | None, *, dry_run: bool, jobs: int, as_json: bool) -> None:
    from dataclasses import asdict

    from crawler import app, pipeline
    from crawler.cli.progress import progress_display

    globals_ = state.of(context)
    begin = values.instant(since, label="--since ")
    with (
        progress_display(globals_.verbose) as progress,
        app.working(
            globals_.load(), "reparse", progress, role="read", lexicon=state.lexicon(), dry_run=dry_run
        ) as work,
    ):
        report = pipeline.reparse(work, since=begin, dry_run=dry_run, jobs=jobs)
    if as_json:
        output.json_block(asdict(report))
    else:
        _print_reparse_report(report, dry_run=dry_run)
    if report.damaged:
        output.note(f"{output.count(report.damaged, 'page')} cannot be read from the WARC files: run `vna verify`")
    if report.no_longer_read:
        output.note(
            "some pages that were parsed before cannot be parsed now: correct the layout, then run `vna reparse` again"
        )
    if report.no_longer_read or report.damaged:
        raise typer.Exit(5)


def _print_reparse_report(report: Reparsed, *, dry_run: bool) -> None:
    output.text(
        f"{output.count(report.pages, 'page')}: {report.same} unchanged, {report.differing} changed, "
        f"{report.newly_read} parsed for the first time, {report.still_unread} still not parsed, "
        f"{report.no_longer_read} no longer parsed" + (" (dry run: nothing was written)" if dry_run else "")
    )
    if report.false_revisions:
        what = output.count(report.false_revisions, "revision")
        output.text(f"{what} removed, because only a page that was damaged in transit showed it")
    for name, count in sorted(report.fields.items(), key=lambda item: -item[1]):
        output.text(f"  {name}: {count}")
    for sample in report.samples:
        output.text(f"  {sample['id']} {sample['field']}:")
        output.text(f"    - {_short(sample['was'])}")
        output.text(f"    + {_short(sample['is'])}")


def _short(value: object, limit: int = 160) -> str:
    import json

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _bytes(file: paths.Source, limit: int, hint: str) -> bytes:
    """Return the content of a file, decompressed if it is gzipped; `limit` is the largest size in bytes.

    Raises:
        BadInput: the file cannot be read, or is too large; `hint` says what to do then.

    """
    try:
        with file.opened() as opened:
            body = opened.read(limit + 1)
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}", "check the path") from error
    if body[:2] == b"\x1f\x8b" and len(body) <= limit:
        try:
            body = gzip.GzipFile(fileobj=io.BytesIO(body)).read(limit + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise BadInput(f"{file}: damaged gzip: {error}", "fetch or copy the file again") from error
    if len(body) > limit:
        raise BadInput(f"{file} is over the limit of {limit} bytes", hint)
    return body


def _text(file: paths.Source, limit: int, hint: str) -> str:
    try:
        return _bytes(file, limit, hint).decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{file}: not UTF-8 (byte {error.start})", "convert the file with: iconv -f CHARSET -t UTF-8"
        ) from error
