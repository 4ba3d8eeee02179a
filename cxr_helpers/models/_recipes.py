"""A network together with the way it is trained, and the recipes of the course."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ..pipeline import Augmentation
from ._networks import case_a, case_c, case_e, compact, darkcovidnet


@dataclass(frozen=True)
class Recipe:
    """A network together with the way it is trained.

    `build(n_classes, size)` gives a fresh, uncompiled Keras model; `epochs`, `batch_size`;
    `learning_rate`, the peak one when `cosine` lets it fall to zero along half a cosine;
    `weight_decay` > 0 chooses AdamW instead of Adam; `label_smoothing` in [0, 1), for more
    than one output unit; `augment`, what is changed in training images; `patience`, epochs
    without a better validation loss before training stops (None: it runs to the end).

    In two phases (lesson 08): for `head_epochs` epochs, at `head_learning_rate`, whatever `build`
    left trainable learns; then `unfreeze(model)` frees further layers, and the training above
    follows.
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
    head_epochs: int = 0
    head_learning_rate: float = 1e-3
    unfreeze: Callable | None = None


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "case_a": Recipe("case_a", case_a, epochs=10, batch_size=16),
        "case_c": Recipe(
            "case_c", case_c, epochs=5, batch_size=32, augment=Augmentation(0.2, 0, 0, 0, flip=True)
        ),
        "case_e": Recipe(
            "case_e",
            case_e,
            epochs=20,
            batch_size=16,
            augment=Augmentation(0.2, 0, 0, 0, flip=True),
        ),
        "compact": Recipe(
            "compact",
            compact,
            epochs=24,
            batch_size=16,
            learning_rate=3e-3,
            cosine=True,
            weight_decay=1e-2,
            label_smoothing=0.1,
            augment=Augmentation(grain=2),
        ),
        # As published: 100 epochs, batches of 32, one learning-rate cycle up to 3e-3, the library's
        # default changes of the training images (mirrored, turned by up to 10 degrees, zoomed by up
        # to 10 %, brightness and contrast).
        "darkcovidnet": Recipe(
            "darkcovidnet",
            darkcovidnet,
            epochs=100,
            batch_size=32,
            learning_rate=3e-3,
            cosine=True,
            weight_decay=1e-2,
            augment=Augmentation(
                zoom=0.1, shift=0.0, rotation=10, contrast=0.2, brightness=0.1, flip=True
            ),
        ),
    }
)
