"""Global options, the list of commands, and what becomes of errors.

Boundary: no command's work is done here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import crawler
from crawler.cli import (
    backfill,
    corpus,
    evidence,
    ledger,
    network,
    offline,
    output,
    probing,
    service,
    serving,
    status,
    upkeep,
)
from crawler.cli.state import Globals
from crawler.errors import ArticleNotFound, StopError
from crawler.sim import commands as simulation


class _ReaderGone(Exception):
    """Whoever read our output has seen enough (head, less); the library would make exit code 1 of it."""


class Commands(TyperGroup):
    """The commands; a closed pipe leaves them as an exception of ours."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ReaderGone from error


app = typer.Typer(
    name="vna",
    cls=Commands,
    help="An archive of record for the French-language news of the Vietnam News Agency.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"vna {crawler.__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(envvar="VNA_CONFIG", help="Configuration file.", show_default="config/crawler.toml")
    ] = None,
    archive: Annotated[
        Path | None, typer.Option(envvar="VNA_ARCHIVE", help="Folder of the archive.", show_default="archive")
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(envvar="VNA_SITE", help="The site's root instead of the configured one.", metavar="URL"),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(envvar="VNA_RATE", help="Requests a second; 0 = no delay, for a site on this machine only."),
    ] = None,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Say more on stderr.")] = 0,
    _: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Read the options that stand before the command."""
    context.obj = Globals(config, archive, site, rate, verbose)


for module in (
    network, backfill, probing, offline, evidence, corpus, ledger, status, serving, simulation, service, upkeep,
):  # fmt: skip
    module.register(app)


def main() -> None:
    """Run the command line; expected failures become a message, a hint and an exit code, bugs keep their traceback."""
    try:
        _run()
    except (BrokenPipeError, _ReaderGone):
        output.unplug(sys.stdout)
        sys.exit(0)


def _run() -> None:
    try:
        app()
    except SystemExit:
        sys.stdout.flush()  # here, where a closed pipe can still be answered
        raise
    except StopError as error:
        _say(str(error), error.hint)
        sys.exit(1)
    except ArticleNotFound as error:
        _say(str(error), "`vna search` finds the ids of articles; imported texts have negative ones")
        sys.exit(1)


def _say(message: str, hint: str) -> None:
    for line in message.splitlines():
        typer.echo(f"vna: {line}", err=True)
    if hint:
        typer.echo(f"  hint: {hint}", err=True)
