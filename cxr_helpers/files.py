"""Files and folders that are whole or absent, one process at a time, and SHA-256 of contents."""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

Bytes = bytes | bytearray | memoryview
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


@contextlib.contextmanager
def whole_file(
    path: str | os.PathLike[str], unfinished: str | os.PathLike[str] | None = None
) -> Iterator[Path]:
    """Path to write to inside the ``with`` block; then the file replaces the one of its name.

    After an exception, Ctrl-C too, an older file is as it was and nothing new is left. The folder
    is made; the file has the rights of the older one, or of any new file. The path given ends as
    ``path`` does, and is that of an empty file.

    Parameters
    ----------
    path : str or path
        The file's own name.
    unfinished : str or path, optional
        Work there instead, and leave it there after an exception: the next call goes on with it.

    Yields
    ------
    Path
        Where to write.

    Raises
    ------
    OSError
        Names the file, where its folder cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "new", "table.csv")
    ...     with whole_file(path) as part:
    ...         _ = part.write_text("a,b")
    ...         print(path.exists(), part.suffix)
    ...     print(path.read_text(), [file.name for file in path.parent.iterdir()])
    False .csv
    a,b ['table.csv']
    """
    path = Path(path)
    part = _new_beside(path) if unfinished is None else Path(unfinished)
    try:
        yield part
        os.replace(part, path)
    except BaseException:
        if unfinished is None:
            part.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def whole_folder(
    path: str | os.PathLike[str],
    *,
    replace: bool = False,
    unfinished: str | os.PathLike[str] | None = None,
) -> Iterator[Path]:
    """Folder to fill inside the ``with`` block; then it gets its name. Otherwise as `whole_file`.

    Parameters
    ----------
    path : str or path
        The folder's own name.
    replace : bool
        Take the place of an older folder, which goes when the new one stands; without, a folder
        that holds anything is left alone, and OSError is raised.
    unfinished : str or path, optional
        As in `whole_file`; work on an older folder starts with what it holds.

    Yields
    ------
    Path
        The folder to fill.

    Raises
    ------
    OSError
        Names the folder, where the one around it cannot be written; and where one stands there that
        is not empty.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as outer:
    ...     for text in ("old", "new"):
    ...         with whole_folder(Path(outer, "set"), replace=True) as part:
    ...             _ = Path(part, "notes.txt").write_text(text)
    ...     print(Path(outer, "set", "notes.txt").read_text(), os.listdir(outer))
    new ['set']
    """
    path = Path(path)
    if unfinished is not None:
        part = Path(unfinished)
        if path.exists():
            shutil.rmtree(part, ignore_errors=True)
            os.replace(path, part)
        part.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
        return
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        outer = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        part = outer / "new"
        part.mkdir()  # with the rights of any new folder, which `outer` has not
        yield part
        if replace and path.exists():
            _exchange(part, path, outer / "old")
        else:
            if path.exists():
                path.rmdir()
            os.replace(part, path)
    finally:
        shutil.rmtree(outer, ignore_errors=True)


@contextlib.contextmanager
def one_at_a_time(lock: str | os.PathLike[str]) -> Iterator[None]:
    """Let one thread or process at a time into the ``with`` block, by a lock on a file.

    The others wait.

    Some network drives know no locks: there it goes on without one, and warns.

    Parameters
    ----------
    lock : str or path
        The file that is locked; it is made, and holds nothing.

    Yields
    ------
    None
        Once nobody else is inside.

    Raises
    ------
    OSError
        Where the file cannot be made.

    Warns
    -----
    UserWarning
        Where the drive has no locks.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> seen = []
    >>> def visit(name):
    ...     with one_at_a_time(lock):
    ...         seen.extend([name, name])
    >>> with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(4) as pool:
    ...     lock = Path(folder, "door.lock")
    ...     _ = list(pool.map(visit, "abcd"))
    >>> all(first == second for first, second in zip(seen[::2], seen[1::2]))
    True
    """
    from filelock import FileLock

    held = FileLock(lock)
    try:
        held.acquire()
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise
        warnings.warn(
            f"the drive of {lock} has no locks ({error}): run one process at a time there, or set "
            "CXR_WORK_DIR to a folder on a disk of this machine",
            stacklevel=4,
        )
        yield
        return
    try:
        yield
    finally:
        held.release()


def sha256(content: str | os.PathLike[str] | Bytes | Iterable[Bytes]) -> str:
    """SHA-256 in hexadecimal: of a file, of bytes, or of several pieces of bytes in sequence.

    Parameters
    ----------
    content : str, path, bytes or iterable of bytes
        Text is the path of a file, never the content.

    Returns
    -------
    str
        64 hexadecimal digits (FIPS 180-4).

    Raises
    ------
    OSError
        Where the file cannot be read.

    Examples
    --------
    >>> sha256(b"abc")[:16]
    'ba7816bf8f01cfea'
    >>> sha256([b"a", b"bc"]) == sha256(b"abc")
    True
    """
    if isinstance(content, str | os.PathLike):
        with open(content, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    digest = hashlib.sha256()
    pieces = [content] if isinstance(content, bytes | bytearray | memoryview) else content
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _new_beside(path: Path) -> Path:
    """A new empty file in the folder of another, whose rights and ending it has."""
    # pandas packs .csv.gz by the ending
    part = path.with_name(f".{secrets.token_hex(4)}.{path.name}")
    with _explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    if path.is_file():
        with contextlib.suppress(OSError):  # some drives know no rights
            part.chmod(path.stat().st_mode & 0o777)
    return part


def _exchange(new: Path, path: Path, old: Path) -> None:
    """The new folder in place of an older one, which is put back where that fails."""
    os.replace(path, old)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(old, path)
        raise


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Say which file or folder an error of the machine keeps from being written; and a remedy."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        remedy = (
            "make room on the disk"
            if error.errno == errno.ENOSPC
            else "choose a folder that you may write to"
        )
        raise OSError(error.errno, f"{path} cannot be written ({reason}): {remedy}") from error
