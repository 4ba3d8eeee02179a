"""Spine: vertebral bodies with end plates, discs, pedicles, spinous and transverse processes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .frame import Frame
from .patient import Patient, stream
from .profiles import AXIS, ORIGIN, STEP, dome, table_index, wobble
from .soft import Chest


@dataclass(frozen=True)
class Vertebrae:
    """The column at each height: tables against y, or arrays of any other shape, float32."""

    centre: np.ndarray  # x in cm
    per_width: np.ndarray  # one over the half-width of the body, 1/cm
    body: np.ndarray  # thickness of each part against a body's usual
    end_plates: np.ndarray
    pedicles: np.ndarray
    spinous: np.ndarray
    transverse: np.ndarray

    def at(self, index: np.ndarray) -> Vertebrae:
        """Read all tables at these entries."""
        return Vertebrae(**{name: table.take(index) for name, table in vars(self).items()})


def add_spine(frame: Frame, patient: Patient, chest: Chest, whole: np.ndarray) -> None:
    """Add the column to `whole`, cm of bone.

    Discs and processes blur with age and weight, and below the carina the beam that shows the lungs
    hardly penetrates; that is why the column fades behind the heart.
    """
    rng, scale = stream(patient.seed, "spine"), patient.scale
    block = frame.slab(-5.2 * scale, 5.2 * scale)
    y = frame.y[block]
    parts = _vertebrae(patient, chest.lungs_height, rng).at(table_index(y))
    # 0 in the midline, ±1 at the sides of a body
    across = (frame.x[block] - parts.centre) * parts.per_width
    away = np.abs(across)
    bone = np.maximum(1 - across * across, 0)
    bone *= parts.body + parts.end_plates
    # A pedicle is a ring: a wide bump minus a narrow one.
    ring = np.square((away - 0.60) * 5)
    np.negative(ring, out=ring)
    bone += parts.pedicles * (np.exp(ring) - 0.45 * np.exp(3.5 * ring))
    bone += parts.spinous * np.exp(-np.square((across + 0.18 * frame.pose.axial) / 0.17))
    transverse = parts.transverse
    transverse *= dome((away - 0.7) * 2)
    transverse *= np.clip((2 - away) * 1.5, 0, 1)
    bone += transverse
    bone *= np.clip((y + 16 * scale) * (0.64 * scale / 3), 0, 0.64 * scale)
    whole[block] += bone


def _vertebrae(patient: Patient, height: float, rng: np.random.Generator) -> Vertebrae:
    """Draw the column of a patient; height: of the lungs, cm."""
    scale = patient.scale
    centre = patient.curve * np.sin(AXIS / 6.0) + wobble(rng, 0.07, 2.5)
    centre = centre + rng.normal(0, 0.018) * np.clip(-AXIS / scale, 0, 12) ** 2 / (
        1 + 0.05 * np.abs(AXIS)
    )

    tall = scale * np.interp(
        AXIS, [-12 * scale, 0, 22 * scale, 35 * scale], [1.55, 1.95, 2.55, 2.9]
    )
    above = (ORIGIN + 32) / (1.55 * scale)  # vertebrae are counted from 32 cm above the apices
    number = np.cumsum(STEP / tall) + (above + rng.uniform(0, 1))
    which = number.astype(int)
    # 0 at the upper end plate, 0.84 at the lower, then the disc
    part = (number - which).astype(np.float32)

    crisp = rng.uniform(0.4, 0.85) * (1.0 if patient.age_group == "adult" else 1.3)
    wide = scale * np.interp(
        AXIS, [-12 * scale, 0, 4 * scale, 24 * scale], [1.25, 1.50, 1.45, 1.95]
    )
    wide = wide + wobble(rng, 0.13, 1.8)
    wide *= 0.90 + 0.22 * np.abs(2 * part - 0.84)  # the waist of a body

    level = (1 + 0.12 * rng.normal(0, 1, 400))[which]
    fade = np.interp(AXIS, [0, 0.3 * height, 0.7 * height], [1, 0.9, rng.uniform(0.65, 1.0)])
    level *= fade
    in_body = np.clip(np.minimum(part / 0.08, (0.84 - part) / 0.08), 0, 1)
    disc = 0.6 * crisp * np.clip((AXIS + 6 * scale) / (9 * scale), 0.2, 1) * (1 - in_body)
    end_plates = _bump(part, 0.05, 0.045) + _bump(part, 0.79, 0.045)
    detail = crisp * fade
    tables = {
        "centre": centre,
        "per_width": 1 / wide,
        "body": 1.85 * (1 - disc) * level,
        "end_plates": 0.36 * crisp * end_plates * level,
        "pedicles": _bump(part, 0.30, 0.14) * detail,
        "spinous": _bump(part, 0.70, 0.22) * detail,
        "transverse": 0.55 * (_bump(part, 0.32, 0.13) * detail),
    }
    return Vertebrae(**{name: table.astype(np.float32) for name, table in tables.items()})


def _bump(part: np.ndarray, at: float, size: float) -> np.ndarray:
    return np.exp(-np.square((part - at) / size))
