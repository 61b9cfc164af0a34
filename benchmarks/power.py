"""Cut the power again and again while the service works: is anything lost, stored twice or misread?

Each power failure kills the service after some requests, and removes everything that it had not forced to the disk (see
`crawler.sim.drill.power`). At the end, the archive is compared with the site and with its own rebuild, as in each drill.
`--cuts N` (100 by default), `--seed N`. Prints a table; returns 1 if something is wrong.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from datetime import timedelta
from pathlib import Path

from benchmarks.poll import SEEDS
from crawler.pipeline import Silent
from crawler.sim.drill import runner
from crawler.sim.drill.drill import Drill
from crawler.sim.drill.scenarios import Scenario

_A_DAY = 10  # power failures


def main() -> int:
    """Run the drill, print the troubles, and return 1 if the account of the drill reports anything."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cuts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=15)
    options = parser.parse_args()
    chance = random.Random(options.seed)

    def cut(drill: Drill) -> None:
        agency, end = drill.agency, drill.day + timedelta(hours=23)
        for number in range(_A_DAY):
            requests, pause = chance.randint(1, 25), chance.choice((0.0, 0.0, 0.003, 0.01, 0.03))
            hour = 2 + 2 * number
            drill.at(hour, lambda: agency.publish(2))
            drill.at(hour, lambda: agency.revise(agency.newest(5)[4]))
            drill.service_at(hour, lambda r=requests, p=pause: drill.lose_power(r, p, end))  # type: ignore[misc]

    runner.TABLE = (Scenario("power lost ten times", cut),)
    with tempfile.TemporaryDirectory() as folder:
        result = runner.run(
            Path(folder) / "archive", SEEDS, days=-(-options.cuts // _A_DAY), seed=options.seed, lexicon=None,
            progress=Silent(), report=lambda _: None,
        )  # fmt: skip
    print(f"{'trouble':45} {'times':>6} {'lost':>6} {'twice':>6} {'misread':>8} {'recovery':>9}")
    for row in result.troubles:
        recovery = "" if row.recovery is None else f"{row.recovery:.0f} min"
        print(f"{row.trouble:45} {row.times:6} {row.lost:6} {row.twice:6} {row.misread:8} {recovery:>9}")
    for item in result.reconciliation.lost:
        print(f"{item.kind}: {item.says}")
    print("nothing is wrong" if not result.reconciliation.lost else f"{len(result.reconciliation.lost)} faults")
    return int(bool(result.reconciliation.lost))


if __name__ == "__main__":
    raise SystemExit(main())
