"""Pulmonary vessels: trunks from a hilar line that branch and thin outward.

Radii shrink by 0.68-0.92 per branching (Murray 1926: r³ = r1³ + r2³ gives 0.79 for equal
daughters).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np

from .frame import Frame
from .grain import blur
from .patient import Patient, stream
from .points import deposit
from .soft import Chest

SAMPLES = (16, 12, 10, 8, 7, 6)  # points per segment of each generation
HILUM_SAMPLES = 26
TRUNKS = 17  # on each side
# short wide vessels of each hilum, of which three are arteries with a place of their own
CLUSTER = 16
HILA_X = np.array([3.1, 3.3])  # right, left: cm from the midline in an adult
HILA_Y = np.array([0.43, 0.385])  # fractions of the height of the lungs: the left one stands higher
WIDTHS = (2.6, 1.3, 0.62)  # blur in pixels of wide, middle and narrow vessels


@dataclass(frozen=True)
class Segments:
    """Bent pieces of vessels, float32, one value per segment; x, y: where it begins.

    Lengths in cm, angles in radians.
    """

    x: np.ndarray  # away from the midline on both sides
    y: np.ndarray
    radius: np.ndarray
    length: np.ndarray
    angle: np.ndarray  # 0 outward, growing downward
    bend: np.ndarray  # what the angle grows by to the end
    side: np.ndarray  # -1 right, 1 left

    def at(self, share: float) -> tuple[np.ndarray, np.ndarray]:
        """x, y of the point at `share` of the way."""
        angle = self.angle + np.float32(0.5 * share) * self.bend
        way = self.length * np.float32(share)
        return self.x + way * np.cos(angle), self.y + way * np.sin(angle)


@dataclass(frozen=True)
class Points:
    """Points along vessels: column and row in pixels (2, points), radius in cm, volume in cm³."""

    places: np.ndarray
    radius: np.ndarray
    volume: np.ndarray


def draw_vessels(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Vessel thickness in cm, (size, size) float32, only where there is lung.

    Points are sorted by radius into octaves; each octave is blurred to its width together with the
    wider ones. Wide vessels lie near the hila, so most blurring happens in a small block.
    """
    points = _sample(frame, _grow(patient, chest.lungs_height))
    limits = [np.float32(0.55 * frame.px * 2**octave) for octave in (2.5, 1.5, 0.5)]
    image = np.zeros((frame.size, frame.size), np.float32)
    top, left, bottom, right = frame.size, frame.size, 0, 0
    wide = np.flatnonzero(points.radius > limits[-1])
    radius = points.radius[wide]
    for above, below, sigma in zip(limits, [np.inf, *limits], WIDTHS, strict=False):
        keep = wide[(radius > above) & (radius <= below)]
        if not keep.size:
            continue
        rows, cols = deposit(frame, points.places[:, keep], points.volume[keep], image)
        top, left = min(top, rows.start - 8), min(left, cols.start - 8)
        bottom, right = max(bottom, rows.stop + 8), max(right, cols.stop + 8)
        block = image[max(top, 0) : bottom, max(left, 0) : right]
        block[:] = blur(block, sigma)
    # depositing itself blurs by about 0.4 pixels
    thin = points.volume * (points.radius <= limits[-1])
    deposit(frame, points.places, thin, image)
    # overlapping vessels share the depth of the hilum
    crowded = image * np.float32(0.4 / (1.1 * patient.scale))
    crowded += 1
    image *= np.float32(0.9 * patient.vessels)
    image /= crowded
    return image


def _grow(patient: Patient, height: float) -> Segments:
    """Arteries and veins of both lungs by generation, hila first; height: of the lungs, cm."""
    rng = stream(patient.seed, "vessels")
    x = patient.scale * HILA_X
    y = height * HILA_Y + rng.normal(0, 0.4, 2)
    right = _hilum(patient, x[0], y[0], -1, rng)
    left = _hilum(patient, x[1], y[1], 1, rng)
    grown = [_join([right, left]), _trunks(patient, y, rng)]
    for _ in SAMPLES[1:]:
        grown.append(_branch(grown[-1], rng))
    return _join(grown)


def _join(parts: list[Segments]) -> Segments:
    """All segments as one, in turn."""
    names = [field.name for field in fields(Segments)]
    return Segments(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    )


def _hilum(patient: Patient, x: float, y: float, side: int, rng: np.random.Generator) -> Segments:
    """Hilum: a cluster of short wide vessels around the interlobar artery, which goes down."""
    scale, others = patient.scale, CLUSTER - 3
    turn = np.concatenate([[68, 60, 78], rng.uniform(-75, 95, others)])  # degrees
    down = np.clip(turn / 90, -1, 1)
    begin_x = x + np.concatenate([[-0.2, 0.5, -0.6], rng.uniform(-1.6, 0.6, others)]) * scale
    begin_y = y + (0.2 + 1.6 * down) * scale + rng.normal(0, 0.5, CLUSTER) * scale
    begin_y[:3] = y + np.array([-0.6, 1.4, 2.6]) * scale
    width = np.concatenate([[0.46, 0.34, 0.36], rng.uniform(0.20, 0.36, others)])
    length = np.concatenate([[4.4, 3.6, 3.8], rng.uniform(1.6, 3.4, others)])
    angle = np.deg2rad(turn + rng.normal(0, 6, CLUSTER))
    return Segments(
        x=begin_x.astype(np.float32),
        y=begin_y.astype(np.float32),
        radius=(scale * patient.hilum**0.5 * width).astype(np.float32),
        length=(scale * length).astype(np.float32),
        angle=angle.astype(np.float32),
        bend=rng.normal(0, 0.45, CLUSTER).astype(np.float32),
        side=np.full(CLUSTER, side, np.float32),
    )


def _trunks(patient: Patient, y: np.ndarray, rng: np.random.Generator) -> Segments:
    """The first generation, fanned out from the hila; y: heights of the right and left one, cm."""
    scale, count = np.float32(patient.scale), 2 * TRUNKS
    turn = np.tile(np.linspace(-80, 92, TRUNKS), 2) + rng.normal(0, 9, count)  # degrees
    down = np.clip(turn / 90, -1, 1)
    begin_x = np.repeat(scale * HILA_X, TRUNKS) + rng.uniform(-0.4, 1.6, count) * scale
    begin_y = np.repeat(y, TRUNKS) + (1.0 + 2.6 * down) * scale + rng.normal(0, 0.6, count) * scale
    thicker = np.maximum(down, 0)
    radius = scale * 0.24 * rng.uniform(0.6, 1.35, count) * (1 + 0.40 * thicker)
    length = scale * rng.uniform(0.7, 2.3, count) * (1 + 0.7 * thicker)
    return Segments(
        x=begin_x.astype(np.float32),
        y=begin_y.astype(np.float32),
        radius=radius.astype(np.float32),
        length=length.astype(np.float32),
        angle=np.deg2rad(turn).astype(np.float32),
        bend=_draw_bend(rng, count),
        side=np.repeat(np.array([-1, 1], np.float32), TRUNKS),
    )


def _branch(parents: Segments, rng: np.random.Generator) -> Segments:
    """Two daughters at the end of each vessel, one bent up and one down, thinner and shorter."""
    end_x, end_y = parents.at(1)
    count = 2 * parents.x.size
    turn, thinner, shorter = rng.random((3, count), np.float32)
    turn *= np.float32(0.45)
    turn[::2] *= -1
    thinner *= np.float32(0.19)
    thinner += np.float32(0.68)
    shorter *= np.float32(0.43)
    shorter += np.float32(0.72)
    angle = np.repeat(parents.angle + parents.bend, 2)
    angle += turn
    angle += np.tile(np.array([-0.10, 0.10], np.float32), parents.x.size)
    return Segments(
        x=np.repeat(end_x, 2),
        y=np.repeat(end_y, 2),
        radius=np.repeat(parents.radius, 2) * thinner,
        length=np.repeat(parents.length, 2) * shorter,
        angle=angle,
        bend=_draw_bend(rng, count),
        side=np.repeat(parents.side, 2),
    )


def _draw_bend(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.normal(0, 0.42, count).astype(np.float32)


@dataclass(frozen=True)
class Layout:
    """How points lie along segments, float32 but for the first."""

    segment: np.ndarray  # of each point the segment that it lies on
    way: np.ndarray  # of each point how far along, 0 … 1
    share: np.ndarray  # of each segment one over its points


@lru_cache(maxsize=64)
def _layout(samples: tuple[int, ...]) -> Layout:
    """samples: points per segment of the hila and of each generation."""
    counts = [2 * CLUSTER, *(2 * TRUNKS * 2**generation for generation in range(len(SAMPLES)))]
    points = np.repeat(samples, counts)
    segment = np.repeat(np.arange(points.size), points)
    first = np.cumsum(points) - points
    way = (np.arange(segment.size) - first[segment]) / (points[segment] - 1)
    return Layout(
        segment=segment, way=way.astype(np.float32), share=(1 / points).astype(np.float32)
    )


def _sample(frame: Frame, vessels: Segments) -> Points:
    """Lay points along all segments.

    Beginning, middle and end of each are moved into the image; a parabola through them is as good
    as the arc.
    """
    dense = max(1.0, 0.16 / frame.px)
    layout = _layout(tuple(int(count * dense) for count in (HILUM_SAMPLES, *SAMPLES)))
    middle_x, middle_y = vessels.at(0.5)
    end_x, end_y = vessels.at(1)
    x = np.stack([vessels.x, middle_x, end_x]) * vessels.side
    y = np.stack([vessels.y, middle_y, end_y])
    begin, middle, end = frame.to_pixels(x, y).swapaxes(0, 1)
    # begin + straight · way + curve · way²; radius and volume fall along the way.
    curve = 2 * (begin + end - 2 * middle)
    straight = end - begin - curve
    taper = np.full(vessels.radius.size, 0.18, np.float32)
    taper[: 2 * CLUSTER] = 0.45
    volume = vessels.length * layout.share * np.float32(np.pi)
    of_segment = np.concatenate(
        [begin, straight, curve, [vessels.radius, vessels.radius * taper, volume]]
    )
    of_point = of_segment.take(layout.segment, axis=1)
    begin, straight, curve = of_point[:2], of_point[2:4], of_point[4:6]
    radius, lost, volume = of_point[6:]
    places = curve
    places *= layout.way
    places += straight
    places *= layout.way
    places += begin
    lost *= layout.way
    radius -= lost
    volume *= radius
    volume *= radius
    return Points(places=places, radius=radius, volume=volume)
