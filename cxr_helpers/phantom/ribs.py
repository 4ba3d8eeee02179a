"""Ribs: loops in space, x = A(y) sin θ, z = −B cos θ, falling with θ.

Each is a tube with a dense rim.

θ runs from 0 at the spine over π/2, where a rib turns at the lateral wall, to its front end. A
point of a loop carries thickness × ds / |dx|, so the bright line where a rib turns along the beam
comes by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from .frame import Frame
from .grain import smooth
from .patient import Patient, stream
from .points import Tubes, ribbon, tube
from .profiles import AXIS, table_index
from .soft import Chest

RIB = tube(inner=0.84, core=0.36, skew=-0.08)

# What the twelve ribs of both sides have in common, right ones first: arrays (24,).
NUMBER = np.tile(np.arange(12.0), 2)
OUTWARD = np.repeat(np.array([-1, 1], np.float32), 12)[:, None]  # sign of x
# where the outline of a rib's side begins in the two tables, one after the other
TABLE = np.repeat([0, len(AXIS)], 12)
FALL = np.interp(NUMBER, [0, 1, 3, 6, 11], [0.62, 0.72, 0.88, 1.0, 1.1])
FRONT_END = np.interp(NUMBER, [0, 1, 5, 7, 9, 11], [158, 156, 148, 136, 118, 80])  # θ in degrees
LENGTH = np.interp(NUMBER, [0, 1, 2, 12], [0.90, 0.97, 1, 1])
THICKNESS = np.interp(NUMBER, [0, 1, 2], [0.5, 0.75, 1])
# High ribs lie flat where they turn: how much of their mass that hides, and one over the range of θ
# in quarter turns.
FLAT = np.interp(NUMBER, [0, 1, 3, 5], [1, 0.97, 0.75, 0.3]).astype(np.float32)[:, None]
PER_RANGE = (1 / np.interp(NUMBER, [1, 4], [0.42, 0.2])).astype(np.float32)[:, None]

# How far along a rib is in the image at θ: fast near the spine and in front, slow where it turns.
ANGLES = np.linspace(0, np.pi, 400)
WAY = np.cumsum(np.abs(np.cos(ANGLES)) + 0.18)


def draw_ribs(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """All ribs of both sides, (size, size) float32 in cm."""
    rows, drawn = ribbon(frame, _rib_tubes(frame, patient, chest), RIB)
    # Two soft sheets of cortex a few millimetres apart, as one drawing shifted both ways.
    apart = 0.75 * 0.18 * patient.scale / frame.px
    weights = np.clip(1.5 - np.abs(np.arange(int(np.ceil(1.5 + apart))) - apart), 0, 1)
    cap = 0.85 * patient.scale
    total = smooth(drawn, weights / ((2 * weights.sum() - weights[0]) * cap), 0)
    # t / sqrt(1 + t²) caps what overlapping ribs add up to.
    root = np.square(total)
    root += 1
    np.sqrt(root, out=root)
    total *= 2.5 * cap
    total /= root
    whole = np.zeros_like(chest.lung)
    whole[rows] = total.T
    return whole


@dataclass(frozen=True)
class Variation:
    """What is random in the ribs of one side, or of both, the right ones first; a row per rib."""

    start: np.ndarray  # height at the spine, in rib spacings
    fall: np.ndarray  # factor of the fall
    end: np.ndarray  # of the front end, degrees
    tilt: np.ndarray  # 0 even fall … 1 loop in a tilted plane
    droop: np.ndarray  # rise of the posterior part above the even fall
    bumps: np.ndarray  # (ribs, 3) size of three waves along a rib
    length: np.ndarray  # factor of the radius
    thickness: np.ndarray
    height: np.ndarray  # factor of the height


def _vary(rng: np.random.Generator) -> Variation:
    """Draw the twelve ribs of one side."""
    return Variation(
        start=rng.normal(0, 0.08, 12),
        fall=rng.normal(1, 0.06, 12),
        end=rng.normal(0, 5, 12),
        tilt=np.full(12, rng.uniform(0.15, 0.5)),
        droop=np.full(12, rng.uniform(0.05, 0.25)),
        bumps=rng.normal(0, 0.14, (12, 3)),
        length=rng.normal(1, 0.010, 12),
        thickness=rng.normal(0, 1, 12),
        height=rng.normal(1, 0.08, 12),
    )


def _both(right: Variation, left: Variation) -> Variation:
    names = [field.name for field in fields(Variation)]
    return Variation(
        **{name: np.concatenate([getattr(right, name), getattr(left, name)]) for name in names}
    )


@dataclass(frozen=True)
class Loops:
    """Where the ribs run; arrays (24, points), right ribs first."""

    theta: np.ndarray
    turn: np.ndarray  # θ in quarter turns: 0 at the spine, 1 at the lateral wall
    across: np.ndarray  # sin θ
    x: np.ndarray  # cm, away from the midline on both sides
    y: np.ndarray  # cm
    step: np.ndarray  # distance in space to the next point, cm
    front_end: np.ndarray  # θ, (24, 1)


def _rib_tubes(frame: Frame, patient: Patient, chest: Chest) -> Tubes:
    """The loops of both sides as tubes; height and mass at each point, arrays (24, points)."""
    rng = stream(patient.seed, "ribs")
    drawn = _both(_vary(rng), _vary(rng))
    loops = _lay_loops(frame, patient, chest, drawn)
    front = np.maximum(loops.turn - 1, 0)
    half = _column(patient.rib_height * drawn.height) * (
        0.84 + 0.24 * loops.across + 0.28 * np.minimum(front, 1)
    )
    thickness = _column(patient.scale * (0.66 + 0.07 * drawn.thickness) * THICKNESS)
    # High ribs lie flat where they turn: without this, all their mass there falls on one column.
    mass = 1 - FLAT * np.exp(-np.square((loops.turn - 1) * PER_RANGE))
    mass *= 1 - 0.18 * loops.turn
    mass *= np.clip((loops.front_end - loops.theta) / 0.30, 0, 1)
    mass *= np.maximum(1 - 0.22 * front, 0.3)
    mass *= thickness * loops.step
    for first in (0, 12):  # the first rib's neck hides behind the transverse process
        mass[first] *= np.clip((loops.turn[first] - loops.turn[first, 0]) / 0.6, 0.15, 1)
    x = loops.x * OUTWARD
    x += patient.curve * np.sin(loops.y / 6)
    return Tubes(x=x, y=loops.y, half=half, mass=mass)


def _lay_loops(frame: Frame, patient: Patient, chest: Chest, drawn: Variation) -> Loops:
    """Lay the loops around the lungs.

    A loop in a tilted plane falls as 1 - cos θ; real ribs lie between that and an even fall. The
    chest is flatter at its sides than an ellipse: ribs run along the wall and overlap there.
    """
    scale = patient.scale
    spacing = patient.rib_spacing * frame.pose.inspiration
    start = -0.5 * scale - 0.1 * spacing + NUMBER * spacing + drawn.start * spacing
    drop = patient.rib_drop * FALL * drawn.fall
    lateral = start + drop  # y where a rib turns
    outlines = np.concatenate([chest.outlines.right, chest.outlines.left])
    # θ begins beside the vertebra and ends in front, where the rib's bone turns into cartilage.
    first = 1.6 * scale / (1.43 * outlines.take(table_index(lateral) + TABLE))
    end = np.deg2rad(FRONT_END + drawn.end)
    theta = _even(first, end, max(150, int(150 * frame.size / 224)))
    turn = theta * (2 / np.pi)
    across, forward = np.sin(theta), np.cos(theta)

    lateral = _column(np.maximum(lateral, 1.2 * scale))
    tilt = _column(drawn.tilt)
    y = _column(start) + _column(drop) * (tilt * (1 - forward) + (1 - tilt) * turn)
    droop = _column(np.minimum(NUMBER, 2) * drawn.droop * scale)
    y -= droop * np.sin(np.pi * np.minimum(turn * 1.6, 1))
    for k in range(3):
        bump = _column(drawn.bumps[:, k] * scale)
        y += bump * np.sin(theta * (k + 1.3) + bump * 9)

    at = table_index(lateral + 0.6 * (y - lateral))
    at += TABLE[:, None]
    radius = (outlines.take(at) + 0.30 * scale) * _column(LENGTH * drawn.length)
    x = radius * (0.25 * across + 0.75 * np.sin((np.pi / 2) * across))
    step = _step_lengths(x, y, forward * (0.50 * patient.depth))
    return Loops(theta=theta, turn=turn, across=across, x=x, y=y, step=step, front_end=_column(end))


def _column(values: np.ndarray) -> np.ndarray:
    """One value per rib, to stand beside its points."""
    return values.astype(np.float32)[:, None]


def _step_lengths(*axes: np.ndarray) -> np.ndarray:
    """Distance in space from each point of a line to the next, 0 for the last."""
    total = np.zeros_like(axes[0])
    for axis in axes:
        total[:, :-1] += np.square(axis[:, 1:] - axis[:, :-1])
    return np.sqrt(total, out=total)


def _even(first: np.ndarray, last: np.ndarray, points: int) -> np.ndarray:
    """θ from `first` to `last` (ribs), spaced evenly in the image: denser where ribs cross fast."""
    begin = np.interp(first, ANGLES, WAY)[:, None]
    end = np.interp(last, ANGLES, WAY)[:, None]
    return np.interp(begin + (end - begin) * np.linspace(0, 1, points), WAY, ANGLES).astype(
        np.float32
    )
