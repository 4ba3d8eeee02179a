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
    neck = s * (4.5 + 1.5 * patient.build)
    top = _shoulder_line(frame, patient, neck, s * rng.uniform(4.6, 7.0))
    thick = patient.depth * (0.78 + 0.40 * np.clip((y + pose.top) / pose.field, 0, 1))
    trunk = thick * _across(frame, patient, outer, height) * dome((y - top) / (9 * s))
    column = np.clip(1 - (x / (neck + 1.8 * s)) ** 2, 0, 1) * 12.0 * s * np.clip((y + 16 * s) / (2 * s), 0, 1)
    jaw = np.clip(1 - ((x - pose.axial * 2) / (6.3 * s)) ** 2 - ((y + 15.5 * s) / (5.2 * s)) ** 2, 0, 1)
    trunk = np.maximum(np.maximum(trunk, column * (y < 3)), 15 * s * np.sqrt(jaw))
    arms = _arms(frame, patient)
    body = np.sqrt(np.sqrt(trunk**2 * trunk**2 + arms**2 * arms**2))
    return body + _breasts(frame, patient, height) + _muscle(frame, patient, height)


def _shoulder_line(frame: Frame, patient: Patient, neck: float, slope: float) -> np.ndarray:
    """Height of the skin above each pixel: neck, trapezius, shoulder, y in cm."""
    s, joint = patient.scale, patient.shoulder
    top = patient.shoulder_y - s * (1.2 + 0.8 * patient.build)
    raised = max(0.0, frame.pose.arm_left - 60) / 90
    outline = [
        (0, -24),
        (neck - 0.7 * s, -24),
        (neck + 1.3 * s, top - slope),
        (neck + 3.4 * s, top - 0.62 * slope),
        (0.78 * joint, top - 0.9 * s - 2 * raised * s),
        (joint + 1.5 * s, top + 0.5 * s),
        (joint + 4 * s, top + 3.4 * s),
        (joint + 8 * s, top + 16 * s),
    ]
    knots, heights = zip(*outline, strict=True)
    return profile(list(knots), list(heights), 1.3 * s)[frame.ix]


def _across(frame: Frame, patient: Patient, outer: np.ndarray, height: float) -> np.ndarray:
    """Relative depth of the trunk from the midline (1) to the skin of the flank (0)."""
    s, w, joint = patient.scale, patient.wall, patient.shoulder
    wall = profile([2 * s, 7.5 * s, 11 * s, height, 1.5 * height], [0, 1.5 * w, 1.15 * w, w, 1.25 * w], 2.0)
    yoke = profile([-30, 0, 15 * s, 18 * s], [joint + 2.6 * s, joint + 2.0 * s, 0.80 * joint, 0], 3.5)
    u = np.clip(frame.ax / np.maximum(outer + wall[frame.iy], yoke[frame.iy]), 0, 1).astype(np.float32) ** 2
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
