"""Functions of worker processes, for tests; the processes import this module, so that imports are few."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path


def make():
    return run


def make_nothing():
    sys.exit("no memory")


def run(task):
    """Do what a task says, and return it in upper case; a task with a path kills the process until the path exists."""
    if task == "fail":
        raise LookupError(task)
    if task == "kill" or (task.startswith("/") and not Path(task).exists()):
        if task != "kill":
            Path(task).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return task.upper()
