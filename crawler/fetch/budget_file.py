"""The file with the state of a request budget, which all processes of an archive share.

The state changes with each request, so the file is overwritten in place: creating and renaming a file takes ten times as
long. It has two slots, and the next state is written into the older one. A record consists of a checksum, a number that
grows by one with each state, and the state as JSON. So readers need no lock, and after a write that was cut off, for example
by a power failure, the state before it is still there. As before, the file is not forced to the disk.

A file that contains only JSON is read too: earlier versions wrote it, and so is a state that is too long for a slot.

Boundary: one file; the caller holds the lock while it changes the state.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from crawler import files
from crawler.clock import from_text, to_precise_text
from crawler.rate_limit import RateLimitState

_SLOT = 4096  # bytes: a page of a file system, which is written as a whole in most cases
_FIRST = 2  # the number of the first record, which is in the first slot
_FIELDS = tuple(field.name for field in fields(RateLimitState))
_INSTANTS = ("last", "until", "trouble_at")


class _Record(NamedTuple):
    """A state and its number; the number is 0 if the file has no slots, or none with a whole record."""

    number: int
    state: RateLimitState


def load(path: Path) -> RateLimitState:
    """Return the state in a file; if it is missing or damaged, that of a host that has had no request yet."""
    try:
        return _newest(files.read(path)).state
    except OSError:
        return RateLimitState()


def update(path: Path, change: Callable[[RateLimitState], RateLimitState]) -> None:
    """Replace the state in a file by the result of `change`; nothing is written if it is the same state.

    Raises:
        OSError: the file cannot be written; the state has not changed.

    """
    try:
        opened = files.open_to_overwrite(path)
    except OSError:  # such as a symbolic link, which is replaced
        _replace(path, _Record(0, RateLimitState()), change)
        return
    try:
        old = _newest(os.pread(opened, os.fstat(opened).st_size, 0))
        if old.number == 0:
            _replace(path, old, change)
        elif (state := change(old.state)) != old.state:
            number = old.number + 1
            record = _packed(_Record(number, state))
            if len(record) <= _SLOT:
                os.pwrite(opened, record, number % 2 * _SLOT)
            else:
                files.replace(path, _json(state))
    finally:
        os.close(opened)


def _replace(path: Path, old: _Record, change: Callable[[RateLimitState], RateLimitState]) -> None:
    """Replace a file without slots."""
    state = change(old.state)
    if state != old.state:
        record = _packed(_Record(_FIRST, state))
        files.replace(path, record if len(record) <= _SLOT else _json(state))


def _newest(content: bytes) -> _Record:
    """Return the newest whole record in the content of a file."""
    if content.startswith(b"{"):
        return _Record(0, _state(content) or RateLimitState())
    slots = (content[start : start + _SLOT] for start in (0, _SLOT))
    return max(
        filter(None, map(_unpacked, slots)), default=_Record(0, RateLimitState()), key=lambda found: found.number
    )


def _packed(record: _Record) -> bytes:
    content = b"%d %b" % (record.number, _json(record.state))
    return b"%08x %b\n" % (zlib.crc32(content), content)


def _unpacked(slot: bytes) -> _Record | None:
    """Return the record in a slot; None if it is empty, damaged or only partly written."""
    checksum, _, content = slot.partition(b"\n")[0].partition(b" ")
    if checksum != b"%08x" % zlib.crc32(content):
        return None
    number, _, text = content.partition(b" ")
    state = _state(text)
    return _Record(int(number), state) if state is not None else None


def _json(state: RateLimitState) -> bytes:
    values: dict[str, Any] = {name: getattr(state, name) for name in _FIELDS}
    instants = {name: values[name] and to_precise_text(values[name]) for name in _INSTANTS}
    return json.dumps(values | instants).encode()


def _state(text: bytes) -> RateLimitState | None:
    try:
        data = json.loads(text)
        instants = {name: _instant(data[name]) for name in _INSTANTS}
        return RateLimitState(**{**data, **instants, "troubled": tuple(data["troubled"])})
    except (ValueError, KeyError, TypeError):
        return None


def _instant(text: str | None) -> datetime | None:
    return None if text is None else from_text(text)
