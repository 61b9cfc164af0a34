"""XML as it should have been sent: inflated, in UTF-8, with every ampersand escaped.

Known oddities: gzip without a header that says so (dossier 11); UTF-16, which a sister site's feed is in (dossier 16);
`encoding="utf-16"` said of UTF-8; a bare `&`, or an entity of HTML, which no XML parser takes.

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
_SAYS_UTF_16 = re.compile(rb"encoding\s*=\s*[\"']utf-?16", re.IGNORECASE)
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[\da-fA-F]{1,6});)(?:\w{1,32};)?")
_CDATA, _CDATA_END = "<![CDATA[", "]]>"


def utf8(body: bytes, url: str) -> bytes:
    """Give the XML of an answer in an encoding that its declaration does not lie about.

    Raises:
        UnreadableSource: damaged or endless gzip.

    """
    if body.startswith(_GZIP):
        body = _gunzip(body, url)
    for start, name in _UTF_16:
        if body.startswith(start):
            return _without_declaration(body.decode(name, "replace").encode())
    declared = _DECLARATION.match(body)
    return body[declared.end() :] if declared and _SAYS_UTF_16.search(declared[0]) else body


def escaped(body: bytes) -> bytes:
    """Escape the ampersands that XML does not know, outside CDATA; references of HTML become the characters meant."""
    first, *others = body.decode("latin-1").split(_CDATA)  # one character a byte: what is not touched stays as it is
    parts = [_REFERENCE.sub(_reference, first)]
    for other in others:
        inside, end, outside = other.partition(_CDATA_END)
        parts.append(f"{inside}{end}{_REFERENCE.sub(_reference, outside)}")
    return _CDATA.join(parts).encode("latin-1")


def _reference(match: re.Match[str]) -> str:
    meant = html.unescape(match[0])
    if meant == match[0] or meant in "<>&\"'":
        return f"&amp;{match[0][1:]}"
    return "".join(f"&#{ord(character)};" for character in meant)


def _without_declaration(body: bytes) -> bytes:
    return _DECLARATION.sub(b"", body, count=1)


def _gunzip(body: bytes, url: str) -> bytes:
    try:
        engine = zlib.decompressobj(wbits=31)
        data = engine.decompress(body, _MAX_INFLATED)
    except zlib.error as error:
        raise UnreadableSource(url, "XML was expected, the answer is damaged gzip") from error
    if not engine.eof:
        raise UnreadableSource(url, "the gzipped answer is cut, or larger than 64 MB")
    return data
