"""The paired comparison of two arms over seeds with differing test parts.

Used by `phantom_pretraining`.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks import resampling
from cxr_helpers import predictions

METRICS = ("f1_macro", "accuracy", "roc_auc_macro")
RESAMPLES, LEVEL = 1000, 0.95


def compare(arms: dict[str, list[pd.DataFrame]]) -> list[dict]:
    """One row per metric: mean over seeds of each arm, and their difference with intervals.

    The difference is second minus first.

    `arms`: two names, each with one table of predictions per seed, in the same order of seeds. Each
    resample draws whole groups of the set once and scores every seed's test part and both arms on
    that draw, so a group in the test parts of several seeds counts as one. `low`, `high`: the test
    groups are drawn, the trainings are taken as they are; `low_seeds`, `high_seeds`: the seeds are
    drawn besides, so that the chance in splitting and training counts too. Raises ValueError where
    the arms do not score the same images.
    """
    (first, second), tables = arms, [*arms.values()]
    for a, b in zip(*tables, strict=True):
        if sorted(a["image_id"]) != sorted(b["image_id"]):
            raise ValueError(f"{first} and {second} were scored on different images")
    groups = pd.Index(sorted(set().union(*(set(table["group"]) for table in tables[0]))))
    weights = resampling.group_weights(len(groups), RESAMPLES, 0)
    found = {arm: [_scored(table, groups, weights) for table in arms[arm]] for arm in arms}
    seeds = len(tables[0])
    common = {"seeds": seeds, "n_test": round(np.mean([len(table) for table in tables[0]]), 1)}
    common |= {
        "images": len(set().union(*(set(table["image_id"]) for table in tables[0]))),
        "groups": len(groups),
    }
    return [{"metric": name} | _row(name, found, seeds) | common for name in METRICS]


def _scored(table: pd.DataFrame, groups: pd.Index, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Each metric of one run: the figure itself first, then one per resample."""
    data = predictions.to_arrays(table)
    of_image = table.drop_duplicates("image_id").set_index("image_id")["group"]
    data = replace(
        data, group=groups.get_indexer(of_image.loc[data.image_id]), n_groups=len(groups)
    )
    both = np.vstack([np.ones((1, len(groups)), weights.dtype), weights])
    return {
        name: values for (name, _), values in resampling.statistics(data, both, METRICS).items()
    }


def _row(name: str, found: dict[str, list[dict]], seeds: int) -> dict:
    first, second = (np.stack([run[name] for run in runs]) for runs in found.values())
    difference = second - first  # seeds × (1 + resamples)
    drawn = (
        np.random.default_rng(1).multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES)
        / seeds
    )
    low, high = resampling.percentile(difference[:, 1:].mean(0), LEVEL)
    low_seeds, high_seeds = resampling.percentile((drawn.T * difference[:, 1:]).sum(0), LEVEL)
    row = {
        arm: float(values[:, 0].mean()) for arm, values in zip(found, (first, second), strict=True)
    }
    row |= {
        f"{arm}_sd": _spread(values[:, 0])
        for arm, values in zip(found, (first, second), strict=True)
    }
    each = difference[:, 0]
    row |= {"difference": float(each.mean()), "low": low, "high": high, "low_seeds": low_seeds}
    row |= {
        "high_seeds": high_seeds,
        "difference_sd": _spread(each),
        "lowest_seed": float(each.min()),
    }
    return row | {"highest_seed": float(each.max()), "seeds_better": int((each > 0).sum())}


def _spread(values: np.ndarray) -> float:
    """Standard deviation over seeds; undefined for one."""
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan
