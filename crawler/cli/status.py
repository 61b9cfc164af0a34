"""What is going on in the archive.

Boundary: arguments and output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler.cli import output, state
from crawler.clock import to_text

if TYPE_CHECKING:
    from crawler.health.disk import Size
    from crawler.rate_limit import Pace

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(status)


def status(context: typer.Context, as_json: Json = False) -> None:
    """Print what is in the archive, how the sources are, and what needs a look.

    Example: vna status --json
    """
    from crawler import app

    globals_ = state.of(context)
    folder, config = globals_.folder(), globals_.load()
    with app.reading_archive(folder) as archive:
        found = archive.status() | {"disk": _disk(folder, config.reserve, archive.sizes())}
    found["pace"] = _pace(app.patience(replace(config, archive=folder)))
    if as_json:
        output.json_block(found)
        return
    _summary(found)
    _troubles(found)
    _tables(found)


def _disk(folder: Path, reserve: int, sizes: Sequence[Size]) -> dict[str, Any]:
    """Give what the archive takes now, how fast that grew in the last days, and how long the disk will do."""
    from crawler.health.disk import days_until_full, growth
    from crawler.storage import disk

    now, a_day = disk.measured(folder, ""), growth(sizes)
    return {
        "warc_bytes": now.warc_bytes,
        "db_bytes": now.db_bytes,
        "free_bytes": now.free_bytes,
        "reserve": reserve,
        "growth": None if a_day is None else round(a_day),
        "days_until_full": days_until_full(now.free_bytes, reserve, a_day),
    }


def _pace(pace: Pace) -> dict[str, Any]:
    """Give how the site is treated at the moment by all commands together."""
    return {
        "interval": round(pace.interval, 3),
        "slowdown": round(pace.slowdown, 3),
        "requests_today": pace.requests_today,
        "paused_until": to_text(pace.pause.until) if pace.pause else None,
        "reason": pace.pause.reason if pace.pause else None,
    }


def _pace_line(pace: Mapping[str, Any]) -> str:
    if pace["paused_until"]:
        return f"nothing is asked before {pace['paused_until']}: {pace['reason']}"
    slow = f", {pace['slowdown']:g} times the usual after trouble" if pace["slowdown"] > 1 else ""
    return f"a request every {pace['interval']:g} s{slow}; {pace['requests_today']} today (in Hanoi)"


def _summary(found: Mapping[str, Any]) -> None:
    output.text(f"articles   {found['articles']}  ({found['oldest'] or 'no day'} to {found['newest'] or 'no day'})")
    output.text(f"revisions  {found['revisions']}   duplicates {found['duplicates']}")
    share = found["broken"] / found["articles"] if found["articles"] else 0
    output.text(f"broken     {found['broken']} articles arrived with words run together ({share:.0%})")
    output.text("pages      " + (", ".join(f"{n} {name}" for name, n in found["pages"].items()) or "none"))
    output.text(f"requests   {found['requests']}, {output.size(found['bytes'])}")
    if run := found["last_run"]:
        output.text(f"last run   {run['command']}, {run['outcome'] or 'unfinished'}, started {run['started_at']}")
    output.text(f"pace       {_pace_line(found['pace'])}")
    output.text(f"disk       {_disk_line(found['disk'])}")


def _disk_line(disk: Mapping[str, Any]) -> str:
    parts = [f"WARC {output.size(disk['warc_bytes'])}, database {output.size(disk['db_bytes'])}"]
    if disk["growth"] is not None:
        parts.append(f"{output.size(max(0, disk['growth']))} more a day")
    left = f"{output.size(disk['free_bytes'])} free"
    if disk["days_until_full"] is not None:
        left += f", the reserve of {output.size(disk['reserve'])} is reached in {disk['days_until_full']} days"
    if disk["free_bytes"] < disk["reserve"]:
        left += f": less than the reserve of {output.size(disk['reserve'])}, nothing is fetched"
    return "; ".join([*parts, left])


def _troubles(found: Mapping[str, Any]) -> None:
    """Say what is wrong now, or nothing."""
    if gaps := found["gaps"]:
        output.text("\nopen gaps (what these sources showed meanwhile may be missing):")
        output.table(gaps, ("since", "until", "source", "note"))
    if incidents := found["incidents"]:
        output.text("\nincidents:")
        output.table(incidents, ("opened_at", "kind", "subject", "detail"))


def _tables(found: Mapping[str, Any]) -> None:
    if found["sources"]:
        output.text("\nsources:")
        output.table(found["sources"], ("kind", "state", "items", "last_ok_at", "url", "error"))
    if shown := found["attention"]:
        more = f" ({len(shown)} of {found['attention_total']})" if found["attention_total"] > len(shown) else ""
        output.text(f"\nneeds a look{more}:")
        output.table(shown, ("state", "id", "url", "error"))
