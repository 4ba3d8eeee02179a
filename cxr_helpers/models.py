"""Networks of the course: those of three case studies as described, and a compact one.

Each takes grey levels 0-255 of shape (size, size, 1) and scales them in its first layer, so
that training and serving cannot differ. Where a description is silent, the choice is ours
and the docstring says so. Introduced in lesson 06.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .pipeline import Augmentation


@dataclass(frozen=True)
class Recipe:
    """A network together with the way it is trained.

    `build(n_classes, size)` gives a fresh, uncompiled Keras model; `epochs`, `batch_size`;
    `learning_rate`, the peak one when `cosine` lets it fall to zero along half a cosine;
    `weight_decay` > 0 chooses AdamW instead of Adam; `label_smoothing` in [0, 1), for more
    than one output unit; `augment`, what is changed in training images; `patience`, epochs
    without a better validation loss before training stops (None: it runs to the end).
    Introduced in lesson 06.
    """

    name: str
    build: Callable
    epochs: int
    batch_size: int
    learning_rate: float = 1e-3
    cosine: bool = False
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    augment: Augmentation | None = None
    patience: int | None = None


def case_a(n_classes: int = 2, size: int = 224):
    """Case study A's network: grey levels, a plain convolutional network, one sigmoid unit (or softmax).

    The description says "a CNN" and no more; two convolutions of 16 and 32 filters, each with
    max-pooling, and one dense layer of 64 are ours.
    """
    layers = _layers()
    body = [*_conv_pool(16), *_conv_pool(32), layers.Flatten(), layers.Dense(64, activation="relu")]
    return _assemble("case_a", size, [layers.Rescaling(1 / 255)], body, n_classes)


def case_c(n_classes: int = 2, size: int = 224):
    """Case study C's network: two convolutions with ReLU and max-pooling, dropout, dense 256, one sigmoid unit.

    Filters (32 and 64 of 3x3) and dropout (0.5) are ours.
    """
    layers = _layers()
    body = [*_conv_pool(32), *_conv_pool(64), layers.Dropout(0.5), layers.Flatten()]
    body.append(layers.Dense(256, activation="relu"))
    return _assemble("case_c", size, [layers.Rescaling(1 / 255)], body, n_classes)


def case_e(n_classes: int = 3, size: int = 224):
    """Case study E's network: three convolutions with ReLU and max-pooling, dropout, dense ReLU, dropout, softmax.

    Filters (32, 64, 64 of 3x3), units (64) and dropout (0.25 and 0.5) are ours.
    """
    layers = _layers()
    body = [*_conv_pool(32), *_conv_pool(64), *_conv_pool(64), layers.Dropout(0.25), layers.Flatten()]
    body += [layers.Dense(64, activation="relu"), layers.Dropout(0.5)]
    return _assemble("case_e", size, [layers.Rescaling(1 / 255)], body, n_classes)


def compact(n_classes: int = 3, size: int = 224):
    """A small network for small sets: fewer than 150,000 parameters, nearly all of them in convolutions.

    Halves the image, standardises each image by its own mean and spread (so that exposure and
    display style count less), then four 3x3 convolutions with batch normalisation (Ioffe and
    Szegedy 2015), and the mean over all places instead of a flattened image (Lin et al. 2014).
    """
    layers = _layers()
    scale = [
        layers.Rescaling(1 / 127.5, offset=-1),
        layers.AveragePooling2D(2),
        layers.LayerNormalization(axis=[1, 2, 3], center=False, scale=False, epsilon=1e-6),
    ]
    body = [*_conv_norm(16, strides=2), layers.MaxPooling2D(), *_conv_norm(32), layers.MaxPooling2D()]
    body += [*_conv_norm(64), layers.MaxPooling2D(), *_conv_norm(96)]
    body += [layers.GlobalAveragePooling2D(), layers.Dropout(0.3)]
    return _assemble("compact", size, scale, body, n_classes)


def _layers():
    import keras

    return keras.layers


def _conv_pool(filters: int) -> list:
    layers = _layers()
    return [layers.Conv2D(filters, 3, activation="relu"), layers.MaxPooling2D()]


def _conv_norm(filters: int, strides: int = 1) -> list:
    layers = _layers()
    convolution = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)
    return [convolution, layers.BatchNormalization(momentum=0.9), layers.ReLU()]


def _assemble(name: str, size: int, scale: list, body: list, n_classes: int):
    """Input, scaling, body and the output that belongs to the number of classes: one sigmoid unit for two."""
    import keras

    if n_classes < 2:
        raise ValueError(f"a classifier needs at least two classes, not {n_classes}; look at the table's labels")
    one_unit = n_classes == 2
    last = keras.layers.Dense(1 if one_unit else n_classes, activation="sigmoid" if one_unit else "softmax")
    return keras.Sequential([keras.Input((size, size, 1)), *scale, *body, last], name=name)


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "case_a": Recipe("case_a", case_a, epochs=10, batch_size=32),
        "case_c": Recipe("case_c", case_c, epochs=5, batch_size=32, augment=Augmentation(0.2, 0, 0, 0, flip=True)),
        "case_e": Recipe("case_e", case_e, epochs=20, batch_size=16, augment=Augmentation(0.2, 0.1, 10, 0, flip=True)),
        "compact": Recipe(
            "compact",
            compact,
            epochs=40,
            batch_size=16,
            learning_rate=3e-3,
            cosine=True,
            weight_decay=1e-2,
            label_smoothing=0.1,
            augment=Augmentation(),
        ),
    }
)
