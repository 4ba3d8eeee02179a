"""A question: its check, ladder of hints, misconceptions, and edges of its tolerance."""

import copy
import inspect
import os
import secrets
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from ..console import quiet
from . import expect
from ._outcome import (
    BROKEN,
    CORRECT,
    NOT_ATTEMPTED,
    RAISED,
    WRONG,
    Outcome,
)
from ._running import (
    Attempt,
    NotAttempted,
    OutOfTime,
    Raised,
    Wrong,
    form,
    limited,
    untouched,
    warnings_on_stdout,
)

# until an answer counts as endless; a check itself takes at most 5, first imports included
SECONDS = 20
TRAINING = 120  # where the answer trains a network, on a slow and busy machine


@dataclass(frozen=True)
class Mistake:
    """A known misconception: a wrong answer that runs (function or value), and its message.

    `random`: it answers differently each time, and just that is the misconception.
    """

    answer: Any
    message: str
    random: bool = False


class Broken(Exception):
    """The rule failed where no answer was to blame; the text names the error."""


def _no_rule(answer: Any, rng: np.random.Generator) -> None:
    raise LookupError("the question has no rule")


class Question:
    """One decision for the student to take, and the check that answers.

    Parameters: `name`, of the function or variable the student writes; `title`; `points`; `wants`,
    a sentence that says what a right answer looks like, shown where an answer has the wrong form;
    `hints`, from vague to nearly told; `kind`, "function" or "value"; `data`, a function rng → the
    data that `sample` shows in the notebook; `mistakes`, the known ones by name; `trains`, whether
    an answer trains a network, which takes a second or two. A question has a rule of its own; a
    rule that compares or lets choose is declared (`Compare`, `Choice`)::

        q1 = Question(
            "double",
            title="Twice",
            points=1,
            wants="a function of one number",
            hints=("Add.",),
            mistakes={"squares": Mistake(lambda number: number**2, "You squared: add it up.")},
        )

        @q1.rule
        def _(double, rng):                     # returns if right, raises Wrong if not
            number = int(rng.integers(10, 99))
            q1.recognise([double(number)], [(number,)])
            if double(number) != 2 * number:
                raise Wrong(f"double({number}) should be {2 * number}.")
    """

    def __init__(
        self,
        name: str,
        *,
        title: str,
        points: float,
        wants: str,
        hints: Iterable[str],
        kind: str = "function",
        data: Callable | None = None,
        mistakes: dict[str, Mistake] | None = None,
        trains: bool = False,
    ):
        self.name, self.title, self.points, self.wants = name, title, points, wants
        self.hints, self.kind, self.data = tuple(hints), kind, data
        self.mistakes, self.trains = mistakes or {}, trains
        self.near: Callable = lambda right: ()
        self._rule: Callable[[Any, np.random.Generator], Any] = _no_rule
        self._told = 0

    # --- what a student and a grader call ---------------------------------------------------------

    def check(self, answer, seed: int | None = None) -> Outcome | None:
        """Show whether the answer is right, and if not, why.

        Each call tries the answer on fresh data, and says how to have the same data again. nbgrader
        runs it too: its Validate button shows exceptions only, so there this raises as `grade`
        does; its autograder has tests of its own, so there this does nothing.
        """
        mode = os.environ.get("NBGRADER_EXECUTION")
        if mode == "autograde":
            return None
        if mode == "validate":
            self.grade(answer, seed)
        fresh = secrets.randbelow(100_000) if seed is None else seed
        outcome = self.evaluate(answer, fresh)
        if self.kind == "value" or outcome.state in (CORRECT, NOT_ATTEMPTED):
            return outcome
        return replace(
            outcome,
            repeat=f"Tried on data that no other check has; the same again: add seed={fresh}.",
        )

    def grade(self, answer, seed: int | None = None) -> None:
        """Raise `NotCorrect`, with the message that `check` shows, unless the answer is right.

        See `evaluate`. Raises `CheckBroken` where the check itself fails. When marking, a process
        of its own does this (`border`).
        """
        with quiet():
            outcome = self.evaluate(answer, seed)
        outcome.demand()

    def hint(self) -> Outcome:
        """Show the next hint; after the last one, the last one again."""
        self._told = min(self._told + 1, len(self.hints))
        return Outcome(
            "hint", f"{self.title}, {self._told} of {len(self.hints)}", self.hints[self._told - 1]
        )

    def sample(self, seed: int | None = None):
        """Data of the kind the check uses, to try an answer on; no check uses these."""
        if self.data is None:
            raise TypeError(f"the question {self.name} has no data to show")
        return self.data(self._rng(seed, "sample"))

    def evaluate(self, answer, seed: int | None = None) -> Outcome:
        """Outcome of an answer on the data of a seed, 0 if none is given.

        Whose fault it is that a rule fails: the student's where their code raised or did not end;
        the answer's where it has a form that the rule cannot read; the course's in all other cases
        (see `_fails_anyway`).
        """
        state, message, mistake = CORRECT, "", None
        try:
            self._run(answer, seed)
        except NotAttempted as empty:
            state, message = NOT_ATTEMPTED, str(empty)
        except Raised as error:
            state, message = RAISED, str(error)
        except Wrong as reason:
            state, message, mistake = WRONG, str(reason), reason.mistake
        except Broken as error:
            state = BROKEN
            message = (
                f"{error} This is a fault of the course: please report it. Your answer was "
                "not judged."
            )
        return Outcome(state, self.title, message, self.points, mistake)

    def _run(self, answer, seed: int | None) -> None:
        if untouched(answer):
            raise NotAttempted(f"{self.name} is still None. Expected: {self.wants}.")
        if self.kind == "function":
            if not callable(answer) or inspect.isclass(answer):
                raise Wrong(
                    f"{self.name} must be a function, not {expect.kind(answer)}. Expected: "
                    f"{self.wants}."
                )
            answer = answer if isinstance(answer, Attempt) else Attempt(answer)
        elif inspect.isroutine(answer) or isinstance(answer, Attempt):
            raise Wrong(f"{self.name} must be a value, not a function. Expected: {self.wants}.")
        else:
            answer = copy.deepcopy(answer)
        with warnings_on_stdout():
            self._judge(answer, seed)

    def _judge(self, answer, seed: int | None) -> None:
        """Run the rule within its time; raise what is to be said, blaming where it belongs."""
        asked = answer if isinstance(answer, Attempt) else None
        seconds = self.seconds + (asked.grace if asked else 0)
        try:
            limited(seconds, lambda: self._rule(answer, self._rng(seed)))
        except (NotAttempted, Raised):
            raise
        except Wrong as reason:
            found = self.mistakes.get(reason.mistake or "")
            by_chance = self.trains or (found and found.random)
            if asked and not by_chance and self._unsteady(asked):
                raise Wrong(
                    "Two calls with the same data gave different answers, so nothing else can be "
                    "judged: something in your function is random. Give it a fixed seed "
                    "(random_state=0, default_rng(0)), then check again."
                ) from reason
            raise
        except OutOfTime as error:
            if asked is None or not asked.running:
                raise Broken(f"The check took longer than {seconds} seconds by itself.") from error
            raise Raised(f"{error} Is there a loop that never ends?") from error
        except Exception as error:
            if self._fails_anyway(asked, seed):
                raise Broken(
                    f"The check failed by itself ({type(error).__name__}: {error!s:.200})."
                ) from error
            raise Wrong(
                f"The answer cannot be read ({error!s:.200}). Expected: {self.wants}."
            ) from error

    def _unsteady(self, asked: Attempt) -> bool:
        try:
            return limited(self.seconds + asked.grace, asked.unsteady)
        except OutOfTime:
            return False

    def _fails_anyway(self, asked: Attempt | None, seed: int | None) -> bool:
        """Tell whether a rule that failed is itself to blame.

        It is where it has not asked yet, where it fails on a known misconception, too, and where
        the answer has the same form as that of a misconception, which a rule must be able to read.
        """
        if asked is not None and not asked.calls:
            return True
        for mistake in list(self.mistakes.values())[:3]:
            wrong = (
                Attempt(mistake.answer)
                if self.kind == "function"
                else copy.deepcopy(mistake.answer)
            )
            try:
                limited(self.seconds, partial(self._rule, wrong, self._rng(seed)))
            except (Wrong, Raised, NotAttempted):
                if asked is None or asked.first is None or wrong.first is None:
                    continue
                if form(asked.first) == form(wrong.first):
                    return True
            except Exception:  # noqa: BLE001 - any error at all is what is looked for
                return True
        return False

    @property
    def seconds(self) -> float:
        """Seconds until an answer counts as endless."""
        return TRAINING if self.trains else SECONDS

    def _rng(self, seed: int | None, use: str = "check") -> np.random.Generator:
        words = [self.name] if use == "check" else [self.name, use]
        return np.random.default_rng([seed or 0, *(zlib.crc32(word.encode()) for word in words)])

    # --- what an author writes --------------------------------------------------------------------

    def rule(self, function: Callable) -> Callable:
        """Decorate the check: a function (answer, rng) that returns if right, else raises `Wrong`.

        A student's function is called like any other; its errors, exits and endless loops are
        reported as its own, and so are answers to the same data that differ. A rule that fails by
        itself is reported as the course's fault.
        """
        self._rule = function
        return function

    def edges(self, function: Callable) -> Callable:
        """Decorate a generator (right answer) → (what, answer, accepted), around the tolerance."""
        self.near = function
        return function

    def caught(self, name: str, **places) -> Wrong:
        """The exception to raise where a rule has recognised a misconception by what it did."""
        return Wrong(self.mistakes[name].message.format(**places), name)

    def recognise(self, results: list, cases: list[tuple]) -> None:
        """Raise `Wrong` if a misconception says the very same on all cases (arguments)."""
        for name, mistake in self.mistakes.items():
            own = [mistake.answer(*copy.deepcopy(case)) for case in cases]
            if all(map(expect.same, results, own)):
                raise self.caught(name)
