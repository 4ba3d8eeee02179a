"""The road of a file: import, duplicates and cache of one folder, now and in an older checkout.

    python -m benchmarks.road FOLDER OLD_CHECKOUT

The two take turns, each in a process of its own, since the load of a machine changes; what counts
is the ratio. Both must give the same table, pairs and images. Prints seconds, seconds of work on
all cores, the peak of memory, and how often each image was opened.
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
# What an older checkout does not have is passed to it as text.
WALK = """
import collections, hashlib, json, os, resource, sys, time
from pathlib import Path
import numpy as np
from cxr_helpers import duplicates, images, manifest, preprocess
top, kept = sys.argv[1:]
first = next(path for path in sorted(Path(top).rglob("*")) if images.looks_like_image(path))
# The libraries are loaded before the clock starts.
preprocess.prepare(duplicates.fingerprint(images.read(first)).reshape(56, 56) * 0)
opened = collections.Counter()
sys.addaudithook(lambda event, about: opened.update([str(about[0])]) if event == "open" else None)
seconds, work = [time.perf_counter()], [time.process_time()]
def step(result):
    seconds.append(time.perf_counter())
    work.append(time.process_time())
    return result
table = step(manifest.from_folder(top, progress=False)).table
pairs = step(duplicates.pairs(table, progress=False))
array = step(preprocess.cache(table, folder=kept, progress=False))
result = table.to_csv().encode() + pairs.to_csv().encode() + np.ascontiguousarray(array).tobytes()
print(json.dumps({
    "import_s": seconds[1] - seconds[0],
    "duplicates_s": seconds[2] - seconds[1],
    "cache_s": seconds[3] - seconds[2],
    "seconds": seconds[3] - seconds[0],
    "cpu_seconds": work[3] - work[0],
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
    "opened": sum(opened[path] for path in table["path"]) / len(table),
    "n": len(table),
    "result": hashlib.sha256(result).hexdigest()[:12],
}))
"""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("old", type=Path)
    arguments.add_argument(
        "--name", help="what the folder is called in the table (default: its name)"
    )
    arguments.add_argument("--rounds", type=int, default=3)
    options = arguments.parse_args()
    checkouts = {"old": options.old.resolve(), "new": HERE.parent}
    rows = []
    for number in range(options.rounds):
        for which, checkout in checkouts.items():
            found = walk(checkout, options.folder)
            rows.append({"round": number, "checkout": which, **found})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows).assign(set=options.name or options.folder.name)
    if table["result"].nunique() > 1:
        raise SystemExit("the two do not give the same table, pairs and images")
    table = table.assign(
        old=commit(checkouts["old"]), cores=os.cpu_count(), date=datetime.date.today().isoformat()
    )
    table = table.assign(command="python -m benchmarks.road FOLDER OLD_CHECKOUT").round(3)
    file = HERE / "road.csv"
    before = pd.read_csv(file) if file.exists() else table[:0]
    before = before[before["set"] != table["set"].iloc[0]]
    pd.concat([before, table] if len(before) else [table]).to_csv(file, index=False)
    print(
        table.groupby("checkout")[["seconds", "cpu_seconds", "peak_mb", "opened"]]
        .median()
        .round(2)
        .to_string()
    )
    turns = table.pivot(index="round", columns="checkout", values=["seconds", "cpu_seconds"])
    ratio = (turns.xs("new", axis=1, level=1) / turns.xs("old", axis=1, level=1)).median()
    print(
        f"median ratio of {options.rounds} turns: {ratio['seconds']:.2f} (work: "
        f"{ratio['cpu_seconds']:.2f})"
    )


def walk(checkout: Path, folder: Path) -> dict:
    """What one process with the package of this checkout needs, and a hash of what it gives."""
    with tempfile.TemporaryDirectory() as kept:
        command = [sys.executable, "-W", "ignore", "-c", WALK, str(folder.resolve()), kept]
        variables = {**os.environ, "PYTHONPATH": str(checkout)}
        done = subprocess.run(command, cwd=checkout, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def commit(checkout: Path) -> str:
    """Short name of the commit that a checkout stands at."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.strip()


if __name__ == "__main__":
    main()
