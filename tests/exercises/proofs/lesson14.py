"""Answers to the questions of lesson 14, reviewing a study."""

from functools import partial

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from cxr_helpers import evaluate

from . import Proof

# --- unfit ----------------------------------------------------------------------------------------


def unfit_by_sets(table):
    known, test = table[table["split"] != "test"], table[table["split"] == "test"]
    files, people = set(known["sha256"]), set(known["patient"].dropna())
    return {
        name
        for name, file, person in zip(test["image_id"], test["sha256"], test["patient"])
        if file in files or person in people
    }


def unfit_by_groups(table):
    names = set()
    for column in ("sha256", "patient"):
        for _, rows in table.groupby(column):
            if rows["split"].nunique() > 1:
                names |= set(rows.loc[rows["split"] == "test", "image_id"])
    return sorted(names)


def unfit_by_merge(table):
    known, test = table[table["split"].isin(["train", "val"])], table[table["split"] == "test"]
    found = [
        test.dropna(subset=[c]).merge(known[[c]].dropna().drop_duplicates(), on=c)
        for c in ("sha256", "patient")
    ]
    return pd.concat(found)["image_id"].drop_duplicates()


def unfit_of_train(table):
    known, test = table[table["split"] == "train"], table[table["split"] == "test"]
    hit = test["sha256"].isin(known["sha256"]) | test["patient"].isin(known["patient"].dropna())
    return test.loc[hit, "image_id"].unique()


def unfit_with_the_nameless(table):
    known, test = table[table["split"] != "test"], table[table["split"] == "test"]
    hit = test["sha256"].isin(known["sha256"]) | test["patient"].isin(known["patient"])
    return test.loc[hit, "image_id"].unique()


def unfit_by_pairs(table):
    known, test = table[table["split"] != "test"], table[table["split"] == "test"]
    pairs = set(zip(known["sha256"], known["patient"]))
    return [
        n
        for n, *pair in test[["image_id", "sha256", "patient"]].itertuples(index=False)
        if tuple(pair) in pairs
    ]


# --- belongs_to -----------------------------------------------------------------------------------


def matrix_by_sklearn(matrix, tables):
    names = list(matrix.index)
    for key, table in tables.items():
        if np.array_equal(
            confusion_matrix(table["label"], table["predicted"], labels=names), matrix
        ):
            return key
    return None


def matrix_by_groupby(matrix, tables):
    for key, table in tables.items():
        cells = table.groupby(["label", "predicted"]).size()
        if all(
            cells[true, said] == matrix.loc[true, said]
            for true in matrix.index
            for said in matrix.columns
        ):
            return key
    return None


def matrix_by_distance(matrix, tables):
    again = {key: pd.crosstab(t["label"], t["predicted"]) for key, t in tables.items()}
    return min(again, key=lambda key: int((again[key] - matrix).abs().to_numpy().sum()))


def matrix_by_labels(matrix, tables):
    aim = matrix.sum(axis=1)
    return next(
        key
        for key, t in tables.items()
        if (t["label"].value_counts().reindex(aim.index) == aim).all()
    )


def matrix_by_accuracy(matrix, tables):
    aim = np.trace(matrix.to_numpy())
    return next(key for key, t in tables.items() if (t["label"] == t["predicted"]).sum() == aim)


def matrix_by_margins(matrix, tables):
    for key, table in tables.items():
        sums = [
            table[c].value_counts().reindex(matrix.index).to_numpy() for c in ("label", "predicted")
        ]
        if (sums[0] == matrix.sum(axis=1)).all() and (sums[1] == matrix.sum(axis=0)).all():
            return key
    return None


# --- honest ---------------------------------------------------------------------------------------


def figure(train, test, interval, people=True):
    new = test[~test["sha256"].isin(set(train["sha256"]))]
    new = new[~new["patient"].isin(set(train["patient"]))] if people else new
    rows = new.groupby("sha256").first().reset_index()
    right = (rows["label"] == rows["predicted"]).astype(float)
    low, high = interval(right, rows["patient"])
    return {"accuracy": right.mean(), "low": low, "high": high, "n": len(rows)}


def by_metric(right, patients, level=0.95):
    said = pd.Categorical(np.where(right, "covid", "normal"), ["normal", "covid"])
    table = pd.DataFrame(
        {"image_id": [f"{k}" for k in range(len(right))], "label": "covid", "predicted": said}
    )
    table = table.assign(
        group=patients.to_numpy(), p_covid=right.to_numpy(), p_normal=1 - right.to_numpy()
    )
    found = evaluate.metric(table, "accuracy", level=level)
    return found.low, found.high


def resampled_by_weights(right, patients, level=0.95, times=4000):
    sums = right.groupby(patients).agg(["sum", "size"]).to_numpy()
    weights = np.random.default_rng(2).multinomial(
        len(sums), np.full(len(sums), 1 / len(sums)), times
    )
    top, bottom = (weights @ sums).T
    return np.quantile(top / bottom, [(1 - level) / 2, (1 + level) / 2])


def resampled_by_lists(right, patients, level=0.95):
    rng, groups = np.random.default_rng(1), [rows.tolist() for _, rows in right.groupby(patients)]
    values = []
    for _ in range(1500):
        drawn = [groups[k] for k in rng.integers(0, len(groups), len(groups))]
        values.append(sum(map(sum, drawn)) / sum(map(len, drawn)))
    return np.percentile(values, [50 - 50 * level, 50 + 50 * level])


def of_images(right, patients):
    return evaluate.wilson(int(right.sum()), len(right))


def figure_by(interval, people=True, **settings):
    return partial(figure, interval=partial(interval, **settings), people=people)


# --- rank -----------------------------------------------------------------------------------------


def ranked(study, faults, seeds):
    sound = np.mean([study([], seed) for seed in seeds])
    return sorted(
        faults,
        key=lambda f: abs(np.mean([study([f], seed) for seed in seeds]) - sound),
        reverse=True,
    )


def ranked_by_pandas(study, faults):
    runs = pd.DataFrame(
        {f: [study({f}, s) - study(set(), s) for s in range(1000, 1050)] for f in faults}
    )
    return runs.mean().abs().sort_values(ascending=False).index


def ranked_by_drawn_seeds(study, faults):
    rng = np.random.default_rng(2026)
    mean = {f: np.mean([study([f], int(s)) for s in rng.integers(10**6, size=30)]) for f in faults}
    sound = np.mean([study([], int(s)) for s in rng.integers(10**6, size=30)])
    return np.array(faults)[np.argsort([-abs(mean[f] - sound) for f in faults])]


def ranked_by_median(study, faults):
    sound = np.median([study((), seed) for seed in range(200)])
    damage = {f: abs(np.median([study((f,), seed) for seed in range(200)]) - sound) for f in faults}
    return [fault for _, fault in sorted(((d, f) for f, d in damage.items()), reverse=True)]


def ranked_by_gain(study, faults):
    sound = np.mean([study([], seed) for seed in range(50)])
    return sorted(faults, key=lambda f: sound - np.mean([study([f], seed) for seed in range(50)]))


PROOFS = [
    Proof(
        "unfit",
        right={
            "sets": unfit_by_sets,
            "pandas: groups in two parts": unfit_by_groups,
            "two joins": unfit_by_merge,
        },
        wrong={
            "train only": unfit_of_train,
            "the nameless as one patient": unfit_with_the_nameless,
            "file and patient as one key": unfit_by_pairs,
        },
    ),
    Proof(
        "belongs_to",
        right={
            "scikit-learn": matrix_by_sklearn,
            "pandas: sizes of groups": matrix_by_groupby,
            "the nearest cross-table": matrix_by_distance,
        },
        wrong={
            "first with as many of each class": matrix_by_labels,
            "first with as many right": matrix_by_accuracy,
            "first with the same margins": matrix_by_margins,
        },
    ),
    Proof(
        "honest",
        right={
            "the package": figure_by(by_metric),
            "NumPy: 4,000 resamples": figure_by(resampled_by_weights),
            "lists: 1,500 resamples": figure_by(resampled_by_lists),
        },
        wrong={
            "90 %, resampled": figure_by(resampled_by_weights, level=0.9),
            "90 % of the package": figure_by(by_metric, level=0.9),
            "80 %": figure_by(resampled_by_lists, level=0.8),
            "Wilson over images": figure_by(of_images),
            "known patients kept": figure_by(by_metric, people=False),
        },
        chance="resampling moves the ends of an interval",
    ),
    Proof(
        "rank",
        right={
            "ten runs": partial(ranked, seeds=range(10)),
            "ten other runs": partial(ranked, seeds=range(500, 510)),
            "pandas: 50 runs": ranked_by_pandas,
            "NumPy: 30 seeds drawn": ranked_by_drawn_seeds,
            "medians of 200 runs": ranked_by_median,
        },
        wrong={
            "five runs": partial(ranked, seeds=range(5)),
            "one run, a hundred times": partial(ranked, seeds=[3] * 100),
            "up counts, down does not": ranked_by_gain,
        },
        chance="ten runs leave an error of a hundredth in each mean",
    ),
]
