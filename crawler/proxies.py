"""The proxy that the environment names for a URL: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

Names in lower case take precedence, as in curl. A site on this machine is never requested through a proxy.

Boundary: interprets the values of variables; `crawler.fetch.client` sends the requests.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from crawler import redact, urls
from crawler.errors import ConfigError

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:.]+(?:%[A-Za-z0-9._-]+)?")
_HINT = (
    "write it as http://proxy.your.domain:3128, with special characters of a user name and password percent-encoded "
    "(%40 for @), or unset the variable"
)


@dataclass(frozen=True, slots=True)
class ProxyServer:
    """A proxy and the variable that names it. `url` has no user name and no password."""

    url: str
    variable: str
    user: str = ""
    password: str = ""

    @property
    def is_tls(self) -> bool:
        """Whether the connection to the proxy itself is encrypted."""
        return self.url.startswith("https:")

    def __str__(self) -> str:
        return f"{self.url} ({self.variable})"

    def __repr__(self) -> str:  # without the password
        return f"ProxyServer({self})"


def proxy_for(url: str, environ: Mapping[str, str] = os.environ) -> ProxyServer | None:
    """Return the proxy through which `url` must be requested; None if it must be requested directly.

    Raises:
        ConfigError: the variable has no valid address of a proxy, or a library is missing. The message never contains
            the value, because it may contain a password.

    """
    scheme, _, authority = urls.origin(url).partition("://")
    port = re.search(r":(\d+)$", authority)
    excluded = _value(environ, "no_proxy")[1]
    if urls.is_loopback(url) or _is_excluded(urls.host(url), int(port[1]) if port else _PORTS.get(scheme), excluded):
        return None
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable, value = _value(environ, name)
        if name == "http_proxy" and variable.isupper() and "REQUEST_METHOD" in environ:
            continue  # in a CGI script, HTTP_PROXY is a header of the request (https://httpoxy.org)
        if value:
            return _server(variable, value)
    return None


def proxy_secrets(environ: Mapping[str, str] = os.environ) -> set[str]:
    """Return the texts to redact in messages: the values of the variables that contain a password, and their parts."""
    values = {_value(environ, f"{name}_proxy")[1] for name in ("http", "https", "all")}
    found = (
        redact.secrets_of(value, host=value.rpartition("@")[2].partition(":")[0]) for value in values if "@" in value
    )
    return set().union(*found)


def _value(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the name and the content of a variable; one in lower case takes precedence, even if it is empty."""
    variable = name if name in environ else name.upper()
    return variable, environ.get(variable, "").strip()


def _server(variable: str, value: str) -> ProxyServer:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname or "", parts.port
    except ValueError:  # its message may contain the password
        raise _invalid(variable, "its host or port is not valid") from None
    if "://" not in value:
        raise _invalid(variable, "it does not start with a scheme such as http://")
    if parts.scheme not in _PORTS:
        raise _invalid(variable, f"its scheme is none of {', '.join(_PORTS)}")
    if re.search(r"\s", value) or not value.isprintable() or parts.path.strip("/") or parts.query or parts.fragment:
        raise _invalid(variable, "it contains more than a host and a port")
    if not _HOST.fullmatch(host) or port == 0:
        raise _invalid(variable, "its host or port is not valid")
    if parts.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ConfigError(
            f"{variable} names a SOCKS proxy, but the library for SOCKS is not installed",
            "install it with: pip install 'vna-archive[socks]'",
        )
    shown = f"[{host}]" if ":" in host else host
    return ProxyServer(
        f"{parts.scheme}://{shown}:{port or _PORTS[parts.scheme]}",
        variable,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def _invalid(variable: str, reason: str) -> ConfigError:
    return ConfigError(f"the environment variable {variable} is not the address of a proxy: {reason}", _HINT)


def _is_excluded(host: str, port: int | None, no_proxy: str) -> bool:
    """Whether a host matches an entry of NO_PROXY: `*`, a host or domain with its subdomains, an IP address or network.

    An entry may end in a port. Entries are separated by commas or spaces.
    """
    return any(_matches(entry.lower(), host.rstrip("."), port) for entry in re.split(r"[,\s]+", no_proxy) if entry)


def _matches(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    with_port = re.fullmatch(r"(\[[^]]*\]|[^:]*):(\d+)", entry)
    if with_port is not None:
        entry = with_port[1]
        if int(with_port[2]) != port:
            return False
    entry = entry.strip("[]").removeprefix("*").strip(".")
    address = _network(host)
    if address is None:
        return bool(entry) and (host == entry or host.endswith(f".{entry}"))
    network = _network(entry)
    return network is not None and address.version == network.version and address.subnet_of(network)  # type: ignore[arg-type]


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """Return an IP address or an IP network in CIDR notation; None if `text` is neither."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
