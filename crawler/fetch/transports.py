"""The connections of the HTTP client: directly to the site, or through the proxy that the environment names.

A direct connection goes only to an address that `origins` allows.

Boundary: opens connections; `crawler.proxies` chooses the proxy, and `crawler.fetch.client` sends the requests.
"""

from __future__ import annotations

import functools
import ssl

import httpcore
import httpx

from crawler.fetch.deadline import Deadline, apply_deadline
from crawler.fetch.origins import CheckedBackend
from crawler.proxies import ProxyServer, proxy_for


class Transports(httpx.BaseTransport):
    """Sends each request directly, or through the proxy that the environment names for its URL.

    httpx reads these variables too, but fails on values that it does not know even if no request needs them.
    """

    def __init__(self, root: str, connections: int, deadline: Deadline) -> None:
        self._root = root
        self._limits = httpx.Limits(max_connections=connections)
        self._deadline = deadline
        self._opened: dict[ProxyServer | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request.

        Raises:
            ConfigError: the environment names an invalid proxy.
            httpx.HTTPError: there is no response.

        """
        proxy = proxy_for(str(request.url))
        if proxy not in self._opened:
            self._opened[proxy] = self._open(proxy)
        return self._opened[proxy].handle_request(request)

    def close(self) -> None:
        """Close all connections."""
        for transport in self._opened.values():
            transport.close()

    def _open(self, proxy: ProxyServer | None) -> httpx.HTTPTransport:
        server = None
        if proxy is not None:
            login = (proxy.user, proxy.password) if proxy.user or proxy.password else None
            server = httpx.Proxy(proxy.url, auth=login, ssl_context=_tls_context() if proxy.is_tls else None)
        transport = httpx.HTTPTransport(verify=_tls_context(), limits=self._limits, proxy=server)
        if proxy is None:  # the proxy resolves the name of the site by itself
            pool = transport._pool  # noqa: SLF001
            pool._network_backend = CheckedBackend(pool._network_backend, self._root)  # noqa: SLF001
        apply_deadline(transport, self._deadline)
        if proxy is not None:
            _drop_target_of_proxies(transport)
        return transport


def _drop_target_of_proxies(transport: httpx.HTTPTransport) -> None:
    """Keep the exact target of a request away from the requests to the proxy.

    `client` sets the target with an extension of httpcore, which puts it into the URL of the request. httpcore would also
    put it into the request to the proxy, such as CONNECT, so the extension is removed afterwards. tests/test_proxies.py
    checks the result, because private attributes are used.
    """
    pool = transport._pool  # noqa: SLF001
    send = pool.handle_request

    def send_without_extension(request: httpcore.Request) -> httpcore.Response:
        request.extensions = {name: value for name, value in request.extensions.items() if name != "target"}
        return send(request)

    pool.handle_request = send_without_extension  # type: ignore[method-assign]


@functools.cache
def _tls_context() -> ssl.SSLContext:
    """Return the TLS settings that all clients of this process share, because reading the certificates takes 35 ms."""
    return httpx.create_ssl_context()
