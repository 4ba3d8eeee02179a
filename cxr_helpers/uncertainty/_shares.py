"""The share of rows for which something holds, with an interval by group; a share's limit.

The share comes with its interval.
"""

import numpy as np
import pandas as pd

from .. import stats
from ..predictions import units


def share(table: pd.DataFrame, flag: str, level: float = 0.95) -> stats.Estimate:
    """The share of rows for which something holds, in [0, 1], with interval and n.

    Parameters
    ----------
    table : DataFrame
        One row per image; where it has `group`, the interval is by group (`stats.proportion`).
    flag : str
        A boolean column.
    level : float
        Of confidence, in (0, 1).

    Returns
    -------
    Estimate
        In [0, 1].

    Raises
    ------
    ValueError
        For a missing column or an empty table.

    Examples
    --------
    >>> print(share(pd.DataFrame({"accepted": [True] * 9 + [False]}), "accepted"))
    0.900 (0.60-0.98, n = 10)
    """
    if flag not in table or table.empty:
        raise ValueError(f"the table has no {'rows' if table.empty else 'column ' + flag}")
    named = table if "image_id" in table else table.assign(image_id=np.arange(len(table)))
    return stats.proportion(table[flag].to_numpy(bool), units(named), level)


def upper_limit(scores: np.ndarray, coverage: float, group=None) -> float:
    """The score below which new scores of the same kind fall with probability ≥ `coverage`.

    A score at the limit counts as below it.

    Each group weighs 1, its scores share that weight, and the new group weighs 1 at infinity: with
    G groups of one score each it is the ⌈(G + 1) · coverage⌉-th smallest. Infinity where G is too
    small for the coverage.
    """
    scores = np.asarray(scores, float)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage is a share between 0 and 1, such as 0.9, not {coverage}")
    if not len(scores) or np.isnan(scores).any():
        raise ValueError("a limit needs at least one score, and none of them may be missing")
    code = np.arange(len(scores)) if group is None else pd.factorize(np.asarray(group))[0]
    weight = 1 / np.bincount(code)[code]
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weight[order]) >= coverage * (code.max() + 2) - 1e-9
    return float(scores[order][reached.argmax()]) if reached.any() else np.inf
