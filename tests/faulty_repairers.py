"""Functions that return repairers, for tests of `crawler.bulk`; worker processes import them, so that imports are few."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from crawler import app

KILLS = "Ce titre arrête le processus"
KILLS_ONCE = "Ce titre arrête un processus"
FAILS = "Ce titre fait échouer la lecture"


def plain_repairer():
    return app.repairer(None)


def faulty_repairer():
    """Return a repairer that has a bug, or ends the interpreter, for some titles."""
    repair = app.repairer(None)

    def faulty(article):
        if article.title == FAILS:
            raise RecursionError(article.title)
        marker = Path(os.environ.get("VNA_TEST_MARKER", "/"))
        if article.title == KILLS_ONCE and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if article.title == KILLS:
            os.kill(os.getpid(), signal.SIGKILL)
        return repair(article)

    return faulty
