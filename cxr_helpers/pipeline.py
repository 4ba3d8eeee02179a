"""From the cache to `tf.data` batches of grey levels, with augmentation for the training part only.

Batches are gathered from the memory-mapped cache by row number, so memory stays flat.
Networks scale their input in their first layer; nothing is scaled here.
"""

import functools
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .rows import check_rows

# as Keras comes
KERAS = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}


@dataclass(frozen=True)
class Augmentation:
    """How far a training image may change at random; each is a claim that the label stays.

    `zoom`, `shift`: largest change as a share of the side; `rotation`: largest angle in degrees;
    `contrast`: largest relative change about mid grey; `brightness`: largest change as a share
    of the grey range; `flip`: mirror half of the images, which claims that left and right do
    not matter, hence off by default. Each is drawn uniformly.

    `grain`: side of the blocks of pixels that are sampled once, at their middle, which is quicker:
    2 suits a network that begins by averaging such blocks.
    """

    zoom: float = 0.1
    shift: float = 0.05
    rotation: float = 5.0
    contrast: float = 0.1
    brightness: float = 0.0
    flip: bool = False
    grain: int = 1


def batches(
    table: pd.DataFrame,
    images: np.ndarray,
    split: str | None = None,
    *,
    batch_size: int = 32,
    augment: Augmentation | None = None,
    shuffle: bool | None = None,
    seed: int = 0,
    one_hot: bool = False,
):
    """Batches of one part of a split: `tf.data.Dataset` of images and labels.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    images : ndarray
        uint8 (n, size, size), row i for row i of the table.
    split : str, optional
        `train`, `val` or `test`; by default all rows.
    batch_size : int
        Images in a batch; the last one may hold fewer.
    augment : Augmentation, optional
        On `train` only: asking for it elsewhere is an error.
    shuffle : bool, optional
        Anew each epoch; by default on `train` only.
    seed : int
        Of shuffling and augmentation.
    one_hot : bool
        Whether labels are float32 (b, classes) instead of numbers.

    Returns
    -------
    tf.data.Dataset
        Images are float32 (b, size, size, 1) in 0-255; labels int32 (b,), numbered in the order of
        the table's label categories.

    Raises
    ------
    ValueError
        Where table and images do not match in number or order, the part is empty, a label is
        missing, or augmentation is asked for outside `train`.
    RuntimeError
        As `check_keras` does.
    """
    import tensorflow as tf

    check_keras()
    if augment is not None and split != "train":
        raise ValueError(
            f"augmentation is for the train split only, not for {split!r}: it would change what is "
            "scored"
        )
    rows = _rows(table, images, split)
    codes = table["label"].cat.codes.to_numpy(np.int32)
    dataset = tf.data.Dataset.from_tensor_slices(rows)
    if split == "train" if shuffle is None else shuffle:
        dataset = dataset.shuffle(len(rows), seed=seed, reshuffle_each_iteration=True)
    dataset = dataset.batch(batch_size)
    random = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).batch(2)
    load = functools.partial(
        _load, images=images, codes=codes, depth=len(table["label"].cat.categories) * one_hot
    )
    change: Callable[..., Any] = functools.partial(_augment, settings=augment) if augment else _cast
    dataset = tf.data.Dataset.zip(dataset, random)
    # AutoGraph would rewrite it, which nothing here needs and takes a second.
    step = tf.autograph.experimental.do_not_convert(lambda row, key: change(*load(row), key))
    dataset = dataset.map(step, num_parallel_calls=tf.data.AUTOTUNE)
    return dataset.prefetch(tf.data.AUTOTUNE)


def check_keras() -> None:
    """Refuse a Keras that is not set as the course's: other backend, data format or number type.

    The file `~/.keras/keras.json` sets them for every project of a user.

    Raises
    ------
    RuntimeError
        With the remedy.
    """
    import keras

    found = {
        "backend": keras.config.backend(),
        "image_data_format": keras.config.image_data_format(),
        "floatx": keras.config.floatx(),
    }
    other = {name: value for name, value in found.items() if value != KERAS[name]}
    if other:
        said = ", ".join(
            f"{name} is {value!r} and not {KERAS[name]!r}" for name, value in other.items()
        )
        place = os.environ.get("KERAS_HOME") or "~/.keras"
        raise RuntimeError(
            f"Keras is set otherwise than this course needs: {said}. Change it in "
            f"{place}/keras.json (and see whether the variable KERAS_BACKEND is set), then start "
            "Python, or the notebook's kernel, again"
        )


def inference_batch(images: np.ndarray) -> int:
    """How many images to answer at a time: 32 of 224 pixels, more of smaller ones.

    As many as have the pixels of those 32, and 32 at least. Each call of a network has a fixed
    cost, which is most of it where the images are few and small.

    Parameters
    ----------
    images : ndarray
        (n, height, width).

    Returns
    -------
    int
        32 or more.

    Examples
    --------
    >>> inference_batch(np.zeros((1, 224, 224))), inference_batch(np.zeros((1, 112, 112)))
    (32, 128)
    """
    return max(32, 32 * 224**2 // (images.shape[1] * images.shape[2]))


def _rows(table: pd.DataFrame, images: np.ndarray, split: str | None) -> np.ndarray:
    """Row numbers of one part of the split, checked."""
    chosen = (
        np.ones(len(table), bool) if split is None else (table["split"] == split).to_numpy(bool)
    )
    if not chosen.any():
        raise ValueError(
            f"no image in split {split!r}; call split.holdout(table) first, or check the column "
            "`split`"
        )
    if table.loc[chosen, "label"].isna().any():
        raise ValueError("images without a label cannot be batched with labels; drop them first")
    rows = np.flatnonzero(chosen)
    check_rows(table, images, chosen=rows)
    return rows


def _load(rows, images: np.ndarray, codes: np.ndarray, depth: int):
    """Grey levels and labels of some rows."""
    import tensorflow as tf

    grey, label = tf.numpy_function(
        lambda r: (images[r], codes[r]), [rows], [tf.uint8, tf.int32], stateful=False
    )
    grey.set_shape((None, *images.shape[1:]))
    label.set_shape((None,))
    return grey, tf.one_hot(label, depth) if depth else label


def _cast(grey, label, _):
    import tensorflow as tf

    return tf.cast(grey, tf.float32)[..., tf.newaxis], label


def _augment(grey, label, key, settings: Augmentation):
    """Random changes of a batch, the same for the same `key`."""
    import tensorflow as tf

    u = tf.random.stateless_uniform((tf.shape(grey)[0], 7), key, -1.0, 1.0)
    angle = u[:, 0] * settings.rotation * math.pi / 180
    scale = 1 + u[:, 1] * settings.zoom
    mirror = tf.where(u[:, 2] < 0, -1.0, 1.0) if settings.flip else tf.ones_like(scale)
    shift = u[:, 3:5] * settings.shift * grey.shape[1]
    change = tf.stack(
        [scale * tf.cos(angle), scale * tf.sin(angle), mirror, shift[:, 0], shift[:, 1]], 1
    )
    gain, offset = 1 + u[:, 5] * settings.contrast, 255 * u[:, 6] * settings.brightness
    # one black pixel before, two behind
    size, padded = grey.shape[1], tf.pad(grey, [[0, 0], [1, 2], [1, 2]])
    warped = _compiled(_warp)(padded, change, gain, offset, settings.grain)
    if settings.grain > 1:
        warped = _compiled(_enlarged)(warped, settings.grain, size)
    return warped[..., tf.newaxis], label


@functools.cache
def _compiled(function):
    """A function compiled to one loop over the pixels, which is what makes it fast."""
    import tensorflow as tf

    return tf.function(function, jit_compile=True, autograph=False)


def _enlarged(blocks, grain: int, size: int):
    """Each number as a block of `grain` x `grain` equal ones, (b, size, size)."""
    import tensorflow as tf

    side = tf.range(size) // grain
    return tf.gather(tf.gather(blocks, side, axis=1), side, axis=2)


def _warp(padded, change, gain, offset, grain: int):
    """Zoom, rotation, mirror and shift about the centre (bilinear), then contrast and brightness.

    `padded` uint8 (b, s + 3, s + 3), with a black pixel before and two behind; `change` (b, 5):
    scaled cosine, scaled sine, mirror, shift in x and y in pixels; what comes from outside is
    black. Returns float32 in 0-255: (b, s, s), or one number for each block of `grain` x `grain`
    pixels.
    """
    import tensorflow as tf

    count, width = tf.shape(padded)[0], padded.shape[1]
    size, flat = width - 3, tf.reshape(padded, [-1])
    cosine, sine, mirror, right, down = (change[:, i, tf.newaxis, tf.newaxis] for i in range(5))
    centred = tf.range((grain - 1) / 2, size, grain, tf.float32) - (size - 1) / 2
    across, along = centred[tf.newaxis, tf.newaxis, :], centred[tf.newaxis, :, tf.newaxis]
    middle = (size - 1) / 2 + 1
    x = tf.clip_by_value(
        mirror * (cosine * across - sine * along) + right + middle, 0.0, size + 1.0
    )
    y = tf.clip_by_value(sine * across + cosine * along + down + middle, 0.0, size + 1.0)
    left, top = tf.floor(x), tf.floor(y)
    corner = tf.cast(top, tf.int32) * width + tf.cast(left, tf.int32)
    corner += tf.range(count)[:, tf.newaxis, tf.newaxis] * width**2
    a, b, c, d = (
        tf.cast(tf.gather(flat, corner + step), tf.float32) for step in (0, 1, width, width + 1)
    )
    upper, lower = a + (b - a) * (x - left), c + (d - c) * (x - left)
    value = upper + (lower - upper) * (y - top)
    gain, offset = gain[:, tf.newaxis, tf.newaxis], offset[:, tf.newaxis, tf.newaxis]
    return tf.clip_by_value((value - 127.5) * gain + 127.5 + offset, 0.0, 255.0)
