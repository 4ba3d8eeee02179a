"""Where things lie: the only reader of CXR_DATA_DIR, CXR_WORK_DIR and CXR_PROGRESS_DIR."""

import os
from pathlib import Path


def data_dir(path=None) -> Path:
    """Absolute path of the folder that holds one sub-folder per set: ``path``, else CXR_DATA_DIR, else ``data``.

    A relative path starts at the top folder of this project if the working folder lies inside it, so that a notebook
    finds the same data wherever it runs; else at the working folder. Introduced in lesson 01.
    """
    path = Path(path or os.environ.get("CXR_DATA_DIR") or "data").expanduser()
    if path.is_absolute():
        return path
    here = Path.cwd()
    for folder in (here, *here.parents):
        settings = folder / "pyproject.toml"
        if settings.is_file() and 'name = "cxr-helpers"' in settings.read_text("utf-8", errors="replace"):
            return folder / path
    return here / path


def work_dir() -> Path:
    """Folder of caches and progress: CXR_WORK_DIR, else the project's own ``data``; CXR_DATA_DIR may be read-only.

    See lesson 03.
    """
    return data_dir(os.environ.get("CXR_WORK_DIR") or "data")


def cache_dir() -> Path:
    """Folder of what can be computed again: ``cache`` in the work folder. See lesson 03."""
    return work_dir() / "cache"


def progress_dir() -> Path:
    """Folder of what the reader has done, such as guesses: CXR_PROGRESS_DIR, else ``progress`` in the work folder.

    Introduced in lesson 01.
    """
    chosen = os.environ.get("CXR_PROGRESS_DIR")
    return data_dir(chosen) if chosen else work_dir() / "progress"


def keep_progress_in(folder: str | os.PathLike) -> None:
    """Keep the reader's progress in another folder from now on, in this process and those that it starts."""
    os.environ["CXR_PROGRESS_DIR"] = str(folder)
