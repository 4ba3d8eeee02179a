"""Notebooks as tests, faster: `python -m pytest -p tests.warm_kernels --nbval-lax ...`.

Kernels are forked from a process that has imported the large libraries (`tools.warm`). Linux only:
elsewhere kernels start as usual. The notebooks that take longest begin first, so that all workers
end at about the same time.
"""

import contextlib
import sys

import pytest

from tools import warm
from tools.run import measured_seconds

OPEN = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Let this process's kernels be forked; the process that starts the others begins to import."""
    if sys.platform != "linux":
        return
    warm.use()
    if not hasattr(config, "workerinput"):
        config.stash[OPEN] = contextlib.ExitStack()
        config.stash[OPEN].enter_context(warm.template())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest notebooks begin; the cells of each stay in order."""
    seconds = measured_seconds()
    items.sort(key=lambda item: -seconds.get(item.path.stem, float("inf")))


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the process that holds the libraries."""
    if opened := config.stash.get(OPEN, None):
        opened.close()
