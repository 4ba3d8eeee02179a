"""Random fields for what is grainy, and the filters that soften them; all on pixels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import ndimage


@lru_cache(maxsize=8)
def fractal(exponent: float, seed: int = 1, side: int = 640) -> np.ndarray:
    """Periodic random field of unit variance whose power falls as f^-exponent, (side, side).

    Its values are quantised to 1/4096.

    Quantising hides the last-bit differences that Fourier transforms have between machines.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(rng.standard_normal((side, side))) * frequency ** (-exponent / 2)
    spectrum[frequency < 3 / side] = 0
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
    side = field.shape[0]
    room = side - size
    if room > 0:
        top, left = rng.integers(0, room, 2)
        return field[top : top + size, left : left + size]
    top, left = rng.integers(0, side, 2)
    rows = (np.arange(size) + top) % side
    columns = (np.arange(size) + left) % side
    return field[rows[:, None], columns[None, :]]


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur by `sigma` pixels, edges repeated; small kernels by shifts, which is faster."""
    radius = int(2.5 * sigma + 0.5)
    if sigma <= 0.2:
        return image
    if radius > 4:
        return ndimage.gaussian_filter(image, sigma, mode="nearest", truncate=2.5)
    kernel = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2)
    kernel = kernel / (kernel.sum() * 2 - 1)
    return smooth(smooth(image, kernel, 0), kernel, 1)


def smooth(image: np.ndarray, kernel: np.ndarray, axis: int) -> np.ndarray:
    """Convolve along an axis with a symmetric kernel, given from its centre; edges repeated."""
    radius = len(kernel) - 1
    parts = _shifted(image, radius, axis)
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
    if axis == 0:
        first, last = image[:1], image[-1:]
    else:
        first, last = image[:, :1], image[:, -1:]
    wide = np.concatenate([*[first] * radius, image, *[last] * radius], axis=axis)
    return [wide[k : k + n] if axis == 0 else wide[:, k : k + n] for k in range(2 * radius + 1)]
