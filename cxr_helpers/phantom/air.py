"""Air outside the lungs: trachea and main bronchi, the stomach's bubble and bowel gas."""

from __future__ import annotations

import numpy as np

from .frame import Frame
from .patient import Patient, stream
from .points import splat
from .profiles import AXIS, ORIGIN, STEP, profile, table_index

# Main bronchi, right and left; arrays (2, 1, 1), to stand before the points across and along them.
SIGN = np.array([-1, 1], np.float32)[:, None, None]  # of x
ANGLE = np.deg2rad([27, 47]).astype(np.float32)[:, None, None]  # from the vertical
LENGTH = np.array([5.0, 5.4], np.float32)[:, None, None]  # cm in an adult
HALF_WIDTH = np.array([0.66, 0.58], np.float32)[:, None, None]

ALONG = np.linspace(0, 1, 60, dtype=np.float32)
ACROSS = np.linspace(-0.9, 0.9, 9, dtype=np.float32)[:, None]


def draw_airways(frame: Frame, patient: Patient, height: float) -> np.ndarray:
    """Lengths of air in trachea and main bronchi, (size, size) float32 in cm.

    height: of the lungs, in cm.
    """
    rng, scale = stream(patient.seed, "airways"), patient.scale
    carina = height * rng.uniform(0.27, 0.33)
    # the aortic arch pushes the trachea to the right
    bend = rng.uniform(0.1, 0.5) * scale + 0.4 * patient.unfolded
    line = [(-12, 0), (0, 0), (0.7 * carina, -bend), (carina, -0.6 * bend)]
    centre = profile(line, 2.0) + 0.5 * scale * frame.pose.axial
    radius = scale * rng.uniform(0.80, 1.0) * np.interp(AXIS, [-9 * scale, -4 * scale], [0.6, 1])
    air = _bronchi(frame, patient, centre[int((carina - ORIGIN) / STEP)], carina)
    _add_trachea(frame, patient, centre, radius.astype(np.float32), carina, air)
    return air


def _bronchi(frame: Frame, patient: Patient, x0: np.float32, y0: float) -> np.ndarray:
    """Both main bronchi, tubes from the carina at x0, y0 that bend outward and fade."""
    length = LENGTH * patient.scale
    half_width = HALF_WIDTH * patient.scale
    angle = ANGLE + np.deg2rad(6) * SIGN * ALONG
    sine, cosine = np.sin(angle), np.cos(angle)
    along = ALONG * length
    across = ACROSS * half_width
    x = x0 + SIGN * (sine * along) + across * cosine
    y = y0 + cosine * along - SIGN * (across * sine)
    chord = (
        2
        * half_width
        * np.sqrt(1 - ACROSS * ACROSS)
        * (np.clip(ALONG / 0.25, 0, 1) * (1 - 0.6 * ALONG))
    )
    return splat(frame, x, y, chord * (length / ALONG.size * 1.8 / ACROSS.size * half_width))


def _add_trachea(
    frame: Frame,
    patient: Patient,
    centre: np.ndarray,
    radius: np.ndarray,
    carina: float,
    air: np.ndarray,
) -> None:
    """Add the trachea down to the carina; centre, radius: tables of x and of cm against y."""
    scale = patient.scale
    block = frame.slab(-4 * scale, 4 * scale, -np.inf, carina + scale)
    y = frame.y[block]
    at = table_index(y)
    r = radius.take(at)
    chord_squared = np.maximum(1 - np.square((frame.x[block] - centre.take(at)) / r), 0)
    fade = np.clip((y + 10 * scale) / (6 * scale), 0, 1) * np.clip(
        (carina + 0.5 - y) / (1.5 * scale), 0, 1
    )
    air[block] += 2 * r * (0.6 * np.sqrt(chord_squared) + 0.4 * chord_squared) * fade


def add_gas(frame: Frame, patient: Patient, below: np.ndarray, air: np.ndarray) -> None:
    """Add the gas of stomach and bowel to `air`; below: cm below the dome of the diaphragm."""
    rows_below = np.flatnonzero((below > 0.3).any(1) & (frame.x[:, -1] > 0))
    if frame.pose.gas == 0 or not rows_below.size:
        return
    abdomen = slice(rows_below[0], frame.size)
    rng = stream(frame.pose.seed, "gas")
    _add_stomach(frame, patient, below, abdomen, rng, air)
    _add_bowel(frame, patient, below, abdomen, rng, air)


def _add_stomach(
    frame: Frame,
    patient: Patient,
    below: np.ndarray,
    abdomen: slice,
    rng: np.random.Generator,
    air: np.ndarray,
) -> None:
    """Add the bubble below the left dome: overlapping ovals, with a level in standing patients."""
    scale, pose = patient.scale, frame.pose
    middle = scale * rng.uniform(3.8, 7.5)
    wide = scale * rng.uniform(1.6, 3.6)
    tall = scale * rng.uniform(1.3, 3.4) * pose.gas
    block = (abdomen, frame.slab(middle - 1.4 * wide, middle + 1.4 * wide)[1])
    x, y = frame.x[block], below[block]
    bubble = np.zeros_like(x)
    for _ in range(3):
        to_left = rng.uniform(-0.5, 0.5) * wide
        depth = 0.55 * scale + tall * rng.uniform(0.35, 0.65)
        lobe = _oval(x, y, middle + to_left, depth, wide * rng.uniform(0.5, 0.9), 0.5 * tall + 0.3)
        np.maximum(bubble, lobe, out=bubble)
    bubble **= 0.7
    bubble *= rng.uniform(1.2, 3.0) * scale * pose.gas
    if pose.view == "PA":
        bubble *= np.clip((0.55 * scale + tall * 0.75 - y) * 4, 0, 1)
    bubble *= y > 0.3
    air[block] += bubble


def _add_bowel(
    frame: Frame,
    patient: Patient,
    below: np.ndarray,
    abdomen: slice,
    rng: np.random.Generator,
    air: np.ndarray,
) -> None:
    """Add a few loops of bowel gas, more of them in children."""
    scale = patient.scale
    x, y = frame.x[abdomen], below[abdomen]
    gas = np.zeros_like(x)
    for _ in range(int(rng.integers(0, 7 if patient.age_group == "adult" else 14))):
        middle = scale * rng.uniform(-3, 11)
        depth = scale * rng.uniform(2.5, 10.0)
        half_height = scale * rng.uniform(0.5, 1.5)
        half_width = rng.uniform(0.8, 2.0) * half_height
        columns = frame.slab(middle - half_width, middle + half_width)[1]
        loop = _oval(x[:, columns], y[:, columns], middle, depth, half_width, half_height)
        gas[:, columns] += rng.uniform(0.4, 1.0) * half_height * loop.clip(0, 1)
    gas *= y > 0.3
    air[abdomen] += gas


def _oval(
    x: np.ndarray, y: np.ndarray, middle: float, depth: float, half_width: float, half_height: float
) -> np.ndarray:
    """1 in the centre of an ellipse, 0 on its border, negative outside."""
    away = np.square((x - middle) / half_width)
    away += np.square((y - depth) / half_height)
    return np.subtract(1, away, out=away)
