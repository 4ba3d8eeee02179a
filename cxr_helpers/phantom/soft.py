"""The inside of the chest: lungs, heart, mediastinum, diaphragm, airways, stomach.

Each function returns path lengths in cm along the beam. A lung is the chord of the thorax minus whatever fills it:
heart, great vessels, diaphragm; borders start like a chord, sqrt(2rd), which is why they are sharp on a radiograph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .body import draw_body
from .frame import (
    AXIS,
    ORIGIN,
    STEP,
    Frame,
    Grid,
    dome,
    profile,
    rounded,
    signed_product,
    splat,
    table_index,
    wobble,
)
from .patient import Patient, Pose, stream

# Half-width of the lungs against depth below the apex, as fractions of the largest; measured on radiographs.
RIM = 0.32  # cm of lung in front of and behind a border, where its chord is still thin: belongs to the lung mask
DEPTHS = (-0.02, 0.0, 0.035, 0.11, 0.28, 0.55, 0.85, 1.05, 1.4)
ADULT = (0.34, 0.40, 0.60, 0.735, 0.88, 0.965, 1.0, 1.0, 0.98)
CHILD = (0.28, 0.34, 0.46, 0.60, 0.78, 0.92, 1.0, 1.03, 1.0)


# Main bronchi, right and left: sign of x, angle from the vertical, length and half-width (cm), each (2, 1, 1); and
# where points lie along and across them.
BRONCHI = np.float32([[-1, 1], np.deg2rad([27, 47]), [5.0, 5.4], [0.66, 0.58]])[:, :, None, None]
ALONG = np.linspace(0, 1, 60, dtype=np.float32)
ACROSS = np.linspace(-0.9, 0.9, 9, dtype=np.float32)[:, None]


@dataclass(frozen=True)
class Chest:
    """Path lengths (cm, float32) and regions (bool), all (size, size). Introduced in lesson 01."""

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
    outer_right: np.ndarray  # table: half-width of the right lung against y
    outer_left: np.ndarray
    ctr: float
    lungs_height: float


@dataclass(frozen=True)
class Borders:
    """Borders of heart and mediastinum: tables of |x| against y, cm, and the cardiothoracic ratio."""

    right: np.ndarray
    left: np.ndarray
    ctr: float


def draw_chest(frame: Frame, patient: Patient) -> Chest:
    """Compute all soft-tissue path lengths of a patient in a pose. Introduced in lesson 01."""
    pose, rng, grid, s = frame.pose, stream(patient.seed, "chest"), frame.coarse, patient.scale
    height = patient.lung_height * pose.inspiration
    outer = _outlines(patient, height, rng)
    extent = grid.ax / grid.by_y(*outer)
    full = frame.enlarge(_lung_squared(grid, patient, extent, height))
    full = np.sqrt(full.clip(0, np.inf, out=full), out=full)
    extent = frame.enlarge(extent).clip(0, 1)
    coarse_below = grid.y - _domes(grid, patient, height, stream(pose.seed, "domes"))
    below = frame.enlarge(coarse_below)
    borders = _borders(patient, pose, height)
    inside = frame.enlarge(grid.by_y(borders.right, borders.left) - grid.ax)
    aerated = _beside_mediastinum(frame, patient, inside, borders, height)
    shut = _behind_domes(patient, below, frame.rows(coarse_below > 0))
    lung = full * aerated * shut
    wall = (full > 0.3) & (np.abs(frame.x) > 1.5 * s)
    field = wall & (inside < RIM * s) & (below < 0.6 * RIM * s)
    floor = (height + (1.3 - 0.16) * s) + 0.16 * s * frame.x
    heart = (inside > 0) & (frame.y > 0.40 * height) & (frame.y < floor)
    air = _airways(frame, patient, height)
    _add_gas(frame, patient, below, air)
    return Chest(
        tissue=draw_body(frame, patient, outer, height, rng),
        lung=lung,
        air=air,
        wall=wall,
        field=field,
        heart=heart,
        aerated=np.minimum(aerated, shut, out=shut),
        inside=inside,
        depth_below=below,
        extent=extent,
        outer_right=outer[0],
        outer_left=outer[1],
        ctr=borders.ctr,
        lungs_height=height,
    )


def _lung_squared(grid: Grid, patient: Patient, extent: np.ndarray, height: float) -> np.ndarray:
    """Square of the lung's chord before heart and diaphragm take their share; below zero outside; coarse."""
    s = patient.scale
    lateral = rounded((1 - extent) * 1.9)
    upper = rounded(_below_apex(grid, patient) / (3.2 * s))
    inner = rounded((grid.ax - 1.35 * s) / (1.6 * s))
    depth = profile([-1, 0, 0.3 * height, height, 1.4 * height], [0.55, 0.6, 0.85, 1.0, 0.95], 2.0)
    chord = depth * (0.76 * patient.depth)
    return signed_product(signed_product(lateral, upper), inner) * grid.by_y(chord * chord)


def _outlines(patient: Patient, height: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    knots = [d * height for d in DEPTHS]
    shape = np.asarray(ADULT) + patient.triangularity * (np.asarray(CHILD) - np.asarray(ADULT))
    sides = []
    for _ in range(2):
        width = patient.half_width * shape * rng.normal(1, 0.012, len(shape))
        sides.append(profile(knots, width, 1.6) + wobble(rng, 0.05, 3.0))
    return sides[0], sides[1]


def _below_apex(grid: Grid, patient: Patient) -> np.ndarray:
    """Depth below the rounded apex, whose top stands lateral to the midline."""
    top = 0.42 * patient.half_width * (1 - 0.15 * patient.triangularity)
    return grid.y - np.square(grid.ax - top) * (0.12 / patient.scale)


def _domes(grid: Grid, patient: Patient, height: float, rng: np.random.Generator) -> np.ndarray:
    """Height of the diaphragm, y in cm: highest in the middle, falling to the heart and to the costophrenic angle."""
    s, w, sides = patient.scale, patient.half_width, []
    for step in (0.0, patient.dome_step):
        peak = w * rng.uniform(0.46, 0.62)
        out = np.clip((AXIS - peak) / (w - peak), 0, 1)
        into = np.clip((peak - AXIS) / peak, 0, 1.6)
        drop = s * rng.uniform(3.2, 5.4) * (0.55 * out**2 + 0.45 * (1 - np.sqrt(1 - out**2)))
        lobe = s * max(0.0, rng.normal(-0.1, 0.25)) * np.sin(AXIS / (1.6 * s) + rng.uniform(0, 6))
        sides.append(height + step + drop + s * rng.uniform(0.9, 3.0) * into**2 + lobe + wobble(rng, 0.07, 2.8))
    return grid.by_x(*(side.astype(np.float32) for side in sides))


def _borders(patient: Patient, pose: Pose, height: float) -> Borders:
    """Right and left border of heart and mediastinum, and the cardiothoracic ratio.

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
    return Borders(rights + rough[0] - turn, lefts + rough[1] + turn, ratio)


def _beside_mediastinum(
    frame: Frame, patient: Patient, inside: np.ndarray, borders: Borders, height: float
) -> np.ndarray:
    """Share of the lung chord that heart, great vessels, descending aorta and the fat at the heart's foot leave."""
    rng, s, h = stream(patient.seed, "cover"), patient.scale, height
    places, shares = [0, 0.12 * h, 0.25 * h, 0.45 * h, 0.75 * h, h], [0.36, 0.48, 0.58, 0.66, 0.78, 0.80]
    row = table_index(frame.y[:, frame.size // 2])  # what changes slowly downwards is taken as the same along a row
    size = profile(places, shares, 1.5)[row][:, None]
    radius = profile([0, 0.3 * h, 0.8 * h], [3.4 * s, 3.0 * s, 4.8 * s], 1.5)[row][:, None]
    chord = dome(inside / radius)
    blunt = rng.uniform(0.0, 0.7)
    left = chord * (blunt - 1)
    left -= blunt
    left *= chord
    left *= size
    left += 1
    # Lung behind the heart thins out towards the spine; without this the column would have edges like a ruler.
    wide = rng.uniform(2.6, 4.2) * s
    beside = np.abs(frame.x) * (-1 / wide)
    beside += 1 + 1.1 * s / wide
    beside.clip(0, 1, out=beside)
    beside *= np.clip(inside / (1.2 * s), 0, 1)
    beside *= -rng.uniform(0.55, 0.95)
    beside += 1
    left *= beside
    aorta = profile([-1, 0.16 * h, 0.24 * h, 0.6 * h, 1.2 * h], [-2, -2, 2.6 * s, 2.3 * s, 1.2 * s], 1.5)
    aorta = aorta + 0.7 * patient.unfolded * np.sin(AXIS / 5) + wobble(rng, 0.08, 2.0)
    block = frame.slab(0, float(aorta.max()))
    x = frame.x[block]
    trunk = dome((aorta.take(table_index(frame.y[block])) - x) / (1.2 * s))
    left[block] *= 1 - 0.16 * trunk * (x > 0)
    _leave_fat(frame, patient, borders, h, rng, left)
    return left.clip(0, 1, out=left)


def _leave_fat(
    frame: Frame, patient: Patient, borders: Borders, height: float, rng: np.random.Generator, left: np.ndarray
) -> None:
    """Take from `left`, the share of lung, what the fat at the heart's foot fills."""
    s, foot, reach = patient.scale, int((height - ORIGIN) / STEP), 6.0 * patient.scale
    at = [border[foot] + s * rng.uniform(-0.4, 1.2) for border in (borders.right, borders.left)]
    much = rng.uniform(0, 0.35 + 0.3 * patient.build, 2)
    for sign, place, share in zip((-1, 1), at, much, strict=True):
        middle = float(sign * place)
        near, far = sorted((middle - sign * min(reach, float(place)), middle + sign * reach))
        block = frame.slab(near, far, height + 0.6 * s - reach, height + 0.6 * s + reach)
        away = np.square(frame.x[block] - middle)
        away += np.square(frame.y[block] - (height + 0.6 * s))
        fat = np.exp(away * (-1 / (3.5 * s * s)))
        fat *= -share
        fat += 1
        np.minimum(left[block], fat, out=left[block])


def _behind_domes(patient: Patient, below: np.ndarray, rows: slice) -> np.ndarray:
    """Share of the lung chord that the diaphragm leaves; domes are blunter than ellipsoids: between chord and step."""
    shut = np.ones_like(below)
    deep = below[rows]
    chord = dome(deep / (3.2 * patient.scale))
    taken = np.sqrt(chord)
    taken *= 0.35 * 0.80
    chord *= 0.65 * 0.80
    taken += chord
    taken += np.clip(deep / 9, 0, 0.2)
    shut[rows] -= taken
    return shut


def _airways(frame: Frame, patient: Patient, height: float) -> np.ndarray:
    """Trachea to the carina and main bronchi, as lengths of air; the aortic arch pushes the trachea to the right."""
    rng, s, pose = stream(patient.seed, "airways"), patient.scale, frame.pose
    carina = height * rng.uniform(0.27, 0.33)
    bend = rng.uniform(0.1, 0.5) * s + 0.4 * patient.unfolded
    centre = profile([-12, 0, 0.7 * carina, carina], [0, 0, -bend, -0.6 * bend], 2.0) + 0.5 * s * pose.axial
    radius = s * rng.uniform(0.80, 1.0) * np.interp(AXIS, [-9 * s, -4 * s], [0.6, 1])
    x0 = centre[int((carina - ORIGIN) / STEP)]
    sign, angle, long, wide = (column * s if k > 1 else column for k, column in enumerate(BRONCHI))
    a, across, way = angle + np.deg2rad(6) * sign * ALONG, ACROSS * wide, ALONG * long
    sine, cosine = np.sin(a), np.cos(a)
    x = x0 + sign * (sine * way) + across * cosine
    y = carina + cosine * way - sign * (across * sine)
    chord = 2 * wide * np.sqrt(1 - ACROSS * ACROSS) * (np.clip(ALONG / 0.25, 0, 1) * (1 - 0.6 * ALONG))
    air = splat(frame, x, y, chord * (long / ALONG.size * 1.8 / ACROSS.size * wide))
    block = frame.slab(-4 * s, 4 * s, -np.inf, carina + s)
    y, at = frame.y[block], table_index(frame.y[block])
    r = radius.astype(np.float32).take(at)
    inside = np.maximum(1 - np.square((frame.x[block] - centre.take(at)) / r), 0)
    fade = np.clip((y + 10 * s) / (6 * s), 0, 1) * np.clip((carina + 0.5 - y) / (1.5 * s), 0, 1)
    air[block] += 2 * r * (0.6 * np.sqrt(inside) + 0.4 * inside) * fade
    return air


def _add_gas(frame: Frame, patient: Patient, below: np.ndarray, air: np.ndarray) -> None:
    """Stomach bubble below the left dome, with a level when erect, and a few loops of bowel gas, added to `air`."""
    rng, s, pose = stream(frame.pose.seed, "gas"), patient.scale, frame.pose
    first = np.flatnonzero((below > 0.3).any(1) & (frame.x[:, -1] > 0))
    if pose.gas == 0 or not first.size:
        return
    abdomen = slice(first[0], frame.size)
    cx, wide = s * rng.uniform(3.8, 7.5), s * rng.uniform(1.6, 3.6)
    tall = s * rng.uniform(1.3, 3.4) * pose.gas
    stomach = (abdomen, frame.slab(cx - 1.4 * wide, cx + 1.4 * wide)[1])
    x, y = frame.x[stomach], below[stomach]
    bubble = np.zeros_like(x)
    for _ in range(3):
        dx, dy = rng.uniform(-0.5, 0.5) * wide, 0.55 * s + tall * rng.uniform(0.35, 0.65)
        lobe = _oval(x, y, cx + dx, dy, wide * rng.uniform(0.5, 0.9), 0.5 * tall + 0.3)
        np.maximum(bubble, lobe, out=bubble)
    bubble **= 0.7
    bubble *= rng.uniform(1.2, 3.0) * s * pose.gas
    if pose.view == "PA":
        bubble *= np.clip((0.55 * s + tall * 0.75 - y) * 4, 0, 1)
    bubble *= y > 0.3
    air[stomach] += bubble
    x, y = frame.x[abdomen], below[abdomen]
    loops = np.zeros_like(x)
    for _ in range(int(rng.integers(0, 7 if patient.age_group == "adult" else 14))):
        bx, by, r = s * rng.uniform(-3, 11), s * rng.uniform(2.5, 10.0), s * rng.uniform(0.5, 1.5)
        across = rng.uniform(0.8, 2.0) * r
        columns = frame.slab(bx - across, bx + across)[1]
        loop = _oval(x[:, columns], y[:, columns], bx, by, across, r)
        loops[:, columns] += rng.uniform(0.4, 1.0) * r * loop.clip(0, 1)
    loops *= y > 0.3
    air[abdomen] += loops


def _oval(x: np.ndarray, y: np.ndarray, cx: float, cy: float, wide: float, tall: float) -> np.ndarray:
    """1 in the centre of an ellipse, 0 on its border, negative outside."""
    across = np.square((x - cx) / wide)
    across += np.square((y - cy) / tall)
    return np.subtract(1, across, out=across)
