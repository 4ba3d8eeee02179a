"""Time and memory of an interval and a comparison as tables grow from 10,000 to 1,000,000 rows.

    python -m benchmarks.scaling

Tables as in `benchmarks.coverage`, one to five images a patient. Each size runs in a process of its
own; `MB` is its peak memory. `exponent`: slope of log time over log rows between the smallest and
the largest table, 1 for a time that grows as the rows do. The table is benchmarks/scaling.csv.
"""

import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.coverage import draw
from cxr_helpers import evaluate

ROWS = (10_000, 100_000, 1_000_000)
SKILL = 2.97  # a true accuracy of about 0.88
CALLS = {
    "metric accuracy": lambda a, b: evaluate.metric(a, "accuracy"),
    "metric f1_macro": lambda a, b: evaluate.metric(a, "f1_macro"),
    "metric roc_auc_macro": lambda a, b: evaluate.metric(a, "roc_auc_macro"),
    "compare accuracy": lambda a, b: evaluate.compare(a, b, "accuracy"),
    "compare f1_macro": lambda a, b: evaluate.compare(a, b, "f1_macro"),
    "compare roc_auc_macro": lambda a, b: evaluate.compare(a, b, "roc_auc_macro"),
}


def measure(rows: int) -> list[dict]:
    """Seconds of each call, quickest of two, and the process's peak memory after it."""
    a, b = draw(np.random.default_rng(0), rows // 3, SKILL, SKILL)
    found = []
    for name, call in CALLS.items():
        seconds = []
        for _ in range(2):
            start = time.perf_counter()
            call(a, b)
            seconds.append(time.perf_counter() - start)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        found.append({"call": name, "rows": len(a), "seconds": min(seconds), "MB": peak})
    return found


def main() -> None:
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        every = pd.DataFrame([row for rows in pool.imap(measure, ROWS) for row in rows])
    ends = every.groupby("call", sort=False).agg(
        {"rows": ["first", "last"], "seconds": ["first", "last"]}
    )
    slope = np.log(ends["seconds"]["last"] / ends["seconds"]["first"]) / np.log(
        ends["rows"]["last"] / ends["rows"]["first"]
    )
    every["exponent"] = every["call"].map(slope)
    print(every.round(3).to_string())
    every.round(4).to_csv(Path(__file__).with_suffix(".csv"), index=False)


if __name__ == "__main__":
    main()
