"""Whole or not at all: files and folders, locks and hashes; nobody else does it by hand."""

import ast
import hashlib
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import cxr_helpers
from cxr_helpers import datasets, files, paths

PACKAGE = Path(cxr_helpers.__file__).parent
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- a file ---------------------------------------------------------------------------------------


def test_a_file_appears_when_it_is_whole_and_its_folder_is_made(tmp_path):
    path = tmp_path / "deep" / "a.csv.gz"
    with files.whole_file(path) as part:
        assert part.parent == path.parent
        assert part.name.startswith(".")
        assert part.name.endswith(".a.csv.gz")
        pd.DataFrame({"a": [1]}).to_csv(part)
        assert not path.exists()
    assert names(path.parent) == ["a.csv.gz"]
    assert path.read_bytes()[:2] == b"\x1f\x8b"


@pytest.mark.parametrize(
    "error", [OSError("full"), ValueError("no"), KeyboardInterrupt(), SystemExit(1)]
)
@pytest.mark.parametrize("there", [True, False])
def test_after_an_exception_the_older_file_stands_and_nothing_else(tmp_path, error, there):
    path = tmp_path / "a.txt"
    if there:
        path.write_text("old")

    def work():
        with files.whole_file(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises(type(error)):
        work()
    assert names(tmp_path) == ["a.txt"] * there
    assert not there or path.read_text() == "old"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_file_and_a_folder_have_the_rights_of_any_new_one_and_of_the_one_that_was_there(
    tmp_path, mask
):
    before = os.umask(mask)
    try:
        with files.whole_file(tmp_path / "new") as part:
            part.write_text("x")
        with files.whole_folder(tmp_path / "folder") as new:
            (new / "a").write_text("x")
        (tmp_path / "plain").write_text("x")
        (tmp_path / "private").touch(0o600)
        with files.whole_file(tmp_path / "private") as part:
            part.write_text("x")
    finally:
        os.umask(before)

    def mode(name):
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    assert mode("new") == mode("plain") == 0o666 & ~mask
    assert mode("folder") == 0o777 & ~mask
    assert mode("private") == 0o600 & ~mask


def test_unfinished_work_stays_and_is_gone_on_with(tmp_path):
    path, part = tmp_path / "a.bin", tmp_path / "a.bin.part"

    def work(more: bytes, error: Exception | None = None):
        with files.whole_file(path, unfinished=part) as place, place.open("ab") as file:
            file.write(more)
            if error:
                raise error

    with pytest.raises(OSError, match="cable"):
        work(b"one ", OSError("the cable was pulled"))
    assert names(tmp_path) == ["a.bin.part"]
    work(b"two")
    assert names(tmp_path) == ["a.bin"]
    assert path.read_bytes() == b"one two"


@pytest.mark.parametrize("make", [files.whole_file, files.whole_folder])
def test_a_folder_that_cannot_be_written_is_said_with_the_name_and_the_remedy(
    tmp_path, make, monkeypatch
):
    (tmp_path / "file").write_text("x")

    def enter(path):
        with make(path):
            pytest.fail("it has begun")

    with pytest.raises(
        OSError, match=r"file.a cannot be written \(.*\): choose a folder that you may write to"
    ):
        enter(tmp_path / "file" / "a")
    for number, word, kind in [
        (13, "choose a folder", PermissionError),
        (28, "make room", OSError),
    ]:

        def refuse(*_, number=number, **__):
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as patch:
            patch.setattr("os.open", refuse)
            patch.setattr("os.mkdir", refuse)
            with pytest.raises(kind, match=f"b cannot be written .*{word}") as caught:
                enter(tmp_path / "b")
        assert caught.value.errno == number
    assert names(tmp_path) == ["file"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights of POSIX")
@pytest.mark.skipif(
    hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write everywhere"
)
def test_a_read_only_folder_is_said(tmp_path):
    tmp_path.chmod(0o555)
    with (
        pytest.raises(PermissionError, match="a cannot be written"),
        files.whole_file(tmp_path / "a"),
    ):
        pytest.fail("it has begun")


def test_two_threads_at_one_file_leave_one_of_the_two_contents(tmp_path):
    path, barrier = tmp_path / "a", threading.Barrier(4)

    def work(letter):
        with files.whole_file(path) as part:
            barrier.wait()
            part.write_text(letter * 100_000)

    threads = [threading.Thread(target=work, args=[letter]) for letter in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names(tmp_path) == ["a"]
    text = path.read_text()
    assert len(set(text)) == 1
    assert len(text) == 100_000


# --- a folder -------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [OSError("full"), KeyboardInterrupt()])
@pytest.mark.parametrize("replace", [True, False])
def test_a_folder_appears_whole_or_not_at_all(tmp_path, error, replace):
    folder = tmp_path / "deep" / "set"

    def work(fail: bool):
        with files.whole_folder(folder, replace=replace) as new:
            (new / "a").write_text("new")
            assert not (folder / "a").exists()
            if fail:
                raise error

    with pytest.raises(type(error)):
        work(True)
    assert names(folder.parent) == []
    folder.mkdir()  # an empty one is no obstacle
    work(False)
    assert names(folder.parent) == ["set"]
    assert names(folder) == ["a"]


def test_an_older_folder_is_replaced_only_where_that_is_wanted(tmp_path, monkeypatch):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "old").write_text("x")

    def work(replace: bool):
        with files.whole_folder(folder, replace=replace) as new:
            (new / "new").write_text("x")

    with pytest.raises(OSError, match="not empty"):
        work(False)
    assert names(folder) == ["old"]
    real = os.replace

    def second_fails(source, target):
        if Path(source).name == "new":
            raise OSError("the disk went away")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("os.replace", second_fails)
        with pytest.raises(OSError, match="went away"):
            work(True)
    assert names(folder) == ["old"]
    assert names(tmp_path) == ["set"]
    work(True)
    assert names(folder) == ["new"]
    assert names(tmp_path) == ["set"]


def test_an_unfinished_folder_is_gone_on_with_and_a_finished_one_is_worked_on(tmp_path):
    place, part = tmp_path / "cache", tmp_path / "cache.partial"

    def work(name: str, fail: bool = False):
        with files.whole_folder(place, unfinished=part) as folder:
            (folder / name).write_text("x")
            if fail:
                raise OSError("the power went")

    with pytest.raises(OSError, match="power"):
        work("a", True)
    assert names(tmp_path) == ["cache.partial"]
    work("b")
    assert names(tmp_path) == ["cache"]
    work("c")
    assert names(place) == ["a", "b", "c"]


# --- locks, hashes, places ------------------------------------------------------------------------


def test_one_thread_at_a_time(tmp_path):
    inside, most, barrier = [0], [0], threading.Barrier(3)

    def work():
        barrier.wait()
        for _ in range(20):
            with files.one_at_a_time(tmp_path / "x.lock"):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_a_hash_is_that_of_the_standard_library(tmp_path):
    content = np.random.default_rng(0).bytes(300_000)
    (tmp_path / "a").write_bytes(content)
    expected = hashlib.sha256(content).hexdigest()
    assert files.sha256(content) == files.sha256(memoryview(content)) == expected
    assert files.sha256(tmp_path / "a") == files.sha256(str(tmp_path / "a")) == expected
    assert files.sha256(content[k : k + 7000] for k in range(0, len(content), 7000)) == expected
    assert files.sha256(np.frombuffer(content, np.uint8).data) == expected
    assert files.sha256(b"") == files.sha256([]) == hashlib.sha256().hexdigest()


def test_the_cache_is_in_the_work_folder_and_datasets_names_the_same_places(tmp_path, monkeypatch):
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))
    monkeypatch.delenv("CXR_PROGRESS_DIR", raising=False)
    assert paths.cache_dir() == tmp_path / "work" / "cache"
    assert datasets.work_dir() == paths.work_dir() == tmp_path / "work"
    assert datasets.progress_dir() == paths.progress_dir() == tmp_path / "work" / "progress"
    monkeypatch.setenv("CXR_PROGRESS_DIR", "")
    paths.keep_progress_in(tmp_path / "drive")
    assert paths.progress_dir() == tmp_path / "drive"


# --- nobody else ----------------------------------------------------------------------------------

BY_HAND = {
    "os.replace",
    "os.rename",
    "os.renames",
    "tempfile.mkstemp",
    "tempfile.mkdtemp",
    "tempfile.NamedTemporaryFile",
    "hashlib.sha256",
    "hashlib.file_digest",
    "hashlib.new",
    "filelock.FileLock",
    "rename of 1",
    "replace of 1",
    "CXR_DATA_DIR",
    "CXR_WORK_DIR",
    "CXR_PROGRESS_DIR",
}


def by_hand(source: str) -> list[str]:
    """Lines of a module that place a file, make a hash or a lock, or read where things lie."""
    found = []
    for node in ast.walk(ast.parse(source)):
        names = []
        if isinstance(node, ast.Attribute):
            names = [ast.unparse(node)]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value]
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and not node.keywords
            and not any(isinstance(argument, ast.Starred) for argument in node.args)
        ):
            # of a table it has keywords, of a text two arguments
            names = [f"{node.func.attr} of {len(node.args)}"]
        found += [f"{node.lineno}: {name}" for name in names if name in BY_HAND]
    return found


@pytest.mark.parametrize("module", [m for m in MODULES if m not in ("files.py", "paths.py")])
def test_no_other_room_puts_a_file_in_place_or_reads_where_things_lie(module):
    assert not by_hand((PACKAGE / module).read_text("utf-8"))


@pytest.mark.parametrize(
    "file", sorted((PACKAGE.parent / "benchmarks").glob("*.py")), ids=lambda file: file.stem
)
def test_no_benchmark_puts_a_file_in_place(file):
    moves = ("os.replace", "os.rename", "rename of 1", "replace of 1")
    assert not [line for line in by_hand(file.read_text("utf-8")) if line.endswith(moves)]


@pytest.mark.parametrize(
    "line",
    [
        "os.replace(part, path)",
        "part.rename(path)",
        "Path(part).replace(path)",
        "tempfile.mkstemp()",
        "from tempfile import mkdtemp",
        "x = hashlib.sha256",
        "with open(p, 'rb') as f: hashlib.file_digest(f, 'sha256')",
        "from hashlib import sha256",
        "from filelock import FileLock",
        "os.environ.get('CXR_WORK_DIR')",
        "os.environ['CXR_DATA_DIR']",
    ],
)
def test_the_rule_sees(line):
    assert by_hand(f"import os\n{line}\n")


def test_the_rule_lets_text_and_tables_be():
    assert not by_hand(
        "'a'.replace('a', 'b'); table.replace('', None); table.rename(columns={}); "
        "hashlib.blake2b(b'')"
    )


def test_the_ground_floor_is_light():
    code = (
        "import sys; from cxr_helpers import files, paths;"
        "assert not {'numpy', 'pandas', 'filelock', 'PIL'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
