"""Disease as opacity: the share of a lung's air that is replaced by water, 0 … 1, continuous in severity.

Patterns follow the descriptions of the Fleischner Society glossary (Hansell et al. 2008, doi 10.1148/radiol.2462070712)
and, for COVID-19, of Wong et al. 2020 (doi 10.1148/radiol.2020201160): bilateral, peripheral, lower zones. COVID-19 and
other viral pneumonia can be told apart here because they are drawn so; real ones overlap.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .frame import Frame
from .grain import blur, texture
from .patient import Patient, stream
from .points import splat
from .profiles import ORIGIN, STEP, dome
from .soft import RIM, Chest

DISEASES = ("covid", "viral", "bacterial", "effusion")
SIDES = ("right", "left", "both", "")
FAINT = 0.03  # opacity below which nothing is drawn, so that a mask has an edge


@dataclass(frozen=True)
class Lesion:
    """opacity: (size, size) float32 in 0-1, zero outside `mask`; side as in SIDES. Introduced in lesson 01."""

    opacity: np.ndarray
    mask: np.ndarray
    side: str


def draw_lesion(
    frame: Frame, patient: Patient, chest: Chest, label: str, severity: float, seed: int, side: str = ""
) -> Lesion:
    """Draw the opacities of one disease; severity 0 is invisible, 1 severe.

    Every blob, band and edge has its place from the seed alone and grows with severity, so mean contrast is ordered by
    it. `side` forces right or left for a one-sided disease. "normal" gives an empty lesion. Raises ValueError for an
    unknown label. Introduced in lesson 01.
    """
    nothing = Lesion(np.zeros_like(frame.x), np.zeros(frame.x.shape, bool), "")
    if label == "normal" or severity <= 0:
        return nothing
    if label not in DISEASES:
        raise ValueError(f"label {label!r} cannot be drawn; one of normal, {', '.join(DISEASES)}")
    rng = stream(seed, "lesion", label)
    one_sided = label in ("bacterial", "effusion")
    drawn = "left" if rng.random() < 0.5 else "right"
    side = (side if side in ("left", "right") else drawn) if one_sided else "both"
    shape = {"covid": _covid, "viral": _viral, "bacterial": _bacterial, "effusion": _effusion}[label]
    opacity = shape(frame, patient, chest, float(severity), rng, side)
    opacity -= FAINT
    opacity.clip(0, 0.95, out=opacity)
    place = chest.lung > 0.05
    if label == "effusion":
        # Fluid also lies behind the heart: without it a lucent line would part the effusion from the heart.
        deep = np.clip(1 - chest.inside / (6.0 * patient.scale), 0, 1)
        place &= chest.wall & (chest.depth_below < 4.5 * patient.scale)
        opacity *= deep
    else:
        place &= chest.field
        opacity *= np.clip(2 - chest.inside * (2 / (RIM * patient.scale)), 0, 1)
    opacity *= place
    return Lesion(opacity, opacity > 0, side)


def _blob(dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Smooth bump of finite support: (1 - r²)² for r < 1."""
    q = np.clip(1 - dx * dx - dy * dy, 0, 1)
    return q * q


def _covid(frame, patient, chest, severity, rng, side) -> np.ndarray:
    """Bilateral, peripheral, basal ground glass: up to 14 patches that appear one by one and grow together."""
    count = 14
    sign = np.where(np.arange(count) % 2 == 0, -1, 1)
    lateral = rng.uniform(0.55, 0.93, count)
    depth = np.clip(rng.beta(3.2, 1.7, count), 0.12, 0.95)
    size = patient.half_width * rng.uniform(0.16, 0.34, count) * (0.65 + 0.5 * severity)
    flat = rng.uniform(0.7, 1.4, count)
    late = np.sort(rng.uniform(0, 0.75, count))
    weight = np.clip((severity * 1.15 + 0.12 - late) / 0.35, 0, 1) * rng.uniform(0.6, 1.0, count)
    drawn = np.flatnonzero(weight > 0)
    y = depth[drawn] * chest.lungs_height
    row = ((y - ORIGIN) / STEP).astype(int)
    outer = np.where(sign[drawn] > 0, chest.outlines.left[row], chest.outlines.right[row])
    x = sign[drawn] * lateral[drawn] * outer
    wide, tall = size[drawn] * flat[drawn], size[drawn] / flat[drawn]
    columns, rows = frame.to_pixels(x, y) / frame.step
    reach = 1.15 * np.maximum(wide, tall) / (frame.px * frame.step) + 2
    clear, grid = np.ones_like(frame.coarse.x), frame.coarse
    for k, share in enumerate(weight[drawn]):
        box = tuple(slice(max(0, int(at[k] - reach[k])), max(0, int(at[k] + reach[k] + 2))) for at in (rows, columns))
        dx, dy = (grid.x[box] - x[k]) / wide[k], (grid.y[box] - y[k]) / tall[k]
        clear[box] *= 1 - share * _blob(dx, dy)
    amount = np.clip(0.95 + 0.22 * texture(rng, frame.size, 3.1), 0.4, 1.4)
    amount *= frame.enlarge(1 - clear)
    amount.clip(0, 1, out=amount)
    amount *= 0.64 * severity**0.5
    return amount


def _viral(frame, patient, chest, severity, rng, side) -> np.ndarray:
    """Diffuse perihilar interstitial pattern: strands and cuffs around the hila, both sides."""
    s, h, grid = patient.scale, chest.lungs_height, frame.coarse
    reach = (4.8 + 4.2 * severity) * s
    across = (grid.ax - 4.2 * s) / reach
    down = (grid.y - grid.sides(0.45 * h + s, 0.41 * h + s)) / (1.35 * reach)
    near = np.exp(-across * across - down * down) * (0.95 * severity**0.75)
    ridges = np.abs(texture(rng, frame.size, 2.7))
    ridges *= -1.5 * 0.20
    ridges += 0.20
    np.maximum(ridges, 0, out=ridges)
    coarse = np.abs(texture(rng, frame.size, 3.2))
    coarse *= -1.8 * 0.16
    coarse += 0.16
    np.maximum(coarse, 0, out=coarse)
    cloud = texture(rng, frame.size, 3.4) * 0.40
    cloud += 0.5
    cloud.clip(0, 1, out=cloud)
    ridges *= cloud + 0.3
    cloud *= 0.58
    cloud += ridges
    cloud += coarse
    cloud *= frame.enlarge(near)
    return cloud


def _bacterial(frame, patient, chest, severity, rng, side) -> np.ndarray:
    """One lobar consolidation, sharp where it meets a fissure, with an air bronchogram."""
    sign = 1 if side == "left" else -1
    s, h = patient.scale, chest.lungs_height
    ax = np.abs(frame.x)
    fissure = (ax - 6 * s) * 0.10
    middle = h * rng.uniform(0.46, 0.54)
    fissure *= rng.normal(0.2, 1)
    fissure += middle
    upper = rng.random() < 0.45
    towards = -1 if upper else 1
    below = (frame.y - fissure) * towards
    below += (rng.uniform(0.1, 0.6)) * texture(rng, frame.size, 3.4)
    edge = np.clip(below / (rng.uniform(0.3, 1.5) * s), 0, 1)
    across = ax - (patient.half_width * rng.uniform(0.48, 0.72))
    down = frame.y - fissure - (towards * (1.6 + 2.2 * severity) * s)
    reach = (2.6 + 4.6 * severity) * s * rng.uniform(0.9, 1.15)
    near = np.exp((across * across + down * down) * (-1 / reach**2))
    patchy = np.clip(0.88 + 0.22 * texture(rng, frame.size, 3.0), 0.3, 1.1)
    opacity = np.minimum(1.2 * near, 1) * edge * patchy
    opacity *= 0.88 * severity**0.45
    opacity *= frame.x * sign > 0
    return opacity * (1 - _bronchogram(frame, patient, chest, sign, rng))


def _bronchogram(frame: Frame, patient: Patient, chest: Chest, sign: int, rng) -> np.ndarray:
    """Branching air tubes seen because the lung around them is dense; 0 … 0.3."""
    s, h = patient.scale, chest.lungs_height
    t, xs, ys = np.linspace(0, 1, 120), [], []
    for turn in np.linspace(-60, 85, 9) + rng.normal(0, 9, 9):
        a = np.deg2rad(turn) + rng.normal(0, 0.45) * t
        r = s * rng.uniform(5.0, 7.5) * t
        xs.append(sign * (4.0 * s + r * np.cos(a)))
        ys.append(0.45 * h + r * np.sin(a))
    line = blur(splat(frame, np.stack(xs), np.stack(ys), 0.0035 * s * s * (1 - 0.8 * np.tile(t, (9, 1)))), 0.8)
    return np.minimum(line * (0.22 / 0.12), 0.22)


def _effusion(frame, patient, chest, severity, rng, side) -> np.ndarray:
    """Fluid in the pleural space: fills from the costophrenic angle, surface rising laterally as a meniscus."""
    sign = 1 if side == "left" else -1
    s, h = patient.scale, chest.lungs_height
    level = h + (4.2 - 15.0 * severity) * s
    rise = (2.2 + 1.2 * rng.random()) * s
    surface = 0.10 * texture(rng, frame.size, 3.4)
    surface += level
    surface -= rise * chest.extent**3.5
    surface -= (0.6 * s) * dome(((3.5 * s) - np.abs(frame.x)) / (3 * s))
    depth = np.clip((frame.y - surface) / (1.3 * s), 0, 1)
    return 0.93 * depth**0.7 * (frame.x * sign > 0)
