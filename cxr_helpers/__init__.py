"""Helpers for a course on classifying chest radiographs, and on what the result is worth.

For education, never for diagnosis.

Submodules load on first use, so that ``import cxr_helpers`` is fast and
``cxr_helpers.split.folds(...)`` needs no further import.
"""

import importlib

from ._quiet import quiet

__version__ = "0.1.0"

_MODULES = (
    "images",
    "manifest",
    "fetch",
    "phantom",
    "datasets",
    "duplicates",
    "split",
    "preprocess",
    "pipeline",
    "models",
    "train",
    "transfer",
    "baselines",
    "evaluate",
    "audit",
    "explain",
    "calibrate",
    "uncertainty",
    "deploy",
    "measured",
    "plots",
    "guess",
    "checks",
)
__all__ = [*_MODULES, "quiet"]


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
