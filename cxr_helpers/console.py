"""What is shown on screen: progress, silence for libraries that start, text for any terminal."""

import codecs
import contextlib
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

PLAIN = {"→": "->", "×": "x", "≥": ">=", "≤": "<=", "−": "-", "–": "-", "…": "...", "·": "-"}

_OWN_DEFAULTS = (  # what warnings begin with that libraries give about what they do themselves
    "`shuffle=True` was passed, but will be ignored",
    "Statistics for quantized inputs were expected",
    r"\s*Warning: tf\.lite\.Interpreter is deprecated",  # used only where its follower is lacking
)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide what goes to file descriptor 2 in the `with` block, such as TensorFlow's start-up lines.

    Exceptions pass through unharmed. Settings cannot silence those lines, and switching the
    optimised kernels off to avoid them makes small networks several times slower.

    From now on three warnings about what these libraries do themselves are hidden, too: Keras' that
    a data set shuffles for itself, and TensorFlow Lite's that it has no statistics before it makes
    them and that its interpreter has a follower.

    Yields
    ------
    None
        With nothing shown from now on.

    Examples
    --------
    >>> with quiet():
    ...     os.write(2, b"start-up line")
    13
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for begin in _OWN_DEFAULTS:
        warnings.filterwarnings("ignore", begin, UserWarning)
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What to write for characters an encoding lacks: a common sign, or the code as \\u0142."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(
        PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking
    ), error.end


def plain_output() -> None:
    r"""Let standard output and error write any text: cp1252 has no arrow, ASCII no ł.

    What an encoding lacks is written as a sign that everybody has, or else by its code.

    Examples
    --------
    >>> plain_output()
    >>> "1 → 2 × ł".encode("ascii", "cxr-plain").decode()
    '1 -> 2 x \\u0142'
    """
    codecs.register_error("cxr-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="cxr-plain")


class _Line:
    """A line of a notebook's output that a bar writes anew, and leaves empty at its end.

    On standard error it would look like a fault, and stay as a red stripe.
    """

    encoding = "utf-8"

    def __init__(self) -> None:
        self._output: Any = None

    def write(self, text: str) -> None:
        """Show a text in place of the one before."""
        from IPython.display import display

        line = {"text/plain": text.strip()}
        if self._output is None:
            self._output = display(line, raw=True, display_id=True)
        else:
            self._output.update(line, raw=True)

    def flush(self) -> None:
        """Do nothing: what is written is shown at once."""


def _in_notebook() -> bool:
    """Tell whether a notebook's kernel runs this, not a terminal."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def bar(items: Iterable[Any] | None = None, *, show: bool = True, **options: Any) -> Any:
    """A progress bar that appears once a task has lasted two seconds, and goes at its end.

    It stands on standard error, or below the cell of a notebook. TQDM_DISABLE=1 in the environment
    hides all bars, as headless runs do, whose outputs are kept.

    Parameters
    ----------
    items : iterable, optional
        What is gone through; without it, the bar is moved by its `update`.
    show : bool
        False: nothing appears.
    **options
        Those of `tqdm.tqdm`: total, desc, unit.

    Returns
    -------
    tqdm.tqdm
        Gives the items.

    Examples
    --------
    >>> [2 * item for item in bar([1, 2, 3], desc="doubled")]
    [2, 4, 6]
    """
    from tqdm import tqdm

    hidden = {} if show else {"disable": True}  # an explicit False would overrule the environment
    place = _Line() if _in_notebook() else sys.stderr
    return tqdm(items, **{"delay": 2, "leave": False, "file": place, **options, **hidden})
