"""Transfer learning with a frozen backbone: features, kept on disk, and a linear model on them.

A frozen backbone fits nothing to the images, so features may be computed before any split; the
scaler, the strength of the penalty and the choice between features are fitted inside the training
part.
"""

import json
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import files, models, split
from .console import bar
from .paths import cache_dir
from .predictions import build
from .rows import check_rows, remember_as

POOLS = ("mean", "std")
# inverse strengths of the penalty that are tried, on standardised features
CS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
KERNEL_CS = (1.0, 3.0, 10.0, 30.0, 100.0)  # the same where images are compared by a kernel
VERSION = 1  # part of every cache's key: raise it when `features` changes what it returns


def features(
    images: np.ndarray,
    backbone,
    *,
    pool: Sequence[str] = ("mean",),
    mirrored: bool = False,
    batch_size: int = 32,
    folder: str | Path | None = None,
    progress: bool = True,
) -> np.ndarray:
    """What a frozen backbone says about each image: float32 (n, d), computed once and kept on disk.

    Parameters
    ----------
    images : ndarray
        uint8 (n, size, size), grey levels 0-255.
    backbone : keras.Model
        Such as `models.backbone` gives, with one output or several, each a map (b, h, w, channels)
        or a vector (b, channels).
    pool : sequence of str
        How the places of a map become one number per channel: their `mean` (Lin et al. 2014), their
        standard deviation `std`, or both.
    mirrored : bool
        Whether to average with the features of the mirrored image.
    batch_size : int
        Images at a time.
    folder : path-like, optional
        Of the cache (by default `cache` in the working folder), which is keyed by the content of
        images and weights.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    ndarray
        float32 (n, d); columns output by output, pool by pool.

    Raises
    ------
    ValueError
        For images of another shape or type, or an unknown pool.

    Warns
    -----
    UserWarning
        Where the cache is damaged; its features are computed again.
    """
    if (
        getattr(images, "ndim", 0) != 3
        or images.dtype != np.uint8
        or images.shape[1:] != backbone.input_shape[1:3]
    ):
        given = f"{getattr(images, 'dtype', type(images).__name__)} {getattr(images, 'shape', '')}"
        raise ValueError(
            f"the backbone takes uint8 images (n, {backbone.input_shape[1]}, ...), not {given}"
        )
    if not pool or set(pool) - set(POOLS):
        raise ValueError(f"pool must name some of {POOLS}, not {tuple(pool)}")
    key = _key(images, backbone, {"version": VERSION, "pool": list(pool), "mirrored": mirrored})
    place = Path(folder or cache_dir()) / f"features-{key}.npz"
    found = _kept(place, len(images))
    if found is None:
        found = _compute(images, backbone, pool, mirrored, batch_size, progress)
        with files.whole_file(place) as part:
            np.savez(part, features=found)
    return remember_as(found, images)


def _kept(place: Path, n: int) -> np.ndarray | None:
    """Features of n images from their cache, verified by NumPy; None and a warning if damaged."""
    if not place.exists():
        return None
    try:
        with np.load(place, allow_pickle=False) as kept:
            found = kept["features"]
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ):
        found = None
    if found is None or found.ndim != 2 or len(found) != n or found.dtype != np.float32:
        warnings.warn(
            f"the cache {place} is damaged: its features are computed again", stacklevel=3
        )
        return None
    return found


def stage_features(
    images: np.ndarray,
    name: str = "efficientnet_lite0",
    cuts: Sequence[str] | None = None,
    *,
    weights: str | Path | None = models.IMAGENET,
    pool: Sequence[str] = ("mean",),
    **options,
) -> dict[str, np.ndarray]:
    """Features at several stages of one backbone, from one pass: {stage: float32 (n, d)}.

    Put two stages side by side with `np.hstack`.

    Parameters
    ----------
    images : ndarray
        As in `features`.
    name : str
        As in `models.backbone`.
    cuts : sequence of str, optional
        Stages, by default all that are maps.
    weights : str or path-like, optional
        As in `models.backbone`.
    pool : sequence of str
        As in `features`.
    **options
        The rest, as in `features`.

    Returns
    -------
    dict of str to ndarray
        float32 (n, d) for each stage.

    Raises
    ------
    ValueError
        As `models.backbone` and `features` do.
    WeightsError
        As `models.backbone` does.
    """
    if cuts is None:
        listed = models.stages(name, images.shape[1])
        cuts = listed.loc[listed["side"] > 1, "stage"]
    cuts = list(cuts)
    network = models.backbone(name, cuts, size=images.shape[1], weights=weights)
    together = features(images, network, pool=pool, **options)
    outputs = network.outputs
    widths = [output.shape[-1] * (len(pool) if len(output.shape) == 4 else 1) for output in outputs]
    found = dict(zip(cuts, np.split(together, np.cumsum(widths)[:-1], axis=1), strict=True))
    return {stage: remember_as(values, images) for stage, values in found.items()}


def _compute(images, backbone, pool, mirrored: bool, batch_size: int, progress: bool) -> np.ndarray:
    import tensorflow as tf

    @tf.function(autograph=False, reduce_retracing=True)
    def pooled(grey):
        outputs = backbone(tf.cast(grey, tf.float32)[..., tf.newaxis], training=False)
        outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
        return tf.concat([column for output in outputs for column in _pool(output, pool)], axis=1)

    rows = []
    starts = range(0, len(images), batch_size)
    for start in bar(starts, show=progress, desc="features", unit="batch"):
        grey = np.ascontiguousarray(images[start : start + batch_size])
        found = pooled(grey)
        rows.append(
            (
                (found + pooled(np.ascontiguousarray(grey[:, :, ::-1]))) / 2 if mirrored else found
            ).numpy()
        )
    return np.concatenate(rows)


def _pool(output, pool: Sequence[str]) -> list:
    """One (b, channels) for each way of pooling; a vector stays as it is."""
    import tensorflow as tf

    if len(output.shape) == 2:
        return [output]
    ways = {"mean": tf.reduce_mean, "std": tf.math.reduce_std}
    return [ways[way](output, axis=(1, 2)) for way in pool]


def _key(images: np.ndarray, backbone, settings: dict) -> str:
    """Hash of images, weights and layers; not of layers' names, which change from run to run."""

    def pieces():
        yield np.ascontiguousarray(images).data
        yield json.dumps([settings, list(images.shape)]).encode()
        for layer in backbone.layers:
            config = {
                k: v
                for k, v in layer.get_config().items()
                if k not in ("name", "dtype", "trainable")
            }
            yield json.dumps([type(layer).__name__, config], sort_keys=True, default=str).encode()
            for values in layer.get_weights():
                yield np.ascontiguousarray(values).data
        places = [
            backbone.layers.index(output._keras_history.operation) for output in backbone.outputs
        ]
        yield json.dumps(places).encode()

    return files.sha256(pieces())[:20]


@dataclass(frozen=True)
class _Search:
    """How the layer, the strength and the kernel are searched for."""

    kernel: bool
    strengths: Sequence[float]
    best: int
    inner: int
    seed: int

    def fits(self, candidates: Mapping) -> int:
        """How many fits a search takes: none where nothing is to be chosen."""
        return self.inner * len(candidates) if len(candidates) * len(self.strengths) > 1 else 0


@dataclass(frozen=True)
class _Choice:
    """A candidate and a strength with the log loss that they had inside the training part."""

    name: str
    c: float
    loss: float


def logistic(
    table: pd.DataFrame,
    features: np.ndarray | Mapping[str, np.ndarray],
    *,
    score: str = "test",
    folds: bool = False,
    c: float | Sequence[float] | None = None,
    kernel: bool = False,
    best: int = 1,
    inner: int = 5,
    seed: int = 0,
    name: str = "features + logistic regression",
) -> pd.DataFrame:
    """Predictions of a logistic regression on features.

    Everything that is fitted or chosen sees training rows only: a choice is made anew in each
    training part, by the log loss of grouped cross-validation inside it. Mean and deviation come
    from the training rows.

    Parameters
    ----------
    table : DataFrame
        A manifest with a `split`, or with a `fold`.
    features : ndarray or mapping of str to ndarray
        (n, d) in the row order of the table, or {name: (n, d)} to choose from.
    score : str
        The split that is scored; the rows with split `train` are fitted on.
    folds : bool
        Whether each fold is scored by what the others give, instead.
    c : float or sequence of float, optional
        Inverse strength of the L2 penalty, or several to choose from, by default CS, or KERNEL_CS.
    kernel : bool
        Whether the line may bend, by a Gaussian kernel over the features instead of the features
        themselves (Zhu and Hastie 2005).
    best : int
        Above 1 the probabilities of that many candidates are averaged.
    inner : int
        Folds inside a training part, for the choice.
    seed : int
        Of these folds.
    name : str
        Of the model, for the table.

    Returns
    -------
    DataFrame
        A table of predictions with two more columns: `chosen`, and `seconds`, the time that the
        choice and the fit took.

    Raises
    ------
    ValueError
        Where rows do not fit, there are no features, or a part is empty.
    """
    candidates = dict(features) if isinstance(features, Mapping) else {"features": features}
    if not candidates:
        raise ValueError("there are no features to fit on: give an array, or {name: array}")
    for key, values in candidates.items():
        check_rows(table, values, f"rows of {key}" if isinstance(features, Mapping) else "features")
    c = (KERNEL_CS if kernel else CS) if c is None else c
    several: Any = [c] if np.isscalar(c) else c
    search = _Search(kernel, sorted(several), best, inner, seed)
    scored, parts = [], list(_parts(table, score, folds))
    per_part = 1 + search.fits(candidates)
    codes = table["label"].cat.codes.to_numpy()
    classes = len(table["label"].cat.categories)
    with bar(total=len(parts) * per_part, desc=name, unit="fit") as shown:
        for train, test in parts:
            started = time.perf_counter()
            seen = {k: v[train] for k, v in candidates.items()}
            choices = _choose(table.loc[train], seen, search, shown.update)
            fitted = [
                _fit(candidates[o.name], codes, train, test, [o.c], classes, kernel)[0]
                for o in choices
            ]
            shown.update()
            text = "; ".join(f"{o.name}, C = {o.c:g}" for o in choices)
            part = build(table.loc[test], np.mean(fitted, axis=0), model=name, seed=seed)
            scored.append(part.assign(chosen=text, seconds=time.perf_counter() - started))
    result = pd.concat(scored, ignore_index=True)
    order = table.loc[table["image_id"].isin(result["image_id"]), "image_id"]
    return result.set_index("image_id").loc[order].reset_index()


def _parts(table: pd.DataFrame, score: str, folds: bool) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Boolean masks (to fit on, to score)."""
    column = "fold" if folds else "split"
    if column not in table or table[column].isna().all():
        raise ValueError(
            f"the table has no {column}; call split.{'folds' if folds else 'holdout'}(table) first"
        )
    values = table[column].astype(object).where(table[column].notna(), None).to_numpy()
    if folds:
        split.assert_disjoint(table, column="fold")
        known = table[column].notna().to_numpy()
        pairs = [(known & (values != k), values == k) for k in sorted(set(values[known]))]
    else:
        pairs = [(values == "train", values == score)]
    for train, test in pairs:
        if not train.any() or not test.any():
            raise ValueError(
                f"{train.sum()} rows to fit on and {test.sum()} to score: look at the column "
                f"{column}"
            )
        yield train, test


def _choose(table, candidates: Mapping, search: _Search, told: Callable[[], Any]) -> list[_Choice]:
    """The best candidates, each with its best strength, by log loss over the inner folds.

    The folds are those of the training part. `told` is called after each fit.
    """
    strengths = search.strengths
    if not search.fits(candidates):
        return [_Choice(next(iter(candidates)), strengths[0], np.nan)]
    codes, classes = table["label"].cat.codes.to_numpy(), len(table["label"].cat.categories)
    fold = split.folds(table, search.inner, search.seed)["fold"].to_numpy(int)
    choices = []
    for name, values in candidates.items():
        losses = np.zeros(len(strengths))
        for k in range(search.inner):
            found = _fit(values, codes, fold != k, fold == k, strengths, classes, search.kernel)
            own = [p[np.arange(len(p)), codes[fold == k]] for p in found]
            losses += [-np.log(np.clip(p, 1e-12, 1)).sum() for p in own]
            told()
        choices.append(
            _Choice(name, strengths[int(losses.argmin())], float(losses.min() / len(table)))
        )
    return sorted(choices, key=lambda choice: choice.loss)[: search.best]


def _fit(
    values, codes, train, test, strengths: Sequence[float], classes: int, kernel: bool = False
) -> list:
    """Probabilities (rows of `test`, classes) for each strength, weakest fit first.

    Each fit goes on from the one before it.
    """
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits

    model = LogisticRegression(max_iter=1000, tol=1e-3, warm_start=True)
    result = []
    # on so few rows two threads wait for each other longer than they work
    with threadpool_limits(1):
        seen, asked = _columns(values[train], values[test], kernel)
        for strength in strengths:
            model.set_params(C=strength).fit(seen, codes[train])
            probabilities = np.zeros((len(asked), classes))
            probabilities[:, model.classes_] = model.predict_proba(asked)
            result.append(probabilities)
    return result


def _columns(seen: np.ndarray, asked: np.ndarray, kernel: bool) -> tuple[np.ndarray, np.ndarray]:
    """Both parts standardised by the first; with `kernel`, in the space of its Gaussian kernel."""
    from sklearn.kernel_approximation import Nystroem
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(seen)
    seen, asked = scaler.transform(seen), scaler.transform(asked)
    if kernel:  # one component per row: no approximation is made
        space = Nystroem(
            kernel="rbf", gamma=1 / seen.shape[1], n_components=len(seen), random_state=0
        ).fit(seen)
        return space.transform(seen), space.transform(asked)
    # the same solution from fewer columns: it lies in the span of the rows
    if seen.shape[1] > 4 * seen.shape[0]:
        basis = np.linalg.qr(seen.T)[0]
        return seen @ basis, asked @ basis
    return seen, asked
