"""A figure with its interval, and what it rests on."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ._intervals import check_level, score_interval, t_quantile, wilson
from ._jackknife import standard_error

FEWEST = 3  # groups below which no interval is given
# groups that carry a loss, below which its interval covers too little (benchmarks/coverage.csv)
CARRIERS = 5
EFFECTIVE = "Wilson, effective size, t"
STUDENT = "jackknife, t"
LOGARITHM = "jackknife on the log scale, t"


@dataclass(frozen=True)
class Estimate:
    """One figure, its interval, and what it rests on.

    n: images in its denominator; groups: groups among them; support: groups that the width of the
    interval rests on (degrees of freedom + 1); method: how the interval was made, or why there is
    none (low and high are then NaN).
    """

    value: float
    low: float
    high: float
    n: int
    groups: int
    support: float
    method: str

    def text(self, counts: bool = True) -> str:
        """The figure with its interval and, with `counts`, its n: "0.909 (0.82-0.96, n = 66)"."""
        if not np.isfinite(self.value):
            return f"undefined (n = {self.n})" if counts else "undefined"
        to = " to " if self.low < 0 else "-"  # no dash before a minus
        spread = f"{self.low:.2f}{to}{self.high:.2f}" if np.isfinite(self.low) else "no interval"
        groups = "" if self.groups == self.n else f" in {self.groups} groups"
        return f"{self.value:.3f} ({spread}{f', n = {self.n}{groups}' if counts else ''})"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True)
class Difference(Estimate):
    """A paired difference: value = a - b with its interval; a and b themselves; two-sided p."""

    a: float
    b: float
    p: float

    def __str__(self) -> str:
        spread = f"{self.low:+.2f} to {self.high:+.2f}" if np.isfinite(self.low) else "no interval"
        p = f"p = {self.p:.3f}" if not self.p < 0.0005 else "p < 0.001"
        return f"{self.value:+.3f} ({spread}), {p}, n = {self.n}"


def share(
    value: float,
    without: np.ndarray,
    n: int,
    groups: int,
    support: float | None = None,
    level: float = 0.95,
    *,
    answers: bool = True,
) -> Estimate:
    """A figure between 0 and 1 with its interval, from its values without each group, (G,).

    Wilson's formula with the effective size m = value (1 - value) / SE², at most n, SE by leaving
    one group out, and the quantile of t with support - 1 degrees; m = support for a value of
    exactly 0 or 1, which no resample of the sample at hand could vary. Sources: Wilson 1927; Korn &
    Graubard 1998, Survey Methodology 24:193-201.

    Parameters
    ----------
    value : float
        In [0, 1], or NaN.
    without : ndarray
        (G,), the figure without each group.
    n : int
        Images in its denominator.
    groups : int
        Groups among them.
    support : float, optional
        Groups that the width of the interval rests on, by default `groups`; below 3 there is no
        interval.
    level : float
        Of confidence, in (0, 1).
    answers : bool
        False for the mean of measurements in [0, 1], which may spread less than n answers of yes or
        no: m is then not cut at n.

    Returns
    -------
    Estimate
        Its low and high lie in [0, 1], and are NaN where there is no interval.

    Raises
    ------
    ValueError
        For a bad level.

    Examples
    --------
    Ten patients with two images each, always both right or both wrong: as uncertain as ten images.

    >>> right = np.repeat([1, 1, 1, 1, 1, 1, 1, 1, 0, 0], 2)
    >>> without = np.array([np.delete(right, [k, k + 1]).mean() for k in range(0, 20, 2)])
    >>> print(share(right.mean(), without, n=20, groups=10))
    0.800 (0.43-0.96, n = 20 in 10 groups)
    >>> print(proportion(right))  # as if the images were independent: too narrow
    0.800 (0.58-0.92, n = 20)
    """
    check_level(level)
    support = float(groups if support is None else support)
    if not np.isfinite(value):
        return Estimate(np.nan, np.nan, np.nan, n, groups, support, "undefined")
    if support < FEWEST:
        return Estimate(value, np.nan, np.nan, n, groups, support, _too_few(support))
    size = (
        support
        if value in (0.0, 1.0)
        else _effective_size(value, standard_error(without), n, answers)
    )
    low, high = score_interval(value, size, t_quantile(level, support - 1))
    return Estimate(value, low, high, n, groups, support, EFFECTIVE)


def proportion(holds: np.ndarray, group: np.ndarray | None = None, level: float = 0.95) -> Estimate:
    """The share of images for which something holds, in [0, 1].

    Wilson's interval where images are independent and the answers yes or no, else as `share`.

    Parameters
    ----------
    holds : ndarray
        (n,), boolean, or numbers in [0, 1] such as a mean over seeds.
    group : ndarray, optional
        (n,), codes or names, by default each image its own.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    Estimate
        Its low and high lie in [0, 1], and are NaN where there is no interval.

    Raises
    ------
    ValueError
        For no image or values outside [0, 1].

    Examples
    --------
    >>> print(proportion(np.array([True] * 9 + [False])))
    0.900 (0.60-0.98, n = 10)
    >>> print(proportion(np.array([True, True, False, True]), np.array(["a", "a", "b", "b"])))
    0.750 (no interval, n = 4 in 2 groups)
    """
    values = np.asarray(holds, float)
    if not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("a proportion needs at least one image, and values in [0, 1]")
    code, sizes = _coded(values, group)
    n, groups = len(values), len(sizes)
    answers = bool(np.isin(values, (0, 1)).all())
    if groups == n and answers:
        low, high = wilson(int(values.sum()), n, level)
        return Estimate(float(values.mean()), low, high, n, groups, float(n), "Wilson")
    return share(
        float(values.mean()),
        _means_without(values, code, sizes),
        n,
        groups,
        level=level,
        answers=answers,
    )


def mean(values: np.ndarray, group: np.ndarray | None = None, level: float = 0.95) -> Estimate:
    """The mean of one number per image, of any range: value ± t · SE, SE by leaving one group out.

    Parameters
    ----------
    values : ndarray
        (n,), finite.
    group : ndarray, optional
        As in `proportion`.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    Estimate
        In the units of the values.

    Raises
    ------
    ValueError
        For no image or values that are not finite.

    Examples
    --------
    >>> print(mean(np.array([1.0, 2.0, 4.0, 9.0])))
    4.000 (-1.66 to 9.66, n = 4)
    """
    values = np.asarray(values, float)
    if not len(values) or not np.isfinite(values).all():
        raise ValueError("a mean needs at least one image, and finite values")
    code, sizes = _coded(values, group)
    return centred(
        float(values.mean()),
        _means_without(values, code, sizes),
        len(values),
        len(sizes),
        level=level,
    )


def centred(
    value: float,
    without: np.ndarray,
    n: int,
    groups: int,
    support: float | None = None,
    level: float = 0.95,
) -> Estimate:
    """A figure of any range: value ± t · SE, with support - 1 degrees of freedom.

    The standard error comes from the values of the figure without each group.

    Parameters
    ----------
    value : float
        In any units, or NaN.
    without : ndarray
        (G,), the figure without each group.
    n : int
        Images in its denominator.
    groups : int
        Groups among them.
    support : float, optional
        As in `share`.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    Estimate
        In the units of the figure; without interval for a support below 3.

    Raises
    ------
    ValueError
        For a bad level.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 4.0, 9.0])
    >>> print(centred(x.mean(), (x.sum() - x) / 3, n=4, groups=4))
    4.000 (-1.66 to 9.66, n = 4)
    >>> centred(4.0, np.array([3.0, 5.0]), n=4, groups=2).method
    'no interval: 2 group(s) on the scarcer side, 3 needed'
    """
    check_level(level)
    support = float(groups if support is None else support)
    if support < FEWEST or not np.isfinite(value):
        method = _too_few(support) if np.isfinite(value) else "undefined"
        return Estimate(value, np.nan, np.nan, n, groups, support, method)
    half = t_quantile(level, support - 1) * standard_error(without)
    return Estimate(value, value - half, value + half, n, groups, support, STUDENT)


def loss(
    values: np.ndarray,
    group: np.ndarray | None = None,
    level: float = 0.95,
    *,
    most: float = np.inf,
) -> Estimate:
    """The mean of a loss ≥ 0 per image (Brier score, log loss); its interval is on the log scale.

    A few groups may carry most of a loss: the support is the number of equal groups that would
    spread as much, (Σ L)² / Σ L² over the groups' sums L (at least two degrees of freedom), and the
    interval still covers less than it says where that is small.

    Parameters
    ----------
    values : ndarray
        (n,), 0 or more.
    group : ndarray, optional
        As in `proportion`.
    level : float
        Of confidence, in (0, 1).
    most : float
        The largest possible loss, at which the interval ends.

    Returns
    -------
    Estimate
        In the units of the loss.

    Raises
    ------
    ValueError
        For no image or a value below 0.

    Examples
    --------
    >>> print(loss(np.array([0.1, 0.2, 0.1, 0.3, 0.2, 0.1]), most=1.0))
    0.167 (0.09-0.30, n = 6)
    >>> loss(np.array([0.0, 0.0, 0.0, 0.9])).method
    'no interval: one of 4 groups carries it'
    """
    check_level(level)
    values = np.asarray(values, float)
    if not len(values) or not (values >= 0).all():
        raise ValueError("a loss needs at least one image, and values of 0 or more")
    code, sizes = _coded(values, group)
    sums = np.bincount(code, values)
    value, n, groups = float(values.mean()), len(values), len(sizes)
    support = float(sums.sum() ** 2 / (sums**2).sum()) if sums.any() else 0.0
    if groups < FEWEST or support < 1.5:
        carried = (
            f"no interval: one of {groups} groups carries it"
            if value
            else "no interval: nothing was lost"
        )
        return Estimate(
            value,
            np.nan,
            np.nan,
            n,
            groups,
            support,
            carried if groups >= FEWEST else _too_few(groups),
        )
    without = np.log(np.maximum(_means_without(values, code, sizes), np.finfo(float).tiny))
    half = t_quantile(level, max(support - 1, 2)) * standard_error(without)
    high = min(most, float(value * np.exp(min(half, 700.0))))
    method = (
        LOGARITHM if support >= CARRIERS else f"{LOGARITHM}; few groups carry it: may be too narrow"
    )
    return Estimate(value, float(value * np.exp(-half)), high, n, groups, support, method)


def groups_needed(estimate: Estimate, width: float, level: float = 0.95) -> int:
    """About how many groups of the same kind would give a figure in [0, 1] such an interval.

    Effective size and support are taken to grow with the number of groups.

    Parameters
    ----------
    estimate : Estimate
        With an interval, and a value in [0, 1].
    width : float
        Of the interval wanted, from low to high, in (0, 1).
    level : float
        That of the estimate.

    Returns
    -------
    int
        At least 3.

    Raises
    ------
    ValueError
        Unless 0 < width < 1, and for an estimate without interval or outside [0, 1].

    Examples
    --------
    >>> half = proportion(np.array([True, False] * 20))
    >>> print(half, groups_needed(half, 0.10))
    0.500 (0.35-0.65, n = 40) 360
    """
    if not 0 < width < 1 or not (np.isfinite(estimate.low) and 0 <= estimate.value <= 1):
        raise ValueError(
            "a width lies between 0 and 1, and the estimate is a figure in [0, 1] with an interval"
        )

    def width_at(size: float, support: float) -> float:
        low, high = score_interval(estimate.value, size, t_quantile(level, support - 1))
        return high - low

    support = max(estimate.support, 2.0)
    size = _narrowed(lambda s: width_at(s, support), estimate.high - estimate.low)
    times = _narrowed(lambda k: width_at(size * k, max(support * k, 2.0)), width)
    return max(FEWEST, int(np.ceil(times * estimate.groups - 1e-6)))


def _narrowed(width_at: Callable[[float], float], width: float) -> float:
    """The argument at which a falling function reaches `width`, by bisection."""
    few, many = 1e-3, 1.0
    while width_at(many) > width:
        many *= 2
    for _ in range(60):
        middle = (few + many) / 2
        few, many = (middle, many) if width_at(middle) > width else (few, middle)
    return many


def _too_few(support: float) -> str:
    return f"no interval: {support:.0f} group(s) on the scarcer side, {FEWEST} needed"


def _coded(values: np.ndarray, group: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Code of the group of each image, and the size of each group."""
    if group is None:
        return np.arange(len(values)), np.ones(len(values), int)
    if np.shape(group) != values.shape:
        raise ValueError(
            f"{len(values)} values and {np.shape(group)} groups: give one group per value"
        )
    _, code = np.unique(np.asarray(group), return_inverse=True)
    return code, np.bincount(code)


def _means_without(values: np.ndarray, code: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    sums, left = np.bincount(code, values), len(values) - sizes
    means = np.full(len(sizes), np.nan)
    np.divide(values.sum() - sums, left, out=means, where=left > 0)
    return means


def _effective_size(value: float, error: float, n: int, answers: bool) -> float:
    if not error > 0:
        return float(n)
    size = value * (1 - value) / error**2
    return float(min(size, n) if answers else size)
