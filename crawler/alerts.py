"""Sends alerts to the recipients in `[alerts] to`, through the Apprise library.

Boundary: Apprise is an optional dependency, loaded only when an alert is sent. `crawler.health` decides what to report
and when. Recipient URLs contain passwords and tokens, so our messages show only their scheme and, unless it is secret,
their host.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from crawler.errors import NotDelivered

_PART = re.compile(r"[^:/?&=@+\s]+")
_MIN_SECRET = 6  # characters: redacting shorter parts would remove ordinary words from the log
#: URL schemes whose host is a host name, which is not secret; other schemes may have a token in its place.
_HOST_SCHEMES = frozenset({"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"})


def send(addresses: Sequence[str], title: str, body: str) -> None:
    """Send one alert to every recipient URL in `addresses`.

    Raises:
        NotDelivered: Apprise is not installed, or some recipients could not be reached; the error names them without
            their secrets. The other recipients have received the alert.

    """
    require_library()
    from apprise import Apprise  # noqa: PLC0415 - an extra, and slow

    logging.getLogger("apprise").disabled = True  # its messages contain recipient URLs
    refused = []
    for address in addresses:
        service = Apprise()
        if not service.add(address):
            refused.append(f"{masked(address)} (not a valid Apprise URL)")
        elif not service.notify(title=title, body=body):
            refused.append(masked(address))
    if refused:
        raise NotDelivered(
            f"could not send the alert to {', '.join(refused)}",
            "check the URLs in `[alerts] to` (see https://github.com/caronc/apprise/wiki) and the network connection",
        )


def require_library() -> None:
    """Check that Apprise is installed.

    Raises:
        NotDelivered: Apprise is not installed; the hint tells how to install it.

    """
    if find_spec("apprise") is None:
        raise NotDelivered(
            "cannot send alerts: Apprise is not installed", "install it with: pip install 'vna-archive[alerts]'"
        )


def secrets(addresses: Sequence[str]) -> set[str]:
    """Return the texts to redact in the log: each recipient URL, and each part of a URL that may be secret.

    The host is left out if the URL has a scheme with a real host name; with other schemes, the host may be a token.
    Parts of fewer than six characters are left out too, because redacting them would remove ordinary words.
    """
    found = set(addresses)
    for address in addresses:
        rest = address.partition("://")[2]
        host = _public_host(address)
        parts = {*_PART.findall(rest), *_PART.findall(unquote(rest))}
        found |= {part for part in parts if len(part) >= _MIN_SECRET and part != host}
    return found


def masked(address: str) -> str:
    """Return a recipient URL without its secrets: the scheme, and the host if it is not secret."""
    return f"{address.partition('://')[0]}://{_public_host(address) or '***'}"


def _public_host(address: str) -> str | None:
    """Return the host name in a recipient URL; None if the host may be a token, or if there is none."""
    parts = urlsplit(address)
    return parts.hostname if parts.scheme in _HOST_SCHEMES else None
