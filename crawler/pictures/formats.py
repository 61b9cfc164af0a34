"""Recognise the format of a picture by its first bytes, and read its size in pixels from its header.

The header `Content-Type` and the address are not trusted. SVG and HTML are documents, not pictures.

Boundary: bytes in, values out. Each reader takes linear time and decodes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class PictureProblem(StrEnum):
    """Why a picture has no size in pixels or no perceptual hash; the value is stored in `pictures.problem`."""

    FORMAT = "format"  # only the bytes are kept: this format is not decoded
    DAMAGED = "damaged"  # it cannot be decoded, for example because its end is missing
    TOO_LARGE = "too-large"  # it has too many pixels to be decoded safely
    STOPPED = "stopped"  # the parser process exceeded a limit or crashed


@dataclass(frozen=True, slots=True)
class Header:
    """The media type of a picture and its size in pixels as stored; the size is None if the header does not give it."""

    media_type: str
    width: int | None = None
    height: int | None = None

    @property
    def pixels(self) -> int | None:
        """The number of pixels; None if it is unknown."""
        return None if self.width is None or self.height is None else self.width * self.height


#: Formats that a browser shows, and the names by which the decoder knows those that it decodes.
SHOWN: Mapping[str, str | None] = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": None,
}
_AVIF = (b"avif", b"avis")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_TIFF = (b"II*\0", b"MM\0*")
_MOST_BRANDS = 256  # bytes of the first box of an AVIF or HEIC file; real ones have about 40
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # the others are tables
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def read_header(body: bytes) -> Header | None:
    """Return the format and the size in pixels of a picture; None if the bytes are not a picture of a known format."""
    if body.startswith(b"\xff\xd8\xff"):
        return _header("image/jpeg", _jpeg_size(body))
    if body.startswith(b"\x89PNG\r\n\x1a\n") and body[12:16] == b"IHDR":
        return _header("image/png", (_big(body[16:20]), _big(body[20:24])) if len(body) >= 24 else None)
    if body[:6] in (b"GIF87a", b"GIF89a"):
        return _header("image/gif", (_little(body[6:8]), _little(body[8:10])) if len(body) >= 10 else None)
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return _header("image/webp", _webp_size(body))
    if body[4:8] == b"ftyp":
        return _by_brand(body)
    return Header("image/tiff") if body[:4] in _TIFF else None


def _header(media_type: str, size: tuple[int, int] | None) -> Header:
    return Header(media_type, *size) if size is not None and all(size) else Header(media_type)


def _by_brand(body: bytes) -> Header | None:
    brands = body[8 : min(_big(body[:4]), _MOST_BRANDS)]
    names = {brands[start : start + 4] for start in (0, *range(8, len(brands), 4))}  # the second word is a version
    if names.intersection(_AVIF):
        return Header("image/avif")
    return Header("image/heic") if names.intersection(_HEIC) else None


def _jpeg_size(body: bytes) -> tuple[int, int] | None:
    """Return the size in the first frame header; the segments before it are skipped."""
    place = 2
    while (place := body.find(b"\xff", place)) >= 0 and place + 9 <= len(body):
        marker = body[place + 1]
        if marker in _START_OF_FRAME:
            return _big(body[place + 7 : place + 9]), _big(body[place + 5 : place + 7])
        if marker == 0xDA:  # the picture itself begins without a frame header
            return None
        if marker == 0xFF:  # fill byte
            place += 1
        elif marker in _WITHOUT_LENGTH:
            place += 2
        else:
            place += 2 + max(2, _big(body[place + 2 : place + 4]))
    return None


def _webp_size(body: bytes) -> tuple[int, int] | None:
    kind, data = body[12:16], body[20:30]
    if len(data) < 10:
        return None
    if kind == b"VP8X":
        return 1 + _little(data[4:7]), 1 + _little(data[7:10])
    if kind == b"VP8L" and data[0] == 0x2F:
        bits = _little(data[1:5])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        return _little(data[6:8]) & 0x3FFF, _little(data[8:10]) & 0x3FFF
    return None


def _big(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
