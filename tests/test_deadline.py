"""The total time limit of a request: a real server on loopback sends one byte at a time; only the clock is a fake."""

# ruff: noqa: SIM117 - a nested `with` separates the setup from the one step that must raise

from __future__ import annotations

import itertools
import socketserver
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace

import httpcore
import pytest
from support import FakeClock, RecordedProgress, assert_intact, rows, settings, value

from crawler import collect
from crawler.app import working
from crawler.config import Config
from crawler.errors import FetchError, SiteUnavailable, Unreachable
from crawler.fetch.client import Fetcher
from crawler.fetch.deadline import Deadline

OK = b"HTTP/1.1 200 OK\r\n"
SLOW = {
    "head": (OK + b"X-Slow: ", b"x"),
    "body": (OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
    "body_without_length": (OK + b"\r\n", b"x"),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
}
NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
EMPTY = OK + b"Content-Length: 0\r\n\r\n"


def test_each_wait_of_a_request_is_a_heartbeat():
    """Otherwise the service would take a long request for a worker that hangs."""
    beats = []
    deadline = Deadline(10.0, lambda: 0.0, lambda: beats.append("beat"))
    deadline.begin()
    for count in (1, 2, 3):
        with deadline.within(5.0):
            assert len(beats) == count


def test_only_the_bytes_before_the_body_are_limited():
    deadline = Deadline(10.0, lambda: 0.0, lambda: None)
    for _ in range(2):
        deadline.begin()
        deadline.count(1_000_000)
        deadline.end_head()
        deadline.count(10_000_000)
    deadline.begin()
    with pytest.raises(httpcore.RemoteProtocolError, match="before the body"):
        deadline.count(1_000_001)


class SlowHandler(socketserver.StreamRequestHandler):
    """Sends slow responses for the server's `paths`, and immediate responses for all other paths."""

    def handle(self):
        while line := self.rfile.readline():
            while self.rfile.readline().strip():
                pass
            path = line.split()[1].decode()
            if path not in self.server.paths:
                self.wfile.write(NOTHING if path == "/robots.txt" else EMPTY)
                continue
            start, piece = self.server.slow
            try:
                self.wfile.write(start)
                for _ in range(1000 if piece else 0):  # not endless, so that the tests fail if there is no limit
                    self.wfile.write(piece)
                    time.sleep(0.001)
                if not piece:
                    self.rfile.readline()  # send nothing until the client disconnects
            except ConnectionError:
                pass
            return  # closes the connection


@contextmanager
def slow_server(kind, *paths):
    socketserver.ThreadingTCPServer.allow_reuse_address = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), SlowHandler) as server:
        server.slow, server.paths = SLOW.get(kind, (b"", b"")), paths
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def fetching(folder, site, monotonic, **changes):
    made = settings(root=f"{site}/", rate=0, attempts=2, **changes)
    with closing(Fetcher(made, folder, lambda _: True, FakeClock(), monotonic=monotonic)) as fetcher:
        yield fetcher


@pytest.mark.parametrize("kind", SLOW)
def test_a_slow_response_times_out(tmp_path, kind):
    """Each attempt ends after four times the limit of one wait; the next request uses a new connection."""
    with slow_server(kind, "/page") as site, fetching(tmp_path, site, itertools.count(0, 5).__next__) as fetcher:
        with pytest.raises(Unreachable, match="ReadTimeout: no complete response within 120 s"):
            fetcher.get(f"{site}/page")
        assert fetcher.get(f"{site}/other").status == 200
        log = [(one.url.removeprefix(site), one.status, "120 s" in (one.error or "")) for one in fetcher.drain()]
    assert log == [("/robots.txt", 404, False), *[("/page", None, True)] * 2, ("/other", 200, False)]


@pytest.mark.parametrize(
    ("kind", "limit", "message"),
    [("chunks", "client._MAX_PARTS", "more than 100 chunks"), ("interim", "deadline._MAX_HEAD", "RemoteProtocolError")],
)
def test_a_response_in_many_small_parts_is_refused(tmp_path, monkeypatch, kind, limit, message):
    monkeypatch.setattr(f"crawler.fetch.{limit}", 100)
    monkeypatch.setitem(SLOW, "interim", (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"))
    with slow_server(kind, "/page") as site, fetching(tmp_path, site, itertools.repeat(0.0).__next__) as fetcher:
        with pytest.raises(FetchError, match=message):
            fetcher.get(f"{site}/page")


def test_a_slow_robots_txt_times_out(tmp_path):
    with (
        slow_server("body", "/robots.txt") as site,
        fetching(tmp_path, site, itertools.count(0, 5).__next__) as fetcher,
    ):
        with pytest.raises(SiteUnavailable, match="no complete response within 120 s"):
            fetcher.get(f"{site}/page")


@pytest.mark.parametrize(
    ("timeout", "times", "message"),
    [(0.02, itertools.repeat(0.0), "timed out"), (30.0, itertools.cycle([0, 1, 1, 119.98, 121]), "within 120 s")],
    ids=["one_wait_is_too_long", "the_total_is_too_long"],
)
def test_a_server_that_sends_nothing_times_out(tmp_path, timeout, times, message):
    with (
        slow_server("silence", "/robots.txt") as site,
        fetching(tmp_path, site, times.__next__, timeout=timeout) as one,
    ):
        with pytest.raises(SiteUnavailable, match=f"ReadTimeout: .*{message}"):
            one.get(f"{site}/page")


def test_a_timeout_is_recorded_like_any_failure(tmp_path):
    """It is on the row, in the request log and in the WARC file; the run continues, and the source is due again."""
    with slow_server("body", "/") as site:
        config = Config(f"{site}/", archive=tmp_path, reserve=0, rate=0)
        with (
            fetching(tmp_path / "state", site, itertools.count(0, 5).__next__) as fetcher,
            working(config, "poll", RecordedProgress(), clock=FakeClock()) as opened,
        ):
            context = replace(opened, fetcher=fetcher)
            report = collect.poll(context)
            notes = [record for record in context.warc.records() if record.warc_type == "metadata"]
    (home,) = rows(tmp_path, "SELECT error, failures, next_due_at FROM sources WHERE kind = 'home'")
    assert "no complete response within 120 s" in home["error"]
    assert (home["failures"], bool(home["next_due_at"])) == (1, True)
    assert value(tmp_path, "SELECT count(*) FROM fetches WHERE error LIKE '%no complete response%'") == 2
    assert any("no complete response" in str(record) for record in notes)
    assert report.requests > 2
    assert_intact(tmp_path)
