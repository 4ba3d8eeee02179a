"""The package is a row of rooms: each imports only earlier ones, and no room's private names."""

import ast
import functools
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import cxr_helpers
from tools.build import house
from tools.build.house import ORDER

PACKAGE = Path(cxr_helpers.__file__).parent
ROOT = PACKAGE.parent
GROUND = set(house.FLOORS["ground"])
# Whoever has arrays draws; whoever has a table of predictions reads it; phantoms could be published
# alone.
ONLY = {"plots": GROUND, "predictions": GROUND, "phantom": GROUND}
NEVER = {"checks": {"plots", "guess"}}
# Whose private names a test may use, and why the public ones do not do.
INSIDE = {
    # every question's answers, across the border of the process that judges
    "tests/exercises/test_border.py": {"checks"},
    # the process that a check runs in, killed and starved; data that a check draws, many times
    "tests/exercises/test_checks_core.py": {"checks"},
    # each row of a report at its limits: the whole report would grow forests every time
    "tests/unit/test_audit.py": {"audit"},
    # a reader of foreign weights meets files that no maker of weights writes
    "tests/unit/test_backbones.py": {"models"},
    # a model that changes between two openings; answers that fail while a page is shown
    "tests/unit/test_bundle_harms.py": {"deploy"},
    "tests/unit/test_deploy.py": {"deploy"},
    # a regression by hand, also where it has no maximum
    "tests/unit/test_calibrate.py": {"calibrate"},
    # the numbers that measured tables were made with, wherever they stand
    "tests/unit/test_defaults.py": {"evaluate", "stats"},
    # the file of predictions, as an older notebook or another program left it
    "tests/unit/test_guess.py": {"guess"},
    # every pair of levels, of which files would be many gigabytes
    "tests/unit/test_images_scale.py": {"images"},
    # one change of an image at a time, where the public one draws all of them
    "tests/unit/test_pipeline.py": {"pipeline"},
    # an array file that was cut off while it was made
    "tests/unit/test_preprocess.py": {"preprocess"},
    # a limit of memory that is reached with eight images; a table from another process
    "tests/unit/test_road.py": {"images"},
    "tests/unit/test_rows.py": {"rows"},
    # what is said of a split, on shares that no draw gives
    "tests/unit/test_split.py": {"split"},
    # steps of an interval, against other libraries and by hand
    "tests/unit/test_stats.py": {"stats"},
    # rates of learning, step by step; how often features are computed
    "tests/unit/test_train.py": {"train"},
    "tests/unit/test_transfer.py": {"transfer"},
}
MODULES = sorted(p.relative_to(PACKAGE) for p in PACKAGE.rglob("*.py") if p.name != "__init__.py")
ROOMS = sorted(p.relative_to(ROOT) for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")
READERS = sorted(
    p.relative_to(ROOT)
    for part in ("tools", "benchmarks", "tests")
    for p in (ROOT / part).rglob("*.py")
)


def owner(path: Path) -> str:
    """The room of a file of the package, by its path below it."""
    return path.parts[0].removesuffix(".py")


def room(name: str) -> str:
    """The room of a full name, such as cxr_helpers.stats.mean; empty outside the package."""
    parts = name.split(".")
    return parts[1] if parts[0] == "cxr_helpers" and len(parts) > 1 else ""


def imports(path: Path, tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(full name, name in the file) for all that a file imports, in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = path.parts[: -node.level] if node.level else ()
            base = [*base, *(node.module or "").split(".")] if node.module else [*base]
            yield from (
                (".".join([*base, alias.name]), alias.asname or alias.name) for alias in node.names
            )
        elif isinstance(node, ast.Import):
            yield from (
                (alias.name, alias.asname or alias.name.split(".")[0]) for alias in node.names
            )


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"))


def private(path: Path, tree: ast.Module) -> set[str]:
    """Full names of what a file uses of other rooms although it is private there."""
    own = owner(path.relative_to("cxr_helpers")) if path.parts[0] == "cxr_helpers" else None
    known = {
        name: full for full, name in imports(path, tree) if full.split(".")[0] == "cxr_helpers"
    }
    used = set(known.values())
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id in known
        ):
            used.add(f"{known[node.value.id]}.{node.attr}")
        elif isinstance(node, ast.Constant) and re.fullmatch(
            r"cxr_helpers(\.\w+)+", str(node.value)
        ):
            used.add(node.value)  # as monkeypatch takes it
    hidden = {name for name in used if any(re.match("_[^_]", part) for part in name.split(".")[1:])}
    return {name for name in hidden if room(name) != own}


def test_every_room_has_its_place():
    assert {owner(path.relative_to("cxr_helpers")) for path in ROOMS} == set(ORDER)


def test_the_picture_of_the_house_has_every_room_once_and_the_ground_below():
    drawn = [line.partition("|") for line in house.picture().splitlines() if "|" in line]
    assert drawn[-1][0].strip() == "ground"
    names = [re.findall(r"[a-z]+", rooms) for _, _, rooms in reversed(drawn)]
    assert [name for floor in names for name in floor] == ORDER


def test_a_room_imports_only_rooms_before_it():
    late = {}
    for path in ROOMS:
        own = owner(path.relative_to("cxr_helpers"))
        used = {room(name) for name, _ in imports(path, parsed(path))} - {"", own}
        allowed = ONLY.get(own, set(ORDER[: ORDER.index(own)]) - NEVER.get(own, set()))
        if used - allowed:
            late[str(path)] = used - allowed
    assert not late, "these stand behind the room that imports them, or are not for it"


def test_exercises_alone_read_the_questions():
    """Lessons, case studies and the rest of the package do without them; tools mark with them."""
    sources = [
        *sorted(p.relative_to(ROOT) for p in (ROOT / "notebooks" / "src").rglob("*.py")),
        *ROOMS,
    ]
    sources += [
        path for path in READERS if path.parts[0] == "benchmarks" and path.name != "grading.py"
    ]
    reading = [
        path
        for path in sources
        if "checks" in {room(name) for name, _ in imports(path, parsed(path))}
    ]
    assert reading
    assert all(path.parts[:2] == ("cxr_helpers", "checks") for path in reading), reading


def test_the_package_imports_itself_relatively():
    for path in ROOMS:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                assert not node.module.startswith("cxr_helpers"), (
                    f"{path}: import from the package relatively"
                )


def test_private_names_stay_in_their_room():
    found = {path.as_posix(): private(path, parsed(path)) for path in [*ROOMS, *READERS]}
    # it names some to try the search out
    found[Path(__file__).relative_to(ROOT).as_posix()] = set()
    reached = {path: {room(name) for name in names} for path, names in found.items() if names}
    assert reached == INSIDE, (
        "give what others need a public name, or do without; a test may be listed, while it needs "
        "it"
    )


def test_a_private_name_is_found_however_it_is_reached():
    source = """
from cxr_helpers import audit, manifest as table
from cxr_helpers.guess._code import unpack
audit._names(1), table.layout, audit.report()._repr_html_(), audit.__name__
monkeypatch.setattr("cxr_helpers.deploy._widget.answer", 1)
"""
    here = {
        "cxr_helpers.audit._names",
        "cxr_helpers.guess._code.unpack",
        "cxr_helpers.deploy._widget.answer",
    }
    assert private(Path("tests/unit/test_any.py"), ast.parse(source)) == here
    inside = "def f():\n    from ..guess._code import unpack\n    from . import _names\n"
    assert private(Path("cxr_helpers/audit/any.py"), ast.parse(inside)) == {
        "cxr_helpers.guess._code.unpack"
    }


def test_only_one_room_spells_the_columns_of_probabilities():
    paths = [
        path
        for path in [*ROOMS, *READERS]
        if path.parts[0] != "tests" and path.name != "predictions.py"
    ]
    spelled = [
        str(path)
        for path in paths
        if re.search(r"""f["']p_\{|["']p_["']""", (ROOT / path).read_text("utf-8"))
    ]
    assert not spelled, "predictions.columns and predictions.probabilities do it"


@pytest.mark.parametrize("path", [p for p in MODULES if owner(p) == "checks"], ids=str)
def test_a_lesson_of_questions_reads_no_other_lesson_and_is_read_by_none(path):
    tree = ast.walk(ast.parse((PACKAGE / path).read_text()))
    inside = [node for node in tree if isinstance(node, ast.ImportFrom) and node.level == 1]
    names = {
        name
        for node in inside
        for name in (node.module or "", *(alias.name for alias in node.names))
    }
    assert not [name for name in names if name.startswith("lesson")]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_tensorflow_is_imported_inside_functions_only(path):
    for node in ast.parse((PACKAGE / path).read_text()).body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not [
            n for n in names if n.split(".")[0] in ("tensorflow", "keras", "seaborn", "skimage")
        ]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_public_functions_say_what_they_do(path):
    if path.name.startswith("_"):
        return
    tree = ast.parse((PACKAGE / path).read_text())
    assert ast.get_docstring(tree), f"{path} has no docstring"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}: {node.name} has no docstring"


def test_importing_the_package_is_fast_and_loads_nothing_heavy():
    code = (
        "import sys, time; t = time.perf_counter(); import cxr_helpers; s = time.perf_counter() - "
        "t;heavy = {'tensorflow', 'keras', 'pandas', 'numpy', 'matplotlib', 'sklearn'} & "
        "set(sys.modules);assert not heavy, heavy; print(s)"
    )
    command = [sys.executable, "-c", code]
    seconds = [
        float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(3)
    ]
    assert min(seconds) < 0.3


def test_every_module_is_reached_from_the_package():
    for name in cxr_helpers._MODULES:
        assert getattr(cxr_helpers, name).__name__ == f"cxr_helpers.{name}"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cxr_helpers.nothing


def test_no_tools_import_one_another_in_a_circle():
    """Imports inside functions count too: they are how a circle is hidden."""
    tools = [path for path in READERS if path.parts[0] == "tools"]
    named = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in tools}
    needs = {}
    for module, path in named.items():
        found = {name for name, _ in imports(path, parsed(path)) if name.startswith("tools.")}
        needs[module] = {name if name in named else name.rpartition(".")[0] for name in found}
    tuple(graphlib.TopologicalSorter(needs).static_order())  # raises CycleError, with the circle
