"""Memory settings for a process that runs for months.

By default, glibc gives each thread its own heap. Once a large block has been freed, it also places new large blocks in
a heap instead of requesting them from the system. Over months the heaps become fragmented, and freed memory stays in
them. With the settings of this module, a large block is returned to the system as soon as it is freed. All other blocks
are kept in a single heap, which is trimmed after each job that needs much memory. On a C library without these
settings, nothing is set.

Python runs a full garbage collection only when the number of new objects exceeds a quarter of the number of old ones.
About 70,000 objects are loaded once at the start. If they counted as old objects, much garbage would accumulate between
two collections and fragment the heap. So they are excluded from collection (`gc.freeze`).

Boundary: the process's allocator and garbage collector.
"""

from __future__ import annotations

import ctypes
import gc

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # parameters of mallopt(3)
_LARGE = 1 << 16  # bytes; a page and its tree are larger, a row is smaller
_KEPT = 1 << 17  # bytes; free memory that may stay at the top of the heap


def configure_allocator() -> None:
    """Configure the memory allocator for a process that runs for months. Call this before any thread is started."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for name, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _KEPT)):
            mallopt(name, value)


def release_free_memory() -> None:
    """Run the garbage collector, then return free memory to the system.

    The first call also excludes all existing objects, such as modules and word lists, from later collections.
    """
    gc.collect()
    if not gc.get_freeze_count():
        gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
