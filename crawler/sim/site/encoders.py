"""Encode pictures as PNG, GIF, WebP and JPEG with the standard library alone.

The fake site shares no library with the crawler, so that a fault of a decoder cannot hide a fault of the crawler. The
encoders do no more than small pictures need: WebP is lossless without prediction, and JPEG is baseline without subsampling.

Boundary: pixels in, bytes out.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Raster:
    """A picture: its width and height in pixels, and the pixels row by row as red, green, blue (0 to 255)."""

    width: int
    height: int
    pixels: tuple[tuple[int, int, int], ...]


def png(raster: Raster) -> bytes:
    """Return a picture as PNG."""
    rows = (raster.pixels[y * raster.width : (y + 1) * raster.width] for y in range(raster.height))
    data = b"".join(b"\0" + bytes(value for pixel in row for value in pixel) for row in rows)
    head = struct.pack(">IIBBBBB", raster.width, raster.height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(data, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(name, content) for name, content in parts)


def png_chunk(name: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def gif(raster: Raster) -> bytes:
    """Return a picture as GIF with a fixed palette of 6 x 6 x 6 colours, without compression."""
    head = b"GIF89a" + struct.pack("<HHBBB", raster.width, raster.height, 0xF7, 0, 0)
    palette = bytes(step * 51 for r in range(6) for g in range(6) for b in range(6) for step in (r, g, b)) + bytes(
        3 * 40
    )
    image = b"," + struct.pack("<HHHHB", 0, 0, raster.width, raster.height, 0)
    codes = [round(r / 51) * 36 + round(g / 51) * 6 + round(b / 51) for r, g, b in raster.pixels]
    return head + palette + image + b"\x08" + _blocks(_packed(_gif_codes(codes))) + b"\0;"


def _gif_codes(codes: Sequence[int]) -> Iterator[tuple[int, int]]:
    for place, code in enumerate(codes):
        if place % 254 == 0:  # clear the table before its codes need more bits
            yield 256, 9
        yield code, 9
    yield 257, 9


def _blocks(data: bytes) -> bytes:
    return b"".join(bytes([len(part)]) + part for part in (data[i : i + 255] for i in range(0, len(data), 255)))


def _packed(values: Iterable[tuple[int, int]]) -> bytes:
    """Return values of some bits each as bytes, lowest bit first."""
    total, size = 0, 0
    for value, bits in values:
        total |= value << size
        size += bits
    return total.to_bytes((size + 7) // 8, "little")


def webp(raster: Raster) -> bytes:
    """Return a picture as lossless WebP: each value of a colour has a code of eight bits."""
    bits: list[tuple[int, int]] = [(raster.width - 1, 14), (raster.height - 1, 14), (0, 1), (0, 3)]
    bits += [(0, 1), (0, 1), (0, 1)]  # no transform, no colour cache, one group of codes
    for symbols in (256 + 24, 256, 256):  # green with lengths of copies, red, blue
        bits += _even_code(symbols)
    bits += [(1, 1), (0, 1), (1, 1), (255, 8)]  # alpha: always 255
    bits += [(1, 1), (0, 1), (0, 1), (0, 1)]  # distances of copies: not used
    for r, g, b in raster.pixels:
        bits += [(_reversed(value), 8) for value in (g, r, b)]
    data = b"\x2f" + _packed(bits)
    data += b"\0" * (len(data) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def _even_code(symbols: int) -> Iterator[tuple[int, int]]:
    """Yield a code in which the first 256 symbols have eight bits each, and the others none."""
    order = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8)
    yield 0, 1
    yield len(order) - 4, 4
    yield from ((1 if symbol in (0, 8) else 0, 3) for symbol in order)
    yield 0, 1
    yield from ((1 if number < 256 else 0, 1) for number in range(symbols))


def _reversed(value: int) -> int:
    return int(f"{value:08b}"[::-1], 2)


# --- JPEG -----------------------------------------------------------------------------------------------------------

_ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, (i % 8 if (i // 8 + i % 8) % 2 else i // 8) * -1))
_COSINES = [[math.cos((2 * x + 1) * u * math.pi / 16) for x in range(8)] for u in range(8)]
_Bits = list[tuple[int, int]]


def jpeg(raster: Raster, step: int = 8, comment: bytes = b"") -> bytes:
    """Return a picture as JPEG; a larger quantisation `step` (1 to 255) gives a lower quality and fewer bytes.

    Each code has eight bits (four for the average of a block), so that the tables are short.
    """
    tables = bytes([0]) + bytes([step] * 64)
    frame = struct.pack(">BHHB", 8, raster.height, raster.width, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    first = bytes([0x00, 0, 0, 0, 12, *[0] * 12, *range(12)])
    rest = bytes([0x10, *[0] * 7, 162, *[0] * 8, *_symbols()])
    scan = bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])
    segments = [(0xDB, tables), (0xC0, frame), (0xC4, first), (0xC4, rest), (0xDA, scan)]
    if comment:
        segments.insert(0, (0xFE, comment))
    head = b"".join(struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in segments)
    return b"\xff\xd8" + head + _scan(raster, step) + b"\xff\xd9"


def _symbols() -> list[int]:
    """Return the symbols of the codes after the average: end, 16 zeros, and each run of zeros with each size."""
    return [0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11))]


def _scan(raster: Raster, step: int) -> bytes:
    planes = [_plane(raster, weights) for weights in _WEIGHTS]
    codes = {symbol: place for place, symbol in enumerate(_symbols())}
    bits: _Bits = []
    last = [0, 0, 0]
    for top in range(0, raster.height, 8):
        for left in range(0, raster.width, 8):
            for number, value in enumerate(planes):
                found = _coefficients(value, left, top, step)
                bits += _coded(found, found[0] - last[number], codes)
                last[number] = found[0]
    text = "".join(f"{value:0{size}b}" for value, size in bits if size)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


#: How luminance and the two colour differences follow from red, green and blue.
_WEIGHTS = ((0.299, 0.587, 0.114, -128), (-0.1687, -0.3313, 0.5, 0), (0.5, -0.4187, -0.0813, 0))


def _plane(raster: Raster, weights: tuple[float, float, float, int]) -> Callable[[int, int], float]:
    red, green, blue, base = weights
    values = [r * red + g * green + b * blue + base for r, g, b in raster.pixels]

    def value(x: int, y: int) -> float:
        return values[min(y, raster.height - 1) * raster.width + min(x, raster.width - 1)]

    return value


def _coefficients(value: Callable[[int, int], float], left: int, top: int, step: int) -> list[int]:
    """Return the quantised frequencies of a block of 8 x 8 values, in the order of a JPEG file."""
    rows = [[value(left + x, top + y) for x in range(8)] for y in range(8)]
    by_row = [[sum(row[x] * _COSINES[u][x] for x in range(8)) for u in range(8)] for row in rows]
    found = [[sum(by_row[y][u] * _COSINES[v][y] for y in range(8)) for u in range(8)] for v in range(8)]
    scale = [math.sqrt(0.5), *[1.0] * 7]
    flat = [round(found[v][u] * scale[u] * scale[v] / 4 / step) for v in range(8) for u in range(8)]
    return [max(-1023, min(1023, flat[place])) for place in _ZIGZAG]


def _coded(found: Sequence[int], difference: int, codes: dict[int, int]) -> _Bits:
    bits: _Bits = [(difference.bit_length(), 4), _signed(difference)]
    zeros = 0
    for value in found[1:]:
        if value == 0:
            zeros += 1
            continue
        bits += [(codes[0xF0], 8)] * (zeros // 16)
        bits += [(codes[zeros % 16 << 4 | value.bit_length()], 8), _signed(value)]
        zeros = 0
    return [*bits, (codes[0x00], 8)] if zeros else bits


def _signed(value: int) -> tuple[int, int]:
    size = value.bit_length()
    return (value if value >= 0 else value + (1 << size) - 1), size
