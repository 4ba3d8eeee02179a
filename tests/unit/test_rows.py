"""What is paired by position belongs together, or is refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from cxr_helpers import audit, baselines, manifest, pipeline, preprocess, train, transfer

SIZE = 16


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A manifest of two classes with its cache: 24 images, one group each."""
    root = tmp_path_factory.mktemp("set")
    rng = np.random.default_rng(0)
    for number in range(24):
        path = root / "in" / ("covid", "normal")[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 20), dtype=np.uint8)).save(path)
    table = manifest.from_folder(root / "in", progress=False).table
    table["group"] = table["image_id"]
    table["split"] = np.resize(["train", "test"], 24)
    return table, preprocess.cache(table, SIZE, folder=root / "cache", progress=False), root


CHANGES = {  # what is done to the table after the images were made; None: nothing that matters
    "shuffled": lambda t: t.sample(frac=1, random_state=1),
    "shuffled, index reset": lambda t: t.sample(frac=1, random_state=1).reset_index(drop=True),
    "sorted by hash": lambda t: t.sort_values("sha256"),
    "reversed": lambda t: t[::-1],
    "two rows exchanged": lambda t: t.iloc[[1, 0, *range(2, 24)]],
    "moved by one": lambda t: t.iloc[np.roll(np.arange(24), 1)],
    "one row twice, one lost": lambda t: t.iloc[[0, 0, *range(2, 24)]],
    "halves exchanged": lambda t: pd.concat([t[12:], t[:12]]),
    "drawn with repetition": lambda t: t.sample(frac=1, replace=True, random_state=0),
    "sorted by label, then by hash": lambda t: t.sort_values(
        ["label", "sha256"], ignore_index=True
    ),
    "one row less": lambda t: t[1:],
}
HARMLESS = {
    "as it was": lambda t: t,
    "another index": lambda t: t.set_index(t.index + 100),
    "other names": lambda t: t.assign(image_id="mine/" + t["image_id"]),
    "other files of the same names": lambda t: t.assign(sha256="0" * 64),
    "other labels": lambda t: t.assign(
        label=t["label"].cat.reorder_categories(t["label"].cat.categories[::-1])
    ),
}
COPIES = {  # the same content in other arrays
    "mapped": lambda a: a,
    "copied": np.array,
    "put together": lambda a: np.concatenate([a[:10], a[10:]]),
    "stacked": lambda a: np.stack(list(a)),
}
USES = {
    "batches": lambda t, a: pipeline.batches(t, a, "train"),
    "pixels": lambda t, a: baselines.nearest_neighbour(t, a),
    "frame": lambda t, a: audit.frame_baseline(t, a, width=2, trees=2),
    "features": lambda t, a: transfer.logistic(t, as_features(a), c=1),
}


def as_features(images):
    from cxr_helpers.rows import remember_as

    return remember_as(images.reshape(len(images), -1).astype(np.float32), images)


@pytest.mark.tensorflow
@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_table_in_another_order_than_the_images_is_refused(made, change, use):
    table, images, _ = made
    with pytest.raises(ValueError, match=r"belong together|rows but there are"):
        USES[use](CHANGES[change](table), images)


@pytest.mark.tensorflow
@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_of_the_images_is_known_too(made, change, copy):
    table, images, _ = made
    with pytest.raises(ValueError, match=r"belong together|rows but there are"):
        pipeline.batches(CHANGES[change](table), COPIES[copy](images))


@pytest.mark.tensorflow
@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("change", HARMLESS)
def test_what_belongs_together_is_taken(made, change, copy):
    table, images, _ = made
    pipeline.batches(HARMLESS[change](table), COPIES[copy](images))
    chosen = np.arange(24) % 3 == 0
    pipeline.batches(HARMLESS[change](table)[chosen], COPIES[copy](images)[chosen])


@pytest.mark.tensorflow
def test_changed_images_pass_and_the_fault_is_named(made):
    table, images, _ = made
    pipeline.batches(table[::-1], 255 - images)
    pipeline.batches(table[::-1], images[:, ::-1])
    with pytest.raises(
        ValueError,
        match=r"24 of 24 rows differ, the first is row 0, normal/23.png in the table and",
    ):
        pipeline.batches(table[::-1], images)


@pytest.mark.tensorflow
def test_only_the_rows_that_are_used_must_fit(made):
    table, images, _ = made
    test = np.flatnonzero(table["split"] == "test")
    order = np.arange(24)
    order[test] = test[::-1]
    pipeline.batches(table.iloc[order], images, "train")
    with pytest.raises(ValueError, match="12 of 12 rows differ"):
        pipeline.batches(table.iloc[order], images, "test")


@pytest.mark.tensorflow
def test_a_finished_cache_is_known_again(made, monkeypatch):
    table, images, root = made
    monkeypatch.setattr("cxr_helpers.rows._MADE_FROM", {})  # as in another process
    pipeline.batches(table[::-1], images)
    preprocess.cache(table, SIZE, folder=root / "cache", progress=False)
    with pytest.raises(ValueError, match="belong together"):
        pipeline.batches(table[::-1], images)


# --- the order of the classes ---------------------------------------------------------------------


def network(units=1, activation="sigmoid"):
    import keras

    layers = [
        keras.Input((SIZE, SIZE, 1)),
        keras.layers.Flatten(),
        keras.layers.Dense(units, activation),
    ]
    return keras.Sequential(layers, name="net")


def with_classes(table, names):
    return table.assign(label=pd.Categorical(table["label"].astype(str), names))


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("own", "asked"),
    [
        (("normal", "covid"), ("covid", "normal")),
        (("normal", "covid"), ("normal", "covid", "viral")),
        (("normal", "covid"), ("viral", "normal", "covid")),
        (("normal", "covid", "viral"), ("normal", "viral", "covid")),
        (("other", "covid"), ("normal", "covid")),
        (("0", "1"), ("normal", "covid")),
    ],
)
def test_other_classes_than_the_models_own_are_refused(made, own, asked):
    table, images, _ = made
    model = network(1 if len(own) == 2 else 3, "sigmoid" if len(own) == 2 else "softmax")
    train.name_classes(model, own)
    with pytest.raises(
        ValueError, match=f"answers for the classes {', '.join(own)}, in this order"
    ):
        train.predict(model, with_classes(table, asked), images)


@pytest.mark.tensorflow
def test_fit_names_the_classes(made):
    table, images, _ = made
    from cxr_helpers.models import Recipe

    recipe = Recipe("net", lambda n_classes, size: network(), epochs=1, batch_size=8)
    model = train.fit(recipe, table, images, progress=False).model
    names = tuple(table["label"].cat.categories)
    assert train.class_names(model) == names
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train.predict(model, table, images, split="test")
    with pytest.raises(ValueError, match="another name"):
        train.predict(model, with_classes(table, names[::-1]), images)


@pytest.mark.tensorflow
def test_what_is_assumed_of_a_foreign_model_is_said(made):
    table, images, _ = made
    with pytest.warns(UserWarning, match="assumed, in this order: normal, covid") as said:
        train.predict(network(), table, images)
    assert said[0].filename == __file__
