"""Rules on a lesson's form: its parts and their order. Each rule takes (notebook, path) and yields findings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from tools.common import SETTINGS, headings, tags

SETUP_LINES = 15


@dataclass(frozen=True)
class Finding:
    """A fault: the cell's index (None: the whole notebook) and what to do."""

    cell: int | None
    remedy: str


def _first_code(notebook: NotebookNode) -> int:
    return next((i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"), len(notebook.cells))


def _opening(notebook: NotebookNode) -> str:
    """Return the Markdown before the first code cell."""
    return "\n\n".join(cell.source for cell in notebook.cells[: _first_code(notebook)] if cell.cell_type == "markdown")


def title(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The first cell begins with `# NN · Topic` or `# Case A · Topic`, NN as in the file's name; no other heading 1."""
    start = notebook.cells[0].source if notebook.cells and notebook.cells[0].cell_type == "markdown" else ""
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
    """The text before the first code cell links to this very notebook on Colab."""
    address = r"https://colab\.research\.google\.com/github/[\w.-]+/[\w.-]+/blob/main/(notebooks/[\w./-]+\.ipynb)"
    expected = f"notebooks/cases/{path.name}" if path.parent.name == "cases" else f"notebooks/{path.name}"
    found = re.findall(address, _opening(notebook))
    if expected not in found:
        start = "https://colab.research.google.com/github/OWNER/REPOSITORY/blob/main"
        yield Finding(0, f"link the Colab badge to {start}/{expected}" + (f", not to {found[0]}" if found else ""))


def setup(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Exactly one cell is tagged `setup`: the first code cell, at most 15 lines."""
    tagged = [i for i, cell in enumerate(notebook.cells) if "setup" in tags(cell)]
    if len(tagged) != 1:
        yield Finding(tagged[1] if tagged else None, f'tag exactly one cell `# %% tags=["setup"]`, not {len(tagged)}')
        return
    if tagged[0] != _first_code(notebook):
        yield Finding(tagged[0], "make the set-up cell the first code cell")
    if len(notebook.cells[tagged[0]].source.splitlines()) > SETUP_LINES:
        yield Finding(tagged[0], f"shorten the set-up cell to {SETUP_LINES} lines")


def parameters(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Exactly one cell is tagged `parameters`; it reads CXR_MODE, CXR_DATASET, CXR_DATA_DIR and CXR_SEED."""
    tagged = [i for i, cell in enumerate(notebook.cells) if "parameters" in tags(cell)]
    if len(tagged) != 1:
        cell = tagged[1] if tagged else None
        yield Finding(cell, f'tag exactly one code cell `# %% tags=["parameters"]`, not {len(tagged)}')
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
            yield Finding(index, f"make {text!r} a heading {before + 1}: level {before} is followed by {level}")
        before = level


def steps(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """There are steps, `## Step N · What is done`, numbered 1, 2, 3 ..."""
    found = [(i, text) for i, level, text in headings(notebook) if level == 2 and text.startswith("Step")]
    if not found:
        yield Finding(None, "divide the lesson into steps: `## Step 1 · What is done`")
    for number, (index, text) in enumerate(found, 1):
        if not re.match(rf"Step {number} · \S", text):
            yield Finding(index, f"write this heading `## Step {number} · ...`, not {text!r}")


def predict_explain(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Each step has code, "**Predict.**" before some of it and "**Explain.**" after some of it."""
    top = [(i, text) for i, level, text in headings(notebook) if level <= 2]
    for (start, text), end in zip(top, [*(i for i, _ in top[1:]), len(notebook.cells)], strict=True):
        if not text.startswith("Step"):
            continue
        kinds = [(c.cell_type, c.source if c.cell_type == "markdown" else "") for c in notebook.cells[start:end]]
        code = [i for i, (kind, _) in enumerate(kinds) if kind == "code"]
        if not code:
            yield Finding(start, "give this step something to run, or merge it with another")
            continue
        if not any("**Predict.**" in source for _, source in kinds[: code[-1]]):
            yield Finding(start, 'ask "**Predict.** ..." before a code cell of this step')
        if not any("**Explain.**" in source for _, source in kinds[code[0] + 1 :]):
            yield Finding(start, 'read the result aloud after the code of this step: "**Explain.** ..."')


def exercise(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """A lesson that has an exercise links to it."""
    link = f"../exercises/{path.stem}.ipynb"
    there = (path.parents[1] / "exercises" / "src" / f"{path.stem}.py").is_file()
    if there and not any(f"]({link})" in c.source for c in notebook.cells if c.cell_type == "markdown"):
        yield Finding(None, f"link to the exercise in `## What next`: [exercise {path.stem[:2]}]({link})")


def ending(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The lesson ends with `## Key points`, `## What next` and `## Sources and licence`, in this order."""
    parts = ["Key points", "What next", "Sources and licence"]
    found = [text for _, level, text in headings(notebook) if level == 2]
    for part in parts:
        if found.count(part) != 1:
            yield Finding(None, f"add one heading `## {part}`")
    if all(found.count(part) == 1 for part in parts) and found[-3:] != parts:
        yield Finding(None, "end with `## Key points`, `## What next`, `## Sources and licence`, in this order")


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
    exercise,
    ending,
]
