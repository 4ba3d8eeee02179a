"""The mean of a score over images, with its interval by group and its n."""

import numpy as np
import pandas as pd

from .. import stats
from ..predictions import units


def average(
    values, table: pd.DataFrame, level: float = 0.95, *, signed: bool = False
) -> stats.Estimate:
    """Mean of one number per image, with its interval by group.

    Parameters: `values`, (n,), row i for row i of the table (`image_id`, `group`); NaN is left out,
    and n counts the rest; `signed`, True for numbers that may be negative, such as differences of
    two scores (a paired comparison) and correlations. Other numbers that all lie in [0, 1] get the
    interval of a share (`stats.proportion`), the rest value ± t · SE. Raises ValueError where the
    lengths differ or no value is there.
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
