"""The border between a student's process and the judge, who never ran their code; in marking only.

The judge holds the questions and asks: it sends arguments, and the student's process answers with
what a function returned (`values` says how values cross). The student's side can lie about its own
answers and about nothing else: what is right, the data, the rule and the verdict stay with the
judge.

    student's process                              judge
    hand_over(ticket, answer)               →      attend(connection, tickets, note)
                                            ←      call function 0 with these arguments
    returned this, or raised that           →
                                            ←      the outcome
"""

import builtins
import contextlib
import math
import os
import signal
import socket
import struct
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from ..console import quiet
from . import _question
from ._outcome import BROKEN, RAISED, WRONG, Outcome
from ._running import Attempt, NotAttempted, OutOfTime, Raised, Wrong, limited, warnings_on_stdout
from .values import LARGEST, Reader, Unfit, Writer

PLACE = 100  # number of the open file by which a kernel that is marked reaches its judge
GRACE = 5  # seconds that the judge waits longer than the student's side, which stops first


class Cut(Exception):
    """The connection is of no more use: the other side ended, or sent what it must not."""


class Side(ABC):
    """One side of the border; it serves calls of its own functions while it waits for answers."""

    def __init__(self, connection: socket.socket, *, trusting: bool):
        self.connection, self._trusting = connection, trusting
        self.writer = Writer(LARGEST if trusting else math.inf)
        self.reader = Reader(self._far, trusting=trusting)

    def send(self, message: dict) -> None:
        """Send a message; raises `Unfit`, and sends nothing, where a value in it cannot cross."""
        content = self.writer.write(message)
        try:
            self.connection.sendall(struct.pack("<Q", len(content)) + content)
        except OSError as error:
            raise Cut("The connection was cut.") from error

    def receive(self) -> dict:
        """The next message; raises `Unfit` where it says nothing that can be read."""
        (size,) = struct.unpack("<Q", self._bytes(8))
        if not self._trusting and size > 2 * LARGEST:
            raise Cut(f"The answer has more than {LARGEST / 1e6:.0f} MB.")
        message = self.reader.read(self._bytes(size))
        if not isinstance(message, dict):
            raise Unfit("The answer cannot be read: it is no message.")
        return message

    def _bytes(self, size: int) -> bytes:
        found = bytearray()
        while len(found) < size:
            try:
                part = self.connection.recv(min(size - len(found), 1_000_000))
            except OSError as error:
                raise Cut("The connection was cut.") from error
            if not part:
                raise Cut("The process that held the answer has ended.")
            found += part
        return bytes(found)

    def ask(self, message: dict) -> dict:
        """Send a message and return the answer to it."""
        self.send(message)
        while (answer := self.receive()).get("do") == "call":
            self._reply(self._serve(answer))
        return answer

    def _reply(self, message: dict) -> None:
        try:
            self.send(message)
        except Unfit as error:
            self.send({"do": "unfit", "text": str(error)})

    @abstractmethod
    def _serve(self, call: dict) -> dict: ...

    @abstractmethod
    def _far(self, number: int, name: str, kind: str, doc: str) -> Any: ...


# --- the student's side -----------------------------------------------------------------------


def hand_over(ticket: str, answer: Any, connection: socket.socket | None = None) -> Outcome:
    """Give the judge an answer, call its functions as often as the judge asks; return the outcome.

    `ticket` says which question is answered, and is good for one answer; `connection`: that of the
    kernel, where none is given.
    """
    side = Student(connection or socket.socket(fileno=os.dup(PLACE)))
    try:
        with warnings_on_stdout():
            side.send({"do": "open", "ticket": ticket})
            try:
                told = side.ask({"do": "answer", "answer": answer})
            except Unfit as error:
                told = side.ask({"do": "unfit", "text": str(error)})
    except Cut as error:
        return Outcome(BROKEN, "Marking", f"No judge answers ({error}) Your answer was not judged.")
    return Outcome(**told["outcome"])


class Student(Side):
    """The side where the student's code runs."""

    def __init__(self, connection: socket.socket):
        super().__init__(connection, trusting=True)

    def _serve(self, call: dict) -> dict:
        own = Attempt(self.writer.own[call["number"]])
        try:
            work = lambda: own._call(call["args"], call["kwargs"])  # noqa: E731
            return {"do": "return", "value": limited(call["seconds"], work)}
        except NotAttempted:
            return {"do": "return", "value": None}
        except OutOfTime:
            return {"do": "late"}
        except Raised as error:
            return {"do": "raised", "text": str(error)}
        except Wrong as error:
            return {"do": "unfit", "text": str(error)}
        except Exception as error:  # noqa: BLE001 - what was returned may be anything
            return {"do": "unfit", "text": f"The answer cannot be read ({error!s:.200})."}

    def _far(self, number: int, name: str, kind: str, doc: str) -> Callable:
        def given(*args: Any, **kwargs: Any) -> Any:
            with _unhurried():
                told = self.ask({"do": "call", "number": number, "args": args, "kwargs": kwargs})
            if told["do"] == "return":
                return told["value"]
            raise _error(told["name"], told["text"])

        given.__name__, given.__doc__ = name, doc
        return given


def _error(name: str, text: str) -> Exception:
    """The error that the judge's function raised, as one of Python's own where it was one."""
    cls = getattr(builtins, name, None)
    if not (isinstance(cls, type) and issubclass(cls, Exception)):
        cls = type(name, (Exception,), {})
    with contextlib.suppress(TypeError):  # some take more than a text
        return cls(text)
    return RuntimeError(f"{name}: {text}")


@contextlib.contextmanager
def _unhurried() -> Iterator[None]:
    """Let no alarm ring in the middle of a message; it rings right after."""
    here = threading.current_thread() is threading.main_thread()
    if sys.platform == "win32" or not here or not hasattr(signal, "SIGALRM"):
        yield
        return
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})


# --- the judge's side --------------------------------------------------------------------------


def attend(connection: socket.socket, tickets: dict[str, tuple], note: Callable) -> None:
    """Judge what comes across a connection until it ends.

    `tickets`: question and seed by ticket, each good for one answer; `note` is told ticket and
    outcome before the student's side is.
    """
    open_ = dict(tickets)
    while True:
        judge = Judge(connection)
        try:
            ticket = judge.receive().get("ticket")
            known = open_.pop(ticket) if isinstance(ticket, str) and ticket in open_ else None
            outcome = judge.outcome(*known) if known else judge.refused()
            if known:
                note(ticket, outcome)
            judge.send({"do": "outcome", "outcome": asdict(outcome)})
        except (Cut, Unfit):
            return
        if judge.broken:
            return


REFUSED = Outcome(
    BROKEN, "Marking", "This is no question's turn: each is answered once, by its test."
)


class Judge(Side):
    """The side that holds the questions."""

    def __init__(self, connection: socket.socket):
        super().__init__(connection, trusting=False)
        self.seconds: float = _question.SECONDS  # for the answer that is judged
        self.ends = 0.0  # when the student's time is up
        self.broken = ""  # why nothing more can be asked

    def outcome(self, question: _question.Question, seed: int) -> Outcome:
        """Outcome of the answer that comes next, on the data of a seed."""
        wrong = "The answer cannot be read."
        try:
            told = self.receive()
            if told.get("do") == "answer":
                self.seconds = question.seconds
                self.ends = time.monotonic() + self.seconds
                with quiet():
                    return question.evaluate(told["answer"], seed)
            wrong = f"{told.get('text')!s:.500}"
        except Unfit as error:
            wrong = str(error)
        except Cut as error:
            return Outcome(RAISED, question.title, str(error), question.points)
        message = f"{wrong} Expected: {question.wants}."
        return Outcome(WRONG, question.title, message, question.points)

    def refused(self) -> Outcome:
        """What is said of an answer without a ticket; it is read, and not looked at."""
        with contextlib.suppress(Unfit):
            self.receive()
        return REFUSED

    def _serve(self, call: dict) -> dict:
        try:
            function = self.writer.own[int(call["number"])]
            return {"do": "return", "value": function(*call["args"], **call["kwargs"])}
        except Exception as error:  # noqa: BLE001 - the student's own, who called it
            text = error.args[0] if isinstance(error, KeyError) and error.args else error
            return {"do": "raised", "name": type(error).__name__, "text": f"{text!s:.1000}"}

    def _far(self, number: int, name: str, kind: str, doc: str) -> Any:
        return type(str(kind)[:100], (Far,), {})(self, int(number), str(name)[:200])


class Far(Attempt):
    """A student's function as a rule calls it, where it runs in a process of its own."""

    grace = GRACE

    def __init__(self, judge: Judge, number: int, name: str):
        super().__init__(None)
        self.judge, self.number, self.__name__ = judge, number, name

    def __deepcopy__(self, memo: dict) -> "Far":
        return self

    def unsteady(self) -> bool:
        """As for any attempt, with time of its own."""
        self.judge.ends = time.monotonic() + self.judge.seconds
        return super().unsteady()

    def _call(self, args: tuple, kwargs: dict) -> Any:
        self.calls += 1
        if self.judge.broken:
            raise Raised(self.judge.broken)
        self.running = True
        call = {"do": "call", "number": self.number, "args": args, "kwargs": kwargs}
        try:
            told = self.judge.ask(call | {"seconds": max(self.judge.ends - time.monotonic(), 0.1)})
        except Unfit as error:
            told = {"do": "unfit", "text": str(error)}
        except Cut as error:
            self.judge.broken = str(error)
            told = {"do": "raised", "text": str(error)}
        except BaseException:  # the alarm: the other side did not stop its function
            self.judge.broken = "It did not answer any more."
            raise
        if told.get("do") == "late":
            raise OutOfTime(f"It took longer than {self.judge.seconds:g} seconds.")
        self.running = False
        if told.get("do") == "return":
            return self.attempted(told.get("value"))
        raise (Raised if told.get("do") == "raised" else Wrong)(f"{told.get('text')!s:.5000}")
