"""Memory settings for a process that runs for months.

By default, glibc gives each thread its own heap. Once a large block has been freed, it also places new large blocks in
a heap instead of requesting them from the system. Over months the heaps become fragmented, and freed memory stays in
them. With the settings of this module, a large block is returned to the system as soon as it is freed. All other blocks
are kept in a single heap, which is trimmed after each job and, in a long job, after every few pages. On a C library without
these settings, nothing is set.

Many functions keep their results for words and addresses (`functools.lru_cache`). If pages are read one after the other, this
saves about 1 ms a page. But the words of 1,000 texts fill 17 MB, of which 13 MB stay in the heap when the results are dropped
later. So they are dropped as often as the heap is trimmed.

Python runs a full garbage collection only when the number of new objects exceeds a quarter of the number of old ones.
About 70,000 objects are loaded once at the start. If they counted as old objects, much garbage would accumulate between
two collections and fragment the heap. So they are excluded from collection (`gc.freeze`).

Boundary: the process's allocator and garbage collector.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import sys

from crawler import lexicon

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # parameters of mallopt(3)
_LARGE = 1 << 16  # bytes; a page and its tree are larger, a row is smaller
_KEPT = 1 << 17  # bytes; free memory that may stay at the top of the heap
_FEW = 256  # results; a function with so few keeps them, because some take long to make, such as the lexicon
_PACKAGE = __name__.partition(".")[0]


def configure_allocator() -> None:
    """Configure the memory allocator for a process that runs for months. Call this before any thread is started."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for name, value in ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _KEPT)):
            mallopt(name, value)


def release_free_memory() -> None:
    """Drop the results that functions keep, run the garbage collector, then return free memory to the system.

    The first call also excludes all existing objects, such as modules and word lists, from later collections.
    """
    _drop_results()
    gc.collect()
    if not gc.get_freeze_count():
        gc.freeze()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _drop_results() -> None:
    """Empty the caches with many results of all functions of this package.

    They are looked up in the modules. `gc.get_objects` would find them, too, but also tuples that another thread is still
    making: that thread would fail.
    """
    lexicon.forget_words()
    modules = [module for name, module in tuple(sys.modules.items()) if name.partition(".")[0] == _PACKAGE]
    for module in modules:
        for found in tuple(vars(module).values()):
            if isinstance(found, functools._lru_cache_wrapper) and found.cache_info().currsize > _FEW:  # noqa: SLF001
                found.cache_clear()
