"""Bones: ribs, clavicles, spine, scapulae, humeri, as centimetres of bone beyond soft tissue.

Ribs are loops in space, x = A(y) sin θ, z = −B cos θ, falling with θ; each is a tube with a dense rim. A point of the
loop carries thickness × ds / |dx|, so the bright line where a rib turns along the beam comes by itself.
"""

from __future__ import annotations

import numpy as np

from .frame import AXIS, SPAN, STEP, Frame, dome, ribbon, wobble
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


def draw_bones(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Return the bone thickness, (size, size) float32 in cm of bone excess. Introduced in lesson 01."""
    bone = _ribs(frame, patient, chest) * (1 - 0.62 * chest.solid) + _clavicles(frame, patient)
    bone += _spine(frame, patient, chest)
    return (bone + _shoulders(frame, patient)) * patient.bone


def _ribs(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """All ribs of both sides; two soft sheets of cortex a few millimetres apart, as one drawing shifted both ways."""
    rng, s = stream(patient.seed, "ribs"), patient.scale
    points, outers = max(150, int(150 * frame.size / 224)), (chest.outer_right, chest.outer_left)
    both = [_loops(patient, frame.pose.inspiration, outer, points, rng) for outer in outers]
    theta, y, radius, thick, half = (np.concatenate([b[k] for b in both]).astype(np.float32) for k in range(5))
    # The chest is flatter at its sides than an ellipse: ribs run along the wall and overlap there.
    across = np.sin(theta)
    x = radius * (0.25 * across + 0.75 * np.sin(np.float32(np.pi / 2) * across))
    dx, dy = np.diff(x, append=x[:, -1:]), np.diff(y, append=y[:, -1:])
    dz = np.diff(np.cos(theta), append=np.cos(theta[:, -1:])) * np.float32(0.50 * patient.depth)
    x *= np.repeat(np.float32([-1, 1]), 12)[:, None]
    x += np.float32(patient.curve) * np.sin(y / 6)
    drawn = ribbon(frame, x, y, half, thick * np.sqrt(dx * dx + dy * dy + dz * dz), RIB)
    apart = 0.18 * s / frame.px
    reach = int(np.ceil(apart)) + 1
    wide = np.pad(drawn, ((0, 0), (reach, reach)))
    n, total = frame.size, np.zeros_like(drawn)
    shifts = np.arange(-reach, reach + 1)
    weights = np.clip(1.5 - np.abs(np.abs(shifts) - 0.75 * apart), 0, 1)
    for shift, weight in zip(shifts, np.float32(weights / weights.sum()), strict=True):
        if weight > 0:
            total += weight * wide[:, reach + shift : reach + shift + n]
    cap = np.float32(0.85 * s)
    total /= cap
    return (2.5 * cap) * total / np.sqrt(1 + total * total)


def _loops(patient: Patient, breath: float, outer: np.ndarray, points: int, rng) -> tuple[np.ndarray, ...]:
    """Twelve loops of one side: angle θ, height y, radius A(y), thickness and half-height, arrays (12, points), cm.

    A loop in a tilted plane falls as 1 - cos θ; real ribs lie between that and an even fall.
    """
    s, rib = patient.scale, np.arange(12)
    spacing = patient.rib_spacing * breath
    start = -0.5 * s - 0.1 * spacing + rib * spacing + rng.normal(0, 0.08 * spacing, 12)
    drop = patient.rib_drop * np.interp(rib, [0, 1, 3, 6, 11], [0.62, 0.72, 0.88, 1.0, 1.1]) * rng.normal(1, 0.06, 12)
    end = np.deg2rad(np.interp(rib, [0, 1, 5, 7, 9, 11], [158, 156, 148, 136, 118, 80]) + rng.normal(0, 5, 12))
    first = 1.6 * s / (1.43 * np.interp(start + drop, AXIS, outer))[:, None]
    theta = _even(first[:, 0], end, points)
    q = theta / np.float32(np.pi / 2)
    tilt = rng.uniform(0.15, 0.5)
    fall = tilt * (1 - np.cos(theta)) + (1 - tilt) * q
    y = (
        start[:, None]
        + drop[:, None] * fall
        - np.minimum(rib, 2)[:, None] * (rng.uniform(0.05, 0.25) * s) * np.sin(np.pi * np.clip(q * 1.6, 0, 1))
    )
    bump = rng.normal(0, 0.14 * s, (12, 3))
    y = y + sum(bump[:, [k]] * np.sin((k + 1.3) * theta + bump[:, [k]] * 9) for k in range(3))
    lateral = np.maximum(start + drop, 1.2 * s)[:, None]
    index = np.clip((lateral + 0.6 * (y - lateral) - AXIS[0]) / STEP, 0, len(AXIS) - 1).astype(np.intp)
    short = np.interp(rib, [0, 1, 2, 12], [0.90, 0.97, 1, 1])[:, None] * rng.normal(1, 0.010, (12, 1))
    thick = (
        s * ((0.66 + 0.07 * rng.normal(0, 1, 12)) * np.interp(rib, [0, 1, 2], [0.5, 0.75, 1]))[:, None] * (1 - 0.18 * q)
    )
    half = (
        patient.rib_height
        * rng.normal(1, 0.08, 12)[:, None]
        * (0.84 + 0.24 * np.sin(theta) + 0.28 * np.clip(q - 1, 0, 1))
    )
    # High ribs lie flat where they turn: without this, all their mass there falls on one column.
    turning = np.interp(rib, [0, 1, 3, 5], [1, 0.97, 0.75, 0.3])[:, None]
    wide = np.interp(rib, [1, 4], [0.42, 0.2])[:, None]
    thick = thick * (1 - turning * np.exp(-(((q - 1) / wide) ** 2))) * np.clip((end[:, None] - theta) / 0.30, 0, 1)
    thick = thick * np.where(q > 1, np.clip(1 - 0.22 * (q - 1), 0.3, 1), 1)
    thick[0] *= np.clip((q[0] - q[0, 0]) / 0.6, 0.15, 1)  # the first rib's neck hides behind the transverse process
    return theta, y, (outer[index] + 0.30 * s) * short, thick, half


def _even(first: np.ndarray, last: np.ndarray, points: int) -> np.ndarray:
    """Angles from `first` to `last` (ribs), about evenly spaced in the image: denser where a rib crosses it fast."""
    grid = np.linspace(0, np.pi, 400)
    way = np.cumsum(np.abs(np.cos(grid)) + 0.18)
    ends = np.interp(np.stack([first, last]), grid, way)
    steps = ends[0][:, None] + (ends[1] - ends[0])[:, None] * np.linspace(0, 1, points)[None, :]
    return np.interp(steps, way, grid).astype(np.float32)


def _clavicles(frame: Frame, patient: Patient) -> np.ndarray:
    """S-shaped bones from the sternum up to the shoulder; they lie above the apices in AP views."""
    rng, s, pose = stream(patient.seed, "clavicle"), patient.scale, frame.pose
    t = np.linspace(0, 1, max(200, frame.size))
    low = s * rng.uniform(3.2, 5.8) - (1.9 * s if pose.view == "AP" else 0)
    thin, bow, lines = rng.uniform(0.85, 1.1), rng.uniform(0.2, 1.0), []
    for sign, arm in ((-1, pose.arm_right), (1, pose.arm_left)):
        end_x = patient.shoulder - 0.2 * s
        end_y = patient.shoulder_y - s * rng.uniform(1.5, 2.6) - 2.2 * s * max(0.0, arm - 60) / 60
        here = low + s * (rng.normal(0, 0.25) - 0.8 * sign * pose.axial)
        x = 1.35 * s + (end_x - 1.35 * s) * t + 0.35 * s * pose.axial * sign
        sway = 0.9 * np.sin(np.pi * np.clip((t - 0.5) / 0.5, 0, 1)) - 0.5 * np.sin(np.pi * np.clip(t * 1.6, 0, 1))
        y = here + (end_y - here) * t + bow * s * sway
        slope = np.hypot(np.gradient(y), np.gradient(x)) / np.gradient(x)
        half = thin * s * (0.43 + 0.62 * np.exp(-t / 0.12) + 0.14 * t**3) * slope
        ends = np.clip((1 - t) / 0.03, 0, 1) * np.clip(t / 0.03, 0, 1)
        lines.append((sign * x + 0.5 * s * pose.axial, y, half, s * (1.1 - 0.3 * t) * np.gradient(x) * ends))
    return 1.35 * ribbon(frame, *(np.stack([line[k] for line in lines]) for k in range(4)), CLAVICLE)


def _spine(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Vertebral bodies with end plates, discs, pedicles, spinous and transverse processes.

    Discs and processes blur with age and weight, and below the carina the beam that shows the lungs hardly
    penetrates; that is why the column fades behind the heart.
    """
    rng, s, pose = stream(patient.seed, "spine"), patient.scale, frame.pose
    centre = patient.curve * np.sin(AXIS / 6.0) + wobble(rng, 0.07, 2.5)
    centre = centre + rng.normal(0, 0.018) * np.clip(-AXIS / s, 0, 12) ** 2 / (1 + 0.05 * np.abs(AXIS))
    height = s * np.interp(AXIS, [-12 * s, 0, 22 * s, 35 * s], [1.55, 1.95, 2.55, 2.9])
    number = np.cumsum(STEP / height) + rng.uniform(0, 1)
    f, which = (number % 1).astype(np.float32), number.astype(int)
    crisp = rng.uniform(0.4, 0.85) * (1.0 if patient.age_group == "adult" else 1.3)
    wide = s * np.interp(AXIS, [-12 * s, 0, 4 * s, 24 * s], [1.25, 1.50, 1.45, 1.95]) + wobble(rng, 0.13, 1.8)
    body = np.clip(np.minimum(f / 0.08, (0.84 - f) / 0.08), 0, 1)
    plate = np.exp(-(((f - 0.05) / 0.045) ** 2)) + np.exp(-(((f - 0.79) / 0.045) ** 2))
    level = (1 + 0.12 * rng.normal(0, 1, 400))[which]
    fade = np.interp(AXIS, [0, 0.3 * chest.lungs_height, 0.7 * chest.lungs_height], [1, 0.9, rng.uniform(0.65, 1.0)])
    bumps = [np.exp(-(((f - at) / size) ** 2)) * crisp for at, size in ((0.30, 0.14), (0.70, 0.22), (0.32, 0.13))]
    bulk, edge = (
        (1 - 0.6 * crisp * np.clip((AXIS + 6 * s) / (9 * s), 0.2, 1) * (1 - body)) * level * fade,
        0.36 * plate * level * crisp * fade,
    )
    tables = [centre, wide * (0.90 + 0.22 * np.abs(2 * f - 0.84)), bulk, edge, *(b * fade for b in bumps)]
    block = (slice(None), frame.slab(-5.2 * s, 5.2 * s, -90, 90)[1])
    c, w, bulk, edge, ped, spin, trans = (np.asarray(q, np.float32)[frame.iy[block]] for q in tables)
    d = (frame.x[block] - c) / w
    a = np.abs(d)
    square = np.clip(1 - d * d, 0, 1)
    bone = square * (1.85 * bulk + edge)
    ring = ((a - 0.60) / 0.20) ** 2
    bone += ped * (np.exp(-ring) - 0.45 * np.exp(-3.5 * ring))
    bone += spin * np.exp(-(((d + 0.18 * pose.axial) / 0.17) ** 2))
    bone += 0.55 * trans * dome((a - 0.7) * 2) * np.clip((2.0 - a) * 1.5, 0, 1)
    whole = np.zeros_like(frame.x)
    whole[block] = np.float32(0.64 * s) * bone * np.clip((frame.y[block] + 16 * s) / 3, 0, 1)
    return whole


def _shoulders(frame: Frame, patient: Patient) -> np.ndarray:
    """Scapulae and humeri of both sides, each with its own small differences."""
    s, pose, bone = patient.scale, frame.pose, np.zeros_like(frame.x)
    for sign, degrees in ((-1, pose.arm_right), (1, pose.arm_left)):
        rng = stream(patient.seed, "scapula", sign + 1)
        lift = min(max((degrees - 60) / 80, 0.0), 1.0)
        near = patient.shoulder - 8.0 * s
        block = frame.slab(near, 90, -90, 90) if sign > 0 else frame.slab(-90, -near, -90, 90)
        dx = (sign * frame.x[block] - patient.shoulder) / s
        dy = (frame.y[block] - patient.shoulder_y) / s + 1.5 * lift
        arm = np.flatnonzero((dx > -3.2).any(0))
        if arm.size:
            arm = slice(arm[0], arm[-1] + 1)
            bone[block][:, arm] = _humerus(dx[:, arm], dy[:, arm], degrees)
        upper = slice(0, int(np.count_nonzero((dy < 13.5).any(1))))
        inner = np.flatnonzero((dx < 2.2).any(0))
        if inner.size and upper.stop:
            place = (upper, slice(inner[0], inner[-1] + 1))
            bone[block][place] += _scapula(dx[place], dy[place], pose.protraction + 0.5 * lift, rng)
    return 2.4 * s * bone


def _humerus(dx: np.ndarray, dy: np.ndarray, degrees: float) -> np.ndarray:
    c, q = np.cos(np.deg2rad(degrees)).item(), np.sin(np.deg2rad(degrees)).item()
    hx, hy = dx - 0.9, dy - 0.6
    head = np.clip(1 - (hx * hx + hy * hy) / 2.25**2, 0, 1)
    along, across = hx * q + hy * c, hx * c - hy * q
    radius = 1.12 + 0.75 * np.exp(-np.clip(along, 0, None) / 1.8)
    v = np.clip(1 - (across / radius) ** 2, 0, 1)
    hollow = np.clip(1 - (across / (radius * 0.62)) ** 2, 0, 1)
    shaft = (np.sqrt(v) - 0.52 * np.sqrt(hollow)) * 2.2 * np.clip(along / 1.2, 0, 1)
    knob = 0.5 * np.exp(-((hx - 1.5) ** 2 + (hy - 0.2) ** 2) / 0.6)
    return (
        np.maximum(1.05 * np.sqrt(head) * (1 - 0.35 * np.sqrt(head)) + 0.22 * (head > 0) * np.exp(-head * 9), shaft)
        + knob
    )


def _scapula(dx: np.ndarray, dy: np.ndarray, out: float, rng: np.random.Generator) -> np.ndarray:
    """A thin blade with thick borders, its spine running to the acromion, the glenoid rim and the coracoid."""
    top_x, low_x = -6.6 + 1.9 * out + 0.3 * rng.normal(), -6.6 + 2.3 * out + 0.6 * rng.normal()
    low_y = 11.5 + rng.normal(0, 0.6)
    medial = (
        top_x
        + (low_x - top_x) * np.clip((dy + 2) / (low_y + 2), -0.3, 1.3)
        - 0.5 * np.sin(np.pi * np.clip((dy + 2) / (low_y + 2), 0, 1))
    )
    lateral = (
        -1.3
        + (low_x + 1.4 + 1.3) * np.clip((dy - 1.5) / (low_y - 1.5), -0.6, 1.2)
        - 0.7 * np.sin(np.pi * np.clip((dy - 1.5) / (low_y - 1.5), 0, 1))
    )
    upper = -2.0 + 0.35 * (dx - top_x)
    inner, outer = dx - medial, lateral - dx
    # Only the lateral border is thick: the medial and upper ones fade out, as a blade seen face on does.
    d = np.minimum(np.minimum(0.22 * inner, outer), np.minimum(0.35 * (dy - upper), 0.5 * (low_y + 0.4 - dy)))
    inside = np.clip(d / 0.3, 0, 1)
    edge = np.exp(-(((outer - 0.40) / 0.45) ** 2)) * 0.60
    blade = inside * (
        0.50 * np.clip((low_y - dy) / 6, 0, 1)
        + 0.7 * edge * np.clip((dy + 1.5) / 2, 0, 1) * np.clip((low_y - dy) / 5, 0, 1)
    )
    line = dy - (-0.2 - 0.36 * (dx + 4.5))
    spine = (
        np.exp(-((line / (0.45 + 0.10 * np.clip(dx + 3, 0, 5))) ** 2))
        * np.clip((dx + 5.6 - out) / 2, 0, 1)
        * np.clip((1.6 - dx) / 0.5, 0, 1)
    )
    glenoid = np.exp(-(((dx + 1.25) / 0.28) ** 2) - ((dy - 0.7) / 1.7) ** 2)
    coracoid = np.clip(1 - ((dx + 2.3) / 0.95) ** 2 - ((dy + 0.5) / 0.62) ** 2, 0, 1)
    neck = np.clip(1 - ((dx + 2.4) / 1.5) ** 2 - ((dy - 1.0) / 1.9) ** 2, 0, 1)
    return blade + 0.55 * spine + 0.65 * glenoid + 0.55 * np.sqrt(coracoid) + 0.5 * neck
