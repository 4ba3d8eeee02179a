"""The committed notebooks: run from top to bottom on the phantom, small, and with cells that a test run compares."""

import pytest

from tools import common, outputs

NOTEBOOKS = common.notebooks()


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
    assert [cell.execution_count for cell in code(committed)] == list(range(1, len(code(committed)) + 1))


def test_some_outputs_are_compared_by_the_test_run(committed):
    marked = [cell for cell in code(committed) if "nbval-check-output" in common.tags(cell)]
    assert len(marked) >= 3, "tag cells with counts, shapes or names: nbval-check-output"
    for cell in marked:
        assert cell.outputs, f"a marked cell without output:\n{cell.source}"


def test_size_is_under_the_limit(committed):
    assert committed.metadata.course.source
    path = common.ROOT / committed.metadata.course.source
    notebook = next(pair.notebook for pair in common.pairs() if pair.source == path)
    assert notebook.stat().st_size <= common.MAX_BYTES
