"""Values: a picture, the places where articles show it, and the address from which it is requested.

Boundary: values only, and the rule which addresses may be requested.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from crawler import urls
from crawler.types import ErrorKind

Keep = Literal["none", "lead", "all"]


@dataclass(frozen=True, slots=True)
class KeptPictures:
    """Which pictures of articles to fetch, and from which origins besides that of the site: `[images]` of the configuration."""

    keep: Keep = "none"
    hosts: tuple[str, ...] = ()

    @property
    def only_lead(self) -> bool:
        """Whether only the first picture of each article is fetched."""
        return self.keep == "lead"


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """What the decoder found: the hash of a picture, and those of its middle by shape; `phash` is None if it is damaged."""

    phash: str | None = None
    crops: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture: a row of `pictures`, but for the size in bytes and the capture.

    `digest` is that of the body as received. Width and height are those of the header, before any rotation. `crops` has the
    hash of the middle of the picture by shape. `problem` is a value of `PictureProblem`.
    """

    digest: str
    media_type: str
    width: int | None = None
    height: int | None = None
    phash: str | None = None
    crops: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class PictureForFetch:
    """The row of an address from which a picture was requested. `digest` is that of the picture it last gave, or None."""

    url: str
    state: str
    failures: int
    last_fetched_at: datetime
    next_due_at: datetime | None
    digest: str | None
    etag: str | None
    last_modified: str | None


@dataclass(frozen=True, slots=True)
class PictureOutcome:
    """The changes to the row of an address after a request. `raw_id` and `digest` are None unless it gave a picture."""

    state: Literal["held", "failed"]
    next_due_at: datetime | None
    failures: int = 0
    error: str | None = None
    error_kind: ErrorKind | None = None
    raw_id: int | None = None
    digest: str | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """The place of a picture in an article. `digest` is the picture that its current revision shows there, if it is held."""

    article: int
    position: int
    digest: str | None


@dataclass(frozen=True, slots=True)
class Replacement:
    """A picture that was replaced: the place in the article, and the digests of the old and the new picture."""

    position: int
    before: str
    after: str


def picture_address(url: str | None, root: str, hosts: Sequence[str]) -> str | None:
    """Return the address from which a picture is requested; None if it may not be requested.

    Pictures may come from the site at `root` and from the origins `hosts`. An address with `http` is requested with
    `https` if the host has that origin, as for pages.
    """
    absolute = urls.absolute(root, url)
    if absolute is None:
        return None
    allowed = {urls.origin(root), *hosts}
    secure = f"https{absolute.removeprefix('http')}" if absolute.startswith("http:") else absolute
    return next((one for one in (absolute, secure) if urls.origin(one) in allowed), None)
