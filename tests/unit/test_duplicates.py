from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from cxr_helpers import audit, duplicates, manifest
from tests import draw


def scene(seed):
    """A smooth random picture, float32 in [0, 1]."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(160, 160)), 4)
    return ((noise - noise.min()) / np.ptp(noise)).astype(np.float32)


@pytest.fixture
def table(tmp_path):
    """Eight pictures; 0 has an identical copy, a contrast-changed one and a recompressed one."""
    rows = []

    def add(name, image, sha, **options):
        Image.fromarray((image * 255).astype(np.uint8)).save(tmp_path / name, **options)
        rows.append({"image_id": name, "path": str(tmp_path / name), "sha256": sha})

    for number in range(8):
        add(f"{number}.png", scene(number), f"h{number}")
    add("copy.png", scene(0), "h0")
    add("contrast.png", scene(0) ** 2.5, "hc")
    add("small.jpg", scene(0)[::2, ::2], "hj", quality=60)
    frame = pd.DataFrame(rows).assign(label="normal", split=None, patient=pd.NA, group=pd.NA)
    frame.loc[frame["image_id"] == "contrast.png", "label"] = "covid"
    return frame


def test_pairs_finds_copies_contrast_and_compression_and_nothing_else(table):
    found = duplicates.pairs(table, progress=False)
    same = {"0.png", "copy.png", "contrast.png", "small.jpg"}
    assert len(found) == 6
    assert set(found["image_id_a"]) | set(found["image_id_b"]) == same
    identical = found[found["kind"] == "identical"]
    assert identical[["image_id_a", "image_id_b"]].to_numpy().tolist() == [["0.png", "copy.png"]]
    assert found["similarity"].is_monotonic_decreasing
    assert ((found["label_a"] != found["label_b"]).sum()) == 3


NEGATIVES = {
    "negative": lambda image: 1 - image,
    "negative of another contrast": lambda image: (1 - image) ** 2,
    "negative, small": lambda image: (1 - image)[::2, ::2],
    "negative, dark": lambda image: 0.3 * (1 - image),
}


@pytest.mark.parametrize("name", NEGATIVES)
def test_a_negative_is_a_copy(tmp_path, name):
    pictures = {"a.png": scene(0), "b.png": NEGATIVES[name](scene(0)), "c.png": scene(1)}
    for file, image in pictures.items():
        Image.fromarray((image * 255).astype(np.uint8)).save(tmp_path / file)
    rows = [
        {"image_id": f, "path": str(tmp_path / f), "sha256": f, "label": f[0], "split": None}
        for f in pictures
    ]
    table = pd.DataFrame(rows).assign(patient=pd.NA, group=pd.NA)
    found = duplicates.pairs(table, progress=False)
    assert found[["image_id_a", "image_id_b", "kind"]].to_numpy().tolist() == [
        ["a.png", "b.png", "near"]
    ]
    assert -1 <= found["similarity"][0] < -0.8
    assert duplicates.add_groups(table, found)["group"].tolist() == ["a.png", "a.png", "c.png"]
    files = table.assign(format="PNG", mode="L", width=64, height=64, bytes=900, source=None)
    page = audit.report(files, pairs=found).set_index("check")
    assert page.loc["near-duplicate pairs", ["verdict", "finding"]].tolist() == [
        "fault",
        "1 pair(s), 1 of them an image and its negative",
    ]
    assert page.loc["label conflicts among duplicates", "verdict"] == "fault"


def eight(image):
    return np.rint(image * 255).astype(np.uint8)


OTHER_FILES = {  # the same radiograph in another file, and the sign of the similarity
    "TIFF of 16 bits": (
        lambda image, path: Image.fromarray(np.rint(image * 65535).astype(np.uint16)).save(
            path, "TIFF"
        ),
        1,
    ),
    "12 bits in 16": (
        lambda image, path: Image.fromarray(np.rint(image * 4095).astype(np.uint16)).save(
            path, "PNG"
        ),
        1,
    ),
    "colour": (
        lambda image, path: (
            Image.fromarray(eight(image)).convert("RGB").save(path, "WEBP", lossless=True)
        ),
        1,
    ),
    "16 colours": (
        lambda image, path: Image.fromarray(eight(image)).quantize(16).save(path, "GIF"),
        1,
    ),
    "DICOM": (lambda image, path: path.write_bytes(draw.dicom(eight(image))), 1),
    "DICOM that forgot to invert": (
        lambda image, path: path.write_bytes(draw.dicom(eight(image), "MONOCHROME1")),
        -1,
    ),
}


@pytest.mark.filterwarnings("ignore::cxr_helpers.images.ImageWarning")
@pytest.mark.parametrize("kind", OTHER_FILES)
def test_a_copy_of_another_kind_in_another_class_is_said(tmp_path, kind):
    make, sign = OTHER_FILES[kind]
    name = "copy.dcm" if "DICOM" in kind else "copy.png"  # what a raster file is, its bytes say
    for label in ("Covid", "Normal"):
        (tmp_path / label).mkdir()
    for seed, path in ((0, "Covid/a.png"), (1, "Covid/b.png"), (2, "Normal/c.png")):
        Image.fromarray(eight(scene(seed))).save(tmp_path / path)
    make(scene(0), tmp_path / "Normal" / name)
    table = manifest.from_folder(tmp_path, progress=False).table
    found = duplicates.pairs(table, progress=False)
    assert found[["image_id_a", "image_id_b", "kind"]].to_numpy().tolist() == [
        ["Covid/a.png", f"Normal/{name}", "near"]
    ]
    assert found["similarity"][0] * sign > 0.9
    page = audit.report(table, pairs=found).set_index("check")
    assert page.loc["label conflicts among duplicates", "verdict"] == "fault"


def test_the_strongest_pair_stands_first_whatever_its_sign(tmp_path):
    images = {
        "a.png": scene(0),
        "b.png": 1 - scene(0),
        "c.jpg": scene(0)[::2, ::2],
        "d.png": scene(0),
    }
    for file, image in images.items():
        Image.fromarray((image * 255).astype(np.uint8)).save(tmp_path / file)
    rows = [
        {
            "image_id": f,
            "path": str(tmp_path / f),
            "sha256": f.strip("ad"),
            "label": "x",
            "split": None,
        }
        for f in images
    ]
    found = duplicates.pairs(pd.DataFrame(rows), progress=False)
    assert found["kind"].tolist()[0] == "identical"
    assert found["similarity"].abs().is_monotonic_decreasing
    assert len(found) == 6


def test_what_is_not_found_is_measured_as_the_module_says():
    measured = pd.read_csv(Path(__file__).parents[2] / "benchmarks" / "duplicates.csv")
    found = measured[measured["threshold_of_package"]].set_index("what")["value"]
    for change in (
        "mirrored",
        "rotated by 5 degrees",
        "shifted by 3 %",
        "framed by 3 %",
        "cropped by 5 %",
    ):
        assert found[f"recall: {change}"] < 0.5, change
    for change in (
        "contrast: gamma 2",
        "quarter size",
        "JPEG quality 20",
        "negative",
        "negative, gamma 2",
    ):
        assert found[f"recall: {change}"] > 0.9, change
    assert found["false alarms: pairs of two patients"] == 0


def test_fingerprint_is_blind_to_any_increasing_change_of_contrast():
    image = scene(1)
    np.testing.assert_allclose(
        duplicates.fingerprint(image) @ duplicates.fingerprint(0.2 + 0.5 * image), 1, atol=1e-4
    )
    assert duplicates.fingerprint(image) @ duplicates.fingerprint(1 - image) < -0.9
    assert np.linalg.norm(duplicates.fingerprint(np.full((50, 70), 0.3))) == 0


def test_similar_is_the_same_in_blocks():
    vectors = np.random.default_rng(0).normal(size=(50, 5))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    whole = duplicates.similar(vectors, 0.5)
    pieces = duplicates.similar(vectors, 0.5, block=7)
    pd.testing.assert_frame_equal(
        whole.sort_values(["a", "b"], ignore_index=True),
        pieces.sort_values(["a", "b"], ignore_index=True),
    )
    expected = {
        (a, b) for a in range(50) for b in range(a + 1, 50) if abs(vectors[a] @ vectors[b]) >= 0.5
    }
    assert set(zip(whole["a"], whole["b"], strict=True)) == expected


def test_groups_join_patients_and_duplicates_through_each_other():
    table = pd.DataFrame(
        {
            "image_id": list("abcdef"),
            "patient": ["p1", "p1", pd.NA, "p2", pd.NA, pd.NA],
            "group": pd.NA,
        }
    )
    found = pd.DataFrame({"image_id_a": ["b", "c"], "image_id_b": ["c", "d"]})
    grouped = duplicates.add_groups(table, found)
    assert grouped["group"].tolist() == ["a", "a", "a", "a", "e", "f"]
    backwards = duplicates.add_groups(table.iloc[::-1], found).set_index("image_id")["group"]
    assert backwards.to_dict() == grouped.set_index("image_id")["group"].to_dict()


def test_groups_without_any_pair_or_patient():
    table = pd.DataFrame({"image_id": ["x", "y"], "patient": pd.NA})
    none = pd.DataFrame({"image_id_a": [], "image_id_b": []})
    assert duplicates.add_groups(table, none)["group"].tolist() == ["x", "y"]


def test_threshold_is_checked(table):
    with pytest.raises(ValueError, match="threshold"):
        duplicates.pairs(table, threshold=1.5)


def test_case_e_set_holds_the_known_duplicates(real_data):
    from cxr_helpers import datasets

    table = datasets.load("covid19-image-dataset", real_data)
    found = duplicates.pairs(table, progress=False)
    identical = found[found["kind"] == "identical"]
    crossing = found["split_a"] != found["split_b"]
    assert len(identical) == 10
    assert (crossing & (found["kind"] == "identical")).sum() == 6
    sides = found[crossing]
    leaked = set(sides["image_id_a"][sides["split_a"] == "test"]) | set(
        sides["image_id_b"][sides["split_b"] == "test"]
    )
    assert len(leaked) == 9
    grouped = duplicates.add_groups(table, found)
    assert grouped["group"].nunique() == 301
    assert (found["label_a"] == found["label_b"]).all()


# --- by hand --------------------------------------------------------------------------------------


def test_a_fingerprint_is_what_the_ranks_leave_of_each_neighbourhood():
    from scipy.stats import rankdata

    image = np.round(scene(3)[::2, ::2][:64, :64], 2)  # 64 pixels a side, with ties
    ranks = rankdata(image).reshape(64, 64)[4:60, 4:60] / 4096
    padded = np.pad(ranks, 4, mode="edge")
    local = ranks - [[padded[y : y + 9, x : x + 9].mean() for x in range(56)] for y in range(56)]
    found = duplicates.fingerprint(image)
    assert found.shape == (3136,)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, (local / np.sqrt((local**2).sum())).ravel(), atol=1e-6)
    np.testing.assert_allclose(
        duplicates.fingerprint(np.kron(image, np.ones((3, 2)))), found, atol=1e-6
    )


def test_no_image_has_no_fingerprint():
    table = pd.DataFrame({"image_id": [], "path": [], "sha256": [], "label": [], "split": []})
    assert duplicates.fingerprints(table, progress=False).shape == (0, 3136)
    found = duplicates.pairs(table, progress=False)
    assert found.empty
    assert list(found) == duplicates.PAIR_COLUMNS


def test_a_pair_counts_from_the_threshold_on_with_either_sign():
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [-0.6, -0.8]])
    at = {(0, 1): 0.6, (0, 3): -0.6, (1, 2): 0.8, (1, 3): -1, (2, 3): -0.8}
    for block in (1, 2, 3, 4, 5):
        found = duplicates.similar(vectors, 0.6, block)
        assert found.index.tolist() == list(range(5))
        ends = zip(found["a"], found["b"], strict=True)
        assert dict(zip(ends, found["similarity"], strict=True)) == pytest.approx(at)
    assert len(duplicates.similar(vectors, 0.601)) == 3
    none = duplicates.similar(vectors[:0], 0.6)
    assert none.empty
    assert list(none) == ["a", "b", "similarity"]


@pytest.mark.parametrize("threshold", [-0.5, 0, 1.01, 2])
def test_a_threshold_is_a_similarity(threshold):
    table = pd.DataFrame({"image_id": [], "path": [], "sha256": [], "label": [], "split": []})
    with pytest.raises(ValueError, match=r"threshold must lie in \(0, 1\], not"):
        duplicates.pairs(table, threshold=threshold, progress=False)
    assert duplicates.pairs(table, threshold=1, progress=False).empty


def hand_made(monkeypatch, vectors, names, hashes, **columns):
    """A manifest whose images have these fingerprints."""
    asked = []
    monkeypatch.setattr(
        duplicates, "fingerprints", lambda table, progress: asked.append(progress) or vectors
    )
    columns = {"label": "normal", "split": None, **columns}
    return pd.DataFrame({"image_id": list(names), "sha256": list(hashes)}).assign(**columns), asked


def test_pairs_are_sorted_by_strength_then_kind_then_names(monkeypatch):
    vectors = np.array([[1, 0], [1, 0], [-1, 0], [1, 0], [0.98765, np.sqrt(1 - 0.98765**2)]])
    table, asked = hand_made(
        monkeypatch, vectors, "zyxwv", "12324", label=list("abcde"), split=list("fghij")
    )
    found = duplicates.pairs(table.set_index(pd.Index(range(5, 10))))
    assert asked == [True]
    assert found.index.tolist() == list(range(10))
    ends = [f"{a}{b}" for a, b in zip(found["image_id_a"], found["image_id_b"], strict=True)]
    assert ends == ["yw", "xw", "yx", "zw", "zx", "zy", "wv", "xv", "yv", "zv"]
    assert found["kind"].tolist() == ["identical"] + ["near"] * 9
    assert found["similarity"].tolist() == [1, -1, -1, 1, -1, 1, 0.9876, -0.9876, 0.9876, 0.9876]
    first = found.iloc[0][["label_a", "label_b", "split_a", "split_b"]]
    assert first.tolist() == ["b", "d", "g", "i"]
    assert duplicates.pairs(table.set_index("image_id", drop=False), progress=False).equals(found)
    assert asked == [True, False]


def test_identical_files_are_found_where_images_are_flat(monkeypatch):
    table, _ = hand_made(monkeypatch, np.zeros((5, 2)), "abcde", "17717")
    found = duplicates.pairs(table)
    ends = [f"{a}{b}" for a, b in zip(found["image_id_a"], found["image_id_b"], strict=True)]
    assert ends == ["ad", "bc", "be", "ce"]
    assert (found["kind"] == "identical").all()
    assert (found["similarity"] == 1).all()


def test_groups_are_found_with_the_threshold_that_is_asked_for(monkeypatch):
    vectors = np.array([[1, 0], [0.9, np.sqrt(1 - 0.81)], [0, 1]])
    table, _ = hand_made(monkeypatch, vectors, "abc", "123", patient=pd.NA)
    assert duplicates.add_groups(table)["group"].tolist() == ["a", "a", "c"]
    assert duplicates.add_groups(table, threshold=0.95)["group"].tolist() == ["a", "b", "c"]
    known = table.assign(patient=["p", None, "p"])
    assert duplicates.add_groups(known, threshold=0.95)["group"].tolist() == ["a", "b", "a"]
