"""Pictures of articles: what their bytes are, whether two of them show the same, and which of them to fetch.

Nothing here decodes a picture: `parser_process` does, because that needs a C library and the bytes may be hostile.

Boundary: pure functions and values.
"""

from crawler.pictures.formats import SHOWN, Header, PictureProblem, read_header
from crawler.pictures.hashes import HASH_GRID, hash_of, is_same_picture
from crawler.pictures.values import (
    DecodedPicture,
    KeptPictures,
    Picture,
    PictureForFetch,
    PictureOutcome,
    PicturePlace,
    Replacement,
    picture_address,
)

__all__ = [
    "HASH_GRID",
    "SHOWN",
    "DecodedPicture",
    "Header",
    "KeptPictures",
    "Picture",
    "PictureForFetch",
    "PictureOutcome",
    "PicturePlace",
    "PictureProblem",
    "Replacement",
    "hash_of",
    "is_same_picture",
    "picture_address",
    "read_header",
]
