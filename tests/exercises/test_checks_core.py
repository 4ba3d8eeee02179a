"""The machinery of a question, on a small one of its own."""

import contextlib
import re
import signal
import threading
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from cxr_helpers import checks
from cxr_helpers.checks import (
    Choice,
    Compare,
    Mistake,
    Question,
    _question,
    _running,
    asked,
    expect,
    fresh,
    lesson04,
)
from cxr_helpers.checks._panels import Panels


def compared(**changed):
    """A question that compares: twice a number, on three of them."""
    declared = {
        "cases": lambda rng: asked(lambda n: 2 * n, [(int(n),) for n in rng.integers(10, 99, 3)]),
        "read": lambda value, case: expect.number(value),
        "same": expect.near(0.01),
        "places": lambda values, cases: {"first": values[0]},
        "explain": lambda value, case: f"double({case.given[0]}) is {case.right}, not {value:g}.",
        "mistakes": {"squares": Mistake(lambda n: n**2, "You squared and got {first:g}.")},
    }
    about = {"title": "Twice", "points": 1, "wants": "a number", "hints": ("Add.",)}
    return Compare("double", **about, **(declared | changed))


class TestCompare:
    def test_says_what_is_right_wrong_known_or_of_another_form(self):
        question = compared()
        assert question.evaluate(lambda n: 2 * n + 0.005).state == checks.CORRECT
        known = question.evaluate(lambda n: n**2)
        assert known.mistake == "squares"
        assert re.fullmatch(r"You squared and got \d+\.", known.message)
        other = question.evaluate(lambda n: 3 * n)
        assert (other.state, other.mistake) == (checks.WRONG, None)
        assert re.fullmatch(r"double\(\d+\) is \d+, not \d+\.", other.message)
        assert "one number" in question.evaluate(lambda n: "text").message

    def test_right_on_some_cases_only_is_wrong(self):
        question = compared(cases=lambda rng: asked(lambda n: 2 * n, [(1,), (2,), (3,)]))
        assert question.evaluate(lambda n: 2 * n if n < 3 else 5).state == checks.WRONG

    @pytest.mark.parametrize("part", ["cases", "same", "explain", "places"])
    def test_a_fault_in_what_is_declared_is_the_courses(self, part):
        question = compared(**{part: lambda *_: 1 / 0})
        wrong = (lambda n: n**2) if part == "places" else (lambda n: 3 * n)
        assert question.evaluate(wrong).state == checks.BROKEN

    def test_data_that_never_tell_are_the_courses_fault(self):
        question = compared(cases=lambda rng: fresh.until(lambda: [], bool))
        outcome = question.evaluate(lambda n: 2 * n)
        assert outcome.state == checks.BROKEN
        assert "none tells right answers from wrong ones" in outcome.message


class TestChoice:
    @pytest.fixture
    def question(self):
        return Choice(
            "best",
            title="Best",
            points=1,
            wants="best(table) returns a letter",
            hints=("Look.", "Look again."),
            row=lambda rng: {"split": str(rng.choice(["patient", "image"])), "n": rng.integers(9)},
            why_not={
                "by_image": (lambda row: row["split"] == "image", "Split by image."),
                "small": (lambda row: row["n"] < 5, "Too few."),
            },
        )

    def test_a_table_has_one_sound_option_and_each_fault_once(self, question):
        for seed in range(20):
            table = question.sample(seed)
            assert list(table.index) == ["A", "B", "C"]
            faults = zip(table["split"] == "image", table["n"] < 5, strict=True)
            assert sorted(map(tuple, faults)) == [(False, False), (False, True), (True, False)]

    def test_a_rule_is_right_and_a_letter_never(self, question):
        sound = question.evaluate(lambda t: t.index[(t["split"] == "patient") & (t["n"] >= 5)][0])
        assert sound.state == checks.CORRECT
        for letter in "ABC":
            assert question.evaluate(letter).state == checks.WRONG
            assert question.evaluate(lambda t, letter=letter: letter).state == checks.WRONG

    def test_a_rule_that_overlooks_a_fault_is_told_why(self, question):
        overlooks = question.evaluate(lambda t: t.index[t["split"] == "patient"][-1])
        assert (overlooks.mistake, overlooks.message) == ("small", "Too few.")


class TestPanels:
    @pytest.fixture
    def question(self):
        return Panels(
            "told",
            title="Told",
            points=1,
            wants="told(numbers) returns a name",
            hints=("Look at the sign.", "And at zero."),
            panel=lambda rng, what: (
                rng.uniform(1, 2, 3) * {"up": 1, "down": -1, "flat": 0}[what],
            ),
            signs={
                "up": "All are above zero.",
                "down": "All are below.",
                "flat": "None is either.",
            },
            mistakes={"no_zero": Mistake(lambda a: "up" if a[0] >= 0 else "down", "What is zero?")},
        )

    @staticmethod
    def told(numbers):
        return {1: "up", -1: "down", 0: "flat"}[int(np.sign(numbers[0]))]

    def test_says_what_is_right_wrong_or_known(self, question):
        assert question.evaluate(self.told).state == checks.CORRECT
        assert question.evaluate(lambda a: "UP" if a[0] >= 0 else "down").mistake == "no_zero"
        other = question.evaluate(lambda a: "down" if a[0] > 0 else self.told(a))
        assert (other.state, other.mistake) == (checks.WRONG, None)
        assert other.message == "What happened is 'up', and you say 'down'. All are above zero."
        assert "should be one of 'up', 'down', 'flat'" in question.evaluate(lambda a: 3).message

    def test_shows_each_name_once_in_another_order_than_declared_and_asks_about_other_panels(
        self, question
    ):
        shown = [[self.told(*panel) for panel in question.sample(k).values()] for k in range(20)]
        assert {frozenset(names) for names in shown} == {frozenset(["up", "down", "flat"])}
        assert len(set(map(tuple, shown))) > 3
        asked = question.cases(question._rng(0))
        assert len(asked) == 9
        panels = [numbers.tolist() for (numbers,) in question.sample(0).values() if numbers.any()]
        assert not any(case.given[0].tolist() in panels for case in asked)


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
    assert [double.hint().message for _ in range(3)] == [
        "Add.",
        "Add it to itself.",
        "Add it to itself.",
    ]


def test_the_graders_seed_counts_and_no_variable_of_the_students(double, monkeypatch):
    seen = []

    def keep(number):
        seen.append(number)
        return 2 * number

    monkeypatch.setenv("CXR_GRADER_SEED", "2")
    for seed in (1, 2, 1):
        double.grade(keep, seed)
    assert seen[0] == seen[-1]
    assert len(set(seen)) == 2


def test_each_check_has_data_of_its_own_and_says_how_to_repeat_them(double, monkeypatch):
    seen = []

    def wrong(number):
        seen.append(number)
        return 3 * number

    seeds = iter([11, 12, 13])
    monkeypatch.setattr(_question.secrets, "randbelow", lambda below: next(seeds))
    first, second = double.check(wrong), double.check(wrong)
    assert len(set(seen)) == 2
    assert "seed=11" in repr(first)
    assert "seed=12" in second._repr_html_()
    double.check(wrong, seed=11)
    assert seen[-1] == seen[0]
    assert "seed" not in repr(double.check(lambda n: 2 * n))


def test_what_is_shown_is_not_what_is_checked():
    question = Question(
        "same", title="S", points=1, wants="x", hints=(), data=lambda rng: rng.integers(10**9)
    )
    used = []
    question.rule(lambda answer, rng: used.append(int(question.data(rng))))
    for seed in range(5):
        question.evaluate(lambda: 1, seed)
        assert int(question.sample(seed)) != used[-1]


def test_an_answer_that_changes_is_called_random_and_nothing_else(double):
    dice = iter(range(1000))
    outcome = double.check(lambda number: number**2 if next(dice) % 2 else number + next(dice))
    assert outcome.state == checks.WRONG
    assert outcome.mistake is None
    assert "random" in outcome.message
    assert double.check(lambda number: number**2).mistake == "squares"


@pytest.mark.parametrize(
    ("a", "b", "apart"),
    [
        ({"x": np.zeros(3)}, {"x": np.zeros(3)}, False),
        ({"x": np.zeros(3)}, {"x": np.ones(3)}, True),
        ([1.0, "a"], [1.0 + 1e-9, "a"], False),
        ((1, 2), (1, 3), True),
        (pd.DataFrame({"a": ["x", None]}), pd.DataFrame({"a": ["x", None]}), False),
        (pd.DataFrame({"a": ["x", "y"]}), pd.DataFrame({"a": ["y", "x"]}), True),
        (pd.Series([1, np.nan]), pd.Series([1, np.nan]), False),
        (object(), object(), False),
        (np.array([0.5]), np.array([0.50001]), False),
    ],
)
def test_answers_differ_only_where_it_is_certain(a, b, apart):
    assert _running.differ(a, b) is apart


class TestTheCoursesFaults:
    """A rule that fails by itself is the course's fault, whatever was answered."""

    @pytest.fixture
    def question(self):
        zero = {"zero": Mistake(lambda number: 0, "Zero.")}
        wants = "a function of a number"
        return Question("one", title="One", points=1, wants=wants, hints=(), mistakes=zero)

    def judged(self, question, rule, answer=lambda number: 1):
        question.rule(rule)
        outcome = question.evaluate(answer)
        assert outcome.state == checks.BROKEN, outcome
        assert "fault of the course" in outcome.message
        with pytest.raises(checks.CheckBroken):
            question.grade(answer)
        return outcome

    def test_fails_before_it_asks(self, question):
        assert "ZeroDivisionError" in self.judged(question, lambda answer, rng: 1 / 0).message

    def test_fails_after_it_has_asked(self, question):
        self.judged(question, lambda answer, rng: (answer(1), {}["missing"]))

    def test_fails_where_only_right_answers_come(self, question):
        def rule(answer, rng):
            question.recognise([answer(1)], [(1,)])
            return {}["missing"]

        self.judged(question, rule)

    def test_never_ends_drawing(self, question, monkeypatch):
        monkeypatch.setattr(_question, "SECONDS", 0.2)
        self.judged(question, lambda answer, rng: stubborn(1))
        self.judged(question, lambda answer, rng: (answer(1), stubborn(1)))

    def test_an_answer_that_no_rule_can_read_stays_the_answers_fault(self, question):
        question.rule(lambda answer, rng: float(answer(1)))
        assert question.evaluate(lambda number: object()).state == checks.WRONG
        assert question.evaluate(lambda number: 1 / 0).state == checks.RAISED


def test_validate_button_sees_an_exception_and_the_autograder_is_left_to_its_own_tests(
    double, monkeypatch
):
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
        except _running.OutOfTime:
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


def test_a_fold_of_the_installed_scikit_learn_is_known_again():
    table = fresh.grouped(np.random.default_rng(0), 60, copies=8, labels=("normal", "covid"))
    cut = StratifiedGroupKFold(5, shuffle=True, random_state=7)
    for _, held in cut.split(table, table["label"], groups=table["group"]):
        part = pd.Series("train", index=table.index)
        part.iloc[held] = "test"
        assert lesson04._is_fold(table, part, seed=7)
        assert not lesson04._is_fold(table, part, seed=8)
        part.iloc[held[0]] = "train"
        assert not lesson04._is_fold(table, part, seed=7)
