"""A lateral chest radiograph of no patient: a plausible wrong input for a frontal classifier."""

from __future__ import annotations

import numpy as np

from .acquisition import MU_BONE, MU_SOFT
from .grain import blur, fractal
from .profiles import dome


def draw_lateral(size: int, rng: np.random.Generator) -> np.ndarray:
    """Attenuation (no unit) of a chest from the side, (size, size) float32; front to one side.

    Path lengths as in the frontal phantom: a flat trunk 24-30 cm wide, two lungs nearly on top of
    each other, heart, two domes, sternum, spine with discs, posterior ribs, raised arms.
    """
    x, y = _coordinates(size, rng)
    front = 11.0 + 0.9 * np.sin(y / 9) + rng.uniform(-0.5, 1.5) * np.clip(y / 25, 0, 1)
    back = -12.0 - 1.3 * np.sin(np.clip(y, 0, 25) / 8)
    inside = dome((front - x) / 5) * dome((x - back) / 6)
    tissue = rng.uniform(24, 30) * inside * np.clip(0.62 + 0.05 * (y + 2), 0.45, 1)
    lungs, floor = _lungs(x, y, front, back, rng)
    tissue -= 0.78 * lungs * (1 - 0.4 * _heart(x, y))
    hila = np.exp(-((x - 0.2) ** 2 + (y - 9.5) ** 2) / 3.0)  # on top of each other
    tissue += 1.6 * hila * (lungs > 0)
    tissue -= _trachea(x, y)
    for tilt in rng.uniform(-0.5, 0.3, 2):
        tissue += _raised_arm(x, y, tilt)
    bone = _spine(x, y, back, rng) + _ribs(x, y, back, floor, rng)
    bone += _sternum(x, y, front)
    side = max(size, 640)
    grain = np.resize(fractal(2.8), (side, side))[:size, :size]
    total = MU_SOFT * tissue * (1 + 0.02 * grain) + MU_BONE * bone * (inside > 0.1)
    image = blur(np.maximum(total, 0).astype(np.float32), 0.8 * size / 224)
    return image if rng.random() < 0.5 else image[:, ::-1].copy()


def _coordinates(size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Body coordinates in cm: x forward from the middle of the chest, y down from the apices."""
    field = rng.uniform(29, 35)
    angle = np.deg2rad(rng.normal(0, 3))
    step = ((np.arange(size) + 0.5) / size - 0.5).astype(np.float32) * np.float32(field)
    u = step[None, :] - np.float32(rng.normal(0, 1))
    v = step[:, None] + np.float32(field / 2 - rng.uniform(4, 8))
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return u * cosine + v * sine, v * cosine - u * sine


def _lungs(
    x: np.ndarray, y: np.ndarray, front: np.ndarray, back: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Path length of air in both lungs, and the height of the lower dome."""
    lungs = np.zeros_like(x)
    for shift in (0.0, rng.uniform(0.6, 2.0)):
        floor = rng.uniform(20, 22) + shift + 0.020 * (x - 3) ** 2 + np.clip(-x - 2, 0, 9) * 0.30
        apex = 1.0 + 0.055 * (x + 2) ** 2
        across = dome((front - 1.8 - x) / 7) * dome((x - back - 1.8) / 7)
        lungs += rng.uniform(9, 11) * across * dome((y - apex) / 6) * dome((floor - y) / 3)
    return lungs, floor


def _heart(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of its place that the heart fills: an ellipse that leans forward."""
    lean = x - 3.6 - 0.22 * (y - 14)
    return np.clip(1 - (lean / 5.6) ** 2 - ((y - 16.5) / 6.4) ** 2, 0, 1) ** 0.7


def _trachea(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Air, cm: a tube that ends at the carina."""
    chord_squared = 1 - ((x + 1.2 - 0.12 * y) / 0.8) ** 2
    return (
        1.3
        * np.sqrt(np.clip(chord_squared, 0, 1))
        * np.clip((y + 8) / 4, 0, 1)
        * np.clip((10 - y) / 3, 0, 1)
    )


def _raised_arm(x: np.ndarray, y: np.ndarray, tilt: float) -> np.ndarray:
    """Soft tissue, cm."""
    chord_squared = 1 - ((x - 2 - tilt * (y + 4)) / 5.0) ** 2
    return 5 * np.sqrt(np.clip(chord_squared, 0, 1)) * np.clip((1 - y) / 8, 0, 1)


def _sternum(x: np.ndarray, y: np.ndarray, front: np.ndarray) -> np.ndarray:
    """Bone, cm: a plate behind the skin."""
    plate = 1.3 * np.exp(-(((x - front + 1.5) / 0.4) ** 2))
    return plate * np.clip((y - 3) / 3, 0, 1) * np.clip((19 - y) / 3, 0, 1)


def _spine(x: np.ndarray, y: np.ndarray, back: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Vertebral bodies in a curved column near the back; darker below, where more lung lies."""
    height = 2.1 + 0.02 * y
    # 0 at the upper end plate, 0.86 at the lower, then the disc
    part = ((y + rng.uniform(0, 2)) / height) % 1
    body = np.clip(np.minimum(part / 0.08, (0.86 - part) / 0.08), 0, 1)
    across = dome(1 - np.abs(x - back - 4.8 - 0.6 * np.sin(y / 6)) / 1.7)
    spinous = np.exp(-(((x - back - 1.8) / 0.7) ** 2))
    return 1.9 * across * (0.65 + 0.35 * body) + 0.5 * spinous * body


def _ribs(
    x: np.ndarray, y: np.ndarray, back: np.ndarray, floor: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Ribs of both sides, falling forward from the spine."""
    spacing = 2.7
    total = np.zeros_like(x)
    start = rng.uniform(-1, 1)
    for shift in (0.0, rng.uniform(0.4, 1.2)):
        number = (y - start - shift - 0.62 * (x - back) + 0.012 * (x - back) ** 2) / spacing
        away = np.abs(number - np.rint(number)) * spacing
        rib = 0.30 * np.clip(1 - (away / 0.55) ** 2, 0, 1)
        total += rib * (number > -1) * np.clip((7 - x) / 4, 0, 1) * (x > back + 2)
    return total * np.clip((floor + 3 - y) / 3, 0.3, 1)
