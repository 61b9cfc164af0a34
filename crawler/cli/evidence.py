"""`vna verify` and `vna rebuild`: check the WARC files and the database, and rebuild the database.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

import shlex
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import layout, output, paths, state, values

if TYPE_CHECKING:
    from crawler.clock import StoppableClock
    from crawler.config import Config
    from crawler.pipeline import Progress
    from crawler.pipeline.stored_pages import Reader
    from crawler.replay import RebuildReport, Recomputation, VerifyReport
    from crawler.storage import Archive
    from crawler.storage.diff_db import TableDifference

_REBUILT = "rebuilt"  # below the archive's folder


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(verify)
    app.command()(rebuild)


def verify(
    context: typer.Context,
    pack: Annotated[
        Path | None,
        typer.Argument(
            metavar="[PACK]",
            parser=paths.file,
            help="Check this evidence pack instead of the archive.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DAY", help="Check only the WARC files of this day and later.")
    ] = None,
    sample: Annotated[
        int | None,
        typer.Option(
            "--sample", min=1, metavar="N", help="Check only a sample of about N captures, which is different each day."
        ),
    ] = None,
    reindex: Annotated[
        bool, typer.Option("--reindex", help="Before the check, rebuild the search index from the stored texts.")
    ] = False,
    seal: Annotated[
        bool,
        typer.Option(
            "--seal", help="If nothing is wrong, seal the records that no seal covers yet, as the service does daily."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Check the whole archive, or an evidence pack.

    Compares every WARC record with its digest, its seal and its row in the database, and every row with what the WARC
    files give. With --since or --sample, only records, a sample of the articles and the references between rows are
    checked. Exit code 5 means that something is changed, damaged or missing, or that the check was stopped.

    Example: vna verify --sample 1000
    """
    from crawler import opening, replay
    from crawler.cli.progress import progress_display
    from crawler.replay import Seals

    if pack is not None:
        _verify_pack(context, pack, options_given=bool(since or sample or reindex or seal), as_json=as_json)
        return
    globals_ = state.of(context)
    config = globals_.load()
    first, _ = values.period(since, None)
    day = first.strftime("%Y%m%d") if first else None
    with (
        _stoppable() as clock,
        progress_display(globals_.verbose) as progress,
        opening.auditing(config) as (archive, warc),
        _recomputation(config, progress, clock, wanted=day is None and sample is None) as recomputation,
    ):
        _prepare(archive, config, reindex=reindex, seal=seal)
        found = replay.verify(
            archive,
            warc,
            progress,
            since=day,
            sample=sample,
            shift=clock.now().toordinal(),
            stopping=lambda: clock.stopped,
            reader=_reader(config) if sample is not None else None,
            recomputation=recomputation,
            seals=(seals := Seals(config.archive)),
            anchors=(anchors := opening.anchors(config)),
            index=opening.cdxj_index(config, warc),
        )
        sound = found.finished and not found.faults
        sealed = seals.append(warc, archive.identity(), clock.now(), archive.rows_to_seal) if seal and sound else None
        problems = anchors.update(seals.read()[0]) if seal and sound else []
    if as_json:
        output.json_block(asdict(found) | {"seal": sealed.digest if sealed else None})
    else:
        _print_verified(found)
    _note_unchecked(found, since=day is not None)
    if sealed:
        output.note(f"sealed: {sealed.digest} ({sealed.at})")
    elif seal:
        output.note("nothing new to seal" if sound else "not sealed, because something is wrong")
    for problem in problems:
        output.note(problem)
    if problems or not sound:
        raise typer.Exit(5)


def _prepare(archive: Archive, config: Config, *, reindex: bool, seal: bool) -> None:
    """Rebuild the search index if it is wanted.

    Raises:
        StorageUnavailable: the archive cannot be written, as the options require. The check may take hours, so this is not
            found out at its end.

    """
    from crawler.storage.disk import not_writable

    if (reindex or seal) and archive.read_only:
        raise not_writable(config.archive, None)
    if reindex:
        archive.reindex()


def _verify_pack(context: typer.Context, pack: Path, *, options_given: bool, as_json: bool) -> None:
    from crawler.errors import BadInput
    from crawler.evidence import check_pack

    if options_given:
        raise typer.BadParameter(
            "a pack is always checked completely", ctx=context, param_hint="--since/--sample/--reindex/--seal"
        )
    try:
        manifest, faults, notes = check_pack.check(pack)
    except check_pack.NotAPack as error:
        advice = "make packs with `vna evidence`, and check them with the version that made them"
        if pack.is_dir():
            advice = f"check an archive with `vna --archive {shlex.quote(str(pack))} verify`"
        raise BadInput(f"{pack}: {error}", advice) from error
    if as_json:
        output.json_block({"articles": manifest.get("articles", []), "faults": faults, "seals": notes})
    else:
        for fault in faults:
            output.text(fault)
        if not faults:
            articles = ", ".join(map(str, manifest["articles"]))
            output.text(f"{pack}: intact; {output.count(len(manifest['files']), 'file')}, articles {articles}")
            for note in notes:
                output.text(note)
    if faults:
        raise typer.Exit(5)


def rebuild(
    context: typer.Context,
    into: Annotated[
        Path | None,
        typer.Option(
            "--into",
            metavar="DIR",
            parser=paths.folder,
            help="Folder of the new database.",
            show_default="ARCHIVE/rebuilt",
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="After the comparison, replace the old database, and keep it under another name."
        ),
    ] = False,
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss",
            help="With --replace: replace the old database even if it has evidence that the new one lacks.",
        ),
    ] = False,
    jobs: values.JobsOption = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Rebuild the database from the WARC files alone, offline.

    Compares the new database with the old one. Exit code 5 means that they differ, that a WARC file is damaged, that a
    visit could not be replayed, that an imported capture is dated in the future, or that --replace was refused because the
    old database has rows of evidence that the new one lacks.

    Example: vna rebuild --into /tmp/rebuilt
    """
    from crawler import app, replay
    from crawler.cli.progress import progress_display
    from crawler.storage import FILE

    globals_ = state.of(context)
    config = globals_.load()
    target = into or config.archive / _REBUILT
    lexicon = state.lexicon()
    with (
        _stoppable() as clock,
        progress_display(globals_.verbose) as progress,
        app.rebuilding(
            config,
            target,
            progress,
            clock=clock,
            lexicon=lexicon,
            overwrite=replace and into is None,
            read_only=not replace,
        ) as work,
    ):
        report = replay.rebuild(work, config.archive / FILE, jobs=jobs)
    if as_json:
        output.json_block(
            {
                "database": str(target / FILE),
                "played": asdict(report.replayed),
                "tables": [asdict(table) | {"differing": table.differing} for table in report.tables],
                "unread": report.unread,
            }
        )
    else:
        _print(report, target / FILE)
    if report.bug is not None:
        traceback.print_exception(report.bug)
        output.note(
            f"{output.count(report.replayed.bugs, 'visit')} could not be replayed because of a bug; the first traceback is "
            "above. Their captures are stored. Report the bug, and rebuild again with a version that fixes it"
        )
    refused = replace and not _replace(config, target, report, accept_loss=accept_loss)
    played = report.replayed
    if refused or report.differing or played.damaged or played.unfinished or played.bugs or played.future:
        raise typer.Exit(5)


@contextmanager
def _recomputation(
    config: Config, progress: Progress, clock: StoppableClock, *, wanted: bool
) -> Iterator[Recomputation | None]:
    """Yield what a comparison of all rows with the evidence needs, or None if it is not wanted."""
    from crawler import app
    from crawler.replay import Recomputation

    if not wanted:
        yield None
        return
    lexicon = state.lexicon()
    with app.replaying(config, progress, clock=clock, lexicon=lexicon) as run:
        yield Recomputation(run, app.repairer(None), has_lexicon=lexicon is not None)


def _reader(config: Config) -> Reader:
    from crawler import app

    return app.reader(config, repairing=False)


def _print_verified(found: VerifyReport) -> None:
    parts = [output.count(found.files, "WARC file"), output.count(found.records, "record")]
    parts.append(output.count(found.rows, "row"))
    output.text(f"{', '.join(parts)}: {output.count(len(found.faults), 'fault')}")
    for fault in found.faults:
        for line in (f"{fault.what}: {fault.where}", f"  {fault.detail}", f"  {fault.advice}"):
            output.text(line)


def _note_unchecked(found: VerifyReport, *, since: bool) -> None:
    if found.unchecked:
        output.note(f"not checked, because the archive cannot be written: {', '.join(found.unchecked)}")
    if found.newest_seal:
        output.note(f"newest seal: {found.newest_seal} ({found.sealed_at})")
        if found.stamped_at:
            output.note(f"newest time stamp: {found.stamped_at}, of the seal {found.stamped_seal}")
        if found.unchecked_stamps:
            needs = "this needs vna-archive[timestamps] and [seals] timestamp_roots"
            output.note(f"{output.count(found.unchecked_stamps, 'time stamp')} not checked: {needs}")
    elif not since:
        output.note(
            "there are no seals, so a change of records together with their rows cannot be noticed; --seal adds one"
        )
    if found.finished and not found.recomputed:
        output.note("the rows were not compared with the WARC files")
    for count, noun, rest in (
        (found.unrepaired, "article", "repaired without a lexicon: `vna reparse` repairs them with the installed one"),
        (found.unaided, "article", "whose repairs were not checked, because no lexicon is installed"),
        (found.unasked, "capture", "that this version and configuration would not have requested or cannot read"),
        (found.unindexed, "WARC file", "with records that are not in index.cdxj yet: `vna warc index` adds them"),
        (found.bugs, "visit", "that could not be replayed because of a bug: `vna rebuild` prints the traceback"),
    ):
        if count:
            output.note(f"{output.count(count, noun)} {rest}")
    if not found.finished:
        output.note("stopped before the end: the rest was not checked")


def _print(report: RebuildReport, file: Path) -> None:
    replayed = report.replayed
    output.text(
        f"{file}: {output.count(replayed.records, 'record')}, {output.count(replayed.visits, 'visit')}, "
        f"{output.count(replayed.captures, 'imported capture')}, {output.count(replayed.imports, 'imported text')}"
    )
    for count, noun, rest in (
        (replayed.unasked, "capture", "that this version and configuration would not have requested or cannot read"),
        (replayed.future, "imported capture", "dated after the import, of which no article is made"),
        (replayed.unfinished, "interrupted visit", "for the next run to complete"),
        (replayed.bugs, "visit", "that failed because of a bug"),
        (replayed.damaged, "damaged section", "of WARC files skipped: run `vna verify`"),
    ):
        if count:
            output.text(f"  {output.count(count, noun)} {rest}")
    if report.unread:
        output.text(f"  not compared, because the old database cannot be read: {report.unread}")
    if report.tables:
        rows = [
            asdict(table)
            | {"differing": table.differing if table.kind == "evidence" else None}
            | {"where": ", ".join(f"{name} {count}" for name, count in table.columns.items())}
            for table in report.tables
        ]
        layout.table(rows, ("table", "kind", "old", "new", "differing", "only_old", "only_new", "where"))
    if report.differing:
        output.note(
            "tables differ; this is expected after a change of parser, layouts, lexicon or configuration (docs/rebuild.md)"
        )


def _replace(config: Config, target: Path, report: RebuildReport, *, accept_loss: bool) -> bool:
    """Replace the old database, unless the new one lacks evidence and `accept_loss` is false; return whether it was."""
    from crawler.clock import SystemClock
    from crawler.storage import FILE, replace_db

    if report.lost and not accept_loss:
        output.note(f"not replaced: the old database has evidence that the new one lacks (new: {target / FILE})")
        for table in report.lost:
            output.note(f"  {table.table}: {_lost(table)}")
        output.note(
            "find out which WARC files were changed or lost (`vna verify`), and restore them from a backup;"
            " `vna rebuild --replace --accept-loss` replaces the database nevertheless"
        )
        return False
    stamp = SystemClock().now().strftime("%Y%m%dT%H%M%SZ")
    renamed = replace_db.replace_database(target / FILE, config.archive, stamp)
    if target == config.archive / _REBUILT:
        replace_db.remove_folder(target)
    output.note(f"the database was replaced{f'; the old one is now {renamed}' if renamed else ''}")
    return True


def _lost(table: TableDifference) -> str:
    parts = []
    for count, rows, what in (
        (table.only_old, table.lost_rows, "only in the old database"),
        (table.changed, table.changed_rows, "different"),
    ):
        if count:
            parts.append(f"{output.count(count, 'row')} {what}: {', '.join(rows)}{' ...' * (count > len(rows))}")
    return "; ".join(parts)


@contextmanager
def _stoppable() -> Iterator[StoppableClock]:
    """Yield a clock for a run. The first Ctrl-C or SIGTERM stops the run; the second ends the process at once."""
    from crawler.cli.signals import stopped_by_signals
    from crawler.clock import StoppableClock

    clock = StoppableClock()
    with stopped_by_signals(clock):
        yield clock
