"""Check the notebooks against the rules of a lesson.

`--rules` lists them, `--stats` counts cells and lines.
"""

import argparse
import sys
from pathlib import Path

from tools.common import (
    ROOT,
    ToolError,
    chosen,
    is_students,
    read_notebook,
    relative,
    students_copy,
)
from tools.rules import lint_content, lint_form, lint_hands
from tools.rules.stats import stats_table

RULES = [*lint_form.RULES, *lint_content.RULES, *lint_hands.RULES]
# Of a student's copy: its cells are those of the executed one.
OF_STUDENTS = [lint_form.colab, lint_content.bare, lint_content.machine_paths]


def lint(path: Path, rules: list | None = None) -> list[str]:
    """Return one line per finding in a notebook: rule, cell and what to do."""
    notebook = read_notebook(path)
    lines = []
    for rule in rules or (OF_STUDENTS if is_students(path) else RULES):
        for finding in rule(notebook, path):
            cell = f"cell {finding.cell + 1}: " if finding.cell is not None else ""
            lines.append(f"[{rule.__name__.replace('_', '-')}] {cell}{finding.remedy}")
    return lines


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Lint; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.rules.lint", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="paths, or starts of names such as 04; all if none"
    )
    parser.add_argument("--rules", action="store_true", help="list the rules and end")
    parser.add_argument("--stats", action="store_true", help="print counts as well")
    options = parser.parse_args(arguments)
    if options.rules:
        for rule in dict.fromkeys([*RULES, *OF_STUDENTS]):
            print(f"{rule.__name__.replace('_', '-')}: {rule.__doc__}")
        return 0
    try:
        paths = chosen(options.names, root)
        paths += [
            copy
            for path in paths
            if not is_students(path) and (copy := students_copy(path)).is_file()
        ]
        found = {path: lint(path) for path in paths}
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    for path, lines in found.items():
        for line in lines:
            print(f"{relative(path, root)}: {line}")
    if options.stats and paths:
        print(stats_table([path for path in paths if not is_students(path)]))
    together = (
        []
        if options.names
        else list(lint_hands.course([path for path in paths if not is_students(path)]))
    )
    for line in together:
        print(f"[course] {line}")
    count = sum(map(len, found.values())) + len(together)
    print(f"{len(paths)} notebooks, {count} findings")
    return int(bool(count))


if __name__ == "__main__":
    sys.exit(main())
