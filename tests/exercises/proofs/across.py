"""Try every answer of the course on both sides of the border of marking.

    python -m tests.exercises.proofs.across [--seeds 2] [04 05]

Solutions, stubs and known mistakes are judged here, in one process, and by a judge in another, at
some seeds; what the two say must be the same. The status is 1 where it is not. `test_border` tries
a part of them, one of each kind.
"""

import argparse
import contextlib
import io
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cxr_helpers import checks
from cxr_helpers.checks import border
from tools.build import exercises
from tools.marking import judge

SOURCES = {exercises.lesson(source): source for source in exercises.sources()}
# What is tried: the question's name, the answer, and the state and the mistake that must come out.
Answers = dict[str, tuple[str, Any, str, str | None]]


def answers(lesson: str) -> Answers:
    """Each question's solution, stub and mistakes, under words for them."""
    solved = exercises.answers(SOURCES[lesson])
    stubs = exercises.answers(SOURCES[lesson], solved=False)
    found: Answers = {}
    for name, question in checks.questions(lesson).items():
        found[f"{name}, solution"] = name, solved[name], checks.CORRECT, None
        found[f"{name}, stub"] = name, stubs[name], checks.NOT_ATTEMPTED, None
        for what, mistake in question.mistakes.items():
            found[f"{name}, {what}"] = name, mistake.answer, checks.WRONG, what
    return found


def one_of_each_kind(lesson: str) -> Answers:
    """Each question's solution and, but where it trains, a mistake; a stub of either kind."""
    asked, kinds, found = checks.questions(lesson), set(), {}
    for what, answer in answers(lesson).items():
        question, state = asked[answer[0]], answer[2]
        stub = state == checks.NOT_ATTEMPTED
        kind = question.kind if stub else f"{question.name} {state}"
        if kind not in kinds and not (question.trains and state == checks.WRONG):
            found[what] = answer
            kinds.add(kind)
    return found


def across(lesson: str, tried: Answers, seed: int) -> Iterator[tuple[str, checks.Outcome, dict]]:
    """Have answers judged across the border: what, what its side is told, what the judge notes.

    Within `judge.bench`.
    """
    tickets = {what: [lesson, name, seed] for what, (name, *_) in tried.items()}
    with (
        tempfile.TemporaryDirectory(prefix="j") as folder,  # a short path, as sockets need
        socket.socket(socket.AF_UNIX) as connection,
    ):
        place, record = Path(folder, "judge"), Path(folder, "record")
        with judge.sit(place, record, tickets, Path(folder)):
            connection.connect(str(place))
            for what, (name, answer, *_) in tried.items():
                with contextlib.redirect_stdout(io.StringIO()):
                    outcome = border.hand_over(what, answer, connection)
                yield what, outcome, judge.outcomes(record)[name]


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.exercises.proofs.across", description=__doc__.splitlines()[0]
    )
    parser.add_argument("lessons", nargs="*", help="such as 04 05 (default: all)")
    parser.add_argument("--seeds", type=int, default=2, help="from 0 on (default: 2)")
    asked = parser.parse_args()
    lessons, differ = asked.lessons or checks.lessons(), 0
    with tempfile.TemporaryDirectory(prefix="j") as folder, judge.bench(lessons, Path(folder)):
        for lesson in lessons:
            questions, tried = checks.questions(lesson), answers(lesson)
            for seed in range(asked.seeds):
                for what, there, _ in across(lesson, tried, seed):
                    name, answer, *_ = tried[what]
                    with contextlib.redirect_stdout(io.StringIO()):
                        here = questions[name].evaluate(answer, seed)
                    mistake = questions[name].mistakes.get(tried[what][3] or "")
                    by_chance = questions[name].trains or (mistake and mistake.random)
                    told = (lambda o: (o.state, o.mistake)) if by_chance else asdict
                    if told(here) != told(there):
                        differ += 1
                        print(f"{lesson}, {what}, seed {seed}: {here} here, {there} there")
            print(f"{lesson}: {len(tried)} answers, {asked.seeds} seeds", flush=True)
    print(f"{differ} differences")
    return int(differ > 0)


if __name__ == "__main__":
    sys.exit(main())
