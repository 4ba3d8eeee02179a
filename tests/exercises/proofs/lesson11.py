"""Answers to the questions of lesson 11, calibration and operating point."""

import numpy as np
import pandas as pd
from scipy import optimize, special
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from . import Proof

try:
    from sklearn.frozen import FrozenEstimator
except ImportError:  # scikit-learn 1.5
    FrozenEstimator = None

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


# --- diagnose -------------------------------------------------------------------------------------


def diagnosed_by_intervals(bins):
    """Which intervals lie above the diagonal, which below, and on which side."""
    above, below = bins["low"] > bins["predicted"], bins["high"] < bins["predicted"]
    left = bins["predicted"] < 0.5
    if not (above | below).any():
        return "calibrated"
    if (above & left).any() and (below & ~left).any():
        return "over-confident"
    if (below & left).any() and (above & ~left).any():
        return "under-confident"
    return "shifted"


def diagnosed_by_a_line(bins):
    """NumPy: the mean gap, then the slope of a weighted line."""
    gap = np.average(bins["observed"] - bins["predicted"], weights=bins["n"])
    if abs(gap) > 0.06:
        return "shifted"
    slope, _ = np.polyfit(bins["predicted"], bins["observed"], 1, w=np.sqrt(bins["n"]))
    if 0.85 < slope < 1.18:
        return "calibrated"
    return "over-confident" if slope < 1 else "under-confident"


def diagnosed_by_the_ends(bins):
    """The first and the last point."""
    first, last = bins.iloc[0], bins.iloc[-1]
    low, high = first["observed"] - first["predicted"], last["observed"] - last["predicted"]
    if abs(low) < 0.05 and abs(high) < 0.05:
        return "calibrated"
    signs = {(1, -1): "over-confident", (-1, 1): "under-confident"}
    return signs.get((int(np.sign(low)), int(np.sign(high))), "shifted")


def diagnosed_by_halves(bins):
    """Mean gaps of the two halves; a half counts from 0.08 on, as one would choose by eye."""
    gap, left = bins["observed"] - bins["predicted"], bins["predicted"] < 0.5
    low, high = (
        0 if abs(mean) < 0.08 else np.sign(mean) for mean in (gap[left].mean(), gap[~left].mean())
    )
    if low == high:
        return "shifted" if low else "calibrated"
    return "over-confident" if low > high else "under-confident"


def diagnosed_by_the_error(bins):
    """By the calibration error alone."""
    error = np.average((bins["observed"] - bins["predicted"]).abs(), weights=bins["n"])
    return "over-confident" if error > 0.05 else "calibrated"


def diagnosed_by_the_last(bins):
    gap = bins["observed"].iloc[-1] - bins["predicted"].iloc[-1]
    return "calibrated" if abs(gap) < 0.05 else "over-confident" if gap < 0 else "under-confident"


def diagnosed_without_chance(bins):
    above = bins["observed"] > bins["predicted"]
    if above.all() or not above.any():
        return "shifted"
    return "over-confident" if above.iloc[0] else "under-confident"


def diagnosed_downwards(bins):
    """Too high is seen, too low is not."""
    gap = (bins["observed"] - bins["predicted"]).mean()
    return "shifted" if gap < -0.06 else diagnosed_by_the_last(bins)


# --- calibrated -----------------------------------------------------------------------------------


def calibrated_by_sklearn(train, validation, test):
    """CalibratedClassifierCV around a model that is fitted already."""
    model = RandomForestClassifier(100, random_state=0).fit(*train)
    if FrozenEstimator is None:
        around = CalibratedClassifierCV(model, cv="prefit")
    else:
        around = CalibratedClassifierCV(FrozenEstimator(model))
    return around.fit(*validation).predict_proba(test[0])[:, 1]


def calibrated_by_isotonic(train, validation, test):
    """A support vector machine, its scores by isotonic regression."""
    model = make_pipeline(StandardScaler(), SVC()).fit(*train)
    curve = IsotonicRegression(out_of_bounds="clip", y_min=0.001, y_max=0.999)
    curve.fit(model.decision_function(validation[0]), validation[1])
    return pd.Series(curve.predict(model.decision_function(test[0])))


def calibrated_by_temperature(train, validation, test):
    """SciPy: logistic regression of principal components, and one temperature."""
    model = make_pipeline(PCA(30, random_state=0), LogisticRegression(C=100, max_iter=5000))
    logit = model.fit(*train).decision_function

    def loss(t):
        return np.logaddexp(0, np.where(validation[1], -1, 1) * logit(validation[0]) / t).mean()

    t = optimize.minimize_scalar(loss, bounds=(0.1, 100), method="bounded").x
    return list(special.expit(logit(test[0]) / t))


def calibrated_on(
    *, fit=("train",), scale=("train",), calibrate=("validation",), cross_validated=False
):
    """Logistic regression and Platt's sigmoid, each fitted on some of the parts."""

    def answer(train, validation, test):
        parts = {"train": train, "validation": validation, "test": test}

        def joined(names):
            return tuple(np.concatenate(both) for both in zip(*(parts[name] for name in names)))

        scaler = StandardScaler().fit(joined(scale)[0])
        model, (rows, ill) = LogisticRegression(max_iter=1000), joined(fit)
        if cross_validated:
            model = CalibratedClassifierCV(model, cv=5).fit(scaler.transform(rows), ill)
            return model.predict_proba(scaler.transform(test[0]))[:, 1]
        model.fit(scaler.transform(rows), ill)
        rows, ill = joined(calibrate)
        sigmoid = LogisticRegression().fit(model.predict_log_proba(scaler.transform(rows)), ill)
        return sigmoid.predict_proba(model.predict_log_proba(scaler.transform(test[0])))[:, 1]

    return answer


def calibrated_on_another_scale(train, validation, test):
    """The sigmoid learns from logits and is given probabilities."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(*train)
    sigmoid = LogisticRegression(C=1e6)
    sigmoid.fit(10 * model.decision_function(validation[0])[:, None], validation[1])
    return sigmoid.predict_proba(model.predict_proba(test[0])[:, 1:])[:, 1]


def classes_of_the_test(train, validation, test):
    return make_pipeline(StandardScaler(), SVC()).fit(*train).predict(test[0])


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
        "diagnose",
        right={
            "by the intervals": diagnosed_by_intervals,
            "NumPy: a line": diagnosed_by_a_line,
            "the first and the last point": diagnosed_by_the_ends,
            "pandas: mean gaps from 0.08 on": diagnosed_by_halves,
        },
        wrong={
            "by the calibration error": diagnosed_by_the_error,
            "by the last point": diagnosed_by_the_last,
            "chance is a fault": diagnosed_without_chance,
            "too low is not seen": diagnosed_downwards,
        },
    ),
    Proof(
        "calibrated",
        right={
            "a forest in CalibratedClassifierCV": calibrated_by_sklearn,
            "a support vector machine, isotonic": calibrated_by_isotonic,
            "components and a temperature": calibrated_by_temperature,
            "by hand": calibrated_on(),
        },
        wrong={
            "calibrated on test": calibrated_on(calibrate=("test",)),
            "on validation and test": calibrated_on(calibrate=("validation", "test")),
            "calibrated on train": calibrated_on(calibrate=("train",)),
            "cross-validated on train": calibrated_on(cross_validated=True),
            "fitted on both": calibrated_on(fit=("train", "validation")),
            "scaled on train and validation": calibrated_on(scale=("train", "validation")),
            "scaled on all": calibrated_on(scale=("train", "validation", "test")),
            "cross-validated on both": calibrated_on(
                fit=("train", "validation"), cross_validated=True
            ),
            "another scale": calibrated_on_another_scale,
            "classes": classes_of_the_test,
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
