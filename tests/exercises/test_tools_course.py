"""What the course tool refuses.

To give hidden tests away, to be stopped by an odd file, to open a mistyped course.
"""

import csv
import io
import json
import os
import shutil
import zipfile

import nbformat
import pytest
from nbgrader.api import Gradebook

from tests.exercises import sample
from tools.build import exercises
from tools.common import ToolError
from tools.marking import course, mend, submission

NAME = "04_splitting_exercise"
QUOTED = 'assert set(make_split(table)["split"]) == {"train", "val", "test"}'


def overlay(folder, test: str) -> course.Overlay:
    """An instructor's additions: one hidden test of `make_split`."""
    (folder / "hidden" / NAME).mkdir(parents=True)
    (folder / "hidden" / NAME / "make_split.py").write_text(f"{test}\n", encoding="utf-8")
    return course.Overlay(folder)


def test_an_exercise_may_be_named_without_its_ending(tmp_path):
    private = overlay(
        tmp_path / "private", "assert make_split.__doc__ == 'mine, which nobody sees'"
    )
    released = course.release(tmp_path / "course", "04_splitting", private)
    assert released == tmp_path / "course" / "release" / "04_splitting" / "04_splitting.ipynb"
    assert "which nobody sees" in (
        tmp_path / "course/source/04_splitting/04_splitting.ipynb"
    ).read_text("utf-8")
    assert "which nobody sees" not in released.read_text("utf-8")
    with pytest.raises(StopIteration):
        course.release(tmp_path / "course", "04_split", private)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("", "", "is no folder: check OVERLAY="),
        ("hidden/04_splitting/make_split.py", "assert 1", "no exercise is called so"),
        ("overlay.toml", 'seed = "4711"', "such as seed = 4711"),
        ("overlay.toml", "sead = 4711", "such as seed = 4711"),
        ("overlay.toml", "seed = 47 11", "overlay.toml: "),
    ],
)
def test_an_overlay_that_would_be_passed_over_is_named(name, content, said, tmp_path, capsys):
    if name:
        (tmp_path / "private" / name).parent.mkdir(parents=True)
        (tmp_path / "private" / name).write_text(content, encoding="utf-8")
    place = tmp_path / "course"
    for folder in ("release", "source"):
        (place / folder / NAME).mkdir(parents=True)
        (place / folder / NAME / f"{NAME}.ipynb").write_text("{}", encoding="utf-8")
    command = ["grade", NAME, "--course", str(place), "--overlay", str(tmp_path / "private")]
    assert course.main(command) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("mark", exercises.HIDDEN)
def test_hidden_test_that_would_end_its_own_hiding_is_refused(mark, tmp_path):
    with pytest.raises(ToolError, match=r"make_split\.py.*HIDDEN TESTS"):
        course.release(
            tmp_path / "course", NAME, overlay(tmp_path / "private", f"{mark}\n{QUOTED}")
        )
    assert not (tmp_path / "course").exists()


def test_hidden_test_with_quotes_that_the_release_shows_is_refused(tmp_path):
    private = overlay(tmp_path, f"{QUOTED}, 'a back\\\\slash'")
    (tmp_path / "exercises" / "src").mkdir(parents=True)
    (source,) = exercises.sources(names=[NAME])
    shown = source.read_text(encoding="utf-8").replace(
        "# Save the notebook", f"# {QUOTED}, 'a back\\\\slash'. Save"
    )
    assert QUOTED in shown
    (tmp_path / "exercises" / "src" / f"{NAME}.py").write_text(shown, encoding="utf-8")
    with pytest.raises(ToolError, match="gives away") as refused:
        course.release(tmp_path / "course", NAME, private)
    assert QUOTED in str(refused.value)
    assert not list((tmp_path / "course" / "release").rglob("*.ipynb"))


@pytest.mark.parametrize("kind", ["folder", "dangling link"])
def test_odd_submission_counts_as_not_handed_in(kind, tmp_path):
    place = tmp_path / "submitted" / "odd" / NAME
    release = tmp_path / "release" / NAME / f"{NAME}.ipynb"
    for path in (place, release.parent, tmp_path / "source" / NAME):
        path.mkdir(parents=True)
    (student_version,) = (
        exercises.student_version(path) for path in exercises.sources(names=[NAME])
    )
    for folder in ("release", "source"):
        shutil.copy(student_version, tmp_path / folder / NAME)
    nothing = submission.fingerprint(tmp_path, NAME, "odd", 0)
    odd = place / f"{NAME}.ipynb"
    odd.mkdir() if kind == "folder" else odd.symlink_to("nowhere")
    assert submission.fingerprint(tmp_path, NAME, "odd", 0) == nothing
    assert course.due(tmp_path, NAME, 0) == ["odd"]
    notes, reason = submission.stage(submission.Task(str(tmp_path), NAME, "odd", 0))
    assert (notes, reason) == ([], "No notebook of this assignment was handed in.")


@pytest.mark.slow
def test_odd_submissions_do_not_stop_the_others(tmp_path):
    released = course.release(tmp_path, NAME, course.Overlay())
    files = {
        name: tmp_path / "submitted" / name / NAME / f"{NAME}.ipynb"
        for name in ("a_folder", "b_link", "c_file")
    }
    for path in files.values():
        path.parent.mkdir(parents=True)
    files["a_folder"].mkdir()
    files["b_link"].symlink_to("nowhere")
    shutil.copy(released, files["c_file"])
    found = {
        one.student: one.outcome
        for one in course.grade(tmp_path, NAME, course.Overlay(), submission.Limits())
    }
    missing = "not run: No notebook of this assignment was handed in."
    assert found == {"a_folder": missing, "b_link": missing, "c_file": "marked"}


@pytest.mark.slow
def test_marks_and_comments_go_with_a_folder_that_is_renamed(tmp_path, capsys):
    zipped = tmp_path / "x.zip"
    with zipfile.ZipFile(zipped, "w") as archive:  # all hand in the same
        for name in ("Anna Müller_1", "Anna Müller_2", "Åsa Öst_3", "Ben_4"):
            archive.writestr(f"{name}_assignsubmission_file/a.pdf", b"%PDF")
    place = tmp_path / "course"
    course.release(place, NAME, course.Overlay())
    for command in (["collect", "--from", str(zipped)], ["grade"], ["feedback"]):
        assert course.main([command[0], NAME, "--course", str(place), *command[1:]]) == 0
    address = exercises.configuration(place).CourseDirectory.db_url
    new = {"Anna Müller_1": "z@uni", "Anna Müller_2": "a@uni", "Åsa Öst": "m@uni"}
    with Gradebook(address) as book:
        for score, student in enumerate(new, 1):
            book.find_grade("limits", NAME, NAME, student).manual_score = score
        book.db.commit()
    for before, now in new.items():
        (place / "submitted" / before).rename(place / "submitted" / now)
    capsys.readouterr()
    assert course.main(["grade", NAME, "--course", str(place)]) == 0
    assert "0 marked, 4 unchanged" in capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(course.grades(place))))
    assert {row["student"]: row["score"] for row in rows} == {
        "Ben": "0.0",
        "a@uni": "2.0",
        "m@uni": "3.0",
        "z@uni": "1.0",
    }
    pages = {path.parents[1].name for path in (place / "feedback").rglob("*.html")}
    assert pages == {"Ben", *new.values()}
    assert course.main(["feedback", NAME, "--course", str(place)]) == 0
    assert "NOT IN MOODLE'S ZIP" not in capsys.readouterr().out
    folders = ("Anna Müller_1", "Anna Müller_2", "Åsa Öst_3", "Ben_4")
    with zipfile.ZipFile(place / "feedback" / f"{NAME}-moodle.zip") as given:
        assert len(given.namelist()) == 4
        for folder, student in zip(folders, [*new.values(), "Ben"], strict=True):
            page = given.read(f"{folder}_assignsubmission_file_/{NAME}.html")
            assert page == (place / "feedback" / student / NAME / f"{NAME}.html").read_bytes()
    with Gradebook(address) as book:
        assert {student.id for student in book.students} == pages


def test_a_system_that_cannot_fork_says_where_to_mark(tmp_path, monkeypatch, capsys):
    released = course.release(tmp_path, NAME, course.Overlay())
    place = tmp_path / "submitted" / "ann" / NAME / f"{NAME}.ipynb"
    place.parent.mkdir(parents=True)
    shutil.copy(released, place)
    monkeypatch.delattr(os, "fork", raising=False)
    assert course.main(["grade", NAME, "--course", str(tmp_path)]) == 1
    assert "mark on Linux, macOS or, on Windows, in WSL" in capsys.readouterr().err
    assert not (tmp_path / "autograded").exists()
    assert course.main(["grades", "--course", str(tmp_path)]) == 0
    assert "ann,04_splitting_exercise,,,,not marked yet," in (tmp_path / "grades.csv").read_text(
        "utf-8"
    )


@pytest.mark.parametrize("action", ["grades", "grade", "feedback"])
def test_mistyped_course_is_no_course(action, tmp_path, capsys):
    typo = tmp_path / "typo"
    assignment = [] if action == "grades" else [NAME]
    assert course.main([action, *assignment, "--course", str(typo)]) == 1
    assert f"{typo} is no course: make release first, or check COURSE=" in capsys.readouterr().err
    assert not typo.exists()


# --- a notebook as some editor left it ------------------------------------------------------------

SOURCE = exercises.sources(names=[NAME])[0]
PERFECT = sample.changed(SOURCE, lambda notebook: None)
LEFT_AS = {  # what was handed in
    "as it was": PERFECT.encode(),
    "byte-order mark": b"\xef\xbb\xbf" + PERFECT.encode(),
    "UTF-16": PERFECT.encode("utf-16"),
    "UTF-16 without a mark": PERFECT.encode("utf-16-le"),
    "UTF-16 of the other order": PERFECT.encode("utf-16-be"),
    "UTF-32": PERFECT.encode("utf-32"),
    "an old Windows": PERFECT.replace("Whole groups", "Größe: whole groups").encode(
        "cp1252", "replace"
    ),
    "ends of lines of Windows": PERFECT.replace("\n", "\r\n").encode(),
    "no outputs": sample.without(PERFECT, "outputs").encode(),
    "no execution counts": sample.without(PERFECT, "execution_count").encode(),
    "outputs null": PERFECT.replace('"outputs": []', '"outputs": null').encode(),
    "outputs damaged": PERFECT.replace('"outputs": []', '"outputs": [{"text": 3}]').encode(),
    "no ids": sample.without(PERFECT, "id").encode(),
    "no metadata": sample.without(PERFECT, "metadata").encode(),
    "next to nothing": sample.without(
        PERFECT, "outputs", "execution_count", "id", "metadata"
    ).encode("utf-16"),
    "no version": PERFECT.replace('"nbformat": 4,', "").encode(),
    "half an emoji": PERFECT.replace("Whole groups", "\\ud83d whole groups").encode(),
    "format 3": nbformat.writes(nbformat.convert(nbformat.reads(PERFECT, 4), 3), 3).encode(),
}


def course_with(tmp_path, content: bytes, stamp: bytes | None = None):
    """A course's folder in which one student handed in these bytes; marking itself is not done."""
    place = tmp_path / "submitted" / "student" / NAME
    (tmp_path / "release" / NAME).mkdir(parents=True)
    place.mkdir(parents=True)
    shutil.copy(exercises.student_version(SOURCE), tmp_path / "release" / NAME)
    (place / f"{NAME}.ipynb").write_bytes(content)
    if stamp is not None:
        (place / "timestamp.txt").write_bytes(stamp)
    return submission.Task(
        str(tmp_path), NAME, "student", 0
    ), tmp_path / "marking" / "submitted" / "student" / NAME


@pytest.mark.parametrize("kind", LEFT_AS)
def test_a_notebook_is_read_however_it_was_saved(kind, tmp_path):
    task, staged = course_with(tmp_path, LEFT_AS[kind])
    assert submission.stage(task) == ([], "")
    answers = {
        cell.source
        for cell in nbformat.read(staged / f"{NAME}.ipynb", 4).cells
        if cell.cell_type == "code"
    }
    assert answers == {
        cell.source for cell in nbformat.reads(PERFECT, 4).cells if cell.cell_type == "code"
    }


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"[" * 100_000, PERFECT.encode()[:-9], b"PK\3\4", b"\xff\xfe{"]
)
def test_what_is_no_notebook_is_refused_with_a_note(content, tmp_path):
    task, _ = course_with(tmp_path, content)
    notes, reason = submission.stage(task)
    assert reason.startswith("The file is not a notebook that can be read. Open it in Jupyter")
    assert len(notes) == 1
    assert notes[0].startswith("file: ")


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (b"2026-11-28 10:00:00 UTC", "10:00:00"),
        (b"2026-11-28 10:00:00.5 UTC\n", "10:00:00.500000"),
        (b"2026-11-28 10:00:00", "10:00:00"),
        (b"2026-11-28T10:00Z", "10:00:00"),
        (b"2026-11-28 10:00 +0100", "09:00:00"),
        ("\ufeff2026-11-28 10:00:00 UTC".encode(), "10:00:00"),
        ("2026-11-28 10:00:00 UTC".encode("utf-16"), "10:00:00"),
        (b"", None),
        (b"handed in on Friday", None),
        (b"24.12.2026 18:00 Uhr", None),
        (b"01/02/2026 10:00", None),
        (b"2026-11-28", None),
        (b"2026-11-28 10:00:00 CET", None),
        (b"1764324000", None),
        (b"2026-13-28 10:00", None),
        (b"0001-01-01 00:00 +05:00", None),
        (b"\xff\xfe\x00", None),
    ],
)
def test_a_time_stamp_is_a_time_or_is_set_aside_with_a_note(stamp, expected, tmp_path):
    task, staged = course_with(tmp_path, PERFECT.encode(), stamp)
    notes, reason = submission.stage(task)
    assert reason == ""
    if expected is None:
        assert not (staged / "timestamp.txt").exists()
        assert len(notes) == 1
        assert "is no time such as '2026-11-28 10:00:00 UTC'" in notes[0]
    else:
        assert (staged / "timestamp.txt").read_text() == f"2026-11-28 {expected} UTC\n"
        assert notes == []
    assert mend.moment(stamp) is None or expected


def test_everyone_in_the_folder_of_submissions_has_a_row_of_marks(tmp_path):
    course_with(tmp_path, PERFECT.encode())
    for path in (
        "mistyped/4_splitting/a.ipynb",
        "loose/a.ipynb",
        f"failed/{NAME}/a.ipynb",
        ".hidden/x/a",
        "empty/x",
    ):
        (tmp_path / "submitted" / path).parent.mkdir(parents=True)
        (tmp_path / "submitted" / path).touch()
    (tmp_path / "submitted" / "empty" / "x").unlink()
    submission.Record("failed", NAME, "", 0, "not run: why", ["a, note"]).write(
        submission.record_path(tmp_path, NAME, "failed")
    )
    rows = list(csv.DictReader(io.StringIO(course.grades(tmp_path))))
    assert {row["student"]: (row["assignment"], row["score"], row["outcome"]) for row in rows} == {
        "student": (NAME, "", "not marked yet"),
        "failed": (NAME, "", "not run: why"),
        "mistyped": ("4_splitting", "", "not marked: no such assignment was released"),
        "loose": ("", "", "not marked: the files lie in no folder of an assignment"),
        "empty": ("", "", "nothing was handed in"),
    }
    assert len(rows) == 5
    assert json.loads(submission.record_path(tmp_path, NAME, "failed").read_text())["notes"] == [
        "a, note"
    ]
