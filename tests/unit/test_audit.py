"""The audit names a set's faults, for files of any size, and nothing of the machine."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from cxr_helpers import audit, datasets, duplicates, evaluate, preprocess, split, stats
from tests.draw import draw_set


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    draw_set(folder, size=96)
    return datasets.load_report("covid19-image-dataset", folder, progress=False)


def test_report_finds_what_was_planted(imported):
    found = audit.report(imported.table, imported.rejects).set_index("check")
    assert list(found.columns) == ["verdict", "finding", "examples"]
    assert set(found["verdict"]) <= {"ok", "look", "fault"}
    assert found.loc["duplicates across the split", "verdict"] == "fault"
    assert found.loc["duplicates across the split", "finding"].startswith(
        "2 pair(s), 1 of them byte-identical"
    )
    assert found.loc["byte-identical pairs", "finding"] == "1 pair(s)"
    assert found.loc["unreadable files", "finding"] == "1 file(s) left out"
    # no folder of this machine
    assert found.loc["unreadable files", "examples"].startswith("truncated.jpeg: ")
    assert found.loc["size by class", "finding"] == "every image is 96×96"


@pytest.mark.slow
def test_sizes_that_differ_by_class_are_told_with_their_aspect(imported):
    table = imported.table.assign(width=np.where(imported.table["label"] == "covid", 192, 96))
    row = (
        audit.report(table, pairs=duplicates.pairs(table, progress=False))
        .set_index("check")
        .loc["size by class"]
    )
    assert row["verdict"] == "look"
    assert (
        "normal: median width 96, width / height 1.00; covid: median width 192, width / height 2.00"
        in row["finding"]
    )


@pytest.mark.slow
def test_file_properties_give_away_a_class_of_its_own_size_and_no_other(imported):
    table = duplicates.add_groups(imported.table, duplicates.pairs(imported.table, progress=False))
    table["bytes"], table["format"], table["mode"] = 5000, "JPEG", "L"
    table["path"] = table["image_id"].str.rsplit(".", n=1).str[0] + ".jpeg"
    blind = evaluate.metric(audit.file_properties_baseline(table), "roc_auc_macro")
    told = table.assign(width=np.where(table["label"] == "covid", 192, 96))
    assert evaluate.metric(audit.file_properties_baseline(told), "roc_auc", "covid").value == 1
    few = audit.file_properties_baseline(told, trees=20)
    assert evaluate.metric(few, "roc_auc", "covid").value == 1
    assert not np.allclose(
        few.filter(like="p_"), audit.file_properties_baseline(told).filter(like="p_")
    )
    assert blind.value == pytest.approx(0.5, abs=0.1)


def test_report_of_a_set_without_split_or_duplicates(imported):
    table = imported.table.drop_duplicates("sha256").reset_index(drop=True)
    table["split"] = pd.Categorical([None] * len(table), categories=["train", "val", "test"])
    none = duplicates.pairs(table, threshold=1.0, progress=False)
    found = audit.report(table, pairs=none).set_index("check")
    assert found.loc["byte-identical pairs", "verdict"] == "ok"
    assert found.loc["unreadable files", "verdict"] == "ok"


@pytest.mark.slow
def test_report_of_a_set_of_which_a_class_was_left_out(imported, tmp_path):
    table = imported.table[imported.table["label"] != "viral"].reset_index(drop=True)
    images = np.asarray(preprocess.cache(table, size=64, folder=tmp_path, progress=False))
    found = audit.report(table, images=images).set_index("check")
    assert "AUC" in found.loc["file properties predict the class", "finding"]
    assert "AUC" in found.loc["the frame predicts the class", "finding"]
    dropped = table.assign(label=table["label"].cat.remove_unused_categories())
    for baseline in (
        audit.file_properties_baseline,
        lambda t: audit.frame_baseline(t, noise(t), trees=10),
    ):
        with_empty, without = (baseline(duplicates.add_groups(t)) for t in (table, dropped))
        assert (with_empty["p_viral"] == 0).all()
        assert with_empty["p_covid"].tolist() == without["p_covid"].tolist()


def test_examples_of_pairs_leave_out_the_folders_that_all_share():
    def examples(*names):
        pairs = pd.DataFrame({"image_id_a": names[::2], "image_id_b": names[1::2]})
        return audit._names(pairs)

    assert examples("set/a/1.png", "set/b/2.png") == ["a/1.png = b/2.png"]
    assert examples("a/1.png", "b/2.png") == ["a/1.png = b/2.png"]
    # absolute and relative
    assert examples("/set/a/1.png", "a/2.png") == ["/set/a/1.png = a/2.png"]
    assert examples("/a/1.png", "/b/2.png") == ["a/1.png = b/2.png"]
    assert examples() == []


# --- what may stand in for the disease (lesson 09) ------------------------------------------------


def invented(n=120, seed=0):
    """A manifest without files: patients with two images each, two classes, two sources by lot."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n // 2), 2)
    label = np.where(patient % 2 == 0, "normal", "covid")
    source = np.where(rng.random(n // 2) < 0.5, "north", "south")[patient]
    names = pd.Series([f"i{i:03d}" for i in range(n)])
    patients = pd.Series(patient).map("p{}".format)
    table = pd.DataFrame(
        {"image_id": names, "patient": patients, "group": patients, "source": source}
    )
    return table.assign(label=pd.Categorical(label, ["normal", "covid"]), split=None, fold=pd.NA)


def noise(table, seed=1, side=64):
    return np.random.default_rng(seed).integers(60, 200, (len(table), side, side), dtype=np.uint8)


def auc(predictions):
    return evaluate.metric(predictions, "roc_auc", "covid")


def test_the_frame_finds_what_stands_in_the_frame_and_nothing_else():
    table = invented()
    ill = (table["label"] == "covid").to_numpy()
    in_frame, in_lungs = noise(table), noise(table)
    in_frame[ill, 2:5, 2:12] = 250
    in_lungs[ill, 20:44, 20:44] = 250
    assert auc(audit.frame_baseline(table, in_frame, trees=20)).value > 0.95
    found = auc(audit.frame_baseline(table, in_lungs, trees=20))
    assert found.low < 0.5 < found.high
    # now it holds some of them
    assert auc(audit.frame_baseline(table, in_lungs, trees=20, width=21)).value > 0.95
    larger = np.kron(in_frame, np.ones((1, 2, 2), np.uint8))
    assert auc(audit.frame_baseline(table, larger, trees=20)).value > 0.95


def test_the_frame_answers_another_question_where_the_label_is_replaced():
    table, images = invented(), noise(invented())
    images[(table["source"] == "south").to_numpy(), :3] = 255
    asked = table.assign(label=table["source"].astype("category"))
    assert (
        evaluate.metric(audit.frame_baseline(asked, images, trees=20), "roc_auc", "south").value
        > 0.95
    )


def test_the_frame_refuses_what_does_not_fit():
    table, images = invented(40), noise(invented(40))
    with pytest.raises(ValueError, match="40 rows but there are 39 images"):
        audit.frame_baseline(table, images[:-1])
    for width in (0, 32):
        with pytest.raises(ValueError, match="frame of"):
            audit.frame_baseline(table, images, width=width)


def test_the_source_alone_scores_what_the_source_tells():
    table = invented()
    tied = table.assign(source=np.where(table["label"] == "covid", "south", "north"))
    assert auc(audit.source_baseline(tied)).value == 1
    assert (audit.source_baseline(tied)["p_covid"].isin([0, 1])).all()
    by_lot = auc(audit.source_baseline(table))
    assert by_lot.low < 0.55
    assert (
        auc(
            audit.source_baseline(
                tied.rename(columns={"source": "room"}).assign(source=None), by="room"
            )
        ).value
        == 1
    )
    with pytest.raises(ValueError, match="no column 'ward'"):
        audit.source_baseline(table, by="ward")


def test_a_source_of_one_group_learns_nothing_from_itself():
    table = invented()
    # every patient a source: nothing is met in the other folds
    alone = table.assign(source=table["patient"])
    found = audit.source_baseline(alone)
    assert found["p_covid"].between(0.4, 0.6).all()
    missing = table.assign(source=pd.NA)
    assert audit.source_baseline(missing)["p_covid"].between(0.4, 0.6).all()


def test_masked_keeps_one_side_and_fills_the_other():
    images = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4) + 1
    masks = np.zeros((2, 4, 4), bool)
    masks[0, 1:3, 1:3] = True
    outside, inside = audit.masked(images, masks), audit.masked(images, masks, "inside", fill=7)
    assert (outside[0][masks[0]] == 0).all()
    assert (outside[0][~masks[0]] == images[0][~masks[0]]).all()
    assert (inside[0][~masks[0]] == 7).all()
    assert (inside[0][masks[0]] == images[0][masks[0]]).all()
    assert (outside[1] == images[1]).all()
    assert (inside[1] == 7).all()
    assert outside.dtype == np.uint8
    assert images.min() == 1
    assert (audit.masked(images, masks[0])[1][masks[0]] == 0).all()  # one mask for all
    for wrong in (
        {"masks": masks[:, :3]},
        {"masks": masks.astype(int)},
        {"masks": masks, "keep": "left"},
    ):
        with pytest.raises(ValueError, match=r"do not fit|keep is"):
            audit.masked(images, **wrong)


SHORTCUTS = [
    "the source predicts the class",
    "the frame predicts the class",
    "burnt-in writing predicts the class",
    "the order of the files",
]


def strokes(images, rows, top=30, left=30):
    """Burn three thin lines, as of a letter, into some images."""
    images[rows, top : top + 12, left] = 255
    images[rows, top : top + 12, left + 6] = 255
    images[rows, top + 6, left : left + 6] = 255
    return images


def smooth(table, seed=2, side=64):
    """Images without a sharp edge, with the noise of a detector."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(60, 180, (len(table), 4, 4))
    soft = np.stack([zoom(image, side / 4, order=1) for image in coarse])
    return np.clip(soft + rng.normal(0, 6, soft.shape), 0, 255).astype(np.uint8)


def test_writing_is_found_wherever_it_stands_and_what_is_soft_is_not():
    table = invented()
    ill = (table["label"] == "covid").to_numpy()
    assert auc(audit.writing_baseline(table, strokes(smooth(table), ill))).value > 0.95
    assert (
        auc(audit.writing_baseline(table, 255 - strokes(255 - smooth(table), ill, 4, 50))).value
        > 0.95
    ), "dark"
    soft = smooth(table)
    bump = gaussian_filter(np.pad(np.ones((20, 20)), 22), 8)
    soft = np.where(ill[:, None, None], np.minimum(soft + 60 * bump, 255), soft).astype(np.uint8)
    found = auc(audit.writing_baseline(table, soft))
    assert found.low < 0.6
    by_lot = np.random.default_rng(3).random(len(table)) < 0.5
    found = auc(audit.writing_baseline(table, strokes(smooth(table), by_lot)))
    assert found.low < 0.5 < found.high


@pytest.mark.slow
def test_writing_is_read_from_the_files_at_full_size(tmp_path):
    table = invented(40)
    large = smooth(table, side=512)
    large[(table["label"] == "covid").to_numpy(), 100:116, 200:203] = 255
    paths = [tmp_path / f"{name}.png" for name in table["image_id"]]
    for path, image in zip(paths, large, strict=True):
        Image.fromarray(image).save(path)
    table = table.assign(path=[str(path) for path in paths])
    assert auc(audit.writing_baseline(table, progress=False)).value > 0.95
    small = np.stack(
        [np.asarray(Image.fromarray(image).resize((64, 64), Image.BOX)) for image in large]
    )
    with pytest.raises(ValueError, match="40 rows but there are 39"):
        audit.writing_baseline(table, small[:-1])


def test_neighbours_that_are_alike_show_in_the_order_of_the_files():
    rng = np.random.default_rng(0)
    people = rng.integers(40, 200, (20, 8, 8))
    who = np.repeat(np.arange(20), 8)
    images = np.clip(people[who] + rng.normal(0, 8, (160, 8, 8)), 0, 255).astype(np.uint8)
    label = pd.Categorical(
        np.where(rng.permutation(20) < 10, "normal", "covid")[who], ["normal", "covid"]
    )
    names = [f"i{number:03d}" for number in range(160)]
    table = pd.DataFrame(
        {"image_id": names, "patient": pd.NA, "group": names, "source": pd.NA, "label": label}
    )
    table = table.assign(split=None, fold=pd.NA)
    gap = audit.order_gap(table, images)
    assert gap.a > 0.9
    assert gap.low > 0.1
    larger = np.kron(images, np.ones((1, 4, 4), np.uint8))
    row = audit.shortcuts(table, larger).set_index("check").loc["the order of the files"]
    assert row["verdict"] == "look"
    shuffled = rng.permutation(160)
    renamed = table.assign(image_id=np.asarray(names)[np.argsort(shuffled)])
    assert audit.order_gap(renamed, images).low <= 0
    with pytest.raises(ValueError, match="too few for 5 folds"):
        audit.order_gap(
            table.iloc[[0, 1, 2, 3, *np.flatnonzero(label != label[0])[:4]]], images[:8]
        )


@pytest.mark.slow
def test_shortcuts_name_the_fault_and_do_not_cry_wolf():
    table = invented(100)
    found = audit.shortcuts(table, noise(table)).set_index("check")
    assert list(found.index) == SHORTCUTS
    assert (found["verdict"] != "fault").all()
    assert found.loc["the order of the files", "finding"] == "not needed: every patient is named"
    assert (found["n"] == 100).all()
    assert (found["groups"] == 50).all()
    images = noise(table)
    images[(table["label"] == "covid").to_numpy(), 1:4] = 240
    tied = table.assign(source=np.where(table["label"] == "covid", "south", "north"))
    found = audit.shortcuts(tied, images)
    assert found["verdict"].tolist() == ["fault", "fault", "fault", "ok"]
    assert found["low"].min() > 0.8  # fifty patients on each side
    assert "95 % interval" in found["finding"][1]
    nameless = audit.shortcuts(table.assign(source=pd.NA).head(60), images[:60])
    assert nameless["verdict"].tolist()[:2] == ["look", "fault"]
    assert nameless["finding"][0] == "not tested: the set names one source, or none"
    few = audit.shortcuts(table.head(8), images[:8])
    assert few["verdict"].tolist() == ["look", "look", "look", "ok"]
    assert few["value"].isna().all()


@pytest.fixture
def as_taken(imported, tmp_path):
    return np.asarray(preprocess.cache(imported.table, size=64, folder=tmp_path, progress=False))


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [lambda x: x, lambda x: 255 - (255 - x) // 2, lambda x: x[:, ::2, ::2]]
)
def test_pixels_made_otherwise_from_their_files_are_taken(imported, as_taken, change):
    grouped = duplicates.add_groups(
        imported.table, duplicates.pairs(imported.table, progress=False)
    )
    found = audit.shortcuts(grouped, change(as_taken)).set_index("check")
    assert found.loc["burnt-in writing predicts the class", "finding"].endswith(
        "alone in the files"
    )
    images_alone = audit.shortcuts(grouped.drop(columns="path"), change(as_taken)).set_index(
        "check"
    )
    assert images_alone.loc["burnt-in writing predicts the class", "finding"].endswith("alone")


@pytest.mark.parametrize(
    "change",
    [
        lambda x: np.roll(x, 1, axis=0),
        lambda x: x[::-1],
        lambda x: 255 - x,
        lambda x: np.zeros_like(x),
        lambda x: np.random.default_rng(0).integers(0, 256, x.shape, np.uint8),
        lambda x: x[:, ::-1],
    ],
)
def test_pixels_of_other_files_are_refused(imported, as_taken, change):
    grouped = duplicates.add_groups(
        imported.table, duplicates.pairs(imported.table, progress=False)
    )
    with pytest.raises(ValueError, match=r"something else than the files|do not belong together"):
        audit.shortcuts(grouped, change(as_taken))


@pytest.mark.slow
def test_report_adds_the_shortcuts_where_images_are_given(imported, as_taken):
    pairs = duplicates.pairs(imported.table, progress=False)
    plain = audit.report(imported.table, pairs=pairs)
    longer = audit.report(imported.table, pairs=pairs, images=as_taken)
    assert longer["check"].tolist()[: len(plain)] == plain["check"].tolist()
    assert longer["check"].tolist()[len(plain) :] == SHORTCUTS
    assert list(longer.columns) == audit.COLUMNS


# --- each row by hand, at a limit and just beyond it ----------------------------------------------


def counted(*counts, **columns):
    """A manifest with so many images of each class."""
    label = np.repeat(["normal", "covid", "viral"][: len(counts)], counts)
    table = pd.DataFrame({"image_id": [f"i{i}" for i in range(len(label))]})
    given = {"split": None, **columns}
    return table.assign(
        label=pd.Categorical(label, ["normal", "covid", "viral"][: len(counts)]), **given
    )


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        ((50, 50), "ok"),
        ((50, 49), "look"),
        ((50, 150), "ok"),
        ((50, 151), "look"),
        ((80, 60, 180), "ok"),
        ((80, 60, 181), "look"),
        ((51,), "ok"),
    ],
)
def test_classes_of_less_than_fifty_or_a_third_of_another_are_pointed_out(counts, verdict):
    assert audit._counts(counted(*counts))[1] == verdict


def test_images_are_counted_by_class_and_part():
    table = counted(
        60, 50, split=pd.Categorical(["test"] * 30 + ["train"] * 80, ["train", "val", "test"])
    )
    name, _, finding, examples = audit._counts(table)
    assert (name, examples) == ("images by class", "")
    assert finding == "110 images (80 train, 30 test): 60 normal, 50 covid"
    assert audit._counts(counted(60, 50))[2] == "110 images: 60 normal, 50 covid"


@pytest.mark.parametrize(
    ("covid", "normal", "verdict"),
    [(10, 8, "ok"), (10, 7, "look"), (2, 0, "ok"), (3, 0, "look"), (4, 4, "ok")],
)
def test_a_format_whose_share_differs_by_more_than_a_fifth_is_pointed_out(covid, normal, verdict):
    format_ = (
        ["PNG"] * normal + ["JPEG"] * (10 - normal) + ["PNG"] * covid + ["JPEG"] * (10 - covid)
    )
    name, found, finding, _ = audit._by_class(counted(10, 10, format=format_), "format")
    assert (name, found) == ("format by class", verdict)
    said = {10: "100 % PNG", 0: "100 % JPEG"}
    for label, k in (("normal", normal), ("covid", covid)):
        assert f"{label}: {said.get(k, f'{100 - 10 * k} % JPEG, {10 * k} % PNG')}" in finding
    assert audit._by_class(counted(10, format="PNG"), "format")[1:3] == ("ok", "normal: 100 % PNG")


def test_two_formats_of_three_classes():
    format_ = ["PNG"] * 10 + ["PNG"] * 9 + ["JPEG"] + ["PNG"] * 7 + ["JPEG"] * 3
    # the ends are 0.3 apart
    assert audit._by_class(counted(10, 10, 10, format=format_), "format")[1] == "look"
    rare = ["PNG"] * 10 + ["PNG"] * 7 + ["JPEG"] * 2 + ["TIFF"]
    # PNG 0.3, JPEG 0.2, TIFF 0.1
    assert audit._by_class(counted(10, 10, format=rare), "format")[1] == "look"


@pytest.mark.parametrize(
    ("width", "height", "verdict"),
    [
        ((100, 120), (100, 120), "ok"),
        ((100, 121), (100, 121), "look"),
        ((121, 100), (121, 100), "look"),
        ((10, 10), (100, 200), "ok"),  # aspects of 0.1 and 0.05
        ((10, 10), (100, 205), "look"),
    ],
)
def test_sizes_that_differ_by_class_are_pointed_out(width, height, verdict):
    table = counted(3, 3, width=np.repeat(width, 3), height=np.repeat(height, 3))
    table.loc[0, ["width", "height"]] = 999, 999  # the median decides
    name, found, finding, _ = audit._sizes(table)
    assert (name, found) == ("size by class", verdict)
    aspect = [w / h for w, h in zip(width, height, strict=True)]
    assert finding == "; ".join(
        f"{c}: median width {width[k]}, width / height {aspect[k]:.2f}"
        for k, c in enumerate(("normal", "covid"))
    )


def test_a_class_that_was_left_out_has_no_size():
    table = counted(3, 3, 3, width=np.repeat([100, 130, 500], 3), height=100)[:6]
    assert audit._sizes(table)[1:3] == (
        "look",
        "normal: median width 100, width / height 1.00; covid: median width 130, width / height "
        "1.30",
    )


def test_one_size_of_all_images_is_said():
    assert audit._sizes(counted(3, 3, width=80, height=90))[1:3] == ("ok", "every image is 80×90")


def test_remarks_on_grey_levels_have_a_row_each():
    remarks = ["a; b", None, "b", "only one grey level", "b", "b", ""]
    rows = audit._grey_levels(counted(7, remarks=remarks)[:6])
    assert rows == [
        ("grey levels", "look", "1 image(s): a", "i0"),
        ("grey levels", "look", "4 image(s): b", "i0; i2; i4"),  # three examples
        ("grey levels", "fault", "1 image(s): only one grey level", "i3"),
    ]
    assert audit._grey_levels(counted(3)) == []


def test_files_left_out_are_named_without_their_folder():
    rejects = pd.DataFrame({"path": [f"/home/me/{k}.png" for k in "abcd"], "problem": "cut off"})
    assert audit._unreadable(rejects) == (
        "unreadable files",
        "look",
        "4 file(s) left out",
        "a.png: cut off; b.png: cut off; c.png: cut off",
    )
    fine = ("unreadable files", "ok", "every image file could be read", "")
    assert audit._unreadable(rejects[:0]) == audit._unreadable(None) == fine


def six_pairs(**columns):
    pairs = pd.DataFrame(
        {
            "image_id_a": ["s/a", "s/b", "s/c", "s/d", "s/e", "s/a"],
            "image_id_b": ["s/b", "s/c", "s/d", "s/e", "s/f", "s/f"],
            "kind": ["identical", "near", "near", "near", "near", "identical"],
            "similarity": [1.0, 0.9, -0.9, 0.0, -0.8, 1.0],
            "label_a": ["x", "x", "x", "y", "y", "x"],
            "label_b": ["x", "x", "y", "y", "x", "x"],
            "split_a": ["train", "test", "test", "train", None, "train"],
            "split_b": ["test", "test", "train", "val", "test", "train"],
        }
    )
    return pairs.assign(**columns)


def test_rows_on_pairs_by_hand():
    pairs = six_pairs()
    assert audit._pairs(pairs, "identical") == (
        "byte-identical pairs",
        "fault",
        "2 pair(s)",
        "a = b; a = f",
    )
    assert audit._pairs(pairs, "near") == (
        "near-duplicate pairs",
        "fault",
        "4 pair(s), 2 of them an image and its negative",
        "b = c; c = d; d = e",
    )
    assert audit._crossing(pairs) == (
        "duplicates across the split",
        "fault",
        "3 pair(s), 1 of them byte-identical; 2 test image(s) stand in another part too",
        "a = b; c = d; d = e",
    )
    conflicts = (
        "label conflicts among duplicates",
        "fault",
        "2 pair(s) of one radiograph with two labels",
        "c = d; e = f",
    )
    assert audit._label_conflicts(pairs) == conflicts
    same = six_pairs(
        label_b=pairs["label_a"], split_b=pairs["split_a"], kind="near", similarity=0.9
    )
    assert audit._label_conflicts(same)[1:3] == (
        "ok",
        "0 pair(s) of one radiograph with two labels",
    )
    assert audit._pairs(same, "identical")[1:] == ("ok", "0 pair(s)", "")
    assert audit._pairs(same, "near")[2] == "6 pair(s)"
    none = "0 pair(s), 0 of them byte-identical; 0 test image(s) stand in another part too"
    assert audit._crossing(same)[1:] == ("ok", none, "")
    assert audit._crossing(six_pairs(split_a=None))[1:3] == (
        "look",
        "the set has no split yet; group it before splitting",
    )
    assert audit._crossing(six_pairs()[:0])[1:] == ("ok", none, "")


def test_rows_on_patients_by_hand():
    parts = ["train", "test", "train", "train", "train", "train"]
    table = counted(3, 3, split=parts, patient=["p", "p", "q", "q", "r", "r"])
    assert audit._patients(table) == (
        "patients",
        "fault",
        "3 patients known for 6 of 6 images; 1 on several sides of the split; 1 with several "
        "labels",
        "p",
    )
    apart = table.assign(split="train")
    assert audit._patients(apart)[1] == "ok"
    assert audit._patients(apart.assign(patient=["p", "p", None, "q", "r", "r"]))[1:3] == (
        "look",
        "3 patients known for 5 of 6 images; 0 on several sides of the split; 0 with several "
        "labels",
    )
    unknown = audit._patients(table.assign(patient=None))
    assert unknown[1:3] == (
        "look",
        "no patient is known: two images of one person cannot be told from two people",
    )


def pretend(value, low, high):
    return lambda *_: stats.Estimate(value, low, high, 66, 60, 60.0, "")


@pytest.mark.parametrize(
    ("low", "verdict"),
    [(0.6, "look"), (0.601, "fault"), (0.5, "ok"), (0.501, "look"), (np.nan, "ok"), (0.3, "ok")],
)
def test_a_shortcut_is_judged_by_the_low_end_of_its_interval(monkeypatch, low, verdict):
    monkeypatch.setattr(evaluate, "metric", pretend(0.75, low, 0.9))
    found = audit._shortcut("the frame", invented(20), lambda: None, " here")
    assert found[:2] == ("the frame predicts the class", verdict)
    assert found[2] == (
        f"AUC 0.75 (95 % interval {low:.2f}-0.90, n = 66) from the outer tenth of the image, with "
        "little of the lungs, alone here"
    )
    np.testing.assert_equal(found[4:], (0.75, low, 0.9, 66, 60))


def test_a_shortcut_takes_two_classes_with_five_groups_each(monkeypatch):
    monkeypatch.setattr(evaluate, "metric", pretend(0.75, 0.7, 0.9))
    tested = audit._shortcut("file properties", invented(20), lambda: None)
    # five patients of each class
    assert tested[:2] == ("file properties predict the class", "fault")
    for few in (invented(20)[:18], invented(40)[lambda t: t["label"] == "covid"]):
        found = audit._shortcut("the frame", few, lambda: None)
        assert found[1:3] == ("look", "not tested: it takes two classes with five groups each")
        np.testing.assert_equal(
            found[4:], (np.nan, np.nan, np.nan, len(few), few["group"].nunique())
        )


@pytest.mark.parametrize(("low", "verdict"), [(0, "ok"), (0.01, "look"), (np.nan, "ok")])
def test_the_order_of_the_files_is_judged_by_the_low_end(monkeypatch, low, verdict):
    asked = []
    gap = stats.Difference(0.1, low, 0.2, 40, 39, 40.0, "", a=0.8, b=0.7, p=0.1)
    monkeypatch.setattr(audit, "order_gap", lambda *arguments: asked.append(arguments) or gap)
    table = invented(40)
    table.loc[0, "patient"] = None
    found = audit._order(table, "images", 3)
    assert asked[0][1:] == ("images", 3)
    assert found[:2] == ("the order of the files", verdict)
    assert found[2] == (
        "AUC of logistic regression, folds at random minus consecutive folds: "
        f"+0.10 (95 % interval {low:+.2f} to +0.20, n = 40)"
    )
    np.testing.assert_equal(found[4:], (0.1, low, 0.2, 40, 39))
    few = audit._order(table.iloc[1:].assign(patient=None), "images", 3)  # nineteen of one class
    assert few[1:3] == ("look", "not tested: it takes two classes with twenty images each")
    np.testing.assert_equal(few[4:], (np.nan, np.nan, np.nan, 39, 20))
    one = table[table["label"] == "covid"]
    assert audit._order(pd.concat([one, one]).assign(patient=None), "images", 3)[1] == "look"
    assert audit._order(invented(40), "images", 3)[1:3] == (
        "ok",
        "not needed: every patient is named",
    )
    assert len(asked) == 1
    left_out = table.assign(label=table["label"].cat.add_categories("viral"))
    assert audit._order(left_out, "images", 3)[1] == verdict


def test_a_report_asks_each_check_once_and_in_this_order(monkeypatch):
    table = counted(
        60,
        50,
        format="PNG",
        mode="L",
        width=9,
        height=9,
        patient="p",
        group="g",
        source="s",
        path="x",
    )
    asked = []
    monkeypatch.setattr(audit, "file_properties_baseline", lambda *a: asked.append(a[1:]))
    monkeypatch.setattr(
        audit, "_shortcut", lambda name, t, ask: ask() or (name, "ok", "", "", 1, 1, 1, 1, 1)
    )
    pairs = six_pairs()
    page = audit.report(table, None, pairs, 7)
    assert page["check"].tolist() == [
        "unreadable files",
        "images by class",
        "format by class",
        "mode by class",
        "size by class",
        "byte-identical pairs",
        "near-duplicate pairs",
        "duplicates across the split",
        "label conflicts among duplicates",
        "patients",
        "file properties",
    ]
    extra = pd.DataFrame(
        [range(9)], columns=[*audit.COLUMNS, "value", "low", "high", "n", "groups"]
    )
    monkeypatch.setattr(audit, "shortcuts", lambda *a: asked.append(a[1:]) or extra)
    longer = audit.report(table, None, pairs, 7, "images")
    assert asked == [(7,), (7,), ("images", 7)]
    assert longer.index.tolist() == list(range(12))
    assert longer.columns.tolist() == audit.COLUMNS
    monkeypatch.setattr(duplicates, "pairs", lambda t: pairs)
    monkeypatch.setattr(
        duplicates, "add_groups", lambda t, p: t.assign(group="made") if p is pairs else None
    )
    grouped = []
    monkeypatch.setattr(
        audit,
        "file_properties_baseline",
        lambda t, seed: grouped.append(t["group"].unique().tolist()),
    )
    audit.report(table)
    audit.report(table.assign(group=["g"] * 109 + [None]))
    assert grouped == [["g"], ["made"]]


def test_shortcuts_ask_each_baseline_with_these_settings(monkeypatch):
    table, asked = invented(40), []
    for name in (
        "source_baseline",
        "frame_baseline",
        "writing_baseline",
        "_order",
        "_check_pixels",
    ):
        monkeypatch.setattr(
            audit, name, lambda *a, _name=name, **k: asked.append((_name, a[1:], k))
        )
    monkeypatch.setattr(
        audit, "_order", lambda *a: asked.append(("order", a[1:], {})) or ("order", *range(8))
    )
    monkeypatch.setattr(audit, "_shortcut", lambda name, t, ask, *where: ask() or (name, *range(8)))
    found = audit.shortcuts(table, "images", 5)
    assert found["check"].tolist() == ["the source", "the frame", "burnt-in writing", "order"]
    assert found.columns.tolist() == [
        "check",
        "verdict",
        "finding",
        "examples",
        "value",
        "low",
        "high",
        "n",
        "groups",
    ]
    frame, order = ("frame_baseline", ("images", 5), {"trees": 60}), ("order", ("images", 5), {})
    writing = ("writing_baseline", ("images", 5), {})
    assert sorted(asked) == sorted([("source_baseline", (5,), {}), frame, order, writing])
    asked.clear()
    one_source = audit.shortcuts(table.assign(path="x", source="s"), "images", 5)
    assert sorted(asked, key=str) == sorted(
        [("_check_pixels", ("images",), {}), ("writing_baseline", (None, 5), {}), frame, order],
        key=str,
    )
    assert one_source.iloc[0][["check", "verdict"]].tolist() == [
        "the source predicts the class",
        "look",
    ]
    assert one_source.iloc[0, 4:7].isna().all()
    assert one_source.iloc[0, 7:].tolist() == [40, 20]


# --- the baselines by hand ------------------------------------------------------------------------


def test_shares_of_a_source_come_from_the_other_folds():
    table = invented(40)
    table.loc[3, "source"] = None
    folds = split.folds(table, k=4, seed=2)["fold"].to_numpy(int)
    found = audit.source_baseline(table, 2, 4)
    ill, source = (
        (table["label"] == "covid").to_numpy(),
        table["source"].fillna("unknown").to_numpy(str),
    )
    for row in range(40):
        rest = folds != folds[row]
        alike = rest & (source == source[row])
        expected = ill[alike if alike.any() else rest].mean()
        assert found["p_covid"][row] == pytest.approx(expected)
    assert (found["model"] == "source alone").all()
    assert (found["seed"] == 2).all()
    assert found["split"].isna().all()


def test_folds_of_a_baseline_are_those_of_the_split_and_no_more_than_the_rarest_class_has_groups():
    table = invented(40)
    for k, groups, number in ((5, 20, 5), (5, 6, 3), (2, 20, 2)):
        part = table[table["group"].isin(table["group"].unique()[:groups])]
        found = audit._folds(part, k, 3)
        folds = split.folds(part, k=number, seed=3)["fold"].to_numpy(int)
        assert len(found) == number
        for fold, (train, scored) in enumerate(found):
            assert train.tolist() == np.flatnonzero(folds != fold).tolist()
            assert scored.tolist() == np.flatnonzero(folds == fold).tolist()
    unused = table.assign(label=table["label"].cat.add_categories("viral"))
    assert len(audit._folds(unused, 5, 0)) == 5


def test_a_forest_is_that_of_scikit_learn():
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_predict

    table, features = invented(60), np.random.default_rng(0).normal(size=(60, 3))
    found = audit._forest(table, features, "drawn", 4, 3, 15)
    forest = RandomForestClassifier(15, min_samples_leaf=2, class_weight="balanced", random_state=4)
    folds, codes = audit._folds(table, 3, 4), table["label"].cat.codes.to_numpy()
    expected = cross_val_predict(forest, features, codes, cv=folds, method="predict_proba")
    np.testing.assert_allclose(found[["p_normal", "p_covid"]], expected)
    assert found[["model", "seed"]].drop_duplicates().to_numpy().tolist() == [["drawn", 4]]
    assert found["split"].isna().all()


def test_properties_of_files_by_hand():
    table = counted(
        2,
        1,
        width=[100, 200, 50],
        height=[50, 100, 100],
        bytes=[10_000, 5_000, 2_500],
        path=["a.b/x.PNG", "a/y.jpg", "a/none"],
        format=["PNG", "JPEG", None],
        mode="L",
        source=None,
    )
    found = audit._properties(table)
    assert found["aspect"].tolist() == [2, 2, 0.5]
    assert found["bytes_per_pixel"].tolist() == [2, 0.25, 0.5]
    assert found[["width", "height"]].to_numpy().tolist() == [[100, 50], [200, 100], [50, 100]]
    words = [name for name in found if "_" in name and name != "bytes_per_pixel"]
    assert sorted(words) == [
        "extension_jpg",
        "extension_png",
        "extension_unknown",
        "format_JPEG",
        "format_PNG",
        "format_unknown",
        "mode_L",
        "source_unknown",
    ]
    assert found["extension_png"].tolist() == [1, 0, 0]
    assert set(found.dtypes) == {np.dtype(float)}


@pytest.mark.parametrize(("width", "side"), [(6, 64), (1, 64), (31, 64), (3, 8), (2, 5)])
def test_a_frame_is_as_wide_as_asked(monkeypatch, width, side):
    table, asked = invented(20), []
    monkeypatch.setattr(audit, "_forest", lambda *arguments: asked.append(arguments))
    images = noise(table, side=side)
    audit.frame_baseline(table, images, 3, 4, 7, width=width)
    _, pixels, *rest = asked[0]
    middle = images[:, width : side - width, width : side - width]
    assert pixels.shape == (20, side**2 - (side - 2 * width) ** 2)
    assert pixels.sum() == images.sum(dtype=float) - middle.sum(dtype=float)
    assert rest == ["frame", 3, 4, 7]
    for wrong in (0, -1, side / 2, side):
        with pytest.raises(ValueError, match="leaves nothing of an image"):
            audit.frame_baseline(table, images, width=wrong)


def test_settings_of_the_other_forests_are_passed_on(monkeypatch, tmp_path):
    table, asked = invented(20), []
    monkeypatch.setattr(audit, "_forest", lambda *arguments: asked.append(arguments))
    monkeypatch.setattr(audit, "_properties", lambda table: "properties")
    audit.file_properties_baseline(table, 3, 4, 7)
    assert asked.pop()[1:] == ("properties", "file properties", 3, 4, 7)
    images = strokes(noise(table), np.arange(20) % 2 == 0)
    audit.writing_baseline(table, images, 3, 4, 7)
    _, found, *rest = asked.pop()
    assert rest == ["writing", 3, 4, 7]
    np.testing.assert_allclose(found[5], audit._strokes(images[5] / 255))
    paths = [tmp_path / f"{name}.png" for name in table["image_id"]]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    audit.writing_baseline(
        table.assign(path=[str(path) for path in paths]), None, 3, 4, 7, progress=False
    )
    np.testing.assert_allclose(asked.pop()[1], found, atol=1e-5)


LEVELS = (0.12, 0.18, 0.21, 0.27, 0.32, 0.37, 0.42, 0.48, 0.53, 0.6)  # one stroke of each


@pytest.mark.parametrize("dark", [False, True])
def test_strokes_are_counted_by_strength_and_by_field(dark):
    image = np.full((90, 90), 0.7 if dark else 0.3, np.float32)
    for number, level in enumerate(LEVELS):
        image[4 + 8 * number, 10 : 20 + number] += -level if dark else level
    lengths = 10 + np.arange(10)
    stronger = [sum(lengths[np.array(LEVELS) > x]) / 8100 for x in (0.15, 0.2, 0.3, 0.4, 0.5)]
    found = audit._strokes(image)
    assert found.shape == (17,)
    np.testing.assert_allclose(found[:5], [0] * 5 if dark else stronger)
    np.testing.assert_allclose(found[5:8], stronger[1:4] if dark else [0] * 3)
    fields = np.zeros((3, 3))
    for number, level in enumerate(LEVELS):
        if level > 0.25 and not dark:
            fields[(4 + 8 * number) // 30, 0] += lengths[number] / 900
    np.testing.assert_allclose(found[8:], fields.ravel())
    turned = audit._strokes(image.T)
    np.testing.assert_allclose(turned[:8], found[:8])
    np.testing.assert_allclose(turned[8:], fields.T.ravel())


@pytest.mark.parametrize(
    ("side", "width", "seen"),
    [
        (90, 2, True),
        (90, 3, False),
        (135, 2, True),
        (135, 3, False),
        (157, 3, False),
        (158, 3, True),
        (180, 4, False),
    ],
)
def test_a_stroke_is_narrower_than_a_forty_fifth_of_the_image_and_than_three_pixels(
    side, width, seen
):
    image = np.zeros((side, side // 2), np.float32)
    image[20 : 20 + width, 5:35] = 1
    share = 30 * width / image.size if seen else 0
    np.testing.assert_allclose(audit._strokes(image)[:5], share)
    np.testing.assert_allclose(audit._strokes(image.T)[:5], share)


@pytest.mark.parametrize(("side", "times"), [(1024, 1), (1025, 2), (2048, 2), (2049, 3)])
def test_images_of_more_than_1024_pixels_are_reduced_by_a_whole_number(side, times):
    image = np.zeros((60, side), np.float32)
    image[30, 300:600] = 1  # after a reduction by 2 or 3 a stroke of that part of the strength
    found = audit._strokes(image)
    shares = 300 / times / (60 // times * -(-side // times))
    np.testing.assert_allclose(
        found[:5], [shares * (1 / times > x) for x in (0.15, 0.2, 0.3, 0.4, 0.5)], rtol=1e-6
    )


def test_the_gap_of_the_order_is_that_of_two_cross_validations():
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table = invented(46).sample(frac=1, random_state=0).reset_index(drop=True)
    table = table.assign(label=table["label"].cat.add_categories("viral"))
    images = noise(table, side=64)
    images[:, :32] //= (
        1
        + (table["label"] == "covid").to_numpy(np.uint8)[:, None, None]
        * (np.arange(46) % 3 == 0)[:, None, None]
    )
    found = audit.order_gap(table, images, 2, 4)
    pixels = images.reshape(46, 32, 2, 32, 2).mean(axis=(2, 4)).reshape(46, -1)
    ill = (table["label"] == "covid").to_numpy(int)
    consecutive = np.empty(46, int)
    for kind in (0, 1):
        rows = np.flatnonzero(ill == kind)
        rows = rows[np.argsort(table["image_id"].to_numpy(str)[rows])]
        consecutive[rows] = np.arange(len(rows)) * 4 // len(rows)
    drawn = split.folds(table.assign(group=table["image_id"]), k=4, seed=2)["fold"].to_numpy(int)
    areas = []
    for folds in (drawn, consecutive):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
        sides = [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in range(4)]
        areas.append(
            roc_auc_score(
                ill, cross_val_predict(model, pixels, ill, cv=sides, method="predict_proba")[:, 1]
            )
        )
    assert (found.a, found.b) == pytest.approx(areas, abs=1e-3)
    assert (found.n, found.groups) == (46, 46)
    with pytest.raises(ValueError, match="covid has 22 images: too few for 23 folds"):
        audit.order_gap(table, images, k=23)


# --- whether images are those of the files --------------------------------------------------------


@pytest.fixture
def files(monkeypatch):
    """A table whose files hold these images, and the paths that were read."""

    def made(images):
        asked = []
        monkeypatch.setattr(
            audit, "read", lambda path, scale: asked.append(int(path)) or images[int(path)]
        )
        monkeypatch.setattr("cxr_helpers.manifest.scales", lambda table: [None] * len(table))
        names = [str(number) for number in range(len(images))]
        return pd.DataFrame({"image_id": names, "path": names}), asked

    return made


@pytest.mark.parametrize("n", [1, 5, 12, 13, 50])
def test_twelve_files_evenly_spread_are_held_against_the_images(files, n):
    images = np.random.default_rng(0).random((n, 16, 16), np.float32)
    table, asked = files(images)
    audit._check_pixels(table, images * 255)
    assert asked == sorted(
        {int((n - 1) * k / (min(n, 12) - 1)) if n > 1 else 0 for k in range(min(n, 12))}
    )


@pytest.mark.parametrize(
    ("swapped", "refused"), [(0, False), (2, False), (6, False), (8, True), (12, True)]
)
def test_images_that_fit_another_file_better_are_refused_where_they_are_more_than_half(
    files, swapped, refused
):
    rng = np.random.default_rng(0)
    images = (0.7 * rng.random((1, 16, 16)) + 0.3 * rng.random((12, 16, 16))).astype(
        np.float32
    )  # of much the same chest
    order = np.arange(12)
    order[:swapped] = order[:swapped].reshape(-1, 2)[:, ::-1].ravel()
    table, _ = files(images)
    if not refused:
        audit._check_pixels(table, images[order])
        return
    with pytest.raises(
        ValueError, match=r"something else than the files .*of 12 images, the median"
    ):
        audit._check_pixels(table, images[order])


@pytest.mark.parametrize(
    ("like", "refused"), [(0.44, True), (0.49, True), (0.51, False), (0.56, False)]
)
def test_images_are_refused_whose_median_correlation_with_their_file_is_below_a_half(
    files, like, refused
):
    rng = np.random.default_rng(0)
    own, other = (audit._standardised(list(rng.normal(size=(9, 16, 16)))) for _ in range(2))
    other -= (own * other).sum(axis=1, keepdims=True) * own
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    mixed = (like * own + np.sqrt(1 - like**2) * other).reshape(9, 16, 16)
    table, _ = files((0.5 + own).reshape(9, 16, 16).astype(np.float32))
    if not refused:
        audit._check_pixels(table, mixed)
        return
    with pytest.raises(ValueError, match=f"median correlation with their own file is {like:.2f}"):
        audit._check_pixels(table, mixed)


@pytest.mark.parametrize("fit", preprocess.FITS)
def test_images_made_with_any_fit_are_taken(files, fit):
    taken = np.random.default_rng(0).random((6, 16, 40)).astype(np.float32)
    table, _ = files(taken)
    audit._check_pixels(table, np.stack([preprocess.prepare(image, 64, fit) for image in taken]))


def test_standardised_images_have_mean_0_and_length_1():
    found = audit._standardised([np.array([[1.0, 2], [3, 6]]), np.full((2, 2), 7.0)])
    assert found[0] == pytest.approx(np.array([-2, -1, 0, 3]) / np.sqrt(14))
    assert found[1].tolist() == [0] * 4
