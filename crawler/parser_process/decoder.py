"""Decode a picture with Pillow, and compute its perceptual hashes.

Pillow is an optional dependency (extra `images`) and is imported only here.

Boundary: bytes in, hashes out. `parent` decides in which process this runs.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from crawler.pictures import HASH_GRID, SHOWN, DecodedPicture, Header, hash_of
from crawler.pictures.hashes import COLOUR_GRID, SHAPES

if TYPE_CHECKING:
    from PIL import Image

_WORKING_SIZE = 256  # pixels of the shorter side after the first reduction
_REDUCIBLE = frozenset({"L", "RGB", "RGBA", "CMYK", "YCbCr", "LA", "RGBX"})
_ORIENTATION = 0x0112  # EXIF tag: how a viewer turns the picture
_SHAPE_TOLERANCE = 0.02


def decode(body: bytes, header: Header) -> DecodedPicture:
    """Return the hashes of a picture whose header has been read; without hashes if it cannot be decoded.

    Raises:
        MemoryError: there is not enough memory.

    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata, which the hash does not depend on
            small = _small(body, header)
        width, height = small.size
        own = width / height
        cut = {name: ratio for name, ratio in SHAPES.items() if abs(own / ratio - 1) > _SHAPE_TOLERANCE}
        crops = {name: _hash(small.crop(_middle(width, height, ratio))) for name, ratio in cut.items()}
        return DecodedPicture(_hash(small), crops)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - the library raises nearly any exception for damaged bytes
        return DecodedPicture()


def _small(body: bytes, header: Header) -> Image.Image:
    """Return a small copy of the first frame as a viewer shows it: turned, in RGB, on white where it is transparent."""
    from PIL import Image  # noqa: PLC0415 - optional

    with Image.open(io.BytesIO(body), formats=[SHOWN[header.media_type] or ""]) as image:
        if image.size != (header.width, header.height):
            raise ValueError("the decoder reads another size from the header")
        image.draft("RGB", (_WORKING_SIZE, _WORKING_SIZE))  # JPEG: decode at the lowest sufficient resolution
        image.load()
        turn = _turns().get(image.getexif().get(_ORIENTATION, 1))
        small = _on_white(_reduced(image))
    return small if turn is None else small.transpose(turn)


def _reduced(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    elif image.mode not in _REDUCIBLE:
        image = image.convert("RGBA")
    factor = min(image.size) // _WORKING_SIZE
    return image.reduce(factor) if factor > 1 else image


def _on_white(image: Image.Image) -> Image.Image:
    if "A" not in image.getbands():
        return image.convert("RGB")
    from PIL import Image as Images  # noqa: PLC0415 - optional

    white = Images.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _turns() -> dict[int, Image.Transpose]:
    from PIL.Image import Transpose  # noqa: PLC0415 - optional

    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }


def _middle(width: int, height: int, ratio: float) -> tuple[int, int, int, int]:
    """Return the box of the largest middle part with the shape `ratio`: left, top, right, bottom."""
    wide, high = min(width, max(1, round(height * ratio))), min(height, max(1, round(width / ratio)))
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high


def _hash(image: Image.Image) -> str:
    from PIL.Image import Resampling  # noqa: PLC0415 - optional

    grey = image.convert("L").resize(HASH_GRID, Resampling.BOX)
    colours = image.resize(COLOUR_GRID, Resampling.BOX)
    return hash_of(grey.tobytes(), colours.tobytes())
