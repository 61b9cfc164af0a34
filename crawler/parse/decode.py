"""Decode the bytes of a page: choose the charset and report what looks wrong.

1. A byte order mark decides.
2. Bytes that are UTF-8 beyond ASCII are decoded as UTF-8, whatever the page declares: text in another charset is
   practically never well-formed UTF-8. A few damaged bytes do not change this.
3. Otherwise, a declared charset that fits the bytes is used, as the WHATWG standards say: the charset in the HTTP
   header, then that of the first `<meta>` that names one, then that of the XML declaration.
4. If none is declared, and nearly no bytes are UTF-8, the charset is windows-1252, the one that the HTML standard names
   for a reader of French. Otherwise it is UTF-8.

The charset is not guessed from the frequency of letters, because two titles in a third-party crawl were garbled in that
way (dossier section 16).

Boundary: bytes and a header value in, text and problems out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass

import webencodings
from selectolax.lexbor import LexborHTMLParser

from crawler.parse import dom

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
)  # fmt: skip
# UTF-16 without a byte order mark: the first tag, whose characters are ASCII.
_UTF_16 = (
    (re.compile(rb"(?:[\t\n\f\r ]\0)*<\0[!?/a-zA-Z]\0"), "utf-16-le"),
    (re.compile(rb"(?:\0[\t\n\f\r ])*\0<\0[!?/a-zA-Z]"), "utf-16-be"),
)
_META_REACH = 4096  # bytes; browsers search the first 1024, and change the charset if they meet a `<meta>` later
_LATE_REACH, _LONGEST_META = 1 << 16, 300  # bytes
_LATE_META = re.compile(rb"<meta\b[^<>]{0,200}?\bcharset[^<>]{0,60}+>", re.IGNORECASE)
_PARAMETER = re.compile(r"(?:^|;)\s*charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;,\"']+))", re.IGNORECASE)
_META_CONTENT = re.compile(r"charset\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s;\"']+))", re.IGNORECASE)
_XML_DECLARATION = re.compile(rb"<\?xml\b[^>]{0,200}?\bencoding\s*=\s*[\"']\s*([\w.:-]+)\s*[\"']")
# Well-formed UTF-8 beyond ASCII (Unicode Standard, table 3-7).
_UTF_8_CHARACTER = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_REFERENCE = re.compile(rb"&#(?:x0*([\da-f]+)|0*(\d+));?", re.IGNORECASE)
_SURROGATES, _BEYOND_UNICODE, _LONGEST_CODE = range(0xD800, 0xE000), 0x110000, 12
# UTF-8 decoded as windows-1252 or windows-1250: `Ã©`, `â€™`, `đź“ť`.
MOJIBAKE = re.compile(r"Ã[\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ ¡-¿]|â€[™œ“\u009d˜”¦“]|đź|Ă©|Â[«»°©®\u00a0]|ð[ŸŸ]")
# Characters of which each alternative of `MOJIBAKE` contains one, and the one that replaces damaged bytes. Few pages
# contain any of them, and Python finds a single character far faster than a pattern.
_SIGNS_OF_DAMAGE = "Ã€źĂÂð\ufffd"
_CONTROLS = re.compile(rb"\xc2[\x80-\x9f]")  # U+0080 to U+009F in UTF-8; in windows-1252, these are `’`, `–` and others
_META_UTF_8 = re.compile(rb"<meta charset=\"?utf-8\"? ?/?>")  # in lower case
_FEW_CHARACTERS = 4  # other bytes for each UTF-8 character, which two letters of French text are by chance
_FALLBACK = "cp1252"  # HTML standard, section "Determining the character encoding", step 9
_CHUNK = 1 << 14  # bytes that are decoded at once to look at them: their text stays in the cache of the processor


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a page in UTF-8 (`html`), the charset of the response, and descriptions of what looked wrong."""

    html: bytes
    charset: str
    problems: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text of the page."""
        return self.html.decode()


@dataclass(frozen=True, slots=True)
class _Declaration:
    """A charset that a page declares: the place (`source`), the name used there, and the name of the Python codec."""

    source: str
    name: str
    charset: str


def decode(body: bytes, content_type: str | None = None) -> Decoded:
    """Decode a page. No exception is raised, whatever the bytes are.

    Bytes that do not fit the charset become U+FFFD. These, unknown charsets, and declarations that contradict the bytes
    are reported as problems.
    """
    if _is_usual(body, content_type):
        return Decoded(body, "utf-8", ())
    problems: list[str] = []
    declared = list(_declarations(body, content_type, problems))
    if not declared and not _is_utf_8(body):
        declared = list(_late_declaration(body))
    skipped, charset = _charset(body, [declaration.charset for declaration in declared])
    if charset == _FALLBACK and not declared:
        problems.append(f"charset: none is declared, and the bytes are not UTF-8, so they are read as {charset}")
    content = body[skipped:]
    strict = _strict(content, charset)
    text = content.decode(charset, errors="replace") if strict is None else strict
    html = content if charset == "utf-8" and strict is not None else text.encode()
    if _BEYOND_ASCII.search(body):  # bytes in ASCII are the same text in every charset that could be declared
        problems += [
            f"charset: {d.source} names {d.name!r}, but the page is read as {charset}"
            for d in declared
            if _family(d.charset) != _family(charset)
        ]
    if "\ufffd" in text:
        problems.append(
            f"charset: bytes that are not {charset}, read as U+FFFD"
            if strict is None
            else "charset: the page itself holds U+FFFD"
        )
    if reference := _impossible_reference(html):
        problems.append(f"charset: {reference!r} names a character that does not exist, read as U+FFFD")
    if _CONTROLS.search(html):
        problems.append("charset: control characters, as if windows-1252 was read as ISO 8859-1 before it was sent")
    if any(sign in text for sign in _SIGNS_OF_DAMAGE) and MOJIBAKE.search(text):
        problems.append("charset: looks like mojibake (UTF-8 read as a one-byte code page before it was sent)")
    return Decoded(html, charset, tuple(problems))


def _is_usual(body: bytes, content_type: str | None) -> bool:
    """Whether a page is UTF-8 beyond ASCII, declares nothing else, and has nothing that looks wrong: a quick test."""
    if body.isascii() or body.startswith(codecs.BOM_UTF8) or not _declares_only_utf_8(body, content_type):
        return False
    decode_next = codecs.getincrementaldecoder("utf-8")().decode
    try:
        for start in range(0, len(body), _CHUNK):
            text = decode_next(body[start : start + _CHUNK], start + _CHUNK >= len(body))
            if any(sign in text for sign in _SIGNS_OF_DAMAGE):
                return False
    except UnicodeError:
        return False
    if any(tag.match(body) for tag, _ in _UTF_16) or _CONTROLS.search(body) is not None:
        return False
    return _impossible_reference(body) is None


def _declares_only_utf_8(body: bytes, content_type: str | None) -> bool:
    """Whether every declaration of a page names UTF-8: a quick test, which may miss that it is so.

    A `<meta>` element that declares a charset contains the word `charset` or `http-equiv`. If `charset` occurs only in the
    usual element, no other element declares one, whether or not the usual one is in a comment.
    """
    start = body[:_META_REACH].lower()
    if b"http-equiv" in start or start.count(b"charset") != len(_META_UTF_8.findall(start)):
        return False
    header = _group(_PARAMETER.search(content_type or ""))
    return header.lower() in ("", "utf-8") and _XML_DECLARATION.match(body) is None


def _impossible_reference(html: bytes) -> str | None:
    """Return the first character reference that HTML reads as U+FFFD, such as half of a character; None without one."""
    for match in _REFERENCE.finditer(html):
        digits, base = (match[1], 16) if match[1] else (match[2], 10)
        code = int(digits, base) if len(digits) <= _LONGEST_CODE else _BEYOND_UNICODE
        if code == 0 or code >= _BEYOND_UNICODE or code in _SURROGATES:
            return match[0][:_LONGEST_CODE].decode()
    return None


def _charset(body: bytes, declared: list[str]) -> tuple[int, str]:
    """Return the length of the byte order mark (0 if there is none), and the charset of `body`."""
    for mark, charset in _BOMS:
        if body.startswith(mark):
            return len(mark), charset
    for first_tag, charset in _UTF_16:
        if first_tag.match(body):
            return 0, charset
    if _is_utf_8(body):
        return 0, "utf-8"
    candidates = [*declared, "utf-8"]
    fitting = next((charset for charset in candidates if _fits(body, charset)), None)
    return 0, fitting or (_FALLBACK if not declared and _has_nearly_no_utf_8(body) else candidates[0])


def _fits(body: bytes, charset: str) -> bool:
    text = _strict(body, charset)
    # Almost any bytes are UTF-16, but only a page in UTF-16 contains tags if it is decoded in this way.
    return text is not None and ("<" in text or not charset.startswith("utf-16"))


def _is_utf_8(body: bytes) -> bool:
    """Whether `body` is UTF-8 beyond ASCII, apart from damaged bytes, which must be fewer than the characters.

    French text in a one-byte charset is not: `é` is followed by a letter in ASCII, so almost no byte fits.
    """
    if body.isascii():
        return False
    if _strict(body, "utf-8") is not None:
        return True
    characters, others = _utf_8_characters(body)
    return characters > others


def _has_nearly_no_utf_8(body: bytes) -> bool:
    characters, others = _utf_8_characters(body)
    return others > _FEW_CHARACTERS * characters


def _utf_8_characters(body: bytes) -> tuple[int, int]:
    """Return the number of characters beyond ASCII if `body` is UTF-8, and of bytes that belong to none of them."""
    found = [len(character) for character in _UTF_8_CHARACTER.findall(body)]
    return len(found), len(_BEYOND_ASCII.findall(body)) - sum(found)


def _declarations(body: bytes, content_type: str | None, problems: list[str]) -> Iterator[_Declaration]:
    """Yield the charsets that a page declares, most trusted first; report names of unknown charsets in `problems`."""
    header = _group(_PARAMETER.search(content_type or ""))
    xml = _XML_DECLARATION.match(body)
    named = [("the header", header)] if header else []
    named += [("a meta element", name) for name in _in_meta(body)]
    named += [("the XML declaration", xml[1].decode("ascii"))] if xml else []
    seen = set()
    for source, name in named:
        charset = _codec(name)
        if charset is None:
            problems.append(f"charset: {source} names {name!r}, which is no charset")
        elif source not in seen:  # of several `<meta>`, the first one that names a charset counts
            seen.add(source)
            # UTF-16 cannot be true here, because the declaration was read as ASCII; the HTML standard replaces it.
            replaced = charset.startswith("utf-16") and source != "the header"
            yield _Declaration(source, name, "utf-8" if replaced else charset)


def _in_meta(body: bytes) -> Iterator[str]:
    """Yield the names of charsets in the `<meta>` elements at the start of a page.

    Comments, scripts and other attributes, such as a description that mentions a charset, are not declarations.
    """
    for node in LexborHTMLParser(body[:_META_REACH].decode("latin-1")).css("meta"):
        name = dom.attribute(node, "charset")
        if not name and dom.attribute(node, "http-equiv").strip().lower() == "content-type":
            name = _group(_META_CONTENT.search(dom.attribute(node, "content")))
        if name:
            yield name


def _late_declaration(body: bytes) -> Iterator[_Declaration]:
    """Yield the charset of the first `<meta>` that declares one after the start of a page."""
    late = _LATE_META.search(body, _META_REACH - _LONGEST_META, _LATE_REACH)
    for name in _in_meta(late[0]) if late else ():
        if (charset := _codec(name)) is not None:
            yield _Declaration("a meta element", name, charset)


def _codec(name: str) -> str | None:
    """Return the Python codec for the name of a charset in the WHATWG Encoding standard; None if it is unknown.

    Of the 228 names in the standard, Python does not know 75, and reads 42 as another charset: `iso-8859-1`, for
    example, is windows-1252.
    """
    encoding = webencodings.lookup(name)
    if encoding is None or encoding.name == "replacement":  # charsets that browsers refuse to decode
        return None
    # `x-user-defined` exists for scripts; the HTML standard replaces it in a page.
    return "cp1252" if encoding.name == "x-user-defined" else str(encoding.codec_info.name)


def _group(match: re.Match[str] | None) -> str:
    """Return the first group of `match` that took part in it; an empty string if there is no match."""
    return next((group.strip() for group in match.groups() if group), "") if match else ""


def _family(charset: str) -> str:
    """Return `charset` without its byte order, which the header does not need to state."""
    return charset.removesuffix("-le").removesuffix("-be")


def _strict(body: bytes, charset: str) -> str | None:
    try:
        return body.decode(charset)
    except UnicodeError:
        return None
