"""Whole runs with Colab's versions: what is run, and that an interrupted command goes on."""

import ast

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from cxr_helpers.checks import CORRECT, WRONG, Outcome
from tools import colab, colab_runs
from tools.common import ROOT

SETUP = "import os  # the set-up"


def prepared(name: str, tmp_path) -> list[str]:
    notebook = colab_runs.prepared(ROOT / name, SETUP, tmp_path)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize(
    "path", colab_runs.every(), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_every_notebook_is_prepared_as_code_that_can_run(path, tmp_path):
    codes = prepared(path.relative_to(ROOT).as_posix(), tmp_path)
    assert codes[0] == "import google.colab"
    assert codes.count(SETUP) == 1
    for code in codes:
        ast.parse(code)


def test_imports_that_wait_for_a_condition_are_left_to_the_whole_run():
    code = """with quiet():
    import keras
try:
    import lacking
except ImportError:
    import other
if DATA == "my drive":
    from google.colab import drive
def later():
    import inside
"""
    notebook = new_notebook(cells=[new_code_cell("%pip list\nimport numpy"), new_code_cell(code)])
    assert colab.imports(notebook) == "import numpy\nimport keras"


def test_an_exercise_runs_with_its_answers(tmp_path):
    codes = prepared("exercises/04_splitting_exercise.ipynb", tmp_path)
    assert any("folds = StratifiedGroupKFold(" in code for code in codes)
    assert sum(".check(" in code for code in codes) == 4


def test_case_a_reads_the_stand_in_of_a_drive(tmp_path):
    text = "\n".join(prepared("notebooks/student/cases/a_grey_scale.ipynb", tmp_path))
    assert text.count('SOURCE = "my drive"') == 1
    assert colab_runs.DRIVE not in text
    assert f"{tmp_path / 'drive'}/MyDrive/case_a" in text


@pytest.mark.parametrize(
    ("name", "answers"),
    [("13_deployment", "deploy.upload_widget("), ("cases/c_two_convolutions", "__wrapped__")],
)
def test_a_file_is_sent_to_a_notebooks_upload_button(name, answers, tmp_path):
    codes = prepared(f"notebooks/student/{name}.ipynb", tmp_path)
    assert "_counter" in codes[-2]
    assert answers in codes[-1]


def test_a_check_that_did_not_say_correct_is_named():
    def check(number, state):
        said = repr(Outcome(state, "Title", "So."))
        output = new_output("execute_result", {"text/plain": said}, execution_count=1)
        cell = new_code_cell(f"q{number}.check(a)", metadata={"tags": ["check"]})
        cell.outputs = [output]
        return cell

    notebook = new_notebook(cells=[check(1, CORRECT), check(2, WRONG)])
    assert colab_runs.wrong_checks(notebook) == ["q2.check(a)"]


def test_an_interrupted_command_goes_on_and_only_what_changed_runs_again(tmp_path, monkeypatch):
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.ipynb").write_text(name, encoding="utf-8")
    paths, ran, faults = sorted(tmp_path.glob("*.ipynb")), [], {"c": "no *correct*"}
    interrupted = {"b"}

    def run(path, *_):
        ran.append(path.stem)
        if path.stem in interrupted:
            interrupted.clear()
            raise KeyboardInterrupt
        return 1.5, faults.get(path.stem, "")

    def whole():
        ran.clear()
        return colab_runs.run_all(tmp_path / "kept", tmp_path, SETUP, paths, tmp_path)

    monkeypatch.setattr(colab_runs, "run", run)
    with pytest.raises(KeyboardInterrupt):
        whole()
    assert ran == ["a", "b"]
    assert whole() == ["c.ipynb: no *correct*"]
    assert ran == ["b", "c"], "not a again"
    faults.clear()
    paths[0].write_text("changed", encoding="utf-8")
    assert whole() == []
    assert ran == ["a", "c"], "what changed, and what had failed"
    assert whole() == []
    assert ran == []
