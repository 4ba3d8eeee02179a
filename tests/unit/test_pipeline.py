from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cxr_helpers import pipeline
from cxr_helpers.pipeline import Augmentation

pytestmark = pytest.mark.tensorflow
STILL = Augmentation(zoom=0, shift=0, rotation=0, contrast=0)


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 16, 16), dtype=np.uint8)
    label = pd.Categorical(
        np.resize(["normal", "covid", "viral"], 50), categories=["normal", "covid", "viral"]
    )
    table = pd.DataFrame(
        {"label": label, "split": np.repeat(["train", "val", "test"], [30, 10, 10])}
    )
    return table, images


def collect(dataset):
    grey, labels = zip(*[(g.numpy(), y.numpy()) for g, y in dataset], strict=True)
    return np.concatenate(grey), np.concatenate(labels)


def test_grey_levels_and_labels_arrive_in_order_and_unscaled(data):
    table, images = data
    grey, labels = collect(pipeline.batches(table, images, "test", batch_size=4))
    assert grey.dtype == np.float32
    assert grey.shape == (10, 16, 16, 1)
    np.testing.assert_array_equal(grey[..., 0], images[40:])
    np.testing.assert_array_equal(labels, table["label"].cat.codes[40:])


def test_train_is_shuffled_anew_each_epoch_and_the_same_for_a_seed(data):
    table, images = data
    first = pipeline.batches(table, images, "train", seed=5)
    epochs = [collect(first)[1].tolist() for _ in range(2)]
    again = pipeline.batches(table, images, "train", seed=5)
    assert [collect(again)[1].tolist() for _ in range(2)] == epochs
    assert epochs[0] != epochs[1]
    assert sorted(epochs[0]) == sorted(epochs[1])


def test_one_hot(data):
    table, images = data
    _, labels = collect(pipeline.batches(table, images, "val", one_hot=True))
    np.testing.assert_array_equal(labels.argmax(1), table["label"].cat.codes[30:40])
    assert labels.shape == (10, 3)


@pytest.mark.parametrize("part", ["val", "test", None])
def test_augmentation_is_refused_outside_train(data, part):
    with pytest.raises(ValueError, match="train split only"):
        pipeline.batches(*data, part, augment=Augmentation())


def test_no_change_is_no_change(data):
    table, images = data
    grey, _ = collect(pipeline.batches(table, images, "train", shuffle=False, augment=STILL))
    np.testing.assert_array_equal(grey[..., 0], images[:30])


def test_augmentation_differs_between_images_and_epochs_but_not_between_runs(data):
    table, images = data

    def make():
        return pipeline.batches(
            table, images, "train", shuffle=False, augment=Augmentation(), seed=1
        )

    dataset = make()
    first, second = collect(dataset)[0], collect(dataset)[0]
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(collect(make())[0], first)
    assert first.min() >= 0
    assert first.max() <= 255


def warp(image, cosine=1.0, sine=0.0, mirror=1.0, right=0.0, down=0.0, gain=1.0, offset=0.0):
    import tensorflow as tf

    change = tf.constant([[cosine, sine, mirror, right, down]])
    padded = np.pad(image, ((1, 2), (1, 2)))[None]
    return pipeline._compiled(pipeline._warp)(
        padded, change, tf.constant([gain]), tf.constant([offset]), 1
    )[0].numpy()


def test_each_change_does_what_its_name_says():
    image = np.zeros((32, 32), np.uint8)
    image[8:12, 20:26] = 200
    np.testing.assert_array_equal(warp(image, mirror=-1.0), image[:, ::-1])
    np.testing.assert_array_equal(warp(image, right=3.0)[:, :-3], image[:, 3:])
    np.testing.assert_array_equal(warp(image, down=2.0)[:-2], image[2:])
    np.testing.assert_allclose(warp(image, cosine=0.0, sine=1.0), np.rot90(image), atol=0.1)
    np.testing.assert_allclose(warp(image, gain=1.1)[9, 22], (200 - 127.5) * 1.1 + 127.5, rtol=1e-5)
    np.testing.assert_allclose(warp(image, offset=20.0)[9, 22], 220)
    middle = np.zeros((32, 32), np.uint8)
    middle[12:20, 12:20] = 200
    # zoomed in by two
    assert (warp(middle, cosine=0.5) > 100).sum() == pytest.approx(4 * 64, rel=0.1)


def test_shift_by_half_a_pixel_is_the_mean_of_two():
    image = np.arange(64, dtype=np.uint8).reshape(8, 8)
    np.testing.assert_allclose(warp(image, right=0.5)[:, :-1], image[:, :-1] + 0.5)


@pytest.mark.parametrize("side", [16, 15])
def test_a_grain_of_two_gives_each_block_its_mean(data, side):
    table, images = data
    images = np.ascontiguousarray(images[:, :side, :side])
    augment = replace(STILL, grain=2)
    grey, _ = collect(pipeline.batches(table, images, "train", shuffle=False, augment=augment))
    assert grey.shape == (30, side, side, 1)
    even = side - side % 2
    blocks = images[:30, :even, :even].reshape(30, even // 2, 2, even // 2, 2)
    means = blocks.mean(axis=(2, 4)).repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(grey[:, :even, :even, 0], means, atol=1e-3)


def test_flip_only_when_asked(data):
    table, images = data
    flipped, _ = collect(
        pipeline.batches(
            table, images, "train", shuffle=False, augment=Augmentation(0, 0, 0, 0, flip=True)
        )
    )
    same = np.array([(a[..., 0] == b).all() for a, b in zip(flipped, images, strict=False)])
    mirrored = np.array(
        [(a[..., 0] == b[:, ::-1]).all() for a, b in zip(flipped, images, strict=False)]
    )
    assert (same ^ mirrored).all()
    assert 5 <= mirrored.sum() <= 25


def test_what_does_not_fit_is_said(data):
    table, images = data
    with pytest.raises(ValueError, match="50 rows but there are 40"):
        pipeline.batches(table, images[:40], "train")
    with pytest.raises(ValueError, match="no image in split 'val'"):
        pipeline.batches(table.assign(split="train"), images, "val")


def test_as_many_pixels_at_a_time_whatever_the_size():
    sizes = {
        size: pipeline.inference_batch(np.zeros((0, size, size), np.uint8))
        for size in (64, 224, 320)
    }
    assert sizes == {64: 392, 224: 32, 320: 32}
