"""Which URLs the client may request, and to which addresses it connects."""

from __future__ import annotations

import ipaddress
import socket

import httpcore
import pytest

from crawler import urls
from crawler.errors import Refused
from crawler.fetch.origins import AddressRefused, AllowedOrigins, CheckedBackend, Origin, is_public, origin_of
from crawler.pictures import picture_address

ROOT = "https://fr.vietnamplus.vn/"
API = "https://fr-api.vietnamplus.vn"
OWN = "fr.vietnamplus.vn"

ALLOWED = [
    f"https://{OWN}/titre-post1.vnp",
    f"https://{OWN}:443/titre-post1.vnp",
    f"HTTPS://{OWN.upper()}/",
    f"https://{OWN}/https://evil.example/",
    f"https://{OWN}/?url=https://evil.example/",
    f"https://{OWN}/@evil.example",
    f"https://{OWN}/#@evil.example",
    f"https://{OWN}//evil.example/",
    f"{API}/api/morenews-zone-1-1.html",
]

#: Spellings of this machine, of private networks and of services on them.
HOSTS = [
    "127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.1",
    "127.0.0.1.", "127.000.000.001", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]", "[fe80::1]", "[fe80::1%25lo]", "[fd00::1]", "[fc00::1]", "[::127.0.0.1]", "localhost", "LOCALHOST",
    "localhost.", "localhost.localdomain", "ip6-localhost", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "metadata.google.internal", "127.0.0.1.nip.io",
    "１２７.０.０.１", "①②⑦.0.0.1", "127。0。0。1", "ｌｏｃａｌｈｏｓｔ", "xn--localhost-", "évil.example", "evil.example",
]  # fmt: skip

#: Addresses that look as if they belonged to the site. `@@` stands for the host that they lead to.
TRICKS = [
    f"https://{OWN}@127.0.0.1/", f"https://{OWN}:443@127.0.0.1/", f"https://{OWN}%40127.0.0.1/", f"https://{OWN}.evil.example/",
    f"https://{OWN}%2eevil.example/", f"https://evil.example/{OWN}", f"https://evil.example?{OWN}", f"https://evil.example#{OWN}",
    f"https://{OWN}\\@127.0.0.1/", f"https://127.0.0.1\\@{OWN}/", "https:\\\\127.0.0.1/", "https:/127.0.0.1/", "https:127.0.0.1",
    "//127.0.0.1/", "///127.0.0.1/", f"https://{OWN}./", f"https://{OWN}../", f"https://.{OWN}/", f"https://{OWN}%00.evil.example/",
    f"https://{OWN}\t.evil.example/", f"https://{OWN}\n.evil.example/", f"https://{OWN} .evil.example/", f"https://{OWN}\u00ad.evil.example/",
    f"https://{OWN}\u2024evil.example/", f"https://{OWN}\uff0eevil.example/", f"https://{OWN}\u3002evil.example/",
    "https://fr.vietnamp1us.vn/", "https://fr.vietnamрlus.vn/", "https://www.vietnamplus.vn/", "https://m.fr.vietnamplus.vn/",
]  # fmt: skip

#: The site's own host, but another scheme, port or user.
OWN_FORMS = [
    f"http://{OWN}/", f"http://{OWN}:443/", f"https://{OWN}:80/", f"https://{OWN}:8443/", f"https://{OWN}:22/", f"https://{OWN}:0/",
    f"https://{OWN}:65536/", f"https://{OWN}:99999999999/", f"https://{OWN}:-1/", f"https://{OWN}:４４４/", f"https://{OWN}:0x1bb/",
    f"https://{OWN}:443:443/", f"https://user@{OWN}/", f"https://user:secret@{OWN}/", f"https://:secret@{OWN}/", f"https://@127.0.0.1@{OWN}/",
    f"ftp://{OWN}/", f"file://{OWN}/etc/passwd", "file:///etc/passwd", f"gopher://{OWN}/", f"ws://{OWN}/", f"wss://{OWN}/",
    "javascript:alert(1)", "data:text/html,x", "about:blank", "", "https://", "https:///", f"{OWN}/titre-post1.vnp",
]  # fmt: skip
REFUSED = [f"https://{host}/" for host in HOSTS] + TRICKS + OWN_FORMS


@pytest.mark.parametrize("url", ALLOWED)
def test_the_configured_origins_are_allowed(url):
    parsed = AllowedOrigins(ROOT, [API]).check(url)
    assert (parsed.scheme, parsed.port) == ("https", None)
    assert parsed.host in (OWN, "fr-api.vietnamplus.vn")


def test_the_table_of_forms_is_large_and_without_repetitions():
    assert len(REFUSED) == len(set(REFUSED)) >= 104


@pytest.mark.parametrize("url", REFUSED)
def test_no_other_address_is_allowed(url):
    """Some of these cannot be read as a URL at all; the others lead elsewhere."""
    with pytest.raises(Refused) as refused:
        AllowedOrigins(ROOT, [API]).check(url)
    assert "secret" not in str(refused.value)


PICTURES = "https://mediafr.vietnamplus.vn"
#: Neighbours of the host of pictures, which are not that host.
NOT_PICTURES = [
    "https://mediafr.vietnamplus.vn.evil.example/a.jpg", "https://evil.example/mediafr.vietnamplus.vn/a.jpg",
    "https://mediafr.vietnamplus.vn@127.0.0.1/a.jpg", "https://mediafr.vietnamplus.vn:8443/a.jpg", f"{PICTURES.replace('s:', ':')}/a.jpg",
    "https://media.vietnamplus.vn/a.jpg", "https://mediafr.vietnamplus.vn./a.jpg", "https://mediafr.vietnamplus.vn%2f@evil.example/a.jpg",
    "https://mediafr\u3002vietnamplus\u3002vn\u3002evil.example/a.jpg", "//127.0.0.1/a.jpg", "data:image/png;base64,AAAA",
    "file:///var/pictures/a.jpg", "https://[::1]/a.jpg", "https://0x7f.1/a.jpg", "https://user:secret@mediafr.vietnamplus.vn/a.jpg",
]  # fmt: skip


@pytest.mark.parametrize("url", [*REFUSED, *NOT_PICTURES])
def test_the_host_of_pictures_opens_no_other_address(url):
    with pytest.raises(Refused) as refused:
        AllowedOrigins(ROOT, [PICTURES]).check(url)
    assert "secret" not in str(refused.value)
    assert AllowedOrigins(ROOT, [PICTURES]).allows(f"{PICTURES}/a.jpg")


@pytest.mark.parametrize("url", [*REFUSED, *NOT_PICTURES])
def test_a_page_names_no_picture_on_another_host(url):
    """The address from which a picture is requested is chosen before the client checks it."""
    address = picture_address(url, ROOT, [PICTURES])
    if address is not None:
        assert urls.origin(address) in (ROOT.rstrip("/"), PICTURES)


REASONS = {
    "another host": ("https://evil.example/", "leads to another host, https://evil.example"),
    "another port": (f"https://{OWN}:8443/", "leads to another port or scheme, https://fr.vietnamplus.vn:8443"),
    "no encryption": (f"http://{OWN}/", "leads from https to http"),
    "an unknown scheme": (f"ftp://{OWN}/", "is not a URL that can be requested"),
    "a user name": (f"https://user:secret@{OWN}/", "contains a user name"),
}


@pytest.mark.parametrize(("url", "reason"), REASONS.values(), ids=REASONS)
def test_the_reason_is_named(url, reason):
    with pytest.raises(Refused, match=reason):
        AllowedOrigins(ROOT).check(url)


def test_a_site_that_is_configured_with_http_stays_on_http():
    assert AllowedOrigins("http://127.0.0.1:8000/").check("http://127.0.0.1:8000/x").port == 8000
    for url in ("http://127.0.0.1:8001/", "https://127.0.0.1:8000/", "http://localhost:8000/", "http://127.1:8000/"):
        with pytest.raises(Refused):
            AllowedOrigins("http://127.0.0.1:8000/").check(url)


def test_an_origin_is_written_as_usual():
    assert str(origin_of("HTTP://[::1]:8000/x")) == "http://[::1]:8000"
    assert str(Origin("https", OWN, 443)) == f"https://{OWN}"


# --- addresses --------------------------------------------------------------------------------------------------------

SPECIAL = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.8.8.8", "169.254.169.254", "172.16.0.1", "172.31.255.255",
    "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1",
    "::7f00:1", "100::1", "fe80::1", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
    "64:ff9b::101:101",
]


@pytest.mark.parametrize(("address", "expected"), [*((a, False) for a in SPECIAL), *((a, True) for a in PUBLIC)])
def test_public_addresses(address, expected):
    assert is_public(ipaddress.ip_address(address)) == expected


class RecordedConnections(httpcore.NetworkBackend):
    """A backend that records where it is asked to connect; addresses in `dead` do not respond."""

    def __init__(self, *dead):
        self.connected, self._dead = [], dead

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        if host in self._dead:
            raise httpcore.ConnectError("refused")
        self.connected.append((host, port))
        return httpcore.MockStream([])


@pytest.fixture
def resolved(monkeypatch):
    """Return a function that sets the addresses to which every name resolves, in the order of the resolver."""

    def set_addresses(*addresses):
        def getaddrinfo(_host, port, *_, **__):
            return [
                (socket.AF_INET6 if ":" in a else socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port))
                for a in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    return set_addresses


@pytest.mark.parametrize("address", SPECIAL)
def test_a_name_that_resolves_to_a_special_address_is_not_connected(resolved, address):
    resolved(address)
    inner = RecordedConnections()
    with pytest.raises(AddressRefused, match="not an address of a public server"):
        CheckedBackend(inner, ROOT).connect_tcp(OWN, 443)
    assert inner.connected == []


def test_only_the_public_addresses_of_a_name_are_tried_in_order(resolved):
    resolved("10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111", "1.0.0.1")
    inner = RecordedConnections("1.1.1.1")
    CheckedBackend(inner, ROOT).connect_tcp(OWN, 443)
    assert inner.connected == [("2606:4700::1111", 443)]
    with pytest.raises(httpcore.ConnectError, match="refused"):
        CheckedBackend(RecordedConnections("1.1.1.1", "2606:4700::1111", "1.0.0.1"), ROOT).connect_tcp(OWN, 443)


@pytest.mark.parametrize(
    ("address", "allowed"), [("127.0.0.1", True), ("::1", True), ("1.1.1.1", False), ("10.0.0.1", False)]
)
def test_a_fake_site_is_on_this_machine_only(resolved, address, allowed):
    resolved(address)
    inner = RecordedConnections()
    if allowed:
        CheckedBackend(inner, "http://localhost:8000/").connect_tcp("localhost", 8000)
        assert inner.connected == [(address, 8000)]
    else:
        with pytest.raises(AddressRefused):
            CheckedBackend(inner, "http://localhost:8000/").connect_tcp("localhost", 8000)


def test_a_name_without_addresses_cannot_be_connected(resolved, monkeypatch):
    resolved()
    with pytest.raises(httpcore.ConnectError, match="no address"):
        CheckedBackend(RecordedConnections(), ROOT).connect_tcp(OWN, 443)
    monkeypatch.undo()
    with pytest.raises(httpcore.ConnectError, match="cannot resolve"):
        CheckedBackend(RecordedConnections(), ROOT).connect_tcp("fr..vietnamplus.invalid", 443)
