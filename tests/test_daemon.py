"""The service as a process: signals, the lock, the configuration read again, and each state of health over HTTP.

The site is the double on a real socket; a process's clock is the machine's, moved by a file where time must pass.
"""

from __future__ import annotations

import fcntl
import gc
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

import httpx
import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from support import NOW, ROOT, SEEDS, FakeClock, hook, intact, mounted, process, rows, settled, value, vna, working

from crawler import backfill, config
from crawler.cli.signals import held_back
from crawler.clock import StoppableClock, to_text
from crawler.daemon import Rhythm, Service
from crawler.daemon.endpoint import Bounds, Endpoint
from crawler.daemon.jobs import Job, jobs
from crawler.daemon.service import count_anew
from crawler.daemon.signal_waiter import signals
from crawler.daemon.watch import Watch
from crawler.daemon.watchdog import Pulse
from crawler.daemon.worker import Turns, Worker
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
from crawler.pipeline.run import recorded
from crawler.pipeline.sources import poll_sources
from crawler.plans import Asked
from crawler.sim.site import Options, build, serve
from crawler.sim.site.story import SECTIONS
from crawler.storage import open_archive

SOON = 60.0  # seconds after which something that should have come is missing; on a machine with much else to do
PATIENCE = 0.5  # seconds until time is helped on
SMALL = Options(sections=SECTIONS[:2], section_size=6, feed_size=6, home_size=8)


def free_port():
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(found, one=None, what="it"):
    """Look again and again until something is found; when it is not, show what the process said."""
    end = time.monotonic() + SOON
    while time.monotonic() < end:
        if seen := found():
            return seen
        time.sleep(0.02)
    raise AssertionError(f"{what} did not come within {SOON} s\n{one.log.text[-2000:] if one else ''}")


class Log:
    """What a process writes on stderr, read while it runs."""

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

    def wait(self, words):
        until(lambda: words in self.text, what=words)


@dataclass
class Stage:
    """A double of the site, an archive and a configuration for it."""

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

    def respond(self, request):
        """What the double answers, changed by `edit`."""
        answer = self.double.respond(request)
        return self.edit(request, answer) if self.edit else answer

    def configure(self, **settings):
        self.settings |= settings
        keys = {"site.root": self.site.url, "politeness.rate": 0, "politeness.timeout": 10, "politeness.attempts": 1, "poll.list_pages": 1, "archive.dir": "archive",
                "archive.reserve": 0, "poll.ceiling": 300, "service.health": f"127.0.0.1:{self.port}", **self.settings}  # fmt: skip
        tables = {}
        for name, content in keys.items():
            table, key = name.split(".")
            tables.setdefault(table, []).append(f"{key} = {json.dumps(content)}")
        self.config.parent.mkdir(exist_ok=True)
        self.config.write_text("".join(f"[{table}]\n" + "\n".join(lines) + "\n" for table, lines in tables.items()))
        tomllib.loads(self.config.read_text())

    def move(self, **time_):
        """Let time pass, in which the agency is not idle."""
        if time_:
            self.double.publish(1)
        self.ahead += timedelta(**time_).total_seconds()
        fresh = self.folder / "ahead.new"
        fresh.write_text(str(self.ahead))
        fresh.replace(self.folder / "ahead")

    def ask(self, path="/healthz"):
        return self.ask_at(f"http://127.0.0.1:{self.port}{path}")

    @staticmethod
    def ask_at(url):
        try:
            return httpx.get(url, timeout=5)
        except httpx.TransportError:
            return None

    def at_work(self):
        """Whether a job is being done: time that ran ahead of it would be trouble by itself."""
        try:
            return bool(rows(self.archive, AT_WORK))
        except StorageError:
            return False

    def since(self):
        """Since when the service says that it has the archive."""
        return json.loads((self.archive / "vna-collect.lock").read_text())["since"]

    def held(self):
        """How many articles the archive holds; none before there is one."""
        try:
            return value(self.archive, "SELECT count(*) FROM articles")
        except StorageError:
            return 0

    def red(self):
        """What is red, by kind; None when nobody answers."""
        answer = self.ask()
        if answer is None:
            return None
        found = {c["kind"]: c for c in answer.json()["conditions"] if c["red"]}
        assert answer.status_code == (503 if found else 200)
        return found

    def until(self, found, what="it"):
        """Look until something is found; time goes on while it is not, and while nothing is being done about it."""
        rest = time.monotonic()  # since when it is at rest, or has time to find out that something is due

        def look():
            nonlocal rest
            if self.at_work():
                rest = time.monotonic()
            seen = found()
            if not seen and time.monotonic() - rest > PATIENCE:
                self.move(minutes=30)
                rest = time.monotonic()
            return seen

        return until(look, self.process, what)

    def becomes(self, kind, words=""):
        """Wait until one kind of trouble is red; give what it says."""

        def says():
            told = (self.red() or {}).get(kind, {}).get("says")
            return told if told and words in told else None

        self.move(minutes=30)
        return self.until(says, kind)

    def reload(self, **settings):
        self.configure(**settings)
        self.process.send_signal(signal.SIGHUP)

    def load(self):
        return config.load(self.config)

    def heard(self, *words):
        """What systemd was told until all of these words came; what waits already, without words."""
        told, end = "", time.monotonic() + SOON
        while not all(word in told for word in words) or (not words and select.select([self.manager], [], [], 0)[0]):
            assert time.monotonic() < end, told[-2000:]
            told += self.manager.recv(4096).decode() + "\n"
        return told


@contextmanager
def staged(folder, articles=0, **settings):
    stage = Stage(folder)

    def make(url):
        stage.double = build(url, seeds_dir=SEEDS, articles=articles, now=stage.now, options=SMALL)
        return stage.double

    with serve(make) as stage.site:
        stage.site._server.replica = stage
        stage.configure(**settings)
        stage.move()
        yield stage


def moved(stage, **env):
    """The service with a clock that the stage moves."""
    command = [sys.executable, ROOT / "tests" / "daemon_child.py", stage.config, stage.folder / "ahead"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.DEVNULL, "env": {**os.environ, **env}}
    return subprocess.Popen(list(map(str, command)), cwd=ROOT, **pipes)


@contextmanager
def running(one):
    """A process until the block ends; killed if it has not ended by itself."""
    with one:
        try:
            one.log = Log(one)
            yield one
        finally:
            one.kill()
            one.wait()
            one.log.end()


def ended(one, number=signal.SIGTERM):
    """Ask a process to end; give its exit code and how long it took."""
    begun = time.monotonic()
    one.send_signal(number)
    return one.wait(SOON), time.monotonic() - begun


# --- signals, and one instance ----------------------------------------------------------------------------------------


def test_it_polls_answers_and_ends_with_the_page_in_hand(tmp_path):
    """Ended in the middle and begun again: nothing lost, nothing asked for twice. A second one is told of the first."""
    with staged(tmp_path, **{"poll.list_pages": 20, "politeness.rate": 25, "service.log": "json"}) as stage:
        every = stage.double.ids()
        with running(process("--config", stage.config, "run")) as one:
            until(stage.held, one)
            assert stage.red() == {}
            with pytest.raises(AlreadyRunning) as refused:
                Service(stage.load).run()
            code, seconds = ended(one)
        assert (code, seconds < 5) == (0, True), one.log.text
        begun = rows(stage.archive, "SELECT started_at FROM runs")[0]["started_at"]
        assert f"`vna run` (pid {one.pid}, since {begun[:15]}" in str(refused.value)
        assert 0 < stage.held() < len(every)
        stage.configure(**{"politeness.rate": 0})
        with running(moved(stage)) as one:
            until(lambda: stage.held() == len(every), one)
            assert ended(one, signal.SIGINT)[0] == 0
        asked = stage.double.state()["requests"]
        assert {asked[stage.double.story(i).path] for i in every} == {1}
        intact(stage.archive)
    lines = [json.loads(line) for line in one.log.text.splitlines()]
    assert {"at", "level", "part", "message"} <= set(lines[0])
    assert [line for line in lines if line.get("run") and "-post" in line.get("url", "")]
    assert "`vna probe`" in one.log.text


class Slow(Service):
    """A service that takes its time to open its endpoint."""

    def _begin(self):
        time.sleep(0.3)
        super()._begin()


def test_a_port_that_is_taken_is_named(tmp_path):
    """And a service that cannot begin leaves the site alone."""
    with staged(tmp_path) as stage, closing(socket.create_server(("127.0.0.1", stage.port))):
        with pytest.raises(ConfigError, match=f"127.0.0.1:{stage.port}") as refused:
            Slow(stage.load).run()
        assert "choose another port" in refused.value.hint
        assert not stage.double.state()["requests"]


def test_a_signal_that_comes_too_early_is_heard_later():
    with held_back(signal.SIGHUP):
        signal.pthread_kill(threading.get_ident(), signal.SIGHUP)
        with signals(signal.SIGHUP) as door:
            assert door.came() == {signal.SIGHUP}
            assert door.wait(SOON) == {signal.SIGHUP}


def test_the_end_is_asked_for_before_the_archive_is_had(tmp_path):
    """Somebody makes it, or migrates it, for long."""
    (tmp_path / "archive").mkdir()
    with staged(tmp_path) as stage, (tmp_path / "archive" / "vna.opening").open("ab") as opening:
        fcntl.flock(opening, fcntl.LOCK_EX)
        asking = threading.Timer(0.1, signal.pthread_kill, [threading.get_ident(), signal.SIGTERM])
        asking.start()
        Service(stage.load, rhythm=Rhythm(grace=0.1)).run()
        fcntl.flock(opening, fcntl.LOCK_UN)
        for thread in threading.enumerate():
            if thread.name == "worker":
                thread.join(SOON)
        assert not stage.double.state()["requests"]


def test_too_few_files_that_may_be_open(tmp_path):
    """More are taken where they may be; else it says so at the start, and not after days by evidence that seems damaged."""
    program = """
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from crawler.daemon.service import need_files
setrlimit(RLIMIT_NOFILE, (64, getrlimit(RLIMIT_NOFILE)[1]))
need_files()
print(getrlimit(RLIMIT_NOFILE)[0])
setrlimit(RLIMIT_NOFILE, (64, 64))
need_files()
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "256\n"
    assert "StopError: it may open no more than 64 files at a time, and needs 256" in done.stderr


def test_the_real_site_is_not_called_on_without_a_contact(tmp_path):
    outcome = vna("--archive", tmp_path / "new", "--site", "https://localhost.invalid/", "run")
    assert outcome.code == 1
    assert not (tmp_path / "new").exists()


class Broken(StoppableClock):
    """A clock that cannot be read after a while."""

    def __init__(self, reads):
        super().__init__()
        self._reads = reads

    def now(self):
        self._reads -= 1
        if self._reads < 0:
            raise ZeroDivisionError("no time")
        return super().now()


@pytest.mark.parametrize("reads", [3, 60], ids=["at_the_start", "at_work"])
def test_a_bug_ends_it_with_a_traceback(tmp_path, capsys, reads):
    with staged(tmp_path) as stage, pytest.raises(ZeroDivisionError):
        Service(stage.load, clock=Broken(reads)).run()
    told = capsys.readouterr().err
    assert "CRITICAL a bug ends the service" in told
    assert "Traceback" in told
    assert "ZeroDivisionError: no time" in told


# --- one service for all that follows: each test leaves it well -------------------------------------------------------


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    with (
        closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager,
        hook() as webhook,
        staged(folder) as stage,
    ):
        manager.bind(str(folder / "notify"))
        manager.settimeout(SOON)
        stage.manager, stage.hook = manager, webhook
        address = f"json://user:geheimnis@127.0.0.1:{webhook.server_port}/token-abcdef"
        stage.configure(**{"alerts.to": [address], "service.log": "json"})
        with running(moved(stage, NOTIFY_SOCKET=str(folder / "notify"), WATCHDOG_USEC="600000000")) as stage.process:
            yield stage
            stage.heard()
            assert ended(stage.process)[0] == 0
            assert "STOPPING=1" in stage.heard()
        log = stage.process.log.end()
        assert all(json.loads(line)["message"] for line in log.splitlines())
        assert "geheimnis" not in log
        assert "token-abcdef" not in log


@pytest.fixture
def well(service):
    """The service, well; whatever a test does to the site is undone behind it."""
    service.until(lambda: service.red() == {}, "health")
    yield service
    service.edit = None
    service.double.clear()
    if service.settings.get("archive.reserve"):
        service.reload(**{"archive.reserve": 0})


def test_systemd_hears_of_it(well):
    """Ready, reloading, alive while the worker moves, and silent while it hangs, which is red, too."""
    assert well.heard("READY=1", "WATCHDOG=1")
    well.process.send_signal(signal.SIGHUP)
    assert "MONOTONIC_USEC=" in well.heard("RELOADING=1")
    assert "STATUS=collecting\n" in well.heard("READY=1")
    well.double.fault("hang", "/rss/*", times=1, seconds=3)
    well.until(lambda: not well.double.state(log=False)["faults"], "the request that hangs")
    assert "no sign of life" in until(lambda: (well.red() or {}).get("worker"), well.process)["says"]
    well.heard()
    time.sleep(0.3)
    assert "WATCHDOG" not in well.heard()
    well.heard("WATCHDOG=1")


def test_the_configuration_is_read_again_at_sighup(well):
    """Mistakes are told, all of them, and the old one stays; a good one is taken over, another port too."""
    good = well.config.read_text()
    well.config.write_text(good + "[backfill]\nid_probes = -1\n[markups]\nfolder = 2\n")
    well.heard()
    since = well.since()
    well.process.send_signal(signal.SIGHUP)
    well.heard("STATUS=collecting with the old configuration")
    for words in ("[backfill] id_probes", "[markups] folder", "going on with the old configuration"):
        well.process.log.wait(words)
    well.reload(**{"site.root": "http://127.0.0.1:1/"})
    well.process.log.wait("[site] root cannot change while the service runs")
    assert well.red() == {}
    del well.settings["site.root"]
    old, well.port = well.port, free_port()
    well.move(minutes=1)
    well.reload(**{"poll.add": ["/dossiers/"]})
    well.until(lambda: value(well.archive, "SELECT count(*) FROM sources WHERE url LIKE '%/dossiers/'"))
    well.until(lambda: well.red() == {})
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{old}/healthz")
    assert well.since() == since, "of the process, and not of its newest configuration"


def test_health_moves_to_all_addresses_of_its_port_and_back_from_a_port_that_is_taken(well):
    everywhere = f"http://127.0.0.2:{well.port}/healthz"
    well.reload(**{"service.health": f"0.0.0.0:{well.port}"})
    until(lambda: well.ask_at(everywhere), well.process)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        well.reload(**{"service.health": f"127.0.0.1:{taken.getsockname()[1]}"})
        well.process.log.wait("cannot listen there: Address already in use")
    until(lambda: well.ask_at(everywhere), well.process)
    del well.settings["service.health"]
    well.reload()
    until(lambda: well.ask() and not well.ask_at(everywhere), well.process)


# --- each state of health, brought about for real -----------------------------------------------------------------------


def test_the_site_does_not_answer(well):
    well.double.fault("down")
    assert "have gone by" in well.becomes("poll", "it says")


def test_the_layout_changes(well):
    well.double.redesign()
    well.double.publish(8)
    assert "markup that is not known" in well.becomes("drift")


def test_the_disk_is_near_its_reserve(well):
    well.heard()
    well.reload(**{"archive.reserve": 10**15})
    well.heard("STATUS=collecting; trouble: disk")
    assert "the reserve" in well.becomes("disk")


def test_a_feed_fails_for_days(well):
    well.double.fault("error", "/rss/*")
    well.until(lambda: value(well.archive, "SELECT count(*) FROM sources WHERE state = 'failing'"))
    well.move(days=3)
    assert "no good answer since" in well.becomes("source")


def test_a_section_runs_empty(well):
    def emptied(request, response):
        if not request.path.startswith("/politique/"):
            return response
        headers = tuple((k, v) for k, v in response.headers if k != "Content-Encoding")
        return replace(response, headers=headers, body=b"<html><body><h1>Politique</h1></body></html>")

    well.edit = emptied
    assert "shows no article" in well.becomes("items")


def test_a_gap_stays_open(well):
    """More is published between two polls than the lists show, and neither sitemaps nor further pages help."""
    for path in ("/sitemaps/*", "*page=*", "*/p[0-9]*"):
        well.double.fault("error", path)
    well.until(lambda: value(well.archive, "SELECT count(*) FROM sources WHERE state = 'failing'"))
    well.double.publish(40)
    well.until(lambda: value(well.archive, "SELECT count(*) FROM gaps WHERE state = 'open'"), "a gap")
    well.move(hours=50)
    assert "could not be filled" in well.becomes("gap")


def test_evidence_is_damaged(well):
    files = (well.archive / "warc").rglob
    file = well.until(lambda: next((f for f in files("*.warc.gz") if f.stat().st_size > 100_000), None), "evidence")
    whole = file.read_bytes()
    with file.open("r+b") as out:
        out.seek(len(whole) // 2)
        out.write(bytes(4000))
    well.move(days=8)
    assert "faults" in until(lambda: (well.red() or {}).get("job"), well.process)["says"]
    with file.open("r+b") as out:
        out.write(whole)
    well.move(days=2)


@pytest.mark.parametrize("what", ["archive", "archive/vna.db"])
def test_the_archive_is_moved_away(well, what):
    """It waits, makes none in its place, and goes on when it is there again."""
    away, before = well.folder / "away", well.process.log.text.count("is not there any more")
    (well.folder / what).rename(away)
    well.until(lambda: well.process.log.text.count("is not there any more") >= before + 2, "the trouble, twice")
    assert "archive" in well.red()
    well.double.publish(2)
    newest = max(well.double.ids())
    assert not (well.folder / what).exists()
    away.rename(well.folder / what)
    well.until(lambda: value(well.archive, "SELECT count(*) FROM articles WHERE id = ?", newest), "what came meanwhile")
    well.until(lambda: "the archive can be used again" in well.process.log.text, "the end of it")


def test_the_clock_is_set_back(well):
    """What a clock that ran ahead put off is not waited for."""
    held = well.held()
    well.move(minutes=30)
    well.until(lambda: well.held() > held, "a page of today")
    well.move(days=-3)
    assert "the archive has answers of" in well.becomes("clock")
    well.process.log.wait("the clock went back")
    until(lambda: value(well.archive, "SELECT max(last_ok_at) FROM sources") <= to_text(well.now()), well.process)
    assert "clock" in well.red()  # still: a page of today is dated as it was
    well.move(days=3)


@pytest.mark.skipif(find_spec("apprise") is None, reason="the extra [alerts] is not installed")
def test_a_trouble_is_told_once_and_so_is_its_end(well):
    """Also when the telling fails at first, which is shown, too."""
    well.until(lambda: not rows(well.archive, UNTOLD))
    well.hook.told.clear()
    well.hook.status = 500
    well.reload(**{"archive.reserve": 10**15})
    assert "could not tell json://127.0.0.1" in well.becomes("job", "could not tell")
    well.hook.status = 200
    well.until(lambda: any("disk, since" in one["message"] for one in well.hook.told), "the alert")
    well.reload(**{"archive.reserve": 0})
    well.until(lambda: not rows(well.archive, UNTOLD), "the recovery")
    told = "\n".join(one["message"] for one in well.hook.told)
    assert (told.count("disk, since"), told.count("disk: over")) == (1, 1)


def test_ends_again_and_again_are_told_before_what_ends_it_is_begun_anew(tmp_path):
    """Each process is killed by its first request, until the machine is mended."""
    with staged(tmp_path) as stage:
        for before in (0, 2):  # ends that there were before
            with running(moved(stage)) as one:
                stage.edit = lambda _, answer, pid=one.pid: os.kill(pid, signal.SIGKILL) or answer
                assert one.wait(SOON) == -signal.SIGKILL, one.log.text
            assert value(stage.archive, "SELECT failures FROM heartbeats WHERE job = 'service'") == before + bool(
                before
            )
            if not before:
                assert rows(stage.archive, "SELECT kind FROM incidents") == []
                with open_archive(stage.archive) as archive, archive.transaction():
                    archive.db.execute("UPDATE heartbeats SET failures = 2 WHERE job = 'service'")
        (incident,) = rows(stage.archive, "SELECT kind, detail FROM incidents")
        assert incident["kind"] == "restarts"
        assert "3 times in a row without being asked to" in incident["detail"]
        stage.edit = None
        with running(moved(stage)) as one:
            stage.process = one
            assert "4 times" in stage.becomes("restarts")
            assert ended(one)[0] == 0
        assert value(stage.archive, "SELECT failures FROM heartbeats WHERE job = 'service'") == 0


AT_WORK = "SELECT 1 FROM heartbeats WHERE state = 'running' AND job <> 'service'"
UNTOLD = "SELECT 1 FROM incidents WHERE closed_told_at IS NULL"


def test_figures_are_there_for_a_monitor(well):
    page = well.ask("/metrics").text
    for name in ('vna_articles{state="live"}', "vna_pages{", "vna_sources{", "vna_requests_total{", "vna_received_bytes_total",
                 "vna_fetch_seconds_bucket{", "vna_gaps_open", "vna_last_good_poll_timestamp_seconds", "vna_disk_free_bytes",
                 "vna_disk_reserve_bytes", "vna_drift_ratio", "process_resident_memory_bytes", 'vna_trouble{kind="archive"} 0.0',
                 "vna_incidents_open", 'vna_trouble{kind="disk"} 0.0'):  # fmt: skip
        assert name in page
    assert "_created" not in page
    assert well.ask("/nothing").status_code == 404
    refused = httpx.post(f"http://127.0.0.1:{well.port}/healthz")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
    assert httpx.head(f"http://127.0.0.1:{well.port}/healthz").headers["Content-Type"].startswith("application/json")


def test_it_catches_up_once_after_a_long_stop(well):
    def asked():
        return well.double.state(log=False)["requests"].get("/economie/", 0)

    until(lambda: not rows(well.archive, AT_WORK), well.process)
    before = asked()
    well.process.send_signal(signal.SIGSTOP)
    well.move(hours=30)
    well.process.send_signal(signal.SIGCONT)
    until(lambda: asked() > before, well.process)
    until(lambda: not rows(well.archive, AT_WORK), well.process)
    assert asked() == before + 1


# --- the endpoint, in this process ------------------------------------------------------------------------------------


PAGES = {"/healthz": lambda: (200, "text/plain", b"well")}


@contextmanager
def answering(**bounds):
    bugs = []
    with Endpoint("127.0.0.1:0", PAGES, bugs.append, Bounds(**bounds)) as endpoint:
        yield endpoint.url
    assert bugs == []


def joined(parts, url):
    """A client that has connected; it is sent away with its block, if not before."""
    return parts.enter_context(socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=SOON))


def test_who_says_nothing_is_sent_away_and_keeps_nobody_waiting():
    with answering(seconds=0.3) as url, ExitStack() as parts:
        silent, dripping = joined(parts, url), joined(parts, url)
        dripping.send(b"GET /hea")
        assert httpx.get(f"{url}/healthz").text == "well"
        assert silent.recv(1) == b""
        assert dripping.recv(1) == b""


def test_there_is_room_for_so_many_clients_and_for_others_when_they_have_gone():
    with answering(clients=1, seconds=2 * SOON) as url, ExitStack() as parts:
        first = joined(parts, url)
        assert joined(parts, url).recv(1) == b""
        first.close()
        until(lambda: answered(url))


def answered(url):
    try:
        return httpx.get(f"{url}/healthz").text == "well"
    except httpx.TransportError:
        return False


# --- an archive that cannot be used, in this process -------------------------------------------------------------------


class Passing(StoppableClock):
    """A clock that goes on when somebody sleeps, and is stopped after some times."""

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

    worker = Worker(settled(tmp_path), Pulse(clock), None, lambda: None)
    worker._serve = serve
    return worker


@pytest.mark.parametrize(
    "error", [StorageUnavailable("full", "free some"), AlreadyRunning("a rebuild", "wait")], ids=repr
)
def test_a_running_service_waits_for_its_archive(tmp_path, caplog, error):
    """It tries again every minute, and says so once; the trouble shows until it has not come back for ten minutes."""
    clock = Passing(60)  # naps of ten seconds
    worker = failing(tmp_path, clock, error)
    worker.ready.set()
    worker._run()
    assert worker.failure is None
    assert clock.time - NOW >= timedelta(minutes=10)
    assert [record.message for record in caplog.records] == [
        f"the archive cannot be used: {error}; {error.hint}; tried again every minute"
    ]
    assert worker.trouble(clock.time) is error
    assert worker.trouble(clock.time + timedelta(minutes=11)) is None


@pytest.mark.parametrize(("error", "ready"), [(StorageUnavailable("full"), False), (StorageError("malformed"), True)])
def test_at_its_start_or_when_it_is_damaged_it_does_not(tmp_path, error, ready):
    worker = failing(tmp_path, Passing(60), error)
    if ready:
        worker.ready.set()
    worker._run()
    assert worker.failure is error


# --- the jobs, in this process ----------------------------------------------------------------------------------------


@contextmanager
def turning(archive, clock, *todo, **changes):
    changes = {"list_pages": 1, "exclude": ("/sitemaps/*",)} | changes
    with working(archive, clock, command="run", **changes) as context:
        yield Turns(context, todo or jobs(settled(archive, **changes)), Pulse(clock)), context


def raising(error):
    def work(_):
        raise error

    return work


LATER = NOW + timedelta(hours=5)
ENDINGS = {
    "our_own_wish": (SitePaused("quiet hours", "", LATER, own=True), "paused", LATER),
    "the_sites_wish": (SitePaused("it asks for patience", "", LATER), "held", LATER),
    "the_disk_is_full": (StopError("cannot write", "free space"), "failed", NOW + timedelta(minutes=5)),
    "no_connection": (SiteUnavailable("cannot reach it"), "failed", NOW + timedelta(minutes=5)),
    "asked_to_stop": (Interrupted("asked to stop"), "paused", None),
}


@pytest.mark.parametrize(("error", "state", "due"), ENDINGS.values(), ids=ENDINGS)
def test_what_a_user_can_mend_is_a_result_on_the_jobs_row(tmp_path, error, state, due):
    with turning(tmp_path, FakeClock(), Job("poll", raising(error))) as (turns, context):
        turns.first()
        found = context.archive.jobs()["poll"]
    assert (found.state, found.next_due_at) == (state, due)


def test_a_failed_job_is_tried_again_after_ever_longer_times_up_to_an_hour(tmp_path):
    clock, tries = FakeClock(), []

    def work(context):
        tries.append(context.clock.now())
        raise StopError("no", "")

    with turning(tmp_path, clock, Job("verify", work)) as (turns, _):
        for _ in range(400):
            turns.turn()
            clock.advance(minutes=1)
    waits = [round((b - a).total_seconds() / 60) for a, b in pairwise(tries)]
    assert waits == [5, 10, 20, 40, 60, 60, 60, 60, 60][: len(waits)]
    assert len(waits) > 5


@pytest.mark.parametrize("error", [KeyError("a bug"), StorageError("malformed", "restore it")], ids=["bug", "database"])
def test_what_cannot_go_on_ends_the_service(tmp_path, error):
    with pytest.raises(type(error)), turning(tmp_path, FakeClock(), Job("poll", raising(error))) as (turns, _):
        turns.turn()


def test_every_job_does_its_work_and_comes_back_in_its_time(tmp_path):
    clock, target = FakeClock(), tmp_path / "backup"
    with mounted(clock, options=SMALL), turning(tmp_path / "archive", clock, backup=target) as (turns, context):
        turns.turn()
        done = context.archive.jobs()
        assert {name: job.state for name, job in done.items()} == dict.fromkeys(
            ["poll", "robots", "warc", "disk", "optimise", "coverage", "verify", "backup"], "ok"
        )
        assert (target / "vna.db").exists()
        clock.advance(days=8)
        turns.turn()
        assert all(job.started_at > done[name].started_at for name, job in context.archive.jobs().items())


def test_a_backup_that_cannot_be_made_is_a_result_and_not_the_end(tmp_path):
    disk = tmp_path / "disk"
    disk.symlink_to("unplugged")
    (todo,) = (job for job in jobs(settled(tmp_path / "a", backup=disk)) if job.name == "backup")
    with turning(tmp_path / "a", FakeClock(), todo) as (turns, context):
        turns.turn()
        done = context.archive.jobs()["backup"]
    assert done.state == "failed"
    assert f"{disk} leads nowhere" in done.outcome


@pytest.mark.parametrize("name", ["backup", "verify", "coverage"])
def test_long_work_shows_life_and_ends_when_it_is_asked_to(tmp_path, name):
    pulse = Pulse(FakeClock())
    (todo,) = (job for job in jobs(settled(tmp_path / "a", backup=tmp_path / "b")) if job.name == name)
    with mounted(FakeClock(), options=SMALL), working(tmp_path / "a", FakeClock()) as context:
        with recorded(context, "poll"):
            poll_sources(context, ignore_due=False)
        todo.work(replace(context, clock=pulse))
        assert pulse.beats > 2
        asked = replace(context, stopping=lambda: True)
        if name == "verify":
            assert todo.work(asked).due_at is None, "not finished: it is due at once"
        else:
            with pytest.raises(Interrupted):
                todo.work(asked)


class Cycle:
    """What only a collection frees."""


@pytest.mark.parametrize("name", ["optimise", "coverage", "verify"])
def test_what_a_job_needed_is_free_behind_it(tmp_path, name):
    (todo,) = (job for job in jobs(settled(tmp_path)) if job.name == name)
    gc.disable()
    try:
        with working(tmp_path, FakeClock()) as context:
            cycle = Cycle()
            cycle.itself = cycle
            gone = weakref.ref(cycle)
            del cycle
            todo.work(context)
            assert gone() is None
    finally:
        gc.enable()


def test_an_open_plan_goes_on_while_nothing_is_due_and_polls_come_first(tmp_path):
    clock = FakeClock()
    with mounted(clock, options=SMALL), turning(tmp_path, clock, rate=0.1, ceiling=300) as (turns, context):
        turns.first()
        held = value(tmp_path, "SELECT count(*) FROM articles")
        backfill.begin(context, Asked("lists", date(2010, 1, 1), NOW.date()), until_given=True)
        while value(tmp_path, "SELECT state FROM plans") == "open":
            turns.turn()
            clock.advance(seconds=10)
    done = [row["command"] for row in rows(tmp_path, "SELECT command FROM runs ORDER BY id")]
    assert any(trio == ("backfill", "poll", "backfill") for trio in zip(done, done[1:], done[2:], strict=False))
    assert value(tmp_path, "SELECT count(*) FROM articles") > held
    intact(tmp_path)


def test_a_database_that_cannot_be_read_is_red_and_none_is_made_in_its_place(tmp_path):
    with working(tmp_path, FakeClock()):
        pass
    watch = Watch(settled(tmp_path), lambda: NOW, lambda: 0.0, timedelta())
    (tmp_path / "vna.db").rename(tmp_path / "elsewhere")
    (condition,) = watch.conditions()
    assert (condition.kind, condition.red) == ("archive", True)
    status, _, page = watch.metrics()
    assert (status, b'vna_trouble{kind="archive"} 1.0' in page) == (200, True)
    watch.look()
    assert not (tmp_path / "vna.db").exists()


def test_after_a_step_back_of_the_clock_ticks_come_soon_again():
    scheduler = BackgroundScheduler(timezone=UTC)
    job = scheduler.add_job(print, "interval", seconds=10)
    scheduler.start(paused=True)
    try:
        job.modify(next_run_time=datetime.now(UTC) + timedelta(days=1))
        count_anew(scheduler)
        assert job.next_run_time <= datetime.now(UTC) + timedelta(seconds=10)
    finally:
        scheduler.shutdown()
