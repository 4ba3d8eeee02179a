"""Fitting, scoring and cross-validating a recipe; what comes out is a table of predictions.

Introduced in lesson 06.
"""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from . import pipeline, split
from .console import bar
from .models import Recipe
from .models.answers import answer_layer, as_probabilities
from .predictions import build


@dataclass(frozen=True)
class Fitted:
    """A trained Keras `model`, its `history` (one row per epoch) and the `seconds` that training took."""

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

    Parameters: `images`, uint8 (n, size, size), row i for row i of the table; `seed` of the
    weights, the order and the augmentation; `epochs` instead of the recipe's (a first
    phase keeps its own). The model carries the names of its classes
    (see `class_names`). With `recipe.patience` the weights of the best validation loss are kept. Returns a `Fitted`
    whose history has the columns `epoch`, `loss`, `accuracy`, and `val_loss`, `val_accuracy`
    where there is a validation part. Sets Python's, NumPy's and TensorFlow's random seeds.
    Raises ValueError as `pipeline.batches` does. Introduced in lesson 06.
    """
    import keras

    pipeline.check_keras()
    epochs = recipe.epochs if epochs is None else epochs
    n_classes = len(table["label"].cat.categories)
    settings = {"batch_size": recipe.batch_size, "seed": seed, "one_hot": n_classes > 2}
    training = pipeline.batches(table, images, "train", augment=recipe.augment, **settings)
    validation = pipeline.batches(table, images, "val", **settings) if (table["split"] == "val").any() else None
    if recipe.patience is not None and validation is None:
        raise ValueError(f"recipe {recipe.name!r} stops early by its validation loss; the table has no `val` rows")
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
        # callbacks are made here each time: a used one may remember the last training, as ModelCheckpoint does its best
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
    """The recipe with its epochs, after the phase in which only the last layers learn, where it has one."""
    main = replace(recipe, epochs=epochs)
    if not recipe.head_epochs:
        return [main]
    rate = recipe.head_learning_rate
    head = replace(recipe, epochs=recipe.head_epochs, learning_rate=rate, patience=None, unfreeze=None)
    return [head, main]


def _compile(model, recipe: Recipe) -> None:
    """The loss that belongs to the last layer, and the recipe's optimiser.

    All variables are made here, not at the first step: TensorFlow traces a step that makes variables twice.
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
    """The learning rate of each step: up from a tenth in the first twentieth, then down to zero along half a cosine."""
    warm = max(1, steps // 20)
    step = np.arange(steps)
    rising = 0.1 + 0.9 * step / warm
    falling = 0.5 + 0.5 * np.cos(np.pi * (step - warm) / max(1, steps - warm))
    return recipe.learning_rate * np.where(step < warm, rising, falling)


def _callbacks(recipe: Recipe, model, steps: int, progress: bool) -> list:
    import keras

    shown = bar(show=progress, total=recipe.epochs, desc=recipe.name, unit="epoch")
    callbacks = [
        keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: shown.update(), on_train_end=lambda logs: shown.close()
        )
    ]
    if recipe.cosine:
        # A schedule inside the optimiser is traced once for each variable, which takes longer than several epochs.
        rates = iter(_rates(recipe, steps))
        rate = model.optimizer.learning_rate
        set_rate = keras.callbacks.LambdaCallback(on_train_batch_begin=lambda batch, logs: rate.assign(next(rates)))
        callbacks.append(set_rate)
    if recipe.patience is not None:
        callbacks.append(keras.callbacks.EarlyStopping(patience=recipe.patience, restore_best_weights=True))
    return callbacks


def _history(histories: list) -> pd.DataFrame:
    table = pd.concat([pd.DataFrame(history.history) for history in histories], ignore_index=True)
    table.insert(0, "epoch", np.arange(1, len(table) + 1))
    return table[[c for c in ("epoch", "loss", "accuracy", "val_loss", "val_accuracy") if c in table]]


def name_classes(model, classes: Sequence[str]):
    """Let a model carry the names of its classes, in the order of its outputs (one unit: negative, positive).

    `fit` does it, and so does a bundle; a `.keras` file does not keep it. Returns the model. Introduced in lesson 06.
    """
    model.class_names = tuple(map(str, classes))
    return model


def class_names(model) -> tuple[str, ...] | None:
    """The classes that a model carries, in the order of its outputs; None if it does not say. See lesson 06."""
    names = getattr(model, "class_names", None)
    return None if names is None else tuple(names)


def check_classes(model, classes: Sequence[str], stacklevel: int = 3) -> None:
    """Refuse classes that are not the model's own, in its order; warn where it does not say which they are.

    Raises ValueError. Introduced in lesson 06.
    """
    own, asked = class_names(model), tuple(map(str, classes))
    if own is None:
        warnings.warn(
            f"the model does not say what its outputs mean; assumed, in this order: {', '.join(asked)}. Make it sure "
            "with train.name_classes(model, classes)",
            stacklevel=stacklevel,
        )
    elif own != asked:
        raise ValueError(
            f"the model answers for the classes {', '.join(own)}, in this order, and was to be scored on "
            f"{', '.join(asked)}: each answer would get another name. Give the table the model's classes, with "
            f'table["label"].cat.set_categories({list(own)})'
        )


def predict(
    model,
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
    numbered in the order of the table's label categories. `name` (default: the model's) and
    `seed` are written into the table. The order is the table's: nothing is shuffled.
    `batch_size`: see `pipeline.inference_batch` (None). Raises ValueError for a model that was trained on other classes
    or another order of them, for answers that are no probabilities, and as `pipeline.batches` does; warns where the
    model does not say its classes. Introduced in lesson 06.
    """
    check_classes(model, table["label"].cat.categories)
    if getattr(model, "outputs", None):
        answer_layer(model)
    rows = table if split is None else table[table["split"] == split]
    batch_size = batch_size or pipeline.inference_batch(images)
    data = pipeline.batches(table, images, split, batch_size=batch_size, shuffle=False)
    output = np.concatenate([np.asarray(model(grey, training=False)) for grey, _ in data])
    name = name or model.name
    return build(rows, as_probabilities(output, name), model=name, seed=seed)


def predictions_table(table: pd.DataFrame, probabilities: np.ndarray, *, model: str, seed: int = 0) -> pd.DataFrame:
    """Rows of a manifest with a model's probabilities: the second of the course's two tables.

    Parameters: `probabilities`, (n, classes) in [0, 1], columns in the order of the table's label categories. The same
    as `predictions.build`, which says what it returns. Raises ValueError where the shapes do not fit. Introduced in
    lesson 06.
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

    The table needs a `fold` column (`split.folds`). Each fold is scored once, by a network
    trained on the other folds; a recipe that stops early watches a part `val` of those, split
    off by group. Returns a predictions table of all rows, with a `seconds` column: the training
    time of the fold's network. Introduced in lesson 07.
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


def _training_parts(table, held_out: np.ndarray, recipe: Recipe, val: float, seed: int) -> pd.DataFrame:
    """The table with the held-out rows as `test`, the others as `train`, and `val` where the recipe needs it."""
    column = np.where(held_out, "test", "train").astype(object)
    if recipe.patience is not None:
        column[~held_out] = split.holdout(table[~held_out], test=0, val=val, seed=seed)["split"].astype(object)
    return table.assign(split=pd.Categorical(column, categories=split.SPLITS))
