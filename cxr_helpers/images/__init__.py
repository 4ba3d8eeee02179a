"""One file in, one grey-scale array out: PNG, JPEG, TIFF, BMP, GIF, WebP and DICOM; a clear error for anything else.

For education, never for diagnosis. Introduced in lesson 01.
"""

import hashlib
import warnings

import numpy as np

from . import _dicom, _raster
from ._errors import ImageError, ImageWarning
from ._files import (
    EXTENSIONS,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    Decoded,
    ImageInfo,
    load_bytes,
    looks_like_image,
    room,
)
from ._scale import Scale, common, oddities

__all__ = [
    "EXTENSIONS",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "ImageError",
    "ImageInfo",
    "ImageWarning",
    "Scale",
    "common",
    "describe",
    "looks_like_image",
    "read",
    "room",
]


def read(source, full_scale: float | None = None) -> np.ndarray:
    """Read one radiograph, from a path or from the bytes of a file, as float32 of shape (height, width) in [0, 1].

    Grey levels only: colour becomes luma (0.299 R + 0.587 G + 0.114 B, ITU-R BT.601), transparency is composited on
    black, EXIF orientation is applied. 8-bit files are divided by 255. Wider files often hold fewer bits than they
    have room for: the grey level that counts as white is ``full_scale`` where it is given and the file has room for it
    (the import of a set finds one for all of its files, in the column of that name), else what the header says or the
    largest grey level makes likely, with an ImageWarning. DICOM follows PS3.3 C.11: modality LUT, then VOI LUT or
    window (without one: the image's own range), then MONOCHROME1 is inverted; padding is left out of all this, and
    black.
    Raises ImageError naming the file, what is wrong and what to do. Introduced in lesson 01.
    """
    name, data = load_bytes(source)
    decoded = _decode(name, data, full_scale)
    for remark in decoded.remarks:
        warnings.warn(f"assumed in reading an image: {remark}", ImageWarning, stacklevel=2)  # once for a whole set
    grey = np.asarray(decoded.levels, dtype=np.float32)
    return grey if decoded.white == 1 else grey / decoded.white


def describe(path) -> ImageInfo:
    """Decode a file fully (so that what `read` would refuse is refused here) and return its `ImageInfo`.

    Width and height are in pixels, after EXIF orientation. Raises ImageError. Introduced in lesson 01.
    """
    name, data = load_bytes(path)
    decoded = _decode(name, data, thin=True)
    odd = oddities(decoded.levels, decoded.white, decoded.scale)
    if odd and decoded.shape is not None:  # by some of the pixels: what do all of them say?
        decoded = _decode(name, data)
        odd = oddities(decoded.levels, decoded.white, decoded.scale)
    height, width = decoded.shape or decoded.levels.shape
    return ImageInfo(
        width=width,
        height=height,
        mode=decoded.mode,
        format=decoded.format,
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        scale=decoded.scale,
        remarks=(*decoded.remarks, *odd),
    )


def _decode(name: str, data: bytes, full_scale: float | None = None, thin: bool = False) -> Decoded:
    if _dicom.is_dicom(name, data):
        return _dicom.decode(name, data, full_scale)
    return _raster.decode(name, data, full_scale, thin)
