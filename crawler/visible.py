r"""Show characters that a terminal, log or mail would interpret as visible escapes, such as `\x1b` and `\u202e`.

These characters come from the site, which may be hostile: control characters (C0, DEL, C1) write the clipboard or move
the cursor, bidirectional controls reorder a line, line separators forge one, tag characters hide text. Letters, accents,
emoji, spaces of any width and joiners stay as they are.

Boundary: strings in, strings out. `cli.output`, `cli.streams`, `logs`, `alerts`, `errors` and the endpoint call it.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

#: Most accents in a row that stay: Vietnamese needs 2, Hebrew and Arabic up to 4. More would cover the lines around.
_ACCENTS = 4
_FIRST_ACCENT = "\u0300"
_HIDDEN = (
    "\x7f-\x9f\u061c\u115f\u1160\u180e\u200e\u200f\u2028-\u202e\u2061-\u206f\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U0001fffe\U0001ffff\U0002fffe\U0002ffff\U000e0000-\U0010ffff"
)
_IN_LINE = re.compile(f"[\x00-\x1f{_HIDDEN}]")
_IN_BLOCK = re.compile(f"[\x00-\x08\x0b-\x1f{_HIDDEN}]")
_CUT = "…"
_NAMES = {"\n": r"\n", "\t": r"\t", "\r": r"\r"}


def line(text: str, limit: int | None = None) -> str:
    """Return a text for one line: line breaks and tabs become escapes, too.

    A text of more than `limit` characters is cut; the sign `…` and the number of characters show where.
    """
    cut = text if limit is None or len(text) <= limit else f"{text[:limit]}{_CUT} ({len(text)} characters)"
    return _bounded(_IN_LINE.sub(_escape, cut))


def block(text: str) -> str:
    """Return a text of several lines: line breaks and tabs stay."""
    return _bounded(_IN_BLOCK.sub(_escape, text))


def json_text(value: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """Encode a value as JSON that is safe to print. Its escapes are those of JSON, so that a parser gets the exact value."""
    return _IN_BLOCK.sub(_json_escape, json.dumps(value, ensure_ascii=ascii_only, indent=indent))


def _escape(match: re.Match[str]) -> str:
    return _escaped(match[0])


def _escaped(character: str) -> str:
    if character in _NAMES:
        return _NAMES[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _json_escape(match: re.Match[str]) -> str:
    return json.dumps(match[0])[1:-1] if ord(match[0]) > 0x7F else f"\\u{ord(match[0]):04x}"


def _bounded(text: str) -> str:
    """Escape every accent after the fourth in a row."""
    if text.isascii() or max(text) < _FIRST_ACCENT:
        return text
    shown, run = [], 0
    for character in text:
        category = unicodedata.category(character)
        is_accent = category in ("Mn", "Me")
        if category != "Cf":  # a joiner between two accents does not separate them
            run = run + 1 if is_accent else 0
        shown.append(_escaped(character) if is_accent and run > _ACCENTS else character)
    return "".join(shown)
