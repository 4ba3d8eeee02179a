"""The border between a student's process and the judge: what crosses it, and no cheat does.

Two plain processes stand for a kernel and its judge: this one runs answers, another judges them.
"""

import contextlib
import io
import json
import multiprocessing
import os
import pickle
import socket
import struct
import sys
import tempfile
from pathlib import Path, PurePath

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import checks
from cxr_helpers.checks import Question, Wrong, _question, border, expect, values
from tools.marking.judge import bench, sit

from .proofs.across import across, one_of_each_kind

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the judge is forked")


# --- values ---------------------------------------------------------------------------------------


def crossed(value, **how):
    """What arrives of a value on the other side."""
    reader = values.Reader(lambda number, name, kind, doc: (number, name, kind), **how)
    return reader.read(values.Writer().write(value))


VALUES = [
    *(None, True, 7, -(10**30), 0.1, float("inf"), 1 + 2j, "text", "\ud83d", b"\0\xff", ...),
    *([1, [2]], (1, ("a",)), {1, 2}, frozenset("ab"), {"a": [1], 2: None}, range(3), Path("a/b")),
    *(np.float32(0.1), np.int64(3), np.str_("a"), np.bool_(True), np.datetime64("2020-01-01")),
    *(
        np.arange(6).reshape(2, 3),
        np.zeros((0, 3)),
        np.array(["a", "bc"]),
        np.array([1, None, "a"]),
    ),
    *(np.asfortranarray(np.eye(3, 2)), np.array(2.5), np.array([np.nan, 1]), np.zeros(2, "i1,f4")),
    *(pd.Series([1.0, 2], [3, 4], name="a"), pd.Series(["a", None]), pd.Index([1, 2], name="i")),
    *(pd.Series([1, None], dtype="Int64"), pd.array(["a", pd.NA], dtype="string")),
    pd.Categorical(["a", "b", None], ["b", "a"], ordered=True),
    pd.DataFrame({"a": [1, 2], "b": ["x", None], 3: pd.Categorical(["u", "v"])}, [5, 6]),
    pd.DataFrame({"t": pd.to_datetime(["2020-01-01", None])}),
    pd.DataFrame({"a": [1]}, pd.MultiIndex.from_tuples([("x", 1)], names=["p", "q"])),
    *(pd.DataFrame(), pd.DataFrame(np.eye(2), columns=["a", "a"]), pd.NA, pd.NaT),
    *(pd.Timestamp("2020-01-01", tz="UTC"), pd.Timedelta("1h")),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_plain_values_keep_their_type(value):
    found = crossed(value)
    assert type(found) is type(value)
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(found, value)
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(found, value)
    elif isinstance(value, pd.Index | np.ndarray | pd.api.extensions.ExtensionArray):
        assert found.dtype == value.dtype
        assert repr(found) == repr(value)
    elif isinstance(value, set | frozenset):
        assert found == value
    else:
        assert repr(found) == repr(value)


def test_what_only_looks_like_a_plain_value_becomes_one():
    class Agrees(str):
        __slots__ = ()

        def __eq__(self, other):
            return True

        __hash__ = str.__hash__

    class Any:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert type(crossed(Agrees("A"))) is str
    assert crossed(Agrees("A")) != "B"
    assert crossed(Any()) != 1
    assert type(crossed([Any()])[0]).__name__ == "Any"
    assert type(crossed(Any)).__name__ == "type"


def test_functions_images_and_iterators():
    assert crossed([len, len, print])[:2] == [(0, "len", "builtin_function_or_method")] * 2
    picture = Image.fromarray(np.arange(12, dtype="uint8").reshape(3, 4))
    assert np.array_equal(np.asarray(crossed(picture)), np.asarray(picture))
    assert list(crossed(n for n in range(3))) == [0, 1, 2]
    assert list(crossed({"a": 1}.keys())) == ["a"]
    assert isinstance(crossed(PurePath("a")), Path)


def parts(*contents: bytes) -> bytes:
    return struct.pack("<I", len(contents)) + b"".join(
        struct.pack("<Q", len(c)) + c for c in contents
    )


def npy(shape: tuple, descr: str, content: bytes) -> bytes:
    np.lib.format.write_array_header_1_0(
        out := io.BytesIO(), {"descr": descr, "fortran_order": False, "shape": shape}
    )
    return out.getvalue() + content


class Evil:
    def __reduce__(self):
        return (os._exit, (1,))


LAYER = {"module": "keras.layers", "registered_name": None}
HOSTILE = {
    "no message": b"",
    "a pickle": pickle.dumps(Evil()),
    "a pickled array": parts(b'{"": "array", "b": 1}', npy((1,), "|O", pickle.dumps([Evil()]))),
    "an array too short": parts(b'{"": "array", "b": 1}', npy((10**9,), "<f8", b"\0" * 8)),
    "a blob that is not there": parts(b'{"": "bytes", "b": 9}'),
    "lists in lists": parts(b"[" * 100_000),
    "no such kind": parts(b'{"": "os.system", "v": "true"}'),
    "a class of the course": parts(b'{"": "table", "v": 3}'),
    "a number of no length": parts(b'{"": "int", "v": "x"}'),
    "Keras: any module": parts(
        json.dumps(
            {
                "": "keras",
                "number": 0,
                "weights": [],
                "config": {
                    "module": "os",
                    "class_name": "system",
                    "config": {"command": "true"},
                    "registered_name": None,
                },
            }
        ).encode()
    ),
    "Keras: a built-in": parts(
        json.dumps(
            {
                "": "keras",
                "number": 0,
                "weights": [],
                "config": {
                    "module": "builtins",
                    "class_name": "function",
                    "config": "eval",
                    "registered_name": "function",
                },
            }
        ).encode()
    ),
    "Keras: a lambda": parts(
        json.dumps(
            {
                "": "keras",
                "number": 0,
                "weights": [],
                "config": LAYER | {"class_name": "Lambda", "config": {}},
            }
        ).encode()
    ),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_no_value(content):
    with pytest.raises(values.Unfit):
        values.Reader(lambda *told: None).read(content)


# --- two processes --------------------------------------------------------------------------------


@contextlib.contextmanager
def judge(questions: dict[str, Question], copies: int = 1):
    """A judge in a process of its own; gives the connection to it and what it has noted."""
    here, there = socket.socketpair()
    context = multiprocessing.get_context("fork")
    notes = context.SimpleQueue()
    tickets = {f"{name} {k}": (q, 0) for name, q in questions.items() for k in range(copies)}

    def attend():
        here.close()
        border.attend(there, tickets, lambda ticket, outcome: notes.put((ticket, outcome.state)))

    process = context.Process(target=attend, daemon=True)
    process.start()
    there.close()
    try:
        yield here, notes
    finally:
        here.close()
        process.join(10)
        process.kill()


def judged(question: Question, answer) -> checks.Outcome:
    with judge({"q": question}) as (connection, _), contextlib.redirect_stdout(io.StringIO()):
        return border.hand_over("q 0", answer, connection)


class AlwaysEqual:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = None

    def __float__(self):
        sys.modules["cxr_helpers.checks.expect"].number = lambda value, what="": value
        return 1.0


def leaves(number):
    sys.exit()


def huge(number):
    return np.broadcast_to(np.float64(number), (10**6, 10**6))


def patches(number):
    expect.number = lambda value, what="": 2 * number
    expect.same = lambda a, b: False
    return 3 * number


CHEATS = {
    "an object equal to all": (lambda number: AlwaysEqual(), checks.WRONG, "should be one number"),
    "exit": (leaves, checks.RAISED, "not end the program"),
    "too much": (huge, checks.WRONG, "more than 50 MB"),
    "the package patched": (patches, checks.WRONG, "replaced cxr_helpers.checks.expect."),
    "a class": (int, checks.WRONG, "must be a function, not a type"),
    "squares": (lambda number: number**2, checks.WRONG, "You squared"),
    "an error": (lambda number: number / 0, checks.RAISED, "in line"),
    "itself": (lambda number: (lambda a: a.append(a) or a)([]), checks.WRONG, "cannot be read"),
}


@pytest.mark.parametrize(("answer", "state", "words"), CHEATS.values(), ids=CHEATS)
def test_no_trick_of_an_answer_reaches_the_judge(double, answer, state, words, monkeypatch):
    for name in ("number", "same"):  # put back what an answer replaces
        monkeypatch.setattr(expect, name, getattr(expect, name))
    outcome = judged(double, answer)
    assert outcome.state == state, outcome
    assert words in outcome.message


def test_the_call_stack_tells_the_truth_in_the_kernel_and_nothing_across_the_border():
    question = Question("guess", title="Guess", points=1, wants="a number", hints=())

    @question.rule
    def _(guess, rng):
        secret = int(rng.integers(10**9))
        if guess() != secret:
            raise Wrong("no")

    def looks():
        frame = sys._getframe()
        while frame and "secret" not in frame.f_locals:
            frame = frame.f_back
        return frame.f_locals["secret"] if frame else 0

    assert question.evaluate(looks, 0).state == checks.CORRECT
    assert judged(question, looks).state == checks.WRONG


def test_right_answers_and_a_second_question(double):
    with judge({"a": double, "b": double}) as (connection, notes):
        assert border.hand_over("a 0", lambda n: 2 * n, connection).state == checks.CORRECT
        assert border.hand_over("b 0", None, connection).state == checks.NOT_ATTEMPTED
        assert [notes.get(), notes.get()] == [("a 0", "correct"), ("b 0", "not attempted")]


@pytest.mark.slow
def test_a_ticket_is_good_for_one_answer_and_no_other_is_taken(double):
    with judge({"a": double}) as (connection, notes):
        assert border.hand_over("guessed", lambda n: 2 * n, connection).state == checks.BROKEN
        assert border.hand_over("a 0", lambda n: 3 * n, connection).state == checks.WRONG
        assert border.hand_over("a 0", lambda n: 2 * n, connection).state == checks.BROKEN
        assert notes.get() == ("a 0", "wrong")
        assert notes.empty()


def test_endless_answers_end_and_the_next_question_is_judged(double, monkeypatch):
    monkeypatch.setattr(_question, "SECONDS", 2)

    def endless(number):
        while True:
            pass

    with judge({"a": double, "b": double}) as (connection, _):
        outcome = border.hand_over("a 0", endless, connection)
        assert outcome.state == checks.RAISED
        assert "never ends" in outcome.message
        assert border.hand_over("b 0", lambda n: 2 * n, connection).state == checks.CORRECT


@pytest.mark.parametrize("sent", [b"\xff" * 8, b"\0" * 8, b"\7\0\0\0\0\0\0\0no JSON", b"\1"])
def test_bytes_in_place_of_an_answer_give_no_points(double, sent):
    with judge({"a": double}) as (connection, notes):
        border.Student(connection).send({"do": "open", "ticket": "a 0"})
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        assert notes.get()[1] in (checks.WRONG, checks.RAISED)


def test_a_process_that_ends_in_the_middle_has_no_points(double):
    with judge({"a": double}) as (connection, notes):
        connection.settimeout(20)
        side = border.Student(connection)
        side.send({"do": "open", "ticket": "a 0"})
        side.send({"do": "answer", "answer": lambda number: 2 * number})
        side.receive()  # it asks; nobody answers
        connection.close()
        assert notes.get() == ("a 0", checks.RAISED)


def test_what_the_judge_hands_out_can_be_called_and_raises_there():
    question = Question("ask", title="Ask", points=1, wants="a number", hints=())

    @question.rule
    def _(ask, rng):
        secret = int(rng.integers(1000))

        def study(what):
            """A study."""
            if what < 0:
                raise ValueError("no such study")
            return secret + what

        if ask(study, np.arange(3)) != secret + 3:
            raise Wrong("no")

    def answer(study, values):
        assert (study.__name__, study.__doc__) == ("study", "A study.")
        with contextlib.suppress(ValueError):
            study(-1)
            return None
        return study(values.sum())

    assert judged(question, answer).state == checks.CORRECT
    assert judged(question, lambda study, values: study(-1)).state == checks.RAISED
    assert judged(question, lambda study, values: 0).state == checks.WRONG


# --- every question, and Keras's objects: with a judge that is not forked from here ---------------


@pytest.mark.slow
@pytest.mark.parametrize("lesson", checks.lessons())
def test_questions_are_judged_across_the_border_as_in_the_notebook(lesson, judges):
    tried, names = one_of_each_kind(lesson), set()
    for what, outcome, noted in across(lesson, tried, seed=0):
        name, _, state, mistake = tried[what]
        names.add((name, state))
        assert (outcome.state, outcome.mistake) == (state, mistake), (what, outcome)
        assert noted["message"] == outcome.message
    for name, question in checks.questions(lesson).items():
        assert (name, checks.CORRECT) in names
        assert ((name, checks.WRONG) in names) == (not question.trains)
    assert checks.NOT_ATTEMPTED in {state for _, state in names}


@pytest.mark.slow
def test_a_judge_that_does_not_come_is_an_error_of_marking():
    with (
        tempfile.TemporaryDirectory(prefix="j") as name,
        bench(["no such lesson"], folder := Path(name)),
        pytest.raises((OSError, RuntimeError)),
        sit(folder / "judge", folder / "record", {}, folder),
    ):
        pass


BUILD = Question("build", title="Build", points=1, wants="a model", hints=())


@BUILD.rule
def _(build, rng):
    import keras

    images = rng.normal(size=(5, 3)).astype("float32")
    model, total = build(images)
    given = np.asarray(keras.ops.convert_to_numpy(model(images, training=False)))
    if not isinstance(model, keras.Model) or abs(given.sum() - total) > 1e-5:
        raise Wrong("another model")
    if [type(layer).__name__ for layer in model.layers][-1] != "Dense":
        raise Wrong("other layers")
    if keras.losses.get(model.loss).__name__ != "binary_crossentropy":
        raise Wrong("another loss")


def judge_builds(connection):
    import keras  # noqa: F401 - it takes long, and is not to take a student's time

    border.attend(connection, {"a": (BUILD, 0), "b": (BUILD, 0)}, lambda *told: None)


@pytest.mark.slow
def test_models_of_keras_cross_and_those_of_own_classes_are_asked():
    keras = pytest.importorskip("keras")

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.last = keras.layers.Dense(1, activation="sigmoid")

        def call(self, images):
            return self.last(images)

    def built(kind):
        def build(images):
            model = kind()
            model.compile("adam", "binary_crossentropy")
            return model, float(np.asarray(model(images)).sum())

        return build

    plain = built(lambda: keras.Sequential([keras.layers.Dense(1, activation="sigmoid")]))
    here, there = socket.socketpair()
    process = multiprocessing.get_context("spawn").Process(
        target=judge_builds, args=(there,), daemon=True
    )
    process.start()
    there.close()
    with here:
        for ticket, answer in {"a": plain, "b": built(Own)}.items():
            assert BUILD.evaluate(answer, 0).state == checks.CORRECT
            outcome = border.hand_over(ticket, answer, here)
            assert outcome.state == checks.CORRECT, outcome
    process.kill()
