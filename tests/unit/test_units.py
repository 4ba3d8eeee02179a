"""What stays on one worker when the tests run on several."""

import pytest

from tests.conftest import ROOT, SPREAD, unit


@pytest.mark.parametrize(
    ("test", "name"),
    [
        ("tests/unit/test_split.py::test_it[a-1]", "tests/unit/test_split.py"),
        ("tests/unit/test_split.py::Test::test_it[x::y]", "tests/unit/test_split.py"),
        (
            "tests/exercises/test_questions.py::test_it[04-make_split-late]",
            "tests/exercises/test_questions.py 04",
        ),
        (
            "tests/exercises/test_questions.py::test_all",
            "tests/exercises/test_questions.py test_all",
        ),
    ],
)
def test_a_file_or_a_lesson_stays_together(test, name):
    assert unit(test) == name


@pytest.mark.parametrize("name", sorted(SPREAD))
def test_files_that_are_spread_share_no_fixture(name):
    (path,) = ROOT.glob(f"tests/**/{name}")
    assert 'scope="module"' not in path.read_text(encoding="utf-8")
