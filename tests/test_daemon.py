"""The service as a process: signals, the lock, reloading the configuration, and each health condition over HTTP.

The fake site listens on a real socket. The process uses the system clock plus an offset from a file, with which a test
lets time pass.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import fcntl
import gc
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
import weakref
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from support import (
    NOW,
    ROOT,
    SEEDS,
    SITE,
    FakeClock,
    assert_intact,
    configured,
    hook,
    mounted,
    process,
    rows,
    value,
    vna,
    working,
)

from crawler import backfill, config, fold, logs
from crawler.cli.signals import blocked
from crawler.clock import StoppableClock, to_text
from crawler.daemon import Intervals, Service
from crawler.daemon.endpoint import Endpoint, EndpointLimits
from crawler.daemon.health_monitor import HealthMonitor
from crawler.daemon.job_progress import JobProgress
from crawler.daemon.job_result import JobResult
from crawler.daemon.jobs import Job, jobs
from crawler.daemon.service import restart_timers
from crawler.daemon.signal_waiter import capture_signals
from crawler.daemon.watchdog import WatchdogClock
from crawler.daemon.worker import JobRunner, Worker
from crawler.errors import (
    AlreadyRunning,
    ConfigError,
    Interrupted,
    SitePaused,
    SiteUnavailable,
    StopError,
    StorageError,
    StorageUnavailable,
)
from crawler.outcome import Outcome, OutcomeKind
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.plan_values import BackfillRequest
from crawler.sim.site import Options, build, serve
from crawler.sim.site.story import SECTIONS
from crawler.storage import open_archive

SOON = 60.0  # seconds to wait for something that should happen at once; long, as the machine may be busy
IDLE = 0.4  # seconds without a running job after which the clock is advanced
SMALL = Options(sections=SECTIONS[:2], section_size=6, feed_size=6, home_size=8, no_api=True)


def free_port():
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


def until(found, process=None, what="it"):
    """Poll until `found` returns a true value, and return it. On a timeout, show the log of the process."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        if seen := found():
            return seen
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {SOON} s\n{process.log.text[-2000:] if process else ''}")


def http_get(url):
    """Send a GET request over plain HTTP. Loading the certificates of HTTPS would take longer than the request."""
    return httpx.get(url, timeout=5, verify=False)


class Log:
    """The stderr output of a process, read while it runs."""

    def __init__(self, running):
        self.text = ""
        self._thread = threading.Thread(target=self._read, args=(running.stderr,), daemon=True)
        self._thread.start()

    def _read(self, stream):
        for line in stream:
            self.text += line.decode()

    def end(self):
        self._thread.join(SOON)
        return self.text

    def wait(self, text):
        until(lambda: text in self.text, what=text)


@dataclass
class Setup:
    """A fake site, an archive and a configuration for them."""

    folder: Path
    port: int = field(default_factory=free_port)
    ahead: float = 0.0
    site: object = None
    edit: object = None
    settings: dict = field(default_factory=dict)

    @property
    def archive(self):
        return self.folder / "archive"

    @property
    def config(self):
        return self.folder / "config" / "crawler.toml"

    def now(self):
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def is_control(self, path):
        return self.fake_site.is_control(path)

    def respond(self, request):
        """Return the response of the fake site, changed by `edit`."""
        response = self.fake_site.respond(request)
        return self.edit(request, response) if self.edit else response

    def configure(self, **settings):
        self.settings |= settings
        keys = {"site.root": self.site.url, "politeness.rate": 0, "politeness.timeout": SOON, "politeness.attempts": 1, "poll.list_pages": 1, "archive.dir": "archive",
                "archive.reserve": 0, "poll.ceiling": 300, "service.health": f"127.0.0.1:{self.port}", **self.settings}  # fmt: skip
        tables = {}
        for name, content in keys.items():
            table, key = name.split(".")
            tables.setdefault(table, []).append(f"{key} = {json.dumps(content)}")
        self.config.parent.mkdir(exist_ok=True)
        self.config.write_text("".join(f"[{table}]\n" + "\n".join(lines) + "\n" for table, lines in tables.items()))
        tomllib.loads(self.config.read_text())

    def advance(self, **time_):
        """Advance the clock; the agency publishes an article meanwhile."""
        if time_:
            self.fake_site.publish(1)
        self.ahead += timedelta(**time_).total_seconds()
        fresh = self.folder / "ahead.new"
        fresh.write_text(str(self.ahead))
        fresh.replace(self.folder / "ahead")

    def get(self, path="/healthz"):
        return self.get_url(f"http://127.0.0.1:{self.port}{path}")

    @staticmethod
    def get_url(url):
        try:
            return http_get(url)
        except httpx.TransportError:
            return None

    def silent_seconds(self):
        """Return how long the worker has sent no heartbeat, in seconds of the service."""
        (line,) = (line for line in self.get("/metrics").text.splitlines() if line.startswith("vna_worker_silent"))
        return float(line.split()[-1])

    def job_running(self):
        """Whether a job is running. Advancing the clock during a job would itself make a condition fail."""
        try:
            return bool(rows(self.archive, JOB_RUNNING))
        except StorageError:
            return False

    def since(self):
        """Return the time from which the service has held the archive, as in its lock file."""
        return json.loads((self.archive / "vna-collect.lock").read_text())["since"]

    def held(self):
        """Return the number of articles in the archive; 0 if there is no archive yet."""
        try:
            return value(self.archive, "SELECT count(*) FROM articles")
        except StorageError:
            return 0

    def failing(self):
        """Return the failing conditions by kind; None if the endpoint does not respond."""
        response = self.get()
        if response is None:
            return None
        found = {c["kind"]: c for c in response.json()["conditions"] if c["red"]}
        assert response.status_code == (503 if found else 200)
        return found

    def until(self, found, what="it"):
        """Poll until `found` returns a true value, and return it. Advance the clock whenever no job is running."""
        idle_since = time.monotonic()  # since the end of the last job, or since the clock was advanced

        def check():
            nonlocal idle_since
            if self.job_running():
                idle_since = time.monotonic()
            seen = found()
            if not seen and time.monotonic() - idle_since > IDLE:
                self.advance(minutes=30)
                idle_since = time.monotonic()
            return seen

        return until(check, self.process, what)

    def wait_failing(self, kind, text=""):
        """Wait until a condition of this kind fails with `text` in its message; return the message."""

        def found():
            message = (self.failing() or {}).get(kind, {}).get("says")
            return message if message and text in message else None

        self.advance(minutes=30)
        return self.until(found, kind)

    def reload(self, **settings):
        self.configure(**settings)
        self.process.send_signal(signal.SIGHUP)

    def load(self):
        return config.load(self.config)

    def notifications(self, *texts):
        """Return the notifications to systemd up to the one with the last of these texts; without texts, all pending ones."""
        got, end = "", time.monotonic() + SOON
        while not all(text in got for text in texts) or (not texts and select.select([self.manager], [], [], 0)[0]):
            assert time.monotonic() < end, got[-2000:]
            got += self.manager.recv(4096).decode() + "\n"
        return got


@contextmanager
def set_up(folder, articles=0, options=SMALL, **settings):
    setup = Setup(folder)

    def make(url):
        setup.fake_site = build(url, seeds_dir=SEEDS, articles=articles, now=setup.now, options=options)
        return setup.fake_site

    with serve(make) as setup.site:
        setup.site._server.fake_site = setup
        setup.configure(**settings)
        setup.advance()
        yield setup


def start_service(setup, **env):
    """Start the service with a clock that the setup can advance."""
    command = [sys.executable, ROOT / "tests" / "daemon_child.py", setup.config, setup.folder / "ahead"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "env": {**os.environ, **env}}
    return subprocess.Popen(list(map(str, command)), cwd=ROOT, **pipes)


@contextmanager
def running(child):
    """Kill the process at the end of the block, if it still runs."""
    with child:
        try:
            child.log = Log(child)
            yield child
        finally:
            child.kill()
            child.wait()
            child.log.end()


def stop(child, number=signal.SIGTERM):
    """Send a signal that stops the process; return its exit code and the seconds until it ended."""
    started = time.monotonic()
    child.send_signal(number)
    return child.wait(SOON), time.monotonic() - started


# --- signals, and one instance ----------------------------------------------------------------------------------------


def test_a_stop_finishes_the_current_page_and_a_restart_continues(tmp_path):
    """Nothing is lost and nothing is requested twice. A second instance is refused and names the first."""
    with set_up(tmp_path, **{"poll.list_pages": 20, "politeness.rate": 25, "service.log": "json"}) as setup:
        ids = setup.fake_site.ids()
        with running(process("--config", setup.config, "run", new=True)) as child:
            until(setup.held, child)
            assert setup.failing() == {}
            with pytest.raises(AlreadyRunning) as refused:
                Service(setup.load).run()
            code, seconds = stop(child)
        assert (code, seconds < 5) == (0, True), child.log.text
        started = rows(setup.archive, "SELECT started_at FROM runs")[0]["started_at"]
        assert f"`vna run` (pid {child.pid}, since {started[:15]}" in str(refused.value)
        assert 0 < setup.held() < len(ids)
        setup.configure(**{"politeness.rate": 0})
        with running(start_service(setup)) as child:
            until(lambda: setup.held() == len(ids), child)
            assert stop(child, signal.SIGINT)[0] == 0
        requests = setup.fake_site.state()["requests"]
        assert {requests[setup.fake_site.story(i).path] for i in ids} == {1}
        assert_intact(setup.archive)
    lines = [json.loads(line) for line in child.log.text.splitlines()]
    assert {"at", "level", "part", "message"} <= set(lines[0])
    assert [line for line in lines if line.get("run") and "-post" in line.get("url", "")]
    assert "`vna probe`" in child.log.text


class Slow(Service):
    """A service that opens its endpoint late."""

    def _start_parts(self):
        time.sleep(0.3)
        super()._start_parts()


def test_a_port_in_use_is_an_error_that_names_it(tmp_path):
    """A service that cannot start sends no request to the site."""
    with set_up(tmp_path) as setup, closing(socket.create_server(("127.0.0.1", setup.port))):
        with pytest.raises(ConfigError, match=f"127.0.0.1:{setup.port}") as refused:
            Slow(setup.load).run()
        assert "choose another port" in refused.value.hint
        assert not setup.fake_site.state()["requests"]


def test_a_signal_before_the_waiter_is_ready_is_delivered_later():
    with blocked(signal.SIGHUP):
        signal.pthread_kill(threading.get_ident(), signal.SIGHUP)
        with capture_signals(signal.SIGHUP) as waiter:
            assert waiter.pending() == {signal.SIGHUP}
            assert waiter.wait(SOON) == {signal.SIGHUP}


def test_a_stop_before_the_archive_is_open(tmp_path):
    """Another process creates or migrates the archive for a long time."""
    (tmp_path / "archive").mkdir()
    with set_up(tmp_path) as setup, (tmp_path / "archive" / "vna.opening").open("ab") as opening:
        fcntl.flock(opening, fcntl.LOCK_EX)
        timer = threading.Timer(0.1, signal.pthread_kill, [threading.get_ident(), signal.SIGTERM])
        timer.start()
        Service(setup.load, intervals=Intervals(grace=0.1)).run()
        fcntl.flock(opening, fcntl.LOCK_UN)
        for thread in threading.enumerate():
            if thread.name == "worker":
                thread.join(SOON)
        assert not setup.fake_site.state()["requests"]


def test_a_low_limit_of_open_files(tmp_path):
    """It is raised if possible. Otherwise the start fails, and not a request days later with a misleading error."""
    program = """
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from crawler.daemon.service import raise_file_limit
setrlimit(RLIMIT_NOFILE, (64, getrlimit(RLIMIT_NOFILE)[1]))
raise_file_limit()
print(getrlimit(RLIMIT_NOFILE)[0])
setrlimit(RLIMIT_NOFILE, (64, 64))
raise_file_limit()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "256\n"
    assert "StopError: the limit of open files is 64; 256 are needed" in done.stderr


def test_without_a_contact_the_real_site_is_not_requested(tmp_path):
    outcome = vna("--archive", tmp_path / "new", "--site", "https://localhost.invalid/", "run")
    assert outcome.code == 1
    assert not (tmp_path / "new").exists()


class Broken(StoppableClock):
    """A clock that raises an error after some reads."""

    def __init__(self, reads):
        super().__init__()
        self._reads = reads

    def now(self):
        self._reads -= 1
        if self._reads < 0:
            raise ZeroDivisionError("no time")
        return super().now()


@pytest.mark.parametrize("reads", [3, 60], ids=["at_the_start", "during_a_job"])
def test_a_bug_ends_the_service_with_a_traceback(tmp_path, capsys, reads):
    with set_up(tmp_path) as setup, pytest.raises(ZeroDivisionError):
        Service(setup.load, clock=Broken(reads)).run()
    log = capsys.readouterr().err
    assert "CRITICAL stopping the service because of a bug" in log
    assert "Traceback" in log
    assert "ZeroDivisionError: no time" in log


# --- one service for all following tests: each test leaves it healthy -------------------------------------------------


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with (
        closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager,
        hook() as webhook,
        set_up(folder, articles=8, options=replace(SMALL, no_samples=True)) as setup,
    ):
        manager.bind(str(folder / "notify"))
        manager.settimeout(SOON)
        setup.manager, setup.hook = manager, webhook
        address = f"json://user:geheimnis@127.0.0.1:{webhook.server_port}/token-abcdef"
        # With half an hour between two polls, a poll is not overdue whenever a test advances the clock by that.
        setup.configure(**{"alerts.to": [address], "service.log": "json", "poll.ceiling": 1800})
        with running(
            start_service(setup, NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="600000000")
        ) as setup.process:
            yield setup
            setup.notifications()
            assert stop(setup.process)[0] == 0
            assert "STOPPING=1" in setup.notifications()
        log = setup.process.log.end()
        assert all(json.loads(line)["message"] for line in log.splitlines())
        assert "geheimnis" not in log
        assert "token-abcdef" not in log


@pytest.fixture
def healthy(service):
    """The service in a healthy state. Changes to the site are undone after the test."""
    service.until(lambda: service.failing() == {}, "health")
    yield service
    service.edit = None
    service.fake_site.clear()
    if service.settings.get("archive.reserve"):
        service.reload(**{"archive.reserve": 0})


@contextmanager
def hanging_requests(service, path):
    """Give no response to requests below `path` until the end of the block. It begins at the first such request."""
    hanging, released = threading.Event(), threading.Event()

    def hang(request, response):
        if request.path.startswith(path):
            hanging.set()
            released.wait(SOON)
        return response

    service.edit = hang
    try:
        service.until(hanging.is_set, "the hanging request")
        yield
    finally:
        service.edit = None
        released.set()


def test_systemd_is_notified(healthy):
    """Ready, reloading, and a watchdog message while the worker is alive. A hanging worker sends none and is unhealthy."""
    assert healthy.notifications("READY=1", "WATCHDOG=1")
    healthy.process.send_signal(signal.SIGHUP)
    assert "MONOTONIC_USEC=" in healthy.notifications("RELOADING=1")
    healthy.notifications("READY=1", "STATUS=collecting\n")
    with hanging_requests(healthy, "/rss/"):
        assert "no heartbeat for" in until(lambda: (healthy.failing() or {}).get("worker"), healthy.process)["says"]
        healthy.notifications()
        since = healthy.silent_seconds()
        until(lambda: healthy.silent_seconds() > since + 100, healthy.process, "a hundred checks without a heartbeat")
        assert "WATCHDOG" not in healthy.notifications()
    healthy.notifications("WATCHDOG=1")


def test_sighup_reloads_the_configuration(healthy):
    """All mistakes are reported and the old configuration stays. A valid one is used, including another port."""
    good = healthy.config.read_text()
    healthy.config.write_text(good + "[backfill]\nid_probes = -1\n[markups]\nfolder = 2\n")
    healthy.notifications()
    since = healthy.since()
    healthy.process.send_signal(signal.SIGHUP)
    healthy.notifications("STATUS=collecting with the previous configuration")
    for text in ("[backfill] id_probes", "[markups] folder", "keeping the previous configuration"):
        healthy.process.log.wait(text)
    healthy.reload(**{"site.root": "http://127.0.0.1:1/"})
    healthy.process.log.wait("[site] root cannot change while the service runs")
    assert healthy.failing() == {}
    del healthy.settings["site.root"]
    old, healthy.port = healthy.port, free_port()
    healthy.advance(minutes=1)
    healthy.reload(**{"poll.add": ["/dossiers/"]})
    healthy.until(lambda: value(healthy.archive, "SELECT count(*) FROM sources WHERE url LIKE '%/dossiers/'"))
    healthy.until(lambda: healthy.failing() == {})
    with pytest.raises(httpx.TransportError):
        http_get(f"http://127.0.0.1:{old}/healthz")
    assert healthy.since() == since, "the start of the process, not of its latest configuration"


def test_the_endpoint_moves_to_another_address_and_back_if_the_port_is_in_use(healthy):
    everywhere = f"http://127.0.0.2:{healthy.port}/healthz"
    healthy.reload(**{"service.health": f"0.0.0.0:{healthy.port}"})
    until(lambda: healthy.get_url(everywhere), healthy.process)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        healthy.reload(**{"service.health": f"127.0.0.1:{taken.getsockname()[1]}"})
        healthy.process.log.wait("cannot listen on this address: Address already in use")
    until(lambda: healthy.get_url(everywhere), healthy.process)
    del healthy.settings["service.health"]
    healthy.reload()
    until(lambda: healthy.get() and not healthy.get_url(everywhere), healthy.process)


def test_an_endpoint_whose_addresses_were_taken_opens_at_the_next_reload(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "set_format", lambda *_: None)  # it would change how this process logs
    with socket.create_server(("127.0.0.1", 0)) as old, socket.create_server(("127.0.0.1", 0)) as new:
        addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in (old, new)]
        before, after = (configured(tmp_path, health=address) for address in addresses)
        wanted = [after]
        service = Service(lambda: wanted[-1], environ={})
        service._config, service._endpoint = before, None
        service._worker = SimpleNamespace(reconfigure=lambda _: None)
        service._monitor = SimpleNamespace(config=before, conditions=list, metrics=str)
        with pytest.raises(ConfigError, match=addresses[1]):
            service._move_endpoint(after)
        assert service._endpoint is None
    wanted.append(before)
    service._reload()
    try:
        assert httpx.get(f"http://{addresses[0]}/healthz").status_code == 200
    finally:
        service._close_endpoint()


# --- each failing condition, caused for real ----------------------------------------------------------------------------


def test_the_site_does_not_respond(healthy):
    healthy.fake_site.fault("down")
    assert "overdue" in healthy.wait_failing("poll", "last error")


def test_the_layout_changes(healthy):
    healthy.fake_site.redesign()
    healthy.fake_site.publish(8)
    assert "unknown layout" in healthy.wait_failing("drift")


def test_the_disk_is_near_its_reserve(healthy):
    healthy.notifications()
    healthy.reload(**{"archive.reserve": 10**15})
    healthy.notifications("STATUS=collecting; failing: disk")
    assert "; reserve" in healthy.wait_failing("disk")


def test_a_feed_fails_for_days(healthy):
    healthy.fake_site.fault("error", "/rss/*")
    healthy.until(lambda: value(healthy.archive, "SELECT count(*) FROM sources WHERE state = 'failing'"))
    healthy.advance(days=3)
    assert "no successful response" in healthy.wait_failing("source")


def test_a_section_becomes_empty(healthy):
    def emptied(request, response):
        if not request.path.startswith("/politique/"):
            return response
        headers = tuple((k, v) for k, v in response.headers if k != "Content-Encoding")
        return replace(response, headers=headers, body=b"<html><body><h1>Politique</h1></body></html>")

    healthy.edit = emptied
    assert "responds, but with no articles" in healthy.wait_failing("items")


def test_a_gap_stays_open(healthy):
    """More is published between two polls than the lists show, and neither sitemaps nor further list pages respond."""
    for path in ("/sitemaps/*", "*page=*", "*/p[0-9]*"):
        healthy.fake_site.fault("error", path)
    healthy.until(lambda: value(healthy.archive, "SELECT count(*) FROM sources WHERE state = 'failing'"))
    healthy.fake_site.publish(40)
    healthy.until(lambda: value(healthy.archive, "SELECT count(*) FROM gaps WHERE state = 'open'"), "a gap")
    healthy.advance(hours=50)
    assert "has been open for" in healthy.wait_failing("gap")


def test_a_warc_file_is_damaged(healthy):
    files = (healthy.archive / "warc").rglob
    file = healthy.until(
        lambda: next((f for f in files("*.warc.gz") if f.stat().st_size > 25_000), None), "a WARC file"
    )
    whole = file.read_bytes()
    with file.open("r+b") as out:
        out.seek(len(whole) // 2)
        out.write(bytes(4000))
    healthy.advance(days=8)
    assert "fault" in until(lambda: (healthy.failing() or {}).get("job"), healthy.process)["says"]
    with file.open("r+b") as out:
        out.write(whole)
    healthy.advance(days=2)


@pytest.mark.parametrize("what", ["archive", "archive/vna.db"])
def test_the_archive_is_moved_away(healthy, what):
    """The service waits, creates no new archive in its place, and continues when it is back."""
    away, before = healthy.folder / "away", healthy.process.log.text.count("has disappeared")
    (healthy.folder / what).rename(away)
    healthy.until(lambda: healthy.process.log.text.count("has disappeared") >= before + 2, "two retries")
    assert "archive" in healthy.failing()
    healthy.fake_site.publish(2)
    newest = max(healthy.fake_site.ids())
    assert not (healthy.folder / what).exists()
    away.rename(healthy.folder / what)
    healthy.until(
        lambda: value(healthy.archive, "SELECT count(*) FROM articles WHERE id = ?", newest),
        "the articles published meanwhile",
    )
    healthy.until(lambda: "archive usable again" in healthy.process.log.text, "the recovery")


def test_the_clock_is_set_back(healthy):
    """Rows whose due time was computed with the wrong clock become due at once."""
    held = healthy.held()
    healthy.advance(minutes=30)
    healthy.until(lambda: healthy.held() > held, "a new page")
    healthy.advance(days=-3)
    assert "the archive holds responses from" in healthy.wait_failing("clock")
    healthy.process.log.wait("system clock set back")
    until(
        lambda: value(healthy.archive, "SELECT max(last_ok_at) FROM sources") <= to_text(healthy.now()), healthy.process
    )
    assert "clock" in healthy.failing()  # still failing: the page keeps its timestamp
    healthy.advance(days=3)


@pytest.mark.skipif(find_spec("apprise") is None, reason="the extra [alerts] is not installed")
def test_an_incident_and_its_end_are_each_reported_once(healthy):
    """Also if the delivery fails at first, which is itself a failing condition."""
    healthy.until(lambda: not rows(healthy.archive, UNREPORTED))
    healthy.hook.accepted.clear()
    healthy.hook.status = 500
    healthy.reload(**{"archive.reserve": 10**15})
    assert "could not send the alert to json://127.0.0.1" in healthy.wait_failing("job", "could not send")
    healthy.hook.status = 200
    healthy.until(lambda: any("disk: open since" in alert["message"] for alert in healthy.hook.accepted), "the alert")
    healthy.reload(**{"archive.reserve": 0})
    healthy.until(lambda: not rows(healthy.archive, UNREPORTED), "the recovery")
    sent = "\n".join(alert["message"] for alert in healthy.hook.accepted)
    assert (sent.count("disk: open since"), sent.count("disk: resolved")) == (1, 1)


def test_repeated_exits_are_reported_before_the_work_starts_again(tmp_path):
    """Each process is killed at its first request, until the cause is removed."""
    with set_up(tmp_path) as setup:
        for before in (0, 2):  # earlier exits in a row
            with running(start_service(setup)) as child:
                setup.edit = lambda _, response, pid=child.pid: os.kill(pid, signal.SIGKILL) or response
                assert child.wait(SOON) == -signal.SIGKILL, child.log.text
            assert value(setup.archive, "SELECT failures FROM heartbeats WHERE job = 'service'") == before + bool(
                before
            )
            if not before:
                assert rows(setup.archive, "SELECT kind FROM incidents") == []
                with open_archive(setup.archive) as archive, archive.transaction():
                    archive.db.execute("UPDATE heartbeats SET failures = 2 WHERE job = 'service'")
        (incident,) = rows(setup.archive, "SELECT kind, detail FROM incidents")
        assert incident["kind"] == "restarts"
        assert "unexpectedly 3 times in a row" in incident["detail"]
        setup.edit = None
        with running(start_service(setup)) as child:
            setup.process = child
            assert "4 times" in setup.wait_failing("restarts")
            assert stop(child)[0] == 0
        assert value(setup.archive, "SELECT failures FROM heartbeats WHERE job = 'service'") == 0


JOB_RUNNING = "SELECT 1 FROM heartbeats WHERE state = 'running' AND job <> 'service'"
UNREPORTED = "SELECT 1 FROM incidents WHERE closed_told_at IS NULL"


def test_metrics_are_exported(healthy):
    def page_with_articles():
        text = healthy.get("/metrics").text
        return text if 'vna_articles{state="live"}' in text else None

    page = until(page_with_articles, healthy.process)
    for name in ('vna_articles{state="live"}', "vna_pages{", "vna_sources{", "vna_requests_total{", "vna_received_bytes_total",
                 "vna_fetch_seconds_bucket{", "vna_gaps_open", "vna_last_good_poll_timestamp_seconds", "vna_disk_free_bytes",
                 "vna_disk_reserve_bytes", "vna_drift_ratio", "process_resident_memory_bytes", 'vna_trouble{kind="archive"} 0.0',
                 "vna_incidents_open", 'vna_trouble{kind="disk"} 0.0'):  # fmt: skip
        assert name in page
    assert "_created" not in page
    assert healthy.get("/nothing").status_code == 404
    refused = httpx.post(f"http://127.0.0.1:{healthy.port}/healthz")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert httpx.head(f"http://127.0.0.1:{healthy.port}/healthz").headers["Content-Type"].startswith("application/json")


def test_each_source_is_polled_once_after_a_long_suspend(healthy):
    def polls():
        return healthy.fake_site.state(log=False)["requests"].get("/economie/", 0)

    until(lambda: not rows(healthy.archive, JOB_RUNNING), healthy.process)
    before = polls()
    healthy.process.send_signal(signal.SIGSTOP)
    healthy.advance(hours=30)
    healthy.process.send_signal(signal.SIGCONT)
    until(lambda: polls() > before, healthy.process)
    until(lambda: not rows(healthy.archive, JOB_RUNNING), healthy.process)
    assert polls() == before + 1


# --- the endpoint, in this process ------------------------------------------------------------------------------------


PAGES = {"/healthz": lambda: (200, "text/plain", b"well")}


@contextmanager
def endpoint_url(**limits):
    bugs = []
    with Endpoint("127.0.0.1:0", PAGES, bugs.append, limits=EndpointLimits(**limits)) as endpoint:
        yield endpoint.url
    assert bugs == []


def connected(parts, url):
    """Connect a client; the connection is closed at the end of the block."""
    return parts.enter_context(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=SOON))


def test_a_slow_client_is_disconnected_and_does_not_delay_others():
    with endpoint_url(seconds=0.3) as url, ExitStack() as parts:
        silent, dripping = connected(parts, url), connected(parts, url)
        dripping.send(b"GET /hea")
        assert http_get(f"{url}/healthz").text == "well"
        assert silent.recv(1) == b""
        assert dripping.recv(1) == b""


def test_the_number_of_clients_is_limited():
    with endpoint_url(clients=1, seconds=2 * SOON) as url, ExitStack() as parts:
        first = connected(parts, url)
        assert connected(parts, url).recv(1) == b""
        first.close()
        until(lambda: responds(url))


def responds(url):
    try:
        return http_get(f"{url}/healthz").text == "well"
    except httpx.TransportError:
        return False


# --- an unusable archive, in this process -----------------------------------------------------------------------------


class Passing(StoppableClock):
    """A clock that advances when its user sleeps, and is stopped after a number of sleeps."""

    def __init__(self, sleeps):
        super().__init__()
        self.time, self._left = NOW, sleeps

    def now(self):
        return self.time

    def sleep(self, seconds):
        self.time += timedelta(seconds=seconds)
        self._left -= 1
        if self._left < 0:
            self.stop()


def failing(tmp_path, clock, error):
    def serve(_):
        raise error

    worker = Worker(configured(tmp_path), WatchdogClock(clock), None, lambda: None)
    worker._serve = serve
    return worker


@pytest.mark.parametrize(
    "error", [StorageUnavailable("full", "free some"), AlreadyRunning("a rebuild", "wait")], ids=repr
)
def test_a_running_service_waits_for_its_archive(tmp_path, caplog, error):
    """It retries every minute and logs the error once. The error is reported until it has not recurred for ten minutes."""
    clock = Passing(60)  # sleeps of ten seconds
    worker = failing(tmp_path, clock, error)
    worker.ready.set()
    worker._run()
    assert worker.failure is None
    assert clock.time - NOW >= timedelta(minutes=10)
    assert [record.message for record in caplog.records] == [
        f"archive unusable: {error}; {error.hint}; retrying every minute"
    ]
    assert worker.archive_error(clock.time) is error
    assert worker.archive_error(clock.time + timedelta(minutes=11)) is None


@pytest.mark.parametrize(("error", "ready"), [(StorageUnavailable("full"), False), (StorageError("malformed"), True)])
def test_an_unusable_archive_at_the_start_or_a_damaged_one_ends_the_service(tmp_path, error, ready):
    worker = failing(tmp_path, Passing(60), error)
    if ready:
        worker.ready.set()
    worker._run()
    assert worker.failure is error


# --- the jobs, in this process ----------------------------------------------------------------------------------------


@contextmanager
def job_runner(archive, clock, *todo, **changes):
    changes = {"list_pages": 1, "exclude": ("/sitemaps/*",)} | changes
    with working(archive, clock, command="run", **changes) as context:
        yield JobRunner(context, todo or jobs(configured(archive, **changes)), WatchdogClock(clock)), context


def raising(error):
    def work(_):
        raise error

    return work


LATER = NOW + timedelta(hours=5)
ENDINGS = {
    "configured_pause": (SitePaused("quiet hours", "", LATER, own=True), "paused", LATER),
    "the_site_asks_to_wait": (SitePaused("the site asks to wait", "", LATER), "held", LATER),
    "the_disk_is_full": (StopError("cannot write", "free space"), "failed", NOW + timedelta(minutes=5)),
    "no_connection": (SiteUnavailable("cannot reach it"), "failed", NOW + timedelta(minutes=5)),
    "stop_signal": (Interrupted("asked to stop"), "paused", None),
}


@pytest.mark.parametrize(("error", "state", "due"), ENDINGS.values(), ids=ENDINGS)
def test_an_error_that_the_user_can_fix_is_the_outcome_of_the_job(tmp_path, error, state, due):
    with job_runner(tmp_path, FakeClock(), Job("poll", raising(error))) as (runner, context):
        runner.run_first()
        found = context.archive.jobs()["poll"]
    assert (found.state, found.next_due_at) == (state, due)


def test_a_failed_job_is_retried_with_backoff_up_to_an_hour(tmp_path):
    clock, tries = FakeClock(), []

    def work(context):
        tries.append(context.clock.now())
        raise StopError("no", "")

    with job_runner(tmp_path, clock, Job("verify", work)) as (runner, _):
        for _ in range(400):
            runner.run_due()
            clock.advance(minutes=1)
    waits = [round((b - a).total_seconds() / 60) for a, b in pairwise(tries)]
    assert waits == [5, 10, 20, 40, 60, 60, 60, 60, 60][: len(waits)]
    assert len(waits) > 5


@pytest.mark.parametrize("name", ["heal", "poll", "other"])
def test_a_failed_job_recovers_although_nothing_is_left_to_do(tmp_path, name):
    """Otherwise it would be a failing condition for ever."""
    clock, tries = FakeClock(), []

    def work(_):
        tries.append(name)
        if len(tries) == 1:
            raise StopError("the disk is full", "")
        return JobResult("nothing to do")

    with job_runner(tmp_path, clock, Job(name, work, lambda *_: not tries)) as (runner, context):
        for _ in range(10):
            runner.run_due()
            clock.advance(minutes=1)
        assert context.archive.jobs()[name].state == "ok"
    assert len(tries) == 2


@pytest.mark.parametrize("error", [KeyError("a bug"), StorageError("malformed", "restore it")], ids=["bug", "database"])
def test_an_unexpected_error_ends_the_service(tmp_path, error):
    with pytest.raises(type(error)), job_runner(tmp_path, FakeClock(), Job("poll", raising(error))) as (runner, _):
        runner.run_due()


def test_every_job_runs_and_is_due_again_later(tmp_path):
    clock, target = FakeClock(), tmp_path / "backup"
    with mounted(clock, options=SMALL), job_runner(tmp_path / "archive", clock, backup=target) as (runner, context):
        runner.run_due()
        done = context.archive.jobs()
        assert {name: job.state for name, job in done.items()} == dict.fromkeys(
            ["poll", "robots", "warc", "disk", "optimise", "coverage", "seal", "index", "verify", "backup"], "ok"
        )
        assert (target / "vna.db").exists()
        clock.advance(days=8)
        runner.run_due()
        assert all(job.started_at > done[name].started_at for name, job in context.archive.jobs().items())


def test_a_failed_backup_is_an_outcome_and_does_not_end_the_service(tmp_path):
    disk = tmp_path / "disk"
    disk.symlink_to("unplugged")
    (todo,) = (job for job in jobs(configured(tmp_path / "a", backup=disk)) if job.name == "backup")
    with job_runner(tmp_path / "a", FakeClock(), todo) as (runner, context):
        runner.run_due()
        done = context.archive.jobs()["backup"]
    assert done.state == "failed"
    assert f"{disk} is a broken symbolic link" in done.outcome


@pytest.mark.parametrize("name", ["backup", "verify", "coverage"])
def test_long_jobs_send_heartbeats_and_can_be_stopped(tmp_path, name):
    watchdog = WatchdogClock(FakeClock())
    (todo,) = (job for job in jobs(configured(tmp_path / "a", backup=tmp_path / "b")) if job.name == name)
    with mounted(FakeClock(), options=SMALL), working(tmp_path / "a", FakeClock()) as context:
        with recorded(context, "poll"):
            poll_sources(context, ignore_due=False)
        todo.work(replace(context, clock=watchdog))
        assert watchdog.beats > 2
        stopped = replace(context, stopping=lambda: True)
        if name == "verify":
            assert todo.work(stopped).due_at is None, "unfinished, so due at once"
        else:
            with pytest.raises(Interrupted):
                todo.work(stopped)


class Cycle:
    """An object that only the garbage collector frees."""


@pytest.mark.parametrize("error", [None, StopError("no", "")], ids=["done", "failed"])
def test_the_memory_of_a_job_is_released_after_it(tmp_path, error):
    def work(_):
        for number in range(1000):
            fold.stem(f"mot{number}")
        if error is not None:
            raise error
        return JobResult("done")

    gc.disable()
    try:
        cycle = Cycle()
        cycle.itself = cycle
        gone = weakref.ref(cycle)
        del cycle
        with job_runner(tmp_path, FakeClock(), Job("poll", work)) as (runner, _):
            runner.run_first()
        assert gone() is None
        assert fold.stem.cache_info().currsize == 0
    finally:
        gc.enable()


def sqlite_memory():
    """Return the bytes of memory that SQLite uses in this process; skip the test where it does not count them."""
    counted = getattr(ctypes.CDLL(_sqlite3.__file__), "sqlite3_memory_used", None)
    if counted is None:
        pytest.skip("SQLite is built without its memory statistics")
    counted.restype = ctypes.c_int64
    return counted()


@pytest.mark.parametrize("error", [None, StopError("no", "")], ids=["done", "failed"])
def test_the_cache_of_the_database_is_released_after_a_job(tmp_path, error):
    used = []

    def work(run):
        run.archive.db.conn.execute("CREATE TABLE filler AS SELECT randomblob(1500000) AS bytes")
        used.append(sqlite_memory())
        if error is not None:
            raise error
        return JobResult("done")

    with job_runner(tmp_path, FakeClock(), Job("poll", work)) as (runner, _):
        runner.run_first()
        assert sqlite_memory() < used[0] - 1_000_000


def test_each_step_of_a_job_is_a_heartbeat_and_every_tenth_releases_memory(tmp_path):
    """Otherwise a long job, such as the first poll, would need more memory from then on."""
    watchdog, kept = WatchdogClock(FakeClock()), []

    def step(progress):
        fold.stem("mot")
        progress.step(Outcome(OutcomeKind.NEW, id=1))
        kept.append(fold.stem.cache_info().currsize > 0)

    for number in range(1000):
        fold.stem(f"mot{number}")
    progress = JobProgress(watchdog)
    progress.phase("pages", 12)
    for _ in range(12):
        step(progress)
    assert watchdog.beats == 12
    assert kept == [True] * 9 + [False] + [True] * 2


def test_the_steps_of_a_job_are_logged_with_the_run_and_the_address(tmp_path):
    """Routine outcomes are logged at debug level."""
    log = io.StringIO()

    def work(run):
        with recorded(run, "poll"):
            for kind in (OutcomeKind.NEW, OutcomeKind.UNCHANGED):
                run.progress.step(Outcome(kind, id=1, url=f"{SITE}/titre-post1.vnp"))
        return JobResult("done")

    with (
        job_runner(tmp_path, FakeClock(), Job("poll", work)) as (runner, _),
        logs.logging_to(log, "json", verbose=True),
    ):
        runner.run_first()
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    about = {"part": "worker", "run": 1, "url": f"{SITE}/titre-post1.vnp"}
    found = [{key: line[key] for key in ("level", "message", *about)} for line in lines if "url" in line]
    assert found == [
        {"level": "info", "message": "new: 1"} | about,
        {"level": "debug", "message": "unchanged: 1"} | about,
    ]


def test_an_open_backfill_runs_while_nothing_else_is_due(tmp_path):
    clock = FakeClock()
    with mounted(clock, options=SMALL), job_runner(tmp_path, clock, rate=0.1, ceiling=300) as (runner, context):
        runner.run_first()
        held = value(tmp_path, "SELECT count(*) FROM articles")
        backfill.open_plan(context, BackfillRequest("lists", date(2010, 1, 1), NOW.date()), until_given=True)
        while value(tmp_path, "SELECT state FROM plans") == "open":
            runner.run_due()
            clock.advance(seconds=10)
    done = [row["command"] for row in rows(tmp_path, "SELECT command FROM runs ORDER BY id")]
    assert any(trio == ("backfill", "poll", "backfill") for trio in zip(done, done[1:], done[2:], strict=False))
    assert value(tmp_path, "SELECT count(*) FROM articles") > held
    assert_intact(tmp_path)


def test_a_missing_database_is_a_failing_condition_and_is_not_created(tmp_path):
    with working(tmp_path, FakeClock()):
        pass
    monitor = HealthMonitor(configured(tmp_path), lambda: NOW, lambda: 0.0, timedelta())
    (tmp_path / "vna.db").rename(tmp_path / "elsewhere")
    (condition,) = monitor.conditions()
    assert (condition.kind, condition.failing) == ("archive", True)
    status, _, page = monitor.metrics()
    assert (status, b'vna_trouble{kind="archive"} 1.0' in page) == (200, True)
    monitor.check()
    assert not (tmp_path / "vna.db").exists()


def test_timers_are_restarted_after_the_clock_was_set_back():
    scheduler = BackgroundScheduler(timezone=UTC)
    job = scheduler.add_job(print, "interval", seconds=10)
    scheduler.start(paused=True)
    try:
        job.modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
        restart_timers(scheduler)
        assert job.next_run_time <= datetime.now(UTC) + timedelta(seconds=10)
    finally:
        scheduler.shutdown()
