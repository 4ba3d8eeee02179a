"""Answers to the questions of lesson 02, exploration."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder, StandardScaler

from cxr_helpers import evaluate
from cxr_helpers.checks import lesson02

from . import Proof

# --- without_images -------------------------------------------------------------------------------


def encoder(model, numbers="passthrough"):
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [
        ("words", words, make_column_selector(dtype_exclude="number")),
        ("numbers", numbers, make_column_selector(dtype_include="number")),
    ]
    return Pipeline([("columns", ColumnTransformer(parts)), ("model", model)])


def without_by_forest(table, columns):
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    forest = encoder(RandomForestClassifier(60, min_samples_leaf=2, random_state=0))
    y = (table["label"] == "covid").to_numpy()
    p = cross_val_predict(
        forest, table[columns], y, groups=table["patient"], cv=folds, method="predict_proba"
    )
    return p[:, 1]


def without_by_loop(table, columns):
    """Fold by fold, dummies made once of all rows: their names tell nothing of a label."""
    x = pd.get_dummies(table[columns]).astype(float).to_numpy()
    y, scores = (table["label"] == "covid").to_numpy(), np.zeros(len(table))
    for fit, ask in GroupKFold(4).split(x, y, table["patient"]):
        scaler = StandardScaler().fit(x[fit])
        model = LogisticRegression(max_iter=500).fit(scaler.transform(x[fit]), y[fit])
        scores[ask] = model.decision_function(scaler.transform(x[ask]))
    return pd.Series(scores, index=table.index)


def without_by_boosting(table, columns):
    model = encoder(HistGradientBoostingClassifier(max_iter=30, random_state=0))
    p = cross_val_predict(
        model,
        table[columns],
        table["label"],
        groups=table["patient"],
        cv=GroupKFold(5),
        method="predict_proba",
    )
    return p[:, list(np.unique(table["label"])).index("covid")].tolist()


def without_by_neighbours(table, columns):
    model = encoder(KNeighborsClassifier(15), StandardScaler())
    y = table["label"].eq("covid").astype(int)
    folds = GroupKFold(10)
    return cross_val_predict(
        model, table[columns], y, groups=table["patient"], cv=folds, method="predict_proba"
    ).T[1]


def without_by_rows(table, columns):
    p = cross_val_predict(
        encoder(RandomForestClassifier(60, random_state=0)),
        table[columns],
        table["label"] == "covid",
        cv=KFold(5, shuffle=True, random_state=0),
        method="predict_proba",
    )
    return p[:, 1]


def without_the_split(table, columns):
    model = encoder(LogisticRegression(max_iter=500), StandardScaler())
    return model.fit(table[columns], table["label"] == "covid").predict_proba(table[columns])[:, 1]


def without_by_lookup(table, columns):
    """The lesson's own mistake: the share of covid of each value, in these very images."""
    ill = (table["label"] == "covid").astype(float)
    return sum(ill.groupby(table[name]).transform("mean") for name in columns)


def without_by_numbers(table, columns):
    codes = table[columns].apply(
        lambda c: LabelEncoder().fit_transform(c) if c.dtype.kind not in "iuf" else c
    )
    p = cross_val_predict(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
        codes,
        table["label"] == "covid",
        groups=table["patient"],
        cv=GroupKFold(5),
        method="predict_proba",
    )
    return p[:, 1]


def without_a_choice(table, columns):
    return without_by_forest(table, [c for c in table if c not in ("label", "patient")])


def without_the_other_class(table, columns):
    p = cross_val_predict(
        encoder(LogisticRegression(max_iter=500), StandardScaler()),
        table[columns],
        table["label"],
        groups=table["patient"],
        cv=GroupKFold(5),
        method="predict_proba",
    )
    return p[:, 1]


# --- comes_from -----------------------------------------------------------------------------------


def comes_from_by_means(figure):
    """What each panel shows, by the table that the notebook prints."""
    found = {}
    for letter, rows in figure.panels.items():
        means = rows.groupby(["hospital", "label"])["grey"].mean().unstack()
        together = rows.groupby("label")["grey"].mean()
        differ = abs(together["covid"] - together["normal"]) > 8
        within = (means["covid"] - means["normal"]).abs().mean() > 8
        if means.isna().any(axis=None):
            found[letter] = "either"
        else:
            words = {(1, 1): "disease", (1, 0): "hospital", (0, 1): "masked", (0, 0): "none"}
            found[letter] = words[int(differ), int(within)]
    return {"figure": figure.number} | found


def comes_from_luck(seed):
    words = np.random.default_rng(seed).permutation(lesson02.q2.options).tolist()
    number = lesson02.q2.sample(seed).number
    return {"figure": number} | dict(zip("ABCDE", words, strict=True))


# --- shows_a_shortcut -----------------------------------------------------------------------------


def shortcut_by_test(reports):
    for letter, row in reports.iterrows():
        p = binomtest(int(row["right"]), int(row["images"]), row["largest class"]).pvalue
        above = row["right"] / row["images"] > row["largest class"]
        if row["looked up in"] == "other patients" and above and p < 0.05:
            return letter
    return None


def shortcut_by_rules(reports):
    kept = reports[reports["looked up in"].str.endswith("patients") & (reports["images"] >= 100)]
    kept = kept[~kept["looked up in"].str.contains("same")]
    return (kept["right"] / kept["images"] - kept["largest class"]).idxmax()


def shortcut_by_errors(reports):
    table = reports.query("`looked up in` == 'other patients'")
    share, n = table["right"] / table["images"], table["images"]
    z = (share - table["largest class"]) / np.sqrt(share * (1 - share) / n)
    return z.idxmax()


def shortcut_by_accuracy(reports):
    return (reports["right"] / reports["images"]).idxmax()


def shortcut_by_lead(reports):
    share = reports["right"] / reports["images"]
    return (
        (share - reports["largest class"])
        .where(reports["looked up in"] == "other patients")
        .idxmax()
    )


def shortcut_by_size(reports):
    return reports["images"].idxmax()


def shortcut_by_wilson_alone(reports):
    low = [evaluate.wilson(k, n)[0] for k, n in zip(reports["right"], reports["images"])]
    return (pd.Series(low, reports.index) - reports["largest class"]).idxmax()


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
        "without_images",
        right={
            "scikit-learn: a forest, stratified by patient": without_by_forest,
            "NumPy: a loop over folds, dummies, logits": without_by_loop,
            "scikit-learn: boosting, labels as words": without_by_boosting,
            "scikit-learn: neighbours, ten folds": without_by_neighbours,
        },
        wrong={
            "folds of rows": without_by_rows,
            "fitted and scored on the same rows": without_the_split,
            "a look-up on itself": without_by_lookup,
            "words as numbers": without_by_numbers,
            "all columns, whatever is asked": without_a_choice,
            "the second class of the alphabet": without_the_other_class,
        },
    ),
    Proof(
        "comes_from",
        right={
            f"by means, figure {seed}": comes_from_by_means(lesson02.q2.sample(seed))
            for seed in range(3)
        },
        wrong={f"guessed, figure {seed}": comes_from_luck(seed) for seed in range(5)},
    ),
    Proof(
        "shows_a_shortcut",
        right={
            "SciPy: an exact test": shortcut_by_test,
            "pandas: a hundred images, the largest lead": shortcut_by_rules,
            "NumPy: the lead in standard errors": shortcut_by_errors,
        },
        wrong={
            "the highest accuracy": shortcut_by_accuracy,
            "the largest lead, n forgotten": shortcut_by_lead,
            "the most images": shortcut_by_size,
            "Wilson, whoever was scored": shortcut_by_wilson_alone,
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
