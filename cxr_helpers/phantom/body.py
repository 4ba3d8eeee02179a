"""The outside of the chest: trunk, shoulders, arms, neck, head, breasts and muscle.

Each is drawn as path lengths of soft tissue.
"""

from __future__ import annotations

import numpy as np

from .frame import Frame, Grid
from .patient import Patient, stream
from .profiles import Sides, profile, rounded, signed_product


def draw_body(
    frame: Frame, patient: Patient, outlines: Sides, height: float, rng: np.random.Generator
) -> np.ndarray:
    """Trunk, neck, head, arms, breasts: thickness of soft tissue including the space of the lungs.

    outlines: tables, half-width of the lungs against y; height: of the lungs, cm. Returns cm,
    (size, size) float32.
    """
    scale = patient.scale
    neck_width = scale * (4.3 + 1.6 * patient.build)
    skin = _shoulder_line(frame, patient, neck_width, scale * rng.uniform(4.6, 8.0))
    chin = scale * (
        rng.uniform(10.5, 16.5) if patient.age_group == "adult" else rng.uniform(7.5, 14.0)
    )
    trunk = _trunk(frame, patient, outlines, skin, height)
    arms = _arms(frame, patient)
    neck = _neck(frame, patient, neck_width)
    head = _head(frame, patient, chin)
    # Where parts overlap their chords add up as fourth powers: hardly more than the thicker of
    # them.
    squares = [np.square(part.clip(0, np.inf)) for part in (trunk, arms, neck, head)]
    together = np.sqrt(np.sqrt(squares[0] + squares[1] + squares[2] + squares[3]))
    inside = np.square(together + _muscle(frame.coarse, patient, height))
    outside = np.maximum(np.maximum(trunk, arms), np.maximum(neck, head))
    body = frame.enlarge(np.where(together > 0, inside, outside))
    body.clip(0, np.inf, out=body)
    np.sqrt(body, out=body)
    if patient.breast:
        _add_breasts(frame, patient, height, body)
    return body


# Each of the following is the square of a chord on the coarse grid, below zero outside the part.


def _trunk(
    frame: Frame, patient: Patient, outlines: Sides, skin: np.ndarray, height: float
) -> np.ndarray:
    """Trunk: from the skin of the shoulders down, from the midline to the skin of the flanks."""
    grid, pose = frame.coarse, frame.pose
    scale, fat, joint = patient.scale, patient.wall, patient.shoulder
    wall = profile(  # soft tissue lateral to the ribs
        [
            (2 * scale, 0),
            (7.5 * scale, 1.5 * fat),
            (11 * scale, 1.15 * fat),
            (height, fat),
            (1.5 * height, 1.25 * fat),
        ],
        2.0,
    )
    yoke = profile(  # the least half-width, from the shoulders to below the armpits
        [
            (-30, joint + 2.6 * scale),
            (0, joint + 2.0 * scale),
            (15 * scale, 0.80 * joint),
            (18 * scale, 0),
        ],
        3.5,
    )
    flanks = Sides(
        right=np.maximum(outlines.right + wall, yoke),
        left=np.maximum(outlines.left + wall, yoke),
    )
    way = np.minimum(grid.ax / grid.by_y(flanks), 1.2)  # 0 in the midline, 1 at the skin
    across = np.square(way)
    across *= across * way
    across = 1 - across
    down = rounded((grid.y - skin) / (9 * scale))
    thickness = np.clip((grid.y + pose.top) / pose.field, 0, 1)
    thickness *= patient.depth * (0.16 + 0.10 * patient.build)
    thickness += patient.depth * 0.88
    return signed_product(across, down) * np.square(thickness)


def _shoulder_line(frame: Frame, patient: Patient, neck: float, slope: float) -> np.ndarray:
    """Height of the skin above each point: trapezius from the neck to the shoulder, y in cm."""
    scale, joint = patient.scale, patient.shoulder
    top = patient.shoulder_y - scale * (1.2 + 0.8 * patient.build)
    raised = max(0.0, frame.pose.arm_left - 60) / 90
    line = [
        (0, top - slope - 0.5 * scale),
        (neck, top - slope),
        (neck + 2.6 * scale, top - 0.66 * slope),
        (0.72 * joint, top - 0.30 * slope - 2 * raised * scale),
        (joint + 1.0 * scale, top + 0.2 * scale),
        (joint + 3.6 * scale, top + 3.0 * scale),
        (joint + 8 * scale, top + 16 * scale),
    ]
    return frame.coarse.by_x(profile(line, 2.4 * scale))


def _arms(frame: Frame, patient: Patient) -> np.ndarray:
    """Upper arms, cones that hang from the shoulder joints or are raised."""
    grid, scale = frame.coarse, patient.scale
    right, left = np.deg2rad(frame.pose.arm_right), np.deg2rad(frame.pose.arm_left)
    cosine = grid.sides(np.cos(right), np.cos(left))
    sine = grid.sides(np.sin(right), np.sin(left))
    dx = grid.ax - (patient.shoulder + 0.6 * scale)
    dy = grid.y - (patient.shoulder_y + 1.6 * scale)
    along = np.maximum(dx * sine + dy * cosine, 0)
    radius = np.minimum(along, 25)
    radius *= -0.010
    radius += 1
    radius *= scale * (4.4 + 1.7 * patient.build)
    # from the axis; above the joint, from the joint
    away_squared = dx * dx + dy * dy - along * along
    return 4 * (radius * radius - away_squared)


def _neck(frame: Frame, patient: Patient, width: float) -> np.ndarray:
    """Neck: a column that turns with the head and widens to the shoulders."""
    grid, scale = frame.coarse, patient.scale
    widening = profile(
        [(-30 * scale, 1.0), (-9 * scale, 1.0), (-3 * scale, 1.25), (3 * scale, 2.0)], 5.0 * scale
    )
    across = np.clip(grid.y * (-1 / (8 * scale)), 0, 1.5)
    across *= -frame.pose.axial
    across += grid.x
    across /= grid.by_y(widening * width)
    fade = np.minimum((4 * scale - grid.y) / (7 * scale), 1)
    return signed_product(1 - np.square(across), fade * np.abs(fade)) * ((11.5 * scale) ** 2)


def _head(frame: Frame, patient: Patient, chin: float) -> np.ndarray:
    """Head: a column closed below by the jaw."""
    grid, scale = frame.coarse, patient.scale
    across = np.square((grid.x - frame.pose.axial * 2) / (6.6 * scale))
    below = np.square(np.maximum((grid.y + (chin + 5.2 * scale)) / (5.6 * scale), 0))
    return (1 - across - below) * ((15 * scale) ** 2)


def _add_breasts(frame: Frame, patient: Patient, height: float, body: np.ndarray) -> None:
    """Add the breasts: they fade out upwards and end with a fold below."""
    rng, scale, grid = stream(patient.seed, "breast"), patient.scale, frame.coarse
    size = 0.8 + 0.25 * patient.breast
    fold_x = 0.60 * patient.half_width
    fold_y = height * rng.uniform(0.62, 0.82) + 1.0
    wide = 6.6 * scale * size
    tall = 4.2 * scale * size * rng.uniform(0.9, 1.2)
    dx = (grid.ax - fold_x) / wide
    dy = grid.y - fold_y
    dy *= np.where(dy < 0, (1 / (2.1 * tall)), (1 / tall))
    inside = 1 - dx * dx - dy * dy
    rows = frame.rows(inside > 0)
    inside = np.clip(frame.enlarge(inside)[rows], 0, 1)
    fold = np.sqrt(inside) * (0.4 + 0.6 * inside)
    body[rows] += (2.2 * patient.breast) * np.where(frame.y[rows] < fold_y, inside, fold)


def _muscle(grid: Grid, patient: Patient, height: float) -> np.ndarray:
    """Pectoral muscle: a sheet with a lower edge from sternum to axilla; its thickness, coarse."""
    scale = patient.scale
    edge = (0.48 * height + 0.42 * 5 * scale) - 0.42 * grid.ax
    sheet = np.clip((grid.y + scale) / (5 * scale), 0, 1)
    sheet *= np.clip((patient.shoulder - grid.ax) / (2 * scale), 0, 1)
    sheet *= np.clip((edge - grid.y) / (1.4 * scale), 0, 1)
    return sheet * ((0.9 if patient.sex == "M" else 0.4) * scale)
