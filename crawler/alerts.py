"""Telling somebody: messages to the addresses of the configuration, through the Apprise library.

Boundary: the library is an extra and is loaded when there is something to tell; what is worth telling, and when, is
`policy`'s. Addresses hold passwords and tokens: messages of ours name them by their kind alone.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from crawler.errors import NotTold

_PART = re.compile(r"[^:/?&=@+\s]+")
_SHORTEST = 6  # letters; a shorter part of an address is a word
_HOSTED = frozenset({"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"})  # a host is no secret here


def send(addresses: Sequence[str], title: str, body: str) -> None:
    """Send one message to every address.

    Raises:
        NotTold: the library is missing, or services did not take it; names them, without their secrets.

    """
    require_library()
    from apprise import Apprise  # noqa: PLC0415 - an extra, and slow

    logging.getLogger("apprise").disabled = True  # its lines quote addresses
    refused = []
    for address in addresses:
        service = Apprise()
        if not service.add(address):
            refused.append(f"{masked(address)} (no address that Apprise knows)")
        elif not service.notify(title=title, body=body):
            refused.append(masked(address))
    if refused:
        raise NotTold(
            f"could not tell {', '.join(refused)}",
            "check [alerts] to against https://github.com/caronc/apprise/wiki, and whether the service can be reached",
        )


def require_library() -> None:
    """Refuse to go on without the library.

    Raises:
        NotTold: with how to install it.

    """
    if find_spec("apprise") is None:
        raise NotTold("Apprise, which sends the alerts, is not installed", "pip install '.[alerts]' brings it")


def secrets(addresses: Sequence[str]) -> set[str]:
    """Give the parts of addresses that may be secret: each of them, but a host that is none and what is too short."""
    found = set(addresses)
    for address in addresses:
        kind, _, rest = address.partition("://")
        host = urlsplit(address).hostname if kind in _HOSTED else None
        parts = {*_PART.findall(rest), *_PART.findall(unquote(rest))}
        found |= {part for part in parts if len(part) >= _SHORTEST and part != host}
    return found


def masked(address: str) -> str:
    """Name an address without its secrets: its kind, and its host where a host is none."""
    kind = address.partition("://")[0]
    host = urlsplit(address).hostname if kind in _HOSTED else None
    return f"{kind}://{host or '***'}"
