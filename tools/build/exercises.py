"""Generate the exercises from their sources.

exercises/src/NN_topic_exercise.py → exercises/NN_topic_exercise.ipynb.

A source holds the answers; the notebook is what `nbgrader generate_assignment` makes of it, and
nothing else. Cells are marked by tags (`imports`, `answer`, `check`, `written`); points, names and
nbgrader's metadata are filled in from the questions in `cxr_helpers.checks`. `--check` writes
nothing and fails where a notebook differs from its source, breaks a rule or gives an answer away.
`--table` prints the questions; `--solutions` runs the sources into output/exercises/.
"""

import argparse
import ast
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbformat import NotebookNode

from cxr_helpers import checks
from cxr_helpers.checks import Question
from tools.build.lessons import KERNEL, LANGUAGE, convert, execute
from tools.build.outputs import trim
from tools.common import ROOT, ToolError, read_notebook, relative, tags, write_atomic

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
# The package is imported afresh, so that nothing a student has done to its questions counts.
FRESH_START = "import sys  # from here on the test alone"
FRESH = (
    f"{FRESH_START}\n"
    + """
for name in [name for name in sys.modules if name.split(".")[0] == "cxr_helpers"]:
    del sys.modules[name]
from cxr_helpers.checks.lesson{lesson} import {variable}

{variable}.grade({name})"""
)
# The same, read: which lesson's question is asked about which answer.
ASKS = re.compile(
    r"from cxr_helpers\.checks\.lesson(?P<lesson>\w+) import (?P<question>\w+)\s+"
    r"(?P=question)\.grade\((?P<name>\w+)\)"
)


@dataclass(frozen=True)
class Check:
    """What a check cell says: the question's variable (q1), and the name of the answer it gets."""

    variable: str
    name: str


def sources(root: Path = ROOT, names: list[str] | None = None) -> list[Path]:
    """Return the sources whose name begins with one of the names ("04"), or all without a name."""
    found = sorted((root / "exercises" / "src").glob("*.py"))
    chosen = [path for path in found if not names or path.stem.startswith(tuple(names))]
    if names and not chosen:
        raise ToolError(
            f"no exercise begins with {' or '.join(names)}; there are: "
            f"{', '.join(p.stem for p in found)}"
        )
    return chosen


def student_version(source: Path) -> Path:
    """Return where the notebook of a source stands."""
    return source.parents[1] / f"{source.stem}.ipynb"


def lesson(source: Path) -> str:
    """Return the number of the lesson, such as "04"."""
    return source.stem[:2]


def read_check(cell: NotebookNode) -> Check:
    """Return what a check cell calls; it begins with `q1.check(name)`."""
    try:
        call = ast.parse(cell.source).body[0].value
        return Check(call.func.value.id, call.args[0].id)
    except (SyntaxError, IndexError, AttributeError) as error:
        raise ToolError(
            f"a check cell must begin with a call such as q1.check(answer), not {cell.source!r}"
        ) from error


def question_of(source: Path, check: Check) -> Question:
    """Return the question that a check cell names."""
    asked = checks.questions(lesson(source))
    if check.name not in asked:
        raise ToolError(
            f"{source.name}: lesson{lesson(source)} has no question {check.name!r}, only "
            f"{', '.join(asked)}"
        )
    return asked[check.name]


def marked(source: Path, root: Path = ROOT, hidden: dict[str, str] | None = None) -> NotebookNode:
    """Return a source's notebook with nbgrader's metadata and hidden tests.

    It is what nbgrader's `source/` holds.

    Parameters: `hidden`, further hidden tests (code) by the name of the answer, as an instructor's
    overlay has them.
    """
    notebook = convert(source, root / "exercises" / f"{source.stem}.ipynb", root)
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE})
    answer = None
    for cell in notebook.cells:
        cell.metadata.pop("lines_to_next_cell", None)
        kind = next((tag for tag in tags(cell) if tag in _MARKS), None)
        if kind == "answer":
            answer = cell
        elif kind == "check":
            check = read_check(cell)
            _mark(answer, "answer", check.name)
            _mark(cell, "check", f"test_{check.name}", question_of(source, check).points)
            more = (hidden or {}).get(check.name, "")
            fresh = FRESH.format(lesson=lesson(source), variable=check.variable, name=check.name)
            cell.source = "\n".join(
                [cell.source, "", HIDDEN[0], fresh, *([more] if more else []), HIDDEN[1]]
            )
        elif kind == "written":
            _mark(cell, kind, cell.metadata.pop("name", "written"), cell.metadata.pop("points", 0))
        elif kind in ("setup", "imports"):
            _mark(cell, kind, kind)
    return notebook


_MARKS = {  # kind of cell: nbgrader's grade, locked, solution
    "setup": (False, True, False),
    "imports": (False, True, False),
    "answer": (False, False, True),
    "check": (True, True, False),
    "written": (True, False, True),
}


def _mark(cell: NotebookNode | None, kind: str, name: str, points: float | None = None) -> None:
    if cell is None:
        raise ToolError(f"the check of {name!r} has no answer cell before it")
    grade, locked, solution = _MARKS[kind]
    marks = {
        "schema_version": 3,
        "grade": grade,
        "grade_id": name,
        "locked": locked,
        "solution": solution,
    }
    cell.metadata["nbgrader"] = {
        **marks,
        "task": False,
        **({"points": float(points)} if grade else {}),
    }
    cell.id = name


def configuration(folder: Path):
    """Return nbgrader's settings for a course: the same for building, releasing and marking."""
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(folder)
    config.CourseDirectory.course_id = "cxr"
    config.CourseDirectory.db_url = f"sqlite:///{folder / 'gradebook.db'}"
    config.ClearSolutions.code_stub = {"python": "# Your answer here"}
    config.ClearSolutions.text_stub = "*Your answer here.*"
    config.OverwriteCells.add_missing_cells = True
    return config


@contextmanager
def programs_on_path() -> Iterator[None]:
    """Let nbgrader find `alembic`, which it calls by name, in an environment that is not active."""
    before = os.environ.get("PATH", "")
    with patch.dict(os.environ, PATH=f"{Path(sys.executable).parent}{os.pathsep}{before}"):
        yield


def generate(notebook: NotebookNode, name: str, folder: Path) -> Path:
    """Let nbgrader make the student's version of a marked notebook in a course; return its path."""
    from nbgrader.apps import NbGraderAPI

    place = folder / "source" / name
    if place.exists() and {path.suffix for path in place.iterdir()} - {".ipynb"}:
        raise ToolError(
            f"{place} must hold notebooks only: other files would be released with the answers in "
            "them"
        )
    write_atomic(place / f"{name}.ipynb", nbformat.writes(notebook) + "\n")
    with programs_on_path():
        result = NbGraderAPI(config=configuration(folder)).generate_assignment(name)
    if not result["success"]:
        raise ToolError(
            f"nbgrader cannot generate {name}:\n{result.get('error', '')}{result.get('log', '')}"
        )
    return folder / "release" / name / f"{name}.ipynb"


@contextmanager
def workshop(root: Path = ROOT) -> Iterator[Path]:
    """A course folder that goes after use.

    Several exercises share one, as its data base takes seconds to make.
    """
    (root / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root / "build", prefix="exercises-") as folder:
        yield Path(folder)


def built(source: Path, folder: Path, root: Path = ROOT) -> str:
    """Return the student's notebook of a source, with nbgrader's bytes. `folder` is a workshop."""
    text = generate(marked(source, root), source.stem, folder).read_text(encoding="utf-8")
    if found := list(leaks(source, text, root)):
        raise ToolError("\n".join(found))
    return text


def solution_lines(source: Path) -> set[str]:
    """Return the lines of a source that stand in solutions and nowhere else."""
    inside, outside, within = set(), set(), False
    for line in source.read_text(encoding="utf-8").splitlines():
        line = line.removeprefix("# ").strip()
        if BEGIN in line or END in line:
            within = BEGIN in line
        else:
            (inside if within else outside).add(line)
    return {line for line in inside - outside if len(line) >= 8}


def leaks(source: Path, text: str, root: Path = ROOT) -> Iterator[str]:
    """Yield one line for each thing in a student's notebook that only a source may hold."""
    notebook = nbformat.reads(text, 4)
    words = [BEGIN[4:], END[4:], HIDDEN[0][4:], HIDDEN[1][4:], "BEGIN MARK SCHEME", ".grade("]
    for number, cell in enumerate(notebook.cells, 1):
        own = {line.strip() for line in cell.source.splitlines()}
        found = [word for word in words if word in cell.source] + sorted(
            own & solution_lines(source)
        )
        yield from (
            f"{relative(student_version(source), root)}: cell {number} gives away {word!r}"
            for word in found
        )
        if cell.get("outputs"):
            yield f"{relative(student_version(source), root)}: cell {number} holds outputs"


def faults(root: Path = ROOT, names: list[str] | None = None) -> Iterator[str]:
    """Yield one line per fault of an exercise: drift, a leak, a lone file.

    A file is alone if it has no counterpart.
    """
    with workshop(root) as folder:
        for source in sources(root, names):
            path = student_version(source)
            try:
                text = built(source, folder, root)
            except ToolError as error:
                yield f"{relative(source, root)}: {error}"
                continue
            actual = path.read_text(encoding="utf-8") if path.is_file() else ""
            yield from leaks(source, actual, root) if actual else ()
            if actual != text:
                yield (
                    f"{relative(path, root)} "
                    f"{'differs from its source' if actual else 'is missing'}"
                )
    known = {source.stem for source in sources(root)}
    for path in sorted((root / "exercises").glob("*.ipynb")):
        if path.stem not in known:
            yield f"{relative(path, root)} has no source: delete it, or add its source"


def answers(source: Path, root: Path = ROOT, *, solved: bool = True) -> dict[str, object]:
    """Run a source's code cells in one namespace; return the answers (or the stubs') by name."""
    notebook = marked(source, root) if solved else read_notebook(student_version(source))
    names, space = [], {"__name__": "exercise"}
    for cell in notebook.cells:
        if "check" in tags(cell):
            names.append(read_check(cell).name)
        elif cell.cell_type == "code":
            exec(compile(cell.source, source.name, "exec"), space)
    return {name: space[name] for name in names}


def table(root: Path = ROOT) -> str:
    """Return the questions, their points, and the misconceptions each recognises, as text."""
    lines, total = [], 0.0
    for source in sources(root):
        lines.append(source.stem)
        for cell in marked(source, root).cells:
            marks = cell.metadata.get("nbgrader", {})
            if not marks.get("grade"):
                continue
            total += marks["points"]
            name = marks["grade_id"].removeprefix("test_")
            question = checks.questions(lesson(source)).get(name) if "check" in tags(cell) else None
            caught = ", ".join(question.mistakes) if question else "(marked by hand)"
            lines.append(f"  {name:22} {marks['points']:4g}  {caught}")
    return "\n".join([*lines, f"{len(sources(root))} exercises, {total:g} points"])


def solve(source: Path, root: Path = ROOT) -> Path:
    """Run a source with its answers; write the executed notebook into output/exercises.

    It is never committed.
    """
    notebook = marked(source, root)
    path = root / "output" / "exercises" / f"{source.stem}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook.metadata.course = nbformat.from_dict({})
    write_atomic(path, nbformat.writes(trim(execute(notebook, path.parent, root))) + "\n")
    return path


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Build, check, print or solve; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build.exercises", description=__doc__.splitlines()[0]
    )
    parser.add_argument("names", nargs="*", help="starts of names, such as 04; all if none")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail at drift and leaks"
    )
    parser.add_argument(
        "--table", action="store_true", help="print questions, points and misconceptions"
    )
    parser.add_argument(
        "--solutions", action="store_true", help="run the sources into output/exercises/"
    )
    options = parser.parse_args(arguments)
    try:
        if options.table:
            print(table(root))
        elif options.check:
            found = list(faults(root, options.names))
            print(*found, sep="\n", end="\n" if found else "")
            print(
                "to repair: make exercises"
                if found
                else f"{len(sources(root))} exercises match their sources"
            )
            return int(bool(found))
        else:
            with workshop(root) as folder:
                for source in sources(root, options.names):
                    path = solve(source, root) if options.solutions else student_version(source)
                    if not options.solutions:
                        write_atomic(path, built(source, folder, root))
                    print(f"{relative(path, root)}: written")
    except ToolError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    os.environ.pop("NBGRADER_EXECUTION", None)
    sys.exit(main())
