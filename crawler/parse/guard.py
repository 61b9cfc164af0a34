"""Estimate, before a page is parsed, what parsing it costs, and refuse a page that costs too much.

The HTML parser Lexbor scans the open elements and the open formatting elements (`<b>`, `<a>`, ...) at each tag, compares
each attribute of a tag with all others, and copies the formatting elements that an end tag closed too early into each
block that follows. So some pages of 200 kB take a minute or many gigabytes. Measured with selectolax 1.0.2, in CPU time
and peak memory of a new process:

- 50,000 nested elements, 1.9 s; 100,000, 33 s: 2 to 7 ns for each pair of a tag and an open element
- 30,000 options of one menu, 1.1 s: 2 ns for each pair
- 45,000 distinct open formatting elements, 6.1 s: 6 ns for each pair
- 60,000 attributes of one tag, 4.0 s: 2 ns for each pair; the attributes of all `<body>` tags add up
- 1,000,000 copied formatting elements, 0.2 s and 320 MB; each attribute adds about 160 bytes
- 500,000 elements side by side, 0.1 s and 160 MB
- comments, entities, text, doctypes, NUL characters: linear; 10 MB of text take 0.01 s and 40 MB; a text of 7.7 MB with
  an emoji, as read by the parser, 1.2 s and 290 MB

The estimate never counts less than Lexbor does. It reads tags as the tokenizer of the HTML standard does, and closes an
open element only where the tree builder closes it in any case. An element that a wrong end tag leaves open in the
estimate, but not in the tree, only makes the page look more expensive. A page with few tags is accepted after counting
them.

A rejected page is archived and listed like any other page that could not be parsed.

Boundary: UTF-8 in, a reason or None out; time grows linearly with the text.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from crawler.parse import syntax

#: The largest accepted estimates. Lexbor and the readers of the tree together stay below 10 s of CPU time and 250 MB.
MAX_SECONDS = 8.0
MAX_BYTES = 130_000_000
#: Bytes; in a shorter page, the attributes of one tag take at most 6 s.
CHEAP_LENGTH = 220_000

_PER_TAG = 4e-6  # seconds; the readers of the tree take most of it
_PER_OPEN = 4e-9  # seconds for each tag and open element
_PER_FORMATTING = 8e-9  # seconds for each tag and open formatting element
_PER_ATTRIBUTE_PAIR = 1.5e-9  # seconds for each ordered pair of attributes of one tag
_TAG_BYTES = 200  # bytes for each start tag, end tag or comment
_ELEMENT_BYTES = 350  # further bytes for each start tag: the element and a text after it
_BLOCK_BYTES = 250  # further bytes for each start tag of a block or line: the paragraph that is read from it, its row
_COPY_BYTES = 320  # bytes for each copy of a formatting element, without its attributes
_ATTRIBUTE_BYTES = 200  # bytes for each attribute of a copy, without its value

# Python stores a text with 1, 2 or 4 bytes for each character, and the readers of the tree copy it.
_COPIES, _RUN_COPIES = 4, 14  # copies of the whole page; further copies of its longest text without a tag
_BEYOND_LATIN_1, _WIDE = re.compile("[^\0-\xff]"), re.compile("[\U00010000-\U0010ffff]")
_NO_TAG, _NO_SIGN = re.compile("[^<]++"), re.compile("[^<>]++")
_CHEAP_TAGS = 20_000  # fewer tags take at most 2 s, however they are nested
_MAX_UNUSUAL = 200  # formatting elements whose attributes are read one by one, possibly each to the end of the page
_SAME_FORMATTING = 3  # the tree builder remembers at most three equal formatting elements
_REACH = 6  # open elements above the one that an end tag names; beyond, the end tag closes nothing in the estimate
_CHECK_EVERY = 256  # tags
_ADOPTED = 32  # copies that one misplaced end tag of a formatting element makes at most
_SEARCHES = 4  # searches in the open elements for one such end tag, besides the one of every tag


def hazard(html: bytes) -> str | None:
    """Return the reason why a page in UTF-8 must not be parsed; None if it is safe to parse."""
    return None if is_cheap(html) else _Estimate(html.decode()).excess()


def is_cheap(html: bytes) -> bool:
    """Whether counting the tags of a page shows already that it is safe to parse, however they are nested.

    The page may be in any charset in which the characters of ASCII have their usual bytes.
    """
    return len(html) <= CHEAP_LENGTH and _has_cheap_tags(html)


@lru_cache(maxsize=2)  # asked before a page is read, to choose the process, and again by the reader
def _has_cheap_tags(html: bytes) -> bool:
    tags = html.count(b"<")
    if tags > _CHEAP_TAGS:
        return False
    found = syntax.FORMATTING_START_UTF_8.findall(html)
    if not found:
        return True
    names, attributes = zip(*found, strict=True)
    # Bytes of the formatting elements that may be open at the same time. At most one is a link; it is no longer than any.
    copied = _copy_bytes(syntax.MOST_USUAL, max(map(len, attributes)))
    if not {b"a", b"A"}.issuperset(names):
        for (_, usual), number in Counter([tag for tag in found if tag[0] not in b"aA"]).items():
            size = _copy_bytes(usual.count(b"=") + usual.count(b" "), len(usual)) if usual else 0
            copied += size * min(number, _SAME_FORMATTING)
    unusual = attributes.count(b"")
    if unusual > _MAX_UNUSUAL:
        return False
    if unusual:
        copied += _size_of_unusual(html.decode(errors="replace"))
    return tags * copied <= MAX_BYTES


def _size_of_unusual(text: str) -> int:
    """Return the bytes of copies of all formatting elements whose attributes are not written in the usual form.

    Some of them may be no tags, such as those inside a comment.
    """
    size = 0
    for match in syntax.FORMATTING_START.finditer(text):
        if not match[2] and (tag := syntax.TOKEN.match(text, match.start())) is not None:
            size += _copy_bytes(len(syntax.ATTRIBUTES.findall(tag[3])), len(tag[3]))
    return size


def _copy_bytes(attributes: int, length: int) -> int:
    return _COPY_BYTES + _ATTRIBUTE_BYTES * attributes + 2 * length


def _longest(pattern: re.Pattern[str], text: str) -> int:
    return max((match.end() - match.start() for match in pattern.finditer(text)), default=0)


class _Estimate:
    """The estimated cost of parsing one page.

    `_open` contains the open elements as names, and formatting elements as pairs of name and attributes. It may contain
    elements that are closed in the tree, but lacks none that is open there. The same is true for `_formatting`, which
    contains the open formatting elements with their number, in one counter for each marker (such as a table cell).
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._tags = self._elements = self._blocks = self._pairs = self._formatting_pairs = self._copied = 0
        self._attribute_pairs = self._root_attributes = self._options = 0
        self._open: list[str | tuple[str, str]] = []
        self._formatting: list[Counter[tuple[str, str]]] = [Counter()]
        self._number = self._size = 0  # of the formatting elements; the size in bytes of a copy of all of them
        self._sizes: dict[tuple[str, str], int] = {}
        self._largest = 0
        self._foreign = False  # inside <svg>
        self._framesets = False
        self._forms_close = True
        self._position = 0
        width = 4 if _WIDE.search(text) else 2 if _BEYOND_LATIN_1.search(text) else 1
        self._text_bytes = width * (_COPIES * len(text) + _RUN_COPIES * _longest(_NO_TAG, text))

    def excess(self) -> str | None:
        """Return the reason why the page is too expensive; None if it is not."""
        while match := syntax.TOKEN.search(self._text, self._position):
            self._position = match.end()
            self._tags += 1
            if match[2] is not None and not self._tag(match):
                self._assume_the_worst(match.start())
                break
            if self._tags % _CHECK_EVERY == 0 and self._is_excessive():
                break
        return self._reason()

    def _is_excessive(self) -> bool:
        return self._seconds() > MAX_SECONDS or self._bytes() > MAX_BYTES

    def _seconds(self) -> float:
        return (
            self._tags * _PER_TAG
            + self._pairs * _PER_OPEN
            + self._formatting_pairs * _PER_FORMATTING
            + self._attribute_pairs * _PER_ATTRIBUTE_PAIR
        )

    def _bytes(self) -> int:
        return self._tag_bytes() + self._copied + self._text_bytes

    def _tag_bytes(self) -> int:
        return self._tags * _TAG_BYTES + self._elements * _ELEMENT_BYTES + self._blocks * _BLOCK_BYTES

    def _reason(self) -> str | None:
        if not self._is_excessive():
            return None
        if self._bytes() > MAX_BYTES:
            sizes = {
                "tags": self._tag_bytes(),
                "formatting elements copied into other elements": self._copied,
                "text": self._text_bytes,
            }
            return f"{max(sizes, key=lambda name: sizes[name])} that would need more than {MAX_BYTES // 10**6} MB of memory"
        costs = {
            "tags": self._tags * _PER_TAG,
            "nested elements": self._pairs * _PER_OPEN,
            "open formatting elements": self._formatting_pairs * _PER_FORMATTING,
            "attributes of one tag": self._attribute_pairs * _PER_ATTRIBUTE_PAIR,
        }
        return f"{max(costs, key=lambda name: costs[name])} that take more than {MAX_SECONDS:.0f} s to parse"

    def _assume_the_worst(self, start: int) -> None:
        """Count the rest of the page as if each of its tags stayed open.

        How the rest is read depends on the tree, for example inside `<math>`.
        """
        rest = self._text[start:]
        number = rest.count("<")
        found = size = 0
        for match in syntax.FORMATTING_START.finditer(rest):
            found += 1
            size += _copy_bytes(len(match[2]) // 2, len(match[2])) if match[2] else MAX_BYTES
        self._tags += number
        self._elements += number
        self._pairs += number * (len(self._open) + number // 2)
        self._formatting_pairs += number * (self._number + found)
        self._copied += number * (self._size + (size if found else 0))
        if len(rest) > CHEAP_LENGTH:
            self._attribute_pairs += (_longest(_NO_SIGN, rest) // 2) ** 2

    def _tag(self, match: re.Match[str]) -> bool:
        """Count one tag; return False if its effect cannot be known."""
        closing, name, attributes = bool(match[1]), match[2], match[3]
        name = name.lower() if name.isascii() else name  # `K` (Kelvin sign) is no `k` in HTML
        self._pairs += len(self._open)
        self._formatting_pairs += self._number
        number = self._count_attributes(name, attributes)
        self._elements += not closing
        if self._foreign:
            return self._foreign_tag(name, closing, match[4].endswith("/"))
        if name == "math":
            return False
        if closing:
            self._close(name)
            return True
        if name == "option":
            self._pairs += self._options
            self._options += 1
        self._framesets |= name == "frameset"
        if name in syntax.RAW:
            return self._skip_raw(name)
        if name in syntax.FORMATTING:
            self._open_formatting(name, attributes, number)
        else:
            self._open_element(name, is_void=name in syntax.VOID)
        if name == "svg":
            self._foreign = not match[4].endswith("/")
            if not self._foreign:
                self._open.pop()
        return True

    def _count_attributes(self, name: str, attributes: str) -> int:
        number = len(syntax.ATTRIBUTES.findall(attributes)) if attributes else 0
        self._attribute_pairs += number * (number + 2 * self._root_attributes)
        if name in syntax.NO_PUSH:
            self._root_attributes += number
        return number

    def _foreign_tag(self, name: str, closing: bool, is_empty: bool) -> bool:
        if name == "svg" and closing:
            while self._open.pop() != "svg":
                pass
            self._foreign = False
            return True
        if name in ("desc", "style", "title") and not closing:
            end = None if is_empty else syntax.SVG_TEXT.match(self._text, self._position)
            self._position = end.end() if end else self._position
            return end is not None or is_empty
        if name not in syntax.SVG:
            return False
        if not closing and not is_empty:
            self._open.append(name)
        elif closing and self._open[-1] == name:
            self._open.pop()
        return True

    def _skip_raw(self, name: str) -> bool:
        """Skip the content of an element that contains no tags; return False if it may contain some after all.

        In a `<template>` or after a `<frameset>`, the tree builder may ignore the start tag of the element.
        """
        start = self._position
        if name == "plaintext":
            self._position = len(self._text)
        elif name == "script":
            self._position = self._script_end()
        else:
            end = syntax.RAW_END[name].search(self._text, self._position)
            self._position = end.start() if end else len(self._text)
        is_doubtful = self._framesets or "template" in self._open
        return not is_doubtful or "<" not in self._text[start : self._position]

    def _script_end(self) -> int:
        """Return the position of the end tag of a script, which may contain `<!-- <script> </script> -->`."""
        position, escaped, nested = self._position, False, False
        while event := syntax.SCRIPT_EVENT.search(self._text, position):
            position = event.end()
            match event[0][:2], event[1]:
                case "<!", _:
                    position = event.start() + 2  # `<!-->` opens and ends the comment
                    escaped = True
                case "--", _:
                    escaped = nested = False
                case _, "/" if not nested:
                    return event.start()
                case _, "/":
                    nested = False
                case _:
                    nested = escaped
        return len(self._text)

    # --- open elements

    def _open_element(self, name: str, *, is_void: bool) -> None:
        if name not in syntax.INLINE:
            self._copied += self._size
        self._blocks += name not in syntax.INLINE or name == "br"
        for closed in syntax.CLOSES.get(name, ()):
            if self._open and self._open[-1] == closed:
                self._pop(1)
        if not is_void and name not in syntax.NO_PUSH:
            self._open.append(name)
            if name in syntax.MARKERS:
                self._formatting.append(Counter())

    def _open_formatting(self, name: str, attributes: str, number: int) -> None:
        key = (name, attributes)
        if name in ("a", "nobr"):
            self._copied += self._size * (name == "nobr")
            if name == "a":
                self._close_formatting(name)
        self._sizes[key] = _copy_bytes(number, len(attributes))
        self._largest = max(self._largest, self._sizes[key])
        self._open.append(key)
        self._remember(key, 1)

    def _remember(self, key: tuple[str, str], number: int) -> None:
        known = self._formatting[-1][key]
        added = min(number, _SAME_FORMATTING - known)
        self._formatting[-1][key] += added
        self._number += added
        self._size += added * self._sizes[key]

    def _forget(self, key: tuple[str, str]) -> None:
        known = self._formatting[-1]
        if known[key]:
            known[key] -= 1
            self._number -= 1
            self._size -= self._sizes[key]
        if not known[key]:
            del known[key]

    def _pop(self, number: int, keep: int = 0) -> None:
        """Close `number` innermost elements except the formatting elements among the `keep` innermost ones."""
        kept = [item for item in self._open[len(self._open) - keep :] if isinstance(item, tuple)] if keep else []
        for _ in range(number):
            item = self._open.pop()
            if item in syntax.MARKERS and len(self._formatting) > 1:
                for key, count in self._formatting.pop().items():
                    self._number -= count
                    self._size -= count * self._sizes[key]
                    self._remember(key, count)
        self._open += kept

    def _close(self, name: str) -> None:
        top = self._open[-1] if self._open else None
        if name in syntax.FORMATTING:
            if isinstance(top, tuple) and top[0] == name:
                self._open.pop()
                self._forget(top)
            else:
                self._pairs += _SEARCHES * len(self._open)
                self._copied += self._size
                self._close_formatting(name)
            return
        if name not in syntax.INLINE:
            self._copied += self._size
        if top == name and (name != "form" or self._forms_close):
            self._pop(1)
            return
        if name == "form":
            self._forms_close = False
            return
        if name == "table":
            for closed in syntax.CLOSED_BY_TABLE_END:
                if self._open and self._open[-1] == closed:
                    self._pop(1)
        self._close_around(name)

    def _close_around(self, name: str) -> None:
        """Close the element `name` if only elements that it closes are open inside it."""
        for above, item in enumerate(reversed(self._open[-_REACH:])):
            if item == name:
                self._pop(above + 1, keep=above)
                return
            if not isinstance(item, tuple) and not (item in syntax.IMPLIED and name in syntax.BLOCKS):
                return

    def _close_formatting(self, name: str) -> None:
        """Close the formatting element `name` if the misplaced end tag reaches it."""
        copies = _ADOPTED
        for above, item in enumerate(reversed(self._open[-_REACH:])):
            if isinstance(item, tuple) and item[0] == name:
                del self._open[-1 - above]
                self._forget(item)
                copies = min(copies, above * _REACH)
                break
            if item in syntax.SCOPES:
                break
        self._copied += copies * self._largest * bool(self._number)
