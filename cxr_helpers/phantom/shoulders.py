"""The shoulder girdle: clavicles, scapulae and the upper ends of the humeri."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from .frame import Frame
from .patient import Patient, stream
from .points import Tubes, ribbon, tube

CLAVICLE = tube(inner=0.80, core=0.50)


@dataclass(frozen=True)
class Line:
    """A clavicle from its medial end to its lateral one, arrays of points, for lengths of 1."""

    way: np.ndarray  # 0 … 1
    sway: np.ndarray  # the S: below the straight line
    sway_slope: np.ndarray
    half: np.ndarray
    mass: np.ndarray


@lru_cache(maxsize=8)
def _clavicle_line(points: int) -> Line:
    """The shape that all clavicles have in common."""
    way = np.linspace(0, 1, points)
    sway = 0.9 * np.sin(np.pi * np.clip(2 * way - 1, 0, 1)) - 0.5 * np.sin(
        np.pi * np.minimum(way * 1.6, 1)
    )
    ends = np.clip((1 - way) / 0.03, 0, 1) * np.clip(way / 0.03, 0, 1)
    return Line(
        way=way,
        sway=sway,
        sway_slope=np.gradient(sway, way),
        half=0.43 + 0.62 * np.exp(-way / 0.12) + 0.14 * way**3,
        mass=(1.1 - 0.3 * way) * ends / (points - 1),
    )


def draw_clavicles(frame: Frame, patient: Patient) -> tuple[slice, np.ndarray]:
    """S-shaped bones from the sternum up to the shoulder; they lie above the apices in AP views.

    Returns their rows and the thickness there in cm, (rows, size) float32.
    """
    rng, scale, pose = stream(patient.seed, "clavicle"), patient.scale, frame.pose
    low = scale * rng.uniform(3.2, 5.8) - (1.9 * scale if pose.view == "AP" else 0)
    thin = rng.uniform(0.85, 1.1)
    bow = rng.uniform(0.2, 1.0)
    random = np.array([(rng.uniform(1.5, 2.6), rng.normal(0, 0.25)) for _ in ("right", "left")])
    # Right and left clavicle one below the other: columns (2, 1), beside points (2, points).
    sign = np.array([[-1.0], [1.0]])
    arm = np.array([[pose.arm_right], [pose.arm_left]])
    fall, lift = random[:, :1], random[:, 1:]
    medial_x, lateral_x = 1.35 * scale, patient.shoulder - 0.2 * scale
    medial_y = low + scale * (lift - 0.8 * sign * pose.axial)
    lateral_y = patient.shoulder_y - scale * fall - 2.2 * scale * np.maximum(0, arm - 60) / 60
    line = _clavicle_line(max(200, frame.size))
    length = lateral_x - medial_x
    x = sign * (medial_x + length * line.way) + 0.85 * scale * pose.axial
    y = medial_y + (lateral_y - medial_y) * line.way + bow * scale * line.sway
    slope = ((lateral_y - medial_y) + bow * scale * line.sway_slope) / length
    # a column cuts a steep tube aslant
    half = thin * scale * line.half * np.sqrt(slope * slope + 1)
    mass = np.broadcast_to(1.35 * scale * length * line.mass, y.shape)
    tubes = Tubes(
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        half=half.astype(np.float32),
        mass=mass.astype(np.float32),
    )
    rows, drawn = ribbon(frame, tubes, CLAVICLE)
    return rows, drawn.T


@dataclass(frozen=True)
class Reach:
    """How far a bone reaches from the shoulder joint, lateral and down, in the patient's scale."""

    near: float
    far: float
    top: float
    bottom: float


def add_shoulders(frame: Frame, patient: Patient, whole: np.ndarray) -> None:
    """Add scapulae and humeri of both sides, with small differences, to `whole`, cm of bone."""
    for sign, degrees in ((-1, frame.pose.arm_right), (1, frame.pose.arm_left)):
        rng = stream(patient.seed, "scapula", sign + 1)
        # a raised arm turns the scapula outward and lifts it
        lift = min(max((degrees - 60) / 80, 0.0), 1.0)
        out = frame.pose.protraction + 0.5 * lift
        above = -3.2 if degrees < 80 else -np.inf
        humerus = Reach(near=-3.2, far=np.inf, top=above, bottom=np.inf)
        blade = Reach(near=-12, far=0.6, top=-3.2, bottom=13.5)
        processes = Reach(near=-7, far=1.7, top=-4.5, bottom=6)
        _add_at_joint(
            frame, patient, sign, lift, humerus, partial(_humerus, degrees=degrees), whole
        )
        _add_at_joint(frame, patient, sign, lift, blade, partial(_blade, out=out, rng=rng), whole)
        _add_at_joint(frame, patient, sign, lift, processes, partial(_processes, out=out), whole)


def _add_at_joint(
    frame: Frame,
    patient: Patient,
    sign: int,
    lift: float,
    reach: Reach,
    draw: Callable,
    whole: np.ndarray,
) -> None:
    """Add a bone of the shoulder; `draw` gives it in the joint's coordinates, lateral and down."""
    scale = patient.scale
    x, y = patient.shoulder, patient.shoulder_y - 1.5 * lift * scale
    near, far = sorted((sign * (x + reach.near * scale), sign * (x + reach.far * scale)))
    block = frame.slab(near, far, y + reach.top * scale, y + reach.bottom * scale)
    dx = frame.x[block] * (sign / scale) - x / scale
    dy = frame.y[block] / scale - y / scale
    whole[block] += draw(dx, dy) * (2.4 * scale)


def _humerus(dx: np.ndarray, dy: np.ndarray, degrees: float) -> np.ndarray:
    """A humerus: head, hollow shaft and greater tubercle; the arm so many degrees from hanging."""
    angle = np.deg2rad(degrees)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    x, y = dx - 0.9, dy - 0.6  # from the centre of the head
    inside = np.maximum(1 - (x * x + y * y) / 2.25**2, 0)
    head = np.sqrt(inside)
    head *= 1.05 - 1.05 * 0.35 * head
    head += 0.22 * (inside > 0) * np.exp(inside * -9)  # its rim
    along, across = x * sine + y * cosine, x * cosine - y * sine
    # the shaft widens towards the head
    across /= 1.12 + 0.75 * np.exp(np.maximum(along, 0) * (-1 / 1.8))
    across *= across
    shaft = np.sqrt(np.maximum(1 - across, 0))
    shaft -= 0.52 * np.sqrt(np.maximum(1 - across / 0.62**2, 0))  # marrow
    shaft *= np.clip(along * (2.2 / 1.2), 0, 2.2)
    tubercle = np.square(x - 1.5) + np.square(y - 0.2)
    return np.maximum(head, shaft) + 0.5 * np.exp(tubercle * (-1 / 0.6))


def _blade(dx: np.ndarray, dy: np.ndarray, out: float, rng: np.random.Generator) -> np.ndarray:
    """A scapula's thin blade with thick borders; out: how far it is turned out of the lungs."""
    top_x = -6.6 + 1.9 * out + 0.3 * rng.normal()
    low_x = -6.6 + 2.3 * out + 0.6 * rng.normal()
    low_y = 11.5 + rng.normal(0, 0.6)  # the inferior angle
    # Distances from the three borders, positive on the blade.
    down = (dy + 2) / (low_y + 2)
    medial = dx - top_x - (low_x - top_x) * down.clip(-0.3, 1.3)
    medial += 0.5 * np.sin(np.pi * down.clip(0, 1))
    down = (dy - 1.5) / (low_y - 1.5)
    lateral = (low_x + 2.7) * down.clip(-0.6, 1.2) - 1.3 - dx
    lateral -= 0.7 * np.sin(np.pi * down.clip(0, 1))
    upper = dy + (2 + 0.35 * top_x) - 0.35 * dx
    # Only the lateral border is thick: the medial and upper ones fade out, as a blade seen face on
    # does.
    inside = np.minimum(np.minimum(0.22 * medial, lateral), 0.35 * upper)
    to_angle = low_y - dy
    np.minimum(inside, 0.5 * (to_angle + 0.4), out=inside)
    bone = np.exp(-np.square((lateral - 0.40) / 0.45))
    bone *= np.clip((dy + 1.5) * (0.42 / 2), 0, 0.42)
    bone *= np.clip(to_angle / 5, 0, 1)
    bone += np.clip(to_angle * (0.50 / 6), 0, 0.50)
    bone *= np.clip(inside / 0.3, 0, 1)
    return bone


def _processes(dx: np.ndarray, dy: np.ndarray, out: float) -> np.ndarray:
    """A scapula's spine running to the acromion, glenoid rim, coracoid and neck."""
    line = dy + 0.36 * dx
    line += 0.2 + 0.36 * 4.5
    line /= 0.45 + 0.10 * np.clip(dx + 3, 0, 5)  # widens to the acromion
    bone = np.exp(-np.square(line))
    bone *= np.clip((dx + (5.6 - out)) * 0.5, 0, 1)
    bone *= np.clip((1.6 - dx) * (0.55 / 0.5), 0, 0.55)
    glenoid = np.square((dx + 1.25) / 0.28)
    glenoid += np.square((dy - 0.7) / 1.7)
    bone += 0.65 * np.exp(-glenoid)
    coracoid = _disc(dx, dy, x=-2.3, y=-0.5, half_width=0.95, half_height=0.62)
    bone += 0.55 * np.sqrt(coracoid)
    neck = _disc(dx, dy, x=-2.4, y=1.0, half_width=1.5, half_height=1.9)
    bone += 0.5 * neck
    return bone


def _disc(
    dx: np.ndarray, dy: np.ndarray, *, x: float, y: float, half_width: float, half_height: float
) -> np.ndarray:
    """1 in the centre of an ellipse, 0 on its border and outside."""
    across, down = (dx - x) / half_width, (dy - y) / half_height
    return np.maximum(1 - across * across - down * down, 0)
