"""The audit names a set's faults, whatever the sizes of its files, and nothing of the machine it ran on."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter, zoom

from cxr_helpers import audit, datasets, duplicates, evaluate, preprocess
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
    assert found.loc["duplicates across the split", "finding"].startswith("2 pair(s), 1 of them byte-identical")
    assert found.loc["byte-identical pairs", "finding"] == "1 pair(s)"
    assert found.loc["unreadable files", "finding"] == "1 file(s) left out"
    assert found.loc["unreadable files", "examples"].startswith("truncated.jpeg: ")  # no folder of this machine
    assert found.loc["size by class", "finding"] == "every image is 96×96"


@pytest.mark.slow
def test_sizes_that_differ_by_class_are_told_with_their_aspect(imported):
    table = imported.table.assign(width=np.where(imported.table["label"] == "covid", 192, 96))
    row = audit.report(table, pairs=duplicates.pairs(table, progress=False)).set_index("check").loc["size by class"]
    assert row["verdict"] == "look"
    assert (
        "normal: median width 96, width / height 1.00; covid: median width 192, width / height 2.00" in row["finding"]
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
    assert not np.allclose(few.filter(like="p_"), audit.file_properties_baseline(told).filter(like="p_"))
    assert blind.value == pytest.approx(0.5, abs=0.1)


def test_report_of_a_set_without_split_or_duplicates(imported):
    table = imported.table.drop_duplicates("sha256").reset_index(drop=True)
    table["split"] = pd.Categorical([None] * len(table), categories=["train", "val", "test"])
    none = duplicates.pairs(table, threshold=1.0, progress=False)
    found = audit.report(table, pairs=none).set_index("check")
    assert found.loc["byte-identical pairs", "verdict"] == "ok"
    assert found.loc["unreadable files", "verdict"] == "ok"


def test_report_of_a_set_of_which_a_class_was_left_out(imported, tmp_path):
    table = imported.table[imported.table["label"] != "viral"].reset_index(drop=True)
    images = np.asarray(preprocess.cache(table, size=64, folder=tmp_path, progress=False))
    found = audit.report(table, images=images).set_index("check")
    assert "AUC" in found.loc["file properties predict the class", "finding"]
    assert "AUC" in found.loc["the frame predicts the class", "finding"]
    dropped = table.assign(label=table["label"].cat.remove_unused_categories())
    for baseline in (audit.file_properties_baseline, lambda t: audit.frame_baseline(t, noise(t), trees=10)):
        with_empty, without = (baseline(duplicates.add_groups(t)) for t in (table, dropped))
        assert (with_empty["p_viral"] == 0).all()
        assert with_empty["p_covid"].tolist() == without["p_covid"].tolist()


def test_examples_of_pairs_leave_out_the_folders_that_all_share():
    def examples(*names):
        pairs = pd.DataFrame({"image_id_a": names[::2], "image_id_b": names[1::2]})
        return audit._names(pairs)

    assert examples("set/a/1.png", "set/b/2.png") == ["a/1.png = b/2.png"]
    assert examples("a/1.png", "b/2.png") == ["a/1.png = b/2.png"]
    assert examples("/set/a/1.png", "a/2.png") == ["/set/a/1.png = a/2.png"]  # absolute and relative
    assert examples("/a/1.png", "/b/2.png") == ["a/1.png = b/2.png"]
    assert examples() == []


# --- what may stand in for the disease (lesson 09) ------------------------------------------------------------------


def invented(n=120, seed=0):
    """A manifest without files: patients with two images each, two classes, two sources by lot."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(n // 2), 2)
    label = np.where(patient % 2 == 0, "normal", "covid")
    source = np.where(rng.random(n // 2) < 0.5, "north", "south")[patient]
    names = pd.Series([f"i{i:03d}" for i in range(n)])
    patients = pd.Series(patient).map("p{}".format)
    table = pd.DataFrame({"image_id": names, "patient": patients, "group": patients, "source": source})
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
    assert auc(audit.frame_baseline(table, in_lungs, trees=20, width=21)).value > 0.95  # now it holds some of them
    larger = np.kron(in_frame, np.ones((1, 2, 2), np.uint8))
    assert auc(audit.frame_baseline(table, larger, trees=20)).value > 0.95


def test_the_frame_answers_another_question_where_the_label_is_replaced():
    table, images = invented(), noise(invented())
    images[(table["source"] == "south").to_numpy(), :3] = 255
    asked = table.assign(label=table["source"].astype("category"))
    assert evaluate.metric(audit.frame_baseline(asked, images, trees=20), "roc_auc", "south").value > 0.95


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
    assert auc(audit.source_baseline(tied.rename(columns={"source": "room"}).assign(source=None), by="room")).value == 1
    with pytest.raises(ValueError, match="no column 'ward'"):
        audit.source_baseline(table, by="ward")


def test_a_source_of_one_group_learns_nothing_from_itself():
    table = invented()
    alone = table.assign(source=table["patient"])  # every patient a source: nothing is met in the other folds
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
    for wrong in ({"masks": masks[:, :3]}, {"masks": masks.astype(int)}, {"masks": masks, "keep": "left"}):
        with pytest.raises(ValueError, match=r"do not fit|keep is"):
            audit.masked(images, **wrong)


SHORTCUTS = [
    *("the source predicts the class", "the frame predicts the class"),
    *("burnt-in writing predicts the class", "the order of the files"),
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
    assert auc(audit.writing_baseline(table, 255 - strokes(255 - smooth(table), ill, 4, 50))).value > 0.95, "dark"
    soft = smooth(table)
    bump = gaussian_filter(np.pad(np.ones((20, 20)), 22), 8)
    soft = np.where(ill[:, None, None], np.minimum(soft + 60 * bump, 255), soft).astype(np.uint8)
    found = auc(audit.writing_baseline(table, soft))
    assert found.low < 0.6
    by_lot = np.random.default_rng(3).random(len(table)) < 0.5
    found = auc(audit.writing_baseline(table, strokes(smooth(table), by_lot)))
    assert found.low < 0.5 < found.high


def test_writing_is_read_from_the_files_at_full_size(tmp_path):
    table = invented(40)
    large = smooth(table, side=512)
    large[(table["label"] == "covid").to_numpy(), 100:116, 200:203] = 255
    paths = [tmp_path / f"{name}.png" for name in table["image_id"]]
    for path, image in zip(paths, large, strict=True):
        Image.fromarray(image).save(path)
    table = table.assign(path=[str(path) for path in paths])
    assert auc(audit.writing_baseline(table, progress=False)).value > 0.95
    small = np.stack([np.asarray(Image.fromarray(image).resize((64, 64), Image.BOX)) for image in large])
    with pytest.raises(ValueError, match="40 rows but there are 39"):
        audit.writing_baseline(table, small[:-1])


def test_neighbours_that_are_alike_show_in_the_order_of_the_files():
    rng = np.random.default_rng(0)
    people = rng.integers(40, 200, (20, 8, 8))
    who = np.repeat(np.arange(20), 8)
    images = np.clip(people[who] + rng.normal(0, 8, (160, 8, 8)), 0, 255).astype(np.uint8)
    label = pd.Categorical(np.where(rng.permutation(20) < 10, "normal", "covid")[who], ["normal", "covid"])
    names = [f"i{number:03d}" for number in range(160)]
    table = pd.DataFrame({"image_id": names, "patient": pd.NA, "group": names, "source": pd.NA, "label": label})
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
        audit.order_gap(table.iloc[[0, 1, 2, 3, *np.flatnonzero(label != label[0])[:4]]], images[:8])


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
@pytest.mark.parametrize("change", [lambda x: x, lambda x: 255 - (255 - x) // 2, lambda x: x[:, ::2, ::2]])
def test_pixels_made_otherwise_from_their_files_are_taken(imported, as_taken, change):
    grouped = duplicates.add_groups(imported.table, duplicates.pairs(imported.table, progress=False))
    found = audit.shortcuts(grouped, change(as_taken)).set_index("check")
    assert found.loc["burnt-in writing predicts the class", "finding"].endswith("alone in the files")
    images_alone = audit.shortcuts(grouped.drop(columns="path"), change(as_taken)).set_index("check")
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
    grouped = duplicates.add_groups(imported.table, duplicates.pairs(imported.table, progress=False))
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
