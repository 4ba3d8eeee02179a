"""Whether a probability means what it says, what to do where it does not, and what a threshold on it is worth.

Every function reads the table of predictions. What is fitted (a temperature, a threshold) is fitted on validation rows.
Introduced in lesson 11.
"""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .evaluate import check_predictions, classes, metric
from .evaluate._estimates import _check_paired
from .evaluate._predictions import one_seed, positive_class, scored
from .evaluate._resample import check_level, group_weights, percentile

SMALLEST = 1e-12  # a probability of 0 counts as this one, so that its logarithm is finite
RANGE = (0.05, 20.0)  # temperatures that are looked at
SCORES = ("ece", "brier", "log_loss")


def temperature(predictions: pd.DataFrame) -> float:
    """The temperature T > 0 that gives these predictions the smallest log loss: p ∝ p^(1/T), the same T for all.

    Pass validation predictions (for test rows a warning is given). T > 1 where the model was too sure of itself, T < 1
    where not sure enough. The logits that Guo et al. divide by T are log p up to a constant, so that p is enough.
    A best T at the end of the range 0.05-20 is given back with a warning: the rows are too few, or all answers right.
    Raises PredictionsError. Source: Guo, Pleiss, Sun & Weinberger 2017, ICML, PMLR 70. Introduced in lesson 11.
    """
    from scipy.optimize import minimize_scalar

    logits = _log(check_predictions(predictions))
    if "split" in predictions.columns and (predictions["split"] == "test").any():
        warnings.warn("The temperature is being fitted to test images: fit it on validation.", stacklevel=2)
    true = predictions["label"].astype(object).map(classes(predictions).index).to_numpy(int)

    def loss(log_t: float) -> float:
        return -_log_softmax(logits / np.exp(log_t))[np.arange(len(true)), true].mean()

    ends = np.log(RANGE)
    best = float(np.exp(minimize_scalar(loss, bounds=ends, method="bounded", options={"xatol": 1e-6}).x))
    if not RANGE[0] * 1.01 < best < RANGE[1] / 1.01:
        warnings.warn(f"No temperature between {RANGE[0]} and {RANGE[1]} is best on {len(true)} rows.", stacklevel=2)
    return best


def apply(predictions: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """The predictions with every probability at another temperature; all other columns are kept.

    In each row the largest probability stays the largest; with two classes the order of the images stays, too.
    A threshold chosen before belongs to the old probabilities. Raises PredictionsError, and ValueError unless
    temperature > 0. Introduced in lesson 11.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise ValueError(f"A temperature is a number above 0, not {temperature}.")
    return _with(predictions, np.exp(_log_softmax(_log(check_predictions(predictions)) / temperature)))


def adjust_prevalence(predictions: pd.DataFrame, old, new) -> pd.DataFrame:
    """The predictions of a model that was taught at class shares `old`, moved to class shares `new`.

    p ∝ p · new / old, class by class; `old`, `new`: {class: share}, each summing to 1. Right where images of a class
    look alike at both prevalences and p was calibrated at `old`. `predicted` becomes the most probable class.
    Raises ValueError for shares that do not fit, PredictionsError. Source: Saerens, Latinne & Decaestecker 2002,
    doi 10.1162/089976602753284446. Introduced in lesson 11.
    """
    names = classes(check_predictions(predictions))
    before, after = (_shares(shares, names, what) for shares, what in ((old, "old"), (new, "new")))
    if (before == 0).any():
        raise ValueError(f"old has a class with share 0: nothing was learnt about {names[int(before.argmin())]!r}.")
    p = np.exp(_log(predictions)) * after / before
    p /= p.sum(axis=1, keepdims=True)
    return _with(predictions, p).assign(predicted=pd.Categorical.from_codes(p.argmax(axis=1), categories=names))


def _shares(shares, names: list[str], what: str) -> np.ndarray:
    found = dict(shares)
    if set(found) != set(names):
        raise ValueError(f"{what} names the classes {sorted(map(str, found))}; the predictions have {names}.")
    values = np.array([found[name] for name in names], float)
    if (values < 0).any() or abs(values.sum() - 1) > 1e-6:
        raise ValueError(f"{what} holds shares that sum to 1, none below 0; not {found}.")
    return values


def _log(predictions: pd.DataFrame) -> np.ndarray:
    p = predictions[[f"p_{name}" for name in classes(predictions)]].to_numpy(float)
    return np.log(np.clip(p, SMALLEST, None))


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def _with(predictions: pd.DataFrame, p: np.ndarray) -> pd.DataFrame:
    return predictions.assign(**{f"p_{name}": p[:, k] for k, name in enumerate(classes(predictions))})


# --- how well probabilities fit -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Judged:
    """Per image: the probability judged, whether it came true, its bin, Brier and log loss; and the group."""

    p: np.ndarray
    true: np.ndarray
    bin: np.ndarray
    brier: np.ndarray
    log_loss: np.ndarray
    group: np.ndarray
    n_groups: int


def _judge(predictions: pd.DataFrame, positive: str | None, bins: int) -> _Judged:
    if bins < 1:
        raise ValueError(f"bins must be at least 1, not {bins}.")
    data = scored(one_seed(predictions, "Calibration"))
    every = data.probability[0]
    if positive is None:
        hit = np.eye(len(data.classes))[data.truth]
        p, true = every.max(axis=1), every.argmax(axis=1) == data.truth
        brier, own = ((every - hit) ** 2).sum(axis=1), every[np.arange(len(every)), data.truth]
    else:
        positive_class(predictions, positive)
        k = data.classes.index(positive)
        p, true = every[:, k], data.truth == k
        brier, own = (p - true) ** 2, np.where(true, p, 1 - p)
    place = np.clip((p * bins).astype(int), 0, bins - 1)
    loss = -np.log(np.clip(own, SMALLEST, 1))
    return _Judged(p, true, place, brier, loss, data.group, data.n_groups)


def reliability(
    predictions: pd.DataFrame, positive: str | None = None, bins: int = 10, level: float = 0.95, seed: int = 0
) -> pd.DataFrame:
    """What was said and what came true, bin by bin: one row for each bin of equal width in [0, 1] that holds an image.

    Columns: bin_low, bin_high, predicted (mean probability), observed (share that came true), low, high (interval of
    observed, as in `evaluate.metric`), n, groups. With `positive` the probability is p_<positive>, and true means that
    the image is of that class; without, it is the largest of the row, and true means that its class is right.
    Raises PredictionsError, also for several seeds, and ValueError. Introduced in lesson 11.
    """
    data = _judge(predictions, positive, bins)
    rows = []
    for k in np.unique(data.bin):
        inside = data.bin == k
        answer = np.where(data.true[inside], "yes", "no")
        number = np.flatnonzero(inside).astype(str)
        called = {"image_id": number, "group": data.group[inside].astype(str), "label": answer, "predicted": "yes"}
        share = metric(pd.DataFrame(called).assign(p_yes=1.0, p_no=0.0), "accuracy", level=level, seed=seed)
        row = {"bin_low": k / bins, "bin_high": (k + 1) / bins, "predicted": data.p[inside].mean()}
        row |= {"observed": share.value, "low": share.low, "high": share.high, "n": share.n, "groups": share.groups}
        rows.append(row)
    return pd.DataFrame(rows)


def _values(data: _Judged, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each score for each row of `weights` (R, groups)."""
    rows = weights[:, data.group]
    total = rows.sum(axis=1)
    off = np.zeros((len(data.p), data.bin.max() + 1))
    off[np.arange(len(data.p)), data.bin] = data.true - data.p
    return {
        "ece": np.abs(rows @ off).sum(axis=1) / total,
        "brier": rows @ data.brier / total,
        "log_loss": rows @ data.log_loss / total,
    }


def scores(
    predictions: pd.DataFrame,
    positive: str | None = None,
    bins: int = 10,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """ECE, Brier score and log loss: columns metric, value, low, high, n, groups, bins; all are better when smaller.

    With `positive`, of p_<positive> against the rest: ece and brier (mean squared difference) in [0, 1], log_loss in
    nats, ≥ 0. Without, ece is of the largest probability, brier sums over the classes ([0, 2], as Brier did), log_loss
    is of the true class. ece: the gap |observed - predicted| of each bin, averaged over images. Intervals: `resamples`
    draws of whole groups, percentiles; for ece, which resampling makes too large, reflected about the value, cut at 0
    and never below the value (basic bootstrap, Davison & Hinkley 1997, section 5.2). Near 0 it does not hold: on few
    images even a perfectly calibrated model has one well above 0: compare with what chance gives (lesson 11, step 7).
    Raises as `reliability`. Sources: Brier 1950; Guo et al. 2017. Introduced in lesson 11.
    """
    check_level(level)
    data = _judge(predictions, positive, bins)
    whole = _values(data, np.ones((1, data.n_groups)))
    spread = _values(data, group_weights(data.n_groups, resamples, seed))
    rows = []
    for name in SCORES:
        value, (low, high) = float(whole[name][0]), percentile(spread[name], level)
        if name == "ece":
            low, high = max(0.0, 2 * value - high), max(value, 2 * value - low)
        rows.append({"metric": name, "value": value, "low": low, "high": high})
    return pd.DataFrame(rows).assign(n=len(data.p), groups=data.n_groups, bins=bins)


def compare(
    a: pd.DataFrame,
    b: pd.DataFrame,
    positive: str | None = None,
    bins: int = 10,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Paired differences a - b of the `scores` on the same images: columns metric, a, b, value, low, high, n, groups.

    Each resample draws whole groups and scores both on the same draw; a value below 0 favours a. Raises as `scores`,
    and PredictionsError if the images, labels or groups differ. Introduced in lesson 11.
    """
    check_level(level)
    first, second = (_judge(table, positive, bins) for table in (a, b))
    x, y = scored(a), scored(b)
    _check_paired(x, y)
    weights = [np.ones((1, x.n_groups)), group_weights(x.n_groups, resamples, seed)]
    (a_whole, a_spread), (b_whole, b_spread) = ([_values(data, w) for w in weights] for data in (first, second))
    rows = []
    for name in SCORES:
        left, right = float(a_whole[name][0]), float(b_whole[name][0])
        low, high = percentile(a_spread[name] - b_spread[name], level)
        rows.append({"metric": name, "a": left, "b": right, "value": left - right, "low": low, "high": high})
    return pd.DataFrame(rows).assign(n=len(x.truth), groups=x.n_groups)


# --- what a threshold is worth --------------------------------------------------------------------------------------


def predictive_values(sensitivity, specificity, prevalence) -> pd.DataFrame:
    """PPV and NPV at one or several prevalences (Bayes' rule): columns sensitivity, specificity, prevalence, ppv, npv.

    Arguments: numbers in [0, 1], or lists of one length. A value that nobody is left for (0/0) is NaN.
    Raises ValueError outside [0, 1]. Introduced in lesson 11.
    """
    given = np.broadcast_arrays(*(np.atleast_1d(np.asarray(v, float)) for v in (sensitivity, specificity, prevalence)))
    if not all(((v >= 0) & (v <= 1)).all() for v in given):
        raise ValueError("sensitivity, specificity and prevalence lie in [0, 1].")
    found, left, ill = given
    tp, fp, tn, fn = found * ill, (1 - left) * (1 - ill), left * (1 - ill), (1 - found) * ill
    with np.errstate(invalid="ignore"):
        ppv, npv = tp / (tp + fp), tn / (tn + fn)
    return pd.DataFrame({"sensitivity": found, "specificity": left, "prevalence": ill, "ppv": ppv, "npv": npv})


def decision_curve(
    predictions: pd.DataFrame,
    positive: str,
    thresholds=None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Net benefit of acting on p_<positive> ≥ t, one row per threshold t, beside acting on everyone and on nobody.

    Columns threshold, model, low, high, everyone, nobody (0), gain, gain_low, gain_high, n, groups. Net benefit =
    tp/n - fp/n · t/(1 - t), in true positives per image, at most the prevalence: t says what a false alarm costs, one
    find being worth (1 - t)/t of them. gain is the model less the better of the two simple rules. Intervals resample
    groups, each threshold by itself. `thresholds` in (0, 1), default 0.05 ... 0.95.
    Raises ValueError, and PredictionsError as `reliability`. Source: Vickers & Elkin 2006,
    doi 10.1177/0272989X06295361. Introduced in lesson 11.
    """
    check_level(level)
    at = np.linspace(0.05, 0.95, 19) if thresholds is None else np.atleast_1d(np.asarray(thresholds, float))
    if not ((at > 0) & (at < 1)).all():
        raise ValueError("thresholds lie between 0 and 1, without the ends.")
    data = _judge(predictions, positive, 1)
    everyone = np.where(data.true[:, None], 1.0, -at / (1 - at))  # what acting on the image is worth, (n, thresholds)
    acted = everyone * (data.p[:, None] >= at)
    rows = group_weights(data.n_groups, resamples, seed)[:, data.group].astype(float)
    rows /= rows.sum(axis=1, keepdims=True)
    model, gain = rows @ acted, rows @ acted - np.maximum(rows @ everyone, 0)
    ends = [(1 - level) / 2, (1 + level) / 2]
    (low, high), (gain_low, gain_high) = (np.quantile(v, ends, axis=0) for v in (model, gain))
    found = {"threshold": at, "model": acted.mean(axis=0), "low": low, "high": high, "everyone": everyone.mean(axis=0)}
    found |= {"nobody": 0.0, "gain": found["model"] - np.maximum(found["everyone"], 0)}
    found |= {"gain_low": gain_low, "gain_high": gain_high, "n": len(data.p), "groups": data.n_groups}
    return pd.DataFrame(found)
