"""Every question: the solution passes, the stub is not attempted, misconceptions get messages.

Each misconception has its own message.

Lessons are found, not listed: a new one is tested as soon as its check module and its source are
there.
"""

import functools
import math
import re
import time

import numpy as np
import pandas as pd
import pytest

from cxr_helpers import checks
from tools.build import exercises

pytestmark = pytest.mark.slow

SEEDS = (1,)  # test_border tries seed 0, in two processes
SOURCES = {exercises.lesson(source): source for source in exercises.sources()}
QUESTIONS = {
    f"{lesson}-{name}": (lesson, question)
    for lesson in checks.lessons()
    for name, question in checks.questions(lesson).items()
}
FUNCTIONS = {key: pair for key, pair in QUESTIONS.items() if pair[1].kind == "function"}
every_question = pytest.mark.parametrize(("lesson", "question"), QUESTIONS.values(), ids=QUESTIONS)
every_function = pytest.mark.parametrize(("lesson", "question"), FUNCTIONS.values(), ids=FUNCTIONS)
every_mistake = pytest.mark.parametrize(
    ("question", "name"),
    [(question, name) for _, question in QUESTIONS.values() for name in question.mistakes],
    ids=[f"{key}-{name}" for key, (_, question) in QUESTIONS.items() for name in question.mistakes],
)


@functools.cache
def answers(lesson: str, solved: bool = True) -> dict:
    return exercises.answers(SOURCES[lesson], solved=solved)


def test_each_lesson_has_a_source_and_each_source_its_questions():
    assert set(SOURCES) == set(checks.lessons())


@every_question
def test_solution_passes_within_five_seconds(lesson, question):
    answer = answers(lesson)[question.name]
    for seed in SEEDS:
        for _ in range(2):  # once more where it was slow: the first time imports libraries
            start = time.process_time()
            outcome = question.evaluate(answer, seed)
            seconds = time.process_time() - start
            assert outcome.state == checks.CORRECT, f"seed {seed}: {outcome}"
            if seconds < 5:
                break
        assert seconds < 5
    if not question.trains:
        question.grade(answer)


@every_question
def test_stub_runs_and_is_not_attempted(lesson, question):
    stub = answers(lesson, solved=False)[question.name]
    outcome = question.evaluate(stub)
    assert outcome.state == checks.NOT_ATTEMPTED, str(outcome)
    with pytest.raises(checks.NotCorrect, match="not attempted"):
        question.grade(stub)


@every_mistake
def test_misconception_is_caught_by_its_own_message(question, name):
    mistake = question.mistakes[name]
    pattern = re.sub(r"\\\{[^{}]*\\\}", ".+", re.escape(mistake.message))
    for seed in SEEDS:
        outcome = question.evaluate(mistake.answer, seed)
        assert outcome.state == checks.WRONG, str(outcome)
        assert outcome.mistake == name, str(outcome)
        assert re.fullmatch(pattern, outcome.message, re.DOTALL), outcome.message
        others = [m.message for m in question.mistakes.values() if m is not mistake]
        assert outcome.message not in others


@every_question
def test_answers_at_the_edge_of_the_tolerance_go_the_right_way(lesson, question):
    for seed in SEEDS:
        near = list(question.near(answers(lesson)[question.name]))
        sides = {False} if question.trains else {True, False}  # the solution is tried above
        assert {accepted for *_, accepted in near} == sides, "give edges on both sides"
        for what, answer, accepted in near:
            outcome = question.evaluate(answer, seed)
            assert (outcome.state == checks.CORRECT) == accepted, f"{what}, seed {seed}: {outcome}"


LUCKY = {  # answers that need no data: none of them may be right, whatever the seed
    "one word for all models": ("11-diagnose", lambda bins: "over-confident"),
    "one word for all hospitals": ("12-happened", lambda *case: "scores moved"),
    "six runs typed in": (
        "08-what_happened",
        lambda runs: dict(
            zip("ABCDEF", ["too long", "input", "rate", "batch norm", "sound", "rate"], strict=True)
        ),
    ),
}


@pytest.mark.parametrize(("key", "answer"), LUCKY.values(), ids=LUCKY)
def test_answers_without_a_look_at_the_data_are_not_right_by_luck(key, answer):
    for seed in range(8):
        outcome = QUESTIONS[key][1].evaluate(answer, seed)
        assert outcome.state == checks.WRONG, f"seed {seed}: {outcome}"
        assert "cannot be read" not in outcome.message


def test_logits_far_apart_cost_what_keras_says():
    from keras import initializers, layers, losses

    def wide(task):
        layer, loss = answers("06")["last_layer"](task)
        if task == "raw":
            # Keras cuts probabilities off at 1e-7, and no logits
            spread = initializers.RandomNormal(stddev=5, seed=0)
            layer, loss = (
                layers.Dense(4, kernel_initializer=spread),
                losses.CategoricalCrossentropy(from_logits=True),
            )
        return layer, loss

    outcome = QUESTIONS["06-last_layer"][1].evaluate(wide)
    assert outcome.state == checks.CORRECT, str(outcome)


@every_question
def test_question_is_complete(lesson, question):
    assert question.points > 0
    assert len(question.hints) >= 2
    assert len(question.mistakes) >= 2
    assert question.kind in ("function", "value")
    assert not question.wants.endswith(".")
    assert len({mistake.message for mistake in question.mistakes.values()}) == len(
        question.mistakes
    )


def endless(*_):
    while True:
        pass


def leave(*_):
    raise SystemExit("bye")


def break_input(*args):
    for argument in args:
        if isinstance(argument, pd.DataFrame):
            argument.drop(columns=list(argument.columns), inplace=True)
        elif isinstance(argument, np.ndarray):
            argument[:] = 0
    return 1 / 0


ODD = [
    "text",
    "",
    7,
    -1,
    math.nan,
    math.inf,
    True,
    b"bytes",
    object(),
    [],
    {},
    (),
    [1, 2],
    {"a": 1},
    {1, 2},
    range(3),
    np.zeros((0, 3)),
    np.full(5, np.nan),
    np.array(["a"]),
    pd.DataFrame(),
    pd.Series([1.0]),
    pd.NA,
    pd.NaT,
    type,
]


@pytest.mark.parametrize("key", QUESTIONS)
def test_odd_answers_are_wrong_and_harm_nothing(key):
    """Each question meets a third of them, its neighbours the others."""
    question = QUESTIONS[key][1]
    for odd in ODD[list(QUESTIONS).index(key) % 3 :: 3]:
        outcome = question.evaluate(odd)
        assert outcome.state in (checks.WRONG, checks.RAISED), f"{odd!r}: {outcome}"
        assert outcome.message
        assert "Traceback" not in outcome._repr_html_()
        if question.kind == "function":
            outcome = question.evaluate(lambda *args, odd=odd, **kwargs: odd)
            assert outcome.state != checks.CORRECT, f"function returning {odd!r}: {outcome}"


@every_function
def test_functions_that_exit_break_or_raise_are_reported(lesson, question):
    for function, words in (
        (leave, "SystemExit"),
        (break_input, "ZeroDivisionError"),
        (lambda: 1, "TypeError"),
    ):
        outcome = question.evaluate(function)
        assert outcome.state == checks.RAISED, str(outcome)
        assert words in outcome.message
    if not question.trains:
        assert question.evaluate(answers(lesson)[question.name]).state == checks.CORRECT


def test_each_part_of_a_split_to_prove_has_patients_with_a_name():
    question = QUESTIONS["04-is_disjoint"][1]
    for seed in (200, 744, *range(40)):  # the first two once had none in one part
        table = question.sample(seed)
        assert table.dropna(subset=["patient"])["split"].nunique() == 3, f"seed {seed}"
