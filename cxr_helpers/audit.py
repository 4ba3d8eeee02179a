"""What is wrong with a set of radiographs, found before any network is trained.

Each check reads the manifest (and the table of duplicate pairs) and gives one row:
`check`, `verdict` (`ok`, `look`, `fault`), `finding` (a sentence with its counts) and
`examples`.
"""

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from . import baselines, duplicates, evaluate, manifest, preprocess, split, stats
from .console import bar
from .images import read
from .predictions import build
from .rows import check_rows

COLUMNS = ["check", "verdict", "finding", "examples"]
WRITING_SIDE = 1024  # pixels; larger images are reduced before strokes are looked for
PIXELS_COMPARED = 12  # images, evenly spread over the table, that are held against their files
THUMBNAIL = 16  # pixels a side at which they are
LEAST_ALIKE = 0.5  # median correlation of an image with its file
SUSPECT_AUC = 0.6  # from here on what is not the lungs tells more about the class than it should
_FROM = {
    "file properties": "format, mode, size, bytes per pixel and source",
    "the source": "where the file comes from",
    "the frame": "the outer tenth of the image, with little of the lungs,",
    "burnt-in writing": "thin strokes such as letters and tubes",
}


def report(
    table: pd.DataFrame,
    rejects: pd.DataFrame | None = None,
    pairs: pd.DataFrame | None = None,
    seed: int = 0,
    images: np.ndarray | None = None,
) -> pd.DataFrame:
    """The audit of a set as a table, one row per check, in a fixed order.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    rejects : DataFrame, optional
        Files that its import could not read.
    pairs : DataFrame, optional
        The result of `duplicates.pairs` when at hand; otherwise computed.
    seed : int
        Of the folds of the baselines.
    images : ndarray, optional
        uint8 (n, size, size) in the order of the table: where they are given, the checks of
        `shortcuts` follow.

    Returns
    -------
    DataFrame
        Columns check, verdict (`ok`, `look`, `fault`), finding, examples; rows on grey levels only
        where they are odd.

    Raises
    ------
    ImageError
        As `duplicates.pairs` does.
    ValueError
        As `shortcuts` does.
    """
    pairs = duplicates.pairs(table) if pairs is None else pairs
    grouped = table if table["group"].notna().all() else duplicates.add_groups(table, pairs)
    rows = [
        _unreadable(rejects),
        _counts(table),
        _by_class(table, "format"),
        _by_class(table, "mode"),
        _sizes(table),
        *_grey_levels(table),
        _pairs(pairs, "identical"),
        _pairs(pairs, "near"),
        _crossing(pairs),
        _label_conflicts(pairs),
        _patients(table),
        _shortcut("file properties", grouped, lambda: file_properties_baseline(grouped, seed))[:4],
    ]
    page = pd.DataFrame(rows, columns=COLUMNS)
    return (
        page
        if images is None
        else pd.concat([page, shortcuts(grouped, images, seed)[COLUMNS]], ignore_index=True)
    )


def shortcuts(table: pd.DataFrame, images: np.ndarray, seed: int = 0) -> pd.DataFrame:
    """Whether the class can be told without the lungs.

    By the source, the frame, burnt-in writing, the order of the files. With many checks one in
    forty says `look` by chance. What passes is not free of shortcuts: only of these.

    Parameters
    ----------
    table : DataFrame
        A manifest with groups. Thin strokes are looked for in the files that it names, at full
        size; where the images differ from the files (masked, marked, changed), drop the column
        `path`, and the images are looked at.
    images : ndarray
        uint8 (n, size, size) in the order of the table.
    seed : int
        Of the folds of the baselines.

    Returns
    -------
    DataFrame
        Columns those of `report`, then value, low, high (AUC, macro over classes, in [0, 1], with
        its 95 % interval by group; for the order of the files the difference of two AUCs, see
        `order_gap`), n and groups. Verdict `fault` where the interval lies above 0.6, `look` where
        it lies above 0.5 (order of the files: above 0).

    Raises
    ------
    ValueError
        Where the images show something else than the files.
    """
    source = _row(
        "the source predicts the class", "look", "not tested: the set names one source, or none"
    )
    rows = [(*source, *[np.nan] * 3, len(table), table["group"].nunique())]
    if table["source"].nunique() > 1:
        rows = [_shortcut("the source", table, lambda: source_baseline(table, seed))]
    if "path" in table.columns:
        _check_pixels(table, images)
        writing = _shortcut(
            "burnt-in writing", table, lambda: writing_baseline(table, None, seed), " in the files"
        )
    else:
        writing = _shortcut(
            "burnt-in writing", table, lambda: writing_baseline(table, images, seed)
        )
    rows += [
        _shortcut("the frame", table, lambda: frame_baseline(table, images, seed, trees=60)),
        writing,
        _order(table, images, seed),
    ]
    return pd.DataFrame(rows, columns=[*COLUMNS, "value", "low", "high", "n", "groups"])


def file_properties_baseline(
    table: pd.DataFrame, seed: int = 0, k: int = 5, trees: int = 200
) -> pd.DataFrame:
    """Predictions from file properties alone; no picture is looked at.

    Format, colour mode, size, compression, source. A random forest (Breiman 2001), scored out of
    fold with whole groups kept together. What it gets right, a network could get right without
    seeing a lung.

    Parameters
    ----------
    table : DataFrame
        A manifest with groups (`duplicates.add_groups`).
    seed : int
        Of folds and forest.
    k : int
        Folds; fewer where a class has fewer groups.
    trees : int
        Of the forest.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ValueError
        As `split.folds` does.
    """
    return _forest(table, _properties(table), "file properties", seed, k, trees)


def frame_baseline(
    table: pd.DataFrame,
    images: np.ndarray,
    seed: int = 0,
    k: int = 5,
    trees: int = 100,
    *,
    width: int = 6,
) -> pd.DataFrame:
    """Predictions from the outer frame alone: `width` pixels on each side of the 64×64 image.

    It holds little of the lungs, on many images more than their edge. A random forest, scored as in
    `file_properties_baseline`. After Maguolo & Nanni 2021, doi 10.1016/j.inffus.2021.04.008, who
    blacken the centre.

    Parameters
    ----------
    table : DataFrame
        A manifest with groups. To ask another question than the disease, put its answer into the
        column label.
    images : ndarray
        uint8 (n, size, size), grey levels 0-255, row i for row i of the table; a side below 64 is
        kept as it is.
    seed, k, trees : int
        As in `file_properties_baseline`.
    width : int
        Of the frame, in pixels of the small image.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ValueError
        Where rows do not fit or the frame would cover the image.
    """
    check_rows(table, images)
    small = baselines.shrink(images)
    side = small.shape[1]
    if not 0 < width < side / 2:
        raise ValueError(
            f"a frame of {width} pixels leaves nothing of an image of {side}, or is none"
        )
    frame = np.ones(small.shape[1:], bool)
    frame[width:-width, width:-width] = False
    return _forest(table, small[:, frame], "frame", seed, k, trees)


def writing_baseline(
    table: pd.DataFrame,
    images=None,
    seed: int = 0,
    k: int = 5,
    trees: int = 60,
    *,
    progress: bool = True,
) -> pd.DataFrame:
    """Predictions from thin strokes alone: letters, marks, tubes, brighter or darker than around.

    Each file is read at its full size (at most 1,024 pixels a side), since writing fades when an
    image is made small. A stroke is what an opening of 2 % of the image's side removes,
    or a closing fills (top-hat transforms: Serra 1982); what counts is how much of the image, and
    of each of nine fields, stands out by 0.15 to 0.5 of the range from black to white. Ribs,
    vessels and opacities are wider or fainter; the edge of the image is left to `frame_baseline`. A
    random forest, scored as in `file_properties_baseline`.

    Parameters
    ----------
    table : DataFrame
        A manifest with groups.
    images : ndarray, optional
        uint8 (n, h, w) in the order of the table, taken in place of the files.
    seed, k, trees : int
        As in `file_properties_baseline`.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ImageError
        For a file that cannot be read.
    ValueError
        Where rows do not fit.
    """
    if images is not None:
        check_rows(table, images)
        return _forest(
            table, np.stack([_strokes(image / 255) for image in images]), "writing", seed, k, trees
        )
    scales = manifest.scales(table)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        results = pool.map(lambda path, scale: _strokes(read(path, scale)), table["path"], scales)
        found = list(bar(results, show=progress, total=len(table), desc="writing", unit="image"))
    return _forest(table, np.stack(found), "writing", seed, k, trees)


def order_gap(
    table: pd.DataFrame, images: np.ndarray, seed: int = 0, k: int = 5
) -> stats.Difference:
    """What a weak model gains when folds are random, not consecutive: a sign of hidden patients.

    Where no patient is named, the images of one person usually stand side by side in the order of
    the files. Logistic regression on 32x32 pixels is scored twice, out of fold: with folds drawn at
    random, and with each class cut into `k` consecutive pieces by `image_id`. Random folds then
    share people between their sides, consecutive ones hardly do. A gap means that neighbours in the
    list are alike, whatever the reason; it grows with the images of a patient. No gap proves
    nothing: `benchmarks/audit_rows.csv` has how often it is seen, and how often by chance.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    images : ndarray
        uint8 (n, size, size) in the order of the table.
    seed : int
        Of the random folds.
    k : int
        Folds.

    Returns
    -------
    Difference
        Of the AUCs, paired, macro over classes, images as units.

    Raises
    ------
    ValueError
        Where rows do not fit, or a class has fewer than `k` images.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    check_rows(table, images)
    counts = table["label"].value_counts().loc[lambda n: n > 0]
    if counts.min() < k:
        raise ValueError(f"{counts.idxmin()} has {counts.min()} images: too few for {k} folds")
    alone = table.assign(group=table["image_id"])
    place = alone.groupby("label", observed=True)["image_id"].rank(method="first") - 1
    size = alone.groupby("label", observed=True)["image_id"].transform("size")
    pieces = (place * k // size).to_numpy(int)
    in_order = [
        (np.flatnonzero(pieces != piece), np.flatnonzero(pieces == piece)) for piece in range(k)
    ]
    pixels = baselines.shrink(images, 32).reshape(len(table), -1)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=2000))
    with threadpool_limits(1):
        drawn, consecutive = (
            _out_of_fold(alone, pixels, model, folds, name, seed)
            for name, folds in (
                ("folds at random", _folds(alone, k, seed)),
                ("consecutive folds", in_order),
            )
        )
    return evaluate.compare(drawn, consecutive, "roc_auc_macro")


def source_baseline(
    table: pd.DataFrame, seed: int = 0, k: int = 5, *, by: str = "source"
) -> pd.DataFrame:
    """Predictions from a column alone, such as the source.

    The share of each class among the rows of the other folds that have the same value of `by`; a
    value not met there (or missing) gets the shares of all of them. Whole groups are kept together;
    no image is looked at.

    Parameters
    ----------
    table : DataFrame
        A manifest with groups.
    seed, k : int
        As in `file_properties_baseline`.
    by : str
        The column.

    Returns
    -------
    DataFrame
        A table of predictions.

    Raises
    ------
    ValueError
        For an unknown column.
    """
    if by not in table.columns:
        raise ValueError(f"The table has no column {by!r}; it has {', '.join(table.columns)}.")
    known = table[by].astype(object).where(table[by].notna(), "unknown").astype(str).to_numpy()
    classes = pd.get_dummies(table["label"]).to_numpy(float)
    probabilities = np.zeros(classes.shape)
    for train, scored in _folds(table, k, seed):
        shares = pd.DataFrame(classes[train]).groupby(known[train]).mean()
        found = shares.reindex(known[scored]).fillna(dict(enumerate(classes[train].mean(axis=0))))
        probabilities[scored] = found.to_numpy()
    return build(table.assign(split=None), probabilities, model=f"{by} alone", seed=seed)


def masked(
    images: np.ndarray, masks: np.ndarray, keep: str = "outside", fill: int = 0
) -> np.ndarray:
    """A copy of the images with only what lies outside (or inside) the masks; the rest is `fill`.

    The outline of a mask is still seen where its inside is filled: a lung that disease has made
    small stays small.

    Parameters
    ----------
    images : ndarray
        uint8 (n, h, w), grey levels 0-255.
    masks : ndarray
        bool (n, h, w), or (h, w) for all.
    keep : str
        `outside` or `inside`.
    fill : int
        A grey level.

    Returns
    -------
    ndarray
        (n, h, w), in the type of the images.

    Raises
    ------
    ValueError
        For masks of another shape or type, or another `keep`.

    Examples
    --------
    >>> images, mask = np.array([[[10, 20, 30]]], np.uint8), np.array([[False, True, False]])
    >>> masked(images, mask).tolist(), masked(images, mask, keep="inside", fill=255).tolist()
    ([[[10, 0, 30]]], [[[255, 20, 255]]])
    """
    images, masks = np.asarray(images), np.asarray(masks)
    if keep not in ("outside", "inside"):
        raise ValueError(f"keep is 'outside' or 'inside', not {keep!r}")
    if masks.dtype != bool or masks.shape not in (images.shape, images.shape[1:]):
        raise ValueError(
            f"masks of {masks.dtype} {masks.shape} do not fit images {images.shape}; give one bool "
            "a pixel"
        )
    return np.where(masks if keep == "inside" else ~masks, images, np.asarray(fill, images.dtype))


def _strokes(image: np.ndarray) -> np.ndarray:
    """Shares of pixels in bright and in dark strokes.

    Of several strengths over the image, of one in nine fields.
    """
    from PIL import Image
    from scipy.ndimage import grey_closing, grey_opening

    image = np.asarray(image, np.float32)
    if max(image.shape) > WRITING_SIDE:
        times = -(-max(image.shape) // WRITING_SIDE)
        image = np.asarray(Image.fromarray(image).reduce(times))
    width = max(3, round(max(image.shape) / 45))
    bright, dark = image - grey_opening(image, width), grey_closing(image, width) - image
    fields = [
        cell for band in np.array_split(bright, 3) for cell in np.array_split(band, 3, axis=1)
    ]
    shares = [(bright > level).mean() for level in (0.15, 0.2, 0.3, 0.4, 0.5)]
    shares += [(dark > level).mean() for level in (0.2, 0.3, 0.4)]
    return np.array(shares + [(field > 0.25).mean() for field in fields])


def _forest(
    table: pd.DataFrame, features, name: str, seed: int, k: int, trees: int
) -> pd.DataFrame:
    """Out-of-fold predictions of a random forest on one row of numbers per image."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        trees, min_samples_leaf=2, class_weight="balanced", random_state=seed
    )
    return _out_of_fold(table, features, forest, _folds(table, k, seed), name, seed)


def _out_of_fold(table: pd.DataFrame, features, model, folds, name: str, seed: int) -> pd.DataFrame:
    """Predictions of a classifier, each row by the model fitted to the other folds."""
    from sklearn.base import clone

    features, codes = np.asarray(features), table["label"].cat.codes.to_numpy()
    probabilities = np.zeros((len(table), len(table["label"].cat.categories)))
    for train, scored in bar(folds, desc=name, unit="fold"):
        fitted = clone(model).fit(features[train], codes[train])
        # a class that the fold has not met keeps probability 0
        probabilities[scored[:, None], fitted.classes_] = fitted.predict_proba(features[scored])
    # no part: out of fold
    return build(table.assign(split=None), probabilities, model=name, seed=seed)


def _folds(table: pd.DataFrame, k: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(rows to fit on, rows to score) for each fold, whole groups.

    There are fewer folds where a class has fewer groups.
    """
    smallest = table.groupby("label", observed=True)["group"].nunique().min()
    folds = split.folds(table, k=int(min(k, smallest)), seed=seed)["fold"].to_numpy(int)
    return [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in np.unique(folds)]


def _properties(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers that describe the file, not the chest."""
    numbers = pd.DataFrame(
        {
            "width": table["width"],
            "height": table["height"],
            "aspect": table["width"] / table["height"],
            "bytes_per_pixel": table["bytes"] / (table["width"] * table["height"]),
        }
    )
    extension = table["path"].str.extract(r"\.([^./\\]+)$", expand=False).str.lower()
    words = (
        table[["format", "mode", "source"]]
        .astype(object)
        .assign(extension=extension)
        .fillna("unknown")
    )
    return pd.concat([numbers, pd.get_dummies(words.astype(str))], axis=1).astype(float)


def _row(check: str, verdict: str, finding: str, examples: Iterable[str] = ()) -> tuple[str, ...]:
    return check, verdict, finding, "; ".join(list(examples)[:3])


def _unreadable(rejects: pd.DataFrame | None) -> tuple[str, ...]:
    if rejects is None or rejects.empty:
        return _row("unreadable files", "ok", "every image file could be read")
    # the name travels
    examples = rejects["path"].map(lambda path: Path(path).name) + ": " + rejects["problem"]
    return _row("unreadable files", "look", f"{len(rejects)} file(s) left out", examples)


def _counts(table: pd.DataFrame) -> tuple[str, ...]:
    counts = table["label"].value_counts()
    text = ", ".join(f"{n} {label}" for label, n in counts.items())
    splits = table["split"].value_counts().loc[lambda n: n > 0]
    by_split = (
        " (" + ", ".join(f"{n} {name}" for name, n in splits.items()) + ")" if len(splits) else ""
    )
    verdict = "look" if counts.max() > 3 * counts.min() or counts.min() < 50 else "ok"
    return _row("images by class", verdict, f"{len(table)} images{by_split}: {text}")


def _by_class(table: pd.DataFrame, column: str) -> tuple[str, ...]:
    """Does a word that describes the file depend on the class?"""
    share = pd.crosstab(table["label"], table[column], normalize="index")
    apart = (share.max() - share.min()).max() if len(share) > 1 else 0.0
    text = "; ".join(
        f"{label}: "
        + ", ".join(f"{100 * value:.0f} % {name}" for name, value in row[row > 0].items())
        for label, row in share.iterrows()
    )
    return _row(f"{column} by class", "look" if apart > 0.2 else "ok", text)


def _sizes(table: pd.DataFrame) -> tuple[str, ...]:
    sizes = table["width"].astype(str) + "×" + table["height"].astype(str)
    if sizes.nunique() == 1:
        return _row("size by class", "ok", f"every image is {sizes.iloc[0]}")
    aspect = (table["width"] / table["height"]).groupby(table["label"], observed=True).median()
    width = table.groupby("label", observed=True)["width"].median()
    text = "; ".join(
        f"{c}: median width {width[c]:.0f}, width / height {aspect[c]:.2f}" for c in width.index
    )
    apart = width.max() / width.min() > 1.2 or np.ptp(aspect) > 0.05
    return _row("size by class", "look" if apart else "ok", text)


def _grey_levels(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """A row for each remark that the import made on grey levels, of a set where it made any."""
    if "remarks" not in table.columns:
        return []
    each = table.assign(remark=table["remarks"].astype("string").str.split("; ")).explode("remark")
    rows = []
    for remark, found in each.groupby("remark"):
        verdict = "fault" if "one grey level" in remark else "look"
        rows.append(
            _row("grey levels", verdict, f"{len(found)} image(s): {remark}", found["image_id"])
        )
    return rows


def _names(pairs: pd.DataFrame) -> list[str]:
    """`a = b` for each pair, without the folders that all of them share."""
    names = {*pairs["image_id_a"], *pairs["image_id_b"]}
    try:
        folder = os.path.commonpath(names) if len(names) > 1 else ""
    except ValueError:  # some are absolute and some are not: none is shared
        folder = ""
    shared = len(folder.rstrip("/")) + 1 if folder else 0
    return [
        f"{a[shared:]} = {b[shared:]}"
        for a, b in zip(pairs["image_id_a"], pairs["image_id_b"], strict=True)
    ]


def _pairs(pairs: pd.DataFrame, kind: str) -> tuple[str, ...]:
    found = pairs[pairs["kind"] == kind]
    name = {"identical": "byte-identical pairs", "near": "near-duplicate pairs"}[kind]
    negatives = (found["similarity"] < 0).sum()
    text = f"{len(found)} pair(s)" + (
        f", {negatives} of them an image and its negative" if negatives else ""
    )
    return _row(name, "fault" if len(found) else "ok", text, _names(found))


def _crossing(pairs: pd.DataFrame) -> tuple[str, ...]:
    both = pairs["split_a"].notna() & pairs["split_b"].notna()
    crossing = pairs[both & (pairs["split_a"] != pairs["split_b"])]
    if not both.any() and len(pairs):
        return _row(
            "duplicates across the split",
            "look",
            "the set has no split yet; group it before splitting",
        )
    sides = [
        *zip(crossing["image_id_a"], crossing["split_a"], strict=True),
        *zip(crossing["image_id_b"], crossing["split_b"], strict=True),
    ]
    test = len({name for name, part in sides if part == "test"})
    text = (
        f"{len(crossing)} pair(s), {(crossing['kind'] == 'identical').sum()} of them byte-identical"
    )
    text += f"; {test} test image(s) stand in another part too"
    return _row(
        "duplicates across the split", "fault" if len(crossing) else "ok", text, _names(crossing)
    )


def _label_conflicts(pairs: pd.DataFrame) -> tuple[str, ...]:
    conflicts = pairs[pairs["label_a"] != pairs["label_b"]]
    text = f"{len(conflicts)} pair(s) of one radiograph with two labels"
    return _row(
        "label conflicts among duplicates",
        "fault" if len(conflicts) else "ok",
        text,
        _names(conflicts),
    )


def _patients(table: pd.DataFrame) -> tuple[str, ...]:
    known = table[table["patient"].notna()]
    text = f"{known['patient'].nunique()} patients known for {len(known)} of {len(table)} images"
    if known.empty:
        return _row(
            "patients",
            "look",
            "no patient is known: two images of one person cannot be told from two people",
        )
    spread = known.groupby("patient")["split"].nunique()
    both = spread[spread > 1].index.astype(str)
    labels = known.groupby("patient")["label"].nunique()
    text += f"; {len(both)} on several sides of the split; {(labels > 1).sum()} with several labels"
    return _row(
        "patients",
        "fault" if len(both) else "look" if len(known) < len(table) else "ok",
        text,
        both,
    )


def _check_pixels(table: pd.DataFrame, images: np.ndarray) -> None:
    """Refuse images no more like their files than chance: a mix-up, or pixels made otherwise."""
    check_rows(table, images)
    rows = np.unique(np.linspace(0, len(table) - 1, min(len(table), PIXELS_COMPARED)).astype(int))
    scales = manifest.scales(table)
    files = [read(table["path"].iloc[row], scales[row]) for row in rows]
    given = _standardised(
        [preprocess.resize(np.asarray(images[row], np.float32), THUMBNAIL) for row in rows]
    )
    by_fit = [
        _standardised([preprocess.prepare(file, THUMBNAIL, fit) for file in files])
        for fit in preprocess.FITS
    ]
    # correlations: image i with file j
    alike = np.max([given @ prepared.T for prepared in by_fit], axis=0)
    own = np.diag(alike)
    if np.median(own) < LEAST_ALIKE or np.mean(own < alike.max(axis=1) - 1e-6) > 0.5:
        raise ValueError(
            f"The images show something else than the files of the column path (of {len(rows)} "
            f"images, the median correlation with their own file is {np.median(own):.2f}). Put "
            "them into the order of the table; where "
            'they were changed on purpose, ask audit.shortcuts(table.drop(columns="path"), images).'
        )


def _standardised(images: list[np.ndarray]) -> np.ndarray:
    """A row of mean 0 and length 1 for each image; zeros for a flat one."""
    rows = np.stack(images).reshape(len(images), -1).astype(float)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def _shortcut(
    what: str, table: pd.DataFrame, predictions: Callable[[], pd.DataFrame], where: str = ""
) -> tuple:
    """A row of the audit, and the figure behind it: AUC, interval, n, groups."""
    name = f"{what} predict{'' if what.endswith('s') else 's'} the class"
    groups = table.groupby("label", observed=True)["group"].nunique()
    if len(groups) < 2 or groups.min() < 5:
        untested = _row(name, "look", "not tested: it takes two classes with five groups each")
        return *untested, np.nan, np.nan, np.nan, len(table), table["group"].nunique()
    auc = evaluate.metric(predictions(), "roc_auc_macro")
    figure = f"AUC {auc.value:.2f} (95 % interval {auc.low:.2f}-{auc.high:.2f}, n = {auc.n})"
    text = f"{figure} from {_FROM[what]} alone{where}"
    verdict = "fault" if auc.low > SUSPECT_AUC else "look" if auc.low > 0.5 else "ok"
    return *_row(name, verdict, text), auc.value, auc.low, auc.high, auc.n, auc.groups


def _order(table: pd.DataFrame, images: np.ndarray, seed: int) -> tuple:
    """The row on the order of the files, and the figures behind it."""
    name = "the order of the files"
    smallest = table["label"].value_counts().loc[lambda n: n > 0]
    untested = (np.nan, np.nan, np.nan, len(table), table["group"].nunique())
    if table["patient"].notna().all():
        return *_row(name, "ok", "not needed: every patient is named"), *untested
    if len(smallest) < 2 or smallest.min() < 20:
        return *_row(
            name, "look", "not tested: it takes two classes with twenty images each"
        ), *untested
    gap = order_gap(table, images, seed)
    figure = f"{gap.value:+.2f} (95 % interval {gap.low:+.2f} to {gap.high:+.2f}, n = {gap.n})"
    text = f"AUC of logistic regression, folds at random minus consecutive folds: {figure}"
    verdict = "look" if gap.low > 0 else "ok"
    return *_row(name, verdict, text), gap.value, gap.low, gap.high, gap.n, gap.groups
