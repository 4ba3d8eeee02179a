"""The compact network at 224 px in every exported format: size, milliseconds, gap to Keras.

The gap is over a whole set.

    python -m benchmarks.export

Trained on the default phantoms (train and validation part; split by patient), compared on the whole
test part. Time is for one image in a process of its own that is kept on one processor core, with
one thread; the formats take turns, and the median and the fastest of many calls are given, since
the load of a machine changes (`load`: processes that wanted a core, one-minute mean). `low` and
`high` bound the share of flipped answers (Wilson, 95 %, as if the images were independent). The
trained network is kept in `output/export/`.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_helpers import (
    datasets,
    deploy,
    duplicates,
    measured,
    models,
    preprocess,
    quiet,
    split,
    train,
)

STORE = Path(__file__).parents[1] / "output" / "export"
SIZE, SEED = 224, 0


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--epochs", type=int, default=15)
    arguments.add_argument("--repeats", type=int, default=500)
    arguments.add_argument(
        "--time", action="store_true", help="internal: measure milliseconds, print them as JSON"
    )
    options = arguments.parse_args()
    if options.time:
        print(json.dumps(milliseconds(options.repeats).to_dict("records")))
        return
    result = measure(options.epochs, options.repeats)
    result.to_csv(measured.path("export"), index=False)
    print(
        result.drop(columns=["sha256", "date", "command"], errors="ignore").to_string(index=False)
    )


def measure(epochs: int, repeats: int) -> pd.DataFrame:
    """One row per format, Keras first."""
    with quiet():
        import keras
    table, images = cohort()
    path = STORE / f"compact-{SIZE}-{epochs}.keras"
    if not path.is_file():
        STORE.mkdir(parents=True, exist_ok=True)
        fitted = train.fit(models.RECIPES["compact"], table, images, epochs=epochs, seed=SEED)
        fitted.model.save(path)
    model = keras.models.load_model(path, compile=False)
    training = images[(table["split"] == "train").to_numpy()]
    test = np.array(images[(table["split"] == "test").to_numpy()])
    np.save(STORE / "image.npy", test[0])
    model.save(STORE / "model.keras")
    files = deploy.export(model, STORE, deploy.FORMATS, representative=training[:200])
    parity = deploy.parity(model, files, test).assign(name=files["name"])
    ours = {"name": "keras", "format": "Keras", "precision": "float32"}
    ours |= {
        "kB": (STORE / "model.keras").stat().st_size / 1000,
        "largest": 0.0,
        "mean": 0.0,
        "flipped": 0,
        "n": len(test),
    }
    rows = pd.concat(
        [pd.DataFrame([ours]), files.drop(columns=["file", "sha256"]).merge(parity, on="name")]
    )
    answers = train.predict(model, table, images, split="test")
    rows = rows.merge(timed(repeats), on="name").assign(
        parameters=model.count_params(),
        size=SIZE,
        epochs=epochs,
        keras_accuracy=(answers["predicted"] == answers["label"]).mean(),
        date=datetime.date.today().isoformat(),
        command="python -m benchmarks.export",
    )
    return rows.round(
        {"kB": 1, "largest": 7, "mean": 7, "low": 4, "high": 4, "keras_accuracy": 3}
    ).round({"first_ms": 2, "median_ms": 2, "fastest_ms": 2})


def cohort() -> tuple[pd.DataFrame, np.ndarray]:
    """The default phantoms, split by group, and their images."""
    table = datasets.load("phantom")
    images = preprocess.cache(table, SIZE)
    table = duplicates.add_groups(table, duplicates.pairs(table))
    return split.holdout(table, test=0.25, val=0.2, seed=SEED), images


def timed(repeats: int) -> pd.DataFrame:
    """Milliseconds, measured in a process that has one core from its start."""
    command = [sys.executable, "-m", "benchmarks.export", "--time", "--repeats", str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return pd.DataFrame(json.loads(done.stdout.splitlines()[-1]))


def milliseconds(repeats: int) -> pd.DataFrame:
    """The table of `deploy.latency`, on one core where the system allows that."""
    if hasattr(os, "sched_setaffinity"):  # before TensorFlow starts its threads
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with quiet():
        import keras
    model = keras.models.load_model(STORE / "model.keras", compile=False)
    runners = {"keras": deploy.keras_runner(model)}
    for name, (_, _, file) in deploy.FORMATS.items():
        runners[name] = deploy.run_exported(STORE / file, threads=1)
    found = deploy.latency(runners, np.load(STORE / "image.npy"), repeats)
    return found.assign(cores=1)


if __name__ == "__main__":
    main()
