"""The allocator of a long life: what was free is the system's again."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import weakref

import pytest

from crawler.daemon import memory

glibc = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library")
PAGES = """
import ctypes, sys
from pathlib import Path
from crawler.daemon import memory
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
free = lambda block: libc.free(ctypes.c_void_p(block))
rss = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096
if "settled" in sys.argv: memory.settle()
before = rss()
blocks = [libc.malloc(SIZE) for _ in range(COUNT)]
for block in blocks: ctypes.memset(ctypes.c_void_p(block), 1, SIZE)
for block in blocks[:-1]: free(block)  # the last one stays, and with it a heap below it
if "trimmed" in sys.argv: memory.give_back()
print((rss() - before) * 100 // (SIZE * COUNT))
"""


def kept(size: int, count: int, *steps: str) -> int:
    """Give the share (per cent) of freed blocks that a fresh process keeps."""
    code = PAGES.replace("SIZE", str(size)).replace("COUNT", str(count))
    done = subprocess.run([sys.executable, "-c", code, *steps], capture_output=True, text=True, check=True)
    return int(done.stdout)


@glibc
@pytest.mark.parametrize(
    ("size", "count", "step"), [(100_000, 300, "settled"), (4_000, 5_000, "trimmed")], ids=["pages", "rows"]
)
def test_what_was_free_is_the_systems_again(size, count, step):
    assert kept(size, count) > 80
    assert kept(size, count, step) < 20


def test_what_only_points_at_itself_is_free():
    class Cycle:
        pass

    cycle = Cycle()
    cycle.itself = cycle
    gone = weakref.ref(cycle)
    gc.disable()
    try:
        del cycle
        memory.give_back()
        assert gone() is None
    finally:
        gc.enable()


def test_what_is_there_the_first_time_is_not_looked_through_any_more():
    gc.unfreeze()
    try:
        memory.give_back()
        first = gc.get_freeze_count()
        later = [[] for _ in range(5000)]
        memory.give_back()
        assert first > 1000
        assert gc.get_freeze_count() < first + len(later)
    finally:
        gc.unfreeze()
