"""Rules on a lesson's form: its parts and their order.

Each rule takes (notebook, path) and yields findings.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from tools.build import links
from tools.common import SETTINGS, executed_copy, headings, is_students, tags

SETUP_LINES = 15


@dataclass(frozen=True)
class Finding:
    """A fault: the cell's index (None: the whole notebook) and what to do."""

    cell: int | None
    remedy: str


def _first_code(notebook: NotebookNode) -> int:
    return next(
        (i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"),
        len(notebook.cells),
    )


def _opening(notebook: NotebookNode) -> str:
    """Return the Markdown before the first code cell."""
    return "\n\n".join(
        cell.source
        for cell in notebook.cells[: _first_code(notebook)]
        if cell.cell_type == "markdown"
    )


def title(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The first cell begins with `# NN · Topic` or `# Case A · Topic`; no other heading 1.

    NN is that of the file's name.
    """
    start = (
        notebook.cells[0].source
        if notebook.cells and notebook.cells[0].cell_type == "markdown"
        else ""
    )
    match = re.match(r"# (\d\d|Case [A-Z]) · \S", start)
    if not match:
        yield Finding(0, "begin the notebook with a Markdown cell `# NN · Topic`")
    elif match[1].isdigit() and not path.stem.startswith(f"{match[1]}_"):
        yield Finding(0, f"the title says {match[1]}, the file is {path.name}")
    for index, level, text in list(headings(notebook))[1:]:
        if level == 1:
            yield Finding(index, f"make {text!r} a heading 2: the title is the only heading 1")


def banner(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The text before the first code cell says "not for diagnosis"."""
    if "not for diagnosis" not in _opening(notebook).lower():
        yield Finding(0, 'add the banner: "> **Educational, not for diagnosis.** ..."')


def objectives(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The text before the first code cell has "You will be able to" and a list."""
    if not re.search(r"You will be able to[^\n]*\n+\s*[-*1]", _opening(notebook)):
        yield Finding(0, 'add "**You will be able to**" and a list before the set-up cell')


def time_and_hardware(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The text before the first code cell has "**Time and hardware.**"."""
    if "**Time and hardware.**" not in _opening(notebook):
        yield Finding(0, 'add "**Time and hardware.** ..." before the set-up cell')


def prerequisites(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The text before the first code cell has "**Prerequisites.**"."""
    if "**Prerequisites.**" not in _opening(notebook):
        yield Finding(0, 'add "**Prerequisites.** ..." before the set-up cell')


def colab(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """A link to Colab opens this notebook's student's copy; there is none without an address.

    The address is that of the course.
    """
    own = executed_copy(path) if is_students(path) else path
    root = own.parents[2] if own.parent.name == "cases" else own.parents[1]
    expected = links.colab(path, root)
    for index, cell in enumerate(notebook.cells):
        for found in re.findall(
            r"https://colab\.research\.google\.com/github/[^\s)\"\\]+", cell.source
        ):
            if found != expected:
                yield Finding(
                    index, f"link to {expected or 'no page of Colab'}, not to {found}: `make stamp`"
                )
    if expected and expected not in _opening(notebook):
        yield Finding(
            0,
            "rebuild with `make notebooks`: the button that opens this notebook on Colab is "
            "missing",
        )


def setup(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Exactly one cell is tagged `setup`: the first code cell, at most 15 lines.

    The next one is tagged `imports`.
    """
    tagged = [i for i, cell in enumerate(notebook.cells) if "setup" in tags(cell)]
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    if len(tagged) != 1:
        where = tagged[1] if tagged else None
        yield Finding(
            where, f"rebuild with `make notebooks`: {len(tagged)} cells are tagged `setup`"
        )
        return
    if tagged[0] != code[0]:
        yield Finding(
            tagged[0],
            "move the imports up: the set-up cell, put before them, is not the first code cell",
        )
    elif "imports" not in tags(notebook.cells[code[1]] if len(code) > 1 else notebook.cells[0]):
        yield Finding(tagged[0], 'tag the cell after the set-up cell `# %% tags=["imports"]`')
    if len(notebook.cells[tagged[0]].source.splitlines()) > SETUP_LINES:
        yield Finding(tagged[0], f"shorten the set-up cell to {SETUP_LINES} lines")


def parameters(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Exactly one cell is tagged `parameters`: CXR_MODE, CXR_DATASET, CXR_DATA_DIR and CXR_SEED."""
    tagged = [i for i, cell in enumerate(notebook.cells) if "parameters" in tags(cell)]
    if len(tagged) != 1:
        cell = tagged[1] if tagged else None
        yield Finding(
            cell, f'tag exactly one code cell `# %% tags=["parameters"]`, not {len(tagged)}'
        )
        return
    for name, variable in SETTINGS.items():
        source = notebook.cells[tagged[0]].source
        if not re.search(rf"^{name} = .*os\.environ\.get\(\"{variable}\"", source, re.MULTILINE):
            yield Finding(tagged[0], f'set {name} from os.environ.get("{variable}", ...)')


def heading_order(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """No heading is more than one level below the one before it."""
    before = 0
    for index, level, text in headings(notebook):
        if level > before + 1:
            yield Finding(
                index,
                f"make {text!r} a heading {before + 1}: level {before} is followed by {level}",
            )
        before = level


def steps(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """There are steps, `## Step N · What is done`, numbered 1, 2, 3 ..."""
    found = [
        (i, text) for i, level, text in headings(notebook) if level == 2 and text.startswith("Step")
    ]
    if not found:
        yield Finding(None, "divide the lesson into steps: `## Step 1 · What is done`")
    for number, (index, text) in enumerate(found, 1):
        if not re.match(rf"Step {number} · \S", text):
            yield Finding(index, f"write this heading `## Step {number} · ...`, not {text!r}")


def predict_explain(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Each step has code, "**Predict.**" before some of it and "**Explain.**" after some of it."""
    top = [(i, text) for i, level, text in headings(notebook) if level <= 2]
    for (start, text), end in zip(
        top, [*(i for i, _ in top[1:]), len(notebook.cells)], strict=True
    ):
        if not text.startswith("Step"):
            continue
        kinds = [
            (c.cell_type, c.source if c.cell_type == "markdown" else "")
            for c in notebook.cells[start:end]
        ]
        code = [i for i, (kind, _) in enumerate(kinds) if kind == "code"]
        if not code:
            yield Finding(start, "give this step something to run, or merge it with another")
            continue
        # then lint_hands asks for predictions
        recorded = any("guess." in cell.source for cell in notebook.cells)
        if not recorded and not any("**Predict.**" in source for _, source in kinds[: code[-1]]):
            yield Finding(start, 'ask "**Predict.** ..." before a code cell of this step')
        if not any("**Explain.**" in source for _, source in kinds[code[0] + 1 :]):
            yield Finding(
                start, 'read the result aloud after the code of this step: "**Explain.** ..."'
            )


def ending(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The lesson ends with `## Key points`, `## What next`, `## Sources and licence`, in order."""
    parts = ["Key points", "What next", "Sources and licence"]
    found = [text for _, level, text in headings(notebook) if level == 2]
    for part in parts:
        if found.count(part) != 1:
            yield Finding(None, f"add one heading `## {part}`")
    if all(found.count(part) == 1 for part in parts) and found[-3:] != parts:
        yield Finding(
            None,
            "end with `## Key points`, `## What next`, `## Sources and licence`, in this order",
        )


RULES = [
    title,
    banner,
    objectives,
    time_and_hardware,
    prerequisites,
    colab,
    setup,
    parameters,
    heading_order,
    steps,
    predict_explain,
    ending,
]
