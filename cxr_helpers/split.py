"""Grouped, stratified train / validation / test splits and folds as a column; no file is moved.

Groups are assigned as scikit-learn 1.8 and later do in `StratifiedGroupKFold(shuffle=True)`;
earlier versions lose the classes when they shuffle. The arithmetic stands here, so the same seed
gives the same split whatever the order of the table and whichever libraries are installed.
"""

import warnings
from fractions import Fraction

import numpy as np
import pandas as pd

from .manifest import SPLITS

GRAIN = 20  # shares of a holdout become fractions of at most this denominator


class LeakError(ValueError):
    """Something that must stay on one side of a split stands on both; the message names it."""


def folds(table: pd.DataFrame, k: int = 5, seed: int = 0) -> pd.DataFrame:
    """The manifest with a column `fold` 0..k-1: whole groups, classes spread as evenly as possible.

    Parameters
    ----------
    table : DataFrame
        A manifest whose `group` and `label` are filled.
    k : int
        Folds, 2 or more.
    seed : int
        Another seed gives another assignment; the order of the rows does not matter.

    Returns
    -------
    DataFrame
        A copy; `fold` is `Int64`.

    Raises
    ------
    ValueError
        Where the table has no groups, a label is missing, or a class has fewer than `k` groups, or
        `k` is below 2.

    Warns
    -----
    UserWarning
        Where a fold, or a class in it, is far from its share 1/k, as one large group makes it.

    Examples
    --------
    >>> table = pd.DataFrame({"group": list("aabbccdd"), "label": ["normal"] * 4 + ["covid"] * 4})
    >>> found = folds(table, k=2)
    >>> found.groupby("group")["fold"].nunique().tolist()
    [1, 1, 1, 1]
    >>> found.groupby("fold")["label"].nunique().tolist()
    [2, 2]
    """
    fold = _assign(table, k, seed)
    _say_if_far(table, {f"fold {number}": (fold == number, 1 / k) for number in range(k)})
    return table.assign(fold=pd.array(fold, dtype="Int64"))


def holdout(
    table: pd.DataFrame, test: float = 0.2, val: float = 0.2, seed: int = 0
) -> pd.DataFrame:
    """The manifest with a column `split` (train, val, test): whole groups, stratified by class.

    First `test` is taken, then `val` of what is left, each as the nearest fraction m/n of it with n
    at most 20, and at most the number of groups of the rarest class: with four groups that is a
    half, a third or a quarter and their multiples, and never nothing. Groups stay whole, so the
    shares come out approximately.

    Parameters
    ----------
    table : DataFrame
        A manifest whose `group` and `label` are filled.
    test, val : float
        Shares of all images, in [0, 1).
    seed : int
        Another seed gives another assignment; the order of the rows does not matter.

    Returns
    -------
    DataFrame
        A copy; `split` is categorical.

    Raises
    ------
    ValueError
        Where the shares leave nothing to train on, and as `folds` does.

    Warns
    -----
    UserWarning
        As `folds` does.

    Examples
    --------
    >>> groups = [f"g{k // 2}" for k in range(40)]
    >>> table = pd.DataFrame({"group": groups, "label": ["normal", "covid"] * 20})
    >>> found = holdout(table, test=0.2, val=0.2)
    >>> found["split"].value_counts(sort=False).to_dict()
    {'train': 24, 'val': 8, 'test': 8}
    """
    if not (0 <= test < 1 and 0 <= val < 1 and test + val < 1):
        raise ValueError(
            f"test={test} and val={val} must be shares in [0, 1) that leave a part to train on"
        )
    split = np.full(len(table), "train", dtype=object)
    _take(table, split, "test", test, 1, seed)
    _take(table, split, "val", val, 1 - test, seed + 1)
    _say_if_far(
        table,
        {name: (split == name, share) for name, share in (("test", test), ("val", val)) if share},
    )
    return table.assign(split=pd.Categorical(split, categories=SPLITS))


def _take(
    table: pd.DataFrame, split: np.ndarray, name: str, share: float, left: float, seed: int
) -> None:
    """Move about `share` of all to `name`, in whole groups, from `left`, what is still `train`."""
    if share == 0:
        return
    rest = np.flatnonzero(split == "train")
    smallest = _smallest_class(table.iloc[rest])
    finest = min(GRAIN, int(smallest.iloc[0]))
    part = max(Fraction(share / left).limit_denominator(finest), Fraction(1, finest))
    if part == 1 < finest:
        raise ValueError(
            f"{name}={share:g} would take all of the {smallest.iloc[0]} group(s) that class "
            f"{smallest.index[0]!r} has left, and leave nothing to train on; take a smaller share, "
            "or add images of that class"
        )
    fold = _assign(table.iloc[rest], part.denominator, seed)
    split[rest[fold < part.numerator]] = name


def _assign(table: pd.DataFrame, k: int, seed: int) -> np.ndarray:
    """Fold number of each row, independent of the order of the rows."""
    smallest = _smallest_class(table)
    if smallest.iloc[0] < max(k, 2):
        raise ValueError(
            f"class {smallest.index[0]!r} has only {smallest.iloc[0]} group(s) of images, too few "
            f"for {max(k, 2)} parts; take fewer folds, or add images of that class"
        )
    if k < 2:
        raise ValueError(
            f"k={k} is no number of folds: k >= 2 is needed, so that the others can be trained on"
        )
    names, group = np.unique(table["group"].to_numpy(str), return_inverse=True)
    labels, label = np.unique(table["label"].to_numpy(str), return_inverse=True)
    counts = np.zeros((len(names), len(labels)), np.int64)
    np.add.at(counts, (group, label), 1)
    return _fold_of_groups(counts, k, seed)[group]


def _fold_of_groups(counts: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Fold of each group, (n,), from its images by class, integers (n, classes).

    The groups stand in the order of their names.

    The groups are shuffled; then those whose classes differ most come first, equal ones as
    shuffled. Each goes to the fold where the classes lie most evenly over all folds afterwards (see
    `_unevenness`). The folds are gone through by number: one replaces the best so far if it is more
    even, or as even (to 1e-5) with fewer images. Folds that are equal in both differ by rounding
    only; the additions have a fixed order, so that rounding decides alike everywhere.
    """
    shuffled = np.random.RandomState(seed).permutation(len(counts))
    # a variance, in integers
    spread = counts.shape[1] * (counts**2).sum(axis=1) - counts.sum(axis=1) ** 2
    total = counts.sum(axis=0)
    filled = np.zeros((k, counts.shape[1]), np.int64)
    fold = np.empty(len(counts), int)
    for group in shuffled[np.argsort(-spread[shuffled], kind="stable")]:
        uneven = _unevenness(filled, counts[group], total)
        sizes = filled.sum(axis=1)
        best = 0
        for other in range(1, k):
            near = abs(uneven[other] - uneven[best]) <= 1e-8 + 1e-5 * uneven[best]
            if uneven[other] < uneven[best] or (near and sizes[other] < sizes[best]):
                best = other
        filled[best] += counts[group]
        fold[group] = best
    return fold


def _unevenness(filled: np.ndarray, group: np.ndarray, total: np.ndarray) -> np.ndarray:
    """How unevenly each class would lie over the folds if the group went to fold i: float (k,).

    The standard deviation, over the folds, of the share of a class that a fold holds; the mean over
    the classes.
    """
    k = len(filled)
    # (k tried, k folds, classes)
    tried = (filled + np.eye(k, dtype=np.int64)[:, :, None] * group) / total
    apart = tried - _sum(tried, 1)[:, None] / k
    deviation = np.sqrt(_sum(apart * apart, 1) / k)
    return _sum(deviation, 1) / len(total)


def _sum(values: np.ndarray, axis: int) -> np.ndarray:
    """The sum, added in order: NumPy's sum may take another order, and round otherwise."""
    total: np.ndarray = np.add.accumulate(values, axis=axis).take(-1, axis=axis)
    return total


def _say_if_far(table: pd.DataFrame, parts: dict[str, tuple[np.ndarray, float]]) -> None:
    """Warn of the part whose share, of all images or a class, is far from what was asked.

    `parts`: {name: (its rows, the share asked)}. Far is more than a tenth of the rows, half of what
    was asked (or of the rest) and two images: sets of a few dozen images come out that far in the
    best case.
    """
    of = {"all images": np.ones(len(table), bool)}
    of |= {
        f"class {label!r}": (table["label"] == label).to_numpy(bool)
        for label in table["label"].unique()
    }
    found = []
    for name, (chosen, asked) in parts.items():
        for what, rows in of.items():
            share = float(chosen[rows].mean())
            beyond = abs(share - asked) - max(0.1, min(asked, 1 - asked) / 2, 2 / rows.sum())
            found.append((beyond, name, asked, share, what))
    beyond, name, asked, share, what = max(found, default=(0, "", 0, 0, ""))
    if beyond > 1e-9:
        sizes = table.loc[of[what], "group"].value_counts()
        warnings.warn(
            f"{name} was to hold {asked:.0%} and holds {share:.0%} of {what}: groups stay whole, "
            f"and of {len(sizes)} the largest, {sizes.index[0]!r}, has {sizes.iloc[0]} of "
            f"{sizes.sum()} images. See whether that is one group; if so, ask for another share, "
            "or get more groups",
            stacklevel=3,
        )


def _smallest_class(table: pd.DataFrame) -> pd.Series:
    """The class with the fewest groups, and how many it has."""
    _need_groups(table)
    return table.groupby("label", observed=True)["group"].nunique().sort_values().head(1)


def _need_groups(table: pd.DataFrame) -> None:
    if "group" not in table or table["group"].isna().any():
        raise ValueError(
            "the table has images without a group; call duplicates.add_groups(table) first"
        )
    if table["label"].isna().any():
        missing = ", ".join(table.loc[table["label"].isna(), "image_id"].head(3))
        raise ValueError(
            f"images without a label cannot be split by class, e.g. {missing}; drop or label them"
        )


def assert_disjoint(
    table: pd.DataFrame, by: tuple[str, ...] = ("group", "patient", "sha256"), column: str = "split"
) -> None:
    """Raise `LeakError` naming what stands on more than one side of the split.

    Parameters
    ----------
    table : DataFrame
        A manifest with the column.
    by : tuple of str
        The columns whose values must each stay on one side (unknown values are passed over).
    column : str
        `split` or `fold`.

    Raises
    ------
    LeakError
        Lists the first ten values, with their images.
    ValueError
        Where no row has a side.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": ["1", "2"], "patient": ["p", "p"]})
    >>> table["split"] = ["train", "test"]
    >>> assert_disjoint(table)
    Traceback (most recent call last):
    cxr_helpers.split.LeakError: 1 value(s) on several sides of the split:
      patient p: 1 (train), 2 (test)
    """
    if column not in table.columns or table[column].isna().all():
        raise ValueError(
            f"No row has a {column}: nothing is split yet, so nothing is shown. Split first."
        )
    leaks = [leak for name in by if name in table for leak in _leaks(table, name, column)]
    if leaks:
        more = f"\n  … and {len(leaks) - 10} more" if len(leaks) > 10 else ""
        raise LeakError(
            f"{len(leaks)} value(s) on several sides of the split:\n  "
            + "\n  ".join(leaks[:10])
            + more
        )


def _leaks(table: pd.DataFrame, name: str, column: str) -> list[str]:
    """One line for each value of column `name` that has rows in several parts."""
    used = table[table[name].notna() & table[column].notna()]
    parts = used.groupby(name, observed=True)[column].nunique()
    lines = []
    for value in parts.index[parts > 1]:
        rows = used[used[name] == value].sort_values("image_id")
        where = ", ".join(f"{i} ({p})" for i, p in zip(rows["image_id"], rows[column], strict=True))
        lines.append(f"{name} {str(value)[:40]}: {where}")
    return lines
