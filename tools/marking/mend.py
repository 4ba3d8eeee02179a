"""What the course adds to nbgrader's own steps of autograde and feedback.

Damaged submissions are mended, unrunnable ones refused, and a feedback page shows what a check said
instead of where it was raised. Each class is one step.
"""

import functools
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import nbformat
import nbformat.reader
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Dict, Unicode

from cxr_helpers.checks import CheckBroken, NotCorrect, Outcome
from tools.build.exercises import ASKS, FRESH_START
from tools.build.outputs import drawn
from tools.common import ROOT, ToolError, tags
from tools.marking.judge import outcomes

BEGIN, END = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"


def decoded(content: bytes) -> str:
    """Return a text file's characters, by a byte-order mark, as UTF-16, or else as UTF-8.

    What is none of these was saved by an old editor of Windows.
    """
    try:
        return content.decode(json.detect_encoding(content)).removeprefix("\ufeff")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def open_submission(path: Path) -> NotebookNode:
    """Read a notebook as some editor, tool or converter left it, and return it in format 4.5.

    What its cells lack that a notebook must have is put in. Outputs and execution counts go: all is
    run anew, and outputs that are missing or damaged are no reason to refuse the answers. Raises
    ToolError.
    """
    try:
        found = json.loads(decoded(path.read_bytes()))
        found.setdefault("nbformat", 4 if "cells" in found else 3)
        found.setdefault("nbformat_minor", 0)
        found.setdefault("metadata", {})
        sheets = [found, *found.get("worksheets", ())]  # these in format 3
        for cell in [cell for sheet in sheets for cell in sheet.get("cells", ())]:
            cell["metadata"] = cell["metadata"] if isinstance(cell.get("metadata"), dict) else {}
            cell.setdefault("source", "")
            if cell["cell_type"] == "code":
                cell |= {"outputs": [], "execution_count": None}
        # half an emoji cannot be saved
        text = json.dumps(found, ensure_ascii=False).encode("utf-8", "replace")
        notebook = nbformat.convert(nbformat.reader.reads(text.decode()), 4)
        notebook.nbformat_minor = 5
        for number, cell in enumerate(notebook.cells):
            cell.setdefault("id", f"cell-{number}")
        return notebook
    except Exception as error:  # a file of any kind may be anything
        raise ToolError(
            f"{path.name} is not a notebook: {str(error) or type(error).__name__}"
        ) from error


def moment(content: bytes) -> datetime | None:
    """Return when something was handed in, in UTC, from `timestamp.txt`; None if it gives no time.

    "2026-11-28 10:00:00 UTC", with seconds or without; an offset such as +01:00 may stand for UTC,
    and where nothing does, UTC is meant, as for nbgrader. A day such as 01.02.2026 is one of two
    days, and a time zone of letters may be one of several: no guess.
    """
    text = decoded(content).strip().removesuffix("GMT").removesuffix("UTC").strip()
    if not re.match(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", text):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def marks(cell: NotebookNode) -> dict:
    """Return nbgrader's metadata of a cell; {} if it has none that names it."""
    found = cell.metadata.get("nbgrader", {})
    return found if isinstance(found, dict) and found.get("grade_id") else {}


def similarity(cell: NotebookNode, wanted: NotebookNode) -> int:
    """Return how surely a cell without metadata is the wanted one.

    2 by its id, 1 by its content, 0 not at all.
    """
    name = marks(wanted)["grade_id"]
    if cell.cell_type != wanted.cell_type:
        return 0
    if cell.get("id") == name:
        return 2
    if name.startswith("test_"):
        return int(bool(re.search(rf"\.check\(\s*{re.escape(name[5:])}\s*\)", cell.source)))
    if marks(wanted)["solution"] and cell.cell_type == "code":
        return int(
            bool(re.search(rf"^(def )?{re.escape(name)}\b\s*[=(:]", cell.source, re.MULTILINE))
        )
    return int(cell.source.strip() == wanted.source.strip())


def mend(submitted: NotebookNode, released: NotebookNode) -> list[str]:
    """Give a submission back what nbgrader needs, in place; return what was done.

    Lost metadata and deleted cells come back.

    Parameters: `submitted`, the student's notebook; `released`, the notebook that was handed out.
    Answers are never changed; a test that was moved, deleted or edited stands behind its answer as
    released.
    """
    notes, wanted = [], [cell for cell in released.cells if marks(cell)]
    known = {marks(cell)["grade_id"] for cell in wanted}
    for cell in submitted.cells:
        if marks(cell).get("grade_id") not in known:
            cell.metadata.pop("nbgrader", None)
    for original in wanted:
        name = marks(original)["grade_id"]
        there = [cell for cell in submitted.cells if marks(cell).get("grade_id") == name]
        if not there:
            free = [cell for cell in submitted.cells if not marks(cell)]
            best = max(free, key=lambda cell: similarity(cell, original), default=None)
            if best is not None and similarity(best, original):
                there, notes = [best], [*notes, f"{name}: metadata restored"]
            else:
                there, notes = (
                    [_put_back(submitted, released, original)],
                    [*notes, f"{name}: missing, put back"],
                )
        if len(there) > 1:
            notes.append(f"{name}: {len(there)} copies, the last one counts")
            for cell in there[:-1]:
                cell.metadata.pop("nbgrader")
        there[-1].metadata["nbgrader"] = dict(marks(original))
        if marks(original)["locked"] and there[-1].source != original.source:
            notes.append(f"{name}: edited, put back as it was")
    _order(submitted, notes)
    return notes


def _put_back(
    submitted: NotebookNode, released: NotebookNode, original: NotebookNode
) -> NotebookNode:
    """Insert a copy of a released cell behind the nearest earlier one in the submission."""
    cell = nbformat.from_dict(original)
    before = [
        marks(c)["grade_id"] for c in released.cells[: released.cells.index(original)] if marks(c)
    ]
    places = [i for i, c in enumerate(submitted.cells) if marks(c).get("grade_id") in before]
    submitted.cells.insert(max(places, default=-1) + 1, cell)
    return cell


def _order(submitted: NotebookNode, notes: list[str]) -> None:
    """Move each test that stands before its answer to just behind it."""
    for test in [
        cell for cell in submitted.cells if marks(cell).get("grade_id", "").startswith("test_")
    ]:
        name = marks(test)["grade_id"][5:]
        answers = [
            i for i, cell in enumerate(submitted.cells) if marks(cell).get("grade_id") == name
        ]
        if answers and submitted.cells.index(test) < answers[0]:
            submitted.cells.remove(test)
            submitted.cells.insert(answers[0], test)  # the answer has moved up by one
            notes.append(f"test_{name}: moved behind its answer")


class Mend(NbGraderPreprocessor):
    """nbgrader step: mend the submission by the released notebook; notes go into `report`."""

    released = Unicode().tag(config=True)
    report = Unicode().tag(config=True)

    def preprocess(self, nb, resources):
        """Mend in place."""
        notes = mend(nb, nbformat.read(self.released, 4))
        Path(self.report).write_text("\n".join(notes), encoding="utf-8")
        return nb, resources


def answer_of(cell: NotebookNode) -> str:
    """Return the name of the answer that a test cell tests; "" for any other cell."""
    found = marks(cell).get("grade_id", "")
    return found.removeprefix("test_") if found.startswith("test_") else ""


class Ask(NbGraderPreprocessor):
    """nbgrader step before the tests run: each gets its ticket to the judge.

    And Python's own folders to import from, so that no module of the student's counts as another.
    """

    tickets = Dict().tag(config=True)  # by the name of the answer

    def preprocess_cell(self, cell, resources, index):
        """Write ticket and folders into a test cell."""
        name = answer_of(cell)
        if name in self.tickets and FRESH_START in cell.source:
            resources.setdefault("asked", {})[name] = cell.source
            before, _, test = cell.source.partition(FRESH_START)
            over = f"border.hand_over({self.tickets[name]!r}, {name}).demand()"
            test = ASKS.sub(f"from cxr_helpers.checks import border\n\n{over}", test)
            cell.source = f"{before}{FRESH_START}\nsys.path[:] = {import_folders()!r}\n{test}"
        return cell, resources


class Judged(NbGraderPreprocessor):
    """nbgrader step after the tests have run: what the judge has noted counts.

    What a notebook prints does not; a test of the instructor's own that fails, fails all the same.
    """

    record = Unicode().tag(config=True)

    def preprocess_cell(self, cell, resources, index):
        """Put the judge's outcome into a test cell."""
        name = answer_of(cell)
        if name not in resources.get("asked", {}):
            return cell, resources
        cell.source = resources["asked"][name]
        told = outcomes(Path(self.record)).get(name)
        kept = [one for one in cell.outputs if one.output_type in ("stream", "error")]
        for one in kept:
            if one.output_type == "stream":
                one.name = "stdout"  # nbgrader takes the other one for a failure
        failed = any(one.output_type == "error" for one in kept)
        error = None if told is None and failed else self.error(name, told)
        if error is not None:
            text = f"{type(error).__name__}: {error}"
            told = {"ename": type(error).__name__, "evalue": str(error), "traceback": [text]}
            kept = [one for one in kept if one.output_type == "stream"]
            kept.append(nbformat.v4.new_output("error", **told))
        cell.outputs = kept
        return cell, resources

    def error(self, name: str, told: dict | None) -> Exception | None:
        """Return what the judge's outcome raises; None where the answer is correct."""
        if told is None:
            text = "no answer reached the judge. Did the cell above end Python, or change how "
            return NotCorrect(f"{name}: {text}checks are called?")
        outcome = {key: told[key] for key in ("state", "title", "message", "points", "mistake")}
        try:
            Outcome(**outcome).demand()
        except (NotCorrect, CheckBroken) as error:
            return error
        return None


@functools.cache
def import_folders() -> list[str]:
    """Return the folders from which a fresh Python of this environment imports."""
    code = "import json, sys; print(json.dumps(sys.path))"
    return json.loads(
        subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True).stdout
    )


class Refuse(NbGraderPreprocessor):
    """nbgrader step for a notebook that cannot be run: each test fails with the reason."""

    reason = Unicode().tag(config=True)

    def preprocess_cell(self, cell, resources, index):
        """Fail a test cell."""
        if cell.cell_type == "code" and marks(cell).get("grade"):
            error = {
                "ename": "NotRun",
                "evalue": self.reason,
                "traceback": [f"NotRun: {self.reason}"],
            }
            cell.outputs = [nbformat.v4.new_output("error", **error)]
        return cell, resources


def _without_places(text: str | list[str]) -> str | list[str]:
    """Return a text, or a list of them, without the folders of the machine that wrote it."""
    if isinstance(text, list):
        return [_without_places(line) for line in text]
    for place in (sys.prefix, sys.base_prefix, str(ROOT)):
        text = text.replace(place, "...")
    return text


class Late(NbGraderPreprocessor):
    """nbgrader step before feedback: the score is the final one; the page says what lateness cost.

    `rows` are those of late submissions (`tools.late`) by student, each with a `note`.
    """

    rows = Dict().tag(config=True)

    def preprocess(self, nb, resources):
        """Take lateness off the score, and say so above all else.

        What it costs is not known before all is marked.
        """
        found = resources["nbgrader"]
        if row := self.rows.get(found["student"]):
            days, _, _ = row["note"].partition(":")
            if not unmarked(found):
                days = row["note"]
                cost = float(row["before"]) - float(row["score"])
                found["score"] -= cost
                found["late_penalty"] += cost  # nbgrader's page has a line for it
            nb.cells.insert(0, new_markdown_cell(f"**Late.** {days}."))
        return nb, resources


class Tidy(NbGraderPreprocessor):
    """nbgrader step before feedback: marks and titles come first; what is no answer goes.

    Hidden tests go, a failed test shows only its message. Where somebody has still to mark an
    answer by hand, no mark of it is shown, and no sum.
    """

    def preprocess(self, nb, resources):
        """Tidy each cell, then put the marks below the title and below each question."""
        nb, resources = super().preprocess(nb, resources)
        told = resources["nbgrader"]
        nb.cells = with_marks(nb.cells, unmarked(told), told.get("late_penalty") or 0)
        outputs = (output for cell in nb.cells for output in cell.get("outputs", []))
        if reason := next((o.evalue for o in outputs if o.get("ename") == "NotRun"), ""):
            nb.cells.insert(0, new_markdown_cell(f"**Not run.** {reason}"))
        return nb, resources

    def preprocess_cell(self, cell, resources, index):
        """Tidy a test cell; a badge, which is an image from another host, goes too."""
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"^\[!\[.*\]\(.*\)$", "", cell.source, flags=re.MULTILINE)
            # the page stands alone: where a file of the course lies from here is not known
            cell.source = re.sub(r"^\[.*\) \| \[.*\)$", "", cell.source, flags=re.MULTILINE)
            cell.source = re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", cell.source)
            cell.source = drawn(cell.source)
        for output in cell.get("outputs", []):
            for key in ("text", "traceback"):
                if key in output:
                    output[key] = _without_places(output[key])
        if cell.cell_type != "code" or not marks(cell).get("grade"):
            return cell, resources
        cell.source = re.sub(rf"\n*{BEGIN}.*?{END}", "", cell.source, flags=re.DOTALL)
        for output in cell.outputs:
            if output.output_type == "error":
                told = output.ename in ("NotCorrect", "NotRun", "CheckBroken")
                output.traceback = [output.evalue if told else f"{output.ename}: {output.evalue}"]
        return cell, resources


def unmarked(told: dict) -> set[str]:
    """Return the names of a submission's answers that wait for marking by hand.

    `told`: what nbgrader tells its steps.
    """
    from nbgrader.api import Gradebook

    with Gradebook(told["db_url"]) as book:
        page = book.find_submission_notebook(told["notebook"], told["assignment"], told["student"])
        return {grade.name for grade in page.grades if grade.needs_manual_grade}


def with_marks(cells: list[NotebookNode], waiting: set[str], late: float) -> list[NotebookNode]:
    """Return a marked notebook's cells without its set-up, with a table of marks and each mark.

    `waiting`: answers that are still to be marked by hand; `late`: points lost for lateness.
    """
    shown, rows, title = [], [], ""
    for cell in cells:
        if {"setup", "navigation"} & set(tags(cell)) or cell.source.startswith("## Set-up\n"):
            continue
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            title = cell.source.partition("\n")[0].removeprefix("## ")
        shown.append(cell)
        own = marks(cell)
        if own.get("grade") or own.get("task"):
            open_ = own["grade_id"] in waiting
            rows.append((title, None if open_ else own["score"], own["points"]))
            got = (
                "still to be marked by hand" if open_ else f"{own['score']:g} of {own['points']:g}"
            )
            shown.append(new_markdown_cell(f"**Points: {got}.**"))
        if own.get("comment"):
            # as it was typed: "a < b" is no markup
            lines = escape(own["comment"], quote=False).strip().replace("\n", "<br>")
            shown.append(new_markdown_cell(f"<p><strong>Comment.</strong> {lines}</p>"))
    titles = (k for k, cell in enumerate(shown, 1) if cell.source.startswith("# "))
    place = next(titles, 0)
    return [*shown[:place], new_markdown_cell(table_of_marks(rows, late)), *shown[place:]]


def table_of_marks(rows: list[tuple[str, float | None, float]], late: float) -> str:
    """Return the marks as Markdown; rows of question, score (None: not marked yet) and points."""
    lines = ["## Your marks", "", "| question | score | points |", "|:--|--:|--:|"]
    lines += [
        f"| {title} | {'still to be marked' if score is None else f'{score:g}'} | {points:g} |"
        for title, score, points in rows
    ]
    if late:
        lines.append(f"| handed in late | -{late:g} | |")
    if any(score is None for _, score, _ in rows):
        lines += ["", "The sum follows when all answers are marked."]
    else:
        total = sum(score for _, score, _ in rows) - late
        lines += ["", f"**Together: {total:g} of {sum(points for *_, points in rows):g}.**"]
    return "\n".join(lines)
