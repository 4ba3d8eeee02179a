"""Run the code of a case study's source up to a heading, as it stands there, and return what it left.

The benchmarks run the recipe of a notebook at its full size this way, and the tests read its settings back.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.common import ToolError

AUTHORS = {"author", "verdict"}  # tags of cells that never reach the notebook


def run(source: Path, until: str = "Part two", overrides: Mapping | None = None) -> dict:
    """Execute the code cells of `source` up to the heading that begins with `until`; return their names.

    `overrides`: names that keep the given values, whatever a cell assigns; they act from the next cell on. Raises
    ToolError where there is no such heading, or a name of `overrides` is assigned nowhere.
    """
    name, overrides = str(source.resolve()), dict(overrides or {})
    space = {"__name__": "__main__", "__file__": name}
    for code in cells(source, until):
        exec(compile(code, name, "exec"), space)
        space.update({key: value for key, value in overrides.items() if key in space})
    if missing := sorted(set(overrides) - set(space)):
        raise ToolError(f"{source} assigns no {', '.join(missing)} before {until!r}")
    return space


def cells(source: Path, until: str) -> Iterator[str]:
    """Yield the code cells of a source, in order, up to a heading."""
    import jupytext

    for cell in jupytext.reads(source.read_text("utf-8"), fmt="py:percent").cells:
        if cell.cell_type == "markdown" and re.search(rf"^#+ {re.escape(until)}\b", cell.source, re.MULTILINE):
            return
        if cell.cell_type == "code" and not AUTHORS & set(cell.metadata.get("tags", [])):
            yield cell.source
    raise ToolError(f"{source} has no heading that begins with {until!r}")
