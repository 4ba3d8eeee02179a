"""Case D's size: seconds and memory of each stage for 8,723 images against 1,000, each stage in a process of its own.

    python -m benchmarks.case_d

Stages: draw the phantoms, import the folder, prepare and cache the images, look for duplicates, train for one epoch,
score every image. Each finished stage is kept in `output/case_d/`, so an interrupted run goes on with the next one;
`--images` and `--size` make a small trial, which is not written to the package unless `--write` is given.
Memory is read from outside, every tenth of a second, as the sum over the stage's process and its children: `peak_mb` is
all that is resident, memory-mapped files included, which the system takes back when it needs the room; `own_mb` is the
part that is not shared with a file. Time of one machine, shared or not: `load` tells.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from cxr_helpers import datasets, duplicates, evaluate, manifest, measured, models, preprocess, quiet, split, train
from tools.run import Memory

STORE = Path(__file__).parents[1] / "output" / "case_d"
SIZES, SIDE = (1000, 8723), 224
COLUMNS = ["images", "size", "stage", "seconds", "cpu_seconds", "peak_mb", "own_mb", "load", "cores"]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--images", type=int, nargs="+", default=list(SIZES))
    arguments.add_argument("--size", type=int, default=SIDE, help="side of the prepared image, pixels")
    arguments.add_argument("--write", action="store_true", help="write the package's table for other sizes, too")
    arguments.add_argument("--stage", choices=list(STAGES), help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.stage:  # in a process of its own
        STAGES[options.stage](options.images[0], options.size)
        return
    STORE.mkdir(parents=True, exist_ok=True)
    rows = [measure(n, options.size, stage) for n in options.images for stage in STAGES]
    command = f"python -m benchmarks.case_d --images {' '.join(map(str, options.images))} --size {options.size}"
    usual = (tuple(options.images), options.size) == (SIZES, SIDE)
    result = pd.DataFrame(rows)[[*COLUMNS, "date"]]
    result = result.assign(command="python -m benchmarks.case_d" if usual else command)
    if usual or options.write:
        result.to_csv(measured.path("case_d"), index=False)
    print(result.drop(columns=["command", "date"]).to_string(index=False))


def measure(n: int, size: int, stage: str) -> dict:
    """Run one stage in a process of its own, unless that was done; its seconds and its memory."""
    done = _file(n, size, stage, "json")
    if not done.is_file():
        command = [sys.executable, "-m", "benchmarks.case_d", "--stage", stage, "--images", str(n), "--size", str(size)]
        started, before = time.perf_counter(), _spent()
        with Memory() as memory:
            code = subprocess.call(command)
        if code:
            raise SystemExit(f"stage {stage} of {n} images failed; the stages before it are kept, run again")
        row = {"images": n, "size": size, "stage": stage, "seconds": time.perf_counter() - started}
        row |= {"cpu_seconds": _spent() - before, "peak_mb": memory.peak / 2**20, "own_mb": memory.own / 2**20}
        row = {k: round(v, 1) if isinstance(v, float) else v for k, v in row.items()}
        row |= {"load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}
        row["date"] = datetime.date.today().isoformat()
        partial = done.with_suffix(".partial")
        partial.write_text(json.dumps(row))
        partial.replace(done)
        print(f"{n} images, {stage}: {row['seconds']} s, {row['peak_mb']} MB, own {row['own_mb']} MB", flush=True)
    return json.loads(done.read_text())


def _spent() -> float:
    """Processor seconds of all children that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def _file(n: int, size: int, name: str, kind: str) -> Path:
    return STORE / f"{n}-{size}-{name}.{kind}"


def draw(n: int, size: int) -> None:
    """Draw the phantoms and import their folder; the import is measured again by itself."""
    datasets.case("d", n=n)


def load(n: int, size: int) -> None:
    """Folder to table: every file is opened and hashed; then the split."""
    table = datasets.case("d", n=n).table
    table = split.holdout(table.assign(group=table["image_id"]), test=0.2, val=0.1)
    manifest.write(table, _file(n, size, "manifest", "csv"))


def _table(n: int, size: int) -> pd.DataFrame:
    return manifest.read(_file(n, size, "manifest", "csv"))


def cache(n: int, size: int) -> None:
    """Decode, pad and resize every file once, into one array on disk."""
    preprocess.cache(_table(n, size), size, folder=STORE / "cache", progress=False)


def look(n: int, size: int) -> None:
    """Fingerprints of all files, and all pairs of them."""
    duplicates.pairs(_table(n, size), progress=False)


def fit(n: int, size: int) -> None:
    """One epoch, batches of 16 from the array on disk, with validation."""
    table = _table(n, size)
    images = preprocess.cache(table, size, folder=STORE / "cache", progress=False)
    with quiet():
        fitted = train.fit(
            models.Recipe("case_d", models.case_d, 1, 16, learning_rate=2e-3), table, images, progress=False
        )
    fitted.model.save(_file(n, size, "model", "keras"))


def score(n: int, size: int) -> None:
    """Probabilities and figures for every image."""
    with quiet():
        import keras
    table = _table(n, size)
    images = preprocess.cache(table, size, folder=STORE / "cache", progress=False)
    model = keras.models.load_model(_file(n, size, "model", "keras"), compile=False)
    print(evaluate.metric(train.predict(model, table, images), "accuracy"))


STAGES = {"draw": draw, "import": load, "cache": cache, "duplicates": look, "train, one epoch": fit, "score": score}


if __name__ == "__main__":
    main()
