"""Release, submit, autograde, feedback, marks: a whole class with every kind of broken notebook."""

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest

from cxr_helpers import checks
from tests.exercises import sample
from tools.build import exercises
from tools.common import ROOT
from tools.marking import course, submission

SOURCES = {source.stem: source for source in exercises.sources()}
FULL = "04_splitting_exercise"
LIMITS = submission.Limits(cell=25, total=60, memory=3_000_000_000)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("course")


@pytest.fixture(scope="module")
def marked(folder) -> dict[str, course.Record]:
    """Records of the whole class on one exercise."""
    course.release(folder, FULL, course.Overlay())
    sample.hand_in(sample.students(SOURCES[FULL], folder), FULL, folder)
    return {
        record.student: record
        for record in course.grade(folder, FULL, course.Overlay(), LIMITS, jobs=4)
    }


@pytest.mark.parametrize("name", sample.students(SOURCES[FULL], Path("course")))
def test_student_gets_marks_and_messages(name, marked, folder):
    student, record = sample.students(SOURCES[FULL], folder)[name], marked[name]
    assert record.outcome.startswith(student.outcome), record
    for answer, question in checks.questions("04").items():
        got = record.questions[f"test_{answer}"]
        if answer in student.lost:
            assert got["score"] == 0, (answer, got)
            assert got["message"]
            assert student.says in got["message"]
        else:
            assert got["score"] == question.points, (answer, got)
    for note in student.notes:
        assert any(note in line for line in record.notes), record.notes
    assert bool(record.questions["limits"].get("by_hand")) == student.written


def test_each_misconception_gets_its_message_from_the_grader(marked):
    for number in range(7):
        record = marked[f"misled_{number}"]
        for answer, question in checks.questions("04").items():
            if number < len(question.mistakes):
                mistake = list(question.mistakes.values())[number]
                start = mistake.message.split("{")[0]
                assert start in record.questions[f"test_{answer}"]["message"]


def test_student_code_has_no_network_and_sees_no_grade_book(marked, folder):
    if found := course.openings([str(folder)]):
        pytest.skip(f"student code cannot be cut off here: {found}")
    page = (folder / "autograded" / "spy" / FULL / f"{FULL}.ipynb").read_text(encoding="utf-8")
    assert page.count("kept out") >= 2
    assert "GOT THROUGH" not in page.replace('print(\\"GOT THROUGH', "")


def test_attacks_reach_neither_judge_nor_files_nor_processes(marked, folder):
    if found := course.openings([str(folder)]):
        pytest.skip(f"student code cannot be cut off here: {found}")
    path = folder / "autograded" / "attacks" / FULL / f"{FULL}.ipynb"
    cells = {cell.id: cell for cell in nbformat.read(path, 4).cells}
    outputs = cells["make_split"].outputs
    assert {one.output_type for one in outputs} == {"stream"}, outputs
    lines = "".join(one.text for one in outputs).splitlines()
    assert [line for line in lines if "GOT THROUGH" in line] == []
    assert len([line for line in lines if line.startswith("kept out")]) == 7
    questions = marked["attacks"].questions
    assert "no answer reached the judge" in questions["test_is_disjoint"]["message"]
    assert "hand_over" not in cells["test_make_split"].source
    running = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    assert not [command for command in running if "86399.75" in command]


def test_nbgraders_own_command_and_button_mark_alike(marked, folder, tmp_path):
    names = ["misled_1", "wrong_name", "not_json", "perfect"]
    place = tmp_path / "course"
    course.release(place, FULL, course.Overlay())
    class_ = sample.students(SOURCES[FULL], place)
    sample.hand_in({name: class_[name] for name in names}, FULL, place)
    button = (
        "import sys; from nbgrader.apps import NbGrader, NbGraderAPI\n"
        "app = NbGrader(); app.config_file_paths.append('.')\n"
        "app.load_config_file()\n"
        "said = NbGraderAPI(config=app.config).autograde(sys.argv[1], sys.argv[2])\n"
        "sys.exit(None if said['success'] else said['log'])"
    )
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    for command in (
        ["-c", button, FULL, "perfect"],
        ["-m", "nbgrader", "autograde", FULL, "--Marking.jobs=2"],
    ):
        run = [sys.executable, *command]
        said = subprocess.run(run, cwd=place, env=here, capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stderr
    rows = [
        {row["student"]: row for row in csv.DictReader(io.StringIO(course.grades(one)))}
        for one in (place, folder)
    ]
    assert rows[0] == {name: rows[1][name] for name in names}


def test_seeds_differ_and_what_was_handed_in_is_untouched(marked, folder):
    asked = [one for record in marked.values() for one in record.questions.values()]
    seeds = [one["seed"] for one in asked if "seed" in one]
    assert len(set(seeds)) == len(seeds) > 2 * len(marked)
    for name, student in sample.students(SOURCES[FULL], folder).items():
        files = {
            path.name: path.read_bytes() for path in (folder / "submitted" / name / FULL).iterdir()
        }
        assert files == {
            file or f"{FULL}.ipynb": content for file, content in student.files.items()
        }


def test_second_run_marks_only_what_changed(marked, folder):
    assert course.due(folder, FULL, None) == []
    path = folder / "submitted" / "empty" / FULL / f"{FULL}.ipynb"
    before = path.read_text()
    path.write_text(
        marked_text := before.replace("Your answer here", "My answer here"), encoding="utf-8"
    )
    assert marked_text != before
    assert course.due(folder, FULL, None) == ["empty"]
    path.write_text(before, encoding="utf-8")
    assert course.due(folder, FULL, None) == []


def test_feedback_shows_the_message_and_no_hidden_test(marked, folder):
    pages = {
        page.parents[1].name: page.read_text(encoding="utf-8")
        for page in course.feedback(folder, FULL)
    }
    assert set(pages) == set(marked)
    for name, page in pages.items():
        for word in (
            "HIDDEN TESTS",
            "sys.modules[name]",
            "demand",
            ".grade(",
            sys.prefix,
            str(ROOT),
            "<script src=",
        ):
            assert word not in page, (name, word)
    assert "as when single images are shuffled and cut" in pages["misled_0"]
    assert "Its process ended" in pages["ends_python"]


def test_marks_as_csv(marked, folder):
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(course.grades(folder)))}
    assert set(rows) == set(marked)
    assert rows["perfect"] | {"notes": ""} == {
        "student": "perfect",
        "assignment": FULL,
        "score": "7.0",
        "max_score": "10.0",
        "waits_for_hand_marking": "yes",
        "outcome": "marked",
        "notes": "",
    }
    assert rows["empty"]["score"] == "0.0"
    assert rows["empty"]["waits_for_hand_marking"] == "no"
