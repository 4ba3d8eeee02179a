"""Time the phantom: milliseconds of one core per 224-pixel image with all masks, and seconds for a written cohort.

python -m benchmarks.phantom_speed --n 60 --cohort 1200
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from cxr_helpers import phantom


def main() -> None:
    """Time single images and a cohort; print the table and write it as CSV."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=60)
    parser.add_argument("--cohort", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    args = parser.parse_args()
    rows = phantom.design("default", n=args.n, seed=1).to_dict("records")
    phantom.render(rows[0])
    wall, cpu = [], []
    for row in rows:
        start, used = time.perf_counter(), time.process_time()
        phantom.render(row)
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    found = {"ms per image, wall, median": np.median(wall) * 1e3, "ms per image, wall, best": np.min(wall) * 1e3}
    found |= {"ms per image, CPU, median": np.median(cpu) * 1e3, "ms per image, CPU, best": np.min(cpu) * 1e3}
    if args.cohort:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            phantom.write(phantom.design("default", n=args.cohort), Path(folder) / "set", progress=False)
            found[f"seconds for {args.cohort} images on two processes"] = time.perf_counter() - start
    table = pd.DataFrame({"measure": list(found), "value": np.round(list(found.values()), 1), "n": args.n})
    table.to_csv(args.out, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
