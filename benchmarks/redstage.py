"""The stage of `red`: the service's process, the double of the site, who is told, and `curl`.

The process, its sockets, disk, database and evidence are real. Its clock is not: it is moved on, hour by hour, whenever
the service is at rest.
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
from crawler import app
from crawler.errors import StorageError
from crawler.sim.site import Replica, Serving, build, serve

BEGIN = datetime(2026, 8, 3, 17, tzinfo=UTC)
STEP = timedelta(hours=1)
NEWS = timedelta(hours=3)  # the agency is not idle
TICK = 0.02  # seconds between two looks of the worker at what is due
SECOND = 0.01  # of the machine, for one of the service's silence
NAP = 0.002  # for one of its sleep
DISK = 160_000_000  # bytes of the disk that can be filled
RESERVE = 20_000_000
SOON = 30.0  # seconds after which something that should have come is missing
ALL = 235.0  # seconds that everything may take

T = TypeVar("T")


class NotSeen(Exception):
    """Something that should have come did not."""


class Hook(ThreadingHTTPServer):
    """Where alerts arrive; it may refuse them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.told: list[str] = []
        self.refusing = False

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Receiver(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.refusing:
            self.server.told.append(body["message"])
        self.send_response(500 if self.server.refusing else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Answer:
    """What `curl` printed: status, headers, body, and the seconds that it took."""

    status: int
    headers: str
    body: str
    seconds: float


def curl(url: str, *options: str) -> Answer:
    """Ask with the program `curl`; status 0 when nobody answers."""
    command = ["curl", "--silent", "--max-time", "8", "--dump-header", "/dev/stderr", *options]
    done = subprocess.run(
        [*command, "--write-out", "\n%{http_code} %{time_total}", url], capture_output=True, text=True, check=False
    )
    body, _, last = done.stdout.rpartition("\n")
    status, seconds = last.split()
    return Answer(int(status), done.stderr, body, float(seconds))


class Stage:
    """Everything that a state of health is made of, while the block lasts."""

    def __init__(self, folder: Path, hook: Hook) -> None:
        self.folder = folder
        self.hook = hook
        self.child: subprocess.Popen[bytes] | None = None
        self.deadline = time.monotonic() + ALL
        self.archive = folder / "archive"
        self.log = folder / "log"
        self.backup = folder / "backup"
        (folder / "clock").write_bytes(bytes(8))
        self.clock = FileClock(folder / "clock")
        self.clock.set(BEGIN.timestamp())
        self._news = BEGIN
        self.quiet = False
        self.lock: IO[bytes]
        self.site = self.serve(lambda url: build(url, seeds_dir=SEEDS, now=self.clock.now, options=SMALL))
        self.mounted = self._mount()

    def serve(self, make: Callable[[str], Replica], port: int = 0) -> Serving:
        self.site = serve(make, port)
        return self.site

    @property
    def double(self) -> Replica:
        return self.site.replica

    def _mount(self) -> bool:
        """Give the archive a small disk of its own, which can be filled; that takes root."""
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
        """Kill the service in whatever it does, and start another."""
        assert self.child is not None
        self.child.kill()
        self.child.wait()
        meanwhile()
        self.start()
        self.wait(lambda: self.health()[0], "the service")

    def hang_up(self) -> None:
        """Have the service read its configuration again."""
        self.child.send_signal(signal.SIGHUP)

    def close(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.wait()
        self.site.close()
        if self.mounted:
            subprocess.run(["umount", "--lazy", str(self.archive)], check=True)

    # --- time -------------------------------------------------------------------------------------------------------

    def step(self, time_: timedelta = STEP) -> None:
        """Let some time go by, and the service do what is due then."""
        self.wait(self._at_rest, "rest")
        self.move(time_)
        while self._news <= self.clock.now():
            self._news += NEWS
            if not self.quiet:
                self.double.publish(1)
        time.sleep(3 * TICK)
        self.wait(self._at_rest, "rest")

    def move(self, time_: timedelta) -> None:
        """Move the clock, whatever the service does."""
        self.clock.set(self.clock.seconds + time_.total_seconds())

    def _at_rest(self) -> bool:
        try:
            with app.reading_archive(self.archive) as opened:
                jobs = opened.jobs()
        except StorageError:
            return False
        return bool(jobs) and not any(job.at_work for job in jobs.values())

    def wait(self, found: Callable[[], T], what: str) -> T:
        """Look again and again, while the service's time stands still."""
        end = min(time.monotonic() + SOON, self.deadline)
        while not (seen := found()):
            if self.child.poll() is not None:
                raise NotSeen(f"the service ended with exit code {self.child.returncode}\n{self.last_words()}")
            if time.monotonic() > end:
                raise NotSeen(f"{what} did not come in time\n{self.last_words()}")
            time.sleep(0.02)
        return seen

    def pass_until(self, found: Callable[[], T], hours: int, what: str) -> T:
        """Let hours go by until something is found."""
        for _ in range(hours + 1):
            if seen := found():
                return seen
            self.step()
        raise NotSeen(f"{what} did not come within {hours} hours\n{self.last_words()}")

    def come(self, found: Callable[[], T], hours: int, what: str) -> T:
        """Wait for something that comes at once, or let hours go by until it does."""
        return self.pass_until(found, hours, what) if hours else self.wait(found, what)

    def last_words(self) -> str:
        return "\n".join(self.log.read_text().splitlines()[-12:])

    # --- looking ----------------------------------------------------------------------------------------------------

    def health(self) -> tuple[int, list[dict[str, Any]]]:
        """Ask /healthz: the status, and what is red."""
        answer = curl(f"{self.url}/healthz")
        return answer.status, [c for c in json.loads(answer.body)["conditions"] if c["red"]] if answer.status else []

    def metrics(self) -> dict[str, float]:
        """Ask /metrics: each sample by its name and labels, as Prometheus reads it."""
        samples: dict[str, float] = {}
        for family in text_string_to_metric_families(curl(f"{self.url}/metrics").body):
            for sample in family.samples:
                labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
                samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
        return samples

    def status(self) -> dict[str, Any] | None:
        """Ask `vna status --json`; None when it ends with an error."""
        command = [sys.executable, "-m", "crawler", "--config", str(self.config), "status", "--json"]
        done = subprocess.run(command, capture_output=True, check=False)
        return json.loads(done.stdout) if done.returncode == 0 else None

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with app.reading_archive(self.archive) as opened:
            return list(opened.db.execute(sql))


def free_port() -> int:
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as one:
        return one.server_port


@contextmanager
def staged() -> Iterator[Stage]:
    """Set the stage and start the service; nothing is left of it behind the block."""
    with ExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        stage = Stage(folder, parts.enter_context(Hook()))
        parts.callback(stage.close)
        stage.configure()
        stage.start()
        yield stage
