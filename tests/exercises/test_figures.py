"""Questions about a figure: it can be read, no letters are right by luck, and none by trying."""

import pytest

from cxr_helpers import checks

from .proofs import lesson01, lesson02, lesson03

READERS = {  # the question, and a reader who sees its numbers only
    "01": ("misread", lesson01.misread_by_numbers),
    "02": ("comes_from", lesson02.comes_from_by_means),
    "03": ("went_wrong", lesson03.went_wrong_by_numbers),
}
every_figure = pytest.mark.parametrize(
    ("question", "read"),
    [(checks.questions(lesson)[name], read) for lesson, (name, read) in READERS.items()],
    ids=READERS,
)
pytestmark = pytest.mark.slow


@every_figure
def test_a_careful_reader_is_right_and_letters_typed_before_are_not(question, read):
    figures = [question.sample(seed) for seed in range(25)]
    answers = [read(figure) for figure in figures]
    assert {question.evaluate(answer).state for answer in answers} == {checks.CORRECT}
    typed = [answers[0] | {"figure": figure.number} for figure in figures[1:]]
    assert sum(question.evaluate(answer).state == checks.CORRECT for answer in typed) <= 3


@every_figure
def test_each_showing_is_another_figure(question, read):
    assert len({question.sample().number for _ in range(20)}) > 15
    assert question.sample(3).number == question.sample(3).number


@every_figure
def test_a_figure_counts_once_and_a_slip_of_form_not_at_all(question, read):
    right = read(question.sample(1))
    moved = right | dict(zip("ABC", [right[k] for k in "BCA"], strict=True))
    assert question.check(moved | {"A": "no such word"}).state == checks.WRONG
    assert "panels are right" in question.check(moved).message
    again = question.check(right)
    assert again.state == checks.WRONG
    assert "answered already" in again.message
    assert question.check(read(question.sample(2))).state == checks.CORRECT
    assert question.evaluate(right).state == checks.CORRECT  # marking starts afresh
