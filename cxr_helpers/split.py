"""Grouped, stratified train / validation / test splits and folds, written as a column; no file is moved.

scikit-learn's `StratifiedGroupKFold` does the work. Rows are first put in the order of
`image_id`, so the same seed gives the same split whatever the order of the table.
Introduced in lesson 04.
"""

from fractions import Fraction

import numpy as np
import pandas as pd

from .manifest import SPLITS

GRAIN = 20  # shares of a holdout become fractions of at most this denominator


class LeakError(ValueError):
    """Something that must stay on one side of a split stands on both; the message names it."""


def folds(table: pd.DataFrame, k: int = 5, seed: int = 0) -> pd.DataFrame:
    """The manifest with a `fold` column 0..k-1: whole groups, each class spread as evenly as groups allow.

    Raises ValueError where the table has no groups, a label is missing, or a class has fewer
    than `k` groups, or `k` is below 2. Introduced in lesson 04.
    """
    return table.assign(fold=pd.array(_assign(table, k, seed), dtype="Int64"))


def holdout(table: pd.DataFrame, test: float = 0.2, val: float = 0.2, seed: int = 0) -> pd.DataFrame:
    """The manifest with a `split` column `train` / `val` / `test`: whole groups, stratified by class.

    Parameters: `test`, `val`, shares of all images in [0, 1). First `test` is taken, then `val` of what is left, each
    as the nearest fraction m/n of it with n at most 20, and at most the number of groups of the rarest class: with
    four groups that is a half, a third or a quarter and their multiples, and never nothing. Groups stay whole, so the
    shares come out approximately. Raises ValueError where the shares leave nothing to train on, and as `folds` does.
    Introduced in lesson 04.
    """
    if not (0 <= test < 1 and 0 <= val < 1 and test + val < 1):
        raise ValueError(f"test={test} and val={val} must be shares in [0, 1) that leave a part to train on")
    split = np.full(len(table), "train", dtype=object)
    _take(table, split, "test", test, 1, seed)
    _take(table, split, "val", val, 1 - test, seed + 1)
    return table.assign(split=pd.Categorical(split, categories=SPLITS))


def _take(table: pd.DataFrame, split: np.ndarray, name: str, share: float, left: float, seed: int) -> None:
    """Move about `share` of all to `name`, in whole groups, from what is still `train`: `left` of all."""
    if share == 0:
        return
    rest = np.flatnonzero(split == "train")
    smallest = _smallest_class(table.iloc[rest])
    finest = min(GRAIN, int(smallest.iloc[0]))
    part = max(Fraction(share / left).limit_denominator(finest), Fraction(1, finest))
    if part == 1 < finest:
        raise ValueError(
            f"{name}={share:g} would take all of the {smallest.iloc[0]} group(s) that class {smallest.index[0]!r} has "
            "left, and leave nothing to train on; take a smaller share, or add images of that class"
        )
    fold = _assign(table.iloc[rest], part.denominator, seed)
    split[rest[fold < part.numerator]] = name


def _assign(table: pd.DataFrame, k: int, seed: int) -> np.ndarray:
    """Fold number of each row, independent of the order of the rows."""
    from sklearn.model_selection import StratifiedGroupKFold

    labels = table["label"].astype(object).to_numpy()
    smallest = _smallest_class(table)
    if smallest.iloc[0] < max(k, 2):
        raise ValueError(
            f"class {smallest.index[0]!r} has only {smallest.iloc[0]} group(s) of images, too few for {max(k, 2)} "
            "parts; take fewer folds, or add images of that class"
        )
    if k < 2:
        raise ValueError(f"k={k} is no number of folds: k >= 2 is needed, so that the others can be trained on")
    order = np.argsort(table["image_id"].to_numpy(str), kind="stable")
    splitter = StratifiedGroupKFold(n_splits=k, shuffle=True, random_state=seed)
    result = np.empty(len(table), int)
    groups = table["group"].to_numpy(str)[order]
    for number, (_, held_out) in enumerate(splitter.split(order, labels[order], groups)):
        result[order[held_out]] = number
    return result


def _smallest_class(table: pd.DataFrame) -> pd.Series:
    """The class with the fewest groups, and how many it has."""
    _need_groups(table)
    return table.groupby("label", observed=True)["group"].nunique().sort_values().head(1)


def _need_groups(table: pd.DataFrame) -> None:
    if "group" not in table or table["group"].isna().any():
        raise ValueError("the table has images without a group; call duplicates.add_groups(table) first")
    if table["label"].isna().any():
        missing = ", ".join(table.loc[table["label"].isna(), "image_id"].head(3))
        raise ValueError(f"images without a label cannot be split by class, e.g. {missing}; drop or label them")


def assert_disjoint(
    table: pd.DataFrame, by: tuple[str, ...] = ("group", "patient", "sha256"), column: str = "split"
) -> None:
    """Raise `LeakError` naming what stands on more than one side of the split.

    Parameters: `by`, the columns whose values must each stay on one side (unknown values are
    passed over); `column`, `split` or `fold`. Introduced in lesson 04.
    """
    leaks = [leak for name in by if name in table for leak in _leaks(table, name, column)]
    if leaks:
        more = f"\n  … and {len(leaks) - 10} more" if len(leaks) > 10 else ""
        raise LeakError(f"{len(leaks)} value(s) on several sides of the split:\n  " + "\n  ".join(leaks[:10]) + more)


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
