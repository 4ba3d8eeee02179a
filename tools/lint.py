"""Check the notebooks against the rules of a lesson; `--rules` lists them, `--stats` counts cells and lines."""

import argparse
import sys
from pathlib import Path

from tools import lint_content, lint_form
from tools.common import ROOT, ToolError, chosen, read_notebook, relative
from tools.stats import stats_table

RULES = [*lint_form.RULES, *lint_content.RULES]


def lint(path: Path, rules: list | None = None) -> list[str]:
    """Return one line per finding in a notebook: rule, cell and what to do."""
    notebook = read_notebook(path)
    lines = []
    for rule in rules or RULES:
        for finding in rule(notebook, path):
            cell = f"cell {finding.cell + 1}: " if finding.cell is not None else ""
            lines.append(f"[{rule.__name__.replace('_', '-')}] {cell}{finding.remedy}")
    return lines


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Lint; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.lint", description=__doc__)
    parser.add_argument("names", nargs="*", help="paths, or starts of names such as 04; all if none")
    parser.add_argument("--rules", action="store_true", help="list the rules and end")
    parser.add_argument("--stats", action="store_true", help="print counts as well")
    options = parser.parse_args(arguments)
    if options.rules:
        for rule in RULES:
            print(f"{rule.__name__.replace('_', '-')}: {rule.__doc__}")
        return 0
    try:
        paths = chosen(options.names, root)
        found = {path: lint(path) for path in paths}
    except ToolError as error:
        print(error, file=sys.stderr)
        return 2
    for path, lines in found.items():
        for line in lines:
            print(f"{relative(path, root)}: {line}")
    if options.stats and paths:
        print(stats_table(paths))
    count = sum(map(len, found.values()))
    print(f"{len(paths)} notebooks, {count} findings")
    return int(bool(count))


if __name__ == "__main__":
    sys.exit(main())
