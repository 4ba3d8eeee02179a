"""Heart and mediastinum: their borders, and how much lung they leave in front and behind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .frame import Frame
from .patient import Patient, Pose, stream
from .profiles import AXIS, ORIGIN, STEP, Sides, dome, profile, table_index, wobble


@dataclass(frozen=True)
class Borders:
    """Borders of heart and mediastinum: tables of |x| against y in cm; cardiothoracic ratio."""

    lines: Sides
    ctr: float


def draw_borders(patient: Patient, pose: Pose, height: float) -> Borders:
    """Draw the right and left border of heart and mediastinum; height: of the lungs, cm.

    The cardiothoracic ratio is the sum of the two largest distances from the midline over the inner
    width of the thorax.
    """
    rng = stream(patient.seed, "heart")
    ratio = min(patient.ctr * pose.heart_scale / pose.inspiration**0.45, 0.62)
    heart = 2 * patient.half_width * ratio
    atrium = heart * rng.uniform(0.24, 0.36)
    left = _left_border(patient, height, heart - atrium, rng)
    right = _right_border(patient, height, atrium, rng)
    rough_right = wobble(rng, 0.09, 1.7) + wobble(rng, 0.05, 0.6)
    rough_left = wobble(rng, 0.09, 1.7) + wobble(rng, 0.05, 0.6)
    turn = 0.5 * patient.scale * pose.axial
    return Borders(Sides(right=right + rough_right - turn, left=left + rough_left + turn), ratio)


def _left_border(
    patient: Patient, height: float, ventricle: float, rng: np.random.Generator
) -> np.ndarray:
    """Left border; ventricle: how far the left ventricle reaches from the midline, cm."""
    scale, knob, unfolded, lowest = (
        patient.scale,
        patient.knob,
        patient.unfolded,
        patient.heart_length,
    )
    arch = rng.uniform(0.17, 0.23)
    trunk = rng.uniform(-0.3, 1.5) * scale
    apex = rng.uniform(0.10, 0.20)
    waist = np.clip(rng.uniform(0.36, 0.58) * ventricle, 2.6 * scale, 0.8 * ventricle)
    fullness = rng.uniform(1.2, 2.3)
    neck = rng.uniform(1.9, 2.5) * scale
    line = [  # y as a fraction of the height of the lungs, |x| in cm
        (-0.3, neck),
        (0.03, neck),
        (arch - 0.07, neck + 0.4 * knob + 0.4 * unfolded),  # subclavian vessels
        (arch, 2.7 * scale + knob + unfolded),  # aortic knob
        (arch + 0.05, 2.6 * scale + 0.8 * knob + unfolded),
        (arch + 0.10, 2.4 * scale + 0.3 * knob + 0.5 * unfolded),  # aortopulmonary window
        (arch + 0.16, 2.7 * scale + trunk),  # pulmonary trunk
    ]
    for way in (0, 0.15, 0.3, 0.45, 0.6, 0.8):  # from the atrial appendage along the left ventricle
        bulge = (1 - (1 - way) ** fullness) ** 0.9
        line.append((0.42 + (lowest - 0.42) * way, waist + (ventricle - waist) * bulge))
    line += [
        (lowest, ventricle),
        (lowest + 0.4 * apex, 0.95 * ventricle),
        (lowest + apex, 0.78 * ventricle),  # the rounded apex
        (lowest + 0.36, 0.5 * ventricle),
        (1.7, 0.3 * ventricle),
    ]
    return profile([(y * height, x) for y, x in line], 0.035 * height)


def _right_border(
    patient: Patient, height: float, atrium: float, rng: np.random.Generator
) -> np.ndarray:
    """Right border; atrium: how far the right atrium reaches from the midline, cm."""
    scale, unfolded = patient.scale, patient.unfolded
    cava = rng.uniform(1.8, 2.5) * scale + 0.5 * unfolded
    aorta = rng.uniform(0.0, 0.7) * scale + 0.5 * unfolded
    middle = rng.uniform(0.66, 0.80)
    line = [  # y as a fraction of the height of the lungs, |x| in cm
        (-0.3, min(cava, atrium)),
        (0.05, min(cava, atrium)),  # upper vena cava
        (0.2, min(cava + 0.3 * scale, atrium)),
        (0.34, min(cava + 0.4 * scale + aorta, atrium)),  # ascending aorta
        (0.44, min(cava + 0.3 * scale + 0.7 * aorta, atrium)),
        (middle - 0.16, 0.86 * atrium),
        (middle - 0.07, atrium),  # right atrium
        (middle + 0.06, atrium),
        (0.92, 0.90 * atrium),
        (1.05, 0.70 * atrium),
        (1.6, 0.3 * atrium),
    ]
    return profile([(y * height, x) for y, x in line], 0.035 * height)


def lung_beside(
    frame: Frame, patient: Patient, inside: np.ndarray, borders: Borders, height: float
) -> np.ndarray:
    """Share of the lung chord that heart, vessels and fat leave.

    The vessels are the great ones and the descending aorta; the fat is at the heart's foot.

    inside: cm behind the border, negative in the lung. Returns 0-1, of the shape of `inside`.
    """
    rng = stream(patient.seed, "cover")
    share = _beside_heart(frame, patient, inside, height, rng)
    share *= _beside_spine(frame, patient, inside, rng)
    _take_aorta(frame, patient, height, rng, share)
    _take_fat(frame, patient, borders, height, rng, share)
    return share.clip(0, 1, out=share)


def _beside_heart(
    frame: Frame, patient: Patient, inside: np.ndarray, height: float, rng: np.random.Generator
) -> np.ndarray:
    """Share of lung in front of heart and great vessels and behind them.

    The deeper, the thicker they are.
    """
    scale = patient.scale
    thickest = [(0, 0.36), (0.12, 0.48), (0.25, 0.58), (0.45, 0.66), (0.75, 0.78), (1, 0.80)]
    curvature = [(0, 3.4 * scale), (0.3, 3.0 * scale), (0.8, 4.8 * scale)]
    # what changes slowly downwards is taken as the same along a row
    row = table_index(frame.y[:, frame.size // 2])
    size = profile([(y * height, part) for y, part in thickest], 1.5)[row][:, None]
    radius = profile([(y * height, r) for y, r in curvature], 1.5)[row][:, None]
    chord = dome(inside / radius)
    blunt = rng.uniform(0.0, 0.7)
    share = chord * (blunt - 1)  # 1 - size · chord · (blunt + (1 - blunt) chord)
    share -= blunt
    share *= chord
    share *= size
    share += 1
    return share


def _beside_spine(
    frame: Frame, patient: Patient, inside: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Share of lung behind the heart, which thins out towards the spine.

    Without this the column would have edges like a ruler.
    """
    scale = patient.scale
    wide = rng.uniform(2.6, 4.2) * scale
    share = np.abs(frame.x) * (-1 / wide)
    share += 1 + 1.1 * scale / wide
    share.clip(0, 1, out=share)
    share *= np.clip(inside / (1.2 * scale), 0, 1)
    share *= -rng.uniform(0.55, 0.95)
    share += 1
    return share


def _take_aorta(
    frame: Frame, patient: Patient, height: float, rng: np.random.Generator, share: np.ndarray
) -> None:
    """Take from `share` what the descending aorta fills; its left border runs beside the spine."""
    scale = patient.scale
    line = [
        (-1, -2),
        (0.16 * height, -2),
        (0.24 * height, 2.6 * scale),
        (0.6 * height, 2.3 * scale),
        (1.2 * height, 1.2 * scale),
    ]
    border = profile(line, 1.5) + 0.7 * patient.unfolded * np.sin(AXIS / 5) + wobble(rng, 0.08, 2.0)
    block = frame.slab(0, float(border.max()))
    x = frame.x[block]
    aorta = dome((border.take(table_index(frame.y[block])) - x) / (1.2 * scale))
    share[block] *= 1 - 0.16 * aorta * (x > 0)


def _take_fat(
    frame: Frame,
    patient: Patient,
    borders: Borders,
    height: float,
    rng: np.random.Generator,
    share: np.ndarray,
) -> None:
    """Take from `share` what the fat at the heart's foot fills, on either side."""
    scale = patient.scale
    foot = int((height - ORIGIN) / STEP)
    right = borders.lines.right[foot] + scale * rng.uniform(-0.4, 1.2)
    left = borders.lines.left[foot] + scale * rng.uniform(-0.4, 1.2)
    much_right, much_left = rng.uniform(0, 0.35 + 0.3 * patient.build, 2)
    y, reach = height + 0.6 * scale, 6.0 * scale
    for sign, place, much in ((-1, right, much_right), (1, left, much_left)):
        x = float(sign * place)
        near, far = sorted((x - sign * min(reach, float(place)), x + sign * reach))
        block = frame.slab(near, far, y - reach, y + reach)
        away = np.square(frame.x[block] - x)
        away += np.square(frame.y[block] - y)
        left_over = np.exp(away * (-1 / (3.5 * scale * scale)))
        left_over *= -much
        left_over += 1
        np.minimum(share[block], left_over, out=share[block])
