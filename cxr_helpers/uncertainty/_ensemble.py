"""Several answers for one image: the mean of several models."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..predictions import (
    classes,
    one_run,
    paired,
    with_probabilities,
)


def ensemble(predictions: Sequence[pd.DataFrame], name: str = "ensemble") -> pd.DataFrame:
    """The mean of several models' probabilities, as a table in the first one's order of rows.

    Column `spread`: standard deviation over the models of the probability of the class that the
    mean predicts, in [0, 0.5]. Lakshminarayanan, Pritzel and Blundell 2017 (arXiv 1612.01474)
    average networks that differ by their seed. Raises PredictionsError if images, labels or classes
    differ, ValueError for fewer than two tables.
    """
    tables = list(predictions)
    if len(tables) < 2:
        raise ValueError(f"an ensemble needs at least two tables of predictions, not {len(tables)}")
    first, *others = (one_run(table, "A member of an ensemble") for table in tables)
    pairs = [paired(first, table) for table in others]
    members = [pairs[0][0], *(other for _, other in pairs)]
    row = pd.Index(members[0].image_id).get_indexer(first["image_id"])
    return _averaged(first, np.stack([member.probability[0][row] for member in members]), name)


def _averaged(first: pd.DataFrame, p: np.ndarray, name: str) -> pd.DataFrame:
    """The first table with the mean of p (models, n, classes) as probabilities, and the spread."""
    mean = p.mean(axis=0)
    best = mean.argmax(axis=1)
    spread = p.std(axis=0)[np.arange(len(mean)), best]
    said = pd.Categorical.from_codes(best, categories=classes(first))
    result = with_probabilities(first.reset_index(drop=True), mean).assign(model=name)
    return result.assign(predicted=said, spread=spread)
