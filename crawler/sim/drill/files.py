"""Names of the files that a drill keeps in the archive folder, in addition to those of the archive.

Boundary: contains only constants.
"""

from __future__ import annotations

MARK = ".drill"
CLOCK = "drill.clock"
LOG = "drill.log"
SYNCS = "drill.syncs"
