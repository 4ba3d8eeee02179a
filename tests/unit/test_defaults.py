"""What a call without more arguments does: lessons and tables were made with these numbers."""

import dataclasses
import inspect

import numpy as np
import pytest

from cxr_helpers import audit, calibrate, duplicates, evaluate, predictions, split, stats
from cxr_helpers.evaluate import _estimates, figures
from cxr_helpers.stats import _paired

LEVEL = {"level": 0.95}
POSITIVE = {"positive": None, **LEVEL}
JUDGED = {"positive": None, "bins": 10, **LEVEL}
FOREST = {"seed": 0, "k": 5}
DEFAULTS = {
    split: {
        "assert_disjoint": {"by": ("group", "patient", "sha256"), "column": "split"},
        "folds": {"k": 5, "seed": 0},
        "holdout": {"test": 0.2, "val": 0.2, "seed": 0},
    },
    duplicates: {
        "add_groups": {"pairs_found": None, "threshold": 0.8},
        "fingerprint": {},
        "fingerprints": {"progress": True},
        "pairs": {"threshold": 0.8, "progress": True},
        "similar": {"block": 1024},
    },
    stats: {
        "auc": {},
        "auc_without_each": {},
        "blocks": {},
        "centred": {"support": None, **LEVEL},
        "check_level": {},
        "delong": LEVEL,
        "difference": {"discordant": None, **LEVEL},
        "groups_needed": LEVEL,
        "identical": {},
        "loss": {"group": None, **LEVEL, "most": np.inf},
        "mcnemar_exact": {},
        "mean": {"group": None, **LEVEL},
        "proportion": {"group": None, **LEVEL},
        "share": {"support": None, **LEVEL, "answers": True},
        "standard_error": {},
        "swap_p": {"discordant": None},
        "wilson": LEVEL,
    },
    predictions: {
        "as_text": {},
        "build": {"seed": 0},
        "check": {"labelled": True},
        "classes": {},
        "columns": {},
        "mixed": {},
        "of_class": {},
        "one_run": {"labelled": True},
        "paired": {},
        "probabilities": {"names": None},
        "seeds": {},
        "to_arrays": {},
        "units": {},
        "with_probabilities": {"names": None},
    },
    evaluate: {
        "at_threshold": LEVEL,
        "compare": {"metric": "f1_macro", **POSITIVE},
        "confusion": {},
        "from_arrays": {"classes": None, "groups": None, "positive": None},
        "has_probabilities": {},
        "metric": {"metric": "f1_macro", **POSITIVE},
        "metrics": {**LEVEL, "names": (*figures.OVERALL, *figures.PER_CLASS)},
        "one_versus_rest": {},
        "operating_point": {"sensitivity": 0.95},
        "read_predictions": {"positive": None},
        "roc": {},
        "subgroups": {"metric": "accuracy", **POSITIVE},
        "table": {"metrics": ("accuracy", "f1_macro"), **POSITIVE},
    },
    calibrate: {
        "apply": {},
        "predictive_values": {},
        "reliability": JUDGED,
        "scores": JUDGED,
        "temperature": {},
    },
    audit: {
        "file_properties_baseline": {**FOREST, "trees": 200},
        "frame_baseline": {**FOREST, "trees": 100, "width": 6},
        "masked": {"keep": "outside", "fill": 0},
        "order_gap": FOREST,
        "report": {"rejects": None, "pairs": None, "seed": 0, "images": None},
        "shortcuts": {"seed": 0},
        "source_baseline": {**FOREST, "by": "source"},
        "writing_baseline": {"images": None, **FOREST, "trees": 60, "progress": True},
    },
}
CONSTANTS = {
    split: {"GRAIN": 20},
    duplicates: {"SIZE": 64, "BORDER": 4, "WINDOW": 9, "THRESHOLD": 0.8},
    stats: {"FEWEST": 3, "BLOCKS": 200},
    _paired: {"SWAPS": 9_999, "ENUMERATED": 12, "SWAPPED_BLOCKS": 1_000},
    _estimates: {"LEAST_SUPPORT": 4.0},
    predictions: {"TOLERANCE": 1e-3},
    calibrate: {"SMALLEST": 1e-12, "RANGE": (0.05, 20.0), "CHANCE_DRAWS": 1_000},
    audit: {
        "WRITING_SIDE": 1024,
        "PIXELS_COMPARED": 12,
        "THUMBNAIL": 16,
        "LEAST_ALIKE": 0.5,
        "SUSPECT_AUC": 0.6,
    },
}


def given(function):
    parameters = inspect.signature(function).parameters.values()
    return {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.default is not parameter.empty
    }


@pytest.mark.parametrize("module", DEFAULTS, ids=lambda module: module.__name__)
def test_public_functions_have_these_defaults(module):
    functions = {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__.startswith(module.__name__)
    }
    assert {name: given(function) for name, function in functions.items()} == DEFAULTS[module]


@pytest.mark.parametrize("module", CONSTANTS, ids=lambda module: module.__name__)
def test_numbers_behind_the_measured_tables_are_these(module):
    assert {name: getattr(module, name) for name in CONSTANTS[module]} == CONSTANTS[module]


@pytest.mark.parametrize(
    "kind",
    [stats.Estimate, stats.Difference, figures.Figure, predictions.Arrays],
)
def test_a_result_cannot_be_changed_by_accident(kind):
    names = [field.name for field in dataclasses.fields(kind)]
    one = kind(*range(len(names)))
    for name in names:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, name, 0)
