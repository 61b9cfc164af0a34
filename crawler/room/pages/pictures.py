"""The pictures that the archive holds, as files for the pages of articles.

Boundary: reads rows and WARC records. The first bytes decide the content type, and whether a picture is shown at all.
"""

from __future__ import annotations

from crawler.errors import PageError, StopError
from crawler.pictures import SHOWN, read_header
from crawler.room.language import _
from crawler.room.requests import Ask, NotHere, Page, RoomResponse
from crawler.room.room import Desk

_PREFIX, _PADDING = "sha256:", "===="
_POLICY = "sandbox; default-src 'none'; frame-ancestors 'self'"
_YEAR = 31_536_000  # seconds


def picture_path(digest: str) -> str:
    """Return the address of the picture with a digest."""
    return f"/picture/{digest.removeprefix(_PREFIX).rstrip('=')}"


def picture(desk: Desk, ask: Ask) -> Page | RoomResponse:
    """Return the bytes of a held picture, if browsers show its format.

    Raises:
        NotHere: the picture is not held, or its format is not shown.

    """
    from crawler.pipeline.stored_pages import response_of  # noqa: PLC0415 - needs 25 MB, and most visitors do not

    found = desk.archive.picture_capture(f"{_PREFIX}{ask.variables['digest']}{_PADDING}")
    if found is None:
        raise NotHere(_("The archive has no such picture."))
    try:
        body = response_of(desk.warc.read(found[0])).content
    except (StopError, PageError, OSError) as error:
        return Page("unreadable.html", {"detail": str(error)}, 503)
    shown = as_picture(body)
    if shown is None:
        raise NotHere(_("The archive keeps this picture, but browsers do not show its format."))
    return shown


def as_picture(body: bytes) -> RoomResponse | None:
    """Return the response with a picture; None if the bytes are not a picture in a format that browsers show.

    A browser that opens it alone runs no script and loads nothing, whatever else is in the file.
    """
    header = read_header(body)
    if header is None or header.media_type not in SHOWN:
        return None
    name = f"picture.{header.media_type.removeprefix('image/')}"
    headers = {
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'inline; filename="{name}"',
        "Cache-Control": f"private, max-age={_YEAR}, immutable",
    }
    return RoomResponse(200, header.media_type, body, headers)
