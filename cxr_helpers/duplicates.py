"""Exact and near-duplicate radiographs, and the groups that a split must keep together.

Two files are *identical* when their bytes are (SHA-256), and *near* duplicates when their
local structure is: the same radiograph with another contrast, size or compression, or its negative.
A copy that was mirrored, rotated, shifted, framed or cropped by more than a little is **not
found**: `benchmarks/duplicates.csv` has the share that is, for each kind of change and threshold.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd

from . import images, manifest
from .console import bar

SIZE = 64  # side of the reduced image on which the structure is compared
BORDER = 4  # pixels cut from each side of it: frames and burnt-in letters
WINDOW = 9  # side of the neighbourhood whose mean is subtracted
# cosine similarity; benchmarks/duplicates.py measures precision and recall around it
THRESHOLD = 0.8
PAIR_COLUMNS = [
    "image_id_a",
    "image_id_b",
    "kind",
    "similarity",
    "label_a",
    "label_b",
    "split_a",
    "split_b",
]


def fingerprint(image: np.ndarray) -> np.ndarray:
    """Unit vector of an image's local structure, blind to contrast and brightness.

    The image is reduced to 64x64, its grey levels replaced by their ranks (so that any
    increasing change of contrast leaves no trace), its border cut, and the mean of each
    9x9 neighbourhood subtracted (so that the shape all chests share counts little).

    Parameters
    ----------
    image : ndarray
        float (h, w), any range.

    Returns
    -------
    ndarray
        float32 (3136,), of length 1, or all zeros for a flat image.

    Examples
    --------
    >>> image = np.random.default_rng(0).random((128, 128))
    >>> one, darker, negative = fingerprint(image), fingerprint(image / 3), fingerprint(1 - image)
    >>> one.shape, round(float(one @ darker), 3), round(float(one @ negative), 3)
    ((3136,), 1.0, -1.0)
    """
    from PIL import Image
    from scipy.ndimage import uniform_filter
    from scipy.stats import rankdata

    small = np.asarray(
        Image.fromarray(np.asarray(image, np.float32)).resize((SIZE, SIZE), Image.Resampling.BOX)
    )
    ranks = rankdata(small).reshape(SIZE, SIZE) / small.size
    inner = ranks[BORDER:-BORDER, BORDER:-BORDER]
    local = inner - uniform_filter(inner, WINDOW, mode="nearest")
    length = np.linalg.norm(local)
    unit: np.ndarray = local / length if length > 1e-9 else np.zeros_like(local)
    return unit.astype(np.float32).ravel()


def fingerprints(table: pd.DataFrame, progress: bool = True) -> np.ndarray:
    """Fingerprints of all images of a manifest: float32 (n, 3136), in row order.

    Parameters
    ----------
    table : DataFrame
        A manifest of n images.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    ndarray
        float32 (n, 3136); see `fingerprint`.

    Raises
    ------
    ImageError
        For a file that cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "1.png")
    ...     Image.linear_gradient("L").save(path)
    ...     table = pd.DataFrame({"path": [str(path)], "sha256": [images.describe(path).sha256]})
    ...     np.array_equal(fingerprints(table, progress=False)[0], fingerprint(images.read(path)))
    True
    """
    scales = manifest.scales(table)
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:  # each holds an image of any size
        results = pool.map(_of_file, table["path"], table["sha256"], scales)
        shown = bar(results, show=progress, total=len(table), desc="fingerprints", unit="image")
        return (
            np.stack(list(shown))
            if len(table)
            else np.zeros((0, (SIZE - 2 * BORDER) ** 2), np.float32)
        )


def _of_file(path: str, sha256: str, scale: float | None) -> np.ndarray:
    image = images.recall(path, sha256, scale)
    return fingerprint(images.read(path, scale) if image is None else image)


def similar(vectors: np.ndarray, threshold: float, block: int = 1024) -> pd.DataFrame:
    """All pairs of unit vectors with a cosine ≥ `threshold`, or ≤ -`threshold`.

    In the second case one is the other's negative.

    Works in blocks, so that memory stays flat for thousands of images.

    Parameters
    ----------
    vectors : ndarray
        (n, d), each of length 1, or all zeros.
    threshold : float
        Cosine similarity, in (0, 1].
    block : int
        Rows that are compared with all others at a time.

    Returns
    -------
    DataFrame
        Columns `a`, `b` (row numbers, a < b), `similarity`, with its sign.

    Examples
    --------
    >>> similar(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]), threshold=0.9).to_numpy().tolist()
    [[0.0, 2.0, -1.0]]
    """
    found = []
    starts = range(0, len(vectors), block)
    for start in bar(starts, desc="comparing", unit="block"):
        cosines = vectors[start : start + block] @ vectors[start:].T
        a, b = np.nonzero(np.triu(np.abs(cosines) >= threshold, k=1))
        found.append(
            pd.DataFrame(
                {"a": a + start, "b": b + start, "similarity": cosines[a, b].astype(float)}
            )
        )
    return (
        pd.concat(found, ignore_index=True)
        if found
        else pd.DataFrame({"a": [], "b": [], "similarity": []})
    )


def pairs(table: pd.DataFrame, threshold: float = THRESHOLD, progress: bool = True) -> pd.DataFrame:
    """The pairs of images in a manifest that show the same radiograph, most similar first.

    What is not found: see the module.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    threshold : float
        Cosine similarity in (0, 1] from which two images count as near duplicates.
    progress : bool
        Whether to show a bar.

    Returns
    -------
    DataFrame
        One row per pair: `image_id_a`, `image_id_b`, `kind` (`identical` bytes or `near`),
        `similarity` (below zero: one is the negative of the other), and label and split of both
        sides.

    Raises
    ------
    ImageError
        For a file that cannot be read.
    ValueError
        For a threshold outside (0, 1].

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> grey = np.random.default_rng(0).integers(0, 255, (80, 80), np.uint8)
    >>> images = {"normal/1.png": grey, "normal/2.png": grey // 2, "covid/3.png": grey.T}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, levels in images.items():
    ...         Path(folder, name).parent.mkdir(exist_ok=True)
    ...         Image.fromarray(levels).save(Path(folder, name))
    ...     table = manifest.from_folder(folder, progress=False).table
    ...     found = pairs(table, progress=False)
    >>> found[["image_id_a", "image_id_b", "kind"]].to_numpy().tolist()
    [['normal/1.png', 'normal/2.png', 'near']]
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold must lie in (0, 1], not {threshold}")
    rows = table.reset_index(drop=True)
    found = similar(fingerprints(rows, progress), threshold)
    hashes = rows["sha256"].to_numpy()
    identical = _identical(hashes)
    # flat but identical images have no fingerprint
    found = found.merge(identical, on=["a", "b"], how="outer")
    a, b = found["a"].to_numpy(int), found["b"].to_numpy(int)
    same = hashes[a] == hashes[b] if len(found) else np.zeros(0, bool)
    result = pd.DataFrame(
        {
            "image_id_a": rows["image_id"].to_numpy()[a],
            "image_id_b": rows["image_id"].to_numpy()[b],
            "kind": np.where(same, "identical", "near"),
            "similarity": np.where(same, 1.0, found["similarity"]).round(4),
        }
    )
    for column in ("label", "split"):
        values = rows[column].astype(object).to_numpy()
        result[f"{column}_a"], result[f"{column}_b"] = values[a], values[b]
    order = ["strength", "kind", "image_id_a", "image_id_b"]
    result = result.assign(strength=result["similarity"].abs())
    return result.sort_values(order, ascending=[False, True, True, True], ignore_index=True)[
        PAIR_COLUMNS
    ]


def _identical(hashes: np.ndarray) -> pd.DataFrame:
    """Pairs of row numbers with equal hash."""
    rows = pd.DataFrame({"sha256": hashes, "row": np.arange(len(hashes))})
    rows = rows[rows["sha256"].duplicated(keep=False)]
    both = rows.merge(rows, on="sha256", suffixes=("_a", "_b"))
    both = both[both["row_a"] < both["row_b"]]
    return pd.DataFrame({"a": both["row_a"].to_numpy(), "b": both["row_b"].to_numpy()})


def add_groups(
    table: pd.DataFrame, pairs_found: pd.DataFrame | None = None, threshold: float = THRESHOLD
) -> pd.DataFrame:
    """The manifest with its column `group`: kept together by a split, counted as one by intervals.

    Images are in one group when they are of one known patient or duplicates of each other,
    directly or through others (connected components). A patient who is not known joins
    nothing. A group is named after the first `image_id` in it, so its name does not depend
    on the order of the rows.

    Parameters
    ----------
    table : DataFrame
        A manifest.
    pairs_found : DataFrame, optional
        The result of `pairs(table)` when it is at hand; otherwise computed.
    threshold : float
        As for `pairs`, where it has to be computed.

    Returns
    -------
    DataFrame
        A copy; no `group` is empty.

    Raises
    ------
    ImageError
        As `pairs` does.

    Examples
    --------
    The first two are of one patient, and the third is a copy of the second:

    >>> table = pd.DataFrame({"image_id": ["1", "2", "3", "4"], "patient": ["p", "p", None, None]})
    >>> copies = pd.DataFrame({"image_id_a": ["2"], "image_id_b": ["3"]})
    >>> add_groups(table, copies)["group"].tolist()
    ['1', '1', '1', '4']
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs_found = pairs(table, threshold) if pairs_found is None else pairs_found
    position = pd.Series(np.arange(len(table)), index=table["image_id"])
    known = table["patient"].notna().to_numpy()
    first = (
        pd.Series(np.arange(len(table)))
        .groupby(table["patient"].astype(object).to_numpy())
        .transform("first")
    )
    a = np.concatenate(
        [position[pairs_found["image_id_a"]].to_numpy(), first.to_numpy()[known].astype(int)]
    )
    b = np.concatenate([position[pairs_found["image_id_b"]].to_numpy(), np.flatnonzero(known)])
    graph = coo_array(
        (np.ones(len(a), np.int8), (a.astype(int), b.astype(int))), shape=(len(table), len(table))
    )
    component = pd.Series(connected_components(graph, directed=False)[1])
    names = table["image_id"].reset_index(drop=True).groupby(component.to_numpy()).transform("min")
    return table.assign(group=names.to_numpy())
