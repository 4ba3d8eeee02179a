import bz2
import contextlib
import errno
import gzip
import hashlib
import io
import os
import re
import stat
import tarfile
import threading
import time
import tracemalloc
import types
import zipfile
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from cxr_helpers import fetch

CONTENT = np.random.default_rng(0).bytes(300_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(BaseHTTPRequestHandler):
    """Real answers over a real connection; the server's attributes say how it misbehaves."""

    def do_GET(self):
        server, wanted = self.server, self.headers.get("Range")
        server.asked.append(wanted)
        status = server.statuses.pop(0) if server.statuses else 200
        if status != 200:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, content = 0, server.content
        same = self.headers.get("If-Range") in (None, server.tag)
        if wanted and server.ranges and same:
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            told = start + server.lie
            self.send_header("Content-Range", f"bytes {told}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", server.kind)
        if not server.endless:
            self.send_header("Content-Length", str(len(content) - start))
        if server.tag:
            self.send_header("ETag", server.tag)
        self.end_headers()
        body = content[start:]
        if server.cuts:
            server.cuts -= 1
            body = body[: len(body) // 2]
        if server.slow:  # the first half, then time enough for somebody else to ask
            self.wfile.write(body[: len(body) // 2])
            body = body[len(body) // 2 :]
            time.sleep(server.slow)
        with contextlib.suppress(OSError):
            for byte in body * server.drip:
                self.wfile.write(bytes([byte]))
                time.sleep(0.02)
        self.wfile.write(body)
        with contextlib.suppress(OSError):
            while server.endless:
                self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    httpd.content, httpd.asked, httpd.statuses = CONTENT, [], []
    httpd.ranges, httpd.cuts, httpd.lie, httpd.tag, httpd.kind = (
        True,
        0,
        0,
        '"v1"',
        "application/octet-stream",
    )
    httpd.slow, httpd.endless, httpd.drip = 0, False, 0
    threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
    httpd.url = f"http://127.0.0.1:{httpd.server_port}/set.zip"
    yield httpd
    httpd.shutdown()
    httpd.server_close()


def get(server, path, sha256=None, **options):
    return fetch.download(server.url, path, sha256, progress=False, wait=0, timeout=5, **options)


def test_a_file_arrives_whole_and_nothing_else_is_left(server, tmp_path):
    path = get(server, tmp_path / "new" / "set.zip", SHA256.upper())
    assert path.read_bytes() == CONTENT
    assert [p.name for p in path.parent.iterdir()] == ["set.zip"]


def test_a_cut_connection_is_resumed(server, tmp_path):
    server.cuts = 2
    assert get(server, tmp_path / "set.zip", SHA256).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=150000-", "bytes=225000-"]


def test_the_next_call_goes_on_from_what_arrived(server, tmp_path):
    server.cuts = 1
    with pytest.raises(
        fetch.FetchError, match=r"150,000 of 300,000 bytes.*0\.\d MB that arrived are kept"
    ):
        get(server, tmp_path / "set.zip", attempts=1)
    assert not (tmp_path / "set.zip").exists()
    assert (tmp_path / "set.zip.part").stat().st_size == 150_000
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == [None, "bytes=150000-"]


def test_a_server_that_cannot_resume_sends_all_again(server, tmp_path):
    server.cuts, server.ranges = 1, False
    assert get(server, tmp_path / "set.zip", SHA256).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=150000-"]


def test_a_file_that_changed_meanwhile_is_not_patched_together(server, tmp_path):
    server.cuts = 1
    with pytest.raises(fetch.FetchError):
        get(server, tmp_path / "set.zip", attempts=1)
    server.content, server.tag = CONTENT[::-1], '"v2"'
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT[::-1]


def test_without_a_mark_of_the_version_or_a_hash_nothing_is_resumed(server, tmp_path):
    server.cuts, server.tag = 1, ""
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    assert server.asked == [None, None]


def test_a_wrong_range_is_not_appended(server, tmp_path):
    server.cuts, server.lie = 1, 7
    assert get(server, tmp_path / "set.zip", SHA256).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=150000-", None]


def test_a_complete_part_needs_no_further_byte(server, tmp_path):
    (tmp_path / "set.zip.part").write_bytes(CONTENT)
    (tmp_path / "set.zip.part.tag").write_text(f'{server.url}\n"v1"')
    assert get(server, tmp_path / "set.zip", SHA256).read_bytes() == CONTENT
    assert server.asked == ["bytes=300000-"]


def test_a_part_of_other_content_is_found_by_the_hash_and_begun_anew(server, tmp_path):
    (tmp_path / "set.zip.part").write_bytes(bytes(1000))
    (tmp_path / "set.zip.part.tag").write_text(f'{server.url}\n"v1"')
    assert get(server, tmp_path / "set.zip", SHA256).read_bytes() == CONTENT
    assert server.asked == ["bytes=1000-", None]


def test_a_part_of_another_address_is_not_used(server, tmp_path):
    (tmp_path / "set.zip.part").write_bytes(bytes(1000))
    (tmp_path / "set.zip.part.tag").write_text('http://elsewhere.example/\n"v1"')
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing(server, tmp_path):
    with pytest.raises(fetch.FetchError, match=f"{SHA256} instead of {'0' * 64}") as caught:
        get(server, tmp_path / "set.zip", "0" * 64)
    assert server.url in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_file_with_the_right_hash_is_not_downloaded_again(server, tmp_path):
    (tmp_path / "set.zip").write_bytes(CONTENT)
    get(server, tmp_path / "set.zip", SHA256)
    assert server.asked == []


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.statuses = [503, 429]
    assert get(server, tmp_path / "set.zip").read_bytes() == CONTENT
    assert len(server.asked) == 3


def test_a_server_that_stays_busy(server, tmp_path):
    server.statuses = [503] * 4
    with pytest.raises(fetch.FetchError, match=r"4 attempts.*503"):
        get(server, tmp_path / "set.zip")


@pytest.mark.parametrize(
    ("status", "message"), [(404, "Check the address"), (403, "access denied")]
)
def test_a_refusal_is_not_repeated(server, tmp_path, status, message):
    server.statuses = [status]
    with pytest.raises(fetch.FetchError, match=message):
        get(server, tmp_path / "set.zip")
    assert len(server.asked) == 1


def test_a_web_page_is_no_archive(server, tmp_path):
    server.kind = "text/html; charset=utf-8"
    with pytest.raises(fetch.FetchError, match="web page"):
        get(server, tmp_path / "set.zip")


PAGES = [
    b"<!DOCTYPE html><html><body>Sign in</body></html>",
    b"\xef\xbb\xbf\r\n  <HTML><head>Quota exceeded</head></HTML>",
    b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    b"<!-- made by hand --><html>",
    "<html><body>Sign in</body></html>".encode("utf-16"),
    b"",
]


@pytest.mark.parametrize(
    "name", ["w.h5", "s.zip", "m.keras", "a.npz", "x.png", "set.tar.gz", "net.onnx"]
)
@pytest.mark.parametrize(
    "content", [b'{"error": "quota exceeded"}', b"Quota exceeded\n", b"Zugriff verweigert"]
)
def test_an_error_in_words_is_not_kept_as_a_file_of_data(server, tmp_path, name, content):
    server.content = content
    with pytest.raises(fetch.FetchError, match=r"sent text instead of the file, beginning with '"):
        get(server, tmp_path / name)
    assert not (tmp_path / name).exists()
    assert get(server, tmp_path / "answer.json").read_bytes() == content


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", ["w.h5", "t.csv", "a.npz", "b.keras", "s.zip", "noname"])
def test_a_page_under_another_name_is_not_kept(server, tmp_path, page, name):
    server.content = page
    with pytest.raises(fetch.FetchError, match=r"a web page instead of the file|an empty file"):
        get(server, tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_page_that_was_asked_for_is_kept(server, tmp_path):
    server.content, server.kind = PAGES[0], "text/html"
    assert get(server, tmp_path / "page.html").read_bytes() == PAGES[0]
    server.kind = "application/octet-stream"
    page = hashlib.sha256(PAGES[0]).hexdigest()
    # who gives its hash wants it
    assert get(server, tmp_path / "t.csv", page).read_bytes() == PAGES[0]


@pytest.mark.parametrize("announced", [True, False])
def test_a_download_that_is_too_long_or_without_end(server, tmp_path, announced):
    server.endless = not announced
    with pytest.raises(
        fetch.FetchError,
        match=r"300,000 bytes, more than the 200,000|does not end after 200,000 bytes",
    ):
        get(server, tmp_path / "set.zip", max_bytes=200_000)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_download_that_does_not_fit_on_the_disk(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=100_000))
    with pytest.raises(fetch.FetchError, match=r"has 300,000 bytes, but 100,000 are free"):
        get(server, tmp_path / "set.zip")
    server.endless = True
    with pytest.raises(fetch.FetchError, match=r"does not end after 90,000 bytes"):
        get(server, tmp_path / "set.zip")


def test_a_server_that_sends_next_to_nothing(server, tmp_path):
    server.drip = 1
    with pytest.raises(fetch.FetchError, match=r"1 attempts \(slower than 1,000 bytes a second\)"):
        fetch.download(server.url, tmp_path / "set.zip", progress=False, attempts=1, timeout=0.4)
    assert not (tmp_path / "set.zip").exists()


def test_no_server_and_no_web_address(tmp_path):
    with pytest.raises(fetch.FetchError, match="2 attempts"):
        fetch.download("http://127.0.0.1:9/x", tmp_path / "x", attempts=2, wait=0, progress=False)
    for url in ("file:///etc/passwd", "ftp://example.org/x", "set.zip", "http://"):
        with pytest.raises(fetch.FetchError, match="not an http or https address"):
            fetch.download(url, tmp_path / "x")


@pytest.mark.parametrize("sha256", [SHA256, None])
def test_two_downloads_of_one_file_come_one_after_the_other(server, tmp_path, sha256):
    server.slow = 0.4
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(get, server, tmp_path / "set.zip", sha256)
        time.sleep(0.2)
        second = pool.submit(get, server, tmp_path / "set.zip", sha256)
        assert first.result() == second.result()
    assert (tmp_path / "set.zip").read_bytes() == CONTENT
    # with a hash it is known to be there
    assert server.asked == ([None] if sha256 else [None, None])
    assert [path.name for path in tmp_path.iterdir()] == ["set.zip"]


def test_the_size_on_disk_counts_not_what_was_written(server, tmp_path):
    server.slow = 0.5
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(get, server, tmp_path / "set.zip", attempts=1)
        while not (tmp_path / "set.zip.part").exists() and not run.done():
            time.sleep(0.01)
        (tmp_path / "set.zip.part").write_bytes(CONTENT * 2)  # by somebody who knows no lock
        with pytest.raises(fetch.FetchError, match="600,000 of 300,000 bytes"):
            run.result()
    assert not (tmp_path / "set.zip").exists()


def test_a_destination_that_cannot_be_written(server, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(fetch.FetchError, match="cannot be written"):
        get(server, tmp_path / "file" / "set.zip")


def zipped(path, files, mode=stat.S_IFREG | 0o644):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, content)
    return path


def tarred(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for member, content in members:
            if isinstance(member, str):
                member = tarfile.TarInfo(member)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def of_type(kind, name="link", target="/etc/passwd"):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


FILES = {"Set/train/Covid/a.png": b"1" * 5000, "Set/é d.txt": b"2", "Set/empty": b""}


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_archives_are_unpacked(tmp_path, kind):
    path = tmp_path / f"set.{kind}"
    if kind == "zip":
        zipped(path, FILES)
    else:
        tarred(path, *FILES.items(), mode="w:" + kind[4:])
    folder = fetch.extract(path, tmp_path / "deep" / "out")
    assert {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    } == FILES
    assert [p.name for p in folder.parent.iterdir()] == ["out"]


def test_an_empty_folder_may_be_filled_and_a_full_one_may_not(tmp_path):
    path = zipped(tmp_path / "set.zip", FILES)
    (tmp_path / "out").mkdir()
    fetch.extract(path, tmp_path / "out")
    with pytest.raises(fetch.FetchError, match="would overwrite"):
        fetch.extract(path, tmp_path / "out")


OUTSIDE = [
    "../evil.txt",
    "a/../../evil.txt",
    "/evil.txt",
    "..\\evil.txt",
    "C:\\evil.txt",
    "C:evil.txt",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_nothing_is_written_outside_the_folder(tmp_path, name, kind):
    files = {"good.txt": b"1", name: b"2"}
    path = (
        zipped(tmp_path / "a.zip", files)
        if kind == "zip"
        else tarred(tmp_path / "a.tar", *files.items())
    )
    with pytest.raises(fetch.FetchError, match="outside the folder"):
        fetch.extract(path, tmp_path / "x" / "out")
    assert not list((tmp_path / "x").iterdir())
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    path = tarred(tmp_path / "a.tar", (of_type(kind), b""), ("link/file", b"x"))
    with pytest.raises(fetch.FetchError, match="a link or a device"):
        fetch.extract(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_links_in_a_zip_are_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"link": b"/etc/passwd"}, stat.S_IFLNK | 0o777)
    with pytest.raises(fetch.FetchError, match="a link or a device"):
        fetch.extract(path, tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_a_bomb_is_stopped_by_its_ratio(tmp_path, kind):
    content = bytes(120_000_000)
    path = tmp_path / f"bomb.{kind}"
    _ = zipped(path, {"zeros": content}) if kind == "zip" else tarred(path, ("zeros", content))
    assert os.path.getsize(path) < 200_000
    with pytest.raises(fetch.FetchError, match="decompression bomb"):
        fetch.extract(path, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_limits_on_size_and_number(tmp_path):
    path = zipped(tmp_path / "a.zip", FILES)
    with pytest.raises(
        fetch.FetchError, match=r"5,001 bytes .*more than the 4,000 allowed.*max_bytes="
    ):
        fetch.extract(path, tmp_path / "out", max_bytes=4000)
    with pytest.raises(
        fetch.FetchError, match=r"holds 3 files, more than the 2 allowed.*max_files="
    ):
        fetch.extract(path, tmp_path / "out", max_files=2)
    assert fetch.extract(path, tmp_path / "out", max_bytes=5001, max_files=3)


def test_a_zip_that_lies_about_its_sizes_is_counted_by_what_comes_out(tmp_path):
    path = zipped(tmp_path / "a.zip", {"zeros": bytes(1_000_000)})
    data = path.read_bytes().replace((1_000_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(data)
    with pytest.raises(fetch.FetchError):
        fetch.extract(path, tmp_path / "out", max_bytes=1000)
    assert not (tmp_path / "out").exists()


def damaged_zip(path):
    zipped(path, {"a": CONTENT})
    data = bytearray(path.read_bytes())
    data[1000:1010] = b"\0" * 10
    path.write_bytes(data)


def cut_tar(path):
    tarred(path, ("a", CONTENT))
    path.write_bytes(path.read_bytes()[:100_000])


def cut_between_files(path):
    """A tar that ends where a file ends."""
    tarred(path, ("a", b"x"), ("b", b"x"), ("c", b"x"), mode="w")
    path.write_bytes(path.read_bytes()[: 2 * 1024])


def cut_in_a_header(path):
    tarred(path, ("a", b"x"), ("b", b"x"), mode="w")
    path.write_bytes(path.read_bytes()[:1300])


def damaged_header(path):
    """A tar whose second header is damaged: tarfile itself ends there without a word."""
    tarred(path, ("a", b"x"), ("b", b"x"), ("c", b"x"), mode="w")
    content = bytearray(path.read_bytes())
    content[1024 + 148 : 1024 + 156] = b"zzzzzzzz"  # its checksum
    path.write_bytes(bytes(content))


def damaged_list(path):
    """A zip whose list names one file less than it says: zipfile passes over what is unreadable."""
    zipped(path, {name: b"x" for name in "abc"})
    content = bytearray(path.read_bytes())
    second = content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 1)
    content[second + 32] = 47  # the length of its comment: the next entry
    path.write_bytes(bytes(content))
    assert len(zipfile.ZipFile(path).namelist()) == 2


@pytest.mark.parametrize(
    "make", [damaged_list, damaged_zip, cut_tar, cut_between_files, cut_in_a_header, damaged_header]
)
def test_a_damaged_archive_leaves_nothing(tmp_path, make):
    path = tmp_path / "archive"
    make(path)
    with pytest.raises(fetch.FetchError, match="damaged"):
        fetch.extract(path, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["archive"]


@pytest.mark.parametrize("second", ["Set/a", "Set/a/b", "Set/a/b/c"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_is_no_damage(tmp_path, second, kind):
    members, path = [("Set/a", b"1"), (second, b"2")], tmp_path / "archive"
    if kind == "tar":
        tarred(path, *members)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members:
                archive.writestr(name, content)
    with pytest.raises(fetch.FetchError, match=r"holds one name twice \(Set/a.*Unpack it yourself"):
        fetch.extract(path, tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["archive"]


def test_a_place_that_cannot_be_written_is_not_blamed_on_the_archive(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", FILES)
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file" / "out", tmp_path / "file" / "deep" / "out"):
        with pytest.raises(
            fetch.FetchError, match=r"could not be unpacked into .*out .*choose a folder"
        ):
            fetch.extract(path, folder)

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "_safe", full)
    with pytest.raises(
        fetch.FetchError, match=r"could not be unpacked .*No space left.*Free space"
    ):
        fetch.extract(path, tmp_path / "out")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.zip", "file"]


def test_what_is_no_archive(tmp_path):
    (tmp_path / "page.zip").write_text("<html>Sign in</html>")
    with pytest.raises(fetch.FetchError, match="neither a zip nor a tar"):
        fetch.extract(tmp_path / "page.zip", tmp_path / "out")
    with pytest.raises(fetch.FetchError, match="not a file"):
        fetch.extract(tmp_path, tmp_path / "out")


def test_a_zip_with_a_password_is_refused(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a": b"1"})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(fetch.FetchError, match="password"):
        fetch.extract(path, tmp_path / "out")


def header(kind, size):
    """A tar's header that claims a name, or facts, of this size, packed."""
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


def packed_tar(path, opener, kind, size):
    with opener(path, "wb") as file:
        file.write(header(kind, size))
        for _ in range(size // 1_000_000):
            file.write(bytes(1_000_000))
    return path


@pytest.mark.parametrize(
    "kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK]
)
@pytest.mark.parametrize("opener", [gzip.open, bz2.open, open])
def test_a_header_of_a_tar_is_bounded(tmp_path, kind, opener):
    path = packed_tar(tmp_path / "a.tar", opener, kind, 40_000_000)
    tracemalloc.start()
    with pytest.raises(fetch.FetchError, match=r"a header of more than 1,048,576 bytes"):
        fetch.extract(path, tmp_path / "out")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000


def test_long_names_and_many_files_in_a_tar_are_no_harm(tmp_path):
    files = {f"Set/{'long-' * 30}/{number}.txt": bytes([number]) * 2_000_000 for number in range(3)}
    folder = fetch.extract(tarred(tmp_path / "a.tar.gz", *files.items()), tmp_path / "out")
    assert {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.txt")
    } == files


@pytest.mark.parametrize("pack", [zipped, lambda path, files: tarred(path, *files.items())])
@pytest.mark.parametrize("name", ["long " * 60 + "/a.png", "Set/" + "x" * 300 + ".png", "y" * 300])
def test_a_name_that_the_system_does_not_take_is_named(tmp_path, pack, name):
    path = pack(tmp_path / "set.zip", {"Set/b.png": b"1", name: b"2"})
    with pytest.raises(fetch.FetchError) as refused:
        fetch.extract(path, tmp_path / "out")
    assert f"holds {name!r}, a name that this system does not take" in str(refused.value)
    assert "Unpack it yourself" in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_windows_says_of_a_question_mark_that_the_argument_is_invalid(tmp_path, monkeypatch):
    def windows(path, *arguments):
        if "?" in os.fspath(path):
            raise OSError(errno.EINVAL, "Invalid argument", os.fspath(path))
        return open(path, *arguments)

    monkeypatch.setattr(fetch, "open", windows, raising=False)
    path = zipped(tmp_path / "set.zip", {"Covid/what?.png": b"1"})
    with pytest.raises(fetch.FetchError, match=r"holds 'Covid/what\?.png', a name that"):
        fetch.extract(path, tmp_path / "out")


OTHERS = {
    "set.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(50), "is a 7z archive"),
    "set.rar": (b"Rar!\x1a\x07\x01\x00" + bytes(50), "is a RAR archive"),
    "set.tar.zst": (b"\x28\xb5\x2f\xfd" + bytes(50), "is a Zstandard archive"),
    "table.csv.gz": (gzip.compress(b"path,label\n" * 100), "is one file packed by gzip"),
    "weights.h5.bz2": (bz2.compress(b"weights" * 500), "is one file packed by bzip2"),
    "set.zip": (b"PK\x03\x04" + bytes(100), "whose end is missing"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_we_cannot_unpack_is_not_called_damaged(tmp_path, name):
    content, word = OTHERS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(fetch.FetchError, match=word) as caught:
        fetch.extract(tmp_path / name, tmp_path / "out")
    assert "damaged" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    "make", [lambda path: zipped(path, {}), tarred, lambda path: path.write_bytes(bytes(4096))]
)
def test_an_archive_of_nothing(tmp_path, make):
    make(tmp_path / "a")
    with pytest.raises(fetch.FetchError, match=r"holds no file"):
        fetch.extract(tmp_path / "a", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


# Deflate64 (usual above 2 GB on Windows), Zstandard, PPMd
@pytest.mark.parametrize("method", [9, 93, 98])
def test_a_zip_packed_by_another_method(tmp_path, method):
    path = zipped(tmp_path / "a.zip", {"a.png": b"1" * 500})
    data = bytearray(path.read_bytes())
    for start in (8, data.index(b"PK\x01\x02") + 10):
        data[start : start + 2] = method.to_bytes(2, "little")
    path.write_bytes(data)
    with pytest.raises(
        fetch.FetchError, match=rf"'a.png', packed by .*\(number {method}\).*Unpack it yourself"
    ):
        fetch.extract(path, tmp_path / "out")


def test_a_zip_is_counted_before_anything_is_written(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", {f"{number}.txt": b"x" for number in range(30)})
    monkeypatch.setattr(fetch, "_write_all", lambda *_: pytest.fail("it has begun"))
    for limit, word in (
        ({"max_files": 29}, "holds 30 files"),
        ({"max_bytes": 29}, "unpacks to 30 bytes"),
    ):
        with pytest.raises(fetch.FetchError, match=word):
            fetch.extract(path, tmp_path / "out", **limit)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=10))
    with pytest.raises(fetch.FetchError, match=r"unpacks to 30 bytes, but 10 are free"):
        fetch.extract(path, tmp_path / "out")
