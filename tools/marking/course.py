"""Run a course with nbgrader in a folder of the instructor's.

Release, collect, grade, summary, feedback, grades.

    python -m tools.course release 04_splitting_exercise --course FOLDER [--overlay FOLDER]
    python -m tools.course collect 04_splitting_exercise --course FOLDER --from DOWNLOAD.zip
    python -m tools.course grade 04_splitting_exercise --course FOLDER
    python -m tools.course summary 04_splitting_exercise --course FOLDER
    python -m tools.course feedback 04_splitting_exercise --course FOLDER
    python -m tools.course grades --course FOLDER [--roster FILE.csv --format moodle|canvas]

Submissions lie in FOLDER/submitted/STUDENT/ASSIGNMENT/. Each is marked in a process of its own; one
that was marked and has not changed since is passed over, so that a run which was cut off goes on
where it stopped.
"""

import argparse
import contextlib
import csv
import fnmatch
import io
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from tools import warm
from tools.build.exercises import configuration, generate, leaks, marked, programs_on_path, sources
from tools.common import ROOT, TEMPLATES, ToolError, read_notebook, write_atomic
from tools.marking import cage, gradebook, hand_back, judge, late
from tools.marking.collect import Report, called, collect, known_in
from tools.marking.mend import Late, Tidy
from tools.marking.submission import (
    Limits,
    Record,
    Task,
    asked,
    autograde,
    fingerprint,
    imported,
    mark,
    record_path,
    released,
)

UNKNOWN = "It could not be run."
NO_FORK = (
    "marking forks its judges, which this system cannot: mark on Linux, macOS or, on Windows, in "
    "WSL (docs/settings.md). All else works here: release, collect, summary, feedback, grades."
)
# of grades.csv
COLUMNS = [
    "student",
    "assignment",
    "score",
    "max_score",
    "waits_for_hand_marking",
    "outcome",
    "notes",
]
SETTINGS = """# Written by `make release`; nbgrader's own commands and formgrader read it.
import sys
from pathlib import Path

import cxr_helpers

sys.path.append(str(Path(cxr_helpers.__file__).parents[1]))  # the course's own folder
from tools.marking import plugin  # noqa: E402

c = get_config()  # noqa: F821
plugin.use()  # "nbgrader autograde" and formgrader's button mark as "make grade" does
# c.Marking.overlay = "..."  # the folder of your own seed and tests, for these two
c.CourseDirectory.course_id = "cxr"
c.ClearSolutions.code_stub = {"python": "# Your answer here"}
c.ClearSolutions.text_stub = "*Your answer here.*"
c.OverwriteCells.add_missing_cells = True
c.Execute.timeout = 60
# "nbgrader export" would write over the marks in grades.csv.
c.CsvExportPlugin.to = "nbgrader_export.csv"
"""


@dataclass(frozen=True)
class Overlay:
    """An instructor's private additions: a seed, hidden tests, sources of their own.

    They stay outside the repository.
    """

    folder: Path | None = None

    @property
    def seed(self) -> int | None:
        """The seed in overlay.toml; None: another one for each submission."""
        path = self.folder / "overlay.toml" if self.folder else None
        if path is None or not path.is_file():
            return None
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ToolError(f"{path}: {error}") from error
        if set(given) - {"seed"} or type(given.get("seed", 0)) is not int:
            raise ToolError(f"{path}: holds one line, such as seed = 4711, and not {given}")
        return given.get("seed")

    def check(self, root: Path) -> None:
        """Raise ToolError for what would be passed over: no such folder, tests of no exercise."""
        if self.folder is None:
            return
        if not self.folder.is_dir():
            raise ToolError(f"{self.folder} is no folder: check OVERLAY=")
        own = (self.folder / "exercises" / "src").glob("*.py")
        known = {path.stem for path in [*own, *sources(root)]}
        for folder in (self.folder / "hidden").glob("[!.]*"):
            if folder.name not in known:
                raise ToolError(
                    f"{folder}: no exercise is called so, but {', '.join(sorted(known))}"
                )

    def source(self, assignment: str, root: Path) -> Path:
        """Return an assignment's source: the instructor's, else the course's.

        "_exercise" may be left out of the name.
        """
        stems = (assignment, f"{assignment}_exercise")
        own = sorted((self.folder / "exercises" / "src").glob("*.py")) if self.folder else []
        return next(path for path in [*own, *sources(root)] if path.stem in stems)

    def hidden(self, assignment: str) -> dict[str, str]:
        """Return further hidden tests by the name of the answer: hidden/ASSIGNMENT/NAME.py."""
        folder = self.folder / "hidden" / assignment if self.folder else None
        files = sorted(folder.glob("*.py")) if folder and folder.is_dir() else []
        tests = {path.stem: path.read_text(encoding="utf-8").rstrip() for path in files}
        # would end its own hiding
        if odd := [name for name, code in tests.items() if "HIDDEN TESTS" in code]:
            raise ToolError(
                f"{folder / odd[0]}.py: write the test alone; the lines HIDDEN TESTS are put "
                "around it"
            )
        return tests


def release(course: Path, assignment: str, overlay: Overlay, root: Path = ROOT) -> Path:
    """Let nbgrader make the student's version of an assignment in the course; return its path."""
    source = overlay.source(assignment, root)
    hidden = overlay.hidden(source.stem)
    notebook = marked(source, root, hidden)
    tests = {
        cell.id.removeprefix("test_") for cell in notebook.cells if cell.id.startswith("test_")
    }
    if strange := sorted(set(hidden) - tests):
        raise ToolError(
            f"hidden tests for {', '.join(strange)}, but {assignment} asks for "
            f"{', '.join(sorted(tests))}"
        )
    course.mkdir(parents=True, exist_ok=True)
    if not (course / "nbgrader_config.py").exists():
        write_atomic(course / "nbgrader_config.py", SETTINGS)
    path = generate(notebook, assignment, course)
    text = path.read_text(encoding="utf-8")
    shown = "\n".join(cell.source for cell in read_notebook(path).cells)
    lines = [
        line for code in hidden.values() for line in code.splitlines() if len(line.strip()) > 8
    ]
    private = [line for line in lines if line in shown]
    if found := [*leaks(source, text, root), *private]:
        path.unlink()
        raise ToolError("not released, it gives away:\n" + "\n".join(found))
    return path


def students(course: Path, assignment: str) -> list[str]:
    """Return the students who handed something in."""
    found = sorted(
        path.parent.name for path in (course / "submitted").glob(f"*/{assignment}") if path.is_dir()
    )
    if odd := [name for name in found if set(name) & set("*?[]+")]:
        raise ToolError(
            f"rename the folder {odd[0]!r}: nbgrader takes * ? [ ] + in a name for patterns"
        )
    return found


def due(course: Path, assignment: str, seed: int | None) -> list[str]:
    """Return the students whose submission is not marked yet, or has changed since."""
    names = []
    for student in students(course, assignment):
        path = record_path(course, assignment, student)
        old = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        page = course / "autograded" / student / assignment / f"{assignment}.ipynb"
        if (
            old.get("fingerprint") != fingerprint(course, assignment, student, seed)
            or not page.is_file()
        ):
            names.append(student)
    return names


def follow(course: Path, assignment: str, seed: int | None) -> list[tuple[str, str]]:
    """Let marks, comments and pages go with folders that were renamed; return old and new names.

    A folder is a renamed one if it holds what was marked under a name that has none any more. Of
    several that held the same, it is the one that its download has named.
    """
    from nbgrader.api import Gradebook, MissingEntry

    there, found = students(course, assignment), []
    places = {student: record_path(course, assignment, student) for student in there}
    records = (course / "marking" / "records" / assignment).glob("*.json")
    gone = [path for path in records if path.stem not in there]
    old = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in gone}
    known = {one.folder: one for one in known_in(course) if one.assignment == assignment}
    for student in [student for student in there if old and not places[student].is_file()]:
        held = fingerprint(course, assignment, student, seed)
        same = [name for name, record in old.items() if record["fingerprint"] == held]
        named = [name for name in same if student in known and name in known[student].folders]
        if len(named or same) == 1:
            (before,) = named or same
            Record(**old.pop(before) | {"student": student}).write(places[student])
            record_path(course, assignment, before).unlink()
            found.append((before, student))
    for before, student in found:
        book = Gradebook(configuration(course).CourseDirectory.db_url)
        # a data base that was begun anew has no entry
        with programs_on_path(), contextlib.suppress(MissingEntry), book:
            submission = book.find_submission(assignment, before)
            submission.student = book.update_or_create_student(student)
            book.db.commit()
            if not book.student_submissions(before):
                book.remove_student(before)
        for kind in ("autograded", "feedback"):
            pages = course / kind / before / assignment
            if pages.is_dir():
                (course / kind / student).mkdir(parents=True, exist_ok=True)
                pages.rename(course / kind / student / assignment)
    return found


def openings(hidden: Iterable[str]) -> str:
    """Return what student code can do on this system that it should not; "" if nothing."""
    with tempfile.TemporaryDirectory(prefix="k") as scratch:
        trial = {"memory": 4_000_000_000, "seconds": 60, "hidden": [*hidden], "scratch": scratch}
        command = [sys.executable, "-P", cage.__file__, json.dumps(trial)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def hideable(course: Path, overlay: Overlay) -> tuple[str, ...]:
    """Return the folders to hide from student code: the course's and the overlay.

    Not so where the software lies in them.
    """
    needed = [ROOT, Path(sys.prefix), Path(sys.base_prefix), Path(tempfile.gettempdir())]
    folders = [course, *([overlay.folder] if overlay.folder else [])]
    return tuple(str(f) for f in folders if not any(place.is_relative_to(f) for place in needed))


@dataclass(frozen=True)
class Running:
    """A submission that is being marked."""

    process: multiprocessing.Process
    task: Task
    record: Record
    result: Path
    start: float

    @property
    def late(self) -> bool:
        """Whether its time is up."""
        return time.monotonic() - self.start > self.task.limits.total


def grade(
    course: Path,
    assignment: str,
    overlay: Overlay,
    limits: Limits,
    jobs: int = 1,
    *,
    again: bool = False,
    student: str = "*",
    folder: Path | None = None,
) -> Iterator[Record]:
    """Mark what is due (with `again`: everything); yield a record per submission as it is done.

    Parameters: `student`, whose, a name or a pattern; `folder`, of a `workshop` that stands
    already.
    """
    released(course, assignment)
    for before, now in follow(course, assignment, overlay.seed):
        print(f"{now}: was {before}, and keeps its marks")
    hidden = hideable(course, overlay)
    waiting = students(course, assignment) if again else due(course, assignment, overlay.seed)
    waiting = fnmatch.filter(waiting, student)
    running: dict[int, Running] = {}
    with contextlib.ExitStack() as opened:
        if waiting and folder is None:
            lessons = sorted(set(asked(course, assignment).values()))
            libraries = imported(course, assignment)
            folder = opened.enter_context(workshop(lessons, libraries, hidden))
        while waiting or running:
            while waiting and len(running) < jobs:
                task = Task(str(course), assignment, waiting.pop(0), overlay.seed, limits, hidden)
                one = begin(task, folder)
                running[one.process.sentinel] = one
            connection.wait(list(running), timeout=0.5)
            for key, one in list(running.items()):
                if one.late or not one.process.is_alive():
                    end(running.pop(key).process)
                    yield finish(one)


@contextlib.contextmanager
def workshop(
    lessons: Iterable[str], libraries: Iterable[str], hidden: Iterable[str] = ()
) -> Iterator[Path]:
    """Give the folder of a run, where judges and kernels are forked from processes that stand by.

    Parameters: `lessons` of the questions; `libraries` that kernels are likely to import; `hidden`,
    folders that student code must not see.
    """
    if not hasattr(os, "fork"):
        raise ToolError(NO_FORK)
    # Once, before the processes that need them are forked.
    import ipykernel.kernelspec  # noqa: F401
    import nbgrader.apps  # noqa: F401

    if found := openings(hidden):
        print(f"note: this system does not cut student code off: {found}")
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="marking-")))
        opened.enter_context(judge.bench(lessons, folder))
        if not found:  # forked kernels need what a cage closes
            environment = cage.bare(os.environ, str(folder))
            opened.enter_context(warm.template(libraries, environment, folder))
        yield folder


def begin(task: Task, folder: Path) -> Running:
    """Start the process that marks a submission."""
    course = Path(task.course)
    record = Record(
        task.student,
        task.assignment,
        fingerprint(course, task.assignment, task.student, task.seed),
        task.seed,
        whose=[*called(course / "submitted" / task.student / task.assignment)],
    )
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    result = folder / f"{task.student}.json"
    result.unlink(missing_ok=True)
    process = context.Process(target=mark, args=(task, str(result)), daemon=True)
    process.start()
    return Running(process, task, record, result, time.monotonic())


def end(process) -> None:
    """End a process and all it has started."""
    if process.is_alive():
        try:
            family = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        for child in [*family, process]:
            try:
                child.kill()
            except psutil.NoSuchProcess:
                continue
    process.join()


def finish(one: Running) -> Record:
    """Complete and write a submission's record; refuse with the reason one that could not run."""
    task, record, course, late = one.task, one.record, Path(one.task.course), one.late
    said = json.loads(one.result.read_text(encoding="utf-8")) if one.result.is_file() else {}
    record.notes, reason = said.get("notes", []), said.get("reason", "")
    if not said.get("success"):
        log = said.get("log", "")
        reason = why_not(task.limits, log, late)
        again = autograde(task, reason)
        record.notes = record.notes or again["notes"]
        # the instructor is to see it, and the next run to try again
        if reason == UNKNOWN or not again["success"]:
            record.notes = [*record.notes, "nbgrader: " + (log or again["log"])[-500:]]
            record.fingerprint = "to be marked again"
    record.outcome = f"not run: {reason}" if reason else "marked"
    record.questions = marks_of(course, task.assignment, task.student)
    for name, seed in said.get("seeds", {}).items():
        record.questions[f"test_{name}"]["seed"] = seed
    record.notes += [
        (
            f"{name}: the check itself failed, look at the answer "
            f"({found['message'].removeprefix('CheckBroken: ')})"
        )
        for name, found in record.questions.items()
        if found["message"].startswith("CheckBroken")
    ]
    record.seconds = round(time.monotonic() - one.start, 2)
    record.write(record_path(course, task.assignment, task.student))
    return record


def why_not(limits: Limits, log: str, late: bool) -> str:
    """Return why a submission could not be run, in words for the student."""
    if late:
        return f"It took longer than {limits.total} seconds."
    if "CellTimeoutError" in log or "Unresponsive" in log:
        return f"A cell took longer than {limits.cell} seconds and could not be stopped."
    if "Kernel died" in log or "DeadKernel" in log:
        return (
            "Its process ended: it used too much memory or time, or ended Python itself (exit, "
            "quit)."
        )
    return UNKNOWN


def marks_of(course: Path, assignment: str, student: str) -> dict[str, dict]:
    """Return score, points and message of each question of a marked submission."""
    from nbgrader.api import Gradebook, MissingEntry

    messages = error_messages(course / "autograded" / student / assignment / f"{assignment}.ipynb")
    found = {}
    with programs_on_path(), Gradebook(configuration(course).CourseDirectory.db_url) as book:
        try:
            pages = book.find_submission(assignment, student).notebooks
        except MissingEntry:
            return {}
        for one in (one for page in pages for one in page.grades):
            by_hand = {"by_hand": True} if one.needs_manual_grade else {}
            score = {"score": one.score, "points": one.max_score}
            found[one.name] = {**score, "message": messages.get(one.name, ""), **by_hand}
    return found


def error_messages(path: Path) -> dict[str, str]:
    """Return the last error of each graded cell of a marked notebook."""
    if not path.is_file():
        return {}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    graded = {
        c["metadata"]["nbgrader"]["grade_id"]: c
        for c in cells
        if c["metadata"].get("nbgrader", {}).get("grade")
    }
    errors = {
        k: [o for o in c.get("outputs", []) if o["output_type"] == "error"]
        for k, c in graded.items()
    }
    return {
        k: f"{found[-1]['ename']}: {found[-1]['evalue']}" for k, found in errors.items() if found
    }


def feedback(course: Path, assignment: str) -> list[Path]:
    """Write a feedback page for each marked submission with an older one; return those written."""
    from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
    from nbgrader import preprocessors
    from nbgrader.apps import NbGraderAPI

    config, written = configuration(course), []
    config.GenerateFeedback.preprocessors = [
        preprocessors.GetGrades,
        Late,
        Tidy,
        CSSHTMLHeaderPreprocessor,
    ]
    if rules := late.read(course):
        listed = late.settle(csv.DictReader(io.StringIO(grades(course))), course, rules).listed
        config.Late.rows = {
            row["student"]: row | {"note": late.note(row)}
            for row in listed
            if row["assignment"] == assignment
        }
    # nbgrader takes the one named `feedback`
    config.HTMLExporter.extra_template_basedirs = [str(TEMPLATES)]
    api = NbGraderAPI(config=config)
    for student in students(course, assignment):
        if not (course / "autograded" / student / assignment).is_dir():
            continue
        with programs_on_path():
            said = api.generate_feedback(assignment, student, force=True)
        page = course / "feedback" / student / assignment / f"{assignment}.html"
        if not said["success"]:
            why = said.get("log") or said.get("error", "")
            print(f"{student}: no feedback: {why[-300:]}", file=sys.stderr)
        else:
            written.append(page)
    return written


def grades(course: Path) -> str:
    """Return the marks as CSV, a row for each student and assignment.

    Everyone who has a folder in `submitted` has a row: also where marking failed or is still to
    come, where no assignment of the folder's name was released, and where nothing was handed in.
    Nobody else has: nbgrader's data base keeps the old names of folders, too.
    """
    rows = {}
    for (student, assignment), row in marks_in_book(course).items():
        if (course / "submitted" / student / assignment).is_dir():
            rows[student, assignment] = row
        else:
            print(f"{student}, {assignment}: left out, no longer in submitted/")
    for student in sorted(path for path in (course / "submitted").glob("[!.]*") if path.is_dir()):
        folders = [path.name for path in student.glob("[!.]*") if path.is_dir()]
        for assignment in {*folders} - {name for who, name in rows if who == student.name}:
            released = (course / "release" / assignment).is_dir()
            why = "not marked yet" if released else "not marked: no such assignment was released"
            outcome, notes = outcome_of(course, assignment, student.name)
            rows[student.name, assignment] = ["", "", "", outcome or why, notes]
        if not any(who == student.name for who, _ in rows):
            loose = any(student.glob("[!.]*"))
            why = (
                "not marked: the files lie in no folder of an assignment"
                if loose
                else "nothing was handed in"
            )
            rows[student.name, ""] = ["", "", "", why, ""]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for student, assignment in sorted(rows, key=lambda key: key[::-1]):
        table.writerow([student, assignment, *rows[student, assignment]])
    return text.getvalue()


def marks_in_book(course: Path) -> dict[tuple[str, str], list]:
    """Return nbgrader's data base: {(student, assignment): the other columns of `grades`}."""
    from nbgrader.api import Gradebook

    rows = {}
    with programs_on_path(), Gradebook(configuration(course).CourseDirectory.db_url) as book:
        for assignment in book.assignments:
            for one in assignment.submissions:
                score = [one.score, one.max_score, "yes" if one.needs_manual_grade else "no"]
                rows[one.student.id, assignment.name] = [
                    *score,
                    *outcome_of(course, assignment.name, one.student.id),
                ]
    return rows


def outcome_of(course: Path, assignment: str, student: str) -> tuple[str, str]:
    """Return outcome and notes of a submission, empty where it was never marked."""
    path = record_path(course, assignment, student)
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return record.get("outcome", ""), "; ".join(record.get("notes", []))


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.course", description=__doc__.splitlines()[0]
    )
    parser.add_argument(
        "action", choices=["release", "collect", "grade", "summary", "feedback", "grades"]
    )
    parser.add_argument("assignment", nargs="?", help="such as 04_splitting_exercise")
    parser.add_argument("--course", type=Path, required=True, help="folder of the course")
    parser.add_argument("--overlay", type=Path, default=None, help="folder of private additions")
    parser.add_argument(
        "--from",
        dest="download",
        type=Path,
        help="for collect: a zip of submissions, or its folder",
    )
    parser.add_argument(
        "--roster", type=Path, default=None, help="for grades: the class as the system exports it"
    )
    parser.add_argument(
        "--format", choices=gradebook.FORMATS, default="moodle", help="for grades: whose import"
    )
    parser.add_argument("--jobs", type=int, default=1, help="submissions at a time")
    parser.add_argument(
        "--again", action="store_true", help="mark also what was marked and has not changed"
    )
    parser.add_argument("--student", default="*", help="for grade: whose, a name or a pattern")
    parser.add_argument("--cell-seconds", type=int, default=Limits.cell)
    parser.add_argument("--seconds", type=int, default=Limits.total, help="for a whole submission")
    parser.add_argument("--memory", type=float, default=Limits.memory / 1e9, help="gigabytes")
    chosen = parser.parse_args(arguments)
    if chosen.action != "grades" and not chosen.assignment:
        parser.error("name the assignment: ASSIGNMENT=04_splitting_exercise")
    if chosen.action == "collect" and not chosen.download:
        parser.error("name the downloaded zip: FROM=submissions.zip")
    return chosen


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Do one action; return the exit code."""
    chosen = options(arguments)
    course = chosen.course.expanduser().resolve()
    overlay = Overlay(chosen.overlay.expanduser().resolve() if chosen.overlay else None)
    try:
        overlay.check(root)
        if chosen.action == "release":
            print(f"{release(course, chosen.assignment, overlay, root)}: hand this out")
            return 0
        if not (course / "release").is_dir():
            raise ToolError(f"{course} is no course: make release first, or check COURSE=")
        with FileLock(course / ".lock", timeout=1):
            return act(chosen, course, overlay)
    except Timeout:
        print(f"{course} is in use by another run: wait for its end", file=sys.stderr)
    except (ToolError, StopIteration) as error:
        print(str(error) or f"there is no exercise {chosen.assignment}", file=sys.stderr)
    return 1


def act(chosen: argparse.Namespace, course: Path, overlay: Overlay) -> int:
    """Collect, grade, sum up, write feedback or write the marks."""
    if chosen.action == "collect":
        show_collected(
            collect(course, chosen.assignment, chosen.download.expanduser()), chosen.assignment
        )
    elif chosen.action == "summary":
        text = gradebook.summary(course, chosen.assignment)
        write_atomic(course / f"summary-{chosen.assignment}.md", text)
        print(text)
    elif chosen.action == "grades":
        roster = chosen.roster.expanduser() if chosen.roster else None
        write_grades(course, roster, chosen.format)
    elif chosen.action == "feedback":
        write_feedback(course, chosen.assignment)
    else:
        limits, number = Limits(chosen.cell_seconds, chosen.seconds, int(chosen.memory * 1e9)), 0
        for record in grade(
            course,
            chosen.assignment,
            overlay,
            limits,
            chosen.jobs,
            again=chosen.again,
            student=chosen.student,
        ):
            number += 1
            score = sum(one["score"] for one in record.questions.values())
            print(
                f"{record.student}: {score:g} points, {record.seconds:.1f} s, {record.outcome}",
                *record.notes,
                sep="\n  ",
            )
        passed = len(students(course, chosen.assignment)) - number
        print(
            f"{number} marked, {passed} unchanged; next: make feedback "
            f"ASSIGNMENT={chosen.assignment}, make grades"
        )
    return 0


def write_feedback(course: Path, assignment: str) -> None:
    """Write the feedback pages and Moodle's zip of them; say what is not in it."""
    hand_back.archive(course, assignment).unlink(missing_ok=True)  # an old one outlives no error
    pages = feedback(course, assignment)
    print(f"{len(pages)} pages in {course / 'feedback'}")
    count, left = hand_back.write(course, assignment, students(course, assignment), pages)
    if count:
        print(
            f"{hand_back.archive(course, assignment)}: {count} pages; upload it in the Moodle "
            "assignment that was downloaded (in another, or one of groups, its numbers are other "
            "people's)"
        )
    if left:
        print("NOT IN MOODLE'S ZIP:", *(f"  {line}" for line in left), sep="\n")


def show_collected(report: Report, assignment: str) -> None:
    """Say what was collected."""
    for name in [*report.new, *report.replaced]:
        replaced = name in report.replaced
        print(name + (": in place of what is now in marking/replaced" if replaced else ""))
    for line in [
        *(f"look at {note}" for note in report.notes),
        *(f"late, says Canvas: {one}" for one in report.late),
    ]:
        print(line)
    print(
        f"{len(report.new)} new, {len(report.replaced)} replaced, {len(report.unchanged)} "
        f"unchanged; next: make grade ASSIGNMENT={assignment}"
    )


def counted(text: str, course: Path, rules: late.Rules) -> str:
    """Return marks as `grades` gives them with lateness counted; write late.csv, and say who."""
    settled = late.settle(csv.DictReader(io.StringIO(text)), course, rules)
    write_atomic(course / "late.csv", settled.text())
    print(f"{course / 'late.csv'}: written, {len(settled.listed)} late")
    for head, lines in (
        ("late days left:", [f"{who}: {days}" for who, days in sorted(settled.left.items())]),
        ("not known when (no timestamp.txt, nothing in late.toml):", settled.unknown),
        ("late.toml has no deadline of:", settled.without),
        ("late.toml says when, but nobody of that name handed in:", settled.strange),
    ):
        if lines:
            print(head, *(f"  {line}" for line in lines), sep="\n")
    out = io.StringIO()
    table = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(settled.rows)
    return out.getvalue()


def write_grades(course: Path, roster: Path | None, form: str) -> None:
    """Write grades.csv, and with a roster the table for Moodle or Canvas; list what is left over.

    What is left over has no place in the table.
    """
    text, path = grades(course), course / "grades.csv"
    if path.is_file() and path.read_text(encoding="utf-8", errors="replace").split("\n", 1)[
        0
    ] != ",".join(COLUMNS):
        raise ToolError(
            f"{path} is another program's, such as nbgrader's export: move it away first"
        )
    if rules := late.read(course):
        text = counted(text, course, rules)
    write_atomic(path, text)
    print(f"{path}: written")
    if roster is None:
        return
    rows = csv.DictReader(io.StringIO(text))
    table = gradebook.wide(rows, gradebook.read_roster(roster.expanduser(), form), form)
    write_atomic(course / f"grades-{form}.csv", table.text)
    print(f"{course / f'grades-{form}.csv'}: written")
    for head, lines in (
        ("NOT IN IT, for the roster does not tell whose:", table.unmatched),
        ("look at:", table.notes),
        ("handed in nothing:", table.nothing),
    ):
        if lines:
            print(head, *(f"  {line}" for line in lines), sep="\n")
