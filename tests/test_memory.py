"""Memory settings of the long-running service: freed memory is returned to the system."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import weakref

import pytest

from crawler import fold
from crawler.daemon import memory
from crawler.lexicon import load

glibc = pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="another C library")
#: Prints the share of the freed blocks, in per cent, that a process does not return to the system: for each step in a fork.
PAGES = """
import ctypes, os, sys
from pathlib import Path
from crawler.daemon import memory
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
free = lambda block: libc.free(ctypes.c_void_p(block))
rss = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * 4096
size, count = map(int, sys.argv[1:3])
for step in sys.argv[3:]:
    if os.fork():
        os.wait()
        continue
    if step == "configured": memory.configure_allocator()
    before = rss()
    blocks = [libc.malloc(size) for _ in range(count)]
    for block in blocks: ctypes.memset(ctypes.c_void_p(block), 1, size)
    for block in blocks[:-1]: free(block)  # the last block stays, and pins the heap below it
    if step == "released": memory.release_free_memory()
    print((rss() - before) * 100 // (size * count), flush=True)
    os._exit(0)
"""


@glibc
@pytest.mark.parametrize(
    ("size", "count", "step"), [(100_000, 300, "configured"), (4_000, 5_000, "released")], ids=["pages", "rows"]
)
def test_freed_memory_is_returned_to_the_system(size, count, step):
    command = [sys.executable, "-c", PAGES, str(size), str(count), "nothing", step]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    without, retained = map(int, done.stdout.split())
    assert without > 80
    assert retained < 20


def test_reference_cycles_are_collected():
    class Cycle:
        pass

    cycle = Cycle()
    cycle.itself = cycle
    gone = weakref.ref(cycle)
    gc.disable()
    try:
        del cycle
        memory.release_free_memory()
        assert gone() is None
    finally:
        gc.enable()


def test_objects_alive_at_the_first_call_are_excluded_from_collection():
    gc.unfreeze()
    try:
        memory.release_free_memory()
        first = gc.get_freeze_count()
        later = [[] for _ in range(5000)]
        memory.release_free_memory()
        assert first > 1000
        assert gc.get_freeze_count() < first + len(later)
    finally:
        gc.unfreeze()


@pytest.mark.parametrize(("results", "kept"), [(256, 256), (257, 0)], ids=["few", "many"])
def test_many_results_of_a_function_are_dropped_and_few_are_kept(results, kept):
    lexicon = load()
    fold.stem.cache_clear()
    for number in range(results):
        fold.stem(str(number))
    memory.release_free_memory()
    assert fold.stem.cache_info().currsize == kept
    assert load() is lexicon, "it takes long to load"


def test_what_is_kept_about_words_is_dropped():
    load().frequency("mot")
    memory.release_free_memory()
    assert load().frequency.cache_info().currsize == 0
