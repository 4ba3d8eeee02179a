"""Marking a class: seconds per submission, memory, and what a run that is killed half-way loses.

It is repeated after that.

    python -m benchmarks.grading [--submissions 100] [--jobs 2]

Memory is the largest found in looks a second apart: of all processes of the run, where several use
the same memory counted once (PSS; Linux, and only as the super-user that of the judges).

The submissions are invented: right answers, untouched notebooks, and each known misconception, in
turn. The first run is killed (SIGKILL) as soon as half of them are marked, and started again. Each
mark is compared with the expected one.
"""

import argparse
import contextlib
import datetime
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil

from cxr_helpers import checks
from tests.exercises import sample
from tools.build import exercises
from tools.common import ROOT
from tools.marking import course

HERE = Path(__file__).parent
ASSIGNMENT = "04_splitting_exercise"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--submissions", type=int, default=100)
    arguments.add_argument("--jobs", type=int, default=2)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "course")
        course.release(place, ASSIGNMENT, course.Overlay())
        expected = submissions(options.submissions)
        sample.hand_in(expected, ASSIGNMENT, place)
        start = time.monotonic()
        run = begin(place, options)
        found = [gigabytes(run) for _ in looks(run, place, options.submissions / 2)]
        os.kill(run.pid, signal.SIGKILL)
        run.wait()
        first = records(place)
        run = begin(place, options)
        found += [gigabytes(run) for _ in looks(run, place, options.submissions)]
        if run.wait():
            raise SystemExit(f"marking ended with {run.returncode}: what went wrong stands above")
        result = summary(records(place), expected, first) | {
            "total_seconds": round(time.monotonic() - start),
            "gigabytes": round(max(found), 1),
        }
    said = f"python -m benchmarks.grading --submissions {options.submissions} --jobs {options.jobs}"
    result |= {
        "load": round(os.getloadavg()[0], 1),
        "date": datetime.date.today().isoformat(),
        "command": said,
    }
    table = pd.DataFrame([result])
    table.to_csv(HERE / "grading.csv", index=False)
    print(table.T.to_string(header=False))


def submissions(number: int) -> dict[str, sample.Student]:
    """So many students, of each kind in turn."""
    source = exercises.sources(names=[ASSIGNMENT])[0]
    answers = tuple(sample.names(source))
    right = sample.Student(sample.changed(source, lambda notebook: None))
    kinds = [
        right,
        sample.Student(sample.empty(source), answers),
        *sample.misconceptions(source).values(),
    ]
    return {f"student{n:03d}": kinds[n % len(kinds)] for n in range(number)}


def command(place: Path, options: argparse.Namespace) -> list[str]:
    """The command line that an instructor's `make grade` runs."""
    words = [
        "-m",
        "tools.course",
        "grade",
        ASSIGNMENT,
        "--course",
        str(place),
        "--jobs",
        str(options.jobs),
    ]
    return [sys.executable, *words]


def begin(place: Path, options: argparse.Namespace) -> subprocess.Popen:
    """Start marking."""
    words = command(place, options)
    return subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True)


def looks(run: subprocess.Popen, place: Path, number: float) -> Iterator[None]:
    """Once a second, until so many are marked or the run has ended."""
    while run.poll() is None and len(records(place)) < number:
        yield
        time.sleep(1)


def gigabytes(run: subprocess.Popen) -> float:
    """Memory of a process and all that it has started."""
    found = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        one = psutil.Process(run.pid)
        for each in [one, *one.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found += each.memory_full_info().pss / 1e9
    return found


def records(place: Path) -> dict[str, str]:
    """Records of the submissions marked so far, as text."""
    return {
        path.stem: path.read_text()
        for path in (place / "marking" / "records" / ASSIGNMENT).glob("*.json")
    }


def summary(
    after: dict[str, str], expected: dict[str, sample.Student], first: dict[str, str]
) -> dict:
    """Seconds per submission, and how many records are lost, marked twice, or of a wrong mark."""
    points = {name: question.points for name, question in checks.questions(ASSIGNMENT[:2]).items()}
    marks = {student: json.loads(text) for student, text in after.items()}
    seconds = pd.Series([record["seconds"] for record in marks.values()])
    wrong = 0
    for student, record in marks.items():
        wanted = {name: 0 if name in expected[student].lost else points[name] for name in points}
        wrong += wanted != {name: record["questions"][f"test_{name}"]["score"] for name in points}
    return {
        "submissions": len(expected),
        "seconds_median": seconds.median().round(1),
        "seconds_90_percent": seconds.quantile(0.9).round(1),
        "marked_when_killed": len(first),
        "lost": len(set(expected) - set(after)),
        "marked_twice": sum(after[student] != text for student, text in first.items()),
        "wrong_marks": wrong,
    }


if __name__ == "__main__":
    main()
