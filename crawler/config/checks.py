"""The checks of single configuration values: each turns a value of the TOML file into the value of a setting.

A check raises ValueError with what the value must be; `config` adds the file, the table and the key.

Boundary: values in, values out, except that `~` stands for the home folder.
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


def text_value(value: Any) -> str:
    """Return a text without spaces around it."""
    if not isinstance(value, str):
        raise ValueError("must be a string in quotes")  # noqa: TRY004 - the caller collects ValueErrors
    return value.strip()


def contact(value: Any) -> str:
    """Return the address at which the operators of the site can reach the user."""
    if not (text := text_value(value)).isascii() or not text.isprintable():
        raise ValueError("must be printable ASCII: it is sent in an HTTP header")
    return text


def root_address(value: Any) -> str:
    """Return the root address of the site."""
    parts = urlsplit(text_value(value))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a web address such as https://fr.vietnamplus.vn/")
    return f"{parts.scheme}://{parts.netloc}/"  # a path or a query in the value is ignored


def folder(value: Any) -> Path:
    """Return the path of a folder."""
    if (path := path_value(value)) is None:
        raise ValueError("must be the path of a folder")
    return path


def path_value(value: Any) -> Path | None:
    """Return a path; None for an empty text."""
    return Path(os.path.expanduser(text_value(value))) if text_value(value) else None  # noqa: PTH111 - the string may be empty


def site_paths(value: Any) -> tuple[str, ...]:
    """Return paths on the site, or whole addresses."""
    if not isinstance(value, list) or not all(isinstance(v, str) and v.startswith(("/", "http")) for v in value):
        raise ValueError('must be a list of paths on the site or URLs, such as ["/politique/"]')
    return tuple(value)


def names_by_path(value: Any) -> dict[str, str]:
    """Return names by path."""
    if not isinstance(value, dict) or not all(isinstance(v, str) and v.strip() for v in value.values()):
        raise ValueError('must be a table of names by path, such as { "/politique/" = "Politique" }')
    site_paths(list(value))
    return {path: name.strip() for path, name in value.items()}


def flag(value: Any) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - the caller collects ValueErrors
    return value


def hours(value: Any) -> tuple[time, time] | None:
    """Return the first and the last minute of a part of the day; None for an empty text."""
    if not (text := text_value(value)):
        return None
    if not (match := re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text)):
        raise ValueError('must be hours in Hanoi time such as "23:00-05:00", or "" for none')
    first, second = time(int(match[1]), int(match[2])), time(int(match[3]), int(match[4]))
    if first == second:
        raise ValueError("the start and the end must differ")
    return first, second


def address(value: Any) -> str:
    """Return a host with its port; an empty text stays."""
    match = re.fullmatch(r"(?:\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})", text := text_value(value))
    if text and not (match and 0 < int(match[1]) < 65536):
        raise ValueError('must be host:port such as "127.0.0.1:8017", or "" for none')
    return text


def one_of(*names: str) -> Callable[[Any], str]:
    """Return a check that accepts only these texts."""

    def check(value: Any) -> str:
        if value not in names:
            raise ValueError(f"must be {' or '.join(names)}")
        return str(value)

    return check


def services(value: Any) -> tuple[str, ...]:
    """Return the addresses of recipients."""
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
    """Return a check that accepts numbers in a range."""

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
