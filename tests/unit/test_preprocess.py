import errno
import os
import shutil
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import images, preprocess


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (40, 30), dtype=np.uint8)).save(path)
        rows.append(
            {"image_id": path.name, "path": str(path), "sha256": images.describe(path).sha256}
        )
    return pd.DataFrame(rows)


def test_pad_keeps_everything_and_crop_keeps_the_centre():
    image = np.arange(12, dtype=np.float32).reshape(2, 6) / 12
    padded = preprocess.pad_to_square(image)
    np.testing.assert_array_equal(padded[2:4], image)
    assert padded.shape == (6, 6)
    assert padded[[0, 1, 4, 5]].sum() == 0
    np.testing.assert_array_equal(preprocess.centre_crop(image), image[:, 2:4])


def test_crop_border():
    image = np.arange(100.0).reshape(10, 10)
    np.testing.assert_array_equal(preprocess.crop_border(image, 0.2), image[2:8, 2:8])
    np.testing.assert_array_equal(preprocess.crop_border(image, 0), image)
    with pytest.raises(ValueError, match="fraction"):
        preprocess.crop_border(image, 0.5)


@pytest.mark.parametrize("fit", preprocess.FITS)
@pytest.mark.parametrize("contrast", preprocess.CONTRASTS)
def test_prepare_gives_grey_levels_of_the_size_asked_for(fit, contrast):
    image = np.random.default_rng(0).random((50, 80), np.float32)
    result = preprocess.prepare(image, 32, fit, contrast)
    assert result.shape == (32, 32)
    assert result.dtype == np.uint8


def test_prepare_keeps_grey_levels():
    result = preprocess.prepare(np.full((64, 64), 0.4, np.float32), 32)
    assert (result == round(0.4 * 255)).all()


def test_squashing_changes_the_aspect_and_padding_does_not():
    disc = np.hypot(*np.mgrid[-50:50, -50:50]) < 30
    wide = np.zeros((100, 200), np.float32)
    wide[:, 50:150] = disc
    for fit, aspect in [("pad", 1.0), ("crop", 1.0), ("squash", 2.0)]:
        rows, columns = np.nonzero(preprocess.prepare(wide, 100, fit) > 127)
        assert np.ptp(rows) / np.ptp(columns) == pytest.approx(aspect, rel=0.1)


def test_equalisation_flattens_the_histogram():
    image = np.random.default_rng(0).beta(2, 8, (128, 128)).astype(np.float32)
    plain, flat = (preprocess.prepare(image, 128, contrast=c) for c in (None, "equalize"))
    assert np.percentile(flat, [25, 50, 75]) == pytest.approx([64, 128, 191], abs=4)
    assert np.percentile(plain, 75) < 100


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3)), "two-dimensional"),
        (np.full((4, 4), 255.0), "by 255 first"),
        (np.zeros((0, 4)), "grey levels"),
    ],
)
def test_prepare_refuses_what_is_not_a_grey_image(image, message):
    with pytest.raises(ValueError, match=message):
        preprocess.prepare(image)
    with pytest.raises(ValueError, match="fit must be"):
        preprocess.prepare(np.zeros((4, 4)), fit="stretch")


def test_cache_holds_what_prepare_gives_in_row_order(table, tmp_path):
    stored = preprocess.cache(table, size=16, folder=tmp_path / "cache")
    assert isinstance(stored, np.memmap)
    assert not stored.flags.writeable
    for row, path in enumerate(table["path"]):
        np.testing.assert_array_equal(stored[row], preprocess.prepare(images.read(path), 16))


def test_cache_is_read_not_made_again(table, tmp_path, monkeypatch):
    first = preprocess.cache(table, size=16, folder=tmp_path / "cache")
    monkeypatch.setattr(images, "read", lambda path, *_: pytest.fail("decoded again"))
    np.testing.assert_array_equal(
        preprocess.cache(table, size=16, folder=tmp_path / "cache"), first
    )


def test_cache_depends_on_settings_and_files_but_not_on_labels(table, tmp_path):
    folder = tmp_path / "cache"
    for settings in ({}, {"fit": "crop"}, {"contrast": "equalize"}, {"size": 8}):
        preprocess.cache(table, **{"size": 16, "folder": folder, **settings})
    preprocess.cache(table.assign(label="covid"), size=16, folder=folder)
    assert len([p for p in folder.iterdir() if p.is_dir()]) == 4
    preprocess.cache(table[::-1].reset_index(drop=True), size=16, folder=folder)
    assert len([p for p in folder.iterdir() if p.is_dir()]) == 5


def test_a_file_that_changed_since_its_import_is_not_kept_under_the_old_hash(table, tmp_path):
    Image.new("L", (30, 40), 7).save(table["path"][3])
    with pytest.raises(
        images.ImageError, match=r"3\.png.*not the file that the table describes.*Import its folder"
    ):
        preprocess.cache(table, size=16, folder=tmp_path / "cache")
    again = table.assign(sha256=[images.describe(path).sha256 for path in table["path"]])
    assert (preprocess.cache(again, size=16, folder=tmp_path / "cache")[3][:, 4:12] == 7).all()


def test_an_interrupted_cache_goes_on_where_it_stopped(table, tmp_path, monkeypatch):
    read, seen = images.read, []

    def breaks(path, *_):
        if path.endswith("4.png"):
            raise OSError("the cable was pulled")
        seen.append(path)
        return read(path)

    monkeypatch.setattr(images, "read", breaks)
    with pytest.raises(OSError, match="cable"):
        preprocess.cache(table, size=16, folder=tmp_path / "cache")
    assert not [p for p in (tmp_path / "cache").iterdir() if p.is_dir() and p.suffix != ".partial"]
    before = set(seen)
    monkeypatch.setattr(images, "read", lambda path, *_: seen.append(path) or read(path))
    seen.clear()
    stored = preprocess.cache(table, size=16, folder=tmp_path / "cache")
    assert before.isdisjoint(seen)
    np.testing.assert_array_equal(stored[4], preprocess.prepare(read(table["path"][4]), 16))
    assert not list((tmp_path / "cache").glob("*.partial"))


def test_a_cut_off_array_file_is_made_anew(tmp_path):
    path = tmp_path / "images.npy"
    path.write_bytes(b"\x93NUM")
    assert preprocess._open(path, np.uint8, (2, 3)).shape == (2, 3)


def test_an_unreadable_file_is_named(table, tmp_path):
    os.truncate(table["path"][2], 20)
    with pytest.raises(images.ImageError, match=r"2\.png"):
        preprocess.cache(table, size=16, folder=tmp_path / "cache")


def refuse(error):
    def lock(path):
        raise error

    return lock


@pytest.mark.parametrize(
    "error", [PermissionError(errno.EACCES, "denied"), OSError(errno.EROFS, "read-only")]
)
def test_a_finished_cache_is_read_from_a_folder_that_cannot_be_written(
    table, tmp_path, monkeypatch, error
):
    first = preprocess.cache(table, size=16, folder=tmp_path / "cache")
    monkeypatch.setattr("filelock.FileLock", refuse(error))
    np.testing.assert_array_equal(
        preprocess.cache(table, size=16, folder=tmp_path / "cache"), first
    )
    with pytest.raises(
        PermissionError, match=r"cache cannot be made in .*cache .*set CXR_WORK_DIR"
    ) as caught:
        preprocess.cache(table, size=8, folder=tmp_path / "cache")
    assert caught.value.__cause__ is error
    assert str(tmp_path / "cache") in str(caught.value)


def test_another_fault_of_the_disk_is_left_as_it_is(table, tmp_path, monkeypatch):
    monkeypatch.setattr("filelock.FileLock", refuse(OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full") as caught:
        preprocess.cache(table, size=8, folder=tmp_path / "cache")
    assert caught.value.errno == errno.ENOSPC


def test_a_cache_that_another_process_finished_meanwhile_is_not_made_again(
    table, tmp_path, monkeypatch
):
    import filelock

    def slow(path):  # the lock is got when the other has finished
        with monkeypatch.context() as other:
            other.setattr("filelock.FileLock", lock)
            preprocess.cache(table, size=16, folder=tmp_path / "cache")
        monkeypatch.setattr(images, "read", lambda path, *_: pytest.fail("decoded again"))
        return lock(path)

    lock = filelock.FileLock
    monkeypatch.setattr("filelock.FileLock", slow)
    assert preprocess.cache(table, size=16, folder=tmp_path / "cache").shape == (6, 16, 16)


def test_an_empty_table_is_refused(table, tmp_path):
    with pytest.raises(ValueError, match="no images"):
        preprocess.cache(table.iloc[:0], folder=tmp_path)


def folders(folder):
    return sorted(path for path in (folder / "cache").iterdir() if path.is_dir())


def cut(place, name, size):
    os.truncate(place / name, size)


def flip(place, name, offset):
    with open(place / name, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def foreign(place, array):
    np.save(place / "images.npy", array)


def reorder(place, order):
    for name in ("images.npy", "sums.npy"):
        np.save(place / name, np.load(place / name)[order])


DAMAGE = {
    "images cut off": lambda place: cut(place, "images.npy", 700),
    "images empty": lambda place: cut(place, "images.npy", 0),
    "one bit of one image": lambda place: flip(
        place, "images.npy", -1 + (place / "images.npy").stat().st_size
    ),
    "zeros, as a crash leaves them": lambda place: foreign(place, np.zeros((6, 16, 16), np.uint8)),
    "another shape": lambda place: foreign(place, np.zeros((6, 8, 8), np.uint8)),
    "fewer rows": lambda place: foreign(place, np.load(place / "images.npy")[:5]),
    "another type": lambda place: foreign(place, np.zeros((6, 16, 16), np.float32)),
    "objects": lambda place: foreign(place, np.array([None])),
    "a web page": lambda place: (place / "images.npy").write_bytes(b"<html>"),
    "no checksums": lambda place: (place / "sums.npy").unlink(),
    "checksums cut off": lambda place: cut(place, "sums.npy", 140),
    "a checksum of another image": lambda place: flip(place, "sums.npy", 129),
    "no settings": lambda place: (place / "settings.json").unlink(),
    "settings of another set": lambda place: (place / "settings.json").write_text('{"version": 1}'),
    "settings cut off": lambda place: cut(place, "settings.json", 9),
    "images in another order, with their checksums": lambda place: reorder(
        place, [1, 0, 3, 2, 5, 4]
    ),
    "one image in place of another, with its checksum": lambda place: reorder(
        place, [0, 0, 2, 3, 4, 5]
    ),
    "columns before rows": lambda place: foreign(
        place, np.asfortranarray(np.load(place / "images.npy"))
    ),
    "checksums of another type": lambda place: np.save(
        place / "sums.npy", np.load(place / "sums.npy").astype(float)
    ),
    "no images": lambda place: (place / "images.npy").unlink(),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_or_foreign_cache_is_made_again_and_said(table, tmp_path, name):
    right = np.array(preprocess.cache(table, size=16, folder=tmp_path / "cache"))
    (place,) = folders(tmp_path)
    DAMAGE[name](place)
    with warnings.catch_warnings(record=True) as said:
        again = preprocess.cache(table, size=16, folder=tmp_path / "cache")
    assert ["is damaged" in str(warning.message) for warning in said] == (
        [] if name == "no checksums" else [True]
    )
    assert again.dtype == np.uint8
    np.testing.assert_array_equal(again, right)
    assert folders(tmp_path) == [place]


@pytest.mark.parametrize("what", ["a file in its place", "a folder in place of its lock"])
def test_what_stands_in_the_way_of_a_cache_is_named(table, tmp_path, what):
    preprocess.cache(table, size=16, folder=tmp_path / "cache")
    (place,) = folders(tmp_path)
    shutil.rmtree(place)
    if what == "a file in its place":
        place.write_text("x")
    else:
        (place.parent / f"{place.name}.lock").unlink(missing_ok=True)
        (place.parent / f"{place.name}.lock").mkdir()
    with pytest.raises(
        OSError, match=rf"the cache cannot be made in .*{place.name}.*set CXR_WORK_DIR"
    ):
        preprocess.cache(table, size=16, folder=tmp_path / "cache")


def test_only_the_damaged_image_is_read_again(table, tmp_path, monkeypatch):
    preprocess.cache(table, size=16, folder=tmp_path / "cache")
    flip(*folders(tmp_path), "images.npy", 128 + 2 * 256)
    read, seen = images.read, []
    monkeypatch.setattr(images, "read", lambda path, *_: seen.append(path) or read(path))
    with pytest.warns(UserWarning, match="damaged"):
        preprocess.cache(table, size=16, folder=tmp_path / "cache")
    assert seen == [table["path"][2]]


def test_pixels_that_a_crash_lost_are_made_again_on_resuming(table, tmp_path, monkeypatch):
    def breaks(path, *_):
        if path.endswith("5.png"):
            raise OSError("the power went")
        return read(path)

    read = images.read
    monkeypatch.setattr(images, "read", breaks)
    with pytest.raises(OSError, match="power"):
        preprocess.cache(table, size=16, folder=tmp_path / "cache")
    flip(*folders(tmp_path), "images.npy", 128)  # the mark was on the disk, the pixels were not
    monkeypatch.setattr(images, "read", read)
    stored = preprocess.cache(table, size=16, folder=tmp_path / "cache")
    np.testing.assert_array_equal(stored[0], preprocess.prepare(read(table["path"][0]), 16))


def full_disk(*args):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_said_before_an_image_is_read(table, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", full_disk, raising=False)
    monkeypatch.setattr(images, "read", lambda path, *_: pytest.fail("read before there was room"))
    with pytest.raises(
        OSError, match=r"disk is full: the cache needs 0 MB in .*CXR_WORK_DIR"
    ) as caught:
        preprocess.cache(table, size=16, folder=tmp_path / "cache")
    assert caught.value.errno == errno.ENOSPC
    assert not list(tmp_path.glob("cache/*/images.npy"))


@pytest.mark.skipif(not os.path.exists("/proc/self/maps"), reason="asks Linux what is open")
def test_no_file_is_removed_or_begun_anew_while_it_is_open_which_windows_refuses(
    tmp_path, monkeypatch
):
    closed = []

    def watched(work):
        def call(path, *args, **options):
            if options.get("mode", "w+") == "w+":
                mapped = Path("/proc/self/maps").read_text(encoding="utf-8")
                closed.append(str(path) not in mapped)
            return work(path, *args, **options)

        return call

    path = tmp_path / "images.npy"
    np.save(path, np.zeros((3, 4), np.uint8))  # of another cache
    monkeypatch.setattr(np.lib.format, "open_memmap", watched(np.lib.format.open_memmap))
    monkeypatch.setattr(Path, "unlink", watched(Path.unlink))
    assert preprocess._open(path, np.uint8, (5, 4)).shape == (5, 4)
    assert closed == [True]
    monkeypatch.setattr(preprocess, "_reserve", full_disk)
    with pytest.raises(OSError, match="No space left"):
        preprocess._open(path, np.uint8, (7, 4))
    assert closed == [True, True, True]
    assert not path.exists()


@pytest.mark.skipif(
    os.name == "nt", reason="Windows does not say how much of a file is on the disk"
)
@pytest.mark.parametrize("portable", [False, True])
def test_the_space_of_an_array_is_taken_at_once(tmp_path, monkeypatch, portable):
    if portable:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    array = preprocess._open(tmp_path / "images.npy", np.uint8, (50, 100, 100))
    assert not array.any()
    assert (tmp_path / "images.npy").stat().st_blocks * 512 >= 500_000


def test_memory_is_bounded_by_the_padded_square_whatever_the_number_of_threads(monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    at_work, most = [], []

    def resize(square, size):
        at_work.append(square.size)
        most.append(sum(at_work))
        time.sleep(0.02)
        at_work.remove(square.size)
        return np.zeros((size, size), np.float32)

    monkeypatch.setattr(preprocess, "resize", resize)
    strip = np.zeros((1, 3000), np.float32)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: preprocess.prepare(strip, 16), range(32)))
    assert 3000**2 < max(most) <= images.MAX_SIDE**2, (
        "several at a time, and never more than there is room for"
    )
