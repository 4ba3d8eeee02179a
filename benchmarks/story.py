"""One project, reported at about 0.96: its accuracy as one illusion after another is taken away.

    python -m benchmarks.story --seeds 5

Drawn radiographs with and without COVID-19, two of each patient on average; patients with COVID-19
wear a word in the corner. The network is that of a first tutorial, and so is its split: one image
in five is set aside at random. Each row says what is changed, and how many of the five seeds (of
drawing, split and weights) it was measured on.
"""

import argparse
import datetime
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_helpers import measured, phantom, quiet

DESIGN = {"n": 400, "text": "R|PORTABLE", "severity": (0.2, 0.7), "per_patient": 2.0}
SIDE, TEST, EPOCHS, BATCH = 96, 0.2, 20, 16
# in the order of the folders' names, as a tutorial's loader takes them
CLASSES = ["covid", "normal"]
REPORTED, BY_PATIENT, PIXELS = (
    "as reported: images at random",
    "split by patient",
    "logistic regression on pixels",
)
REMOVED, REVERSED, HONEST = (
    "nobody wears the word",
    "the others wear the word",
    "trained and tested without the word",
)
AUC = "nobody wears the word, AUC"


def drawn(plan: pd.DataFrame, folder: Path, side: int = SIDE) -> np.ndarray:
    """Grey levels of a plan's images: uint8 (n, side, side), row by row."""
    from PIL import Image

    phantom.write(plan, folder, format="png", masks=False, size=side, progress=False)
    truth = pd.read_csv(folder / "truth.csv")
    assert list(truth["seed"]) == list(plan["seed"]), "the truth stands in the order of the plan"
    return np.stack(
        [
            np.asarray(Image.open(folder / "images" / name).convert("L"))
            for name in truth["image_id"]
        ]
    )


def trained(pixels: np.ndarray, labels: np.ndarray, seed: int):
    """The tutorial's network, fitted to the given images."""
    with quiet():
        import keras
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.3),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(pixels[..., None], labels, epochs=EPOCHS, batch_size=BATCH, verbose=0)
    return model


def asked(model, pixels: np.ndarray) -> np.ndarray:
    """Probabilities of the two classes."""
    return model.predict(pixels[..., None], verbose=0)


def by_patient(plan: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Which rows are test: whole patients, about a fifth of the images."""
    patients = rng.permutation(plan["patient"].unique())
    sizes = plan["patient"].value_counts()[patients].cumsum()
    return plan["patient"].isin(patients[sizes.to_numpy() <= TEST * len(plan)]).to_numpy()


def one_seed(seed: int, folder: Path) -> dict[str, float]:
    """Accuracy of each row of the story, for one seed."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score

    plan = phantom.design("marker", seed=seed, **DESIGN)
    word = plan["marker"].fillna("")
    other = np.where(word == "", DESIGN["text"], "")
    worlds = {
        name: drawn(plan.assign(marker=marker), folder / name)
        for name, marker in (("same", word), ("none", ""), ("reversed", other))
    }
    labels = np.array([CLASSES.index(label) for label in plan["label"].astype(str)])
    rng = np.random.default_rng(seed)
    random = np.isin(np.arange(len(plan)), rng.permutation(len(plan))[: round(TEST * len(plan))])
    patient = by_patient(plan, rng)

    def right(model, world, test) -> float:
        return float((asked(model, world[test]).argmax(1) == labels[test]).mean())

    found = {}
    model = trained(worlds["same"][~random], labels[~random], seed)
    found[REPORTED] = right(model, worlds["same"], random)
    known = plan.loc[random, "patient"].isin(plan.loc[~random, "patient"])
    found["test images whose patient is in train"] = float(known.mean())
    model = trained(worlds["same"][~patient], labels[~patient], seed)
    found[BY_PATIENT] = right(model, worlds["same"], patient)
    found[REMOVED] = right(model, worlds["none"], patient)
    found[AUC] = roc_auc_score(labels[patient], asked(model, worlds["none"][patient])[:, 1])
    found[REVERSED] = right(model, worlds["reversed"], patient)
    flat = worlds["same"].reshape(len(plan), -1) / 255
    pixels = LogisticRegression(C=0.01, max_iter=500).fit(flat[~patient], labels[~patient])
    found[PIXELS] = float(pixels.score(flat[patient], labels[patient]))
    model = trained(worlds["none"][~patient], labels[~patient], seed)
    found[HONEST] = right(model, worlds["none"], patient)
    return found


def run_seeds(name: str, one_seed: Callable[[int, Path], dict[str, float]], n: int) -> None:
    """The command of a benchmark of that name: figures for each seed, then their table.

    Each run has `n` test images.
    """
    arguments = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--out", type=Path, default=measured.path(name))
    options = arguments.parse_args()
    runs = []
    for seed in range(options.seeds):
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            runs.append(one_seed(seed, Path(folder)))
        print(f"seed {seed}, {time.perf_counter() - start:.0f} s:", runs[-1], flush=True)
    result = over_seeds(runs, n, f"python -m benchmarks.{name} --seeds {options.seeds}")
    result.to_csv(options.out, index=False)
    print(result.to_string(index=False))


def over_seeds(runs: list[dict[str, float]], n: int, command: str) -> pd.DataFrame:
    """Mean of each figure over seeds with its 95 % t interval, lowest, highest; `n` test images."""
    table = pd.DataFrame(runs)
    half = half_widths(table)
    return pd.DataFrame(
        {
            "row": table.columns,
            "mean": table.mean().round(4).to_numpy(),
            "low": (table.mean() - half).clip(0, 1).round(4).to_numpy(),
            "high": (table.mean() + half).clip(0, 1).round(4).to_numpy(),
            "lowest": table.min().round(4).to_numpy(),
            "highest": table.max().round(4).to_numpy(),
            "seeds": len(runs),
            "n": n,
            "date": datetime.date.today().isoformat(),
            "command": command,
        }
    )


def half_widths(table: pd.DataFrame) -> pd.Series:
    """Half widths of the 95 % t intervals of the columns' means over seeds."""
    from scipy import stats

    return stats.t.ppf(0.975, len(table) - 1) * table.std(ddof=1) / np.sqrt(len(table))


if __name__ == "__main__":
    run_seeds("story", one_seed, round(TEST * DESIGN["n"]))
