"""Answers to the questions of lesson 07, evaluation."""

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from . import Proof

# --- diagnose -------------------------------------------------------------------------------------


def diagnosed_by_pandas(ill, score):
    table = pd.DataFrame({"ill": ill, "score": score})
    if table["score"].nunique() < 3:
        return "classes only"
    if np.ptp(table["score"]) < 0.2:
        return "the same for all"
    medians = table.groupby("ill")["score"].median()
    lead = medians[True] - medians[False]
    return "sound" if lead > 0.35 else "other class" if lead < -0.35 else "shuffled"


def diagnosed_by_scipy(ill, score):
    found = stats.mannwhitneyu(score[ill], score[~ill])
    auc = found.statistic / (ill.sum() * (~ill).sum())
    if set(score) == {0, 1}:
        return "classes only"
    if auc > 0.75:
        return "sound"
    if auc < 0.25:
        return "other class"
    return (
        "the same for all"
        if np.quantile(score, 0.9) - np.quantile(score, 0.1) < 0.1
        else ("shuffled")
    )


def diagnosed_by_curve(ill, score):
    alarms, found, _ = roc_curve(ill, score, drop_intermediate=False)
    area = np.trapezoid(found, alarms)
    if len(alarms) == 3:
        return "classes only"
    kinds = {"other class": 0.0, "shuffled": 0.5, "sound": 1.0}
    kind = min(kinds, key=lambda name: abs(kinds[name] - area))
    return "the same for all" if kind == "shuffled" and score.max() < 0.6 else kind


def diagnosed_by_accuracy(ill, score):
    if set(score) == {0, 1}:
        return "classes only"
    accuracy = np.mean((score >= 0.5) == ill)
    return "sound" if accuracy > 0.75 else "other class" if accuracy < 0.35 else "shuffled"


def diagnosed_by_histogram(ill, score):
    """Of all images together."""
    if score.std() < 0.05:
        return "the same for all"
    return "classes only" if len(set(score)) == 2 else "sound"


def diagnosed_by_mean(ill, score):
    lead = score[ill].mean() - score[~ill].mean()
    if abs(lead) < 0.15:
        return "the same for all"
    return "sound" if lead > 0 else "other class"


# --- out_of_fold ----------------------------------------------------------------------------------


def flat(images):
    return images.reshape(len(images), -1) / 255


def scores_by_loop(images, labels, patients):
    """A loop over GroupKFold, each fold scaled by its own training part."""
    rows, p = flat(images), np.zeros(len(images))
    for train, test in GroupKFold(4).split(rows, groups=patients):
        mean, deviation = rows[train].mean(axis=0), rows[train].std(axis=0) + 1e-6
        model = LogisticRegression(C=0.01).fit((rows[train] - mean) / deviation, labels[train])
        p[test] = model.predict_proba((rows[test] - mean) / deviation)[:, 1]
    return p


def scores_by_pandas(images, labels, patients):
    """Patients dealt out by hand, a table of rows."""
    table = pd.DataFrame(flat(images)).assign(y=labels, patient=patients)
    fold = {name: k % 5 for k, name in enumerate(sorted(table["patient"].unique()))}
    part, found = table["patient"].map(fold), pd.Series(0.0, table.index)
    for k in range(5):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
        model.fit(table[part != k].drop(columns=["y", "patient"]).to_numpy(), table["y"][part != k])
        asked = table[part == k].drop(columns=["y", "patient"]).to_numpy()
        found[part == k] = model.predict_proba(asked)[:, 1]
    return found


def scores_by(model, cv, groups=True, **options):
    def answer(images, labels, patients):
        given = cross_val_predict(
            model(),
            flat(images),
            labels,
            groups=patients if groups else None,
            cv=cv,
            method="predict_proba",
            **options,
        )
        return given[:, 1]

    return answer


def regression():
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01))


def forest():
    return RandomForestClassifier(60, min_samples_leaf=3, random_state=0)


def scores_selected_before(images, labels, patients):
    rows = SelectKBest(k=20).fit_transform(flat(images), labels)
    folds = GroupKFold(5)
    model = regression()
    return cross_val_predict(
        model, rows, labels, groups=patients, cv=folds, method="predict_proba"
    )[:, 1]


def scores_of_half(images, labels, patients):
    """Fitted on a half of the patients; their own images are scored as well."""
    known = np.isin(patients, np.unique(patients)[::2])
    model = regression().fit(flat(images)[known], labels[known])
    return model.predict_proba(flat(images))[:, 1]


# --- line_to_report -------------------------------------------------------------------------------


def line_by_query(lines):
    sound = lines.query("resampled == 'patients' and `measured on` == 'test'")
    sound = sound[sound["figure"].str.contains("covid")]
    return sound[sound["threshold chosen on"].eq("validation")].index.item()


def line_by_exclusion(lines):
    """pandas: out with the wrong ones."""
    odd = lines["threshold chosen on"].str.contains("test") | lines["figure"].str.contains("F1")
    odd |= lines["resampled"].eq("images") | lines["measured on"].eq("validation")
    return lines[~odd].index[0]


def line_by_loop(lines):
    for letter, line in zip(lines.index, lines.to_numpy()):
        if (line[0], *line[3:]) == ("sensitivity of covid", "patients", "validation", "test"):
            return letter


def line_by_threshold(lines):
    return lines.index[(lines["threshold chosen on"] == "validation")][-1]


# --- judge ----------------------------------------------------------------------------------------


def decided(low, high):
    return "B" if low > 0 else "A" if high < 0 else "cannot tell"


def leads(table):
    """B's lead and the number of images, a row for each patient."""
    lead = table["b_right"].astype(int) - table["a_right"].astype(int)
    return lead.groupby(table["patient"]).agg(["sum", "size"]).to_numpy()


def judge_by_scipy(table):
    lead, n = leads(table).astype(float).T

    def difference(lead, n, axis=-1):
        return lead.sum(axis=axis) / n.sum(axis=axis)

    found = stats.bootstrap(
        (lead, n), difference, paired=True, vectorized=True, n_resamples=2000, random_state=1
    )
    return decided(*found.confidence_interval)


def judge_by_choice(level=0.95):
    def answer(table):
        patients, rng = leads(table), np.random.default_rng(11)
        drawn = patients[rng.integers(len(patients), size=(1000, len(patients)))].sum(axis=1)
        return decided(*np.quantile(drawn[:, 0] / drawn[:, 1], [(1 - level) / 2, (1 + level) / 2]))

    return answer


def judge_by_normal(table):
    lead = leads(table)[:, 0]
    error = 1.96 * lead.std(ddof=1) * np.sqrt(len(lead))
    return decided(lead.sum() - error, lead.sum() + error)


def judge_by_lead(limit):
    def answer(table):
        lead = table["b_right"].mean() - table["a_right"].mean()
        return decided(*(lead, lead) if abs(lead) > limit else (-1, 1))

    return answer


def judge_by_images(table):
    lead, rng = (
        (table["b_right"].astype(int) - table["a_right"].astype(int)).to_numpy(),
        np.random.default_rng(0),
    )
    means = rng.choice(lead, (1000, len(lead))).mean(axis=1)
    return decided(*np.quantile(means, [0.025, 0.975]))


def judge_by_sign(table):
    lead = leads(table)[:, 0]
    return decided((lead > 0).sum() - (lead < 0).sum() - 3, (lead > 0).sum() - (lead < 0).sum() + 3)


PROOFS = [
    Proof(
        "diagnose",
        right={
            "pandas: medians": diagnosed_by_pandas,
            "SciPy: Mann and Whitney": diagnosed_by_scipy,
            "scikit-learn: the curve": diagnosed_by_curve,
        },
        wrong={
            "by the accuracy at 0.5": diagnosed_by_accuracy,
            "by the histogram of all images": diagnosed_by_histogram,
            "by the difference of the means": diagnosed_by_mean,
        },
    ),
    Proof(
        "out_of_fold",
        right={
            "a loop over GroupKFold": scores_by_loop,
            "pandas: patients dealt out by hand": scores_by_pandas,
            "one patient left out": scores_by(regression, LeaveOneGroupOut()),
            "a forest, stratified and shuffled": scores_by(
                forest, StratifiedGroupKFold(5, shuffle=True, random_state=1)
            ),
        },
        wrong={
            "shuffled KFold": scores_by(regression, KFold(5, shuffle=True, random_state=0)),
            "twelve folds of images": scores_by(regression, KFold(12)),
            "stratified, patients passed and ignored": scores_by(regression, StratifiedKFold(5)),
            "pixels selected on all": scores_selected_before,
            "half of the patients scored on themselves": scores_of_half,
        },
    ),
    Proof(
        "line_to_report",
        right={
            "pandas: queries": line_by_query,
            "pandas: exclusion": line_by_exclusion,
            "a loop": line_by_loop,
        },
        wrong={
            "the highest value": lambda lines: lines["value"].idxmax(),
            "the lowest value": lambda lines: lines["value"].idxmin(),
            "the threshold is enough": line_by_threshold,
        },
    ),
    Proof(
        "judge",
        right={
            "SciPy: the bootstrap as it comes": judge_by_scipy,
            "NumPy: patients drawn": judge_by_choice(),
            "a standard error by patient": judge_by_normal,
        },
        wrong={
            "a lead over 0.04": judge_by_lead(0.04),
            "a lead over 0.065": judge_by_lead(0.065),
            "an 80 % interval": judge_by_choice(0.8),
            "a 90 % interval": judge_by_choice(0.9),
            "images drawn": judge_by_images,
            "three patients more": judge_by_sign,
        },
        chance=(
            "whether an interval from 1000 resamples includes zero varies with the seed of the "
            "resampling"
        ),
    ),
]
