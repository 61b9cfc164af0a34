"""The elements of a feed or sitemap that `xml_reader` returns, and which of them are needed.

Boundary: values only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Element:
    """One element of an entry.

    `name` is in lower case and without a prefix. `vocabulary` is the vocabulary of its namespace; it is empty if that is
    the vocabulary of the document. `attributes` have names in lower case, with prefixes. `base` is the nearest
    `xml:base`. `text` is the text before the first child element, for an element of `rich` names all its text; it is
    None if it was cut off.
    """

    name: str
    vocabulary: str
    attributes: Mapping[str, str]
    base: tuple[str, ...] = ()
    text: str | None = ""
    children: list[Element] = field(default_factory=list)

    def all(self, name: str, vocabulary: str = "") -> list[Element]:
        """Return the child elements with this name."""
        return [c for c in self.children if c.name == name and c.vocabulary == vocabulary]

    def texts(self, name: str, vocabulary: str = "") -> list[str]:
        """Return the texts of the child elements with this name, without surrounding space; no empty ones."""
        return [text for c in self.all(name, vocabulary) if (text := (c.text or "").strip())]

    def walk(self) -> Iterator[Element]:
        """Yield the elements inside this one, in document order."""
        stack = self.children[::-1]
        while stack:
            element = stack.pop()
            yield element
            stack.extend(reversed(element.children))


@dataclass(frozen=True, slots=True)
class Shape:
    """The elements of a kind of document, all names in lower case.

    `roots` may be the root element, `entries` are the elements to read, `used` are the elements whose text is needed,
    and `rich` are those of them that may contain markup. `head` are elements outside of entries that are kept.
    """

    roots: frozenset[str]
    entries: frozenset[str]
    used: frozenset[str]
    rich: frozenset[str] = frozenset()
    head: frozenset[str] = frozenset()
