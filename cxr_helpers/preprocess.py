"""From a grey-scale image of any shape to a square of uint8 grey levels, and their cache on disk.

One function, `prepare`, serves training, scoring and a single uploaded image, so that they
cannot differ.
"""

import contextlib
import errno
import json
import os
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from . import files, images, manifest
from .console import bar
from .paths import cache_dir
from .rows import remember

FITS = ("pad", "crop", "squash")
CONTRASTS = (None, "equalize", "clahe")
VERSION = (
    # part of every cache's key: raise it when `prepare` changes what it returns, or a checksum is
    # made otherwise
    2
)


def pad_to_square(image: np.ndarray, value: float = 0.0) -> np.ndarray:
    """The image (h, w) in the middle of a square of side max(h, w), the rest filled with `value`.

    Nothing is lost or distorted.

    Parameters
    ----------
    image : ndarray
        (h, w), any type.
    value : float
        Grey level of the rest.

    Returns
    -------
    ndarray
        (side, side), in the type of the image.

    Examples
    --------
    >>> pad_to_square(np.ones((1, 3), int)).tolist()
    [[0, 0, 0], [1, 1, 1], [0, 0, 0]]
    """
    side = max(image.shape)
    top, left = ((side - length) // 2 for length in image.shape)
    square = np.full((side, side), value, image.dtype)
    square[top : top + image.shape[0], left : left + image.shape[1]] = image
    return square


def centre_crop(image: np.ndarray) -> np.ndarray:
    """The central square of side min(h, w) of an image (h, w).

    Parameters
    ----------
    image : ndarray
        (h, w), any type.

    Returns
    -------
    ndarray
        (side, side), a view.

    Examples
    --------
    >>> centre_crop(np.array([[1, 2, 3, 4], [5, 6, 7, 8]])).tolist()
    [[2, 3], [6, 7]]
    """
    side = min(image.shape)
    top, left = ((length - side) // 2 for length in image.shape)
    return image[top : top + side, left : left + side]


def crop_border(image: np.ndarray, fraction: float) -> np.ndarray:
    """The image (h, w) without `fraction` (0 to below 0.5) of its height and width on each side.

    Parameters
    ----------
    image : ndarray
        (h, w), any type.
    fraction : float
        Share of each side's length that is cut, in [0, 0.5).

    Returns
    -------
    ndarray
        A view.

    Raises
    ------
    ValueError
        For another fraction.

    Examples
    --------
    >>> crop_border(np.zeros((100, 80)), 0.1).shape
    (80, 64)
    """
    if not 0 <= fraction < 0.5:
        raise ValueError(f"fraction to crop must lie in [0, 0.5), not {fraction}")
    rows, columns = (round(length * fraction) for length in image.shape)
    return image[rows : image.shape[0] - rows, columns : image.shape[1] - columns]


def resize(image: np.ndarray, size: int) -> np.ndarray:
    """The image (h, w) as a square of `size` pixels, aspect *not* kept: float32.

    Interpolation is bicubic and anti-aliased.

    Parameters
    ----------
    image : ndarray
        (h, w), any range.
    size : int
        Side in pixels.

    Returns
    -------
    ndarray
        float32 (size, size); values may overshoot the input's range by a little at sharp edges.

    Examples
    --------
    >>> small = resize(np.full((30, 20), 0.5), 10)
    >>> small.shape, float(small.mean())
    ((10, 10), 0.5)
    """
    from PIL import Image

    return np.asarray(
        Image.fromarray(np.asarray(image, np.float32)).resize(
            (size, size), Image.Resampling.BICUBIC
        )
    )


def prepare(
    image: np.ndarray, size: int = 224, fit: str = "pad", contrast: str | None = None
) -> np.ndarray:
    """One image as the networks see it: uint8 grey levels 0-255, (size, size).

    Parameters
    ----------
    image : ndarray
        float (h, w) in [0, 1], as `images.read` returns it.
    size : int
        Side in pixels.
    fit : str
        How it becomes square: `pad` with black, `crop` the centre, or `squash` the aspect.
    contrast : str, optional
        `equalize` (histogram equalisation) or `clahe` (the same in local tiles with limited slope,
        Zuiderveld 1994); by default unchanged.

    Returns
    -------
    ndarray
        uint8 (size, size).

    Raises
    ------
    ValueError
        For another setting, shape or range.

    Examples
    --------
    >>> strip = np.ones((1, 3))
    >>> prepare(strip, 3, "pad").tolist(), int(prepare(strip, 3, "squash").min())
    ([[0, 0, 0], [255, 255, 255], [0, 0, 0]], 255)
    """
    _check(image, fit, contrast)
    ways: dict[str, Callable[..., np.ndarray]] = {
        "pad": pad_to_square,
        "crop": centre_crop,
        "squash": np.asarray,
    }
    squared = ways[fit]
    with images.room(max(image.shape) ** 2):  # the square of a strip is far larger than the strip
        grey = np.clip(resize(squared(image), size), 0, 1)
    if contrast is not None:
        from skimage import exposure

        grey = (
            exposure.equalize_hist(grey)
            if contrast == "equalize"
            else exposure.equalize_adapthist(grey)
        )
    return np.round(grey * 255).astype(np.uint8)


def _check(image: np.ndarray, fit: str, contrast: str | None) -> None:
    if fit not in FITS or contrast not in CONTRASTS:
        raise ValueError(
            f"fit must be one of {FITS} and contrast one of {CONTRASTS}, not {fit!r} and "
            f"{contrast!r}"
        )
    if image.ndim != 2:
        raise ValueError(
            f"image must be two-dimensional (h, w), not of shape {image.shape}; use images.read"
        )
    if image.size == 0 or image.min() < 0 or image.max() > 1:
        raise ValueError(
            "image must hold grey levels in [0, 1], as images.read gives them: divide 0-255 by 255 "
            "first"
        )


def cache(
    table: pd.DataFrame,
    size: int = 224,
    fit: str = "pad",
    contrast: str | None = None,
    folder: str | Path | None = None,
    progress: bool = True,
) -> np.ndarray:
    """All images of a manifest, prepared once and kept on disk: uint8 (n, size, size).

    Row i belongs to row i of the table. The cache is keyed by the files' hashes in row order
    and by the settings; so make it for the whole table, then select rows with the `split`
    column. What pairs a table with these images, or with copies of them, refuses a table in
    another order. An interrupted run goes on where it stopped; two processes do not disturb each
    other. Each image has a checksum of its pixels and of its file's hash: what is damaged, or
    belongs to another image, is made again, with a warning.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    size, fit, contrast : int, str, str
        As in `prepare`.
    folder : path-like, optional
        Where caches lie, by default `data/cache/` of the project.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    ndarray
        uint8 (n, size, size), memory-mapped and read only.

    Raises
    ------
    ImageError
        For a file that cannot be read or is no longer the one whose hash the table holds.
    ValueError
        For another setting, or an empty table.
    PermissionError
        Where the cache is not made yet and its folder cannot be written.
    OSError
        Where the disk is full (the space is reserved before the first image is read).
    """
    _check(np.zeros((1, 1)), fit, contrast)
    if table.empty:
        raise ValueError("the table holds no images; look at the rejects of its import")
    settings = {
        "version": VERSION,
        "size": size,
        "fit": fit,
        "contrast": contrast,
        "images": manifest.digest(table),
    }
    if "full_scale" in table.columns:  # the same file is another picture on another scale
        settings["full_scale"] = manifest.scales(table)
    key = files.sha256(json.dumps(settings, sort_keys=True).encode())[:16]
    place = Path(folder or cache_dir()) / f"{size}-{fit}-{contrast or 'plain'}-{key}"
    pixels = _finished(place, settings, table)  # it needs no lock: its folder may be read-only
    if pixels is None:
        pixels = _make(table, place, settings, progress)
    remember(table, pixels)
    return pixels


def _finished(place: Path, settings: dict, table: pd.DataFrame) -> np.memmap | None:
    """The finished cache of a manifest, read only, if whole and of this table and settings."""
    try:
        pixels = np.lib.format.open_memmap(place / "images.npy", mode="r")
        sums = np.lib.format.open_memmap(place / "sums.npy", mode="r")
        same = json.loads((place / "settings.json").read_text()) == settings
    except (OSError, ValueError):  # absent, cut off, or something else under its name
        return None
    fits = _holds(pixels, np.uint8, (len(table), settings["size"], settings["size"]))
    fits = fits and _holds(sums, np.uint64, (len(table),))
    return pixels if same and fits and _intact(pixels, sums, table["sha256"]).all() else None


def _make(table: pd.DataFrame, place: Path, settings: dict, progress: bool) -> np.memmap:
    """Make the cache, or mend it, unless another process finishes it while this one waits."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with files.one_at_a_time(f"{place}.lock"):
            pixels = _finished(place, settings, table)
            if pixels is None:
                _fill(table, place, settings, progress)
                pixels = np.lib.format.open_memmap(place / "images.npy", mode="r")
            return pixels
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            needed = f"{len(table) * settings['size'] ** 2 / 1e6:,.0f} MB"
            remedy = (
                "make room, set CXR_WORK_DIR to a folder on another disk, or choose a smaller size"
            )
            raise OSError(
                error.errno,
                f"the disk is full: the cache needs {needed} in {place.parent}: {remedy}",
            ) from error
        denied = isinstance(error, PermissionError) or error.errno == errno.EROFS
        if not denied and not isinstance(
            error, FileExistsError | IsADirectoryError | NotADirectoryError
        ):
            raise
        remedy = "set CXR_WORK_DIR to a folder of your own, or pass folder="
        kind = PermissionError if denied else type(error)
        raise kind(f"the cache cannot be made in {place.parent} ({error}): {remedy}") from error


def _fill(table: pd.DataFrame, place: Path, settings: dict, progress: bool) -> None:
    """Prepare what is not done yet in a partial folder, then give that folder its final name."""
    if (place / "sums.npy").exists():  # older caches have none
        warnings.warn(
            f"the cache {place} is damaged: what is wrong in it is made again", stacklevel=4
        )
    with files.whole_folder(place, unfinished=place.with_name(place.name + ".partial")) as partial:
        _prepare_all(table, partial, settings, progress)
        table[["image_id", "sha256"]].to_csv(partial / "rows.csv", index=False)
        (partial / "settings.json").write_text(json.dumps(settings, indent=1) + "\n")


def _prepare_all(table: pd.DataFrame, partial: Path, settings: dict, progress: bool) -> None:
    """Fill `images.npy`, keeping in `sums.npy` the checksum of what is finished."""
    size, fit, contrast = settings["size"], settings["fit"], settings["contrast"]
    paths, hashes = (table[column].to_numpy() for column in ("path", "sha256"))
    scales = manifest.scales(table)
    pixels = _open(partial / "images.npy", np.uint8, (len(paths), size, size))
    sums = _open(partial / "sums.npy", np.uint64, (len(paths),))

    def one(row: int) -> None:
        pixels[row] = prepare(
            images.read(paths[row], scales[row], hashes[row]), size, fit, contrast
        )
        sums[row] = _checksum(pixels[row], hashes[row])

    todo = np.flatnonzero(~_intact(pixels, sums, hashes))
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for _ in bar(
            pool.map(one, todo), show=progress, total=len(todo), desc="cache", unit="image"
        ):
            pass
    pixels.flush()
    sums.flush()


def _checksum(pixels: np.ndarray, sha256: str) -> int:
    """Checksum of an image, made from the file of this hash; never 0, which stands for none yet."""
    return zlib.crc32(pixels.data, zlib.crc32(sha256.encode())) + 1


def _intact(pixels: np.ndarray, sums: np.ndarray, hashes) -> np.ndarray:
    """Which images (n,) are as written: not cut off by a crash, changed or exchanged on disk."""
    rows = zip(pixels, sums, hashes, strict=True)
    return np.array(
        [bool(known) and known == _checksum(image, sha256) for image, known, sha256 in rows]
    )


def _holds(array: np.ndarray, dtype: type, shape: tuple) -> bool:
    return array.shape == shape and array.dtype == dtype and array.flags.c_contiguous


def _open(path: Path, dtype: type, shape: tuple) -> np.memmap:
    """The array file as it stands when it is whole and has this shape, else a new one of zeros."""
    if path.is_file():
        with contextlib.suppress(ValueError):  # cut off while it was being made
            array = np.lib.format.open_memmap(path, mode="r+")
            if _holds(array, dtype, shape):
                return array
            del array  # Windows cuts off no file that is open, and removes none
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    try:
        _reserve(path, array.offset)
    except OSError:
        del array
        path.unlink()
        raise
    return array


def _reserve(path: Path, offset: int, chunk: int = 2**24) -> None:
    """Reserve space on disk for an array of zeros: a full disk later ends the process (SIGBUS)."""
    size = path.stat().st_size
    with open(path, "r+b") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
            return
        file.seek(offset)
        for start in range(offset, size, chunk):
            file.write(bytes(min(chunk, size - start)))
