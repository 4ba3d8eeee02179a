"""Perfect and empty notebooks of every exercise; a killed run; an instructor's own overlay."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from cxr_helpers import checks
from tests.exercises import sample
from tools import warm
from tools.build import exercises
from tools.common import ROOT
from tools.marking import course, submission

SOURCES = {source.stem: source for source in exercises.sources()}
FULL = "04_splitting_exercise"

pytestmark = pytest.mark.slow


def score(record: course.Record, name: str) -> float:
    return record.questions[f"test_{name}"]["score"]


@pytest.fixture(scope="module")
def workshop():
    """Judges and kernels for all exercises; each alone, as in the other tests, takes longer."""
    libraries = [*warm.LIBRARIES, *submission.COMMON]
    with course.workshop(checks.lessons(), libraries) as folder:
        yield folder


@pytest.mark.parametrize("name", [name for name in SOURCES if name != FULL])
def test_perfect_and_empty_on_the_other_exercises(name, tmp_path, workshop):
    source = SOURCES[name]
    course.release(tmp_path, name, course.Overlay())
    pair = {
        "perfect": sample.Student(sample.changed(source, lambda n: None)),
        "empty": sample.Student(sample.empty(source)),
    }
    sample.hand_in(pair, name, tmp_path)
    limits = submission.Limits()
    made = course.grade(tmp_path, name, course.Overlay(), limits, jobs=2, folder=workshop)
    marked = {record.student: record for record in made}
    for answer, question in checks.questions(name[:2]).items():
        assert score(marked["perfect"], answer) == question.points, marked["perfect"].questions
        assert score(marked["empty"], answer) == 0
        assert "not attempted" in marked["empty"].questions[f"test_{answer}"]["message"]


def test_killed_half_way_and_repeated_nothing_is_lost(tmp_path):
    source, names = SOURCES[FULL], [f"student{n}" for n in range(4)]
    course.release(tmp_path, FULL, course.Overlay())
    sample.hand_in({name: sample.Student(sample.empty(source)) for name in names}, FULL, tmp_path)
    command = [sys.executable, "-m", "tools.course", "grade", FULL, "--course", str(tmp_path)]
    run = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)
    records = tmp_path / "marking" / "records" / FULL
    while not list(records.glob("*.json")):
        time.sleep(0.2)
        assert run.poll() is None
    time.sleep(1)  # into the second one
    started = psutil.Process(run.pid).children(recursive=True)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    if sys.platform == "linux":
        _, left = psutil.wait_procs(started, timeout=5)
        left = [one for one in left if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
        assert left == [], "kernels and judges end with the run"
    first = {path.stem: path.read_text() for path in records.glob("*.json")}
    assert 1 <= len(first) < len(names)
    assert subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    after = {path.stem: path.read_text() for path in records.glob("*.json")}
    assert set(after) == set(names)
    assert first.items() <= after.items(), "what was marked is not marked again"
    assert len(course.grades(tmp_path).splitlines()) == 1 + len(names)


def test_overlay_has_its_own_seed_and_tests_which_stay_out_of_the_release(tmp_path):
    private = tmp_path / "private"
    (private / "hidden" / FULL).mkdir(parents=True)
    (private / "overlay.toml").write_text("seed = 4711\n")
    test = "assert make_split.__doc__ == 'mine', 'a test that only the instructor has'\n"
    (private / "hidden" / FULL / "make_split.py").write_text(test)
    place, overlay = tmp_path / "course", course.Overlay(private)
    handed_out = course.release(place, FULL, overlay)
    assert handed_out.read_bytes() == exercises.student_version(SOURCES[FULL]).read_bytes()
    sample.hand_in(
        {"perfect": sample.Student(sample.changed(SOURCES[FULL], lambda n: None))}, FULL, place
    )
    (record,) = course.grade(place, FULL, overlay, submission.Limits())
    assert record.seed == 4711
    assert score(record, "make_split") == 0
    assert "only the instructor has" in record.questions["test_make_split"]["message"]
    assert score(record, "is_disjoint") == 2
    assert json.loads(submission.record_path(place, FULL, "perfect").read_text())["seed"] == 4711
