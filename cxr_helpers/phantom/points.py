"""Matter drawn from points: vessels, wires, bones, moved into the image by its inverse warp."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .frame import Frame

SPAN = 1.15  # half-heights that the cross-section of a ribbon reaches


def splat(frame: Frame, x: np.ndarray, y: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Put `volume` (cm³ per point) at body points, shared bilinearly.

    Returns thickness in cm, (size, size) float32.
    """
    thickness = np.zeros((frame.size, frame.size), np.float32)
    volume = np.broadcast_to(np.asarray(volume, np.float32), np.shape(x))
    deposit(frame, frame.to_pixels(np.ravel(x), np.ravel(y)), np.ravel(volume), thickness)
    return thickness


def deposit(
    frame: Frame, places: np.ndarray, volume: np.ndarray, thickness: np.ndarray
) -> tuple[slice, slice]:
    """Do the work of `splat` for places (2, points), columns and rows in pixels.

    It adds to `thickness` in place.

    Returns the rows and columns of the block that the points reach.
    """
    n = frame.size
    # What lies outside the image is gathered on a margin, which is cut off.
    places = places.clip(-1, n)
    low = np.floor(places)
    column, row = low
    share_right, share_below = places - low
    left, right = int(column.min()), int(column.max()) + 2
    top, bottom = int(row.min()), int(row.max()) + 2
    wide, tall = right - left, bottom - top
    # Each point is shared among four pixels: upper left, upper right, lower left, lower right.
    upper = volume * np.float32(1 / frame.px**2)
    lower = upper * share_below
    upper -= lower
    parts = np.empty((4, column.size), np.float32)
    np.multiply(share_right, upper, out=parts[1])
    np.multiply(share_right, lower, out=parts[3])
    np.subtract(upper, parts[1], out=parts[0])
    np.subtract(lower, parts[3], out=parts[2])
    first = (row * np.float32(wide) + (column - np.float32(top * wide + left))).astype(np.intp)
    pixels = first + np.array([[0], [1], [wide], [wide + 1]])
    block = np.bincount(pixels.ravel(), parts.ravel(), minlength=wide * tall).reshape(tall, wide)
    rows, cols = slice(max(top, 0), min(bottom, n)), slice(max(left, 0), min(right, n))
    block = block[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left]
    thickness[rows, cols] += block.astype(np.float32)
    return rows, cols


@dataclass(frozen=True)
class Tubes:
    """Points along roughly horizontal tubes, float32 arrays of one shape."""

    x: np.ndarray  # cm
    y: np.ndarray
    half: np.ndarray  # half the height of the column that a point fills, cm
    mass: np.ndarray  # thickness × length of the point's segment, cm²


HEIGHTS = np.linspace(-SPAN, SPAN, 93)  # entries of a cross-section, in half-heights


def tube(inner: float, core: float, skew: float = 0.0) -> np.ndarray:
    """Cross-section of a bone for `ribbon`: the chord of a tube.

    Its rim is dense outside `inner`, its core spongy.

    inner: radius of the core against the bone's; core: its density against the rim's; skew: how far
    it lies off the middle.
    """
    chord = np.sqrt(np.clip(1 - HEIGHTS**2, 0, 1))
    hollow = np.sqrt(np.clip(1 - ((HEIGHTS - skew) / inner) ** 2, 0, 1)) * inner
    shape = chord - (1 - core) * hollow
    kernel = np.hanning(13)[1:-1]
    return np.convolve(shape, kernel / kernel.sum(), "same").astype(np.float32)


def ribbon(frame: Frame, tubes: Tubes, shape: np.ndarray) -> tuple[slice, np.ndarray]:
    """Draw tubes: each point fills a column of height ±half with a cross-section `shape`.

    shape: table over v = -SPAN … SPAN (relative height). Returns the rows that are reached and the
    thickness in cm there, transposed: (size, rows) float32, so that the pixels of one point lie
    side by side in memory.
    """
    n = frame.size
    column, row = frame.to_pixels(tubes.x.ravel(), tubes.y.ravel())
    per_cm = np.float32(1 / frame.px)
    half = tubes.half.ravel() * per_cm
    mass = tubes.mass.ravel() * per_cm
    # pixels above and below a point that its column may fill
    reach = int(np.ceil(half.max() * SPAN)) + 1
    seen = (column > 0) & (column < n - 1) & (row > -reach) & (row < n + reach)
    keep = np.flatnonzero(seen & (mass > 0))
    if not keep.size:
        return slice(0, 0), np.zeros((n, 0), np.float32)
    column, row, half, mass = column[keep], row[keep], half[keep], mass[keep]
    left_column = np.floor(column)
    middle_row = np.rint(row)
    top, bottom = int(middle_row.min()) - reach, int(middle_row.max()) + reach + 1
    tall = bottom - top
    # The cross-section at each pixel of each column: (points, pixels).
    offset = np.arange(-reach, reach + 1)
    bins = len(shape) - 1
    bins_per_pixel = np.float32(bins / (2 * SPAN)) / half
    entry = offset.astype(np.float32) * bins_per_pixel[:, None]
    entry += ((middle_row - row) * bins_per_pixel + np.float32(bins / 2 + 0.5))[:, None]
    entry.clip(0, bins, out=entry)
    section = shape.take(entry.astype(np.intp))
    # Each point is shared between the pixels left and right of it.
    place = ((left_column * tall + (middle_row - top)).astype(np.intp)[:, None] + offset).ravel()
    to_right = (column - left_column) * mass
    to_left = mass - to_right
    grid = np.bincount(place, (section * to_left[:, None]).ravel(), minlength=n * tall)
    grid[tall:] += np.bincount(place, (section * to_right[:, None]).ravel(), minlength=n * tall)[
        :-tall
    ]
    rows = slice(max(top, 0), min(bottom, n))
    return rows, grid.reshape(n, tall)[:, rows.start - top : rows.stop - top].astype(np.float32)
