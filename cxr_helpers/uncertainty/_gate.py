"""The input gate: is this image like those of the training? A distance, a limit, a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from ._shares import upper_limit

SIZE, COMPONENTS = 24, 40  # side of the reduced image; patterns kept
FEWEST = 20  # training images
# what may have been done to a picture: name, and how to undo it on reduced images (n, SIZE, SIZE)
TURNS = (
    ("inverted", lambda x: -x),
    ("inverted", lambda x: -x[:, ::-1, ::-1]),
    ("turned by 90 degrees", lambda x: np.rot90(x, 1, axes=(1, 2))),
    ("turned by 90 degrees", lambda x: np.rot90(x, 3, axes=(1, 2))),
    ("turned by 180 degrees", lambda x: x[:, ::-1, ::-1]),
    ("upside down", lambda x: x[:, ::-1]),
)


@dataclass(frozen=True)
class Gate:
    """A fitted input gate, of plain arrays and numbers (see `fit_gate`).

    mean (576,), components (k, 576) and variance (k,) describe the training images; centre (3,) and
    spread (3,) the three numbers of held-out clean images; a score above `limit` is rejected, as is
    about `share` of clean images. n_training, n_held_out: images it rests on.
    """

    mean: np.ndarray
    components: np.ndarray
    variance: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    limit: float
    share: float
    n_training: int
    n_held_out: int


def fit_gate(training_images: np.ndarray, held_out_images: np.ndarray, share: float = 0.05) -> Gate:
    """Fit a gate on training images, and set its limit on other clean images.

    Each image is reduced to 24x24 and its grey levels replaced by ranks, so that exposure and
    contrast leave no trace; 40 principal components of the training images are kept. Three numbers
    follow: what the components cannot rebuild; how unusual the part is that they can (Mahalanobis
    distance; on a network's features: Lee et al. 2018, arXiv 1807.03888); and by how much the image
    would fit better inverted or turned. Each is measured in spreads of the held-out images, and the
    largest is the score. No input that the gate has to reject takes part.

    Parameters
    ----------
    training_images : ndarray
        uint8 (n, size, size), 20 or more.
    held_out_images : ndarray
        uint8 (n, size, size), of patients who are not among the training images.
    share : float
        A new clean image is rejected with this probability at most, in (0, 1).

    Returns
    -------
    Gate
        Plain arrays and numbers.

    Raises
    ------
    ValueError
        For other arrays, too few images, or held-out images that are blank or most of them the
        same.
    """
    x, (held, flat) = _reduced(training_images)[0], _reduced(held_out_images)
    if len(x) < FEWEST:
        raise ValueError(f"a gate needs at least {FEWEST} training images, not {len(x)}")
    if flat.any():
        raise ValueError(
            f"{flat.sum()} of the held-out images are blank; take them out of the clean images"
        )
    mean = x.mean(axis=0)
    _, size, patterns = np.linalg.svd(x - mean, full_matrices=False)
    k = min(COMPONENTS, len(x) // 4)
    model = {"mean": mean, "components": patterns[:k], "variance": size[:k] ** 2 / (len(x) - 1)}
    distances = _distances(held, **model)
    centre, spread = _centre(distances), _spread(distances)
    margin, _ = _margin(held, distances, model, centre, spread)
    centre, spread = np.append(centre, _centre(margin)), np.append(spread, _spread(margin))
    limit = upper_limit(_largest(np.column_stack([distances, margin]), centre, spread), 1 - share)
    if not np.isfinite(limit):
        raise ValueError(
            f"{len(held)} held-out images are too few to reject a share of {share} of them"
        )
    fitted: dict[str, Any] = {**model, "centre": centre, "spread": spread, "limit": limit}
    return Gate(**fitted, share=share, n_training=len(x), n_held_out=len(held))


def gate_scores(gate: Gate, images: np.ndarray) -> pd.DataFrame:
    """Whether a gate accepts each image, and why not: one row per image.

    Parameters
    ----------
    gate : Gate
        As `fit_gate` gives it.
    images : ndarray
        uint8 (n, size, size), of any size from 24 pixels on.

    Returns
    -------
    DataFrame
        Columns score (no unit; infinite if blank), accepted (bool), reason. The reason is empty
        where accepted. Else it is "blank"; or "inverted", "upside down", "turned by 90 degrees" …,
        where undoing that gives an image which passes; or "unlike the training images".

    Raises
    ------
    ValueError
        For other arrays.

    Examples
    --------
    >>> from scipy.ndimage import gaussian_filter
    >>> ramp, rng = np.add.outer(np.arange(48) * 3, np.arange(48)), np.random.default_rng(0)
    >>> noise = gaussian_filter(rng.normal(0, 300, (80, 48, 48)), (0, 6, 6))
    >>> images = np.clip(ramp + noise, 0, 255).astype(np.uint8)
    >>> gate = fit_gate(images[:40], images[40:])
    >>> gate_scores(gate, images[:1, ::-1])["reason"].tolist()
    ['upside down']
    """
    x, blank = _reduced(images)
    model = {"mean": gate.mean, "components": gate.components, "variance": gate.variance}
    distances = _distances(x, **model)
    margin, turned = _margin(x, distances, model, gate.centre[:2], gate.spread[:2])
    score = _largest(np.column_stack([distances, margin]), gate.centre, gate.spread)
    score = np.where(blank, np.inf, score)
    accepted = score <= gate.limit
    fits = (turned["score"] <= gate.limit) & (margin > 0)
    reason = np.where(fits, turned["name"], "unlike the training images")
    reason = np.where(accepted, "", np.where(blank, "blank", reason)).astype(object)
    return pd.DataFrame({"score": score, "accepted": accepted, "reason": reason})


def gate_to_dict(gate: Gate) -> dict[str, np.ndarray]:
    """The gate as named arrays, for `np.savez(file, **gate_to_dict(gate))`: no pickle.

    Parameters
    ----------
    gate : Gate
        As `fit_gate` gives it.

    Returns
    -------
    dict of str to ndarray
        An array for each field.
    """
    return {field.name: np.asarray(getattr(gate, field.name)) for field in fields(Gate)}


def gate_from_dict(arrays: Mapping[str, np.ndarray]) -> Gate:
    """The gate from what `gate_to_dict` gave, such as an opened .npz file.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        An array for each field of `Gate`; `check_gate` looks at what they hold.

    Returns
    -------
    Gate
        As it was.

    Raises
    ------
    ValueError
        Where an array is missing.
    """
    missing = [field.name for field in fields(Gate) if field.name not in arrays]
    if missing:
        raise ValueError(f"this is no gate: {', '.join(missing)} missing")
    found: dict[str, Any] = {field.name: np.asarray(arrays[field.name]) for field in fields(Gate)}
    return Gate(
        **{name: value.item() if value.ndim == 0 else value for name, value in found.items()}
    )


def check_gate(gate: Gate) -> None:
    """Refuse a gate whose arrays are not finite numbers of the shapes and ranges `Gate` names.

    Parameters
    ----------
    gate : Gate
        Such as one from a file.

    Raises
    ------
    ValueError
        Names the array that is wrong.
    """
    k = len(gate.components) if np.ndim(gate.components) == 2 else 0
    shapes = {
        "mean": (SIZE**2,),
        "components": (k, SIZE**2),
        "variance": (k,),
        "centre": (3,),
        "spread": (3,),
    }
    for field in fields(Gate):
        values, wanted = np.asarray(getattr(gate, field.name)), shapes.get(field.name, ())
        if (
            values.shape != wanted
            or values.dtype.kind not in "fiu"
            or not np.isfinite(values).all()
        ):
            raise ValueError(
                f"this is no gate: {field.name} is not {wanted or 'one'} finite number(s)"
            )
    if not k or np.min(gate.variance) <= 0 or np.min(gate.spread) <= 0 or not 0 < gate.share < 1:
        raise ValueError(
            "this is no gate: no components, a variance or spread that is not above 0, or a share "
            "outside 0-1"
        )


def _checked(images: np.ndarray) -> np.ndarray:
    images = np.asarray(images)
    if (
        images.ndim != 3
        or images.dtype != np.uint8
        or not len(images)
        or min(images.shape[1:]) < SIZE
    ):
        raise ValueError(
            f"images must be uint8 of shape (n, size, size), at least {SIZE} pixels wide, as "
            f"preprocess.cache gives them; these are {images.dtype} of shape {images.shape}"
        )
    return images


def _reduced(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of the reduced images' grey levels, standardised, (n, SIZE²); which are blank (n,)."""
    from PIL import Image
    from scipy.stats import rankdata

    box, shape = Image.Resampling.BOX, (SIZE, SIZE)
    small = [
        Image.fromarray(image.astype(np.float32)).resize(shape, box) for image in _checked(images)
    ]
    grey = np.stack([np.asarray(image).ravel() for image in small])
    # less than one grey level between the darkest and the lightest place
    blank = np.ptp(grey, axis=1) < 1
    ranks = rankdata(grey, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    return ranks / np.maximum(ranks.std(axis=1, keepdims=True), 1e-9), blank


def _distances(
    x: np.ndarray, mean: np.ndarray, components: np.ndarray, variance: np.ndarray
) -> np.ndarray:
    """Logarithms of the two distances, (n, 2): outside the training patterns, and inside them."""
    away = x - mean
    along = away @ components.T
    outside = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 1e-9) / x.shape[1]
    inside = (along**2 / variance).mean(axis=1) + 1e-9
    return np.log(np.column_stack([outside, inside]))


def _margin(
    x: np.ndarray, distances: np.ndarray, model: dict, centre, spread
) -> tuple[np.ndarray, pd.DataFrame]:
    """By how much each image would fit better inverted or turned, (n,), and which of TURNS fits.

    The best of TURNS is given with its name and score.
    """
    square = x.reshape(-1, SIZE, SIZE)
    ways = [_distances(undo(square).reshape(x.shape), **model) for _, undo in TURNS]
    units = (np.stack(ways) - centre) / spread  # (turns, n, 2)
    best = units.sum(axis=2).argmin(axis=0)
    rows = np.arange(len(x))
    own = ((distances - centre) / spread).sum(axis=1)
    found = pd.DataFrame(
        {
            "name": np.array([name for name, _ in TURNS], object)[best],
            "score": units[best, rows].max(axis=1),
        }
    )
    return own - units.sum(axis=2)[best, rows], found


def _centre(values: np.ndarray) -> np.ndarray:
    return np.median(values, axis=0)


def _spread(values: np.ndarray) -> np.ndarray:
    """Median distance from the median, scaled to a normal distribution's standard deviation.

    Raises ValueError where it is 0, up to rounding: nothing can be measured in it.
    """
    spread = 1.4826 * np.median(np.abs(values - _centre(values)), axis=0)
    if np.min(spread) < 1e-9:
        raise ValueError(
            f"{len(values)} held-out images are too few, or most of them are the same: the gate "
            "cannot measure how clean images differ"
        )
    return spread


def _largest(numbers: np.ndarray, centre: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return ((numbers - centre) / spread).max(axis=1)
