"""What chance alone gives: the accuracy of shuffled answers, and of the best of many guessers."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def shuffled_accuracy(labels: ArrayLike) -> float:
    """Expected accuracy of a perfect model's answers against shuffled labels: Σ p².

    p is the share of each class among `labels`. A generator that shuffles, scored against its
    unshuffled labels, measures this figure and nothing of the model. Introduced in lesson 07.

    Parameters
    ----------
    labels : array_like
        (n,), true classes.

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    ValueError
        If empty.

    Examples
    --------
    >>> shuffled_accuracy(["covid", "normal", "normal", "normal"])  # 0.25² + 0.75²
    0.625
    """
    share = pd.Series(np.asarray(labels, dtype=object)).value_counts(normalize=True)
    if share.empty:
        raise ValueError("labels is empty.")
    return float((share**2).sum())


def best_of(models: int, n: int, chance: float) -> pd.DataFrame:
    """Exact distribution of the best accuracy among `models` independent guessers on n images.

    The best of K is at most c with probability F(c)^K, F the binomial distribution function.
    Introduced in lesson 07.

    Parameters
    ----------
    models : int
        Guessers, 1 or more.
    n : int
        Images, 1 or more.
    chance : float
        The probability that one guess is right, in [0, 1].

    Returns
    -------
    DataFrame
        Columns correct (0 ... n), accuracy, probability (sums to 1).

    Raises
    ------
    ValueError
        Unless models ≥ 1, n ≥ 1 and 0 ≤ chance ≤ 1.

    Examples
    --------
    Two guessers, one image, a coin each: in one of four cases both are wrong.

    >>> best_of(2, 1, 0.5)["probability"].round(2).tolist()
    [0.25, 0.75]
    >>> best = best_of(50, 100, 0.5)
    >>> round(float((best["accuracy"] * best["probability"]).sum()), 2)
    0.61
    """
    from scipy.stats import binom

    if models < 1 or n < 1 or not 0 <= chance <= 1:
        raise ValueError(f"Need models ≥ 1, n ≥ 1, 0 ≤ chance ≤ 1: got {models}, {n}, {chance}.")
    correct = np.arange(n + 1)
    at_most = binom.cdf(correct, n, chance) ** models
    return pd.DataFrame(
        {"correct": correct, "accuracy": correct / n, "probability": np.diff(at_most, prepend=0.0)}
    )
