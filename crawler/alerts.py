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

from crawler import redact, visible
from crawler.errors import NotDelivered

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,30}(?=://)", re.IGNORECASE)
#: A recipient URL of which the host can be told from a password: only parameters with addresses may contain another `@`.
_UNAMBIGUOUS = re.compile(
    r"[a-z]+://(?:[^@/?#\s]*@)?(?P<host>[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:/[^@?#\s]*)?"
    r"(?:\?(?:(?:to|cc|bcc|from|reply|name)=[^#\s&]*|[^@#\s&]*)(?:&(?:(?:to|cc|bcc|from|reply|name)=[^#\s&]*|[^@#\s&]*))*)?",
    re.IGNORECASE,
)
_LONGEST = 300  # characters of a title, which becomes the subject of a mail
#: URL schemes whose host is a host name, which is not secret; other schemes may have a token in its place.
_HOST_SCHEMES = frozenset({"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"})


def send(addresses: Sequence[str], title: str, body: str) -> None:
    """Send one alert to every recipient URL in `addresses`.

    The text is plain: a service that sends HTML or Markdown, such as mail, gets it escaped.

    Raises:
        NotDelivered: Apprise is not installed, or some recipients could not be reached; the error names them without
            their secrets. The other recipients have received the alert.

    """
    require_library()
    from apprise import Apprise  # noqa: PLC0415 - an extra, and slow

    logging.getLogger("apprise").disabled = True  # its messages contain recipient URLs
    title, body = visible.line(redact.redacted(title), _LONGEST), visible.block(redact.redacted(body))
    refused = []
    for address in addresses:
        service = Apprise()
        if not service.add(address):
            refused.append(f"{masked(address)} (not a valid Apprise URL)")
        elif not service.notify(title=title, body=body, body_format="text"):
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
    found: set[str] = set()
    for address in addresses:
        found |= redact.secrets_of(address, host=_public_host(address))
    return found


def masked(address: str) -> str:
    """Return a recipient URL without its secrets: the scheme, and the host if it is not secret."""
    scheme = _SCHEME.match(address)
    return f"{scheme[0] if scheme else redact.MARK}://{_public_host(address) or redact.MARK}"


def _public_host(address: str) -> str | None:
    """Return the host name in a recipient URL; None if it may be a token or a part of a password, or if there is none."""
    scheme, found = _SCHEME.match(address), _UNAMBIGUOUS.fullmatch(address)
    if scheme is None or found is None or scheme[0].lower() not in _HOST_SCHEMES:
        return None
    return found["host"].strip("[]").lower()
