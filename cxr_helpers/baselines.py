"""What a model has to beat: largest class, nearest image, linear model on pixels, a person.

Each baseline takes the manifest and the cached images and returns a table of predictions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from . import files, manifest
from .console import bar
from .paths import progress_dir
from .predictions import build
from .rows import check_rows

# names of a person's answers in the column `model`
OWN, EXAMPLE = "your guesses", "example guesses"
SIDE = 64  # pixels; the size at which these baselines are quoted


def majority(
    table: pd.DataFrame, images=None, *, score: str = "test", folds: bool = False, seed: int = 0
) -> pd.DataFrame:
    """Always answers the most frequent training class; probabilities are the class shares.

    Parameters
    ----------
    table : DataFrame
        A manifest with a `split`, or with a `fold`.
    images : ndarray, optional
        Not looked at: all baselines are called alike.
    score : str
        The split that is scored; the rows with split "train" are fitted on.
    folds : bool
        Whether each fold is scored by what the other folds give, instead.
    seed : int
        Noted in the table; nothing is drawn.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ValueError
        If there is no such split or fold, or a label is missing.

    Examples
    --------
    >>> from cxr_helpers.predictions import KEPT
    >>> parts = {"image_id": list("abcd"), "split": ["train"] * 3 + ["test"]}
    >>> table = pd.DataFrame(parts, columns=KEPT)
    >>> table["label"] = pd.Categorical(["normal", "normal", "covid", "covid"])
    >>> majority(table)[["image_id", "predicted", "p_normal"]].round(2).to_numpy().tolist()
    [['d', 'normal', 0.67]]
    """

    def fit_and_score(part: "_Part") -> np.ndarray:
        share = np.bincount(part.train_y, minlength=part.n_classes) / len(part.train_y)
        return np.tile(share, (len(part.score_rows), 1))

    return _run(table, fit_and_score, "majority", score, folds, seed)


def nearest_neighbour(
    table: pd.DataFrame,
    images: np.ndarray,
    *,
    score: str = "test",
    folds: bool = False,
    seed: int = 0,
) -> pd.DataFrame:
    """Answers the class of the most similar training image, with probability 1.

    Most similar: by Euclidean distance of 64×64 pixels, whose grey levels are compared as they are.

    Parameters
    ----------
    table : DataFrame
        As in `majority`.
    images : ndarray
        uint8 (n, s, s), grey levels 0-255, in the row order of `table`; a side below 64 is kept.
    score, folds, seed : str, bool, int
        As in `majority`.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ValueError
        For images of another shape, type or order, a training part of one class, and as `majority`
        does.
    """
    from sklearn.neighbors import KNeighborsClassifier

    return _on_pixels(
        table, images, KNeighborsClassifier(n_neighbors=1), "nearest neighbour", score, folds, seed
    )


def logistic_regression(
    table: pd.DataFrame,
    images: np.ndarray,
    *,
    score: str = "test",
    folds: bool = False,
    seed: int = 0,
    c: float = 1.0,
) -> pd.DataFrame:
    """Logistic regression on 64×64 pixels, standardised on the training part.

    Parameters
    ----------
    table, images : DataFrame, ndarray
        As in `nearest_neighbour`.
    score, folds, seed : str, bool, int
        As in `majority`.
    c : float
        Inverse strength of the L2 penalty, above 0.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ValueError
        As `nearest_neighbour` does.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    # One pipeline, so that mean and deviation come from the training rows alone.
    model = make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=2000))
    return _on_pixels(table, images, model, "logistic regression", score, folds, seed)


def guesses(table: pd.DataFrame, answers, *, model: str = OWN, seed: int = 0) -> pd.DataFrame:
    """A person's answers as a table of predictions, with probability 1 for the class named.

    Whatever a model learned from, a person learned from none of the images: their part is `test`.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    answers : mapping of str to str
        {image_id: class}, one of the table's classes each; images without an answer are left out.
    model : str
        Whose answers they are.
    seed : int
        Noted in the table.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ValueError
        For an unknown image or class, or no answer.

    Examples
    --------
    >>> from cxr_helpers.predictions import KEPT
    >>> table = pd.DataFrame({"image_id": ["a", "b"]}, columns=KEPT)
    >>> table["label"] = pd.Categorical(["normal", "covid"])
    >>> guesses(table, {"b": "normal"})[["image_id", "label", "predicted"]].to_numpy().tolist()
    [['b', 'covid', 'normal']]
    """
    answers = dict(answers)
    names = list(table["label"].cat.categories)
    strangers = [image for image in answers if image not in set(table["image_id"])]
    if strangers:
        raise ValueError(
            f"{len(strangers)} answer(s) for an image that is not in the table: {strangers[:3]}."
        )
    wrong = {image: answer for image, answer in answers.items() if answer not in names}
    if wrong or not answers:
        raise ValueError(
            f"Each answer is one of {names}; not so: "
            f"{dict(list(wrong.items())[:3]) or 'no answer given'}."
        )
    rows = table[table["image_id"].isin(list(answers))]
    if "split" in rows:  # a person learned from none of them
        rows = rows.assign(split=pd.Categorical(["test"] * len(rows), manifest.SPLITS))
    number = rows["image_id"].map(answers).map(names.index).to_numpy(int)
    return build(rows, np.eye(len(names))[number], model=model, seed=seed)


def save_guesses(predictions: pd.DataFrame, name: str, data_dir=None) -> Path:
    """Keep a person's guesses (from `guesses`) on the set `name` for later; returns the path.

    One file for each set and model, so that an example never replaces a reader's own guesses;
    written whole or not at all.

    Parameters
    ----------
    predictions : DataFrame
        Of one person.
    name : str
        Of the set.
    data_dir : path-like, optional
        The data folder; by default the course's.

    Returns
    -------
    Path
        A CSV (image_id, predicted, model) in `progress/` below the data folder.

    Raises
    ------
    ValueError
        For the guesses of several people.
    """
    models = predictions["model"].unique()
    if len(models) != 1:
        raise ValueError(f"Save the guesses of one person at a time, not of {list(models)}.")
    path = _guesses_file(name, models[0], data_dir)
    with files.whole_file(path) as part:
        predictions[["image_id", "predicted", "model"]].to_csv(
            part, index=False, lineterminator="\n"
        )
    return path


def load_guesses(
    table: pd.DataFrame, name: str, data_dir=None, model: str | None = None
) -> pd.DataFrame:
    """Guesses that lesson 01 kept on the set `name`, as predictions on the images of `table`.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    name, data_dir : str, path-like
        As in `save_guesses`.
    model : str, optional
        Whose; by default the reader's own ("your guesses"), or the example's where the reader gave
        none.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    FileNotFoundError
        If there are none.
    ValueError
        If they do not fit the table.
    """
    candidates = [_guesses_file(name, m, data_dir) for m in ([model] if model else [OWN, EXAMPLE])]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f"No guesses on {name} in {candidates[0].parent}: run lesson 01, step 2, first."
        )
    saved = pd.read_csv(path, dtype=str)
    return guesses(
        table,
        dict(zip(saved["image_id"], saved["predicted"], strict=True)),
        model=saved["model"].iloc[0],
    )


def _guesses_file(name: str, model: str, data_dir) -> Path:
    folder = Path(data_dir) / "progress" if data_dir else progress_dir()
    return folder / f"{name}-{model.replace(' ', '-')}.csv"


def shrink(images: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Area mean of grey levels: (n, s, s) uint8 → (n, side, side) float32 in 0-255.

    Parameters
    ----------
    images : ndarray
        uint8 (n, h, w), as `preprocess.cache` gives them.
    side : int
        In pixels; a smaller image stays as it is.

    Returns
    -------
    ndarray
        float32 (n, side, side), in 0-255.

    Raises
    ------
    ValueError
        For another shape or type.

    Examples
    --------
    >>> shrink(np.arange(16, dtype=np.uint8).reshape(1, 4, 4), side=2).tolist()
    [[[2.5, 4.5], [10.5, 12.5]]]
    """
    if getattr(images, "ndim", 0) != 3 or images.dtype != np.uint8:
        shape, kind = (
            getattr(images, "shape", None),
            getattr(images, "dtype", type(images).__name__),
        )
        raise ValueError(
            f"images must be uint8 (n, side, side), as preprocess.cache returns; got {kind} "
            f"{shape}."
        )
    if max(images.shape[1:]) <= side:
        return np.asarray(images, dtype=np.float32)
    down, across = (_overlap(length, side) for length in images.shape[1:])
    return np.stack([down @ np.asarray(image, dtype=np.float32) @ across.T for image in images])


def _overlap(length: int, side: int) -> np.ndarray:
    """(side, length): the share of each old pixel in each new one, also of no whole multiple."""
    edges = np.linspace(0, length, side + 1)
    old = np.arange(length)
    shared = np.minimum(edges[1:, None], old + 1) - np.maximum(edges[:-1, None], old)
    return (np.clip(shared, 0, 1) * side / length).astype(np.float32)


@dataclass(frozen=True)
class _Part:
    train_rows: np.ndarray
    train_y: np.ndarray
    score_rows: np.ndarray
    n_classes: int


def _on_pixels(
    table, images, classifier, name: str, score: str, folds: bool, seed: int
) -> pd.DataFrame:
    from threadpoolctl import threadpool_limits

    check_rows(table, images)
    pixels = shrink(images).reshape(len(table), -1)

    def fit_and_score(part: _Part) -> np.ndarray:
        if len(np.unique(part.train_y)) < 2:
            raise ValueError(
                f"{name}: the training part holds one class only; nothing can be learnt."
            )
        # On so few images two threads wait for each other longer than they work, most of all once
        # Keras has its own.
        with threadpool_limits(1):
            fitted = classifier.fit(pixels[part.train_rows], part.train_y)
        probabilities = np.zeros((len(part.score_rows), part.n_classes))
        probabilities[:, fitted.classes_] = fitted.predict_proba(pixels[part.score_rows])
        return probabilities

    return _run(table, fit_and_score, name, score, folds, seed)


def _run(
    table, fit_and_score: Callable[[_Part], np.ndarray], name, score, folds, seed
) -> pd.DataFrame:
    names = list(table["label"].cat.categories)
    if table["label"].isna().any():
        raise ValueError(
            f"{table['label'].isna().sum()} row(s) have no label: leave them out first."
        )
    probabilities = np.full((len(table), len(names)), np.nan)
    parts = list(_parts(table, score, folds))
    for part in bar(parts, show=folds, desc=name, unit="fold"):
        probabilities[part.score_rows] = fit_and_score(part)
    done = np.isfinite(probabilities).all(axis=1)
    return build(table[done], probabilities[done], model=name, seed=seed)


def _parts(table: pd.DataFrame, score: str, folds: bool) -> Iterator[_Part]:
    column, remedy = ("fold", "split.folds") if folds else ("split", "split.holdout")
    if column not in table.columns or table[column].isna().all():
        raise ValueError(f"The table has no {column}: call {remedy} first.")
    value = table[column].astype(object).where(table[column].notna(), None).to_numpy()
    if folds:
        known = np.array([v is not None for v in value])
        numbers = sorted(set(value[known]))
        if len(numbers) < 2:
            raise ValueError(
                f"Only fold {numbers} is there: at least two are needed; call {remedy} again."
            )
        cuts = [(known & (value != k), value == k) for k in numbers]
    else:
        cuts = [(value == "train", value == score)]
    codes = table["label"].cat.codes.to_numpy(int)
    for train, scored in cuts:
        if not train.any() or not scored.any():
            raise ValueError(
                f"{train.sum()} rows to fit on and {scored.sum()} with {column} {score!r} to score."
            )
        yield _Part(
            np.flatnonzero(train),
            codes[train],
            np.flatnonzero(scored),
            len(table["label"].cat.categories),
        )
