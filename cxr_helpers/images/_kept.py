"""Grey levels of the last import, so that nobody who needs the same images decodes them again.

They lie in a file without a name on the disk, not in memory, and go with the process. Each is known
by the hash of its file, and counts only while a file with this hash has the size and the time of
change that it had.
"""

import os
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..paths import work_dir
from ._files import Decoded, Source

# bytes on the disk: 1,250 images of 640 x 640 of 8 bits. Of a larger set the first are kept
LIMIT = 512_000_000


@dataclass(frozen=True)
class _Place:
    """Where grey levels lie, what they are, and the full scale they were read on, where open."""

    start: int
    shape: tuple[int, ...]
    dtype: np.dtype
    white: float
    full_scale: float | None
    remarks: tuple[str, ...]


class Kept:
    """The grey levels of one import, by the SHA-256 of their files."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Begin with nothing, not even the lock and the file of another process."""
        self._lock = threading.Lock()
        self._file: Any = None  # an unbuffered file; on Windows a wrapper of one
        self._empty()

    def clear(self) -> None:
        """Forget everything, and give the space on the disk back."""
        with self._lock:
            if self._file is not None:
                self._file.close()
            self._file = None
            self._empty()

    def add(self, sha256: str, stamped: tuple[int, int] | None, decoded: Decoded) -> None:
        """Keep what was decoded from the file of this hash and stamp, if the disk has room."""
        levels = np.ascontiguousarray(decoded.levels)
        with self._lock:
            if stamped is None or (sha256 not in self._places and not self._written(levels)):
                return
            self._stamps.add((sha256, *stamped))
            if sha256 in self._places:
                return
            own = decoded.scale
            remarks = tuple(
                remark for remark in decoded.remarks if own is None or remark != own.remark
            )
            full_scale = None if own is None else own.white
            self._places[sha256] = _Place(
                self._end, levels.shape, levels.dtype, decoded.white, full_scale, remarks
            )
            self._end += levels.nbytes

    def find(self, path: Source, sha256: str, full_scale: float | None) -> Decoded | None:
        """What `images.read` would decode from this file, if it was imported and is unchanged."""
        known = (sha256, *(stamp(path) or ()))
        with self._lock:
            place = self._places.get(sha256)
            if (
                self._file is None
                or place is None
                or place.full_scale != full_scale
                or known not in self._stamps
            ):
                return None
            levels = np.empty(place.shape, place.dtype)
            self._file.seek(place.start)
            if self._file.readinto(levels.data.cast("B")) != levels.nbytes:
                return None
        return Decoded(levels, place.white, "", "", None, place.remarks)

    def _empty(self) -> None:
        self._end, self._limit = 0, LIMIT
        self._places: dict[str, _Place] = {}
        self._stamps: set[tuple[str, int, int]] = set()

    def _written(self, levels: np.ndarray) -> bool:
        """Whether there was room to write these: they save time, and nobody fails without them."""
        if not self._limit:
            return False
        try:
            if self._file is None:
                folder = work_dir()
                if not os.access(folder, os.W_OK):
                    folder = Path(tempfile.gettempdir())
                self._limit = min(LIMIT, shutil.disk_usage(folder).free // 4)
                # It stays open: it goes with this object.
                self._file = tempfile.TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115
            if self._end + levels.nbytes > self._limit:
                return False
            self._file.seek(self._end)
            return bool(self._file.write(levels.data.cast("B")) == levels.nbytes)
        except OSError:
            self._limit = 0
            return False


def stamp(path: Source) -> tuple[int, int] | None:
    """Size and time of change of a file; None where there is none."""
    try:
        status = os.stat(path)  # type: ignore[arg-type]  # of bytes and the like: no file, below
    except (OSError, ValueError, TypeError):
        return None
    return status.st_size, status.st_mtime_ns
