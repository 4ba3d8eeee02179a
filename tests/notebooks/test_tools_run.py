"""The runner: exit code, the failing cell shown, settings handed on, copies, pages, a report."""

import csv
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tools import run

SETTINGS_CELL = """import os
MODE = os.environ.get("CXR_MODE", "class")
DATA_DIR = os.environ.get("CXR_DATA_DIR", "data")
SEED = int(os.environ.get("CXR_SEED", "0"))"""
SHOW_CELL = """import matplotlib, time
block = bytes(range(256)) * 800_000  # 200 MB, held while memory is looked at several times
time.sleep(0.5)
assert "inline" in matplotlib.get_backend()
folder = os.path.basename(os.getcwd())
print(MODE, os.environ["CXR_MODE"], SEED, EXTRA, os.path.isabs(DATA_DIR), folder)"""


def write(course, name, *sources):
    cells = [new_code_cell(source) for source in sources]
    cells[0].metadata.tags = ["parameters"]
    nbformat.write(new_notebook(cells=cells), course / "notebooks" / name)


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_success_and_failure_in_one_run(course, monkeypatch, capsys):
    monkeypatch.chdir(course)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setenv("JUPYTER_PATH", str(course / "nowhere"))
    write(course, "01_good.ipynb", SETTINGS_CELL, SHOW_CELL)
    write(course, "02_bad.ipynb", "import os", "x = 1\nx / 0", "y = 2")
    output = course / "output"
    code = run.main(
        [
            "--mode",
            "full",
            "--data-dir",
            "sets",
            "--seed",
            "3",
            "-p",
            "EXTRA",
            "[1]",
            "--output",
            str(output),
        ],
        course,
    )
    assert code == 1
    printed = capsys.readouterr().out
    assert "02_bad, cell 3" in printed  # after the cell with the injected parameters
    assert "x / 0" in printed
    assert "ZeroDivisionError" in printed
    assert "1 ok, 1 failed" in printed
    good, bad = rows(output / "report.csv")
    assert (good["status"], bad["status"], bad["failed_cell"]) == ("ok", "failed", "3")
    assert int(good["peak_mb"]) > 200 > int(bad["peak_mb"]) > 10
    assert good["cells"] == "3"
    copy = nbformat.read(output / "01_good.ipynb", 4)
    assert copy.cells[-1].outputs[0].text == "full full 3 [1] True notebooks\n"
    assert (output / "02_bad.html").is_file()
    assert "full full 3" in (output / "01_good.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_one_good_notebook_ends_with_zero(course):
    write(course, "01_good.ipynb", "x = 1", "x + 1")
    assert run.main(["01", "--output", str(course / "out")], course) == 0


def test_page_keeps_alt_text(course):
    figure = {"text/html": '<img alt="rises from 0 to 9" src="data:image/png;base64,iVBORw0KGgo=">'}
    image = new_output("display_data", figure)
    notebook = new_notebook(cells=[new_code_cell("x", outputs=[image])])
    page = run.page(notebook, course / "x.ipynb")
    assert page.count('<img alt="rises from 0 to 9"') == 1


def test_page_asks_no_other_host_and_draws_its_formulas(course):
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {"a": {}}}}
    cells = [new_markdown_cell("Weakened: $e^{-\\mu t}$, and $$I = I_0$$"), new_code_cell("x")]
    notebook = new_notebook(cells=cells, metadata={"widgets": widgets})
    page = run.page(notebook, course / "x.ipynb")
    assert "<script" not in page
    assert not re.search(r"""(src|href)=["']https?:|import .* from|url\(["']?http""", page)
    assert page.count('<img alt="e^{-\\mu t}" class="formula"') == 1
    assert page.count('class="formula"') == 2
    assert "$" not in page.split("<main>")[1]
    assert cells[0].source.startswith("Weakened: $"), "the notebook stays as it is"


def test_settings_come_from_options_then_environment(course, monkeypatch):
    monkeypatch.chdir(course)
    for name in ("CXR_MODE", "CXR_DATASET", "CXR_DATA_DIR", "CXR_SEED"):
        monkeypatch.delenv(name, raising=False)
    assert run.settings(run.parser().parse_args([])) == {}
    monkeypatch.setenv("CXR_DATA_DIR", "my sets")
    monkeypatch.setenv("CXR_MODE", "full")
    found = run.settings(run.parser().parse_args(["--mode", "class", "--seed", "0"]))
    assert found == {"MODE": "class", "DATA_DIR": str(course / "my sets"), "SEED": 0}


def test_core_leaves_the_deeper_steps_out(course):
    cells = [
        new_markdown_cell(text)
        for text in ("## Step 1 · A", "## Step 2 · B · deeper", "text", "## Step 3 · C")
    ]
    cells.insert(2, new_code_cell("deep = 1"))
    path = course / "notebooks" / "01_good.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    assert [cell.source for cell in run.core(path).cells] == ["## Step 1 · A", "## Step 3 · C"]


@pytest.mark.slow
def test_a_core_that_needs_a_deeper_step_fails_and_the_students_copies_are_chosen(course):
    (course / "notebooks" / "student").mkdir()
    cells = [new_code_cell("x = 1"), new_markdown_cell("### B · deeper"), new_code_cell("y = 2")]
    cells += [new_markdown_cell("## C"), new_code_cell("x + y")]
    nbformat.write(new_notebook(cells=cells), course / "notebooks" / "student" / "01_good.ipynb")
    output = course / "out"
    assert run.main(["--student", "--output", str(output)], course) == 0
    assert run.main(["--student", "--core", "--output", str(output)], course) == 1
    assert "'y' is not defined" in rows(output / "report.csv")[0]["error"]
    assert run.main(["--output", str(output)], course) == 2, "there is no executed copy"


def test_seconds_are_those_measured_if_any_were(course):
    assert run.measured_seconds(course) == {}
    (course / "benchmarks").mkdir()
    (course / "benchmarks" / "lessons.csv").write_text(
        "notebook,seconds,cells\n01_good,2.5,3\n", encoding="utf-8"
    )
    assert run.measured_seconds(course) == {"01_good": 2.5}


def test_nothing_to_run_is_an_error(course, capsys):
    assert run.main([], course) == 2
    assert "make notebooks" in capsys.readouterr().err
    assert run.main(["04"], course) == 2
    assert "no notebook '04'" in capsys.readouterr().err
