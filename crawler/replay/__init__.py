"""Replay of WARC records: rebuild the database, ingest what a crashed process left, verify everything.

Boundary: order only. The code that processed a record when it was fetched also decides what it means now.
"""

from crawler.replay.crash_recovery import recover
from crawler.replay.rebuild import RebuildReport, rebuild
from crawler.replay.verify import VerifyFault, VerifyReport, verify

__all__ = ["RebuildReport", "VerifyFault", "VerifyReport", "rebuild", "recover", "verify"]
