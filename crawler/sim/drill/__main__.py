"""The process that a drill kills: the service at work, until an instant.

Boundary: arguments alone.
"""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from pathlib import Path

from crawler.sim.drill.clock import SharedClock
from crawler.sim.drill.files import CLOCK
from crawler.sim.drill.machine import Machine


def main(folder: Path, url: str, until: datetime) -> None:
    """Work."""
    logging.getLogger("crawler").addHandler(logging.NullHandler())
    machine = Machine(folder, url, SharedClock(folder / CLOCK), None)
    machine.start()
    try:
        machine.live(until)
    finally:
        machine.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3]))
