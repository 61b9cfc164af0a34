"""Prepare XML for the parser: decompress it, convert it to UTF-8, escape ampersands.

Handled faults:

- gzip data although no header declares it (dossier section 18.15);
- UTF-16, as in the feed of a sister site (dossier section 16);
- UTF-8 although the XML declares `encoding="utf-16"`;
- references to characters that XML forbids, such as half of a character;
- unescaped `&` and HTML entities, which XML parsers reject.

Boundary: bytes in, bytes out; nothing is parsed here.
"""

from __future__ import annotations

import codecs
import html
import re
import zlib

from crawler.errors import UnreadableSource

_MAX_INFLATED = 64_000_000  # bytes; the sitemap protocol allows 50 MB
_GZIP = b"\x1f\x8b"
_UTF_16 = (
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARATION = re.compile(rb"(?:\xef\xbb\xbf)?\s*<\?xml\b[^>]{0,200}\?>")
_DECLARES_UTF_16 = re.compile(rb"encoding\s*=\s*[\"']utf-?16", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});)(?:\w{1,32};)?")
_CHARACTER = re.compile(rb"&#(?:x([\da-fA-F]{1,20})|(\d{1,20}));")
_XML_CHARACTERS = (range(0x20, 0xD800), range(0xE000, 0xFFFE), range(0x10000, 0x110000))
_CDATA, _CDATA_END = "<![CDATA[", "]]>"


def to_utf8(body: bytes, url: str) -> bytes:
    """Decompress an XML response and remove what would prevent parsing.

    UTF-16 becomes UTF-8, and a false declaration of UTF-16 is removed. References to forbidden characters become U+FFFD.
    XML in other encodings is returned unchanged.

    Raises:
        UnreadableSource: the gzip data is damaged, incomplete, or larger than 64 MB when decompressed.

    """
    if body.startswith(_GZIP):
        body = _gunzip(body, url)
    for start, name in _UTF_16:
        if body.startswith(start):
            return _storable(_without_declaration(body.decode(name, "replace").encode()))
    declared = _DECLARATION.match(body)
    return _storable(body[declared.end() :] if declared and _DECLARES_UTF_16.search(declared[0]) else body)


def _storable(body: bytes) -> bytes:
    """Return `body` with U+FFFD for references to characters that XML forbids, such as half of a character."""

    def character(match: re.Match[bytes]) -> bytes:
        code = int(match[1], 16) if match[1] else int(match[2])
        allowed = code in (0x9, 0xA, 0xD) or any(code in characters for characters in _XML_CHARACTERS)
        return match[0] if allowed else b"&#xFFFD;"

    return _CHARACTER.sub(character, body)


def escape_ampersands(body: bytes) -> bytes:
    """Escape each ampersand in `body` that XML does not allow; CDATA sections stay unchanged.

    HTML entities such as `&eacute;` become character references.
    """
    first, *others = body.decode("latin-1").split(_CDATA)  # one character per byte, so untouched bytes are preserved
    parts = [_REFERENCE.sub(_reference, first)]
    for other in others:
        inside, end, outside = other.partition(_CDATA_END)
        parts.append(f"{inside}{end}{_REFERENCE.sub(_reference, outside)}")
    return _CDATA.join(parts).encode("latin-1")


def _reference(match: re.Match[str]) -> str:
    character = html.unescape(match[0])
    if character == match[0] or character in "<>&\"'":
        return f"&amp;{match[0][1:]}"
    return "".join(f"&#{ord(c)};" for c in character)


def _without_declaration(body: bytes) -> bytes:
    return _DECLARATION.sub(b"", body, count=1)


def _gunzip(body: bytes, url: str) -> bytes:
    try:
        engine = zlib.decompressobj(wbits=31)
        data = engine.decompress(body, _MAX_INFLATED)
    except zlib.error as error:
        raise UnreadableSource(url, "expected XML, got damaged gzip data") from error
    if not engine.eof:
        raise UnreadableSource(url, "the gzip data is incomplete, or larger than 64 MB when decompressed")
    return data
