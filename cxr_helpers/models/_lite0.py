"""EfficientNet-Lite0 in Keras, and how the names of its PyTorch weights map onto its layers.

Architecture: Tan and Le 2019 (EfficientNet) in the "Lite" form published with TensorFlow: no
squeeze-and-excitation, ReLU6, stem and head of fixed width.
"""

from collections.abc import Iterator

import numpy as np

BLOCKS = (  # repeats, kernel, stride of the first, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, CLASSES, EPSILON = 32, 1280, 1000, 1e-3
STAGES = {  # stage → the layer that ends it
    "stem": "stem_relu",
    "block1": "block1a_project_norm",
    **{f"block{n}": f"block{n}{'abcd'[r - 1]}_add" for n, (r, *_) in enumerate(BLOCKS, 1) if r > 1},
    "block7": "block7a_project_norm",
    "head": "head_relu",
    "logits": "logits",
}


def build(size: int = 224):
    """The whole network: grey levels 0-255 (size, size, 1) → 1,000 ImageNet logits, untrained.

    Its weights are random.

    The first layers turn grey into RGB and scale it as the weights expect, (x - 127) / 128. "Same"
    padding is TensorFlow's: where it is uneven, the extra row or column stands at the end.
    """
    import keras

    grey = keras.Input((size, size, 1), name="grey")
    x = keras.layers.Rescaling(1 / 128, offset=-127 / 128, name="scale")(grey)
    x = keras.layers.Concatenate(name="grey_to_rgb")([x, x, x])
    x = _conv(x, "stem", STEM, 3, 2)
    for number, (repeats, kernel, stride, expansion, channels) in enumerate(BLOCKS, 1):
        for repeat in range(repeats):
            name = f"block{number}{'abcd'[repeat]}"
            x = _block(x, name, kernel, stride if repeat == 0 else 1, expansion, channels)
    x = _conv(x, "head", HEAD, 1, 1)
    x = keras.layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(
        grey, keras.layers.Dense(CLASSES, name="logits")(x), name="efficientnet_lite0"
    )


def _block(x, name: str, kernel: int, stride: int, expansion: int, channels: int):
    """Inverted residual: expand, filter each channel, project; added to the input if alike.

    Source: Sandler et al. 2018.
    """
    import keras

    inside = x
    if expansion > 1:
        inside = _conv(inside, f"{name}_expand", x.shape[-1] * expansion, 1, 1)
    depthwise = keras.layers.DepthwiseConv2D(
        kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_depthwise_conv"
    )
    inside = _norm_relu(depthwise(inside), f"{name}_depthwise")
    inside = _conv(inside, f"{name}_project", channels, 1, 1, relu=False)
    if stride == 1 and channels == x.shape[-1]:
        return keras.layers.Add(name=f"{name}_add")([inside, x])
    return inside


def _conv(x, name: str, channels: int, kernel: int, stride: int, relu: bool = True):
    import keras

    convolution = keras.layers.Conv2D(
        channels, kernel, strides=stride, padding="same", use_bias=False, name=f"{name}_conv"
    )
    return _norm_relu(convolution(x), name, relu)


def _norm_relu(x, name: str, relu: bool = True):
    import keras

    x = keras.layers.BatchNormalization(epsilon=EPSILON, name=f"{name}_norm")(x)
    return keras.layers.ReLU(max_value=6, name=f"{name}_relu")(x) if relu else x


def assign(model, tensors: dict[str, np.ndarray]) -> None:
    """Put the tensors of the PyTorch file into the network, each once, none missing or left over.

    Raises KeyError or ValueError where names or shapes do not fit.
    """
    left = {name for name in tensors if not name.endswith("num_batches_tracked")}
    for layer, prefix in _pairs():
        names = [name for name in _names(prefix) if name in left]
        if not names:
            raise KeyError(f"{prefix} is not in the file")
        kinds = {2: (1, 0), 4: (2, 3, 0, 1) if "depthwise" in prefix else (2, 3, 1, 0)}
        arrays = [np.transpose(tensors[name], kinds.get(tensors[name].ndim)) for name in names]
        model.get_layer(layer).set_weights(arrays)
        left -= set(names)
    if left:
        raise KeyError(f"{sorted(left)[:3]} belong to no layer")


def _names(prefix: str) -> list[str]:
    """In the order in which Keras keeps them: kernel, bias; or gamma, beta, mean, variance."""
    return [f"{prefix}.{part}" for part in ("weight", "bias", "running_mean", "running_var")]


def _pairs() -> Iterator[tuple[str, str]]:
    """(Keras layer, prefix of the tensors' names)."""
    yield from (
        ("stem_conv", "_conv_stem"),
        ("stem_norm", "_bn0"),
        ("head_conv", "_conv_head"),
        ("head_norm", "_bn1"),
    )
    yield "logits", "_fc"
    index = 0
    for number, (repeats, _, _, expansion, _) in enumerate(BLOCKS, 1):
        for repeat in range(repeats):
            parts = (
                ["depthwise", "project"] if expansion == 1 else ["expand", "depthwise", "project"]
            )
            for part in parts:
                norm = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}[part]
                yield f"block{number}{'abcd'[repeat]}_{part}_conv", f"_blocks.{index}._{part}_conv"
                yield f"block{number}{'abcd'[repeat]}_{part}_norm", f"_blocks.{index}.{norm}"
            index += 1
