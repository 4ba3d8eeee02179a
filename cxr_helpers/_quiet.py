"""What the machine says: silence for libraries that start, text for any terminal, a lock where there are locks."""

import codecs
import contextlib
import errno
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

PLAIN = {"→": "->", "×": "x", "≥": ">=", "≤": "<=", "−": "-", "–": "-", "…": "...", "·": "-"}
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide what is written to file descriptor 2 inside the `with` block: TensorFlow's start-up lines.

    Exceptions pass through unharmed. Settings cannot silence those lines, and switching the
    optimised kernels off to avoid them makes small networks several times slower.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """What to write for characters that an encoding lacks: a sign that everybody has, or the code as \\u0142."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in lacking), error.end


def plain_output() -> None:
    """Let standard output and error write every text, whatever their encoding: cp1252 has no arrow, ASCII no ł."""
    codecs.register_error("cxr-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="cxr-plain")


@contextlib.contextmanager
def locked(path: Path | str) -> Iterator[None]:
    """Let one process at a time into the `with` block, by a lock on a file; the others wait.

    Some network drives know no locks: there it goes on without one, and warns.
    """
    from filelock import FileLock

    lock = FileLock(path)
    try:
        lock.acquire()
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in NO_LOCKS:
            raise
        warnings.warn(
            f"the drive of {path} has no locks ({error}): run one process at a time there, or set CXR_WORK_DIR to "
            "a folder on a disk of this machine",
            stacklevel=4,
        )
        yield
        return
    try:
        yield
    finally:
        lock.release()
