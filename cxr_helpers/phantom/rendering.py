"""One row of a design in, one radiograph with its ground truth out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from .acquisition import MU_BONE, MU_LUNG, MU_SOFT, SITES, expose, prepare
from .bones import draw_bones
from .disease import Lesion, draw_lesion
from .frame import Frame, make_frame, texture
from .overlay import draw_border, draw_devices, draw_marker
from .patient import Patient, Pose, draw_patient, draw_pose, stream
from .soft import Chest, draw_chest
from .transform import apply
from .vessels import draw_vessels

# Raised with every change of what is drawn or written: cohorts on disk are known by it. tests/unit/test_phantom.py pins
# renderings to it and fails when they change alone.
RENDERER_VERSION = 2

DEFAULTS = {
    "label": "normal",
    "severity": 0.6,
    "side": "",
    "equipment": "A",
    "view": "PA",
    "age_group": "adult",
    "sex": "M",
    "marker": "",
    "device": "",
    "seed": 0,
    "patient_seed": 0,
    "border": True,
    "mirrored": False,
    "transform": "",
}


@dataclass(frozen=True)
class Rendering:
    """A phantom radiograph and the truth about it.

    image: (h, w) float32 in [0, 1], white = dense; masks: name → (h, w) bool of lung, heart, lesion, marker, device;
    truth: every parameter as one flat row. Introduced in lesson 01.
    """

    image: np.ndarray
    masks: dict[str, np.ndarray]
    truth: dict


def render(
    row: Mapping,
    size: int = 224,
    *,
    masks: bool = True,
    lesion: bool = True,
    marker: bool = True,
    device: bool = True,
    site: str | None = None,
    severity: float | None = None,
    mirror: bool = False,
    scatter: bool = True,
    noise: bool = True,
    filters: bool = True,
) -> Rendering:
    """Draw the radiograph that a row of a design describes.

    The switches give the counterfactuals: the same seed without its lesion, marker or device, at another site
    (equipment "A", "B", "C"), at another severity, or mirrored. With scatter, noise and filters (detector blur,
    sharpening) off, two counterfactuals differ only inside the mask of what was changed. Missing fields
    take the values of DEFAULTS. Raises ValueError for unknown labels, sites, views, devices. Introduced in lesson 01.
    """
    row = {**DEFAULTS, **{k: v for k, v in dict(row).items() if not pd.isna(v)}}
    equipment = site or row["equipment"]
    if equipment not in SITES:
        raise ValueError(f"site {equipment!r} is not one of {sorted(SITES)}")
    seed, amount = int(row["seed"]), float(row["severity"] if severity is None else severity)
    patient = draw_patient(stream(row["patient_seed"], "patient"), row["age_group"], row["sex"])
    anatomy = _draw_anatomy(patient, draw_pose(stream(seed, "pose"), patient, row["view"]), size)
    frame, chest = anatomy.frame, anatomy.chest
    disease = row.get("disease", row["label"])
    wound = draw_lesion(frame, patient, chest, disease, amount if lesion else 0.0, seed, row["side"])
    base = anatomy.bone * (MU_BONE * SITES[equipment].bone)
    base += anatomy.soft
    base.clip(0, np.inf, out=base)
    exposure = prepare(base, chest.field, SITES[equipment], seed, scatter=scatter, noise=noise, filters=filters)
    metal = draw_devices(frame, patient, chest, row["device"] if device else "", seed)
    base += metal
    base += (anatomy.air_to_water - 0.6 * anatomy.vessels) * wound.opacity
    image = expose(base, exposure)
    letters = draw_marker(size, row["marker"] if marker else "", SITES[equipment].lettering, seed)
    black = draw_border(size, SITES[equipment].border if row["border"] else 0.0, seed)
    image[black] = 0.01
    image += letters * (0.97 - image)
    image.clip(0, 1, out=image)
    found = _masks(chest, wound, letters, metal, black) if masks else {}
    flip = bool(mirror or row["mirrored"])
    if flip:
        image, found = image[:, ::-1].copy(), {k: m[:, ::-1].copy() for k, m in found.items()}
    image, found = apply(image, found, str(row["transform"]), seed)
    shown = {"disease": disease, "equipment": equipment, "mirrored": flip, "severity": amount if lesion else 0.0}
    shown |= {"exposure": exposure.exposure, "contrast": exposure.contrast}
    return Rendering(image, found, _truth({**row, **shown}, patient, frame, chest, wound))


@dataclass(frozen=True)
class _Anatomy:
    """A patient in a pose without any lesion: attenuation (no unit) but for bone, all (size, size) and read-only."""

    frame: Frame
    chest: Chest
    soft: np.ndarray  # Σ μ t of everything but bone
    vessels: np.ndarray  # their share of it
    air_to_water: np.ndarray  # what the lungs would add if they held water
    bone: np.ndarray  # cm


@lru_cache(maxsize=2)  # the counterfactuals of an image are drawn one after the other
def _draw_anatomy(patient: Patient, pose: Pose, size: int) -> _Anatomy:
    frame = make_frame(pose, size)
    chest = draw_chest(frame, patient)
    rng = stream(patient.seed, "texture")
    grain, lace, organs = (texture(rng, size, e) for e in (3.2, 2.4, 3.4))
    vessels = draw_vessels(frame, patient, chest)
    vessels *= np.clip(chest.lung * (1.3 / (0.76 * patient.depth)), 0, 1)
    vessels *= np.clip((1.05 - chest.extent) * 4, 0.3, 1)
    vessels *= 2.2 * MU_SOFT
    soft = grain * 0.018
    soft += 1
    soft += chest.depth_below.clip(0, 1) * 0.012 * organs
    soft *= chest.tissue
    soft -= 1.5 * chest.air
    soft *= MU_SOFT
    spongy = lace * (0.07 * MU_LUNG)
    spongy += MU_LUNG - MU_SOFT
    spongy *= chest.lung
    soft += spongy
    soft += vessels
    anatomy = _Anatomy(frame, chest, soft, vessels, chest.lung * (MU_SOFT - MU_LUNG), draw_bones(frame, patient, chest))
    for part in (frame, chest, anatomy):
        for values in vars(part).values():
            if isinstance(values, np.ndarray):
                values.setflags(write=False)
    return anatomy


def _masks(chest: Chest, lesion: Lesion, letters: np.ndarray, metal: np.ndarray, black: np.ndarray) -> dict:
    seen = ~black
    return {
        "lung": chest.field & seen,
        "heart": chest.heart & seen,
        "lesion": lesion.mask & seen,
        "marker": letters > 0,
        "device": (metal > 0) & seen,
    }


def _truth(row: dict, patient: Patient, frame: Frame, chest: Chest, lesion: Lesion) -> dict:
    """Everything that was drawn, as one flat row; sides are those seen in the image."""
    side = {"left": "right", "right": "left"}.get(lesion.side, lesion.side) if row["mirrored"] else lesion.side
    facts = {
        **row,
        "severity": row["severity"] if row["disease"] != "normal" else 0.0,
        "side": side,
        "ctr": chest.ctr,
        "lesion_share": np.count_nonzero(lesion.mask) / max(np.count_nonzero(chest.field), 1),
        "lesion_opacity": float(lesion.opacity[lesion.mask].mean(dtype=np.float64)) if lesion.mask.any() else 0.0,
    }
    facts |= {f"patient_{k}": v for k, v in vars(patient).items() if k not in ("seed", "sex", "age_group")}
    return facts | {f"pose_{k}": v for k, v in vars(frame.pose).items() if k not in ("seed", "view")}
