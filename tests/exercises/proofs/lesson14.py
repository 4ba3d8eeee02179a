"""Answers to the questions of lesson 14, reviewing a study."""

from functools import partial

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cxr_helpers import evaluate

from . import Proof

# --- consistent -----------------------------------------------------------------------------------


def consistent_by_interp(studies):
    for letter, study in studies.iterrows():
        height = np.interp(1 - study["specificity"], study["false alarms"], study["found"])
        area = metrics.auc(study["false alarms"], study["found"])
        if abs(height - study["sensitivity"]) < 0.06 and abs(area - study["AUC"]) < 0.02:
            return letter


def consistent_by_nearest(studies):
    """NumPy: the nearest point of the curve, and Riemann's sum."""
    worst = {}
    for letter in studies.index:
        x, y, told, sensitivity, specificity = studies.loc[letter]
        near = np.min(np.abs(x - 1 + specificity) + np.abs(y - sensitivity))
        area = np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)
        worst[letter] = max(near, abs(area - told))
    return min(worst, key=worst.get)


def consistent_by_pandas(studies):
    area = studies.apply(lambda s: metrics.auc(s["false alarms"], s["found"]), axis=1)
    gap = studies.apply(
        lambda s: np.hypot(
            s["false alarms"] + s["specificity"] - 1, s["found"] - s["sensitivity"]
        ).min(),
        axis=1,
    )
    return (gap.round(2) + (area - studies["AUC"]).abs()).idxmin()


def consistent_area_only(studies):
    area = studies.apply(lambda s: metrics.auc(s["false alarms"], s["found"]), axis=1)
    return (area - studies["AUC"]).abs().lt(0.02).idxmax()


def consistent_point_only(studies):
    for letter, s in studies.iterrows():
        if (
            abs(np.interp(1 - s["specificity"], s["false alarms"], s["found"]) - s["sensitivity"])
            < 0.06
        ):
            return letter


def consistent_most_modest(studies):
    return studies["AUC"].idxmin()


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


# --- repaired -------------------------------------------------------------------------------------


def told(parts, labels, p, threshold, baseline=None, judged="test"):
    test, rows = parts["test"], parts[judged]
    share = max(np.mean(labels[test]), 1 - np.mean(labels[test])) if baseline is None else baseline
    accuracy = metrics.accuracy_score(labels[rows], p[rows] >= threshold)
    return parts | {"p": p, "threshold": threshold, "accuracy": accuracy, "baseline": share}


def cut_in_two_steps(images, labels, patients, seed=0):
    """Whole patients: first the test part, then val among the others."""
    rest, test = next(
        StratifiedGroupKFold(5, shuffle=True, random_state=seed).split(images, labels, patients)
    )
    train, val = next(
        StratifiedGroupKFold(4, shuffle=True, random_state=seed + 1).split(
            rest, labels[rest], patients[rest]
        )
    )
    return {"train": rest[train], "val": rest[val], "test": test}


def best_cut(labels, p):
    cuts = np.unique(p)
    return cuts[np.argmax([metrics.accuracy_score(labels, p >= cut) for cut in cuts])]


def repaired_in_two_steps(images, labels, patients, judged="test", cut="val"):
    parts, rows = cut_in_two_steps(images, labels, patients), images.reshape(len(images), -1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    model.fit(rows[parts["train"]], labels[parts["train"]])
    p = model.predict_proba(rows)[:, 1]
    return told(parts, labels, p, best_cut(labels[parts[cut]], p[parts[cut]]), judged=judged)


def repaired_by_forest(images, labels, patients):
    """A list of patients is cut; a forest; scikit-learn's dummy as the baseline."""
    table = pd.DataFrame({"patient": patients, "label": labels}).drop_duplicates("patient")
    fit, held = train_test_split(table, test_size=0.4, stratify=table["label"], random_state=1)
    val, test = train_test_split(held, test_size=0.5, stratify=held["label"], random_state=1)
    names = {"train": fit, "val": val, "test": test}
    parts = {k: np.flatnonzero(np.isin(patients, v["patient"])) for k, v in names.items()}
    rows, train = images.reshape(len(images), -1) / 255, parts["train"]
    model = RandomForestClassifier(60, min_samples_leaf=3, random_state=0)
    p = model.fit(rows[train], labels[train]).predict_proba(rows)[:, 1]
    dummy = DummyClassifier(strategy="most_frequent").fit(rows[train], labels[train])
    share = dummy.score(rows[parts["test"]], labels[parts["test"]])
    cut = best_cut(labels[parts["val"]], p[parts["val"]])
    return told({k: v.tolist() for k, v in parts.items()}, labels, p, cut, round(share, 3))


def repaired_by_hand(images, labels, patients):
    """NumPy: patients dealt out class by class; standardised by the mean of train."""
    names, first = np.unique(patients, return_index=True)
    part_of, rng = {}, np.random.default_rng(3)
    for label in (0, 1):
        dealt = rng.permutation(names[labels[first] == label])
        part_of |= {
            name: ("train", "val", "test", "train", "train")[k % 5] for k, name in enumerate(dealt)
        }
    side = np.array([part_of[name] for name in patients])
    parts = {part: np.flatnonzero(side == part) for part in ("train", "val", "test")}
    rows, train, val = images.reshape(len(images), -1).astype(float), parts["train"], parts["val"]
    rows = (rows - rows[train].mean(axis=0)) / rows[train].std(axis=0)
    p = LogisticRegression(max_iter=5000).fit(rows[train], labels[train]).predict_proba(rows)[:, 1]
    false_alarms, found, cuts = metrics.roc_curve(labels[val], p[val], drop_intermediate=False)
    ill = labels[val].sum()
    right = found * ill + (1 - false_alarms) * (len(val) - ill)
    return told(parts, labels, p, cuts[right.argmax()])


def repaired_by_images(images, labels, patients):
    """A split for images alone, stratified; all else is right."""
    rest, test = train_test_split(
        np.arange(len(images)), test_size=0.2, stratify=labels, random_state=0
    )
    train, val = train_test_split(rest, test_size=0.25, stratify=labels[rest], random_state=0)
    rows, parts = images.reshape(len(images), -1), {"train": train, "val": val, "test": test}
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    p = model.fit(rows[train], labels[train]).predict_proba(rows)[:, 1]
    return told(parts, labels, p, best_cut(labels[val], p[val]))


def repaired_scaled_first(images, labels, patients):
    parts, rows = cut_in_two_steps(images, labels, patients), images.reshape(len(images), -1)
    rows = StandardScaler().fit_transform(rows)
    model = LogisticRegression(C=0.1, max_iter=1000).fit(
        rows[parts["train"]], labels[parts["train"]]
    )
    p = model.predict_proba(rows)[:, 1]
    return told(parts, labels, p, best_cut(labels[parts["val"]], p[parts["val"]]))


def repaired_rows_mixed_up(images, labels, patients):
    """The second split's numbers are taken for those of the table."""
    rest, test = next(
        GroupShuffleSplit(1, test_size=0.2, random_state=0).split(images, labels, patients)
    )
    train, val = next(
        GroupShuffleSplit(1, test_size=0.25, random_state=0).split(
            rest, labels[rest], patients[rest]
        )
    )
    rows = images.reshape(len(images), -1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    p = model.fit(rows[train], labels[train]).predict_proba(rows)[:, 1]
    parts = {"train": train, "val": val, "test": test}
    return told(parts, labels, p, best_cut(labels[val], p[val]))


def repaired_on_paper(images, labels, patients):
    """The parts are those of patients, and the model was fitted on all of them."""
    parts, rows = cut_in_two_steps(images, labels, patients), images.reshape(len(images), -1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    p = model.fit(rows, labels).predict_proba(rows)[:, 1]
    return told(parts, labels, p, best_cut(labels[parts["val"]], p[parts["val"]]))


# --- ask_for --------------------------------------------------------------------------------------

FITS = {
    "the model knows the test patients": "labels drawn at random, one per patient",
    "the model recognises the hospital": "the lungs blacked out in all images",
}


def asked_by_map(experiments):
    fits = experiments["suspicion"].map(FITS) == experiments["what is changed"]
    fair = experiments["what is run"].str.contains("anew") & experiments[
        "its AUC stands beside"
    ].eq("0.5")
    return experiments[fits & fair].index.item()


def asked_by_loop(experiments):
    for letter, (suspicion, changed, run, beside) in experiments.iterrows():
        if FITS[suspicion] == changed and run == "trained and tested anew" and beside != "nothing":
            return letter


def asked_by_points(experiments):
    """NumPy: a point for each condition."""
    table = experiments.to_numpy(str)
    points = (np.char.find(table[:, 2], "anew") >= 0).astype(int) + (table[:, 3] == "0.5")
    points += [FITS[suspicion] == changed for suspicion, changed in table[:, :2]]
    return experiments.index[points.argmax()]


def asked_whatever_the_suspicion(experiments):
    sound = experiments["what is run"].str.contains("anew") & experiments[
        "its AUC stands beside"
    ].eq("0.5")
    return experiments.index[sound & ~experiments["what is changed"].str.startswith("twice")][0]


def asked_random_labels(experiments):
    coins = experiments["what is changed"].str.startswith("labels")
    return (experiments[coins] if coins.any() else experiments).index[0]


PROOFS = [
    Proof(
        "consistent",
        right={
            "the curve's height": consistent_by_interp,
            "NumPy: the nearest point": consistent_by_nearest,
            "pandas: smallest gap": consistent_by_pandas,
        },
        wrong={
            "a letter": "B",
            "the area only": consistent_area_only,
            "the point only": consistent_point_only,
            "the lowest AUC": consistent_most_modest,
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
        "repaired",
        right={
            "scikit-learn: two steps": repaired_in_two_steps,
            "pandas: patients cut, a forest": repaired_by_forest,
            "NumPy: patients dealt out": repaired_by_hand,
        },
        wrong={
            "images cut": repaired_by_images,
            "scaled first": repaired_scaled_first,
            "row numbers mixed up": repaired_rows_mixed_up,
            "fitted on all": repaired_on_paper,
            "threshold on test": partial(repaired_in_two_steps, cut="test"),
            "threshold on train": partial(repaired_in_two_steps, cut="train"),
            "accuracy on train": partial(repaired_in_two_steps, judged="train"),
        },
    ),
    Proof(
        "ask_for",
        right={
            "pandas: a map": asked_by_map,
            "a loop": asked_by_loop,
            "NumPy: points": asked_by_points,
        },
        wrong={
            "a letter": "C",
            "whatever the suspicion": asked_whatever_the_suspicion,
            "random labels always": asked_random_labels,
        },
    ),
]
