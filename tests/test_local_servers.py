"""The servers on this machine, over real sockets: /healthz, the control of the fake site, and `vna browse`."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import pytest
from support import SEEDS

from crawler.daemon.endpoint import Endpoint
from crawler.sim.site import build, serve

FOREIGN = [
    b"Host: evil.example\r\n",
    b"Host: evil.example:PORT\r\n",
    b"Host: localhost.:PORT\r\n",
    b"Host: user@127.0.0.1:PORT\r\n",
    b"Host: 127.0.0.1:0\r\n",
    b"Host: [::1%lo]:PORT\r\n",
    b"Host: 127.0.0.1:PORT\r\nOrigin: http://evil.example\r\n",
    b"Host: 127.0.0.1:PORT\r\nOrigin: null\r\n",
    b"Host: 127.0.0.1:PORT\r\nSec-Fetch-Site: cross-site\r\n",
    b"Host: 127.0.0.1:PORT\r\nHost: 127.0.0.1:PORT\r\n",
    b"",
]


def exchange(port, request):
    """Send bytes; return the status, the headers in lower case and the body of the response."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.replace(b"PORT", str(port).encode()))
        received = b""
        while data := connection.recv(65536):
            received += data
    if not received.startswith(b"HTTP/"):  # the response to a line that may be HTTP/0.9
        return 400, {}, received
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines)}, body


def get(path, headers=b"Host: 127.0.0.1:PORT\r\n", method="GET"):
    return f"{method} {path} HTTP/1.1\r\n".encode() + headers + b"Connection: close\r\n\r\n"


# --- health -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def health():
    failed = []
    pages = {"/healthz": lambda: (200, "text/plain", b"well")}
    with Endpoint("127.0.0.1:0", pages, failed.append, ("archive.example.org",)) as endpoint:
        yield int(endpoint.url.rpartition(":")[2])
    assert failed == []


@pytest.mark.parametrize(
    "host", ["127.0.0.1:PORT", "LOCALHOST:PORT", "[::1]:PORT", "127.9.9.9:PORT", "archive.example.org"]
)
def test_health_is_read_under_its_own_names(health, host):
    status, headers, body = exchange(health, get("/healthz", f"Host: {host}\r\n".encode()))
    assert (status, body) == (200, b"well")
    assert (headers["x-frame-options"], headers["x-content-type-options"]) == ("DENY", "nosniff")
    assert (headers["cache-control"], headers["cross-origin-resource-policy"]) == ("no-store", "same-origin")
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("headers", FOREIGN)
def test_health_is_not_read_by_other_pages(health, headers):
    status, _, body = exchange(health, get("/healthz", headers))
    assert status in (400, 403, 421)
    assert b"well" not in body


@pytest.mark.parametrize(
    "request_",
    [
        b"GET http://127.0.0.1:PORT/healthz HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET http://evil.example/healthz HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/1.0\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 90 + b"Host: \xff\xfe\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_odd_requests_get_no_page(health, request_):
    status, _, body = exchange(health, request_)
    assert 400 <= status < 500
    assert b"well" not in body


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_health_allows_reading_only(health, method):
    status, headers, body = exchange(health, get("/healthz", method=method))
    assert (status, headers["allow"], b"well" in body) == (405, "GET, HEAD", False)
    assert not [name for name in headers if name.startswith("access-control")]


# --- the control of the fake site -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site():
    with serve(lambda url: build(url, seeds_dir=SEEDS, now=lambda: datetime.now(UTC))) as serving:
        yield serving


def port_of(site):
    return int(site.url.rpartition(":")[2])


def post(path, headers, body=b"{}"):
    return (
        f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode()
        + headers
        + b"\r\n"
        + body
    )


OWN, JSON = b"Host: 127.0.0.1:PORT\r\n", b"Content-Type: application/json\r\n"


def test_the_owner_controls_the_fake_site(site):
    before = len(site.fake_site.ids())
    for headers in (
        OWN + JSON,
        OWN + JSON + b"Origin: http://127.0.0.1:PORT\r\n",
        OWN,  # as scripts send it that do not name a type; a browser adds Origin to each POST of a foreign page
        OWN + b"Content-Type: application/x-www-form-urlencoded\r\n",
    ):
        assert exchange(port_of(site), post("/__replica__/publish", headers, b'{"n": 2}'))[0] == 200
    assert len(site.fake_site.ids()) == before + 8


@pytest.mark.parametrize("headers", [*(headers + JSON for headers in FOREIGN),
    OWN + b"Content-Type: text/plain\r\nOrigin: null\r\n", OWN + b"Origin: https://evil.example\r\n",
    OWN + JSON + b"Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n"])  # fmt: skip
@pytest.mark.parametrize("path", ["/__replica__/publish", "//__replica__/publish", "/__replica__/publish?x"])
def test_no_page_controls_the_fake_site(site, headers, path):
    before = site.fake_site.ids()
    status, found, _ = exchange(port_of(site), post(path, headers))
    assert status in (400, 403, 421)
    assert (found["connection"], site.fake_site.ids()) == ("close", before)


@pytest.mark.parametrize("headers", FOREIGN)
def test_no_page_reads_the_state(site, headers):
    status, _, body = exchange(port_of(site), get("/__replica__/state", headers))
    assert status in (400, 403, 421)
    assert b"articles" not in body


def test_a_preflight_request_gets_no_permission(site):
    asked = OWN + b"Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n"
    status, headers, _ = exchange(port_of(site), get("/__replica__/publish", asked, "OPTIONS"))
    assert status == 403
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("length", "status"),
    [("1000001", 413), ("9" * 5000, 413), ("-1", 400), ("1_0", 400), ("0x10", 400), ("١", 400), ("1, 1", 400)],
)
def test_bodies_have_a_limit(site, length, status):
    headers = OWN + JSON + f"Content-Length: {length}\r\n".encode()
    assert exchange(port_of(site), get("/__replica__/publish", headers, "POST"))[0] == status


def test_the_pages_of_the_fake_site_have_no_such_checks(site):
    assert exchange(port_of(site), get("/robots.txt", b"Host: fr.vietnamplus.vn\r\n"))[0] == 200
