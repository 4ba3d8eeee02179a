"""Shared by all tests: fixtures, and what runs on one worker."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


# Files whose tests may go to several workers; those of one lesson stay together, for they run its
# answers once.
SPREAD = {"test_border.py", "test_questions.py"}


@pytest.hookimpl(optionalhook=True)  # where pytest-xdist is not installed, nobody asks
def pytest_xdist_make_scheduler(config: pytest.Config, log):
    """With `--dist loadfile`, a file's tests share a worker and its fixtures, but for SPREAD."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit(nodeid)

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def unit(nodeid: str) -> str:
    """Return what a test belongs to: its file, or its file and its parameter's lesson.

    The parameter begins with the lesson.
    """
    file, _, test = nodeid.partition("::")
    name, _, parameter = test.partition("[")
    return f"{file} {parameter[:2] or name}" if Path(file).name in SPREAD else file


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with one sub-folder per real set; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("CXR_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "covid19-image-dataset").is_dir():
        pytest.skip(
            f"real radiographs are not in {folder}; set CXR_TEST_DATA to a folder that holds them"
        )
    return folder
