"""Answers to the questions of lesson 04, splitting."""

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold

from cxr_helpers import split

from . import Proof

# --- make_split -----------------------------------------------------------------------------------


def split_by_folds(table, seed):
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
    _, test = next(folds.split(table, table["label"], table["group"]))
    return table.assign(split=np.where(np.isin(np.arange(len(table)), test), "test", "train"))


def split_by_sampled_groups(table, seed):
    groups = table.drop_duplicates("group")
    test = groups.groupby("label", observed=True).sample(frac=0.2, random_state=seed)["group"]
    return table.assign(split=table["group"].isin(test).map({True: "test", False: "train"}))


def split_by_shuffled_groups(table, seed):
    rng, result = np.random.default_rng(seed), table.copy()
    result["split"] = "train"
    for label in sorted(set(table["label"])):
        names = sorted(table.loc[table["label"] == label, "group"].unique())
        rng.shuffle(names)
        result.loc[result["group"].isin(names[: round(0.2 * len(names))]), "split"] = "test"
    return result


def split_by_parity(table, seed):
    return split.holdout(table, test=0.2, val=0, seed=seed % 2)


def split_by_patient(table, seed):
    patients = table["patient"].drop_duplicates()
    test = patients.sample(frac=0.2, random_state=seed)
    return table.assign(split=np.where(table["patient"].isin(test), "test", "train"))


def split_by_last_rows(table, seed):
    result = table.sample(frac=1, random_state=seed)
    return result.assign(
        split=["train"] * int(0.8 * len(table)) + ["test"] * (len(table) - int(0.8 * len(table)))
    )


# --- is_disjoint ----------------------------------------------------------------------------------


def disjoint_by_sets(table):
    parts = [rows for _, rows in table.groupby("split", observed=True)]
    for column in ("patient", "sha256"):
        known = [set(part[column].dropna()) for part in parts]
        if any(known[i] & known[j] for i in range(len(known)) for j in range(i)):
            return False
    return True


def disjoint_by_arrays(table):
    side = table["split"].astype(str).to_numpy()
    for column in ("patient", "sha256"):
        codes, values = pd.factorize(table[column])  # -1: unknown
        for code in range(len(values)):
            if len(np.unique(side[codes == code])) > 1:
                return False
    return True


def disjoint_by_assertion(table):
    try:
        split.assert_disjoint(table, by=("patient", "sha256"))
    except Exception:
        return False
    return True


def disjoint_of_named(table):
    return disjoint_by_sets(table.dropna(subset=["patient"]))


def disjoint_by_pairs(table):
    return bool((table.groupby(["patient", "sha256"])["split"].nunique() <= 1).all())


class Counting:
    """Knows in which order the cases came when somebody looked."""

    def __init__(self):
        self.calls = 0

    def __call__(self, table):
        self.calls += 1
        return self.calls <= 2


# --- by_image -------------------------------------------------------------------------------------


def image_by_rise(curves):
    means = curves.groupby(["panel", "images of a patient"])["AUC"].mean().unstack()
    return means.diff(axis=1).sum(axis=1).idxmax()


def image_by_two_conditions(curves):
    for panel, runs in curves.groupby("panel"):
        aucs = [runs.loc[runs["images of a patient"] == n, "AUC"] for n in (1, 8)]
        if abs(aucs[0].mean() - 0.5) < 0.1 and aucs[1].min() > 0.55:
            return panel


def image_by_correlation(curves):
    """NumPy: the panel whose AUC goes most with the logarithm of the number of images."""
    found = {}
    for panel in "ABCD":
        runs = curves[curves["panel"] == panel]
        count, auc = np.log2(runs["images of a patient"].to_numpy()), runs["AUC"].to_numpy()
        found[panel] = np.polyfit(count, auc, 1)[0]
    return max(found, key=found.get)


def image_by_highest_run(curves):
    return curves.loc[curves["AUC"].idxmax(), "panel"]


def image_by_mean(curves):
    """Above 0.5, and not perfect: the first such panel."""
    means = curves.groupby("panel")["AUC"].mean()
    return means[(means > 0.6) & (means < 0.95)].index[0]


def image_by_the_last(curves):
    """High at eight images, not perfect: copies look alike there."""
    means = curves[curves["images of a patient"] == 8].groupby("panel")["AUC"].mean()
    return means[means < 0.95].idxmax()


# --- believable -----------------------------------------------------------------------------------


def believable_by_query(reports):
    sound = reports.query("`set aside` == 'whole patients' and copies == 'kept together'")
    return sound[~sound["figure"].str.startswith("the best")].index.item()


def believable_by_exclusion(reports):
    for letter, report in reports.iterrows():
        if "single" in report["set aside"] or report["copies"] != "kept together":
            continue
        if "best" not in report["figure"]:
            return letter


def believable_by_points(reports):
    """NumPy: a point for each condition; the one with all three."""
    points = np.zeros(len(reports), int)
    points += reports["set aside"].to_numpy() == "whole patients"
    points += reports["copies"].to_numpy() == "kept together"
    points += ["best" not in figure for figure in reports["figure"]]
    return str(reports.index.to_numpy()[points.argmax()])


def believable_without_copies(reports):
    sound = (reports["set aside"] == "whole patients") & ~reports["figure"].str.contains("best")
    return reports.index[sound][0]


def believable_folds(reports):
    """Five folds where there are some, else twenty seeds."""
    folds = reports["figure"].str.contains("folds")
    return (reports[folds] if folds.any() else reports).index[-1]


PROOFS = [
    Proof(
        "make_split",
        right={
            "one of five stratified group folds": split_by_folds,
            "pandas: a sample of the groups": split_by_sampled_groups,
            "NumPy: groups shuffled class by class": split_by_shuffled_groups,
        },
        wrong={
            "even or odd seeds only": split_by_parity,
            "patients, not groups": split_by_patient,
            "the last fifth of shuffled rows": split_by_last_rows,
        },
    ),
    Proof(
        "is_disjoint",
        right={
            "sets, part by part": disjoint_by_sets,
            "NumPy: the parts of each value": disjoint_by_arrays,
            "the package's assertion": disjoint_by_assertion,
        },
        wrong={
            "rows without a name dropped first": disjoint_of_named,
            "patient and file as one key": disjoint_by_pairs,
            "counts its calls": Counting(),
        },
    ),
    Proof(
        "by_image",
        right={
            "pandas: the rise": image_by_rise,
            "two conditions": image_by_two_conditions,
            "NumPy: a line's slope": image_by_correlation,
        },
        wrong={
            "a letter": "B",
            "the highest run": image_by_highest_run,
            "above 0.5": image_by_mean,
            "the highest with eight images": image_by_the_last,
        },
    ),
    Proof(
        "believable",
        right={
            "pandas: a query": believable_by_query,
            "a loop that excludes": believable_by_exclusion,
            "NumPy: points": believable_by_points,
        },
        wrong={
            "a letter": "C",
            "the lowest accuracy": lambda reports: reports["accuracy"].idxmin(),
            "copies do not count": believable_without_copies,
            "folds first": believable_folds,
        },
    ),
]
