"""Pulmonary vessels: trunks from a hilar line that branch and thin outward.

Radii shrink by 0.68-0.92 per branching (Murray 1926: r³ = r1³ + r2³ gives 0.79 for equal daughters).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .frame import Frame, blur, deposit
from .patient import Patient, stream
from .soft import Chest

SAMPLES = (16, 12, 10, 8, 7, 6)  # points per piece of each generation
HILUM_SAMPLES = 26
TRUNKS = 17  # on each side
CLUSTER = 16  # short wide vessels of each hilum, of which three are arteries with a place of their own
WIDTHS = (2.6, 1.3, 0.62)  # blur in pixels of wide, middle and narrow vessels


@dataclass(frozen=True)
class Segments:
    """Bent pieces of vessels, arrays of one value per piece; x, y where it begins, cm and radians."""

    x: np.ndarray
    y: np.ndarray
    radius: np.ndarray
    length: np.ndarray
    angle: np.ndarray
    bend: np.ndarray
    side: np.ndarray  # -1 right, 1 left; x runs away from the midline on both

    def at(self, share: float) -> tuple[np.ndarray, np.ndarray]:
        """x, y of the point at `share` of the way."""
        angle, way = self.angle + np.float32(0.5 * share) * self.bend, self.length * np.float32(share)
        return self.x + way * np.cos(angle), self.y + way * np.sin(angle)


@dataclass(frozen=True)
class Points:
    """Points along vessels: column and row in pixels (2, points), radius in cm, volume in cm³."""

    places: np.ndarray
    radius: np.ndarray
    volume: np.ndarray


def draw_vessels(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Return vessel thickness in cm, (size, size) float32, only where there is lung. Introduced in lesson 01.

    Points are sorted by radius into octaves; each octave is blurred to its width together with the wider ones. Wide
    vessels lie near the hila, so most blurring happens in a small block.
    """
    points = _sample(frame, _trees(patient, chest.lungs_height))
    limits = [np.float32(0.55 * frame.px * 2**k) for k in (2.5, 1.5, 0.5)]
    image = np.zeros((frame.size, frame.size), np.float32)
    top, left, bottom, right = frame.size, frame.size, 0, 0
    wide = np.flatnonzero(points.radius > limits[-1])
    radius = points.radius[wide]
    for above, below, sigma in zip(limits, [np.inf, *limits], WIDTHS, strict=False):
        keep = wide[(radius > above) & (radius <= below)]
        if keep.size:
            rows, cols = deposit(frame, points.places[:, keep], points.volume[keep], image)
            top, left = min(top, rows.start - 8), min(left, cols.start - 8)
            bottom, right = max(bottom, rows.stop + 8), max(right, cols.stop + 8)
            block = image[max(top, 0) : bottom, max(left, 0) : right]
            block[:] = blur(block, sigma)
    thin = points.volume * (points.radius <= limits[-1])  # the splat itself blurs by about 0.4 pixels
    deposit(frame, points.places, thin, image)
    crowded = image * np.float32(0.4 / (1.1 * patient.scale))  # overlapping vessels share the depth of the hilum
    crowded += 1
    image *= np.float32(0.9 * patient.vessels)
    image /= crowded
    return image


def _trees(patient: Patient, height: float) -> list[Segments]:
    """Arteries and veins of both lungs by generation, hila first."""
    rng, s, count = stream(patient.seed, "vessels"), np.float32(patient.scale), 2 * TRUNKS
    side = np.repeat(np.float32([-1, 1]), TRUNKS)
    heights = height * np.array([0.43, 0.385]) + rng.normal(0, 0.4, 2)
    hila = [_hilum(rng, patient, x, y) for x, y in zip(patient.scale * np.array([3.1, 3.3]), heights, strict=True)]
    both = np.concatenate(hila, axis=1).astype(np.float32)
    grown = [Segments(*both, np.repeat(np.float32([-1, 1]), CLUSTER))]
    turn = np.tile(np.linspace(-80, 92, TRUNKS), 2) + rng.normal(0, 9, count)
    down = np.clip(turn / 90, -1, 1)
    x = np.repeat(s * np.array([3.1, 3.3]), TRUNKS) + rng.uniform(-0.4, 1.6, count) * s
    y = np.repeat(heights, TRUNKS) + (1.0 + 2.6 * down) * s + rng.normal(0, 0.6, count) * s
    thicker = np.maximum(down, 0)
    r = s * 0.24 * rng.uniform(0.6, 1.35, count) * (1 + 0.40 * thicker)
    length = s * rng.uniform(0.7, 2.3, count) * (1 + 0.7 * thicker)
    x, y, r, length, angle = (v.astype(np.float32) for v in (x, y, r, length, np.deg2rad(turn)))
    for generation in range(len(SAMPLES)):
        if generation:
            x, y, angle, r, length, side = _branch(grown[-1], rng)
        bend = rng.normal(0, 0.42, angle.size).astype(np.float32)
        grown.append(Segments(x, y, r, length, angle, bend, side))
    return grown


def _branch(parents: Segments, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Two daughters at the end of each vessel: x, y, angle, radius, length, side."""
    ends = (*parents.at(1), parents.angle + parents.bend, parents.radius, parents.length, parents.side)
    pairs = np.empty((len(ends), parents.x.size, 2), np.float32)
    pairs[:] = np.stack(ends)[:, :, None]
    x, y, angle, r, length, side = pairs.reshape(len(ends), -1)
    random = rng.random((3, angle.size), np.float32)
    random *= np.float32([[0.45], [0.19], [0.43]])
    random[0, ::2] *= -1
    angle += random[0]
    angle += np.tile(np.float32([-0.10, 0.10]), angle.size // 2)
    r *= random[1] + np.float32(0.68)
    length *= random[2] + np.float32(0.72)
    return x, y, angle, r, length, side


def _hilum(rng: np.random.Generator, patient: Patient, x0: float, y0: float) -> tuple[np.ndarray, ...]:
    """Hilum: a cluster of short wide vessels around the interlobar artery, which goes down and thins.

    Returns the first six fields of Segments.
    """
    s, count = patient.scale, CLUSTER - 3
    turn = np.concatenate([[68, 60, 78], rng.uniform(-75, 95, count)])
    down = np.clip(turn / 90, -1, 1)
    x = x0 + np.concatenate([[-0.2, 0.5, -0.6], rng.uniform(-1.6, 0.6, count)]) * s
    y = y0 + (0.2 + 1.6 * down) * s + rng.normal(0, 0.5, CLUSTER) * s
    y[:3] = y0 + np.array([-0.6, 1.4, 2.6]) * s
    r = s * patient.hilum**0.5 * np.concatenate([[0.46, 0.34, 0.36], rng.uniform(0.20, 0.36, count)])
    length = s * np.concatenate([[4.4, 3.6, 3.8], rng.uniform(1.6, 3.4, count)])
    angle = np.deg2rad(turn + rng.normal(0, 6, CLUSTER))
    return x, y, r, length, angle, rng.normal(0, 0.45, CLUSTER)


@lru_cache(maxsize=64)
def _layout(samples: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each point the piece that it lies on and how far along, 0 … 1; of each piece, one over its points.

    samples: points per piece of the hila and of each generation.
    """
    counts = [2 * CLUSTER, *(2 * TRUNKS * 2**generation for generation in range(len(SAMPLES)))]
    points = np.repeat(samples, counts)
    piece = np.repeat(np.arange(points.size), points)
    first = np.cumsum(points) - points
    way = (np.arange(piece.size) - first[piece]) / (points[piece] - 1)
    return piece, way.astype(np.float32), (1 / points).astype(np.float32)


def _sample(frame: Frame, trees: list[Segments]) -> Points:
    """Lay points along all pieces.

    Beginning, middle and end of each piece are moved into the image; a parabola through them is as good as the arc.
    """
    dense = max(1.0, 0.16 / frame.px)
    piece, way, share = _layout(tuple(int(count * dense) for count in (HILUM_SAMPLES, *SAMPLES)))
    whole = Segments(*(np.concatenate(parts) for parts in zip(*(vars(tree).values() for tree in trees), strict=True)))
    (middle_x, middle_y), (end_x, end_y) = whole.at(0.5), whole.at(1)
    x = np.stack([whole.x, middle_x, end_x]) * whole.side
    begin, middle, end = frame.to_pixels(x, np.stack([whole.y, middle_y, end_y])).swapaxes(0, 1)
    curve = 2 * (begin + end - 2 * middle)
    taper = np.full(share.size, 0.18, np.float32)
    taper[: 2 * CLUSTER] = 0.45
    volume = whole.length * share * np.float32(np.pi)
    values = np.concatenate([begin, end - begin - curve, curve, [whole.radius, whole.radius * taper, volume]])
    values = values.take(piece, axis=1)
    places = values[4:6]
    places *= way
    places += values[2:4]
    places *= way
    places += values[:2]
    radius, lost, volume = values[6:]
    lost *= way
    radius -= lost
    volume *= radius
    volume *= radius
    return Points(places, radius, volume)
