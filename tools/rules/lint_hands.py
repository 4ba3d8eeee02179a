"""Rules on what the student does: predictions, core, helper names, plain calls before helpers.

They hold for notebooks that ask for recorded predictions; `course`, which looks at all of them
together, asks it of each. Each rule takes (notebook, path) and yields findings.
"""

import ast
import re
from collections.abc import Iterator, Set
from pathlib import Path

from nbformat import NotebookNode

from cxr_helpers.guess import GuessError
from cxr_helpers.guess.asked import Asked, asked
from tools.common import deeper, headings, read_notebook, tags
from tools.rules.lint_form import Finding
from tools.rules.stats import code_lines, words

PREDICTIONS = {"lesson": (6, 8), "case": (4, 4)}
CORE_WORDS, CORE_MINUTES = 2000, 45
NAMES_OF_A_LESSON, NAMES_OF_THE_COURSE = 20, 60
GIVEN = ("plots", "guess")  # modules whose names are given to the reader, ready to run
# Minutes of a reader who is new to it: a word read, a line of code read and run, a prediction made,
# a figure looked at.
MINUTES = {"words": 1 / 150, "lines": 0.1, "predictions": 1.5}
# Standard calls: by which lesson each is met, and the helpers that may replace it afterwards.
PLAIN = {
    "image_dataset_from_directory": (1, ("pipeline.batches",)),
    "cross_val_score": (4, ("train.cross_validate",)),
    "train_test_split": (4, ("split.holdout",)),
    "StratifiedGroupKFold": (4, ("split.holdout", "split.folds")),
    "summary": (6, ()),
    "load_model": (6, ("deploy.load_bundle",)),
    "RandomFlip": (6, ()),
    "ReduceLROnPlateau": (8, ()),
    "classification_report": (7, ("evaluate.metrics",)),
    "ConfusionMatrixDisplay": (7, ("evaluate.confusion", "plots.confusion")),
    "roc_curve": (7, ("evaluate.roc", "plots.roc")),
    "applications": (8, ("models.backbone",)),
    "GridSearchCV": (8, ()),
    "calibration_curve": (11, ("calibrate.reliability", "plots.reliability")),
}


def code_cells(notebook: NotebookNode) -> list[tuple[int, str]]:
    """Return index and Python text of each code cell; IPython's own lines are blanked."""
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            magic = cell.source.startswith("%%")
            text = (
                "" if magic else re.sub(r"^[ \t]*[%!].*$", "pass", cell.source, flags=re.MULTILINE)
            )
            found.append((index, text))
    return found


def predictions_of(notebook: NotebookNode) -> list[Asked]:
    """Return the predictions that a notebook asks for; places are indices of cells."""
    cells = code_cells(notebook)
    places = [index for index, _ in cells]
    found = asked(text for _, text in cells)
    return [
        Asked(
            **{
                **vars(one),
                "place": places[one.place],
                "met": None if one.met is None else places[one.met],
            }
        )
        for one in found
    ]


def converted(notebook: NotebookNode) -> bool:
    """Tell whether a notebook asks for recorded predictions."""
    return bool(predictions_of(notebook))


def predictions(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """6-8 recorded predictions (4 in a case), each with an entry `X = None`, shown, and met later.

    It is met in a later cell.
    """
    if not converted(notebook):
        return
    found = predictions_of(notebook)
    low, high = PREDICTIONS["case" if path.parent.name == "cases" else "lesson"]
    if not low <= len(found) <= high:
        yield Finding(
            None,
            f"ask for {low} to {high} recorded predictions, not {len(found)}".replace(
                "4 to 4", "4"
            ),
        )
    keys = [one.key for one in found]
    prefix = f"{path.stem.split('_')[0]}."
    for one in found:
        if one.key is None or not one.key.startswith(prefix) or keys.count(one.key) > 1:
            yield Finding(
                one.place, f'give each prediction a key of its own: "{prefix}name", not {one.key!r}'
            )
        yield from _entry(one, notebook.cells[one.place].source)
        if one.key is not None:
            yield from _meeting(one, notebook)


def _entry(one: Asked, code: str) -> Iterator[Finding]:
    if one.entry is None or not re.search(rf"^{one.entry} = None\b", code, re.MULTILINE):
        yield Finding(
            one.place,
            "let the reader enter in the same cell: `MY_NAME = None  # your prediction: ...`",
        )
    if one.variable is None or code.rstrip().splitlines()[-1] != one.variable:
        yield Finding(
            one.place,
            "keep the prediction in a variable and end the cell with it, so that it is shown",
        )
    if one.values.get("example") is None:
        yield Finding(one.place, "write the example out: the commonest wrong answer")


def _meeting(one: Asked, notebook: NotebookNode) -> Iterator[Finding]:
    if one.met is None or one.met <= one.place:
        yield Finding(
            one.place,
            f"let the result meet {one.key} in a later cell: `{one.variable or 'name'}.meets(...)`",
        )
        return
    body = ast.parse(notebook.cells[one.met].source).body
    if len(body) != 1:
        yield Finding(
            one.met,
            f"let `{one.variable}.meets(...)` stand alone: the student's copy folds the cell",
        )
    try:
        if not one.beliefs:
            raise GuessError(f"{one.key}: write out what a wrong prediction shows: beliefs=[...]")
        one.spec().beliefs(one.beliefs)
    except (GuessError, TypeError) as error:
        yield Finding(one.met, f"a belief cannot be held: {error}")


def prompts(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Each "**Predict.**" is recorded by the next code cell, and no prediction lacks its own."""
    if not converted(notebook):
        return
    entries = {one.place for one in predictions_of(notebook)}
    asked_for = [
        i
        for i, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown" and "**Predict.**" in cell.source
    ]
    for index in asked_for:
        if index + 1 not in entries:
            yield Finding(
                index, "record what is predicted in the next cell, or ask without **Predict.**"
            )
    for index in sorted(entries):
        if index - 1 not in asked_for:
            yield Finding(index, 'ask "**Predict.** ..." in the text just before this entry')


def core(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The core has at most 2,000 words and 45 minutes.

    The core is all steps but those whose heading ends with " · deeper".

    A case may be longer; what its text says of the time must be about what it takes.
    """
    if not converted(notebook):
        return
    found = core_counts(notebook)
    said = re.search(r"\*\*Time and hardware\.\*\* (\d+) minutes", notebook.cells[0].source)
    if said and int(said[1]) < 0.9 * found["minutes"]:
        yield Finding(
            0, f"the text says {said[1]} minutes: the core takes about {found['minutes']:.0f}"
        )
    if path.parent.name == "cases":
        return
    if found["words"] > CORE_WORDS:
        yield Finding(
            None,
            f"shorten the core to {CORE_WORDS} words, or mark steps as deeper: it has "
            f"{found['words']}",
        )
    if found["minutes"] > CORE_MINUTES:
        yield Finding(
            None,
            f"the core takes about {found['minutes']:.0f} minutes, over {CORE_MINUTES}: shorten it",
        )
    if said and int(said[1]) > CORE_MINUTES:
        yield Finding(0, f"the text says {said[1]} minutes: the core has {CORE_MINUTES}")


def core_counts(notebook: NotebookNode) -> dict[str, float]:
    """Return words, code lines, predictions and estimated minutes of the core, without sources."""
    skipped = deeper(notebook) | _section(notebook, "Sources and licence")
    cells = [
        cell
        for index, cell in enumerate(notebook.cells)
        if index not in skipped and "setup" not in tags(cell)
    ]
    prose = [
        cell for cell in cells if cell.cell_type == "markdown" and "navigation" not in tags(cell)
    ]
    found = {
        "words": sum(words(_own(cell.source)) for cell in prose),
        "lines": sum(
            code_lines(cell.source)
            for cell in cells
            if cell.cell_type == "code" and not _given(cell)
        ),
        "predictions": sum(one.place not in skipped for one in predictions_of(notebook)),
    }
    return found | {"minutes": sum(MINUTES[name] * count for name, count in found.items())}


def _given(cell: NotebookNode) -> bool:
    """Whether a cell only asks for a prediction, answers one or shows a slider: code to run."""
    asks = re.search(r"\bguess\.\w+\(|\.meets\(", cell.source)
    return bool(asks) or "picture" in tags(cell)


def _own(source: str) -> str:
    """A text without the lines that the builder puts in."""
    return "\n".join(
        line for line in source.splitlines() if not re.match(r"\*You read|\[!\[|\[(←|Index)", line)
    )


def _section(notebook: NotebookNode, title: str) -> set[int]:
    marks = [*headings(notebook), (len(notebook.cells), 0, "")]
    starts = [k for k, (_, _, text) in enumerate(marks) if text == title]
    return {index for k in starts for index in range(marks[k][0], marks[k + 1][0])}


def core_alone(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """No cell of the core uses a name that a deeper step has set; `tools.run --core` runs it so."""
    skipped, last = deeper(notebook), {}
    for index, code in code_cells(notebook):
        stored, loaded = _names(code)
        if index not in skipped:
            for name in sorted(loaded):
                if last.get(name) == "deeper":
                    yield Finding(
                        index,
                        f"the core needs {name!r} of a deeper step: set it again, or rename it "
                        "there",
                    )
        last |= dict.fromkeys(stored, "deeper" if index in skipped else "core")


def _names(code: str) -> tuple[set[str], set[str]]:
    """Names that code sets at its top, and names that it reads and does not set itself."""
    tree = ast.parse(code)
    named = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own = {node.id for node in named if isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    stored, todo = set(), list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            stored.add(node.name)
            continue
        if isinstance(
            node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
        ):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            stored |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored.add(node.id)
        todo += ast.iter_child_nodes(node)
    return stored, {node.id for node in named} - own - stored


def helpers(notebook: NotebookNode, skipped: Set[int] = frozenset()) -> dict[str, int]:
    """Return the package's names in a notebook's code ("split.holdout"): the first cell of each.

    Cells in `skipped` are passed over, but for what they import.
    """
    found, modules = {}, {}
    for index, code in code_cells(notebook):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and node.module == "cxr_helpers":
                modules |= {alias.asname or alias.name: alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "cxr_helpers."
            ):
                module = node.module.removeprefix("cxr_helpers.")
                found |= {
                    f"{module}.{a.name}": index
                    for a in node.names
                    if f"{module}.{a.name}" not in found
                }
        if index in skipped:
            continue
        for node in ast.walk(ast.parse(code)):
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in modules
            ):
                found.setdefault(f"{modules[node.value.id]}.{node.attr}", index)
    return found


def to_know(notebook: NotebookNode, skipped: Set[int] = frozenset()) -> set[str]:
    """Return the helpers that a reader must know.

    Those of `plots` and `guess` are given ready to run.
    """
    return {name for name in helpers(notebook, skipped) if name.split(".")[0] not in GIVEN}


def helper_names(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """At most 20 names of the package, plots and guess aside, stand in a notebook."""
    if not converted(notebook):
        return
    found = sorted(to_know(notebook))
    if len(found) > NAMES_OF_A_LESSON:
        listed = ", ".join(found)
        yield Finding(
            None, f"use at most {NAMES_OF_A_LESSON} helper names, not {len(found)}: {listed}"
        )


def calls(notebook: NotebookNode) -> dict[str, int]:
    """Return the standard calls of PLAIN that a notebook's code uses: the first cell of each."""
    found = {}
    for index, code in code_cells(notebook):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Attribute | ast.Name):
                name = node.attr if isinstance(node, ast.Attribute) else node.id
                mine = (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "guess"
                )
                name = {"RocCurveDisplay": "roc_curve"}.get(name, name)
                if name in PLAIN and not mine and isinstance(node.ctx, ast.Load):
                    found.setdefault(name, index)
    return found


def course(paths: list[Path]) -> Iterator[str]:
    """Yield faults of converted lessons together: names to know, plain calls before their helpers.

    The names are those of the cores: nobody has to read a deeper step.
    """
    read = {path: read_notebook(path) for path in paths}
    asking = [path for path, notebook in read.items() if converted(notebook)]
    if asking:  # a lesson that an author has just begun stands alone
        yield from (f"{path.name}: record what is predicted" for path in read if path not in asking)
    lessons = {path: read[path] for path in asking if path.stem[:2].isdigit()}
    known = set().union(*(to_know(notebook, deeper(notebook)) for notebook in lessons.values()))
    if len(known) > NAMES_OF_THE_COURSE:
        listed = ", ".join(sorted(known))
        yield (
            f"the lessons' cores use {len(known)} helper names, over {NAMES_OF_THE_COURSE}: "
            f"{listed}"
        )
    plain = {path: calls(notebook) for path, notebook in lessons.items()}
    used = {path: helpers(notebook) for path, notebook in lessons.items()}
    for name, (due, replaced_by) in PLAIN.items():
        met = min(
            ((int(p.stem[:2]), found[name]) for p, found in plain.items() if name in found),
            default=(99, 0),
        )
        if met > (due, 10_000) and any(path.stem.startswith(f"{due:02}") for path in lessons):
            yield f"{name} is to be met by lesson {due:02}, in plain code"
        for helper in replaced_by:
            places = [
                (int(path.stem[:2]), cells[helper])
                for path, cells in used.items()
                if helper in cells
            ]
            lesson, cell = min(places, default=(99, 0))
            if (lesson, cell) < met:
                yield (
                    f"{helper} stands in lesson {lesson:02}, cell {cell + 1}, before {name} was "
                    "met in plain code"
                )


RULES = [predictions, prompts, core, core_alone, helper_names]
