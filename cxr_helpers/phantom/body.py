"""The outside of the chest: trunk, shoulders, arms, neck, head, breasts and muscle as path lengths of soft tissue."""

from __future__ import annotations

import numpy as np

from .frame import Frame, dome, profile
from .patient import Patient, stream


def draw_body(frame: Frame, patient: Patient, outer: np.ndarray, height: float, rng: np.random.Generator) -> np.ndarray:
    """Trunk, neck, head, arms, breasts: thickness of soft tissue including the space of the lungs.

    outer: half-width of the lungs per pixel; height: of the lungs, cm. Returns cm, (size, size) float32. Lesson 01.
    """
    s, pose, x, y = patient.scale, frame.pose, frame.x, frame.y
    neck = s * (4.3 + 1.6 * patient.build)
    top = _shoulder_line(frame, patient, neck, s * rng.uniform(4.6, 8.0))
    thick = patient.depth * (0.88 + (0.16 + 0.10 * patient.build) * np.clip((y + pose.top) / pose.field, 0, 1))
    trunk = thick * _across(frame, patient, outer, height) * dome((y - top) / (9 * s))
    bend = x - pose.axial * np.clip(-y / (8 * s), 0, 1.5)
    width = profile([-30 * s, -9 * s, -3 * s, 3 * s], [1.0, 1.0, 1.25, 2.0], 5.0 * s)[frame.iy] * np.float32(neck)
    column = 1 - (bend / width) ** 2
    column = (11.5 * s) * np.sqrt(np.clip(column, 0, 1)) * np.clip((4 * s - y) / (7 * s), 0, 1)
    chin = s * (rng.uniform(10.5, 16.5) if patient.age_group == "adult" else rng.uniform(7.5, 14.0))
    jaw = 1 - ((x - pose.axial * 2) / (6.6 * s)) ** 2 - ((y + chin + 5.2 * s) / (5.6 * s)) ** 2
    head = np.where(y < -chin - 5.2 * s, 1 - ((x - pose.axial * 2) / (6.6 * s)) ** 2, jaw)
    parts = (trunk, _arms(frame, patient), column, 15 * s * np.sqrt(np.clip(head, 0, 1)))
    body = np.sqrt(np.sqrt(sum(np.square(np.square(p)) for p in parts)))
    return body + _breasts(frame, patient, height) + _muscle(frame, patient, height)


def _shoulder_line(frame: Frame, patient: Patient, neck: float, slope: float) -> np.ndarray:
    """Height of the skin above each pixel: trapezius from the neck to the shoulder, y in cm."""
    s, joint = patient.scale, patient.shoulder
    top = patient.shoulder_y - s * (1.2 + 0.8 * patient.build)
    raised = max(0.0, frame.pose.arm_left - 60) / 90
    outline = [
        (0, top - slope - 0.5 * s),
        (neck, top - slope),
        (neck + 2.6 * s, top - 0.66 * slope),
        (0.72 * joint, top - 0.30 * slope - 2 * raised * s),
        (joint + 1.0 * s, top + 0.2 * s),
        (joint + 3.6 * s, top + 3.0 * s),
        (joint + 8 * s, top + 16 * s),
    ]
    knots, heights = zip(*outline, strict=True)
    return profile(list(knots), list(heights), 2.4 * s)[frame.ix]


def _across(frame: Frame, patient: Patient, outer: np.ndarray, height: float) -> np.ndarray:
    """Relative depth of the trunk from the midline (1) to the skin of the flank (0)."""
    s, w, joint = patient.scale, patient.wall, patient.shoulder
    wall = profile([2 * s, 7.5 * s, 11 * s, height, 1.5 * height], [0, 1.5 * w, 1.15 * w, w, 1.25 * w], 2.0)
    yoke = profile([-30, 0, 15 * s, 18 * s], [joint + 2.6 * s, joint + 2.0 * s, 0.80 * joint, 0], 3.5)
    u = np.clip(frame.ax / np.maximum(outer + wall[frame.iy], yoke[frame.iy]), 0, 1).astype(np.float32)
    u *= u * np.sqrt(u)
    return np.sqrt(1 - u * u)


def _arms(frame: Frame, patient: Patient) -> np.ndarray:
    s, pose, arms = patient.scale, frame.pose, np.zeros_like(frame.x)
    for sign, degrees in ((-1, pose.arm_right), (1, pose.arm_left)):
        near = patient.shoulder - 6.5 * s
        block = frame.slab(near, 90, -90, 90) if sign > 0 else frame.slab(-90, -near, -90, 90)
        c, q = np.cos(np.deg2rad(degrees)).item(), np.sin(np.deg2rad(degrees)).item()
        dx = sign * frame.x[block] - (patient.shoulder + 0.6 * s)
        dy = frame.y[block] - (patient.shoulder_y + 1.6 * s)
        along = dx * q + dy * c
        r = s * (4.4 + 1.7 * patient.build) * (1 - 0.010 * np.clip(along, 0, 25))
        d2 = np.where(along > 0, (dx * c - dy * q) ** 2, dx * dx + dy * dy)
        arms[block] += 2 * np.sqrt(np.clip(r * r - d2, 0, None))
    return arms


def _breasts(frame: Frame, patient: Patient, height: float) -> np.ndarray:
    if patient.breast == 0:
        return np.zeros_like(frame.x)
    rng, s = stream(patient.seed, "breast"), patient.scale
    big = 0.8 + 0.25 * patient.breast
    cx, cy = 0.60 * patient.half_width, height * rng.uniform(0.62, 0.82) + 1.0
    wide, tall = 6.6 * s * big, 4.2 * s * big * rng.uniform(0.9, 1.2)
    dx, dy = (frame.ax - cx) / wide, frame.y - cy
    tall_y = np.where(dy < 0, np.float32(2.1 * tall), np.float32(tall))
    q = np.clip(1 - dx * dx - (dy / tall_y) ** 2, 0, 1)
    return 2.2 * patient.breast * np.where(dy < 0, q, np.sqrt(q) * (0.4 + 0.6 * q))


def _muscle(frame: Frame, patient: Patient, height: float) -> np.ndarray:
    """Pectoral muscle: a sheet whose lower edge runs from the sternum to the axilla."""
    s = patient.scale
    edge = 0.48 * height - 0.42 * (frame.ax - 5 * s)
    sheet = np.clip((frame.y + s) / (5 * s), 0, 1) * np.clip((patient.shoulder - frame.ax) / (2 * s), 0, 1)
    return (0.9 if patient.sex == "M" else 0.4) * s * np.clip((edge - frame.y) / (1.4 * s), 0, 1) * sheet
