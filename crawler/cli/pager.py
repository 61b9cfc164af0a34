"""Long output on a terminal is shown page by page, by the program in PAGER (by default `less`), as by `git` and `man`.

What a command prints is collected until the command has finished. What fits on the screen is printed as usual.

Boundary: starts the pager and waits for it; `crawler.cli.streams` collects the output.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess

_LESS = "FRX"  # end at once if the text fits on the screen, show colours, keep the text on the screen


def command() -> list[str] | None:
    """Return the pager's command line; None if there is none: PAGER is empty or `cat`, or no pager is installed."""
    try:
        words = shlex.split(os.environ.get("PAGER", "less"))
    except ValueError:  # quotes that do not match
        return None
    return words if words and words != ["cat"] and shutil.which(words[0]) else None


def show(text: bytes, words: list[str]) -> bool:
    """Show a text in the pager and wait until the user leaves it; return whether the pager could be started."""
    environment = {"LESS": _LESS, "LV": "-c", "LESSCHARSET": "utf-8"} | os.environ
    try:
        process = subprocess.Popen(words, stdin=subprocess.PIPE, env=environment)  # noqa: S603 - the user's own pager
    except OSError:
        return False
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the pager
    try:
        process.communicate(text)  # it is not an error if the user leaves the pager before the end of the text
    finally:
        signal.signal(signal.SIGINT, before)
    return True
