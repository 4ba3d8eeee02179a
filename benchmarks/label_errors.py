"""Which wrong labels an algorithm finds: random ones, and those of one reader or one place.

    python -m benchmarks.label_errors             about four minutes on one core
    python -m benchmarks.label_errors --seeds 3

300 phantoms, one a patient, half with COVID-19; 60 of them, half with COVID-19, come from a second
hospital with other equipment. In each world but the first 30 labels are wrong. `suspects` is
confident learning (Northcutt, Jiang and Chuang 2021, doi 10.1613/jair.1.12125) in ten lines: it
asks a model that was fitted to the other folds how probable each given label is. The model is a
logistic regression on frozen ImageNet features (block 4); nothing is chosen. The images of a seed
are the same in all worlds. Writes `label_errors.csv` into `cxr_helpers/measured/`;
`python -m tools.build.results` brings it into docs/results.md.
"""

import argparse
import datetime
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.story import half_widths
from cxr_helpers import manifest, measured, phantom, preprocess, quiet, transfer

N, WRONG, ELSEWHERE = 300, 30, 60
DESIGN = {"classes": ("normal", "covid"), "weights": (1, 1), "per_patient": 1.0, "sites": ("A",)}
FIGURES = ("found", "false_alarms", "in_first", "auc", "accuracy_given", "accuracy_true")
SHARES = ("auc", "accuracy_given", "accuracy_true")


def suspects(features: np.ndarray, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Out-of-fold probabilities (n, 2), and which labels the model contradicts with confidence."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    p = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
    usual = np.array([p[labels == k, k].mean() for k in (0, 1)])  # of the images labelled k
    sure = np.where(p >= usual, p, 0)  # a class counts where it is at least as probable as usual
    return p, sure.any(axis=1) & (sure.argmax(axis=1) != labels)


def worlds(plan: pd.DataFrame, seed: int) -> dict[str, np.ndarray]:
    """Which labels are wrong in each world; `plan` tells disease, severity and hospital."""
    rng = np.random.default_rng(seed)
    ill = (plan["label"] == "covid").to_numpy()
    elsewhere = (plan["site"] == "C").to_numpy()

    def among(rows: np.ndarray, count: int) -> np.ndarray:
        return np.isin(np.arange(len(plan)), rng.choice(np.flatnonzero(rows), count, replace=False))

    faintest = np.isin(
        np.arange(len(plan)),
        plan["severity"].where(ill, 2).to_numpy().argsort(kind="stable")[:WRONG],
    )
    return {
        "no label is wrong": np.zeros(len(plan), bool),
        "at random, in both classes": among(ill, WRONG // 2) | among(~ill, WRONG // 2),
        "at random, COVID-19 called normal": among(ill, WRONG),
        "the faintest COVID-19 called normal": faintest,
        "one hospital calls its COVID-19 normal": ill & elsewhere,
    }


def one_seed(seed: int) -> list[dict]:
    """One row per world."""
    plan = phantom.design("clean", n=N, seed=seed, **DESIGN)
    rng = np.random.default_rng(seed)
    taken = [
        rng.choice(np.flatnonzero(plan["label"] == name), ELSEWHERE // 2, replace=False)
        for name in DESIGN["classes"]
    ]
    site = np.where(np.isin(np.arange(N), np.concatenate(taken)), "C", "A")
    plan = plan.assign(site=site, equipment=site)
    with tempfile.TemporaryDirectory() as folder:
        phantom.write(
            plan, Path(folder) / "set", format="png", masks=False, progress=False, processes=1
        )
        table = manifest.from_folder(Path(folder) / "set" / "images", progress=False).table
        grey = np.array(preprocess.cache(table, 224, folder=Path(folder) / "cache", progress=False))
        features = transfer.stage_features(
            grey, cuts=["block4"], folder=Path(folder) / "features", progress=False
        )["block4"]
    stem = table["image_id"].map(lambda name: Path(name).stem)
    plan = plan.set_index("image_id").loc[stem].reset_index()
    truth = (plan["label"] == "covid").to_numpy().astype(int)
    rows = []
    for name, wrong in worlds(plan, seed).items():
        given = np.where(wrong, 1 - truth, truth)
        p, flagged = suspects(features, given, seed)
        own = p[np.arange(N), given]
        rows.append(
            {
                "world": name,
                "wrong": int(wrong.sum()),
                "found": int((flagged & wrong).sum()),
                "false_alarms": int((flagged & ~wrong).sum()),
                "in_first": int(wrong[own.argsort(kind="stable")[: wrong.sum()]].sum()),
                "auc": roc_auc_score(wrong, 1 - own) if wrong.any() else np.nan,
                "accuracy_given": (p.argmax(axis=1) == given).mean(),
                "accuracy_true": (p.argmax(axis=1) == truth).mean(),
            }
        )
    return rows


def table(runs: list[dict], command: str) -> pd.DataFrame:
    """One row per world: each figure's mean over the seeds with its 95 % t interval, and range."""
    rows = []
    for name, part in pd.DataFrame(runs).groupby("world", sort=False):
        row = {"world": name, "n": N, "wrong": part["wrong"].iloc[0], "seeds": len(part)}
        half = half_widths(part[list(FIGURES)])
        for figure in FIGURES:
            mean, most = part[figure].mean(), 1 if figure in SHARES else N
            low, high = np.clip([mean - half[figure], mean + half[figure]], 0, most)
            row |= {figure: mean, f"{figure}_low": low, f"{figure}_high": high}
            row |= {f"{figure}_lowest": part[figure].min(), f"{figure}_highest": part[figure].max()}
        rows.append(row)
    dated = {"date": datetime.date.today().isoformat(), "command": command}
    return pd.DataFrame(rows).round(4).assign(**dated)


def main() -> None:
    """Run the seeds and write the table."""
    arguments = argparse.ArgumentParser(
        prog="python -m benchmarks.label_errors", description=__doc__.splitlines()[0]
    )
    arguments.add_argument("--seeds", type=int, default=20)
    arguments.add_argument("--out", type=Path, default=measured.path("label_errors"))
    options = arguments.parse_args()
    with quiet():
        import keras  # noqa: F401
    runs = []
    for seed in range(options.seeds):
        start = time.perf_counter()
        runs += one_seed(seed)
        print(f"seed {seed}, {time.perf_counter() - start:.0f} s", *runs[-5:], sep="\n", flush=True)
    command = "python -m benchmarks.label_errors" + (
        f" --seeds {options.seeds}" if options.seeds != 20 else ""
    )
    result = table(runs, command)
    result.to_csv(options.out, index=False)
    print(result.T.to_string())


if __name__ == "__main__":
    main()
