"""Rules on what cells and outputs hold. Each rule takes (notebook, path) and yields findings."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools.build import diagrams
from tools.build.outputs import is_picture
from tools.common import MACHINE_PATH, MAX_BYTES, PHANTOM, tags
from tools.rules.lint_form import Finding

CELL_LINES = 25
LINE_LENGTH = 100
COMPARED = "nbval-check-output"
# Notebooks in which fewer than half of the printing cells are compared; the list shrinks to
# nothing.
TOO_FEW_COMPARED = {
    "a_grey_scale",
    "b_kaggle_folders",
    "c_two_convolutions",
    "d_small_model",
    "e_three_classes",
}


def _code(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code")


def _markdown(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "markdown")


def _output_texts(cell: NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        yield output.get("text", "")
        yield "\n".join(output.get("traceback", []))
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/") or kind == "image/svg+xml":
                yield data


def cell_length(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """A code cell has at most 25 lines and is not empty."""
    for index, cell in _code(notebook):
        lines = len(cell.source.splitlines())
        if not cell.source.strip():
            yield Finding(index, "delete the empty code cell")
        elif lines > CELL_LINES:
            yield Finding(
                index,
                f"split {lines} lines into cells of at most {CELL_LINES}, or move a part to the "
                "package",
            )


def line_length(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """A line of code has at most 100 characters."""
    for index, cell in _code(notebook):
        for number, line in enumerate(cell.source.splitlines(), 1):
            if len(line) > LINE_LENGTH:
                yield Finding(
                    index, f"break line {number}: {len(line)} characters, over {LINE_LENGTH}"
                )


def no_jet(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """No `jet` colour map: it draws false edges, and some readers cannot tell its colours apart."""
    for index, cell in _code(notebook):
        if re.search(
            r"""["']jet(_r)?["']|\bcm\.jet|colormaps\.jet|\bplt\.jet\(|COLORMAP_JET""", cell.source
        ):
            yield Finding(
                index, "use a perceptual colour map such as viridis or magma in place of jet"
            )


def alt_text(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Each image has alt text: in Markdown, and in an output, where it is HTML (JupyterLab shows no
    metadata).
    """
    for index, cell in _markdown(notebook):
        if _unnamed(cell.source) or re.search(r"!\[\s*\][(\[]", cell.source):
            yield Finding(index, "give the image alt text that states what it shows: ![text](file)")
    for index, cell in _code(notebook):
        for data in (output.get("data", {}) for output in cell.outputs):
            if _unnamed(data.get("text/html", "")) or any(k.startswith("image/") for k in data):
                yield Finding(
                    index,
                    "end the cell with a plots.Picture, which has alt text, not a bare figure",
                )


def _unnamed(html: str) -> list[str]:
    """Return the images of a text that have no alt text."""
    images = re.findall(r"<img\b[^>]*>", html)
    return [image for image in images if not re.search(r"""\balt=["'][^"']*\w""", image)]


def phantoms_only(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Outputs come from the phantoms; the text embeds no image but the course's diagrams.

    The phantoms stand in the metadata as course.dataset.
    """
    dataset = notebook.metadata.get("course", {}).get("dataset")
    if dataset != PHANTOM:
        for index, cell in _code(notebook):
            if cell.outputs:
                origin = f"the set {dataset!r}" if dataset else "an unknown set"
                yield Finding(
                    index,
                    f"outputs of {origin} may hold radiographs: rebuild with `make notebooks`",
                )
    for index, cell in enumerate(notebook.cells):
        images = (
            re.findall(r"data:image/[^)\"'\s]+", cell.source)
            if cell.cell_type == "markdown"
            else []
        )
        if cell.get("attachments") or not set(images) <= diagrams.addresses():
            yield Finding(
                index,
                "link an image file, or a diagram of docs/diagrams/, in place of the embedded "
                "image",
            )


def machine_paths(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """No path of somebody's machine stands in a cell or an output."""
    for index, cell in enumerate(notebook.cells):
        texts = [cell.source, *(_output_texts(cell) if cell.cell_type == "code" else [])]
        for found in sorted({match[0] for text in texts for match in MACHINE_PATH.finditer(text)}):
            yield Finding(index, f"write a path relative to the repository in place of {found}")


def no_errors(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """No output is an error; an error meant to be seen is caught and printed.

    A runner would stop at it.
    """
    for index, cell in _code(notebook):
        if any(
            output.output_type == "error" for output in cell.outputs
        ) or "raises-exception" in tags(cell):
            yield Finding(
                index, "repair the error, or catch it with try / except and print its message"
            )


def no_pip(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Nothing is installed outside the set-up cell, and there not by magic."""
    for index, cell in _code(notebook):
        magic = re.search(
            r"^\s*(%|!)\s*(\S*python\S*\s+-m\s+|\{sys\.executable\}\s+-m\s+)?(pip|conda|uv)\b",
            cell.source,
            re.M,
        )
        call = re.search(r"""["']pip["']|\bpip install\b""", cell.source) and "setup" not in tags(
            cell
        )
        if magic or call:
            yield Finding(index, "install in the set-up cell only, as the template does")


def compared(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Half of the cells that print text or a table are tagged `nbval-check-output`.

    No tagged cell prints nothing.
    """
    printing = [i for i, cell in _code(notebook) if _prints(cell) and "picture" not in tags(cell)]
    # of those that ran
    tagged = [i for i, cell in _code(notebook) if COMPARED in tags(cell) and cell.execution_count]
    for index in tagged:
        if index not in printing:
            yield Finding(index, f"this cell prints nothing: drop its tag {COMPARED}")
    found = len(set(tagged) & set(printing))
    if 2 * found < len(printing) and path.stem not in TOO_FEW_COMPARED:
        yield Finding(
            None,
            f"{found} of {len(printing)} cells that print are compared in a test run: print what "
            "no machine changes (counts, shapes, names, splits) in cells of their own, tagged "
            f"{COMPARED}, until these are half of them",
        )


def _prints(cell: NotebookNode) -> bool:
    """Tell whether a cell's output holds text or a table, and not only figures."""
    for output in cell.outputs:
        said = output.get("data", {}).get("text/plain")
        if output.get("text", "").strip() or (said and not is_picture(output)):
            return True
    return False


def unique_ids(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """Each cell has an id of its own."""
    seen: Counter[str] = Counter()
    for index, cell in enumerate(notebook.cells):
        identifier = cell.get("id", "")
        seen[identifier] += 1
        if not identifier or seen[identifier] > 1:
            yield Finding(
                index,
                f"rebuild with `make notebooks`: the id {identifier!r} is missing or used twice",
            )


def size(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """The file has at most 1 MB."""
    if path.stat().st_size > MAX_BYTES:
        yield Finding(
            None,
            f"show fewer or smaller figures: {path.stat().st_size / 1e6:.1f} MB, over "
            f"{MAX_BYTES / 1e6:.0f}",
        )


def bare(notebook: NotebookNode, path: Path) -> Iterator[Finding]:
    """A student's copy holds no output and no execution count."""
    for index, cell in _code(notebook):
        if cell.outputs or cell.execution_count is not None:
            yield Finding(
                index,
                "a student's copy has no outputs: rebuild it with `python -m tools.build --force`",
            )


RULES = [
    cell_length,
    line_length,
    no_jet,
    alt_text,
    phantoms_only,
    machine_paths,
    no_errors,
    no_pip,
    compared,
    unique_ids,
    size,
]
