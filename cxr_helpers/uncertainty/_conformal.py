"""Split conformal prediction: sets of classes that hold the truth as often as asked for.

This holds if new images are like those of the calibration.
"""

import numpy as np
import pandas as pd

from ..predictions import as_text, classes, one_run, probabilities
from ._shares import upper_limit


def conformal_limit(predictions: pd.DataFrame, coverage: float = 0.9) -> float:
    """The limit on 1 - p_<class> up to which a class belongs to the set, from calibration rows.

    Score of a row: 1 - p of its true class ("least ambiguous set", LAC: Sadinle, Lei and Wasserman
    2019, doi 10.1080/01621459.2017.1395341). Limit: with n rows the ⌈(n + 1) · coverage⌉-th
    smallest score (Angelopoulos and Bates 2021, arXiv 2107.07511). Where several rows share a
    `group`, each group weighs the same, since images of one patient are not exchangeable with those
    of another (Lee, Barber and Willett 2023, arXiv 2306.06342). The promise: the sets of new images
    of *the same kind* hold the truth with probability `coverage` at least.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, of rows that neither trained nor chose anything.
    coverage : float
        The probability asked for, in (0, 1).

    Returns
    -------
    float
        In [0, 1]; 1 (every class in every set) where the rows are too few.

    Raises
    ------
    PredictionsError
        For a table that cannot be scored, or of several seeds.
    ValueError
        For a coverage outside (0, 1).

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> truth = ["covid", "covid", "covid", "normal"]
    >>> rows = from_arrays(truth, [0.9, 0.8, 0.6, 0.7], positive="covid")
    >>> round(conformal_limit(rows, 0.6), 2), conformal_limit(rows, 0.9)
    (0.4, 1.0)
    """
    one_run(predictions, "A limit")
    p, column = (
        probabilities(predictions),
        as_text(predictions["label"]).map(classes(predictions).index).to_numpy(int),
    )
    own = predictions["image_id"]
    group = (
        predictions.get("group", own)
        .astype(object)
        .where(lambda known: known.notna(), own)
        .to_numpy()
    )
    return min(upper_limit(1 - p[np.arange(len(p)), column], coverage, group), 1.0)


def prediction_sets(predictions: pd.DataFrame, limit: float) -> pd.DataFrame:
    """The set of each image, one row per image.

    Parameters
    ----------
    predictions : DataFrame
        A table of predictions, with labels or without.
    limit : float
        In [0, 1], as `conformal_limit` gives it: a class is in the set if 1 - p_<class> ≤ limit.

    Returns
    -------
    DataFrame
        Columns image_id, group, label, set_<class> (bool) per class, size (0 for an empty set) and
        covered (the true class is in it); without labels neither label nor covered. Others (source,
        patient, split) are kept where they are.

    Raises
    ------
    PredictionsError
        For a table that is none, or of several seeds.
    ValueError
        For a limit outside [0, 1].

    Examples
    --------
    >>> from cxr_helpers.evaluate import from_arrays
    >>> rows = from_arrays(["covid", "normal"], [0.9, 0.55], positive="covid")
    >>> prediction_sets(rows, 0.6)[["set_covid", "set_normal", "covered"]].to_numpy().tolist()
    [[True, False, True], [True, True, True]]
    """
    labelled = "label" in predictions
    one_run(predictions, "A prediction set", labelled=labelled)
    names, p = classes(predictions), probabilities(predictions)
    if not 0 <= limit <= 1:
        raise ValueError(f"limit is a number in [0, 1], as conformal_limit returns it, not {limit}")
    within = 1 - p <= limit + 1e-12
    kept = [
        c for c in ("image_id", "group", "patient", "source", "split", "label") if c in predictions
    ]
    sets = predictions[kept].reset_index(drop=True)
    sets = sets.assign(
        **{f"set_{name}": within[:, k] for k, name in enumerate(names)}, size=within.sum(axis=1)
    )
    if not labelled:
        return sets
    true = as_text(predictions["label"]).to_numpy()[:, None] == np.asarray(names, object)
    return sets.assign(covered=(within & true).any(axis=1))
