"""The inside of the chest: lungs, heart, mediastinum, diaphragm, airways, stomach.

Each function returns path lengths in cm along the beam. A lung is the chord of the thorax minus
whatever fills it: heart, great vessels, diaphragm; borders start like a chord, sqrt(2rd), which is
why they are sharp on a radiograph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .air import add_gas, draw_airways
from .body import draw_body
from .frame import Frame, Grid
from .mediastinum import draw_borders, lung_beside
from .patient import Patient, stream
from .profiles import AXIS, Sides, dome, profile, rounded, signed_product, wobble

# Half-width of the lungs against depth below the apex, as fractions of the largest; measured on
# radiographs.
DEPTHS = (-0.02, 0.0, 0.035, 0.11, 0.28, 0.55, 0.85, 1.05, 1.4)
ADULT = (0.34, 0.40, 0.60, 0.735, 0.88, 0.965, 1.0, 1.0, 0.98)
CHILD = (0.28, 0.34, 0.46, 0.60, 0.78, 0.92, 1.0, 1.03, 1.0)

# cm of lung in front of and behind a border, where its chord is still thin: belongs to the lung
# mask
RIM = 0.32


@dataclass(frozen=True)
class Chest:
    """Path lengths (cm, float32) and regions (bool), all (size, size)."""

    tissue: np.ndarray  # soft tissue if there were no air
    lung: np.ndarray  # aerated lung
    air: np.ndarray  # trachea, bronchi, stomach gas
    wall: np.ndarray  # True between the inner walls and the spine, where there is lung or could be
    field: np.ndarray  # lung mask: between mediastinum, wall and dome
    heart: np.ndarray  # heart mask
    aerated: np.ndarray  # share of the lung's place that heart and abdomen leave to it
    inside: np.ndarray  # cm behind the border of heart and mediastinum, negative in the lung
    depth_below: np.ndarray  # cm below the dome, negative above
    extent: np.ndarray  # 0 at the spine, 1 at the inner wall and beyond
    outlines: Sides  # tables: half-width of the lungs against y
    ctr: float
    lungs_height: float


def draw_chest(frame: Frame, patient: Patient) -> Chest:
    """Compute all soft-tissue path lengths of a patient in a pose."""
    pose, grid, scale = frame.pose, frame.coarse, patient.scale
    height = patient.lung_height * pose.inspiration
    rng = stream(patient.seed, "chest")
    outlines = _outlines(patient, height, rng)

    # The lungs as if nothing but the chest wall bounded them.
    extent = grid.ax / grid.by_y(outlines)
    whole = frame.enlarge(_lung_squared(grid, patient, extent, height))
    whole = np.sqrt(whole.clip(0, np.inf, out=whole), out=whole)
    extent = frame.enlarge(extent).clip(0, 1)

    # What diaphragm, heart and mediastinum leave of them.
    coarse_below = grid.y - _domes(grid, patient, height, stream(pose.seed, "domes"))
    below = frame.enlarge(coarse_below)
    borders = draw_borders(patient, pose, height)
    inside = frame.enlarge(grid.by_y(borders.lines) - grid.ax)
    beside = lung_beside(frame, patient, inside, borders, height)
    above = _above_domes(patient, below, frame.rows(coarse_below > 0))
    lung = whole * beside * above

    wall = (whole > 0.3) & (np.abs(frame.x) > 1.5 * scale)
    field = wall & (inside < RIM * scale) & (below < 0.6 * RIM * scale)
    foot = (height + (1.3 - 0.16) * scale) + 0.16 * scale * frame.x
    heart = (inside > 0) & (frame.y > 0.40 * height) & (frame.y < foot)
    air = draw_airways(frame, patient, height)
    add_gas(frame, patient, below, air)
    return Chest(
        tissue=draw_body(frame, patient, outlines, height, rng),
        lung=lung,
        air=air,
        wall=wall,
        field=field,
        heart=heart,
        aerated=np.minimum(beside, above, out=above),
        inside=inside,
        depth_below=below,
        extent=extent,
        outlines=outlines,
        ctr=borders.ctr,
        lungs_height=height,
    )


def _lung_squared(grid: Grid, patient: Patient, extent: np.ndarray, height: float) -> np.ndarray:
    """Square of the lung's chord before heart and diaphragm; below zero outside; coarse."""
    scale = patient.scale
    lateral = rounded((1 - extent) * 1.9)
    upper = rounded(_below_apex(grid, patient) / (3.2 * scale))
    inner = rounded((grid.ax - 1.35 * scale) / (1.6 * scale))
    depth = profile(
        [(-1, 0.55), (0, 0.6), (0.3 * height, 0.85), (height, 1.0), (1.4 * height, 0.95)], 2.0
    )
    chord = depth * (0.76 * patient.depth)
    return signed_product(signed_product(lateral, upper), inner) * grid.by_y(chord * chord)


def _outlines(patient: Patient, height: float, rng: np.random.Generator) -> Sides:
    """Half-width of either lung against y, between an adult's barrel and a child's bell."""
    places = [depth * height for depth in DEPTHS]
    shape = np.asarray(ADULT) + patient.triangularity * (np.asarray(CHILD) - np.asarray(ADULT))

    def outline() -> np.ndarray:
        widths = patient.half_width * shape * rng.normal(1, 0.012, len(shape))
        return profile(np.column_stack([places, widths]), 1.6) + wobble(rng, 0.05, 3.0)

    return Sides(right=outline(), left=outline())


def _below_apex(grid: Grid, patient: Patient) -> np.ndarray:
    """Depth below the rounded apex, whose top stands lateral to the midline."""
    top = 0.42 * patient.half_width * (1 - 0.15 * patient.triangularity)
    return grid.y - np.square(grid.ax - top) * (0.12 / patient.scale)


def _domes(grid: Grid, patient: Patient, height: float, rng: np.random.Generator) -> np.ndarray:
    """Height of the diaphragm, y in cm."""
    right = _dome(patient, height, rng)
    left = _dome(patient, height + patient.dome_step, rng)
    return grid.by_x(Sides(right, left))


def _dome(patient: Patient, top: float, rng: np.random.Generator) -> np.ndarray:
    """Table of y against |x|: highest in the middle, lower at heart and costophrenic angle."""
    scale, width = patient.scale, patient.half_width
    peak = width * rng.uniform(0.46, 0.62)
    outward = np.clip((AXIS - peak) / (width - peak), 0, 1)
    inward = np.clip((peak - AXIS) / peak, 0, 1.6)
    to_angle = (
        scale * rng.uniform(3.2, 5.4) * (0.55 * outward**2 + 0.45 * (1 - np.sqrt(1 - outward**2)))
    )
    lobe = (
        scale * max(0.0, rng.normal(-0.1, 0.25)) * np.sin(AXIS / (1.6 * scale) + rng.uniform(0, 6))
    )
    to_heart = scale * rng.uniform(0.9, 3.0) * inward**2
    line = top + to_angle + to_heart + lobe + wobble(rng, 0.07, 2.8)
    return line.astype(np.float32)


def _above_domes(patient: Patient, below: np.ndarray, rows: slice) -> np.ndarray:
    """Share of the lung chord that the diaphragm leaves.

    Domes are blunter than ellipsoids: between chord and step.
    """
    share = np.ones_like(below)
    deep = below[rows]
    chord = dome(deep / (3.2 * patient.scale))
    taken = np.sqrt(chord)
    taken *= 0.35 * 0.80
    chord *= 0.65 * 0.80
    taken += chord
    taken += np.clip(deep / 9, 0, 0.2)
    share[rows] -= taken
    return share
