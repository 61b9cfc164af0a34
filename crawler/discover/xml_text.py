"""Read the parts of damaged XML that are not elements: references to characters, attributes, document types.

Boundary: text in, text out.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from html.entities import html5
from itertools import islice
from urllib.parse import unquote

from crawler.discover.problems import ProblemKind, Problems
from crawler.discover.xml import text_of

_MAX_ATTRIBUTES = 16_384  # bytes of all attributes of one element
_MAX_ATTRIBUTE_COUNT = 100

_ATTRIBUTE = re.compile(r"""(?<![^\s"'])([^\s=<>"'/]++)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++))""")
_REFERENCE = re.compile(r"&(?:#(\d{1,7}|[xX][\da-fA-F]{1,6});|(\w{1,32});)?")
_XML_NAMES = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_SUBSET = re.compile(rb"""(?:[^\[<>"']++|"[^"]*+"|'[^']*+')*+\[""")  # the start of the declarations in a document type
_DECLARATIONS = re.compile(rb"""(?:[^\]"'<]++|"[^"]*+"|'[^']*+'|<!--(?:[^-]|-(?!->)){0,2000}+-->|<)*+\]\s*+>""")
_DECLARATIONS_REACH = 65_536  # bytes; in longer declarations, quotes are ignored, because checking them is quadratic
_SUBSET_END = re.compile(rb"\]\s*+>")
_LINE_BREAK = re.compile(r"(?<![ \t])[ \t]*+[\r\n]\s*+")  # not from each space on: that would be quadratic
_BEFORE_INNER = re.compile(r"[^?#]+(?=https?:/)", re.IGNORECASE)  # what is before the last of several addresses
_ONE_SLASH = re.compile(r"https?:(?=/[^/])", re.IGNORECASE)
_ESCAPED = re.compile(r"https?%3A", re.IGNORECASE)
_USUAL = ("https://", "http://")
_SCHEME = len("https://")
_AROUND_ADDRESS = " \t\r\n\v\f\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u202f\u2060\ufeff\"'<>«»“”"
CDATA, CDATA_END = "<![CDATA[", "]]>"  # as text, after the escapes were read
NO_ATTRIBUTES: Mapping[str, str] = {}


def address(text: str) -> str:
    """Return an address without what does not belong to it.

    This is the space, the invisible characters and the quotation marks or angle brackets at both ends, a CDATA section
    whose marks were escaped, the line breaks with the spaces around them, and another address before it, such as the root
    of the site before an address that is absolute already. An address in the query of another one is left there.
    """
    text = text.strip()
    if text.startswith(CDATA) and text.endswith(CDATA_END):
        text = text[len(CDATA) : -len(CDATA_END)]
    text = text.strip(_AROUND_ADDRESS)
    if "\n" in text or "\r" in text:
        text = _LINE_BREAK.sub("", text)
    if not text.startswith(_USUAL):
        text = _with_scheme(text)
    if text.find(":/", _SCHEME) > 0 and (before := _BEFORE_INNER.match(text)):
        return _with_scheme(text[before.end() :])
    return text


def _with_scheme(text: str) -> str:
    """Return an address that is escaped as a whole, or has one slash after its scheme, as it should be."""
    if _ESCAPED.match(text):
        text = unquote(text)
    one_slash = _ONE_SLASH.match(text)
    return f"{one_slash[0]}/{text[one_slash.end() :]}" if one_slash else text


def unescaped(text: str, problems: Problems) -> str:
    """Return `text` with the characters that its references name. No entity is expanded.

    References to characters, the five names of XML, and names of HTML for characters become these characters. Other
    references stay as they are.
    """

    def character(match: re.Match[str]) -> str:
        if match[1]:
            return html.unescape(match[0]) or "\ufffd"  # empty: not a character of XML
        if match[2] is None:
            problems.add(ProblemKind.AMPERSANDS)
            return "&"
        if match[2] in _XML_NAMES:
            return _XML_NAMES[match[2]]
        problems.add(ProblemKind.ENTITIES)
        known = html5.get(f"{match[2]};", "")
        return match[0] if known in "<>&\"'" else known

    return _REFERENCE.sub(character, text)


def attributes(raw: bytes, problems: Problems) -> Mapping[str, str]:
    """Return the attributes of a tag, with names in lower case. If an attribute is repeated, the first one counts."""
    if b"=" not in raw:
        return NO_ATTRIBUTES
    if len(raw) > _MAX_ATTRIBUTES:
        problems.add(ProblemKind.TOO_LARGE)
        return NO_ATTRIBUTES
    found: dict[str, str] = {}
    for match in islice(_ATTRIBUTE.finditer(text_of(raw)), _MAX_ATTRIBUTE_COUNT):
        value = match[2] or match[3] or match[4] or ""
        found.setdefault(match[1].lower(), unescaped(value, problems) if "&" in value else value)
    return found


def document_type(body: bytes, at: int) -> tuple[int, bool]:
    """Return where the document type that begins before `at` ends, and whether it has declarations, such as entities.

    If its declarations have no end, the end is where they begin. It is 0 for a document type without declarations.
    """
    subset = _SUBSET.match(body, at)
    if subset is None:
        return 0, False
    start = subset.end()
    end = _DECLARATIONS.match(body, start, start + _DECLARATIONS_REACH) or _SUBSET_END.search(body, start)
    return (end.end() if end is not None else start), True
