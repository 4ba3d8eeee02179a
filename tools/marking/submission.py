"""Mark one submission with nbgrader, in its own process, so that it cannot harm the batch.

The submission is copied to a staging folder under its proper name, mended, and run by a kernel
within limits (`tools.marking.cage`). What cannot be run at all gets a page that says why, no
points for its tests, and keeps its written answers for marking by hand.
"""

import ast
import contextlib
import hashlib
import hmac
import json
import os
import secrets
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from unittest.mock import patch

import nbformat
import psutil

from tools import warm
from tools.build.exercises import ASKS, configuration, programs_on_path
from tools.common import ToolError, write_atomic
from tools.marking import cage, judge, plugin
from tools.marking.judge import outcomes
from tools.marking.mend import Ask, Judged, Mend, Refuse, moment, open_submission, similarity
from tools.marking.mend import marks as cell_marks

LARGEST = 20_000_000  # bytes of a submission
COMMON = ("ipykernel.kernelapp", "matplotlib.pyplot", "pandas")


@dataclass(frozen=True)
class Limits:
    """Of one submission: seconds per cell and for the whole, bytes of memory."""

    cell: int = 60
    total: int = 300
    memory: int = 4_000_000_000


@dataclass(frozen=True)
class Task:
    """One submission to mark: where the course lies, whose it is, its seed, its limits."""

    course: str
    assignment: str
    student: str
    seed: int | None
    limits: Limits = Limits()
    hidden: tuple[str, ...] = ()  # folders that the student's code must not see


@dataclass
class Record:
    """What became of a submission; a file each, so that a run goes on where it was cut off."""

    student: str
    assignment: str
    fingerprint: str
    seed: int | None
    outcome: str = ""  # "marked", or "not run: reason"
    notes: list[str] = field(default_factory=list)
    seconds: float = 0
    questions: dict[str, dict] = field(default_factory=dict)
    whose: list[str] = field(default_factory=list)  # what a download called the student

    def write(self, path: Path) -> None:
        """Write the record, atomically."""
        write_atomic(path, json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n")


def staging(course: Path) -> Path:
    """Return the folder of the copies that are marked; what was handed in stays untouched."""
    return course / "marking" / "submitted"


def record_path(course: Path, assignment: str, student: str) -> Path:
    """Return where the record of a submission stands."""
    return course / "marking" / "records" / assignment / f"{student}.json"


def released(course: Path, assignment: str) -> Path:
    """Return the notebook that was handed out; raise ToolError if none was."""
    path = course / "release" / assignment / f"{assignment}.ipynb"
    if not path.is_file():
        raise ToolError(
            f"{assignment} was not released in {course}: make release ASSIGNMENT={assignment}"
        )
    return path


def handed_in(folder: Path, assignment: str, release: Path) -> tuple[Path | None, str]:
    """Return the notebook in a submission's folder, a note if misnamed, and None if there is none.

    Of several notebooks none of which has the proper name, the one that shares most cells with the
    released one.
    """
    proper = folder / f"{assignment}.ipynb"
    if proper.is_file():
        return proper, ""
    wanted = [cell for cell in nbformat.read(release, 4).cells if cell_marks(cell)]

    def likeness(path: Path) -> int:
        with contextlib.suppress(ToolError, AttributeError, KeyError, TypeError):
            cells = open_submission(path).cells
            names = {cell_marks(cell).get("grade_id") for cell in cells}
            return sum(
                cell_marks(w)["grade_id"] in names or any(similarity(c, w) for c in cells)
                for w in wanted
            )
        return 0

    others = [path for path in notebooks_in(folder) if likeness(path)]
    if not others:
        return None, ""
    best = max(others, key=likeness)
    return best, f"file name: {best.name} taken for {assignment}.ipynb"


def notebooks_in(folder: Path) -> list[Path]:
    """Return the files of a submission that may be its notebook.

    Also one that a browser has saved as `.ipynb.txt`.

    No folder, no dangling link, nothing that Jupyter or a Mac has put beside it.
    """
    return [
        path
        for path in sorted(folder.glob("*"))
        if ".ipynb" in path.name.lower() and not path.name.startswith(".") and path.is_file()
    ]


def fingerprint(course: Path, assignment: str, student: str, seed: int | None) -> str:
    """Return the hash of all that a mark depends on: files handed in, tests, instructor's seed."""
    folder = course / "submitted" / student / assignment
    files = notebooks_in(folder)
    files.append(course / "source" / assignment / f"{assignment}.ipynb")
    parts = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return hashlib.sha256(json.dumps([parts, seed]).encode()).hexdigest()


def stage(task: Task) -> tuple[list[str], str]:
    """Copy what was handed in to the staging folder; return notes, and why it cannot be run."""
    course = Path(task.course)
    folder, release = (
        course / "submitted" / task.student / task.assignment,
        released(course, task.assignment),
    )
    place = staging(course) / task.student / task.assignment
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    found, note = handed_in(folder, task.assignment, release)
    source, reason = (
        found or release,
        "" if found else "No notebook of this assignment was handed in.",
    )
    if found and found.stat().st_size > LARGEST:
        source, reason = (
            release,
            f"The notebook has {found.stat().st_size / 1e6:.0f} MB, over {LARGEST / 1e6:.0f} MB.",
        )
    try:
        notebook = open_submission(source)
        notebook.metadata = nbformat.from_dict(
            {"kernelspec": nbformat.read(release, 4).metadata.kernelspec}
        )
        _, notebook = nbformat.validator.normalize(notebook)
        nbformat.validate(notebook)
    except (
        ToolError,
        nbformat.ValidationError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        reason = (
            "The file is not a notebook that can be read. Open it in Jupyter, save it, and "
            "hand it in again."
        )
        note = f"file: {str(error).splitlines()[0][:300]}"
        notebook = nbformat.read(release, 4)
    (place / f"{task.assignment}.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    return [text for text in (note, _stamp(folder, place)) if text], reason


def _stamp(folder: Path, place: Path) -> str:
    """Copy a submission's time, as nbgrader reads it; return a note where it is none."""
    stamp = folder / "timestamp.txt"
    if not stamp.is_file():
        return ""
    content = stamp.read_bytes()[:1000]
    if (when := moment(content)) is None:
        return (
            f"timestamp.txt: {content[:60]!r} is no time such as '2026-11-28 10:00:00 UTC'; "
            "lateness is not known"
        )
    write_atomic(place / "timestamp.txt", f"{when.isoformat(' ')} UTC\n")
    return ""


def mark(task: Task, result: str) -> None:
    """Mark a submission with nbgrader and write what it said, as JSON, to the file `result`.

    It is the body of a process.
    """
    cage.die_with_parent()
    cage.adopt_orphans()
    cage.keep_memory()
    os.setpgid(0, 0)
    notes, reason = stage(task)
    said = autograde(task, reason, Path(result).parent)
    said["notes"] = [*notes, *said["notes"]]
    write_atomic(Path(result), json.dumps(said))
    end_family()


def end_family() -> None:
    """End all that this process and its children have started."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def asked(course: Path, assignment: str) -> dict[str, str]:
    """Return the lessons whose questions an assignment's tests ask, by the name of the answer."""
    path = course / "source" / assignment / f"{assignment}.ipynb"
    cells = nbformat.read(path, 4).cells if path.is_file() else []
    calls = (ASKS.search(cell.source) for cell in cells if cell.cell_type == "code")
    return {call["name"]: call["lesson"] for call in calls if call}


def imported(course: Path, assignment: str) -> list[str]:
    """Return what kernels of an assignment import: what is large, and what its notebook names."""
    found = dict.fromkeys((*COMMON, *judge.LIBRARIES))
    cells = nbformat.read(released(course, assignment), 4).cells
    for cell in [cell for cell in cells if cell.cell_type == "code"]:
        try:
            nodes = list(ast.walk(ast.parse(cell.source)))
        except SyntaxError:  # a magic command, in an instructor's own notebook
            continue
        for node in nodes:
            if isinstance(node, ast.Import):
                found |= dict.fromkeys(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                parts = [f"{node.module}.{alias.name}" for alias in node.names]
                found |= dict.fromkeys([node.module, *parts])
    return [*found]


def seed_of(task: Task, name: str) -> int:
    """Return the seed of a question: the instructor's, or one that nobody can foretell.

    It is a keyed hash of course, student, question and attempt, and the same when marked again.
    """
    if task.seed is not None:
        return task.seed
    course = Path(task.course)
    path = course / "marking" / "key"
    if not path.is_file():
        write_atomic(path, secrets.token_hex(32) + "\n")
        path.chmod(0o600)
    told = [course.name, task.student, task.assignment, name, attempt(task)]
    key = path.read_text(encoding="utf-8").strip().encode()
    return int(hmac.digest(key, json.dumps(told).encode(), "sha256").hex()[:8], 16) % 2**31


def attempt(task: Task) -> list[str]:
    """Return the hashes of the notebooks that were handed in: another attempt has others."""
    folder = Path(task.course) / "submitted" / task.student / task.assignment
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in notebooks_in(folder)]


def autograde(task: Task, reason: str = "", around: Path | None = None) -> dict:
    """Run nbgrader's autograde on the staged copy; return what it said.

    With a reason, its cells are not run. `around`: a folder of this run that student code must not
    see.
    """
    from nbgrader.apps import NbGraderAPI
    from sqlalchemy.exc import SAWarning

    place = tempfile.TemporaryDirectory(prefix="k", dir=around, ignore_cleanup_errors=True)
    with place as folder, programs_on_path():
        own = Private.make(
            Path(folder), () if reason else asked(Path(task.course), task.assignment)
        )
        config = settings(task, reason, own)
        warnings.filterwarnings("ignore", category=SAWarning)  # nbgrader's queries
        with contextlib.nullcontext() if reason else kernel(task, own, around or own.folder):
            api = NbGraderAPI(config=config)
            said = api.autograde(task.assignment, task.student, force=True, create=True)
        mended = own.notes.read_text(encoding="utf-8").splitlines() if own.notes.is_file() else []
        seeds = {name: one["seed"] for name, one in outcomes(own.record).items()}
    return {
        "success": said["success"],
        "log": said.get("log", "")[-4000:],
        "notes": mended,
        "reason": reason,
        "seeds": seeds,
    }


@dataclass(frozen=True)
class Private:
    """Where the marking of one submission keeps what its kernel must not see, and what it may."""

    folder: Path
    tickets: dict[str, str]  # to the judge, by the name of the answer

    @classmethod
    def make(cls, folder: Path, names: Iterable[str]) -> "Private":
        """Make the folders, and tickets for some answers."""
        made = cls(folder, {name: secrets.token_hex(8) for name in names})
        for path in (made.scratch / "home", made.scratch / "shared"):
            path.mkdir(parents=True)
        return made

    @property
    def scratch(self) -> Path:
        """The only folder that the kernel writes: its sockets, its home, the judge's files."""
        return self.folder / "s"

    @property
    def notes(self) -> Path:
        """The file of what was mended."""
        return self.folder / "notes"

    @property
    def record(self) -> Path:
        """The file of the judge's outcomes."""
        return self.folder / "record"


def instructors(course: Path):
    """Return the settings in the course's own nbgrader_config.py; empty where there is none."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    name = "nbgrader_config.py"
    if not (course / name).is_file():
        return Config()
    return PyFileConfigLoader(name, path=str(course)).load_config()


def settings(task: Task, reason: str, own: Private):
    """Return nbgrader's settings for marking: the instructor's, with the course's own steps."""
    from nbgrader import preprocessors as step
    from nbgrader.converters import Autograde

    course, release = Path(task.course), released(Path(task.course), task.assignment)
    plugin.inside = True
    config = instructors(course)
    config.merge(configuration(course))
    config.CourseDirectory.submitted_directory = str(staging(course))
    traits = Autograde.class_traits()
    first, then = (
        list(traits[f"{name}_preprocessors"].make_dynamic_default())
        for name in ("sanitize", "autograde")
    )
    first.insert(first.index(step.ClearOutput) + 1, Mend)
    place = then.index(step.Execute)
    then[place : place + 1] = [Refuse] if reason else [Ask, step.Execute, Judged]
    config.Autograde.sanitize_preprocessors = first
    config.Autograde.autograde_preprocessors = then
    config.Ask.tickets, config.Judged.record = own.tickets, str(own.record)
    config.Mend.released, config.Mend.report = str(release), str(own.notes)
    config.Refuse.reason = reason
    config.KernelManager.transport = "ipc"  # a socket file reaches a kernel that has no network
    # its name; a relative one, the default, would not be found
    config.KernelManager.ip = str(own.scratch / "s")
    config.Execute.timeout = task.limits.cell
    config.Execute.shutdown_kernel = "immediate"  # its outcomes are written
    return config


@contextlib.contextmanager
def kernel(task: Task, own: Private, around: Path):
    """Let `python3` be a kernel within the task's limits, with a judge waiting for it."""
    lessons, judges = asked(Path(task.course), task.assignment), own.folder / "judge"
    tickets = {t: [lessons[n], n, seed_of(task, n)] for n, t in own.tickets.items()}
    judged = judge.sit(judges, own.record, tickets, own.scratch / "shared")
    if warm.ADDRESS in os.environ:
        warm.use(cage.KEPT)  # what is sent stays in the kernel's memory
    caged = {
        "memory": task.limits.memory,
        "seconds": task.limits.total,
        "hidden": [*task.hidden, str(around)],
        "scratch": str(own.scratch),
        "judge": str(judges) if own.tickets else "",
    }
    start = [sys.executable, "-P", cage.__file__, json.dumps(caged), "-f", "{connection_file}"]
    spec = {"argv": start, "display_name": "Python 3 (ipykernel)", "language": "python"}
    write_atomic(own.folder / "kernels" / "python3" / "kernel.json", json.dumps(spec))
    found = {"JUPYTER_PATH": str(own.folder), "JUPYTER_RUNTIME_DIR": str(own.scratch)}
    with patch.dict(os.environ, found), judged if tickets else contextlib.nullcontext():
        yield
