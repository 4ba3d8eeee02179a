"""Case E's project as described, run literally, on drawn images and on the published set.

Part one of its notebook is run.

    python -m benchmarks.case_e_described --data-dir FOLDER

The cells of `notebooks/src/cases/e_three_classes.py` up to "At full size" are run as they stand,
once for each seed: in mode `full` (224 pixels, 251 + 66 images) on drawn images, a cohort for each
seed, and on the published set; and in mode `class` (a smaller image side, nothing else changed) on
drawn images, too. Of each (set, mode) the table has accuracy, macro-F1, and precision, recall and
F1 of each class, with intervals by group; the seeds of the published set share their images.
Nothing is chosen here: the side of class mode was settled on the cohorts of other seeds (100 to
102). Each run is kept in `output/case_e_described/`, so an interrupted program goes on where it
stopped, and the table holds what is there.
"""

import argparse
import datetime
import os
import time
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from cxr_helpers import duplicates, evaluate, files, measured, train
from tools.build import part_one as notebook

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "notebooks" / "src" / "cases" / "e_three_classes.py"
STORE = ROOT / "output" / "case_e_described"
# how many seeds
RUNS = {("covid19-image-dataset", "full"): 2, ("phantom", "full"): 1, ("phantom", "class"): 5}
METRICS = {
    "accuracy": "accuracy",
    "f1_macro": "macro-F1",
    "ppv": "precision",
    "sensitivity": "recall",
    "f1": "F1",
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--data-dir", default="data")
    data_dir = str(Path(arguments.parse_args().data_dir).resolve())
    for seed in range(max(RUNS.values())):
        for (name, mode), seeds in RUNS.items():
            if seed < seeds:
                run(name, mode, seed, data_dir)
                table(STORE).to_csv(measured.path("case_e_described"), index=False)
    print(measured.read("case_e_described").to_string(index=False))


def run(name: str, mode: str, seed: int, data_dir: str, store: Path = STORE, **overrides) -> None:
    """Part one once, unless done: its predictions for the test part, seconds, size, parameters.

    `overrides` of the notebook's names make a small run for the tests.
    """
    file = store / f"{name}-{mode}-{seed}.csv"
    if file.is_file():
        return
    wall, cpu = time.perf_counter(), time.process_time()
    cells = part_one(name, mode, seed, data_dir, overrides)
    found = predictions(cells, seed)
    found = found.assign(seconds=time.perf_counter() - wall, cpu_seconds=time.process_time() - cpu)
    found = found.assign(
        n_train=len(cells["x_train"]), size=cells["SIZE"], parameters=cells["model"].count_params()
    )
    with files.whole_file(file) as part:
        found.to_csv(part, index=False)
    print(f"{name}, {mode}, seed {seed}: {evaluate.metric(found, 'accuracy')}", flush=True)


def part_one(name: str, mode: str, seed: int, data_dir: str, overrides: dict) -> dict:
    """Run the notebook's Part one, as far as it is the project's own code; return its names."""
    import matplotlib as mpl

    mpl.use("agg")
    settings = {
        "CXR_MODE": mode,
        "CXR_DATASET": name,
        "CXR_DATA_DIR": data_dir,
        "CXR_SEED": str(seed),
    }
    with patch.dict(os.environ, settings | {"CXR_GUESS": "example"}):
        return notebook.run(SOURCE, until="At full size", overrides=overrides)


def predictions(cells: dict, seed: int) -> pd.DataFrame:
    """The answers of Part one as predictions, the classes in the order of its folders."""
    table = duplicates.add_groups(cells["found"].table)
    folders = [Path(path).parent.name for path in table["path"]]
    names = [table["label"][folders.index(name)] for name in cells["class_names"]]
    rows = (
        table.set_index("path", drop=False)
        .loc[[str(file) for file in cells["test_files"]]]
        .reset_index(drop=True)
    )
    rows["label"] = rows["label"].cat.set_categories(names)
    return train.predictions_table(rows, cells["probabilities"], model="as described", seed=seed)


def table(store: Path) -> pd.DataFrame:
    """The rows of every (set, mode) of which there is a run."""
    rows = [
        lines(name, mode, store) for name, mode in RUNS if list(store.glob(f"{name}-{mode}-*.csv"))
    ]
    stamp = {
        "date": datetime.date.today().isoformat(),
        "command": "python -m benchmarks.case_e_described",
    }
    return pd.concat(rows, ignore_index=True).round(4).assign(**stamp)


def lines(name: str, mode: str, store: Path) -> pd.DataFrame:
    """The rows of one (set, mode): a figure each, and what is the same for all figures."""
    runs = [pd.read_csv(file) for file in sorted(store.glob(f"{name}-{mode}-*.csv"))]
    accuracies = [(run["label"] == run["predicted"]).mean() for run in runs]
    every = pd.concat(runs, ignore_index=True)
    if name == "phantom":  # each seed has images of its own
        for column in ("image_id", "group"):
            every[column] = every["seed"].astype(str) + "/" + every[column]
        every["seed"] = 0
    kinds = pd.CategoricalDtype(evaluate.classes(every))
    found = evaluate.metrics(every.astype({"label": kinds, "predicted": kinds}))
    found = found[found["metric"].isin(METRICS)].drop(columns="method")
    found["metric"] = found["metric"].map(METRICS)
    found.insert(0, "set", name)
    found.insert(1, "mode", mode)
    found = found.assign(**runs[0][["n_train", "size", "parameters"]].iloc[0])
    found = found.assign(seeds=len(runs), lowest_seed=min(accuracies), highest_seed=max(accuracies))
    seconds = every.drop_duplicates("seconds")[["seconds", "cpu_seconds"]].mean().round(1)
    return found.assign(**seconds)


if __name__ == "__main__":
    main()
