"""Shared by the tools: where notebooks and sources stand, reading, atomic writing, outputs.

Outputs: the policy on which are committed.
"""

import json
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
import nbformat.reader

from cxr_helpers import files

ROOT = Path(__file__).resolve().parents[1]
# nbconvert's templates: a notebook as a page that stands alone, and as feedback.
TEMPLATES = ROOT / "tools" / "templates"

# The policy on outputs, in one place: a committed output may show the project's own phantoms (CC0)
# and nothing else, because a radiograph in an output is redistributed with the notebook.
# `tools.build --execute` runs a lesson on the phantoms with no other set in reach and notes so in
# the metadata; `tools.rules.lint` refuses outputs of anything else.
PHANTOM = "phantom"
MAX_BYTES = 1_000_000  # of a committed notebook

STUDENT = "student"  # the folder of the copies without outputs
DEEPER = " · deeper"  # the end of a step's heading where the step can be skipped without loss

SETTINGS = {
    "MODE": "CXR_MODE",
    "DATASET": "CXR_DATASET",
    "DATA_DIR": "CXR_DATA_DIR",
    "SEED": "CXR_SEED",
}

# Absolute paths of somebody's machine. Letters before the slash make it a part of a relative path
# or of an address.
MACHINE_PATH = re.compile(
    r"(?<![\w.~/:-])/(?:home|root|work|Users|tmp|mnt|var/folders)/[\w.-]+|\b[C-Z]:\\+\w+"
)


class ToolError(Exception):
    """A fault of the input; the message says what to do."""


@dataclass(frozen=True)
class Pair:
    """A source in percent format and the notebook that is generated from it."""

    source: Path
    notebook: Path


def pairs(root: Path = ROOT, *, student: bool = False) -> list[Pair]:
    """Return every source below notebooks/src with its notebook: lessons first, then case studies.

    Each source has two: the executed one, and with `student` the one below notebooks/student,
    without outputs.
    """
    folder = root / "notebooks"
    lessons = [
        Pair(path, folder / f"{path.stem}.ipynb") for path in sorted((folder / "src").glob("*.py"))
    ]
    cases = [
        Pair(path, folder / "cases" / f"{path.stem}.ipynb")
        for path in sorted(folder.glob("src/cases/*.py"))
    ]
    return (
        [Pair(p.source, students_copy(p.notebook)) for p in lessons + cases]
        if student
        else lessons + cases
    )


def students_copy(notebook: Path) -> Path:
    """Return where the student's copy of an executed notebook stands."""
    if notebook.parent.name == "cases":
        return notebook.parents[1] / STUDENT / "cases" / notebook.name
    return notebook.parent / STUDENT / notebook.name


def is_students(notebook: Path) -> bool:
    """Tell whether a notebook, given by where it stands, is a student's copy."""
    folder = notebook.parents[1] if notebook.parent.name == "cases" else notebook.parent
    return folder.name == STUDENT


def executed_copy(notebook: Path) -> Path:
    """Return where the executed notebook of a student's copy stands."""
    if notebook.parent.name == "cases":
        return notebook.parents[2] / "cases" / notebook.name
    return notebook.parents[1] / notebook.name


def notebooks(root: Path = ROOT, *, student: bool = False) -> list[Path]:
    """Return all generated notebooks on disk: lessons first, then case studies.

    They are the executed ones or the students' copies.
    """
    folder = root / "notebooks" / STUDENT if student else root / "notebooks"
    return sorted(folder.glob("*.ipynb")) + sorted((folder / "cases").glob("*.ipynb"))


def chosen(names: Iterable[str], root: Path = ROOT, *, student: bool = False) -> list[Path]:
    """Return the notebooks named by path or by the start of their name ("04"), or else all."""
    names, every = list(names), notebooks(root, student=student)
    if not names:
        return every
    found = []
    for name in names:
        path = Path(name)
        matches = (
            [path]
            if path.suffix == ".ipynb" and path.is_file()
            else [n for n in every if n.stem.startswith(name)]
        )
        if not matches:
            known = ", ".join(n.stem for n in every) or "none: run `make notebooks`"
            raise ToolError(f"no notebook {name!r}; there are: {known}")
        found += matches
    return list(dict.fromkeys(found))


def read_notebook(path: Path) -> nbformat.NotebookNode:
    """Read a notebook, naming the file if it is none."""
    try:  # not nbformat.read, which repairs ids and metadata silently: here they are to be seen
        notebook = nbformat.reader.reads(path.read_text(encoding="utf-8"))
    except Exception as error:
        raise ToolError(f"{path} is not a notebook: {error}") from error
    if notebook.get("nbformat") != 4 or "cells" not in notebook:
        raise ToolError(f"{path} is not a notebook of format 4: rebuild it with `make notebooks`")
    return notebook


def write_atomic(path: Path, text: str) -> None:
    """Write a text file by way of a temporary one beside it, so that nothing half-written stays."""
    with files.whole_file(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def relative(path: Path, root: Path = ROOT) -> str:
    """Return a path as a reader of the repository writes it."""
    path = path.resolve()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def tags(cell: nbformat.NotebookNode) -> list[str]:
    """Return a cell's tags."""
    return cell.metadata.get("tags", [])


def headings(notebook: nbformat.NotebookNode) -> Iterator[tuple[int, int, str]]:
    """Yield (cell index, level, text) of each Markdown heading outside fenced code."""
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        fenced = False
        for line in cell.source.splitlines():
            fenced ^= line.lstrip().startswith(("```", "~~~"))
            match = re.match(r"(#{1,6})\s+(.+?)\s*#*$", line)
            if match and not fenced:
                yield index, len(match[1]), match[2]


def deeper(notebook: nbformat.NotebookNode) -> set[int]:
    """Return the indices of all cells of deeper steps.

    A step runs from its heading to the next of the same level or above.
    """
    found, begin, level = set(), None, 0
    marks = [*headings(notebook), (len(notebook.cells), 0, "")]
    for index, depth, text in marks:
        if begin is not None and depth <= level:
            found |= set(range(begin, index))
            begin = None
        if begin is None and text.endswith(DEEPER):
            begin, level = index, depth
    return found


@contextmanager
def kernel_environment() -> Iterator[dict[str, str]]:
    """Yield every kernel's variables: no TensorFlow logs, no progress bars, `python3` is this one.

    This one: the Python that runs.

    Nobody is there to predict anything, so the examples stand for predictions, and none is
    recorded.

    While the block runs, the kernel's description stands in a temporary folder that Jupyter looks
    into first, so that neither a missing nor a user's own `python3` kernel changes what runs.
    """
    spec = {
        "argv": [
            sys.executable,
            "-m",
            "ipykernel_launcher",
            "--log-level=ERROR",
            "-f",
            "{connection_file}",
        ],
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
    }
    with tempfile.TemporaryDirectory(prefix="kernel-") as folder:
        write_atomic(Path(folder, "kernels", "python3", "kernel.json"), json.dumps(spec))
        before = os.environ.get("JUPYTER_PATH")
        path = os.pathsep.join([folder, before] if before else [folder])
        quiet = {
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "TQDM_DISABLE": "1",
        }
        quiet["CXR_GUESS"] = "example"
        yield {"JUPYTER_PATH": path, **quiet}
