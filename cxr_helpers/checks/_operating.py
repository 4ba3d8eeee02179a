"""Invented scores and probabilities of two parts, and ways to choose: calibration questions."""

import numpy as np
import pandas as pd

from .. import calibrate
from . import fresh

FOUND, SPARED = 0.95, 0.90  # sensitivity of the rule-out, specificity of the triage
REPORTED = 0.004  # how far a reported share may be off: 0.983 for 59/60
STEP = 0.0015  # of a grid of thresholds that is fine enough: one of them is always right


def _values(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Scores of the ill and of the others, each from high to low."""
    score, ill = table["score"].to_numpy(), table["ill"].to_numpy(bool)
    return np.sort(score[ill])[::-1], np.sort(score[~ill])[::-1]


def at(table: pd.DataFrame, threshold: float) -> tuple[float, float]:
    """Sensitivity and specificity if score ≥ threshold is called positive."""
    ill, others = _values(table)
    return float((ill >= threshold).mean()), float((others < threshold).mean())


def finds(table: pd.DataFrame, threshold: float) -> bool:
    """Whether the threshold reaches the sensitivity here and finds no more ill than it must."""
    return abs(at(table, threshold)[0] - at(table, ends(table)[0])[0]) < 1e-9


def spares(table: pd.DataFrame, threshold: float) -> bool:
    """Whether it reaches the specificity here and spares no more of the others than needed."""
    return abs(at(table, threshold)[1] - at(table, ends(table)[1])[1]) < 1e-9


def ends(table: pd.DataFrame) -> tuple[float, float]:
    """A score of the table that meets each condition."""
    ill, others = _values(table)
    # the first of the others that must stay below
    lowest = others[int((1 - SPARED) * len(others) + 1e-9)]
    return float(ill[int(np.ceil(FOUND * len(ill) - 1e-9)) - 1]), float(
        table["score"][table["score"] > lowest].min()
    )


def accurate(table: pd.DataFrame) -> float:
    """The threshold with the highest accuracy."""
    called = table["score"].to_numpy() >= np.sort(table["score"].to_numpy())[:, None]
    return float(
        np.sort(table["score"])[(called == table["ill"].to_numpy(bool)).mean(axis=1).argmax()]
    )


def low_end(table: pd.DataFrame) -> float:
    """The score that 95 % of all images reach, ill or well."""
    return float(table["score"].quantile(1 - FOUND))


def scores(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Validation and test images with scores, where only one way gives the right thresholds."""
    while True:
        ill, parts = 20 * rng.integers(3, 5, size=2), []
        for number, centre in zip(ill, (1.3, 0.9), strict=True):
            logit = np.r_[rng.normal(centre, 1.4, number), rng.normal(-1.6, 1.3, 3 * number)]
            table = pd.DataFrame(
                {"ill": np.arange(4 * number) < number, "score": 1 / (1 + np.exp(-logit))}
            )
            parts.append(table.iloc[rng.permutation(len(table))].reset_index(drop=True))
        if _apart(*parts):
            return tuple(_named(table, rng) for table in parts)


def _named(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    table.insert(0, "image_id", [f"{name}.png" for name in fresh.names(rng, len(table))])
    return table


def _apart(validation: pd.DataFrame, test: pd.DataFrame) -> bool:
    right, there = ends(validation), ends(test)
    both = ends(pd.concat([validation, test]))
    others = [0.5, accurate(validation), low_end(validation)]
    ways = [r for r, _ in (there, both)] + others
    if np.abs(np.subtract([*right, *there, *both, *others[1:]], 0.5)).min() < 0.02:
        return False
    if any(finds(validation, t) for t in ways) or any(
        spares(validation, t) for t in [there[1], both[1], *others]
    ):
        return False
    if finds(test, both[0]) or spares(test, both[1]) or right[1] - right[0] < 0.15:
        return False
    if any(finds(test, t) or spares(test, t) for t in others[1:]):
        return False
    if not (finds(validation, right[0] - STEP) and spares(validation, right[1] + STEP)):
        return False
    gaps = np.abs(np.subtract([at(validation, t) for t in right], [at(test, t) for t in right]))
    return gaps[0, 0] > 3 * REPORTED and gaps[1, 1] > 3 * REPORTED


def _table(p: np.ndarray, ill: np.ndarray) -> pd.DataFrame:
    """The course's predictions of two classes."""
    frame = pd.DataFrame(
        {"image_id": [f"{i}.png" for i in range(len(p))], "label": np.where(ill, "covid", "other")}
    )
    return frame.assign(predicted="other", p_other=1 - p, p_covid=p)


def fitted(*parts: pd.DataFrame) -> float:
    """The temperature fitted to the rows of the tables."""
    rows = pd.concat(parts)
    return calibrate.temperature(_table(rows["p"].to_numpy(), rows["ill"].to_numpy()))


def heated(p, temperature: float) -> np.ndarray:
    """Probabilities at another temperature."""
    p = np.asarray(p, float)
    return calibrate.apply(_table(p, p > 0.5), temperature)["p_covid"].to_numpy()


def too_sure(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Probabilities that are too sure, on validation and test; the places to fit lie well apart."""
    while True:
        parts, too_steep = [], rng.uniform(1.5, 2.2)
        for n, truth in (
            (int(rng.integers(110, 140)), too_steep),
            (int(rng.integers(110, 140)), 1.5 * too_steep),
        ):
            logit = rng.normal(-0.5, 1.4, n)
            ill = rng.random(n) < 1 / (1 + np.exp(-logit))
            table = pd.DataFrame({"p": 1 / (1 + np.exp(-truth * logit)), "ill": ill})
            parts.append(table)
        found = [fitted(parts[0]), fitted(*parts), fitted(parts[1])]
        if (
            found[0] > 1.35
            and found[1] / found[0] > 1.2
            and found[2] / found[1] > 1.12
            and found[2] < 5
        ):
            return tuple(_named(table, rng) for table in parts)
