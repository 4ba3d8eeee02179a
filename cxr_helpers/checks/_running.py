"""Run a student's answer so that nothing it does can harm the check.

Time, exits, changed input, odd results.
"""

import contextlib
import copy
import ctypes
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

_PACKAGE = str(Path(__file__).parents[1])
_LIBRARIES = {"builtins", "numpy", "numpy.linalg", "numpy.random", "pandas", "scipy.stats"}
_LIBRARIES |= {"keras", "keras.callbacks", "keras.losses"}
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


class OutOfTime(Exception):
    """The time is up."""


class _TooLong(BaseException):
    """The time is up. No `except Exception` of a student's loop holds it back."""


class Attempt:
    """The student's function as a rule calls it: arguments are copied, errors reported as its own.

    Calling it raises `NotAttempted` where the function returns nothing and `Raised` where it
    raises. `calls` counts the calls; `running` is true while the student's code runs, and stays so
    where the time was up in it.
    """

    grace = 0  # seconds that a rule waits longer

    def __init__(self, function: Callable | None):
        self.function = function
        self.__name__ = getattr(function, "__name__", "your function")
        self.calls, self.running = 0, False
        self.first: Any = None  # what the first call returned
        self._given: tuple | None = None  # what it was given

    def __call__(self, *args, **kwargs):
        result = self._call(*copy.deepcopy((args, kwargs)))
        if self.calls == 1:
            self.first, self._given = result, copy.deepcopy((args, kwargs))
        return result

    def _call(self, args: tuple, kwargs: dict):
        assert self.function is not None  # else it runs elsewhere, and its side calls it
        self.calls += 1
        self.running = True
        shared = _shared()
        try:
            result = self.function(*args, **kwargs)
        except (KeyboardInterrupt, _TooLong):
            raise
        except BaseException as error:
            self.running = False
            raise Raised(_describe(error)) from error
        finally:
            replaced = _put_back(shared)
        self.running = False
        if replaced:
            raise Wrong(
                f"Your function replaced {replaced}, which others use, too. Write it without such "
                "a change."
            )
        return self.attempted(result)

    def attempted(self, result):
        """Return what the function returned; raise `NotAttempted` where that is nothing."""
        if untouched(result):
            raise NotAttempted(
                f"{self.__name__} returned None: write its body, and end it with `return`."
            )
        return result

    def unsteady(self) -> bool:
        """Tell whether a second call with what the first one was given returns something else.

        Never where it was given files: they are gone by then.
        """
        if self._given is None or any(map(_names_files, self._given[0])):
            return False
        try:
            return differ(self.first, self._call(*self._given))
        except (Raised, NotAttempted):
            return False


def _shared() -> list[tuple[Any, dict[str, Any]]]:
    """The libraries and classes that checks rest on, each with its functions as they are now."""
    own = __package__.partition(".")[0]
    known = list(sys.modules.items())
    found = [
        module for name, module in known if name in _LIBRARIES or name.partition(".")[0] == own
    ]
    found += [pd.DataFrame, pd.Series]
    if keras := sys.modules.get("keras"):
        found += [keras.Model, keras.callbacks.ModelCheckpoint]
    return [(owner, {name: f for name, f in vars(owner).items() if callable(f)}) for owner in found]


def _put_back(shared: list[tuple[Any, dict[str, Any]]]) -> str:
    """Undo what was replaced in them since; the name of one such function, or ""."""
    replaced = ""
    for owner, functions in shared:
        now = vars(owner)
        for name, function in functions.items():
            if now.get(name) is not function:
                setattr(owner, name, function)
                replaced = f"{owner.__name__}.{name}"
    return replaced


def _names_files(value) -> bool:
    """Tell whether a value is the path of a file, or a table of them."""
    if isinstance(value, pd.DataFrame):
        return "path" in value.columns
    return isinstance(value, str | os.PathLike) and os.path.isabs(value)


def differ(a, b) -> bool:
    """Whether two answers certainly say something else; what cannot be compared counts as the same.

    Numbers count as the same up to 1e-4 of their size: several threads add up in any order.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        return set(a) != set(b) or any(differ(a[name], b[name]) for name in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) != len(b) or any(differ(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, pd.DataFrame) and isinstance(b, pd.DataFrame):
        same_form = a.shape == b.shape and list(a.columns) == list(b.columns)
        return not same_form or any(differ(a.iloc[:, k], b.iloc[:, k]) for k in range(a.shape[1]))
    if isinstance(a, pd.Series) and isinstance(b, pd.Series):
        return differ(a.to_numpy(), b.to_numpy())
    if isinstance(a, bool | int | float | str | bytes | np.generic | np.ndarray) and isinstance(
        b, type(a)
    ):
        return _arrays_differ(np.asarray(a), np.asarray(b))
    return False


def form(value) -> tuple:
    """What kind of thing an answer is: types, columns, keys, dimensions, NaN or infinity."""
    if isinstance(value, pd.DataFrame):
        return ("table", tuple(sorted(map(str, value.columns))))
    if isinstance(value, dict):
        return ("dict", tuple(sorted((str(name), form(item)) for name, item in value.items())))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(sorted({form(item) for item in value}, key=str)))
    if isinstance(value, pd.Series | np.ndarray | np.generic | bool | int | float | str | bytes):
        array = np.asarray(value)
        kind = "number" if array.dtype.kind in "fiu" else array.dtype.kind
        plain = "one" if array.ndim == 0 else type(value).__name__
        return (
            plain,
            array.ndim,
            kind,
            bool(kind != "number" or np.isfinite(array.astype(float)).all()),
        )
    return (type(value).__name__,)


def _arrays_differ(a: np.ndarray, b: np.ndarray) -> bool:
    if a.shape != b.shape:
        return True
    if a.dtype.kind in "fiub" and b.dtype.kind in "fiub":
        return not np.allclose(
            a.astype(float), b.astype(float), rtol=1e-4, atol=1e-6, equal_nan=True
        )
    return a.astype(str).tolist() != b.astype(str).tolist()


def untouched(value) -> bool:
    """Whether a value is what an empty stub leaves: None, ..., or a list, tuple or dict of None."""
    if isinstance(value, dict):
        value = list(value.values())
    if type(value) in (list, tuple):
        return bool(value) and all(untouched(item) for item in value)
    return value is None or value is Ellipsis


def _describe(error: BaseException) -> str:
    """One line for the error, and the line of the student's code in which it arose."""
    if isinstance(error, (SystemExit, GeneratorExit)):
        return f"{type(error).__name__}: the function must return its answer, not end the program."
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_PACKAGE)
    ]
    own = [f for f in frames if "site-packages" not in f.filename and f.line]
    where = f"\nin line {own[-1].lineno}: {own[-1].line}" if own else ""
    return f"{type(error).__name__}: {str(error)[:500]}{where}"


def limited(seconds: float, work: Callable[[], Any]) -> Any:
    """Call `work`, and stop it after so many seconds, as `OutOfTime`.

    The alarm repeats, so that code which swallows one is met again. Where there are no alarm
    signals (Windows, and any thread but the main one), a second thread rings: it stops a loop, but
    no single call that waits inside the system.
    """
    by_signal = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    alarm = _Signal() if by_signal else _Bell()
    try:
        try:
            alarm.start(seconds)
            return work()
        finally:
            # one step, which no ring can interrupt; from here on no new one is begun
            alarm.over = True
            alarm.stop()
    except _TooLong as error:
        raise OutOfTime(f"It took longer than {seconds:g} seconds.") from error


class _Signal:
    """Raises `_TooLong` in the main thread by the system's alarm signal, until `over` is set."""

    def __init__(self):
        self.over = False
        self._before = None

    def start(self, seconds: float) -> None:
        if sys.platform == "win32":  # there a `_Bell` is used
            raise NotImplementedError("Windows has no alarm signals")
        self._before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)

    def stop(self) -> None:
        if sys.platform == "win32":  # there a `_Bell` is used
            raise NotImplementedError("Windows has no alarm signals")
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _ring(self, *_) -> None:
        if not self.over:
            raise _TooLong


class _Bell:
    """Raises `_TooLong` from a second thread, between two interpreter steps, until `over`.

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
    """Show warnings with the printed output: graders take standard error for a failure."""
    with contextlib.redirect_stderr(sys.stdout):
        yield
