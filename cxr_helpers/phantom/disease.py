"""Disease as opacity: the share of a lung's air that water replaces, 0 … 1, rising with severity.

Patterns follow the descriptions of the Fleischner Society glossary (Hansell et al. 2008, doi
10.1148/radiol.2462070712) and, for COVID-19, of Wong et al. 2020 (doi 10.1148/radiol.2020201160):
bilateral, peripheral, lower zones. COVID-19 and other viral pneumonia can be told apart here
because they are drawn so; real ones overlap.
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
ONE_SIDED = ("bacterial", "effusion")
SIDES = ("right", "left", "both", "")
FAINT = 0.03  # opacity below which nothing is drawn, so that a mask has an edge


@dataclass(frozen=True)
class Lesion:
    """Opacity (size, size), float32 in 0-1, zero outside `mask`; side as in SIDES."""

    opacity: np.ndarray
    mask: np.ndarray
    side: str


@dataclass(frozen=True)
class Case:
    """Who is ill, where and how badly: all that the pattern of a disease is drawn from."""

    frame: Frame
    patient: Patient
    chest: Chest
    severity: float
    side: str
    rng: np.random.Generator

    @property
    def sign(self) -> int:
        """Sign of x on the side of a one-sided disease."""
        return 1 if self.side == "left" else -1


def draw_lesion(
    frame: Frame,
    patient: Patient,
    chest: Chest,
    label: str,
    severity: float,
    seed: int,
    side: str = "",
) -> Lesion:
    """Draw the opacities of one disease; severity 0 is invisible, 1 severe.

    Every blob, band and edge has its place from the seed alone and grows with severity, so mean
    contrast is ordered by it. `side` forces right or left for a one-sided disease. "normal" gives
    an empty lesion. Raises ValueError for an unknown label.
    """
    if label == "normal" or severity <= 0:
        return Lesion(np.zeros_like(frame.x), np.zeros(frame.x.shape, bool), "")
    if label not in DISEASES:
        raise ValueError(f"label {label!r} cannot be drawn; one of normal, {', '.join(DISEASES)}")
    rng = stream(seed, "lesion", label)
    drawn = "left" if rng.random() < 0.5 else "right"
    if label not in ONE_SIDED:
        side = "both"
    elif side not in ("left", "right"):
        side = drawn
    case = Case(
        frame=frame, patient=patient, chest=chest, severity=float(severity), side=side, rng=rng
    )
    opacity = _PATTERNS[label](case)
    opacity -= FAINT
    opacity.clip(0, 0.95, out=opacity)
    place = chest.lung > 0.05
    if label == "effusion":
        # Fluid also lies behind the heart: without it a lucent line would part the effusion from
        # the heart.
        place &= chest.wall & (chest.depth_below < 4.5 * patient.scale)
        opacity *= np.clip(1 - chest.inside / (6.0 * patient.scale), 0, 1)
    else:
        place &= chest.field
        opacity *= np.clip(2 - chest.inside * (2 / (RIM * patient.scale)), 0, 1)
    opacity *= place
    return Lesion(opacity, opacity > 0, side)


def _blob(dx: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Smooth bump of finite support: (1 - r²)² for r < 1."""
    root = np.clip(1 - dx * dx - dy * dy, 0, 1)
    return root * root


def _covid(case: Case) -> np.ndarray:
    """Bilateral, peripheral, basal ground glass: up to 14 patches that appear and then merge."""
    frame, chest, rng, severity, count = case.frame, case.chest, case.rng, case.severity, 14
    sign = np.where(np.arange(count) % 2 == 0, -1, 1)
    lateral = rng.uniform(0.55, 0.93, count)
    depth = np.clip(rng.beta(3.2, 1.7, count), 0.12, 0.95)
    size = case.patient.half_width * rng.uniform(0.16, 0.34, count) * (0.65 + 0.5 * severity)
    flat = rng.uniform(0.7, 1.4, count)
    late = np.sort(rng.uniform(0, 0.75, count))  # the severity at which a patch appears
    weight = np.clip((severity * 1.15 + 0.12 - late) / 0.35, 0, 1) * rng.uniform(0.6, 1.0, count)

    shown = np.flatnonzero(weight > 0)
    y = depth[shown] * chest.lungs_height
    row = ((y - ORIGIN) / STEP).astype(int)
    outer = np.where(sign[shown] > 0, chest.outlines.left[row], chest.outlines.right[row])
    x = sign[shown] * lateral[shown] * outer
    wide, tall = size[shown] * flat[shown], size[shown] / flat[shown]

    # Each patch takes its share of what the others leave clear, in a box of the coarse grid around
    # it.
    grid = frame.coarse
    clear = np.ones_like(grid.x)
    columns, rows = frame.to_pixels(x, y) / frame.step
    reach = 1.15 * np.maximum(wide, tall) / (frame.px * frame.step) + 2
    for k, share in enumerate(weight[shown]):
        box = (_around(rows[k], reach[k]), _around(columns[k], reach[k]))
        dx = (grid.x[box] - x[k]) / wide[k]
        dy = (grid.y[box] - y[k]) / tall[k]
        clear[box] *= 1 - share * _blob(dx, dy)
    amount = np.clip(0.95 + 0.22 * texture(rng, frame.size, 3.1), 0.4, 1.4)
    amount *= frame.enlarge(1 - clear)
    amount.clip(0, 1, out=amount)
    amount *= 0.64 * severity**0.5
    return amount


def _around(place: float, reach: float) -> slice:
    return slice(max(0, int(place - reach)), max(0, int(place + reach + 2)))


def _viral(case: Case) -> np.ndarray:
    """Diffuse perihilar interstitial pattern: strands and cuffs around the hila, both sides."""
    frame, rng, scale, height = case.frame, case.rng, case.patient.scale, case.chest.lungs_height
    grid, size = frame.coarse, frame.size
    reach = (4.8 + 4.2 * case.severity) * scale
    across = (grid.ax - 4.2 * scale) / reach
    down = (grid.y - grid.sides(0.45 * height + scale, 0.41 * height + scale)) / (1.35 * reach)
    near = np.exp(-across * across - down * down) * (0.95 * case.severity**0.75)
    # Strands and cuffs run where a random field crosses zero, fine ones and coarse ones.
    strands = np.abs(texture(rng, size, 2.7))
    strands *= -1.5 * 0.20
    strands += 0.20
    np.maximum(strands, 0, out=strands)
    cuffs = np.abs(texture(rng, size, 3.2))
    cuffs *= -1.8 * 0.16
    cuffs += 0.16
    np.maximum(cuffs, 0, out=cuffs)
    # The haze between them; strands stand out where it is dense.
    haze = texture(rng, size, 3.4) * 0.40
    haze += 0.5
    haze.clip(0, 1, out=haze)
    strands *= haze + 0.3
    haze *= 0.58
    haze += strands
    haze += cuffs
    haze *= frame.enlarge(near)
    return haze


def _bacterial(case: Case) -> np.ndarray:
    """One lobar consolidation, sharp where it meets a fissure, with an air bronchogram."""
    frame, rng, severity, scale = case.frame, case.rng, case.severity, case.patient.scale
    ax = np.abs(frame.x)
    fissure = (ax - 6 * scale) * 0.10  # y of the fissure, which slopes
    middle = case.chest.lungs_height * rng.uniform(0.46, 0.54)
    fissure *= rng.normal(0.2, 1)
    fissure += middle
    into_lobe = -1 if rng.random() < 0.45 else 1  # the lobe above the fissure or below
    beyond = (frame.y - fissure) * into_lobe
    beyond += rng.uniform(0.1, 0.6) * texture(rng, frame.size, 3.4)
    edge = np.clip(beyond / (rng.uniform(0.3, 1.5) * scale), 0, 1)
    across = ax - case.patient.half_width * rng.uniform(0.48, 0.72)
    down = frame.y - fissure - (into_lobe * (1.6 + 2.2 * severity) * scale)
    reach = (2.6 + 4.6 * severity) * scale * rng.uniform(0.9, 1.15)
    near = np.exp((across * across + down * down) * (-1 / reach**2))
    patchy = np.clip(0.88 + 0.22 * texture(rng, frame.size, 3.0), 0.3, 1.1)
    opacity = np.minimum(1.2 * near, 1) * edge * patchy
    opacity *= 0.88 * severity**0.45
    opacity *= frame.x * case.sign > 0
    return opacity * (1 - _bronchogram(case))


def _bronchogram(case: Case) -> np.ndarray:
    """Branching air tubes seen because the lung around them is dense; 0 … 0.3."""
    rng, scale, height = case.rng, case.patient.scale, case.chest.lungs_height
    way = np.linspace(0, 1, 120)
    xs, ys = [], []
    for turn in np.linspace(-60, 85, 9) + rng.normal(0, 9, 9):
        angle = np.deg2rad(turn) + rng.normal(0, 0.45) * way
        radius = scale * rng.uniform(5.0, 7.5) * way
        xs.append(case.sign * (4.0 * scale + radius * np.cos(angle)))
        ys.append(0.45 * height + radius * np.sin(angle))
    volume = 0.0035 * scale * scale * (1 - 0.8 * np.tile(way, (9, 1)))
    air = blur(splat(case.frame, np.stack(xs), np.stack(ys), volume), 0.8)
    return np.minimum(air * (0.22 / 0.12), 0.22)


def _effusion(case: Case) -> np.ndarray:
    """Fluid in the pleural space, from the costophrenic angle; laterally its meniscus rises."""
    frame, chest, rng, scale = case.frame, case.chest, case.rng, case.patient.scale
    level = chest.lungs_height + (4.2 - 15.0 * case.severity) * scale
    rise = (2.2 + 1.2 * rng.random()) * scale
    surface = 0.10 * texture(rng, frame.size, 3.4)
    surface += level
    surface -= rise * chest.extent**3.5
    surface -= (0.6 * scale) * dome(((3.5 * scale) - np.abs(frame.x)) / (3 * scale))
    depth = np.clip((frame.y - surface) / (1.3 * scale), 0, 1)
    return 0.93 * depth**0.7 * (frame.x * case.sign > 0)


_PATTERNS = {"covid": _covid, "viral": _viral, "bacterial": _bacterial, "effusion": _effusion}
