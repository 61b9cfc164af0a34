"""The global options, the list of commands, and the messages of expected failures.

Boundary: contains no command; the other modules of the package define the commands.
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


class _OutputClosed(Exception):
    """Standard output was closed by the program that reads it, such as `head` or `less`."""


class Commands(TyperGroup):
    """The group of all commands."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; raise `_OutputClosed` instead of `BrokenPipeError`, which typer would turn into exit code 1."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _OutputClosed from error


app = typer.Typer(
    name="vna",
    cls=Commands,
    help="A searchable and citable archive of the French-language news of the Vietnam News Agency.",
    no_args_is_help=True,
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
        Path | None, typer.Option(envvar="VNA_ARCHIVE", help="Archive folder.", show_default="archive")
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(envvar="VNA_SITE", help="Root address of the site, instead of the configured one.", metavar="URL"),
    ] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            envvar="VNA_RATE",
            help="Requests per second; 0 means no delay and is allowed only for a site on this machine.",
        ),
    ] = None,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, help="Print more messages on stderr.")] = 0,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Store the global options, which precede the command on the command line."""
    context.obj = Globals(config, archive, site, rate, verbose)


for module in (
    network, backfill, probing, offline, evidence, corpus, ledger, status, serving, simulation, service, upkeep,
):  # fmt: skip
    module.register(app)


def main() -> None:
    """Run the command line and exit.

    For an expected failure, print a message and a hint, and exit with code 1. For a bug, Python prints the traceback.
    """
    try:
        _run()
    except (BrokenPipeError, _OutputClosed):
        output.discard(sys.stdout)
        sys.exit(0)


def _run() -> None:
    try:
        app()
    except SystemExit:
        sys.stdout.flush()  # a closed pipe raises here, where main() handles it, and not at interpreter shutdown
        raise
    except StopError as error:
        _print_failure(str(error), error.hint)
        sys.exit(1)
    except ArticleNotFound as error:
        _print_failure(str(error), "find ids with `vna search`; imported texts have negative ids")
        sys.exit(1)


def _print_failure(message: str, hint: str) -> None:
    for line in message.splitlines():
        typer.echo(f"vna: {line}", err=True)
    if hint:
        typer.echo(f"  hint: {hint}", err=True)
