"""The layers of a network, whether nested or not, and its answer before the last activation."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from .. import pipeline
from ..models.answers import last_activation, leaves, output_units


def is_map(layer) -> bool:
    """Whether what the layer gives is a map: (batch, height, width, channels)."""
    return len(getattr(getattr(layer, "output", None), "shape", ())) == 4


def places(layer) -> int | None:
    """How many places the map of a layer has; None where that depends on the images."""
    height, width = layer.output.shape[1:3]
    return None if height is None or width is None else height * width


def find_layer(model, name: str | None = None):
    """The layer whose maps Grad-CAM weighs: by name, or the last with maps of the right size.

    The right size is that of the last convolution's maps.

    A map of one place, such as behind a global pooling or in squeeze and excitation, cannot show
    where, and is passed over. What follows the convolution without a change of size (batch
    normalisation, ReLU, an addition) belongs to it. Raises ValueError where there is no such layer.
    """
    import keras

    kinds = [
        getattr(keras.layers, kind) for kind in ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
    ]
    layers = leaves(model)
    if name is not None:
        maps = {layer.name: layer for layer in layers if is_map(layer)}
        if name not in maps:
            raise ValueError(
                f"{model.name} has no layer {name!r} that gives a map; these do: {', '.join(maps)}"
            )
        check_map(maps[name], places(maps[name]))
        return maps[name]
    found = [
        k for k, layer in enumerate(layers) if isinstance(layer, tuple(kinds)) and is_map(layer)
    ]
    found = [k for k in found if places(layers[k]) != 1]
    if not found:
        raise ValueError(
            f"{model.name} has no convolution whose maps could be weighed, of more than one place, "
            "so there is no Grad-CAM of it; explain.occlusion needs none"
        )
    last = layers[found[-1]]
    side = last.output.shape[1:3]
    for layer in layers[found[-1] + 1 :]:
        if not is_map(layer) or layer.output.shape[1:3] != side:
            break
        last = layer
    check_map(last, places(last))
    return last


def check_map(layer, n_places: int | None) -> None:
    """Refuse a map of one place, or with its channels first. Raises ValueError."""
    if n_places == 1:
        raise ValueError(
            f"the map of {layer.name!r} has one place only and cannot show where; choose an "
            "earlier layer"
        )
    if getattr(layer, "data_format", None) == "channels_first":
        raise ValueError(
            f"{layer.name!r} has its channels first; maps (n, height, width, channels) are needed"
        )


@contextmanager
def _swapped(layer, name: str, value) -> Iterator[None]:
    """Inside the block, an attribute of a layer has another value."""
    own, kept = name in vars(layer), getattr(layer, name)
    setattr(layer, name, value)
    try:
        yield
    finally:
        if own:
            setattr(layer, name, kept)
        else:
            delattr(layer, name)


@contextmanager
def logits(model) -> Iterator[None]:
    """Inside the block the model answers in logits: its last softmax or sigmoid is left out."""
    last, found = last_activation(model)
    if found == "linear":  # these are logits
        yield
        return
    if found not in ("softmax", "sigmoid"):
        raise ValueError(
            f"{model.name} ends in {last.name!r} with {found}; softmax, sigmoid or raw numbers are "
            "needed"
        )
    with _swapped(
        last,
        "activation" if hasattr(last, "activation") else "call",
        lambda values, *_, **__: values,
    ):
        yield


@contextmanager
def watched(layer, tape) -> Iterator[dict]:
    """Inside the block, the layer's output stands under "maps" of the dict; the tape watches."""
    found, call = {}, layer.call

    def noted(*args, **kwargs):
        if "maps" in found:
            raise ValueError(
                f"{layer.name!r} is used twice in this model; choose another layer for its maps"
            )
        found["maps"] = call(*args, **kwargs)
        tape.watch(found["maps"])
        return found["maps"]

    with _swapped(layer, "call", noted):
        yield found


def prepared(images) -> np.ndarray:
    """Grey levels as the networks take them: float32 (n, size, size, 1)."""
    return np.ascontiguousarray(images, dtype=np.float32)[..., None]


def check(model, images, target) -> np.ndarray:
    """The target of each image, int (n,). ValueError if images or target do not fit the model."""
    pipeline.check_keras()
    units = output_units(model)
    if (
        not isinstance(model.input_shape, tuple)
        or len(model.input_shape) != 4
        or model.input_shape[3] != 1
    ):
        raise ValueError(
            f"{model.name} takes {model.input_shape}; grey images (n, size, size, 1) are explained "
            "here"
        )
    wanted = model.input_shape[1:3]
    if getattr(images, "ndim", 0) != 3 or tuple(images.shape[1:]) != tuple(wanted):
        raise ValueError(
            f"{model.name} takes images (n, {wanted[0]}, {wanted[1]}), not {np.shape(images)}"
        )
    targets, classes = np.asarray(target), max(2, units)
    if (
        targets.shape not in ((), (len(images),))
        or targets.dtype.kind not in "iu"
        or (targets < 0).any()
        or (targets >= classes).any()
    ):
        raise ValueError(
            f"target is the number of a class, 0 to {classes - 1}, or one for each image, not "
            f"{target!r}"
        )
    return np.broadcast_to(targets, len(images)).astype(int)


def of_target(answers, targets):
    """The answer for its target in each row (n,): of one unit, the negative for class 0."""
    import tensorflow as tf

    if answers.shape[-1] == 1:
        return answers[:, 0] * tf.constant(2.0 * targets - 1, answers.dtype)
    return tf.gather(answers, targets, axis=1, batch_dims=1)


@contextmanager
def answering(model) -> Iterator[Callable]:
    """Inside the block, a compiled function (images, targets) → the target's logit, (n,)."""
    import tensorflow as tf

    whole = tf.function(
        lambda grey: model(grey, training=False), autograph=False, reduce_retracing=True
    )
    with logits(model):
        yield lambda images, targets: of_target(whole(prepared(images)), targets).numpy()
