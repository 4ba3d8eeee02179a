"""The share of rows for which something holds, with an interval by group; and the limit that a share sets."""

from dataclasses import asdict

import numpy as np
import pandas as pd

from .. import evaluate


def share(table: pd.DataFrame, flag: str, **options) -> evaluate.Estimate:
    """The share of rows in which the boolean column `flag` holds, in [0, 1], with its interval and n.

    `table`: one row per image; where it has `group`, whole groups are resampled, and Wilson's interval is used where
    each group is one image (see `evaluate.metrics`). `options` are level, resamples, seed.
    Raises ValueError for a missing column or an empty table. Introduced in lesson 12.
    """
    if flag not in table or table.empty:
        raise ValueError(f"the table has no {'rows' if table.empty else 'column ' + flag}")
    holds = table[flag].to_numpy(bool)
    columns = {"image_id": np.arange(len(table)), "label": "yes", "predicted": np.where(holds, "yes", "no")}
    counted = pd.DataFrame(columns).assign(p_yes=holds.astype(float), p_no=1.0 - holds)
    if "group" in table:
        counted["group"] = table["group"].astype(object).where(table["group"].notna(), None).to_numpy()
    return evaluate.metric(counted, "accuracy", **options)


def shares(table: pd.DataFrame, flag: str, by: str, **options) -> pd.DataFrame:
    """`share` for each value of the column `by`, in order of appearance: by, value, low, high, n, groups, method.

    Introduced in lesson 12.
    """
    if by not in table:
        raise ValueError(f"the table has no column {by}")
    parts = table.groupby(by, sort=False, observed=True)
    return pd.DataFrame([{by: name} | asdict(share(rows, flag, **options)) for name, rows in parts])


def upper_limit(scores: np.ndarray, coverage: float, group=None) -> float:
    """The score at or below which a new one falls with probability `coverage` at least, if it is of the same kind.

    Each group weighs 1, its scores share that weight, and the new group weighs 1 at infinity: with G groups of one
    score each it is the ⌈(G + 1) · coverage⌉-th smallest. Infinity where G is too small for the coverage.
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
