"""What a student has done so far, read from the files in which they work.

A lesson is *done* when every code cell of its core has run in the student's copy, as it is saved;
an exercise, when the last run of each check said *correct*. Own predictions are counted, hits or
not; examples are none. A cell that was run, and then changed, still counts: nobody is watched.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from cxr_helpers import guess
from cxr_helpers.guess.asked import asked
from tools.build.navigation import LESSONS, Stop, exercise, stops
from tools.common import ROOT, STUDENT, ToolError, deeper, read_notebook, tags

RIGHT = re.compile(r"✔ [^\n]*: Correct\b")  # how the outcome of a check begins as plain text


@dataclass(frozen=True)
class Progress:
    """How far a student has come in a lesson, or a case study, and in its exercise."""

    ran: int = 0  # code cells of the core
    cells: int = 0
    predicted: int = 0
    to_predict: int = 0
    right: int = 0  # checks of the exercise
    questions: int = 0

    @property
    def done(self) -> bool:
        """Whether all of the core has run."""
        return 0 < self.cells == self.ran

    @property
    def practised(self) -> bool:
        """Whether all checks of the exercise said correct; true where there is no exercise."""
        return self.right == self.questions

    @property
    def begun(self) -> bool:
        """Whether anything was done at all."""
        return bool(self.ran or self.predicted or self.right)


def core(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the code cells that are in no deeper step, empty ones left out."""
    skipped = deeper(notebook)
    cells = [cell for index, cell in enumerate(notebook.cells) if index not in skipped]
    return [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]


def opened(path: Path) -> nbformat.NotebookNode:
    """Return a notebook; an empty one where there is none, or none that can be read."""
    try:
        return read_notebook(path)
    except (OSError, ToolError, json.JSONDecodeError):
        return nbformat.v4.new_notebook()


def is_right(cell: nbformat.NotebookNode) -> bool:
    """Tell whether the check in a cell said correct."""
    said = [output.get("data", {}).get("text/plain", "") for output in cell.get("outputs", [])]
    return any(RIGHT.match(text) for text in said)


def of(stop: Stop, root: Path = ROOT) -> Progress:
    """Return what was done of a lesson or case study, and of its exercise."""
    cells = core(opened(stop.path(root / LESSONS / STUDENT)))
    keys = {one.key for one in asked(_code(cell) for cell in cells)}
    lesson = stop.name.partition("_")[0]
    table = guess.summary(lesson).table if keys else None
    own = 0 if table is None else int((~table["yours"].str.startswith("example: ")).sum())
    practice = None if stop.is_case else exercise(stop.name, root)
    checks = [c for c in opened(practice).cells if "check" in tags(c)] if practice else []
    return Progress(
        ran=sum(bool(cell.execution_count) for cell in cells),
        cells=len(cells),
        predicted=min(own, len(keys)),
        to_predict=len(keys),
        right=sum(map(is_right, checks)),
        questions=len(checks),
    )


def _code(cell: nbformat.NotebookNode) -> str:
    """A cell's code, or nothing where it cannot be read: a student's cell may be half written."""
    try:
        compile(cell.source, "cell", "exec")
    except (SyntaxError, ValueError):
        return ""
    return cell.source


def mine(root: Path = ROOT) -> dict[str, Progress]:
    """Return what was done of every lesson and case study, by its name."""
    return {stop.name: of(stop, root) for stop in stops(root)}
