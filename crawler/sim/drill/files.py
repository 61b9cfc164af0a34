"""What a drill keeps in its archive's folder beside the archive.

Boundary: names.
"""

from __future__ import annotations

MARK = ".drill"
CLOCK = "drill.clock"
LOG = "drill.log"
