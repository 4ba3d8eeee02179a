"""Which public function of the package is first called where: the table of docs/functions.md.

A lesson counts before a case study, and that before an exercise. What none of them calls says who
does: a command, a benchmark, a tool, another room of the package, or its own. `tools.build.results`
writes the table.
"""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import cxr_helpers
from tools.build.navigation import link
from tools.common import ROOT, pairs

PAGE = "docs/functions.md"
PACKAGE = "cxr_helpers"
COMMANDS = ("cli", "scorecard")  # the rooms behind `cxr`
LEFT_OUT = ("bar", "checks", "quiet")  # what exercises are checked with, and no room
LESSON, NOBODY = "a lesson", "no code: a text names it"


def public(module: ModuleType) -> list[str]:
    """Return a module's public names: its `__all__`, or the functions and classes it defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "") == module.__name__
        and callable(value)
    ]


@cache
def functions() -> dict[str, object]:
    """Return the public functions by name, such as "split.folds", by room in the order of rooms."""
    found: dict[str, object] = {}
    for room in (name for name in cxr_helpers.__all__ if name not in LEFT_OUT):
        module = importlib.import_module(f"{PACKAGE}.{room}")
        named = {f"{room}.{name}": getattr(module, name) for name in public(module)}
        found |= {name: value for name, value in named.items() if inspect.isfunction(value)}
    return found


def used(path: Path, root: Path = ROOT) -> set[str]:
    """Return what a file's code uses of the package, such as "split.folds", its own names too."""
    place = path.relative_to(root).with_suffix("").parts
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = dict(_imported(tree, place))
    if place[0] == PACKAGE:
        known |= {n.name: ".".join([*place, n.name]) for n in tree.body if hasattr(n, "name")}

    def full(node: ast.AST) -> str:
        if isinstance(node, ast.Name):
            return known.get(node.id, "")
        if isinstance(node, ast.Attribute) and (inner := full(node.value)):
            return f"{inner}.{node.attr}"
        return ""

    parts = (full(node).split(".") for node in ast.walk(tree))
    return {f"{p[1]}.{p[-1]}" for p in parts if p[0] == PACKAGE and len(p) > 2}


def _imported(tree: ast.AST, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(name in the file, full name) for everything that a file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = [*place[: -node.level]] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from ((a.asname or a.name, ".".join([*base, a.name])) for a in node.names)
        elif isinstance(node, ast.Import):
            yield from ((a.asname or a.name.split(".")[0], a.name) for a in node.names)


def readers(root: Path = ROOT) -> Iterator[tuple[str, Path]]:
    """Yield (kind, file) for all that may call the package, in the order in which they count."""
    for pair in pairs(root):
        yield "a case study" if pair.source.parent.name == "cases" else LESSON, pair.source
    inside = {
        path: path.relative_to(root / PACKAGE).parts[0].removesuffix(".py")
        for path in sorted((root / PACKAGE).rglob("*.py"))
    }
    commands = [path for path, room in inside.items() if room in COMMANDS]
    yield from (("an exercise", path) for path in sorted((root / "exercises/src").glob("*.py")))
    yield from (("a command", path) for path in commands)
    yield from (("a benchmark", path) for path in sorted((root / "benchmarks").glob("*.py")))
    yield from (("a tool", path) for path in sorted((root / "tools").rglob("*.py")))
    yield from (("the package", path) for path in inside if path not in commands)


@cache
def first_uses(root: Path = ROOT) -> dict[str, tuple[str, Path]]:
    """Return {"split.folds": (kind of reader, file)}: where each public function is first called.

    One that two rooms offer counts as one. What its own room alone calls says so; what nobody
    calls is left out.
    """
    values = functions()
    found: dict[int, tuple[str, Path]] = {}
    own: dict[int, tuple[str, Path]] = {}
    for kind, path in readers(root):
        inside = kind == "the package"
        room = path.relative_to(root).parts[1].removesuffix(".py") if inside else ""
        for name in used(path, root) & set(values):
            if inside and name.split(".")[0] == room:
                own.setdefault(id(values[name]), ("its own room", path))
            else:
                found.setdefault(id(values[name]), (kind, path))
    either = own | found
    return {name: either[id(value)] for name, value in values.items() if id(value) in either}


def lesson(name: str, root: Path = ROOT) -> str:
    """Return the two digits of the lesson that first calls a function, "04"; empty if none does."""
    kind, path = first_uses(root).get(name, (NOBODY, root))
    return path.stem[:2] if kind == LESSON else ""


def summary(value: object) -> str:
    """Return the first sentence of a docstring, fit for a cell of a table."""
    first = " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())
    return re.split(r"(?<=\.)\s(?=[A-Z`(])", first)[0].replace("|", "\\|")


def table(root: Path = ROOT) -> str:
    """Return the tables of all rooms as Markdown."""
    page, uses = root / PAGE, first_uses(root)
    shown = {pair.source: link(pair.notebook.stem, pair.notebook, page) for pair in pairs(root)}
    lines: list[str] = []
    room = ""
    for name, value in functions().items():
        if name.split(".")[0] != room:
            room = name.split(".")[0]
            lines += ["", f"## {room}", ""]
            lines += ["| function | what it does | first called by |", "|---|---|---|"]
        kind, path = uses.get(name, (NOBODY, root))
        lines.append(f"| `{name}` | {summary(value)} | {shown.get(path, kind)} |")
    return "\n".join(lines).strip()
