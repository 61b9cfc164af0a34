"""Which Host, Origin and Sec-Fetch headers a server on this machine accepts."""

from __future__ import annotations

import pytest

from crawler.local_http import host_names, refusal

V4, V6 = ("127.0.0.1", 8017), ("::1", 8017)
LAN = ("192.168.1.5", 8017)
NAMES = ("archive.example.org", "vna_web:9000", "192.0.2.7:80")


def status(*headers, address=V4, names=(), changes=False):
    found = refusal(headers, address, names, changes=changes)
    return None if found is None else found.status


@pytest.mark.parametrize(
    ("host", "address", "names"),
    [
        ("localhost:8017", V4, ()),
        ("LocalHost:8017", V4, ()),
        ("127.0.0.1:8017", V4, ()),
        ("127.255.1.2:8017", V4, ()),
        (" 127.0.0.1:8017 ", V4, ()),
        ("[::1]:8017", V6, ()),
        ("[0:0:0:0:0:0:0:1]:8017", V6, ()),
        ("127.0.0.1", ("127.0.0.1", 80), ()),
        ("127.0.0.1:80", ("127.0.0.1", 80), ()),
        ("192.168.1.5:8017", LAN, ()),
        ("127.0.0.1:8017", LAN, ()),
        ("[fd00::5]:8017", ("fd00::5", 8017), ()),
        ("machine.lan:8017", ("machine.lan", 8017), ()),
        ("archive.example.org", V4, NAMES),
        ("ARCHIVE.example.org", V4, NAMES),
        ("archive.example.org:443", V4, NAMES),
        ("archive.example.org:8017", V4, NAMES),
        ("vna_web:9000", V4, NAMES),
        ("192.0.2.7:80", V4, NAMES),
    ],
)
def test_accepted_hosts(host, address, names):
    assert status(("Host", host), address=address, names=names) is None


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8017", "127.0.0.1.evil.example:8017", "localhost.evil.example:8017", "localhost",
        "127.0.0.1", "localhost:8018", "127.0.0.1:80", "localhost:0", "localhost:08017", "localhost:+8017",
        "localhost: 8017", "localhost:", "localhost:8017:8017", "localhost:99999", "localhost:80170", "localhost.:8017",
        "127.0.0.1.:8017", "127.1:8017", "2130706433:8017", "0x7f.0.0.1:8017", "0177.0.0.1:8017", "127.0.0.01:8017",
        "0.0.0.0:8017", "[::]:8017", "[::ffff:127.0.0.1]:8017", "[::1%lo]:8017", "[::1%25lo]:8017", "::1:8017", "[::1",
        "[127.0.0.1]:8017", "[::2]:8017", "[1:2]:8017", "10.0.0.1:8017", "169.254.169.254:8017", "user@127.0.0.1:8017",
        "user:word@localhost:8017", "localhost:8017@evil.example", "localhost:8017, evil.example", "localhost,evil:8017",
        "http://localhost:8017", "localhost:8017/", "localhost:8017#x", "localhost\\:8017", "localhost\t:8017",
        "lo calhost:8017", "", " ", ":8017", "ｌocalhost:8017", "localhost:８０１７", "１２７.0.0.1:8017", "localhoſt:8017",
        "\u2466.0.0.1:8017", "xn--localhost:8017", "localhost:8017\x00", "archive.example.org.", "-localhost:8017",
        "archive.example.org:8443", "sub.archive.example.org", "vna_web", "vna_web:8017", "a" * 300 + ":8017",
    ],
)  # fmt: skip
def test_refused_hosts(host):
    assert status(("Host", host), names=NAMES) == 421


def test_another_address_of_this_machine_is_refused():
    assert status(("Host", "192.168.1.6:8017"), address=LAN) == 421


@pytest.mark.parametrize(
    "headers",
    [(), (("Host", "localhost:8017"), ("Host", "localhost:8017")), (("host", "localhost:8017"), ("HOST", "evil"))],
    ids=len,
)
def test_there_must_be_one_host(headers):
    assert status(*headers) == 400


LINK = (("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"))


@pytest.mark.parametrize(
    ("headers", "read", "change"),
    [
        ((), None, None),
        ((("Origin", "http://localhost:8017"),), None, None),
        ((("Origin", "HTTP://LOCALHOST:8017"),), None, None),
        ((("Sec-Fetch-Site", "same-origin"),), None, None),
        ((("Sec-Fetch-Site", "none"),), None, None),
        ((("Origin", "https://archive.example.org"),), None, None),
        ((("Origin", "null"),), 403, 403),
        ((("Origin", ""),), 403, 403),
        ((("Origin", "http://evil.example"),), 403, 403),
        ((("Origin", "http://localhost"),), 403, 403),
        ((("Origin", "http://localhost:3000"),), 403, 403),
        ((("Origin", "http://127.0.0.1:8017"),), 403, 403),
        ((("Origin", "http://localhost:8017.evil.example"),), 403, 403),
        ((("Origin", "http://localhost:8017/"),), 403, 403),
        ((("Origin", "file://localhost:8017"),), 403, 403),
        ((("Origin", "localhost:8017"),), 403, 403),
        ((("Origin", "http://localhost:8017"), ("Origin", "http://evil.example")), 403, 403),
        ((("Sec-Fetch-Site", "cross-site"),), 403, 403),
        ((("sec-fetch-site", "Cross-Site"),), 403, 403),
        ((("Sec-Fetch-Site", "same-site"),), 403, 403),
        ((("Sec-Fetch-Site", "something new"),), 403, 403),
        ((("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")), 403, 403),
        ((("Sec-Fetch-Site", "cross-site"), *LINK), None, 403),
        ((("Sec-Fetch-Site", "cross-site"), LINK[0], ("Sec-Fetch-Dest", "iframe")), 403, 403),
        ((("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors"), LINK[1]), 403, 403),
        ((("Sec-Fetch-Site", "same-origin"), ("Origin", "http://evil.example")), 403, 403),
    ],
)
def test_origins(headers, read, change):
    host = ("Host", "localhost:8017")
    assert status(host, *headers, names=NAMES) == read
    assert status(host, *headers, names=NAMES, changes=True) == change


def test_names_of_the_configuration():
    assert host_names(["Archive.Example.org", " 127.0.0.1:9000 ", "[::1]:9000"]) == (
        "archive.example.org", "127.0.0.1:9000", "[::1]:9000",
    )  # fmt: skip


@pytest.mark.parametrize(
    "value",
    [
        "archive.example.org",
        None,
        {},
        [1],
        [""],
        ["*"],
        ["https://x.example"],
        ["x/"],
        ["é.example"],
        ["x:0"],
        ["x:70000"],
    ],
)
def test_wrong_names_of_the_configuration(value):
    with pytest.raises(ValueError, match="must be a list of host names"):
        host_names(value)
