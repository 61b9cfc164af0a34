"""What the tests of the edges share: the double of the site inside httpx, a clock that never waits, archives, commands.

Only the transport, the clock and randomness are fakes; SQLite, WARC and the other files are real.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpcore
import httpx
import respx
from typer.testing import CliRunner

from crawler import app, config, pipeline
from crawler.cli.main import app as command_line
from crawler.errors import ArticleNotFound, StopError
from crawler.fetch import Fetcher, Settings
from crawler.parse import seedtext
from crawler.pipeline import Context
from crawler.sim.site import Options, Replica, Request, Response, build
from crawler.sim.site.messages import HTML
from crawler.storage.locks import Role
from crawler.types import Article, Fetched, RawRef, RunReport
from crawler.urls import origin
from crawler.warc import WarcStore

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
SITE = "https://fr.vietnamplus.vn"
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
CONTACT = "archive@bibliotheque.fr"
_TRIP = 0.25  # seconds that an answer takes
_CHUNK = 8192

SEED_TEXTS: Mapping[str, str] = {path.name[:3]: path.read_text("utf-8") for path in sorted(SEEDS.glob("*.txt"))}
SEED_ARTICLES: Mapping[str, Article] = {name: seedtext.read(text) for name, text in SEED_TEXTS.items()}


# --- time -------------------------------------------------------------------------------------------------------------


@dataclass
class FakeClock:
    """A clock that moves when somebody sleeps; it remembers how long each slept."""

    time: datetime = NOW
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=max(0.0, seconds))

    def advance(self, **amount: float) -> None:
        self.time += timedelta(**amount)


# --- the site inside httpx --------------------------------------------------------------------------------------------

Answer = Callable[[httpx.Request], httpx.Response]


class Pieces(httpx.SyncByteStream):
    """A body as it comes off the wire, in chunks; it may break off, and the clock moves while it trickles."""

    def __init__(self, chunks: Sequence[bytes], *, torn: bool = False, each: Callable[[], None] | None = None) -> None:
        self._chunks = chunks
        self._torn = torn
        self._each = each

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if self._each is not None:
                self._each()
            yield chunk
        if self._torn:
            raise httpcore.RemoteProtocolError("peer closed connection without sending complete message body")


def answer(
    body: bytes = b"", status: int = 200, headers: Mapping[str, str] | Sequence[tuple[str, str]] = (), **stream: Any
) -> httpx.Response:
    """An answer whose body is streamed as it is, content coding and all."""
    chunks = [body[i : i + _CHUNK] for i in range(0, len(body), _CHUNK)]
    return httpx.Response(status, headers=list(dict(headers).items()) if isinstance(headers, Mapping) else headers,
                          stream=Pieces(chunks, **stream))  # fmt: skip


@dataclass
class Wire:
    """What came over the wire, in order."""

    requests: list[httpx.Request] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [request.url.raw_path.decode() for request in self.requests]

    def count(self, path: str) -> int:
        return self.paths.count(path)

    def clear(self) -> None:
        self.requests.clear()
        self.times.clear()


@contextmanager
def wired(reply: Answer, clock: FakeClock) -> Iterator[Wire]:
    """Have every request of httpx answered by `reply`; nothing reaches a real network."""
    wire = Wire()

    def handle(request: httpx.Request) -> httpx.Response:
        wire.requests.append(request)
        wire.times.append(clock.now())
        clock.advance(seconds=_TRIP)
        return reply(request)

    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=handle)
        yield wire


def script(*answers: httpx.Response | Exception | Answer, robots: str = "") -> Answer:
    """Answer `/robots.txt` with the rules given, and the other requests one after the other, the last one for ever."""
    left = list(answers)

    def reply(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/robots.txt":
            return answer(robots.encode(), headers={"Content-Type": "text/plain"})
        one = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(one, Exception):
            raise one
        return one(request) if callable(one) else one

    return reply


@dataclass
class Mounted:
    """The double of the site, mounted; `edit` may change a regular answer on its way out."""

    replica: Replica
    clock: FakeClock
    wire: Wire = field(default_factory=Wire)
    edit: Callable[[Request, Response], Response] | None = None

    def reply(self, request: httpx.Request) -> httpx.Response:
        asked = Request(
            request.method, request.url.raw_path.decode("ascii"), dict(request.headers.items()), request.content
        )
        response = self.replica.respond(asked)
        if self.edit is not None:
            response = self.edit(asked, response)
        return self._acted_out(request, response)

    def _acted_out(self, request: httpx.Request, response: Response) -> httpx.Response:
        patience = float(request.extensions["timeout"]["read"])
        if max(response.delay, response.pause) > patience:
            self.clock.advance(seconds=patience)
            raise httpx.ReadTimeout("timed out", request=request)
        self.clock.advance(seconds=response.delay)
        if response.abort:
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
        framing = ("Transfer-Encoding", "chunked") if response.chunked else ("Content-Length", str(len(response.body)))
        pause = response.pause
        return answer(
            response.body if response.cut_after is None else response.body[: response.cut_after],
            response.status,
            [*response.headers, *([] if response.status == 304 else [framing])],
            torn=response.cut_after is not None,
            each=lambda: self.clock.advance(seconds=pause),
        )


def edited(path: str, change: Callable[[bytes], bytes]) -> Callable[[Request, Response], Response]:
    """Make an `edit` that changes the page at one path."""

    def edit(request: Request, response: Response) -> Response:
        if request.path != path or response.status != 200:
            return response
        headers = tuple((k, v) for k, v in response.headers if k != "Content-Encoding")
        return replace(response, headers=headers, body=change(response.decoded))

    return edit


def page(html: str) -> httpx.Response:
    return answer(html.encode(), headers={"Content-Type": HTML})


@contextmanager
def mounted(
    clock: FakeClock, *, articles: int = 0, seed: int = 0, site: str = SITE, options: Options | None = None
) -> Iterator[Mounted]:
    """Mount a fresh double of the site at its real address."""
    replica = build(site, seeds_dir=SEEDS, articles=articles, seed=seed, now=clock.now, options=options)
    double = Mounted(replica, clock)
    with wired(double.reply, clock) as double.wire:
        yield double


# --- working parts ----------------------------------------------------------------------------------------------------


def settings(**changes: Any) -> Settings:
    defaults = Settings(
        contact=CONTACT, timeout=30.0, attempts=3, max_retry_after=3600.0, max_body=3_000_000, rate=1.0, root=f"{SITE}/"
    )
    return replace(defaults, **changes)


@contextmanager
def fetching(state: Path, clock: FakeClock, **changes: Any) -> Iterator[Fetcher]:
    with Fetcher(settings(**changes), state, lambda url: origin(url) == SITE, clock) as fetcher:
        yield fetcher


MARKUPS = config.load_markups()


def settled(archive: Path, **changes: Any) -> config.Config:
    """A configuration for the mounted site."""
    base = config.Config(root=f"{SITE}/", contact=CONTACT, archive=archive, reserve=0, markups=MARKUPS)
    return replace(base, **changes)


@dataclass
class Watch:
    """A progress that remembers what it was told."""

    phases: list[tuple[str, int]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def phase(self, name: str, total: int) -> None:
        self.phases.append((name, total))

    def step(self, what: str, url: str | None = None) -> None:
        self.steps.append(what)


@contextmanager
def working(
    archive: Path, clock: FakeClock, *, command: str = "poll", role: Role = "collect", **changes: Any
) -> Iterator[Context]:
    """A context over an archive in a temporary folder, as the commands build theirs; no lexicon, which is slow."""
    with app.working(settled(archive, **changes), command, Watch(), role=role, clock=clock) as context:
        yield context


def poll(archive: Path, clock: FakeClock, *, everything: bool = False, **changes: Any) -> RunReport:
    """One `vna poll`, in this process."""
    with working(archive, clock, **changes) as context:
        return pipeline.poll(context, ignore_due=everything)


def note(archive: Path, what: str, ends: object, role: Role = "collect") -> None:
    """Leave behind what processes leave that came to their end over something."""
    (archive / "state").mkdir(parents=True, exist_ok=True)
    (archive / "state" / f"in-hand-{role}").write_text(f"{ends} {what}")


def rows(archive: Path, sql: str, *values: Any) -> list[dict[str, Any]]:
    with app.reading_archive(archive) as opened:
        return list(opened.db.query(sql, values))


def value(archive: Path, sql: str, *values: Any) -> Any:
    """The one value of a query."""
    (row,) = rows(archive, sql, *values)
    (one,) = row.values()
    return one


def copied(source: Path, target: Path) -> Path:
    """A copy of an archive to go on with."""
    shutil.copytree(source, target)
    return target


def fetched(body: bytes = b"<html>page</html>", **changes: Any) -> Fetched:
    """An answer as the client hands it out."""
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


def zipped(body: bytes) -> bytes:
    return gzip.compress(body, 5, mtime=0)


def noise(size: int, seed: int = 0) -> bytes:
    return random.Random(seed).randbytes(size)


def intact(archive: Path) -> None:
    """Hold an archive against its invariants; whatever happened to it, these are true."""
    with app.reading_archive(archive) as opened, WarcStore(archive / "warc") as warc:

        def none(sql: str) -> None:
            found = list(opened.db.query(sql))
            assert found == [], (sql, found[:3])

        none("PRAGMA foreign_key_check")
        assert list(opened.db.query("PRAGMA integrity_check")) == [{"integrity_check": "ok"}]
        none("SELECT id FROM articles WHERE raw_id IS NULL AND source_file IS NULL")
        none("SELECT id FROM articles WHERE (id < 0) <> (source_file IS NOT NULL)")
        none("SELECT id FROM articles EXCEPT SELECT id FROM articles_folded")
        none("SELECT id FROM articles_folded EXCEPT SELECT id FROM articles")
        none("""SELECT article FROM revisions GROUP BY article
                HAVING min(revision) <> 1 OR max(revision) <> count(*)""")
        none("""SELECT a.id FROM articles a LEFT JOIN revisions r ON r.article = a.id AND r.revision = a.revision
                WHERE r.fingerprint IS NOT a.fingerprint OR r.title IS NOT a.title OR r.blocks IS NOT a.blocks
                OR a.revision <> (SELECT max(revision) FROM revisions WHERE article = a.id)""")
        none("SELECT id FROM pages WHERE state = 'live' AND last_fetched_at IS NULL")
        none("""SELECT id FROM pages WHERE state = 'known' AND next_due_at IS NULL
                AND id NOT IN (SELECT page FROM plan_pages)""")
        none("SELECT article FROM duplicates WHERE article = other")
        for row in opened.db.query("SELECT * FROM raw"):
            record = warc.read(RawRef(row["file"], row["offset"], row["length"], row["digest"]))
            assert (record.url, record.status) == (row["url"], row["status"])
    with sqlite3.connect(archive / "vna.db") as connection:  # it is a write, as SQLite sees it
        connection.execute("INSERT INTO articles_fts (articles_fts, rank) VALUES ('integrity-check', 1)")
    connection.close()


# --- commands ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str


def vna(*words: object, stdin: bytes | str | None = None, env: Mapping[str, str] | None = None) -> Outcome:
    """Run a command in this process; expected failures leave the app as exceptions, and `main` words them."""
    result = CliRunner().invoke(
        command_line, [str(word) for word in words], input=stdin, env=dict(env or {}), prog_name="vna"
    )
    error = result.exception
    if isinstance(error, StopError):
        return Outcome(1, result.stdout, f"{result.stderr}vna: {error}\n  hint: {error.hint}\n")
    if isinstance(error, ArticleNotFound):
        return Outcome(1, result.stdout, f"{result.stderr}vna: {error}\n")
    if error is not None and not isinstance(error, SystemExit):
        raise error
    return Outcome(result.exit_code, result.stdout, result.stderr)


def process(*words: object, cwd: Path | None = None, env: Mapping[str, str] | None = None, **popen: Any) -> Any:
    """Start a real `python -m crawler`."""
    return subprocess.Popen(
        [sys.executable, "-m", "crawler", *map(str, words)],
        cwd=cwd or ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        stdout=popen.pop("stdout", subprocess.PIPE),
        stderr=popen.pop("stderr", subprocess.PIPE),
        **popen,
    )


def real(*words: object, stdin: bytes | None = None, **options: Any) -> Outcome:
    """Run a command as a process of its own, to its end."""
    with process(*words, stdin=subprocess.PIPE, **options) as running:
        out, err = running.communicate(stdin, timeout=60)
    return Outcome(running.returncode, out.decode(), err.decode())


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


class Hook(BaseHTTPRequestHandler):
    """Where alerts arrive."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        if self.server.status == 200:
            self.server.told.append(body)
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def hook(status=200):
    """A webhook on this machine: `asked` is all that came, `told` what it took; with another `status` it takes nothing."""
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.asked, server.told, server.status = [], [], status
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
