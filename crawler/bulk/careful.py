"""Read a partition in a process of its own, and leave out the pages that crash it.

Before each page, the process writes down which one it reads. A page is left out after it was the last one twice: once
may be chance, such as memory that ran out.

Boundary: starts and ends the process, `child`.
"""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import cast

from crawler.bulk.values import BulkSettings, Failed, LeftOut, Partition, PartitionRead
from crawler.errors import StopError

_CRASHES = 2  # of one page, or without any page


def read_carefully(settings: BulkSettings, partition: Partition) -> PartitionRead:
    """Read a partition as `read_partition` does, without the pages that crash the interpreter.

    Raises:
        OSError: the process cannot be started.
        StopError: the file cannot be read, or the process crashes before it reads a page.

    """
    crashes = Counter[int]()
    left_out: list[LeftOut] = []
    with tempfile.TemporaryDirectory(prefix="vna-partition-") as name:
        marker, answer = Path(name) / "marker", Path(name) / "answer"
        while True:
            marker.write_text(json.dumps([-1, ""]), "utf-8")
            code = _run(marker, answer, pickle.dumps((settings, partition, {one.offset for one in left_out})))
            if code == 0:
                found = cast("PartitionRead | Failed", pickle.loads(answer.read_bytes()))  # noqa: S301 - from the process started above
                if isinstance(found, Failed):
                    raise StopError(found.message, found.hint)
                return replace(found, left_out=(*found.left_out, *left_out))
            offset, url = json.loads(marker.read_text("utf-8"))
            crashes[offset] += 1
            if crashes[offset] < _CRASHES:
                continue
            if offset < 0:
                raise StopError(
                    f"cannot read {partition.file}: the process for it ended with code {code} before the first page",
                    "check the free memory of the worker",
                )
            left_out.append(LeftOut(partition.file, offset, url, f"the process that read it ended with code {code}"))


def _run(marker: Path, answer: Path, request: bytes) -> int:
    """Run the process; return its exit code, or the negative number of the signal that ended it."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path)}
    command = [sys.executable, "-m", "crawler.bulk.child", str(marker), str(answer)]
    done = subprocess.run(command, input=request, env=environment, check=False)  # noqa: S603 - this interpreter
    return done.returncode
