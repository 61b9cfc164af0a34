"""Reparse WARC files with Spark in local mode: the same tasks, run by `mapPartitions`.

python scale_spark.py WARC OUT
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crawler import app, bulk, config
from crawler.bulk.values import Result, Task
from crawler.pipeline import Silent
from crawler.site import ROOT, Site


def run_tasks(tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
    """Run the tasks of a partition of Spark."""
    for task in tasks:
        yield task, bulk.run_task(task)


class SparkEngine:
    """Runs tasks with Spark; a task that fails is run again by Spark."""

    def __init__(self, context: Any, workers: int) -> None:
        self.workers = workers
        self.retried = 0
        self._context = context

    def results(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
        chosen = list(tasks)
        if chosen:
            yield from self._context.parallelize(chosen, len(chosen)).mapPartitions(run_tasks).toLocalIterator(True)


def main() -> None:
    from pyspark.sql import SparkSession

    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    settings = bulk.BulkSettings(bulk.code_version(), Site(ROOT), config.load_markups(), app.lexicon_repairer)
    engine = SparkEngine(session.sparkContext, 2)
    report = bulk.reparse_files(sys.argv[1], Path(sys.argv[2]), nullcontext(engine), settings, Silent())
    print(json.dumps(asdict(report), default=str))


if __name__ == "__main__":
    main()
