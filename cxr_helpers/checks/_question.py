"""A question: its check, its ladder of hints, its misconceptions, and the edges of its tolerance."""

import copy
import inspect
import os
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..console import quiet
from . import expect
from ._outcome import CORRECT, NOT_ATTEMPTED, RAISED, WRONG, NotCorrect, Outcome
from ._running import Attempt, NotAttempted, Raised, Wrong, limited, untouched, warnings_on_stdout

SEED = "CXR_GRADER_SEED"  # environment variable: the grader's seed
SECONDS = 20  # until an answer counts as endless; a check itself takes at most 5, first imports included


@dataclass(frozen=True)
class Mistake:
    """A known misconception: a wrong answer that runs (function or value), and the message it must get."""

    name: str
    message: str
    answer: Any


class Question:
    """One decision for the student to take, and the check that answers.

    Parameters: `name`, of the function or variable the student writes; `title`; `points`; `wants`, a sentence that
    says what a right answer looks like, shown where an answer has the wrong form; `hints`, from vague to nearly told;
    `kind`, "function" or "value"; `data`, a function rng → the data that `sample` shows in the notebook::

        q1 = Question("double", title="Twice", points=1, wants="a function of one number", hints=("Add.",))

        @q1.rule
        def _(double, rng):                     # returns if right, raises Wrong if not
            number = int(rng.integers(10, 99))
            q1.recognise(double(number), number)
            if double(number) != 2 * number:
                raise Wrong(f"double({number}) should be {2 * number}.")

        @q1.mistake("You squared: twice a number is the number plus itself.")
        def squares(number):
            return number**2
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
    ):
        self.name, self.title, self.points, self.wants = name, title, points, wants
        self.hints, self.kind, self.data = tuple(hints), kind, data
        self.mistakes: dict[str, Mistake] = {}
        self.near: Callable = lambda right: ()
        self._rule: Callable | None = None
        self._told = 0

    # --- what a student and a grader call -----------------------------------------------------------------------

    def check(self, answer) -> Outcome | None:
        """Show whether the answer is right, and if not, why.

        nbgrader runs it too: its Validate button shows exceptions only, so there this raises as `grade` does; its
        autograder has tests of its own, so there this does nothing.
        """
        mode = os.environ.get("NBGRADER_EXECUTION")
        if mode == "autograde":
            return None
        if mode == "validate":
            self.grade(answer)
        return self.evaluate(answer)

    def grade(self, answer) -> None:
        """Raise `NotCorrect`, with the message that `check` shows, unless the answer is right."""
        with quiet():
            outcome = self.evaluate(answer)
        if outcome.state != CORRECT:
            raise NotCorrect(f"{self.title}: {outcome.state}. {outcome.message}")

    def hint(self) -> Outcome:
        """Show the next hint; after the last one, the last one again."""
        self._told = min(self._told + 1, len(self.hints))
        return Outcome("hint", f"{self.title}, {self._told} of {len(self.hints)}", self.hints[self._told - 1])

    def sample(self, seed: int | None = None):
        """Data of the kind the check uses, to try an answer on."""
        return self.data(self._rng(seed))

    def evaluate(self, answer, seed: int | None = None) -> Outcome:
        """Outcome of an answer on the data of a seed; by default the grader's (CXR_GRADER_SEED), else 0."""
        state, message, mistake = CORRECT, "", None
        try:
            self._run(answer, seed)
        except NotAttempted as empty:
            state, message = NOT_ATTEMPTED, str(empty)
        except Raised as error:
            state, message = RAISED, str(error)
        except Wrong as reason:
            state, message, mistake = WRONG, str(reason), reason.mistake
        except Exception as error:  # noqa: BLE001 - the rule met an answer of a form that it cannot read
            state, message = WRONG, f"The answer cannot be read ({error!s:.200}). Expected: {self.wants}."
        return Outcome(state, self.title, message, self.points, mistake)

    def _run(self, answer, seed: int | None) -> None:
        if untouched(answer):
            raise NotAttempted(f"{self.name} is still None. Expected: {self.wants}.")
        if self.kind == "function":
            if not callable(answer) or inspect.isclass(answer):
                raise Wrong(f"{self.name} must be a function, not {expect.kind(answer)}. Expected: {self.wants}.")
            answer = Attempt(answer)
        elif inspect.isroutine(answer):
            raise Wrong(f"{self.name} must be a value, not a function. Expected: {self.wants}.")
        else:
            answer = copy.deepcopy(answer)
        with warnings_on_stdout():
            limited(SECONDS, lambda: self._rule(answer, self._rng(seed)))

    def _rng(self, seed: int | None) -> np.random.Generator:
        seed = int(os.environ.get(SEED) or 0) if seed is None else seed
        return np.random.default_rng([seed, zlib.crc32(self.name.encode())])

    # --- what an author writes ----------------------------------------------------------------------------------

    def rule(self, function: Callable) -> Callable:
        """Decorate the check: a function (answer, rng) that returns if the answer is right and raises `Wrong` if not.

        A student's function is called like any other; its errors, exits and endless loops are reported as its own.
        """
        self._rule = function
        return function

    def mistake(self, message: str) -> Callable:
        """Decorate a function that is a known wrong answer, with the message it must get ({places} may be open)."""

        def register(function: Callable) -> Callable:
            self.mistakes[function.__name__] = Mistake(function.__name__, message, function)
            return function

        return register

    def wrong_value(self, name: str, value, message: str) -> None:
        """Note a known wrong value and the message it must get."""
        self.mistakes[name] = Mistake(name, message, value)

    def edges(self, function: Callable) -> Callable:
        """Decorate a generator (right answer) → (what, answer, accepted): answers at both sides of the tolerance."""
        self.near = function
        return function

    def caught(self, name: str, **places) -> Wrong:
        """The exception to raise where a rule has recognised a misconception by what it did."""
        return Wrong(self.mistakes[name].message.format(**places), name)

    def recognise(self, result, *args) -> None:
        """Raise `Wrong` where a misconception gives the very same result (on the same arguments)."""
        self.recognise_all([result], [args])

    def recognise_all(self, results: list, cases: list[tuple]) -> None:
        """Raise `Wrong` where a misconception gives the very same results on all cases, each a tuple of arguments."""
        for name, mistake in self.mistakes.items():
            answer = mistake.answer if callable(mistake.answer) else lambda value=mistake.answer: value
            if all(expect.same(r, answer(*copy.deepcopy(c))) for r, c in zip(results, cases, strict=True)):
                raise self.caught(name)
