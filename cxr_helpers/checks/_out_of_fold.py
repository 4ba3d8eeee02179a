"""Cross-validation by a student: images of patients to score, and which images a score depends on.

What a fold's model was fitted on shows where one image is exchanged for another: every score moves
that rests on it, and no other. So data flow is judged exactly, whatever the model is.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from . import _networks, fresh

SIDE = 8  # of an image, so that a check is quick
LEARNED = 0.7  # AUC from which on something was learned; above 0.9 is usual
EXCHANGED = 8  # at most; three whose images a model was fitted on suffice
_MOVED = 1e-7  # of a score


def cohort(
    rng: np.random.Generator, patients: int = 48
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (n, SIDE, SIDE), uint8, labels 0 or 1, and names of patients; rows in random order.

    All images of a patient share a faint pattern, by which a model can recognise the patient.
    """
    per_patient = rng.permutation(np.arange(patients) % 3 + 1)
    number = np.repeat(np.arange(patients), per_patient)
    labels = (rng.permutation(patients) % 2)[number]
    images = _networks.sketches(rng, 2 * labels).reshape(-1, SIDE, 3, SIDE, 3).mean(axis=(2, 4))
    images += rng.normal(0, 20, (patients, SIDE, SIDE))[number]
    order = rng.permutation(len(number))
    names = np.array(fresh.names(rng, patients, "P-"))[number]
    return np.clip(images, 0, 255).astype(np.uint8)[order], labels[order], names[order]


def leak(ask: Callable, images, labels, patients, rng: np.random.Generator) -> str:
    """What a cross-validation does wrong, or "": "scored on itself", "patients", "scaled".

    `ask` is a function (images, labels, patients) → scores. An image of a patient with many is
    exchanged for noise, for one patient after the other, and labels are drawn at random.
    """
    coins = rng.permutation(np.arange(len(labels)) % 2)
    if _networks.auc(ask(images, coins, patients), coins) > 0.85:
        return "scored on itself"
    before = ask(images, labels, patients)
    count = pd.Series(patients).map(pd.Series(patients).value_counts())
    several = pd.Series(patients)[count == count.max()].sample(frac=1, random_state=rng)
    siblings, same, used = False, 0.0, 0
    for row in several.drop_duplicates().index[:EXCHANGED]:
        changed = images.copy()
        changed[row] = rng.integers(0, 256, images[row].shape)
        still = np.abs(ask(changed, labels, patients) - before) <= _MOVED
        siblings |= not still[(patients == patients[row]) & (np.arange(len(images)) != row)].all()
        same = max(same, still.mean())
        used += not np.delete(still, row).all()
        if used == 3:
            break
    if not siblings:
        return ""
    number, known = pd.factorize(patients)[0], []
    for _ in range(2):
        coins = rng.permutation(np.arange(number.max() + 1) % 2)[number]
        known.append(_networks.auc(ask(images, coins, patients), coins))
    return "patients" if same > 0 or np.mean(known) > 0.7 else "scaled"
