"""Replay of WARC records: rebuild the database, ingest what a crashed process left, verify the archive.

Boundary: only calls other modules in the right order. A record is replayed by the code that processed it when it was
fetched.
"""

from crawler.replay.crash_recovery import recover
from crawler.replay.rebuild import RebuildReport, rebuild
from crawler.replay.row_check import Recomputation
from crawler.replay.verify import verify
from crawler.replay.verify_report import VerifyFault, VerifyReport
from crawler.warc.seals import Seals

__all__ = ["RebuildReport", "Recomputation", "Seals", "VerifyFault", "VerifyReport", "rebuild", "recover", "verify"]
