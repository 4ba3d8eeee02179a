"""How a figure moves when a group is left out (jackknife); ROC areas without each group.

Source: Efron & Tibshirani 1993, An introduction to the bootstrap, ch. 11.
"""

import numpy as np

# parts that groups are put into where leaving out every single one would take too long
BLOCKS = 200


def standard_error(without: np.ndarray) -> float:
    """Standard error of a figure from its values without each group, (G,): the jackknife.

    Undefined values (NaN: the figure needs that group) are left out.
    Source: Efron & Tibshirani 1993, An introduction to the bootstrap, ch. 11.

    Parameters
    ----------
    without : ndarray
        (G,), the figure without each of the G groups in turn.

    Returns
    -------
    float
        In the units of the figure; NaN for fewer than two values.

    Examples
    --------
    The mean of four images, left out one by one, has the usual standard error s / √n:

    >>> x = np.array([1.0, 2.0, 4.0, 9.0])
    >>> without = (x.sum() - x) / 3
    >>> bool(np.isclose(standard_error(without), x.std(ddof=1) / 2))
    True
    """
    values = without[np.isfinite(without)]
    if len(values) < 2:
        return np.nan
    return float(np.sqrt((len(values) - 1) / len(values) * ((values - values.mean()) ** 2).sum()))


def blocks(n_groups: int) -> np.ndarray:
    """The block of each group: its own up to `BLOCKS`, else drawn at random, always the same.

    Parameters
    ----------
    n_groups : int
        How many groups there are.

    Returns
    -------
    ndarray
        int (n_groups,), 0 to the number of blocks - 1, in blocks of equal size but for one group.

    Examples
    --------
    >>> blocks(3).tolist()
    [0, 1, 2]
    >>> sizes = np.bincount(blocks(1000))
    >>> len(sizes), int(sizes.min()), int(sizes.max())
    (200, 5, 5)
    """
    if n_groups <= BLOCKS:
        return np.arange(n_groups)
    return np.random.default_rng(0).permutation(np.arange(n_groups) % BLOCKS)


def auc(positive: np.ndarray, score: np.ndarray) -> float:
    """Area under the ROC curve, ties counting half; NaN where one kind is absent.

    The share of pairs of a positive and a negative image in which the positive one has the higher
    score.

    Parameters
    ----------
    positive : ndarray
        bool (n,).
    score : ndarray
        (n,), higher where more likely positive; any range.

    Returns
    -------
    float
        In [0, 1].

    Examples
    --------
    >>> auc(np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4]))
    0.875
    """
    pairs = float(positive.sum()) * float((~positive).sum())
    return (
        float(below(score, ~positive, np.zeros(len(score), int))[positive].sum() / pairs)
        if pairs
        else np.nan
    )


def auc_without_each(
    positive: np.ndarray, score: np.ndarray, group: np.ndarray, n_groups: int
) -> np.ndarray:
    """The area under the ROC curve without each group, (n_groups,); NaN if a kind is then absent.

    Exact, by the components of each image (how many of the other kind it stands above) and the
    pairs inside each group, in O(n log n). Sources: DeLong, DeLong & Clarke-Pearson 1988,
    Biometrics 44:837-845; Obuchowski 1997, Biometrics 53:567-578.

    Parameters
    ----------
    positive : ndarray
        bool (n,).
    score : ndarray
        (n,), higher where more likely positive; any range.
    group : ndarray
        int (n,), the code 0 ... `n_groups` - 1 of each image.
    n_groups : int
        How many groups there are.

    Returns
    -------
    ndarray
        float (n_groups,), in [0, 1] or NaN.

    Examples
    --------
    >>> positive, score = np.array([True, False, True, False]), np.array([0.9, 0.1, 0.4, 0.4])
    >>> auc_without_each(positive, score, np.array([0, 0, 1, 2]), 3)
    array([0.5, 1. , 1. ])
    >>> auc(positive[2:], score[2:])  # the first of them: without the images 0 and 1
    0.5
    """
    whole = np.zeros(len(score), int)
    wins = below(score, ~positive, whole)  # of each positive: negatives below
    losses = positive.sum() - below(score, positive, whole)  # of each negative: positives above
    # a single image has no pair
    inside = below(score, ~positive, group) if n_groups < len(score) else 0.0
    per_group = [
        np.bincount(group, weights, n_groups)
        for weights in (
            np.where(positive, wins - inside, losses),
            positive.astype(float),
            (~positive).astype(float),
        )
    ]
    removed, gone_positive, gone_negative = per_group
    left = (positive.sum() - gone_positive) * ((~positive).sum() - gone_negative)
    areas = np.full(n_groups, np.nan)
    np.divide(wins[positive].sum() - removed, left, out=areas, where=left > 0)
    return areas


def below(score: np.ndarray, counted: np.ndarray, group: np.ndarray) -> np.ndarray:
    """For each image: counted ones of its group with a lower score; equal scores count half."""
    order = np.lexsort((score, group)) if group.any() else np.argsort(score, kind="stable")
    ordered, weight = group[order], counted[order].astype(float)
    new_group = np.r_[True, np.diff(ordered) != 0]
    starts = np.flatnonzero(new_group | np.r_[True, np.diff(score[order]) != 0])
    tied = np.add.reduceat(weight, starts)
    before = np.cumsum(tied) - tied
    # counted before each group begins
    first = before[np.searchsorted(starts, np.flatnonzero(new_group))]
    run = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(order)]))
    result = np.empty(len(score))
    result[order] = before[run] + tied[run] / 2 - first[np.cumsum(new_group) - 1]
    return result
