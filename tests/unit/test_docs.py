"""Public docstrings have numpydoc's sections, and their examples run."""

import contextlib
import doctest
import importlib
import inspect
import os
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT
from tools.build.house import ORDER

ROOMS = [room for room in ORDER if room != "catalogue"]  # which is a table
# Rooms whose every public function has an example; in the others those where one is cheap.
EXAMPLES = (
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
    "calibrate",
    "train",
)
CHECKS = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["numpydoc_validation"][
        "checks"
    ]
)
# A command's docstring is what its --help prints, and each option tells its own.
HELP = "cli"
ELSEWHERE = ("phantom", "train")  # test_phantom.py and test_train.py run their examples


def public(room: str) -> Iterator[tuple[str, object]]:
    """(name, function) of a room: what it lists, or what it defines without an underscore."""
    module = importlib.import_module(f"cxr_helpers.{room}")
    names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
    for name in names:
        value = getattr(module, name)
        if inspect.isfunction(value) and value.__module__.startswith(f"cxr_helpers.{room}"):
            yield f"{value.__module__}.{value.__name__}", value


def with_examples(room: str) -> list[str]:
    """The full names of a room's modules that hold examples."""
    place = ROOT / "cxr_helpers" / room
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    names = (".".join(file.relative_to(ROOT).with_suffix("").parts) for file in files)
    return [
        name.removesuffix(".__init__")
        for name, file in zip(names, files, strict=True)
        if ">>>" in file.read_text("utf-8")
    ]


def faults(name: str, spared: Iterable[str] = ()) -> list[str]:
    """What numpydoc finds wrong with the docstring of a function, by its full name."""
    numpydoc = pytest.importorskip(
        "numpydoc.validate", reason="numpydoc is not in this environment: make setup"
    )
    return [
        f"{name}: {code} {text}"
        for code, text in numpydoc.validate(name)["errors"]
        if code in CHECKS.difference(spared)
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_docstrings_have_numpydocs_sections(room):
    functions = dict(public(room))
    assert len(functions) >= 3
    spared = {"PR01", "RT01"} if room == HELP else set()
    spared |= set() if room in EXAMPLES else {"EX01"}
    assert not [fault for name in functions for fault in faults(name, spared)]


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


@pytest.mark.parametrize(
    "room", [room for room in ROOMS if with_examples(room) and room not in ELSEWHERE]
)
def test_examples_give_what_they_say(room, tmp_path, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path))
    tried = 0
    for name in with_examples(room):
        found = run_examples(name)
        assert not found.failed, name
        tried += found.attempted
    assert tried >= (4 if room in EXAMPLES else 1)


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
