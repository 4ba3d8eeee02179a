"""The mean of a score over images, with its interval by group and its n."""

import numpy as np
import pandas as pd

from .. import stats
from ..predictions import units


def average(
    values, table: pd.DataFrame, level: float = 0.95, *, signed: bool = False
) -> stats.Estimate:
    """Mean of one number per image, with its interval by group.

    Numbers that all lie in [0, 1] get the interval of a share (`stats.proportion`), the rest
    value ± t · SE.

    Parameters
    ----------
    values : array_like
        (n,), row i for row i of the table; NaN is left out, and n counts the rest.
    table : DataFrame
        With `image_id` and, if there, `group`.
    level : float
        Of confidence, in (0, 1).
    signed : bool
        True for numbers that may be negative, such as differences of two scores (a paired
        comparison) and correlations.

    Returns
    -------
    Estimate
        In the unit of the values.

    Raises
    ------
    ValueError
        Where the lengths differ or no value is there.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": ["a", "b", "c"]})
    >>> found = average([0.5, 0.7, float("nan")], table)
    >>> round(found.value, 2), found.n
    (0.6, 2)
    """
    numbers = np.asarray(values, float)
    if numbers.shape != (len(table),):
        raise ValueError(
            f"{numbers.shape} values for {len(table)} images: give one number per row of the table"
        )
    known = np.isfinite(numbers)
    if not known.any():
        raise ValueError("there is no value to average")
    group, numbers = units(table)[known], numbers[known]
    bounded = not signed and numbers.min() >= 0 and numbers.max() <= 1
    return (stats.proportion if bounded else stats.mean)(numbers, group, level)
