"""Forked kernels: warm, yet as empty as fresh ones, and gone at the end."""

import os
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tests.conftest import ROOT
from tools.run import ANSI

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux only")

LOOK = """import json, os, subprocess, sys
from pathlib import Path
assert "tensorflow" in sys.modules, "not warm"
assert "cxr_helpers.datasets" not in sys.modules, "the code under test is imported afresh"
assert os.environ["GIVEN"] == "here"
assert "LEFT" not in globals(), "left by another notebook"
LEFT = 1
import pandas
assert pandas.get_option("display.max_columns") == 20, "tables as in a terminal"
show = "import json, sys; print(json.dumps(sys.path))"
shown = json.loads(subprocess.check_output([sys.executable, "-P", "-c", show]))
assert [place for place in sys.path if place] == shown, "another search path than a fresh Python's"
print(Path.cwd().name, Path("pid").write_text(str(os.getpid())) > 0)"""
FORGOT = "tensorflow.constant(1)"
DRAW = "import matplotlib\nprint('inline' in matplotlib.get_backend())"


def notebook(path, *sources, last=""):
    cells = [new_code_cell(source) for source in sources]
    cells[-1].outputs = [new_output("stream", name="stdout", text=last)] if last else []
    cells[-1].metadata.tags = ["nbval-check-output"] if last else []
    cells[-1].execution_count = len(cells)
    path.parent.mkdir()
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.mark.slow
def test_warm_kernels_are_as_empty_as_fresh_ones(tmp_path):
    seen = notebook(tmp_path / "one" / "look.ipynb", LOOK, last="one True\n")
    again = notebook(tmp_path / "two" / "look.ipynb", LOOK, last="two True\n")
    forgot = notebook(tmp_path / "three" / "forgot.ipynb", FORGOT)
    drawn = notebook(tmp_path / "four" / "draw.ipynb", DRAW, last="True\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.warm_kernels",
        "--nbval-lax",
        "--nbval-current-env",
        "-q",
    ]
    settings = os.environ | {"GIVEN": "here"}
    settings.pop("MPLBACKEND", None)
    run = subprocess.run(
        [*command, seen, again, forgot, drawn],
        cwd=ROOT,
        env=settings,
        capture_output=True,
        text=True,
    )
    assert "1 failed, 3 passed" in run.stdout, run.stdout
    assert "NameError: name 'tensorflow' is not defined" in ANSI.sub("", run.stdout)
    for folder in ("one", "two"):
        pid = (tmp_path / folder / "pid").read_text(encoding="utf-8")
        assert not os.path.exists(f"/proc/{pid}")
