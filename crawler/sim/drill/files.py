"""Names of the files that a drill keeps in the archive folder, in addition to the archive's own.

Boundary: names only.
"""

from __future__ import annotations

MARK = ".drill"
CLOCK = "drill.clock"
LOG = "drill.log"
