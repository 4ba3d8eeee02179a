"""The package stands in one numbered order and stays light to import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import cxr_helpers

PACKAGE = Path(cxr_helpers.__file__).parent
ORDER = [
    *("stats", "measured", "images", "manifest", "predictions", "fetch", "phantom", "_catalogue", "datasets"),
    *("duplicates", "split", "evaluate", "calibrate", "preprocess", "pipeline", "models", "train", "transfer"),
    *("baselines", "audit", "explain", "uncertainty", "deploy"),
]
MODULES = sorted(p.relative_to(PACKAGE) for p in PACKAGE.rglob("*.py") if p.name != "__init__.py")


def imported(path: Path) -> set[str]:
    """Names of the package's modules that a file imports from its own package."""
    names = set()
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == len(path.parts):
            names |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cxr_helpers"):
            pytest.fail(f"{path}: import from the package relatively")
    return names - {"_progress", "_quiet"}


def owner(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_imports_only_modules_before_it(path):
    module = owner(path)
    if module in ("cli", "_score", "_progress", "_quiet"):
        return
    if module == "checks":
        assert not imported(path) - {"checks", *ORDER}, "checks read the numbered modules and no other"
        return
    if module == "guess":
        assert not imported(path) - {"guess", "plots", *ORDER}, "guess reads the numbered modules and plots"
        return
    if module == "plots":
        assert not imported(path) - {"plots"}, "plots imports no other module"
        return
    later = [name for name in imported(path) - {module} if ORDER.index(name) >= ORDER.index(module)]
    assert not later, f"{path} imports {later}, which come after it"


@pytest.mark.parametrize("path", [p for p in MODULES if owner(p) == "checks"], ids=str)
def test_a_lesson_of_questions_reads_no_other_lesson_and_is_read_by_none(path):
    tree = ast.walk(ast.parse((PACKAGE / path).read_text()))
    inside = [node for node in tree if isinstance(node, ast.ImportFrom) and node.level == 1]
    names = {name for node in inside for name in (node.module or "", *(alias.name for alias in node.names))}
    assert not [name for name in names if name.startswith("lesson")]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_tensorflow_is_imported_inside_functions_only(path):
    for node in ast.parse((PACKAGE / path).read_text()).body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [n for n in names if n.split(".")[0] in ("tensorflow", "keras", "seaborn", "skimage")]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_public_functions_say_what_they_do(path):
    if path.name.startswith("_"):
        return
    tree = ast.parse((PACKAGE / path).read_text())
    assert ast.get_docstring(tree), f"{path} has no docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            if path.name.startswith("lesson") and node.decorator_list:
                continue  # a misconception: the message in its decorator says what it does
            assert ast.get_docstring(node), f"{path}: {node.name} has no docstring"


def test_importing_the_package_is_fast_and_loads_nothing_heavy():
    code = (
        "import sys, time; t = time.perf_counter(); import cxr_helpers; s = time.perf_counter() - t;"
        "heavy = {'tensorflow', 'keras', 'pandas', 'numpy', 'matplotlib', 'sklearn'} & set(sys.modules);"
        "assert not heavy, heavy; print(s)"
    )
    run = lambda: float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)  # noqa: E731
    assert min(run() for _ in range(3)) < 0.3


def test_every_module_is_reached_from_the_package():
    for name in cxr_helpers._MODULES:
        assert getattr(cxr_helpers, name).__name__ == f"cxr_helpers.{name}"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cxr_helpers.nothing
