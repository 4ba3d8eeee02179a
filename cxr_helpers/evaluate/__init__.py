"""From a table of predictions to figures with interval and n.

Every function reads the table of predictions alone (one row per scored image and seed). It is
checked and taken apart in `predictions`; a person's guesses (`baselines.guesses`) are offered here
too.
"""

import importlib
from typing import Any

from ..predictions import PredictionsError, classes
from ..stats import wilson
from ._arrays import from_arrays, has_probabilities
from ._curves import (
    at_threshold,
    confusion,
    one_versus_rest,
    operating_point,
    roc,
)
from ._estimates import compare, metric, metrics, subgroups, table
from ._files import read_predictions

__all__ = [
    "PredictionsError",
    "at_threshold",
    "classes",
    "compare",
    "confusion",
    "from_arrays",
    "guesses",
    "has_probabilities",
    "metric",
    "metrics",
    "one_versus_rest",
    "operating_point",
    "read_predictions",
    "roc",
    "subgroups",
    "table",
    "wilson",
]


def __getattr__(name: str) -> Any:
    """`guesses`, on first use: its module imports data sets and phantoms, needless in a score."""
    if name == "guesses":
        return importlib.import_module("..baselines", __name__).guesses
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
