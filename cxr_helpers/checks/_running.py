"""Running a student's answer so that nothing it does can harm the check: time, exits, changed input, odd results."""

import contextlib
import copy
import ctypes
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

_PACKAGE = str(Path(__file__).parents[1])
AGAIN = 0.5  # seconds between two rings of the alarm


class Wrong(Exception):
    """Raised by a rule: the answer is wrong; the text is the reason, in words for the student."""

    def __init__(self, message: str, mistake: str | None = None):
        super().__init__(message)
        self.mistake = mistake


class NotAttempted(Exception):
    """The answer is still the empty stub."""


class Raised(Exception):
    """The student's own code raised; the text names the error and the line."""


class _TooLong(BaseException):
    """The time is up. No `except Exception` of a student's loop holds it back."""


class Attempt:
    """The student's function as a rule calls it: arguments are copied, and whatever it raises is reported as its own.

    Calling it raises `NotAttempted` where the function returns nothing and `Raised` where it raises.
    """

    def __init__(self, function: Callable):
        self.function = function
        self.__name__ = getattr(function, "__name__", "your function")

    def __call__(self, *args, **kwargs):
        args, kwargs = copy.deepcopy((args, kwargs))
        try:
            result = self.function(*args, **kwargs)
        except (KeyboardInterrupt, _TooLong):
            raise
        except BaseException as error:
            raise Raised(_describe(error)) from error
        if untouched(result):
            raise NotAttempted(f"{self.__name__} returned None: write its body, and end it with `return`.")
        return result


def untouched(value) -> bool:
    """Tell whether a value is what an empty stub leaves: None, ..., or a list, tuple or dict of nothing but None."""
    if isinstance(value, dict):
        value = list(value.values())
    if type(value) in (list, tuple):
        return bool(value) and all(untouched(item) for item in value)
    return value is None or value is Ellipsis


def _describe(error: BaseException) -> str:
    """One line for the error, and the line of the student's code in which it arose."""
    if isinstance(error, (SystemExit, GeneratorExit)):
        return f"{type(error).__name__}: the function must return its answer, not end the program."
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_PACKAGE)]
    own = [f for f in frames if "site-packages" not in f.filename and f.line]
    where = f"\nin line {own[-1].lineno}: {own[-1].line}" if own else ""
    return f"{type(error).__name__}: {str(error)[:500]}{where}"


def limited(seconds: float, work: Callable[[], None]) -> None:
    """Call `work`, and stop it after so many seconds, as `Raised`.

    The alarm repeats, so that code which swallows one is met again. Where there are no alarm signals (Windows, and any
    thread but the main one), a second thread rings: it stops a loop, but no single call that waits inside the system.
    """
    by_signal = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    alarm = _Signal() if by_signal else _Bell()
    try:
        try:
            alarm.start(seconds)
            work()
        finally:
            alarm.over = True  # one step, which no ring can interrupt; from here on no new one is begun
            alarm.stop()
    except _TooLong as error:
        raise Raised(f"It took longer than {seconds:g} seconds. Is there a loop that never ends?") from error


class _Signal:
    """Raises `_TooLong` in the main thread by the system's alarm signal, until `over` is set."""

    def __init__(self):
        self.over = False
        self._before = None

    def start(self, seconds: float) -> None:
        self._before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _ring(self, *_) -> None:
        if not self.over:
            raise _TooLong


class _Bell:
    """Raises `_TooLong` from a second thread, between two steps of the interpreter, until `over` is set.

    One ring may be on its way at that moment; `stop` waits for it, or calls it back.
    """

    def __init__(self):
        self.over = False
        self._victim = threading.get_ident()
        self._wake = threading.Event()
        self._thread = None

    def start(self, seconds: float) -> None:
        self._thread = threading.Thread(target=self._keep_ringing, args=(seconds,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        try:
            self._end()
        except _TooLong:  # the one that was on its way
            self._end()

    def _end(self) -> None:
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._raise_there(None)

    def _keep_ringing(self, wait: float) -> None:
        while not self._wake.wait(wait) and not self.over:
            self._raise_there(ctypes.py_object(_TooLong))
            wait = AGAIN

    def _raise_there(self, what) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._victim), what)


@contextlib.contextmanager
def warnings_on_stdout() -> Iterator[None]:
    """Show warnings with the printed output: a grader takes anything on standard error for a failure."""
    with contextlib.redirect_stderr(sys.stdout):
        yield
