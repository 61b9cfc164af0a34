"""Load JSON of an unknown server: no size, depth, number or string in it may stop the crawler.

Boundary: bytes in, values out.
"""

from __future__ import annotations

import json
import re
from typing import Any

_MAX_SIZE = 4_000_000  # bytes; a page of a list has about 150,000. JSON takes up to 30 times its size in memory.
_MAX_DIGITS = 18  # larger numbers are no ids, times or flags
_SURROGATE = re.compile("[\ud800-\udfff]")


def load(body: bytes) -> Any:
    """Return the value of a JSON text, with None for numbers that are not finite or have more than 18 digits.

    If a key is repeated, the last value counts.

    Raises:
        ValueError: the text is not JSON, larger than 4 MB, or nested too deeply.

    """
    if len(body) > _MAX_SIZE:
        raise ValueError(f"more than {_MAX_SIZE} bytes")
    try:
        return json.loads(body, parse_int=_integer, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def text(value: object) -> str:
    """Return `value` if it is a string, otherwise an empty string; surrogates that are no characters become U+FFFD."""
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else ""


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MAX_DIGITS else None


def _no_number(_name: str) -> None:
    return None
