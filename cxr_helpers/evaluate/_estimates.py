"""A value with its interval and n: metrics, comparisons of two models, tables of several."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ..predictions import Arrays, PredictionsError, check, paired, to_arrays
from ..stats import BLOCKS, Difference, Estimate, blocks, difference, identical, proportion, share
from .figures import BY_BLOCK, OVERALL, PER_CLASS, PROPORTIONS, RANKED, Figure, Key, figures

Tables: TypeAlias = dict[str, pd.DataFrame] | Iterable[pd.DataFrame] | pd.DataFrame
LEAST_SUPPORT = 4.0  # of a figure over several classes whose errors lie in few groups


def metrics(
    predictions: pd.DataFrame, level: float = 0.95, names: Sequence[str] = (*OVERALL, *PER_CLASS)
) -> pd.DataFrame:
    """Every metric with its interval, one row per metric and class.

    Columns: metric, class ("all" if none), value, low, high, n, groups, support, method.

    All values lie in [0, 1]. Per class, one against the rest: sensitivity, specificity, ppv, npv,
    f1, roc_auc, average_precision. Overall: accuracy, balanced_accuracy, f1_macro, f1_weighted,
    roc_auc_macro, average_precision_macro (a macro mean leaves out a class for which the metric is
    undefined). n counts the distinct images that the figure rests on: for a sensitivity the images
    of the class, for a ppv those called so, else all. What is undefined (no such image) is NaN.
    Several seeds are scored one by one and averaged. Intervals: Wilson for plain proportions if
    every group is a single image; else Wilson with an effective size and t, groups left out one by
    one (`stats.share`), because images of one patient are not independent. Degrees of freedom
    follow the support: the groups of the denominator; for a class's f1, roc_auc and
    average_precision the groups on the scarcer side, for their macro mean K - 1 times the mean of
    these; for F1 over all classes the groups with an error or those without, whichever are fewer,
    at least 4. With a support below 3 there is no interval.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    level : float
        Of confidence, in (0, 1).
    names : sequence of str
        The metrics to give, by default all.

    Returns
    -------
    DataFrame
        One row for each metric, and for each class where it is of one.

    Raises
    ------
    PredictionsError
        For a table that cannot be scored.
    ValueError
        For an unknown metric.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> found = metrics(predictions, names=["accuracy", "sensitivity"])
    >>> found[["metric", "class", "value", "n"]].to_numpy().tolist()
    [['accuracy', 'all', 0.5, 4], ['sensitivity', 'covid', 0.5, 2], ['sensitivity', 'normal', 0.5,
    2]]
    """
    if unknown := set(names) - {*OVERALL, *PER_CLASS}:
        raise ValueError(
            f"Unknown metrics {sorted(unknown)}: choose from {', '.join((*OVERALL, *PER_CLASS))}."
        )
    data = to_arrays(predictions)
    keys = [(name, "all") for name in names if name in OVERALL]
    keys += [(name, c) for c in data.classes for name in names if name in PER_CLASS]
    found = _estimates(data, keys, level)
    return pd.DataFrame(
        [{"metric": name, "class": c, **asdict(found[name, c])} for name, c in keys]
    )


def metric(
    predictions: pd.DataFrame,
    metric: str = "f1_macro",
    positive: str | None = None,
    level: float = 0.95,
) -> Estimate:
    """One figure of `metrics` as an Estimate; a metric of one class needs `positive`, the class.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    metric : str
        One of those of `metrics`.
    positive : str, optional
        The class.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    Estimate
        In [0, 1].

    Raises
    ------
    PredictionsError
        For a table that cannot be scored.
    ValueError
        For an unknown metric.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> print(metric(predictions, "accuracy"))
    0.500 (0.15-0.85, n = 4)
    >>> metric(predictions, "roc_auc", "covid").value
    0.75
    """
    return _one(to_arrays(predictions), metric, positive, level)


def _one(data: Arrays, name: str, positive: str | None, level: float) -> Estimate:
    key = _key(data, name, positive)
    return _estimates(data, [key], level)[key]


def subgroups(
    predictions: pd.DataFrame,
    by: str,
    metric: str = "accuracy",
    positive: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """One metric for each value of the column `by`, such as source.

    Columns: by, value, low, high, n, groups, support, method.

    Rows with an empty `by` are listed as "unknown".

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    by : str
        The column.
    metric, positive : str, optional
        As for `metric`.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    DataFrame
        One row for each value, by their names.

    Raises
    ------
    PredictionsError
        Where there is no such column, and as `metric` does.
    ValueError
        As `metric` does.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> found = subgroups(predictions.assign(source=["a", "b", "a", None]), "source")
    >>> found[["source", "value", "n"]].to_numpy().tolist()
    [['a', 1.0, 2], ['b', 0.0, 1], ['unknown', 0.0, 1]]
    """
    if by not in predictions.columns:
        raise PredictionsError(f"The table of predictions has no column {by!r}.")
    parts = predictions[by].astype(object).where(predictions[by].notna(), "unknown")
    every = [
        (part, _one(to_arrays(rows), metric, positive, level))
        for part, rows in predictions.groupby(parts)
    ]
    return pd.DataFrame([{by: part, **asdict(found)} for part, found in every])


def compare(
    a: pd.DataFrame,
    b: pd.DataFrame,
    metric: str = "f1_macro",
    positive: str | None = None,
    level: float = 0.95,
) -> Difference:
    """Paired difference a - b of two models on the same images, in units of the metric (-1 to 1).

    The interval combines those of both figures with the correlation of the two over the groups
    (`stats.difference`); p is two-sided, by swapping the models group by group (`stats.swap_p`).
    With m groups about which the two say different things p is at least 2 ** (1 - m): few groups
    prove little.

    Parameters
    ----------
    a, b : DataFrame
        Tables of predictions; rows and columns may stand in another order.
    metric : str
        One of those of `metrics`.
    positive : str, optional
        The class, for a metric of one.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    Difference
        With a and b themselves.

    Raises
    ------
    PredictionsError
        If the images, labels, groups or classes differ.
    ValueError
        For an unknown metric.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> other = from_arrays(truth, [0.9, 0.8, 0.2, 0.1], positive="covid")
    >>> print(compare(other, predictions, "accuracy"))
    +0.500 (-0.10 to +0.85), p = 0.500, n = 4
    """
    first, second = paired(a, b)
    key = _key(first, metric, positive)
    found = [figures(data, [key])[key] for data in (first, second)]
    own = _estimate(first, key, found[0], level)
    other = _estimate(second, key, found[1], level)
    if _alike(first, second):
        result = identical(own, other)
    else:
        basis = _basis(first, key) | _basis(second, key)
        sizes: np.ndarray = np.bincount(first.group[basis], minlength=first.n_groups)
        # A value that is undefined without a group (a ppv where the class is said nowhere else)
        # counts as unmoved.
        without = [
            np.where(np.isfinite(figure.without), figure.without, figure.value) for figure in found
        ]
        if metric in BY_BLOCK and first.n_groups > BLOCKS:
            sizes = np.bincount(blocks(first.n_groups), sizes)
        apart = _discordant(first, second, metric, basis)
        result = difference(own, other, without[0], without[1], sizes, apart, level=level)
    return replace(result, n=len(first.truth), groups=first.n_groups)


def table(
    predictions: Tables,
    metrics: str | Sequence[str] = ("accuracy", "f1_macro"),
    positive: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Several models side by side: one row each, a column such as "0.909 (0.82-0.96)" per metric.

    Parameters
    ----------
    predictions : dict of str to DataFrame, or iterable of DataFrame
        {name: predictions}, or a list (names from the column `model`).
    metrics : sequence of str
        As for `metrics`.
    positive : str, optional
        The class, for metrics of one.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    DataFrame
        Columns model, n (images), groups, seeds, one of text per metric, then <metric>_value, _low
        and _high as numbers.

    Raises
    ------
    PredictionsError
        For a table that cannot be scored.
    ValueError
        If two models share a name.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "normal", "normal"]
    >>> predictions = from_arrays(truth, [0.9, 0.4, 0.2, 0.6], positive="covid")
    >>> table({"mine": predictions}, "accuracy")[["model", "n", "accuracy"]].to_numpy().tolist()
    [['mine', 4, '0.500 (0.15-0.85)']]
    """
    wanted = [metrics] if isinstance(metrics, str) else list(metrics)
    rows = []
    for model, rows_of_model in _by_name(predictions).items():
        data = to_arrays(rows_of_model)
        found = _estimates(data, [_key(data, name, positive) for name in wanted], level)
        estimates = dict(zip(wanted, found.values(), strict=True))
        rows.append(
            {
                "model": model,
                "n": len(data.truth),
                "groups": data.n_groups,
                "seeds": len(data.predicted),
            }
            | {name: estimate.text(counts=False) for name, estimate in estimates.items()}
            | {
                f"{name}_{part}": getattr(e, part)
                for name, e in estimates.items()
                for part in ("value", "low", "high")
            }
        )
    return pd.DataFrame(rows)


def _by_name(predictions: Tables) -> dict[str, pd.DataFrame]:
    if isinstance(predictions, dict):
        return predictions
    named: dict[str, pd.DataFrame] = {}
    parts: Iterable[Any] = [predictions] if isinstance(predictions, pd.DataFrame) else predictions
    for part in parts:
        check(part)
        name = str(part["model"].iloc[0]) if "model" in part.columns else f"model {len(named) + 1}"
        if name in named:
            raise ValueError(
                f"Two tables of predictions are of a model {name!r}: pass a dict {{name: "
                f"predictions}}."
            )
        named[name] = part
    return named


def _key(data: Arrays, name: str, positive: str | None) -> Key:
    if name in OVERALL:
        return (name, "all")
    if name not in PER_CLASS:
        raise ValueError(
            f"Unknown metric {name!r}: choose one of {', '.join((*OVERALL, *PER_CLASS))}."
        )
    if positive not in data.classes:
        raise ValueError(f"{name} is of one class: pass positive=, one of {list(data.classes)}.")
    return (name, positive)


def _said(data: Arrays, name: str) -> np.ndarray:
    """What a table says of each image, mean over seeds, (n, classes).

    Probabilities for metrics that rank images, else 1 for the class predicted.
    """
    names = np.arange(len(data.classes))
    said: np.ndarray = data.probability if name in RANKED else data.predicted[..., None] == names
    mean: np.ndarray = said.mean(axis=0)
    return mean


def _discordant(a: Arrays, b: Arrays, name: str, basis: np.ndarray) -> int:
    """Groups about which the two differ, among the images that the figure rests on."""
    apart = np.abs(_said(a, name) - _said(b, name)).max(axis=1) > 1e-12
    return _distinct(a.group[apart & basis])


def _alike(a: Arrays, b: Arrays) -> bool:
    """Whether the two say the same of every image, in probability and class."""
    return all(
        np.allclose(_said(a, name), _said(b, name), rtol=0, atol=1e-12)
        for name in ("roc_auc", "f1")
    )


def _basis(data: Arrays, key: Key) -> np.ndarray:
    """Boolean (n,): the images in the denominator of a metric, in any of the seeds."""
    name, c = key
    if name not in PROPORTIONS:
        return np.ones(len(data.truth), bool)
    k = data.classes.index(c)
    if name in ("sensitivity", "specificity"):
        return np.asarray((data.truth == k) == (name == "sensitivity"))
    return np.asarray(((data.predicted == k) == (name == "ppv")).any(axis=0))


def _estimates(data: Arrays, keys: list[Key], level: float) -> dict[Key, Estimate]:
    found = figures(data, keys)
    return {key: _estimate(data, key, found[key], level) for key in keys}


def _estimate(data: Arrays, key: Key, figure: Figure, level: float) -> Estimate:
    basis = _basis(data, key)
    n, groups = int(basis.sum()), _distinct(data.group[basis])
    plain = key[0] in ("accuracy", *PROPORTIONS)
    if plain and data.single and n:
        hits = round(figure.value * n)
        return proportion(np.arange(n) < hits, level=level)
    return share(figure.value, figure.without, n, groups, _support(data, key, groups), level)


def _support(data: Arrays, key: Key, groups: int) -> float:
    """Groups that the width of the interval rests on."""
    name, c = key
    if name in ("accuracy", "balanced_accuracy", *PROPORTIONS):
        return float(groups)
    if name in PER_CLASS:
        return float(_scarcer(data, data.classes.index(c)))
    if name in RANKED:  # groups / 2 with two classes of one size, groups · (K - 1) / K with K
        sides = [side for side in (_scarcer(data, k) for k in range(len(data.classes))) if side]
        return min(float(groups), float((len(sides) - 1) * np.mean(sides))) if sides else 0.0
    wrong = _distinct(data.group[(data.predicted != data.truth).any(axis=0)])
    scarcer = min(wrong, groups - wrong)
    return float(min(groups, max(scarcer, LEAST_SUPPORT))) if scarcer else float(groups)


def _distinct(codes: np.ndarray) -> int:
    return int(np.count_nonzero(np.bincount(codes)))


def _scarcer(data: Arrays, k: int) -> int:
    """Groups with an image of class k, or groups with another image, whichever are fewer."""
    return min(_distinct(data.group[side]) for side in (data.truth == k, data.truth != k))
