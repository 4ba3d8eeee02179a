"""What a case study compiles and fits: its code up to "Part two" is run, each fit cut to a step.

    PYTHONPATH=. python tests/notebooks/recipe.py FITS RESULT.json SOURCE.py ...

`keras.Model.fit` is wrapped: it writes down the compiled model, its own arguments, and the settings
of the `ImageDataGenerator` or of the random layers, then trains for one epoch of one step.
`RESULT.json` holds one list per source, with one entry per call of `fit`; a source is left after
`FITS` calls.
"""

import inspect
import json
import re
import sys
from contextlib import suppress
from pathlib import Path

from tools.build import part_one

ACTIVATED = ("Dense", "Conv1D", "Conv2D", "SeparableConv2D", "DepthwiseConv2D")
GIVEN: dict[int, dict] = {}  # settings that a generator or random layer was made with, by id
KEPT: list = []  # those objects, so that no id is used twice


class Seen(Exception):
    """As many fits as were asked for."""


def main(fits: str, result: str, *sources: str) -> None:
    """Run each source and write what its first fits were given."""
    import matplotlib as mpl

    mpl.use("agg")
    calls: list[dict] = []
    record_settings()
    record_fits(calls, int(fits))
    found = []
    for source in sources:
        calls.clear()
        GIVEN.clear()
        KEPT.clear()
        with suppress(Seen):
            part_one.run(Path(source))
        found.append(list(calls))
    Path(result).write_text(json.dumps(found, indent=1), "utf-8")


def record_settings() -> None:
    """Let generators and random layers remember what they were made with."""
    import keras
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    random = [
        kind for name, kind in vars(keras.layers).items() if re.fullmatch(r"Random[A-Z]\w+", name)
    ]
    for kind in (ImageDataGenerator, *random):
        kind.__init__ = remembering(kind.__init__)


def remembering(make):
    """A constructor that writes down its arguments, but for names and seeds."""
    signature = inspect.signature(make)

    def wrapped(self, *arguments, **named):
        if id(self) not in GIVEN:  # not the constructor of a parent class
            given = signature.bind(self, *arguments, **named).arguments
            given = {**given, **given.pop("kwargs", {})}
            left_out = ("self", "seed", "name", "dtype", "trainable")
            GIVEN[id(self)] = {
                name: plain(value) for name, value in given.items() if name not in left_out
            }
            KEPT.append(self)
        make(self, *arguments, **named)

    return wrapped


def record_fits(calls: list[dict], last: int) -> None:
    """Wrap `keras.Model.fit`: write down, then train for one step; raise `Seen` after the last."""
    import keras

    original = keras.Model.fit
    signature = inspect.signature(original)

    def fit(self, *arguments, **named):
        caller = sys._getframe(1).f_code.co_filename
        bound = signature.bind(self, *arguments, **named)
        bound.apply_defaults()
        calls.append({"caller": caller, **model_of(self), **fit_of(bound.arguments)})
        short = {
            **bound.arguments,
            "epochs": 1,
            "initial_epoch": 0,
            "steps_per_epoch": 1,
            "validation_steps": 1,
        }
        short.pop("self")
        if short["validation_data"] is None and not short["validation_split"]:
            short["validation_steps"] = None
        history = original(self, **short)
        if len(calls) == last:
            raise Seen
        return history

    keras.Model.fit = fit


def model_of(model) -> dict:
    """Layers, optimiser, rate and loss of a compiled model."""
    rate = model.optimizer._learning_rate
    schedule = hasattr(rate, "get_config")
    return {
        "layers": layers_of(model),
        "optimizer": type(model.optimizer).__name__,
        "learning_rate": type(rate).__name__
        if schedule
        else round(float(model.optimizer.learning_rate), 9),
        "schedule": plain(rate.get_config()) if schedule else None,
        "loss": loss_of(model.loss),
    }


def loss_of(loss) -> str:
    """The name of a loss that was given as text, function or object."""
    if isinstance(loss, str):
        return loss
    return getattr(loss, "name", None) or getattr(loss, "__name__", None) or type(loss).__name__


def layers_of(model) -> list[str]:
    """One line per layer; frozen layers of a base that is no model of its own share a line."""
    layers = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    frozen = [k for k, layer in enumerate(layers) if layer.weights and not layer.trainable_weights]
    loose = [k for k in frozen if not hasattr(layers[k], "layers")]
    start = loose[-1] + 1 if loose else 0
    base = [f"{len(loose)} frozen layers with weights"] if loose else []
    return base + [line_of(layer) for layer in layers[start:]]


def line_of(layer) -> str:
    """Kind and settings of a layer: `Conv2D 32 5x5 same relu`, `Dropout 0.2`, `Dense 1 sigmoid`."""
    kind, config = type(layer).__name__, {}
    if hasattr(layer, "layers"):
        frozen = "" if layer.trainable_weights else " frozen"
        return f"{kind} {layer.name}{frozen}"
    with suppress(NotImplementedError):
        config = layer.get_config()
    words = [kind]
    if id(layer) in GIVEN:
        return " ".join([kind, *(text(value) for value in GIVEN[id(layer)].values())])
    words += [
        text(config[name])
        for name in ("filters", "units", "rate", "scale")
        if config.get(name) is not None
    ]
    for name in ("kernel_size", "pool_size"):
        if name in config:
            words.append("x".join(map(str, config[name])))
    if "kernel_size" in config:
        words.append(config["padding"])
    if config.get("offset"):
        words.append(f"offset {text(config['offset'])}")
    strides = tuple(config.get("strides") or ())
    if strides and strides != tuple(config.get("pool_size", (1,) * len(strides))):
        words.append("strides " + "x".join(map(str, strides)))
    if config.get("activation", "linear") != "linear" or kind == "Activation":
        words.append(str(config["activation"]))
    regulariser = config.get("kernel_regularizer")
    if regulariser:
        penalty = {k: v for k, v in regulariser["config"].items() if v}
        words += [regulariser["class_name"], *map(text, penalty.values())]
    return " ".join(words)


def text(value) -> str:
    """A setting as it stands in a line: numbers with six significant digits."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "x".join(map(text, value)) if isinstance(value, (list, tuple)) else str(value)
    return f"{value:.6g}"


def fit_of(given: dict) -> dict:
    """What a call of `fit` got: epochs, batch, validation, class weights, callbacks, generator."""
    x, validation = given["x"], given["validation_data"]
    generator = getattr(x, "image_data_generator", None)
    inner = getattr(validation, "image_data_generator", None)
    seen = GIVEN.get(id(generator)) if generator is not None else random_layers()
    return {
        "epochs": given["epochs"],
        "batch": batch_of(x, given["batch_size"]),
        "validation": share_of(x, validation, given["validation_split"]),
        "validation_augmented": inner is not None and inner is generator,
        "class_weight": plain(given["class_weight"]),
        "callbacks": [type(one).__name__ for one in given["callbacks"] or []],
        "generator": seen or {},
    }


def random_layers() -> dict:
    """The random layers that were made so far: {class: its only setting, or a list}."""
    found = {}
    for made in KEPT:
        kind, values = type(made).__name__, list(GIVEN[id(made)].values())
        if kind.startswith("Random"):
            found[kind] = values[0] if len(values) == 1 else values
    return found


def batch_of(x, batch_size: int | None) -> int:
    """Images in a batch: of the iterator, a data set's first batch, or as `fit` was told."""
    if hasattr(x, "batch_size"):
        return int(x.batch_size)
    if hasattr(x, "shape"):  # an array, which has a method `take`, too
        return batch_size or 32  # the default of Keras
    if hasattr(x, "take"):
        return int(next(iter(x))[0].shape[0])
    return len(x[0][0])


def share_of(x, validation, split: float | None) -> float | None:
    """Validation images as a share of them and the training images."""
    if split:
        return round(split, 4)
    if validation is None:
        return None
    held, known = count(validation), count(x)
    return round(held / (held + known), 4)


def count(part) -> int:
    """Number of images in arrays, an iterator or a data set."""
    if isinstance(part, (list, tuple)):
        return len(part[0])
    if hasattr(part, "n"):
        return int(part.n)
    if hasattr(part, "shape"):
        return len(part)
    if hasattr(part, "take"):
        return sum(int(batch[0].shape[0]) for batch in part)
    return sum(len(part[k][0]) for k in range(len(part)))


def plain(value):
    """A value as JSON has it; a function by its name."""
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value if isinstance(value, (str, bool, int, float, type(None))) else float(value)


if __name__ == "__main__":
    main(*sys.argv[1:])
