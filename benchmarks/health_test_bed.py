"""The test bed of `red`: the process of the service, the fake site, a webhook that receives alerts, and `curl`.

The process, its sockets, disk, database and WARC files are real. Only its clock is simulated: it advances by an hour at
a time, when the service is idle.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, Self, TypeVar

from prometheus_client.parser import text_string_to_metric_families

from benchmarks.daemon_child import FileClock
from benchmarks.poll import SEEDS
from benchmarks.soak import SMALL, configure
from crawler import opening
from crawler.errors import StorageError
from crawler.sim.site import FakeSite, Serving, build, serve

BEGIN = datetime(2026, 8, 3, 17, tzinfo=UTC)
STEP = timedelta(hours=1)
PUBLISH_INTERVAL = timedelta(hours=3)
TICK = 0.02  # real seconds between two checks of the worker for due work
SECOND = 0.01  # real seconds for one second of worker silence
NAP = 0.002  # real seconds for one second of sleep
DISK = 160_000_000  # bytes; size of the small disk of the archive
RESERVE = 20_000_000
WAIT_TIMEOUT = 30.0  # seconds for one wait
TOTAL_TIMEOUT = 235.0  # seconds for the whole benchmark

T = TypeVar("T")


class TimedOut(Exception):
    """An expected state was not reached in time, or the service exited."""


class Webhook(ThreadingHTTPServer):
    """Receives the alerts; with `refusing`, it returns status 500."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _WebhookHandler)
        self.received: list[str] = []
        self.refusing = False

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _WebhookHandler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.refusing:
            self.server.received.append(body["message"])
        self.send_response(500 if self.server.refusing else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class CurlResponse:
    """The output of `curl`: status, headers, body, and the duration in seconds."""

    status: int
    headers: str
    body: str
    seconds: float


def curl(url: str, *options: str) -> CurlResponse:
    """Send a request with the program `curl`; the status is 0 if there is no response."""
    command = ["curl", "--silent", "--max-time", "8", "--dump-header", "/dev/stderr", *options]
    done = subprocess.run(
        [*command, "--write-out", "\n%{http_code} %{time_total}", url], capture_output=True, text=True, check=False
    )
    body, _, last = done.stdout.rpartition("\n")
    status, seconds = last.split()
    return CurlResponse(int(status), done.stderr, body, float(seconds))


class TestBed:
    """The service and everything that can make it unhealthy."""

    def __init__(self, folder: Path, hook: Webhook) -> None:
        self.folder = folder
        self.hook = hook
        self.child: subprocess.Popen[bytes] | None = None
        self.deadline = time.monotonic() + TOTAL_TIMEOUT
        self.archive = folder / "archive"
        self.log = folder / "log"
        self.backup = folder / "backup"
        (folder / "clock").write_bytes(bytes(8))
        self.clock = FileClock(folder / "clock")
        self.clock.set(BEGIN.timestamp())
        self._next_story = BEGIN
        self.quiet = False
        self.lock: IO[bytes]
        self.site = self.serve(lambda url: build(url, seeds_dir=SEEDS, now=self.clock.now, options=SMALL))
        self.mounted = self._mount()

    def serve(self, make: Callable[[str], FakeSite], port: int = 0) -> Serving:
        self.site = serve(make, port)
        return self.site

    @property
    def fake_site(self) -> FakeSite:
        return self.site.fake_site

    def _mount(self) -> bool:
        """Mount a small disk for the archive, which can be filled; return False if this is not possible (needs root)."""
        self.archive.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(self.archive)]
        return os.geteuid() == 0 and subprocess.run(command, capture_output=True, check=False).returncode == 0

    def configure(self) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.backup.with_name("backup-disk").mkdir()
        self.backup.symlink_to("backup-disk")
        self.config = configure(
            self.folder,
            self.site.url,
            service=f'health = "127.0.0.1:{port}"\nlog = "json"',
            alerts=f'to = ["json://127.0.0.1:{self.hook.server_port}/"]',
            backup=f'dir = "{self.backup}"\nevery_hours = 6',
        )
        self.reserve(RESERVE if self.mounted else 0)

    def reserve(self, size: int) -> None:
        lines = self.config.read_text().splitlines()
        self.config.write_text("\n".join(f"reserve = {size}" if x.startswith("reserve") else x for x in lines) + "\n")

    def start(self) -> subprocess.Popen[bytes]:
        scaled = [
            "--clock",
            str(self.folder / "clock"),
            "--second",
            str(SECOND),
            "--tick",
            str(TICK),
            "--nap",
            str(NAP),
        ]
        command = [sys.executable, "-m", "benchmarks.daemon_child", str(self.config), *scaled]
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(command, stderr=log)
        return self.child

    def kill(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Kill the service, call `meanwhile`, and start the service again."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()
        meanwhile()
        self.start()
        self.wait(lambda: self.health()[0], "response of /healthz")

    def reload(self) -> None:
        """Make the service reload its configuration."""
        self.child.send_signal(signal.SIGHUP)

    def close(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.wait()
        self.site.close()
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.archive)], check=True)

    # --- time -------------------------------------------------------------------------------------------------------

    def advance(self, time_: timedelta = STEP) -> None:
        """Advance the clock and wait until the service has done what is due."""
        self.wait(self._idle, "idle service")
        self.move_clock(time_)
        while self._next_story <= self.clock.now():
            self._next_story += PUBLISH_INTERVAL
            if not self.quiet:
                self.fake_site.publish(1)
        time.sleep(3 * TICK)
        self.wait(self._idle, "idle service")

    def move_clock(self, time_: timedelta) -> None:
        """Move the clock, even if the service is working."""
        self.clock.set(self.clock.seconds + time_.total_seconds())

    def _idle(self) -> bool:
        try:
            with opening.reading_archive(self.archive) as opened:
                jobs = opened.jobs()
        except StorageError:
            return False
        return bool(jobs) and not any(job.in_progress for job in jobs.values())

    def wait(self, check: Callable[[], T], what: str) -> T:
        """Repeat a check until it is true, without advancing the clock; return its result."""
        end = min(time.monotonic() + WAIT_TIMEOUT, self.deadline)
        while not (result := check()):
            if self.child.poll() is not None:
                raise TimedOut(f"the service ended with exit code {self.child.returncode}\n{self.log_tail()}")
            if time.monotonic() > end:
                raise TimedOut(f"{what}: not within {WAIT_TIMEOUT:.0f} s\n{self.log_tail()}")
            time.sleep(0.02)
        return result

    def advance_until(self, check: Callable[[], T], hours: int, what: str) -> T:
        """Advance the clock by hours until a check is true; return its result."""
        for _ in range(hours + 1):
            if result := check():
                return result
            self.advance()
        raise TimedOut(f"{what}: not within {hours} simulated hours\n{self.log_tail()}")

    def wait_or_advance(self, check: Callable[[], T], hours: int, what: str) -> T:
        """Wait for a check that becomes true at once (`hours` is 0), or advance the clock until it is true."""
        return self.advance_until(check, hours, what) if hours else self.wait(check, what)

    def log_tail(self) -> str:
        return "\n".join(self.log.read_text().splitlines()[-12:])

    # --- inspection -------------------------------------------------------------------------------------------------

    def health(self) -> tuple[int, list[dict[str, Any]]]:
        """Request /healthz; return the status and the failing conditions."""
        response = curl(f"{self.url}/healthz")
        return response.status, [
            c for c in json.loads(response.body)["conditions"] if c["red"]
        ] if response.status else []

    def metrics(self) -> dict[str, float]:
        """Request /metrics; return the value of each sample by name and labels, as Prometheus reads it."""
        samples: dict[str, float] = {}
        for family in text_string_to_metric_families(curl(f"{self.url}/metrics").body):
            for sample in family.samples:
                labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
                samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
        return samples

    def status(self) -> dict[str, Any] | None:
        """Return the output of `vna status --json`; None if the command fails."""
        command = [sys.executable, "-m", "crawler", "--config", str(self.config), "status", "--json"]
        done = subprocess.run(command, capture_output=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with opening.reading_archive(self.archive) as opened:
            return list(opened.db.execute(sql))


def free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as one:
        return one.server_port


@contextmanager
def running_test_bed() -> Iterator[TestBed]:
    """Create the test bed and start the service; remove everything at the end of the block."""
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        bed = TestBed(folder, parts.enter_context(Webhook()))
        parts.callback(bed.close)
        bed.configure()
        bed.start()
        yield bed
