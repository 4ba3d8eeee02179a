"""One row of a design in, one radiograph with its ground truth out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from .acquisition import MU_BONE, MU_LUNG, MU_SOFT, SITES, expose, prepare
from .bones import draw_bones
from .disease import Lesion, draw_lesion
from .frame import Frame, make_frame
from .grain import texture
from .overlay import draw_border, draw_devices, draw_marker
from .patient import Patient, Pose, draw_patient, draw_pose, stream
from .soft import Chest, draw_chest
from .transform import apply
from .vessels import draw_vessels

# Raised with every change of what is drawn or written: cohorts on disk are known by it.
# tests/unit/test_phantom.py pins renderings to it and fails when they change alone.
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

    Parameters
    ----------
    image : numpy.ndarray
        (size, size) float32 in [0, 1], white = dense.
    masks : dict of str to numpy.ndarray
        (size, size) bool of lung, heart, lesion, marker, device.
    truth : dict
        Every parameter as one flat row.
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

    The switches give the counterfactuals: the same seed without its lesion, marker or device, at
    another site, at another severity, or mirrored. With scatter, noise and filters off, two
    counterfactuals differ only inside the mask of what was changed.

    Parameters
    ----------
    row : Mapping
        Fields of one row of a design; missing ones take the values of DEFAULTS.
    size : int
        Side of the square image in pixels.
    masks : bool
        Whether to return masks.
    lesion, marker, device : bool
        Whether to draw them, where the row has them.
    site : {"A", "B", "C"}, optional
        Another site's equipment than the row's.
    severity : float, optional
        Another severity than the row's, 0 (invisible) to 1 (severe).
    mirror : bool
        Whether to exchange left and right in the finished image.
    scatter, noise, filters : bool
        Whether to add scattered radiation and quantum noise, and to blur and sharpen as detectors
        do.

    Returns
    -------
    Rendering
        Image, masks and truth.

    Raises
    ------
    ValueError
        For an unknown label, site, view, age group, device or transform.

    Examples
    --------
    >>> from cxr_helpers import phantom
    >>> row = {"label": "covid", "severity": 0.8, "seed": 3, "patient_seed": 4}
    >>> ill = phantom.render(row, size=64)
    >>> well = phantom.render(row, size=64, lesion=False)
    >>> ill.image.shape, bool(ill.masks["lesion"].any()), bool(well.masks["lesion"].any())
    ((64, 64), True, False)
    >>> bool(ill.image[ill.masks["lesion"]].mean() > well.image[ill.masks["lesion"]].mean())
    True
    """
    fields: dict[str, Any] = dict(DEFAULTS)
    fields.update((name, value) for name, value in dict(row).items() if not pd.isna(value))
    equipment = site or fields["equipment"]
    if equipment not in SITES:
        raise ValueError(f"site {equipment!r} is not one of {sorted(SITES)}")
    place = SITES[equipment]
    seed = int(fields["seed"])
    amount = float(fields["severity"] if severity is None else severity) if lesion else 0.0
    disease = fields.get("disease", fields["label"])

    # The patient, ill, before the beam.
    patient = draw_patient(
        stream(fields["patient_seed"], "patient"), fields["age_group"], fields["sex"]
    )
    anatomy = _draw_anatomy(patient, draw_pose(stream(seed, "pose"), patient, fields["view"]), size)
    frame, chest = anatomy.frame, anatomy.chest
    wound = draw_lesion(frame, patient, chest, disease, amount, seed, fields["side"])
    metal = draw_devices(frame, patient, chest, fields["device"] if device else "", seed)

    # The beam: grey levels are fixed before lesion and device, and cannot answer to them.
    attenuation = anatomy.bone * (MU_BONE * place.bone)
    attenuation += anatomy.soft
    attenuation.clip(0, np.inf, out=attenuation)
    exposure = prepare(
        attenuation, chest.field, place, seed, scatter=scatter, noise=noise, filters=filters
    )
    attenuation += metal
    attenuation += (anatomy.air_to_water - 0.6 * anatomy.vessels) * wound.opacity
    image = expose(attenuation, exposure)

    # What is not the patient, on the finished image.
    letters = draw_marker(size, fields["marker"] if marker else "", place.lettering, seed)
    black = draw_border(size, place.border if fields["border"] else 0.0, seed)
    image[black] = 0.01
    image += letters * (0.97 - image)
    image.clip(0, 1, out=image)
    found = _masks(chest, wound, letters, metal, black) if masks else {}
    mirrored = bool(mirror or fields["mirrored"])
    if mirrored:
        image = image[:, ::-1].copy()
        found = {name: mask[:, ::-1].copy() for name, mask in found.items()}
    image, found = apply(image, found, str(fields["transform"]), seed)

    fields.update(
        disease=disease,
        equipment=equipment,
        mirrored=mirrored,
        severity=amount,
        exposure=exposure.exposure,
        contrast=exposure.contrast,
    )
    return Rendering(image, found, _truth(fields, patient, frame, chest, wound))


@dataclass(frozen=True)
class _Anatomy:
    """A patient in a pose without lesions: attenuation (no unit) without bone, and bone.

    All arrays are (size, size) and read-only.
    """

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
    grain = texture(rng, size, 3.2)
    lace = texture(rng, size, 2.4)
    organs = texture(rng, size, 3.4)
    # Vessels are seen where there is lung around them, and thin out to the wall.
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
    anatomy = _Anatomy(
        frame=frame,
        chest=chest,
        soft=soft,
        vessels=vessels,
        air_to_water=chest.lung * (MU_SOFT - MU_LUNG),
        bone=draw_bones(frame, patient, chest),
    )
    _protect(anatomy)
    return anatomy


def _protect(part) -> None:
    """Make all arrays of a dataclass, and of those in it, read-only."""
    for value in vars(part).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
        elif is_dataclass(value):
            _protect(value)


def _masks(
    chest: Chest, lesion: Lesion, letters: np.ndarray, metal: np.ndarray, black: np.ndarray
) -> dict:
    seen = ~black
    return {
        "lung": chest.field & seen,
        "heart": chest.heart & seen,
        "lesion": lesion.mask & seen,
        "marker": letters > 0,
        "device": (metal > 0) & seen,
    }


def _truth(fields: dict, patient: Patient, frame: Frame, chest: Chest, lesion: Lesion) -> dict:
    """Everything that was drawn, as one flat row; sides are those seen in the image."""
    truth = dict(fields)
    if fields["disease"] == "normal":
        truth["severity"] = 0.0
    truth["side"] = lesion.side
    if fields["mirrored"]:
        truth["side"] = {"left": "right", "right": "left"}.get(lesion.side, lesion.side)
    truth["ctr"] = chest.ctr
    inside: Any = np.count_nonzero(chest.field)
    truth["lesion_share"] = np.count_nonzero(lesion.mask) / max(inside, 1)
    seen = lesion.mask.any()
    truth["lesion_opacity"] = (
        float(lesion.opacity[lesion.mask].mean(dtype=np.float64)) if seen else 0.0
    )
    for name, value in vars(patient).items():
        if name not in ("seed", "sex", "age_group"):
            truth[f"patient_{name}"] = value
    for name, value in vars(frame.pose).items():
        if name not in ("seed", "view"):
            truth[f"pose_{name}"] = value
    return truth
