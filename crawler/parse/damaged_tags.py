"""Find damaged tags in the source of an article, in which a `<`, a `>` or a quotation mark is missing.

What is left of such a tag is read as text, or the text after it is read as attributes. What the tag meant is not guessed.

Boundary: the bytes of a part of a page in, problems out.
"""

from __future__ import annotations

import re

from crawler.parse import dom
from crawler.parse.surplus import SKIPPED

_NAMES = (
    rb"article|aside|blockquote|div|em|figcaption|figure|h[1-6]|img|li|ol|p|section|span|strong|table|tbody|td|th|tr|ul"
)
#: A tag as the HTML standard requires it: quotation marks only around values, and no `<` except in a value.
_WHOLE = rb"""/?[a-z](?:[^<>"'=]++|=\s*+(?:"[^"]*+"|'[^']*+'|[^\s"'<>=]*+))*+>"""
#: What is left of a tag without its `<`. A figure after it belongs to a comparison, such as `p>0,05`.
_REST = (
    rb"/(?:a|" + _NAMES + rb")>|(?<![\w&;/.-])(?:(?:" + _NAMES + rb")>(?!\d)|"
    rb"(?:a|" + _NAMES + rb""")\s{1,4}[a-z-]{1,20}=["'])"""
)
_STYLE = rb"style[^<]*+(?:<(?!/style)[^<]*+)*+"
_PARTS = re.compile(
    rb"<(?:" + SKIPPED + rb"|" + _STYLE + rb"|" + _WHOLE + rb")|(?P<damaged></?[a-z][^>]*+>|" + _REST + rb")",
    re.IGNORECASE,
)
_VALUE = re.compile(rb'=\s*+"[^"]*+"')
_AT_AN_END = re.compile(rb'(?<!\w)"|"(?!\w)')  # a quotation mark at the start or end of a name or value
_SHOWN = 60  # characters of a tag in a problem


def find(source: bytes) -> tuple[str, ...]:
    """Return a problem that shows the first damaged tag in `source`, a part of a page that begins outside a tag.

    A tag with quotation marks inside a value, as in `alt="Le film "Mai""`, or inside a name does not count: only this value is
    cut. Nothing is found if as many `<` as `>` are missing, and an even number of quotation marks.
    """
    if source.count(b"<") == source.count(b">") and source.count(b'"') % 2 == 0:  # a quick test
        return ()
    for part in _PARTS.finditer(source):
        damaged = part["damaged"]
        if damaged and not (damaged.startswith(b"<") and _is_harmless(damaged.partition(b">")[0])):
            shown = dom.collapse(damaged.decode(errors="replace"))[:_SHOWN]
            return (f"page: a tag is damaged, so what stands beside it may be read wrongly: {shown!r}",)
    return ()


def _is_harmless(tag: bytes) -> bool:
    """Whether a tag only has quotation marks inside a value or a name; it is known up to the first `>`."""
    if b"<" in tag[1:]:
        return False
    return tag.count(b'"') % 2 == 0 or _AT_AN_END.search(_VALUE.sub(b"", tag)) is None
