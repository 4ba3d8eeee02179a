"""Bones: ribs, clavicles, spine, scapulae, humeri, as centimetres of bone beyond soft tissue.

Ribs are loops in space, x = A(y) sin θ, z = −B cos θ, falling with θ; each is a tube with a dense rim. A point of the
loop carries thickness × ds / |dx|, so the bright line where a rib turns along the beam comes by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from .frame import AXIS, ORIGIN, SPAN, STEP, Frame, Tubes, dome, ribbon, smooth, table_index, wobble
from .patient import Patient, stream
from .soft import Chest

_V = np.linspace(-SPAN, SPAN, 93)


def _tube(inner: float, core: float, skew: float = 0.0) -> np.ndarray:
    """Table of the chord of a tube over relative height: dense rim outside `inner`, spongy core inside."""
    whole = np.sqrt(np.clip(1 - _V**2, 0, 1))
    hollow = np.sqrt(np.clip(1 - ((_V - skew) / inner) ** 2, 0, 1)) * inner
    shape = whole - (1 - core) * hollow
    kernel = np.hanning(13)[1:-1]
    return np.convolve(shape, kernel / kernel.sum(), "same").astype(np.float32)


RIB = _tube(0.84, 0.36, -0.08)
CLAVICLE = _tube(0.80, 0.50)


# Of the twelve ribs, right and left: number, which table of outlines, fall, angle of the front end (degrees), length of
# the radius, thickness, how flat a rib lies where it turns, and one over the range of angles in which it does.
_RIB = np.tile(np.arange(12.0), 2)
_SIDE = np.repeat([0, len(AXIS)], 12)
_FALL = np.interp(_RIB, [0, 1, 3, 6, 11], [0.62, 0.72, 0.88, 1.0, 1.1])
_END = np.interp(_RIB, [0, 1, 5, 7, 9, 11], [158, 156, 148, 136, 118, 80])
_SHORT = np.interp(_RIB, [0, 1, 2, 12], [0.90, 0.97, 1, 1])
_THICK = np.interp(_RIB, [0, 1, 2], [0.5, 0.75, 1])
_FLAT = np.interp(_RIB, [0, 1, 3, 5], [1, 0.97, 0.75, 0.3]).astype(np.float32)[:, None]
_PER_RANGE = (1 / np.interp(_RIB, [1, 4], [0.42, 0.2])).astype(np.float32)[:, None]


def draw_bones(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Return the bone thickness, (size, size) float32 in cm of bone excess. Introduced in lesson 01."""
    bone = chest.aerated * 0.62
    bone += 0.38
    bone *= _ribs(frame, patient, chest)
    rows, clavicles = _clavicles(frame, patient)
    bone[rows] += clavicles
    _add_spine(frame, patient, chest, bone)
    _add_shoulders(frame, patient, bone)
    bone *= patient.bone
    return bone


def _ribs(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """All ribs of both sides; two soft sheets of cortex a few millimetres apart, as one drawing shifted both ways."""
    rows, drawn = ribbon(frame, _rib_tubes(frame, patient, chest), RIB)
    apart = 0.75 * 0.18 * patient.scale / frame.px
    weights = np.clip(1.5 - np.abs(np.arange(int(np.ceil(1.5 + apart))) - apart), 0, 1)
    cap = 0.85 * patient.scale
    total = smooth(drawn, weights / ((2 * weights.sum() - weights[0]) * cap), 0)
    root = np.square(total)
    root += 1
    np.sqrt(root, out=root)
    total *= 2.5 * cap
    total /= root
    whole = np.zeros_like(chest.lung)
    whole[rows] = total.T
    return whole


@dataclass(frozen=True)
class _Draws:
    """What is random in the ribs of one side, or of both one below the other; one row per rib."""

    start: np.ndarray
    fall: np.ndarray
    end: np.ndarray
    tilt: np.ndarray
    droop: np.ndarray
    bumps: np.ndarray
    radius: np.ndarray
    thick: np.ndarray
    half: np.ndarray


def _draw_side(rng: np.random.Generator) -> list[np.ndarray]:
    start, fall, end = rng.normal(0, 0.08, 12), rng.normal(1, 0.06, 12), rng.normal(0, 5, 12)
    tilt, droop = np.full(12, rng.uniform(0.15, 0.5)), np.full(12, rng.uniform(0.05, 0.25))
    bumps, radius = rng.normal(0, 0.14, (12, 3)), rng.normal(1, 0.010, 12)
    return [start, fall, end, tilt, droop, bumps, radius, rng.normal(0, 1, 12), rng.normal(1, 0.08, 12)]


def _rib_tubes(frame: Frame, patient: Patient, chest: Chest) -> Tubes:
    """Twelve loops of each side, arrays (24, points).

    A loop in a tilted plane falls as 1 - cos θ; real ribs lie between that and an even fall. The chest is flatter at
    its sides than an ellipse: ribs run along the wall and overlap there.
    """
    rng, s = stream(patient.seed, "ribs"), patient.scale
    drawn = _Draws(*(np.concatenate(both) for both in zip(_draw_side(rng), _draw_side(rng), strict=True)))
    spacing = patient.rib_spacing * frame.pose.inspiration
    start = -0.5 * s - 0.1 * spacing + _RIB * spacing + drawn.start * spacing
    drop = patient.rib_drop * _FALL * drawn.fall
    end = np.deg2rad(_END + drawn.end)
    lateral = start + drop
    outer = np.concatenate([chest.outer_right, chest.outer_left])
    first = 1.6 * s / (1.43 * outer.take(table_index(lateral) + _SIDE))
    theta = _even(first, end, max(150, int(150 * frame.size / 224)))

    start, drop, end, lateral, tilt, droop = _columns(
        start, drop, end, np.maximum(lateral, 1.2 * s), drawn.tilt, np.minimum(_RIB, 2) * drawn.droop * s
    )
    bumps = [_columns(drawn.bumps[:, k] * s)[0] for k in range(3)]
    across, along, q = np.sin(theta), np.cos(theta), theta * (2 / np.pi)
    y = start + drop * (tilt * (1 - along) + (1 - tilt) * q)
    y -= droop * np.sin(np.pi * np.minimum(q * 1.6, 1))
    for k, bump in enumerate(bumps):
        y += bump * np.sin(theta * (k + 1.3) + bump * 9)
    at = table_index(lateral + 0.6 * (y - lateral))
    at += _SIDE[:, None]
    (reach,) = _columns(_SHORT * drawn.radius)
    radius = (outer.take(at) + 0.30 * s) * reach
    x = radius * (0.25 * across + 0.75 * np.sin((np.pi / 2) * across))
    step = _step_lengths(x, y, along * (0.50 * patient.depth))

    front = np.maximum(q - 1, 0)
    thick, height = _columns(s * (0.66 + 0.07 * drawn.thick) * _THICK, patient.rib_height * drawn.half)
    half = height * (0.84 + 0.24 * across + 0.28 * np.minimum(front, 1))
    # High ribs lie flat where they turn: without this, all their mass there falls on one column.
    mass = 1 - _FLAT * np.exp(-np.square((q - 1) * _PER_RANGE))
    mass *= 1 - 0.18 * q
    mass *= np.clip((end - theta) / 0.30, 0, 1)
    mass *= np.maximum(1 - 0.22 * front, 0.3)
    mass *= thick * step
    for neck in (0, 12):  # the first rib's neck hides behind the transverse process
        mass[neck] *= np.clip((q[neck] - q[neck, 0]) / 0.6, 0.15, 1)
    x[:12] *= -1
    x += patient.curve * np.sin(y / 6)
    return Tubes(x, y, half, mass)


def _columns(*values: np.ndarray) -> list[np.ndarray]:
    """One value per rib, to stand beside its points."""
    return [value.astype(np.float32)[:, None] for value in values]


def _step_lengths(*axes: np.ndarray) -> np.ndarray:
    """Distance in space from each point of a line to the next, 0 for the last."""
    total = np.zeros_like(axes[0])
    for axis in axes:
        total[:, :-1] += np.square(axis[:, 1:] - axis[:, :-1])
    return np.sqrt(total, out=total)


_ANGLES = np.linspace(0, np.pi, 400)
_WAY = np.cumsum(np.abs(np.cos(_ANGLES)) + 0.18)


def _even(first: np.ndarray, last: np.ndarray, points: int) -> np.ndarray:
    """Angles from `first` to `last` (ribs), about evenly spaced in the image: denser where a rib crosses it fast."""
    low, high = np.interp(np.stack([first, last]), _ANGLES, _WAY)[:, :, None]
    return np.interp(low + (high - low) * np.linspace(0, 1, points), _WAY, _ANGLES).astype(np.float32)


@dataclass(frozen=True)
class _Line:
    """A clavicle from its medial end (t = 0) to its lateral one, arrays of points, for lengths of 1."""

    t: np.ndarray
    sway: np.ndarray
    sway_slope: np.ndarray
    half: np.ndarray
    mass: np.ndarray


@lru_cache(maxsize=8)
def _clavicle_line(points: int) -> _Line:
    """The shape that all clavicles have in common."""
    t = np.linspace(0, 1, points)
    sway = 0.9 * np.sin(np.pi * np.clip(2 * t - 1, 0, 1)) - 0.5 * np.sin(np.pi * np.minimum(t * 1.6, 1))
    ends = np.clip((1 - t) / 0.03, 0, 1) * np.clip(t / 0.03, 0, 1)
    half = 0.43 + 0.62 * np.exp(-t / 0.12) + 0.14 * t**3
    return _Line(t, sway, np.gradient(sway, t), half, (1.1 - 0.3 * t) * ends / (points - 1))


def _clavicles(frame: Frame, patient: Patient) -> tuple[slice, np.ndarray]:
    """S-shaped bones from the sternum up to the shoulder, and their rows; they lie above the apices in AP views."""
    rng, s, pose = stream(patient.seed, "clavicle"), patient.scale, frame.pose
    low = s * rng.uniform(3.2, 5.8) - (1.9 * s if pose.view == "AP" else 0)
    thin, bow = rng.uniform(0.85, 1.1), rng.uniform(0.2, 1.0)
    sign, arm = np.array([[-1.0], [1.0]]), np.array([[pose.arm_right], [pose.arm_left]])
    random = [(rng.uniform(1.5, 2.6), rng.normal(0, 0.25)) for _ in sign]
    fall, lift = np.array(random).T[:, :, None]
    medial, lateral = 1.35 * s, patient.shoulder - 0.2 * s
    end = patient.shoulder_y - s * fall - 2.2 * s * np.maximum(0, arm - 60) / 60
    here = low + s * (lift - 0.8 * sign * pose.axial)
    line = _clavicle_line(max(200, frame.size))
    y = here + (end - here) * line.t + bow * s * line.sway
    slope = ((end - here) + bow * s * line.sway_slope) / (lateral - medial)
    half = thin * s * line.half * np.sqrt(slope * slope + 1)
    mass = np.broadcast_to(1.35 * s * (lateral - medial) * line.mass, y.shape)
    x = sign * (medial + (lateral - medial) * line.t) + 0.85 * s * pose.axial
    rows, drawn = ribbon(frame, Tubes(*(a.astype(np.float32) for a in (x, y, half, mass))), CLAVICLE)
    return rows, drawn.T


def _add_spine(frame: Frame, patient: Patient, chest: Chest, whole: np.ndarray) -> None:
    """Add vertebral bodies with end plates, discs, pedicles, spinous and transverse processes.

    Discs and processes blur with age and weight, and below the carina the beam that shows the lungs hardly
    penetrates; that is why the column fades behind the heart.
    """
    rng, s, pose = stream(patient.seed, "spine"), patient.scale, frame.pose
    block = frame.slab(-5.2 * s, 5.2 * s)
    tables = np.stack(_vertebrae(patient, chest.lungs_height, rng), dtype=np.float32)
    y = frame.y[block]
    centre, per_width, bulk, edge, pedicle, spinous, transverse = tables.take(table_index(y), axis=1)
    d = (frame.x[block] - centre) * per_width
    a = np.abs(d)
    bone = np.maximum(1 - d * d, 0)
    bone *= bulk + edge
    ring = np.square((a - 0.60) * 5)
    np.negative(ring, out=ring)
    bone += pedicle * (np.exp(ring) - 0.45 * np.exp(3.5 * ring))
    bone += spinous * np.exp(-np.square((d + 0.18 * pose.axial) / 0.17))
    transverse *= dome((a - 0.7) * 2)
    transverse *= np.clip((2 - a) * 1.5, 0, 1)
    bone += transverse
    bone *= np.clip((y + 16 * s) * (0.64 * s / 3), 0, 0.64 * s)
    whole[block] += bone


def _vertebrae(patient: Patient, height: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Tables against y: centre, one over the half-width, body, end plates, pedicles, spinous, transverse processes."""
    s = patient.scale
    centre = patient.curve * np.sin(AXIS / 6.0) + wobble(rng, 0.07, 2.5)
    centre = centre + rng.normal(0, 0.018) * np.clip(-AXIS / s, 0, 12) ** 2 / (1 + 0.05 * np.abs(AXIS))
    tall = s * np.interp(AXIS, [-12 * s, 0, 22 * s, 35 * s], [1.55, 1.95, 2.55, 2.9])
    above = (ORIGIN + 32) / (1.55 * s)  # vertebrae are counted from 32 cm above the apices
    number = np.cumsum(STEP / tall) + (above + rng.uniform(0, 1))
    which = number.astype(int)
    f = (number - which).astype(np.float32)
    crisp = rng.uniform(0.4, 0.85) * (1.0 if patient.age_group == "adult" else 1.3)
    wide = s * np.interp(AXIS, [-12 * s, 0, 4 * s, 24 * s], [1.25, 1.50, 1.45, 1.95]) + wobble(rng, 0.13, 1.8)
    wide *= 0.90 + 0.22 * np.abs(2 * f - 0.84)
    body = np.clip(np.minimum(f / 0.08, (0.84 - f) / 0.08), 0, 1)
    plate = _bump(f, 0.05, 0.045) + _bump(f, 0.79, 0.045)
    level = (1 + 0.12 * rng.normal(0, 1, 400))[which]
    fade = np.interp(AXIS, [0, 0.3 * height, 0.7 * height], [1, 0.9, rng.uniform(0.65, 1.0)])
    level *= fade
    bulk = 1.85 * (1 - 0.6 * crisp * np.clip((AXIS + 6 * s) / (9 * s), 0.2, 1) * (1 - body)) * level
    pedicle, spinous, transverse = (
        _bump(f, at, size) * (crisp * fade) for at, size in ((0.30, 0.14), (0.70, 0.22), (0.32, 0.13))
    )
    return [centre, 1 / wide, bulk, 0.36 * crisp * plate * level, pedicle, spinous, 0.55 * transverse]


def _bump(f: np.ndarray, at: float, size: float) -> np.ndarray:
    return np.exp(-np.square((f - at) / size))


def _add_shoulders(frame: Frame, patient: Patient, whole: np.ndarray) -> None:
    """Add scapulae and humeri of both sides, each with its own small differences."""
    for sign, degrees in ((-1, frame.pose.arm_right), (1, frame.pose.arm_left)):
        rng = stream(patient.seed, "scapula", sign + 1)
        lift = min(max((degrees - 60) / 80, 0.0), 1.0)
        out = frame.pose.protraction + 0.5 * lift
        above = -3.2 if degrees < 80 else -np.inf
        parts = [
            (_Reach(-3.2, np.inf, above, np.inf), partial(_humerus, degrees=degrees)),
            (_Reach(-12, 0.6, -3.2, 13.5), partial(_blade, out=out, rng=rng)),
            (_Reach(-7, 1.7, -4.5, 6), partial(_processes, out=out)),
        ]
        for reach, draw in parts:
            _add_at_joint(frame, patient, sign, lift, reach, draw, whole)


@dataclass(frozen=True)
class _Reach:
    """How far a bone reaches from the shoulder joint: lateral and downward, in units of the patient's scale."""

    near: float
    far: float
    top: float
    bottom: float


def _add_at_joint(
    frame: Frame, patient: Patient, sign: int, lift: float, reach: _Reach, draw: Callable, whole: np.ndarray
) -> None:
    """Add a bone of the shoulder, which `draw` gives in coordinates of the joint, lateral and downward."""
    s, x, y = patient.scale, patient.shoulder, patient.shoulder_y - 1.5 * lift * patient.scale
    near, far = sorted((sign * (x + reach.near * s), sign * (x + reach.far * s)))
    block = frame.slab(near, far, y + reach.top * s, y + reach.bottom * s)
    dx = frame.x[block] * (sign / s) - x / s
    dy = frame.y[block] / s - y / s
    whole[block] += draw(dx, dy) * (2.4 * s)


def _humerus(dx: np.ndarray, dy: np.ndarray, degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    c, q = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    hx, hy = dx - 0.9, dy - 0.6
    head = np.maximum(1 - (hx * hx + hy * hy) / 2.25**2, 0)
    along, across = hx * q + hy * c, hx * c - hy * q
    across /= 1.12 + 0.75 * np.exp(np.maximum(along, 0) * (-1 / 1.8))
    across *= across
    shaft = np.sqrt(np.maximum(1 - across, 0))
    shaft -= 0.52 * np.sqrt(np.maximum(1 - across / 0.62**2, 0))
    shaft *= np.clip(along * (2.2 / 1.2), 0, 2.2)
    ball = np.sqrt(head)
    ball *= 1.05 - 1.05 * 0.35 * ball
    ball += 0.22 * (head > 0) * np.exp(head * -9)
    knob = np.square(hx - 1.5) + np.square(hy - 0.2)
    return np.maximum(ball, shaft) + 0.5 * np.exp(knob * (-1 / 0.6))


def _blade(dx: np.ndarray, dy: np.ndarray, out: float, rng: np.random.Generator) -> np.ndarray:
    """A scapula's thin blade with thick borders."""
    top_x, low_x = -6.6 + 1.9 * out + 0.3 * rng.normal(), -6.6 + 2.3 * out + 0.6 * rng.normal()
    low_y = 11.5 + rng.normal(0, 0.6)
    down = (dy + 2) / (low_y + 2)
    inner = dx - top_x - (low_x - top_x) * down.clip(-0.3, 1.3)
    inner += 0.5 * np.sin(np.pi * down.clip(0, 1))
    down = (dy - 1.5) / (low_y - 1.5)
    outer = (low_x + 2.7) * down.clip(-0.6, 1.2) - 1.3 - dx
    outer -= 0.7 * np.sin(np.pi * down.clip(0, 1))
    # Only the lateral border is thick: the medial and upper ones fade out, as a blade seen face on does.
    upper = dy + (2 + 0.35 * top_x) - 0.35 * dx
    d = np.minimum(np.minimum(0.22 * inner, outer), 0.35 * upper)
    left = low_y - dy
    np.minimum(d, 0.5 * (left + 0.4), out=d)
    edge = np.exp(-np.square((outer - 0.40) / 0.45))
    edge *= np.clip((dy + 1.5) * (0.42 / 2), 0, 0.42)
    edge *= np.clip(left / 5, 0, 1)
    edge += np.clip(left * (0.50 / 6), 0, 0.50)
    edge *= np.clip(d / 0.3, 0, 1)
    return edge


def _processes(dx: np.ndarray, dy: np.ndarray, out: float) -> np.ndarray:
    """A scapula's spine running to the acromion, glenoid rim, coracoid and neck."""
    line = dy + 0.36 * dx
    line += 0.2 + 0.36 * 4.5
    line /= 0.45 + 0.10 * np.clip(dx + 3, 0, 5)
    spine = np.exp(-np.square(line))
    spine *= np.clip((dx + (5.6 - out)) * 0.5, 0, 1)
    spine *= np.clip((1.6 - dx) * (0.55 / 0.5), 0, 0.55)
    glenoid = np.square((dx + 1.25) / 0.28)
    glenoid += np.square((dy - 0.7) / 1.7)
    spine += 0.65 * np.exp(-glenoid)
    coracoid = _disc(dx, dy, -2.3, -0.5, 0.95, 0.62)
    spine += 0.55 * np.sqrt(coracoid)
    spine += 0.5 * _disc(dx, dy, -2.4, 1.0, 1.5, 1.9)
    return spine


def _disc(dx: np.ndarray, dy: np.ndarray, x: float, y: float, wide: float, tall: float) -> np.ndarray:
    across, down = (dx - x) / wide, (dy - y) / tall
    return np.maximum(1 - across * across - down * down, 0)
