"""What commands print: data on stdout, notes on stderr.

Boundary: strings and streams.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from crawler.types import RunReport


def text(line: str) -> None:
    """Print a line of data."""
    sys.stdout.write(f"{line}\n")


def json_line(value: Any) -> None:
    """Print one value as one line of JSON."""
    text(json.dumps(value, ensure_ascii=False))


def json_block(value: Any) -> None:
    """Print one value as readable JSON."""
    text(json.dumps(value, ensure_ascii=False, indent=2))


def note(line: str) -> None:
    """Print a message for people."""
    sys.stderr.write(f"{line}\n")


def unplug(stream: IO[str]) -> None:
    """Send to nowhere what is still to come on a stream whose reader has gone, also what Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def report_line(report: RunReport) -> str:
    """Say what a run did in one line."""
    parts = [f"{report.new} new", f"{report.revised} revised", f"{report.unchanged} unchanged"]
    optional = ("duplicate", "rejected", "failed", "gone")
    parts += [f"{n} {name}" for name in optional if (n := getattr(report, name))]
    return f"{', '.join(parts)}; {report.requests} requests, {size(report.bytes)}, {report.seconds:.1f} s"


def size(count: float) -> str:
    """Write a number of bytes for people."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def table(rows: Sequence[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Print rows in aligned columns; cells are cut so that a terminal shows one row a line."""
    names = list(columns)
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(name), *(len(row[i]) for row in cells)) if cells else len(name) for i, name in enumerate(names)]
    for row in [names, *cells]:
        text("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any, limit: int = 70) -> str:
    shown = "" if value is None else " ".join(str(value).split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
