"""Wilson intervals, and every metric for many resamples of groups at once."""

import numpy as np

from ._predictions import Scored

PROPORTIONS = ("sensitivity", "specificity", "ppv", "npv")
PER_CLASS = (*PROPORTIONS, "f1", "roc_auc", "average_precision")
OVERALL = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "roc_auc_macro", "average_precision_macro")
RANKED = ("roc_auc", "average_precision", "roc_auc_macro", "average_precision_macro")
BLOCK = 4_000_000  # weights held in memory at once: 32 MB


def wilson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval (low, high) of the proportion k / n, for independent images.

    Unlike value ± 1.96 standard errors it stays inside [0, 1] and has a width at k = 0 and k = n.
    n = 0 gives (nan, nan). Raises ValueError unless 0 ≤ k ≤ n and 0 < level < 1.
    Source: Wilson 1927, J Am Stat Assoc 22:209-212. Introduced in lesson 07.
    """
    from scipy.stats import binomtest

    check_level(level)
    if not 0 <= k <= n:
        raise ValueError(f"k must lie between 0 and n: k = {k}, n = {n}.")
    if n == 0:
        return (np.nan, np.nan)
    interval = binomtest(int(k), int(n)).proportion_ci(level, method="wilson")
    return (float(interval.low), float(interval.high))


def check_level(level: float) -> None:
    """Refuse a confidence level that is not a fraction."""
    if not 0 < level < 1:
        raise ValueError(f"level is a fraction such as 0.95, not {level}.")


def percentile(values: np.ndarray, level: float) -> tuple[float, float]:
    """Percentile interval (low, high) of the resamples in which the metric is defined; (nan, nan) if none is."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return (np.nan, np.nan)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))


def group_weights(n_groups: int, resamples: int, seed: int) -> np.ndarray:
    """How often each group is drawn in each resample with replacement: (resamples, n_groups), rows sum to n_groups."""
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, not {resamples}.")
    return np.random.default_rng(seed).multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=resamples)


def statistics(data: Scored, weights: np.ndarray, names) -> dict[tuple[str, str], np.ndarray]:
    """Each metric, averaged over seeds, for each row of `weights` (R, groups): {(metric, class or "all"): (R,)}."""
    ranked = any(name in RANKED for name in names)
    step = max(1, BLOCK // len(data.truth))
    blocks = []
    for start in range(0, len(weights), step):
        block = weights[start : start + step].astype(float)
        runs = [_one_run(data, s, block, ranked) for s in range(len(data.predicted))]
        blocks.append({key: np.mean([run[key] for run in runs], axis=0) for key in runs[0] if key[0] in names})
    return {key: np.concatenate([block[key] for block in blocks]) for key in blocks[0]}


def _one_run(data: Scored, run: int, weights: np.ndarray, ranked: bool) -> dict[tuple[str, str], np.ndarray]:
    size = len(data.classes)
    cells = np.zeros((data.n_groups, size, size))
    np.add.at(cells, (data.group, data.truth, data.predicted[run]), 1)
    result = _from_matrix((weights @ cells.reshape(data.n_groups, -1)).reshape(-1, size, size), data.classes)
    if ranked:
        rows = weights[:, data.group]
        for k, name in enumerate(data.classes):
            auc, precision = _ranking(data.probability[run, :, k], data.truth == k, rows)
            result["roc_auc", name], result["average_precision", name] = auc, precision
        for metric in ("roc_auc", "average_precision"):
            result[f"{metric}_macro", "all"] = _mean_defined(np.stack([result[metric, c] for c in data.classes], 1))
    return result


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return np.divide(above, below, out=np.full(np.shape(above), np.nan), where=below > 0)


def _mean_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is defined: a class that does not occur leaves the average."""
    defined = np.isfinite(values)
    return _ratio(np.where(defined, values, 0).sum(-1), defined.sum(-1))


def _from_matrix(matrix: np.ndarray, names: tuple[str, ...]) -> dict[tuple[str, str], np.ndarray]:
    """Metrics of confusion matrices (R, true, predicted)."""
    total = matrix.sum((1, 2))[:, None]
    hit = np.diagonal(matrix, axis1=1, axis2=2)
    true, called = matrix.sum(2), matrix.sum(1)
    per_class = {
        "sensitivity": _ratio(hit, true),
        "specificity": _ratio(total - true - called + hit, total - true),
        "ppv": _ratio(hit, called),
        "npv": _ratio(total - true - called + hit, total - called),
        "f1": _ratio(2 * hit, true + called),
    }
    result = {(metric, c): values[:, k] for metric, values in per_class.items() for k, c in enumerate(names)}
    result["accuracy", "all"] = _ratio(hit.sum(1), total[:, 0])
    result["balanced_accuracy", "all"] = _mean_defined(per_class["sensitivity"])
    result["f1_macro", "all"] = _mean_defined(per_class["f1"])
    result["f1_weighted", "all"] = _ratio((true * np.nan_to_num(per_class["f1"])).sum(1), total[:, 0])
    return result


def _ranking(score: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area under the ROC curve (ties count half) and average precision for each row of weights (R, n)."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    weights, positive = weights[:, order], positive[order]
    hits = np.add.reduceat(weights * positive, starts, axis=1)
    alarms = np.add.reduceat(weights * ~positive, starts, axis=1)
    tp, fp = hits.cumsum(1), alarms.cumsum(1)
    n_pos, n_neg = tp[:, -1], fp[:, -1]
    auc = _ratio((hits * (n_neg[:, None] - fp + alarms / 2)).sum(1), n_pos * n_neg)
    precision = np.nan_to_num(_ratio(tp, tp + fp))
    return auc, _ratio((hits * precision).sum(1), n_pos)
