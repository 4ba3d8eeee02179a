"""Metrics for many draws of whole groups with replacement; used by `pretraining_summary`."""

import numpy as np

from cxr_helpers.evaluate.figures import RANKED, from_matrix, mean_defined, ratio
from cxr_helpers.predictions import Arrays

AT_ONCE = 4_000_000  # weights held in memory at once: 32 MB


def percentile(values: np.ndarray, level: float) -> tuple[float, float]:
    """Percentile interval (low, high) of the draws with a defined metric; (nan, nan) without."""
    defined = values[np.isfinite(values)]
    if not len(defined):
        return (np.nan, np.nan)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))


def group_weights(n_groups: int, resamples: int, seed: int) -> np.ndarray:
    """How often each group is drawn, with replacement: (resamples, n_groups), row sums n_groups."""
    if resamples < 200:
        raise ValueError(f"an interval needs at least 200 resamples, not {resamples}")
    return np.random.default_rng(seed).multinomial(
        n_groups, np.full(n_groups, 1 / n_groups), size=resamples
    )


def statistics(data: Arrays, weights: np.ndarray, names) -> dict[tuple[str, str], np.ndarray]:
    """Each metric, mean over seeds, for each row of `weights` (R, groups).

    {(metric, class or "all"): (R,)}.
    """
    ranked = any(name in RANKED for name in names)
    step = max(1, AT_ONCE // len(data.truth))
    parts = []
    for start in range(0, len(weights), step):
        part = weights[start : start + step].astype(float)
        runs = [_one_run(data, s, part, ranked) for s in range(len(data.predicted))]
        parts.append(
            {key: np.mean([run[key] for run in runs], axis=0) for key in runs[0] if key[0] in names}
        )
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _one_run(
    data: Arrays, run: int, weights: np.ndarray, ranked: bool
) -> dict[tuple[str, str], np.ndarray]:
    size = len(data.classes)
    cells = np.zeros((data.n_groups, size, size))
    np.add.at(cells, (data.group, data.truth, data.predicted[run]), 1)
    result = from_matrix(
        (weights @ cells.reshape(data.n_groups, -1)).reshape(-1, size, size), data.classes
    )
    if ranked:
        rows = weights[:, data.group]
        for k, name in enumerate(data.classes):
            result["roc_auc", name] = _areas(data.probability[run, :, k], data.truth == k, rows)
        result["roc_auc_macro", "all"] = mean_defined(
            np.stack([result["roc_auc", c] for c in data.classes], 1)
        )
    return result


def _areas(score: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Area under the ROC curve (ties count half) for each row of weights (R, n), sorted once."""
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    weights, positive = weights[:, order], positive[order]
    hits = np.add.reduceat(weights * positive, starts, axis=1)
    alarms = np.add.reduceat(weights * ~positive, starts, axis=1)
    n_pos, n_neg = hits.sum(axis=1), alarms.sum(axis=1)
    above = n_neg[:, None] - alarms.cumsum(axis=1)
    return ratio((hits * (above + alarms / 2)).sum(axis=1), n_pos * n_neg)
