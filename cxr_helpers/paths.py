"""Where things lie: the only reader of CXR_DATA_DIR, CXR_WORK_DIR and CXR_PROGRESS_DIR."""

import os
from pathlib import Path


def data_dir(path: str | os.PathLike[str] | None = None) -> Path:
    """Absolute path of the folder with one sub-folder per set: ``path``, CXR_DATA_DIR or ``data``.

    A relative path starts at the top folder of this project if the working folder lies inside it,
    so that a notebook finds the same data wherever it runs; else at the working folder.

    Parameters
    ----------
    path : str or path, optional
        The folder; a tilde at its start stands for the reader's own folder.

    Returns
    -------
    Path
        Absolute; nothing is made, and it need not exist.

    Examples
    --------
    >>> data_dir(Path.cwd() / "sets") == Path.cwd() / "sets"
    True
    """
    asked = Path(path or os.environ.get("CXR_DATA_DIR") or "data").expanduser()
    if asked.is_absolute():
        return asked
    here = Path.cwd()
    for folder in (here, *here.parents):
        settings = folder / "pyproject.toml"
        if settings.is_file() and 'name = "cxr-helpers"' in settings.read_text(
            "utf-8", errors="replace"
        ):
            return folder / asked
    return here / asked


def work_dir() -> Path:
    """Folder of caches and progress: CXR_WORK_DIR, else ``data`` of the project.

    CXR_DATA_DIR may be read-only.

    Returns
    -------
    Path
        Absolute, as `data_dir` makes it; it need not exist.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict(os.environ, CXR_WORK_DIR=os.sep + "scratch"):
    ...     work_dir().name
    'scratch'
    """
    return data_dir(os.environ.get("CXR_WORK_DIR") or "data")


def cache_dir() -> Path:
    """Folder of what can be computed again: ``cache`` in the work folder.

    Returns
    -------
    Path
        Absolute; it need not exist.

    Examples
    --------
    >>> cache_dir() == work_dir() / "cache"
    True
    """
    return work_dir() / "cache"


def progress_dir() -> Path:
    """Folder of what the reader has done (guesses): CXR_PROGRESS_DIR, else ``progress`` in work.

    Returns
    -------
    Path
        Absolute; it need not exist.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict(os.environ, CXR_PROGRESS_DIR=os.sep + "mine"):
    ...     progress_dir().name
    'mine'
    """
    chosen = os.environ.get("CXR_PROGRESS_DIR")
    return data_dir(chosen) if chosen else work_dir() / "progress"


def keep_progress_in(folder: str | os.PathLike[str]) -> None:
    """Keep the reader's progress in another folder from now on.

    It holds for this process and those that it starts.

    Parameters
    ----------
    folder : str or path
        The folder; a relative one is meant as in `data_dir`.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict(os.environ):  # what it was before comes back
    ...     keep_progress_in(os.sep + "elsewhere")
    ...     progress_dir().name
    'elsewhere'
    """
    os.environ["CXR_PROGRESS_DIR"] = str(folder)
