"""A lock where there are locks."""

import contextlib
import errno
import warnings
from collections.abc import Iterator
from pathlib import Path

NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP)


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
