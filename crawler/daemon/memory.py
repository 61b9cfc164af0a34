"""Memory over a year: the C library's allocator, told not to keep what a page or a job needed for a moment.

Left to itself, glibc gives each thread a heap of its own, and after the first large page takes all large pages from those
heaps; a year of pages leaves holes in them that it keeps. What is set here has large blocks returned at once, and the
rest in one heap, which is trimmed after every job that needs much. Where the C library has no such settings, nothing is set.
And Python looks for cycles in everything only when a quarter more has gathered; what is loaded once and for all is
seventy thousand objects, so much garbage would wait between, and leave its holes. What is loaded is left out of that.

Boundary: the process's allocator; no word of what the memory is for.
"""

from __future__ import annotations

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # names of mallopt(3)
_LARGE = 1 << 16  # bytes: a page and its tree are larger, a row is smaller
_KEPT = 1 << 17


def settle() -> None:
    """Set the allocator for a long life; call it before there are threads."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for name, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _KEPT)):
            mallopt(name, value)


def give_back() -> None:
    """Return what is free to the system, and first free what only points at itself.

    What is there the first time is there for good: programs and word lists; it is not looked through any more.
    """
    gc.collect()
    if not gc.get_freeze_count():
        gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
