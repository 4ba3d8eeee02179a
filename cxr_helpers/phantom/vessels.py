"""Pulmonary vessels: trunks from a hilar line that branch and thin outward.

Radii shrink by 0.68-0.92 per branching (Murray 1926: r³ = r1³ + r2³ gives 0.79 for equal daughters).
"""

from __future__ import annotations

import numpy as np

from .frame import Frame, blur, deposit
from .patient import Patient, stream
from .soft import Chest

SAMPLES = (16, 12, 10, 8, 7, 6)  # points per segment of each generation


def draw_vessels(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Return vessel thickness in cm, (size, size) float32, only where there is lung. Introduced in lesson 01.

    Points are sorted by radius into octaves; each octave is blurred to its width together with the wider ones. Wide
    vessels lie near the hila, so most blurring happens in a small block.
    """
    x, y, r, ds = _trees(patient, chest.lungs_height, max(1.0, 0.16 / frame.px))
    places, volume = frame.to_pixels(x, y), np.float32(np.pi) * r * r * ds
    limits = [np.float32(0.55 * frame.px * 2**k) for k in (2.5, 1.5, 0.5)]
    image, low, high = np.zeros((frame.size, frame.size), np.float32), frame.size, 0
    for above, below, sigma in zip(limits, [np.inf, *limits], (2.6, 1.3, 0.62), strict=False):
        keep = np.flatnonzero((r > above) & (r <= below))
        if keep.size:
            near = places[:, keep]
            image += deposit(frame, near, volume[keep])
            low, high = np.minimum(low, near.min(1) - 8), np.maximum(high, near.max(1) + 10)
            (x0, y0), (x1, y1) = (np.clip(v, 0, frame.size).astype(int) for v in (low, high))
            image[y0:y1, x0:x1] = blur(image[y0:y1, x0:x1], sigma)
    thin = np.flatnonzero(r <= limits[-1])  # the splat itself blurs by about 0.4 pixels
    image += deposit(frame, places[:, thin], volume[thin])
    cap = np.float32(1.1 * patient.scale)  # overlapping vessels share the depth of the hilum
    return np.float32(0.9 * patient.vessels) * image / (1 + image * (np.float32(0.4) / cap))


def _trees(patient: Patient, height: float, dense: float) -> list[np.ndarray]:
    """Points x, y, radius, step (cm) of both lungs' arteries and veins; `dense` more points than at 224 pixels."""
    rng, s, count = stream(patient.seed, "vessels"), np.float32(patient.scale), 17
    side = np.repeat(np.float32([-1, 1]), count)
    hy = np.repeat(height * np.array([0.43, 0.385]) + rng.normal(0, 0.4, 2), count)
    hx = np.repeat(s * np.array([3.1, 3.3]), count)
    parts = [_hilum(rng, s, hx[::count], hy[::count], patient.hilum, dense)]
    sides = [np.repeat(np.float32([-1, 1]), parts[0][0].shape[0] // 2)]
    turn = np.tile(np.linspace(-80, 92, count), 2) + rng.normal(0, 9, 2 * count)
    down = np.clip(turn / 90, -1, 1)
    x = hx + rng.uniform(-0.4, 1.6, 2 * count) * s
    y = hy + (1.0 + 2.6 * down) * s + rng.normal(0, 0.6, 2 * count) * s
    r = s * 0.24 * rng.uniform(0.6, 1.35, 2 * count) * (1 + 0.40 * np.clip(down, 0, 1))
    length = s * rng.uniform(0.7, 2.3, 2 * count) * (1 + 0.7 * np.clip(down, 0, 1))
    x, y, r, length, angle = (v.astype(np.float32) for v in (x, y, r, length, np.deg2rad(turn)))
    for samples in SAMPLES:
        bend = rng.normal(0, 0.42, angle.size).astype(np.float32)
        parts.append(_segments(x, y, r, length, angle, bend, int(samples * dense)))
        sides.append(side)
        x, y = x + length * np.cos(angle + bend / 2), y + length * np.sin(angle + bend / 2)
        spread = rng.random((3, 2 * angle.size), np.float32) * np.float32([[0.45], [0.19], [0.43]])
        spread[0, ::2] *= -1
        spread[0] += np.tile(np.float32([-0.10, 0.10]), angle.size)
        angle = np.repeat(angle + bend, 2) + spread[0]
        r, length = np.repeat(r, 2) * (spread[1] + np.float32(0.68)), np.repeat(length, 2) * (spread[2] + 0.72)
        x, y, side = np.repeat(x, 2), np.repeat(y, 2), np.repeat(side, 2)
    x = np.concatenate([(p[0] * e[:, None]).ravel() for p, e in zip(parts, sides, strict=True)])
    return [x, *(np.concatenate([p[k].ravel() for p in parts]) for k in (1, 2, 3))]


def _segments(x, y, r, length, angle, bend, samples: int, taper: float = 0.18) -> list[np.ndarray]:
    """Points of bent tubes, arrays (tubes, samples) of x, y, radius and step length."""
    t = np.linspace(0, 1, samples, dtype=np.float32)[None, :]
    a, step = angle[:, None] + (0.5 * bend[:, None]) * t, length[:, None] * t
    radius = r[:, None] * (1 - np.float32(taper) * t)
    ds = np.broadcast_to(length[:, None] / np.float32(samples), radius.shape)
    return [x[:, None] + step * np.cos(a), y[:, None] + step * np.sin(a), radius, ds]


def _hilum(rng, s: float, hx: np.ndarray, hy: np.ndarray, size: float, dense: float) -> list[np.ndarray]:
    """Hilum: a cluster of short wide vessels around the interlobar artery, which goes down and thins; both sides."""
    count, sides = 13, []
    for x0, y0 in zip(hx, hy, strict=True):
        turn = np.concatenate([[68, 60, 78], rng.uniform(-75, 95, count)])
        down = np.clip(turn / 90, -1, 1)
        x = x0 + np.concatenate([[-0.2, 0.5, -0.6], rng.uniform(-1.6, 0.6, count)]) * s
        y = y0 + (0.2 + 1.6 * down) * s + rng.normal(0, 0.5, count + 3) * s
        y[:3] = y0 + np.array([-0.6, 1.4, 2.6]) * s
        r = s * size**0.5 * np.concatenate([[0.46, 0.34, 0.36], rng.uniform(0.20, 0.36, count)])
        length = s * np.concatenate([[4.4, 3.6, 3.8], rng.uniform(1.6, 3.4, count)])
        angle = np.deg2rad(turn + rng.normal(0, 6, count + 3))
        sides.append((x, y, r, length, angle, rng.normal(0, 0.45, count + 3)))
    values = (np.concatenate([side[k] for side in sides]).astype(np.float32) for k in range(6))
    return _segments(*values, int(26 * dense), 0.45)
