"""Commands around an archive's life: a new configuration, backup, restore.

Boundary: arguments and output.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from crawler.cli import output, state

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (init, backup, restore):
        app.command()(command)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put them; made if it is not there.")],
) -> None:
    """Write a commented configuration for a new archive, and the files to run it as a service; asks nothing.

    Example: vna init /srv/vna
    """
    from crawler import installation

    for file in installation.write(folder):
        output.text(str(file))
    config = folder / "config" / "crawler.toml"
    output.note(f"next: set contact in {config}, then: vna --config {config} probe")


def backup(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A new or empty folder, or an earlier backup.")],
    warc: Annotated[bool, typer.Option("--warc", help="Copy the WARC files too, those that are new.")] = False,
    as_json: Json = False,
) -> None:
    """Copy the database, consistent while the service runs, and list the WARC files with their digests.

    Example: vna backup /mnt/backup/vna --warc
    """
    from crawler import backup as backups
    from crawler.clock import SystemClock

    folder = state.of(context).load().archive
    made = backups.back_up(folder, path, SystemClock().now(), with_warc=warc)
    if as_json:
        output.json_block(asdict(made))
        return
    output.text(f"{made.articles} articles, database {output.size(made.database_bytes)}, in {path}")
    copied = f", {made.copied} copied" if warc else "; the files themselves are not in it (--warc)"
    output.text(f"{len(made.warc)} WARC files, {output.size(made.warc_bytes)}, listed with digests{copied}")


def restore(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The folder of a backup.")],
    as_json: Json = False,
) -> None:
    """Put a backup where there is no archive (--archive says where), and hold the WARC files against its list.

    Example: vna restore /mnt/backup/vna
    """
    from crawler import backup as backups
    from crawler.clock import SystemClock, to_text
    from crawler.storage.locks import holding

    folder = state.of(context).load().archive
    with holding(folder, "alone", "restore", to_text(SystemClock().now())):
        done = backups.restore(path, folder)
    if as_json:
        output.json_block(asdict(done))
    else:
        output.text(f"{done.articles} articles in {folder}, {done.copied} WARC files copied")
        for file, what in done.wrong.items():
            output.text(f"  {what}: {file}")
    if done.wrong:
        output.note(
            f"{len(done.wrong)} WARC files are not as listed: copy them below {folder / 'warc'}, then: vna verify"
        )
        raise typer.Exit(5)
