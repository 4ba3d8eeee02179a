"""What every notebook of the course has around its own cells: the set-up cell, the line of links, Colab's button.

It is made here, the same for lessons, case studies and exercises; the sources hold none of it.
"""

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools import links, navigation
from tools.common import ROOT, ToolError, relative, tags

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
    """Return the code of the set-up cell: it installs only where the package is missing and the host is known."""
    archive = links.archive(root)
    return HOSTED.replace("ARCHIVE", archive) if archive else HERE


def framed(notebook: NotebookNode, path: Path, root: Path = ROOT) -> NotebookNode:
    """Put the frame around a notebook's own cells, in place; return it.

    `path` is where the notebook will stand. Raises ToolError if it does not begin with a title, or if not exactly one
    code cell is tagged `imports`.
    """
    cells = notebook.cells
    name = relative(path, root)
    title, _, rest = cells[0].source.partition("\n") if cells and cells[0].cell_type == "markdown" else ("", "", "")
    if not title.startswith("# "):
        raise ToolError(f"the source of {name} must begin with a Markdown cell `# Title`")
    places = [index for index, cell in enumerate(cells) if IMPORTS in tags(cell)]
    if len(places) != 1:
        raise ToolError(f'the source of {name} has {len(places)} cells tagged `# %% tags=["{IMPORTS}"]`, not one')
    line = navigation.line(path, root)
    parts = [title, links.badge(path, root), line, rest.strip("\n")]
    cells[0].source = "\n\n".join(part for part in parts if part)
    setup = nbformat.v4.new_code_cell(setup_code(root), metadata={"tags": [SETUP]})
    cells.insert(places[0], setup)
    if line:
        cells.append(nbformat.v4.new_markdown_cell(line, metadata={"tags": [LINKS]}))
    return notebook
