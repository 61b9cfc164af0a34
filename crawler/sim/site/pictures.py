"""The pictures of the fake site: generated shapes in colours, different for each picture and the same at each request.

Boundary: an address and what the editors did with it in, bytes out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args
from urllib.parse import urlsplit

from crawler.errors import BadInput
from crawler.sim.site import encoders
from crawler.sim.site.encoders import Raster
from crawler.sim.site.story import Story
from crawler.sim.site.timeline import seeded_rng
from crawler.types import Block, ImageBlock

#: What the editors do with a picture.
Edit = Literal[
    "replace",  # another picture under another address
    "in_place",  # another picture under the same address
    "copy",  # the same picture in another size and format, under another address
    "recompress",  # the same picture in lower quality, under the same address
]
EDITS: tuple[str, ...] = get_args(Edit)
_WIDTH, _HEIGHT = 48, 32
_FINE = 6  # quantisation step of a JPEG with little loss
_SHAPES = 7
_ENCODERS: Mapping[str, tuple[str, Callable[[Raster], bytes]]] = {
    ".webp": ("image/webp", encoders.webp),
    ".png": ("image/png", encoders.png),
    ".gif": ("image/gif", encoders.gif),
}


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """What an address shows: `key` determines the picture, `scale` its size, `step` how much detail it loses."""

    key: str
    scale: int = 1
    step: int = _FINE


class PictureDesk:
    """What the editors did with the pictures, by the path of their addresses."""

    def __init__(self) -> None:
        self._shown: dict[str, ShownPicture] = {}
        self._edits = 0

    def response(self, path: str) -> tuple[str, bytes]:
        """Return the content type and the bytes of the picture at a path."""
        return encoded(self._at(path), "." + path.rpartition(".")[2].lower())

    def edit(self, story: Story, number: int, how: str) -> Story:
        """Change the picture `number` of a story, counted from 0, and return the story with its new address.

        Raises:
            BadInput: there is no such picture, or no such edit.

        """
        pictures = [place for place, block in enumerate(story.blocks) if isinstance(block, ImageBlock) and block.url]
        if how not in EDITS:
            raise BadInput(f"unknown edit {how!r} of a picture", f"choose one of {', '.join(EDITS)}")
        if number >= len(pictures):
            raise BadInput(f"story {story.post_id} has no picture {number}", "count the pictures from 0")
        place = pictures[number]
        block = story.blocks[place]
        assert isinstance(block, ImageBlock)
        path = urlsplit(block.url or "").path
        shown, self._edits = self._at(path), self._edits + 1
        if how in ("replace", "in_place"):
            shown = replace(shown, key=f"{shown.key}#{self._edits}")
        elif how == "copy":
            shown = replace(shown, scale=shown.scale + 1)
        else:
            shown = replace(shown, step=shown.step + 10)
        address = block.url or ""
        if how in ("replace", "copy"):
            folder, _, name = address.rpartition("/")
            address = f"{folder}/{self._edits}-{name.removesuffix('.webp')}"
        self._shown[urlsplit(address).path] = shown
        blocks: list[Block] = [*story.blocks]
        blocks[place] = replace(block, url=address)
        return replace(story, blocks=tuple(blocks))

    def _at(self, path: str) -> ShownPicture:
        return self._shown.get(path, ShownPicture(path))


@lru_cache(maxsize=512)
def encoded(shown: ShownPicture, extension: str) -> tuple[str, bytes]:
    """Return the content type and the bytes of a picture in the format of a file name's extension; JPEG for others."""
    raster = _raster(shown)
    if extension in _ENCODERS:
        content_type, encode = _ENCODERS[extension]
        return content_type, encode(_coarser(raster, shown.step - _FINE + 1))
    return "image/jpeg", encoders.jpeg(raster, shown.step)


def _coarser(raster: Raster, step: int) -> Raster:
    """Return a picture whose colours are multiples of `step`, as a lossless format has after a loss of quality."""
    pixels = tuple((r // step * step, g // step * step, b // step * step) for r, g, b in raster.pixels)
    return replace(raster, pixels=pixels)


def moved_pictures(story: Story, origin: str) -> Story:
    """Return a story whose pictures have their addresses at `origin`; unchanged if `origin` is empty."""
    if not origin:
        return story
    blocks = tuple(
        replace(block, url=f"{origin}{urlsplit(block.url).path}")
        if isinstance(block, ImageBlock) and block.url
        else block
        for block in story.blocks
    )
    return replace(story, blocks=blocks)


def _raster(shown: ShownPicture) -> Raster:
    """Return the picture of a key: ellipses on a background, in colours that differ from picture to picture."""
    rng = seeded_rng(0, "picture", hashlib.sha256(shown.key.encode()).hexdigest())
    background = tuple(rng.randrange(256) for _ in range(3))
    shapes = [
        (rng.random(), rng.random(), rng.uniform(0.08, 0.4), tuple(rng.randrange(256) for _ in range(3)))
        for _ in range(_SHAPES)
    ]
    width, height = _WIDTH * shown.scale, _HEIGHT * shown.scale

    def colour(x: float, y: float) -> tuple[int, ...]:
        found = background
        for left, top, radius, paint in shapes:
            if ((x - left) * 1.5) ** 2 + (y - top) ** 2 < radius**2:
                found = paint
        return tuple(round(value * (0.75 + 0.25 * y)) for value in found)

    pixels = tuple(colour((x + 0.5) / width, (y + 0.5) / height) for y in range(height) for x in range(width))
    return Raster(width, height, pixels)  # type: ignore[arg-type]
