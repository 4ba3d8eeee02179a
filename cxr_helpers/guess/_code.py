"""Predictions as a short text, for the next notebook elsewhere and for a class; without names."""

import base64
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import asdict

import pandas as pd

from . import _store
from ._kinds import KEY, KINDS, GuessError
from ._summary import Summary

START = "cxr1:"
FIND = re.compile(rf"{START}[A-Za-z0-9_-]+")
MOST = 500_000  # bytes of what a code holds; 150 predictions take some 10,000
_MET: dict[bool | None, str] = {True: "hit", False: "miss"}
READER = re.compile(r"[0-9a-f]{8}")
FIELDS = ("key", "kind", "answer", "sure", "result", "hit")


def code() -> str:
    """The reader's predictions and how they were met, as a line of text to copy, without a name.

    Print it at the end of a notebook; `take` gives it back to the next one, on whatever machine.

    Returns
    -------
    str
        Beside the predictions it holds a random number that tells two readers of a class apart.
    """
    found = _store.add(lambda before: _store.reader(before)[1])
    rows = [asdict(entry) for entry in _store.entries(found).values() if entry.own]
    shortened = [[_short(row[name]) for name in FIELDS] for row in rows]
    content = {"r": _store.reader(found)[0], "p": shortened}
    packed = zlib.compress(
        json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(), 9
    )
    return START + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def take(text: str | None) -> Summary:
    """Take back the predictions of a code from another notebook; those already here stay.

    Parameters
    ----------
    text : str or None
        What `code` printed, spaces and line breaks allowed; None takes nothing.

    Returns
    -------
    Summary
        What was taken.

    Raises
    ------
    GuessError
        In words, for anything else: a code that is cut off, altered, or of another course.
    """
    if text is None or not str(text).strip():
        return Summary(_rows([]), "No code was entered: nothing is taken back.")
    name, entries = unpack(text)
    here = _store.entries(_store.records())
    new = [entry for entry in entries if not (entry.key in here and here[entry.key].own)]
    _store.add(lambda before: [*_named(before, name), *(_line(entry) for entry in new)])
    rest = len(entries) - len(new)
    already = f" {rest} more were here already." if rest else ""
    return Summary(_rows(new), f"{len(new)} predictions are taken back.{already}")


def _named(before: list[dict], name: str) -> list[dict]:
    """The reader's random name comes along, unless this machine has one."""
    return [] if any("reader" in record for record in before) else [{"reader": name}]


def _line(entry: _store.Entry) -> dict:
    names = ("key", "kind", "what", "answer", "sure", "own")
    line = {name: getattr(entry, name) for name in names} | {"taken": True}
    return line if entry.result is None else line | {"result": entry.result, "hit": entry.hit}


def _rows(entries: list[_store.Entry]) -> pd.DataFrame:
    columns = ["predicted", "yours", "result", "met"]
    rows = [[e.key, _text(e.answer), _text(e.result), _MET.get(e.hit, "")] for e in entries]
    return pd.DataFrame(rows, columns=columns)


def _text(value) -> str:
    if value is None:
        return "not met yet"
    return ", ".join(map(_text, value)) if isinstance(value, list) else str(value)


def unpack(text: str) -> tuple[str, list[_store.Entry]]:
    """The reader's random name and the predictions of a code, each checked. Raises GuessError."""
    found = re.sub(r"\s+", "", str(text)).strip("'\"`<>")
    if not FIND.fullmatch(found):
        raise GuessError(
            f"this is no code of predictions: one begins with {START} and is printed by "
            "guess.code()"
        )
    try:
        letters = found.removeprefix(START)
        packed = base64.urlsafe_b64decode(letters + "=" * (-len(letters) % 4))
        opened = zlib.decompressobj()
        content = json.loads(opened.decompress(packed, MOST))
        whole = opened.eof
    except (ValueError, zlib.error, RecursionError):
        whole = False
    if not whole:
        raise GuessError("the code is damaged: copy all of it, from cxr1: to its end")
    try:
        name, rows = content["r"], content["p"]
        if not READER.fullmatch(name):
            raise ValueError(name)
        return name, list(_checked(rows))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise GuessError(
            f"the code holds something that is no prediction ({error}): is it of this course?"
        ) from None


def _checked(rows) -> Iterator[_store.Entry]:
    """Each row as an entry; ValueError for whatever `code` would not have written."""
    for row in rows:
        key, kind, answer, sure, result, hit = row
        if not KEY.fullmatch(key) or len(key) > 60:
            raise ValueError(f"the key {str(key)[:60]!r}")
        if kind not in KINDS or not _fits(kind, answer):
            raise ValueError(f"the answer of {key}")
        if not (sure is None or (_number(sure) and 0 <= sure <= 1)):
            raise ValueError(f"how sure, of {key}")
        of = "number" if kind == "interval" else kind
        if not (result is None and hit is None) and not (
            isinstance(hit, bool) and _fits(of, result)
        ):
            raise ValueError(f"the result of {key}")
        what = key.partition(".")[2].replace("-", " ")
        yield _store.Entry(key, kind, what, answer, own=True, sure=sure, result=result, hit=hit)


def _fits(kind: str, value) -> bool:
    """Whether a value can be the answer of a kind of prediction."""
    if kind == "number":
        return _number(value)
    if kind == "choice":
        return isinstance(value, str) and 0 < len(value) <= 80
    if not isinstance(value, list) or not 2 <= len(value) <= 12:
        return False
    if kind == "order":
        return all(_fits("choice", word) for word in value)
    return all(map(_number, value)) and (
        kind != "interval" or (len(value) == 2 and value[0] <= value[1])
    )


def _number(value) -> bool:
    # NaN is not below it
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _short(value):
    """Four digits tell predictions apart and keep the code short."""
    if isinstance(value, list):
        return [_short(part) for part in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
