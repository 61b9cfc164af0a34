"""`vna export`: articles in files for other programs.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import destination, output, state, streams, values
from crawler.errors import UnknownName

if TYPE_CHECKING:
    from crawler.article_fields import ArticleField
    from crawler.selection import Selection
    from crawler.storage import Archive
    from crawler.types import StoredArticle

Writer = Callable[[Iterable["StoredArticle"], IO[str]], int]
TextsWriter = Callable[..., int]


class ExportFormat(StrEnum):
    """Output format of `vna export`."""

    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"
    text = "text"
    tei = "tei"
    wacz = "wacz"


_F = ExportFormat
_ROWS = (_F.jsonl, _F.csv, _F.parquet)
_ARTICLES = (*_ROWS, _F.text, _F.tei)
#: The formats that know an option.
_FITTING = {
    "--card": _ARTICLES,
    "--columns": _ROWS,
    "--clean/--verbatim": _ARTICLES,
    "--bom": (_F.csv,),
    "--excel": (_F.csv,),
    "--with-related": (_F.text,),
    "--query": _ARTICLES,
    "--section": _ARTICLES,
    "--kind": _ARTICLES,
    "--state": _ARTICLES,
    "--revisions": _ARTICLES,
    "--as-of/--known-at": _ARTICLES,
}


@dataclass(frozen=True, slots=True)
class _Form:
    """What the files of an export contain of each article. `clean` is None if both readings of the text are wanted."""

    format: ExportFormat
    columns: tuple[ArticleField, ...] = ()
    clean: bool | None = None
    with_related: bool = False
    bom: bool = False
    formulas: bool = True

    def writer(self) -> Writer:
        """Return the function that writes one file of a text format."""
        from crawler import export as exporting

        writers: dict[ExportFormat, Writer] = {
            _F.jsonl: partial(exporting.jsonl, columns=self.columns),
            _F.csv: partial(exporting.table, columns=self.columns, bom=self.bom, formulas=self.formulas),
            _F.text: partial(exporting.texts, clean=bool(self.clean), related=self.with_related),
            _F.tei: partial(exporting.corpus, clean=bool(self.clean)),
        }
        return writers[self.format]

    def write_texts(
        self, articles: Iterable[StoredArticle], folder: Path, write: TextsWriter, *, revisions: bool
    ) -> int:
        """Write one file per article with the function `write`; return the number of articles."""
        from crawler import render, tei

        clean = bool(self.clean)
        if self.format is _F.text:
            as_text = partial(render.text, clean=clean, related=self.with_related)
            return write(articles, folder, ".txt", as_text, revisions=revisions)
        return write(articles, folder, ".xml", partial(tei.document, clean=clean), revisions=revisions)

    def write_data(self, articles: Iterable[StoredArticle], folder: Path, *, revisions: bool) -> int:
        """Write the data of a folder with a data card; return the number of articles."""
        from crawler import dataset, handover
        from crawler import export as exporting

        if self.format is _F.parquet:
            return dataset.write_files(articles, folder, self.columns)
        if self.format in (_F.text, _F.tei):
            return self.write_texts(articles, folder, handover.texts_with_metadata, revisions=revisions)
        with exporting.replacing(folder / f"articles.{self.format}") as file:
            return self.writer()(articles, file)


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(export)


def export(
    context: typer.Context,
    format_: Annotated[ExportFormat, typer.Option("--format", help="Output format.")],
    query: Annotated[
        str | None, typer.Option("--query", metavar="QUERY", help="Only articles that `vna search QUERY` finds.")
    ] = None,
    sections: Annotated[
        list[str] | None,
        typer.Option("--section", metavar="NAME", help="Only articles of this section; may be repeated."),
    ] = None,
    since: values.SinceOption = None,
    until: values.UntilOption = None,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind", metavar="KIND", help="Only this kind: article, photo, video or infographic; may be repeated."
        ),
    ] = None,
    states: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only this state: live, suspect or gone; may be repeated."),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="Columns of jsonl, csv or parquet, such as id,title,clean."),
    ] = None,
    clean: Annotated[
        bool | None,
        typer.Option(
            "--clean/--verbatim",
            help="Only the repaired text, or only the text as published. Without it, text and tei have the text as"
            " published, the other formats both.",
            show_default=False,
        ),
    ] = None,
    revisions: Annotated[
        bool, typer.Option("--revisions", help="All revisions of each article, not only the current one.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            parser=destination.parsed,
            help="Output file; with --format text, a folder for one file per article, as with --format tei unless the name"
            " ends with .xml; with --format parquet, the folder of the dataset; - means stdout. [default: stdout]",
        ),
    ] = None,
    card: Annotated[
        bool,
        typer.Option(
            "--card",
            help="Also write a data card: --out is then a folder, with the data in data/, README.md, datapackage.json and"
            " CITATION.cff.",
        ),
    ] = False,
    with_related: Annotated[
        bool, typer.Option("--with-related", help="With --format text: also the stories under `Voir plus`.")
    ] = False,
    bom: Annotated[
        bool, typer.Option("--bom", help="With --format csv: a byte order mark, so that Excel reads the accents.")
    ] = False,
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
    """Export all articles, or those that some conditions select.

    Example: vna export --format jsonl --since 2024-01-01 --section Politique --out corpus.jsonl
    """
    given: dict[str, object] = {
        "--card": card, "--columns": columns, "--clean/--verbatim": clean is not None, "--bom": bom, "--excel": excel,
        "--with-related": with_related, "--query": query, "--section": sections, "--kind": kinds, "--state": states,
        "--revisions": revisions, "--as-of/--known-at": as_of or known_at,
    }  # fmt: skip
    _check_options(context, format_, {name for name, value in given.items() if value})
    (first, last), then = values.iso_period(since, until), values.times(as_of, known_at)
    described: dict[str, object] = {
        "--query": query, "--section": sections, "--since": first, "--until": last, "--kind": kinds, "--state": states,
        "--as-of": then["as_of"], "--known-at": then["known_at"], "--revisions": revisions, "--clean": clean,
        "--verbatim": clean is False, "--with-related": with_related,
    }  # fmt: skip
    if format_ is ExportFormat.wacz:
        count = _wacz(context, first, last, out)
    else:
        form = _Form(
            format_, _columns(context, format_, columns, clean), clean, with_related, bom or excel, formulas=not excel
        )
        asked: dict[str, Any] = {
            "since": first,
            "until": last,
            "sections": sections or (),
            "kinds": kinds or (),
            "states": states or (),
        }
        asked |= {"revisions": revisions, **then}
        with state.of(context).reading() as archive:
            wanted = _selection(context, archive, query, asked)
            if card:
                count = _with_card(context, archive, wanted, form, out, described)
            else:
                count = _write(context, archive, wanted, form, out)
    if streams.is_writable():
        output.note(output.count(count, "article") + destination.place(out))


def _check_options(context: typer.Context, format_: ExportFormat, given: set[str]) -> None:
    for name, formats in _FITTING.items():
        if name in given and format_ not in formats:
            raise typer.BadParameter(f"is not for --format {format_}", ctx=context, param_hint=name)


def _columns(
    context: typer.Context, format_: ExportFormat, names: str | None, clean: bool | None
) -> tuple[ArticleField, ...]:
    """Return the columns to write: those that the user names, or all columns of the format."""
    from crawler import selection
    from crawler.article_fields import CSV_FIELDS, EXPORTED, In, fields_in

    if names is not None and clean is not None:
        raise typer.BadParameter(
            "name the columns `text` or `clean` instead", ctx=context, param_hint="--clean/--verbatim"
        )
    if names is not None:
        by_name = {field.name: field for field in EXPORTED}
        wanted = [name.strip() for name in names.split(",") if name.strip()]
        if not wanted:
            raise typer.BadParameter("no column is named", ctx=context, param_hint="--columns")
        with _usage(context):
            return tuple(by_name[name] for name in selection.known("column", wanted, list(by_name)))
    usual = {_F.csv: CSV_FIELDS, _F.parquet: fields_in(In.PARQUET)}.get(format_, fields_in(In.JSON))
    left_out = {None: (), True: ("text", "blocks", "repairs"), False: ("clean", "repairs")}[clean]
    return tuple(field for field in usual if field.name not in left_out)


def _selection(context: typer.Context, archive: Archive, query_text: str | None, asked: dict[str, Any]) -> Selection:
    """Return the selection that a query and the other options describe."""
    from crawler import selection

    words = None if query_text is None else values.search_query(context, query_text)
    with _usage(context):
        selection.known("kind", asked["kinds"], selection.KINDS)
        selection.known("state", asked["states"], selection.STATES)
    return selection.select(words, archive.known_section_names, **asked)  # the names of sections depend on the archive


@contextmanager
def _usage(context: typer.Context) -> Iterator[None]:
    """Turn the error of a name that no archive has into a usage error."""
    try:
        yield
    except UnknownName as error:
        raise typer.BadParameter(f"{error}; {error.hint}", ctx=context) from error


def _write(context: typer.Context, archive: Archive, wanted: Selection, form: _Form, out: Path | None) -> int:
    from crawler import export as exporting

    if form.format is ExportFormat.parquet:
        return _dataset(context, archive, wanted, form, out)
    articles = archive.selected(wanted)
    if out is None or destination.is_stdout(out):
        return form.writer()(streams.while_writable(articles), streams.utf8_stdout())
    if form.format is ExportFormat.text or (form.format is ExportFormat.tei and _is_folder(out)):
        return _write_folder(articles, form, out, revisions=wanted.revisions)
    with exporting.replacing(out) as file:
        return form.writer()(articles, file)


def _write_folder(articles: Iterable[StoredArticle], form: _Form, out: Path, *, revisions: bool) -> int:
    """Write one file per article; print a note if the folder also has other files, such as those of an earlier export."""
    from crawler import export as exporting

    written: set[str] = set()

    def write(*given: Any, **options: Any) -> int:
        written.update(name for _, name in exporting.article_files(*given, **options))
        return len(written)

    count = form.write_texts(articles, out, write, revisions=revisions)
    others = sorted(path.name for path in out.iterdir() if path.name not in written)
    if others:
        output.note(
            f"{out} also has {output.count(len(others), 'other file')}, such as {others[0]}: of an earlier export?"
        )
    return count


def _is_folder(out: Path) -> bool:
    """Whether TEI texts go into a folder: each is a file then, instead of all being one corpus."""
    return out.is_dir() or not (out.exists() or out.suffix.lower() == ".xml")


def _dataset(context: typer.Context, archive: Archive, wanted: Selection, form: _Form, out: Path | None) -> int:
    from crawler import dataset

    if out is None or destination.is_stdout(out):
        raise typer.BadParameter(
            "a Parquet dataset is a folder: choose one with --out DIR", ctx=context, param_hint="--out"
        )
    return dataset.write(archive.selected(wanted, by_day=True), out, form.columns)


def _with_card(
    context: typer.Context, archive: Archive, wanted: Selection, form: _Form, out: Path | None, given: dict[str, object]
) -> int:
    import crawler
    from crawler import handover
    from crawler.clock import SystemClock, to_text

    if out is None or destination.is_stdout(out):
        raise typer.BadParameter(
            "a data card needs a folder: choose one with --out DIR", ctx=context, param_hint="--out"
        )
    as_rows = form.format in _ROWS
    now, software = to_text(SystemClock().now()), f"vna-archive {crawler.__version__}"
    card = replace(
        handover.blank_card(archive, now, software),
        format=form.format.value if as_rows else "csv",
        texts=None if as_rows else form.format.value,
        columns=form.columns if as_rows else handover.metadata_columns(),
        conditions=tuple(_conditions(given)),
        revisions=wanted.revisions,
        bom=form.bom,
    )
    articles = archive.selected(wanted, by_day=form.format is ExportFormat.parquet)
    return handover.write(articles, out, card, partial(form.write_data, revisions=wanted.revisions))


def _conditions(given: dict[str, object]) -> Iterator[str]:
    """Yield the options that were given, as they are written on the command line."""
    for name, value in given.items():
        if value is True:
            yield name
        elif value:
            yield from (f"{name} {one}" for one in (value if isinstance(value, list) else [value]))


def _wacz(context: typer.Context, since: str | None, until: str | None, out: Path | None) -> int:
    import crawler
    from crawler import opening
    from crawler.clock import SystemClock
    from crawler.evidence import write_wacz

    if out is None or destination.is_stdout(out):
        raise typer.BadParameter("a WACZ file is binary: choose one with --out FILE", ctx=context, param_hint="--out")
    destination.check_binary(context, out)
    config = state.of(context).load()
    with opening.auditing(config) as (archive, warc):
        index = opening.cdxj_index(config, warc)
        index.update()
        software = f"vna-archive {crawler.__version__}"
        now = SystemClock().now()
        return write_wacz(archive, warc, index, out, since=since, until=until, now=now, software=software)
