"""Answers to the questions of lesson 07, evaluation."""

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    classification_report,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    roc_curve,
)
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

# --- winners --------------------------------------------------------------------------------------


def winners_by_report(truth, answers):
    reports = {
        n: classification_report(truth, said, output_dict=True, zero_division=0)
        for n, said in answers.items()
    }
    image = max(reports, key=lambda name: reports[name]["accuracy"])
    return {
        "image": image,
        "class": max(reports, key=lambda name: reports[name]["macro avg"]["f1-score"]),
    }


def winners_by_tables(truth, answers):
    rows = {}
    for name, said in answers.items():
        table = pd.crosstab(truth, said).reindex(
            index=np.unique(truth), columns=np.unique(truth), fill_value=0
        )
        hits = pd.Series(np.diag(table), table.index)
        rows[name] = {
            "image": hits.sum() / len(truth),
            "class": (2 * hits / (table.sum() + table.sum(axis=1))).mean(),
        }
    return pd.DataFrame(rows).T.idxmax().to_dict()


def winners_by_matrix(truth, answers):
    names, scores = list(answers), []
    for name in names:
        m = confusion_matrix(truth, answers[name])
        scores.append((np.trace(m), np.mean(2 * m.diagonal() / (m.sum(axis=0) + m.sum(axis=1)))))
    image, by_class = np.argmax(scores, axis=0)
    return {"image": names[image], "class": names[by_class]}


def winners_by_one_class(which):
    def answer(truth, answers):
        scores = {
            name: f1_score(truth, said, labels=[which], average="macro")
            for name, said in answers.items()
        }
        return winners_by_report(truth, answers) | {"class": max(scores, key=scores.get)}

    return answer


def winners_by_normal(truth, answers):
    scores = {name: f1_score(truth == "normal", said == "normal") for name, said in answers.items()}
    return winners_by_report(truth, answers) | {"image": max(scores, key=scores.get)}


def winners_by_kappa(truth, answers):
    scores = {name: cohen_kappa_score(truth, said) for name, said in answers.items()}
    return winners_by_report(truth, answers) | {"class": max(scores, key=scores.get)}


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


# --- report ---------------------------------------------------------------------------------------


def report_by_roc(validation, test):
    _, tpr, thresholds = roc_curve(validation["ill"], validation["score"], drop_intermediate=False)
    threshold = thresholds[np.argmax(tpr >= 0.95)]
    return {"threshold": threshold, "sensitivity": (test["score"][test["ill"]] >= threshold).mean()}


def report_by_pandas(validation, test):
    ill = validation.query("ill")["score"].sort_values(ascending=False).reset_index(drop=True)
    threshold = ill[int(np.ceil(0.95 * len(ill))) - 1]
    return {"threshold": threshold, "sensitivity": test.query("ill")["score"].ge(threshold).mean()}


def report_by_quantile(validation, test):
    threshold = np.quantile(validation.score[validation.ill], 0.05, method="higher")
    return {
        "sensitivity": float(np.mean(test.score[test.ill].to_numpy() >= threshold)),
        "threshold": float(threshold),
    }


def report_by_youden(validation, test):
    fpr, tpr, thresholds = roc_curve(validation["ill"], validation["score"])
    threshold = thresholds[np.argmax(tpr - fpr)]
    return {"threshold": threshold, "sensitivity": (test["score"][test["ill"]] >= threshold).mean()}


def report_of_all_found(validation, test):
    threshold = validation.score[validation.ill].min()
    return {"threshold": threshold, "sensitivity": (test.score[test.ill] >= threshold).mean()}


def report_the_target(validation, test):
    return report_by_quantile(validation, test) | {"sensitivity": 0.95}


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
        "winners",
        right={
            "scikit-learn: a report for each": winners_by_report,
            "pandas: tables of counts": winners_by_tables,
            "NumPy: confusion matrices": winners_by_matrix,
        },
        wrong={
            "F1 of covid for each class": winners_by_one_class("covid"),
            "F1 of viral for each class": winners_by_one_class("viral"),
            "F1 of normal for each image": winners_by_normal,
            "Cohen's kappa for each class": winners_by_kappa,
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
        "report",
        right={
            "scikit-learn: the ROC curve": report_by_roc,
            "pandas: sorted scores": report_by_pandas,
            "NumPy: the quantile above": report_by_quantile,
        },
        wrong={
            "Youden's index": report_by_youden,
            "all ill of validation found": report_of_all_found,
            "the target reported": report_the_target,
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
