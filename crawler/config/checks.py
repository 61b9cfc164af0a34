"""Checks of single values of the configuration. Each returns the value as the configuration uses it.

Boundary: a value in, a value out, or a `ValueError` whose message says what is expected.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_LONGEST_QUERY = 1000  # characters, as in the search box of `vna browse`


def text(value: Any) -> str:
    """Return a string without the white space around it."""
    if not isinstance(value, str):
        raise ValueError("must be a string in quotes")  # noqa: TRY004 - the caller collects ValueErrors
    return value.strip()


def contact(value: Any) -> str:
    """Return a contact, which must be printable ASCII."""
    if not (given := text(value)).isascii() or not given.isprintable():
        raise ValueError("must be printable ASCII: it is sent in an HTTP header")
    return given


def root(value: Any) -> str:
    """Return the root address of a site."""
    parts = urlsplit(text(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a web address such as https://fr.vietnamplus.vn/")
    return f"{parts.scheme}://{parts.netloc}/"  # a path or a query in the value is ignored


def optional_address(value: Any) -> str:
    """Return a web address, or an empty string."""
    parts = urlsplit(given := text(value))
    if given and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError('must be a web address such as "https://freetsa.org/tsr", or "" for none')
    return given


def folder(value: Any) -> Path:
    """Return the path of a folder."""
    if (given := path(value)) is None:
        raise ValueError("must be the path of a folder")
    return given


def path(value: Any) -> Path | None:
    """Return a path; None for an empty string."""
    return Path(os.path.expanduser(text(value))) if text(value) else None  # noqa: PTH111 - the string may be empty


def texts(value: Any) -> tuple[str, ...]:
    """Return a list of paths or addresses as a tuple."""
    if not isinstance(value, list) or not all(isinstance(v, str) and v.startswith(("/", "http")) for v in value):
        raise ValueError('must be a list of paths on the site or URLs, such as ["/politique/"]')
    return tuple(value)


def origins(value: Any) -> tuple[str, ...]:
    """Return a list of addresses of hosts as their origins."""
    message = 'must be a list of addresses of hosts, such as ["https://mediafr.vietnamplus.vn/"]'
    if not isinstance(value, list):
        raise ValueError(message)  # noqa: TRY004 - the caller collects ValueErrors
    found = []
    for given in value:
        parts = urlsplit(given) if isinstance(given, str) else None
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError(message)
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise ValueError(message)
        found.append(f"{parts.scheme}://{parts.netloc}".lower())
    return tuple(found)


def names(value: Any) -> dict[str, str]:
    """Return a table of names by path."""
    if not isinstance(value, dict) or not all(isinstance(v, str) and v.strip() for v in value.values()):
        raise ValueError('must be a table of names by path, such as { "/politique/" = "Politique" }')
    texts(list(value))
    return {path: name.strip() for path, name in value.items()}


def flag(value: Any) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - the caller collects ValueErrors
    return value


def hours(value: Any) -> tuple[time, time] | None:
    """Return the two ends of a span of hours; None for an empty string."""
    if not (given := text(value)):
        return None
    if not (match := re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", given)):
        raise ValueError('must be hours in Hanoi time such as "23:00-05:00", or "" for none')
    first, second = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if first == second:
        raise ValueError("the start and the end must differ")
    return first, second


def address(value: Any) -> str:
    """Return an address of the form host:port, or an empty string."""
    match = re.fullmatch(r"(?:\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})", given := text(value))
    if given and not (match and 0 < int(match[1]) < 65536):
        raise ValueError('must be host:port such as "127.0.0.1:8017", or "" for none')
    return given


def one_of(*names: str) -> Callable[[Any], str]:
    """Return a check that accepts the given words."""

    def check(value: Any) -> str:
        if value not in names:
            raise ValueError(f"must be {' or '.join(names)}")
        return str(value)

    return check


def services(value: Any) -> tuple[str, ...]:
    """Return a list of Apprise URLs as a tuple."""
    if not isinstance(value, list) or not all(
        isinstance(v, str) and re.match(r"[a-z][a-z0-9+.-]*://", v) for v in value
    ):
        raise ValueError('must be a list of Apprise URLs such as ["mailto://user:password@your.domain"]')
    for number, address in enumerate(value, 1):
        try:
            urlsplit(address)
        except ValueError:  # its message may contain the password
            raise ValueError(
                f"URL {number} is not valid: percent-encode special characters, such as %5B for ["
            ) from None
    return tuple(value)


def number(minimum: float, maximum: float | None, *, whole: bool = False) -> Callable[[Any], Any]:
    """Return a check for numbers from `minimum` to `maximum`; None means no limit."""

    def check(value: Any) -> Any:
        kinds = int if whole else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not -math.inf < value < math.inf:
            raise ValueError("must be a whole number" if whole else "must be a number")
        if value < minimum or (maximum is not None and value > maximum):
            raise ValueError(
                f"must be from {minimum:g} to {maximum:g}" if maximum is not None else f"must be at least {minimum:g}"
            )
        return value

    return check


def searches(value: Any) -> dict[str, str]:
    """Return the watched searches by name."""
    if not isinstance(value, dict) or not all(isinstance(v, str) and v.strip() for v in value.values()):
        raise ValueError("""must be a table of searches by name, such as { "Mer" = 'mer "Chine méridionale"' }""")
    if any(len(text) > _LONGEST_QUERY for text in (*value, *value.values())):
        raise ValueError(f"a name or a search has more than {_LONGEST_QUERY} characters")
    return {name.strip(): text.strip() for name, text in value.items()}
