"""The service, and what it has to tell.

Boundary: arguments, output, exit code.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from crawler.cli import output, state
from crawler.cli.signals import held_back
from crawler.errors import ConfigError, StopError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_MOST = 50


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (run, alerts):
        app.command()(command)


def run(context: typer.Context) -> None:
    """Collect until stopped: poll what is due, go on with open backfills, keep house, tell of trouble.

    SIGTERM and SIGINT end it after the page in hand; SIGHUP reads the configuration again.

    Example: vna run
    """
    with held_back(signal.SIGHUP):
        _serve(state.of(context))


def _serve(globals_: state.Globals) -> None:
    from crawler import app
    from crawler.daemon import Service

    with _last_words():
        app.require_contact(globals_.load())
        service = Service(globals_.load, lexicon=state.lexicon_or_note(), verbose=bool(globals_.verbose))
        try:
            service.run()
        except (StopError, KeyboardInterrupt):
            raise
        except Exception as error:  # the log has it, with its traceback, in the form that was asked for
            raise typer.Exit(1) from error


@contextmanager
def _last_words() -> Iterator[None]:
    """Tell systemd how the service ended: `systemctl status` keeps that, and shows no lines of a log that was ended."""
    from crawler.daemon.systemd import Notifier

    manager = Notifier(os.environ)
    try:
        yield
    except StopError as error:
        manager.status("; ".join([*str(error).splitlines(), error.hint]))
        raise
    except Exception:
        manager.status("ended by a bug: its traceback is in the log")
        raise
    manager.status("stopped")


def alerts(
    context: typer.Context,
    test: Annotated[bool, typer.Option("--test", help="Send a test message to every address of [alerts] to.")] = False,
    as_json: Json = False,
) -> None:
    """List the troubles of now and the last ones that are over; with --test, send a message instead.

    Example: vna alerts --test
    """
    if test:
        _test(state.of(context).load().alerts, as_json=as_json)
        return
    with state.of(context).reading() as archive:
        found = archive.incidents(_MOST)
    if as_json:
        output.json_block(found)
    elif not found:
        output.note("no trouble was ever noted")
    else:
        output.table(found, ("kind", "subject", "opened_at", "closed_at", "told_at", "detail"))


def _test(addresses: tuple[str, ...], *, as_json: bool) -> None:
    from crawler import alerts as sending

    if not addresses:
        raise ConfigError("nobody is to be told: [alerts] to is empty", "config/crawler.toml shows how it is written")
    sending.send(addresses, "vna: a test", "This is a test of `vna alerts --test`. Nothing is wrong.")
    told = [sending.masked(address) for address in addresses]
    if as_json:
        output.json_block({"told": told})
    else:
        output.text(f"told {', '.join(told)}")
