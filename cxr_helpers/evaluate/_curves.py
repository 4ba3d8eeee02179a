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

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, of one seed.

    Returns
    -------
    DataFrame
        int (K, K), classes in the order of the columns p_<class>.

    Raises
    ------
    PredictionsError
        Also for a table with several seeds.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> confusion(predictions).to_numpy().tolist()
    [[1, 1], [1, 1]]
    """
    names = classes(one_run(predictions, "A confusion matrix"))
    true, said = (
        pd.Categorical(as_text(predictions[c]), categories=names).codes
        for c in ("label", "predicted")
    )
    size = len(names)
    counts = np.bincount(true.astype(int) * size + said, minlength=size**2).reshape(size, size)
    return pd.DataFrame(
        counts, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted")
    )


def _ranked(predictions: pd.DataFrame, positive: str, what: str) -> np.ndarray:
    truth = of_class(one_run(predictions, what), positive)
    if truth.all() or not truth.any():
        raise PredictionsError(
            f"{what} needs images with and without {positive!r}: {truth.sum()} of {len(truth)} are."
        )
    return truth


def roc(predictions: pd.DataFrame, positive: str) -> pd.DataFrame:
    """ROC curve of one class against the rest: columns threshold, sensitivity, specificity.

    One row per distinct score.

    A row calls an image positive if p_<positive> ≥ threshold; the first threshold is infinite
    (nothing is called).

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, of one seed.
    positive : str
        The class.

    Returns
    -------
    DataFrame
        By falling threshold; sensitivity and specificity in [0, 1].

    Raises
    ------
    PredictionsError
        If either kind of image is absent, or for several seeds.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> roc(predictions, "covid").to_numpy().tolist()
    [[inf, 0.0, 1.0], [0.9, 0.5, 1.0], [0.6, 0.5, 0.5], [0.4, 1.0, 0.5], [0.2, 1.0, 0.0]]
    """
    from sklearn.metrics import roc_curve

    truth = _ranked(predictions, positive, "A ROC curve")
    score = probabilities(predictions, [positive])[:, 0]
    false_alarms, hits, thresholds = roc_curve(truth, score, drop_intermediate=False)
    return pd.DataFrame(
        {"threshold": thresholds, "sensitivity": hits, "specificity": 1 - false_alarms}
    )


def operating_point(predictions: pd.DataFrame, positive: str, sensitivity: float = 0.95) -> float:
    """The largest threshold on p_<positive> whose sensitivity here reaches the one asked for.

    Pass validation predictions: a threshold chosen on the test images is fitted to them (a warning
    says so). "Positive" means p ≥ threshold.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, of one seed.
    positive : str
        The class.
    sensitivity : float
        The least that will do, in (0, 1].

    Returns
    -------
    float
        One of the scores, in [0, 1].

    Raises
    ------
    ValueError
        Unless 0 < sensitivity ≤ 1.
    PredictionsError
        As `roc` does.

    Warns
    -----
    UserWarning
        Where images of the test part are among them.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> operating_point(predictions, "covid", 0.5), operating_point(predictions, "covid", 0.95)
    (0.9, 0.4)
    """
    if not 0 < sensitivity <= 1:
        raise ValueError(f"sensitivity must lie in (0, 1], not {sensitivity}.")
    curve = roc(predictions, positive)
    if "split" in predictions.columns and (predictions["split"] == "test").any():
        warnings.warn(
            "The threshold is being chosen on test images: choose it on validation.", stacklevel=2
        )
    return float(curve.loc[curve["sensitivity"] >= sensitivity - 1e-12, "threshold"].max())


def one_versus_rest(predictions: pd.DataFrame, positive: str, threshold: float) -> pd.DataFrame:
    """The two-class table of predictions in which p_<positive> ≥ threshold is called positive.

    With two classes the other one keeps its name; with more, they become "rest". Every other column
    is kept.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    positive : str
        The class.
    threshold : float
        In [0, 1].

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    PredictionsError
        For an unknown class.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> three = from_arrays(["a", "b"], [[0.4, 0.5, 0.1], [0.1, 0.8, 0.1]], classes=["a", "b", "c"])
    >>> one_versus_rest(three, "a", 0.3)[["label", "predicted", "p_rest"]].to_numpy().tolist()
    [['a', 'a', 0.6], ['rest', 'rest', 0.9]]
    """
    truth = of_class(predictions, positive)
    names = classes(predictions)
    other = next(name for name in names if name != positive) if len(names) == 2 else "rest"
    score = probabilities(predictions, [positive])[:, 0]
    kinds = [other, positive]
    result = predictions.drop(columns=[*columns(names), "predicted"])
    result["label"] = pd.Categorical(np.where(truth, positive, other), categories=kinds)
    result = with_probabilities(result, np.column_stack([1 - score, score]), kinds)
    result["predicted"] = pd.Categorical(
        np.where(score >= threshold, positive, other), categories=kinds
    )
    return result


def at_threshold(
    predictions: pd.DataFrame, positive: str, threshold: float, level: float = 0.95
) -> pd.DataFrame:
    """Sensitivity, specificity, ppv and npv if p_<positive> ≥ threshold is called positive.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    positive : str
        The class.
    threshold : float
        In [0, 1].
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    DataFrame
        Columns threshold, metric, class, value, low, high, n, groups, support, method; intervals as
        in `metrics`.

    Raises
    ------
    PredictionsError
        For an unknown class, and for a table that cannot be scored.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> at_threshold(predictions, "covid", 0.3).set_index("metric")["value"].round(2).to_dict()
    {'sensitivity': 1.0, 'specificity': 0.5, 'ppv': 0.67, 'npv': 1.0}
    """
    binary = one_versus_rest(predictions, positive, threshold)
    found = metrics(binary, level)
    chosen = found[(found["class"] == positive) & found["metric"].isin(PROPORTIONS)].reset_index(
        drop=True
    )
    chosen.insert(0, "threshold", threshold)
    return chosen
