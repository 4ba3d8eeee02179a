"""Release, submit, autograde, feedback, marks: a whole class with every kind of broken notebook."""

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import replace
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
# What an instructor writes into nbgrader_config.py.
SETTINGS = """
c.Marking.jobs = 4
c.Marking.options = ["--cell-seconds", "25", "--seconds", "45", "--memory", "3"]
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("course")


@pytest.fixture(scope="module")
def marked(folder) -> dict[str, course.Record]:
    """Records of the whole class on one exercise, which nbgrader's own command has marked."""
    course.release(folder, FULL, course.Overlay())
    with (folder / "nbgrader_config.py").open("a", encoding="utf-8") as file:
        file.write(SETTINGS)
    class_ = sample.students(SOURCES[FULL], folder)
    sample.hand_in(class_, FULL, folder)
    nbgraders_own(folder, "-m", "nbgrader", "autograde", FULL)
    return {name: record(folder, name) for name in class_}


def nbgraders_own(folder: Path, *command: str) -> None:
    """Run a command in the course's folder, as an instructor does."""
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = [sys.executable, *command]
    said = subprocess.run(run, cwd=folder, env=here, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def record(folder: Path, name: str) -> course.Record:
    """What became of a student's submission."""
    text = submission.record_path(folder, FULL, name).read_text(encoding="utf-8")
    return course.Record(**json.loads(text))


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
    assert len([line for line in lines if line.startswith("kept out")]) == 8
    questions = marked["attacks"].questions
    assert "no answer reached the judge" in questions["test_is_disjoint"]["message"]
    assert "hand_over" not in cells["test_make_split"].source
    running = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    assert not [command for command in running if "86399.75" in command]


BUTTON = """import sys; from nbgrader.apps import NbGrader, NbGraderAPI
app = NbGrader(); app.config_file_paths.append('.')
app.load_config_file()
said = NbGraderAPI(config=app.config).autograde(sys.argv[1], sys.argv[2])
sys.exit(None if said['success'] else said['log'])
"""


def test_make_grade_and_formgraders_button_mark_as_nbgraders_command_does(marked, folder):
    again = {"misled_1", "not_json", "wrong_name", "perfect"}
    paths = {name: submission.record_path(folder, FULL, name) for name in marked}
    before = {name: path.stat().st_mtime_ns for name, path in paths.items()}
    limits = submission.Limits(cell=25, total=45, memory=3_000_000_000)
    made = course.grade(
        folder, FULL, course.Overlay(), limits, 2, again=True, student="[mnw]*_[1jn]*"
    )
    assert {one.student for one in made} == again - {"perfect"}
    nbgraders_own(folder, "-c", BUTTON, FULL, "perfect")
    for name, written in before.items():
        assert (paths[name].stat().st_mtime_ns > written) == (name in again), name
        assert replace(record(folder, name), seconds=0) == replace(marked[name], seconds=0)


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


def test_feedback_shows_messages_and_what_lateness_cost_and_no_hidden_test(marked, folder):
    setting = f"days = 1\npenalty = 0.2\n[deadlines]\n{FULL} = 2026-11-26T12:00:00+01:00\n"
    (folder / "late.toml").write_text(setting, encoding="utf-8")
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
    late, in_time = pages["time_in_utf_16"], pages["perfect"]
    assert "2 days late, 1 of them free." in late
    assert "7.0 became" not in late  # its written answer waits to be marked
    assert "days late" not in in_time


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
