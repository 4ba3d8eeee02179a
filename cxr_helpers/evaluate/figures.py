"""Every figure of a table of predictions: its value, and its values without each group."""

from dataclasses import dataclass

import numpy as np

from ..predictions import Arrays
from ..stats import auc, auc_without_each, blocks

PROPORTIONS = ("sensitivity", "specificity", "ppv", "npv")
PER_CLASS = (*PROPORTIONS, "f1", "roc_auc", "average_precision")
OVERALL = (
    "accuracy",
    "balanced_accuracy",
    "f1_macro",
    "f1_weighted",
    "roc_auc_macro",
    "average_precision_macro",
)
RANKED = ("roc_auc", "average_precision", "roc_auc_macro", "average_precision_macro")
BY_BLOCK = ("average_precision", "average_precision_macro")  # with many groups, blocks are left out
AT_ONCE = 4_000_000  # numbers held in memory at once: 32 MB

Key = tuple[str, str]  # metric, and class or "all"


@dataclass(frozen=True)
class Figure:
    """The value of a metric, and its values without each group or block of groups in turn, (G,)."""

    value: float
    without: np.ndarray


def figures(data: Arrays, keys: list[Key]) -> dict[Key, Figure]:
    """The asked-for figures, averaged over seeds."""
    runs = [_one_run(data, run, {name for name, _ in keys}) for run in range(len(data.predicted))]
    result = {}
    for key in keys:
        found = [run[key] for run in runs]
        value = float(np.mean([figure.value for figure in found]))
        result[key] = Figure(value, np.mean([figure.without for figure in found], axis=0))
    return result


def _one_run(data: Arrays, run: int, names: set[str]) -> dict[Key, Figure]:
    result: dict[Key, Figure] = {}
    if names - set(RANKED):
        result |= _of_matrix(data, run)
    for metric, of_class in (("roc_auc", _area), ("average_precision", _average_precision)):
        if names & {metric, f"{metric}_macro"}:
            every = {c: of_class(data, run, k) for k, c in enumerate(data.classes)}
            result |= {(metric, c): figure for c, figure in every.items()}
            result[f"{metric}_macro", "all"] = _macro(list(every.values()))
    return result


def _of_matrix(data: Arrays, run: int) -> dict[Key, Figure]:
    size = len(data.classes)
    cell = (data.group * size + data.truth) * size + data.predicted[run]
    cells = np.bincount(cell, minlength=data.n_groups * size**2).reshape(-1, size, size)
    whole = cells.sum(axis=0)
    values = from_matrix(whole[None], data.classes)
    without = from_matrix(whole - cells, data.classes)
    return {key: Figure(float(values[key][0]), without[key]) for key in values}


def _area(data: Arrays, run: int, k: int) -> Figure:
    positive, score = data.truth == k, data.probability[run, :, k]
    return Figure(
        auc(positive, score), auc_without_each(positive, score, data.group, data.n_groups)
    )


def _average_precision(data: Arrays, run: int, k: int) -> Figure:
    """Groups are left out one by one, above `stats.BLOCKS` of them in so many blocks."""
    positive, score = data.truth == k, data.probability[run, :, k]
    order = np.argsort(-score, kind="stable")
    block = blocks(data.n_groups)[data.group][order]
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True])
    positive = positive[order]
    value = average_precision(np.ones((1, len(order)), bool), positive, ends)[0]
    step = max(1, AT_ONCE // len(order))
    every = np.arange(block.max() + 1)
    parts = [every[start : start + step] for start in range(0, len(every), step)]
    without = [average_precision(block != part[:, None], positive, ends) for part in parts]
    return Figure(float(value), np.concatenate(without))


def average_precision(kept: np.ndarray, positive: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Average precision of each selection of images, (R,), NaN without a positive.

    `kept`: boolean (R, n), images by falling score; `positive` (n,); `ends`: last place of each
    score.
    """
    found = (kept & positive).cumsum(axis=1)[:, ends].astype(float)
    called = kept.cumsum(axis=1)[:, ends]
    precision = np.divide(found, called, out=np.zeros(found.shape), where=called > 0)
    gained = np.diff(found, axis=1, prepend=0)
    return ratio((gained * precision).sum(axis=1), found[:, -1])


def _macro(every: list[Figure]) -> Figure:
    value = mean_defined(np.array([[figure.value for figure in every]]))[0]
    return Figure(
        float(value), mean_defined(np.stack([figure.without for figure in every], axis=1))
    )


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below, NaN where below is 0."""
    found = np.full(np.shape(above), np.nan)
    np.divide(above, below, out=found, where=below > 0)
    return found


def mean_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is defined: a class that does not occur is left out."""
    defined = np.isfinite(values)
    return ratio(np.where(defined, values, 0).sum(-1), defined.sum(-1))


def from_matrix(matrix: np.ndarray, names: tuple[str, ...]) -> dict[Key, np.ndarray]:
    """Metrics of confusion matrices (R, true, predicted), (R,) each."""
    total = matrix.sum((1, 2))[:, None]
    hit = np.diagonal(matrix, axis1=1, axis2=2)
    true, called = matrix.sum(2), matrix.sum(1)
    per_class = {
        "sensitivity": ratio(hit, true),
        "specificity": ratio(total - true - called + hit, total - true),
        "ppv": ratio(hit, called),
        "npv": ratio(total - true - called + hit, total - called),
        "f1": ratio(2 * hit, true + called),
    }
    result = {
        (metric, c): values[:, k]
        for metric, values in per_class.items()
        for k, c in enumerate(names)
    }
    result["accuracy", "all"] = ratio(hit.sum(1), total[:, 0])
    result["balanced_accuracy", "all"] = mean_defined(per_class["sensitivity"])
    result["f1_macro", "all"] = mean_defined(per_class["f1"])
    result["f1_weighted", "all"] = ratio(
        (true * np.nan_to_num(per_class["f1"])).sum(1), total[:, 0]
    )
    return result
