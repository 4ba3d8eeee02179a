"""The second of the two tables: what a model said of each image, one row per image (and seed).

Its columns: `image_id`; `group`, what is not independent (without it each image counts as
independent); `label`, the true class; one `p_<class>` for each class; `predicted`; and, where they
are known, `model`, `seed`, `split`, `fold`, `source`. Whatever reads or writes such a table does it
here; no other module spells the name of a column p_<class>.
"""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

TOLERANCE = 1e-3  # float16 exports round each probability by up to 5e-4
# What `build` keeps of the manifest.
KEPT = ("image_id", "group", "patient", "source", "label", "split", "fold")

__all__ = [
    "KEPT",
    "TOLERANCE",
    "Arrays",
    "PredictionsError",
    "as_text",
    "build",
    "check",
    "classes",
    "columns",
    "mixed",
    "of_class",
    "one_run",
    "paired",
    "probabilities",
    "seeds",
    "to_arrays",
    "units",
    "with_probabilities",
]


class PredictionsError(ValueError):
    """The table of predictions is not usable; the message lists every fault and what to do."""


# --- the columns ----------------------------------------------------------------------------------


def columns(names: Iterable[str]) -> list[str]:
    """Names of the columns that hold the probabilities of these classes.

    Parameters
    ----------
    names : iterable of str
        Classes.

    Returns
    -------
    list of str
        One name for each class, in the same order.

    Examples
    --------
    >>> columns(["normal", "covid"])
    ['p_normal', 'p_covid']
    """
    return [f"p_{name}" for name in names]


def classes(predictions: pd.DataFrame) -> list[str]:
    """Names of the classes, in the order of the columns ``p_<class>``.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, checked or not.

    Returns
    -------
    list of str
        Empty where there is no such column.

    Examples
    --------
    >>> classes(pd.DataFrame({"image_id": ["a"], "p_normal": [0.2], "p_covid": [0.8]}))
    ['normal', 'covid']
    """
    return [column[2:] for column in map(str, predictions.columns) if column.startswith("p_")]


def probabilities(predictions: pd.DataFrame, names: Iterable[str] | None = None) -> np.ndarray:
    """The probabilities of a table as an array.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    names : iterable of str, optional
        The classes wanted, in this order; by default all, in the order of `classes`.

    Returns
    -------
    ndarray
        float (rows, classes), in the table's order of rows.

    Examples
    --------
    >>> probabilities(pd.DataFrame({"image_id": ["a"], "p_normal": [0.2], "p_covid": [0.8]}))
    array([[0.2, 0.8]])
    """
    p: np.ndarray = predictions[columns(classes(predictions) if names is None else names)].to_numpy(
        float
    )
    return p


def with_probabilities(
    predictions: pd.DataFrame, p: np.ndarray, names: Iterable[str] | None = None
) -> pd.DataFrame:
    """A copy of a table with these probabilities; every other column, also `predicted`, stays.

    Parameters
    ----------
    predictions : DataFrame
        A table with one row for each row of `p`.
    p : ndarray
        (rows, classes), in [0, 1].
    names : iterable of str, optional
        The classes of the columns of `p`; by default those of the table. A class that has no column
        yet gets one, at the end.

    Returns
    -------
    DataFrame
        Probabilities are replaced where they stand.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": ["a"], "p_normal": [0.2], "p_covid": [0.8]})
    >>> with_probabilities(table, np.array([[0.5, 0.5]])).to_dict("records")
    [{'image_id': 'a', 'p_normal': 0.5, 'p_covid': 0.5}]
    """
    given = columns(classes(predictions) if names is None else names)
    return predictions.assign(**{column: p[:, k] for k, column in enumerate(given)})


# --- making and checking --------------------------------------------------------------------------


def build(
    table: pd.DataFrame, probabilities: np.ndarray, *, model: str, seed: int = 0
) -> pd.DataFrame:
    """Rows of a manifest with a model's probabilities: the second of the course's two tables.

    Parameters
    ----------
    table : DataFrame
        A manifest; `label` is categorical.
    probabilities : ndarray
        (n, classes) in [0, 1], row i for row i of the table, columns in the order of the table's
        label categories.
    model : str
        What the model is called.
    seed : int
        The seed of its training.

    Returns
    -------
    DataFrame
        `image_id`, `group`, `patient`, `source`, `label`, `split`, `fold`, `model`, `seed`,
        `p_<class>` for each class, and `predicted`, the most probable.

    Raises
    ------
    ValueError
        Where the shapes do not fit.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": ["a", "b"]}, columns=KEPT)
    >>> table["label"] = pd.Categorical(["covid", "normal"])
    >>> made = build(table, np.array([[0.8, 0.2], [0.6, 0.4]]), model="net")
    >>> made[["image_id", "model", "p_covid", "predicted"]].to_numpy().tolist()
    [['a', 'net', 0.8, 'covid'], ['b', 'net', 0.6, 'covid']]
    """
    names = list(table["label"].cat.categories)
    p = np.asarray(probabilities, float)
    if p.shape != (len(table), len(names)):
        raise ValueError(
            f"probabilities of shape {p.shape} do not fit {len(table)} images of {len(names)} "
            f"classes ({', '.join(names)}); give one row per image and one column per class"
        )
    result = table[list(KEPT)].reset_index(drop=True).assign(model=model, seed=seed)
    result = with_probabilities(result, p, names)
    return result.assign(predicted=pd.Categorical.from_codes(p.argmax(axis=1), categories=names))


def check(predictions: pd.DataFrame, *, labelled: bool = True) -> pd.DataFrame:
    """Return the table unchanged if every row can be scored.

    Probabilities lie in [0, 1] and sum to 1 in each row (tolerance 0.001; a two-class model has two
    columns), `label` and `predicted` name a class that has a column, an image occurs once per seed,
    and each seed scores the same images. `predicted` need not be the largest probability: a
    threshold may have been applied.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    labelled : bool
        False for images whose true class nobody knows: `label` is then neither needed nor looked
        at.

    Returns
    -------
    DataFrame
        The same object.

    Raises
    ------
    PredictionsError
        Lists every fault found.

    Examples
    --------
    >>> table = pd.DataFrame({"image_id": ["a"], "predicted": ["b"], "p_a": [0.4], "p_b": [0.7]})
    >>> check(table, labelled=False)
    Traceback (most recent call last):
    cxr_helpers.predictions.PredictionsError: The table of predictions has faults:
    - probabilities do not sum to 1 in 1 row(s), first a (sums from 1.100 to 1.100): use softmax,
      one value per class
    """
    names = classes(predictions)
    said = ("label", "predicted") if labelled else ("predicted",)
    missing = [column for column in ("image_id", *said) if column not in predictions.columns]
    if missing:
        raise PredictionsError(f"The table of predictions has no column {', '.join(missing)}.")
    if len(names) < 2:
        raise PredictionsError(
            "The table of predictions needs one column p_<class> for each class, at least two; "
            f"found {columns(names)}. For one sigmoid output p add p_<negative class> = 1 - p."
        )
    if predictions.empty:
        raise PredictionsError(
            "The table of predictions has no row: was the split that was asked for empty?"
        )
    faults = _probability_faults(predictions)
    faults += _class_faults(predictions, names, said)
    faults += _row_faults(predictions, labelled)
    if faults:
        raise PredictionsError(
            "The table of predictions has faults:\n" + "\n".join(f"- {fault}" for fault in faults)
        )
    return predictions


def _some(predictions: pd.DataFrame, wrong: np.ndarray | pd.Series) -> str:
    """How many rows are wrong, and the first of them by name."""
    ids = predictions.loc[np.asarray(wrong), "image_id"].astype(str).tolist()
    return f"{len(ids)} row(s), first {', '.join(ids[:3])}"


def _probability_faults(predictions: pd.DataFrame) -> list[str]:
    p = probabilities(predictions)
    outside = ~(np.isfinite(p) & (p >= -TOLERANCE) & (p <= 1 + TOLERANCE)).all(axis=1)
    if outside.any():
        return [
            f"a probability is missing or outside [0, 1] in {_some(predictions, outside)}: are "
            "these logits?"
        ]
    total = p.sum(axis=1)
    off = np.abs(total - 1) > TOLERANCE + 1e-9
    if off.any():
        return [
            f"probabilities do not sum to 1 in {_some(predictions, off)} "
            f"(sums from {total.min():.3f} to {total.max():.3f}): use softmax, one value per class"
        ]
    return []


def _class_faults(predictions: pd.DataFrame, names: list[str], said: tuple[str, ...]) -> list[str]:
    faults = []
    for column in said:
        wrong = ~as_text(predictions[column]).isin(names)
        if wrong.any():
            found = sorted({str(value) for value in predictions.loc[wrong.to_numpy(), column]})
            faults.append(
                f"{column} {found} has no column p_<class> (classes: {names}): "
                f"{_some(predictions, wrong)}"
            )
    return faults


def _row_faults(predictions: pd.DataFrame, labelled: bool) -> list[str]:
    nameless = predictions["image_id"].isna()
    if nameless.any():
        return [
            f"{nameless.sum()} row(s) without image_id, first in row "
            f"{int(nameless.to_numpy().argmax()) + 1}"
        ]
    if mixed(predictions["image_id"]):
        return ["image_id is text in some rows and a number in others: make all of them text"]
    if "model" in predictions.columns and predictions["model"].nunique() > 1:
        return [
            f"several models in one table {sorted(map(str, predictions['model'].unique()))}: score "
            "one at a time"
        ]
    keys = pd.DataFrame({"image_id": predictions["image_id"], "seed": seeds(predictions)})
    twice = keys.duplicated()
    if twice.any():
        return [f"the same image twice for one seed in {_some(predictions, twice)}"]
    runs, images = keys["seed"].nunique(), keys["image_id"].nunique()
    if len(keys) != runs * images:
        return [
            f"{runs} seeds do not all score the same {images} images ({len(keys)} rows): average "
            "needs every one"
        ]
    if (
        labelled
        and runs > 1
        and predictions.groupby("image_id", observed=True)["label"].nunique().gt(1).any()
    ):
        return ["an image has different labels in different seeds"]
    return []


# --- reading --------------------------------------------------------------------------------------


def as_text(column: pd.Series) -> pd.Series:
    """Classes or groups as text, as the columns p_<class> name them: 1, 1.0 and "1" are "1".

    True is "True". Whatever is text already stays as it is.

    Parameters
    ----------
    column : Series
        Of any type.

    Returns
    -------
    Series
        Of objects; what is missing stays missing.

    Examples
    --------
    >>> as_text(pd.Series([1.0, 2.0])).tolist()
    ['1', '2']
    """
    if column.dtype.kind == "f":
        whole = column.notna() & (column % 1 == 0)
        return column.astype(object).where(~whole, column.where(whole, 0).astype(int)).astype(str)
    return column.astype(object).where(column.isna(), column.astype(str))


def mixed(column: pd.Series) -> bool:
    """Whether text and other things stand in one column: "1" and 1 would be two.

    Parameters
    ----------
    column : Series
        Of any type.

    Returns
    -------
    bool
        False also where nothing stands in it.

    Examples
    --------
    >>> mixed(pd.Series(["1", 1]))
    True
    """
    kinds = {type(value) for value in column.dropna().unique()} if column.dtype == object else set()
    return str in kinds and len(kinds) > 1


def seeds(predictions: pd.DataFrame) -> np.ndarray:
    """The seed of each row.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.

    Returns
    -------
    ndarray
        (rows,); 0 where the table has none.

    Examples
    --------
    >>> seeds(pd.DataFrame({"image_id": ["a", "a"], "seed": [0, 3]})).tolist()
    [0, 3]
    """
    if "seed" not in predictions.columns:
        return np.zeros(len(predictions), dtype=int)
    found: np.ndarray = predictions["seed"].fillna(0).to_numpy()
    return found


def units(predictions: pd.DataFrame) -> np.ndarray:
    """What is independent: the number of each row's group.

    A row without a group is a group of its own.

    Parameters
    ----------
    predictions : DataFrame
        With `image_id` and, where images belong together, `group`.

    Returns
    -------
    ndarray
        int (rows,), 0 to the number of groups - 1, in the order of the groups' names as text (of
        the images where no row has a group), so that no figure depends on the order of the rows.

    Raises
    ------
    PredictionsError
        Where names of groups are text in some rows and numbers in others.

    Examples
    --------
    >>> units(pd.DataFrame({"image_id": ["1", "2", "3"], "group": ["q", "p", "q"]})).tolist()
    [1, 0, 1]
    >>> units(pd.DataFrame({"image_id": ["1", "2", "3"], "group": ["q", None, None]})).tolist()
    [0, 1, 2]
    """
    if "group" not in predictions.columns:
        return _numbered(predictions["image_id"])
    group = predictions["group"]
    if mixed(group):
        raise PredictionsError(
            "Names of groups are text in some rows and numbers in others: make all of them text."
        )
    if group.notna().all():
        return _numbered(as_text(group))
    own = "image " + predictions["image_id"].astype(str)
    return _numbered(own.where(group.isna(), "group " + as_text(group)))


def _numbered(names: pd.Series) -> np.ndarray:
    """The number of each name in the order of the names."""
    code: np.ndarray = pd.factorize(names, sort=True)[0]
    return code


def one_run(predictions: pd.DataFrame, what: str, *, labelled: bool = True) -> pd.DataFrame:
    """Return the checked table, or refuse one that holds several seeds.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    what : str
        What needs one run, as the subject of the message: "A ROC curve".
    labelled : bool
        As in `check`.

    Returns
    -------
    DataFrame
        The same object.

    Raises
    ------
    PredictionsError
        For several seeds, and as `check` does.

    Examples
    --------
    >>> run = pd.DataFrame({"image_id": ["1"], "label": ["a"], "p_a": [0.9], "p_b": [0.1]})
    >>> run = run.assign(predicted="a")
    >>> both = pd.concat([run.assign(seed=0), run.assign(seed=1)])
    >>> one_run(both, "A ROC curve")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    cxr_helpers.predictions.PredictionsError: A ROC curve needs one run, and the table holds seeds
    [0, 1]: choose...
    """
    check(predictions, labelled=labelled)
    found = np.unique(seeds(predictions))
    if len(found) > 1:
        raise PredictionsError(
            f"{what} needs one run, and the table holds seeds {found.tolist()}: "
            f"choose one, for example predictions[predictions.seed == {found[0]}]."
        )
    return predictions


def of_class(predictions: pd.DataFrame, positive: str) -> np.ndarray:
    """Which rows truly are of a class.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions.
    positive : str
        The class.

    Returns
    -------
    ndarray
        bool (rows,).

    Raises
    ------
    PredictionsError
        Where the table has no such class.

    Examples
    --------
    >>> table = pd.DataFrame({"label": ["a", "b"], "p_a": [0.9, 0.2], "p_b": [0.1, 0.8]})
    >>> of_class(table, "b").tolist()
    [False, True]
    """
    _number(classes(predictions), positive)
    found: np.ndarray = (as_text(predictions["label"]) == positive).to_numpy()
    return found


def _number(names: list[str], name: str) -> int:
    if name not in names:
        raise PredictionsError(f"No class {name!r}: choose one of {names}.")
    return names.index(name)


@dataclass(frozen=True)
class Arrays:
    """Predictions as arrays: n images, S seeds, K classes; group is a code 0 ... n_groups - 1."""

    classes: tuple[str, ...]
    image_id: np.ndarray  # (n,)
    truth: np.ndarray  # (n,) class number
    predicted: np.ndarray  # (S, n) class number
    probability: np.ndarray  # (S, n, K)
    group: np.ndarray  # (n,)
    n_groups: int

    @property
    def single(self) -> bool:
        """Whether every group is one image, scored once: plain proportions are then binomial."""
        return self.n_groups == len(self.truth) and len(self.predicted) == 1

    def number(self, name: str) -> int:
        """The number that stands for a class. Raises PredictionsError for an unknown class."""
        return _number(list(self.classes), name)


def to_arrays(predictions: pd.DataFrame) -> Arrays:
    """Check the table and turn it into arrays, images in order of their identifier.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions; where it holds several seeds, each has scored the same images.

    Returns
    -------
    Arrays
        One row for each image.

    Raises
    ------
    PredictionsError
        As `check` does.

    Warns
    -----
    UserWarning
        Where training images are scored together with others by a model that knows them.

    Examples
    --------
    >>> run = {"image_id": ["2", "1"], "label": ["a", "b"], "predicted": ["a", "a"]}
    >>> run |= {"p_a": [0.9, 0.6], "p_b": [0.1, 0.4]}
    >>> arrays = to_arrays(pd.DataFrame(run))
    >>> arrays.image_id.tolist(), arrays.truth.tolist(), arrays.probability.shape
    (['1', '2'], [1, 0], (1, 2, 2))
    """
    check(predictions)
    _warn_of_parts(predictions)
    names = classes(predictions)
    seed = seeds(predictions)
    runs = len(np.unique(seed))
    by = ["image_id"] if runs == 1 else ["_seed", "image_id"]
    ordered = predictions.assign(_seed=seed).sort_values(by, kind="stable")
    first = ordered.iloc[: len(ordered) // runs]
    number = {name: i for i, name in enumerate(names)}
    group = units(first)
    return Arrays(
        classes=tuple(names),
        image_id=first["image_id"].to_numpy(),
        truth=as_text(first["label"]).map(number).to_numpy(int),
        predicted=as_text(ordered["predicted"]).map(number).to_numpy(int).reshape(runs, -1),
        probability=probabilities(ordered).reshape(runs, len(first), -1),
        group=group,
        n_groups=int(group.max()) + 1,
    )


def _warn_of_parts(predictions: pd.DataFrame) -> None:
    """Say that training images are scored with others, unless another fold's model scored each."""
    if "split" not in predictions.columns or (
        "fold" in predictions.columns and predictions["fold"].notna().all()
    ):
        return
    parts = set(predictions["split"].dropna().astype(str))
    if "train" in parts and len(parts) > 1:
        warnings.warn(
            f"Images of {', '.join(sorted(parts))} are scored together, and a model knows its "
            "training images: choose one part, for example predictions[predictions.split == "
            "'test'].",
            stacklevel=4,
        )


def paired(a: pd.DataFrame, b: pd.DataFrame) -> tuple[Arrays, Arrays]:
    """Two models' answers to the same images as arrays; images and classes in the first's order.

    Parameters
    ----------
    a, b : DataFrame
        Tables of predictions; rows and classes may stand in another order.

    Returns
    -------
    tuple of Arrays
        Of `a` and of `b`: entry i of both is of the same image.

    Raises
    ------
    PredictionsError
        Unless images, labels, groups and classes are the same, and as `check` does.

    Examples
    --------
    >>> run = {"image_id": ["2", "1"], "label": ["a", "b"], "predicted": ["a", "a"]}
    >>> run |= {"p_a": [0.9, 0.6], "p_b": [0.1, 0.4]}
    >>> table = pd.DataFrame(run)
    >>> first, second = paired(table, table[::-1])
    >>> first.image_id.tolist(), bool((first.probability == second.probability).all())
    (['1', '2'], True)
    """
    names = classes(a)
    if set(names) == set(classes(b)):
        own = columns(names)
        b = b[[column for column in b.columns if column not in own] + own]
    first, second = to_arrays(a), to_arrays(b)
    if not np.array_equal(first.image_id, second.image_id):
        only_a, only_b = (
            sorted(set(x.image_id) - set(y.image_id)) for x, y in ((first, second), (second, first))
        )
        raise PredictionsError(
            f"A paired comparison needs the same images: {len(only_a)} only in the first table "
            f"{only_a[:3]}, {len(only_b)} only in the second {only_b[:3]}."
        )
    if first.classes != second.classes:
        raise PredictionsError(
            f"The classes differ: {list(first.classes)} and {list(second.classes)}."
        )
    for what, x, y in (
        ("labels", first.truth, second.truth),
        ("groups", first.group, second.group),
    ):
        if not np.array_equal(x, y):
            raise PredictionsError(
                f"The {what} differ between the two tables, first at {first.image_id[x != y][0]}."
            )
    return first, second
