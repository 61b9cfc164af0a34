"""The common request budget of all processes, as the site sees it: `vna run` and `vna backfill` on a real socket.

Prints the time between requests, the requests that robots.txt disallows, the reaction to both forms of Retry-After, and
how the rate recovers after several 429 in a row. The bound is the configured rate.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from crawler.sim.site import Serving, build, serve
from crawler.sim.site.messages import PLAIN, make_response

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
RATE = 5
TIMEOUT = 150  # seconds to wait for requests, or for a process to end
RULES = "User-agent: *\nDisallow: /rss/\nDisallow: /*1.vnp\n"
CONFIG = """
[archive]
dir = "archive"
reserve = 0
[service]
health = ""
"""


def main() -> None:
    """Print the figures; exit 1 if a bound was violated."""
    argparse.ArgumentParser(prog="budget", description=__doc__).parse_args()
    now = datetime.now(UTC)
    with (
        serve(lambda url: build(url, seeds_dir=SEEDS, articles=400, now=lambda: datetime.now(UTC))) as site,
        tempfile.TemporaryDirectory() as folder,
    ):
        _set_robots(site)
        since = (now - timedelta(days=30)).date().isoformat()
        with _running(site, Path(folder), ["run"], ["backfill", "--since", since, "--until", now.date().isoformat()]):
            violations = [
                *_spacing(site),
                *_retry_after(site, "throttle", "seconds"),
                *_retry_after(site, "unavailable", "date"),
            ]
            violations += _storm(site)
        violations += _disallowed(site)
    for bound in violations:
        print(f"VIOLATED: {bound}")
    sys.exit(bool(violations))


def _set_robots(site: Serving) -> None:
    regular = site.fake_site.respond
    site.fake_site.respond = lambda asked: (
        make_response(RULES, PLAIN) if asked.path == "/robots.txt" else regular(asked)
    )  # type: ignore[method-assign]


@contextmanager
def _running(site: Serving, folder: Path, *commands: list[str]) -> Iterator[None]:
    config = folder / "config" / "crawler.toml"
    config.parent.mkdir()
    config.write_text(CONFIG)
    before = ["--config", str(config), "--site", site.url, "--rate", str(RATE)]
    with tempfile.TemporaryFile() as output:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "crawler", *before, *command], stdout=output, stderr=output, cwd=ROOT
            )
            for command in commands
        ]
        try:
            yield
        finally:
            for process in processes:
                process.terminate()
            codes = [process.wait(timeout=TIMEOUT) for process in processes]
            print(f"exit codes after SIGTERM: {codes}")


def _log(site: Serving) -> list[tuple[float, str, int]]:
    found: list[tuple[float, str, int]] = site.fake_site.state()["log"]  # type: ignore[assignment]
    return found


def _until(site: Serving, wanted: Callable[[list[tuple[float, str, int]]], bool]) -> list[tuple[float, str, int]]:
    """Wait until the requests from now on satisfy `wanted`; return them."""
    before = len(_log(site))
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if wanted(found := _log(site)[before:]):
            return found
        time.sleep(0.05)
    raise SystemExit(f"the expected requests did not arrive within {TIMEOUT} s; last: {_log(site)[-3:]}")


def _spacing(site: Serving) -> Iterator[str]:
    """Check the time between requests while both processes work without faults."""
    _until(site, lambda found: len(found) >= 30)  # both processes have started
    times = [at for at, _, _ in _until(site, lambda found: len(found) >= 100)]
    gaps = sorted(later - earlier for earlier, later in pairwise(times))
    most = max(len([at for at in times if first <= at < first + 1]) for first in times)
    print(
        f"two processes, limit {RATE} requests per second: {len(gaps) / (times[-1] - times[0]):.2f} per second, "
        f"at most {most} within one second"
    )
    print(
        f"seconds between two requests: minimum {gaps[0]:.3f}, 1st percentile {gaps[len(gaps) // 100]:.3f}, "
        f"median {gaps[len(gaps) // 2]:.3f}, maximum {gaps[-1]:.3f}"
    )
    if most > RATE + 1:
        yield f"{most} requests within one second"
    if gaps[0] < 0.5 / RATE:
        yield f"two requests {gaps[0]:.3f} s apart"


def _retry_after(site: Serving, kind: str, form: str) -> Iterator[str]:
    """Check one response with Retry-After: no process sends a request before that time, and one does soon after."""
    site.fake_site.fault(kind, times=1, seconds=3, form=form)
    found = _until(site, lambda found: any(s in (429, 503) for _, _, s in found[:-1]))
    at = next(n for n, (_, _, status) in enumerate(found) if status in (429, 503))
    waited = found[at + 1][0] - found[at][0]
    print(f"Retry-After of 3 seconds as {form}: next request of any process after {waited:.3f} s")
    least = 3.0 if form == "seconds" else 2.0  # a date has no fractions of a second
    if not least <= waited < 4.5:
        yield f"Retry-After as {form}: {waited:.3f} s"


def _storm(site: Serving) -> Iterator[str]:
    """Check that after several 429 in a row the rate increases again gradually."""
    site.fake_site.fault("throttle", times=4, seconds=1)
    found = _until(site, lambda found: len(found) > 40 and 429 in [s for _, _, s in found])
    last = max(n for n, (_, _, status) in enumerate(found) if status == 429)
    gaps = [later[0] - earlier[0] for earlier, later in pairwise(found[last + 1 :])]
    print(f"after {[s for _, _, s in found].count(429)} responses 429 in a row, seconds between the requests:")
    for start in range(0, len(gaps), 12):
        print("   " + "  ".join(f"{gap:.2f}" for gap in gaps[start : start + 12]))
    if gaps[0] < 8 / RATE or any(later > earlier + 0.05 for earlier, later in pairwise(gaps[:12])):
        yield "the rate did not increase gradually"


def _disallowed(site: Serving) -> Iterator[str]:
    paths = [path for _, path, _ in _log(site)]
    wrong = [path for path in paths if path.startswith("/rss/") or path.endswith("1.vnp") or "1.vnp?" in path]
    print(f"{len(paths)} requests, {len(wrong)} disallowed by robots.txt")
    yield from (f"robots.txt disallows {path}" for path in wrong)


if __name__ == "__main__":
    main()
