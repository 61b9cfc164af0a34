"""Decide what a picture means for the places in articles at which it is shown: first picture, copy, or replacement.

Boundary: only calls other modules in the right order; `pictures` compares, `storage` writes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from crawler.pictures import PicturePlace, Replacement, is_same_picture
from crawler.storage import Archive

#: What a picture is at its place: the first one, the same as before, or a replacement, which may make a revision.
Shown = Literal["first", "same", "replaced", "revised"]

#: A picture is fetched after the page that shows it, at the latest after the first retry. So it belongs to the revision that
#: was first seen at most this long before.
_WITH_REVISION = timedelta(hours=2)


def compare_held_pictures(archive: Archive, key: int, at: datetime) -> None:
    """Compare the places of an article with pictures that are held already from the same addresses.

    `at` is when the page was fetched that shows these addresses. Needs an open transaction.
    """
    for place, digest in archive.held_at_places(key):
        show_picture(archive, place, digest, at)


def show_picture(archive: Archive, place: PicturePlace, digest: str, at: datetime) -> Shown:
    """Record that the picture `digest` was seen at a place; return what it is there.

    A copy of the same picture, and one that cannot be compared, change nothing. A replacement belongs to the newest revision
    if that was first seen just before, and otherwise makes a revision. Needs an open transaction.
    """
    if place.digest is None:
        archive.set_place(place, digest)
        return "first"
    before, after = archive.picture(place.digest), archive.picture(digest)
    if before is None or after is None or is_same_picture(before, after) is not False:
        return "same"
    shown: Shown = "replaced"
    number, seen_at, replaced = archive.current_revision(place.article)
    if not (seen_at <= at <= seen_at + _WITH_REVISION and _captured_before(archive, place.digest, seen_at)):
        number, replaced, shown = archive.add_picture_revision(place.article, at), [], "revised"
    replaced = [*replaced, Replacement(place.position, place.digest, digest)]
    archive.set_replaced_pictures(place.article, number, replaced)
    archive.set_place(place, digest)
    return shown


def _captured_before(archive: Archive, digest: str, at: datetime) -> bool:
    """Whether a picture was first captured before a revision was: otherwise the revision itself has shown it."""
    capture = archive.picture_capture(digest)
    return capture is not None and capture[2] < at
