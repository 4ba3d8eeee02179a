"""Several answers for one image, by several models or one with dropout left on; abstention."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..models.answers import leaves
from ..predictions import (
    as_text,
    check,
    classes,
    one_run,
    paired,
    probabilities,
    with_probabilities,
)
from ..train import class_names, name_classes, predict


def ensemble(predictions: Sequence[pd.DataFrame], name: str = "ensemble") -> pd.DataFrame:
    """The mean of several models' probabilities, as a table in the first one's order of rows.

    Column `spread`: standard deviation over the models of the probability of the class that the
    mean predicts, in [0, 0.5]. Lakshminarayanan, Pritzel and Blundell 2017 (arXiv 1612.01474)
    average networks that differ by their seed. Raises PredictionsError if images, labels or classes
    differ, ValueError for fewer than two tables. Lesson 12.
    """
    tables = list(predictions)
    if len(tables) < 2:
        raise ValueError(f"an ensemble needs at least two tables of predictions, not {len(tables)}")
    first, *others = (one_run(table, "A member of an ensemble") for table in tables)
    pairs = [paired(first, table) for table in others]
    members = [pairs[0][0], *(other for _, other in pairs)]
    row = pd.Index(members[0].image_id).get_indexer(first["image_id"])
    return _averaged(first, np.stack([member.probability[0][row] for member in members]), name)


def mc_dropout(
    model,
    table: pd.DataFrame,
    images: np.ndarray,
    passes: int = 20,
    seed: int = 0,
    *,
    split: str | None = None,
) -> pd.DataFrame:
    """The mean of `passes` answers of one Keras model with its dropout left on.

    Their `spread` is that of `ensemble`.

    Parameters as `train.predict`. Batch normalisation keeps its stored statistics: with
    `training=True` alone it would use those of the batch, and an image's answer would depend on its
    neighbours. Gal and Ghahramani 2016 (arXiv 1506.02142). Raises ValueError for a model without
    dropout, or fewer than two passes. Introduced in lesson 12.
    """
    import keras

    layers = leaves(model)
    dropouts = [
        layer for layer in layers if isinstance(layer, keras.layers.Dropout) and layer.rate > 0
    ]
    norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not dropouts or passes < 2:
        raise ValueError(
            f"needed: a dropout layer and two passes; there are {len(dropouts)} and {passes}"
        )
    before = [layer.trainable for layer in norms]
    for number, layer in enumerate(dropouts):
        layer.seed_generator.state.assign([seed, number])
    try:
        for layer in norms:
            layer.trainable = False  # then it runs as in use, whatever `training` says

        def restless(grey, training):
            return model(grey, training=True)

        if (names := class_names(model)) is not None:
            name_classes(restless, names)
        runs = [predict(restless, table, images, split=split, name="run") for _ in range(passes)]
    finally:
        for layer, flag in zip(norms, before, strict=True):
            layer.trainable = flag
    return _averaged(
        runs[0], np.stack([probabilities(run) for run in runs]), f"{model.name}, {passes} passes"
    )


def risk_coverage(predictions: pd.DataFrame, confidence: str | None = None) -> pd.DataFrame:
    """The error if the least certain images are not answered: one row per number answered.

    Certainty: the column `confidence` (higher is surer), by default the largest probability.
    Columns: threshold (the lowest confidence answered), answered, right, wrong, abstained (shares
    of ALL images, the last three sum to 1), and error (wrong / answered: the "selective risk" of
    Geifman and El-Yaniv 2017, arXiv 1705.08500). Raises PredictionsError. Introduced in lesson 12.
    """
    check(predictions)
    sure = (
        probabilities(predictions).max(axis=1)
        if confidence is None
        else predictions[confidence].to_numpy(float)
    )
    right = (as_text(predictions["predicted"]) == as_text(predictions["label"])).to_numpy()
    order = np.argsort(-sure, kind="stable")
    level, n = sure[order], len(order)
    last = np.r_[np.diff(level) != 0, True]  # images of equal confidence are answered together
    answered, correct = np.arange(1, n + 1)[last], right[order].cumsum()[last]
    found = {"threshold": level[last], "answered": answered / n, "right": correct / n}
    found |= {
        "wrong": (answered - correct) / n,
        "abstained": 1 - answered / n,
        "error": 1 - correct / answered,
    }
    return pd.DataFrame(found)


def _averaged(first: pd.DataFrame, p: np.ndarray, name: str) -> pd.DataFrame:
    """The first table with the mean of p (models, n, classes) as probabilities, and the spread."""
    mean = p.mean(axis=0)
    best = mean.argmax(axis=1)
    spread = p.std(axis=0)[np.arange(len(mean)), best]
    said = pd.Categorical.from_codes(best, categories=classes(first))
    result = with_probabilities(first.reset_index(drop=True), mean).assign(model=name)
    return result.assign(predicted=said, spread=spread)
