"""The pixel grid in body coordinates, and the tools that put matter on it.

Everything analytic is evaluated at the warped body coordinates of each pixel and everything drawn from points is moved
by the inverse of the same warp, so image and masks share one geometry without any resampling.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage

from .patient import Pose, stream

STEP = 0.05  # cm between the entries of a profile table
ORIGIN = -32.0  # cm, first entry
ENTRIES = 1800
SPAN = 1.15  # half-heights that the cross-section of a ribbon reaches
AXIS = (ORIGIN + STEP * np.arange(ENTRIES)).astype(np.float32)


@dataclass(frozen=True)
class Frame:
    """Body coordinates of each pixel: arrays (size, size) float32 in cm. Introduced in lesson 01."""

    size: int
    px: float
    pose: Pose
    waves: np.ndarray
    x: np.ndarray
    y: np.ndarray
    ax: np.ndarray  # |x|
    left: np.ndarray  # True in the patient's left half, the viewer's right
    iy: np.ndarray  # table index of y
    ix: np.ndarray  # table index of |x|

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return columns and rows, array (2, …), of body points in cm; one fixed-point step undoes the warp."""
        x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
        angle = np.deg2rad(self.pose.tilt)
        c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        u, v = x * c - y * s, x * s + y * c
        dx, dy = _displace(self.waves, u, v)
        x, y = x - dx, y - dy
        u, v = x * c - y * s, x * s + y * c
        half = self.pose.field / 2
        return np.stack([(u + half + self.pose.shift) / self.px - 0.5, (v + self.pose.top) / self.px - 0.5])

    def sides(self, right: float, left: float) -> np.ndarray:
        """Array (size, size) float32 with one value per half of the body."""
        return np.where(self.left, np.float32(left), np.float32(right))

    def box(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """Rows and columns within `reach` cm of a body point, cut to the image."""
        col, row = self.to_pixels(np.float32(x), np.float32(y))
        r = reach / self.px + 2
        low, high = np.clip([row - r, col - r], 0, self.size), np.clip([row + r + 1, col + r + 1], 0, self.size)
        return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))

    def slab(self, near: float, far: float, top: float, bottom: float) -> tuple[slice, slice]:
        """Rows and columns of a small block with all pixels of near ≤ x ≤ far and top ≤ y ≤ bottom (cm)."""
        step, more = 4, 4 * self.px  # looked up on every fourth pixel, with that much to spare
        x, y = self.x[::step, ::step], self.y[::step, ::step]
        keep = (x >= near - more) & (x <= far + more) & (y >= top - more) & (y <= bottom + more)
        rows, cols = np.flatnonzero(keep.any(1)), np.flatnonzero(keep.any(0))
        if not rows.size:
            return slice(0, 0), slice(0, 0)
        return slice(step * rows[0], step * (rows[-1] + 1)), slice(step * cols[0], step * (cols[-1] + 1))


def make_frame(pose: Pose, size: int) -> Frame:
    """Lay a (size, size) grid over the field of the pose. Introduced in lesson 01."""
    px = pose.field / size
    rng = stream(pose.seed, "warp")
    waves = np.stack([rng.uniform(0.6, 1.0, 6) * pose.warp, rng.uniform(0.12, 0.34, 6), rng.uniform(0, 6.28, 6)])
    u = ((np.arange(size) + 0.5) * px - pose.field / 2 - pose.shift).astype(np.float32)[None, :]
    v = ((np.arange(size) + 0.5) * px - pose.top).astype(np.float32)[:, None]
    angle = np.deg2rad(pose.tilt)
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    dx, dy = _displace(waves, u, v)
    x = (u * c + v * s + dx).astype(np.float32)
    y = (v * c - u * s + dy).astype(np.float32)
    ax = np.abs(x)
    return Frame(size, px, pose, waves, x, y, ax, x > 0, _index(y), _index(ax))


def _displace(waves: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smooth displacement as products of sines; periods 18-50 cm, so neighbouring structures move together."""
    a, k, p = waves.astype(np.float32)
    if u.shape != v.shape:  # a grid, on which the masks depend: sines rounded, the same on every machine
        u, v = u.astype(np.float64), v.astype(np.float64)
    wave = [np.sin(k[i] * t + p[i]) for i, t in enumerate((v, u, v, u, v, u))]
    if u.shape != v.shape:
        wave = [(np.rint(w * 16384) / 16384).astype(np.float32) for w in wave]
    return a[0] * wave[0] * wave[1] + a[2] * wave[2], a[3] * wave[3] * wave[4] + a[5] * wave[5]


def _index(values: np.ndarray) -> np.ndarray:
    return np.clip((values - ORIGIN) * (1 / STEP), 0, ENTRIES - 1).astype(np.intp)


def profile(knots: list, values: list, smooth: float = 0.0) -> np.ndarray:
    """Tabulate a curve through (knots, values) over the axis in cm, smoothed twice by a box of `smooth` cm."""
    curve = np.interp(AXIS, np.asarray(knots, float), np.asarray(values, float)).astype(np.float32)
    if smooth:
        width = max(1, round(smooth / STEP))
        curve = ndimage.uniform_filter1d(ndimage.uniform_filter1d(curve, width), width)
    return curve


def wobble(rng: np.random.Generator, size: float, wavelength: float) -> np.ndarray:
    """Tabulate an irregular line of standard deviation `size` cm: what makes a drawn border look grown."""
    count = int(ENTRIES * STEP / wavelength) + 4
    knots = ORIGIN + wavelength * np.arange(count)
    return profile(knots, rng.normal(0, size * 1.4, count), wavelength * 0.7)


def dome(t: np.ndarray) -> np.ndarray:
    """Chord of a rounded body at relative depth t from its border: sqrt(1 - (1 - t)²), 0 outside, 1 beyond t = 1."""
    t = np.clip(t, 0, 1)
    t *= 2 - t
    return np.sqrt(t, out=t)


def splat(frame: Frame, x: np.ndarray, y: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Put `volume` (cm³ per point) at body points, shared bilinearly; returns thickness in cm, (size, size) float32."""
    volume = np.broadcast_to(np.asarray(volume, np.float32), np.shape(x))
    return deposit(frame, frame.to_pixels(np.ravel(x), np.ravel(y)), np.ravel(volume))


def deposit(frame: Frame, places: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Do the work of `splat` for places (2, points), columns and rows in pixels."""
    n, (col, row) = frame.size, places
    keep = np.flatnonzero((col > -1) & (col < n) & (row > -1) & (row < n))
    col, row, weight = col[keep] + 1, row[keep] + 1, volume[keep] / np.float32(frame.px**2)
    x, y = np.floor(col), np.floor(row)
    fx, fy = col - x, row - y
    m = n + 2
    base = (y * m + x).astype(np.intp)
    low, high = weight * (1 - fy), weight * fy
    right, low_right = fx * high, fx * low
    grid = np.zeros(m * m)
    for step, part in ((0, low - low_right), (1, low_right), (m, high - right), (m + 1, right)):
        grid[step:] += np.bincount(base, part, minlength=m * m)[: m * m - step]
    return grid.reshape(m, m)[1:-1, 1:-1].astype(np.float32)


def ribbon(
    frame: Frame, x: np.ndarray, y: np.ndarray, half: np.ndarray, mass: np.ndarray, shape: np.ndarray
) -> np.ndarray:
    """Draw roughly horizontal tubes: each point fills a column of height ±half (cm) with a cross-section `shape`.

    x, y, half, mass: arrays of points; mass = thickness × length of the point's segment (cm²); shape: table over
    v = -SPAN … SPAN (relative height). Returns thickness in cm, (size, size) float32.
    """
    n = frame.size
    col, row = frame.to_pixels(np.ravel(x), np.ravel(y)).astype(np.float32)
    half, mass = np.ravel(half).astype(np.float32) / frame.px, np.ravel(mass).astype(np.float32) / frame.px
    keep = (col > 0) & (col < n - 1) & (row > -20) & (row < n + 20) & (mass > 0)
    col, row, half, mass = col[keep], row[keep], half[keep], mass[keep]
    if not col.size:
        return np.zeros((n, n), np.float32)
    reach = int(np.ceil(half.max() * SPAN)) + 1
    j, i = col.astype(np.intp), np.rint(row).astype(np.intp)
    pad, bins = reach + 21, len(shape) - 1
    tall = n + 2 * pad
    offset = np.arange(-reach, reach + 1)
    slope = np.float32(bins / (2 * SPAN)) / half
    v = offset.astype(np.float32)[None, :] * slope[:, None]
    v += ((i - row) * slope + np.float32(bins / 2 + 0.5)).astype(np.float32)[:, None]
    np.clip(v, 0, bins, out=v)
    value = shape[v.astype(np.intp)]
    # Column-major, so that the pixels of one point lie side by side in memory.
    base = (offset[None, :] + (j * tall + i + pad)[:, None]).ravel()
    f = (col - j) * mass
    grid = np.bincount(base, (value * (mass - f)[:, None]).ravel(), minlength=n * tall)
    grid[tall:] += np.bincount(base, (value * f[:, None]).ravel(), minlength=n * tall)[:-tall]
    return np.ascontiguousarray(grid.reshape(n, tall).T[pad : pad + n], np.float32)


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


def texture(rng: np.random.Generator, size: int, exponent: float) -> np.ndarray:
    """Cut a random (size, size) piece out of the fractal field of that exponent."""
    field = fractal(exponent)
    if rng.random() < 0.5:
        field = field.T
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
    kernel = (kernel / (kernel.sum() * 2 - 1)).astype(np.float32)
    for axis in (0, 1):
        n = image.shape[axis]
        wide = np.pad(image, [(radius, radius) if k == axis else (0, 0) for k in (0, 1)], mode="edge")
        parts = [wide[k : k + n] if axis == 0 else wide[:, k : k + n] for k in range(2 * radius + 1)]
        image = kernel[0] * parts[radius]
        for k in range(1, radius + 1):
            image += kernel[k] * (parts[radius - k] + parts[radius + k])
    return image
