"""Functions that print: data on stdout, notes on stderr.

What a person reads contains no control characters: see `crawler.visible`. JSON has escapes of its own, so that a program
reads exact values.

Boundary: formats strings and writes them to the two streams.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crawler import redact, visible
from crawler.cli import layout, streams
from crawler.types import RunReport

if TYPE_CHECKING:
    from crawler.storage import Archive


def text(line: str) -> None:
    """Print a line of data. A terminal gets several lines if it is wider than the terminal."""
    for part in layout.lines_of(visible.line(line)):
        sys.stdout.write(f"{part}\n")


def lines(block: str) -> None:
    """Print data of several lines."""
    sys.stdout.write(f"{visible.block(block)}\n")


def heading(line: str) -> None:
    """Print an empty line and a line of data."""
    text("")
    text(line)


def exact(line: str) -> None:
    """Print a line of data that other programs read as it is. A terminal gets no control characters."""
    sys.stdout.write(f"{visible.block(line) if sys.stdout.isatty() else line}\n")


def json_line(value: Any) -> None:
    """Print a value as one line of JSON."""
    _json(value, indent=None)


def json_block(value: Any) -> None:
    """Print a value as indented JSON."""
    _json(value, indent=2)


def _json(value: Any, indent: int | None) -> None:
    # If stdout cannot show every character, JSON has escapes of its own.
    shown = visible.json_text(value, indent=indent, ascii_only=not streams.is_utf8(sys.stdout))
    sys.stdout.write(f"{shown}\n")


def note(line: str) -> None:
    """Print a message of one line on stderr; below the data, if both are shown in a pager."""
    streams.write_message(f"{visible.line(redact.redacted(line))}\n")


def wrong_clock(archive: Archive, now: datetime) -> str | None:
    """Return what is wrong with the system clock, and what to do; None if it fits the times in the archive."""
    from crawler.health.checks import clock_message
    from crawler.health.clock import ClockVerdict, judge

    newest = archive.newest_response()
    verdict = judge(now, newest, archive.newest_publications(now))
    if newest is None or verdict is ClockVerdict.RIGHT:
        return None
    return "; ".join(clock_message(verdict, now, newest))


def report_line(report: RunReport) -> str:
    """Return a one-line summary of the report of a run."""
    parts = [f"{report.new} new", f"{report.revised} revised", f"{report.unchanged} unchanged"]
    optional = {"duplicate": "duplicate", "rejected": "rejected", "failed": "failed", "gone": "not found"}
    parts += [f"{n} {words}" for name, words in optional.items() if (n := getattr(report, name))]
    return f"{', '.join(parts)}; {report.requests} requests, {size(report.bytes)}, {report.seconds:.1f} s"


def count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 page` or `3 pages`."""
    return f"{number} {noun}{'s' * (number != 1)}"


def criteria(parts: Mapping[str, str | None]) -> str:
    """Return what was searched for, as the end of a sentence: the name and the value of each part that has one."""
    return "".join(f" {name} {value}" for name, value in parts.items() if value)


def size(count: float) -> str:
    """Return a number of bytes with a decimal unit, such as `25.3 MB`."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def duration(span: str, rate: float) -> str:
    """Return how long requests take at a rate (per second), as a part of a sentence. `span` is the time in words."""
    return f"which take {span} at {rate:g} per second" if rate else "sent without a delay"


def pictures(counts: Mapping[str, int]) -> str:
    """Return the numbers of held and failed pictures in words."""
    held = f"{counts['held']} held ({size(counts['bytes'])}), at {counts['places_held']} of {counts['places']} places"
    return f"{held}; {counts['failed']} could not be fetched"
