"""Small invented studies, from a random generator: what questions about reviewing are asked of."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from .. import files
from . import fresh

MODELS, PARTS = ("A", "B"), ("train", "val", "test")
LEAKS = ("one line per box", "files moved twice", "patient on both sides", "best of many on test")
FAULTS = (*LEAKS, "other scaling in test")
# so far apart that ten runs show the order
EFFECTS, LOWERS, NOISE = (0.27, 0.225, 0.075, 0.0), 0.15, 0.03


def film_lines(
    rng: np.random.Generator, patients: list[str], split: str, films=(1, 4)
) -> list[dict]:
    """Lines of some patients' images: one for a normal image, two to four boxes for covid."""
    rows = []
    for patient in patients:
        label = ("normal", "covid")[_digest(patient)[0] % 2]
        for name in fresh.names(rng, int(rng.integers(*films))):
            film = {"image_id": f"{name}.png", "patient": patient, "label": label, "split": split}
            film["sha256"] = _digest(patient + name).hex()
            rows += [film] * (1 if label == "normal" else int(rng.integers(2, 5)))
    return rows


def _digest(text: str) -> bytes:
    return bytes.fromhex(files.sha256(text.encode()))


def leaking_table(rng: np.random.Generator) -> pd.DataFrame:
    """One line per box, with leaks of each kind into test; some patients are not named.

    The leaks come from train and from val.
    """
    names = fresh.names(rng, 80, "P-")
    own = {"train": names[:40], "val": names[40:58], "test": names[58:]}
    table = pd.DataFrame(
        [line for part, patients in own.items() for line in film_lines(rng, patients, part)]
    )
    pieces = []
    for part in ("train", "val"):
        # another image of the same patient
        pieces += film_lines(rng, own[part][:3], "test", films=(1, 2))
        inside = table[table["split"] == part]
        parted = inside[inside["image_id"].duplicated()].drop_duplicates("patient").index[:2]
        table.loc[parted, "split"] = "test"  # one line of an image that has several
        # the same bytes, under nobody's name
        copies = inside.drop(parted).drop_duplicates("patient").tail(3)
        renamed = [f"{name}.png" for name in fresh.names(rng, len(copies))]
        pieces += copies.assign(image_id=renamed, patient=None, split="test").to_dict("records")
    for part in own:
        strangers = film_lines(rng, fresh.names(rng, 3, "P-"), part)
        pieces += [line | {"patient": None} for line in strangers]
    table = pd.concat([table, pd.DataFrame(pieces)], ignore_index=True)
    return table.iloc[rng.permutation(len(table))].reset_index(drop=True)


def matrix_case(
    rng: np.random.Generator, margins: bool = False, first: bool = True
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], str]:
    """A matrix, six tables of answers (two models, three parts), and the key of its table.

    Four of the tables have as many rows as the matrix; one of them gives it transposed. The other
    model on its part has as many right answers or, with `margins`, the same sums of rows and
    columns; `first`: that model's table is later.
    """
    a, d = (int(n) for n in rng.integers(50, 90, size=2))
    b, c = (int(n) for n in rng.permutation([rng.integers(5, 10), rng.integers(14, 25)]))
    own = np.array([[a, b], [c, d]])
    shift = int(rng.integers(2, 5))
    moved = shift * np.array([[1, -1], [-1, 1] if margins else [1, -1]])
    part, twin, other = rng.permutation(PARTS)
    own_model, second = rng.permutation(MODELS)
    larger = own + rng.integers(20, 40, size=(2, 2))
    matrices = {f"{own_model}, {part}": own, f"{second}, {part}": own + moved}
    matrices |= {f"{own_model}, {twin}": own.T + moved, f"{second}, {twin}": own.T}
    matrices |= {f"{own_model}, {other}": larger, f"{second}, {other}": larger + moved}
    order = rng.permutation(list(matrices)).tolist()
    places = sorted(
        map(order.index, pair := [f"{own_model}, {part}", f"{second}, {part}"]), reverse=not first
    )
    order[places[0]], order[places[1]] = pair
    tables = {str(key): _answered(rng, matrices[key]) for key in order}
    names = ["covid", "normal"]
    matrix = pd.DataFrame(
        own, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted")
    )
    return matrix, tables, pair[0]


def _answered(rng: np.random.Generator, matrix: np.ndarray) -> pd.DataFrame:
    """A table of answers with this confusion matrix, in random order."""
    cells = [(t, p) for t in range(2) for p in range(2) for _ in range(matrix[t, p])]
    label, predicted = np.array(["covid", "normal"])[np.array(cells)].T
    table = pd.DataFrame({"label": label, "predicted": predicted}).iloc[rng.permutation(len(cells))]
    table.insert(0, "image_id", [f"{name}.png" for name in fresh.names(rng, len(cells))])
    return table.reset_index(drop=True)


def overlapping(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Training lines, and a model's answers about test lines: it knows its training."""
    names = fresh.names(rng, 80, "P-")
    train = pd.DataFrame(film_lines(rng, names[:50], "train"))
    again = film_lines(rng, names[:20], "test", films=(1, 3))  # other images of patients in train
    fresh_ones = film_lines(rng, names[50:], "test", films=(1, 6))
    copied = train[train["patient"].isin(names[10:50])].assign(split="test")
    test = pd.concat([pd.DataFrame(again), pd.DataFrame(fresh_ones), copied], ignore_index=True)
    kind = np.select(
        [test["sha256"].isin(train["sha256"]), test["patient"].isin(train["patient"])], [0, 1], 2
    )
    # of a new patient, all images are alike
    easy = dict(zip(names, rng.beta(0.7, 0.6, len(names)), strict=True))
    chance = np.choose(
        kind, [1.0, 0.9, test["patient"].map(easy) + 0.15 * (test["label"] == "covid")]
    )
    right = (
        test["sha256"].map(dict(zip(test["sha256"], rng.random(len(test)), strict=True))) < chance
    )
    other = np.where(test["label"] == "covid", "normal", "covid")
    test["predicted"] = np.where(right, test["label"], other)
    test["p_covid"] = np.where(test["predicted"] == "covid", 0.8, 0.2)
    test["p_normal"] = 1 - test["p_covid"]
    order = rng.permutation(len(test))
    return train.drop(columns="split"), test.drop(columns="split").iloc[order].reset_index(
        drop=True
    )


def experiment(rng: np.random.Generator) -> tuple[Callable, list[str]]:
    """A study with any faults planted: study(planted, seed) → accuracy; leaks hide one another."""
    truth, key = float(rng.uniform(0.6, 0.68)), int(rng.integers(2**31))
    effect = dict(zip(rng.permutation(LEAKS).tolist(), EFFECTS, strict=True))

    def study(planted=(), seed=0):
        """Accuracy of one run of the study with these faults (a list or set out of FAULTS)."""
        names = {planted} if isinstance(planted, str) else set(planted)
        if strange := names - set(FAULTS):
            raise ValueError(f"no such fault: {sorted(map(str, strange))}")
        luck = np.random.default_rng(
            [key, int(seed), *(FAULTS.index(n) for n in sorted(names))]
        ).normal(0, NOISE)
        raised = max((effect.get(name, 0) for name in names), default=0)
        return float(np.clip(truth + raised - LOWERS * (FAULTS[-1] in names) + luck, 0, 1))

    order = sorted(FAULTS, key=lambda name: -effect.get(name, LOWERS))
    return study, order
