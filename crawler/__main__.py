"""`python -m crawler` is `vna`."""

from __future__ import annotations

import gc
import os
import signal
import sys

from crawler import quick_help

#: New objects after which garbage is searched for, instead of 700: imports make many objects and no garbage.
_OBJECTS = 20_000


def start() -> None:
    """Run the command line. This is the entry point of `vna`."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under `nohup`, and in a background job of a script
            signal.signal(number, _exit)
    if quick_help.print_help(sys.argv, os.environ):
        return
    gc.set_threshold(_OBJECTS)
    from crawler.cli import main  # noqa: PLC0415 - it takes a moment, and Ctrl-C may arrive in that moment

    main()


def _exit(number: int, _: object) -> None:
    try:
        os.write(2, f"vna: stopped by {signal.Signals(number).name}\n".encode())
    finally:
        os._exit(128 + number)


if __name__ == "__main__":
    start()
