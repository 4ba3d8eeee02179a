"""Other people's answers as proofs: right ones, which a check must accept, and wrong ones.

A module for each lesson, `lessonNN`, holds `PROOFS`: a `Proof` for each of its questions. `python
-m tests.exercises.proofs --seeds 40` tries all of them and prints a table; `test_proofs.py` tries
two seeds, or one where answers train a network.
"""

import contextlib
import copy
import importlib
import io
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cxr_helpers import checks


@dataclass(frozen=True)
class Proof:
    """Answers to one question, each under words that say how it was found, no two the same.

    `right` and `wrong` hold functions as students write them, or values where the question asks for
    a value. An answer that remembers something between its calls is an object with `__call__`: each
    trial gets a copy of it. Right answers that draw numbers have a fixed seed. `chance` says why
    the verdict rests on chance ("" where it does not): then one trial of forty may go astray, else
    none.
    """

    question: str
    right: dict[str, Any]
    wrong: dict[str, Any]
    chance: str = ""


def proofs(lessons: Iterable[str] = ()) -> dict[str, tuple[checks.Question, Proof]]:
    """Questions and proofs of some lessons ("04"), or of all with proofs, as "04-is_disjoint"."""
    known = sorted(
        m.name.removeprefix("lesson")
        for m in pkgutil.iter_modules(__path__)
        if m.name.startswith("lesson")
    )
    found = {}
    for lesson in known:
        if not lessons or lesson in lessons:
            for proof in importlib.import_module(f"{__name__}.lesson{lesson}").PROOFS:
                found[f"{lesson}-{proof.question}"] = (
                    checks.questions(lesson)[proof.question],
                    proof,
                )
    return found


def tried(question: checks.Question, answer: Any, seed: int) -> checks.Outcome:
    """Outcome of a copy of an answer on the data of a seed, its prints left out."""
    with contextlib.redirect_stdout(io.StringIO()):
        return question.evaluate(copy.deepcopy(answer), seed)
