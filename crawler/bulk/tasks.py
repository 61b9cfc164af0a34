"""What a worker runs: one task in, one result out.

Boundary: chooses the function for a task, and checks that the worker has the code of the driver.
"""

from __future__ import annotations

import crawler
from crawler import dataset, lexicon
from crawler.bulk.careful import read_carefully
from crawler.bulk.partition import read_partition
from crawler.bulk.values import CodeVersion, Failed, MonthWritten, OtherCode, ReadTask, Result, Task, unpack
from crawler.errors import StopError
from crawler.parse.page import PARSER_VERSION


def code_version() -> CodeVersion:
    """Return the versions of this process."""
    return CodeVersion(crawler.__version__, PARSER_VERSION, lexicon.digest())


def run_task(task: Task, *, careful: bool = False) -> Result:
    """Run a task. With `careful`, a partition is read in a process of its own, because it has killed its worker."""
    wanted = task.settings.code if isinstance(task, ReadTask) else task.code
    own = code_version()
    if own != wanted:
        return OtherCode(own)
    try:
        if not isinstance(task, ReadTask):
            return MonthWritten(dataset.file_bytes(unpack(packed) for packed in task.articles))
        read = read_carefully if careful else read_partition
        return read(task.settings, task.partition)
    except (OSError, StopError) as error:
        return Failed.of(error, task)
