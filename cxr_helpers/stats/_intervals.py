"""Wilson's interval: for a proportion, and for a figure in [0, 1] with an effective sample size."""

import numpy as np


def wilson(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval (low, high) of the proportion k / n, for independent images.

    Unlike value ± 1.96 standard errors it stays inside [0, 1] and has a width at k = 0 and k = n.
    Source: Wilson 1927, J Am Stat Assoc 22:209-212.

    Parameters
    ----------
    k : int
        Images for which something holds, 0 to `n`.
    n : int
        All images.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    tuple of float
        Low and high, in [0, 1]; n = 0 gives (nan, nan).

    Raises
    ------
    ValueError
        Unless 0 ≤ k ≤ n and 0 < level < 1.

    Examples
    --------
    >>> low, high = wilson(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.596, 0.982)
    >>> wilson(10, 10)[1], round(wilson(10, 10)[0], 3)
    (1.0, 0.722)
    """
    from scipy.special import ndtri  # norm.ppf of scipy.stats, which takes a second to import

    check_level(level)
    if not 0 <= k <= n:
        raise ValueError(f"k must lie between 0 and n: k = {k}, n = {n}.")
    if n == 0:
        return (np.nan, np.nan)
    return score_interval(k / n, n, float(ndtri((1 + level) / 2)))


def score_interval(value: float, size: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval of a figure in [0, 1].

    The sample size need not be whole; the quantile is of the normal or the t distribution.
    """
    z2 = quantile**2
    centre = (value + z2 / (2 * size)) / (1 + z2 / size)
    half = quantile / (1 + z2 / size) * np.sqrt(value * (1 - value) / size + z2 / (4 * size**2))
    low = 0.0 if value <= 0 else max(0.0, centre - half)
    high = 1.0 if value >= 1 else min(1.0, centre + half)
    return (float(low), float(high))


def check_level(level: float) -> None:
    """Refuse a confidence level that is not a fraction.

    Parameters
    ----------
    level : float
        In (0, 1).

    Raises
    ------
    ValueError
        For anything outside.

    Examples
    --------
    >>> check_level(95)
    Traceback (most recent call last):
    ValueError: level is a fraction such as 0.95, not 95.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is a fraction such as 0.95, not {level}.")


def t_quantile(level: float, degrees: float) -> float:
    """Two-sided quantile of Student's t."""
    from scipy.special import stdtrit  # t.ppf

    return float(stdtrit(degrees, (1 + level) / 2))
