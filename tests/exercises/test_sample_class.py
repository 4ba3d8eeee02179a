"""Release, submit, autograde, feedback, marks: a whole class with every kind of broken notebook."""

import csv
import io
import sys
from pathlib import Path

import pytest

from cxr_helpers import checks
from tests.exercises import sample
from tools import course, exercises, marking
from tools.common import ROOT

SOURCES = {source.stem: source for source in exercises.sources()}
FULL = "04_splitting_exercise"
LIMITS = marking.Limits(cell=25, total=60, memory=3_000_000_000)

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
    if not course.isolation([str(folder)]):
        pytest.skip("this system allows no user namespaces: student code cannot be cut off")
    page = (folder / "autograded" / "spy" / FULL / f"{FULL}.ipynb").read_text(encoding="utf-8")
    assert page.count("kept out") >= 2
    assert "GOT THROUGH" not in page.replace('print(\\"GOT THROUGH', "")


def test_seeds_differ_and_what_was_handed_in_is_untouched(marked, folder):
    assert len({record.seed for record in marked.values()}) == len(marked)
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
