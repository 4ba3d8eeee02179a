"""Public docstrings have numpydoc's sections and examples that run.

Those of the first rooms and of what lessons use most.
"""

import contextlib
import doctest
import importlib
import inspect
import os
import pkgutil
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT

ROOMS = (
    "paths",
    "files",
    "console",
    "stats",
    "images",
    "manifest",
    "predictions",
    "duplicates",
    "split",
    "evaluate",
    "train",
)
CHECKS = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["numpydoc_validation"][
        "checks"
    ]
)
# Trains networks: its examples run in test_train.py, whose process has imported TensorFlow.
TRAINS = "train"


def public(room: str) -> Iterator[tuple[str, object]]:
    """(name, function) of a room: what it lists, or what it defines without an underscore."""
    module = importlib.import_module(f"cxr_helpers.{room}")
    names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
    for name in names:
        value = getattr(module, name)
        if inspect.isfunction(value) and value.__module__.startswith(f"cxr_helpers.{room}"):
            yield f"{value.__module__}.{value.__name__}", value


def modules(room: str) -> list[str]:
    """The full names of a room's modules."""
    package = importlib.import_module(f"cxr_helpers.{room}")
    inside = pkgutil.iter_modules(getattr(package, "__path__", []), f"{package.__name__}.")
    return [package.__name__, *(module.name for module in inside)]


def faults(name: str) -> list[str]:
    """What numpydoc finds wrong with the docstring of a function, by its full name."""
    numpydoc = pytest.importorskip(
        "numpydoc.validate", reason="numpydoc is not in this environment: make setup"
    )
    return [
        f"{name}: {code} {text}"
        for code, text in numpydoc.validate(name)["errors"]
        if code in CHECKS
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_have_numpydocs_sections(room):
    functions = dict(public(room))
    assert len(functions) >= 3
    assert not [fault for name in functions for fault in faults(name)]


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_function_has_an_example(room):
    without = [name for name, function in public(room) if ">>>" not in function.__doc__]
    assert not without


def poor(values, scale=2):
    """Multiply

    Returns
    -------
    ndarray
    """
    return np.multiply(values, scale)


def test_a_poor_docstring_is_found():
    found = {fault.split()[1] for fault in faults(f"{__name__}.poor")}
    assert {"SS03", "PR01", "RT03"} <= found


@pytest.mark.parametrize("room", [room for room in ROOMS if room != TRAINS])
def test_examples_give_what_they_say(room, tmp_path, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path))
    tried = 0
    for name in modules(room):
        found = run_examples(name)
        assert not found.failed, name
        tried += found.attempted
    assert tried >= 4


def run_examples(name: str) -> doctest.TestResults:
    """Run the examples of a module, which see its names, and `np`, `pd`."""
    with contextlib.chdir(ROOT):
        module = importlib.import_module(name)
        known = {"np": np, "pd": pd, "os": os, "Path": Path}
        return doctest.testmod(
            module,
            extraglobs={k: v for k, v in known.items() if not hasattr(module, k)},
            optionflags=doctest.NORMALIZE_WHITESPACE,  # long results go over two lines
        )
