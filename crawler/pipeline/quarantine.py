"""Quarantine: an item that crashes the crawler is not processed again, so that the next start does not crash on it.

If a bug raises a Python exception, the item is quarantined at once and the exception propagates. A crash of the
interpreter leaves no time for that. Therefore the crash marker names the item while it is processed, and after three
crashes in a row over the same item the next process quarantines it.

Boundary: only calls other modules in the right order; the caller knows which row belongs to an item.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from crawler.errors import CrawlerError
from crawler.pipeline.run import Run
from crawler.purpose import Purpose

#: Crashes in a row over one item; then it is quarantined.
MAX_CRASHES = 3

T = TypeVar("T")
#: Writes the quarantined item's row. Arguments: the message, the time, the row id of the capture if there is one.
Quarantine = Callable[[str, datetime, int | None], T]


def is_bug(run: Run, error: Exception) -> bool:
    """Whether an error is a bug, rather than an expected failure or a fault of the disk or the database."""
    return not (isinstance(error, CrawlerError) or run.archive.is_storage_error(error))


def guarded(run: Run, purpose: Purpose, process: Callable[[], T], quarantine: Quarantine[T]) -> T:
    """Process an item, or quarantine it if it has crashed the crawler too often.

    Return the result of `process` or of `quarantine`. `process` sets the crash marker while it handles a response;
    `quarantine` is called in a transaction of its own.

    Raises:
        Exception: the exception that `process` raised; if it is a bug, the item has been quarantined.

    """
    crashes = run.crash_marker.crashes(str(purpose))
    if crashes >= MAX_CRASHES:
        result = _quarantined(run, purpose, f"a bug: the process crashed on this {crashes} times", quarantine)
    else:
        try:
            result = process()
        except Exception as error:
            if is_bug(run, error):
                _quarantined(run, purpose, f"a bug: {type(error).__name__}: {error}", quarantine)
            raise
    if crashes:
        run.crash_marker.clear()
    return result


def _quarantined(run: Run, purpose: Purpose, message: str, quarantine: Quarantine[T]) -> T:
    """Write the row of an item with the time and the capture of its last response, if there was one; return the result."""
    capture = next((one for one in reversed(run.pending) if one.purpose == purpose), None)
    at = capture.fetched.fetched_at if capture else run.clock.now()
    with run.transaction():
        return quarantine(message, at, run.capture_ids[capture.ref] if capture else None)
