"""Shared parts of the tests: the fake site behind httpx, a clock that never waits, archives, commands.

Only the network, the clock and randomness are fake. SQLite, WARC files and other files are real.
"""

from __future__ import annotations

import atexit
import faulthandler
import fcntl
import functools
import gzip
import json
import os
import pickle
import pty
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import httpcore
import httpx
import respx
from forked_commands import ForkedCommand
from sqlite_utils import Database
from typer.testing import CliRunner

from crawler import app, collect, config, opening
from crawler.archive_files import database_files
from crawler.cli.main import app as command_line
from crawler.errors import ArticleNotFound, StopError
from crawler.fetch.client import Fetcher
from crawler.fetch.settings import Settings
from crawler.outcome import Outcome
from crawler.parse import seedtext
from crawler.pipeline import Run
from crawler.sim.site import SECTIONS, FakeSite, Options, SiteRequest, SiteResponse, build
from crawler.sim.site.messages import HTML
from crawler.storage import FILE, open_archive, schema
from crawler.storage.locks import Role
from crawler.types import Article, Fetched, RawRef, RunReport
from crawler.urls import origin
from crawler.warc import WarcStore
from crawler.warc.seals import Seal, Seals

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
SITE = "https://fr.vietnamplus.vn"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CONTACT = "archive@bibliotheque.fr"
_ROUND_TRIP = 0.25  # seconds that a response takes
_CHUNK = 8192

SEED_TEXTS: Mapping[str, str] = {path.name[:3]: path.read_text("utf-8") for path in sorted(SEEDS.glob("*.txt"))}
SEED_ARTICLES: Mapping[str, Article] = {name: seedtext.read(text) for name, text in SEED_TEXTS.items()}


# --- time -------------------------------------------------------------------------------------------------------------


@dataclass
class FakeClock:
    """A clock that moves only when code sleeps or a test advances it; `slept` lists each sleep in seconds."""

    time: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=max(0.0, seconds))

    def advance(self, **amount: float) -> None:
        self.time += timedelta(**amount)


# --- the fake site behind httpx ---------------------------------------------------------------------------------------

Responder = Callable[[httpx.Request], httpx.Response]


class ChunkedBody(httpx.SyncByteStream):
    """A body received in chunks. `before_chunk` runs before each chunk; a `truncated` body ends with an error."""

    def __init__(
        self, chunks: Sequence[bytes], *, truncated: bool = False, before_chunk: Callable[[], None] | None = None
    ) -> None:
        self._chunks = chunks
        self._truncated = truncated
        self._before_chunk = before_chunk

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if self._before_chunk is not None:
                self._before_chunk()
            yield chunk
        if self._truncated:
            raise httpcore.RemoteProtocolError("peer closed connection without sending complete message body")


def http_response(
    body: bytes = b"", status: int = 200, headers: Mapping[str, str] | Sequence[tuple[str, str]] = (), **chunked: Any
) -> httpx.Response:
    """Return a response whose body is sent in chunks and is not decoded. `chunked`: arguments of `ChunkedBody`."""
    chunks = [body[i : i + _CHUNK] for i in range(0, len(body), _CHUNK)]
    return httpx.Response(status, headers=list(dict(headers).items()) if isinstance(headers, Mapping) else headers,
                          stream=ChunkedBody(chunks, **chunked))  # fmt: skip


@dataclass
class Wire:
    """The requests that were sent, in order."""

    requests: list[httpx.Request] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [request.extensions["target"].decode() for request in self.requests]

    def count(self, path: str) -> int:
        return self.paths.count(path)

    def clear(self) -> None:
        self.requests.clear()
        self.times.clear()


@contextmanager
def mocked_http(reply: Responder, clock: FakeClock) -> Iterator[Wire]:
    """Answer every httpx request with `reply` and yield the log of the requests; nothing reaches a real network."""
    wire = Wire()

    def handle(request: httpx.Request) -> httpx.Response:
        wire.requests.append(request)
        wire.times.append(clock.now())
        clock.advance(seconds=_ROUND_TRIP)
        return reply(request)

    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=handle)
        yield wire


def script(*replies: httpx.Response | Exception | Responder, robots: str = "") -> Responder:
    """Answer `/robots.txt` with `robots`, and other requests with `replies` in turn; the last one is repeated."""
    remaining = list(replies)

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/robots.txt":
            return http_response(robots.encode(), headers={"Content-Type": "text/plain"})
        current = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if isinstance(current, Exception):
            raise current
        return current(request) if callable(current) else current

    return reply


@dataclass
class Mounted:
    """The mounted fake site. `wire` logs the requests; `edit` may change the responses."""

    fake_site: FakeSite
    clock: FakeClock
    wire: Wire = field(default_factory=Wire)
    edit: Callable[[SiteRequest, SiteResponse], SiteResponse] | None = None

    def reply(self, request: httpx.Request) -> httpx.Response:
        site_request = SiteRequest(
            request.method, request.extensions["target"].decode("ascii"), dict(request.headers.items()), request.content
        )
        response = self.fake_site.respond(site_request)
        if self.edit is not None:
            response = self.edit(site_request, response)
        return self._sent(request, response)

    def _sent(self, request: httpx.Request, response: SiteResponse) -> httpx.Response:
        read_timeout = float(request.extensions["timeout"]["read"])
        if max(response.delay, response.pause) > read_timeout:
            self.clock.advance(seconds=read_timeout)
            raise httpx.ReadTimeout("timed out", request=request)
        self.clock.advance(seconds=response.delay)
        if response.abort:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        framing = ("Transfer-Encoding", "chunked") if response.chunked else ("Content-Length", str(len(response.body)))
        pause = response.pause
        return http_response(
            response.body if response.cut_after is None else response.body[: response.cut_after],
            response.status,
            [*response.headers, *([] if response.status == 304 else [framing])],
            truncated=response.cut_after is not None,
            before_chunk=lambda: self.clock.advance(seconds=pause),
        )


def edited(path: str, change: Callable[[bytes], bytes]) -> Callable[[SiteRequest, SiteResponse], SiteResponse]:
    """Return an `edit` that changes the body of the page at `path`."""

    def edit(request: SiteRequest, response: SiteResponse) -> SiteResponse:
        if request.path != path or response.status != 200:
            return response
        headers = tuple((k, v) for k, v in response.headers if k != "Content-Encoding")
        return replace(response, headers=headers, body=change(response.decoded))

    return edit


def page(html: str) -> httpx.Response:
    """Return a response with an HTML page."""
    return http_response(html.encode(), headers={"Content-Type": HTML})


@functools.cache
def seeds_folder(*names: str) -> Path:
    """Return a folder with the seed articles of these names only: a site has their related stories, too."""
    folder = tempfile.TemporaryDirectory(prefix="seeds-")
    atexit.register(folder.cleanup)
    for name in names:
        shutil.copy(next(SEEDS.glob(f"{name}_*.txt")), folder.name)
    return Path(folder.name)


@contextmanager
def mounted(
    clock: FakeClock,
    *,
    articles: int = 0,
    seed: int = 0,
    site: str = SITE,
    options: Options | None = None,
    seeds: Path = SEEDS,
) -> Iterator[Mounted]:
    """Mount a new fake site at the address of the real one."""
    fake_site = build(site, seeds_dir=seeds, articles=articles, seed=seed, now=clock.now, options=options)
    mounted_site = Mounted(fake_site, clock)
    with mocked_http(mounted_site.reply, clock) as mounted_site.wire:
        yield mounted_site


def mounted_small(clock: FakeClock, *, articles: int = 0, **options: Any) -> AbstractContextManager[Mounted]:
    """Mount a site with one seed article, the eight stories under it and three sections.

    It is for tests in which the number of articles and sections proves nothing: a first poll takes a third of the time.
    """
    chosen = Options(**{"sections": SECTIONS[:3], **options})
    return mounted(clock, articles=articles, seeds=seeds_folder("000"), options=chosen)


# --- runs and archives ------------------------------------------------------------------------------------------------


def settings(**changes: Any) -> Settings:
    """Return the settings of an HTTP client for the mounted site."""
    defaults = Settings(
        contact=CONTACT, timeout=30.0, attempts=3, max_retry_after=3600.0, max_body=3_000_000, rate=1.0, root=f"{SITE}/"
    )
    return replace(defaults, **changes)


@contextmanager
def fetching(state: Path, clock: FakeClock, **changes: Any) -> Iterator[Fetcher]:
    """Open an HTTP client for the mounted site."""
    with Fetcher(settings(**changes), state, lambda url: origin(url) == SITE, clock) as fetcher:
        yield fetcher


MARKUPS = config.load_markups()


def configured(archive: Path, **changes: Any) -> config.Config:
    """Return a configuration for the mounted site."""
    base = config.Config(root=f"{SITE}/", contact=CONTACT, archive=archive, reserve=0, markups=MARKUPS)
    return replace(base, **changes)


@dataclass
class RecordedProgress:
    """A progress that records its phases and outcomes."""

    phases: list[tuple[str, int]] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def steps(self) -> list[str]:
        """The outcomes as lines of text."""
        return [str(outcome) for outcome in self.outcomes]

    def phase(self, name: str, total: int) -> None:
        self.phases.append((name, total))

    def step(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


@contextmanager
def working(
    archive: Path, clock: FakeClock, *, command: str = "poll", role: Role = "collect", **changes: Any
) -> Iterator[Run]:
    """Open a run on an archive, as the commands do, but without a lexicon, which is slow to load."""
    opened = configured(archive, **changes)
    probing = command == "probe"
    with app.working(opened, command, RecordedProgress(), role=role, clock=clock, probing=probing) as run:
        yield run


def poll(archive: Path, clock: FakeClock, *, everything: bool = False, **changes: Any) -> RunReport:
    """Run one `vna poll` in this process."""
    with working(archive, clock, **changes) as run:
        return collect.poll(run, ignore_due=everything)


def write_crash_marker(archive: Path, item: str, crashes: object, role: Role = "collect") -> None:
    """Write the crash marker of a process that crashed `crashes` times while it processed an item."""
    (archive / "state").mkdir(parents=True, exist_ok=True)
    (archive / "state" / f"in-hand-{role}").write_text(f"{crashes} {item}")


def rows(archive: Path, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return the rows of a query.

    The checks with which the program opens an archive take longer than most queries, so they are made only if the query
    fails: the program upgrades an older database, and its error says what is wrong with another one.
    """
    try:
        with closing(sqlite3.connect(f"{(archive / FILE).absolute().as_uri()}?mode=ro", uri=True)) as connection:
            cursor = connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
    except sqlite3.Error:
        with opening.reading_archive(archive) as opened:
            return list(opened.db.query(sql, values))


def value(archive: Path, sql: str, *values: Any) -> Any:
    """Return the single value of a query."""
    (row,) = rows(archive, sql, *values)
    (single,) = row.values()
    return single


def copy_archive(source: Path, target: Path) -> Path:
    """Copy an archive."""
    shutil.copytree(source, target)
    return target


def sealed(folder: Path, clock: FakeClock) -> Seal | None:
    """Seal the records of an archive that no seal covers yet, as the service does."""
    with WarcStore(folder / "warc") as warc, open_archive(folder) as opened:
        return Seals(folder).append(warc, opened.identity(), clock.now(), opened.rows_to_seal)


def fetched(body: bytes = b"<html>page</html>", **changes: Any) -> Fetched:
    """Return a response as the HTTP client returns it."""
    default = Fetched(
        url=f"{SITE}/titre-post245060.vnp",
        fetched_at=NOW,
        status=200,
        reason="OK",
        http_version="1.1",
        headers=(("Content-Type", HTML), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")),
        body=body,
        content=body,
        target="/titre-post245060.vnp",
        request_headers=(("Host", "fr.vietnamplus.vn"), ("User-Agent", "vna-archive/test")),
    )
    return replace(default, **changes)


def gzipped(body: bytes) -> bytes:
    return gzip.compress(body, 5, mtime=0)


def random_bytes(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def assert_intact(archive: Path) -> None:
    """Assert the invariants of an archive, which hold whatever happened to it before."""
    with opening.reading_archive(archive) as opened, WarcStore(archive / "warc") as warc:

        def assert_no_rows(sql: str) -> None:
            found = list(opened.db.query(sql))
            assert found == [], (sql, found[:3])

        assert_no_rows("PRAGMA foreign_key_check")
        assert list(opened.db.query("PRAGMA integrity_check")) == [{"integrity_check": "ok"}]
        assert_no_rows("SELECT id FROM articles WHERE raw_id IS NULL AND source_file IS NULL")
        assert_no_rows("SELECT id FROM articles WHERE (id < 0) <> (source_file IS NOT NULL)")
        assert_no_rows("SELECT id FROM articles EXCEPT SELECT id FROM articles_folded")
        assert_no_rows("SELECT id FROM articles_folded EXCEPT SELECT id FROM articles")
        assert_no_rows("""SELECT article FROM revisions GROUP BY article
                HAVING min(revision) <> 1 OR max(revision) <> count(*)""")
        assert_no_rows("""SELECT a.id FROM articles a LEFT JOIN revisions r ON r.article = a.id AND r.revision = a.revision
                WHERE r.fingerprint IS NOT a.fingerprint OR r.title IS NOT a.title OR r.blocks IS NOT a.blocks
                OR a.revision <> (SELECT max(revision) FROM revisions WHERE article = a.id)""")
        assert_no_rows("SELECT id FROM pages WHERE state = 'live' AND last_fetched_at IS NULL")
        assert_no_rows("""SELECT id FROM pages WHERE state = 'known' AND next_due_at IS NULL
                AND id NOT IN (SELECT page FROM plan_pages)""")
        assert_no_rows("SELECT article FROM duplicates WHERE article = other")
        for row in opened.db.query("SELECT * FROM raw"):
            record = warc.read(RawRef(row["file"], row["offset"], row["length"], row["digest"]))
            assert (record.url, record.status) == (row["url"], row["status"])
    with sqlite3.connect(archive / "vna.db") as connection:  # for SQLite, an FTS5 integrity check is a write
        connection.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
    connection.close()


# --- commands ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CommandResult:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


def vna(*words: object, stdin: bytes | str | None = None, env: Mapping[str, str] | None = None) -> CommandResult:
    """Run a command in this process. Print expected errors as `main` does: here they leave the app as exceptions."""
    result = CliRunner().invoke(
        command_line, [str(word) for word in words], input=stdin, env=dict(env or {}), prog_name="vna"
    )
    error = result.exception
    if isinstance(error, StopError):
        return CommandResult(1, result.stdout, f"{result.stderr}vna: {error}\n  hint: {error.hint}\n")
    if isinstance(error, ArticleNotFound):
        return CommandResult(1, result.stdout, f"{result.stderr}vna: {error}\n")
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return CommandResult(result.exit_code, result.stdout, result.stderr)


def process(
    *words: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, new: bool = False, **streams: Any
) -> Any:
    """Start a command as a process: a fork of the command server, or, if `new` is true, a new interpreter.

    What an interpreter does at its start, such as choosing an encoding, needs a new one.
    """
    given = {
        "cwd": cwd or ROOT,
        "env": {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        **streams,
    }
    arguments = [str(word) for word in words]
    if new:
        return subprocess.Popen([sys.executable, "-m", "crawler", *arguments], **given)
    return ForkedCommand(arguments, **given)


def run_process(*words: object, stdin: bytes | None = None, **options: Any) -> CommandResult:
    """Run a command as a process and wait for its end."""
    with process(*words, stdin=subprocess.PIPE, **options) as running:
        out, err = running.communicate(stdin, timeout=60)
    return CommandResult(running.returncode, out.decode(), err.decode())


def in_child(work: Callable[[], object]) -> int:
    """Run `work` in a fork of this process; return its exit code, or the signal that ended it, as a negative number."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # the threads of this process hold no lock that `work` needs
        child = os.fork()
    if child == 0:
        code = 1
        try:
            faulthandler.disable()  # it would report an intended crash
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - the exit code says so
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def on_terminal(
    *words: str | Path,
    columns: int = 80,
    lines: int = 200,
    env: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run a command with stdin, stdout and stderr on a terminal; return what the terminal shows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    settings = {"TERM": "dumb", "PAGER": "", "COLUMNS": str(columns), "LINES": str(lines), **env}
    running = process(*words, env=settings, stdin=slave, stdout=slave, stderr=slave)
    os.close(slave)
    chunks = []
    while True:
        try:
            chunk = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(master)
    with running:
        return b"".join(chunks).decode("utf-8", "surrogateescape").replace("\r\n", "\n")


def in_thread(work: Callable[[], object]) -> threading.Thread:
    """Start a thread and return it."""
    thread = threading.Thread(target=work)
    thread.start()
    return thread


class Hook(BaseHTTPRequestHandler):
    """A webhook that receives alerts."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append(body)
        if self.server.status == 200:
            self.server.accepted.append(body)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def hook(status=200):
    """Serve a webhook. `received`: all alerts; `accepted`: those answered with 200. Another `status` accepts none."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.received, server.accepted, server.status = [], [], status
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class InlineWorkers:
    """Takes the place of `Workers` without its processes: a task is done when it is submitted, before it is needed."""

    ahead = 6

    def __init__(self, _: int, make: Callable[[], Callable[[Any], Any]]) -> None:
        self._function = pickle.loads(pickle.dumps(make))()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def submit(self, task: Any) -> bytes:
        return pickle.dumps(self._function(pickle.loads(pickle.dumps(task))))

    def result(self, done: bytes) -> Any:
        return pickle.loads(done)

    def in_order(self, tasks: Iterable[Any], _: object) -> Iterator[tuple[Any, Any]]:
        for task in tasks:
            yield task, self.result(self.submit(task))


def take_back_to_schema_7(archive: Path) -> None:
    """Replace the database of an archive by one of schema 7 with the same rows."""
    old, new = archive / FILE, archive / "schema-7.db"
    with closing(sqlite3.connect(new)) as connection:
        db = Database(connection)
        schema.migrations.apply(db, stop_before="0008_compact")
        db.execute("ATTACH DATABASE ? AS compact", [str(old)])
        names = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%fts%'"
        for (table,) in connection.execute(names).fetchall():
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA main.table_info({table})"))
            connection.execute(f"DELETE FROM main.{table}")
            connection.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM compact.{table}")
        connection.execute("DELETE FROM _sqlite_migrations WHERE name > '0008'")
        connection.execute("PRAGMA user_version = 7")
        connection.commit()
    for path in database_files(archive):
        path.unlink()
    new.rename(old)
