"""Case C's recipe as in the notebook, at full size: 200 pixels, as many images as described.

    python -m benchmarks.case_c [--seeds 0 1 2 3 4] [--epochs 5 30] [--modes full class]

Each run executes the code of the notebook's source up to "At 200 pixels" (folders, generators,
network, fit, test); `--epochs` replaces the notebook's number. What a run gave is kept in
`output/case_c/`, so that an interrupted run goes on where it stopped. Runs with the notebook's 5
epochs take all seeds, others the first one only. The column `above_chance` is the test accuracy
minus that of always answering NORMAL. Nothing is chosen here.
"""

import argparse
import datetime
import os
import time
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd

from cxr_helpers import evaluate, files, measured, train
from tools.build import part_one

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "notebooks" / "src" / "cases" / "c_two_convolutions.py"
STORE = ROOT / "output" / "case_c"
AS_DESCRIBED = 5  # epochs


def main(arguments: list[str] | None = None, store: Path = STORE, **overrides) -> pd.DataFrame:
    """Run what is not in the store, write the table; `overrides` make a small one for tests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--epochs", type=int, nargs="+", default=[AS_DESCRIBED])
    parser.add_argument("--modes", nargs="+", default=["full"], choices=["full", "class"])
    options = parser.parse_args(arguments)
    store.mkdir(parents=True, exist_ok=True)
    for mode in options.modes:
        for epochs in options.epochs:
            for seed in options.seeds if epochs == AS_DESCRIBED else options.seeds[:1]:
                kept = store / f"{mode}-{epochs}-{seed}.csv"
                if not kept.is_file():
                    row = one_run(mode, seed, EPOCHS=epochs, **overrides)
                    with files.whole_file(kept) as part:
                        pd.DataFrame([row]).to_csv(part, index=False)
                print(kept.read_text(), flush=True)
    command = "python -m benchmarks.case_c"
    for name, values in (
        ("seeds", options.seeds),
        ("epochs", options.epochs),
        ("modes", options.modes),
    ):
        command += f" --{name} " + " ".join(map(str, values))
    table = pd.concat(
        [pd.read_csv(file) for file in sorted(store.glob("*.csv"))], ignore_index=True
    )
    table = table.sort_values(["mode", "epochs", "seed"], ascending=[False, True, True])
    return table.assign(command=command)


def one_run(mode: str, seed: int, **overrides) -> dict:
    """One row: the notebook's code up to "At 200 pixels", in a mode, with a seed."""
    settings = {
        "CXR_MODE": mode,
        "CXR_SEED": str(seed),
        "CXR_DATASET": "phantom",
        "MPLBACKEND": "agg",
    }
    started = time.process_time()
    with patch.dict(os.environ, settings):
        left = part_one.run(SOURCE, "At 200 pixels", overrides)
    seconds = time.process_time() - started
    test, history = left["test_data"], left["history"]
    normal = left["model"].predict(test, verbose=0)[:, 0]
    predictions = predictions_of(
        left["found"].table, left["main_dir"] / "test", test.filenames, normal
    )
    found = evaluate.metric(predictions, "accuracy")
    always = (predictions["label"] == "normal").mean()
    sizes = {
        "side": left["SIDE"],
        "train": left["train_data"].samples,
        "val": left["val_data"].samples,
    }
    row = {
        "mode": mode,
        "epochs": left["EPOCHS"],
        "seed": seed,
        **sizes,
        "n": found.n,
        "patients": found.groups,
    }
    row |= {"accuracy": history["accuracy"][-1], "val_accuracy": history["val_accuracy"][-1]}
    row |= {
        "test_accuracy": found.value,
        "low": found.low,
        "high": found.high,
        "test_loss": left["test_loss"],
    }
    row |= {"always_normal": always, "above_chance": found.value - always, "cpu_seconds": seconds}
    row = {
        name: round(value, 4) if isinstance(value, float) else value for name, value in row.items()
    }
    return row | {"date": datetime.date.today().isoformat()}


def predictions_of(
    table: pd.DataFrame, folder: Path, names: list[str], normal: np.ndarray
) -> pd.DataFrame:
    """The network's answers to the test folder as predictions, in the order of the generator."""
    rows = table.set_index("path").loc[[str(folder / name) for name in names]].reset_index()
    rows = rows.assign(
        label=rows["label"].cat.set_categories(["covid", "normal"]), group=rows["patient"]
    )
    return train.predictions_table(rows, np.column_stack([1 - normal, normal]), model="case C")


if __name__ == "__main__":
    result = main()
    result.to_csv(measured.path("case_c"), index=False)
    print(result.to_string(index=False))
