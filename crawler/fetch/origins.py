"""Which addresses the client may connect to. Every request is checked twice: by its URL, and when it connects.

`AllowedOrigins.check` compares scheme, host and port of a URL with the configured origins, so no link or redirect leads
elsewhere. `CheckedBackend` resolves the host name itself and connects to the address that it has checked, so no DNS
response leads to this machine or to the local network.

Boundary: rules and connections; `crawler.fetch.client` decides what a refused address means for a request.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any, NamedTuple

import httpcore
import httpx

from crawler import urls
from crawler.errors import Refused

_PORTS = {"https": 443, "http": 80}

#: Networks without public servers, from the special-purpose address registries of IANA (RFC 6890 and its successors).
#: `ipaddress.is_global` is not used, because its answers differ between versions of Python.
_SPECIAL = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
#: All public IPv6 servers are in 2000::/3, apart from these parts of it: protocol assignments such as Teredo, examples,
#: 6to4, documentation.
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_SPECIAL_V6 = tuple(map(ipaddress.ip_network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
#: IPv6 addresses that stand for an IPv4 address in their last 32 bits: mapped ones, and NAT64 (RFC 6052).
_EMBEDDED = tuple(map(ipaddress.ip_network, ("::ffff:0:0/96", "64:ff9b::/96")))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Origin(NamedTuple):
    """Where a URL leads: its scheme, host in lower case, and port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"


class AllowedOrigins:
    """Allows requests to the configured origins only. `root` is the site's root URL; `others` are further origins."""

    def __init__(self, root: str, others: Iterable[str] = ()) -> None:
        self._root = origin_of(root)
        self._allowed = {self._root, *(origin_of(other) for other in others)}

    def check(self, url: str) -> httpx.URL:
        """Return a URL in the form in which it is requested, after its scheme, host and port have been checked.

        The URL is read by the code that will send the request, so both always agree about its host.

        Raises:
            Refused: the URL leads to another scheme, host or port, contains a user name, or cannot be read.

        """
        try:
            parsed = httpx.URL(url)
            found = _origin_of(parsed)
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise Refused(url, "the address is not a URL that can be requested") from error
        if parsed.userinfo:
            raise Refused(url, "the address contains a user name")
        if found in self._allowed:
            return parsed
        raise Refused(url, self._reason(found))

    def allows(self, url: str) -> bool:
        """Whether `check` accepts a URL."""
        try:
            self.check(url)
        except Refused:
            return False
        return True

    def is_root(self, url: str) -> bool:
        """Whether a URL that `check` accepts belongs to the site itself, and not to its list API."""
        return origin_of(url) == self._root

    def _reason(self, found: Origin) -> str:
        if found.host != self._root.host:
            return f"the address leads to another host, {found}"
        if (found.scheme, self._root.scheme) == ("http", "https"):
            return "the address leads from https to http"
        return f"the address leads to another port or scheme, {found}"


def origin_of(url: str) -> Origin:
    """Return the origin of a configured URL.

    Raises:
        ValueError: it is not an http or https URL with a host.

    """
    return _origin_of(httpx.URL(url))


def _origin_of(parsed: httpx.URL) -> Origin:
    if parsed.scheme not in _PORTS or not parsed.host:
        raise ValueError(f"not an http or https URL: {parsed.scheme}")
    port = _PORTS[parsed.scheme] if parsed.port is None else parsed.port
    return Origin(parsed.scheme, parsed.raw_host.decode("ascii").lower(), port)


def is_public(address: Address) -> bool:
    """Whether an IP address can belong to a public server."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL)
    if any(address in network for network in _EMBEDDED):
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _PUBLIC_V6 and not any(address in network for network in _SPECIAL_V6)


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections only to addresses that the site may have.

    A site on the public internet may have public addresses only; a fake site on this machine, loopback addresses only.
    """

    def __init__(self, inner: httpcore.NetworkBackend, root: str) -> None:
        self._inner = inner
        self._loopback = urls.is_loopback(root)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that may be used and responds.

        Raises:
            AddressRefused: no address of the host may be used.
            httpcore.ConnectError: the name cannot be resolved, or no connection can be opened.

        """
        failure: Exception | None = None
        for address in self._addresses(host, port):
            try:
                return self._inner.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"{host} has no address")

    def _addresses(self, host: str, port: int) -> list[Address]:
        """Return the addresses of a host that may be connected to, in the order of the resolver.

        Raises:
            httpcore.ConnectError: the name cannot be resolved.
            AddressRefused: the host has only addresses that no site may have.

        """
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"cannot resolve {host}: {error}") from error
        found = list(dict.fromkeys(ipaddress.ip_address(str(answer[4][0]).partition("%")[0]) for answer in answers))
        allowed = [address for address in found if self._may_connect(address)]
        if found and not allowed:
            raise AddressRefused(f"{host} resolves to {found[0]}, which is not an address of a public server")
        return allowed

    def _may_connect(self, address: Address) -> bool:
        return address.is_loopback if self._loopback else is_public(address)


class AddressRefused(Exception):
    """A host has only addresses to which no connection may be opened. The client turns this into `Refused`."""
