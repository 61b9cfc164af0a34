"""Crash recovery: ingest the WARC records of crashed processes before anything else is fetched.

Such records are at the end of a file, after the last record that has a row. A visit that was cut off half-way is
continued over the network.

Boundary: only calls other modules in the right order.
"""

from __future__ import annotations

from crawler.pipeline import Run
from crawler.replay.record_stream import FileStream, RecordStream, day_of
from crawler.replay.replayer import Replayer
from crawler.warc import Record

_RECOVERY_CLAIM = 0  # claimed like a page; no page has this id


def recover(run: Run) -> int:
    """Ingest WARC records that crashed processes (or this one) wrote without rows; return how many items were added.

    Raises:
        StopError: a visit cannot be continued; its records stay in the WARC for the next run.

    """
    run.warc.close()  # so that records of this process without rows are read too
    run.drop_pending()
    with run.archive.claim(_RECOVERY_CLAIM) as claimed:
        if not claimed:  # another process is recovering them, and nobody appends to these files meanwhile
            return 0
        left = [(name, records) for name in run.warc.names() if (records := _without_rows(run, name))]
        streams = [
            FileStream(day_of(name), iter(records), run.warc.clock_period(name), run.warc.run_settings(name))
            for name, records in left
        ]
        replayer = Replayer(run, RecordStream(streams), run)
        replayer.replay_all()
    return replayer.report.ingested


def _without_rows(run: Run, name: str) -> list[Record]:
    with run.warc.try_lock(name) as locked:
        return run.warc.records_without_rows(name) if locked else []
