"""Invented answers of models, from a random generator, for questions about evaluation."""

import numpy as np
import pandas as pd

from . import fresh

CANNOT_TELL = "cannot tell"
SENSITIVITY = 0.95  # that a threshold is asked to reach
APART = 0.044  # between two thresholds, so that choosing elsewhere gives another answer
CLASSES = ("normal", "viral", "covid")
# Confusion matrices of entrants; a row is a true class. In each set of five, each is first by one
# way of counting, some by one class alone (the last three).
ENTRANTS = {
    "accurate": [[693, 7, 0], [15, 185, 0], [17, 2, 1]],
    "weighted": [[668, 32, 0], [3, 197, 0], [6, 6, 8]],
    "lost": [[690, 10, 0], [20, 180, 0], [12, 8, 0]],
    "balanced": [[660, 36, 4], [18, 182, 0], [2, 1, 17]],
    "keen": [[632, 26, 42], [10, 180, 10], [0, 0, 20]],
    "best for normal": [[698, 2, 0], [1, 130, 69], [1, 7, 12]],
    "best for viral": [[600, 0, 100], [5, 195, 0], [10, 0, 10]],
    "best for covid": [[690, 10, 0], [110, 90, 0], [0, 0, 20]],
}
SETS = (
    ("accurate", "weighted", "lost", "balanced", "keen"),
    ("accurate", "balanced", "best for normal", "best for viral", "best for covid"),
)


def competition(
    rng: np.random.Generator, entrants: tuple[str, ...] = SETS[0]
) -> tuple[np.ndarray, dict]:
    """True classes, and the answers of five models by name, in random order."""
    times = int(rng.integers(1, 4))
    truth = np.repeat(CLASSES, np.sum(ENTRANTS["keen"], axis=1) * times)
    order = rng.permutation(len(truth))
    answers = {}
    for name, key in zip(fresh.names(rng, 5, "net-"), rng.permutation(entrants), strict=True):
        rows = [np.repeat(CLASSES, np.array(row) * times) for row in ENTRANTS[key]]
        answers[name] = np.concatenate(rows)[order]
    return truth[order], answers


def films(rng: np.random.Generator) -> pd.DataFrame:
    """Answers about images of some patients, alike within a patient: not independent."""
    while True:
        ill, well = int(rng.integers(22, 27)), int(rng.integers(40, 50))
        films = np.r_[rng.integers(2, 10, ill), rng.integers(1, 4, well)]
        chance = np.r_[rng.beta(0.6, 0.2, ill), rng.beta(0.5, 1.2, well)]  # of being called covid
        called = np.asarray(rng.binomial(films, chance))
        if _telling(films, called, ill):
            break
    patient = np.repeat(fresh.names(rng, ill + well, "P-"), films)
    truth = np.repeat(np.repeat(["covid", "normal"], [ill, well]), films)
    said = np.concatenate([np.arange(n) < k for n, k in zip(films, called, strict=True)])
    table = pd.DataFrame(
        {"patient": patient, "label": truth, "predicted": np.where(said, "covid", "normal")}
    )
    table = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
    table.insert(0, "image_id", [f"{name}.png" for name in fresh.names(rng, len(table))])
    return table


def _telling(films: np.ndarray, called: np.ndarray, ill: int) -> bool:
    """Whether patients and images differ, and sensitivity, PPV, accuracy and means of patients."""
    n, hits = films[:ill].sum(), called[:ill].sum()
    share, own = hits / n, called[:ill] / films[:ill]
    of_patients = np.sqrt(((called[:ill] - share * films[:ill]) ** 2).sum()) / n
    of_images = np.sqrt(share * (1 - share) / n)
    others = [
        hits / called.sum(),
        (hits + (films - called)[ill:].sum()) / films.sum(),
        own.mean(),
        (own > 0.5).mean(),
    ]
    far = np.abs(share - others).min() > 0.05
    # of one answer per patient
    apart = 1.6 * of_images < of_patients < 0.87 * np.sqrt(share * (1 - share) / ill)
    return bool(apart and of_patients > 0.055 and share < 0.85 and far)


def pick(table: pd.DataFrame) -> float:
    """The highest threshold that reaches the sensitivity asked for, on these images."""
    scores = np.sort(table.loc[table["ill"], "score"].to_numpy())
    return float(scores[len(scores) - int(np.ceil(SENSITIVITY * len(scores) - 1e-9))])


def reach(table: pd.DataFrame, threshold: float) -> float:
    """The sensitivity at a threshold, on these images."""
    return float((table.loc[table["ill"], "score"] >= threshold).mean())


def parts(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of validation and test, drawn until the ways to choose a threshold lie apart."""
    while True:
        ill, tables = 20 * rng.integers(3, 5, size=2), []
        for number, centre in zip(ill, (1.2, 0.9), strict=True):
            logit = np.r_[rng.normal(centre, 1.3, number), rng.normal(-2.2, 1.2, 2 * number)]
            tables.append(
                pd.DataFrame(
                    {"ill": np.arange(3 * number) < number, "score": 1 / (1 + np.exp(-logit))}
                )
            )
        places = [
            pick(tables[0]),
            pick(tables[1]),
            pick(pd.concat(tables)),
            0.5,
            tables[0]["score"].quantile(0.05),
        ]
        far = abs(reach(tables[0], places[0]) - reach(tables[1], places[0]))
        if min(np.diff(np.sort(places))) > APART and far >= 0.025:
            return tuple(_named(table, rng) for table in tables)


def _named(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """The rows in random order, with names of images."""
    named = table.assign(image_id=[f"{name}.png" for name in fresh.names(rng, len(table))])
    return (
        named[["image_id", *table.columns]].iloc[rng.permutation(len(table))].reset_index(drop=True)
    )


# Patients by (images of each, right answers of A among them, of B), with how many such patients
# there are. The leads that are certain are small. Those that are not are large, and four of a
# hundred resamples leave nothing of them: a 90 % interval of the difference does not include zero,
# a 95 % interval does.
CASES = {
    "clear": {(1, 1, 1): 560, (1, 1, 0): 22, (1, 0, 1): 1, (1, 0, 0): 2},
    "paired": {(1, 1, 1): 158, (1, 1, 0): 2, (1, 0, 1): 14, (1, 0, 0): 26},
    "many images": {(1, 1, 1): 75, (6, 0, 6): 17, (6, 6, 0): 8, (1, 0, 0): 20},
    "large lead": {(1, 1, 1): 75, (1, 1, 0): 8, (1, 0, 1): 17, (1, 0, 0): 20},
    "apart": {(1, 1, 1): 240, (1, 1, 0): 6, (1, 0, 1): 27, (1, 0, 0): 27},
}
TRUTH = {
    "clear": "A",
    "paired": "B",
    "many images": CANNOT_TELL,
    "large lead": CANNOT_TELL,
    "apart": "B",
}


def pair(rng: np.random.Generator, case: str, swap: bool) -> pd.DataFrame:
    """Which answers of two models are right, one row per image."""
    patients = [kind for kind, number in CASES[case].items() for _ in range(number)]
    rows = []
    for name, (films, a, b) in zip(fresh.names(rng, len(patients), "P-"), patients, strict=True):
        rows += [{"patient": name, "a_right": i < a, "b_right": i < b} for i in range(films)]
    table = pd.DataFrame(rows).iloc[rng.permutation(len(rows))].reset_index(drop=True)
    return table.assign(a_right=table["b_right"], b_right=table["a_right"]) if swap else table
