"""What the ledger knows of one post id (or of one imported text), and which channel told of it.

Boundary: values, and names made into names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: First word of the names under which pages are kept that no polled source named.
_PREFIXES = {"related": "related", "ids": "ids", "probe": "ids", "import": "import", "warc": "import"}

#: Channels that are drawn from one another count as one list (docs/coverage.md): each list by its channels.
#: `ids` is none of them: only ids are asked for that no list has, so it shares nothing with any list by design.
LISTS: Mapping[str, frozenset[str]] = {
    "sitemaps": frozenset({"news_sitemap", "sitemap"}),
    "feeds": frozenset({"feed"}),
    "pages": frozenset({"home", "section", "list"}),
    "related": frozenset({"related"}),
    "imports": frozenset({"import"}),
}


@dataclass(frozen=True, slots=True)
class Post:
    """One post id: its page, its article, and who told of it. Imported texts without an id have a negative one.

    `state` is that of the page; `gone` that the agency removed it. Days are days in Hanoi, as `2026-01-31`;
    `listed_in` is the month of the sitemap that named it.
    """

    id: int
    url: str | None
    state: str
    held: bool
    gone: bool = False
    published_on: str | None = None
    hinted_on: str | None = None
    listed_in: str | None = None
    section: str | None = None
    error: str | None = None
    channels: frozenset[str] = frozenset()

    @property
    def alias(self) -> bool:
        """Whether it is another number of an article that is held under its own."""
        return self.state == "live" and not self.held

    @property
    def known(self) -> bool:
        """Whether somebody says that this article exists, or existed.

        To ask for an id is not to know of it: an id that is just being asked for, or that gave nothing, is not known.
        """
        if self.held:
            return True
        if self.state == "absent" or self.alias:
            return False
        return self.state == "drift" or bool(self.channels - {"ids"})

    @property
    def settled(self) -> bool:
        """Whether it needs no asking: it is known, another number of what is known, or asked for and not there."""
        return self.known or self.alias or self.state in ("absent", "gone")

    @property
    def missing(self) -> bool:
        """Whether it should be held and is not."""
        return self.known and not self.held and not self.gone


def channel_of(source: str, kind: str | None) -> str:
    """Name the channel of a sighting: the kind of the polled source, else what its name begins with."""
    return kind or _PREFIXES.get(source.partition(":")[0], "other")
