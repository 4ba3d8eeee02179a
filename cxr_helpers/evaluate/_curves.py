"""Confusion matrix, curves over all thresholds, and what happens at one threshold."""

import warnings

import numpy as np
import pandas as pd

from ..predictions import (
    PredictionsError,
    as_text,
    classes,
    columns,
    of_class,
    one_run,
    probabilities,
    with_probabilities,
)
from ._estimates import metrics
from .figures import PROPORTIONS


def confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """Counts of images (classes × classes): rows the true class, columns the predicted one.

    Raises PredictionsError, also for a table with several seeds. Introduced in lesson 07.
    """
    names = classes(one_run(predictions, "A confusion matrix"))
    true, said = (pd.Categorical(as_text(predictions[c]), categories=names).codes for c in ("label", "predicted"))
    size = len(names)
    counts = np.bincount(true.astype(int) * size + said, minlength=size**2).reshape(size, size)
    return pd.DataFrame(counts, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted"))


def _ranked(predictions: pd.DataFrame, positive: str, what: str) -> np.ndarray:
    truth = of_class(one_run(predictions, what), positive)
    if truth.all() or not truth.any():
        raise PredictionsError(f"{what} needs images with and without {positive!r}: {truth.sum()} of {len(truth)} are.")
    return truth


def roc(predictions: pd.DataFrame, positive: str) -> pd.DataFrame:
    """ROC curve of one class against the rest: columns threshold, sensitivity, specificity, one row per distinct score.

    A row calls an image positive if p_<positive> ≥ threshold; the first threshold is infinite (nothing is called).
    Raises PredictionsError if either kind of image is absent, or for several seeds. Introduced in lesson 07.
    """
    from sklearn.metrics import roc_curve

    truth = _ranked(predictions, positive, "A ROC curve")
    score = probabilities(predictions, [positive])[:, 0]
    false_alarms, hits, thresholds = roc_curve(truth, score, drop_intermediate=False)
    return pd.DataFrame({"threshold": thresholds, "sensitivity": hits, "specificity": 1 - false_alarms})


def precision_recall(predictions: pd.DataFrame, positive: str) -> pd.DataFrame:
    """Precision-recall curve: columns threshold, ppv (precision), sensitivity (recall), by rising threshold.

    The last row (threshold infinite, nothing called, ppv 1 by convention) closes the curve, as in scikit-learn.
    Raises PredictionsError if either kind of image is absent, or for several seeds. Introduced in lesson 07.
    """
    from sklearn.metrics import precision_recall_curve

    truth = _ranked(predictions, positive, "A precision-recall curve")
    score = probabilities(predictions, [positive])[:, 0]
    precision, recall, thresholds = precision_recall_curve(truth, score)
    return pd.DataFrame({"threshold": np.r_[thresholds, np.inf], "ppv": precision, "sensitivity": recall})


def operating_point(predictions: pd.DataFrame, positive: str, sensitivity: float = 0.95) -> float:
    """The largest threshold on p_<positive> whose sensitivity on these predictions is at least the one asked for.

    Pass validation predictions: a threshold chosen on the test images is fitted to them (a warning says so).
    "Positive" means p ≥ threshold; the threshold is one of the scores, in [0, 1].
    Raises ValueError unless 0 < sensitivity ≤ 1, PredictionsError as `roc` does. Introduced in lesson 07.
    """
    if not 0 < sensitivity <= 1:
        raise ValueError(f"sensitivity must lie in (0, 1], not {sensitivity}.")
    curve = roc(predictions, positive)
    if "split" in predictions.columns and (predictions["split"] == "test").any():
        warnings.warn("The threshold is being chosen on test images: choose it on validation.", stacklevel=2)
    return float(curve.loc[curve["sensitivity"] >= sensitivity - 1e-12, "threshold"].max())


def one_versus_rest(predictions: pd.DataFrame, positive: str, threshold: float) -> pd.DataFrame:
    """The two-class table of predictions in which p_<positive> ≥ threshold is called positive.

    With two classes the other one keeps its name; with more, they become "rest". Every other column is kept.
    Raises PredictionsError for an unknown class. Introduced in lesson 07.
    """
    truth = of_class(predictions, positive)
    names = classes(predictions)
    other = next(name for name in names if name != positive) if len(names) == 2 else "rest"
    score = probabilities(predictions, [positive])[:, 0]
    kinds = [other, positive]
    result = predictions.drop(columns=[*columns(names), "predicted"])
    result["label"] = pd.Categorical(np.where(truth, positive, other), categories=kinds)
    result = with_probabilities(result, np.column_stack([1 - score, score]), kinds)
    result["predicted"] = pd.Categorical(np.where(score >= threshold, positive, other), categories=kinds)
    return result


def at_threshold(predictions: pd.DataFrame, positive: str, threshold: float, level: float = 0.95) -> pd.DataFrame:
    """Sensitivity, specificity, ppv and npv if p_<positive> ≥ threshold is called positive.

    Columns threshold, metric, class, value, low, high, n, groups, support, method; intervals as in `metrics`.
    Raises PredictionsError. Introduced in lesson 07.
    """
    binary = one_versus_rest(predictions, positive, threshold)
    found = metrics(binary, level)
    chosen = found[(found["class"] == positive) & found["metric"].isin(PROPORTIONS)].reset_index(drop=True)
    chosen.insert(0, "threshold", threshold)
    return chosen
