"""Silence for libraries that write to the terminal while they start."""

import contextlib
import os
from collections.abc import Iterator


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
