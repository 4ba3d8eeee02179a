"""Curves as tables: what changes down the body, or across it, is tabulated once.

Each pixel reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import ndimage, sparse

STEP = 0.05  # cm between the entries of a profile table
ORIGIN = -20.0  # cm, first entry
ENTRIES = 1500
AXIS = (ORIGIN + STEP * np.arange(ENTRIES)).astype(np.float32)


@dataclass(frozen=True)
class Sides:
    """A profile table for each half of the body."""

    right: np.ndarray
    left: np.ndarray


def table_index(values: np.ndarray) -> np.ndarray:
    """Entries of a profile table that belong to coordinates in cm."""
    places = values * np.float32(1 / STEP)
    places -= np.float32(ORIGIN / STEP)
    return places.clip(0, ENTRIES - 1, out=places).astype(np.intp)


def profile(points: Sequence[tuple[float, float]] | np.ndarray, smooth: float = 0.0) -> np.ndarray:
    """Tabulate a curve through points (place, value), places in cm and growing.

    The curve is straight from point to point and level beyond the first and the last; it is
    smoothed twice by a box of `smooth` cm.
    """
    places, values = np.asarray(points, np.float64).T
    curve = np.interp(AXIS, places, values).astype(np.float32)
    if smooth:
        width = max(1, round(smooth / STEP))
        once = np.empty_like(curve)
        ndimage.uniform_filter1d(curve, width, output=once)
        ndimage.uniform_filter1d(once, width, output=curve)
    return curve


def wobble(rng: np.random.Generator, size: float, wavelength: float) -> np.ndarray:
    """Tabulate an irregular line of standard deviation `size` cm: a drawn border looks grown."""
    woven = _weave(wavelength)
    return woven @ rng.normal(0, size * 1.4, woven.shape[1]).astype(np.float32)


@lru_cache(maxsize=16)
def _weave(wavelength: float) -> sparse.csr_matrix:
    """Smooth line through equally spaced points as a matrix, (entries, points), for everyone."""
    count = int(90 / wavelength) + 4
    places = -32 + wavelength * np.arange(count)
    lines = [profile(np.column_stack([places, one]), wavelength * 0.7) for one in np.eye(count)]
    return sparse.csr_matrix(np.stack(lines, axis=1))


def dome(t: np.ndarray) -> np.ndarray:
    """Chord of a rounded body at relative depth t from its border: sqrt(1 - (1 - t)²).

    It is 0 outside, 1 beyond t = 1.
    """
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
