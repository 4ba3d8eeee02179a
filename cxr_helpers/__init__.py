"""Helpers for a course on classifying chest radiographs, and on what the result is worth.

For education, never for diagnosis.

Submodules load on first use, so that ``import cxr_helpers`` is fast and
``cxr_helpers.split.folds(...)`` needs no further import.
"""

import importlib
from types import ModuleType

from .console import bar, quiet

__version__ = "0.1.0"

_MODULES = (
    "stats",
    "measured",
    "images",
    "manifest",
    "predictions",
    "fetch",
    "phantom",
    "datasets",
    "duplicates",
    "split",
    "evaluate",
    "calibrate",
    "preprocess",
    "pipeline",
    "models",
    "train",
    "transfer",
    "baselines",
    "audit",
    "explain",
    "uncertainty",
    "deploy",
    "plots",
    "guess",
    "checks",
)
__all__ = [*_MODULES, "bar", "quiet"]


def __getattr__(name: str) -> ModuleType:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
