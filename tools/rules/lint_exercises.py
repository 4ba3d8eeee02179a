"""Rules of an exercise, checked on its source: `python -m tools.rules.lint_exercises [NN ...]`.

Each rule takes (source, notebook) and yields what to do.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from cxr_helpers import checks
from tools.build.exercises import BEGIN, END, lesson, marked, read_check, sources
from tools.build.frame import LINKS
from tools.common import ROOT, ToolError, headings, relative, tags
from tools.rules import lint_content

KINDS = ("setup", "imports", "answer", "check", "written")


def _of(notebook: NotebookNode, kind: str) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if kind in tags(cell)]


def _stub(text: str) -> str:
    """Return the text of a cell with its solutions taken out."""
    kept, within = [], False
    for line in text.splitlines():
        if BEGIN in line or END in line:
            within = BEGIN in line
        elif not within:
            kept.append(line)
    return "\n".join(kept)


def _bound(code: str) -> set[str]:
    """Return the names that code binds at its top level."""
    names = set()
    for node in ast.parse(code).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        targets = node.targets if isinstance(node, ast.Assign) else []
        names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


def opening(source: Path, notebook: NotebookNode) -> Iterator[str]:
    """The first cell has the title `# NN · Topic: exercises`, the banner and the time."""
    first = notebook.cells[0].source
    if not first.startswith(f"# {lesson(source)} · ") or "exercises" not in first.splitlines()[0]:
        yield f"begin with `# {lesson(source)} · Topic: exercises`"
    for words in ("not for diagnosis", "**Time.**"):
        if words not in first:
            yield f"say {words!r} in the first cell"


def imports(source: Path, notebook: NotebookNode) -> Iterator[str]:
    """The second code cell, after the set-up cell, is tagged `imports`: the questions' module."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    found = _of(notebook, "imports")
    if len(found) != 1 or found[0] is not code[1]:
        yield "tag the first code cell of the source, and no other, `imports`"
    elif f"from cxr_helpers.checks.lesson{lesson(source)} import q1" not in found[0].source:
        yield (
            f"import the questions there: from cxr_helpers.checks.lesson{lesson(source)} import "
            "q1, ..."
        )


def questions(source: Path, notebook: NotebookNode) -> Iterator[str]:
    """Three to five questions, one written; those with a check are the module's, once, in order."""
    asked = [read_check(cell).name for cell in _of(notebook, "check")]
    known = list(checks.questions(lesson(source)))
    if asked != known:
        yield (
            f"check the questions of the module in their order: {', '.join(known)}; here are "
            f"{', '.join(asked)}"
        )
    if len(_of(notebook, "written")) != 1:
        yield (
            "ask exactly one written question: a Markdown cell tagged `written` with name= and "
            "points="
        )
    if not 3 <= len(asked) + 1 <= 5:
        yield f"ask three to five questions, not {len(asked) + 1}"
    numbered = [
        text.split(" · ")[0]
        for _, level, text in headings(notebook)
        if level == 2 and "Question" in text
    ]
    if numbered != [f"Question {n}" for n in range(1, len(asked) + 2)]:
        yield (
            "give each question a heading `## Question 1 · Title`, numbered from 1, the written "
            "one last"
        )


def variables(source: Path, notebook: NotebookNode) -> Iterator[str]:
    """The questions are q1, q2 ... in the module; each check cell calls its own and no more."""
    named = {f"q{n}": name for n, name in enumerate(checks.questions(lesson(source)), 1)}
    for cell in _of(notebook, "check"):
        check = read_check(cell)
        if named.get(check.variable) != check.name:
            yield f"{check.variable} is not the question of {check.name}"
        if cell.source.split("\n###")[0].strip() != f"{check.variable}.check({check.name})":
            yield f"a check cell holds {check.variable}.check({check.name}) and nothing more"


def answer_cells(source: Path, notebook: NotebookNode) -> Iterator[str]:
    """Each check follows its answer cell: the solution is marked, the stub leaves a name bound."""
    marks = [
        kind
        for cell in notebook.cells
        for kind in KINDS
        if kind in tags(cell) and kind in ("answer", "check")
    ]
    if marks != ["answer", "check"] * (len(marks) // 2):
        yield "let each `answer` cell be followed by its `check` cell"
        return
    for cell, check in zip(_of(notebook, "answer"), _of(notebook, "check"), strict=True):
        name = read_check(check).name
        if cell.source.count(BEGIN) != 1 or cell.source.count(END) != 1:
            yield f"mark the solution of {name} with one {BEGIN} and one {END}"
        elif name not in _bound(_stub(cell.source)):
            yield (
                f"bind {name} outside the solution (answer = None, or def {name}): an untouched "
                "stub must run"
            )


def written(source: Path, notebook: NotebookNode) -> Iterator[str]:
    """The written question has a name, points, a model answer, and its rubric before it.

    The model answer is a solution, the rubric is in the text.
    """
    for before, cell in zip(notebook.cells, notebook.cells[1:], strict=False):
        if "written" not in tags(cell):
            continue
        marks = cell.metadata["nbgrader"]
        if marks["grade_id"] == "written" or not marks["points"] > 0:
            yield (
                'name the written question and give it points: # %% [markdown] tags=["written"] '
                'name="x" points=3'
            )
        if BEGIN not in cell.source or _stub(cell.source).strip():
            yield (
                "hold the model answer of the written question, and nothing else, between the "
                "solution's marks"
            )
        if "*Rubric, " not in before.source:
            yield (
                "end the text before the written question with *Rubric, N points, marked by "
                "hand: ...*"
            )


def metadata(source: Path, notebook: NotebookNode) -> Iterator[str]:
    """nbgrader accepts the metadata: names unique, tests locked, points positive, tags known."""
    from nbgrader.nbgraderformat import MetadataValidator, ValidationError

    try:
        MetadataValidator().validate_nb(notebook)
    except ValidationError as error:
        yield f"nbgrader refuses the metadata: {error}"
    cells = [cell.metadata["nbgrader"] for cell in notebook.cells if "nbgrader" in cell.metadata]
    names = [marks["grade_id"] for marks in cells]
    yield from (
        f"the name {name!r} is used twice"
        for name in sorted({n for n in names if names.count(n) > 1})
    )
    for marks in cells:
        if marks["grade"] and not marks["solution"] and not marks["locked"]:
            yield f"lock the test cell {marks['grade_id']}"
        if marks["grade"] and not marks["points"] > 0:
            yield f"give {marks['grade_id']} points"
    for tag in sorted({tag for cell in notebook.cells for tag in tags(cell)} - {*KINDS, LINKS}):
        yield f"the tag {tag!r} is none of {', '.join(KINDS)}"


def content(source: Path, notebook: NotebookNode) -> Iterator[str]:
    """Cells are short, lines too, no machine's path, no `jet`, images with alt text.

    These are the rules of a lesson.
    """
    rules = ("cell_length", "line_length", "no_jet", "alt_text", "machine_paths", "unique_ids")
    for rule in rules:
        for finding in getattr(lint_content, rule)(notebook, source):
            yield f"cell {finding.cell + 1}: {finding.remedy}"


RULES = [opening, imports, questions, variables, answer_cells, written, metadata, content]


def lint(source: Path, root: Path = ROOT) -> Iterator[str]:
    """Yield one line for each rule that a source breaks."""
    notebook = marked(source, root)
    for rule in RULES:
        try:
            found = list(rule(source, notebook))
        except ToolError as error:
            found = [str(error)]
        yield from (
            f"{relative(source, root)}: [{rule.__name__.replace('_', '-')}] {what}"
            for what in found
        )


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Lint the exercises; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.rules.lint_exercises", description=__doc__.splitlines()[0]
    )
    parser.add_argument("names", nargs="*", help="starts of names, such as 04; all if none")
    options = parser.parse_args(arguments)
    try:
        chosen = sources(root, options.names)
        found = [line for source in chosen for line in lint(source, root)]
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    print(*found, f"{len(chosen)} exercises, {len(found)} findings", sep="\n")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
