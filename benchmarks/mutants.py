"""How many seeded faults do the fast tests catch? Each fault is one changed expression: a mutant.

    python -m benchmarks.mutants  # both draws, 200 mutants each: some 40 minutes on two cores
    python -m benchmarks.mutants --draw 1 --survivors  # only what survived last time

A mutant changes one place in one module: a comparison, + or -, * or /, `and` or `or`, a condition,
a number, True or False, an axis, min or max. Docstrings, annotations and text stay as they are. It
is *caught* if a fast test fails or hangs, of the test files that try the changed module out
(`TESTS`). Draw 1 is what the tests were strengthened against; draw 2 holds none of its mutants, and
was run before any test was written for them: to measure again, give it another seed. What no test
can tell from the original stands, with the reason, in benchmarks/mutants_equivalent.csv and is left
out of the share, at most a tenth of a draw; the summary gives the share with it, too. The table is
benchmarks/mutants.csv. Linux only: each run is forked from a process that has imported the
libraries.
"""

import argparse
import ast
import datetime
import importlib
import multiprocessing
import os
import re
import shutil
import signal
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tools.marking.cage import die_with_parent

HERE = Path(__file__).parent
ROOT = HERE.parent
TABLE, EQUIVALENT = HERE / "mutants.csv", HERE / "mutants_equivalent.csv"
TESTS = {  # of each module or folder: the test files that import it to try it out
    "split": ("split",),
    "duplicates": ("duplicates",),
    "stats": ("stats", "evaluate", "calibrate"),
    "predictions": ("predictions", "evaluate", "stats"),
    "evaluate": ("evaluate", "stats", "score"),
    "calibrate": ("calibrate",),
    "audit": ("audit", "duplicates"),
}
COPIED = ("cxr_helpers", "tests", "tools", "benchmarks", "pyproject.toml")
WARM = (
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.sparse.csgraph",
    "scipy.stats",
    "sklearn.calibration",
)
WARM += (
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.model_selection",
    "PIL.Image",
    "pydicom",
    "skimage",
)
SEEDS = {1: 71, 2: 72}
DRAWN = 200
FORK = multiprocessing.get_context("fork")

COMPARED = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">")}
COMPARED |= {ast.Eq: ("==", "!="), ast.NotEq: ("!=", "==")}
COMPUTED = {ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*")}
JOINED = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
EXTREMES = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum"}
TEXT = (ast.JoinedStr, ast.List, ast.ListComp)  # "+" joins them, and "-" fails at once


@dataclass(frozen=True)
class Mutant:
    """One changed place: `after` stands where the bytes `start` to `end` of the module were."""

    module: str
    start: int
    end: int
    kind: str
    after: str


class Places(ast.NodeVisitor):
    """All mutants of one module."""

    def __init__(self, module: str, source: bytes):
        self.module, self.source = module, source
        lengths = [len(line) for line in source.splitlines(keepends=True)]
        self.line_starts = np.r_[0, np.cumsum(lengths)]
        self.found: list[Mutant] = []

    def span(self, node: ast.AST) -> tuple[int, int]:
        """First and last byte of a node."""
        start = self.line_starts[node.lineno - 1] + node.col_offset
        return int(start), int(self.line_starts[node.end_lineno - 1] + node.end_col_offset)

    def text(self, start: int, end: int) -> str:
        return self.source[start:end].decode()

    def add(self, kind: str, start: int, end: int, after: str) -> None:
        self.found.append(Mutant(self.module, start, end, kind, after))

    def between(self, kind: str, left: ast.AST, right: ast.AST, old: str, new: str) -> None:
        """Change the operator between two operands."""
        start, end = self.span(left)[1], self.span(right)[0]
        gap = self.text(start, end)
        assert gap.count(old) == 1, f"{self.module}: {gap!r}"
        self.add(kind, start, end, gap.replace(old, new))

    def negate(self, node: ast.AST) -> None:
        if isinstance(node, ast.Compare) and [type(kind) for kind in node.ops] in (
            [ast.Eq],
            [ast.NotEq],
        ):
            return  # the comparison is changed already
        start, end = self.span(node)
        self.add("negation", start, end, f"not ({self.text(start, end)})")

    def visit_Compare(self, node: ast.Compare) -> None:
        for left, kind, right in zip(
            [node.left, *node.comparators], node.ops, node.comparators, strict=False
        ):
            if type(kind) in COMPARED:
                self.between("comparison", left, right, *COMPARED[type(kind)])
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in COMPUTED and not any(is_text(side) for side in (node.left, node.right)):
            self.between("arithmetic", node.left, node.right, *COMPUTED[type(node.op)])
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if type(node.op) in COMPUTED and not is_text(node.value):
            self.between("arithmetic", node.target, node.value, *COMPUTED[type(node.op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        start, end = self.span(node)
        pieces, place = [], start
        for left, right in zip(node.values, node.values[1:], strict=False):
            gap = self.span(left)[1], self.span(right)[0]
            pieces += [self.text(place, gap[0]), self.text(*gap).replace(*JOINED[type(node.op)])]
            place = gap[1]
        self.add("and / or", start, end, "(" + "".join(pieces) + self.text(place, end) + ")")
        self.generic_visit(node)

    def visit_If(self, node: ast.If | ast.While | ast.IfExp) -> None:
        self.negate(node.test)
        self.generic_visit(node)

    visit_While = visit_IfExp = visit_If

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self.negate(test)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if type(node.value) in CHANGED:
            kind, change = CHANGED[type(node.value)]
            self.add(kind, *self.span(node), repr(change(node.value)))

    def visit_keyword(self, node: ast.keyword) -> None:
        if (
            node.arg == "axis"
            and isinstance(node.value, ast.Constant)
            and node.value.value in (0, 1)
        ):
            self.add("axis", *self.span(node.value), repr(1 - node.value.value))
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in EXTREMES:
            end = self.span(function)[1]
            self.add("min / max", end - len(name), end, EXTREMES[name])
        if name == "warn":  # the message stays as it is, where it points to does not
            node = ast.Call(function, [], node.keywords)
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Text is not changed; Python 3.11 does not know the places inside it."""

    def visit_Raise(self, node: ast.Raise) -> None:
        """What an error says is not changed."""

    def visit_arg(self, node: ast.arg) -> None:
        """Nor are annotations."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for part in (*node.decorator_list, node.args, *node.body):
            self.visit(part)


CHANGED = {
    int: ("number", lambda n: n + 1),
    float: ("number", lambda x: float(f"{x * 1.1:.6g}") if x else 1.0),
    bool: ("True / False", lambda b: not b),
}


def is_text(node: ast.AST) -> bool:
    return isinstance(node, TEXT) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def modules() -> list[str]:
    """Paths of the modules, below the repository's folder."""
    package = ROOT / "cxr_helpers"
    files = [
        path
        for area in TESTS
        for path in (package / f"{area}.py", *sorted((package / area).glob("*.py")))
    ]
    return [str(path.relative_to(ROOT)) for path in files if path.is_file()]


def every_mutant() -> list[Mutant]:
    """All mutants, in the order of the modules and of their places."""
    found = []
    for module in modules():
        source = (ROOT / module).read_bytes()
        places = Places(module, source)
        places.visit(ast.parse(source))
        mutants = sorted(places.found, key=lambda mutant: (mutant.start, mutant.end, mutant.kind))
        for mutant in mutants:
            ast.parse(changed(source, mutant))
        found += mutants
    return found


def changed(source: bytes, mutant: Mutant) -> bytes:
    return source[: mutant.start] + mutant.after.encode() + source[mutant.end :]


def draws(mutants: list[Mutant]) -> dict[int, list[Mutant]]:
    """Two draws without a common mutant."""
    left, found = list(mutants), {}
    for draw, seed in SEEDS.items():
        chosen = sorted(np.random.default_rng(seed).permutation(len(left))[:DRAWN].tolist())
        found[draw] = [left[number] for number in chosen]
        left = [mutant for number, mutant in enumerate(left) if number not in set(chosen)]
    return found


def described(mutant: Mutant) -> dict[str, str | int]:
    """Row of the table: line, kind, and the changed lines before and after."""
    source = (ROOT / mutant.module).read_bytes()
    first, last = source.rfind(b"\n", 0, mutant.start) + 1, source.find(b"\n", mutant.end)
    after = changed(source, mutant)
    lines = [source[first:last], after[first : last + len(after) - len(source)]]
    before, after = (re.sub(r"\s+", " ", line.decode()).strip() for line in lines)
    line = source.count(b"\n", 0, mutant.start) + 1
    return {
        "module": mutant.module,
        "line": line,
        "kind": mutant.kind,
        "before": before,
        "after": after,
    }


def tests_of(module: str) -> list[str]:
    """Test files of a module, with the table of defaults."""
    area = Path(module).parts[1].removesuffix(".py")
    names = [f"tests/unit/test_{name}.py" for name in (*TESTS[area], "defaults")]
    return [name for name in names if (ROOT / name).exists()]


class Report:
    """Plugin of pytest: the quickest tests first; the first that fails, and how long each took."""

    def __init__(self, seconds: dict[str, float]):
        self.expected, self.seconds, self.failed = seconds, {}, ""

    def pytest_collection_modifyitems(self, items: list) -> None:
        items.sort(key=lambda item: self.expected.get(item.nodeid, 0.0))

    def pytest_runtest_logreport(self, report) -> None:
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed and not self.failed:
            self.failed = report.nodeid.removeprefix("tests/unit/")

    def pytest_collectreport(self, report) -> None:
        if report.failed and not self.failed:
            self.failed = f"import of {report.nodeid.removeprefix('tests/unit/')}"


def run(folder: Path, tests: list[str], seconds: dict[str, float], keep: bool, answer) -> None:
    """In a process of its own: the fast tests, in a copy of the repository."""
    die_with_parent()
    os.setsid()
    os.chdir(folder)
    sys.path[:] = [str(folder), *(entry for entry in sys.path if entry not in ("", str(ROOT)))]
    sys.dont_write_bytecode = not keep  # the changed module's must not be found by the next mutant
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    report = Report(seconds)
    options = ["-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no"]
    code = pytest.main([*options, *tests], plugins=[report])
    where = Path(importlib.import_module("cxr_helpers").__file__)
    if folder not in where.parents:
        report.failed = f"ran {where}"
        code = 99
    answer.send((int(code), report.failed, report.seconds))
    os._exit(0)


def tried(
    folder: Path,
    tests: list[str],
    seconds: dict[str, float],
    limit: float | None,
    keep: bool = False,
) -> tuple:
    """(exit code of pytest, first failed test, seconds of each); code -1 at the time limit."""
    receive, send = FORK.Pipe(duplex=False)
    process = FORK.Process(target=run, args=(folder, tests, seconds, keep, send))
    process.start()
    send.close()
    try:
        result = receive.recv() if receive.poll(limit) else (-1, "time limit", {})
    except EOFError:
        result = (-2, "the process died", {})
    if process.is_alive():
        os.killpg(process.pid, signal.SIGKILL)
    process.join()
    return result


def outcome(task: tuple[Mutant, list[str], dict[str, float], str]) -> tuple[str, str]:
    """Whether a mutant is caught, and by which test."""
    mutant, tests, seconds, template = task
    folder = Path(template).with_name(f"worker-{os.getpid()}")
    if not folder.exists():
        shutil.copytree(template, folder)
    place, original = folder / mutant.module, Path(template, mutant.module)
    place.write_bytes(changed(original.read_bytes(), mutant))
    os.utime(place, (mutant.start, mutant.start))  # no compiled module is of that time
    try:
        code, failed, _ = tried(folder, tests, seconds, 60 + 5 * sum(seconds.values()))
    finally:
        shutil.copy2(original, place)
    if code > 2:
        raise RuntimeError(f"{mutant}: pytest ended with {code} {failed}")
    return ("survived", "") if code == 0 else ("caught", failed)


def run_all(mutants: list[Mutant], jobs: int) -> list[tuple[str, str]]:
    """The outcome of each mutant, as many at a time as there are jobs."""
    for name in WARM:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        template = Path(place, "template")
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy2
            template.mkdir(exist_ok=True)
            copy(ROOT / name, template / name)
        tests = {
            module: tests_of(module) for module in sorted({mutant.module for mutant in mutants})
        }
        files = sorted({file for chosen in tests.values() for file in chosen})
        code, failed, seconds = tried(template, files, {}, None, keep=True)
        if code:
            raise SystemExit(f"{failed} fails without any change: mend that first")
        print(
            f"{len(seconds)} tests in {len(files)} files take {sum(seconds.values()):.0f} s",
            flush=True,
        )
        of_module = {
            module: {
                test: time for test, time in seconds.items() if test.partition("::")[0] in chosen
            }
            for module, chosen in tests.items()
        }
        tasks = [
            (mutant, tests[mutant.module], of_module[mutant.module], str(template))
            for mutant in mutants
        ]
        found = []
        with ProcessPoolExecutor(jobs, mp_context=FORK) as pool:
            for mutant, result in zip(mutants, pool.map(outcome, tasks), strict=True):
                row = described(mutant)
                print(
                    f"{len(found) + 1:3} {row['module']}:{row['line']} {result[0]} {row['after']}",
                    flush=True,
                )
                found.append(result)
        return found


def equivalents() -> set[tuple[str, str, str]]:
    """Module, line before and after of the mutants that no test can tell from the original."""
    if not EQUIVALENT.exists():
        return set()
    table = pd.read_csv(EQUIVALENT, keep_default_na=False)
    return set(table[["module", "before", "after"]].itertuples(index=False, name=None))


def summary(table: pd.DataFrame) -> str:
    """One line for each draw."""
    lines = []
    for draw, rows in table.groupby("draw"):
        counted = rows[rows["outcome"] != "equivalent"]
        caught = int((counted["outcome"] == "caught").sum())
        left_out = len(rows) - len(counted)
        lines.append(
            f"draw {draw}: caught {caught} of {len(counted)} ({100 * caught / len(counted):.1f} "
            f"%); {left_out} of the {len(rows)} are left out, with which it is "
            f"{100 * caught / len(rows):.1f} %"
        )
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--draw", type=int, choices=SEEDS, help="only this draw (default: both)")
    arguments.add_argument("--survivors", action="store_true", help="only what survived last time")
    arguments.add_argument("--jobs", type=int, default=2)
    options = arguments.parse_args()
    every = every_mutant()
    print(f"{len(every)} mutants of {len(modules())} modules", flush=True)
    before = (
        pd.read_csv(TABLE, keep_default_na=False) if TABLE.exists() else pd.DataFrame({"draw": []})
    )
    same = equivalents()
    tables = []
    for draw, drawn in draws(every).items():
        rows = before[before["draw"] == draw]
        if options.draw in (None, draw):
            table = pd.DataFrame([{"draw": draw, **described(mutant)} for mutant in drawn])
            again = np.ones(len(drawn), bool)
            if options.survivors:
                known = rows.set_index(["module", "line", "before", "after"])[["outcome", "by"]]
                table = table.join(known, on=["module", "line", "before", "after"])
                again = (table["outcome"] != "caught").to_numpy()
            else:
                table["outcome"] = table["by"] = ""
            results = run_all(
                [mutant for mutant, run_it in zip(drawn, again, strict=True) if run_it],
                options.jobs,
            )
            table.loc[again, ["outcome", "by"]] = results
            rows = table
        tables.append(rows)
    table = pd.concat([rows for rows in tables if len(rows)], ignore_index=True)
    listed = np.array(
        [
            key in same
            for key in table[["module", "before", "after"]].itertuples(index=False, name=None)
        ]
    )
    table.loc[listed & (table["outcome"] == "survived"), "outcome"] = "equivalent"
    today, command = datetime.date.today().isoformat(), "python -m benchmarks.mutants"
    table.assign(date=today, command=command).to_csv(TABLE, index=False)
    print(summary(table))


if __name__ == "__main__":
    main()
