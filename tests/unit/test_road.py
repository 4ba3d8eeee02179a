"""The road of a file: import, duplicates, cache.

Each is opened once, and nothing differs from reading it each time.
"""

import os
import subprocess
import sys
import warnings
from collections import Counter

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from cxr_helpers import duplicates, files, images, manifest, preprocess
from cxr_helpers.images import _kept
from tests import draw

_OPENED: Counter | None = None


def _hook(event: str, about: tuple) -> None:
    if event == "open" and _OPENED is not None:
        _OPENED[
            os.fsdecode(about[0]) if isinstance(about[0], str | bytes | os.PathLike) else ""
        ] += 1


sys.addaudithook(_hook)  # hooks cannot be taken away: this one counts only while it is asked to


@pytest.fixture
def opened():
    global _OPENED
    _OPENED = Counter()
    yield _OPENED
    _OPENED = None


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    """A work folder of its own, and nothing kept from other tests, or for them."""
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "work"))
    images.forget()
    yield tmp_path / "work"
    images.forget()


def odd_files() -> dict[str, bytes]:
    """One file of each way to hold grey levels, in one class each: name → content."""
    grey = draw.radiograph("Covid", 96, 1)
    picture = Image.fromarray(grey)
    colour = Image.fromarray(np.stack([grey, grey // 2, 255 - grey], axis=-1))
    deep = grey.astype(np.uint16)
    rng = np.random.default_rng(0)
    clear = Image.merge(
        "LA", [picture, Image.fromarray(rng.integers(0, 256, grey.shape, np.uint8))]
    )
    turned = Image.Exif()
    turned[0x0112] = 6
    palette = colour.quantize(32)
    note = PngImagePlugin.PngInfo()
    note.add(b"sBIT", bytes([12]))
    noise = rng.integers(0, 4096, grey.shape, np.uint16)
    return {
        "grey.jpg": draw.encoded(picture, "JPEG"),
        "grey.png": draw.encoded(picture),
        "grey copy.png": draw.encoded(picture),
        "colour.jpeg": draw.encoded(colour, "JPEG"),
        "colour.png": draw.encoded(colour),
        "turned.jpg": draw.encoded(colour.resize((96, 64)), "JPEG", exif=turned),
        "alpha.png": draw.encoded(clear),
        "palette.png": draw.encoded(palette),
        "two.png": draw.encoded(picture.convert("1")),
        "16 bits.png": draw.encoded(Image.fromarray(deep * 257)),
        "12 bits.png": draw.encoded(Image.fromarray(deep * 16 + 7)),
        "12 bits, dark.png": draw.encoded(Image.fromarray(deep * 3)),
        "12 bits, said.png": draw.encoded(Image.fromarray(noise), pnginfo=note),
        "float.tif": draw.encoded(Image.fromarray(grey.astype(np.float32) / 255), "TIFF"),
        "strip.png": draw.encoded(picture.resize((20, 200))),
        "one level.png": draw.encoded(Image.new("RGB", (64, 64), (9, 9, 9))),
        "tiny.png": draw.encoded(colour.resize((6, 6))),
        "window.dcm": draw.dicom(deep * 16, WindowCenter=2000, WindowWidth=4000),
        "no window.dcm": draw.dicom(deep * 16),
        "negative.dcm": draw.dicom(deep * 16, "MONOCHROME1", WindowCenter=2000, WindowWidth=4000),
        "eight.dcm": draw.dicom(grey),
    }


@pytest.fixture
def folder(tmp_path):
    top = tmp_path / "set"
    for number, (name, content) in enumerate(odd_files().items()):
        place = top / ("Normal", "Covid")[number % 2] / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    draw.zoo(top / "Normal" / "zoo")
    return top


def plainly(table, size=32):
    """Fingerprints and prepared images, each file read anew for each: what the road must give."""
    images.forget()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", images.ImageWarning)
        read = [
            images.read(path, scale)
            for path, scale in zip(table["path"], manifest.scales(table), strict=True)
        ]
    return np.stack([duplicates.fingerprint(x) for x in read]), np.stack(
        [preprocess.prepare(x, size) for x in read]
    )


@pytest.mark.filterwarnings("ignore::cxr_helpers.images.ImageWarning")
def test_import_duplicates_and_cache_open_each_file_once_and_give_what_reading_gives(
    folder, opened
):
    report = manifest.from_folder(folder, progress=False)
    table = report.table
    assert set(opened[path] for path in [*table["path"], *report.rejects["path"]]) == {1}
    vectors = duplicates.fingerprints(table, progress=False)
    pairs = duplicates.pairs(table, progress=False)
    stored = preprocess.cache(table, size=32, progress=False)
    again = preprocess.cache(table, size=16, contrast="equalize", progress=False)
    counts = {path: opened[path] for path in table["path"]}
    assert len(table) == len(odd_files())
    # The white that the set agrees upon is not what these two had before: they are read on that
    # one.
    others = {path for path, number in counts.items() if number > 1}
    assert {os.path.basename(path) for path in others} == {"12 bits.png", "12 bits, dark.png"}
    assert "identical" in set(pairs["kind"])
    expected, prepared = plainly(table)
    np.testing.assert_array_equal(vectors, expected)
    np.testing.assert_array_equal(stored, prepared)
    assert again.shape == (len(table), 16, 16)
    for path, sha256, width in zip(table["path"], table["sha256"], table["width"], strict=True):
        assert files.sha256(path) == sha256
        assert images.read(path).shape[1] == width


def drawn(tmp_path, number=6):
    top = tmp_path / "drawn"
    for k in range(number):
        place = top / ("Normal", "Covid")[k % 2] / f"{k}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(draw.encoded(Image.fromarray(draw.radiograph("Normal", 64, k)), "JPEG"))
    return manifest.from_folder(top, progress=False).table


def test_what_is_beyond_the_limit_is_read_again_and_no_more(tmp_path, monkeypatch, opened):
    monkeypatch.setattr(_kept, "LIMIT", 2 * 64 * 64)
    images.forget()
    table = drawn(tmp_path)
    vectors = duplicates.fingerprints(table, progress=False)
    stored = preprocess.cache(table, size=32, progress=False)
    counts = sorted(opened[path] - 1 for path in table["path"])  # each was written once, here
    assert counts == [1, 1, 3, 3, 3, 3]
    expected, prepared = plainly(table)
    np.testing.assert_array_equal(vectors, expected)
    np.testing.assert_array_equal(stored, prepared)


def test_a_file_changed_since_the_import_is_not_recalled(tmp_path):
    table = drawn(tmp_path)
    path, sha256 = table.loc[0, ["path", "sha256"]]
    np.testing.assert_array_equal(images.recall(path, sha256), images.read(path))
    other = draw.encoded(Image.fromarray(draw.radiograph("Covid", 64, 9)), "JPEG")
    with open(path, "wb") as file:
        file.write(other)
    assert images.recall(path, sha256) is None
    np.testing.assert_array_equal(
        duplicates.fingerprints(table, progress=False)[0],
        duplicates.fingerprint(images.read(other)),
    )
    with pytest.raises(images.ImageError, match="is not the file that the table describes"):
        preprocess.cache(table, size=16, progress=False)
    os.remove(path)
    assert images.recall(path, sha256) is None
    with pytest.raises(images.ImageError, match="does not exist"):
        preprocess.cache(table, size=16, progress=False)


def test_only_the_last_import_is_at_hand_and_only_what_was_asked_for(tmp_path):
    table = drawn(tmp_path)
    path, sha256 = table.loc[1, ["path", "sha256"]]
    assert images.recall(path, "0" * 64) is None
    assert images.recall(path, sha256, 4095.0) is None
    assert images.recall(path, sha256) is not None
    manifest.from_folder(tmp_path / "drawn", progress=False, labels={"Covid": None})
    assert [
        images.recall(*row) is None for row in table[["path", "sha256"]].itertuples(index=False)
    ] == [label == "covid" for label in table["label"]]
    images.forget()
    images.describe(path)
    assert images.recall(path, sha256) is None


def test_what_is_assumed_is_said_when_it_is_recalled(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(draw.dicom(draw.radiograph().astype(np.uint16)))
    sha256 = images.describe(path, keep=True).sha256
    with pytest.warns(images.ImageWarning, match="no window in the header"):
        assert images.recall(path, sha256) is not None


@pytest.mark.parametrize("broken", ["tempfile.TemporaryFile", "shutil.disk_usage"])
def test_a_disk_that_cannot_be_written_costs_time_only(tmp_path, monkeypatch, broken):
    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(broken, refuse)
    table = drawn(tmp_path)
    assert images.recall(*table.loc[0, ["path", "sha256"]]) is None
    assert preprocess.cache(table, size=16, folder=tmp_path / "cache", progress=False).shape == (
        6,
        16,
        16,
    )


def test_nothing_is_left_on_the_disk_and_no_folder_is_made(tmp_path, monkeypatch, work):
    drawn(tmp_path)
    assert list(work.iterdir()) == []
    monkeypatch.setenv("CXR_WORK_DIR", str(tmp_path / "absent"))
    images.forget()
    table = drawn(tmp_path)
    assert images.recall(*table.loc[0, ["path", "sha256"]]) is not None
    assert not (tmp_path / "absent").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_leaves_its_parents_images_alone(tmp_path):
    table = drawn(tmp_path)
    code = (
        "import os, sys; from cxr_helpers import images, manifest;"
        "table = manifest.from_folder(sys.argv[1], progress=False).table;"
        "row = table.loc[0, ['path', 'sha256']]; before = images.recall(*row);"
        "child = os.fork();\n"
        "if not child:\n"
        "    gone = images.recall(*row) is None\n"
        "    for path in reversed(list(table['path'])): images.describe(path, keep=True)\n"
        "    os._exit(0 if gone else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "assert (images.recall(*row) == before).all()\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "drawn")], check=True)
    assert len(table) == 6


def test_a_reader_that_names_the_hash_refuses_another_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(draw.encoded(Image.fromarray(draw.radiograph())))
    sha256 = files.sha256(path)
    np.testing.assert_array_equal(images.read(path, None, sha256), images.read(path))
    with pytest.raises(images.ImageError, match="Import its folder again"):
        images.read(path, None, "0" * 64)
