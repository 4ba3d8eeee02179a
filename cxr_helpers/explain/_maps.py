"""Heat maps of a network's answer."""

import warnings

import numpy as np

from .. import pipeline
from ..console import bar
from ..rows import remember_as
from ._layers import answering, check, check_map, find_layer, logits, of_target, prepared, watched


def grad_cam(
    model, images: np.ndarray, target, layer: str | None = None, batch_size: int | None = None
) -> np.ndarray:
    """Grad-CAM: a layer's maps, weighed by the mean gradient of the class's logit.

    The gradient is that of the logit, not of the probability, which saturates. What lowers the
    logit is cut off (ReLU); the map is brought to the images' size by bilinear interpolation and is
    not normalised. The model is used as it is, in inference mode, and left as it was; do not use it
    in another thread meanwhile. Source: Selvaraju et al. 2017, doi 10.1109/ICCV.2017.74.

    Parameters
    ----------
    model : keras.Model
        Built of layers, also of models inside a model.
    images : ndarray
        Grey levels 0-255, (n, size, size).
    target : int or array_like of int
        The number of a class (one sigmoid unit: 1 is its class, 0 the other), or one for each
        image.
    layer : str, optional
        Its name; by default the last convolution whose map has more than one place, with the
        normalisation and activation behind it.
    batch_size : int, optional
        Images at a time, by default as `pipeline.inference_batch` says.

    Returns
    -------
    ndarray
        float32 (n, size, size), ≥ 0.

    Raises
    ------
    ValueError
        Where there is no such layer, the model is not built of layers, has several outputs or takes
        colour, or images or target do not fit.

    Warns
    -----
    UserWarning
        Of a layer whose maps are the same everywhere.
    """
    import tensorflow as tf

    targets = check(model, images, target)
    batch_size = batch_size or pipeline.inference_batch(images)
    chosen, size = find_layer(model, layer), images.shape[1:]
    heat, dead = np.zeros(images.shape, np.float32), len(images) > 0
    starts = range(0, len(images), batch_size)
    for start in bar(starts, desc="Grad-CAM", unit="batch"):
        part = slice(start, start + batch_size)
        with (
            tf.GradientTape(watch_accessed_variables=False) as tape,
            logits(model),
            watched(chosen, tape) as seen,
        ):
            score = of_target(model(prepared(images[part]), training=False), targets[part])
        # of image i by its own maps only: images do not mix
        gradient = tape.gradient(score, seen["maps"])
        if gradient is None:
            raise ValueError(
                f"the answer of {model.name} does not depend on {chosen.name!r}; choose another "
                "layer"
            )
        check_map(chosen, seen["maps"].shape[1] * seen["maps"].shape[2])
        weight = tf.reduce_mean(gradient, axis=(1, 2), keepdims=True)
        dead = dead and not np.ptp(seen["maps"].numpy(), axis=(1, 2)).any()
        small = tf.nn.relu(tf.reduce_sum(weight * seen["maps"], axis=-1, keepdims=True))
        heat[part] = tf.image.resize(small, size, method="bilinear")[..., 0].numpy()
    if not np.isfinite(heat).all():
        raise ValueError(
            f"{model.name} gives maps that are not finite (NaN): its training went wrong"
        )
    if dead and np.ptp(images, axis=(1, 2)).any():
        warnings.warn(
            f"the maps of {chosen.name!r} are the same everywhere in all {len(images)} images: "
            "the layer is dead (its ReLU gives 0 in every unit, perhaps), and Grad-CAM shows "
            "nothing",
            stacklevel=2,
        )
    return remember_as(heat, images)


def occlusion(
    model,
    images: np.ndarray,
    target,
    *,
    patch: int,
    stride: int,
    fill: float | None = None,
    batch_size: int = 256,
) -> np.ndarray:
    """Occlusion: how far the class's logit falls under a square; float32 (n, size, size), signed.

    A pixel gets the mean over all squares that cover it; above zero, what was there spoke for the
    class. It costs one answer for each place. Source: Zeiler and Fergus 2014, doi
    10.1007/978-3-319-10590-1_53.

    Parameters
    ----------
    model, images, target : keras.Model, ndarray, int or array_like of int
        As in `grad_cam`.
    patch : int
        Side of the square in pixels.
    stride : int
        From one place to the next in pixels, 1 to `patch`.
    fill : float, optional
        The grey level of the square, by default the mean of each image.
    batch_size : int
        Images at a time.

    Returns
    -------
    ndarray
        float32 (n, size, size), in logits.

    Raises
    ------
    ValueError
        Where images, target, patch or stride do not fit.
    """
    targets = check(model, images, target)
    height, width = images.shape[1:]
    if not 1 <= patch <= min(height, width) or not 1 <= stride <= patch:
        raise ValueError(
            f"patch must lie in 1 to {min(height, width)} and stride in 1 to patch, not {patch}, "
            f"{stride}"
        )
    places = [
        (top, left)
        for top in _starts(height, patch, stride)
        for left in _starts(width, patch, stride)
    ]
    fall, count = np.zeros(images.shape, np.float32), np.zeros((height, width), np.float32)
    grey = images.mean(axis=(1, 2)) if fill is None else np.full(len(images), fill)
    parts = [slice(start, start + batch_size) for start in range(0, len(images), batch_size)]
    with answering(model) as answer:
        whole = [answer(images[part], targets[part]) for part in parts]
        for top, left in bar(places, desc="occlusion", unit="place"):
            square = (slice(top, top + patch), slice(left, left + patch))
            count[square] += 1
            for part, before in zip(parts, whole, strict=True):
                covered = np.array(images[part], np.float32)
                covered[:, *square] = grey[part, None, None]
                fall[part, *square] += (before - answer(covered, targets[part]))[:, None, None]
    return remember_as(fall / count, images)


def _starts(side: int, patch: int, stride: int) -> list[int]:
    """Where the squares begin: the last one ends at the edge."""
    return sorted({*range(0, side - patch + 1, stride), side - patch})
