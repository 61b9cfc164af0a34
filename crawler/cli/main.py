"""The global options, the list of commands, and the messages of expected failures.

Boundary: contains no command; the other modules of the package define the commands.
"""

from __future__ import annotations

import errno
import gc
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated

import typer

import crawler
from crawler import upgrade_display
from crawler.cli import (
    backfill,
    commands,
    corpus,
    evidence,
    following,
    healing,
    history,
    language,
    ledger,
    network,
    offline,
    output,
    packs,
    paths,
    probing,
    reading,
    service,
    serving,
    signals,
    similar,
    status,
    streams,
    upkeep,
)
from crawler.cli.state import Globals
from crawler.errors import ArticleNotFound, StopError
from crawler.outcome import Progress
from crawler.sim import commands as simulation

#: System errors that the machine or the user causes, wherever they occur, and that no code can avoid.
_SYSTEM_ERRORS = frozenset({
    errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EMFILE,
    errno.ENFILE, errno.ENOMEM, errno.ENAMETOOLONG, errno.ELOOP,
})  # fmt: skip


app = typer.Typer(
    name="vna",
    cls=commands.Group,
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
        Path | None,
        typer.Option(
            envvar="VNA_CONFIG",
            metavar="FILE",
            parser=paths.file,
            help="Configuration file.",
            show_default="config/crawler.toml",
        ),
    ] = None,
    archive: Annotated[
        Path | None,
        typer.Option(
            envvar="VNA_ARCHIVE", metavar="DIR", parser=paths.folder, help="Archive folder.", show_default="archive"
        ),
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

    def display() -> AbstractContextManager[Progress]:
        from crawler.cli import progress

        return progress.progress_display(verbose)

    upgrade_display.use(display, output.note)


for module in (
    network, backfill, probing, offline, healing, evidence, reading, corpus, history, similar, packs, following, ledger, status,
    serving, simulation, service, upkeep,
):  # fmt: skip
    module.register(app)
commands.make_when_used(app)


def main() -> None:
    """Run the command line and exit.

    For an expected failure, print a message and a hint, and exit with code 1. For a bug, Python prints the traceback.
    """
    signals.raise_on_signals()
    try:
        streams.prepare()
        code = _exit_code(_run)
        incomplete = _exit_code(streams.finish)
        code = code or incomplete  # an exit code of the command says more than that its output is incomplete
    except signals.Ended as ended:
        streams.discard()  # its reader may be what the command was waiting for
        output.note(str(ended))
        code = ended.exit_code
    signals.exit_on_signals(code)
    gc.freeze()  # so that Python does not search all objects for garbage before it ends: 0.05 s
    sys.exit(code)


def _run() -> None:
    """Run the command line with its help in the language of the user."""
    translation = language.translation()
    if translation is None:
        app()
        return
    command = typer.main.get_command(app)
    language.translate(command, translation)
    command()


def _exit_code(run: Callable[[], object]) -> int:
    """Call a function; return its exit code, or print its expected failure and return 1."""
    try:
        run()
    except SystemExit as done:
        return int(done.code or 0)
    except StopError as error:
        _print_failure(str(error), error.hint)
    except ArticleNotFound as error:
        _print_failure(str(error), "find ids with `vna search`; imported texts have negative ids")
    except OSError as error:
        if error.errno not in _SYSTEM_ERRORS:
            raise
        place = "" if error.filename is None else f"{error.filename}: "
        _print_failure(f"{place}{error.strerror}", "check the path, its permissions and its disk")
    else:
        return 0
    return 1


def _print_failure(message: str, hint: str) -> None:
    for line in message.splitlines():
        output.note(f"vna: {line}")
    if hint:
        output.note(f"  hint: {hint}")
