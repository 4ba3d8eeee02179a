"""The table of predictions: its checks, and the arrays that the arithmetic reads."""

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

REQUIRED = ("image_id", "label", "predicted")
TOLERANCE = 1e-3  # float16 exports round each probability by up to 5e-4


class PredictionsError(ValueError):
    """The table of predictions is not usable; the message lists every fault and what to do."""


def classes(predictions: pd.DataFrame) -> list[str]:
    """Names of the classes, in the order of the columns ``p_<class>``. Introduced in lesson 04."""
    return [column[2:] for column in map(str, predictions.columns) if column.startswith("p_")]


def check_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the table unchanged if every row can be scored.

    Probabilities lie in [0, 1] and sum to 1 in each row (tolerance 0.001; a two-class model has two columns),
    `label` and `predicted` name a class that has a column, an image occurs once per seed, and each seed scores the
    same images. `predicted` need not be the largest probability: a threshold may have been applied.

    Raises PredictionsError, which lists every fault found. Introduced in lesson 04.
    """
    names = classes(predictions)
    missing = [column for column in REQUIRED if column not in predictions.columns]
    if missing:
        raise PredictionsError(f"The table of predictions has no column {', '.join(missing)}.")
    if len(names) < 2:
        raise PredictionsError(
            "The table of predictions needs one column p_<class> for each class, at least two; "
            f"found {['p_' + name for name in names]}. For one sigmoid output p add p_<negative class> = 1 - p."
        )
    if predictions.empty:
        raise PredictionsError("The table of predictions has no row: was the split that was asked for empty?")
    faults = [*_probability_faults(predictions, names), *_label_faults(predictions, names), *_row_faults(predictions)]
    if faults:
        raise PredictionsError("The table of predictions has faults:\n" + "\n".join(f"- {fault}" for fault in faults))
    return predictions


def named(column: pd.Series) -> pd.Series:
    """Classes as text, as the columns p_<class> name them: 1, 1.0, True and "1" are "1", "1", "True" and "1"."""
    if column.dtype.kind == "f":
        whole = column.notna() & (column % 1 == 0)
        return column.astype(object).where(~whole, column.where(whole, 0).astype(int)).astype(str)
    return column.astype(object).where(column.isna(), column.astype(str))


def mixed(column: pd.Series) -> bool:
    """Whether text and other things stand in one column: "1" and 1 would be two."""
    kinds = {type(value) for value in column.dropna().unique()} if column.dtype == object else set()
    return str in kinds and len(kinds) > 1


def _named(predictions: pd.DataFrame, wrong) -> str:
    ids = predictions.loc[np.asarray(wrong), "image_id"].astype(str).tolist()
    return f"{len(ids)} row(s), first {', '.join(ids[:3])}"


def _probability_faults(predictions: pd.DataFrame, names: list[str]) -> list[str]:
    p = predictions[[f"p_{name}" for name in names]].to_numpy(float)
    outside = ~(np.isfinite(p) & (p >= -TOLERANCE) & (p <= 1 + TOLERANCE)).all(axis=1)
    if outside.any():
        return [f"a probability is missing or outside [0, 1] in {_named(predictions, outside)}: are these logits?"]
    off = np.abs(p.sum(axis=1) - 1) > TOLERANCE + 1e-9
    if off.any():
        return [
            f"probabilities do not sum to 1 in {_named(predictions, off)} "
            f"(sums from {p.sum(axis=1).min():.3f} to {p.sum(axis=1).max():.3f}): use softmax, one value per class"
        ]
    return []


def _label_faults(predictions: pd.DataFrame, names: list[str]) -> list[str]:
    faults = []
    for column in ("label", "predicted"):
        wrong = ~named(predictions[column]).isin(names)
        if wrong.any():
            found = sorted({str(value) for value in predictions.loc[wrong.to_numpy(), column]})
            faults.append(f"{column} {found} has no column p_<class> (classes: {names}): {_named(predictions, wrong)}")
    return faults


def _row_faults(predictions: pd.DataFrame) -> list[str]:
    nameless = predictions["image_id"].isna()
    if nameless.any():
        return [f"{nameless.sum()} row(s) without image_id, first in row {int(nameless.to_numpy().argmax()) + 1}"]
    if mixed(predictions["image_id"]):
        return ["image_id is text in some rows and a number in others: make all of them text"]
    if "model" in predictions.columns and predictions["model"].nunique() > 1:
        return [f"several models in one table {sorted(map(str, predictions['model'].unique()))}: score one at a time"]
    keys = pd.DataFrame({"image_id": predictions["image_id"], "seed": seeds(predictions)})
    twice = keys.duplicated()
    if twice.any():
        return [f"the same image twice for one seed in {_named(predictions, twice)}"]
    runs, images = keys["seed"].nunique(), keys["image_id"].nunique()
    if len(keys) != runs * images:
        return [f"{runs} seeds do not all score the same {images} images ({len(keys)} rows): average needs every one"]
    if runs > 1 and predictions.groupby("image_id", observed=True)["label"].nunique().gt(1).any():
        return ["an image has different labels in different seeds"]
    return []


def seeds(predictions: pd.DataFrame) -> np.ndarray:
    """Seed of each row; 0 where the table has none."""
    if "seed" not in predictions.columns:
        return np.zeros(len(predictions), dtype=int)
    return predictions["seed"].fillna(0).to_numpy()


@dataclass(frozen=True)
class Scored:
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
        """Whether every group is one image and each image was scored once: plain proportions are then binomial."""
        return self.n_groups == len(self.truth) and len(self.predicted) == 1


def scored(predictions: pd.DataFrame) -> Scored:
    """Check the table and turn it into arrays, images in order of their identifier."""
    check_predictions(predictions)
    _warn_of_parts(predictions)
    names = classes(predictions)
    seed = seeds(predictions)
    runs = len(np.unique(seed))
    by = ["image_id"] if runs == 1 else ["_seed", "image_id"]
    ordered = predictions.assign(_seed=seed).sort_values(by, kind="stable")
    first = ordered.iloc[: len(ordered) // runs]
    number = {name: i for i, name in enumerate(names)}
    group = units(first)
    return Scored(
        classes=tuple(names),
        image_id=first["image_id"].to_numpy(),
        truth=named(first["label"]).map(number).to_numpy(int),
        predicted=named(ordered["predicted"]).map(number).to_numpy(int).reshape(runs, -1),
        probability=ordered[[f"p_{name}" for name in names]].to_numpy(float).reshape(runs, len(first), -1),
        group=group,
        n_groups=int(group.max()) + 1,
    )


def _warn_of_parts(predictions: pd.DataFrame) -> None:
    """Say that training images are scored together with others, unless each row was scored by another fold's model."""
    if "split" not in predictions.columns or ("fold" in predictions.columns and predictions["fold"].notna().all()):
        return
    parts = set(predictions["split"].dropna().astype(str))
    if "train" in parts and len(parts) > 1:
        warnings.warn(
            f"Images of {', '.join(sorted(parts))} are scored together, and a model knows its training images: choose "
            "one part, for example predictions[predictions.split == 'test'].",
            stacklevel=4,
        )


def paired(a: pd.DataFrame, b: pd.DataFrame) -> tuple[Scored, Scored]:
    """Both tables as arrays, images and classes in the order of the first.

    Raises PredictionsError unless images, labels, groups and classes are the same; classes may stand in another order.
    """
    names = classes(a)
    if set(names) == set(classes(b)):
        columns = [f"p_{name}" for name in names]
        b = b[[c for c in b.columns if c not in columns] + columns]
    first, second = scored(a), scored(b)
    if not np.array_equal(first.image_id, second.image_id):
        only_a, only_b = (sorted(set(x.image_id) - set(y.image_id)) for x, y in ((first, second), (second, first)))
        raise PredictionsError(
            f"A paired comparison needs the same images: {len(only_a)} only in the first table {only_a[:3]}, "
            f"{len(only_b)} only in the second {only_b[:3]}."
        )
    if first.classes != second.classes:
        raise PredictionsError(f"The classes differ: {list(first.classes)} and {list(second.classes)}.")
    for what, x, y in (("labels", first.truth, second.truth), ("groups", first.group, second.group)):
        if not np.array_equal(x, y):
            raise PredictionsError(f"The {what} differ between the two tables, first at {first.image_id[x != y][0]}.")
    return first, second


def units(predictions: pd.DataFrame) -> np.ndarray:
    """Code of the group of each row; a row without a group is a group of its own."""
    if "group" not in predictions.columns:
        return pd.factorize(predictions["image_id"])[0]
    group = predictions["group"]
    if mixed(group):
        raise PredictionsError("Names of groups are text in some rows and numbers in others: make all of them text.")
    if group.notna().all():
        return pd.factorize(named(group))[0]
    own = "image " + predictions["image_id"].astype(str)
    return pd.factorize(own.where(group.isna(), "group " + named(group)))[0]


def one_seed(predictions: pd.DataFrame, what: str) -> pd.DataFrame:
    """Return the checked table, or refuse one that holds several seeds."""
    check_predictions(predictions)
    found = np.unique(seeds(predictions))
    if len(found) > 1:
        raise PredictionsError(
            f"{what} needs one run, and the table holds seeds {found.tolist()}: "
            f"choose one, for example predictions[predictions.seed == {found[0]}]."
        )
    return predictions


def positive_class(predictions: pd.DataFrame, positive: str) -> np.ndarray:
    """Boolean array: which rows truly are of the class `positive`."""
    if positive not in classes(predictions):
        raise PredictionsError(f"No class {positive!r}: choose one of {classes(predictions)}.")
    return (named(predictions["label"]) == positive).to_numpy()
