"""What chance alone gives: the accuracy of shuffled answers, and of the best of many guessers."""

import numpy as np
import pandas as pd


def shuffled_accuracy(labels) -> float:
    """Expected accuracy of a perfect model whose answers are compared with the labels in another order: Σ p².

    p is the share of each class among `labels` (n,). A generator that shuffles, scored against its unshuffled
    labels, measures this figure and nothing of the model. Raises ValueError if empty. Introduced in lesson 07.
    """
    share = pd.Series(np.asarray(labels, dtype=object)).value_counts(normalize=True)
    if share.empty:
        raise ValueError("labels is empty.")
    return float((share**2).sum())


def best_of(models: int, n: int, chance: float) -> pd.DataFrame:
    """Exact distribution of the best accuracy among `models` independent guessers on n images.

    `chance` is the probability that one guess is right. Columns correct (0 ... n), accuracy, probability (sums to 1).
    The best of K is at most c with probability F(c)^K, F the binomial distribution function.
    Raises ValueError unless models ≥ 1, n ≥ 1 and 0 ≤ chance ≤ 1. Introduced in lesson 07.
    """
    from scipy.stats import binom

    if models < 1 or n < 1 or not 0 <= chance <= 1:
        raise ValueError(f"Need models ≥ 1, n ≥ 1, 0 ≤ chance ≤ 1: got {models}, {n}, {chance}.")
    correct = np.arange(n + 1)
    at_most = binom.cdf(correct, n, chance) ** models
    return pd.DataFrame({"correct": correct, "accuracy": correct / n, "probability": np.diff(at_most, prepend=0.0)})
