"""The outside of the chest: trunk, shoulders, arms, neck, head, breasts and muscle as path lengths of soft tissue."""

from __future__ import annotations

import numpy as np

from .frame import Frame, Grid, profile, rounded, signed_product
from .patient import Patient, stream


def draw_body(
    frame: Frame, patient: Patient, outer: tuple[np.ndarray, np.ndarray], height: float, rng: np.random.Generator
) -> np.ndarray:
    """Trunk, neck, head, arms, breasts: thickness of soft tissue including the space of the lungs.

    outer: tables, half-width of the right and the left lung against y; height: of the lungs, cm. Returns cm,
    (size, size) float32. Lesson 01.
    """
    grid, s = frame.coarse, patient.scale
    neck = s * (4.3 + 1.6 * patient.build)
    skin = _shoulder_line(frame, patient, neck, s * rng.uniform(4.6, 8.0))
    chin = s * (rng.uniform(10.5, 16.5) if patient.age_group == "adult" else rng.uniform(7.5, 14.0))
    parts = [_trunk(frame, patient, outer, skin, height), _arms(frame, patient)]
    parts += [_neck(frame, patient, neck), _head(frame, patient, chin)]
    squares = [np.square(part.clip(0, np.inf)) for part in parts]
    together = np.sqrt(np.sqrt(squares[0] + squares[1] + squares[2] + squares[3]))
    beyond = np.maximum(np.maximum(parts[0], parts[1]), np.maximum(parts[2], parts[3]))
    inside = np.square(together + _muscle(grid, patient, height))
    body = frame.enlarge(np.where(together > 0, inside, beyond))
    body.clip(0, np.inf, out=body)
    np.sqrt(body, out=body)
    if patient.breast:
        _add_breasts(frame, patient, height, body)
    return body


# Each of the following is the square of a chord on the coarse grid, below zero outside the part.


def _trunk(frame: Frame, patient: Patient, outer: tuple, skin: np.ndarray, height: float) -> np.ndarray:
    """Trunk: from the skin of the shoulders down, and from the midline to the skin of the flanks."""
    s, w, joint, grid, pose = patient.scale, patient.wall, patient.shoulder, frame.coarse, frame.pose
    wall = profile([2 * s, 7.5 * s, 11 * s, height, 1.5 * height], [0, 1.5 * w, 1.15 * w, w, 1.25 * w], 2.0)
    yoke = profile([-30, 0, 15 * s, 18 * s], [joint + 2.6 * s, joint + 2.0 * s, 0.80 * joint, 0], 3.5)
    flank = np.minimum(grid.ax / grid.by_y(*(np.maximum(side + wall, yoke) for side in outer)), 1.2)
    across = np.square(flank)
    across *= across * flank
    across = 1 - across
    down = rounded((grid.y - skin) / (9 * s))
    thick = np.clip((grid.y + pose.top) / pose.field, 0, 1)
    thick *= patient.depth * (0.16 + 0.10 * patient.build)
    thick += patient.depth * 0.88
    return signed_product(across, down) * np.square(thick)


def _shoulder_line(frame: Frame, patient: Patient, neck: float, slope: float) -> np.ndarray:
    """Height of the skin above each point: trapezius from the neck to the shoulder, y in cm."""
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
    return frame.coarse.by_x(profile(list(knots), list(heights), 2.4 * s))


def _arms(frame: Frame, patient: Patient) -> np.ndarray:
    """Upper arms, cones that hang from the shoulder joints or are raised."""
    grid, pose, s = frame.coarse, frame.pose, patient.scale
    right, left = np.deg2rad(pose.arm_right), np.deg2rad(pose.arm_left)
    c, q = grid.sides(np.cos(right), np.cos(left)), grid.sides(np.sin(right), np.sin(left))
    dx = grid.ax - (patient.shoulder + 0.6 * s)
    dy = grid.y - (patient.shoulder_y + 1.6 * s)
    along = np.maximum(dx * q + dy * c, 0)
    radius = np.minimum(along, 25)
    radius *= -0.010
    radius += 1
    radius *= s * (4.4 + 1.7 * patient.build)
    away = dx * dx + dy * dy - along * along  # squared distance from the axis, from the joint above it
    return 4 * (radius * radius - away)


def _neck(frame: Frame, patient: Patient, neck: float) -> np.ndarray:
    grid, s = frame.coarse, patient.scale
    bend = np.clip(grid.y * (-1 / (8 * s)), 0, 1.5)
    bend *= -frame.pose.axial
    bend += grid.x
    bend /= grid.by_y(profile([-30 * s, -9 * s, -3 * s, 3 * s], [1.0, 1.0, 1.25, 2.0], 5.0 * s) * neck)
    fade = np.minimum((4 * s - grid.y) / (7 * s), 1)
    return signed_product(1 - np.square(bend), fade * np.abs(fade)) * ((11.5 * s) ** 2)


def _head(frame: Frame, patient: Patient, chin: float) -> np.ndarray:
    """Head: a column closed below by the jaw."""
    grid, s = frame.coarse, patient.scale
    across = np.square((grid.x - frame.pose.axial * 2) / (6.6 * s))
    below = np.square(np.maximum((grid.y + (chin + 5.2 * s)) / (5.6 * s), 0))
    return (1 - across - below) * ((15 * s) ** 2)


def _add_breasts(frame: Frame, patient: Patient, height: float, body: np.ndarray) -> None:
    """Add the breasts: they fade out upwards and end with a fold below."""
    rng, s, grid = stream(patient.seed, "breast"), patient.scale, frame.coarse
    big = 0.8 + 0.25 * patient.breast
    fold_x, fold_y = 0.60 * patient.half_width, height * rng.uniform(0.62, 0.82) + 1.0
    wide, tall = 6.6 * s * big, 4.2 * s * big * rng.uniform(0.9, 1.2)
    dx, dy = (grid.ax - fold_x) / wide, grid.y - fold_y
    dy *= np.where(dy < 0, (1 / (2.1 * tall)), (1 / tall))
    inside = 1 - dx * dx - dy * dy
    rows = frame.rows(inside > 0)
    inside = np.clip(frame.enlarge(inside)[rows], 0, 1)
    fold = np.sqrt(inside) * (0.4 + 0.6 * inside)
    body[rows] += (2.2 * patient.breast) * np.where(frame.y[rows] < fold_y, inside, fold)


def _muscle(grid: Grid, patient: Patient, height: float) -> np.ndarray:
    """Pectoral muscle: a sheet whose lower edge runs from the sternum to the axilla; its thickness, coarse."""
    s = patient.scale
    edge = (0.48 * height + 0.42 * 5 * s) - 0.42 * grid.ax
    sheet = np.clip((grid.y + s) / (5 * s), 0, 1)
    sheet *= np.clip((patient.shoulder - grid.ax) / (2 * s), 0, 1)
    sheet *= np.clip((edge - grid.y) / (1.4 * s), 0, 1)
    return sheet * ((0.9 if patient.sex == "M" else 0.4) * s)
