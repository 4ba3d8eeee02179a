"""Answers to the questions of lesson 11, calibration and operating point."""

import numpy as np
import pandas as pd
from scipy import optimize, special
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve

from . import Proof

# --- operating_points -----------------------------------------------------------------------------


def reported(rule_out, triage, measured):
    ill, others = measured.loc[measured["ill"], "score"], measured.loc[~measured["ill"], "score"]
    figures = {"sensitivity": (ill >= rule_out).mean(), "specificity": (others < triage).mean()}
    return {"rule_out": rule_out, "triage": triage} | figures


def points_by_sklearn(validation, test):
    false_alarms, found, cuts = roc_curve(
        validation["ill"], validation["score"], drop_intermediate=False
    )
    return reported(cuts[found >= 0.95].max(), cuts[false_alarms <= 0.1].min(), test)


def points_by_pandas(validation, test):
    ill, others = (validation.loc[validation["ill"] == is_ill, "score"] for is_ill in (True, False))
    return reported(ill.quantile(0.05), others.quantile(0.9), test)


def points_by_ranks(validation, test):
    score, ill = validation["score"].to_numpy(), validation["ill"].to_numpy()
    high, low = np.sort(score[ill])[::-1], np.sort(score[~ill])
    triage = min(t for t in score if np.sum(low < t) * 10 >= 9 * len(low))
    return reported(high[-(-19 * len(high) // 20) - 1], triage, test)


def points_by_youden(validation, test):
    false_alarms, found, cuts = roc_curve(validation["ill"], validation["score"])
    best = cuts[np.argmax(found - false_alarms)]
    return reported(best, best, test)


def points_of_test(validation, test):
    return points_by_sklearn(test, test)


def points_on_validation(validation, test):
    return points_by_sklearn(validation, validation)


def points_typed(validation, test):
    return reported(0.25, 0.45, test)


# --- ppv_at ---------------------------------------------------------------------------------------


def ppv_by_counting(home, prevalence):
    ill, well = 1e6 * prevalence, 1e6 * (1 - prevalence)
    true, false = (
        ill * home["tp"] / (home["tp"] + home["fn"]),
        well * home["fp"] / (home["fp"] + home["tn"]),
    )
    return true / (true + false)


def ppv_by_odds(home, prevalence):
    """Bayes by odds: the positive likelihood ratio."""
    counts = pd.Series(home)
    ratio = counts["tp"] / counts[["tp", "fn"]].sum() / (counts["fp"] / counts[["fp", "tn"]].sum())
    odds = prevalence / (1 - prevalence) * ratio
    return odds / (1 + odds)


def ppv_by_weights(home, prevalence):
    matrix = np.array([[home["tp"], home["fn"]], [home["fp"], home["tn"]]], float)
    joint = matrix / matrix.sum(axis=1, keepdims=True) * [[prevalence], [1 - prevalence]]
    return round(joint[0, 0] / joint[:, 0].sum(), 3)


def ppv_without_the_well(home, prevalence):
    found = home["tp"] / (home["tp"] + home["fn"]) * prevalence
    return found / (found + home["fp"] / (home["fp"] + home["tn"]))


def ppv_by_ratio(home, prevalence):
    odds = (
        prevalence
        * home["tp"]
        / (home["tp"] + home["fn"])
        / (home["fp"] / (home["fp"] + home["tn"]))
    )
    return odds / (1 + odds)


def ppv_at_home(home, prevalence):
    return home["tp"] / (home["tp"] + home["fp"])


# --- tempered -------------------------------------------------------------------------------------


def tempered_by_scipy(validation, test):
    logit, ill = special.logit(validation["p"].to_numpy()), validation["ill"].to_numpy(bool)

    def loss(t):
        return np.logaddexp(0, np.where(ill, -1, 1) * logit / t).mean()

    t = optimize.minimize_scalar(loss, bounds=(0.1, 20), method="bounded").x
    return special.expit(special.logit(test["p"]) / t)


def tempered_by_sklearn(validation, test):
    """Scikit-learn: a logistic regression of the logit without intercept and without penalty."""

    def logit(table):
        return special.logit(table[["p"]].to_numpy())

    model = LogisticRegression(C=1e9, fit_intercept=False).fit(logit(validation), validation["ill"])
    return model.predict_proba(logit(test))[:, 1]


def tempered_by_grid(validation, test):
    losses = {}
    for t in np.arange(0.5, 5.01, 0.05):
        p = 1 / (1 + np.exp(-np.log(validation["p"] / (1 - validation["p"])) / t))
        losses[t] = -np.log(p.where(validation["ill"], 1 - p)).mean()
    t = pd.Series(losses).idxmin()
    return list(1 / (1 + np.exp(-np.log(test["p"] / (1 - test["p"])) / t)))


def tempered_on_test(validation, test):
    return tempered_by_scipy(test, test)


def tempered_inverted(validation, test):
    model = LogisticRegression(C=1e9, fit_intercept=False)
    model.fit(special.logit(validation[["p"]].to_numpy()), validation["ill"])
    return special.expit(special.logit(test["p"]) / model.coef_[0, 0])


def tempered_typed(validation, test):
    return special.expit(special.logit(test["p"]) / 1.7)


# --- shown ----------------------------------------------------------------------------------------


def shown_by_exclusion(claims):
    rest = claims[claims["temperature and threshold from"].ne("these images")]
    rest = rest[
        ~rest["compared with"].isin(["a perfect network", "their network", "before scaling"])
    ]
    return rest.index.item()


def shown_by_loop(claims):
    for letter, claim in claims.iterrows():
        fair = claim["measure"] == "sensitivity" or "calibrated" in claim["compared with"]
        if fair and claim["temperature and threshold from"] == "validation":
            return letter


def shown_by_words(claims):
    """NumPy: by the words of the claim."""
    words = claims["claim"].str.split().str[0].isin(["finds", "the"]).to_numpy()
    words = words & ~claims["compared with"].str.contains("perfect").to_numpy()
    return claims.index[np.argmax(words & (claims.iloc[:, -1] == "validation"))]


def shown_at_target(claims):
    """As many as planned, wherever the threshold is from; else what is left over."""
    held = claims["claim"].str.startswith("finds")
    return claims.index[held][0] if held.any() else claims.index[0]


def shown_frozen(claims):
    return claims.index[claims["temperature and threshold from"] == "validation"][0]


PROOFS = [
    Proof(
        "operating_points",
        right={
            "scikit-learn": points_by_sklearn,
            "pandas: quantiles": points_by_pandas,
            "NumPy: ranks": points_by_ranks,
        },
        wrong={
            "Youden's index": points_by_youden,
            "chosen on test": points_of_test,
            "reported on validation": points_on_validation,
            "typed in": points_typed,
        },
    ),
    Proof(
        "ppv_at",
        right={
            "a million people": ppv_by_counting,
            "pandas: odds": ppv_by_odds,
            "NumPy, rounded": ppv_by_weights,
        },
        wrong={
            "all are well": ppv_without_the_well,
            "prevalence as odds": ppv_by_ratio,
            "the study's": ppv_at_home,
        },
    ),
    Proof(
        "tempered",
        right={
            "SciPy": tempered_by_scipy,
            "scikit-learn": tempered_by_sklearn,
            "pandas: a grid": tempered_by_grid,
        },
        wrong={
            "fitted on test": tempered_on_test,
            "T inverted": tempered_inverted,
            "T typed in": tempered_typed,
        },
    ),
    Proof(
        "shown",
        right={
            "pandas: what is left": shown_by_exclusion,
            "a loop": shown_by_loop,
            "NumPy: by the words": shown_by_words,
        },
        wrong={
            "a letter": "D",
            "the lowest value": lambda claims: claims["value"].idxmin(),
            "a target is enough": shown_at_target,
            "frozen is enough": shown_frozen,
        },
    ),
]
