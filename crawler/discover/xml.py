"""Prepare XML for `xml_reader`: decompress it, convert it to UTF-8, remove control characters.

Handled faults:

- gzip data although no header declares it (dossier section 18.15), also if it is damaged or cut off;
- UTF-16, as in the feed of a sister site (dossier section 16);
- a declared encoding that is not the one of the bytes. Bytes that are valid UTF-8 are UTF-8, whatever is declared.

Boundary: bytes in, bytes out; nothing is parsed here.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator

from crawler.discover.problems import ProblemKind, Problems

_MAX_INFLATED = 52_428_800  # bytes; the largest sitemap that the protocol allows
_MAX_MEMBERS = 100  # gzip members; zlib copies the rest of the body for each, so many small ones would take hours
_MAX_LAYERS = 3  # of gzip compression, one inside the other
_STEP = 1 << 18  # bytes that are decompressed or decoded at once
_GZIP = b"\x1f\x8b"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16 LE, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_STARTS = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
_DECLARED = re.compile(rb"<\?xml\b[^<>]{0,200}?\bencoding\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_DECLARATION_REACH = 4096  # bytes in which the XML declaration is looked for, as other content may come before it
_CONTROL = bytes([*range(9), 11, 12, *range(14, 32)])
_HAS_CONTROL = re.compile(b"[" + re.escape(_CONTROL) + b"]")
_UTF_8 = ("utf-8", "ascii")
# Codecs that are safe to run on hostile bytes. Others are not character encodings or slow (`punycode`, `unicode_escape`).
_SAFE = re.compile(r"iso8859-\d+|cp\d+|koi8-[ru]|mac-roman|tis-620|gb2312|gbk|gb18030|big5|shift_jis|euc_(?:jp|kr)")
_ALIASES = {"iso8859-1": "cp1252"}  # WHATWG Encoding Standard


def to_utf8(body: bytes, problems: Problems) -> bytes:
    """Return an XML response decompressed, in UTF-8, without byte order mark and without control characters.

    What is wrong with the bytes is added to `problems`. At most 50 MB of decompressed data are returned.
    """
    body = decompressed(body, problems)
    encoding, mark = _encoding(body, problems)
    if encoding not in _UTF_8:
        body = _recoded(memoryview(body)[mark:], encoding, problems)
    elif mark:
        body = body[mark:]
    if _HAS_CONTROL.search(body):
        problems.add(ProblemKind.CONTROL_CHARACTERS)
        body = body.translate(None, _CONTROL)
    return body


def decompressed(body: bytes, problems: Problems) -> bytes:
    """Return a response without gzip compression, also if it was compressed several times; at most 50 MB."""
    for _ in range(_MAX_LAYERS):
        if not body.startswith(_GZIP):
            break
        body = _gunzip(body, problems)
    return body


def text_of(value: bytes) -> str:
    """Return UTF-8 text; bytes that are no UTF-8 become U+FFFD."""
    return value.decode("utf-8", "replace")


def _encoding(body: bytes, problems: Problems) -> tuple[str, int]:
    """Return the encoding of `body` and the length of its byte order mark."""
    declared = _declared(body)
    for mark, name in _BOMS:
        if body.startswith(mark):
            return name, len(mark)
    for start, name in _STARTS:
        if body.startswith(start):
            return name, 0
    if _is_utf8(body):
        if declared not in (None, *_UTF_8) and not (body.isascii() and _SAFE.fullmatch(declared)):
            problems.add(ProblemKind.ENCODING)
        return "utf-8", 0
    if declared is not None and _SAFE.fullmatch(declared):
        return declared, 0
    problems.add(ProblemKind.ENCODING)
    return "utf-8" if _is_mostly_utf8(body) else "cp1252", 0


def _declared(body: bytes) -> str | None:
    """Return the Python name of the declared encoding, the name itself if Python does not know it, or None."""
    match = _DECLARED.search(body[:_DECLARATION_REACH])
    if match is None:
        return None
    name = match[1].decode("ascii", "replace").lower()
    try:
        known = codecs.lookup(name).name
    except LookupError:
        return name
    return _ALIASES.get(known, known)


def _chunks(body: bytes | memoryview) -> Iterator[memoryview]:
    view = memoryview(body)
    return (view[at : at + _STEP] for at in range(0, len(view), _STEP))


def _is_utf8(body: bytes) -> bool:
    """Whether all bytes are UTF-8, except for a character that is cut off at the end."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(body):
            decoder.decode(chunk)
    except UnicodeDecodeError:
        return False
    return True


_SEQUENCE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]")  # the beginning of each character beyond ASCII in UTF-8
_LONE = re.compile(rb"(?<![\x80-\xff])[\x80-\xff](?![\x80-\xff])")  # a letter with an accent in a one-byte encoding


def _is_mostly_utf8(body: bytes) -> bool:
    """Whether the first characters beyond ASCII are UTF-8 rather than single bytes of windows-1252."""
    start = body[:_STEP]
    return sum(1 for _ in _SEQUENCE.finditer(start)) > sum(1 for _ in _LONE.finditer(start))


def _recoded(body: memoryview, encoding: str, problems: Problems) -> bytes:
    """Return `body` converted to UTF-8, at most 50 MB; it is converted in pieces, so that no large string is created."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    parts: list[bytes] = []
    size = 0
    for chunk in (*map(bytes, _chunks(body)), b""):
        parts.append(decoder.decode(chunk, final=not chunk).encode("utf-8", "replace"))
        size += len(parts[-1])
        if size > _MAX_INFLATED:
            problems.add(ProblemKind.TOO_LARGE)
            break
    return b"".join(parts)


def _gunzip(body: bytes, problems: Problems) -> bytes:
    """Return the decompressed data of all gzip members, as far as it can be decompressed."""
    parts: list[bytes] = []
    room = _MAX_INFLATED
    for _ in range(_MAX_MEMBERS):
        if not body.startswith(_GZIP):
            return b"".join(parts)
        engine, step = zlib.decompressobj(wbits=31), _STEP
        while room and not engine.eof:
            before = engine.copy()
            try:
                part = engine.decompress(body, min(step, room))
            except zlib.error:  # zlib keeps back what comes before the damage: go there in smaller steps
                engine, step, part = before, step // 8, b""
                if step:
                    continue
            else:
                body = engine.unconsumed_tail
            if not part and not engine.eof:
                problems.add(ProblemKind.BAD_GZIP)
                return b"".join(parts)
            room -= len(part)
            parts.append(part)
        if not engine.eof:
            break
        body = engine.unused_data
    problems.add(ProblemKind.TOO_LARGE)
    return b"".join(parts)
