"""Counts of a notebook: a guide for authors, not a gate."""

import re
from pathlib import Path
from statistics import median, quantiles

import nbformat

from tools.common import read_notebook

COLUMNS = ("notebook", "cells", "code cells", "code lines", "median", "90 %", "words", "words/line")


def code_lines(source: str) -> int:
    """Return the number of lines that are neither empty nor a comment only."""
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") for line in source.splitlines()
    )


def words(source: str) -> int:
    """Return the number of words of a Markdown text; addresses and HTML are left out.

    So is the alt text of an image: it is read in place of the picture, not besides.
    """
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)|<[^>]+>|\]\([^)]*\)|https?://\S+", " ", source)
    return len(re.findall(r"\w[\w'’-]*", text))


def stats(notebook: nbformat.NotebookNode) -> tuple:
    """Return the counts in the order of COLUMNS, without the name."""
    lines = [code_lines(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    prose = sum(words(cell.source) for cell in notebook.cells if cell.cell_type == "markdown")
    most = quantiles(lines, n=10, method="inclusive")[-1] if len(lines) > 1 else sum(lines)
    ratio = prose / sum(lines) if sum(lines) else 0.0
    middle = median(lines) if lines else 0
    return (
        len(notebook.cells),
        len(lines),
        sum(lines),
        f"{middle:g}",
        f"{most:.0f}",
        prose,
        f"{ratio:.1f}",
    )


def stats_table(paths: list[Path]) -> str:
    """Return the counts of several notebooks as a text table."""
    rows = [COLUMNS, *((path.stem, *stats(read_notebook(path))) for path in paths)]
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            str(v).ljust(w) if i == 0 else str(v).rjust(w)
            for i, (v, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )
