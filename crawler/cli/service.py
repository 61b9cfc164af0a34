"""`vna run` and `vna alerts`: the service and its incidents.

Boundary: handles only arguments, output and the exit code.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from crawler import redact
from crawler.cli import layout, output, state
from crawler.cli.signals import blocked
from crawler.errors import ConfigError, StopError

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_MOST = 50  # incidents that `vna alerts` lists


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    for command in (run, alerts):
        app.command()(command)


def run(context: typer.Context) -> None:
    """Run the service until a signal stops it.

    The service polls what is due, continues open backfills, verifies the archive, makes backups and sends alerts.
    SIGTERM and SIGINT stop it after the current page. SIGHUP reloads the configuration.

    Example: vna run
    """
    with blocked(signal.SIGHUP):
        _serve(state.of(context))


def _serve(globals_: state.Globals) -> None:
    from crawler.daemon import Service

    with _exit_status_to_systemd():
        globals_.load_for_requests()
        service = Service(globals_.load, lexicon=state.lexicon(), verbose=bool(globals_.verbose))
        try:
            service.run()
        except StopError:
            raise
        except Exception as error:  # the service has logged the traceback, in the configured log format
            raise typer.Exit(1) from error


@contextmanager
def _exit_status_to_systemd() -> Iterator[None]:
    """Report to systemd why the service ended, because `systemctl status` shows no log lines of an ended run."""
    from crawler.daemon.systemd import Notifier

    manager = Notifier(os.environ)
    try:
        yield
    except StopError as error:
        manager.status("; ".join([*str(error).splitlines(), error.hint]))
        raise
    except Exception:
        manager.status("stopped by a bug: see the traceback in the log")
        raise
    manager.status("stopped")


def alerts(
    context: typer.Context,
    test: Annotated[
        bool, typer.Option("--test", help="Send a test message to every address in `[alerts] to`.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List open and recent incidents, or send a test alert.

    Example: vna alerts --test
    """
    if test:
        _test(state.of(context).load().alerts, as_json=as_json)
        return
    with state.of(context).reading() as archive:
        found = archive.incidents(_MOST)
    if as_json:
        output.json_block(redact.in_values(found))
    elif not found:
        output.note("no incidents recorded")
    else:
        layout.table(found, ("kind", "subject", "opened_at", "closed_at", "told_at", "detail"))


def _test(addresses: tuple[str, ...], *, as_json: bool) -> None:
    from crawler import alerts as sending

    if not addresses:
        raise ConfigError(
            "no alert recipients configured: `[alerts] to` is empty",
            "add an address to `[alerts] to`; config/crawler.toml shows the format",
        )
    sending.send(addresses, "vna: test message", "Test message of `vna alerts --test`. No action is needed.")
    recipients = [sending.masked(address) for address in addresses]
    if as_json:
        output.json_block({"told": recipients})
    else:
        output.text(f"sent to {', '.join(recipients)}")
