"""Reads one partition and ends: `python -m crawler.bulk.child MARKER ANSWER`, started by `careful`.

Boundary: a request on stdin, the page that is being read in the file MARKER, the result in the file ANSWER.
"""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import cast

from crawler.bulk.partition import read_partition
from crawler.bulk.values import BulkSettings, Failed, Partition, PartitionRead
from crawler.errors import StopError


def main() -> int:
    """Read the partition that stdin describes; return the exit code."""
    marker, answer = map(Path, sys.argv[1:])
    settings, partition, skip = cast(
        "tuple[BulkSettings, Partition, set[int]]",
        pickle.load(sys.stdin.buffer),  # noqa: S301 - from the driver
    )
    unfinished = marker.with_suffix(".new")

    def note(offset: int, url: str) -> None:
        unfinished.write_text(json.dumps([offset, url]), "utf-8")
        unfinished.replace(marker)

    try:
        found: PartitionRead | Failed = read_partition(settings, partition, skip, note)
    except (OSError, StopError) as error:  # not a crash: no page is to blame
        found = Failed.of(error, partition.file)
    answer.write_bytes(pickle.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
