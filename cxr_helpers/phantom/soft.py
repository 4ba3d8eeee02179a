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
RIM = 0.32  # cm of lung in front of and behind a border, where its chord is still thin: belongs to the lung mask
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
    pleura: np.ndarray  # lung mask, the sulcus behind the dome and the space behind the heart
    deep: np.ndarray  # 1 in the lung, falling to 0 where the pleural space ends behind the heart
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
    cover = _cover(frame, patient, inside, (right, left), height)
    lung = full * (1 - filled) * (1 - cover)
    chest_wall = (full > 0.3) & (frame.ax > 1.5 * patient.scale) & (inside < RIM * patient.scale)
    field = chest_wall & (below < 0.6 * RIM * patient.scale)
    # Fluid also lies behind the heart: without it a lucent line would part the effusion from the heart.
    deep = np.clip(1 - inside / (6.0 * patient.scale), 0, 1)
    pleura = (full > 0.3) & (frame.ax > 1.5 * patient.scale) & (deep > 0) & (below < 4.5 * patient.scale)
    heart = (inside > 0) & (frame.y > 0.40 * height) & (frame.y < _heart_floor(frame, patient, height))
    air = _airways(frame, patient, height) + _gas(frame, patient, below)
    tissue = draw_body(frame, patient, outer, height, rng)
    behind, edge = np.maximum(cover, filled), np.clip(2 - inside * (2 / (RIM * patient.scale)), 0, 1)
    parts = (tissue, lung, full, air, field, pleura, deep, heart, behind, edge, below, extent, frame.y / height)
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
    """Height of the diaphragm, y in cm: highest in the middle, falling to the heart and to the costophrenic angle."""
    s, w, sides = patient.scale, patient.half_width, []
    for step in (0.0, patient.dome_step):
        peak = w * rng.uniform(0.46, 0.62)
        out = np.clip((AXIS - peak) / (w - peak), 0, 1)
        into = np.clip((peak - AXIS) / peak, 0, 1.6)
        drop = s * rng.uniform(3.2, 5.4) * (0.55 * out**2 + 0.45 * (1 - np.sqrt(1 - out**2)))
        lobe = s * max(0.0, rng.normal(-0.1, 0.25)) * np.sin(AXIS / (1.6 * s) + rng.uniform(0, 6))
        sides.append(height + step + drop + s * rng.uniform(0.9, 3.0) * into**2 + lobe + wobble(rng, 0.07, 2.8))
    right, left = sides
    return np.where(frame.left, left[frame.ix], right[frame.ix]).astype(np.float32)


def _borders(patient: Patient, pose, height: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Right and left border of heart and mediastinum as tables of |x| against y, and the cardiothoracic ratio.

    From above, left: subclavian vessels, aortic knob, window, pulmonary trunk, atrial appendage, left ventricle with
    its rounded apex; right: upper cava, ascending aorta, atrium. The ratio is the sum of the two largest distances
    from the midline over the inner width of the thorax.
    """
    rng, s = stream(patient.seed, "heart"), patient.scale
    ratio = min(patient.ctr * pose.heart_scale / pose.inspiration**0.45, 0.62)
    wide = 2 * patient.half_width * ratio
    r = wide * rng.uniform(0.24, 0.36)
    left, turn = wide - r, 0.5 * s * pose.axial
    u, h, k, low = patient.unfolded, height, patient.knob, patient.heart_length
    arch, trunk, apex = rng.uniform(0.17, 0.23), rng.uniform(-0.3, 1.5) * s, rng.uniform(0.10, 0.20)
    waist = np.clip(rng.uniform(0.36, 0.58) * left, 2.6 * s, 0.8 * left)
    full = rng.uniform(1.2, 2.3)
    ventricle = [waist + (left - waist) * (1 - (1 - t) ** full) ** 0.9 for t in (0, 0.15, 0.3, 0.45, 0.6, 0.8)]
    knots = [-0.3, 0.03, arch - 0.07, arch, arch + 0.05, arch + 0.10, arch + 0.16]
    knots += [0.42 + (low - 0.42) * t for t in (0, 0.15, 0.3, 0.45, 0.6, 0.8)]
    knots += [low, low + 0.4 * apex, low + apex, low + 0.36, 1.7]
    neck = rng.uniform(1.9, 2.5) * s
    side = [neck, neck, neck + 0.4 * k + 0.4 * u, 2.7 * s + k + u, 2.6 * s + 0.8 * k + u, 2.4 * s + 0.3 * k + 0.5 * u]
    side += [2.7 * s + trunk, *ventricle, left, 0.95 * left, 0.78 * left, 0.5 * left, 0.3 * left]
    lefts = profile([q * h for q in knots], side, 0.035 * h)
    top, bulge = rng.uniform(1.8, 2.5) * s + 0.5 * u, rng.uniform(0.0, 0.7) * s + 0.5 * u
    mid = rng.uniform(0.66, 0.80)
    knots = [-0.3, 0.05, 0.2, 0.34, 0.44, mid - 0.16, mid - 0.07, mid + 0.06, 0.92, 1.05, 1.6]
    side = [top, top, top + 0.3 * s, top + 0.4 * s + bulge, top + 0.3 * s + 0.7 * bulge]
    side = [*np.minimum(side, r), 0.86 * r, r, r, 0.90 * r, 0.70 * r, 0.3 * r]
    rights = profile([q * h for q in knots], side, 0.035 * h)
    rough = [wobble(rng, 0.09, 1.7) + wobble(rng, 0.05, 0.6) for _ in range(2)]
    return rights + rough[0] - turn, lefts + rough[1] + turn, ratio


def _cover(frame: Frame, patient: Patient, inside: np.ndarray, borders: tuple, height: float) -> np.ndarray:
    """Share of the lung chord that heart, great vessels, descending aorta and the fat at the heart's foot fill."""
    rng, s, h = stream(patient.seed, "cover"), patient.scale, height
    places, shares = [0, 0.12 * h, 0.25 * h, 0.45 * h, 0.75 * h, h], [0.36, 0.48, 0.58, 0.66, 0.78, 0.80]
    size = profile(places, shares, 1.5)[frame.iy]
    radius = profile([0, 0.3 * h, 0.8 * h], [3.4 * s, 3.0 * s, 4.8 * s], 1.5)[frame.iy]
    chord, blunt = dome(inside / radius), np.float32(rng.uniform(0.0, 0.7))
    cover = size * chord * (blunt + (1 - blunt) * chord)
    # Lung behind the heart thins out towards the spine; without this the column would have edges like a ruler.
    beside = 1 - np.clip((frame.ax - 1.1 * s) / (rng.uniform(2.6, 4.2) * s), 0, 1)
    cover += (1 - cover) * beside * np.float32(rng.uniform(0.55, 0.95)) * np.clip(inside / (1.2 * s), 0, 1)
    aorta = profile([-1, 0.16 * h, 0.24 * h, 0.6 * h, 1.2 * h], [-2, -2, 2.6 * s, 2.3 * s, 1.2 * s], 1.5)
    aorta = aorta + 0.7 * patient.unfolded * np.sin(AXIS / 5) + wobble(rng, 0.08, 2.0)
    cover += 0.16 * (1 - cover) * dome((aorta[frame.iy] - frame.x) / (1.2 * s)) * frame.left
    foot = int((h - AXIS[0]) / STEP)
    at = frame.sides(*(b[foot] + s * rng.uniform(-0.4, 1.2) for b in borders))
    much = frame.sides(*(rng.uniform(0, 0.35 + 0.3 * patient.build, 2)))
    fat = np.exp(-((frame.ax - at) ** 2) / (3.5 * s * s) - (frame.y - h - 0.6 * s) ** 2 / (3.5 * s * s)) * much
    return np.clip(np.maximum(cover, fat), 0, 1)


def _edge(t: np.ndarray) -> np.ndarray:
    """Onset between a chord and a step: hearts and domes are blunter than ellipsoids."""
    chord = dome(t)
    return 0.65 * chord + 0.35 * np.sqrt(chord)


def _heart_floor(frame: Frame, patient: Patient, height: float) -> np.ndarray:
    return height + patient.scale * (1.3 + 0.16 * (frame.x - 1.0))


def _airways(frame: Frame, patient: Patient, height: float) -> np.ndarray:
    """Trachea to the carina and main bronchi, as lengths of air; the aortic arch pushes the trachea to the right."""
    rng, s, pose = stream(patient.seed, "airways"), patient.scale, frame.pose
    carina = height * rng.uniform(0.27, 0.33)
    bend = rng.uniform(0.1, 0.5) * s + 0.4 * patient.unfolded
    centre = profile([-12, 0, 0.7 * carina, carina], [0, 0, -bend, -0.6 * bend], 2.0) + 0.5 * s * pose.axial
    radius = s * rng.uniform(0.80, 1.0) * np.interp(AXIS, [-9 * s, -4 * s], [0.6, 1]).astype(np.float32)
    air = np.zeros_like(frame.x)
    block = frame.slab(-4 * s, 4 * s, -30, carina + s)
    x, y, iy = frame.x[block], frame.y[block], frame.iy[block]
    r = radius[iy]
    q = np.maximum(1 - ((x - centre[iy]) / r) ** 2, 0)
    fade = np.clip((y + 10 * s) / (6 * s), 0, 1) * np.clip((carina + 0.5 - y) / (1.5 * s), 0, 1)
    air[block] = 2.0 * r * (0.6 * np.sqrt(q) + 0.4 * q) * fade
    x0, px, py, chords = centre[int((carina - AXIS[0]) / STEP)], [], [], []
    t, lines = np.linspace(0, 1, 60)[None, :], np.linspace(-0.9, 0.9, 9)[:, None]
    for sign, angle, length, wide in ((-1, 27, 5.0 * s, 0.66 * s), (1, 47, 5.4 * s, 0.58 * s)):
        a, across = np.deg2rad(angle + 6 * t * sign), lines * wide
        px.append(x0 + sign * np.sin(a) * length * t + across * np.cos(a))
        py.append(carina + np.cos(a) * length * t - sign * across * np.sin(a))
        chord = 2 * np.sqrt(wide**2 - across**2) * np.clip(t / 0.25, 0, 1) * (1 - 0.6 * t)
        chords.append(chord * (length / 60) * (1.8 * wide / 9))
    return air + splat(frame, np.stack(px), np.stack(py), np.stack(chords))


def _gas(frame: Frame, patient: Patient, below: np.ndarray) -> np.ndarray:
    """Stomach bubble below the left dome, with a level when erect, and a few loops of bowel gas."""
    rng, s, pose = stream(frame.pose.seed, "gas"), patient.scale, frame.pose
    gas = np.zeros_like(below)
    rows = np.flatnonzero((below > 0.3).any(1) & (frame.x > 0).any(1))
    if pose.gas == 0 or not rows.size:
        return gas
    block = slice(rows[0], frame.size)
    x, y = frame.x[block], below[block]
    cx, wide = s * rng.uniform(3.8, 7.5), s * rng.uniform(1.6, 3.6)
    tall = s * rng.uniform(1.3, 3.4) * pose.gas
    best = np.zeros_like(x)
    for _ in range(3):
        dx, dy = rng.uniform(-0.5, 0.5) * wide, 0.55 * s + tall * rng.uniform(0.35, 0.65)
        q = 1 - ((x - cx - dx) / (wide * rng.uniform(0.5, 0.9))) ** 2 - ((y - dy) / (0.5 * tall + 0.3)) ** 2
        best = np.maximum(best, q)
    best = rng.uniform(1.2, 3.0) * s * pose.gas * best ** np.float32(0.7)
    if pose.view == "PA":
        best = best * np.clip((0.55 * s + tall * 0.75 - y) / 0.25, 0, 1)
    for _ in range(int(rng.integers(0, 7 if patient.age_group == "adult" else 14))):
        bx, by, r = s * rng.uniform(-3, 11), s * rng.uniform(2.5, 10.0), s * rng.uniform(0.5, 1.5)
        q = 1 - ((x - bx) / (rng.uniform(0.8, 2.0) * r)) ** 2 - ((y - by) / r) ** 2
        best = best + rng.uniform(0.4, 1.0) * r * np.maximum(q, 0)
    gas[block] = best * (y > 0.3)
    return gas
