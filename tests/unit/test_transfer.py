import warnings

import numpy as np
import pandas as pd
import pytest

from cxr_helpers import evaluate, models, split, transfer

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (5, 64, 64), dtype=np.uint8)


@pytest.fixture(scope="module")
def backbone():
    import keras

    keras.utils.set_random_seed(0)
    return models.backbone("compact", ["block1", "block3"], size=64, weights=None)


def maps(backbone, images):
    return [np.asarray(m) for m in backbone(images[..., None].astype(np.float32), training=False)]


def test_features_are_the_mean_and_deviation_of_each_channel(backbone, images, tmp_path):
    found = transfer.features(
        images, backbone, pool=("mean", "std"), batch_size=2, folder=tmp_path, progress=False
    )
    first, last = maps(backbone, images)
    expected = [pool(m, axis=(1, 2)) for m in (first, last) for pool in (np.mean, np.std)]
    np.testing.assert_allclose(found, np.hstack(expected), atol=1e-5)
    assert found.dtype == np.float32


def test_mirrored_features_do_not_change_when_the_image_is_mirrored(backbone, images, tmp_path):
    options = {"mirrored": True, "folder": tmp_path, "progress": False}
    both = [transfer.features(part, backbone, **options) for part in (images, images[:, :, ::-1])]
    np.testing.assert_allclose(*both, atol=1e-6)
    plain = transfer.features(images, backbone, folder=tmp_path, progress=False)
    assert np.abs(both[0] - plain).max() > 1e-4


@pytest.mark.slow
def test_features_are_computed_once_and_anew_when_images_weights_or_settings_change(
    backbone, images, tmp_path, monkeypatch
):
    computed, compute = [], transfer._compute
    monkeypatch.setattr(transfer, "_compute", lambda *a: computed.append(1) or compute(*a))

    def get(pictures=images, network=backbone, **options):
        return transfer.features(pictures, network, folder=tmp_path, progress=False, **options)

    first = get()
    np.testing.assert_array_equal(get(), first)
    np.testing.assert_array_equal(get(np.array(images)), first)
    # other names, other weights
    twin = models.backbone("compact", ["block1", "block3"], size=64, weights=None)
    twin.set_weights(backbone.get_weights())
    np.testing.assert_array_equal(get(network=twin), first)
    assert len(computed) == 1
    changed = images.copy()
    changed[0, 0, 0] ^= 1
    get(changed)
    twin.set_weights([w + 0.01 for w in twin.get_weights()])
    get(network=twin)
    get(pool=("std",))
    get(mirrored=True)
    get(network=models.backbone("compact", "block3", size=64, weights=None))
    assert len(computed) == 6
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]


def saved(array):
    return lambda path: np.savez(path, features=array)


DAMAGE = {
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "one bit": lambda path: path.write_bytes(
        path.read_bytes()[:300] + b"\1" + path.read_bytes()[301:]
    ),
    "empty": lambda path: path.write_bytes(b""),
    "a web page": lambda path: path.write_bytes(b"<html>"),
    "another shape": saved(np.zeros((1, 9), np.float32)),
    "another type": saved(np.zeros((6, 9))),
    "a list of objects": saved(np.array([{}], object)),
    "another name": lambda path: np.savez(path, other=np.zeros((6, 9), np.float32)),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_features_are_computed_again_and_it_is_said(name, backbone, images, tmp_path):
    first = transfer.features(images, backbone, folder=tmp_path, progress=False)
    (place,) = tmp_path.glob("features-*.npz")
    DAMAGE[name](place)
    with pytest.warns(UserWarning, match="is damaged: its features are computed again"):
        again = transfer.features(images, backbone, folder=tmp_path, progress=False)
    np.testing.assert_array_equal(again, first)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(
            transfer.features(images, backbone, folder=tmp_path, progress=False), first
        )


def test_nothing_half_written_stays(backbone, images, tmp_path, monkeypatch):
    def fails(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(OSError, match="disk full"):
        transfer.features(images, backbone, folder=tmp_path, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_other_images_and_pools_are_refused(backbone, images):
    for wrong in (images.astype(np.float32), images[:, :32, :32], images[0]):
        with pytest.raises(ValueError, match="uint8"):
            transfer.features(wrong, backbone)
    with pytest.raises(ValueError, match="pool"):
        transfer.features(images, backbone, pool=("max",))


@pytest.mark.slow
def test_stage_features_are_those_of_each_cut(images, tmp_path):
    import keras

    keras.utils.set_random_seed(0)
    path = tmp_path / "m.weights.h5"
    models.compact(3, 64).save_weights(path)
    options = {"folder": tmp_path, "progress": False}
    found = transfer.stage_features(images, "compact", weights=path, **options)
    assert {stage: f.shape for stage, f in found.items()} == {
        **{"block1": (5, 16), "block2": (5, 32), "block3": (5, 64), "block4": (5, 96)}
    }
    alone = transfer.features(
        images, models.backbone("compact", "block3", size=64, weights=path), **options
    )
    np.testing.assert_allclose(found["block3"], alone, atol=1e-6)
    both = transfer.stage_features(
        images, "compact", ["block2"], weights=path, pool=("mean", "std"), **options
    )
    assert both["block2"].shape == (5, 64)


def data(n=120, seed=0, per_patient=2):
    """A table of three classes whose features "good" tell the class, and "noise" do not."""
    rng = np.random.default_rng(seed)
    classes = ("normal", "covid", "viral")
    patient = np.arange(n) // per_patient
    label = patient % 3
    table = pd.DataFrame({"image_id": [f"i{k:03d}" for k in range(n)]})
    table["label"] = pd.Categorical.from_codes(label, classes)
    table["group"] = table["patient"] = [f"p{p:03d}" for p in patient]
    table = table.assign(source="here", sha256=table["image_id"], fold=pd.NA, split=pd.NA)
    good = rng.normal(0, 1, (n, 4)) + 3 * np.eye(4)[label]
    return table, {"noise": rng.normal(0, 1, (n, 30)), "good": good * [1, 100, 1, 1]}


@pytest.mark.slow
def test_the_telling_features_are_chosen_inside_the_training_part():
    table, candidates = data()
    predictions = transfer.logistic(split.folds(table, 4), candidates, folds=True)
    assert predictions["image_id"].tolist() == table["image_id"].tolist()
    assert predictions["chosen"].str.startswith("good, C = ").all()
    assert predictions["chosen"].groupby(predictions["fold"]).nunique().eq(1).all()
    assert evaluate.metric(predictions, "accuracy").value > 0.9
    assert (predictions["seconds"] > 0).all()


def test_the_scored_images_take_no_part_in_fitting_or_choosing():
    table, candidates = data()
    table = split.holdout(table, 0.3, 0)
    test = (table["split"] == "test").to_numpy()
    first = transfer.logistic(table, candidates)
    spoilt = {
        name: np.where(test[:, None], 1e3 * values[::-1], values)
        for name, values in candidates.items()
    }
    labels = table["label"].astype(object).to_numpy(copy=True)
    labels[test] = np.roll(labels[test], 1)
    other = table.assign(label=pd.Categorical(labels, categories=table["label"].cat.categories))
    relabelled = transfer.logistic(other, candidates)
    columns = ["p_normal", "p_covid", "p_viral"]
    np.testing.assert_allclose(relabelled[columns], first[columns])
    assert (transfer.logistic(table, spoilt)["chosen"] == first["chosen"]).all()


@pytest.mark.slow
def test_patients_stay_together_in_the_inner_folds(monkeypatch):
    """Features that only tell the patient must look useless.

    They would not if a patient stood on both sides.
    """
    table, candidates = data(per_patient=4)
    identity = np.eye(30)[[int(p[1:]) for p in table["patient"]]]
    predictions = transfer.logistic(
        split.folds(table, 3), {"identity": 5 * identity, **candidates}, folds=True
    )
    assert predictions["chosen"].str.startswith("good").all()
    alone = transfer.logistic(split.folds(table, 3), identity, folds=True)
    assert evaluate.metric(alone, "accuracy").value < 0.6


def test_several_candidates_may_be_averaged():
    table, candidates = data()
    table = split.holdout(table, 0.3, 0)
    single = [transfer.logistic(table, candidates[name], c=0.01) for name in candidates]
    both = transfer.logistic(table, candidates, c=0.01, best=2)
    columns = ["p_normal", "p_covid", "p_viral"]
    np.testing.assert_allclose(both[columns], np.mean([s[columns] for s in single], axis=0))
    assert both["chosen"].iloc[0] == "good, C = 0.01; noise, C = 0.01"


def test_more_columns_than_rows_give_the_same_solution():
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table, candidates = data()
    wide = np.hstack([candidates["good"], np.random.default_rng(1).normal(size=(len(table), 400))])
    table = split.holdout(table, 0.3, 0)
    train, test = (table["split"] == "train").to_numpy(), (table["split"] == "test").to_numpy()
    plain = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, tol=1e-8, max_iter=10_000))
    expected = plain.fit(wide[train], table["label"].cat.codes[train]).predict_proba(wide[test])
    found = transfer.logistic(table, wide, c=0.01)[["p_normal", "p_covid", "p_viral"]]
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_columns_are_standardised():
    table, candidates = data()
    table = split.holdout(table, 0.3, 0)
    first, scaled = (
        transfer.logistic(table, f, c=0.1)
        for f in (candidates["good"], 1e4 * candidates["good"] + 7)
    )
    np.testing.assert_allclose(first["p_covid"], scaled["p_covid"], atol=1e-6)


def test_rows_that_do_not_fit_and_missing_splits_are_said():
    table, candidates = data()
    with pytest.raises(ValueError, match="very table"):
        transfer.logistic(split.holdout(table), candidates["good"][:-1])
    with pytest.raises(ValueError, match=r"split\.holdout"):
        transfer.logistic(table, candidates)
    with pytest.raises(ValueError, match=r"split\.folds"):
        transfer.logistic(table, candidates, folds=True)
    with pytest.raises(ValueError, match="to score"):
        transfer.logistic(split.holdout(table, test=0), candidates)
    leaky = table.assign(fold=pd.array(np.arange(len(table)) % 2, dtype="Int64"))
    with pytest.raises(split.LeakError):
        transfer.logistic(leaky, candidates, folds=True)


def test_a_kernel_bends_the_line_where_a_straight_one_cannot_separate():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(160, 2))
    labels = pd.Categorical(
        np.where(np.hypot(*points.T) < 1.1, "normal", "covid"), categories=["normal", "covid"]
    )
    table = pd.DataFrame({"image_id": [f"i{k}" for k in range(160)], "label": labels})
    table = table.assign(group=table["image_id"], patient=table["image_id"], source="x", fold=pd.NA)
    parts = np.where(np.arange(160) < 120, "train", "test")
    table["split"] = pd.Categorical(parts, categories=split.SPLITS)
    right = {}
    for kernel in (False, True):
        found = transfer.logistic(table, points, kernel=kernel, inner=3)
        right[kernel] = (found["predicted"].astype(str) == found["label"].astype(str)).mean()
    assert right[True] >= 0.9 > right[False] + 0.1
