"""The total limit on a request, against a real server on loopback that sends a little now and then; the clock is a fake."""

# ruff: noqa: SIM117 - what is opened, and what is expected of one step in it, are two things

from __future__ import annotations

import itertools
import socketserver
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace

import pytest
from support import FakeClock, Watch, intact, rows, settings, value

from crawler import pipeline
from crawler.app import working
from crawler.config import Config
from crawler.errors import SiteUnavailable, Unreachable
from crawler.fetch import Fetcher

OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "head": (OK + b"X-Slow: ", b"x"),
    "body": (OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "body_without_length": (OK + b"\r\n", b"x"),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}
NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"


class Handler(socketserver.StreamRequestHandler):
    """Drips on the paths given, answers well elsewhere."""

    def handle(self):
        while asked := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            path = asked.split()[1].decode()
            if path not in self.server.paths:
                self.wfile.write(NOTHING if path == "/robots.txt" else EMPTY)
                continue
            start, drop = self.server.drip
            try:
                self.wfile.write(start)
                for _ in range(1000 if drop else 0):  # it ends, so that a test without the limit fails
                    self.wfile.write(drop)
                    time.sleep(0.001)
                if not drop:
                    self.rfile.readline()  # silence, until the client goes away
            except ConnectionError:
                pass
            return  # and hangs up


@contextmanager
def dripping(kind, *paths):
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.drip, server.paths = DRIPS.get(kind, (b"", b"")), paths
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def fetching(folder, site, steady, **changes):
    made = settings(root=f"{site}/", rate=0, attempts=2, **changes)
    with closing(Fetcher(made, folder, lambda _: True, FakeClock(), steady=steady)) as fetcher:
        yield fetcher


@pytest.mark.parametrize("kind", DRIPS)
def test_a_server_that_drips_is_left(tmp_path, kind):
    """At four times the limit of one wait, each time it is tried; the next request gets a connection of its own."""
    with dripping(kind, "/page") as site, fetching(tmp_path, site, itertools.count(0, 5).__next__) as fetcher:
        with pytest.raises(Unreachable, match="ReadTimeout: no whole answer within 120 s"):
            fetcher.get(f"{site}/page")
        assert fetcher.get(f"{site}/other").status == 200
        log = [(one.url.removeprefix(site), one.status, "120 s" in (one.error or "")) for one in fetcher.drain()]
    assert log == [("/robots.txt", 404, False), *[("/page", None, True)] * 2, ("/other", 200, False)]


def test_rules_that_drip_are_not_had(tmp_path):
    with dripping("body", "/robots.txt") as site, fetching(tmp_path, site, itertools.count(0, 5).__next__) as fetcher:
        with pytest.raises(SiteUnavailable, match="no whole answer within 120 s"):
            fetcher.get(f"{site}/page")


@pytest.mark.parametrize(
    ("timeout", "times", "says"),
    [(0.02, itertools.repeat(0.0), "timed out"), (30.0, itertools.cycle([0, 1, 1, 119.98, 121]), "within 120 s")],
    ids=["one_wait_is_too_long", "what_is_left_is_too_short"],
)
def test_silence(tmp_path, timeout, times, says):
    with dripping("silence", "/robots.txt") as site, fetching(tmp_path, site, times.__next__, timeout=timeout) as one:
        with pytest.raises(SiteUnavailable, match=f"ReadTimeout: .*{says}"):
            one.get(f"{site}/page")


def test_it_is_a_failed_visit_like_any_other(tmp_path):
    """On its row, in the log of requests and in the evidence; the run goes on, and the row is due again."""
    with dripping("body", "/") as site:
        config = Config(f"{site}/", archive=tmp_path, reserve=0, rate=0)
        with (
            fetching(tmp_path / "state", site, itertools.count(0, 5).__next__) as fetcher,
            working(config, "poll", Watch(), clock=FakeClock()) as opened,
        ):
            context = replace(opened, fetcher=fetcher)
            report = pipeline.poll(context)
            notes = [record for record in context.warc.records() if record.warc_type == "metadata"]
    (home,) = rows(tmp_path, "SELECT error, failures, next_due_at FROM sources WHERE kind = 'home'")
    assert "no whole answer within 120 s" in home["error"]
    assert (home["failures"], bool(home["next_due_at"])) == (1, True)
    assert value(tmp_path, "SELECT count(*) FROM fetches WHERE error LIKE '%no whole answer%'") == 2
    assert any("no whole answer" in str(record) for record in notes)
    assert report.requests > 2
    intact(tmp_path)
