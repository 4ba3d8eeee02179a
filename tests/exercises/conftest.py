"""What the tests of exercises share: their order, a small question, and alembic asked once, as it
takes seconds.
"""

import functools
import tempfile
from pathlib import Path

import pytest

from cxr_helpers import checks
from cxr_helpers.checks import Mistake, Question, Wrong, expect
from tools.marking import judge

FIRST, LAST = "test_sample_class.py", "test_questions.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the sample class begin, the longest unit, and the questions come last, many short ones.

    So all workers end at about the same time. And marking, which forks processes, forks none that
    holds TensorFlow's threads, which the questions start.
    """
    items.sort(key=lambda item: (item.path.name == LAST) - (item.path.name == FIRST))


@pytest.fixture(scope="session", autouse=True)
def version_asked_once():
    """Let nbgrader ask for its data base's version once, and not for each new course."""
    from nbgrader import api

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(api, "get_alembic_version", functools.cache(api.get_alembic_version))
        yield


@pytest.fixture(scope="session")
def judges():
    """Judges for all questions, forked from one process."""
    with (
        tempfile.TemporaryDirectory(prefix="j") as folder,
        judge.bench(checks.lessons(), Path(folder)),
    ):
        yield


@pytest.fixture
def double():
    """A small question: twice a number."""
    question = Question(
        "double",
        title="Twice <b>",
        points=2,
        wants="a number",
        hints=("Add.", "Add it to itself."),
        mistakes={"squares": Mistake(lambda number: number**2, "You squared.")},
    )

    @question.rule
    def _(double, rng):
        number = int(rng.integers(10, 99))
        question.recognise([double(number)], [(number,)])
        if expect.number(double(number)) != 2 * number:
            raise Wrong(f"double({number}) should be {2 * number}.")

    return question
