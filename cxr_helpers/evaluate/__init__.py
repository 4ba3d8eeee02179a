"""From a table of predictions to figures with their interval and n, and what they are compared with.

Every function reads the table of predictions alone (one row per scored image and seed). The baselines of
``cxr_helpers.baselines`` are offered here too, because a figure without its baseline says little.
"""

import importlib

from ..stats import Difference, Estimate, wilson
from ._arrays import from_arrays, has_probabilities
from ._chance import best_of, shuffled_accuracy
from ._curves import (
    at_threshold,
    confusion,
    one_versus_rest,
    operating_point,
    precision_recall,
    roc,
)
from ._estimates import compare, metric, metrics, subgroups, table
from ._files import read_predictions
from ._predictions import PredictionsError, check_predictions, classes

__all__ = [
    "Difference",
    "Estimate",
    "PredictionsError",
    "at_threshold",
    "best_of",
    "check_predictions",
    "classes",
    "compare",
    "confusion",
    "from_arrays",
    "guesses",
    "has_probabilities",
    "logistic_regression",
    "majority",
    "metric",
    "metrics",
    "nearest_neighbour",
    "one_versus_rest",
    "operating_point",
    "precision_recall",
    "read_predictions",
    "roc",
    "shuffled_accuracy",
    "subgroups",
    "table",
    "wilson",
]

_BASELINES = ("guesses", "logistic_regression", "majority", "nearest_neighbour")


def __getattr__(name: str):
    """The baselines, on first use: they bring data sets and phantoms with them, which a score does not need."""
    if name in _BASELINES:
        return getattr(importlib.import_module("..baselines", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
