"""Pulmonary vessels: trunks from a hilar line that branch and thin outward.

Radii shrink by 0.68-0.92 per branching (Murray 1926: r³ = r1³ + r2³ gives 0.79 for equal daughters).
"""

from __future__ import annotations

import numpy as np

from .frame import Frame, blur, deposit
from .patient import Patient, stream
from .soft import Chest

SAMPLES = (18, 14, 11, 9, 7, 6)  # points per segment of each generation


def draw_vessels(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Return vessel thickness in cm, (size, size) float32, only where there is lung. Introduced in lesson 01."""
    points = [_tree(patient, chest.lungs_height, sign) for sign in (-1, 1)]
    x, y, r, ds = (np.concatenate([p[k] for p in points]) for k in range(4))
    image = np.zeros((frame.size, frame.size), np.float32)
    scale = np.clip(np.log2(np.maximum(r / frame.px, 1e-3) / 0.55), 0, 3)
    nearest = np.rint(scale).astype(np.intp)
    places, volume = frame.to_pixels(x, y), np.pi * r * r * ds
    for level, sigma in enumerate((0.45, 0.75, 1.5, 3.0)):
        keep = nearest == level
        if keep.any():
            image += blur(deposit(frame, places[:, keep], volume[keep]), sigma)
    return 0.8 * image * patient.vessels


def _tree(patient: Patient, height: float, sign: int) -> list[np.ndarray]:
    """Points x, y, radius, step (cm) of one lung's arteries and veins."""
    rng, s = stream(patient.seed, "vessels", sign + 1), patient.scale
    hy = height * (0.405 if sign > 0 else 0.45) + rng.normal(0, 0.3)
    hx = s * (3.5 if sign > 0 else 3.7)
    main = _main(rng, s, hx, hy, height, patient.hilum, sign)
    count = 15
    turn = np.linspace(-78, 88, count) + rng.normal(0, 6, count)
    x = hx + rng.uniform(-0.3, 0.6, count) * s
    y = hy + np.linspace(-1.6, 3.4, count) * s + rng.normal(0, 0.3, count)
    r = s * 0.24 * rng.uniform(0.75, 1.3, count) * (1 + 0.35 * np.clip(turn / 90, 0, 1))
    length = s * rng.uniform(0.8, 2.0, count) * (1 + 0.6 * np.clip(turn / 90, 0, 1))
    angle, parts = np.deg2rad(turn), [main]
    for samples in SAMPLES:
        bend = rng.normal(0, 0.38, angle.size)
        parts.append(_segments(x, y, r, length, angle, bend, samples))
        x, y = x + length * np.cos(angle + bend / 2), y + length * np.sin(angle + bend / 2)
        angle = np.repeat(angle + bend, 2) + np.tile([-1, 1], angle.size) * rng.uniform(0.12, 0.55, 2 * angle.size)
        r = np.repeat(r, 2) * rng.uniform(0.66, 0.90, 2 * r.size)
        length = np.repeat(length, 2) * rng.uniform(0.65, 1.10, 2 * length.size)
        x, y = np.repeat(x, 2), np.repeat(y, 2)
    x, y, r, ds = (np.concatenate([np.ravel(p[k]) for p in parts]) for k in range(4))
    return [(sign * x).astype(np.float32), y.astype(np.float32), r.astype(np.float32), ds.astype(np.float32)]


def _segments(x, y, r, length, angle, bend, samples=40) -> list[np.ndarray]:
    t = np.linspace(0, 1, samples)[None, :]
    a = angle[:, None] + bend[:, None] * t / 2
    step = length[:, None] * t
    radius = r[:, None] * (1 - 0.18 * t)
    ds = np.broadcast_to(length[:, None] / samples, radius.shape)
    return [x[:, None] + step * np.cos(a), y[:, None] + step * np.sin(a), radius, ds]


def _main(rng, s: float, hx: float, hy: float, height: float, hilum: float, sign: int) -> list[np.ndarray]:
    """Hilum: the interlobar artery going down, the upper-lobe vessels, and the superior pulmonary vein."""
    lines = [
        (hx - 0.9 * s, hy - 0.9 * s, 5.8 * s, 72, -14, 0.62),
        (hx - 1.2 * s, hy + 0.2 * s, 3.6 * s, -62, 18, 0.40),
        (hx - 1.0 * s, hy + 0.9 * s, 4.5 * s, 42, 24, 0.36),
        (hx - 1.6 * s, hy + 2.4 * s, 5.6 * s, 58, 22, 0.38),
        (hx - 1.6 * s, hy - 0.4 * s, 2.6 * s, 8, 20, 0.60),
        (hx - 0.8 * s, hy + 0.1 * s, 4.2 * s, 18, 25, 0.27),
    ]
    v = np.asarray(lines) + rng.normal(0, 1, (len(lines), 6)) * [0.15, 0.2, 0.4, 5, 6, 0.03]
    return _segments(v[:, 0], v[:, 1], v[:, 5] * s * hilum**0.5, v[:, 2], np.deg2rad(v[:, 3]), np.deg2rad(v[:, 4]))
