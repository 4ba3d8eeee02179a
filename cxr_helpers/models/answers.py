"""A network's layers, and whether what it gives are probabilities, one for each class."""

from typing import Any

import numpy as np

TOLERANCE = 1e-3  # of a sum of probabilities; float16 rounds each by up to 5e-4
# layers that change no value
PASSING = ("Flatten", "Reshape", "Dropout", "Identity", "SpatialDropout2D")


def leaves(model) -> list:
    """The layers in their order, those of models inside the model in place of the model.

    Parameters
    ----------
    model : keras.Model
        Any.

    Returns
    -------
    list of keras.Layer
        Without models.
    """
    found = []
    for layer in model.layers:
        found += leaves(layer) if hasattr(layer, "layers") else [layer]
    return found


def answer_layer(model: Any) -> Any:
    """The layer whose softmax, or sigmoid of one unit, is the answer, also in a nested model.

    Parameters
    ----------
    model : keras.Model
        Built of layers, with one output (n, units).

    Returns
    -------
    keras.Layer
        The one with the activation.

    Raises
    ------
    ValueError
        With the remedy, for another last activation (none: logits; log-softmax; ReLU; independent
        sigmoids; softmax of one unit), and as `last_activation` does.
    """
    layer, found = last_activation(model)
    units = output_units(model)
    if found != ("sigmoid" if units == 1 else "softmax"):
        what = {
            "linear": "no activation, so that it gives raw numbers (logits)",
            "sigmoid": "independent sigmoids",
        }
        raise ValueError(
            f"{model.name} ends in {layer.name!r} with {what.get(found, found)}: its {units} "
            "output(s) are no probabilities. End with Dense(1, activation='sigmoid') for two "
            "classes, or Dense(classes, activation='softmax'); behind the logits of a trained "
            "model, put keras.layers.Softmax()"
        )
    return layer


def last_activation(model) -> tuple:
    """The layer that gives a model's answer, and the function it applies last: (layer, name).

    Layers behind it that change no value are passed over.

    Parameters
    ----------
    model : keras.Model
        Built of layers, with one output.

    Returns
    -------
    tuple of keras.Layer and str
        "linear", "softmax" and "sigmoid" are Keras' own; others are called by their own name.

    Raises
    ------
    ValueError
        For a model of several outputs, or one that was not built of layers.
    """
    output_units(model)
    layer, before = _maker(model.outputs[0])
    while before and (
        type(layer).__name__ in PASSING or (_activation(layer) == "linear" and not _weighted(layer))
    ):
        layer, before = _maker(before[0])
    return layer, _activation(layer)


def output_units(model) -> int:
    """How many numbers a built model gives for each image.

    Parameters
    ----------
    model : keras.Model
        Any.

    Returns
    -------
    int
        1 for the sigmoid of two classes, else the number of classes.

    Raises
    ------
    ValueError
        For another output than (n, units), or a model that is not built of layers.
    """
    outputs = getattr(model, "outputs", None)
    if not outputs:
        raise ValueError(
            f"{getattr(model, 'name', model)!s:.80} is not built, or not of layers (a subclass): "
            "its last layer cannot be looked at. Give keras.Sequential an Input, or use "
            "keras.Model(inputs, outputs)"
        )
    named = isinstance(getattr(model, "output", None), dict)  # a dict of outputs, even of one
    if named or len(outputs) != 1 or len(outputs[0].shape) != 2 or outputs[0].shape[-1] is None:
        shapes = ", ".join(str(tuple(output.shape)) for output in outputs) + " by name" * named
        raise ValueError(
            f"{model.name} gives {shapes}; one output (n, classes), or (n, 1) for two classes, is "
            "needed"
        )
    return int(outputs[0].shape[-1])


def _maker(tensor) -> tuple:
    """The layer that made a tensor, and its input; of a nested model, its own last layer."""
    operation, node, _ = tensor._keras_history
    inner = getattr(operation, "outputs", None) if hasattr(operation, "layers") else None
    return _maker(inner[0]) if inner else (operation, operation._inbound_nodes[node].input_tensors)


def _weighted(operation) -> bool:
    return bool(getattr(operation, "weights", ()))


def _activation(operation) -> str:
    """The name of the function a layer applies last; its own kind where Keras has none for it."""
    import keras

    if type(operation).__name__ in ("Softmax", "Sigmoid"):  # a layer, or keras.ops
        axis = getattr(operation, "axis", -1)
        return type(operation).__name__.lower() if axis in (-1, 1) else f"softmax over axis {axis}"
    function = getattr(operation, "activation", None)
    if function is None:
        return type(operation).__name__
    for name in ("linear", "softmax", "sigmoid"):
        if function is getattr(keras.activations, name):
            return name
    name = getattr(function, "__name__", type(function).__name__)
    return f"{name} of its own" if name in ("linear", "softmax", "sigmoid") else name


def as_probabilities(output, name: str = "the model", tolerance: float = TOLERANCE) -> np.ndarray:
    """What a network gave as one probability for each class; one unit becomes 1 - p and p.

    Parameters
    ----------
    output : array_like
        (n, units).
    name : str
        Of the model, for the message.
    tolerance : float
        By how much a sum may differ from 1.

    Returns
    -------
    ndarray
        (n, classes), in the type of `output`.

    Raises
    ------
    ValueError
        Where a number is missing, lies outside [0, 1], or a row does not sum to 1.
    """
    found = np.asarray(output)
    if found.ndim != 2 or not found.shape[1]:
        raise ValueError(f"{name} gives an array {found.shape}; one output (n, classes) is needed")
    both = np.hstack([1 - found, found]) if found.shape[1] == 1 else found
    wide = both.astype(float)
    if not np.isfinite(wide).all():
        raise ValueError(
            f"{name} answers with numbers that are missing or infinite (NaN): its training went "
            "wrong"
        )
    if wide.size and (wide.min() < -tolerance or wide.max() > 1 + tolerance):
        span = f"{found.min():.3g} to {found.max():.3g}"
        raise ValueError(
            f"{name} answers with numbers from {span}, which are no probabilities; are they "
            "logits? End it with softmax"
        )
    apart = np.abs(wide.sum(axis=1) - 1)
    if wide.size and apart.max() > tolerance:
        total = wide.sum(axis=1)
        raise ValueError(
            f"{name} answers with rows that sum to {total.min():.3g} to {total.max():.3g} instead "
            "of 1; are they independent sigmoids? End it with softmax"
        )
    return both


def check_model(model) -> np.ndarray:
    """Refuse a network that takes no images (n, size, size, 1) or answers no probabilities.

    Parameters
    ----------
    model : keras.Model
        Any.

    Returns
    -------
    ndarray
        (4, classes): its answers to four drawn images.

    Raises
    ------
    ValueError
        For its last layer, a weight that is no number, or an answer that is no probability.
    """
    answer_layer(model)
    shape = model.input_shape if isinstance(model.input_shape, tuple) else ()
    if len(shape) != 4 or shape[1] is None or shape[1] != shape[2] or shape[3] != 1:
        raise ValueError(
            f"{model.name} takes {model.input_shape}; images (n, size, size, 1) of one size are "
            "needed"
        )
    for weight, values in zip(model.weights, model.get_weights(), strict=True):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(
                f"the weight {weight.path} of {model.name} is not finite (NaN): its training went "
                "wrong"
            )
    side = shape[1]
    drawn = np.random.default_rng(0).integers(0, 256, (2, side, side))
    ramp = np.broadcast_to(np.linspace(0, 255, side), (side, side))
    images = np.stack([*drawn, ramp, ramp.T]).astype(np.float32)[..., None]
    return as_probabilities(np.asarray(model(images, training=False)), model.name)
