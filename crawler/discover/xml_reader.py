"""Read the entries of a feed or sitemap one by one, however damaged the XML is.

A strict parser such as expat refuses a whole file because of one error, and the recovery of libxml2 stops at the end of
the first root element. This reader needs only the elements of each entry, so it takes every tag that it can recognise:

- An end tag closes the nearest open element of that name, and what is open inside it. Other end tags are ignored.
- The beginning of an entry closes an entry that is still open.
- Text that is still open at the end of the file is not used, because it may be cut off.
- Text directly after an empty element belongs to it: HTML parsers write `<link/>URL`, because `link` is empty in HTML.
- A document type is skipped. No entity is expanded; HTML entities such as `&eacute;` in a text become characters.

Only one entry at a time is in memory, and depth, lengths and numbers are limited, so that a hostile file costs little.

Boundary: UTF-8 bytes in, elements out; the meaning of the elements belongs to the callers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crawler.discover.element import Element, Shape
from crawler.discover.namespaces import Scope
from crawler.discover.problems import ProblemKind, Problems
from crawler.discover.xml import text_of
from crawler.discover.xml_text import NO_ATTRIBUTES, attributes, document_type, unescaped
from crawler.parse import dom

_MAX_TAGS = 2_000_000  # a sitemap of 50,000 entries with images and news has at most about 1,000,000
_MAX_ENTRIES = 50_000  # the sitemap protocol's limit
_MAX_DEPTH = 200  # levels; a feed with XHTML texts has about 30
_MAX_ELEMENTS = 2_000  # in one entry
_MAX_TEXT = 65_536  # bytes of one text that is used
_MAX_TEXTS = 24_000_000  # bytes of all texts that are used
_MAX_BASES = 8  # `xml:base` inside each other
_MAX_DOCTYPES = 4  # whose declarations are skipped; the search for their end may read the rest of the file
_MAX_HEAD = 100
_MAX_KNOWN = 1_000  # names that are kept in lower case
_APART = frozenset(name.encode() for name in (*dom.BREAKING, "br"))  # elements of HTML between the words of a text
_WITH_NAMESPACE = ("urlset", "sitemapindex", "feed")  # root elements that must have one

_MARKUP = re.compile(
    rb"""<(?:
        (?P<end>/)?(?P<name>[A-Za-z_:\x80-\xff][^\s<>/="'&!?]{0,100}+)
            (?P<attributes>(?:[^<>"']++|"[^"<]*+"|'[^'<]*+')*+(?=>)|[^<>]*+)>
            (?:(?P<text>[^<]*+)</(?P=name)\s*+>)?  # the whole element, if it contains only text
        |(?P<cdata>!\[CDATA\[)|(?P<comment>!--)|(?P<doctype>!DOCTYPE\b)|(?P<instruction>\?)|(?P<other>!)
    )""",
    re.VERBOSE | re.IGNORECASE,
)


class _Open:
    """An element that is not closed yet.

    `element` is what is kept of it (None: nothing), and `holder` is the nearest kept element at or around it. `sink`
    collects the text that follows: the element's own or that of a `rich` element around it; None if it is not used.
    """

    __slots__ = ("base", "element", "holder", "is_root", "key", "pieces", "rich", "scope", "sink")

    def __init__(self, key: bytes, scope: Scope, base: tuple[str, ...], holder: Element | None) -> None:
        self.key = key
        self.scope = scope
        self.base = base
        self.holder = holder
        self.element: Element | None = None
        self.pieces: list[str] | None = None
        self.sink: list[str] | None = None
        self.rich = False
        self.is_root = False


class XmlReader:
    """Reads one document. After `entries` has ended, `root`, `head` and the problems are complete."""

    def __init__(self, body: bytes, shape: Shape, problems: Problems) -> None:
        self.root: str | None = None  # name of the first root element, in lower case
        self.html = False  # whether HTML comes before the first root element
        self.head: list[Element] = []
        self._body = body
        self._shape = shape
        self._problems = problems
        self._open: list[_Open] = []
        self._names: dict[bytes, int] = {}  # how many open elements have a name
        self._known: dict[bytes, tuple[bytes, str, str]] = {}  # names in lower case: whole, prefix, local name
        self._outside = _Open(b"", Scope({}), (), None)
        self._entry: _Open | None = None
        self._field: _Open | None = None  # the innermost open element whose text is used
        self._field_vocabulary = ""
        self._empty: Element | None = None  # the used element directly before, if it is empty
        self._elements = 0  # in the current entry
        self._text = 0  # bytes of text used in the current element
        self._texts = 0
        self._ready: Element | None = None
        self._ends: dict[bytes, int] = {}  # where the next of each delimiter is, or -1
        self._doctypes = 0

    def entries(self) -> Iterator[Element]:
        """Yield the entries in document order."""
        found = tags = at = 0
        body, search = self._body, _MARKUP.search
        while (match := search(body, at)) is not None:
            start = match.start()
            if start > at:
                self._add_text(body[at:start])
            self._empty = None
            tags += 1
            is_end, name, raw, text = match.group("end", "name", "attributes", "text")
            if name is None:
                at = self._skip(match)
            elif text is not None and not is_end and self._add_leaf(name, raw, text):
                at = match.end()
            else:
                at = match.end("attributes") + 1
                self._tag(name, raw, is_end=is_end is not None)
            if self._ready is not None:
                yield self._ready
                self._ready = None
                found += 1
            if tags >= _MAX_TAGS or found >= _MAX_ENTRIES or len(self._open) > _MAX_DEPTH:
                self._problems.add(ProblemKind.TOO_LARGE)
                return
        self._add_text(body[at:].partition(b"<")[0])  # without a tag that is cut off
        self._finish()
        if self._ready is not None:
            yield self._ready

    # --- tags -----------------------------------------------------------------------------------------------------

    def _tag(self, name: bytes, raw: bytes, *, is_end: bool) -> None:
        known = self._known.get(name) or self._split(name)
        if is_end:
            self._close(known[0])
            return
        self._start(name, known, raw)
        if raw.endswith(b"/"):
            self._empty = self._open[-1].element if self._open[-1] is self._field else None
            self._pop()

    def _add_leaf(self, name: bytes, raw: bytes, text: bytes) -> bool:
        """Add an element of an entry that contains only text, and return True; False if it needs the general way.

        This is most of a sitemap, and takes half the time of the general way.
        """
        outer = self._open[-1] if self._open else self._outside
        _, prefix, local = self._known.get(name) or self._split(name)
        vocabulary = outer.scope.known(prefix)
        if outer.holder is None or self._field is not None or vocabulary is None or raw:
            return False
        if (not vocabulary and local in self._shape.entries) or self._elements >= _MAX_ELEMENTS:
            return False
        self._elements += 1
        element = Element(local, vocabulary, NO_ATTRIBUTES, outer.base)
        outer.holder.children.append(element)
        if local in self._shape.used and text:
            self._text = 0
            element.text = self._used(text) or ""
        return True

    def _split(self, name: bytes) -> tuple[bytes, str, str]:
        """Return a name in lower case: whole, its prefix, and the name without the prefix."""
        key = name.lower()
        prefix, _, local = text_of(key).rpartition(":")
        if len(self._known) < _MAX_KNOWN:
            self._known[name] = (key, prefix, local)
        return key, prefix, local

    def _start(self, name: bytes, known: tuple[bytes, str, str], raw: bytes) -> None:
        key, prefix, local = known
        outer = self._open[-1] if self._open else self._outside
        opened = _Open(key, outer.scope, outer.base, outer.holder)
        if b"xml" in raw:
            declared = attributes(raw, self._problems)
            opened.scope = opened.scope.inside(declared)
            if base := declared.get("xml:base"):
                opened.base = (*opened.base, base)[-_MAX_BASES:]
        if self.root is not None:
            vocabulary = opened.scope.known(prefix)
            if vocabulary is None:
                vocabulary = opened.scope.vocabulary(prefix)
                if not opened.scope.declares(prefix):
                    self._problems.add(ProblemKind.UNBOUND_PREFIX)
            self._begin(name, local, vocabulary, opened, raw)
        elif local in self._shape.roots:
            self._begin_document(name, prefix, local, opened)
        else:
            self.html = self.html or local in ("html", "body")
            self._problems.add(ProblemKind.TEXT_BEFORE)
        self._open.append(opened)
        self._names[key] = self._names.get(key, 0) + 1

    def _begin_document(self, name: bytes, prefix: str, local: str, opened: _Open) -> None:
        while self._open:  # tags before the root element, such as the `<br />` of a PHP message
            self._pop()
        self.root, opened.is_root = local, True
        if not opened.scope.declares(prefix):
            self._problems.add(ProblemKind.UNBOUND_PREFIX)
        opened.scope = opened.scope.of_root(prefix)
        if not opened.scope.root and local in _WITH_NAMESPACE:
            self._problems.add(ProblemKind.NO_NAMESPACE)
        self._outside.scope = Scope({}, opened.scope.root)  # for what follows after the end of this root element
        self._check_case(name, local)

    def _begin(self, name: bytes, local: str, vocabulary: str, opened: _Open, raw: bytes) -> None:
        """Begin an element that comes after the start of the root element."""
        if not vocabulary and local in self._shape.entries:
            self._begin_entry(name, local, opened, raw)
        elif opened.holder is not None:
            self._begin_element(local, vocabulary, opened, raw)
        elif not vocabulary and local in self._shape.roots:
            opened.is_root = True
            inside = any(o.is_root for o in self._open)
            self._problems.add(ProblemKind.NESTED_ROOTS if inside else ProblemKind.SEVERAL_ROOTS)
        elif not self._open:
            self._problems.add(ProblemKind.TEXT_AFTER)
        elif local in self._shape.head and len(self.head) < _MAX_HEAD:
            self.head.append(Element(local, vocabulary, attributes(raw, self._problems), opened.base))

    def _begin_entry(self, name: bytes, local: str, opened: _Open, raw: bytes) -> None:
        if opened.holder is not None:  # the entry before has no end tag
            self._problems.add(ProblemKind.BAD_TAGS)
            while self._open and self._open[-1].holder is not None:
                self._pop()
        self._check_case(name, local)
        opened.element = opened.holder = Element(local, "", attributes(raw, self._problems), opened.base)
        self._entry = opened
        self._elements = 0

    def _begin_element(self, local: str, vocabulary: str, opened: _Open, raw: bytes) -> None:
        used = local in self._shape.used
        if used and self._field is not None and self._field_vocabulary == vocabulary:
            self._problems.add(ProblemKind.BAD_TAGS)  # the field before has no end tag
            while self._field is not None:
                self._pop()
            opened.holder = self._open[-1].holder
        outer = self._open[-1]
        if outer.sink is not None:
            if outer.rich and not used:
                opened.sink, opened.rich = outer.sink, True
                outer.sink.append(" " if opened.key in _APART else "")
            elif not outer.rich:
                outer.sink = None  # an address ends where the next element begins
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or opened.holder is None:
            self._problems.add(ProblemKind.TOO_LARGE)
            return
        opened.element = Element(local, vocabulary, attributes(raw, self._problems), opened.base)
        opened.holder.children.append(opened.element)
        opened.holder = opened.element
        if used:
            self._field, self._field_vocabulary = opened, vocabulary
            opened.pieces = opened.sink = []
            opened.rich, self._text = local in self._shape.rich, 0

    def _check_case(self, name: bytes, local: str) -> None:
        written = text_of(name).rpartition(":")[2]
        if local not in (written, "rdf"):  # `rdf:RDF` is in upper case
            self._problems.add(ProblemKind.UPPER_CASE)

    def _close(self, key: bytes) -> None:
        if key not in self._names:
            self._problems.add(ProblemKind.BAD_TAGS if self.root is not None else ProblemKind.TEXT_BEFORE)
            return
        while self._open[-1].key != key:
            self._problems.add(ProblemKind.BAD_TAGS)
            self._pop()
        self._pop()

    def _pop(self, *, cut: bool = False) -> None:
        """Close the innermost open element. If `cut` is True, the file ends in it, so its text is not complete."""
        closed = self._open.pop()
        count = self._names.pop(closed.key) - 1
        if count:
            self._names[closed.key] = count
        if closed.pieces is not None and closed.element is not None:
            closed.element.text = None if cut else "".join(closed.pieces)
        elif closed.sink is not None and closed.key in _APART:
            closed.sink.append(" ")
        if closed is self._field:
            self._field = None
        if closed is self._entry:
            self._ready, self._entry = closed.element, None

    def _finish(self) -> None:
        """Close what is open at the end of the file."""
        if self.root is None:
            return
        if self._open:
            self._problems.add(ProblemKind.CUT_OFF)
        while self._open:
            self._pop(cut=True)

    # --- text and other markup ------------------------------------------------------------------------------------

    def _skip(self, match: re.Match[bytes]) -> int:
        """Process markup that is not a tag, and return where it ends."""
        body, at = self._body, match.end()
        if match["cdata"]:
            end = self._find(b"]]>", at)
            if self._has_no_end(at, end):
                self._problems.add(ProblemKind.CUT_OFF if end < 0 else ProblemKind.BAD_TAGS)
                return at
            self._add_text(body[at:end], is_cdata=True)
            return end + 3
        if match["comment"]:
            return self._skip_comment(at)
        if match["doctype"]:
            return self._skip_doctype(at)
        if match["instruction"] and (end := self._find(b"?>", at)) >= 0:
            return end + 2
        return self._end_of_markup(at)

    def _end_of_markup(self, at: int) -> int:
        """Return the end of markup that has no content, or where the next markup begins, if it has no end of its own."""
        end, begin = self._find(b">", at), self._find(b"<", at)
        if 0 <= begin < end:
            self._problems.add(ProblemKind.BAD_TAGS)
            return begin
        return self._after(end, 1)

    def _find(self, delimiter: bytes, at: int) -> int:
        """Return where the next `delimiter` is, or -1; it is not searched again, because that would be quadratic."""
        known = self._ends.get(delimiter, 0)
        if 0 <= known < at:
            known = self._ends[delimiter] = self._body.find(delimiter, at)
        return known

    def _skip_comment(self, at: int) -> int:
        """Return the end of a comment; if it has no end of its own, its beginning: what follows is read.

        No comment contains `--`, so the next end after another comment begins is the end of that one. If the root element
        does not end after it, either, the file is cut off within the comment.
        """
        end = self._find(b"-->", at)
        if end >= 0 and not 0 <= self._find(b"<!--", at) < end:
            return end + 3
        if end < 0 and self._open and self._find(b"</" + self._open[0].key, at) < 0:
            return self._after(end, 3)
        self._problems.add(ProblemKind.BAD_TAGS)
        return at

    def _has_no_end(self, at: int, end: int) -> bool:
        """Whether a CDATA section has no end of its own: the next end is that of a section in a later element."""
        if end < 0 or not self._open:
            return end < 0
        closed = self._body.find(b"</" + self._open[-1].key, at, end)
        return closed >= 0 and self._body.find(b"<![CDATA[", closed, end) >= 0

    def _skip_doctype(self, at: int) -> int:
        if self.root is None and self._body[at : at + 20].strip().lower().startswith(b"html"):
            self.html = True
        self._doctypes += 1
        if self._doctypes > _MAX_DOCTYPES:
            return self._end_of_markup(at)
        end, has_declarations = document_type(self._body, at)
        if has_declarations:
            self._problems.add(ProblemKind.ENTITIES)
        return end or self._end_of_markup(at)

    def _after(self, end: int, length: int) -> int:
        """Return the position after a delimiter at `end`, or the end of the file if there is none (-1)."""
        if end >= 0:
            return end + length
        self._problems.add(ProblemKind.CUT_OFF)
        return len(self._body)

    def _add_text(self, raw: bytes, *, is_cdata: bool = False) -> None:
        innermost = self._open[-1] if self._open else None
        if (innermost is None or self.root is None) and raw.strip():
            self._problems.add(ProblemKind.TEXT_BEFORE if self.root is None else ProblemKind.TEXT_AFTER)
        if not is_cdata and b"<" in raw:
            self._problems.add(ProblemKind.BAD_TAGS)
        if self._empty is not None and raw.strip():
            self._problems.add(ProblemKind.BAD_TAGS)
            self._text, self._empty.text = 0, self._used(raw) or ""
            return
        if innermost is None or innermost.sink is None:
            return
        text = self._used(raw, is_cdata=is_cdata)
        if text is None:
            innermost.sink.clear()
            innermost.sink = None
        else:
            innermost.sink.append(text)

    def _used(self, raw: bytes, *, is_cdata: bool = False) -> str | None:
        """Return a part of a text that is used; None if the text or all texts together become too long."""
        self._text += len(raw)
        self._texts += len(raw)
        if self._text > _MAX_TEXT or self._texts > _MAX_TEXTS:
            self._problems.add(ProblemKind.TOO_LARGE)
            return None
        text = text_of(raw)
        return text if is_cdata or "&" not in text else unescaped(text, self._problems)
