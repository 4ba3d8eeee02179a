"""Questions that answer back: a module per lesson, `lessonNN`, with its questions q1, q2, ...

    from cxr_helpers.checks.lesson04 import q1
    q1.check(answer)      # correct / wrong, with the reason / not attempted / it raised an error
    q1.hint()             # one step further each time
    q1.grade(answer)      # the same check as an exception, for graders

A check runs the answer on fresh data with fresh names and looks at what it does, never at how it is
written. Beside each check stand the known misconceptions as executable wrong answers, each with the
message it must get. There is no register: a module called `lessonNN` is found by its name. Right
answers are not part of the package.
"""

import importlib
import pkgutil

from ._kinds import Case, Choice, Compare, asked
from ._outcome import (
    BROKEN,
    CORRECT,
    NOT_ATTEMPTED,
    RAISED,
    WRONG,
    CheckBroken,
    NotCorrect,
    Outcome,
)
from ._question import Mistake, Question
from ._running import Wrong

__all__ = [
    "BROKEN",
    "CORRECT",
    "NOT_ATTEMPTED",
    "RAISED",
    "WRONG",
    "Case",
    "CheckBroken",
    "Choice",
    "Compare",
    "Mistake",
    "NotCorrect",
    "Outcome",
    "Question",
    "Wrong",
    "asked",
    "lessons",
    "questions",
]


def lessons() -> list[str]:
    """Numbers of the lessons that have questions, such as "04", in order.

    Returns
    -------
    list of str
        Two digits each.

    Examples
    --------
    >>> lessons()[:3]
    ['01', '02', '03']
    """
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.removeprefix("lesson") for name in names if name.startswith("lesson"))


def questions(lesson: str) -> dict[str, Question]:
    """Questions of a lesson ("04") by their answer's name, in the order of definition.

    Parameters
    ----------
    lesson : str
        Two digits.

    Returns
    -------
    dict of str to Question
        What the lesson's module defines.
    """
    module = importlib.import_module(f"{__name__}.lesson{lesson}")
    found = [value for value in vars(module).values() if isinstance(value, Question)]
    return {question.name: question for question in found}
