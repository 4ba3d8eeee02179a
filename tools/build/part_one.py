"""Run a case study's source up to a heading, as it stands there, and return what it left.

The benchmarks run the recipe of a notebook at its full size this way, and the tests read its
settings back.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.common import ToolError

GIVEN = "__overrides__"
AUTHORS = {"author", "verdict"}  # tags of cells that never reach the notebook


def run(source: Path, until: str = "Part two", overrides: Mapping | None = None) -> dict:
    """Execute the code cells of `source` up to the heading that begins with `until`; return names.

    `overrides`: names that keep the given values, whatever a cell assigns: in place of a number at
    once, in place of anything else from the next cell on. Raises ToolError where there is no such
    heading, or a name of `overrides` is assigned nowhere.
    """
    name, overrides = str(source.resolve()), dict(overrides or {})
    space = {"__name__": "__main__", "__file__": name, GIVEN: overrides}
    for code in cells(source, until):
        tree = ast.parse(code)
        for statement in tree.body:
            number = isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)
            if number and _name(statement) in overrides:
                statement.value = ast.parse(f"{GIVEN}[{_name(statement)!r}]", mode="eval").body
        exec(compile(ast.fix_missing_locations(tree), name, "exec"), space)
        space.update({key: value for key, value in overrides.items() if key in space})
    if missing := sorted(set(overrides) - set(space)):
        raise ToolError(f"{source} assigns no {', '.join(missing)} before {until!r}")
    return space


def _name(statement: ast.Assign) -> str:
    """The name that an assignment sets, where it sets one alone."""
    target = statement.targets[0]
    return target.id if len(statement.targets) == 1 and isinstance(target, ast.Name) else ""


def cells(source: Path, until: str) -> Iterator[str]:
    """Yield the code cells of a source, in order, up to a heading."""
    import jupytext

    for cell in jupytext.reads(source.read_text("utf-8"), fmt="py:percent").cells:
        if cell.cell_type == "markdown" and re.search(
            rf"^#+ {re.escape(until)}\b", cell.source, re.MULTILINE
        ):
            return
        if cell.cell_type == "code" and not AUTHORS & set(cell.metadata.get("tags", [])):
            yield cell.source
    raise ToolError(f"{source} has no heading that begins with {until!r}")
