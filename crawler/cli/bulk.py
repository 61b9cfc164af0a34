"""The part of `vna reparse` that writes a dataset, on one machine or on many.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from crawler.archive_files import WARC_FOLDER
from crawler.cli import output, state

if TYPE_CHECKING:
    from crawler.bulk import BulkReport, BulkSettings, Engine
    from crawler.config import Config

_NEEDS_ATTENTION = 5
_SHOWN = 20  # unreadable parts and pages left out that are printed


class EngineName(StrEnum):
    """What runs the processes that parse."""

    local = "local"
    dask = "dask"


@dataclass(frozen=True, slots=True)
class Request:
    """The options of a reparse into a dataset."""

    engine: EngineName
    scheduler: str | None
    warc: str | None
    jobs: int


def check_options(context: typer.Context, engine: EngineName, scheduler: str | None, others: Mapping[str, Any]) -> None:
    """Refuse options that do not fit a reparse into a dataset."""
    refuse(context, others, "is not for --out")
    if scheduler is not None and engine is not EngineName.dask:
        refuse(context, {"--scheduler": scheduler}, "needs --engine dask")


def refuse(context: typer.Context, given: Mapping[str, Any], why: str) -> None:
    """Refuse the options that have a value."""
    for name, value in given.items():
        if value:
            raise typer.BadParameter(why, ctx=context, param_hint=name)


def reparse_into(context: typer.Context, out: Path, request: Request, *, as_json: bool) -> None:
    """Write the dataset and print the report."""
    from crawler import bulk
    from crawler.cli.progress import progress_display

    globals_ = state.of(context)
    config = globals_.load()
    source = request.warc or str(config.archive / WARC_FOLDER)
    settings = _settings(config)
    with progress_display(globals_.verbose) as progress:
        report = bulk.reparse_files(source, out, _engine(request), settings, progress)
    if as_json:
        output.json_block(asdict(report))
    else:
        _print(report, out)
    if report.unreadable or report.left_out:
        raise typer.Exit(_NEEDS_ATTENTION)


def _settings(config: Config) -> BulkSettings:
    from crawler import app, bulk
    from crawler.site import Site

    return bulk.BulkSettings(bulk.code_version(), Site(config.root), config.markups, app.lexicon_repairer)


def _engine(request: Request) -> AbstractContextManager[Engine]:
    from crawler import bulk

    if request.engine is EngineName.dask:
        return bulk.dask_engine(request.scheduler, request.jobs)
    return nullcontext(bulk.LocalEngine(request.jobs))


def _print(report: BulkReport, out: Path) -> None:
    files = f"{output.count(report.files, 'WARC file')} ({report.bytes / 1e6:.1f} MB)"
    output.text(
        f"{output.count(report.articles, 'article')} in {out}, from {output.count(report.pages, 'page')} in {files}"
    )
    output.text(
        f"{output.count(report.partitions, 'partition')}, {report.retried} retried;"
        f" {output.count(report.workers, 'worker')}; {report.seconds:.1f} s"
    )
    for reason, number in report.rejected.items():
        output.text(f"  not an article, {reason}: {number}")
    for damage in report.unreadable[:_SHOWN]:
        output.note(
            f"unreadable: {damage.file}, bytes {damage.offset} to {damage.offset + damage.length}: {damage.reason}"
        )
    for page in report.left_out[:_SHOWN]:
        output.note(f"left out: {page.url} in {page.file} at byte {page.offset}: {page.why}")
    if report.unreadable:
        output.note(
            f"{output.count(len(report.unreadable), 'part')} of the WARC files could not be read: run `vna verify`, and"
            " restore the files from a backup"
        )
    if report.left_out:
        output.note(f"{output.count(len(report.left_out), 'page')} left out, because reading them crashes the program")
