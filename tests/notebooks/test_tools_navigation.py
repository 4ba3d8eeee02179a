"""The line of links in each notebook: forwards and back, to files that exist; faults are named."""

import json
import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tools.build import navigation
from tools.common import ROOT, ToolError, executed_copy, is_students, students_copy

LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")
WAY = navigation.stops(ROOT)
NOTEBOOKS = [stop.path(ROOT / "notebooks") for stop in WAY]
COPIES = [stop.path(ROOT / "notebooks" / "student") for stop in WAY]
EXERCISES = [path for stop in WAY if (path := navigation.exercise(stop.name, ROOT))]


def links(path: Path, root: Path = ROOT) -> dict[str, Path]:
    """Return the links of a notebook's line: label → file."""
    found = LINK.findall(navigation.line(path, root))
    return {label: Path(os.path.normpath(path.parent / target)) for label, target in found}


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def small(tmp_path) -> Path:
    """A course of two lessons, of which the first has an exercise, and one case study."""
    titles = {
        "01_first": "01 · First",
        "02_second": "02 · Second",
        "cases/a_case": "Case A · A case",
    }
    for name, title in titles.items():
        write(
            tmp_path / "notebooks" / "src" / f"{name}.py",
            f"# %% [markdown]\n# # {title}\n#\n# Text.\n",
        )
    write(tmp_path / "exercises" / "src" / "01_first_exercise.py")
    return tmp_path


def test_the_way_leads_from_the_first_lesson_to_the_last_case_study():
    seen, here = [], NOTEBOOKS[0]
    while here:
        seen.append(here)
        here = next((path for label, path in links(here).items() if label.endswith("→")), None)
    assert seen == NOTEBOOKS
    assert len(seen) >= 19


def test_each_notebook_leads_back_to_the_one_before():
    for before, here in pairwise(NOTEBOOKS):
        assert next(path for label, path in links(here).items() if label.startswith("←")) == before
    assert not [label for label in links(NOTEBOOKS[0]) if label.startswith("←")]


@pytest.mark.parametrize(
    "path", NOTEBOOKS + COPIES + EXERCISES, ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_every_link_leads_to_a_file_and_to_the_index(path):
    found = links(path)
    students = path in EXERCISES + COPIES
    assert found["Index"] == ROOT / "notebooks" / ("student/index.md" if students else "index.md")
    assert not [target for target in found.values() if not target.is_file()]
    assert path not in found.values(), "no notebook leads to itself"


def test_a_lesson_names_its_exercise_and_its_neighbours_by_their_titles():
    path = ROOT / "notebooks" / "04_splitting.ipynb"
    assert list(links(path)) == [
        "← 03 · Preprocessing",
        "Index",
        "Exercise 04",
        "05 · A first network →",
    ]
    assert navigation.line(path).startswith(
        "[← 03 · Preprocessing](03_preprocessing.ipynb) | [Index](index.md) | "
    )


def test_an_exercise_leads_to_its_lesson_to_the_next_exercise_and_to_the_next_lesson(small):
    assert navigation.line(small / "exercises" / "01_first_exercise.ipynb", small) == (
        "[← 01 · First](../notebooks/student/01_first.ipynb) | "
        "[Index](../notebooks/student/index.md) | [02 · Second "
        "→](../notebooks/student/02_second.ipynb)"
    )
    write(small / "exercises" / "src" / "02_second_exercise.py")
    assert "[Exercise 02](02_second_exercise.ipynb)" in navigation.line(
        small / "exercises" / "01_first_exercise.ipynb", small
    )


def test_a_lesson_without_an_exercise_names_none(small):
    assert navigation.exercise("01_first", small) == small / "exercises" / "01_first_exercise.ipynb"
    assert navigation.exercise("02_second", small) is None
    assert "Exercise" not in navigation.line(small / "notebooks" / "02_second.ipynb", small)


def test_the_last_lesson_leads_to_the_first_case_study_and_back(small):
    assert links(small / "notebooks" / "02_second.ipynb", small)["Case A · A case →"].parts[
        -2:
    ] == (
        "cases",
        "a_case.ipynb",
    )
    assert navigation.line(small / "notebooks" / "cases" / "a_case.ipynb", small) == (
        "[← 02 · Second](../02_second.ipynb) | [Index](../index.md)"
    )


def test_copies_in_another_folder_lead_to_each_other(small):
    copies = small / "notebooks" / "student"
    assert navigation.line(copies / "01_first.ipynb", small) == (
        "[Index](index.md) | [Exercise 01](../../exercises/01_first_exercise.ipynb) | [02 · Second "
        "→](02_second.ipynb)"
    )
    assert (
        links(copies / "cases" / "a_case.ipynb", small)["← 02 · Second"]
        == copies / "02_second.ipynb"
    )


def test_each_copy_says_which_it_is_and_leads_to_the_other(small):
    executed, case = (
        small / "notebooks" / "01_first.ipynb",
        small / "notebooks" / "cases" / "a_case.ipynb",
    )
    students = small / "notebooks" / "student"
    students_case = students / "cases" / "a_case.ipynb"
    assert "[the student's copy](student/01_first.ipynb)" in navigation.copies(executed, small)
    assert "[the student's copy](../student/cases/a_case.ipynb)" in navigation.copies(case, small)
    assert "[the executed copy](../01_first.ipynb)" in navigation.copies(
        students / "01_first.ipynb", small
    )
    assert "[the executed copy](../../cases/a_case.ipynb)" in navigation.copies(
        students_case, small
    )
    assert navigation.copies(small / "exercises" / "01_first_exercise.ipynb", small) == ""


@pytest.mark.parametrize(
    "path", NOTEBOOKS + COPIES, ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_links_in_the_text_of_both_copies_lead_to_files_and_stay_within_the_kind(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    text = "\n".join(
        "".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"
    )
    targets = [found for found in re.findall(r"\]\(([^)#]+)", text) if ":" not in found]
    places = [Path(os.path.normpath(path.parent / target)) for target in targets]
    assert not [place for place in places if not place.exists()]
    other = executed_copy(path) if is_students(path) else students_copy(path)
    assert other in places
    lessons = [
        place for place in places if place.suffix == ".ipynb" and place.parent.name != "exercises"
    ]
    assert {is_students(place) for place in lessons if place != other} <= {is_students(path)}


def test_a_notebook_without_a_source_is_named(small):
    with pytest.raises(
        ToolError,
        match=r"notebooks/09_other\.ipynb belongs to no lesson: there is no source 09_other",
    ):
        navigation.line(small / "notebooks" / "09_other.ipynb", small)


def test_a_source_without_a_title_is_named(small):
    write(small / "notebooks" / "src" / "02_second.py", "# %% [markdown]\n# ## Step 1\n")
    with pytest.raises(ToolError, match=r"notebooks/src/02_second\.py has no title"):
        navigation.line(small / "notebooks" / "01_first.ipynb", small)
