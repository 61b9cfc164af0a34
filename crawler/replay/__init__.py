"""Evidence read back: the database made anew from the WARC files, answers of a killed process taken in, all of it checked.

Boundary: order only. What a record means is decided by the same code that took it in when it was fetched.
"""

from crawler.replay.crash_recovery import recover
from crawler.replay.rebuild import Rebuilt, rebuild
from crawler.replay.verify import Fault, Verified, verify

__all__ = ["Fault", "Rebuilt", "Verified", "rebuild", "recover", "verify"]
