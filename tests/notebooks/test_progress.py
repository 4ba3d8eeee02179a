"""What a student has done: read from what is saved, and shown on the index in JupyterLab."""

import asyncio
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from cxr_helpers.checks import CORRECT, WRONG, Outcome
from tests.notebooks.test_tools_index import small  # noqa: F401  (a fixture)
from tools import lab, lab_contents, progress
from tools.build import index

GUESS = 'auc = guess.number("01.auc", None, between=(0, 1), example=0.5)\nauc'


def said(state: str):
    outcome = Outcome(state, "Make the split: now", "So it is.", 3)
    return [new_output("execute_result", {"text/plain": repr(outcome)}, execution_count=1)]


@pytest.fixture
def course(small, monkeypatch):  # noqa: F811
    """A course in which the first lesson has a prediction and a deeper step, the second an
    exercise of two checks.
    """
    monkeypatch.setenv("CXR_WORK_DIR", str(small / "work"))
    monkeypatch.delenv("CXR_GUESS", raising=False)
    cells = [
        new_markdown_cell("## Step 1 · One"),
        new_code_cell("a = 1"),
        new_code_cell(GUESS),
        new_markdown_cell("## Step 2 · Two · deeper"),
        new_code_cell("b = 2"),
        new_markdown_cell("## Key points"),
        new_code_cell(""),
    ]
    folder = small / "notebooks" / "student"
    nbformat.write(new_notebook(cells=cells), folder / "01_first.ipynb")
    nbformat.write(new_notebook(cells=[new_code_cell("c = 3")]), folder / "02_second.ipynb")
    checks = [new_code_cell(f"q{k}.check(a)", metadata={"tags": ["check"]}) for k in (1, 2)]
    nbformat.write(new_notebook(cells=checks), small / "exercises" / "02_second_exercise.ipynb")
    return small


def change(path, alter):
    notebook = nbformat.read(path, 4)
    alter([cell for cell in notebook.cells if cell.cell_type == "code"])
    nbformat.write(notebook, path)


def run(count):
    def alter(cells):
        for number, cell in enumerate(cells[:count], 1):
            cell.execution_count = number

    return alter


def predicted(course):
    line = {"key": "01.auc", "kind": "number", "what": "auc", "answer": 0.7, "own": True}
    file = progress.guess._store.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")


def test_nothing_done_is_the_page_as_it_stands_with_empty_columns(course):
    done = progress.mine(course)
    assert not any(one.begun or one.done for one in done.values())
    page = course / "notebooks" / "student" / "index.md"
    text = index.text(page, course, done)
    assert "Done:" not in text
    assert "**done**" not in text
    assert index.text(page, course) == page.read_text(encoding="utf-8")


def test_a_core_is_done_when_all_of_it_ran_and_deeper_steps_do_not_count(course):
    path = course / "notebooks" / "student" / "01_first.ipynb"
    change(path, run(1))
    first = progress.mine(course)["01_first"]
    assert (first.ran, first.cells, first.done) == (1, 2, False)
    change(path, run(2))
    assert progress.mine(course)["01_first"].done


def test_own_predictions_are_counted_and_examples_are_not(course):
    assert progress.mine(course)["01_first"].to_predict == 1
    assert progress.mine(course)["01_first"].predicted == 0
    predicted(course)
    assert progress.mine(course)["01_first"].predicted == 1


def test_an_exercise_is_done_when_each_check_said_correct(course):
    path = course / "exercises" / "02_second_exercise.ipynb"

    def answer(*states):
        def alter(cells):
            for cell, state in zip(cells, states, strict=True):
                cell.outputs = said(state)

        change(path, alter)
        return progress.mine(course)["02_second"]

    assert (answer(CORRECT, WRONG).right, answer(CORRECT, WRONG).practised) == (1, False)
    assert answer(CORRECT, CORRECT).practised


def test_a_copy_that_is_missing_or_broken_counts_as_nothing(course):
    (course / "notebooks" / "student" / "01_first.ipynb").unlink()
    (course / "notebooks" / "student" / "02_second.ipynb").write_text("{", encoding="utf-8")
    done = progress.mine(course)
    assert done["01_first"] == progress.Progress()
    assert not done["02_second"].done


def test_half_written_code_stops_nothing(course):
    change(
        course / "notebooks" / "student" / "01_first.ipynb",
        lambda cells: cells[0].update(source="a = ("),
    )
    assert progress.mine(course)["01_first"].cells == 2


def test_the_page_names_what_is_next_and_what_is_not_practised(course):
    student = course / "notebooks" / "student"
    change(student / "01_first.ipynb", run(2))
    text = index.text(student / "index.md", course, progress.mine(course))
    assert "**Done: 1 of 3 lessons.** **Next: [02 · Second](02_second.ipynb).**" in text
    change(student / "02_second.ipynb", run(1))
    text = index.text(student / "index.md", course, progress.mine(course))
    assert "**Next: [03 · Third](03_third.ipynb).**" in text
    assert "exercise [02](../../exercises/02_second_exercise.ipynb)" in text
    assert text.count("**done**") == 2


def test_jupyterlab_gets_the_page_with_it_and_the_file_stays(course):
    config = lab.configuration(course)["jupyter_server_config.json"]["ServerApp"]
    assert config["contents_manager_class"] == "tools.lab_contents.Contents"
    manager = lab_contents.Contents(root_dir=str(course))
    student = course / "notebooks" / "student"
    change(student / "01_first.ipynb", run(2))
    before = (student / "index.md").read_bytes()
    shown = asyncio.run(manager.get("notebooks/student/index.md"))["content"]
    assert "**Done: 1 of 3 lessons.**" in shown
    assert (student / "index.md").read_bytes() == before
    other = asyncio.run(manager.get("notebooks/index.md"))["content"]
    assert other == (course / "notebooks" / "index.md").read_text(encoding="utf-8")
