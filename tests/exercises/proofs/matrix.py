"""Record what every question says to every kind of answer, and compare two records.

    python -m tests.exercises.proofs.matrix --write before.json 10     # before checks are changed
    python -m tests.exercises.proofs.matrix --against before.json 10   # and after

Each question is tried with its solution, its stub, every known mistake, the answers at both edges
of its tolerance and odd ones, on five seeds. The record holds state, mistake and message; each
difference is printed, and the status is 1 where a verdict (state or mistake) differs.
"""

import argparse
import contextlib
import hashlib
import io
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cxr_helpers import checks
from tools.build import exercises

SEEDS = 5


def raises(*args, **kwargs):
    raise ValueError("not written yet")


ODD = {
    "None": None,
    "a wrong shape": np.zeros((2, 3, 4)),
    "not a number": math.nan,
    "text": "text",
    "an empty dictionary": {},
}


def answers(lesson: str) -> Iterator[tuple[str, checks.Question, Any]]:
    """Yield what is tried, the question and the answer, for all questions of a lesson."""
    source = next(s for s in exercises.sources() if exercises.lesson(s) == lesson)
    solved, stubs = (exercises.answers(source, solved=solved) for solved in (True, False))
    for name, question in checks.questions(lesson).items():
        tried = {"solution": solved[name], "stub": stubs[name], "an error": raises}
        tried |= {f"mistake {name}": m.answer for name, m in question.mistakes.items()}
        tried |= {f"edge {what}": answer for what, answer, _ in question.near(solved[name])}
        for what, value in ODD.items():
            tried[f"odd {what}"] = value
            if question.kind == "function":
                tried[f"function of odd {what}"] = lambda *args, value=value, **kwargs: value
        for what, answer in tried.items():
            yield f"{lesson} {name}: {what}", question, answer


def outcome(question: checks.Question, answer: Any, seed: int) -> checks.Outcome:
    """What the question says, with every generator that an answer may draw from set to the seed."""
    np.random.seed(seed)
    if keras := sys.modules.get("keras"):
        keras.utils.set_random_seed(seed)
    with contextlib.redirect_stdout(io.StringIO()):
        return question.evaluate(answer, seed)


def record(lessons: list[str]) -> dict[str, list[str]]:
    """State, mistake and message of all trials, by what was tried and the seed."""
    found = {}
    for lesson in lessons or checks.lessons():
        for what, question, answer in answers(lesson):
            for seed in range(SEEDS):
                said = outcome(question, answer, seed)
                found[f"{what}, seed {seed}"] = [said.state, said.mistake or "", said.message]
        print(lesson, f"{len(found)} outcomes", file=sys.stderr, flush=True)
    return found


def digest(found: dict[str, list[str]]) -> str:
    """Return one word for states and mistakes of a record, without the messages."""
    lines = "\n".join(
        f"{what}: {state} {mistake}" for what, (state, mistake, _) in sorted(found.items())
    )
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.exercises.proofs.matrix")
    parser.add_argument("lessons", nargs="*", help="such as 04 05 (default: all)")
    parser.add_argument("--write", type=Path, help="write the record here")
    parser.add_argument("--against", type=Path, help="compare with this record")
    asked = parser.parse_args(arguments)
    found = record(asked.lessons)
    print(f"{len(found)} outcomes, {digest(found)}")
    if asked.write:
        asked.write.write_text(json.dumps(found, indent=0), encoding="utf-8")
    if not asked.against:
        return 0
    before = json.loads(asked.against.read_text(encoding="utf-8"))
    before = {
        what: said
        for what, said in before.items()
        if what[:2] in (asked.lessons or checks.lessons())
    }
    verdicts = words = 0
    for what in sorted({*before, *found}):
        old, new = before.get(what), found.get(what)
        if old == new:
            continue
        other = old is None or new is None or old[:2] != new[:2]
        verdicts, words = verdicts + other, words + (not other)
        print(f"{'VERDICT' if other else 'words'}  {what}\n    - {old}\n    + {new}")
    print(f"{verdicts} verdicts differ, {words} messages")
    return int(bool(verdicts))


if __name__ == "__main__":
    sys.exit(main())
