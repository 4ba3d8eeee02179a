"""Verdicts in the sources of lessons and cases: where they stand, and a run that records them.

    python -m tools.rules.verdicts SOURCE RESULT.json

A *verdict* is a sentence that says more, less, not shown or the best. The comparison behind it
stands after it in the source, in a cell that never reaches the notebook, as a comment, so that the
source runs as a script without it:

    # %% tags=["author", "verdict"]
    # verdict("04.by-patient-is-lower", auc_by_patient < auc_by_image - 0.1)

A cell tagged `picture` only shows what the lesson has computed, a slider: one call of `plots`. No
result can depend on it, so it is left out of the hash that says whether a source's code changed.
So is what shows how far a run is: `bar(..., desc=...)` around what a loop goes through, and Keras'
lines in full mode. So are words for the reader: docstrings, what is printed, titles, and the
answers to what a reader believed.

A name begins with the notebook's number or, in a case study, with `case_` and its letter. The
expression is True where the sentence holds.
"""

import argparse
import ast
import hashlib
import json
import re
import sys
import time
import types
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.common import ROOT, ToolError, pairs, relative, write_atomic

HEADER = re.compile(r"# %%")
TAGGED = re.compile(r'# %%(?! \[markdown\]).*\btags=\[[^\]]*"verdict"')
PICTURE = re.compile(r'# %%(?! \[markdown\]).*\btags=\[[^\]]*"picture"')
LIKE_A_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
# What only shows how far a run is: the bar around what a loop goes through, and Keras' lines.
BAR = re.compile(r'\bbar\((.+), desc=(?:"[^"]*"|\w+)\)')
BAR_ALONE = re.compile(r"\bbar\((\w+(?:\(\w*\))?)\)")
VERBOSE = re.compile(r"\bverbose=VERBOSE\b")
ONLY_SHOWS = re.compile(r'VERBOSE = 0 if MODE == "class" else 2(?:  #|$)')
IMPORT = re.compile(r"^from cxr_helpers import bar, ")
WORDS = ("title", "suptitle", "xlabel", "ylabel", "what", "beliefs")  # arguments for the reader
WITHOUT_EFFECT = ("plots", "checks")  # modules of the package that no figure comes from
HARMLESS = (ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.Slice, ast.Tuple, ast.List)
HARMLESS += (ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop, ast.expr_context)


@dataclass(frozen=True)
class Verdict:
    """A comparison in a source: its name, its expression as text, and its line."""

    name: str
    expression: str
    line: int


def activated(text: str) -> str:
    """Return a source's text with the comments of its verdict cells as code, line for line."""
    lines, inside = [], False
    for line in text.splitlines():
        if HEADER.match(line):
            inside = bool(TAGGED.match(line))
        lines.append(re.sub(r"^# ?", "", line) if inside and not HEADER.match(line) else line)
    return "\n".join(lines) + "\n"


def code_digest(source: Path) -> str:
    """Return a hash of a source's code and verdicts, without words and what only shows."""
    lines = activated(source.read_text("utf-8")).splitlines()
    inside = dict(pictures(lines))
    code = [
        without_progress(line.rstrip())
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.lstrip().startswith("#") and number not in inside
    ]
    tree = _WithoutWords().visit(ast.parse("\n".join(code)))
    return hashlib.sha256(_written(tree).encode()).hexdigest()[:12]


def _written(node: object) -> str:
    """Write a tree so that it is the same in every Python: what is empty is left out.

    `ast.dump` is not: 3.12 has fields that 3.11 lacks, and 3.13 leaves empty ones out.
    """
    if isinstance(node, ast.AST):
        fields = [f"{k}={_written(v)}" for k, v in ast.iter_fields(node) if v not in (None, [])]
        return f"{type(node).__name__}({', '.join(fields)})"
    if isinstance(node, list):
        return f"[{', '.join(_written(item) for item in node)}]"
    return repr(node)


class _WithoutWords(ast.NodeTransformer):
    """Blank words for the reader: no result depends on them. What is computed in them stays."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        if ast.get_docstring(node, clean=False):
            self._blank(node.body[0])
        self.generic_visit(node)
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if getattr(node.func, "id", "") == "print":
            for argument in node.args:
                self._blank(argument)
        for keyword in node.keywords:
            # a lesson's own function may do anything with its words
            if keyword.arg in WORDS and isinstance(node.func, ast.Attribute):
                self._blank(keyword.value)
        self.generic_visit(node)
        return node

    def _blank(self, node: ast.AST) -> None:
        """Blank the texts in an expression but those that a call or an index inside it needs."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
        elif not isinstance(node, ast.Call | ast.Subscript | ast.Compare):
            for child in ast.iter_child_nodes(node):
                self._blank(child)


def without_progress(line: str) -> str:
    """Return a line of code without what only shows how far a run is."""
    if ONLY_SHOWS.match(line):
        return ""
    line = BAR_ALONE.sub(r"\1", BAR.sub(r"\1", line))
    line = IMPORT.sub("from cxr_helpers import ", line)
    return VERBOSE.sub("verbose=0", line)


def pictures(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Yield each line's number inside a cell tagged `picture`, with that of the cell's header."""
    header = 0
    for number, line in enumerate(lines, 1):
        if HEADER.match(line):
            header = number if PICTURE.match(line) else 0
        elif header:
            yield number, header


def only_shows(code: str) -> bool:
    """Tell whether code is one call of `plots` that computes, keeps and writes nothing: its
    arguments are names, numbers, texts, and parts of what the names stand for.
    """
    try:
        body = ast.parse(code).body
    except SyntaxError:
        return False
    if (
        len(body) != 1
        or not isinstance(body[0], ast.Expr)
        or not isinstance(body[0].value, ast.Call)
    ):
        return False
    call = body[0].value
    own = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    inner = [node for argument in arguments for node in ast.walk(argument)]
    return own and call.func.value.id == "plots" and all(isinstance(n, HARMLESS) for n in inner)


def module_digest(path: Path) -> str:
    """Return a hash of a module's code without comments and docstrings, or of a folder's tables."""
    if path.is_dir():
        content = b"".join(
            file.name.encode() + file.read_bytes() for file in sorted(path.glob("*.csv"))
        )
        return hashlib.sha256(content).hexdigest()[:12]
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body[0].value.value = ""
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:12]


def prefix(source: Path) -> str:
    """Return what the names of a source's verdicts begin with: `07` or `case_a`."""
    start = source.stem.partition("_")[0]
    return start if start.isdigit() else f"case_{start}"


def _calls(text: str) -> tuple[ast.Module, list[ast.Call]]:
    """Return a source's tree and, in order, the calls of `verdict` in its verdict cells."""
    tree, inside = ast.parse(activated(text)), set()
    tagged = False
    for number, line in enumerate(text.splitlines(), 1):
        tagged = bool(TAGGED.match(line)) if HEADER.match(line) else tagged
        inside |= {number} if tagged else set()
    named = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "verdict"
    ]
    return tree, sorted(
        (call for call in named if call.lineno in inside), key=lambda call: call.lineno
    )


def _named(call: ast.Call) -> bool:
    first = call.args[0] if call.args else None
    return isinstance(first, ast.Constant) and isinstance(first.value, str) and len(call.args) == 2


def read(source: Path, root: Path = ROOT) -> list[Verdict]:
    """Return a source's verdicts, in order.

    Raises ToolError, with the line, where a verdict cell holds no code or something else than a
    name and an expression.
    """
    text = source.read_text("utf-8")
    try:
        _, calls = _calls(text)
    except SyntaxError as error:
        raise ToolError(
            f"{relative(source, root)}, line {error.lineno}: no Python: {error.text}"
        ) from error
    found = []
    for call in calls:
        if not _named(call):
            raise ToolError(
                f'{relative(source, root)}, line {call.lineno}: write verdict("name", expression)'
            )
        found.append(Verdict(call.args[0].value, ast.unparse(call.args[1]), call.lineno))
    return found


def every(root: Path = ROOT) -> dict[Path, list[Verdict]]:
    """Return the verdicts of every source, also of those without."""
    return {pair.source: read(pair.source, root) for pair in pairs(root)}


def faults(root: Path = ROOT) -> list[str]:
    """Return one line per verdict that is named or written in another way than this module says."""
    found: list[str] = []
    seen: Counter[str] = Counter()
    for pair in pairs(root):
        place = relative(pair.source, root)
        lines = pair.source.read_text("utf-8").splitlines()
        try:
            verdicts = read(pair.source, root)
        except ToolError as error:
            found.append(str(error))
            continue
        for verdict in verdicts:
            where = f"{place}, line {verdict.line}"
            seen[verdict.name] += 1
            start, _, name = verdict.name.partition(".")
            if seen[verdict.name] > 1:
                found.append(f"{where}: a second verdict is called {verdict.name!r}")
            if start != prefix(pair.source) or not LIKE_A_NAME.fullmatch(name):
                found.append(
                    f"{where}: call it '{prefix(pair.source)}.lower-case-words', not "
                    f"{verdict.name!r}"
                )
            if not any(
                isinstance(node, ast.Name) for node in ast.walk(ast.parse(verdict.expression))
            ):
                found.append(f"{where}: the expression is the same whatever the lesson finds")
            if not lines[verdict.line - 1].startswith("#"):
                found.append(f"{where}: write it as a comment: the source runs as a script")
        cells_of_pictures = defaultdict(list)
        for number, header in pictures(lines):
            cells_of_pictures[header].append(lines[number - 1])
        for header, cell in cells_of_pictures.items():
            if not only_shows("\n".join(cell)):
                found.append(
                    f"{place}, line {header}: a cell tagged picture is one call, plots.name(...), "
                    "on names and parts of them: no other call, no assignment"
                )
        cells = sum(bool(TAGGED.match(line)) for line in lines)
        if cells > len(verdicts):
            found.append(f"{place}: {cells} cells are tagged verdict, and {len(verdicts)} hold one")
    return found


class _Watched(ast.NodeTransformer):
    """Hand each side of a comparison inside a verdict to `_seen`, with its text."""

    def visit_Compare(self, node: ast.Compare) -> ast.Compare:
        texts = [ast.unparse(side) for side in (node.left, *node.comparators)]
        self.generic_visit(node)
        sides = [
            self._watched(*pair) for pair in zip((node.left, *node.comparators), texts, strict=True)
        ]
        node.left, *node.comparators = sides
        return node

    def _watched(self, side: ast.expr, text: str) -> ast.expr:
        if not any(isinstance(node, ast.Name) for node in ast.walk(side)):  # a number
            return side
        call = ast.Call(ast.Name("_seen", ast.Load()), [ast.Constant(text), side], [])
        return ast.copy_location(call, side)


def run(source: Path) -> dict:
    """Run a source as a script here; return its verdicts and the package's modules it imported.

    Returns {"verdicts": {name: {"holds": bool, "sides": {text: figure}}}, "modules": {path: hash},
    "seconds": float}.
    """
    import numpy as np

    begin = time.perf_counter()
    tree, calls = _calls(source.read_text("utf-8"))
    for call in calls:
        call.func.id = "_verdict"  # a lesson may call something else a verdict
        call.args[1] = _Watched().visit(call.args[1])
    code = compile(ast.fix_missing_locations(tree), str(source), "exec")
    sides: dict[str, str] = {}
    found: dict[str, dict] = {}

    def seen(text, value):
        if isinstance(value, bool | np.bool_ | int | float | np.number | str):
            sides[text] = f"{value:.4g}" if isinstance(value, float | np.floating) else f"{value}"
        return value

    def verdict(name, holds):
        if not isinstance(holds, bool | np.bool_):
            raise TypeError(f"verdict {name!r} is {holds!r}: neither True nor False")
        found[name] = {"holds": bool(holds), "sides": dict(sides)}
        sides.clear()

    module = types.ModuleType("__main__")
    vars(module).update(__file__=str(source), _verdict=verdict, _seen=seen)
    sys.modules["__main__"] = module
    exec(code, vars(module))
    seconds = round(time.perf_counter() - begin, 1)
    return {"verdicts": found, "modules": _imported(), "seconds": seconds}


def _imported() -> dict[str, str]:
    """Return the package's modules that were imported, with their hashes."""
    paths = []
    for name, module in sorted(sys.modules.items()):
        parts = name.split(".")
        if (
            parts[0] != "cxr_helpers"
            or (len(parts) > 1 and parts[1] in WITHOUT_EFFECT)
            or not module.__file__
        ):
            continue
        paths.append(Path(module.__file__))
        if name == "cxr_helpers.measured":
            paths.append(paths[-1].parent)
    return {relative(path): module_digest(path) for path in paths}


def main(arguments: list[str] | None = None) -> None:
    """Run one source and write its verdicts."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.rules.verdicts", description=__doc__.splitlines()[0]
    )
    parser.add_argument("source", type=Path)
    parser.add_argument("result", type=Path)
    options = parser.parse_args(arguments)
    write_atomic(options.result, json.dumps(run(options.source.resolve())))


if __name__ == "__main__":
    main()
