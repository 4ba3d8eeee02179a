"""Fitting, scoring and cross-validating a recipe; what comes out is a table of predictions."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from . import manifest, pipeline, split
from .console import bar
from .models import Recipe
from .models.answers import answer_layer, as_probabilities
from .predictions import build


@dataclass(frozen=True)
class Fitted:
    """A trained Keras `model`, its `history` (one row per epoch), `seconds` of training."""

    model: Any
    history: pd.DataFrame
    seconds: float


def fit(
    recipe: Recipe,
    table: pd.DataFrame,
    images: np.ndarray,
    *,
    seed: int = 0,
    epochs: int | None = None,
    progress: bool = True,
) -> Fitted:
    """Train a fresh network on the rows whose `split` is `train`; watch `val` where there is one.

    The model carries the names of its classes (see `class_names`). With `recipe.patience` the
    weights of the best validation loss are kept. Sets Python's, NumPy's and TensorFlow's random
    seeds.

    Parameters
    ----------
    recipe : Recipe
        What is trained, and how.
    table : DataFrame
        A manifest whose `split` is filled; `label` is categorical.
    images : ndarray
        uint8 (n, size, size), row i for row i of the table.
    seed : int
        Of the weights, the order and the augmentation.
    epochs : int, optional
        Instead of the recipe's (a first phase keeps its own).
    progress : bool
        Whether to show a bar.

    Returns
    -------
    Fitted
        Its history has the columns `epoch`, `loss`, `accuracy`, and `val_loss`, `val_accuracy`
        where there is a validation part.

    Raises
    ------
    ValueError
        As `pipeline.batches` does, and where a recipe stops early by a validation part that is not
        there.

    Examples
    --------
    A network that sees the mean grey level and nothing else, and images of which the normal ones
    are brighter:

    >>> from cxr_helpers.models import Recipe
    >>> from cxr_helpers.predictions import KEPT
    >>> def build(n_classes, size):
    ...     from keras import Sequential, layers
    ...     grey, mean = layers.Input((size, size, 1)), layers.GlobalAveragePooling2D()
    ...     unit = layers.Dense(1, activation="sigmoid")
    ...     return Sequential([grey, layers.Rescaling(1 / 255), mean, unit])
    >>> recipe = Recipe("brightness", build, epochs=15, batch_size=2, learning_rate=0.3)
    >>> names = list("abcdefgh")
    >>> table = pd.DataFrame({"image_id": names, "group": names}, columns=KEPT)
    >>> table["label"] = pd.Categorical(["covid", "normal"] * 4)
    >>> images = np.zeros((8, 16, 16), np.uint8)
    >>> images[1::2] = 255
    >>> fitted = fit(recipe, table.assign(split="train"), images, progress=False)
    >>> fitted.history.columns.tolist(), float(fitted.history["accuracy"].iloc[-1])
    (['epoch', 'loss', 'accuracy'], 1.0)
    >>> class_names(fitted.model)
    ('covid', 'normal')
    """
    import keras

    pipeline.check_keras()
    epochs = recipe.epochs if epochs is None else epochs
    n_classes = len(table["label"].cat.categories)
    settings: dict[str, Any] = {
        "batch_size": recipe.batch_size,
        "seed": seed,
        "one_hot": n_classes > 2,
    }
    training = pipeline.batches(table, images, "train", augment=recipe.augment, **settings)
    validation = (
        pipeline.batches(table, images, "val", **settings)
        if (table["split"] == "val").any()
        else None
    )
    if recipe.patience is not None and validation is None:
        raise ValueError(
            f"recipe {recipe.name!r} stops early by its validation loss; the table has no `val` "
            "rows"
        )
    keras.utils.set_random_seed(seed)
    model = recipe.build(n_classes, images.shape[1])
    name_classes(model, table["label"].cat.categories)
    started = time.perf_counter()
    histories = []
    for phase in _phases(recipe, epochs):
        if phase.unfreeze is not None:
            phase.unfreeze(model)
        _compile(model, phase)
        steps = phase.epochs * training.cardinality().numpy()
        # callbacks are made here each time: a used one may remember the last training, as
        # ModelCheckpoint does its best
        history = model.fit(
            training,
            validation_data=validation,
            epochs=phase.epochs,
            callbacks=_callbacks(phase, model, steps, progress),
            shuffle=False,  # the batches are shuffled already
            verbose=0,
        )
        histories.append(history)
    return Fitted(model, _history(histories), time.perf_counter() - started)


def _phases(recipe: Recipe, epochs: int) -> list[Recipe]:
    """The recipe with its epochs, after the phase that trains the last layers only, if any."""
    main = replace(recipe, epochs=epochs)
    if not recipe.head_epochs:
        return [main]
    rate = recipe.head_learning_rate
    head = replace(
        recipe, epochs=recipe.head_epochs, learning_rate=rate, patience=None, unfreeze=None
    )
    return [head, main]


def _compile(model: Any, recipe: Recipe) -> None:
    """The loss that belongs to the last layer, and the recipe's optimiser.

    All variables are made here, not at the first step: TensorFlow traces a step that makes
    variables twice.
    """
    import keras

    if recipe.weight_decay:
        optimiser = keras.optimizers.AdamW(recipe.learning_rate, weight_decay=recipe.weight_decay)
    else:
        optimiser = keras.optimizers.Adam(recipe.learning_rate)
    if model.output_shape[-1] == 1:
        loss, accuracy = keras.losses.BinaryCrossentropy(), keras.metrics.BinaryAccuracy("accuracy")
    else:
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
        accuracy = keras.metrics.CategoricalAccuracy("accuracy")
    optimiser.build(model.trainable_variables)
    model.compile(optimizer=optimiser, loss=loss, metrics=[accuracy])


def _rates(recipe: Recipe, steps: int) -> np.ndarray:
    """The learning rate of each step.

    Up from a tenth in the first twentieth, then down to zero along half a cosine.
    """
    warm = max(1, steps // 20)
    step = np.arange(steps)
    rising = 0.1 + 0.9 * step / warm
    falling = 0.5 + 0.5 * np.cos(np.pi * (step - warm) / max(1, steps - warm))
    return recipe.learning_rate * np.where(step < warm, rising, falling)


def _callbacks(recipe: Recipe, model: Any, steps: int, progress: bool) -> list[Any]:
    import keras

    shown = bar(show=progress, total=recipe.epochs, desc=recipe.name, unit="epoch")
    callbacks = [
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: shown.update(), on_train_end=lambda logs: shown.close()
        )
    ]
    if recipe.cosine:
        # A schedule inside the optimiser is traced once for each variable, which takes longer than
        # several epochs.
        rates = iter(_rates(recipe, steps))
        rate = model.optimizer.learning_rate
        set_rate = keras.callbacks.LambdaCallback(
            on_train_batch_begin=lambda batch, logs: rate.assign(next(rates))
        )
        callbacks.append(set_rate)
    if recipe.patience is not None:
        callbacks.append(
            keras.callbacks.EarlyStopping(patience=recipe.patience, restore_best_weights=True)
        )
    return callbacks


def _history(histories: list[Any]) -> pd.DataFrame:
    table = pd.concat([pd.DataFrame(history.history) for history in histories], ignore_index=True)
    table.insert(0, "epoch", np.arange(1, len(table) + 1))
    return table[
        [c for c in ("epoch", "loss", "accuracy", "val_loss", "val_accuracy") if c in table]
    ]


def name_classes(model: Any, classes: Sequence[str]) -> Any:
    """Let a model carry the names of its classes, in output order (one unit: negative, positive).

    `fit` does it, and so does a bundle; a `.keras` file does not keep it.

    Parameters
    ----------
    model : keras.Model
        Or any object that takes an attribute.
    classes : sequence of str
        One name for each class.

    Returns
    -------
    keras.Model
        The same model.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> model = name_classes(SimpleNamespace(), ["covid", "normal"])  # or a Keras model
    >>> class_names(model)
    ('covid', 'normal')
    """
    model.class_names = tuple(map(str, classes))
    return model


def class_names(model: Any) -> tuple[str, ...] | None:
    """The classes a model carries, in the order of its outputs; None if it does not say.

    Parameters
    ----------
    model : keras.Model
        With or without names.

    Returns
    -------
    tuple of str or None
        As `name_classes` wrote them.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> model = name_classes(SimpleNamespace(), ["covid", "normal"])  # or a Keras model
    >>> class_names(model), class_names(SimpleNamespace())
    (('covid', 'normal'), None)
    """
    names = getattr(model, "class_names", None)
    return None if names is None else tuple(names)


def check_classes(model: Any, classes: Sequence[str], stacklevel: int = 3) -> None:
    """Refuse classes that are not the model's own, in its order; warn where it names none.

    Parameters
    ----------
    model : keras.Model
        With or without names of its classes.
    classes : sequence of str
        Those of the table that is to be scored.
    stacklevel : int
        That of the warning.

    Raises
    ------
    ValueError
        Where the names or their order differ.

    Warns
    -----
    UserWarning
        Where the model does not say its classes.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> model = name_classes(SimpleNamespace(), ["covid", "normal"])  # or a Keras model
    >>> check_classes(model, ["covid", "normal"])
    >>> check_classes(model, ["normal", "covid"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: the model answers for the classes covid, normal, in this order, and was to be ...
    """
    own, asked = class_names(model), tuple(map(str, classes))
    if own is None:
        warnings.warn(
            "the model does not say what its outputs mean; assumed, in this order: "
            f"{', '.join(asked)}. Make it sure with train.name_classes(model, classes)",
            stacklevel=stacklevel,
        )
    elif own != asked:
        raise ValueError(
            f"the model answers for the classes {', '.join(own)}, in this order, and was to be "
            f"scored on {', '.join(asked)}: each answer would get another name. Give the table the "
            "model's classes, with "
            f'table["label"].cat.set_categories({list(own)})'
        )


def predict(
    model: Any,
    table: pd.DataFrame,
    images: np.ndarray,
    *,
    split: str | None = None,
    name: str | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> pd.DataFrame:
    """The predictions table of a Keras model for one part of the split (None: all rows).

    The model may have one sigmoid unit (two classes) or one softmax unit per class; labels are
    numbered in the order of the table's label categories. The order is the table's: nothing is
    shuffled.

    Parameters
    ----------
    model : keras.Model
        Called with grey levels float32 (n, size, size, 1), 0 to 255.
    table : DataFrame
        A manifest; `label` is categorical.
    images : ndarray
        uint8 (n, size, size), row i for row i of the table.
    split : str, optional
        The part to score, by default all rows.
    name : str, optional
        What the model is called in the table, by default its own name.
    seed : int
        Written into the table.
    batch_size : int, optional
        Images at a time; by default see `pipeline.inference_batch`.

    Returns
    -------
    DataFrame
        A table of predictions; see `predictions.build`.

    Raises
    ------
    ValueError
        For a model that was trained on other classes or another order of them, for answers that are
        no probabilities, and as `pipeline.batches` does.

    Warns
    -----
    UserWarning
        Where the model does not say its classes.

    Examples
    --------
    Any function may stand for the network: here the share of bright pixels is the probability of
    covid.

    >>> from cxr_helpers.predictions import KEPT
    >>> def answers(grey, training):
    ...     lit = np.mean(np.asarray(grey) > 127, axis=(1, 2, 3))
    ...     return np.column_stack([lit, 1 - lit])
    >>> model = name_classes(answers, ["covid", "normal"])
    >>> table = pd.DataFrame({"image_id": ["a", "b"], "split": ["test", "train"]}, columns=KEPT)
    >>> table["label"] = pd.Categorical(["normal", "covid"])
    >>> images = np.stack([np.zeros((32, 32), np.uint8), np.full((32, 32), 255, np.uint8)])
    >>> found = predict(model, table, images, name="lit")
    >>> found[["image_id", "p_covid", "predicted"]].to_numpy().tolist()
    [['a', 0.0, 'normal'], ['b', 1.0, 'covid']]
    >>> predict(model, table, images, split="test", name="lit")["image_id"].tolist()
    ['a']
    """
    check_classes(model, table["label"].cat.categories)
    if getattr(model, "outputs", None):
        answer_layer(model)
    rows = table if split is None else table[table["split"] == split]
    batch_size = batch_size or pipeline.inference_batch(images)
    data = pipeline.batches(table, images, split, batch_size=batch_size, shuffle=False)
    name = name or model.name
    shown = bar(data, total=-(-len(rows) // batch_size), desc=name, unit="batch")
    output = np.concatenate([np.asarray(model(grey, training=False)) for grey, _ in shown])
    return build(rows, as_probabilities(output, name), model=name, seed=seed)


def predictions_table(
    table: pd.DataFrame, probabilities: np.ndarray, *, model: str, seed: int = 0
) -> pd.DataFrame:
    """Rows of a manifest with a model's probabilities: the second of the course's two tables.

    The same as `predictions.build`, which says what it returns.

    Parameters
    ----------
    table : DataFrame
        A manifest; `label` is categorical.
    probabilities : ndarray
        (n, classes) in [0, 1], columns in the order of the table's label categories.
    model : str
        What the model is called.
    seed : int
        The seed of its training.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ValueError
        Where the shapes do not fit.

    Examples
    --------
    >>> columns = ["image_id", "group", "patient", "source", "label", "split", "fold"]
    >>> table = pd.DataFrame({"image_id": ["a", "b"]}, columns=columns)
    >>> table["label"] = pd.Categorical(["covid", "normal"])
    >>> made = predictions_table(table, np.array([[0.8, 0.2], [0.6, 0.4]]), model="net")
    >>> made[["image_id", "model", "p_covid", "predicted"]].to_numpy().tolist()
    [['a', 'net', 0.8, 'covid'], ['b', 'net', 0.6, 'covid']]
    """
    return build(table, probabilities, model=model, seed=seed)


def cross_validate(
    recipe: Recipe,
    table: pd.DataFrame,
    images: np.ndarray,
    *,
    seed: int = 0,
    epochs: int | None = None,
    val: float = 0.15,
    progress: bool = True,
) -> pd.DataFrame:
    """Predictions for every image by a network that never saw its group: one training per fold.

    Each fold is scored once, by a network trained on the other folds; a recipe that stops early
    watches a part `val` of those, split off by group.

    Parameters
    ----------
    recipe : Recipe
        What is trained, and how.
    table : DataFrame
        A manifest with a `fold` column (`split.folds`).
    images : ndarray
        uint8 (n, size, size), row i for row i of the table.
    seed : int
        As for `fit`, in each fold.
    epochs : int, optional
        Instead of the recipe's.
    val : float
        Share of the training rows that a recipe that stops early watches, in (0, 1).
    progress : bool
        Whether to show a bar.

    Returns
    -------
    DataFrame
        A table of predictions of all rows, in the table's order, with a `seconds` column: the
        training time of the fold's network.

    Raises
    ------
    ValueError
        Where an image has no fold, and as `fit` does.
    LeakError
        Where a group, a patient or a file is in two folds.

    Examples
    --------
    A network that sees the mean grey level and nothing else, and images of which the normal ones
    are brighter:

    >>> from cxr_helpers.models import Recipe
    >>> from cxr_helpers.predictions import KEPT
    >>> def build(n_classes, size):
    ...     from keras import Sequential, layers
    ...     grey, mean = layers.Input((size, size, 1)), layers.GlobalAveragePooling2D()
    ...     unit = layers.Dense(1, activation="sigmoid")
    ...     return Sequential([grey, layers.Rescaling(1 / 255), mean, unit])
    >>> recipe = Recipe("brightness", build, epochs=15, batch_size=2, learning_rate=0.3)
    >>> names = list("abcdefgh")
    >>> table = pd.DataFrame({"image_id": names, "group": names}, columns=KEPT)
    >>> table["label"] = pd.Categorical(["covid", "normal"] * 4)
    >>> images = np.zeros((8, 16, 16), np.uint8)
    >>> images[1::2] = 255
    >>> folded = table.assign(fold=[0, 0, 0, 0, 1, 1, 1, 1])
    >>> found = cross_validate(recipe, folded, images, progress=False)
    >>> found["image_id"].tolist() == names, bool((found["predicted"] == table["label"]).all())
    (True, True)
    >>> found["seconds"].nunique()  # one network for each fold
    2
    """
    if table["fold"].isna().any():
        raise ValueError("the table has images without a fold; call split.folds(table) first")
    split.assert_disjoint(table, column="fold")
    scored = []
    for fold in sorted(table["fold"].unique()):
        held_out = (table["fold"] == fold).to_numpy(bool)
        parts = _training_parts(table, held_out, recipe, val, seed)
        fitted = fit(recipe, parts, images, seed=seed, epochs=epochs, progress=progress)
        part = predict(fitted.model, parts, images, split="test", name=recipe.name, seed=seed)
        scored.append(part.assign(seconds=fitted.seconds))
    result = pd.concat(scored, ignore_index=True)
    return result.set_index("image_id").loc[table["image_id"]].reset_index()


def _training_parts(
    table: pd.DataFrame, held_out: np.ndarray, recipe: Recipe, val: float, seed: int
) -> pd.DataFrame:
    """The table with held-out rows as `test`, others as `train`, and `val` where it is needed."""
    column = np.where(held_out, "test", "train").astype(object)
    if recipe.patience is not None:
        column[~held_out] = split.holdout(table[~held_out], test=0, val=val, seed=seed)[
            "split"
        ].astype(object)
    return table.assign(split=pd.Categorical(column, categories=manifest.SPLITS))
