"""Mark the sample class by nbgrader's own command and by `make grade`, and compare row by row.

    python -m tests.exercises.proofs.alike

Both mark in one course, so that each submission has the same seeds. Scores, states, messages,
notes and seeds must be equal, and so must the rows of grades.csv. The status is 1 where they are
not.
"""

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.exercises import sample
from tools.build import exercises
from tools.common import ROOT
from tools.marking import course, submission

FULL = "04_splitting_exercise"
LIMITS = ["--cell-seconds", "25", "--seconds", "60", "--memory", "3"]


def main() -> int:
    (source,) = exercises.sources(names=[FULL])
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "course")
        course.release(place, FULL, course.Overlay())
        with (place / "nbgrader_config.py").open("a", encoding="utf-8") as file:
            file.write(f"c.Marking.jobs = 2\nc.Marking.options = {LIMITS}\n")
        class_ = sample.students(source, place)
        sample.hand_in(class_, FULL, place)
        rows = []
        for command, where in (
            (["-m", "nbgrader", "autograde", FULL], place),
            (["-m", "tools.course", "grade", FULL, "--course", str(place)], ROOT),
        ):
            options = [] if where == place else ["--again", "--jobs", "2", *LIMITS]
            start = time.monotonic()
            here = {**os.environ, "PYTHONPATH": str(ROOT)}
            run = [sys.executable, *command, *options]
            subprocess.run(run, cwd=where, env=here, check=True, stdout=subprocess.DEVNULL)
            print(f"{' '.join(command[:3])}: {time.monotonic() - start:.0f} s", flush=True)
            rows.append({name: row(place, name) for name in class_})
    differ = [name for name in class_ if rows[0][name] != rows[1][name]]
    for name in differ:
        print(name, *(found[name] for found in rows), sep="\n  ")
    print(f"{len(class_)} students, {len(differ)} rows differ")
    return int(bool(differ))


def row(place: Path, name: str) -> tuple:
    """What is known of a submission after marking, but for the seconds it took."""
    path = submission.record_path(place, FULL, name)
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told.pop("seconds") > 0
    marks = {one["student"]: one for one in csv.DictReader(io.StringIO(course.grades(place)))}
    return told, marks[name]


if __name__ == "__main__":
    sys.exit(main())
