"""Two figures on the same images: the interval of their difference, and a test by swapping."""

import numpy as np

from ._estimates import Difference, Estimate
from ._intervals import check_level
from ._jackknife import below

SWAPS = 9_999
ENUMERATED = 12  # groups up to which every way of swapping is looked at
SWAPPED_BLOCKS = 1_000  # more groups are swapped in this many blocks
SAME = "both say the same of every image"
COMBINED = "both intervals and their correlation"


def difference(
    a: Estimate,
    b: Estimate,
    a_without: np.ndarray,
    b_without: np.ndarray,
    sizes: np.ndarray,
    discordant: int | None = None,
    level: float = 0.95,
) -> Difference:
    """The paired difference a - b of two figures in [0, 1].

    It takes both estimates and their values without each group.

    The interval combines both intervals and the correlation of the figures over the groups
    (Newcombe 1998, Stat Med 17:2635-2650; Zou & Donner 2008, Stat Med 27:1693-1702). p: see
    `swap_p`.

    Parameters
    ----------
    a, b : Estimate
        Of the same images.
    a_without, b_without : ndarray
        (G,), each figure without each group.
    sizes : ndarray
        (G,), the images of each group in the figures' denominator.
    discordant : int, optional
        Groups about which the two say different things, by default those that move the difference.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    Difference
        Value, low and high in [-1, 1], in the units of the figures.

    Raises
    ------
    ValueError
        For a bad level.

    Examples
    --------
    >>> from cxr_helpers.stats import proportion
    >>> a, b = np.array([1] * 9 + [0]), np.array([1] * 5 + [0] * 5)
    >>> without = [(x.sum() - x) / 9 for x in (a, b)]
    >>> print(difference(proportion(a), proportion(b), *without, np.ones(10)))
    +0.400 (+0.07 to +0.65), p = 0.125, n = 10
    """
    check_level(level)
    value = a.value - b.value
    if not np.isfinite(value):
        return _difference(a, b, np.nan, np.nan, "undefined", np.nan)
    parts = contributions(value, a_without - b_without, sizes)
    p = swap_p(parts, discordant)
    if not np.isfinite(a.low + b.low):
        return _difference(a, b, np.nan, np.nan, b.method if np.isfinite(a.low) else a.method, p)
    correlation = 0.0 if discordant == 0 else _correlation(a_without, b_without)
    return _difference(a, b, *_combined(a, b, correlation), COMBINED, p)


def identical(a: Estimate, b: Estimate) -> Difference:
    """The difference of two models that say the same of every image: none, for any patients.

    Parameters
    ----------
    a, b : Estimate
        Equal but for their names.

    Returns
    -------
    Difference
        0, from 0 to 0, with p = 1.

    Examples
    --------
    >>> from cxr_helpers.stats import proportion
    >>> same = proportion(np.array([True, True, False]))
    >>> print(identical(same, same))
    +0.000 (+0.00 to +0.00), p = 1.000, n = 3
    """
    return _difference(a, b, 0.0, 0.0, SAME, 1.0)


def _difference(
    a: Estimate, b: Estimate, low: float, high: float, method: str, p: float
) -> Difference:
    support = min(a.support, b.support)
    return Difference(
        a.value - b.value, low, high, a.n, a.groups, support, method, a=a.value, b=b.value, p=p
    )


def contributions(value: float, without: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """What each group adds to a difference, (G,): exact for a share, where they sum to the value.

    `without`: the difference without each group; `sizes`: its images in the denominator.
    """
    part = sizes / sizes.sum()
    added: np.ndarray = (
        np.where(np.isfinite(without), (value - without) * (1 - part), 0.0) + value * part
    )
    return added


def swap_p(contributions: np.ndarray, discordant: int | None = None) -> float:
    """Two-sided p of a sum of contributions, one per group, if each sign could be the other.

    A sign turns when the two models change places in a group. Every way of swapping is looked at
    for up to 12 groups that count, else 9,999 ways drawn at random, of which b reach the sum: p =
    (1 + b) / (1 + 9,999) (Phipson & Smyth 2010, doi 10.2202/1544-6115.1585). At least 2 ** (1 -
    discordant): so few groups can say no more.

    Parameters
    ----------
    contributions : ndarray
        (G,), what each group adds to the difference.
    discordant : int, optional
        Groups about which the two say different things, by default those whose contribution is not
        0.

    Returns
    -------
    float
        In (0, 1].

    Examples
    --------
    Four groups, all for the same model: of 16 ways to swap, two are as extreme.

    >>> swap_p(np.array([0.1, 0.1, 0.1, 0.1, 0.0]))
    0.125
    """
    if discordant == 0:
        return 1.0
    kept = contributions[np.abs(contributions) > 1e-12]
    if len(kept) > SWAPPED_BLOCKS:
        block = np.random.default_rng(1).permutation(np.arange(len(kept)) % SWAPPED_BLOCKS)
        kept = np.bincount(block, kept)
    reached = abs(kept.sum()) * (1 - 1e-9) - 1e-12
    least = 2.0 ** (1 - (len(kept) if discordant is None else discordant))
    if len(kept) <= ENUMERATED:
        ways = (np.arange(2 ** len(kept))[:, None] >> np.arange(len(kept))) & 1
        p = (np.abs((1 - 2 * ways) @ kept) >= reached).mean()
    else:
        signs = np.random.default_rng(0).integers(0, 2, (SWAPS, len(kept)), dtype=np.int8)
        p = (1 + (np.abs(kept.sum() - 2 * (signs @ kept)) >= reached).sum()) / (1 + SWAPS)
    return float(min(1.0, max(p, least)))


def mcnemar_exact(a_right: np.ndarray, b_right: np.ndarray) -> float:
    """Two-sided p of McNemar's exact test.

    Of the images that only one model gets right, is it half and half?
    For independent images: with several images a patient it finds differences that are not there.
    Source: McNemar 1947, Psychometrika 12:153-157; exact: binomial.

    Parameters
    ----------
    a_right, b_right : ndarray
        bool (n,), of the same images.

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    ValueError
        For two lengths.

    Examples
    --------
    Five images that only the first model gets right, none that only the second does: 2 / 2⁵.

    >>> mcnemar_exact(np.array([1, 1, 1, 1, 1, 1, 0]), np.array([0, 0, 0, 0, 0, 1, 0]))
    0.0625
    """
    from scipy.stats import binomtest

    first, second = np.asarray(a_right, bool), np.asarray(b_right, bool)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"the same images for both models: {first.shape} and {second.shape}")
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    both = only_first + only_second
    return float(binomtest(only_first, both).pvalue) if both else 1.0


def delong(
    positive: np.ndarray, a_score: np.ndarray, b_score: np.ndarray, level: float = 0.95
) -> Difference:
    """Difference of two ROC areas on the same images, with DeLong's interval and p (normal).

    For independent images, and many of both kinds: with few, or areas near 1, the interval is too
    narrow. Source: DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837-845.

    Parameters
    ----------
    positive : ndarray
        bool (n,).
    a_score, b_score : ndarray
        (n,), higher where more likely positive; any range.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    Difference
        Of the areas, a - b.

    Raises
    ------
    ValueError
        Unless both kinds are there twice, and for a bad level.

    Examples
    --------
    >>> positive = np.array([True, True, True, False, False, False])
    >>> a = np.array([0.9, 0.8, 0.4, 0.5, 0.2, 0.1])
    >>> b = np.array([0.9, 0.3, 0.4, 0.5, 0.2, 0.6])
    >>> found = delong(positive, a, b)
    >>> round(found.a, 3), round(found.b, 3), round(found.value, 3)
    (0.889, 0.556, 0.333)
    """
    from scipy.stats import norm

    check_level(level)
    truth = np.asarray(positive, bool)
    if min(truth.sum(), (~truth).sum()) < 2:
        raise ValueError("DeLong's interval needs two images of each kind")
    whole = np.zeros(len(truth), int)
    components = []
    for score in (np.asarray(a_score, float), np.asarray(b_score, float)):
        above = below(score, ~truth, whole)[truth] / (~truth).sum()
        under = 1 - below(score, truth, whole)[~truth] / truth.sum()
        components.append((above, under))
    (a_above, a_under), (b_above, b_under) = components
    a, b = float(a_above.mean()), float(b_above.mean())
    variance = (a_above - b_above).var(ddof=1) / truth.sum() + (a_under - b_under).var(ddof=1) / (
        ~truth
    ).sum()
    error = float(np.sqrt(variance))
    half = float(norm.ppf((1 + level) / 2)) * error
    p = 2 * norm.sf(abs(a - b) / error) if error > 0 else 1.0
    n = len(truth)
    return Difference(
        a - b, a - b - half, a - b + half, n, n, float(n), "DeLong", a=a, b=b, p=float(p)
    )


def _combined(a: Estimate, b: Estimate, correlation: float) -> tuple[float, float]:
    """Interval of a - b from both intervals: each end by the side of either that lies that way."""
    down = ((a.value - a.low), (b.high - b.value))
    up = ((a.high - a.value), (b.value - b.low))
    ends = [np.sqrt(max(x**2 + y**2 - 2 * correlation * x * y, 0.0)) for x, y in (down, up)]
    value = a.value - b.value
    return (float(max(-1.0, value - ends[0])), float(min(1.0, value + ends[1])))


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Correlation of the two figures over the groups; 0 where one of them does not move."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y = x[known], y[known]
    if len(x) < 2 or x.std() < 1e-15 or y.std() < 1e-15:
        return 0.0
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1, 1))
