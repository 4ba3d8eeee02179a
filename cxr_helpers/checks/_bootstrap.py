"""The middle 95 % of a share when whole units are drawn with replacement, as the exercises do it by hand."""

import numpy as np
import pandas as pd


def bootstrap(
    holds, units, seed: int = 0, times: int = 4000, most: int | None = None, level: float = 0.95
) -> tuple[float, float]:
    """Ends of the interval of a share; `most`: how often a unit counts at most (None: as often as drawn)."""
    number, names = pd.factorize(np.asarray(units))
    holds = np.asarray(holds, float)
    sums, sizes = np.bincount(number, holds), np.bincount(number)
    weights = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=times)
    weights = weights if most is None else np.minimum(weights, most)
    low, high = np.quantile((weights @ sums) / (weights @ sizes), [(1 - level) / 2, (1 + level) / 2])
    return (float(low), float(high))
