"""Maps scored against the truth: each figure with its interval by group and its n."""

from collections.abc import Mapping
from dataclasses import asdict

import numpy as np
import pandas as pd

from .. import stats
from ..predictions import units
from ..rows import check_rows

MEASURES = {"energy": "energy inside", "pointing": "pointing game", "share": "mask's share"}


def average(
    values, table: pd.DataFrame, level: float = 0.95, *, signed: bool = False
) -> stats.Estimate:
    """Mean of one number per image, with its interval by group.

    Parameters: `values`, (n,), row i for row i of the table (`image_id`, `group`); NaN is left out,
    and n counts the rest; `signed`, True for numbers that may be negative, such as differences of
    two scores (a paired comparison) and correlations. Other numbers that all lie in [0, 1] get the
    interval of a share (`stats.proportion`), the rest value ± t · SE. Raises ValueError where the
    lengths differ or no value is there. Introduced in lesson 10.
    """
    numbers = np.asarray(values, float)
    if numbers.shape != (len(table),):
        raise ValueError(
            f"{numbers.shape} values for {len(table)} images: give one number per row of the table"
        )
    known = np.isfinite(numbers)
    if not known.any():
        raise ValueError("there is no value to average")
    group, numbers = units(table)[known], numbers[known]
    bounded = not signed and numbers.min() >= 0 and numbers.max() <= 1
    return (stats.proportion if bounded else stats.mean)(numbers, group, level)


def map_scores(maps: np.ndarray, masks: np.ndarray, margin: int = 0) -> pd.DataFrame:
    """How well each map fits its mask, one row per image: columns energy, pointing, share, empty.

    Parameters: `maps` (n, h, w), what is below zero counts as zero; `masks` boolean (n, h, w), map
    i for mask i; `margin`, by how many pixels each mask is widened first, for what is smaller than
    a place of a coarse map. `energy`, the share of the map's sum that lies inside the mask;
    `pointing`, 1 where the map's highest place lies inside (where several are equally high, the
    share of them that does; Zhang et al. 2018, doi 10.1007/s11263-017-1059-x); `share`, that of the
    mask in the image, which is what a map without knowledge gets; `empty`, whether the map is zero
    everywhere: it then scores 0. An image whose mask is empty has NaN. Raises ValueError where the
    shapes differ. Introduced in lesson 10.
    """
    heat, inside = np.clip(np.asarray(maps, np.float64), 0, None), np.asarray(masks, bool)
    if heat.shape != inside.shape or heat.ndim != 3:
        raise ValueError(
            f"maps {heat.shape} and masks {inside.shape} must have one shape (n, h, w): map i, "
            "mask i"
        )
    inside = _widened(inside, margin)
    places = (1, 2)
    total, top = heat.sum(places), heat.max(places, keepdims=True)
    highest = (heat == top) & (top > 0)
    empty = total == 0
    found = pd.DataFrame(
        {
            "energy": (heat * inside).sum(places) / np.where(empty, 1, total),
            "pointing": (highest & inside).sum(places) / np.maximum(highest.sum(places), 1),
            "share": inside.mean(places),
        }
    )
    found[~inside.any(places)] = np.nan
    return found.assign(empty=empty)


def _widened(masks: np.ndarray, margin: int) -> np.ndarray:
    """Masks with so many pixels added around them, (n, h, w)."""
    from scipy.ndimage import maximum_filter

    if margin < 0:
        raise ValueError(f"margin is a number of pixels, 0 or more, not {margin}")
    side = 2 * margin + 1
    return maximum_filter(masks, size=(1, side, side), mode="constant") if margin else masks


def localisation(
    maps: Mapping[str, np.ndarray],
    masks: np.ndarray,
    table: pd.DataFrame,
    margin: int = 0,
    level: float = 0.95,
) -> pd.DataFrame:
    """Kinds of maps scored against masks, one row per kind and measure.

    Columns: map, measure, value, low, high, n, groups, support, method.

    Parameters: `maps`, {name: (n, h, w)}; `masks`, boolean (n, h, w); `table`, with `image_id` and
    `group`; map, mask and row i are of one image; `margin`, in pixels, widens the masks. Three rows
    for each kind: "energy inside", "pointing game" and, as what chance gets, "mask's share" (see
    `map_scores`), in [0, 1]. Images without a mask are left out; intervals as in `average`. Raises
    ValueError where shapes or lengths differ, or no image has a mask. Introduced in lesson 10.
    """
    if not maps:
        raise ValueError("localisation needs at least one kind of map: {name: maps}")
    if not np.asarray(masks).any():
        raise ValueError("no mask marks anything: choose images that show what is to be found")
    rows = []
    for name, heat in maps.items():
        check_rows(table, heat, f"maps of {name}")
        scored = map_scores(heat, masks, margin)
        for column, measure in MEASURES.items():
            rows.append(
                {"map": name, "measure": measure, **asdict(average(scored[column], table, level))}
            )
    return pd.DataFrame(rows)
