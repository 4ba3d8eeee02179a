"""Case D as described: Part one of its notebook on 8,723 drawn images at 64 pixels, and on 640.

    python -m benchmarks.case_d

Runs the notebook's own cells in full mode, up to the intervals of the gain, for each number of
images in a process of its own; only that number (`--images`) and, for a trial, the side (`--side`)
are set from here. What is finished is kept in `output/case_d/`, so that an interrupted run goes on
with the next number. Written to the package: the mean over folds and seeds, and each model on the
test images with interval and n. `gain`: transfer minus this model, paired; `seconds` and `own_mb`,
the largest memory that is shared with no file, are of the whole run, on one machine, shared or not
(`load`). A trial is written only with `--write`.
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

from cxr_helpers import files, measured
from tools.build import part_one
from tools.run import Memory

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "notebooks" / "src" / "cases" / "d_small_model.py"
STORE = ROOT / "output" / "case_d"
NUMBERS, SIDE = (8723, 640), 64
METRICS = ("sensitivity", "specificity", "accuracy")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--images", type=int, nargs="+", default=list(NUMBERS))
    arguments.add_argument(
        "--side", type=int, default=SIDE, help="side of what the network sees, pixels"
    )
    arguments.add_argument(
        "--write", action="store_true", help="write the package's table for a trial, too"
    )
    # of the process that does one number
    arguments.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.into:
        run(options.images[0], options.side, options.into)
        return
    STORE.mkdir(parents=True, exist_ok=True)
    usual = (tuple(options.images), options.side) == (NUMBERS, SIDE)
    command = "python -m benchmarks.case_d"
    if not usual:
        command += f" --images {' '.join(map(str, options.images))} --side {options.side}"
    table = pd.concat([measure(n, options.side) for n in options.images]).assign(command=command)
    if usual or options.write:
        table.to_csv(measured.path("case_d"), index=False)
    print(table.drop(columns="command").to_string(index=False))


def measure(n: int, side: int) -> pd.DataFrame:
    """The rows for n images, by a process of its own unless that was done."""
    done = STORE / f"{n}-{side}.json"
    if not done.is_file():
        told = done.with_suffix(".told")  # by the other process
        command = [
            sys.executable,
            "-m",
            "benchmarks.case_d",
            "--images",
            str(n),
            "--side",
            str(side),
        ]
        settings = {
            "CXR_MODE": "full",
            "CXR_DATASET": "phantom",
            "CXR_SEED": "0",
            "MPLBACKEND": "agg",
        }
        settings |= {"CXR_GUESS": "example"}
        begin = time.perf_counter()
        with Memory() as memory:
            code = subprocess.call([*command, "--into", str(told)], env=os.environ | settings)
        if code:
            raise SystemExit(f"the run of {n} images failed; what was finished before is kept")
        facts = {"seconds": round(time.perf_counter() - begin), "own_mb": round(memory.own / 2**20)}
        facts |= {"load": round(os.getloadavg()[0], 1), "cores": os.cpu_count()}
        facts["date"] = datetime.date.today().isoformat()
        rows = json.loads(told.read_text())
        with files.whole_file(done) as part:
            part.write_text(json.dumps([row | facts for row in rows], indent=1))
        told.unlink()
    return pd.DataFrame(json.loads(done.read_text()))


def run(n: int, side: int, file: Path) -> None:
    """Run the notebook's cells on n images and write down what they found."""
    left = part_one.run(SOURCE, until="Step 7", overrides={"IMAGES": n, "SIDE": side})
    facts = {"images": n, "side": side}
    last = left["pair"].loc["in training"]
    mean = {"network": f"transfer, mean of {len(left['runs'])} trainings", "n": n}
    mean["in training"] = left["runs"]["in training"].mean()
    for metric in METRICS:
        found = left["averages"].loc[(metric, "all" if metric == "accuracy" else "covid")]
        mean |= {
            metric: found["value"],
            f"{metric}_low": found["low"],
            f"{metric}_high": found["high"],
        }
    rows = [facts | mean]
    for model in left["beside"].to_dict("records"):
        name = model["model"]
        row = facts | {"network": name, "n": model["n"], "groups": model["groups"]}
        row |= {"in training": last[name]} if name in last else {}
        for metric in METRICS:
            row |= {
                f"{metric}{end}": model[f"{metric}{end or '_value'}"]
                for end in ("", "_low", "_high")
            }
        if gain := left["gains"].get(name):
            row |= {"gain": gain.value, "gain_low": gain.low, "gain_high": gain.high}
        if name == "transfer":
            row |= {"kB": len(left["content"]) / 1e3, "flipped": int(left["flipped"])}
        rows.append(row)
    tidy = [
        {k: round(float(v), 4) if isinstance(v, float) else v for k, v in row.items()}
        for row in rows
    ]
    file.write_text(json.dumps(tidy, indent=1))


if __name__ == "__main__":
    main()
