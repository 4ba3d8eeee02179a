"""The committed notebooks run on the phantom, are small, and have cells that a test compares."""

import copy
import re
import subprocess
import sys
from collections.abc import Iterator

import nbformat
import nbval.plugin as nbval
import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from tools import common
from tools.build import outputs
from tools.rules import lint_content
from tools.run import ANSI

NOTEBOOKS = common.notebooks()
SANITIZE = common.ROOT / "tests" / "notebooks" / "sanitize.cfg"


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def committed(request):
    return common.read_notebook(request.param)


def code(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_lessons():
    assert [path.name[:2] for path in NOTEBOOKS][:7] == [f"0{number}" for number in range(1, 8)]


def test_outputs_are_there_and_from_one_run(committed):
    assert outputs.has_outputs(committed), "run `make notebooks`"
    assert committed.metadata.course.dataset == common.PHANTOM
    assert [cell.execution_count for cell in code(committed)] == list(
        range(1, len(code(committed)) + 1)
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_wrong_count_in_a_compared_cell_is_noticed(request, path):
    """nbval itself compares each compared cell with a copy in which one number is another."""
    file = nbval.IPyNbFile.from_parent(request.session, path=path)
    file.sanitize_patterns.update(nbval.get_sanitize_patterns(SANITIZE.read_text("utf-8")))
    marked = [
        cell
        for cell in file.collect()
        if cell.options["check"] and lint_content.COMPARED in common.tags(cell.cell)
    ]
    noticed = 0
    for cell in marked:
        outputs = cell.cell.outputs
        assert cell.compare_outputs(outputs, outputs)
        for wrong in planted(outputs):
            assert not cell.compare_outputs(wrong, outputs), (
                f"unnoticed in the output of:\n{cell.cell.source}"
            )
            noticed += 1
    assert noticed >= (1 if path.stem in lint_content.TOO_FEW_COMPARED else 3), (
        "tag cells with counts, shapes or names: nbval-check-output"
    )


def planted(outputs) -> Iterator[list]:
    """Copies of a cell's outputs, each with the last number of one output wrong by one."""
    for number, output in enumerate(outputs):
        wrong = copy.deepcopy(outputs)
        if output.output_type == "stream":
            wrong[number].text = off_by_one(output.text)
        elif "text/plain" in output.data:
            wrong[number].data["text/plain"] = off_by_one(output.data["text/plain"])
        if wrong != outputs:
            yield wrong


@pytest.mark.slow
def off_by_one(text: str) -> str:
    return re.sub(r"\d+(?=\D*$)", lambda found: str(int(found[0]) + 1), text, count=1)


def test_a_test_run_fails_where_a_count_is_wrong(tmp_path):
    sources = [
        "n = 7\nprint(f'{n} images')",
        "import pandas as pd\npd.DataFrame({'images': [n]})",
        "print(n / 3)",
    ]
    cells = [
        new_code_cell(source, execution_count=number) for number, source in enumerate(sources, 1)
    ]
    for cell in cells[:2]:
        cell.metadata.tags = [lint_content.COMPARED]
    cells[0].outputs = [new_output("stream", name="stdout", text="7 images\n")]
    wrong = pd.DataFrame({"images": [8]})
    data = {"text/plain": repr(wrong), "text/html": wrong._repr_html_()}
    cells[1].outputs = [new_output("execute_result", data, execution_count=2)]
    cells[2].outputs = [new_output("stream", name="stdout", text="2.3\n")]
    notebook = tmp_path / "counts.ipynb"
    nbformat.write(new_notebook(cells=cells), notebook)
    options = [
        "--nbval-lax",
        "--nbval-current-env",
        f"--nbval-sanitize-with={SANITIZE}",
        "-q",
        "-p",
        "no:cacheprovider",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, notebook],
        cwd=common.ROOT,
        capture_output=True,
        text=True,
    )
    assert "1 failed, 2 passed" in run.stdout, run.stdout
    assert "mismatch 'text/html'" in ANSI.sub("", run.stdout), run.stdout


@pytest.mark.parametrize("path", common.notebooks(student=True), ids=lambda path: path.stem)
def test_a_students_copy_has_the_same_cells_without_outputs_and_is_small(path):
    copy, executed = common.read_notebook(path), common.read_notebook(common.executed_copy(path))
    assert not outputs.has_outputs(copy)
    assert [cell.source for cell in code(copy)] == [cell.source for cell in code(executed)]
    assert path.stat().st_size < 100_000


def test_every_notebook_has_a_students_copy():
    assert [common.students_copy(path) for path in NOTEBOOKS] == common.notebooks(student=True)


def test_size_is_under_the_limit(committed):
    assert committed.metadata.course.source
    path = common.ROOT / committed.metadata.course.source
    notebook = next(pair.notebook for pair in common.pairs() if pair.source == path)
    assert notebook.stat().st_size <= common.MAX_BYTES
