"""Building exercises: always the same bytes; drift, leaks and broken rules are found.

No answer is in the wheel.
"""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from tools.build import exercises
from tools.common import ROOT, ToolError
from tools.marking import mend
from tools.rules import lint_exercises

NAME = "04_splitting_exercise"


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A repository that holds one lesson and its exercise, built."""
    root = tmp_path_factory.mktemp("built")
    for folder, name in (("exercises", NAME), ("notebooks", NAME.removesuffix("_exercise"))):
        (root / folder / "src").mkdir(parents=True)
        shutil.copy(ROOT / folder / "src" / f"{name}.py", root / folder / "src")
    assert exercises.main([], root) == 0
    return root


@pytest.fixture
def course(built, tmp_path) -> Path:
    """A copy of that repository, for one test."""
    shutil.copytree(built, tmp_path / "course")
    return tmp_path / "course"


def source(root: Path) -> Path:
    return root / "exercises" / "src" / f"{NAME}.py"


def solutions(path: Path) -> list[str]:
    """Text of each solution of a source, without indentation."""
    found = re.findall(
        f"{exercises.BEGIN}\n(.*?){exercises.END}", path.read_text(encoding="utf-8"), re.DOTALL
    )
    return ["\n".join(line.strip() for line in text.strip().splitlines()) for text in found]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_same_source_same_bytes(course):
    with exercises.workshop(course) as folder:
        text = exercises.built(source(course), folder, course)
    assert text.encode() == (course / "exercises" / f"{NAME}.ipynb").read_bytes()
    assert list(exercises.faults(course)) == []
    assert str(course) not in (course / "exercises" / f"{NAME}.ipynb").read_text()


def test_drift_and_orphans_are_found(course, capsys):
    edit(course / "exercises" / f"{NAME}.ipynb", "Five people report", "Six people report")
    shutil.copy(course / "exercises" / f"{NAME}.ipynb", course / "exercises" / "09_orphan.ipynb")
    assert exercises.main(["--check"], course) == 1
    printed = capsys.readouterr().out
    assert f"exercises/{NAME}.ipynb differs from its source" in printed
    assert "09_orphan.ipynb has no source" in printed
    assert "make exercises" in printed
    (course / "exercises" / f"{NAME}.ipynb").unlink()
    assert any("is missing" in fault for fault in exercises.faults(course))


@pytest.mark.parametrize(
    "planted",
    [
        "    answer = table.assign(split=part)",
        "### BEGIN SOLUTION",
        "### BEGIN HIDDEN TESTS",
        '    whole = reports["set aside"] == "whole patients"',
        "q1.grade(make_split)",
    ],
)
def test_planted_leak_is_found(course, planted):
    path = course / "exercises" / f"{NAME}.ipynb"
    notebook = nbformat.read(path, 4)
    notebook.cells[5].source += f"\n{planted}"
    nbformat.write(notebook, path)
    assert any("cell 6 gives away" in fault for fault in exercises.faults(course))


def test_source_that_gives_its_answer_away_is_not_built(course):
    edit(
        source(course),
        "# Save the notebook",
        "# For graders: q1.grade(make_split). Save the notebook",
    )
    before = (course / "exercises" / f"{NAME}.ipynb").read_bytes()
    assert exercises.main([], course) == 1
    assert (course / "exercises" / f"{NAME}.ipynb").read_bytes() == before


def test_other_files_beside_a_source_are_refused(tmp_path):
    (tmp_path / "source" / NAME).mkdir(parents=True)
    shutil.copy(source(ROOT), tmp_path / "source" / NAME)
    with pytest.raises(ToolError, match="notebooks only"):
        exercises.generate(exercises.marked(source(ROOT)), NAME, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "rule", "says"),
    [
        ("not for diagnosis", "for fun", "opening", "not for diagnosis"),
        ("**Time.**", "Time", "opening", "Time"),
        ("import q1, q2, q3, q4", "import *", "imports", "import the questions"),
        ("q2.check(is_disjoint)", "q1.check(is_disjoint)", "variables", "q1 is not the question"),
        ("q2.check(is_disjoint)", "q2.check(is_disjoint)\nprint(1)", "variables", "nothing more"),
        ("## Question 3", "## Question 5", "questions", "numbered"),
        ("def believable", "def other", "answer-cells", "bind believable"),
        (
            "    ### BEGIN SOLUTION\n    folds = Strat",
            "    folds = Strat",
            "answer-cells",
            "mark the solution",
        ),
        (' name="limits" points=3', "", "written", "name the written question"),
        ("*Rubric, 3 points", "*Points", "written", "Rubric"),
        (
            'tags=["written"] name="limits"',
            'tags=["written"] name="make_split"',
            "metadata",
            "twice",
        ),
        ('tags=["imports"]', 'tags=["imports", "odd"]', "metadata", "'odd'"),
        (
            "table = q1.sample()",
            "table = q1.sample()" + " " * 10 + "# " + "x" * 90,
            "content",
            "break line",
        ),
    ],
)
def test_broken_rule_is_named(course, old, new, rule, says):
    edit(source(course), old, new)
    found = list(lint_exercises.lint(source(course), course))
    assert any(f"[{rule}]" in line and says in line for line in found), found


def test_metadata_is_complete_locked_and_unique():
    cells = exercises.marked(source(ROOT)).cells
    marked = [cell.metadata.nbgrader for cell in cells if "nbgrader" in cell.metadata]
    keys = {"schema_version", "grade", "grade_id", "locked", "solution", "task"}
    assert all(keys <= set(marks) for marks in marked)
    assert len({marks.grade_id for marks in marked}) == len(marked)
    tests = [marks for marks in marked if marks.grade and not marks.solution]
    assert all(marks.locked and marks.points > 0 for marks in tests)
    assert sum(marks.points for marks in marked if marks.grade) == 10


def test_table_names_every_question_and_misconception(capsys):
    assert exercises.main(["--table"]) == 0
    printed = capsys.readouterr().out
    for word in ("make_split", "stratify_only", "limits", "marked by hand", "points"):
        assert word in printed


def test_mending_an_untouched_or_solved_notebook_does_nothing():
    released = nbformat.read(exercises.student_version(source(ROOT)), 4)
    submitted = nbformat.from_dict(released)
    assert mend.mend(submitted, released) == []
    assert submitted == released


@pytest.mark.slow
def test_validate_button_is_honest(tmp_path):
    from nbgrader.validator import Validator

    notebook = nbformat.read(exercises.student_version(source(ROOT)), 4)
    nbformat.write(notebook, tmp_path / "stub.ipynb")
    for cell, answer in zip(notebook.cells, exercises.marked(source(ROOT)).cells, strict=True):
        if mend.marks(cell).get("solution"):
            cell.source = re.sub("### (BEGIN|END) SOLUTION", "", answer.source)
    nbformat.write(notebook, tmp_path / "right.ipynb")
    with exercises.programs_on_path():
        assert "failed" in Validator().validate(str(tmp_path / "stub.ipynb"))
        assert Validator().validate(str(tmp_path / "right.ipynb")) == {}


@pytest.mark.slow
def test_wheel_holds_the_checks_and_no_answer(tmp_path):
    copy = tmp_path / "project"
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "cxr_helpers", copy / "cxr_helpers", ignore=skip)
    for name in ("pyproject.toml", "README.md", *(path.name for path in ROOT.glob("LICENSE*"))):
        shutil.copy(ROOT / name, copy)
    script = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=copy, check=True, capture_output=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        files = {name: archive.read(name).decode("utf-8", "replace") for name in archive.namelist()}
    assert "cxr_helpers/checks/lesson04.py" in files
    assert not [name for name in files if "exercises" in name or name.endswith(".ipynb")]
    lines = {
        name: "\n".join(line.strip() for line in text.splitlines()) for name, text in files.items()
    }
    for path in exercises.sources():
        for solution in solutions(path):
            assert not [name for name, text in lines.items() if solution in text], solution
