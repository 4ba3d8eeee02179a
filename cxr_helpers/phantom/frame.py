"""The pixel grid in body coordinates, and the tools that put matter on it.

Everything analytic is evaluated at the warped body coordinates of each pixel and everything drawn from points is moved
by the inverse of the same warp, so image and masks share one geometry without any resampling.

What is smooth in space is computed on a coarse grid and enlarged. A border is sharp, but the square of a chord is
smooth across it (it falls as 2rd and goes on below zero outside), so squares are enlarged, and roots, limits and masks
are taken at each pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage, sparse

from .patient import Pose, stream

STEP = 0.05  # cm between the entries of a profile table
ORIGIN = -20.0  # cm, first entry
ENTRIES = 1500
SPAN = 1.15  # half-heights that the cross-section of a ribbon reaches
AXIS = (ORIGIN + STEP * np.arange(ENTRIES)).astype(np.float32)
COARSE = 112  # points that the coarse grid has at least along each side, where the image has them


@dataclass(frozen=True)
class Grid:
    """Body coordinates in cm of points in rows and columns, arrays of one shape. Introduced in lesson 01."""

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

    def by_y(self, right: np.ndarray, left: np.ndarray | None = None) -> np.ndarray:
        """Read a table of y, or one per half of the body, at every point."""
        return self._read(self.iy, right, left)

    def by_x(self, right: np.ndarray, left: np.ndarray | None = None) -> np.ndarray:
        """Read a table of |x|, or one per half of the body, at every point."""
        return self._read(self.ix, right, left)

    def _read(self, index: np.ndarray, right: np.ndarray, left: np.ndarray | None) -> np.ndarray:
        if left is None:
            return right.take(index)
        return np.concatenate([right, left]).take(index + self.second)


@dataclass(frozen=True)
class Frame:
    """Body coordinates of each pixel, arrays (size, size) float32 in cm, and a coarse grid. Introduced in lesson 01."""

    size: int
    px: float
    pose: Pose
    waves: np.ndarray
    x: np.ndarray
    y: np.ndarray
    coarse: Grid
    step: int  # pixels from one coarse point to the next; the first lies on the first pixel
    x_range: np.ndarray  # lowest and highest x of each column, (2, size), both growing
    y_range: np.ndarray  # lowest and highest y of each row, (2, size), both growing

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return columns and rows, array (2, …), of body points in cm; one fixed-point step undoes the warp."""
        x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
        c, s = _turn(self.pose)
        u, v = x * c - y * s, x * s + y * c
        dx, dy = _displacement(self.waves, u, v)
        u -= dx * c - dy * s
        v -= dx * s + dy * c
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
        return slice(max(0, self.step * (found[0] - 1)), min(self.size, self.step * (found[-1] + 1) + 1))

    def slab(self, near: float, far: float, top: float = -np.inf, bottom: float = np.inf) -> tuple[slice, slice]:
        """Rows and columns of a block with all pixels of near ≤ x ≤ far and top ≤ y ≤ bottom (cm)."""
        return self.rows_between(top, bottom), _stretch_of(self.x_range, near, far)

    def rows_between(self, top: float, bottom: float) -> slice:
        """Rows with all pixels of top ≤ y ≤ bottom (cm)."""
        return _stretch_of(self.y_range, top, bottom)


def _stretch_of(ranges: np.ndarray, low: float, high: float) -> slice:
    """Lines whose (lowest, highest) coordinate meets low … high."""
    return slice(int(ranges[1].searchsorted(low)), int(ranges[0].searchsorted(high, "right")))


def make_frame(pose: Pose, size: int) -> Frame:
    """Lay a (size, size) grid over the field of the pose. Introduced in lesson 01."""
    px, step = pose.field / size, max(1, size // COARSE)
    rng = stream(pose.seed, "warp")
    waves = np.stack([rng.uniform(0.6, 1.0, 6) * pose.warp, rng.uniform(0.12, 0.34, 6), rng.uniform(0, 6.28, 6)])
    waves = waves.astype(np.float32)
    x, y = _coordinates(pose, waves, px, np.arange(size))
    coarse = x, y
    if step > 1:  # a row and a column more, beyond the last pixel
        coarse = _coordinates(pose, waves, px, step * np.arange((size - 1) // step + 2))
    ax = np.abs(coarse[0])
    left = coarse[0] > 0
    grid = Grid(*coarse, ax, left, table_index(coarse[1]), table_index(ax), left * np.intp(ENTRIES))
    return Frame(size, px, pose, waves, x, y, grid, step, _range(x, px), _range(y.T, px))


def _coordinates(pose: Pose, waves: np.ndarray, px: float, pixel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Body coordinates x, y at all rows and columns in `pixel`; the products of sines stand in rows times columns."""
    u = ((pixel + 0.5) * px - pose.field / 2 - pose.shift).astype(np.float32)
    v = ((pixel + 0.5) * px - pose.top).astype(np.float32)
    sines = _sines(waves, u.astype(np.float64), v.astype(np.float64))
    # The masks depend on these sines: they are rounded, so as to be the same on every machine.
    down, across = ((np.rint(wave * 16384) / 16384).astype(np.float32) for wave in sines)
    a, (c, s) = waves[0], _turn(pose)
    x = (a[0] * down[0])[:, None] * across[0]
    x += u * c
    x += (v * s + a[2] * down[1])[:, None]
    y = (a[3] * down[2])[:, None] * across[1]
    y += a[5] * across[2] - u * s
    y += (v * c)[:, None]
    return x, y


def _range(values: np.ndarray, spare: float) -> np.ndarray:
    """Lowest and highest value of each column, (2, columns), seen on every eighth row, with something to spare."""
    seen = values[::8]
    found = np.empty((2, values.shape[1]), np.float32)
    np.subtract(seen.min(0), spare, out=found[0])
    np.add(seen.max(0), spare, out=found[1])
    return found


def _turn(pose: Pose) -> tuple[np.float32, np.float32]:
    angle = np.deg2rad(pose.tilt)
    return np.float32(np.cos(angle)), np.float32(np.sin(angle))


def _sines(waves: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Three waves of v, that is down the body, and three of u, across it; arrays (3, …)."""
    _, k, p = waves.reshape(3, 3, 2, *(1,) * u.ndim)
    return np.sin(k[:, 0] * v + p[:, 0]), np.sin(k[:, 1] * u + p[:, 1])


def _displacement(waves: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smooth displacement as products of sines; periods 18-50 cm, so neighbouring structures move together."""
    a, (down, across) = waves[0], _sines(waves, u, v)
    return a[0] * down[0] * across[0] + a[2] * down[1], a[3] * across[1] * down[2] + a[5] * across[2]


def enlarge(values: np.ndarray, n: int, step: int) -> np.ndarray:
    """Interpolate values on a grid, `step` apart, linearly to (n, n); the first lies on the first pixel."""
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


def table_index(values: np.ndarray) -> np.ndarray:
    """Entries of a profile table that belong to coordinates in cm."""
    places = values * np.float32(1 / STEP)
    places -= np.float32(ORIGIN / STEP)
    return places.clip(0, ENTRIES - 1, out=places).astype(np.intp)


def profile(knots: list, values: list, smooth: float = 0.0) -> np.ndarray:
    """Tabulate a curve through (knots, values) over the axis in cm, smoothed twice by a box of `smooth` cm."""
    curve = np.interp(AXIS, knots, values).astype(np.float32)
    if smooth:
        width, once = max(1, round(smooth / STEP)), np.empty_like(curve)
        ndimage.uniform_filter1d(curve, width, output=once)
        ndimage.uniform_filter1d(once, width, output=curve)
    return curve


def wobble(rng: np.random.Generator, size: float, wavelength: float) -> np.ndarray:
    """Tabulate an irregular line of standard deviation `size` cm: what makes a drawn border look grown."""
    woven = _weave(wavelength)
    return woven @ rng.normal(0, size * 1.4, woven.shape[1]).astype(np.float32)


@lru_cache(maxsize=16)
def _weave(wavelength: float) -> sparse.csr_matrix:
    """Smooth line through equally spaced points as a matrix, (entries, points); it is the same for every patient."""
    count = int(90 / wavelength) + 4
    knots = -32 + wavelength * np.arange(count)
    return sparse.csr_matrix(np.stack([profile(knots, one, wavelength * 0.7) for one in np.eye(count)], axis=1))


def dome(t: np.ndarray) -> np.ndarray:
    """Chord of a rounded body at relative depth t from its border: sqrt(1 - (1 - t)²), 0 outside, 1 beyond t = 1."""
    t = t.clip(0, 1)
    t *= 2 - t
    return np.sqrt(t, out=t)


def rounded(t: np.ndarray) -> np.ndarray:
    """Square of `dome`, but going on below zero outside, for the coarse grid."""
    t = t.clip(-1, 1)
    t *= 2 - t
    return t


def signed_product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Product that is below zero where either factor is: the square of a chord with two borders."""
    product = a * b
    return np.copysign(product, np.minimum(a, b), out=product)


def splat(frame: Frame, x: np.ndarray, y: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Put `volume` (cm³ per point) at body points, shared bilinearly; returns thickness in cm, (size, size) float32."""
    thickness = np.zeros((frame.size, frame.size), np.float32)
    volume = np.broadcast_to(np.asarray(volume, np.float32), np.shape(x))
    deposit(frame, frame.to_pixels(np.ravel(x), np.ravel(y)), np.ravel(volume), thickness)
    return thickness


def deposit(frame: Frame, places: np.ndarray, volume: np.ndarray, thickness: np.ndarray) -> tuple[slice, slice]:
    """Do the work of `splat` for places (2, points), columns and rows in pixels; adds to `thickness` in place.

    Returns the rows and columns of the block that the points reach.
    """
    n = frame.size
    # What lies outside the image is gathered on a margin, which is cut off.
    places = places.clip(-1, n)
    x, y = low = np.floor(places)
    fx, fy = places - low
    left, top, right, bottom = int(x.min()), int(y.min()), int(x.max()) + 2, int(y.max()) + 2
    wide, tall = right - left, bottom - top
    corner = (y * np.float32(wide) + (x - np.float32(top * wide + left))).astype(np.intp)
    weight = volume * np.float32(1 / frame.px**2)
    parts = np.empty((4, corner.size), np.float32)
    lower = weight * fy
    weight -= lower
    np.multiply(fx, weight, out=parts[1])
    np.multiply(fx, lower, out=parts[3])
    np.subtract(weight, parts[1], out=parts[0])
    np.subtract(lower, parts[3], out=parts[2])
    corners = corner + np.array([[0], [1], [wide], [wide + 1]])
    block = np.bincount(corners.ravel(), parts.ravel(), minlength=wide * tall).reshape(tall, wide)
    rows, cols = slice(max(top, 0), min(bottom, n)), slice(max(left, 0), min(right, n))
    block = block[rows.start - top : rows.stop - top, cols.start - left : cols.stop - left]
    thickness[rows, cols] += block.astype(np.float32)
    return rows, cols


@dataclass(frozen=True)
class Tubes:
    """Points along roughly horizontal tubes, float32 arrays of one shape. Introduced in lesson 01."""

    x: np.ndarray  # cm
    y: np.ndarray
    half: np.ndarray  # half the height of the column that a point fills, cm
    mass: np.ndarray  # thickness × length of the point's segment, cm²


def ribbon(frame: Frame, tubes: Tubes, shape: np.ndarray) -> tuple[slice, np.ndarray]:
    """Draw tubes: each point fills a column of height ±half with a cross-section `shape`.

    shape: table over v = -SPAN … SPAN (relative height). Returns the rows that are reached and the thickness in cm
    there, transposed: (size, rows) float32, so that the pixels of one point lie side by side in memory.
    """
    n = frame.size
    col, row = frame.to_pixels(tubes.x.ravel(), tubes.y.ravel())
    per_cm = np.float32(1 / frame.px)
    half, mass = tubes.half.ravel() * per_cm, tubes.mass.ravel() * per_cm
    reach = int(np.ceil(half.max() * SPAN)) + 1
    keep = np.flatnonzero((col > 0) & (col < n - 1) & (row > -reach) & (row < n + reach) & (mass > 0))
    if not keep.size:
        return slice(0, 0), np.zeros((n, 0), np.float32)
    col, row, half, mass = col[keep], row[keep], half[keep], mass[keep]
    j, i = np.floor(col), np.rint(row)
    top, bottom = int(i.min()) - reach, int(i.max()) + reach + 1
    tall, bins = bottom - top, len(shape) - 1
    offset = np.arange(-reach, reach + 1)
    slope = np.float32(bins / (2 * SPAN)) / half
    v = offset.astype(np.float32) * slope[:, None]
    v += ((i - row) * slope + np.float32(bins / 2 + 0.5))[:, None]
    v.clip(0, bins, out=v)
    value = shape.take(v.astype(np.intp))
    place = ((j * tall + (i - top)).astype(np.intp)[:, None] + offset).ravel()
    right = (col - j) * mass
    grid = np.bincount(place, (value * (mass - right)[:, None]).ravel(), minlength=n * tall)
    grid[tall:] += np.bincount(place, (value * right[:, None]).ravel(), minlength=n * tall)[:-tall]
    rows = slice(max(top, 0), min(bottom, n))
    return rows, grid.reshape(n, tall)[:, rows.start - top : rows.stop - top].astype(np.float32)


@lru_cache(maxsize=8)
def fractal(exponent: float, seed: int = 1, side: int = 640) -> np.ndarray:
    """Periodic random field of unit variance whose power falls as f^-exponent, (side, side); quantised to 1/4096.

    Quantising hides the last-bit differences that Fourier transforms have between machines.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    f[0, 0] = 1
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) * f ** (-exponent / 2)
    spectrum[f < 3 / side] = 0
    field = np.fft.irfft2(spectrum, s=(side, side))
    field = np.rint(field / field.std() * 4096) / 4096
    return field.astype(np.float32)


@lru_cache(maxsize=8)
def _turned(exponent: float) -> np.ndarray:
    """The fractal field with rows and columns exchanged, side by side in memory as the other is."""
    return np.ascontiguousarray(fractal(exponent).T)


def texture(rng: np.random.Generator, size: int, exponent: float) -> np.ndarray:
    """Cut a random (size, size) piece out of the fractal field of that exponent."""
    field = _turned(exponent) if rng.random() < 0.5 else fractal(exponent)
    room = field.shape[0] - size
    if room > 0:
        i, j = rng.integers(0, room, 2)
        return field[i : i + size, j : j + size]
    i, j = rng.integers(0, field.shape[0], 2)
    rows, cols = (np.arange(size) + i) % field.shape[0], (np.arange(size) + j) % field.shape[1]
    return field[rows[:, None], cols[None, :]]


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur by `sigma` pixels, edges repeated; small kernels as sums of shifted images, which is faster."""
    radius = int(2.5 * sigma + 0.5)
    if sigma <= 0.2:
        return image
    if radius > 4:
        return ndimage.gaussian_filter(image, sigma, mode="nearest", truncate=2.5)
    kernel = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    kernel = kernel / (kernel.sum() * 2 - 1)
    return smooth(smooth(image, kernel, 0), kernel, 1)


def smooth(image: np.ndarray, kernel: np.ndarray, axis: int) -> np.ndarray:
    """Convolve along an axis with a symmetric kernel, given from its centre outwards; edges repeated."""
    parts = _shifted(image, len(kernel) - 1, axis)
    radius = len(kernel) - 1
    total = parts[radius] * np.float32(kernel[0])
    for k in range(1, radius + 1):
        pair = parts[radius - k] + parts[radius + k]
        pair *= np.float32(kernel[k])
        total += pair
    return total


def mean(image: np.ndarray, width: int, axis: int) -> np.ndarray:
    """Mean over an odd number of neighbours along an axis; edges repeated."""
    first, second, *others = _shifted(image, width // 2, axis)
    total = first + second
    for part in others:
        total += part
    total *= 1 / width
    return total


def _shifted(image: np.ndarray, radius: int, axis: int) -> list[np.ndarray]:
    """The image moved by -radius … radius along an axis, as views; edges repeated."""
    n = image.shape[axis]
    ends = (image[:1], image[-1:]) if axis == 0 else (image[:, :1], image[:, -1:])
    wide = np.concatenate([*ends[:1] * radius, image, *ends[1:] * radius], axis=axis)
    return [wide[k : k + n] if axis == 0 else wide[:, k : k + n] for k in range(2 * radius + 1)]
