"""What lasts on a large set shows how far it has come: a bar that reaches its end, step by step."""

import sys
import warnings
import zipfile
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import tqdm

from cxr_helpers import (
    audit,
    baselines,
    datasets,
    deploy,
    duplicates,
    explain,
    fetch,
    split,
    train,
    transfer,
)
from cxr_helpers.console import bar, quiet

N, SIDE = 40, 32


class Seen(tqdm.tqdm):
    """A bar that notes what it was at its end."""

    ends: ClassVar[list["Seen"]] = []

    def close(self):
        # bars compare by their steps
        if not self.disable and not any(one is self for one in self.ends):
            self.ends.append(self)
        super().close()


@pytest.fixture
def bars(monkeypatch):
    """The bars that were closed, in order; each with its `desc`, steps `n` and `total`."""
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(tqdm, "tqdm", Seen)
    monkeypatch.setattr(Seen, "ends", [])
    return Seen.ends


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Twenty patients of two classes, two images each, in four folds."""
    names = [f"i{k:02}" for k in range(N)]
    made = pd.DataFrame({"image_id": names, "patient": [f"p{k // 2}" for k in range(N)]})
    made = made.assign(group=made["patient"], source="drawn", split="train", path="nowhere")
    made["label"] = pd.Categorical(np.resize(["covid", "covid", "normal", "normal"], N))
    return split.folds(made, k=4)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (N, SIDE, SIDE), dtype=np.uint8)


def test_folds_of_a_baseline_are_steps_and_one_part_is_no_bar(bars, table, images):
    baselines.logistic_regression(table, images, folds=True)
    assert [(one.desc, one.n, one.total) for one in bars] == [("logistic regression", 4, 4)]
    bars.clear()
    parts = table.assign(split=np.where(table["fold"] == 0, "test", "train"))
    baselines.logistic_regression(parts, images)
    assert not bars


@pytest.mark.parametrize(("c", "steps"), [(0.1, 4), ([0.1, 1], 4 * (2 * 3 + 1))])
def test_fits_of_a_search_are_steps(bars, table, c, steps):
    rng = np.random.default_rng(0)
    features = {"a": rng.random((N, 3)), "b": rng.random((N, 5))}
    given = features if isinstance(c, list) else features["a"]
    transfer.logistic(table, given, folds=True, c=c, inner=3, name="frozen")
    assert [(one.desc, one.n, one.total) for one in bars] == [("frozen", steps, steps)]


def test_folds_of_an_audit_are_steps(bars, table, images):
    audit.frame_baseline(table, images, k=4, trees=3)
    audit.order_gap(table, images, k=4)
    assert [(one.desc, one.n) for one in bars] == [
        ("frame", 4),
        ("folds at random", 4),
        ("consecutive folds", 4),
    ]


def test_blocks_of_a_comparison_are_steps(bars):
    duplicates.similar(np.eye(N), 0.9, block=8)
    assert [(one.n, one.total) for one in bars] == [(5, 5)]


def test_files_of_an_archive_are_steps(bars, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for k in range(6):
            archive.writestr(f"set/{k}.txt", "a" * k)
    fetch.extract(tmp_path / "set.zip", tmp_path / "set")
    assert [(one.desc, one.n, one.total) for one in bars] == [("unpacking", 6, 6)]


def test_files_that_kaggle_brought_are_steps(bars, tmp_path, monkeypatch):
    brought = tmp_path / "cached"
    (brought / "deep").mkdir(parents=True)
    for k in range(3):
        (brought / "deep" / f"{k}.png").write_bytes(b"x")
    fake = SimpleNamespace(dataset_download=lambda name: str(brought), exceptions=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "kagglehub", fake)
    made = datasets.download("covid19-image-dataset", tmp_path / "data")
    assert sorted(path.name for path in made.rglob("*.png")) == ["0.png", "1.png", "2.png"]
    assert [(one.desc, one.n) for one in bars] == [("copying", 3)]


def test_turns_of_a_timing_are_steps(bars):
    deploy.latency({"one": lambda image: image}, np.zeros((4, 4), np.uint8), repeats=5, warm=2)
    assert [(one.desc, one.n, one.total) for one in bars] == [("timing", 7, 7)]


@pytest.mark.tensorflow
def test_training_from_a_data_set_says_nothing(recwarn):
    with quiet():
        import keras
        import tensorflow as tf
    data = tf.data.Dataset.from_tensor_slices((np.zeros((4, 2)), np.zeros(4))).batch(2)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(data, verbose=0)
    assert not [str(each.message) for each in recwarn if "shuffle" in str(each.message)]


def test_what_a_reader_can_do_nothing_about_is_hidden_and_all_else_is_shown(recwarn):
    with quiet():
        pass
    warnings.warn("    Warning: tf.lite.Interpreter is deprecated and", UserWarning, stacklevel=1)
    warnings.warn("Training images are scored", UserWarning, stacklevel=1)
    assert [str(each.message) for each in recwarn] == ["Training images are scored"]


@pytest.mark.tensorflow
def test_a_conversion_to_whole_numbers_says_nothing(recwarn):
    with quiet():
        import keras
        import tensorflow as tf
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([np.zeros((1, 2), np.float32)] for _ in range(3))
    with quiet():
        converter.convert()
    assert not [str(each.message) for each in recwarn if "quantized" in str(each.message)]


@pytest.mark.tensorflow
def test_batches_and_places_are_steps(bars, table, images):
    import keras

    layers = [keras.Input((SIDE, SIDE, 1)), keras.layers.Conv2D(2, 3, activation="relu")]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2, "softmax")]
    model = train.name_classes(keras.Sequential(layers, name="net"), ["covid", "normal"])
    train.predict(model, table, images, batch_size=16)
    explain.grad_cam(model, images, target=1, batch_size=10)
    explain.occlusion(model, images[:2], target=1, patch=16, stride=8)
    assert [(one.desc, one.n, one.total) for one in bars] == [
        ("net", 3, 3),
        ("Grad-CAM", 4, 4),
        ("occlusion", 9, 9),
    ]


def test_a_bar_appears_after_two_seconds_on_standard_error_and_goes(capsys):
    assert list(bar(range(3))) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")
    list(bar(range(3), delay=0, desc="drawn"))
    shown = capsys.readouterr()
    assert "drawn" in shown.err
    assert shown.err.endswith("\r")
    assert not shown.out


def test_in_a_notebook_a_bar_is_one_output_that_is_empty_in_the_end(capsys, monkeypatch):
    shown = []

    class Output:
        def update(self, data, raw):
            shown.append(data)

    def display(data, raw, display_id):
        assert not shown, "there is one output"
        shown.append(data)
        return Output()

    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=True))
    monkeypatch.setattr("IPython.display.display", display)
    list(bar(range(3), desc="hidden"))
    assert not shown
    list(bar(range(3), delay=0, mininterval=0, desc="drawn"))
    texts = [data["text/plain"] for data in shown]
    assert "drawn" in texts[0]
    assert any("2/3" in text for text in texts)
    assert not texts[-1]
    assert capsys.readouterr() == ("", "")
