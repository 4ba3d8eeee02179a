"""Which predictions a notebook asks for, read from its code without running it."""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._kinds import KINDS, GuessError, Kind

SPECS = {  # arguments that describe a prediction; the others are the reader's
    "number": ("between", "near"),
    "interval": ("between",),
    "choice": ("options",),
    "order": ("items",),
    "sketch": ("between", "near", "at"),
}


@dataclass(frozen=True)
class Asked:
    """One call such as `auc = guess.number("04.auc-by-image", ...)`, and its `auc.meets`."""

    kind: str
    key: str | None  # None where it is not written out
    variable: str | None
    entry: str | None  # the name of the reader's entry
    values: dict  # the other arguments that are written out
    place: int  # number of the piece of code
    met: int | None = None  # number of the piece of code with `variable.meets(...)`
    beliefs: object = ()  # None where they are not written out

    def spec(self) -> Kind:
        """The kind with its range or options, as made when the notebook runs. Raises GuessError."""
        given: dict[str, Any] = {name: self.values.get(name) for name in SPECS[self.kind]}
        if missing := [name for name, value in given.items() if value is None and name != "near"]:
            raise GuessError(f"{self.key}: write {' and '.join(missing)} out in the call")
        if self.key is None:
            raise GuessError("write the key of the prediction out in the call")
        what = self.values.get("what") or self.key.partition(".")[2].replace("-", " ")
        return KINDS[self.kind](self.key, what, **given)


def asked(pieces: Iterable[str]) -> list[Asked]:
    """The predictions that pieces of code (a notebook's code cells) ask for, in their order."""
    made: list[Asked] = []
    for place, code in enumerate(pieces):
        for node in ast.walk(ast.parse(code)):
            if not isinstance(node, ast.Assign | ast.Expr) or not isinstance(node.value, ast.Call):
                continue
            if kind := _kind(node.value):
                targets = node.targets if isinstance(node, ast.Assign) else []
                made.append(_made(kind, node.value, targets, place))
        made = [_met(one, code, place) for one in made]
    return made


def _kind(call: ast.Call) -> str | None:
    """The kind of prediction that a call makes."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="guess"), attr=name) if name in KINDS:
            return name
    return None


def _made(kind: str, call: ast.Call, targets: list[ast.expr], place: int) -> Asked:
    variable = targets[0].id if len(targets) == 1 and isinstance(targets[0], ast.Name) else None
    first, second = [*call.args, None, None][:2]
    key = first.value if isinstance(first, ast.Constant) else None
    key = key if isinstance(key, str) else None
    entry = second.id if isinstance(second, ast.Name) else None
    values = {word.arg: _literal(word.value) for word in call.keywords if word.arg}
    return Asked(kind, key, variable, entry, values, place)


def _met(one: Asked, code: str, place: int) -> Asked:
    if one.met is not None or one.variable is None:
        return one
    for node in ast.walk(ast.parse(code)):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "meets"
        ):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == one.variable:
            given = [word.value for word in node.keywords if word.arg == "beliefs"] + node.args[1:2]
            beliefs = _literal(given[0]) if given else ()
            return Asked(**{**vars(one), "met": place, "beliefs": beliefs})
    return one


def _literal(node: ast.expr) -> Any:
    """The value of an expression that is written out; None of any other."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def of_course(folder: Path) -> dict[str, Asked]:
    """The predictions of all course sources below a folder, by key; unreadable ones are skipped."""
    found: dict[str, Asked] = {}
    for source in sorted([*folder.glob("src/*.py"), *folder.glob("src/cases/*.py")]):
        try:
            found |= {one.key: one for one in asked([source.read_text("utf-8")]) if one.key}
        except (SyntaxError, OSError):
            continue
    return found
