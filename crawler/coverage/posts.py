"""What the ledger knows about one post id or imported text, and which channels named it.

A channel is a kind of source, such as `feed` or `sitemap` (docs/coverage.md).

Boundary: values and names only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: The channel by the first word of a source name, for sources that are not polled.
_PREFIXES = {"related": "related", "ids": "ids", "probe": "ids", "import": "import", "warc": "import"}

#: The lists for capture-recapture, each with its channels. Channels that copy from one another count as one list
#: (docs/coverage.md). `ids` is not a list: only ids that no list has are requested, so it never overlaps with a list.
LISTS: Mapping[str, frozenset[str]] = {
    "sitemaps": frozenset({"news_sitemap", "sitemap"}),
    "feeds": frozenset({"feed"}),
    "pages": frozenset({"home", "section", "list"}),
    "related": frozenset({"related"}),
    "imports": frozenset({"import"}),
}


@dataclass(frozen=True, slots=True)
class Post:
    """One post id with its page, its article and the channels that named it. Imported texts have negative ids.

    `state` is the state of the page. `held` means that the archive has a version of the article, `gone` that the agency
    removed it. `published_on` is the day of publication that the page gives, `hinted_on` the one that a source
    gives; both are days in Hanoi, such as `2026-01-31`. `listed_in` is the month of the sitemap that lists the post,
    as `2026-01`.
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
        """Whether this id is a second id of an article that is held under another id."""
        return self.state == "live" and not self.held

    @property
    def known(self) -> bool:
        """Whether the article is known to exist or to have existed.

        An article is known if it is held, if its page matches no known layout but says that it is an article, or if a
        channel other than `ids` named it. A request for an id is not enough: the response must have been an article.
        """
        if self.held:
            return True
        if self.state == "absent" or self.alias:
            return False
        return self.state == "drift" or bool(self.channels - {"ids"})

    @property
    def settled(self) -> bool:
        """Whether there is no need to request this id, because it is known, absent, gone or an alias of another id."""
        return self.known or self.alias or self.state in ("absent", "gone")

    @property
    def missing(self) -> bool:
        """Whether the article is known, but neither held nor gone."""
        return self.known and not self.held and not self.gone


def channel_of(source: str, kind: str | None) -> str:
    """Return the channel of a sighting.

    If the source is polled, the channel is `kind`, the kind of the source. Otherwise `kind` is None, and the first word
    of `source`, the name of the source, determines the channel.
    """
    return kind or _PREFIXES.get(source.partition(":")[0], "other")
