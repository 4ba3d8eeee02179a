"""Build questions: sketches of chests to train on, and what a Keras model that a student built is.

A model is judged by what it does with images, and by its public attributes: layers, their
configuration, the compiled loss, and weights. So Sequential, functional and subclassed models count
alike.
"""

import contextlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..console import quiet
from . import expect
from ._running import Attempt, Raised, Wrong

SIDE = 24  # of a sketch, in pixels
EDGE = 3  # width of its black frame
_TINY = 1e-7  # where Keras cuts probabilities off


def keras():
    """Keras, imported without its start-up lines."""
    with quiet():
        import keras as found
    return found


@contextlib.contextmanager
def without_advice() -> Iterator[None]:
    """Hide TensorFlow's advice on speed: each call of an answer gets a network of its own."""
    log = logging.getLogger("tensorflow")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def sketches(rng: np.random.Generator, hazes: Iterable[int]) -> np.ndarray:
    """Grey levels, uint8 (n, SIDE, SIDE), of chests with a bright haze in the lungs.

    `hazes` has an entry for each image: 0 none, 1 in the lung on the left of the image, 2 in both.
    """
    kinds = np.asarray(list(hazes))
    n = len(kinds)
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j][:, None]
    down, right = rng.normal(0, 0.04, (2, n, 1, 1))

    def blob(row, column, height, width):
        distance = ((rows - row - down) / height) ** 2 + ((columns - column - right) / width) ** 2
        return np.exp(-(distance**2))

    image = 130 - 80 * (blob(0, -0.4, 0.65, 0.3) + blob(0, 0.4, 0.65, 0.3))
    image = image + 45 * blob(0.35, 0.12, 0.35, 0.3)
    for side in (0, 1):
        has = ((kinds == 2) | ((kinds == 1) & (side == 0)))[:, None, None]
        row = rng.uniform(-0.25, 0.25, (n, 1, 1))
        image = image + 60 * has * blob(row, (-0.4, 0.4)[side], 0.35, 0.25)
    image = image * rng.uniform(0.9, 1.1, (n, 1, 1)) + rng.normal(0, 8, image.shape)
    frame = np.ones((SIDE, SIDE), bool)
    frame[EDGE:-EDGE, EDGE:-EDGE] = False
    image = np.where(frame, rng.uniform(0, 8, image.shape), image)
    return np.clip(image, 0, 255).astype(np.uint8)


def asked(answer: Attempt, *arguments, misfit: Callable[[tuple], None]):
    """The answer's model; `misfit` is told the shape of outputs that Keras could not compare."""
    try:
        model = answer(*arguments)
    except Raised as error:
        shape = re.search(r"output\.shape=\(([^)]*)\)", str(error))
        if shape:
            misfit(tuple(side.strip() for side in shape[1].split(",") if side.strip()))
        raise
    if isinstance(model, (tuple, list)) or not isinstance(model, keras().Model):
        raise Wrong(f"Return the Keras model and nothing else, not {expect.kind(model)}.")
    return model


def outputs(model, images: np.ndarray) -> np.ndarray:
    """What the model makes of images when it predicts."""
    try:
        given = model(images.astype("float32"), training=False)
        return np.asarray(keras().ops.convert_to_numpy(given), float)
    except Exception as error:
        shape = " × ".join(map(str, images.shape))
        raise Wrong(f"The model does not take images of shape {shape}: {error!s:.300}") from error


def layers(model) -> list:
    """The layers of a model, with those of models within it."""
    found = []
    for layer in getattr(model, "layers", []):
        found += layers(layer) if getattr(layer, "layers", None) else [layer]
    return found


def parameters(model) -> int:
    """How many weights a model has."""
    return sum(int(np.prod(weight.shape)) for weight in model.weights)


def loss_value(model, labels: np.ndarray, given: np.ndarray, *, one_hot: bool = False) -> float:
    """The compiled loss of outputs, as a mean; with labels one-hot where it wants them so.

    Raises `Wrong` where the model was not compiled with a loss.
    """
    loss = getattr(model, "loss", None)
    loss = next(iter(loss.values()), None) if isinstance(loss, dict) else loss
    loss = loss[0] if isinstance(loss, (list, tuple)) and loss else loss
    if not loss:
        raise Wrong("The model was not compiled with a loss: model.compile(optimizer, loss).")
    function = keras().losses.get(loss)
    name = str(getattr(function, "name", getattr(function, "__name__", "")))
    if one_hot and "sparse" not in name:
        labels = np.eye(given.shape[1])[labels]
    elif given.shape[1:] == (1,):
        labels = labels[:, None]
    try:
        value = function(labels.astype("float32"), given.astype("float32"))
        return float(np.mean(keras().ops.convert_to_numpy(value)))
    except Exception as error:
        raise Wrong(f"The loss {name} does not fit labels and outputs: {error!s:.200}") from error


def auc(score: np.ndarray, labels: np.ndarray) -> float:
    """Share of pairs in which the image with label 1 has the higher score."""
    one, other = score[labels == 1][:, None], score[labels == 0]
    return float(np.mean((one > other) + 0.5 * (one == other)))


def entropy(labels: np.ndarray, p: np.ndarray) -> float:
    """Mean cross-entropy of probabilities: one column for two classes, else one for each class."""
    p = np.clip(p, _TINY, 1 - _TINY)
    if p.shape[1] == 1:
        p = np.hstack([1 - p, p])
    return float(-np.log(p[np.arange(len(p)), labels]).mean())


def always_training(model):
    """A model that runs another as in training, also when it predicts: a mistake."""

    class Always(keras().Model):
        def call(self, images):
            return model(images, training=True)

    return Always()
