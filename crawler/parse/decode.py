"""Decode the bytes of a page: choose the charset and report what looks wrong.

The sources of the charset, most trusted first, are the byte order mark, the HTTP header, the `<meta>` element, and
UTF-8 as the default. A declared charset that does not fit the bytes is skipped. A charset is never guessed from byte
statistics, because two titles in a third-party crawl were garbled in that way (dossier section 16).

Boundary: bytes and a header value in, text and problems out.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META_REACH = 4096  # bytes; browsers search only the first 1024, but old templates may put `<meta>` later
# WHATWG Encoding Standard: pages that declare Latin-1 or ASCII are decoded as windows-1252.
_ALIASES = {"iso8859-1": "cp1252", "ascii": "cp1252", "latin-1": "cp1252"}
_IMPOSSIBLE_IN_META = ("utf-16", "utf-32")  # in these charsets, `<meta>` could not be found as ASCII
# UTF-8 decoded as windows-1252 or windows-1250: `Ã©`, `â€™`, `đź“ť`.
_MOJIBAKE = re.compile(r"Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ ¡-¿]|â€[™œ“\u009d˜”¦“]|đź|Ă©|Â[«»°©®\u00a0]|ð[ŸŸ]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a page, the charset with which it was decoded, and descriptions of what looked wrong."""

    text: str
    charset: str
    problems: tuple[str, ...]


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Decode a page. No exception is raised, whatever the bytes are.

    The most trusted declared charset that fits all bytes is used. The header of an old page may be wrong, because
    servers declare UTF-8 by default; in this case, the charset in the page's own `<meta>` is used. If no charset fits
    all bytes, the most trusted one is used: each byte that does not fit becomes U+FFFD, and a problem is reported.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return _decode(body[len(bom) :], [name], [])
    problems: list[str] = []
    return _decode(body, _declared(body, content_type, problems), problems)


def _declared(body: bytes, content_type: str | None, problems: list[str]) -> list[str]:
    """Return the charsets to try, most trusted first; report unknown charset names in `problems`."""
    header = _HEADER_CHARSET.search(content_type or "")
    meta = _META_CHARSET.search(body[:_META_REACH])
    names = [("the header", header[1])] if header else []
    if meta and not meta[1].decode("ascii").lower().startswith(_IMPOSSIBLE_IN_META):
        names.append(("a meta element", meta[1].decode("ascii")))
    charsets = []
    for source, name in names:
        try:
            known = codecs.lookup(name).name
        except LookupError:
            problems.append(f"charset: {source} names {name!r}, which is no charset")
        else:
            charsets.append(_ALIASES.get(known, known))
    return [*charsets, "utf-8"]


def _decode(body: bytes, charsets: list[str], problems: list[str]) -> Decoded:
    fitting = next(((charset, text) for charset in charsets if (text := _strict(body, charset)) is not None), None)
    if fitting is None:
        text, charset = _forced(body, charsets[0])
        problems.append(f"charset: bytes that are not {charset}, read as U+FFFD")
    else:
        charset, text = fitting
        if charset != charsets[0]:
            problems.append(f"charset: {charsets[0]} is named, but the bytes are not; read as {charset}")
        if "\ufffd" in text:
            problems.append("charset: the page itself holds U+FFFD")
    if _MOJIBAKE.search(text):
        problems.append("charset: looks like mojibake (UTF-8 read as a one-byte code page before it was sent)")
    return Decoded(text, charset, tuple(problems))


def _strict(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except (UnicodeError, LookupError):  # LookupError: not a text codec, such as base64
        return None


def _forced(body: bytes, charset: str) -> tuple[str, str]:
    try:
        return body.decode(charset, errors="replace"), charset
    except (UnicodeError, LookupError):  # UnicodeError: some codecs, such as idna, cannot replace
        return body.decode("utf-8", errors="replace"), "utf-8"
