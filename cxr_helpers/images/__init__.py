"""One file in, one grey-scale array out: PNG, JPEG, TIFF, BMP, GIF, WebP and DICOM.

Anything else is a clear error.

For education, never for diagnosis.
"""

import os
import warnings

import numpy as np

from .. import files
from . import _dicom, _raster
from ._errors import ImageError, ImageWarning
from ._files import (
    EXTENSIONS,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    Decoded,
    ImageInfo,
    Source,
    load_bytes,
    looks_like_image,
    room,
)
from ._kept import Kept
from ._kept import stamp as stamped
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
    "forget",
    "looks_like_image",
    "read",
    "recall",
    "room",
]


def read(source: Source, full_scale: float | None = None, sha256: str | None = None) -> np.ndarray:
    """Read one radiograph from a path or bytes: float32 of shape (height, width) in [0, 1].

    Grey levels only: colour becomes luma (0.299 R + 0.587 G + 0.114 B, ITU-R BT.601), transparency
    is composited on black, EXIF orientation is applied. 8-bit files are divided by 255. Wider files
    often hold fewer bits than they have room for: the grey level that counts as white is
    ``full_scale`` where it is given and the file has room for it (the import of a set finds one for
    all of its files, in the column of that name), else what the header says or the largest grey
    level makes likely, with an ImageWarning. DICOM follows PS3.3 C.11: modality LUT, then VOI LUT
    or window (without one: the image's own range), then MONOCHROME1 is inverted; padding is left
    out of all this, and black.

    Parameters
    ----------
    source : str, path or bytes
        A file, or what one holds.
    full_scale : float, optional
        The grey level that counts as white, for files that leave it open.
    sha256 : str, optional
        Hash that the file must have, for a row of a manifest; what its import has decoded is taken
        from there (see `recall`).

    Returns
    -------
    ndarray
        float32 (height, width), 0 black to 1 white, rows from the top.

    Raises
    ------
    ImageError
        Names the file, what is wrong and what to do.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> grey = np.array([[0, 51], [204, 255]], np.uint8)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "chest.png")
    ...     Image.fromarray(grey).save(path)
    ...     read(path)
    array([[0. , 0.2],
           [0.8, 1. ]], dtype=float32)
    >>> read("no-such.png")
    Traceback (most recent call last):
    cxr_helpers.images._errors.ImageError: no-such.png: does not exist. Check the spelling and the
    folder you are in.
    """
    if sha256 is not None and (found := _LAST.find(source, sha256, full_scale)):
        return _grey(found)
    name, data = load_bytes(source)
    if sha256 is not None and (other := files.sha256(data)) != sha256:
        problem = (
            f"is not the file that the table describes (SHA-256 {other[:8]}... instead of "
            f"{sha256[:8]}...)"
        )
        raise ImageError(name, problem, "Import its folder again")
    return _grey(_decode(name, data, full_scale))


def recall(
    path: str | os.PathLike[str], sha256: str, full_scale: float | None = None
) -> np.ndarray | None:
    """What `read` would give for a file of the last import, without opening it; else None.

    It is not for a file of another hash, or whose size or time of change is another since, for
    another full scale, or where the set has more than 512 MB of grey levels: the first of them are
    kept, on the disk.

    Parameters
    ----------
    path : str or path
        The file.
    sha256 : str
        Its hash, from the manifest.
    full_scale : float, optional
        As for `read`.

    Returns
    -------
    ndarray or None
        float32 (height, width), 0 black to 1 white.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "chest.png")
    ...     Image.fromarray(np.array([[0, 51], [204, 255]], np.uint8)).save(path)
    ...     info = describe(path, keep=True)
    ...     np.array_equal(recall(path, info.sha256), read(path)), recall(path, "0" * 64)
    (True, None)
    >>> forget()
    """
    found = _LAST.find(path, sha256, full_scale)
    return None if found is None else _grey(found)


def describe(path: str | os.PathLike[str], keep: bool = False) -> ImageInfo:
    """Decode a file fully and return its `ImageInfo`; what `read` refuses is refused here too.

    Parameters
    ----------
    path : str or path
        The file.
    keep : bool
        Have its grey levels at hand for `recall`.

    Returns
    -------
    ImageInfo
        Width and height are in pixels, after EXIF orientation.

    Raises
    ------
    ImageError
        Names the file, what is wrong and what to do.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "chest.jpg")  # whatever its name says
    ...     Image.new("L", (40, 30)).save(path, "PNG")
    ...     info = describe(path)
    >>> info.width, info.height, info.format, info.remarks
    (40, 30, 'PNG', ('one grey level only (black)',))
    """
    stamp = stamped(path) if keep else None
    name, data = load_bytes(path)
    decoded = _decode(name, data)
    height, width = decoded.levels.shape
    sha256 = files.sha256(data)
    if keep:
        _LAST.add(sha256, stamp, decoded)
    return ImageInfo(
        width=width,
        height=height,
        mode=decoded.mode,
        format=decoded.format,
        bytes=len(data),
        sha256=sha256,
        scale=decoded.scale,
        remarks=(*decoded.remarks, *oddities(decoded.levels, decoded.white, decoded.scale)),
    )


def forget() -> None:
    """Let go of what `describe` has kept: before another import.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "chest.png")
    ...     Image.new("L", (40, 30)).save(path)
    ...     info = describe(path, keep=True)
    ...     before = recall(path, info.sha256)
    ...     forget()
    ...     before.shape, recall(path, info.sha256)
    ((30, 40), None)
    """
    _LAST.clear()


def _decode(name: str, data: bytes, full_scale: float | None = None) -> Decoded:
    if _dicom.is_dicom(name, data):
        return _dicom.decode(name, data, full_scale)
    return _raster.decode(name, data, full_scale)


def _grey(decoded: Decoded) -> np.ndarray:
    for remark in decoded.remarks:
        # once for a whole set
        warnings.warn(f"assumed in reading an image: {remark}", ImageWarning, stacklevel=3)
    grey = np.asarray(decoded.levels, dtype=np.float32)
    return grey if decoded.white == 1 else grey / decoded.white


_LAST = Kept()  # what the last import has decoded
# the file is the parent's; the lock may be held by one of its threads
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_LAST.start)
