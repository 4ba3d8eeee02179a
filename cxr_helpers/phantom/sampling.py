"""Draw the people and circumstances of a cohort: who, how ill, where, which view, what else."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .patient import stream

COLUMNS = (
    "image_id",
    "patient",
    "visit",
    "label",
    "disease",
    "severity",
    "side",
    "site",
    "equipment",
    "view",
    "age_group",
    "sex",
    "marker",
    "device",
    "border",
    "transform",
    "copy_of",
    "split",
    "seed",
    "patient_seed",
)
THREE = ("normal", "covid", "viral")


def cohort(
    n: int | None = None,
    seed: int = 0,
    *,
    classes=THREE,
    weights=None,
    per_patient: float = 1.5,
    sites=("A", "B"),
    severity=(0.25, 1.0),
    views=("PA", "AP"),
    age_groups=("adult",),
    devices: float = 0.2,
    letters: float = 0.75,
    border: bool = True,
) -> pd.DataFrame:
    """Draw patients until there are n images.

    Disease belongs to the patient; everything else is drawn independently.

    per_patient: mean number of images; devices, letters: share of images that show them.
    """
    n = n or 600
    rng = stream(seed, "design")
    share = np.ones(len(classes)) if weights is None else np.asarray(weights, float)
    labels = np.repeat(np.asarray(classes, object), counts(n, share / share.sum()))
    rows: list[dict] = []
    order = {c: int((labels == c).sum()) for c in classes}
    number = 0
    for label, count in order.items():
        left = count
        while left:
            visits = min(left, 1 + int(rng.poisson(per_patient - 1)))
            person = {
                "patient": f"P{number:05d}",
                "label": label,
                "age_group": str(rng.choice(list(age_groups))),
                "sex": str(rng.choice(["F", "M"])),
                "site": str(rng.choice(list(sites))),
                "patient_seed": int(rng.integers(2**31)),
            }
            rows += [person | {"visit": v} for v in range(visits)]
            left, number = left - visits, number + 1
    table = pd.DataFrame(rows).iloc[rng.permutation(n)].reset_index(drop=True)
    return _fill(_rename(table, rng), rng, severity, views, devices, letters, border)


def counts(n: int, share: np.ndarray) -> np.ndarray:
    """Split n into whole numbers closest to the shares (largest remainders)."""
    counts = np.floor(n * share).astype(int)
    counts[np.argsort(-(n * share - counts), kind="stable")[: n - counts.sum()]] += 1
    return counts


def _rename(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Number patients in random order, so that the name tells nothing."""
    names = table["patient"].unique()
    shuffled = dict(zip(names, rng.permutation(len(names)), strict=True))
    return table.assign(patient=table["patient"].map(lambda p: f"P{shuffled[p]:05d}"))


def _fill(table, rng, severity, views, devices, letters, border) -> pd.DataFrame:
    n = len(table)
    low, high = severity
    kinds = np.array(
        ["leads", "leads+line", "tube+feeding+leads", "line", "pacemaker", "drain+leads"], object
    )
    marks = np.array(["L", "R", "L|AP", "R|PORTABLE", "L|ERECT", "R|KM"], object)
    ill = table["label"] != "normal"
    table = table.assign(
        disease=table["label"],
        severity=np.where(ill, rng.uniform(low, high, n), 0.0).round(4),
        side="",
        equipment=table["site"],
        view=np.asarray(views, object)[rng.integers(0, len(views), n)],
        marker=np.where(rng.random(n) < letters, marks[rng.integers(0, len(marks), n)], ""),
        device=np.where(rng.random(n) < devices, kinds[rng.integers(0, len(kinds), n)], ""),
        border=border,
        transform="",
        copy_of="",
        split=pd.NA,
        seed=rng.integers(0, 2**31, n),
        image_id=table["patient"] + "_" + table["visit"].astype(str),
    )
    return table[list(COLUMNS)]
