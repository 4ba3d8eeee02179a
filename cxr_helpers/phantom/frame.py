"""The pixel grid in body coordinates.

Everything analytic is evaluated at the warped body coordinates of each pixel and everything drawn
from points is moved by the inverse of the same warp, so image and masks share one geometry without
any resampling.

What is smooth in space is computed on a coarse grid and enlarged. A border is sharp, but the square
of a chord is smooth across it (it falls as 2rd and goes on below zero outside), so squares are
enlarged, and roots, limits and masks are taken at each pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .patient import Pose, stream
from .profiles import ENTRIES, Sides, table_index

COARSE = 112  # points that the coarse grid has at least along each side, where the image has them


@dataclass(frozen=True)
class Grid:
    """Body coordinates in cm of points in rows and columns, arrays of one shape."""

    x: np.ndarray
    y: np.ndarray
    ax: np.ndarray  # |x|
    left: np.ndarray  # True in the patient's left half, the viewer's right
    iy: np.ndarray  # table index of y
    ix: np.ndarray  # table index of |x|
    second: np.ndarray  # ENTRIES in the left half, 0 in the right: reads the second of two tables

    def sides(self, right: float, left: float) -> np.ndarray:
        """One value per half of the body."""
        return np.where(self.left, np.float32(left), np.float32(right))

    def by_y(self, table: np.ndarray | Sides) -> np.ndarray:
        """Read a table of y, or one per half of the body, at every point."""
        return self._read(self.iy, table)

    def by_x(self, table: np.ndarray | Sides) -> np.ndarray:
        """Read a table of |x|, or one per half of the body, at every point."""
        return self._read(self.ix, table)

    def _read(self, index: np.ndarray, table: np.ndarray | Sides) -> np.ndarray:
        if isinstance(table, Sides):
            return np.concatenate([table.right, table.left]).take(index + self.second)
        return table.take(index)


@dataclass(frozen=True)
class Warp:
    """A smooth displacement of the body by six sines; arrays (3, 2): three run down, three across.

    Their periods are 18-50 cm, so neighbouring structures move together. Two of the amplitudes have
    no use.
    """

    amplitude: np.ndarray  # cm
    frequency: np.ndarray  # radians per cm
    phase: np.ndarray  # radians

    def sines(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Three waves of v, that is down the body, and three of u, across it; arrays (3, …)."""
        shape = (3, 2, *(1,) * u.ndim)
        frequency = self.frequency.reshape(shape)
        phase = self.phase.reshape(shape)
        down = np.sin(frequency[:, 0] * v + phase[:, 0])
        across = np.sin(frequency[:, 1] * u + phase[:, 1])
        return down, across

    def displacement(self, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How far points move in x and in y, cm."""
        size = self.amplitude
        down, across = self.sines(u, v)
        dx = size[0, 0] * down[0] * across[0] + size[1, 0] * down[1]
        dy = size[1, 1] * across[1] * down[2] + size[2, 1] * across[2]
        return dx, dy


@dataclass(frozen=True)
class Frame:
    """Body coordinates of each pixel, arrays (size, size) float32 in cm, and a coarse grid."""

    size: int
    px: float  # cm from one pixel to the next
    pose: Pose
    warp: Warp
    x: np.ndarray
    y: np.ndarray
    coarse: Grid
    step: int  # pixels from one coarse point to the next; the first lies on the first pixel
    x_range: np.ndarray  # lowest and highest x of each column, (2, size), both growing
    y_range: np.ndarray  # lowest and highest y of each row, (2, size), both growing

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Columns and rows, array (2, …), of body points in cm.

        One fixed-point step undoes the warp.
        """
        x = np.asarray(x, np.float32)
        y = np.asarray(y, np.float32)
        cosine, sine = _turn(self.pose)
        u = x * cosine - y * sine
        v = x * sine + y * cosine
        dx, dy = self.warp.displacement(u, v)
        u -= dx * cosine - dy * sine
        v -= dx * sine + dy * cosine
        places = np.empty((2, *u.shape), np.float32)
        np.add(u, self.pose.field / 2 + self.pose.shift, out=places[0])
        np.add(v, self.pose.top, out=places[1])
        places *= 1 / self.px
        places -= 0.5
        return places

    def enlarge(self, values: np.ndarray) -> np.ndarray:
        """Interpolate values of the coarse grid linearly to (size, size)."""
        return enlarge(values, self.size, self.step)

    def rows(self, coarse: np.ndarray) -> slice:
        """Rows of pixels around the coarse rows that hold a True; empty if none does."""
        found = np.flatnonzero(coarse.any(1))
        if not found.size:
            return slice(0, 0)
        return slice(
            max(0, self.step * (found[0] - 1)), min(self.size, self.step * (found[-1] + 1) + 1)
        )

    def slab(
        self, near: float, far: float, top: float = -np.inf, bottom: float = np.inf
    ) -> tuple[slice, slice]:
        """Rows and columns of a block of all pixels of near ≤ x ≤ far and top ≤ y ≤ bottom (cm)."""
        return self.rows_between(top, bottom), _stretch_of(self.x_range, near, far)

    def rows_between(self, top: float, bottom: float) -> slice:
        """Rows with all pixels of top ≤ y ≤ bottom (cm)."""
        return _stretch_of(self.y_range, top, bottom)


def _stretch_of(ranges: np.ndarray, low: float, high: float) -> slice:
    """Lines whose (lowest, highest) coordinate meets low … high."""
    return slice(int(ranges[1].searchsorted(low)), int(ranges[0].searchsorted(high, "right")))


def make_frame(pose: Pose, size: int) -> Frame:
    """Lay a (size, size) grid over the field of the pose."""
    px = pose.field / size
    step = max(1, size // COARSE)
    warp = _draw_warp(stream(pose.seed, "warp"), pose.warp)
    x, y = _coordinates(pose, warp, px, np.arange(size))
    if step == 1:
        coarse = _grid(x, y)
    else:  # a row and a column more, beyond the last pixel
        coarse = _grid(*_coordinates(pose, warp, px, step * np.arange((size - 1) // step + 2)))
    return Frame(
        size=size,
        px=px,
        pose=pose,
        warp=warp,
        x=x,
        y=y,
        coarse=coarse,
        step=step,
        x_range=_range(x, px),
        y_range=_range(y.T, px),
    )


def _draw_warp(rng: np.random.Generator, size: float) -> Warp:
    return Warp(
        amplitude=(rng.uniform(0.6, 1.0, (3, 2)) * size).astype(np.float32),
        frequency=rng.uniform(0.12, 0.34, (3, 2)).astype(np.float32),
        phase=rng.uniform(0, 6.28, (3, 2)).astype(np.float32),
    )


def _grid(x: np.ndarray, y: np.ndarray) -> Grid:
    ax = np.abs(x)
    left = x > 0
    return Grid(
        x=x,
        y=y,
        ax=ax,
        left=left,
        iy=table_index(y),
        ix=table_index(ax),
        second=left * np.intp(ENTRIES),
    )


def _coordinates(
    pose: Pose, warp: Warp, px: float, pixel: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Body coordinates x, y at rows and columns in `pixel`; products of sines: rows × columns."""
    u = ((pixel + 0.5) * px - pose.field / 2 - pose.shift).astype(np.float32)
    v = ((pixel + 0.5) * px - pose.top).astype(np.float32)
    sines = warp.sines(u.astype(np.float64), v.astype(np.float64))
    # The masks depend on these sines: they are rounded, so as to be the same on every machine.
    down, across = ((np.rint(wave * 16384) / 16384).astype(np.float32) for wave in sines)
    size = warp.amplitude
    cosine, sine = _turn(pose)
    x = (size[0, 0] * down[0])[:, None] * across[0]
    x += u * cosine
    x += (v * sine + size[1, 0] * down[1])[:, None]
    y = (size[1, 1] * down[2])[:, None] * across[1]
    y += size[2, 1] * across[2] - u * sine
    y += (v * cosine)[:, None]
    return x, y


def _range(values: np.ndarray, spare: float) -> np.ndarray:
    """Lowest and highest value of each column, (2, columns), from every eighth row, with slack."""
    seen = values[::8]
    found = np.empty((2, values.shape[1]), np.float32)
    np.subtract(seen.min(0), spare, out=found[0])
    np.add(seen.max(0), spare, out=found[1])
    return found


def _turn(pose: Pose) -> tuple[np.float32, np.float32]:
    angle = np.deg2rad(pose.tilt)
    return np.float32(np.cos(angle)), np.float32(np.sin(angle))


def enlarge(values: np.ndarray, n: int, step: int) -> np.ndarray:
    """Interpolate values on a grid, `step` apart, linearly to (n, n).

    The first lies on the first pixel.
    """
    if step == 1:
        return values
    tall = np.empty((n, values.shape[1]), np.float32)
    wide = np.empty((n, n), np.float32)
    for source, target in ((values, tall), (tall.T, wide.T)):
        target[::step] = source[: len(target[::step])]
        for k in range(1, step):
            part = target[k::step]
            low, high = source * np.float32(1 - k / step), source * np.float32(k / step)
            np.add(low[: len(part)], high[1 : len(part) + 1], out=part)
    return wide
