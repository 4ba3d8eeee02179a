"""Records of predictions and results: a file of JSON lines that only grows, and its reading.

A line is {"key", "kind", "what", "answer", "sure", "own"} for an answer (`own` is false for an
example), {"key", "result", "hit"} for the first result that was seen, all of these with "taken" for
what came by `take`, or {"reader"}: a random name that tells the codes of one reader from those of
another, and nothing else.
"""

import json
import os
import secrets
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import datasets, files

FILE = "guesses.jsonl"
SWITCH = "CXR_GUESS"  # set to "example" by whatever runs notebooks with nobody there
NOBODY = "00000000"  # the reader's name where nobody is there: every run prints the same code
# instead of the file: where nobody is there, or the folder cannot be written
_KEPT: list[dict] = []


@dataclass(frozen=True)
class Entry:
    """One prediction as it counts: the first own answer before a result, else the example."""

    key: str
    kind: str
    what: str
    answer: object
    own: bool
    sure: float | None = None
    result: object = None  # the value alone
    hit: bool | None = None


def headless() -> bool:
    """Whether nobody is there: then nothing is read or written, and all answers are examples."""
    return os.environ.get(SWITCH, "") == "example"


def path() -> Path:
    """The file."""
    return datasets.progress_dir() / FILE


def records() -> list[dict]:
    """All that was recorded, oldest first."""
    return list(_KEPT) if headless() else [*read(path()), *_KEPT]


def read(file: Path) -> list[dict]:
    """The lines of a file that can be read: one torn by a power cut is passed over."""
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError:  # none yet; if it is there and cannot be read, adding to it says so
        return []
    found = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:  # also where bytes are no text
            continue
        if isinstance(record, dict):
            found.append(record)
    return found


def add(choose: Callable[[list[dict]], Iterable[dict]]) -> list[dict]:
    """Append what `choose` returns for the records so far, return all; nobody writes meanwhile."""
    if headless():
        _KEPT.extend(choose(records()))
        return records()
    file = path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with files.one_at_a_time(file.with_name(f".{file.name}.lock")):
            before = records()
            new = list(choose(before))
            if new:
                _append(file, new)
            return before + new
    except OSError as error:
        warnings.warn(
            f"predictions cannot be kept in {file} ({error}): they last as long as this kernel",
            stacklevel=4,
        )
        _KEPT.extend(choose(records()))
        return records()


def _append(file: Path, new: list[dict]) -> None:
    """Append whole lines to the file in one go; a line torn before gets its end first."""
    text = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in new).encode()
    with file.open("ab+") as stream:
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            text = text if stream.read(1) == b"\n" else b"\n" + text
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def entries(found: Iterable[dict]) -> dict[str, Entry]:
    """The predictions by key, in the order in which they were first made."""
    answers: dict[str, dict] = {}  # the answer that counts, else the latest example
    results: dict[str, dict] = {}
    for record in found:
        key = record.get("key")
        if not isinstance(key, str):
            continue
        mine = answers.get(key, {})
        if "answer" in record and not mine.get("own"):
            in_time = record.get("taken") or key not in results
            if in_time or not record.get("own"):
                answers[key] = record
        if "result" in record and (
            key not in results or (record.get("taken") and answers.get(key) is record)
        ):
            results[key] = record
    return {key: _entry(record, results.get(key, {})) for key, record in answers.items()}


def _entry(answer: dict, result: dict) -> Entry:
    names = ("key", "kind", "what", "answer", "sure")
    values: dict[str, Any] = {name: answer.get(name) for name in names}
    return Entry(
        **values, own=bool(answer.get("own")), result=result.get("result"), hit=result.get("hit")
    )


def reader(found: list[dict]) -> tuple[str, list[dict]]:
    """The reader's random name, and the line to add where there is none yet."""
    name = next(
        (record["reader"] for record in found if isinstance(record.get("reader"), str)), None
    )
    if name:
        return name, []
    name = NOBODY if headless() else secrets.token_hex(4)
    return name, [{"reader": name}]
