import os
import time
import unicodedata

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import manifest
from tests import draw


def write(folder, *names):
    """One different small image per name; a name without image extension becomes a text file."""
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix in (".png", ".jpg", ".jpeg", ".PNG"):
            pixels = np.random.default_rng(number).integers(0, 256, (8, 10), np.uint8)
            Image.fromarray(pixels).save(path, "PNG" if path.suffix.lower() == ".png" else "JPEG")
        else:
            path.write_text("no image")
    return folder


# Layout -> (label, split) of each of its files, in the same order; None: not in the table.
LAYOUTS = {
    "split, then class": (
        ["S/train/Covid/a.png", "S/train/Normal/b.png", "S/test/Viral Pneumonia/c.png"],
        [("covid", "train"), ("normal", "train"), ("viral", "test")],
    ),
    "with unlabelled images": (
        ["Dataset/Prediction/a.png", "Dataset/Train/Covid/b.png", "Dataset/Val/Normal/c.png"],
        [None, ("covid", "train"), ("normal", "val")],
    ),
    "unlabelled images below a class name": (
        ["Prediction/Covid/a.png", "Train/Covid/b.png", "Train/Normal/c.png"],
        [None, ("covid", "train"), ("normal", "train")],
    ),
    "other cases": (
        ["TRAINING/covid-19/a.png", "Training/NORMAL/b.png", "TESTING/COVID-19/c.png"],
        [("covid", "train"), ("normal", "train"), ("covid", "test")],
    ),
    "no split": (
        ["Covid-19/a.png", "No_findings/b.png", "Pneumonia/c.png"],
        [("covid", None), ("normal", None), ("pneumonia", None)],
    ),
    "class, then split": (
        ["Covid/train/a.png", "Covid/test/b.png", "Normal/valid/c.png"],
        [("covid", "train"), ("covid", "test"), ("normal", "val")],
    ),
    "folders per patient": (
        ["train/Covid/P1/a.png", "train/Covid/P1/x/b.png", "train/Normal/c.png"],
        [("covid", "train"), ("covid", "train"), ("normal", "train")],
    ),
    "wrappers named like classes": (
        ["covid19/data/test/Normal/a.png", "covid19/data/train/Covid/b.png"],
        [("normal", "test"), ("covid", "train")],
    ),
    "wrapper named like a split": (
        ["test/v1/train/Normal/a.png", "test/v1/train/Covid/b.png"],
        [("normal", "train"), ("covid", "train")],
    ),
    "one class alone": (
        ["train/Covid/a.png", "train/Covid/b.png"],
        [("covid", "train"), ("covid", "train")],
    ),
    "classes at different depths": (
        ["site A/2020/Covid/a.png", "site B/Normal/b.png"],
        [("covid", None), ("normal", None)],
    ),
    "a finer class inside a coarser": (
        ["Pneumonia/viral/a.png", "Pneumonia/bacterial/b.png", "Normal/c.png"],
        [("viral", None), ("bacterial", None), ("normal", None)],
    ),
    "images beside masks": (
        ["COVID/images/a.png", "COVID/masks/a.png", "Normal/images/b.png"],
        None,
    ),
    "loose images": (
        ["figure.png", "Covid/b.png", "Normal/c.png"],
        [None, ("covid", None), ("normal", None)],
    ),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_understood(tmp_path, name):
    files, expected = LAYOUTS[name]
    found = manifest.from_folder(write(tmp_path, *files), progress=False).table.set_index(
        "image_id"
    )
    if expected is None:
        expected = [("covid", None), None, ("normal", None)]
    wanted = {file: row for file, row in zip(files, expected, strict=True) if row}
    got = {i: (row.label, None if pd.isna(row.split) else row.split) for i, row in found.iterrows()}
    assert got == wanted


def test_stray_files_are_ignored_and_said(tmp_path):
    stray = [
        ".DS_Store",
        "Covid/Thumbs.db",
        "README",
        "__MACOSX/Covid/._a.png",
        "Covid/.ipynb_checkpoints/a.png",
    ]
    write(tmp_path, "Covid/a.png", "Normal/b.png", "thumbnails/Covid/a.png", *stray)
    result = manifest.from_folder(tmp_path, progress=False)
    assert list(result.table["image_id"]) == ["Covid/a.png", "Normal/b.png"]
    assert len(result.rejects) == 0
    assert "ignored" in result.understood
    assert ".DS_Store" in result.understood


def test_the_sentence_says_what_was_understood(tmp_path):
    write(
        tmp_path / "Set",
        "Train/Covid/a.png",
        "Train/Normal/b.png",
        "Prediction/c.png",
        "Val/Normal/d.png",
    )
    (tmp_path / "Set/Train/Normal/bad.jpg").write_bytes(b"")
    result = manifest.from_folder(tmp_path / "Set", progress=False)
    for part in (
        "3 images",
        "normal 2",
        "covid 1",
        "Covid → covid",
        "Train → train",
        "Val → val",
        "1 file rejected",
    ):
        assert part in result.understood
    assert "1 image without a class (in Prediction)" in result.understood
    assert result.unlabelled == (str(tmp_path / "Set/Prediction/c.png"),)
    assert result.counts().to_dict() == {
        "train": {"normal": 1, "covid": 1},
        "val": {"normal": 1, "covid": 0},
    }
    assert result.understood in repr(result)
    assert "bad.jpg" in result._repr_html_()


def test_bad_files_are_listed_and_the_import_goes_on(tmp_path):
    write(tmp_path, "Covid/a.png", "Normal/b.png")
    zoo = draw.zoo(tmp_path / "Covid" / "zoo")
    result = manifest.from_folder(tmp_path, progress=False)
    assert list(result.table["image_id"]) == ["Covid/a.png", "Normal/b.png"]
    assert set(result.rejects["path"]) == {str(path) for path in zoo.values()}
    assert list(result.rejects.columns) == ["path", "problem", "remedy"]
    assert result.rejects.notna().all(axis=None)


def test_a_folder_of_bad_files_only_gives_an_empty_table(tmp_path):
    draw.zoo(tmp_path / "Covid")
    result = manifest.from_folder(tmp_path, progress=False)
    assert len(result.table) == 0
    assert "none readable" in repr(result)


def test_an_unknown_folder_is_refused_with_what_to_pass(tmp_path):
    write(tmp_path, "train/Sick/a.png", "train/Normal/b.png")
    with pytest.raises(manifest.ManifestError, match=r"labels=\{'Sick': \.\.\.\}.*or None"):
        manifest.from_folder(tmp_path, progress=False)
    result = manifest.from_folder(tmp_path, labels={"SICK": "pneumonia"}, progress=False)
    assert list(result.table["label"]) == ["normal", "pneumonia"]
    assert list(result.table["original_label"]) == ["Normal", "Sick"]
    result = manifest.from_folder(tmp_path, labels={"sick": None}, progress=False)
    assert list(result.table["label"]) == ["normal"]
    with pytest.raises(manifest.ManifestError, match="a label is one of"):
        manifest.from_folder(tmp_path, labels={"Sick": "ill"}, progress=False)


def link(where, target):
    where.parent.mkdir(parents=True, exist_ok=True)
    try:
        where.symlink_to(target, target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_a_table_replaces_no_folder_and_no_device(tmp_path, kind):
    write(tmp_path / "set", "Covid/a.png", "Normal/b.png")
    table = manifest.from_folder(tmp_path / "set", progress=False).table
    place = tmp_path / "there"
    if kind == "pipe" and not hasattr(os, "mkfifo"):
        pytest.skip("there are no named pipes on this system")
    place.mkdir() if kind == "folder" else os.mkfifo(place)
    with pytest.raises(
        manifest.ManifestError, match="is a folder or a device: give the path of a file"
    ):
        manifest.write(table, place)
    assert place.is_dir() if kind == "folder" else place.is_fifo()


def test_a_class_folder_that_is_a_link_is_followed(tmp_path):
    write(tmp_path / "store", "c1/P1/a.png", "c1/b.png")
    write(tmp_path / "set", "train/Normal/c.png")
    link(tmp_path / "set/train/Covid", tmp_path / "store/c1")
    table = manifest.from_folder(tmp_path / "set", progress=False).table
    assert list(table["image_id"]) == [
        "train/Covid/P1/a.png",
        "train/Covid/b.png",
        "train/Normal/c.png",
    ]
    assert list(table["label"]) == ["covid", "covid", "normal"]
    assert table["path"][0] == str(tmp_path / "set/train/Covid/P1/a.png")


def test_links_in_a_circle_end_and_no_folder_is_read_twice(tmp_path):
    write(tmp_path / "outside", "a.png")
    write(tmp_path / "set", "Covid/b.png", "Normal/c.png")
    link(tmp_path / "set/Covid/top", tmp_path / "set")
    link(tmp_path / "set/Covid/above", tmp_path)
    link(tmp_path / "set/A first name", tmp_path / "set/Covid")
    link(tmp_path / "set/Viral", tmp_path / "outside")
    link(tmp_path / "set/Viral pneumonia", tmp_path / "outside")
    link(tmp_path / "outside/back", tmp_path / "set/Normal")
    result = manifest.from_folder(tmp_path / "set", progress=False)
    assert list(result.table["image_id"]) == ["Covid/b.png", "Normal/c.png", "Viral/a.png"]
    assert (
        "3 other files or folders ignored (A first name, Viral pneumonia, back)"
        in result.understood
    )


@pytest.mark.parametrize("folder", ["NFC", "NFD"])
@pytest.mark.parametrize("given", ["NFC", "NFD", None])
def test_an_accent_is_one_however_it_is_written(tmp_path, folder, given):
    name = "Pneumonie bactérienne"
    write(tmp_path, f"{unicodedata.normalize(folder, name)}/a.png", "Normal/b.png")
    label = unicodedata.normalize(given, name) if given else "pneumonie bacterienne"
    table = manifest.from_folder(tmp_path, labels={label: "bacterial"}, progress=False).table
    assert list(table["label"]) == ["normal", "bacterial"]


def test_names_match_as_before_and_two_labels_for_one_name_are_refused(tmp_path):
    write(tmp_path, "Covid™/a.png", "STRASSE/b.png")
    table = manifest.from_folder(tmp_path, labels={"straße": "normal"}, progress=False).table
    assert list(table["label"]) == ["covid", "normal"]
    with pytest.raises(manifest.ManifestError, match="two spellings"):
        manifest.from_folder(
            tmp_path, labels={"Marqué": "covid", "marque": "normal"}, progress=False
        )


def test_a_name_that_is_not_utf8_is_rejected(tmp_path):
    write(tmp_path, "Covid/a.png", "Normal/b.png")
    picture = (tmp_path / "Covid/a.png").read_bytes()
    try:
        for name in (b"Covid/caf\xe9.png", b"Normal/notes \xe9.txt"):
            with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
                file.write(picture)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    result = manifest.from_folder(tmp_path, progress=False)
    assert list(result.table["image_id"]) == ["Covid/a.png", "Normal/b.png"]
    assert list(result.rejects["path"]) == [str(tmp_path / "Covid/caf\ufffd.png")]
    assert list(result.rejects["problem"]) == ["has a name that is not UTF-8"]
    assert "Rename the file" in result.rejects["remedy"][0]
    assert repr(result).encode()
    assert "1 file rejected" in result.understood
    manifest.write(result.table, tmp_path / "m.csv")


def test_a_folder_without_images_or_classes_is_refused(tmp_path):
    with pytest.raises(manifest.ManifestError, match="no images"):
        manifest.from_folder(write(tmp_path / "a", "README"), progress=False)
    with pytest.raises(manifest.ManifestError, match="no class folders"):
        manifest.from_folder(write(tmp_path / "b", "1.png", "2.png"), progress=False)
    with pytest.raises(manifest.ManifestError, match="not a folder"):
        manifest.from_folder(tmp_path / "absent", progress=False)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("nih", ["00000013", None]),
        (r"^(\d)", ["0", None]),
        (lambda path: path[-8:-4], ["_005", "an_b"]),
        (None, [None, None]),
    ],
)
def test_patient_rules(tmp_path, rule, expected):
    write(tmp_path, "Covid/00000013_005.png", "Covid/scan_b.png")
    table = manifest.from_folder(tmp_path, patient=rule, progress=False).table
    assert [None if pd.isna(p) else p for p in table["patient"]] == expected


def test_a_patient_pattern_needs_one_group(tmp_path):
    with pytest.raises(manifest.ManifestError, match="exactly one group"):
        manifest.from_folder(write(tmp_path, "Covid/a.png"), patient=r"\d+", progress=False)


def test_a_patient_pattern_that_is_none_is_named(tmp_path):
    with pytest.raises(
        manifest.ManifestError, match=r"patient='\(P' is no regular expression \(.*\)"
    ):
        manifest.from_folder(write(tmp_path, "Covid/a.png"), patient="(P", progress=False)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("00000013_005.png", "00000013"),
        ("00000013_005.jpg", "00000013"),
        ("1-s2.0-S01_005.png", None),
        ("a.png", None),
        ("100000013_005.png", None),
        ("00000013_005b.png", None),
    ],
)
def test_nih_names(name, expected):
    assert manifest.nih_patient(name) == expected


@pytest.fixture
def table(tmp_path):
    names = [
        "train/Covid/a.png",
        "train/Normal/00000013_005.png",
        "test/Covid/c.jpg",
        "test/Normal/é, d.png",
    ]
    rules = {"patient": "nih", "source": lambda path: "NA" if "Covid" in path else None}
    return manifest.from_folder(write(tmp_path / "set", *names), **rules, progress=False).table


def test_columns_types_and_order(table):
    assert tuple(table.columns) == manifest.COLUMNS
    assert isinstance(table.index, pd.RangeIndex)
    assert list(table["image_id"]) == sorted(table["image_id"])
    assert list(table["label"].cat.categories) == ["normal", "covid"]
    assert list(table["split"].cat.categories) == list(manifest.SPLITS)
    assert str(table["fold"].dtype) == "Int64"
    assert list(table["format"]) == ["JPEG", "PNG", "PNG", "PNG"]
    assert (table["width"] == 10).all()
    assert (table["height"] == 8).all()


@pytest.mark.parametrize("place", ["out/m.csv", "set/m.csv"])
def test_a_manifest_comes_back_as_it_was_written(table, tmp_path, place):
    table = table.assign(fold=pd.array([0, 1, None, 2], "Int64"), age=[1.5, 2, 3, 4])
    manifest.write(table, tmp_path / place)
    again = manifest.read(tmp_path / place)
    pd.testing.assert_frame_equal(again, manifest.check(table))
    assert not list((tmp_path / place).parent.glob(".*"))
    assert str(tmp_path) not in (tmp_path / place).read_text("utf-8")


def test_paths_follow_when_csv_and_images_move_together(table, tmp_path):
    manifest.write(table, tmp_path / "set" / "m.csv")
    (tmp_path / "set").rename(tmp_path / "moved")
    assert (
        list(
            manifest.read(tmp_path / "moved" / "m.csv")["path"].map(lambda p: open(p, "rb").close())
        )
        == [None] * 4
    )


def test_a_faulty_table_is_not_written_over_a_good_one(table, tmp_path):
    manifest.write(table, tmp_path / "m.csv")
    before = (tmp_path / "m.csv").read_bytes()
    with pytest.raises(manifest.ManifestError):
        manifest.write(table.assign(width=0), tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_bytes() == before


FAULTS = {
    "image_id is not unique": lambda t: t.assign(image_id="x"),
    "image_id is empty": lambda t: t.assign(image_id=t["image_id"].where(t.index != 1)),
    "path is empty": lambda t: t.assign(path=""),
    "label is not one of": lambda t: t.assign(label="sick"),
    "split is neither": lambda t: t.assign(split="holdout"),
    "sha256 is not": lambda t: t.assign(sha256="abc"),
    "width is not a positive": lambda t: t.assign(width=[1, 0, 1, 1]),
    "bytes is not a positive": lambda t: t.assign(bytes="many"),
    "fold is not a whole": lambda t: t.assign(fold=[0, -1, 1, 1]),
    "no column sha256": lambda t: t.drop(columns="sha256"),
}


@pytest.mark.parametrize("message", FAULTS)
def test_check_names_the_fault(table, message):
    with pytest.raises(manifest.ManifestError, match=message):
        manifest.check(FAULTS[message](table))


def test_check_lists_every_fault_with_its_rows(table):
    broken = table.assign(width=[1, 0, 1, 1], sha256="abc")
    with pytest.raises(manifest.ManifestError, match="2 faults") as caught:
        manifest.check(broken)
    assert (
        f"width is not a positive whole number: {table['image_id'][1]}\n"
        in str(caught.value) + "\n"
    )


def test_check_keeps_the_order_of_a_part_and_its_categories(table):
    part = manifest.check(table[::-1][table[::-1]["label"] == "covid"])
    assert list(part["image_id"]) == ["train/Covid/a.png", "test/Covid/c.jpg"]
    assert list(part["label"].cat.categories) == ["covid"]
    assert list(part.index) == [0, 1]


def test_digest_depends_on_content_and_order(table):
    assert manifest.digest(table) == manifest.digest(table.assign(label="covid", path="elsewhere"))
    assert manifest.digest(table) != manifest.digest(table[::-1])
    assert manifest.digest(table) != manifest.digest(table[1:])


def test_concat(table):
    other = table.assign(group="g")
    with pytest.raises(manifest.ManifestError, match="not unique"):
        manifest.concat([table, other])
    both = manifest.concat({"one": table, "two": other})
    assert len(both) == 8
    assert both["image_id"][4] == "two/" + table["image_id"][0]
    assert both["group"].isna().all()
    with pytest.raises(manifest.ManifestError, match="nothing"):
        manifest.concat([])


def test_a_csv_that_lists_images(tmp_path):
    write(tmp_path / "pics", "a.png", "b.png", "c.png", "d.png", "e.png")
    rows = [
        "file,finding,who,part",
        "a.png,COVID-19,007,train",
        "b.png,Normal,NA,Validation",
        "gone.png,Normal,,test",
        "a.png,COVID-19,007,train",
        "c.png,Normal,,train",
        "c.png,Pneumonia,,train",
        ",Normal,,",
        "d.png,,,",
    ]
    (tmp_path / "list.csv").write_text("\ufeff" + "\n".join(rows) + "\n", "utf-8")
    columns = {
        "path_column": "file",
        "label_column": "finding",
        "patient_column": "who",
        "split_column": "part",
    }
    result = manifest.from_csv(
        tmp_path / "list.csv", root=tmp_path / "pics", **columns, progress=False
    )
    assert list(result.table["image_id"]) == ["a.png", "b.png"]
    assert list(result.table["label"]) == ["covid", "normal"]
    assert list(
        result.table["patient"].astype(object).where(result.table["patient"].notna(), None)
    ) == ["007", None]
    assert list(result.table["split"]) == ["train", "val"]
    problems = dict(
        zip(result.rejects["path"].str.split("/").str[-1], result.rejects["problem"], strict=True)
    )
    assert problems == {
        "list.csv, line 8": "has no path",
        "c.png": "is listed 2 times with different entries (lines 6, 7)",
        "gone.png": "does not exist",
    }
    assert result.unlabelled == (str(tmp_path / "pics" / "d.png"),)


def test_a_csv_that_cannot_be_used(tmp_path):
    csv = tmp_path / "list.csv"
    with pytest.raises(manifest.ManifestError, match="does not exist"):
        manifest.from_csv(csv)
    csv.write_text("path,kind\na.png,Covid\n")
    with pytest.raises(manifest.ManifestError, match="no column label; it has path, kind"):
        manifest.from_csv(csv)
    csv.write_text("path,label,part\na.png,Flu,train\n")
    with pytest.raises(manifest.ManifestError, match="'Flu'"):
        manifest.from_csv(csv)
    csv.write_text("path,label,part\na.png,Covid,later\n")
    with pytest.raises(manifest.ManifestError, match="unknown name: later"):
        manifest.from_csv(csv, split_column="part")
    csv.write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(manifest.ManifestError, match="cannot be read"):
        manifest.from_csv(csv)


def test_two_imports_agree(tmp_path):
    top = draw.draw_set(tmp_path, per_class=6, size=48)
    first, second = (manifest.from_folder(top, progress=False) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, second.table)
    assert len(first.rejects) == 1
    assert len(first.table) == 20


def test_case_e_counts_and_time(real_data):
    start = time.perf_counter()
    result = manifest.from_folder(real_data / "covid19-image-dataset", progress=False)
    seconds = time.perf_counter() - start
    expected = {
        "train": {"normal": 70, "covid": 111, "viral": 70},
        "test": {"normal": 20, "covid": 26, "viral": 20},
    }
    assert result.counts().to_dict() == expected
    assert len(result.rejects) == 0
    assert result.table["sha256"].nunique() == 307
    assert seconds < 10  # about 1 s on two quiet cores
