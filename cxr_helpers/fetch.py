"""Verified, resumable, atomic download and safe extraction.

For education, never for diagnosis.
"""

import bz2
import errno
import gzip
import lzma
import os
import re
import shutil
import stat
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from . import files
from .console import bar

_BLOCK = 1 << 20
_RETRIED = frozenset([408, 425, 429, 500, 502, 503, 504])
_ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
)
# A small archive may be as compressible as it likes.
_RATIO_FROM = 100_000_000
_SLOWEST = 1000  # bytes a second; a server that sends less for long has no end
# bytes of a tar header, which is a name and a few facts; more would only fill the memory
_MAX_HEADER = 1 << 20
_PAGES = (".html", ".htm", ".xhtml", ".xml", ".svg")
_PAGE_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<?xml", b"<!--")
# Kinds of file that are never text: where text stands under such a name, it is an error of the
# server.
_BINARY = (
    ".zip",
    ".tar",
    ".gz",
    ".tgz",
    ".xz",
    ".bz2",
    ".7z",
    ".keras",
    ".h5",
    ".hdf5",
    ".npz",
    ".npy",
    ".onnx",
    ".tflite",
    ".png",
    ".jpg",
    ".jpeg",
    ".tif",
    ".tiff",
    ".dcm",
    ".xlsx",
)
_TEXT = frozenset(b"\t\n\r" + bytes(range(32, 256)))
# What we cannot unpack, though it may be whole.
_OTHER_ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard archive",
    b"MSCF": "a CAB archive",
    b"\x1f\x8b": "one file packed by gzip",
    b"BZh": "one file packed by bzip2",
    b"\xfd7zXZ\x00": "one file packed by xz",
}
_UNPACK_YOURSELF = "Unpack it yourself, then import the folder"


class FetchError(RuntimeError):
    """A download or an archive that failed: the message names it, what is wrong and what to do.

    Attributes: ``what`` (address or path, str), ``problem``, ``remedy``.
    """

    def __init__(self, what, problem: str, remedy: str):
        self.what, self.problem, self.remedy = str(what), problem, remedy
        super().__init__(f"{self.what}: {problem}. {remedy}.")


class _Interrupted(Exception):
    """Worth another attempt."""


def download(
    url: str,
    destination,
    sha256: str | None = None,
    progress: bool = True,
    *,
    attempts: int = 4,
    wait: float = 1.0,
    timeout: float = 30.0,
    max_bytes: int = 100_000_000_000,
) -> Path:
    """Download a file over http(s) to ``destination`` and return the path, always of a whole file.

    What has arrived waits in ``destination + ".part"``, and the next attempt, or the next call,
    goes on from there if the server can and the file has not changed meanwhile. Its length is
    verified. A web page in place of another kind of file is refused. Two calls for one destination
    come one after the other.

    Parameters
    ----------
    url : str
        An http or https address.
    destination : path-like
        The file.
    sha256 : str, optional
        Hexadecimal; verified, and a destination that has it already is not downloaded again.
    progress : bool
        Whether to show a bar.
    attempts : int
        Requests at most.
    wait : float
        Seconds before the second attempt, doubled each time.
    timeout : float
        Seconds of silence (of next to nothing, ten times as many).
    max_bytes : int
        A longer file, or one that does not fit on the disk, is refused.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    FetchError
        With what to do.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FetchError(
            url, "is not an http or https address", "Copy the address from the browser again"
        )
    destination = Path(os.path.abspath(destination))
    sha256 = sha256 and sha256.lower()
    if _is(destination, sha256):
        return destination
    part = destination.with_name(destination.name + ".part")
    try:
        with alone(part):
            if _is(destination, sha256):  # another process has brought it meanwhile
                return destination
            with files.whole_file(destination, unfinished=part):
                _with_attempts(url, part, sha256, progress, attempts, wait, timeout, max_bytes)
            _tag(part).unlink(missing_ok=True)
    except OSError as error:
        problem = f"cannot be written to {destination} ({error})"
        raise FetchError(url, problem, "Free space or choose a folder") from error
    return destination


@contextmanager
def alone(place: Path):
    """Let one thread or process at a time work on a file or folder, whose parent is made.

    The others wait.

    Parameters
    ----------
    place : Path
        The file or folder.

    Yields
    ------
    None
        While nobody else works on it.

    Raises
    ------
    OSError
        Where the lock cannot be written beside it.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = place.with_name(place.name + ".lock")
    with files.one_at_a_time(lock):
        try:
            yield
        finally:
            # while it is held, so that nobody else's goes; Windows removes it on release
            with suppress(OSError):
                lock.unlink()


def extract(
    archive,
    folder,
    *,
    max_bytes: int = 100_000_000_000,
    max_files: int = 1_000_000,
    max_ratio: float = 200,
) -> Path:
    """Unpack a zip or tar archive into a new folder and return that folder's path.

    Refuses absolute paths, "..", links, devices and encrypted files, and more than fits on the disk
    (a zip is counted before anything is written). The folder appears complete or not at all.

    Parameters
    ----------
    archive : path-like
        A zip file, or a tar file, packed or not.
    folder : path-like
        New or empty.
    max_bytes, max_files : int
        Unpacked, at most.
    max_ratio : float
        Bytes unpacked per byte packed, at most; up to 100 MB may be packed as tightly as they like.

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    FetchError
        With what to do.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with zipfile.ZipFile(Path(place, "set.zip"), "w") as archive:
    ...         archive.writestr("normal/1.txt", "one")
    ...     folder = extract(Path(place, "set.zip"), Path(place, "set"))
    ...     (folder / "normal/1.txt").read_text()
    'one'
    """
    archive, folder = Path(archive), Path(os.path.abspath(folder))
    if not archive.is_file():
        raise FetchError(archive, "is not a file", "Check the path of the archive")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FetchError(
            archive, f"would overwrite {folder}", "Delete that folder first, or choose another"
        )
    limit = min(max_bytes, max(_RATIO_FROM, int(max_ratio * archive.stat().st_size)))
    try:
        with files.whole_folder(folder) as new:
            _unpack(archive, new, limit, max_files)
            if not any(new.iterdir()):
                remedy = "Check that it is the archive you meant, or download it again"
                raise FetchError(archive, "holds no file", remedy)
    except _ARCHIVE_ERRORS as error:
        if isinstance(error, FetchError):
            raise
        # The machine's own errors have a number; a damaged archive gives none, or an offset that
        # cannot be.
        if getattr(error, "errno", None) not in (None, errno.EINVAL):
            problem = f"could not be unpacked into {folder} ({error})"
            raise FetchError(
                archive, problem, "Free space, or choose a folder that you may write to"
            ) from error
        raise FetchError(
            archive, f"is damaged or cannot be unpacked ({error})", "Download it again"
        ) from error
    return folder


def _with_attempts(url, part, sha256, progress, attempts, wait, timeout, max_bytes) -> None:
    """Leave a complete, verified file at ``part``."""
    reason = ""
    for attempt in range(attempts):
        if attempt:
            time.sleep(wait * 2 ** (attempt - 1))
        try:
            resumed = _attempt(url, part, sha256, progress, timeout, max_bytes)
        except (_Interrupted, requests.RequestException) as error:
            reason = str(error)
            continue
        if sha256 is None:
            return _refuse_content(url, part)
        if (found := files.sha256(part)) == sha256:
            return
        _discard(part)
        reason = f"SHA-256 is {found} instead of {sha256}"
        # after a resumed download the old half may be at fault: worth a fresh start
        if not resumed:
            remedy = (
                "The file has changed at its source, or was altered on its way: do not use "
                "it; check the address"
            )
            raise FetchError(url, reason, remedy)
    raise FetchError(
        url, f"could not be downloaded in {attempts} attempts ({reason})", _again(part)
    )


def _refuse_content(url: str, part: Path) -> None:
    """Refuse an empty file, a web page (a form to sign in) or an error named as a data file."""
    name = part.name.removesuffix(".part").lower()
    with open(part, "rb") as file:
        start = file.read(512)
    words = start.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \r\n\t").lower()
    page = words.startswith(_PAGE_STARTS) and not name.endswith(_PAGES)
    text = name.endswith(_BINARY) and _TEXT.issuperset(start)
    if start and not page and not text:
        return
    _discard(part)
    what = "a web page instead of the file" if page else "an empty file"
    if text and start and not page:
        what = f"text instead of the file, beginning with {start[:60].decode('utf-8', 'replace')!r}"
    raise FetchError(
        url, f"the server sent {what}", "Open the address in a browser: it may ask you to sign in"
    )


def _again(part: Path) -> str:
    kept = part.stat().st_size if part.exists() else 0
    resume = f"; the {kept / 1e6:.1f} MB that arrived are kept" if kept else ""
    return f"Check your connection and call again{resume}"


def _attempt(
    url: str, part: Path, sha256: str | None, progress: bool, timeout: float, max_bytes: int
) -> bool:
    """One request; says whether it resumed an earlier one.

    Raises _Interrupted, FetchError or requests' errors.
    """
    headers = {"Accept-Encoding": "identity"}  # so that the length is the file's
    start = part.stat().st_size if part.exists() else 0
    known = _tag(part).read_text("utf-8").split("\n") if _tag(part).exists() else ["", ""]
    if start and known[0] == url and (known[1] or sha256):
        headers["Range"] = f"bytes={start}-"
        if known[1]:
            headers["If-Range"] = known[1]  # a changed file comes whole
    else:
        start = 0
    with requests.get(url, headers=headers, stream=True, timeout=timeout) as response:
        if response.status_code == 416:
            return _nothing_left(response, part, start)
        _refuse(url, response, part.name.removesuffix(".part"))
        content_range = re.fullmatch(
            r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", "")
        )
        if response.status_code == 206 and (not content_range or int(content_range[1]) != start):
            _discard(part)
            raise _Interrupted("the server sent another part of the file than the one asked for")
        start = start if response.status_code == 206 else 0
        total = _total(response, start, content_range)
        limit = _limit(url, part, start, total, max_bytes)
        tag = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
        _tag(part).write_text(f"{url}\n{'' if tag.startswith('W/') else tag}", "utf-8")
        if not _stream(response, part, start, total, limit, 10 * timeout, progress):
            _discard(part)
            raise FetchError(
                url,
                f"does not end after {limit:,} bytes",
                "Check the address, or pass a larger max_bytes=",
            )
    return start > 0


def _limit(url: str, part: Path, start: int, total: int | None, max_bytes: int) -> int:
    """Most bytes that may arrive, with those that have; FetchError where more are announced."""
    free = shutil.disk_usage(part.parent).free + start
    if total is not None and total > max_bytes:
        problem = f"has {total:,} bytes, more than the {max_bytes:,} allowed"
        raise FetchError(url, problem, "Check the address, or pass a larger max_bytes=")
    if total is not None and total > free:
        raise FetchError(
            url, f"has {total:,} bytes, but {free:,} are free in {part.parent}", "Free space"
        )
    return min(max_bytes, free if total is not None else free * 9 // 10)


def _nothing_left(response, part: Path, start: int) -> bool:
    """The server has no byte after ``start``: either all have arrived, or the part is wrong."""
    if response.headers.get("Content-Range") == f"bytes */{start}":
        return True
    _discard(part)
    raise _Interrupted("what had arrived does not fit the file on the server")


def _refuse(url: str, response, name: str) -> None:
    """Answers that are not the file."""
    status = response.status_code
    if status in _RETRIED:
        raise _Interrupted(f"the server answered {status} {response.reason}")
    if status in (401, 403):
        raise FetchError(
            url,
            f"the server answered {status}: access denied",
            "Sign in, or accept the set's terms there",
        )
    if status not in (200, 206):
        raise FetchError(
            url, f"the server answered {status} {response.reason}", "Check the address in a browser"
        )
    if not name.lower().endswith(_PAGES) and "text/html" in response.headers.get(
        "Content-Type", ""
    ):
        raise FetchError(
            url, "the server sent a web page instead of the file", "Open the address in a browser"
        )


def _total(response, start: int, content_range) -> int | None:
    """Length of the whole file in bytes, where the server says it."""
    if response.status_code == 206:
        return int(content_range[2]) if content_range[2] != "*" else None
    length = response.headers.get("Content-Length", "")
    return start + int(length) if length.isdigit() else None


def _stream(
    response, part: Path, start: int, total, limit: int, patience: float, progress: bool
) -> bool:
    """Append to the part, or begin it; keep what came before a break. False beyond the limit.

    ``patience``: seconds after which a server that sends next to nothing counts as a broken
    connection.
    """
    name = part.name.removesuffix(".part")
    shown = {"total": total, "initial": start, "unit": "B", "unit_scale": True}
    with (
        open(part, "ab" if start else "wb") as file,
        bar(show=progress, desc=name, **shown) as told,
    ):
        # Otherwise a broken connection discards what has arrived of the last block; the length is
        # checked below.
        response.raw.enforce_content_length = False
        since, before = time.monotonic(), file.tell()
        for block in _blocks(response):
            file.write(block)
            told.update(len(block))
            if file.tell() > limit:
                return False
            if (seconds := time.monotonic() - since) > patience:
                if file.tell() - before < _SLOWEST * seconds:
                    raise _Interrupted(f"slower than {_SLOWEST:,} bytes a second")
                since, before = time.monotonic(), file.tell()
        file.flush()
        size = os.fstat(file.fileno()).st_size  # on disk, whoever else wrote to it
    if total is not None and size != total:
        if size > total:
            _discard(part)
        raise _Interrupted(f"the connection ended after {size:,} of {total:,} bytes")
    return True


def _blocks(response):
    """What has arrived, as it arrives: `iter_content` waits for whole blocks of slow servers."""
    try:
        while block := response.raw.read1(_BLOCK, decode_content=True):
            yield block
    except HTTPError as error:
        raise _Interrupted(str(error)) from error


def _tag(part: Path) -> Path:
    """Beside the part: its address and the server's mark of the version."""
    return part.with_name(part.name + ".tag")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _tag(part).unlink(missing_ok=True)


def _is(path: Path, sha256: str | None) -> bool:
    return sha256 is not None and path.is_file() and files.sha256(path) == sha256


def _unpack(archive: Path, folder: Path, limit: int, max_files: int) -> None:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            _count(archive, opened, folder, limit, max_files)
            members = _zip_members(archive, opened)
            _write_all(archive, members, folder, limit, max_files, len(opened.infolist()))
        return
    with open(archive, "rb") as file:
        start = file.read(8)
    with _unpacked(archive, start) as plain:
        source = _Bounded(archive, plain)
        try:
            # Of a stream, tarfile asks for no more than `_Bounded` has.
            with tarfile.open(fileobj=source, mode="r:") as opened:  # type: ignore[call-overload]
                _write_all(archive, _tar_members(archive, opened, source), folder, limit, max_files)
        except tarfile.ReadError as error:
            if any(folder.iterdir()):  # it began as a tar
                raise
            raise _no_archive(archive, start) from error


def _unpacked(archive: Path, start: bytes):
    """The archive's bytes, without the compression that a tar may have."""
    kinds: dict[bytes, Callable[..., Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\x00": lzma.open,
    }
    return next((opener for magic, opener in kinds.items() if start.startswith(magic)), open)(
        archive, "rb"
    )


def _no_archive(archive: Path, start: bytes) -> FetchError:
    """The error for what is no archive, or none that we can unpack."""
    if what := next(
        (what for magic, what in _OTHER_ARCHIVES.items() if start.startswith(magic)), None
    ):
        return FetchError(archive, f"is {what}, which this course cannot unpack", _UNPACK_YOURSELF)
    if start.startswith((b"PK\x03\x04", b"PK\x07\x08")):
        remedy = "Download it again; of an archive in several parts, join the parts first"
        return FetchError(archive, "is a zip archive whose end is missing", remedy)
    remedy = "Open it: it may be a web page; download it again"
    return FetchError(archive, "is neither a zip nor a tar archive", remedy)


class _Bounded:
    """A file for tarfile with headers of bounded size: one of gigabytes would fill memory."""

    def __init__(self, archive: Path, file: Any):
        self._archive, self._file, self.last = archive, file, b""
        self.left: int | None = _MAX_HEADER
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        if self.left is None:  # content, which is read in blocks and counted elsewhere
            return self._file.read(size)
        if not 0 <= size <= self.left:
            problem = (
                f"holds a header of more than {_MAX_HEADER:,} bytes, which would fill the memory"
            )
            raise FetchError(self._archive, problem, "Do not unpack it")
        self.left -= size
        self.last = self._file.read(size)
        return self.last


def _count(
    archive: Path, opened: zipfile.ZipFile, folder: Path, limit: int, max_files: int
) -> None:
    """Refuse by the archive's own list what it would be in vain to begin."""
    members = opened.infolist()
    told = _told(archive)
    if told not in (len(members) % 0x10000, 0xFFFF):  # zipfile passes over what it cannot read
        raise FetchError(
            archive, f"is damaged: of {told} files its list has {len(members)}", "Download it again"
        )
    size, free = sum(member.file_size for member in members), shutil.disk_usage(folder).free
    if len(members) > max_files:
        raise _too_many(archive, f"{len(members):,}", max_files)
    if size > limit:
        raise _too_large(archive, f"{size:,}", limit)
    if size > free:
        raise FetchError(
            archive,
            f"unpacks to {size:,} bytes, but {free:,} are free in {folder.parent}",
            "Free space",
        )


def _told(archive: Path) -> int:
    """How many files a zip's last record counts; 65,535 where there are more than it holds."""
    with open(archive, "rb") as file:
        file.seek(max(0, archive.stat().st_size - 0x10000 - 22))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    return int.from_bytes(end[at + 10 : at + 12], "little")


def _too_many(archive: Path, number: str, max_files: int) -> FetchError:
    problem = f"holds {number} files, more than the {max_files:,} allowed"
    return FetchError(
        archive, problem, f"If you trust it, pass a larger max_files= (it is {max_files:,})"
    )


def _too_large(archive: Path, size: str, limit: int) -> FetchError:
    problem = (
        f"unpacks to {size} bytes from {archive.stat().st_size:,}, more than the {limit:,} allowed"
    )
    return FetchError(
        archive,
        problem,
        "It may be a decompression bomb; if you trust it, pass larger max_bytes= and max_ratio=",
    )


def _zip_members(archive: Path, opened: zipfile.ZipFile):
    """(name, opener) of each file; opener is None for a folder."""
    for member in opened.infolist():
        kind = stat.S_IFMT(member.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise FetchError(
                archive, f"holds {member.filename!r}, a link or a device", "Do not unpack it"
            )
        if member.flag_bits & 1:
            raise FetchError(archive, "is protected by a password", _UNPACK_YOURSELF)
        if member.compress_type not in (
            0,
            zipfile.ZIP_DEFLATED,
            zipfile.ZIP_BZIP2,
            zipfile.ZIP_LZMA,
        ):
            method = f"a method that this course cannot unpack (number {member.compress_type})"
            raise FetchError(
                archive, f"holds {member.filename!r}, packed by {method}", _UNPACK_YOURSELF
            )
        if member.is_dir() and member.file_size:
            raise FetchError(
                archive,
                f"is damaged: {member.filename!r} is a folder with content",
                "Download it again",
            )
        yield (
            member.filename,
            None if member.is_dir() else lambda member=member: opened.open(member),
        )


def _tar_members(archive: Path, opened: tarfile.TarFile, source: _Bounded):
    """(name, opener) of each file; opener is None for a folder."""
    while (member := opened.next()) is not None:
        if not (member.isreg() or member.isdir()):
            raise FetchError(
                archive, f"holds {member.name!r}, a link or a device", "Do not unpack it"
            )
        if member.issparse():
            raise FetchError(archive, f"holds {member.name!r}, a file with holes", _UNPACK_YOURSELF)
        source.left = None
        yield (
            member.name,
            None if member.isdir() else lambda member=member: opened.extractfile(member),
        )
        source.left = _MAX_HEADER
        opened.members.clear()  # type: ignore[attr-defined]  # or a list of all of them grows
    # tarfile ends at a damaged header, too
    if source.last.strip(b"\0") or len(source.last) < tarfile.BLOCKSIZE:
        raise FetchError(
            archive, "is damaged or cut off: files are missing at its end", "Download it again"
        )


def _write_all(
    archive: Path, members, folder: Path, limit: int, max_files: int, total: int | None = None
) -> None:
    """Count what is really written: the sizes that an archive declares may be false.

    `total`: how many members the archive's list has, where it has one; it is shown, not trusted.
    """
    written = 0
    shown = bar(members, total=total, desc="unpacking", unit="file")
    for number, (name, opener) in enumerate(shown, start=1):
        if number > max_files:
            raise _too_many(archive, f"more than {max_files:,}", max_files)
        target = folder / _safe(archive, name)
        try:
            with _named(archive, name):
                (target.parent if opener else target).mkdir(parents=True, exist_ok=True)
            if opener is None:
                continue
            with _named(archive, name):
                file = open(target, "xb")  # noqa: SIM115
            with file, opener() as source:
                while block := source.read(_BLOCK):
                    written += len(block)
                    if written > limit:
                        raise _too_large(archive, f"more than {limit:,}", limit)
                    file.write(block)
        except (
            FileExistsError,
            NotADirectoryError,
        ) as error:  # the folder was empty: the archive is at fault
            twice = Path(error.filename).relative_to(folder).as_posix()
            raise FetchError(
                archive, f"holds one name twice ({twice})", _UNPACK_YOURSELF
            ) from error


@contextmanager
def _named(archive: Path, name: str):
    """Say which name of an archive this system does not take: too long, or `?` on Windows."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENAMETOOLONG):
            raise
        raise FetchError(
            archive, f"holds {name!r}, a name that this system does not take", _UNPACK_YOURSELF
        ) from error


def _safe(archive: Path, name: str) -> PurePosixPath:
    """Path below the folder, or FetchError."""
    plain = PurePosixPath(name.replace("\\", "/"))
    if plain.is_absolute() or ".." in plain.parts or re.match(r"[A-Za-z]:", name) or "\0" in name:
        raise FetchError(
            archive,
            f"holds {name!r}, which would be written outside the folder",
            "Do not unpack it",
        )
    return plain
