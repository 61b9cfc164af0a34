"""Whether a page was cut off in transit, although the response looks complete.

Boundary: bytes in, a boolean out; what follows from it is decided by the callers.
"""

from __future__ import annotations

_END = b"</html"
_TAIL = 4000  # characters at the end of a page in which its end tag is searched: scripts and comments may follow it


def is_cut_off(content: bytes) -> bool:
    """Whether an HTML page ends without its end tag, as if the rest was lost. `content` may be UTF-8 or UTF-16."""
    return _END not in content[-2 * _TAIL :].replace(b"\0", b"").lower()
