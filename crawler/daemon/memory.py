"""Memory settings for a process that runs for months.

By default, glibc gives each thread its own heap, and after a large block was freed, it takes later large blocks from
the heap as well. Over months the heaps become fragmented, and freed memory stays in them. The settings here return
large blocks to the system at once and keep the rest in one heap, which is trimmed after each job that needs much
memory. On a C library without these settings, nothing is set.

Python runs a full garbage collection only when the number of new objects exceeds a quarter of the old ones. About
70,000 objects are loaded once at the start; if they counted as old ones, much garbage would accumulate between two
collections and fragment the heap. So they are excluded from collection (`gc.freeze`).

Boundary: the process's allocator and garbage collector.
"""

from __future__ import annotations

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # parameters of mallopt(3)
_LARGE = 1 << 16  # bytes; a page and its tree are larger, a row is smaller
_KEPT = 1 << 17  # bytes; free memory that may stay at the top of the heap


def configure_allocator() -> None:
    """Set the allocator's parameters for a long-running process. Call it before any thread is started."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for name, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _KEPT)):
            mallopt(name, value)


def release_free_memory() -> None:
    """Collect reference cycles, then return free memory to the system.

    The first call excludes all objects alive at that time (modules, word lists) from later collections.
    """
    gc.collect()
    if not gc.get_freeze_count():
        gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
