"""Who is drawn: the patient (stable over visits) and the pose of one visit.

Lengths are centimetres at the detector. x runs to the viewer's right (the patient's left), y runs
down from the apex of the lungs. Every draw comes from its own named stream, so a change in one part
never moves another.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

AGE_GROUPS = ("adult", "child")
VIEWS = ("PA", "AP")


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """The random generator of `seed` and a path of names, the same on every machine."""
    numbers = [zlib.crc32(name.encode()) if isinstance(name, str) else int(name) for name in names]
    keys = [int(seed), *numbers]
    if 0 <= max(keys) < 2**32:  # the same numbers from an array, quicker
        return np.random.Generator(
            np.random.PCG64(np.random.SeedSequence(np.array(keys, np.uint32)))
        )
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(keys)))


@dataclass(frozen=True)
class Patient:
    """Anatomy of one person, stable over visits; lengths in cm at the detector, plain ratios.

    Parameters
    ----------
    seed : int
        Of all that is drawn from the patient.
    sex : str
        F or M.
    age_group : str
        One of AGE_GROUPS.
    age : float
        Years.
    build : float
        0 slender … 1 heavy.
    scale : float
        Size of bones and airways against an adult.
    half_width : float
        Inner half-width of the thorax.
    lung_height : float
        Apex to the right dome in full inspiration.
    depth : float
        Front-to-back depth of the trunk.
    wall : float
        Soft tissue lateral to the ribs.
    triangularity : float
        0 barrel … 1 bell-shaped thorax.
    ctr : float
        Cardiothoracic ratio, PA, full inspiration.
    heart_length : float
        Where the widest left border lies, fraction of lung height.
    knob : float
        Prominence of the aortic knob.
    unfolded : float
        How much a tortuous aorta widens the upper mediastinum.
    dome_step : float
        Right dome above the left.
    breast : float
        Thickness of breast tissue.
    rib_spacing : float
        From one rib to the next at the spine.
    rib_drop : float
        How far a middle rib falls from the spine to the lateral wall.
    rib_height : float
        Half the height of a rib.
    bone : float
        Mineral density against a young adult.
    curve : float
        Lateral bend of the spine (scoliosis).
    shoulder : float
        Half-distance of the shoulder joints.
    shoulder_y : float
        Height of the joints below the apices.
    vessels : float
        Vascular markings against the average.
    hilum : float
        Size of the hila against the average.
    """

    seed: int
    sex: str
    age_group: str
    age: float
    build: float
    scale: float
    half_width: float
    lung_height: float
    depth: float
    wall: float
    triangularity: float
    ctr: float
    heart_length: float
    knob: float
    unfolded: float
    dome_step: float
    breast: float
    rib_spacing: float
    rib_drop: float
    rib_height: float
    bone: float
    curve: float
    shoulder: float
    shoulder_y: float
    vessels: float
    hilum: float


@dataclass(frozen=True)
class Pose:
    """How the patient stood or lay at one visit; angles in degrees, lengths in cm.

    Parameters
    ----------
    seed : int
        Of all that is drawn from the visit.
    view : str
        One of VIEWS.
    field : float
        Side of the square field at the detector.
    top : float
        Apex of the lungs below the upper edge of the field.
    shift : float
        Midline to the viewer's right of the middle of the field.
    tilt : float
        Turn in the image plane.
    axial : float
        Turn about the long axis, -1 … 1.
    inspiration : float
        1 full.
    heart_scale : float
        Magnification and supine widening of the heart.
    arm_right : float
        Angle of the right upper arm from hanging down.
    arm_left : float
        Of the left.
    protraction : float
        Scapulae turned out of the lungs, 0 … 1.
    gas : float
        Gastric bubble, 0 none.
    warp : float
        Size of the smooth asymmetry.
    """

    seed: int
    view: str
    field: float
    top: float
    shift: float
    tilt: float
    axial: float
    inspiration: float
    heart_scale: float
    arm_right: float
    arm_left: float
    protraction: float
    gas: float
    warp: float


def draw_patient(
    rng: np.random.Generator, age_group: str = "adult", sex: str | None = None
) -> Patient:
    """Draw a patient: proportions of an adult of 20-85 years, or of a child of 1-12.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of everything random; `stream` makes one from a seed.
    age_group : {"adult", "child"}
        Whose proportions.
    sex : {"F", "M"}, optional
        Drawn if not given.

    Returns
    -------
    Patient
        Lengths in cm at the detector, the same over visits.

    Raises
    ------
    ValueError
        For an unknown age group.

    Notes
    -----
    Thoracic width 24-30 cm and a cardiothoracic ratio of 0.39-0.50 are adult PA values (Danzer
    1919; Simkus et al. 2021, doi 10.1007/s13244-021-01076-6).

    Examples
    --------
    >>> from cxr_helpers import phantom
    >>> person = phantom.draw_patient(np.random.default_rng(1), "adult", "F")
    >>> round(person.age), round(2 * person.half_width, 1)
    (82, 25.5)
    """
    if age_group not in AGE_GROUPS:
        raise ValueError(f"age_group {age_group!r} is not one of {AGE_GROUPS}")
    adult = age_group == "adult"
    drawn = "F" if rng.random() < 0.5 else "M"
    sex = sex or drawn
    age = float(rng.uniform(20, 85) if adult else rng.uniform(1, 12))
    old = max(0.0, (age - 45) / 40) if adult else 0.0
    build = float(np.clip(rng.beta(2.0, 2.2), 0, 1))
    scale = (0.95 if sex == "F" else 1.03) if adult else 0.55 + 0.032 * age
    scale *= float(rng.uniform(0.96, 1.04))
    half_width = scale * float(rng.uniform(12.4, 14.0))
    height = half_width * float(rng.uniform(1.74, 2.10) if adult else rng.uniform(1.45, 1.85))
    # Every value is drawn where it stands: to move a line is to draw other patients.
    return Patient(
        seed=int(rng.integers(2**31)),
        sex=sex,
        age_group=age_group,
        age=round(age, 1),
        build=build,
        scale=scale,
        half_width=half_width,
        lung_height=height,
        depth=scale * (18.8 + 4.2 * build + float(rng.normal(0, 0.6))) * (1.0 if adult else 0.92),
        wall=scale * (2.2 + 2.6 * build),
        triangularity=float(rng.uniform(0, 0.6) if adult else rng.uniform(0.35, 1.0)),
        ctr=float(np.clip(rng.normal(0.432 if adult else 0.475, 0.027), 0.37, 0.56)),
        heart_length=float(rng.uniform(0.86, 1.0)),
        knob=scale * (float(rng.uniform(0.2, 0.75)) + 0.5 * old) * (1.0 if adult else 0.25),
        unfolded=old * float(rng.uniform(0, 0.9)) + (0.0 if adult else float(rng.uniform(0, 0.6))),
        dome_step=scale * float(rng.normal(1.0, 0.6)),
        breast=float(rng.uniform(0.6, 2.1)) if sex == "F" and (adult or age > 11.5) else 0.0,
        rib_spacing=height / float(rng.uniform(8.2, 9.8)),
        rib_drop=scale * (float(rng.uniform(6.2, 9.6) if adult else rng.uniform(5.2, 8.4))),
        rib_height=scale * float(rng.uniform(0.55, 0.69)),
        bone=float(rng.uniform(0.92, 1.10)) * (1 - 0.18 * old) * (1.0 if adult else 0.9),
        curve=float(rng.normal(0, 0.35)) * (2.5 if rng.random() < 0.08 else 1.0),
        shoulder=half_width + scale * float(rng.uniform(3.0, 5.0)),
        shoulder_y=scale * float(rng.uniform(-2.6, 1.6)),
        vessels=float(rng.uniform(0.92, 1.10)),
        hilum=float(rng.uniform(0.85, 1.2)),
    )


def draw_pose(rng: np.random.Generator, patient: Patient, view: str = "PA") -> Pose:
    """Draw the pose of one visit of a patient.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of everything random.
    patient : Patient
        Who is radiographed.
    view : {"PA", "AP"}
        "PA" erect; "AP" mostly portable, supine or sitting: the heart lies farther from the
        detector and is magnified by up to 20 %.

    Returns
    -------
    Pose
        Lengths in cm, angles in degrees.

    Raises
    ------
    ValueError
        For an unknown view.

    Examples
    --------
    >>> from cxr_helpers import phantom
    >>> rng = np.random.default_rng(1)
    >>> pose = phantom.draw_pose(rng, phantom.draw_patient(rng), "PA")
    >>> 0.88 <= pose.inspiration <= 1 and pose.heart_scale == 1
    True
    """
    if view not in VIEWS:
        raise ValueError(f"view {view!r} is not one of {VIEWS}")
    front = view == "AP"
    adult = patient.age_group == "adult"
    inspiration = float(rng.uniform(0.76, 0.98) if front else rng.uniform(0.88, 1.0))
    field = 2 * (patient.half_width + patient.wall) * _draw_collimation(rng, adult, front)
    room = field - patient.lung_height * inspiration
    arm_right, arm_left = _draw_arms(rng, adult, front)
    return Pose(
        seed=int(rng.integers(2**31)),
        view=view,
        field=field,
        top=float(np.clip(room * rng.uniform(0.16, 0.54), 0.03 * field, 0.25 * field)),
        shift=field * float(rng.normal(0, 0.034 if front else 0.018)),
        tilt=float(rng.normal(0, 3.2 if front else 1.6)),
        axial=float(np.clip(rng.normal(0, 0.45 if front else 0.22), -1, 1)),
        inspiration=inspiration,
        heart_scale=float(rng.uniform(0.98, 1.10)) if front else 1.0,
        arm_right=arm_right,
        arm_left=arm_left,
        protraction=float(rng.uniform(0.0, 0.45) if front else rng.uniform(0.35, 1.0)),
        gas=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.8 else 0.0,
        warp=float(rng.uniform(0.15, 0.42)),
    )


def _draw_collimation(rng: np.random.Generator, adult: bool, front: bool) -> float:
    """Side of the field against the width of the body."""
    if not adult:
        return float(rng.uniform(0.88, 1.18))
    if front:
        return float(rng.uniform(0.88, 1.26))
    return float(rng.uniform(0.85, 1.09))


def _draw_arms(rng: np.random.Generator, adult: bool, front: bool) -> tuple[float, float]:
    """Angles of the right and left arm; some children are held by their raised arms."""
    if not adult and rng.random() < 0.2:
        low, high = 105, 150
    elif front:
        low, high = 5, 40
    else:
        low, high = 8, 34 if adult else 55
    right, left = rng.uniform(low, high, 2)
    return float(right), float(left)
