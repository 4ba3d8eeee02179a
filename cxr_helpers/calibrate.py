"""Whether probabilities mean what they say, and how to mend them.

Every function reads the table of predictions. What is fitted (a temperature, a threshold) is fitted
on validation rows.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from . import stats
from .predictions import (
    Arrays,
    as_text,
    check,
    classes,
    one_run,
    probabilities,
    to_arrays,
    with_probabilities,
)

SMALLEST = 1e-12  # a probability of 0 counts as this one, so that its logarithm is finite
RANGE = (0.05, 20.0)  # temperatures that are looked at
CHANCE_DRAWS = 1_000  # sets of answers that a calibrated model could have met, for the band of ECE


def temperature(predictions: pd.DataFrame) -> float:
    """The temperature T > 0 that gives these predictions the smallest log loss: p ∝ p^(1/T).

    T is the same for all: above 1 where the model was too sure of itself, below 1 where not sure
    enough. The logits that Guo et al. divide by T are log p up to a constant, so that p is enough.
    Source: Guo, Pleiss, Sun & Weinberger 2017, ICML, PMLR 70.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, of validation images.

    Returns
    -------
    float
        In 0.05 to 20.

    Raises
    ------
    PredictionsError
        For a table that cannot be scored.

    Warns
    -----
    UserWarning
        For test rows, and for a best T at the end of its range, which is given back all the same:
        the rows are too few, or all answers right.

    Examples
    --------
    Two of three confident answers are right:

    >>> from cxr_helpers.evaluate import from_arrays
    >>> sure = from_arrays(["covid", "covid", "normal"], [0.99, 0.01, 0.01], positive="covid")
    >>> round(temperature(sure), 2)
    6.63
    """
    from scipy.optimize import minimize_scalar

    logits = _log(check(predictions))
    if "split" in predictions.columns and (predictions["split"] == "test").any():
        warnings.warn(
            "The temperature is being fitted to test images: fit it on validation.", stacklevel=2
        )
    true = as_text(predictions["label"]).map(classes(predictions).index).to_numpy(int)

    def loss(log_t: float) -> float:
        return -_log_softmax(logits / np.exp(log_t))[np.arange(len(true)), true].mean()

    ends = np.log(RANGE)
    best = float(
        np.exp(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-6}).x)
    )
    if not RANGE[0] * 1.01 < best < RANGE[1] / 1.01:
        warnings.warn(
            f"No temperature between {RANGE[0]} and {RANGE[1]} is best on {len(true)} rows.",
            stacklevel=2,
        )
    return best


def apply(predictions: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """The predictions with every probability at another temperature; all other columns are kept.

    In each row the largest probability stays the largest; with two classes the order of the images
    stays, too. A threshold chosen before belongs to the old probabilities.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions; labels are not needed.
    temperature : float
        Above 0; 1 changes nothing.

    Returns
    -------
    DataFrame
        A copy.

    Raises
    ------
    PredictionsError
        For a table that is none.
    ValueError
        Unless temperature > 0.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> sure = from_arrays(["covid", "normal"], [0.9, 0.1], positive="covid")
    >>> apply(sure, 2)["p_covid"].round(2).tolist()
    [0.75, 0.25]
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"A temperature is a number above 0, not {temperature}.")
    check(predictions, labelled="label" in predictions)
    return with_probabilities(predictions, np.exp(_log_softmax(_log(predictions) / temperature)))


def _log(predictions: pd.DataFrame) -> np.ndarray:
    return np.log(np.clip(probabilities(predictions), SMALLEST, None))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


# --- how well probabilities fit -------------------------------------------------------------------


@dataclass(frozen=True)
class _Judged:
    """Per image: the probability judged, whether it came true, bin, Brier and log loss, group."""

    p: np.ndarray
    true: np.ndarray
    bin: np.ndarray
    brier: np.ndarray
    log_loss: np.ndarray
    group: np.ndarray
    n_groups: int


def _judged(data: Arrays, positive: str | None, bins: int) -> _Judged:
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}.")
    every = data.probability[0]
    if positive is None:
        hit = np.eye(len(data.classes))[data.truth]
        p, true = every.max(axis=1), every.argmax(axis=1) == data.truth
        brier, own = ((every - hit) ** 2).sum(axis=1), every[np.arange(len(every)), data.truth]
    else:
        k = data.number(positive)
        p, true = every[:, k], data.truth == k
        brier, own = (p - true) ** 2, np.where(true, p, 1 - p)
    place = np.clip((p * bins).astype(int), 0, bins - 1)
    loss = -np.log(np.clip(own, SMALLEST, 1))
    return _Judged(p, true, place, brier, loss, data.group, data.n_groups)


def reliability(
    predictions: pd.DataFrame, positive: str | None = None, bins: int = 10, level: float = 0.95
) -> pd.DataFrame:
    """What was said and what came true: one row per bin of equal width in [0, 1] that holds images.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, of one seed.
    positive : str, optional
        The class whose p_<positive> is judged; true then means that the image is of that class. By
        default the largest of the row, and true means that its class is right.
    bins : int
        Bins, empty ones with them.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    DataFrame
        Columns bin_low, bin_high, predicted (mean probability), observed (share that came true),
        low, high (interval of observed, see `stats.proportion`), n, groups, support.

    Raises
    ------
    PredictionsError
        For a table that cannot be scored, or of several seeds.
    ValueError
        For an unknown class, or fewer than one bin.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.7, 0.6, 0.1], positive="covid")
    >>> found = reliability(predictions, positive="covid", bins=2)
    >>> found[["bin_low", "predicted", "observed", "n"]].round(2).to_numpy().tolist()
    [[0.0, 0.1, 0.0, 1.0], [0.5, 0.73, 0.67, 3.0]]
    """
    data = _judged(to_arrays(one_run(predictions, "Calibration")), positive, bins)
    rows = []
    for k in np.unique(data.bin):
        inside = data.bin == k
        observed = stats.proportion(data.true[inside], data.group[inside], level)
        row = {"bin_low": k / bins, "bin_high": (k + 1) / bins, "predicted": data.p[inside].mean()}
        row |= {"observed": observed.value, "low": observed.low, "high": observed.high}
        rows.append(row | {"n": observed.n, "groups": observed.groups, "support": observed.support})
    return pd.DataFrame(rows)


def scores(
    predictions: pd.DataFrame, positive: str | None = None, bins: int = 10, level: float = 0.95
) -> pd.DataFrame:
    """ECE, Brier score, log loss, mean calibration and slope, one row each.

    - ece: the gap `|observed - predicted|` of each bin, averaged over images, in [0, 1]. It has no
      interval: noise in the bins makes it too large, and resampling adds noise. chance_low and
      chance_high are what a calibrated model with these probabilities and this n would get (`level`
      of 1,000 draws): a value inside is no evidence against it.
    - brier and log_loss (nats): smaller is better; intervals on the log scale, see `stats.loss`.
    - mean_calibration: share that came true less mean probability (0 where right).
    - slope: of the logistic regression of what came true on logit(p), 1 where right, below 1 where
      too sure (Cox 1958); no interval where it cannot be fitted.

    Sources: Brier 1950; Guo et al. 2017; Van Calster et al. 2019, doi 10.1186/s12916-019-1466-7.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, of one seed.
    positive : str, optional
        The class: p_<positive> against the rest. By default ece, mean_calibration and slope are of
        the largest probability, brier sums over the classes ([0, 2], as Brier did), log_loss is of
        the true class.
    bins : int
        Bins of equal width in [0, 1], for ece.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    DataFrame
        Columns metric, value, low, high, chance_low, chance_high, n, groups, support, method, bins.

    Raises
    ------
    PredictionsError
        As `reliability` does.
    ValueError
        As `reliability` does.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> found = scores(predictions, positive="covid").set_index("metric")["value"]
    >>> found[["brier", "log_loss", "mean_calibration"]].round(3).tolist()
    [0.192, 0.54, -0.025]
    """
    data = _judged(to_arrays(one_run(predictions, "Calibration")), positive, bins)
    n = len(data.p)
    few = "no interval: see the band that chance gives"
    found = {
        "ece": stats.Estimate(
            _ece(data, data.true), np.nan, np.nan, n, data.n_groups, float(data.n_groups), few
        ),
        "brier": stats.loss(data.brier, data.group, level, most=2.0 if positive is None else 1.0),
        "log_loss": stats.loss(data.log_loss, data.group, level),
        "mean_calibration": stats.mean(data.true - data.p, data.group, level),
        "slope": _slope(data, level),
    }
    band = _chance_band(data, level)
    rows = []
    for name, estimate in found.items():
        chance_low, chance_high = band if name == "ece" else (np.nan, np.nan)
        row = {"metric": name, "value": estimate.value, "low": estimate.low, "high": estimate.high}
        row |= {
            "chance_low": chance_low,
            "chance_high": chance_high,
            "n": n,
            "groups": data.n_groups,
        }
        rows.append(row | {"support": estimate.support, "method": estimate.method, "bins": bins})
    return pd.DataFrame(rows)


def _ece(data: _Judged, true: np.ndarray) -> float:
    return float(np.abs(np.bincount(data.bin, true - data.p)).sum() / len(data.p))


def _chance_band(data: _Judged, level: float) -> tuple[float, float]:
    """The ECE of calibrated probabilities: what came true is drawn with these probabilities."""
    stats.check_level(level)
    rng = np.random.default_rng(0)
    drawn = [_ece(data, rng.random(len(data.p)) < data.p) for _ in range(CHANCE_DRAWS)]
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))


def _slope(data: _Judged, level: float) -> stats.Estimate:
    """Calibration slope; its values without each group by one Newton step from the whole fit."""
    p = np.clip(data.p, SMALLEST, 1 - SMALLEST)
    x = np.column_stack([np.ones(len(p)), np.log(p / (1 - p))])
    true = data.true.astype(float)
    if len(np.unique(true)) < 2 or np.ptp(x[:, 1]) == 0:
        return _no_slope(data, "only one outcome or one probability")
    found = _logistic(x, true)
    if found is None:
        return _no_slope(data, "the probabilities separate the outcomes")
    beta, fitted, information = found
    pull = x * (true - fitted)[:, None]
    per_group = np.column_stack(
        [np.bincount(data.group, pull[:, k], data.n_groups) for k in (0, 1)]
    )
    without = beta[1] - np.linalg.solve(information, per_group.T)[1]
    return stats.centred(float(beta[1]), without, len(p), data.n_groups, level=level)


def _logistic(x: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Coefficients, fitted probabilities and information of a logistic regression, or None.

    None where it has no maximum.
    """

    def loss(beta: np.ndarray) -> float:
        return float(np.logaddexp(0, x @ beta).sum() - true @ x @ beta)

    beta = np.zeros(x.shape[1])
    for _ in range(100):
        fitted = 1 / (1 + np.exp(-np.clip(x @ beta, -500, 500)))
        information = (x * (fitted * (1 - fitted))[:, None]).T @ x
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, x.T @ (true - fitted))
        if np.abs(step).max() < 1e-9 * (1 + np.abs(beta).max()):
            return beta, fitted, information
        while loss(beta + step) > loss(beta) + 1e-12 and np.abs(step).max() > 1e-12:
            step = step / 2
        beta = beta + step
    return None


def _no_slope(data: _Judged, reason: str) -> stats.Estimate:
    none = (np.nan, np.nan, np.nan)
    return stats.Estimate(
        *none, len(data.p), data.n_groups, float(data.n_groups), f"undefined: {reason}"
    )


# --- what a threshold is worth --------------------------------------------------------------------


def predictive_values(sensitivity, specificity, prevalence) -> pd.DataFrame:
    """PPV and NPV at one or several prevalences, by Bayes' rule.

    Parameters
    ----------
    sensitivity, specificity, prevalence : float or sequence of float
        In [0, 1]; lists have one length.

    Returns
    -------
    DataFrame
        Columns sensitivity, specificity, prevalence, ppv, npv; a value that nobody is left for
        (0/0) is NaN.

    Raises
    ------
    ValueError
        For a number outside [0, 1].

    Examples
    --------
    >>> predictive_values(0.9, 0.9, [0.01, 0.5])[["prevalence", "ppv"]].round(2).to_numpy().tolist()
    [[0.01, 0.08], [0.5, 0.9]]
    """
    given = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(v, float)) for v in (sensitivity, specificity, prevalence))
    )
    if not all(((v >= 0) & (v <= 1)).all() for v in given):
        raise ValueError("sensitivity, specificity and prevalence lie in [0, 1].")
    found, left, ill = given
    tp, fp, tn, fn = found * ill, (1 - left) * (1 - ill), left * (1 - ill), (1 - found) * ill
    with np.errstate(invalid="ignore"):
        ppv, npv = tp / (tp + fp), tn / (tn + fn)
    return pd.DataFrame(
        {"sensitivity": found, "specificity": left, "prevalence": ill, "ppv": ppv, "npv": npv}
    )
