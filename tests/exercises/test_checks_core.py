"""The machinery of a question, on a small one of its own."""

import contextlib
import signal
import threading
import time
import warnings

import pytest

from cxr_helpers import checks
from cxr_helpers.checks import Question, Wrong, _question, _running, expect


@pytest.fixture
def double():
    question = Question("double", title="Twice <b>", points=2, wants="a number", hints=("Add.", "Add it to itself."))

    @question.rule
    def _(double, rng):
        number = int(rng.integers(10, 99))
        question.recognise(double(number), number)
        if expect.number(double(number)) != 2 * number:
            raise Wrong(f"double({number}) should be {2 * number}.")

    @question.mistake("You squared.")
    def squares(number):
        return number**2

    return question


def test_outcomes(double):
    assert double.check(lambda n: 2 * n).state == checks.CORRECT
    assert double.check(lambda n: n**2).mistake == "squares"
    assert double.check(lambda n: 3 * n).state == checks.WRONG
    assert double.check(None).state == checks.NOT_ATTEMPTED
    assert double.check(lambda n: None).state == checks.NOT_ATTEMPTED
    assert double.check(lambda n: ...).state == checks.NOT_ATTEMPTED


def test_error_names_the_line(double):
    def mine(number):
        return number + undefined  # noqa: F821

    outcome = double.check(mine)
    assert outcome.state == checks.RAISED
    assert "NameError: name 'undefined' is not defined" in outcome.message
    assert "return number + undefined" in outcome.message


def test_html_escapes_and_text_is_plain(double):
    outcome = double.check(lambda n: 3 * n)
    assert "&lt;b&gt;" in outcome._repr_html_()
    assert repr(outcome).startswith("✘ Twice <b>: Not right yet\n  double(")
    assert "(2 points)" in repr(double.check(lambda n: 2 * n))


def test_hints_go_step_by_step_and_stay_at_the_last(double):
    assert [double.hint().message for _ in range(3)] == ["Add.", "Add it to itself.", "Add it to itself."]


def test_seed_comes_from_the_grader(double, monkeypatch):
    seen = []
    keep = lambda n: seen.append(n) or 2 * n  # noqa: E731
    for seed in ("1", "2", "1"):
        monkeypatch.setenv("CXR_GRADER_SEED", seed)
        double.grade(keep)
    assert seen[0] == seen[-1]
    assert len(set(seen)) == 2


def test_validate_button_sees_an_exception_and_the_autograder_is_left_to_its_own_tests(double, monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    with pytest.raises(checks.NotCorrect, match="You squared"):
        double.check(lambda n: n**2)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert double.check(lambda n: 1 / 0) is None
    with pytest.raises(checks.NotCorrect, match="ZeroDivisionError"):
        double.grade(lambda n: 1 / 0)


def stubborn(number):
    while True:
        with contextlib.suppress(Exception):
            sum(range(10))


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no alarm signals here")
def test_endless_loop_ends_and_the_alarm_is_put_back(double, monkeypatch):
    monkeypatch.setattr(_question, "SECONDS", 0.2)
    before = signal.getsignal(signal.SIGALRM)
    outcome = double.check(stubborn)
    assert outcome.state == checks.RAISED
    assert "never ends" in outcome.message
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_endless_loop_ends_where_there_are_no_alarm_signals(double, monkeypatch):
    monkeypatch.setattr(_question, "SECONDS", 0.2)
    monkeypatch.delattr(signal, "SIGALRM", raising=False)
    outcome = double.check(stubborn)
    assert outcome.state == checks.RAISED
    assert "never ends" in outcome.message
    assert double.check(lambda number: 2 * number).state == checks.CORRECT


def test_endless_loop_ends_in_a_thread_of_its_own(double, monkeypatch):
    monkeypatch.setattr(_question, "SECONDS", 0.2)
    found = []
    thread = threading.Thread(target=lambda: found.append(double.check(stubborn)), daemon=True)
    thread.start()
    thread.join(20)
    assert [outcome.state for outcome in found] == [checks.RAISED]


def test_alarm_that_rings_at_the_very_end_harms_nothing(monkeypatch):
    monkeypatch.delattr(signal, "SIGALRM", raising=False)
    monkeypatch.setattr(_running, "AGAIN", 0.0001)
    before = threading.active_count()

    def work():
        deadline = time.perf_counter() + 0.001
        while time.perf_counter() < deadline:
            pass

    stopped = finished = 0
    for _ in range(300):
        try:
            _running.limited(0.001, work)
            finished += 1
        except _running.Raised:
            stopped += 1
    time.sleep(0.05)  # a late ring would arrive here
    assert stopped + finished == 300
    assert threading.active_count() <= before, "no alarm is left ringing"


@pytest.mark.filterwarnings("default")
def test_warnings_do_not_reach_standard_error(double, capfd):
    def warns(number):
        warnings.warn("careful", stacklevel=1)
        return 2 * number

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        double.grade(warns)
    assert capfd.readouterr().err == ""


def test_questions_are_found_without_a_register():
    assert "04" in checks.lessons()
    assert all(name == question.name for name, question in checks.questions("04").items())
