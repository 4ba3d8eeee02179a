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


RIB = _tube(0.86, 0.42, 0.05)
CLAVICLE = _tube(0.80, 0.50)


def draw_bones(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Return the bone thickness, (size, size) float32 in cm of bone excess. Introduced in lesson 01."""
    bone = _ribs(frame, patient, chest) * (1 - 0.62 * chest.solid) + _clavicles(frame, patient)
    bone += _spine(frame, patient, chest)
    return (bone + _shoulders(frame, patient)) * patient.bone


def _ribs(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """All ribs of both sides, each drawn as two sheets of cortex a few millimetres apart."""
    rng, s = stream(patient.seed, "ribs"), patient.scale
    points = max(190, int(190 * frame.size / 224))
    lines = []
    for sign, outer in ((-1, chest.outer_right), (1, chest.outer_left)):
        theta, y, radius, thick, half = _loops(patient, frame.pose.inspiration, outer, points, rng)
        bend, depth = patient.curve * np.sin(y / 6.0), 0.50 * patient.depth
        for sheet in (-0.18 * s, 0.18 * s):
            x = (radius + sheet) * np.sin(theta)
            dx, dz, dy = np.gradient(x, axis=1), depth * np.gradient(-np.cos(theta), axis=1), np.gradient(y, axis=1)
            lines.append((sign * x + bend, y, half, 0.5 * thick * np.sqrt(dx**2 + dz**2 + dy**2)))
    total = ribbon(frame, *(np.stack([line[k] for line in lines]) for k in range(4)), RIB)
    cap = 0.85 * s
    return 2.3 * cap * np.tanh(total / cap)


def _loops(patient: Patient, breath: float, outer: np.ndarray, points: int, rng) -> tuple[np.ndarray, ...]:
    """Twelve loops of one side: angle θ, height y, radius A(y), thickness and half-height, arrays (12, points), cm."""
    s, rib = patient.scale, np.arange(12)
    spacing = patient.rib_spacing * breath
    start = -0.95 * s - 0.2 * spacing + rib * spacing + rng.normal(0, 0.07 * spacing, 12)
    drop = patient.rib_drop * (0.72 + 0.055 * rib) * rng.normal(1, 0.05, 12)
    end = np.deg2rad(np.interp(rib, [0, 1, 5, 7, 9, 11], [158, 156, 146, 134, 118, 80]) + rng.normal(0, 3, 12))
    theta = (0.13 + (end[:, None] - 0.13) * np.linspace(0, 1, points)[None, :]).astype(np.float32)
    q = theta / (np.pi / 2)
    behind = drop[:, None] * q**1.7 - 0.25 * s * np.sin(np.pi * np.clip(q * 1.6, 0, 1))
    before = drop[:, None] * (1 + 1.45 * (q - 1) - 0.42 * (q - 1) ** 2)
    bump = rng.normal(0, 0.12 * s, (12, 3))
    y = start[:, None] + np.where(q < 1, behind, before)
    y = y + sum(bump[:, [k]] * np.sin((k + 1.3) * theta + bump[:, [k]] * 9) for k in range(3))
    lateral = np.maximum(start + drop, 1.2 * s)[:, None]
    index = np.clip((lateral + 0.4 * (y - lateral) - AXIS[0]) / STEP, 0, len(AXIS) - 1).astype(np.intp)
    short = np.interp(rib, [0, 1, 2, 12], [0.80, 0.94, 1, 1])[:, None] * rng.normal(1, 0.012, (12, 1))
    thick = s * ((0.66 + 0.07 * rng.normal(0, 1, 12)) * np.where(rib == 0, 0.45, 1))[:, None] * (1 - 0.18 * q)
    half = patient.rib_height * rng.normal(1, 0.07, 12)[:, None] * (0.86 + 0.22 * np.sin(theta) + 0.09 * (q > 1.2))
    thick = thick * (1 - 0.35 * np.exp(-(((q - 1) / 0.16) ** 2))) * np.clip((end[:, None] - theta) / 0.22, 0, 1)
    thick = thick * np.where(q > 1, np.clip(1 - 0.45 * (q - 1), 0.3, 1), 1)
    return theta, y, (outer[index] + 0.30 * s) * short, thick, half


def _clavicles(frame: Frame, patient: Patient) -> np.ndarray:
    rng, s, pose = stream(patient.seed, "clavicle"), patient.scale, frame.pose
    t = np.linspace(0, 1, max(240, frame.size))
    low = s * rng.uniform(2.8, 4.6) - (1.8 * s if pose.view == "AP" else 0)
    xs, ys, hs, ms = [], [], [], []
    for sign, arm in ((-1, pose.arm_right), (1, pose.arm_left)):
        end_x = patient.shoulder - 0.2 * s
        up = 2.2 * s * max(0.0, arm - 60) / 60
        end_y = patient.shoulder_y - s * rng.uniform(1.3, 2.0) - up
        x = 1.35 * s + (end_x - 1.35 * s) * t + 0.25 * s * pose.axial * sign
        y = (
            low
            + (end_y - low) * t**0.95
            - 0.4 * s * np.sin(np.pi * np.clip(t * 1.5, 0, 1))
            + 0.55 * s * np.sin(np.pi * np.clip((t - 0.55) / 0.45, 0, 1))
        )
        slope = np.hypot(np.gradient(y), np.gradient(x)) / np.gradient(x)
        half = s * (0.50 + 0.42 * np.exp(-t / 0.10) + 0.12 * t**3) * slope
        xs.append(sign * x + 0.5 * s * pose.axial)
        ys.append(y)
        hs.append(half)
        ms.append(s * (1.15 - 0.25 * t) * np.gradient(x) * np.clip((1 - t) / 0.03, 0, 1) * np.clip(t / 0.02, 0, 1))
    return 1.35 * ribbon(frame, np.stack(xs), np.stack(ys), np.stack(hs), np.stack(ms), CLAVICLE)


def _spine(frame: Frame, patient: Patient, chest: Chest) -> np.ndarray:
    """Vertebral bodies with end plates, discs, pedicles, spinous and transverse processes."""
    rng, s, pose = stream(patient.seed, "spine"), patient.scale, frame.pose
    centre = patient.curve * np.sin(AXIS / 6.0) + wobble(rng, 0.05, 2.5)
    height = s * np.interp(AXIS, [-12 * s, 0, 22 * s, 35 * s], [1.55, 1.95, 2.55, 2.9])
    number = np.cumsum(STEP / height) + rng.uniform(0, 1)
    f, which = (number % 1).astype(np.float32), number.astype(int)
    wide = s * np.interp(AXIS, [-12 * s, 0, 4 * s, 24 * s], [1.15, 1.45, 1.40, 1.95])
    body = np.clip(np.minimum(f / 0.05, (0.84 - f) / 0.05), 0, 1)
    plate = np.exp(-(((f - 0.04) / 0.035) ** 2)) + np.exp(-(((f - 0.80) / 0.035) ** 2))
    level = (1 + 0.10 * rng.normal(0, 1, 400))[which]
    tables = [
        np.asarray(q, np.float32)
        for q in (
            centre,
            wide * (0.93 + 0.10 * np.abs(2 * f - 0.84)),
            (0.50 + 0.50 * body) * level,
            0.36 * plate * level,
            np.exp(-(((f - 0.30) / 0.13) ** 2)),
            np.exp(-(((f - 0.72) / 0.20) ** 2)),
            np.exp(-(((f - 0.32) / 0.12) ** 2)),
        )
    ]
    block = (slice(None), frame.slab(-5.2 * s, 5.2 * s, -90, 90)[1])
    c, w, bulk, edge, ped, spin, trans = (q[frame.iy[block]] for q in tables)
    d = (frame.x[block] - c) / w
    a = np.abs(d)
    across = np.sqrt(np.clip(1 - d * d, 0, 1))
    rim = np.exp(-(((a - 0.93) / 0.08) ** 2))
    bone = across * (1.75 * bulk + edge) + 0.35 * rim * bulk
    ring = ((a - 0.60) / 0.20) ** 2
    bone += 1.1 * ped * (np.exp(-ring) - 0.45 * np.exp(-3.5 * ring))
    bone += 0.95 * spin * np.exp(-(((d + 0.18 * pose.axial) / 0.17) ** 2))
    bone += 0.45 * trans * dome((a - 0.9) * 3) * np.clip((2.0 - a) * 3, 0, 1)
    whole = np.zeros_like(frame.x)
    whole[block] = 0.48 * s * bone * np.clip((frame.y[block] + 16 * s) / 3, 0, 1)
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
        bone[block] = _humerus(dx, dy, degrees)
        upper = slice(0, int(np.count_nonzero((dy < 13.5).any(1))))
        bone[block][upper] += _scapula(dx[upper], dy[upper], pose.protraction + 0.5 * lift, rng)
    return 1.9 * s * bone


def _humerus(dx: np.ndarray, dy: np.ndarray, degrees: float) -> np.ndarray:
    c, q = np.cos(np.deg2rad(degrees)).item(), np.sin(np.deg2rad(degrees)).item()
    hx, hy = dx - 0.9, dy - 0.6
    head = np.clip(1 - (hx * hx + hy * hy) / 2.25**2, 0, 1)
    along, across = hx * q + hy * c, hx * c - hy * q
    radius = 1.12 + 0.75 * np.exp(-np.clip(along, 0, None) / 1.8)
    v = np.clip(1 - (across / radius) ** 2, 0, 1)
    hollow = np.clip(1 - (across / (radius * 0.66)) ** 2, 0, 1)
    shaft = (np.sqrt(v) - 0.72 * np.sqrt(hollow)) * 2.2 * np.clip(along / 1.2, 0, 1)
    knob = 0.5 * np.exp(-((hx - 1.5) ** 2 + (hy - 0.2) ** 2) / 0.6)
    return (
        np.maximum(1.05 * np.sqrt(head) * (1 - 0.35 * np.sqrt(head)) + 0.22 * (head > 0) * np.exp(-head * 9), shaft)
        + knob
    )


def _scapula(dx: np.ndarray, dy: np.ndarray, out: float, rng: np.random.Generator) -> np.ndarray:
    """A thin blade with thick borders, its spine running to the acromion, the glenoid rim and the coracoid."""
    top_x, low_x = -6.6 + 1.9 * out + 0.3 * rng.normal(), -5.0 + 2.6 * out + 0.4 * rng.normal()
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
    d = np.minimum(np.minimum(inner, outer), np.minimum(dy - upper, (low_y + 0.4 - dy) * 0.8))
    inside = np.clip(d / 0.3, 0, 1)
    edge = np.exp(-(((outer - 0.30) / 0.32) ** 2)) * 0.75 + np.exp(-(((inner - 0.12) / 0.16) ** 2)) * 0.40
    blade = inside * (0.16 + edge * np.clip((dy + 1.5) / 2, 0, 1) * np.clip((low_y - dy) / 5, 0.1, 1))
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
