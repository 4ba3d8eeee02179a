"""A table of predictions from anybody's arrays: labels, and the answers of any model."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..predictions import PredictionsError, as_text, check, mixed, probabilities, with_probabilities

MOST_CLASSES = 100  # more different labels are numbers or names of images, not classes
ZERO_ONE = (["0", "1"], ["False", "True"])


def from_arrays(
    labels: ArrayLike,
    answers: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    classes: Iterable[Any] | None = None,
    positive: Any = None,
) -> pd.DataFrame:
    """The table of predictions of any model, from any framework, one row per image.

    image_id is the position, 0 ... n - 1. Where only classes are given, each p_<class> is 0 or 1:
    see `has_probabilities`.

    Parameters
    ----------
    labels : array_like
        (n,), true classes.
    answers : array_like
        (n,) classes; or (n, K) probabilities, a column per class in the order of `classes`; or (n,)
        probabilities of the class `positive`.
    groups : array_like, optional
        (n,), what is not independent, such as the patient of each image; without it each image
        counts as independent.
    classes : iterable, optional
        By default the sorted labels, as scikit-learn's `classes_` are; a DataFrame of probabilities
        whose columns are the classes brings its own order.
    positive : str or int, optional
        The class that one number per image is the probability of: 1 where the labels are 0 and 1;
        it has to be named for two other classes (it is then predicted from 0.5 on).

    Returns
    -------
    DataFrame
        A table of predictions, checked.

    Raises
    ------
    ValueError
        For arrays that do not fit.
    PredictionsError
        For what they hold.

    Examples
    --------
    >>> from_arrays([1, 0], [0.75, 0.3]).to_dict("records")[0]
    {'image_id': 0, 'label': '1', 'p_0': 0.25, 'p_1': 0.75, 'predicted': '1'}
    >>> from_arrays(["a", "b", "c"], np.eye(3), groups=["x", "x", "y"])["predicted"].tolist()
    ['a', 'b', 'c']
    """
    truth = _classes_of(_vector(labels, "labels"), "labels")
    given = answers if isinstance(answers, pd.DataFrame) else np.asarray(answers)
    # a column, as Keras and PyTorch give it for one output
    if given.ndim == 2 and given.shape[1] == 1:
        given = np.asarray(given)[:, 0]
    if given.ndim not in (1, 2) or len(given) != len(truth):
        raise ValueError(
            f"{len(truth)} labels and answers of shape {given.shape}: give one answer per image"
        )
    names = _names(labels, given, classes, several=given.ndim == 2)
    of_one = given.ndim == 1 and given.dtype.kind in "fiub"
    if positive is not None and not of_one:
        raise ValueError(
            "positive= goes with one number per image; these answers are classes, or a column per "
            "class"
        )
    if given.ndim == 2:
        p, predicted = _columns(given, names), None
    elif positive is None and (not of_one or set(as_text(pd.Series(given))) <= set(names)):
        p, predicted = None, _classes_of(_vector(answers, "answers"), "answers")
    else:
        score = _numbers(given, names)
        names, positive = two_classes(names, positive)
        p, predicted = from_score(score, names, positive)
    return tabled(np.arange(len(truth)), truth, names, p, predicted, groups)


def has_probabilities(predictions: pd.DataFrame) -> bool:
    """Whether a table holds more than a class per image: some probability is neither 0 nor 1.

    If not, ROC curve, average precision and calibration say nothing that the confusion matrix does
    not.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.

    Returns
    -------
    bool
        False where classes were all that was given.

    Examples
    --------
    >>> has_probabilities(from_arrays([1, 0], [0.8, 0.3]))
    True
    >>> has_probabilities(from_arrays([1, 0], [1, 1]))
    False
    """
    p = probabilities(predictions)
    return bool(((p > 0) & (p < 1)).any())


def tabled(
    ids: ArrayLike,
    truth: np.ndarray,
    names: list[str],
    p: Any,
    predicted: np.ndarray | None,
    groups: ArrayLike | None,
    kept: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """The checked table, from texts and numbers.

    `p`: (n, K), or None where each is 0 or 1; `predicted`: None for the most probable class;
    `kept`: further columns.
    """
    if len(names) > MOST_CLASSES:
        raise PredictionsError(
            f"{len(names):,} different classes: do the labels, such as {names[0]!r}, name a class?"
        )
    truth = np.asarray(truth, object)
    for what, said in (("labels", truth), ("answers", predicted)):
        strange = sorted(set() if said is None else set(said) - set(names))
        if strange:
            raise PredictionsError(
                f"the {what} hold {strange}, which is none of the classes {names}"
            )
    if len(names) < 2:
        raise PredictionsError(f"one class only, {names}: name all classes that could be answered")
    if predicted is not None:
        code = pd.Categorical(predicted, categories=names).codes
        p = np.eye(len(names))[code] if p is None else p
    else:
        code = p.argmax(axis=1)
    table = pd.DataFrame({"image_id": ids})
    if groups is not None:
        group = pd.Series(groups).reset_index(drop=True)
        if len(group) != len(truth):
            raise ValueError(
                f"{len(truth)} labels and {len(group)} groups: give one group per image"
            )
        table["group"] = group
    table["label"] = pd.Categorical(truth, categories=names)
    table = with_probabilities(table.assign(**(kept or {})), p, names)
    return check(table.assign(predicted=pd.Categorical.from_codes(code, categories=names)))


def two_classes(names: list[str], positive: Any) -> tuple[list[str], str]:
    """Both classes in order, and the one a single score is of; refused where that is unknown."""
    names = next((pair for pair in ZERO_ONE if set(names) <= set(pair)), names)
    if len(names) != 2:
        raise PredictionsError(
            f"one number per image, and the classes {names}: give a probability for each class"
        )
    wanted = names[1] if positive is None and names in ZERO_ONE else positive
    if wanted is None:
        raise PredictionsError(
            f"one number per image: say of which class it is the probability, positive={names}"
        )
    wanted = as_text(pd.Series([wanted]))[0]
    if wanted not in names:
        raise PredictionsError(f"positive={wanted!r} is none of the classes {names}")
    return names, wanted


def from_score(score: np.ndarray, names: list[str], positive: str) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 2) from those of one of two classes, and the class predicted.

    The positive one from 0.5 on.
    """
    other = names[1 - names.index(positive)]
    p = np.column_stack([score if name == positive else 1 - score for name in names])
    return p, np.where(score >= 0.5, positive, other).astype(object)


def _vector(values: Any, what: str) -> pd.Series:
    """One value per image; a column (n, 1) counts as such."""
    if not isinstance(values, pd.Series):
        array = values if isinstance(values, pd.Categorical) else np.asarray(values)
        if array.ndim == 2 and array.shape[1] == 1:
            array = array[:, 0]
        if array.ndim != 1:
            hint = (
                "; for one column per class pass the class, such as labels.argmax(axis=1)"
                if array.ndim == 2
                else ""
            )
            raise ValueError(f"{what} is (n,), one class per image, not {array.shape}{hint}")
        values = pd.Series(array)
    if not len(values):
        raise ValueError(f"{what} is empty")
    return values.reset_index(drop=True)


def _classes_of(column: pd.Series, what: str) -> np.ndarray:
    missing = np.flatnonzero(column.isna())
    if len(missing):
        raise PredictionsError(f"{what} has no value in {len(missing)} row(s), first {missing[0]}")
    if mixed(column):
        raise PredictionsError(
            f"{what} is text in some rows and a number in others: make all of them text"
        )
    said: np.ndarray = as_text(column).to_numpy(object)
    return said


def _names(
    labels: ArrayLike, given: Any, classes: Iterable[Any] | None, several: bool
) -> list[str]:
    """The classes as text, in the order that the columns of `given` have."""
    column = _vector(labels, "labels")
    if classes is not None:
        order = list(classes)
    elif isinstance(given, pd.DataFrame) and set(as_text(column)) <= set(map(str, given.columns)):
        order = list(given.columns)
    else:
        order = (
            list(column.cat.categories)
            if hasattr(column, "cat")
            else sorted(column.unique().tolist())
        )
        if several and order != sorted(order):
            raise ValueError(
                f"which column of answers is which class? The labels' categories are {order}, and "
                f"scikit-learn would order its columns as {sorted(order)}: pass classes="
            )
    names: list[str] = as_text(pd.Series(order)).tolist()
    if len(set(names)) < len(names):
        raise ValueError(f"classes names one twice: {names}")
    return names


def _numbers(given: np.ndarray, names: list[str]) -> np.ndarray:
    """Numbers in [0, 1]; what else they may be is said."""
    try:
        p = np.asarray(given, float)
    except (TypeError, ValueError):
        raise PredictionsError(
            "answers are no numbers: give classes (n,), or probabilities"
        ) from None
    wrong = ~np.isfinite(p)
    if wrong.any():
        raise PredictionsError(
            f"answers have no finite number in {wrong.sum()} place(s), first in row {_first(wrong)}"
        )
    outside = (p < 0) | (p > 1)
    if outside.any() and p.ndim == 1 and (p % 1 == 0).all():
        raise PredictionsError(
            f"the answers hold {np.unique(p[outside])[:5].tolist()}, none of the classes {names}"
        )
    if (np.maximum(-p, p - 1) > 1e-6).any():
        raise PredictionsError(
            f"answers lie between {p.min():.3g} and {p.max():.3g}, probabilities between 0 and 1 "
            f"(first in row {_first(outside)}): are these logits? Apply the softmax, or for one "
            "output the sigmoid"
        )
    return p.clip(0, 1)


def _first(wrong: np.ndarray) -> int:
    return int(np.argwhere(wrong)[0][0])


def _columns(given: Any, names: list[str]) -> np.ndarray:
    if given.shape[1] != len(names):
        raise ValueError(
            f"answers has {given.shape[1]} columns, and the classes are {names}: pass classes= in "
            "the columns' order"
        )
    return _numbers(np.asarray(given), names)
