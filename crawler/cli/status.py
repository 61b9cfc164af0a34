"""`vna status`: the contents of the archive, its sources and its problems.

Boundary: handles only arguments and output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crawler import redact, visible
from crawler.cli import layout, output, state
from crawler.clock import SystemClock, to_text
from crawler.errors import ConfigError

if TYPE_CHECKING:
    from crawler.config import Config
    from crawler.health.figures import Size
    from crawler.rate_limit import RateLimitStatus

_NAMES = 11  # columns of the names of values
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `app`."""
    app.command()(status)


def status(context: typer.Context, as_json: Json = False) -> None:
    """Print the contents and the problems of the archive.

    Lists the state of each source, open gaps and incidents, and the pages that need attention.

    Example: vna status --json
    """
    from crawler import opening, request_settings

    globals_ = state.of(context)
    folder, config = globals_.folder(), globals_.load()
    with opening.reading_archive(folder) as archive:
        found = archive.status() | {"disk": _disk(folder, config.reserve, archive.sizes())}
        found["clock"] = output.wrong_clock(archive, SystemClock().now())
    found["proxy"] = _proxy(config)
    found["pace"] = _rate_limit(request_settings.rate_limit_status(replace(config, archive=folder)))
    if as_json:
        output.json_block(redact.in_values(found))
        return
    _summary(found)
    _problems(found)
    _tables(found)


def _disk(folder: Path, reserve: int, sizes: Sequence[Size]) -> dict[str, Any]:
    """Return the size of the archive, its growth per day, and the number of days until the disk reserve is reached."""
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


def _proxy(config: Config) -> dict[str, str] | None:
    """Return the proxy of the environment for the site, without its password, or what is wrong with it."""
    from crawler import proxies

    try:
        proxy = proxies.proxy_for(config.root)
    except ConfigError as error:
        return {"error": str(error)}
    return {"url": proxy.url, "variable": proxy.variable} if proxy else None


def _rate_limit(limit: RateLimitStatus) -> dict[str, Any]:
    """Return the state of the rate limit, which all commands share: interval, today's requests and current pause."""
    return {
        "interval": round(limit.interval, 3),
        "slowdown": round(limit.slowdown, 3),
        "requests_today": limit.requests_today,
        "paused_until": to_text(limit.pause.until) if limit.pause else None,
        "reason": limit.pause.reason if limit.pause else None,
    }


def _rate_limit_line(limit: Mapping[str, Any]) -> str:
    if limit["paused_until"]:
        return f"no request before {limit['paused_until']}: {limit['reason']}"
    slow = f", {limit['slowdown']:g} times the usual interval after failures" if limit["slowdown"] > 1 else ""
    often = f"one request every {limit['interval']:g} s" if limit["interval"] else "none"
    return f"{often}{slow}; {limit['requests_today']} today (Hanoi time)"


def _summary(found: Mapping[str, Any]) -> None:
    _field("articles", f"{found['articles']}  ({found['oldest'] or 'no date'} to {found['newest'] or 'no date'})")
    duplicates = f"{output.count(found['duplicates'], 'pair')} of duplicates"
    _field("revisions", f"{found['revisions']} besides the first of each article; {duplicates}")
    share = found["broken"] / found["articles"] if found["articles"] else 0
    _field("repaired", f"{output.count(found['broken'], 'article')} had three or more glued words ({share:.0%})")
    _field("pages", ", ".join(f"{n} {name}" for name, n in found["pages"].items()) or "none")
    if (pictures := found["pictures"])["held"] or pictures["failed"]:
        _field("pictures", output.pictures(pictures))
    _field("requests", f"{found['requests']}, {output.size(found['bytes'])}")
    if run := found["last_run"]:
        _field("last run", f"{run['command']}, {run['outcome'] or 'unfinished'}, started {run['started_at']}")
    _field("rate limit", _rate_limit_line(found["pace"]))
    if proxy := found["proxy"]:
        _field("proxy", proxy.get("error") or "{url} ({variable})".format(**proxy))
    _field("disk", _disk_line(found["disk"]))
    _field("identity", found["identity"])


def _field(name: str, value: str) -> None:
    """Print a value after its name; on a terminal, its further lines begin below the first one."""
    for number, line in enumerate(layout.lines_of(visible.line(value), _NAMES)):
        output.exact(f"{'' if number else name:{_NAMES}}{line}")


def _disk_line(disk: Mapping[str, Any]) -> str:
    parts = [f"WARC {output.size(disk['warc_bytes'])}, database {output.size(disk['db_bytes'])}"]
    if disk["growth"] is not None:
        parts.append(f"grows by {output.size(max(0, disk['growth']))} a day")
    left = f"{output.size(disk['free_bytes'])} free"
    if disk["days_until_full"] is not None:
        left += f", {disk['days_until_full']} days until the reserve of {output.size(disk['reserve'])}"
    if disk["free_bytes"] < disk["reserve"]:
        left += f", below the reserve of {output.size(disk['reserve'])}: nothing is fetched"
    return "; ".join([*parts, left])


def _problems(found: Mapping[str, Any]) -> None:
    """Print a wrong clock, the open gaps and the incidents, if there are any."""
    if found["clock"]:
        output.heading(f"clock: {found['clock']}")
    if gaps := found["gaps"]:
        output.heading("open gaps (articles that a source listed between `since` and `until` may be missing):")
        layout.table(gaps, ("since", "until", "source", "note"))
    if incidents := found["incidents"]:
        output.heading("incidents:")
        layout.table(incidents, ("opened_at", "kind", "subject", "detail"))


def _tables(found: Mapping[str, Any]) -> None:
    if found["sources"]:
        output.heading("sources:")
        layout.table(_shortened(found["sources"]), ("kind", "state", "items", "last_ok_at", "url", "error"))
    if shown := found["attention"]:
        more = f" ({len(shown)} of {found['attention_total']})" if found["attention_total"] > len(shown) else ""
        output.heading(f"needs attention{more}:")
        layout.table(shown, ("state", "id", "url", "error"))


def _shortened(sources: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the sources with the paths of their addresses if they are printed on a terminal and all on one host."""
    from crawler import urls

    origins = {urls.origin(row["url"]) for row in sources}
    if len(origins) > 1 or not layout.is_terminal():
        return sources
    return [{**row, "url": row["url"].removeprefix(*origins)} for row in sources]
