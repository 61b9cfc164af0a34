"""Vocabularies of feeds and sitemaps, by the URI of a namespace or, if none is declared, by the prefix.

Boundary: values only.
"""

from __future__ import annotations

from collections.abc import Mapping

_MAX_PREFIXES = 50  # declared or looked up at one place
#: Parts of namespace URIs, in lower case, and the name of the vocabulary. Empty: the vocabulary of sitemaps and of RSS.
_BY_URI = (
    ("schemas/sitemap/", ""), ("schemas/sitemap-news", "news"), ("schemas/sitemap-image", "image"),
    ("schemas/sitemap-video", "video"), ("w3.org/1999/xhtml", "xhtml"), ("w3.org/2005/atom", "atom"),
    ("purl.org/atom/ns", "atom"), ("purl.org/rss/1.0/modules/content", "content"), ("purl.org/rss/1.0/modules", "other"),
    ("purl.org/rss/1.0", ""), ("netscape.com/rdf/", ""), ("userland.com/rss2", ""), ("22-rdf-syntax-ns", "rdf"), ("search.yahoo.com/mrss", "media"),
    ("purl.org/dc/", "dc"), ("feedburner", "feedburner"), ("xml/1998/namespace", "xml"),
)  # fmt: skip
_BY_PREFIX = {
    "news": "news", "image": "image", "video": "video", "xhtml": "xhtml", "atom": "atom", "atom10": "atom", "a10": "atom",
    "content": "content", "rdf": "rdf", "media": "media", "dc": "dc", "dcterms": "dc", "feedburner": "feedburner",
    "xml": "xml",
}  # fmt: skip
_OTHER = "other"


class Scope:
    """The namespaces that are declared at one place of a document, by prefix. `root` is the namespace of its root."""

    __slots__ = ("_known", "_uris", "root")

    def __init__(self, uris: Mapping[str, str], root: str | None = None) -> None:
        self._uris = uris
        self._known: dict[str, str] = {}  # vocabularies that were looked up
        self.root = root

    def inside(self, attributes: Mapping[str, str]) -> Scope:
        """Return the scope inside a tag with these attributes; `self` if it declares no namespace, or too many."""
        new = {
            name[6:]: uri.strip() for name, uri in attributes.items() if name == "xmlns" or name.startswith("xmlns:")
        }
        uris = {**self._uris, **new}
        return Scope(uris, self.root) if new and len(uris) <= _MAX_PREFIXES else self

    def of_root(self, prefix: str) -> Scope:
        """Return the scope inside the root element, which has the prefix `prefix`."""
        return Scope(self._uris, self._uris.get(prefix, f"?{prefix}" if prefix else ""))

    def declares(self, prefix: str) -> bool:
        """Whether the namespace of a prefix is declared. Without a prefix, none has to be."""
        return not prefix or prefix in self._uris

    def known(self, prefix: str) -> str | None:
        """Return the vocabulary of a prefix if it was looked up before, otherwise None."""
        return self._known.get(prefix)

    def vocabulary(self, prefix: str) -> str:
        """Return the name of the vocabulary of a prefix; empty if it is that of the document or of a sitemap or RSS."""
        uri = self._uris.get(prefix)
        if uri is None and prefix:
            vocabulary = "" if self.root == f"?{prefix}" else _BY_PREFIX.get(prefix, _OTHER)
        elif not uri or uri == self.root:
            vocabulary = ""
        else:
            lower = uri.lower()
            vocabulary = next((name for part, name in _BY_URI if part in lower), _OTHER)
        if len(self._known) < _MAX_PREFIXES:
            self._known[prefix] = vocabulary
        return vocabulary
