"""Generate the notebooks from their sources, notebooks/src/NN_topic.py.

Each gives notebooks/NN_topic.ipynb, executed, and notebooks/student/NN_topic.ipynb, the copy
without outputs that students work in.

Only what changed is written: a notebook is compared with its source cell by cell, not by time
stamps. Cell ids come from the cell's text, so that they stay when a cell is inserted elsewhere.
`--check` writes nothing and fails where notebook and source differ. Cells tagged `author` or
`instructor` stay in the source.
"""

import argparse
import hashlib
import json
import os
import sys
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import jupytext
import nbformat

from tools.build.diagrams import embedded
from tools.build.frame import framed
from tools.build.outputs import (
    carry,
    has_outputs,
    loud,
    refuse_large,
    strip,
    trim,
    without_author_notes,
)
from tools.common import (
    PHANTOM,
    ROOT,
    Pair,
    ToolError,
    is_students,
    kernel_environment,
    pairs,
    read_notebook,
    relative,
    write_atomic,
)
from tools.common import notebooks as all_notebooks

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}


def convert(source: Path, target: Path, root: Path = ROOT) -> nbformat.NotebookNode:
    """Return a source's notebook as it will stand at `target`, without outputs.

    The bytes are the same everywhere.
    """
    text = source.read_text(encoding="utf-8")
    try:
        notebook = without_author_notes(jupytext.reads(text, fmt="py:percent"))
        for cell in notebook.cells:
            if cell.cell_type == "code":
                compile(
                    _python(cell.source), relative(source, root), "exec", flags=_TOP_LEVEL_AWAIT
                )
    except Exception as error:
        raise ToolError(f"{relative(source, root)} cannot be read: {error}") from error
    framed(notebook, target, root)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = embedded(cell.source, root)
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        text = f"{cell.cell_type}\n{cell.source}"
        cell.id = hashlib.sha256(f"{seen[text]}\n{text}".encode()).hexdigest()[:12]
        seen[text] += 1
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    course = {"source": relative(source, root), "source_sha256": digest(notebook)}
    notebook.metadata = nbformat.from_dict(
        {"course": course, "kernelspec": KERNEL, "language_info": LANGUAGE}
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


_TOP_LEVEL_AWAIT = 0x2000  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT: notebooks allow it


def _python(source: str) -> str:
    """Return a cell's text with lines of IPython's own syntax blanked."""
    lines = source.splitlines()
    if lines and lines[0].startswith("%%"):
        return ""
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def digest(notebook: nbformat.NotebookNode) -> str:
    """Return the hash of the cells' kinds, metadata and texts."""
    cells = [[cell.cell_type, dict(cell.metadata), cell.source] for cell in notebook.cells]
    return hashlib.sha256(
        json.dumps(cells, sort_keys=True, ensure_ascii=False).encode()
    ).hexdigest()


def differs(pair: Pair, root: Path = ROOT) -> str:
    """Return how a notebook differs from its source; an empty text if in outputs only."""
    expected = convert(pair.source, pair.notebook, root)
    if not pair.notebook.is_file():
        return "is missing"
    actual = read_notebook(pair.notebook)
    if is_students(pair.notebook):
        if has_outputs(actual):
            return "has outputs: a student's copy has none"
    else:
        if trim(nbformat.from_dict(actual)) != actual and has_outputs(actual):
            return "keeps its outputs in an older form"
        actual = strip(actual)
    if actual == expected:
        return ""
    for number, (mine, theirs) in enumerate(zip(actual.cells, expected.cells, strict=False), 1):
        if mine != theirs:
            return f"differs from its source, first in cell {number}"
    if len(actual.cells) != len(expected.cells):
        return f"has {len(actual.cells)} cells, its source {len(expected.cells)}"
    return "differs from its source in the metadata"


def orphans(root: Path = ROOT) -> list[Path]:
    """Return the notebooks that no source generates."""
    generated = {pair.notebook for pair in every(root)}
    there = all_notebooks(root) + all_notebooks(root, student=True)
    return [path for path in there if path not in generated]


def every(root: Path = ROOT) -> list[Pair]:
    """Return the sources with their executed notebooks, then with the students' copies."""
    return pairs(root) + pairs(root, student=True)


def execute(
    notebook: nbformat.NotebookNode, folder: Path, root: Path = ROOT
) -> nbformat.NotebookNode:
    """Run a notebook on the phantoms, in place; the data folder it sees holds no other set."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    settings = {
        "CXR_MODE": "class",
        "CXR_DATASET": PHANTOM,
        "CXR_DATA_DIR": str(root / "build" / PHANTOM),
        # not what an author did in the lessons, such as guesses
        "CXR_WORK_DIR": str(root / "build" / PHANTOM),
        "CXR_SEED": "0",
    }
    with kernel_environment() as variables, patch.dict(os.environ, variables | settings):
        # a kernel chooses the inline backend, but only where nothing is set
        os.environ.pop("MPLBACKEND", None)
        client = NotebookClient(
            notebook,
            timeout=600,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise ToolError(f"does not run on the phantoms:\n{error}") from error
    if said := loud(notebook):
        raise ToolError("\n".join(["writes on standard error, which looks like a fault:", *said]))
    notebook.metadata.language_info = nbformat.from_dict(LANGUAGE)
    notebook.metadata.course.dataset = PHANTOM
    return trim(notebook)


def build(pair: Pair, root: Path = ROOT, *, run: bool = False, force: bool = False) -> bool:
    """Write a notebook if it differs from its source (or, with `run`, has no outputs).

    Tell whether it was written.

    Outputs stay where the code did: a change of the text alone runs nothing. A student's copy is
    never run, and one that somebody has worked in is not written over without `force`: ToolError.
    """
    change = differs(pair, root)
    old = read_notebook(pair.notebook) if pair.notebook.is_file() else None
    student = is_students(pair.notebook)
    if student and old and has_outputs(old) and not force:
        raise ToolError(
            f"{relative(pair.notebook, root)} has outputs: move your work away first, or use "
            "--force"
        )
    run = run and not student
    bare = run and not change and not has_outputs(old)
    if not (change or bare or force):
        return False
    notebook = convert(pair.source, pair.notebook, root)
    kept = bool(old) and not force and not student and carry(old, notebook)
    if kept:
        trim(notebook)
    elif run:
        execute(notebook, pair.notebook.parent, root)
    nbformat.validate(notebook)
    text = nbformat.writes(notebook) + "\n"
    refuse_large(text, relative(pair.notebook, root))
    write_atomic(pair.notebook, text)
    return True


def check(root: Path = ROOT) -> list[str]:
    """Return one line per notebook or source that does not fit its counterpart."""
    faults = [
        f"{relative(path, root)} has no source: delete it, or add its source"
        for path in orphans(root)
    ]
    for pair in every(root):
        try:
            change = differs(pair, root)
        except ToolError as error:
            faults.append(str(error))
            continue
        if change:
            faults.append(f"{relative(pair.notebook, root)} {change}")
    return faults


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Build or check; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.build", description=__doc__.splitlines()[0]
    )
    parser.add_argument("names", nargs="*", help="starts of names, such as 04; all if none")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where notebook and source differ"
    )
    parser.add_argument(
        "--execute",
        action="store_true",
        help="run what is built on the phantoms and keep the outputs",
    )
    parser.add_argument("--force", action="store_true", help="build also what did not change")
    options = parser.parse_args(arguments)
    if options.check:
        faults = check(root)
        print(*faults, sep="\n", end="\n" if faults else "")
        print(
            "to repair: make notebooks"
            if faults
            else f"{len(every(root))} notebooks match their sources"
        )
        return int(bool(faults))
    selected = [
        p
        for p in every(root)
        if not options.names or p.source.stem.startswith(tuple(options.names))
    ]
    failed = False
    for pair in selected:
        try:
            written = build(pair, root, run=options.execute, force=options.force)
            print(f"{relative(pair.notebook, root)}: {'written' if written else 'unchanged'}")
        except ToolError as error:
            print(f"{relative(pair.source, root)}: {error}", file=sys.stderr)
            failed = True
    for path in orphans(root):
        print(
            f"{relative(path, root)} has no source: delete it, or add its source", file=sys.stderr
        )
    if options.names and not selected:
        print(f"no source begins with {' or '.join(options.names)}", file=sys.stderr)
    return int(failed or bool(options.names and not selected))


if __name__ == "__main__":
    sys.exit(main())
