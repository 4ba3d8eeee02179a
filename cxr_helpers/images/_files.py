"""Which files may be opened, how large they may be, and what is known of them afterwards."""

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ._errors import EXPORT_AGAIN, SAVE_AS_PNG, ImageError
from ._scale import Scale

# A large radiograph has about 25 million pixels. Twice that is none, and would fill the memory of a
# small machine.
MAX_PIXELS = 50_000_000
MAX_SIDE = 8_000  # a strip of few pixels fills the memory once it is padded to a square
MAX_BYTES = 500_000_000
# What counts as an image when a folder is searched; what a file is, its bytes say.
EXTENSIONS = frozenset(
    [
        ".png",
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".bmp",
        ".tif",
        ".tiff",
        ".gif",
        ".webp",
        ".jp2",
        ".dcm",
        ".dicom",
    ]
)
Source = str | os.PathLike[str] | bytes | bytearray | memoryview  # a path, or what a file holds
# pixels in work at a time, over all threads: one padded square of the longest side
_ROOM = MAX_SIDE**2
_room = threading.Condition()
_taken = 0


@dataclass(frozen=True)
class ImageInfo:
    """What a file is: pixels as displayed, mode, format by its bytes, size in bytes, SHA-256.

    ``scale``: which grey level counts as white, where the header leaves that open, else None.
    ``remarks``: what was assumed in reading it, and what is odd about it.
    """

    width: int
    height: int
    mode: str
    format: str
    bytes: int
    sha256: str
    scale: Scale | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decoded:
    """Grey levels (h, w) and the white one; kind of file; its scale where open; assumptions."""

    levels: np.ndarray
    white: float
    mode: str
    format: str
    scale: Scale | None = None
    remarks: tuple[str, ...] = ()


def looks_like_image(path: str | os.PathLike[str]) -> bool:
    """Whether a file counts as an image in a search: by its extension, and not hidden.

    DICOM without extension counts by its magic word. Says nothing about whether it can be read:
    `describe` does.

    Parameters
    ----------
    path : str or path
        The file; it is opened only where it has no extension.

    Returns
    -------
    bool
        False also for what cannot be opened.

    Examples
    --------
    >>> looks_like_image("chest.PNG"), looks_like_image(".chest.png"), looks_like_image("notes.txt")
    (True, False, False)
    """
    path = Path(path)
    if path.name.startswith("."):
        return False
    suffix = path.suffix.lower()
    if suffix in EXTENSIONS:
        return True
    if suffix and not suffix[1:].isdigit():  # "1.2.840.113" is a usual name of a DICOM file
        return False
    try:
        if not path.is_file():  # to open a named pipe is to wait for ever
            return False
        with open(path, "rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def load_bytes(source: Source) -> tuple[str, bytes]:
    """Name for messages, and content."""
    if isinstance(source, bytes | bytearray | memoryview):
        name, data = "uploaded image", bytes(source)
    else:
        path, name = Path(source), str(source)
        try:
            status = path.stat()
        except (OSError, ValueError) as error:  # ValueError: a name that holds a zero
            if getattr(error, "errno", errno.ENOENT) not in (
                errno.ENOENT,
                errno.ENOTDIR,
                errno.EBADF,
                errno.ELOOP,
            ):
                raise
            raise ImageError(
                name, "does not exist", "Check the spelling and the folder you are in"
            ) from error
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(
                name, "is a folder, not a file", "Give the path of one image inside it"
            )
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(name, "is not a regular file", "Give the path of an image file")
        if status.st_size > MAX_BYTES:
            raise ImageError(name, f"is larger than {MAX_BYTES / 1e6:.0f} MB", SAVE_AS_PNG)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ImageError(
                name, f"cannot be opened ({error.strerror})", "Check the file's permissions"
            ) from error
    if not data:
        raise ImageError(name, "is empty (0 bytes)", EXPORT_AGAIN)
    return name, data


def check_size(name: str, width: int, height: int) -> None:
    """Refuse by the header, before anything is decoded."""
    if width < 1 or height < 1:
        raise ImageError(name, f"has no pixels ({width} × {height})", EXPORT_AGAIN)
    size = f"{width} × {height} pixels"
    if width * height > MAX_PIXELS:
        problem = f"claims {size}, more than the {MAX_PIXELS / 1e6:.0f} million allowed"
        raise ImageError(
            name, problem, "A radiograph is never so large: leave the file out, or save it smaller"
        )
    if max(width, height) > MAX_SIDE:
        remedy = "A radiograph is nearly square: cut it out of the picture, or leave the file out"
        raise ImageError(name, f"is {size}, a strip", remedy)


@contextlib.contextmanager
def room(pixels: int) -> Iterator[None]:
    """Wait until the threads have room for so many more pixels, and hold it: memory is bounded.

    Usual radiographs never wait; of the largest, one is in work at a time. Not to be nested.

    Parameters
    ----------
    pixels : int
        Of the image that is to be worked on; more than there is room for counts as all of it.

    Yields
    ------
    None
        Once there is room.

    Examples
    --------
    >>> with room(640 * 640):
    ...     grey = np.zeros((640, 640))
    """
    global _taken
    pixels = min(pixels, _ROOM)
    with _room:
        _room.wait_for(lambda: _taken + pixels <= _ROOM)
        _taken += pixels
    try:
        yield
    finally:
        with _room:
            _taken -= pixels
            _room.notify_all()
