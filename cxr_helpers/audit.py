"""What is wrong with a set of radiographs, found before any network is trained.

Each check reads the manifest (and the table of duplicate pairs) and gives one row:
`check`, `verdict` (`ok`, `look`, `fault`), `finding` (a sentence with its counts) and
`examples`. Introduced in lesson 02; duplicates in lesson 04.
"""

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from . import duplicates, evaluate, split
from .train import predictions_table

COLUMNS = ["check", "verdict", "finding", "examples"]
SUSPECT_AUC = 0.6  # from here on a file's properties tell more about its class than they should


def report(
    table: pd.DataFrame, rejects: pd.DataFrame | None = None, pairs: pd.DataFrame | None = None, seed: int = 0
) -> pd.DataFrame:
    """The audit of a set as a table, one row per check, in a fixed order.

    Parameters: `table`, a manifest; `rejects`, files that its import could not read; `pairs`,
    the result of `duplicates.pairs` when at hand; `seed` of the folds of the file-properties
    baseline. Introduced in lesson 02.
    """
    pairs = duplicates.pairs(table) if pairs is None else pairs
    grouped = table if table["group"].notna().all() else duplicates.add_groups(table, pairs)
    rows = [
        _unreadable(rejects),
        _counts(table),
        _by_class(table, "format"),
        _by_class(table, "mode"),
        _sizes(table),
        _pairs(pairs, "identical"),
        _pairs(pairs, "near"),
        _crossing(pairs),
        _label_conflicts(pairs),
        _patients(table),
        _file_properties(grouped, seed),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def file_properties_baseline(table: pd.DataFrame, seed: int = 0, k: int = 5, trees: int = 200) -> pd.DataFrame:
    """Predictions from file properties alone: format, colour mode, size, compression, source; no picture is looked at.

    A random forest (Breiman 2001) of `trees` trees, scored out of fold with whole groups kept together. What it
    gets right, a network could get right without seeing a lung. The table needs groups
    (`duplicates.add_groups`). Returns a predictions table. Introduced in lesson 02.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import cross_val_predict

    smallest = table.groupby("label", observed=True)["group"].nunique().min()
    table = split.folds(table, k=int(min(k, smallest)), seed=seed)
    folds = table["fold"].to_numpy(int)
    parts = [(np.flatnonzero(folds != f), np.flatnonzero(folds == f)) for f in np.unique(folds)]
    forest = RandomForestClassifier(trees, min_samples_leaf=2, class_weight="balanced", random_state=seed)
    codes = table["label"].cat.codes.to_numpy()
    probabilities = cross_val_predict(forest, _properties(table), codes, cv=parts, method="predict_proba")
    return predictions_table(table, probabilities, model="file properties", seed=seed)


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
    words = table[["format", "mode", "source"]].astype(object).assign(extension=extension).fillna("unknown")
    return pd.concat([numbers, pd.get_dummies(words.astype(str))], axis=1).astype(float)


def _row(check: str, verdict: str, finding: str, examples: Iterable[str] = ()) -> tuple[str, ...]:
    return check, verdict, finding, "; ".join(list(examples)[:3])


def _unreadable(rejects: pd.DataFrame | None) -> tuple[str, ...]:
    if rejects is None or rejects.empty:
        return _row("unreadable files", "ok", "every image file could be read")
    examples = rejects["path"].map(lambda path: Path(path).name) + ": " + rejects["problem"]  # the name travels
    return _row("unreadable files", "look", f"{len(rejects)} file(s) left out", examples)


def _counts(table: pd.DataFrame) -> tuple[str, ...]:
    counts = table["label"].value_counts()
    text = ", ".join(f"{n} {label}" for label, n in counts.items())
    splits = table["split"].value_counts().loc[lambda n: n > 0]
    by_split = " (" + ", ".join(f"{n} {name}" for name, n in splits.items()) + ")" if len(splits) else ""
    verdict = "look" if counts.max() > 3 * counts.min() or counts.min() < 50 else "ok"
    return _row("images by class", verdict, f"{len(table)} images{by_split}: {text}")


def _by_class(table: pd.DataFrame, column: str) -> tuple[str, ...]:
    """Does a word that describes the file depend on the class?"""
    share = pd.crosstab(table["label"], table[column], normalize="index")
    apart = (share.max() - share.min()).max() if len(share) > 1 else 0.0
    text = "; ".join(
        f"{label}: " + ", ".join(f"{100 * value:.0f} % {name}" for name, value in row[row > 0].items())
        for label, row in share.iterrows()
    )
    return _row(f"{column} by class", "look" if apart > 0.2 else "ok", text)


def _sizes(table: pd.DataFrame) -> tuple[str, ...]:
    sizes = table["width"].astype(str) + "×" + table["height"].astype(str)
    if sizes.nunique() == 1:
        return _row("size by class", "ok", f"every image is {sizes.iloc[0]}")
    aspect = (table["width"] / table["height"]).groupby(table["label"], observed=True).median()
    width = table.groupby("label", observed=True)["width"].median()
    text = "; ".join(f"{c}: median width {width[c]:.0f}, width / height {aspect[c]:.2f}" for c in width.index)
    apart = width.max() / width.min() > 1.2 or np.ptp(aspect) > 0.05
    return _row("size by class", "look" if apart else "ok", text)


def _names(pairs: pd.DataFrame) -> list[str]:
    """`a = b` for each pair, without the folders that all of them share."""
    names = [*pairs["image_id_a"], *pairs["image_id_b"]]
    shared = len(os.path.commonpath(names)) + 1 if len(set(names)) > 1 and os.path.commonpath(names) else 0
    return [f"{a[shared:]} = {b[shared:]}" for a, b in zip(pairs["image_id_a"], pairs["image_id_b"], strict=True)]


def _pairs(pairs: pd.DataFrame, kind: str) -> tuple[str, ...]:
    found = pairs[pairs["kind"] == kind]
    name = {"identical": "byte-identical pairs", "near": "near-duplicate pairs"}[kind]
    return _row(name, "fault" if len(found) else "ok", f"{len(found)} pair(s)", _names(found))


def _crossing(pairs: pd.DataFrame) -> tuple[str, ...]:
    both = pairs["split_a"].notna() & pairs["split_b"].notna()
    crossing = pairs[both & (pairs["split_a"] != pairs["split_b"])]
    if not both.any() and len(pairs):
        return _row("duplicates across the split", "look", "the set has no split yet; group it before splitting")
    sides = [*zip(crossing["image_id_a"], crossing["split_a"]), *zip(crossing["image_id_b"], crossing["split_b"])]  # noqa: B905
    test = len({name for name, part in sides if part == "test"})
    text = f"{len(crossing)} pair(s), {(crossing['kind'] == 'identical').sum()} of them byte-identical"
    text += f"; {test} test image(s) stand in another part too"
    return _row("duplicates across the split", "fault" if len(crossing) else "ok", text, _names(crossing))


def _label_conflicts(pairs: pd.DataFrame) -> tuple[str, ...]:
    conflicts = pairs[pairs["label_a"] != pairs["label_b"]]
    text = f"{len(conflicts)} pair(s) of one radiograph with two labels"
    return _row("label conflicts among duplicates", "fault" if len(conflicts) else "ok", text, _names(conflicts))


def _patients(table: pd.DataFrame) -> tuple[str, ...]:
    known = table[table["patient"].notna()]
    text = f"{known['patient'].nunique()} patients known for {len(known)} of {len(table)} images"
    if known.empty:
        return _row("patients", "look", "no patient is known: two films of one person cannot be told from two people")
    spread = known.groupby("patient")["split"].nunique()
    both = spread[spread > 1].index.astype(str)
    labels = known.groupby("patient")["label"].nunique()
    text += f"; {len(both)} on several sides of the split; {(labels > 1).sum()} with several labels"
    return _row("patients", "fault" if len(both) else "look" if len(known) < len(table) else "ok", text, both)


def _file_properties(table: pd.DataFrame, seed: int) -> tuple[str, ...]:
    name = "file properties predict the class"
    groups = table.groupby("label", observed=True)["group"].nunique()
    if len(groups) < 2 or groups.min() < 5:
        return _row(name, "look", "not tested: it takes two classes with five groups each")
    auc = evaluate.metric(file_properties_baseline(table, seed), "roc_auc_macro")
    figure = f"AUC {auc.value:.2f} (95 % interval {auc.low:.2f}-{auc.high:.2f}, n = {auc.n})"
    text = f"{figure} from format, mode, size, bytes per pixel and source alone"
    return _row(name, "fault" if auc.low > SUSPECT_AUC else "look" if auc.low > 0.5 else "ok", text)
