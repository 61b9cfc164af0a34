"""The state file of a request budget: its two slots, writes that were cut off, and files of earlier versions."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from crawler.fetch.budget_file import load, update
from crawler.rate_limit import RateLimitState

SLOT = 4096
NOW = datetime(2026, 11, 21, 8, 0, 0, 123456, UTC)
FULL = RateLimitState(
    last=NOW, day="2026-11-21", count=7, delay=2.5, slowdown=4.0, until=NOW + timedelta(minutes=5), reason="é — 503",
    troubled=("https://a/é", "https://b/"), trouble_at=NOW, tripped=True, trips=3,
)  # fmt: skip
LONG = replace(FULL, reason="x" * 5000)


def write(path, *counts, state=FULL):
    """Write states that differ in their counts, one after the other; return the last one."""
    for count in counts:
        state = replace(state, count=count, trips=count)  # at the start and at the end of the record
        update(path, lambda _, state=state: state)
    return state


@pytest.fixture
def path(tmp_path):
    return tmp_path / "budget-host.json"


@pytest.mark.parametrize("state", [FULL, LONG, RateLimitState(count=1)])
def test_each_state_is_read_as_it_was_written(path, state):
    seen = []
    for count in range(1, 6):
        written = write(path, count, state=state)
        assert load(path) == written
        update(path, lambda old: seen.append(old) or old)
    assert [old.count for old in seen] == [1, 2, 3, 4, 5]


def test_a_file_is_overwritten_in_place(path):
    write(path, 1, 2)
    file = path.stat()
    write(path, 3, 4, 5)
    assert (path.stat().st_ino, path.stat().st_size) == (file.st_ino, file.st_size)


def test_an_unchanged_state_is_not_written(path):
    write(path, 1, 2)
    content = path.read_bytes()
    update(path, lambda old: old)
    assert path.read_bytes() == content


@pytest.mark.parametrize("written", [0, 1, 8, 9, 100, 250])
@pytest.mark.parametrize("last", [2, 3, 4])
def test_after_a_write_that_was_cut_off_the_state_before_it_holds(path, last, written):
    """A power failure may write a part of a record; a reader may see a part of it while another process writes."""
    write(path, *range(1, last))
    before = path.read_bytes()
    write(path, last)
    after = path.read_bytes().ljust(2 * SLOT, b"\0")
    (start,) = {at for at in (0, SLOT) if after[at : at + SLOT] != before[at : at + SLOT].ljust(SLOT, b"\0")}
    path.write_bytes(before[:start].ljust(start, b"\0") + after[start : start + written] + before[start + written :])
    assert load(path).count == last - 1
    assert write(path, 9) == load(path)


@pytest.mark.parametrize("place", range(0, 250, 10))
def test_a_damaged_record_is_not_read(path, place):
    write(path, 1, 2)
    content = bytearray(path.read_bytes())
    content[SLOT + place] ^= 1
    path.write_bytes(content)
    assert load(path).count == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\0" * 2 * SLOT, b"00000000 \n", b"zz", b'{"last": null}', b"\xff" * 9000]
)
def test_a_damaged_file_counts_as_missing_and_is_replaced(path, content):
    path.write_bytes(content)
    assert load(path) == RateLimitState()
    assert write(path, 1, 2) == load(path)


def test_a_file_of_an_earlier_version_is_read_and_replaced(path):
    text = json.dumps(asdict(FULL), default=lambda instant: f"{instant:%Y-%m-%dT%H:%M:%S.%fZ}")
    path.write_text(text)
    assert load(path) == FULL
    update(path, lambda old: replace(old, count=old.count + 1))
    assert load(path) == replace(FULL, count=8)
    assert not path.read_bytes().startswith(b"{")


def test_a_state_that_is_too_long_for_a_slot_is_written_as_in_earlier_versions(path):
    write(path, 1, 2)
    assert write(path, 3, state=LONG) == load(path)
    assert json.loads(path.read_bytes())["count"] == 3
    assert write(path, 4, 5) == load(path)
