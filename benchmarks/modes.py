"""Do the networks of class mode learn what full mode's do? Accuracy minus chance, five seeds.

    python -m benchmarks.modes [NAME ...] [--seeds 0 1 2 3 4]

Each run executes the code of a lesson's or case's source up to the heading in UNTIL, on phantoms,
in one mode and with one seed; a seed draws its own images where the notebook does. Images, side,
epochs are those of the mode, as the notebook sets them; nothing is set or chosen here. *Chance* is
the share of the largest class among the images that are scored: validation images in lesson 06,
which keeps its test part closed, and test images in all others. What a run gave is kept in
`output/modes/`, so that an interrupted command goes on where it stopped; the table holds what is
there.
"""

import argparse
import datetime
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from cxr_helpers import files
from tools.build import part_one

ROOT = Path(__file__).parents[1]
SOURCES = ROOT / "notebooks" / "src"
STORE = ROOT / "output" / "modes"
RESULT = Path(__file__).with_name("modes.csv")
MODES = ("class", "full")


def lesson_06(left: dict) -> tuple:
    return (
        left["y_val"],
        left["best"].predict(left["x_val"], verbose=0).argmax(axis=1),
        left["SIZE"],
    )


def lesson_07(left: dict) -> tuple:
    return left["truth"], left["said"], left["images"].shape[1]


def lesson_12(left: dict) -> tuple:
    internal = left["internal"]
    return (
        internal["label"].cat.codes.to_numpy(),
        internal["predicted"].cat.codes.to_numpy(),
        left["size"],
    )


def case_a(left: dict) -> tuple:
    return (
        left["y_test"],
        left["model"].predict(left["x_test"], verbose=0)[:, 0] >= 0.5,
        left["size"],
    )


def case_b(left: dict) -> tuple:
    return left["y_val"], left["p_val"] >= 0.5, left["size"]


def case_c(left: dict) -> tuple:
    test = left["test_data"]
    return test.classes, left["model"].predict(test, verbose=0)[:, 0] >= 0.5, left["SIDE"]


def case_d(left: dict) -> tuple:
    rows = left["test_rows"]
    return (
        left["y"][rows],
        left["model"].predict(left["x"][rows], verbose=0)[:, 0] >= 0.5,
        left["SIDE"],
    )


def case_e(left: dict) -> tuple:
    return left["y_test"], left["answers"], left["SIZE"]


# Source, the heading at which its run ends, and what takes (truth, answers, side) from the names
# that it leaves.
UNTIL: dict[str, tuple[str, Callable[[dict], tuple]]] = {
    "06_cnn_building": ("Step 6", lesson_06),
    "07_evaluation": ("Step 2", lesson_07),
    "12_uncertainty": ("Step 2", lesson_12),
    "cases/a_grey_scale": ("Part two", case_a),
    "cases/b_kaggle_folders": ("Part two", case_b),
    "cases/c_two_convolutions": ("At 200 pixels", case_c),
    "cases/d_small_model": ("Step 3", case_d),
    "cases/e_three_classes": ("At full size", case_e),
}


def main(arguments: list[str] | None = None) -> pd.DataFrame:
    """Do the runs that are not kept yet, class mode first; write and return the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", help="starts of names, such as 07 or cases/a; all if none"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(5)))
    options = parser.parse_args(arguments)
    for seed in options.seeds:
        for name in UNTIL:
            if not options.names or name.startswith(tuple(options.names)):
                for mode in MODES:
                    kept(name, mode, seed)
    table = summary()
    table.to_csv(RESULT, index=False)
    return table


def kept(name: str, mode: str, seed: int) -> dict:
    """Return the row of a run, from the store or from running it now."""
    file = STORE / f"{name.replace('/', '-')}-{mode}-{seed}.json"
    if not file.is_file():
        row = run(name, mode, seed)
        with files.whole_file(file) as part:
            part.write_text(json.dumps(row))
        print(row, flush=True)
    return json.loads(file.read_text())


def run(name: str, mode: str, seed: int, **overrides) -> dict:
    """Run a source up to its heading; return a row. `overrides` of names make small test runs."""
    until, outcome = UNTIL[name]
    settings = {
        "CXR_MODE": mode,
        "CXR_SEED": str(seed),
        "CXR_DATASET": "phantom",
        "CXR_GUESS": "example",
    }
    settings |= {"MPLBACKEND": "agg", "TQDM_DISABLE": "1"}
    started = time.process_time()
    with patch.dict(os.environ, settings):
        left = part_one.run(SOURCES / f"{name}.py", until, overrides)
    truth, said, side = outcome(left)
    truth, said = np.asarray(truth).astype(int), np.asarray(said).astype(int)
    row = {
        "notebook": Path(name).name,
        "mode": mode,
        "seed": seed,
        "side": int(side),
        "n": len(truth),
    }
    row |= {
        "accuracy": float(np.mean(truth == said)),
        "chance": float(np.bincount(truth).max() / len(truth)),
    }
    row |= {
        "cpu_seconds": round(time.process_time() - started, 1),
        "date": datetime.date.today().isoformat(),
    }
    return row


def summary() -> pd.DataFrame:
    """Return a row per notebook with the same seeds in both modes: means, and their ratio."""
    rows = [json.loads(file.read_text()) for file in sorted(STORE.glob("*.json"))]
    runs = pd.DataFrame(rows)
    runs["above"] = runs["accuracy"] - runs["chance"]
    found = []
    for notebook, of_one in runs.groupby("notebook"):
        by_mode = {
            mode: of_one[of_one["mode"] == mode].set_index("seed").sort_index() for mode in MODES
        }
        seeds = by_mode["class"].index.intersection(by_mode["full"].index)
        if seeds.empty:
            continue
        line = {"notebook": notebook, "seeds": len(seeds)}
        for mode, table in by_mode.items():
            both = table.loc[seeds]
            line |= {f"{mode}_side": both["side"].iloc[0], f"{mode}_n": both["n"].iloc[0]}
            line |= {
                f"{mode}_accuracy": both["accuracy"].mean(),
                f"{mode}_above": both["above"].mean(),
            }
            line |= {f"{mode}_lowest": both["above"].min(), f"{mode}_highest": both["above"].max()}
            line |= {f"{mode}_cpu_seconds": both["cpu_seconds"].mean()}
        line["ratio"] = line["class_above"] / line["full_above"]
        found.append(line | {"date": of_one["date"].max(), "command": "python -m benchmarks.modes"})
    return pd.DataFrame(found).round(4)


if __name__ == "__main__":
    print(main().drop(columns="command").to_string(index=False))
