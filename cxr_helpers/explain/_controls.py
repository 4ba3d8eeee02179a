"""Controls of a heat map: a network with weights drawn anew; pixels removed in the map's order."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from ..models.answers import leaves
from ..rows import check_rows
from ..train import class_names, name_classes
from ._layers import check, probabilities
from ._scores import average

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)


def randomised(model, seed: int = 0, layers: int | Sequence[str] | None = None):
    """A copy of a model with layers drawn anew at random, the model itself untouched.

    `layers`: how many convolutions and dense layers, counted from the answer down, each with the
    normalisation behind it; or names of layers; None: all. Kernels are drawn uniformly (Glorot and
    Bengio 2010), everything else is set to its start value. Raises ValueError for a number or a
    name that the model does not have. Source: the randomisation test of Adebayo et al. 2018,
    arXiv:1810.03292. Introduced in lesson 10.
    """
    import keras

    copy = keras.models.clone_model(model)
    rng, fresh = np.random.default_rng(seed), _chosen(model, layers)
    for own, trained in zip(leaves(copy), leaves(model), strict=True):
        if trained.name not in fresh:
            own.set_weights(trained.get_weights())
        else:  # a clone starts with its vectors at their start values
            own.set_weights([w if w.ndim < 2 else _glorot(rng, w.shape) for w in own.get_weights()])
    if (names := class_names(model)) is not None:
        name_classes(copy, names)
    return copy


def _chosen(model, layers) -> set[str]:
    """Names of the layers to draw anew."""
    weighted = [layer for layer in leaves(model) if layer.get_weights()]
    names = [layer.name for layer in weighted]
    if layers is None:
        return set(names)
    if isinstance(layers, (int, np.integer)):
        kernels = [
            k for k, layer in enumerate(weighted) if any(w.ndim > 1 for w in layer.get_weights())
        ]
        if not 0 <= layers <= len(kernels):
            raise ValueError(
                f"{model.name} has {len(kernels)} layers with a kernel, so layers cannot be "
                f"{layers}"
            )
        return set(names[kernels[-layers] :]) if layers else set()
    if unknown := sorted(set(layers) - set(names)):
        raise ValueError(
            f"{model.name} has no weights in {', '.join(unknown)}; it has some in "
            f"{', '.join(names)}"
        )
    return set(layers)


def _glorot(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    places = int(np.prod(shape[:-2]))
    limit = np.sqrt(6 / (places * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation of two maps per image, float (n,) in [-1, 1]; NaN if constant.

    1: the same order of places. It is what Adebayo et al. 2018 compare maps by. Raises ValueError
    where the shapes differ. Introduced in lesson 10.
    """
    from scipy.stats import rankdata

    if np.shape(a) != np.shape(b) or np.ndim(a) != 3:
        raise ValueError(
            f"maps of shapes {np.shape(a)} and {np.shape(b)}: two arrays of one shape (n, h, w) "
            "wanted"
        )
    ranks = [rankdata(np.reshape(maps, (len(maps), -1)), axis=1) for maps in (a, b)]
    x, y = (r - r.mean(axis=1, keepdims=True) for r in ranks)
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.divide((x * y).sum(axis=1), spread, out=np.full(len(x), np.nan), where=spread > 0)


def deletion(
    model,
    images: np.ndarray,
    target,
    maps: Mapping[str, np.ndarray],
    table: pd.DataFrame,
    shares: Sequence[float] = SHARES,
    fill: float | None = None,
) -> pd.DataFrame:
    """The class's probability while pixels are removed, the map's most important first.

    Parameters: `images` and `target` as in `grad_cam`; `maps`, {name: (n, size, size)}; `table`,
    with `image_id` and `group`; `shares` of the pixels, in [0, 1]; `fill`, what takes their place
    (default: the mean of each image). Returns columns map, share, value (mean probability), low,
    high, n, groups, method. A steep fall speaks for the map, as far as the network can be trusted
    on images with holes, which it never saw. Places that a map holds to be equal are removed in a
    fixed random order. Raises ValueError where something does not fit. Source: Petsiuk, Das, Saenko
    2018, arXiv:1806.07421. Introduced in lesson 10.
    """
    targets = check(model, images, target)
    for what, given in {
        "images": images,
        **{f"maps of {name}": heat for name, heat in maps.items()},
    }.items():
        check_rows(table, given, what)
    flat = images.reshape(len(images), -1).astype(np.float32)
    grey = (
        flat.mean(axis=1, keepdims=True)
        if fill is None
        else np.full((len(flat), 1), fill, np.float32)
    )
    ties = np.random.default_rng(0).permutation(flat.shape[1])
    rows = []
    for name, heat in maps.items():
        order = np.lexsort(
            (np.broadcast_to(ties, flat.shape), -np.reshape(heat, flat.shape)), axis=1
        )
        place = np.argsort(order, axis=1)  # when each pixel goes
        for share in shares:
            holes = np.where(place < round(share * flat.shape[1]), grey, flat).reshape(images.shape)
            found = average(probabilities(model, holes, targets), table)
            rows.append({"map": name, "share": share, **asdict(found)})
    return pd.DataFrame(rows)
