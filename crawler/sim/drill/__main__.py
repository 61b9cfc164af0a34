"""The process that a drill starts in order to kill it: it runs the service until a given time.

Boundary: takes three arguments: the archive folder, the URL of the site and the time at which to stop (ISO 8601). With a
fourth argument, the process writes down what it forces to the disk (`power`).
"""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from pathlib import Path

from crawler.sim.drill.clock import SharedClock
from crawler.sim.drill.files import CLOCK
from crawler.sim.drill.power import record_syncs
from crawler.sim.drill.service import DrillService


def main(folder: Path, url: str, until: datetime) -> None:
    """Run the service on the archive in `folder`, for the site at `url`, until the simulated time `until`."""
    logging.getLogger("crawler").addHandler(logging.NullHandler())
    service = DrillService(folder, url, SharedClock(folder / CLOCK), None)
    service.start()
    try:
        service.run_until(until)
    finally:
        service.stop()


if __name__ == "__main__":
    if len(sys.argv) > 4:
        record_syncs(Path(sys.argv[1]))
    main(Path(sys.argv[1]), sys.argv[2], datetime.fromisoformat(sys.argv[3]))
