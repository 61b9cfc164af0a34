"""`vna init`, `vna backup` and `vna restore`: set up, back up and restore an archive.

Boundary: handles only arguments and output.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.cli import output, paths, state

if TYPE_CHECKING:
    from crawler.backup import Backup

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (init, backup, restore):
        app.command()(command)


def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", parser=paths.folder, help="Target folder; created if it does not exist."),
    ],
) -> None:
    """Write the files of a new installation.

    The files are a commented configuration, synonyms for the search, a systemd unit, an example for Litestream and a
    description of the archive folder. Existing files are never overwritten.

    Example: vna init /srv/vna
    """
    from crawler import installation

    for file in installation.write(folder):
        output.text(str(file))
    config = folder / "config" / "crawler.toml"
    output.note(f"next: set `[site] contact` in {config}, then run `vna --config {config} probe`")


def backup(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", parser=paths.folder, help="A new or empty folder, or an earlier backup."),
    ],
    warc: Annotated[
        bool,
        typer.Option("--warc", help="Also copy the WARC files that are new or longer, and check the earlier copies."),
    ] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Also replace a backup that contains more than the archive; its files are kept under another name.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Back up the database. The service may run meanwhile.

    Copies the database in its state at one moment, and lists the WARC files with their digests. Refuses the backup of
    another archive, and a backup that has articles, revisions or captures that the archive has lost. Exit code 5 means
    that a WARC file or the seals of the archive are missing, shorter, different or damaged: the backup keeps its own copy,
    and everything else is backed up.

    Example: vna backup /mnt/backup/vna --warc
    """
    from crawler import backup as backups
    from crawler.clock import SystemClock

    folder = state.of(context).load().archive
    created = backups.back_up(folder, path, SystemClock().now(), with_warc=warc, replace=replace)
    if as_json:
        output.json_block(asdict(created))
    else:
        _print_backup(created, path, with_warc=warc)
    if created.refused or created.damaged:
        wrong = output.count(len(created.refused) + len(created.damaged), "file")
        output.note(
            f"something is wrong with {wrong} of the archive: run `vna verify`, then copy the good files back from a backup "
            "(docs/operate.md)"
        )
        raise typer.Exit(5)


def _print_backup(created: Backup, path: Path, *, with_warc: bool) -> None:
    output.text(
        f"{output.count(created.articles, 'article')}, database {output.size(created.database_bytes)}, in {path}"
    )
    copied = f", {created.copied} copied" if with_warc else "; not copied (use --warc)"
    files = output.count(len(created.warc), "WARC file")
    output.text(f"{files}, {output.size(created.warc_bytes)}; the backup lists them with their digests{copied}")
    for file, what in created.repaired.items():
        output.text(f"  repaired in the backup ({what}): {file}")
    for file in created.damaged:
        output.text(f"  damaged in the archive, backed up as it is: {file}")
    for file, what in created.refused.items():
        output.text(f"  {what} in the archive, the backup keeps its own state: {file}")


def restore(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", parser=paths.folder, help="The folder of a backup.")],
    as_json: Json = False,
) -> None:
    """Restore a backup into an empty archive folder.

    The target is the folder in --archive or `[archive] dir`. The WARC files are checked against the manifest of the
    backup; exit code 5 means that some are missing, damaged or different. An interrupted restore can be run again.

    Example: vna restore /mnt/backup/vna
    """
    from crawler import backup as backups
    from crawler.clock import SystemClock, to_text

    folder = state.of(context).load().archive
    done = backups.restore(path, folder, to_text(SystemClock().now()))
    if as_json:
        output.json_block(asdict(done))
    else:
        files = output.count(done.copied, "WARC file")
        output.text(f"{output.count(done.articles, 'article')} in {folder}, {files} copied")
        for file, what in done.wrong.items():
            output.text(f"  {what}: {file}")
    if done.wrong:
        output.note(
            f"{output.count(len(done.wrong), 'file')} missing or different from the backup: copy the right files "
            f"into {folder}, then run `vna verify`"
        )
        output.note(
            "a damaged file of a backup gets the suffix .damaged in the archive: if there is no better copy, remove the "
            "suffix, and its intact records are used"
        )
        raise typer.Exit(5)
