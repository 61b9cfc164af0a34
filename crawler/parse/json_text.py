"""Read JSON that the site sends: JSON-LD in pages, responses of the list API.

Anything may be in it. The values returned can be stored: half of a character (a lone surrogate) and NUL become U+FFFD;
NaN becomes None; a number that is too large stays text.

Boundary: text or bytes in, values and problems out.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

_DEPTH = 100  # levels; the parser is recursive, and how deep Python lets it go depends on its caller
_DIGITS = 18  # of a number; larger ones are not ids or times, and Python refuses to convert more than 4,300 digits
_MAX_SIZE = 4_000_000  # characters; a page of a list has about 150,000. JSON takes up to 30 times its size in memory
_MAX_VALUES = 300_000  # each takes up to 250 bytes; a page of a list has about 5,000
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")
_MAYBE_UNUSABLE = re.compile(r"\\u(?:d[89a-f]|0000)|[\0\ud800-\udfff]", re.IGNORECASE)
_UNUSABLE = re.compile("[\0\ud800-\udfff]")  # after parsing, a surrogate that is left has no other half


@dataclass(frozen=True, slots=True)
class Loaded:
    """A value from JSON and descriptions of what looked wrong.

    `has_lost_characters` means that U+FFFD replaces bytes or characters in the value.
    """

    value: Any
    problems: tuple[str, ...] = ()
    has_lost_characters: bool = False


def load(source: str | bytes) -> Loaded:
    """Return the value of a JSON document. Bytes are UTF-8, UTF-16 or UTF-32; damaged ones become U+FFFD.

    Of several values with one key, the last one counts, as in a browser.

    Raises:
        ValueError: `source` is not JSON, is nested more than 100 levels deep, is larger than 4 MB, or has more than 300,000
            values.

    """
    damaged = None
    if len(source) > _MAX_SIZE:
        raise ValueError(f"larger than {_MAX_SIZE} characters")
    if isinstance(source, bytes):
        source, damaged = _decoded(source)
    source = source.removeprefix("\ufeff")
    if sum(map(source.count, "[{,")) > _MAX_VALUES:
        raise ValueError(f"more than {_MAX_VALUES} values")
    if source.count("[") + source.count("{") > _DEPTH and _depth(source) > _DEPTH:
        raise ValueError(f"nested more than {_DEPTH} levels deep")
    problems = [damaged] if damaged else []
    lost = bool(damaged)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found and found[key] != value:
                problems.append(f"several values of {key[:40]!r}, the last one is used")
            found[key] = value
        return found

    value = json.loads(
        source, strict=False, object_pairs_hook=members, parse_int=_whole, parse_float=_real, parse_constant=_none
    )
    if _MAYBE_UNUSABLE.search(source):
        value, replaced = _usable(value)
        lost = lost or replaced
        if replaced:
            problems.append("halves of characters or NUL, read as U+FFFD")
    return Loaded(value, tuple(dict.fromkeys(problems)), lost)


def _decoded(source: bytes) -> tuple[str, str | None]:
    """Return the text of a document, and a description of its damaged bytes, None if there are none."""
    encoding = json.detect_encoding(source)
    try:
        return source.decode(encoding), None
    except UnicodeError:
        return source.decode(encoding, errors="replace"), f"bytes that are not {encoding}, read as U+FFFD"


def text(value: object) -> str:
    """Return `value` if it is a string, otherwise an empty string."""
    return value if isinstance(value, str) else ""


def _depth(source: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub("", source)):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS else digits


def _real(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits


def _none(_name: str) -> None:
    return None


def _usable(value: Any) -> tuple[Any, bool]:
    """Return `value` with U+FFFD for characters that cannot be stored, and whether there were any."""
    if isinstance(value, str):
        text, count = _UNUSABLE.subn("\ufffd", value)
        return text, count > 0
    if isinstance(value, list):
        items = [_usable(item) for item in value]
        return [item for item, _ in items], any(replaced for _, replaced in items)
    if isinstance(value, dict):
        keys, values = [_usable(key) for key in value], [_usable(item) for item in value.values()]
        replaced = any(found for _, found in (*keys, *values))
        return {key: item for (key, _), (item, _) in zip(keys, values, strict=True)}, replaced
    return value, False
