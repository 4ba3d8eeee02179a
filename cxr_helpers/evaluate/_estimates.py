"""A value with its interval and n: metrics, comparisons of two models, tables of several."""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from ._predictions import PredictionsError, Scored, check_predictions, scored
from ._resample import (
    OVERALL,
    PER_CLASS,
    PROPORTIONS,
    RANKED,
    check_level,
    group_weights,
    percentile,
    statistics,
    wilson,
)

BOOTSTRAP = "bootstrap by group"
ALIKE = "bootstrap by group (every resample alike: no spread to show)"


@dataclass(frozen=True)
class Estimate:
    """One figure: value, interval, n images and groups that it rests on, and how the interval was made."""

    value: float
    low: float
    high: float
    n: int
    groups: int
    method: str

    def text(self, counts: bool = True) -> str:
        """The figure with its interval and, with `counts`, the n it rests on: "0.909 (0.82-0.96, n = 66)"."""
        if not np.isfinite(self.value):
            return f"undefined (n = {self.n})" if counts else "undefined"
        spread = f"{self.low:.2f}-{self.high:.2f}" if np.isfinite(self.low) else "no interval"
        spread = "no spread" if self.method == ALIKE else spread
        groups = "" if self.groups == self.n else f" in {self.groups} groups"
        return f"{self.value:.3f} ({spread}{f', n = {self.n}{groups}' if counts else ''})"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True)
class Difference(Estimate):
    """A paired difference: value = a - b with its interval; a and b themselves; two-sided p."""

    a: float
    b: float
    p: float

    def __str__(self) -> str:
        return f"{self.value:+.3f} ({self.low:+.2f} to {self.high:+.2f}), p = {self.p:.3f}, n = {self.n}"


def metrics(predictions: pd.DataFrame, level: float = 0.95, resamples: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Every metric with its interval: columns metric, class ("all" if none), value, low, high, n, groups, method.

    All values lie in [0, 1]. Per class, one against the rest: sensitivity, specificity, ppv, npv, f1, roc_auc,
    average_precision. Overall: accuracy, balanced_accuracy, f1_macro, f1_weighted, roc_auc_macro,
    average_precision_macro (a macro mean leaves out a class for which the metric is undefined).
    n counts the distinct images that the figure rests on: for a sensitivity the images of the class, for a ppv those
    called so, else all. What is undefined (no such image) is NaN. Several seeds are scored one by one and averaged.
    Intervals: Wilson for plain proportions if every group is a single image; else the percentiles of `resamples`
    draws of whole groups with replacement (Efron & Tibshirani 1993, ch. 13), because images of one patient are not
    independent. A proportion of exactly 0 or 1, which no resample can vary, gets Wilson's interval over its groups.
    Raises PredictionsError. Introduced in lesson 07.
    """
    data = scored(predictions)
    names = [(name, "all") for name in OVERALL] + [(name, c) for c in data.classes for name in PER_CLASS]
    found = _estimates(data, names, level, resamples, seed)
    rows = [{"metric": name, "class": c, **asdict(found[name, c])} for name, c in names]
    return pd.DataFrame(rows)


def metric(
    predictions: pd.DataFrame,
    name: str = "f1_macro",
    positive: str | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Estimate:
    """One figure of `metrics` as an Estimate; a metric of one class needs `positive`, the class.

    Raises PredictionsError, and ValueError for an unknown metric. Introduced in lesson 04 (roc_auc).
    """
    data = scored(predictions)
    key = _key(data, name, positive)
    return _estimates(data, [key], level, resamples, seed)[key]


def subgroups(
    predictions: pd.DataFrame, by: str, name: str = "accuracy", positive: str | None = None, **options
) -> pd.DataFrame:
    """One metric for each value of the column `by` (such as source): columns by, value, low, high, n, groups, method.

    `options` are those of `metric`. Rows with an empty `by` are listed as "unknown". Introduced in lesson 07.
    """
    if by not in predictions.columns:
        raise PredictionsError(f"The table of predictions has no column {by!r}.")
    parts = predictions[by].astype(object).where(predictions[by].notna(), "unknown")
    rows = [{by: part, **asdict(metric(rows, name, positive, **options))} for part, rows in predictions.groupby(parts)]
    return pd.DataFrame(rows)


def compare(
    a: pd.DataFrame,
    b: pd.DataFrame,
    metric: str = "f1_macro",
    positive: str | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """Paired difference a - b of two models on the same images, in the units of the metric (-1 to 1).

    Each resample draws whole groups and scores both models on the same draw. p is two-sided: twice the smaller share
    of resamples on either side of zero, at least 2 / (resamples + 1) (Davison & Hinkley 1997, section 4.4, inverted
    interval). With m groups about which the two models say different things p is at least 2 ** (1 - m), the least
    that swapping the models group by group (a sign test) can give: few groups prove little, whatever a resample says.
    Raises PredictionsError if the images, labels, groups or classes differ. Introduced in lesson 07.
    """
    check_level(level)
    first, second = scored(a), scored(b)
    _check_paired(first, second)
    key = _key(first, metric, positive)
    whole = np.ones((1, first.n_groups))
    weights = group_weights(first.n_groups, resamples, seed)
    value_a, value_b = (float(statistics(data, whole, key[:1])[key][0]) for data in (first, second))
    spread = statistics(first, weights, key[:1])[key] - statistics(second, weights, key[:1])[key]
    low, high = percentile(spread, level)
    defined = spread[np.isfinite(spread)]
    p = 2 * (min((defined <= 0).sum(), (defined >= 0).sum()) + 1) / (len(defined) + 1)
    p = min(1.0, max(p, 2.0 ** (1 - _discordant(first, second, metric))))
    return Difference(
        value=value_a - value_b,
        low=low,
        high=high,
        n=len(first.truth),
        groups=first.n_groups,
        method=f"paired {ALIKE if low == high else BOOTSTRAP}",
        a=value_a,
        b=value_b,
        p=float(p) if np.isfinite(value_a - value_b) else np.nan,
    )


def table(
    predictions,
    metrics=("accuracy", "f1_macro"),
    positive: str | None = None,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Several models side by side: one row each, a column such as "0.909 (0.82-0.96)" per metric.

    `predictions` is a dict {name: predictions} or a list (names from the column `model`). Columns: model, n (images),
    groups, seeds, one of text per metric, then <metric>_value, _low and _high as numbers.
    Raises PredictionsError, and ValueError if two models share a name. Introduced in lesson 07.
    """
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    rows = []
    for model, rows_of_model in _by_name(predictions).items():
        data = scored(rows_of_model)
        found = _estimates(data, [_key(data, name, positive) for name in metrics], level, resamples, seed)
        estimates = dict(zip(metrics, found.values(), strict=True))
        rows.append(
            {"model": model, "n": len(data.truth), "groups": data.n_groups, "seeds": len(data.predicted)}
            | {name: estimate.text(counts=False) for name, estimate in estimates.items()}
            | {f"{name}_{part}": getattr(e, part) for name, e in estimates.items() for part in ("value", "low", "high")}
        )
    return pd.DataFrame(rows)


def _by_name(predictions) -> dict[str, pd.DataFrame]:
    if isinstance(predictions, dict):
        return predictions
    named = {}
    for part in [predictions] if isinstance(predictions, pd.DataFrame) else predictions:
        check_predictions(part)
        name = str(part["model"].iloc[0]) if "model" in part.columns else f"model {len(named) + 1}"
        if name in named:
            raise ValueError(f"Two tables of predictions are of a model {name!r}: pass a dict {{name: predictions}}.")
        named[name] = part
    return named


def _key(data: Scored, name: str, positive: str | None) -> tuple[str, str]:
    if name in OVERALL:
        return (name, "all")
    if name not in PER_CLASS:
        raise ValueError(f"Unknown metric {name!r}: choose one of {', '.join((*OVERALL, *PER_CLASS))}.")
    if positive not in data.classes:
        raise ValueError(f"{name} is of one class: pass positive=, one of {list(data.classes)}.")
    return (name, positive)


def _check_paired(a: Scored, b: Scored) -> None:
    only_a, only_b = (np.setdiff1d(x.image_id, y.image_id) for x, y in ((a, b), (b, a)))
    if len(only_a) or len(only_b):
        raise PredictionsError(
            f"A paired comparison needs the same images: {len(only_a)} only in the first table "
            f"{only_a[:3].tolist()}, {len(only_b)} only in the second {only_b[:3].tolist()}."
        )
    if a.classes != b.classes:
        raise PredictionsError(f"The classes differ: {list(a.classes)} and {list(b.classes)}.")
    for what, x, y in (("labels", a.truth, b.truth), ("groups", a.group, b.group)):
        if not np.array_equal(x, y):
            raise PredictionsError(f"The {what} differ between the two tables, first at {a.image_id[x != y][0]}.")


def _discordant(a: Scored, b: Scored, metric: str) -> int:
    """Groups about which the two say different things: probabilities for what ranks by them, else predicted classes."""
    names = np.arange(len(a.classes))
    said = [x.probability if metric in RANKED else x.predicted[..., None] == names for x in (a, b)]
    apart = np.abs(said[0].mean(axis=0) - said[1].mean(axis=0)).max(axis=1) > 1e-12
    return len(np.unique(a.group[apart]))


def _basis(data: Scored, key: tuple[str, str]) -> np.ndarray:
    """Boolean (n,): the images in the denominator of a metric, in any of the seeds."""
    name, c = key
    if name not in PROPORTIONS:
        return np.ones(len(data.truth), bool)
    k = data.classes.index(c)
    if name in ("sensitivity", "specificity"):
        return (data.truth == k) == (name == "sensitivity")
    return ((data.predicted == k) == (name == "ppv")).any(axis=0)


def _estimates(data: Scored, keys, level: float, resamples: int, seed: int) -> dict[tuple[str, str], Estimate]:
    check_level(level)
    names = {name for name, _ in keys}
    binomial = {"accuracy", *PROPORTIONS}
    whole = statistics(data, np.ones((1, data.n_groups)), names)
    # Wilson needs no resamples; skip them if nothing else was asked for.
    needed = not (data.single and names <= binomial)
    spread = statistics(data, group_weights(data.n_groups, resamples, seed), names) if needed else {}
    result = {}
    for key in keys:
        basis, value = _basis(data, key), float(whole[key][0])
        n, groups = int(basis.sum()), len(np.unique(data.group[basis]))
        if key[0] in binomial and np.isfinite(value) and (data.single or value in (0.0, 1.0)):
            low, high = wilson(round(value * groups), groups, level)
            method = "Wilson" if data.single else "Wilson over groups"
        else:
            low, high = percentile(spread[key], level) if np.isfinite(value) and needed else (np.nan, np.nan)
            method = ALIKE if low == high else BOOTSTRAP
        result[key] = Estimate(value, low, high, n, groups, method if np.isfinite(value) else "undefined")
    return result
