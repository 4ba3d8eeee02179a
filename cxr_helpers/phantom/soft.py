"""The inside of the chest: lungs, heart, mediastinum, diaphragm, airways, stomach.

Each function returns path lengths in cm along the beam. A lung is the chord of the thorax minus whatever fills it:
heart, great vessels, diaphragm; borders start like a chord, sqrt(2rd), which is why they are sharp on a radiograph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import draw_body
from .frame import AXIS, STEP, Frame, dome, profile, splat, wobble
from .patient import Patient, stream

# Half-width of the lungs against depth below the apex, as fractions of the largest; measured on radiographs.
RIM = 0.42  # cm of lung in front of and behind a border, where its chord is still thin: belongs to the lung mask
DEPTHS = (-0.02, 0.0, 0.035, 0.11, 0.28, 0.55, 0.85, 1.05, 1.4)
ADULT = (0.34, 0.40, 0.60, 0.735, 0.88, 0.965, 1.0, 1.0, 0.98)
CHILD = (0.28, 0.34, 0.46, 0.60, 0.78, 0.92, 1.0, 1.03, 1.0)


@dataclass(frozen=True)
class Chest:
    """Path lengths (cm, float32) and regions (bool), all (size, size). Introduced in lesson 01."""

    tissue: np.ndarray  # soft tissue if there were no air
    lung: np.ndarray  # aerated lung
    full: np.ndarray  # lung chord before heart and diaphragm took their share
    air: np.ndarray  # trachea, bronchi, stomach gas
    field: np.ndarray  # lung mask: between mediastinum, wall and dome
    pleura: np.ndarray  # lung mask and the sulcus behind the dome
    heart: np.ndarray  # heart mask
    solid: np.ndarray  # share of the lung's place that heart and abdomen fill
    open: np.ndarray  # 1 in the lung, falling to 0 at RIM behind a border of the mediastinum
    depth_below: np.ndarray  # cm below the dome, negative above
    extent: np.ndarray  # 0 at the spine … 1 at the inner wall
    height: np.ndarray  # 0 apex … 1 dome
    outer_right: np.ndarray  # table: half-width of the right lung against y
    outer_left: np.ndarray
    ctr: float
    lungs_height: float


def draw_chest(frame: Frame, patient: Patient) -> Chest:
    """Compute all soft-tissue path lengths of a patient in a pose. Introduced in lesson 01."""
    pose, rng = frame.pose, stream(patient.seed, "chest")
    height = patient.lung_height * pose.inspiration
    outer_r, outer_l = _outlines(patient, height, rng)
    outer = np.where(frame.left, outer_l[frame.iy], outer_r[frame.iy])
    t = np.clip(frame.ax / outer, 0, 1)
    extent = t
    apex = _apex(patient, frame)
    spread = dome((1 - t) * 1.9) * dome(apex / (3.2 * patient.scale))
    inner = dome((frame.ax - 1.35 * patient.scale) / (1.6 * patient.scale))
    full = patient.depth * 0.76 * _lung_depth(frame, height) * spread * inner
    below = frame.y - _domes(frame, patient, height, stream(pose.seed, "domes"))
    filled = _edge(below / (3.2 * patient.scale)) * np.float32(0.80) + np.clip(below / 9, 0, 0.2)
    right, left, ctr = _borders(patient, pose, height)
    inside = np.where(frame.left, left[frame.iy] - frame.x, right[frame.iy] + frame.x)
    cover = _cover(frame, patient, inside, height)
    lung = full * (1 - filled) * (1 - cover)
    chest_wall = (full > 0.3) & (frame.ax > 1.5 * patient.scale) & (inside < RIM * patient.scale)
    field = chest_wall & (below < 0.6 * RIM * patient.scale)
    pleura = chest_wall & (below < 4.5 * patient.scale)
    heart = (inside > 0) & (frame.y > 0.40 * height) & (frame.y < _heart_floor(frame, patient, height))
    air = _airways(frame, patient, height) + _gas(frame, patient, below)
    tissue = draw_body(frame, patient, outer, height, rng)
    behind, edge = np.maximum(cover, filled), np.clip(1 - inside / (RIM * patient.scale), 0, 1)
    parts = (tissue, lung, full, air, field, pleura, heart, behind, edge, below, extent, frame.y / height)
    return Chest(*parts, outer_r, outer_l, ctr, height)


def _outlines(patient: Patient, height: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    knots = [d * height for d in DEPTHS]
    shape = np.asarray(ADULT) + patient.triangularity * (np.asarray(CHILD) - np.asarray(ADULT))
    sides = []
    for _ in range(2):
        width = patient.half_width * shape * rng.normal(1, 0.012, len(shape))
        sides.append(profile(knots, width, 1.6) + wobble(rng, 0.05, 3.0))
    return sides[0], sides[1]


def _apex(patient: Patient, frame: Frame) -> np.ndarray:
    """Depth below the rounded apex, whose top stands lateral to the midline."""
    top = 0.42 * patient.half_width * (1 - 0.15 * patient.triangularity)
    return frame.y - ((frame.ax - top) ** 2) * (0.12 / patient.scale)


def _lung_depth(frame: Frame, height: float) -> np.ndarray:
    return profile([-1, 0, 0.3 * height, height, 1.4 * height], [0.55, 0.6, 0.85, 1.0, 0.95], 2.0)[frame.iy]


def _domes(frame: Frame, patient: Patient, height: float, rng: np.random.Generator) -> np.ndarray:
    """Height of the diaphragm, y in cm: flat medially, falling to a sharp costophrenic angle."""
    s, sides = patient.scale, []
    for step in (0.0, patient.dome_step):
        w = patient.half_width
        peak = w * rng.uniform(0.42, 0.56)
        out = np.clip((AXIS - peak) / (w - peak), 0, 1)
        into = np.clip((peak - AXIS) / peak, 0, 1.6)
        drop = s * rng.uniform(3.4, 5.0) * (0.55 * out**2 + 0.45 * (1 - np.sqrt(1 - out**2)))
        sides.append(height + step + drop + s * rng.uniform(0.7, 2.0) * into**2 + wobble(rng, 0.06, 3.5))
    right, left = sides
    return np.where(frame.left, left[frame.ix], right[frame.ix]).astype(np.float32)


def _borders(patient: Patient, pose, height: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Right and left border of heart and mediastinum as tables of |x| against y, and the cardiothoracic ratio.

    The ratio is the sum of the two largest distances from the midline over the inner width of the thorax.
    """
    rng, s = stream(patient.seed, "heart"), patient.scale
    ratio = min(patient.ctr * pose.heart_scale / pose.inspiration**0.6, 0.66)
    wide = 2 * patient.half_width * ratio
    r = wide * rng.uniform(0.26, 0.33)
    left = wide - r
    u, h, low = patient.unfolded, height, patient.heart_length
    k, turn = patient.knob, 0.5 * s * pose.axial
    waist = rng.uniform(0.36, 0.50) * left
    knots = [-0.3, 0.02, 0.12, 0.185, 0.25, 0.33, 0.42, 0.53, 0.66, low, low + 0.12, low + 0.30, 1.6]
    side = [
        2.3 * s,
        2.3 * s,
        2.5 * s + 0.4 * k + 0.5 * u,
        2.7 * s + k + u,
        2.6 * s + 0.55 * k + u,
        2.8 * s + 0.2 * u,
        max(waist, 3.0 * s),
        rng.uniform(0.52, 0.64) * left,
        rng.uniform(0.72, 0.84) * left,
        left,
        0.99 * left,
        0.90 * left,
        0.3 * left,
    ]
    lefts = profile([q * h for q in knots], side, 0.045 * h) + wobble(rng, 0.07, 1.7) + turn
    knots = [-0.3, 0.05, 0.2, 0.32, 0.44, 0.56, 0.72, 0.88, 1.05, 1.6]
    top = rng.uniform(2.0, 2.7) * s + 0.7 * u
    side = [2.2 * s, top, top + 0.2, top + 0.35 * s, top + 0.2, 0.80 * r, r, 0.98 * r, 0.80 * r, 0.3 * r]
    rights = profile([q * h for q in knots], side, 0.05 * h) + wobble(rng, 0.07, 1.7) - turn
    return rights, lefts, ratio


def _cover(frame: Frame, patient: Patient, inside: np.ndarray, height: float) -> np.ndarray:
    """Share of the lung chord that heart and mediastinum fill."""
    s = patient.scale
    size = profile(
        [0, 0.12 * height, 0.25 * height, 0.45 * height, 0.75 * height, height],
        [0.34, 0.46, 0.58, 0.66, 0.78, 0.80],
        1.5,
    )[frame.iy]
    radius = profile([0, 0.3 * height, 0.8 * height], [3.4 * s, 3.0 * s, 4.8 * s], 1.5)[frame.iy]
    cover = size * _edge(inside / radius)
    fat = np.exp(
        -((frame.ax - frame.sides(4.8, 6.4) * s) ** 2) / (5.0 * s * s) - (frame.y - height - 0.4) ** 2 / (4.0 * s * s)
    ) * (0.25 + 0.3 * patient.build)
    return np.clip(np.maximum(cover, fat), 0, 1)


def _edge(t: np.ndarray) -> np.ndarray:
    """Onset between a chord and a step: hearts and domes are blunter than ellipsoids."""
    chord = dome(t)
    return 0.65 * chord + 0.35 * np.sqrt(chord)


def _heart_floor(frame: Frame, patient: Patient, height: float) -> np.ndarray:
    return height + patient.scale * (1.3 + 0.16 * (frame.x - 1.0))


def _airways(frame: Frame, patient: Patient, height: float) -> np.ndarray:
    """Trachea to the carina and main bronchi, as lengths of air."""
    rng, s, pose = stream(patient.seed, "airways"), patient.scale, frame.pose
    carina = height * rng.uniform(0.27, 0.33)
    bend = rng.uniform(0.1, 0.5) * s + 0.4 * patient.unfolded
    centre = profile([-12, 0, 0.7 * carina, carina], [0, 0, -bend, -0.6 * bend], 2.0) + 0.5 * s * pose.axial
    r = 0.88 * s * rng.uniform(0.9, 1.12)
    q = 1 - ((frame.x - centre[frame.iy]) / r) ** 2
    fade = np.clip((frame.y + 9 * s) / (3 * s), 0, 1) * np.clip((carina + 0.5 - frame.y) / (1.5 * s), 0, 1)
    air = 2.0 * r * np.sqrt(np.clip(q, 0, 1)) * fade
    x0, y0 = centre[int((carina - AXIS[0]) / STEP)], carina
    for sign, angle, length, radius in ((-1, 27, 5.0, 0.66), (1, 47, 5.4, 0.58)):
        t = np.linspace(0, 1, 90)
        a = np.deg2rad(angle + 6 * t * sign)
        step = length * s * t
        across = np.linspace(-0.9, 0.9, 9)[:, None] * radius * s
        px = x0 + sign * np.sin(a) * step + across * np.cos(a)
        py = y0 + np.cos(a) * step - sign * across * np.sin(a)
        chord = (
            2
            * np.sqrt((radius * s) ** 2 - across**2)
            * np.clip(t / 0.25, 0, 1)
            * (1 - 0.75 * t)
            * (length * s / 90)
            * (1.8 * radius * s / 9)
        )
        air = air + splat(frame, px, py, np.broadcast_to(chord, px.shape))
    return air


def _gas(frame: Frame, patient: Patient, below: np.ndarray) -> np.ndarray:
    """Stomach bubble below the left dome, with a level when erect, and a few loops of bowel gas."""
    rng, s, pose = stream(frame.pose.seed, "gas"), patient.scale, frame.pose
    if pose.gas == 0:
        return np.zeros_like(below)
    cx, wide = s * rng.uniform(4.2, 7.5), s * rng.uniform(1.6, 3.4)
    tall = s * rng.uniform(1.3, 3.0) * pose.gas
    depth = below - 0.55 * s
    q = 1 - ((frame.x - cx) / wide) ** 2 - ((depth - 0.5 * tall) / (0.55 * tall + 0.3)) ** 2
    gas = 3.2 * s * pose.gas * np.sqrt(np.clip(q, 0, 1))
    if pose.view == "PA":
        gas = gas * np.clip((tall * 0.75 - depth) / 0.25, 0, 1)
    for _ in range(int(rng.integers(0, 5))):
        bx, by, r = s * rng.uniform(2, 11), s * rng.uniform(2.5, 9.0), s * rng.uniform(0.5, 1.2)
        q = 1 - ((frame.x - bx) / (1.5 * r)) ** 2 - ((below - by) / r) ** 2
        gas = gas + 0.9 * r * np.clip(q, 0, 1)
    return np.where(frame.left, gas, 0) * (below > 0.3)
