"""Outputs that may be committed: without times, noise or machine paths, and short to read."""

import re
from base64 import b64encode
from html import escape
from io import BytesIO

import nbformat

from tools.common import MAX_BYTES, ToolError, tags

FORMULA = re.compile(r"\$\$(.+?)\$\$|\$([^$\n]+)\$")
# A note (level I) in TensorFlow's log, and the line that comes before the first: no setting of
# Python silences them in every version.
NOTED = re.compile(r"^(?:I0000 .*|WARNING: All log messages before absl::Init.*)$", re.MULTILINE)
MAX_LINES = 40  # of text in one output
ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")  # of an object in memory: differs in each run


def trim(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Strip what differs between two runs or fills the page, in place, and return the notebook.

    Goes: execution times, widget state, standard error, overwritten progress lines, memory
    addresses, and all but the first 40 lines of a text. Execution counts are those of a run from
    top to bottom, and an image's alt text stands where JupyterLab shows it. What was trimmed once
    stays as it is.
    """
    notebook.metadata.pop("widgets", None)
    count = 0
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        count += 1
        cell.execution_count = count
        cell.outputs = [
            _trimmed(output, count) for output in _merged(cell.outputs) if _kept(output)
        ]
    return notebook


def loud(notebook: nbformat.NotebookNode) -> list[str]:
    """Return what a run wrote on standard error, cell by cell: a reader would take it for a fault.

    The first line of each cell's code comes with it. Notes of TensorFlow's native code are left
    out.
    """
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                said = NOTED.sub("", output.text).strip()
                found += [f"{cell.source.strip().splitlines()[0]!r}: {said}"] if said else []
    return found


def _kept(output: nbformat.NotebookNode) -> bool:
    widget = "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    return not widget and not (output.output_type == "stream" and output.name == "stderr")


def _merged(outputs: list) -> list:
    """Join neighbouring pieces of the same stream: where they were cut depends on timing."""
    merged = []
    for output in outputs:
        if output.output_type == "stream" and merged and merged[-1].get("name") == output.name:
            merged[-1].text += output.text
        elif output.output_type == "stream" and output.name == "stderr":
            continue
        else:
            merged.append(output)
    return merged


def _trimmed(output: nbformat.NotebookNode, count: int) -> nbformat.NotebookNode:
    if output.output_type == "stream":
        output.text = shorten(output.text)
    if "execution_count" in output:
        output.execution_count = count
    data = output.get("data", {})
    for kind in ("text/plain", "text/html"):
        if kind in data:
            data[kind] = (
                shorten(data[kind]) if kind == "text/plain" else ADDRESS.sub("", data[kind])
            )
    return _described(output)


def _described(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Make an image whose alt text is metadata one in HTML that says it, in place: JupyterLab shows
    no metadata.
    """
    data = output.get("data", {})
    alt = output.get("metadata", {}).get("image/png", {}).get("alt")
    if alt and "image/png" in data and "text/html" not in data:
        png = "".join(data.pop("image/png").split())
        data["text/html"] = f'<img alt="{escape(alt)}" src="data:image/png;base64,{png}">'
        del output.metadata["image/png"]
    return output


def is_picture(output: nbformat.NotebookNode) -> bool:
    """Tell whether an output shows an image, by itself or in HTML."""
    data = output.get("data", {})
    return "<img" in data.get("text/html", "") or any(kind.startswith("image/") for kind in data)


def shorten(text: str) -> str:
    """Return a text as a terminal would leave it, cut after 40 lines with a note."""
    text = ADDRESS.sub("", text.replace("\r\n", "\n"))
    # A carriage return starts the line anew: of a progress bar only its last state is kept.
    lines = [line.rstrip("\r").rsplit("\r", 1)[-1].rstrip() for line in text.split("\n")]
    body = lines[:-1] if lines[-1] == "" else lines
    cut_before = len(body) == MAX_LINES + 1 and re.fullmatch(r"\.\.\. \d+ more lines", body[-1])
    if len(body) <= MAX_LINES or cut_before:
        return "\n".join(lines)
    return "\n".join([*body[:MAX_LINES], f"... {len(body) - MAX_LINES} more lines", ""])


def strip(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy without outputs, execution counts and the note of what it was executed on."""
    bare = nbformat.from_dict(notebook)
    for cell in bare.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if "course" in bare.metadata:
        bare.metadata.course.pop("dataset", None)
    return bare


def carry(old: nbformat.NotebookNode, new: nbformat.NotebookNode) -> bool:
    """Copy a notebook's outputs to its successor, in place, if the code is the same; tell whether.

    The set-up cell may differ: it installs and imports, and shows nothing.
    """
    before, after = ([c for c in n.cells if c.cell_type == "code"] for n in (old, new))
    same = [c.source for c in before if "setup" not in tags(c)] == [
        c.source for c in after if "setup" not in tags(c)
    ]
    if not (same and len(before) == len(after) and has_outputs(old)):
        return False
    for cell, successor in zip(before, after, strict=True):
        successor.outputs, successor.execution_count = cell.outputs, cell.execution_count
    if "dataset" in old.metadata.get("course", {}):
        new.metadata.course.dataset = old.metadata.course.dataset
    return True


def refuse_large(text: str, name: str) -> None:
    """Raise ToolError if the text of a notebook is over 1 MB, naming the remedy."""
    if len(text.encode()) > MAX_BYTES:
        raise ToolError(
            f"{name} would be {len(text.encode()) / 1e6:.1f} MB, over {MAX_BYTES / 1e6:.0f} MB: "
            "show fewer or smaller figures, or fewer rows"
        )


def has_outputs(notebook: nbformat.NotebookNode) -> bool:
    """Tell whether any cell holds an output."""
    return any(cell.get("outputs") for cell in notebook.cells)


def without_author_notes(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Drop the cells tagged `author` or `instructor`, in place: such notes stay in the source."""
    kept = [cell for cell in notebook.cells if not {"author", "instructor"} & set(tags(cell))]
    notebook.cells = kept
    return notebook


def drawn(text: str, size: int = 11) -> str:
    """Return a text whose formulas are pictures, so that showing them needs no other program.

    `size`: that of their letters, in points.
    """
    return FORMULA.sub(lambda match: _formula(match, size), text)


def _formula(match: re.Match, size: int) -> str:
    from matplotlib import mathtext
    from matplotlib.font_manager import FontProperties

    tex, picture = re.sub(r"\\[Bb]igg?", "", match[1] or match[2]), BytesIO()
    try:
        mathtext.math_to_image(
            f"${tex}$", picture, dpi=72, format="svg", prop=FontProperties(size=size)
        )
    except ValueError:  # more than Matplotlib can draw
        return f"`{tex}`"
    data = b64encode(picture.getvalue()).decode()
    return f'<img class="formula" alt="{escape(tex)}" src="data:image/svg+xml;base64,{data}">'


def with_drawn_formulas(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Return a copy whose text has its formulas as pictures."""
    copy = nbformat.from_dict(notebook)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = drawn(cell.source)
    return copy
