"""The perceptual hash of a picture, and whether two pictures show the same.

The hash has one bit for each pair of neighbours in a grid of grey values: whether the right one is clearly lighter. So
another size, format or quality changes few bits. A coarse grid of colours distinguishes what the grey values do not: a
red area from a blue one, or a white one from a black one.

The site cuts one picture to several shapes (dossier section 7). So a picture also has a hash of its middle in each usual
shape, with which a picture of that shape is compared.

Boundary: pixel values in, texts and decisions out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise

from crawler.pictures.values import Picture

HASH_GRID = 17, 16  # columns and rows of grey values
COLOUR_GRID = 4, 4
#: The usual shapes of pictures, as width divided by height.
SHAPES: Mapping[str, float] = {"1:1": 1.0, "4:3": 4 / 3, "3:2": 3 / 2, "16:9": 16 / 9}

_VERSION = "1"
_CLEARLY = 3  # grey levels of 256; the noise of compression is smaller after the reduction to the grid
_MOST_BITS = 28  # of 256 that differ between two copies of one picture
_MOST_COLOUR = 1.6  # mean difference of the colours, in steps of 16 levels
_MOST_AREA = 3.0  # the same for the area of the colour grid that differs most
_SAME_SHAPE = 0.03  # relative difference of two shapes that count as the same


def hash_of(grey: bytes, colours: bytes) -> str:
    """Return the hash of a picture: a version, the bits of its grey values and its colours, in hexadecimal digits.

    `grey` has the grey values of `HASH_GRID` row by row, and `colours` red, green and blue of each area of `COLOUR_GRID`.
    """
    columns, rows = HASH_GRID
    bits = 0
    for row in range(rows):
        for left, right in pairwise(grey[row * columns : (row + 1) * columns]):
            bits = bits << 1 | (right > left + _CLEARLY)
    return f"{_VERSION}:{bits:064x}:{''.join(f'{value >> 4:x}' for value in colours)}"


def is_same_picture(one: Picture, other: Picture) -> bool | None:
    """Whether two pictures show the same; None if one of them has no hash, so that this cannot be known."""
    if one.digest == other.digest:
        return True
    if one.phash is None or other.phash is None:
        return None
    pairs = [(one.phash, other.phash), *_cut(one, other), *_cut(other, one)]
    return any(_is_near(first, second) for first, second in pairs)


def _cut(whole: Picture, part: Picture) -> Iterable[tuple[str, str]]:
    """Yield the hash of the middle of `whole` in the shape of `part`, with the hash of `part`."""
    if part.width and part.height and part.phash is not None:
        shape = part.width / part.height
        for name, ratio in SHAPES.items():
            if name in whole.crops and abs(shape / ratio - 1) <= _SAME_SHAPE:
                yield whole.crops[name], part.phash


def _is_near(one: str, other: str) -> bool:
    (version, bits, colours), (other_version, other_bits, other_colours) = one.split(":"), other.split(":")
    if version != other_version or (int(bits, 16) ^ int(other_bits, 16)).bit_count() > _MOST_BITS:
        return False
    steps = [abs(int(a, 16) - int(b, 16)) for a, b in zip(colours, other_colours, strict=True)]
    areas = [sum(steps[place : place + 3]) / 3 for place in range(0, len(steps), 3)]
    return sum(areas) / len(areas) <= _MOST_COLOUR and max(areas) <= _MOST_AREA
