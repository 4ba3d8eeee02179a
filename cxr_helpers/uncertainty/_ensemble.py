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

    Lakshminarayanan, Pritzel and Blundell 2017 (arXiv 1612.01474) average networks that differ by
    their seed.

    Parameters
    ----------
    predictions : sequence of DataFrame
        Two or more tables of predictions, of the same images.
    name : str
        Of the ensemble, for the column model.

    Returns
    -------
    DataFrame
        A table of predictions; its column `spread` is the standard deviation over the models of the
        probability of the class that the mean predicts, in [0, 0.5].

    Raises
    ------
    PredictionsError
        If images, labels or classes differ.
    ValueError
        For fewer than two tables.

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> one = from_arrays(["covid", "normal"], [0.9, 0.2], positive="covid")
    >>> two = from_arrays(["covid", "normal"], [0.5, 0.2], positive="covid")
    >>> ensemble([one, two])[["p_covid", "spread"]].round(2).to_numpy().tolist()
    [[0.7, 0.2], [0.2, 0.0]]
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
