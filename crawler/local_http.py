"""Which requests a server on this machine accepts: against DNS rebinding and requests from foreign web pages.

A browser lets any web page send requests to this machine. Such a page may read the responses if its own host name is
made to resolve to this machine (DNS rebinding); then the Host header has that name. Without this, it can still send
requests; then the headers Origin and Sec-Fetch-Site, which a page cannot change, show where they come from.

Boundary: a pure decision about headers; the servers read the request and send the response.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

#: Headers of each response: no other page may show it in a frame, load it as a resource or learn its address.
RESPONSE_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("X-Robots-Tag", "noindex, nofollow, noarchive"),
)
MISDIRECTED = 421  # HTTP status: the request is not for this server
_BAD_REQUEST, _FORBIDDEN = 400, 403
_AUTHORITY = re.compile(
    r"(?P<host>[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(:(?P<port>[1-9][0-9]{0,4}))?"
)
_DEFAULT_PORTS = (80, 443)
_LAST_PORT = 65_535
#: Values of Sec-Fetch-Site: the page of the request has the same origin, or the user has entered the address.
_OWN_SITES = ("same-origin", "none")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is refused: the HTTP status, and a message for the person who sent it."""

    status: int
    message: str


def host_names(value: object) -> tuple[str, ...]:
    """Return the names of a configuration value in normal form.

    Raises:
        ValueError: the value is not a list of names or addresses, each with or without a port.

    """
    wrong = ValueError('must be a list of host names such as ["archive.your.domain", "127.0.0.1:9000"]')
    if not isinstance(value, list):
        raise wrong
    names = []
    for name in value:
        if not isinstance(name, str) or _split(name.strip()) is None:
            raise wrong
        names.append(name.strip().lower())
    return tuple(names)


def refusal(
    headers: Sequence[tuple[str, str]], address: tuple[str, int], names: Collection[str] = (), *, changes: bool = False
) -> Refusal | None:
    """Return why a request must be refused; None if it is accepted.

    `headers` are all headers of the request, in order. `address` is the IP address (or name) and the port at which the
    server received it, `names` further accepted names in the form that `host_names` returns, and `changes` whether the
    request would change something.
    """
    hosts = _values(headers, "host")
    if len(hosts) != 1:
        return Refusal(_BAD_REQUEST, "a request must have exactly one Host header")
    if not _is_accepted(hosts[0], address, names):
        return Refusal(
            MISDIRECTED,
            "unknown Host header: use the address that the server listens on, or add the name to `[service] hosts`",
        )
    if _is_foreign(headers, hosts[0], names, changes=changes):
        return Refusal(_FORBIDDEN, "requests from other web pages are refused: open the address directly")
    return None


def _values(headers: Sequence[tuple[str, str]], name: str) -> list[str]:
    return [value.strip(" \t") for key, value in headers if key.lower() == name]


def _is_accepted(host: str, address: tuple[str, int], names: Collection[str]) -> bool:
    own, port = address
    if (found := _split(host)) is None:
        return False
    if _is_named(host.lower(), port, names):
        return True
    name, given = found
    if (given or _DEFAULT_PORTS[0]) != port:
        return False
    literal = _ip(name)
    if literal is None:
        return name in ("localhost", own.lower())
    return _is_loopback(literal) or name in (own, f"[{own}]")


def _is_named(host: str, port: int, names: Collection[str]) -> bool:
    """Whether a Host header is in `names`, of which those without a port match the usual ports, too."""
    name, _, given = host.rpartition(":") if _split(host) != (host, None) else (host, "", "")
    return host in names or (name in names and int(given) in (port, *_DEFAULT_PORTS))


def _is_foreign(headers: Sequence[tuple[str, str]], host: str, names: Collection[str], *, changes: bool) -> bool:
    for origin in _values(headers, "origin"):
        scheme, _, authority = origin.lower().partition("://")
        if scheme not in ("http", "https") or authority not in (host.lower(), *names):
            return True
    sites = _values(headers, "sec-fetch-site")
    if all(site.lower() in _OWN_SITES for site in sites):
        return False
    # Another page links to this one: it cannot read the response, which the user opens in a window.
    is_link = _values(headers, "sec-fetch-mode") == ["navigate"] and _values(headers, "sec-fetch-dest") == ["document"]
    return changes or not is_link


def _split(host: str) -> tuple[str, int | None] | None:
    """Return the name and the port of a Host header; None if it is not one of the usual forms."""
    match = _AUTHORITY.fullmatch(host.lower()) if host.isascii() else None
    if match is None:
        return None
    port = int(match["port"]) if match["port"] else None
    return None if port is not None and port > _LAST_PORT else (match["host"], port)


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that the host of a URL denotes; an IPv6 address is in brackets there."""
    try:
        if name.startswith("["):
            return ipaddress.IPv6Address(name.strip("[]"))
        return ipaddress.IPv4Address(name)
    except ValueError:
        return None


def _is_loopback(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    # Not an IPv6 address that contains an IPv4 address, which some versions of Python consider to be loopback
    return address.is_loopback and (address.version == 4 or address == ipaddress.IPv6Address("::1"))
