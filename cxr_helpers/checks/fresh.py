"""Fresh data with fresh names from a random generator: what the checks run an answer on."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import duplicates, files, manifest

FOLDERS = {"normal": "Normal", "covid": "Covid", "viral": "Viral Pneumonia"}
USUAL = ("normal", "normal", "normal", "covid", "covid", "viral")  # labels of the patients, in turn


def until(draw: Callable[[], Any], tells: Callable[[Any], bool], times: int = 5000) -> Any:
    """Draw until what is drawn tells right answers from wrong ones; an error if it never does."""
    for _ in range(times):
        if tells(found := draw()):
            return found
    raise RuntimeError(f"{times} draws, and none tells right answers from wrong ones")


def names(rng: np.random.Generator, n: int, prefix: str = "") -> list[str]:
    """Different names after a prefix, such as "k7f3q"; no import reads one as a word ("ct234")."""
    letters = np.array(list("abcdefghjkmnpqrstuvwxyz23456789"))
    found: dict[str, None] = {}
    while len(found) < n:
        name = "".join(rng.choice(letters, size=5))
        if not re.fullmatch(r"\d?(?:ct|mr|gt|lat|aug|rot|seg|msk|cam|gan|roi)\d+", name):
            found[prefix + name] = None
    return list(found)


def seeds(rng: np.random.Generator, n: int) -> list[int]:
    """Different seeds, at least 7, in random order: neighbours, some with equal last digits, any.

    So two of them fall together where an answer makes only part of its seed count, such as `seed %
    2`.
    """
    first = int(rng.integers(100, 1000))
    near = [first + step for step in (0, 1, 2, 10, 100, 1000)]
    return rng.permutation(
        [*near, *rng.choice(np.arange(5000, 9000), n - len(near), replace=False)]
    ).tolist()


def cohort(
    rng: np.random.Generator,
    patients: int = 60,
    *,
    copies: int = 0,
    unknown: float = 0,
    labels: tuple[str, ...] = USUAL,
) -> pd.DataFrame:
    """A manifest without files: patients of three classes, two to five images each, shuffled.

    Parameters: `copies`, how many images occur a second time, byte for byte, under another
    patient's name; `unknown`, the share of patients, in [0, 1), whose name is missing; `labels`, of
    the patients, in turn. No groups.
    """
    rows = []
    for number, patient in enumerate(names(rng, patients, "P-")):
        label = labels[number % len(labels)]
        known = patient if rng.random() >= unknown else pd.NA
        for name in names(rng, int(rng.integers(2, 6))):
            file = f"{FOLDERS[label]}/{name}.png"
            rows.append(
                {
                    "image_id": file,
                    "label": label,
                    "patient": known,
                    "original_label": FOLDERS[label],
                }
            )
    table = pd.DataFrame(rows).drop_duplicates("image_id", ignore_index=True)
    table["sha256"] = [files.sha256(name.encode()) for name in table["image_id"]]
    table = table.iloc[rng.permutation(len(table))].reset_index(drop=True)
    _copy(table, copies, rng)
    filled = {
        "width": 224,
        "height": 224,
        "mode": "L",
        "format": "PNG",
        "bytes": 20_000,
        "licence": "CC0-1.0",
    }
    return manifest.check(
        table.assign(path="images/" + table["image_id"], **filled).reindex(columns=manifest.COLUMNS)
    )


def grouped(rng: np.random.Generator, patients: int = 60, **settings) -> pd.DataFrame:
    """A `cohort` with its groups: one per patient, joined where two patients share a copy."""
    table = cohort(rng, patients, **settings)
    twice = (
        table[table["sha256"].duplicated(keep=False)].sort_values("sha256")["image_id"].to_numpy()
    )
    return duplicates.add_groups(
        table, pd.DataFrame({"image_id_a": twice[::2], "image_id_b": twice[1::2]})
    )


def with_files(table: pd.DataFrame, folder) -> pd.DataFrame:
    """The table with paths below a folder, an empty file behind each."""
    for image in table["image_id"]:
        path = Path(folder, image)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return table.assign(path=[str(Path(folder, image)) for image in table["image_id"]])


def _copy(table: pd.DataFrame, n: int, rng: np.random.Generator) -> None:
    """Give `n` normal images another patient's bytes, in place, two fresh patients a pair."""
    firsts = table[(table["label"] == "normal") & table["patient"].notna()].drop_duplicates(
        "patient"
    )
    chosen = rng.permutation(firsts.index)[: 2 * n]
    if len(chosen) < 2 * n:
        raise ValueError(f"{n} copies need {2 * n} known normal patients; there are {len(chosen)}")
    table.loc[chosen[:n], "sha256"] = table.loc[chosen[n:], "sha256"].to_numpy()
