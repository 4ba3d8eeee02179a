"""Answers to the questions of lesson 02, exploration."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest, chi2_contingency, ks_2samp, norm, ttest_ind
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_score
from sklearn.tree import DecisionTreeClassifier

from cxr_helpers import evaluate

from . import Proof

# --- giveaway -------------------------------------------------------------------------------------


def giveaway_by_trees(table):
    scores = {}
    for column in table.columns.drop("label"):
        codes = pd.factorize(table[column])[0].reshape(-1, 1)
        scores[column] = cross_val_score(
            DecisionTreeClassifier(random_state=0), codes, table["label"], cv=5
        ).mean()
    return max(scores, key=scores.get)


def giveaway_by_chi2(table):
    p = {
        c: chi2_contingency(pd.crosstab(table[c], table["label"]))[1] for c in table if c != "label"
    }
    return min(p, key=p.get)


def giveaway_by_halves(table):
    half = np.random.default_rng(1).random(len(table)) < 0.5
    best, column = 0, None
    for name in table.columns.difference(["label"]):
        known = (
            table[half].groupby(name)["label"].agg(lambda labels: labels.value_counts().index[0])
        )
        right = (table[~half][name].map(known) == table[~half]["label"]).mean()
        best, column = max((best, column or ""), (right, name))
    return column


def giveaway_on_itself(table):
    """The notebook's look-up on its own images; the column with as many values as rows left out."""
    scores = {}
    for column in table.columns.drop("label"):
        if table[column].nunique() < len(table):
            most = table.groupby(column)["label"].agg(lambda labels: labels.mode()[0])
            scores[column] = (table[column].map(most) == table["label"]).mean()
    return max(scores, key=scores.get)


def giveaway_of_numbers(table):
    codes = (table["label"] == "covid").astype(int)
    return table.select_dtypes("number").corrwith(codes).abs().idxmax()


def giveaway_by_least_values(table):
    return table.drop(columns="label").nunique().idxmin()


# --- most_telling ---------------------------------------------------------------------------------

MEASURED = ["sharpness", "heart width in cm", "mean grey level", "file size in kB"]


def _ranked(table, score):
    scores = {}
    for name in table.columns.drop("label"):
        a, b = (table.loc[table["label"] == label, name].dropna() for label in ("covid", "normal"))
        scores[name] = score(a, b)
    return sorted(scores, key=scores.get, reverse=True)


def telling_by_auc(table):
    def score(a, b):
        auc = roc_auc_score(np.r_[np.ones(len(a)), np.zeros(len(b))], np.r_[a, b])
        return max(auc, 1 - auc)

    return _ranked(table, score)


def telling_by_cohen(table):
    means, deviations = (getattr(table.groupby("label"), what)() for what in ("mean", "std"))
    d = (means.loc["covid"] - means.loc["normal"]).abs() / np.sqrt((deviations**2).mean())
    return list(d.sort_values(ascending=False).index)


def telling_by_steps(table):
    return _ranked(table, lambda a, b: ks_2samp(a, b).statistic)


def telling_by_p(table):
    return _ranked(table, lambda a, b: -ttest_ind(a, b).pvalue)


def telling_by_filled(table):
    filled = table.drop(columns="label").fillna(0).assign(label=table["label"])
    return _ranked(filled, lambda a, b: abs(a.mean() - b.mean()) / np.sqrt((a.var() + b.var()) / 2))


def telling_by_error(table):
    return _ranked(table, lambda a, b: abs(a.mean() - b.mean()) / (a.sem() + b.sem()))


# --- clearly_above --------------------------------------------------------------------------------


def wilson_low(k, n, z):
    p = k / n
    return (p + z**2 / (2 * n) - z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))) / (1 + z**2 / n)


def above_by_columns(table, share):
    low = wilson_low(table["covid"], table["images"], 1.96)
    return table.assign(low=low).query("low > @share")["hospital"].tolist()


def above_by_test(table, share):
    rows = zip(table["hospital"], table["covid"], table["images"])
    return [
        name
        for name, k, n in rows
        if binomtest(int(k), int(n), share, alternative="greater").pvalue < 0.025
    ]


def above_by_formula(table, share):
    n = table["images"]
    z = (table["covid"] - n * share) / np.sqrt(n * share * (1 - share))
    return table["hospital"][z > norm.ppf(0.975)].to_numpy()


def above_one_half(table, share):
    return [
        h
        for h, k, n in zip(table.hospital, table.covid, table.images)
        if evaluate.wilson(k, n)[0] > 0.5
    ]


def above_by_overall(table, share):
    share = table["covid"].sum() / table["images"].sum()
    return [
        h
        for h, k, n in zip(table.hospital, table.covid, table.images)
        if evaluate.wilson(k, n)[0] > share
    ]


def above_at_80(table, share):
    return list(
        table.loc[wilson_low(table["covid"], table["images"], norm.ppf(0.9)) > share, "hospital"]
    )


def above_with_ten(table, share):
    kept = table[table["images"] >= 10]
    return kept["hospital"][kept["covid"] / kept["images"] > share].tolist()


# --- patient_side ---------------------------------------------------------------------------------


def side_by_halves(haze, heart, lungs):
    columns = np.flatnonzero(lungs.any(axis=0))
    middle = (columns[0] + columns[-1]) // 2

    def on_the_right(mask):
        return mask[:, middle + 1 :].sum() > mask[:, :middle].sum()

    return "left" if on_the_right(haze) == on_the_right(heart) else "right"


def side_by_table(haze, heart, lungs):
    columns = pd.Series({"haze": haze, "heart": heart, "lungs": lungs}).map(
        lambda m: pd.Series(m.sum(axis=0))
    )
    centre = columns.map(lambda counts: (counts * counts.index).sum() / counts.sum())
    sign = np.sign(centre - centre["lungs"])
    return "left" if sign["haze"] * sign["heart"] > 0 else "right"


def side_by_scipy(haze, heart, lungs):
    from scipy.ndimage import center_of_mass

    x = [center_of_mass(np.asarray(mask, float))[1] for mask in (haze, heart, lungs)]
    return "left" if (x[0] - x[2]) * (x[1] - x[2]) > 0 else "right"


def side_as_seen(haze, heart, lungs):
    middle = haze.shape[1] / 2
    return "left" if np.argwhere(haze)[:, 1].mean() < middle else "right"


def side_unmirrored(haze, heart, lungs):
    return "left" if np.argwhere(haze)[:, 1].mean() > np.argwhere(lungs)[:, 1].mean() else "right"


def side_of_touching(haze, heart, lungs):
    return "left" if (haze & heart).any() else "right"


PROOFS = [
    Proof(
        "giveaway",
        right={
            "scikit-learn: trees, cross-validated": giveaway_by_trees,
            "SciPy: the smallest p of chi-squared": giveaway_by_chi2,
            "NumPy: two halves by hand": giveaway_by_halves,
        },
        wrong={
            "scored on itself, the unique column dropped": giveaway_on_itself,
            "correlation of the numbers": giveaway_of_numbers,
            "the column with the fewest values": giveaway_by_least_values,
        },
    ),
    Proof(
        "most_telling",
        right={
            "scikit-learn: area under the curve": telling_by_auc,
            "pandas: Cohen's d": telling_by_cohen,
            "SciPy: Kolmogorov and Smirnov's statistic": telling_by_steps,
        },
        wrong={
            "the p of a t-test": telling_by_p,
            "missing values taken for 0": telling_by_filled,
            "the difference by its standard errors": telling_by_error,
            "a list typed in": lambda table: MEASURED,
        },
    ),
    Proof(
        "clearly_above",
        right={
            "pandas: Wilson's interval by its formula": above_by_columns,
            "SciPy: an exact test": above_by_test,
            "the score test by hand": above_by_formula,
        },
        wrong={
            "compared with one half": above_one_half,
            "compared with the share in the table": above_by_overall,
            "an 80 % interval": above_at_80,
            "ten images are enough": above_with_ten,
        },
    ),
    Proof(
        "patient_side",
        right={
            "NumPy: more pixels in which half": side_by_halves,
            "pandas: centres of the columns": side_by_table,
            "SciPy: centres of mass": side_by_scipy,
        },
        wrong={
            "the side on which it is seen": side_as_seen,
            "no image is mirrored": side_unmirrored,
            "haze that touches the heart": side_of_touching,
        },
    ),
]
