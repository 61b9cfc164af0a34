"""Why a response was requested. This is written into the WARC record, so that a rebuild knows how to process it.

Boundary: a value, and its conversion to text and back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import get_args

from crawler.types import SourceKind


class PurposeKind(StrEnum):
    """The kind of a purpose (why a response was requested); its value is written into the WARC field `VNA-Purpose`."""

    PAGE = "page"  # a visit to an article page, by post id
    SOURCE = "source"  # a poll of a source and its further pages, by address
    LIST = "plan"  # a list that a backfill reads, by kind and address
    ID = "id"  # an id that no list names
    ID_SUPPORT = "sonar"  # whether the site answers requests by id alone
    PROBE = "probe"  # a question of `vna probe`
    PROBED_PAGE = "probed"  # an article that `vna probe` fetched and stored
    IMAGE = "image"  # a picture of an article, by address
    CAPTURE = "capture"  # an imported capture of another collection
    IMPORT = "import"  # an imported text
    LAYOUT = "layout"  # a learned layout, by name
    ROBOTS = "robots"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Why a response was requested: a kind and, for most kinds, a subject (a post id or an address)."""

    kind: PurposeKind
    subject: str = ""

    def __str__(self) -> str:
        """Return the text that is stored in WARC records and in rows, such as `page:245060`."""
        return f"{self.kind}:{self.subject}" if self.subject else str(self.kind)

    @classmethod
    def parse(cls, text: str) -> Purpose | None:
        """Return the purpose that a stored text stands for; None if this version does not know its kind."""
        kind, _, subject = text.partition(":")
        return cls(PurposeKind(kind), subject) if kind in _PURPOSE_KINDS else None

    @classmethod
    def page(cls, post_id: int) -> Purpose:
        """Return the purpose of a request for an article page."""
        return cls(PurposeKind.PAGE, str(post_id))

    @classmethod
    def source(cls, url: str) -> Purpose:
        """Return the purpose of a request that polls a source."""
        return cls(PurposeKind.SOURCE, url)

    @classmethod
    def image(cls, url: str) -> Purpose:
        """Return the purpose of a request for a picture."""
        return cls(PurposeKind.IMAGE, url)

    @classmethod
    def listing(cls, kind: SourceKind, url: str) -> Purpose:
        """Return the purpose of a request for a list that a backfill reads."""
        return cls(PurposeKind.LIST, f"{kind}:{url}")

    @property
    def post_id(self) -> int | None:
        """The post id that is the subject; None if the subject is not a post id, as in a malformed record."""
        return int(self.subject) if re.fullmatch(r"[0-9]{1,12}", self.subject) else None

    @property
    def listed_source(self) -> tuple[SourceKind | None, str]:
        """The kind and the address of the list that was requested; the kind is None if this version does not know it."""
        name, _, url = self.subject.partition(":")
        return next((kind for kind in get_args(SourceKind) if kind == name), None), url


_PURPOSE_KINDS = frozenset(PurposeKind)
ROBOTS = Purpose(PurposeKind.ROBOTS)
