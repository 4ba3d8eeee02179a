"""What the course tool refuses: to give hidden tests away, to be stopped by an odd file, to open a mistyped course."""

import shutil

import pytest

from tools import course, exercises, marking
from tools.common import ToolError

NAME = "04_splitting_exercise"
QUOTED = 'assert set(make_split(table)["split"]) == {"train", "val", "test"}'


def overlay(folder, test: str) -> course.Overlay:
    """An instructor's additions: one hidden test of `make_split`."""
    (folder / "hidden" / NAME).mkdir(parents=True)
    (folder / "hidden" / NAME / "make_split.py").write_text(f"{test}\n", encoding="utf-8")
    return course.Overlay(folder)


@pytest.mark.parametrize("mark", exercises.HIDDEN)
def test_hidden_test_that_would_end_its_own_hiding_is_refused(mark, tmp_path):
    with pytest.raises(ToolError, match=r"make_split\.py.*HIDDEN TESTS"):
        course.release(tmp_path / "course", NAME, overlay(tmp_path / "private", f"{mark}\n{QUOTED}"))
    assert not (tmp_path / "course").exists()


def test_hidden_test_with_quotes_that_the_release_shows_is_refused(tmp_path):
    private = overlay(tmp_path, f"{QUOTED}, 'a back\\\\slash'")
    (tmp_path / "exercises" / "src").mkdir(parents=True)
    (source,) = exercises.sources(names=[NAME])
    shown = source.read_text(encoding="utf-8").replace("# Save the notebook", f"# {QUOTED}, 'a back\\\\slash'. Save")
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
    (student_version,) = (exercises.student_version(path) for path in exercises.sources(names=[NAME]))
    for folder in ("release", "source"):
        shutil.copy(student_version, tmp_path / folder / NAME)
    nothing = marking.fingerprint(tmp_path, NAME, "odd", 0)
    odd = place / f"{NAME}.ipynb"
    odd.mkdir() if kind == "folder" else odd.symlink_to("nowhere")
    assert marking.fingerprint(tmp_path, NAME, "odd", 0) == nothing
    assert course.due(tmp_path, NAME, 0) == ["odd"]
    note, reason = marking.stage(marking.Task(str(tmp_path), NAME, "odd", 0))
    assert (note, reason) == ("", "No notebook of this assignment was handed in.")


@pytest.mark.slow
def test_odd_submissions_do_not_stop_the_others(tmp_path):
    released = course.release(tmp_path, NAME, course.Overlay())
    files = {name: tmp_path / "submitted" / name / NAME / f"{NAME}.ipynb" for name in ("a_folder", "b_link", "c_file")}
    for path in files.values():
        path.parent.mkdir(parents=True)
    files["a_folder"].mkdir()
    files["b_link"].symlink_to("nowhere")
    shutil.copy(released, files["c_file"])
    found = {one.student: one.outcome for one in course.grade(tmp_path, NAME, course.Overlay(), marking.Limits())}
    missing = "not run: No notebook of this assignment was handed in."
    assert found == {"a_folder": missing, "b_link": missing, "c_file": "marked"}


@pytest.mark.parametrize("action", ["grades", "grade", "feedback"])
def test_mistyped_course_is_no_course(action, tmp_path, capsys):
    typo = tmp_path / "typo"
    assignment = [] if action == "grades" else [NAME]
    assert course.main([action, *assignment, "--course", str(typo)]) == 1
    assert f"{typo} is no course: make release first, or check COURSE=" in capsys.readouterr().err
    assert not typo.exists()
