"""Hostile answers and files, passed to the real commands: peak memory, seconds, and whether the other pages are archived.

For each kind, a copy of a small archive is polled while one address of the fake site sends a bomb and three new articles
are published; or a file is passed to a command. Each command is a process of its own, with one request at a time. A bomb
may cost 250 MB and 20 s of CPU time; waits for the network are bounded by the configured timeout, and are printed.

    ./run.sh bench bombs                     # all kinds
    ./run.sh bench bombs --only sitemap      # the kinds with this word in their name
"""

from __future__ import annotations

import argparse
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from benchmarks.bomb_answers import ARTICLE, ROBOTS, Answer, Body, Sender
from benchmarks.bomb_files import FILES
from benchmarks.bomb_kinds import ANSWERS
from benchmarks.bomb_tricks import TRICKS, trap
from crawler.sim.site import SECTIONS, FakeSite, Options, SiteRequest, build

ROOT = Path(__file__).parent.parent
MAX_MB, MAX_SECONDS = 250, 20.0
TIMEOUT = 2.0  # seconds, of the configuration; a request takes at most four times as long
OPTIONS = Options(sections=SECTIONS[:2], section_size=8, feed_size=8, home_size=10)
_RUN = [sys.executable, "-m", "crawler"]
# The peak memory of a process includes that of the process that started it, so a small one starts the command. While the
# command has a parser process, the memory of both counts together; pages that they share count once.
_LAUNCHER = """
import contextlib, os, sys, time
def memory(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
together = ended = 0
while not ended:
    time.sleep(0.02)
    with contextlib.suppress(OSError, StopIteration):
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            children = file.read().split()
        if children:
            together = max(together, memory(pid) + sum(map(memory, children)))
    ended, status, usage = os.wait4(pid, os.WNOHANG)
print(os.waitstatus_to_exitcode(status), max(usage.ru_maxrss, together), usage.ru_utime + usage.ru_stime)
"""
_OTHERS = 3  # new articles of the run that are no bombs


@dataclass(frozen=True, slots=True)
class Cost:
    """What one command cost."""

    megabytes: float
    cpu: float
    wall: float
    code: int
    error: str

    @property
    def is_excessive(self) -> bool:
        """Whether the command exceeded a bound, or ended with a signal or a traceback."""
        return self.megabytes > MAX_MB or self.cpu > MAX_SECONDS or self.code < 0 or "Traceback" in self.error


class _Server(ThreadingHTTPServer):
    """The fake site, with one bomb at the paths that match a pattern such as `/rss/*`."""

    daemon_threads = True
    block_on_close = False
    site: FakeSite
    bomb: tuple[str, Sender] | None = None

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore that the client closed the connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        bomb = self.server.bomb
        if bomb is not None and _matches(bomb[0], self.path):
            self.close_connection = True
            with suppress(OSError):
                bomb[1](self.wfile.write, self.path)
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_WR)
            return
        response = self.server.site.respond(SiteRequest("GET", self.path, dict(self.headers.items())))
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library requires this name
        """Print nothing."""


def _matches(pattern: str, path: str) -> bool:
    return fnmatchcase(path, pattern)


@contextmanager
def _serving() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Handler)
    now = datetime.now(UTC)
    server.site = build(
        f"http://127.0.0.1:{server.server_port}",
        seeds_dir=ROOT / "seeds",
        articles=10,
        now=lambda: now + timedelta(0),
        options=OPTIONS,
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def _config(folder: Path, server: _Server, requests: int = 0) -> Path:
    """Write a configuration; `requests` is the most requests of a day, 0 for no limit."""
    file = folder / "config" / f"crawler-{requests}.toml"
    file.parent.mkdir(exist_ok=True)
    root = server.site.url
    file.write_text(
        f'[site]\nroot = "{root}/"\ncontact = "test@example.test"\n[politeness]\nrate = 0\ntimeout = {TIMEOUT}\nattempts = 1\n'
        f"daily_cap = {requests}\n"
        f'[poll]\nlist_api = true\napi_hosts = ["{root}/"]\n[archive]\nreserve = 0\n'
    )
    return file


def _measured(arguments: list[str]) -> Cost:
    """Run a command and return its cost."""
    with tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-S", "-c", _LAUNCHER, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            check=True,
        )
        wall = time.perf_counter() - start
        errors.seek(0)
        text = errors.read().decode(errors="replace")
    code, kilobytes, cpu = done.stdout.split()
    return Cost(int(kilobytes) / 1024, float(cpu), wall, int(code), text)


def _held(archive: Path) -> set[int]:
    with closing(sqlite3.connect(archive / "vna.db")) as db:
        return {row[0] for row in db.execute("SELECT id FROM articles")}


def _poll(server: _Server, answer: Answer, config: Path, archive: Path, new: list[int]) -> tuple[Cost, int, int]:
    """Poll with a bomb; return the cost, and how many of the other new articles are archived and how many there are."""
    victim = server.site.story(new[0]).path
    path = victim if answer.path == ARTICLE else answer.path
    if path == ROBOTS:
        for file in (archive / "state").glob("robots-*.json"):
            file.unlink()
    if isinstance(answer.send, Body):
        answer.send.prepare()
    server.bomb = path, answer.send
    try:
        cost = _measured([*_RUN, "--config", str(config), "--archive", str(archive), *answer.command])
    finally:
        server.bomb = None
    others = set(new[1:] if path == victim else new)
    return cost, len(others & _held(archive)), len(others)


def main() -> int:
    """Print the table; return 1 if a bomb exceeds a bound or other pages were lost."""
    parser = argparse.ArgumentParser(prog="bombs", description=__doc__)
    parser.add_argument("--only", default="", help="the kinds with this word in their name")
    parser.add_argument("--verbose", action="store_true", help="print the output of each command")
    options = parser.parse_args()
    answers = [answer for answer in (*ANSWERS, *TRICKS) if options.only in answer.name]
    files = [file for file in FILES if options.only in file.name]
    if not answers and not files:
        parser.error(f"no kind has {options.only!r} in its name")
    failures = 0
    print(f"{'bomb':54} {'peak MB':>8} {'CPU s':>6} {'wall s':>7} {'exit':>4}  others archived")
    with tempfile.TemporaryDirectory(prefix="bombs-") as name, _serving() as server:
        folder = Path(name)
        config = _config(folder, server)
        first = folder / "first"
        begun = _measured([*_RUN, "--config", str(config), "--archive", str(first), "poll"])
        _print_row("(a first poll without a bomb)", begun, "")
        new = server.site.publish(1 + _OTHERS)
        for answer in answers:
            archive = folder / "archive"
            shutil.copytree(first, archive)
            cost, held, others = _poll(server, answer, _config(folder, server, answer.requests), archive, new)
            lost = (held < others and not answer.ends_the_run) or trap().connections > 0
            if trap().connections:
                print(f"    {trap().connections} connections elsewhere")
                trap().connections = 0
            failures += _print_row(answer.name, cost, f"{held} of {others}", failed=lost, verbose=options.verbose)
            shutil.rmtree(archive)
        for kind in files:
            archive = folder / "archive"
            shutil.copytree(first, archive)
            target = folder / kind.file
            others = kind.write(target, archive)
            before = len(_held(archive))
            place = (
                ["--config", str(config), "--archive", str(archive)]
                if not kind.real_site
                else ["--archive", str(archive)]
            )
            cost = _measured([*_RUN, *place, *(part.replace("FILE", str(target)) for part in kind.command)])
            gained = len(_held(archive)) - before
            failures += _print_row(
                kind.name,
                cost,
                f"{gained} of {others}" if others else "-",
                failed=gained < others,
                verbose=options.verbose,
            )
            shutil.rmtree(archive)
            target.unlink(missing_ok=True)
    print(f"\n{failures} over the bounds ({MAX_MB} MB, {MAX_SECONDS:.0f} s of CPU time), or with other pages lost")
    return int(failures > 0)


def _print_row(name: str, cost: Cost, others: str, *, failed: bool = False, verbose: bool = False) -> int:
    bad = failed or cost.is_excessive
    print(
        f"{name:54} {cost.megabytes:8.0f} {cost.cpu:6.1f} {cost.wall:7.1f} {cost.code:4}  {others}{'  <-- ' if bad else ''}",
        flush=True,
    )
    if verbose or bad:
        print("    " + cost.error[-1500:].replace("\n", "\n    "))
    return int(bad)


if __name__ == "__main__":
    raise SystemExit(main())
