"""Bytes of a page to text: which charset, and what looks wrong with the result.

Order of trust: byte order mark, HTTP header, `<meta>`, UTF-8 (dossier 16: decode by what is declared, never by byte
statistics; two captured titles were mojibake in somebody's crawl because of a guess). What the bytes contradict is passed over.

Boundary: bytes and a header value in, text and problems out.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META_REACH = 4096  # bytes; browsers look at the first 1024, editors of old templates did not count
# HTML (WHATWG Encoding): pages that declare Latin-1 or ASCII mean windows-1252
_MEANT = {"iso8859-1": "cp1252", "ascii": "cp1252", "latin-1": "cp1252"}
_META_LIES = ("utf-16", "utf-32")  # a meta that could be read as ASCII cannot be in these
# UTF-8 read as windows-1252 or windows-1250: `Ã©`, `â€™`, `đź“ť`
_MOJIBAKE = re.compile(r"Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ ¡-¿]|â€[™œ“\u009d˜”¦“]|đź|Ă©|Â[«»°©®\u00a0]|ð[ŸŸ]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a page, the charset it was read by, and what looked wrong."""

    text: str
    charset: str
    problems: tuple[str, ...]


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Decode a page; bytes that do not fit the charset become U+FFFD and are reported, nothing is raised.

    What is named first is believed unless the bytes contradict it: a server's default names UTF-8 for old pages too,
    whose own `<meta>` knows better.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return _read(body[len(bom) :], [name], [])
    problems: list[str] = []
    return _read(body, _declared(body, content_type, problems), problems)


def _declared(body: bytes, content_type: str | None, problems: list[str]) -> list[str]:
    """List what the page may be in, the most trusted first."""
    header = _HEADER_CHARSET.search(content_type or "")
    meta = _META_CHARSET.search(body[:_META_REACH])
    names = [("the header", header[1])] if header else []
    if meta and not meta[1].decode("ascii").lower().startswith(_META_LIES):
        names.append(("a meta element", meta[1].decode("ascii")))
    charsets = []
    for source, name in names:
        try:
            known = codecs.lookup(name).name
        except LookupError:
            problems.append(f"charset: {source} names {name!r}, which is no charset")
        else:
            charsets.append(_MEANT.get(known, known))
    return [*charsets, "utf-8"]


def _read(body: bytes, charsets: list[str], problems: list[str]) -> Decoded:
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
    except (UnicodeError, LookupError):  # LookupError: a codec that is not for text, such as base64
        return None


def _forced(body: bytes, charset: str) -> tuple[str, str]:
    try:
        return body.decode(charset, errors="replace"), charset
    except (UnicodeError, LookupError):  # UnicodeError: Python's own codecs, such as idna, cannot replace
        return body.decode("utf-8", errors="replace"), "utf-8"
