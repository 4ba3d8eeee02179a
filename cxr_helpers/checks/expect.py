"""Reading an answer: each function returns it in a plain type, or raises `Wrong` and says why."""

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from ._running import Wrong


def kind(value) -> str:
    """Name of a value's type with its article, as a student would say it."""
    if value is None:
        return "None"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def number(value, what: str = "the answer") -> float:
    """A finite number, from a Python or NumPy number or an array of one element."""
    if isinstance(value, (str, bytes, bool, np.bool_)) or np.size(value) != 1:
        raise Wrong(f"{what} should be one number, not {kind(value)}.")
    try:
        result = float(np.asarray(value).reshape(()).item())
    except (TypeError, ValueError):
        raise Wrong(f"{what} should be one number, not {kind(value)}.") from None
    if not math.isfinite(result):
        raise Wrong(f"{what} is {result}: look for a division 0/0 or the mean of an empty list.")
    return result


def array(value, shape: tuple[int, ...], what: str = "the answer") -> np.ndarray:
    """A float array of the given shape (-1: any length) without NaN or infinity."""
    try:
        result = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise Wrong(f"{what} should be an array of numbers, not {kind(value)}.") from None
    if len(result.shape) != len(shape) or any(
        b not in (-1, a) for a, b in zip(result.shape, shape, strict=True)
    ):
        wanted = " × ".join("n" if side == -1 else str(side) for side in shape) or "one number"
        raise Wrong(
            f"{what} should have the shape {wanted}, not "
            f"{' × '.join(map(str, result.shape)) or 'one number'}."
        )
    if not np.isfinite(result).all():
        raise Wrong(f"{what} holds NaN or infinity.")
    return result


def truth(value, what: str = "the answer") -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise Wrong(f"{what} should be True or False, not {kind(value)}.")
    return bool(value)


def choice(value, options: Iterable[str], what: str = "the answer") -> str:
    """One of the options; case and surrounding blanks do not count."""
    known = {str(option).lower(): option for option in options}
    if not isinstance(value, str) or value.strip().lower() not in known:
        raise Wrong(
            f"{what} should be one of {', '.join(map(repr, known.values()))}, not {value!r:.60}."
        )
    return known[value.strip().lower()]


def choices(value, keys: Iterable[str], options: Iterable[str], what: str = "the answer") -> dict:
    """A dictionary from each of the keys to one of the options, in the keys' order.

    A column of a table does, too; case and surrounding blanks do not count.
    """
    keys, options = list(keys), list(options)
    if isinstance(value, pd.Series):
        value = value.to_dict()
    if not isinstance(value, dict):
        raise Wrong(f"{what} should be a dict from each letter to a word, not {kind(value)}.")
    given = {choice(key, keys, "each key"): word for key, word in value.items()}
    if missing := [key for key in keys if key not in given]:
        raise Wrong(f"{what} says nothing of {', '.join(missing)}.")
    return {key: choice(given[key], options, f"what {what} says of {key}") for key in keys}


def names(value, known: Iterable[str], what: str = "the answer") -> list[str]:
    """Names out of those known, each once, in the given order.

    From a list, set, array, column or index; paths count as the file's name.
    """
    if isinstance(value, (str, bytes, dict, pd.DataFrame)) or not isinstance(value, Iterable):
        raise Wrong(f"{what} should be a list of names, not {kind(value)}.")
    found = list(dict.fromkeys(re.split(r"[/\\]", str(item))[-1] for item in value))
    if strange := [name for name in found if name not in set(known)]:
        raise Wrong(f"{what} names {strange[0]!r:.60}, which does not occur.")
    return found


def table(value, columns: Iterable[str] = (), what: str = "the answer") -> pd.DataFrame:
    """A table that has the columns."""
    if not isinstance(value, pd.DataFrame):
        raise Wrong(f"{what} should be a table (DataFrame), not {kind(value)}.")
    if missing := [column for column in columns if column not in value.columns]:
        raise Wrong(f"{what} has no column {', '.join(map(repr, missing))}.")
    return value


def column(value, index: pd.Index, what: str = "the answer") -> pd.Series:
    """One value per row, in row order: a column with the table's index, or a list or array.

    A list or array is of the same length.
    """
    if isinstance(value, (str, bytes, dict, set, pd.DataFrame)) or not hasattr(value, "__len__"):
        raise Wrong(f"{what} should be a column with one value per row, not {kind(value)}.")
    if len(value) != len(index):
        raise Wrong(f"{what} should have one value per row: {len(index)}, not {len(value)}.")
    if isinstance(value, pd.Series) and set(value.index) == set(index):
        return value.reindex(index)
    return pd.Series(list(value), index=index)


def numbers(value, keys: Iterable[str], what: str = "the answer") -> dict[str, float]:
    """A dictionary of finite numbers with just these keys, in their order."""
    keys = list(keys)
    if not isinstance(value, dict) or set(value) != set(keys):
        listed = " and ".join(filter(None, [", ".join(map(repr, keys[:-1])), repr(keys[-1])]))
        raise Wrong(f"{what} should be a dict with the keys {listed}, not {kind(value)}.")
    return {key: number(value[key], f"the number under {key!r}") for key in keys}


def near(tolerance: float) -> Callable[[Any, Any], bool]:
    """Make a test of two numbers, arrays, or dictionaries of them: nowhere further apart."""

    def alike(a, b) -> bool:
        if isinstance(a, dict):
            return all(alike(a[key], b[key]) for key in b)
        return bool(np.abs(np.subtract(a, b)).max() <= tolerance)

    return alike


def same(a, b) -> bool:
    """Whether two answers say the same: numbers up to 1e-9, tables and arrays by element."""
    try:
        if isinstance(a, (pd.DataFrame, pd.Series)) or isinstance(b, (pd.DataFrame, pd.Series)):
            return type(a) is type(b) and a.equals(b)
        if isinstance(a, str) or isinstance(b, str) or isinstance(a, dict) or isinstance(b, dict):
            return type(a) is type(b) and bool(a == b)
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            return False
        if a.dtype.kind in "fiub" and b.dtype.kind in "fiub":
            return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True))
        return bool((a == b).all())
    except (TypeError, ValueError, AttributeError):
        return False
