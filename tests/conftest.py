"""Fixtures shared by all tests."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with one sub-folder per real set; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("CXR_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "covid19-image-dataset").is_dir():
        pytest.skip(f"real radiographs are not in {folder}; set CXR_TEST_DATA to a folder that holds them")
    return folder
