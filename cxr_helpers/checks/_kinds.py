"""Kinds of questions whose check is declared: an answer beside the right one, a rule that chooses.

What fits neither is a plain `Question` with a rule of its own.
"""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from . import expect, fresh
from ._question import Mistake, Question
from ._running import Wrong


class Case(NamedTuple):
    """What an answer is called with, what is right there, and what only the messages need."""

    given: tuple
    right: Any
    note: Any = None


def asked(right: Callable, drawn: Iterable[tuple | dict]) -> list[Case]:
    """Cases from arguments, with the right answer of a function.

    Parameters
    ----------
    right : callable
        From the arguments of a case to its right answer.
    drawn : iterable of tuple or dict
        The arguments of each case, in order; names of a dict are dropped.

    Returns
    -------
    list of Case
        One for each.

    Examples
    --------
    >>> [case.right for case in asked(lambda a, b: a + b, [(1, 2), {"first": 3, "second": 4}])]
    [3, 7]
    """
    given = [tuple(one.values()) if isinstance(one, dict) else one for one in drawn]
    return [Case(arguments, right(*arguments)) for arguments in given]


class Compare(Question):
    """A question whose answer must say the same as the right one, on each of a few cases.

    Parameters, beside those of `Question`:

    - `cases`, rng → list of `Case`;
    - `read`, (what was returned, case) → a plain value, or `Wrong` for another form (`expect`);
    - `same`, (value, right) → whether they say the same; a known mistake is recognised by it, too;
    - `explain`, (value, case), the first that is wrong → a sentence, or `caught` if more is known;
    - `places`, (values, cases) → what stands in the {places} of the messages.

    A check has five phases, each with its own blame: cases are drawn (ours), the answer is called
    (the student's), read (its form), compared, and explained::

        q1 = Compare(
            "double",
            ...,
            mistakes={"squared": Mistake(lambda n: n**2, "You squared: add the number to itself.")},
            cases=lambda rng: [Case((n,), 2 * n) for n in rng.integers(10, 99, 3)],
            read=lambda value, case: expect.number(value, "double(number)"),
            explain=lambda value, case: f"double({case.given[0]}) is {case.right}, not {value}.",
        )
    """

    def __init__(
        self,
        name: str,
        *,
        cases: Callable[[np.random.Generator], list[Case]],
        read: Callable[[Any, Case], Any],
        explain: Callable[[Any, Case], str],
        same: Callable[[Any, Any], bool] = expect.same,
        places: Callable[[list, list[Case]], dict] = lambda values, cases: {},
        **declared,
    ):
        super().__init__(name, **declared)
        self.cases, self.read, self.explain, self.same, self.places = (
            cases,
            read,
            explain,
            same,
            places,
        )
        self.rule(self._compare)

    def _compare(self, answer: Callable, rng: np.random.Generator) -> None:
        cases = self.cases(rng)
        values = [self.read(answer(*case.given), case) for case in cases]
        pairs = list(zip(values, cases, strict=True))
        wrong = [(value, case) for value, case in pairs if not self.same(value, case.right)]
        if not wrong:
            return
        for name, mistake in self.mistakes.items():
            if all(self._says_the_same(value, mistake, case) for value, case in pairs):
                raise self.caught(name, **self.places(values, cases))
        raise Wrong(self.explain(*wrong[0]))

    def _says_the_same(self, value: Any, mistake: Mistake, case: Case) -> bool:
        try:
            return self.same(value, self.read(mistake.answer(*copy.deepcopy(case.given)), case))
        except Wrong:
            return False


class Choice(Compare):
    """A question for a rule that chooses: a function from a table of options to one letter.

    A letter can be found by trying; a rule cannot, as every table is another one. `row`, rng → an
    option of any kind; `why_not`, {fault: (option → whether it has this fault, why it is wrong)}.
    A table holds one option without a fault, the right one, and for each fault one with no other.
    """

    TABLES = 12  # that one check shows

    def __init__(
        self,
        name: str,
        *,
        row: Callable[[np.random.Generator], dict],
        why_not: dict[str, tuple[Callable[[dict], bool], str]],
        **declared,
    ):
        def faults(option: dict) -> list[str]:
            return [fault for fault, (has, _) in why_not.items() if has(option)]

        def case(rng: np.random.Generator) -> Case:
            found: dict[str, dict] = {}  # by fault, "" for none

            def drawn() -> int:
                option = row(rng)
                if len(own := faults(option)) < 2:
                    found.setdefault("".join(own), option)
                return len(found)

            fresh.until(drawn, lambda n: n == 1 + len(why_not))
            behind = dict(zip("ABCDEFGH", map(str, rng.permutation(list(found))), strict=False))
            table = pd.DataFrame([found[fault] for fault in behind.values()], list(behind))
            return Case((table,), next(k for k, fault in behind.items() if not fault), behind)

        def why(letter: str, case: Case) -> str:
            raise self.caught(case.note[letter])

        def falls_for(one: str) -> Callable[[pd.DataFrame], str]:
            return lambda table: next(
                letter for letter, option in table.iterrows() if faults(option) == [one]
            )

        super().__init__(
            name,
            data=lambda rng: case(rng).given[0],
            cases=lambda rng: [case(rng) for _ in range(self.TABLES)],
            read=lambda letter, case: expect.choice(letter, case.given[0].index, f"{name}(...)"),
            explain=why,
            mistakes={one: Mistake(falls_for(one), reason) for one, (_, reason) in why_not.items()},
            **declared,
        )
        self.edges(_letters)


def _letters(right: Callable) -> Iterator[tuple[str, Callable, bool]]:
    yield "a small letter", lambda table: f" {right(table).lower()}", True
    yield "always the first", lambda table: table.index[0], False
    yield "all letters", lambda table: list(table.index), False
