"""What lesson 12's questions are about: an external collection, cohorts, scores, abstentions."""

import numpy as np
import pandas as pd

from .. import evaluate
from . import fresh
from ._bootstrap import bootstrap

SENSITIVITY = 0.9  # asked for on validation


def collected(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame, set[str]]:
    """Training images, a collection called external, and the names the model cannot know."""
    people = fresh.names(rng, 60, "P-")
    rows = [
        {"patient": people[k], "film": film}
        for k in range(30)
        for film in fresh.names(rng, 2, f"{people[k]}:")
    ]
    training = pd.DataFrame(rows).assign(sha256=lambda t: "file of " + t["film"])
    picked = training.iloc[rng.permutation(len(training))].reset_index(drop=True)
    kinds = {  # how many, and what they share with training
        "same file": picked.iloc[:5].assign(patient=pd.NA),
        "same radiograph, other contrast": picked.iloc[5:11].assign(
            patient=pd.NA, sha256=lambda t: "bright " + t["film"]
        ),
        "same person, other film": picked.iloc[11:16].assign(
            film=fresh.names(rng, 5, "a:"), sha256=fresh.names(rng, 5)
        ),
    }
    new = pd.DataFrame(
        {"patient": people[35:], "film": fresh.names(rng, 25, "b:"), "sha256": fresh.names(rng, 25)}
    )
    nameless = pd.DataFrame(
        {"patient": pd.NA, "film": fresh.names(rng, 7, "c:"), "sha256": fresh.names(rng, 7)},
        range(7),
    )
    table = pd.concat([*kinds.values(), new, nameless], ignore_index=True)
    names = [f"{name}.png" for name in fresh.names(rng, len(training) + len(table))]
    training.insert(0, "image_id", names[: len(training)])
    table.insert(0, "image_id", names[len(training) :])
    # a name of a file, and nothing else
    table.loc[[17, 40], "image_id"] = training["image_id"].to_numpy()[:2]
    return (
        training,
        table.sample(frac=1, random_state=int(rng.integers(1000))),
        set(table["image_id"].iloc[16:]),
    )


def films(rng: np.random.Generator, patients: int, shift: float) -> pd.DataFrame:
    """Images of some patients, four to seven each and much alike; half of the patients are ill."""
    rows = []
    for number, patient in enumerate(fresh.names(rng, patients, "P-")):
        label = ("normal", "covid")[number % 2]
        own = rng.normal(shift + 1.6 * (label == "covid"), 1.0)
        scores = 1 / (1 + np.exp(-(own + 0.25 * rng.normal(size=int(rng.integers(4, 8))))))
        rows += [{"patient": patient, "label": label, "p_covid": score} for score in scores]
    table = pd.DataFrame(rows).assign(
        image_id=lambda t: [f"{p}-{k}" for k, p in enumerate(t["patient"])]
    )
    return table[["image_id", "patient", "label", "p_covid"]].sample(
        frac=1, random_state=int(rng.integers(1000))
    )


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as a table of predictions, in which the patient is the group."""
    called = pd.Categorical(
        np.where(rows["p_covid"] >= 0.5, "covid", "normal"), ["normal", "covid"]
    )
    return rows.assign(
        group=rows["patient"], p_normal=1 - rows["p_covid"], predicted=called
    ).reset_index(drop=True)


def sensitivity(
    rows: pd.DataFrame, threshold: float, unit: str = "patient"
) -> tuple[float, float, float]:
    """Sensitivity at a threshold, with the interval that resamples the unit."""
    ill = rows[rows["label"] == "covid"]
    found = ill["p_covid"] >= threshold
    return float(found.mean()), *bootstrap(found, ill[unit])


def pick(rows: pd.DataFrame) -> float:
    return evaluate.operating_point(scored(rows), "covid", SENSITIVITY)


def three_tables(rng: np.random.Generator) -> tuple[pd.DataFrame, ...]:
    """Three tables: validation, internal and external.

    Every way to choose a threshold gives another report.
    """
    while True:
        tables = films(rng, 60, -0.8), films(rng, 60, -1.1), films(rng, 50, -2.3)
        at = [pick(table) for table in tables]
        ill = [table.loc[table["label"] == "covid", "p_covid"] for table in tables[1:]]
        shares = [[(scores >= threshold).mean() for threshold in (*at, 0.5)] for scores in ill]
        apart = [abs(a - b) for row in shares for k, a in enumerate(row) for b in row[:k]]
        if min(apart) > 0.03:
            return tables


def gate_scores(
    rng: np.random.Generator, shape: str = "long tail"
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of clean held-out images and of inputs to reject, some close; any scale.

    The clean ones are of three shapes, so that no number of deviations above the mean is right for
    all of them.
    """
    n = int(rng.integers(250, 400))
    few = rng.permutation(n) < n // 8
    clean = {
        "long tail": np.exp(rng.normal(0, 0.5, n)),
        "no tail": 3 * rng.beta(3, 1, n),
        "two groups": rng.uniform(0.5, 1.5, n) + few * rng.uniform(1.5, 2, n),
    }
    wrong = np.concatenate([np.exp(rng.normal(1.3, 0.35, 40)), rng.uniform(8, 20, 60)])
    scale = 10 ** rng.uniform(-1, 1)
    return scale * clean[shape], scale * rng.permutation(wrong)


def abstentions(rng: np.random.Generator) -> tuple[pd.DataFrame, float, dict[str, float]]:
    """Answers with their confidence, a cut, and the two shares, known from the rows' making."""
    counts = dict(
        zip(
            ("found", "missed", "left", "left_missed"),
            rng.integers((30, 6, 12, 8), (50, 12, 20, 14)),
            strict=True,
        )
    )
    counts |= dict(
        zip(("clear", "alarm", "unsure"), rng.integers((80, 8, 15), (120, 15, 25)), strict=True)
    )
    cut = round(float(rng.uniform(0.58, 0.75)), 3)
    rows = []
    for kind, number in counts.items():
        unsure = kind in ("left", "left_missed", "unsure")
        sure = rng.uniform(0.5, cut - 0.01, number) if unsure else rng.uniform(cut, 1, number)
        label = "covid" if kind in ("found", "missed", "left", "left_missed") else "normal"
        said = "covid" if kind in ("found", "left", "alarm") else "normal"
        rows += [{"label": label, "predicted": said, "confidence": c} for c in sure]
        if kind == "found":
            rows[-1]["confidence"] = rows[-2]["confidence"] = rows[-3]["confidence"] = cut
    ill = sum(counts[kind] for kind in ("found", "missed", "left", "left_missed"))
    truth = {"found": counts["found"] / ill, "left": (counts["left"] + counts["left_missed"]) / ill}
    table = (
        pd.DataFrame(rows)
        .sample(frac=1, random_state=int(rng.integers(1000)))
        .reset_index(drop=True)
    )
    table.insert(0, "image_id", fresh.names(rng, len(table), "i-"))
    return table, cut, truth
