"""Proxies of the environment: which proxy a URL has, what is refused, and requests through a real proxy on loopback."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from support import FakeClock, configured, fetching, in_thread, vna

from crawler import app, proxies
from crawler.errors import ConfigError, SiteUnavailable
from crawler.proxies import proxy_for

SITE = "https://fr.vietnamplus.vn/"
PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def chosen(url, **environ):
    found = proxy_for(url, environ)
    return found and found.url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.8.7:8900", "localhost", "LOCALHOST:1", "[::1]:80"])
@pytest.mark.parametrize("value", [PROXY, "socks5://h:1", "junk"])
def test_a_site_on_this_machine_is_never_requested_through_a_proxy(host, value):
    assert chosen(f"http://{host}/", HTTP_PROXY=value, ALL_PROXY=value) is None


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        (SITE, {}, None),
        (SITE, {"HTTPS_PROXY": PROXY}, PROXY),
        (SITE, {"https_proxy": PROXY, "HTTPS_PROXY": "junk"}, PROXY),
        (SITE, {"https_proxy": "", "HTTPS_PROXY": PROXY}, None),
        (SITE, {"HTTP_PROXY": PROXY}, None),
        (SITE, {"ALL_PROXY": PROXY}, PROXY),
        (SITE, {"all_proxy": "junk", "HTTPS_PROXY": PROXY}, PROXY),
        (SITE, {"HTTPS_PROXY": "  "}, None),
        (SITE, {"HTTPS_PROXY": f" {PROXY}/\n"}, PROXY),
        (SITE, {"HTTPS_PROXY": "HTTPS://Proxy.test"}, "https://proxy.test:443"),
        (SITE, {"HTTPS_PROXY": "http://[fd00::1]:3128"}, "http://[fd00::1]:3128"),
        ("http://a.test/", {"http_proxy": PROXY}, PROXY),
        ("http://a.test/", {"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, None),
        ("http://a.test/", {"http_proxy": PROXY, "REQUEST_METHOD": "GET"}, PROXY),
    ],
)
def test_the_proxy_of_a_url(url, environ, expected):
    assert chosen(url, **environ) == expected


@pytest.mark.parametrize(
    ("no_proxy", "host", "excluded"),
    [
        ("*", "a.test", True),
        ("a.test", "a.test", True),
        ("A.TEST", "a.test.", True),
        ("a.test", "www.a.test", True),
        (".a.test", "www.a.test", True),
        (".a.test", "a.test", True),
        ("*.a.test", "www.a.test", True),
        ("a.test", "ba.test", False),
        ("b.test , a.test", "a.test", True),
        ("b.test a.test", "a.test", True),
        ("a.test:443", "a.test", True),
        ("a.test:8443", "a.test", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("fd00::/8", "[fd00::1]", True),
        ("[fd00::1]", "[fd00::1]", True),
        ("fd00::/8", "10.1.2.3", False),
        ("10.0.0.0/99", "10.1.2.3", False),
        ("10.0.0.0/8", "a.test", False),
        ("", "a.test", False),
        (",,", "a.test", False),
        (".", "a.test", False),
    ],
)
def test_no_proxy(no_proxy, host, excluded):
    found = chosen(f"https://{host}/", HTTPS_PROXY=PROXY, NO_PROXY=no_proxy)
    assert found == (None if excluded else PROXY)


@pytest.mark.parametrize(
    "value",
    [
        "u:s3cret",
        "u:s3cret@h:1",
        "ftp://u:s3cret@h:1",
        "socks4://u:s3cret@h:1",
        "http://u:s3cret@h:99999",
        "http://u:s3cret@h:0",
        "http://u:s3cret",
        "http://u:s3cret@",
        "http://u:s3cret@h h:1",
        "http://u:s3cret@h\n:1",
        "http://u:s3cret#x@h:1",
        "http://u:s3cret?x@h:1",
        "http://u:s3cret/x@h:1",
        "http://u:s3cret@[::1",
        "http://u:s3cret@h:1/path",
        "http://u:s3cret@é:1",
    ],
)
def test_a_value_that_is_no_proxy_is_refused_without_its_password(value):
    with pytest.raises(ConfigError, match="HTTPS_PROXY") as refused:
        proxy_for(SITE, {"HTTPS_PROXY": value})
    assert "s3cret" not in f"{refused.value} {refused.value.hint} {refused.value.__cause__}"
    assert "\n" not in str(refused.value)
    assert "percent-encoded" in refused.value.hint


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_a_socks_proxy_needs_an_extra(monkeypatch, scheme):
    monkeypatch.setattr(proxies, "find_spec", lambda _: None)
    with pytest.raises(ConfigError) as refused:
        proxy_for(SITE, {"ALL_PROXY": f"{scheme}://h"})
    assert "pip install 'vna-archive[socks]'" in refused.value.hint
    monkeypatch.setattr(proxies, "find_spec", lambda _: "installed")
    assert chosen(SITE, ALL_PROXY=f"{scheme}://h") == f"{scheme}://h:1080"


def test_a_password_is_decoded_and_not_shown():
    found = proxy_for(SITE, {"HTTPS_PROXY": "http://me:p%40%23@ss@proxy.test:3128"})
    assert (found.user, found.password) == ("me", "p@#@ss")
    assert str(found) == "http://proxy.test:3128 (HTTPS_PROXY)"
    assert "ss" not in repr(found)


class Handler(BaseHTTPRequestHandler):
    """Records each request; answers with an empty page, and refuses tunnels."""

    def do_GET(self):
        self.server.seen.append((self.command, self.path, self.headers["Proxy-Authorization"]))
        self.send_response(502 if self.command == "CONNECT" else 404 if self.path.endswith("robots.txt") else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_CONNECT = do_GET  # noqa: N815 - the name of the method of the request

    def log_message(self, *_):
        pass


@contextmanager
def real_proxy():
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.seen = []
        thread = in_thread(lambda: server.serve_forever(poll_interval=0.01))
        try:
            yield server.seen, f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def test_requests_go_through_the_proxy(tmp_path, monkeypatch):
    """The host names cannot be resolved here: only the proxy receives them."""
    with real_proxy() as (seen, address):
        monkeypatch.setenv("http_proxy", f"http://me:p%40ss@{address}")
        monkeypatch.setenv("HTTPS_PROXY", f"http://{address}")
        with fetching(tmp_path / "http", FakeClock(), root="http://news.invalid/", attempts=1) as fetcher:
            assert fetcher.get("http://news.invalid/a").status == 200
        login = f"Basic {base64.b64encode(b'me:p@ss').decode()}"
        assert seen == [("GET", f"http://news.invalid/{name}", login) for name in ("robots.txt", "a")]
        seen.clear()
        with (
            fetching(tmp_path / "https", FakeClock(), root="https://news.invalid/", attempts=1) as fetcher,
            pytest.raises(SiteUnavailable),
        ):
            fetcher.get("https://news.invalid/a")
        assert seen == [("CONNECT", "news.invalid:443", None)]
        seen.clear()
        with fetching(tmp_path / "own", FakeClock(), root=f"http://{address}/", attempts=1) as fetcher:
            fetcher.get(f"http://{address}/b")
        assert [path for _, path, _ in seen] == ["/robots.txt", "/b"], "a site on this machine is requested directly"


def test_commands_name_the_proxy(tmp_path, monkeypatch):
    archive = tmp_path / "a"
    vna("--archive", archive, "import", tmp_path / "none.txt")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:s3cret@proxy.test:3128")
    status = vna("--archive", archive, "status")
    assert "proxy      http://proxy.test:3128 (HTTPS_PROXY)\n" in status.out
    assert "s3cret" not in status.out
    monkeypatch.setenv("HTTPS_PROXY", "proxy.test:3128")
    assert "HTTPS_PROXY is not the address of a proxy" in vna("--archive", archive, "status").out
    refused = vna("--archive", archive, "poll")
    assert (refused.code, refused.out) == (1, "")
    assert "HTTPS_PROXY is not the address of a proxy" in refused.err
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    app.require_contact(configured(archive, contact="me@archive.fr", root="https://name.invalid/"))
    with pytest.raises(ConfigError, match="no contact"):  # and not: the host name cannot be resolved
        app.require_contact(configured(archive, contact="", root="https://name.invalid/"))
