"""The middle 95 % of a share when whole units are drawn with replacement, by hand."""

import numpy as np
import pandas as pd


def bootstrap(
    holds, units, seed: int = 0, times: int = 4000, most: int | None = None, level: float = 0.95
) -> tuple[float, float]:
    """Ends of a share's interval; `most`: how often a unit counts (None: as often as drawn)."""
    number, names = pd.factorize(np.asarray(units))
    holds = np.asarray(holds, float)
    sums, sizes = np.bincount(number, holds), np.bincount(number)
    weights = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=times
    )
    weights = weights if most is None else np.minimum(weights, most)
    low, high = np.quantile(
        (weights @ sums) / (weights @ sizes), [(1 - level) / 2, (1 + level) / 2]
    )
    return (float(low), float(high))


# on which intervals are compared: so many that one with 90 % in place of 95 % is not right by luck
TABLES = 3
# of the width; at 90 % it is 0.84 or, of another method, 0.89; at 99 % 1.3
NARROW, WIDE = 0.93, 1.08


def breadth(given: list, *ways: list) -> float:
    """How wide intervals (low, high) are together, as a share of those of the nearest way.

    The sum of several is compared, as resampling with other seeds moves the ends of a single one by
    as much as another level does.
    """
    shares = [np.diff(given).sum() / np.diff(way).sum() for way in ways]
    return float(min(shares, key=lambda share: abs(share - 1)))


def level_words(share: float) -> str:
    """Say that intervals are not as wide as 95 % intervals are, where no single one shows it."""
    return (
        f"The intervals are {share:.2f} times as wide as 95 % intervals here, over {TABLES} "
        "tables. Which level have yours (90 % gives 0.84, 80 % 0.65, 99 % 1.3)?"
    )
