"""What every notebook has around its own cells: set-up cell, line of links, Colab's button.

It is made here, the same for lessons, case studies and exercises; the sources hold none of it.
"""

import ast
import os
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.build import links, navigation
from tools.common import ROOT, ToolError, executed_copy, is_students, relative, tags

SETUP, IMPORTS, LINKS = "setup", "imports", "navigation"
HERE = """\
from importlib.util import find_spec

if not find_spec("cxr_helpers"):
    advice = "start JupyterLab from the course's folder, as README.md says"
    stop = type("NotInstalled", (Exception,), {"_render_traceback_": lambda error: [str(error)]})
    raise stop(f"The course's package is not installed: {advice}.")"""
HOSTED = """\
import os
import subprocess
import sys
from importlib.util import find_spec

hosted = "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ
if hosted and not find_spec("cxr_helpers"):
    address = "ARCHIVE"
    command = [sys.executable, "-m", "pip", "install", "-q", f"cxr-helpers[hosted] @ {address}"]
    subprocess.run(command, capture_output=True)
if not find_spec("cxr_helpers"):
    advice = "turn on the internet for this notebook and run this cell again"
    advice = advice if hosted else "start JupyterLab from the course's folder, as README.md says"
    stop = type("NotInstalled", (Exception,), {"_render_traceback_": lambda error: [str(error)]})
    raise stop(f"The course's package is not installed: {advice}.")"""


def setup_code(root: Path = ROOT) -> str:
    """Return the set-up cell's code.

    It installs only where the package is missing and the host is known.
    """
    archive = links.archive(root)
    return HOSTED.replace("ARCHIVE", archive) if archive else HERE


def framed(notebook: NotebookNode, path: Path, root: Path = ROOT) -> NotebookNode:
    """Put the frame around a notebook's own cells, in place; return it.

    `path` is where the notebook will stand. Raises ToolError if it does not begin with a title, or
    if not exactly one code cell is tagged `imports`.
    """
    cells = notebook.cells
    name = relative(path, root)
    title = cells[0].source.partition("\n")[0] if cells and cells[0].cell_type == "markdown" else ""
    if not title.startswith("# "):
        raise ToolError(f"the source of {name} must begin with a Markdown cell `# Title`")
    places = [index for index, cell in enumerate(cells) if IMPORTS in tags(cell)]
    if len(places) != 1:
        raise ToolError(
            f'the source of {name} has {len(places)} cells tagged `# %% tags=["{IMPORTS}"]`, not '
            "one"
        )
    if is_students(path):
        for cell in cells:
            _for_students(cell, path)
    line = navigation.line(path, root)
    rest = cells[0].source.partition("\n")[2]
    parts = [title, links.badge(path, root), _copies(path, root), line, rest.strip("\n")]
    cells[0].source = "\n\n".join(part for part in parts if part)
    # nobody has to read it
    folded = {"jupyter": {"source_hidden": True}} if is_students(path) else {}
    setup = nbformat.v4.new_code_cell(setup_code(root), metadata={"tags": [SETUP]} | folded)
    cells.insert(places[0], setup)
    if line:
        cells.append(nbformat.v4.new_markdown_cell(line, metadata={"tags": [LINKS]}))
    return notebook


ON_COLAB = (
    "*On Colab every notebook has a machine of its own. To keep your predictions in your Google "
    "Drive, run `from cxr_helpers import datasets; datasets.keep_on_drive()` in a cell below the "
    "imports. Or copy the code that the end of a notebook prints, and give it to `guess.take` in "
    "the next one.*"
)
# The target of a Markdown link or an image that is a file: a path upwards, or a name with an
# ending.
TARGET = re.compile(r"""(\]\(|\bsrc=")(\.\./[^)"#]+|[\w./ -]+\.[a-z]{2,5})(?=[)"#])""")


def _copies(path: Path, root: Path) -> str:
    """Which copy this is; in a published student's copy also how predictions outlive Colab.

    A machine of Colab does not last.
    """
    own = [navigation.copies(path, root)]
    if is_students(path) and links.repository(root):
        own.append(ON_COLAB)
    return "\n\n".join(own)


def _for_students(cell: NotebookNode, path: Path) -> None:
    """Adapt a cell to the student's copy, in place.

    Links lead on, and what answers a prediction is not seen before.
    """
    if cell.cell_type == "markdown":
        cell.source = TARGET.sub(lambda found: found[1] + _from(found[2], path), cell.source)
    elif _answers(cell.source):
        cell.metadata["jupyter"] = {"source_hidden": True}


def _from(target: str, path: Path) -> str:
    """A link's target as the student's copy writes it, which has other such copies beside it."""
    place = Path(os.path.normpath(executed_copy(path).parent / target))
    notebooks = path.parents[2] if path.parent.name == "cases" else path.parents[1]
    if notebooks in place.parents and (place.suffix == ".ipynb" or place.name == navigation.INDEX):
        return target
    return Path(os.path.relpath(place, path.parent)).as_posix()


def _answers(code: str) -> bool:
    """Whether a cell only meets predictions with their results: it holds the beliefs' answers."""
    if ".meets(" not in code:
        return False
    calls = [node.value if isinstance(node, ast.Expr) else None for node in ast.parse(code).body]
    return all(
        isinstance(c, ast.Call) and isinstance(c.func, ast.Attribute) and c.func.attr == "meets"
        for c in calls
    )
